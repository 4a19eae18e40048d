/* SPDX-License-Identifier: Apache-2.0 */
/* A request head: no split may change the verdict, and what is returned lies within the head. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/http1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http1_request whole, pieces;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void within(struct http1_str s, size_t len)
{
	require(s.off <= len && s.len <= len - s.off);
}

static void check_result(const struct http1_request *r, const char *in, size_t len)
{
	within(r->method, len);
	within(r->target, len);
	within(r->host, len);
	within(r->authority, len);
	within(r->path, len);
	within(r->query, len);
	require(r->method.len > 0 && r->path.len > 0 && r->fields_n <= HTTP1_FIELDS_MAX && r->minor <= 1);
	require(r->content_length == -1 || !r->chunked);
	for (size_t i = 0; i < r->fields_n; i++) {
		within(r->fields[i].name, len);
		within(r->fields[i].value, len);
		const char *value = in + r->fields[i].value.off;
		size_t n = r->fields[i].value.len;
		require(r->fields[i].name.len > 0);
		require(memchr(value, '\n', n) == NULL && memchr(value, '\r', n) == NULL && memchr(value, '\0', n) == NULL);
	}
	(void)http1_field_find(r, in, "host");
}

/* The first octets choose the limits and where the input is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > 65536)
		return 0;
	struct http1_limits lim = {.line = data[0] * 32U, .field = data[1] * 32U, .fields = data[2] & 31, .head = 8192};
	size_t step = data[3] % 16U + 1;
	const char *in = (const char *)data + 4, *why;
	size_t len = size - 4;

	http1_request_init(&whole);
	ssize_t rc = http1_parse(&whole, &lim, in, len, &why), again = 0;
	http1_request_init(&pieces);
	for (size_t n = step < len ? step : len;; n = n + step < len ? n + step : len) {
		again = http1_parse(&pieces, &lim, in, n, &why);
		if (again != 0 || n == len)
			break;
	}
	require(rc == again);
	if (rc > 0) {
		require((size_t)rc <= len);
		check_result(&whole, in, (size_t)rc);
		check_result(&pieces, in, (size_t)rc);
		require(whole.fields_n == pieces.fields_n && whole.keep_alive == pieces.keep_alive &&
			whole.content_length == pieces.content_length && whole.chunked == pieces.chunked);
	}
	return 0;
}
