# SPDX-License-Identifier: Apache-2.0
"""
WordPress and DokuWiki as Debian packages them, unpacked beside the system: the packages themselves would bring a running
web server and ask questions. Downloaded once through apt into a cache.
"""
import glob
import os
import re
import shutil
import subprocess

import browser
import proc
import servers

WORDPRESS = ["wordpress", "wordpress-theme-twentytwentythree", "php-getid3", "libjs-cropper", "libjs-underscore"]
DOKUWIKI = ["dokuwiki", "libphp-simplepie", "php-geshi", "php-phpseclib", "php-random-compat", "libjs-jquery", "libjs-jquery-ui", "libjs-jquery-cookie"]


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
	db.sql("CREATE DATABASE {0}; CREATE USER '{0}'@'localhost' IDENTIFIED BY 'secret-{0}'; GRANT ALL ON {0}.* TO '{0}'@'localhost';".format(name))
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
