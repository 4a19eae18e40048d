# SPDX-License-Identifier: Apache-2.0
"""<If>, <ElseIf>, <Else>: settings by what the request is, in every kind of section; the same lines in Apache come to the same."""

import pytest

import conftest
import rawhttp
import servers
from edits import Edits, make_root

pytestmark = pytest.mark.bulkhead

FILES = {
	"a.txt": "a\n", "b.php": "<?php echo 'b';", "sub/x.txt": "x\n", "sub/secret.txt": "secret\n", "list/one.txt": "1", "list/two.txt": "2",
	"dir/index.html": "index\n", "big.bin": b"b" * 100000, "stuck/x.txt": "x",
}

LINES = r"""
    <If "%{HTTP_HOST} == 'old.test'">
        Redirect 301 / http://new.test/
    </If>
    <If "req('X-Colour') == 'red'">
        Header always set X-Chain red
    </If>
    <ElseIf "req('X-Colour') in {'blue', 'navy'}">
        Header always set X-Chain blue
        <If "-n req('X-Deep')">
            Header always set X-Nested yes
        </If>
    </ElseIf>
    <Else>
        Header always set X-Chain none
    </Else>
    <If "%{REQUEST_METHOD} == 'POST' && %{REQUEST_URI} =~ m#^/a#">
        Require all denied
    </If>
    <Directory "@ROOT@/sub">
        <If "%{REQUEST_FILENAME} -strmatch '*/secret.txt' && ! %{HTTP:X-Key} == 'open'">
            Require all denied
        </If>
        <Files "x.txt">
            <If "%{QUERY_STRING} == 'forced'">
                ForceType application/x-forced
            </If>
        </Files>
    </Directory>
    <Location "/list">
        Options +Indexes
        DirectoryIndex disabled
        <If "%{REQUEST_URI} == '/list/two.txt' && %{HTTP_USER_AGENT} != 'boss'">
            Require all denied
        </If>
    </Location>
    <Location "/stuck">
        <If "req('X-Stuck') =~ /^(a|a?)+$/">
            Require all granted
        </If>
    </Location>
"""

REQUESTS = [("/a.txt", "", 200), ("/a.txt", "X-Colour: red\r\nX-Deep: 1\r\n", 200), ("/a.txt", "X-Colour: navy\r\n", 200), ("/b.php", "X-Colour: blue\r\nX-Deep: 1\r\n", 200),
	("/sub/secret.txt", "", 403), ("/sub/secret.txt", "X-Key: open\r\n", 200), ("/sub/secret.txt", "X-Key: shut\r\n", 403), ("/sub/x.txt?forced", "", 200),
	("/sub/x.txt", "", 200), ("/list/two.txt", "", 403), ("/list/two.txt", "User-Agent: boss\r\n", 200), ("/list/one.txt", "", 200), ("/dir/", "", 200), ("/none", "X-Colour: red\r\n", 404)]


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	root = tmp + "/if/root"
	return Edits(tmp + "/if", module_fleet, fpm, ini, FILES, "    ServerAlias old.test\n" + LINES.replace("@ROOT@", root), root=root)


@pytest.fixture(scope="module")
def reference(tmp, module_fleet):
	conftest.need(servers.tool("apache2"), "no apache2")
	root = make_root(tmp + "/if-apache/root", FILES)
	return module_fleet.start(servers.Apache(tmp + "/if-apache", '<VirtualHost *>\nServerName fresh.test\nServerAlias old.test\nDocumentRoot "%s"\n<Directory "%s">\nRequire all granted\n'
		'</Directory>\n%s</VirtualHost>\n' % (root, root, LINES.replace("@ROOT@", root)), modules=servers.APACHE_MODULES + " headers autoindex"))


def seen(r):
	return r.status, r.get("X-Chain"), r.get("X-Nested"), (r.get("Content-Type") or "").split(";")[0].replace("application/x-forced", "forced")


@pytest.mark.parametrize("path, headers, status", REQUESTS)
def test_as_apache(site, reference, path, headers, status):
	# Twice, and with others between: nothing that was remembered for one request is another's.
	want = seen(reference.get("fresh.test", path, headers))
	for _ in range(2):
		got = seen(site.get(path, headers))
		assert got == want and got[0] == status


@pytest.mark.parametrize("host", ["fresh", "worker"])
def test_interleaved(site, host):
	"""One path, answered by turns as each request says; what is remembered of files knows no conditions."""
	for _ in range(3):
		for path, headers, status in REQUESTS:
			assert site.get(path, headers, host=host).status == status, (path, headers)
		assert site.get("/a.txt", method="POST", body=b"x", host=host).status == 403
		assert site.get("/a.txt", host=host).status == 200
		colours = [site.get("/a.txt", "X-Colour: %s\r\n" % c, host=host).get("X-Chain") for c in ("red", "blue", "green")]
		assert colours == ["red", "blue", "none"]


def test_redirect_of_a_host(site):
	r = rawhttp.get(site.addr, "old.test", "/a.txt?q=1")
	assert r.status == 301 and r.get("Location") == "http://new.test/a.txt?q=1"
	assert rawhttp.get(site.addr, "fresh.test", "/a.txt").status == 200


def test_listing_shows_what_may_be_asked_for(site):
	assert b"two.txt" not in site.get("/list/").body and b"one.txt" in site.get("/list/").body
	assert b"two.txt" in site.get("/list/", "User-Agent: boss\r\n").body


def test_undecided_is_refused(site):
	"""A condition that gives up is not one that does not hold."""
	assert site.get("/stuck/x.txt", "X-Stuck: aaa\r\n").status == 200
	assert site.get("/stuck/x.txt", "X-Stuck: %sb\r\n" % ("a" * 60)).status == 500
	assert site.get("/stuck/x.txt").status == 200


def test_what_it_may_not_ask(here, docroot):
	for line, why in (('<If "reqenv(\'X\') == \'y\'">\n</If>', "before variables and notes are set"), ("<Else>\n</Else>", "without an <If>"),
			('<If "true">\n</If>\n<Else>\n</Else>\n<Else>\n</Else>', "without an <If>"), ('<If "-f \'/x\'">\n</If>', "-f is not evaluated"),
			('<If "tru">\n</If>\n<Else>\n</Else>', "octet 1 of the expression")):
		bh = servers.Bulkhead(here, 'DocumentRoot "%s"\n%s\n' % (docroot, line))
		r = bh.run("-t")
		assert r.returncode == 1 and why in r.stdout and "1 error," in r.stdout, r.stdout
	r = servers.Bulkhead(here, 'DocumentRoot "%s"\n<If "%%{REQUEST_STATUS} == 404">\n</If>\n' % docroot).run("-t")
	assert r.returncode == 0 and "asks for the answer" in r.stdout, r.stdout
