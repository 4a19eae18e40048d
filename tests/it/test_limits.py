# SPDX-License-Identifier: Apache-2.0
"""Hostile and slow clients, and a machine that has no more to give: how long they may ask, and that others are served meanwhile."""
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import conftest
import crowd
import proc
import servers
import site_conf
from rawhttp import Broken, Conn

pytestmark = pytest.mark.bulkhead

GET = b"GET /hello.txt HTTP/1.1\r\nHost: w.test\r\n\r\n"
A, B = "127.0.0.21", "127.0.0.22" # two clients


@pytest.fixture
def start(here, docroot, fleet):
	"""A server with these lines and one static host."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	def run(lines, host="", tmp="bulkhead", **k):
		conf = site_conf.common(docroot) + lines + '<VirtualHost *>\n    ServerName w.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (docroot, host)
		return fleet.start(servers.Bulkhead(here + "/" + tmp, conf, **k))
	return run


def get(bh, source, keep=None):
	c = Conn(bh.addr, source=source)
	c.send(GET)
	r = c.response()
	if keep is None:
		c.close()
	else:
		keep.append(c)
	return r


def front(bh):
	return proc.wait_for(lambda: bh.processes()[0], 5, why="a front")


# --- time --------------------------------------------------------------------------------------------------------------------

def end_of(c, limit=10.0):
	"""What came until the end of the connection, and after how many seconds the end came."""
	began, out = time.monotonic(), b""
	c.s.settimeout(limit)
	while True:
		try:
			got = c.s.recv(65536)
		except ConnectionResetError:
			got = b""
		except socket.timeout:
			raise AssertionError("still open after %.1f s: %r" % (limit, out[:200])) from None
		if not got:
			return out, time.monotonic() - began
		out += got


def trickle(c, octets, pause):
	"""Send octet by octet until it ends."""
	def run():
		try:
			for o in octets:
				c.s.sendall(bytes([o]))
				time.sleep(pause)
		except OSError:
			pass
	t = threading.Thread(target=run, daemon=True)
	t.start()
	return t


def test_slow_heads(start):
	"""RequestReadTimeout header=: half a head, a silent connection and a trickle end in time; a trickle that is fast enough does not."""
	bh = start("RequestReadTimeout header=1-3,MinRate=40\nKeepAliveTimeout 500ms\n")
	with Conn(bh.addr) as half, Conn(bh.addr) as silent, Conn(bh.addr) as slow, Conn(bh.addr) as fair, Conn(bh.addr) as idle:
		idle.send(GET)
		assert idle.response().status == 200
		half.send(b"GET / HTTP/1.1\r\nHost:")
		threads = [trickle(slow, b"GET / HTTP/1.1\r\nX: " + b"x" * 1000, 0.2), trickle(fair, GET, 0.02)]
		out, took = end_of(idle)
		assert out == b"" and took < 4, "KeepAliveTimeout in milliseconds"
		out, took = end_of(half)
		assert b" 408 " in out and took < 6
		assert end_of(silent)[0] == b""
		out, took = end_of(slow)
		assert b" 408 " in out or out == b""
		assert fair.response().status == 200
	for t in threads:
		t.join(30)


def test_slow_bodies(start, docroot, fpm):
	"""RequestReadTimeout body= of the host asked: a body that stops, or trickles, is answered 408; one that comes fast enough is read."""
	bh = start("RequestReadTimeout body=0\n" + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("strict.test", docroot, "fpm",
		"    RequestReadTimeout body=1,MinRate=1000\n") + site_conf.worker_vhost("lax.test", docroot, "fpm"))
	def post(host, length=4000):
		c = Conn(bh.addr, timeout=15)
		c.send(("POST /echo.php HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (host, length)).encode())
		return c
	with post("strict.test") as stops, post("strict.test") as slow, post("strict.test") as fair, post("lax.test") as lax:
		stops.send(b"x" * 10)
		lax.send(b"x" * 10)
		threads = [trickle(slow, b"x" * 200, 0.1)]
		for _ in range(40): # 2000 octets a second
			fair.send(b"x" * 100)
			time.sleep(0.05)
		assert fair.response().status == 200
		for c in (stops, slow):
			out, _ = end_of(c)
			assert out.startswith(b"HTTP/1.1 408 "), out[:100]
		lax.send(b"x" * 3990)
		assert lax.response().status == 200
	for t in threads:
		t.join(30)


@pytest.mark.parametrize("how", ["nothing", "little"])
def test_slow_readers(start, how):
	"""
	Who takes nothing of his answer for Timeout is dropped, and who takes little for long, too (SendMinRate); the kernel keeps
	nothing for him either. Who is quick enough gets all, and so does a slow one where the rate is not asked for.
	"""
	lax = start("Timeout 1\nSendMinRate 0\n") if how == "little" else None
	bh = start("Timeout 1\nSendMinRate 3000000\n", tmp="strict")
	ask = GET.replace(b"hello.txt", b"blob.bin") * 8 # 32 MB in all
	def slowly(c, seconds):
		"""Some 300 KB a second; whether the end came."""
		end = time.monotonic() + seconds
		try:
			while time.monotonic() < end:
				if how == "little" and not c.s.recv(30000):
					return True
				if how == "nothing" and c.s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
					return True
				time.sleep(0.1)
		except ConnectionResetError:
			return True
		return False
	with Conn(bh.addr, rcvbuf=65536) as slow, Conn(bh.addr) as quick:
		slow.send(ask)
		quick.send(ask)
		for _ in range(8):
			r = quick.response()
			assert r.status == 200 and len(r.body) == 4 << 20
		assert slowly(slow, 20), "dropped"
	if lax:
		with Conn(lax.addr, rcvbuf=65536) as slow:
			slow.send(ask)
			assert not slowly(slow, 4), "nobody minds"


# --- when there is no more to be had ----------------------------------------------------------------------------------------

def test_a_crowd(start, docroot, fpm):
	"""
	2,000 connections that idle, send a head or a body octet by octet: what each costs is bounded, another client is answered
	as before, and RequestReadTimeout ends them.
	"""
	n = 2000
	if crowd.descriptors(3 * n) < 2 * n:
		pytest.skip("too few descriptors (ulimit -n) for %d connections" % n)
	bh = start("KeepAliveTimeout 60\nRequestReadTimeout header=4-6,MinRate=500 body=4,MinRate=500\n" + site_conf.pool("fpm", fpm.server())
		+ site_conf.worker_vhost("p.test", docroot, "fpm"))
	once = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
	crowd.median_ms(bh.addr, once, 30)
	alone, before = crowd.median_ms(bh.addr, once, 100), crowd.rss(front(bh))
	groups = []
	try:
		groups.append(crowd.Crowd(bh.addr, n // 2, GET, b"hello\n"))
		idle = (crowd.rss(front(bh)) - before) / (n // 2)
		groups.append(crowd.Crowd(bh.addr, n // 4))
		groups.append(crowd.Crowd(bh.addr, n // 4))
		for s in groups[2].socks.values():
			s.send(b"POST /echo.php HTTP/1.1\r\nHost: p.test\r\nContent-Length: 1000\r\n\r\n")
		groups[1].trickle(b"GET / HTTP/1.1\r\nX: " + b"x" * 600, 0.3)
		groups[2].trickle(b"x", 0.3)
		time.sleep(1.5)
		beside = crowd.median_ms(bh.addr, once, 100)
		slow = (crowd.rss(front(bh)) - before) / n
		assert [g.open() for g in groups] == [n // 2, n // 4, n // 4]
		assert beside < 2 * alone + 5, "median %.2f ms, %.2f ms alone" % (beside, alone)
		if not servers.SANITIZED: # whose allocator counts otherwise
			assert idle < 4096 and slow < 6000, "%.0f octets an idle connection, %.0f any" % (idle, slow)
		proc.wait_for(lambda: groups[1].open() == 0 and groups[2].open() == 0, 15, 0.2, why="the end of slow connections")
		assert groups[0].open() == n // 2, "idle ones have KeepAliveTimeout"
	finally:
		for g in groups:
			g.stop()


@pytest.mark.slow
def test_ten_thousand_slow_connections():
	"""tests/bench/slow_clients.py: 10,000 idle connections, slow heads, slow bodies (fewer where descriptors are fewer)."""
	n = min(10000, (crowd.descriptors(20000) - 500) // 2)
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	if n < 2000:
		pytest.skip("too few descriptors (ulimit -n)")
	r = subprocess.run([sys.executable, os.path.join(servers.HERE, "../bench/slow_clients.py"), "-n", str(n), "--seconds", "5", "--slack", "5"],
		env=dict(os.environ, BULKHEAD_BIN=servers.bulkhead_bin()), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
	print("\n" + r.stdout)
	assert r.returncode == 0, r.stdout


def restart_with(bh, what, soft):
	"""A front with another soft limit: the master's, taken over by the next one. Returns the master's limit of before."""
	limit, old = resource.prlimit(bh.pid, what), front(bh)
	resource.prlimit(bh.pid, what, (soft, limit[1]))
	os.kill(bh.pid, signal.SIGUSR1)
	proc.wait_for(lambda: bh.processes()[0] and not set(bh.processes()[0]) & set(old), 15, why="a new front alone")
	return limit


@pytest.mark.parametrize("length", [1000, 200000], ids=["connections", "and their files"])
def test_out_of_descriptors_with_busy_connections(start, docroot, fpm, length):
	"""
	No connection is idle, and there may be no further one: accepting pauses, who waits is served when some end, and is not
	dropped for those that come after him.
	"""
	if not proc.ROOT:
		pytest.skip("only root may count the descriptors of a process that cannot be dumped")
	bh = start("Timeout 60\n" + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("p.test", docroot, "fpm"), loops=1)
	restart_with(bh, resource.RLIMIT_NOFILE, max(int(f) for f in os.listdir("/proc/%d/fd" % front(bh)[0])) + 20)
	pid, held = front(bh), []
	try:
		for _ in range(60): # bodies under way: none of these is idle
			c = Conn(bh.addr, timeout=15)
			held.append(c)
			c.send(b"POST /echo.php HTTP/1.1\r\nHost: p.test\r\nContent-Length: %d\r\n\r\n" % length + b"x" * (length // 2))
		held.append(Conn(bh.addr, timeout=15))
		late = held[-1]
		late.send(GET)
		if length < 65536:
			proc.wait_for(lambda: "new ones wait" in bh.log(), 5, why="a word of it in the log")
			with pytest.raises(Broken, match="no answer"):
				late.s.settimeout(1)
				late.response()
			late.s.settimeout(15)
		cpu = proc.cpu_of(pid)
		time.sleep(1)
		assert proc.cpu_of(pid) - cpu < 0.3, "no busy waiting"
		for c in held[:60]:
			c.close()
		r = late.response()
		# Spool files take the descriptors that the late one's file would have needed: an error of its own, then.
		assert r.body == b"hello\n" or (length > 65536 and r.status in (500, 503)), r
		assert front(bh) == pid and bh.log().count("new ones wait") < 4
	finally:
		for c in held:
			c.close()
	assert get(bh, A).status == 200


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
/* The machine refuses the third call to the twentieth of each process. */
int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	static atomic_int calls;
	int (*real)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
	int at = atomic_fetch_add(&calls, 1);
	if (at >= 3 && at < 20) {
		errno = WHY;
		return -1;
	}
	return real(fd, a, n, flags);
}
"""


