# SPDX-License-Identifier: Apache-2.0
"""A cell runs scripts of its own site, whoever asks: raw FastCGI to a cell, and the ways that configuration opens."""
import os
import shutil
import tempfile

import conftest
import proc
import pytest
import servers
import site_conf
import wire
from test_cell import USER, Zygote, program  # noqa: F401 (a fixture)

pytestmark = pytest.mark.bulkhead


def put(path, code="echo 'ran';"):
	os.makedirs(os.path.dirname(path), exist_ok=True)
	with open(path, "w") as f:
		f.write("<?php " + code)
	return path


@pytest.fixture(scope="module")
def place():
	"""A site, an alias of a directory and one of a file, and a place that is not the site's."""
	top = tempfile.mkdtemp(prefix="bh-trees-", dir="/tmp")
	os.chmod(top, 0o755)
	for d in ("site", "alias", "other", "one"):
		put("%s/%s/x.php" % (top, d))
		put("%s/%s/sub/y.php" % (top, d))
	put(top + "/site-2/x.php")
	os.symlink("releases/5", top + "/current")
	put(top + "/releases/5/x.php")
	yield top
	shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(scope="module")
def z(place):
	z = Zygote(place + "/site", trees=[place + "/alias", place + "/one/x.php", place + "/current"])
	assert z.ready is not None, z.started_err()
	yield z
	assert z.stop() == 0


def run(z, path, **over):
	id, conn = z.cell()
	a = conn.ask(z.params("x.php", **dict(dict(SCRIPT_FILENAME=path), **over)))
	conn.close()
	z.expect(wire.CELL_GONE, id)
	assert a.ended
	return a


REFUSED = b"is not in the site's document root or aliases: refused"


@pytest.mark.parametrize("path,status", [
	("site/x.php", 200), ("site/sub/y.php", 200), ("site//sub/y.php", 200), ("site/sub/./y.php", 200), ("alias/x.php", 200), ("alias/sub/y.php", 200),
	("one/x.php", 200), ("current/x.php", 200), ("site/none.php", 404), ("alias/none.php", 404),
	("other/x.php", 403), ("site-2/x.php", 403), ("one/sub/y.php", 403), ("one/x.phpx", 403), ("site/../other/x.php", 403), ("site/sub/../x.php", 403),
	("alias/../site/../other/x.php", 403), ("other/none.php", 403), ("releases/5/x.php", 403), ("site", 403), ("", 403),
])
def test_paths(z, place, path, status):
	a = run(z, place + "/" + path)
	assert (a.status, a.body) == (status, {200: b"ran", 404: b"File not found.\n", 403: b"Access denied.\n"}[status])
	if path not in ("site", ""):
		assert (REFUSED in a.err) == (status == 403), a.err


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/dev/stdin", "/", "//", "/tmp/../etc/passwd"])
def test_paths_elsewhere(z, path):
	a = run(z, path)
	assert a.status == 403 and REFUSED in a.err


@pytest.mark.parametrize("path", ["x.php", "", "data:,<?php echo 1;", "php://input", "http://127.0.0.1/x.php", "phar://x.phar/x.php"])
def test_no_paths(z, path):
	assert run(z, path).status == 404


@pytest.mark.parametrize("root,status", [("site", 200), ("other", 403), ("alias", 403), ("site/", 403), ("", 403)])
def test_document_root(z, place, root, status):
	assert run(z, place + "/site/x.php", DOCUMENT_ROOT=place + "/" + root).status == status


def owned(path, uid):
	os.chown(path, uid, uid, follow_symlinks=False)
	return path


@pytest.mark.skipif(not proc.ROOT, reason="only root makes links of several owners")
@pytest.mark.parametrize("link,target,status", [
	(0, 0, 200), (0, USER.pw_uid, 200), (USER.pw_uid, USER.pw_uid, 200), (USER.pw_uid, 0, 403), (USER.pw_uid, 65533, 403), (65533, USER.pw_uid, 403),
])
def test_links_that_lead_out(z, place, link, target, status):
	"""As the front has it: whoever made the link must own what it leads to, or be root."""
	file = owned(put("%s/other/of-%d.php" % (place, target)), target)
	name = "%s/site/link-%d-%d.php" % (place, link, target)
	os.symlink(file, name)
	owned(name, link)
	assert run(z, name).status == status
	inside = name.replace("link-", "inside-")
	os.symlink("x.php", inside)
	owned(inside, link)
	assert run(z, inside).status == 200, "a link that stays inside may be anybody's"
	directory = "%s/other/dir-%d" % (place, target)
	os.makedirs(directory, exist_ok=True)
	owned(put(directory + "/z.php"), 65533)
	owned(directory, target)
	way = "%s/site/way-%d-%d" % (place, link, target)
	os.symlink(directory, way)
	owned(way, link)
	assert run(z, way + "/z.php").status == status


@pytest.mark.parametrize("name", ["auto_prepend_file", "auto_append_file"])
@pytest.mark.parametrize("param", ["PHP_VALUE", "PHP_ADMIN_VALUE"])
def test_code_from_afar(z, place, name, param):
	more = put(place + "/other/more.php", "echo 'more';")
	a = run(z, place + "/site/x.php", **{param: "%s=%s" % (name, more)})
	assert a.body in (b"moreran", b"ranmore"), "a file is a file"
	for value in ("data:text/plain,<?php echo 'evil';", "DATA:,<?php echo 'evil';", "php://input", "http://127.0.0.1:1/x"):
		a = run(z, place + "/site/x.php", **{param: "allow_url_include=1\n%s=%s" % (name, value)})
		assert a.body == b"ran", a.out
	assert "name files: another value is refused" in z.log()


def test_legitimate_ways(here, place, ini, fleet):
	"""What configuration opens is known to the cell: aliases, linked document roots, links inside them."""
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	linked = place + "/linked"
	os.symlink(place + "/site", linked)
	os.symlink(place + "/other", place + "/site/by-link")
	os.symlink(place + "/other/x.php", place + "/site/one-link.php")
	text = site_conf.common(place) + 'SandboxPath "%s"\n' % (place + "/other")
	for level in ("fresh", "rollback", "shared"):
		host = site_conf.prefork_vhost(level + ".test", linked, level, ini)
		text += host.replace("</VirtualHost>", 'Alias /pma "%s/alias"\nAlias /single "%s/one/x.php"\nAlias /cur/ "%s/current/"\n<Directory "%s">\n Options FollowSymLinks\n Require all granted\n'
			"DirectoryIndex x.php\n</Directory>\n</VirtualHost>" % (place, place, place, place))
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", text))
	for level in ("fresh", "rollback", "shared"):
		for path in ("/x.php", "/sub/y.php", "/pma/x.php", "/pma/", "/pma/sub/y.php", "/single", "/cur/x.php", "/by-link/x.php", "/by-link/sub/y.php", "/one-link.php", "//x.php", "/sub/../x.php", "/"):
			r = bh.get(level + ".test", path)
			assert (r.status, r.body) == (200, b"ran"), (level, path, r, bh.errors() if hasattr(bh, "errors") else "")
