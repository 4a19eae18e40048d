# SPDX-License-Identifier: Apache-2.0
"""Rules that cannot be read, and methods that only read."""
import os
import re

import pytest

import conftest
import servers
import site_conf
from rawhttp import Conn

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


@pytest.mark.parametrize("server_name,head,want", [
	("https://site.test", "HTTP/1.1\r\nHost: site.test", "https://site.test/dir/"),
	("https://site.test", "HTTP/1.1\r\nHost: site.test:8443", "https://site.test:8443/dir/"),
	("https://site.test", "HTTP/1.0", "https://site.test/dir/"),
	("https://site.test:8443", "HTTP/1.0", "https://site.test:8443/dir/"),
	("http://site.test", "HTTP/1.0", "http://site.test/dir/"),
	("site.test:80", "HTTP/1.0", "http://site.test/dir/"),
])
def test_scheme_of_server_name(here, fleet, server_name, head, want):
	"""Behind a proxy that ends TLS, ServerName says what clients speak: a redirect must not lead them to plain HTTP."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	root = here + "/root"
	os.makedirs(root + "/dir")
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", '<Directory "%s">\n    Require all granted\n</Directory>\n<VirtualHost *>\n    ServerName %s\n    DocumentRoot "%s"\n</VirtualHost>\n'
		% (root, server_name, root)))
	with Conn(bh.addr) as c:
		c.send(("GET /dir %s\r\n\r\n" % head).encode())
		r = c.response()
	assert (r.status, r.get("Location")) == (301, want), r


def test_settings_stay_with_their_host(here, fleet, docroot, ini):
	"""A server that SetHandler names may be others' too, and php-fpm keeps what it was told: it is told no host's settings."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	fpm = fleet.start(servers.Fpm(here + "/fpm", ini, children=1))
	root = here + "/root"
	os.makedirs(root)
	with open(root + "/limit.php", "w") as f:
		f.write("<?php echo ini_get('memory_limit'), ' ', ini_get('user_agent');")
	hosts = "".join("""
<VirtualHost *>
    ServerName {name}
    DocumentRoot "{root}"
    {more}
    <FilesMatch "\\.php$">
        SetHandler "proxy:{fpm}|fcgi://localhost"
    </FilesMatch>
</VirtualHost>
""".format(name=name, root=root, fpm=fpm.server(), more=more) for name, more in (
		("one.test", "Dispatch prefork\n    %sphp_admin_value memory_limit 77M\n    php_value user_agent one" % site_conf.assign_user().lstrip()),
		("two.test", "Dispatch prefork\n    %s" % site_conf.assign_user().lstrip())))
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", '<Directory "%s">\n    Require all granted\n</Directory>\n%s' % (root, hosts)))
	for host in ("two.test", "one.test", "two.test"):
		r = bh.get(host, "/limit.php")
		assert r.status == 200 and b"77M" not in r.body and b"one" not in r.body, (host, r)
