# SPDX-License-Identifier: Apache-2.0
"""The FastCGI client against an application that misbehaves, and a pool whose members come and go."""
import re
import socket
import struct
import threading
import time

import pytest

import conftest
import proc
import rawhttp
import servers
import site_conf
from cases import Broken, req
from fcgi_stub import BEGIN, END, PARAMS, STDIN, STDOUT, Stub, record

pytestmark = pytest.mark.bulkhead


class Stand:
	"""One server of its own, whose pools are stubs."""

	def __init__(self, tmp, docroot, fleet, pools, timeout=20):
		conf = site_conf.common(docroot)
		for name, members in pools.items():
			conf += site_conf.pool(name, *members)
			conf += site_conf.worker_vhost(name + ".test", docroot, name, timeout=timeout)
		self.bulkhead = fleet.start(servers.Bulkhead(tmp + "/bulkhead", conf))

	def get(self, path="/hello.php", host="stub.test", **k):
		return self.bulkhead.get(host, path, **k)


@pytest.fixture(scope="module")
def stand(tmp, docroot):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	servers_up = conftest.Fleet()
	stub = Stub(tmp + "/stub.sock")
	st = Stand(tmp + "/stand", docroot, servers_up, {"stub": ["unix:" + stub.addr]})
	st.stub = stub
	yield st
	servers_up.stop()
	stub.close()


GOOD = {
	"ok": b"stub  0\n", "split": b"split\n", "padding": b"padded\n", "stderr": b"out more\n", "app_status": b"failed\n", "no_stdout_end": b"fine\n",
	"lf_head": b"body\n", "foreign_between": (b"own\n", 502), "unknown_type": (b"own\n", 502), "keep_close": b"bye\n",
}


@pytest.mark.parametrize("mode", GOOD)
def test_good(stand, mode):
	want = GOOD[mode]
	try:
		r = stand.get("/hello.php?mode=" + mode)
	except Broken as e:
		# Something foreign in the middle of an answer: it may be dropped, or the answer visibly cut.
		assert mode == "foreign_between" and ("cut" in str(e) or "end of connection" in str(e)), e
		return
	if isinstance(want, tuple) and r.status == want[1]:
		return
	assert r.body == (want[0] if isinstance(want, tuple) else want), r
	assert r.status == (201 if mode == "lf_head" else 200)


BAD = {
	"overloaded": 503, "cant_mpx": 503, "unknown_role": (500, 502, 503), "protocol_status": (500, 502, 503), "close": 502, "close_in_head": 502, "empty": 502, "only_end": 502,
	"end_in_head": 502, "stderr_only": 502, "garbage": 502, "version": 502, "wrong_id": 502, "no_head": 502, "bad_name": 502, "no_colon": 502,
	"nul_value": 502, "cr_value": 502, "status_text": 502, "status_big": 502, "status_low": 502, "status_neg": 502, "head_endless": 502,
	"bad_length": 502, "two_lengths": 502,
}


@pytest.mark.parametrize("mode", BAD)
def test_bad(stand, mode):
	"""A 5xx at once, with the reason in the log, and the next request is served."""
	want = BAD[mode] if isinstance(BAD[mode], tuple) else (BAD[mode],)
	before = len(stand.bulkhead.log())
	began = time.monotonic()
	r = stand.get("/hello.php?mode=" + mode)
	assert r.status in want, r
	assert time.monotonic() - began < 2
	assert r.get("X-Evil") is None and b"foreign" not in r.body
	text = proc.wait_for(lambda: "hello.php" in stand.bulkhead.log()[before:] and stand.bulkhead.log()[before:], 3, why="the reason in the log")
	assert "stub" in text
	assert stand.get("/hello.php?mode=ok").body == b"stub  0\n"


@pytest.mark.parametrize("mode", ["close_in_body", "close_in_length", "close_in_record"])
def test_cut_is_visible(stand, mode):
	try:
		r = stand.get("/hello.php?mode=" + mode)
		assert r.status == 502, "the client cannot tell that this was cut: %r" % r
	except Broken as e:
		assert "cut" in str(e) or "end of connection" in str(e) or "reset" in str(e), e
	assert stand.get("/hello.php?mode=ok").body == b"stub  0\n"


