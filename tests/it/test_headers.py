# SPDX-License-Identifier: Apache-2.0
"""SetEnv, SetEnvIf, Header, RequestHeader, Expires: what they do to requests, to answers of every kind, and to PHP."""
import email.utils
import json
import re
import time

import pytest

import servers
import site_conf
from edits import Edits

pytestmark = pytest.mark.bulkhead

FILES = {
	"a.html": "<p>a</p>\n", "b.txt": "text\n", "sub/c.css": "body{}\n", "denied/x.txt": "x", "err/404.txt": "none\n",
	"vars.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
	"set.php": "<?php header('X-Script: s'); header('Set-Cookie: a=b'); header('Set-Cookie: c=d', false); header('X-Powered-By: me'); echo 'body';",
	"status.php": "<?php http_response_code((int)$_GET['c']); echo 'status';",
	"cache.php": "<?php header('Content-Type: text/css'); if (isset($_GET['h'])) header($_GET['h']); echo 'x';",
	"dies.php": "<?php exit(0);",
}

LINES = """
    SetEnv Fixed value
    SetEnv Gone value
    PassEnv PATH
    SetEnvIf User-Agent "MSIE ([0-9]+)" IE=$1 !Fixed2
    SetEnvIf Request_URI "^([^?]*)" Uri=$1
    SetEnvIfNoCase X-Probe "yes" probed
    SetEnvIf X-Probe "(.*)" HTTP_X_FORGED=$1 SCRIPT_FILENAME=/etc/passwd REMOTE_ADDR=$1
    BrowserMatch ^curl curl
    SetEnvIf X-Tagged (.+) Tagged=$1
    Header set X-Set set
    Header always set X-Always always
    Header set X-Env "%{Fixed}e %{Nothing}e"
    Header set X-Probed yes env=probed
    Header set X-Uri %{Uri}e
    Header always set Strict-Transport-Security "max-age=31536000; includeSubDomains"
    Header edit Set-Cookie "^(.*)$" "$1; HttpOnly"
    Header always unset X-Powered-By
    Header always set X-Script replaced env=probed
    Header echo ^X-Echo|^T|^Content-L
    Header note X-Script script
    LogFormat "%r %{script}n %{Tagged}e" noted
    CustomLog "@ROOT@/../noted.log" noted
    Header set X-Time "%t %D"
    Header set X-Load %l
    RequestHeader set X-Added added
    RequestHeader unset X-Secret
    RequestHeader append X-List two
    RequestHeader edit X-Edit a b
    RequestHeader set Content-Length 5
    Redirect 301 /old /new
    ErrorDocument 404 /err/404.txt
    <Directory "@ROOT@/sub">
        Header append X-Set more
        UnsetEnv Gone
        SetEnv Fixed inner
        ExpiresActive On
        ExpiresByType text/css "access plus 1 hour"
    </Directory>
    <Location "/denied">
        Require all denied
    </Location>
    <Files "cache.php">
        ExpiresActive On
        ExpiresDefault A60
    </Files>
    <Location "/norange">
        RequestHeader unset Range
    </Location>
    <Files "b.txt">
        RequestHeader unset If-None-Match
    </Files>
    <Location "/stuck">
        SetEnvIf X-Stuck "^(a|a?)+$" x
    </Location>
"""


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	root = tmp + "/headers/root"
	return Edits(tmp + "/headers", module_fleet, fpm, ini, FILES, LINES.replace("@ROOT@", root), root=root)


@pytest.fixture(params=["fresh", "worker"])
def host(request):
	return request.param


def test_set_on_files_and_scripts(site, host):
	for path in ("/a.html", "/set.php"):
		r = site.get(path, host=host)
		assert r.status == 200
		assert (r.get("X-Set"), r.get("X-Always"), r.get("X-Env")) == ("set", "always", "value (null)")
		assert r.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
		assert re.match(r"^t=\d{16} D=\d+$", r.get("X-Time")), r
		assert re.match(r"^l=\d+\.\d\d/\d+\.\d\d/\d+\.\d\d$", r.get("X-Load")), r


def test_merge_of_sections(site, host):
	r = site.get("/sub/c.css", host=host)
	assert r.get("X-Set") == "set, more" and r.get("X-Env") == "inner (null)"


