# SPDX-License-Identifier: Apache-2.0
"""mail() of cells: PHP's own checks, what sendmail -t would do, the relay, and what a site may not."""
import base64
import email
import email.policy
import json
import os
import signal
import threading
import time

import pytest

import conftest
import levels
import proc
import servers
import site_conf
from smtp import Relay

pytestmark = pytest.mark.bulkhead

SCRIPT = """<?php
$a = json_decode(file_get_contents('php://input'), true);
$errors = [];
set_error_handler(function ($n, $m) use (&$errors) { $errors[] = $m; return true; });
$in = fn ($v) => is_string($v) ? base64_decode($v) : array_map('base64_decode', $v);
$fds = fn () => is_dir('/proc/self/fd') ? count(scandir('/proc/self/fd')) : 0; // a site sees it with SandboxOff only
$before = $fds();
$began = microtime(true);
try {
	$r = ($a['f'] ?? 'mail')(...array_map($in, $a['args']));
} catch (Throwable $t) {
	$r = get_class($t) . ': ' . $t->getMessage();
}
header('Content-Type: application/json');
echo json_encode(['r' => $r, 'errors' => $errors, 's' => microtime(true) - $began, 'fds' => $fds() - $before]);
"""


def pack(v):
	if isinstance(v, dict):
		return {k: pack(x) for k, x in v.items()}
	return base64.b64encode(v if isinstance(v, bytes) else v.encode()).decode()


class Host:
	"""A server with sites one.test and two.test, and a relay."""

	def __init__(self, here, ini, fleet, relay, isolation="fresh", one="", two="", main="", start=True):
		self.root = here + "/root"
		os.makedirs(self.root, exist_ok=True)
		servers.write(self.root + "/mail.php", SCRIPT)
		self.ini, self.here, self.relay, self.isolation = ini, here, relay, isolation
		self.bh = servers.Bulkhead(here + "/bulkhead", self.conf(one, two, main))
		if start:
			fleet.start(self.bh)

	def conf(self, one="", two="", main=""):
		user = "MailUser daemon\n" if proc.ROOT else ""
		relay = "MailRelay %s\n" % self.relay.url() if self.relay else ""
		return (user + main + relay + "<Directory />\n    Require all granted\n</Directory>\n"
			+ site_conf.prefork_vhost("one.test", self.root, self.isolation, self.ini, one)
			+ site_conf.prefork_vhost("two.test", self.root, self.isolation, self.ini, two))

	def call(self, *args, site="one.test", f="mail", timeout=30):
		body = json.dumps({"f": f, "args": [pack(a) for a in args]}).encode()
		r = self.bh.get(site, "/mail.php", method="POST", body=body, timeout=timeout)
		assert r.status == 200, (r.status, r.body, self.bh.log()[-2000:])
		return json.loads(r.body)

	def ok(self, *args, **k):
		a = self.call(*args, **k)
		assert a["r"] is True and a["errors"] == [], (a, self.bh.log()[-1500:])
		return a

	def fails(self, *args, why, **k):
		a = self.call(*args, **k)
		assert a["r"] is False and len(a["errors"]) == 1 and why in a["errors"][0], (a, self.bh.log()[-1500:])
		return a

	def mail_process(self):
		found = []
		for p in proc.descendants(self.bh.pid):
			try:
				if proc.status_of(p)["Name"] == "bulkhead-mail":
					found.append(p)
			except OSError:
				pass # a cell that has ended meanwhile
		assert len(found) <= 1, found
		return found[0] if found else 0


@pytest.fixture
def relay():
	r = Relay()
	yield r
	r.close()


@pytest.fixture
def host(here, ini, fleet, relay):
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")

	def make(the_relay=relay, **k):
		return Host(here, ini, fleet, the_relay, **k)
	return make


# --- what arrives ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("isolation", levels.ALL)
def test_simple(tmp, host, relay, isolation):
	levels.need(tmp, isolation)
	h = host(isolation=isolation, start=False, main="SandboxOff mount landlock\n") # its script counts its descriptors in /proc
	h.bh.start()
	try:
		for i in range(6):
			a = h.ok("a@example.org", "Hello %d" % i, "line one\nline two\n", "From: w@one.test\r\nX-Own: yes")
			assert a["fds"] == 0, "mail() leaves descriptors behind"
			m = relay.take()
			assert m.rcpts == ["a@example.org"] and m.field("Subject") == [b"Hello %d" % i] and m.field("To") == [b"a@example.org"]
			assert m.field("From") == [b"w@one.test"] and m.field("X-Own") == [b"yes"]
			assert m.body == b"line one\r\nline two\r\n\r\n"
			assert len(m.field("Date")) == 1 and len(m.field("Message-ID")) == 1
			user = servers.SITE_USER if proc.ROOT else h.bh.run("-S").stdout.split("one.test")[1].split(":")[0].split()[-1]
			assert m.sender.startswith(b"MAIL FROM:<%s@one.test>" % user.encode()), m.sender
			assert b"BODY=8BITMIME" in m.sender and b" SIZE=" in m.sender
			assert m.helo == "main.test"
	finally:
		assert h.bh.stop() == []


