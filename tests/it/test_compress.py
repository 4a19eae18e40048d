# SPDX-License-Identifier: Apache-2.0
"""Compression on the fly: what is compressed, for whom, in which framing, and that streams stay streams."""
import gzip
import os
import random
import subprocess
import time
import zlib

import pytest

import conftest
import proc
import rawhttp
import servers
from edits import Edits

pytestmark = pytest.mark.bulkhead

random.seed(1)
TEXT = "".join(random.choice("abcdefgh ijklmnop\n") for _ in range(20000))
BIG = "".join(random.choice(["alpha ", "beta ", "gamma\n", "delta "]) for _ in range(400000))  # about 2.4 MB
FILES = {
	"page.html": "<p>" + TEXT, "big.txt": BIG, "tiny.txt": "tiny\n", "zeros.txt": b"0" * 3000000, "pic.png": b"\x89PNG" + TEXT.encode(), "style.css": TEXT,
	"plain/page.html": TEXT, "suffix/page.html": TEXT, "empty.txt": "",
	"text.php": "<?php header('Content-Type: text/plain'); if (isset($_GET['h'])) header($_GET['h']); if (isset($_GET['c'])) http_response_code((int)$_GET['c']);"
		" $n = (int)($_GET['n'] ?? 5000); for ($i = 0; $i < $n; $i++) echo \"line $i\\n\";",
	"length.php": "<?php header('Content-Type: text/plain'); header('Content-Length: ' . $_GET['l']); echo str_repeat('x', (int)$_GET['n']); if (isset($_GET['f'])) { flush(); usleep(300000); echo 'more'; }",
	"sse.php": "<?php header('Content-Type: text/event-stream'); for ($i = 0; $i < 5; $i++) { echo 'data: ', microtime(true), \"\\n\\n\"; flush(); usleep(150000); }",
	"hints.php": "<?php header('HTTP/1.1 103 Early Hints'); header('Link: </a.css>; rel=preload; as=style'); flush(); usleep(50000); header('X-Later: 1'); echo 'page';",
	"image.php": "<?php header('Content-Type: image/png'); echo str_repeat('x', 5000);",
	"own.php": "<?php header('Content-Type: text/plain'); header('Content-Encoding: gzip'); echo gzencode(str_repeat('own ', 1000));",
	"dies.php": "<?php header('Content-Type: text/plain'); echo str_repeat('x', 100000); flush(); usleep(100000);"
		" function deeper() { array_map('deeper', [1]); } ini_set('memory_limit', '-1'); deeper();",  # a real SIGSEGV
	"etag.php": "<?php header('Content-Type: text/plain'); header('ETag: \"v1\"'); if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === '\"v1\"') { http_response_code(304); exit; } echo str_repeat('x', 5000);",
}
LINES = """
    AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/html text/plain text/css text/event-stream
    AddType image/png .png
    <Location "/plain">
        SetEnv no-gzip 1
        SetEnv no-brotli 1
    </Location>
    <Location "/none">
        SetOutputFilter NONE
    </Location>
"""
SUFFIX = "    DeflateAlterETag AddSuffix\n    BrotliAlterETag AddSuffix\n"
GZ = "Accept-Encoding: gzip\r\n"


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	return Edits(tmp + "/compress", module_fleet, fpm, ini, FILES, LINES)


@pytest.fixture(params=["fresh", "worker"])
def host(request):
	return request.param


def unzip(r):
	assert r.get("Content-Encoding") == "gzip", r
	return gzip.decompress(r.body)


def is_plain(r):
	return r.get("Content-Encoding") is None


def test_file(site):
	r = site.get("/page.html", GZ)
	assert unzip(r) == ("<p>" + TEXT).encode() and r.get("Vary") == "Accept-Encoding"
	assert r.framing == "length" and len(r.body) < len(TEXT) * 0.7 and r.get("Accept-Ranges") is None
	r = site.get("/page.html")
	assert is_plain(r) and r.get("Vary") == "Accept-Encoding" and r.body == ("<p>" + TEXT).encode()
	assert r.get("Accept-Ranges") == "bytes"


def test_large_file_streams(site):
	r = site.get("/big.txt", GZ)
	assert unzip(r) == BIG.encode() and r.framing == "chunked"
	assert unzip(site.get("/zeros.txt", GZ)) == b"0" * 3000000
	# HTTP/1.0 has no chunks
	r = rawhttp.request(site.addr, b"GET /big.txt HTTP/1.0\r\nHost: fresh.test\r\nAccept-Encoding: gzip\r\n\r\n")
	assert unzip(r) == BIG.encode() and r.framing == "close"


