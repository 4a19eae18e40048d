# SPDX-License-Identifier: Apache-2.0
"""TLS as clients see it: names and certificates, versions, resumption, what is refused, and who never holds a key."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

import conftest
import proc
import servers
import site_conf
import tls_tools as tls
from rawhttp import Broken, Conn
from tls_tools import TlsConn

pytestmark = pytest.mark.bulkhead

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Site:
	"""A server with one plain and one TLS address."""

	def __init__(self, bh, port, certs, conf):
		self.bh, self.certs, self.conf = bh, certs, conf
		self.addr = ("127.0.0.1", port)


def on(port, text):
	return text.replace("<VirtualHost *>", "<VirtualHost *:%d>" % port)


def configuration(port, plain, certs, docroot, ini, a="a"):
	return on(port, site_conf.common(docroot)
		+ site_conf.prefork_vhost("a.test", docroot, "shared", ini, tls.lines(certs, a, "    SSLOptions +StdEnvVars\n    Header always set Strict-Transport-Security \"max-age=31536000\"\n"
			"    Header set X-Spoken \"%{SSL_PROTOCOL}s %{SSL_NOTHING}s\"\n    MailRelay smtp://127.0.0.1:9\n"))
		+ site_conf.prefork_vhost("b.test", docroot, "shared", ini, "    ServerAlias *.b.test\n    Header always set X-Encrypted yes env=HTTPS\n"
			+ tls.lines(certs, "b"))
		+ site_conf.prefork_vhost("twelve.test", docroot, "shared", ini, tls.lines(certs, "b", "    SSLProtocol -all +TLSv1.2\n"
			"    SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256\n"))
		+ site_conf.prefork_vhost("thirteen.test", docroot, "shared", ini, tls.lines(certs, "b", "    SSLProtocol TLSv1.3\n"
			"    SSLCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256\n"))
		+ site_conf.prefork_vhost("both.test", docroot, "shared", ini, tls.lines(certs, "rsa") + tls.lines(certs, "b"))
		+ site_conf.prefork_vhost("noticket.test", docroot, "shared", ini, tls.lines(certs, "b", "    SSLSessionTickets off\n"))
		+ site_conf.prefork_vhost("broken.test", docroot, "shared", ini, '    SSLEngine on\n    SSLCertificateFile "%s/b.crt"\n'
			'    SSLCertificateKeyFile "%s/a.key"\n' % (certs, certs))) + (
		'<VirtualHost *:%d>\n    ServerName plain.test\n    Header always set X-Encrypted yes env=HTTPS\n    DocumentRoot "%s"\n    <Directory "%s/dir">\n        SSLRequireSSL\n    </Directory>\n</VirtualHost>\n'
		% (plain, docroot, docroot))


@pytest.fixture(scope="module")
def site(tmp, module_fleet, docroot, ini):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	certs = tmp + "/tls-certs"
	tls.make_cert(certs, "a", "a.test")
	tls.make_cert(certs, "b", "b.test", "*.b.test", "twelve.test", "thirteen.test", "noticket.test")
	tls.make_cert(certs, "rsa", "both.test", ec=False)
	port = proc.free_port()
	bh = servers.Bulkhead(tmp + "/tls", "", head='Listen 127.0.0.1:%d https\nLogFormat "%%v %%{SSL_PROTOCOL}x %%{SSL_CIPHER}x %%H %%r" tls\nCustomLog "%s/tls.log" tls\n'
		% (port, tmp + "/tls"))
	conf = configuration(port, bh.port, certs, docroot, ini)
	bh.write(conf)
	module_fleet.start(bh)
	return Site(bh, port, certs, conf)


# --- names ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sni, subject", [("a.test", "a.test"), ("A.Test", "a.test"), ("b.test", "b.test"), ("x.b.test", "b.test"),
	("x.y.b.test", "b.test"), ("nobody.test", "a.test"), (None, "a.test")])
def test_name_chooses_certificate(site, sni, subject):
	with TlsConn(site.addr, sni) as c:
		assert c.subject() == subject
		assert c.ask(sni or "a.test", "/hello.txt").body == b"hello\n"


def test_kind_of_key_follows_client(site):
	"""Two certificates, RSA and ECDSA: each client is shown the one that it can check."""
	for sigalgs, kind in (("rsa_pss_rsae_sha256", b"rsaEncryption"), ("ecdsa_secp256r1_sha256", b"id-ecPublicKey")):
		r = tls.openssl("s_client", "-connect", "127.0.0.1:%d" % site.addr[1], "-servername", "both.test", "-sigalgs", sigalgs, "-showcerts", input=b"")
		text = tls.openssl("x509", "-noout", "-text", input=r.stdout).stdout
		assert kind in text, r.stdout.decode()


def test_other_hosts_request_is_misdirected(site):
	"""A Host whose TLS differs from that of the name in the handshake is 421; one that shares it is served."""
	with TlsConn(site.addr, "a.test") as c:
		assert c.ask("a.test", "/hello.txt", close=False).status == 200
		assert c.ask("b.test", "/hello.txt", close=False).status == 421
		assert c.ask("a.test", "/hello.txt").status == 200
	with TlsConn(site.addr, "b.test") as c:
		assert c.ask("other.b.test", "/hello.txt").status == 200


def test_header_rules_know_of_tls(site):
	"""HSTS, on errors as well; a value may name what the handshake agreed on."""
	with TlsConn(site.addr, "a.test") as c:
		for path, status in (("/hello.txt", 200), ("/missing", 404)):
			r = c.ask("a.test", path, close=False)
			assert r.status == status and r.get("Strict-Transport-Security") == "max-age=31536000"
		assert c.ask("a.test", "/hello.txt").get("X-Spoken") == "TLSv1.3 (null)"


def test_plain_http_gets_a_page(site):
	with Conn(site.addr) as c:
		c.send(b"GET /hello.php HTTP/1.1\r\nHost: a.test\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: a.test\r\n\r\n")
		r = c.response()
		assert r.status == 400 and "https://" in r.text()
		assert c.eof()
	assert tls.answers(site.addr, "a.test") == 200


@pytest.mark.parametrize("octets", [b"\0" * 64, b"\x16\x03\x01\xff\xff" + b"\xff" * 600, b"\x16\x03\x01\x00\x05hello", b"ssh-2.0-x\r\n", b"\x80\x2e\x01\x03\x00",
	bytes(range(256)), b"\x15\x03\x03\x00\x02\x02\x28", b"\x17\x03\x03\x00\x20" + b"x" * 32])
def test_garbage_ends_the_connection(site, octets):
	with socket.create_connection(site.addr, timeout=10) as s:
		s.sendall(octets)
		s.shutdown(socket.SHUT_WR)
		got = b""
		try:
			while len(got) < 4096:
				piece = s.recv(4096)
				if not piece:
					break
				got += piece
		except ConnectionResetError:
			pass
		assert not got.startswith(b"HTTP/") and len(got) < 64, got
	assert tls.answers(site.addr, "a.test") == 200


def test_address_from_a_proxy(here, docroot, ini, fleet, site):
	"""The PROXY protocol's header comes before the handshake, and names the client to scripts and logs."""
	port = proc.free_port()
	bh = servers.Bulkhead(here + "/proxied", "", head="Listen 127.0.0.1:%d\n" % port)
	bh.write(on(port, site_conf.common(docroot) + site_conf.prefork_vhost("a.test", docroot, "shared", ini, tls.lines(site.certs, "a",
		"    RemoteIPProxyProtocol On\n    RemoteIPProxyProtocolFrom 127.0.0.1\n"))))
	fleet.start(bh)
	with TlsConn(("127.0.0.1", port), "a.test", before=b"PROXY TCP4 198.51.100.7 192.0.2.1 40001 %d\r\n" % port) as c:
		assert c.subject() == "a.test"
		assert c.ask("a.test", "/hello.txt").status == 200
	proc.wait_for(lambda: " 198.51.100.7 " in bh.access(), 5, why="the line")
	with pytest.raises((ssl.SSLError, OSError)):
		TlsConn(("127.0.0.1", port), "a.test")


