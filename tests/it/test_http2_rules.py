# SPDX-License-Identifier: Apache-2.0
"""RFC 9113 sections 3 to 8: each MUST whose breach ends a stream or a connection, over raw frames."""
import pytest

import conftest  # noqa: F401
import h2wire
from h2wire import (ACK, CALM, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
	FRAME_SIZE_ERROR, GOAWAY, HEADERS, PADDED, PING, PRIO, PRIORITY, PROTOCOL_ERROR, PUSH, REFUSED_STREAM, RST, SETTINGS, STREAM_CLOSED,
	WINDOW, frame, settings, u32)

pytestmark = pytest.mark.bulkhead
HOST = "static.test"
FULL = END_HEADERS | END_STREAM


def get(c, sid, extra=(), flags=FULL, path="/hello.txt", fields=None):
	return frame(HEADERS, flags, sid, c.block(fields if fields is not None else c.head(HOST, path, extra=extra)))


def post(c, sid, extra=()):
	return frame(HEADERS, END_HEADERS, sid, c.block(c.head(HOST, "/hello.txt", "POST", extra=extra)))


def upload(c, sid, extra=(), flags=END_HEADERS):
	"""A request whose body is waited for."""
	return frame(HEADERS, flags, sid, c.block(c.head("worker.test", "/echo.php", "POST", extra=extra)))


def answered(c, text=b""):
	"""Send @text, which is answered on stream 1, and wait until that is over."""
	c.send(text or get(c, 1))
	c.answer(1)
	assert c.ping(), "the end came too early"


def left(c):
	"""A request that the client takes back."""
	c.send(get(c, 1, path="/blob.bin") + frame(RST, 0, 1, u32(CANCEL)))
	assert c.ping(), "the end came too early"


def cut(c):
	"""A request that the server ends while its body is under way."""
	c.send(frame(HEADERS, END_HEADERS, 1, raw(*without(c, ":path"))))
	assert c.answer(1).reset == PROTOCOL_ERROR


def after(first, then):
	"""What is sent once @first is over."""
	return lambda c: (first(c), then(c))[1]


