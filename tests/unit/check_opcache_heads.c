/* SPDX-License-Identifier: Apache-2.0 */
/** Moving the heads of scripts, in memory that looks like opcache's. */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <string.h>

#include "sandbox/php/opcache_heads.h"

#define WORDS 65536
#define SCRIPTS 100
#define TABLE 16      /* word of the first pointer to a head */
#define NAMES 2048    /* of the first name */
#define FIRST 8192    /* of the first script, and so many for each */
#define EACH 500
#define OWN 53        /* where a head has its own address */
#define HITS (OWN + 3)

static uintptr_t segment[WORDS];
static uintptr_t heads[OPCACHE_HEADS_LEN / sizeof(uintptr_t)];
static uintptr_t names[SCRIPTS];
static struct opcache_heads mem = {.segment = segment, .words = WORDS, .heads = heads};

static uintptr_t *script(size_t i)
{
	return &segment[FIRST + i * EACH];
}

static uintptr_t *head_of(size_t i)
{
	return (uintptr_t *)segment[TABLE + i]; /* NOLINT: that is what is tested */
}

static void fill(void)
{
	memset(segment, 0, sizeof(segment));
	memset(heads, 0, sizeof(heads));
	for (size_t i = 0; i < SCRIPTS; i++) {
		uintptr_t *s = script(i);
		names[i] = (uintptr_t)&segment[NAMES + 8 * i];
		segment[TABLE + i] = (uintptr_t)s;
		s[0] = names[i];
		s[OWN] = (uintptr_t)s;
		s[HITS] = i;
		s[OWN + 20] = names[i];              /* a function knows its file, too ... */
		s[20] = (uintptr_t)&s[OWN + 20];     /* ... and things in a script know each other */
		s[OWN + 30] = (uintptr_t)&s[OWN + 8];
	}
}

static long gather(void)
{
	return opcache_heads_gather(&mem, names, SCRIPTS);
}

static size_t visited;

static void visit(uintptr_t name)
{
	ck_assert_uint_eq(name, names[visited]);
	visited++;
}

START_TEST(heads_lie_behind_one_another)
{
	fill();
	ck_assert_int_eq(gather(), SCRIPTS);
	for (size_t i = 0; i < SCRIPTS; i++) {
		ck_assert(head_of(i) > heads && head_of(i) < heads + opcache_heads_used(heads) / sizeof(uintptr_t));
		ck_assert(i == 0 || (head_of(i) > head_of(i - 1) && head_of(i) <= head_of(i - 1) + 80));
		ck_assert_uint_eq(head_of(i)[0], names[i]);
		ck_assert_uint_eq(head_of(i)[OWN], (uintptr_t)script(i));
		ck_assert_uint_eq(head_of(i)[HITS], i);
	}
	visited = 0;
	opcache_heads_each(&mem, visit);
	ck_assert_uint_eq(visited, SCRIPTS);
	ck_assert_msg(!opcache_heads_hold(&mem, 50), "none of many is counted");
	ck_assert_msg(opcache_heads_hold(&mem, 2), "of the others the files are gone");
	head_of(9)[HITS]++;
	ck_assert(opcache_heads_hold(&mem, 50));
}
END_TEST

static void count_all(void)
{
	for (size_t i = 0; i < SCRIPTS; i++)
		head_of(i)[HITS]++;
}

START_TEST(a_write_to_the_old_place_is_found)
{
	fill();
	ck_assert_int_eq(gather(), SCRIPTS);
	count_all();
	ck_assert(opcache_heads_hold(&mem, SCRIPTS));
	script(SCRIPTS - 1)[HITS]++;
	ck_assert(!opcache_heads_hold(&mem, SCRIPTS));
}
END_TEST

START_TEST(what_looks_otherwise_stays)
{
	fill();
	segment[TABLE + SCRIPTS] = (uintptr_t)script(1);   /* two know it */
	segment[TABLE + 2] = 0;                            /* nobody does */
	script(4)[60] = (uintptr_t)&script(3)[10];         /* one knows part of it */
	script(5)[OWN] = 0;                                /* it does not know itself */
	ck_assert_int_eq(gather(), SCRIPTS - 4);
	ck_assert_ptr_eq(head_of(1), script(1));
	ck_assert_ptr_eq(head_of(3), script(3));
	ck_assert_ptr_eq(head_of(5), script(5));
	ck_assert_ptr_ne(head_of(4), script(4));
	ck_assert_uint_eq(segment[TABLE + 2], 0);
}
END_TEST

START_TEST(unlike_heads_are_no_heads)
{
	fill();
	script(7)[OWN] = 0;
	script(7)[OWN + 1] = (uintptr_t)script(7);
	ck_assert_int_eq(gather(), 0);
	ck_assert_uint_eq(opcache_heads_used(heads), 0);
}
END_TEST

START_TEST(later_scripts_go_behind_the_first)
{
	fill();
	for (size_t i = SCRIPTS / 2; i < SCRIPTS; i++)
		segment[TABLE + i] = 0;
	ck_assert_int_eq(gather(), SCRIPTS / 2);
	size_t used = opcache_heads_used(heads);
	ck_assert_int_eq(gather(), 0);
	ck_assert_uint_eq(opcache_heads_used(heads), used);
	for (size_t i = SCRIPTS / 2; i < SCRIPTS; i++)
		segment[TABLE + i] = (uintptr_t)script(i);
	ck_assert_int_eq(gather(), SCRIPTS / 2);
	ck_assert(head_of(SCRIPTS / 2) >= heads + used / sizeof(uintptr_t));
	/* Only those are looked at: an older one's place may be another's by now. */
	script(0)[HITS]++;
	count_all();
	ck_assert(opcache_heads_hold(&mem, SCRIPTS));
}
END_TEST

START_TEST(a_full_shelf_takes_no_more)
{
	fill();
	ck_assert_int_eq(gather(), SCRIPTS);
	heads[0] = OPCACHE_HEADS_LEN / sizeof(uintptr_t) - 100; /* words in use */
	for (size_t i = 0; i < SCRIPTS; i++)
		segment[TABLE + i] = (uintptr_t)script(i);
	ck_assert_int_eq(gather(), 1);
	ck_assert_uint_le(opcache_heads_used(heads), OPCACHE_HEADS_LEN);
	heads[0] = UINTPTR_MAX;
	ck_assert_int_eq(gather(), 0);
	ck_assert_uint_eq(opcache_heads_used(heads), OPCACHE_HEADS_LEN);
}
END_TEST

static Suite *opcache_heads_suite(void)
{
	Suite *s = suite_create("opcache heads");
	TCase *t = tcase_create("heads");

	tcase_add_test(t, heads_lie_behind_one_another);
	tcase_add_test(t, a_write_to_the_old_place_is_found);
	tcase_add_test(t, what_looks_otherwise_stays);
	tcase_add_test(t, unlike_heads_are_no_heads);
	tcase_add_test(t, later_scripts_go_behind_the_first);
	tcase_add_test(t, a_full_shelf_takes_no_more);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(opcache_heads_suite)
