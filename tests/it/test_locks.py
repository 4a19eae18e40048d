# SPDX-License-Identifier: Apache-2.0
"""What each role is locked into, as the kernel and as -S say it; and what the master gave up."""
import os
import subprocess
import time

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Conn

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

# Numbers of linux/capability.h.
CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, BIND = 0, 1, 3, 5, 6, 7, 8, 10
NET_ADMIN, NET_RAW, MODULE, RAWIO, CHROOT, PTRACE, ADMIN, BOOT, NICE, RESOURCE, TIME, MKNOD, SYSLOG, BPF = 12, 13, 16, 17, 18, 19, 21, 22, 23, 24, 25, 27, 34, 39


def caps(pid, which):
	mask = int(proc.status_of(pid)[which], 16)
	return {bit for bit in range(64) if mask >> bit & 1}


def table(text):
	"""Rows of the table of running processes: {pid: {column: text}}."""
	lines = text.splitlines()
	at = next(i for i, line in enumerate(lines) if line.startswith("ROLE "))
	rows = {}
	for line in lines[at + 1:]:
		words = line.split(None, 7)
		if len(words) == 8 and words[1].isdigit():
			rows[int(words[1])] = dict(zip(("role", "pid", "site", "user", "nnp", "seccomp", "ns", "caps"), words))
	return rows


@pytest.fixture
def own(here, docroot, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	text = site_conf.common(docroot) + "".join(site_conf.prefork_vhost(n, docroot, "fresh", ini, "    SiteIdleTimeout 60\n")
		for n in ("one.test", "two.test"))
	return fleet.start(servers.Bulkhead(here + "/bulkhead", text))


def test_master_keeps_what_it_uses(own):
	if not proc.ROOT:
		for which in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
			assert caps(own.pid, which) == set(), "an ordinary user's master has capabilities"
		return
	mine = caps(os.getpid(), "CapPrm")
	keeps = {CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, BIND, NET_ADMIN, CHROOT, ADMIN}
	for which in ("CapEff", "CapPrm", "CapBnd"):
		have = caps(own.pid, which)
		assert {SETUID, SETGID, SETPCAP, KILL} <= have, which
		assert have <= keeps, "%s has more than it uses: %s" % (which, sorted(have - keeps))
		for bit in (NET_RAW, MODULE, RAWIO, PTRACE, BOOT, NICE, RESOURCE, TIME, MKNOD, SYSLOG, BPF):
			assert bit not in have
	assert mine & {MODULE, PTRACE, BOOT, TIME, MKNOD}, "we had none of these ourselves: the test shows nothing"
	assert caps(own.pid, "CapInh") == set() and caps(own.pid, "CapAmb") == set()


def test_reduced_master_still_does_its_work(own):
	"""Zygotes of other users, a reload with its logs, kills across users: all of it after the capabilities are gone."""
	assert own.get("one.test", "/hello.php").body == b"hello\n"
	os.rename(own.error_log, own.error_log + ".1")
	assert own.run("-k", "graceful").returncode == 0
	proc.wait_for(lambda: os.path.exists(own.error_log), why="the log is opened again")
	proc.wait_for(lambda: own.get("two.test", "/hello.php").body == b"hello\n", why="the new generation serves")
	assert own.get("one.test", "/hello.php").body == b"hello\n"


def test_table_of_running_processes(own):
	with Conn(own.addr) as c:
		c.send(b"GET /sleep.php?s=2 HTTP/1.1\r\nHost: one.test\r\n\r\n")
		own.get("two.test", "/hello.php")
		time.sleep(0.4)
		for word in (("-S",), ("-k", "status")):
			r = own.run(*word)
			assert r.returncode == 0, r.stdout
			rows = table(r.stdout)
			assert rows[own.pid]["role"] == "master" and rows[own.pid]["caps"].split()[0] == ("none" if not proc.ROOT else rows[own.pid]["caps"].split()[0])
			if proc.ROOT:
				assert "setuid" in rows[own.pid]["caps"] and "sys_module" not in rows[own.pid]["caps"]
			roles = [r["role"] for r in rows.values()]
			assert roles.count("master") == 1 and roles.count("front") == 1 and "(other)" not in roles, rows
			for site in ("one.test", "two.test"):
				assert len([r for r in rows.values() if r["site"] == site and r["role"] == "zygote"]) == 1, rows
				assert [r for r in rows.values() if r["site"] == site and r["role"] == "cell"], rows
			for pid, row in rows.items():
				if not proc.alive(pid):
					continue
				st = proc.status_of(pid)
				assert row["nnp"] == ("yes" if st["NoNewPrivs"] == "1" else "no")
				assert row["seccomp"].split(":")[0] == {"0": "off", "2": "filter"}[st["Seccomp"]]
				if ":" in row["seccomp"]:
					assert row["seccomp"].split(":")[1] == st["Seccomp_filters"]
				if row["role"] in ("zygote", "cell"):
					assert row["nnp"] == "yes" and row["seccomp"].startswith("filter") and row["caps"].startswith("none")
					want = servers.SITE_USER if proc.ROOT else None
					assert want is None or row["user"] == want
				if row["role"] == "cell" and ":" in row["seccomp"]:
					# A cell has its zygote's filters and one more.
					parent = rows[proc.parents()[pid]]
					assert int(row["seccomp"].split(":")[1]) > int(parent["seccomp"].split(":")[1])
		assert c.response().status == 200


def test_other_peoples_processes_are_not_shown(own):
	stranger = subprocess.Popen(["sleep", "30"])
	try:
		rows = table(proc.wait_for(lambda: next((t for t in [own.run("-k", "status").stdout] if "ROLE " in t), None), 5, why="the table"))
		assert own.pid in rows and stranger.pid not in rows and os.getpid() not in rows and 1 not in rows
	finally:
		stranger.kill()
		stranger.wait()


def test_status_of_nothing(own):
	own.stop()
	r = own.run("-k", "status")
	assert r.returncode == 1 and "not running" in r.stdout
	r = own.run("-S")
	assert r.returncode == 0 and "Not running" in r.stdout
	own.start()
