# SPDX-License-Identifier: Apache-2.0
"""A FastCGI application that misbehaves on request: what it does is named by mode=... in the query string."""
import os
import socket
import struct
import threading
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
KEEP = 1
OK_HEAD = b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def record(kind, rid, data=b"", pad=0, version=1):
	return struct.pack(">BBHHBB", version, kind, rid, len(data), pad, 0) + data + b"\xaa" * pad


def end(rid, status=0, protocol=0):
	return record(END, rid, struct.pack(">IB3x", status, protocol))


def pairs(data):
	out, at = {}, 0
	def length():
		nonlocal at
		n = data[at]
		if n < 128:
			at += 1
		else:
			n = struct.unpack(">I", data[at:at + 4])[0] & 0x7fffffff
			at += 4
		return n
	while at < len(data):
		n, v = length(), length()
		out[data[at:at + n].decode("latin-1")] = data[at + n:at + n + v].decode("latin-1")
		at += n + v
	return out


class Stub:
	def __init__(self, addr, backlog=64):
		self.addr = addr
		self.backlog = backlog
		self.lock = threading.Lock()
		self.conns = set()
		self.open_conns = set()
		self.reset()
		self.listener = None
		self.open()

	def reset(self):
		with self.lock:
			self.seen = []            # params of each request, in order
			self.accepted = 0         # connections
			self.aborts = 0           # ABORT_REQUEST records, and connections that the gateway closed before the answer
			self.live = 0             # connections now open
			self.most = 0             # most of them at once

	def open(self):
		family = socket.AF_UNIX if isinstance(self.addr, str) else socket.AF_INET
		self.listener = socket.socket(family)
		self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		self.listener.bind(self.addr)
		if isinstance(self.addr, str):
			os.chmod(self.addr, 0o666)
		self.listener.listen(self.backlog)
		threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

	def close(self):
		with self.lock:
			kept, self.open_conns = self.open_conns, set()
		for c in kept:
			try:
				c.shutdown(socket.SHUT_RDWR)
			except OSError:
				pass
		if self.listener:
			self.listener.shutdown(socket.SHUT_RDWR)
			self.listener.close()
			self.listener = None
			with self.lock:
				for c in list(self.conns):
					try:
						c.shutdown(socket.SHUT_RDWR)
					except OSError:
						pass
			if isinstance(self.addr, str):
					os.unlink(self.addr)

	def serve(self, listener):
		while True:
			try:
				c, _ = listener.accept()
			except OSError:
				return
			with self.lock:
				self.accepted += 1
				self.live += 1
				self.conns.add(c)
				self.most = max(self.most, self.live)
			threading.Thread(target=self.connection, args=(c,), daemon=True).start()

	def connection(self, c):
		with self.lock:
			self.open_conns.add(c)
		try:
			c.settimeout(30)
			buf = b""
			while True:
				r = self.request(c, buf)
				if r is None:
					return
				rid, params, body, keep, buf = r
				with self.lock:
					self.seen.append(params)
				query = dict(kv.split("=", 1) for kv in params.get("QUERY_STRING", "").split("&") if "=" in kv)
				f = getattr(self, "do_" + query.get("mode", "ok"))
				if f(c, rid, params, body, query) == "close" or not keep:
					return
		except OSError:
			pass
		finally:
			with self.lock:
				self.live -= 1
				self.open_conns.discard(c)
			c.close()

	def request(self, c, buf):
		params, body, keep, rid = b"", b"", 0, None
		while True:
			while len(buf) < 8:
				got = c.recv(65536)
				if not got:
					return None
				buf += got
			version, kind, r, n, pad = struct.unpack(">BBHHB", buf[:7])
			assert version == 1
			while len(buf) < 8 + n + pad:
				got = c.recv(65536)
				if not got:
					return None
				buf += got
			data, buf = buf[8:8 + n], buf[8 + n + pad:]
			if kind == BEGIN:
				rid = r
				keep = data[2] & KEEP
			elif kind == PARAMS:
				params += data
			elif kind == STDIN:
				if not data:
					return rid, pairs(params), body, keep, buf
				body += data
			elif kind == ABORT:
				with self.lock:
					self.aborts += 1

	@staticmethod
	def answer(c, rid, text, head=OK_HEAD):
		out = head + text
		c.sendall(b"".join(record(STDOUT, rid, out[i:i + 60000]) for i in range(0, len(out), 60000)) + record(STDOUT, rid) + end(rid))

	def do_ok(self, c, rid, params, body, q):
		self.answer(c, rid, b"stub %s %d\n" % (q.get("tag", "").encode(), len(body)))

	def do_split(self, c, rid, params, body, q):
		"""The answer in records of one octet, sent an octet at a time."""
		c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
		raw = b"".join(record(STDOUT, rid, bytes([b]), pad=i % 5) for i, b in enumerate(OK_HEAD + b"split\n")) + record(STDOUT, rid) + end(rid)
		for i in range(len(raw)):
			c.sendall(raw[i:i + 1])

	def do_padding(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD, pad=255) + record(STDOUT, rid, b"padded\n", pad=7) + record(STDOUT, rid, b"", pad=8) + end(rid))

	def do_stderr(self, c, rid, params, body, q):
		c.sendall(record(STDERR, rid, b"stub-complains one\n") + record(STDOUT, rid, OK_HEAD + b"out ") + record(STDERR, rid, b"stub-complains two")
			+ record(STDOUT, rid, b"more\n") + record(STDERR, rid) + record(STDOUT, rid) + end(rid))

	def do_stderr_flood(self, c, rid, params, body, q):
		for _ in range(500):
			c.sendall(record(STDERR, rid, b"flood " * 10000 + b"\n"))
		c.sendall(record(STDOUT, rid, b"Content-Type: text/plain\r\n\r\nflooded\n") + record(STDOUT, rid) + end(rid))

	def do_stderr_only(self, c, rid, params, body, q):
		c.sendall(record(STDERR, rid, b"stub-only-stderr\n") + record(STDOUT, rid) + end(rid))

	def do_big(self, c, rid, params, body, q):
		n = int(q["n"])
		c.sendall(record(STDOUT, rid, OK_HEAD))
		while n:
			k = min(n, 65535)
			c.sendall(record(STDOUT, rid, b"b" * k))
			n -= k
		c.sendall(record(STDOUT, rid) + end(rid))

	def do_long_params(self, c, rid, params, body, q):
		self.answer(c, rid, b"%d %d\n" % (len(params), sum(len(v) for v in params.values())))

	def do_app_status(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"failed\n") + record(STDOUT, rid) + end(rid, status=7))

	def do_no_stdout_end(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"fine\n") + end(rid))

	def do_slow(self, c, rid, params, body, q):
		time.sleep(float(q.get("s", 1)))
		self.answer(c, rid, b"slow\n")

	def do_hang(self, c, rid, params, body, q):
		c.settimeout(20)
		try:
			if c.recv(65536) is not None:
				with self.lock:
					self.aborts += 1
		except OSError:
			pass
		return "close"

	# refusals and breakage
	def do_overloaded(self, c, rid, params, body, q):
		c.sendall(end(rid, protocol=2))

	def do_cant_mpx(self, c, rid, params, body, q):
		c.sendall(end(rid, protocol=1))

	def do_unknown_role(self, c, rid, params, body, q):
		c.sendall(end(rid, protocol=3))

	def do_protocol_status(self, c, rid, params, body, q):
		c.sendall(end(rid, protocol=99))

	def do_close(self, c, rid, params, body, q):
		return "close"

	def do_close_in_head(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, b"Status: 200 OK\r\nContent-"))
		return "close"

	def do_close_in_record(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"begun ")[:-3])
		return "close"

	def do_close_in_body(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"begun "))
		time.sleep(0.2)
		return "close"

	def do_close_in_length(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, b"Content-Length: 100\r\n\r\nbegun"))
		time.sleep(0.2)
		return "close"

	def do_end_in_head(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, b"Content-Type: text/plain\r\n") + end(rid))

	def do_empty(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid) + end(rid))

	def do_only_end(self, c, rid, params, body, q):
		c.sendall(end(rid))

	def do_garbage(self, c, rid, params, body, q):
		c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage")
		time.sleep(0.2)
		return "close"

	def do_version(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"v2\n", version=2) + end(rid))

	def do_wrong_id(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid + 1, OK_HEAD + b"foreign-answer\n") + end(rid + 1))
		time.sleep(0.2)
		return "close"

	def do_foreign_between(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD) + record(STDOUT, rid + 7, b"foreign-answer") + record(STDOUT, rid, b"own\n") + record(STDOUT, rid) + end(rid))

	def do_unknown_type(self, c, rid, params, body, q):
		c.sendall(record(99, rid, b"what") + record(11, 0, b"\x63" + b"\0" * 7) + record(STDOUT, rid, OK_HEAD + b"own\n") + record(STDOUT, rid) + end(rid))

	def do_after_end(self, c, rid, params, body, q):
		"""More output after END_REQUEST: it must not reach the next request on this connection."""
		self.answer(c, rid, b"first\n")
		c.sendall(record(STDOUT, rid, b"Status: 200\r\n\r\nsurplus-answer") + end(rid))

	def do_keep_close(self, c, rid, params, body, q):
		"""Promises to keep the connection, and closes it."""
		self.answer(c, rid, b"bye\n")
		return "close"

	def do_short_end(self, c, rid, params, body, q):
		c.sendall(record(STDOUT, rid, OK_HEAD + b"x\n") + record(END, rid, b"\0\0"))
		time.sleep(0.2)
		return "close"

	# header blocks
	def head_of(text):
		def do(self, c, rid, params, body, q):
			self.answer(c, rid, b"body\n", head=text)
		return do

	do_no_head = head_of(b"no header at all, just text\n\n")
	do_bad_name = head_of(b"Bad Name: x\r\n\r\n")
	do_no_colon = head_of(b"Content-Type: text/plain\r\nnonsense\r\n\r\n")
	do_nul_value = head_of(b"Content-Type: text/plain\r\nX-A: a\0b\r\n\r\n")
	do_cr_value = head_of(b"Content-Type: text/plain\r\nX-A: a\rX-Evil: 1\r\n\r\n")
	do_status_text = head_of(b"Status: abc\r\n\r\n")
	do_status_big = head_of(b"Status: 1000 x\r\n\r\n")
	do_status_low = head_of(b"Status: 99 x\r\n\r\n")
	do_status_neg = head_of(b"Status: -200\r\n\r\n")
	do_head_endless = head_of(b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(60)) + b"Z: " + b"z" * 9000 + b"\r\n\r\n")
	do_lf_head = head_of(b"Status: 201 Made\nContent-Type: text/plain\n\n")
	do_two_lengths = head_of(b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n")
	do_bad_length = head_of(b"Content-Length: 5x\r\n\r\n")
	do_chunked = head_of(b"Transfer-Encoding: chunked\r\n\r\n")
	do_hints = head_of(b"Status: 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nStatus: 102 Processing\n\nStatus: 201 Made\r\nX-Own: 1\r\n\r\n")
	do_interim = head_of(b"Status: 103 Early\r\nLink: </x>\r\n\r\n")
