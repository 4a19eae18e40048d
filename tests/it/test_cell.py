# SPDX-License-Identifier: Apache-2.0
"""bulkhead-phpX.Y by itself: the test plays master and front, starts a zygote, asks for cells and speaks FastCGI to them."""
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import proc
import pytest
import servers
import wire

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

BUILD = os.path.dirname(os.environ.get("BULKHEAD_BIN") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bulkhead"))
PROGRAM = (sorted(glob.glob(os.path.join(BUILD, "bulkhead-php*"))) or [None])[-1]
ROOT = os.geteuid() == 0
USER = pwd.getpwnam("www-data") if ROOT else pwd.getpwuid(os.geteuid())


@pytest.fixture(scope="module", autouse=True)
def program():
	if PROGRAM is None or not os.access(PROGRAM, os.X_OK):
		(pytest.fail if proc.MUST_WORK else pytest.skip)("no bulkhead-phpX.Y in " + BUILD)


@pytest.fixture(scope="module")
def docroot():
	d = tempfile.mkdtemp(prefix="bh-cell-", dir="/tmp")
	os.chmod(d, 0o777)
	yield d
	shutil.rmtree(d, ignore_errors=True)


class Zygote:
	def __init__(self, docroot, isolation="fresh", ini=(), max_requests=0, program=PROGRAM, **over):
		self.docroot, self.next_id, self.waiting = docroot, 1, []
		self.front, other = wire.pair()
		k = dict(site="test.example", docroot=docroot, user=USER.pw_name, drop=int(ROOT), uid=USER.pw_uid, gid=USER.pw_gid,
			groups=[USER.pw_gid] if ROOT else [], profile="php", isolation=isolation, max_requests=max_requests,
			limit_nofile=-1, ini=[("session.save_path", "/tmp", False)] + list(ini))
		k.update(over)
		spec = wire.sealed(wire.spec(**k))
		self.first_err = tempfile.TemporaryFile()

		def child():
			# 3 and 4, in whatever order they are now.
			a, b = os.dup2(other.fileno(), 60), os.dup2(spec, 61)
			os.dup2(a, 3)
			os.dup2(b, 4)
			os.closerange(5, 100)
		self.p = subprocess.Popen([program], close_fds=False, preexec_fn=child, stderr=self.first_err,
			stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
		os.close(spec)
		other.close()
		self.ready = wire.recv(self.front)
		self.log_fd = -1
		if self.ready is not None:
			assert self.ready.type == wire.ZYGOTE_READY
			self.log_fd = self.ready.fds[0]
			os.set_blocking(self.log_fd, False)

	def started_err(self):
		self.first_err.seek(0)
		return self.first_err.read().decode()

	def log(self):
		"""What zygote and cells wrote to stderr so far."""
		out = b""
		try:
			while True:
				data = os.read(self.log_fd, 65536)
				if not data:
					break
				out += data
		except BlockingIOError:
			pass
		return out.decode()

	def expect(self, type, id=None, timeout=10.0):
		"""The next message of this type (and id); others are kept."""
		end = time.monotonic() + timeout
		while True:
			for m in self.waiting:
				if m.type == type and (id is None or m.id == id):
					self.waiting.remove(m)
					return m
			m = wire.recv(self.front, max(0.01, end - time.monotonic()))
			assert m is not None, "zygote ended: " + self.started_err() + self.log()
			self.waiting.append(m)

	def cell(self):
		"""(id, connection) of a new cell."""
		id, self.next_id = self.next_id, self.next_id + 1
		wire.send(self.front, wire.Msg(wire.CELL_WANT, id))
		m = self.expect(wire.CELL_UP, id)
		return id, wire.Conn(m.fds[0])

	def params(self, script, uri=None, method="GET", **more):
		p = dict(SCRIPT_FILENAME=os.path.join(self.docroot, script), SCRIPT_NAME="/" + script, DOCUMENT_ROOT=self.docroot,
			REQUEST_URI=uri or "/" + script, QUERY_STRING=(uri or "").partition("?")[2], REQUEST_METHOD=method,
			SERVER_PROTOCOL="HTTP/1.1", GATEWAY_INTERFACE="CGI/1.1", SERVER_NAME="test.example", SERVER_PORT="80",
			SERVER_SOFTWARE="Bulkhead", REMOTE_ADDR="192.0.2.7", REMOTE_PORT="4711", REDIRECT_STATUS="200",
			HTTP_HOST="test.example")
		p.update(more)
		return p

	def php(self, code, body=b"", **k):
		"""Run @code in a new cell; the answer, with .gone = how the cell ended."""
		name = "s%d.php" % self.next_id
		with open(os.path.join(self.docroot, name), "w") as f:
			f.write("<?php " + code)
		id, conn = self.cell()
		if body:
			k.setdefault("CONTENT_LENGTH", str(len(body)))
		a = conn.ask(self.params(name, **k), body)
		conn.close()
		a.gone = wire.cell_gone(self.expect(wire.CELL_GONE, id))
		return a

	def children(self):
		return [p for p, parent in proc.parents().items() if parent == self.p.pid]

	def stop(self):
		"""The front goes; the zygote must follow and leave nobody."""
		self.front.close()
		try:
			status = self.p.wait(10)
		finally:
			if self.p.poll() is None:
				self.p.kill()
				self.p.wait()
		if self.log_fd != -1:
			os.close(self.log_fd)
		return status


@pytest.fixture(scope="module")
def fresh(docroot):
	z = Zygote(docroot)
	yield z
	assert z.stop() == 0


@pytest.fixture(scope="module")
def shared(docroot):
	z = Zygote(docroot, isolation="shared")
	yield z
	assert z.stop() == 0


# --- starting ------------------------------------------------------------------------------------------------------------


def test_by_hand():
	r = subprocess.run([PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=True)
	assert r.returncode == 1
	assert r.stderr.decode() == os.path.basename(PROGRAM) + ": started by bulkhead, not by hand; see bulkhead(8)\n"


@pytest.mark.parametrize("over,why", [
	(dict(profile="nonsense"), "unknown profile"),
	(dict(isolation="rolled"), "isolation is neither"),
	(dict(drop=int(not ROOT), uid=USER.pw_uid or 1, gid=USER.pw_gid or 1), "plan: user and process namespace are as told"),
	(dict(uid=4294967295), "out of range"),
])
def test_bad_spec_ends_with_reason(docroot, over, why):
	z = Zygote(docroot, **over)
	assert z.ready is None
	assert z.p.wait(5) == 1
	assert why in z.started_err()
	z.front.close()


def test_unsealed_spec_is_refused(docroot, monkeypatch):
	monkeypatch.setattr(wire, "sealed", lambda data, f=wire.sealed: f(data, seal=False))
	z = Zygote(docroot)
	assert z.ready is None and z.p.wait(5) == 1
	z.front.close()


def test_ready_says_what_is_off(fresh):
	text = fresh.ready.body.decode()
	assert ("" if ROOT else "not started as root") in text
	assert bool(text) == (not ROOT)


# --- a request -------------------------------------------------------------------------------------------------------------


def test_hello(fresh):
	a = fresh.php("echo 'hello';")
	assert a.ended and a.protocol_status == 0 and a.app_status == 0
	assert a.body == b"hello" and a.status == 200 and a.err == b""
	assert a.get("Content-type") == ["text/html; charset=UTF-8"]
	assert a.gone == (0, 0, 0, -1)


def test_server_variables_are_the_parameters(fresh):
	a = fresh.php("header('Content-Type: application/json'); echo json_encode($_SERVER);", uri="/x?a=b%20c",
		HTTP_ACCEPT_LANGUAGE="de", PATH_INFO="/p/q", HTTP_COOKIE="k=v", HTTP_X_LONG="x" * 70000)
	s = json.loads(a.body)
	want = fresh.params("x", uri="/x?a=b%20c", HTTP_ACCEPT_LANGUAGE="de", PATH_INFO="/p/q", HTTP_COOKIE="k=v",
		HTTP_X_LONG="x" * 70000)
	want["SCRIPT_NAME"], want["SCRIPT_FILENAME"] = s["SCRIPT_NAME"], s["SCRIPT_FILENAME"]
	extra = {"PHP_SELF": s["SCRIPT_NAME"] + "/p/q", "REQUEST_TIME": s["REQUEST_TIME"],
		"REQUEST_TIME_FLOAT": s["REQUEST_TIME_FLOAT"]}
	assert s == dict(want, **extra)
	assert abs(s["REQUEST_TIME_FLOAT"] - time.time()) < 5 and int(s["REQUEST_TIME_FLOAT"]) == s["REQUEST_TIME"]


def test_superglobals(fresh):
	a = fresh.php("echo json_encode([$_GET, $_POST, $_COOKIE, file_get_contents('php://input'), getenv('REMOTE_ADDR')]);",
		uri="/?x[]=1&x[]=2", method="POST", body=b"a=1&b[c]=%C3%A4", HTTP_COOKIE="s=t; u=v",
		CONTENT_TYPE="application/x-www-form-urlencoded")
	assert json.loads(a.body) == [{"x": ["1", "2"]}, {"a": "1", "b": {"c": "ä"}}, {"s": "t", "u": "v"},
		"a=1&b[c]=%C3%A4", "192.0.2.7"]


def test_big_body(fresh):
	body = os.urandom(3 << 20)
	a = fresh.php("echo strlen($d = file_get_contents('php://input')), ' ', md5($d);", body=body, method="PUT",
		CONTENT_TYPE="application/octet-stream")
	import hashlib
	assert a.body.decode() == "%d %s" % (len(body), hashlib.md5(body).hexdigest())


def test_upload(fresh):
	data = os.urandom(300000)
	body = (b"--XX\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\ntext\r\n--XX\r\nContent-Disposition: form-data; "
		b"name=\"f\"; filename=\"a.bin\"\r\nContent-Type: application/x-foo\r\n\r\n" + data + b"\r\n--XX--\r\n")
	a = fresh.php("$f = $_FILES['f']; echo json_encode([$_POST, $f['name'], $f['type'], $f['error'], $f['size'], "
		"md5_file($f['tmp_name']), is_uploaded_file($f['tmp_name']), move_uploaded_file($f['tmp_name'], __DIR__ . '/up'), "
		"$f['tmp_name']]);", method="POST", body=body, CONTENT_TYPE="multipart/form-data; boundary=XX")
	import hashlib
	got = json.loads(a.body)
	assert got[:-1] == [{"t": "text"}, "a.bin", "application/x-foo", 0, len(data), hashlib.md5(data).hexdigest(), True, True]
	assert open(os.path.join(fresh.docroot, "up"), "rb").read() == data
	assert not os.path.exists(got[-1])


def test_big_output(fresh):
	a = fresh.php("for ($i = 0; $i < 5000; $i++) echo str_repeat(chr(65 + $i % 26), 1000);")
	assert len(a.body) == 5000000 and a.ended
	assert a.body[1000:1003] == b"BBB"


def test_identity(fresh):
	a = fresh.php("echo json_encode([php_sapi_name(), PHP_SAPI, PHP_BINARY, extension_loaded('apache2handler'), getcwd(), "
		"ini_get('pcre.jit'), ini_get('enable_dl'), php_ini_loaded_file(), get_current_user()]);")
	got = json.loads(a.body)
	assert got[:4] == ["apache2handler", "apache2handler", "", True]
	assert got[4] == fresh.docroot
	assert got[5:7] == ["1", "0"]
	assert got[7].endswith("/php.ini")
	assert got[8] == pwd.getpwuid(os.stat(os.path.join(fresh.docroot, "s%d.php" % (fresh.next_id - 1))).st_uid).pw_name


def test_auth(fresh):
	import base64
	show = "echo json_encode([$_SERVER['PHP_AUTH_USER'] ?? null, $_SERVER['PHP_AUTH_PW'] ?? null, $_SERVER['PHP_AUTH_DIGEST'] ?? null]);"
	basic = "Basic " + base64.b64encode(b"joe:pass:word").decode()
	assert json.loads(fresh.php(show, HTTP_AUTHORIZATION=basic).body) == ["joe", "pass:word", None]
	assert json.loads(fresh.php(show, HTTP_AUTHORIZATION='Digest username="x"').body) == [None, None, 'username="x"']
	assert json.loads(fresh.php(show, HTTP_AUTHORIZATION="Bearer abc").body) == [None, None, None]
	assert json.loads(fresh.php(show, REMOTE_USER="ann").body) == ["ann", None, None]


def test_all_headers(fresh):
	a = fresh.php("echo json_encode([getallheaders(), apache_request_headers() === getallheaders()]);", body=b"{}",
		method="POST", CONTENT_TYPE="application/json", HTTP_X_FOO_BAR="1", HTTP_AUTHORIZATION="Bearer t")
	assert json.loads(a.body) == [{"Host": "test.example", "X-Foo-Bar": "1", "Authorization": "Bearer t",
		"Content-Type": "application/json", "Content-Length": "2"}, True]


def test_response_headers(fresh):
	a = fresh.php("header('X-A: 1'); header('X-B:  two'); echo json_encode(apache_response_headers());")
	got = json.loads(a.body)
	assert got["X-A"] == "1" and got["X-B"] == "two"
	assert a.get("X-A") == ["1"] and a.get("X-B") == ["two"]


def test_apache_functions(fresh):
	a = fresh.php("apache_setenv('FOO', 'bar'); $n = apache_note('n', 'v'); echo json_encode([getenv('FOO'), apache_getenv('FOO'), "
		"apache_getenv('NOPE'), apache_getenv('REMOTE_ADDR'), $n, apache_note('n'), getenv('PHP_VALUE')]);",
		PHP_VALUE="memory_limit=99M")
	assert json.loads(a.body) == ["bar", "bar", False, "192.0.2.7", False, "v", False]


# --- status and headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code,want", [
	("http_response_code(200);", "200 OK"),
	("http_response_code(418);", "418"),
	("http_response_code(599);", "599"),
	("http_response_code(204);", "204 No Content"),
	("header('HTTP/1.1 404 Gone fishing');", "404 Gone fishing"),
	("header('HTTP/1.0 503  Busy');", "503  Busy"),
	("header('Status: 402 Pay');", "402 Pay"),
	("header('Status: 402 Pay'); header('HTTP/1.1 410 Away');", "410 Away"),
	("header('X: y', true, 201);", "201 Created"),
	("header('Location: http://x/');", "302 Found"),
	("header('Location: http://x/', true, 301);", "301 Moved Permanently"),
	("header('WWW-Authenticate: Basic realm=x');", "401 Unauthorized"),
	("http_response_code(103);", "200 OK"),
	("header('HTTP/1.1 100 Continue');", "200 OK"),
	("http_response_code(700);", "500 Internal Server Error"),
	("header('Status: 100 Continue');", "200 OK"),
])
def test_status(fresh, code, want):
	a = fresh.php(code + " echo 'x';")
	assert a.get("Status") == [want]
	assert a.body == b"x"


def test_post_redirect(fresh):
	"""302 as from mod_php and php-fpm, both of which tell PHP nothing of the protocol."""
	a = fresh.php("header('Location: /y');", method="POST", body=b"a=b", CONTENT_TYPE="application/x-www-form-urlencoded")
	assert a.status == 302


def test_header_fields(fresh):
	a = fresh.php("setcookie('a', 'b'); setcookie('c', 'd'); header('X-Powered-By: me'); header('Content-Type: text/plain'); "
		"header_remove('X-Gone'); echo 'x';")
	assert a.get("Set-Cookie") == ["a=b", "c=d"]
	assert a.get("X-Powered-By") == ["me"]
	assert a.get("Content-Type") == ["text/plain;charset=UTF-8"]
	assert all(n for n, v in a.headers)


def test_no_output_has_head(fresh):
	a = fresh.php("")
	assert a.ended and a.body == b"" and a.get("Content-type")


def test_head(fresh):
	a = fresh.php("echo 'body'; echo 'more';", method="HEAD")
	assert a.ended and a.status == 200 and a.get("Content-type")


def test_fatal_is_500(fresh):
	a = fresh.php("ini_set('display_errors', 0); nope();")
	assert a.status == 500 and a.body == b""
	assert b"PHP Fatal error:  Uncaught Error: Call to undefined function nope()" in a.err and a.err.endswith(b"\n")
	a = fresh.php("echo 'x'; flush(); nope();")
	assert a.status == 200 and a.ended


def test_parse_error_is_500(fresh):
	a = fresh.php("ini_set('display_errors', 0); this is not php;")
	assert a.status == 500 and b"syntax error" in a.err


def test_exit(fresh):
	assert fresh.php("echo 'a'; exit('b'); echo 'c';").body == b"ab"
	assert fresh.php("register_shutdown_function(function () { echo 'z'; }); exit(3);").body == b"z"


def test_error_log_goes_to_the_request(fresh):
	a = fresh.php("error_log('one'); error_log(str_repeat('x', 5000)); echo 'ok';")
	assert a.err == b"one\n" + b"x" * 5000 + b"\n" and a.body == b"ok"


def test_missing_script(fresh):
	id, conn = fresh.cell()
	a = conn.ask(fresh.params("nope.php"))
	assert a.status == 404 and a.body == b"File not found.\n" and a.ended
	id, conn = fresh.cell()
	os.makedirs(os.path.join(fresh.docroot, "dir.php"), exist_ok=True)
	assert conn.ask(fresh.params("dir.php")).status == 403
	id, conn = fresh.cell()
	assert conn.ask(fresh.params("x", SCRIPT_FILENAME="relative.php")).status == 404


@pytest.mark.skipif(not ROOT, reason="needs a file of somebody else")
def test_unreadable_script(fresh):
	p = os.path.join(fresh.docroot, "secret.php")
	open(p, "w").write("<?php echo 1;")
	os.chmod(p, 0o600)
	id, conn = fresh.cell()
	assert conn.ask(fresh.params("secret.php")).status == 403


# --- timing ------------------------------------------------------------------------------------------------------------------


def test_flush_arrives_at_once(fresh):
	start = time.monotonic()
	a = fresh.php("echo 'early'; ob_end_flush(); flush(); usleep(400000); echo 'late';")
	assert a.body == b"earlylate"
	first, last = a.at[0][0] - start, a.at[-1][0] - start
	assert last - first > 0.3, a.at


def test_unflushed_output_is_one_piece(fresh):
	a = fresh.php("echo 'a'; usleep(1000); echo 'b';")
	assert len(a.at) <= 2


def test_long_output_comes_in_long_pieces(fresh):
	"""The first is sent at once, later ones are longer; what comes slowly is not held back for long, and flush() not at all."""
	line = "str_repeat('x', 1023) . 'y'"
	a = fresh.php("for ($i = 0; $i < 200; $i++) { echo %s; }" % line)
	assert a.body == (b"x" * 1023 + b"y") * 200 and len(a.at) <= 12, a.at
	assert a.at[0][1] <= 8192
	start = time.monotonic()
	a = fresh.php("for ($i = 0; $i < 30; $i++) { echo %s; usleep(20000); }" % line)
	assert a.body == (b"x" * 1023 + b"y") * 30 and a.at[0][0] - start < 0.5 and len(a.at) >= 5, a.at
	a = fresh.php("ob_end_flush(); echo str_repeat('x', 10000); echo 'y'; flush(); usleep(300000); echo 'z';")
	assert a.body == b"x" * 10000 + b"yz"
	flushed = [at for at, n in a.at if n >= len(a.out) - 1]
	assert a.at[-1][0] - flushed[0] > 0.2, a.at
	a = fresh.php("echo str_repeat('x', 100000); fastcgi_finish_request(); usleep(300000); echo 'discarded';")
	assert a.body == b"x" * 100000 and a.ended


def test_flush_before_output_sends_head(fresh):
	a = fresh.php("header('X-Early: 1'); flush(); usleep(300000); echo headers_sent() ? 'sent' : 'not';")
	assert a.body == b"sent" and a.at[-1][0] - a.at[0][0] > 0.2


def test_max_execution_time(fresh):
	start = time.monotonic()
	a = fresh.php("ini_set('display_errors', 0); set_time_limit(1); while (true);")
	assert a.status == 500 and b"Maximum execution time of 1 second exceeded" in a.err
	assert time.monotonic() - start < 6


def test_memory_limit(fresh):
	a = fresh.php("ini_set('display_errors', 0); ini_set('memory_limit', '16M'); $a = ''; while (true) $a .= str_repeat('x', 1 << 20);")
	assert a.status == 500 and b"Allowed memory size of 16777216 bytes exhausted" in a.err


def test_client_abort(fresh):
	mark = os.path.join(fresh.docroot, "aborted")
	code = ("<?php register_shutdown_function(function () { file_put_contents(__DIR__ . '/aborted', connection_status()); }); "
		"for ($i = 0; $i < 500; $i++) { echo str_repeat('x', 5000); flush(); usleep(10000); } file_put_contents(__DIR__ . '/end', 1);")
	open(os.path.join(fresh.docroot, "abort.php"), "w").write(code)
	id, conn = fresh.cell()
	conn.sock.sendall(wire.request(fresh.params("abort.php")))
	conn.sock.recv(10000)
	conn.close()
	assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id, 3)) == (0, 0, 0, -1)
	assert open(mark).read() == "1"
	assert not os.path.exists(os.path.join(fresh.docroot, "end"))


