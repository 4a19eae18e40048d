# SPDX-License-Identifier: Apache-2.0
"""The command line and what it says of a configuration."""
import os
import re
import signal
import socket
import subprocess
import textwrap

import pytest

import conftest
import proc
import servers
import site_conf

pytestmark = pytest.mark.bulkhead


@pytest.fixture
def bh(here, docroot, ini):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conf = (site_conf.common(docroot) + site_conf.pool("fpm", "unix:/run/none.sock", "127.0.0.1:9")
		+ site_conf.prefork_vhost("cells.test", docroot, "fresh", ini) + site_conf.prefork_vhost("mod.test", docroot, "shared", ini)
		+ site_conf.worker_vhost("pool.test", docroot, "fpm"))
	return servers.Bulkhead(here, conf)


def test_t_good(bh):
	r = bh.run("-t")
	assert r.returncode == 0 and "Syntax OK" in r.stdout or "OK" in r.stdout, r.stdout


def test_t_every_error_with_place(bh):
	with open(bh.conf, "a") as f:
		f.write("\nServerNam x\nKeepAliveTimeout soon\n<Directory /tmp>\nListen 80\n</Directory>\nDispatch preforked\n")
	r = bh.run("-t")
	assert r.returncode != 0
	with open(bh.conf) as f:
		lines = f.read().splitlines()
	for word, hint in (("ServerNam x", "ServerName"), ("KeepAliveTimeout soon", "soon"), ("Listen 80", "Listen"), ("Dispatch preforked", "prefork")):
		n = max(i for i, text in enumerate(lines, 1) if text.strip() == word)
		found = [x for x in r.stdout.splitlines() if re.search(r"bulkhead\.conf:%d:\d+:" % n, x)]
		assert found and hint in " ".join(found), "%s: %r\n%s" % (word, found, r.stdout)


def test_t_lists_without_effect(bh):
	with open(bh.conf, "a") as f:
		f.write("\nLoadModule rewrite_module modules/mod_rewrite.so\nMutex default\n")
	r = bh.run("-t")
	assert r.returncode == 0 and "LoadModule" in r.stdout and "Mutex" in r.stdout, r.stdout


def test_t_lists_without_effect_beside_errors(bh):
	with open(bh.conf, "a") as f:
		f.write("\nMutex default\nBogus on\n")
	r = bh.run("-t")
	assert r.returncode == 1 and "Mutex has no effect" in r.stdout and "unknown directive 'Bogus'" in r.stdout, r.stdout
	assert "Syntax OK" not in r.stdout


def test_t_counts_once(bh, docroot):
	"""Errors of certificates are in the same list as all others."""
	with open(bh.conf, "a") as f:
		f.write('\n<VirtualHost 127.0.0.1:1>\nServerName tls.test\nDocumentRoot "%s"\nDispatch worker\nUsePool fpm\nRequestIsolation fresh\n'
			"SSLEngine on\nSSLCertificateFile /nowhere.pem\n</VirtualHost>\n" % docroot)
	r = bh.run("-t")
	assert r.returncode == 1 and "/nowhere.pem" in r.stdout and "no effect with Dispatch worker" in r.stdout, r.stdout
	assert len(re.findall(r"(?m)^\d+ errors?, \d+ warnings?$", r.stdout)) == 1, r.stdout


def test_rollback_or_why_not(bh):
	with open(bh.conf, "a") as f:
		f.write("\nRequestIsolation rollback\n")
	able = re.search(r"RequestIsolation rollback +(.*)", bh.run("-V").stdout).group(1)
	r = bh.run("-t")
	assert r.returncode == 0, r.stdout
	assert ("fresh processes instead" in r.stdout) == (able != "yes"), able + r.stdout


def test_script_alias_refused_with_reason(bh):
	with open(bh.conf, "a") as f:
		f.write("\nScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n")
	r = bh.run("-t")
	assert r.returncode != 0 and "ScriptAlias" in r.stdout, r.stdout


def test_s_answers_at_a_glance(bh):
	r = bh.run("-S")
	assert r.returncode == 0
	def line(name):
		return " ".join(x for x in r.stdout.splitlines() if name in x)
	assert "prefork" in line("cells.test") and "fresh" in line("cells.test"), r.stdout
	assert "prefork" in line("mod.test") and "shared" in line("mod.test")
	assert "worker" in line("pool.test") and "fpm" in line("pool.test")
	if proc.ROOT:
		assert servers.SITE_USER in line("cells.test")


def test_l_and_v(bh):
	r = bh.run("-V")
	assert r.returncode == 0 and "0.1" in r.stdout and "8.2" in r.stdout, r.stdout
	r = bh.run("-l")
	assert r.returncode == 0 and r.stdout.strip()
	assert bh.run("-v").returncode == 0


