#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What connections cost: memory of the front for each idle kept-alive one, and the time that another client is answered in while
10,000 send an octet a second (RequestReadTimeout lifted, so that none is dropped). Exits with 1 when a goal is missed.
"""
import argparse
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../it"))
import crowd  # noqa: E402
import proc  # noqa: E402
import servers  # noqa: E402

OCTETS_MAX = 4096 # of an idle connection
SLOWER_MAX = 2.0  # times the median without the crowd

GET = b"GET /one_kb.bin HTTP/1.1\r\nHost: w.test\r\n\r\n"
LAST = b"k" * 16
ONCE = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
POST = b"POST /x.php HTTP/1.1\r\nHost: w.test\r\nContent-Length: 100000\r\n\r\n"


def front_of(bh):
	return bh.processes()[0]


def idle(bh, n):
	"""Octets of memory for each of @n connections that had one request answered and wait for the next."""
	crowd.median_ms(bh.addr, ONCE, 50)
	before = crowd.rss(front_of(bh))
	c = crowd.Crowd(bh.addr, n, GET, LAST)
	time.sleep(1)
	octets = (crowd.rss(front_of(bh)) - before) / n
	left = c.open()
	c.stop()
	print("%6d idle connections: %5.0f octets of the front's memory each (%d still open; goal: below %d)" % (n, octets, left, OCTETS_MAX))
	return left == n and octets < OCTETS_MAX


def slow(bh, n, a, what, first, octets):
	"""The median of another client beside @n connections that begin with @first, and then send an octet a second."""
	crowd.median_ms(bh.addr, ONCE, 50)
	alone = crowd.median_ms(bh.addr, ONCE, 300)
	before = crowd.rss(front_of(bh))
	c = crowd.Crowd(bh.addr, n)
	for s in c.socks.values():
		s.send(first)
	began, cpu = time.monotonic(), proc.cpu_of(front_of(bh))
	c.trickle(octets)
	time.sleep(a.seconds)
	beside = crowd.median_ms(bh.addr, ONCE, 300)
	took = time.monotonic() - began
	cpu = (proc.cpu_of(front_of(bh)) - cpu) / took * 100
	memory = (crowd.rss(front_of(bh)) - before) / n
	left = c.open()
	c.stop()
	print("%6d slow %s: median %.2f ms, %.2f ms without them (%.2f times; goal: below %.1f), %.0f octets each, %.0f%% of a processor (%d still open)"
		% (n, what, beside, alone, beside / alone, SLOWER_MAX, memory, cpu, left))
	return left == n and beside < SLOWER_MAX * alone + a.slack


def main():
	p = argparse.ArgumentParser(description=__doc__)
	p.add_argument("--build", default=os.path.join(HERE, "../../build"), help="where bulkhead was built")
	p.add_argument("-n", type=int, default=10000, help="connections")
	p.add_argument("--seconds", type=float, default=20, help="how long they trickle before the other client is timed")
	p.add_argument("--slack", type=float, default=0, help="milliseconds that the other client's median may be above the goal, on a machine with other work")
	a = p.parse_args()
	os.environ.setdefault("BULKHEAD_BIN", os.path.join(a.build, "bulkhead"))
	have = crowd.descriptors(2 * a.n)
	if have < a.n * 3 // 2:
		sys.exit("this needs %d descriptors for %d connections, and there are %d (ulimit -n)" % (a.n * 3 // 2, a.n, have))
	tmp = tempfile.mkdtemp(prefix="bh-slow-", dir="/tmp")
	os.chmod(tmp, 0o755)
	servers.write(tmp + "/root/one_kb.bin", "k" * 1024)
	servers.write(tmp + "/root/x.php", "<?php")
	conf = ("KeepAliveTimeout 600\nRequestReadTimeout header=0 body=0\n<FastCGIPool none>\n    Server unix:%s/none.sock\n</FastCGIPool>\n"
		"<VirtualHost *>\n    ServerName w.test\n    DocumentRoot \"%s/root\"\n    Dispatch worker\n    UsePool none\n</VirtualHost>\n") % (tmp, tmp)
	parts = [idle, lambda bh, n: slow(bh, n, a, "heads", b"", b"GET / HTTP/1.1\r\nX: " + b"x" * 600),
		lambda bh, n: slow(bh, n, a, "bodies", POST, b"x")]
	ok = True
	try:
		# A server of its own for each: what one crowd leaves in the allocator must not be another's gain.
		for at, part in enumerate(parts):
			bh = servers.Bulkhead("%s/bulkhead%d" % (tmp, at), conf).start()
			try:
				ok = part(bh, a.n) and ok
			finally:
				for line in bh.stop():
					print(line)
					ok = False
		sys.exit(0 if ok else 1)
	finally:
		shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
	main()
