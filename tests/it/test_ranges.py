# SPDX-License-Identifier: Apache-2.0
"""Answers of many parts: made piece by piece while the socket takes them, and whole before the next answer begins."""
import re

import pytest

from test_static import DIGITS, parts_of

pytestmark = pytest.mark.bulkhead


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 16, 30])
def test_many_parts_then_another_answer(static_target, n):
	"""However many parts: all of them come, and the next answer on the connection is where its head is expected."""
	spec = ",".join("%d-%d" % (3 * i, 3 * i + 1) for i in range(n))
	with static_target.conn() as c:
		head = "GET /digits.txt HTTP/1.1\r\nHost: static.test\r\n"
		c.send((head + "Range: bytes=%s\r\n\r\n" % spec + head + "\r\n").encode())
		r = c.response()
		assert r.status == 206, r
		assert [body for _, body in parts_of(r)] == [DIGITS[3 * i:3 * i + 2] for i in range(n)]
		assert c.response().body == DIGITS


def test_many_large_parts(static_target):
	"""Parts that are sent from the file, larger than what a socket takes at once."""
	size, n = 200000, 12
	spec = ",".join("%d-%d" % (300000 * i, 300000 * i + size - 1) for i in range(n))
	blob = bytes(range(256)) * 16384
	with static_target.conn() as c:
		head = "GET /blob.bin HTTP/1.1\r\nHost: static.test\r\n"
		c.send((head + "Range: bytes=%s\r\n\r\n" % spec + head + "\r\n").encode())
		r = c.response()
		assert r.status == 206, r
		boundary = re.search(r'boundary="?([^"]+)"?$', r.get("Content-Type")).group(1).encode()
		want = b""
		for i in range(n):
			want += (b"\r\n" if i else b"") + b"--" + boundary + b"\r\n"
			at = r.body.index(b"\r\n\r\n", len(want)) + 4
			want += r.body[len(want):at] + blob[300000 * i:300000 * i + size]
		assert r.body == want + b"\r\n--" + boundary + b"--\r\n"
		assert c.response().body == blob