@pytest.mark.skipif(servers.SANITIZED, reason="the sanitizer's library must be the first one")
@pytest.mark.parametrize("why", ["ENFILE", "ENOBUFS", "ENOMEM"])
def test_the_machine_has_no_more(here, docroot, fleet, why):
	"""accept4() fails for want of what the whole machine lacks: accepting pauses, and goes on when there is some again."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	source = servers.write(here + "/shim.c", SHIM)
	subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-DWHY=" + why, "-o", here + "/shim.so", source], check=True, timeout=60)
	class Starved(servers.Bulkhead):
		def environ(self):
			return dict(os.environ, LD_PRELOAD=here + "/shim.so")
	bh = fleet.start(Starved(here + "/bulkhead", site_conf.common(docroot) + '<VirtualHost *>\n    ServerName w.test\n    DocumentRoot "%s"\n</VirtualHost>\n' % docroot, loops=1))
	pid, cpu = front(bh), proc.cpu_of(front(bh))
	for _ in range(3):
		assert get(bh, A).body == b"hello\n"
	assert "the machine is out of descriptors or memory" in bh.log()
	assert front(bh) == pid and proc.cpu_of(pid) - cpu < 0.5


@pytest.mark.skipif(servers.SANITIZED, reason="the sanitizer's shadow needs all address space")
def test_out_of_memory(start, docroot, fpm):
	"""No more memory for the front: single connections are dropped, the process stays, and goes on when there is some again."""
	bh = start("LimitClientConnections none\n" + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("p.test", docroot, "fpm"), loops=1)
	assert get(bh, A).status == 200
	restart_with(bh, resource.RLIMIT_AS, int(proc.status_of(front(bh)[0])["VmSize"].split()[0]) * 1024 + (3 << 20))
	assert get(bh, A).status == 200
	pid, held, dropped = front(bh), [], 0
	try:
		for _ in range(400): # 24 MB of bodies under way
			try:
				held.append(Conn(bh.addr))
				held[-1].send(b"POST /echo.php HTTP/1.1\r\nHost: p.test\r\nContent-Length: 61000\r\n\r\n" + b"x" * 60000)
			except OSError:
				pass
		time.sleep(0.5)
		for c in held:
			c.s.settimeout(0)
			try:
				dropped += c.s.recv(10) != b"?"
			except BlockingIOError:
				pass
			except OSError:
				dropped += 1
		assert 0 < dropped <= len(held), "there was memory for all"
		assert front(bh) == pid and bh.p.poll() is None, bh.log()[-2000:]
	finally:
		for c in held:
			c.close()
	def served():
		try:
			return get(bh, B).status == 200
		except (Broken, OSError):
			return False
	proc.wait_for(served, 5, why="an answer again, with as little memory")
	assert front(bh) == pid


@pytest.fixture
def small_disk(here):
	"""A file system of 256 KB, and a function that fills it."""
	path = here + "/disk"
	os.makedirs(path)
	if not proc.ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", path]).returncode != 0:
		pytest.skip("a small file system cannot be mounted here")
	os.chmod(path, 0o777)
	def fill():
		with open(path + "/ballast", "wb", buffering=0) as f:
			try:
				while True:
					f.write(b"x" * 4096)
			except OSError as e:
				assert e.errno == errno.ENOSPC
	yield path, fill
	subprocess.run(["umount", "-l", path], check=True)


def test_full_disk_for_logs(start, small_disk):
	"""Lines that find no room are lost; answers are not; with room again there are lines again."""
	path, fill = small_disk
	bh = start('ErrorLog "%s/error.log"\nCustomLog "%s/access.log" common\n' % (path, path))
	assert get(bh, A).status == 200
	fill()
	for _ in range(200):
		assert get(bh, A).body == b"hello\n"
	with Conn(bh.addr) as c:
		c.send(b"GE T / HTTP/1.1\r\n\r\n")
		assert c.response().status == 400
	os.unlink(path + "/ballast")
	def logged():
		assert get(bh, B).status == 200
		with open(path + "/access.log") as f:
			return B in f.read()
	proc.wait_for(logged, 5, why="lines in the log again")


def test_full_disk_for_bodies(start, small_disk, docroot, fpm):
	"""A body or an answer that finds no room on disk fails alone: 5xx, or a cut that the client can tell; others are served, and later ones."""
	path, fill = small_disk
	bh = start('SpoolPath "%s"\n' % path + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("p.test", docroot, "fpm"))
	def post(n):
		return bh.get("p.test", "/echo.php", body=b"x" * n, method="POST", timeout=10)
	def body_fails():
		try:
			return post(1 << 20).status in (500, 503, 507)
		except (Broken, OSError):
			return True # closed before all was read
	assert post(100000).status == 200, "there is room for this one"
	assert body_fails()
	fill()
	assert body_fails()
	assert post(1000).status == 200, "this one needs none"
	with Conn(bh.addr, rcvbuf=65536, timeout=10) as slow:
		slow.send(b"GET /big.php?n=6000000 HTTP/1.1\r\nHost: p.test\r\n\r\n")
		time.sleep(0.5)
		assert get(bh, A).body == b"hello\n"
		assert bh.get("p.test", "/hello.php").body == b"hello\n"
		try:
			r = slow.response()
			assert r.status in (500, 503) or len(r.body) == 6000000
		except Broken as e:
			assert "cut" in str(e) or "end of connection" in str(e) or "reset" in str(e) or "without an answer" in str(e), e
	os.unlink(path + "/ballast")
	assert post(100000).status == 200