def test_flush_without_output_notices_abort(fresh):
	open(os.path.join(fresh.docroot, "abort3.php"), "w").write("<?php header('X: y'); flush(); "
		"for ($i = 0; $i < 500; $i++) { flush(); usleep(10000); } file_put_contents(__DIR__ . '/end3', 1);")
	id, conn = fresh.cell()
	conn.sock.sendall(wire.request(fresh.params("abort3.php")))
	conn.sock.recv(10000)
	conn.close()
	fresh.expect(wire.CELL_GONE, id, 3)
	assert not os.path.exists(os.path.join(fresh.docroot, "end3"))


def test_ignore_user_abort(fresh):
	code = ("<?php ignore_user_abort(true); for ($i = 0; $i < 30; $i++) { echo str_repeat('x', 5000); flush(); usleep(10000); } "
		"file_put_contents(__DIR__ . '/ignored', connection_aborted());")
	open(os.path.join(fresh.docroot, "abort2.php"), "w").write(code)
	id, conn = fresh.cell()
	conn.sock.sendall(wire.request(fresh.params("abort2.php")))
	conn.sock.recv(10000)
	conn.close()
	fresh.expect(wire.CELL_GONE, id, 5)
	assert open(os.path.join(fresh.docroot, "ignored")).read() == "1"


