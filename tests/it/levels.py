# SPDX-License-Identifier: Apache-2.0
"""Which levels of RequestIsolation this build and this kernel have."""
import re
import time

import pytest

import servers
import site_conf

ALL = ["fresh", "rollback", "shared"]
_known = {}


def accepts(tmp, directives):
	"""Whether this bulkhead takes a virtual host with these directives."""
	d = tmp + "/accepts"
	b = servers.Bulkhead(d, '<VirtualHost *>\nServerName x.test\nDocumentRoot "%s"\nDispatch prefork\n%s%s</VirtualHost>\n' % (d, site_conf.assign_user(), directives))
	return b.run("-t").returncode == 0


def version(tmp):
	return servers.Bulkhead(tmp + "/accepts", "").run("-V").stdout


def has(tmp, level):
	if level not in _known:
		_known[level] = level != "rollback" or (accepts(tmp, "RequestIsolation rollback\n") and re.search(r"RequestIsolation rollback +yes", version(tmp)) is not None)
	return _known[level]


def need(tmp, level):
	if not has(tmp, level):
		pytest.skip("this build or kernel has no RequestIsolation " + level)


def settle(ask, cells=1):
	"""
	Ask until a site's cells stay, which under rollback they do when opcache's image has what they run: @ask() is one request,
	and returns the process that answered.
	"""
	n, pids = 12 * cells, []
	while len(pids) < n or len(set(pids[-n:])) > cells:
		assert len(pids) < 40 * n, "no cell stays"
		pids.append(ask())
		time.sleep(0.02)
