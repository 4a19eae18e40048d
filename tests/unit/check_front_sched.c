/* SPDX-License-Identifier: Apache-2.0 */
/** When a front's loop lets others finish. */
#include "tests/unit/unit.h"

#include "gateway/front_sched.h"

static struct front_sched sched;
static uint64_t now_ms;

static void begin(void)
{
	sched = (struct front_sched){0};
	now_ms = 1000000;
	front_sched_wants(&sched, now_ms);
}

/* @n turns, one each @every_us: what is wanted in the end. */
static bool turns(unsigned n, unsigned every_us)
{
	uint64_t from_ms = now_ms;
	bool batch = sched.batch;

	for (unsigned i = 1; i <= n; i++) {
		now_ms = from_ms + (uint64_t)i * every_us / 1000;
		batch = front_sched_wants(&sched, now_ms);
	}
	return batch;
}

START_TEST(rare_turns_interrupt)
{
	begin();
	ck_assert(!turns(1000, 1000));
	ck_assert(!turns(10, 100));  /* a short burst is none */
	ck_assert(!turns(10, 500000));
}
END_TEST

START_TEST(a_busy_loop_lets_others_finish)
{
	begin();
	ck_assert(turns(1000, 100));
	ck_assert(turns(100000, 300));
	ck_assert(sched.batch);
}
END_TEST

START_TEST(where_that_means_waiting_it_is_tried_ever_more_rarely)
{
	static const unsigned pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000};

	begin();
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		ck_assert(turns(1000, 100));
		ck_assert(!turns(40, 2800)); /* each turn waits for somebody's slice */
		uint64_t from_ms = now_ms;
		while (!turns(10, 100))
			ck_assert_uint_lt(now_ms, from_ms + 100000);
		ck_assert_uint_ge(now_ms - from_ms + 120, pauses_ms[i]);
		ck_assert_uint_le(now_ms - from_ms, pauses_ms[i] + 64);
	}
	/* What lasted was right, and the next mistake is the first. */
	ck_assert(turns(20000, 100));
	ck_assert(!turns(40, 2800));
	ck_assert_uint_eq(sched.pause_ms, 1000);
}
END_TEST

START_TEST(silence_is_no_mistake)
{
	begin();
	for (int i = 0; i < 10; i++) {
		ck_assert(turns(1000, 100));
		ck_assert_msg(!turns(1, 200000), "the first turn after silence");
		ck_assert(turns(2000, 100));
	}
	ck_assert_uint_eq(sched.pause_ms, 0);
}
END_TEST

static Suite *front_sched_suite(void)
{
	Suite *s = suite_create("front sched");
	TCase *t = tcase_create("turns");

	tcase_add_test(t, rare_turns_interrupt);
	tcase_add_test(t, a_busy_loop_lets_others_finish);
	tcase_add_test(t, where_that_means_waiting_it_is_tried_ever_more_rarely);
	tcase_add_test(t, silence_is_no_mistake);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(front_sched_suite)
