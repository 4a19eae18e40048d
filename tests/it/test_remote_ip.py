# SPDX-License-Identifier: Apache-2.0
"""RemoteIPHeader: the client that known proxies name, and forged fields of everybody else."""
import json

import pytest

import conftest
import proc
import servers
import site_conf
from rawhttp import Conn

pytestmark = pytest.mark.bulkhead

FORMAT = 'LogFormat "who %h %a %{c}a %r" who\n'
TRUSTED, INTERNAL, STRANGER = "127.0.0.9", "127.0.0.10", "127.0.0.8"


@pytest.fixture(scope="module")
def bh(tmp, module_fleet, docroot, fpm):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	sock, who = tmp + "/remote.sock", tmp + "/remote-who.log"
	listed = servers.write(tmp + "/proxies.list", "# a host's own proxies\n%s\n" % STRANGER)
	body = '    DocumentRoot "%s"\n    Dispatch worker\n    UsePool fpm\n    CustomLog "%s" who\n' % (docroot, who)
	b = servers.Bulkhead(tmp + "/remote", "Listen unix:%s\n" % sock + FORMAT + site_conf.common(docroot) + site_conf.pool("fpm", fpm.server())
		+ "RemoteIPHeader X-Forwarded-For\nRemoteIPProxiesHeader X-Forwarded-By\n"
		+ "RemoteIPTrustedProxy %s\nRemoteIPInternalProxy %s unix:\n" % (TRUSTED, INTERNAL)
		+ "<VirtualHost *>\n    ServerName w.test\n%s</VirtualHost>\n" % body
		+ "<VirtualHost *>\n    ServerName own.test\n    RemoteIPTrustedProxyList %s\n%s</VirtualHost>\n" % (listed, body)
		+ "<VirtualHost *>\n    ServerName real.test\n    RemoteIPHeader X-Real-IP\n%s</VirtualHost>\n" % body)
	b = module_fleet.start(b)
	b.sock, b.who = sock, who
	return b


def ask(bh, fields, source=None, host="w.test", addr=None, mark=""):
	with Conn(addr or bh.addr, source=source) as c:
		c.send(("GET /dump.php?%s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n" % (mark, host, "".join(f + "\r\n" for f in fields))).encode())
		r = c.response()
	assert r.status == 200, r
	return json.loads(r.body)["server"]


def logged(bh, mark):
	"""The words of the log line of the request for @mark."""
	def line():
		with open(bh.who) as f:
			return [x.split() for x in f if mark in x]
	return proc.wait_for(line, 3, why="a line in the log")[0]


def test_a_trusted_proxy_is_believed(bh):
	v = ask(bh, ["X-Forwarded-For: 203.0.113.66, 198.51.100.7"], TRUSTED, mark="believed")
	assert v["REMOTE_ADDR"] == "198.51.100.7"
	# What nobody vouches for is left for scripts to judge; what was used is gone.
	assert v["HTTP_X_FORWARDED_FOR"] == "203.0.113.66"
	assert v["HTTP_X_FORWARDED_BY"] == TRUSTED
	who, h, a, peer = logged(bh, "believed")[:4]
	assert (h, a, peer) == ("198.51.100.7", "198.51.100.7", TRUSTED)


def test_a_stranger_is_not(bh):
	"""A forged field is a field like any other: PHP sees it, REMOTE_ADDR does not change, nor does the log."""
	v = ask(bh, ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-By: 10.0.0.1", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6"], STRANGER, mark="stranger")
	assert v["REMOTE_ADDR"] == STRANGER and v["HTTP_X_FORWARDED_FOR"] == "198.51.100.7"
	assert "HTTP_X_FORWARDED_BY" not in v, "which proxies a request came through is ours to say"
	assert v["HTTP_X_REAL_IP"] == "6.6.6.6" and v["HTTP_FORWARDED"] == "for=6.6.6.6"
	assert logged(bh, "stranger")[1] == STRANGER


