# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the whole-server tests: one server for the table of cases, run on every path, and helpers for the rest."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import proc  # noqa: E402
import rawhttp  # noqa: E402
import servers  # noqa: E402
import site_conf  # noqa: E402


def pytest_addoption(parser):
	parser.addoption("--peer", choices=("bulkhead", "apache"), default="bulkhead",
		help="run the table of cases against a reference server instead, to check the cases themselves")
	parser.addoption("--keep", action="store_true", help="keep the servers' temporary directory")


def pytest_configure(config):
	config.addinivalue_line("markers", "slow: left out of the sanitizer run")
	config.addinivalue_line("markers", "cells: looks at PHP's processes alone; left out of the sanitizer run, which has the plain ones")
	config.addinivalue_line("markers", "bulkhead: about Bulkhead itself, no peer can stand in")


def pytest_collection_modifyitems(config, items):
	if config.getoption("--peer") != "bulkhead":
		items[:] = [i for i in items if not i.get_closest_marker("bulkhead")]


def pytest_sessionfinish(session):
	"""What failed, a line each, for who runs it again."""
	path, reporter = os.environ.get("BULKHEAD_FAILED"), session.config.pluginmanager.get_plugin("terminalreporter")
	if path and reporter:
		bad = [r.nodeid for kind in ("failed", "error") for r in reporter.stats.get(kind, [])]
		with open(path, "w") as f:
			f.writelines("%s/%s\n" % (session.config.rootpath, n) for n in dict.fromkeys(bad))


def need(ok, why):
	"""Skip when this machine cannot run a test; fail where it must (CI)."""
	if not ok:
		(pytest.fail if proc.MUST_WORK else pytest.skip)(why)


@pytest.fixture(scope="session")
def tmp(request):
	# Not pytest's own: other users (the sites') must be able to look in, and unix socket paths are short.
	d = tempfile.mkdtemp(prefix="bh-it-", dir="/tmp")
	os.chmod(d, 0o755)
	yield d
	if request.config.getoption("--keep"):
		print("kept:", d)
	else:
		shutil.rmtree(d, ignore_errors=True)


class Fleet:
	"""Whatever was started for one scope, ended in reverse order; complaints fail the scope's last test."""

	def __init__(self):
		self.up = []

	def start(self, daemon, **k):
		daemon.start(**k)
		self.up.append(daemon)
		return daemon

	def stop(self):
		bad = []
		for d in reversed(self.up):
			bad += d.stop()
		self.up = []
		assert not bad, "\n".join(bad)


@pytest.fixture(scope="session")
def long_fleet(tmp):
	f = Fleet()
	yield f
	f.stop()


@pytest.fixture(scope="module")
def module_fleet(tmp):
	f = Fleet()
	yield f
	f.stop()


@pytest.fixture
def fleet(tmp):
	f = Fleet()
	yield f
	f.stop()


_count = [0]


@pytest.fixture
def here(tmp):
	"""A directory for one test, readable by the sites' users."""
	_count[0] += 1
	d = os.path.join(tmp, "t%d" % _count[0])
	os.makedirs(d)
	os.chmod(d, 0o755)
	return d


@pytest.fixture(scope="session")
def docroot(tmp):
	return site_conf.make_docroot(tmp + "/root")


@pytest.fixture(scope="session")
def ini(tmp):
	return servers.common_ini(tmp)


@pytest.fixture(scope="session")
def fpm(tmp, long_fleet, ini):
	return long_fleet.start(servers.Fpm(tmp + "/fpm", ini, extra='php_value[highlight.string] = "#123456"\n'))


@pytest.fixture(scope="session")
def fpm_tcp(tmp, long_fleet, ini):
	return long_fleet.start(servers.Fpm(tmp + "/fpm-tcp", ini, tcp=True, children=3, pool="tcp"))


@pytest.fixture(scope="session")
def bulkhead(tmp, long_fleet, docroot, ini, fpm, fpm_tcp):
	need(servers.bulkhead_bin(), "no bulkhead to test: build it first, or set BULKHEAD_BIN")
	return long_fleet.start(servers.Bulkhead(tmp + "/bulkhead", site_conf.bulkhead_conf(docroot, ini, fpm, fpm_tcp)))


@pytest.fixture(scope="session")
def apache(tmp, long_fleet, docroot, ini):
	need(servers.tool("apache2"), "no apache2")
	return long_fleet.start(servers.Apache(tmp + "/apache", site_conf.apache_conf(docroot, ini)))


class Target:
	"""Where a case is sent: a virtual host of the server under test."""

	def __init__(self, name, server, docroot):
		self.name, self.server, self.docroot = name, server, docroot
		self.host = name + ".test"
		self.addr = server.addr
		self.path = "/hello.txt" if name == "static" else "/hello.php"

	def conn(self, **k):
		return rawhttp.Conn(self.addr, **k)

	def get(self, path, *a, **k):
		return rawhttp.get(self.addr, self.host, path, *a, **k)

	def log(self):
		return self.server.log()

	def var(self, name):
		"""What a script left behind as var/name, or None."""
		try:
			with open(os.path.join(self.docroot, "var", name)) as f:
				return f.read()
		except OSError:
			return None


PHP_TARGETS = {"bulkhead": ["fresh", "rollback", "shared", "worker"], "apache": ["apache"]}


def pytest_generate_tests(metafunc):
	php = PHP_TARGETS[metafunc.config.getoption("--peer")]
	if "any_target" in metafunc.fixturenames:
		metafunc.parametrize("any_target", ["static"] + php, indirect=True)
	if "php_target" in metafunc.fixturenames:
		metafunc.parametrize("php_target", php, indirect=True)
	if "cell_target" in metafunc.fixturenames:
		metafunc.parametrize("cell_target", ["fresh", "rollback", "shared"], indirect=True)


def _target(request, docroot, name):
	return Target(name, request.getfixturevalue(request.config.getoption("--peer")), docroot)


@pytest.fixture
def any_target(request, docroot):
	return _target(request, docroot, request.param)


@pytest.fixture
def php_target(request, docroot):
	return _target(request, docroot, request.param)


@pytest.fixture
def cell_target(request, docroot):
	return _target(request, docroot, request.param)


@pytest.fixture
def static_target(request, docroot):
	return _target(request, docroot, "static")


@pytest.fixture
def peer(request):
	return request.config.getoption("--peer")
