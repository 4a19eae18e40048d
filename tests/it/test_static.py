# SPDX-License-Identifier: Apache-2.0
"""Static files: what may be read, under which name, and how (RFC 9110 sections 8, 13 and 14)."""
import email.utils
import os
import re
import time

import pytest

import proc
import servers
from cases import Case, req, run, table
from site_conf import NOT_OURS

NEVER = re.compile(rb"\A(?!.*" + NOT_OURS.encode() + rb")(?!.*hidden)", re.S)
LENIENT = "reads it otherwise"


def path(id, target, status=200, **k):
	k.setdefault("on", "static")
	k.setdefault("body", NEVER)
	return Case(id, req(target), status=status, **k)


PATHS = [
	path("plain", "/hello.txt", body=b"hello\n", conn="open"),
	path("query", "/hello.txt?x=/../..&%zz", body=b"hello\n"),
	path("encoded-letter", "/%68ello.txt", body=b"hello\n"),
	path("encoded-space-plus", "/a%20b+c.txt", body=b"space\n"),
	path("encoded-utf8", "/caf%C3%A9.txt", body=b"utf8\n"),
	path("encoded-percent", "/per%25cent.txt", body=b"percent\n"),
	path("decoded-once", "/per%2525cent.txt", 404),
	path("double-slash", "//hello.txt", body=b"hello\n"),
	path("many-slashes", "/bare////file.txt", body=b"file\n"),
	path("dot-segment", "/./bare/./file.txt", body=b"file\n"),
	path("dot-dot-inside", "/bare/../hello.txt", body=b"hello\n"),
	path("dot-dot-encoded-inside", "/bare/%2e%2e/hello.txt", status=(200, 400), body=re.compile(rb"hello|400")),
	path("dot-dot-out", "/../outside.txt", (400, 403, 404)),
	path("dot-dot-out-deep", "/bare/../../outside.txt", (400, 403, 404)),
	path("dot-dot-many", "/" + "../" * 20 + "etc/passwd", (400, 403, 404)),
	path("dot-dot-encoded", "/%2e%2e/outside.txt", (400, 403, 404)),
	path("dot-dot-half-encoded", "/.%2e/outside.txt", (400, 403, 404)),
	path("dot-dot-encoded-slash", "/..%2foutside.txt", (400, 403, 404)),
	path("dot-dot-all-encoded", "/%2e%2e%2foutside.txt", (400, 403, 404)),
	path("dot-dot-double-encoded", "/%252e%252e%252foutside.txt", (400, 403, 404)),
	path("dot-dot-backslash", "/..\\outside.txt", (400, 403, 404)),
	path("dot-dot-overlong", "/%c0%ae%c0%ae/outside.txt", (400, 403, 404)),
	path("dot-dot-unicode", "/%u002e%u002e/outside.txt", (400, 403, 404)),
	path("dot-dot-through-file", "/hello.txt/../hello.txt", (200, 400, 404)),
	path("dot-dot-through-missing", "/missing/../../outside.txt", (400, 403, 404)),
	path("dot-dot-semicolon", "/..;/outside.txt", (400, 403, 404)),
	path("alias-out", "/alias/../outside.txt", (400, 403, 404)),
	path("alias-out-encoded", "/alias%2f..%2foutside.txt", (400, 403, 404)),
	path("alias-prefix-not-segment", "/aliased/in.txt", 404),
	path("alias-off-by-slash", "/alias../outside.txt", (400, 403, 404)),
	path("alias", "/alias/in.txt", body=b"aliased\n"),
	path("encoded-slash", "/bare%2ffile.txt", (200, 400, 404)),
	path("nul", "/hello.txt%00.html", (400, 403, 404)),
	path("nul-end", "/hello.txt%00", (400, 403, 404)),
	path("bad-escape", "/hello%zz.txt", 400),
	path("bad-escape-short", "/hello.txt%", 400),
	path("bad-escape-one", "/hello.txt%4", 400),
	path("newline-encoded", "/hello.txt%0a", (400, 403, 404)),
	path("file-with-slash", "/hello.txt/", 404),
	path("file-with-rest", "/hello.txt/rest", 404),
	path("missing", "/missing.txt", 404),
	path("missing-dir", "/missing/x.txt", 404),
	path("long-name", "/" + "x" * 300, (403, 404, 414)),
	path("long-path", "/x" * 2000, (403, 404, 414)),
	path("dot-file", "/.hidden", (403, 404)),
	path("dot-file-encoded", "/%2ehidden", (403, 404)),
	path("ht-file", "/.htpasswd", (403, 404)),
	path("ht-file-bak", "/.htaccess.bak", (403, 404)),
	path("user-ini", "/.user.ini", (403, 404)),
	path("well-known", "/.well-known/thing.txt", body=b"known\n", skip={"apache": "the test's rule for dot files"}),
	path("fifo", "/fifo.txt", (403, 404), skip={"apache": "waits for a writer"}),
	path("link-inside", "/link.txt", body=b"hello\n"),
	path("link-not-followed", "/nolinks/link.txt", (403, 404)),
	path("link-dir-real", "/nolinks/real.txt", body=b"real\n"),
	path("link-same-owner", "/owner/same.txt", body=b"real\n"),
	path("link-loop", "/loop", (403, 404)),
	path("denied", "/denied/file.txt", 403),
	path("denied-spelt", "/bare/..//denied/./file.txt", 403),
	path("denied-encoded", "/%64enied/file.txt", 403),
	path("denied-missing", "/denied/missing.txt", (403, 404)),
	path("files-denied", "/files/secret.txt", 403),
	path("files-denied-encoded", "/files/secret%2etxt", 403),
	path("files-open", "/files/open.txt", body=b"open\n"),
	path("filesmatch-denied", "/files/x.inc", 403),
	path("location-denied", "/located/x", 403),
	path("location-denied-slashes", "//located//x", 403),
	path("location-not-prefix", "/locatedx", 404),
	path("location-denied-index", "/located_index/index.html", 403),
	path("location-denied-as-index", "/located_index/", 403),
	path("location-denied-as-index-slashes", "//located_index/./", 403),
	path("longer-than-any-file", "/" + "a/" * 4000, (403, 404)),
	path("longer-than-any-file-rest", "/hello.txt/" + "a/" * 4000, (403, 404)),
	path("listing-hides-denied", "/listing/", body=re.compile(rb"\A(?!.*(secret\.txt|x\.inc)).*in\.txt", re.S), skip={"apache": "no mod_autoindex here"}),
	path("directory-bare", "/bare/", (403, 404)),
	path("directory-index", "/dir/", body=b"index of dir\n"),
	path("directory-redirect", "/dir", 301, has={"Location": re.compile(r"^(http://static\.test(:\d+)?)?/dir/$")}),
	path("directory-redirect-query", "/dir?a=1&b=%20", 301, has={"Location": re.compile(r"/dir/\?a=1&b=%20$")}),
	path("directory-redirect-foreign", "//evil.test/../dir", (200, 301, 404), has={"Location": lambda v: v is None or not v.startswith("//")}),
	path("directory-redirect-slashes", "//dir", (301, 404), has={"Location": lambda v: v is None or re.match(r"^(http://static\.test(:\d+)?)?/dir/$", v)},
		skip={"apache": "keeps the slashes"}),
	path("directory-redirect-crlf", "/dir%0d%0aX-Evil:%201", (400, 404), has={"X-Evil": None}),
	path("redirect-301", "/old/page?x=1", 301, has={"Location": re.compile(r"^(http://static\.test(:\d+)?)?/new/page\?x=1$")}),
	path("redirect-whole-segment", "/older", 404),
	path("redirect-302", "/away/a/b", 302, has={"Location": "http://elsewhere.test/there/a/b"}),
	path("redirect-crlf", "/away/%0d%0aX-Evil:%201", (302, 400), has={"X-Evil": None}),
	path("redirect-gone", "/removed", 410),
	path("errordoc-path", "/errdoc/missing", 404, body=b"own not found\n"),
	path("errordoc-not-elsewhere", "/bare/missing", 404, body=re.compile(rb"\A(?!own)")),
	path("empty-file", "/empty.txt", body=b"", conn="open", has={"Content-Length": "0"}),
	path("big-file", "/blob.bin", body=bytes(range(256)) * 16384, conn="open"),
]

