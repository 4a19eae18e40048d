# SPDX-License-Identifier: Apache-2.0
"""The unit under systemd as init: ready when it says so, reload, delegated cgroups, restart, and an end without remains."""
import os
import re
import signal
import time

import proc
import rawhttp
import servers
import world
from world import command

UNIT = "bulkhead.service"
PLACE = "/sys/fs/cgroup/system.slice/" + UNIT
ADDR = ("127.0.0.1", 80)


class World(world.World):
	sites = {"one": ("www-data", "php_admin_value memory_limit -1\nSandboxMemoryMax 96M\nSandboxSwapMax 0"), "two": ("games", "SandboxProcessesMax 20"),
		"old": ("backup", "SandboxProfile legacy")}

	def __init__(self):
		super().__init__()
		for name in self.sites:
			self.make_site(name, {
				"eat.php": "<?php $a = []; for ($i = 0; $i < 600; $i++) $a[] = str_repeat('x', 250000); echo count($a);",
				"leave.php": "<?php exec('setsid sleep 300 >/dev/null 2>&1 &'); usleep(300000); echo exec('id -un');"})
		text = world.read("/usr/local/lib/systemd/system/" + UNIT)
		self.conf_path = re.search(r"-f (\S+)", text).group(1)
		self.write()

	def write(self, more=""):
		servers.write(self.conf_path, "User bulkhead\nListen 127.0.0.1:80\nPidFile /run/bulkhead/bulkhead.pid\nErrorLog /var/log/bulkhead/error.log\n"
			"LogLevel info\nServerName main.test\n%s%s" % (more, self.conf(self.sites).replace("%d", "80")))

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


def check_a_killed_master_is_started_again(w):
	pid = int(w.show("MainPID"))
	os.kill(pid, signal.SIGKILL)
	proc.wait_for(lambda: w.show("MainPID") not in ("0", str(pid)) and w.show("ActiveState") == "active", 60, why="another master")
	w.wake("two")


def check_stop_leaves_nothing(w):
	start = time.monotonic()
	command("systemctl", "stop", UNIT, timeout=120)
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
