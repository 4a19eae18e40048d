# SPDX-License-Identifier: Apache-2.0
"""TLS with much data, slow clients, and certificates that change meanwhile."""
import hashlib
import os
import ssl
import subprocess
import threading
import time

import pytest

import conftest
import proc
import servers
import site_conf
import tls_tools as tls
from rawhttp import Broken
from tls_tools import TlsConn

pytestmark = pytest.mark.bulkhead


def start(fleet, where, docroot, ini, fpm, certs, head=""):
	port = proc.free_port()
	bh = servers.Bulkhead(where, "", head="Listen 127.0.0.1:%d\n%s" % (port, head))
	text = site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("static.test", docroot, "fpm", tls.lines(certs, "site"))
	for level in ("fresh", "rollback", "shared"):
		text += site_conf.prefork_vhost(level + ".test", docroot, level, ini, tls.lines(certs, "site"))
	text += site_conf.worker_vhost("worker.test", docroot, "fpm", tls.lines(certs, "site"))
	bh.write(site_conf.common(docroot) + text.replace("<VirtualHost *>", "<VirtualHost *:%d>" % port))
	fleet.start(bh)
	return bh, ("127.0.0.1", port)


@pytest.fixture(scope="module")
def server(tmp, module_fleet, docroot, ini, fpm):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	tls.make_cert(tmp + "/load-certs", "site", "static.test", "worker.test")
	return start(module_fleet, tmp + "/tls-load", docroot, ini, fpm, tmp + "/load-certs")


