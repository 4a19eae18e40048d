# SPDX-License-Identifier: Apache-2.0
"""WordPress, DokuWiki, MediaWiki and phpMyAdmin, installed and used through their own pages, on each path."""
import html
import os
import re
import time

import pytest

import apps
import browser
import conftest
import proc
import servers
import site_conf

pytestmark = pytest.mark.slow


PROFILES = ["strict", "legacy"]  # beside php, which the others have


def target_names(config, profiles=()):
	return ["fresh", "rollback", "shared", "worker"] + list(profiles) if config.getoption("--peer") == "bulkhead" else ["apache"]


def unpacked(f, *a):
	try:
		return f(*a)
	except (RuntimeError, OSError) as e:
		conftest.need(False, "the application's packages cannot be had: %s" % e)


def app_server(config, tmp, fleet, ini, app, roots, *shown):
	"""One server with a virtual host for each path, each with its own copy of the application; @shown lies outside of them."""
	text = "".join('<Directory "%s">\n    Require all granted\n    AllowOverride None\n    DirectoryIndex index.php\n</Directory>\n' % r for r in list(roots.values()) + [tmp + "/dokuwiki-packages"])
	if config.getoption("--peer") == "apache":
		text += '<VirtualHost *>\nServerName apache.test\nDocumentRoot "%s"\n%s</VirtualHost>\n' % (roots["apache"], site_conf.ini_lines(ini))
		return fleet.start(servers.Apache(tmp + "/" + app + "-apache", text))
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	fpm = fleet.start(servers.Fpm(tmp + "/" + app + "-fpm", ini, children=3))
	text += "".join('SandboxPath "%s"\n' % s for s in shown)
	for profile in [p for p in PROFILES if p in roots]:
		text += site_conf.prefork_vhost(profile + ".test", roots[profile], "fresh", ini).replace("SandboxProfile php", "SandboxProfile " + profile)
	for level in ("fresh", "rollback", "shared"):
		text += site_conf.prefork_vhost(level + ".test", roots[level], level, ini)
	text += (site_conf.pool("fpm", fpm.server()) + site_conf.worker_vhost("worker.test", roots["worker"], "fpm", timeout=60))
	return fleet.start(servers.Bulkhead(tmp + "/" + app + "-bulkhead", text.replace("RequestTimeout 20", "RequestTimeout 60")))


@pytest.fixture(scope="module")
def db(tmp, module_fleet):
	conftest.need(servers.tool("mariadbd", "mysqld"), "no MariaDB")
	return module_fleet.start(servers.MariaDb(tmp + "/db"), timeout=60)


@pytest.fixture(scope="module")
def wordpress(request, tmp, ini, module_fleet, db):
	unpacked(apps.unpack_wordpress, tmp)
	roots = {n: apps.wordpress_site(tmp, tmp + "/wp-" + n, db, "wp_" + n) for n in target_names(request.config, PROFILES)}
	return app_server(request.config, tmp, module_fleet, ini, "wp", roots, tmp + "/db/run")


@pytest.fixture(scope="module")
def dokuwiki(request, tmp, ini, module_fleet):
	unpacked(apps.unpack_dokuwiki, tmp)
	roots = {n: apps.dokuwiki_site(tmp, tmp + "/dw-" + n) for n in target_names(request.config, PROFILES)}
	return app_server(request.config, tmp, module_fleet, ini, "dw", roots, tmp + "/dokuwiki-packages")


@pytest.fixture(scope="module")
def mediawiki(request, tmp, ini, module_fleet):
	unpacked(apps.unpack_mediawiki, tmp)
	roots = {n: apps.mediawiki_site(tmp, tmp + "/mw-" + n) for n in target_names(request.config)}
	# A cell may start no program; MediaWiki takes note of that only when the functions for it are not there.
	own = dict(ini, disable_functions="proc_open,popen,exec,shell_exec,system,passthru")
	return app_server(request.config, tmp, module_fleet, own, "mw", roots, tmp + "/db/run", tmp + "/mediawiki-master", tmp + "/mediawiki-packages"), roots


@pytest.fixture(scope="module")
def phpmyadmin(request, tmp, ini, module_fleet, db):
	unpacked(apps.unpack_phpmyadmin, tmp)
	roots = {n: apps.phpmyadmin_site(tmp, tmp + "/pma-" + n, db.sock) for n in target_names(request.config)}
	return app_server(request.config, tmp, module_fleet, ini, "pma", roots, tmp + "/db/run")


def pytest_generate_tests(metafunc):
	if "path" in metafunc.fixturenames:
		both = metafunc.function.__name__ in ("test_wordpress", "test_dokuwiki")
		metafunc.parametrize("path", target_names(metafunc.config, PROFILES if both else ()))