# --- versions and protocols -----------------------------------------------------------------------------------------------

def s_client(site, *args, sni="a.test"):
	r = tls.openssl("s_client", "-connect", "127.0.0.1:%d" % site.addr[1], "-servername", sni, *args, input=b"Q\n")
	return r.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize("flags, spoken", [(["-tls1", "-cipher", "ALL:@SECLEVEL=0"], None), (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], None),
	(["-tls1_2"], "TLSv1.2"), (["-tls1_3"], "TLSv1.3"), ([], "TLSv1.3")])
def test_versions(site, flags, spoken):
	out = s_client(site, *flags)
	m = re.search(r"New, (\S+), Cipher is (\S+)", out)
	if spoken is None:
		assert m is None or m.group(2) == "(NONE)", out
		assert "alert protocol version" in out or "unsupported protocol" in out or "no protocols" in out, out
	else:
		assert m and m.group(1) == spoken and m.group(2) != "(NONE)", out


def test_versions_and_ciphers_of_a_host(site):
	assert tls.alert(site.addr, "twelve.test", tls.context(V13)) is not None
	assert tls.alert(site.addr, "thirteen.test", tls.context(most=V12)) is not None
	with TlsConn(site.addr, "twelve.test") as c:
		assert (c.s.version(), c.s.cipher()[0]) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")
	with TlsConn(site.addr, "thirteen.test") as c:
		assert (c.s.version(), c.s.cipher()[0]) == ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")
	# What another host says is not this one's.
	with TlsConn(site.addr, "a.test", tls.context(most=V12)) as c:
		assert c.s.version() == "TLSv1.2"
	weak = tls.context(most=V12)
	weak.set_ciphers("AES128-SHA:@SECLEVEL=0")  # no forward secrecy
	assert tls.alert(site.addr, "a.test", weak) is not None


