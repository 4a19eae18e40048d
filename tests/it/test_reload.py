# SPDX-License-Identifier: Apache-2.0
"""The master when something goes wrong between two configurations."""
import os
import resource
import signal
import socket
import time

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Broken, Conn

pytestmark = pytest.mark.bulkhead


@pytest.fixture
def static_server(here, docroot, fleet):
	"""A small server without PHP; its configuration answers with a status of its own at /which."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	def conf(which):
		return site_conf.common(docroot) + "Redirect %d /which\n<VirtualHost *>\n    ServerName static.test\n    DocumentRoot \"%s\"\n</VirtualHost>\n" % (which, docroot)
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", conf(410)))
	return bh, conf


def which(bh):
	return bh.get("main.test", "/which", timeout=2).status


def served(bh):
	try:
		return which(bh)
	except (Broken, OSError):
		return None


def test_reload_that_is_refused_says_why(static_server, here):
	"""What shows only when it is tried is printed by -k graceful, too, once; the old configuration serves on."""
	bh, conf = static_server
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		s.listen(1)
		port = s.getsockname()[1]
		for line, why in (("Listen 127.0.0.1:%d" % port, "cannot listen on 127.0.0.1:%d: Address already in use: another server is running there" % port),
				("CustomLog %s/none/access.log common" % here, "cannot open log %s/none/access.log: No such file or directory" % here)):
			bh.write(conf(404) + line + "\n")
			r = bh.run("-k", "graceful")
			assert r.returncode == 1 and r.stdout.count(why) == 1 and "reload refused" in r.stdout, r
			assert which(bh) == 410
	bh.write(conf(404))
	r = bh.run("-k", "graceful")
	assert r.returncode == 0 and which(bh) == 404, r


def test_reload_without_descriptors(static_server):
	"""Wherever a reload runs out of descriptors, the master and the running configuration stay."""
	bh, conf = static_server
	bh.write(conf(404))
	used = {int(f) for f in os.listdir("/proc/%d/fd" % bh.pid)}
	soft, hard = resource.prlimit(bh.pid, resource.RLIMIT_NOFILE)
	for limit in range(max(used), max(used) + 8):
		resource.prlimit(bh.pid, resource.RLIMIT_NOFILE, (limit, hard))
		before = bh.log().count("reload asked for")
		os.kill(bh.pid, signal.SIGUSR1)
		proc.wait_for(lambda: bh.log().count("reload asked for") > before, 5, why="the master to see the signal")
		time.sleep(0.1)
		assert bh.p.poll() is None, bh.log()[-2000:]
	assert bh.log().count("reload refused") >= 2 and "cannot start a front" in bh.log(), bh.log()[-2000:]
	resource.prlimit(bh.pid, resource.RLIMIT_NOFILE, (soft, hard))
	os.kill(bh.pid, signal.SIGUSR1)
	proc.wait_for(lambda: served(bh) == 404, 5, why="the new configuration")


def test_second_reload_does_not_wait_for_old_clients(static_server):
	"""A reload asked for while another one starts its front follows at once, however long old clients stay."""
	bh, conf = static_server
	with Conn(bh.addr) as old:
		old.send(b"POST /hello.php HTTP/1.1\r\nHost: static.test\r\nContent-Length: 10\r\n\r\n")  # never whole
		time.sleep(0.2)
		bh.write(conf(404))
		os.kill(bh.pid, signal.SIGUSR1)
		proc.wait_for(lambda: "reload asked for" in bh.log(), 5, 0.001, why="the first reload")
		bh.write(conf(403))
		os.kill(bh.pid, signal.SIGUSR1)
		proc.wait_for(lambda: which(bh) == 403, 4, why="the second configuration")


def test_graceful_stop_while_no_front_runs(static_server, fleet):
	"""A front that crashed again and again is waited for before it is started anew; a stop is not."""
	bh, _ = static_server
	for _ in range(4):
		fronts = proc.wait_for(lambda: bh.processes()[0], 20, 0.01, why="a front")
		os.kill(fronts[0], signal.SIGKILL)
		proc.wait_for(lambda: fronts[0] not in bh.processes()[0], 5, 0.01, why="its end")
	proc.wait_for(lambda: not bh.processes()[0], 5, 0.01, why="the pause")
	os.kill(bh.pid, signal.SIGWINCH)
	proc.wait_for(lambda: bh.p.poll() is not None, 2, why="the master's end")
	assert bh.p.returncode == 0
	fleet.up.remove(bh)
