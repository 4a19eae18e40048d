# SPDX-License-Identifier: Apache-2.0
"""Expressions in Header, RequestHeader, SetEnvIfExpr and CustomLog: the same lines before cells, before a pool, and in Apache."""
import json
import os
import re
import subprocess
import time

import pytest

import conftest
import proc
import rawhttp
import servers
from edits import Edits, make_root

pytestmark = pytest.mark.bulkhead

FILES = {
	"a.html": "<p>a</p>\n", "sub/b.txt": "text\n", "info/x.txt": "x", "stuck/x.txt": "x",
	"vars.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
	"status.php": "<?php http_response_code((int)$_GET['c']); header('X-Script: s'); echo 'status';",
}

# Conditions and texts that must come to the same in Apache.
CONDITIONS = r"""%{REQUEST_STATUS} == 200
%{REQUEST_STATUS} -ge 400 && %{REQUEST_STATUS} -lt 500
%{REQUEST_STATUS} -in {'404', '410'}
%{HTTP_USER_AGENT} =~ /^moz(illa)?/i && $1 == 'illa'
%{HTTP_USER_AGENT} !~ m#curl#
-n req('X-One')
-z %{HTTP:X-One}
req('X-Two') == 'a, b'
%{QUERY_STRING} =~ /(^|&)c=404/
%{REQUEST_URI} -strmatch '*.txt'
%{REQUEST_URI} -fnmatch '/*.txt'
%{HTTP_HOST} -strcmatch '*.TEST'
%{REMOTE_ADDR} -ipmatch '127.0.0.0/8' && ! -R '10.0.0.0/8'
-T reqenv('FLAG')
reqenv('Marked') == 'one'
%{REQUEST_METHOD} in {'GET','HEAD'} and not false or true
%{SERVER_NAME} . ':' . %{REQUEST_SCHEME} == 'fresh.test:http'
%{TIME_YEAR} -gt 2020 && %{TIME_MON} -le 12 && %{TIME} -gt 20200101000000
%{IS_SUBREQ} == 'false' && %{IPV6} == 'off' && %{HTTPS} == 'off' && %{HTTP2} == 'off'
'b' > 'a' && 'a' lt 1 && ('x' == 'y' || tolower('ABC') == 'abc')""".split("\n")

TEXTS = r"""%{REQUEST_METHOD} %{REQUEST_URI}?%{QUERY_STRING}|%{THE_REQUEST}
%{escape:a b/%{req:X-One}}|%{base64:%{toupper:%{REQUEST_METHOD}}}|%{unbase64:YWJj}|%{unescape:a%20b}
%{HTTP_HOST}|%{SERVER_PORT}|%{SERVER_PROTOCOL}|%{REMOTE_ADDR}|%{CONN_REMOTE_ADDR}|%{CONTEXT_PREFIX}
%{env:FLAG}|%{reqenv:Marked}|%{note:nothing}|100%|$x
%{REQUEST_FILENAME}|%{DOCUMENT_ROOT}|%{CONTEXT_DOCUMENT_ROOT}""".split("\n")


def quoted(text):
	return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


LINES = "SetEnv FLAG on\n" + "SetEnvIfExpr %s Marked=$1\n" % quoted("req('X-One') =~ /^(o.e)$/")
LINES += "".join("Header always set C%d yes %s\n" % (i, quoted("expr=" + c)) for i, c in enumerate(CONDITIONS))
LINES += "".join("Header always set T%d %s\n" % (i, quoted("expr=" + t)) for i, t in enumerate(TEXTS))
# What is said of both.
LINES += """
    RequestHeader set X-Said one "expr=-n req('X-One')"
    RequestHeader set X-Copy "expr=<%{HTTP:X-One}>"
    ErrorDocument 404 "none"
"""
OURS = """
    Header always set X-Late yes "expr=resp('X-Script') == 's'"
    Header always set X-Now "expr=%%{CONTENT_TYPE}|%%{LAST_MODIFIED}"
    Protocols h2c http/1.1
    Header set X-Protocol "expr=%%{HTTP2} %%{SERVER_PROTOCOL} %%{HTTP_HOST}"
    Header set X-Split "expr=%%{unescape:a%%0d%%0aX-Forged: 1}"
    LogFormat "%%r %%s" brief
    CustomLog "%(log)s" brief "expr=%%{REQUEST_STATUS} >= 400 && %%{REQUEST_URI} != '/quiet'"
    <Location "/info">
        Header set X-Agent "%%{Seen}e" "expr=%%{HTTP_USER_AGENT} != ''"
    </Location>
    <Location "/stuck">
        Header set X-Stuck yes "expr=req('X-One') =~ /^(a|a?)+$/"
    </Location>
"""


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	log = tmp + "/expr.log"
	s = Edits(tmp + "/expr", module_fleet, fpm, ini, FILES, LINES + OURS % {"log": log})
	s.log = log
	return s


@pytest.fixture(scope="module")
def reference(tmp, module_fleet):
	conftest.need(servers.tool("apache2"), "no apache2")
	root = make_root(tmp + "/expr-apache/root", FILES)
	return module_fleet.start(servers.Apache(tmp + "/expr-apache", '<VirtualHost *>\nServerName fresh.test\nDocumentRoot "%s"\n<Directory "%s">\nRequire all granted\n'
		'</Directory>\n%s</VirtualHost>\n' % (root, root, LINES), modules=servers.APACHE_MODULES + " headers"))


