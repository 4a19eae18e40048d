# SPDX-License-Identifier: Apache-2.0
"""The applications asked again and again: the same answers as under fresh, and nothing grows. "./dev soak" does it at length."""
import os

import pytest

import conftest
import levels
import servers
import soak
from test_apps import unpacked

pytestmark = [pytest.mark.slow, pytest.mark.bulkhead]

REQUESTS = int(os.environ.get("BULKHEAD_SOAK", "200"))


@pytest.fixture(scope="module")
def db(tmp):
	conftest.need(servers.tool("mariadbd", "mysqld"), "no MariaDB")
	d = servers.MariaDb(tmp + "/soak-db").start(timeout=60)
	yield d
	assert not d.stop()


# Under shared, one that keeps its cells is enough: test_apps.py uses them all.
@pytest.mark.parametrize("name,level", [(n, "rollback") for n in soak.APPS] + [("phpmyadmin", "shared")])
def test_soak(tmp, ini, db, name, level):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	levels.need(tmp, level)
	where = "%s/soak-%s" % (tmp, level)
	os.makedirs(where, exist_ok=True)
	os.chmod(where, 0o755)
	app = unpacked(soak.APPS[name], where, db)
	s = soak.Soak(where, app, level, ini)
	try:
		bad = s.start().run(REQUESTS)
	finally:
		stopped = s.stop()
	assert not bad + stopped, "\n".join(bad + stopped)
