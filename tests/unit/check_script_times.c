/* SPDX-License-Identifier: Apache-2.0 */
/** Which scripts are known to be unchanged, and for how long. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/php/script_times.h"

#define FREQ 2
#define NOW 1000000

static char dir[64], list[4096];
static size_t list_len;
static struct script_times *t;

static uint64_t hash(const char *path, size_t len)
{
	(void)path;
	return len; /* collides often */
}

static char *at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void set_time(const char *name, time_t mtime)
{
	struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};

	ck_assert_int_eq(utimensat(AT_FDCWD, at(name), times, 0), 0);
}

static void make(const char *name, time_t mtime)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
	set_time(name, mtime);
}

static void put(const char *name, int64_t mtime)
{
	size_t n = script_times_put(list + list_len, sizeof(list) - list_len, at(name), mtime);

	ck_assert_uint_ne(n, 0);
	list_len += n;
}

static void set_up(void)
{
	strcpy(dir, "/tmp/bh-times-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	list_len = 0;
	make("a", 100);
	make("b", 200);
	make("d", 300);
	put("a", 100);
	put("b", 201); /* another than when it was compiled */
	put("c", 300); /* not there */
	put("d", 300);
	t = script_times_new(list, list_len, hash);
	ck_assert_ptr_nonnull(t);
}

static void tear_down(void)
{
	static const char *const names[] = {"a", "b", "c", "d", "x"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(at(names[i]));
	rmdir(dir);
}

static bool holds(const char *name, int64_t time)
{
	const char *path = at(name);

	return script_times_hold(t, path, strlen(path), hash(path, strlen(path)), time, FREQ, 7);
}

/* Two requests: the second is worth a look. */
static void renew(int64_t now)
{
	script_times_renew(t, now, FREQ, 7);
	script_times_renew(t, now, FREQ, 7);
}

START_TEST(only_what_is_unchanged_holds)
{
	ck_assert(!holds("a", NOW));
	renew(NOW);
	ck_assert(holds("a", NOW));
	ck_assert(holds("d", NOW));
	ck_assert(!holds("b", NOW));
	ck_assert(!holds("c", NOW));
	ck_assert(!holds("e", NOW));
	ck_assert(!holds("", NOW));
}
END_TEST

START_TEST(for_so_long_and_no_longer)
{
	renew(NOW);
	ck_assert(holds("a", NOW + FREQ));
	ck_assert(!holds("a", NOW + FREQ + 1));
	ck_assert(!holds("a", NOW - FREQ - 1));
	const char *path = at("a");
	ck_assert(!script_times_hold(t, path, strlen(path), hash(path, strlen(path)), NOW, 0, 7));
	ck_assert(!script_times_hold(t, path, strlen(path), hash(path, strlen(path)), NOW, FREQ, 8));
	/* Nor where nobody wants it to. */
	script_times_renew(t, NOW + 10, 0, 7);
	script_times_renew(t, NOW + 10, 0, 7);
	ck_assert(!holds("a", NOW + 10));
}
END_TEST

START_TEST(changes_are_seen_by_the_next_look)
{
	renew(NOW);
	set_time("a", 101);
	ck_assert(holds("a", NOW + 1));
	renew(NOW + FREQ + 1);
	ck_assert(!holds("a", NOW + FREQ + 1));
	ck_assert(holds("d", NOW + FREQ + 1));
	set_time("a", 100);
	renew(NOW + 2 * FREQ + 2);
	ck_assert(holds("a", NOW + 2 * FREQ + 2));
	ck_assert_int_eq(unlink(at("a")), 0);
	renew(NOW + 3 * FREQ + 3);
	ck_assert(!holds("a", NOW + 3 * FREQ + 3));
	/* Somebody said so: at once. */
	set_time("d", 301);
	script_times_renew(t, NOW + 3 * FREQ + 3, FREQ, 8);
	script_times_renew(t, NOW + 3 * FREQ + 3, FREQ, 8);
	const char *path = at("d");
	ck_assert(!script_times_hold(t, path, strlen(path), hash(path, strlen(path)), NOW + 3 * FREQ + 3, FREQ, 8));
}
END_TEST

/* Of the same time, by a new name or a link. */
START_TEST(another_file_is_a_change)
{
	char from[128];

	renew(NOW);
	make("x", 100);
	snprintf(from, sizeof(from), "%s", at("x"));
	ck_assert_int_eq(rename(from, at("a")), 0);
	renew(NOW + FREQ + 1);
	ck_assert(!holds("a", NOW + FREQ + 1));
	ck_assert(holds("d", NOW + FREQ + 1));
}
END_TEST

START_TEST(few_requests_look_at_nothing)
{
	/* One now and then: each asks for its own. */
	for (int64_t now = NOW; now < NOW + 100 * FREQ; now += 3 * FREQ) {
		script_times_renew(t, now, FREQ, 7);
		ck_assert(!holds("a", now));
	}
}
END_TEST

START_TEST(bad_lists_are_none)
{
	static char long_list[SCRIPT_TIMES_TEXT_MAX + 1];
	char out[32];
	size_t n = 0;

	ck_assert_uint_eq(script_times_put(out, sizeof(out), "relative", 1), 0);
	ck_assert_uint_eq(script_times_put(out, 12, "/1234", 1), 0);
	ck_assert_uint_eq(script_times_put(out, 14, "/1234", 1), 14);
	ck_assert_ptr_nonnull(script_times_new(out, 14, hash));
	ck_assert_ptr_null(script_times_new(out, 0, hash));
	ck_assert_ptr_null(script_times_new(out, 13, hash));
	memset(out, 0, sizeof(out));
	for (size_t len = 1; len < sizeof(out); len++)
		ck_assert_ptr_null(script_times_new(out, len, hash));
	/* More than there can be. */
	for (size_t i = 0; i <= SCRIPT_TIMES_MAX; i++) {
		snprintf(out, sizeof(out), "/%zu", i);
		if (i == SCRIPT_TIMES_MAX)
			ck_assert_ptr_nonnull(script_times_new(long_list, n, hash));
		n += script_times_put(long_list + n, sizeof(long_list) - n, out, 1);
	}
	ck_assert_ptr_null(script_times_new(long_list, n, hash));
	memset(long_list, 0, sizeof(long_list));
	ck_assert_ptr_null(script_times_new(long_list, sizeof(long_list), hash));
}
END_TEST

static Suite *times_suite(void)
{
	Suite *s = suite_create("script_times");
	TCase *c = tcase_create("script_times");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, only_what_is_unchanged_holds);
	tcase_add_test(c, for_so_long_and_no_longer);
	tcase_add_test(c, changes_are_seen_by_the_next_look);
	tcase_add_test(c, another_file_is_a_change);
	tcase_add_test(c, few_requests_look_at_nothing);
	tcase_add_test(c, bad_lists_are_none);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(times_suite)