REQUESTS = [("/a.html", ""), ("/a.html?x=1&c=404", "User-Agent: Mozilla/5.0\r\n"), ("/sub/b.txt", "X-One: one\r\nX-Two: a\r\nX-Two: b\r\nUser-Agent: curl\r\n"),
	("/none.txt", "User-Agent: MOZ\r\n"), ("/status.php?c=410", "X-One: ore\r\n"), ("/status.php?c=404", ""), ("/sub", "X-One: a b%\r\n")]


def said(r, port):
	return {k.lower(): v.replace(":%d" % port, ":PORT").replace("|%d|" % port, "|PORT|") for k, v in r.fields if k[0] in "CT" and k[1:].isdigit()}


@pytest.mark.parametrize("path, headers", REQUESTS)
def test_as_apache(site, reference, path, headers):
	want = reference.get("fresh.test:%d" % reference.port, path, headers)
	got = site.server.get("fresh.test:%d" % site.addr[1], path, headers)
	assert got.status == want.status
	a, b = said(want, reference.port), said(got, site.addr[1])
	assert len(a) > 5 and {k: v.replace(os.path.dirname(site.root), "@") for k, v in b.items()} == {k: v.replace(reference.tmp, "@") for k, v in a.items()}


@pytest.mark.parametrize("host", ["fresh", "worker"])
def test_what_they_come_to(site, host):
	r = site.get("/status.php?c=404", "User-Agent: Mozilla\r\nX-One: one\r\n", host=host)
	yes = {int(k[1:]) for k, v in r.fields if k[0] == "C" and k[1:].isdigit()}
	assert r.status == 404 and {1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 17, 18, 19} <= yes and not yes & {0, 6, 7, 9, 10}, yes
	assert r.get("T0") == "GET /status.php?c=404|GET /status.php?c=404 HTTP/1.1" and r.get("T3") == "on|one||100%|$x"
	assert r.get("X-Late") == "yes" and r.get("X-Now").startswith("text/html; charset=UTF-8|")
	r = site.get("/a.html", host=host)
	assert r.get("X-Now") == "text/html|" + time.strftime("%Y%m%d%H%M%S", time.localtime(1700000000)) and r.get("X-Late") is None
	# An expression's text ends no line.
	assert r.get("X-Forged") is None and r.get("X-Split") == "a  X-Forged: 1"


@pytest.mark.parametrize("host", ["fresh", "worker"])
def test_request_fields(site, host):
	v = json.loads(site.get("/vars.php", "X-One: 1\r\n", host=host).body)
	assert (v["HTTP_X_SAID"], v["HTTP_X_COPY"]) == ("one", "<1>")
	v = json.loads(site.get("/vars.php", host=host).body)
	assert "HTTP_X_SAID" not in v and v["HTTP_X_COPY"] == "<>"


def test_vary(site):
	"""What depends on a field of the request says so, whether the condition held or not."""
	for headers in ("", "User-Agent: x\r\n"):
		vary = [x.strip().lower() for x in site.get("/info/x.txt", headers).get("Vary").split(",")]
		assert vary.count("user-agent") == 1 and vary.count("x-one") == 1 and vary.count("host") == 1, vary


def test_http2(site):
	"""The protocol of the connection, also where a request's memory served another one before; the host as HTTP/2 names it."""
	curl = servers.tool("curl")
	conftest.need(curl, "no curl")
	def get(version):
		r = subprocess.run([curl, "-s", "-o", os.devnull, "-D", "-", version, "-H", "Host: fresh.test", "http://%s:%d/a.html" % site.addr], stdout=subprocess.PIPE, timeout=20, text=True)
		return re.search(r"(?im)^x-protocol: (.*?)\r?$", r.stdout).group(1)
	for _ in range(2):
		assert get("--http2-prior-knowledge") == "on HTTP/2.0 fresh.test"
		assert get("--http1.1") == "off HTTP/1.1 fresh.test"


def test_log(site):
	marks = ["/a.html?log=1", "/none?log=2", "/quiet?log=3", "/status.php?c=500&log=4"]
	for path in marks:
		site.get(path)
	def lines():
		with open(site.log) as f:
			return [x for x in f.read().splitlines() if "log=" in x]
	proc.wait_for(lambda: len(lines()) >= 2, 10)
	assert lines() == ["GET /none?log=2 HTTP/1.1 404", "GET /status.php?c=500&log=4 HTTP/1.1 500"]


def test_bounded(site):
	"""A value that makes a pattern run away, or fills the room of an evaluation, costs its own request the answer."""
	assert site.get("/stuck/x.txt", "X-One: aaa\r\n").get("X-Stuck") == "yes"
	with pytest.raises(rawhttp.Broken):
		site.get("/stuck/x.txt", "X-One: %sb\r\n" % ("a" * 60))
	assert "the answer's fields cannot be made: a regular expression gave up" in site.server.log()
	assert site.get("/a.html", "X-One: %s\r\n" % ("%" * 8000)).status in (200, 500)
	assert site.get("/a.html").status == 200