def test_bad_framing_of_script_removed(stand):
	r = stand.get("/hello.php?mode=chunked")
	assert r.status == 502 or r.body == b"body\n", r


def test_hints_before_the_answer(stand):
	"""Header blocks of status 1xx go no further over HTTP/1, and leave nothing in the answer."""
	r = stand.get("/hello.php?mode=hints")
	assert (r.status, r.interim, r.get("X-Own"), r.get("Link"), r.body) == (201, [], "1", None, b"body\n")


def test_interim_by_script_never_ends_the_answer(stand):
	r = stand.get("/hello.php?mode=interim", timeout=5)
	assert r.status >= 200


def test_stderr_to_log_only(stand):
	before = len(stand.bulkhead.log())
	r = stand.get("/hello.php?mode=stderr")
	assert b"complains" not in r.body
	text = proc.wait_for(lambda: "stub-complains two" in stand.bulkhead.log()[before:] and stand.bulkhead.log()[before:], 3, why="stderr in the log")
	assert "stub-complains one" in text


def test_stderr_cannot_fill_the_log(docroot, fleet, here):
	stub = Stub(here + "/stub.sock")
	try:
		st = Stand(here, docroot, fleet, {"stub": ["unix:" + stub.addr]})
		for _ in range(3):
			assert st.get("/hello.php?mode=stderr_flood").body == b"flooded\n"
		text = st.bulkhead.log()
		assert "lines are dropped" in text and len(text) < 12 << 20
	finally:
		stub.close()


def test_output_after_end_never_reaches_another(stand):
	for _ in range(60):
		assert stand.get("/hello.php?mode=after_end").body == b"first\n"
		# What comes late may cost the next request on that connection its answer, but never becomes one.
		r = stand.get("/hello.php?mode=ok&tag=mine")
		assert (r.status, r.body) == (200, b"stub mine 0\n") or r.status == 502, r


def test_long_params(stand):
	"""More than 64 KB of parameters, lengths of one and of four octets."""
	headers = "".join("X-%d: %s\r\n" % (i, "v" * (120 + i)) for i in range(20))
	headers += "".join("X-Long-%d: %s\r\n" % (i, "w" * 7500) for i in range(6))
	r = stand.get("/hello.php/%s?mode=long_params&q=%s" % ("/".join("p" * 99 for _ in range(30)), "q" * 4000), headers=headers)
	assert r.status == 200, r
	n, total = (int(x) for x in r.body.split())
	assert n > 40 and total > 65536
	seen = stand.stub.seen[-1]
	assert all(seen["HTTP_X_%d" % i] == "v" * (120 + i) for i in range(20))
	assert all(seen["HTTP_X_LONG_%d" % i] == "w" * 7500 for i in range(6))
	assert seen["PATH_INFO"] == "/" + "/".join("p" * 99 for _ in range(30))


def test_params_exactly(stand):
	stand.get("/hello.php/info?mode=ok", headers="X-A: 1\r\nProxy: no\r\nX_B: no\r\n")
	p = stand.stub.seen[-1]
	assert p["SCRIPT_NAME"] == "/hello.php" and p["PATH_INFO"] == "/info" and p["REDIRECT_STATUS"] == "200" and p["GATEWAY_INTERFACE"] == "CGI/1.1"
	assert "HTTP_PROXY" not in p and "HTTP_X_B" not in p and p["HTTP_X_A"] == "1"
	assert p.get("CONTENT_LENGTH", "") in ("", "0")


@pytest.mark.parametrize("n", [1, 65535, 65536, 3000000])
def test_big_bodies_both_ways(stand, n):
	r = stand.get("/hello.php?mode=ok", method="POST", body=b"u" * n)
	assert r.body == b"stub  %d\n" % n
	assert len(stand.get("/hello.php?mode=big&n=%d" % n).body) == n


def test_client_gone_is_told(stand):
	"""The application learns within seconds that nobody waits any more."""
	stand.stub.reset()
	with rawhttp.Conn(stand.bulkhead.addr) as c:
		c.send(req("/hello.php?mode=hang", host="Host: stub.test\r\n"))
		proc.wait_for(lambda: stand.stub.seen, 3)
	proc.wait_for(lambda: stand.stub.aborts, 4, why="abort or close at the application")


