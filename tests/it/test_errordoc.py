# SPDX-License-Identifier: Apache-2.0
"""ErrorDocument: text, path, URL, default, in every context, and what the page that answers is told."""
import json
import os

import pytest

import conftest
import rawhttp
import servers
from edits import Edits

pytestmark = pytest.mark.bulkhead

DUMP = ("<?php header('Content-Type: application/json'); $o = []; foreach ($_SERVER as $k => $v) if (strncmp($k, 'REDIRECT_', 9) === 0) $o[$k] = $v;"
	" foreach (['REQUEST_METHOD', 'REQUEST_URI', 'QUERY_STRING', 'SCRIPT_NAME', 'CONTENT_LENGTH', 'Later'] as $k) $o[$k] = $_SERVER[$k] ?? null;"
	" $o['body'] = file_get_contents('php://input'); if (isset($_GET['c'])) http_response_code((int)$_GET['c']); echo json_encode($o);")
FILES = {
	"err/dump.php": DUMP, "err/text.html": "<p>file</p>", "err/broken.php": "<?php header('Bad', true, 503); exit;", "text/x": "", "url/x": "", "default/x": "",
	"gone/x": "", "script/own.php": "<?php http_response_code(404); echo 'own';", "script/fatal.php": "<?php ini_set('memory_limit', '-1'); function d() { array_map('d', [1]); } d();",
	"loop/x": "", "nested/x": "", "denied/x": "", "name.special": "", "status/x": "", "limited/echo.php": DUMP,
	"denied401/x": "",
}
LINES = """
    SetEnv Tagged value
    SetEnvIf User-Agent "^(probe)$" Agent=$1
    SetEnvIf Request_URI "^/err/" Later=yes
    ErrorDocument 404 /err/dump.php?from=404
    ErrorDocument 413 /err/dump.php
    ErrorDocument 500 /err/dump.php
    ErrorDocument 502 /err/dump.php
    <Directory "@ROOT@/text">
        ErrorDocument 404 "<b>text</b> of ours"
    </Directory>
    <Directory "@ROOT@/url">
        ErrorDocument 404 http://elsewhere.test/page?x=y
    </Directory>
    <Directory "@ROOT@/default">
        ErrorDocument 404 default
    </Directory>
    <Directory "@ROOT@/gone">
        ErrorDocument 404 /err/missing.html
    </Directory>
    <Directory "@ROOT@/loop">
        ErrorDocument 404 /loop/missing
    </Directory>
    <Directory "@ROOT@/nested">
        ErrorDocument 404 /denied/x
    </Directory>
    <Directory "@ROOT@/status">
        ErrorDocument 404 /err/dump.php?c=410
    </Directory>
    <Directory "@ROOT@/limited">
        LimitRequestBody 10
    </Directory>
    <Location "/denied">
        Require all denied
        ErrorDocument 403 /err/text.html
    </Location>
    <Files "*.special">
        Require all denied
        ErrorDocument 403 "special"
    </Files>
"""


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	root = tmp + "/errordoc/root"
	return Edits(tmp + "/errordoc", module_fleet, fpm, ini, FILES, LINES.replace("@ROOT@", root), root=root)


@pytest.fixture(params=["fresh", "worker"])
def host(request):
	return request.param


def test_variables(site, host):
	r = site.get("/no/such%20file?a=b", "User-Agent: probe\r\n", host=host)
	v = json.loads(r.body)
	assert r.status == 404
	assert v["REDIRECT_STATUS"] == "404" and v["REDIRECT_URL"] == "/no/such file" and v["REDIRECT_QUERY_STRING"] == "a=b"
	assert v["REDIRECT_REQUEST_METHOD"] == "GET" and v["REQUEST_METHOD"] == "GET"
	assert v["REDIRECT_Tagged"] == "value" and v["REDIRECT_Agent"] == "probe"
	assert v["REQUEST_URI"] == "/no/such%20file?a=b" and v["QUERY_STRING"] == "from=404" and v["SCRIPT_NAME"] == "/err/dump.php"
	assert v["Later"] == "yes" and "REDIRECT_Later" not in v  # rules are looked at again for the page itself


def test_method_and_body(site, host):
	r = site.get("/missing", method="POST", body=b"x=1&y=2", host=host)
	v = json.loads(r.body)
	assert (r.status, v["REQUEST_METHOD"], v["REDIRECT_REQUEST_METHOD"], v["CONTENT_LENGTH"], v["body"]) == (404, "GET", "POST", None, "")
	r = site.get("/missing", method="HEAD", host=host)
	assert r.status == 404 and r.get("Content-Type", "").startswith("application/json")
	r = site.get("/limited/echo.php", method="POST", body=b"x" * 100, host=host)
	assert r.status == 413 and json.loads(r.body)["REDIRECT_STATUS"] == "413"


def test_notes(site, host):
	"""Why, where there is more to say than the status does."""
	site_dead = site.get("/script/fatal.php", host=host)
	v = json.loads(site_dead.body)
	assert site_dead.status in (500, 502) and v["REDIRECT_ERROR_NOTES"] and v["REDIRECT_STATUS"] == str(site_dead.status)
	assert "REDIRECT_ERROR_NOTES" not in json.loads(site.get("/missing", host=host).body)


def test_kinds(site, host):
	r = site.get("/text/missing", host=host)
	assert (r.status, r.body) == (404, b"<b>text</b> of ours") and r.get("Content-Type").startswith("text/html")
	r = site.get("/url/missing", host=host)
	assert r.status == 302 and r.get("Location") == "http://elsewhere.test/page?x=y"
	r = site.get("/default/missing", host=host)
	assert r.status == 404 and b"REDIRECT" not in r.body and b"404" in r.body
	r = site.get("/denied/x", host=host)
	assert (r.status, r.body) == (403, b"<p>file</p>")
	r = site.get("/name.special", host=host)
	assert (r.status, r.body) == (403, b"special")


def test_what_scripts_say_themselves_stands(site, host):
	r = site.get("/script/own.php", host=host)
	assert (r.status, r.body) == (404, b"own")
	r = site.get("/status/missing", host=host)
	assert r.status == 410  # the page's own status, when it says one


def test_errors_of_the_page_itself(site, host):
	"""The client learns of its own error, not of the page's."""
	for path in ("/gone/missing", "/loop/missing2", "/nested/missing"):
		r = site.get(path, host=host)
		assert r.status == 404 and b"404" in r.body, (path, r)


def test_a_url_for_401_is_refused(site, here):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	b = servers.Bulkhead(here, "ErrorDocument 401 http://elsewhere.test/\n")
	out = b.run("-t")
	assert out.returncode != 0 and "401 must not redirect" in out.stdout


def test_as_mod_php(site, fleet, here):
	conftest.need(servers.tool("apache2"), "no apache2")
	conf = '<VirtualHost *>\nServerName fresh.test\nDocumentRoot "%s"\n<Directory "%s">\nRequire all granted\n</Directory>\n%s</VirtualHost>\n' % (
		site.root, site.root, site.lines)
	apache = fleet.start(servers.Apache(here + "/apache", conf))
	for path, headers in (("/no/such%20file?a=b", "User-Agent: probe\r\n"), ("/missing", "")):
		want, got = rawhttp.get(apache.addr, "fresh.test", path, headers), site.get(path, headers)
		want_v, got_v = json.loads(want.body), json.loads(got.body)
		# mod_php gives an ErrorDocument's script status 200 for its own when it says nothing; the error's is what the client needs
		for name in sorted(set(want_v) | set(got_v)):
			assert want_v.get(name) == got_v.get(name), (path, name, want_v.get(name), got_v.get(name))