def test_header_array_and_utf8(host, relay):
	h = host()
	h.ok("Jos\u00e9 <j@example.org>", "=?UTF-8?B?w4R0aGVy?=", "\u00c4ther \u20ac\n", {"From": "w@one.test", "Cc": "c1@x.org, \"C, two\" <c2@x.org>",
		"X-Note": "\u00e4\u00f6\u00fc", "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit"})
	m = relay.take()
	assert sorted(m.rcpts) == ["c1@x.org", "c2@x.org", "j@example.org"]
	assert m.field("To") == ["Jos\u00e9 <j@example.org>".encode()] and m.field("X-Note") == ["\u00e4\u00f6\u00fc".encode()]
	assert "\u00c4ther \u20ac".encode() in m.body


def test_bcc_is_sent_and_not_shown(host, relay):
	h = host()
	h.ok("a@x.org, a@x.org, B <b@x.org>", "s", "b", "Bcc: hidden@x.org,\r\n\tfolded@x.org\r\nX-After: 1\r\nbCC: third@x.org (comment, with comma)")
	m = relay.take()
	assert sorted(m.rcpts) == ["a@x.org", "b@x.org", "folded@x.org", "hidden@x.org", "third@x.org"]
	assert b"hidden" not in m.data and b"folded" not in m.data and b"third" not in m.data and m.field("X-After") == [b"1"]
	assert m.field("Bcc") == []


def test_bcc_only(host, relay):
	h = host()
	h.ok("", "s", "b", "Bcc: only@x.org")
	m = relay.take()
	assert m.rcpts == ["only@x.org"] and b"only@" not in m.data and m.field("To") == [b"undisclosed-recipients:;"]


def test_dots_long_lines_and_line_ends(host, relay):
	h = host()
	long = "x" * 2500
	h.ok("a@x.org", "s", ".\n..\n.dot\na\r\nb\rc\n" + long + "\n" + "\u20ac" * 700 + "\nend.")
	m = relay.take()
	lines = m.body.split(b"\r\n")
	assert lines[:6] == [b".", b"..", b".dot", b"a", b"b", b"c"]
	assert b"".join(lines).replace(b" ", b"").count(b"x") == 2500 and max(map(len, lines)) <= 998
	assert m.body.replace(b"\r\n ", b"").decode().count("\u20ac") == 700  # no character is torn apart
	assert lines[-3:] == [b"end.", b"", b""] or lines[-2:] == [b"end.", b""]


def test_end_of_data_cannot_be_forged(host, relay):
	"""SMTP commands in a body, behind every spelling of an end of data, stay a body."""
	h = host()
	evil = "MAIL FROM:<evil@x.org>{0}RCPT TO:<victim@x.org>{0}DATA{0}smuggled{0}.{0}"
	for i, dot in enumerate(["\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\n.\r", "\r.\n", "\n\0.\n"]):
		args = ("a@x.org", "n%d" % i, "before" + dot + evil.format("\r\n"))
		if "\0" in dot:
			assert "null bytes" in str(h.call(*args)["r"])
			continue
		h.ok(*args)
		m = relay.take()
		assert m.rcpts == ["a@x.org"] and b"victim" in m.body and m.field("Subject") == [b"n%d" % i]
	assert relay.messages == []


