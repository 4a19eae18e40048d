# SPDX-License-Identifier: Apache-2.0
"""What native code in a cell writes on the cell's own connection: it may spoil the request that it was leased for, no other."""
import os
import random
import signal
import socket
import threading
import time

import pytest

import conftest
import levels
import proc
import servers
import site_conf
from rawhttp import Broken, Conn
from test_liars import channel_of, message

pytestmark = pytest.mark.bulkhead

# The request's id stands in the records of the body that nobody has read yet.
EVIL = """<?php
$c = FFI::cdef('long recv(int, void *, unsigned long, int); long write(int, const void *, unsigned long); void _exit(int);
	int usleep(unsigned); int shutdown(int, int);');
$buf = $c->new('char[65536]');
$n = $c->recv(3, $buf, 65536, 0x42);
$seen = $n > 0 ? FFI::string($buf, $n) : '';
$at = strpos($seen, "\\x01\\x05");
if ($at === false) { http_response_code(400); exit('no id'); }
$id = unpack('n', substr($seen, $at + 2, 2))[1];
file_get_contents('php://input');
function record($kind, $data, $id, $version = 1, $pad = 0, $len = null) {
	return pack('CCnnCC', $version, $kind, $id, $len ?? strlen($data), $pad, 0) . $data . str_repeat("\\0", $pad);
}
function answer($id, $text) {
	$body = "Status: 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: " . strlen($text) . "\\r\\n\\r\\n" . $text;
	return record(6, $body, $id) . record(6, '', $id) . record(3, str_repeat("\\0", 8), $id);
}
function put($bytes) { global $c; for ($at = 0; $at < strlen($bytes);) { $n = $c->write(3, substr($bytes, $at, 60000), min(60000, strlen($bytes) - $at)); if ($n <= 0) return; $at += $n; } }
$other = ($id + 1) & 0xffff ?: 1;
switch ($_GET['case']) {
case 'control': put(answer($id, 'OWN')); $c->_exit(0);
case 'second': put(answer($id, 'OWN') . answer($id, 'EVIL')); break;
case 'second-exit': put(answer($id, 'OWN') . answer($id, 'EVIL')); $c->_exit(0);
case 'other-ids': $all = ''; for ($i = 0; $i < 400; $i++) $all .= answer($i, 'EVIL'); put(answer($id, 'OWN') . $all); break;
case 'next-id': put(answer($id, 'OWN') . answer($other, 'EVIL')); break;
case 'before': put(answer($other, 'EVIL') . answer($id, 'OWN')); break;
case 'interleaved': put(record(6, "Content-Type: text/plain\\r\\n\\r\\nEV", $other) . record(6, 'IL', $id) . answer($id, 'EVIL')); break;
case 'late': put(answer($id, 'OWN')); for ($i = 0; $i < 40; $i++) { $c->usleep(10000); put(answer($id, 'EVIL')); } break;
case 'late-exit': put(answer($id, 'OWN')); for ($i = 0; $i < 40; $i++) { $c->usleep(10000); put(answer($id, 'EVIL')); } $c->_exit(0);
case 'late-guess': put(answer($id, 'OWN')); for ($i = 1; $i < 40; $i++) { $c->usleep(10000); put(answer(($id + $i) & 0xffff, 'EVIL')); } break;
case 'late-one': put(answer($id, 'OWN')); for ($i = 1; $i < 40; $i++) { $c->usleep(10000); put(answer(1, 'EVIL')); } break;
case 'late-head': put(answer($id, 'OWN')); $c->usleep(100000); put(record(6, '', $id, 1, 0, 60000)); $c->usleep(200000); break;
case 'half-record': put(record(6, "Content-Type: text/plain\\r\\n\\r\\nEVIL", $id, 1, 0, 1000)); $c->_exit(0);
case 'half-head': put(answer($id, 'OWN') . "\\x01\\x06\\x00"); break;
case 'version': put(record(6, "Content-Type: text/plain\\r\\n\\r\\nEVIL", $id, 2)); break;
case 'type': put(record(77, 'EVIL', $id) . record(1, str_repeat("\\0", 8), $id) . answer($id, 'OWN')); break;
case 'management': put(record(10, 'EVIL', 0) . answer($id, 'OWN')); break;
case 'padding': put(record(6, "Content-Type: text/plain\\r\\n\\r\\nOWN", $id, 1, 255) . record(6, '', $id, 1, 255) . record(3, str_repeat("\\0", 8), $id, 1, 255) . str_repeat("\\0", 300)); break;
case 'end-first': put(record(3, str_repeat("\\0", 8), $id) . record(6, "Content-Type: text/plain\\r\\n\\r\\nEVIL", $id)); break;
case 'end-short': put(record(3, "\\0", $id)); break;
case 'end-long': put(record(3, str_repeat('E', 65535), $id)); break;
case 'end-status': put(record(3, "\\0\\0\\0\\0\\x09\\0\\0\\0", $id)); break;
case 'headers-only': put(record(6, str_repeat("X-Evil: EVIL\\r\\n", 4000), $id)); break;
case 'crlf': put(answer($id, 'OWN') . "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nEVIL"); break;
case 'endless': put(record(6, "Content-Type: text/plain\\r\\n\\r\\n", $id)); for ($i = 0; $i < 200; $i++) put(record(6, str_repeat('E', 60000), $id)); $c->_exit(0);
case 'stderr': for ($i = 0; $i < 50; $i++) put(record(7, str_repeat('E', 60000), $id)); put(answer($id, 'OWN')); break;
case 'noise': mt_srand((int)$_GET['seed']); $s = ''; for ($i = 0; $i < 3000; $i++) $s .= chr(mt_rand(0, 255)); put($s); break;
case 'mutated': mt_srand((int)$_GET['seed']); $s = answer($id, 'OWN') . answer($id, 'EVIL');
	for ($i = 0; $i < 4; $i++) $s[mt_rand(0, strlen($s) - 1)] = chr(mt_rand(0, 255)); put($s); break;
}
echo 'real';
"""

