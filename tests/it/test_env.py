# SPDX-License-Identifier: Apache-2.0
"""What PHP is told of a request: the variables of RFC 3875 as mod_php gives them, the same on both paths."""
import base64
import json
import re

import pytest

import conftest
from cases import Case, fill, req, run, table

UNSET = lambda v: v in (None, "")  # noqa: E731


def dump(id, target, headers="", status=200, want=None, **k):
	return Case(id, req(target, headers), status=status, on="php", dump=want, **k)


def end(path):
	return re.compile(re.escape("/root" + path) + "$")


ENV = [
	dump("plain", "/dump.php", want={"SCRIPT_NAME": "/dump.php", "PHP_SELF": "/dump.php", "REQUEST_URI": "/dump.php", "QUERY_STRING": "", "PATH_INFO": UNSET,
		"PATH_TRANSLATED": None, "SCRIPT_FILENAME": end("/dump.php"), "DOCUMENT_ROOT": end(""), "REQUEST_METHOD": "GET", "GATEWAY_INTERFACE": "CGI/1.1",
		"SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_SCHEME": "http", "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": re.compile(r"^\d+$"), "SERVER_ADDR": "127.0.0.1",
		"SERVER_PORT": re.compile(r"^\d+$"), "SERVER_NAME": re.compile(r"^[a-z]+\.test$"), "SERVER_ADMIN": re.compile(r"^webmaster@[a-z]+\.test$"),
		"HTTPS": None, "CONTENT_LENGTH": UNSET, "CONTENT_TYPE": UNSET, "REMOTE_USER": UNSET, "AUTH_TYPE": None, "SERVER_SOFTWARE": re.compile("."),
		"REDIRECT_STATUS": lambda v: v in (None, "200"), "CONTEXT_DOCUMENT_ROOT": lambda v: v is None or v.endswith("/root"), "HTTP_PROXY": None}),
	dump("path-info", "/dump.php/p/q", want={"SCRIPT_NAME": "/dump.php", "PATH_INFO": "/p/q", "PATH_TRANSLATED": end("/p/q"), "PHP_SELF": "/dump.php/p/q",
		"REQUEST_URI": "/dump.php/p/q", "SCRIPT_FILENAME": end("/dump.php")}),
	dump("path-info-slash", "/dump.php/", want={"PATH_INFO": "/", "PHP_SELF": "/dump.php/", "SCRIPT_NAME": "/dump.php"}),
	dump("path-info-query", "/dump.php/p?a=1&b=%20&c[]=2", want={"PATH_INFO": "/p", "QUERY_STRING": "a=1&b=%20&c[]=2", "REQUEST_URI": "/dump.php/p?a=1&b=%20&c[]=2"}),
	dump("path-info-decoded", "/dump.php/a%20b%2541%C3%A9", want={"PATH_INFO": "/a b%41\xc3\xa9", "REQUEST_URI": "/dump.php/a%20b%2541%C3%A9",
		"PHP_SELF": "/dump.php/a b%41\xc3\xa9"}),
	dump("path-info-question-mark", "/dump.php/a%3fb", want={"PATH_INFO": "/a?b", "QUERY_STRING": ""}),
	dump("path-info-newline", "/dump.php/a%0d%0ab", status=(200, 400, 403, 404)),
	dump("path-info-other-script", "/dump.php/hello.php", want={"SCRIPT_NAME": "/dump.php", "PATH_INFO": "/hello.php"}),
	dump("path-info-dots", "/dump.php/../dump.php/x", want={"SCRIPT_NAME": "/dump.php", "PATH_INFO": "/x"}),
	dump("path-info-plus", "/dump.php/a+b", want={"PATH_INFO": "/a+b"}),
	dump("script-encoded", "/%64ump.php?x", want={"SCRIPT_NAME": "/dump.php", "REQUEST_URI": "/%64ump.php?x", "QUERY_STRING": "x"}),
	dump("double-slash", "//dump.php", want={"REQUEST_URI": "//dump.php", "SCRIPT_NAME": "/dump.php", "SCRIPT_FILENAME": end("/dump.php")}),
	dump("query-raw", "/dump.php?a=%00%zz&b=+%2B&<>", want={"QUERY_STRING": "a=%00%zz&b=+%2B&<>"}, skip={}),
	dump("query-empty", "/dump.php?", want={"QUERY_STRING": "", "REQUEST_URI": "/dump.php?"}),
	dump("query-question-mark", "/dump.php?a?b", want={"QUERY_STRING": "a?b"}),
	dump("query-no-switches", "/dump.php?-s", want={"QUERY_STRING": "-s", "argc": lambda v: v in (None, 0, 1)}),
	dump("query-no-switches-2", "/dump.php?-d+allow_url_include%3d1", want={"QUERY_STRING": "-d+allow_url_include%3d1"}),
	dump("post", "/dump.php", want={}, conn="open"),
	Case("content", req("/dump.php", "Content-Type: text/x-test\r\nContent-Length: 4\r\n", method="POST", body=b"1234"), on="php",
		dump={"CONTENT_LENGTH": "4", "CONTENT_TYPE": "text/x-test", "REQUEST_METHOD": "POST"}),
	dump("auth-basic", "/dump.php", "Authorization: Basic dXNlcjpwYTpzcw==\r\n", want={"PHP_AUTH_USER": "user", "PHP_AUTH_PW": "pa:ss", "REMOTE_USER": UNSET,
		"AUTH_TYPE": None}),
	dump("auth-bearer", "/dump.php", "Authorization: Bearer abc.def\r\n", want={"HTTP_AUTHORIZATION": "Bearer abc.def", "PHP_AUTH_USER": None},
		skip={"apache": "keeps it from the environment, headers have it"}),
	dump("accept-headers", "/dump.php", "Accept: */*\r\nAccept-Language: de\r\nUser-Agent: test/1\r\nReferer: http://x.test/\r\nX-Custom-Thing: 1\r\n",
		want={"HTTP_ACCEPT": "*/*", "HTTP_ACCEPT_LANGUAGE": "de", "HTTP_USER_AGENT": "test/1", "HTTP_REFERER": "http://x.test/", "HTTP_X_CUSTOM_THING": "1"}),
	dump("host-with-port", "/dump.php", want={"HTTP_HOST": re.compile(r"^[a-z]+\.test$")}),
	dump("protocol-1.0", "/dump.php", want={"SERVER_PROTOCOL": "HTTP/1.1"}),
	Case("protocol-1.0-really", req("/dump.php", version="HTTP/1.0"), on="php", dump={"SERVER_PROTOCOL": "HTTP/1.0"}),
	Case("index", req("/phpdir/"), on="php", body=b"index /phpdir/ /phpdir/index.php\n"),
	Case("index-query", req("/phpdir/?a=1"), on="php", body=b"index /phpdir/?a=1 /phpdir/index.php\n"),
	Case("directory-like-script", req("/dir.php/inner.php/rest"), on="php", body=b"inner /dir.php/inner.php /rest\n"),
	Case("directory-like-script-file", req("/dir.php/file.txt"), on="php", body=b"in a directory named like a script\n"),
	Case("missing-script", req("/missing.php"), 404, on="php", conn="open"),
	Case("missing-script-rest", req("/missing.php/rest"), 404, on="php", conn="open"),
	Case("missing-in-dir", req("/dir.php/missing.php"), 404, on="php"),
	Case("case-folded-name", req("/DUMP.PHP"), 404, on="php"),
	Case("upper-extension-no-source", req("/upper.PHP"), (200, 403, 404), on="php", body=re.compile(rb"\A(?!.*SCRIPT)", re.S)),
	Case("image-with-script-rest", req("/image.jpg/x.php"), 404, on="php"),
	Case("script-nul", req("/dump.php%00.jpg"), (400, 403, 404), on="php"),
	Case("script-trailing-dot", req("/dump.php."), 404, on="php"),
	Case("script-trailing-space", req("/dump.php%20"), 404, on="php"),
	Case("script-with-space", req("/sp%20ace.php"), on="php", body=b"/sp ace.php\n"),
	Case("alias-script", req("/alias/run.php/rest"), on="php", body=re.compile(rb"^aliased /alias/run\.php \S+/aliased/run\.php /rest\n$")),
	Case("denied-script", req("/denied/run.php"), 403, on="php"),
	Case("denied-script-as-index", req("/located_script/"), 403, on="php"),
	Case("denied-script-rest", req("/denied/run.php/hello.txt"), 403, on="php"),
	Case("head", req("/dump.php", method="HEAD"), on="php", method="HEAD", body=b"", conn="open"),
	Case("error-document-script", req("/errdoc/missing.php"), 404, on="php", body=b"own not found\n"),
]
cases = table(ENV)


