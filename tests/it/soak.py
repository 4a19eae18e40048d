#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev soak: an application asked thousands of times on one level of isolation, its answers compared to those under `fresh`,
and what its processes hold of memory, mappings and descriptors compared along the way.

Two servers serve the same files and the same database, under the same name: one with `fresh`, which gives the answers to
compare to, one with the level that is looked at. A visitor's cookies are good on both. What differs between two answers of
`fresh` is replaced by a word before comparing, and only that: the lists below say what and why.
"""
import argparse
import difflib
import os
import re
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import apps  # noqa: E402
import browser  # noqa: E402
import proc  # noqa: E402
import rawhttp  # noqa: E402
import servers  # noqa: E402
import site_conf  # noqa: E402

HOST = "site.test"
CELLS = 4
LOOKS = 6  # at what seems to have grown
CLIENTS = 3
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


class Page:
	"""One kind of request. @fields: a POST, values with {token} in them are filled in; @member: asked for with the login's cookies."""

	def __init__(self, path, fields=None, member=False, status=200, token=None):
		self.path, self.fields, self.member, self.status, self.token = path, fields, member, status, token
		self.name = ("POST " if fields else "") + path + (" (member)" if member else "")


class App:
	"""An application: how it is set up, its pages, (pattern, word, why) for each thing that is never the same twice, and cookies
	that are set now and then, with the reason."""
	pages, changing, cookies, ini = (), (), {}, {}

	def __init__(self, tmp, db):
		self.tmp, self.db, self.root = tmp, db, "%s/soak-%s" % (tmp, self.name)
		self.unpack()
		self.member = None

	def normal(self, text):
		for pattern, word, _ in self.changing:
			text = re.sub(pattern, word, text)
		return text