TYPES = [
	path("type-txt", "/hello.txt", has={"Content-Type": re.compile("^text/plain")}),
	path("type-html", "/page.html", has={"Content-Type": re.compile("^text/html")}),
	path("type-css", "/style.css", has={"Content-Type": re.compile("^text/css")}),
	path("type-svg", "/pic.svg", has={"Content-Type": "image/svg+xml"}),
	path("type-png", "/pic.png", has={"Content-Type": "image/png"}),
	path("type-unknown", "/what.unknownext", has={"Content-Type": lambda v: v is None or "html" not in v}),
	path("type-none", "/noext", has={"Content-Type": lambda v: v is None or "html" not in v}),
	path("type-forced", "/forced/x.dat", has={"Content-Type": re.compile("^text/x-forced")}),
	path("php-name-not-last", "/double.php.txt", status=(200, 404), body=re.compile(rb"<\?php|404"), skip={"apache": LENIENT}),
	path("php-engine-off", "/noengine/x.php", (403,), body=re.compile(rb"\A(?!.*source)", re.S), skip={"apache": "sends the source"}),
]

METHODS = [
	Case("post", req("/hello.txt", method="POST", headers="Content-Length: 3\r\n", body=b"abc"), 405, on="static",
		has={"Allow": re.compile("GET.*HEAD|HEAD.*GET")}, skip={"apache": "serves it"}),
	Case("put", req("/hello.txt", method="PUT", headers="Content-Length: 3\r\n", body=b"abc"), 405, on="static", has={"Allow": re.compile("GET")}),
	Case("delete", req("/hello.txt", method="DELETE"), 405, on="static", has={"Allow": re.compile("GET")}),
	Case("patch", req("/hello.txt", method="PATCH"), 405, on="static", has={"Allow": re.compile("GET")}),
	Case("options", req("/hello.txt", method="OPTIONS"), (200, 204, 405), on="static", has={"Allow": re.compile("GET")}),
	Case("head", req("/blob.bin", method="HEAD"), 200, on="static", has={"Content-Length": str(256 * 16384)}, method="HEAD", conn="open"),
	Case("head-missing", req("/missing", method="HEAD"), 404, on="static", method="HEAD", conn="open"),
]

