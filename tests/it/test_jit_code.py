# SPDX-License-Identifier: Apache-2.0
"""Regular expressions as machine code under rollback: made before a cell runs scripts, and never writable since."""
import json
import re
import time

import pytest
import wire
from test_cell import ROOT, program  # noqa: F401
from test_opcache import site, start, write  # noqa: F401

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

# More than the stack that PHP gives to such code, and deeper than PHP lets it go without. See preg_last_error().
DEEP = "preg_match('/^(foo)+$/', str_repeat('foo', 50000)) . preg_last_error()"
AS_CODE, NOT_AS_CODE = "6", "3"
PAGE = "ini_set('pcre.backtrack_limit', '10000000'); %s $a = " + DEEP + "; $b = preg_replace('~(a)(?<tail>[b-y]*)~i', '$2$1', 'Abc'); " \
	"%s echo json_encode(['deep' => $a, 'got' => $b, 'set' => ini_get('pcre.jit')]);"


class Cell:
	def __init__(self, z):
		self.z = z
		before = set(z.children())
		self.id, self.conn = z.cell()
		self.pid = (set(z.children()) - before).pop()

	def ask(self, script):
		"""The answer, or None when the cell has ended in between."""
		a = self.conn.ask(self.z.params(script), keep=True)
		if not a.ended:
			return None
		assert a.status == 200, (a.out, a.err)
		return json.loads(a.body)

	def end(self):
		self.conn.close()
		return wire.cell_gone(self.z.expect(wire.CELL_GONE, self.id, timeout=5))


def learned(z, script, rounds=6):
	"""A cell that was forked after others have used the script's expressions."""
	for _ in range(rounds):
		c = Cell(z)
		for _ in range(3):
			if c.ask(script) is None:
				break
		c.end()
		time.sleep(0.1)
	return Cell(z)


def code_of(pid):
	with open("/proc/%d/maps" % pid) as f:
		lines = f.read().splitlines()
	assert not [l for l in lines if re.match(r"\S+ .wx", l)], lines
	return [l for l in lines if "/memfd:jit" in l]


def is_code(answer):
	assert answer["got"] == "bcA" and answer["deep"] in (AS_CODE, NOT_AS_CODE), answer
	return answer["deep"] == AS_CODE


@pytest.mark.parametrize("profile,ini,expected", [("php", [], True), ("legacy", [], True), ("strict", [], False),
	("php", [("pcre.jit", "0", True)], False)], ids=["php", "legacy", "strict", "off"])
def test_where_there_is_code(site, start, profile, ini, expected):
	"""In `strict` nobody maps code, and an administrator may want none."""
	write(site, "deep.php", PAGE % ("", ""))
	z = start("rollback", profile=profile, ini=ini)
	first = Cell(z)
	assert not is_code(first.ask("deep.php"))  # in the first request of all nothing is known yet
	first.end()
	c = learned(z, "deep.php")
	for _ in range(3):
		a = c.ask("deep.php")
		assert is_code(a) == expected and a["set"] == ("0" if ini else "1"), (a, z.log())
	if ROOT:
		code = code_of(c.pid)
		assert bool(code) == expected and all(" r-xp " in l for l in code), code
	assert c.end()[:3] == (0, 0, 0)


@pytest.mark.parametrize("value", ["0", "1"])
def test_scripts_change_the_setting(site, start, value):
	"""It decides nothing by then: what is compiled is neither freed nor joined by more, which would write to it."""
	many = "for ($i = 0; $i < 20; $i++) if (preg_match(\"/^x{$i}y$/\", \"x{$i}y\") !== 1) exit('wrong');"
	write(site, "deep.php", PAGE % ("$was = ini_set('pcre.jit', '%s'); if ($was !== '1') exit('was ' . $was);" % value, many))
	z = start("rollback")
	c = learned(z, "deep.php")
	for _ in range(3):
		a = c.ask("deep.php")
		assert is_code(a) and a["set"] == value
	assert c.end()[:3] == (0, 0, 0) and "JIT" not in z.log()


def test_a_full_cache_keeps_it(site, start):
	"""PHP frees expressions when it has 4,096 of them."""
	write(site, "deep.php", PAGE % ("", ""))
	write(site, "full.php", PAGE % ("for ($i = 0; $i < 9000; $i++) if (preg_match(\"/^f{$i}g$/\", \"f{$i}g\") !== 1) exit('wrong');", ""))
	z = start("rollback")
	c = learned(z, "deep.php")
	for script in ("full.php", "deep.php", "full.php"):
		assert is_code(c.ask(script)), script
	assert c.end()[:3] == (0, 0, 0)


def test_nothing_is_writable_and_executable(site, start):
	"""What PCRE was given before, nobody is given later."""
	ffi = "$f = FFI::cdef('long mmap(void *, unsigned long, int, int, int, long);'); "
	write(site, "deep.php", PAGE % ("", ""))
	write(site, "both.php", ffi + "$at = $f->mmap(null, 4096, 7, 0x22, -1, 0); "
		"$rw = $f->mmap(null, 4096, 3, 0x22, -1, 0); echo json_encode(['both' => $at, 'writable' => $rw > 0]);")
	z = start("rollback", ini=[("ffi.enable", "1", True)])
	c = learned(z, "deep.php")
	assert c.ask("both.php") == {"both": -1, "writable": True}
	assert is_code(c.ask("deep.php"))
	c.end()
