# SPDX-License-Identifier: Apache-2.0
"""Headers and bodies over HTTP/2: compression, event streams, Early Hints, files that scripts name, error documents."""
import gzip
import time
import zlib

import pytest

import h2wire
from edits import Edits
from fcgi_stub import Stub
from test_compress import BIG, FILES, TEXT

import site_conf

pytestmark = pytest.mark.bulkhead

MORE = {
	"send.php": "<?php header('Content-Type: a/b'); header('X-Sendfile: ' . $_GET['s']);",
	"clock.php": "<?php header('Content-Type: text/event-stream'); for ($i = 0; $i < 5; $i++) { echo 'data: ', microtime(true), \"\\n\\n\"; flush(); usleep(100000); }",
	"err.php": "<?php echo $_SERVER['REDIRECT_STATUS'], ' ', $_SERVER['REDIRECT_URL'], ' ', $_SERVER['SERVER_PROTOCOL'];",
}
LINES = """
    AddOutputFilterByType DEFLATE text/html text/plain text/event-stream
    Header always set X-Always-There yes
    Header set X-Mixed-Case "%{Tag}e"
    SetEnvIf X-Tag "(.*)" Tag=$1
    RequestHeader set X-Added added
    XSendFile on
    ErrorDocument 404 /err.php
"""
GZ = [("accept-encoding", "gzip")]


@pytest.fixture(scope="module")
def site(tmp, module_fleet, fpm, ini):
	stub = Stub(tmp + "/hints.sock")
	common = "Protocols h2c http/1.1\n" + site_conf.pool("stub", "unix:" + stub.addr)
	root = tmp + "/h2bodies/root"
	common += site_conf.worker_vhost("stub.test", root, "stub")
	yield Edits(tmp + "/h2bodies", module_fleet, fpm, ini, dict(FILES, **MORE), LINES, common=common, root=root)
	stub.close()


@pytest.fixture(params=["fresh.test", "worker.test"])
def host(request):
	return request.param


def unzip(a):
	assert a.get("content-encoding") == "gzip" and a.ended and a.reset is None, a
	return gzip.decompress(a.body)


def test_compressed(site, host):
	with h2wire.Conn(site.addr) as c:
		for path, want in (("/page.html", "<p>" + TEXT), ("/big.txt", BIG), ("/zeros.txt", "0" * 3000000), ("/text.php?n=20000", "".join("line %d\n" % i for i in range(20000)))):
			a = c.get(host, path, extra=GZ)
			assert unzip(a) == want.encode(), path
			assert a.get("vary") == "Accept-Encoding" and a.get("x-always-there") == "yes"
		a = c.get(host, "/page.html", method="HEAD", extra=GZ)
		assert a.get("content-encoding") == "gzip" and a.body == b"" and a.ended


def test_cut_is_visible(site, host):
	with h2wire.Conn(site.addr) as c:
		a = c.get(host, "/length.php?l=5000&n=4000", extra=GZ)
		assert a.reset is not None or not a.heads, a
		assert c.get(host, "/page.html").status == 200


def test_rules(site, host):
	with h2wire.Conn(site.addr) as c:
		a = c.get(host, "/page.html", extra=[("x-tag", "t")])
		assert a.get("x-mixed-case") == "t" and a.get("x-always-there") == "yes"
		a = c.get(host, "/missing/x")
		assert a.status == 404 and a.body == b"404 /missing/x HTTP/2.0", a


@pytest.mark.parametrize("extra", [[], GZ], ids=["plain", "gzip"])
def test_events_arrive_at_once(site, host, extra):
	"""Each event says when it was written; over HTTP/2, too, it is here within a blink."""
	with h2wire.Conn(site.addr) as c:
		sid = c.request(host, "/clock.php", extra=extra)
		late, done = [], 0
		while True:
			f = c.read()
			a = c.answers.get(sid)
			if a is None:
				continue
			text = zlib.decompressobj(31).decompress(a.body) if extra and a.body else a.body
			events = [float(e[6:]) for e in text.decode().split("\n\n") if e.startswith("data: ")]
			late += [time.time() - t for t in events[done:]]
			done = len(events)
			if a.ended or f is None:
				break
	assert done == 5 and sorted(late)[2] < 0.05 and max(late) < 2, late


def test_early_hints(site):
	"""103 comes before the answer: from a cell by header() and flush(), from a FastCGI server as a block of its own."""
	with h2wire.Conn(site.addr) as c:
		a = c.get("fresh.test", "/hints.php")
		assert [dict(h)[":status"] for h in a.heads] == ["103", "200"] and a.body == b"page", a
		hints, last = dict(a.heads[0]), dict(a.heads[1])
		assert hints["link"] == last["link"] == "</a.css>; rel=preload; as=style" and "x-later" not in hints and last["x-later"] == "1"
		assert not any(name in hints for name in ("content-length", "server", "content-type"))
		a = c.get("stub.test", "/text.php?mode=hints")
		assert [dict(h)[":status"] for h in a.heads] == ["103", "102", "201"] and a.body == b"body\n", a
		assert dict(a.heads[0])["link"] == "</a.css>; rel=preload" and dict(a.heads[2]).get("x-own") == "1"


def test_sendfile(site, host):
	with h2wire.Conn(site.addr) as c:
		a = c.get(host, "/send.php?s=page.html")
		assert a.status == 200 and a.body == ("<p>" + TEXT).encode() and a.get("x-sendfile") is None and a.ended
		a = c.get(host, "/send.php?s=page.html", extra=[("range", "bytes=0-2")])
		assert a.status == 206 and a.body == b"<p>"
		assert c.get(host, "/send.php?s=/etc/passwd").status == 403


def test_many_at_once(site):
	with h2wire.Conn(site.addr) as c:
		ids = [c.request("fresh.test", path, extra=GZ) for path in ("/big.txt", "/page.html", "/zeros.txt") * 4]
		for i, sid in enumerate(ids):
			want = (BIG, "<p>" + TEXT, "0" * 3000000)[i % 3]
			assert unzip(c.answer(sid, 30)) == want.encode()