cases = table(PATHS + TYPES + METHODS)


@cases("static")
def test_static(static_target, peer, case):
	run(case, static_target, peer)


@pytest.mark.parametrize("name", ["/dir", "/bare/file.txt", "/.htpasswd", "/../outside.txt", "/%2e%2e/outside.txt", "/denied/file.txt", "/missing.txt"])
def test_same_on_every_path(php_target, static_target, name):
	"""Files are the front's business: the virtual host's dispatch does not change them."""
	a, b = php_target.get(name), static_target.get(name)
	assert (a.status, a.get("Content-Type"), a.get("ETag")) == (b.status, b.get("Content-Type"), b.get("ETag"))
	assert a.body.replace(php_target.host.encode(), b"") == b.body.replace(static_target.host.encode(), b"")


def test_link_to_foreign_owner(static_target):
	if not proc.ROOT:
		pytest.skip("only root can make files of two owners")
	for name in ("/owner/link.txt", "/owner/foreign_link.txt"):
		r = static_target.get(name)
		assert r.status in (403, 404) and b"root:" not in r.body and b"foreign" not in r.body, r


@pytest.mark.bulkhead
def test_fifo_does_not_block(static_target):
	began = time.monotonic()
	static_target.get("/fifo.txt")
	assert time.monotonic() - began < 1


def fields(r):
	return r.get("ETag"), r.get("Last-Modified")


def cond(target, headers, method="GET", path="/digits.txt"):
	return target.get(path, headers=headers, method=method)


DIGITS = b"0123456789" * 10


def test_validators(static_target):
	etag, modified = fields(static_target.get("/digits.txt"))
	assert re.match(r'^(W/)?"[^"]+"$', etag)
	assert email.utils.parsedate_to_datetime(modified)
	head = static_target.get("/digits.txt", method="HEAD")
	assert fields(head) == (etag, modified) and head.get("Content-Length") == "100"


