# SPDX-License-Identifier: Apache-2.0
"""One broken site file: its own sites keep their last good version, or answer 503; all others follow their files."""
import os

import pytest

import conftest
import servers
import site_conf

pytestmark = pytest.mark.bulkhead

SITE = """<VirtualHost *>
    ServerName %(name)s.test
    ServerAlias www.%(name)s.test
    DocumentRoot "%(root)s"
    Redirect %(status)d /which
%(more)s</VirtualHost>
"""


class Sites:
	def __init__(self, here, docroot, fleet):
		self.dir, self.docroot, self.fleet = here + "/sites", docroot, fleet
		os.makedirs(self.dir)
		os.makedirs(here + "/snippets")
		self.bh = servers.Bulkhead(here + "/bulkhead", site_conf.common(docroot) + 'Redirect 402 /which\nIncludeOptional "%s/*.conf"\n' % self.dir)

	def put(self, name, status, more="", before=""):
		servers.write("%s/%s.conf" % (self.dir, name), before + SITE % {"name": name, "root": self.docroot, "status": status, "more": more})

	def start(self):
		self.fleet.start(self.bh)

	def which(self, host):
		return self.bh.get(host + ".test", "/which").status

	def graceful(self):
		r = self.bh.run("-k", "graceful")
		return r.returncode, r.stdout


@pytest.fixture
def sites(here, docroot, fleet):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	s = Sites(here, docroot, fleet)
	for name in "abc":
		s.put(name, 410)
	return s


def test_broken_file_keeps_its_last_good_version_alone(sites):
	sites.start()
	assert [sites.which(n) for n in "abc"] == [410] * 3
	sites.put("a", 404)
	sites.put("b", 404, more="    Bogus on\n")
	status, text = sites.graceful()
	assert status == 1 and "/sites/b.conf:6:5: error: unknown directive 'Bogus'" in text, text
	assert "the last version of this file that was good stays in service" in text and "reloaded, but for the files with errors" in text, text
	assert [sites.which(n) for n in "abc"] == [404, 410, 410]
	# It stays so over further reloads, and through what cannot be read at all.
	os.unlink(sites.dir + "/b.conf")
	os.symlink("/nowhere/b.conf", sites.dir + "/b.conf")
	sites.put("c", 403)
	status, text = sites.graceful()
	assert status == 1 and "/sites/b.conf:1:1: error: the file cannot be read: No such file" in text, text
	assert [sites.which(n) for n in "abc"] == [404, 410, 403]
	os.unlink(sites.dir + "/b.conf")
	sites.put("b", 403)
	assert sites.graceful() == (0, "")
	assert [sites.which(n) for n in "abc"] == [404, 403, 403]
	os.unlink(sites.dir + "/b.conf")
	assert sites.graceful() == (0, "")
	assert sites.which("b") == 404  # nobody has the name any more: the first host


def test_broken_from_the_start_answers_503(sites):
	"""Never another host's content: names, aliases and the default of an address are the broken file's still."""
	sites.put("b", 404, more="    Bogus on\n    <Directory /x\n")
	sites.start()
	assert [sites.which(n) for n in "abc"] == [410, 503, 410]
	assert sites.which("www.b") == 503
	r = sites.bh.get("b.test", "/hello.txt")
	assert r.status == 503 and b"hello" not in r.body
	assert "/sites/b.conf:6:5: error: unknown directive 'Bogus'" in sites.bh.log()
	assert "the virtual hosts of this file answer 503 until it is good" in sites.bh.log()
	sites.put("b", 404)
	assert sites.graceful() == (0, "")
	assert sites.which("b") == 404


def test_warnings_are_said_once(sites):
	"""A reload each night repeats nothing; what is new is said, wherever it stands, and -t says all."""
	old, new = "RequestIsolation has no effect with Dispatch worker", "SandboxProfile has no effect with Dispatch worker"
	pool = "    Dispatch worker\n    UsePool none\n    RequestIsolation fresh\n"
	text = site_conf.common(sites.docroot) + site_conf.pool("none", "unix:/run/none.sock") + 'IncludeOptional "%s/*.conf"\n' % sites.dir
	sites.bh.write(text)
	sites.put("a", 410, more=pool)
	sites.start()
	assert sites.bh.run("-t").stdout.count(old) == 1
	before = sites.bh.log().count(old)
	assert sites.graceful() == (0, "")
	sites.put("a", 410, more="    # moves it\n" + pool)
	assert sites.graceful() == (0, "")
	assert sites.bh.log().count(old) == before
	sites.put("a", 410, more=pool + "    SandboxProfile strict\n")
	status, said = sites.graceful()
	assert status == 0 and new in said and old not in said, said
	assert sites.graceful() == (0, "")
	assert sites.bh.log().count(new) == 1
	said = sites.bh.run("-t").stdout
	assert old in said and new in said
	# One that was gone for a while is new again; and errors are said each time, with what is served instead.
	sites.put("a", 410)
	assert sites.graceful() == (0, "")
	sites.put("a", 410, more=pool)
	assert old in sites.graceful()[1]
	sites.put("a", 410, more=pool + "    Bogus on\n")
	for _ in range(2):
		status, said = sites.graceful()
		assert status == 1 and "Bogus" in said and "stays in service" in said and old not in said, said


