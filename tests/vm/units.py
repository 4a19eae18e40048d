# SPDX-License-Identifier: Apache-2.0
"""The unit under systemd as init: ready when it says so, reload, upgrade, delegated cgroups, restart, and an end without remains."""
import glob
import os
import re
import shutil
import signal
import threading
import time

import proc
import rawhttp
import servers
import world
from world import command

UNIT = "bulkhead.service"
PLACE = "/sys/fs/cgroup/system.slice/" + UNIT
ADDR = ("127.0.0.1", 80)
POOL = """<FastCGIPool fpm>
Server "%s"
</FastCGIPool>
<VirtualHost *:80>
ServerName pool.test
DocumentRoot /srv/pool
Dispatch worker
UsePool fpm
AddHandler application/x-httpd-php .php
<Directory /srv/pool>
Require all granted
</Directory>
</VirtualHost>
"""


class World(world.World):
	sites = {"one": ("www-data", "php_admin_value memory_limit -1\nSandboxMemoryMax 96M\nSandboxSwapMax 0"), "two": ("games", "SandboxProcessesMax 20"),
		"old": ("backup", "SandboxProfile legacy")}

	def __init__(self):
		super().__init__()
		for name in list(self.sites) + ["pool"]:
			self.make_site(name, {
				"eat.php": "<?php $a = []; for ($i = 0; $i < 600; $i++) $a[] = str_repeat('x', 250000); echo count($a);",
				"wait.php": "<?php for ($i = 0; $i < 6; $i++) { echo 'more '; flush(); sleep(1); } echo 'end';",
				"leave.php": "<?php exec('setsid sleep 300 >/dev/null 2>&1 &'); usleep(300000); echo exec('id -un');"})
		text = world.read("/usr/local/lib/systemd/system/" + UNIT)
		self.conf_path = re.search(r"-f (\S+)", text).group(1)
		self.program = re.search(r"ExecStart=(\S+)", text).group(1)
		self.fpm = servers.Fpm("/tmp/vm-fpm", {}, children=3)
		self.fpm.start(timeout=60)
		self.write()

	def write(self, more=""):
		servers.write(self.conf_path, "User bulkhead\nListen 127.0.0.1:80\nPidFile /run/bulkhead/bulkhead.pid\nErrorLog /var/log/bulkhead/error.log\n"
			"LogLevel info\nServerName main.test\n%s%s%s" % (more, self.conf(self.sites).replace("%d", "80"), POOL % self.fpm.server()))

	def stop(self):
		super().stop()
		fpm, self.fpm = self.fpm, None
		if fpm is not None:
			assert fpm.stop() == []

	def get(self, site, path, timeout=60.0):
		return rawhttp.get(ADDR, site + ".test", path, timeout=timeout)

	def master(self):
		return int(self.show("MainPID"))

	def show(self, what):
		return command("systemctl", "show", "-P", what, UNIT).strip()

	def log(self):
		return world.read("/var/log/bulkhead/error.log")

	def evidence(self):
		try:
			return "\n--- log\n%s\n--- status\n%s" % (self.log()[-2000:], command("systemctl", "status", "--no-pager", "-n", "30", UNIT, ok=False))
		except OSError as e:
			return str(e)

	def wait_line(self, pattern, timeout=30):
		return proc.wait_for(lambda: re.search(pattern, self.log()), timeout, why="log line " + pattern).group(0)


def check_init(w):
	assert os.readlink("/proc/1/exe").endswith("/systemd/systemd") and os.path.isdir("/run/systemd/system")
	command("getent", "passwd", "bulkhead")  # made at boot by what the package has for systemd-sysusers


def check_unit_is_sound(w):
	out = command("systemd-analyze", "verify", "--man=no", UNIT, ok=False)
	assert UNIT not in out and "bulkhead" not in out, out


def check_start_means_ready(w):
	"""systemctl comes back when the server has said that it serves; not a moment is waited."""
	command("systemctl", "start", UNIT, timeout=120)
	assert rawhttp.get(ADDR, "one.test", "/nothing.txt").status == 404
	assert w.show("ActiveState") == "active" and w.show("Type") == "notify" and w.show("Delegate") == "yes"


def check_each_site_has_a_cgroup(w):
	w.wake("one", "two")
	pid = int(w.show("MainPID"))
	place = {}
	for p in [pid] + proc.descendants(pid):
		place.setdefault(re.search("^0::(.*)$", world.read("/proc/%d/cgroup" % p), re.M).group(1), []).append(proc.name_of(p))
	names = {os.path.relpath("/sys/fs/cgroup" + d, PLACE) for d in place}
	assert "server" in names and all(n == "server" or re.match(r"z\d+-\d+$", n) for n in names), place
	bounds = {f: [world.read(os.path.join(PLACE, n, f)).strip() for n in names] for f in ("memory.max", "pids.max")}
	assert str(96 << 20) in bounds["memory.max"] and "20" in bounds["pids.max"], bounds
	return w.wait_line(r"a cgroup for each site below [^\n]*")


