# SPDX-License-Identifier: Apache-2.0
"""Request bodies and waiting answers on disk: within the quota of all, within each site's share, and on a disk that is full."""
import hashlib
import os
import shutil
import socket
import subprocess
import time

import pytest

import conftest
import h2wire
import proc
import rawhttp
import servers
import site_conf
from cases import Broken
from fcgi_stub import Stub

pytestmark = pytest.mark.bulkhead

MB = 1 << 20


class Stand:
	"""Two sites before a stub (a, b), one with cells (c), and a spool of 4 MB in which each may have 2."""

	def __init__(self, tmp, docroot, ini, fleet, stub, spool, extra="SpoolMax 4M\nSpoolSiteMax 2M\n", name="spool"):
		conf = 'Protocols h2c http/1.1\nSpoolPath "%s"\n%s' % (spool, extra) + site_conf.common(docroot) + site_conf.pool("stub", "unix:" + stub.addr)
		for site in "ab":
			conf += site_conf.worker_vhost(site + ".test", docroot, "stub")
		conf += site_conf.prefork_vhost("c.test", docroot, "shared", ini, "    ErrorDocument 413 /errors/gone.php\n    ErrorDocument 503 /errors/gone.php\n")
		self.server = fleet.start(servers.Bulkhead(tmp + "/" + name, conf))
		self.stub, self.spool = stub, spool

	def conn(self, **k):
		return rawhttp.Conn(self.server.addr, **k)

	def listen(self):
		"""From here on: a function that says whether a text was logged."""
		at = len(self.server.log())
		return lambda text: text in self.server.log()[at:]

	def upload(self, site, n, path=None, headers="", **k):
		path = path or ("/echo.php" if site == "c" else "/hello.php")
		return self.server.get(site + ".test", path, method="POST", body=b"u" * n, headers=headers, **k)

	def works(self, site, n):
		r = self.upload(site, n)
		return r.status == 200 and (r.body == b"u" * n if site == "c" else r.body == b"stub  %d\n" % n)

	def spooled(self):
		"""Octets in the front's temporary files."""
		sizes = 0
		for pid in self.server.processes()[0]:
			for fd in os.listdir("/proc/%d/fd" % pid):
				name = "/proc/%d/fd/%s" % (pid, fd)
				try:
					if os.readlink(name).startswith(self.spool + "/"):
						sizes += os.stat(name).st_size
				except OSError:
					pass
		return sizes

	def hold(self, site, n, of):
		"""A client that has sent @n octets of a body of @of, which were taken, and goes on some time."""
		before = self.spooled()
		c = self.conn()
		c.send(b"POST /hello.php HTTP/1.1\r\nHost: %s.test\r\nContent-Length: %d\r\n\r\n" % (site.encode(), of) + b"h" * n)
		proc.wait_for(lambda: self.spooled() == before + n, why="the body is taken")
		return c


def spool_dir(path):
	os.makedirs(path)
	if proc.ROOT:
		shutil.chown(path, servers.FRONT_USER)
	os.chmod(path, 0o700)
	return path


need_proc = pytest.mark.skipif(not proc.ROOT, reason="only root sees what files the front has open")


@pytest.fixture(scope="module")
def stub(tmp):
	s = Stub(tmp + "/spool.sock")
	yield s
	s.close()


@pytest.fixture(scope="module")
def stand(tmp, docroot, ini, module_fleet, stub):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	return Stand(tmp, docroot, ini, module_fleet, stub, spool_dir(tmp + "/spool-dir"))


@pytest.mark.parametrize("site", "abc")
@pytest.mark.parametrize("n", [1, 65536, 65537, MB, 2 * MB])
def test_within_the_share(stand, site, n):
	assert stand.works(site, n)
	assert os.listdir(stand.spool) == [], "a file has a name"


