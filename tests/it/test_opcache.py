# SPDX-License-Identifier: Apache-2.0
"""Opcache's memory: private to each cell, filled by the zygote's compiler; what a cell does to it stays with the cell."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import proc
import pytest
import servers
import test_cell
import wire
from test_cell import Zygote, program  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

# What is promised for each level; "shared" promises what mod_php does and shows that the attack works.
PRIVATE = ["fresh", "rollback"]
LEVELS = PRIVATE + ["shared"]
FFI = [("ffi.enable", "1", True)]
STATUS = "$s = opcache_get_status(true); "
# Of all files of this request the fewest hits: none for one that this process compiled itself.
HITS = "min(array_map(fn($f) => $s['scripts'][$f]['hits'] ?? -1, get_included_files()))"


@pytest.fixture
def site():
	"""A document root that goes away with the test."""
	d = tempfile.mkdtemp(prefix="bh-opcache-", dir="/tmp")
	os.chmod(d, 0o777)
	yield d
	shutil.rmtree(d, ignore_errors=True)


@pytest.fixture
def start(site):
	up = []

	def begin(isolation="fresh", ini=(), **over):
		z = Zygote(site, isolation=isolation, ini=ini, **over)
		assert z.ready is not None, z.started_err()
		up.append(z)
		return z
	yield begin
	for z in up:
		assert z.stop() == 0


def write(site, name, code, age=100):
	"""A script that was last changed @age seconds ago; replaced as deployments do it."""
	path = os.path.join(site, name)
	with open(path + ".new", "w") as f:
		f.write("<?php " + code)
	os.utime(path + ".new", (time.time() - age,) * 2)
	os.rename(path + ".new", path)
	return path


def ask(z, script, **params):
	"""One request in a new cell; the body as JSON."""
	id, conn = z.cell()
	a = conn.ask(z.params(script, **params))
	conn.close()
	z.expect(wire.CELL_GONE, id)
	assert a.ended and a.status == 200, (a.out, a.err, z.log())
	return json.loads(a.body)


def until(z, script, good, seconds=10, **params):
	"""Ask until good(answer): the compiler works beside the requests."""
	end = time.monotonic() + seconds
	while True:
		got = ask(z, script, **params)
		if good(got):
			return got
		assert time.monotonic() < end, (got, z.log())
		time.sleep(0.1)


COUNT = STATUS + "echo json_encode(['n' => count($s['scripts']), 'misses' => $s['opcache_statistics']['misses'], 'hits' => " + HITS + ", 'text' => text()]);"


def counting(site, more=""):
	write(site, "lib.php", "function text() { return 'lib-original'; }")
	write(site, "main.php", "require __DIR__ . '/lib.php'; " + more + COUNT)


def warm(z):
	"""Until a new cell has to compile nothing."""
	return until(z, "main.php", lambda got: got["hits"] >= 1)


# --- who compiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", LEVELS)
def test_nothing_is_compiled_twice(site, start, isolation):
	z = start(isolation)
	counting(site)
	first = ask(z, "main.php")
	assert first["misses"] == 2 and first["n"] == 2 and first["hits"] == 0
	warm(z)
	for _ in range(5):
		got = ask(z, "main.php")
		assert (got["misses"], got["n"]) == (2, 2) and got["hits"] >= 1, "compiled again in a cell that found it in its image"


@pytest.mark.parametrize("isolation", PRIVATE)
def test_the_zygote_and_cells_have_private_memory_only(site, start, isolation):
	z = start(isolation)
	counting(site)
	warm(z)
	if not proc.ROOT:
		pytest.skip("only root reads the maps of a process that cannot be dumped")
	id, conn = z.cell()
	for pid in [z.p.pid] + z.children():
		# Forked, it becomes a cell step by step.
		proc.wait_for(lambda: open("/proc/%d/comm" % pid).read() == "bh-cell\n" or pid == z.p.pid, why="a cell")
		lines = open("/proc/%d/maps" % pid).read().splitlines()
		opcache = [l for l in lines if "memfd:opcache" in l and l.split()[1] != "r--p"]
		# The segment, and the heads of its scripts.
		assert len(opcache) == 2 and {l.split()[1] for l in opcache} == {"rw-p"}, opcache
		# What a cell is put back from, and the list of scripts behind the image: the same file, and only to read.
		views = [l for l in lines if "memfd:opcache" in l and l not in opcache]
		assert len(views) == (2 if isolation == "rollback" and pid != z.p.pid else 0), views
		assert len({l.split()[4] for l in opcache + views}) == 1, (opcache, views)
		# What rollback saves is another, smaller one.
		def sizes(of):
			return [int(b, 16) - int(a, 16) for a, b in (l.split()[0].split("-") for l in of)]
		assert max(sizes(opcache)) not in sizes(l for l in lines if l.split()[1] == "rw-s"), lines
	conn.close()
	z.expect(wire.CELL_GONE, id)


@pytest.mark.parametrize("isolation", PRIVATE)
def test_classes_are_linked_ahead(site, start, isolation):
	"""Classes whose parents are in other files, in whatever order they were compiled."""
	write(site, "a_child.php", "class Child extends Parent_ implements Thing { use Helper; function n() { return [$this->h(), $this->p()]; } }")
	write(site, "parent.php", "class Parent_ { function p() { return 'p'; } }")
	write(site, "thing.php", "interface Thing {} trait Helper { function h() { return 'h'; } }")
	write(site, "main.php", "$m = 0; spl_autoload_register(function ($c) { $f = ['Child' => 'a_child', 'Parent_' => 'parent', 'Thing' => 'thing', 'Helper' => 'thing']; "
		"require __DIR__ . '/' . $f[$c] . '.php'; }); $r = (new Child)->n(); " + STATUS + "echo json_encode([$r, $s['opcache_statistics']['misses'], "
		"$s['memory_usage']['used_memory']]);")
	z = start(isolation)
	before = ask(z, "main.php")
	assert before[0] == ["h", "p"] and before[1] == 4
	time.sleep(1)
	a = ask(z, "main.php")
	b = ask(z, "main.php")
	assert a[0] == ["h", "p"] and a[1] == b[1]
	# Linking in the request would have taken memory of the segment: the same class, once more.
	write(site, "empty.php", STATUS + "echo json_encode($s['memory_usage']['used_memory']);")
	ask(z, "empty.php")
	time.sleep(1)
	assert abs(ask(z, "empty.php") - ask(z, "main.php")[2]) < 512, "a class was linked anew in the request"


def written_kb(pid):
	"""What a process has for itself of an image: (of the segment, of the heads of its scripts)."""
	got = {}
	for m in re.finditer(r"^([0-9a-f]+)-([0-9a-f]+) rw-p .*/memfd:opcache.*\n((?:[A-Z].*\n)+)", open("/proc/%d/smaps" % pid).read(), re.M):
		got[int(m.group(2), 16) - int(m.group(1), 16)] = int(re.search(r"^Anonymous: +(\d+)", m.group(3), re.M).group(1))
	assert len(got) == 2, got
	return got[max(got)], got[min(got)]


@pytest.mark.skipif(not proc.ROOT, reason="only root reads the maps of processes that cannot be dumped")
def test_hits_of_all_scripts_are_counted_in_few_pages(site, start):
	"""Not in one page for each script: each is a copy that every request pays for."""
	z = start("rollback")
	for i in range(100):
		write(site, "f%d.php" % i, "function f%d() { return '%s'; }" % (i, "x" * 5000))
	write(site, "main.php", "for ($i = 0; $i < 100; $i++) { require __DIR__ . \"/f$i.php\"; } " + STATUS +
		"echo json_encode(['hits' => " + HITS + "]);")
	for age in (100, 50): # the second time in a later image, which has what is left of the first
		until(z, "main.php", lambda got: got["hits"] >= 1)
		for i in range(0, 100, 2):
			write(site, "f%d.php" % i, "function f%d() { return '%s'; }" % (i, "y" * 5000), age)
	until(z, "main.php", lambda got: got["hits"] >= 1)
	time.sleep(1.2) # what later cells are told of paths makes them new once
	id, conn = z.cell()
	hits = {json.loads(conn.ask(z.params("main.php"), keep=True).body)["hits"] for _ in range(8)}
	assert len(hits) == 1, "what was counted is put back"
	(cell,) = [p for p in z.children() if proc.comm_of(p) == "bh-cell"]
	segment, heads = written_kb(cell)
	assert segment <= 40 and heads <= 4 * 40, (segment, heads)
	assert "hits are counted" not in z.log()
	conn.close()
	z.expect(wire.CELL_GONE, id)


def test_scripts_that_do_not_go_together(site, start):
	"""Pages of one site that define the same function, class and constant: each is cached."""
	for i in range(12):
		write(site, "page%d.php" % i, "function render() { return %d; } class Page { const N = %d; } " % (i, i) + STATUS + "echo json_encode([render(), Page::N, " + HITS + "]);")
	z = start()
	for i in range(12):
		ask(z, "page%d.php" % i)
	for i in range(12):
		assert until(z, "page%d.php" % i, lambda got: got[2] >= 1)[:2] == [i, i]


def test_classes_find_parents_of_earlier_images(site, start):
	z = start()
	write(site, "parent.php", "class Parent_ { function f() { return 'p'; } } if (isset($_GET['main'])) { " + STATUS + "echo json_encode(['hits' => " + HITS + "]); }")
	write(site, "main.php", "require __DIR__ . '/parent.php'; if (true) { class Child extends Parent_ { function g() { return $this->f(); } } } $r = (new Child)->g(); "
		+ STATUS + "echo json_encode(['text' => $r, 'hits' => " + HITS + ", 'used' => $s['memory_usage']['used_memory']]);")
	until(z, "parent.php", lambda got: got["hits"] >= 1, QUERY_STRING="main=1")
	got = until(z, "main.php", lambda got: got["hits"] >= 1)
	write(site, "empty.php", STATUS + "echo json_encode(['hits' => " + HITS + ", 'used' => $s['memory_usage']['used_memory']]);")
	until(z, "empty.php", lambda got: got["hits"] >= 1)
	assert abs(ask(z, "empty.php")["used"] - ask(z, "main.php")["used"]) < 512 and got["text"] == "p"


@pytest.mark.parametrize("code", ["this is no PHP;", "function text() {}", "class X extends {", "require 'x", ""])
def test_files_that_do_not_compile_do_no_harm(site, start, code):
	"""Reported by a lying cell, since an honest one reports only what compiled."""
	z = start(ini=FFI)
	counting(site)
	write(site, "bad.php", code)
	write(site, "lie.php", "$f = FFI::cdef('long write(int, const char *, size_t);'); $m = \"0\" . __DIR__ . \"/bad.php\\0\"; "
		"echo json_encode($f->write(5, $m, strlen($m)) == strlen($m));")
	assert ask(z, "lie.php") is True
	warm(z)
	ask(z, "lie.php")
	assert "compiler ended" not in z.log()


def test_lies_and_floods_on_the_pipe(site, start):
	z = start(ini=FFI)
	counting(site)
	write(site, "lie.php", r"""$f = FFI::cdef('long write(int, const char *, size_t);'); $n = 0; foreach (['', '0', "0relative\0", "0/../x\0",
		"0/etc/passwd\0", "0/dev/zero\0", '0' . __DIR__ . "\0", "0/nowhere\0", '0/' . str_repeat('a', 5000) . "\0", "R\0R\0R\0", random_bytes(4000),
		"0//x\0\0\0\0", str_repeat('x', 100000)] as $m) $n += $f->write(5, $m, strlen($m)) > 0;
		for ($i = 0; $i < 2000; $i++) { $m = "0/n/$i\0"; $f->write(5, $m, strlen($m)); } echo json_encode($n);""")
	assert ask(z, "lie.php") > 5
	for _ in range(3):
		ask(z, "lie.php")
	assert z.p.poll() is None
	warm(z)
	assert "compiler ended" not in z.log()


def test_a_compiler_that_dies_costs_one_file(site, start):
	if not proc.ROOT:
		pytest.skip("kills a process of the site's user")
	z = start()
	counting(site)
	rows = ",".join("[%d,'%x','%s']" % (i, i * 7919, "y" * 20) for i in range(80000))
	write(site, "slow.php", "if (isset($_GET['run'])) return [" + rows + "]; echo '1';")
	ask(z, "slow.php")
	find = lambda: [p for p in z.children() if open("/proc/%d/comm" % p).read().strip() == "bh-opcache"]
	os.kill(proc.wait_for(find, why="a compiler")[0], signal.SIGSEGV)
	warm(z)
	assert "the compiler ended with signal 11" in z.log()
	# Left out: that it is asked for again starts no second one.
	ask(z, "slow.php")
	time.sleep(1)
	assert not find() and z.log() == ""


# --- what a cell writes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", LEVELS)
def test_poisoned_memory_reaches_nobody(site, start, isolation):
	"""A cell with native code overwrites a constant of a cached script."""
	z = start(isolation, ini=FFI)
	counting(site, "if (isset($_GET['evil'])) FFI::cdef('char *strcpy(char *, const char *);')->strcpy(text(), 'lib-poisoned'); ")
	warm(z)
	evil = ask(z, "main.php", QUERY_STRING="evil=1")
	assert evil["text"] == "lib-poisoned", "the attack itself does not work"
	for _ in range(3):
		assert ask(z, "main.php")["text"] == ("lib-poisoned" if isolation == "shared" else "lib-original")


def test_poisoned_memory_is_rolled_back(site, start):
	"""The same process answers again: where it could not be put back it must have ended, and is another."""
	z = start("rollback", ini=FFI)
	counting(site, "if (isset($_GET['evil'])) FFI::cdef('char *strcpy(char *, const char *);')->strcpy(text(), 'lib-poisoned'); ")
	warm(z)
	id, conn = z.cell()
	for query, text in [("", "lib-original"), ("evil=1", "lib-poisoned"), ("", "lib-original"), ("evil=1", "lib-poisoned"), ("", "lib-original")]:
		a = conn.ask(z.params("main.php", QUERY_STRING=query), keep=True)
		if not a.ended:
			break
		assert json.loads(a.body)["text"] == text
	conn.close()
	z.expect(wire.CELL_GONE, id)


def test_old_cells_make_room_for_a_new_image(site, start):
	"""A cell that lives on ends, after an answer, when what it would compile again and again is in a newer image."""
	z = start("rollback")
	counting(site)
	id, conn = z.cell()
	first = json.loads(conn.ask(z.params("main.php"), keep=True).body)
	assert first["hits"] == 0
	warm(z)
	last = conn.ask(z.params("main.php"), keep=True)
	assert not last.ended or json.loads(last.body)["text"] == "lib-original"
	assert wire.cell_gone(z.expect(wire.CELL_GONE, id, timeout=5))[0] == 0
	conn.close()


def test_paths_that_requests_look_up_are_known_to_later_cells(site, start):
	"""Those below the document root, and no others."""
	beside = tempfile.mkdtemp(prefix="bh-beside-", dir="/tmp")
	try:
		os.chmod(beside, 0o755)
		for i in range(10):
			write(site, "content%d.txt" % i, str(i))
			shutil.copy(site + "/content%d.txt" % i, beside)
		write(site, "look.php", "$known = array_filter(array_keys(realpath_cache_get()), fn($p) => str_contains($p, '/content'));"
			"for ($i = 0; $i < 10; $i++) { file_get_contents(__DIR__ . \"/content$i.txt\"); realpath('%s' . \"/content$i.txt\"); }"
			"echo json_encode(['known' => count($known), 'inside' => count(array_filter($known, fn($p) => str_starts_with($p, __DIR__)))]);" % beside)
		z = start("rollback")
		seen = []
		end = time.monotonic() + 20
		while not seen or seen[-1] != {"known": 10, "inside": 10}:
			assert time.monotonic() < end, (seen, z.log())
			id, conn = z.cell()
			time.sleep(1.1)  # what is looked up in the cell's first second is not told apart from what it knew
			for _ in range(2):
				a = conn.ask(z.params("look.php"), keep=True)
				if not a.ended:
					break
				seen.append(json.loads(a.body))
			conn.close()
			z.expect(wire.CELL_GONE, id, timeout=5)
		assert seen[0] == {"known": 0, "inside": 0}
	finally:
		shutil.rmtree(beside)


# Compiled regular expressions in PHP's cache: the table is the first thing in PCRE's settings, see zend_types.h and php_pcre.h.
PCRE_CACHED = "$pcre = FFI::cdef('extern unsigned int pcre_globals[8];'); $known = $pcre->pcre_globals[7]; "


def test_expressions_that_requests_use_are_compiled_in_later_cells(site, start):
	"""What two requests used, and nothing that one alone did; and they still match as they should."""
	write(site, "match.php", PCRE_CACHED + "$got = []; for ($i = 0; $i < 12; $i++) $got[] = preg_replace(\"~(a$i)(?<tail>.*)~i\", '$2$1', \"A$i-z\");"
		"preg_match('/^once' . $_GET['once'] . '$/', 'x'); @preg_match('/(broken/', 'x'); echo json_encode(['known' => $known, 'got' => $got]);")
	z = start("rollback", ini=FFI)
	seen = []
	once = 0
	end = time.monotonic() + 20
	while not seen or seen[-1]["known"] != seen[0]["known"] + 12:
		assert time.monotonic() < end, (seen, z.log())
		id, conn = z.cell()
		for _ in range(3):
			once += 1
			a = conn.ask(z.params("match.php", QUERY_STRING="once=%d" % once), keep=True)
			if not a.ended:
				break
			assert a.status == 200, (a.out, a.err)
			seen.append(json.loads(a.body))
		conn.close()
		z.expect(wire.CELL_GONE, id, timeout=5)
		time.sleep(0.1)
	assert all(s["got"] == ["-z" + "A%d" % i for i in range(12)] for s in seen), seen
	# Of one cell all requests begin with the same.
	id, conn = z.cell()
	for _ in range(3):
		assert json.loads(conn.ask(z.params("match.php", QUERY_STRING="once=0"), keep=True).body)["known"] == seen[-1]["known"]
	conn.close()
	z.expect(wire.CELL_GONE, id, timeout=5)


def test_lies_about_expressions_do_no_harm(site, start):
	"""A cell names expressions on the zygote's pipe that do not compile, or for long: later cells start and answer."""
	counting(site)
	write(site, "lie.php", """$c = FFI::cdef('long write(int, const char *, unsigned long);');
		$lies = ['/(/', '/a/', "/\\xff/u", '#' . str_repeat('(', 300) . '#', '/' . str_repeat('(a{1,99}){1,9}', 100) . '/', 'x', chr(92), '/x/Q'];
		$n = 0; foreach ($lies as $l) for ($i = 0; $i < 2; $i++) $n += $c->write(5, "E$l\\0", strlen($l) + 2) > 0;
		echo json_encode($n);""")
	z = start("rollback", ini=FFI)
	assert ask(z, "lie.php") == 16
	time.sleep(0.2)
	write(site, "last.php", "$last = error_get_last(); if (isset($_GET['own'])) { @$none[0][1]; @preg_match('/(/', ''); } echo json_encode([$last, error_get_last()['message'] ?? null]);")
	for _ in range(3):
		assert ask(z, "main.php")["text"] == "lib-original"
		assert ask(z, "last.php") == [None, None] # nor do requests hear what PHP thought of it
		assert "Compilation failed" in ask(z, "last.php", QUERY_STRING="own=1")[1]
	assert "preg" not in z.log() and "delimiter" not in z.log()


