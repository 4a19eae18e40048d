# SPDX-License-Identifier: Apache-2.0
"""
Cells are copies of one process: what they share because of that, the layout of memory, and when it is given up; and who can
talk to the process that they are copies of. (What they must not share, random numbers, is test_prng.py's.)
"""
import os
import re
import socket
import subprocess
import tempfile
import time

import conftest
import levels
import proc
import pytest
import servers
import site_conf
import wire
from test_cell import PROGRAM, ROOT, USER, program  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

@pytest.fixture(scope="module")
def place():
	d = tempfile.mkdtemp(prefix="bh-same-", dir="/tmp")
	os.chmod(d, 0o777)
	yield d
	subprocess.run(["rm", "-rf", d], check=True)


# --- one layout for all, not for ever -----------------------------------------------------------------------------------------


def layout(pid):
	with open("/proc/%d/maps" % pid) as f:
		return {line.split()[-1]: line.split("-")[0] for line in f if re.search(r"(libxml2|libc\.so|ld-linux|libpcre2|bulkhead-php)", line) and " 00000000 " in line}


# Signals that a broken process ends by, each by what a script with native code can do.
CRASHES = {
	"SIGSEGV": "FFI::cdef('long strlen(const void *);')->strlen(FFI::cast('void *', 1));",
	"SIGABRT": "FFI::cdef('void abort(void);')->abort();",
}


@pytest.fixture
def crashing(here, place, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = place + "/crash"
	os.makedirs(root, exist_ok=True)
	for name, code in CRASHES.items():
		servers.write("%s/%s.php" % (root, name), "<?php echo 'secret-part'; " + code)
	servers.write(root + "/ok.php", "<?php echo getmypid();")
	text = site_conf.common(root) + "".join(site_conf.prefork_vhost(n + ".test", root, n, ini, extra="    php_admin_value ffi.enable 1\n") for n in levels.ALL)
	return fleet.start(servers.Bulkhead(here + "/bulkhead", text))


def zygotes(bh, host):
	"""Process ids, as the machine sees them, of the zygotes that serve a host."""
	php, parents = bh.processes()[1], proc.parents()
	return {p for p in php if p in parents and parents[p] not in php and host in (proc.name_of(p) or "")}


@pytest.mark.skipif(not ROOT, reason="only root reads the maps of processes that cannot be dumped")
@pytest.mark.parametrize("isolation", levels.ALL)
@pytest.mark.parametrize("signals", [["SIGSEGV"], ["SIGABRT", "SIGSEGV"]], ids=["segv", "mixed"])
def test_crashes_end_the_layout(crashing, isolation, signals):
	"""Cells share their zygote's layout, so each crash is a guess at it: after five there is a new one."""
	bh, host = crashing, isolation + ".test"

	def served():
		return bh.get(host, "/ok.php").status == 200 and zygotes(bh, host)

	first = proc.wait_for(served, why="an answer")
	assert len(first) == 1
	before = layout(min(first))
	assert len(before) >= 3
	# The attack has a target: the cells of one zygote are laid out alike.
	cells = [c for c in (layout(p) for p, parent in proc.parents().items() if parent in first) if c]
	assert cells and all(c == before for c in cells)
	for i in range(5):
		assert bh.get(host, "/ok.php").status == 200 and zygotes(bh, host) == first, "a new zygote after %d crashes already" % i
		r = bh.get(host, "/%s.php" % signals[i % len(signals)])
		# Nothing of the crash: no signal, no address, no path, and no page that was begun.
		assert r.status == 500, r
		assert not re.search(rb"SIG|signal|0x|core|secret|/crash|zygote|cell", r.body, re.I), r.body
		assert not re.search(r"SIG|signal|0x|zygote|cell", repr(getattr(r, "headers", "")), re.I)
	second = proc.wait_for(lambda: served() and not zygotes(bh, host) & first and zygotes(bh, host), why="a new zygote")
	after = layout(min(second))
	assert set(after) == set(before) and not [k for k in before if before[k] == after[k]], "the same addresses again"
	assert "too many crashes" in bh.log()
	# One more crash is one again.
	assert bh.get(host, "/SIGSEGV.php").status == 500
	assert served() == second


@pytest.mark.skipif(not ROOT, reason="only root reads the maps of processes that cannot be dumped")
def test_age_ends_the_layout(here, place, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = place + "/old"
	servers.write(root + "/ok.php", "<?php echo 'ok';")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", site_conf.common(root)
		+ "".join(site_conf.prefork_vhost(n + ".test", root, n, ini, extra="    ZygoteLifetime 2\n") for n in levels.ALL)))
	seen = {n: {} for n in levels.ALL}
	end = time.monotonic() + 6
	while time.monotonic() < end:
		for n in levels.ALL:
			r = bh.get(n + ".test", "/ok.php")
			assert (r.status, r.body) == (200, b"ok"), "a request was lost: %r" % r
			for z in zygotes(bh, n + ".test"):
				if z not in seen[n]:
					seen[n][z] = tuple(sorted(layout(z).values()))
		time.sleep(0.1)
	for n in levels.ALL:
		assert len(seen[n]) >= 2 and len(set(seen[n].values())) == len(seen[n]), seen


