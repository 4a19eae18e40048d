# SPDX-License-Identifier: Apache-2.0
"""Processes: what they may do, when they exist, and what it costs when one dies."""
import os
import random
import re
import resource
import signal
import socket
import threading
import time

import pytest

import conftest
import proc
import servers
import site_conf
from load import Load
from rawhttp import Conn, Broken

pytestmark = pytest.mark.bulkhead
HELLO = [("fresh.test", "/hello.php", b"hello\n"), ("shared.test", "/hello.php", b"hello\n"), ("worker.test", "/hello.php", b"hello\n"),
	("static.test", "/hello.txt", b"hello\n")]


class Own:
	"""A server for this module alone: it is reloaded, killed and starved here."""

	def __init__(self, tmp, docroot, ini, fleet, **change):
		self.tmp, self.docroot, self.ini, self.fleet = tmp, docroot, ini, fleet
		self.fpm = fleet.start(servers.Fpm(tmp + "/fpm", ini, children=4))
		self.bh = fleet.start(servers.Bulkhead(tmp + "/bulkhead", self.conf(**change)))

	def conf(self, prefork="", idle=60, timeout=20, workers=6, extra="", **_):
		def cell(name, isolation, more=""):
			text = site_conf.prefork_vhost(name, self.docroot, isolation, self.ini, prefork + more + "    SiteIdleTimeout %d\n" % idle)
			return text.replace("RequestTimeout 20", "RequestTimeout %d" % timeout).replace("MaxRequestWorkers 6", "MaxRequestWorkers %d" % workers)
		return (site_conf.common(self.docroot) + site_conf.pool("fpm", self.fpm.server()) + site_conf.worker_vhost("static.test", self.docroot, "fpm")
			+ cell("fresh.test", "fresh") + cell("shared.test", "shared") + site_conf.worker_vhost("worker.test", self.docroot, "fpm", timeout=timeout) + extra)