@pytest.mark.parametrize("isolation", LEVELS)
def test_other_sites_have_other_memory(site, start, isolation):
	"""Even where a site shares its cache with itself: one zygote a site."""
	a, b = start(isolation, ini=FFI), start(isolation, ini=FFI)
	counting(site, "if (isset($_GET['evil'])) FFI::cdef('char *strcpy(char *, const char *);')->strcpy(text(), 'lib-poisoned'); ")
	warm(a)
	warm(b)
	assert ask(a, "main.php", QUERY_STRING="evil=1")["text"] == "lib-poisoned"
	assert ask(b, "main.php")["text"] == "lib-original"


HOLD = "$f = FFI::cdef('int fcntl(int, int, ...); struct fl { short t, w; long s, l; int p; };'); $l = $f->new('struct fl'); $l->t = 1; $l->l = 1; " \
	"echo json_encode($f->fcntl(4, 6, FFI::addr($l))); flush(); sleep(4);"


@pytest.mark.parametrize("isolation", LEVELS)
def test_holding_the_lock_stops_nobody(site, start, isolation):
	z = start(isolation, ini=FFI)
	write(site, "hold.php", HOLD)
	write(site, "new.php", "echo json_encode('new');")
	id, conn = z.cell()
	hold = threading.Thread(target=conn.ask, args=(z.params("hold.php"),))
	hold.start()
	time.sleep(1)
	began = time.monotonic()
	assert ask(z, "new.php") == "new"
	took = time.monotonic() - began
	hold.join()
	conn.close()
	z.expect(wire.CELL_GONE, id)
	assert (took > 1.5) == (isolation == "shared"), took


