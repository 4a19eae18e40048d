# SPDX-License-Identifier: Apache-2.0
"""What a hostile HTTP/2 client does by name. Each attack ends its own connection, costs bounded memory, and others are served."""
import os
import signal
import socket
import struct
import time

import pytest

import conftest  # noqa: F401
import h2wire
import proc
import servers
import site_conf
from h2wire import CALM, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST, SETTINGS, WINDOW, frame, settings, u32

pytestmark = pytest.mark.bulkhead

FULL = END_HEADERS | END_STREAM


def rss_kb(server):
	"""Memory of the fronts together."""
	kb = 0
	for p in server.processes()[0]:
		kb += int(next((l for l in open("/proc/%d/status" % p) if l.startswith("VmRSS")), "VmRSS: 0").split()[1])
	return kb


def calmed(c, target, others=True):
	"""The server said what it thinks of it; other clients are served."""
	code = c.end()
	assert c.eof and code == CALM, (code, c.answers)
	if others:
		with h2wire.Conn(target.addr) as o:
			assert o.get(target.host, target.path).status == 200


def storm(c, last, at_a_time, frames):
	"""@frames(stream) for each new stream below @last, so many in one piece, until the server ends the connection."""
	for first in range(1, last, 2 * at_a_time):
		if not c.flood(b"".join(frames(sid) for sid in range(first, first + 2 * at_a_time, 2))):
			break


def test_rapid_reset(php_target):
	"""CVE-2023-44487: requests are taken back as soon as they are made."""
	fronts = php_target.server.processes()[0]
	with h2wire.Conn(php_target.addr) as c, h2wire.Conn(php_target.addr) as other:
		storm(c, 4000, 50, lambda sid: frame(HEADERS, FULL, sid, c.block(c.head(php_target.host, "/hello.php"))) + frame(RST, 0, sid, u32(CANCEL)))
		assert other.get(php_target.host, "/hello.php").status == 200
		calmed(c, php_target)
	assert php_target.server.processes()[0] == fronts


def test_made_you_reset(php_target):
	"""CVE-2025-8671: the server is made to reset the streams itself, and might forget to count them."""
	with h2wire.Conn(php_target.addr) as c, h2wire.Conn(php_target.addr) as other:
		storm(c, 2000, 20, lambda sid: frame(HEADERS, END_HEADERS, sid, c.block(c.head(php_target.host, "/echo.php", "POST", [("content-length", "1")])))
			+ frame(DATA, END_STREAM, sid, b"two octets"))
		assert other.get(php_target.host, "/hello.php").status == 200
		calmed(c, php_target)


def test_made_you_reset_by_window(php_target):
	with h2wire.Conn(php_target.addr) as c:
		storm(c, 2000, 20, lambda sid: frame(HEADERS, FULL, sid, c.block(c.head(php_target.host, "/sleep.php?s=0.2"))) + frame(WINDOW, 0, sid, u32(0x7fffffff)))
		calmed(c, php_target)


def test_a_page_that_is_left_early_is_no_attack(static_target):
	"""A browser takes back some hundred pictures at once."""
	with h2wire.Conn(static_target.addr, credit=False) as c:
		for _ in range(2):
			sids = [c.request(static_target.host, "/blob.bin") for _ in range(90)]
			c.send(b"".join(frame(RST, 0, s, u32(CANCEL)) for s in sids))
			assert c.ping()
		c.send(frame(WINDOW, 0, 0, u32(1 << 24)))
		assert c.get(static_target.host, "/hello.txt").status == 200 and c.goaway is None