def test_wordpress(wordpress, path):
	addr, host = wordpress.addr, path + ".test"
	title = "Harbour of " + path
	apps.wordpress_install(addr, host, title)

	b = browser.Browser(addr, host)
	front = b.get("/")
	assert front.status == 200 and front.url == "/" and title in front.text and "Hello world!" in front.text
	assert "<title>" in front.text and front.text.rstrip().endswith("</html>"), "the page is cut"
	# What the page refers to is there: the theme's and the core's files, served as files.
	refs = {b.path_of(m) for m in re.findall(r"(?:href|src)=['\"](http://%s[^'\"]+\.(?:css|js)[^'\"]*)" % re.escape(host), front.text)}
	for ref in refs:
		r = b.get(ref)
		assert r.status == 200 and re.match("text/css|text/javascript|application/javascript", r.r.get("content-type")), (ref, r.r)

	# A wrong password, then the right one.
	login = b.get("/wp-login.php")
	form = login.form("log")
	p = b.post("/wp-login.php", dict(form["fields"], log="boss", pwd="wrong"))
	assert "login_error" in p.text and not [k for k in b.jar if k.startswith("wordpress_logged_in")]
	p = b.post("/wp-login.php", dict(form["fields"], log="boss", pwd="Pass-w0rd!x", redirect_to="http://%s/wp-admin/" % host))
	assert p.status == 200 and "Dashboard" in p.text and [k for k in b.jar if k.startswith("wordpress_logged_in")], p.text[:2000]
	assert b.get("/wp-admin/plugins.php").status == 200

	# A post, the way the editor writes it.
	assert "wp-block" in b.get("/wp-admin/post-new.php").text
	nonce = b.get("/wp-admin/admin-ajax.php?action=rest-nonce").text.strip()
	assert re.match(r"^[0-9a-f]{10}$", nonce), nonce
	p = b.post_json("/index.php?rest_route=/wp/v2/posts", {"title": "Tide tables", "content": "<p>High water at n\u00fcne, \u6f6e.</p>", "status": "publish"},
		"X-WP-Nonce: %s\r\n" % nonce)
	assert p.status == 201, p.text[:2000]
	post = p.json()
	assert post["title"]["raw"] == "Tide tables"
	visitor = browser.Browser(addr, host)
	page = visitor.get("/?p=%d" % post["id"])
	assert "High water at n\u00fcne, \u6f6e." in page.text and "Tide tables" in page.text
	assert "Tide tables" in visitor.get("/").text
	assert visitor.post_json("/index.php?rest_route=/wp/v2/posts", {"title": "no"}).status == 401

	# Permalinks through path info.
	form = b.get("/wp-admin/options-permalink.php").form("permalink_structure")
	p = b.post("/wp-admin/options-permalink.php", dict(form["fields"], selection="custom", permalink_structure="/index.php/%postname%/", submit="Save"))
	assert p.status == 200
	assert "High water" in visitor.get("/index.php/tide-tables/").text
	assert visitor.get("/index.php/no-such-post/").status == 404

	# A comment by a visitor.
	form = visitor.get("/index.php/tide-tables/").form("comment_post_ID")
	visitor.post("/wp-comments-post.php", dict(form["fields"], comment="Ahoy from " + path, author="Sailor", email="s@example.org", url=""))
	assert "Ahoy from " + path in visitor.get("/index.php/tide-tables/?show").text + b.get("/wp-admin/edit-comments.php").text

	# A picture: uploaded, scaled, served as a file.
	nonce = re.search(r'"_wpnonce":"([0-9a-f]+)"', b.get("/wp-admin/media-new.php").text).group(1)
	data = browser.png(900, 700, len(path))
	p = b.upload("/wp-admin/async-upload.php", {"action": "upload-attachment", "_wpnonce": nonce, "name": "boat.png"}, "async-upload", "boat.png", "image/png", data)
	assert p.status == 200 and p.json()["success"], p.text[:2000]
	picture = p.json()["data"]
	r = visitor.get(visitor.path_of(picture["url"]))
	assert r.status == 200 and r.body == data and r.r.get("content-type") == "image/png" and r.r.get("etag")
	small = visitor.get(visitor.path_of(picture["sizes"]["medium"]["url"]))
	assert small.status == 200 and small.body.startswith(b"\x89PNG") and small.body != data

	# Password mail needs a mail program, which a cell may not run: the page must say so, not hang or die.
	form = visitor.get("/wp-login.php?action=lostpassword").form("user_login")
	p = visitor.post("/wp-login.php?action=lostpassword", dict(form["fields"], user_login="boss"))
	assert p.status in (200, 500) and p.text

	logout = html.unescape(re.search(r"http://[^\"']+action=logout[^\"']+", b.get("/wp-admin/").text).group(0))
	p = b.get(b.path_of(logout))
	assert "loggedout=true" in p.url and not [k for k in b.jar if k.startswith("wordpress_logged_in")], (p.url, b.jar)


