/* SPDX-License-Identifier: Apache-2.0 */
/* Accept-Encoding: what a client's weights come to. */
#include <string.h>

#include "gateway/http/accept_encoding.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))
#define GZ CODING_BIT(CODING_GZIP)
#define BR CODING_BIT(CODING_BR)
#define BOTH (GZ | BR)

static const struct {
	const char *lines; /* separated by line feeds; NULL: no field at all */
	unsigned offered;
	enum coding best;
} cases[] = {
	{NULL, BOTH, CODING_IDENTITY},
	{"", BOTH, CODING_IDENTITY},
	{"gzip", BOTH, CODING_GZIP},
	{"gzip", BR, CODING_IDENTITY},
	{"GZIP", GZ, CODING_GZIP},
	{"x-gzip", GZ, CODING_GZIP},
	{"gzip, deflate, br", BOTH, CODING_BR},
	{"gzip, deflate, br", GZ, CODING_GZIP},
	{"deflate, zstd", BOTH, CODING_IDENTITY},
	{"gzip;q=1.0, br;q=0.5", BOTH, CODING_GZIP},
	{"gzip;q=0.5, br;q=0.501", BOTH, CODING_BR},
	{"gzip;q=0.5", GZ, CODING_GZIP},
	{"gzip;q=0.5, identity", GZ, CODING_IDENTITY},
	{"gzip, identity", GZ, CODING_GZIP},
	{"gzip;q=0.5, identity;q=0.4", GZ, CODING_GZIP},
	{"gzip;q=0, br;q=0", BOTH, CODING_IDENTITY},
	{"gzip;q=0.000", GZ, CODING_IDENTITY},
	{"gzip;q=0.001", GZ, CODING_GZIP},
	{"*", BOTH, CODING_BR},
	{"*;q=0", BOTH, CODING_IDENTITY},
	{"gzip, *;q=0", BOTH, CODING_GZIP},
	{"gzip;q=0, *", BOTH, CODING_BR},
	{"gzip;q=0, *", GZ, CODING_IDENTITY},
	{"*;q=0.3, identity;q=0.5", BOTH, CODING_IDENTITY},
	{"identity;q=0", GZ, CODING_IDENTITY},
	{"identity;q=0, gzip;q=0.1", GZ, CODING_GZIP},
	/* several lines are one list; of one named twice the first counts */
	{"br;q=0\ngzip", BOTH, CODING_GZIP},
	{"gzip;q=0\ngzip", GZ, CODING_IDENTITY},
	/* blanks */
	{"  gzip\t; q=1 ,br ;q=0 ", BOTH, CODING_GZIP},
	{",,gzip,,", GZ, CODING_GZIP},
	/* what is malformed counts as refused */
	{"gzip;q=2", GZ, CODING_IDENTITY},
	{"gzip;q=1.001", GZ, CODING_IDENTITY},
	{"gzip;q=0.1234", GZ, CODING_IDENTITY},
	{"gzip;q=", GZ, CODING_IDENTITY},
	{"gzip;q=-1", GZ, CODING_IDENTITY},
	{"gzip;q=.5", GZ, CODING_IDENTITY},
	{"gzip;q=1,0", GZ, CODING_GZIP},
	{"gzip;q =1", GZ, CODING_IDENTITY},
	{"gzip;level=9", GZ, CODING_IDENTITY},
	{"gzip q=1", GZ, CODING_IDENTITY},
	{"gzip;", GZ, CODING_IDENTITY},
	{"gzipp", GZ, CODING_IDENTITY},
	{"gzi", GZ, CODING_IDENTITY},
	{"\"gzip\"", GZ, CODING_IDENTITY},
};

START_TEST(choice)
{
	struct accept_encoding a;
	const char *s = cases[_i].lines;

	accept_encoding_init(&a);
	while (s != NULL) {
		size_t n = strcspn(s, "\n");
		accept_encoding_add(&a, s, n);
		s = s[n] == '\n' ? s + n + 1 : NULL;
	}
	ck_assert_msg(accept_encoding_choose(&a, cases[_i].offered) == cases[_i].best, "%s: %s",
		cases[_i].lines == NULL ? "(none)" : cases[_i].lines, coding_name(accept_encoding_choose(&a, cases[_i].offered)));
	ck_assert_int_eq(accept_encoding_choose(&a, 0), CODING_IDENTITY);
}
END_TEST

START_TEST(weights)
{
	struct accept_encoding a;

	accept_encoding_init(&a);
	ck_assert_uint_eq(accept_encoding_weight(&a, CODING_IDENTITY), 1000);
	ck_assert_uint_eq(accept_encoding_weight(&a, CODING_GZIP), 0);
	accept_encoding_add(&a, "gzip;q=0.25, *;q=0.5", 20);
	ck_assert_uint_eq(accept_encoding_weight(&a, CODING_GZIP), 250);
	ck_assert_uint_eq(accept_encoding_weight(&a, CODING_BR), 500);
	ck_assert_uint_eq(accept_encoding_weight(&a, CODING_IDENTITY), 500);
	ck_assert_str_eq(coding_name(CODING_BR), "br");
}
END_TEST

Suite *suite_accept_encoding(void)
{
	Suite *s = suite_create("accept-encoding");
	TCase *t = tcase_create("accept-encoding");

	tcase_add_loop_test(t, choice, 0, COUNT(cases));
	tcase_add_test(t, weights);
	suite_add_tcase(s, t);
	return s;
}
