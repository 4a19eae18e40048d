/* SPDX-License-Identifier: Apache-2.0 */
/* A directory's page: order, escaping, columns. */
#include <stdio.h>
#include <string.h>

#include "gateway/http/etag.h"
#include "gateway/http/listing_page.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const struct listing_entry some[] = {
	{"b10", false, 5, 300, "two"},
	{"b9", false, 50, 100, "one"},
	{"A", false, 500, 200, NULL},
	{"d", true, 4096, 50, NULL},
	{"a", false, 5, 400, NULL},
};

static const struct {
	struct listing_order order;
	const char *query, *names;
} order_cases[] = {
	{{.key = 'N'}, NULL, "A a b10 b9 d"},
	{{.key = 'N'}, "", "A a b10 b9 d"},
	{{.key = 'N', .descending = true}, NULL, "d b9 b10 a A"},
	{{.key = 'N', .versions = true}, NULL, "A a b9 b10 d"},
	{{.key = 'N', .ignore_case = true}, NULL, "A a b10 b9 d"},
	{{.key = 'N', .folders_first = true}, NULL, "d A a b10 b9"},
	{{.key = 'N', .folders_first = true}, "O=D", "d b9 b10 a A"},
	{{.key = 'M'}, NULL, "d b9 A b10 a"},
	{{.key = 'N'}, "C=M;O=D", "a b10 A b9 d"},
	{{.key = 'N'}, "C=M&O=D", "a b10 A b9 d"},
	{{.key = 'N'}, "C=S", "d a b10 b9 A"},
	{{.key = 'N'}, "C=D;O=A", "A a d b9 b10"},
	/* what means nothing changes nothing */
	{{.key = 'N'}, "C=X;O=Q;F=2;C=;C=NN;=;;", "A a b10 b9 d"},
	{{.key = 'S'}, "P=*;O=D", "A b9 b10 a d"},
};

START_TEST(order)
{
	struct listing_entry v[COUNT(some)];
	struct listing_order o = order_cases[_i].order;
	char names[64] = "";

	memcpy(v, some, sizeof(some));
	listing_query(order_cases[_i].query, &o);
	listing_sort(v, COUNT(some), &o);
	for (int i = 0; i < COUNT(some); i++) {
		strcat(names, v[i].name);
		if (i + 1 < COUNT(some))
			strcat(names, " ");
	}
	ck_assert_str_eq(names, order_cases[_i].names);
}
END_TEST

static char *page_of(const struct listing_page *p)
{
	struct buf b;

	buf_init(&b);
	ck_assert_int_eq(listing_page(&b, p), 0);
	ck_assert_int_eq(buf_append(&b, "", 1), 0);
	return (char *)b.data;
}

START_TEST(page)
{
	static const struct listing_entry odd[] = {
		{"<script>\"'&.txt", false, 0, 1, NULL},
		{"javascript:alert(1)", false, 999, 1, "<b>"},
		{"new\nline \xff", true, 0, 0, NULL},
		{"big", false, 1536, 86400, NULL},
		{"huge", false, INT64_MAX, 86400, NULL},
	};
	struct listing_page p = {.path = "/<i>/", .entries = odd, .entries_n = COUNT(odd), .order = {.key = 'S'}, .date = true, .size = true,
		.description = true, .links = true, .more = true, .above = "<p>above</p>", .below = "<p>below</p>"};
	char *text = page_of(&p);

	ck_assert_ptr_null(strstr(text, "<script"));
	ck_assert_ptr_null(strstr(text, "<i>"));
	ck_assert_ptr_null(strstr(text, "<b>"));
	ck_assert_ptr_nonnull(strstr(text, "href=\"./%3Cscript%3E%22"));
	ck_assert_ptr_nonnull(strstr(text, "href=\"./javascript:"));
	ck_assert_ptr_nonnull(strstr(text, "href=\"./new%0Aline%20%FF/\""));
	ck_assert_ptr_nonnull(strstr(text, "&lt;b&gt;"));
	ck_assert_ptr_nonnull(strstr(text, ">0 B<"));
	ck_assert_ptr_nonnull(strstr(text, ">999 B<"));
	ck_assert_ptr_nonnull(strstr(text, "title=\"1536 octets\">1.5 KB<"));
	ck_assert_ptr_nonnull(strstr(text, ">8.0 EB<"));
	ck_assert_ptr_nonnull(strstr(text, "datetime=\"1970-01-02T00:00:00Z\">1970-01-02 00:00<"));
	ck_assert_ptr_nonnull(strstr(text, "?C=S;O=D"));
	ck_assert_ptr_nonnull(strstr(text, "?C=N;O=A"));
	ck_assert_ptr_nonnull(strstr(text, "prefers-color-scheme:dark"));
	ck_assert_ptr_nonnull(strstr(text, "../"));
	ck_assert_ptr_nonnull(strstr(text, "the first 5 that were found"));
	ck_assert(strstr(text, "<p>above</p>") < strstr(text, "<table>") && strstr(text, "</table>") < strstr(text, "<p>below</p>"));
	free(text);

	p = (struct listing_page){.path = "/", .order = {.key = 'N'}};
	text = page_of(&p);
	ck_assert_ptr_null(strstr(text, "../"));
	ck_assert_ptr_null(strstr(text, "?C="));
	ck_assert_ptr_null(strstr(text, "Size"));
	free(text);
}
END_TEST

START_TEST(composed_etags)
{
	char out[ETAG_LEN_MAX];
	struct etag_source s = {.parts = ETAG_SIZE, .inode = 0xabc, .size = 0x12, .mtime = {1, 5000}};

	ck_assert_uint_eq(etag_compose(&s, out), 4);
	ck_assert_str_eq(out, "\"12\"");
	s.parts = ETAG_INODE | ETAG_SIZE | ETAG_MTIME;
	etag_compose(&s, out);
	ck_assert_str_eq(out, "\"abc-12-f4245\"");
	s.weak = true;
	s.suffix = "-br";
	etag_compose(&s, out);
	ck_assert_str_eq(out, "W/\"abc-12-f4245-br\"");
	s = (struct etag_source){.parts = 7, .inode = UINT64_MAX, .size = UINT64_MAX, .mtime = {-1, 0}, .suffix = "-123456789", .weak = true};
	ck_assert_uint_lt(etag_compose(&s, out), ETAG_LEN_MAX);
	s.parts = 0;
	ck_assert_uint_eq(etag_compose(&s, out), 0);
	ck_assert_str_eq(out, "");
}
END_TEST

Suite *suite_listing_page(void)
{
	Suite *s = suite_create("listing");
	TCase *t = tcase_create("listing");

	tcase_add_loop_test(t, order, 0, COUNT(order_cases));
	tcase_add_test(t, page);
	tcase_add_test(t, composed_etags);
	suite_add_tcase(s, t);
	return s;
}