def test_connection_is_kept(site):
	with rawhttp.Conn(site.addr) as c:
		for path in ("/big.txt", "/page.html", "/text.php?n=9000", "/tiny.txt", "/big.txt"):
			c.send(("GET %s HTTP/1.1\r\nHost: fresh.test\r\n%s\r\n" % (path, GZ)).encode())
			assert c.response().status == 200


def test_brotli(site):
	r = site.get("/page.html", "Accept-Encoding: gzip, br\r\n")
	conftest.need(r.get("Content-Encoding") == "br", "built without Brotli")
	assert len(r.body) < len(site.get("/page.html", GZ).body)
	curl = servers.tool("curl")
	conftest.need(curl and b"brotli" in subprocess.run([curl, "-V"], stdout=subprocess.PIPE).stdout, "no curl with Brotli")
	for path, want in (("/page.html", "<p>" + TEXT), ("/big.txt", BIG), ("/text.php?n=5000", "".join("line %d\n" % i for i in range(5000)))):
		out = subprocess.run([curl, "-s", "-S", "--compressed", "-H", "Host: fresh.test", "-H", "Accept-Encoding: br", "http://%s:%d%s" % (site.addr + (path,))],
			stdout=subprocess.PIPE, timeout=20)
		assert out.stdout == want.encode(), path


@pytest.mark.parametrize("accept,coding", [
	("gzip;q=0", None), ("identity", None), ("*", "br"), ("br;q=0, *", "gzip"), ("gzip;q=0.5, br;q=0.1", "gzip"), ("GZIP", "gzip"), ("deflate", None),
	("gzip;q=bad", None), ("", None),
])
def test_accept_encoding(site, accept, coding):
	r = site.get("/page.html", "Accept-Encoding: %s\r\n" % accept)
	if coding == "br" and r.get("Content-Encoding") == "gzip":
		coding = "gzip"  # built without Brotli
	assert r.get("Content-Encoding") == coding and r.get("Vary") == "Accept-Encoding"


def test_never(site, host):
	for path, headers in (("/pic.png", GZ), ("/image.php", GZ), ("/tiny.txt", GZ), ("/empty.txt", GZ), ("/text.php?n=5", GZ), ("/text.php?c=204", GZ),
			("/text.php?h=Cache-Control:no-transform", GZ), ("/plain/page.html", "Accept-Encoding: gzip, br\r\n"), ("/page.html", GZ + "Range: bytes=0-9\r\n")):
		r = site.get(path, headers, host=host)
		assert is_plain(r), (path, r)
	r = site.get("/page.html", GZ + "Range: bytes=0-9\r\n", host=host)
	assert r.status == 206 and r.body == b"<p>" + TEXT[:7].encode()
	r = site.get("/own.php", GZ, host=host)
	assert unzip(r) == b"own " * 1000  # once, by the script


def test_script(site, host):
	want = "".join("line %d\n" % i for i in range(5000)).encode()
	r = site.get("/text.php?n=5000", GZ, host=host)
	assert unzip(r) == want and r.get("Vary") == "Accept-Encoding"
	assert site.get("/text.php?n=5000", host=host).body == want
	r = site.get("/text.php?n=5000&c=404", GZ, host=host)
	assert r.status == 404 and unzip(r) == want
	r = site.get("/text.php?h=Vary:Cookie", GZ, host=host)
	assert r.get("Vary") == "Cookie, Accept-Encoding"
	want = "".join("line %d\n" % i for i in range(300000)).encode()
	assert unzip(site.get("/text.php?n=300000", GZ, host=host, timeout=30)) == want


def test_head_says_the_same(site, host):
	for path in ("/page.html", "/big.txt", "/text.php"):
		get, head = site.get(path, GZ, host=host), site.get(path, GZ, method="HEAD", host=host)
		assert head.status == 200 and head.get("Content-Encoding") == "gzip" == get.get("Content-Encoding")
		assert head.get("Vary") == get.get("Vary") and head.get("ETag") == get.get("ETag")
		assert head.get("Content-Length") in (None, get.get("Content-Length"))