@pytest.mark.parametrize("isolation", LEVELS)
def test_planted_file_cache_is_not_used(site, start, isolation):
	cli = servers.tool("php" + servers.PHPV, "php")
	if cli is None:
		(pytest.fail if proc.MUST_WORK else pytest.skip)("no php on the command line to make a cache file with")
	cache = site + "/cache"
	os.mkdir(cache)
	path = write(site, "x.php", "echo json_encode('original');")

	def run():
		return subprocess.run([cli, "-d", "opcache.enable_cli=1", "-d", "opcache.file_cache=" + cache, "-d", "opcache.file_cache_only=1",
			"-d", "opcache.file_cache_consistency_checks=0", path], stdout=subprocess.PIPE, text=True).stdout
	assert run() == '"original"'
	bins = [os.path.join(d, f) for d, _, files in os.walk(cache) for f in files]
	assert len(bins) == 1
	with open(bins[0], "rb") as f:
		data = f.read()
	assert data.count(b"original") == 1
	with open(bins[0], "wb") as f:
		f.write(data.replace(b"original", b"planted!"))
	assert run() == '"planted!"', "the forged file does not work even where it should"
	subprocess.run(["chmod", "-R", "a+rwX", cache], check=True)
	z = start(isolation, ini=[("opcache.file_cache", cache, True), ("opcache.file_cache_only", "1", True), ("opcache.file_cache_consistency_checks", "0", True)])
	write(site, "ini.php", "echo json_encode([ini_get('opcache.file_cache'), ini_get('opcache.file_cache_only')]);")
	assert ask(z, "ini.php") in (["", "0"], [None, "0"], ["", ""])
	for _ in range(3):
		assert ask(z, "x.php") == "original"


