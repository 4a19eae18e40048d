# SPDX-License-Identifier: Apache-2.0
"""What scripts can do, on every path: headers, statuses, bodies, uploads, flush, abort, errors, limits, isolation."""
import hashlib
import json
import os
import re
import socket
import threading
import time

import pytest

import proc
from cases import Broken, Case, fill, req, run, table


NOT_LISTED = "500 for a status that it does not know"


def out(id, query, status=200, **k):
	return Case(id, req("/out.php?" + query), status=status, on="php", **k)


OUT = [
	out("header", "h[]=X-One:%201&body=b", has={"X-One": "1"}, body=b"b", conn="open"),
	out("header-twice", "h[]=X-One:%201&h[]=X-Two:%202", has={"X-One": "1", "X-Two": "2"}),
	out("status-function", "status=404&body=own", 404, body=b"own", conn="open"),
	out("status-200", "status=200"), out("status-201", "status=201", 201), out("status-299", "status=299", 299, skip={"apache": NOT_LISTED}), out("status-418", "status=418&body=t", 418, body=b"t", skip={"apache": NOT_LISTED}),
	out("status-500", "status=500&body=own", 500, body=b"own", conn="open", skip={"apache": "closes"}), out("status-503", "status=503", 503), out("status-599", "status=599", 599, skip={"apache": NOT_LISTED}),
	out("status-599-body", "status=599&body=z", 599, body=b"z", skip={"apache": NOT_LISTED}),
	out("status-204", "status=204&body=x", 204, body=b"", conn="open"), out("status-304", "status=304&body=x", 304, body=b"", conn="open"),
	out("status-205", "status=205", 205),
	out("status-line", "h[]=HTTP/1.1%20410%20Gone%20Away&body=x", 410, body=b"x"),
	out("status-field", "h[]=Status:%20402%20Pay&body=x", 402, body=b"x", has={"Status": None}, skip={"apache": "a field like any other"}),
	out("status-1xx-does-not-end", "status=102&body=x", (102, 200, 500, 502), body=re.compile(rb""), skip={"apache": "sends it as the final answer"}),
	out("location", "h[]=Location:%20http://elsewhere.test/", 302, has={"Location": "http://elsewhere.test/"}, conn="open"),
	out("location-relative", "h[]=Location:%20/hello.txt", 302, has={"Location": "/hello.txt"}),
	out("location-no-slash", "h[]=Location:%20other.php", 302, has={"Location": "other.php"}),
	out("location-status", "status=301&h[]=Location:%20/x", 301, has={"Location": "/x"}),
	out("location-201", "status=201&h[]=Location:%20/x&body=made", 201, has={"Location": "/x"}, body=b"made"),
	out("cookies", "h[]=Set-Cookie:%20a=1&h[]=Set-Cookie:%20b=2"),
	out("content-type", "h[]=Content-Type:%20application/pdf", has={"Content-Type": "application/pdf"}),
	out("content-type-default", "body=x", has={"Content-Type": "text/html; charset=UTF-8"}),
	out("content-length-right", "h[]=Content-Length:%205&body=12345", body=b"12345", has={"Content-Length": "5"}, conn="open"),
	out("own-date", "h[]=Date:%20Mon,%2001%20Jan%201990%2000:00:00%20GMT&body=x"),
	out("own-server", "h[]=Server:%20x&body=x"),
	out("header-crlf", "h[]=X-A:%201%0d%0aX-Evil:%201&body=x", has={"X-Evil": None}),
	out("header-nul", "h[]=X-A:%201%00x&body=x", has={"X-A": lambda v: v is None or "\0" not in v}),
	out("header-no-colon", "h[]=JustAName&body=x", (200, 502)),
	out("header-long", "h[]=X-Long:%20" + "y" * 6000 + "&body=x", has={"X-Long": "y" * 6000}),
	out("empty", "", body=b"", conn="open"),
	out("etag-304-by-script", "status=304&h[]=ETag:%20%22x%22", 304, has={"ETag": '"x"'}, body=b""),
	Case("head-no-body", req("/out.php?body=x&repeat=5000", method="HEAD"), on="php", method="HEAD", conn="open"),
	Case("exit", req("/exit.php"), 201, on="php", body=b"before\nshutdown\n", conn="open"),
	Case("fatal", req("/fatal.php"), 500, on="php"),
	Case("parse-error", req("/parse.php"), 500, on="php"),
	Case("memory", req("/memory.php"), 500, on="php"),
	Case("empty-post-json", req("/echo.php", "Content-Type: application/json\r\nContent-Length: 2\r\n", method="POST", body=b"{}"), on="php", body=b"{}", conn="open"),
]
cases = table(OUT)


