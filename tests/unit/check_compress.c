/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings as they are made: what comes out is what went in, and what was flushed can be read. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "gateway/http/compress.h"
#include "tests/unit/check_edit.h"

#define TEXT_LEN 300000

static void fill(char *text, size_t n)
{
	unsigned x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245u + 12345u;
		text[i] = (char)('a' + (x >> 16) % 17);
	}
}

/* What gzip data decode to so far, which may be a part. */
static size_t gunzip(const struct buf *in, char *out, size_t cap, bool *ended)
{
	z_stream z;

	memset(&z, 0, sizeof(z));
	ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = buf_head(in);
	z.avail_in = (uInt)buf_unread(in);
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)cap;
	int rc = inflate(&z, Z_SYNC_FLUSH);
	ck_assert(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
	*ended = rc == Z_STREAM_END;
	size_t n = z.total_out;
	inflateEnd(&z);
	return n;
}

START_TEST(whole)
{
	static char text[TEXT_LEN], back[TEXT_LEN + 1];
	static const size_t steps[] = {TEXT_LEN, 1, 17, 4096, 100000};
	struct compressor *z = compressor_new(CODING_GZIP, COMPRESS_DEFLATE_LEVEL);
	size_t step = steps[_i], len = step == 1 ? 5000 : TEXT_LEN;
	struct buf out;
	bool ended;

	fill(text, sizeof(text));
	buf_init(&out);
	ck_assert_ptr_nonnull(z);
	ck_assert_int_eq((int)compressor_coding(z), CODING_GZIP);
	for (size_t at = 0; at < len; at += step)
		ck_assert_int_eq(compressor_feed(z, text + at, at + step > len ? len - at : step, COMPRESS_MORE, &out), 0);
	ck_assert_int_eq(compressor_feed(z, "", 0, COMPRESS_END, &out), 0);
	compressor_free(z);
	ck_assert_uint_lt(buf_unread(&out), len);
	ck_assert_uint_eq(gunzip(&out, back, sizeof(back), &ended), len);
	ck_assert(ended);
	ck_assert_mem_eq(back, text, len);
	buf_fini(&out);
}
END_TEST

START_TEST(flushed)
{
	struct compressor *z = compressor_new(CODING_GZIP, 1);
	char back[4096], want[4096] = "";
	struct buf out;
	bool ended;

	buf_init(&out);
	ck_assert_ptr_nonnull(z);
	for (int i = 0; i < 20; i++) {
		char event[32];
		snprintf(event, sizeof(event), "data: event %d\n\n", i);
		strcat(want, event);
		ck_assert_int_eq(compressor_feed(z, event, strlen(event), COMPRESS_FLUSH, &out), 0);
		/* every event can be read as soon as it was flushed, and the stream is not over */
		ck_assert_uint_eq(gunzip(&out, back, sizeof(back), &ended), strlen(want));
		ck_assert(!ended);
		ck_assert_mem_eq(back, want, strlen(want));
	}
	/* without a flush nothing has to come */
	size_t before = buf_unread(&out);
	ck_assert_int_eq(compressor_feed(z, "x", 1, COMPRESS_MORE, &out), 0);
	ck_assert_uint_eq(buf_unread(&out), before);
	compressor_free(z);
	buf_fini(&out);
}
END_TEST

START_TEST(brotli)
{
	static char text[TEXT_LEN];
	struct buf out;

	if ((compress_codings() & CODING_BIT(CODING_BR)) == 0)
		return; /* a build without it offers none */
	struct compressor *z = compressor_new(CODING_BR, COMPRESS_BROTLI_QUALITY);
	ck_assert_ptr_nonnull(z);
	fill(text, sizeof(text));
	buf_init(&out);
	ck_assert_int_eq(compressor_feed(z, text, 10, COMPRESS_FLUSH, &out), 0);
	size_t readable = buf_unread(&out);
	ck_assert_uint_gt(readable, 10);
	ck_assert_int_eq(compressor_feed(z, text, sizeof(text), COMPRESS_END, &out), 0);
	ck_assert_uint_gt(buf_unread(&out), readable);
	ck_assert_uint_lt(buf_unread(&out), sizeof(text));
	compressor_free(z);
	compressor_free(NULL);
	buf_fini(&out);
}
END_TEST

Suite *compress_suite(void)
{
	Suite *s = suite_create("compress");
	TCase *tc = tcase_create("compress");

	tcase_add_loop_test(tc, whole, 0, 5);
	tcase_add_test(tc, flushed);
	tcase_add_test(tc, brotli);
	suite_add_tcase(s, tc);
	return s;
}
