# SPDX-License-Identifier: Apache-2.0
"""Where log lines go: files by the thousand, programs, syslog; rotation; and that nobody waits for them."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Conn

pytestmark = pytest.mark.bulkhead


class Server:
	def __init__(self, here, docroot, fleet):
		self.here, self.docroot, self.fleet = here, docroot, fleet
		self.logs = here + "/logs"
		os.makedirs(self.logs)
		self.bh = None

	def start(self, text):
		self.bh = servers.Bulkhead(self.here + "/bulkhead", site_conf.common(self.docroot) + text)
		return self.fleet.start(self.bh)

	def program(self, name, text):
		path = servers.write(self.here + "/" + name, "#!/bin/sh\n" + text)
		os.chmod(path, 0o755)
		return path

	def host(self, name, more):
		return "<VirtualHost *>\n    ServerName %s.test\n    DocumentRoot \"%s\"\n%s</VirtualHost>\n" % (name, self.docroot, more)

	def role(self, comm):
		found = []
		for p in proc.descendants(self.bh.pid):
			try:
				found += [p] if proc.status_of(p)["Name"] == comm else []
			except FileNotFoundError:
				pass
		return found

	def lines(self, name):
		try:
			with open(self.logs + "/" + name, "rb") as f:
				return f.read().decode("utf-8", "replace").splitlines()
		except OSError:
			return []


@pytest.fixture
def server(here, docroot, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	return Server(here, docroot, fleet)


def test_more_logs_than_descriptors(server):
	"""Hundreds of hosts with two logs each: the front holds none of them, the log process no more than its share, no line is lost."""
	n = 400
	bh = server.start("".join(server.host("s%d" % i, '    CustomLog "%s/s%d.log" "%%U%%q"\n    ErrorLog "%s/e%d.log"\n' % (server.logs, i, server.logs, i))
		for i in range(n)))
	front, writer = server.role("bulkhead-front"), server.role("bulkhead-log")
	assert len(front) == 1 and len(writer) == 1
	with Conn(bh.addr) as c:
		for i in range(2 * n):
			if i % 90 == 0:
				c.close()
				c = Conn(bh.addr)
			c.send(b"GET /hello.txt?%d HTTP/1.1\r\nHost: s%d.test\r\n\r\n" % (i, i % n))
			assert c.response().status == 200
		for i in range(5):
			c.send(b"GET /bare/ HTTP/1.1\r\nHost: s%d.test\r\n\r\n" % i)
			assert c.response().status == 403
		c.close()
	assert not [f for f in proc.fds_of(front[0]) if f.startswith(server.logs)]
	for i in range(n):
		want = ["/hello.txt?%d" % i, "/hello.txt?%d" % (i + n)] + (["/bare/"] if i < 5 else [])
		# Sorted: connections belong to several loops, each of which collects lines for itself.
		proc.wait_for(lambda: sorted(server.lines("s%d.log" % i)) == sorted(want), 10, 0.01, why="the lines of host %d" % i)
	assert len(proc.fds_of(writer[0])) < 256 + 20
	for i in range(5):
		assert "site=s%d.test" % i in server.lines("e%d.log" % i)[0], server.lines("e%d.log" % i)
	status = proc.status_of(writer[0])
	assert status["CapEff"] == "0" * 16 and status["NoNewPrivs"] == "1" and (servers.SANITIZED or status["Seccomp"] == "2")
	if proc.ROOT:
		assert status["Uid"].split()[0] != "0"
		assert any(l.split()[:2] == ["log", str(writer[0])] for l in bh.run("-k", "status").stdout.splitlines())


def test_log_process_that_dies_is_replaced(server):
	bh = server.start("".join(server.host("s%d" % i, '    CustomLog "%s/s%d.log" "%%U%%q"\n' % (server.logs, i)) for i in range(70)))
	for k in range(3):
		assert bh.get("s1.test", "/hello.txt?%d" % k).status == 200
		proc.wait_for(lambda: len(server.lines("s1.log")) == k + 1, 5, 0.01, why="line %d" % k)
		old = server.role("bulkhead-log")
		os.kill(old[0], signal.SIGKILL)
		proc.wait_for(lambda: server.role("bulkhead-log") not in ([], old), 5, 0.01, why="another log process")
	assert "the log process ended" in bh.log()


@pytest.mark.parametrize("n", (3, 70), ids=("direct", "by-process"))
def test_rotation_by_rename(server, n):
	"""-k reopen and -k graceful: lines go to the new files, from then on, and none is lost; nothing else changes."""
	bh = server.start(server.host("few", "") + "".join(server.host("s%d" % i, '    CustomLog "%s/s%d.log" "%%U%%q"\n' % (server.logs, i)) for i in range(n)))
	fronts = server.role("bulkhead-front")
	for word in ("reopen", "graceful", "reopen"):
		bh.get("s1.test", "/hello.txt?old")
		bh.get("few.test", "/hello.txt?old")
		proc.wait_for(lambda: server.lines("s1.log") == ["/hello.txt?old"], 5, 0.01, why="the line before")
		proc.wait_for(lambda: os.path.exists(bh.access_log) and "?old" in bh.access(), 5, 0.01, why="the direct log's line before")
		os.rename(server.logs + "/s1.log", server.logs + "/s1.log.1")
		os.rename(bh.access_log, bh.access_log + ".1")
		r = bh.run("-k", word)
		assert r.returncode == 0, r
		if word == "reopen":
			assert set(server.role("bulkhead-front")) >= set(fronts)
		bh.get("s1.test", "/hello.txt?new")
		bh.get("few.test", "/hello.txt?new")
		proc.wait_for(lambda: server.lines("s1.log") == ["/hello.txt?new"], 5, 0.01, why="the line after")
		proc.wait_for(lambda: os.path.exists(bh.access_log) and "?new" in bh.access(), 5, 0.01, why="the direct log's line")
		assert "?old" not in bh.access() and server.lines("s1.log.1") == ["/hello.txt?old"]
		os.unlink(server.logs + "/s1.log")
		os.unlink(bh.access_log)
		assert bh.run("-k", "reopen").returncode == 0
		fronts = server.role("bulkhead-front")


@pytest.mark.parametrize("n", (3, 70), ids=("direct", "by-process"))
def test_directory_that_a_tenant_made_a_link(server, n):
	"""A log in a tenant's directory: root opens nothing where a link of his leads."""
	if not proc.ROOT:
		pytest.skip("as an ordinary user everything is one user's")
	servers.writable_dir(server.logs + "/his")
	os.mkdir(server.logs + "/other")
	bh = server.start("".join(server.host("s%d" % i, '    CustomLog "%s/%s/s%d.log" "%%U"\n' % (server.logs, "his" if i == 1 else "other", i)) for i in range(n)))
	os.rename(server.logs + "/his", server.logs + "/real")
	os.symlink(server.logs + "/other", server.logs + "/his")
	os.chown(server.logs + "/his", *servers.site_ids(), follow_symlinks=False)
	bh.run("-k", "reopen")
	assert "behind a link whose owner does not own where it leads" in bh.run("-k", "graceful").stdout + bh.log()
	bh.get("s1.test", "/hello.txt")
	bh.get("s2.test", "/hello.txt")
	proc.wait_for(lambda: server.lines("other/s2.log") == ["/hello.txt"], 5, 0.05, why="others' logs")
	assert not os.path.exists(server.logs + "/other/s1.log")


