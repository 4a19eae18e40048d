# SPDX-License-Identifier: Apache-2.0
"""
No two requests share a random number: not two of one cell, not two of several cells that were forked from one zygote, not
two of sites that were started alike. On every level, for each source that PHP has.
"""
import concurrent.futures
import json

import pytest

import conftest
import levels
import servers
import site_conf

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

REQUESTS = 100
CELLS = {"one": 1, "many": 5}


@pytest.fixture(scope="module")
def prng(tmp, ini, docroot, module_fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test: build it first, or set BULKHEAD_BIN")
	own = dict(ini, extension=servers.build_extension(tmp, "state_probe"), sys_temp_dir=servers.writable_dir(tmp + "/prng-tmp"))
	text = '<Directory "%s">\n    Require all granted\n</Directory>\n' % docroot
	for level in levels.ALL:
		if levels.has(tmp, level):
			for name, n in CELLS.items():
				host = site_conf.prefork_vhost("%s-%s.test" % (level, name), docroot, level, own)
				for k in ("StartServers", "MinSpareServers", "MaxSpareServers", "MaxRequestWorkers"):
					host = "".join("    %s %d\n" % (k, n) if line.split()[:1] == [k] else line for line in host.splitlines(True))
				text += host
	return module_fleet.start(servers.Bulkhead(tmp + "/prng-bulkhead", text))


def draw(server, host, clients):
	def one(_):
		r = server.get(host, "/prng.php?native")
		assert r.status == 200, (r, r.text())
		return json.loads(r.text())
	with concurrent.futures.ThreadPoolExecutor(clients) as pool:
		return list(pool.map(one, range(REQUESTS)))


def settle(server, host, cells):
	levels.settle(lambda: json.loads(server.get(host, "/prng.php?native").text())["pid"], cells)


def repeated(answers):
	"""Sources of which some value came more than once."""
	sources = answers[0]["drawn"]
	assert len(sources) >= 20
	return [s for s in sources if len({a["drawn"][s] for a in answers}) != len(answers)]


@pytest.mark.parametrize("level", levels.ALL)
def test_all_different(tmp, prng, level):
	levels.need(tmp, level)
	for name, n in CELLS.items():
		if level == "rollback":
			settle(prng, "%s-%s.test" % (level, name), n)
	of = {name: draw(prng, "%s-%s.test" % (level, name), n) for name, n in CELLS.items()}
	for name, answers in of.items():
		assert not repeated(answers), "%s cell(s): %s" % (name, repeated(answers))
		pids = {a["pid"] for a in answers}
		# Put back or used again, as the level says: else nothing is proved.
		# (Cells that were idle while the site's opcache got its image end when they are asked.)
		most = CELLS[name] if level == "shared" else 3 * CELLS[name]
		assert len(pids) == REQUESTS if level == "fresh" else len(pids) <= most, "%d processes" % len(pids)
	assert not repeated([a for answers in of.values() for a in answers])


@pytest.mark.parametrize("level", levels.ALL)
def test_first_requests_of_a_new_server(tmp, ini, docroot, fleet, level):
	"""Zygotes of the same configuration, started again and again: their cells' first draws."""
	levels.need(tmp, level)
	answers = []
	for i in range(4):
		text = '<Directory "%s">\n    Require all granted\n</Directory>\n' % docroot + site_conf.prefork_vhost("a.test", docroot, level, ini) + site_conf.prefork_vhost("b.test", docroot, level, ini)
		server = fleet.start(servers.Bulkhead(tmp + "/prng-%s-%d" % (level, i), text))
		for host in ("a.test", "b.test"):
			r = server.get(host, "/prng.php")
			assert r.status == 200, r
			answers.append(json.loads(r.text()))
		fleet.stop()
	assert not repeated(answers), repeated(answers)


def test_a_seed_is_a_seed(tmp, prng):
	"""What the check above looks for can be seen: a generator that the script itself seeds does repeat."""
	with open(prng.conf) as f:
		root = [line.split('"')[1] for line in f if "DocumentRoot" in line][0]
	servers.write(root + "/seeded.php", "<?php mt_srand(7); echo json_encode(['drawn' => ['mt_rand' => mt_rand()] + array_fill_keys(range(1, 20), uniqid('', true))]);")
	answers = [json.loads(prng.get("fresh-one.test", "/seeded.php").text()) for _ in range(3)]
	assert repeated(answers) == ["mt_rand"]
