# SPDX-License-Identifier: Apache-2.0
"""Rules that cannot be read, and methods that only read."""
import os
import re

import pytest

import conftest
import servers

pytestmark = pytest.mark.bulkhead
HARD = "a" * 40 + ".php"  # what the expression below cannot decide within its bound


@pytest.fixture
def rules(here, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = here + "/root"
	os.makedirs(root + "/list")
	for name in (HARD, "list/" + HARD, "list/open.txt"):
		with open(root + "/" + name, "w") as f:
			f.write("<?php echo 'source';")
	return fleet.start(servers.Bulkhead(here + "/bulkhead", """
<Directory "{0}">
    Require all granted
    Options Indexes
    DirectoryIndex none
    <FilesMatch "^(a+)+$">
        Require all denied
    </FilesMatch>
</Directory>
<Directory "{0}/list">
    DirectoryIndex {1}
</Directory>
DocumentRoot "{0}"
""".format(root, HARD)))


@pytest.mark.parametrize("path", ["/" + HARD, "/" + HARD + "/info", "/" + HARD + "/more/info", "/list/"])
def test_undecided_rule_denies(rules, path):
	"""Also where the file that the rule is about shows only once it was found: path info, an index file."""
	r = rules.get("main.test", path)
	assert r.status == 500 and b"source" not in r.body, r


@pytest.mark.parametrize("path", ["/", "/list/open.txt"])
def test_methods_of_what_is_only_read(rules, path):
	r = rules.get("main.test", path, method="OPTIONS")
	assert (r.status, r.body, r.get("Allow")) == (200, b"", "GET, HEAD, OPTIONS"), r
	r = rules.get("main.test", path, method="POST")
	assert (r.status, r.get("Allow")) == (405, "GET, HEAD, OPTIONS"), r
	assert rules.get("main.test", path, method="HEAD").status == 200
	assert re.search(rb"open|source", rules.get("main.test", path).body) or path == "/"
