# SPDX-License-Identifier: Apache-2.0
"""What only another kernel can show: each check inside the small virtual machine of tests/vm is a case here."""
import os
import subprocess
import sys

import pytest
import servers
from conftest import need

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vm"))
import vm  # noqa: E402

pytestmark = [pytest.mark.bulkhead, pytest.mark.slow]
_machines = {}


def machine(module):
	"""The result of one boot, made when its first case asks for it."""
	if module not in _machines:
		need(servers.bulkhead_bin(), "no bulkhead to test: build it first, or set BULKHEAD_BIN")
		# Part of "make check", perhaps not built yet.
		subprocess.run(["make", "-C", os.path.dirname(servers.bulkhead_bin())] + vm.PROGRAMS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
			timeout=300)
		try:
			_machines[module] = vm.run(module, servers.bulkhead_bin())
		except vm.NoVm as e:
			need(False, "no virtual machine: %s" % e)
	return _machines[module]


CASES = [(m, c) for m in vm.SETUPS for c in vm.names_of(m)]


@pytest.mark.parametrize("module,check", CASES, ids=["%s-%s" % c for c in CASES])
def test_inside(module, check):
	m = machine(module)
	r = m.checks.get(check)
	assert r is not None, "no result after %.0f s; the console:\n%s" % (m.seconds, m.console[-4000:])
	assert r["ok"], r["text"]


@pytest.mark.parametrize("module", list(vm.SETUPS))
def test_machine_ended_by_itself(module):
	m = machine(module)
	assert m.finished and set(vm.names_of(module)) == set(m.checks), (sorted(m.checks), m.console[-3000:])
