# SPDX-License-Identifier: Apache-2.0
"""A real browser, headless: what a page looks like once its scripts have run."""
import html
import json
import os
import re
import subprocess
import tempfile

import servers


def program():
	return servers.tool("chromium", "chromium-browser", "google-chrome")


def result(addr, url, timeout=60, args=()):
	"""
	Open @url, of any host name below .test, which is at @addr, and wait until its scripts and requests are done.
	Returns what they left in <pre id="out"> as JSON.
	"""
	with tempfile.TemporaryDirectory(prefix="bh-chromium-") as home:
		cmd = [program(), "--headless=new", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
			"--user-data-dir=" + home, "--host-resolver-rules=MAP *.test %s:%d, MAP * ~NOTFOUND" % addr, "--virtual-time-budget=20000", "--dump-dom", *args, url]
		if os.geteuid() == 0:
			cmd.insert(1, "--no-sandbox")
		r = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout, env={**os.environ, "HOME": home})
	dom = r.stdout.decode("utf-8", "replace")
	m = re.search(r'<pre id="out">(.*?)</pre>', dom, re.S)
	assert m and m.group(1), "the page's scripts did not come to an end: %r" % dom[-2000:]
	return json.loads(html.unescape(m.group(1)))
