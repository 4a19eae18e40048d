# SPDX-License-Identifier: Apache-2.0
"""How files and directories are answered: the open-file cache, precompressed neighbours, validators, types by several
extensions, listings, DirectorySlash, FallbackResource. One server for all, on the static and on both PHP paths."""
import gzip
import html.parser
import os
import re
import subprocess
import threading
import time

import proc
import pytest
import rawhttp
import servers
import site_conf

pytestmark = pytest.mark.bulkhead

SEEN = 0.35  # after this a change must be seen: OpenFileCache's age of a quarter of a second, and some
OLD = time.time() - 86400


def put(root, name, text, age=OLD):
	path = os.path.join(root, name)
	os.makedirs(os.path.dirname(path), exist_ok=True)
	with open(path, "wb") as f:
		f.write(text if isinstance(text, bytes) else text.encode())
	os.chmod(path, 0o644)
	os.utime(path, (age, age))
	return path


@pytest.fixture(scope="module")
def root(tmp):
	root = tmp + "/files-root"
	os.makedirs(root)
	big = bytes(range(256)) * 600  # 150 KB
	for name, text in {
		"pre/a.js": "var a;\n" * 40, "pre/only.css": "p{}\n", "pre/stale.js": "new\n", "pre/denied.js": "plain\n", "pre/big.bin": big,
		"pre/index.html": "<p>index</p>\n", "pre/both.tar": "tar\n", "pre/br.txt": "br only\n", "pre/fifo.txt": "plain\n", "pre/dir.txt": "plain\n",
		"etag/x.txt": "0123456789", "etag/none/x.txt": "0123456789", "etag/inode/x.txt": "0123456789", "etag/size/x.txt": "0123456789",
		"mime/a.html.de.utf8": "x\n", "mime/a.html.gz": b"x\n", "mime/b.en.html": "x\n", "mime/own.xyz": "x\n", "mime/own.what": "x\n",
		"list/b10.txt": "x" * 10, "list/b9.txt": "x" * 2000, "list/A.txt": "x", "list/sub/x": "", "list/.hidden": "x", "list/x.bak": "x",
		"list/HEADER.html": "<em>above</em>", "list/README.txt": "<below>", "list/secret.key": "x",
		"plainlist/one.txt": "x", "noslash/index.html": "x\n",
		"front/index.php": "<?php header('Content-Type: text/plain'); foreach (['REQUEST_URI', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'PHP_SELF', 'REQUEST_METHOD', 'SCRIPT_FILENAME'] "
			"as $k) echo $k, '=', $_SERVER[$k] ?? '(none)', \"\\n\"; echo 'body=', file_get_contents('php://input'), \"\\n\";",
		"front/real.txt": "real\n", "front/off/real.txt": "x\n", "front/static/index.html": "x\n", "app.html": "single page\n", "spa/x.txt": "x\n",
		"index/second.html": "second\n", "index/far/x.txt": "x", "index/off/index.html": "x\n", "shared/any.html": "from afar\n",
		"cache/page.txt": "one\n", "cache/big.bin": big, "hits/1k.bin": "k" * 1024,
	}.items():
		put(root, name, text)
	for name in ("a.js", "stale.js", "denied.js", "big.bin", "index.html", "both.tar"):
		path = os.path.join(root, "pre", name)
		with open(path, "rb") as f:
			put(root, "pre/%s.gz" % name, gzip.compress(f.read()))
		put(root, "pre/%s.br" % name, "brotli of " + name)  # whether it decodes is the client's affair
	put(root, "pre/br.txt.br", "brotli of br.txt")
	for ext in ("gz", "br"):
		os.utime(os.path.join(root, "pre/stale.js." + ext), (OLD - 100, OLD - 100))
		os.mkfifo(os.path.join(root, "pre/fifo.txt." + ext))
		os.mkdir(os.path.join(root, "pre/dir.txt." + ext))
	odd = os.path.join(root, "list").encode() + b"/"
	for name in (b"<b>&'\".txt", b"\xff\xfe.txt", b"new\nline", b"a:b", b"%41?#"):
		with open(odd + name, "wb"):
			pass
	os.symlink("b9.txt", root + "/list/link.txt")
	os.symlink("nowhere", root + "/list/dangling.txt")
	os.mkfifo(root + "/list/pipe")
	return root


