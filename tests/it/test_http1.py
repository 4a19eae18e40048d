# SPDX-License-Identifier: Apache-2.0
"""HTTP/1 as RFC 9110 and 9112 have it: requests, persistence, limits. One table, run on static files and each path to PHP."""
import re
import time

import pytest

from cases import Case, fill, req, run, table

BAD = dict(status=400, conn="close")
HELLO = dict(status=200, body=b"hello\n")
LENIENT = "reads it otherwise"


def bad(id, raw, status=(400,), **k):
	"""Refused: one error answer, then the end; nothing that follows on the connection runs."""
	return Case(id, raw + req(), status=status, conn="close", **k)


REQUEST_LINE = [
	Case("get", req(), conn="open", **HELLO),
	Case("head", req(method="HEAD"), method="HEAD", body=b"", conn="open"),
	Case("version-1.0", req(version="HTTP/1.0"), conn="close", has={"Transfer-Encoding": None}, **HELLO),
	Case("version-1.0-no-host", req("/hello.txt", version="HTTP/1.0", host=""), status=(200, 404), conn="close"),
	Case("version-1.0-keep-alive", req(version="HTTP/1.0", headers="Connection: keep-alive\r\n"), has={"Transfer-Encoding": None}, **HELLO),
	Case("version-1.9", req(version="HTTP/1.9"), status=(200, 505)),
	bad("version-2.0", req(version="HTTP/2.0"), (505,), skip={"apache": LENIENT}),
	bad("version-3.7", req(version="HTTP/3.7"), (505,), skip={"apache": LENIENT}),
	bad("version-lower-case", req(version="http/1.1"), skip={"apache": LENIENT}),
	bad("version-long", req(version="HTTP/1.10"), (400, 505)),
	bad("version-leading-zero", req(version="HTTP/01.1"), (400, 505)),
	bad("version-no-dot", req(version="HTTP/11"), (400, 505)),
	bad("version-other-protocol", req(version="ICY/1.1"), (400, 505)),
	bad("two-spaces", req("@PATH@", version=" HTTP/1.1")),
	bad("two-spaces-before-target", req(" @PATH@")),
	bad("tab-separator", b"GET\t@PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\n"),
	bad("trailing-space", req(version="HTTP/1.1 ")),
	bad("leading-space", b" " + req()),
	bad("empty-method", req(method="")),
	bad("method-not-token", req(method="G@T"), (400, 501)),
	bad("method-with-colon", req(method="GET:"), (400, 501)),
	bad("no-target", b"GET HTTP/1.1\r\nHost: @HOST@\r\n\r\n"),
	bad("space-in-target", req("/hello.txt x")),
	bad("nul-in-target", req("/hello.txt\x00x")),
	bad("control-in-target", req("/hello.txt\x01")),
	bad("del-in-target", req("/hello.txt\x7f"), skip={"apache": LENIENT}),
	bad("cr-in-target", req("/hello.txt\rx")),
	bad("target-not-absolute", req("hello.txt"), skip={"apache": LENIENT}),
	bad("cr-only-line-ends", b"GET / HTTP/1.1\rHost: @HOST@\r\r"),
	bad("binary-rubbish", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
	Case("empty-line-before", b"\r\n" + req(), conn="open", **HELLO),
]

HOST = [
	bad("no-host", req(host="")),
	bad("host-twice", req(host="Host: @HOST@\r\nHost: @HOST@\r\n"), skip={"apache": LENIENT}),
	bad("host-twice-differing", req(host="Host: @HOST@\r\nHost: other.test\r\n"), skip={"apache": LENIENT}),
	bad("host-space", req(host="Host: a b\r\n")),
	bad("host-userinfo", req(host="Host: user@@HOST@\r\n")),
	bad("host-path", req(host="Host: @HOST@/x\r\n")),
	bad("host-list", req(host="Host: @HOST@, other.test\r\n")),
	bad("host-bracket", req(host="Host: [::1\r\n")),
	bad("host-bracket-rubbish", req(host="Host: [zz]\r\n")),
	bad("host-port-letters", req(host="Host: @HOST@:abc\r\n")),
	bad("host-port-range", req(host="Host: @HOST@:99999\r\n")),
	bad("host-port-sign", req(host="Host: @HOST@:+80\r\n")),
	bad("host-control", req(host="Host: @HOST@\x01\r\n")),
	bad("host-high-byte", req(host="Host: caf\xe9.test\r\n"), skip={"apache": LENIENT}),
	bad("host-percent-nul", req(host="Host: @HOST@%00\r\n"), skip={"apache": LENIENT}),
	Case("host-port", req(host="Host: @HOST@:8080\r\n"), conn="open", **HELLO),
	Case("host-empty-port", req(host="Host: @HOST@:\r\n"), conn="open", skip={"apache": LENIENT}, **HELLO),
	Case("host-case", req(host="hOsT: @HOST@\r\n"), conn="open", **HELLO),
	Case("host-dot-at-end", req(host="Host: @HOST@.\r\n"), **HELLO),
	Case("host-upper", b"GET @PATH@ HTTP/1.1\r\nHost:     @HOST@   \r\n\r\n", conn="open", **HELLO),
	Case("host-ipv6", req("/", host="Host: [::1]:80\r\n"), status=(200, 403, 404)),
]

TARGET = [
	Case("absolute-form", req("http://@HOST@@PATH@"), conn="open", **HELLO),
	Case("absolute-form-other-host", req("http://@HOST@@PATH@", host="Host: nowhere.test\r\n"), **HELLO),
	Case("absolute-form-empty-path", req("http://@HOST@"), status=(200, 301, 403, 404)),
	Case("absolute-form-query", req("http://@HOST@?x=1"), status=(200, 301, 403, 404)),
	bad("absolute-form-userinfo", req("http://u:p@@HOST@/hello.txt"), skip={"apache": LENIENT}),
	Case("absolute-form-dump", req("http://@HOST@/dump.php?a=1", host="Host: nowhere.test\r\n"), on="php", conn=None,
		dump={"HTTP_HOST": lambda v: v.endswith(".test") and v != "nowhere.test", "REQUEST_URI": "/dump.php?a=1",
			"SERVER_NAME": lambda v: v != "nowhere.test"}, skip={"apache": LENIENT}),
	Case("options-star", req("*", method="OPTIONS"), status=(200, 204, 405)),
	bad("get-star", req("*")),
	Case("connect", req("@HOST@:80", method="CONNECT"), status=(400, 403, 405, 501)),
	Case("connect-path", req(method="CONNECT"), status=(400, 403, 405, 501)),
	Case("trace", req(method="TRACE", headers="X-Echo: echoed-secret\r\n"), status=(403, 405, 501), body=re.compile(rb"\A(?!.*echoed-secret)", re.S),
		skip={"apache": "TraceEnable"}),
	Case("method-case", req(method="get"), status=(400, 405, 501), on="static"),
	Case("method-unknown-static", req(method="FOO"), status=(405, 501), on="static", skip={"apache": LENIENT}),
	Case("method-unknown-php", req("/dump.php", method="FOO"), on="php", dump={"REQUEST_METHOD": "FOO"}, conn="open"),
	Case("method-lower-php", req("/dump.php", method="purge"), on="php", dump={"REQUEST_METHOD": "purge"}),
	Case("method-put-php", req("/dump.php", method="PUT", headers="Content-Length: 3\r\n", body=b"abc"), on="php", conn="open",
		dump={"REQUEST_METHOD": "PUT", "CONTENT_LENGTH": "3"}),
	Case("method-delete-php", req("/dump.php", method="DELETE"), on="php", dump={"REQUEST_METHOD": "DELETE", "CONTENT_LENGTH": lambda v: not v}),
	Case("options-php", req("/dump.php", method="OPTIONS"), on="php", dump={"REQUEST_METHOD": "OPTIONS"}),
	Case("fragment", req("@PATH@#x"), status=(200, 400, 404)),
]

FIELDS = [
	bad("no-colon", req(headers="JustAName\r\n")),
	bad("empty-name", req(headers=": value\r\n")),
	bad("space-before-colon", req(headers="X-A : 1\r\n")),
	bad("tab-before-colon", req(headers="X-A\t: 1\r\n")),
	bad("leading-whitespace-first", b"GET @PATH@ HTTP/1.1\r\n Host: @HOST@\r\n\r\n"),
	bad("leading-whitespace-first-with-host", b"GET @PATH@ HTTP/1.1\r\n X: y\r\nHost: @HOST@\r\n\r\n"),
	Case("name-not-token", req("/dump.php", headers="X(a: 1\r\nX\"b: 2\r\n"), status=(400, 200), on="php",
		body=re.compile(rb"\A(?!.*X\(A)(?!.*HTTP_X_A)(?!.*HTTP_X_B)", re.S)),
	Case("name-high-byte", req("/dump.php", headers="X-\xe9: 1\r\n"), status=(400, 200), on="php", body=re.compile(rb"\A(?!.*HTTP_X_)", re.S)),
	Case("obs-fold", req("/dump.php", headers="X-Fold: a\r\n b\r\n"), status=(400, 200), on="php",
		body=re.compile(rb"\A(?!.*\\r)(?!.*\\n)", re.S)),
	bad("nul-in-value", req(headers="X-A: a\x00b\r\n")),
	bad("cr-in-value", req(headers="X-A: a\rb\r\n")),
	bad("cr-at-value-end", req(headers="X-A: a\r\r\n")),
	bad("control-in-value", req(headers="X-A: a\x01b\r\n")),
	Case("trim", req("/dump.php", headers="X-A: \t v w \t \r\nX-B:v\r\n"), on="php", dump={"HTTP_X_A": "v w", "HTTP_X_B": "v"}, conn="open"),
	Case("high-bytes", req("/dump.php", headers="X-A: \x80\xc3\xbf\xff\r\n"), on="php", dump={"HTTP_X_A": "\x80\xc3\xbf\xff"}),
	Case("empty-value", req("/dump.php", headers="X-A:\r\nX-B: \r\n"), on="php", dump={"HTTP_X_A": "", "HTTP_X_B": ""}),
	Case("inner-tab", req("/dump.php", headers="X-A: a\tb\r\n"), on="php", dump={"HTTP_X_A": "a\tb"}),
	Case("underscore-dropped", req("/dump.php", headers="X_A: 1\r\nContent_Length: 9\r\nHTTP_X: 1\r\n"), on="php",
		dump={"HTTP_X_A": None, "CONTENT_LENGTH": lambda v: not v, "HTTP_CONTENT_LENGTH": None, "HTTP_HTTP_X": None}),
	Case("underscore-no-override", req("/dump.php", headers="X-A: right\r\nX_A: wrong\r\n"), on="php", dump={"HTTP_X_A": "right"}),
	Case("proxy-dropped", req("/dump.php", headers="Proxy: http://evil.test/\r\npROXY: x\r\n"), on="php", dump={"HTTP_PROXY": None},
		skip={"apache": LENIENT}),
	Case("no-variable-set", req("/dump.php", headers="Remote-Addr: 9.9.9.9\r\nScript-Filename: /etc/passwd\r\nDocument-Root: /\r\nHTTPS: on\r\n"
		"Redirect-Status: 500\r\nPath-Info: /x\r\n"), on="php",
		dump={"REMOTE_ADDR": "127.0.0.1", "SCRIPT_FILENAME": re.compile(r"/root/dump\.php$"), "DOCUMENT_ROOT": re.compile(r"/root$"), "HTTPS": None,
			"HTTP_HTTPS": "on", "PATH_INFO": lambda v: not v, "HTTP_REMOTE_ADDR": "9.9.9.9"}),
	Case("forwarded-ignored", req("/dump.php", headers="X-Forwarded-For: 9.9.9.9\r\nForwarded: for=9.9.9.9;proto=https\r\nX-Forwarded-Proto: https\r\n"
		"X-Real-IP: 9.9.9.9\r\n"), on="php", dump={"REMOTE_ADDR": "127.0.0.1", "HTTPS": lambda v: not v, "HTTP_X_FORWARDED_FOR": "9.9.9.9",
		"REQUEST_SCHEME": "http"}),
	Case("field-repeated", req("/dump.php", headers="X-A: 1\r\nX-A: 2\r\nX-A: 3\r\n"), on="php", dump={"HTTP_X_A": "1, 2, 3"}),
	Case("cookie-repeated", req("/dump.php", headers="Cookie: a=1\r\nCookie: b=2\r\n"), on="php", dump={"HTTP_COOKIE": re.compile("^a=1; ?b=2$")},
		skip={"apache": "joins with a comma"}),
	bad("lf-in-name", req(headers="X-A\n: 1\r\n"), skip={"apache": LENIENT}),
]

LF = [
	Case("bare-lf-everywhere", b"GET @PATH@ HTTP/1.1\nHost: @HOST@\n\n", status=(200, 400)),
	Case("bare-lf-one-field", b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\nX-A: 1\nX-B: 2\r\n\r\n", status=(200, 400)),
]

LIMITS = [
	Case("line-8000", req("@PATH@?" + "x" * 7900), conn="open", **HELLO),
	bad("line-long", req("@PATH@?" + "x" * 20000), (414,)),
	bad("line-endless", b"GET /" + b"x" * 200000, (400, 414)),
	Case("field-8000", req(headers="X-A: %s\r\n" % ("x" * 7900)), conn="open", **HELLO),
	bad("field-long", req(headers="X-A: %s\r\n" % ("x" * 70000)), (400, 431)),
	bad("field-name-long", req(headers="%s: 1\r\n" % ("x" * 70000)), (400, 431)),
	Case("fields-90", req(headers="".join("X-%d: 1\r\n" % i for i in range(90))), conn="open", **HELLO),
	bad("fields-many", req(headers="".join("X-%d: 1\r\n" % i for i in range(5000))), (400, 431)),
	bad("header-endless", b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 4000) for i in range(400)), (400, 431)),
	Case("body-limit-length", req("/limited/echo.php", method="POST", headers="Content-Length: 1001\r\n", body=b"x" * 1001), status=413, on="php"),
	Case("body-limit-chunked", req("/limited/echo.php", method="POST", headers="Transfer-Encoding: chunked\r\n", body=b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"),
		status=413, on="php", skip={"apache": "limits while the handler reads"}),
	Case("body-at-limit", req("/limited/echo.php", method="POST", headers="Content-Length: 1000\r\n", body=b"x" * 1000), on="php", body=b"x" * 1000, conn="open"),
	Case("body-limit-static-untouched", req("/hello.txt", headers="Content-Length: 5\r\n", body=b"12345"), on="static", **HELLO),
	Case("body-limit-no-100", req("/limited/echo.php", method="POST", headers="Content-Length: 5000\r\nExpect: 100-continue\r\n"), status=413, on="php"),
]

PERSIST = [
	Case("close-honoured", req(headers="Connection: close\r\n"), conn="close", has={"Connection": re.compile("(?i)close")}, **HELLO),
	Case("close-in-list", req(headers="Connection: x, Close ,y\r\n"), conn="close", **HELLO),
	Case("close-wins", req(headers="Connection: keep-alive, close\r\n"), conn="close", **HELLO),
	Case("keep-alive-default", req(), conn="open", has={"Connection": lambda v: v is None or "close" not in v.lower()}, **HELLO),
	Case("expect-other", req(headers="Expect: 200-fine\r\n"), status=(200, 417)),
	Case("expect-no-body", req(headers="Expect: 100-continue\r\n"), **HELLO),
	Case("upgrade-ignored", req(headers="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), conn="open", **HELLO),
	Case("body-on-get", req(headers="Content-Length: 5\r\n", body=b"12345"), conn="open", **HELLO),
	Case("chunked-body-on-get", req(headers="Transfer-Encoding: chunked\r\n", body=b"5\r\n12345\r\n0\r\n\r\n"), conn="open", **HELLO),
]

ALL = REQUEST_LINE + HOST + TARGET + FIELDS + LF + LIMITS + PERSIST
cases = table(ALL)


@cases("any")
def test_any(any_target, peer, case):
	run(case, any_target, peer)


@cases("php")
def test_php(php_target, peer, case):
	run(case, php_target, peer)


@cases("static")
def test_static(static_target, peer, case):
	run(case, static_target, peer)


def test_pipelining(any_target):
	with any_target.conn() as c:
		c.send(fill(req() * 5 + req(method="HEAD") + req(headers="Connection: close\r\n") + req(), any_target))
		for _ in range(5):
			r = c.response()
			assert (r.status, r.body) == (200, b"hello\n"), r
		assert c.response("HEAD").status == 200
		assert c.response().body == b"hello\n"
		assert c.eof(), "answered after close: %r" % c.buf


def test_pipelining_with_bodies(php_target):
	body = bytes(range(256)) * 40
	one = req("/echo.php", method="POST", headers="Content-Length: %d\r\n" % len(body), body=body)
	two = req("/echo.php", method="POST", headers="Transfer-Encoding: chunked\r\n", body=b"a\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n")
	with php_target.conn() as c:
		c.send(fill((one + two) * 3 + req(), php_target))
		for _ in range(3):
			assert c.response().body == body
			assert c.response().body == b"0123456789abc"
		assert c.response().body == b"hello\n"


def test_pipelined_order_with_slow_first(php_target):
	"""Answers come in the order of the requests, even when the first takes longest."""
	with php_target.conn() as c:
		c.send(fill(req("/sleep.php?s=0.5") + req("/hello.txt") + req("/hello.php"), php_target))
		assert re.match(rb"^\d+\n$", c.response().body)
		assert c.response().body == b"hello\n"
		assert c.response().body == b"hello\n"


def test_octet_by_octet(any_target):
	with any_target.conn() as c:
		c.send_slowly(fill(req(headers="X-A: 1\r\n"), any_target), pause=0.002)
		assert c.response().body == b"hello\n"


def test_split_anywhere(any_target):
	"""The parser resumes at any octet: a few splits here, all of them in the unit tests."""
	raw = fill(req(headers="X-A: 1\r\nX-B: 2\r\n"), any_target)
	with any_target.conn() as c:
		for at in range(1, len(raw), 7):
			c.send(raw[:at])
			time.sleep(0.003)
			c.send(raw[at:])
			assert c.response().body == b"hello\n", at


def test_expect_100(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/echo.php", method="POST", headers="Content-Length: 5\r\nExpect: 100-continue\r\n"), php_target))
		assert c.line() == b"HTTP/1.1 100 Continue"
		while c.line():
			pass
		c.send(b"12345")
		r = c.response()
		assert (r.status, r.body, r.interim) == (200, b"12345", [])


def test_expect_100_body_already_sent(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/echo.php", method="POST", headers="Content-Length: 5\r\nExpect: 100-continue\r\n", body=b"12345") + req(), php_target))
		assert c.response().body == b"12345"
		assert c.response().body == b"hello\n"


def test_expect_100_not_for_1_0(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/echo.php", method="POST", version="HTTP/1.0", headers="Content-Length: 5\r\nExpect: 100-continue\r\n"), php_target))
		time.sleep(0.3)
		c.send(b"12345")
		r = c.response()
		assert r.interim == [] and r.body == b"12345"


def test_1_0_gets_no_chunks(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/big.php?n=100000", version="HTTP/1.0"), php_target))
		r = c.response()
		assert r.framing in ("close", "length") and len(r.body) == 100000


@pytest.mark.parametrize("path", ["/nothing-here.txt", "/nothing-here.php", "/hello.txt", "/hello.php", "/denied/file.txt", "/dir"])
def test_body_unread_is_read_off(any_target, path):
	"""An answer given without reading a big body still reaches the client whole, and the next request is served or the connection ends."""
	body = b"GET /hello.txt HTTP/1.1\r\nHost: static.test\r\n\r\n" * 40000  # looks like requests
	with any_target.conn() as c:
		c.send_what_goes(fill(req(path, method="POST", headers="Content-Length: %d\r\n" % len(body), body=body), any_target))
		r = c.response()
		assert r.status in (200, 301, 403, 404, 405, 413), r
		c.send_what_goes(fill(req("/digits.txt"), any_target))
		try:
			again = c.response()
			assert again.body == b"0123456789" * 10, "a body was taken for requests: %r" % again
		except AssertionError as e:
			assert "closed without" in str(e) or "reset" in str(e), e
