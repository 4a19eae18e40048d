# SPDX-License-Identifier: Apache-2.0
"""Certificates, and HTTP/1 over TLS with every parameter in the test's hand."""
import os
import shutil
import socket
import ssl
import subprocess

import rawhttp
import servers


def openssl(*args, **k):
	return subprocess.run([servers.tool("openssl")] + list(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, **k)


def make_cert(where, name, *hosts, ec=True, days="30"):
	"""where/name.crt and name.key, which is root's alone, signed by itself for @hosts."""
	os.makedirs(where, exist_ok=True)
	base = os.path.join(where, name)
	kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if ec else ["-newkey", "rsa:2048"]
	r = openssl("req", "-x509", *kind, "-nodes", "-days", days, "-subj", "/O=Tests/CN=" + hosts[0], "-addext",
		"subjectAltName=" + ",".join("DNS:" + h for h in hosts), "-keyout", base + ".key", "-out", base + ".crt")
	assert r.returncode == 0, r.stdout
	os.chmod(base + ".key", 0o600)
	return base + ".crt"


def install(made, where, name):
	"""Put a pair in another's place as certbot does: each file at once."""
	for end in (".key", ".crt"):
		shutil.copy2(made + end, os.path.join(where, name + end + ".new"))
		os.rename(os.path.join(where, name + end + ".new"), os.path.join(where, name + end))


def lines(where, name, extra=""):
	base = os.path.join(where, name)
	return '    SSLEngine on\n    SSLCertificateFile "%s.crt"\n    SSLCertificateKeyFile "%s.key"\n%s' % (base, base, extra)


def context(least=None, most=None, alpn=None):
	"""A client that believes every certificate: which one is shown is looked at by the test."""
	c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	c.check_hostname = False
	c.verify_mode = ssl.CERT_NONE
	if least:
		c.minimum_version = least
	if most:
		c.maximum_version = most
	if alpn:
		c.set_alpn_protocols(alpn)
	return c


class TlsConn(rawhttp.Conn):
	"""One connection over TLS; sni None: no name is asked for. @before is sent in clear first."""

	def __init__(self, addr, sni=None, ctx=None, session=None, timeout=10.0, rcvbuf=None, before=b""):
		super().__init__(addr, timeout, rcvbuf)
		try:
			self.s.sendall(before)
			self.s = (ctx or context()).wrap_socket(self.s, server_hostname=sni, session=session)
		except BaseException:
			self.s.close()
			raise

	def subject(self):
		"""CN of the certificate that was shown."""
		der = self.s.getpeercert(True)
		r = openssl("x509", "-inform", "der", "-noout", "-subject", "-nameopt", "multiline", input=der)
		return [l.split(b"=", 1)[1].strip().decode() for l in r.stdout.splitlines() if b"commonName" in l][0]

	def der(self):
		return self.s.getpeercert(True)

	def ask(self, host, path, headers="", method="GET", body=b"", close=True):
		length = "Content-Length: %d\r\n" % len(body) if body else ""
		self.send(("%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n" % (method, path, host, length, headers,
			"Connection: close\r\n" if close else "")).encode("latin-1") + body)
		return self.response(method)


def get(addr, host, path, headers="", method="GET", body=b"", sni=True, ctx=None, timeout=10.0):
	with TlsConn(addr, host if sni is True else sni, ctx, timeout=timeout) as c:
		return c.ask(host, path, headers, method, body)


def alert(addr, sni=None, ctx=None):
	"""The reason why a handshake fails, as OpenSSL names it; None when it does not."""
	try:
		TlsConn(addr, sni, ctx).close()
		return None
	except ssl.SSLError as e:
		return e.reason or str(e)
	except ConnectionResetError:
		return "reset"


def answers(addr, host, path="/hello.txt", ctx=None):
	try:
		return get(addr, host, path, ctx=ctx, timeout=5).status
	except (OSError, rawhttp.Broken):
		return None


def half_hello(addr):
	"""A connection whose client hello never comes whole."""
	s = socket.create_connection(addr, timeout=10)
	s.sendall(bytes.fromhex("160301020001"))
	return s

