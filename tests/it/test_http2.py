# SPDX-License-Identifier: Apache-2.0
"""HTTP/2: real clients, and requests as PHP and static files see them, on every path."""
import json
import os
import subprocess
import time

import pytest

import conftest
import h2wire
import proc
import rawhttp
import servers
import site_conf

pytestmark = pytest.mark.bulkhead


def test_static_and_head(static_target):
	with h2wire.Conn(static_target.addr) as c:
		a = c.get(static_target.host, "/hello.txt")
		assert (a.status, a.body, a.get("content-length"), a.get("server")) == (200, b"hello\n", "6", "Bulkhead"), a
		assert a.get("connection") is None and a.get("transfer-encoding") is None
		a = c.get(static_target.host, "/hello.txt", method="HEAD")
		assert a.status == 200 and a.body == b"" and a.get("content-length") == "6"
		a = c.get(static_target.host, "/blob.bin")
		assert a.status == 200 and a.body == bytes(range(256)) * 16384
		a = c.get(static_target.host, "/blob.bin", extra=[("range", "bytes=1-3,1000-1001")])
		assert a.status == 206 and a.body.count(b"Content-Range") == 2
		a = c.get(static_target.host, "/nothing.txt")
		assert a.status == 404
		assert c.settings[3] == 100 and c.settings[9] == 1


def test_environment(php_target):
	with h2wire.Conn(php_target.addr) as c:
		a = c.get(php_target.host, "/dump.php/p%20i?q=1", extra=[("cookie", "a=1"), ("x-thing", "y"), ("cookie", "b=2"),
			("te", "trailers"), ("cookie", "c=3")])
		assert a.status == 200, a
		env = json.loads(a.body)["server"]
		assert env["SERVER_PROTOCOL"] == "HTTP/2.0" and env["HTTP_COOKIE"] == "a=1; b=2; c=3"
		assert env["HTTP_HOST"] == php_target.host and env["SERVER_NAME"] == php_target.host and env["HTTP_X_THING"] == "y"
		assert env["REQUEST_URI"] == "/dump.php/p%20i?q=1" and env["PATH_INFO"] == "/p i" and env["QUERY_STRING"] == "q=1"
		assert env["REQUEST_METHOD"] == "GET" and "CONTENT_LENGTH" not in env


@pytest.mark.parametrize("size,length", [(0, True), (5, True), (5, False), (70000, False), (1500000, True)])
def test_body_reaches_php_with_its_length(php_target, size, length):
	body = bytes(i * 7 & 255 for i in range(size))
	with h2wire.Conn(php_target.addr) as c:
		sid = c.request(php_target.host, "/echo.php", "POST", [("content-type", "x/y")] + ([("content-length", str(size))] if length else []), end=False)
		sent, window = 0, {0: 65535, sid: c.settings.get(4, 65535)}
		# By the windows' book: what the server did not credit is not sent.
		c.wait(lambda: c.settings)
		window[sid] = c.settings[4]
		while True:
			n = min(16384, size - sent, window[0], window[sid])
			if n > 0 or sent == size:
				c.send(h2wire.frame(h2wire.DATA, h2wire.END_STREAM if sent + n == size else 0, sid, body[sent:sent + n]))
				sent, window[0], window[sid] = sent + n, window[0] - n, window[sid] - n
				if sent == size:
					break
			else:
				f = c.read()
				assert f is not None
				if f.kind == h2wire.WINDOW:
					window[f.stream] += int.from_bytes(f.payload, "big")
		a = c.answer(sid)
		assert a.status == 200 and a.body == body, a


def test_many_streams_at_once(php_target):
	with h2wire.Conn(php_target.addr) as c:
		sids = [c.request(php_target.host, "/dump.php?n=%d" % i) for i in range(30)]
		for i, sid in enumerate(sids):
			a = c.answer(sid)
			assert a.status == 200 and json.loads(a.body)["server"]["QUERY_STRING"] == "n=%d" % i


def test_a_slow_stream_holds_nobody_up(php_target):
	with h2wire.Conn(php_target.addr) as c:
		slow = c.request(php_target.host, "/sleep.php?s=1")
		began = time.monotonic()
		assert c.get(php_target.host, "/hello.txt").status == 200
		assert time.monotonic() - began < 0.9 and slow not in c.answers
		assert c.answer(slow).status == 200


def test_flush_reaches_the_client_at_once(php_target):
	with h2wire.Conn(php_target.addr) as c:
		sid = c.request(php_target.host, "/flush.php")
		c.wait(lambda: sid in c.answers and c.answers[sid].body)
		assert not c.answers[sid].ended
		assert c.answer(sid).ended


