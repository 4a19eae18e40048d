/* SPDX-License-Identifier: Apache-2.0 */
/* Octet classes, paths, dates, conditions, ranges, entity tags. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/conditional.h"
#include "gateway/http/etag.h"
#include "gateway/http/http_chars.h"
#include "gateway/http/http_date.h"
#include "gateway/http/multirange.h"
#include "gateway/http/uri.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

START_TEST(chars)
{
	for (int c = 0; c < 256; c++) {
		char s[17];
		bool control = (c < 32 && c != '\t') || c == 127;
		bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
		ck_assert_msg(http_token_ok((char[]){(char)c}, 1) == token, "%d", c);
		ck_assert_msg(!!(http_chars[c] & HTTP_CH_TARGET) == (!control && c != ' ' && c != '\t' && c != '#'), "%d", c);
		/* at every place of a word and behind it */
		for (size_t at = 0; at < sizeof(s); at++) {
			memset(s, 'a', sizeof(s));
			s[at] = (char)c;
			ck_assert_msg(http_text_ok(s, sizeof(s)) == !control, "%d at %zu", c, at);
		}
	}
	ck_assert(!http_token_ok("", 0) && http_text_ok("", 0));
	ck_assert(http_equals("HoSt", 4, "host") && !http_equals("Hos", 3, "host") && !http_equals("Hosts", 5, "host"));
	ck_assert_int_eq(http_decimal("9223372036854775807", 19), INT64_MAX);
	ck_assert_int_eq(http_decimal("9223372036854775808", 19), -1);
}
END_TEST

static const struct {
	const char *in, *out;
	int status;
} uri_cases[] = {
	{"/", "/", 0},
	{"/a/b", "/a/b", 0},
	{"/a/b/", "/a/b/", 0},
	{"//a///b//", "/a/b/", 0},
	{"/a/./b/.", "/a/b/", 0},
	{"/./", "/", 0},
	{"/.", "/", 0},
	{"/a/../b", "/b", 0},
	{"/a/b/../../c", "/c", 0},
	{"/a/b/..", "/a/", 0},
	{"/a/..", "/", 0},
	{"/a//../b", "/b", 0},
	{"/..", NULL, -400},
	{"/../", NULL, -400},
	{"/a/../..", NULL, -400},
	{"/a/../../b", NULL, -400},
	{"/%2e%2e/b", NULL, -400},
	{"/a/%2E%2e/b", "/b", 0},
	{"/a/.%2e/b", "/b", 0},
	{"/%2e/b", "/b", 0},
	{"/.../..b/a..", "/.../..b/a..", 0},
	{"/a%20b%41", "/a bA", 0},
	{"/%3fa%23%25", "/?a#%", 0},
	{"/%252e%252e/", "/%2e%2e/", 0},
	{"/%c3%a4\xff", "/\xc3\xa4\xff", 0},
	{"/a%0d%0ab", "/a\r\nb", 0},
	{"/a\\..\\b", "/a\\..\\b", 0},
	{"/a;x/b", "/a;x/b", 0},
	{"", NULL, -400},
	{"a", NULL, -400},
	{"*", NULL, -400},
	{"%2fa", NULL, -400},
	{"/%", NULL, -400},
	{"/%4", NULL, -400},
	{"/%4g", NULL, -400},
	{"/%g4", NULL, -400},
	{"/%%41", NULL, -400},
	{"/%00", NULL, -400},
	{"/a%00.php", NULL, -400},
	{"/a%2fb", NULL, -404},
	{"/a%2Fb", NULL, -404},
	{"/..%2f", NULL, -404},
};

START_TEST(uris)
{
	char out[64];
	ssize_t rc = uri_normalise(uri_cases[_i].in, strlen(uri_cases[_i].in), 0, out);

	if (uri_cases[_i].out == NULL) {
		ck_assert_msg(rc == uri_cases[_i].status, "%s", uri_cases[_i].in);
		return;
	}
	ck_assert_str_eq(out, uri_cases[_i].out);
	ck_assert_int_eq(rc, (ssize_t)strlen(out));
}
END_TEST

