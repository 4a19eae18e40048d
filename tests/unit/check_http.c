/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1 heads; every case is fed whole, octet by octet, and in two pieces cut at every place. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/http/http1_parse.h"
#include "tests/unit/check_http.h"

#define H "Host: a.example\r\n"
#define GET "GET / HTTP/1.1\r\n"

static const struct http1_limits limits = {.line = 8190, .field = 8190, .fields = 100, .head = 65536};

struct head_case {
	const char *in;
	int result; /* -1: the whole input is the head; else as http1_parse() */
	size_t len; /* octets of @in when it holds a NUL, else 0 */
};

static const struct head_case head_cases[] = {
	/* request line */
	{GET H "\r\n", -1, 0},
	{"\r\n" GET H "\r\n", -1, 0},
	{"\r\n\r\n" GET H "\r\n", -400, 0},
	{"\n" GET H "\r\n", -400, 0},
	{"\r" GET H "\r\n", -400, 0},
	{" " GET H "\r\n", -400, 0},
	{"GET / HTTP/1.0\r\n\r\n", -1, 0},
	{"GET /\r\n\r\n", -400, 0},
	{"GET\r\n\r\n", -400, 0},
	{"GET \r\n\r\n", -400, 0},
	{"GET  / HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET /  HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1.1 \r\n" H "\r\n", -400, 0},
	{"GET\t/ HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET / x HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1.1\n" H "\r\n", -400, 0},
	{"GET / HTTP/1.1\r\r\n" H "\r\n", -400, 0},
	{"GET / http/1.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1.10\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/11.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1,1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/a.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTQ/1.1\r\n" H "\r\n", -400, 0},
	{"GET / HTTP/1.2\r\n" H "\r\n", -1, 0},
	{"GET / HTTP/1.9\r\n" H "\r\n", -1, 0},
	{"GET / HTTP/2.0\r\n" H "\r\n", -505, 0},
	{"GET / HTTP/0.9\r\n" H "\r\n", -505, 0},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", -505, 0},
	{"G@T / HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"G\0T / HTTP/1.1\r\n" H "\r\n", -400, 35},
	{"\x16\x03\x01\x02", -400, 0},
	{"brew /pot HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"M-SEARCH / HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"connect / HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n", -405, 0},
	{"TRACE / HTTP/1.1\r\n" H "\r\n", -405, 0},
	/* request target */
	{"GET /a?b HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET /a#b HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET /a\x01" "b HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET /a\x7f" "b HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET /\xc3\xa4\xff HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET /<>\"|\\^`{} HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET a HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET a.example:80 HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET ?a HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET * HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"OPTIONS * HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"OPTIONS *a HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"options * HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"OPTIONS / HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET http://b.example/x HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET HTTPS://b.example:8443 HTTP/1.1\r\n" H "\r\n", -1, 0},
	{"GET http://b.example/x HTTP/1.1\r\n\r\n", -400, 0},
	{"GET http://b.example/x HTTP/1.1\r\nHost: bad host\r\n\r\n", -400, 0},
	{"GET http:///x HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET http://u@b.example/ HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET http://u:p@b.example/ HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET ftp://b.example/ HTTP/1.1\r\n" H "\r\n", -400, 0},
	{"GET http:/b HTTP/1.1\r\n" H "\r\n", -400, 0},
	/* field lines */
	{GET H "A: b\r\n\r\n", -1, 0},
	{GET H "A:\r\n\r\n", -1, 0},
	{GET H "A: \t \r\n\r\n", -1, 0},
	{GET H "A: a\tb\x80\xff\r\n\r\n", -1, 0},
	{GET H "A\r\n\r\n", -400, 0},
	{GET H ": b\r\n\r\n", -400, 0},
	{GET H "A : b\r\n\r\n", -400, 0},
	{GET H "A\t: b\r\n\r\n", -400, 0},
	{GET " " H "\r\n", -400, 0},
	{GET "\t" H "\r\n", -400, 0},
	{GET H "A: b\r\n c\r\n\r\n", -400, 0},
	{GET H "A: b\r\n\tc\r\n\r\n", -400, 0},
	{GET H " \r\n\r\n", -400, 0},
	{GET H "A: b\n\r\n", -400, 0},
	{GET H "A: b\r\n\n", -400, 0},
	{GET H "A: b\rc\r\n\r\n", -400, 0},
	{GET H "A: b\r\r\n\r\n", -400, 0},
	{GET H "A: b\0c\r\n\r\n", -400, 41},
	{GET H "A: b\x01\r\n\r\n", -400, 0},
	{GET H "A: 0123456789\x1f 0123456789\r\n\r\n", -400, 0},
	{GET H "A: 0123456789\x7f 0123456789\r\n\r\n", -400, 0},
	{GET H "A@: b\r\n\r\n", -400, 0},
	{GET H "A(: b\r\n\r\n", -400, 0},
	{GET H "\xc3\xa4: b\r\n\r\n", -400, 0},
	{GET H "!#$%&'*+-.^_`|~09Az: b\r\n\r\n", -1, 0},
	/* Host */
	{GET "\r\n", -400, 0},
	{"GET / HTTP/1.2\r\n\r\n", -400, 0},
	{GET H H "\r\n", -400, 0},
	{"GET / HTTP/1.0\r\n" H H "\r\n", -400, 0},
	{GET "HOST: a\r\n\r\n", -1, 0},
	{GET "Host:\r\n\r\n", -400, 0},
	{GET "Host: a b\r\n\r\n", -400, 0},
	{GET "Host: a,b\r\n\r\n", -400, 0},
	{GET "Host: a/b\r\n\r\n", -400, 0},
	{GET "Host: u@a\r\n\r\n", -400, 0},
	{GET "Host: a\tb\r\n\r\n", -400, 0},
	{GET "Host: a\\b\r\n\r\n", -400, 0},
	{GET "Host: a'b\r\n\r\n", -400, 0},
	{GET "Host: a%00b\r\n\r\n", -400, 0},
	{GET "Host: a..b\r\n\r\n", -400, 0},
	{GET "Host: ..\r\n\r\n", -400, 0},
	{GET "Host: .a\r\n\r\n", -400, 0},
	{GET "Host: a.\r\n\r\n", -1, 0},
	{GET "Host: a_b-c~1\r\n\r\n", -1, 0},
	{GET "Host: a:\r\n\r\n", -1, 0},
	{GET "Host: a:1\r\n\r\n", -1, 0},
	{GET "Host: a:65535\r\n\r\n", -1, 0},
	{GET "Host: a:65536\r\n\r\n", -400, 0},
	{GET "Host: a:0\r\n\r\n", -400, 0},
	{GET "Host: a:99999999999999999999\r\n\r\n", -400, 0},
	{GET "Host: a:b\r\n\r\n", -400, 0},
	{GET "Host: a:1:2\r\n\r\n", -400, 0},
	{GET "Host: a:-1\r\n\r\n", -400, 0},
	{GET "Host: :80\r\n\r\n", -400, 0},
	{GET "Host: 192.0.2.1\r\n\r\n", -1, 0},
	{GET "Host: [2001:db8::1]\r\n\r\n", -1, 0},
	{GET "Host: [2001:db8::1]:80\r\n\r\n", -1, 0},
	{GET "Host: [::ffff:192.0.2.1]\r\n\r\n", -1, 0},
	{GET "Host: [::1\r\n\r\n", -400, 0},
	{GET "Host: ::1\r\n\r\n", -400, 0},
	{GET "Host: [::1]a\r\n\r\n", -400, 0},
	{GET "Host: []\r\n\r\n", -400, 0},
	{GET "Host: [a]\r\n\r\n", -400, 0},
	{GET "Host: [fe80::1%25eth0]\r\n\r\n", -400, 0},
	{GET "Host: [v1.a]\r\n\r\n", -400, 0},
	{GET "Host: [::1]]\r\n\r\n", -400, 0},
	{GET "Host: [\r\n\r\n", -400, 0},
	/* framing */
	{GET H "Content-Length: 5\r\n\r\n", -1, 0},
	{GET H "Content-Length: 0\r\n\r\n", -1, 0},
	{GET H "Content-Length: 9223372036854775807\r\n\r\n", -1, 0},
	{GET H "Content-Length: 9223372036854775808\r\n\r\n", -400, 0},
	{GET H "Content-Length: 18446744073709551621\r\n\r\n", -400, 0},
	{GET H "Content-Length:\r\n\r\n", -400, 0},
	{GET H "Content-Length: +5\r\n\r\n", -400, 0},
	{GET H "Content-Length: -5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 0x5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5 5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5.0\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5, 6\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5, 5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", -400, 0},
	{GET H "Content_Length: 5\r\n\r\n", -1, 0},
	{GET H "Transfer-Encoding: chunked\r\n\r\n", -1, 0},
	{GET H "transfer-encoding:CHUNKED\r\n\r\n", -1, 0},
	{GET H "Transfer-Encoding:\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: ,chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked,\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked, chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked, gzip\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: gzip, chunked\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: gzip\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: identity\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: xchunked\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: chunkedx\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: \"chunked\"\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: chunked;q=1\r\n\r\n", -501, 0},
	{GET H "Transfer-Encoding: \x0b" "chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding : chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding\r\n : chunked\r\n\r\n", -400, 0},
	{GET H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", -400, 0},
	{GET H "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n", -400, 0},
	{"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", -400, 0},
	/* expectations */
	{GET H "Expect: 100-continue\r\n\r\n", -1, 0},
	{GET H "Expect: 100-CONTINUE\r\n\r\n", -1, 0},
	{GET H "Expect: 200-ok\r\n\r\n", -417, 0},
	{GET H "Expect:\r\n\r\n", -417, 0},
	/* unfinished */
	{"", 0, 0},
	{"\r", 0, 0},
	{"\r\n", 0, 0},
	{"G", 0, 0},
	{GET H, 0, 0},
	{GET H "\r", 0, 0},
};

/* Feed growing prefixes, the last one whole: @step octets more each time, the first one @first. */
static ssize_t feed(struct http1_request *r, const struct http1_limits *lim, const char *in, size_t len, size_t first, size_t step)
{
	const char *why = NULL;
	ssize_t rc = 0;

	http1_request_init(r);
	for (size_t n = first < len ? first : len;; n = n + step < len ? n + step : len) {
		rc = http1_parse(r, lim, in, n, &why);
		if (rc != 0 || n == len)
			break;
	}
	if (rc < 0)
		ck_assert_ptr_nonnull(why);
	return rc;
}

static void same_request(const struct http1_request *a, const struct http1_request *b)
{
	ck_assert_int_eq(memcmp(a, b, offsetof(struct http1_request, has_query)), 0);
	ck_assert_uint_eq(a->minor, b->minor);
	ck_assert_uint_eq(a->fields_n, b->fields_n);
	for (size_t i = 0; i < a->fields_n; i++) {
		ck_assert_int_eq(memcmp(&a->fields[i].name, &b->fields[i].name, sizeof(struct http1_str)), 0);
		ck_assert_int_eq(memcmp(&a->fields[i].value, &b->fields[i].value, sizeof(struct http1_str)), 0);
	}
	ck_assert_int_eq(a->content_length, b->content_length);
	ck_assert(a->chunked == b->chunked && a->keep_alive == b->keep_alive && a->has_query == b->has_query &&
		  a->expect_continue == b->expect_continue && a->absolute_form == b->absolute_form);
}

static struct http1_request whole, pieces; /* too large for a stack under sanitizers */

static void check_splits(const struct http1_limits *lim, const char *in, size_t len, ssize_t want)
{
	ck_assert_msg(feed(&whole, lim, in, len, len, 1) == want, "%s", in);
	ck_assert_msg(feed(&pieces, lim, in, len, 0, 1) == want, "octet by octet: %s", in);
	if (want > 0)
		same_request(&whole, &pieces);
	for (size_t cut = 1; cut < len && len < 200; cut++) {
		ck_assert_msg(feed(&pieces, lim, in, len, cut, len) == want, "cut at %zu: %s", cut, in);
		if (want > 0)
			same_request(&whole, &pieces);
	}
	if (want < 0) /* an error stays one */
		ck_assert_int_eq(http1_parse(&whole, lim, in, len, NULL), want);
}

START_TEST(heads)
{
	const struct head_case *c = &head_cases[_i];
	size_t len = c->len > 0 ? c->len : strlen(c->in);

	check_splits(&limits, c->in, len, c->result == -1 ? (ssize_t)len : c->result);
}
END_TEST

/* What follows a head is not looked at, and does not change it. */
START_TEST(head_and_more)
{
	const char in[] = GET H "Content-Length: 5\r\n\r\nhello\n\0\nGET";

	check_splits(&limits, in, sizeof(in) - 1, (ssize_t)strlen(GET H "Content-Length: 5\r\n\r\n"));
	ck_assert_int_eq(whole.content_length, 5);
}
END_TEST

static const struct {
	size_t line, field, fields, head;
	const char *in;
	int result;
} limit_cases[] = {
	{14, 100, 9, 1000, GET H "\r\n", -1},
	{13, 100, 9, 1000, GET H "\r\n", -414},
	{13, 100, 9, 1000, "GET /aaaaaaaaaaaaaaaaaaaaaaa", -414}, /* no end in sight */
	{13, 100, 9, 1000, "GET /aaaaaaaa\r", 0},
	{13, 100, 9, 1000, "GET /aaaaaaaa\ra", -414},
	{20, 15, 9, 1000, GET H "\r\n", -1},
	{20, 14, 9, 1000, GET H "\r\n", -431},
	{20, 14, 9, 1000, GET "Host: aaaaaaaaaaaaaaaaaaaa", -431},
	{20, 14, 9, 1000, GET "Host: a@aaaaaaaaaaaaaaaa\r\n\r\n", -431},
	{20, 99, 1, 1000, GET H "\r\n", -1},
	{20, 99, 1, 1000, GET H "A: b\r\n\r\n", -431},
	{20, 99, 0, 1000, GET H "A: b\r\n\r\n", -1},
	{20, 99, 9, 10, GET H "\r\n", -431},
	{20, 99, 9, 20, GET H "\r\n", -431},
	{20, 99, 9, 20, GET "Host: aaaaa", -431},
	{20, 99, 9, 40, GET H "\r\n", -1},
	{20, 99, 9, sizeof(GET H "\r\n") - 1, GET H "\r\n", -1},
	{20, 99, 9, sizeof(GET H "\r\n") - 2, GET H "\r\n", -431},
	{20, 99, 9, sizeof(GET H "\r\n") - 3, GET H "\r\n", -431},
	{0, 0, 0, 0, "G", -414},
};

START_TEST(head_limits)
{
	struct http1_limits lim = {limit_cases[_i].line, limit_cases[_i].field, limit_cases[_i].fields, limit_cases[_i].head};
	size_t len = strlen(limit_cases[_i].in);
	int want = limit_cases[_i].result;

	check_splits(&lim, limit_cases[_i].in, len, want == -1 ? (ssize_t)len : want);
}
END_TEST

START_TEST(head_field_table_full)
{
	char in[HTTP1_FIELDS_MAX * 8 + 200];
	size_t n = (size_t)sprintf(in, GET H);
	struct http1_limits lim = {100, 100, 100000, sizeof(in)};

	for (int i = 1; i < HTTP1_FIELDS_MAX; i++)
		n += (size_t)sprintf(in + n, "A: b\r\n");
	memcpy(in + n, "\r\n", 3);
	ck_assert_int_eq(feed(&whole, &lim, in, n + 2, n + 2, 1), (ssize_t)n + 2);
	ck_assert_uint_eq(whole.fields_n, HTTP1_FIELDS_MAX);
	memcpy(in + n, "A: b\r\n\r\n", 9);
	ck_assert_int_eq(feed(&whole, &lim, in, n + 8, n + 8, 1), -431);
}
END_TEST

static bool str_is(const char *in, struct http1_str s, const char *want)
{
	return s.len == strlen(want) && memcmp(in + s.off, want, s.len) == 0;
}

static const struct {
	const char *in, *method, *host, *authority, *path, *query; /* query NULL: none */
	uint32_t port;
	unsigned minor;
	bool keep_alive, chunked, expect;
	int64_t length;
} result_cases[] = {
	{GET H "\r\n", "GET", "a.example", "a.example", "/", NULL, 0, 1, true, false, false, -1},
	{"GET /a/b.php/c?d=e?f HTTP/1.1\r\nHost: A.example:8080\r\n\r\n", "GET", "A.example", "A.example:8080", "/a/b.php/c",
		"d=e?f", 8080, 1, true, false, false, -1},
	{"GET /? HTTP/1.7\r\nHost: a.\r\n\r\n", "GET", "a", "a.", "/", "", 0, 1, true, false, false, -1},
	{"GET //x//y HTTP/1.1\r\nHost: a:\r\n\r\n", "GET", "a", "a:", "//x//y", NULL, 0, 1, true, false, false, -1},
	{"GET http://b:81/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "b", "b:81", "/x", "y", 81, 1, true, false, false, -1},
	{"GET https://b HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "b", "b", "/", NULL, 0, 1, true, false, false, -1},
	{"GET http://b?y/z HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "b", "b", "/", "y/z", 0, 1, true, false, false, -1},
	{"OPTIONS * HTTP/1.1\r\nHost: [::1]:8\r\n\r\n", "OPTIONS", "[::1]", "[::1]:8", "*", NULL, 8, 1, true, false, false, -1},
	{"GET / HTTP/1.0\r\n\r\n", "GET", "", "", "/", NULL, 0, 0, false, false, false, -1},
	{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "", "", "/", NULL, 0, 0, true, false, false, -1},
	{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET", "", "", "/", NULL, 0, 0, false, false, false, -1},
	{GET H "Connection: x , CLOSE\r\n\r\n", "GET", "a.example", "a.example", "/", NULL, 0, 1, false, false, false, -1},
	{GET H "Connection: closed\r\n\r\n", "GET", "a.example", "a.example", "/", NULL, 0, 1, true, false, false, -1},
	{GET H "Connection: Upgrade\r\nConnection: close\r\n\r\n", "GET", "a.example", "a.example", "/", NULL, 0, 1, false, false,
		false, -1},
	{"POST / HTTP/1.1\r\n" H "Content-Length: 007\r\nExpect: 100-continue\r\n\r\n", "POST", "a.example", "a.example", "/",
		NULL, 0, 1, true, false, true, 7},
	{"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", "POST", "a.example",
		"a.example", "/", NULL, 0, 1, true, true, true, -1},
	{"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", "POST", "a.example", "a.example", "/",
		NULL, 0, 1, true, false, false, 0},
	{"POST / HTTP/1.0\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n", "POST", "", "", "/", NULL, 0, 0, false, false,
		false, 7},
};

START_TEST(head_results)
{
	const char *in = result_cases[_i].in;
	const struct http1_request *r = &whole;

	check_splits(&limits, in, strlen(in), (ssize_t)strlen(in));
	ck_assert(str_is(in, r->method, result_cases[_i].method));
	ck_assert(str_is(in, r->host, result_cases[_i].host));
	ck_assert(str_is(in, r->authority, result_cases[_i].authority));
	ck_assert(str_is(in, r->path, result_cases[_i].path));
	ck_assert(r->has_query == (result_cases[_i].query != NULL));
	if (r->has_query)
		ck_assert(str_is(in, r->query, result_cases[_i].query));
	ck_assert_uint_eq(r->port, result_cases[_i].port);
	ck_assert_uint_eq(r->minor, result_cases[_i].minor);
	ck_assert(r->keep_alive == result_cases[_i].keep_alive);
	ck_assert(r->chunked == result_cases[_i].chunked);
	ck_assert(r->expect_continue == result_cases[_i].expect);
	ck_assert_int_eq(r->content_length, result_cases[_i].length);
}
END_TEST

START_TEST(head_fields)
{
	const char *in = GET H "A_b: \t x y \t\r\nCookie: 1\r\ncookie: 2\r\nEmpty:\r\n\r\n";
	const struct http1_field *f;

	ck_assert_int_eq(feed(&whole, &limits, in, strlen(in), strlen(in), 1), (ssize_t)strlen(in));
	ck_assert_uint_eq(whole.fields_n, 5);
	f = http1_field_find(&whole, in, "a_b");
	ck_assert_ptr_nonnull(f);
	ck_assert(str_is(in, f->value, "x y") && str_is(in, f->name, "A_b"));
	f = http1_field_find(&whole, in, "cookie");
	ck_assert(f != NULL && str_is(in, f->value, "1"));
	f = http1_field_find(&whole, in, "empty");
	ck_assert(f != NULL && f->value.len == 0);
	ck_assert_ptr_null(http1_field_find(&whole, in, "cook"));
	ck_assert_ptr_null(http1_field_find(&whole, in, "cookies"));
}
END_TEST

/* A struct used before is as good as new. */
START_TEST(head_init)
{
	const char *in = "GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

	ck_assert_int_gt(feed(&whole, &limits, in, strlen(in), strlen(in), 1), 0);
	in = "GET / HTTP/1.0\r\n\r\n";
	ck_assert_int_gt(feed(&whole, &limits, in, strlen(in), strlen(in), 1), 0);
	ck_assert(!whole.chunked && !whole.absolute_form && whole.host.len == 0 && whole.fields_n == 0);
}
END_TEST

static Suite *suite_http1(void)
{
	Suite *s = suite_create("http1");
	TCase *t = tcase_create("heads");

	tcase_add_loop_test(t, heads, 0, (int)(sizeof(head_cases) / sizeof(*head_cases)));
	tcase_add_test(t, head_and_more);
	tcase_add_loop_test(t, head_limits, 0, (int)(sizeof(limit_cases) / sizeof(*limit_cases)));
	tcase_add_test(t, head_field_table_full);
	tcase_add_loop_test(t, head_results, 0, (int)(sizeof(result_cases) / sizeof(*result_cases)));
	tcase_add_test(t, head_fields);
	tcase_add_test(t, head_init);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_accept_encoding, suite_http1, suite_http_chunked, suite_http_values, suite_http_scripts, suite_access_format, suite_proxies, suite_listing_page)
