/* SPDX-License-Identifier: Apache-2.0 */
/** What a zygote remembers of the paths that its cells report. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/php/opcache_seen.h"

static struct seen s;

static void fresh(void)
{
	memset(&s, 0, sizeof(s));
	s.seed = 42;
}

static unsigned take(const char *in, size_t len, uint64_t now_ms)
{
	return seen_take(&s, in, len, now_ms);
}

static const struct {
	const char *report;
	bool good;
} reports[] = {
	{"0/a", true}, {"1/a/b.php", true}, {"0/a..b/.c", true}, {"0/a/...", true}, {"P/a/b.css", true}, {"P", false}, {"P/a/../b", false}, {"E/a/", false},
	{"", false}, {"0", false}, {"0/", false}, {"0a", false}, {"/a", false}, {"2/a", false}, {"R/a", false},
	{"0//a", false}, {"0/a/", false}, {"0/a//b", false}, {"0/.", false}, {"0/..", false}, {"0/a/../b", false}, {"0/a/./b", false},
};

START_TEST(test_is_report)
{
	ck_assert_int_eq(seen_is_report(reports[_i].report, strlen(reports[_i].report)), reports[_i].good);
}
END_TEST

START_TEST(test_pieces_and_twice)
{
	fresh();
	/* In whatever pieces the pipe gives them; once in a batch. */
	const char all[] = "0/one\0001/two\0000/one";
	for (size_t i = 0; i < sizeof(all); i++)
		ck_assert_uint_eq(take(all + i, 1, 0), 0);
	ck_assert_uint_eq(s.batch_n, 2);
	ck_assert_str_eq(s.text + s.batch_at[0], "0/one");
	ck_assert_str_eq(s.text + s.batch_at[1], "1/two");
}
END_TEST

START_TEST(test_reset)
{
	fresh();
	ck_assert_uint_eq(take("R\0R\0Rx\0" "0/a", 11, 0), 2);
	ck_assert_uint_eq(s.batch_n, 1);
	seen_forget(&s);
	ck_assert_uint_eq(s.batch_n, 0);
	take("0/a", 4, 0);
	ck_assert_uint_eq(s.batch_n, 1);
}
END_TEST

static unsigned looked_up;
static void on_path(const char *path)
{
	looked_up += strcmp(path, "/a/b.css") == 0;
}

START_TEST(test_looked_up)
{
	const char all[] = "P/a/b.css\0" "0/one\0P/a/b.css\0P/../x\0P";

	fresh();
	take(all, sizeof(all), 0); /* nobody asks */
	ck_assert_uint_eq(s.batch_n, 1);
	s.on_path = on_path;
	take(all, sizeof(all), 0);
	ck_assert_uint_eq(looked_up, 2);
	ck_assert_uint_eq(s.batch_n, 1);
}
END_TEST

static unsigned used;
static void on_pattern(const char *pattern)
{
	used += strcmp(pattern, "/a|b/i") == 0;
}

START_TEST(test_used_patterns)
{
	const char all[] = "E/a|b/i\0" "0/one\0E\0E/a|b/i\0E/c/";

	fresh();
	take(all, sizeof(all), 0); /* nobody asks */
	ck_assert_uint_eq(s.batch_n, 1);
	s.on_pattern = on_pattern;
	take(all, sizeof(all), 0);
	ck_assert_uint_eq(used, 2);
	ck_assert_uint_eq(s.batch_n, 1);
}
END_TEST

START_TEST(test_too_long)
{
	char path[3 * SEEN_PATH_MAX];

	fresh();
	memset(path, 'a', sizeof(path));
	path[0] = SEEN_TAGS_OFF;
	path[1] = '/';
	path[SEEN_PATH_MAX] = '\0';
	take(path, SEEN_PATH_MAX + 1, 0); /* one octet too many */
	ck_assert_uint_eq(s.batch_n, 0);
	path[SEEN_PATH_MAX - 1] = '\0';
	take(path, SEEN_PATH_MAX, 0);
	ck_assert_uint_eq(s.batch_n, 1);
	ck_assert_uint_eq(strlen(s.text), SEEN_PATH_MAX - 1);
	/* What follows one that is too long is read again. */
	memset(path, 'b', sizeof(path));
	take(path, sizeof(path), 0);
	take("\0000/b", 5, 0);
	ck_assert_uint_eq(s.batch_n, 2);
}
END_TEST

