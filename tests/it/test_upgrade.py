# SPDX-License-Identifier: Apache-2.0
"""bulkhead -k upgrade: another master takes over the sockets; and what -k says about how a thing went."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

import conftest
import proc
import servers
import site_conf
import tls_tools
from load import Load
from rawhttp import Conn

pytestmark = pytest.mark.bulkhead


class Own(servers.Bulkhead):
	"""A server from a copy of the program, so that the program can be replaced. It is whatever process the PidFile names."""

	def __init__(self, tmp, conf_text, **k):
		super().__init__(tmp, conf_text, **k)
		self.program = tmp + "/bin/bulkhead"
		os.makedirs(tmp + "/bin")
		made = os.path.dirname(servers.bulkhead_bin())
		for name in os.listdir(made):
			if name == "bulkhead" or name.startswith("bulkhead-php"):
				shutil.copy(os.path.join(made, name), tmp + "/bin/")

	def argv(self):
		return [self.program, "-X", "-f", self.conf]

	def master(self):
		with open(self.tmp + "/bulkhead.pid") as f:
			return int(f.read())

	def ready(self):
		return super().ready() and os.path.exists(self.tmp + "/bulkhead.pid.ctl")

	def k(self, word):
		return subprocess.run([self.program, "-f", self.conf, "-k", word], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True)

	def stop(self):
		"""The heir first, then the process that was started."""
		bad = []
		if self.p is None:
			return bad
		heir = self.master()
		if heir == self.p.pid:
			return super().stop()
		os.kill(heir, signal.SIGTERM)
		proc.wait_for(lambda: self.p.poll() is not None, 10, why="the first master's end")
		proc.wait_for(lambda: proc.reap() or not proc.alive(heir), 10, why="the heir's end")
		text = self.log()
		if "AddressSanitizer" in text or "runtime error:" in text:
			bad.append(text[-3000:])
		self.p = None
		return bad


@pytest.fixture
def make(here, docroot, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	def conf(which, extra=""):
		return site_conf.common(docroot) + extra + "Redirect %d /which\n<VirtualHost *>\n    ServerName static.test\n    DocumentRoot \"%s\"\n</VirtualHost>\n" % (
			which, docroot)
	bh = fleet.start(Own(here + "/bulkhead", conf(410)))
	return bh, conf


def which(bh):
	return bh.get("main.test", "/which", timeout=5).status


def test_upgrade_under_load(make):
	"""Three programs in a row take over while clients ask: no request fails, and a connection of the first one is finished."""
	bh, conf = make
	first = bh.master()
	with Conn(bh.addr) as old, Load(bh.addr, [("static.test", "/hello.txt", b"hello\n")], clients=4, fresh=True) as fresh, \
			Load(bh.addr, [("static.test", "/hello.txt", b"hello\n")], clients=3) as kept:
		old.send(b"POST /hello.txt HTTP/1.1\r\nHost: static.test\r\nContent-Length: 4\r\n\r\nab")
		time.sleep(0.3)
		seen = {first}
		for status in (404, 403, 410):
			bh.write(conf(status))
			r = bh.k("upgrade")
			assert r.returncode == 0 and r.stdout == "", r
			assert bh.master() not in seen
			seen.add(bh.master())
			assert which(bh) == status
		assert proc.alive(first), "it has a connection still"
		old.send(b"cd")
		assert old.response().status == 405
		old.close()
		proc.wait_for(lambda: bh.p.poll() is not None, 10, why="the first master's end")
		assert bh.p.returncode == 0
	assert not fresh.bad and not kept.bad, (fresh.bad[:3], kept.bad[:3])
	assert fresh.good > 50 and kept.good > 50
	assert os.path.exists(bh.tmp + "/bulkhead.pid.ctl")
	assert bh.k("graceful").returncode == 0


def test_upgrade_that_fails_changes_nothing(make):
	"""A program that does not start, files with errors, a port in use: the old server goes on and -k says why."""
	bh, conf = make
	first = bh.master()
	with open(bh.conf, "a") as f:
		f.write("Bogus on\n")
	# The file is looked at before the server is asked; a program is asked by nobody else.
	r = bh.k("upgrade")
	assert r.returncode == 1 and "unknown directive 'Bogus'" in r.stdout, r
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		s.listen(1)
		bh.write(conf(404, "Listen 127.0.0.1:%d\n" % s.getsockname()[1]))
		r = bh.k("upgrade")
		assert r.returncode == 1 and "another server is running there" in r.stdout and "upgrade refused" in r.stdout, r
		assert bh.master() == first and which(bh) == 410
	bh.write(conf(404))
	good = bh.program + ".good"
	os.rename(bh.program, good)
	with open(bh.program, "w") as f:
		f.write("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
	os.chmod(bh.program, 0o755)
	ask = lambda: subprocess.run([good, "-f", bh.conf, "-k", "upgrade"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, text=True)
	r = ask()
	assert r.returncode == 1 and "the new server ended before it served" in r.stdout, r
	os.unlink(bh.program)
	r = ask()
	assert r.returncode == 1 and "No such file" in r.stdout, r
	assert bh.master() == first and which(bh) == 410 and bh.p.poll() is None
	os.rename(good, bh.program)
	r = bh.k("upgrade")
	assert r.returncode == 0 and bh.master() != first and which(bh) == 404, r


def test_upgrade_with_tls(here, docroot, fleet):
	"""Handshakes go on while another program takes over; one that could not show a certificate does not."""
	conftest.need(servers.bulkhead_bin() and servers.tool("openssl"), "no bulkhead to test, or no openssl")
	tls_tools.make_cert(here + "/certs", "site", "static.test")
	port = proc.free_port()
	addr = ("127.0.0.1", port)
	bh = fleet.start(Own(here + "/bulkhead", site_conf.common(docroot) + '<VirtualHost *:%d>\n    ServerName static.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (
		port, docroot, tls_tools.lines(here + "/certs", "site")), head="Listen 127.0.0.1:%d\n" % port))
	first = bh.master()
	with tls_tools.TlsConn(addr, "static.test") as kept:
		assert kept.ask("static.test", "/hello.txt", close=False).body == b"hello\n"
		r = bh.k("upgrade")
		assert r.returncode == 0 and bh.master() != first, r
		assert kept.ask("static.test", "/hello.txt").body == b"hello\n"
	assert tls_tools.answers(addr, "static.test") == 200
	os.unlink(here + "/certs/site.key")
	second = bh.master()
	r = bh.k("upgrade")
	assert r.returncode == 1 and "site.key (static.test): No such file" in r.stdout, r
	assert bh.master() == second and tls_tools.answers(addr, "static.test") == 200


def test_upgrade_tells_the_service_manager(make, here):
	"""MAINPID= comes from the old main process, whose word alone counts (NotifyAccess=main); READY is not said twice."""
	bh, conf = make
	bh.stop()
	path = here + "/notify.sock"
	with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
		s.bind(path)
		s.settimeout(10)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
		def hear():
			data, anc, _, _ = s.recvmsg(4096, 256)
			return data.decode(), int.from_bytes(anc[0][2][:4], "little")
		bh.environ = lambda: dict(os.environ, NOTIFY_SOCKET=path)
		bh.start()
		first = bh.master()
		assert hear() == ("READY=1", first)
		assert bh.k("upgrade").returncode == 0
		assert hear() == ("MAINPID=%d" % bh.master(), first)
		proc.wait_for(lambda: bh.p.poll() is not None, 10, why="the first master's end")
		assert bh.k("graceful").returncode == 0
		text, who = hear()
		assert text.startswith("RELOADING=1\nMONOTONIC_USEC=") and who == bh.master()
		assert hear() == ("READY=1", bh.master())
		assert not bh.stop()
		assert hear()[0] == "STOPPING=1"


def test_control_socket_is_the_masters_users(make):
	"""Who is neither root nor the server's user cannot ask; nonsense is answered with the end of the connection."""
	bh, _ = make
	path = bh.tmp + "/bulkhead.pid.ctl"
	assert os.stat(path).st_mode & 0o777 == 0o600
	for text in (b"graceful\0", b"stop", b"x" * 4000):
		with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
			s.settimeout(5)
			s.connect(path)
			s.send(text)
			assert s.recv(100) == b"", text
	with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
		s.settimeout(20)
		s.connect(path)
		s.send(b"graceful")
		assert s.recv(100) == b"D\0"
	if proc.ROOT:
		os.chmod(path, 0o666)  # whoever could reach it all the same
		r = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c",
			"import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect('%s')\n"
			"try:\n s.send(b'graceful'); print(s.recv(10))\nexcept ConnectionError as e: print(b'')" % path], stdout=subprocess.PIPE, timeout=20)
		assert r.stdout == b"b''\n", r


def test_port_that_comes_back(make):
	"""A port that one reload takes away refuses clients at once, though an old front is still busy, and the next one has it back."""
	bh, conf = make
	port = proc.free_port()
	second = ("127.0.0.1", port)
	listen = "Listen 127.0.0.1:%d\n" % port
	bh.write(conf(404, listen))
	assert bh.k("graceful").returncode == 0 and proc.accepts(second)
	with Conn(second) as old:
		old.send(b"POST /hello.txt HTTP/1.1\r\nHost: static.test\r\nContent-Length: 4\r\n\r\nab")
		time.sleep(0.2)
		for _ in range(2):
			bh.write(conf(404))
			assert bh.k("graceful").returncode == 0
			proc.wait_for(lambda: not proc.accepts(second), 3, why="the port to be closed")
			assert proc.accepts(bh.addr)
			bh.write(conf(404, listen))
			r = bh.k("graceful")
			assert r.returncode == 0, (r, bh.log()[-1500:])
			with Conn(second) as c:
				c.send(b"GET /hello.txt HTTP/1.1\r\nHost: static.test\r\nConnection: close\r\n\r\n")
				assert c.response().body == b"hello\n"
		old.send(b"cd")
		assert old.response().status == 405
