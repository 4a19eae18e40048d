# SPDX-License-Identifier: Apache-2.0
"""Roles that were taken over and lie to the ones they talk to: what a front says to the master, a zygote to its front."""
import array
import ctypes
import os
import signal
import socket
import struct
import threading
import time

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Broken

pytestmark = pytest.mark.bulkhead
PIDFD_GETFD = 438
SITE_WANT, SITE_KILL, FRONT_READY, CELL_UP, CELL_GONE = 0x12, 0x14, 0x16, 0x21, 0x25


def message(type, id=0, body=b"", fds=0, version=1):
	return struct.pack(">HBBII", type, version, fds, len(body), id) + body


def channel_of(pid, peer):
	"""A copy of the channel that process pid has to process peer: what it says is said by pid."""
	libc = ctypes.CDLL(None, use_errno=True)
	try:
		pidfd = os.pidfd_open(pid)
	except (AttributeError, OSError):
		pytest.skip("no pidfd here")
	try:
		for fd in sorted(int(n) for n in os.listdir("/proc/%d/fd" % pid)):
			copy = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
			if copy == -1:
				continue
			try:
				s = socket.socket(fileno=copy)
			except OSError:
				os.close(copy)
				continue
			if s.family == socket.AF_UNIX and s.type & 0xf == socket.SOCK_SEQPACKET:
				made_by = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
				if made_by == peer:
					return s # as it is: its flags are shared with whom it was taken from
			s.close()
	finally:
		os.close(pidfd)
	raise AssertionError("process %d has no channel to %d" % (pid, peer))


@pytest.fixture
def bh(here, docroot, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	if not proc.ROOT:
		pytest.skip("only root takes descriptors of other processes")
	return fleet.start(servers.Bulkhead(here + "/bulkhead", site_conf.common(docroot) + site_conf.prefork_vhost("one.test", docroot, "shared", ini)
		+ site_conf.prefork_vhost("two.test", docroot, "fresh", ini)))


def front_of(bh):
	return proc.wait_for(lambda: bh.processes()[0], why="a front")[0]


def serves(bh, host="one.test"):
	try:
		return bh.get(host, "/hello.php").body == b"hello\n"
	except (Broken, OSError):
		return False


LIES = {
	"ready-twice": [message(FRONT_READY)],
	"unknown-site": [message(SITE_WANT, 77)],
	"unknown-site-huge": [message(SITE_KILL, 0xffffffff)],
	"type-unknown": [message(0x99)],
	"type-of-master": [message(0x10)],
	"version": [message(SITE_WANT, 1, version=2)],
	"body-length": [message(SITE_WANT, 1)[:-4] + b"\0\0\1\0"],
	"short": [b"x"],
	"too-long": [message(SITE_WANT, 1, b"x" * 4000)],
	"many-bad": [message(SITE_WANT, 77)] * 500,
}


@pytest.mark.parametrize("lie", LIES)
def test_front_that_lies_is_replaced(bh, lie):
	assert serves(bh)
	front = front_of(bh)
	with channel_of(front, bh.pid) as s:
		for m in LIES[lie]:
			try:
				s.send(m)
			except OSError:
				break
	proc.wait_for(lambda: not proc.alive(front), why="the end of the front")
	proc.wait_for(lambda: serves(bh), why="another front")
	assert bh.log().count(": killing it") == 1


def descriptors_at_rest(pid):
	"""How many a process has when their number has not changed for a second: spare zygotes come and go."""
	seen = []

	def settled():
		seen.append(len(os.listdir("/proc/%d/fd" % pid)))
		return len(seen) >= 10 and len(set(seen[-10:])) == 1
	proc.wait_for(settled, 20, 0.1, why="a steady number of descriptors")
	return seen[-1]


def test_front_that_sends_descriptors_is_replaced(bh):
	assert serves(bh)
	front = front_of(bh)
	before = descriptors_at_rest(bh.pid)
	with channel_of(front, bh.pid) as s, open("/dev/null") as null:
		for n in (1, 2, 20):
			try:
				s.sendmsg([message(SITE_WANT, 1, fds=n)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * n))])
			except OSError:
				break
	proc.wait_for(lambda: not proc.alive(front), why="the end of the front")
	proc.wait_for(lambda: serves(bh), why="another front")
	assert descriptors_at_rest(bh.pid) <= before


def test_flooded_master_still_obeys(bh):
	"""A front that talks without end must not keep the master from its signals."""
	assert serves(bh)
	front = front_of(bh)
	end = threading.Event()

	def flood(s):
		while not end.is_set():
			try:
				s.send(message(SITE_KILL, 1), socket.MSG_DONTWAIT)
			except BlockingIOError:
				continue
			except OSError:
				return
	with channel_of(front, bh.pid) as s:
		threads = [threading.Thread(target=flood, args=(s,)) for _ in range(2)]
		for t in threads:
			t.start()
		try:
			time.sleep(0.5)
			os.kill(bh.pid, signal.SIGHUP)
			proc.wait_for(lambda: set(bh.processes()[0]) - {front}, timeout=5, why="a new front")
		finally:
			end.set()
			for t in threads:
				t.join()
	proc.wait_for(lambda: serves(bh), why="service")


def zygote_of(bh):
	php = set(bh.processes()[1])
	table = proc.parents()
	return sorted(p for p in php if table.get(p) == bh.pid)


@pytest.mark.parametrize("lie", ["cell-unasked", "gone-unasked", "garbage"])
def test_zygote_that_lies_is_replaced(bh, lie):
	"""Its site starts anew; another site does not notice."""
	assert serves(bh)
	(bad,) = zygote_of(bh)
	assert serves(bh, "two.test")
	(good,) = set(zygote_of(bh)) - {bad}
	# The master made the channel, and is its other end by name.
	with channel_of(bad, bh.pid) as s:
		a, b = socket.socketpair()
		if lie == "cell-unasked":
			s.sendmsg([message(CELL_UP, 7777, fds=1)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [a.fileno()]))])
		elif lie == "gone-unasked":
			s.send(message(CELL_GONE, 7777, b"\0" * 10))
		else:
			s.send(os.urandom(300))
		a.close()
		b.close()
	proc.wait_for(lambda: not proc.alive(bad), why="the end of the zygote")
	assert serves(bh, "two.test")
	proc.wait_for(lambda: serves(bh), why="another zygote")
	assert proc.alive(good)
