# SPDX-License-Identifier: Apache-2.0
"""The channels between the roles, spoken from Python: messages with descriptors, the spec of a zygote, and FastCGI."""
import array
import os
import socket
import struct

VERSION = 1
HEAD = struct.Struct(">HBBII")  # type, version, descriptors, body length, id

DRAIN, SITE_UP, SITE_DOWN, SITE_WANT, SITE_KILL, FRONT_READY = 0x10, 0x11, 0x13, 0x12, 0x14, 0x16
CELL_LATER = 0x42480002  # END_REQUEST's application status of a cell that works on behind its answer
CELL_WANT, CELL_KILL, ZYGOTE_READY, CELL_UP, CELL_FAIL, CELL_GONE, LEARNED = 0x20, 0x22, 0x24, 0x21, 0x23, 0x25, 0x27


def pair():
	"""A channel: two connected ends."""
	return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Msg:
	def __init__(self, type, id=0, body=b"", fds=()):
		self.type, self.id, self.body, self.fds = type, id, body, list(fds)

	def __repr__(self):
		return "Msg(%#x, id=%d, body=%r, fds=%r)" % (self.type, self.id, self.body, self.fds)


def encode(m):
	return HEAD.pack(m.type, VERSION, len(m.fds), len(m.body), m.id) + m.body


def send(chan, m):
	anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", m.fds))] if m.fds else []
	chan.sendmsg([encode(m)], anc)


def recv(chan, timeout=10.0):
	"""The next message, or None at the end of the channel."""
	chan.settimeout(timeout)
	data, anc, flags, _ = chan.recvmsg(1024, socket.CMSG_SPACE(4 * 4), socket.MSG_CMSG_CLOEXEC)
	if not data:
		return None
	assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
	fds = array.array("i")
	for level, kind, payload in anc:
		assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
		fds.frombytes(payload)
	type, version, n, length, id = HEAD.unpack(data[:HEAD.size])
	assert version == VERSION and n == len(fds) and length == len(data) - HEAD.size
	return Msg(type, id, data[HEAD.size:], fds)


def cell_gone(m):
	"""(how, asked, code, syscall) of a CELL_GONE."""
	return struct.unpack(">BBii6Q", m.body)[:4]


def cell_gone_args(m):
	"""The six arguments of the call."""
	return list(struct.unpack(">BBii6Q", m.body)[4:])


def spec(**k):
	"""Encode a spec; ini is a list of (name, value, admin)."""
	def esc(v):
		return str(v).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
	order = ("site", "docroot", "user", "drop", "uid", "gid", "profile", "isolation", "max_requests", "limit_nofile")
	lines = ["%s\t%s\n" % (name, esc(k[name])) for name in order]
	lines += ["group\t%d\n" % g for g in k.get("groups", ())]
	lines += ["%s\t%s\n" % (key, esc(call)) for key in ("allow", "deny") for call in k.get(key, ())]
	lines += ["tree\t%s\n" % esc(t) for t in k.get("trees", ())]
	lines += ["%s\t%s=%s\n" % ("admin_ini" if admin else "ini", esc(n), esc(v)) for n, v, admin in k.get("ini", ())]
	return "".join(lines).encode()


def sealed(data, seal=True):
	"""A memfd with @data, sealed as the master does."""
	import fcntl
	fd = os.memfd_create("spec", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
	os.write(fd, data)
	if seal:
		fcntl.fcntl(fd, 1033, 1 | 2 | 4 | 8)  # F_ADD_SEALS: SEAL, SHRINK, GROW, WRITE
	return fd


# --- FastCGI ---------------------------------------------------------------------------------------------------------

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7


def record(kind, data=b"", rid=1):
	return struct.pack(">BBHHBB", 1, kind, rid, len(data), 0, 0) + data


def length(n):
	return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def stream(kind, data, rid=1):
	out = b""
	for i in range(0, len(data), 65535):
		out += record(kind, data[i:i + 65535], rid)
	return out + record(kind, b"", rid)


def request(params, body=b"", keep=False, rid=1):
	flat = b""
	for name, value in params.items():
		n, v = name.encode(), value if isinstance(value, bytes) else str(value).encode()
		flat += length(len(n)) + length(len(v)) + n + v
	return (record(BEGIN, struct.pack(">HB5x", 1, 1 if keep else 0), rid) + stream(PARAMS, flat, rid)
		+ stream(STDIN, body, rid))


class Answer:
	"""What came back: status, headers, body, stderr; ended: END_REQUEST was there."""

	def __init__(self):
		self.out, self.err, self.ended, self.app_status, self.protocol_status = b"", b"", False, None, None
		self.at = []  # (time, octets so far) at each STDOUT record

	@property
	def head(self):
		return self.out.split(b"\r\n\r\n", 1)[0]

	@property
	def body(self):
		return self.out.split(b"\r\n\r\n", 1)[1]

	@property
	def headers(self):
		return [tuple(p.strip() for p in line.decode("latin-1").split(":", 1)) for line in self.head.split(b"\r\n")]

	def get(self, name):
		return [v for n, v in self.headers if n.lower() == name.lower()]

	@property
	def status(self):
		s = self.get("Status")
		return int(s[0].split()[0]) if s else 200


class Conn:
	"""The front's end of a cell's socket."""

	def __init__(self, fd):
		self.sock = socket.socket(fileno=fd)
		self.buf = b""

	def close(self):
		self.sock.close()

	def exactly(self, n):
		while len(self.buf) < n:
			data = self.sock.recv(65536)
			if not data:
				return None
			self.buf += data
		out, self.buf = self.buf[:n], self.buf[n:]
		return out

	def answer(self, timeout=20.0, rid=1):
		import time
		self.sock.settimeout(timeout)
		a = Answer()
		while True:
			head = self.exactly(8)
			if head is None:
				return a
			version, kind, got, n, pad, _ = struct.unpack(">BBHHBB", head)
			assert version == 1 and got == rid, head
			data = self.exactly(n + pad)
			if data is None:
				return a
			data = data[:n]
			if kind == STDOUT:
				a.out += data
				a.at.append((time.monotonic(), len(a.out)))
			elif kind == STDERR:
				a.err += data
			elif kind == END:
				a.app_status, a.protocol_status = struct.unpack(">IB", data[:5])
				a.ended = True
				return a
			else:
				raise AssertionError("record type %d" % kind)

	def ask(self, params, body=b"", keep=False, timeout=20.0, rid=1):
		self.sock.settimeout(timeout)
		try:
			self.sock.sendall(request(params, body, keep, rid))
		except BrokenPipeError:
			pass  # it may have answered already
		return self.answer(timeout, rid)

	def octet(self, timeout=3.0):
		"""The one that comes behind an answer."""
		self.sock.settimeout(timeout)
		got, self.buf = self.buf or self.sock.recv(2), b""
		return got

	def at_end(self, timeout=5.0):
		"""The other side closed, and sent nothing more."""
		self.sock.settimeout(timeout)
		return not self.buf and self.sock.recv(1) == b""