@cases("php")
def test_php(php_target, peer, case):
	run(case, php_target, peer)


def test_cookies_stay_apart(php_target):
	r = php_target.get("/out.php?h[]=Set-Cookie:%20a=1&h[]=Set-Cookie:%20b=2")
	assert r.all("Set-Cookie") == ["a=1", "b=2"]


def test_error_in_log_not_in_answer(php_target):
	before = len(php_target.log())
	r = php_target.get("/fatal.php")
	assert r.status == 500 and b"no_such_function" not in r.body
	text = proc.wait_for(lambda: "no_such_function" in php_target.log()[before:] and php_target.log()[before:], 3, why="the error in the log")
	assert "fatal.php" in text and "about to call nothing" in text


def test_log_lines_cannot_be_forged(php_target, peer):
	before = len(php_target.log())
	assert php_target.get("/log.php?m=first%0a[Mon%20Jan]%20forged-line%1b[31m").body == b"logged\n"
	time.sleep(0.3)
	text = proc.wait_for(lambda: "forged-line" in php_target.log()[before:] and php_target.log()[before:], 3, why="the message in the log")
	if peer == "bulkhead":
		assert "\x1b" not in text
		for line in text.splitlines():
			assert not line.startswith("[Mon Jan] forged-line"), "a script wrote a log line of its own: %r" % line


def test_long_log_line(php_target, peer):
	if peer == "apache":
		pytest.skip("apache: cuts at 8 KB")
	before = len(php_target.log())
	php_target.get("/longlog.php?n=6000")
	proc.wait_for(lambda: "start-" in php_target.log()[before:] and "-end" in php_target.log()[before:], 3, why="the long message in the log")
	text = php_target.log()[before:]
	assert text.count("y") >= 6000


