# SPDX-License-Identifier: Apache-2.0
"""One server for a test file about headers and bodies: the same lines of configuration before cells and before a pool."""
import os

import conftest
import servers
import site_conf

HOSTS = ("fresh", "worker")


def make_root(root, files):
	for name, text in files.items():
		path = os.path.join(root, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "wb") as f:
			f.write(text if isinstance(text, bytes) else text.encode())
		os.chmod(path, 0o644)
		os.utime(path, (1700000000,) * 2)
	return root


class Edits:
	"""Hosts fresh.test and worker.test with the same documents and the same lines."""

	def __init__(self, tmp, fleet, fpm, ini, files, lines, common="", root=None):
		conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
		self.root = make_root(root or tmp + "/root", files)
		self.lines = lines
		conf = site_conf.pool("fpm", fpm.server()) + common
		conf += site_conf.prefork_vhost("fresh.test", self.root, "fresh", ini, lines)
		conf += site_conf.worker_vhost("worker.test", self.root, "fpm", lines)
		self.server = fleet.start(servers.Bulkhead(tmp + "/bulkhead", conf))
		self.addr = self.server.addr

	def get(self, path, headers="", host="fresh", **k):
		return self.server.get(host + ".test", path, headers, **k)
