# SPDX-License-Identifier: Apache-2.0
"""Hostile and slow clients: how long and how often they may ask, and that others are served meanwhile."""
import os
import resource
import socket
import threading
import time

import pytest

import conftest
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


# --- counts ------------------------------------------------------------------------------------------------------------------

def test_connections_of_a_client(start):
	"""One more than LimitClientConnections is answered 429 and closed; other clients are not concerned; one that ends makes room."""
	bh = start("LimitClientConnections 4\nLimitClientExempt none\n")
	held = []
	try:
		for _ in range(4):
			assert get(bh, A, held).status == 200
		for _ in range(3):
			with Conn(bh.addr, source=A) as c:
				r = c.response()
				assert r.status == 429 and r.get("Retry-After") == "10" and c.eof(), r
		assert get(bh, B).status == 200
		# Those that it has go on, by a request and by its end.
		held[0].send(GET)
		assert held[0].response().status == 200
		held.pop().close()
		def room():
			with Conn(bh.addr, source=A) as c:
				c.send_what_goes(GET)
				return c.response().status == 200
		proc.wait_for(room, 3, why="room for a connection of the client")
		assert bh.log().count("LimitClientConnections") == 1, "told once"
	finally:
		for c in held:
			c.close()


def test_who_is_exempt(start):
	"""Loopback is, when nothing is said; a network that is named is, and its neighbour is not."""
	bh = start("LimitClientConnections 1\nLimitClientRate 1/hour\n")
	held = []
	try:
		assert [get(bh, A, held).status for _ in range(5)] == [200] * 5
	finally:
		for c in held:
			c.close()


def test_network_that_is_exempt(start):
	bh = start("LimitClientRate 1/hour\nLimitClientExempt 127.0.0.20/31\n")
	assert [get(bh, A).status for _ in range(3)] == [200] * 3
	assert [get(bh, B).status for _ in range(3)] == [200, 429, 429]


def test_clients_of_one_network(start):
	"""LimitClientPrefix: neighbours share."""
	bh = start("LimitClientRate 2/hour\nLimitClientExempt none\nLimitClientPrefix 29 64\n")
	assert [get(bh, a).status for a in ("127.0.0.17", "127.0.0.18", "127.0.0.19", "127.0.0.25")] == [200, 200, 429, 200]


def test_requests_of_a_client(start):
	"""Past LimitClientRate: 429 with Retry-After, on a connection that stays; time makes it good, others never feel it."""
	bh = start("LimitClientRate 2/second burst=6\nLimitClientExempt none\nErrorDocument 429 /hello.txt\nKeepAliveTimeout 20\n")
	with Conn(bh.addr, source=A) as c:
		got = []
		for _ in range(9):
			c.send(GET)
			r = c.response()
			got.append(r.status)
			if r.status == 429:
				assert int(r.get("Retry-After")) >= 1 and r.body != b"hello\n", "no ErrorDocument: it would cost what is saved"
		assert got[:6] == [200] * 6 and got[-1] == 429, got
		assert get(bh, B).status == 200
		time.sleep(int(r.get("Retry-After")))
		c.send(GET)
		assert c.response().status == 200
	assert bh.log().count("LimitClientRate") == 1, "told once"
	assert " 429 " in proc.wait_for(lambda: " 429 " in bh.access() and bh.access(), 3)


def test_limits_are_shared_by_all_loops(start):
	bh = start("LimitClientConnections 3\nLimitClientExempt none\n", loops=4)
	held = []
	try:
		answered = 0
		for _ in range(24):
			c = Conn(bh.addr, source=A)
			held.append(c)
			c.send_what_goes(GET)
			answered += c.response().status == 200
		assert answered == 3
	finally:
		for c in held:
			c.close()


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
			assert not slowly(slow, 8), "nobody minds"