CASES = ["second", "second-exit", "other-ids", "next-id", "before", "interleaved", "late", "late-exit", "late-guess", "late-one", "late-head", "half-record", "half-head", "version",
	"type", "management", "padding", "end-first", "end-short", "end-long", "end-status", "headers-only", "crlf", "endless", "stderr", "noise&seed=1", "noise&seed=2",
	"noise&seed=3"] + ["mutated&seed=%d" % i for i in range(12)]


@pytest.fixture(scope="module")
def bh(tmp, ini, module_fleet):
	"""One cell a site at most: the next request gets the cell that was attacked in, if anybody gets it."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = tmp + "/records"
	os.makedirs(root)
	servers.writable_dir(root + "/var")
	servers.write(root + "/evil.php", EVIL)
	servers.write(root + "/hello.php", "<?php header('Content-Type: text/plain'); echo \"hello \", $_GET['n'], \"\\n\";")
	text = site_conf.common(root)
	for level in levels.ALL:
		if levels.has(tmp, level):
			vhost = site_conf.prefork_vhost(level + ".test", root, level, ini, "    php_admin_value ffi.enable 1\n    php_admin_flag enable_post_data_reading Off\n")
			text += vhost.replace("MaxRequestWorkers 6", "MaxRequestWorkers 1").replace("StartServers 2", "StartServers 1")
	b = module_fleet.start(servers.Bulkhead(tmp + "/records-bh", text + site_conf.prefork_vhost("good.test", root, "shared", ini)))
	b.root = root
	if b.get("good.test", "/hello.php?n=0").body != b"hello 0\n":
		raise AssertionError(b.log())
	return b


def attack(b, level, case, script="/evil.php?case="):
	"""The attacker's own answer: his to spoil."""
	try:
		return b.get(level + ".test", script + case, method="POST", body=b"x" * 60000, timeout=15)
	except (Broken, OSError) as e:
		return e


def check(b, level, case):
	"""Everybody else's."""
	for n in range(6):
		r = b.get(level + ".test", "/hello.php?n=%d" % n, timeout=15)
		assert b"EVIL" not in r.body and b"OWN" not in r.body, "%s: another's answer reached us: %r" % (case, r.body)
		# What it writes behind the end of its answer can meet a later request of a cell that is reused: that one fails.
		caught = level != "fresh" and r.status in (502, 503)
		assert caught or (r.status, r.body) == (200, b"hello %d\n" % n), (case, n, r.status, r.body)
	assert serves(b, level + ".test"), "no service after the attack"
	r = b.get("good.test", "/hello.php?n=9")
	assert r.body == b"hello 9\n"


@pytest.mark.parametrize("level", levels.ALL)
def test_the_tool_works(bh, tmp, level):
	"""A cell can forge the answer to its own request: what the other cases write does arrive."""
	levels.need(tmp, level)
	r = attack(bh, level, "control")
	if b"FFI" in getattr(r, "body", b""):
		conftest.need(False, "no FFI in this PHP")
	assert r.status == 200 and r.body == b"OWN", (r, bh.log()[-1500:])
	assert bh.get(level + ".test", "/hello.php?n=1").body == b"hello 1\n"


