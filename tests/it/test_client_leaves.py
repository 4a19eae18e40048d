# SPDX-License-Identifier: Apache-2.0
"""A client that goes away in the middle: its script stops at its next output, and the cell is there for others."""
import hashlib
import json
import os
import random
import socket
import struct
import threading
import time

import levels
import proc
import pytest
import servers
import site_conf
import wire
from test_cell import Zygote, docroot, program  # noqa: F401
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


@pytest.mark.parametrize("isolation", KEPT)
def test_a_body_that_looks_like_the_record(docroot, isolation):
	"""The cell has read all but eight octets of what has come, which a client chose: they are the body's, and stay there."""
	z, rid = Zygote(docroot, isolation=isolation), 777
	with open(docroot + "/put.php", "w") as f:
		f.write("<?php for ($i = 0; $i < 3; $i++) { echo str_repeat('y', 9000); flush(); usleep(60000); } echo md5(file_get_contents('php://input'));")
	id, conn = z.cell()
	flat = b""
	for k, v in z.params("put.php", method="PUT", CONTENT_LENGTH="40000", CONTENT_TYPE="application/octet-stream").items():
		flat += wire.length(len(k)) + wire.length(len(v)) + k.encode() + v.encode()
	head = wire.record(wire.BEGIN, struct.pack(">HB5x", 1, 1), rid) + wire.stream(wire.PARAMS, flat, rid)
	body = b"x" * (8192 - len(head) - 8) + struct.pack(">BBHHBB", 1, 2, rid, 0, 0, 0)
	conn.sock.sendall(head + struct.pack(">BBHHBB", 1, 5, rid, 40000, 0, 0) + body)  # libfcgi reads 8192 of it
	time.sleep(0.4)
	body += b"z" * (40000 - len(body))
	conn.sock.sendall(body[8192 - len(head):] + wire.record(wire.STDIN, b"", rid))
	got = b""
	while not got.endswith(struct.pack(">BBHHBB", 1, 3, rid, 8, 0, 0) + bytes(8)):
		more = conn.sock.recv(65536)
		assert more, got[-80:]
		got += more
	assert got.count(b"y" * 9000) == 3 and hashlib.md5(body).hexdigest().encode() in got
	conn.close()
	z.expect(wire.CELL_GONE, id)
	assert z.stop() == 0


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
