# SPDX-License-Identifier: Apache-2.0
"""Cells tell which pages their request wrote to, so that later cells have them from the start; what they say is checked."""
import re
import time

import pytest
import wire
from test_cell import FFI, ROOT, Zygote, docroot, program  # noqa: F401

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells,
	pytest.mark.skipif(not ROOT, reason="only root reads the maps of processes that cannot be dumped")]
ASKED_AFTER = 1.1  # seconds: HOT_REPORTS' first pause
CELLS, RUNS = 16, 192  # as hot_reports.h and hot_runs.h have them
REPORT = 8 + RUNS * 16  # octets
SLOTS, SLOT = 4096, 248  # zygote.c's cells, and sb_sigsys.h


@pytest.fixture
def zygote(docroot):
	z = Zygote(docroot, ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


def mappings(pid):
	"""Of @pid: (start, end, rights, name, octets of its own)."""
	out = []
	with open("/proc/%d/smaps" % pid) as f:
		for line in f:
			m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)", line)
			if m:
				out.append([int(m[1], 16), int(m[2], 16), m[3], m[4], 0])
			elif line.startswith("Private_Dirty:"):
				out[-1][4] = int(line.split()[1]) * 1024
	return out


def own_of_waiting(z, name):
	"""What a cell that waits for its request has for itself of mappings with @name."""
	id, conn = z.cell()
	pid = z.children()[0]
	time.sleep(0.2)
	n = sum(m[4] for m in mappings(pid) if m[3].startswith(name))
	conn.close()
	z.expect(wire.CELL_GONE, id)
	return n


def ask(z):
	time.sleep(ASKED_AFTER)


def test_later_cells_have_what_requests_write_to(zygote):
	"""Opcache's memory, which no rehearsal sees a script in."""
	assert zygote.php("echo 1;").body == b"1"
	before = own_of_waiting(zygote, "/memfd:opcache")
	ask(zygote)
	for i in range(6):
		assert zygote.php("echo %d;" % i).body == b"%d" % i
	assert own_of_waiting(zygote, "/memfd:opcache") > before
	assert zygote.php("echo 'x';").body == b"x"


def find(z, test):
	return next(m for m in mappings(z.p.pid) if test(m))


def tell(z, words):
	"""Scripts say for every cell that is asked what it wrote to: a number of runs, their beginnings and lengths."""
	slots = find(z, lambda m: "s" in m[2] and m[3].startswith("/dev/zero") and m[1] - m[0] >= SLOTS * SLOT + CELLS * REPORT)
	put = "".join("$p[$i + %d] = %s;" % (i, w if w < 2 ** 63 else w - 2 ** 64) for i, w in enumerate(words))
	code = FFI + "$p = FFI::cast('unsigned long *', %d); for ($i = 0; $i < %d; $i += %d) { %s } " % (
		slots[0] + SLOTS * SLOT, CELLS * REPORT // 8, REPORT // 8, put) + \
		"echo 'told'; ob_end_flush(); flush(); $f->syscall(231, 0);"  # exit_group, so that it tells nothing else
	for _ in range(6):
		a = z.php(code)
		assert a.body == b"told", (a.err, a.gone, z.log())


def is_cache(m):
	return m[3].startswith("/memfd:opcache")


def is_code(m):
	return m[2].startswith("r-x")


def is_stack(m):
	return m[3] == "[stack]"


def test_what_is_told_counts(zygote):
	"""Or the lies below would show nothing."""
	assert zygote.php("echo 1;").body == b"1"
	ask(zygote)
	tell(zygote, [1, find(zygote, is_cache)[0], 40 * 4096])
	assert own_of_waiting(zygote, "/memfd:opcache") == 40 * 4096


LIES = {
	"too many": lambda z: [2 ** 64 - 1],
	"more than there is room for": lambda z: [RUNS + 1],
	"code": lambda z: [1, find(z, is_code)[0], 4096],
	"the kernel": lambda z: [1, 0xffffffff80000000, 4096],
	"nothing": lambda z: [1, 4096, 4096],
	"past the end": lambda z: [1, 2 ** 64 - 4096, 8192],
	"not a page": lambda z: [1, find(z, is_stack)[0] + 8, 4096],
	"too much": lambda z: [1, find(z, is_cache)[0], 64 << 20],
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_lies_hurt_nobody(zygote, lie):
	words = LIES[lie](zygote)
	assert zygote.php("echo 1;").body == b"1"
	before = own_of_waiting(zygote, "/")
	ask(zygote)
	tell(zygote, words)
	assert own_of_waiting(zygote, "/") < before + 16 * 4096
	a = zygote.php("echo 'well';")
	assert a.body == b"well" and a.gone[:3] == (0, 0, 0)
