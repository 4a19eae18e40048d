/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "sandbox/php/hot_runs.h"

/* Pages of 16 octets. */
#define PAGE 16
#define RUNS(count, ...) {.n = (count), .runs = {__VA_ARGS__}}
#define RUN(first, pages) {.start = (first) * PAGE, .len = (pages) * PAGE}

START_TEST(added)
{
	struct hot_pages hot = {.n = 0};

	for (uintptr_t page = 0; page < 2 * HOT_RUNS_MAX + 9; page += 2)
		hot_runs_add(&hot, page * PAGE, PAGE);
	ck_assert_uint_eq(hot.n, HOT_RUNS_MAX);
	hot_runs_add(&hot, hot.runs[hot.n - 1].start + PAGE, 2 * PAGE);
	ck_assert_uint_eq(hot.n, HOT_RUNS_MAX);
	ck_assert_uint_eq(hot.runs[hot.n - 1].len, 3 * PAGE);
}
END_TEST

START_TEST(within)
{
	static const struct region regions[] = {{.start = 10 * PAGE, .end = 20 * PAGE}, {.start = 20 * PAGE, .end = 30 * PAGE},
		{.start = 40 * PAGE, .end = 50 * PAGE}};
	static const struct {
		struct hot_pages hot;
		bool ok;
	} cases[] = {
		{RUNS(0, RUN(0, 0)), true},
		{RUNS(1, RUN(10, 10)), true},
		{RUNS(3, RUN(10, 1), RUN(15, 10), RUN(49, 1)), true}, /* the second reaches into the next region */
		{RUNS(1, RUN(9, 2)), false},
		{RUNS(1, RUN(29, 2)), false},
		{RUNS(1, RUN(29, 12)), false}, /* across what is no region */
		{RUNS(1, RUN(30, 5)), false},
		{RUNS(1, RUN(49, 2)), false},
		{RUNS(1, RUN(60, 1)), false},
		{RUNS(1, RUN(10, 0)), false},
		{RUNS(2, RUN(15, 1), RUN(12, 1)), false},
		{RUNS(2, RUN(15, 3), RUN(17, 1)), false},
		{RUNS(1, {.start = 10 * PAGE + 1, .len = PAGE}), false},
		{RUNS(1, {.start = 10 * PAGE, .len = PAGE - 1}), false},
		{RUNS(1, {.start = 10 * PAGE, .len = SIZE_MAX - PAGE + 1}), false},
		{RUNS(2, RUN(10, 20), RUN(40, 6)), false}, /* too much */
		{RUNS(2, RUN(10, 20), RUN(40, 5)), true},
		{RUNS(HOT_RUNS_MAX + 1, RUN(10, 1)), false},
		{RUNS(SIZE_MAX, RUN(10, 1)), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(hot_runs_are_within(&cases[i].hot, regions, 3, PAGE, 25 * PAGE) == cases[i].ok, "case %zu", i);
	ck_assert(!hot_runs_are_within(&cases[1].hot, regions, 0, PAGE, 25 * PAGE));
}
END_TEST

START_TEST(intersected)
{
	static const struct {
		struct hot_pages a, b, both;
	} cases[] = {
		{RUNS(0, RUN(0, 0)), RUNS(1, RUN(1, 1)), RUNS(0, RUN(0, 0))},
		{RUNS(1, RUN(1, 3)), RUNS(1, RUN(4, 1)), RUNS(0, RUN(0, 0))},
		{RUNS(1, RUN(1, 9)), RUNS(2, RUN(0, 2), RUN(4, 3)), RUNS(2, RUN(1, 1), RUN(4, 3))},
		{RUNS(2, RUN(1, 4), RUN(8, 4)), RUNS(1, RUN(3, 6)), RUNS(2, RUN(3, 2), RUN(8, 1))},
		{RUNS(2, RUN(1, 1), RUN(5, 1)), RUNS(3, RUN(1, 1), RUN(3, 1), RUN(5, 2)), RUNS(2, RUN(1, 1), RUN(5, 1))},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int swap = 0; swap < 2; swap++) {
			struct hot_pages hot = swap ? cases[i].b : cases[i].a;
			hot_runs_intersect(&hot, swap ? &cases[i].a : &cases[i].b);
			ck_assert_msg(hot.n == cases[i].both.n, "case %zu: %zu", i, hot.n);
			for (size_t j = 0; j < hot.n; j++)
				ck_assert_msg(hot.runs[j].start == cases[i].both.runs[j].start && hot.runs[j].len == cases[i].both.runs[j].len,
					"case %zu, run %zu", i, j);
		}
}
END_TEST

static Suite *runs_suite(void)
{
	Suite *s = suite_create("hot_runs");
	TCase *t = tcase_create("hot_runs");

	tcase_add_test(t, added);
	tcase_add_test(t, within);
	tcase_add_test(t, intersected);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(runs_suite)