# --- what PHP promises -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", PRIVATE)
@pytest.mark.parametrize("freq", [0, 2])
def test_changed_scripts_are_seen(site, start, freq, isolation):
	z = start(isolation, ini=[("opcache.revalidate_freq", str(freq), True)])
	counting(site)
	assert warm(z)["text"] == "lib-original"
	write(site, "lib.php", "function text() { return 'changed'; }", age=10)
	if freq > 0:
		time.sleep(freq + 1)
	assert ask(z, "main.php")["text"] == "changed"
	got = warm(z)
	assert got["text"] == "changed"
	# Back to the bytes and the time before: the image is older than that too.
	write(site, "lib.php", "function text() { return 'lib-original'; }", age=50)
	if freq > 0:
		time.sleep(freq + 1)
	assert ask(z, "main.php")["text"] == "lib-original"


def test_a_cell_that_lives_on_asks_for_times_once_in_a_while(site, start):
	"""For all scripts between two requests, as often as revalidate_freq says; by a link, and after opcache_invalidate(), each time."""
	freq = 3
	z = start("rollback", ini=[("opcache.revalidate_freq", str(freq), True)])
	for part in ("old", "new"):
		os.mkdir(site + "/" + part)
		write(site, part + "/linked.php", "function linked() { return '%s'; }" % part)
	os.symlink("old", site + "/part")
	write(site, "other.php", "function other() { return 'other-original'; }")
	counting(site, "require __DIR__ . '/other.php'; require __DIR__ . '/part/linked.php'; if (isset($_GET['say'])) opcache_invalidate(__DIR__ . '/main.php');")
	write(site, "main.php", open(site + "/main.php").read()[len("<?php "):].replace("'text' => text()", "'text' => [text(), other(), linked()]"))
	warm(z)
	time.sleep(freq + 1.1)  # what the compiler saw counts no longer
	id, conn = z.cell()

	def texts(query=""):
		a = conn.ask(z.params("main.php", QUERY_STRING=query), keep=True)
		assert a.ended and a.status == 200, (a.out, a.err, z.log())
		return json.loads(a.body)["text"]
	for _ in range(3):
		assert texts() == ["lib-original", "other-original", "old"]
	# Now it has looked: nobody asks, but for what was reached by a link.
	write(site, "lib.php", "function text() { return 'lib-changed'; }", age=10)
	os.symlink("new", site + "/part.new")
	os.rename(site + "/part.new", site + "/part")
	first = texts()
	assert first[:2] == ["lib-original", "other-original"], first
	conn.close()
	z.expect(wire.CELL_GONE, id, timeout=5)
	# Later everything is seen. Cells end for the new image meanwhile.
	time.sleep(freq + 1.1)
	assert ask(z, "main.php")["text"] == ["lib-changed", "other-original", "new"]
	until(z, "main.php", lambda got: got["hits"] >= 1)
	time.sleep(freq + 1.1)
	id, conn = z.cell()
	for _ in range(3):
		assert texts() == ["lib-changed", "other-original", "new"]
	write(site, "other.php", "function other() { return 'other-changed'; }", age=10)
	assert texts()[1] == "other-original", "the cell has not looked: what follows would prove nothing"
	assert texts("say=1")[1] == "other-original"
	assert texts()[1] == "other-changed"
	conn.close()
	z.expect(wire.CELL_GONE, id, timeout=5)


