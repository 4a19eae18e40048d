# SPDX-License-Identifier: Apache-2.0
"""Which levels of RequestIsolation this build and this kernel have."""
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


def has(tmp, level):
	if level not in _known:
		_known[level] = level != "rollback" or accepts(tmp, "RequestIsolation rollback\n")
	return _known[level]


def need(tmp, level):
	if not has(tmp, level):
		pytest.skip("this build or kernel has no RequestIsolation " + level)