COUNT = """<?php
header("X-Compiled: " . opcache_get_status(false)["opcache_statistics"]["misses"]);
add_action("shutdown", function () {
	$s = opcache_get_status(true);
	echo "<!-- files ", count(get_included_files()), " new ", count(array_filter(get_included_files(), fn($f) => ($s["scripts"][$f]["hits"] ?? 0) < 1)),
		" before ", $GLOBALS["compiled_before"], " after ", $s["opcache_statistics"]["misses"], " -->";
}, 1000);
$compiled_before = opcache_get_status(false)["opcache_statistics"]["misses"];
"""


def test_wordpress_is_compiled_once(wordpress, path, tmp):
	"""A page that was asked for some times compiles nothing any more, whoever keeps the cache."""
	addr, host = wordpress.addr, path + ".test"
	if "install.php" in browser.Browser(addr, host).get("/").url:
		apps.wordpress_install(addr, host, "Harbour of " + path)
	plugin = "%s/wp-%s/wp-content/mu-plugins/count.php" % (tmp, path)
	servers.write(plugin, COUNT)
	os.utime(plugin, (time.time() - 100,) * 2)
	b = browser.Browser(addr, host)

	def page():
		m = re.search(r"<!-- files (\d+) new (\d+) before (\d+) after (\d+) -->", b.get("/").text)
		return m and [int(n) for n in m.groups()]
	proc.wait_for(lambda: (page() or [0, 1])[1] == 0, timeout=30, step=0.3, why="a page without a compilation")
	for _ in range(10):
		files, new, before, after = page()
		assert files > 100 and new == 0 and before == after, (files, new, before, after)


def test_dokuwiki(dokuwiki, path):
	addr, host = dokuwiki.addr, path + ".test"
	b = browser.Browser(addr, host)
	apps.dokuwiki_install(b, "Logbook " + path)

	front = b.get("/doku.php")
	assert front.status == 200 and "Logbook " + path in front.text and front.text.rstrip().endswith("</html>")
	for ref in re.findall(r'(?:href|src)="(/lib/exe/(?:css|js|jquery)\.php[^"]*)"', front.text):
		r = b.get(ref.replace("&amp;", "&"))
		assert r.status == 200 and len(r.body) > 1000, (ref, r.r)

	p = b.get("/doku.php?id=start&do=login")
	form = p.form("u")
	p = b.post("/doku.php?id=start&do=login", dict(form["fields"], u="boss", p="wrong"))
	assert "wrong" in p.text.lower()
	p = b.post("/doku.php?id=start&do=login", dict(form["fields"], u="boss", p="Pass-w0rd!x"))
	assert "do=logout" in p.text, re.sub(r"<[^>]+>", " ", p.text)[:2000]

	form = b.get("/doku.php?id=cargo:list&do=edit").form("wikitext")
	text = "====== Cargo ======\n\n  * t\u00e9a\n  * **rope** %s\n" % path
	p = b.post("/doku.php?id=cargo:list", dict(form["fields"], wikitext=text, summary="first", **{"do[save]": "Save"}))
	assert p.status == 200 and "<strong>rope</strong> " + path in p.text and "t\u00e9a" in p.text, re.sub(r"<[^>]+>", " ", p.text)[:2000]
	# The same by a visitor.
	visitor = browser.Browser(addr, host)
	assert "<strong>rope</strong> " + path in visitor.get("/doku.php?id=cargo:list").text
	assert "first" in visitor.get("/doku.php?id=cargo:list&do=revisions").text

	data = browser.png(300, 200, len(path))
	form = b.get("/lib/exe/mediamanager.php?ns=").form("dw__upload")
	p = b.upload("/lib/exe/mediamanager.php", dict(form["fields"], mediaid="boat.png"), "upload", "boat.png", "image/png", data)
	assert p.status == 200, p.text[:2000]
	r = visitor.get("/lib/exe/fetch.php?media=boat.png")
	assert r.status == 200 and r.body == data and r.r.get("content-type") == "image/png", r.r
	assert visitor.get("/lib/exe/fetch.php?media=boat.png&w=50&h=50", follow=False).status in (200, 302, 412)
	# What must stay private.
	for secret in ("/conf/users.auth.php", "/data/pages/cargo/list.txt"):
		assert "boss@example" not in visitor.get(secret).text


def text_of(p):
	return re.sub(r"<[^>]+>", " ", p.text)[-3000:]


