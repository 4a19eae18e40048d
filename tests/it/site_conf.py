# SPDX-License-Identifier: Apache-2.0
"""The documents that the cases ask for, and one configuration of them for each server."""
import os
import shutil
import time

import proc
import servers

NOT_OURS = "root:x:0"  # what a leak of /etc/passwd would show


def make_docroot(root):
	"""tests/it/www and what cannot lie in a repository: links, FIFOs, dot files, odd names."""
	shutil.copytree(servers.WWW, root)
	def put(name, text="", mode=0o644):
		path = os.path.join(root, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "wb") as f:
			f.write(text if isinstance(text, bytes) else text.encode())
		os.chmod(path, mode)
		# Old enough for a strong validator, and for opcache.
		os.utime(path, (time.time() - 86400,) * 2)
		return path
	put("hello.txt", "hello\n")
	put("digits.txt", "0123456789" * 10)
	put("page.html", "<!DOCTYPE html><title>page</title>\n")
	put("style.css", "body{}\n")
	put("pic.svg", "<svg/>\n")
	put("pic.png", b"\x89PNG\r\n\x1a\n")
	put("what.unknownext", "<script>alert(1)</script>\n")
	put("noext", "<script>alert(1)</script>\n")
	put("blob.bin", bytes(range(256)) * 16384)  # 4 MB
	put("one_kb.bin", b"k" * 1024)
	put("empty.txt", "")
	put("a b+c.txt", "space\n")
	put("caf\u00e9.txt", "utf8\n")
	put("per%cent.txt", "percent\n")
	put(".hidden", "hidden\n")
	put(".htaccess.bak", "hidden\n")
	put(".htpasswd", "hidden\n")
	put(".user.ini", "; hidden\n")
	put(".well-known/thing.txt", "known\n")
	put("dir/index.html", "index of dir\n")
	put("phpdir/index.php", "<?php echo 'index ', $_SERVER['REQUEST_URI'], ' ', $_SERVER['SCRIPT_NAME'], \"\\n\";")
	put("bare/file.txt", "file\n")
	put("dir.php/file.txt", "in a directory named like a script\n")
	put("dir.php/inner.php", "<?php echo 'inner ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', \"\\n\";")
	put("upper.PHP", "<?php echo 'source';")
	put("image.jpg", "no script <?php echo 1;")
	put("double.php.txt", "text <?php echo 1;")
	put("sp ace.php", "<?php echo $_SERVER['SCRIPT_NAME'], \"\\n\";")
	put("limited/echo.php", open(os.path.join(root, "echo.php")).read())
	put("limited/dump.php", open(os.path.join(root, "dump.php")).read())
	put("denied/file.txt", "denied\n")
	put("denied/run.php", "<?php echo 'denied';")
	put("files/secret.txt", "secret\n")
	put("files/open.txt", "open\n")
	put("files/x.inc", "inc\n")
	put("errdoc/here.txt", "here\n")
	put("errors/404.txt", "own not found\n")
	put("errors/gone.php", "<?php header('Content-Type: text/plain'); echo 'own ', $_SERVER['REDIRECT_STATUS'] ?? '?', ' ', $_SERVER['REDIRECT_URL'] ?? '?', \"\\n\";")
	put("nolinks/real.txt", "real\n")
	put("owner/real.txt", "real\n")
	put("listing/in.txt", "in\n")
	put("listing/secret.txt", "secret\n")
	put("listing/x.inc", "inc\n")
	put("located_index/index.html", "secret\n")
	put("located_script/index.php", "<?php echo 'secret';")
	put("noengine/x.php", "<?php echo 'source';")
	put("forced/x.dat", "forced\n")
	os.symlink("hello.txt", root + "/link.txt")
	os.symlink("real.txt", root + "/nolinks/link.txt")
	os.symlink("/etc/passwd", root + "/owner/link.txt")
	os.symlink("real.txt", root + "/owner/same.txt")
	os.symlink("loop", root + "/loop")
	os.mkfifo(root + "/fifo.txt", 0o644)
	servers.writable_dir(root + "/var")
	if proc.ROOT:
		# The links' targets belong to someone else than the links.
		os.chown(root + "/owner/link.txt", *servers.site_ids(), follow_symlinks=False)
		put("owner/foreign.txt", "foreign\n")
		os.symlink("foreign.txt", root + "/owner/foreign_link.txt")
		os.chown(root + "/owner/foreign_link.txt", *servers.site_ids(), follow_symlinks=False)
	# Outside the root, to be reached by Alias, or by nobody.
	side = os.path.join(os.path.dirname(root), "aliased")
	os.makedirs(side, exist_ok=True)
	for name, text in (("in.txt", "aliased\n"), ("run.php", "<?php echo 'aliased ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['SCRIPT_FILENAME'], ' ', $_SERVER['PATH_INFO'] ?? '', \"\\n\";")):
		with open(os.path.join(side, name), "w") as f:
			f.write(text)
	with open(os.path.join(os.path.dirname(root), "outside.txt"), "w") as f:
		f.write(NOT_OURS + " outside\n")
	return root