def test_expect_continue(php_target):
	with h2wire.Conn(php_target.addr) as c:
		sid = c.request(php_target.host, "/echo.php", "POST", [("expect", "100-continue"), ("content-length", "4")], end=False)
		assert c.wait(lambda: sid in c.answers and c.answers[sid].heads)
		assert c.answers[sid].status == 100
		c.send(h2wire.frame(h2wire.DATA, h2wire.END_STREAM, sid, b"body"))
		a = c.answer(sid)
		assert a.status == 200 and a.body == b"body" and len(a.heads) == 2


def test_early_hints(cell_target):
	"""flush() with status 103: hints now, the answer later."""
	name = "hints103.php"
	servers.write(os.path.join(cell_target.docroot, name), "<?php header('HTTP/1.1 103 Early Hints'); header('Link: </a.css>; rel=preload'); flush();"
		"usleep(300000); header('X-Later: 1'); echo 'page';")
	with h2wire.Conn(cell_target.addr) as c:
		sid = c.request(cell_target.host, "/" + name)
		assert c.wait(lambda: sid in c.answers and c.answers[sid].heads)
		assert c.answers[sid].status == 103 and c.answers[sid].get("link") == "</a.css>; rel=preload" and not c.answers[sid].ended
		a = c.answer(sid)
		assert a.status == 200 and a.body == b"page" and a.get("x-later") == "1" and len(a.heads) == 2, a


def test_answer_before_the_body_came(static_target):
	"""RFC 9113 8.1: a full answer; then the rest is read off, or after a while not wanted: RST_STREAM with NO_ERROR."""
	with h2wire.Conn(static_target.addr) as c:
		sid, silent = (c.request(static_target.host, "/hello.txt", "POST", [("content-length", "100000")], end=False) for _ in range(2))
		assert c.answer(sid).status == c.answer(silent).status == 405 and c.answers[sid].reset is None
		for i in range(10):
			c.send(h2wire.frame(h2wire.DATA, h2wire.END_STREAM if i == 9 else 0, sid, b"x" * 10000))
		assert c.ping() and c.answers[sid].reset is None
		assert c.get(static_target.host, "/hello.txt").status == 200
		assert c.wait(lambda: c.answers[silent].reset is not None, 12) and c.answers[silent].reset == h2wire.NO_ERROR
		assert c.answers[sid].reset is None and c.get(static_target.host, "/hello.txt").status == 200


def test_trailers_are_dropped(php_target):
	with h2wire.Conn(php_target.addr) as c:
		sid = c.request(php_target.host, "/dump.php", "POST", end=False)
		c.send(h2wire.frame(h2wire.DATA, 0, sid, b"x=1"))
		c.send(h2wire.frame(h2wire.HEADERS, h2wire.END_HEADERS | h2wire.END_STREAM, sid, c.block([("x-trailer", "1")])))
		a = c.answer(sid)
		assert a.status == 200 and "HTTP_X_TRAILER" not in json.loads(a.body)["server"]


def test_reset_reaches_the_script(php_target):
	"""The script is told as if its client had hung up."""
	mark = "h2abort" + php_target.name
	assert php_target.var(mark) is None
	with h2wire.Conn(php_target.addr) as c:
		sid = c.request(php_target.host, "/abort.php?id=" + mark)
		c.wait(lambda: sid in c.answers and c.answers[sid].body)
		c.send(h2wire.frame(h2wire.RST, 0, sid, h2wire.u32(h2wire.CANCEL)))
		assert proc.wait_for(lambda: "aborted=1" in (php_target.var(mark) or ""), 10), php_target.var(mark)
		assert c.get(php_target.host, "/hello.txt").status == 200


def test_log_line(static_target):
	with h2wire.Conn(static_target.addr) as c:
		assert c.get(static_target.host, "/hello.txt?in-the-log-%d" % c.s.getsockname()[1]).status == 200
		mark = '"GET /hello.txt?in-the-log-%d HTTP/2.0" 200 6' % c.s.getsockname()[1]
	assert proc.wait_for(lambda: mark in static_target.server.access(), 5)


