# SPDX-License-Identifier: Apache-2.0
"""The PROXY protocol: who is believed, what the client's address then is, and what becomes of everything else."""
import json
import socket
import ssl
import struct
import time

import pytest

import conftest
import proc
import servers
import site_conf
import tls_tools as tls
from rawhttp import Broken, Conn

pytestmark = pytest.mark.bulkhead

SIG = b"\r\n\r\n\0\r\nQUIT\n"
GET = b"GET /hello.txt HTTP/1.1\r\nHost: w.test\r\n\r\n"
DUMP = b"GET /dump.php HTTP/1.1\r\nHost: w.test\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
FORMAT = 'LogFormat "who %h %a %{c}a %{remote}p %r" who\n'


def v1(src="198.51.100.7", dst="192.0.2.1", sport=40001, dport=443, proto="TCP4"):
	return ("PROXY %s %s %s %d %d\r\n" % (proto, src, dst, sport, dport)).encode()


def v2(src="198.51.100.7", dst="192.0.2.1", sport=40001, dport=443, command=1, more=b""):
	family = socket.AF_INET6 if ":" in src else socket.AF_INET
	body = socket.inet_pton(family, src) + socket.inet_pton(family, dst) + struct.pack("!HH", sport, dport) + more
	return SIG + bytes([0x20 | command, 0x21 if family == socket.AF_INET6 else 0x11]) + struct.pack("!H", len(body)) + body