# Sections that Bulkhead and Apache both read.
def common(root):
	side = os.path.join(os.path.dirname(root), "aliased")
	return """
<Directory "{root}">
    Require all granted
    Options FollowSymLinks
    AllowOverride None
    DirectoryIndex index.html index.php
</Directory>
<Directory "{side}">
    Require all granted
</Directory>
<Directory "{root}/limited">
    LimitRequestBody 1000
</Directory>
<Directory "{root}/denied">
    Require all denied
</Directory>
<Directory "{root}/nolinks">
    Options -FollowSymLinks
</Directory>
<Directory "{root}/owner">
    Options SymLinksIfOwnerMatch
</Directory>
<Directory "{root}/forced">
    ForceType text/x-forced
</Directory>
<Directory "{root}/noengine">
    php_flag engine off
</Directory>
<Directory "{root}/errdoc">
    ErrorDocument 404 /errors/404.txt
    ErrorDocument 403 "no entry here"
</Directory>
<Files "secret.txt">
    Require all denied
</Files>
<FilesMatch "\\.inc$">
    Require all denied
</FilesMatch>
<FilesMatch "^\\.">
    Require all denied
</FilesMatch>
<DirectoryMatch "/\\.git">
    Require all denied
</DirectoryMatch>
<Location "/hello.txt/never">
    Require all denied
</Location>
<Location "/located_index/index.html">
    Require all denied
</Location>
<LocationMatch "^/located_script/.*\\.php$">
    Require all denied
</LocationMatch>
<Directory "{root}/listing">
    Options +Indexes
</Directory>
<Location "/located">
    Require all denied
</Location>
Alias "/alias" "{side}"
Redirect 301 "/old" "/new"
Redirect 302 "/away" "http://elsewhere.test/there"
Redirect gone "/removed"
""".format(root=root, side=side)


def ini_lines(ini):
	out = ""
	for k, v in ini.items():
		out += '    php_admin_value %s "%s"\n' % (k, v)
	return out + '    php_value highlight.string "#123456"\n    php_flag session.use_trans_sid Off\n'


def assign_user():
	return "    AssignUserID %s %s\n" % (servers.SITE_USER, servers.SITE_USER) if proc.ROOT else ""


def prefork_vhost(name, root, isolation, ini, extra=""):
	return """
<VirtualHost *>
    ServerName {name}
    ServerAdmin webmaster@{name}
    DocumentRoot "{root}"
    Dispatch prefork
    RequestIsolation {isolation}
    SandboxProfile php
{user}    StartServers 2
    MinSpareServers 1
    MaxSpareServers 4
    MaxRequestWorkers 6
    RequestTimeout 20
{ini}{extra}</VirtualHost>
""".format(name=name, root=root, isolation=isolation, user=assign_user(), ini=ini_lines(ini), extra=extra)


def worker_vhost(name, root, pool, extra="", timeout=20):
	return """
<VirtualHost *>
    ServerName {name}
    ServerAdmin webmaster@{name}
    DocumentRoot "{root}"
    Dispatch worker
    UsePool {pool}
    RequestTimeout {timeout}
{extra}</VirtualHost>
""".format(name=name, root=root, pool=pool, extra=extra, timeout=timeout)


def pool(name, *members, extra=""):
	return "<FastCGIPool %s>\n%s%s</FastCGIPool>\n" % (name, "".join('    Server "%s"\n' % m for m in members), extra)


def bulkhead_conf(root, ini, fpm, fpm_tcp):
	return ("Protocols h2c http/1.1\n" + common(root) + pool("fpm", fpm.server()) + pool("tcp", fpm_tcp.server())
		+ worker_vhost("static.test", root, "fpm")
		+ prefork_vhost("fresh.test", root, "fresh", ini)
		+ prefork_vhost("rollback.test", root, "rollback", ini)
		+ prefork_vhost("shared.test", root, "shared", ini, "    MaxConnectionsPerChild 1000\n")
		+ worker_vhost("worker.test", root, "fpm")
		+ worker_vhost("tcp.test", root, "tcp"))


def apache_conf(root, ini):
	"""The reference: mod_php."""
	out = common(root)
	for name in ("static.test", "apache.test"):
		out += '<VirtualHost *>\nServerName %s\nServerAdmin webmaster@%s\nDocumentRoot "%s"\n%s</VirtualHost>\n' % (name, name, root, ini_lines(ini))
	return out
