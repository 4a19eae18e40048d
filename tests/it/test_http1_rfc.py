# SPDX-License-Identifier: Apache-2.0
"""
RFC 9112 sections 2 to 9, rule by rule, and every known way to make two readers of one connection disagree (request
smuggling). Raw octets go in; all that comes back until the connection ends is read as answers, counted and judged. On
static files, on cells, and before a recorder: a FastCGI server that keeps what it was asked, so that nothing which follows
a refused request can have run unseen.
"""
import os
import re

import pytest

import conftest
import rawhttp
import servers
import site_conf
from cases import Broken
from fcgi_stub import Stub

pytestmark = pytest.mark.bulkhead

END = b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\nConnection: close\r\n\r\n"
SMUGGLED = b"GET /record.php?id=smuggled HTTP/1.1\r\nHost: @HOST@\r\nConnection: close\r\n\r\n"


class Recorder(Stub):
	"""Keeps parameters and body of each request, and answers like the tests' documents."""

	def reset(self):
		super().reset()
		self.bodies = []

	def do_ok(self, c, rid, params, body, q):
		with self.lock:
			self.bodies.append(body)
		self.answer(c, rid, body if params["SCRIPT_NAME"] == "/echo.php" else b"hello\n")


class Site:
	def __init__(self, stand, name):
		self.stand, self.name, self.host = stand, name, name + ".test"
		self.path = "/hello.txt" if name == "static" else "/hello.php"
		self.post = "/hello.txt" if name == "static" else "/echo.php"

	def fill(self, raw):
		return raw.replace(b"@HOST@", self.host.encode()).replace(b"@PATH@", self.path.encode()).replace(b"@POST@", self.post.encode())

	def talk(self, raw, half_close=False):
		"""Send, and read all answers until the connection ends: (answers, what was no answer)."""
		raw, out = self.fill(raw), []
		with rawhttp.Conn(self.stand.addr) as c:
			c.send_what_goes(raw)
			if half_close:
				c.s.shutdown(1)
			while True:
				try:
					if not c.buf and not c.more():
						return out, b""
					out.append(c.response())
				except Broken as e:
					if "reset" in str(e) and not c.buf:
						return out, b""
					return out, str(e).encode()

	def ran(self):
		"""Names of requests for /record.php that ran."""
		if self.name == "pool":
			return [p["QUERY_STRING"] for p in self.stand.stub.seen if p["SCRIPT_NAME"] == "/record.php"]
		return os.listdir(self.stand.root + "/var")

	def clean(self):
		self.stand.stub.reset()
		for f in os.listdir(self.stand.root + "/var"):
			os.unlink(self.stand.root + "/var/" + f)