def test_new_files_are_cached_once_they_are_old_enough(site, start):
	z = start()
	counting(site)
	write(site, "lib.php", "function text() { return 'new'; }", age=0)
	assert ask(z, "main.php")["n"] == 1, "opcache keeps no file of the last two seconds"
	assert until(z, "main.php", lambda got: got["n"] == 2)["text"] == "new"
	warm(z)


@pytest.mark.parametrize("isolation", PRIVATE)
@pytest.mark.parametrize("call", ["opcache_reset()", "opcache_invalidate(__DIR__ . '/lib.php', true)"])
def test_reset_reaches_later_cells(site, start, call, isolation):
	"""Where times are not looked at, a deployment says that files changed; to whichever cell answers it."""
	z = start(isolation, ini=[("opcache.validate_timestamps", "0", True)])
	counting(site)
	write(site, "deploy.php", "echo json_encode(%s);" % call)
	warm(z)
	write(site, "lib.php", "function text() { return 'changed'; }")
	assert ask(z, "main.php")["text"] == "lib-original"
	assert ask(z, "deploy.php") is True
	until(z, "main.php", lambda got: got["text"] == "changed", seconds=5)
	assert warm(z)["text"] == "changed"


@pytest.mark.parametrize("isolation", PRIVATE)
def test_status_and_reset_in_a_cell(site, start, isolation):
	z = start(isolation)
	counting(site)
	warm(z)
	write(site, "status.php", STATUS + "echo json_encode([$s['opcache_enabled'], $s['cache_full'], count($s['scripts']) > 1, opcache_reset(), "
		"is_array(opcache_get_configuration()), opcache_compile_file(__DIR__ . '/lib.php')]);")
	assert ask(z, "status.php")[:5] == [True, False, True, True, True]