def check_memory_max_under_systemd(w):
	assert w.get("one", "/eat.php").status in range(500, 600)
	line = w.wait_line(r"site=one\.test [^\n]*killed out of memory[^\n]*")
	assert w.get("two", "/hello.php").status == 200 and w.show("ActiveState") == "active"
	return line


def check_locks_under_systemd(w):
	for site, user in (("one", "www-data"), ("two", "games")):
		w.wake(site)
		r = w.get(site, "/whoami.php")
		assert r.status == 200 and r.text() == command("id", "-u", user).strip(), r
	pid = int(w.show("MainPID"))
	for p in proc.descendants(pid):
		st = proc.status_of(p)
		if "spare" not in proc.name_of(p):  # one that waits has not been told yet who it will be
			assert int(st["CapEff"], 16) == 0 and st["Uid"].split()[0] != "0" and st["Seccomp"] == "2", (proc.name_of(p), st["CapEff"], st["Uid"], st["Seccomp"])


def check_programs_end_where_cgroups_have_namespaces(w):
	"""systemd mounts them with nsdelegate: who may move whom is looked at more closely."""
	w.wake("old")
	place = "/system.slice/%s/z" % UNIT
	assert world.cgroup_of(w.zygote("old")).startswith(place)

	def placed():
		cells = w.cells("old")
		return cells and all(re.match(re.escape(place) + r"\d+-\d+/c\d+$", world.cgroup_of(p)) for p in cells)
	proc.wait_for(placed, 20, why="cells in cgroups of their own")
	assert w.get("old", "/leave.php").text() == "backup"
	proc.wait_for(lambda: not [p for p in proc.parents() if "sleep 300" in proc.name_of(p)], 5, why="programs of a request are gone")


def check_reload(w):
	"""Another configuration, the same master."""
	pid = w.show("MainPID")
	os.rename("/srv/two/hello.php", "/srv/two/moved.php")
	w.write("Alias /other /srv/one\n")
	command("systemctl", "reload", UNIT, timeout=120)
	proc.wait_for(lambda: w.get("two", "/other/nothing.txt").status == 404 and "after reload" in w.log(), 30, why="the new configuration serves")
	os.rename("/srv/two/moved.php", "/srv/two/hello.php")
	w.wake("two")
	assert w.show("MainPID") == pid and w.show("ActiveState") == "active"


def check_reload_of_nonsense_is_refused(w):
	"""systemctl says so, and what runs goes on."""
	pid = w.show("MainPID")
	w.write("Nonsense on\n")
	assert "failed" in command("systemctl", "reload", UNIT, ok=False, timeout=120).lower()
	assert w.get("two", "/hello.php").status == 200 and w.show("MainPID") == pid
	w.write()


class Requests:
	"""One client's requests, one after the other, until it is told to stop; and what came of each."""

	def __init__(self, w, site, path):
		self.got, self.done = [], threading.Event()
		self.thread = threading.Thread(target=self.run, args=(w, site, path))
		self.thread.start()

	def run(self, w, site, path):
		while not self.done.is_set():
			try:
				r = w.get(site, path)
				self.got.append(r.status if r.body else "nothing")
			except (AssertionError, OSError) as e:
				self.got.append(repr(e))
			time.sleep(0.02)

	def stop(self):
		self.done.set()
		self.thread.join(60)
		return self.got


def zygotes(w):
	"""The cgroups of sites, by path, and what two bounds say in each."""
	return {d: tuple(world.read(d + "/" + f).strip() for f in ("memory.max", "pids.max")) for d in glob.glob(PLACE + "/z*-*")}