CONF = """
<Directory "{root}">
    Require all granted
    DirectoryIndex index.html index.php
</Directory>
<Directory "{root}/pre">
    PrecompressedFiles On
    <Files "denied.js.*">
        Require all denied
    </Files>
    AddEncoding x-own .tar
</Directory>
<Directory "{root}/etag/none">
    FileETag None
</Directory>
<Directory "{root}/etag/inode">
    FileETag +INode
</Directory>
<Directory "{root}/etag/size">
    FileETag Size
</Directory>
<Directory "{root}/mime">
    AddLanguage de .de
    AddLanguage en .en
    AddCharset UTF-8 .utf8
    AddEncoding x-gzip .gz
    AddType text/x-own .xyz
    DefaultLanguage fr
</Directory>
<Directory "{root}/list">
    Options +Indexes
    IndexOptions FoldersFirst VersionSort
    IndexIgnore *.bak HEADER* README*
    HeaderName HEADER.html
    ReadmeName README.txt
    AddDescription "the <tenth>" b10.txt
    <Files "*.key">
        Require all denied
    </Files>
</Directory>
<Directory "{root}/plainlist">
    Options +Indexes
    IndexOptions SuppressSize SuppressLastModified SuppressColumnSorting
</Directory>
<Directory "{root}/noslash">
    DirectorySlash Off
</Directory>
<Directory "{root}/front">
    FallbackResource /front/index.php
</Directory>
<Directory "{root}/front/off">
    FallbackResource disabled
</Directory>
<Directory "{root}/index">
    DirectoryIndex none.html
    DirectoryIndex second.html /shared/any.html
</Directory>
<Directory "{root}/index/off">
    DirectoryIndex disabled
</Directory>
<Directory "{root}/spa">
    FallbackResource /app.html
</Directory>
"""


@pytest.fixture(scope="module")
def server(tmp, module_fleet, root, ini, fpm):
	conf = ("Protocols h2c http/1.1\n" + CONF.format(root=root) + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("worker.test", root, "fpm")
		+ site_conf.prefork_vhost("shared.test", root, "shared", ini))
	return module_fleet.start(servers.Bulkhead(tmp + "/files", conf))


@pytest.fixture
def get(server):
	def f(path, headers="", **k):
		return server.get("worker.test", path, headers=headers, **k)
	return f


# --- precompressed neighbours -------------------------------------------------------------------------------------------

CODINGS = [
	("", None), ("gzip", "gzip"), ("br", "br"), ("gzip, deflate, br", "br"), ("br;q=0.1, gzip", "gzip"), ("gzip;q=0", None), ("identity", None),
	("*", "br"), ("*;q=0", None), ("br;q=0, *;q=0.5", "gzip"), ("GZIP", "gzip"), ("gzip;q=2", None), ("deflate", None),
]


@pytest.mark.parametrize("accept,coding", CODINGS, ids=[c[0] or "none" for c in CODINGS])
def test_precompressed(get, accept, coding):
	r = get("/pre/a.js", "Accept-Encoding: %s\r\n" % accept if accept else "")
	assert r.status == 200 and r.get("Content-Encoding") == coding, r
	assert r.get("Vary") == "Accept-Encoding", "also of the one that is not compressed"
	assert re.match("(text|application)/javascript", r.get("Content-Type"))
	body = gzip.decompress(r.body) if coding == "gzip" else r.body
	assert body == (b"brotli of a.js" if coding == "br" else b"var a;\n" * 40)


def test_precompressed_in_two_lines(get):
	assert get("/pre/a.js", "Accept-Encoding: br;q=0\r\nAccept-Encoding: gzip\r\n").get("Content-Encoding") == "gzip"


def test_precompressed_tags_differ(get):
	tags = [get("/pre/a.js", "Accept-Encoding: %s\r\n" % a).get("ETag") for a in ("identity", "gzip", "br")]
	assert len(set(tags)) == 3 and not any(t.startswith("W/") for t in tags), tags
	for accept, tag in zip(("identity", "gzip", "br"), tags):
		r = get("/pre/a.js", "Accept-Encoding: %s\r\nIf-None-Match: %s\r\n" % (accept, tag))
		assert (r.status, r.get("ETag"), r.get("Vary")) == (304, tag, "Accept-Encoding"), r
		other = tags[(tags.index(tag) + 1) % 3]
		assert get("/pre/a.js", "Accept-Encoding: %s\r\nIf-None-Match: %s\r\n" % (accept, other)).status == 200