@pytest.mark.parametrize("n", [0, 1, 4095, 65535, 65536, 1000003, 20000000])
def test_body_round_trip(php_target, n):
	body = hashlib.sha256(b"%d" % n).digest() * (n // 32 + 1)
	body = body[:n]
	r = php_target.get("/echo.php", method="POST", body=body, headers="Content-Type: application/octet-stream\r\n", timeout=30)
	assert r.status == 200 and len(r.body) == n and r.body == body


@pytest.mark.parametrize("n", [1, 70000, 5000000])
def test_chunked_body_round_trip(php_target, n):
	body = b"0123456789abcdef" * (n // 16 + 1)
	body = body[:n]
	sizes = [1, 7, 4096, 65536, 100000]
	raw, at, i = b"", 0, 0
	while at < n:
		piece = body[at:at + sizes[i % len(sizes)]]
		raw += b"%x\r\n%s\r\n" % (len(piece), piece)
		at, i = at + len(piece), i + 1
	with php_target.conn(timeout=30) as c:
		c.send(fill(req("/echo.php", "Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n", method="POST", body=raw + b"0\r\n\r\n"), php_target))
		assert c.response().body == body


@pytest.mark.parametrize("n,length", [(10, ""), (8192, ""), (70000, "&length"), (3000000, ""), (30000000, "&length")])
def test_big_answer(php_target, n, length):
	r = php_target.get("/big.php?n=%d%s" % (n, length), timeout=30)
	assert r.status == 200 and len(r.body) == n
	want = b"".join(b"%015d\n" % i for i in range(0, min(n, 4000000), 16))[:n]
	assert r.body[:len(want)] == want


def test_upload(php_target):
	data = os.urandom(3000000)
	body = (b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="pic %s.bin"\r\n'
		b'Content-Type: application/x-test\r\n\r\n' % php_target.name.encode()) + data + b"\r\n--B--\r\n"
	d = json.loads(php_target.get("/upload.php", method="POST", body=body, headers="Content-Type: multipart/form-data; boundary=B\r\n").body)
	assert d["moved"] and d["size"] == len(data) and d["type"] == "application/x-test" and d["post"] == {"note": "hello"} and d["left"] is False
	with open(os.path.join(php_target.docroot, "var", "upload-pic %s.bin" % php_target.name), "rb") as f:
		assert f.read() == data


def test_upload_leaves_nothing(php_target, ini):
	body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + b"x" * 100000 + b"\r\n--B--\r\n"
	d = json.loads(php_target.get("/dump.php", method="POST", body=body, headers="Content-Type: multipart/form-data; boundary=B\r\n").body)
	assert d["files"]["f"]["size"] == 100000 and d["files"]["f"]["sha256"] == hashlib.sha256(b"x" * 100000).hexdigest()
	proc.wait_for(lambda: not os.listdir(ini["upload_tmp_dir"]), 3, why="upload directory empty")


def test_upload_too_big(php_target):
	body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + b"x" * 43000000 + b"\r\n--B--\r\n"
	r = php_target.get("/upload.php", method="POST", body=body, headers="Content-Type: multipart/form-data; boundary=B\r\n", timeout=30)
	assert r.status == 413 or json.loads(r.body)["error"] == 1, r


def test_flush_arrives_at_once(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/flush.php"), php_target))
		r = c.response()
	assert r.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
	# The header and the first piece come before the script's first pause has ended; the rest trickles.
	assert r.times[0] < 0.35, r.times
	assert r.times[-1] > 0.7, r.times
	assert len([t for t in r.times if t < 0.7]) >= 2, r.times


def test_session(php_target):
	r = php_target.get("/session.php")
	assert r.body == b"1\n"
	cookie = re.match(r"(PHPSESSID=[^;]+)", r.get("Set-Cookie")).group(1)
	for n in (2, 3, 4):
		assert php_target.get("/session.php", headers="Cookie: %s\r\n" % cookie).body == b"%d\n" % n
	assert php_target.get("/session.php").body == b"1\n"


def test_session_lock_released(php_target):
	"""Two requests of one session one after the other, quickly: the first one's lock is gone when it has answered."""
	cookie = re.match(r"(PHPSESSID=[^;]+)", php_target.get("/session.php").get("Set-Cookie")).group(1)
	began = time.monotonic()
	for n in range(2, 22):
		assert php_target.get("/session.php", headers="Cookie: %s\r\n" % cookie).body == b"%d\n" % n
	assert time.monotonic() - began < 5


def test_ini_from_configuration(php_target):
	d = json.loads(php_target.get("/ini.php?n[]=highlight.string&n[]=memory_limit&n[]=display_errors&n[]=date.timezone"
		"&set[memory_limit]=33M&set[highlight.string]=red").body)
	assert d["highlight.string"] == "#123456" and d["memory_limit"] == "96M" and d["display_errors"] == "0" and d["date.timezone"] == "UTC"
	assert d["set highlight.string"] is True and d["after highlight.string"] == "red"
	# php_admin_value cannot be changed by a script.
	assert d["set memory_limit"] is False and d["after memory_limit"] == "96M"


@pytest.mark.parametrize("ignore", ["", "&ignore"])
def test_client_abort(php_target, peer, ignore):
	name = "abort-%s-%s" % (php_target.name, "i" if ignore else "n")
	with php_target.conn() as c:
		c.send(fill(req("/abort.php?id=" + name + ignore), php_target))
		c.more()
	# After the client left, the next writes fail: the script sees it within a second or two.
	proc.wait_for(lambda: "aborted=1" in (php_target.var(name) or ""), 4, why="connection_aborted()")
	if ignore:
		assert "seen" in php_target.var(name)


def test_finish_request(php_target, peer):
	if peer == "apache":
		pytest.skip("apache: has no such function")
	name = "finish-" + php_target.name
	began = time.monotonic()
	r = php_target.get("/finish.php?id=" + name)
	assert r.body == b"done\n" and time.monotonic() - began < 0.6
	proc.wait_for(lambda: php_target.var(name) == "after\n", 4, why="work after the answer")


def test_post_after_a_finished_request(php_target, peer):
	"""The process that works on behind its answer gets no other request meanwhile: a POST could not be sent again."""
	if peer == "apache":
		pytest.skip("apache: has no such function")
	for i in range(6):
		assert php_target.get("/finish.php?id=finish-%s-%d" % (php_target.name, i)).body == b"done\n"
		r = php_target.get("/echo.php", method="POST", body=b"here", headers="Content-Type: text/plain\r\n")
		assert r.status == 200 and r.body == b"here", (i, r)


def test_process_stays_after_a_finished_request(php_target, peer):
	"""Frameworks finish every request like this: it must not cost a process each time, and what is done behind the answer is undone, too."""
	if peer == "apache":
		pytest.skip("apache: has no such function")
	answers = []
	for _ in range(24):
		answers.append(php_target.get("/behind.php"))
		time.sleep(0.01)
	pids = {a.get("x-pid") for a in answers}
	assert all(a.status == 200 for a in answers)
	if php_target.name == "fresh":
		assert len(pids) == len(answers)
	else:
		assert len(pids) < len(answers) // 2
	if php_target.name in ("fresh", "rollback"):
		assert {a.body for a in answers} == {b"clean\n"}


def test_cut_in_the_middle_is_visible(php_target):
	with php_target.conn() as c:
		c.send(fill(req("/crash.php?late"), php_target))
		with pytest.raises(Broken) as e:
			r = c.response()
			print(r)
	assert "cut" in str(e.value) or "end of connection" in str(e.value) or "reset" in str(e.value)


def test_crash_costs_one_request(php_target, peer):
	if peer == "apache":
		pytest.skip("apache: closes without an answer")
	before = len(php_target.log())
	r = php_target.get("/crash.php")
	assert r.status in (500, 502), r
	for _ in range(10):
		assert php_target.get("/hello.php").body == b"hello\n"
	text = proc.wait_for(lambda: "crash.php" in php_target.log()[before:] and php_target.log()[before:], 3, why="a log line about the crash")
	line = [x for x in text.splitlines() if "crash.php" in x][0]
	assert php_target.host in line or php_target.name in line, line


def test_time_limit_of_php(php_target):
	r = php_target.get("/spin.php", timeout=8)
	assert r.status == 500


def test_parallel(php_target):
	"""Six at once, each with its own answer."""
	errors = []
	def one(i):
		try:
			for n in range(10):
				body = b"%d-%d" % (i, n) * 1000
				r = php_target.get("/echo.php", method="POST", body=body, headers="Content-Type: a/b\r\n", timeout=20)
				assert r.body == body, "an answer of another request"
		except Exception as e:  # noqa: BLE001 # reported by the main thread
			errors.append(e)
	threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	assert not errors, errors[0]


def test_nothing_left_behind(php_target):
	"""Globals, ini values, environment, directory, umask, locale, handlers, headers, session: gone with the request."""
	clean = json.loads(php_target.get("/left.php").body)
	for _ in range(8):
		assert php_target.get("/leave.php").status == 201
	for _ in range(8):
		r = php_target.get("/left.php")
		assert r.status == 200 and r.get("X-Left") is None
		assert json.loads(r.body) == clean
	assert clean["memory_limit"] == "96M" and clean["cwd"] is True and not clean["function"] and clean["umask"] in (18, 63, 23, 2)


def test_random_differs(php_target):
	"""A forked cell must not repeat its siblings' random numbers."""
	got = [php_target.get("/random.php").body for _ in range(40)]
	for column in range(3):
		values = [g.split()[column] for g in got]
		assert len(set(values)) == len(values), values


@pytest.mark.bulkhead
def test_slow_upload_of_many_does_not_hold_php(php_target):
	"""Bodies that trickle in occupy the front only: everybody else is served at once."""
	slow = []
	try:
		for _ in range(30):
			c = php_target.conn()
			c.send(fill(req("/echo.php", "Content-Length: 1000000\r\nContent-Type: a/b\r\n", method="POST", body=b"x" * 1000), php_target))
			slow.append(c)
		began = time.monotonic()
		for _ in range(10):
			assert php_target.get("/hello.php").body == b"hello\n"
		assert time.monotonic() - began < 3
	finally:
		for c in slow:
			c.close()


@pytest.mark.bulkhead
def test_slow_readers_do_not_hold_php(php_target):
	"""Answers that clients do not read are the front's business: PHP is free again, others are served."""
	slow = []
	try:
		for _ in range(20):
			c = php_target.conn(rcvbuf=4096)
			c.send(fill(req("/big.php?n=400000"), php_target))
			slow.append(c)
		time.sleep(1.0)
		began = time.monotonic()
		for _ in range(10):
			assert php_target.get("/hello.php").body == b"hello\n"
		assert time.monotonic() - began < 3
		# And each of them still gets all of it.
		for c in slow[:3]:
			c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
			assert len(c.response().body) == 400000
	finally:
		for c in slow:
			c.close()
