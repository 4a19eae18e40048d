# SPDX-License-Identifier: Apache-2.0
"""What a site sees and reaches from inside PHP: each denied thing beside one that is allowed."""
import json
import os
import re
import socket
import subprocess

import pytest

import conftest
import proc
import servers
import site_conf

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

PAGE = "<?php error_reporting(0); header('Content-Type: application/json'); echo json_encode(eval(file_get_contents('php://input')));"


def sysv_clean(key):
	subprocess.run(["ipcrm", "-M", str(key)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def places(tmp):
	"""Two document roots, and what lies beside them."""
	for name in ("a", "b"):
		servers.write("%s/ns/%s/run.php" % (tmp, name), PAGE)
		servers.write("%s/ns/%s/secret.txt" % (tmp, name), "secret of " + name)
		servers.writable_dir("%s/ns/%s/data" % (tmp, name))
	servers.write(tmp + "/ns/named/read.txt", "named")
	servers.writable_dir(tmp + "/ns/written")
	servers.write(tmp + "/ns/aliased/in.txt", "aliased")
	return tmp + "/ns"


class Sites:
	def __init__(self, server):
		self.server = server

	def ask(self, host, code):
		r = self.server.get(host, "/run.php", method="POST", body=code.encode())
		assert r.status == 200, (r, self.server.log()[-1500:])
		return json.loads(r.body)


def start(fleet, tmp, places, ini, name, lines="", lines_b="", main=""):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	text = main + "<Directory />\n    Require all granted\n</Directory>\n"
	for host, more in (("a", lines), ("b", lines_b)):
		text += site_conf.prefork_vhost(host + ".test", "%s/%s" % (places, host), "fresh", ini, more)
	return Sites(fleet.start(servers.Bulkhead("%s/ns-%s" % (tmp, name), text)))


@pytest.fixture(scope="module")
def sites(tmp, places, ini, module_fleet):
	own = {k: v for k, v in ini.items() if k not in ("upload_tmp_dir", "session.save_path", "sys_temp_dir")}
	s = start(module_fleet, tmp, places, own, "default",
		'    SandboxPath "%s/named"\n    SandboxPath "%s/written" rw\n    Alias /al "%s/aliased"\n' % (places, places, places))
	if "not to be had here: namespaces" in s.server.log():
		conftest.need(False, "no namespaces on this machine")
	s.ask("a.test", "return 1;")
	if "not to be had here: namespaces" in s.server.log():
		conftest.need(False, "no namespaces on this machine")
	return s


def test_files(sites, places):
	read = lambda path: sites.ask("a.test", "return file_get_contents('%s');" % path)
	assert read(places + "/a/secret.txt") == "secret of a"
	assert read(places + "/b/secret.txt") is False
	assert read(places + "/named/read.txt") == "named" and read(places + "/aliased/in.txt") == "aliased"
	assert read("/etc/hosts") and read("/usr/share/zoneinfo/UTC")
	assert read("/etc/shadow") is False and read("/etc/ssh/sshd_config") is False and read("/etc/fstab") is False
	for gone in (places + "/b", "/root", "/home", "/proc", "/sys", "/boot", "/var/log", "/dev/shm", "/run/systemd"):
		assert sites.ask("a.test", "return file_exists('%s');" % gone) is False, gone


def test_writing(sites, places):
	put = lambda path: sites.ask("a.test", "return file_put_contents('%s', 'x');" % path)
	assert put(places + "/a/data/x") == 1 and put(places + "/written/x") == 1 and put("/tmp/x") == 1
	assert put(places + "/named/x") is False and put("/usr/x") is False and put("/etc/x") is False and put("/x") is False
	assert open(places + "/written/x").read() == "x", "it is the host's directory"
	assert not os.path.exists("/tmp/x") or open("/tmp/x").read() != "x", "but /tmp is not"


def test_private_tmp(sites):
	assert sites.ask("a.test", "return [file_put_contents('/tmp/mine', 'a'), file_get_contents('/var/tmp/mine')];") == [1, "a"]
	assert sites.ask("a.test", "return file_get_contents('/tmp/mine');") == "a", "it outlives the request"
	assert sites.ask("b.test", "return [file_exists('/tmp/mine'), file_put_contents('/tmp/mine', 'b')];") == [False, 1]
	assert sites.ask("a.test", "return file_get_contents('/tmp/mine');") == "a"


def test_sessions(sites):
	code = "session_id('abcdefghijklmnopqrstuvwxyz'); session_start(); $v = $_SESSION['v'] ?? null; $_SESSION['v'] = '%s'; return $v;"
	assert sites.ask("a.test", code % "a") in (None, "a")
	assert sites.ask("b.test", code % "b") in (None, "b")
	assert sites.ask("a.test", code % "a") == "a", "one name, two sessions"


def test_devices(sites):
	assert sites.ask("a.test", "return strlen(file_get_contents('/dev/urandom', false, null, 0, 16));") == 16
	assert sites.ask("a.test", "return file_put_contents('/dev/null', 'x');") == 1
	for gone in ("/dev/kmsg", "/dev/tty", "/dev/ptmx", "/dev/fuse", "/dev/log", "/dev/mem", "/dev/vda"):
		assert sites.ask("a.test", "return file_exists('%s');" % gone) is False, gone


def test_users(sites):
	name = servers.SITE_USER if proc.ROOT else __import__("pwd").getpwuid(os.getuid()).pw_name
	assert sites.ask("a.test", "return posix_getpwuid(posix_geteuid())['name'];") == name
	assert sites.ask("a.test", "return posix_getpwnam('root')['uid'];") == 0
	other = "games" if name != "games" else "news"
	assert sites.ask("a.test", "return posix_getpwnam('%s');" % other) is False
	assert "*" not in sites.ask("a.test", "return file_get_contents('/etc/passwd');")


def test_processes(sites):
	"""A number of its own, small; the numbers of others mean nothing."""
	pid = sites.ask("a.test", "return getmypid();")
	assert 1 < pid < 1000
	assert sites.ask("a.test", "return posix_getppid();") == 1
	assert sites.ask("a.test", "return posix_getsid(%d);" % sites.server.pid) is False
	assert sites.ask("a.test", "return posix_getsid(1);") is not False


def test_host_name(sites):
	assert sites.ask("a.test", "return [gethostname(), php_uname('n')];") == ["a.test"] * 2
	assert sites.ask("b.test", "return gethostname();") == "b.test"
	assert socket.gethostname() not in ("a.test", "b.test")


def test_system_v(sites):
	key = 0x62680000 + os.getpid() % 65536
	try:
		assert sites.ask("a.test", "$s = shm_attach(%d, 1000, 0666); return shm_put_var($s, 1, 'a');" % key) is True
		assert sites.ask("a.test", "$s = shm_attach(%d, 1000, 0666); return shm_get_var($s, 1);" % key) == "a"
		assert sites.ask("b.test", "$s = shm_attach(%d, 1000, 0666); return shm_has_var($s, 1);" % key) is False
		assert "0x%08x" % key not in subprocess.run(["ipcs", "-m"], stdout=subprocess.PIPE, text=True).stdout
	finally:
		sysv_clean(key)


def needs_landlock(sites, what):
	if what in sites.server.log():
		pytest.skip("this kernel's Landlock has no rules for " + what)


def connects(sites, host, address):
	return sites.ask(host, "return stream_socket_client('%s', $e, $m, 2) !== false ?: $e;" % address)


def test_abstract_sockets(sites):
	needs_landlock(sites, "signals and abstract sockets")
	name = "bh-ns-%d" % os.getpid()
	with socket.socket(socket.AF_UNIX) as s:
		s.bind("\0" + name)
		s.listen()
		assert sites.ask("a.test", "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); return socket_connect($s, \"\\0%s\") ?: socket_last_error($s);" % name) == 1


def test_unix_sockets_by_path(sites, places):
	for where, there in (("/written/s", True), ("/b/s", False)):
		with socket.socket(socket.AF_UNIX) as s:
			s.bind(places + where)
			os.chmod(places + where, 0o666)
			s.listen()
			try:
				assert (connects(sites, "a.test", "unix://" + places + where) is True) == there, where
			finally:
				os.unlink(places + where)


@pytest.fixture()
def listener():
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		s.listen(16)
		yield s.getsockname()[1]


def test_ports(tmp, places, ini, fleet, listener):
	with socket.socket() as other:
		other.bind(("127.0.0.1", 0))
		other.listen()
		forbidden, free = other.getsockname()[1], proc.free_port()
		s = start(fleet, tmp, places, ini, "ports", "    SandboxTcpConnect %d\n    SandboxTcpBind %d\n" % (listener, free), "    SandboxTcpBind any\n")
		assert connects(s, "a.test", "tcp://127.0.0.1:%d" % listener) is True
		needs_landlock(s, "TCP ports")
		assert connects(s, "a.test", "tcp://127.0.0.1:%d" % forbidden) == 13
		assert connects(s, "b.test", "tcp://127.0.0.1:%d" % forbidden) is True
		bind = "$s = stream_socket_server('tcp://127.0.0.1:%d', $e, $m); return $s !== false ?: (str_contains($m, 'Permission denied') ? 13 : $m);"
		assert s.ask("a.test", bind % free) is True
		assert s.ask("a.test", bind % (free + 1 if free < 65535 else free - 1)) == 13
		assert s.ask("a.test", bind % 0) == 13, "not in the list"


def test_ports_by_default(sites, listener):
	assert connects(sites, "a.test", "tcp://127.0.0.1:%d" % listener) is True
	needs_landlock(sites, "TCP ports")
	bind = "$s = stream_socket_server('tcp://127.0.0.1:%d', $e, $m); return $s !== false ?: (str_contains($m, 'Permission denied') ? 13 : $m);"
	assert sites.ask("a.test", bind % 0) is True, "one that the kernel chooses"
	assert sites.ask("a.test", bind % proc.free_port()) == 13


def test_networks(tmp, places, ini, fleet, listener):
	s = start(fleet, tmp, places, ini, "net", "    SandboxNetwork none\n", "    SandboxNetwork loopback\n    SandboxTcpBind any\n    SandboxPath \"%s/written\" rw\n" % places)
	address = "tcp://127.0.0.1:%d" % listener
	assert connects(s, "a.test", address) in (101, 99), "no interface is up"
	assert connects(s, "b.test", address) == 111, "an interface, with nobody there"
	own = "$s = stream_socket_server('tcp://127.0.0.1:9', $e); $c = stream_socket_client('tcp://127.0.0.1:9', $e, $m, 2); return $c !== false ?: $e;"
	assert s.ask("b.test", own.replace(":9", ":18399")) is True, "its own loopback works"
	with socket.socket(socket.AF_UNIX) as u:
		u.bind(places + "/written/db")
		os.chmod(places + "/written/db", 0o666)
		u.listen()
		assert connects(s, "b.test", "unix://%s/written/db" % places) is True, "a database by its unix socket"
		os.unlink(places + "/written/db")


def test_off_is_loud(tmp, places, ini, fleet):
	"""Each layer off: what it holds is there again; -S and the log say so."""
	s = start(fleet, tmp, places, ini, "off", "    SandboxOff mount landlock\n", "    SandboxOff pid uts\n")
	assert s.ask("a.test", "return file_get_contents('%s/b/secret.txt');" % places) == "secret of b"
	assert s.ask("b.test", "return file_exists('%s/a/secret.txt');" % places) is False
	assert s.ask("b.test", "return posix_getsid(%d);" % s.server.pid) is not False, "others have their numbers"
	assert s.ask("a.test", "return posix_getsid(%d);" % s.server.pid) is False
	assert s.ask("b.test", "return gethostname();") == socket.gethostname()
	assert "SandboxOff mount,landlock" in s.server.log() and "SandboxOff pid,uts" in s.server.log()
	said = s.server.run("-S")
	assert "a.test: SANDBOX OFF: mount landlock" in said.stdout, said.stdout
	assert "THE SITE IS NOT LOCKED AWAY BY THIS LAYER" in said.stdout + (said.stderr or "")


@pytest.mark.skipif(not proc.ROOT, reason="links of other users than root's need root to be made")
def test_links_of_others(tmp, places, ini, fleet):
	"""A link of the site's user on a path of the configuration does not lead us elsewhere; root's own does."""
	uid, gid = servers.site_ids()
	for name in ("by_root", "by_user"):
		os.symlink(places + "/named", "%s/%s" % (places, name))
	os.chown(places + "/by_user", uid, gid, follow_symlinks=False)
	s = start(fleet, tmp, places, ini, "links", '    SandboxPath "%s/by_root"\n' % places, '    SandboxPath "%s/by_user"\n' % places)
	assert s.ask("a.test", "return file_get_contents('%s/by_root/read.txt');" % places) == "named"
	assert s.server.get("b.test", "/run.php").status == 503
	said = [line for line in s.server.log().splitlines() if "is a symbolic link that is not root's" in line]
	assert said and "add SandboxPath %s " % places in said[0], said
	speakers = {int(n) for line in said for n in re.findall(r"\[pid (\d+):", line)}
	proc.wait_for(lambda: speakers <= {int(n) for n in re.findall(r"site=b\.test zygote (\d+) exited with status 1", s.server.log())}, 5,
		why="the ends of %s: the machine's numbers, not those of the site's namespace" % speakers)


@pytest.mark.skipif(not proc.ROOT, reason="owners need root")
def test_deployment_by_link(tmp, ini, fleet):
	"""current -> releases/1, made by the site's user: what lies beside the link is shown, and a new release works at once."""
	uid, gid = servers.site_ids()
	app = tmp + "/deployed"
	for n in (1, 2):
		servers.write("%s/releases/%d/public/run.php" % (app, n), PAGE.replace("eval(", "'release %d' ?: (" % n))
	os.symlink("releases/1", app + "/current")
	for d, dirs, files in os.walk(app):
		for x in [d] + [os.path.join(d, f) for f in dirs + files]:
			os.chown(x, uid, gid, follow_symlinks=False)
	text = "<Directory />\n    Require all granted\n</Directory>\n" + site_conf.prefork_vhost("d.test", app + "/current/public", "fresh", ini)
	s = Sites(fleet.start(servers.Bulkhead(tmp + "/ns-deploy", text)))
	assert s.ask("d.test", "") == "release 1"
	os.unlink(app + "/current")
	os.symlink("releases/2", app + "/current")
	os.chown(app + "/current", uid, gid, follow_symlinks=False)
	proc.wait_for(lambda: s.ask("d.test", "") == "release 2", 5, why="the new release")


@pytest.mark.skipif(not proc.ROOT, reason="only root may look at a process that cannot be dumped")
def test_as_the_kernel_sees_it(sites):
	sites.ask("a.test", "return 1;")
	zygotes = [p for p in proc.descendants(sites.server.pid) if proc.comm_of(p) == "bh-zygote"]
	assert zygotes
	for z in zygotes:
		for space in ("mnt", "pid", "ipc", "uts", "cgroup"):
			assert os.readlink("/proc/%d/ns/%s" % (z, space)) != os.readlink("/proc/self/ns/" + space), space
		assert os.readlink("/proc/%d/ns/net" % z) == os.readlink("/proc/self/ns/net")
		mounts = [line.split() for line in open("/proc/%d/mountinfo" % z)]
		for m in mounts:
			options = m[5].split(",")
			assert "nosuid" in options, m
			assert "nodev" in options or m[4].startswith("/dev/"), m
			assert "ro" in options or m[4].startswith("/dev/") or "noexec" in options, "writable and executable: %s" % m


@pytest.mark.skipif(not proc.ROOT, reason="only root may look at all of them")
def test_code_is_mapped_by_the_fork(sites):
	"""Where a request visits a library's code, one page of it is the zygote's own, whose entries fork copies: /proc, which
	shows it and is needed for it, is read-only by the time it is wanted. No code is writable for it, and no descriptor is left."""
	sites.ask("a.test", "return 1;")
	for z in (p for p in proc.descendants(sites.server.pid) if proc.comm_of(p) == "bh-zygote"):
		mapping, own, other = [], set(), set()
		for line in open("/proc/%d/smaps" % z):
			if re.match("[0-9a-f]+-", line):
				mapping = line.split()
				assert "w" not in mapping[1] or "x" not in mapping[1], line
			elif line.startswith("Anonymous:") and mapping[1] == "r-xp" and len(mapping) > 5 and ".so" in mapping[5]:
				(own if int(line.split()[1]) > 0 else other).add(os.path.basename(mapping[5]))
		assert any(n.startswith("libc.so") for n in own) and other, (own, other)
		assert not [fd for fd in os.listdir("/proc/%d/fd" % z) if os.readlink("/proc/%d/fd/%s" % (z, fd)).endswith("/mem")]


@pytest.mark.skipif(not proc.ROOT, reason="only root may look at all of them")
def test_zygotes_die_with_the_master(tmp, places, ini):
	"""From inside a process namespace the parent has no number, and its death is noticed all the same."""
	own = conftest.Fleet()
	s = start(own, tmp, places, ini, "death")
	try:
		s.ask("a.test", "return 1;")
		all_of_it = proc.descendants(s.server.pid)
		assert [p for p in all_of_it if proc.comm_of(p) == "bh-zygote"]
		os.kill(s.server.pid, 9)
		proc.wait_for(lambda: not [p for p in all_of_it if proc.alive(p)], 10, why="all processes end with the master")
	finally:
		bad = s.server.stop()
	assert len(bad) == 1 and "ended by itself with -9" in bad[0], bad