/* The same paths read in the other ways. */
static const struct {
	const char *in, *out;
	int status;
	unsigned flags;
} uri_flag_cases[] = {
	{"/a%2fb", "/a/b", 0, URI_SLASH_DECODE},
	{"/a%2F%2fb", "/a/b", 0, URI_SLASH_DECODE},
	{"/a/..%2f..%2fetc", NULL, -400, URI_SLASH_DECODE},
	{"/a/b%2f..%2fc", "/a/c", 0, URI_SLASH_DECODE},
	{"/a%2f%2e%2e%2fb", "/b", 0, URI_SLASH_DECODE},
	{"/a%252fb", "/a%2fb", 0, URI_SLASH_DECODE},
	{"/a%00", NULL, -400, URI_SLASH_DECODE},
	{"/a%2fb", "/a%2fb", 0, URI_SLASH_KEEP},
	{"/a%2Fb%20", "/a%2Fb ", 0, URI_SLASH_KEEP},
	{"/..%2f..", "/..%2f..", 0, URI_SLASH_KEEP},
	{"/a%2", NULL, -400, URI_SLASH_KEEP},
	{"//a///b//", "//a///b//", 0, URI_SLASHES_KEEP},
	{"/a//../b", "/b", 0, URI_SLASHES_KEEP},
	{"/a//.//b", "/a///b", 0, URI_SLASHES_KEEP},
	{"//../a", NULL, -400, URI_SLASHES_KEEP},
	{"//a/..//b", "///b", 0, URI_SLASHES_KEEP},
	{"/a/b//..", "/a/", 0, URI_SLASHES_KEEP},
	{"/a%2fb", NULL, -404, URI_SLASHES_KEEP},
	{"/a%2f/b", "/a//b", 0, URI_SLASHES_KEEP | URI_SLASH_DECODE},
};

START_TEST(uri_flagged)
{
	char out[64];
	ssize_t rc = uri_normalise(uri_flag_cases[_i].in, strlen(uri_flag_cases[_i].in), uri_flag_cases[_i].flags, out);

	if (uri_flag_cases[_i].out == NULL) {
		ck_assert_msg(rc == uri_flag_cases[_i].status, "%s", uri_flag_cases[_i].in);
		return;
	}
	ck_assert_str_eq(out, uri_flag_cases[_i].out);
	ck_assert_int_eq(rc, (ssize_t)strlen(out));
}
END_TEST

START_TEST(uri_rest)
{
	ck_assert_str_eq(uri_kept_rest("/x.php//http://a", 6), "//http://a");
	ck_assert_str_eq(uri_kept_rest("//d///x.php//a", 8), "//a");
	ck_assert_str_eq(uri_kept_rest("//d//a", 3), "a");
	ck_assert_str_eq(uri_kept_rest("/x.php", 6), "");
	ck_assert_str_eq(uri_kept_rest("/x.php", 60), "");
}
END_TEST

START_TEST(uri_nul_and_escape)
{
	char out[64];

	ck_assert_int_eq(uri_normalise("/a\0b", 4, 0, out), -400);
	ck_assert_uint_eq(uri_encode_path("/a b?%\r\n\"\xc3<>;@:!", 15, out), strlen(out));
	ck_assert_str_eq(out, "/a%20b%3F%25%0D%0A%22%C3%3C%3E;@:");
}
END_TEST

