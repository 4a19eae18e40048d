# SPDX-License-Identifier: Apache-2.0
"""A small, strict HTTP/1 client over raw sockets: sends exactly the octets it is given and judges every answer's framing."""
import re
import socket
import time


class Broken(AssertionError):
	"""The server's answer is not well framed, was cut, or did not come."""


class Response:
	def __init__(self, version, status, reason, fields):
		self.version, self.status, self.reason, self.fields = version, status, reason, fields
		self.body = b""
		self.framing = "none"  # none, length, chunked, close
		self.interim = []      # statuses of 1xx answers that came before
		self.times = []        # when something arrived, seconds from the request

	def all(self, name):
		return [v for n, v in self.fields if n.lower() == name.lower()]

	def get(self, name, default=None):
		v = self.all(name)
		return v[0] if v else default

	def text(self):
		return self.body.decode("utf-8", "replace")

	def __repr__(self):
		return "<%d %s %r %d octets: %r>" % (self.status, self.reason, self.fields, len(self.body), self.body[:300])


FIELD = re.compile(rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*$")


class Conn:
	"""One connection. Every read is bounded by @timeout seconds of silence."""

	def __init__(self, addr, timeout=10.0, rcvbuf=None, source=None):
		family = socket.AF_UNIX if isinstance(addr, str) else socket.AF_INET6 if ":" in addr[0] else socket.AF_INET
		self.s = socket.socket(family, socket.SOCK_STREAM)
		if rcvbuf:
			self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
		if source: # another address of the loopback interface: another client
			self.s.bind((source, 0))
		self.s.settimeout(timeout)
		self.s.connect(addr)
		self.buf = b""
		self.marks = []        # when something arrived, seconds from the last send()
		self.started = time.monotonic()

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.close()

	def close(self):
		self.s.close()

	def send(self, data):
		self.started = time.monotonic()
		self.marks = []
		self.s.sendall(data)

	def send_slowly(self, data, step=1, pause=0.01):
		self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for i in range(0, len(data), step):
			self.s.sendall(data[i:i + step])
			time.sleep(pause)

	def send_what_goes(self, data):
		"""Send although the server may answer and close before it has read all."""
		try:
			self.s.sendall(data)
		except (BrokenPipeError, ConnectionResetError):
			pass

	def more(self):
		try:
			got = self.s.recv(65536)
		except socket.timeout:
			raise Broken("no answer in %.1f s; so far: %r" % (self.s.gettimeout(), self.buf[:500])) from None
		except ConnectionResetError:
			raise Broken("connection reset; so far: %r" % self.buf[:500]) from None
		self.buf += got
		self.marks.append(time.monotonic() - self.started)
		return got

	def line(self):
		while b"\r\n" not in self.buf:
			if not self.more():
				raise Broken("end of connection inside a line: %r" % self.buf[:500])
		line, self.buf = self.buf.split(b"\r\n", 1)
		return line

	def exactly(self, n, r):
		while len(self.buf) < n:
			if not self.more():
				r.body += self.buf
				raise Broken("body cut after %d octets" % len(r.body))
		out, self.buf = self.buf[:n], self.buf[n:]
		return out

	def head(self):
		if not self.buf and not self.more():
			raise Broken("connection closed without an answer")
		line = self.line()
		m = re.match(rb"^HTTP/(1\.[01]) ([1-5][0-9][0-9]) ([^\x00-\x08\x0a-\x1f\x7f]*)$", line)
		if not m:
			raise Broken("bad status line %r" % line)
		fields = []
		while True:
			line = self.line()
			if not line:
				break
			f = FIELD.match(line)
			if not f:
				raise Broken("bad field line %r" % line)
			fields.append((f.group(1).decode(), f.group(2).decode("latin-1")))
		return Response(m.group(1).decode(), int(m.group(2)), m.group(3).decode("latin-1"), fields)

	def response(self, method="GET"):
		"""Read one final answer, framing checked as RFC 9112 section 6.3 says; 1xx answers are collected."""
		interim = []
		while True:
			r = self.head()
			if r.status >= 200:
				break
			if r.all("content-length") or r.all("transfer-encoding"):
				raise Broken("a 1xx answer with framing: %r" % r)
			interim.append(r.status)
		r.interim = interim
		r.times = self.marks
		self.judge(r)
		length, te = r.get("content-length"), r.get("transfer-encoding")
		if method == "HEAD" or r.status in (204, 304):
			if r.status == 204 and (length is not None or te is not None):
				raise Broken("204 with framing: %r" % r)
			return r
		if te is not None:
			r.framing = "chunked"
			self.chunks(r)
		elif length is not None:
			r.framing = "length"
			r.body = self.exactly(int(length), r)
		else:
			r.framing = "close"
			while True:
				r.body += self.buf
				self.buf = b""
				if not self.more():
					break
		return r

	def chunks(self, r):
		while True:
			line = self.line()
			m = re.match(rb"^([0-9A-Fa-f]{1,15})(?:;[\x20-\x7e\t]*)?$", line)
			if not m:
				raise Broken("bad chunk line %r" % line)
			n = int(m.group(1), 16)
			if n == 0:
				break
			r.body += self.exactly(n, r)
			if self.exactly(2, r) != b"\r\n":
				raise Broken("no CRLF after chunk data")
		while self.line():
			pass

	@staticmethod
	def judge(r):
		"""What holds for every answer, whatever the request was."""
		for name, most in (("date", 1), ("server", 1), ("content-length", 1), ("transfer-encoding", 1), ("content-type", 1),
				("etag", 1), ("last-modified", 1), ("location", 1)):
			if len(r.all(name)) > most:
				raise Broken("%s more than once: %r" % (name, r))
		if not r.all("date"):
			raise Broken("no Date: %r" % r)
		if not re.match(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT$", r.get("date")):
			raise Broken("bad Date: %r" % r.get("date"))
		te = r.get("transfer-encoding")
		if te is not None and te.lower() != "chunked":
			raise Broken("transfer-encoding %r" % te)
		if te is not None and r.all("content-length"):
			raise Broken("both framings: %r" % r)
		if r.all("content-length") and not r.get("content-length").isdigit():
			raise Broken("bad content-length: %r" % r)
		if r.status == 405 and not r.all("allow"):
			raise Broken("405 without Allow: %r" % r)

	def eof(self, timeout=5.0):
		"""Whether the server closes, and sends nothing more before."""
		if self.buf:
			return False
		self.s.settimeout(timeout)
		try:
			return self.s.recv(1) == b""
		except socket.timeout:
			return False
		except ConnectionResetError:
			return True


def request(addr, data, method="GET", timeout=10.0):
	"""One request on a connection of its own."""
	with Conn(addr, timeout) as c:
		c.send(data)
		return c.response(method)


def get(addr, host, path, headers="", method="GET", body=None, timeout=10.0):
	"""A plain well-formed request; @headers are whole lines ending in CRLF."""
	if body is not None:
		headers += "Content-Length: %d\r\n" % len(body)
	data = ("%s %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n" % (method, path, host, headers)).encode("latin-1")
	return request(addr, data + (body or b""), method, timeout)
