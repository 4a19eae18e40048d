# SPDX-License-Identifier: Apache-2.0
"""
WordPress, DokuWiki, MediaWiki and phpMyAdmin as Debian packages them, unpacked beside the system: the packages themselves would bring a running
web server and ask questions. Downloaded once through apt into a cache.
"""
import glob
import html
import os
import re
import shutil
import subprocess

import browser
import proc
import servers

WORDPRESS = ["wordpress", "wordpress-theme-twentytwentythree", "php-getid3", "libjs-cropper", "libjs-underscore"]
DOKUWIKI = ["dokuwiki", "libphp-simplepie", "php-geshi", "php-phpseclib", "php-random-compat", "libjs-jquery", "libjs-jquery-ui", "libjs-jquery-cookie"]
MEDIAWIKI = ["mediawiki", "mediawiki-classes"]
PHPMYADMIN = ["phpmyadmin", "libjs-codemirror", "libjs-jquery", "libjs-jquery-mousewheel", "libjs-jquery-tablesorter", "libjs-jquery-timepicker", "libjs-jquery-ui",
	"php-composer-ca-bundle", "php-fig-http-message-util", "php-getallheaders", "php-google-recaptcha", "php-mariadb-mysql-kbs", "php-nikic-fast-route",
	"php-phpmyadmin-motranslator", "php-phpmyadmin-shapefile", "php-phpmyadmin-sql-parser", "php-psr-cache", "php-psr-container", "php-psr-http-factory",
	"php-psr-http-message", "php-psr-log", "php-slim-psr7", "php-symfony-cache", "php-symfony-cache-contracts", "php-symfony-config",
	"php-symfony-dependency-injection", "php-symfony-deprecation-contracts", "php-symfony-expression-language", "php-symfony-filesystem",
	"php-symfony-polyfill-php80", "php-symfony-service-contracts", "php-symfony-var-exporter", "php-twig", "php-twig-i18n-extension", "php-webmozart-assert"]
PASSWORD = "Pass-w0rd!x"


def cache_dir():
	d = os.environ.get("BULKHEAD_APP_CACHE") or os.path.join(servers.HERE, "../../build/cache/apps")
	os.makedirs(d, exist_ok=True)
	return os.path.abspath(d)


