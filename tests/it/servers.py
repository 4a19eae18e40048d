# SPDX-License-Identifier: Apache-2.0
"""The servers under test and their peers, each with a configuration of its own below a temporary directory."""
import os
import pwd
import shutil
import signal
import subprocess

import proc
import rawhttp

HERE = os.path.dirname(os.path.abspath(__file__))
WWW = os.path.join(HERE, "www")
PHPV = "8.2"
SITE_USER = "www-data"  # who PHP runs as, in cells and in php-fpm
SANITIZED = os.environ.get("BULKHEAD_SANITIZED") == "1"
FRONT_USER = "nobody"   # who talks to clients


def site_ids():
	if not proc.ROOT:
		return os.geteuid(), os.getegid()
	u = pwd.getpwnam(SITE_USER)
	return u.pw_uid, u.pw_gid


def tool(*names):
	for n in names:
		p = shutil.which(n, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")
		if p:
			return p
	return None


def write(path, text):
	os.makedirs(os.path.dirname(path), exist_ok=True)
	with open(path, "w") as f:
		f.write(text)
	os.chmod(path, 0o644)
	return path


def writable_dir(path):
	"""A directory that the site's user may write to."""
	os.makedirs(path, exist_ok=True)
	if proc.ROOT:
		os.chown(path, *site_ids())
	os.chmod(path, 0o755)
	return path


# ini settings that every PHP of the tests gets: cells, php-fpm and mod_php.
def common_ini(tmp):
	return {
		"display_errors": "0", "output_buffering": "0", "log_errors": "1", "html_errors": "0", "error_reporting": "32767",
		"date.timezone": "UTC", "memory_limit": "96M", "post_max_size": "48M", "upload_max_filesize": "40M",
		"session.save_path": writable_dir(tmp + "/sessions"), "upload_tmp_dir": writable_dir(tmp + "/uploads"),
		"opcache.file_update_protection": "0", "opcache.revalidate_freq": "0",
		"test.marker": "from-configuration",
	}


def build_extension(tmp, name):
	"""A PHP extension of tests/ext, built once into the tests' own directory and loaded by nobody else; returns its file."""
	out = "%s/ext/%s.so" % (tmp, name)
	if not os.path.exists(out):
		os.makedirs(tmp + "/ext", exist_ok=True)
		flags = subprocess.run([tool("php-config" + PHPV), "--includes"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
		r = subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-fPIC", "-shared"]
			+ [f.replace("-I", "-isystem", 1) for f in flags] + ["-o", out, os.path.join(HERE, "../ext", name + ".c")],
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
		assert r.returncode == 0, r.stdout
	return out


class Fpm(proc.Daemon):
	"""php-fpm with one pool on a unix socket, or on a TCP port."""
	name = "php-fpm"
	stop_signal = signal.SIGTERM

	def __init__(self, tmp, ini, tcp=False, children=6, extra="", pool="test"):
		super().__init__(tmp)
		self.addr = ("127.0.0.1", proc.free_port()) if tcp else tmp + "/fpm.sock"
		self.error_log = tmp + "/fpm.log"
		listen = "%s:%d" % self.addr if tcp else self.addr
		user = "user = %s\ngroup = %s\nlisten.mode = 0666\n" % (SITE_USER, SITE_USER) if proc.ROOT else ""
		values = "".join("php_admin_value[%s] = %s\n" % kv for kv in ini.items())
		self.conf = write(tmp + "/fpm.conf", (
			"[global]\nerror_log = %s\ndaemonize = no\nlog_limit = 8192\n[%s]\n%slisten = %s\nlisten.backlog = 128\n"
			"pm = static\npm.max_children = %d\ncatch_workers_output = yes\ndecorate_workers_output = no\n"
			"clear_env = yes\nsecurity.limit_extensions = .php\n%s%s") % (self.error_log, pool, user, listen, children, values, extra))

	def argv(self):
		return [tool("php-fpm" + PHPV), "-F", "-y", self.conf]

	def ready(self):
		return proc.accepts(self.addr)

	def server(self):
		return "unix:" + self.addr if isinstance(self.addr, str) else "%s:%d" % self.addr


class MariaDb(proc.Daemon):
	"""MariaDB with a data directory of its own, on a unix socket only."""
	name = "mariadbd"
	stop_timeout = 30

	def __init__(self, tmp):
		super().__init__(tmp)
		self.sock = tmp + "/run/db.sock"
		self.data = tmp + "/data"
		user = []
		for d in (tmp + "/run", self.data):
			os.makedirs(d)
			if proc.ROOT:
				shutil.chown(d, "mysql", "mysql")
				user = ["--user=mysql"]
			os.chmod(d, 0o755)
		self.base = ["--no-defaults", "--datadir=" + self.data, "--basedir=/usr"] + user
		subprocess.run([tool("mariadb-install-db", "mysql_install_db")] + self.base + ["--auth-root-authentication-method=normal", "--force",
			"--skip-test-db"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=120)

	def argv(self):
		return [tool("mariadbd", "mysqld")] + self.base + ["--socket=" + self.sock, "--skip-networking", "--pid-file=" + self.tmp +
			"/run/db.pid", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]

	def ready(self):
		return proc.accepts(self.sock)

	def sql(self, text):
		return subprocess.run([tool("mariadb", "mysql"), "--no-defaults", "-S", self.sock, "-u", "root", "-N", "-B", "-e", text], check=True,
			stdout=subprocess.PIPE, timeout=60).stdout.decode()


def bulkhead_bin():
	"""The program under test; None when there is none."""
	p = os.environ.get("BULKHEAD_BIN") or os.path.join(HERE, "../../build/bulkhead")
	return os.path.abspath(p) if os.access(p, os.X_OK) else None


class Bulkhead(proc.Daemon):
	"""bulkhead -X with the configuration that conf_text makes of it; port is the first Listen."""
	name = "bulkhead"

	def __init__(self, tmp, conf_text, loops=2, head=""):
		super().__init__(tmp)
		self.port = proc.free_port()
		self.addr = ("127.0.0.1", self.port)
		self.conf = tmp + "/bulkhead.conf"
		self.error_log = tmp + "/error.log"
		self.access_log = tmp + "/access.log"
		self.head = (
			'ServerRoot "%s"\nPidFile "%s/bulkhead.pid"\nListen 127.0.0.1:%d\nServerName main.test\nUser %s\nGroup %s\n'
			'%sErrorLog "%s"\nLogLevel info\n'
			'LogFormat "%%v %%h %%l %%u %%t \\"%%r\\" %%>s %%b \\"%%{Referer}i\\" \\"%%{User-Agent}i\\"" vcombined\n'
			'CustomLog "%s" vcombined\nTimeout 20\n') % (tmp, tmp, self.port, FRONT_USER, "nogroup", "ThreadsPerChild %d\n" % loops if loops else "", self.error_log,
				self.access_log) + head
		self.write(conf_text)

	def write(self, conf_text):
		write(self.conf, self.head + conf_text)

	def argv(self):
		return [bulkhead_bin(), "-X", "-f", self.conf]

	def ready(self):
		# The port accepts as soon as it is bound; the file is there once a front serves.
		return proc.accepts(self.addr) and os.path.exists(self.tmp + "/bulkhead.pid")

	def run(self, *args, timeout=20):
		"""A command line of its own on the same configuration, for one: run("-t")."""
		return subprocess.run([bulkhead_bin(), "-f", self.conf] + list(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
			cwd=self.tmp, text=True, errors="replace")

	def log(self):
		text = self.output()
		try:
			with open(self.error_log, "rb") as f:
				text += f.read().decode("utf-8", "replace")
		except OSError:
			pass
		return text

	def access(self):
		with open(self.access_log, "rb") as f:
			return f.read().decode("utf-8", "replace")

	def get(self, host, path, *a, **k):
		return rawhttp.get(self.addr, host, path, *a, **k)

	def processes(self):
		"""(fronts, zygotes and cells) by process id."""
		fronts, php = [], []
		for p in proc.descendants(self.pid):
			# The command line, not /proc/PID/exe: that of a process which cannot be dumped is root's to read.
			name = proc.name_of(p)
			if proc.comm_of(p) == "bulkhead-front":
				fronts.append(p)
			elif name and "bulkhead-php" in os.path.basename(name.split()[0]) and not proc.is_spare(name):  # that is nobody's yet
				php.append(p)
		return fronts, php

	def stop(self):
		bad = super().stop()
		for path in (self.error_log,):
			try:
				with open(path, "rb") as f:
					text = f.read().decode("utf-8", "replace")
			except OSError:
				continue
			at = max(text.find("AddressSanitizer"), text.find("runtime error:"))
			if at >= 0:
				bad.append("sanitizer in %s: %s" % (path, text[max(0, at - 200):at + 4000]))
		return bad


APACHE_MODULES = "authz_core mime dir alias env setenvif reqtimeout"


class Apache(proc.Daemon):
	"""Apache with only the modules named and a configuration of its own."""
	name = "apache"
	stop_signal = signal.SIGTERM

	def __init__(self, tmp, conf_text, mpm="prefork", modules=APACHE_MODULES, php=True, head=""):
		super().__init__(tmp)
		self.port = proc.free_port()
		self.addr = ("127.0.0.1", self.port)
		self.error_log = tmp + "/error.log"
		self.access_log = tmp + "/access.log"
		mods = [("mpm_" + ("prefork" if mpm == "itk" else mpm), "mod_mpm_" + ("prefork" if mpm == "itk" else mpm))]
		mods += [(m, "mod_" + m) for m in modules.split()]
		if mpm == "itk":
			mods.append(("mpm_itk", "mpm_itk"))
		if php:
			mods.append(("php", "libphp" + PHPV))
		load = "".join("LoadModule %s_module /usr/lib/apache2/modules/%s.so\n" % m for m in mods)
		user = "User %s\nGroup %s\n" % (SITE_USER, SITE_USER) if proc.ROOT else ""
		handler = '<FilesMatch "\\.php$">\nSetHandler application/x-httpd-php\n</FilesMatch>\n' if php else ""
		self.conf = write(tmp + "/apache.conf", load + (
			'ServerRoot "%s"\nPidFile "%s/apache.pid"\nDefaultRuntimeDir "%s"\nMutex sem\nListen 127.0.0.1:%d\nServerName main.test\n%s'
			'ErrorLog "%s"\nLogLevel notice\nTypesConfig /etc/mime.types\n'
			'LogFormat "%%v %%h %%l %%u %%t \\"%%r\\" %%>s %%b \\"%%{Referer}i\\" \\"%%{User-Agent}i\\"" vcombined\n'
			'CustomLog "%s" vcombined\nTimeout 20\n%s%s') % (tmp, tmp, tmp, self.port, user, self.error_log, self.access_log, handler, head) + conf_text)

	def argv(self):
		return [tool("apache2"), "-d", self.tmp, "-f", self.conf, "-DFOREGROUND"]

	def ready(self):
		return proc.accepts(self.addr)

	def log(self):
		return self.output() + open(self.error_log, errors="replace").read()

	def get(self, host, path, *a, **k):
		return rawhttp.get(self.addr, host, path, *a, **k)


class Nginx(proc.Daemon):
	"""nginx in the foreground; conf_text goes into its http section."""
	name = "nginx"
	stop_signal = signal.SIGTERM

	def __init__(self, tmp, conf_text, workers=2):
		super().__init__(tmp)
		user = "user %s;\n" % SITE_USER if proc.ROOT else ""
		self.port = proc.free_port()
		self.addr = ("127.0.0.1", self.port)
		self.access_log = tmp + "/access.log"
		temp = "".join("%s_temp_path %s/%s;\n" % (t, tmp, t) for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
		self.conf = write(tmp + "/nginx.conf", (
			"daemon off;\n%spid %s/nginx.pid;\nerror_log %s/error.log notice;\nworker_processes %d;\nevents { worker_connections 1024; }\n"
			"http {\ninclude /etc/nginx/mime.types;\naccess_log %s combined;\nsendfile on;\nclient_max_body_size 64m;\n%s%s}\n") % (
				user, tmp, tmp, workers, self.access_log, temp, conf_text.replace("@PORT@", "127.0.0.1:%d" % self.port)))

	def argv(self):
		return [tool("nginx"), "-e", self.tmp + "/error.log", "-p", self.tmp, "-c", self.conf]

	def ready(self):
		return proc.accepts(self.addr)


class Lighttpd(proc.Daemon):
	"""lighttpd in the foreground, for static files; conf_text is added to its configuration."""
	name = "lighttpd"

	def __init__(self, tmp, root, conf_text="", workers=0):
		super().__init__(tmp)
		self.port = proc.free_port()
		self.addr = ("127.0.0.1", self.port)
		self.access_log = tmp + "/access.log"
		os.makedirs(tmp, exist_ok=True)
		user = 'server.username = "%s"\nserver.groupname = "%s"\n' % (SITE_USER, SITE_USER) if proc.ROOT else ""
		if proc.ROOT:
			shutil.chown(tmp, *site_ids())
		self.conf = write(tmp + "/lighttpd.conf", (
			'server.modules = ("mod_accesslog")\nserver.document-root = "%s"\nserver.bind = "127.0.0.1"\nserver.port = %d\n%s'
			'server.errorlog = "%s/error.log"\naccesslog.filename = "%s"\nserver.max-worker = %d\n'
			'mimetype.assign = (".bin" => "application/octet-stream", ".txt" => "text/plain", ".html" => "text/html")\n%s') % (
				root, self.port, user, tmp, self.access_log, workers, conf_text))

	def argv(self):
		return [tool("lighttpd"), "-D", "-f", self.conf]

	def ready(self):
		return proc.accepts(self.addr)
