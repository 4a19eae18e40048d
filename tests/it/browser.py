# SPDX-License-Identifier: Apache-2.0
"""Enough of a browser for the applications: cookies, redirects, forms, uploads."""
import email.utils
import html.parser
import json
import os
import re
import struct
import time
import urllib.parse
import zlib

import rawhttp


class Forms(html.parser.HTMLParser):
	"""Forms of a page: action, method, and the fields with the values that are there."""

	def __init__(self):
		super().__init__()
		self.forms = []
		self.area = None
		self.select = None

	def handle_starttag(self, tag, attrs):
		a = dict(attrs)
		if tag == "form":
			self.forms.append({"action": a.get("action") or "", "id": a.get("id"), "method": (a.get("method") or "get").lower(), "fields": {}})
		elif not self.forms:
			return
		elif tag == "input" and a.get("name") and (a.get("type") or "text") not in ("submit", "button", "file", "image", "checkbox", "radio"):
			self.forms[-1]["fields"][a["name"]] = a.get("value") or ""
		elif tag == "input" and a.get("name") and (a.get("type") in ("checkbox", "radio")) and "checked" in a:
			self.forms[-1]["fields"][a["name"]] = a.get("value") or "on"
		elif tag == "textarea" and a.get("name"):
			self.area = a["name"]
			self.forms[-1]["fields"][self.area] = ""
		elif tag == "select" and a.get("name"):
			self.select = a["name"]
		elif tag == "option" and self.select and ("selected" in a or self.select not in self.forms[-1]["fields"]):
			self.forms[-1]["fields"][self.select] = a.get("value") or ""

	def handle_endtag(self, tag):
		if tag == "textarea":
			self.area = None
		elif tag == "select":
			self.select = None

	def handle_data(self, data):
		if self.area and self.forms:
			self.forms[-1]["fields"][self.area] += data


class Page:
	def __init__(self, r, url):
		self.status, self.body, self.text, self.url, self.r = r.status, r.body, r.text(), url, r

	def json(self):
		return json.loads(self.text)

	def url_of(self, link):
		"""What a link in this page leads to: path and query, to be asked for."""
		u = urllib.parse.urlsplit(urllib.parse.urljoin("http://here" + self.url, link))
		return u.path + ("?" + u.query if u.query else "")

	def forms(self):
		p = Forms()
		p.feed(self.text)
		return p.forms

	def form(self, having):
		"""The first form with a field of that name."""
		for f in self.forms():
			if having in f["fields"] or f["id"] == having:
				return f
		raise AssertionError("no form with %r in %s (%d): %s" % (having, self.url, self.status, self.text[:2000]))


class Browser:
	def __init__(self, addr, host):
		self.addr, self.host, self.jar = addr, host, {}

	def request(self, method, path, body=None, headers="", follow=True, timeout=60):
		for _ in range(8):
			if self.jar:
				cookies = "Cookie: %s\r\n" % "; ".join("%s=%s" % kv for kv in self.jar.items())
			else:
				cookies = ""
			r = rawhttp.get(self.addr, self.host, path, method=method, body=body, headers=headers + cookies + "User-Agent: tests\r\n", timeout=timeout)
			for c in r.all("set-cookie"):
				name, value = c.split(";", 1)[0].split("=", 1)
				ends = re.search(r"(?i)expires=([^;]+)", c)
				if ends and email.utils.parsedate_to_datetime(ends.group(1).replace("-", " ")).timestamp() < time.time():
					self.jar.pop(name, None)
				else:
					self.jar[name] = value
			if not follow or r.status not in (301, 302, 303, 307):
				return Page(r, path)
			where = urllib.parse.urljoin("http://%s%s" % (self.host, path), r.get("location"))
			u = urllib.parse.urlsplit(where)
			assert u.hostname == self.host, "redirected to another host: %s" % where
			path = u.path + ("?" + u.query if u.query else "")
			if r.status != 307:
				method, body, headers = "GET", None, ""
		raise AssertionError("too many redirects, last to %s" % path)

	def get(self, path, **k):
		return self.request("GET", path, **k)

	def post(self, path, fields, **k):
		body = urllib.parse.urlencode(fields).encode()
		return self.request("POST", path, body, "Content-Type: application/x-www-form-urlencoded\r\n", **k)

	def post_json(self, path, value, headers="", **k):
		return self.request("POST", path, json.dumps(value).encode(), "Content-Type: application/json\r\n" + headers, **k)

	def upload(self, path, fields, name, filename, mime, data, **k):
		b = "----b" + os.urandom(8).hex()
		body = b""
		for key, v in fields.items():
			body += ("--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n" % (b, key, v)).encode()
		body += ("--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n" % (b, name, filename, mime)).encode()
		body += data + ("\r\n--%s--\r\n" % b).encode()
		return self.request("POST", path, body, "Content-Type: multipart/form-data; boundary=%s\r\n" % b, **k)

	def path_of(self, url):
		u = urllib.parse.urlsplit(urllib.parse.urljoin("http://%s/" % self.host, url))
		assert u.hostname == self.host, url
		return u.path + ("?" + u.query if u.query else "")


def png(width, height, seed):
	"""A picture, and a big one where it has to be: noise does not compress."""
	rows = b"".join(b"\0" + bytes((x * 7 + y * 13 + seed) & 255 for x in range(width * 3)) for y in range(height))
	def chunk(kind, data):
		return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
	return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
