# SPDX-License-Identifier: Apache-2.0
"""What a real browser makes of it: compression, neighbours, event streams, uploads, ranges, early hints; over HTTP/1.1 and over TLS and HTTP/2."""
import glob
import gzip
import json
import os
import secrets

import pytest

import chromium
import conftest
import proc
import servers
import site_conf
import test_real_uploads
import tls_tools as tls
from edits import make_root

pytestmark = pytest.mark.bulkhead

PAGE = """<!DOCTYPE html>
<title>browser</title>
<link rel="icon" href="data:,">
<pre id="out"></pre>
<script>
const id = location.hash.slice(1);
/* Each event says in what state the server was; it sends the next one when it knows that this one has arrived. */
function events(url) {
	return new Promise((done, fail) => {
		const got = [], s = new EventSource(url);
		s.onmessage = e => {
			if (e.data === 'end') { s.close(); done(got); return; }
			got.push(e.data);
			fetch('/ack.php?' + id + '-' + got.length).then(r => r.text());
		};
		s.onerror = () => { s.close(); done(got.concat('error')); };
	});
}
async function coded(url) {
	const r = await fetch(url), text = await r.text();
	return [r.status, r.headers.get('content-encoding'), text.length, text.slice(0, 12), (r.headers.get('vary') || '').toLowerCase()];
}
async function all(out) {
	out.page = performance.getEntriesByType('navigation')[0].nextHopProtocol;
	for (const name of ['big.css', 'big.php', 'pre.js', 'small.css', 'noise.bin'])
		out[name] = await coded('/' + name);
	out.events = await events('/events.php?' + id);
	const body = Uint8Array.from({length: 5000000}, (x, i) => i * 7 + (i >> 8));
	let r = await fetch('/sum.php', {method: 'POST', body});
	out.upload = await r.json();
	r = await fetch('/noise.bin', {headers: {Range: 'bytes=10-19'}});
	out.range = [r.status, r.headers.get('content-range'), (await r.arrayBuffer()).byteLength];
	/* Past its cache, where it takes a part of the compressed octets for one of the file. */
	r = await fetch('/big.css', {headers: {Range: 'bytes=5-'}, cache: 'no-store'});
	out.part = [r.status, r.headers.get('content-range'), r.headers.get('content-encoding'), (r.headers.get('vary') || '').toLowerCase(), (await r.text()).length];
	r = await fetch('/none');
	out.error = [r.status, r.headers.get('content-type'), new DOMParser().parseFromString(await r.text(), 'text/html').title];
	const again = await fetch('/big.css', {cache: 'no-cache'});
	out.again = [again.status, (await again.text()).length];
	const many = await Promise.all([...Array(20).keys()].map(i => fetch('/big.php?' + i).then(r => r.text())));
	out.many = many.every(t => t.length === 120012);
	return out;
}
const out = {};
all(out).catch(e => ({error_in_page: String(e), ...out})).then(out => { document.getElementById('out').textContent = JSON.stringify(out); });
</script>
"""

FILES = {
	"page.html": PAGE, "big.css": "/* styles */" + "body { color: red }\n" * 6000, "small.css": "a{}", "noise.bin": os.urandom(50000),
	"pre.js": "/* script */" + "x = 1;\n" * 1000,
	"big.php": "<?php header('Content-Type: text/plain'); echo '/* script */', str_repeat('0123456789' , 12000);",
	"ack.php": "<?php touch('/tmp/bh-ack-' . basename($_SERVER['QUERY_STRING'])); echo 'ok';",
	"sum.php": "<?php $b = file_get_contents('php://input'); header('Content-Type: application/json'); echo json_encode([strlen($b), hash('sha256', $b)]);",
	"wait.inc": """<?php
function arrived($name) {
	for ($i = 0; $i < 1000 && !file_exists("/tmp/bh-ack-$name"); $i++) { usleep(10000); clearstatcache(); }
	return file_exists("/tmp/bh-ack-$name");
}
""",
	"events.php": """<?php
require 'wait.inc';
header('Content-Type: text/event-stream');
$id = basename($_SERVER['QUERY_STRING']);
$state = 'first';
for ($i = 1; $i <= 4; $i++) {
	echo "data: $state\\n\\n";
	flush();
	$state = arrived("$id-$i") ? 'seen' : 'LATE';
}
echo "data: $state\\n\\ndata: end\\n\\n";
""",
	# The whole answer waits until the browser has asked for what the interim one named.
	"hints.php": """<?php
require 'wait.inc';
$id = basename($_SERVER['QUERY_STRING']);
header('HTTP/1.1 103 Early Hints');
header("Link: </hinted.php?$id>; rel=preload; as=script", false);
flush();
header_remove('Link');
header('HTTP/1.1 200 OK');
echo '<!DOCTYPE html><title>hints</title><link rel="icon" href="data:,"><pre id="out">', arrived("$id-hint") ? '"early"' : '"late"', '</pre>';
""",
	"hinted.php": "<?php touch('/tmp/bh-ack-' . basename($_SERVER['QUERY_STRING']) . '-hint'); header('Content-Type: text/javascript'); echo '/**/';",
}

