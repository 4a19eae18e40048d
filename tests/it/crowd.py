# SPDX-License-Identifier: Apache-2.0
"""A crowd of connections from one process: idle ones, and ones that send an octet a second, beside a client that is timed."""
import os
import resource
import select
import socket
import statistics
import threading
import time

import proc
import rawhttp


def descriptors(want):
	"""Let this process, and what it starts from now on, have so many descriptors; how many it may have."""
	soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	if soft < want:
		try:
			resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(want, hard)))
		except (OSError, ValueError):
			resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def rss(pids):
	"""Resident octets of these processes that are theirs alone or changed: anonymous memory."""
	return sum(int(proc.status_of(p)["RssAnon"].split()[0]) for p in pids) * 1024


class Crowd:
	"""@n connections to @addr, each after the request @first has been answered with its octets (b"": nothing is asked)."""

	def __init__(self, addr, n, first=b"", answer_end=b""):
		self.socks, self.poll = {}, select.epoll()
		self.stopped = threading.Event()
		self.thread = None
		for at in range(0, n, 200):
			batch = []
			for _ in range(min(200, n - at)):
				s = socket.socket()
				s.connect(addr)
				batch.append(s)
				if first:
					s.sendall(first)
			for s in batch:
				s.settimeout(10)
				got = b""
				while first and not got.endswith(answer_end):
					more = s.recv(65536)
					if not more:
						raise AssertionError("closed instead of answered: %r" % got[:200])
					got += more
				s.setblocking(False)
				self.socks[s.fileno()] = s
				self.poll.register(s, select.EPOLLIN | select.EPOLLRDHUP)

	def trickle(self, octets, pause=1.0):
		"""From now on each sends the next of @octets (over and over) every @pause seconds, until stop()."""
		def run():
			at = 0
			while not self.stopped.is_set():
				began = time.monotonic()
				one = octets[at % len(octets):at % len(octets) + 1]
				at += 1
				# In small groups, spread over the pause: a crowd does not move in step.
				socks = list(self.socks.values())
				for i in range(0, len(socks), 50):
					for s in socks[i:i + 50]:
						try:
							s.send(one)
						except OSError:
							pass
					ahead = began + pause * i / len(socks) - time.monotonic()
					if ahead > 0:
						time.sleep(ahead)
				self.stopped.wait(max(0, began + pause - time.monotonic()))
		self.thread = threading.Thread(target=run, daemon=True)
		self.thread.start()

	def open(self):
		"""How many are still open; forgets the others."""
		for fd, _ in self.poll.poll(0, len(self.socks) + 1):
			try:
				gone = self.socks[fd].recv(65536) == b""
			except BlockingIOError:
				gone = False
			except OSError:
				gone = True
			if gone:
				self.poll.unregister(fd)
				self.socks.pop(fd).close()
		return len(self.socks)

	def stop(self):
		self.stopped.set()
		if self.thread:
			self.thread.join(30)
		for s in self.socks.values():
			s.close()
		self.socks = {}
		self.poll.close()


def median_ms(addr, request, n):
	"""Median time of @n requests, each on a connection of its own."""
	times = []
	for _ in range(n):
		began = time.monotonic()
		r = rawhttp.request(addr, request)
		times.append(time.monotonic() - began)
		assert r.status == 200, r
	return statistics.median(times) * 1000
