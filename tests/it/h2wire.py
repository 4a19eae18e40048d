# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/2 client over a raw socket: sends exactly the frames it is told to, well formed or not, and reads what comes."""
import socket
import ssl
import struct
import time

import proc
import pytest

# Where a package may be missing, whoever imports this is skipped.
hpack = __import__("hpack") if proc.MUST_WORK else pytest.importorskip("hpack", reason="no python3-hpack")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIO = 1, 1, 4, 8, 32
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
	CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, CALM) = range(12)


def frame(kind, flags=0, stream=0, payload=b"", length=None):
	n = len(payload) if length is None else length
	return struct.pack(">I", n)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def u32(n):
	return struct.pack(">I", n)


def settings(*pairs):
	return frame(SETTINGS, payload=b"".join(struct.pack(">HI", k, v) for k, v in pairs))


class Frame:
	def __init__(self, kind, flags, stream, payload):
		self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

	def __repr__(self):
		return "<frame %d flags %x stream %d: %r>" % (self.kind, self.flags, self.stream, self.payload[:60])


class Answer:
	"""What came on one stream."""

	def __init__(self):
		self.heads, self.body, self.reset, self.ended = [], b"", None, False

	@property
	def status(self):
		return int(dict(self.heads[-1])[":status"]) if self.heads else None

	def get(self, name):
		return dict(self.heads[-1]).get(name)

	def text(self):
		return self.body.decode("utf-8", "replace")

	def __repr__(self):
		return "<%s reset %s ended %s %r>" % (self.heads, self.reset, self.ended, self.body[:200])


class Conn:
	"""One connection; every read is bounded by @timeout seconds of silence. @credit: give the window back as DATA comes."""

	def __init__(self, addr, hello=True, timeout=10.0, set=(), rcvbuf=None, credit=True, tls=None, sni=None):
		self.s = socket.socket(socket.AF_INET)
		if rcvbuf:
			self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
		self.s.settimeout(timeout)
		self.scheme = "https" if tls else "http"
		self.timeout = timeout
		self.s.connect(addr)
		if tls:
			self.s = tls.wrap_socket(self.s, server_hostname=sni)
		self.enc, self.dec, self.buf, self.next = hpack.Encoder(), hpack.Decoder(), b"", 1
		self.goaway, self.eof, self.answers, self.pongs, self.acks, self.credit, self.settings = None, False, {}, 0, 0, credit, {}
		if hello:
			self.send(PREFACE + settings(*set))

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.s.close()

	def send(self, data):
		self.s.sendall(data)

	def flood(self, data):
		"""Send as much as the server takes before it ends the connection. True: all of it went out."""
		try:
			self.s.sendall(data)
			return True
		except OSError:
			return False

	def head(self, host, path="/", method="GET", extra=(), scheme=None):
		return [(":method", method), (":scheme", scheme or self.scheme), (":path", path), (":authority", host)] + list(extra)

	def block(self, fields, huffman=True):
		return self.enc.encode([(n, v) for n, v in fields], huffman=huffman)

	def request(self, host, path="/", method="GET", extra=(), body=None, end=True, flags=0):
		"""Send a request; returns its stream."""
		sid = self.next
		self.next += 2
		last = END_STREAM if body is None and end else 0
		self.send(frame(HEADERS, END_HEADERS | last | flags, sid, self.block(self.head(host, path, method, extra))))
		if body is not None:
			for i in range(0, max(len(body), 1), 16384):
				piece = body[i:i + 16384]
				self.send(frame(DATA, END_STREAM if end and i + 16384 >= len(body) else 0, sid, piece))
		return sid

	def fill(self, n):
		while len(self.buf) < n:
			try:
				data = self.s.recv(65536)
			except (ConnectionResetError, ssl.SSLEOFError):
				data = b""
			if not data:
				self.eof = True
				return False
			self.buf += data
		return True

	def read(self):
		"""The next frame, None at the end."""
		if not self.fill(9):
			return None
		n = int.from_bytes(self.buf[:3], "big")
		kind, flags, sid = struct.unpack(">BBI", self.buf[3:9])
		if not self.fill(9 + n):
			return None
		f = Frame(kind, flags, sid & 0x7fffffff, self.buf[9:9 + n])
		self.buf = self.buf[9 + n:]
		self.note(f)
		return f

	def note(self, f):
		a = self.answers.setdefault(f.stream, Answer()) if f.stream else None
		if f.kind == SETTINGS and not f.flags & ACK:
			self.settings = {struct.unpack(">H", f.payload[i:i + 2])[0]: struct.unpack(">I", f.payload[i + 2:i + 6])[0]
				for i in range(0, len(f.payload), 6)}
			self.flood(frame(SETTINGS, ACK))
		elif f.kind == SETTINGS:
			self.acks += 1
		elif f.kind == PING and f.flags & ACK:
			self.pongs += 1
		elif f.kind == GOAWAY:
			self.goaway = struct.unpack(">II", f.payload[:8])
		elif f.kind == RST:
			a.reset = struct.unpack(">I", f.payload)[0]
		elif f.kind == HEADERS:
			assert f.flags & END_HEADERS
			a.heads.append(self.dec.decode(f.payload))
		elif f.kind == DATA:
			a.body += f.payload
			if self.credit and f.payload:
				self.flood(frame(WINDOW, 0, 0, u32(len(f.payload))) + frame(WINDOW, 0, f.stream, u32(len(f.payload))))
		if a is not None and f.kind in (HEADERS, DATA) and f.flags & END_STREAM:
			a.ended = True

	def wait(self, until, seconds=10):
		"""Read until @until() or the end or the time is over; True when it holds."""
		stop = time.monotonic() + seconds
		while not until() and time.monotonic() < stop:
			self.s.settimeout(max(0.01, stop - time.monotonic()))
			try:
				if self.read() is None:
					break
			except (TimeoutError, ssl.SSLWantReadError):
				break
		self.s.settimeout(self.timeout)
		return until()

	def answer(self, sid, seconds=10):
		"""What came on the stream, once it is over or the connection is."""
		def over():
			a = self.answers.get(sid)
			return a is not None and (a.ended or a.reset is not None)
		self.wait(over, seconds)
		return self.answers.get(sid, Answer())

	def get(self, host, path="/", **k):
		return self.answer(self.request(host, path, **k))

	def ping(self):
		"""A round trip: everything sent before is dealt with. False when the connection ended meanwhile."""
		n = self.pongs
		return self.flood(frame(PING, payload=b"roundtrp")) and self.wait(lambda: self.pongs > n)

	def end(self, seconds=10):
		"""Wait for the server's end; returns GOAWAY's code, None without one."""
		self.wait(lambda: self.eof, seconds)
		return self.goaway[1] if self.goaway else None