# What a header block without an end consists of, once it has begun: one CONTINUATION's worth.
ENDLESS = {
	"empty": b"",
	"octet": b"\x82",
	"small-fields": b"\0\x01a\x01b",
	"large-fields": (b"\0\x01a\x7f\x81\x7e" + b"v" * 510) * 31,
	"a-field-of-megabytes": b"v" * 16384,
	"named-again": b"\xbe" * 16384,
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_continuation_flood(static_target, kind):
	"""CVE-2024-27316 and its kin: a header block without end."""
	before = rss_kb(static_target.server)
	start = b"\0\x01a\x7f\x81\xff\xff\x3f" if kind == "a-field-of-megabytes" else b"\x40\x01x\x7f\x81\x1e" + b"v" * 4000 if kind == "named-again" else b""
	with h2wire.Conn(static_target.addr) as c, h2wire.Conn(static_target.addr) as other:
		c.flood(frame(HEADERS, END_STREAM, 1, c.block(c.head(static_target.host)) + start) + frame(CONTINUATION, 0, 1, ENDLESS[kind]) * 2000)
		assert other.get(static_target.host, "/hello.txt").status == 200
		code = c.end()
		assert c.eof and code == (COMPRESSION_ERROR if kind == "a-field-of-megabytes" else CALM), (code, c.answers)
	assert rss_kb(static_target.server) - before < 20000


@pytest.mark.parametrize("size", [0, 10, 16384])
def test_frames_of_a_block(static_target, size):
	"""The eighth CONTINUATION may end a block, the ninth ends the connection, without another octet being waited for."""
	def block(c):
		whole = c.block(c.head(static_target.host, "/hello.txt"))
		cuts = [min(i * size, len(whole)) for i in range(9)] + [len(whole)]
		return [whole[a:b] for a, b in zip(cuts, cuts[1:])]
	with h2wire.Conn(static_target.addr) as c:
		p = block(c)
		c.send(frame(HEADERS, END_STREAM, 1, p[0]) + b"".join(frame(CONTINUATION, END_HEADERS if i == 8 else 0, 1, p[i]) for i in range(1, 9)))
		c.next = 3
		assert c.answer(1).status == 200 and c.get(static_target.host, "/hello.txt").status == 200
	with h2wire.Conn(static_target.addr) as c:
		c.send(frame(HEADERS, END_STREAM, 1, b"") + frame(CONTINUATION, 0, 1, b"\0\x01a\x7f\0" + b"v" * 127 if size else b"") * 9)
		calmed(c, static_target)


@pytest.fixture(scope="module")
def hasty(tmp, module_fleet, docroot):
	"""A server that gives a head a second."""
	return module_fleet.start(servers.Bulkhead(tmp + "/hasty", "RequestReadTimeout header=1 body=20\nKeepAliveTimeout 3\nProtocols h2c http/1.1\n" + site_conf.common(docroot)
		+ "<VirtualHost *>\nServerName static.test\nDocumentRoot %s\n</VirtualHost>\n" % docroot))


@pytest.mark.parametrize("busy", [False, True], ids=["alone", "beside-an-answer"])
@pytest.mark.parametrize("kind", ["frames", "octets"])
def test_slow_block(hasty, kind, busy):
	"""A block that grows a little all the time: the head's time is counted from its first frame, whatever else the connection does."""
	with h2wire.Conn(hasty.addr, set=[(4, 0)]) as c:
		if busy:
			c.request("static.test", "/hello.txt")
		assert c.ping() and c.settings  # whose acknowledgment must not come in between
		sid, began = c.next, time.monotonic()
		if kind == "octets":
			c.send(frame(HEADERS, END_STREAM, sid, b"\0\x01x\x7f\x81\x7f", length=16384))
		else:
			c.send(frame(HEADERS, END_STREAM, sid, b"\0\x01x\x0f"))
		sent = 0
		while not c.eof and time.monotonic() - began < 20:
			if (kind == "octets" or sent < 8) and not c.flood(b"v" if kind == "octets" else frame(CONTINUATION, 0, sid, b"v")):
				break
			sent += 1
			c.wait(lambda: c.eof, 0.3)
		took = time.monotonic() - began
		assert 0.5 < took < 8, took
	with h2wire.Conn(hasty.addr) as c:
		for _ in range(8):  # a patient client's blocks are complete, each
			assert c.get("static.test", "/hello.txt").status == 200
			time.sleep(0.2)


def bomb(c, host, name, value, times):
	"""One field in the table, and then an octet for each time it is named again."""
	first = c.block(c.head(host, "/hello.txt") + [(name, value)])
	return first + b"\xbe" * times


def in_frames(block, sid=1):
	out = frame(HEADERS, END_STREAM | (END_HEADERS if len(block) <= 16384 else 0), sid, block[:16384])
	for i in range(16384, len(block), 16384):
		out += frame(CONTINUATION, END_HEADERS if i + 16384 >= len(block) else 0, sid, block[i:i + 16384])
	return out


@pytest.mark.parametrize("name", ["x-bomb", "cookie"])
def test_hpack_bomb(static_target, name):
	"""A few thousand octets that stand for megabytes."""
	before = rss_kb(static_target.server)
	with h2wire.Conn(static_target.addr) as c:
		c.flood(in_frames(bomb(c, static_target.host, name, "v" * 3900, 16000)))
		calmed(c, static_target)
	assert rss_kb(static_target.server) - before < 20000


@pytest.mark.parametrize("name,value,times,want", [("x", "y", 1500, CALM), ("cookie", "a=b", 1500, CALM), ("x", "y", 400, 431),
	("cookie", "k=" + "v" * 1000, 20, 431), ("cookie", "k=v", 50, 200)])
def test_number_of_fields(static_target, name, value, times, want):
	"""Also of crumbs, which are one field to the script."""
	with h2wire.Conn(static_target.addr) as c:
		c.flood(in_frames(bomb(c, static_target.host, name, value, times)))
		if want == CALM:
			calmed(c, static_target)
		else:
			c.next = 3
			assert c.answer(1).status == want
			c.enc = h2wire.hpack.Encoder()
			assert c.ping() and c.goaway is None


FLOODS = {
	"ping": lambda: frame(PING, 0, 0, b"12345678") * 20000,
	"settings": lambda: settings((4, 65535)) * 20000,
	"empty-settings": lambda: frame(SETTINGS) * 20000,
	"priority": lambda: frame(PRIORITY, 0, 1, u32(0) + b"\x10") * 20000,
	"priority-update": lambda: frame(0x10, 0, 0, u32(1) + b"u=1") * 20000,
	"window": lambda: frame(WINDOW, 0, 0, u32(1)) * 20000,
}


@pytest.mark.parametrize("kind", FLOODS)
def test_flood(static_target, kind):
	with h2wire.Conn(static_target.addr) as c, h2wire.Conn(static_target.addr) as other:
		c.flood(FLOODS[kind]())
		assert other.get(static_target.host, "/hello.txt").status == 200
		calmed(c, static_target)


@pytest.mark.parametrize("piece", [frame(DATA, 0, 1, b""), frame(DATA, h2wire.PADDED, 1, b"\x03\0\0\0")], ids=["empty", "padding"])
def test_empty_data_flood(php_target, piece):
	with h2wire.Conn(php_target.addr) as c:
		c.request(php_target.host, "/echo.php", "POST", end=False)
		c.flood(piece * 20000)
		calmed(c, php_target)


def test_window_update_of_a_slow_reader_is_no_attack(static_target):
	"""4 MB taken in pieces, each of them credited: a client's right."""
	with h2wire.Conn(static_target.addr) as c:
		assert len(c.get(static_target.host, "/blob.bin").body) == 4 << 20
		assert c.get(static_target.host, "/blob.bin").ended and c.goaway is None


@pytest.fixture(scope="module")
def impatient(tmp, module_fleet, docroot, ini, fpm):
	"""A server whose patience ends while a test can wait."""
	return module_fleet.start(servers.Bulkhead(tmp + "/impatient", "Timeout 2\nKeepAliveTimeout 1\nProtocols h2c http/1.1\n" + site_conf.common(docroot)
		+ site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("pool.test", docroot, "fpm")
		+ site_conf.prefork_vhost("cells.test", docroot, "fresh", ini)))


@pytest.fixture(scope="module")
def narrow(tmp, module_fleet, docroot, fpm):
	"""A server with little memory for HTTP/2."""
	return module_fleet.start(servers.Bulkhead(tmp + "/narrow", "H2MaxMemory 4M\nProtocols h2c http/1.1\n" + site_conf.common(docroot)
		+ site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("pool.test", docroot, "fpm"), loops=1))


def test_memory_of_all_connections(narrow):
	"""Many connections, each within its own bounds: they are held to one request each, others are served, and all is given back."""
	before, held, refused = rss_kb(narrow), [], 0
	try:
		for n in range(30):
			c = h2wire.Conn(narrow.addr)
			held.append(c)
			for i in range(90):
				sid = c.request("pool.test", "/echo.php", "POST", end=False)
				c.flood(frame(DATA, 0, sid, b"x" * (16000 if i < 8 else 3000)))
			assert c.ping() and c.ping()
			refused += sum(a.reset == h2wire.REFUSED_STREAM for a in c.answers.values())
			if n == 0:
				assert refused == 0
		assert refused > 1000
		assert "H2MaxMemory" in narrow.log()
		assert rss_kb(narrow) - before < (60000 if servers.SANITIZED else 16000)  # whose allocator keeps what is freed
		with h2wire.Conn(narrow.addr) as o:
			for _ in range(5):
				assert o.get("pool.test", "/hello.php").status == 200
			slow = o.request("pool.test", "/echo.php", "POST", end=False)
			assert o.get("pool.test", "/hello.txt").reset == h2wire.REFUSED_STREAM
			o.send(frame(DATA, END_STREAM, slow, b"whole"))
			assert o.answer(slow).body == b"whole"
		assert narrow.get("pool.test", "/hello.txt").status == 200
	finally:
		for c in held:
			c.s.close()

	def room():
		with h2wire.Conn(narrow.addr) as c:
			sids = [c.request("pool.test", "/echo.php", "POST", end=False) for _ in range(90)]
			assert c.ping() and c.ping()  # an answer to the first one may overtake
			return not any(c.answers[s].reset is not None for s in sids if s in c.answers)
	assert proc.wait_for(room, 10, 0.2)


def test_zero_window_stall(impatient):
	"""A hundred answers nobody takes: reset one by one, their memory given back, and another client of the host is served."""
	before = rss_kb(impatient)
	with h2wire.Conn(impatient.addr, set=[(4, 0)]) as c, h2wire.Conn(impatient.addr) as other:
		sids = [c.request("pool.test", "/blob.bin") for _ in range(90)]
		assert other.get("pool.test", "/hello.txt").status == 200
		assert c.wait(lambda: all(c.answers.get(s) and c.answers[s].reset is not None for s in sids), 8)
		assert {c.answers[s].reset for s in sids} == {CANCEL}
		assert rss_kb(impatient) - before < 20000


def test_zero_window_stall_of_a_script(impatient):
	"""What PHP writes meanwhile is bounded, PHP itself is not held, and the stream ends."""
	with h2wire.Conn(impatient.addr, set=[(4, 0)]) as c:
		sids = [c.request("cells.test", "/out.php?body=" + "x" * 3000) for _ in range(5)]
		assert c.wait(lambda: all(c.answers.get(s) and c.answers[s].reset == CANCEL for s in sids), 8)
	assert impatient.get("cells.test", "/hello.php").status == 200


def test_reads_nothing(impatient):
	"""The socket itself is stuck: the connection goes after Timeout, and is not read from meanwhile."""
	before = rss_kb(impatient)
	with h2wire.Conn(impatient.addr, set=[(4, (1 << 31) - 1)], rcvbuf=4096) as c:
		c.send(frame(WINDOW, 0, 0, u32((1 << 31) - 65536)))
		for _ in range(50):
			c.request("pool.test", "/blob.bin")
		time.sleep(0.5) # stuck by now
		c.s.settimeout(0.2)
		pings = 0
		while pings < 300 and c.flood(frame(PING, 0, 0, b"12345678") * 10000):
			pings += 1
		assert impatient.get("pool.test", "/hello.txt").status == 200
		assert rss_kb(impatient) - before < 20000
		assert pings < 300

		def gone():
			try:
				c.s.send(b"\0")
				return False
			except TimeoutError:
				return False
			except OSError:
				return True
		assert proc.wait_for(gone, 10, 0.2)


def test_idle_connections_end(impatient):
	"""After KeepAliveTimeout, by GOAWAY; pings do not put it off."""
	with h2wire.Conn(impatient.addr) as c:
		assert c.get("pool.test", "/hello.txt").status == 200
		began = time.monotonic()
		while not c.eof and time.monotonic() - began < 6:
			c.flood(frame(PING, 0, 0, b"12345678"))
			c.wait(lambda: c.eof, 0.2)
		assert c.eof and c.goaway[1] == 0 and time.monotonic() - began < 5


def test_drain_lets_streams_finish(here, fleet, docroot, ini):
	"""-k graceful: GOAWAY, what runs is answered, the connection ends. A request that crossed the notice is served too."""
	d = fleet.start(servers.Bulkhead(here, "Protocols h2c http/1.1\n" + site_conf.common(docroot) + site_conf.prefork_vhost("cells.test", docroot, "fresh", ini)))
	with h2wire.Conn(d.addr) as c:
		assert c.get("cells.test", "/hello.txt").status == 200
		slow = c.request("cells.test", "/sleep.php?s=2")
		time.sleep(0.3)
		os.kill(d.pid, signal.SIGUSR1)
		assert c.wait(lambda: c.goaway is not None, 5) and c.goaway == (0x7fffffff, 0)
		late = c.request("cells.test", "/hello.txt")
		assert c.answer(late).status == 200
		assert c.answer(slow).status == 200
		assert c.end() == 0 and c.eof and c.goaway[0] == late
	assert d.get("cells.test", "/hello.txt").status == 200


def test_what_is_left_of_a_connection_goes_to_nobody(static_target):
	"""Answers that can no longer be sent are not the next connection's."""
	for _ in range(30):
		with h2wire.Conn(static_target.addr) as gone:
			for _ in range(5):
				gone.request(static_target.host, "/blob.bin")
			gone.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		with h2wire.Conn(static_target.addr) as c:
			kinds = []
			sid = c.request(static_target.host, "/hello.txt")
			while not (sid in c.answers and c.answers[sid].ended):
				f = c.read()
				assert f is not None and f.stream in (0, sid), f
				kinds.append((f.kind, f.flags & h2wire.ACK))
			assert c.answers[sid].body == b"hello\n" and kinds[0][0] == SETTINGS and kinds.count((SETTINGS, 0)) == 1


def test_a_reset_stream_counts_until_php_has_ended(php_target):
	"""A hundred at once are a hundred at once: taking a request back makes no room while its script still runs."""
	if php_target.name == "worker":
		pytest.skip("a FastCGI server does not tell when a script whose client left has ended")
	mark = "counts" + php_target.name
	go = os.path.join(php_target.docroot, "var", mark + "-go")
	with h2wire.Conn(php_target.addr) as c:
		slow = [c.request(php_target.host, "/gate.php?id=" + mark) for _ in range(4)]
		assert proc.wait_for(lambda: (php_target.var(mark) or "").count("runs") == 4, 20)
		for sid in slow:
			c.send(frame(RST, 0, sid, u32(CANCEL)))
		waiting = [c.request(php_target.host, "/echo.php", "POST", end=False) for _ in range(99)]

		def refused():
			return [s for s, a in c.answers.items() if a.reset == h2wire.REFUSED_STREAM]
		assert c.wait(lambda: len(refused()) == 3) and c.ping() and refused() == waiting[96:]
		open(go, "w").close()

		def room():
			return c.answer(c.request(php_target.host, "/echo.php", "POST", body=b"x")).status == 200
		assert proc.wait_for(room, 20, 0.2)
