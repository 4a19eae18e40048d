# SPDX-License-Identifier: Apache-2.0
""".user.ini: settings that a site keeps beside its scripts. In cells as before php-fpm, on each level of isolation."""
import json
import os

import pytest

import conftest
import servers
import site_conf

FILES = {
	# directory -> .user.ini
	"": "highlight.comment = \"#000001\"\nhighlight.default = \"#000001\"\n",
	"/a": "highlight.default = \"#0000a1\"\nhighlight.keyword = \"#0000a1\"\n",
	"/a/b": "highlight.keyword = \"#0000b1\"\n; a comment\nmemory_limit = 77M\nmax_input_vars=55\nsys_temp_dir = /nowhere\nopen_basedir_not = x\n",
	"/broken": "highlight.keyword = \"#0000c1\nthis is [no ini\n",
	"/prepend": "auto_prepend_file = before.inc\n",
	"/post": "max_input_vars = 10\n",
}


@pytest.fixture(scope="module")
def tree(docroot):
	"""Below a directory of its own: the other tests' documents keep their settings."""
	top = docroot + "/userini"
	ini = open(os.path.join(servers.WWW, "ini.php")).read()
	for d, text in FILES.items():
		os.makedirs(top + d, exist_ok=True)
		for name, content in ((".user.ini", text), ("ini.php", ini)):
			with open("%s%s/%s" % (top, d, name), "w") as f:
				f.write(content)
	os.makedirs(top + "/a/none", exist_ok=True)
	for name, content in (("/a/none/ini.php", ini), ("/prepend/before.inc", "<?php header('X-Before: yes');"), ("/post/size.php", "<?php echo count($_POST), ' ', ini_get('max_input_vars');")):
		with open(top + name, "w") as f:
			f.write(content)
	os.mkfifo(docroot + "/userini/a/none/.user.ini")
	return docroot


def ini(target, path, *names):
	r = target.get("/userini%s/ini.php?%s" % (path, "&".join("n[]=" + n for n in names)))
	assert r.status == 200, r
	return [json.loads(r.body)[n] for n in names]


NAMES = ("highlight.comment", "highlight.default", "highlight.keyword")


@pytest.mark.bulkhead
def test_from_the_root_down(tree, php_target):
	plain = json.loads(php_target.get("/ini.php?" + "&".join("n[]=" + n for n in NAMES)).body)
	for _ in range(2):  # and nothing is left for the next request
		assert ini(php_target, "", *NAMES) == ["#000001", "#000001", plain["highlight.keyword"]]
		assert ini(php_target, "/a", *NAMES) == ["#000001", "#0000a1", "#0000a1"]
		assert ini(php_target, "/a/b", *NAMES) == ["#000001", "#0000a1", "#0000b1"]
		assert json.loads(php_target.get("/ini.php?" + "&".join("n[]=" + n for n in NAMES)).body) == plain
	# No file but something of that name is no settings, and does not block.
	assert ini(php_target, "/a/none", *NAMES) == ["#000001", "#0000a1", "#0000a1"]


@pytest.mark.bulkhead
def test_what_may_be_set(tree, php_target):
	"""PHP_INI_PERDIR yes; PHP_INI_SYSTEM no; what php_admin_value decides (memory_limit, test.marker in these tests) no."""
	memory, vars_max, temp = ini(php_target, "/a/b", "memory_limit", "max_input_vars", "sys_temp_dir")
	assert (memory, vars_max) == ("96M", "55") and temp != "/nowhere"
	assert ini(php_target, "/a", "max_input_vars") == ["1000"]


@pytest.mark.bulkhead
def test_broken_file(tree, php_target):
	assert php_target.get("/userini/broken/ini.php?n[]=highlight.keyword").status == 200
	assert php_target.get("/hello.php").body == b"hello\n"


@pytest.mark.bulkhead
def test_prepended(tree, php_target):
	assert php_target.get("/userini/prepend/ini.php?n[]=memory_limit").get("X-Before") == "yes"
	assert php_target.get("/userini/a/ini.php?n[]=memory_limit").get("X-Before") is None


@pytest.mark.bulkhead
def test_before_the_body_is_read(tree, php_target):
	body = b"&".join(b"k%d=v" % i for i in range(400))
	head = "Content-Type: application/x-www-form-urlencoded\r\n"
	assert php_target.get("/userini/post/size.php", head, method="POST", body=body).text().endswith("11 10")  # PHP's way of counting
	assert php_target.get("/userini/post/size.php", head, method="POST", body=b"a=1").text().endswith("1 10")


@pytest.mark.bulkhead
def test_never_served(tree, php_target):
	for path in ("/userini/.user.ini", "/userini/a/.user.ini", "/userini/a/%2euser.ini"):
		assert php_target.get(path).status == 403


@pytest.mark.bulkhead
def test_switched_off(tree, ini_off):
	"""user_ini.filename is php.ini's, or the administrator's: empty, or another name."""
	for host, want in (("off.test", None), ("named.test", "#0000d1")):
		got = json.loads(ini_off.get(host, "/userini/a/ini.php?n[]=highlight.keyword").body)["highlight.keyword"]
		assert got == want if want else got not in ("#0000a1", "#0000d1"), (host, got)


@pytest.fixture
def ini_off(here, tree, ini, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	with open(tree + "/userini/a/site.ini", "w") as f:
		f.write("highlight.keyword = \"#0000d1\"\n")
	conf = site_conf.common(tree)
	for host, name in (("off.test", ""), ("named.test", "site.ini")):
		conf += site_conf.prefork_vhost(host, tree, "fresh", ini, '    php_admin_value user_ini.filename "%s"\n' % name)
	return fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