def test_attachment_of_a_megabyte(host, relay):
	h = host()
	data = os.urandom(1 << 20)
	text = base64.encodebytes(data).decode()
	h.ok("a@x.org", "big", "--B\r\nContent-Type: text/plain\r\n\r\nsee\r\n--B\r\nContent-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=x.bin\r\n\r\n" + text + "\r\n--B--\r\n",
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B")
	m = email.message_from_bytes(relay.take().data, policy=email.policy.default)
	parts = list(m.iter_attachments())
	assert len(parts) == 1 and parts[0].get_content() == data


def test_long_recipient_list(host, relay):
	h = host(main="MailRate 1000/hour\n")
	h.ok(", ".join("u%d@x.org" % i for i in range(300)), "s", "b")
	assert len(relay.take().rcpts) == 300


# --- PHP's own rules ----------------------------------------------------------------------------------------------------------

def test_injection_as_php_sees_it(host, relay):
	h = host()
	# Line ends in To and Subject become blanks.
	a = h.call("a@x.org", "hello\nBcc: evil@x.org\n\nbody", "b")
	assert a["r"] is True
	m = relay.take()
	assert m.rcpts == ["a@x.org"] and m.field("Bcc") == [] and m.field("Subject") == [b"hello Bcc: evil@x.org  body"]
	a = h.call("a@x.org\nBcc: evil@x.org", "s", "b")
	assert a["r"] is False and relay.messages == [], "what PHP makes one line of is no list of addresses: %s" % a
	for headers in ("X: 1\r\n\r\nevil", "X: 1\n\nevil", "\r\nX: 1", "X: 1\r\n\r\nBcc: e@x.org"):
		a = h.call("a@x.org", "s", "b", headers)
		if a["r"] is True: # PHP trims line ends at both sides
			assert b"evil" not in relay.take().data
		else:
			assert "multiple or malformed newlines" in "".join(a["errors"]).lower(), a
	for bad in ({"X-A": "1\r\nBcc: evil@x.org"}, {"X-A\r\nBcc": "e@x.org"}, {"Subject": "x"}, {"to": "x@x.org"}):
		assert "Error" in str(h.call("a@x.org", "s", "b", bad)["r"]), bad
	for args in (("a\0@x.org", "s", "b"), ("a@x.org", "s\0", "b"), ("a@x.org", "s", "b\0"), ("a@x.org", "s", "b", "X: 1\0"), ("a@x.org", "s", "b", "", "-f\0")):
		assert "null bytes" in str(h.call(*args)["r"])
	assert relay.messages == []


def test_log_and_x_header_are_phps(host, relay, here):
	log = servers.writable_dir(here + "/maillog") + "/mail.log"
	h = host(one='    php_admin_value mail.log "%s"\n    php_admin_flag mail.add_x_header On\n' % log)
	h.ok("a@x.org", "Subject of it", "b", "X-One: 1")
	m = relay.take()
	value = m.field("X-PHP-Originating-Script")
	assert len(value) == 1 and value[0].endswith(b":mail.php"), m.head
	text = open(log).read()
	assert "mail.php" in text and "a@x.org" in text and "Subject of it" in text
	h.ok("a@x.org", "s", "b", site="two.test")
	assert relay.take().field("X-PHP-Originating-Script") == []


def test_disabled_function(host, relay):
	h = host(one='    php_admin_value disable_functions "mail"\n')
	assert "undefined function" in h.call("a@x.org", "s", "b")["r"]
	h.ok("a@x.org", "s", "b", site="two.test")


def test_error_log_by_mail_and_mb_send_mail(host, relay):
	h = host()
	h.ok("it broke", "1", "admin@x.org", f="error_log")
	m = relay.take()
	assert m.rcpts == ["admin@x.org"] and b"it broke" in m.body
	h.ok("a@x.org", "\u00dcber", "\u00c4ther\n", f="mb_send_mail")
	m = relay.take()
	assert m.rcpts == ["a@x.org"] and b"=?UTF-8?" in m.field("Subject")[0]


def test_other_commands_are_not_ours(host):
	h = host()
	for command in ("id", "sendmail -t", "bulkhead-mailx", "/bin/sh"):
		a = h.call(command, "w", f="popen")
		assert a["r"] is False, a


# --- the envelope sender ---------------------------------------------------------------------------------------------------------

def test_sender(host, relay):
	h = host(two="    MailFrom @two.test bounce@lists.test\n")
	for params, want in (("-fx@y.org", "x@y.org"), ("-f x@y.org", "x@y.org"), ("-r<r@y.org>", "r@y.org"), ("-oi -fx@y.org -X/tmp/evil", "x@y.org")):
		h.ok("a@x.org", "s", "b", "", params)
		assert relay.take().sender.startswith(b"MAIL FROM:<%s>" % want.encode()), params
	assert not os.path.exists("/tmp/evil")
	h.fails("a@x.org", "s", "b", "", "-f'a>b@y.org'", why="no address")
	# Only what MailFrom allows; without -f its first address.
	h.ok("a@x.org", "s", "b", site="two.test")
	assert relay.take().sender.startswith(b"MAIL FROM:<bounce@lists.test>")
	h.ok("a@x.org", "s", "b", "", "-fShop@TWO.test", site="two.test")
	assert relay.take().sender.startswith(b"MAIL FROM:<Shop@TWO.test>")
	for bad in ("x@one.test", "x@sub.two.test", "x@xtwo.test", "other@lists.test", "two.test"):
		h.fails("a@x.org", "s", "b", "", "-f" + bad, site="two.test", why="MailFrom")
	assert relay.messages == []
	assert "site=two.test" in h.bh.log() and "is not one of MailFrom" in h.bh.log()


# --- profiles and zygotes --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("profile,spares", [("strict", 1), ("php", 0), ("php", 1)])
def test_profiles_and_spare_zygotes(host, relay, profile, spares):
	h = host(main="SpareZygotes %d\n" % spares, one="    SandboxProfile %s\n" % profile)
	time.sleep(0.5) # for the spare one to be ready
	for site in ("one.test", "two.test"):
		h.ok("a@x.org", "s", "b", site=site)
	assert {m.sender.split(b"@")[1].split(b">")[0] for m in relay.take(2)} == {b"one.test", b"two.test"}


def test_legacy_has_phps_own(host, relay, here):
	"""A profile that may start programs starts sendmail_path, relay or not."""
	out = servers.writable_dir(here + "/out") + "/got"
	program = servers.write(here + "/sendmail", "#!/bin/sh\necho \"$@\" > %s\ncat >> %s\n" % (out, out))
	os.chmod(program, 0o755)
	h = host(one='    SandboxProfile legacy\n    SandboxPath "%s" rw\n    php_admin_value sendmail_path "%s -t -i"\n' % (here + "/out", program))
	h.ok("a@x.org", "hello", "body", "Bcc: b@x.org", "-ff@x.org")
	text = open(out).read()
	assert text.startswith("-t -i -ff@x.org\n") and "Bcc: b@x.org" in text and "body" in text
	assert relay.messages == [] and relay.connections == 0
	h.ok("a@x.org", "s", "b", site="two.test")
	assert relay.take().rcpts == ["a@x.org"]


# --- limits ------------------------------------------------------------------------------------------------------------------

def test_rate_is_each_sites_own(host, relay):
	h = host(main="MailRate 3/day\n", two="    MailRate 100/second\n")
	for i in range(3):
		h.ok("a@x.org", "n%d" % i, "b")
	h.fails("a@x.org", "s", "b", why="MailRate is used up")
	for i in range(10):
		h.ok("a@x.org", "s", "b", site="two.test")
	h.fails("a@x.org", "s", "b", why="MailRate is used up")
	assert len(relay.take(13)) == 13 and relay.messages == []
	log = h.bh.log()
	assert "site=one.test" in log and "script=%s/mail.php" % h.root in log and "mail failed (number 2)" in log
	refused = [line for line in log.splitlines() if "mail failed" in line]
	assert refused and not [line for line in refused if "from <>" in line], "who would have been the sender is said"
	assert "site=two.test mail failed" not in log


def test_recipients_count(host, relay):
	h = host(main="MailRate 5/day\n")
	h.fails(", ".join("u%d@x.org" % i for i in range(6)), "s", "b", why="more than MailRate ever allows")
	h.ok("a@x.org, b@x.org, c@x.org", "s", "b", "Bcc: d@x.org")
	h.fails("a@x.org, b@x.org", "s", "b", why="MailRate is used up")
	h.ok("a@x.org", "s", "b")
	assert len(relay.take(2)) == 2


def test_rate_flows_back(host, relay):
	h = host(main="MailRate 2/second\n")
	h.ok("a@x.org, b@x.org", "s", "b")
	time.sleep(1.2)
	h.ok("a@x.org, b@x.org", "s", "b")


def test_size(host, relay):
	h = host(main="MailMaxSize 20000\n")
	h.ok("a@x.org", "s", "b" * 10000)
	relay.take()
	h.fails("a@x.org", "s", "b" * 3000000, why="MailMaxSize")
	assert relay.messages == [] and relay.cut == 0


def test_no_relay(host):
	h = host(the_relay=None)
	h.fails("a@x.org", "s", "b", why="no MailRelay")
	assert h.mail_process() == 0, "no site has mail, and yet there is a process for it"


def test_one_site_without(host, relay):
	h = host(two="    MailRelay none\n")
	h.fails("a@x.org", "s", "b", site="two.test", why="no MailRelay")
	h.ok("a@x.org", "s", "b")


def test_nobody_and_nonsense(host, relay):
	h = host()
	h.fails("", "s", "b", why="nobody to send to")
	h.fails("two words", "s", "b", why="not a list of addresses")
	h.fails("<a@x.org", "s", "b", why="not a list of addresses")
	assert relay.messages == [] and relay.connections == 0


# --- relays that misbehave -----------------------------------------------------------------------------------------------------

def test_relay_down(host, relay):
	h = host(main="MailRate 2/day\n")
	port = relay.port
	relay.close()
	for _ in range(4): # what was not sent costs nothing
		a = h.fails("a@x.org", "s", "b", why="no connection to the relay 127.0.0.1:%d" % port)
		assert a["s"] < 2
	r = h.bh.get("one.test", "/mail.php", method="POST", body=b'{"f":"strlen","args":["YWJj"]}')
	assert json.loads(r.body)["r"] == 3


@pytest.mark.parametrize("step,word", [("greeting", "greeting"), ("EHLO", "EHLO"), ("DATA", "DATA"), ("dot0", "end of message")])
def test_hung_relay(host, relay, step, word):
	"""It costs the script its time-out, once; then the site's mails fail at once for a while. Other sites' time is their own."""
	relay.say[step] = None
	h = host(main="MailTimeout 1\n")
	a = h.fails("a@x.org", "s", "b", why="did not answer %s in time" % word)
	assert 0.8 < a["s"] < 3
	a = h.fails("a@x.org", "s", "b", why="did not answer lately")
	assert a["s"] < 0.5
	relay.say.clear()
	h.ok("a@x.org", "s", "b", site="two.test")


def test_many_mails_to_a_hung_relay(host, relay):
	"""More at once than are let through: each waits for its time-out, no longer."""
	relay.say["greeting"] = None
	h = host(main="MailTimeout 1\n")
	out = []
	threads = [threading.Thread(target=lambda: out.append(h.call("a@x.org", "s", "b"))) for _ in range(6)]
	began = time.monotonic()
	for t in threads:
		t.start()
	for t in threads:
		t.join(20)
	assert len(out) == 6 and all(a["r"] is False for a in out) and max(a["s"] for a in out) < 4, out
	assert time.monotonic() - began < 10
	assert h.bh.get("two.test", "/mail.php", method="POST", body=b'{"f":"strlen","args":["YWJj"]}').status == 200


def test_slow_relay(host, relay):
	relay.delay = 0.2
	h = host()
	a = h.ok("a@x.org", "s", "b")
	assert a["s"] > 0.6


@pytest.mark.parametrize("step,reply,why", [
	("greeting", "554 go away\r\n", "answers greeting: 554 go away"),
	("greeting", "421 busy\r\n", "answers greeting: 421 busy"),
	("MAIL", "550-first\r\n550 5.7.1 not you\r\n", "answers MAIL FROM: 550 5.7.1 not you"),
	("RCPT", "550 5.1.1 nobody\r\n", "answers RCPT TO <a@x.org>: 550 5.1.1 nobody"),
	("RCPT", "450 greylisted\r\n", "450 greylisted"),
	("DATA", "451 no\r\n", "answers DATA: 451 no"),
	("dot0", "552 too big\r\n", "552 too big"),
	("greeting", "nonsense\r\n", "does not speak SMTP"),
	("greeting", "220-a\r\n250 b\r\n", "does not speak SMTP"),
	("MAIL", "2" * 5000, "does not speak SMTP"),
	("EHLO", "250-" + "x" * 3000 + "\r\n", "does not speak SMTP"),
])
def test_relay_says_no(host, relay, step, reply, why):
	relay.say[step] = reply
	h = host()
	h.fails("a@x.org", "s", "b", why=why)
	assert "site=one.test" in h.bh.log()
	assert step == "dot0" or relay.messages == []


def test_one_bad_recipient_stops_the_message(host, relay):
	relay.say["RCPT"] = {"bad@": "550 no such user\r\n"}
	h = host()
	h.fails("a@x.org, bad@x.org, c@x.org", "s", "b", why="<bad@x.org>: 550")
	assert relay.messages == []
	h.ok("a@x.org, c@x.org", "s", "b")


def test_old_server_without_ehlo(host, relay):
	relay.say["EHLO"] = "502 what\r\n"
	h = host()
	real = relay.reply
	relay.reply = lambda s, what, text: (s.sendall(b"502 what\r\n"), True)[1] if what == "EHLO" else real(s, what, text)
	h.ok("a@x.org", "s", "b")
	m = relay.take()
	assert m.sender == b"MAIL FROM:<%s@one.test>\r\n" % (servers.SITE_USER.encode() if proc.ROOT else m.sender.split(b"<")[1].split(b"@")[0])
	assert any(c.startswith(b"HELO ") for c in m.commands)


@pytest.mark.parametrize("lmtp", [False, True])
def test_over_a_unix_socket(host, here, lmtp):
	relay = Relay(here + "/relay.sock", lmtp=lmtp)
	try:
		h = host(the_relay=relay)
		h.ok("a@x.org, b@x.org", "s", "body")
		m = relay.take()
		assert m.rcpts == ["a@x.org", "b@x.org"] and any(c.startswith(b"LHLO" if lmtp else b"EHLO") for c in m.commands)
		if lmtp: # one reply for each recipient; what one took is sent
			relay.say["dot1"] = "550 mailbox full\r\n"
			h.ok("a@x.org, b@x.org", "s", "body")
			assert "1 of 2 recipients took it" in h.bh.log()
			relay.say["dot0"] = "550 mailbox full\r\n"
			h.fails("a@x.org, b@x.org", "s", "body", why="550 mailbox full")
	finally:
		relay.close()


# --- who may talk to it --------------------------------------------------------------------------------------------------------

def test_its_locks(host, relay):
	h = host()
	h.ok("a@x.org", "s", "b")
	pid = h.mail_process()
	st = proc.status_of(pid)
	for which in ("CapEff", "CapPrm", "CapInh", "CapAmb") + (("CapBnd",) if proc.ROOT else ()):
		assert int(st[which], 16) == 0
	assert st["NoNewPrivs"] == "1" and st["Threads"] == "1"
	assert st["Seccomp"] == ("0" if servers.SANITIZED else "2")
	if proc.ROOT:
		import pwd
		assert set(st["Uid"].split()) == {str(pwd.getpwnam("daemon").pw_uid)}
		with open("/proc/net/tcp") as f:
			listening = {"socket:[%s]" % l.split()[9] for l in f.readlines()[1:] if l.split()[3] == "0A"}
		assert listening & set(proc.fds_of(h.bh.pid)), "the master listens"
		assert not listening & set(proc.fds_of(pid)), "a listening socket in the mail process"
	rows = h.bh.run("-k", "status").stdout
	assert any(l.startswith("mail ") and str(pid) in l for l in rows.splitlines()), rows


@pytest.mark.parametrize("extra", ["", "    php_admin_value opcache.enable 0\n"], ids=["opcache", "no-opcache"])
@pytest.mark.parametrize("isolation", levels.ALL)
def test_cells_hold_one_channel_more(host, relay, isolation, extra):
	"""Its connection to the front, without the front's end, and the way to the mail process."""
	if not proc.ROOT:
		pytest.skip("only root may look at the descriptors of a process that cannot be dumped")
	h = host(isolation=isolation, one=extra)
	h.ok("a@x.org", "s", "b")

	def cells():
		table, php = proc.parents(), h.bh.processes()[1]
		return [p for p in php if table.get(p) in php and proc.alive(p) and proc.status_of(p)["Name"] == "bh-cell"]
	seen = 0
	for pid in proc.wait_for(cells, why="a cell"):
		fds = proc.fds_of(pid)
		if not fds or not proc.alive(pid):
			continue
		seen += 1
		assert len({f for f in fds if f.startswith("socket:")}) == 2, fds
		assert not {f for f in fds if f.startswith("socket:")} & set(proc.fds_of(h.bh.processes()[0][0])), "an end of the front's"
	assert seen > 0


def test_restart(host, relay):
	"""Killed, it is there again, and the sites that run keep their mail."""
	h = host()
	h.ok("a@x.org", "s", "b")
	old = h.mail_process()
	os.kill(old, signal.SIGKILL)
	proc.wait_for(lambda: h.mail_process() not in (0, old), why="another mail process")
	h.ok("a@x.org", "s", "b")
	h.ok("a@x.org", "s", "b", site="two.test")
	assert len(relay.take(3)) == 3 and "mail process ended" in h.bh.log()


def test_reload_and_stop(host, relay):
	h = host()
	h.ok("a@x.org", "s", "b")
	old = h.mail_process()
	h.bh.write(h.conf(one="    MailFrom new@one.test\n"))
	assert h.bh.run("-k", "graceful").returncode == 0
	proc.wait_for(lambda: "after reload" in h.bh.log(), why="a reload")
	relay.take()
	h.ok("a@x.org", "s", "b")
	assert relay.take().sender.startswith(b"MAIL FROM:<new@one.test>")
	proc.wait_for(lambda: not proc.alive(old), why="the old mail process ends")
	assert h.mail_process() != old


NATIVE = """<?php
$c = FFI::cdef('
	typedef unsigned char u8;
	int socketpair(int, int, int, int *); long send(int, const void *, unsigned long, int); long recv(int, void *, unsigned long, int);
	struct iovec { void *base; unsigned long len; };
	struct msghdr { void *name; unsigned namelen; struct iovec *iov; unsigned long iovlen; void *control; unsigned long controllen; int flags; };
	long sendmsg(int, const struct msghdr *, int); int close(int); int poll(void *, unsigned long, int); int pipe(int *); int shutdown(int, int);
	int open(const char *, int);
');
function pass($c, $fds, $octets = 1) {
	$iov = $c->new('struct iovec'); $data = $c->new('char[8]'); $iov->base = FFI::addr($data[0]); $iov->len = $octets;
	$n = count($fds); $len = 16 + 4 * $n; $room = $c->new('char[256]'); FFI::memset($room, 0, 256);
	FFI::memcpy($room, pack('PVV', $len, 1, 1) . implode('', array_map(fn($f) => pack('V', $f), $fds)), $len);
	$m = $c->new('struct msghdr'); FFI::memset($m, 0, FFI::sizeof($m));
	$m->iov = FFI::addr($iov); $m->iovlen = 1;
	if ($n > 0) { $m->control = FFI::addr($room[0]); $m->controllen = ($len + 7) & ~7; }
	return $c->sendmsg(5, FFI::addr($m), 0x4040);
}
function pair($c) { $p = $c->new('int[2]'); $c->socketpair(1, 1, 0, $p); return [$p[0], $p[1]]; }
function ask($c, $request, $wait = 3000) {
	[$mine, $theirs] = pair($c);
	$sent = pass($c, [$theirs]); $c->close($theirs);
	$c->send($mine, $request, strlen($request), 0x4040);
	$p = $c->new('char[8]'); FFI::memcpy($p, pack('Vvv', $mine, 1, 0), 8);
	$c->poll(FFI::addr($p[0]), 1, $wait);
	$in = $c->new('char[300]'); $n = $c->recv($mine, $in, 300, 0x40);
	$c->close($mine);
	return $n > 6 ? [ord($in[4]), FFI::string(FFI::addr($in[6]), $n - 6)] : [$n, ''];
}
function request($from, $rcpts, $message, $script = '/forged.php') {
	$r = implode('', array_map(fn($x) => $x . "\\0", $rcpts));
	return 'BHM1' . pack('NNNN', strlen($from) + 1, strlen($r), strlen($script) + 1, strlen($message)) . $from . "\\0" . $r . $script . "\\0" . $message;
}
$text = "Subject: native\\n\\nbody\\n";
"""


@pytest.fixture
def native(host, relay):
	"""A site whose scripts may call C, as a tenant with native code would."""
	h = host(one="    php_admin_value ffi.enable 1\n    MailFrom @one.test\n    MailTimeout 2\n", main="MailRate 20/day\n")

	def run(code, timeout=30):
		servers.write(h.root + "/native.php", NATIVE + code)
		r = h.bh.get("one.test", "/native.php", timeout=timeout)
		if b"FFI\" not found" in r.body or b"Class \"FFI\"" in r.body:
			conftest.need(False, "no FFI in this PHP")
		assert r.status == 200, (r.body, h.bh.log()[-1500:])
		return json.loads(r.body)
	h.run = run
	return h


def test_native_code_is_bound_by_the_same_rules(native, relay):
	a = native.run("echo json_encode([ask($c, request('x@one.test', ['a@x.org'], $text)), ask($c, request('x@evil.test', ['a@x.org'], $text))]);")
	assert a[0][0] == 0, a # the protocol as it is meant to be: this test's tools work
	assert a[1][0] == 1 and "MailFrom" in a[1][1]
	assert relay.take().rcpts == ["a@x.org"] and relay.messages == []
	# What it says of itself is a word in a log line; the site in it is the channel's.
	assert "site=one.test script=/forged.php" in native.bh.log()
	native.ok("b@x.org", "s", "b")


@pytest.mark.parametrize("what", [
	"'BHM2' . str_repeat(chr(0), 16)", "'GET / HTTP/1.1' . str_repeat('x', 100)", "'BHM1' . pack('NNNN', 1, 2, 1, 0xffffffff)",
	"'BHM1' . pack('NNNN', 0, 2, 1, 5)", "'BHM1' . pack('NNNN', 1, 0, 1, 5)", "'BHM1' . pack('NNNN', 1, 0x7fffffff, 1, 5)",
	"request(\"x@one.test>\\r\\nRCPT TO:<e@x.org\", ['a@x.org'], $text)", "request('x@one.test', [\"a@x.org>\\r\\nDATA\\r\\n\"], $text)",
	"request('x@one.test', ['a@x.org', ''], $text)", "request('x@one.test', array_fill(0, 2000, 'a@x.org'), $text)",
	"substr(request('x@one.test', ['a@x.org'], $text), 0, 30)",
])
def test_malformed_requests(native, relay, what):
	a = native.run("echo json_encode(ask($c, %s, 3500));" % what)
	assert a[0] != 0, a
	assert relay.messages == []
	native.ok("b@x.org", "s", "b")
	assert native.bh.run("-k", "status").stdout.count("\nmail ") == 1
	assert "mail process ended" not in native.bh.log()


def test_odd_descriptors(native, relay):
	"""Files, pipes, listeners, several at once, none at all: nothing hangs, nothing is kept."""
	native.ok("b@x.org", "s", "b")
	pid = native.mail_process()
	before = len(proc.fds_of(pid)) if proc.ROOT else 0
	a = native.run("""
		$p = $c->new('int[2]'); $c->pipe($p); [$x, $y] = pair($c);
		$null = $c->open('/dev/null', 0);
		$out = [pass($c, [$p[0]]), pass($c, [$p[1]]), pass($c, [0]), pass($c, [5]), pass($c, [$null]), pass($c, [$x, $y]), pass($c, [$x, $y, 3, 5]),
			pass($c, []), pass($c, [3]), pass($c, [$x], 8)];
		echo json_encode($out);""")
	assert any(n == 1 for n in a), a
	native.ok("b@x.org", "s", "b")
	assert native.mail_process() == pid
	if proc.ROOT:
		proc.wait_for(lambda: len(proc.fds_of(pid)) <= before + 1, 6, why="descriptors are given back")


def test_flood_of_connections_is_the_sites_own(native, relay):
	"""A site that opens connections and says nothing has its own four places; the other site's mail goes through."""
	native.ok("b@x.org", "s", "b", site="two.test")
	done = []
	t = threading.Thread(target=lambda: done.append(native.run(
		"$keep = []; $n = 0; for ($i = 0; $i < 100; $i++) { $keep[] = $p = pair($c); $n += pass($c, [$p[1]]) == 1; } usleep(1500000); echo json_encode($n);")))
	t.start()
	time.sleep(0.5)
	for _ in range(5):
		assert native.ok("b@x.org", "s", "b", site="two.test")["s"] < 1
	t.join(20)
	assert done and done[0] >= 4
	# Its own mail works again once the flood is over.
	proc.wait_for(lambda: native.call("b@x.org", "s", "b")["r"] is True, 12, step=0.5, why="the site's own mail")


def test_script_killed_within_its_message(native, relay):
	"""The relay never sees the final dot of a message whose script is gone."""
	servers.write(native.root + "/die.php", NATIVE + """
		[$mine, $theirs] = pair($c); pass($c, [$theirs]); $c->close($theirs);
		$r = request('x@one.test', ['a@x.org'], str_repeat("line\\n", 4000));
		$c->send($mine, $r, 3000, 0x4040);
		usleep(500000); exit(1);""")
	native.bh.get("one.test", "/die.php")
	proc.wait_for(lambda: relay.cut == 1, why="the relay's connection is cut")
	assert relay.messages == []
	assert "the script is gone" in native.bh.log() or "ended within its message" in native.bh.log()


# --- an application --------------------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_wordpress_password_reset(here, tmp, ini, fleet, relay):
	"""A person who forgot the password gets a link by mail (wp_mail, PHPMailer's isMail) and logs in with a new one."""
	import html
	import re
	import apps
	import browser
	conftest.need(servers.bulkhead_bin(), "no bulkhead to test")
	conftest.need(servers.tool("mariadbd", "mysqld"), "no MariaDB")
	try:
		apps.unpack_wordpress(tmp)
	except (RuntimeError, OSError) as e:
		conftest.need(False, "the application's packages cannot be had: %s" % e)
	db = fleet.start(servers.MariaDb(here + "/db"), timeout=60)
	root = apps.wordpress_site(tmp, here + "/wp", db, "wp_mail")
	text = ('MailRelay %s\nMailFrom @wp.test\nSandboxPath "%s/db/run"\n<Directory "%s">\n    Require all granted\n    DirectoryIndex index.php\n</Directory>\n'
		% (relay.url(), here, root)
		+ site_conf.prefork_vhost("wp.test", root, "fresh", ini).replace("RequestTimeout 20", "RequestTimeout 60"))
	bh = fleet.start(servers.Bulkhead(here + "/bulkhead", text))
	apps.wordpress_install(bh.addr, "wp.test", "Post office")
	relay.take() # the installer's own, to the new administrator
	b = browser.Browser(bh.addr, "wp.test")
	form = b.get("/wp-login.php?action=lostpassword").form("user_login")
	p = b.post("/wp-login.php?action=lostpassword", dict(form["fields"], user_login="boss"))
	assert "checkemail" in p.url, (p.url, p.text[:1500], bh.log()[-1500:])
	m = relay.take()
	mail = email.message_from_bytes(m.data, policy=email.policy.default)
	assert "Password Reset" in mail["Subject"] and mail["From"].endswith("<wordpress@wp.test>") and len(m.rcpts) == 1 and m.rcpts[0] in mail["To"]
	link = re.search(r"http://wp\.test(/wp-login\.php\?\S*key=\S+)", mail.get_content()).group(1)
	form = b.get(html.unescape(link).rstrip(">")).form("pass1")
	assert form is not None, mail.get_content()
	p = b.post("/wp-login.php?action=resetpass", dict(form["fields"], pass1="New-w0rd!yz", pass2="New-w0rd!yz"))
	assert p.status == 200 and "error" not in p.url
	form = b.get("/wp-login.php").form("log")
	p = b.post("/wp-login.php", dict(form["fields"], log="boss", pwd="New-w0rd!yz", redirect_to="http://wp.test/wp-admin/"))
	assert "Dashboard" in p.text