LEVELS = ["fresh", "rollback", "shared", "worker"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_static_download_is_whole(server, docroot, version):
	want = open(docroot + "/blob.bin", "rb").read()
	with TlsConn(server[1], "static.test", tls.context(version, version)) as c:
		for _ in range(2):
			assert c.ask("static.test", "/blob.bin", close=False).body == want
		r = c.ask("static.test", "/blob.bin", "Range: bytes=1000000-1999999\r\n", close=False)
		assert r.status == 206 and r.body == want[1000000:2000000]
		assert c.ask("static.test", "/empty.txt").body == b""


def test_slow_reader_gets_all(server, docroot):
	want = hashlib.sha256(open(docroot + "/blob.bin", "rb").read()).hexdigest()
	with TlsConn(server[1], "static.test", rcvbuf=4096) as c:
		c.send(b"GET /blob.bin HTTP/1.1\r\nHost: static.test\r\nConnection: close\r\n\r\n")
		time.sleep(0.5)
		assert hashlib.sha256(c.response().body).hexdigest() == want


@pytest.mark.parametrize("level", LEVELS)
def test_php_both_ways(server, level):
	host = level + ".test"
	body = os.urandom(3 << 20)
	with TlsConn(server[1], host, timeout=30) as c:
		assert c.ask(host, "/echo.php", "Content-Type: application/octet-stream\r\n", "POST", body, close=False).body == body
		# In odd pieces, chunked, and slower than it is read.
		c.send(("POST /echo.php HTTP/1.1\r\nHost: %s\r\nContent-Type: x/y\r\nTransfer-Encoding: chunked\r\n\r\n" % host).encode())
		at = 0
		for n in (1, 70000, 16384, 16385, 5, 200000):
			c.s.sendall(b"%x\r\n" % n + body[at:at + n] + b"\r\n")
			at += n
		c.s.sendall(b"0\r\n\r\n")
		assert c.response().body == body[:at]
		big = c.ask(host, "/big.php?n=5000000").body
		assert len(big) == 5000000 and all(big[i:i + 16] == b"%015d\n" % i for i in range(0, 5000000 - 16, 99968))


def test_pipelined_in_one_record(server):
	"""What one record brought beyond the first request is not waited for."""
	one = b"GET /hello.txt HTTP/1.1\r\nHost: static.test\r\n\r\n"
	with TlsConn(server[1], "static.test") as c:
		c.send(one * 20)
		assert [c.response().body for _ in range(20)] == [b"hello\n"] * 20
		# A body, and what follows it, in the same record as its head.
		c.send(b"POST /hello.txt HTTP/1.1\r\nHost: static.test\r\nContent-Length: 12000\r\n\r\n" + b"x" * 12000 + one)
		assert c.response().status == 405
		assert c.response().body == b"hello\n"


@pytest.mark.parametrize("level", LEVELS)
def test_events_come_one_by_one(server, level):
	host = level + ".test"
	with TlsConn(server[1], host) as c:
		r = c.ask(host, "/flush.php")
	assert r.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
	assert r.times[-1] - r.times[0] > 0.5, r.times


def test_cut_answer_is_no_clean_end(server):
	"""close_notify says that all was sent: it does not come when a script died in the middle of an answer without a length."""
	ctx = tls.context()
	ctx.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # which Python sets to be kind
	def read_all(path):
		with TlsConn(server[1], "shared.test", ctx) as c:
			c.s.suppress_ragged_eofs = False
			c.send(b"GET " + path + b" HTTP/1.0\r\nHost: shared.test\r\n\r\n")
			got = b""
			while True:
				piece = c.s.recv(65536)
				if not piece:
					return got
				got += piece
	with pytest.raises(ssl.SSLError):
		read_all(b"/crash.php?late")
	assert b"data: 2" in read_all(b"/flush.php")


def test_small_answer_is_one_record(server):
	r = subprocess.run([servers.tool("openssl"), "s_client", "-connect", "127.0.0.1:%d" % server[1][1], "-servername", "static.test", "-quiet", "-msg",
		"-msgfile", "/dev/stderr"], input=b"GET /hello.txt HTTP/1.0\r\nHost: static.test\r\n\r\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
	assert r.stdout.endswith(b"hello\n"), r.stdout
	data = [l for l in r.stderr.decode().splitlines() if l.startswith("<<<") and "ApplicationData" in l]
	assert len(data) <= 1, r.stderr.decode()[-2000:]


# --- hostile clients ---------------------------------------------------------------------------------------------------------------

def test_slow_handshakes_hold_nobody_up(server):
	"""200 handshakes that stop in the middle, beside a client that is served as if they were not there."""
	def median():
		times = []
		for _ in range(15):
			started = time.monotonic()
			assert tls.answers(server[1], "static.test") == 200
			times.append(time.monotonic() - started)
		return sorted(times)[len(times) // 2]
	before = median()
	held = [tls.half_hello(server[1]) for _ in range(200)]
	try:
		assert median() < max(4 * before, 0.5)
	finally:
		for s in held:
			s.close()


@pytest.mark.slow
def test_handshake_has_an_end(server):
	"""Whoever sends octets of a hello one by one is let go after some twenty seconds all the same."""
	s = tls.half_hello(server[1])
	s.settimeout(5)
	started = time.monotonic()
	while time.monotonic() - started < 40:
		try:
			s.sendall(b"\0")
			time.sleep(1)
		except OSError:
			break
	assert 10 < time.monotonic() - started < 35
	s.close()


def test_key_updates_are_counted(server):
	"""A client of TLS 1.3 that asks for new keys without end is shut out; a few are fine."""
	def ask(updates):
		p = subprocess.Popen([servers.tool("openssl"), "s_client", "-connect", "127.0.0.1:%d" % server[1][1], "-servername", "static.test", "-tls1_3"],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		try:
			os.set_blocking(p.stdout.fileno(), True)
			while b"Verify return code" not in p.stdout.readline():
				pass
			time.sleep(0.5)  # a command is one only when nothing else is read with it
			for _ in range(updates):
				p.stdin.write(b"K\n")
				p.stdin.flush()
				time.sleep(0.02)
			p.stdin.write(b"GET /hello.txt HTTP/1.0\r\nHost: static.test\r\n\r\n")
			p.stdin.flush()
			time.sleep(1)
			return p.communicate(timeout=20)[0]
		except BrokenPipeError:
			return p.communicate(timeout=20)[0]
		finally:
			p.kill()
	assert ask(3).count(b"hello\n") == 1
	assert ask(120).count(b"hello\n") == 0
	assert tls.answers(server[1], "static.test") == 200


# --- change ---------------------------------------------------------------------------------------------------------------------------

def test_certificate_changes_under_load(here, docroot, ini, fpm, fleet):
	"""Reloads with another certificate each, while clients ask on kept and on new connections: nothing fails, the new one is shown."""
	conftest.need(servers.bulkhead_bin() and servers.tool("openssl"), "no bulkhead to test, or no openssl")
	certs = here + "/certs"
	tls.make_cert(certs, "site", "static.test")
	made = []
	for i in range(4):
		tls.make_cert(here + "/made", "c%d" % i, "static.test", "serial%d.test" % i)
		made.append(here + "/made/c%d" % i)
	bh, addr = start(fleet, here + "/change", docroot, ini, fpm, certs)
	failed, count, stop = [], [0], threading.Event()
	def client(keep):
		while not stop.is_set():
			try:
				with TlsConn(addr, "static.test", timeout=15) as c:
					for i in range(20 if keep else 1):
						r = c.ask("static.test", "/hello.txt", close=False)
						assert r.status == 200 and r.body == b"hello\n", r
						count[0] += 1
						if r.get("connection") == "close":
							break
			except Exception as e:  # noqa: BLE001 - whatever it is, it is a failed request
				failed.append(repr(e))
	threads = [threading.Thread(target=client, args=(k,)) for k in (True, True, False)]
	for t in threads:
		t.start()
	try:
		for m in made * 2:
			tls.install(m, certs, "site")
			r = bh.run("-k", "graceful")
			assert r.returncode == 0, r.stdout
			with TlsConn(addr, "static.test") as c:
				assert c.der() == ssl.PEM_cert_to_DER_cert(open(m + ".crt").read())
	finally:
		stop.set()
		for t in threads:
			t.join()
	assert not failed, failed[:5]
	assert count[0] > 50
	# What cannot be used changes nothing, and is said.
	good = open(made[-1] + ".crt").read()
	os.rename(certs + "/site.key", certs + "/away.key")
	r = bh.run("-k", "graceful")
	assert r.returncode == 1 and "site.key (static.test): No such file or directory" in r.stdout, r.stdout
	with TlsConn(addr, "static.test") as c:
		assert c.der() == ssl.PEM_cert_to_DER_cert(good)
	assert "goes on with the certificate that it had" in bh.log()
