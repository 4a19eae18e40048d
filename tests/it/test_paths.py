# SPDX-License-Identifier: Apache-2.0
"""
From a URL to a file: encoded slashes and repeated ones, and names that look like a script's and are none. On both paths:
cells, and a pool that is a stub, which tells what it was asked to run and would run anything (no security.limit_extensions).
"""
import json
import os
import re

import pytest

import conftest
import rawhttp
import servers
import site_conf
from fcgi_stub import Stub

RAN = "<?php file_put_contents(%r . basename($_SERVER['SCRIPT_NAME']), 'x'); echo 'RAN ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', \"\\n\";"

# Files that hold PHP, none of them a script by its own name.
NOT_SCRIPTS = ["a.jpg", "b.php.jpg", "c.php.", "d.php ", "e.php\n", "f.PHP", "g.Php", "h.php::$DATA", "i.php%00", "j.php~", "k.php.bak", "l.phps", "m.php5",
	"n.phtml", "o.php?x", "p.php;.jpg", "q.php\t", "r.php\xe9", "s.php\\", ".php.txt"]


def make_root(tmp):
	root = tmp + "/paths-root"
	if os.path.exists(root):
		return root
	uploads, outside = root + "/uploads", tmp + "/paths-outside"
	for d in (uploads, uploads + "/dir.php", root + "/denied", root + "/listed", outside):
		os.makedirs(d)
	var = servers.writable_dir(root + "/var") + "/"
	def put(path, text):
		with open(path, "w") as f:
			f.write(text)
		os.chmod(path, 0o644)
	for name in NOT_SCRIPTS + ["ok.php", "real.php", "dir.php/inner.jpg", "dir.php/inner.php", "sp ace.php"]:
		put(os.path.join(uploads, name.encode("latin-1").decode("utf-8", "surrogateescape")), RAN % var)
	for path, text in (("hello.txt", "hello\n"), ("denied/file.txt", "denied\n"), ("denied/run.php", RAN % var), ("a%2fb.txt", "kept\n"), ("listed/in.txt", "in\n")):
		put(os.path.join(root, path), text)
	put(root + "/dump.php", open(os.path.join(servers.WWW, "dump.php")).read())
	put(outside + "/evil.php", RAN % var)
	put(outside + "/evil.txt", "outside\n")
	os.symlink("real.php", uploads + "/link.jpg")        # a script by another name: that name counts
	os.symlink("a.jpg", uploads + "/link.php")           # and the other way round
	os.symlink(outside + "/evil.php", uploads + "/out.php")
	os.symlink("nowhere.php", uploads + "/dangling.php")
	os.mkfifo(uploads + "/fifo.php")
	os.chmod(uploads + "/fifo.php", 0o666)
	if hasattr(os, "lchown") and os.geteuid() == 0:
		os.lchown(uploads + "/out.php", *servers.site_ids())
	return root


HOSTS = {"off": "", "on": "    AllowEncodedSlashes On\n", "nodecode": "    AllowEncodedSlashes NoDecode\n", "keep": "    MergeSlashes Off\n"}


