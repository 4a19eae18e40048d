# SPDX-License-Identifier: Apache-2.0
"""Processes and ports of the tests: started in the foreground, ended by id, nothing left behind."""
import ctypes
import os
import re
import signal
import socket
import subprocess
import time

ROOT = os.geteuid() == 0
MUST_WORK = os.environ.get("BULKHEAD_MUST_WORK") == "1" or os.environ.get("CI") == "true"
PORTS = os.environ.get("BULKHEAD_PORTS", "18500-18999")
_next = [0]

# Orphans of what we start become our children, so that "nothing is left" can be checked, and they can be ended.
ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def free_port():
	lo, hi = (int(p) for p in PORTS.split("-"))
	for _ in range(hi - lo + 1):
		port = lo + (os.getpid() * 7 + _next[0]) % (hi - lo + 1)
		_next[0] += 1
		with socket.socket() as s:
			try:
				# Not SO_REUSEADDR: a port with connections in TIME_WAIT is left alone, too.
				s.bind(("127.0.0.1", port))
				return port
			except OSError:
				continue
	raise RuntimeError("no free port in " + PORTS)


def wait_for(what, timeout=10.0, step=0.05, why="condition"):
	"""Poll until what() is true; returns its value."""
	end = time.monotonic() + timeout
	while True:
		v = what()
		if v:
			return v
		if time.monotonic() > end:
			raise AssertionError("%s: not within %.1f s" % (why, timeout))
		time.sleep(step)


def accepts(addr):
	family = socket.AF_UNIX if isinstance(addr, str) else socket.AF_INET
	with socket.socket(family) as s:
		s.settimeout(2)
		try:
			s.connect(addr)
			return True
		except OSError:
			return False


def stat_of(pid):
	"""Fields of /proc/PID/stat after the name: [0] state, [1] parent, [11] utime, [12] stime, [13] cutime, [14] cstime."""
	try:
		with open("/proc/%d/stat" % pid) as f:
			text = f.read()
	except (OSError, ProcessLookupError):
		return None
	return text[text.rindex(")") + 2:].split()


def alive(pid):
	st = stat_of(pid)
	return st is not None and st[0] not in "ZX"


def parents():
	out = {}
	for name in os.listdir("/proc"):
		if name.isdigit():
			st = stat_of(int(name))
			if st and st[0] not in "ZX":
				out[int(name)] = int(st[1])
	return out


def descendants(pid):
	table = parents()
	found, todo = [], [pid]
	while todo:
		p = todo.pop()
		kids = [k for k, parent in table.items() if parent == p]
		found += kids
		todo += kids
	return found


def name_of(pid):
	try:
		with open("/proc/%d/cmdline" % pid, "rb") as f:
			return f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
	except OSError:
		return ""


def comm_of(pid):
	"""The name that a process has given itself, or None."""
	try:
		with open("/proc/%d/comm" % pid) as f:
			return f.read().rstrip("\n")
	except OSError:
		return None


def is_spare(name):
	"""Whether a process of that command line waits to become a site's zygote."""
	return "bulkhead-php" in name and name.split()[1:2] == ["spare"]


def status_of(pid):
	out = {}
	with open("/proc/%d/status" % pid) as f:
		for line in f:
			k, v = line.split(":", 1)
			out[k] = v.strip()
	return out


def ns_pid(pid):
	"""The process's number in its own pid namespace."""
	return int(status_of(pid)["NSpid"].split()[-1])


def cpu_of(pids):
	"""CPU seconds of these processes and of their children that have ended."""
	ticks = 0
	for p in pids:
		st = stat_of(p)
		if st:
			ticks += sum(int(v) for v in st[11:15])
	return ticks / os.sysconf("SC_CLK_TCK")


def fds_of(pid):
	try:
		return sorted(os.readlink("/proc/%d/fd/%s" % (pid, n)) for n in os.listdir("/proc/%d/fd" % pid))
	except OSError:
		return []


class Daemon:
	"""A server in the foreground, its output in a file, ended with SIGTERM and, when it does not obey, SIGKILL."""
	name = "daemon"
	stop_signal = signal.SIGTERM
	stop_timeout = 15.0

	def __init__(self, tmp):
		self.tmp = tmp
		os.makedirs(tmp, exist_ok=True)
		os.chmod(tmp, 0o755)
		self.out = os.path.join(tmp, self.name + ".out")
		self.p = None

	@property
	def pid(self):
		return self.p.pid

	def argv(self):
		raise NotImplementedError

	def ready(self):
		raise NotImplementedError

	def environ(self):
		return dict(os.environ)

	def start(self, timeout=20.0):
		with open(self.out, "ab") as out:
			self.p = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.tmp,
				env=self.environ(), start_new_session=True)
		STARTED.add(self.p.pid)
		end = time.monotonic() + timeout
		while not self.ready():
			if self.p.poll() is not None:
				raise AssertionError("%s ended with %s at once:\n%s" % (self.name, self.p.returncode, self.output()))
			if time.monotonic() > end:
				self.kill()
				raise AssertionError("%s is not ready after %.0f s:\n%s" % (self.name, timeout, self.output()))
			time.sleep(0.03)
		return self

	def output(self):
		try:
			with open(self.out, "rb") as f:
				return f.read().decode("utf-8", "replace")
		except OSError:
			return ""

	def kill(self):
		family = [self.p.pid] + descendants(self.p.pid)
		for pid in family:
			try:
				os.kill(pid, signal.SIGKILL)
			except ProcessLookupError:
				pass
		self.p.wait()
		reap()

	def stop(self):
		"""End it; returns complaints: did not obey, left processes behind, a sanitizer's report."""
		if self.p is None:
			return []
		bad = []
		if self.p.poll() is not None:
			bad.append("%s had ended by itself with %s:\n%s" % (self.name, self.p.returncode, self.output()[-3000:]))
		family = descendants(self.p.pid)
		if self.p.poll() is None:
			self.p.send_signal(self.stop_signal)
			try:
				self.p.wait(self.stop_timeout)
			except subprocess.TimeoutExpired:
				bad.append("%s did not obey signal %d; its processes: %s" % (self.name, self.stop_signal,
					[name_of(p) for p in [self.p.pid] + descendants(self.p.pid)]))
				self.kill()
		end = time.monotonic() + 5
		while time.monotonic() < end and any(alive(p) for p in family):
			reap()
			time.sleep(0.02)
		left = [p for p in family if alive(p)]
		if left:
			bad.append("%s left processes: %s" % (self.name, [(p, name_of(p)) for p in left]))
			for p in left:
				os.kill(p, signal.SIGKILL)
		reap()
		text = self.output()
		m = re.search(r".*(AddressSanitizer|LeakSanitizer|runtime error:).*", text)
		if m:
			bad.append("%s: %s\n%s" % (self.name, m.group(0), text[m.start():m.start() + 4000]))
		self.p = None
		return bad


def reap():
	"""Collect orphans that were handed to us and have ended; what we started ourselves is waited for where it was started."""
	for pid, parent in zombies().items():
		if parent == os.getpid() and pid not in STARTED:
			try:
				os.waitpid(pid, os.WNOHANG)
			except ChildProcessError:
				pass


STARTED = set()


def zombies():
	out = {}
	for name in os.listdir("/proc"):
		if name.isdigit():
			st = stat_of(int(name))
			if st and st[0] == "Z":
				out[int(name)] = int(st[1])
	return out
