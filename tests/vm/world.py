# SPDX-License-Identifier: Apache-2.0
"""What the checks inside the machine share: a server with sites of different users, and ways to look at it."""
import os
import re
import shutil
import subprocess

import proc
import servers

BIN = os.environ["BULKHEAD_BIN"]
BUILD = os.path.dirname(BIN)
SCRIPTS = {
	"hello.php": "<?php echo 'hello ', getmypid();",
	"whoami.php": "<?php echo posix_getuid();",
}


def command(*args, timeout=60, ok=True):
	"""Its output, both streams; fails when its status says so."""
	p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
		errors="replace")
	assert not ok or p.returncode == 0, "%s: status %d\n%s" % (" ".join(args), p.returncode, p.stdout[-3000:])
	return p.stdout


def read(path):
	with open(path) as f:
		return f.read()


def cgroup_of(pid):
	return re.search("^0::(.*)$", read("/proc/%d/cgroup" % pid), re.M).group(1)


class World:
	"""Sites under /srv/NAME, a server at a time."""
	sites = {}  # name: (user, further directives)

	def __init__(self):
		self.server = None
		self.count = 0
		os.chmod("/srv", 0o755)
		for name in self.sites:
			self.make_site(name)

	def make_site(self, name, scripts=()):
		root = "/srv/" + name
		shutil.rmtree(root, ignore_errors=True)
		os.makedirs(root)
		for script, text in list(SCRIPTS.items()) + list(dict(scripts).items()):
			servers.write(os.path.join(root, script), text)
		return root

	def conf(self, sites):
		out = ""
		for name, (user, more) in sites.items():
			out += ("<VirtualHost *:%%d>\nServerName %s.test\nDocumentRoot /srv/%s\nAssignUserID %s %s\nDispatch prefork\n%s\n"
				"AddHandler application/x-httpd-php .php\n<Directory /srv/%s>\nRequire all granted\n</Directory>\n</VirtualHost>\n") % (
				name, name, user, user, more, name)
		return out

	def start(self, sites=None, head=""):
		self.stop()
		self.count += 1
		s = servers.Bulkhead("/tmp/vm-server-%d" % self.count, "", loops=1, head=head)
		s.write(self.conf(sites if sites is not None else self.sites).replace("%d", str(s.port)))
		self.server = s
		s.start(timeout=60)
		return s

	def master(self):
		return self.server.pid

	def zygote(self, site):
		"""The one whose command line names the site."""
		master = self.master()
		found = [p for p, parent in proc.parents().items() if parent == master and site + ".test" in proc.name_of(p)]
		assert len(found) == 1, found
		return found[0]

	def cells(self, site):
		zygote = self.zygote(site)
		return [p for p, parent in proc.parents().items() if parent == zygote]

	def wake(self, *sites):
		"""An emulated processor needs its time to start PHP, longer than a client waits."""
		for site in sites:
			proc.wait_for(lambda: self.get(site, "/hello.php").status == 200, 90, why="%s serves" % site)

	def get(self, site, path, timeout=60.0):
		return self.server.get(site + ".test", path, timeout=timeout)

	def stop(self):
		if self.server is not None:
			s, self.server = self.server, None
			bad = s.stop()
			assert not bad, "\n".join(bad)

	def wait_log(self, pattern, timeout=20):
		"""The first line of the server's log that matches."""
		def found():
			m = re.search(pattern, self.server.log())
			return m and m.group(0)
		return proc.wait_for(found, timeout, why="log line " + pattern)

	def evidence(self):
		return "" if self.server is None else "\n--- log\n" + self.server.log()[-2500:]