def test_cut_body_never_reaches_a_script(fresh):
	open(os.path.join(fresh.docroot, "cut.php"), "w").write("<?php file_put_contents(__DIR__ . '/cut', file_get_contents('php://input'));")
	id, conn = fresh.cell()
	whole = wire.request(fresh.params("cut.php", method="POST", CONTENT_LENGTH="100000", CONTENT_TYPE="a/b"), b"x" * 100000)
	conn.sock.sendall(whole[:-30000])
	conn.close()
	assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id))[0] == 0
	assert not os.path.exists(os.path.join(fresh.docroot, "cut"))


def test_finish_request(fresh):
	mark = os.path.join(fresh.docroot, "after")
	open(os.path.join(fresh.docroot, "finish.php"), "w").write("<?php header('X-F: 1'); echo 'done'; var_dump(1); "
		"$r = fastcgi_finish_request(); usleep(400000); echo 'lost'; flush(); error_log('afterwards'); "
		"file_put_contents(__DIR__ . '/after', json_encode([$r, fastcgi_finish_request(), connection_status()]));")
	id, conn = fresh.cell()
	start = time.monotonic()
	a = conn.ask(fresh.params("finish.php"), keep=True)
	assert a.ended and time.monotonic() - start < 0.3
	assert a.body == b"doneint(1)\n" and a.get("X-F") == ["1"]
	assert conn.at_end(0.2)
	assert not os.path.exists(mark)
	fresh.expect(wire.CELL_GONE, id, 3)
	assert json.loads(open(mark).read()) == [True, False, 0]
	assert "afterwards" in fresh.log()


