# SPDX-License-Identifier: Apache-2.0
"""
What one request leaves in its process must not be there for the next: the table of leak_cases.py on every level of
isolation, with a site that has one cell, so that under `shared` the same process answers both.
"""
import json
import os
import time

import pytest

import conftest
import leak_cases
import levels
import proc
import servers
import site_conf
from leak_cases import DISCARDED, ENDS, KEPT, REFUSED, SEALED, SURVIVES

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

SEED = 0x5eed
# Of a cell's requests, the first tells which process it is, three are the case's.
REQUESTS = 4


def pattern(seed):
	"""The letters that the extension makes of a number."""
	mask = (1 << 64) - 1
	out, x = b"", seed
	for _ in range(4):
		x = (x + 0x9e3779b97f4a7c15) & mask
		z = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & mask
		z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & mask
		out += bytes(ord("A") + b % 26 for b in (z ^ (z >> 31)).to_bytes(8, "little"))
	return out


class Site:
	"""One virtual host with one cell."""

	def __init__(self, server, level, prefix=""):
		self.server, self.level, self.host, self.last = server, level, prefix + level + ".test", None

	def get(self, path, *a, **k):
		return self.server.get(self.host, path, *a, **k)

	def new_cell(self):
		"""Go on until another process answers; returns its id."""
		for _ in range(REQUESTS + 1):
			r = self.get("/pid.php")
			assert r.status == 200, r
			if int(r.body) != self.last:
				break
		else:
			raise AssertionError("%s: no new cell after %d requests" % (self.level, REQUESTS))
		self.last = int(r.body)
		return self.last

	def read(self, case):
		return self.answer(self.get("/%s.php?read" % case.name))

	def dirty(self, case):
		path = "/%s.php?dirty&port=%d" % (case.name, self.server.port)
		if case.request == "secret":
			q = pattern(SEED).decode()
			return self.answer(self.get(path + "&q=" + q, method="POST", body=pattern(SEED) * 1000,
				headers="Content-Type: text/plain\r\nCookie: c=%s\r\nX-Secret: %s\r\nAuthorization: Basic %s\r\n" % (q, q, q)))
		if case.request == "upload":
			return self.answer(self.get(path, method="POST", headers="Content-Type: multipart/form-data; boundary=b\r\n",
				body=b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nupload\r\n--b--\r\n'))
		return self.answer(self.get(path))

	def answer(self, r):
		assert r.status in (200, 201), (r.status, r.text(), self.server.log()[-3000:])
		try:
			a = json.loads(r.text())
		except ValueError:
			raise AssertionError("no answer: %r\n%s" % (r.text(), self.server.log()[-3000:]))
		self.last = a["pid"]
		return a["pid"], [a["state"], r.get("x-left")], a["said"]


@pytest.fixture(scope="module")
def known(tmp):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test: build it first, or set BULKHEAD_BIN")
	return [n for n in levels.ALL if levels.has(tmp, n)]


def one_cell(name, level, root, ini, extra=""):
	"""A virtual host with one cell at a time."""
	host = site_conf.prefork_vhost(name, root, level, ini, extra)
	for k, v in (("StartServers", 1), ("MinSpareServers", 1), ("MaxSpareServers", 1), ("MaxRequestWorkers", 1)):
		host = "".join("    %s %d\n" % (k, v) if line.split()[:1] == [k] else line for line in host.splitlines(True))
	return host


@pytest.fixture(scope="module")
def leak_server(tmp, ini, known, module_fleet):
	root = tmp + "/leak"
	for case in leak_cases.CASES + leak_cases.IN_LEGACY + list(leak_cases.BY_CALL.values()):
		servers.write("%s/%s.php" % (root, case.name), case.page(SEED))
	servers.write(root + "/pid.php", "<?php echo getmypid();")
	servers.write(root + "/grow.php", leak_cases.GROW)
	# The cases look at themselves through /proc and go anywhere: what a cell leaves behind, not where it may go.
	looks = "    SandboxOff mount landlock\n"
	own = dict(ini, extension=servers.build_extension(tmp, "state_probe"), sys_temp_dir=servers.writable_dir(tmp + "/leak-tmp"),
		upload_tmp_dir=servers.writable_dir(tmp + "/leak-upload"))
	text = '<Directory "%s">\n    Require all granted\n</Directory>\n' % root
	for level in known:
		# A cell ends when opcache has a newer image; here it must end for the cases' reasons only.
		held = dict(own, **{"opcache.enable": 0}) if level == "rollback" else own
		text += one_cell(level + ".test", level, root, held, looks + "    MaxConnectionsPerChild %d\n" % REQUESTS)
		text += one_cell("legacy-" + level + ".test", level, root, held, looks + "    MaxConnectionsPerChild %d\n" % REQUESTS).replace("SandboxProfile php", "SandboxProfile legacy")
		for call in leak_cases.BY_CALL:
			text += one_cell("%s-%s.test" % (call, level), level, root, held, looks + "    SandboxAllow %s\n    MaxConnectionsPerChild %d\n" % (call, REQUESTS))
		text += one_cell("long-" + level + ".test", level, root, own, looks)
	return module_fleet.start(servers.Bulkhead(tmp + "/leak-bulkhead", text))


@pytest.fixture(scope="module")
def sites(leak_server, known):
	return {p + n: Site(leak_server, n, p) for n in known for p in ["", "legacy-"] + [call + "-" for call in leak_cases.BY_CALL]}


@pytest.fixture(params=levels.ALL)
def site(request, sites, tmp):
	levels.need(tmp, request.param)
	return sites[request.param]


@pytest.fixture(params=levels.ALL)
def legacy_site(request, sites, tmp):
	levels.need(tmp, request.param)
	return sites["legacy-" + request.param]


@pytest.mark.parametrize("name", list(leak_cases.BY_NAME))
def test_state(site, name):
	check(site, leak_cases.BY_NAME[name])


@pytest.mark.parametrize("name", list(leak_cases.LEGACY_BY_NAME))
def test_state_of_a_legacy_site(legacy_site, name):
	check(legacy_site, leak_cases.LEGACY_BY_NAME[name])


@pytest.mark.parametrize("level", levels.ALL)
@pytest.mark.parametrize("call", list(leak_cases.BY_CALL))
def test_schedule_that_a_site_may_change(sites, tmp, call, level):
	if call == "sched_setaffinity" and os.sched_getaffinity(0) == {0}:
		pytest.skip("there is one processor")
	levels.need(tmp, level)
	check(sites["%s-%s" % (call, level)], leak_cases.BY_CALL[call])


def check(site, case):
	cell = site.new_cell()
	pid1, clean, _ = site.read(case)
	pid2, dirtied, said = site.dirty(case)
	pid3, after, _ = site.read(case)

	if case.shared == REFUSED:
		assert dirtied == clean and said == case.said, "not refused: %r, %r" % (said, dirtied)
	elif site.level == "rollback" and case.rollback == SEALED:
		assert dirtied == clean
	else:
		assert dirtied != clean, "dirtying has no effect, the case proves nothing: %r" % (dirtied,)
	if site.level == "shared":
		assert cell == pid1 == pid2 and (pid3 == pid2) == (case.shared != ENDS), "not one process"
		if case.shared == SURVIVES:
			assert after != clean, "does not survive in a shared process, the case proves nothing"
		else:
			assert after == clean
		return
	assert after == clean
	if site.level == "fresh":
		assert len({cell, pid1, pid2, pid3}) == 4, "a process was used twice"
	if site.level == "rollback":
		assert cell == pid1 == pid2, "not put back, so nothing is proved"
		if case.rollback == KEPT:
			assert pid3 == pid2, "discarded, though PHP's own state can be put back"
		if case.rollback == DISCARDED:
			assert pid3 != pid2, "kept, though it cannot be put back"


def settle(site, path):
	"""Until the script is in opcache's image, and the pages that it writes to are known."""
	pids = []
	while site.level == "rollback" and (len(pids) < 8 or len(set(pids[-8:])) > 1):
		assert len(pids) < 200, "no cell stays"
		pids.append(json.loads(site.server.get("long-rollback.test", path).text())["pid"])
		time.sleep(0.02)


def test_growth(site):
	"""Requests that leak memory of each kind, and descriptors: what the process has before the first and before the last."""
	n = 24
	seen = []
	settle(site, "/grow.php")
	for _ in range(n):
		r = site.server.get("long-" + site.level + ".test", "/grow.php")
		assert r.status == 200, r
		seen.append(json.loads(r.text()))
	pids = {s.pop("pid") for s in seen}
	grown = {k: seen[-1][k] - seen[1][k] for k in seen[1]}
	if site.level == "shared":
		assert len(pids) == 1 and grown["break"] >= n - 2 and grown["size"] >= 3 * (n - 2) and grown["resident"] >= 2 * (n - 2) and grown["fds"] == n - 2, grown
		return
	assert len(pids) == (n if site.level == "fresh" else 1), "%d processes" % len(pids)
	# A new process may have less: an early one compiled the script itself, and has the file open while it runs.
	assert grown["break"] == 0 and (grown["fds"] == 0 or (site.level == "fresh" and grown["fds"] < 0)) and abs(grown["size"]) <= 1 and grown["resident"] <= 1, grown


@pytest.mark.slow
def test_persistent_database_connection(tmp, ini, known, fleet):
	conftest.need(servers.tool("mariadbd", "mysqld"), "no MariaDB")
	db = fleet.start(servers.MariaDb(tmp + "/leak-db"), timeout=60)
	root = tmp + "/leak-db-root"
	servers.write(root + "/p.php", leak_cases.PERSISTENT % db.sock)
	text = 'SandboxPath "%s"\n' % os.path.dirname(db.sock) + '<Directory "%s">\n    Require all granted\n</Directory>\n' % root
	server = fleet.start(servers.Bulkhead(tmp + "/leak-db-bulkhead", text + "".join(one_cell(n + ".test", n, root, ini) for n in known)))
	for level in known:
		first, second = (json.loads(server.get(level + ".test", "/p.php").text()) for _ in range(2))
		assert first["was"] is None
		assert (first["pid"] == second["pid"]) == (level != "fresh"), level
		# mysqli changes the user of a connection that it takes up again, which forgets variables; the connection is the same.
		assert (first["connection"] == second["connection"]) == (level == "shared"), (level, first, second)
		assert second["was"] is None
		if level != "shared":
			proc.wait_for(lambda: db.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE id IN (%d, %d)" % (first["connection"], second["connection"])).strip() == "0",
				5, 0.2, "connections closed under " + level)


def test_settings_that_leave_something_in_the_heap(tmp, ini, known, fleet):
	"""A setting applied at start may leave a block in PHP's request heap, which requests free."""
	root = tmp + "/leak-heap"
	servers.write(root + "/pid.php", "<?php $x = str_repeat('x', 5 << 20); echo getmypid(), ' ', strlen($x);")
	text = '<Directory "%s">\n    Require all granted\n</Directory>\n' % root
	hosts = [one_cell(n + ".test", n, root, dict(ini, **{"opcache.enable": 1})) for n in known]
	server = fleet.start(servers.Bulkhead(tmp + "/leak-heap-bulkhead", text + "".join(hosts)))
	for level in known:
		for _ in range(4):
			r = server.get(level + ".test", "/pid.php")
			assert r.status == 200 and r.text().endswith(" 5242880"), "%s: %r" % (level, r)