def test_mediawiki(mediawiki, db, path):
	server, roots = mediawiki
	addr, host = server.addr, path + ".test"
	title = "Almanac of " + path
	apps.database(db, "mw_" + path)
	apps.mediawiki_install(addr, host, roots[path], db, "mw_" + path, title)

	b = browser.Browser(addr, host)
	front = b.get("/")
	assert front.status == 200 and title in front.text and "MediaWiki has been installed" in front.text, text_of(front)
	assert front.text.rstrip().endswith("</html>"), "the page is cut"
	for ref in re.findall(r'(?:href|src)="(/load\.php\?[^"]+)"', front.text):
		r = b.get(html.unescape(ref))
		assert r.status == 200 and re.match("text/(css|javascript)", r.r.get("content-type")) and len(r.body) > 500, (ref, r.r)

	p = apps.mediawiki_login(b, "Boss", "wrong")
	assert "Incorrect username or password" in p.text, text_of(p)
	p = apps.mediawiki_login(b, "Boss", apps.PASSWORD)
	assert "Special:UserLogout" in p.text or "Special:UserLogout" in b.get("/").text, text_of(p)

	form = b.get("/index.php?title=Tide_tables&action=edit").form("wpTextbox1")
	text = "== High water ==\n* '''n\u00fcne''' %s\n* [[Rope]] \u6f6e\n{| class=\"wikitable\"\n| a || b\n|}\n" % path
	fields = {k: v for k, v in form["fields"].items() if k not in ("wpPreview", "wpDiff")}
	p = b.post("/index.php?title=Tide_tables&action=submit", dict(fields, wpTextbox1=text, wpSummary="first", wpSave="Save page"))
	assert p.status == 200 and "<b>n\u00fcne</b> " + path in p.text and "\u6f6e" in p.text, text_of(p)
	visitor = browser.Browser(addr, host)
	page = visitor.get("/index.php/Tide_tables")
	assert "<b>n\u00fcne</b> " + path in page.text and 'class="wikitable"' in page.text and 'class="new" title="Rope' in page.text
	assert "first" in visitor.get("/index.php?title=Tide_tables&action=history").text
	assert visitor.get("/index.php/Rope").status == 404
	found = visitor.get("/api.php?action=query&prop=revisions&titles=Tide_tables&rvprop=content&rvslots=main&formatversion=2&format=json").json()
	assert found["query"]["pages"][0]["revisions"][0]["slots"]["main"]["content"] == text.rstrip()
	# A token of somebody else's changes nothing.
	visitor.post("/index.php?title=Tide_tables&action=submit", dict(fields, wpTextbox1="defaced", wpSave="Save page"))
	assert "defaced" not in visitor.get("/index.php/Tide_tables?again").text


def test_phpmyadmin(phpmyadmin, db, path):
	addr, host, user = phpmyadmin.addr, path + ".test", "pma_" + path
	apps.database(db, user)
	db.sql("CREATE TABLE %s.cargo (id INT PRIMARY KEY, what VARCHAR(40)); INSERT INTO %s.cargo VALUES (1, 'rope'), (2, 'tea <b>'), (3, 'tar');" % (user, user))

	b = browser.Browser(addr, host)
	front = b.get("/")
	assert front.status == 200 and "pma_username" in front.text and front.text.rstrip().endswith("</html>"), text_of(front)
	for ref in re.findall(r'(?:href|src)="((?:js/|themes/|\./)[^"]+\.(?:css|js)[^"]*)"', front.text):
		r = b.get(front.url_of(html.unescape(ref)))
		assert r.status == 200 and re.match("text/(css|javascript)|application/javascript", r.r.get("content-type")), (ref, r.r)
	assert "Access denied" in html.unescape(apps.phpmyadmin_login(b, user, "wrong").text)
	p = apps.phpmyadmin_login(b, user, "secret-" + user)
	assert p.status == 200 and "route=/logout" in p.text and user in p.text, text_of(p)

	p = b.get("/index.php?route=/database/structure&db=" + user)
	assert p.status == 200 and "cargo" in p.text
	p = b.get("/index.php?route=/sql&db=%s&table=cargo&pos=0" % user)
	assert p.status == 200 and "rope" in p.text and "tea &lt;b&gt;" in p.text and "tar" in p.text, text_of(p)
	token = re.search(r'name="token" value="([^"]+)"', p.text).group(1)
	p = b.post("/index.php?route=/import", {"token": html.unescape(token), "db": user, "table": "cargo", "sql_query": "INSERT INTO cargo VALUES (4, 'sails')",
		"sql_delimiter": ";", "show_query": "1", "is_js_confirmed": "0"})
	assert p.status == 200 and db.sql("SELECT what FROM %s.cargo WHERE id = 4" % user).strip() == "sails", text_of(p)
	# Others' databases are not this user's, and a visitor without the cookie is asked who he is.
	assert "mysql.user" not in b.get("/index.php?route=/sql&db=mysql&table=user").text
	assert "pma_username" in browser.Browser(addr, host).get("/index.php?route=/sql&db=%s&table=cargo" % user).text