CHAINS = [
	(TRUSTED, [], TRUSTED),
	(TRUSTED, ["X-Forwarded-For: 10.0.0.5"], TRUSTED),                        # private: nobody on the internet has it
	(INTERNAL, ["X-Forwarded-For: 10.0.0.5"], "10.0.0.5"),
	(INTERNAL, ["X-Forwarded-For: 198.51.100.7, " + TRUSTED], "198.51.100.7"),# two proxies
	(INTERNAL, ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: " + TRUSTED], "198.51.100.7"),
	(INTERNAL, ["X-Forwarded-For: 198.51.100.7, " + STRANGER], STRANGER),     # the chain ends at who is not known
	(TRUSTED, ["X-Forwarded-For: evil"], TRUSTED),
	(TRUSTED, ["X-Forwarded-For: 198.51.100.7, "], TRUSTED),
	(TRUSTED, ["X-Forwarded-For: 198.51.100.7:1234"], TRUSTED),
	(TRUSTED, ["X-Forwarded-For: 2001:db8::5"], "2001:db8::5"),
	(TRUSTED, ["X_Forwarded_For: 198.51.100.7"], TRUSTED),                    # another name, however PHP would spell it
	(TRUSTED, ["X-Real-IP: 198.51.100.7"], TRUSTED),
	(TRUSTED, ["X-Forwarded-For: 203.0.113.66, 198.51.100.7"], "198.51.100.7"),
	(INTERNAL, ["X-Forwarded-For: 203.0.113.66 , 198.51.100.7 , %s , %s" % (TRUSTED, TRUSTED)], TRUSTED), # a private address, named by one who is not internal
	(INTERNAL, ["X-Forwarded-For: 203.0.113.66", "X-Forwarded-For: 198.51.100.7, %s" % TRUSTED], "198.51.100.7"),
	(STRANGER, ["X-Forwarded-For: 198.51.100.7"], STRANGER),
]


@pytest.mark.parametrize("source, fields, client", CHAINS)
def test_chains(bh, source, fields, client):
	assert ask(bh, fields, source)["REMOTE_ADDR"] == client


def test_apache_agrees(bh, here, docroot, ini, fleet):
	"""mod_remoteip makes the same of every chain: the client, what is left of the field, and the list of proxies."""
	conftest.need(servers.tool("apache2"), "no apache2")
	apache = fleet.start(servers.Apache(here + "/apache", site_conf.common(docroot) + "RemoteIPHeader X-Forwarded-For\nRemoteIPProxiesHeader X-Forwarded-By\n"
		+ "RemoteIPTrustedProxy %s\nRemoteIPInternalProxy %s\n" % (TRUSTED, INTERNAL)
		+ '<VirtualHost *>\n    ServerName w.test\n    DocumentRoot "%s"\n%s</VirtualHost>\n' % (docroot, site_conf.ini_lines(ini)),
		modules=servers.APACHE_MODULES + " remoteip"))
	names = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_BY")
	for source, fields, _ in CHAINS:
		ours, theirs = ask(bh, fields, source), ask(bh, fields, source, addr=apache.addr)
		assert {n: ours.get(n) for n in names} == {n: theirs.get(n) for n in names}, (source, fields)


def test_hosts_have_their_own(bh):
	"""A host's list replaces the main server's, and so does its field."""
	forged = ["X-Forwarded-For: 198.51.100.7"]
	assert ask(bh, forged, STRANGER, "own.test")["REMOTE_ADDR"] == "198.51.100.7"
	assert ask(bh, forged, TRUSTED, "own.test")["REMOTE_ADDR"] == TRUSTED
	assert ask(bh, forged, TRUSTED, "real.test")["REMOTE_ADDR"] == TRUSTED
	assert ask(bh, ["X-Real-IP: 198.51.100.9"] + forged, TRUSTED, "real.test")["REMOTE_ADDR"] == "198.51.100.9"


def test_over_a_unix_socket(bh):
	assert ask(bh, ["X-Forwarded-For: 198.51.100.7"], addr=bh.sock)["REMOTE_ADDR"] == "198.51.100.7"
	assert ask(bh, ["X-Forwarded-For: 198.51.100.7"], addr=bh.sock, host="own.test")["REMOTE_ADDR"] == ""


def test_each_request_of_a_connection(bh):
	"""A proxy keeps its connections for the requests of many clients."""
	with Conn(bh.addr, source=TRUSTED) as c:
		for client in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
			c.send(("GET /dump.php HTTP/1.1\r\nHost: w.test\r\nX-Forwarded-For: %s\r\n\r\n" % client).encode())
			assert json.loads(c.response().body)["server"]["REMOTE_ADDR"] == client
		c.send(b"GET /dump.php HTTP/1.1\r\nHost: w.test\r\n\r\n")
		assert json.loads(c.response().body)["server"]["REMOTE_ADDR"] == TRUSTED


def test_rates_count_the_client_behind(here, docroot, fleet):
	conf = site_conf.common(docroot) + ("RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy %s\nLimitClientRate 3/minute\nLimitClientExempt none\n"
		"<VirtualHost *>\n    ServerName w.test\n    DocumentRoot \"%s\"\n</VirtualHost>\n" % (TRUSTED, docroot))
	b = fleet.start(servers.Bulkhead(here + "/bulkhead", conf))
	def status(client, source=TRUSTED):
		with Conn(b.addr, source=source) as c:
			c.send(("GET /hello.txt HTTP/1.1\r\nHost: w.test\r\nX-Forwarded-For: %s\r\n\r\n" % client).encode())
			return c.response().status
	assert [status("198.51.100.1") for _ in range(5)] == [200, 200, 200, 429, 429]
	assert status("198.51.100.2") == 200
	# A stranger cannot spend another's share, nor escape his own.
	assert [status("198.51.100.3", STRANGER) for _ in range(2)] + [status("198.51.100.4", STRANGER) for _ in range(2)] == [200, 200, 200, 429]
	assert [status("198.51.100.3") for _ in range(2)] == [200, 200]