def test_program_behind_a_pipe(server):
	"""It is fed, started again when it dies, kept over a reload, and reads to the end when the server stops."""
	prog = server.program("take", 'echo "$$ $1" >> "%s/pids"\nexec cat >> "%s/taken"\n' % (server.logs, server.logs))
	bh = server.start(server.host("a", '    CustomLog "|%s \'an argument\'" "%%U%%q"\n    CustomLog "|$/bin/sed s/^/X/ >> %s/shell" "%%U%%q"\n' % (prog, server.logs)))
	for k in range(3):
		bh.get("a.test", "/hello.txt?%d" % k)
		proc.wait_for(lambda: len(server.lines("taken")) == k + 1, 5, 0.01, why="line %d" % k)
		pid, arg = server.lines("pids")[-1].split(" ", 1)
		assert arg == "an argument"
		if k == 0:
			os.kill(int(pid), signal.SIGKILL)
			proc.wait_for(lambda: not proc.alive(int(pid)), 5, 0.01, why="its end, for it may still take a line")
		elif k == 1:
			assert bh.run("-k", "graceful").returncode == 0
			assert proc.alive(int(pid)), "a reload keeps it"
	bh.get("a.test", "/hello.txt?last")
	time.sleep(0.3)  # a front that is killed writes nothing any more
	assert not bh.stop()
	assert server.lines("taken") == ["/hello.txt?0", "/hello.txt?1", "/hello.txt?2", "/hello.txt?last"]
	assert server.lines("shell") == ["X" + l for l in server.lines("taken")]
	assert "log program %s ended" % prog in bh.log()


