# SPDX-License-Identifier: Apache-2.0
"""Where a request ends: the rules that keep one client's octets from becoming another's request (RFC 9112 section 6)."""
import re
import socket
import time

import pytest

from cases import Broken, Case, fill, req, run, run_rest, table

LENIENT = "reads it otherwise"


def post(headers, body=b"", path="/echo.php", version="HTTP/1.1"):
	return req(path, method="POST", headers=headers, body=body, version=version)


def chunked(body, headers="", path="/echo.php", version="HTTP/1.1"):
	return post("Transfer-Encoding: chunked\r\n" + headers, body, path, version)


def bad(id, raw, status=(400,), **k):
	"""Refused: one answer, then the end. The request that follows on the connection must not run."""
	k.setdefault("on", "php")
	return Case(id, raw + req("/record.php?id=smuggled"), status=status, conn="close", **k)


LENGTH = [
	Case("length", post("Content-Length: 5\r\n", b"12345"), on="php", body=b"12345", conn="open"),
	Case("length-zero", post("Content-Length: 0\r\n"), on="php", body=b"", conn="open"),
	Case("length-leading-zeros", post("Content-Length: 0005\r\n", b"12345"), on="php", status=(200, 400)),
	Case("post-without-length", post(""), on="php", body=b"", conn="open"),
	bad("length-plus", post("Content-Length: +5\r\n", b"12345")),
	bad("length-minus", post("Content-Length: -1\r\n")),
	bad("length-hex", post("Content-Length: 0x5\r\n", b"12345")),
	bad("length-space-inside", post("Content-Length: 5 5\r\n", b"12345")),
	bad("length-empty", post("Content-Length: \r\n"), skip={"apache": LENIENT}),
	bad("length-letters", post("Content-Length: abc\r\n")),
	bad("length-semicolon", post("Content-Length: 5;x\r\n", b"12345")),
	bad("length-decimal-point", post("Content-Length: 5.0\r\n", b"12345")),
	bad("length-underscore-digits", post("Content-Length: 1_0\r\n", b"1234567890")),
	bad("length-over-63-bits", post("Content-Length: 9223372036854775808\r\n"), (400, 413)),
	bad("length-over-64-bits", post("Content-Length: 18446744073709551621\r\n", b"12345"), (400, 413)),
	bad("length-huge", post("Content-Length: " + "9" * 60 + "\r\n"), (400, 413)),
	bad("length-differing", post("Content-Length: 5\r\nContent-Length: 6\r\n", b"12345"), skip={"apache": LENIENT}),
	bad("length-differing-list", post("Content-Length: 5, 6\r\n", b"12345")),
	Case("length-same-twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", b"12345"), on="php", status=(200, 400)),
	Case("length-same-list", post("Content-Length: 5, 5\r\n", b"12345"), on="php", status=(200, 400)),
	bad("length-unicode-digit", post("Content-Length: \xb2\r\n", b"12")),
	bad("length-nul", post("Content-Length: 5\x00\r\n", b"12345")),
	bad("length-vertical-tab", post("Content-Length: \x0b5\r\n", b"12345")),
]

