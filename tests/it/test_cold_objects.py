# SPDX-License-Identifier: Apache-2.0
"""Libraries that most requests never touch are not in a fresh cell until one does: who uses them cannot tell."""
import os
import signal

import proc
import pytest
import wire
from test_cell import FFI, ROOT, Zygote, docroot, program  # noqa: F401

pytestmark = [pytest.mark.bulkhead, pytest.mark.cells]

# Something of many extensions, each with libraries behind it; what is not installed is "absent" at both levels.
USES = {
	"bz2": "md5(bzcompress(str_repeat('cargo', 99)))",
	"ctype": "ctype_alpha('abc')",
	"curl": "(function () { $c = curl_init('http://localhost:1/'); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1); curl_exec($c); return curl_errno($c) . curl_version()['ssl_version']; })()",
	"curl_thread": "(function () { $c = curl_init('https://nonexistent.invalid/'); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1); curl_exec($c); return curl_errno($c); })()",
	"dom": "(function () { $d = new DOMDocument; $d->loadHTML('<p>tea'); return $d->saveHTML(); })()",
	"exif": "exif_tagname(256)",
	"fileinfo": "(new finfo(FILEINFO_MIME))->buffer('GIF89a')",
	"gd": "(function () { $i = imagecreatetruecolor(20, 20); imagefilledrectangle($i, 2, 2, 9, 9, 0xff0000); ob_start(); imagepng($i); imagejpeg($i); imagewebp($i); return md5(ob_get_clean()); })()",
	"gettext": "gettext('rope')",
	"iconv": "bin2hex(iconv('UTF-8', 'KOI8-R', \"\\u{43f}\\u{440}\"))",
	"intl": "(new NumberFormatter('de_DE', NumberFormatter::CURRENCY))->format(1234.5) . (new Collator('sv'))->compare('a', \"\\u{f6}\")",
	"mbstring": "bin2hex(mb_convert_encoding(\"\\u{6f6e}\", 'SJIS', 'UTF-8')) . mb_ereg_replace('a+', 'b', 'caat')",
	"mysqli": "get_class(mysqli_init()) . mysqli_get_client_info()",
	"names": "gethostbyname('localhost') . gethostbyname('nonexistent.invalid')",
	"openssl": "openssl_encrypt('abc', 'aes-128-cbc', '0123456789abcdef', 0, '0123456789abcdef')",
	"password": "crypt('a', '$6$abcdefgh$')",
	"pdo_sqlite": "json_encode((new PDO('sqlite::memory:'))->query('SELECT 1 + 1')->fetchAll())",
	"phar": "Phar::apiVersion()",
	"simplexml": "(new SimpleXMLElement('<a><b c=\"1\"/></a>'))->asXML()",
	"soap": "get_class(new SoapServer(null, ['uri' => 'urn:x']))",
	"sodium": "bin2hex(sodium_crypto_generichash('x'))",
	"xsl": "(function () { $x = new DOMDocument; $x->loadXML('<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><xsl:template match=\"/\">hi</xsl:template></xsl:stylesheet>'); $p = new XSLTProcessor; $p->importStylesheet($x); return $p->transformToXml(new DOMDocument); })()",
	"zip": "(new ZipArchive)->open('/nonexistent')",
	"zlib": "gzinflate(gzdeflate('tar'))",
}
SCRIPT = "function use_it($f) { try { return $f(); } catch (Throwable $e) { return 'absent: ' . $e->getMessage(); } }\n" + \
	"".join("echo '%s ', use_it(fn() => %s), \"\\n\";\n" % u for u in USES.items())


@pytest.fixture(scope="module", params=["php", "strict"])
def profile(request):
	return request.param


