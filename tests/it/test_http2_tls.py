# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 over TLS: agreed on by ALPN, host by host, and spoken by real clients."""
import json
import subprocess

import pytest

import chromium
import conftest
import h2wire
import proc
import servers
import site_conf
import test_real_uploads
import tls_tools as tls

pytestmark = pytest.mark.bulkhead


@pytest.fixture(scope="module")
def site(tmp, module_fleet, docroot, ini):
	"""An address with hosts that share a certificate, one that has its own, and ones that speak less or in another order."""
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	certs = tmp + "/h2-certs"
	tls.make_cert(certs, "a", "a.test", "one.test", "first.test")
	tls.make_cert(certs, "b", "b.test")
	port = proc.free_port()
	vhost = lambda name, cert, extra="": site_conf.prefork_vhost(name, docroot, "fresh", ini, tls.lines(certs, cert, extra)).replace("<VirtualHost *>",
		"<VirtualHost *:%d>" % port)
	bh = servers.Bulkhead(tmp + "/h2-tls", site_conf.common(docroot) + vhost("a.test", "a", "    SSLOptions +StdEnvVars\n") + vhost("b.test", "b")
		+ vhost("one.test", "a", "    Protocols http/1.1\n") + vhost("first.test", "a", "    Protocols http/1.1 h2\n"), head="Listen 127.0.0.1:%d https\n" % port)
	module_fleet.start(bh)
	bh.tls = ("127.0.0.1", port)
	return bh


@pytest.mark.parametrize("host,offers,want", [("a.test", ["h2", "http/1.1"], "h2"), ("a.test", ["http/1.1", "h2"], "h2"), ("a.test", ["http/1.1"], "http/1.1"),
	("one.test", ["h2", "http/1.1"], "http/1.1"), ("first.test", ["h2", "http/1.1"], "http/1.1"), ("first.test", ["h2"], "h2"), ("a.test", None, None)])
def test_alpn(site, host, offers, want):
	with tls.TlsConn(site.tls, host, tls.context(alpn=offers)) as c:
		assert c.s.selected_alpn_protocol() == want


def test_a_host_without_it_refuses_it_alone(site):
	assert tls.alert(site.tls, "one.test", tls.context(alpn=["h2"])) is not None
	assert tls.answers(site.tls, "one.test") == 200


def test_requests(site):
	with h2wire.Conn(site.tls, tls=tls.context(alpn=["h2"]), sni="a.test") as c:
		assert c.get("a.test", "/hello.txt").body == b"hello\n"
		env = json.loads(c.get("a.test", "/dump.php").body)["server"]
		assert env["SERVER_PROTOCOL"] == "HTTP/2.0" and env["HTTPS"] == "on" and env["REQUEST_SCHEME"] == "https" and env["SSL_PROTOCOL"] == "TLSv1.3"
		assert c.get("a.test", "/blob.bin").body == bytes(range(256)) * 16384
		body = bytes(300000)
		sid = c.request("a.test", "/echo.php", "POST", end=False)
		c.wait(lambda: c.settings)
		c.send(h2wire.frame(h2wire.DATA, 0, sid, body[:16000]))
		c.send(h2wire.frame(h2wire.DATA, h2wire.END_STREAM, sid, body[:16000]))
		assert c.answer(sid).body == body[:32000]


@pytest.mark.parametrize("host,status", [("a.test", 200), ("first.test", 200), ("b.test", 421), ("one.test", 421)])
def test_misdirected(site, host, status):
	"""RFC 9113 9.1.1: a host whose TLS is another, or that does not speak HTTP/2, is not answered over this connection."""
	with h2wire.Conn(site.tls, tls=tls.context(alpn=["h2"]), sni="a.test") as c:
		assert c.get(host, "/hello.txt").status == status
		assert c.get("a.test", "/hello.txt").status == 200


def test_no_plain_http2_where_tls_is_spoken(site):
	with h2wire.Conn(site.tls) as c:
		c.s.settimeout(5)
		got = c.s.recv(4096)
		assert got.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")), got


def test_curl(site):
	conftest.need(servers.tool("curl"), "no curl")
	base = "https://a.test:%d" % site.tls[1]
	r = subprocess.run(["curl", "-sSk", "--http2", "--resolve", "a.test:%d:127.0.0.1" % site.tls[1], "-w", "\n%{http_version} %{http_code} %{num_connects}\n",
		"--data-binary", "@-", base + "/echo.php", "--next", "-sSk", "--resolve", "a.test:%d:127.0.0.1" % site.tls[1],
		"-w", "%{http_version} %{http_code} %{num_connects}\n", "-o", "/dev/null", base + "/blob.bin"], input=b"x" * 400000, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, timeout=60)
	assert r.stdout.endswith(b"\n2 200 1\n2 200 0\n") and r.stdout.startswith(b"x" * 400000), r.stdout[-300:]


def test_h2load(site):
	conftest.need(servers.tool("h2load"), "no h2load (package nghttp2-client)")
	for path, n in (("/blob.bin", 60), ("/hello.txt", 5000)):
		r = subprocess.run(["h2load", "-n", str(n), "-c", "4", "-m", "10", "-H", ":authority: a.test", "https://127.0.0.1:%d%s" % (site.tls[1], path)],
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout.decode()
		assert "Application protocol: h2" in r and "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in r, r


def test_chromium(site, docroot):
	"""A page with its requests, a form of three megabytes, and a dozen uploads at once, all on one connection."""
	conftest.need(chromium.program(), "no chromium")
	test_real_uploads.write_page(docroot)
	out = chromium.result(site.tls, "https://a.test/uploads.html", args=["--ignore-certificate-errors"])
	test_real_uploads.check(out)
	protocols = lambda: {l.split('"')[1].rsplit(" ", 1)[1] for l in site.access().splitlines() if "uploads.html" in l or "/echo.php?" in l}
	proc.wait_for(lambda: protocols() == {"HTTP/2.0"}, 3, why="HTTP/2 alone in the log")