# What breaks the connection: id, what is sent after the preface, codes of GOAWAY.
CONNECTION = [
	("4.2-settings-length", lambda c: frame(SETTINGS, 0, 0, b"12345"), [FRAME_SIZE_ERROR]),
	("4.2-headers-too-large", lambda c: frame(HEADERS, FULL, 1, b"\0" * 16385), [FRAME_SIZE_ERROR]),
	("4.2-data-too-large", lambda c: post(c, 1) + frame(DATA, 0, 1, b"x" * 16385), [FRAME_SIZE_ERROR]),
	("4.2-ping-length", lambda c: frame(PING, 0, 0, b"1234567"), [FRAME_SIZE_ERROR]),
	("4.2-window-length", lambda c: frame(WINDOW, 0, 0, b"123"), [FRAME_SIZE_ERROR]),
	("4.2-reset-length", lambda c: get(c, 1, flags=END_HEADERS) + frame(RST, 0, 1, b"123"), [FRAME_SIZE_ERROR]),
	("4.2-goaway-length", lambda c: frame(GOAWAY, 0, 0, b"123"), [FRAME_SIZE_ERROR]),
	("4.2-continuation-too-large", lambda c: get(c, 1, flags=0) + frame(CONTINUATION, END_HEADERS, 1, b"\0" * 16385), [FRAME_SIZE_ERROR]),
	("4.2-settings-too-large", lambda c: frame(SETTINGS, 0, 0, b"\0\xff\0\0\0\0" * 2731), [FRAME_SIZE_ERROR]),
	("4.2-goaway-too-large", lambda c: frame(GOAWAY, 0, 0, b"\0" * 16385), [FRAME_SIZE_ERROR]),
	("4.2-unknown-too-large", lambda c: frame(0xfa, 0, 0, b"x" * 16385), [FRAME_SIZE_ERROR]),
	("4.2-headers-without-their-priority", lambda c: frame(HEADERS, FULL | PRIO, 1, u32(0)), [FRAME_SIZE_ERROR]),
	("4.2-headers-without-their-padding", lambda c: frame(HEADERS, FULL | PADDED, 1, b""), [FRAME_SIZE_ERROR, PROTOCOL_ERROR]),
	("4.2-data-without-their-padding", lambda c: upload(c, 1) + frame(DATA, PADDED, 1, b""), [FRAME_SIZE_ERROR, PROTOCOL_ERROR]),
	("4.2-window-of-a-stream-length", lambda c: upload(c, 1) + frame(WINDOW, 0, 1, b"12345"), [FRAME_SIZE_ERROR]),
	("4.3-hpack-index", lambda c: frame(HEADERS, FULL, 1, b"\xff\xff\xff\x0f"), [COMPRESSION_ERROR]),
	("4.3-hpack-index-0", lambda c: frame(HEADERS, FULL, 1, b"\x80"), [COMPRESSION_ERROR]),
	("4.3-hpack-index-of-a-name", lambda c: frame(HEADERS, FULL, 1, b"\x7f\x80\x01\x01a"), [COMPRESSION_ERROR]),
	("4.3-hpack-integer", lambda c: frame(HEADERS, FULL, 1, b"\x82\x00\x7f\xff\xff\xff\xff\xff\xff\x7f"), [COMPRESSION_ERROR]),
	("4.3-hpack-huffman-long-padding", lambda c: frame(HEADERS, FULL, 1, b"\x82\x00\x82\x1f\xff\x01a"), [COMPRESSION_ERROR]),
	("4.3-hpack-huffman-padding-of-zeros", lambda c: frame(HEADERS, FULL, 1, b"\x82\x00\x81\x18\x01a"), [COMPRESSION_ERROR]),
	("4.3-hpack-in-trailers", lambda c: upload(c, 1) + frame(HEADERS, FULL, 1, b"\x80"), [COMPRESSION_ERROR]),
	("4.3-hpack-truncated", lambda c: frame(HEADERS, FULL, 1, b"\x00\x05ab"), [COMPRESSION_ERROR]),
	("4.3-hpack-huffman-eos", lambda c: frame(HEADERS, FULL, 1, b"\x00\x84\xff\xff\xff\xff\x00"), [COMPRESSION_ERROR]),
	("4.3-hpack-table-size", lambda c: frame(HEADERS, FULL, 1, b"\x3f\xe1\xff\x03"), [COMPRESSION_ERROR]),
	("4.3-hpack-table-size-late", lambda c: frame(HEADERS, FULL, 1, b"\x82\x20"), [COMPRESSION_ERROR]),
	("4.3-interrupted-by-data", lambda c: get(c, 1, flags=0) + frame(DATA, 0, 1, b"x"), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-headers", lambda c: get(c, 1, flags=0) + get(c, 3), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-unknown", lambda c: get(c, 1, flags=0) + frame(0xfa, 0, 0, b""), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-priority", lambda c: get(c, 1, flags=0) + frame(PRIORITY, 0, 1, u32(0) + b"\x10"), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-settings", lambda c: get(c, 1, flags=0) + settings(), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-ping", lambda c: get(c, 1, flags=0) + frame(PING, 0, 0, b"12345678"), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-reset", lambda c: get(c, 1, flags=0) + frame(RST, 0, 1, u32(CANCEL)), [PROTOCOL_ERROR]),
	("4.3-interrupted-by-window", lambda c: get(c, 1, flags=0) + frame(WINDOW, 0, 0, u32(1)), [PROTOCOL_ERROR]),
	("4.3-continuation-elsewhere", lambda c: get(c, 1, flags=0) + frame(CONTINUATION, END_HEADERS, 3, b""), [PROTOCOL_ERROR]),
	("5.1-idle-data", lambda c: frame(DATA, 0, 1, b"x"), [PROTOCOL_ERROR, STREAM_CLOSED]),
	("5.1-idle-reset", lambda c: frame(RST, 0, 1, u32(CANCEL)), [PROTOCOL_ERROR]),
	("5.1-idle-window", lambda c: frame(WINDOW, 0, 1, u32(1)), [PROTOCOL_ERROR]),
	("5.1-idle-data-after-priority", lambda c: frame(PRIORITY, 0, 1, u32(0) + b"\x10") + frame(DATA, 0, 1, b"x"), [PROTOCOL_ERROR]),
	("5.1-idle-even-data", lambda c: frame(DATA, 0, 2, b"x"), [PROTOCOL_ERROR]),
	("5.1-idle-even-window", lambda c: frame(WINDOW, 0, 2, u32(1)), [PROTOCOL_ERROR]),
	("5.1-idle-even-reset", lambda c: frame(RST, 0, 2, u32(CANCEL)), [PROTOCOL_ERROR]),
	("5.1-idle-continuation", lambda c: frame(CONTINUATION, END_HEADERS, 1, b""), [PROTOCOL_ERROR]),
	("5.1.1-even", lambda c: get(c, 2), [PROTOCOL_ERROR]),
	("5.1.1-reused", lambda c: get(c, 1) + get(c, 1), [STREAM_CLOSED]),
	("5.1.1-passed-over", lambda c: get(c, 5) + get(c, 3), [PROTOCOL_ERROR]),
	("5.1.1-passed-over-far", lambda c: get(c, 2049) + get(c, 1031), [PROTOCOL_ERROR]),
	("5.1.1-passed-over-with-a-priority", lambda c: frame(0x10, 0, 0, u32(3) + b"u=1") + get(c, 5) + get(c, 3), [PROTOCOL_ERROR]),
	("5.1.1-passed-over-data", lambda c: get(c, 5) + frame(DATA, 0, 3, b"x"), [STREAM_CLOSED]),
	("6.1-data-on-0", lambda c: frame(DATA, 0, 0, b"x"), [PROTOCOL_ERROR]),
	("6.1-padding", lambda c: post(c, 1) + frame(DATA, PADDED, 1, b"\x05abcd"), [PROTOCOL_ERROR]),
	("6.2-headers-on-0", lambda c: get(c, 0), [PROTOCOL_ERROR]),
	("6.2-padding", lambda c: frame(HEADERS, FULL | PADDED, 1, b"\xff\x82"), [PROTOCOL_ERROR]),
	("6.2-padding-and-priority", lambda c: frame(HEADERS, FULL | PADDED | PRIO, 1, b"\x05" + u32(0) + b"\x101234"), [PROTOCOL_ERROR]),
	("6.3-priority-on-0", lambda c: frame(PRIORITY, 0, 0, u32(1) + b"\x10"), [PROTOCOL_ERROR]),
	("6.4-reset-on-0", lambda c: frame(RST, 0, 0, u32(CANCEL)), [PROTOCOL_ERROR]),
	("6.5-ack-with-content", lambda c: frame(SETTINGS, ACK, 0, b"\0" * 6), [FRAME_SIZE_ERROR]),
	("6.5-settings-on-1", lambda c: frame(SETTINGS, 0, 1, b""), [PROTOCOL_ERROR]),
	("6.5.2-enable-push", lambda c: settings((2, 2)), [PROTOCOL_ERROR]),
	("6.5.2-window-size", lambda c: settings((4, 0x80000000)), [FLOW_CONTROL_ERROR]),
	("6.5.2-extended-connect", lambda c: settings((8, 2)), [PROTOCOL_ERROR]),
	("6.5.2-no-priorities", lambda c: settings((9, 2)), [PROTOCOL_ERROR]),
	("6.5.2-frame-size-small", lambda c: settings((5, 16383)), [PROTOCOL_ERROR]),
	("6.5.2-frame-size-large", lambda c: settings((5, 1 << 24)), [PROTOCOL_ERROR]),
	("6.6-push-from-client", lambda c: frame(PUSH, END_HEADERS, 1, u32(2)), [PROTOCOL_ERROR]),
	("6.7-ping-on-1", lambda c: frame(PING, 0, 1, b"12345678"), [PROTOCOL_ERROR]),
	("6.8-goaway-on-1", lambda c: frame(GOAWAY, 0, 1, u32(0) + u32(0)), [PROTOCOL_ERROR]),
	("6.9-window-0", lambda c: frame(WINDOW, 0, 0, u32(0)), [PROTOCOL_ERROR]),
	("6.9.1-overflow", lambda c: frame(WINDOW, 0, 0, u32(0x7fffffff)), [FLOW_CONTROL_ERROR]),
	("6.9.2-overflow-by-settings", lambda c: settings((4, 0)) + get(c, 1, path="/blob.bin") + frame(WINDOW, 0, 1, u32(0x7fffffff)) + settings((4, 1)),
		[FLOW_CONTROL_ERROR]),
	("6.10-alone", lambda c: get(c, 1) + frame(CONTINUATION, END_HEADERS, 1, b""), [PROTOCOL_ERROR]),
	("6.10-after-the-last", lambda c: get(c, 1, flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 1, b"") * 2, [PROTOCOL_ERROR]),
	("6.10-after-data", lambda c: upload(c, 1) + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1, b""), [PROTOCOL_ERROR]),
	("6.10-after-the-end", lambda c: get(c, 1, path="/blob.bin") + frame(CONTINUATION, END_HEADERS, 1, b""), [PROTOCOL_ERROR]),
	("6.10-on-0", lambda c: get(c, 1, flags=0) + frame(CONTINUATION, END_HEADERS, 0, b""), [PROTOCOL_ERROR]),
	# 5.4: an error of a stream may end the connection.
	("4.2-priority-length", lambda c: post(c, 1) + frame(PRIORITY, 0, 1, b"1234"), [FRAME_SIZE_ERROR]),
	("5.1-data-after-end", lambda c: get(c, 1, path="/blob.bin") + frame(DATA, 0, 1, b"x"), [STREAM_CLOSED]),
	("5.1-headers-after-end", lambda c: get(c, 1, path="/blob.bin") + get(c, 1), [STREAM_CLOSED]),
	("5.1-data-when-all-is-over", after(answered, lambda c: frame(DATA, 0, 1, b"x")), [STREAM_CLOSED]),
	("5.1-headers-when-all-is-over", after(answered, lambda c: get(c, 1)), [STREAM_CLOSED]),
	("5.1-data-after-own-reset", after(left, lambda c: frame(DATA, 0, 1, b"x")), [STREAM_CLOSED]),
	("5.1-headers-after-own-reset", after(left, lambda c: get(c, 1)), [STREAM_CLOSED]),
	("5.1-data-after-a-bad-request", after(lambda c: answered(c, frame(HEADERS, FULL, 1, raw(*without(c, ":path")))),
		lambda c: frame(DATA, 0, 1, b"x")), [STREAM_CLOSED]),
	("6.9-window-0-of-a-stream", lambda c: post(c, 1) + frame(WINDOW, 0, 1, u32(0)), [PROTOCOL_ERROR]),
	# RFC 9218 7.1.
	("9218-update-on-a-stream", lambda c: frame(0x10, 0, 1, u32(1) + b"u=0"), [PROTOCOL_ERROR]),
	("9218-update-of-0", lambda c: frame(0x10, 0, 0, u32(0) + b"u=0"), [PROTOCOL_ERROR]),
	("9218-update-of-a-push", lambda c: frame(0x10, 0, 0, u32(2) + b"u=0"), [PROTOCOL_ERROR]),
	("9218-update-length", lambda c: frame(0x10, 0, 0, b"\0\0\1"), [FRAME_SIZE_ERROR]),
]

