# SPDX-License-Identifier: Apache-2.0
"""What a case of the table is, and how one is run."""
import json
import re

import pytest

import rawhttp


class Case:
	"""
	raw      octets to send; @HOST@ and @PATH@ (a document whose text is "hello") are filled in by the target
	status   the codes that are right
	on       any: static files and PHP on every path; php; static
	body     the exact body, or a pattern (re.compile)
	has      fields that the answer carries: name -> pattern of the whole value, or None for "must not be there"
	conn     open: the connection serves another request; close: it ends, with nothing more sent; None: either
	dump     for /dump.php: $_SERVER key -> value, None for "not set", a pattern, or a function of the value
	closes   half-close after sending
	skip     peer -> why it answers otherwise; the case is not run on that peer
	"""

	def __init__(self, id, raw, status=200, on="any", body=None, has=None, conn=None, dump=None, closes=False, skip=None, method="GET", late=b""):
		self.id, self.raw, self.on, self.body, self.has, self.conn = id, raw, on, body, has or {}, conn
		self.status = status if isinstance(status, tuple) else (status,)
		self.dump, self.closes, self.skip, self.method, self.late = dump, closes, skip or {}, method, late

	def params(self, *on):
		return self.on in on


def req(target="@PATH@", headers="", method="GET", version="HTTP/1.1", host="Host: @HOST@\r\n", body=b""):
	return ("%s %s %s\r\n%s%s\r\n" % (method, target, version, host, headers)).encode("latin-1") + body


def fill(raw, target):
	return raw.replace(b"@HOST@", target.host.encode()).replace(b"@PATH@", target.path.encode())


def matches(want, value):
	if want is None:
		return value is None
	if callable(want):
		return want(value)
	if isinstance(want, re.Pattern):
		return value is not None and want.search(value) is not None
	return want == value


def run(case, target, peer="bulkhead"):
	if peer in case.skip:
		pytest.skip("%s: %s" % (peer, case.skip[peer]))
	with target.conn() as c:
		c.send_what_goes(fill(case.raw, target))
		if case.closes:
			c.s.shutdown(1)
		r = c.response(case.method)
		assert r.status in case.status, "%s, wanted %s" % (r, case.status)
		if case.body is not None:
			if isinstance(case.body, re.Pattern):
				assert case.body.search(r.body), r
			else:
				assert r.body == case.body, r
		for name, want in case.has.items():
			assert matches(want, r.get(name)), "%s: %r, wanted %r; %r" % (name, r.get(name), want, r)
		if case.dump:
			server = json.loads(r.body)["server"]
			for name, want in case.dump.items():
				assert matches(want, server.get(name)), "%s: %r, wanted %r" % (name, server.get(name), want)
		if case.conn == "open":
			c.send(fill(req(), target))
			again = c.response()
			assert (again.status, again.body) == (200, b"hello\n"), again
		elif case.conn == "close":
			assert c.eof(), "the connection was not closed, or more was sent: %r" % c.buf
	return r


def table(cases):
	ids = [c.id for c in cases]
	assert len(set(ids)) == len(ids), "case ids twice: %s" % [i for i in ids if ids.count(i) > 1]
	def of(*on):
		chosen = [c for c in cases if c.on in on]
		return pytest.mark.parametrize("case", chosen, ids=[c.id for c in chosen])
	return of


def run_rest(conn):
	"""Everything that still comes until the end of the connection."""
	out = conn.buf
	conn.buf = b""
	while True:
		try:
			got = conn.s.recv(65536)
		except (ConnectionResetError, TimeoutError):
			break
		if not got:
			break
		out += got
	return out


Broken = rawhttp.Broken