@pytest.mark.parametrize("work", [0, 300000])
def test_finish_request_keeps_the_cell(shared, work):
	"""The front hears that there is work left, and by one octet that it is done; the next request has the same process."""
	open(os.path.join(shared.docroot, "later.php"), "w").write("<?php echo getmypid(); fastcgi_finish_request(); usleep(%d); echo 'lost';" % work)
	id, conn = shared.cell()
	for rid in (1, 2, 3):
		start = time.monotonic()
		a = conn.ask(shared.params("later.php"), keep=True, rid=rid)
		assert a.ended and a.app_status == wire.CELL_LATER and (not work or time.monotonic() - start < 0.25)
		assert int(a.body) > 1 and (rid == 1 or a.body == body)
		body = a.body
		assert conn.octet() == b"\x42"
		assert time.monotonic() - start >= work / 1e6
	a = conn.ask(shared.params("later.php"), keep=False, rid=4)
	assert a.body == body and conn.at_end()
	shared.expect(wire.CELL_GONE, id)


# --- isolation of requests -----------------------------------------------------------------------------------------------------


def test_fresh_cell_serves_one_request(fresh):
	open(os.path.join(fresh.docroot, "pid.php"), "w").write("<?php echo getmypid();")
	id, conn = fresh.cell()
	a = conn.ask(fresh.params("pid.php"), keep=True)
	assert a.ended and conn.at_end()
	fresh.expect(wire.CELL_GONE, id)


