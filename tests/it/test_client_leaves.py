# SPDX-License-Identifier: Apache-2.0
"""A client that goes away in the middle: its script stops at its next output, and the cell is there for others."""
import json
import os
import random
import socket
import threading
import time

import levels
import proc
import pytest
import servers
import site_conf
from test_state_leak import known, one_cell  # noqa: F401

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]
KEPT = ["rollback", "shared"]

SCRIPTS = {
	"who.php": "<?php echo json_encode(['pid' => getmypid(), 'aborted' => connection_aborted(), 'q' => $_GET['q'] ?? '', 'in' => file_get_contents('php://input')]);",
	# What it got to is in a file: nobody reads its answer.
	"work.php": "<?php ignore_user_abort(!empty($_GET['on'])); register_shutdown_function(fn() => file_put_contents(__DIR__ . '/out/' . $_GET['n'], json_encode([getmypid(), $i ?? $GLOBALS['i'], connection_aborted()])));"
		"for ($i = 0; $i < 40; $i++) { echo str_repeat('y', 9000); flush(); if ($i == 20) error_log('warned ' . $_GET['n']); usleep(20000); }",
	"slow.php": "<?php usleep(mt_rand(0, 20000)); echo str_repeat('z', mt_rand(0, 300000)), $_GET['q'];",
	"lazy.php": "<?php for ($i = 0; $i < 10; $i++) { echo str_repeat('y', 9000); flush(); usleep(20000); }",
}


@pytest.fixture(scope="module")
def server(tmp, ini, known, module_fleet):
	root = tmp + "/leaves"
	for name, text in SCRIPTS.items():
		servers.write("%s/%s" % (root, name), text)
	servers.writable_dir(root + "/out")
	text = '<Directory "%s">\n    Require all granted\n</Directory>\n' % root
	own = dict(ini, **{"opcache.enable": 0})  # a cell ends when there is a newer image; here it must not
	text += "".join(one_cell(n + ".test", n, root, own) for n in known)
	text += "".join(site_conf.prefork_vhost("many-" + n + ".test", root, n, own) for n in known)
	s = module_fleet.start(servers.Bulkhead(tmp + "/leaves-bulkhead", text))
	s.root = root
	return s


@pytest.fixture(params=KEPT)
def level(request, known):
	if request.param not in known:
		pytest.skip("no %s here" % request.param)
	return request.param


def begin(server, host, path, body=b"", n=1):
	"""A request whose answer has begun."""
	s = socket.create_connection(server.addr, timeout=2)
	s.sendall(b"%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (b"POST" if body else b"GET", path.encode(), host.encode(), len(body)) + body)
	while n > 0:
		got = s.recv(min(n, 65536))
		if not got:
			break
		n -= len(got)
	return s


def who(server, host, **k):
	r = server.get(host, "/who.php", **k)
	assert r.status == 200, r
	return json.loads(r.body)


def result(server, name):
	path = server.root + "/out/" + name
	return json.loads(proc.wait_for(lambda: os.path.exists(path) and open(path).read(), 10, why="the script's end"))


@pytest.mark.parametrize("after", [1, 30000, 200000])
def test_the_script_stops_and_the_cell_stays(server, level, after):
	host, name = level + ".test", "%s-%d" % (level, after)
	pid = who(server, host)["pid"]
	begin(server, host, "/work.php?n=" + name, n=after).close()
	got_pid, i, aborted = result(server, name)
	assert got_pid == pid and i < 39 and aborted == 1, (i, aborted)
	for q in ("a", "b"):
		assert who(server, host + "", method="POST", body=b"body-" + q.encode()) == {"pid": pid, "aborted": 0, "q": "", "in": "body-" + q}


def test_a_script_that_goes_on(server, level):
	"""ignore_user_abort(): it does all of its work, and says in the log what it has to say; nobody gets its answer."""
	host, name = level + ".test", level + "-on"
	pid = who(server, host)["pid"]
	begin(server, host, "/work.php?on=1&n=" + name).close()
	assert result(server, name) == [pid, 40, 1]
	assert who(server, host) == {"pid": pid, "aborted": 0, "q": "", "in": ""}
	proc.wait_for(lambda: "warned " + name in server.log(), 5, why="the script's message")


def test_a_fresh_cell_ends(server):
	name = "fresh"
	pid = who(server, "fresh.test")["pid"]
	begin(server, "fresh.test", "/work.php?n=" + name).close()
	got_pid, i, aborted = result(server, name)
	assert got_pid != pid and i < 39 and aborted == 1
	assert who(server, "fresh.test")["pid"] not in (pid, got_pid)


def test_a_body_that_the_script_leaves_alone(server, level):
	"""What a client sends is no word of the front's, whatever it looks like; the next request begins where it should."""
	host = level + ".test"
	looks = bytes([1, 2, 0, 1, 0, 0, 0, 0])
	for body in (looks, looks * 5000, b"x" * 8192 + looks, b"x" * 300000):
		s = begin(server, host, "/lazy.php", body, n=20000)
		s.close()
		assert who(server, host, method="POST", body=b"next")["in"] == "next"
		r = server.get(host, "/lazy.php", method="POST", body=body)
		assert r.status == 200 and len(r.body) == 90000
		assert who(server, host, method="POST", body=b"next")["in"] == "next"


def test_many_leave_at_any_moment(server, level):
	"""Who stays gets its own answer, whole."""
	host, wrong, end = "many-" + level + ".test", [], time.monotonic() + 4

	def leave(seed):
		r = random.Random(seed)
		while time.monotonic() < end:
			try:
				s = begin(server, host, "/slow.php?q=left", b"b" * r.choice([0, 0, 5, 70000]), n=r.choice([0, 0, 1, 5000, 60000]))
			except (ConnectionError, socket.timeout):
				continue
			time.sleep(r.random() * 0.02)
			s.close()

	def stay(seed):
		k = 0
		while time.monotonic() < end:
			k += 1
			q = "s%d-%d" % (seed, k)
			r = server.get(host, "/slow.php?q=" + q)
			if r.status != 200 or not r.body.endswith(q.encode()) or r.body.strip(b"z") != q.encode():
				wrong.append((r.status, r.body[-60:]))
	threads = [threading.Thread(target=f, args=(i,)) for i in range(3) for f in (leave, stay)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	assert not wrong, (len(wrong), wrong[:3], server.log()[-2000:])