def test_script_with_a_length(site, host):
	assert unzip(site.get("/length.php?l=5000&n=5000", GZ, host=host)) == b"x" * 5000
	# surplus is cut, a deficit is visible
	assert unzip(site.get("/length.php?l=5000&n=6000", GZ, host=host)) == b"x" * 5000
	assert unzip(site.get("/length.php?l=5004&n=5000&f=1", GZ, host=host)) == b"x" * 5000 + b"more"
	with pytest.raises(rawhttp.Broken):
		site.get("/length.php?l=5000&n=4000", GZ, host=host)


def test_death_is_visible(site):
	with pytest.raises(rawhttp.Broken):
		site.get("/dies.php", GZ, timeout=5)
	assert site.get("/page.html", GZ).status == 200


@pytest.mark.parametrize("headers", ["", GZ], ids=["plain", "gzip"])
def test_events_arrive_one_by_one(site, host, headers):
	"""Every flush() of a script can be read at once, compressed or not, with no setting: each event says when it was written."""
	with rawhttp.Conn(site.addr) as c:
		c.send(("GET /sse.php HTTP/1.1\r\nHost: %s.test\r\n%sConnection: close\r\n\r\n" % (host, headers)).encode())
		r = c.head()
		z = zlib.decompressobj(31)
		text, late = b"", []
		while True:
			n = int(c.line(), 16)
			if n == 0:
				break
			data = c.exactly(n, r)
			c.exactly(2, r)
			text += z.decompress(data) if headers else data
			events = [float(e[6:]) for e in text.decode().split("\n\n") if e]
			late += [time.time() - t for t in events[len(late):]]
	assert len(late) == 5 and sorted(late)[2] < 0.05 and max(late) < 2, late


def test_early_hints_of_a_cell(site):
	"""flush() with status 103 sends hints, not the answer: a client of HTTP/1 sees the answer alone, with the fields."""
	r = site.get("/hints.php")
	assert (r.status, r.interim, r.body) == (200, [], b"page")
	assert r.get("Link") == "</a.css>; rel=preload; as=style" and r.get("X-Later") == "1"


def test_tags(site):
	plain, zipped = site.get("/page.html"), site.get("/page.html", GZ)
	assert not plain.get("ETag").startswith("W/") and zipped.get("ETag") == "W/" + plain.get("ETag")
	for tag in (plain.get("ETag"), zipped.get("ETag")):
		for accept in ("", GZ):
			r = site.get("/page.html", accept + "If-None-Match: %s\r\n" % tag)
			assert r.status == 304 and r.get("Vary") == "Accept-Encoding" and is_plain(r)
	# a weak tag never joins a range to what was compressed
	r = site.get("/page.html", "Range: bytes=0-9\r\nIf-Range: %s\r\n" % zipped.get("ETag"))
	assert r.status == 200
	assert site.get("/page.html", GZ + 'If-None-Match: "other"\r\n').status == 200


def test_suffixed_tags(tmp, fleet, fpm, ini, here):
	site = Edits(here, fleet, fpm, ini, FILES, LINES + SUFFIX)
	plain, zipped = site.get("/page.html"), site.get("/page.html", GZ)
	assert zipped.get("ETag") == plain.get("ETag")[:-1] + '-gzip"'
	r = site.get("/page.html", GZ + "If-None-Match: %s\r\n" % zipped.get("ETag"))
	assert r.status == 304 and r.get("ETag") == zipped.get("ETag")
	for host in ("fresh", "worker"):
		r = site.get("/etag.php", GZ, host=host)
		assert r.get("ETag") == '"v1-gzip"'
		assert site.get("/etag.php", GZ + 'If-None-Match: "v1-gzip"\r\n', host=host).status == 304
		assert site.get("/etag.php", GZ + 'If-None-Match: "v2-gzip"\r\n', host=host).status == 200


def test_slow_readers_are_bounded(site):
	"""Readers that take nothing hold a bounded number of compressors, and others are served meanwhile."""
	conns = []
	try:
		for _ in range(40):
			c = rawhttp.Conn(site.addr, rcvbuf=4096)
			c.send(b"GET /big.txt HTTP/1.1\r\nHost: fresh.test\r\nAccept-Encoding: br, gzip\r\n\r\n")
			conns.append(c)
		began = time.monotonic()
		assert site.get("/tiny.txt").body == b"tiny\n"
		assert site.get("/page.html", GZ).status == 200
		assert time.monotonic() - began < 5
		heads = [c.head() for c in conns]
		assert all(h.status == 200 for h in heads)
	finally:
		for c in conns:
			c.close()
	proc.wait_for(lambda: site.get("/page.html", GZ).get("Content-Encoding") == "gzip", 5, why="compression after the slow readers left")