/* The first path of the batch has come to an end as @r; whether it is taken up again @later_ms after. */
static bool again(enum seen_result r, uint64_t later_ms)
{
	static uint64_t now_ms = 1000000;
	size_t n = s.batch_n;

	if (n > 0) {
		seen_done(&s, 0, r, now_ms);
		seen_clear_batch(&s);
	}
	now_ms += later_ms;
	take("0/a", 4, now_ms);
	return s.batch_n == 1;
}

START_TEST(test_backoff)
{
	fresh();
	take("0/a", 4, 0);
	ck_assert(!again(SEEN_CACHED, SEEN_AGAIN_MS - 1));
	ck_assert(again(SEEN_CACHED, 1));
	ck_assert(again(SEEN_UNTRIED, 0));
	for (uint64_t wait_ms = SEEN_BACKOFF_MS; wait_ms < SEEN_BACKOFF_MAX_MS; wait_ms *= 2) {
		ck_assert(!again(SEEN_FAILED, wait_ms - 1));
		ck_assert(again(SEEN_FAILED, 1));
	}
	ck_assert(!again(SEEN_FAILED, SEEN_BACKOFF_MAX_MS - 1));
	ck_assert(again(SEEN_FAILED, 1));
	/* Success forgives. */
	ck_assert(again(SEEN_CACHED, SEEN_AGAIN_MS));
	ck_assert(!again(SEEN_FAILED, SEEN_BACKOFF_MS - 1));
	ck_assert(again(SEEN_FAILED, 1));
	ck_assert(!again(SEEN_CRASHED, SEEN_BACKOFF_MAX_MS - 1));
	ck_assert(again(SEEN_CRASHED, 1));
}
END_TEST

START_TEST(test_full)
{
	char path[64];

	fresh();
	for (int i = 0; i < 3 * SEEN_SLOTS; i++) {
		int n = snprintf(path, sizeof(path), "0/%d", i);
		take(path, (size_t)n + 1, (uint64_t)i);
		ck_assert_uint_le(s.batch_n, SEEN_BATCH_MAX);
		if (s.batch_n == SEEN_BATCH_MAX) {
			for (size_t k = 0; k < s.batch_n; k++)
				seen_done(&s, k, SEEN_CACHED, (uint64_t)i);
			seen_clear_batch(&s);
		}
	}
	/* A table that has forgotten much still takes what is new. */
	seen_clear_batch(&s);
	take("0/new", 6, 1000000);
	ck_assert_uint_eq(s.batch_n, 1);
	/* Long paths fill a batch before their number does. */
	fresh();
	memset(path, 'a', sizeof(path));
	for (int i = 0; i < 200; i++) {
		char longer[1500];
		memset(longer, 'a', sizeof(longer));
		longer[1499] = '\0';
		snprintf(longer, 12, "0/%09d", i);
		longer[11] = 'a';
		take(longer, sizeof(longer), 0);
	}
	ck_assert_uint_lt(s.batch_n, 100);
	ck_assert_uint_le(s.text_n, SEEN_TEXT_MAX);
}
END_TEST

static Suite *seen_suite(void)
{
	Suite *suite = suite_create("opcache_seen");
	TCase *t = tcase_create("seen");

	tcase_add_loop_test(t, test_is_report, 0, sizeof(reports) / sizeof(*reports));
	tcase_add_test(t, test_pieces_and_twice);
	tcase_add_test(t, test_reset);
	tcase_add_test(t, test_looked_up);
	tcase_add_test(t, test_used_patterns);
	tcase_add_test(t, test_too_long);
	tcase_add_test(t, test_backoff);
	tcase_add_test(t, test_full);
	suite_add_tcase(suite, t);
	return suite;
}

UNIT_MAIN(seen_suite)
