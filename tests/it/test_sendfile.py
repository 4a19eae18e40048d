# SPDX-License-Identifier: Apache-2.0
"""X-Sendfile and X-Accel-Redirect: files that a script names, within the site's own tree and nowhere else."""
import gzip
import os

import pytest

import proc
import servers
from edits import Edits, make_root

pytestmark = pytest.mark.bulkhead

DIGITS = "0123456789" * 5000
FILES = {
	"send.php": "<?php foreach (['s' => 'X-Sendfile', 'a' => 'X-Accel-Redirect'] as $k => $h) if (isset($_GET[$k])) header($h . ': ' . $_GET[$k]);"
		" if (isset($_GET['t'])) header('Content-Type: ' . $_GET['t']); if (isset($_GET['c'])) http_response_code((int)$_GET['c']);"
		" header('Content-Disposition: attachment; filename=\"x.bin\"'); header('ETag: \"script\"'); header('Cache-Control: private'); header('X-Accel-Expires: 5');"
		" echo 'the script\\'s own output, never sent'; if (isset($_GET['slow'])) { flush(); usleep(200000); file_put_contents($_GET['slow'], 'ended'); }",
	"off/send.php": "<?php header('X-Sendfile: /etc/passwd'); header('Content-Type: text/plain'); echo 'own';",
	"private/digits.txt": DIGITS, "private/page.html": "<p>" * 500, "a b%c.txt": "odd name", ".hidden/in.txt": "hidden",
	"private/empty.bin": "", "missing/keep": "",
}


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	base = tmp + "/sendfile"
	root = base + "/root"
	make_root(base + "/given", {"in.txt": "given\n", "more/x.txt": "more\n"})
	make_root(base + "/aliased", {"in.txt": "aliased\n", "code.php": "<?php // source", ".dot": "dot", "no/x.txt": "denied"})
	make_root(base + "/other", {"secret.txt": "another site's\n"})
	lines = """
    XSendFile on
    XSendFilePath "%s/given"
    Alias /al "%s/aliased"
    AddOutputFilterByType DEFLATE text/plain
    Header always set X-Always yes
    Header set X-Set yes
    ErrorDocument 404 "not there"
    <Directory "%s/private">
        Require all denied
    </Directory>
    <Directory "%s/aliased/no">
        Require all denied
    </Directory>
    <Directory "%s/off">
        XSendFile off
    </Directory>
""" % (base, base, root, base, root)
	s = Edits(base, module_fleet, fpm, ini, FILES, lines, root=root)
	s.base = base
	os.symlink(base + "/other/secret.txt", root + "/private/out.txt")
	os.symlink("digits.txt", root + "/private/link.txt")
	os.mkfifo(root + "/private/fifo", 0o644)
	if proc.ROOT:  # a tenant's link: his, to what is not his
		os.chown(root + "/private/out.txt", *servers.site_ids(), follow_symlinks=False)
	return s


@pytest.fixture(params=["fresh", "worker"])
def host(request):
	return request.param


def test_path(site, host):
	r = site.get("/send.php?t=text/plain&s=" + site.root + "/private/digits.txt", host=host)
	assert r.status == 200 and r.body == DIGITS.encode() and r.framing == "length"
	assert r.get("Content-Type").startswith("text/plain") and r.get("Content-Disposition") == 'attachment; filename="x.bin"'
	assert r.get("Cache-Control") == "private" and r.get("Last-Modified") and r.get("ETag") not in (None, '"script"')
	assert (r.get("X-Always"), r.get("X-Set")) == ("yes", "yes")
	for name in ("X-Sendfile", "X-Accel-Redirect", "X-Accel-Expires"):
		assert r.get(name) is None
	# though nobody may ask for it by its own name
	assert site.get("/private/digits.txt", host=host).status == 403


def test_url(site, host):
	r = site.get("/send.php?a=/private/digits.txt&t=a/b", host=host)
	assert r.status == 200 and r.body == DIGITS.encode() and r.get("X-Accel-Redirect") is None
	assert site.get("/send.php?a=/al/in.txt&t=a/b", host=host).body == b"aliased\n"
	assert site.get("/send.php?a=/a%2520b%2525c.txt&t=a/b", host=host).body == b"odd name"