def test_precompressed_range_and_head(get):
	r = get("/pre/a.js", "Accept-Encoding: br\r\nRange: bytes=0-5\r\n")
	assert (r.status, r.body, r.get("Content-Encoding"), r.get("Content-Range")) == (206, b"brotli", "br", "bytes 0-5/14"), r
	r = get("/pre/a.js", "Accept-Encoding: br\r\n", method="HEAD")
	assert (r.status, r.get("Content-Length"), r.get("Content-Encoding")) == (200, "14", "br")
	r = get("/pre/big.bin", "Range: bytes=100000-100003, 0-1\r\n")
	assert r.status == 206 and r.get("Content-Encoding") is None and r.get("Vary") == "Accept-Encoding"


@pytest.mark.parametrize("path,body", [("only.css", b"p{}\n"), ("stale.js", b"new\n"), ("denied.js", b"plain\n"), ("fifo.txt", b"plain\n"), ("dir.txt", b"plain\n")])
def test_no_neighbour_to_send(get, path, body):
	"""None there, older than the file, denied, no regular file: the file itself, and no Vary since there is no choice."""
	r = get("/pre/" + path, "Accept-Encoding: gzip, br\r\n")
	assert (r.status, r.body, r.get("Content-Encoding"), r.get("Vary")) == (200, body, None, None), r


def test_neighbour_of_one_coding(get):
	assert get("/pre/br.txt", "Accept-Encoding: gzip\r\n").body == b"br only\n"
	assert get("/pre/br.txt", "Accept-Encoding: br\r\n").body == b"brotli of br.txt"


def test_neighbour_of_an_index_file_and_of_a_coded_one(get):
	assert get("/pre/", "Accept-Encoding: br\r\n").body == b"brotli of index.html"
	assert get("/pre/both.tar", "Accept-Encoding: br\r\n").get("Content-Encoding") == "x-own, br"


def test_off_when_not_asked_for(get, root):
	put(root, "cache/page.txt.gz", gzip.compress(b"x"))
	r = get("/cache/page.txt", "Accept-Encoding: gzip\r\n")
	assert (r.body, r.get("Vary")) == (b"one\n", None)


# --- validators and types ---------------------------------------------------------------------------------------------------

def test_file_etag(get, root):
	inode = "%x" % os.stat(root + "/etag/inode/x.txt").st_ino
	assert re.match('^"a-[0-9a-f]+"$', get("/etag/x.txt").get("ETag"))
	assert get("/etag/size/x.txt").get("ETag") == '"a"'
	assert re.match('^"%s-a-[0-9a-f]+"$' % inode, get("/etag/inode/x.txt").get("ETag"))
	r = get("/etag/none/x.txt")
	assert r.get("ETag") is None and r.get("Last-Modified")
	assert get("/etag/none/x.txt", "If-None-Match: *\r\n").status == 304
	assert get("/etag/none/x.txt", 'If-None-Match: ""\r\n').status == 200
	assert get("/etag/none/x.txt", "If-Modified-Since: %s\r\n" % r.get("Last-Modified")).status == 304
	assert get("/etag/none/x.txt", "Range: bytes=0-1\r\nIf-Range: %s\r\n" % r.get("Last-Modified")).body == b"01"


def test_tag_of_a_file_written_just_now_is_weak(get, root):
	put(root, "etag/now.txt", "x", time.time() + 5)
	r = get("/etag/now.txt")
	assert r.get("ETag").startswith('W/"')
	assert get("/etag/now.txt", "If-None-Match: %s\r\n" % r.get("ETag")).status == 304
	assert get("/etag/now.txt", "Range: bytes=0-0\r\nIf-Range: %s\r\n" % r.get("ETag")).status == 200


@pytest.mark.parametrize("name,ctype,language,encoding", [
	("a.html.de.utf8", "text/html; charset=UTF-8", "de", None), ("b.en.html", "text/html", "en", None), ("own.xyz", "text/x-own", "fr", None),
	("own.what", None, "fr", None), ("a.html.gz", "application/gzip", "fr", "x-gzip")])
def test_several_extensions(get, name, ctype, language, encoding):
	r = get("/mime/" + name)
	assert (r.status, r.get("Content-Type"), r.get("Content-Language"), r.get("Content-Encoding")) == (200, ctype, language, encoding), r


# --- the cache ------------------------------------------------------------------------------------------------------------------

def soon(f, want, within=2.0):
	"""Ask until the answer is the wanted one; how long that took."""
	began = time.monotonic()
	while True:
		got = f()
		if got == want:
			return time.monotonic() - began
		assert time.monotonic() - began < within, (got, want)
		time.sleep(0.02)