# --- who can talk to a zygote ----------------------------------------------------------------------------------------------------


def start_by(sock):
	"""bulkhead-php with @sock as its channel: what it says, and whether it ended."""
	spec = wire.sealed(wire.spec(site="s", docroot="/tmp", user=USER.pw_name, drop=int(ROOT), uid=USER.pw_uid, gid=USER.pw_gid, profile="php",
		isolation="fresh", max_requests=0, limit_nofile=-1))

	def child():
		a, b = os.dup2(sock.fileno(), 60), os.dup2(spec, 61)
		os.dup2(a, 3)
		os.dup2(b, 4)
		os.closerange(5, 100)
	p = subprocess.Popen([PROGRAM], close_fds=False, preexec_fn=child, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
	os.close(spec)
	return p


def by_path(place, abstract=False):
	listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	name = "\0bh-test-%d" % os.getpid() if abstract else "%s/s-%d" % (place, time.monotonic_ns())
	listener.bind(name)
	listener.listen(1)
	client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	client.connect(name)
	return client, listener.accept()[0], listener


@pytest.mark.parametrize("kind", ["connected", "accepted", "abstract", "stream"])
def test_a_channel_is_one_end_of_a_pair(place, kind):
	if kind == "stream":
		ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
	else:
		ends = by_path(place, kind == "abstract")
	p = start_by(ends[1 if kind == "accepted" else 0])
	assert b"started by bulkhead, not by hand" in p.communicate(timeout=10)[1] and p.returncode == 1
	# Beside it one that is.
	mine, other = wire.pair()
	p = start_by(other)
	other.close()
	assert wire.recv(mine).type == wire.ZYGOTE_READY
	mine.close()
	assert p.wait(10) == 0


@pytest.mark.skipif(not ROOT, reason="the pair must be another user's")
def test_a_channel_of_another_user_is_refused():
	r, w = os.pipe()
	a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # a way to get a pair from somebody else
	child = os.fork()
	if child == 0:
		os.setresgid(65534, 65534, 65534)
		os.setresuid(65534, 65534, 65534)
		x, y = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		socket.send_fds(b, [b"x"], [x.fileno(), y.fileno()])
		os.read(r, 1)
		os._exit(0)
	_, fds, _, _ = socket.recv_fds(a, 10, 2)
	theirs = [socket.socket(fileno=fd) for fd in fds]
	p = start_by(theirs[1])
	assert b"started by bulkhead, not by hand" in p.communicate(timeout=10)[1] and p.returncode == 1
	os.write(w, b"x")
	os.waitpid(child, 0)


def sockets_of(pid):
	return {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid) if os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")}


@pytest.mark.skipif(not ROOT, reason="only root sees the descriptors of processes that cannot be dumped")
def test_nobody_can_call_a_zygote_or_a_cell(crashing):
	"""No listening socket, no name, no port: what they have are ends of pairs, which nobody can connect to."""
	bh = crashing
	for level in levels.ALL:
		assert bh.get(level + ".test", "/ok.php").status == 200
	mothers = set().union(*(zygotes(bh, level + ".test") for level in levels.ALL))
	time.sleep(1)  # cells that were about to end have ended
	cells = [p for p, parent in proc.parents().items() if parent in mothers]
	assert len(mothers) == len(levels.ALL) and cells
	named = {}
	with open("/proc/net/unix") as f:
		for line in f.read().splitlines()[1:]:
			w = line.split()
			named["socket:[%s]" % w[6]] = (int(w[3], 16) & 0x10000, w[7] if len(w) > 7 else "")
	inet = set()
	for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "netlink"):
		if os.path.exists("/proc/net/" + table):
			with open("/proc/net/" + table) as f:
				inet |= {"socket:[%s]" % n for line in f for n in line.split()[8:]}
	seen = {}
	for pid in sorted(mothers) + cells:
		mine = sockets_of(pid)
		# The zygote its channel; a cell its connection, which serves as opcache's lock as well.
		assert len(mine) == 1, (pid, mine)
		for s in mine:
			assert s in named and named[s] == (0, ""), named.get(s)
			assert s not in inet
			assert s not in seen, "processes %d and %d share a socket" % (pid, seen[s])
			seen[s] = pid
	# The other ends are the front's, and the master kept none of either.
	assert not sockets_of(bh.pid) & set(seen)