@pytest.fixture
def own(here, docroot, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	def make(**change):
		return Own(here, docroot, ini, fleet, **change)
	return make


def graceful(bh):
	r = bh.run("-k", "graceful")
	return r


def fronts_of(bh):
	return set(bh.processes()[0])


def zygotes_and_cells(bh):
	php = set(bh.processes()[1])
	table = proc.parents()
	php &= set(table) # a cell may end between the two looks
	zygotes = {p for p in php if table.get(p) not in php}
	return zygotes, php - zygotes


# --- what each process may do ------------------------------------------------------------------------------------------

def locked(pid, cell):
	st = proc.status_of(pid)
	for caps in ("CapEff", "CapPrm", "CapInh", "CapAmb") + (("CapBnd",) if cell and proc.ROOT else ()):
		assert int(st[caps], 16) == 0, "%s of %s: %s" % (caps, proc.name_of(pid), st[caps])
	assert st["NoNewPrivs"] == "1", proc.name_of(pid)
	# The sanitizers' run-time makes calls of its own: the front of that build has no filter.
	assert st["Seccomp"] == ("0" if servers.SANITIZED and not cell else "2"), proc.name_of(pid)
	return st


def test_front_is_locked(bulkhead):
	fronts = fronts_of(bulkhead)
	assert fronts
	for pid in fronts:
		st = locked(pid, False)
		if proc.ROOT:
			import pwd
			uid = pwd.getpwnam(servers.FRONT_USER).pw_uid
			assert set(st["Uid"].split()) == {str(uid)}, st["Uid"]


def test_cells_are_locked(bulkhead, ini):
	for host in ("fresh.test", "shared.test"):
		with Conn(bulkhead.addr) as c:
			c.send(("GET /sleep.php?s=1 HTTP/1.1\r\nHost: %s\r\n\r\n" % host).encode())
			time.sleep(0.4)
			zygotes, cells = zygotes_and_cells(bulkhead)
			assert zygotes and cells
			for pid in cells:
				st = locked(pid, True)
				assert set(st["Uid"].split()) == {str(servers.site_ids()[0])}, st["Uid"]
				assert set(st["Gid"].split()) == {str(servers.site_ids()[1])}, st["Gid"]
				assert st["Threads"] == "1"
			numbers = {proc.ns_pid(p) for p in cells} | set(cells)  # in a process namespace it is another one
			assert int(c.response().body) in numbers


def test_cell_has_no_descriptor_that_leads_out(bulkhead):
	"""Standard streams, its own socket, opcache's lock, rollback's view of the process: no listener, no other client, no log, no directory of others."""
	if not proc.ROOT:
		pytest.skip("only root may look at the descriptors of a process that cannot be dumped")
	for host in ("fresh.test", "rollback.test", "shared.test"):
		bulkhead.get(host, "/hello.php")
	_, cells = zygotes_and_cells(bulkhead)
	listeners = {os.readlink("/proc/%d/fd/%s" % (bulkhead.pid, n)) for n in os.listdir("/proc/%d/fd" % bulkhead.pid)}
	listeners = {x for x in listeners if x.startswith("socket:")}
	assert listeners and cells
	for pid in cells:
		fds = proc.fds_of(pid)
		assert not listeners & set(fds), "a socket of the master in a cell: %s" % fds
		own = "/%d/" % proc.ns_pid(pid)
		for f in fds:
			if f.startswith(own) and f[len(own):] in ("maps", "pagemap", "stat", "statm", "task"):
				continue
			if f.startswith("/usr/lib/") and ".so" in os.path.basename(f) and os.stat(f).st_uid == 0:
				continue # code that a fresh cell maps when it needs it
			assert f.startswith(("socket:", "pipe:", "/dev/null", "/memfd:", "/tmp/.ZendSem", "anon_inode:")) or f.endswith("(deleted)"), fds
		assert len({f for f in fds if f.startswith("socket:")}) <= 1, fds  # twice: it is opcache's lock file as well


def test_front_cannot_reach_sites_files(bulkhead):
	"""No descriptor of the front leads to a master's secret; it holds listeners, logs, clients and cells' sockets."""
	if not proc.ROOT:
		pytest.skip("only root may look at the descriptors of a process that cannot be dumped")
	for pid in fronts_of(bulkhead):
		for f in proc.fds_of(pid):
			assert not f.endswith((".key", "shadow")), f


def test_master_reads_no_client(bulkhead):
	"""While clients are connected, none of their sockets is in the master."""
	if not proc.ROOT:
		pytest.skip("only root may look at the descriptors of a process that cannot be dumped")
	with Conn(bulkhead.addr) as c:
		c.send(b"GET /hello.txt HTTP/1.1\r\nHost: static.test\r\n\r\n")
		assert c.response().status == 200
		front = set()
		for pid in fronts_of(bulkhead):
			front |= {f for f in proc.fds_of(pid) if f.startswith("socket:")}
		inodes = connected_inodes(bulkhead.port)
		assert inodes & front, "the client's socket is not in the front?"
		assert not inodes & set(proc.fds_of(bulkhead.pid))


def connected_inodes(port):
	out = set()
	with open("/proc/net/tcp") as f:
		for line in f.readlines()[1:]:
			w = line.split()
			if int(w[1].split(":")[1], 16) == port and w[3] == "01":
				out.add("socket:[%s]" % w[9])
	return out


@pytest.mark.parametrize("host", ["fresh.test", "shared.test"])
def test_violation(bulkhead, host):
	"""The filter kills the cell: 500 to that client, a log line with site, script and system call; others go on."""
	before = len(bulkhead.log())
	r = bulkhead.get(host, "/violation.php?call=chroot")
	assert r.status == 500 and b"returned" not in r.body, r
	text = proc.wait_for(lambda: "violation.php" in bulkhead.log()[before:] and bulkhead.log()[before:], 3, why="a log line")
	line = [x for x in text.splitlines() if "violation.php" in x]
	assert any("chroot" in x for x in line), line
	assert any(host in x for x in line), line
	assert bulkhead.get(host, "/hello.php").body == b"hello\n"


@pytest.mark.parametrize("host", ["fresh.test", "shared.test"])
def test_violation_namespace(bulkhead, host):
	before = len(bulkhead.log())
	r = bulkhead.get(host, "/violation.php?call=unshare")
	assert r.status == 500 and b"returned" not in r.body, r
	# With its flags by name, and no address.
	proc.wait_for(lambda: "unshare(flags=" in bulkhead.log()[before:], 3, why="a log line")


def test_fresh_is_fresh(bulkhead):
	pids = [bulkhead.get("fresh.test", "/pid.php").body for _ in range(20)]
	assert len(set(pids)) == len(pids), pids


def test_shared_is_reused_and_recycled(own):
	o = own()
	pids = [o.bh.get("shared.test", "/pid.php").body for _ in range(20)]
	assert len(set(pids)) < 10
	o.bh.write(o.conf(prefork="    MaxConnectionsPerChild 5\n"))
	assert graceful(o.bh).returncode == 0
	proc.wait_for(lambda: len(set(o.bh.get("shared.test", "/pid.php").body for _ in range(30))) >= 5, 10, why="cells recycled")


def four_cells(conf):
	return conf.replace("StartServers 2\n    MinSpareServers 1\n", "StartServers 4\n    MinSpareServers 4\n")


@pytest.mark.parametrize("isolation", ["rollback", "shared"])
def test_one_client_has_one_cell(own, isolation):
	"""What answered last is asked first: its memory is in the caches, and the spare cells of the site never used."""
	o = own()
	o.bh.write(four_cells(o.conf(extra=site_conf.prefork_vhost("one.test", o.docroot, isolation, o.ini))))
	assert graceful(o.bh).returncode == 0
	def asked():
		pids = set(o.bh.get("one.test", "/pid.php").body for _ in range(10))
		return len(pids) == 1
	# Not at once: opcache's images are new, and cells are renewed for each.
	proc.wait_for(asked, 10, why="ten requests in a row with one cell")


def test_a_used_cell_goes_before_new_ones(own):
	o = own()
	o.bh.write(four_cells(o.conf()))
	assert graceful(o.bh).returncode == 0
	first = o.bh.get("shared.test", "/pid.php").body
	proc.wait_for(lambda: len(zygotes_and_cells(o.bh)[1]) >= 4, 5, why="spare cells")
	time.sleep(0.2) # they have told the front
	assert [o.bh.get("shared.test", "/pid.php").body for _ in range(4)] == [first] * 4


@pytest.mark.skipif(os.sched_getscheduler(0) != os.SCHED_OTHER, reason="these tests run with another scheduling policy, which stays")
@pytest.mark.parametrize("host,policy", [("fresh.test", os.SCHED_OTHER), ("shared.test", os.SCHED_BATCH)])
def test_cells_that_live_on_interrupt_nobody(own, host, policy):
	o = own()
	assert o.bh.get(host, "/hello.php").body == b"hello\n"
	zygotes, cells = zygotes_and_cells(o.bh)
	assert cells
	assert {os.sched_getscheduler(p) for p in zygotes | cells if proc.alive(p)} == {policy}
	assert {os.sched_getscheduler(p) for p in o.bh.processes()[0]} == {os.SCHED_OTHER}


def ask_often(addr, host):
	"""100 requests, each as soon as the last is answered, with as little in between as Python can."""
	with socket.create_connection(addr, 15) as s:
		for _ in range(100):
			s.sendall(b"GET /hello.php HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
			got = b""
			while not got.endswith(b"hello\n"):
				more = s.recv(4096)
				assert more, got
				got += more
			yield


@pytest.mark.skipif(os.sched_getscheduler(0) != os.SCHED_OTHER, reason="these tests run with another scheduling policy, which stays")
def test_a_busy_loop_interrupts_nobody(own):
	o = own()
	(front,) = o.bh.processes()[0]
	threads = [int(t) for t in os.listdir("/proc/%d/task" % front)]
	def policies():
		return {os.sched_getscheduler(t) for t in threads}
	def busy():
		return any(os.SCHED_BATCH in policies() for _ in range(30) for _ in ask_often(o.bh.addr, "shared.test"))
	try:
		proc.wait_for(busy, 40, why="a loop of thousands of turns a second lets cells finish")
	except AssertionError:
		if os.getloadavg()[0] > os.cpu_count():
			pytest.skip("this machine is too busy for thousands of requests a second")
		raise
	# Its loop has slept since, and the first turn after that finds it out.
	def back():
		o.bh.get("shared.test", "/hello.php")
		return policies() == {os.SCHED_OTHER}
	proc.wait_for(back, 5, why="a loop at rest has its policy of before")


# --- existence ---------------------------------------------------------------------------------------------------------

def test_idle_site_has_no_process(own):
	o = own(idle=1)
	assert not o.bh.processes()[1], "a site without traffic has processes"
	for host in ("fresh.test", "shared.test"):
		assert o.bh.get(host, "/hello.php").body == b"hello\n"
	assert o.bh.processes()[1]
	proc.wait_for(lambda: not o.bh.processes()[1], 8, why="idle sites without process")
	for host in ("fresh.test", "shared.test"):
		assert o.bh.get(host, "/hello.php").body == b"hello\n", "launched again"


def test_max_workers_is_kept(own):
	"""Never more cells than MaxRequestWorkers; who waits is served in the end."""
	o = own(workers=2)
	with Load(o.bh.addr, [("fresh.test", "/sleep.php?s=0.05", None)], clients=10) as load:
		most = 0
		end = time.monotonic() + 2.5
		while time.monotonic() < end:
			most = max(most, len(zygotes_and_cells(o.bh)[1]))
			time.sleep(0.02)
	assert not load.bad, load.bad[:3]
	assert load.good > 20
	# An exiting cell may still be seen beside its successor.
	assert most <= 2 + 2, most


def test_slow_clients_with_two_workers(own):
	"""Requests that trickle in never hold one of the two cells."""
	o = own(workers=2)
	slow = []
	try:
		for i in range(40):
			c = Conn(o.bh.addr)
			c.send(b"POST /echo.php HTTP/1.1\r\nHost: fresh.test\r\nContent-Length: 100000\r\n\r\n" + b"x" * (i * 100))
			slow.append(c)
		began = time.monotonic()
		for _ in range(20):
			assert o.bh.get("fresh.test", "/hello.php").body == b"hello\n"
		assert time.monotonic() - began < 4
	finally:
		for c in slow:
			c.close()


def test_request_timeout(own):
	"""Past its wall-clock limit a request ends with 504, the log says where, the cell is gone."""
	o = own(timeout=1)
	for host in ("fresh.test", "shared.test"):
		began = time.monotonic()
		with Conn(o.bh.addr) as c:
			c.send(("GET /sleep.php?s=30 HTTP/1.1\r\nHost: %s\r\n\r\n" % host).encode())
			time.sleep(0.5)
			cells = proc.wait_for(lambda: zygotes_and_cells(o.bh)[1], 5, why="a cell for the request")
			r = c.response()
		assert r.status == 504 and 0.8 < time.monotonic() - began < 3, r
		text = proc.wait_for(lambda: "sleep.php" in o.bh.log() and o.bh.log(), 3)
		assert any(host in x and "sleep.php" in x for x in text.splitlines()), text[-2000:]
		assert o.bh.get(host, "/hello.php").body == b"hello\n"
		# The zygote kills it when told, which the client's answer does not wait for.
		proc.wait_for(lambda: any(not proc.alive(p) for p in cells), 1, why="the cell is gone")
	assert o.bh.get("worker.test", "/sleep.php?s=30").status == 504


HALF = {
	"nothing": b"", "method": b"GE", "header": b"GET / HTTP/1.1\r\nHo",
	"body": b"POST /echo.php HTTP/1.1\r\nHost: w.test\r\nContent-Length: 100\r\n\r\nabc",
	"chunk": b"POST /echo.php HTTP/1.1\r\nHost: w.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.mark.slow
def test_timeouts_of_clients(here, docroot, fleet, fpm):
	"""Half-sent requests end with 408 or a close, idle connections with a close; a trickle does not reset the clock."""
	conf = site_conf.common(docroot) + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("w.test", docroot, "fpm")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", "KeepAliveTimeout 1\nTimeout 1\n" + conf))
	bad = []
	def half(name, trickle):
		with Conn(bh.addr, timeout=40) as c:
			began = time.monotonic()
			c.s.sendall(HALF[name])
			if trickle:
				c.s.settimeout(1)
				while time.monotonic() - began < 60:
					try:
						if c.s.recv(65536) != b"" and name != "nothing":
							continue  # the 408; the end follows
						break
					except TimeoutError:
						pass
					except OSError:
						break
					try:
						c.s.sendall(b"x")
					except OSError:
						break
			else:
				try:
					r = c.response()
					if r.status not in (400, 408):
						bad.append((name, r))
				except Broken as e:
					if "closed" not in str(e):
						bad.append((name, e))
				if not c.eof(10):
					bad.append((name, "not closed"))
			took = time.monotonic() - began
			if took > 50:
				bad.append((name, trickle, "only after %.0f s" % took))
	threads = [threading.Thread(target=half, args=(n, t)) for n in HALF for t in (False, True)]
	for t in threads:
		t.start()
	with Conn(bh.addr) as c:
		c.send(b"GET /hello.txt HTTP/1.1\r\nHost: w.test\r\n\r\n")
		assert c.response().status == 200
		began = time.monotonic()
		assert c.eof(5) and 0.5 < time.monotonic() - began < 4, "an idle connection is closed after KeepAliveTimeout"
	for t in threads:
		t.join()
	assert not bad, bad


def test_max_keepalive_requests(here, docroot, fleet, fpm):
	conf = site_conf.common(docroot) + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("w.test", docroot, "fpm")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", "MaxKeepAliveRequests 3\n" + conf))
	with Conn(bh.addr) as c:
		for i in range(3):
			c.send(b"GET /hello.txt HTTP/1.1\r\nHost: w.test\r\n\r\n")
			r = c.response()
			assert r.status == 200
		assert (r.get("Connection") or "").lower() == "close" and c.eof()


# --- reload ------------------------------------------------------------------------------------------------------------

def test_graceful_under_load_loses_nothing(own):
	o = own()
	proc.wait_for(lambda: o.bh.get("fresh.test", "/hello.php").status == 200, 5)
	before = len(proc.fds_of(o.bh.pid))
	first = proc.wait_for(lambda: len(fronts_of(o.bh)) == 1 and fronts_of(o.bh), why="one front")
	with Load(o.bh.addr, HELLO, clients=6) as load:
		for i in range(5):
			time.sleep(0.5)
			assert graceful(o.bh).returncode == 0
		time.sleep(1)
	assert not load.bad, load.bad[:5]
	assert load.good > 200
	proc.wait_for(lambda: len(fronts_of(o.bh)) == len(first), 15, why="old fronts gone")
	assert not fronts_of(o.bh) & first, "a new front from the newly parsed configuration"
	proc.wait_for(lambda: len(proc.fds_of(o.bh.pid)) <= before + 2, 5, why="no descriptor leaks in the master")


def test_graceful_lets_requests_finish(own):
	o = own()
	with Conn(o.bh.addr) as a, Conn(o.bh.addr) as b:
		a.send(b"GET /sleep.php?s=2 HTTP/1.1\r\nHost: fresh.test\r\n\r\n")
		b.send(b"GET /sleep.php?s=2 HTTP/1.1\r\nHost: worker.test\r\n\r\n")
		time.sleep(0.5)
		assert graceful(o.bh).returncode == 0
		time.sleep(0.3)
		assert o.bh.get("fresh.test", "/hello.php").status == 200
		assert a.response().status == 200 and b.response().status == 200


def test_silent_connections_do_not_keep_others_out(own):
	"""Out of descriptors, the connection that has said nothing for longest makes room; others are served at once."""
	o = own()
	old = fronts_of(o.bh)
	soft, hard = resource.prlimit(o.bh.pid, resource.RLIMIT_NOFILE)
	resource.prlimit(o.bh.pid, resource.RLIMIT_NOFILE, (80, hard))
	assert graceful(o.bh).returncode == 0 # the new front has the new limit
	proc.wait_for(lambda: fronts_of(o.bh) and not fronts_of(o.bh) & old, 10, why="a new front alone")
	silent = []
	try:
		for _ in range(200):
			silent.append(Conn(o.bh.addr))
		time.sleep(0.5)
		for _ in range(10):
			began = time.monotonic()
			assert o.bh.get("static.test", "/hello.txt").body == b"hello\n"
			assert time.monotonic() - began < 1
	finally:
		for c in silent:
			c.close()


def test_graceful_keeps_its_word(own):
	"""An answer under way that did not say "close" is not followed by one: the next request on the connection is served."""
	o = own()
	with Conn(o.bh.addr, rcvbuf=4096) as c:
		c.send(b"GET /blob.bin HTTP/1.1\r\nHost: static.test\r\n\r\n")
		r = c.head()
		assert r.status == 200 and r.get("Connection") is None
		old = fronts_of(o.bh)
		assert graceful(o.bh).returncode == 0
		proc.wait_for(lambda: fronts_of(o.bh) - old, 5, why="a new front")
		time.sleep(0.3)
		assert len(c.exactly(256 * 16384, r)) == 256 * 16384
		c.send(b"GET /hello.txt HTTP/1.1\r\nHost: static.test\r\n\r\n")
		r = c.response()
		assert r.body == b"hello\n" and r.get("Connection") == "close" and c.eof()


def test_graceful_takes_the_new_configuration(own):
	o = own()
	assert o.bh.get("new.test", "/hello.php").status in (200, 403, 404)
	o.bh.write(o.conf(extra=site_conf.worker_vhost("new.test", o.docroot + "/dir", "fpm")))
	assert graceful(o.bh).returncode == 0
	proc.wait_for(lambda: o.bh.get("new.test", "/index.html").body == b"index of dir\n", 5, why="the new virtual host")


def test_broken_file_leaves_the_running_one(own):
	o = own()
	# A child of the master's bears its name until it has become somebody else.
	fronts = proc.wait_for(lambda: len(fronts_of(o.bh)) == 1 and fronts_of(o.bh), why="one front")
	o.bh.write(o.conf() + "\n<VirtualHost *>\nNoSuchDirective on\n</VirtualHost>\n")
	r = graceful(o.bh)
	assert r.returncode != 0 and "NoSuchDirective" in r.stdout and re.search(r"bulkhead\.conf:\d+", r.stdout), r.stdout
	os.kill(o.bh.pid, signal.SIGHUP)  # not even asked nicely
	proc.wait_for(lambda: "NoSuchDirective" in o.bh.log(), 5, why="the reason in the log")
	time.sleep(0.5)
	proc.wait_for(lambda: fronts_of(o.bh) == fronts, 2, why="the front of before")
	for host, path, want in HELLO:
		assert o.bh.get(host, path).body == want
	o.bh.write(o.conf())
	assert graceful(o.bh).returncode == 0


def test_logs_are_reopened(own):
	o = own()
	assert o.bh.get("static.test", "/hello.txt?first").status == 200
	proc.wait_for(lambda: "?first" in o.bh.access(), 3)
	os.rename(o.bh.access_log, o.bh.access_log + ".1")
	os.rename(o.bh.error_log, o.bh.error_log + ".1")
	assert graceful(o.bh).returncode == 0
	proc.wait_for(lambda: os.path.exists(o.bh.access_log), 5, why="a new access log")
	def second():
		o.bh.get("static.test", "/hello.txt?second")
		o.bh.get("fresh.test", "/fatal.php")
		return "?second" in o.bh.access() and "no_such_function" in open(o.bh.error_log).read()
	proc.wait_for(second, 8, why="lines in the new logs")


def test_access_log_line(bulkhead):
	bulkhead.get("fresh.test", '/hello.php?line', headers='User-Agent: t"\\x\r\nReferer: http://r.test/\r\n')
	line = proc.wait_for(lambda: [x for x in bulkhead.access().splitlines() if "/hello.php?line" in x], 3)[0]
	assert re.match(r'^fresh\.test 127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /hello\.php\?line HTTP/1\.1" 200 6 "http://r\.test/" "t\\"\\\\x"$', line), line


# --- deaths ------------------------------------------------------------------------------------------------------------

def kill_one_of(pids):
	pids = [p for p in pids if proc.alive(p)]
	if pids:
		try:
			os.kill(random.choice(pids), signal.SIGKILL)
			return 1
		except ProcessLookupError:
			pass
	return 0


@pytest.mark.slow
@pytest.mark.parametrize("what", ["cell", "zygote", "fpm", "front"])
def test_random_deaths_under_load(own, what):
	"""SIGKILL at random: only the requests inside the killed process are lost, everything else goes on."""
	o = own()
	for host, path, want in HELLO:
		assert o.bh.get(host, path).body == want
	random.seed(what)
	kills, inside = 0, 0
	clients = 6
	with Load(o.bh.addr, HELLO, clients=clients) as load:
		for _ in range(6):
			time.sleep(0.7)
			if what == "cell":
				kills += kill_one_of(zygotes_and_cells(o.bh)[1])
			elif what == "zygote":
				kills += kill_one_of(zygotes_and_cells(o.bh)[0])
			elif what == "fpm":
				kills += kill_one_of(proc.descendants(o.fpm.pid))
			else:
				kills += kill_one_of(fronts_of(o.bh))
		time.sleep(2.5)
		so_far = load.good
		time.sleep(0.7)
		assert load.good > so_far, "nothing is served any more"
	assert kills >= 3
	# One request is inside a cell or a php-fpm child; a front has all its clients' inside; a zygote has none, its cells go with it.
	inside = {"cell": 1, "fpm": 1, "zygote": 3, "front": clients * 2}[what]
	assert len(load.bad) <= kills * inside, (kills, len(load.bad), load.bad[:5])
	for host, path, want in HELLO:
		assert o.bh.get(host, path).body == want


def test_front_comes_back(own):
	o = own()
	for _ in range(3):
		fronts = fronts_of(o.bh)
		os.kill(min(fronts), signal.SIGKILL)
		proc.wait_for(lambda: fronts_of(o.bh) - fronts and proc.accepts(o.bh.addr), 10, why="a new front")
		def served():
			try:
				return o.bh.get("fresh.test", "/hello.php", timeout=3).body == b"hello\n"
			except (Broken, OSError):
				return False
		proc.wait_for(served, 10, 0.2, why="service")


def test_graceful_stop_finishes(own):
	o = own()
	with Conn(o.bh.addr) as c:
		c.send(b"GET /sleep.php?s=1 HTTP/1.1\r\nHost: fresh.test\r\n\r\n")
		time.sleep(0.4)
		r = o.bh.run("-k", "graceful-stop")
		assert r.returncode == 0, r.stdout
		assert c.response().status == 200
	proc.wait_for(lambda: o.bh.p.poll() is not None, 10, why="the master's end")
	assert o.bh.p.returncode == 0
	assert not proc.accepts(o.bh.addr)
	o.fleet.up.remove(o.bh)
	assert not [p for p in proc.descendants(os.getpid()) if "bulkhead" in proc.name_of(p) and o.tmp in proc.name_of(p)]


# --- many sites ----------------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_thousand_sites(here, docroot, ini, fleet):
	"""A thousand virtual hosts with a user each: loaded in under a second, no process until somebody asks."""
	conf = [site_conf.common(docroot)]
	for i in range(1000):
		user = "    AssignUserID #%d #%d\n" % (20001 + i, 20001 + i) if proc.ROOT else ""
		conf.append('<VirtualHost *>\n    ServerName site%d.test\n    ServerAlias www.site%d.test\n    DocumentRoot "%s"\n    Dispatch prefork\n    RequestIsolation fresh\n'
			"    MaxRequestWorkers 4\n%s    php_admin_value open_basedir \"%s:/tmp\"\n</VirtualHost>\n" % (i, i, docroot, user, docroot))
	bh = servers.Bulkhead(here + "/bulkhead", "".join(conf))
	began = time.monotonic()
	r = bh.run("-t")
	took = time.monotonic() - began
	assert r.returncode == 0, r.stdout[-2000:]
	assert took < (8.0 if servers.SANITIZED else 1.0), took
	began = time.monotonic()
	fleet.start(bh)
	assert time.monotonic() - began < 5
	assert not bh.processes()[1]
	for i in (0, 500, 999):
		d = bh.get("www.site%d.test" % i, "/dump.php")
		assert d.status == 200, d
		if proc.ROOT:
			assert b'"uid":%d,' % (20001 + i) in d.body, d.body[-300:]
	assert len(zygotes_and_cells(bh)[0]) == 3


def test_script_cannot_fill_the_log(own):
	"""A burst is written whole, a flood is not; what was left out is said, and other sites' lines are not concerned."""
	o = own()
	assert o.bh.get("shared.test", "/log_flood.php", timeout=60).body == b"flooded\n"
	text = proc.wait_for(lambda: "lines are dropped" in o.bh.log() and o.bh.log(), 5, why="a word about it")
	assert text.count("flood fff") > 100
	assert len(text) < 20 << 20
	assert text.count("lines are dropped") < 5
	assert o.bh.get("fresh.test", "/hello.php").body == b"hello\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a file that the site's user cannot read")
def test_script_the_site_cannot_read(bulkhead, docroot):
	"""403, and a line that says why."""
	path = os.path.join(docroot, "secret.php")
	with open(path, "w") as f:
		f.write("<?php echo 'ran';")
	os.chmod(path, 0o600)
	try:
		r = bulkhead.get("fresh.test", "/secret.php")
		assert r.status == 403 and b"ran" not in r.body
		proc.wait_for(lambda: re.search(r"site=fresh\.test script=/secret\.php .*cannot read", bulkhead.log()), 3, why="the log says why")
	finally:
		os.unlink(path)


def test_front_has_nothing_of_the_master(own):
	"""No signalfd, no channel to another front: a front after three reloads holds as many descriptors as the first."""
	o = own()
	def settled():
		fronts = fronts_of(o.bh)
		return fronts.pop() if len(fronts) == 1 else None
	def looked_at(pid):
		return sorted(re.sub(r"\d+", "N", f) for f in proc.fds_of(pid))
	def held(pid):
		"""Once nothing is opened or closed any more: a new front still reads files."""
		seen = []
		def same():
			seen.append(looked_at(pid))
			return len(seen) > 4 and all(s == seen[-1] for s in seen[-5:])
		proc.wait_for(same, 10, why="a front at rest")
		return seen[-1]
	first = proc.wait_for(settled, 10, why="a front alone")
	before, last = held(first), first
	for _ in range(3):
		assert graceful(o.bh).returncode == 0
		last = proc.wait_for(lambda: settled() if settled() != last else None, 10, why="a new front alone")
	assert held(last) == before and not any("signalfd" in f for f in before)
