/* SPDX-License-Identifier: Apache-2.0 */
/* The header block of a script, and the pages the server writes itself. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/cgi_header.h"
#include "gateway/http/status_text.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const struct {
	const char *in, *fields; /* fields NULL: refused */
	int status;
	int64_t length;
	const char *redirect, *reason;
} blocks[] = {
	{"Content-Type: text/html\r\n\r\n", "Content-Type: text/html\r\n", 200, -1, NULL, ""},
	{"Content-type:text/html\n\n", "Content-type: text/html\r\n", 200, -1, NULL, ""},
	{"A: b\nC:  d \r\n\n", "A: b\r\nC: d\r\n", 200, -1, NULL, ""},
	{"A: b\r\nC: d\n\r\n", "A: b\r\nC: d\r\n", 200, -1, NULL, ""},
	{"A:\r\n\r\n", "A: \r\n", 200, -1, NULL, ""},
	{"Set-Cookie: a\r\nSet-Cookie: b\r\nX-Powered-By: PHP\r\n\r\n",
		"Set-Cookie: a\r\nSet-Cookie: b\r\nX-Powered-By: PHP\r\n", 200, -1, NULL, ""},
	{"X-Sendfile: /etc/passwd\r\n\r\n", "X-Sendfile: /etc/passwd\r\n", 200, -1, NULL, ""},
	{"Status: 404 Not Found\r\nA: b\r\n\r\n", "A: b\r\n", 404, -1, NULL, "Not Found"},
	{"status:503\n\n", "", 503, -1, NULL, ""},
	{"Status: 299  Odd \r\n\r\n", "", 299, -1, NULL, "Odd"},
	{"Status: 404 A\r\nStatus: 404 B\r\n\r\n", "", 404, -1, NULL, "B"},
	{"Status: 404\r\nStatus: 200\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 100 Continue\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 101 Switching Protocols\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 99\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 600\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 999\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 20\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: 2000\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: abc\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status:\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Status: -20\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Content-Length: 5\r\n\r\n", "", 200, 5, NULL, ""},
	{"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "", 200, 5, NULL, ""},
	{"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Content-Length: -5\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Content-Length: 5, 5\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Content-Length:\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Content-Length: 9223372036854775808\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"Transfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\nTrailer: A\r\n"
	 "Proxy-Connection: x\r\nTE: trailers\r\nA: b\r\n\r\n",
		"A: b\r\n", 200, -1, NULL, ""},
	{"Date: x\r\nServer: y\r\nDate: z\r\nSERVER: w\r\n\r\n", "", 200, -1, NULL, ""},
	{"Location: http://a/\r\n\r\n", "Location: http://a/\r\n", 302, -1, NULL, ""},
	{"Location: other.php\r\nA: b\r\n\r\n", "A: b\r\nLocation: other.php\r\n", 302, -1, NULL, ""},
	{"Location: /x?y\r\n\r\n", "", 200, -1, "/x?y", ""},
	{"Status: 302 Found\r\nLocation: /x\r\n\r\n", "Location: /x\r\n", 302, -1, NULL, "Found"},
	{"Location: /x\r\nStatus: 201\r\n\r\n", "Location: /x\r\n", 201, -1, NULL, ""},
	{"Location:\r\n\r\n", "Location: \r\n", 200, -1, NULL, ""},
	{"Location: http://a/\r\nLocation: http://b/\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"\r\n", NULL, 0, 0, NULL, NULL},
	{"\n", NULL, 0, 0, NULL, NULL},
	{"hello\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"HTTP/1.1 200 OK\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A b: c\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A : c\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{": c\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{" A: c\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A: b\r\n c\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A: b\rC: d\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A: b\r\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A: b\x01\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"A: b\x7f\r\n\r\n", NULL, 0, 0, NULL, NULL},
	{"<b>Warning</b>: x\r\n\r\n", NULL, 0, 0, NULL, NULL},
};

static void check_block(int i, size_t cut, size_t step)
{
	struct cgi_header h;
	char in[400];
	const char *why = NULL;
	size_t head = strlen(blocks[i].in), len, at = 0;
	ssize_t rc = 0;

	len = (size_t)snprintf(in, sizeof(in), "%s\nbody: x\r\n\r\n", blocks[i].in);
	cgi_header_init(&h);
	while (at < len && !h.done) {
		size_t give = at == 0 ? cut : step;
		rc = cgi_header_feed(&h, (const uint8_t *)in + at, give < len - at ? give : len - at, &why);
		if (rc < 0)
			break;
		at += (size_t)rc;
	}
	if (blocks[i].fields == NULL) {
		ck_assert_msg(rc == GW_ERR_PROTO && why != NULL, "%s", blocks[i].in);
	} else {
		ck_assert_msg(rc >= 0 && h.done, "%s: %s", blocks[i].in, why);
		ck_assert_uint_eq(at, head);
		ck_assert_uint_eq(buf_unread(&h.fields), strlen(blocks[i].fields));
		ck_assert_int_eq(memcmp(buf_head(&h.fields) == NULL ? (const uint8_t *)"" : buf_head(&h.fields),
					 blocks[i].fields, strlen(blocks[i].fields)), 0);
		ck_assert_int_eq(h.status, blocks[i].status);
		ck_assert_int_eq(h.content_length, blocks[i].length);
		ck_assert_str_eq(h.reason, blocks[i].reason);
		ck_assert((h.local_redirect == NULL) == (blocks[i].redirect == NULL));
		if (blocks[i].redirect != NULL)
			ck_assert_str_eq(h.local_redirect, blocks[i].redirect);
	}
	cgi_header_fini(&h);
}

START_TEST(script_headers)
{
	check_block(_i, 1000, 1000);
	check_block(_i, 1, 1);
	for (size_t cut = 1; cut < strlen(blocks[_i].in); cut++)
		check_block(_i, cut, 1000);
}
END_TEST

START_TEST(script_header_bounds)
{
	static char in[CGI_HEADER_MAX + 100];
	static const size_t steps[] = {sizeof(in), 1000, 1};
	const char *why;

	memset(in, 'a', sizeof(in));
	memcpy(in, "A: ", 3);
	for (size_t over = 0; over < 2; over++) {
		size_t len = CGI_HEADER_MAX + over;
		memset(in + 3, 'a', sizeof(in) - 3);
		memcpy(in + len - 4, "\r\n\r\n", 4);
		for (size_t i = 0; i < 3; i++) {
			struct cgi_header h;
			ssize_t rc = 0;
			cgi_header_init(&h);
			for (size_t at = 0; at < sizeof(in) && !h.done && rc >= 0; at += (size_t)(rc > 0 ? rc : 0)) {
				size_t left = sizeof(in) - at;
				rc = cgi_header_feed(&h, (uint8_t *)in + at, left < steps[i] ? left : steps[i], &why);
			}
			ck_assert(h.done == (over == 0));
			ck_assert((rc == GW_ERR_PROTO) == (over == 1));
			cgi_header_fini(&h);
		}
	}
}
END_TEST

/* Blocks of status 1xx come before the answer's own and leave nothing in it. */
START_TEST(script_interim)
{
	static const char in[] = "Status: 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\nStatus: 199\n\nA: b\r\n\r\nbody";
	static const size_t steps[] = {1, 3, 1000};
	size_t len = sizeof(in) - 1, at = 0, n;
	int seen = 0;
	struct cgi_header h;

	cgi_header_init(&h);
	while (!h.done) {
		ssize_t rc = cgi_header_feed(&h, (const uint8_t *)in + at, len - at < steps[_i] ? len - at : steps[_i], NULL);
		ck_assert_int_ge(rc, 0);
		at += (size_t)rc;
		if (h.interim == 0)
			continue;
		ck_assert_int_eq(h.interim, seen == 0 ? 103 : 199);
		ck_assert((cgi_header_find(&h, "link", &n) != NULL) == (seen == 0));
		ck_assert_int_eq(cgi_header_feed(&h, (const uint8_t *)in + at, 1, NULL), 0);
		cgi_header_next(&h);
		seen++;
	}
	ck_assert_int_eq(seen, 2);
	ck_assert_int_eq(h.status, 200);
	ck_assert_int_eq(h.content_length, -1);
	ck_assert_str_eq(h.reason, "");
	ck_assert_uint_eq(buf_unread(&h.fields), 6);
	ck_assert_str_eq(in + at, "body");
	cgi_header_fini(&h);
}
END_TEST

START_TEST(script_interims_bound)
{
	static const char block[] = "Status: 103\r\n\r\n";
	struct cgi_header h;
	ssize_t rc = 0;
	int n = 0;

	cgi_header_init(&h);
	for (; rc >= 0 && n < 1000; n++) {
		rc = cgi_header_feed(&h, (const uint8_t *)block, sizeof(block) - 1, NULL);
		cgi_header_next(&h);
	}
	ck_assert_int_eq(n, CGI_INTERIM_MAX + 1);
	cgi_header_fini(&h);
}
END_TEST

START_TEST(script_header_find)
{
	const char *in = "Content-Type: text/html\r\nSet-Cookie: a\r\nset-cookie: b\r\nE:\r\nDate: x\r\n\r\n", *value;
	struct cgi_header h;
	size_t len;

	cgi_header_init(&h);
	ck_assert_int_eq(cgi_header_feed(&h, (const uint8_t *)in, strlen(in), NULL), (ssize_t)strlen(in));
	value = cgi_header_find(&h, "set-cookie", &len);
	ck_assert(value != NULL && len == 1 && *value == 'a');
	value = cgi_header_find(&h, "content-type", &len);
	ck_assert(value != NULL && len == 9 && memcmp(value, "text/html", 9) == 0);
	value = cgi_header_find(&h, "e", &len);
	ck_assert(value != NULL && len == 0);
	ck_assert_ptr_null(cgi_header_find(&h, "content", &len));
	ck_assert_ptr_null(cgi_header_find(&h, "content-type-x", &len));
	cgi_header_fini(&h);
}
END_TEST

START_TEST(pages)
{
	struct buf b;

	buf_init(&b);
	ck_assert_str_eq(status_reason(200), "OK");
	ck_assert_str_eq(status_reason(511), "Network Authentication Required");
	ck_assert_str_eq(status_reason(499), "Client Error");
	ck_assert_str_eq(status_reason(42), "Unknown");
	ck_assert_str_eq(status_reason(-1), "Unknown");
	ck_assert_int_eq(status_page(&b, 404, "/<script>\"'&\r\n\x7f"), 0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	ck_assert_ptr_nonnull(strstr((char *)buf_head(&b), "/&lt;script&gt;&quot;&#39;&amp;\?\?\?</p>"));
	ck_assert_ptr_nonnull(strstr((char *)buf_head(&b), "404 Not Found"));
	ck_assert_ptr_null(strcasestr((char *)buf_head(&b), "bulkhead"));
	buf_reset(&b);
	ck_assert_int_eq(status_redirect_page(&b, 301, "http://a/?b&c\"><i>"), 0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	ck_assert_ptr_nonnull(strstr((char *)buf_head(&b), "<a href=\"http://a/?b&amp;c&quot;&gt;&lt;i&gt;\">"));
	buf_fini(&b);
}
END_TEST

Suite *suite_http_scripts(void)
{
	Suite *s = suite_create("scripts");
	TCase *t = tcase_create("scripts");

	tcase_add_loop_test(t, script_headers, 0, COUNT(blocks));
	tcase_add_test(t, script_header_bounds);
	tcase_add_test(t, script_header_find);
	tcase_add_loop_test(t, script_interim, 0, 3);
	tcase_add_test(t, script_interims_bound);
	tcase_add_test(t, pages);
	suite_add_tcase(s, t);
	return s;
}