static const struct {
	const char *in;
	int64_t time; /* -1: none */
} date_cases[] = {
	{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	{"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	{"Sun Nov  6 08:49:37 1994", 784111777},
	{"Sun Nov 16 08:49:37 1994", 784975777},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
	{"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
	{"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
	{"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
	{"Thursday, 01-Jan-76 00:00:00 GMT", 3345062400}, /* 50 years from the test's now */
	{"Thursday, 01-Jan-77 00:00:00 GMT", 220924800},
	{"Wed, 30 Feb 2000 00:00:00 GMT", -1},
	{"Thu, 29 Feb 1900 00:00:00 GMT", -1},
	{"Thu, 29 Feb 2023 00:00:00 GMT", -1},
	{"Sun, 31 Apr 1994 08:49:37 GMT", -1},
	{"Sun, 00 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 24:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:60:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:49:61 GMT", -1},
	{"Sun, 06 Nov 1994 08:49:37 UTC", -1},
	{"Sun, 06 Nov 1994 08:49:37", -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
	{" Sun, 06 Nov 1994 08:49:37 GMT", -1},
	{"Xun, 06 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Xov 1994 08:49:37 GMT", -1},
	{"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 94 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1969 08:49:37 GMT", -1},
	{"Sun Nov 6 08:49:37 1994", -1},
	{"784111777", -1},
	{"GMT", -1},
	{"", -1},
};

START_TEST(dates)
{
	const time_t now = 1779448000; /* in 2026 */
	const char *in = date_cases[_i].in;
	char out[HTTP_DATE_LEN + 1];

	ck_assert_msg(http_date_parse_at(in, strlen(in), now) == date_cases[_i].time, "%s: %lld", in,
		(long long)http_date_parse_at(in, strlen(in), now));
	if (date_cases[_i].time < 0)
		return;
	http_date_format(date_cases[_i].time, out);
	ck_assert_int_eq(http_date_parse(out, HTTP_DATE_LEN), date_cases[_i].time);
	if (in[3] == ',')
		ck_assert_str_eq(out, in);
}
END_TEST

/* Against the C library, over every day of four centuries and the turn of each. */
START_TEST(date_round_trip)
{
	char ours[HTTP_DATE_LEN + 1], theirs[64];

	for (time_t t = 0; t < (time_t)86400 * 146097; t += 86400 * 3 + 12345) {
		struct tm tm;
		ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
		ck_assert_uint_gt(strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm), 0);
		http_date_format(t, ours);
		ck_assert_str_eq(ours, theirs);
		ck_assert_int_eq(http_date_parse(ours, HTTP_DATE_LEN), t);
	}
	http_date_format(-1, ours);
	ck_assert_str_eq(ours, "Wed, 31 Dec 1969 23:59:59 GMT");
	http_date_format((time_t)INT64_MAX, ours);
	ck_assert_str_eq(ours, "Thu, 01 Jan 1970 00:00:00 GMT");
}
END_TEST

#define OLD "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define NEW "Sun, 06 Nov 1994 08:49:38 GMT"
#define MTIME 784111777

static const struct {
	const char *match, *unmodified, *none_match, *modified;
	const char *etag;
	bool get;
	int result;
} cond_cases[] = {
	{NULL, NULL, NULL, NULL, "\"a\"", true, 0},
	{"\"a\"", NULL, NULL, NULL, "\"a\"", true, 0},
	{"\"b\", \"a\"", NULL, NULL, NULL, "\"a\"", true, 0},
	{"*", NULL, NULL, NULL, "\"a\"", true, 0},
	{"*", NULL, NULL, NULL, NULL, true, 0},
	{"\"b\"", NULL, NULL, NULL, "\"a\"", true, 412},
	{"W/\"a\"", NULL, NULL, NULL, "\"a\"", true, 412},
	{"W/\"a\"", NULL, NULL, NULL, "W/\"a\"", true, 412},
	{"\"a\"", NULL, NULL, NULL, "W/\"a\"", true, 412},
	{"\"a\"", NULL, NULL, NULL, NULL, true, 412},
	{"", NULL, NULL, NULL, "\"a\"", true, 412},
	{"a", NULL, NULL, NULL, "\"a\"", true, 412},
	{"\"x\"\"a\"", NULL, NULL, NULL, "\"a\"", true, 412},
	{"\"x,\", \"a\"", NULL, NULL, NULL, "\"a\"", true, 0},
	{"\"b\"", SAME, NULL, NULL, "\"a\"", false, 412},
	{"\"a\"", OLD, NULL, NULL, "\"a\"", false, 0}, /* If-Match hides If-Unmodified-Since */
	{NULL, SAME, NULL, NULL, "\"a\"", false, 0},
	{NULL, OLD, NULL, NULL, "\"a\"", true, 412},
	{NULL, "rubbish", NULL, NULL, "\"a\"", true, 0},
	{NULL, NULL, "\"a\"", NULL, "\"a\"", true, 304},
	{NULL, NULL, "\"a\"", NULL, "\"a\"", false, 412},
	{NULL, NULL, "W/\"a\"", NULL, "\"a\"", true, 304},
	{NULL, NULL, "\"a\"", NULL, "W/\"a\"", true, 304},
	{NULL, NULL, "\"b\" ,,\t\"a\"", NULL, "\"a\"", true, 304},
	{NULL, NULL, "\"b\"", NULL, "\"a\"", true, 0},
	{NULL, NULL, "\"a", NULL, "\"a\"", true, 0},
	{NULL, NULL, "*", NULL, "\"a\"", true, 304},
	{NULL, NULL, "*", NULL, "\"a\"", false, 412},
	{NULL, NULL, "\"b\"", SAME, "\"a\"", true, 0}, /* If-None-Match hides If-Modified-Since */
	{NULL, NULL, NULL, SAME, "\"a\"", true, 304},
	{NULL, NULL, NULL, NEW, "\"a\"", true, 304},
	{NULL, NULL, NULL, OLD, "\"a\"", true, 0},
	{NULL, NULL, NULL, SAME, "\"a\"", false, 0},
	{NULL, NULL, NULL, "rubbish", "\"a\"", true, 0},
	{"\"a\"", NULL, "\"a\"", NULL, "\"a\"", true, 304},
	{"\"b\"", NULL, "\"a\"", NULL, "\"a\"", true, 412},
	{NULL, OLD, NULL, NEW, "\"a\"", true, 412},
};

static size_t length(const char *s)
{
	return s == NULL ? 0 : strlen(s);
}

START_TEST(conditions)
{
	struct cond_fields f = {0};

	f.if_match = cond_cases[_i].match;
	f.if_match_len = length(f.if_match);
	f.if_unmodified_since = cond_cases[_i].unmodified;
	f.if_unmodified_since_len = length(f.if_unmodified_since);
	f.if_none_match = cond_cases[_i].none_match;
	f.if_none_match_len = length(f.if_none_match);
	f.if_modified_since = cond_cases[_i].modified;
	f.if_modified_since_len = length(f.if_modified_since);
	ck_assert_int_eq(cond_check(&f, cond_cases[_i].etag, MTIME, cond_cases[_i].get), cond_cases[_i].result);
}
END_TEST

#define BIG "9007199254740992"

static const struct {
	const char *range, *if_range;
	uint64_t size;
	int n;
	struct range r[3];
} range_cases[] = {
	{NULL, NULL, 10, 0, {{0, 0}}},
	{"bytes=0-4", NULL, 10, 1, {{0, 4}}},
	{"BYTES=0-4", NULL, 10, 1, {{0, 4}}},
	{"bytes=5-", NULL, 10, 1, {{5, 9}}},
	{"bytes=-3", NULL, 10, 1, {{7, 9}}},
	{"bytes=-99", NULL, 10, 1, {{0, 9}}},
	{"bytes=0-0", NULL, 10, 1, {{0, 0}}},
	{"bytes=9-99", NULL, 10, 1, {{9, 9}}},
	{"bytes=0-18446744073709551616", NULL, 10, 1, {{0, 9}}},
	{"bytes=0-99999999999999999999999999", NULL, 10, 1, {{0, 9}}},
	{"bytes=10-", NULL, 10, -416, {{0, 0}}},
	{"bytes=99999999999999999999999999-", NULL, 10, -416, {{0, 0}}},
	{"bytes=-0", NULL, 10, -416, {{0, 0}}},
	{"bytes=10-,20-30", NULL, 10, -416, {{0, 0}}},
	{"bytes=10-,2-3", NULL, 10, 1, {{2, 3}}},
	{"bytes=0-1, 3-4 ,,6-", NULL, 10, 3, {{0, 1}, {3, 4}, {6, 9}}},
	{"bytes=6-,0-1", NULL, 10, 2, {{6, 9}, {0, 1}}},
	{"bytes=" BIG "-" BIG, NULL, (uint64_t)1 << 60, 1, {{(uint64_t)1 << 53, (uint64_t)1 << 53}}},
	{"bytes=0-", NULL, 0, -416, {{0, 0}}},
	{"bytes=-5", NULL, 0, 0, {{0, 0}}},
	{"bytes=5-4", NULL, 10, 0, {{0, 0}}},
	{"bytes=0-4,5-4", NULL, 10, 0, {{0, 0}}},
	{"bytes=", NULL, 10, 0, {{0, 0}}},
	{"bytes=,", NULL, 10, 0, {{0, 0}}},
	{"bytes=-", NULL, 10, 0, {{0, 0}}},
	{"bytes=a-b", NULL, 10, 0, {{0, 0}}},
	{"bytes=1", NULL, 10, 0, {{0, 0}}},
	{"bytes=1-2-3", NULL, 10, 0, {{0, 0}}},
	{"bytes=1 -2", NULL, 10, 0, {{0, 0}}},
	{"bytes=--2", NULL, 10, 0, {{0, 0}}},
	{"bytes=+1-2", NULL, 10, 0, {{0, 0}}},
	{"bytes 0-4", NULL, 10, 0, {{0, 0}}},
	{"items=0-4", NULL, 10, 0, {{0, 0}}},
	{"bytes=0-,0-", NULL, 10, 0, {{0, 0}}}, /* twice the file */
	{"bytes=0-1,1-2,1-1,1-1", NULL, 10, 0, {{0, 0}}},
	{"bytes=0-4", "\"a\"", 10, 1, {{0, 4}}},
	{"bytes=0-4", "\"b\"", 10, 0, {{0, 0}}},
	{"bytes=0-4", "W/\"a\"", 10, 0, {{0, 0}}},
	{"bytes=0-4", "\"a\", \"b\"", 10, 0, {{0, 0}}},
	{"bytes=0-4", SAME, 10, 1, {{0, 4}}},
	{"bytes=0-4", OLD, 10, 0, {{0, 0}}},
	{"bytes=0-4", NEW, 10, 0, {{0, 0}}},
	{"bytes=0-4", "rubbish", 10, 0, {{0, 0}}},
	{"bytes=99-", "\"b\"", 10, 0, {{0, 0}}},
};

START_TEST(ranges)
{
	struct cond_fields f = {0};
	struct range out[RANGES_MAX];

	f.range = range_cases[_i].range;
	f.range_len = length(f.range);
	f.if_range = range_cases[_i].if_range;
	f.if_range_len = length(f.if_range);
	int n = range_parse(&f, "\"a\"", MTIME, range_cases[_i].size, out);
	ck_assert_int_eq(n, range_cases[_i].n);
	for (int i = 0; i < n; i++) {
		ck_assert_uint_eq(out[i].first, range_cases[_i].r[i].first);
		ck_assert_uint_eq(out[i].last, range_cases[_i].r[i].last);
	}
}
END_TEST

START_TEST(range_count)
{
	char text[1024] = "bytes=0-0";
	struct cond_fields f = {.range = text};
	struct range out[RANGES_MAX];

	for (int i = 1; i < RANGES_MAX; i++)
		sprintf(text + strlen(text), ",%d-%d", 2 * i, 2 * i);
	f.range_len = strlen(text);
	ck_assert_int_eq(range_parse(&f, NULL, 0, 10000, out), RANGES_MAX);
	strcat(text, ",9000-");
	f.range_len = strlen(text);
	ck_assert_int_eq(range_parse(&f, NULL, 0, 10000, out), 0);
}
END_TEST

START_TEST(etags)
{
	char out[ETAG_LEN_MAX];

	ck_assert_uint_eq(etag_format(0, (struct timespec){0, 0}, out), 5);
	ck_assert_str_eq(out, "\"0-0\"");
	etag_format(0x12ab, (struct timespec){1, 2000}, out);
	ck_assert_str_eq(out, "\"12ab-f4242\"");
	ck_assert_uint_lt(etag_format(UINT64_MAX, (struct timespec){-1, 999999999}, out), ETAG_LEN_MAX);
}
END_TEST

START_TEST(multiranges)
{
	static const struct range r[] = {{0, 1}, {5, 9}};
	char out[MULTIRANGE_TEXT_MAX], body[1024] = "", type[400];
	struct multirange m;

	multirange_init(&m, 0xabc, "text/plain", 10, r, 2);
	for (int i = 0; i <= 2; i++) {
		ck_assert_uint_eq(multirange_text(&m, i, out), strlen(out));
		strcat(body, out);
		if (i < 2)
			strncat(body, &"0123456789"[r[i].first], r[i].last - r[i].first + 1);
	}
	ck_assert_str_eq(body,
		"--0000000000000abc\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n"
		"--0000000000000abc\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-9/10\r\n\r\n56789\r\n"
		"--0000000000000abc--\r\n");
	ck_assert_uint_eq(multirange_length(&m), strlen(body));

	memset(type, 'a', sizeof(type) - 1);
	type[sizeof(type) - 1] = '\0';
	static const struct range big = {0, UINT64_MAX};
	multirange_init(&m, UINT64_MAX, type, UINT64_MAX, &big, 1);
	ck_assert_uint_eq(multirange_text(&m, 0, out), strlen(out));
	ck_assert_ptr_null(strstr(out, "Content-Type"));
}
END_TEST

Suite *suite_http_values(void)
{
	Suite *s = suite_create("values");
	TCase *t = tcase_create("values");

	tcase_add_test(t, chars);
	tcase_add_loop_test(t, uris, 0, COUNT(uri_cases));
	tcase_add_loop_test(t, uri_flagged, 0, COUNT(uri_flag_cases));
	tcase_add_test(t, uri_rest);
	tcase_add_test(t, uri_nul_and_escape);
	tcase_add_loop_test(t, dates, 0, COUNT(date_cases));
	tcase_add_test(t, date_round_trip);
	tcase_add_loop_test(t, conditions, 0, COUNT(cond_cases));
	tcase_add_loop_test(t, ranges, 0, COUNT(range_cases));
	tcase_add_test(t, range_count);
	tcase_add_test(t, etags);
	tcase_add_test(t, multiranges);
	suite_add_tcase(s, t);
	return s;
}
