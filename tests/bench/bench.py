#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev bench: Bulkhead beside Apache, nginx + php-fpm and lighttpd on this machine. wrk asks each server in turn, round after round,
so that a machine that gets slower or faster meanwhile does so for all; the table shows medians over the rounds, CPU time a
request over the server's whole process tree, and the ratios that Bulkhead is measured by.

All have the same php.ini and opcache settings (Debian's for mod_php), write an access log, and keep connections as long
as the client likes, except where every request comes on a connection of its own.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../it"))
import apps  # noqa: E402
import proc  # noqa: E402
import rawhttp  # noqa: E402
import servers  # noqa: E402
import site_conf  # noqa: E402

INI = {}  # nothing of our own: Debian's php.ini for all
PHP_INI = "/etc/php/%s/apache2/php.ini" % servers.PHPV
CELLS = 8

# group: title, path, new connection each time, contestants (server, virtual host), reference, and what is to be reached.
GROUPS = {
	"hello": ("hello.php, kept connections", "/hello.php", False, CELLS,
		[("mod_php", "site"), ("nginx", "site"), ("bulkhead", "shared"), ("bulkhead", "rollback"), ("bulkhead", "worker"), ("bulkhead", "fresh")],
		[("bulkhead/shared", "mod_php/site", 0.7), ("bulkhead/worker", "nginx/site", 1.0), ("bulkhead/rollback", "mod_php/site", 0.5)]),
	"latency": ("hello.php, one kept connection", "/hello.php", False, 1,
		[("mod_php", "site"), ("bulkhead", "shared"), ("bulkhead", "rollback")], []),
	"connect": ("hello.php, a new connection for each request", "/hello.php", True, CELLS,
		[("mpm-itk", "site"), ("mod_php", "site"), ("bulkhead", "fresh"), ("bulkhead", "shared")],
		[("bulkhead/fresh", "mpm-itk/site", 4.0)]),
	"wordpress": ("WordPress front page, kept connections", "/", False, 4,
		[("mod_php", "wp"), ("nginx", "wp"), ("bulkhead", "wp-shared"), ("bulkhead", "wp-rollback"), ("bulkhead", "wp-worker"), ("bulkhead", "wp-fresh")],
		[("bulkhead/wp-rollback", "mod_php/wp", 0.95), ("bulkhead/wp-fresh", "mod_php/wp", 0.75)]),
	"wordpress-connect": ("WordPress front page, a new connection for each request", "/", True, 4,
		[("mpm-itk", "wp"), ("bulkhead", "wp-fresh")], []),
}


# Static files: sizes and numbers of kept connections; against the better of nginx and lighttpd, in requests and in CPU time.
FILES = [("1 KB", "/one_kb.bin", 1024), ("100 KB", "/hundred_kb.bin", 102400)]
STATIC_CLIENTS = [1, 16, 256]
STATIC = [("apache-event", "static"), ("nginx", "static"), ("lighttpd", "static"), ("bulkhead", "static")]
STATIC_PEERS = ["nginx/static", "lighttpd/static"]
STATIC_GROUPS = ["static-%s-%d" % (title.split()[0], clients) for title, _, _ in FILES for clients in STATIC_CLIENTS]
for title, path, _ in FILES:
	for clients in STATIC_CLIENTS:
		GROUPS["static-%s-%d" % (title.split()[0], clients)] = (title + " file, kept connections", path, False, clients, STATIC, [])


# group: whose median may be how many ms above whose.
ADDED = {"latency": [("bulkhead/rollback", "bulkhead/shared", 0.040)]}


def bulkhead_conf(root, wp, fpm, paths):
	def cell(name, where, isolation):
		text = site_conf.prefork_vhost(name, where, isolation, INI)
		# As many as Apache may have; see apache_head().
		text = re.sub(r"MaxRequestWorkers \d+", "MaxRequestWorkers 40", text)
		text = re.sub(r"MaxSpareServers \d+", "MaxSpareServers %d" % (2 * CELLS), text)
		return re.sub(r"(StartServers|MinSpareServers) \d+", r"\1 %d" % CELLS, text).replace("RequestTimeout 20", "RequestTimeout 60")
	out = 'MaxKeepAliveRequests 0\nKeepAliveTimeout 30\n<Directory "%s">\n    Require all granted\n    DirectoryIndex index.php\n</Directory>\n' % os.path.dirname(root)
	out += "".join('SandboxPath "%s"\n' % p for p in paths) + site_conf.pool("fpm", fpm.server())
	out += site_conf.worker_vhost("static.test", root, "fpm") + cell("fresh.test", root, "fresh") + cell("shared.test", root, "shared")
	out += cell("rollback.test", root, "rollback")
	out += site_conf.worker_vhost("worker.test", root, "fpm")
	if wp:
		out += cell("wp-fresh.test", wp, "fresh") + cell("wp-shared.test", wp, "shared") + cell("wp-rollback.test", wp, "rollback") + site_conf.worker_vhost("wp-worker.test", wp, "fpm", timeout=60)
	return out


def apache_conf(root, wp, mpm):
	out = '<Directory "%s">\n    Require all granted\n    DirectoryIndex index.php\n</Directory>\n' % os.path.dirname(root)
	for name, where in (("static", root), ("site", root), ("wp", wp)):
		if where:
			user = "    AssignUserID %s %s\n" % (servers.SITE_USER, servers.SITE_USER) if mpm == "itk" and proc.ROOT else ""
			out += '<VirtualHost *>\n    ServerName %s.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (name, where, user)
	return out


def apache_head(mpm):
	out = "KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 30\nHostnameLookups Off\n"
	if mpm == "event":
		return out + "StartServers 2\nThreadsPerChild 64\nMaxRequestWorkers 128\n"
	return out + "PHPIniDir %s\nStartServers %d\nMinSpareServers %d\nMaxSpareServers %d\nMaxRequestWorkers 40\nMaxConnectionsPerChild 0\n" % (
		os.path.dirname(PHP_INI), CELLS, CELLS, 2 * CELLS)


def nginx_conf(root, wp, fpm):
	out = "keepalive_requests 100000000;\nkeepalive_timeout 30;\n"
	for name, where in (("static site", root), ("wp", wp)):
		if where:
			out += """server {{ listen @PORT@; server_name {names}; root {root}; index index.php;
  location ~ \\.php$ {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass {fpm}; }} }}
""".format(names=" ".join(n + ".test" for n in name.split()), root=where, fpm=fpm.server())
	return out


LIGHTTPD = "server.max-keep-alive-requests = 65535\nserver.max-keep-alive-idle = 30\nserver.max-connections = 1024\nserver.max-fds = 4096\n"


class Contest:
	def __init__(self, tmp, options):
		self.tmp, self.o = tmp, options
		self.up = []
		self.trees = {}  # server name -> the daemons whose CPU time it is
		self.root = tmp + "/www/site"
		os.makedirs(self.root)
		shutil.copy(servers.WWW + "/hello.php", self.root)
		for _, path, size in FILES:
			with open(self.root + path, "wb") as f:
				f.write(b"k" * size)
		self.wp = None

	def start(self, daemon, **k):
		self.up.append(daemon.start(**k))
		return daemon

	def prepare(self, want):
		t = self.tmp
		paths = []  # what WordPress needs beside its own directory: the database's socket
		fpm = self.start(BenchFpm(t + "/fpm", INI, children=CELLS))
		if any(g.startswith("wordpress") for g in want):
			db = self.start(servers.MariaDb(t + "/db"), timeout=60)
			self.wp = apps.wordpress_site(t, t + "/www/wp", db, "wp")
			paths.append(os.path.dirname(db.sock))
		itk = self.start(servers.Apache(t + "/itk", apache_conf(self.root, self.wp, "itk"), mpm="itk", head=apache_head("itk")))
		mod = self.start(servers.Apache(t + "/modphp", apache_conf(self.root, self.wp, "prefork"), head=apache_head("prefork")))
		event = self.start(servers.Apache(t + "/event", apache_conf(self.root, None, "event"), mpm="event", php=False, head=apache_head("event")))
		ngx = self.start(servers.Nginx(t + "/nginx", nginx_conf(self.root, self.wp, fpm)))
		self.trees = {"mpm-itk": [itk], "mod_php": [mod], "apache-event": [event], "nginx": [ngx, fpm]}
		if servers.tool("lighttpd"):
			self.trees["lighttpd"] = [self.start(servers.Lighttpd(t + "/lighttpd", self.root, LIGHTTPD))]
		if not self.o.peers_only:
			bh = self.start(servers.Bulkhead(t + "/bulkhead", bulkhead_conf(self.root, self.wp, fpm, paths), loops=None))
			self.trees["bulkhead"] = [bh, fpm]
		if self.wp:
			apps.wordpress_install(mod.addr, "wp.test", "Bench")

	def stop(self):
		for d in reversed(self.up):
			for line in d.stop():
				print("bench:", line, file=sys.stderr)

	def cpu(self, server):
		return sum(proc.cpu_of([d.pid] + proc.descendants(d.pid)) for d in self.trees[server])

	def once(self, server, host, path, fresh, clients, seconds):
		"""One run of wrk: requests a second, CPU microseconds a request, median and 99th percentile in ms, failures."""
		addr = self.trees[server][0].addr
		cmd = ["wrk", "-t1", "-c%d" % clients, "-d%ds" % seconds, "--latency", "-H", "Host: %s.test" % host]
		if fresh:
			cmd += ["-H", "Connection: close"]
		before = self.cpu(server)
		out = subprocess.run(cmd + ["http://%s:%d%s" % (addr[0], addr[1], path)], stdout=subprocess.PIPE, text=True, timeout=seconds + 30, check=True).stdout
		time.sleep(0.05)
		used = self.cpu(server) - before
		done = int(re.search(r"(\d+) requests in", out).group(1))
		failed = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", out))
		m = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
		failed += int(m.group(1)) if m else 0
		lat = {p: to_ms(v) for p, v in re.findall(r"^\s+(50|99)%\s+(\S+)", out, re.M)}
		return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), "cpu": used * 1e6 / max(done, 1), "p50": lat.get("50", 0), "p99": lat.get("99", 0),
			"failed": failed, "done": done}

	def group(self, name):
		title, path, fresh, clients, contestants, goals = GROUPS[name]
		contestants = [c for c in contestants if c[0] in self.trees]
		runs = {c: [] for c in contestants}
		for server, host in contestants:
			# Right answers first, and warm.
			for _ in range(5):
				r = rawhttp.get(self.trees[server][0].addr, host + ".test", path)
				assert r.status == 200 and r.body, "%s/%s: %r" % (server, host, r)
			self.once(server, host, path, fresh, clients, 1)
		for _ in range(self.o.rounds):
			for c in contestants:
				runs[c].append(self.once(c[0], c[1], path, fresh, clients, self.o.seconds))
		print("\n%s (%d connections, %d rounds of %d s)" % (title, clients, self.o.rounds, self.o.seconds))
		print("  %-22s %10s %9s %10s %9s %9s %7s" % ("server", "requests/s", "spread", "CPU us/req", "p50 ms", "p99 ms", "failed"))
		rates, medians, cpus = {}, {}, {}
		for c in contestants:
			rate = [r["rate"] for r in runs[c]]
			def mid(k):
				return statistics.median(r[k] for r in runs[c])
			rates["%s/%s" % c] = mid("rate")
			medians["%s/%s" % c] = mid("p50")
			cpus["%s/%s" % c] = mid("cpu")
			print("  %-22s %10.0f %8.0f%% %10.1f %9.2f %9.2f %7d" % ("%s/%s" % c, mid("rate"), 100 * (max(rate) - min(rate)) / max(mid("rate"), 1), mid("cpu"), mid("p50"),
				mid("p99"), sum(r["failed"] for r in runs[c])))
		sys.stdout.flush()
		return rates, medians, cpus, goals