def test_other_roots_and_spellings(site, host):
	for s, want in ((site.base + "/given/in.txt", b"given\n"), (site.base + "/given/more/./x.txt", b"more\n"), (site.root + "//private/../private/link.txt", DIGITS.encode()),
			("private/digits.txt", DIGITS.encode()), (site.root + "/a%2520b%2525c.txt", b"odd name"), (site.root + "/private/empty.bin", b"")):
		r = site.get("/send.php?t=a/b&s=" + s, host=host)
		assert (r.status, r.body) == (200, want), s


def test_ranges_and_conditions(site, host):
	url = "/send.php?t=a/b&s=private/digits.txt"
	whole = site.get(url, host=host)
	r = site.get(url, "Range: bytes=5-9\r\n", host=host)
	assert (r.status, r.body, r.get("Content-Range")) == (206, b"56789", "bytes 5-9/50000") and r.get("Content-Disposition")
	r = site.get(url, "Range: bytes=0-1,5-6\r\n", host=host)
	assert r.status == 206 and r.get("Content-Type").startswith("multipart/byteranges") and b"Content-Type: a/b" in r.body
	r = site.get(url, "If-None-Match: %s\r\n" % whole.get("ETag"), host=host)
	assert r.status == 304 and r.get("Cache-Control") == "private" and r.get("Content-Type") is None
	assert site.get(url, "Range: bytes=60000-\r\n", host=host).status == 416
	r = site.get(url, host=host, method="HEAD")
	assert r.status == 200 and r.get("Content-Length") == "50000"
	r = site.get(url, host=host, method="POST", body=b"x=1")
	assert r.status == 200 and r.body == DIGITS.encode()
	r = site.get(url + "&c=403", "Range: bytes=5-9\r\n", host=host)
	assert r.status == 403 and r.body == DIGITS.encode()


def test_compressed(site, host):
	r = site.get("/send.php?t=text/plain&s=private/digits.txt", "Accept-Encoding: gzip\r\n", host=host)
	assert r.get("Content-Encoding") == "gzip" and gzip.decompress(r.body) == DIGITS.encode()


@pytest.mark.parametrize("query,status", [
	("s=/etc/passwd", 403), ("s=../other/secret.txt", 403), ("s=%s/../other/secret.txt", 403), ("s=%s/%%252e%%252e/other/secret.txt", 403), ("s=%sx/secret.txt", 403),
	("s=%s", 403), ("s=", 403), ("s=%s/private", 403), ("s=%s/private/fifo", 403), ("s=%s/private/missing.txt", 404), ("s=%s/private/digits.txt/x", 404),
	("s=%s/private/digits.txt%%2500", 403), ("a=http://x/y", 403), ("a=/../other/secret.txt", 403), ("a=/al/../../other/secret.txt", 403), ("a=/al/%%252e%%252e/other/secret.txt", 404),
	("a=/missing.txt", 404), ("a=/", 403),
	# an alias is not the site's own tree: only what anybody could ask for
	("a=/al/code.php", 403), ("a=/al/.dot", 403), ("a=/al/no/x.txt", 403),
])
def test_never(site, host, query, status):
	r = site.get("/send.php?t=a/b&" + (query % site.root if "%s" in query else query.replace("%%", "%")), host=host)
	assert r.status == status and b"another" not in r.body and b"root:" not in r.body, r
	if status == 404:
		assert r.body == b"not there"


def test_link_of_a_tenant_leads_nowhere(site, host):
	if not proc.ROOT:
		pytest.skip("needs a second user")
	assert site.get("/send.php?t=a/b&s=private/out.txt", host=host).status == 403
	assert site.get("/send.php?t=a/b&s=private/link.txt", host=host).status == 200


def test_only_where_configured(site, host):
	r = site.get("/off/send.php", host=host)
	assert r.status == 200 and r.body == b"own"


def test_the_script_runs_to_its_end(site, host):
	mark = servers.writable_dir(site.root + "/var") + "/" + host
	r = site.get("/send.php?t=a/b&s=private/digits.txt&slow=" + mark, host=host)
	assert r.body == DIGITS.encode() and os.path.exists(mark)


def test_connection_is_kept(site):
	import rawhttp
	with rawhttp.Conn(site.addr) as c:
		for _ in range(3):
			for path in ("/send.php?t=a/b&s=private/digits.txt", "/send.php?s=/etc/passwd", "/send.php"):
				c.send(("GET %s HTTP/1.1\r\nHost: fresh.test\r\n\r\n" % path).encode())
				assert c.response().status in (200, 403)