# What may not come first: 3.4.
FIRST = [("ping", frame(PING, 0, 0, b"12345678")), ("acknowledgment", frame(SETTINGS, ACK)), ("window", frame(WINDOW, 0, 0, u32(1))),
	("goaway", frame(GOAWAY, 0, 0, u32(0) + u32(0))), ("unknown", frame(0xfa, 0, 0, b""))]


@pytest.mark.parametrize("what,codes", [pytest.param(w, k, id=i) for i, w, k in CONNECTION])
def test_connection_error(static_target, what, codes):
	with h2wire.Conn(static_target.addr, credit=False) as c:
		c.flood(what(c))
		code = c.end()
		assert c.eof and code in codes, (code, c.answers)
	with h2wire.Conn(static_target.addr) as c:
		assert c.get(HOST, "/hello.txt").status == 200


@pytest.mark.parametrize("first", [pytest.param(f, id=i) for i, f in FIRST])
def test_first_frame(static_target, first):
	with h2wire.Conn(static_target.addr, hello=False) as c:
		c.send(h2wire.PREFACE + first)
		assert c.end() == PROTOCOL_ERROR and c.eof
	with h2wire.Conn(static_target.addr) as c:
		assert c.get(HOST, "/hello.txt").status == 200


def test_bad_preface(static_target):
	with h2wire.Conn(static_target.addr, hello=False) as c:
		c.send(h2wire.PREFACE[:-1] + b"x" + settings())
		got = b""
		try:
			while True:
				data = c.s.recv(4096)
				if not data:
					break
				got += data
		except ConnectionResetError:
			pass
		assert got == b"" or got.startswith(b"HTTP/1.1 4") or got.startswith(b"HTTP/1.1 505"), got


