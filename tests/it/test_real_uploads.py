# SPDX-License-Identifier: Apache-2.0
"""Uploads as programs that people use send them: curl and Chromium, to cells and before php-fpm."""
import functools
import hashlib
import json
import os
import subprocess

import pytest

import chromium
import conftest
import servers

pytestmark = pytest.mark.bulkhead

PAGE = """<!DOCTYPE html>
<title>uploads</title>
<pre id="out"></pre>
<script>
const bytes = n => Uint8Array.from({length: n}, (x, i) => i * 7 + (i >> 8));
const hex = b => Array.from(new Uint8Array(b), x => x.toString(16).padStart(2, '0')).join('');
async function all() {
	const out = {};
	const form = new FormData();
	form.append('note', 'h\\u00e9llo');
	form.append('list[]', '1');
	form.append('list[]', '2');
	form.append('file', new Blob([bytes(3000000)], {type: 'application/x-test'}), 'from chromium.bin');
	let r = await fetch('/dump.php', {method: 'POST', body: form});
	let d = await r.json();
	out.multipart = [r.status, d.post, d.files.file.size, d.files.file.sha256, d.files.file.type, d.server.CONTENT_LENGTH > 3000000];
	r = await fetch('/dump.php?put', {method: 'PUT', body: bytes(1000000), headers: {'Content-Type': 'a/b'}});
	d = await r.json();
	out.put = [r.status, d.server.REQUEST_METHOD, d.input_len, d.input_sha256];
	r = await fetch('/echo.php', {method: 'POST', body: bytes(200000)});
	out.echo = [r.status, hex(await crypto_free(await r.arrayBuffer()))];
	r = await fetch('/limited/echo.php', {method: 'POST', body: bytes(500)});
	out.within = [r.status, (await r.arrayBuffer()).byteLength];
	r = await fetch('/limited/echo.php', {method: 'POST', body: bytes(3000000)}).catch(e => ({status: String(e)}));
	out.over = r.status;
	r = await fetch('/hello.php');
	out.after = await r.text();
	const many = await Promise.all([...Array(12).keys()].map(i => fetch('/echo.php?' + i, {method: 'POST', body: 'x'.repeat(i * 10000)}).then(r => r.text())));
	out.many = many.map(t => t.length);
	return out;
}
/* Digests are for secure origins only: a sum will do. */
async function crypto_free(b) { const v = new Uint8Array(b); let s = 0; for (const x of v) s = (s * 31 + x) >>> 0; return new Uint32Array([s, v.length]).buffer; }
all().catch(e => ({error: String(e)})).then(out => { document.getElementById('out').textContent = JSON.stringify(out); });
</script>
"""


@functools.lru_cache
def octets(n):
	return bytes((i * 7 + (i >> 8)) & 255 for i in range(n))


def sha(data):
	return hashlib.sha256(data).hexdigest()


def write_page(docroot):
	path = docroot + "/uploads.html"
	with open(path, "w") as f:
		f.write(PAGE)
	os.chmod(path, 0o644)


def check(out):
	"""What the page has found."""
	data = octets(3000000)
	assert out.get("error") is None, out
	assert out["multipart"] == [200, {"note": "h\u00c3\u00a9llo", "list": {"0": "1", "1": "2"}}, 3000000, sha(data), "application/x-test", True] or \
		out["multipart"] == [200, {"note": "h\u00c3\u00a9llo", "list": ["1", "2"]}, 3000000, sha(data), "application/x-test", True], out["multipart"]
	assert out["put"] == [200, "PUT", 1000000, sha(data[:1000000])]
	total = 0
	for x in data[:200000]:
		total = (total * 31 + x) & 0xffffffff
	assert out["echo"] == [200, (total.to_bytes(4, "little") + (200000).to_bytes(4, "little")).hex()]
	assert out["within"] == [200, 500] and out["over"] == 413 and out["after"] == "hello\n"
	assert out["many"] == [i * 10000 for i in range(12)]


@pytest.mark.parametrize("name", ["rollback", "worker"])
def test_chromium(bulkhead, docroot, name):
	conftest.need(chromium.program(), "no chromium")
	php_target = conftest.Target(name, bulkhead, docroot)
	write_page(php_target.docroot)
	out = chromium.result(php_target.addr, "http://%s/uploads.html" % php_target.host)
	check(out)


def curl(target, path, *args, data=None):
	"""(status, body, stderr) of one curl command."""
	url = "http://%s:%d%s" % (target.host, target.addr[1], path)
	r = subprocess.run([servers.tool("curl"), "-sS", "-v", "--max-time", "30", "--resolve", "%s:%d:%s" % (target.host, target.addr[1], target.addr[0]), "-w", "\\n%{http_code}", *args, url],
		input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=40)
	body, _, status = r.stdout.rpartition(b"\n")
	return int(status), body, r.stderr.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def file(tmp):
	path = tmp + "/upload-me.bin"
	with open(path, "wb") as f:
		f.write(octets(3000000))
	return path


def test_curl_form(php_target, file):
	conftest.need(servers.tool("curl"), "no curl")
	status, body, err = curl(php_target, "/dump.php", "-F", "note=x", "-F", "file=@%s;type=a/b" % file)
	d = json.loads(body)
	assert status == 200 and d["files"]["file"]["size"] == 3000000 and d["files"]["file"]["sha256"] == sha(octets(3000000)) and d["post"] == {"note": "x"}
	assert "Expect: 100-continue" in err and "< HTTP/1.1 100 Continue" in err, err


@pytest.mark.parametrize("how", ["chunked", "length", "chunked without waiting", "old"])
def test_curl_put(php_target, file, how):
	"""PHP is told the true length, whatever the framing was."""
	conftest.need(servers.tool("curl"), "no curl")
	args = {"chunked": ["-T", "-", "-H", "Transfer-Encoding: chunked"], "length": ["-T", file], "chunked without waiting": ["-T", "-", "-H", "Expect:"],
		"old": ["-0", "-T", file]}[how]
	status, body, err = curl(php_target, "/dump.php", *args, data=octets(3000000) if "-" in args else None)
	d = json.loads(body)
	assert status == 200 and d["server"]["CONTENT_LENGTH"] == "3000000" and d["input_sha256"] == sha(octets(3000000)), err
	assert ("> Transfer-Encoding: chunked" in err) == how.startswith("chunked")


def test_curl_is_told_before_it_sends(php_target, file):
	"""413 instead of 100: nothing of the body is sent."""
	conftest.need(servers.tool("curl"), "no curl")
	status, _, err = curl(php_target, "/limited/echo.php", "-T", file)
	assert status == 413 and "100 Continue" not in err, err
	assert curl(php_target, "/limited/echo.php", "-T", "-", "-H", "Expect:", data=octets(3000000))[0] == 413
	assert curl(php_target, "/limited/echo.php", "-T", "-", data=b"x" * 900)[:2] == (200, b"x" * 900)