def test_alpn(site):
	with TlsConn(site.addr, "a.test", tls.context(alpn=["http/1.1"])) as c:
		assert c.s.selected_alpn_protocol() == "http/1.1"
		assert c.ask("a.test", "/hello.txt").status == 200
	with TlsConn(site.addr, "a.test") as c:
		assert c.s.selected_alpn_protocol() is None
		assert c.ask("a.test", "/hello.txt").status == 200
	# A client of another protocol is told so instead of being misunderstood (ALPACA).
	assert "no application protocol" in tls.alert(site.addr, "a.test", tls.context(alpn=["ftp", "imap"])).lower()


def test_no_renegotiation_and_no_early_data(site):
	r = subprocess.run([servers.tool("openssl"), "s_client", "-connect", "127.0.0.1:%d" % site.addr[1], "-servername", "a.test", "-tls1_2"],
		input=b"R\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
	assert b"RENEGOTIATING" in r.stdout and b"no renegotiation" in r.stdout, r.stdout[-500:]
	out = s_client(site, "-tls1_3")
	assert "Early data was not sent" in out and not re.search(r"Max Early Data: [1-9]", out), out
	assert "Compression: NONE" in s_client(site, "-tls1_2")


# --- resumption --------------------------------------------------------------------------------------------------------------

def session_of(addr, sni, ctx):
	with TlsConn(addr, sni, ctx) as c:
		assert c.ask(sni, "/hello.txt").status == 200  # TLS 1.3 sends its tickets behind the handshake
		return c.s.session


def resumed(addr, sni, ctx, session):
	with TlsConn(addr, sni, ctx, session) as c:
		assert c.ask(sni, "/hello.txt").status == 200
		return c.s.session_reused


@pytest.mark.parametrize("version", [V12, V13])
def test_resumption(site, version):
	ctx = tls.context(version, version)
	old = session_of(site.addr, "b.test", ctx)
	# By whichever loop, and by a host with the same certificate.
	assert all(resumed(site.addr, "b.test", ctx, old) for _ in range(6))
	assert resumed(site.addr, "x.b.test", ctx, old)
	# Not where another certificate would have had to be shown, nor where there are no tickets.
	assert not resumed(site.addr, "a.test", ctx, old)
	assert not resumed(site.addr, "noticket.test", ctx, old)
	assert session_of(site.addr, "noticket.test", ctx) is None or not resumed(site.addr, "noticket.test", ctx, session_of(site.addr, "noticket.test", ctx))


@pytest.mark.parametrize("version", [V12, V13])
def test_resumption_across_a_reload_and_a_crash(site, version):
	ctx = tls.context(version, version)
	old = session_of(site.addr, "b.test", ctx)
	assert "but for the files with errors" in site.bh.run("-k", "graceful").stdout  # broken.test's
	assert resumed(site.addr, "b.test", ctx, old)
	for front in site.bh.processes()[0]:
		os.kill(front, signal.SIGKILL)
	proc.wait_for(lambda: tls.answers(site.addr, "b.test") == 200, 10, why="the new front")
	assert resumed(site.addr, "b.test", ctx, old)


def test_keys_of_tickets_change(here, docroot, fleet, site):
	"""A ticket outlives two changes of the key, and no third; new ones are given all the time."""
	port = proc.free_port()
	bh = servers.Bulkhead(here + "/rotate", "", head="Listen 127.0.0.1:%d\nSSLTicketKeyLife 2\n" % port)
	bh.write(site_conf.common(docroot) + '<VirtualHost *:%d>\nServerName b.test\nDocumentRoot "%s"\n%s</VirtualHost>\n' % (port, docroot, tls.lines(site.certs, "b")))
	fleet.start(bh)
	addr, ctx = ("127.0.0.1", port), tls.context(most=V12)
	for _ in range(10):
		started, old = time.monotonic(), session_of(addr, "b.test", ctx)
		first = resumed(addr, "b.test", ctx, old)
		time.sleep(2.2)
		later = resumed(addr, "b.test", ctx, old)
		if time.monotonic() - started < 3.9:  # asked with one or two changes behind it, whatever this machine is busy with
			break
	else:
		pytest.fail("ten times it took two seconds to open a few connections")
	assert first and later
	proc.wait_for(lambda: not resumed(addr, "b.test", ctx, old), 10, 0.2, why="the key's end")
	assert resumed(addr, "b.test", ctx, session_of(addr, "b.test", ctx))


# --- what scripts and logs are told --------------------------------------------------------------------------------------------

def variables(r):
	return dict(l.split("=", 1) for l in r.text().splitlines() if "=" in l)


@pytest.fixture(scope="module")
def env_script(site, docroot):
	path = os.path.join(docroot, "tlsenv.php")
	servers.write(path, '<?php foreach ($_SERVER as $k => $v) if (preg_match("/^(SSL_|HTTPS|REQUEST_SCHEME|SERVER_PORT)/", $k)) echo "$k=$v\\n";')
	return "/tlsenv.php"


def test_variables(site, env_script):
	ctx = tls.context(V12, V12)
	with TlsConn(site.addr, "a.test", ctx) as c:
		v = variables(c.ask("a.test", env_script, "SSL-Protocol: forged\r\nHttps: forged\r\n"))
		assert (v["HTTPS"], v["REQUEST_SCHEME"], v["SERVER_PORT"]) == ("on", "https", "443")
		assert (v["SSL_PROTOCOL"], v["SSL_TLS_SNI"], v["SSL_SESSION_RESUMED"]) == ("TLSv1.2", "a.test", "Initial")
		assert v["SSL_CIPHER"] == c.s.cipher()[0] and v["SSL_CIPHER_USEKEYSIZE"] == str(c.s.cipher()[2])
		assert (v["SSL_SERVER_S_DN_CN"], v["SSL_SERVER_S_DN_O"], v["SSL_CLIENT_VERIFY"]) == ("a.test", "Tests", "NONE")
		assert v["SSL_SERVER_S_DN"] == "CN=a.test,O=Tests" and v["SSL_SERVER_A_KEY"] == "id-ecPublicKey"
		session = c.s.session
	with TlsConn(site.addr, "a.test", ctx, session) as c:
		assert variables(c.ask("a.test:8443", env_script))["SSL_SESSION_RESUMED"] == "Resumed"
	with TlsConn(site.addr, "a.test", ctx) as c:
		assert variables(c.ask("a.test:8443", env_script))["SERVER_PORT"] == "8443"
	# Without StdEnvVars only what mod_ssl always says.
	v = variables(tls.get(site.addr, "b.test", env_script))
	assert v["HTTPS"] == "on" and sorted(k for k in v if k.startswith("SSL_")) == ["SSL_TLS_SNI"]


def test_redirects_stay_encrypted(site):
	r = tls.get(site.addr, "a.test", "/dir")
	assert r.status == 301 and r.get("location") == "https://a.test/dir/"


def test_access_log_tells_versions(site):
	ctx = tls.context(V13)
	with TlsConn(site.addr, "a.test", ctx) as c:
		c.ask("a.test", "/hello.txt?logged")
		want = "a.test TLSv1.3 %s HTTP/1.1 GET /hello.txt?logged" % c.s.cipher()[0]
	path = site.bh.tmp + "/tls.log"
	proc.wait_for(lambda: want in open(path).read(), 5, why="the line")
	site.bh.get("plain.test", "/hello.txt?logged")
	proc.wait_for(lambda: "plain.test - - HTTP/1.1 GET /hello.txt?logged" in open(path).read(), 5, why="the plain line")


def test_https_is_a_condition(site):
	"""env=HTTPS, as most write it: on encrypted answers, errors included, and on no other."""
	for path in ("/hello.txt", "/none"):
		assert tls.get(site.addr, "b.test", path).get("x-encrypted") == "yes"
		assert site.bh.get("plain.test", path).get("x-encrypted") is None


def test_require_ssl(site):
	assert site.bh.get("plain.test", "/dir/index.html").status == 403
	assert site.bh.get("plain.test", "/hello.txt").status == 200


# --- certificates that are of no use ---------------------------------------------------------------------------------------------

def test_broken_certificate_breaks_its_host_alone(site):
	assert tls.alert(site.addr, "broken.test") == "TLSV1_UNRECOGNIZED_NAME"
	assert tls.answers(site.addr, "a.test") == 200
	assert re.search(r"bulkhead.conf:\d+:\d+: SSLCertificateKeyFile .*a.key \(broken.test\): the key does not belong to the certificate", site.bh.log())
	proc.wait_for(lambda: "site=broken.test TLS is refused" in site.bh.log(), 5, why="the host's own log")
	r = site.bh.run("-t")
	assert r.returncode != 0 and "(broken.test): the key does not belong" in r.stdout, r.stdout
	r = site.bh.run("-S")
	assert re.search(r"^broken.test: TLS is REFUSED", r.stdout, re.M) and re.search(r"^a.test: TLS, .*CN = a.test, until 20\d\d-", r.stdout, re.M), r.stdout


def test_only_broken_hosts_are_told_to_nobody(here, docroot, fleet, site):
	"""A server whose only certificate is missing serves its plain hosts."""
	port = proc.free_port()
	bh = servers.Bulkhead(here + "/missing", "", head="Listen 127.0.0.1:%d\n" % port)
	bh.write(site_conf.common(docroot) + '<VirtualHost *:%d>\nServerName m.test\nSSLEngine on\nSSLCertificateFile "%s/none.crt"\n</VirtualHost>\n'
		'<VirtualHost *:%d>\nServerName p.test\nDocumentRoot "%s"\n</VirtualHost>\n' % (port, here, bh.port, docroot))
	fleet.start(bh)
	assert tls.alert(("127.0.0.1", port), "m.test") is not None
	assert bh.get("p.test", "/hello.txt").status == 200
	assert "none.crt (m.test): No such file or directory" in bh.log()


# --- keys ------------------------------------------------------------------------------------------------------------------------

PIECE = 1 << 24


def memory_of(pid):
	"""All that a process has mapped, piece by piece, each with the end of the one before."""
	with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
		for line in maps:
			m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r(w|-)", line)
			# What is a program's own file, and was never written to, is not looked at.
			if not m or "[vvar" in line or "[vsyscall" in line or (m.group(3) == "-" and " /usr/" in line):
				continue
			lo, hi, end = int(m.group(1), 16), int(m.group(2), 16), b""
			while lo < hi:
				try:
					mem.seek(lo)
					piece = mem.read(min(PIECE, hi - lo))
				except (OSError, OverflowError, ValueError):
					break
				if not piece:
					break
				yield end + piece
				lo, end = lo + len(piece), piece[-256:]


def holds(pid, needles):
	return any(n in piece for piece in memory_of(pid) for n in needles)


def test_key_is_in_no_process_that_runs_php(site, env_script):
	conftest.need(proc.ROOT, "needs root to read other processes' memory")
	if servers.SANITIZED:
		pytest.skip("a sanitizer maps terabytes")
	pem = open(site.certs + "/a.key").read().splitlines()
	text = tls.openssl("pkey", "-in", site.certs + "/a.key", "-noout", "-text").stdout.decode()
	digits = re.search(r"priv:\n((?:\s+[0-9a-f:]+\n)+)", text).group(1)
	number = bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits))[-32:]
	needles = [pem[1].encode(), pem[2].encode(), number, number[::-1]]
	assert tls.get(site.addr, "a.test", env_script).status == 200  # its zygote and cells live
	everybody = {p: open("/proc/%d/comm" % p).read().strip() for p in proc.descendants(site.bh.pid)}
	fronts = [p for p in everybody if everybody[p] == "bulkhead-front"]
	others = [p for p in everybody if p not in fronts]
	assert "bulkhead-mail" in everybody.values() and set(site.bh.processes()[1]) & set(others), everybody
	assert [p for p in fronts if holds(p, needles)], "not even the front: the test looks for the wrong octets"
	assert not [(p, everybody[p]) for p in others if holds(p, needles)]
	# Nor is there a descriptor of the file anywhere.
	for p in [site.bh.pid] + list(everybody):
		for fd in os.listdir("/proc/%d/fd" % p):
			try:
				assert not os.readlink("/proc/%d/fd/%s" % (p, fd)).endswith(".key")
			except FileNotFoundError:
				pass


def test_front_is_locked_with_tls(site):
	"""The handshakes above ran under the system call filter and Landlock, without a capability."""
	for p in site.bh.processes()[0]:
		status = open("/proc/%d/status" % p).read()
		if not servers.SANITIZED:
			assert re.search(r"^Seccomp:\t2$", status, re.M), status
		if proc.ROOT:
			assert re.search(r"^CapEff:\t0+$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)
