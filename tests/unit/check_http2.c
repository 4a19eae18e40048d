/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2: header blocks as heads, and what bounds a client. Frames are tested over sockets (tests/it/test_http2*.py). */
#include <string.h>

#include "gateway/http/http2_block.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* --- heads ------------------------------------------------------------------------------------------------------------------ */

struct line {
	const char *name, *value;
};

static const struct {
	struct line lines[8];
	const char *head; /* NULL: refused */
} blocks[] = {
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/x?y"}, {":authority", "a.b:8"}, {"x", "y"}},
		"GET /x?y HTTP/1.1\r\nx: y\r\nhost: a.b:8\r\n\r\n"},
	{{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"cookie", "a=1"}, {"x", ""}, {"cookie", "b=2"}, {"host", "h"}},
		"GET / HTTP/1.1\r\nx: \r\nhost: h\r\ncookie: a=1; b=2\r\n\r\n"},
	{{{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "h"}}, "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"},
	{{{":method", "CONNECT"}, {":authority", "h:1"}}, "CONNECT / HTTP/1.1\r\nhost: h:1\r\n\r\n"},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "H"}, {"host", "h"}}, "GET / HTTP/1.1\r\nhost: H\r\n\r\n"},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}, {"host", "i"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "x"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "file"}, {":path", "/"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/\r\nx:y"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}, {"x", "a\r\n\r\nb"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}, {"x\n", "a"}}, NULL},
	{{{":method", "GET /x"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":path", "/y"}, {":authority", "h"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}, {":other", "x"}}, NULL},
	{{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"x", "y"}, {"host", "a"}, {"host", "a"}}, NULL},
};

static int fill(struct http2_block *b, const struct line *lines, size_t n)
{
	http2_block_begin(b);
	for (size_t i = 0; i < n && lines[i].name != NULL; i++)
		ck_assert_int_eq(http2_block_add(b, lines[i].name, strlen(lines[i].name), lines[i].value, strlen(lines[i].value)), 0);
	return http2_block_end(b);
}

START_TEST(a_block_is_a_head)
{
	struct http2_block b;

	http2_block_init(&b, HTTP2_HEAD_MAX);
	/* Twice: what the last block left must not show. */
	for (int round = 0; round < 2; round++) {
		int rc = fill(&b, blocks[_i].lines, COUNT(blocks[_i].lines));
		if (blocks[_i].head == NULL) {
			ck_assert_int_eq(rc, GW_ERR_PROTO);
			continue;
		}
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(buf_unread(&b.text), strlen(blocks[_i].head));
		ck_assert_int_eq(memcmp(buf_head(&b.text), blocks[_i].head, strlen(blocks[_i].head)), 0);
	}
	http2_block_fini(&b);
}
END_TEST

START_TEST(a_nul_is_no_end)
{
	struct http2_block b;

	http2_block_init(&b, HTTP2_HEAD_MAX);
	http2_block_begin(&b);
	ck_assert_int_eq(http2_block_add(&b, ":method", 7, "GET", 3), 0);
	ck_assert_int_eq(http2_block_add(&b, ":path", 5, "/a\0b", 4), 0);
	ck_assert_int_eq(http2_block_end(&b), GW_ERR_PROTO);
	http2_block_fini(&b);
}
END_TEST

/* What is past the bound is not kept, and said. */
START_TEST(a_large_block_is_not_kept)
{
	static char value[4096];
	struct http2_block b;

	memset(value, 'v', sizeof(value));
	http2_block_init(&b, HTTP2_HEAD_MAX);
	http2_block_begin(&b);
	for (int i = 0; i < 1000; i++) {
		b.octets += sizeof(value) + 1 + 32;
		ck_assert_int_eq(http2_block_add(&b, i % 2 == 0 ? "x" : "cookie", i % 2 == 0 ? 1 : 6, value, sizeof(value)), 0);
	}
	ck_assert_int_eq(http2_block_end(&b), 0);
	ck_assert(b.large);
	ck_assert_uint_le(b.text.cap + b.cookie.cap, 4 * HTTP2_HEAD_MAX);
	http2_block_begin(&b);
	ck_assert(!b.large);
	http2_block_fini(&b);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------------------------------------- */

static unsigned at_once(struct http2_limits *l, enum http2_limit what, uint64_t now)
{
	unsigned n = 0;

	while (n < 100000 && http2_limits_take(l, what, now))
		n++;
	return n;
}

START_TEST(buckets_run_over_and_drain)
{
	enum http2_limit what = (enum http2_limit)_i;
	struct http2_limits l;

	http2_limits_init(&l, 1000);
	unsigned burst = at_once(&l, what, 1000);
	ck_assert_uint_ge(burst, 50);
	ck_assert_uint_lt(burst, 5000);
	ck_assert(!http2_limits_take(&l, what, 1001));
	unsigned rate = at_once(&l, what, 2001);
	ck_assert_uint_ge(rate, 1);
	ck_assert_uint_lt(rate, burst);
	/* A clock that stands or steps back gives nothing. */
	ck_assert(!http2_limits_take(&l, what, 2001));
	ck_assert(!http2_limits_take(&l, what, 5));
	/* Long silence: the whole measure, and not more. */
	ck_assert_uint_eq(at_once(&l, what, UINT64_C(1) << 40), burst);
	http2_limits_give(&l, what, 3);
	ck_assert_uint_eq(at_once(&l, what, UINT64_C(1) << 40), 3);
	http2_limits_give(&l, what, UINT32_MAX);
	ck_assert_uint_eq(at_once(&l, what, UINT64_C(1) << 40), burst);
	/* Another kind is not touched. */
	ck_assert_uint_ge(at_once(&l, (enum http2_limit)((what + 1) % HTTP2_LIMITS_N), 1000), 50);
	ck_assert(http2_limit_text(what)[0] != '\0');
}
END_TEST

static Suite *suite_http2(void)
{
	Suite *s = suite_create("http2");
	TCase *t = tcase_create("http2");

	tcase_add_loop_test(t, a_block_is_a_head, 0, COUNT(blocks));
	tcase_add_test(t, a_nul_is_no_end);
	tcase_add_test(t, a_large_block_is_not_kept);
	tcase_add_loop_test(t, buckets_run_over_and_drain, 0, HTTP2_LIMITS_N);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_http2)
