/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body: the same content and verdict however it is split. The first octet says how. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/http1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	ssize_t rc; /* octets consumed or the error */
	size_t n;
	bool done;
	uint64_t sum;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static struct result decode(const char *in, size_t len, size_t piece)
{
	struct result res = {0};
	struct http1_chunked c;
	size_t at = 0;

	http1_chunked_init(&c);
	while (at < len && !c.done) {
		const char *content;
		size_t content_len, given = len - at < piece ? len - at : piece;
		ssize_t rc = http1_chunked_decode(&c, in + at, given, &content, &content_len);
		if (rc < 0) {
			res.rc = rc;
			return res;
		}
		require(rc > 0 && (size_t)rc <= given);
		require(content_len == 0 || (content >= in + at && content + content_len <= in + at + rc));
		for (size_t i = 0; i < content_len; i++)
			res.sum = res.sum * 31 + (uint8_t)content[i];
		res.n += content_len;
		at += (size_t)rc;
	}
	res.rc = (ssize_t)at;
	res.done = c.done;
	return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct result a = decode((const char *)data + 1, size - 1, size), b = decode((const char *)data + 1, size - 1, data[0] % 32U + 1);
	require(a.rc == b.rc && a.done == b.done);
	if (a.rc >= 0)
		require(a.n == b.n && a.sum == b.sum);
	return 0;
}
