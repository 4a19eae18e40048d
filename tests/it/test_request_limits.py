# SPDX-License-Identifier: Apache-2.0
"""How much of a request the server reads: each LimitRequest... at its value and one past it, by default and as configured."""
import pytest

import conftest
import h2wire
import proc
import servers
import site_conf
from rawhttp import Conn, get

pytestmark = pytest.mark.bulkhead

LINES = ("LimitRequestLine 100\nLimitRequestFields 6\nLimitRequestFieldSize 200\nLimitRequestHead 1024\n"
	"LimitRequestChunkLine 20\nLimitRequestChunkExtensions 30\nLimitRequestTrailers 60\nLimitRequestBody 1000\n")
PROTOCOLS = "Protocols h2c http/1.1\n"
HOST = b"Host: w.test\r\n"


@pytest.fixture(scope="module")
def bh(tmp, long_fleet, docroot, fpm):
	"""Tight limits for all, wider ones of a host's own."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conf = PROTOCOLS + LINES + site_conf.common(docroot) + site_conf.pool("fpm", fpm.server())
	conf += site_conf.worker_vhost("w.test", docroot, "fpm")
	conf += site_conf.worker_vhost("wide.test", docroot, "fpm", "    LimitRequestChunkLine 100\n    LimitRequestChunkExtensions 200\n    LimitRequestTrailers 500\n    LimitRequestFields 0\n")
	return long_fleet.start(servers.Bulkhead(tmp + "/limits", conf, loops=1))


@pytest.fixture(scope="module")
def plain(tmp, long_fleet, docroot, fpm):
	"""Nothing is said."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	return long_fleet.start(servers.Bulkhead(tmp + "/no-limits", PROTOCOLS + site_conf.common(docroot) + site_conf.pool("fpm", fpm.server())
		+ site_conf.worker_vhost("w.test", docroot, "fpm"), loops=1))


def ask(server, octets):
	"""Status, and whether the connection went on to serve another request."""
	with Conn(server.addr) as c:
		c.send_what_goes(octets)
		r = c.response()
		if r.get("Connection") == "close":
			assert c.eof(), "announced, and not closed"
			return r.status, False
		c.send(b"GET /hello.txt HTTP/1.1\r\n" + HOST + b"\r\n")
		assert c.response().body == b"hello\n"
		return r.status, True


def line(n):
	"""A request line of @n octets."""
	return b"GET /hello.txt?" + b"q" * (n - 24) + b" HTTP/1.1\r\n" + HOST + b"\r\n"


def fields(n, size=0):
	"""@n fields, the last of them of @size octets."""
	more = [b"X-%d: v" % i for i in range(n - 1)]
	if size:
		more[-1] = b"X: " + b"v" * (size - 3)
	return b"GET /hello.txt HTTP/1.1\r\n" + HOST + b"".join(f + b"\r\n" for f in more) + b"\r\n"


def head(n):
	"""A head of @n octets in all, of few fields."""
	start, at = b"GET /hello.txt HTTP/1.1\r\n" + HOST, 0
	out = start
	while len(out) + 2 < n:
		size = min(200, n - len(out) - 2)
		if 0 < n - len(out) - 2 - size < 10:
			size -= 20
		out += b"X%d: " % at + b"v" * (size - 6) + b"\r\n"
		at += 1
	assert len(out) + 2 == n
	return out + b"\r\n"


def chunked(body, host=b"w.test"):
	return b"POST /echo.php HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def length(n):
	return b"POST /echo.php HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % n + b"x" * n


def extension(n):
	"""Extensions that count @n octets, of lines of 20."""
	out = b""
	while n > 17:
		out += b"1;" + b"e" * 16 + b"\r\nx\r\n"
		n -= 17
	return out + b"0;" + b"e" * (n - 1) + b"\r\n\r\n"


def trailers(octets):
	return b"0\r\nX: " + b"t" * (octets - 5) + b"\r\n\r\n"


# What is sent at the limit, and one past it; what is answered then; the directive that the log names.
LIMITS = {
	"line": (line(100), line(101), 414, "LimitRequestLine"),
	"line-without-end": (line(100), b"GET /" + b"a" * 5000, 414, "LimitRequestLine"),
	"fields": (fields(6), fields(7), 431, "LimitRequestFields"),
	"field": (fields(3, 200), fields(3, 201), 431, "LimitRequestFieldSize"),
	"field-without-end": (fields(3, 200), b"GET / HTTP/1.1\r\nHost: " + b"a" * 5000, 431, "LimitRequestFieldSize"),
	"head": (head(1024), head(1025), 431, "LimitRequestHead"),
	"body": (length(1000), length(1001), 413, "LimitRequestBody"),
	"chunked-body": (chunked(b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n"), chunked(b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n"), 413, "LimitRequestBody"),
	"chunk-line": (chunked(b"0" * 18 + b"\r\n\r\n"), chunked(b"0" * 19 + b"\r\n\r\n"), 400, "LimitRequestChunkLine"),
	"chunk-line-extension": (chunked(b"0;" + b"e" * 16 + b"\r\n\r\n"), chunked(b"0;" + b"e" * 17 + b"\r\n\r\n"), 400, "LimitRequestChunkLine"),
	"chunk-extensions": (chunked(extension(30)), chunked(extension(31)), 400, "LimitRequestChunkExtensions"),
	"trailers": (chunked(trailers(60)), chunked(trailers(61)), 431, "LimitRequestTrailers"),
	"trailers-count": (chunked(b"0\r\n" + b"X: t\r\n" * 6 + b"\r\n"), chunked(b"0\r\n" + b"X: t\r\n" * 7 + b"\r\n"), 431, "LimitRequestFields"),
}


