# SPDX-License-Identifier: Apache-2.0
"""Every decoder that has a fuzz target has all that belongs to it: a program, seeds, a dictionary, and its replay in make check."""
import glob
import os
import re

import pytest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
TARGETS = sorted(re.match(r"fuzz_(\w+)\.c$", os.path.basename(p)).group(1) for p in glob.glob(TOP + "/tests/fuzz/fuzz_*.c"))


def makefiles():
	out = ""
	for path in glob.glob(TOP + "/**/local.mk", recursive=True):
		with open(path) as f:
			out += f.read()
	return out.replace("\\\n", " ")


@pytest.mark.bulkhead
@pytest.mark.parametrize("target", TARGETS)
def test_complete(target):
	make = makefiles()
	assert re.search(r"^noinst_PROGRAMS \+=.*\btests/fuzz/fuzz_%s\b" % target, make, re.M), "./dev fuzz could not build it"
	assert re.search(r"^TESTS \+=.*\btests/fuzz/replay_%s\b" % target, make, re.M), "make check does not replay it"
	assert re.search(r"tests_fuzz_fuzz_%s_CFLAGS = .*-fsanitize=fuzzer" % target, make), "it would not be guided by coverage"
	assert re.search(r"^EXTRA_DIST \+=.*\btests/fuzz/corpus/%s\b" % target, make, re.M), "a release would lack its seeds"
	assert os.listdir(TOP + "/tests/fuzz/corpus/" + target), "no seeds"


@pytest.mark.bulkhead
@pytest.mark.parametrize("target", TARGETS)
def test_dictionary(target):
	"""Whether libFuzzer will take it: an entry a line, quoted, with \\\\, \\" and \\xAB escapes only."""
	with open("%s/tests/fuzz/dict/%s.dict" % (TOP, target), encoding="ascii") as f:
		entries = [line for line in f.read().splitlines() if line and line[0] != "#"]
	assert entries
	for e in entries:
		assert re.fullmatch(r'(\w+=)?"([^"\\]|\\\\|\\"|\\x[0-9A-Fa-f]{2})+"', e), e


def test_there_are_targets():
	assert {"http1", "chunked", "fcgi", "uri", "range", "conf", "cgi_header"} <= set(TARGETS)