CODING = [
	Case("chunked", chunked(b"5\r\n12345\r\n0\r\n\r\n"), on="php", body=b"12345", conn="open"),
	Case("chunked-case", post("Transfer-Encoding: cHuNkEd\r\n", b"5\r\n12345\r\n0\r\n\r\n"), on="php", body=b"12345", conn="open"),
	Case("chunked-many", chunked(b"".join(b"1\r\n%c\r\n" % (97 + i % 26) for i in range(500)) + b"0\r\n\r\n"), on="php",
		body=bytes(97 + i % 26 for i in range(500)), conn="open"),
	Case("chunked-upper-hex", chunked(b"A\r\n0123456789\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), on="php",
		body=b"0123456789abcdefghijklmnopqrstuvwxyz", conn="open"),
	Case("chunked-leading-zeros", chunked(b"0005\r\n12345\r\n000\r\n\r\n"), on="php", body=b"12345", conn="open"),
	Case("chunked-empty", chunked(b"0\r\n\r\n"), on="php", body=b"", conn="open"),
	Case("chunked-extension", chunked(b"5;a=b;c=\"d e\"\r\n12345\r\n0;last\r\n\r\n"), on="php", body=b"12345", conn="open"),
	Case("chunked-trailers", chunked(b"5\r\n12345\r\n0\r\nX-Trailer: 1\r\nX-More: 2\r\n\r\n"), on="php", body=b"12345", conn="open"),
	Case("trailers-not-in-environment", chunked(b"0\r\nX-Trailer: 1\r\nContent-Length: 77\r\nHost: evil.test\r\n\r\n", path="/dump.php"), on="php",
		dump={"HTTP_X_TRAILER": None, "HTTP_HOST": re.compile(r"\.test$"), "CONTENT_LENGTH": lambda v: v != "77"}, conn="open"),
	Case("chunked-length-known", chunked(b"5\r\n12345\r\n6\r\nabcdef\r\n0\r\n\r\n", path="/dump.php"), on="php",
		dump={"CONTENT_LENGTH": "11", "HTTP_TRANSFER_ENCODING": None}, skip={"apache": "no length"}),
	bad("coding-unknown", post("Transfer-Encoding: gzip\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-identity", post("Transfer-Encoding: identity\r\n", b""), (400, 501)),
	bad("coding-gzip-chunked", post("Transfer-Encoding: gzip, chunked\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501), skip={"apache": LENIENT}),
	bad("coding-chunked-gzip", post("Transfer-Encoding: chunked, gzip\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-chunked-twice", post("Transfer-Encoding: chunked, chunked\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501), skip={"apache": LENIENT}),
	bad("coding-two-fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501), skip={"apache": LENIENT}),
	bad("coding-two-fields-identity", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-quoted", post("Transfer-Encoding: \"chunked\"\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-parameter", post("Transfer-Encoding: chunked;q=1\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-prefix", post("Transfer-Encoding: xchunked\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-vertical-tab", post("Transfer-Encoding: \x0bchunked\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501)),
	bad("coding-space-before-colon", post("Transfer-Encoding : chunked\r\n", b"5\r\n12345\r\n0\r\n\r\n")),
	bad("coding-empty", post("Transfer-Encoding:\r\n", b"5\r\n12345\r\n0\r\n\r\n"), (400, 501), skip={"apache": LENIENT}),
	Case("coding-and-length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + req("/record.php?id=smuggled")), on="php",
		status=(200, 400), conn="close", skip={"apache": LENIENT}),
	Case("length-and-coding", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + req("/record.php?id=smuggled")), on="php",
		status=(200, 400), conn="close", skip={"apache": LENIENT}),
	Case("coding-1.0", chunked(b"5\r\n12345\r\n0\r\n\r\n", "Connection: keep-alive\r\n", version="HTTP/1.0"), on="php", status=(200, 400, 501), conn="close",
		skip={"apache": LENIENT}),
]

CHUNKS = [
	bad("chunk-0x", chunked(b"0x5\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-plus", chunked(b"+5\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-minus", chunked(b"-5\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-no-size", chunked(b"\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-letters", chunked(b"g\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-space-first", chunked(b" 5\r\n12345\r\n0\r\n\r\n")),
	bad("chunk-overflow-63", chunked(b"8000000000000000\r\n12345\r\n0\r\n\r\n"), (400, 413)),
	bad("chunk-overflow-64", chunked(b"10000000000000005\r\n12345\r\n0\r\n\r\n"), (400, 413)),
	bad("chunk-overflow-huge", chunked(b"f" * 100 + b"\r\n12345\r\n0\r\n\r\n"), (400, 413)),
	bad("chunk-zeros-endless", chunked(b"0" * 20000 + b"5\r\n12345\r\n0\r\n\r\n"), (400, 413), skip={"apache": LENIENT}),
	bad("chunk-data-no-crlf", chunked(b"5\r\n12345xx0\r\n\r\n")),
	bad("chunk-data-lf", chunked(b"5\r\n12345\n0\r\n\r\n"), skip={"apache": LENIENT}),
	bad("chunk-size-lf", chunked(b"5\n12345\r\n0\r\n\r\n"), skip={"apache": LENIENT}),
	bad("chunk-size-cr", chunked(b"5\rX\n12345\r\n0\r\n\r\n")),
	bad("chunk-extension-lf", chunked(b"5;a\n12345\r\n0\r\n\r\n"), skip={"apache": LENIENT}),
	bad("chunk-extension-cr", chunked(b"5;a\rb\r\n12345\r\n0\r\n\r\n"), skip={"apache": LENIENT}),
	bad("chunk-extension-nul", chunked(b"5;a\x00\r\n12345\r\n0\r\n\r\n"), skip={"apache": LENIENT}),
	bad("chunk-extension-endless", chunked(b"5;" + b"a" * 200000 + b"\r\n12345\r\n0\r\n\r\n"), (400, 413)),
	bad("trailers-endless", chunked(b"0\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(30000)) + b"\r\n"), (400, 413, 431),
		skip={"apache": LENIENT}),
	bad("trailer-bad", chunked(b"0\r\nno colon here\r\n\r\n"), (400,), skip={"apache": LENIENT}),
]

cases = table(LENGTH + CODING + CHUNKS)


@cases("php")
def test_php(php_target, peer, case):
	try:
		run(case, php_target, peer)
	finally:
		assert php_target.var("smuggled") is None, "the octets after a framing error ran as a request"


STATIC = [
	bad("static-both", req(headers="Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body=b"0\r\n\r\n"), on="static", skip={"apache": LENIENT}),
	bad("static-length", req(headers="Content-Length: x\r\n"), on="static"),
	bad("static-chunk", req(headers="Transfer-Encoding: chunked\r\n", body=b"zz\r\n"), (200, 400), on="static"),
]


@table(STATIC)("static")
def test_static(static_target, peer, case):
	run(case, static_target, peer)


def truncated(php_target, raw, how):
	name = "cut-%s-%d" % (php_target.name, truncated.n)
	truncated.n += 1
	with php_target.conn() as c:
		c.send(fill(raw.replace(b"@ID@", name.encode()), php_target))
		time.sleep(0.1)
		if how == "half":
			c.s.shutdown(socket.SHUT_WR)
			try:
				r = c.response()
				assert r.status in (400, 408), r
			except Broken as e:
				assert "closed without" in str(e) or "reset" in str(e), e
		elif how == "reset":
			c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
	time.sleep(0.4)
	assert php_target.var(name) is None, "PHP was given a body that ended early"


truncated.n = 0


@pytest.mark.parametrize("how", ["half", "close", "reset"])
@pytest.mark.parametrize("kind", ["length", "chunked", "no-last-chunk"])
def test_truncated_body_never_runs(php_target, peer, kind, how):
	if peer == "apache":
		pytest.skip("apache: gives PHP what there is")
	raw = {
		"length": post("Content-Length: 100\r\n", b"x" * 50, path="/record.php?id=@ID@"),
		"chunked": chunked(b"64\r\n" + b"x" * 50, path="/record.php?id=@ID@"),
		"no-last-chunk": chunked(b"32\r\n" + b"x" * 50 + b"\r\n", path="/record.php?id=@ID@"),
	}[kind]
	truncated(php_target, raw, how)


def test_half_close_after_whole_request(any_target):
	"""A client that half-closes after a complete request is still answered."""
	with any_target.conn() as c:
		c.send(fill(req(), any_target))
		c.s.shutdown(socket.SHUT_WR)
		assert c.response().body == b"hello\n"
		assert c.eof()


def test_only_one_error_answer(any_target):
	with any_target.conn() as c:
		c.send_what_goes(fill(b"BAD REQUEST LINE HERE\r\n\r\n" * 50, any_target))
		assert c.response().status == 400
		assert run_rest(c) == b""


def test_lingering_close(any_target):
	"""The client is still sending when an error is answered: it must see the answer, not a reset."""
	for _ in range(5):
		with any_target.conn() as c:
			c.send_what_goes(fill(req(headers="Content-Length: abc\r\n"), any_target))
			for _ in range(40):
				c.send_what_goes(b"x" * 65536)
			r = c.response()
			assert r.status == 400, r


# What a script writes never decides how the answer is framed.
@pytest.mark.parametrize("length,sent,want", [("5", 20, b"xxxxx"), ("0", 20, b"")])
def test_script_writes_more_than_it_said(php_target, peer, length, sent, want):
	if peer == "apache":
		pytest.skip("apache: puts the length right when it has seen all")
	with php_target.conn() as c:
		c.send(fill(req("/out.php?h[]=Content-Length:%%20%s&body=x&repeat=%d" % (length, sent)) + req(), php_target))
		r = c.response()
		assert r.body == want, r
		assert c.response().body == b"hello\n", "surplus octets reached the next answer"


def test_script_writes_less_than_it_said(php_target, peer):
	if peer == "apache":
		pytest.skip("apache: puts the length right when it has seen all")
	with php_target.conn() as c:
		c.send(fill(req("/out.php?h[]=Content-Length:%2050&body=x&repeat=20"), php_target))
		try:
			r = c.response()
			assert r.status == 502, "the client cannot tell that this is cut: %r" % r
		except Broken as e:
			assert "cut" in str(e) or "reset" in str(e), e
	assert php_target.get(php_target.path).body == b"hello\n"


@pytest.mark.parametrize("field", ["Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Connection: upgrade", "Connection: close, x-a", "Keep-Alive: timeout=999",
	"Upgrade: h2c", "Trailer: x", "Proxy-Connection: close", "TE: trailers"])
def test_script_hop_by_hop(php_target, peer, field):
	if peer != "bulkhead":
		pytest.skip("peers let some through")
	with php_target.conn() as c:
		c.send(fill(req("/out.php?h[]=%s&body=text" % field.replace(" ", "%20").replace(",", "%2c")) + req(), php_target))
		r = c.response()
		assert r.status in (200, 502), r
		if r.status == 200:
			assert r.body == b"text"
			name, value = field.split(": ")
			assert value not in r.all(name) or (r.framing == "chunked" and field == "Transfer-Encoding: chunked"), r # ours, when it comes in pieces
			assert c.response().body == b"hello\n"


@pytest.mark.parametrize("value", ["abc", "-5", "5x", "0x5", "99999999999999999999"])
def test_script_bad_length(php_target, peer, value):
	if peer != "bulkhead":
		pytest.skip("peers let some through")
	r = php_target.get("/out.php?h[]=Content-Length:%%20%s&body=12345678" % value)
	assert r.status == 502 or (r.status == 200 and r.body == b"12345678"), r


def test_script_two_lengths(php_target, peer):
	if peer != "bulkhead":
		pytest.skip("peers let some through")
	r = php_target.get("/out.php?h[]=Content-Length:%205&h[]=Content-Length:%208&body=12345678")
	assert r.status == 502 or r.body in (b"12345678", b"12345"), r
