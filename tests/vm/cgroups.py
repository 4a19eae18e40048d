# SPDX-License-Identifier: Apache-2.0
"""A cgroup for each site, on a kernel with every controller: the bounds hold, hits are logged, the neighbour goes on."""
import glob
import os
import re
import subprocess
import threading
import time

import proc
import world
from world import BIN, cgroup_of, command

TOP = "/sys/fs/cgroup"
SCRIPTS = {
	"eat.php": "<?php $a = []; for ($i = 0; $i < 4 * (int)$_GET['mb']; $i++) $a[] = str_repeat(chr($i % 255), 250000); echo 'ate ', count($a) >> 2;",
	"sleep.php": "<?php usleep(1000 * (int)$_GET['ms']); echo 'slept';",
	"burn.php": "<?php $n = 0; do { for ($i = 0; $i < 20000; $i++) $n += $i; $r = getrusage(); } while ($r['ru_utime.tv_sec'] * 1000 + "
		"$r['ru_utime.tv_usec'] / 1000 < (int)$_GET['ms']); echo 'burnt';",
}
# A program that forks on and on, each child going on when its parent ends: whoever looks for it by number comes too late.
SCRIPTS["run.pl"] = """use POSIX; POSIX::setsid(); $SIG{TERM} = $SIG{HUP} = 'IGNORE';
for (;;) { exit if fork; select undef, undef, undef, 0.002 }"""
SCRIPTS["leave.php"] = """<?php
exec('perl ' . __DIR__ . '/run.pl >/dev/null 2>&1 &');
exec('setsid sleep 300 >/dev/null 2>&1 &');
usleep(1000 * (int)$_GET['ms']);
echo 'left';"""
SCRIPTS["escape.php"] = "<?php echo var_export(@file_put_contents($_GET['to'] . '/cgroup.procs', getmypid()), true);"
BASE = "MaxRequestWorkers 8\nMinSpareServers 1\nphp_admin_value memory_limit -1\n"


class World(world.World):
	sites = {
		"hog": ("www-data", BASE + "SandboxMemoryMax 96M\nSandboxSwapMax 0"),
		"group": ("games", BASE + "SandboxMemoryMax 96M\nSandboxOomGroup On"),
		"slow": ("news", BASE + "SandboxMemoryHigh 80M\nRequestTimeout 4"),
		"few": ("mail", BASE + "SandboxProcessesMax 4"),
		"lazy": ("uucp", BASE + "SandboxCpuMax 40%\nSandboxCpuWeight 50"),
		"disk": ("man", BASE + "SandboxIoMax /dev/nullb0 wbps=1M riops=100"),
		"idle": ("man", BASE + "SiteIdleTimeout 1"),
		"calm": ("www-data", BASE),
		"old": ("backup", BASE + "SandboxProfile legacy"),
	}

	def __init__(self):
		super().__init__()
		for name in self.sites:
			self.make_site(name, SCRIPTS)

	def dir(self, site):
		return TOP + cgroup_of(self.zygote(site))

	def read(self, site, name):
		return world.read(os.path.join(self.dir(site), name)).strip()