@pytest.mark.bulkhead
def test_if_none_match(static_target):
	etag, modified = fields(static_target.get("/digits.txt"))
	bare = etag[2:] if etag.startswith("W/") else etag
	for value in (etag, '"nope", ' + etag, "*", "W/" + bare, '"a,b", W/%s' % bare):
		r = cond(static_target, "If-None-Match: %s\r\n" % value)
		assert (r.status, r.body) == (304, b""), (value, r)
		assert r.get("ETag") in (etag, "W/" + bare), r
		assert r.get("Content-Type") is None or r.get("Content-Length") in (None, "100"), r
	for value in ('"nope"', bare.strip('"'), bare[:-1], '""'):
		r = cond(static_target, "If-None-Match: %s\r\n" % value)
		assert (r.status, r.body) == (200, DIGITS), (value, r)
	# It wins over the date.
	assert cond(static_target, 'If-None-Match: "nope"\r\nIf-Modified-Since: %s\r\n' % modified).status == 200
	assert cond(static_target, "If-None-Match: %s\r\nIf-Modified-Since: Mon, 01 Jan 1990 00:00:00 GMT\r\n" % etag).status == 304
	assert cond(static_target, "If-None-Match: %s\r\n" % etag, method="HEAD").status == 304


def test_if_modified_since(static_target, peer):
	_, modified = fields(static_target.get("/digits.txt"))
	t = email.utils.parsedate_to_datetime(modified)
	forms = [modified, t.strftime("%A, %d-%b-%y %H:%M:%S GMT"), t.strftime("%a %b ") + "%2d" % t.day + t.strftime(" %H:%M:%S %Y")]
	for value in forms:
		r = cond(static_target, "If-Modified-Since: %s\r\n" % value)
		assert (r.status, r.body) == (304, b""), (value, r)
	for value in ("Mon, 01 Jan 1990 00:00:00 GMT", "rubbish", "Mon, 99 Jan 1990 00:00:00 GMT", ""):
		assert cond(static_target, "If-Modified-Since: %s\r\n" % value).status == 200, value


def test_if_match(static_target):
	etag, modified = fields(static_target.get("/digits.txt"))
	assert cond(static_target, 'If-Match: "nope"\r\n').status == 412
	assert cond(static_target, "If-Match: *\r\n").status == 200
	if not etag.startswith("W/"):
		assert cond(static_target, "If-Match: %s\r\n" % etag).status == 200
		assert cond(static_target, "If-Match: W/%s\r\n" % etag).status == 412, "If-Match compares strongly"
	assert cond(static_target, "If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT\r\n").status == 412
	assert cond(static_target, "If-Unmodified-Since: %s\r\n" % modified).status == 200
	assert cond(static_target, "If-Unmodified-Since: rubbish\r\n").status == 200


RANGES = [
	("bytes=0-4", DIGITS[0:5], "bytes 0-4/100"), ("bytes=95-", DIGITS[95:], "bytes 95-99/100"), ("bytes=-7", DIGITS[-7:], "bytes 93-99/100"),
	("bytes=0-0", DIGITS[:1], "bytes 0-0/100"), ("bytes=99-99", DIGITS[99:], "bytes 99-99/100"), ("bytes=10-5000", DIGITS[10:], "bytes 10-99/100"),
	("bytes=0-99999999999999999999999", DIGITS, "bytes 0-99/100"), ("bytes=-5000", DIGITS, "bytes 0-99/100"), ("BYTES=0-4", DIGITS[0:5], "bytes 0-4/100"),
]


@pytest.mark.parametrize("spec,body,content_range", RANGES, ids=[r[0] for r in RANGES])
def test_range(static_target, spec, body, content_range):
	r = cond(static_target, "Range: %s\r\n" % spec)
	if r.status == 200:  # a server may ignore a range that covers all, or a unit spelt otherwise
		assert r.body == DIGITS and (body == DIGITS or spec[0] == "B")
	else:
		assert (r.status, r.body, r.get("Content-Range")) == (206, body, content_range), r
		assert r.get("ETag")