def test_shared_cell_goes_on(shared):
	open(os.path.join(shared.docroot, "state.php"), "w").write(
		"<?php echo json_encode([getmypid(), getcwd(), umask(), ini_get('precision'), date_default_timezone_get(), setlocale(LC_ALL, 0), "
		"ignore_user_abort(), http_response_code(), headers_list() === [] || true, getenv('LEAK'), error_get_last(), defined('LEAK'), "
		"$_SERVER['PHP_AUTH_USER'] ?? null, session_status(), ob_get_level(), file_get_contents('php://input'), count(get_included_files())]); "
		"define('LEAK', 1); $GLOBALS['leak'] = 1; "
		"ini_set('precision', 5); putenv('LEAK=1'); apache_setenv('LEAK', '2'); date_default_timezone_set('Asia/Tokyo'); setlocale(LC_ALL, 'C.UTF-8'); "
		"umask(077); chdir('/'); ignore_user_abort(true); http_response_code(404); session_start(); ob_start(); set_error_handler(fn() => true);")
	id, conn = shared.cell()
	import base64
	first = conn.ask(shared.params("state.php", method="POST", CONTENT_LENGTH="5", CONTENT_TYPE="text/plain",
		HTTP_AUTHORIZATION="Basic " + base64.b64encode(b"a:b").decode()), b"hello", keep=True)
	second = conn.ask(shared.params("state.php"), keep=True, rid=2)
	third = conn.ask(shared.params("state.php"), keep=True, rid=3)
	a, b, c = (json.loads(x.body) for x in (first, second, third))
	assert first.status == second.status == 404
	assert a[0] == b[0] == c[0]
	assert b == c
	a[12], a[15] = None, ""
	assert a == b
	conn.close()
	assert wire.cell_gone(shared.expect(wire.CELL_GONE, id)) == (0, 0, 0, -1)


def test_shared_unread_body_does_not_leak_into_the_next(shared):
	open(os.path.join(shared.docroot, "ignore.php"), "w").write("<?php echo 'ignored';")
	open(os.path.join(shared.docroot, "len.php"), "w").write("<?php echo strlen(file_get_contents('php://input'));")
	id, conn = shared.cell()
	for n in (0, 10, 8192, 100000, 1):
		a = conn.ask(shared.params("ignore.php", method="PUT", CONTENT_LENGTH=str(n), CONTENT_TYPE="a/b"), b"x" * n, keep=True)
		assert a.ended and a.body == b"ignored"
		assert conn.ask(shared.params("len.php"), keep=True).body == b"0"
	conn.close()


def test_shared_without_keep_conn_closes(shared):
	open(os.path.join(shared.docroot, "ignore.php"), "w").write("<?php echo 'ignored';")
	id, conn = shared.cell()
	assert conn.ask(shared.params("ignore.php")).ended
	assert conn.at_end()
	shared.expect(wire.CELL_GONE, id)


def test_max_requests(docroot):
	z = Zygote(docroot, isolation="shared", max_requests=3)
	open(os.path.join(docroot, "pid.php"), "w").write("<?php echo getmypid();")
	id, conn = z.cell()
	pids = {conn.ask(z.params("pid.php"), keep=True).body for _ in range(3)}
	assert len(pids) == 1
	# The reading side was shut before END_REQUEST: a fourth request is refused whole, so it can go elsewhere.
	with pytest.raises(BrokenPipeError):
		conn.sock.sendall(wire.request(z.params("pid.php"), keep=True))
	z.expect(wire.CELL_GONE, id)
	assert z.stop() == 0


def test_fatal_in_shared_cell(shared):
	open(os.path.join(shared.docroot, "fatal.php"), "w").write("<?php ini_set('display_errors', 0); nope();")
	open(os.path.join(shared.docroot, "ignore.php"), "w").write("<?php echo 'ignored';")
	id, conn = shared.cell()
	assert conn.ask(shared.params("fatal.php"), keep=True).status == 500
	assert conn.ask(shared.params("ignore.php"), keep=True).body == b"ignored"
	conn.close()


def test_random_numbers_differ(fresh):
	code = "echo json_encode([mt_rand(), rand(), lcg_value(), uniqid('', true), bin2hex(random_bytes(8)), bin2hex(openssl_random_pseudo_bytes(8)), str_shuffle('abcdefghijklmnopqrstuvwxyz'), session_create_id()]);"
	seen = [json.loads(fresh.php(code).body) for _ in range(20)]
	for column in zip(*seen):
		assert len(set(column)) == len(column)


def end(z, id, conn):
	"""Away with a cell, and not before it is gone does the next test count what there is."""
	wire.send(z.front, wire.Msg(wire.CELL_KILL, id))
	z.expect(wire.CELL_GONE, id)
	conn.close()


def written_kb(pid):
	"""What of its memory a process has for itself."""
	text = open("/proc/%d/smaps_rollup" % pid).read()
	return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_Dirty:"))


@pytest.mark.skipif(tuple(int(n) for n in os.uname().release.split(".")[:2]) < (5, 14), reason="needs MADV_POPULATE_WRITE")
def test_pages_are_there_before_the_request(fresh, shared):
	"""A rehearsal has shown which pages a request writes to: a fresh cell waits with them, a shared one without."""
	kb = []
	for z in (fresh, shared):
		id, conn = z.cell()
		cell = max(z.children())
		proc.wait_for(lambda: open("/proc/%d/comm" % cell).read() == "bh-cell\n")
		time.sleep(0.1)
		kb.append(written_kb(cell))
		end(z, id, conn)
	assert kb[0] > kb[1] + 100, kb


def minor_faults(pid):
	return int(open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[7])