@pytest.mark.parametrize("level", levels.ALL)
@pytest.mark.parametrize("case", CASES)
def test_nobody_elses_answer(bh, tmp, level, case):
	levels.need(tmp, level)
	attack(bh, level, case)
	check(bh, level, case)


# A connection whose other side never reads, with more in it than fits, and whose close(2) waits until it has been read. Passed
# along with an octet of an answer, it is closed for whoever reads that octet, if the cell has closed its own by then.
SLOW_CLOSE = """<?php
$c = FFI::cdef('int socket(int, int, int); int bind(int, const void *, unsigned); int listen(int, int); int getsockname(int, void *, void *);
	int connect(int, const void *, unsigned); long sendto(int, const void *, unsigned long, int, void *, unsigned); int close(int);
	int setsockopt(int, int, int, const void *, unsigned); long sendmsg(int, void *, int); int usleep(unsigned); int socketpair(int, int, int, int *);
	typedef struct { void *base; unsigned long len; } vec; typedef struct { void *name; unsigned namelen; vec *iov; unsigned long n; void *control; unsigned long controllen; int flags; } msg;');
$mem = fn($text) => (function () use ($c, $text) { $m = $c->new('char[' . strlen($text) . ']'); FFI::memcpy($m, $text, strlen($text)); return $m; })();
$listener = $c->socket(2, 1, 0);
$addr = $mem(pack('vna4a8', 2, 0, "\x7f\0\0\1", ''));
$c->bind($listener, $addr, 16);
$c->listen($listener, 8);
$c->getsockname($listener, $addr, $mem(pack('V', 16)));
$big = str_repeat('x', 65536);
$iov = $c->new('vec'); $m = $c->new('msg');
$m->iov = FFI::addr($iov); $m->n = 1;
$said = '';
file_put_contents(__DIR__ . '/var/ready', '');
while (!file_exists(__DIR__ . '/var/go')) { clearstatcache(); usleep(1000); }
for ($i = 0; $i < 4; $i++) {
	$s = $c->socket(2, 1, 0);
	if ($c->connect($s, $addr, 16) !== 0) exit('no connection');
	while ($c->sendto($s, $big, 65536, 0x40, null, 0) > 0);
	$linger = $c->setsockopt($s, 1, 13, $mem(pack('VV', 1, 60)), 8);
	$what = $mem("\x01\x06\0\0"[$i]); $iov->base = FFI::cast('void *', FFI::addr($what)); $iov->len = 1;
	$control = $mem(pack('PVVVV', 20, 1, 1, $s, 0)); $m->control = FFI::cast('void *', FFI::addr($control)); $m->controllen = 24;
	$sent = $c->sendmsg(3, FFI::addr($m), 0);
	$c->close($s);
	$said .= "$linger $sent ";
}
/* What is allowed: another option, and descriptors on a socket of one's own. */
$own = $c->new('int[2]'); $c->socketpair(1, 1, 0, $own);
$control = $mem(pack('PVVVV', 20, 1, 1, $listener, 0)); $m->control = FFI::cast('void *', FFI::addr($control));
$said .= $c->setsockopt($listener, 1, 9, $mem(pack('V', 1)), 4) . ' ' . $c->sendmsg($own[0], FFI::addr($m), 0);
file_put_contents(__DIR__ . '/var/new', $said);
rename(__DIR__ . '/var/new', __DIR__ . '/var/said');
$c->usleep(3000000);
"""


def refuses_descriptors():
	"""Whether this kernel lets the reader of a socket do so."""
	a, b = socket.socketpair()
	with a, b:
		try:
			a.setsockopt(socket.SOL_SOCKET, 83, 0) # SO_PASSRIGHTS
		except OSError:
			return False
		return True


def ask(visitor, n):
	visitor.send(b"GET /hello.php?n=%d HTTP/1.1\r\nHost: good.test\r\n\r\n" % n)
	return visitor.response().body