def without(c, name):
	return [f for f in c.head(HOST, "/hello.txt") if f[0] != name]


def replaced(c, name, value):
	return [(n, value if n == name else v) for n, v in c.head(HOST, "/hello.txt")]


def raw(*fields):
	"""Fields as literals without indexing: octets that an encoder would not write."""
	out = b""
	for n, v in fields:
		n, v = (x if isinstance(x, bytes) else x.encode() for x in (n, v))
		out += b"\0" + bytes([len(n)]) + n + bytes([len(v)]) + v
	return out


def rawget(c, *fields):
	return frame(HEADERS, FULL, 1, raw(*(c.head(HOST, "/hello.txt") + list(fields))))


# What breaks a stream only: id, what is sent for stream 1, codes of RST_STREAM (or of an answer: a status).
STREAM = [
	("6.9-past-the-window", lambda c: settings((4, 0)) + get(c, 1, path="/blob.bin", flags=END_HEADERS) + frame(DATA, 0, 1, b"x" * 16384) * 17,
		[FLOW_CONTROL_ERROR]),
	("6.9.1-overflow", lambda c: get(c, 1, path="/blob.bin") + frame(WINDOW, 0, 1, u32(0x7fffffff)), [FLOW_CONTROL_ERROR]),
	("8.2-upper-case", lambda c: rawget(c, ("X-Upper", "1")), [PROTOCOL_ERROR]),
	("8.2-name-space", lambda c: rawget(c, ("x y", "1")), [PROTOCOL_ERROR]),
	("8.2-name-control", lambda c: rawget(c, (b"x\x01", "1")), [PROTOCOL_ERROR]),
	("8.2-name-colon", lambda c: rawget(c, ("x:y", "1")), [PROTOCOL_ERROR]),
	("8.2-name-empty", lambda c: rawget(c, ("", "1")), [PROTOCOL_ERROR]),
	("8.2-name-high", lambda c: rawget(c, (b"x\xff", "1")), [PROTOCOL_ERROR]),
	("8.2-name-crlf", lambda c: rawget(c, (b"x\r\ny", "1")), [PROTOCOL_ERROR]),
	("8.2-value-nul", lambda c: rawget(c, ("x", b"a\0b")), [PROTOCOL_ERROR]),
	("8.2-value-cr", lambda c: rawget(c, ("x", b"a\rb")), [PROTOCOL_ERROR]),
	("8.2-value-lf", lambda c: rawget(c, ("x", b"a\nb")), [PROTOCOL_ERROR]),
	("8.2-value-request", lambda c: rawget(c, ("x", b"a\r\n\r\nGET /denied/file.txt HTTP/1.1")), [PROTOCOL_ERROR]),
	("8.2-value-space-before", lambda c: rawget(c, ("x", " a")), [PROTOCOL_ERROR]),
	("8.2-value-tab-after", lambda c: rawget(c, ("x", "a\t")), [PROTOCOL_ERROR]),
	("8.2.2-connection", lambda c: get(c, 1, [("connection", "close")]), [PROTOCOL_ERROR]),
	("8.2.2-keep-alive", lambda c: get(c, 1, [("keep-alive", "1")]), [PROTOCOL_ERROR]),
	("8.2.2-proxy-connection", lambda c: get(c, 1, [("proxy-connection", "x")]), [PROTOCOL_ERROR]),
	("8.2.2-transfer-encoding", lambda c: get(c, 1, [("transfer-encoding", "chunked")]), [PROTOCOL_ERROR]),
	("8.2.2-upgrade", lambda c: get(c, 1, [("upgrade", "x")]), [PROTOCOL_ERROR]),
	("8.2.2-te", lambda c: get(c, 1, [("te", "gzip")]), [PROTOCOL_ERROR]),
	("8.3-no-method", lambda c: get(c, 1, fields=without(c, ":method")), [PROTOCOL_ERROR]),
	("8.3-no-scheme", lambda c: get(c, 1, fields=without(c, ":scheme")), [PROTOCOL_ERROR]),
	("8.3-no-path", lambda c: get(c, 1, fields=without(c, ":path")), [PROTOCOL_ERROR]),
	("8.3-empty-path", lambda c: get(c, 1, fields=replaced(c, ":path", "")), [PROTOCOL_ERROR]),
	("8.3-path-no-slash", lambda c: get(c, 1, fields=replaced(c, ":path", "hello.txt")), [PROTOCOL_ERROR]),
	("8.3-path-absolute", lambda c: get(c, 1, fields=replaced(c, ":path", "http://static.test/hello.txt")), [PROTOCOL_ERROR]),
	("8.3-path-space", lambda c: get(c, 1, fields=replaced(c, ":path", "/hello.txt HTTP/1.1")), [PROTOCOL_ERROR]),
	("8.3-path-crlf", lambda c: frame(HEADERS, FULL, 1, raw(*replaced(c, ":path", "/x HTTP/1.1\r\nHost: other"))), [PROTOCOL_ERROR]),
	("8.3-star-with-get", lambda c: get(c, 1, fields=replaced(c, ":path", "*")), [PROTOCOL_ERROR, 400]),
	("8.3-method-space", lambda c: get(c, 1, fields=replaced(c, ":method", "GET /x")), [PROTOCOL_ERROR]),
	("8.3-scheme-https-without-tls", lambda c: get(c, 1, fields=replaced(c, ":scheme", "https")), [421]),
	("8.3-scheme-other", lambda c: get(c, 1, fields=replaced(c, ":scheme", "ftp")), [PROTOCOL_ERROR]),
	("8.3-twice-method", lambda c: get(c, 1, fields=[(":method", "GET")] + c.head(HOST, "/hello.txt")), [PROTOCOL_ERROR]),
	("8.3-twice-path", lambda c: get(c, 1, fields=c.head(HOST, "/hello.txt") + [(":path", "/x")]), [PROTOCOL_ERROR]),
	("8.3-twice-authority", lambda c: get(c, 1, fields=c.head(HOST, "/hello.txt") + [(":authority", HOST)]), [PROTOCOL_ERROR]),
	("8.3-unknown", lambda c: get(c, 1, fields=c.head(HOST, "/hello.txt") + [(":x", "y")]), [PROTOCOL_ERROR]),
	("8.3-status", lambda c: get(c, 1, fields=c.head(HOST, "/hello.txt") + [(":status", "200")]), [PROTOCOL_ERROR]),
	("8.3-protocol", lambda c: get(c, 1, fields=c.head(HOST, "/hello.txt") + [(":protocol", "websocket")]), [PROTOCOL_ERROR]),
	("8.3-late", lambda c: get(c, 1, fields=[("x", "y")] + c.head(HOST, "/hello.txt")), [PROTOCOL_ERROR]),
	("8.3.1-host-differs", lambda c: get(c, 1, [("host", "other.test")]), [PROTOCOL_ERROR]),
	("8.3.1-host-twice", lambda c: get(c, 1, fields=without(c, ":authority") + [("host", HOST), ("host", HOST)]), [PROTOCOL_ERROR]),
	("8.3.1-userinfo", lambda c: get(c, 1, fields=replaced(c, ":authority", "user@" + HOST)), [PROTOCOL_ERROR, 400]),
	("8.3.1-authority-path", lambda c: get(c, 1, fields=replaced(c, ":authority", HOST + "/x")), [PROTOCOL_ERROR, 400]),
	("8.3.1-no-authority", lambda c: get(c, 1, fields=without(c, ":authority")), [PROTOCOL_ERROR, 400]),
	("8.1.1-length-more", lambda c: post(c, 1, [("content-length", "1")]) + frame(DATA, END_STREAM, 1, b"xy"), [PROTOCOL_ERROR]),
	("8.1.1-length-less", lambda c: upload(c, 1, [("content-length", "3")])
		+ frame(DATA, END_STREAM, 1, b"xy"), [PROTOCOL_ERROR]),
	("8.1.1-length-more-frames", lambda c: upload(c, 1, [("content-length", "3")]) + frame(DATA, 0, 1, b"xy") + frame(DATA, END_STREAM, 1, b"xy"), [PROTOCOL_ERROR]),
	("8.1.1-length-less-and-trailers", lambda c: upload(c, 1, [("content-length", "3")]) + frame(DATA, 0, 1, b"xy") + frame(HEADERS, FULL, 1, raw(("x", "y"))),
		[PROTOCOL_ERROR]),
	("8.1.1-length-no-body", lambda c: get(c, 1, [("content-length", "3")]), [PROTOCOL_ERROR]),
	("8.1.1-length-twice", lambda c: get(c, 1, [("content-length", "0"), ("content-length", "0")]), [PROTOCOL_ERROR, 400]),
	("8.1.1-length-bad", lambda c: get(c, 1, [("content-length", "+0")]), [PROTOCOL_ERROR, 400]),
	("8.1-headers-in-between", lambda c: upload(c, 1)
		+ frame(HEADERS, END_HEADERS, 1, c.block([("x", "y")])), [PROTOCOL_ERROR]),
	("8.1-pseudo-in-trailers", lambda c: upload(c, 1)
		+ frame(HEADERS, FULL, 1, c.block([(":path", "/")])), [PROTOCOL_ERROR]),
	("8.1-trailers-upper-case", lambda c: upload(c, 1) + frame(HEADERS, FULL, 1, raw(("X-Upper", "y"))), [PROTOCOL_ERROR]),
	("8.1-trailers-connection", lambda c: upload(c, 1) + frame(HEADERS, FULL, 1, raw(("connection", "y"))), [PROTOCOL_ERROR]),
	("8.5-connect", lambda c: get(c, 1, fields=[(":method", "CONNECT"), (":authority", HOST + ":80")]), [PROTOCOL_ERROR, 405]),
	("8.5-connect-with-path", lambda c: get(c, 1, fields=replaced(c, ":method", "CONNECT")), [PROTOCOL_ERROR, 405]),
]