def test_log_line_of_what_was_not_understood(here, fleet, docroot):
	"""%H is what was spoken, also of a request that nothing else is known of."""
	d = fleet.start(servers.Bulkhead(here, "Protocols h2c http/1.1\nLogFormat \"%%H %%>s %%r\" protocols\nCustomLog %s protocols\n" % (here + "/protocols.log") + site_conf.common(docroot)
		+ "<VirtualHost *>\nServerName static.test\nDocumentRoot %s\n</VirtualHost>\n" % docroot))
	with h2wire.Conn(d.addr) as c:
		assert c.get("static.test:port", "/hello.txt").status == 400
		assert c.get("static.test", "/hello.txt", extra=[("x", "v" * 9000)]).status == 431
		assert c.get("static.test", "/hello.txt").status == 200
	with rawhttp.Conn(d.addr) as c:
		c.send(b"GET / HTTP/1.1\r\nHost: bad host\r\n\r\n")
		assert c.s.recv(100).startswith(b"HTTP/1.1 400 ")

	def lines():
		with open(here + "/protocols.log") as f:
			return f.read().splitlines()
	want = ["HTTP/2.0 400 -", "HTTP/2.0 431 -", "HTTP/2.0 200 GET /hello.txt HTTP/2.0", "HTTP/1.1 400 -"]
	assert proc.wait_for(lambda: os.path.exists(here + "/protocols.log") and len(lines()) >= 4, 10) and lines() == want, lines()


def test_only_where_it_is_allowed(here, fleet, docroot):
	"""The address's first host decides whether plain HTTP/2 is understood, a request's own host whether it is answered."""
	def conf(first, second):
		return site_conf.common(docroot) + "".join("<VirtualHost *>\nServerName %s\nDocumentRoot %s\n%s</VirtualHost>\n" % (name, docroot, line)
			for name, line in (("first.test", first), ("second.test", second)))
	d = fleet.start(servers.Bulkhead(here, conf("Protocols h2c http/1.1\n", "")))
	with h2wire.Conn(d.addr) as c:
		assert c.get("first.test", "/hello.txt").status == 200
		assert c.get("second.test", "/hello.txt").status == 421
		assert c.get("first.test", "/hello.txt").status == 200
	assert d.get("second.test", "/hello.txt").status == 200
	d.write(conf("", "Protocols h2c\n"))
	assert d.run("-k", "graceful").returncode == 0

	def refused():
		with rawhttp.Conn(d.addr) as c:
			c.send(h2wire.PREFACE + h2wire.settings())
			return c.s.recv(100).startswith(b"HTTP/1.1 ")
	assert proc.wait_for(refused, 10)


def run(*argv, timeout=60, send=None):
	return subprocess.run(argv, input=send, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)


def test_curl(php_target):
	conftest.need(servers.tool("curl"), "no curl")
	url = "http://%s:%d/dump.php" % (php_target.host, php_target.addr[1])
	r = run("curl", "-sS", "--http2-prior-knowledge", "--resolve", "%s:%d:127.0.0.1" % (php_target.host, php_target.addr[1]),
		"-w", "\n%{http_version} %{http_code}", "--data-binary", "@-", url, send=b"x" * 200000)
	body, last = r.stdout.rsplit(b"\n", 1)
	assert last == b"2 200", r.stdout[-300:]
	assert json.loads(body)["server"]["CONTENT_LENGTH"] == "200000"


@pytest.mark.parametrize("size", [2000, 100000, 300000, 5000000])
def test_curl_sees_why_its_upload_is_refused(limited, size):
	conftest.need(servers.tool("curl"), "no curl")
	for how in (["--data-binary", "@-"], ["-X", "POST", "-T", "-"]):
		r = run("curl", "-sS", "--http2-prior-knowledge", "--resolve", "worker.test:%d:127.0.0.1" % limited.addr[1], "-w", "\n%{http_version} %{http_code}",
			*how, "http://worker.test:%d/echo.php" % limited.addr[1], send=b"x" * size)
		assert r.returncode == 0 and r.stdout.endswith(b"\n2 413") and b"413" in r.stdout[:-6], (how, r.returncode, r.stdout[-300:])


@pytest.fixture(scope="module")
def limited(tmp, module_fleet, docroot, fpm):
	return module_fleet.start(servers.Bulkhead(tmp + "/limited", "Protocols h2c http/1.1\nLimitRequestBody 1000\n" + site_conf.common(docroot)
		+ site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("worker.test", docroot, "fpm")))


def test_h2load(php_target):
	conftest.need(servers.tool("h2load"), "no h2load (package nghttp2-client)")
	for path, n in (("/hello.txt", 5000), ("/hello.php", 300)):
		r = run("h2load", "-n", str(n), "-c", "4", "-m", "20", "-H", ":authority: " + php_target.host,
			"http://127.0.0.1:%d%s" % (php_target.addr[1], path)).stdout.decode()
		assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in r, r
		assert "status codes: %d 2xx" % n in r, r
