/* SPDX-License-Identifier: Apache-2.0 */
/** The regular expressions that a zygote remembers. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/php/pattern_list.h"

static struct pattern_list list;
static struct pattern_met met;
static size_t compiled, stop_after;
static char last[PATTERNS_TEXT_MAX];
static const char *slow; /* a pattern that takes long, or NULL */

static void fresh(void)
{
	memset(&list, 0, sizeof(list));
	memset(&met, 0, sizeof(met));
	compiled = 0;
	stop_after = SIZE_MAX;
	slow = NULL;
}

static bool compile(const char *pattern, size_t len)
{
	ck_assert_uint_eq(strlen(pattern), len);
	strcpy(last, pattern);
	compiled++;
	return slow == NULL || strcmp(pattern, slow) != 0;
}

static bool go_on(void)
{
	return compiled < stop_after;
}

static bool note(const char *pattern)
{
	return pattern_list_note(&list, &met, pattern);
}

START_TEST(good_ones_begin_with_a_delimiter)
{
	static const char *const good[] = {"/a/", "#a#i", "~", "{a}", "(a)", "/"};
	static const char *const bad[] = {"", "a/a/", "de_DE.UTF-8/a/", "\\a\\", " /a/", "0a0", "\xc3\xa4", "\t"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(pattern_is_good(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!pattern_is_good(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(what_is_met_twice_is_remembered_once)
{
	fresh();
	ck_assert(!note("/a/"));
	ck_assert(!note("/b/"));
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 0);
	ck_assert(note("/a/"));
	ck_assert(!note("/a/"));
	ck_assert(note("/b/"));
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 2);
	ck_assert_str_eq(last, "/b/");
	/* No more when there is no time. */
	stop_after = 3;
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 3);
}
END_TEST

START_TEST(number_and_length_are_bounded)
{
	char pattern[2048];
	size_t n = 0;

	fresh();
	for (size_t i = 0; i < 2 * PATTERNS_MAX; i++) {
		snprintf(pattern, sizeof(pattern), "/%zu/", i);
		note(pattern);
		n += note(pattern);
	}
	ck_assert_uint_eq(n, PATTERNS_MAX);
	ck_assert_uint_eq(list.n, PATTERNS_MAX);
	fresh();
	for (size_t i = 0; i < PATTERNS_MAX; i++) {
		memset(pattern, 'x', sizeof(pattern));
		snprintf(pattern, sizeof(pattern), "/%zu", i);
		pattern[strlen(pattern)] = '/';
		pattern[sizeof(pattern) - 1] = '\0';
		note(pattern);
		note(pattern);
	}
	ck_assert_uint_le(list.text_n, PATTERNS_TEXT_MAX);
	ck_assert_uint_eq(list.n, PATTERNS_TEXT_MAX / sizeof(pattern));
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, list.n);
}
END_TEST

/* Cells that compile "/b/" and never come back. */
START_TEST(what_kills_cells_is_left_alone)
{
	fresh();
	for (int i = 0; i < 2; i++) {
		note("/a/");
		note("/b/");
	}
	list.at_work[1] = PATTERNS_TRIES_MAX - 1;
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 2);
	list.at_work[1] = PATTERNS_TRIES_MAX;
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 3);
	ck_assert_str_eq(last, "/a/");
	ck_assert_uint_eq(list.at_work[0], 0);
	ck_assert_uint_eq(list.at_work[1], PATTERNS_TRIES_MAX);
}
END_TEST

START_TEST(what_takes_long_is_left_alone)
{
	fresh();
	for (int i = 0; i < 2; i++) {
		note("/a/");
		note("/b/");
	}
	slow = "/b/";
	pattern_list_each(&list, compile, go_on);
	ck_assert_uint_eq(compiled, 2);
	/* Even if it were fast now. */
	slow = NULL;
	for (size_t i = 1; i < 4; i++) {
		pattern_list_each(&list, compile, go_on);
		ck_assert_uint_eq(compiled, 2 + i);
		ck_assert_str_eq(last, "/a/");
	}
	ck_assert_uint_eq(list.at_work[0], 0);
}
END_TEST

static Suite *patterns_suite(void)
{
	Suite *s = suite_create("pattern_list");
	TCase *t = tcase_create("pattern_list");

	tcase_add_test(t, good_ones_begin_with_a_delimiter);
	tcase_add_test(t, what_is_met_twice_is_remembered_once);
	tcase_add_test(t, number_and_length_are_bounded);
	tcase_add_test(t, what_kills_cells_is_left_alone);
	tcase_add_test(t, what_takes_long_is_left_alone);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(patterns_suite)
