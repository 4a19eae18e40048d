/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked bodies of HTTP/1: every case is fed in pieces of every size; each limit at its value and one past it. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/http1_parse.h"
#include "tests/unit/check_http.h"

static const struct {
	const char *in, *body; /* body NULL: refused with status */
	int status;
	bool unfinished;
} chunk_cases[] = {
	{"0\r\n\r\n", "", 0, false},
	{"5\r\nhello\r\n0\r\n\r\n", "hello", 0, false},
	{"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world", 0, false},
	{"00000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello", 0, false},
	{"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0, false},
	{"5;a\r\nhello\r\n0;b=c;d=\"e\\\"f;\"\r\n\r\n", "hello", 0, false},
	{"5 ; a = b ;c\r\nhello\r\n0\r\n\r\n", "hello", 0, false},
	{"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0, false},
	{"0\r\nA: b\r\nC:\r\n\r\n", "", 0, false},
	{"5\r\nhel", "hel", 0, true},
	{"5\r\nhello", "hello", 0, true},
	{"5\r\nhello\r\n", "hello", 0, true},
	{"5\r\nhello\r\n0\r\n", "hello", 0, true},
	{"5\r\nhello\r\n0\r\n\r", "hello", 0, true},
	{"\r\n", NULL, -400, false},
	{";a\r\n", NULL, -400, false},
	{" 5\r\n", NULL, -400, false},
	{"5 \r\nhello", NULL, -400, false},
	{"5\nhello", NULL, -400, false},
	{"5\r\rhello", NULL, -400, false},
	{"5\rhello", NULL, -400, false},
	{"0x5\r\nhello", NULL, -400, false},
	{"+5\r\nhello", NULL, -400, false},
	{"-5\r\nhello", NULL, -400, false},
	{"5,\r\nhello", NULL, -400, false},
	{"g\r\n", NULL, -400, false},
	{"5;\r\nhello", NULL, -400, false},
	{"5;a=\r\nhello", NULL, -400, false},
	{"5;a b\r\nhello", NULL, -400, false},
	{"5;a=b c\r\nhello", NULL, -400, false},
	{"5;a=\"b\r\nhello", NULL, -400, false},
	{"5;a\nhello", NULL, -400, false},
	{"5;a=\"\x01\"\r\nhello", NULL, -400, false},
	{"5;a\x7f\r\nhello", NULL, -400, false},
	{"5\r\nhelloX\r\n", NULL, -400, false},
	{"5\r\nhello\n0\r\n\r\n", NULL, -400, false},
	{"5\r\nhello0\r\n\r\n", NULL, -400, false},
	{"5\r\nhello\rX", NULL, -400, false},
	{"7fffffffffffffff\r\n", "", 0, true},
	{"8000000000000000\r\n", NULL, -413, false},
	{"fffffffffffffffff\r\n", NULL, -413, false},
	{"10000000000000005\r\nhello", NULL, -413, false},
	{"0\r\nA\r\n\r\n", NULL, -400, false},
	{"0\r\nA : b\r\n\r\n", NULL, -400, false},
	{"0\r\n: b\r\n\r\n", NULL, -400, false},
	{"0\r\n A: b\r\n\r\n", NULL, -400, false},
	{"0\r\nA: b\r\n c\r\n\r\n", NULL, -400, false},
	{"0\r\nA: b\n\r\n", NULL, -400, false},
	{"0\r\nA: b\x01\r\n\r\n", NULL, -400, false},
	{"0\r\n\n", NULL, -400, false},
	{"0\r\n\rX", NULL, -400, false},
};

static const struct http1_chunk_limits chunk_defaults = {.line = 4096, .ext = 65536, .trailers = 16384, .field = 8190, .fields = 100};

/* Decode within @lim, with at most @piece octets a call. Returns 0 or the error; the body in @out. */
static int dechunk(const struct http1_chunk_limits *lim, const char *in, size_t len, size_t piece, char *out, size_t *used, struct http1_chunked *c)
{
	size_t n = 0, at = 0;

	http1_chunked_init(c);
	c->lim = *lim;
	out[0] = '\0';
	while (at < len && !c->done) {
		const char *data;
		size_t data_len, give = len - at < piece ? len - at : piece;
		ssize_t rc = http1_chunked_decode(c, in + at, give, &data, &data_len);
		if (rc < 0) {
			ck_assert_int_eq(http1_chunked_decode(c, in, len, &data, &data_len), rc);
			return (int)rc;
		}
		ck_assert(rc > 0 && (size_t)rc <= give && data_len <= (size_t)rc);
		memcpy(out + n, data, data_len);
		n += data_len;
		out[n] = '\0';
		at += (size_t)rc;
	}
	*used = at;
	return 0;
}

START_TEST(chunks)
{
	char in[300], out[300];
	size_t len = strlen(chunk_cases[_i].in), used;
	struct http1_chunked c;

	/* Octets behind the end are not touched. */
	memcpy(in, chunk_cases[_i].in, len + 1);
	if (chunk_cases[_i].body != NULL && !chunk_cases[_i].unfinished)
		memcpy(in + len, "5\r\nxxxxx", 9);
	for (size_t piece = 1; piece <= len + 8; piece++) {
		int rc = dechunk(&chunk_defaults, in, strlen(in), piece, out, &used, &c);
		ck_assert_msg(rc == chunk_cases[_i].status, "%d: %s", rc, chunk_cases[_i].in);
		if (chunk_cases[_i].body == NULL)
			continue;
		ck_assert_str_eq(out, chunk_cases[_i].body);
		ck_assert_uint_eq(used, len);
		ck_assert(c.done == !chunk_cases[_i].unfinished);
	}
}
END_TEST

/* What a decoder that is given @lim makes of @in. */
static int dechunk_limited(struct http1_chunk_limits lim, const char *in, size_t len, char *out, const char **why)
{
	struct http1_chunked c;
	size_t used;

	int rc = dechunk(&lim, in, len, 1000, out, &used, &c);
	*why = c.why;
	ck_assert((rc < 0) == (c.why != NULL));
	return rc;
}

#define A10 "aaaaaaaaaa"
#define LAST_10 "0;" A10 "aaaaaa\r\n" /* a line of 20 octets, 17 of them an extension and the end of line's first half */

static const struct {
	struct http1_chunk_limits lim; /* line, extensions, trailers, field, fields */
	const char *in, *names; /* NULL: taken; else the directive that is passed */
	int status;
} chunk_limit_cases[] = {
	{{20, 65536, 16384, 8190, 100}, LAST_10 "\r\n", NULL, 0},
	{{19, 65536, 16384, 8190, 100}, LAST_10 "\r\n", "LimitRequestChunkLine", -400},
	{{20, 65536, 16384, 8190, 100}, "0000000000000000000\r\n", "LimitRequestChunkLine", -400},
	/* Each line anew, whatever the lines before it held. */
	{{8, 65536, 16384, 8190, 100}, "1;a=bb\r\nx\r\n1;a=bb\r\nx\r\n0\r\n\r\n", NULL, 0},
	{{4096, 17, 16384, 8190, 100}, LAST_10 "\r\n", NULL, 0},
	{{4096, 16, 16384, 8190, 100}, LAST_10 "\r\n", "LimitRequestChunkExtensions", -400},
	/* Of all lines together. */
	{{4096, 4, 16384, 8190, 100}, "1;a\r\nx\r\n0;b\r\n\r\n", NULL, 0},
	{{4096, 3, 16384, 8190, 100}, "1;a\r\nx\r\n0;b\r\n\r\n", "LimitRequestChunkExtensions", -400},
	{{4096, 0, 16384, 8190, 100}, "1\r\nx\r\n0\r\n\r\n", NULL, 0},
	{{4096, 0, 16384, 8190, 100}, "1;a\r\n", "LimitRequestChunkExtensions", -400},
	{{4096, 65536, 12, 8190, 100}, "0\r\nA: b\r\nC: d\r\n\r\n", NULL, 0},
	{{4096, 65536, 11, 8190, 100}, "0\r\nA: b\r\nC: d\r\n\r\n", "LimitRequestTrailers", -431},
	{{4096, 65536, 0, 8190, 100}, "0\r\n\r\n", NULL, 0},
	{{4096, 65536, 0, 8190, 100}, "0\r\nA: b\r\n\r\n", "LimitRequestTrailers", -431},
	{{4096, 65536, 16384, 13, 100}, "0\r\nA: " A10 "\r\nBB:" A10 "\r\n\r\n", NULL, 0},
	{{4096, 65536, 16384, 12, 100}, "0\r\nA: " A10 "\r\n\r\n", "LimitRequestFieldSize", -431},
	{{4096, 65536, 16384, 8190, 2}, "0\r\nA: b\r\nC: d\r\n\r\n", NULL, 0},
	{{4096, 65536, 16384, 8190, 1}, "0\r\nA: b\r\nC: d\r\n\r\n", "LimitRequestFields", -431},
	{{4096, 65536, 16384, 8190, 0}, "0\r\nA: b\r\nC: d\r\n\r\n", NULL, 0},
	/* A decoder that nobody gave limits takes nothing. */
	{{0}, "0\r\n\r\n", "LimitRequestChunkLine", -400},
	/* What is wrong is told first, and otherwise. */
	{{4096, 65536, 16384, 8190, 100}, "0\r\nA b\r\n\r\n", "bad framing", -400},
	{{4096, 65536, 16384, 8190, 100}, "fffffffffffffffff\r\n", "chunk size", -413},
};

START_TEST(chunk_limit)
{
	char out[100];
	const char *why, *in = chunk_limit_cases[_i].in, *names = chunk_limit_cases[_i].names;
	int rc = dechunk_limited(chunk_limit_cases[_i].lim, in, strlen(in), out, &why);

	ck_assert_msg(rc == chunk_limit_cases[_i].status, "%d: %s", rc, in);
	ck_assert_msg(names == NULL || strstr(why, names) != NULL, "%s: %s", why, in);
}
END_TEST

/* As many trailers as there may be fields at all, where nothing less is said. */
START_TEST(chunk_trailers_most)
{
	char in[HTTP1_FIELDS_MAX * 6 + 20], out[1];
	size_t n = (size_t)sprintf(in, "0\r\n");
	const char *why;

	for (int i = 0; i < HTTP1_FIELDS_MAX; i++)
		n += (size_t)sprintf(in + n, "A:b\r\n");
	memcpy(in + n, "\r\n", 3);
	ck_assert_int_eq(dechunk_limited((struct http1_chunk_limits){4096, 65536, 16384, 8190, 0}, in, n + 2, out, &why), 0);
	memcpy(in + n, "A:b\r\n\r\n", 8);
	ck_assert_int_eq(dechunk_limited((struct http1_chunk_limits){4096, 65536, 16384, 8190, 30000}, in, n + 7, out, &why), -431);
}
END_TEST

/* Many small chunks with long extensions: what was taken until then stays, and no more. */
START_TEST(chunk_extensions_add_up)
{
	static char in[100 * 1005 + 1], out[sizeof(in)];
	const char *why;
	size_t n = 0;

	for (size_t i = 0; i < 100; i++) {
		memcpy(in + n, "1;", 2);
		memset(in + n + 2, 'a', 998);
		memcpy(in + n + 1000, "\r\nx\r\n", 5);
		n += 1005;
	}
	ck_assert_int_eq(dechunk_limited(chunk_defaults, in, n, out, &why), -400);
	ck_assert_uint_eq(strlen(out), 65);
}
END_TEST

Suite *suite_http_chunked(void)
{
	Suite *s = suite_create("chunked bodies");
	TCase *t = tcase_create("chunked");

	tcase_add_loop_test(t, chunks, 0, (int)(sizeof(chunk_cases) / sizeof(*chunk_cases)));
	tcase_add_loop_test(t, chunk_limit, 0, (int)(sizeof(chunk_limit_cases) / sizeof(*chunk_limit_cases)));
	tcase_add_test(t, chunk_trailers_most);
	tcase_add_test(t, chunk_extensions_add_up);
	suite_add_tcase(s, t);
	return s;
}