@cases("php")
def test_php(php_target, peer, case):
	run(case, php_target, peer)


def test_get_post_cookie(php_target):
	body = b"p=1&q%5B%5D=a&q%5B%5D=b"
	r = php_target.get("/dump.php?g=%C3%A9&h[x]=1", method="POST", body=body,
		headers="Content-Type: application/x-www-form-urlencoded\r\nCookie: c=1; d=%20\r\n")
	d = json.loads(r.body)
	assert d["get"] == {"g": "\xc3\xa9", "h": {"x": "1"}}
	assert d["post"] == {"p": "1", "q": {"0": "a", "1": "b"}} or d["post"] == {"p": "1", "q": ["a", "b"]}
	assert d["cookie"] == {"c": "1", "d": " "}


def test_getallheaders(php_target):
	"""Names as they were sent, everything there, Authorization too."""
	r = php_target.get("/headers_api.php", method="POST", body=b"x", headers="X-Custom-Thing: 1\r\nAuthorization: Basic dTpw\r\nContent-Type: a/b\r\nCookie: a=b\r\n")
	d = json.loads(r.body)
	lower = {k.lower(): v for k, v in d["all"].items()}
	assert lower["x-custom-thing"] == "1" and lower["host"] == php_target.host and lower["authorization"] == "Basic dTpw"
	if php_target.name not in ("worker", "tcp"): # php-fpm builds the list from HTTP_ variables only
		assert lower["content-type"] == "a/b"
	assert lower["cookie"] == "a=b"
	assert d["request"] == d["all"]
	if php_target.name != "worker":  # php-fpm has no apache_response_headers()
		assert {k.lower(): v for k, v in d["response"].items()}["x-own"] == "1"


