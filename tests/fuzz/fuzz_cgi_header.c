/* SPDX-License-Identifier: Apache-2.0 */
/* A script's header block: what goes out is clean, and the same however it came. The first octet says how it is split. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/cgi_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Lines "name: value\r\n", no other control octet, nothing about framing. */
static void check_lines(const struct cgi_header *h)
{
	const char *s = (const char *)buf_head(&h->fields);
	size_t len = buf_unread(&h->fields), n;

	while (len > 0) {
		const char *lf = memchr(s, '\n', len);
		require(lf != NULL && lf > s && lf[-1] == '\r');
		size_t line = (size_t)(lf - s) + 1;
		require(memchr(s, '\r', line - 2) == NULL && memchr(s, '\0', line) == NULL && memchr(s, ':', line) != NULL);
		s += line;
		len -= line;
	}
	static const char *const banned[] = {"content-length", "transfer-encoding", "connection", "status", "upgrade"};
	for (size_t i = 0; i < sizeof(banned) / sizeof(*banned); i++)
		require(cgi_header_find(h, banned[i], &n) == NULL);
	require(h->content_length >= -1);
}

static void check_fields(const struct cgi_header *h)
{
	check_lines(h);
	require(h->interim == 0 && h->status >= 200 && h->status <= 599);
	require(h->local_redirect == NULL || h->local_redirect[0] == '/');
}

static ssize_t feed(struct cgi_header *h, const uint8_t *in, size_t len, size_t piece)
{
	const char *why;
	size_t at = 0;

	cgi_header_init(h);
	while (at < len && !h->done) {
		ssize_t rc = cgi_header_feed(h, in + at, len - at < piece ? len - at : piece, &why);
		if (rc < 0)
			return rc;
		at += (size_t)rc;
		if (h->interim != 0) {
			require(!h->done && h->interim == h->status && h->interim > 101 && h->interim < 200);
			check_lines(h);
			cgi_header_next(h);
		}
	}
	return (ssize_t)at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgi_header a, b;

	if (size < 1)
		return 0;
	ssize_t rc = feed(&a, data + 1, size - 1, size), again = feed(&b, data + 1, size - 1, data[0] % 32U + 1);
	require(rc == again && a.done == b.done);
	if (a.done) {
		check_fields(&a);
		require(buf_unread(&a.fields) == buf_unread(&b.fields) && a.status == b.status &&
			a.content_length == b.content_length);
		require(buf_unread(&a.fields) == 0 ||
			memcmp(buf_head(&a.fields), buf_head(&b.fields), buf_unread(&a.fields)) == 0);
	}
	cgi_header_fini(&a);
	cgi_header_fini(&b);
	return 0;
}