@pytest.mark.parametrize("spec", ["bytes=5-4", "bytes=a-b", "bytes=", "bytes=--5", "items=0-4", "bytes 0-4", "bytes=1-2-3", "bytes=+1-5", "bytes=0x1-5"])
def test_range_invalid_is_ignored(static_target, spec):
	r = cond(static_target, "Range: %s\r\n" % spec)
	assert (r.status, r.body) in ((200, DIGITS), (416, r.body)), r


@pytest.mark.bulkhead
@pytest.mark.parametrize("spec", ["bytes=100-", "bytes=100-200", "bytes=99999999999999999999-", "bytes=-0"])
def test_range_unsatisfiable(static_target, spec):
	r = cond(static_target, "Range: %s\r\n" % spec)
	assert r.status == 416 and r.get("Content-Range") == "bytes */100", r


def parts_of(r):
	boundary = re.match(r'^multipart/byteranges; *boundary="?([^"]+)"?$', r.get("Content-Type")).group(1).encode()
	assert r.body.endswith(b"\r\n--" + boundary + b"--\r\n") or r.body.endswith(b"\r\n--" + boundary + b"--"), r.body[-80:]
	out = []
	for part in r.body.split(b"--" + boundary)[1:-1]:
		head, body = part[2:].split(b"\r\n\r\n", 1)
		out.append((re.search(rb"(?i)content-range: *(.*)", head).group(1).strip().decode(), body[:-2]))
	return out


@pytest.mark.bulkhead
def test_range_multipart(static_target):
	r = cond(static_target, "Range: bytes=0-4, 50-59,-3\r\n")
	assert r.status == 206, r
	assert parts_of(r) == [("bytes 0-4/100", DIGITS[0:5]), ("bytes 50-59/100", DIGITS[50:60]), ("bytes 97-99/100", DIGITS[97:])]
	assert r.get("Content-Range") is None


def test_range_multipart_some_unsatisfiable(static_target):
	r = cond(static_target, "Range: bytes=0-4,500-600\r\n")
	assert r.status == 206 and (r.body == DIGITS[:5] or parts_of(r) == [("bytes 0-4/100", DIGITS[:5])]), r


def test_range_bounded(static_target):
	"""Many ranges, or overlapping ones, never multiply the answer."""
	for spec in (",".join("%d-%d" % (i, i) for i in range(0, 2000, 2)), ",".join(["0-"] * 500), ",".join("0-%d" % i for i in range(1000))):
		r = cond(static_target, "Range: bytes=%s\r\n" % spec[:7000].rstrip(",-"), path="/blob.bin")
		assert r.status in (200, 206, 416) and len(r.body) < 3 * 256 * 16384, (r.status, len(r.body))


def test_range_get_only(static_target):
	r = cond(static_target, "Range: bytes=0-4\r\n", method="HEAD")
	assert r.status in (200, 206) and r.body == b""


def test_if_range(static_target):
	etag, modified = fields(static_target.get("/digits.txt"))
	if not etag.startswith("W/"):
		assert cond(static_target, "Range: bytes=0-4\r\nIf-Range: %s\r\n" % etag).status == 206
		assert cond(static_target, "Range: bytes=0-4\r\nIf-Range: W/%s\r\n" % etag).status == 200, "If-Range compares strongly"
	for value in ('"nope"', "Mon, 01 Jan 1990 00:00:00 GMT", "rubbish"):
		r = cond(static_target, "Range: bytes=0-4\r\nIf-Range: %s\r\n" % value)
		assert (r.status, r.body) == (200, DIGITS), (value, r)


def test_range_before_conditions(static_target):
	etag, _ = fields(static_target.get("/digits.txt"))
	assert cond(static_target, "Range: bytes=0-4\r\nIf-None-Match: %s\r\n" % etag).status == 304
	assert cond(static_target, 'Range: bytes=0-4\r\nIf-Match: "nope"\r\n').status == 412


