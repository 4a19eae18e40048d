/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pools/backend.h"
#include "pools/fcgi_codec.h"
#include "tests/unit/check_pools.h"
#include "tests/unit/fcgi_stub.h"

START_TEST(header_round_trip)
{
	const struct fcgi_hdr h = {.type = 6, .id = 0x1234, .content_len = 0xfedc, .padding_len = 7};
	const uint8_t want[8] = {1, 6, 0x12, 0x34, 0xfe, 0xdc, 7, 0};
	struct fcgi_hdr back;
	uint8_t out[8];

	fcgi_hdr_encode(out, &h);
	ck_assert_mem_eq(out, want, 8);
	for (size_t n = 0; n < 8; n++)
		ck_assert_int_eq(fcgi_hdr_decode(out, n, &back), 0);
	ck_assert_int_eq(fcgi_hdr_decode(out, 8, &back), 8);
	ck_assert_uint_eq(back.id, h.id);
	ck_assert_uint_eq(back.content_len, h.content_len);
	ck_assert_uint_eq(back.padding_len, h.padding_len);
	out[0] = 2;
	ck_assert_int_eq(fcgi_hdr_decode(out, 8, &back), GW_ERR_PROTO);
}
END_TEST

START_TEST(begin_and_params)
{
	static const uint8_t begin[16] = {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
	static char big[200];
	uint8_t out[FCGI_CODEC_BEGIN_LEN];
	struct buf b;

	buf_init(&b);
	fcgi_begin_encode(out, 1, true);
	ck_assert_mem_eq(out, begin, 16);
	ck_assert_int_eq(fcgi_put_param(&b, "A", 1, "", 0), GW_OK);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_mem_eq(b.data, "\1\0A", 3);
	buf_reset(&b);
	memset(big, 'v', sizeof(big));
	ck_assert_int_eq(fcgi_put_param(&b, "NAME", 4, big, 127), GW_OK);
	ck_assert_uint_eq(b.len, 2 + 4 + 127);
	buf_reset(&b);
	ck_assert_int_eq(fcgi_put_param(&b, "NAME", 4, big, 200), GW_OK);
	ck_assert_uint_eq(b.len, 5 + 4 + 200);
	ck_assert_mem_eq(b.data, "\4\x80\0\0\xc8NAME", 9);
	ck_assert_int_eq(fcgi_put_param(&b, "N", 1, big, (size_t)1 << 31), GW_ERR_RANGE);
	buf_fini(&b);
}
END_TEST

/* The same stream at any split gives the same content and the same end. */
START_TEST(any_split)
{
	struct buf in, out, err;
	struct fcgi_event ev;
	bool ended;

	buf_init(&in);
	buf_init(&out);
	buf_init(&err);
	stub_record(&in, 1, FCGI_T_STDOUT, 1, "Status: 200\r\n", 13, 3);
	stub_record(&in, 1, FCGI_T_STDERR, 1, "oops", 4, 4);
	stub_record(&in, 1, FCGI_T_STDOUT, 1, "\r\nbody", 6, 255);
	stub_record(&in, 1, FCGI_T_STDOUT, 1, NULL, 0, 8);
	stub_record(&in, 1, FCGI_T_STDERR, 1, NULL, 0, 0);
	const uint8_t end[8] = {0, 0, 1, 2, 0, 0, 0, 0};
	stub_record(&in, 1, FCGI_T_END_REQUEST, 1, end, 8, 5);
	for (size_t step = 1; step <= in.len; step++) {
		struct fcgi_decoder d;
		fcgi_decoder_init(&d, 1);
		buf_reset(&out);
		buf_reset(&err);
		ended = false;
		for (size_t at = 0; at < in.len;) {
			size_t n = in.len - at < step ? in.len - at : step;
			ssize_t used = fcgi_decode(&d, in.data + at, n, &ev);
			ck_assert_int_gt(used, 0);
			ck_assert_int_le(used, (ssize_t)n);
			at += (size_t)used;
			if (ev.kind == FCGI_EV_STDOUT)
				ck_assert_int_eq(buf_append(&out, ev.data, ev.len), GW_OK);
			if (ev.kind == FCGI_EV_STDERR)
				ck_assert_int_eq(buf_append(&err, ev.data, ev.len), GW_OK);
			if (ev.kind == FCGI_EV_END) {
				ck_assert(!ended);
				ended = true;
				ck_assert_uint_eq(ev.app_status, 258);
			}
		}
		ck_assert(ended);
		ck_assert(fcgi_decoder_at_end(&d));
		ck_assert_uint_eq(out.len, 19);
		ck_assert_mem_eq(out.data, "Status: 200\r\n\r\nbody", 19);
		ck_assert_mem_eq(err.data, "oops", 4);
	}
	buf_fini(&in);
	buf_fini(&out);
	buf_fini(&err);
}
END_TEST

static const struct {
	unsigned version, type, id;
	size_t len;
} wrong[] = {
	{0, FCGI_T_STDOUT, 1, 4}, {2, FCGI_T_STDOUT, 1, 4}, {1, FCGI_T_STDOUT, 2, 4}, {1, FCGI_T_STDOUT, 0, 4},
	{1, FCGI_T_STDOUT, 257, 4}, {1, FCGI_T_BEGIN_REQUEST, 1, 8}, {1, FCGI_T_ABORT_REQUEST, 1, 0}, {1, FCGI_T_PARAMS, 1, 4},
	{1, FCGI_T_STDIN, 1, 4}, {1, FCGI_T_DATA, 1, 4}, {1, FCGI_T_GET_VALUES, 0, 0}, {1, FCGI_T_GET_VALUES_RESULT, 0, 0},
	{1, FCGI_T_UNKNOWN, 0, 8}, {1, 12, 1, 4}, {1, 0, 1, 4}, {1, 255, 1, 4}, {1, FCGI_T_END_REQUEST, 1, 0},
	{1, FCGI_T_END_REQUEST, 1, 7}, {1, FCGI_T_END_REQUEST, 1, 9}, {1, FCGI_T_END_REQUEST, 2, 8},
};

START_TEST(wrong_record)
{
	struct fcgi_decoder d;
	struct fcgi_event ev;
	struct buf in;
	ssize_t n = 1;

	buf_init(&in);
	stub_record(&in, wrong[_i].version, wrong[_i].type, wrong[_i].id, "123456789", wrong[_i].len, 0);
	for (size_t step = 1; step <= in.len; step++) {
		fcgi_decoder_init(&d, 1);
		for (size_t at = 0; at < in.len && (n = fcgi_decode(&d, in.data + at, step < in.len - at ? step : in.len - at, &ev)) > 0;)
			at += (size_t)n;
		ck_assert_int_eq(n, GW_ERR_PROTO);
	}
	buf_fini(&in);
}
END_TEST

START_TEST(after_the_end)
{
	struct fcgi_decoder d;
	struct fcgi_event ev;
	struct buf in;

	buf_init(&in);
	stub_end(&in, 0, 0);
	fcgi_decoder_init(&d, 1);
	ck_assert_int_eq(fcgi_decode(&d, in.data, in.len, &ev), 16);
	ck_assert_int_eq(ev.kind, FCGI_EV_END);
	ck_assert(fcgi_decoder_at_end(&d));
	ck_assert_int_eq(fcgi_decode(&d, in.data, 1, &ev), GW_ERR_PROTO);
	buf_fini(&in);
}
END_TEST

START_TEST(fail_table)
{
	static const int status[] = {200, 503, 503, 503, 502, 502, 502, 504, 500, 500, 500};

	for (int i = BACKEND_OK; i <= BACKEND_NOMEM; i++) {
		ck_assert_int_eq(backend_fail_status((enum backend_fail)i), status[i]);
		ck_assert_int_gt((int)strlen(backend_fail_text((enum backend_fail)i)), 5);
	}
	ck_assert_int_eq(backend_fail_status((enum backend_fail)99), 500);
}
END_TEST

Suite *codec_suite(void)
{
	Suite *s = suite_create("fcgi_codec");
	TCase *t = tcase_create("codec");

	tcase_add_test(t, header_round_trip);
	tcase_add_test(t, begin_and_params);
	tcase_add_test(t, any_split);
	tcase_add_loop_test(t, wrong_record, 0, (int)(sizeof(wrong) / sizeof(*wrong)));
	tcase_add_test(t, after_the_end);
	tcase_add_test(t, fail_table);
	suite_add_tcase(s, t);
	return s;
}
