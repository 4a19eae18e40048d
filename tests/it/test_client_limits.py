# SPDX-License-Identifier: Apache-2.0
"""What one client may have: connections at once, requests in a time; who counts as one, and for how long."""
import os
import signal
import socket
import subprocess
import time

import pytest

import conftest
import proc
import servers
import site_conf
import tls_tools as tls
from rawhttp import Broken, Conn
from test_limits import A, B, GET, front, get, start  # noqa: F401

pytestmark = pytest.mark.bulkhead


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


def test_over_tls(here, docroot, fleet):
	"""Where nothing can be said before a handshake, one connection too many is closed; requests are answered 429 as elsewhere."""
	conftest.need(servers.bulkhead_bin() and servers.tool("openssl"), "no bulkhead to test, or no openssl to make certificates with")
	tls.make_cert(here + "/certs", "w", "w.test")
	port = proc.free_port()
	bh = servers.Bulkhead(here + "/bulkhead", "")
	bh.write("Listen 127.0.0.1:%d https\nLimitClientConnections 2\nLimitClientRate 3/hour\nLimitClientExempt none\n" % port + site_conf.common(docroot)
		+ '<VirtualHost *:%d>\n    ServerName w.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (port, docroot, tls.lines(here + "/certs", "w")))
	fleet.start(bh)
	addr = ("127.0.0.1", port)
	with tls.TlsConn(addr, "w.test") as one, tls.TlsConn(addr, "w.test"):
		assert tls.alert(addr, "w.test") is not None
		assert [one.ask("w.test", "/hello.txt", close=False).status for _ in range(5)] == [200, 200, 200, 429, 429]
	with Conn(addr, source=A) as other:
		other.send(b"\x16\x03\x01")
		with pytest.raises(Broken, match="no answer"):
			other.s.settimeout(0.5)
			other.response()


def curl(bh, source, *fields):
	"""Protocol and status of a request by curl over HTTP/2, and whether Retry-After came."""
	r = subprocess.run([servers.tool("curl"), "-s", "--http2-prior-knowledge", "--interface", source, "-o", "/dev/null", "-D", "-", "-H", "Host: w.test"]
		+ [a for f in fields for a in ("-H", f)] + ["http://127.0.0.1:%d/hello.txt" % bh.port], stdout=subprocess.PIPE, timeout=20, text=True)
	line = r.stdout.split("\r\n")[0].split()
	return line[0], int(line[1]), "retry-after:" in r.stdout.lower()


def test_over_http2(start):
	"""Each stream is a request of its client, or of the one that its own field names when a proxy sent it."""
	conftest.need(servers.tool("curl"), "no curl")
	bh = start("Protocols h2c http/1.1\nLimitClientRate 2/hour\nLimitClientExempt none\nRemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy %s\n" % B)
	ok, no = ("HTTP/2", 200, False), ("HTTP/2", 429, True)
	assert [curl(bh, A) for _ in range(3)] == [ok, ok, no]
	assert [curl(bh, B, "X-Forwarded-For: 198.51.100.7") for _ in range(3)] == [ok, ok, no]
	assert curl(bh, B, "X-Forwarded-For: 198.51.100.8") == ok
	assert curl(bh, A, "X-Forwarded-For: 198.51.100.9") == no, "a stranger's field is his own"


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


def reload(bh):
	assert bh.run("-k", "graceful").returncode == 0, bh.log()[-2000:]


def test_reloads_forgive_nobody(start):
	"""Who has made all his requests has made them after a reload, too, however many there are; others go on."""
	bh = start("LimitClientRate 3/hour\nLimitClientExempt none\n")
	assert [get(bh, A).status for _ in range(4)] == [200, 200, 200, 429]
	for _ in range(3):
		reload(bh)
		assert get(bh, A).status == 429
	assert get(bh, B).status == 200
	reload(bh)
	assert [get(bh, B).status for _ in range(3)] == [200, 200, 429]
	# Nothing that a front left which did not end by itself is believed.
	old = front(bh)
	os.kill(old[0], signal.SIGKILL)
	proc.wait_for(lambda: bh.processes()[0] and bh.processes()[0] != old, 10, why="another front")
	assert [get(bh, A).status for _ in range(4)] == [200, 200, 200, 429]


def test_connections_count_through_reloads(start):
	"""What the old fronts still hold counts for the new one, until it ends; seven fronts at once have less than that many slots."""
	bh = start("LimitClientConnections 8\nLimitClientExempt none\nKeepAliveTimeout 60\n")
	def over(source):
		with Conn(bh.addr, source=source) as c:
			c.send_what_goes(GET)
			return c.response().status == 429
	held = []
	def one_more():
		"""Another connection of A's that stays, as soon as there is room: what ended is not counted a moment later."""
		def try_it():
			if get(bh, A, held).status == 200:
				return True
			held.pop().close()
			return False
		proc.wait_for(try_it, 5, why="room for one more")
	try:
		for _ in range(7):
			assert get(bh, A, held).status == 200
			reload(bh)
		assert get(bh, A, held).status == 200 and over(A) and not over(B)
		reload(bh)
		assert over(A)
		for n in range(len(held)):
			held.pop(0).close()
			one_more()
			assert over(A), n
		# All of them gone: the whole number is to be had again.
		while held:
			held.pop().close()
		proc.wait_for(lambda: len(bh.processes()[0]) == 1, 10, why="the old fronts' end")
		for _ in range(8):
			one_more()
		assert over(A)
	finally:
		for c in held:
			c.close()


@pytest.mark.parametrize("how", ["peer", "proxy", "field"])
def test_clients_of_ipv6(start, how):
	"""An IPv6 client is its /64: of ::1 itself, behind a PROXY header, and in a field that a proxy sent. The next /64 is another one."""
	try:
		with socket.socket(socket.AF_INET6) as s:
			s.bind(("::1", 0))
	except OSError as e:
		pytest.skip("no ::1 here: %s" % e)
	port = proc.free_port()
	lines = {"peer": "", "proxy": "RemoteIPProxyProtocol On\n", "field": "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy ::1\n"}[how]
	bh = start("Listen [::1]:%d\nLimitClientExempt none\nLimitClientRate 3/hour\nLimitClientConnections 2\n%s" % (port, lines))
	held = []
	def ask(address, keep=False):
		c = Conn(("::1", port))
		if how == "proxy":
			c.send(b"PROXY TCP6 %s ::1 4000 80\r\n" % address.encode())
		c.send_what_goes(GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: %s\r\n\r\n" % address.encode() if how == "field" else b"\r\n\r\n"))
		status = c.response().status
		held.append(c) if keep else c.close()
		return status
	try:
		if how == "peer":
			assert [ask("") for _ in range(4)] == [200, 200, 200, 429]
			assert get(bh, A).status == 200
			return
		assert [ask("2001:db8:0:1::%x" % n) for n in (1, 0xffff, 0x77)] == [200] * 3
		assert [ask(a) for a in ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::abcd")] == [429] * 3
		assert [ask(a) for a in ("2001:db8:0:2::1", "2001:db8:0:3::1", "192.0.2.1" if how == "field" else "2001:db9::1")] == [200] * 3
		reload(bh)
		assert ask("2001:db8:0:1::5") == 429 and ask("2001:db8:0:2::5") == 200
		if how == "proxy": # through a field only requests under way count
			assert [ask("2001:db8:0:9::%x" % n, True) for n in (1, 2, 3)] == [200, 200, 429]
			assert ask("2001:db8:0:a::1") == 200
	finally:
		for c in held:
			c.close()