@pytest.mark.parametrize("site", "ac")
def test_larger_than_the_share(stand, site):
	"""It could never be taken: 413, before it is sent."""
	with stand.conn() as c:
		c.send(b"POST /echo.php HTTP/1.1\r\nHost: %s.test\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (site.encode(), 2 * MB + 1))
		r = c.response()
		assert (r.status, r.interim) == (413, []), r
		assert c.eof()
	assert stand.works(site, 2 * MB)


def test_larger_than_the_share_in_chunks(stand):
	with stand.conn() as c:
		c.send(b"POST /echo.php HTTP/1.1\r\nHost: c.test\r\nTransfer-Encoding: chunked\r\n\r\n")
		for _ in range(24):
			c.send_what_goes(b"20000\r\n" + b"x" * 0x20000 + b"\r\n")
		assert c.response().status == 413
	assert stand.works("c", 2 * MB)
	assert "past SpoolSiteMax" in stand.server.log()


@need_proc
def test_one_site_cannot_take_all(stand):
	held = stand.hold("a", 1900 * 1024, 2 * MB)
	try:
		r = stand.upload("a", MB)
		assert r.status == 503 and r.get("Retry-After"), r
		assert "SpoolSiteMax or SpoolMax is reached" in stand.server.log()
		# What needs no room, and who has a share of his own:
		assert stand.works("a", 60000) and stand.works("b", 2 * MB) and stand.works("c", 2 * MB)
		assert stand.server.get("a.test", "/hello.txt").body == b"hello\n"
	finally:
		held.close()
	proc.wait_for(lambda: stand.works("a", 2 * MB), why="the room is given back")


@need_proc
def test_all_have_a_bound(stand):
	held = [stand.hold("a", 1900 * 1024, 2 * MB), stand.hold("b", 1900 * 1024, 2 * MB)]
	try:
		assert stand.upload("c", MB).status == 503
		assert stand.works("c", 60000)
		# One that was there before goes on, and has its body whole.
		held[0].send(b"h" * (2 * MB - 1900 * 1024))
		assert held[0].response().body == b"stub  %d\n" % (2 * MB)
	finally:
		for c in held:
			c.close()
	proc.wait_for(lambda: stand.works("c", MB), why="the room is given back")


@need_proc
def test_announced_is_not_taken(stand):
	"""Who announces much and sends nothing takes no room from others."""
	held = [stand.hold("a", 0, 2 * MB) for _ in range(20)]
	try:
		assert stand.works("a", 2 * MB)
	finally:
		for c in held:
			c.close()


@pytest.mark.parametrize("where", ["stub", "cells"])
def test_answer_waits_for_its_client(stand, where):
	"""An answer that finds no room: PHP waits, nothing is lost, nobody else is hurt."""
	n = 12 * MB
	site, path = ("a", "/hello.php?mode=big&n=%d" % n) if where == "stub" else ("c", "/big.php?n=%d" % n)
	logged = stand.listen()
	with stand.conn(rcvbuf=4096, timeout=20) as c:
		c.send(("GET %s HTTP/1.1\r\nHost: %s.test\r\nConnection: close\r\n\r\n" % (path, site)).encode())
		proc.wait_for(lambda: logged("PHP waits for its client"), why="PHP is paused")
		assert stand.upload(site, MB).status == 503
		assert stand.works("b", MB) and stand.server.get("b.test", "/hello.txt").body == b"hello\n"
		r = c.response()
		assert r.status == 200 and len(r.body) == n
	want = stand.server.get("%s.test" % site, path, timeout=20).body if where == "stub" else None
	assert want is None or r.body == want
	if where == "cells":
		small = stand.server.get("c.test", "/big.php?n=100000").body
		assert r.body.startswith(small)
	proc.wait_for(lambda: stand.works(site, 2 * MB), why="the room is given back")


@need_proc
def test_client_leaves_meanwhile(stand):
	for _ in range(3):
		with stand.conn(rcvbuf=4096) as c:
			c.send(b"GET /hello.php?mode=big&n=%d HTTP/1.1\r\nHost: b.test\r\n\r\n" % (12 * MB))
			time.sleep(0.2)
	proc.wait_for(lambda: stand.spooled() == 0, why="the room is given back")
	assert stand.works("b", 2 * MB)


def h2(stand, site, path, *args, data=None):
	"""(status, body) of a request over HTTP/2, by curl; status 0: it was given up while it was sent."""
	host, port = stand.server.addr
	r = subprocess.run([servers.tool("curl"), "-sS", "--http2-prior-knowledge", "--max-time", "40", "--resolve", "%s.test:%d:%s" % (site, port, host), "-w", "%{stderr}%{http_version} %{http_code}",
		*args, "http://%s.test:%d%s" % (site, port, path)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
	version, status = r.stderr.decode().split()[-2:]
	assert (version, status) == ("0", "000") or version == "2", r.stderr
	return int(status), r.stdout


@need_proc
def test_over_http2(stand):
	conftest.need(servers.tool("curl"), "no curl")
	def upload(site, n):
		return h2(stand, site, "/hello.php", "-T", "-", "-X", "POST", data=b"u" * n)
	def refused(site, n, status, text):
		# RFC 9113 8.1: the answer, then the stream is reset without an error; older curl do not look at the answer then.
		logged = stand.listen()
		assert upload(site, n)[0] in (status, 0) and (status == 503 or logged(text))
	assert upload("a", 2 * MB) == (200, b"stub  %d\n" % (2 * MB))
	refused("a", 2 * MB + 1, 413, "413: the request body is past SpoolSiteMax")
	held = stand.hold("a", 1900 * 1024, 2 * MB)
	try:
		refused("a", MB, 503, "no room for the request body")
		assert upload("b", MB)[0] == 200 and upload("a", 60000)[0] == 200
	finally:
		held.close()
	proc.wait_for(lambda: stand.spooled() == 0, why="the room is given back")
	n = 12 * MB
	status, body = h2(stand, "b", "/hello.php?mode=big&n=%d" % n, "--limit-rate", "6M")
	assert (status, len(body)) == (200, n) and body == b"b" * n
	proc.wait_for(lambda: stand.spooled() == 0, why="the room is given back")
	assert upload("b", 2 * MB)[0] == 200


# --- disks ----------------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(here):
	path = here + "/disk"
	os.makedirs(path)
	conftest.need(proc.ROOT, "mounting a small file system needs root")
	r = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=1777", "none", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	conftest.need(r.returncode == 0, "no small file system: " + r.stdout)
	yield path
	subprocess.run(["umount", "-l", path], check=True)


def test_full_disk(here, docroot, ini, fleet, stub, small_disk):
	stand = Stand(here, docroot, ini, fleet, stub, small_disk, extra="", name="full")
	assert stand.works("a", 900 * 1024)
	assert stand.upload("a", 3 * MB).status == 503
	assert "the disk of SpoolPath is full" in stand.server.log()
	assert stand.works("a", 60000)
	r = stand.upload("c", 900 * 1024)  # and back: its answer finds no room either
	assert r.body == b"u" * 900 * 1024, (r.status, len(r.body), stand.server.log()[-1500:])
	with stand.conn(rcvbuf=4096, timeout=20) as c:
		c.send(b"GET /hello.php?mode=big&n=%d HTTP/1.1\r\nHost: a.test\r\n\r\n" % (8 * MB))
		proc.wait_for(lambda: "PHP waits for its client" in stand.server.log(), why="PHP is paused")
		assert stand.server.get("b.test", "/hello.txt").body == b"hello\n"
		r = c.response()
		assert r.status == 200 and hashlib.sha1(r.body).digest() == hashlib.sha1(b"b" * 8 * MB).digest()
	assert stand.works("a", 900 * 1024)


def test_spool_that_cannot_be_written(here, docroot, ini, fleet, stub):
	conftest.need(proc.ROOT, "an ordinary user's front has that user's rights")
	path = here + "/locked"
	os.makedirs(path, mode=0o755)
	stand = Stand(here, docroot, ini, fleet, stub, path, name="locked")
	proc.wait_for(lambda: "the front's user cannot make files there" in stand.server.log(), why="it is said at start")
	assert stand.works("a", 60000)
	assert stand.upload("a", MB).status == 500
	assert "cannot be kept in SpoolPath" in stand.server.log()
	assert stand.server.get("a.test", "/hello.txt").body == b"hello\n"


def test_configuration(here, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	b = servers.Bulkhead(here + "/conf", "")
	for line, want in (('SpoolPath "%s/nowhere"\n' % here, "there is no such directory"), ("SpoolMax 1\n", "too small"), ("SpoolMax lots\n", "'lots'"),
			("<VirtualHost *>\nSpoolMax 1G\n</VirtualHost>\n", "must stand in"), ('SpoolPath "%s"\nSpoolSiteMax 1M\n' % here, None)):
		b.write(line)
		r = b.run("-t")
		assert (r.returncode == 0) == (want is None), r.stdout
		assert want is None or (want in r.stdout and "bulkhead.conf:" in r.stdout), r.stdout


@need_proc
def test_error_documents_of_scripts(stand):
	"""The site's own page for a body that was refused, before it was sent, while it is sent, and for want of room."""
	raw = b"POST /limited/echo.php HTTP/1.1\r\nHost: c.test\r\n%s\r\n"
	for head, body in ((b"Content-Length: 3000000\r\n", b"x" * 3000000), (b"Transfer-Encoding: chunked\r\n", b"186a0\r\n" + b"x" * 100000 + b"\r\n0\r\n\r\n")):
		with stand.conn() as c:
			c.send(raw % head)
			c.send_what_goes(body)
			r = c.response()
			assert (r.status, r.body) == (413, b"own 413 /limited/echo.php\n"), r
	held = [stand.hold("a", 1900 * 1024, 2 * MB), stand.hold("b", 1900 * 1024, 2 * MB)]
	try:
		r = stand.upload("c", MB)
		assert (r.status, r.body) == (503, b"own 503 /echo.php\n"), r
	finally:
		for c in held:
			c.close()
	proc.wait_for(lambda: stand.spooled() == 0, why="the room is given back")


# --- limits by directory ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["length", "chunked", "expect"])
def test_limit_is_seen_by_a_client_that_sends_on(stand, how):
	"""Past LimitRequestBody: the client sees 413 although it is still sending, and the connection ends."""
	head = {"length": b"Content-Length: 3000000\r\n", "chunked": b"Transfer-Encoding: chunked\r\n", "expect": b"Content-Length: 3000000\r\nExpect: 100-continue\r\n"}[how]
	with stand.conn() as c:
		c.send(b"POST /limited/echo.php HTTP/1.1\r\nHost: c.test\r\n" + head + b"\r\n")
		for _ in range(30):
			c.send_what_goes(b"186a0\r\n" + b"x" * 100000 + b"\r\n" if how == "chunked" else b"x" * 100000)
		r = c.response()
		assert (r.status, r.interim) == (413, []), r
	with stand.conn() as c:  # a small surplus is read off, and the connection may serve on
		c.send(b"POST /limited/echo.php HTTP/1.1\r\nHost: c.test\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000 + b"GET /hello.txt HTTP/1.1\r\nHost: c.test\r\n\r\n")
		assert c.response().status == 413
		try:
			assert c.response().body == b"hello\n"
		except Broken as e:
			assert "closed without" in str(e), e


class FewFiles(servers.Bulkhead):
	"""With 1024 descriptors, however many it could have as root."""

	def argv(self):
		return [servers.tool("prlimit"), "--nofile=1024:1024"] + super().argv()


def test_bodies_do_not_take_all_descriptors(here, docroot, fleet, stub):
	"""A connection of HTTP/2 may send a hundred bodies at once, each a file: others are still served, and the other site's uploads are."""
	need = [servers.tool(x) for x in ("prlimit", "setpriv")]
	conftest.need(all(need), "no prlimit or setpriv")
	server = FewFiles(here + "/bulkhead", 'Protocols h2c http/1.1\nSpoolPath "%s"\n' % spool_dir(here + "/spool") + site_conf.common(docroot)
		+ site_conf.pool("stub", "unix:" + stub.addr) + "".join(site_conf.worker_vhost(s + ".test", docroot, "stub") for s in "ab"))
	if proc.ROOT:  # without the right to raise the limit again
		argv = server.argv()
		server.argv = lambda: [servers.tool("setpriv"), "--bounding-set=-sys_resource"] + argv
	fleet.start(server)
	front = server.processes()[0][0]
	conns = []
	try:
		for _ in range(12):
			c = h2wire.Conn(server.addr)
			conns.append(c)
			for i in range(100):
				c.request("a.test", "/hello.php", "POST", body=b"z" * 66000, end=False)
		answer = conns[-1].answer(199)
		assert answer.status == 503, answer
		assert len(os.listdir("/proc/%d/fd" % front)) < 400
		assert server.get("b.test", "/hello.txt").status == 200
		assert server.get("b.test", "/hello.php", method="POST", body=b"u" * 100000).status == 200
	finally:
		for c in conns:
			c.s.close()
	proc.wait_for(lambda: server.get("a.test", "/hello.php", method="POST", body=b"u" * 100000).status == 200, 5, 0.1, why="their files are given back")