def replace(root, name, text):
	put(root, name + ".new", text, time.time())
	os.rename(os.path.join(root, name + ".new"), os.path.join(root, name))


@pytest.mark.parametrize("how", ["in place", "renamed", "same size and time"])
def test_change_is_seen(get, root, how):
	name = "cache/page-%s.txt" % how[0]
	put(root, name, "one\n")
	for _ in range(3):
		assert get("/" + name).body == b"one\n"
	if how == "renamed":
		replace(root, name, "two\n")
	else:
		put(root, name, "two\n", OLD if how[0] == "s" else time.time())
	time.sleep(SEEN)
	assert get("/" + name).body == b"two\n"


def test_change_of_a_large_file_is_seen_at_once(get, root):
	put(root, "cache/large.bin", b"a" * 200000)
	assert get("/cache/large.bin").body == b"a" * 200000
	put(root, "cache/large.bin", b"b" * 100000)
	assert get("/cache/large.bin").body == b"b" * 100000


def test_removed_and_made_again(get, root):
	put(root, "cache/gone.txt", "there\n")
	assert get("/cache/gone.txt").status == 200
	os.unlink(root + "/cache/gone.txt")
	soon(lambda: get("/cache/gone.txt").status, 404)
	time.sleep(0.3)  # every loop has forgotten it
	assert get("/cache/gone.txt").status == 404
	put(root, "cache/gone.txt", "again\n")
	assert get("/cache/gone.txt").body == b"again\n", "what is not there is not remembered"


def test_mode_and_link_changes_are_seen(get, root):
	if not proc.ROOT:
		pytest.skip("as an ordinary user the front owns the file")
	path = put(root, "cache/mode.txt", "open\n")
	assert get("/cache/mode.txt").status == 200
	os.chmod(path, 0)
	time.sleep(SEEN)
	assert get("/cache/mode.txt").status == 403
	os.chmod(path, 0o644)
	time.sleep(SEEN)
	assert get("/cache/mode.txt").status == 200
	os.unlink(path)
	os.symlink("/etc/passwd", path)
	os.chown(path, *servers.site_ids(), follow_symlinks=False)
	time.sleep(SEEN)
	r = get("/cache/mode.txt")
	assert r.status in (403, 404) and b"root:" not in r.body


def test_never_two_versions_in_one_answer(get, root):
	"""While a file is replaced by others of other lengths again and again, every answer is one of them, whole."""
	versions = {b"%d" % i * n for i, n in enumerate((10, 3000, 60000, 150000))}
	stop = threading.Event()
	put(root, "cache/busy.bin", next(iter(versions)))

	def churn():
		i = 0
		while not stop.wait(0.01):
			replace(root, "cache/busy.bin", sorted(versions)[i % len(versions)])
			i += 1
	t = threading.Thread(target=churn)
	t.start()
	try:
		until = time.monotonic() + 1.5
		seen = set()
		while time.monotonic() < until:
			r = get("/cache/busy.bin")
			assert r.status == 200 and r.body in versions, (r.status, len(r.body))
			seen.add(len(r.body))
		assert len(seen) > 1
	finally:
		stop.set()
		t.join()


def test_truncated_while_it_is_sent(server, root):
	"""The file loses its end after the head is out: the client sees a cut, not octets that are not there."""
	put(root, "cache/cut.bin", b"x" * 8000000)
	with rawhttp.Conn(server.addr) as c:
		c.send(b"GET /cache/cut.bin HTTP/1.1\r\nHost: worker.test\r\n\r\n")
		time.sleep(0.2)
		os.truncate(root + "/cache/cut.bin", 1000)
		data = b""
		while True:
			piece = c.s.recv(65536)
			if not piece:
				break
			data += piece
	assert len(data) < 8000000
	assert server.get("worker.test", "/cache/cut.bin").body == b"x" * 1000


