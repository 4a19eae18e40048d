# SPDX-License-Identifier: Apache-2.0
"""bulkhead --selftest: everything is stopped as delivered; and each layer, once it is off, lets through what it stopped."""
import atexit
import os
import re
import shutil
import subprocess
import tempfile

import pytest

import conftest
import proc
import servers

pytestmark = pytest.mark.bulkhead

LINE = re.compile(r"^(PASS|FAIL|SKIP)  (\S+) +(\S+) +(.*)$")


# Others may run the same at the same time.
HERE = tempfile.mkdtemp(prefix="bh-st-", dir="/tmp")
os.chmod(HERE, 0o1777)
atexit.register(shutil.rmtree, HERE, ignore_errors=True)


def selftest(*args, what="", user=None):
	"""{attack: (verdict, layer, reason)} and the whole result."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	r = subprocess.run([servers.bulkhead_bin()] + list(args) + ["--selftest=" + what if what else "--selftest"], stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, text=True, timeout=300, user=user, group="nogroup" if user else None, extra_groups=[] if user else None, cwd="/",
		env=dict(os.environ, TMPDIR=HERE))
	out = {}
	for line in r.stdout.splitlines():
		m = LINE.match(line)
		if m:
			assert m.group(3) not in out, line
			out[m.group(3)] = (m.group(1), m.group(2), m.group(4))
	return out, r


@pytest.fixture(scope="module")
def all_of_it():
	return selftest()


def leftovers():
	return os.listdir(HERE)


def test_everything_is_stopped(all_of_it):
	out, r = all_of_it
	bad = {k: v for k, v in out.items() if v[0] == "FAIL"}
	assert not bad, bad
	assert r.returncode == 0, r.stdout[-2000:]
	stopped = [k for k, v in out.items() if v[0] == "PASS" and v[1] != "control"]
	assert len(stopped) >= (100 if proc.ROOT and os.uname().machine == "x86_64" else 60), len(stopped)
	assert "%d attacks stopped, 0 got through" % len(stopped) in r.stdout


def test_nothing_is_left(all_of_it):
	assert not leftovers()
	assert not [p for p in proc.descendants(os.getpid()) if HERE in proc.name_of(p)]


def test_list_has_every_attack(all_of_it):
	_, r = selftest(what="list")
	assert r.returncode == 0
	assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", r.stdout, re.M)) == set(all_of_it[0])


def test_chosen():
	out, r = selftest(what="raw-socket,opcache")
	assert r.returncode == 0, r.stdout
	assert {k for k, v in out.items() if v[1] != "control"} == {"raw-socket", "poison-code", "foreign-compiled-code"}
	assert "control-native" in out


@pytest.mark.parametrize("args,what,why", [
	([], "nonsense", "no attack and no layer"),
	(["-C", "SandboxProfil php"], "uid", "SandboxProfile"),
])
def test_mistakes(args, what, why):
	out, r = selftest(*args, what=what)
	assert r.returncode == 2 and why in r.stdout, r.stdout
	assert not out and not leftovers()


def test_ordinary_user():
	"""Nothing that needs different users is claimed; the rest holds as well."""
	conftest.need(proc.ROOT, "not root")
	out, r = selftest(user="nobody")
	assert r.returncode == 0, r.stdout[-2000:]
	assert out["read-other-site"] == ("SKIP", "uid", "not started as root: all sites have one user")
	assert out["writable-code"][0] == "PASS"
	assert sum(v[0] == "PASS" for v in out.values()) >= 60


@pytest.mark.parametrize("profile", ["strict", "legacy"])
def test_profiles(profile):
	out, r = selftest("-C", "SandboxProfile " + profile, what="filter,limits,capabilities,descriptors,outlive-request")
	assert r.returncode == 0, [(k, v) for k, v in out.items() if v[0] == "FAIL"]
	assert out["run-shell"][0] == ("SKIP" if profile == "legacy" else "PASS")
	assert out["outlive-request"][0] == out["set-id-program"][0] == ("PASS" if profile == "legacy" else "SKIP")


def test_rollback():
	"""The layers hold as they do for cells that end; what native code leaves behind in its own site is another question."""
	out, r = selftest("-C", "RequestIsolation rollback", what="descriptors,dumpable,uid,opcache,front")
	assert r.returncode == 0, [(k, v) for k, v in out.items() if v[0] == "FAIL"]


# With a layer off, or a hole in it, these must get through: so the attack is one, and it is that layer that stops it.
HOLES = [
	(["SandboxAllow memfd_create"], ["memfd-loader"]),
	(["SandboxAllow execve execveat"], ["run-program", "run-program-by-descriptor"]),
	(["SandboxAllow clone fork wait4"], ["fork"]),
	(["RequestIsolation shared"], ["leave-state", "poison-code"]),
	(["php_admin_value ffi.enable 1"], ["foreign-functions"]),
	(["SandboxOff filter"], ["userns-unshare", "userns-clone", "userfaultfd", "become-dumpable", "mptcp-socket", "limit-zygote", "slow-zygote",
		"set-id-by-chmod", "set-id-when-created", "set-id-by-mknod", "run-shell", "fork", "read-implies-exec"]),
	(["SandboxOff mount"], ["see-other-site", "read-world-readable", "see-machine", "see-proc", "execute-upload", "execute-temporary", "share-temporary", "fill-temporary"]),
	(["SandboxOff mount landlock"], ["see-devices"]),
	(["SandboxOff pid"], ["find-processes", "find-priorities"]),
	(["SandboxOff ipc"], ["open-segment", "open-queue"]),
	(["SandboxOff uts"], ["machine-name"]),
	(["SandboxOff net"], ["tcp-out", "udp-out"]),
	(["SandboxOff net landlock"], ["abstract-socket-net"]),
	(["SandboxOff landlock"], ["tcp-port", "take-port", "abstract-socket"]),
]


@pytest.mark.parametrize("directives,attacks", HOLES, ids=lambda v: v[0].replace(" ", "-"))
def test_layer_off(all_of_it, directives, attacks):
	args = [a for d in directives for a in ("-C", d)]
	whole, _ = all_of_it
	attacks = [a for a in attacks if whole[a][0] == "PASS"]  # what this machine cannot show is skipped there, and says why
	conftest.need(attacks, "this machine lacks the layer anyway")
	out, r = selftest(*args, what=",".join(attacks))
	for name in attacks:
		assert out[name][0] == "FAIL", (name, out[name], r.stdout)
	assert r.returncode == 1
	assert "%d got through" % len(attacks) in r.stdout