@pytest.fixture(scope="module")
def zygote(docroot, profile):
	z = Zygote(docroot, profile=profile, ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


@pytest.fixture(scope="module")
def whole(docroot, profile):
	"""Whose cells have everything from the start."""
	z = Zygote(docroot, isolation="shared", profile=profile, ini=[("ffi.enable", "1", True)])
	yield z
	assert z.stop() == 0


def mappings(pid):
	with open("/proc/%d/maps" % pid) as f:
		return [line.split(None, 5) for line in f]


def test_all_work(zygote, whole):
	expected = whole.php(SCRIPT).body.decode()
	assert len(expected.splitlines()) >= len(USES) and "openssl absent" not in expected
	for _ in range(2):
		a = zygote.php(SCRIPT)
		assert a.body.decode() == expected and a.gone[:3] == (0, 0, 0)
	assert "signal 11" not in zygote.log()


@pytest.mark.parametrize("name", ["gd", "intl", "openssl", "curl"])
def test_each_alone(zygote, whole, name):
	code = "echo %s;" % USES[name]
	assert zygote.php(code).body == whole.php(code).body != b""


def test_nobody_gets_their_addresses(zygote, whole):
	"""A script's own memory, mapped wherever there is room, may not come to lie where a library has to come back."""
	fill = FFI + "for ($size = 4 << 20; $size >= 4096; $size >>= 1) for ($i = 0; $i < 20; $i++) if (sys(9, 0, $size, 3, 0x22, -1, 0) < 0) exit('full');"
	a = zygote.php(fill + SCRIPT)
	assert a.gone[:3] == (0, 0, 0), a.gone
	assert a.body == whole.php(fill + SCRIPT).body and a.body.startswith(b"bz2 ")


def test_threads_that_need_it_at_once(zygote, profile):
	"""It comes back once, with what the first of them wrote to it. `strict` has no threads."""
	code = "$f = FFI::cdef('typedef unsigned long T; int pthread_create(T *, void *, void *, void *); int pthread_join(T, void *); int gdFree;');" \
		"$t = $f->new('T[8]'); for ($i = 0; $i < 8; $i++) if ($f->pthread_create(FFI::addr($t[$i]), null, FFI::addr($f->gdFree), null) != 0) exit('none');" \
		"for ($i = 0; $i < 8; $i++) $f->pthread_join($t[$i], null); echo 'joined';"
	for _ in range(20):
		a = zygote.php(code)
		assert a.gone[:3] == (0, 0, 0) and a.body == (b"none" if profile == "strict" else b"joined"), (a.gone, a.body, zygote.log())


def test_constants_of_what_is_back(zygote, profile):
	"""Back, or about to come back for this very access: what may not be written to is not."""
	write = "$f = FFI::cdef('void *memset(void *, int, size_t); void *memcpy(void *, void *, size_t); int gdImageCreateTrueColor;'); echo 'on '; ob_end_flush(); flush(); %s $f->memset(FFI::addr($f->gdImageCreateTrueColor), 0, 1);"
	for first in ("", "echo %s;" % USES["gd"]):
		a = zygote.php(write % first)
		assert a.gone[:3] == (1, 0, int(signal.SIGSEGV)) and a.body.startswith(b"on "), a.gone
	a = zygote.php((write % "").replace("memset(FFI::addr($f->gdImageCreateTrueColor), 0, 1)", "memcpy(FFI::new('char[9]'), FFI::addr($f->gdImageCreateTrueColor), 9)") + "echo 'read';")
	assert a.gone[:3] == (0, 0, 0) and a.body == b"on read", (a.gone, a.body)


@pytest.mark.skipif(not ROOT, reason="only root reads the maps of processes that cannot be dumped")
def test_they_are_away(zygote, whole, profile):
	"""Most mappings in `php`; in `strict`, where no code can be mapped later, only what belongs to large objects."""
	fewer = len(mappings(whole.p.pid)) - len(mappings(zygote.p.pid))
	assert fewer > (150 if profile == "php" else 20), fewer


def mappings_after(z, code):
	"""Those of a cell that runs @code."""
	with open(os.path.join(z.docroot, "look.php"), "w") as f:
		f.write("<?php " + code + " ob_end_flush(); flush(); sleep(20);")
	before = set(z.children())
	id, conn = z.cell()
	cell = proc.wait_for(lambda: set(z.children()) - before, why="a cell").pop()
	conn.sock.sendall(wire.request(z.params("look.php")))
	assert conn.sock.recv(4096)
	out = mappings(cell)
	os.kill(cell, signal.SIGKILL)
	conn.close()
	z.expect(wire.CELL_GONE, id)
	return out


@pytest.mark.skipif(not ROOT, reason="only root reads the maps of processes that cannot be dumped")
def test_what_comes_back_has_its_rights(zygote):
	"""Constants are constant, and nothing is writable and executable."""
	cold = mappings_after(zygote, "echo 1;")
	used = mappings_after(zygote, "echo %s, %s, %s;" % (USES["openssl"], USES["gd"], USES["intl"]))
	assert not [m for m in used if "w" in m[1] and "x" in m[1]]
	back = {m[0]: m[1] for m in used if len(m) > 5 and m[5].startswith("/memfd:image") and m[0] not in {c[0] for c in cold}}
	assert set(back.values()) <= {"r--p", "rw-p", "r-xp"} and {"r--p", "rw-p"} <= set(back.values()), back


def test_a_fault_is_still_a_crash(zygote):
	for address in ("1", "0x7ffffffff000", "0x4141414141414141"):
		a = zygote.php("echo 'x'; ob_end_flush(); flush(); FFI::cdef('long strlen(const void *);')->strlen(FFI::cast('void *', %s));" % address)
		assert a.gone[:3] == (1, 0, int(signal.SIGSEGV)), (address, a.gone)
	# Memory that is there, but not to be written to: PHP's own code.
	a = zygote.php("$f = FFI::cdef('void *memset(void *, int, size_t); int php_info_print_module(void *);'); $f->memset($f->php_info_print_module, 0, 1);")
	assert a.gone[:3] == (1, 0, int(signal.SIGSEGV)), a.gone


def test_nobody_takes_the_handler_away(zygote):
	code = FFI + "echo sys(13, 11, 0, 0, 8), ' ', sys(13, 10, 0, 0, 8);"  # rt_sigaction of SIGSEGV, of SIGUSR1
	assert zygote.php(code).body == b"-1 0"


def test_a_script_cannot_change_what_others_get(zygote, whole):
	"""The file that objects come back from is sealed; closing it hurts the script that does so, no other."""
	assert zygote.php(FFI + "echo sys(18, 61, 'x', 1, 0), ' ', sys(77, 61, 0);").body == b"-1 -1"  # pwrite64, ftruncate
	a = zygote.php(FFI + "sys(3, 61); echo 'closed'; ob_end_flush(); flush(); echo %s;" % USES["gd"])
	assert a.gone[:3] in ((1, 0, int(signal.SIGSEGV)), (0, 0, 0))
	code = "echo %s;" % USES["gd"]
	assert zygote.php(code).body == whole.php(code).body