@pytest.mark.parametrize("name", list(LIMITS))
def test_at_the_limit_and_past_it(bh, name):
	at, past, status, directive = LIMITS[name]
	assert ask(bh, at) == (200, True)
	before = len(bh.log())
	# What is left of a short body is read off, so that another request may follow; framing that is not understood ends all.
	assert ask(bh, past) == (status, name == "body")
	proc.wait_for(lambda: directive in bh.log()[before:], 3, why="the log names " + directive)
	assert get(bh.addr, "w.test", "/hello.txt").body == b"hello\n", "others are served"


def test_a_body_is_bounded_by_its_host(bh):
	"""Once the host is known its own limits hold; others' do not."""
	assert ask(bh, chunked(b"0;" + b"e" * 96 + b"\r\n\r\n", b"wide.test")) == (200, True)
	assert ask(bh, chunked(b"0;" + b"e" * 97 + b"\r\n\r\n", b"wide.test")) == (400, False)
	assert ask(bh, chunked(trailers(200), b"wide.test")) == (200, True)
	assert ask(bh, chunked(b"0\r\n" + b"X: t\r\n" * 80 + b"\r\n", b"wide.test")) == (200, True)
	assert ask(bh, chunked(trailers(200))) == (431, False)


DEFAULTS = {
	"line": (line(8190), line(8191), 414),
	"fields": (fields(100), fields(101), 431),
	"field": (fields(3, 8190), fields(3, 8191), 431),
	"chunk-line": (chunked(b"0" * 4094 + b"\r\n\r\n"), chunked(b"0" * 4095 + b"\r\n\r\n"), 400),
	"chunk-extensions": (chunked((b"1;" + b"e" * 4092 + b"\r\nx\r\n") * 16 + b"0;" + b"e" * 47 + b"\r\n\r\n"),
		chunked((b"1;" + b"e" * 4092 + b"\r\nx\r\n") * 16 + b"0;" + b"e" * 48 + b"\r\n\r\n"), 400),
	"trailers": (chunked(b"0\r\n" + (b"X: " + b"t" * 4091 + b"\r\n") * 4 + b"\r\n"), chunked(b"0\r\n" + (b"X: " + b"t" * 4091 + b"\r\n") * 4 + b"Y:\r\n\r\n"), 431),
	"trailer": (chunked(trailers(8192)), chunked(trailers(8193)), 431),
}


@pytest.mark.parametrize("name", list(DEFAULTS))
def test_what_holds_by_default(plain, name):
	at, past, status = DEFAULTS[name]
	assert ask(plain, at) == (200, True)
	assert ask(plain, past) == (status, False)


def over_http2(server, extra):
	with h2wire.Conn(server.addr) as c:
		block = c.block(c.head("w.test", "/hello.txt", extra=extra))
		pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
		flags = [h2wire.END_HEADERS if p is pieces[-1] else 0 for p in pieces]
		c.send(h2wire.frame(h2wire.HEADERS, flags[0] | h2wire.END_STREAM, c.next, pieces[0])
			+ b"".join(h2wire.frame(h2wire.CONTINUATION, f, c.next, p) for f, p in zip(flags[1:], pieces[1:])))
		a = c.answer(c.next)
		c.next += 2
		return c.settings.get(6), a.status, c.get("w.test", "/hello.txt").status


def test_head_over_http2(bh, plain):
	"""The same directive, announced to the client; each field counts 32 more (RFC 9113 6.5.2). The connection goes on."""
	fixed = sum(len(n) + len(v) + 32 for n, v in ((":method", "GET"), (":scheme", "http"), (":authority", "w.test"), (":path", "/hello.txt")))
	def of(n):
		left, out = n - fixed, []
		while left > 0:
			size = left if left <= 220 else min(200, left - 100)
			out.append(("x%d" % len(out), "v" * (size - 34)))
			left -= size
		return out
	assert over_http2(bh, of(1024)) == (1024, 200, 200)
	assert over_http2(bh, of(1025)) == (1024, 431, 200)
	large = [("x%d" % i, "v" * 6000) for i in range(10)]
	assert over_http2(plain, large) == (65536, 200, 200)
	assert over_http2(plain, large + [("y", "v" * 6000)]) == (65536, 431, 200)


@pytest.mark.parametrize("text", ["LimitRequestHead 1023", "LimitRequestHead 1K", "LimitRequestHead", "LimitRequestChunkLine 0", "LimitRequestChunkLine -1",
	"LimitRequestChunkExtensions 99999999999", "LimitRequestTrailers 1048577", "LimitRequestTrailer 1", "LimitRequestFields 32768"])
def test_values_that_are_none(plain, here, text):
	"""Each is an error with its place; a misspelt name is told the right one."""
	servers.write(here + "/bad.conf", "Listen 127.0.0.1:1\n" + text + "\n")
	r = plain.run("-t", "-f", here + "/bad.conf")
	assert r.returncode != 0 and "bad.conf:2:" in r.stdout + (r.stderr or ""), r
	if "Trailer " in text:
		assert "LimitRequestTrailers" in r.stdout + (r.stderr or "")