@pytest.mark.skipif(tuple(int(n) for n in os.uname().release.split(".")[:2]) < (5, 14), reason="needs MADV_POPULATE_WRITE")
def test_a_request_finds_its_memory_mapped(fresh, shared):
	"""The first request of a cell takes page faults for what it visits; a fresh cell knows of most of it from the rehearsal."""
	n = []
	for z in (fresh, shared):
		open(os.path.join(z.docroot, "pause.php"), "w").write("<?php echo 1; ob_end_flush(); flush(); sleep(2);")
		id, conn = z.cell()
		cell = max(z.children())
		proc.wait_for(lambda: open("/proc/%d/comm" % cell).read() == "bh-cell\n")
		time.sleep(0.1)
		before = minor_faults(cell)
		conn.sock.sendall(wire.request(z.params("pause.php")))
		time.sleep(0.5)
		n.append(minor_faults(cell) - before)
		end(z, id, conn)
	assert 0 < 2 * n[0] < n[1], n


def test_nothing_is_writable_and_executable(fresh, shared):
	"""However a zygote has arranged code and data: what runs cannot be written to, and the linker's constants neither."""
	for z in (fresh, shared):
		id, conn = z.cell()
		cell = max(z.children())
		proc.wait_for(lambda: open("/proc/%d/comm" % cell).read() == "bh-cell\n")
		maps = [line.split(None, 5) for line in open("/proc/%d/maps" % cell)]
		perms = {m[1] for m in maps}
		assert "r-xp" in perms and "rw-p" in perms and not [p for p in perms if "w" in p and "x" in p], perms
		image = {m[1] for m in maps if len(m) > 5 and m[5].startswith("/memfd:image")}
		assert image == ({"rw-p", "r--p", "r-xp"} if z is fresh else {"rw-p", "r--p"}), image
		end(z, id, conn)


def test_rehearsal_leaves_nothing_behind(docroot):
	"""What a zygote tries out at its start is no request: no session, no line in a log."""
	for auto in ("0", "1"):
		d = os.path.join(docroot, "sessions" + auto)
		os.mkdir(d)
		os.chmod(d, 0o777)
		z = Zygote(docroot, ini=[("session.auto_start", auto, True), ("session.save_path", d, True)])
		assert os.listdir(d) == [] and z.children() == []
		assert z.php("echo session_status() === PHP_SESSION_ACTIVE ? 1 : 0;").body == auto.encode()
		assert len(os.listdir(d)) == int(auto)
		assert z.log() == "" and "rehears" not in z.started_err()
		assert z.stop() == 0


def test_session(fresh):
	a = fresh.php("session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];")
	cookie = a.get("Set-Cookie")[0].split(";")[0]
	assert a.body == b"1"
	assert fresh.php("session_start(); echo ++$_SESSION['n'];", HTTP_COOKIE=cookie).body == b"2"


def test_opcache_is_shared_by_cells(shared):
	"""As under mod_php; for the other levels see test_opcache.py."""
	p = os.path.join(shared.docroot, "cached.php")
	open(p, "w").write("<?php $s = opcache_get_status(true); echo json_encode([$s['opcache_enabled'], isset($s['scripts'][__FILE__]), "
		"$s['scripts'][__FILE__]['hits'] ?? null, $s['jit']['on'] ?? false]);")
	os.utime(p, (time.time() - 100, time.time() - 100))
	got = []
	for _ in range(3):
		id, conn = shared.cell()
		got.append(json.loads(conn.ask(shared.params("cached.php")).body))
	assert [g[0] for g in got] == [True] * 3 and got[2][3] is False
	assert got[2][1] and got[2][2] > got[1][2] >= 0, got


# --- settings -------------------------------------------------------------------------------------------------------------------


def test_ini(docroot):
	z = Zygote(docroot, ini=[("memory_limit", "77M", False), ("open_basedir", docroot + ":/tmp", True), ("display_errors", "0", True),
		("disable_functions", "phpinfo,md5", True), ("error_prepend_string", "it's \"a\" ${x}\ty", False), ("pcre.jit", "1", True),
		("opcache.memory_consumption", "33", True), ("enable_dl", "1", True), ("opcache.max_accelerated_files", "300", False)])
	a = z.php("echo json_encode([ini_get('memory_limit'), ini_set('memory_limit', '78M'), ini_get('memory_limit'), "
		"ini_set('display_errors', '1'), ini_get('display_errors'), ini_get('open_basedir'), @file_get_contents('/etc/passwd'), "
		"function_exists('md5'), ini_get('error_prepend_string'), ini_get('pcre.jit'), ini_get('opcache.memory_consumption'), ini_get('enable_dl'), "
		"ini_get('opcache.max_accelerated_files') === '300']);")
	assert json.loads(a.body) == ["77M", "77M", "78M", False, "0", docroot + ":/tmp", False, False, "it's \"a\" ${x}\ty", "1", "33", "0", False]
	assert json.loads(z.php("echo json_encode(ini_get('memory_limit'));").body) == "77M"
	assert z.stop() == 0


def test_ini_of_a_request(shared):
	open(os.path.join(shared.docroot, "ini.php"), "w").write("<?php echo json_encode([ini_get('precision'), ini_set('precision', '3'), "
		"ini_get('html_errors'), @ini_set('html_errors', '1'), ini_get('enable_dl'), $_SERVER['PHP_VALUE'] ?? null, $_SERVER['PHP_ADMIN_VALUE'] ?? null]);")
	id, conn = shared.cell()
	plain = json.loads(conn.ask(shared.params("ini.php"), keep=True).body)
	a = json.loads(conn.ask(shared.params("ini.php", PHP_VALUE="precision=9\nenable_dl=1\nnonsense=1", PHP_ADMIN_VALUE="html_errors=0\n"), keep=True).body)
	assert a == ["9", "9", "0", False, "0", None, None]
	again = json.loads(conn.ask(shared.params("ini.php"), keep=True).body)
	assert again == plain and plain[0] != "9"
	conn.close()


def test_mail_fails_with_a_reason(fresh):
	a = fresh.php("ini_set('display_errors', 0); var_dump(mail('a@example.org', 's', 'b')); var_dump(@exec('id')); echo 'alive';")
	assert a.body.endswith(b"alive") and a.body.startswith(b"bool(false)")
	assert a.gone[0] == 0


# --- locks ------------------------------------------------------------------------------------------------------------------------


def status_fields(pid):
	return dict(line.split(":\t", 1) for line in open("/proc/%d/status" % pid).read().splitlines() if ":\t" in line)