@pytest.mark.parametrize("level", levels.ALL)
def test_descriptor_that_is_slow_to_close(bh, tmp, level):
	"""A descriptor that comes along with an answer holds the front up for nobody."""
	levels.need(tmp, level)
	servers.write(bh.root + "/slow.php", SLOW_CLOSE)
	said, go, ready = (bh.root + "/var/" + name for name in ("said", "go", "ready"))
	for path in (said, go, ready):
		if os.path.exists(path):
			os.unlink(path)
	fronts = bh.processes()[0]
	visitors = [Conn(bh.addr, timeout=30) for _ in range(16)] # some of them are with the thread that the attacker is with
	for v in visitors:
		assert ask(v, 1) == b"hello 1\n"
	attacker = threading.Thread(target=attack, args=(bh, level, "", "/slow.php?"))
	attacker.start()
	proc.wait_for(lambda: os.path.exists(ready), why="the attack")
	for pid in fronts:
		os.kill(pid, signal.SIGSTOP)
	try:
		servers.write(go, "")
		proc.wait_for(lambda: os.path.exists(said), why="the attack")
	finally:
		for pid in fronts:
			os.kill(pid, signal.SIGCONT)
	took = []
	for v in visitors:
		begin = time.monotonic()
		assert ask(v, 2) == b"hello 2\n"
		took.append(time.monotonic() - begin)
		v.close()
	attacker.join()
	assert max(took) < 1, took
	passed = "1" if not refuses_descriptors() else "-1"
	assert open(said).read().split() == ["-1", passed] * 4 + ["0", "1"]


@pytest.mark.parametrize("level", levels.ALL)
def test_while_others_ask(bh, tmp, level):
	"""The same with clients that ask all the time, kept connections among them."""
	levels.need(tmp, level)
	stop, wrong, good = threading.Event(), [], [0]

	def visitor(host, k):
		n = k * 100000
		while not stop.is_set():
			n += 1
			try:
				r = bh.get(host, "/hello.php?n=%d" % n, timeout=15)
			except (Broken, OSError) as e:
				wrong.append(repr(e))
				continue
			if r.status == 200 and r.body == b"hello %d\n" % n:
				good[0] += 1
			elif r.status not in (502, 503) or host == "good.test":
				wrong.append((host, r.status, r.body))
	threads = [threading.Thread(target=visitor, args=(h, k)) for k, h in enumerate([level + ".test", level + ".test", "good.test"])]
	for t in threads:
		t.start()
	for case in ("second", "late", "next-id", "late-exit", "half-head", "crlf", "other-ids"):
		attack(bh, level, case)
	stop.set()
	for t in threads:
		t.join()
	assert not wrong, wrong[:5]
	assert good[0] > 20


# --- the channel of a zygote ----------------------------------------------------------------------------------------------------

def test_random_messages_of_a_zygote(bh):
	"""Whatever a zygote says, its front lives, and other sites are served by the processes they have."""
	if not proc.ROOT:
		pytest.skip("only root takes descriptors of other processes")
	rnd = random.Random(7)
	fronts = bh.processes()[0]
	bh.get("good.test", "/hello.php?n=0")
	types = [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x10, 0x11, 0x12, 0x30, 0x40, 0, 0xffff]
	for n in range(12):
		# A cell of the last one may have answered before its end: ask until there is one that lives.
		bad = proc.wait_for(lambda: serves(bh, "shared.test") and zygotes(bh, "shared.test"), 15, why="another zygote")
		good = zygotes(bh, "good.test")
		assert len(bad) == 1 and len(good) == 1, (bad, good)
		with channel_of(bad[0], bh.pid) as s:
			for _ in range(rnd.randrange(1, 30)):
				m = bytearray(message(rnd.choice(types), rnd.choice([0, 1, 2, 7777, 0xffffffff]), os.urandom(rnd.choice([0, 1, 10, 58, 300, 512, 513])), fds=rnd.randrange(0, 3)))
				for _ in range(rnd.randrange(0, 3)):
					m[rnd.randrange(len(m))] = rnd.randrange(256)
				a, z = socket.socketpair()
				null = os.open("/dev/null", os.O_RDONLY)
				try:
					socket.send_fds(s, [bytes(m)], rnd.choice([[], [], [a.fileno()], [null], [a.fileno(), z.fileno()]]))
				except OSError:
					break
				finally:
					a.close()
					z.close()
					os.close(null)
		assert bh.get("good.test", "/hello.php?n=%d" % n).body == b"hello %d\n" % n
		assert proc.alive(good[0])
	assert bh.processes()[0] == fronts, "the front ended"


def zygotes(b, site):
	table = proc.parents()
	return [p for p in b.processes()[1] if table.get(p) == b.pid and proc.name_of(p).endswith(" " + site)]


def serves(b, host):
	try:
		return b.get(host, "/hello.php?n=5", timeout=15).body == b"hello 5\n"
	except (Broken, OSError):
		return False