@pytest.fixture(scope="module")
def stand(tmp, ini, module_fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = make_root(tmp)
	stub = Stub(tmp + "/paths.sock")
	conf = """
<Directory "{root}">
    Require all granted
    Options FollowSymLinks
</Directory>
<Directory "{root}/denied">
    Require all denied
</Directory>
<Location "/located">
    Require all denied
</Location>
""".format(root=root) + site_conf.pool("stub", "unix:" + stub.addr)
	for name, extra in HOSTS.items():
		conf += site_conf.worker_vhost("%s.worker.test" % name, root, "stub", extra)
		conf += site_conf.prefork_vhost("%s.cells.test" % name, root, "fresh" if name == "off" else "shared", ini, extra)
	b = module_fleet.start(servers.Bulkhead(tmp + "/paths", conf))
	b.stub, b.root = stub, root
	yield b
	stub.close()


class Site:
	"""One host on one path to PHP; run() says what a request was answered with and which script it ran."""

	def __init__(self, stand, way, host):
		self.stand, self.way, self.host = stand, way, "%s.%s.test" % (host, way)

	def ask(self, path, raw=None):
		stand = self.stand
		for name in os.listdir(stand.root + "/var"):
			os.unlink(stand.root + "/var/" + name)
		stand.stub.reset()
		line = ("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, self.host)).encode("latin-1")
		r = rawhttp.request(stand.addr, line if raw is None else raw)
		if self.way == "cells":
			ran = os.listdir(stand.root + "/var")
			if r.body.startswith(b"{"):
				ran = [json.loads(r.body)["server"]]
		else:
			ran = list(stand.stub.seen)
		return r, ran

	def env(self, path):
		"""The variables of a request for dump.php."""
		r, ran = self.ask(path)
		assert r.status == 200 and len(ran) == 1, (r, ran)
		return ran[0]


@pytest.fixture(params=["worker", "cells"])
def way(request):
	return request.param


# --- names ----------------------------------------------------------------------------------------------------------

def enc(name):
	return "".join("%%%02x" % ord(c) if not re.match(r"[A-Za-z0-9._~-]", c) else c for c in name)


CONFUSED = {"file " + repr(n): "/uploads/" + enc(n) for n in NOT_SCRIPTS}
CONFUSED.update({"rest " + repr(n): "/uploads/" + enc(n) + "/x.php" for n in NOT_SCRIPTS})
CONFUSED.update({
	"nul then extension": "/uploads/ok.php%00.jpg", "nul before extension": "/uploads/a.jpg%00.php", "nul and rest": "/uploads/a.jpg%00/x.php",
	"newline then extension": "/uploads/a.jpg%0a.php", "newline after": "/uploads/ok.php%0a", "return and newline after": "/uploads/ok.php%0d%0a",
	"space after": "/uploads/ok.php%20", "dot after": "/uploads/ok.php.", "two dots after": "/uploads/ok.php..", "encoded dot after": "/uploads/ok.php%2e",
	"stream": "/uploads/ok.php::$DATA", "encoded question mark": "/uploads/ok.php%3f", "encoded question mark and name": "/uploads/a.jpg%3fx.php",
	"encoded number sign": "/uploads/ok.php%23", "semicolon": "/uploads/ok.php;", "semicolon and name": "/uploads/a.jpg;x.php", "tilde": "/uploads/ok.php~",
	"backslash": "/uploads/a.jpg\\x.php", "encoded backslash": "/uploads/a.jpg%5cx.php", "upper": "/uploads/ok.PHP", "mixed": "/uploads/ok.pHp",
	"encoded slash": "/uploads/a.jpg%2fx.php", "encoded slash after": "/uploads/ok.php%2f", "encoded slash upper": "/uploads/ok.php%2Fx",
	"twice encoded dot": "/uploads/ok%252ephp", "twice encoded slash": "/uploads%252fok.php", "overlong slash": "/uploads%c0%afok.php",
	"bad escape": "/uploads/ok.php%", "bad escape digits": "/uploads/ok.php%zz", "percent u": "/uploads/ok%u002ephp",
	"directory": "/uploads/dir.php", "directory with slash": "/uploads/dir.php/", "directory and file": "/uploads/dir.php/inner.jpg",
	"directory and missing": "/uploads/dir.php/no.php", "directory and rest": "/uploads/dir.php/inner.jpg/x.php", "link to a script": "/uploads/link.jpg",
	"link to a script and rest": "/uploads/link.jpg/x.php", "dangling link": "/uploads/dangling.php", "fifo": "/uploads/fifo.php", "fifo and rest": "/uploads/fifo.php/x",
	"missing and rest": "/uploads/no.php/ok.php", "missing then up": "/uploads/no.php%2f../ok.php", "denied": "/denied/run.php", "denied and rest": "/denied/run.php/hello.txt",
	"denied by detour": "/uploads/../denied/run.php", "denied by slashes": "//denied///run.php", "denied by dots": "/./denied/./run.php", "denied encoded": "/%64enied/run.php",
	"out by dots": "/../paths-outside/evil.php", "out by encoded dots": "/%2e%2e/paths-outside/evil.php", "out by mixed dots": "/uploads/.%2e/../../paths-outside/evil.php",
})
if os.geteuid() == 0:
	CONFUSED["foreign link out of the root"] = "/uploads/out.php"


@pytest.mark.bulkhead
@pytest.mark.parametrize("name", CONFUSED)
def test_never_runs(stand, way, name):
	r, ran = Site(stand, way, "off").ask(CONFUSED[name])
	assert ran == [] and b"RAN /" not in r.body, "ran %r: %r" % (ran, r)
	assert r.status in (200, 301, 400, 403, 404), r
	if r.status == 200:  # the source of what is no script may be shown: it is a file like others
		assert r.body.startswith(b"<?php"), r


# Beside them: what does run, and as what.
RUNS = {
	"plain": ("/uploads/ok.php", "/uploads/ok.php", ""), "slash": ("/uploads/ok.php/", "/uploads/ok.php", "/"), "rest": ("/uploads/ok.php/a.jpg", "/uploads/ok.php", "/a.jpg"),
	"rest like a script": ("/uploads/ok.php/x.php", "/uploads/ok.php", "/x.php"), "encoded name": ("/uploads/%6fk%2ephp", "/uploads/ok.php", ""),
	"space inside": ("/uploads/sp%20ace.php", "/uploads/sp ace.php", ""), "in a directory so named": ("/uploads/dir.php/inner.php", "/uploads/dir.php/inner.php", ""),
	"in it, with rest": ("/uploads/dir.php/inner.php/r", "/uploads/dir.php/inner.php", "/r"), "rest with a newline": ("/uploads/ok.php/%0a", "/uploads/ok.php", "/\n"),
	"rest with return and newline": ("/uploads/ok.php/%0d%0aX:y", "/uploads/ok.php", "/\r\nX:y"), "rest with a question mark": ("/uploads/ok.php/%3fa=b", "/uploads/ok.php", "/?a=b"),
	"query with a script": ("/uploads/ok.php?/a.jpg", "/uploads/ok.php", ""), "dots": ("/uploads/./x/../ok.php", "/uploads/ok.php", ""),
	"slashes": ("//uploads//ok.php//a//b", "/uploads/ok.php", "/a/b"), "link named so": ("/uploads/link.php", "/uploads/link.php", ""),
}


@pytest.mark.bulkhead
@pytest.mark.parametrize("name", RUNS)
def test_runs(stand, way, name):
	path, script, rest = RUNS[name]
	r, ran = Site(stand, way, "off").ask(path)
	if way == "cells":
		assert r.body == ("RAN %s %s\n" % (script, rest)).encode(), r
		assert ran == [os.path.basename(script)]
	else:
		assert [(p["SCRIPT_NAME"], p.get("PATH_INFO", ""), p["SCRIPT_FILENAME"], p["REQUEST_URI"]) for p in ran] == [(script, rest, stand.root + script, path)]


# --- slashes ---------------------------------------------------------------------------------------------------------

SLASHES = [
	# host, path, status; a text: the body, a pair: PATH_INFO and SCRIPT_NAME of dump.php
	("off", "/dump.php/a%2fb", 404, None), ("off", "/a%2fb.txt", 404, None), ("off", "/hello.txt%2F", 404, None), ("off", "/dump.php/a?b=%2f", 200, ("/a", "/dump.php")),
	("on", "/dump.php/a%2fb", 200, ("/a/b", "/dump.php")), ("on", "/dump.php%2fa%2F", 200, ("/a/", "/dump.php")), ("on", "/uploads%2f..%2fhello.txt", 200, b"hello\n"),
	("on", "/listed%2fin.txt", 200, b"in\n"), ("on", "/a%2fb.txt", 404, None), ("on", "/denied%2ffile.txt", 403, None), ("on", "/listed%2f..%2fdenied%2ffile.txt", 403, None),
	("on", "/located%2fx", 403, None), ("on", "/..%2f..%2fetc%2fpasswd", 400, None), ("on", "/uploads%2f%2e%2e%2f%2e%2e%2fpaths-outside/evil.txt", 400, None),
	("on", "/dump.php/a%252fb", 200, ("/a%2fb", "/dump.php")), ("on", "/dump.php/%2f%2fb", 200, ("/b", "/dump.php")), ("on", "/dump.php/a%00%2fb", 400, None),
	("nodecode", "/dump.php/a%2fb", 200, ("/a%2fb", "/dump.php")), ("nodecode", "/dump.php/a%2Fb%20c", 200, ("/a%2Fb c", "/dump.php")),
	("nodecode", "/dump.php%2fa", 404, None), ("nodecode", "/a%2fb.txt", 200, b"kept\n"), ("nodecode", "/listed%2fin.txt", 404, None),
	("nodecode", "/denied%2ffile.txt", 404, None), ("nodecode", "/..%2f..%2fetc%2fpasswd", 403, None), ("nodecode", "/dump.php/..%2f..%2fx", 200, ("/..%2f..%2fx", "/dump.php")),
	("keep", "/dump.php//a///b", 200, ("//a///b", "/dump.php")), ("keep", "//dump.php/http://x/", 200, ("/http://x/", "/dump.php")), ("keep", "/dump.php/a//../b", 200, ("/b", "/dump.php")),
	("keep", "//hello.txt", 200, b"hello\n"), ("keep", "//denied//file.txt", 403, None), ("keep", "//located//x", 403, None), ("keep", "/listed//in.txt", 200, b"in\n"),
	("keep", "//../x", 400, None), ("keep", "/dump.php/a%2fb", 404, None), ("off", "/dump.php//a///b", 200, ("/a/b", "/dump.php")),
]


@pytest.mark.bulkhead
@pytest.mark.parametrize("host,path,status,want", SLASHES, ids=["%s %s" % s[:2] for s in SLASHES])
def test_slashes(stand, way, host, path, status, want):
	site = Site(stand, way, host)
	r, ran = site.ask(path)
	assert r.status == status, r
	if isinstance(want, bytes):
		assert r.body == want, r
	elif want is not None:
		assert len(ran) == 1 and (ran[0].get("PATH_INFO", ""), ran[0]["SCRIPT_NAME"]) == want, ran
		assert ran[0]["REQUEST_URI"] == path and ran[0]["PHP_SELF"] == want[1] + want[0]


@pytest.mark.parametrize("host,path,status,want", [s for s in SLASHES if s[0] != "keep" and s[2] != 400 and "/.." not in s[1] and "/dump.php/%2f%2fb" != s[1]
	and s[1] != "/a%2fb.txt"], ids=lambda v: str(v) if isinstance(v, str) else "")
def test_slashes_as_apache(tmp, slashes_apache, host, path, status, want):
	"""What the table says of AllowEncodedSlashes is what Apache does."""
	r = rawhttp.get(slashes_apache.addr, host + ".test", path)
	assert r.status == status, r
	if isinstance(want, tuple):
		assert json.loads(r.body)["server"].get("PATH_INFO", "") == want[0]


@pytest.fixture(scope="module")
def slashes_apache(tmp, ini, module_fleet):
	conftest.need(servers.tool("apache2"), "no apache2")
	root = make_root(tmp)
	conf = ('<Directory "%s">\nRequire all granted\nOptions FollowSymLinks\n</Directory>\n<Directory "%s/denied">\nRequire all denied\n</Directory>\n'
		'<Location "/located">\nRequire all denied\n</Location>\n') % (root, root)
	for name, extra in HOSTS.items():
		if name != "keep":
			conf += '<VirtualHost *>\nServerName %s.test\nDocumentRoot "%s"\n%s</VirtualHost>\n' % (name, root, extra)
	return module_fleet.start(servers.Apache(tmp + "/paths-apache", conf))