def test_locks_in_proc(fresh):
	open(os.path.join(fresh.docroot, "wait.php"), "w").write("<?php echo getmypid(); ob_end_flush(); flush(); sleep(3);")
	id, conn = fresh.cell()
	conn.sock.sendall(wire.request(fresh.params("wait.php")))
	time.sleep(0.3)
	cells = fresh.children()
	assert len(cells) == 1
	for pid in (fresh.p.pid, cells[0]):
		s = status_fields(pid)
		assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
		assert s["Seccomp_filters"] == ("1" if pid == fresh.p.pid else "2")
		assert s["Threads"] == "1"
		assert all(int(s[c], 16) == 0 for c in ("CapInh", "CapPrm", "CapEff", "CapAmb"))
		if ROOT:
			assert int(s["CapBnd"], 16) == 0
			assert s["Uid"].split() == [str(USER.pw_uid)] * 4 and s["Gid"].split() == [str(USER.pw_gid)] * 4
			assert s["Groups"].split() == [str(USER.pw_gid)]
		limits = open("/proc/%d/limits" % pid).read()
		assert "Max core file size        0                    0" in limits
	assert [open("/proc/%d/comm" % pid).read() for pid in (cells[0], fresh.p.pid)] == ["bh-cell\n", "bh-zygote\n"]
	if not ROOT:
		return  # not dumpable: its descriptors are not for us to see
	fds = {int(f): os.readlink("/proc/%d/fd/%s" % (cells[0], f)) for f in os.listdir("/proc/%d/fd" % cells[0])}
	assert fds.pop(0) == "/dev/null" and fds.pop(1).startswith("pipe:") and fds.pop(2).startswith("pipe:")
	# Opcache's lock is the connection; the pipe leads to the zygote, which is told what had to be compiled.
	assert fds[3].startswith("socket:") and fds.pop(3) == fds.pop(4) and fds.pop(5).startswith("pipe:")
	assert fds.pop(61).startswith("/memfd:image")  # sealed: what a fresh cell starts from
	# And files of libraries, system's own, with code that no request has needed yet.
	assert all(v.endswith("wait.php") for n, v in fds.items() if n < 60), fds
	assert all(v.startswith("/memfd:image") or os.stat(v).st_uid == 0 and ".so" in os.path.basename(v) for n, v in fds.items() if n >= 60), fds
	wire.send(fresh.front, wire.Msg(wire.CELL_KILL, id))
	assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id)) == (1, 1, 9, -1)


FFI = "$f = FFI::cdef('long syscall(long n, ...); int *__errno_location(void);'); function sys(...$a) { global $f; $r = $f->syscall(...$a); return $r == -1 ? -$f->__errno_location()[0] : $r; } "


@pytest.fixture(scope="module")
def hostile(docroot):
	"""Scripts may call any system call."""
	z = Zygote(docroot, ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


@pytest.mark.parametrize("nr,name", [(101, "ptrace"), (272, "unshare"), (321, "bpf"), (165, "mount"), (317, "seccomp"), (161, "chroot")])
def test_violation_is_named(hostile, nr, name):
	if os.uname().machine != "x86_64":
		pytest.skip("numbers of x86_64")
	a = hostile.php("echo 'before'; ob_end_flush(); flush(); " + FFI + "sys(%d, 0, 0, 0); echo 'after';" % nr)
	assert a.body == b"before" and not a.ended
	assert a.gone == (2, 0, int(signal.SIGSYS), nr)


def test_violation_cannot_be_caught(hostile):
	if os.uname().machine != "x86_64":
		pytest.skip("numbers of x86_64")
	# rt_sigaction(SIGSYS) is refused; with SIGSYS blocked the kernel kills all the same, only the number is not known.
	a = hostile.php(FFI + "echo sys(13, 31, 0, 0, 8); ob_end_flush(); flush(); sys(101, 0);")
	assert a.body == b"-1" and a.gone == (2, 0, int(signal.SIGSYS), 101)
	a = hostile.php(FFI + "$m = $f->new('unsigned long[1]'); $m[0] = -1; echo sys(14, 0, FFI::addr($m), null, 8); ob_end_flush(); flush(); sys(101, 0);")
	assert a.body == b"0" and a.gone == (2, 0, int(signal.SIGSYS), -1)


def test_refusals(hostile):
	if os.uname().machine != "x86_64":
		pytest.skip("numbers of x86_64")
	a = hostile.php(FFI + "echo json_encode([sys(59, null, null, null), sys(57), sys(62, posix_getppid(), 9), sys(234, posix_getppid(), posix_getppid(), 6), "
		"sys(105, 0), sys(435, null, 0), sys(425, 1, null), sys(319, null, 0), sys(9, 0, 4096, 7, 34, -1, 0), sys(157, 1, 0)]);")
	assert json.loads(a.body) == [-1, -1, -1, -1, -1, -38, -1, -38, -38, -1]
	assert hostile.php("echo 'still';").body == b"still"


def test_pcntl_fork_is_refused(hostile):
	a = hostile.php("echo function_exists('pcntl_fork') ? @pcntl_fork() : -1;")
	assert a.body == b"-1"


def test_crash_is_reported(hostile):
	a = hostile.php("echo 'x'; ob_end_flush(); flush(); " + FFI + "FFI::memset($f->cast('char *', 8), 1, 1);")
	assert a.gone[0] == 1 and a.gone[1] == 0 and a.gone[2] == signal.SIGSEGV
	assert not a.ended
	assert hostile.php("echo 'still';").body == b"still"


def test_abort_is_reported(hostile):
	a = hostile.php("$f = FFI::cdef('void abort(void);'); $f->abort();")
	assert a.gone == (1, 0, int(signal.SIGABRT), -1)


def test_threads_work(hostile):
	"""libcurl resolves in a thread."""
	a = hostile.php("$c = curl_init('http://localhost:1/'); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1); curl_exec($c); echo curl_errno($c);")
	assert a.body == b"7"  # could not connect: the name was resolved


def test_extensions_work(fresh):
	a = fresh.php("$i = imagecreatetruecolor(20, 20); ob_start(); imagepng($i); $png = ob_get_clean(); echo json_encode([substr($png, 1, 3), "
		"(new Collator('de'))->compare('a', 'b'), iconv('UTF-8', 'KOI8-R', 'x'), mb_convert_encoding('x', 'SJIS'), preg_match('/a+/u', 'aaa'), "
		"gethostbyname('127.0.0.1'), count(openssl_get_cipher_methods()) > 10, strlen(gzencode('x')) > 5, simplexml_load_string('<a/>') !== false]);")
	assert json.loads(a.body) == ["PNG", -1, "x", "x", 1, "127.0.0.1", True, True, True]


def test_database_by_socket(fresh, tmp):
	"""mysqli and PDO over MariaDB's unix socket, logged in by the site's user id."""
	if not servers.tool("mariadbd", "mysqld"):
		pytest.skip("no MariaDB")
	db = servers.MariaDb(tmp + "/celldb")
	db.start(timeout=60)
	try:
		db.sql("CREATE USER '%s'@localhost IDENTIFIED VIA unix_socket" % USER.pw_name)
		a = fresh.php("mysqli_report(MYSQLI_REPORT_OFF); $m = new mysqli('localhost', '%s', '', '', 0, '%s'); "
			"$p = new PDO('mysql:unix_socket=%s', '%s'); $r = @new mysqli('localhost', 'root2', '', '', 0, '%s'); "
			"echo json_encode([$m->query('select current_user()')->fetch_row()[0], $p->query('select 1+1')->fetchColumn(), $r->connect_errno > 0]);"
			% (USER.pw_name, db.sock, db.sock, USER.pw_name, db.sock))
		assert json.loads(a.body) == [USER.pw_name + "@localhost", 2, True]
	finally:
		assert db.stop() == []


# --- the channel ---------------------------------------------------------------------------------------------------------------------


def test_kill(fresh):
	open(os.path.join(fresh.docroot, "sleep.php"), "w").write("<?php sleep(60);")
	id, conn = fresh.cell()
	conn.sock.sendall(wire.request(fresh.params("sleep.php")))
	time.sleep(0.1)
	wire.send(fresh.front, wire.Msg(wire.CELL_KILL, id))
	assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id, 2)) == (1, 1, int(signal.SIGKILL), -1)
	# A second kill, or one for a cell that never was, hits nobody.
	wire.send(fresh.front, wire.Msg(wire.CELL_KILL, id))
	wire.send(fresh.front, wire.Msg(wire.CELL_KILL, 0xffffffff))
	assert fresh.php("echo 'still';").body == b"still"