def test_short_tags_are_compiled_as_they_were_asked_for(site, start):
	z = start(ini=[("short_open_tag", "0", False)])
	path = os.path.join(site, "short.php")
	with open(path, "w") as f:
		f.write("<? echo '1' ?>")
	os.utime(path, (time.time() - 100,) * 2)
	for _ in range(8):
		assert ask(z, "short.php", PHP_VALUE="short_open_tag=1") == 1
		time.sleep(0.15)


def test_a_full_cache_begins_anew_when_it_is_full_of_waste(site, start):
	"""Every change of a file leaves its old form behind."""
	z = start(ini=[("opcache.memory_consumption", "16", True), ("opcache.interned_strings_buffer", "4", True), ("opcache.revalidate_freq", "0", True)])
	counting(site)
	body = "".join("function f%d_%%d() { return [%s]; }" % (i, ",".join("'%d-%d-%%d'" % (i, j) for j in range(20))) for i in range(150))
	used = []
	write(site, "main.php", "require __DIR__ . '/lib.php'; " + STATUS + "echo json_encode(['n' => count($s['scripts']), 'hits' => " + HITS + ", 'text' => text(), "
		"'wasted' => $s['memory_usage']['wasted_memory']]);")
	for round in range(12):
		write(site, "lib.php", "function text() { return 'round %d'; }" % round + body.replace("%d", str(round)), age=1000 - 20 * round)
		used.append(until(z, "main.php", lambda got: got["text"] == "round %d" % round and got["hits"] >= 1)["wasted"])
		time.sleep(1.2)
	assert max(used) > 0, "nothing was wasted: the test tests nothing"
	assert any(b < a for a, b in zip(used, used[1:])), used


def test_opcache_off(site, start):
	z = start(ini=[("opcache.enable", "0", True)])
	write(site, "off.php", "echo json_encode(opcache_get_status());")
	for _ in range(3):
		assert ask(z, "off.php") is False