def test_more_files_than_are_remembered(tmp, fleet, root, fpm):
	"""A tiny cache: every answer is right, descriptors stay bounded, and a reload of nothing is needed."""
	for i in range(40):
		put(root, "many/%d.txt" % i, "file %d\n" % i)
		put(root, "many/%d.bin" % i, b"%02d" % i * 20000)
	conf = ("OpenFileCache max=8 memory=40K age=5 missing=4\nThreadsPerChild 1\n" + CONF.format(root=root) + site_conf.pool("fpm", fpm.server())
		+ site_conf.worker_vhost("worker.test", root, "fpm"))
	s = fleet.start(servers.Bulkhead(tmp + "/files-tiny", conf, loops=None))
	front = s.processes()[0][0]
	before = len(os.listdir("/proc/%d/fd" % front))
	for turn in range(2):
		for i in range(40):
			assert s.get("worker.test", "/many/%d.txt" % i).body == b"file %d\n" % i
			assert s.get("worker.test", "/many/%d.bin" % i).body == b"%02d" % i * 20000
			assert s.get("worker.test", "/many/%d.none" % i).status == 404
	assert len(os.listdir("/proc/%d/fd" % front)) <= before + 12
	# With missing= what was not there stays so until it is old; another one is there at once.
	put(root, "many/39.none", "now\n")
	assert s.get("worker.test", "/many/39.none").status == 404
	put(root, "many/40.none", "now\n")
	assert s.get("worker.test", "/many/40.none").status == 200


def test_off(tmp, fleet, root, fpm):
	conf = "OpenFileCache Off\n" + CONF.format(root=root) + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("worker.test", root, "fpm")
	s = fleet.start(servers.Bulkhead(tmp + "/files-off", conf))
	for text in ("one\n", "two\n", "three\n"):
		put(root, "cache/off.txt", text, time.time())
		assert s.get("worker.test", "/cache/off.txt").body == text.encode()
	assert s.get("worker.test", "/pre/a.js", headers="Accept-Encoding: br\r\n").body == b"brotli of a.js"
	assert s.get("worker.test", "/cache/big.bin", headers="Range: bytes=0-1,100000-100001\r\n").status == 206


def test_over_http2(server, root):
	"""The same entries, large files by their open descriptor, serve HTTP/2. One URL for each curl: 7.88 cannot use such a connection twice."""
	with open(root + "/cache/big.bin", "rb") as f:
		big = f.read()
	base = "http://worker.test:%d" % server.port
	curl = ["curl", "-sS", "--http2-prior-knowledge", "--resolve", "worker.test:%d:127.0.0.1" % server.port]
	def ask(*a):
		return subprocess.run(curl + list(a), stdout=subprocess.PIPE, check=True, timeout=20).stdout
	for _ in range(2):
		assert ask(base + "/cache/big.bin") == big
		assert ask("-r", "100000-", base + "/cache/big.bin") == big[100000:]
		assert ask("-H", "Accept-Encoding: br", base + "/pre/a.js") == b"brotli of a.js"
		head = ask("-I", base + "/cache/big.bin").decode()
		assert head.startswith("HTTP/2 200") and "content-length: %d" % len(big) in head.lower()


# --- listings ---------------------------------------------------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
	def __init__(self, text):
		super().__init__()
		self.links, self.heads, self.tags = [], [], []
		self.feed(text)

	def handle_starttag(self, tag, attrs):
		self.tags.append(tag)
		a = dict(attrs)
		if tag == "a":
			(self.heads if a["href"].startswith("?") else self.links).append(a["href"])


def names(get, query=""):
	r = get("/list/" + query)
	assert r.status == 200 and r.get("Content-Type") == "text/html; charset=utf-8"
	page = Page(r.body.decode("utf-8", "replace"))
	return [u[2:] for u in page.links if u.startswith("./")], page, r


def test_listing(get):
	shown, page, r = names(get)
	assert shown[0] == "sub/", "folders first"
	assert set(shown) == {"sub/", "A.txt", "b9.txt", "b10.txt", "link.txt", "%3Cb%3E&'%22.txt", "%FF%FE.txt", "new%0Aline", "a:b", "%2541%3F%23"}, shown
	assert shown.index("b9.txt") < shown.index("b10.txt"), "VersionSort"
	assert page.links[0] == "../"
	assert "b" not in page.tags, "names are text"
	text = r.body.decode("utf-8", "replace")
	assert "<em>above</em>" in text and "&lt;below&gt;" in text and "the &lt;tenth&gt;" in text
	assert "prefers-color-scheme" in text and ">2.0 KB<" in text and "1 B" in text
	assert len(page.heads) == 4


def test_listing_links_work(get):
	for name in names(get)[0]:
		r = get("/list/" + name)
		assert r.status == 200, (name, r)


def test_listing_sorted(get):
	sizes = names(get, "?C=S;O=D")[0]
	assert sizes[0] == "sub/" and sizes[1:3] == ["link.txt", "b9.txt"], sizes
	back = names(get, "?C=N;O=D")[0]
	assert back[1:] == names(get)[0][:0:-1]
	assert names(get, "?C=%3Cscript%3E;O=X&foo=<script>")[0] == names(get)[0]


