# SPDX-License-Identifier: Apache-2.0
"""What each profile gives and takes, asked from inside a cell; and what becomes of the programs that a request starts."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import conftest
import proc
import pytest
import servers
import site_conf
import wire
from test_cell import FFI, Zygote, docroot, program  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

X86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
ENOSYS, EPERM, EAGAIN = -38, -1, -11


@pytest.fixture(scope="module")
def strict(docroot):  # noqa: F811
	z = Zygote(docroot, profile="strict", ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


@pytest.fixture(scope="module")
def php(docroot):  # noqa: F811
	z = Zygote(docroot, profile="php", ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


def mail_program(docroot):  # noqa: F811
	path = os.path.join(docroot, "sendmail.sh")
	with open(path, "w") as f:
		f.write("#!/bin/sh\ncat > %s/mail.txt\n" % docroot)
	os.chmod(path, 0o755)
	return path


def legacy_zygote(docroot, isolation="fresh"):  # noqa: F811
	return Zygote(docroot, profile="legacy", isolation=isolation, ini=[("ffi.enable", "1", True), ("sendmail_path", mail_program(docroot), True)])


@pytest.fixture(scope="module")
def legacy(docroot):  # noqa: F811
	z = legacy_zygote(docroot)
	yield z
	assert z.stop() == 0


def ask(zygote, code):
	a = zygote.php(code)
	assert a.body, (a, zygote.log())
	return json.loads(a.body)


# --- what each profile has over the stricter one ---------------------------------------------------------------------

SOCKETS = "$s = @stream_socket_server('tcp://127.0.0.1:0'); echo json_encode($s !== false);"
SEMAPHORE = "echo json_encode(function_exists('sem_get') ? @sem_get(0x1d1d1e) !== false : 'none');"
THREAD = "$c = curl_init('http://%s:1/'); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1); curl_exec($c); echo json_encode(curl_errno($c));" % os.uname().nodename  # localhost it knows itself
EXEC = "echo json_encode(@shell_exec('echo hello'));"


def test_server_sockets(strict, php, legacy):
	assert [ask(z, SOCKETS) for z in (strict, php, legacy)] == [False, True, True]


def test_system_v_ipc(strict, php, legacy):
	got = [ask(z, SEMAPHORE) for z in (strict, php, legacy)]
	if got[0] == "none":
		pytest.skip("this PHP has no sem_get")
	assert got == [False, True, True]


def test_threads(strict, php, legacy):
	"""libcurl resolves in a thread: 6 is 'could not resolve', 7 'could not connect'."""
	try:
		socket.getaddrinfo(os.uname().nodename, 1)
	except OSError:
		pytest.skip("this machine does not know its own name")
	assert [ask(z, THREAD) for z in (strict, php, legacy)] == [6, 7, 7]


def test_programs(strict, php, legacy):
	assert [ask(z, EXEC) or None for z in (strict, php, legacy)] == [None, None, "hello\n"]


def test_files_and_names_work_everywhere(strict, php, legacy):
	code = "$f = tempnam(sys_get_temp_dir(), 'bh'); file_put_contents($f, 'x'); rename($f, $f . '2'); $r = file_get_contents($f . '2'); unlink($f . '2'); " \
		"echo json_encode([$r, gethostbyname('localhost'), @fsockopen('localhost', 1, $e, $m, 1), $e]);"
	for z in (strict, php, legacy):
		assert ask(z, code) == ["x", "127.0.0.1", False, 111]


@X86
def test_code_in_memory(strict, php, legacy):
	"""mmap(RWX), mmap(RX, a file), mprotect(RW to RX), mprotect(RW to RWX)"""
	code = FFI + "$f2 = FFI::cdef('int open(const char *p, int f);'); $fd = $f2->open('/bin/true', 0); $m = sys(9, 0, 4096, 3, 34, -1, 0); " \
		"$ok = fn($v) => $v < 0 && $v > -200 ? $v : 0; " \
		"echo json_encode([$ok(sys(9, 0, 4096, 7, 34, -1, 0)), $ok(sys(9, 0, 4096, 5, 2, $fd, 0)), $ok(sys(10, $m, 4096, 5)), $ok(sys(10, $m, 4096, 7))]);"
	assert ask(strict, code) == [ENOSYS, ENOSYS, ENOSYS, ENOSYS]
	assert ask(php, code) == [ENOSYS, 0, ENOSYS, ENOSYS]
	assert ask(legacy, code) == [ENOSYS, 0, 0, ENOSYS]


@X86
def test_no_new_tasks_in_strict(strict, php):
	"""The filter refuses, and the limit behind it would; the zygote of the same user goes on forking."""
	def limit(z):
		id, conn = z.cell()
		pid = z.children()[0]
		text = open("/proc/%d/limits" % pid).read()
		wire.send(z.front, wire.Msg(wire.CELL_KILL, id))
		z.expect(wire.CELL_GONE, id)
		return [l.split()[2:4] for l in text.splitlines() if l.startswith("Max processes")][0]
	assert limit(strict) == ["0", "0"]
	assert limit(php) != ["0", "0"]
	assert ask(strict, FFI + "echo json_encode([sys(56, 17, 0), sys(57), sys(302, 0, 6, null, 0)]);") == [EPERM, EPERM, 0]
	assert ask(strict, "echo 1;") == 1


@X86
def test_violations(strict, legacy):
	a = strict.php(FFI + "sys(101, 0, 0, 0);")
	assert a.gone == (2, 0, int(signal.SIGSYS), 101)
	# Programs try some of these; the request goes on. What no program tries ends it.
	assert ask(legacy, FFI + "echo json_encode([sys(101, 0, 0, 0), sys(272, 0), sys(317, 0, 0, 0)]);") == [EPERM, EPERM, EPERM]
	a = legacy.php(FFI + "sys(180, 0, 0, 0);")
	assert a.gone == (2, 0, int(signal.SIGSYS), 180)


# --- legacy: programs ------------------------------------------------------------------------------------------------

def test_proc_open_and_pipes(legacy):
	code = "$p = proc_open(['tr', 'a-z', 'A-Z'], [['pipe', 'r'], ['pipe', 'w']], $io); fwrite($io[0], 'shout'); fclose($io[0]); " \
		"$t = stream_get_contents($io[1]); echo json_encode([$t, proc_close($p)]);"
	assert ask(legacy, code) == ["SHOUT", 0]


def test_programs_hold_nothing_of_ours(legacy):
	"""A program has its own three descriptors, no connection to the front."""
	got = ask(legacy, "echo json_encode(shell_exec('ls -l /proc/self/fd'));")
	assert "socket:" not in got, got


def test_mail(legacy, docroot):  # noqa: F811
	assert ask(legacy, "echo json_encode(mail('someone@example.org', 'Subject line', 'the text'));") is True
	text = open(os.path.join(docroot, "mail.txt")).read()
	assert "To: someone@example.org" in text and "Subject: Subject line" in text and "the text" in text


def test_own_child_is_signalled(legacy):
	code = "$p = proc_open(['sleep', '60'], [], $io); $s = proc_get_status($p); $ok = posix_kill($s['pid'], 9); echo json_encode([$ok, proc_close($p)]);"
	assert ask(legacy, code)[0] is True


@pytest.mark.parametrize("target", ["posix_getppid()", "-posix_getppid()", "-1"])
def test_zygote_is_not_signalled(legacy, target):
	assert ask(legacy, "echo json_encode([posix_kill(%s, 0), posix_get_last_error()]);" % target) == [False, 1]
	assert ask(legacy, "echo json_encode(trim((string)shell_exec('kill -0 ' . posix_getppid() . ' 2>&1; echo $?')));")[-1] != "0"


def test_sibling_is_not_signalled(legacy):
	if "signal scope" in getattr(legacy.ready, "body", b"").decode(errors="replace"):
		pytest.skip("this kernel's Landlock has no signal scope")
	id, conn = legacy.cell()
	try:
		other = [p for p in legacy.children()][0]
		assert ask(legacy, "echo json_encode([posix_kill(%d, 0), posix_get_last_error(), posix_kill(posix_getpid(), 0)]);" % other) == [False, 1, True]
		os.kill(other, 0)
	finally:
		wire.send(legacy.front, wire.Msg(wire.CELL_KILL, id))
		legacy.expect(wire.CELL_GONE, id)


def test_session_is_the_cells_own(legacy):
	assert ask(legacy, "echo json_encode(posix_getsid(0) === posix_getpid());") is True


def alive(marks):
	out = []
	for p in proc.parents():
		try:
			cmd = open("/proc/%d/cmdline" % p, "rb").read().split(b"\0")
		except OSError:
			continue
		if cmd[0].endswith(b"sleep") and len(cmd) > 1 and cmd[1].decode() in marks:
			out.append(p)
	return out


DETACH = "exec('(setsid sh -c \"sleep %(a)s; true\" >/dev/null 2>&1 </dev/null &) ; sleep %(b)s >/dev/null 2>&1 </dev/null &'); " \
	"$t = microtime(true); while (microtime(true) - $t < 3 && (int)shell_exec('pgrep -fc \"^sleep (%(a)s|%(b)s)\"') < 2) usleep(20000); "


@pytest.mark.parametrize("isolation", ["fresh", "shared"])
def test_programs_end_with_the_request(docroot, isolation):  # noqa: F811
	z = legacy_zygote(docroot, isolation)
	marks = {"a": "86%04d" % (os.getpid() % 10000), "b": "87%04d" % (os.getpid() % 10000)}
	try:
		with open(os.path.join(docroot, "detach.php"), "w") as f:
			f.write("<?php " + DETACH % marks + "echo 'started'; ob_end_flush(); flush(); usleep(700000); echo ' done';")
		id, conn = z.cell()
		a = conn.ask(z.params("detach.php"), keep=True)
		assert a.body == b"started done"
		gone = wire.cell_gone(z.expect(wire.CELL_GONE, id))
		assert gone == (0, 0, 0, -1)
		proc.wait_for(lambda: not alive(marks.values()), 3, why="what the request started has ended")
		# A request that leaves nothing behind keeps its shared cell.
		with open(os.path.join(docroot, "clean.php"), "w") as f:
			f.write("<?php echo trim(shell_exec('echo one'));")
		id, conn2 = z.cell()
		assert conn2.ask(z.params("clean.php"), keep=True).body == b"one"
		if isolation == "shared":
			assert conn2.ask(z.params("clean.php"), keep=True).body == b"one"
		conn2.close()
		conn.close()
		z.expect(wire.CELL_GONE, id)
	finally:
		assert z.stop() == 0


def test_programs_live_while_the_request_runs(docroot):  # noqa: F811
	"""The end of one request does not touch what another, still running, has detached."""
	z = legacy_zygote(docroot)
	marks = {"a": "88%04d" % (os.getpid() % 10000), "b": "89%04d" % (os.getpid() % 10000)}
	try:
		code = DETACH % marks + "echo json_encode((int)shell_exec('pgrep -fc \"^sleep (%(a)s|%(b)s)\"')); ob_end_flush(); flush(); " \
			"$t = microtime(true); while (microtime(true) - $t < 5 && !file_exists(__DIR__ . '/go')) { usleep(10000); clearstatcache(); } echo ' ', shell_exec('pgrep -fc \"^sleep (%(a)s|%(b)s)\"');" % marks
		with open(os.path.join(docroot, "long.php"), "w") as f:
			f.write("<?php " + code)
		go = os.path.join(docroot, "go")
		if os.path.exists(go):
			os.unlink(go)
		out = []
		id, conn = z.cell()
		t = threading.Thread(target=lambda: out.append(conn.ask(z.params("long.php"))))
		t.start()
		proc.wait_for(lambda: len(alive(marks.values())) == 2, 4, why="both are started")
		assert ask(z, "echo 1;") == 1
		time.sleep(0.2)
		assert len(alive(marks.values())) == 2
		open(go, "w").close()
		t.join(10)
		assert out and out[0].body.split() == [b"2", b"2"], out
		proc.wait_for(lambda: not alive(marks.values()), 3, why="they end with their request")
		conn.close()
		z.expect(wire.CELL_GONE, id)
	finally:
		assert z.stop() == 0


def test_programs_end_with_a_killed_request(legacy, docroot):  # noqa: F811
	marks = {"a": "84%04d" % (os.getpid() % 10000), "b": "85%04d" % (os.getpid() % 10000)}
	with open(os.path.join(docroot, "stuck.php"), "w") as f:
		f.write("<?php " + DETACH % marks + "shell_exec('sleep 50');")
	id, conn = legacy.cell()
	t = threading.Thread(target=lambda: conn.ask(legacy.params("stuck.php")), daemon=True)
	t.start()
	proc.wait_for(lambda: len(alive(marks.values())) == 2, 4, why="both are started")
	wire.send(legacy.front, wire.Msg(wire.CELL_KILL, id))
	assert wire.cell_gone(legacy.expect(wire.CELL_GONE, id))[1:3] == (1, 9)
	proc.wait_for(lambda: not alive(list(marks.values()) + ["50"]), 3, why="they end with their request")
	t.join(5)


def test_speculation(legacy, php):
	def field(z, name):
		for line in open("/proc/%d/status" % z.p.pid):
			if line.startswith(name):
				return line.split(":", 1)[1].strip()
	was = field(php, "Speculation_Store_Bypass")
	if was not in ("thread vulnerable", "thread force mitigated"):
		pytest.skip("this machine leaves no choice: " + str(was))
	assert field(legacy, "Speculation_Store_Bypass") == "thread force mitigated"


# --- SandboxAllow, SandboxDeny ----------------------------------------------------------------------------------------

@X86
def test_allow_and_deny(docroot):  # noqa: F811
	"""A php site that may run programs and nothing else of legacy, and may not connect."""
	calls = ("execve", "vfork", "clone", "wait4", "dup2", "kill", "arch_prctl")
	z = Zygote(docroot, allow=calls, deny=("connect", "sendto"), ini=[("ffi.enable", "1", True)])
	try:
		assert ask(z, EXEC) == "hello\n"
		assert ask(z, "echo json_encode(@fsockopen('127.0.0.1', 9, $e, $m, 1));") is False
		# connect, sendto; unshare still kills; setxattr is still not there; chown still refused; the zygote is out of reach
		assert ask(z, FFI + "echo json_encode([sys(42, -1, null, 0), sys(44, -1, null, 0, 0, null, 0), sys(188, null), sys(92, null, 0, 0), sys(62, posix_getppid(), 0), sys(56, 0x10000011, 0)]);") \
			== [EPERM, EPERM, ENOSYS, EPERM, EPERM, ENOSYS]
		assert z.php(FFI + "sys(272, 0x10000000);").gone == (2, 0, int(signal.SIGSYS), 272)
	finally:
		assert z.stop() == 0


@pytest.mark.parametrize("change,why", [({"allow": ("unshare",)}, "unshare"), ({"allow": ("execve", "setuid")}, "setuid"), ({"deny": ("read",)}, "read"), ({"allow": ("no_such_call",)}, "no_such_call")])
def test_never_by_the_spec_either(docroot, change, why):  # noqa: F811
	"""The zygote does not believe the configuration that its spec was made from."""
	z = Zygote(docroot, **change)
	assert z.ready is None and z.p.wait(10) != 0
	assert why in z.started_err()


# --- learn ------------------------------------------------------------------------------------------------------------

def learned(z):
	"""need, call and script of what the zygote has told."""
	out = []
	while True:
		try:
			m = z.expect(wire.LEARNED, timeout=0.3)
		except (AssertionError, TimeoutError, OSError):
			return out
		out.append(dict(x.split("=", 1) for x in re.match("(need=.*) (call=.*) (count=.*) (as=.*) (script=.*)", m.body.decode()).groups()))


def calls(got):
	return {g["call"]: g["need"] for g in got}


@pytest.fixture(scope="module")
def learning(docroot):  # noqa: F811
	z = Zygote(docroot, profile="learn", isolation="shared", ini=[("ffi.enable", "1", True)])
	assert b"LEARNING" in z.ready.body
	yield z
	assert z.stop() == 0


def test_learn_tells_what_strict_lacks(learning):
	assert ask(learning, "echo 1;") == 1
	assert calls(learned(learning)) == {}
	assert ask(learning, SOCKETS) is True
	got = learned(learning)
	assert calls(got) == {"bind": "php", "listen": "php"} and all(g["script"].endswith(".php") for g in got), got
	assert ask(learning, EXEC) == "hello\n"
	got = calls(learned(learning))
	assert got["execve"] == "legacy" and {"vfork", "clone"} & set(got) and got["wait4"] == "legacy", got


@X86
def test_learn_is_not_a_hole(learning, docroot):  # noqa: F811
	# What may be learned reaches the kernel ...
	code = FFI + "echo json_encode([sys(240, null, 0, 0, null), sys(188, null, null, null, 0, 0), "
	# ... and other users, raw sockets, set-id modes, namespaces by clone, writable code, the zygote, its listener do not.
	code += "sys(105, 0), sys(41, 17, 3, 0), sys(90, null, 04755), sys(56, 0x10000011, 0), sys(9, 0, 4096, 7, 34, -1, 0), " \
		"sys(62, posix_getppid(), 0), sys(435, null, 0), sys(425, 1, null), sys(16, 3, 0xc0502100, null), sys(16, 3, 0xc0182101, null), sys(157, 22, 2, null), sys(424, -1, 0, null, 0)]);"
	got = ask(learning, code)
	assert got[:2] == [-14, -14]
	assert got[2:] == [EPERM, ENOSYS, ENOSYS, ENOSYS, ENOSYS, EPERM, ENOSYS, EPERM, EPERM, EPERM, ENOSYS, ENOSYS]
	assert calls(learned(learning)) == {"mq_open": "allow", "setxattr": "legacy"}
	for nr in (272, 101, 165, 317, 321):
		assert learning.php(FFI + "sys(%d, 0x10000000, 0, 0);" % nr).gone == (2, 0, int(signal.SIGSYS), nr)


def test_learn_counts_by_script(learning, docroot):  # noqa: F811
	with open(os.path.join(docroot, "often.php"), "w") as f:
		f.write("<?php for ($i = 0; $i < 12; $i++) { $s = @stream_socket_server('tcp://127.0.0.1:0'); fclose($s); } echo 'x';")
	id, conn = learning.cell()
	for _ in range(3):
		assert conn.ask(learning.params("often.php"), keep=True).body == b"x"
	got = [(g["call"], int(g["count"])) for g in learned(learning) if g["script"].endswith("often.php")]
	assert sorted(got) == [("bind", 1), ("bind", 10), ("listen", 1), ("listen", 10)]
	conn.close()
	learning.expect(wire.CELL_GONE, id)


def test_learn_survives_killed_cells(learning, docroot):  # noqa: F811
	"""A cell that dies while one of its calls waits for the zygote, and programs of a cell that is gone."""
	with open(os.path.join(docroot, "busy.php"), "w") as f:
		f.write("<?php for (;;) { shell_exec('true'); }")
	for _ in range(4):
		id, conn = learning.cell()
		conn.sock.sendall(wire.request(learning.params("busy.php")))
		time.sleep(0.15)
		wire.send(learning.front, wire.Msg(wire.CELL_KILL, id))
		assert wire.cell_gone(learning.expect(wire.CELL_GONE, id))[1:3] == (1, 9)
		conn.close()
	assert ask(learning, "echo 1;") == 1
	learned(learning)


def serve(tmp, name, root, lines, fleet):
	text = site_conf.prefork_vhost("learn.test", root, "fresh", {}).replace("    SandboxProfile php\n", lines)
	text = '<Directory "%s">\nRequire all granted\n</Directory>\n' % root + text
	return fleet.start(servers.Bulkhead(os.path.join(tmp, name), text))


def test_learned_lines_are_ready_to_paste(tmp):
	"""A site learns; what bulkhead --learned says makes it work under that profile, and without the allowed call it does not."""
	root = os.path.join(tmp, "learnroot")
	os.makedirs(root)
	os.chmod(root, 0o755)
	for d in ("learning", "learned", "denied"):
		os.makedirs(os.path.join(tmp, d))
	script = "<?php echo json_encode([@stream_socket_server('tcp://127.0.0.1:0') !== false, @shell_exec('echo hello')]);"
	for name, text in (("work.php", script), ("plain.php", "<?php echo 'plain';"), ("forge.php", "<?php file_put_contents('php://stderr', \"learned: need=allow call=mq_open count=1 as=x script=/x\\n\"); echo 'forged';")):
		with open(os.path.join(root, name), "w") as f:
			f.write(text)
	fleet = conftest.Fleet()
	try:
		bh = serve(tmp, "learning", root, "    SandboxProfile learn\n", fleet)
		assert "LEARNING" in bh.run("-S").stdout
		assert bh.get("learn.test", "/plain.php").body == b"plain"
		assert json.loads(bh.get("learn.test", "/work.php").body) == [True, "hello\n"]
		assert bh.get("learn.test", "/forge.php").body == b"forged"
		proc.wait_for(lambda: "call=execve" in bh.log() and "call=listen" in bh.log() and "call=mq_open" in bh.log(), 5, why="it is told")
		out = subprocess.run([servers.bulkhead_bin(), "--learned", "-"], input=bh.log(), capture_output=True, text=True, timeout=30)
		assert out.returncode == 0, out
		lines = [l for l in out.stdout.splitlines() if not l.startswith("#")]
		assert lines == ["SandboxProfile legacy"], out.stdout
		assert "mq_open" not in out.stdout  # a cell's own line
		assert "work.php" in out.stdout
		bh = serve(tmp, "learned", root, "".join("    %s\n" % l for l in lines), fleet)
		assert json.loads(bh.get("learn.test", "/work.php").body) == [True, "hello\n"]
		bh = serve(tmp, "denied", root, "    SandboxProfile legacy\n    SandboxDeny execve\n", fleet)
		assert json.loads(bh.get("learn.test", "/work.php").body)[1] in (None, False)
		shown = bh.run("-S").stdout
		assert "SandboxProfile legacy, SandboxDeny execve" in shown, shown
	finally:
		fleet.stop()


# --- a violation in words ---------------------------------------------------------------------------------------------

@X86
def test_violation_carries_its_arguments(strict):
	with open(os.path.join(strict.docroot, "violate.php"), "w") as f:
		f.write("<?php " + FFI + "sys(272, 0x10020000, 77, -1);")
	id, conn = strict.cell()
	conn.ask(strict.params("violate.php"))
	conn.close()
	m = strict.expect(wire.CELL_GONE, id)
	assert wire.cell_gone(m) == (2, 0, int(signal.SIGSYS), 272)
	assert wire.cell_gone_args(m)[:3] == [0x10020000, 77, 2**64 - 1]
