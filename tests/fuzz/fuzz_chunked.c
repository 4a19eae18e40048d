/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body: the same content and verdict however it is split. The first octet says how. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/http1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As where nothing is said, and so tight that most inputs pass one. */
static const struct http1_chunk_limits limits[] = {
	{.line = 4096, .ext = 65536, .trailers = 16384, .field = 8190, .fields = 100},
	{.line = 16, .ext = 20, .trailers = 24, .field = 8, .fields = 3},
};

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

static struct result decode(const struct http1_chunk_limits *lim, const char *in, size_t len, size_t piece)
{
	struct result res = {0};
	struct http1_chunked c;
	size_t at = 0;

	http1_chunked_init(&c);
	c.lim = *lim;
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
	const struct http1_chunk_limits *lim = &limits[data[0] >> 7];
	struct result a = decode(lim, (const char *)data + 1, size - 1, size), b = decode(lim, (const char *)data + 1, size - 1, data[0] % 32U + 1);
	require(a.rc == b.rc && a.done == b.done);
	if (a.rc >= 0)
		require(a.n == b.n && a.sum == b.sum);
	return 0;
}