@pytest.mark.skipif(not proc.ROOT, reason="only as root there is somebody else")
def test_program_that_others_could_change_is_not_started(server):
	prog = server.program("take", "exec cat > /dev/null\n")
	os.chmod(prog, 0o775)
	bh = servers.Bulkhead(server.here + "/b", site_conf.common(server.docroot) + 'CustomLog "|%s" common\n' % prog)
	p = subprocess.run(bh.argv(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
	assert p.returncode == 1 and "somebody else than root could change the program" in p.stdout + bh.log()
	os.chmod(prog, 0o755)
	server.fleet.start(bh)


def test_program_that_does_not_read_holds_up_nobody(server):
	"""Megabytes of lines for a program that sleeps: requests are answered as ever, other logs are written, what is lost is said."""
	prog = server.program("sleep", "exec sleep 1000\n")
	bh = server.start("LimitRequestLine 16380\n" + server.host("a", '    CustomLog "|%s" "%%r"\n    CustomLog "%s/file" "%%{X-N}i"\n' % (prog, server.logs)))
	worst = 0
	with Conn(bh.addr) as c:
		for i in range(500):
			if i % 90 == 0:
				c.close()
				c = Conn(bh.addr)
			began = time.monotonic()
			c.send(b"GET /hello.txt?%s HTTP/1.1\r\nHost: a.test\r\nX-N: %d\r\n\r\n" % (b"x" * 16000, i))
			assert c.response().status == 200
			worst = max(worst, time.monotonic() - began)
		c.close()
	assert worst < 2
	proc.wait_for(lambda: len(server.lines("file")) == 500, 5, why="the other log")
	assert sorted(server.lines("file"), key=int) == [str(i) for i in range(500)]  # of several loops
	proc.wait_for(lambda: "log lines were lost" in bh.log(), 15, why="the word about it")


def test_syslog(server):
	"""One datagram a line, with facility, severity and name; a daemon that comes back is found again."""
	path = server.here + "/dev-log"
	def listen():
		if os.path.exists(path):
			os.unlink(path)
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(path)
		os.chmod(path, 0o666)
		s.settimeout(10)
		return s
	s = listen()
	bh = server.start('SyslogSocket "%s"\n' % path + server.host("a", '    CustomLog syslog:local3:web "%U%q \\"%{User-Agent}i\\""\n    ErrorLog syslog:daemon\n'))
	bh.get("a.test", "/hello.txt?%0a")
	line = s.recv(70000).decode()
	assert line.startswith("<158>") and line[5:].split(" ", 4)[-1].endswith('/hello.txt?%0a "-"') and ' web: ' in line and "\n" not in line, line
	bh.get("a.test", "/bare/")
	got = sorted(s.recv(70000).decode() for _ in range(2))
	assert got[0].startswith("<158>")
	assert got[1].startswith("<27>") and " bulkhead: [front:error] " in got[1] and "site=a.test" in got[1], got
	s.close()
	s = listen()
	bh.get("a.test", "/hello.txt?again")
	assert "/hello.txt?again" in s.recv(70000).decode()
	s.close()


def test_lines_are_whole(server):
	"""The longest request line that is accepted, from several loops at once, over a reload: every line as one piece, in both ways."""
	n, size = 4, 16000
	prog = server.program("take", 'exec cat >> "%s/piped"\n' % server.logs)
	bh = server.start("LimitRequestLine 16380\n" + server.host("a", '    CustomLog "%s/direct" "%%r"\n    CustomLog "|%s" "%%r"\n' % (server.logs, prog)))
	def ask(k):
		with Conn(bh.addr) as c:
			for i in range(20):
				c.send(b"GET /hello.txt?%s HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n" % (b"%c" % (97 + k) * size))
				assert c.response().status == 200
				c.close()
				c = Conn(bh.addr)
			c.close()
	threads = [threading.Thread(target=ask, args=(k,)) for k in range(n)]
	for t in threads:
		t.start()
	assert bh.run("-k", "graceful").returncode == 0
	assert bh.run("-k", "reopen").returncode == 0
	for t in threads:
		t.join()
	for name in ("direct", "piped"):
		proc.wait_for(lambda: len(server.lines(name)) == n * 20, 10, why="all lines of " + name)
		want = sorted("GET /hello.txt?%s HTTP/1.1" % (chr(97 + k) * size) for k in range(n) for _ in range(20))
		assert sorted(server.lines(name)) == want, name


def test_json_lines_are_json(server):
	"""Every octet that a client may send, in a field, a query and a name: a parser reads each line, and gets UTF-8 back as it was."""
	bh = server.start(server.host("a", '    CustomLog "%s/json" json\n    LogFormat "json: ua=%%{User-Agent}i none=%%{X-None}i n=%%B" mine\n    CustomLog "%s/mine" mine\n'
		% (server.logs, server.logs)))
	agents = [bytes([c]) + b"x" for c in range(1, 256) if c not in (10, 13)] + ["\u00e9\u20ac\U0001f600".encode(), b"\xed\xa0\x80", b"\xc0\xaf", b'"}\\', b"\xf4\x90\x80\x80"]
	asked = []
	for a in agents:
		with Conn(bh.addr) as c:
			c.send(b"GET /hello.txt?%s HTTP/1.1\r\nHost: a.test\r\nUser-Agent: a%sb\r\nConnection: close\r\n\r\n" % (b"q%22", a))
			if c.response().status == 200:  # control octets are refused, and logged all the same
				asked.append(b"a%sb" % a)
	assert len(asked) > 200
	proc.wait_for(lambda: len(server.lines("mine")) >= len(asked), 10, why="the lines")
	rows = [json.loads(l) for l in server.lines("mine")]
	good = [r["ua"] for r in rows if r["n"] == 6]
	for a in asked:
		try:
			want = a.decode()
		except UnicodeDecodeError:
			continue
		assert want.strip() in good, want
	assert all(r["none"] is None for r in rows)
	full = [json.loads(l) for l in server.lines("json")]
	assert full[0]["status"] == 200 and full[0]["bytes"] == 6 and full[0]["host"] == "a.test" and full[0]["query"] == "?q%22" and full[0]["user"] is None, full[0]


def test_first_octet(server, docroot, ini):
	"""%^FB ends with the head, %D with the answer; not known without LogIOTrackTTFB."""
	with open(docroot + "/first.php", "w") as f:
		f.write("<?php echo 'a'; flush(); usleep(300000); echo 'b';")
	log = '    CustomLog "%s/%%s" "%%%%^FB %%%%D"\n' % server.logs
	bh = server.start(site_conf.prefork_vhost("a.test", docroot, "fresh", ini, log % "on" + "    LogIOTrackTTFB On\n") +
		site_conf.prefork_vhost("b.test", docroot, "fresh", ini, log % "off"))
	for host in ("a.test", "b.test"):
		assert bh.get(host, "/first.php").body == b"ab"
	proc.wait_for(lambda: server.lines("on") and server.lines("off"), 5, why="the lines")
	first, last = map(int, server.lines("on")[0].split())
	assert 0 < first <= last - 250000
	assert server.lines("off")[0].split()[0] == "-"


def test_octets_of_what_is_no_request(server):
	"""%I of a request that was not understood is nobody else's."""
	bh = server.start('CustomLog "%s/in" "%%I %%>s"\n' % server.logs + server.host("a", ""))
	for _ in range(20):
		assert bh.get("a.test", "/hello.txt").status == 200
		with Conn(bh.addr) as c:
			c.send(b"BAD\r\n\r\n")
			assert c.response().status == 400
	proc.wait_for(lambda: len(server.lines("in")) == 40, 5, why="the lines")
	assert [l for l in server.lines("in") if l.endswith(" 400")] == ["0 400"] * 20, server.lines("in")
	assert not any(l.startswith("0 ") for l in server.lines("in") if l.endswith(" 200"))


def test_error_log_format(server):
	"""A format of the host's own; control octets that a client sends cannot end a line."""
	bh = server.start(server.host("a", '    ErrorLog "%s/err"\n    ErrorLogFormat "%%l|%%v|%%M"\n' % server.logs) + server.host("b", '    ErrorLog "%s/err2"\n' % server.logs))
	bh.get("a.test", "/bare/")
	bh.get("b.test", "/bare/")
	proc.wait_for(lambda: server.lines("err") and server.lines("err2"), 5, why="the lines")
	assert server.lines("err")[0].startswith("error|a.test|script=/bare/index.php 403: "), server.lines("err")
	assert server.lines("err2")[0].startswith("["), server.lines("err2")
	r = bh.run("-t", "-c", "ErrorLogFormat %z")
	assert r.returncode == 1 and 'unknown or unfinished item at "%z"' in r.stdout


# --- a tenant who owns a log's directory ------------------------------------------------------------------------------------

def his_link(path):
	os.symlink(os.path.dirname(path) + "/elsewhere", path)


def his_second_name(path):
	servers.write(path + ".first", "")
	os.link(path + ".first", path)


def his_neighbours_file(path):
	servers.write(path, "")
	os.chown(path, 12345, 12345)


def his_directory_gone(path):
	os.rename(os.path.dirname(path), os.path.dirname(path) + ".away")


def his_file_for_a_directory(path):
	his_directory_gone(path)
	servers.write(os.path.dirname(path), "")


# What he puts in its place; what is said of it.
IN_ITS_PLACE = {
	"link": (his_link, "it is a symbolic link"),
	"second name": (his_second_name, "it is not a regular file of its own"),
	"fifo": (os.mkfifo, "No such device or address"),
	"directory": (os.mkdir, "Is a directory"),
	"another's file": (his_neighbours_file, "it belongs neither to the server nor to the owner"),
	"no directory": (his_directory_gone, "No such file or directory"),
	"file for a directory": (his_file_for_a_directory, "Not a directory"),
}


@pytest.mark.skipif(not proc.ROOT, reason="only as root there is somebody else")
@pytest.mark.parametrize("how,n", [(h, 3) for h in IN_ITS_PLACE] + [("link", 70), ("no directory", 70)])
def test_what_a_tenant_puts_in_the_place_of_a_log(server, how, n):
	"""That log fails, alone: a reload and a start go on, say so, and serve his host; what he takes away again ends it."""
	put, why = IN_ITS_PLACE[how]
	servers.writable_dir(server.logs + "/his")
	servers.writable_dir(server.logs)
	path = server.logs + "/his/access.log"
	hosts = [server.host("h%d" % i, '    CustomLog "%s" "%%U%%q"\n' % (path if i == 1 else "%s/h%d.log" % (server.logs, i))) for i in range(n)]
	bh = server.start("".join(hosts))
	os.unlink(path)
	put(path)
	if os.path.isdir(os.path.dirname(path)):
		os.chown(path, *servers.site_ids(), follow_symlinks=False) if how != "another's file" else None
	r = bh.run("-k", "graceful")
	said = "site=h1.test cannot open log %s: %s" % (path, why)
	assert r.returncode == 1 and r.stdout.count("cannot open log") == 1 and said in r.stdout and "reloaded, but" in r.stdout, r
	assert bh.get("h1.test", "/hello.txt?lost").body == b"hello\n"
	assert bh.get("h2.test", "/hello.txt?kept").body == b"hello\n"
	proc.wait_for(lambda: server.lines("h2.log") == ["/hello.txt?kept"], 5, 0.02, why="the other host's line")
	if n < 64: # of more, files are opened when there are lines
		r = bh.run("-k", "reopen")
		assert r.returncode == 1 and said in r.stdout, r
	# A start is not stopped by it either.
	assert bh.stop() == []
	server.fleet.start(bh)
	assert bh.get("h1.test", "/hello.txt?lost").body == b"hello\n" and said in bh.log()
	for left in (path, path + ".first"):
		if os.path.isdir(left) and not os.path.islink(left):
			os.rmdir(left)
		elif os.path.lexists(left):
			os.unlink(left)
	if os.path.isfile(os.path.dirname(path)):
		os.unlink(os.path.dirname(path))
	servers.writable_dir(os.path.dirname(path))
	assert bh.run("-k", "reopen").returncode == 0
	bh.get("h1.test", "/hello.txt?again")
	proc.wait_for(lambda: server.lines("his/access.log")[-1:] == ["/hello.txt?again"], 5, 0.02, why="the line after")
	assert not os.path.exists(server.logs + "/his/elsewhere") and bh.run("-k", "graceful").returncode == 0


@pytest.mark.skipif(not proc.ROOT, reason="only as root there is somebody else")
def test_log_that_a_tenant_may_have(server):
	"""A file of his in his directory, whatever its mode, one of his in the server's, and one of the server's in his are written to."""
	servers.writable_dir(server.logs + "/his")
	places = {"a": "his/mine.log", "b": "his.log", "c": "his/ours.log"}
	for path in places.values():
		servers.write(server.logs + "/" + path, "")
	os.chmod(server.logs + "/his/mine.log", 0)
	for path in ("his/mine.log", "his.log"):
		os.chown(server.logs + "/" + path, *servers.site_ids())
	bh = server.start("".join(server.host(h, '    CustomLog "%s/%s" "%%U"\n' % (server.logs, p)) for h, p in places.items()))
	for host in places:
		bh.get(host + ".test", "/hello.txt")
	for path in places.values():
		proc.wait_for(lambda p=path: server.lines(p) == ["/hello.txt"], 5, 0.02, why="a line in " + path)
	assert bh.run("-k", "graceful").returncode == 0


@pytest.mark.skipif(not proc.ROOT, reason="only as root there is somebody else")
def test_log_of_the_main_server_is_needed(server):
	"""What is the administrator's own stops a reload, as ever."""
	bh = server.start(server.host("a", ""))
	os.makedirs(server.logs + "/main")
	bh.write(site_conf.common(server.docroot) + 'CustomLog "%s/main" common\n' % server.logs + server.host("a", ""))
	r = bh.run("-k", "graceful")
	assert r.returncode == 1 and "reload refused" in r.stdout and "cannot open log %s/main: Is a directory" % server.logs in r.stdout, r
	assert bh.get("a.test", "/hello.txt").body == b"hello\n"