def test_only_always_on_own_errors_and_redirects(site, host):
	for path, status in (("/denied/x.txt", 403), ("/old/x", 301), ("/sub", 301)):
		r = site.get(path, host=host)
		assert r.status == status and r.get("X-Always") == "always" and r.get("X-Set") is None, r
	# an ErrorDocument that is a file is an answer like any other, and so is an error that a script makes
	r = site.get("/missing", host=host)
	assert (r.status, r.body, r.get("X-Always"), r.get("X-Set")) == (404, b"none\n", "always", "set")
	r = site.get("/status.php?c=500", host=host)
	assert (r.status, r.get("X-Always"), r.get("X-Set")) == (500, "always", "set")


def test_not_modified_has_them(site):
	first = site.get("/a.html")
	r = site.get("/a.html", "If-None-Match: %s\r\n" % first.get("ETag"))
	assert (r.status, r.get("X-Always"), r.get("X-Set")) == (304, "always", "set")


def test_edit_and_unset_what_a_script_set(site, host):
	r = site.get("/set.php", host=host)
	assert r.all("Set-Cookie") == ["a=b; HttpOnly", "c=d; HttpOnly"]
	assert r.get("X-Powered-By") is None and r.all("X-Script") == ["s"]
	r = site.get("/set.php", "X-Probe: YES\r\n", host=host)
	assert r.all("X-Script") == ["replaced"] and r.get("X-Probed") == "yes"


def test_echo(site):
	r = site.get("/a.html", "X-Echo-One: 1\r\nX-Other: 2\r\nx-echo-two: 3\r\n")
	assert r.get("X-Echo-One") == "1" and r.get("X-Echo-Two") == "3" and r.get("X-Other") is None
	# What frames the request is not let frame the answer.
	r = site.get("/a.html", "TE: trailers\r\nTS: 1\r\nTrailer: x\r\nContent-Length: 0\r\n")
	assert r.get("TS") == "1" and r.get("TE") is None and r.get("Trailer") is None and r.all("Content-Length") == [str(len(r.body))]


def test_notes_and_variables_in_logs(site, host):
	import proc
	site.get("/set.php?%s" % host, host=host)
	site.get("/a.html?%s" % host, "X-Tagged: yes\r\n", host=host)
	def lines():
		with open(site.root + "/../noted.log") as f:
			return f.read().splitlines()
	proc.wait_for(lambda: "GET /set.php?%s HTTP/1.1 s -" % host in lines() and "GET /a.html?%s HTTP/1.1 - yes" % host in lines(), 5, why="notes in the log")


def test_no_line_of_its_own(site, host):
	"""What a client wrote, decoded, stands in a field; its line ends do not."""
	r = site.get("/a.html%0d%0aX-Injected:%20yes%00", host=host)
	assert r.get("X-Injected") is None
	r = site.get("/set.php/x%0d%0aX-Injected:%20yes", host=host)
	assert r.get("X-Injected") is None and r.get("X-Uri") == "/set.php/x  X-Injected: yes", r


def test_variables_reach_php(site, host):
	r = site.get("/vars.php", "User-Agent: curl MSIE 6\r\nX-Probe: 192.0.2.99\r\n", host=host)
	v = json.loads(r.body)
	assert (v["Fixed"], v["Gone"], v["IE"], v["curl"], v["Uri"]) == ("value", "value", "6", "1", "/vars.php")
	assert v["PATH"] and v["HTTP_X_FORGED"] == "192.0.2.99"
	# the configuration cannot make a request another one
	assert v["SCRIPT_FILENAME"].endswith("/vars.php") and v["REMOTE_ADDR"] == "127.0.0.1"


def test_request_fields_reach_php(site, host):
	v = json.loads(site.get("/vars.php", "X-Secret: s\r\nX-List: one\r\nX-Edit: aa\r\n", host=host).body)
	assert v["HTTP_X_ADDED"] == "added" and "HTTP_X_SECRET" not in v
	assert v["HTTP_X_LIST"] == "one, two" and v["HTTP_X_EDIT"] == "ba"
	assert "CONTENT_LENGTH" not in v  # framing is not a rule's to change
	v = json.loads(site.get("/vars.php", host=host).body)
	assert v["HTTP_X_LIST"] == "two" and "HTTP_X_EDIT" not in v
	r = site.get("/vars.php", "X-Secret: s\r\n", method="POST", body=b"12345678", host=host)
	assert json.loads(r.body)["CONTENT_LENGTH"] == "8"