class WordPress(App):
	name = "wordpress"
	pages = (
		Page("/"), Page("/?p=1"), Page("/?s=hello"), Page("/?page_id=2"), Page("/?feed=rss2"), Page("/?p=9999", status=404), Page("/wp-login.php"),
		Page("/index.php?rest_route=/wp/v2/posts"), Page("/index.php?rest_route=/wp/v2/types"), Page("/wp-includes/js/wp-emoji.js"),
		Page("/wp-login.php", {"log": "boss", "pwd": "wrong", "testcookie": "1"}), Page("/wp-admin/", member=True), Page("/wp-admin/edit.php", member=True),
		Page("/wp-admin/post.php?post=1&action=edit", member=True), Page("/wp-admin/options-general.php", member=True), Page("/wp-admin/users.php", member=True),
		Page("/wp-admin/plugins.php", member=True), Page("/wp-admin/upload.php?mode=list", member=True),
	)
	changing = (
		(r"<lastBuildDate>[^<]*", "TIME", "clock"),
		(r'"time":"\d{10}"|"activePostLock":"\d{10}', "TIME", "clock"),
		(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d</code>", "TIME", "the clock in the settings"),
		(r"\b\d\.gravatar\.com", "N.gravatar.com", "one of three, at random"),
	)

	def unpack(self):
		apps.wordpress_site(self.tmp, self.root, self.db, "soak_wp")

	def install(self, addr):
		self.member = apps.wordpress_install(addr, HOST, "Soak")
		form = self.member.get("/wp-login.php").form("log")
		p = self.member.post("/wp-login.php", dict(form["fields"], log="boss", pwd=apps.PASSWORD, redirect_to="http://%s/wp-admin/" % HOST))
		assert "Dashboard" in p.text, p.text[:2000]


class DokuWiki(App):
	name = "dokuwiki"
	pages = (
		Page("/doku.php"), Page("/doku.php?id=wiki:syntax"), Page("/doku.php?id=wiki:dokuwiki"), Page("/doku.php?id=none:such"),
		Page("/doku.php?do=search&q=wiki"), Page("/doku.php?do=index"), Page("/doku.php?do=recent"), Page("/feed.php"), Page("/doku.php?id=wiki:syntax&do=edit"),
		Page("/lib/exe/css.php?t=dokuwiki&f=screen"), Page("/lib/exe/js.php?t=dokuwiki"), Page("/lib/exe/detail.php?media=wiki:dokuwiki-128.png"),
		Page("/lib/exe/fetch.php?media=wiki:dokuwiki-128.png"), Page("/doku.php?id=start&do=login"),
		Page("/doku.php?id=playground:playground", {"do": "preview", "wikitext": "====== Cargo ======\n  * **rope** {{wiki:dokuwiki-128.png?50}}\n<code php>\necho 1;\n</code>\n", "sectok": "{token}", "prefix": ".", "suffix": "", "target": "section"},
			member=True, token=("/doku.php?id=playground:playground&do=edit", "sectok")),
		Page("/doku.php?id=start&do=admin", member=True), Page("/doku.php?id=start&do=admin&page=config", member=True),
		Page("/doku.php?id=start&do=admin&page=acl", member=True), Page("/doku.php?id=wiki:syntax&do=revisions", member=True),
	)
	changing = (
		(r"taskrunner\.php\?id=([^&]*)&(amp;)?\d+", r"taskrunner.php?id=\1&TIME", "clock"),
		(r"(name=\"(?:date|changecheck)\" value=\")[0-9a-f]*", r"\1TIME", "when the edit began"),
		(r"sectok=[0-9a-f]{32}|name=\"sectok\" value=\"[0-9a-f]{32}\"|\"sectok\":\"[0-9a-f]{32}\"", "TOKEN", "a visitor without a session has a token of his own"),
		(r"(media|fetch|detail)\.php\?([^\"]*)tok=[0-9a-f]{6}", r"\1.php?\2TOKEN", "the same"),
		(r"(<dc:date>|<lastBuildDate>|<pubDate>|<updated>)[^<]*", r"\1TIME", "clock"),
		(r"locktimer\.init\(\d+|\"lock_?time\":\d+|locktime\s*=\s*\d+", "TIME", "clock"),
	)

	def unpack(self):
		apps.dokuwiki_site(self.tmp, self.root)

	def install(self, addr):
		b = self.member = browser.Browser(addr, HOST)
		apps.dokuwiki_install(b, "Soak")
		form = b.get("/doku.php?id=start&do=login").form("u")
		assert "do=logout" in b.post("/doku.php?id=start&do=login", dict(form["fields"], u="boss", p=apps.PASSWORD)).text


class MediaWiki(App):
	name = "mediawiki"
	# It notices only missing functions. A cell ends with a request that has called the last of them, so that nothing would be put back.
	ini = {"disable_functions": "proc_open,popen,exec,shell_exec,system,passthru,fastcgi_finish_request"}
	cookies = dict.fromkeys(("UseDC", "UseCDNCache"), "set by a POST that came to write to the database, which a preview does when something had expired")
	TEXT = "== Cargo ==\n* '''rope''' \u6f6e\n{| class=\"wikitable\"\n| a || {{PAGENAME}}\n|}\n[[Category:Freight]]\n"
	pages = (
		Page("/", status=301), Page("/index.php/Main_Page"), Page("/index.php/Tide_tables"), Page("/index.php/None_such", status=404), Page("/index.php?title=Main_Page&action=history"),
		Page("/index.php?title=Main_Page&action=edit"), Page("/index.php?title=Main_Page&action=info"), Page("/index.php/Special:RecentChanges"),
		Page("/index.php/Special:AllPages"), Page("/index.php/Special:SpecialPages"), Page("/index.php/Special:Search?search=wiki"), Page("/index.php/Special:UserLogin"),
		Page("/api.php?action=query&meta=siteinfo&format=json"), Page("/load.php?lang=en&modules=startup&only=scripts&raw=1&skin=vector"),
		Page("/load.php?lang=en&modules=site.styles&only=styles&skin=vector"),
		Page("/index.php?title=Cargo&action=submit", {"wpTextbox1": TEXT, "wpPreview": "Show preview", "wpEditToken": "{token}", "wpStarttime": "20260101000000",
			"wpEdittime": "20260101000000", "model": "wikitext", "format": "text/x-wiki", "wpUnicodeCheck": "\u2133\U0001d4b2\u2665\U0001d4ca\U0001d4c3\U0001d4be\U0001d4b8\u2134\U0001d4b9\u212f", "wpUltimateParam": "1"},
			member=True, token=("/index.php?title=Cargo&action=edit", "wpEditToken")),
		Page("/index.php/Special:Preferences", member=True), Page("/index.php/Special:Watchlist", member=True), Page("/index.php/Special:Version", member=True),
		Page("/index.php?title=Main_Page&action=edit", member=True),
	)
	changing = (
		(r"\"wgRequestId\":\"[^\"]*\"|\"reqId\":\"[^\"]*\"", "REQUEST", "a number for each request"),
		(r"\"wgBackendResponseTime\":\d+", "TIME", "how long it took"),
		(r"(?s)<!--\s*NewPP limit report.*?-->", "REPORT", "how long it took"),
		(r"(?s)<!--\s*Transclusion expansion time report.*?-->", "REPORT", "how long it took"),
		(r"(?s)<table class=\"limitreport.*?</table>|<div class=\"mw-pp-limit.*?</div>|\"wgPageParseReport\":\{.*?\}\}\}?", "REPORT", "how long it took"),
		(r"<!-- Saved in (RevisionOutputCache|parser cache) with key.*?-->", "CACHED", "when it was made"),
		(r"value=\"\d{14}\"|from=\d{14}|&quot;from&quot;:&quot;\d{14}", "TIME", "clock"),
		(r"[0-9a-f]{32,40}\+\\\\?", "TOKEN", "tokens are masked with a time"),
		(r"\"time\":\"[^\"]*\"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", "clock"),
		(r"\d+\.\d+ seconds", "TIME", "how long it took"),
	)

	def unpack(self):
		apps.mediawiki_site(self.tmp, self.root)
		apps.database(self.db, "soak_mw")

	def install(self, addr):
		apps.mediawiki_install(addr, HOST, self.root, self.db, "soak_mw", "Soak")
		b = self.member = browser.Browser(addr, HOST)
		p = apps.mediawiki_login(b, "Boss", apps.PASSWORD)
		assert "Special:UserLogout" in p.text or "Special:UserLogout" in b.get("/").text
		form = b.get("/index.php?title=Tide_tables&action=edit").form("wpTextbox1")
		p = b.post("/index.php?title=Tide_tables&action=submit", dict(form["fields"], wpTextbox1=self.TEXT, wpSave="Save page"))
		assert "<b>rope</b>" in p.text, p.text[-2000:]


class PhpMyAdmin(App):
	name = "phpmyadmin"
	USER = "soak_pma"
	DB = "db=soak_pma&"
	pages = (
		Page("/"), Page("/index.php?route=/&lang=de"), Page("/js/messages.php?l=en&v=5.2.1deb1%2Bdeb12u1"), Page("/index.php?route=/", member=True), Page("/index.php?route=/database/structure&" + DB, member=True),
		Page("/index.php?route=/sql&%stable=cargo&pos=0" % DB, member=True), Page("/index.php?route=/table/structure&%stable=cargo" % DB, member=True),
		Page("/index.php?route=/database/search&" + DB, member=True), Page("/index.php?route=/database/sql&" + DB, member=True), Page("/index.php?route=/table/search&%stable=cargo" % DB, member=True),
		Page("/index.php?route=/database/export&" + DB, member=True), Page("/index.php?route=/server/collations", member=True), Page("/index.php?route=/server/engines", member=True),
		Page("/index.php?route=/sql", {"token": "{token}", "db": USER, "table": "cargo", "sql_query": "SELECT what, COUNT(*) FROM cargo GROUP BY what ORDER BY what", "server": "1"},
			member=True, token=("/index.php?route=/database/sql&" + DB, "token")),
		Page("/index.php?route=/export", {"token": "{token}", "db": USER, "table": "cargo", "export_type": "table", "export_method": "quick", "quick_or_custom": "quick", "what": "csv", "csv_separator": ",",
			"csv_enclosed": "\"", "csv_escaped": "\"", "csv_terminated": "AUTO", "csv_null": "NULL", "csv_columns": "something", "csv_structure_or_data": "data", "output_format": "sendit", "filename_template": "@TABLE@",
			"charset": "utf-8", "compression": "none", "maxsize": "", "single_table": "1"}, member=True, token=("/index.php?route=/table/structure&%stable=cargo" % DB, "token")),
	)
	changing = (
		(r"(name=\"(?:token|set_session)\" value=\")[^\"]*|token:\"[^\"]*\"|token=[^&\"']*|\"token\":\"[^\"]*\"|session_id:\"[^\"]*\"", "TOKEN", "a visitor without a session has a token of his own"),
		(r"(set_session=)[^&\"]*", r"\1TOKEN", "the same"),
		(r"[Qq]uery took [0-9.]+ seconds?", "TIME", "how long it took"),
		(r"(_|data-for=\"|data-uniqueId=\"|Radio[A-Z][a-z]*)\d{5,10}(_checkall)?\b", r"\1NUMBER", "elements are numbered at random"),
	)

	def unpack(self):
		apps.phpmyadmin_site(self.tmp, self.root, self.db.sock)
		apps.database(self.db, self.USER)
		self.db.sql("CREATE TABLE {0}.cargo (id INT PRIMARY KEY, what VARCHAR(40)); INSERT INTO {0}.cargo VALUES (1, 'rope'), (2, 'tea <b>'), (3, 'tar');".format(self.USER))

	def install(self, addr):
		self.member = browser.Browser(addr, HOST)
		p = apps.phpmyadmin_login(self.member, self.USER, "secret-" + self.USER)
		assert "route=/logout" in p.text, p.text[-2000:]


APPS = {a.name: a for a in (WordPress, DokuWiki, MediaWiki, PhpMyAdmin)}


class Sample:
	"""What the PHP processes of one server hold, the largest of each kind: kB, mappings, descriptors."""

	def __init__(self, server):
		self.pids, self.roles, self.ticks = set(), {}, {}
		for pid in server.processes()[1]:
			try:
				status = proc.status_of(pid)
				self.ticks[pid] = (proc.stat_of(pid) or ())[11:13]
				with open("/proc/%d/maps" % pid) as f:
					maps = sum(1 for _ in f)
				role = "zygote" if int(status["PPid"]) == server.pid else "cell"
				held = {"RSS": int(status["VmRSS"].split()[0]), "anonymous": int(status["RssAnon"].split()[0]), "size": int(status["VmSize"].split()[0]), "mappings": maps, "descriptors": len(proc.fds_of(pid))}
			except (OSError, KeyError):
				continue  # it ended just now
			if role == "cell":
				self.pids.add(pid)
			old = self.roles.setdefault(role, held)
			self.roles[role] = {k: max(v, old[k]) for k, v in held.items()}

	def __str__(self):
		return "; ".join("%s: %s" % (r, ", ".join("%s %d" % kv for kv in sorted(h.items()))) for r, h in sorted(self.roles.items(), reverse=True))


# How much more there may be at the end than a tenth of the way in. RSS counts pages of files and of opcache when they are
# first looked at, which is no growth.
# kB. Pages that requests keep writing to stay a cell's own under rollback: more with each kind of request, up to a bound.
MAY_GROW = {"RSS": 12288, "anonymous": 8192, "size": 1024, "mappings": 4, "descriptors": 1}


def quiet_sample(server, seconds=20):
	"""What @server holds when no script runs any more. An application may have sent its whole answer and still be at work
	for longer than a slow machine's pause: what its cell holds meanwhile is the request's and no growth."""
	end = time.monotonic() + seconds
	before = Sample(server)
	while True:
		time.sleep(0.5)
		now = Sample(server)
		if (now.ticks, now.roles) == (before.ticks, before.roles) or time.monotonic() > end:
			return now
		before = now


class Soak:
	def __init__(self, tmp, app, level, ini):
		self.app, self.level = app, level
		self.wrong = {}
		self.lock = threading.Lock()
		self.tokens = {}
		both = {"reference": "fresh", "looked-at": level}
		self.servers = {}
		for kind, isolation in both.items():
			text = '<Directory "%s">\n    Require all granted\n    DirectoryIndex index.php doku.php\n</Directory>\n' % tmp
			text += "".join('SandboxPath "%s"\n' % d for d in (os.path.dirname(app.db.sock), tmp + "/dokuwiki-packages") if os.path.isdir(d))
			text += re.sub(r"(StartServers|MinSpareServers|MaxSpareServers|MaxRequestWorkers) \d+", r"\1 %d" % CELLS,
				site_conf.prefork_vhost(HOST, app.root, isolation, dict(ini, **app.ini))).replace("RequestTimeout 20", "RequestTimeout 60")
			self.servers[kind] = servers.Bulkhead("%s/soak-%s-%s" % (tmp, app.name, kind), text)

	def start(self):
		for s in self.servers.values():
			s.start()
		self.app.install(self.servers["reference"].addr)
		return self

	def stop(self):
		return [bad for s in self.servers.values() for bad in (s.stop() if s.p else [])]

	def ask(self, kind, page):
		"""One answer, as what is compared: status, a few fields, and the body after the replacements."""
		headers, body = "User-Agent: soak\r\n", None
		if page.member:
			headers += "Cookie: %s\r\n" % "; ".join("%s=%s" % kv for kv in self.app.member.jar.items())
		if page.fields:
			headers += FORM
			body = browser.urllib.parse.urlencode({k: v.replace("{token}", self.tokens.get(page.name, "")) for k, v in page.fields.items()}).encode()
		r = rawhttp.get(self.servers[kind].addr, HOST, page.path, headers=headers, method="POST" if page.fields else "GET", body=body, timeout=60)
		cookies = sorted({c.split("=", 1)[0] for c in r.all("set-cookie")} - set(self.app.cookies))
		return r.status, "%d %s %s %s\n" % (r.status, r.get("content-type"), self.app.normal(r.get("location") or "-"), cookies) + self.app.normal(r.body.decode("utf-8", "replace"))

	def references(self):
		"""Each page's answer under fresh, when the work of first visits is done."""
		for page in self.app.pages:
			if page.token:
				self.tokens[page.name] = self.app.member.get(page.token[0]).form(page.token[1])["fields"][page.token[1]]
		for _ in range(2):
			for page in self.app.pages:
				self.ask("reference", page)
		out = {page: self.ask("reference", page) for page in self.app.pages}
		for _ in range(3):  # the minute may change between two, not thrice
			time.sleep(1.1)  # another second on the clock
			before, out = out, {page: self.ask("reference", page) for page in self.app.pages}
			bad = ["%s %s differs under fresh:\n%s" % (self.app.name, page.name, difference(before[page][1], out[page][1])) for page in out if before[page] != out[page]]
			if not bad:
				break
		bad += ["%s %s: %d\n%s" % (self.app.name, page.name, status, text[:1000]) for page, (status, text) in out.items() if status != page.status]
		assert not bad, "\n".join(bad)
		return {page: text for page, (_, text) in out.items()}

	def client(self, mine, n):
		"""Every CLIENTS-th request of @n; what comes is compared to @mine."""
		for i in range(*n):
			page = self.app.pages[i % len(self.app.pages)]
			try:
				got = self.ask("looked-at", page)[1]
			except (AssertionError, OSError) as e:
				got = "no answer: %r" % e
			if not mine:
				continue  # warming up
			with self.lock:
				# The hour may have changed since: then it has for fresh, too.
				if got != mine[page] and got == self.ask("reference", page)[1]:
					mine[page] = got
				elif got != mine[page]:
					self.wrong.setdefault(page.name, []).append((i, got, mine[page]))

	def batch(self, refs, begin, end):
		threads = [threading.Thread(target=self.client, args=(refs, (begin + k, end, CLIENTS))) for k in range(CLIENTS)]
		for t in threads:
			t.start()
		for t in threads:
			t.join()
		return quiet_sample(self.servers["looked-at"])

	def warm(self):
		"""Until cells stay: under rollback they begin anew while opcache's image grows."""
		pages = len(self.app.pages)
		for _ in range(6):
			before = Sample(self.servers["looked-at"]).pids
			if self.batch({}, 0, 2 * pages).pids & before == before:
				break

	def run(self, n, say=lambda text: None):
		"""@n requests over all pages in turn; returns complaints."""
		refs = self.references()
		say("%s: %d kinds of page, references taken" % (self.app.name, len(refs)))
		self.warm()
		self.wrong = {}
		samples, done = [], 0
		for share in (10, 50, 100):
			samples.append(self.batch(refs, done, n * share // 100))
			done = n * share // 100
			say("%s under %s, %d requests, %d wrong. %s" % (self.app.name, self.level, done, sum(len(w) for w in self.wrong.values()), samples[-1]))
		# Cells begin anew when what they know of the disk has become old; over a few requests they stay.
		before, stays = samples[-1].pids, set()
		for _ in range(4):
			now = self.batch(refs, 0, 2 * len(self.app.pages)).pids
			stays |= before & now
			before = now
		bad = ["%s %s under %s: %d wrong answers, the first of them request %d:\n%s" % (self.app.name, name, self.level, len(w), w[0][0], difference(w[0][2], w[0][1]))
			for name, w in self.wrong.items()]
		if self.level == "rollback" and not stays:
			bad.append("%s: no cell was used again, so nothing was put back" % self.app.name)
		# What has grown stays so; a cell that waits for a database's lock, after its answer, does not.
		for _ in range(LOOKS):
			if not self.growth(samples):
				break
			time.sleep(5)
			samples[-1] = quiet_sample(self.servers["looked-at"])
		return bad + self.growth(samples)

	def growth(self, samples):
		bad = []
		for role in ("zygote", "cell"):
			early, late = samples[0].roles.get(role), samples[-1].roles.get(role)
			if early is None or late is None:
				bad.append("%s: no %s was seen" % (self.app.name, role))
				continue
			# A process that is only used again grows by what PHP keeps: that is what the level is.
			if self.level != "shared" or role == "zygote":
				bad += ["%s under %s: %s of a %s grew from %d to %d" % (self.app.name, self.level, k, role, early[k], late[k])
					for k in MAY_GROW if late[k] > early[k] + MAY_GROW[k]]
		return bad


def difference(a, b):
	def split(text):
		return [part[:300] for part in re.split(r"(?<=[>,{])|\n", text) if part.strip()]
	lines = list(difflib.unified_diff(split(a), split(b), "expected", "got", n=0, lineterm=""))
	return "\n".join(lines[:40])


def main():
	p = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
	p.add_argument("--requests", type=int, default=10000, help="for each application")
	p.add_argument("--level", default="rollback", choices=("rollback", "shared", "fresh"))
	p.add_argument("apps", nargs="*", metavar="APP", help="which of %s; default: all" % ", ".join(APPS))
	args = p.parse_args()
	unknown = [a for a in args.apps if a not in APPS]
	if unknown:
		p.error("no such application: " + unknown[0])
	tmp = tempfile.mkdtemp(prefix="bh-soak-", dir="/tmp")
	os.chmod(tmp, 0o755)
	db = servers.MariaDb(tmp + "/db").start(timeout=60)
	bad = []
	try:
		for name in args.apps or APPS:
			soak = Soak(tmp, APPS[name](tmp, db), args.level, servers.common_ini(tmp))
			try:
				soak.start()
				bad += soak.run(args.requests, lambda text: print(time.strftime("%H:%M:%S"), text, flush=True))
			finally:
				bad += soak.stop()
	finally:
		bad += db.stop()
		shutil.rmtree(tmp, ignore_errors=True)
	print("\n".join(bad) or "the same as under fresh, and nothing grew")
	return 1 if bad else 0


if __name__ == "__main__":
	sys.exit(main())