def test_listing_methods(get):
	r = get("/list/", method="HEAD")
	assert r.status == 200 and int(r.get("Content-Length")) > 1000 and not r.body
	assert get("/list/", method="POST").status == 405
	r = get("/list")
	assert r.status == 301


def test_listing_without_columns(get):
	r = get("/plainlist/")
	page = Page(r.body.decode())
	assert page.links == ["../", "./one.txt"] and not page.heads and "time" not in page.tags and "Size" not in r.body.decode()


def test_listing_is_bounded(get, root):
	os.makedirs(root + "/list/huge")
	for i in range(5200):
		os.close(os.open("%s/list/huge/%05d" % (root, i), os.O_CREAT, 0o644))
	r = get("/list/huge/")
	assert r.status == 200 and r.body.count(b"<tr>") <= 5002 and b"first 5000" in r.body


# --- directories and what is not there ------------------------------------------------------------------------------------------------

def test_directory_slash_off(get):
	assert get("/noslash/").status == 200
	assert get("/noslash").status == 404
	assert get("/etag").status == 301


def test_directory_index(get):
	assert get("/index/").body == b"second\n"
	r = get("/index/far/")
	assert (r.status, r.body) == (200, b"from afar\n") and r.get("Content-Type").startswith("text/html")
	assert get("/index/far/", "If-None-Match: %s\r\n" % r.get("ETag")).status == 304
	assert get("/index/off/").status == 403 and get("/index/off/index.html").status == 200


@pytest.mark.parametrize("host", ["worker.test", "shared.test"])
def test_front_controller(server, host):
	def ask(path, **k):
		r = server.get(host, path, **k)
		assert r.status == 200, r
		return dict(line.split("=", 1) for line in r.body.decode().splitlines())
	got = ask("/front/blog/2024/my%20post?page=2")
	assert got["REQUEST_URI"] == "/front/blog/2024/my%20post?page=2"
	assert got["SCRIPT_NAME"] == got["PHP_SELF"] == "/front/index.php" and got["SCRIPT_FILENAME"].endswith("/front/index.php")
	assert got["PATH_INFO"] in ("(none)", "") and got["QUERY_STRING"] == "page=2"
	got = ask("/front/api/x", method="POST", body=b"a=1")
	assert (got["REQUEST_METHOD"], got["body"]) == ("POST", "a=1")
	assert ask("/front/index.php/some/info")["PATH_INFO"] == "/some/info"
	# What is there is served, what may not be seen stays so, a missing script is no page of the front controller.
	assert server.get(host, "/front/real.txt").body == b"real\n"
	assert server.get(host, "/front/static").status == 301
	assert server.get(host, "/front/.git/config").status in (403, 404)
	assert server.get(host, "/front/none.php").status == 404
	assert server.get(host, "/front/off/none").status == 404


def test_fallback_to_a_file(get):
	r = get("/spa/any/where?x=1")
	assert (r.status, r.body) == (200, b"single page\n") and r.get("Content-Type").startswith("text/html")
	assert get("/spa/any", "If-None-Match: %s\r\n" % r.get("ETag")).status == 304
	assert get("/spa/any", method="POST", body=b"x").status == 405
	assert get("/spa/x.txt").body == b"x\n"


# --- large files --------------------------------------------------------------------------------------------------------------------------

def test_ranges_past_four_gigabytes(get, root):
	path = root + "/cache/huge.bin"
	with open(path, "wb") as f:
		f.truncate(5 * 2**30)
		f.seek(2**32 + 5)
		f.write(b"far")
	os.chmod(path, 0o644)
	os.utime(path, (OLD, OLD))
	size = 5 * 2**30
	assert get("/cache/huge.bin", method="HEAD").get("Content-Length") == str(size)
	r = get("/cache/huge.bin", "Range: bytes=%d-%d\r\n" % (2**32 + 5, 2**32 + 7))
	assert (r.status, r.body, r.get("Content-Range")) == (206, b"far", "bytes %d-%d/%d" % (2**32 + 5, 2**32 + 7, size))
	r = get("/cache/huge.bin", "Range: bytes=%d-\r\n" % (size - 20000))
	assert r.status == 206 and r.body == b"\0" * 20000
	r = get("/cache/huge.bin", "Range: bytes=0-0,%d-%d\r\n" % (2**32 + 5, 2**32 + 7))
	assert r.status == 206 and b"far" in r.body
	assert get("/cache/huge.bin", "Range: bytes=%d-\r\n" % size).status == 416