@pytest.fixture(scope="module")
def proxied(tmp, module_fleet, docroot, fpm):
	"""Port 0: everybody sends a header but 127.0.0.5; port 1: only 127.0.0.9 may, others need not; port 2: nobody; a unix socket: all."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	ports = [proc.free_port() for _ in range(2)]
	sock = tmp + "/proxied.sock"
	who = "%s/proxied-who.log" % tmp
	body = '    ServerName w.test\n    DocumentRoot "%s"\n    Dispatch worker\n    UsePool fpm\n    CustomLog "%s" who\n' % (docroot, who)
	bh = servers.Bulkhead(tmp + "/proxied", "")
	bh.write("Listen 127.0.0.1:%d\nListen 127.0.0.1:%d\nListen unix:%s\n" % (ports[0], ports[1], sock) + FORMAT
		+ site_conf.common(docroot) + site_conf.pool("fpm", fpm.server())
		+ "RequestReadTimeout header=2-4,MinRate=500\n"
		+ "<VirtualHost *:%d>\n%s    RemoteIPProxyProtocol On\n    RemoteIPProxyProtocolExceptions 127.0.0.5\n</VirtualHost>\n" % (bh.port, body)
		+ "<VirtualHost *:%d>\n%s    RemoteIPProxyProtocol Optional\n    RemoteIPProxyProtocolFrom 127.0.0.9/32\n</VirtualHost>\n" % (ports[0], body)
		+ "<VirtualHost *:%d>\n%s</VirtualHost>\n" % (ports[1], body)
		+ "<VirtualHost *>\n%s    RemoteIPProxyProtocol On\n    RemoteIPProxyProtocolFrom 127.0.0.9\n</VirtualHost>\n" % body)
	module_fleet.start(bh)
	bh.on, bh.maybe, bh.off, bh.sock, bh.who = bh.addr, ("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), sock, who
	return bh


def server_vars(r):
	assert r.status == 200, r
	return json.loads(r.body)["server"]


def last_who(bh, mark):
	"""The log line of the request for @mark."""
	def line():
		with open(bh.who) as f:
			found = [x.split() for x in f if mark in x]
		return found and found[-1]
	return proc.wait_for(line, 3, why="a line in the log")


@pytest.mark.parametrize("header, client, port", [
	(v1(), "198.51.100.7", 40001), (v2(), "198.51.100.7", 40001), (v2(more=b"\x04\0\0"), "198.51.100.7", 40001),
	(v1("2001:db8::7", "2001:db8::1", proto="TCP6"), "2001:db8::7", 40001), (v2("2001:db8::7", "2001:db8::1"), "2001:db8::7", 40001),
], ids=["v1", "v2", "v2-extension", "v1-ipv6", "v2-ipv6"])
def test_header_names_the_client(proxied, header, client, port):
	"""PHP and the log see the client; a field that the client sent changes nothing."""
	with Conn(proxied.on) as c:
		c.send(header + DUMP)
		v = server_vars(c.response())
		assert v["REMOTE_ADDR"] == client and v["REMOTE_PORT"] == str(port), v
		assert v["HTTP_X_FORWARDED_FOR"] == "6.6.6.6"
		# The connection is that client's for all its requests.
		mark = "hello.txt?%x%s" % (len(header), client.replace(":", "-"))
		c.send(GET.replace(b"hello.txt", mark.encode()))
		assert c.response().body == b"hello\n"
	who, h, a, peer, remote = last_who(proxied, mark)[:5]
	assert (h, a, peer, remote) == (client, client, "127.0.0.1", str(port))


@pytest.mark.parametrize("header", [v1(proto="UNKNOWN"), b"PROXY UNKNOWN\r\n", v2(command=0), SIG + b"\x20\0\0\0"])
def test_health_checks_speak_for_the_proxy(proxied, header):
	with Conn(proxied.on) as c:
		c.send(header + DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "127.0.0.1"


def test_octet_by_octet(proxied):
	"""However the header arrives, and whatever arrives with it."""
	for header in (v1(), v2()):
		with Conn(proxied.on) as c:
			c.send_slowly(header + b"GE", pause=0.002)
			c.send(b"T" + DUMP[3:] + GET)
			assert server_vars(c.response())["REMOTE_ADDR"] == "198.51.100.7"
			assert c.response().body == b"hello\n"


def test_apache_agrees(proxied, here, docroot, ini, fleet):
	"""mod_remoteip takes the same client from every header that it takes, and answers none that we do not."""
	conftest.need(servers.tool("apache2"), "no apache2")
	apache = fleet.start(servers.Apache(here + "/apache", site_conf.common(docroot) + "RemoteIPProxyProtocol On\n"
		+ '<VirtualHost *>\n    ServerName w.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (docroot, site_conf.ini_lines(ini)),
		modules=servers.APACHE_MODULES + " remoteip"))
	def client(addr, header):
		try:
			with Conn(addr, timeout=3) as c:
				c.send(header + DUMP)
				v = server_vars(c.response())
				return v["REMOTE_ADDR"], v["HTTP_X_FORWARDED_FOR"]
		except (Broken, OSError):
			return None
	for header in (v1(), v2(), v2(more=b"\x04\0\0"), v1("2001:db8::7", "2001:db8::1", proto="TCP6"), v2("2001:db8::7", "2001:db8::1"),
			v2(command=0), SIG + b"\x20\0\0\0"): # not UNKNOWN, which the protocol's text has a receiver take, and Apache does not
		assert client(proxied.on, header) == client(apache.addr, header), header
	for header in (b"", b"PROXY TCP4 1.2.3.4.5 192.0.2.1 1 2\r\n", SIG + b"\x31\x11\0\x0c" + b"x" * 12, v1().lower()):
		assert client(proxied.on, header) is None and client(apache.addr, header) is None, header


def refused(addr, octets, source=None):
	"""Nothing is answered, and the connection ends."""
	with Conn(addr, timeout=3, source=source) as c:
		c.send(octets)
		try:
			return c.s.recv(100) == b""
		except ConnectionResetError:
			return True


@pytest.mark.parametrize("octets", [
	GET, b"\x16\x03\x01", v1().replace(b"\r\n", b"\n") + GET, v1("1.2.3.4.5") + GET, v1(proto="TCP6") + GET, b"PROXY \r\n" + GET,
	b"PROXY TCP4 " + b"1" * 200, v1(sport=70000) + GET, SIG + b"\x31\x11\0\x0c" + b"x" * 12 + GET, SIG + b"\x21\x11\0\x04" + b"x" * 4 + GET,
	SIG + b"\x21\x11\xff\xff" + b"x" * 3000, v1().lower() + GET,
])
def test_without_a_good_header_nothing_is_answered(proxied, octets):
	assert refused(proxied.on, octets)
	with Conn(proxied.on) as c: # and with one it is
		c.send(v1() + GET)
		assert c.response().status == 200


def test_exceptions_speak_for_themselves(proxied):
	with Conn(proxied.on, source="127.0.0.5") as c:
		c.send(DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "127.0.0.5"
	with Conn(proxied.on, source="127.0.0.5") as c:
		c.send(v1() + GET)
		assert c.response().status == 400, "what is no header is a bad request"
	assert refused(proxied.on, GET, source="127.0.0.6")


def test_only_who_is_named_may_send_one(proxied):
	"""RemoteIPProxyProtocolFrom: a forged header of anybody else is a bad request, never an address."""
	with Conn(proxied.maybe, source="127.0.0.9") as c:
		c.send(v1() + DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "198.51.100.7"
	with Conn(proxied.maybe, source="127.0.0.9") as c:
		c.send(DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "127.0.0.9"
	with Conn(proxied.maybe, source="127.0.0.8") as c:
		c.send(DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "127.0.0.8"
	for header in (v1(), v2()):
		for addr in (proxied.maybe, proxied.off):
			with Conn(addr, source="127.0.0.8") as c:
				c.send(header + GET)
				r = c.response()
				assert r.status == 400 and c.eof(), r
	# What only begins like a header is a request where it may be one.
	with Conn(proxied.maybe, source="127.0.0.9") as c:
		c.send(b"PRO")
		time.sleep(0.1)
		c.send(b"PFIND /hello.txt HTTP/1.1\r\nHost: w.test\r\n\r\n")
		assert c.response().status == 405


def test_second_header_is_a_bad_request(proxied):
	with Conn(proxied.on) as c:
		c.send(v1() + v1("198.51.100.8") + GET)
		assert c.response().status == 400 and c.eof()


def test_over_a_unix_socket(proxied):
	with Conn(proxied.sock) as c:
		c.send(v1() + DUMP)
		assert server_vars(c.response())["REMOTE_ADDR"] == "198.51.100.7"
	assert refused(proxied.sock, GET)


def test_half_a_header_costs_nothing_and_ends(proxied):
	"""A client that stops within its header is dropped after RequestReadTimeout, and does not keep the loop busy until then."""
	fronts, _ = proxied.processes()
	with Conn(proxied.on, timeout=8) as half, Conn(proxied.on, timeout=8) as silent:
		half.send(v1()[:20])
		began, cpu = time.monotonic(), proc.cpu_of(fronts)
		with Conn(proxied.on) as c:
			c.send(v1() + GET)
			assert c.response().status == 200
		for c in (half, silent):
			try:
				assert c.s.recv(10) == b""
			except ConnectionResetError:
				pass
		assert 1 < time.monotonic() - began < 7
		assert proc.cpu_of(fronts) - cpu < 0.5


def shake(addr, header, together):
	"""A TLS handshake behind the header, in the same segment or in the next one; what a request is then answered."""
	incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
	t = tls.context().wrap_bio(incoming, outgoing, server_hostname="w.test")
	with Conn(addr) as c:
		def step(what):
			while True:
				try:
					return what()
				except ssl.SSLWantReadError:
					nonlocal header
					c.s.sendall((header if together else b"") + outgoing.read())
					header = b""
					got = c.s.recv(65536)
					if not got:
						raise Broken("closed in the handshake") from None
					incoming.write(got)
		if not together:
			c.s.sendall(header)
			time.sleep(0.05)
		step(t.do_handshake)
		t.write(DUMP.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
		answer = b""
		while b"}\n" not in answer:
			answer += step(lambda: t.read(65536))
		return answer


def test_before_tls(here, docroot, fleet, fpm):
	"""The header comes before the handshake, and is not part of it; without one there is no handshake."""
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	tls.make_cert(here + "/certs", "w", "w.test")
	port = proc.free_port()
	bh = servers.Bulkhead(here + "/bulkhead", "")
	bh.write("Listen 127.0.0.1:%d https\n" % port + site_conf.common(docroot) + site_conf.pool("fpm", fpm.server())
		+ '<VirtualHost *:%d>\n    ServerName w.test\n    DocumentRoot "%s"\n    Dispatch worker\n    UsePool fpm\n    RemoteIPProxyProtocol On\n%s</VirtualHost>\n'
		% (port, docroot, tls.lines(here + "/certs", "w")))
	fleet.start(bh)
	addr = ("127.0.0.1", port)
	for header in (v1(), v2(), v2(more=b"\x04\0\0")):
		for together in (True, False):
			answer = shake(addr, header, together)
			assert b'"REMOTE_ADDR":"198.51.100.7"' in answer and b'"HTTPS":"on"' in answer, answer[:300]
	with pytest.raises((Broken, OSError)):
		shake(addr, b"", True)
	assert b"REMOTE_ADDR" in shake(addr, v1(), True)


def test_limits_count_the_client_behind(here, docroot, fleet):
	"""LimitClientConnections is the named client's, not the proxy's."""
	conf = site_conf.common(docroot) + "LimitClientConnections 2\nRemoteIPProxyProtocol On\n<VirtualHost *>\n    ServerName w.test\n    DocumentRoot \"%s\"\n</VirtualHost>\n" % docroot
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	held = []
	try:
		for i in range(2):
			held.append(Conn(bh.addr))
			held[-1].send(v1() + GET)
			assert held[-1].response().status == 200
		with Conn(bh.addr) as c:
			c.send(v1())
			assert c.response().status == 429
		with Conn(bh.addr) as c:
			c.send(v1("198.51.100.8") + GET)
			assert c.response().status == 200
	finally:
		for c in held:
			c.close()
