# SPDX-License-Identifier: Apache-2.0
"""A steady load in threads of the test's own, that remembers what went wrong and when."""
import threading
import time

import rawhttp


class Load:
	"""@clients threads ask for @paths (host, path) in turn, on kept connections unless @fresh, until stop()."""

	def __init__(self, addr, targets, clients=6, fresh=False, pause=0.0):
		self.addr, self.targets, self.fresh, self.pause = addr, targets, fresh, pause
		self.good = 0
		self.bad = []      # (when, what): answers that were not 200, and broken connections
		self.times = []
		self.running = True
		self.lock = threading.Lock()
		self.threads = [threading.Thread(target=self.client, args=(i,), daemon=True) for i in range(clients)]

	def __enter__(self):
		for t in self.threads:
			t.start()
		return self

	def __exit__(self, *exc):
		self.stop()

	def stop(self):
		self.running = False
		for t in self.threads:
			t.join(30)
		assert not any(t.is_alive() for t in self.threads), "a client hangs"

	def client(self, n):
		c = None
		used = 0
		while self.running:
			host, path, want = self.targets[n % len(self.targets)]
			n += 1
			began = time.monotonic()
			try:
				if c is None:
					c = rawhttp.Conn(self.addr, 15)
					used = 0
				c.send(("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (path, host, "Connection: close\r\n" if self.fresh else "")).encode())
				r = c.response()
				used += 1
				ok = r.status == 200 and (want is None or r.body == want)
				if r.get("connection", "").lower() == "close" or self.fresh:
					c.close()
					c = None
				with self.lock:
					if ok:
						self.good += 1
						self.times.append(time.monotonic() - began)
					else:
						self.bad.append((began, repr(r)))
			except (rawhttp.Broken, OSError) as e:
				# A kept connection may be closed by the server at any time between two requests: that is no loss,
				# a client asks again (RFC 9112 section 9.3.1).
				if not (used and c is not None and not c.buf and ("closed without" in str(e) or "reset" in str(e) or isinstance(e, BrokenPipeError))):
					with self.lock:
						self.bad.append((began, repr(e)))
				if c is not None:
					c.close()
				c = None
			if self.pause:
				time.sleep(self.pause)