def asked(w, site, path, n):
	"""Statuses of @n requests at once."""
	got = []
	threads = [threading.Thread(target=lambda: got.append(w.get(site, path).status)) for _ in range(n)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	return got


def check_each_process_in_its_place(w):
	"""Master and front beside the sites; zygote and cells in the site's own."""
	w.start()
	w.wake("calm", "hog")
	top = "/bulkhead-%d/" % w.server.pid
	fronts, php = w.server.processes()
	assert {cgroup_of(p) for p in fronts + [w.server.pid]} == {top + "server"}
	assert php and all(re.match(re.escape(top) + r"z\d+-\d+$", cgroup_of(p)) for p in php), [cgroup_of(p) for p in php]
	for site in ("calm", "hog"):
		inside = {int(p) for p in w.read(site, "cgroup.procs").split()}
		assert inside == {w.zygote(site), *proc.descendants(w.zygote(site))} and len(inside) > 1
	assert w.dir("calm") != w.dir("hog")


def check_bounds_are_written(w):
	w.wake("group", "slow", "few", "lazy", "disk")
	for site, name, value in (
			("hog", "memory.max", str(96 << 20)), ("hog", "memory.swap.max", "0"), ("hog", "memory.oom.group", "0"), ("group", "memory.oom.group", "1"),
			("slow", "memory.high", str(80 << 20)), ("few", "pids.max", "4"), ("lazy", "cpu.max", "40000 100000"), ("lazy", "cpu.weight", "50"),
			("calm", "memory.max", "max"), ("calm", "pids.max", "max"), ("calm", "cpu.max", "max 100000"), ("calm", "cpu.weight", "100")):
		assert w.read(site, name) == value, (site, name, w.read(site, name))
	assert re.match(r"\d+:\d+ rbps=max wbps=1048576 riops=100 wiops=max$", w.read("disk", "io.max")), w.read("disk", "io.max")


def check_memory_max_ends_the_cell(w):
	"""Only the one that ate: its client is told, the log names the site, zygote and neighbour go on."""
	zygote = w.zygote("hog")
	assert w.get("calm", "/eat.php?mb=150").text() == "ate 150"
	got = []
	eater = threading.Thread(target=lambda: got.append(w.get("hog", "/eat.php?mb=150")))
	eater.start()
	while eater.is_alive():
		assert w.get("calm", "/hello.php").status == 200
	assert 500 <= got[0].status <= 599, got[0]
	line = w.wait_log(r"site=hog\.test [^\n]*killed out of memory: \d+ [^\n]*")
	assert w.zygote("hog") == zygote and w.get("hog", "/eat.php?mb=5").text() == "ate 5"
	assert w.read("calm", "memory.events").count("oom_kill 0") == 1
	return line


def check_oom_group_ends_all(w):
	"""The zygote too; the next request gets a new one."""
	zygote = w.zygote("group")
	assert 500 <= w.get("group", "/eat.php?mb=150").status <= 599
	w.wait_log(r"site=group\.test [^\n]*killed out of memory: [2-9]")
	w.wake("group")
	assert w.zygote("group") != zygote


def check_memory_high_slows(w):
	"""There is no swap space: what cannot be reclaimed makes it ever slower, until RequestTimeout ends the cell."""
	assert w.get("slow", "/eat.php?mb=5").text() == "ate 5" and "high 0" in w.read("slow", "memory.events")
	assert w.get("slow", "/eat.php?mb=150").status == 504
	return w.wait_log(r"site=slow\.test [^\n]*slowed down at SandboxMemoryHigh[^\n]*")


def check_processes_max(w):
	"""Zygote and three cells: of eight at once some wait, and none of them is a ninth process."""
	most = [0]
	done = threading.Event()

	def watch():
		while not done.is_set():
			most[0] = max(most[0], int(w.read("few", "pids.current")))
			time.sleep(0.01)
	t = threading.Thread(target=watch)
	t.start()
	got = asked(w, "few", "/sleep.php?ms=500", 8)
	done.set()
	t.join()
	assert 200 in got and most[0] == 4, (got, most)
	line = w.wait_log(r"site=few\.test [^\n]*refused at SandboxProcessesMax[^\n]*")
	# The same without a bound has them all at once.
	assert asked(w, "calm", "/sleep.php?ms=500", 8) == [200] * 8
	return "%s; answers %s" % (line, sorted(got))


def check_cpu_max(w):
	"""Work takes longer by as much."""
	def seconds(site):
		start = time.monotonic()
		assert w.get(site, "/burn.php?ms=700", timeout=120).text() == "burnt"
		return time.monotonic() - start
	calm, lazy = seconds("calm"), seconds("lazy")
	throttled = int(re.search(r"nr_throttled (\d+)", w.read("lazy", "cpu.stat")).group(1))
	assert lazy > 1.4 and lazy > 1.5 * calm and throttled > 5 and "nr_throttled 0" in w.read("calm", "cpu.stat"), (calm, lazy, throttled)
	return "%.1f s, bounded %.1f s" % (calm, lazy)


def check_io_max(w):
	"""Root's own dd, put into the site's cgroup: four megabytes at one a second."""
	w.wake("disk")

	def seconds(place):
		start = time.monotonic()
		subprocess.run(["bash", "-c", "echo $$ >%s/cgroup.procs && exec dd if=/dev/zero of=/dev/nullb0 bs=256k count=16 oflag=direct status=none" % place],
			check=True, timeout=60)
		return time.monotonic() - start
	bounded, free = seconds(w.dir("disk")), seconds(w.dir("calm"))
	assert bounded > 2.5 and free < 1.5, (bounded, free)
	return "%.1f s, unbounded %.1f s" % (bounded, free)


def check_idle_site_has_none(w):
	"""Its directory is gone with its last process."""
	w.wake("idle")
	place = w.dir("idle")
	proc.wait_for(lambda: not os.path.exists(place), 20, why="the cgroup of an idle site is removed")


def inside(place):
	"""Process numbers in a cgroup and all below it."""
	return {int(p) for d, _, files in os.walk(place) if "cgroup.procs" in files for p in world.read(d + "/cgroup.procs").split()}


def check_programs_end_with_their_request(w):
	"""Where cells may start programs each has a cgroup of its own, whatever session or parent the programs have."""
	w.wake("old")
	place, zygote = w.dir("old"), w.zygote("old")
	got, seen = [], {}
	t = threading.Thread(target=lambda: got.append(w.get("old", "/leave.php?ms=1500").text()))
	t.start()
	while t.is_alive():
		for p in inside(place):
			try:
				seen.setdefault(proc.name_of(p).split(" ")[0], TOP + cgroup_of(p))
			except (OSError, AttributeError):
				pass  # gone meanwhile
		time.sleep(0.05)
	assert got == ["left"] and "perl" in seen and "sleep" in seen, (got, seen)
	assert seen["perl"] == seen["sleep"] and re.match(re.escape(place) + r"/c\d+$", seen["perl"]), (seen, place)

	def only_ours():
		left = inside(place)
		return zygote in left and all("bulkhead-php" in proc.name_of(p) for p in left)
	proc.wait_for(only_ours, 5, why="the programs of a request are gone")
	assert not [p for p in proc.parents() if proc.name_of(p).startswith(("perl", "sleep 300"))]
	# Nothing of it hurt the zygote, and a profile without programs pays nothing.
	assert w.get("old", "/hello.php").status == 200 and w.zygote("old") == zygote
	assert w.get("calm", "/hello.php").status == 200 and not glob.glob(w.dir("calm") + "/c[0-9]*")


def check_no_way_out_of_a_cgroup(w):
	"""A cell was put into its cgroup, but has no right to any."""
	for site in ("old", "calm"):
		for to in (w.dir(site), TOP, w.dir("calm" if site == "old" else "old")):
			assert w.get(site, "/escape.php?to=" + to).text() == "false", (site, to)


def check_reload_changes_bounds(w):
	before = w.dir("hog")
	sites = dict(w.sites, hog=("www-data", BASE + "SandboxMemoryMax 300M"), lazy=("uucp", BASE))
	w.server.write(w.conf(sites).replace("%d", str(w.server.port)))
	command(BIN, "-f", w.server.conf, "-k", "graceful")
	w.wait_log("after reload")
	w.wake("hog", "lazy")
	assert w.get("hog", "/eat.php?mb=150").text() == "ate 150", w.read("hog", "memory.events") + w.read("hog", "memory.max")
	assert w.get("lazy", "/hello.php").status == 200
	assert w.dir("hog") != before and not os.path.exists(before)
	assert w.read("hog", "memory.max") == str(300 << 20) and w.read("hog", "memory.swap.max") == "max"
	assert w.read("lazy", "cpu.max") == "max 100000" and w.read("lazy", "cpu.weight") == "100"


def check_nothing_is_left(w):
	w.stop()
	proc.wait_for(lambda: not glob.glob(TOP + "/bulkhead-*"), 5, why="the server's cgroups are removed")


def check_a_bound_that_cannot_be_set_refuses(w):
	"""A site does not run without the bound that it names; its neighbour runs."""
	w.start({"disk": ("man", "SandboxIoMax /nowhere rbps=1M"), "calm": w.sites["calm"]})
	w.wake("calm")
	assert w.get("disk", "/hello.php").status == 503
	return w.wait_log(r"site=disk\.test SandboxIoMax[^\n]*")


def check_among_others_it_is_off(w):
	"""Controllers cannot be had in a cgroup that other processes are in: that is said, and the sites are served."""
	place = TOP + "/others"
	os.mkdir(place)
	neighbour = subprocess.Popen(["sleep", "600"])
	with open(place + "/cgroup.procs", "w") as f:
		f.write(str(neighbour.pid))
	w.stop()
	own = world.read("/proc/self/cgroup")
	with open(place + "/cgroup.procs", "w") as f:
		f.write("0")
	try:
		w.start({"hog": w.sites["hog"]})
	finally:
		with open(TOP + "/cgroup.procs", "w") as f:
			f.write("0")
	try:
		line = w.wait_log(r"site=hog\.test without effect[^\n]*SandboxMemoryMax, SandboxSwapMax[^\n]*other processes[^\n]*")
		w.wake("hog")
		assert w.get("hog", "/eat.php?mb=150").text() == "ate 150"
		assert os.listdir(place) and not [n for n in os.listdir(place) if os.path.isdir(os.path.join(place, n))]
	finally:
		w.stop()
		neighbour.kill()
		neighbour.wait()
	assert own == world.read("/proc/self/cgroup")
	return line


def check_without_cgroup2_it_is_said(w):
	command("umount", TOP)
	w.start({"hog": w.sites["hog"]})
	w.wake("hog")
	assert w.get("hog", "/eat.php?mb=150").text() == "ate 150"
	line = w.wait_log(r"site=hog\.test without effect[^\n]*cgroup v2 is not mounted[^\n]*")
	assert "no: cgroup v2 is not mounted" in command(BIN, "-V")
	return line
