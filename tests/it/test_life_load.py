# SPDX-License-Identifier: Apache-2.0
"""Reloads, rotation, renewed certificates, upgrades and a killed front under load: no failed request, no reset connection."""
import os
import signal
import socket
import threading
import time

import pytest

import conftest
import proc
import rawhttp
import servers
import site_conf
import tls_tools as tls
from test_upgrade import Own

pytestmark = pytest.mark.bulkhead


class Client(threading.Thread):
	"""Asks one host after the other until it is told to stop. Every error counts; a kept connection ends when the server said so."""

	def __init__(self, addr, hosts, path, fresh=False, ctx=None, pause=0.004):
		super().__init__(daemon=True)
		self.addr, self.hosts, self.path, self.fresh, self.ctx, self.pause = addr, hosts, path, fresh, ctx, pause
		self.good, self.bad, self.worst, self.running = 0, [], 0.0, True

	def run(self):
		c, n = None, 0
		while self.running:
			host = self.hosts[n % len(self.hosts)]
			n += 1
			began = time.monotonic()
			try:
				if c is None:
					c = rawhttp.Conn(self.addr, 30) if self.ctx is None else tls.TlsConn(self.addr, self.hosts[0], self.ctx, timeout=30.0)
				c.send(("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (self.path, host, "Connection: close\r\n" if self.fresh else "")).encode())
				r = c.response()
				if r.status != 200:
					raise rawhttp.Broken("status %d of %s" % (r.status, host))
				self.good += 1
				if (r.get("connection") or "").lower() == "close":
					c.close()
					c = None
			except (OSError, AssertionError) as e:
				self.bad.append("%s %s: %r" % (host, self.path, e))
				c = None
			self.worst = max(self.worst, time.monotonic() - began)
			time.sleep(self.pause)
		if c is not None:
			c.close()


class World:
	def __init__(self, here, docroot, ini, fleet, hosts):
		self.n, self.certs, self.sites, self.logs = hosts, here + "/certs", here + "/sites", here + "/logs"
		for d in (self.sites, self.logs):
			os.makedirs(d)
		tls.make_cert(self.certs, "x", "tls.test")
		for k in range(2):
			tls.make_cert(self.certs, "new%d" % k, "tls.test")
		self.port = proc.free_port()
		self.bh = Own(here + "/bulkhead", "", head="Listen 127.0.0.1:%d https\n" % self.port)
		for i in range(hosts):
			servers.write("%s/s%04d.conf" % (self.sites, i), '<VirtualHost *:%d>\n    ServerName s%d.test\n    DocumentRoot "%s"\n    CustomLog "%s/s%d.log" "%%U"\n</VirtualHost>\n'
				% (self.bh.port, i, docroot, self.logs, i))
		on = lambda port, text: text.replace("<VirtualHost *>", "<VirtualHost *:%d>" % port)
		self.bh.write(site_conf.common(docroot) + on(self.bh.port, site_conf.prefork_vhost("php.test", docroot, "shared", ini, ""))
			+ '<VirtualHost *:%d>\n    ServerName tls.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (self.port, docroot, tls.lines(self.certs, "x"))
			+ 'IncludeOptional "%s/*.conf"\n' % self.sites)
		fleet.start(self.bh)
		assert self.bh.get("php.test", "/hello.php").status == 200
		names = ["s%d.test" % i for i in range(hosts)]
		tls_addr, ctx = ("127.0.0.1", self.port), tls.context()
		self.clients = [Client(self.bh.addr, names[k::3], "/hello.txt", fresh=True) for k in range(3)] + [
			Client(self.bh.addr, names[k::3], "/hello.txt") for k in range(3)] + [
			Client(self.bh.addr, ["php.test"], "/hello.php", pause=0.02), Client(tls_addr, ["tls.test"], "/hello.txt", ctx=ctx, pause=0.02),
			Client(tls_addr, ["tls.test"], "/hello.txt", fresh=True, ctx=ctx, pause=0.02)]

	def __enter__(self):
		for c in self.clients:
			c.start()
		return self

	def __exit__(self, *exc):
		for c in self.clients:
			c.running = False
		for c in self.clients:
			c.join(40)

	def judge(self, seconds):
		bad = [b for c in self.clients for b in c.bad]
		good = sum(c.good for c in self.clients)
		assert not bad, (len(bad), bad[:5], self.bh.log()[-2000:])
		assert all(c.good > 3 for c in self.clients), [c.good for c in self.clients]
		return "%d requests, %.0f a second, failed=0, longest %.0f ms" % (good, good / seconds, 1000 * max(c.worst for c in self.clients))

	def turn(self, k):
		"""One reload of one of three kinds; every seventh is an upgrade."""
		if k % 3 == 1:
			tls.install("%s/new%d" % (self.certs, k % 2), self.certs, "x")
		if k % 3 == 2:
			for i in range(0, self.n, 7):
				path = "%s/s%d.log" % (self.logs, i)
				if os.path.exists(path):
					os.rename(path, path + ".1")
		began = time.monotonic()
		r = self.bh.k("upgrade" if k % 7 == 6 else "graceful")
		assert r.returncode == 0, r
		return time.monotonic() - began


def rounds(here, docroot, ini, fleet, hosts, n):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	took = []
	with World(here, docroot, ini, fleet, hosts) as w:
		began = time.monotonic()
		for k in range(n):
			took.append(w.turn(k))
		# A quick machine is through before each of them has asked a few times.
		proc.wait_for(lambda: all(c.good > 3 or c.bad for c in w.clients), 20, why="answers to every client")
		seconds = time.monotonic() - began
	took.sort()
	print("%d reloads of %d hosts: median %.0f ms, longest %.0f ms; %s" % (n, hosts, 1000 * took[n // 2], 1000 * took[-1], w.judge(seconds)))


def test_reloads_and_upgrades_under_load(here, docroot, ini, fleet):
	rounds(here, docroot, ini, fleet, 200, 8)


@pytest.mark.slow
def test_fifty_reloads_of_a_thousand_hosts_under_load(here, docroot, ini, fleet):
	rounds(here, docroot, ini, fleet, 1000, 50)


def test_front_that_is_killed_under_load(here, docroot, fleet):
	"""Connections that it held are lost; new ones wait in the kernel for the next front, which is there at once."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", site_conf.common(docroot) + "".join(
		'<VirtualHost *>\n    ServerName s%d.test\n    DocumentRoot "%s"\n</VirtualHost>\n' % (i, docroot) for i in range(300))))
	clients = [Client(bh.addr, ["s%d.test" % i], "/hello.txt") for i in range(3)]
	for c in clients:
		c.start()
	times = []
	for _ in range(3):
		time.sleep(0.3)
		front = [p for p in proc.descendants(bh.pid) if proc.status_of(p)["Name"] == "bulkhead-front"]
		began = time.monotonic()
		os.kill(front[0], signal.SIGKILL)
		assert bh.get("s7.test", "/hello.txt", timeout=10).status == 200
		times.append(time.monotonic() - began)
	good = [c.good for c in clients]
	time.sleep(0.3)
	for c in clients:
		c.running = False
	for c in clients:
		c.join(30)
	assert all(c.good > g for c, g in zip(clients, good)), "served again"
	print("a killed front: served again within %s ms" % ", ".join("%.0f" % (1000 * t) for t in times))
	# The machine may be busy with much else; the best of three shows what the server needs.
	assert min(times) < 0.2 * (4 if servers.SANITIZED else 1), times


def test_session_outlives_an_upgrade(here, docroot, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	certs, port = here + "/certs", proc.free_port()
	tls.make_cert(certs, "x", "tls.test")
	bh = fleet.start(Own(here + "/bulkhead", site_conf.common(docroot) + '<VirtualHost *:%d>\n    ServerName tls.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n'
		% (port, docroot, tls.lines(certs, "x")), head="Listen 127.0.0.1:%d https\n" % port))
	ctx = tls.context()
	def session(old=None):
		with tls.TlsConn(("127.0.0.1", port), "tls.test", ctx, session=old) as c:
			assert c.ask("tls.test", "/hello.txt").status == 200
			return c.s.session, c.s.session_reused
	old, reused = session()
	assert not reused and session(old)[1]
	for _ in range(2):
		assert bh.k("upgrade").returncode == 0
		assert session(old)[1]