@pytest.mark.parametrize("what,codes", [pytest.param(w, k, id=i) for i, w, k in STREAM])
def test_stream_error(static_target, what, codes):
	"""The stream ends so, the connection serves on."""
	with h2wire.Conn(static_target.addr, credit=False) as c:
		c.send(what(c))
		c.next = 101
		a = c.answer(1)
		if a.ended and a.reset is None:
			c.wait(lambda: c.answers[1].reset is not None, 0.3)
		got = a.reset if a.reset not in (None, 0) else a.status
		assert got in codes, (a, c.goaway)
		assert c.credit is False and c.send(frame(WINDOW, 0, 0, u32(1 << 20))) is None
		assert c.get(HOST, "/hello.txt").status == 200 and c.goaway is None


# What is odd and allowed.
FINE = [
	("4.1-unknown-frame", lambda c: frame(0xfa, 0xff, 0, b"x" * 100) + get(c, 1)),
	("4.1-reserved-bit", lambda c: frame(SETTINGS, 0, 0) + frame(PING, 0, 0x80000000, b"12345678") + get(c, 1)),
	("4.1-unknown-flags", lambda c: frame(HEADERS, FULL | 0x50, 1, c.block(c.head(HOST, "/hello.txt")))),
	("4.3-continuations", lambda c: (lambda b: frame(HEADERS, END_STREAM, 1, b[:5]) + frame(CONTINUATION, 0, 1, b[5:9]) + frame(CONTINUATION, END_HEADERS, 1,
		b[9:]))(c.block(c.head(HOST, "/hello.txt")))),
	("4.2-data-of-a-full-frame", lambda c: frame(0xfa, 0, 0, b"x" * 16384) + get(c, 1)),
	("4.3-hpack-table-size-twice", lambda c: frame(HEADERS, FULL, 1, b"\x20\x3f\xe1\x1f" + raw(*c.head(HOST, "/hello.txt")))),
	("5.1-window-and-priority-of-a-half-closed-stream", lambda c: get(c, 1) + frame(WINDOW, 0, 1, u32(1)) + frame(PRIORITY, 0, 1, u32(0) + b"\x10")),
	("5.1-reset-and-window-when-all-is-over", after(answered, lambda c: frame(WINDOW, 0, 1, u32(1)) + frame(PRIORITY, 0, 1, u32(0) + b"\x10")
		+ frame(RST, 0, 1, u32(CANCEL)))),
	("5.1-gap", lambda c: get(c, 1) + frame(PING, 0, 0, b"12345678")),
	("5.3-priority-idle", lambda c: frame(PRIORITY, 0, 77, u32(0) + b"\x10") + get(c, 1)),
	("6.2-priority-fields", lambda c: frame(HEADERS, FULL | PRIO, 1, u32(0) + b"\x10" + c.block(c.head(HOST, "/hello.txt")))),
	("6.2-padded", lambda c: (lambda b: frame(HEADERS, FULL | PADDED, 1, b"\x03" + b + b"\0\0\0"))(c.block(c.head(HOST, "/hello.txt")))),
	("6.5-unknown-setting", lambda c: settings((0xff, 1)) + get(c, 1)),
	("6.5-table-0", lambda c: settings((1, 0)) + get(c, 1)),
	("6.7-unasked-pong", lambda c: frame(PING, ACK, 0, b"12345678") + get(c, 1)),
	("6.5.3-last-one-counts", lambda c: settings((4, 1), (4, 0), (4, 65535)) + get(c, 1)),
	("6.9.2-widest", lambda c: settings((4, 0)) + frame(WINDOW, 0, 0, u32(0x7fff0000)) + get(c, 1) + settings((4, 0x7fffffff))),
	("6.9.2-window-shrinks-and-grows", lambda c: settings((4, 0)) + get(c, 1) + settings((4, 3)) + frame(WINDOW, 0, 1, u32(3))),
	("8.2.2-te-trailers", lambda c: get(c, 1, [("te", "trailers")])),
	("8.3-options-star", lambda c: get(c, 1, fields=[(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"), (":authority", HOST)])),
	("8.3-host-alone", lambda c: get(c, 1, fields=without(c, ":authority") + [("host", HOST)])),
	("8.3-host-same", lambda c: get(c, 1, [("host", HOST)])),
	("9218-priority-field", lambda c: get(c, 1, [("priority", "u=1, i")])),
	("9218-priority-update", lambda c: frame(0x10, 0, 0, u32(1) + b"u=0") + get(c, 1)),
]


@pytest.mark.parametrize("what", [pytest.param(w, id=i) for i, w in FINE])
def test_fine(static_target, what):
	with h2wire.Conn(static_target.addr) as c:
		c.send(what(c))
		c.next = 101
		a = c.answer(1)
		assert a.status == 200 and a.reset is None, (a, c.goaway)
		assert c.get(HOST, "/hello.txt").status == 200


def test_settings_and_pings_are_answered(static_target):
	with h2wire.Conn(static_target.addr) as c:
		c.send(settings((3, 7)) + frame(PING, 0, 0, b"abcdefgh"))
		assert c.wait(lambda: c.acks == 2 and c.pongs == 1)


def test_what_crosses_a_reset_is_no_error(static_target):
	"""5.1: of a request that the server has ended anything may still come; the fields of it count for those after it."""
	with h2wire.Conn(static_target.addr) as c:
		cut(c)
		c.next = 3
		c.send(frame(DATA, 0, 1, b"x" * 1000) + frame(WINDOW, 0, 1, u32(1)) + frame(HEADERS, FULL, 1, c.block([("x-kept", "in the table")]))
			+ frame(RST, 0, 1, u32(CANCEL)))
		assert c.get(HOST, "/hello.txt", extra=[("x-kept", "in the table")]).status == 200 and c.goaway is None


def test_what_crosses_a_refusal_is_no_error(static_target):
	"""5.1.2: the same of a stream that never was one, for there were too many."""
	with h2wire.Conn(static_target.addr) as c:
		c.send(b"".join(upload(c, sid) for sid in range(1, 205, 2)))
		assert c.wait(lambda: 203 in c.answers) and c.answers[203].reset == REFUSED_STREAM
		c.send(frame(DATA, 0, 203, b"x" * 1000) + frame(HEADERS, FULL, 203, c.block([("x-kept", "in the table")])))
		assert c.ping() and c.goaway is None


def test_requests_outlive_a_goaway(static_target):
	"""6.8: a client that goes away, with whatever reason (7), is still told what it asked for."""
	with h2wire.Conn(static_target.addr) as c:
		c.send(get(c, 1) + frame(GOAWAY, 0, 0, u32(0) + u32(0xff) + b"why"))
		assert c.answer(1).status == 200 and c.end() is None and c.eof


def test_too_many_streams(php_target):
	"""5.1.2: one more than allowed is refused, nothing else happens."""
	with h2wire.Conn(php_target.addr) as c:
		c.wait(lambda: c.settings and c.acks)
		assert c.settings[3] == 100
		for _ in range(101):
			c.request(php_target.host, "/echo.php", "POST", end=False)
		assert c.wait(lambda: (201 in c.answers and c.answers[201].reset is not None) or c.eof)
		assert (c.answers[201].reset == REFUSED_STREAM) if not c.goaway else c.goaway[1] in (PROTOCOL_ERROR, CALM)