def check_upgrade(w):
	"""
	Another program takes over while requests run, short ones and two that last: no client notices, systemd follows to the new
	main process, and sites have their cgroups with their bounds below the unit's, as before.
	"""
	for site in ("one", "two", "pool"):
		w.wake(site)
	old, before = w.master(), zygotes(w)
	assert {str(96 << 20), "20"} <= {v for b in before.values() for v in b}, before
	shutil.copy(w.program, w.program + ".new")
	os.rename(w.program + ".new", w.program)
	lasting = {}
	threads = [threading.Thread(target=lambda s=s: lasting.update({s: w.get(s, "/wait.php", timeout=90).text()})) for s in ("one", "pool")]
	for t in threads:
		t.start()
	time.sleep(1)
	load = [Requests(w, "one", "/hello.php"), Requests(w, "pool", "/hello.php")]
	try:
		time.sleep(1)
		start = time.monotonic()
		command(w.program, "-f", w.conf_path, "-k", "upgrade", timeout=120)
		took = time.monotonic() - start
		new = w.master()
		assert new != old and os.path.samefile("/proc/%d/exe" % new, w.program) and not os.path.samefile("/proc/%d/exe" % old, w.program)
		status = command("systemctl", "status", "--no-pager", "-n", "0", UNIT)
		assert "active (running)" in status and re.search(r"Main PID: %d \(bulkhead\)" % new, status), status
		assert threads[0].is_alive() and proc.alive(old), "the old one had work left"
		time.sleep(1)
	finally:
		got = [r.stop() for r in load]
		for t in threads:
			t.join(90)
	for statuses in got:
		assert len(statuses) > 5 and set(statuses) == {200}, statuses
	assert lasting == {s: "more " * 6 + "end" for s in ("one", "pool")}, lasting
	proc.wait_for(lambda: not proc.alive(old), 30, why="the first master's end")
	w.wake("two")
	after = zygotes(w)
	assert {str(96 << 20), "20"} <= {v for b in after.values() for v in b}, after
	assert w.master() == new and w.show("ActiveState") == "active" and w.show("NRestarts") == "0"
	assert w.get("two", "/whoami.php").text() == command("id", "-u", "games").strip()
	return "%.1f s; %s requests" % (took, " and ".join(str(len(s)) for s in got))


def check_what_comes_after_an_upgrade(w):
	"""The new main process takes reloads, and logs are opened anew when they were renamed."""
	pid = w.show("MainPID")
	w.write("Alias /later /srv/one\n")
	command("systemctl", "reload", UNIT, timeout=120)
	assert w.get("two", "/later/nothing.txt").status == 404 and w.show("MainPID") == pid and w.show("ActiveState") == "active"
	command(w.program, "-f", w.conf_path, "-k", "graceful", timeout=120)
	os.rename("/var/log/bulkhead/error.log", "/var/log/bulkhead/error.log.1")
	command(w.program, "-f", w.conf_path, "-k", "reopen", timeout=120)
	w.wait_line("logs opened anew")


def check_a_failed_upgrade_changes_nothing(w):
	pid = w.show("MainPID")
	w.write("Nonsense on\n")
	out = command(w.program, "-f", w.conf_path, "-k", "upgrade", timeout=120, ok=False)
	assert "refused" in out, out
	w.write()
	assert w.show("MainPID") == pid and w.show("ActiveState") == "active" and w.get("two", "/hello.php").status == 200


def check_a_killed_master_is_started_again(w):
	pid = int(w.show("MainPID"))
	os.kill(pid, signal.SIGKILL)
	proc.wait_for(lambda: w.show("MainPID") not in ("0", str(pid)) and w.show("ActiveState") == "active", 60, why="another master")
	w.wake("two")


def cut(w):
	try:
		w.get("pool", "/wait.php")
	except (AssertionError, OSError):
		pass  # as it is meant


def check_stop_leaves_nothing(w):
	"""Not of a master that has just taken over either, nor of the one that it took over from, which still has a request."""
	w.wake("pool")
	old = w.master()
	lasting = threading.Thread(target=cut, args=(w,))
	lasting.start()
	time.sleep(1)
	command(w.program, "-f", w.conf_path, "-k", "upgrade", timeout=120)
	assert proc.alive(old) and w.master() != old and lasting.is_alive()
	start = time.monotonic()
	command("systemctl", "stop", UNIT, timeout=120)
	lasting.join(20)
	assert w.show("ActiveState") == "inactive" and not proc.accepts(ADDR)
	assert not os.path.exists(PLACE) and not [p for p in proc.parents() if "bulkhead" in proc.name_of(p)], os.listdir(PLACE)
	return "%.1f s" % (time.monotonic() - start)


def check_without_delegation_it_is_said(w):
	"""systemd's cgroups are systemd's, unless it says otherwise."""
	servers.write("/run/systemd/system/%s.d/no.conf" % UNIT, "[Service]\nDelegate=no\n")
	command("systemctl", "daemon-reload")
	command("systemctl", "start", UNIT, timeout=120)
	line = w.wait_line(r"site=one\.test without effect[^\n]*SandboxMemoryMax[^\n]*not delegated[^\n]*")
	w.wake("two")
	command("systemctl", "stop", UNIT, timeout=120)
	return line