@pytest.fixture(scope="module")
def stand(tmp, ini, module_fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = site_conf.make_docroot(tmp + "/rfc-root")
	stub = Recorder(tmp + "/rfc.sock")
	conf = (site_conf.common(root) + site_conf.pool("stub", "unix:" + stub.addr) + site_conf.worker_vhost("static.test", root, "stub")
		+ site_conf.worker_vhost("pool.test", root, "stub") + site_conf.prefork_vhost("cells.test", root, "shared", ini)
		+ '<VirtualHost *>\n    ServerName https://ended.test\n    DocumentRoot "%s"\n    Dispatch worker\n    UsePool stub\n</VirtualHost>\n' % root)
	b = module_fleet.start(servers.Bulkhead(tmp + "/rfc", conf))
	b.stub, b.root = stub, root
	yield b
	stub.close()


@pytest.fixture(params=["static", "cells", "pool"])
def site(request, stand):
	s = Site(stand, request.param)
	s.clean()
	return s


def get(target="@PATH@", headers="", version="HTTP/1.1", host="Host: @HOST@\r\n", method="GET"):
	return ("%s %s %s\r\n%s%s\r\n" % (method, target, version, host, headers)).encode("latin-1")


def post(headers, body, version="HTTP/1.1"):
	return get("@POST@", headers, version, method="POST") + body


def te(value, name="Transfer-Encoding:", more=""):
	"""A request that is chunked for whom reads the field so, and has no body for whom does not; then one that must not run."""
	return post("%s%s\r\n%s" % (name, value, more), b"0\r\n\r\n")


def length(value, body=b"12345"):
	return post("Content-Length:%s\r\n" % value, body)


def chunks(body):
	return post("Transfer-Encoding: chunked\r\n", body)


def ids(table):
	names = ["%s %s" % (section, name) for section, name, *_ in table]
	assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
	return names


# --- refused: one answer, the connection ends, nothing behind it runs ---------------------------------------------------------

CHUNKED_5 = b"5\r\n12345\r\n0\r\n\r\n"
PREFIX = b"0\r\n\r\n"

REFUSED = [
	# 2.2 message parsing: CR stands before LF only, LF behind CR only, and nothing is between the first line and the fields
	("2.2", "bare CR ends request line", b"GET @PATH@ HTTP/1.1\rHost: @HOST@\r\n\r\n"),
	("2.2", "bare CR ends field", get(headers="X: a\rY: b\r\n")),
	("2.2", "bare CR ends head", b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\r\n\r\n"),
	("2.2", "bare CR at start of field", get(headers="\rX: a\r\n")),
	("2.2", "bare CR in name", get(headers="X\rY: a\r\n")),
	("2.2", "bare CR before colon", get(headers="X\r: a\r\n")),
	("2.2", "two CR end field", get(headers="X: a\r\r\n")),
	("2.2", "bare LF ends request line", b"GET @PATH@ HTTP/1.1\nHost: @HOST@\r\n\r\n"),
	("2.2", "bare LF ends field", get(headers="X: a\nY: b\r\n")),
	("2.2", "bare LF ends head", b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\n"),
	("2.2", "bare LF everywhere", b"GET @PATH@ HTTP/1.1\nHost: @HOST@\n\n"),
	("2.2", "bare LF before request", b"\n" + get()),
	("2.2", "two empty lines before request", b"\r\n\r\n" + get()),
	("2.2", "blank before request line", b" " + get()),
	("2.2", "tab before request line", b"\t" + get()),
	("2.2", "blank line of blanks before fields", b"GET @PATH@ HTTP/1.1\r\n \r\nHost: @HOST@\r\n\r\n"),
	("2.2", "blank before first field", b"GET @PATH@ HTTP/1.1\r\n Host: @HOST@\r\n\r\n"),
	("2.2", "tab before first field", b"GET @PATH@ HTTP/1.1\r\n\tX: y\r\nHost: @HOST@\r\n\r\n"),
	("2.2", "byte order mark", b"\xef\xbb\xbf" + get()),
	("2.2", "NUL before request", b"\0" + get()),
	("2.2", "LF CR for line ends", b"GET @PATH@ HTTP/1.1\n\rHost: @HOST@\n\r\n\r"),
	("2.2", "NEL for line end", b"GET @PATH@ HTTP/1.1\x85Host: @HOST@\r\n\r\n"),
	# 2.3 version
	("2.3", "lower case", get(version="http/1.1")), ("2.3", "mixed case", get(version="Http/1.1")), ("2.3", "no digits", get(version="HTTP/")),
	("2.3", "one digit", get(version="HTTP/1")), ("2.3", "two-digit minor", get(version="HTTP/1.10")), ("2.3", "two-digit major", get(version="HTTP/11.1")),
	("2.3", "three numbers", get(version="HTTP/1.1.1")), ("2.3", "comma", get(version="HTTP/1,1")), ("2.3", "letters", get(version="HTTP/a.b")),
	("2.3", "sign", get(version="HTTP/+1.1")), ("2.3", "blank inside", get(version="HTTP/1. 1")), ("2.3", "S", get(version="HTTPS/1.1")),
	("2.3", "version 0.9 form", b"GET @PATH@\r\n"), ("2.3", "version 0.9 form with fields", b"GET @PATH@\r\nHost: @HOST@\r\n\r\n"),
	("2.3", "version 0.9", get(version="HTTP/0.9"), 505), ("2.3", "version 2.0", get(version="HTTP/2.0"), 505), ("2.3", "version 3.0", get(version="HTTP/3.0"), 505),
	# 3 request line
	("3", "no method", b" @PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\n"), ("3", "method alone", b"GET\r\nHost: @HOST@\r\n\r\n"),
	("3", "two blanks behind method", get(" @PATH@")), ("3", "two blanks behind target", get("@PATH@ ")), ("3", "blank at end", get(version="HTTP/1.1 ")),
	("3", "tab behind method", b"GET\t@PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\n"), ("3", "tab behind target", b"GET @PATH@\tHTTP/1.1\r\nHost: @HOST@\r\n\r\n"),
	("3", "vertical tab", b"GET\x0b@PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\n"), ("3", "form feed", b"GET @PATH@\x0cHTTP/1.1\r\nHost: @HOST@\r\n\r\n"),
	("3", "no-break space", b"GET\xa0@PATH@ HTTP/1.1\r\nHost: @HOST@\r\n\r\n"), ("3", "words behind", get(version="HTTP/1.1 x")), ("3", "longer than the limit", get("@PATH@?" + "x" * 9000), 414),
	("3", "endless", b"GET /" + b"x" * 300000, 414),
	("3.1", "method with slash", get(method="GE/T")), ("3.1", "method with colon", get(method="GET:")), ("3.1", "method in brackets", get(method="<GET>")),
	("3.1", "method with NUL", get(method="GE\0T")), ("3.1", "method with high octet", get(method="G\xcbT")), ("3.1", "method with comma", get(method="GET,HEAD")),
	# 3.2 target and Host
	("3.2", "blank in target", get("/hello.txt x")), ("3.2", "tab in target", get("/hello.txt\tx")), ("3.2", "NUL in target", get("/hello.txt\0")),
	("3.2", "control in target", get("/hello\x1f.txt")), ("3.2", "DEL in target", get("/hello.txt\x7f")), ("3.2", "CR in target", get("/hello.txt\rx")),
	("3.2", "no Host", get(host="")), ("3.2", "Host twice", get(host="Host: @HOST@\r\nHost: @HOST@\r\n")), ("3.2", "Host twice, other case", get(host="Host: @HOST@\r\nhOST: x.test\r\n")),
	("3.2", "empty Host", get(host="Host:\r\n")), ("3.2", "blank Host", get(host="Host:   \r\n")), ("3.2", "Host list", get(host="Host: @HOST@, x.test\r\n")),
	("3.2", "Host with path", get(host="Host: @HOST@/x\r\n")), ("3.2", "Host with user", get(host="Host: u@@HOST@\r\n")), ("3.2", "Host with scheme", get(host="Host: http://@HOST@\r\n")),
	("3.2", "Host with query", get(host="Host: @HOST@?x\r\n")), ("3.2", "Host with fragment", get(host="Host: @HOST@#x\r\n")), ("3.2", "Host with backslash", get(host="Host: @HOST@\\x\r\n")),
	("3.2", "Host with quote", get(host="Host: @HOST@'\r\n")), ("3.2", "Host with escape", get(host="Host: %40@HOST@\r\n")), ("3.2", "Host with high octet", get(host="Host: \xe9.test\r\n")),
	("3.2", "Host with blank", get(host="Host: a b\r\n")), ("3.2", "Host with two ports", get(host="Host: @HOST@:80:80\r\n")), ("3.2", "Host with signed port", get(host="Host: @HOST@:+80\r\n")),
	("3.2", "Host with large port", get(host="Host: @HOST@:65536\r\n")), ("3.2", "Host with port zero", get(host="Host: @HOST@:0\r\n")), ("3.2", "Host port letters", get(host="Host: @HOST@:8o\r\n")),
	("3.2", "Host port only", get(host="Host: :80\r\n")), ("3.2", "Host open bracket", get(host="Host: [::1\r\n")), ("3.2", "Host zone", get(host="Host: [fe80::1%25lo]\r\n")),
	("3.2", "Host future address", get(host="Host: [v1.x]\r\n")), ("3.2", "Host behind bracket", get(host="Host: [::1]x\r\n")), ("3.2", "Host dots", get(host="Host: ..\r\n")),
	("3.2", "Host empty label", get(host="Host: a..b\r\n")), ("3.2", "Host starts with dot", get(host="Host: .test\r\n")), ("3.2", "folded Host", get(host="Host:\r\n @HOST@\r\n")),
	("3.2", "Host with blank before colon", get(host="Host : @HOST@\r\n")), ("3.2", "Host with tab inside", get(host="Host: @HOST@\tx\r\n")),
	("3.2.1", "relative path", get("hello.txt")), ("3.2.1", "query alone", get("?x")), ("3.2.1", "dot", get(".")), ("3.2.1", "backslash", get("\\hello.txt")),
	("3.2.2", "unknown scheme", get("ftp://@HOST@/hello.txt")), ("3.2.2", "no authority", get("http:///hello.txt")), ("3.2.2", "user", get("http://u:p@@HOST@/hello.txt")),
	("3.2.2", "scheme alone", get("http://")), ("3.2.2", "one slash", get("http:/hello.txt")), ("3.2.2", "bad port", get("http://@HOST@:x/hello.txt")),
	("3.2.2", "no Host beside", get("http://@HOST@/hello.txt", host="")), ("3.2.2", "two Hosts beside", get("http://@HOST@/hello.txt", host="Host: a.test\r\nHost: b.test\r\n")),
	("3.2.2", "bad Host beside", get("http://@HOST@/hello.txt", host="Host: a b\r\n")), ("3.2.2", "fragment in authority", get("http://@HOST@#x/hello.txt")),
	("3.2.3", "CONNECT", get("@HOST@:443", method="CONNECT"), 405), ("3.2.3", "CONNECT of a path", get(method="CONNECT"), 405), ("3.2.3", "authority with GET", get("@HOST@:80")),
	("3.2.4", "asterisk with GET", get("*")), ("3.2.4", "asterisk with POST", get("*", method="POST")), ("3.2.4", "asterisk and query", get("*?x", method="OPTIONS")),
	("3.2.4", "asterisk path", get("*/x", method="OPTIONS")),
	("9110 9.3.8", "TRACE", get(method="TRACE"), 405), ("9110 9.3.8", "TRACE with Max-Forwards", get(method="TRACE", headers="Max-Forwards: 0\r\n"), 405),
	# 5 fields
	("5", "no colon", get(headers="X\r\n")), ("5", "empty name", get(headers=": x\r\n")), ("5", "name of blanks", get(headers=" : x\r\n")),
	("5.1", "blank before colon", get(headers="X : y\r\n")), ("5.1", "tab before colon", get(headers="X\t: y\r\n")), ("5.1", "blank in name", get(headers="X Y: z\r\n")),
	("5.2", "folded value", get(headers="X: a\r\n b\r\n")), ("5.2", "folded value with tab", get(headers="X: a\r\n\tb\r\n")), ("5.2", "folded empty value", get(headers="X:\r\n b\r\n")),
	("5.2", "fold hides a field", get(headers="X: a\r\n Content-Length: 5\r\n")), ("5.2", "last field folded", get(headers="X: a\r\n \r\n")),
	("9110 5.1", "parentheses", get(headers="X(a): y\r\n")), ("9110 5.1", "quote", get(headers="\"X\": y\r\n")), ("9110 5.1", "slash", get(headers="X/Y: y\r\n")), ("9110 5.1", "at", get(headers="X@Y: y\r\n")),
	("9110 5.1", "equals", get(headers="X=Y: y\r\n")), ("9110 5.1", "brackets", get(headers="X[Y]: y\r\n")), ("9110 5.1", "high octet", get(headers="X\xff: y\r\n")), ("9110 5.1", "NUL", get(headers="X\0: y\r\n")),
	("9110 5.1", "control", get(headers="X\x08: y\r\n")), ("9110 5.5", "NUL in value", get(headers="X: a\0b\r\n")), ("9110 5.5", "control in value", get(headers="X: a\x1bb\r\n")),
	("9110 5.5", "DEL in value", get(headers="X: a\x7fb\r\n")), ("9110 5.5", "vertical tab", get(headers="X: a\x0bb\r\n")), ("9110 5.4", "long field", get(headers="X: %s\r\n" % ("y" * 9000)), 431),
	("9110 5.4", "long name", get(headers="%s: y\r\n" % ("x" * 9000)), 431), ("9110 5.4", "many fields", get(headers="".join("X-%d: y\r\n" % i for i in range(101))), 431),
	("9110 5.4", "large head", b"GET @PATH@ HTTP/1.1\r\nHost: @HOST@\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 8000) for i in range(200)), 431),
	# 6.1 transfer codings
	("6.1", "unknown coding", te(" gzip"), 501), ("6.1", "identity", te(" identity"), 501), ("6.1", "obsolete", te(" x-chunked"), 501), ("6.1", "compressed before", te(" gzip, chunked"), 501),
	("6.1", "identity before", te(" identity, chunked"), 501), ("6.1", "chunked not last", te(" chunked, gzip")), ("6.1", "chunked then identity", te(" chunked, identity")),
	("6.1", "chunked twice", te(" chunked, chunked")), ("6.1", "two fields", te(" chunked\r\nTransfer-Encoding: chunked")), ("6.1", "two fields, unknown last", te(" chunked\r\nTransfer-Encoding: x")),
	("6.1", "two fields, unknown first", te(" x\r\nTransfer-Encoding: chunked"), 501), ("6.1", "empty", te("")), ("6.1", "comma alone", te(" ,")), ("6.1", "parameter", te(" chunked;q=1"), 501),
	("6.1", "quoted", te(' "chunked"'), 501), ("6.1", "single quotes", te(" 'chunked'"), 501), ("6.1", "word before", te(" x chunked"), 501), ("6.1", "word behind", te(" chunked x"), 501),
	("6.1", "vertical tab before", te(" \x0bchunked")), ("6.1", "form feed behind", te(" chunked\x0c")), ("6.1", "NUL behind", te(" chunked\0")), ("6.1", "CR behind", te(" chunked\r")),
	("6.1", "no-break space", te("\xa0chunked"), 501), ("6.1", "NEL", te("\x85chunked"), 501), ("6.1", "high octet", te(" chun\xebed"), 501), ("6.1", "colon", te(": chunked"), 501),
	("6.1", "folded", te("\r\n chunked")), ("6.1", "blank before colon", te(" chunked", "Transfer-Encoding :")), ("6.1", "tab before colon", te(" chunked", "Transfer-Encoding\t:")),
	("6.1", "vertical tab before colon", te(" chunked", "Transfer-Encoding\x0b:")), ("6.1", "NUL before colon", te(" chunked", "Transfer-Encoding\0:")), ("6.1", "blank before name", te(" chunked", " Transfer-Encoding:")),
	("6.1", "behind bare LF", te(" chunked", "X: x\nTransfer-Encoding:")), ("6.1", "behind bare CR", te(" chunked", "X: x\rTransfer-Encoding:")), ("6.1", "LF before colon", te(" chunked", "Transfer-Encoding\n:")),
	("6.1", "in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", PREFIX, "HTTP/1.0")), ("6.1", "in HTTP/1.0 kept alive", post("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", PREFIX, "HTTP/1.0")),
	# 6.2, 6.3 length
	("6.2", "plus", length(" +5")), ("6.2", "minus", length(" -5")), ("6.2", "minus zero", length(" -0")), ("6.2", "hexadecimal", length(" 0x5")), ("6.2", "letters", length(" five")), ("6.2", "empty", length("")),
	("6.2", "blank", length("  ")), ("6.2", "two numbers", length(" 5 5")), ("6.2", "tab between", length(" 5\t0")), ("6.2", "point", length(" 5.0")), ("6.2", "exponent", length(" 5e0")), ("6.2", "underscore", length(" 1_0")),
	("6.2", "comma at end", length(" 5,")), ("6.2", "comma at start", length(" ,5")), ("6.2", "list, same", length(" 5, 5")), ("6.2", "list, other", length(" 5, 6")), ("6.2", "quoted", length(' "5"')),
	("6.2", "semicolon", length(" 5;")), ("6.2", "NUL", length(" 5\0")), ("6.2", "vertical tab", length(" \x0b5")), ("6.2", "form feed", length(" 5\x0c")), ("6.2", "no-break space", length("\xa05")), ("6.2", "superscript", length(" \xb25")),
	("6.2", "twice, same", post("Content-Length: 5\r\nContent-Length: 5\r\n", b"12345")), ("6.2", "twice, other", post("Content-Length: 5\r\nContent-Length: 6\r\n", b"12345")),
	("6.2", "twice, zero first", post("Content-Length: 0\r\nContent-Length: 30\r\n", b"")), ("6.2", "twice, other case", post("Content-Length: 5\r\ncontent-length: 0\r\n", b"12345")),
	("6.2", "2^63", length(" 9223372036854775808")), ("6.2", "2^64 + 5", length(" 18446744073709551621")), ("6.2", "sixty digits", length(" " + "9" * 60)), ("6.2", "blank before colon", post("Content-Length : 5\r\n", b"12345")),
	("6.2", "folded", length("\r\n 5")), ("6.2", "folded number", length(" 1\r\n 0", b"1234567890")), ("6.2", "behind bare LF", post("X: x\nContent-Length: 5\r\n", b"12345")),
	("6.2", "of a GET", get(headers="Content-Length: x\r\n")),
	("6.3", "length and coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", PREFIX)), ("6.3", "coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", PREFIX)),
	("6.3", "zero length and coding", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", CHUNKED_5)), ("6.3", "length and unknown coding", post("Content-Length: 5\r\nTransfer-Encoding: x\r\n", b"12345")),
	("6.3", "length and empty coding", post("Content-Length: 5\r\nTransfer-Encoding:\r\n", b"12345")), ("6.3", "bad length and coding", post("Content-Length: x\r\nTransfer-Encoding: chunked\r\n", PREFIX)),
	("6.3", "length and coding, GET", get(headers="Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + PREFIX), ("6.3", "length and coding, case", post("cOnTeNt-LeNgTh: 5\r\ntRaNsFeR-eNcOdInG: ChUnKeD\r\n", PREFIX)),
	# Expect: nothing but 100-continue
	("9110 10.1.1", "other", get(headers="Expect: 200-ok\r\n"), 417), ("9110 10.1.1", "word before", post("Expect: y 100-continue\r\nContent-Length: 5\r\n", b"12345"), 417),
	("9110 10.1.1", "list", post("Expect: 100-continue, x\r\nContent-Length: 5\r\n", b"12345"), 417), ("9110 10.1.1", "empty", post("Expect:\r\nContent-Length: 5\r\n", b"12345"), 417),
	("9110 10.1.1", "parameter", post("Expect: 100-continue;x\r\nContent-Length: 5\r\n", b"12345"), 417), ("9110 10.1.1", "folded", post("Expect:\r\n 100-continue\r\nContent-Length: 5\r\n", b"12345"), 417),
	("9110 10.1.1", "blank before colon", post("Expect : 100-continue\r\nContent-Length: 5\r\n", b"12345")), ("9110 10.1.1", "vertical tab", post("Expect: \x0b100-continue\r\nContent-Length: 5\r\n", b"12345")),
	("9110 10.1.1", "and both framings", post("Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", PREFIX)),
]
REFUSED = [(*r, 400) if len(r) == 3 else r for r in REFUSED]


@pytest.mark.parametrize("section,name,raw,status", REFUSED, ids=ids(REFUSED))
def test_refused(site, section, name, raw, status):
	answers, rest = site.talk(raw + SMUGGLED + SMUGGLED)
	assert [a.status for a in answers] == [status] and rest == b"", (answers, rest)
	assert answers[0].get("connection") == "close", answers
	assert site.ran() == [], "what followed a refused request ran"
	assert site.name != "pool" or site.stand.stub.seen == [], "a refused request reached the pool"


# --- chunks: a body that is framed badly ---------------------------------------------------------------------------------------

# What a lenient reader takes for the end of a chunk, or for part of an extension, is refused before PHP is asked.
CHUNK_CASES = [
	("size 0x", b"0x5\r\n12345\r\n0\r\n\r\n"), ("size plus", b"+5\r\n12345\r\n0\r\n\r\n"), ("size minus", b"-5\r\n12345\r\n0\r\n\r\n"), ("size letters", b"g\r\n12345\r\n0\r\n\r\n"), ("no size", b"\r\n12345\r\n0\r\n\r\n"),
	("size underscore", b"1_0\r\n12345\r\n0\r\n\r\n"), ("blank before size", b" 5\r\n12345\r\n0\r\n\r\n"), ("blank behind size", b"5 \r\n12345\r\n0\r\n\r\n"), ("tab behind size", b"5\t\r\n12345\r\n0\r\n\r\n"),
	("vertical tab behind size", b"5\x0b\r\n12345\r\n0\r\n\r\n"), ("two sizes", b"5 5\r\n12345\r\n0\r\n\r\n"), ("size NUL", b"5\0\r\n12345\r\n0\r\n\r\n"), ("size comma", b"5,5\r\n12345\r\n0\r\n\r\n"), ("size point", b"5.0\r\n12345\r\n0\r\n\r\n"),
	("size high octet", b"\xb25\r\n12345\r\n0\r\n\r\n"), ("size 2^63", b"8000000000000000\r\n12345\r\n0\r\n\r\n"), ("size 2^64 + 5", b"10000000000000005\r\n12345\r\n0\r\n\r\n"), ("size 100 digits", b"f" * 100 + b"\r\n12345\r\n0\r\n\r\n"),
	("size with zeros without end", b"0" * 5000 + b"5\r\n12345\r\n0\r\n\r\n"),
	("size ends in LF", b"5\n12345\r\n0\r\n\r\n"), ("size ends in CR", b"5\r12345\r\n0\r\n\r\n"), ("size ends in CR CR LF", b"5\r\r\n12345\r\n0\r\n\r\n"), ("size ends in LF CR", b"5\n\r12345\r\n0\r\n\r\n"),
	# TERM.EXT and EXT.TERM: one reader ends the line at a bare LF or CR, the other takes it for extension
	("extension with LF", b"2;\nxx\r\n2b\r\n0\r\n\r\n"), ("extension with LF behind name", b"2;a\nxx\r\n2b\r\n0\r\n\r\n"), ("extension with LF in value", b"2;a=b\nxx\r\n2b\r\n0\r\n\r\n"), ("extension with LF in quotes", b"2;a=\"\n\"\r\nxx\r\n0\r\n\r\n"),
	("extension with CR", b"2;\rxx\r\n2b\r\n0\r\n\r\n"), ("extension with CR behind name", b"2;a\rxx\r\n2b\r\n0\r\n\r\n"), ("extension with CR in quotes", b"2;a=\"\rx\"\r\nxx\r\n0\r\n\r\n"), ("extension with escaped CR", b"2;a=\"\\\r\"\r\nxx\r\n0\r\n\r\n"),
	("extension with escaped LF", b"2;a=\"\\\n\"\r\nxx\r\n0\r\n\r\n"), ("extension with CR CR LF", b"2;a\r\r\nxx\r\n0\r\n\r\n"), ("extension with NUL", b"2;a\0\r\nxx\r\n0\r\n\r\n"), ("extension with DEL", b"2;a=\"\x7f\"\r\nxx\r\n0\r\n\r\n"),
	("extension without name", b"2;\r\nxx\r\n0\r\n\r\n"), ("extension without value", b"2;a=\r\nxx\r\n0\r\n\r\n"), ("quotes without end", b"2;a=\"\r\nxx\r\n0\r\n\r\n"), ("two values", b"2;a=b=c\r\nxx\r\n0\r\n\r\n"), ("no semicolon", b"2 a\r\nxx\r\n0\r\n\r\n"),
	("extension without end", b"2;" + b"a" * 5000 + b"\r\nxx\r\n0\r\n\r\n"), ("last chunk's extension with LF", b"2\r\nxx\r\n0;\n\r\n\r\n"), ("many small chunks with large extensions", b"".join(b"1;%s\r\nx\r\n" % (b"a" * 4000) for _ in range(30)) + b"0\r\n\r\n"),
	# SPILL: content longer than its size
	("content too long by two", b"5\r\n12345xx0\r\n\r\n"), ("content ends in LF", b"5\r\n12345\n0\r\n\r\n"), ("content ends in CR", b"5\r\n12345\r0\r\n\r\n"), ("content ends at once", b"5\r\n123450\r\n\r\n"), ("content ends in LF CR", b"5\r\n12345\n\r0\r\n\r\n"),
	("content and two lines", b"5\r\n12345\r\n\r\n0\r\n\r\n"), ("content too short", b"5\r\n123\r\n0\r\n\r\n"),
	("last chunk ends in LF", b"5\r\n12345\r\n0\n\r\n"), ("end in LF", b"5\r\n12345\r\n0\r\n\n"), ("end in CR", b"5\r\n12345\r\n0\r\n\rX"), ("minus zero", b"5\r\n12345\r\n-0\r\n\r\n"),
	("trailer without colon", b"0\r\nX\r\n\r\n"), ("trailer with blank before colon", b"0\r\nX : y\r\n\r\n"), ("trailer ends in LF", b"0\r\nX: y\n\r\n"), ("trailer with CR", b"0\r\nX: a\rb\r\n\r\n"), ("trailer with NUL", b"0\r\nX: a\0\r\n\r\n"),
	("trailer folded", b"0\r\nX: a\r\n b\r\n\r\n"), ("trailer without name", b"0\r\n: a\r\n\r\n"), ("trailer starts with blank", b"0\r\n X: a\r\n\r\n"), ("trailers without end", b"0\r\n" + b"X: %s\r\n" % (b"y" * 500) * 100 + b"\r\n"),
]


@pytest.mark.parametrize("name,body", CHUNK_CASES, ids=["7.1 " + n for n, _ in CHUNK_CASES])
def test_bad_chunks(site, name, body):
	answers, rest = site.talk(chunks(body) + SMUGGLED * 2)
	assert site.ran() == [], "what followed a badly framed body ran"
	assert rest == b"" and len(answers) == 1, (answers, rest)
	if site.name == "static":
		assert answers[0].status in (405, 400), answers # the answer needs no body; its framing decides only what follows
	else:
		assert answers[0].status in (400, 413, 431), answers
		assert answers[0].get("connection") == "close"
	assert site.name != "pool" or site.stand.stub.seen == [], "a badly framed body reached the pool"


# --- accepted, and what PHP is given -------------------------------------------------------------------------------------------

ACCEPTED = [
	# section, what, request, body that PHP gets
	("2.2", "an empty line before", b"\r\n" + post("Content-Length: 5\r\n", b"12345"), b"12345"),
	("2.3", "later minor version", post("Content-Length: 5\r\n", b"12345", "HTTP/1.7"), b"12345"),
	("3.1", "lower-case method is another", get("@POST@", "Content-Length: 5\r\n", method="post") + b"12345", b"12345"),
	("5.1", "no blank behind colon", post("Content-Length:5\r\n", b"12345"), b"12345"), ("5.1", "blanks around value", post("Content-Length: \t 5 \t\r\n", b"12345"), b"12345"),
	("5.1", "name in capitals", post("CONTENT-LENGTH: 5\r\n", b"12345"), b"12345"),
	("6.1", "chunked", chunks(CHUNKED_5), b"12345"), ("6.1", "chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n", CHUNKED_5), b"12345"),
	("6.1", "chunked behind tab", post("Transfer-Encoding:\tchunked\t\r\n", CHUNKED_5), b"12345"), ("6.1", "TE asks, and frames nothing", post("TE: trailers, chunked\r\nContent-Length: 5\r\n", b"12345"), b"12345"),
	("6.1", "underscore frames nothing", post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", b"12345"), b"12345"),
	("6.1", "underscore length counts nothing", post("Content_Length: 50\r\nContent-Length: 5\r\n", b"12345"), b"12345"),
	("6.2", "zeros before", post("Content-Length: 005\r\n", b"12345"), b"12345"), ("6.2", "length zero", post("Content-Length: 0\r\n", b""), b""), ("6.3", "no body", post("", b""), b""),
	("6.2", "a body that looks like requests", post("Content-Length: %d\r\n" % (len(SMUGGLED)), b"@S@"), SMUGGLED),
	("7.1", "small hexadecimal", chunks(b"a\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"), ("7.1", "capital hexadecimal", chunks(b"A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"), ("7.1", "zeros before size", chunks(b"0005\r\n12345\r\n000\r\n\r\n"), b"12345"),
	("7.1", "empty", chunks(PREFIX), b""), ("7.1", "content is CRLF", chunks(b"4\r\n\r\n\r\n\r\n0\r\n\r\n"), b"\r\n\r\n"), ("7.1", "content is a last chunk", chunks(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), b"0\r\n\r\n"),
	("7.1.1", "extension", chunks(b"5;a\r\n12345\r\n0\r\n\r\n"), b"12345"), ("7.1.1", "extension with value", chunks(b"5;a=b\r\n12345\r\n0;c=d\r\n\r\n"), b"12345"), ("7.1.1", "quoted value", chunks(b'5;a="b \\" ; c"\r\n12345\r\n0\r\n\r\n'), b"12345"),
	("7.1.1", "blanks around semicolon", chunks(b"5 ; a = b ; c\r\n12345\r\n0\r\n\r\n"), b"12345"), ("7.1.2", "trailers are dropped", chunks(b"5\r\n12345\r\n0\r\nContent-Length: 1\r\nX-T: 1\r\nHost: evil.test\r\n\r\n"), b"12345"),
	("9110 10.1.1", "expectation and body at once", post("Expect: 100-continue\r\nContent-Length: 5\r\n", b"12345"), b"12345"), ("9110 10.1.1", "expectation in capitals", post("Expect: 100-CONTINUE\r\nContent-Length: 5\r\n", b"12345"), b"12345"),
	("9110 10.1.1", "expectation and chunks", post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", CHUNKED_5), b"12345"),
]


@pytest.mark.parametrize("section,name,raw,body", ACCEPTED, ids=ids(ACCEPTED))
def test_accepted(site, section, name, raw, body):
	"""Taken, and passed on framed anew; the request behind it is answered, and is the only one."""
	body = site.fill(body)
	raw = site.fill(raw).replace(b"Content-Length: %d" % len(SMUGGLED), b"Content-Length: %d" % len(body)).replace(b"@S@", body)
	answers, rest = site.talk(raw + END)
	if site.name == "static" and "expectation" in name:  # the answer came before the body was asked for: see below
		assert rest == b"" and [(a.status, a.get("connection")) for a in answers] == [(405, "close")]
		return
	assert rest == b"" and len(answers) == 2 and answers[1].body == b"hello\n", (answers, rest)
	assert site.ran() == []
	if site.name == "static":
		assert answers[0].status == 405
		return
	assert (answers[0].status, answers[0].body) == (200, body)
	if site.name == "pool":
		first, second = site.stand.stub.seen
		assert site.stand.stub.bodies[0] == body and second["SCRIPT_NAME"] == "/hello.php"
		framed = b"content-length" in raw.lower().replace(b"content_length", b"") or b"chunked" in raw.lower()
		assert first.get("CONTENT_LENGTH") == (str(len(body)) if framed else None)
		bad = {"HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_LENGTH", "HTTP_X_T"} & set(first)
		assert not bad and first["HTTP_HOST"] == site.host, first


# --- 0.CL and CL.0: an answer that did not want the body ------------------------------------------------------------------------

UNREAD = {"file": ("/hello.txt", 200), "missing": ("/nothing.txt", 404), "missing script": ("/nothing.php", 404), "redirect": ("/dir", 301), "configured redirect": ("/old/x", 301), "denied": ("/denied/file.txt", 403),
	"denied script": ("/denied/run.php", 403), "encoded slash": ("/a%2fb", 404), "bad escape": ("/%zz", 400), "gone": ("/removed", 410), "directory": ("/bare/", 403)}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "FOO"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("name", UNREAD)
def test_unwanted_body_is_not_a_request(site, name, framing, method):
	path, status = UNREAD[name]
	body = site.fill(SMUGGLED)
	head = "Content-Length: %d\r\n" % len(body) if framing == "length" else "Transfer-Encoding: chunked\r\n"
	framed = body if framing == "length" else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
	raw = site.fill(get(path, head, method=method) + framed + END)
	with rawhttp.Conn(site.stand.addr) as c:
		c.send(raw)
		first = c.response(method)
		if name == "file" and method not in ("GET", "HEAD"):
			assert first.status in (200, 405), first
		else:
			assert first.status == status or method not in ("GET", "HEAD"), first
		second = c.response()
		assert second.body == b"hello\n", "the body was taken for requests: %r" % second
		assert c.eof()
	assert site.ran() == []


@pytest.mark.parametrize("name", UNREAD)
def test_expectation_that_is_not_met(site, name):
	"""0.CL by Expect: the final answer comes without a 100, so the client may send the body or not; the connection ends either way."""
	path, status = UNREAD[name]
	for method in ("GET", "POST"):
		answers, rest = site.talk(get(path, "Expect: 100-continue\r\nContent-Length: 5\r\n", method=method) + SMUGGLED * 2)
		# The body came at once, before anything was answered: five octets of it, and the connection is of no more use; or it is read.
		assert rest == b"" and len(answers) == 1 and answers[0].interim == [] and answers[0].get("connection") == "close", (answers, rest)
		assert site.ran() == []


def test_expectation_alone(site):
	"""Only the head comes; the answer says that the connection ends, and it does."""
	with rawhttp.Conn(site.stand.addr) as c:
		c.send(site.fill(get("/nothing.txt", "Expect: 100-continue\r\nContent-Length: 5\r\n", method="POST")))
		r = c.response()
		assert (r.status, r.interim, r.get("connection")) == (404, [], "close")
		c.send_what_goes(site.fill(SMUGGLED))
		assert c.eof()
	assert site.ran() == []


# --- 9 connections --------------------------------------------------------------------------------------------------------------

CONNECTION = [
	# what, version, fields, whether it stays open
	("1.1", "HTTP/1.1", "", True), ("1.1 keep-alive", "HTTP/1.1", "Connection: keep-alive\r\n", True), ("1.1 close", "HTTP/1.1", "Connection: close\r\n", False), ("1.1 CLOSE", "HTTP/1.1", "connection: CLOSE\r\n", False),
	("1.1 list", "HTTP/1.1", "Connection: x, close\r\n", False), ("1.1 list without blanks", "HTTP/1.1", "Connection: close,x\r\n", False), ("1.1 empty elements", "HTTP/1.1", "Connection: , ,close\r\n", False),
	("1.1 two fields", "HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", False), ("1.1 close wins", "HTTP/1.1", "Connection: close, keep-alive\r\n", False), ("1.1 other option", "HTTP/1.1", "Connection: closed\r\n", True),
	("1.1 quoted", "HTTP/1.1", 'Connection: "close"\r\n', True), ("1.1 upgrade", "HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket\r\n", True), ("1.1 names Host", "HTTP/1.1", "Connection: Host, Content-Length\r\n", True),
	("1.1 proxy", "HTTP/1.1", "Proxy-Connection: close\r\n", True), ("1.0", "HTTP/1.0", "", False), ("1.0 keep-alive", "HTTP/1.0", "Connection: Keep-Alive\r\n", True), ("1.0 both", "HTTP/1.0", "Connection: keep-alive, close\r\n", False),
	("1.0 Keep-Alive field alone", "HTTP/1.0", "Keep-Alive: timeout=5\r\n", False), ("1.9", "HTTP/1.9", "", True),
]


@pytest.mark.parametrize("name,version,fields,stays", CONNECTION, ids=["9.3 " + c[0] for c in CONNECTION])
def test_persistence(site, name, version, fields, stays):
	answers, rest = site.talk(get(headers=fields, version=version) + END)
	assert rest == b"" and len(answers) == (2 if stays else 1), (answers, rest)
	first = answers[0]
	assert (first.status, first.body, first.version) == (200, b"hello\n", "1.1"), first
	tokens = (first.get("connection") or "").lower()
	assert ("close" in tokens) == (not stays), first
	if version == "HTTP/1.0":
		assert "transfer-encoding" not in [n.lower() for n, _ in first.fields]
		assert not stays or "keep-alive" in tokens, first


def test_answers_in_order(site):
	"""9.3.2: pipelined requests are answered in their order, whatever each takes."""
	paths = ["/hello.txt", "/digits.txt", "/nothing.txt", site.path, "/dir", "/hello.txt"]
	answers, rest = site.talk(b"".join(get(p) for p in paths) + get(headers="Connection: close\r\n") + SMUGGLED)
	assert rest == b"" and [a.status for a in answers] == [200, 200, 404, 200, 301, 200, 200]
	assert answers[1].body == b"0123456789" * 10 and answers[6].body == b"hello\n" and site.ran() == []


@pytest.mark.parametrize("cut", ["in the request line", "in a field", "before the end of the head", "in a body", "in a chunk size", "in a chunk", "before the last chunk", "in the trailers"])
def test_incomplete(site, cut):
	"""8: a request that ends early is not run, and the connection ends."""
	raw = {"in the request line": b"GET /record.php?id=cut", "in a field": b"GET /record.php?id=cut HTTP/1.1\r\nHost: @HO", "before the end of the head": b"GET /record.php?id=cut HTTP/1.1\r\nHost: @HOST@\r\n"}
	def body(h, b):
		return get("/record.php?id=cut", h, method="POST") + b
	raw.update({"in a body": body("Content-Length: 10\r\n", b"12345"), "in a chunk size": body("Transfer-Encoding: chunked\r\n", b"5"), "in a chunk": body("Transfer-Encoding: chunked\r\n", b"5\r\n123"),
		"before the last chunk": body("Transfer-Encoding: chunked\r\n", b"5\r\n12345\r\n"), "in the trailers": body("Transfer-Encoding: chunked\r\n", b"5\r\n12345\r\n0\r\nX: y\r\n")})
	answers, rest = site.talk(raw[cut], half_close=True)
	assert len(answers) <= 1 and rest == b"" and all(a.status in (400, 408) for a in answers), (answers, rest)
	assert site.ran() == []


def test_no_100_for_old_clients(site):
	"""9110 15.2: HTTP/1.0 is sent no interim answer."""
	answers, rest = site.talk(get(site.post, "Expect: 100-continue\r\nContent-Length: 5\r\n", "HTTP/1.0", method="POST") + b"12345")
	assert rest == b"" and len(answers) == 1 and answers[0].interim == [], (answers, rest)


@pytest.mark.parametrize("name,raw", [("long line", b"GET @PATH@?%s HTTP/1.1\r\nHost: @HOST@\r\nConnection: close\r\n\r\n" % (b"x" * 8000)), ("long field", get(headers="X: %s\r\nConnection: close\r\n" % ("y" * 8000))),
	("many fields", get(headers="".join("X-%d: y\r\n" % i for i in range(95)) + "Connection: close\r\n")), ("odd names", get(headers="!#$%&'*+-.^_`|~09az: y\r\nConnection: close\r\n")),
	("high octets in a value", get(headers="X: \x80\xff\xe4\r\nConnection: close\r\n")), ("empty value", get(headers="X:\r\nConnection: close\r\n"))])
def test_within_the_limits(site, name, raw):
	answers, rest = site.talk(raw)
	assert rest == b"" and [(a.status, a.body) for a in answers] == [(200, b"hello\n")], (answers, rest)


def test_misdirected_scheme(site):
	"""9110 7.4: an https resource is not for a connection without TLS."""
	answers, rest = site.talk(get("https://@HOST@@PATH@", headers="Connection: close\r\n"))
	assert rest == b"" and [a.status for a in answers] == [421], answers
	# Behind a proxy that ends TLS, which ServerName tells of, it is.
	answers, rest = site.talk(get("https://ended.test/hello.txt", headers="Connection: close\r\n"))
	assert rest == b"" and [(a.status, a.body) for a in answers] == [(200, b"hello\n")], answers
	answers, rest = site.talk(get("http://@HOST@@PATH@", headers="Connection: close\r\n", host="Host: other.test\r\n"))
	assert rest == b"" and [(a.status, a.body) for a in answers] == [(200, b"hello\n")], answers
