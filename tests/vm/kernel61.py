# SPDX-License-Identifier: Apache-2.0
"""Debian's own kernel, as root: every lock holds on it, and what it lacks is named."""
import os
import re

import proc
import world
from world import BIN, BUILD, command


class World(world.World):
	sites = {"one": ("www-data", "RequestIsolation fresh\nMaxRequestWorkers 2"), "two": ("games", "RequestIsolation shared\nMaxRequestWorkers 2")}


def check_kernel(w):
	"""Of the series that Debian 12 has: newer than what a cell needs, older than what rollback needs."""
	release = os.uname().release
	assert re.match(r"6\.1\.\d+-\d+-amd64$", release), release
	return release


def check_filters(w):
	"""Every allow and every deny of every profile, tried one by one."""
	def run():
		out = command(os.path.join(BUILD, "tests/probe/try_syscall"), timeout=240, ok=False)
		lines = [l for l in out.splitlines() if l.startswith(("ok ", "not ok "))]
		assert len(lines) > 300, out[-3000:]
		return lines, {l.partition(" - ")[2] for l in lines if l.startswith("not ok ")}
	lines, bad = run()
	# Some calls are ended by a timer, which may be early where a processor is emulated; what the filter says stays the same.
	if bad:
		bad &= run()[1]
	assert not bad, "\n".join(sorted(bad))
	return "%d calls" % len(lines)


def check_version_says_what_is_there(w):
	out = command(BIN, "-V")
	for what in ("site users and groups", "system call filters", "openat2 path confinement"):
		assert re.search("^  %s +yes$" % what, out, re.M), out
	return "\n".join(out.splitlines()[-8:])


def check_sites_answer(w):
	w.start()
	for site in ("one", "two"):
		w.wake(site)
		r = w.get(site, "/hello.php")
		assert r.status == 200 and r.text().startswith("hello "), r


def check_locks_of_a_cell(w):
	"""Read back from the kernel: user, capabilities, bounding set, no_new_privs, filter; of cells that wait for a request, too."""
	for site, user in (("one", "www-data"), ("two", "games")):
		uid = command("id", "-u", user).strip()
		assert w.get(site, "/whoami.php").text() == uid
		def statuses():
			found = []
			for pid in [w.zygote(site)] + w.cells(site):
				try:
					found.append(proc.status_of(pid))
				except OSError:
					pass  # it has answered its request meanwhile
			return len(found) > 1 and found
		for st in proc.wait_for(statuses, 20, why="zygote and a cell of " + site):
			assert st["Uid"].split() == [uid] * 4, st["Uid"]
			for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
				assert int(st[caps], 16) == 0, (caps, st[caps])
			assert st["NoNewPrivs"] == "1" and st["Seccomp"] == "2", st


def check_locks_of_the_front(w):
	"""The master keeps root, which shows that the values of the others are theirs."""
	fronts, _ = w.server.processes()
	st = proc.status_of(fronts[0])
	assert int(st["CapEff"], 16) == 0 and st["Seccomp"] == "2" and st["Uid"].split()[0] != "0", st
	st = proc.status_of(w.server.pid)
	assert st["Uid"].split()[0] == "0" and int(st["CapEff"], 16) != 0, st


def check_rollback_serves_as_fresh(w):
	"""Linux 6.1 cannot tell which pages were written: each request has a process of its own then, and that is said."""
	sites = {"one": ("www-data", "RequestIsolation rollback\nMaxRequestWorkers 2"), "two": w.sites["two"]}
	w.start(sites)
	w.wake("one")
	w.wake("two")
	first, second = (w.get("one", "/hello.php").text() for _ in range(2))
	assert first.startswith("hello ") and second.startswith("hello ") and first != second, (first, second)
	# The same question where a process serves on: the answer can be another.
	first, second = (w.get("two", "/hello.php").text() for _ in range(2))
	assert first.startswith("hello ") and first == second, (first, second)
	said = w.wait_log(r"(?i)[^\n]*rollback[^\n]*fresh[^\n]*")
	version = command(BIN, "-V")
	line = re.search(r"(?im)^.*rollback.*$", version)
	assert line and re.search(r"(?i)\bno\b|not|fresh", line.group(0)), version
	return said + "\n" + line.group(0)