def test_kept_connections_few(stand):
	"""Idle kept connections pin a child of php-fpm: few, and closed soon."""
	stand.stub.reset()
	threads = [threading.Thread(target=lambda: [stand.get("/hello.php?mode=ok") for _ in range(10)]) for _ in range(8)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	assert len(stand.stub.seen) == 80
	time.sleep(0.3)
	assert stand.stub.live <= 4, "%d idle connections are kept" % stand.stub.live
	proc.wait_for(lambda: stand.stub.live == 0, 10, why="idle connections closed")


def test_dead_kept_connection_repeats_get(stand):
	"""A kept connection that died meanwhile costs nothing: an idempotent request is repeated on a fresh one."""
	for _ in range(20):
		assert stand.get("/hello.php?mode=keep_close").body == b"bye\n"
		assert stand.get("/hello.php?mode=ok").status == 200


def test_post_never_twice(stand):
	stand.stub.reset()
	r = stand.get("/hello.php?mode=close&once=1", method="POST", body=b"pay")
	assert r.status == 502
	time.sleep(0.3)
	assert len([p for p in stand.stub.seen if "once=1" in p["QUERY_STRING"]]) == 1


def test_request_timeout(here, docroot, fleet):
	stub = Stub(here + "/stub.sock")
	try:
		st = Stand(here, docroot, fleet, {"stub": ["unix:" + stub.addr]}, timeout=1)
		began = time.monotonic()
		r = st.get("/hello.php?mode=hang")
		assert r.status == 504 and 0.8 < time.monotonic() - began < 3, r
		text = proc.wait_for(lambda: "hello.php" in st.bulkhead.log() and st.bulkhead.log(), 3)
		assert "stub" in text
		proc.wait_for(lambda: stub.aborts, 3, why="abort or close at the application")
	finally:
		stub.close()


def test_member_down_and_back(here, docroot, fleet):
	"""One of two members is down: requests go to the other; both down: 503 at once; back: used again within seconds."""
	a, b = Stub(here + "/a.sock"), Stub(("127.0.0.1", proc.free_port()))
	try:
		st = Stand(here, docroot, fleet, {"stub": ["unix:" + a.addr, "127.0.0.1:%d" % b.addr[1]]})
		for _ in range(20):
			assert st.get("/hello.php?mode=ok").status == 200
		assert a.seen and b.seen, "both members are used"
		a.close()
		for _ in range(20):
			assert st.get("/hello.php?mode=ok").status == 200
		b.close()
		time.sleep(0.2)
		began = time.monotonic()
		r = st.get("/hello.php?mode=ok")
		assert r.status in (502, 503) and time.monotonic() - began < 3, r
		assert re.search(r"refused|No such file|down|connect", st.bulkhead.log(), re.I)
		a.open()
		a.reset()
		proc.wait_for(lambda: st.get("/hello.php?mode=ok").status == 200, 8, 0.2, why="a member that is back is used")
	finally:
		a.close()
		b.close()


def test_backup_member(here, docroot, fleet):
	a, b = Stub(here + "/a.sock"), Stub(here + "/b.sock")
	try:
		conf = site_conf.common(docroot) + '<FastCGIPool stub>\n    Server "unix:%s"\n    Server "unix:%s" backup\n</FastCGIPool>\n' % (a.addr, b.addr)
		bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf + site_conf.worker_vhost("stub.test", docroot, "stub")))
		for _ in range(10):
			assert bh.get("stub.test", "/hello.php?mode=ok").status == 200
		assert not b.seen
		a.close()
		for _ in range(5):
			assert bh.get("stub.test", "/hello.php?mode=ok").status == 200
		assert b.seen
	finally:
		a.close()
		b.close()