def test_changed_file_has_another_tag(static_target, docroot):
	path = os.path.join(docroot, "changing.txt")
	with open(path, "w") as f:
		f.write("one\n")
	a = static_target.get("/changing.txt")
	with open(path, "w") as f:
		f.write("three\n")
	time.sleep(0.3)  # the time that OpenFileCache may go on believing the old one
	b = static_target.get("/changing.txt")
	assert (a.body, b.body) == (b"one\n", b"three\n")
	assert a.get("ETag") != b.get("ETag")


def test_charset_default_absent(static_target):
	"""Without AddDefaultCharset no charset is claimed for a file."""
	assert "charset" not in (static_target.get("/page.html").get("Content-Type") or "")


def test_long_listing(static_target, docroot):
	"""Records of a directory have different lengths, and more of them than one read of the kernel gives."""
	d = os.path.join(docroot, "listing/long")
	os.makedirs(d)
	names = ["%0*d" % (1 + i % 200, i) for i in range(3000)]
	for n in names:
		open(os.path.join(d, n), "w").close()
	shown = re.findall(rb'href="\./([^"]*)"', static_target.get("/listing/long/").body)
	assert shown == sorted(n.encode() for n in set(names))


def test_replaced_document_root_is_seen(here, fleet):
	"""A deployment that moves a symbolic link: the new tree answers within two seconds, without a reload."""
	for name in ("one", "two"):
		os.makedirs(here + "/" + name)
		with open(here + "/" + name + "/v.txt", "w") as f:
			f.write(name)
	os.symlink("one", here + "/current")
	conf = ('<VirtualHost *>\n    ServerName swap.test\n    DocumentRoot "%s/current"\n    Alias /file.txt "%s/two/v.txt"\n</VirtualHost>\n'
		'<Directory />\n    Require all granted\n</Directory>\n' % (here, here))
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	assert bh.get("swap.test", "/v.txt").body == b"one"
	assert bh.get("swap.test", "/file.txt").body == b"two"
	os.symlink("two", here + "/next")
	os.rename(here + "/next", here + "/current")
	proc.wait_for(lambda: bh.get("swap.test", "/v.txt").body == b"two", 2, 0.1, why="the new document root is used")
	assert bh.get("swap.test", "/file.txt").body == b"two"
	assert bh.get("swap.test", "/file.txt/x").status == 404


def test_document_root_that_a_tenant_made_a_link(here, fleet):
	"""Who owns the directory above his document root may replace it, but not by another site's: what that denies stays denied."""
	if not proc.ROOT:
		pytest.skip("as an ordinary user everything is one user's")
	for name in ("shop/htdocs", "other/htdocs/private"):
		os.makedirs(here + "/" + name)
	for path, text in (("shop/htdocs/v.txt", "own"), ("other/htdocs/private/v.txt", "denied")):
		servers.write(here + "/" + path, text)
	for path in ("shop", "shop/htdocs"):
		os.chown(here + "/" + path, *servers.site_ids())
	conf = ('<VirtualHost *>\n    ServerName shop.test\n    DocumentRoot "%s/shop/htdocs"\n    Alias /al "%s/shop/htdocs/"\n</VirtualHost>\n'
		'<VirtualHost *>\n    ServerName other.test\n    DocumentRoot "%s/other/htdocs"\n</VirtualHost>\n<Directory />\n    Require all granted\n</Directory>\n'
		'<Directory "%s/other/htdocs/private">\n    Require all denied\n</Directory>\n' % (here, here, here, here))
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	assert bh.get("shop.test", "/v.txt").body == b"own"
	assert bh.get("other.test", "/private/v.txt").status == 403
	os.rename(here + "/shop/htdocs", here + "/shop/real")

	def link(target):
		os.symlink(target, here + "/shop/next")
		os.chown(here + "/shop/next", *servers.site_ids(), follow_symlinks=False)
		os.rename(here + "/shop/next", here + "/shop/htdocs")
	for target in (here + "/other/htdocs/private", "../other/htdocs/private"):
		link(target)
		for path in ("/v.txt", "/al/v.txt"):
			proc.wait_for(lambda: bh.get("shop.test", path).status == 403, 3, 0.1, why="the other's tree is refused")
	link("real")
	proc.wait_for(lambda: bh.get("shop.test", "/v.txt").body == b"own", 3, 0.1, why="his own is not")
