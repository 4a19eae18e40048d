/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2: header blocks as heads, and what bounds a client. Frames are tested over sockets (tests/it/test_http2*.py). */
#include <string.h>

#include "gateway/http/http2_block.h"
#include "gateway/http/http2_frames.h"
#include "gateway/http/http2_numbers.h"
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

/* --- frames and numbers ----------------------------------------------------------------------------------------------------- */

/* However the octets come, the same headers are found. */
START_TEST(frames_are_found_in_pieces)
{
	static const uint8_t in[] = "skip\0\0\3\1\2\0\0\0\7abc\0\0\0\4\0\x80\0\0\0\0\1\0\xff\5\x7f\xff\xff\xff";
	static const struct http2_frame_head want[] = {{3, 1, 2, 7}, {0, 4, 0, 0}, {256, 255, 5, INT32_MAX}};
	static const size_t behind[] = {13, 25, 34};
	size_t step = (size_t)_i, n = sizeof(in) - 1;
	unsigned found = 0;
	struct http2_frames f;

	http2_frames_init(&f, 4);
	for (size_t from = 0; from < n; from += step) {
		struct http2_frame_head h;
		size_t at = 0, len = n - from < step ? n - from : step;
		while (http2_frames_next(&f, in + from, len, &at, &h)) {
			ck_assert_uint_lt(found, COUNT(want));
			ck_assert_uint_eq(from + at, behind[found]);
			ck_assert_uint_eq(h.length, want[found].length);
			ck_assert_uint_eq(h.type, want[found].type);
			ck_assert_uint_eq(h.flags, want[found].flags);
			ck_assert_int_eq(h.id, want[found].id);
			found++;
		}
		ck_assert_uint_eq(at, len);
	}
	ck_assert_uint_eq(found, COUNT(want));
	ck_assert_uint_eq(f.skip, 256);
}
END_TEST

START_TEST(numbers_are_told_apart)
{
	struct http2_numbers n = {0};

	ck_assert_int_eq(http2_numbers_tell(&n, 1), HTTP2_NUMBER_NEW);
	http2_numbers_open(&n, 3);
	ck_assert_int_eq(http2_numbers_tell(&n, 1), HTTP2_NUMBER_PASSED);
	ck_assert_int_eq(http2_numbers_tell(&n, 3), HTTP2_NUMBER_ENDED);
	ck_assert_int_eq(http2_numbers_tell(&n, 5), HTTP2_NUMBER_NEW);
	http2_numbers_cut(&n, 3);
	ck_assert_int_eq(http2_numbers_tell(&n, 3), HTTP2_NUMBER_CUT);
	/* Places are used again: what was opened there before is forgotten, also by a leap over all of them. */
	for (int32_t id = 5; id < 3000; id += 2)
		http2_numbers_open(&n, id);
	ck_assert_int_eq(http2_numbers_tell(&n, 2001), HTTP2_NUMBER_ENDED);
	http2_numbers_open(&n, 3101);
	ck_assert_int_eq(http2_numbers_tell(&n, 2999), HTTP2_NUMBER_ENDED);
	for (int32_t id = 3001; id < 3101; id += 2)
		ck_assert_int_eq(http2_numbers_tell(&n, id), HTTP2_NUMBER_PASSED);
	http2_numbers_open(&n, INT32_MAX);
	ck_assert_int_eq(http2_numbers_tell(&n, INT32_MAX), HTTP2_NUMBER_ENDED);
	for (int32_t id = INT32_MAX - 2; id > INT32_MAX - 2 * HTTP2_NUMBERS_SEEN; id -= 2)
		ck_assert_int_eq(http2_numbers_tell(&n, id), HTTP2_NUMBER_PASSED);
	ck_assert_int_eq(http2_numbers_tell(&n, INT32_MAX - 2 * HTTP2_NUMBERS_SEEN), HTTP2_NUMBER_ENDED);
	/* So are those of the ones that were cut, the oldest first. */
	for (int32_t i = 0; i < HTTP2_NUMBERS_CUT - 1; i++)
		http2_numbers_cut(&n, 2001 + 2 * i);
	ck_assert_int_eq(http2_numbers_tell(&n, 3), HTTP2_NUMBER_CUT);
	http2_numbers_cut(&n, 2999);
	ck_assert_int_ne(http2_numbers_tell(&n, 3), HTTP2_NUMBER_CUT);
	ck_assert_int_eq(http2_numbers_tell(&n, 2001), HTTP2_NUMBER_CUT);
	ck_assert_int_eq(http2_numbers_tell(&n, 2999), HTTP2_NUMBER_CUT);
}
END_TEST

static Suite *suite_http2(void)
{
	Suite *s = suite_create("http2");
	TCase *t = tcase_create("http2");

	tcase_add_loop_test(t, a_block_is_a_head, 0, COUNT(blocks));
	tcase_add_test(t, a_nul_is_no_end);
	tcase_add_test(t, a_large_block_is_not_kept);
	tcase_add_loop_test(t, frames_are_found_in_pieces, 1, 40);
	tcase_add_test(t, numbers_are_told_apart);
	tcase_add_loop_test(t, buckets_run_over_and_drain, 0, HTTP2_LIMITS_N);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_http2)