def test_set_handler_proxy(here, docroot, fleet):
	"""SetHandler "proxy:..." and ProxyPassMatch name a pool in place, as Apache's configurations do."""
	stub = Stub(here + "/stub.sock")
	try:
		port = proc.free_port()
		tcp = Stub(("127.0.0.1", port))
		conf = site_conf.common(docroot) + """
<VirtualHost *>
    ServerName unix.test
    DocumentRoot "{root}"
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:{sock}|fcgi://localhost"
    </FilesMatch>
</VirtualHost>
<VirtualHost *>
    ServerName tcp.test
    DocumentRoot "{root}"
    <FilesMatch "\\.php$">
        SetHandler "proxy:fcgi://127.0.0.1:{port}"
    </FilesMatch>
</VirtualHost>
""".format(root=docroot, sock=stub.addr, port=port)
		bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
		assert bh.get("unix.test", "/hello.php?mode=ok").body == b"stub  0\n" and len(stub.seen) == 1
		assert bh.get("tcp.test", "/hello.php?mode=ok").body == b"stub  0\n" and len(tcp.seen) == 1
		assert bh.get("unix.test", "/hello.txt").body == b"hello\n"
		assert bh.get("unix.test", "/missing.php").status == 404 and len(stub.seen) == 1
	finally:
		stub.close()
		tcp.close()


def test_memory_bounded_with_slow_reader(stand):
	"""A big answer to a client that does not read stays in the application, not in the front's memory."""
	fronts, _ = stand.bulkhead.processes()
	def rss():
		return sum(int(proc.status_of(p)["VmRSS"].split()[0]) for p in fronts) / 1024
	before = rss()
	conns = []
	try:
		for _ in range(4):
			c = rawhttp.Conn(stand.bulkhead.addr, rcvbuf=4096)
			c.send(req("/hello.php?mode=big&n=300000000", host="Host: stub.test\r\n"))
			conns.append(c)
		time.sleep(2)
		assert rss() - before < 200, "%.0f MB more" % (rss() - before)
	finally:
		for c in conns:
			c.close()
	assert stand.get("/hello.php?mode=ok").status == 200


# --- a real php-fpm, few children, many clients -------------------------------------------------------------------------

@pytest.mark.slow
def test_fairness(here, docroot, ini, fleet):
	"""24 clients over 3 children: nobody starves, and another client of the same pool is served as well."""
	fpm = fleet.start(servers.Fpm(here + "/fpm", ini, children=3))
	conf = site_conf.common(docroot) + site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("fair.test", docroot, "fpm")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	times, errors, stop = [], [], time.monotonic() + 6
	def client():
		while time.monotonic() < stop:
			began = time.monotonic()
			r = bh.get("fair.test", "/sleep.php?s=0.01", timeout=20)
			times.append(time.monotonic() - began)
			if r.status != 200:
				errors.append(r)
	threads = [threading.Thread(target=client) for _ in range(24)]
	for t in threads:
		t.start()
	# Beside them a web server of another kind on the same pool: here the test itself speaks FastCGI.
	direct = []
	while time.monotonic() < stop - 1:
		began = time.monotonic()
		assert direct_request(fpm.addr, docroot + "/hello.php").endswith(b"hello\n")
		direct.append(time.monotonic() - began)
		time.sleep(0.2)
	for t in threads:
		t.join()
	assert not errors, errors[0]
	times.sort()
	median, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
	assert p99 <= 5 * median, "median %.0f ms, p99 %.0f ms, worst %.0f ms of %d" % (median * 1e3, p99 * 1e3, times[-1] * 1e3, len(times))
	assert len(direct) >= 5 and max(direct) < 3, direct


def direct_request(addr, script):
	"""One request to a FastCGI server without a gateway; returns what it wrote to stdout."""
	def pair(k, v):
		return struct.pack(">BB" if len(v) < 128 else ">BI", len(k), len(v) if len(v) < 128 else len(v) | 1 << 31) + k + v
	env = {b"SCRIPT_FILENAME": script.encode(), b"REQUEST_METHOD": b"GET", b"SCRIPT_NAME": b"/x.php"}
	with socket.socket(socket.AF_UNIX if isinstance(addr, str) else socket.AF_INET) as s:
		s.settimeout(10)
		s.connect(addr)
		s.sendall(record(BEGIN, 1, b"\0\1\0" + b"\0" * 5) + record(PARAMS, 1, b"".join(pair(k, v) for k, v in env.items())) + record(PARAMS, 1) + record(STDIN, 1))
		buf, out = b"", b""
		while True:
			got = s.recv(65536)
			if not got:
				return out
			buf += got
			while len(buf) >= 8:
				_, kind, _, n, pad = struct.unpack(">BBHHB", buf[:7])
				if len(buf) < 8 + n + pad:
					break
				if kind == STDOUT:
					out += buf[8:8 + n]
				buf = buf[8 + n + pad:]
				if kind == END:
					return out