def test_defines_and_directives(bh):
	with open(bh.conf, "a") as f:
		f.write('\n<IfDefine EXTRA>\nNoSuchThing\n</IfDefine>\n')
	assert bh.run("-t").returncode == 0
	r = bh.run("-D", "EXTRA", "-t")
	assert r.returncode != 0 and "NoSuchThing" in r.stdout
	r = bh.run("-c", "NoSuchOther", "-t")
	assert r.returncode != 0 and "NoSuchOther" in r.stdout
	assert bh.run("-C", "Define GIVEN 1", "-t").returncode == 0


def test_missing_file_and_bad_option(bh):
	exe = servers.bulkhead_bin()
	for args in (["-f", "/nonexistent.conf", "-t"], ["-Z"], ["-k", "dance", "-f", bh.conf]):
		r = subprocess.run([exe] + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, text=True)
		assert r.returncode != 0 and r.stdout.strip(), args


def test_k_without_server(bh):
	r = bh.run("-k", "graceful")
	assert r.returncode != 0 and "not running (PidFile %s/" % bh.tmp in r.stdout, r.stdout
	# Without a PidFile nobody knows whether it runs.
	for word in ("stop", "graceful", "upgrade"):
		r = subprocess.run([servers.bulkhead_bin(), "-f", bh.tmp + "/none.conf", "-k", word], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, text=True)
		assert r.returncode == 1 and "none.conf: No such file or directory" in r.stdout and "not running" not in r.stdout, r.stdout
	bare = bh.tmp + "/bare.conf"
	with open(bare, "w") as f:
		f.write("User www-data\nGroup www-data\nListen 127.0.0.1:1\n")
	for word in ("stop", "status"):
		r = subprocess.run([servers.bulkhead_bin(), "-f", bare, "-k", word], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, text=True)
		assert r.returncode == 1 and "names no PidFile" in r.stdout and "not running" not in r.stdout, r.stdout