class BenchFpm(servers.Fpm):
	def argv(self):
		return super().argv() + ["-c", PHP_INI]


def to_ms(text):
	n, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
	return float(n) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def main():
	p = argparse.ArgumentParser(prog="./dev bench", description=__doc__.strip().split("\n\n")[0])
	p.add_argument("--build", help="directory with bulkhead and bulkhead-php")
	p.add_argument("--quick", action="store_true", help="3 rounds of 1 second instead of 7 of 3")
	p.add_argument("--rounds", type=int)
	p.add_argument("--seconds", type=int)
	p.add_argument("--only", default=",".join(GROUPS), help="some of: " + " ".join(GROUPS) + "; static: all of static-*")
	p.add_argument("--peers-only", action="store_true", help="without Bulkhead")
	p.add_argument("--strict", action="store_true", help="fail when a goal is missed")
	o = p.parse_args()
	o.rounds = o.rounds or (3 if o.quick else 7)
	o.seconds = o.seconds or (1 if o.quick else 3)
	want = [g for name in o.only.split(",") for g in (STATIC_GROUPS if name == "static" else [name])]
	for g in want:
		if g not in GROUPS:
			p.error("no such group: %s (there are: %s)" % (g, " ".join(GROUPS)))
	if o.build:
		os.environ["BULKHEAD_BIN"] = os.path.join(o.build, "bulkhead")
	if not o.peers_only and not servers.bulkhead_bin():
		p.error("no bulkhead: ./dev build first")
	tmp = tempfile.mkdtemp(prefix="bh-bench-", dir="/tmp")
	os.chmod(tmp, 0o755)
	c = Contest(tmp, o)
	missed = []
	verdicts = []
	try:
		c.prepare(want)
		print("bench: %d processors, kernel %s, %s" % (os.cpu_count(), os.uname().release, subprocess.run(["php" + servers.PHPV, "-v"], stdout=subprocess.PIPE,
			text=True).stdout.split("\n")[0]))
		for g in want:
			rates, medians, cpus, goals = c.group(g)
			if g in STATIC_GROUPS and "bulkhead/static" in rates:
				# The best of both, each on its own measure.
				best = max((s for s in STATIC_PEERS if s in rates), key=rates.get)
				thrifty = min((s for s in STATIC_PEERS if s in cpus), key=cpus.get)
				goals = [("bulkhead/static", best, 1.0)]
				ratio = cpus["bulkhead/static"] / max(cpus[thrifty], 1e-9)
				verdicts.append("  %-18s %-44s %6.2f   at most 1.00   %s" % (g, "CPU a request, bulkhead/static to " + thrifty, ratio,
					"reached" if ratio <= 1 else "MISSED"))
				if ratio > 1:
					missed.append(g)
			for a, b, most in ADDED.get(g, []):
				if a in medians and b in medians:
					added = medians[a] - medians[b]
					verdicts.append("  %-18s %-44s %+6.3f ms  at most %.3f   %s" % (g, "%s over %s" % (a, b), added, most, "reached" if added <= most else "MISSED"))
					if added > most:
						missed.append(g)
			for a, b, least in goals:
				if a in rates and b in rates:
					ratio = rates[a] / rates[b]
					verdicts.append("  %-18s %-44s %6.2f   goal %.2f   %s" % (g, "%s to %s" % (a, b), ratio, least, "reached" if ratio >= least else "MISSED"))
					if ratio < least:
						missed.append(g)
	finally:
		c.stop()
		shutil.rmtree(tmp, ignore_errors=True)
	if verdicts:
		print("\nratios")
		print("\n".join(verdicts))
	return 1 if missed and o.strict else 0


if __name__ == "__main__":
	sys.exit(main())
