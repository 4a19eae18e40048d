# SPDX-License-Identifier: Apache-2.0
"""When a site's processes exist: how fast the first request is answered, how many sites are awake, what the others cost."""
import os
import signal
import statistics
import threading
import time

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Conn

pytestmark = pytest.mark.bulkhead


def vhost(i, docroot, more="", timeout=20):
	user = "    AssignUserID #%d #%d\n" % (20001 + i, 20001 + i) if proc.ROOT else ""
	return ('<VirtualHost *>\n    ServerName site%d.test\n    DocumentRoot "%s"\n    Dispatch prefork\n    RequestIsolation fresh\n    RequestTimeout %d\n'
		"    StartServers 1\n    MinSpareServers 0\n%s%s</VirtualHost>\n" % (i, docroot, timeout, user, more))


@pytest.fixture
def sites(here, docroot, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	def make(n, head="", more="", timeout=20):
		text = site_conf.common(docroot) + "".join(vhost(i, docroot, more, timeout) for i in range(n))
		return fleet.start(servers.Bulkhead(here + "/bulkhead", text, head=head))
	return make


def zygotes(bh):
	return [p for p in bh.processes()[1] if proc.stat_of(p) and int(proc.stat_of(p)[1]) == bh.pid]


def spares(bh):
	return [p for p in proc.descendants(bh.pid) if proc.is_spare(proc.name_of(p))]


def hello(bh, i):
	return bh.get("site%d.test" % i, "/hello.php", timeout=20)


# --- the first request -----------------------------------------------------------------------------------------------------

def test_cold_start(sites, record_property, capsys):
	"""How long the first request to a site takes that has no process: shown, not judged; this machine has other things to do."""
	bh = sites(15)
	def ask(i):
		began = time.monotonic()
		assert hello(bh, i).body == b"hello\n"
		return (time.monotonic() - began) * 1000
	alone = []
	for i in range(9):
		time.sleep(1)  # the next spare zygote is there again
		assert len(spares(bh)) == 1
		alone.append(ask(i))
	rush = [ask(i) for i in range(9, 15)]
	warm = statistics.median(ask(0) for _ in range(9))
	record_property("cold_ms", (alone, rush, warm))
	with capsys.disabled():
		print("\n  first request to a cold site: %.1f ms at the median, %.1f at best; to one after the other at once %.1f ms; to a warm one: %.1f ms" % (
			statistics.median(alone), min(alone), statistics.median(rush[1:]), warm))


def test_zygote_killed_while_starting(sites):
	"""Killed within 100 ms of its start: tried once more, and the client sees nothing but a delay."""
	bh = sites(1)
	got = []
	t = threading.Thread(target=lambda: got.append(hello(bh, 0)))
	t.start()
	killed = None
	end = time.monotonic() + 10
	while killed is None and time.monotonic() < end:
		for p in zygotes(bh):
			killed = p
			os.kill(p, signal.SIGKILL)
			break
	assert killed, "no zygote was seen"
	t.join(20)
	assert got and got[0].status == 200, (got, bh.log())
	assert "trying once more" in bh.log()
	assert zygotes(bh) and killed not in zygotes(bh)


def test_spare_becomes_the_zygote(sites):
	"""The process that waited is the zygote afterwards, under its site's name; the next one is another process, with another layout."""
	bh = sites(2, head="SpareZygotes 1\n")
	first = proc.wait_for(lambda: spares(bh), 5, why="a spare zygote")
	assert not zygotes(bh)
	assert "spare" in proc.name_of(first[0])
	if proc.ROOT:
		assert proc.fds_of(first[0])[0] == "/dev/null" and len([f for f in proc.fds_of(first[0]) if f.startswith("socket:")]) == 1
	time.sleep(0.3)
	assert hello(bh, 0).status == 200
	assert zygotes(bh) == first
	assert proc.name_of(first[0]).split()[1] == "site0.test"
	second = proc.wait_for(lambda: spares(bh), 5, why="another spare zygote")
	time.sleep(0.3)
	assert hello(bh, 1).status == 200
	assert sorted(zygotes(bh)) == sorted(first + second)
	if proc.ROOT:
		def libc_at(pid):
			return [line.split("-")[0] for line in open("/proc/%d/maps" % pid) if "libc.so" in line][0]
		assert libc_at(first[0]) != libc_at(second[0])
		assert proc.status_of(second[0])["Uid"].split() == ["20002"] * 4


def test_spare_dies_and_others_come(sites):
	bh = sites(2)
	for _ in range(2):
		p = proc.wait_for(lambda: spares(bh), 5, why="a spare zygote")[0]
		os.kill(p, signal.SIGKILL)
		proc.wait_for(lambda: p not in spares(bh), 5, why="its end")
	assert hello(bh, 0).status == 200
	p = proc.wait_for(lambda: spares(bh), 5, why="a spare zygote")[0]
	assert bh.run("-k", "graceful").returncode == 0
	proc.wait_for(lambda: spares(bh) and p not in spares(bh), 8, why="a new one after a reload")
	assert hello(bh, 1).status == 200


def test_no_spares(sites):
	bh = sites(1, head="SpareZygotes 0\n")
	assert hello(bh, 0).status == 200
	time.sleep(0.5)
	assert not spares(bh)


# --- the budget -------------------------------------------------------------------------------------------------------------

def test_zygote_limit(sites):
	"""Five sites in turn with room for two: all are served, never more than two zygotes, the one used longest ago goes."""
	bh = sites(5, head="ZygoteLimit 2\n")
	most, stop = [0], threading.Event()
	def watch():
		while not stop.is_set():
			most[0] = max(most[0], len([p for p in zygotes(bh) if proc.alive(p)]))
			time.sleep(0.01)
	t = threading.Thread(target=watch)
	t.start()
	try:
		for i in (0, 1, 2, 3, 4, 0):
			d = hello(bh, i)
			assert d.status == 200 and d.body == b"hello\n", (i, d, bh.log())
			time.sleep(1.05)  # long enough for it to be asked to go
	finally:
		stop.set()
		t.join()
	assert most[0] == 2, most
	assert "make room for another site" in bh.log()
	# Four and zero are awake; zero is used, so four goes.
	before = set(zygotes(bh))
	assert len(before) == 2
	assert hello(bh, 0).status == 200
	assert set(zygotes(bh)) == before
	assert hello(bh, 1).status == 200
	assert hello(bh, 0).status == 200
	assert len(set(zygotes(bh)) & before) == 1


def test_zygote_limit_all_busy(sites):
	"""With every zygote at work who comes later waits, and is told to come back when that takes too long. Nobody at work is ended."""
	bh = sites(3, head="ZygoteLimit 2\n", timeout=6)
	slow = [Conn(bh.addr, timeout=20) for _ in range(2)]
	try:
		for i, c in enumerate(slow):
			c.send(b"GET /sleep.php?s=4 HTTP/1.1\r\nHost: site%d.test\r\n\r\n" % i)
		proc.wait_for(lambda: len(zygotes(bh)) == 2, 5, why="two zygotes")
		began = time.monotonic()
		d = hello(bh, 2)  # served when one of them is done
		took = time.monotonic() - began
		assert d.status == 200, (d, bh.log())
		assert took > 1, took
		for c in slow:
			assert c.response().status == 200
	finally:
		for c in slow:
			c.close()
	assert "ZygoteLimit is reached" in bh.log()


def test_zygote_limit_deadline(sites):
	bh = sites(2, head="ZygoteLimit 1\n", timeout=2)
	c = Conn(bh.addr, timeout=20)
	try:
		c.send(b"GET /sleep.php?s=30 HTTP/1.1\r\nHost: site0.test\r\n\r\n")
		proc.wait_for(lambda: zygotes(bh), 5, why="a zygote")
		time.sleep(0.3)
		busy = zygotes(bh)
		d = hello(bh, 1)
		if d.status == 503:
			assert d.get("retry-after"), d
			assert zygotes(bh) == busy, "a busy site was ended"
		else:
			# The sleeper met its own deadline first, and made room.
			assert d.status == 200
		assert c.response().status == 504
	finally:
		c.close()
	proc.wait_for(lambda: hello(bh, 1).status == 200, 10, why="room again")


def test_cell_limit(sites):
	"""Three cells for two sites: a flood on one takes what is free, and the other is served within it."""
	bh = sites(2, head="CellLimit 3\n", more="    MaxRequestWorkers 8\n")
	flood = [Conn(bh.addr, timeout=20) for _ in range(8)]
	try:
		for c in flood:
			c.send(b"GET /sleep.php?s=0.7 HTTP/1.1\r\nHost: site0.test\r\n\r\n")
		proc.wait_for(lambda: zygotes(bh), 5, why="a zygote")
		time.sleep(0.3)
		cells = [p for p in bh.processes()[1] if p not in zygotes(bh)]
		assert len(cells) == 3, cells
		began = time.monotonic()
		assert hello(bh, 1).status == 200
		took = time.monotonic() - began
		# It gets the next cell that becomes free, before the five that waited longer.
		assert took < 1.5, took
		for c in flood:
			assert c.response().status == 200
	finally:
		for c in flood:
			c.close()


# --- what idle sites cost -------------------------------------------------------------------------------------------------------

def pss_kb(pids):
	total = 0
	for p in pids:
		with open("/proc/%d/smaps_rollup" % p) as f:
			total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
	return total


@pytest.mark.slow
def test_five_thousand_sites(here, fleet, record_property, capsys):
	"""Each with a user, a document root and log files of its own; none has been asked yet. All processes together: under 200 MB."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	n = 5000
	lines = ['<Directory "%s">\n    Require all granted\n</Directory>\n' % here]
	os.makedirs(here + "/log")
	for i in range(n):
		root = "%s/site%d" % (here, i)
		os.mkdir(root)
		user = "    AssignUserID #%d #%d\n" % (20001 + i, 20001 + i) if proc.ROOT else ""
		lines.append('<VirtualHost *>\n    ServerName site%d.test\n    ServerAlias www.site%d.test *.site%d.test\n    ServerAdmin webmaster@site%d.test\n'
			'    DocumentRoot "%s"\n    Dispatch prefork\n%s    ErrorLog "%s/log/site%d-error.log"\n    CustomLog "%s/log/site%d-access.log" vcombined\n'
			'    php_admin_value open_basedir "%s:/tmp"\n    <Directory "%s">\n        Options FollowSymLinks\n        DirectoryIndex index.php index.html\n'
			"    </Directory>\n</VirtualHost>\n" % (i, i, i, i, root, user, here, i, here, i, root, root))
	for i in (0, n - 1):
		servers.write("%s/site%d/hello.php" % (here, i), "<?php echo 'hello';")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", "".join(lines)), timeout=60)
	assert bh.get("site0.test", "/nothing.txt", timeout=30).status == 404
	assert not bh.processes()[1]
	proc.wait_for(lambda: spares(bh), 5, why="a spare zygote")
	time.sleep(0.5)
	everybody = [bh.pid] + proc.descendants(bh.pid)
	assert len(everybody) == 4, everybody  # master, front, log process, spare zygote
	kb = pss_kb(everybody)
	# A round of requests to all of them: what stays in memory of each must not grow much.
	c = Conn(bh.addr, timeout=20)
	for i in range(0, n, 5):
		c.send(b"GET /nothing.txt HTTP/1.1\r\nHost: site%d.test\r\n\r\n" % i)
		d = c.response()
		assert d.status == 404, d
		if i % 450 == 445:
			c.close()
			c = Conn(bh.addr, timeout=20)
	c.close()
	after = pss_kb(everybody)
	record_property("pss_kb", (kb, after))
	with capsys.disabled():
		print("\n  %d idle sites: %d processes, %.1f MB; asked once, %.1f MB" % (n, len(everybody), kb / 1024, after / 1024))
	if not servers.SANITIZED:
		assert kb < 200 * 1024 and after < 200 * 1024, (kb, after)
	for i in (0, n - 1):
		assert bh.get("site%d.test" % i, "/hello.php").body == b"hello"
	assert len(zygotes(bh)) == 2