@pytest.mark.skipif(not proc.ROOT, reason="needs root for a second user")
def test_another_users_server_is_seen(bh, fleet):
	"""An ordinary user may look at root's server, and is told why nothing more is possible; not that it does not run."""
	fleet.start(bh)
	def ask(*args):
		return subprocess.run([servers.bulkhead_bin(), "-f", bh.conf, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True,
			user="nobody", group="nogroup", extra_groups=[])
	r = ask("-S")
	assert "Not running" not in r.stdout and re.search(r"(?m)^front +\d+ ", r.stdout), r.stdout
	r = ask("-k", "stop")
	assert r.returncode != 0 and "not running" not in r.stdout and "not permitted" in r.stdout, r.stdout
	assert proc.alive(bh.pid)


def test_address_in_use(bh, fleet):
	fleet.start(bh)
	r = bh.run("-X", "-c", "PidFile %s/second.pid" % bh.tmp, timeout=20)
	assert r.returncode != 0 and str(bh.port) in r.stdout + bh.log(), r.stdout


def test_daemon_start_stop(bh):
	"""-k start goes into the background, -k stop ends it, the pid file comes and goes."""
	pidfile = bh.tmp + "/bulkhead.pid"
	r = bh.run("-k", "start")
	assert r.returncode == 0, r.stdout
	try:
		proc.wait_for(bh.ready, 10, why="listening")
		pid = int(open(pidfile).read())
		assert proc.alive(pid)
		assert bh.get("cells.test", "/hello.php").body == b"hello\n"
		# The daemon is our child by adoption: somebody has to collect it while "-k stop" waits for its end.
		stop = subprocess.Popen([servers.bulkhead_bin(), "-f", bh.conf, "-k", "stop"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
		proc.STARTED.add(stop.pid)
		proc.wait_for(lambda: proc.reap() or stop.poll() is not None, 15, why="-k stop")
		assert stop.returncode == 0, stop.stdout.read()
		assert not proc.alive(pid)
		assert not os.path.exists(pidfile)
		assert "killed by signal" not in bh.log(), bh.log()
	finally:
		if os.path.exists(pidfile):
			for p in [int(open(pidfile).read())]:
				for q in [p] + proc.descendants(p):
					try:
						os.kill(q, 9)
					except ProcessLookupError:
						pass
		proc.reap()


def test_systemd_notify(bh):
	"""What the unit promises: -DFOREGROUND, READY=1 once connections are accepted, SIGHUP reloads, SIGTERM ends."""
	path = bh.tmp + "/notify.sock"
	with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
		s.bind(path)
		os.chmod(path, 0o777)
		s.settimeout(10)
		said = []
		def hear(word):
			while word not in " ".join(said):
				said.append(s.recv(4096).decode())
		p = subprocess.Popen([servers.bulkhead_bin(), "-DFOREGROUND", "-f", bh.conf], env=dict(os.environ, NOTIFY_SOCKET=path), stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL)
		proc.STARTED.add(p.pid)
		try:
			hear("READY=1")
			assert proc.accepts(bh.addr), "said to be ready, and is not"
			fronts = set(proc.descendants(p.pid))
			del said[:]
			p.send_signal(signal.SIGHUP)
			proc.wait_for(lambda: set(proc.descendants(p.pid)) - fronts, 10, why="a new front after SIGHUP")
			hear("READY=1")
			p.send_signal(signal.SIGTERM)
			assert p.wait(15) == 0
			hear("STOPPING=1")
		finally:
			if p.poll() is None:
				p.kill()
				p.wait()


def test_debian_apache_configuration(bh):
	"""Debian's own /etc/apache2 loads; what has no effect is listed."""
	conftest.need(os.path.exists("/etc/apache2/apache2.conf"), "no Debian Apache configuration here")
	r = subprocess.run([servers.bulkhead_bin(), "-f", "/etc/apache2/apache2.conf", "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
	assert r.returncode == 0, r.stdout
	assert "LoadModule" in r.stdout
	r = subprocess.run([servers.bulkhead_bin(), "-f", "/etc/apache2/apache2.conf", "-S"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
	assert r.returncode == 0 and "prefork" in r.stdout, r.stdout


@pytest.mark.parametrize("more", ["", "Listen 0.0.0.0:{port}\n"])
def test_listen_on_a_port_serves_both_families(here, docroot, fleet, more):
	"""Listen 80 means IPv4 and IPv6, also beside an address of its own for one of them."""
	port = proc.free_port()
	conf = ("Listen %d\n" % port + more.format(port=port) + '<VirtualHost *:%d>\n    ServerName both.test\n    DocumentRoot "%s"\n'
		'    <Directory "%s">\n        Require all granted\n    </Directory>\n</VirtualHost>\n' % (port, docroot, docroot))
	fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	for family, ip in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
		s = socket.socket(family)
		s.settimeout(5)
		s.connect((ip, port))
		s.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: both.test\r\nConnection: close\r\n\r\n")
		assert s.recv(64).startswith(b"HTTP/1.1 200")
		s.close()


def test_bad_log_format_is_an_error_of_the_files(here, docroot):
	bh = servers.Bulkhead(here + "/bulkhead", 'LogFormat "%h %Y" odd\nCustomLog "{0}/a.log" odd\nDocumentRoot "{1}"\n'.format(here, docroot))
	r = bh.run("-t")
	assert r.returncode != 0 and re.search(r"bulkhead\.conf:\d+:\d+: error: .*%Y", r.stdout), r.stdout


def samples():
	"""The configurations that the documentation shows, each as one text."""
	top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
	readme = open(os.path.join(top, "README.md")).read()
	blocks = [textwrap.dedent(x) for x in re.findall(r"^ *```apache\n(.*?)^ *```$", readme, re.M | re.S)]
	man = open(os.path.join(top, "docs/bulkhead.conf.5")).read()
	example = re.search(r"\.SH EXAMPLE\n\.nf\n(.*?)\.fi", man, re.S).group(1).replace("\\-", "-")
	return {"readme": "".join(blocks), "man": example, "installed": open(os.path.join(top, "docs/bulkhead.conf")).read()}


@pytest.mark.parametrize("name", ["readme", "man", "installed"])
def test_samples_of_the_documentation_load(here, name):
	"""What people copy must be right; only its users are not those of this machine."""
	text = samples()[name]
	assert "<VirtualHost" in text and "<FastCGIPool" in text
	conf = os.path.join(here, "sample.conf")
	with open(conf, "w") as f:
		f.write(text.replace("AssignUserID shop shop", "AssignUserID %s %s" % (servers.SITE_USER, servers.SITE_USER)))
	r = subprocess.run([servers.bulkhead_bin(), "-f", conf, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
	assert r.returncode == 0 and "has no effect" not in r.stdout, r.stdout
	for line in r.stdout.splitlines():
		# Directories of the samples and, without root, their users are missing here; nothing else may be said.
		assert re.search(r"DocumentRoot|its directory does not exist|without root|^\d+ errors?, |^Syntax OK", line), line


def test_t_names_directories_of_logs_that_are_missing(bh):
	with open(bh.conf, "a") as f:
		f.write("\nCustomLog /nonexistent/dir/access.log combined\n")
	r = bh.run("-t")
	assert r.returncode == 0 and "/nonexistent/dir/access.log: its directory does not exist" in r.stdout, r.stdout


def test_php_that_is_not_built_is_named(bh):
	r = bh.run("-t", "-c", "PHPVersion 5.2")
	assert r.returncode == 0 and "bulkhead-php5.2" in r.stdout, r.stdout
	assert "bulkhead-php" not in bh.run("-t", "-c", "PHPVersion 8.2").stdout