def test_request_fields_change_conditions(site):
	tag = site.get("/b.txt").get("ETag")
	assert site.get("/b.txt", "If-None-Match: %s\r\n" % tag).status == 200
	tag = site.get("/a.html").get("ETag")
	assert site.get("/a.html", "If-None-Match: %s\r\n" % tag).status == 304


def test_pipelined_requests_do_not_share(site):
	import rawhttp
	with rawhttp.Conn(site.addr) as c:
		c.send(b"GET /vars.php HTTP/1.1\r\nHost: fresh.test\r\nX-Probe: yes\r\nUser-Agent: MSIE 7\r\n\r\n"
			b"GET /vars.php HTTP/1.1\r\nHost: fresh.test\r\n\r\n")
		first, second = c.response(), c.response()
	assert json.loads(first.body)["IE"] == "7" and first.get("X-Probed") == "yes"
	assert "IE" not in json.loads(second.body) and second.get("X-Probed") is None


def test_pattern_that_gives_up_is_an_error(site):
	assert site.get("/stuck", "X-Stuck: aaa\r\n").status == 404
	r = site.get("/stuck", "X-Stuck: %s!\r\n" % ("a" * 60))
	assert r.status == 500
	assert "gave up" in site.server.log()


def age(r):
	return email.utils.parsedate_to_datetime(r.get("Expires")).timestamp() - time.time()


def test_expires(site, host):
	r = site.get("/sub/c.css", host=host)
	assert r.get("Cache-Control") == "max-age=3600" and 3590 < age(r) < 3605
	assert site.get("/sub/missing.css", host=host).get("Expires") is None
	assert site.get("/a.html", host=host).get("Expires") is None
	r = site.get("/cache.php", host=host)
	assert r.get("Cache-Control") == "max-age=60" and 50 < age(r) < 65
	r = site.get("/sub/c.css", "If-Modified-Since: %s\r\n" % site.get("/sub/c.css").get("Last-Modified"), host=host)
	assert (r.status, r.get("Cache-Control")) == (304, "max-age=3600")


def test_expires_leaves_what_a_script_said(site, host):
	r = site.get("/cache.php?h=Cache-Control:%20no-store", host=host)
	assert r.all("Cache-Control") == ["no-store"] and r.get("Expires") is None
	r = site.get("/cache.php?h=Expires:%20Thu,%2019%20Nov%201981%2008:52:00%20GMT", host=host)
	assert r.all("Expires") == ["Thu, 19 Nov 1981 08:52:00 GMT"] and r.get("Cache-Control") is None


def test_as_apache(site, tmp, fleet, here):
	"""The same lines before Apache: the same fields, for files, redirects and errors."""
	import conftest
	conftest.need(servers.tool("apache2"), "no apache2")
	conf = '<VirtualHost *>\nServerName fresh.test\nDocumentRoot "%s"\n<Directory "%s">\nRequire all granted\n</Directory>\n%s</VirtualHost>\n' % (
		site.root, site.root, site.lines.replace("RequestHeader set Content-Length 5", ""))  # which Apache obeys
	apache = fleet.start(servers.Apache(here + "/apache", conf, modules=servers.APACHE_MODULES + " headers expires"))
	import rawhttp
	for path, headers in (("/a.html", ""), ("/sub/c.css", ""), ("/missing", ""), ("/denied/x.txt", ""), ("/old/x", ""), ("/a.html", "X-Probe: yes\r\nX-Echo-A: b\r\n"),
			("/b.txt", "If-None-Match: \"x\"\r\n"), ("/sub", "")):
		want = rawhttp.get(apache.addr, "fresh.test", path, headers)
		got = site.get(path, headers)
		def fields(r):
			return sorted((n.lower(), v) for n, v in r.fields if n.lower().startswith("x-") and n.lower() not in ("x-time", "x-load")
				or n.lower() in ("strict-transport-security", "cache-control"))
		assert got.status == want.status and fields(got) == fields(want), (path, headers)