def test_idle_cell_ends_with_its_socket(fresh):
	id, conn = fresh.cell()
	conn.close()
	assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id, 3)) == (0, 0, 0, -1)


def test_junk_instead_of_fastcgi_ends_the_cell(fresh):
	for junk in (b"GET / HTTP/1.0\r\n\r\n" * 10, b"\0" * 100, wire.record(wire.PARAMS, b"abc"), wire.record(wire.BEGIN, b"\0\1")):
		id, conn = fresh.cell()
		conn.sock.sendall(junk)
		conn.close()
		assert wire.cell_gone(fresh.expect(wire.CELL_GONE, id, 5))[0] == 0


def test_many_cells_at_once(fresh):
	open(os.path.join(fresh.docroot, "pid.php"), "w").write("<?php echo getmypid();")
	cells = [fresh.cell() for _ in range(30)]
	assert len(fresh.children()) >= 30
	pids = {conn.ask(fresh.params("pid.php")).body for _, conn in cells}
	assert len(pids) == 30
	for id, conn in cells:
		conn.close()
		fresh.expect(wire.CELL_GONE, id)
	proc.wait_for(lambda: not fresh.children(), 5, why="cells of earlier tests gone")


@pytest.mark.parametrize("bad", [
	wire.encode(wire.Msg(wire.SITE_WANT, 1)), wire.encode(wire.Msg(wire.CELL_GONE, 1)), b"\0", b"x" * 600,
	wire.encode(wire.Msg(wire.CELL_WANT, 1)) + b"x"])
def test_protocol_error_ends_the_zygote(docroot, bad):
	z = Zygote(docroot)
	z.front.send(bad)
	assert z.p.wait(5) == 0
	assert "broke the protocol" in z.log()
	z.front.close()
	os.close(z.log_fd)


def test_id_in_use_is_a_protocol_error(docroot):
	z = Zygote(docroot)
	_, conn = z.cell() # held: without it the cell would end and its number be free again
	wire.send(z.front, wire.Msg(wire.CELL_WANT, 1))
	z.front.settimeout(5)
	assert z.front.recv(600) == b"", "the zygote ends the conversation"
	conn.close()
	assert z.p.wait(5) == 0
	z.front.close()
	os.close(z.log_fd)


def test_front_gone_leaves_no_process(docroot):
	z = Zygote(docroot)
	open(os.path.join(docroot, "slow.php"), "w").write("<?php usleep(700000); file_put_contents(__DIR__ . '/slow-done', 1);")
	cells = [z.cell() for _ in range(5)]
	pids = z.children()
	busy = cells[0][1]
	busy.sock.sendall(wire.request(z.params("slow.php")))
	time.sleep(0.1)
	z.front.close()
	for _, conn in cells[1:]:
		conn.close()
	assert busy.answer().ended  # the request that was inside is finished
	assert z.p.wait(5) == 0
	assert os.path.exists(os.path.join(docroot, "slow-done"))
	assert not any(proc.alive(p) for p in pids)
	os.close(z.log_fd)


def test_cells_die_with_the_zygote(docroot):
	z = Zygote(docroot)
	open(os.path.join(docroot, "sleep.php"), "w").write("<?php sleep(60);")
	id, conn = z.cell()
	conn.sock.sendall(wire.request(z.params("sleep.php")))
	time.sleep(0.1)
	pids = z.children()
	z.p.kill()
	z.p.wait()
	proc.wait_for(lambda: (proc.reap(), not any(proc.alive(p) for p in pids))[1], 3, why="cells gone")
	z.front.close()
	os.close(z.log_fd)


def test_concurrent_requests(shared):
	open(os.path.join(shared.docroot, "echo.php"), "w").write("<?php echo $_GET['n'];")
	cells = [shared.cell() for _ in range(4)]
	bad = []

	def loop(k, conn):
		for i in range(200):
			n = "%d-%d" % (k, i)
			if conn.ask(shared.params("echo.php", uri="/?n=" + n), keep=True).body.decode() != n:
				bad.append(n)
	threads = [threading.Thread(target=loop, args=(k, c[1])) for k, c in enumerate(cells)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	assert bad == []
	for id, conn in cells:
		conn.close()
		shared.expect(wire.CELL_GONE, id)