def test_auth_reaches_scripts(php_target, peer):
	r = php_target.get("/auth.php")
	assert r.status == 401 and r.get("WWW-Authenticate") == 'Basic realm="test"'
	token = base64.b64encode("us\u00e9r:p:w".encode()).decode()
	r = json.loads(php_target.get("/auth.php", headers="Authorization: Basic %s\r\n" % token).body)
	assert r[:2] == ["us\u00e9r", "p:w"] and r[3] is None


@pytest.mark.bulkhead
def test_nothing_inherited(php_target, peer):
	"""getenv() shows the request, not the server's own environment."""
	env = json.loads(php_target.get("/dump.php").body)["env"]
	assert not [k for k in env if k in ("BULKHEAD_BIN", "SUDO_USER", "MAIL", "SSH_CONNECTION", "PYTEST_CURRENT_TEST", "NOTIFY_SOCKET", "LISTEN_FDS")], env


# --- the same answers --------------------------------------------------------------------------------------------------

REQUESTS = {
	"plain": req("/dump.php"),
	"query": req("/dump.php?a=1&b[]=2&b[]=3&c=%20+"),
	"path-info": req("/dump.php/p/q%20r?x"),
	"double-slash": req("//dump.php//x"),
	"headers": req("/dump.php", "X-One: 1\r\nX-Two: a\r\nX-Two: b\r\nAccept: */*\r\nUser-Agent: t\r\nCookie: a=1; b=2\r\nAuthorization: Basic dTpw\r\n"),
	"post": req("/dump.php", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n", method="POST", body=b"a=1&b=2"),
	"put": req("/dump.php", "Content-Type: a/b\r\nContent-Length: 7\r\n", method="PUT", body=b"a=1&b=2"),
	"multipart": req("/dump.php", "Content-Type: multipart/form-data; boundary=xx\r\nContent-Length: 163\r\n", method="POST",
		body=b'--xx\r\nContent-Disposition: form-data; name="t"\r\n\r\nv\r\n--xx\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: a/b\r\n\r\nDATA\r\n--xx--\r\n'.ljust(163)),
	"index": req("/phpdir/?x"),
	"1.0": req("/dump.php", version="HTTP/1.0"),
}
# Keys that differ by nature: ports, clocks, names of the server, processes.
NATURE = {"REMOTE_PORT", "SERVER_PORT", "SERVER_SOFTWARE", "SERVER_SIGNATURE", "REQUEST_TIME", "REQUEST_TIME_FLOAT", "SERVER_NAME", "SERVER_ADMIN", "HTTP_HOST",
	"UNIQUE_ID"}
# Between cells and php-fpm: what each SAPI of PHP adds by itself. FCGI_ROLE and USER, HOME come from php-fpm.
SAPI_ONLY = {"FCGI_ROLE", "USER", "HOME", "ORIG_SCRIPT_FILENAME", "ORIG_PATH_INFO", "ORIG_PATH_TRANSLATED", "ORIG_SCRIPT_NAME"}
# Against mod_php: what it says besides, and what FastCGI needs besides.
MOD_PHP_ONLY = {"PATH"}
FASTCGI_ONLY = {"REDIRECT_STATUS", "HTTP_AUTHORIZATION"}


def seen(target, raw):
	with target.conn() as c:
		c.send(fill(raw, target))
		r = c.response()
	assert r.status == 200, r
	try:
		d = json.loads(r.body)
	except ValueError:
		d = {"text": r.body.decode()}
	headers = {n.lower(): v for n, v in r.fields if n.lower() not in ("date", "server", "connection", "keep-alive", "content-length", "transfer-encoding")}
	return d, headers


def compare(name, a, b, ignore):
	bad = ["%s[%s]: %r, there %r" % (name, k, a.get(k), b.get(k)) for k in sorted(set(a) | set(b)) if k not in ignore and a.get(k) != b.get(k)]
	assert not bad, "\n".join(bad)


def compare_all(here, there, raw, ignore):
	(a, ha), (b, hb) = seen(here, raw), seen(there, raw)
	compare("header", ha, hb, ())
	assert a.get("text") == b.get("text")
	if "server" in a:
		compare("_SERVER", a["server"], b["server"], NATURE | ignore)
		for part in ("get", "post", "cookie", "files", "input_len", "input_sha256", "file", "cwd"):
			assert a[part] == b[part], part
		lower = [{k.lower(): v for k, v in d["headers"].items() if k.lower() != "host"} for d in (a, b)]
		compare("getallheaders", lower[0], lower[1], ())


@pytest.mark.bulkhead
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("other", ["rollback", "shared", "worker", "tcp"])
def test_same_on_both_paths(bulkhead, docroot, name, other):
	compare_all(conftest.Target("fresh", bulkhead, docroot), conftest.Target(other, bulkhead, docroot), REQUESTS[name], SAPI_ONLY)


@pytest.mark.bulkhead
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("here", ["fresh", "shared"])
def test_same_as_mod_php(bulkhead, apache, docroot, name, here):
	compare_all(conftest.Target(here, bulkhead, docroot), conftest.Target("apache", apache, docroot), REQUESTS[name], MOD_PHP_ONLY | FASTCGI_ONLY)


@pytest.mark.bulkhead
def test_sapi_name(bulkhead):
	for host in ("fresh.test", "shared.test"):
		assert json.loads(bulkhead.get(host, "/dump.php").body)["sapi"] == "apache2handler"
	assert json.loads(bulkhead.get("worker.test", "/dump.php").body)["sapi"] == "fpm-fcgi"