# What the browser has seen is noted below /tmp, which php-fpm shares with all: nobody's notes but these count.
RUN = secrets.token_hex(6)

EXTRA = """
    AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/css text/plain text/html text/event-stream application/json
    PrecompressedFiles br gzip
"""


@pytest.fixture(scope="module")
def site(tmp, module_fleet, ini, fpm):
	"""cells.test and pool.test, in plain HTTP on one port and with TLS on another."""
	conftest.need(chromium.program(), "no chromium")
	conftest.need(servers.tool("openssl"), "no openssl to make certificates with")
	root = make_root(tmp + "/browser/root", dict(FILES, **{"pre.js.gz": gzip.compress(FILES["pre.js"].encode())}))
	certs = tmp + "/browser-certs"
	tls.make_cert(certs, "a", "cells.test", "pool.test")
	port = proc.free_port()
	conf = site_conf.common(root) + site_conf.pool("fpm", fpm.server())
	for extra in ("", tls.lines(certs, "a", "")):
		hosts = site_conf.prefork_vhost("cells.test", root, "rollback", ini, extra + EXTRA) + site_conf.worker_vhost("pool.test", root, "fpm", extra + EXTRA)
		conf += hosts.replace("<VirtualHost *>", "<VirtualHost *:%d>" % port) if extra else hosts
	bh = module_fleet.start(servers.Bulkhead(tmp + "/browser", conf, head="Listen 127.0.0.1:%d https\n" % port))
	bh.tls = ("127.0.0.1", port)
	yield bh
	for note in glob.glob("/tmp/bh-ack-%s-*" % RUN):
		os.unlink(note)


@pytest.mark.parametrize("secure", [False, True], ids=["http1", "h2"])
@pytest.mark.parametrize("host", ["cells", "pool"])
def test_page(site, host, secure):
	addr, scheme = (site.tls, "https") if secure else (site.addr, "http")
	out = chromium.result(addr, "%s://%s.test/page.html#%s-%s%d" % (scheme, host, RUN, host, secure), args=["--ignore-certificate-errors"])
	coding = "br" if secure else "gzip"  # a browser offers Brotli to those alone who cannot be tampered with
	assert out.get("error_in_page") is None, json.dumps(out)
	assert out["page"] == ("h2" if secure else "http/1.1")
	css = len(FILES["big.css"])
	assert out["big.css"] == [200, coding, css, "/* styles */", "accept-encoding"]
	assert out["big.php"] == [200, coding, 120012, "/* script */", "accept-encoding"]
	assert out["pre.js"] == [200, "gzip", len(FILES["pre.js"]), "/* script */", "accept-encoding"]
	assert out["small.css"][:3] == [200, None, 3] and out["noise.bin"][1] is None
	assert out["events"] == ["first", "seen", "seen", "seen", "seen"], out["events"]
	assert out["upload"] == [5000000, test_real_uploads.sha(test_real_uploads.octets(5000000))]
	assert out["range"] == [206, "bytes 10-19/50000", 10]
	assert out["part"] == [206, "bytes 5-%d/%d" % (css - 1, css), None, "accept-encoding", css - 5]
	assert out["error"][0] == 404 and out["error"][1].startswith("text/html") and "404" in out["error"][2]
	assert out["again"] == [200, css] and out["many"] is True


def test_early_hints(site):
	"""Over HTTP/2 the browser asks for what the interim answer names while the script still works. (php-fpm sends no interim answers.)"""
	assert chromium.result(site.tls, "https://cells.test/hints.php?%s-hints" % RUN, args=["--ignore-certificate-errors"]) == "early"