def test_s_asks_the_server_what_it_serves(sites):
	sites.put("b", 404, more="    Bogus on\n")
	r = sites.bh.run("-S")  # nobody runs: nothing is served
	assert "Bogus" in r.stdout and "503" not in r.stdout and "stays in service" not in r.stdout and "Not running" in r.stdout, r.stdout
	sites.start()
	for how in (("-S",), ("-k", "status")):
		r = sites.bh.run(*how)
		assert "running: %s/b.conf: the virtual hosts of this file answer 503" % sites.dir in r.stdout, r.stdout
	sites.put("b", 404)
	assert "answer 503" in sites.bh.run("-S").stdout  # it has not been told yet
	assert sites.graceful() == (0, "")
	assert "running: every file is in service as it was last read" in sites.bh.run("-S").stdout
	sites.put("b", 404, more="    Bogus on\n")
	r = sites.bh.run("-S")
	assert "Bogus" in r.stdout and "running: every file is in service as it was last read" in r.stdout and "503" not in r.stdout, r.stdout
	assert sites.graceful()[0] == 1
	r = sites.bh.run("-S")
	assert "running: %s/b.conf: the last version of this file that was good stays in service" % sites.dir in r.stdout and "503" not in r.stdout, r.stdout


def test_first_file_broken_from_the_start_stays_the_default(sites):
	sites.put("a", 404, more="    ServerAlias\n")
	sites.start()
	assert [sites.which(n) for n in ("a", "b", "c", "nobody")] == [503, 410, 410, 503]


def test_new_file_that_is_broken_does_not_stop_a_reload(sites):
	sites.start()
	sites.put("d", 404, more="    SandboxProfile none\n")
	sites.put("a", 404)
	status, text = sites.graceful()
	assert status == 1 and "/sites/d.conf:6:20: error" in text, text
	assert [sites.which(n) for n in "abcd"] == [404, 410, 410, 503]


def test_broken_snippet_holds_back_who_includes_it(sites, here):
	"""The last good version of a site is that of all its files."""
	snippet = here + "/snippets/x.inc"
	servers.write(snippet, "Redirect 404 /more\n")
	sites.put("a", 410, more='    Include "%s"\n' % snippet)
	sites.start()
	servers.write(snippet, "Redirekt 403 /more\n")
	sites.put("b", 404)
	status, text = sites.graceful()
	assert status == 1 and "/snippets/x.inc:1:1: error: unknown directive 'Redirekt'; did you mean Redirect?" in text, text
	assert [sites.which(n) for n in "abc"] == [410, 404, 410]
	assert sites.bh.get("a.test", "/more").status == 404
	servers.write(snippet, "Redirect 403 /more\n")
	assert sites.graceful() == (0, "")
	assert sites.bh.get("a.test", "/more").status == 403


def test_what_is_no_site_file_stops_the_reload(sites):
	"""Rules that hold for everybody are taken in as a whole or not at all; and who is broken by them is not to blame."""
	servers.write(sites.dir + "/0-rules.conf", "<Directory />\nRequire all granted\n</Directory>\n")
	sites.start()
	servers.write(sites.dir + "/0-rules.conf", "<Directory />\nRequire all denyed\n</Directory>\n")
	sites.put("a", 404)
	status, text = sites.graceful()
	assert status == 1 and "0-rules.conf:2:13: error" in text and "reload refused" in text, text
	assert sites.which("a") == 410
	os.unlink(sites.dir + "/0-rules.conf")
	sites.put("a", 404, more="    LimitRequestLine ${LINE}\n", before="")
	sites.bh.write(site_conf.common(sites.docroot) + 'Define LINE 9000\nIncludeOptional "%s/*.conf"\n' % sites.dir)
	assert sites.graceful() == (0, "")
	assert sites.which("a") == 404
	sites.bh.write(site_conf.common(sites.docroot) + 'IncludeOptional "%s/*.conf"\n' % sites.dir)
	sites.put("c", 404)
	status, text = sites.graceful()
	assert status == 1 and "reload refused" in text, text
	assert [sites.which(n) for n in "ac"] == [404, 410]


def test_all_errors_are_named(sites):
	sites.put("a", 404, more="    Bogus on\n    Timeout x\n")
	sites.put("c", 404, more="    Bogus on\n")
	r = sites.bh.run("-t")
	assert r.returncode == 1
	for place in ("a.conf:6:5:", "a.conf:7:13:", "c.conf:6:5:"):
		assert place in r.stdout, r.stdout