def fetch(packages):
	"""Debian packages into the cache; returns their files, or raises RuntimeError with what apt said."""
	d = cache_dir()
	said = ""
	for attempt in range(3):
		missing = [p for p in packages if not glob.glob("%s/%s_*.deb" % (d, p))]
		if not missing:
			return [sorted(glob.glob("%s/%s_*.deb" % (d, p)))[-1] for p in packages]
		if attempt == 1 and proc.ROOT:
			subprocess.run(["apt-get", "-q", "update"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
		r = subprocess.run(["apt-get", "-q", "download"] + missing, cwd=d, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, text=True)
		said = r.stdout
	raise RuntimeError("apt-get download: " + said[-1000:])


def unpack(packages, to):
	"""All packages into one root."""
	for deb in fetch(packages):
		subprocess.run(["dpkg-deb", "-x", deb, to], check=True, timeout=120)


def flatten(root, src, dest):
	"""Copy a tree, links replaced by what they mean below @root (absolute ones too)."""
	os.makedirs(dest, exist_ok=True)
	for name in os.listdir(src):
		s, t = os.path.join(src, name), os.path.join(dest, name)
		for _ in range(10):
			if not os.path.islink(s):
				break
			link = os.readlink(s)
			s = root + link if link.startswith("/") else os.path.normpath(os.path.join(os.path.dirname(s), link))
		if os.path.isdir(s):
			flatten(root, s, t)
		elif os.path.isfile(s):
			shutil.copyfile(s, t)


def give_to_site(path):
	if proc.ROOT:
		uid, gid = servers.site_ids()
		for d, dirs, files in os.walk(path):
			os.chown(d, uid, gid)
			for f in files:
				os.chown(os.path.join(d, f), uid, gid)


def unpack_wordpress(tmp):
	"""The files, once; returns the directory to be copied for each site."""
	master = tmp + "/wordpress-master"
	if not os.path.isdir(master):
		root = tmp + "/wordpress-packages"
		unpack(WORDPRESS, root)
		flatten(root, root + "/usr/share/wordpress", master)
		flatten(root, root + "/var/lib/wordpress/wp-content/themes", master + "/wp-content/themes")
		os.unlink(master + "/wp-config.php")
	return master


def wordpress_site(tmp, root, db, name):
	"""A WordPress of its own in @root with the database @name; not installed yet."""
	shutil.copytree(unpack_wordpress(tmp), root)
	database(db, name)
	keys = "".join("define('%s', '%s');\n" % (k, os.urandom(24).hex()) for k in (
		"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY", "AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT"))
	servers.write(root + "/wp-config.php", """<?php
define('DB_NAME', '{0}');
define('DB_USER', '{0}');
define('DB_PASSWORD', 'secret-{0}');
define('DB_HOST', 'localhost:{1}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
{2}$table_prefix = 'wp_';
define('WP_HOME', 'http://' . preg_replace('/[^a-z0-9.:-]/', '', $_SERVER['HTTP_HOST']));
define('WP_SITEURL', WP_HOME);
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
if (!defined('ABSPATH')) {{
	define('ABSPATH', __DIR__ . '/');
}}
require_once ABSPATH . 'wp-settings.php';
""".format(name, db.sock, keys))
	os.makedirs(root + "/wp-content/uploads", exist_ok=True)
	give_to_site(root + "/wp-content")
	return root


def wordpress_install(addr, host, title):
	"""The installer's pages, as a person walks through them."""
	b = browser.Browser(addr, host)
	p = b.get("/")
	assert p.status == 200 and "wp-admin/install.php" in p.url, "not sent to the installer: %s %d" % (p.url, p.status)
	if "step=1" not in p.url and "user_name" not in p.text:
		p = b.get("/wp-admin/install.php?step=1")
	assert "user_name" in p.text, p.text[:3000]
	p = b.post("/wp-admin/install.php?step=2", {"weblog_title": title, "user_name": "boss", "admin_password": "Pass-w0rd!x", "admin_password2": "Pass-w0rd!x",
		"pw_weak": "1", "admin_email": "boss@example.org", "blog_public": "0", "language": "", "Submit": "Install"})
	assert p.status == 200 and "wp-login.php" in p.text and "Success" in p.text, p.text[:3000]
	return b


def unpack_dokuwiki(tmp):
	master = tmp + "/dokuwiki-master"
	if not os.path.isdir(master):
		root = tmp + "/dokuwiki-packages"
		unpack(DOKUWIKI, root)
		os.chmod(root, 0o755)
		flatten(root, root + "/usr/share/dokuwiki", master)
		flatten(root, root + "/etc/dokuwiki", master + "/conf")
		flatten(root, root + "/var/lib/dokuwiki/data", master + "/data")
		# Debian's paths become those of the unpacked root, or of the site itself.
		servers.write(master + "/inc/preload.php", "<?php\n")
		for d, _, files in os.walk(master):
			for f in files:
				if f.endswith(".php"):
					path = os.path.join(d, f)
					with open(path, "rb") as fh:
						text = fh.read()
					new = re.sub(rb"(?<=')/usr/share/(?=php|javascript)", root.encode() + b"/usr/share/", text).replace(b"$vendorDir . '" + root.encode(), b"'" + root.encode())
					new = new.replace(b"'/var/lib/dokuwiki/data", b"'./data").replace(b"'/etc/dokuwiki/", b"DOKU_INC.'conf/")
					if new != text:
						with open(path, "wb") as fh:
							fh.write(new)
	return master


def dokuwiki_site(tmp, root):
	shutil.copytree(unpack_dokuwiki(tmp), root)
	for d in ("conf", "data", "lib/plugins", "lib/tpl"):
		give_to_site(os.path.join(root, d))
	return root


def dokuwiki_install(b, title):
	p = b.get("/install.php")
	assert p.status == 200 and "d[superuser]" in p.text, p.text[:3000]
	form = p.form("d[superuser]")
	p = b.post("/install.php", dict(form["fields"], **{"l": "en", "d[title]": title, "d[acl]": "on", "d[superuser]": "boss", "d[fullname]": "The Boss",
		"d[email]": "boss@example.org", "d[password]": PASSWORD, "d[confirm]": PASSWORD, "d[policy]": "0", "d[license]": "cc-by-sa", "submit": "Save"}))
	assert p.status == 200 and "finished successfully" in p.text, re.sub(r"<[^>]+>", " ", p.text)[:2000]


def database(db, name):
	"""A database and a user of that name, who owns it."""
	db.sql("DROP DATABASE IF EXISTS {0}; DROP USER IF EXISTS '{0}'@'localhost'; CREATE DATABASE {0}; CREATE USER '{0}'@'localhost' IDENTIFIED BY 'secret-{0}'; GRANT ALL ON {0}.* TO '{0}'@'localhost';".format(name))


def unpack_mediawiki(tmp):
	master = tmp + "/mediawiki-master"
	if not os.path.isdir(master):
		root = tmp + "/mediawiki-packages"
		unpack(MEDIAWIKI, root)
		# A site is a tree of links to these files, so that four of them do not take a gigabyte.
		os.rename(root + "/usr/share/mediawiki", master)
		for name in ("LocalSettings.php", "config", "extensions", "images"):
			os.unlink(os.path.join(master, name))
		os.rename(master + "/extensions-core", master + "/extensions")
		shutil.rmtree(master + "/mw-config/overrides")
	return master


def mediawiki_site(tmp, root):
	"""A MediaWiki of its own in @root, not installed yet. Its files are shared with other sites and nobody's to write."""
	shutil.copytree(unpack_mediawiki(tmp), root, copy_function=os.link)
	for d in ("images", "cache"):
		servers.writable_dir(os.path.join(root, d))
	return root


def mediawiki_answers(sock, name, title):
	"""What the installer asks for; each of its pages takes those of its own fields."""
	return {"uselang": "en", "ContLang": "en", "DBType": "mysql", "mysql_wgDBserver": "localhost:" + sock, "mysql_wgDBname": name, "mysql_wgDBuser": name,
		"mysql_wgDBpassword": "secret-" + name, "mysql__SameAccount": "1", "mysql__InstallUser": name, "mysql__InstallPassword": "secret-" + name,
		"config_wgSitename": title, "config__NamespaceType": "site-name", "config__AdminName": "Boss", "config__AdminPassword": PASSWORD,
		"config__AdminPasswordConfirm": PASSWORD, "config__AdminEmail": "", "config__SkipOptional": "skip", "config_wgMainCacheType": "none"}


def mediawiki_install(addr, host, root, db, name, title):
	"""The installer's pages, one after the other; the configuration it offers at the end is put where it belongs."""
	b = browser.Browser(addr, host)
	answers = mediawiki_answers(db.sock, name, title)
	p = b.get("/mw-config/index.php")
	for _ in range(20):
		link = re.search(r'href="([^"]*localsettings=1[^"]*)"', p.text)
		if link:
			break
		assert p.forms(), "%s %d: %s" % (p.url, p.status, p.text[-2000:])
		form = p.forms()[0]
		fields = {k: v for k, v in form["fields"].items() if k != "submit-back"}
		fields.update({k: v for k, v in answers.items() if k in fields or 'name="%s"' % k in p.text})
		assert "errorbox" not in p.text and "cdx-message--error" not in p.text, "%s: %s" % (p.url, re.sub(r"<[^>]+>", " ", p.text)[-3000:])
		p = b.post(p.url_of(form["action"]), dict(fields, **{"submit-continue": "Continue \u2192"}))
	else:
		raise AssertionError("the installer does not end: " + re.sub(r"<[^>]+>", " ", p.text)[-3000:])
	settings = b.get(p.url_of(html.unescape(link.group(1)))).text
	assert settings.startswith("<?php") and title in settings, settings[:500]
	# The host is whatever the client calls it, and no job runs behind a page: pages are the same for the same state.
	settings = re.sub(r'\$wgServer = .*;', '$wgServer = "http://" . preg_replace("/[^a-z0-9.:-]/", "", $_SERVER["HTTP_HOST"]);', settings)
	servers.write(root + "/LocalSettings.php", settings + "\n$wgJobRunRate = 0;\n$wgCacheDirectory = __DIR__ . '/cache';\n")
	return b


def mediawiki_login(b, name, password):
	form = b.get("/index.php?title=Special:UserLogin").form("wpName")
	return b.post("/index.php?title=Special:UserLogin", dict(form["fields"], wpName=name, wpPassword=password, wploginattempt="Log in"))


def unpack_phpmyadmin(tmp):
	master = tmp + "/phpmyadmin-master"
	if not os.path.isdir(master):
		root = tmp + "/phpmyadmin-packages"
		unpack(PHPMYADMIN, root)
		flatten(root, root + "/usr/share/phpmyadmin", master)
		flatten(root, root + "/usr/share/php", master + "/php-libraries")
		for name, old, new in (("autoload.php", "<?php", "<?php\nset_include_path(__DIR__ . '/php-libraries');"),
				("php-libraries/Williamdes/MariaDBMySQLKBS/Search.php", "'/usr/share/php/", "__DIR__ . '/../../"),
				("libraries/vendor_config.php", "'/var/lib/phpmyadmin/tmp/'", "ROOT_PATH . 'tmp/'"),
				("libraries/vendor_config.php", "'/etc/phpmyadmin/config.inc.php'", "ROOT_PATH . 'config.inc.php'")):
			with open(os.path.join(master, name)) as f:
				text = f.read()
			assert old in text, name
			servers.write(os.path.join(master, name), text.replace(old, new, 1))
		for name in ("config.header.inc.php", "config.footer.inc.php"):
			servers.write(os.path.join(master, name), "<?php\n")
	return master


def phpmyadmin_site(tmp, root, sock):
	shutil.copytree(unpack_phpmyadmin(tmp), root, copy_function=os.link)
	servers.writable_dir(root + "/tmp")
	servers.write(root + "/config.inc.php", """<?php
$cfg['blowfish_secret'] = sodium_hex2bin('%s');
$cfg['Servers'][1] = ['auth_type' => 'cookie', 'host' => 'localhost', 'socket' => '%s', 'compress' => false, 'AllowNoPassword' => false];
$cfg['SendErrorReports'] = 'never';
$cfg['VersionCheck'] = false;
$cfg['PmaNoRelation_DisableWarning'] = true;
""" % (os.urandom(32).hex(), sock))
	return root


def phpmyadmin_login(b, user, password):
	"""Log in through the form; returns the page behind it."""
	p = b.get("/index.php?route=/")
	form = p.form("pma_username")
	return b.post("/index.php?route=/", dict(form["fields"], pma_username=user, pma_password=password, server="1", target="index.php"))
