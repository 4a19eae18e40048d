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
	ck_assert(!turns(10, 100));     /* a short burst is none */
	ck_assert(!turns(10, 500000));
	ck_assert(!turns(10000, 526));  /* 1,900 a second */
	ck_assert(turns(10000, 476));   /* 2,100 */
}
END_TEST

START_TEST(a_busy_loop_lets_others_finish)
{
	begin();
	ck_assert(turns(1000, 100));
	ck_assert(turns(100000, 300));
	ck_assert_msg(turns(100000, 1200), "fewer turns, as each finds more");
	ck_assert_uint_eq(sched.pause_ms, 0);
	ck_assert(!turns(1000, 1500));
}
END_TEST

START_TEST(a_burst_before_silence_is_not_busy)
{
	begin();
	turns(1, 200000);
	turns(300, 3);
	ck_assert(!turns(1, 100000));
}
END_TEST

START_TEST(where_that_means_waiting_it_is_tried_ever_more_rarely)
{
	static const unsigned pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

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
}
END_TEST

/* What lasted for a second was right, and the next mistake is the first; whatever came between. */
START_TEST(what_lasted_was_no_mistake)
{
	static const struct {
		unsigned batch_ms, silence_ms, pause_ms;
	} cases[] = {{800, 0, 4000}, {1200, 0, 1000}, {1200, 200, 1000}, {700, 200, 4000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		sched.pause_ms = 2000;
		while (!turns(10, 100))
			continue;
		ck_assert(turns(cases[i].batch_ms * 10, 100));
		if (cases[i].silence_ms > 0) {
			ck_assert(!turns(1, cases[i].silence_ms * 1000));
			ck_assert(turns(500, 100));
		}
		ck_assert(!turns(40, 2800));
		ck_assert_msg(sched.pause_ms == cases[i].pause_ms, "%zu: %u", i, sched.pause_ms);
	}
}
END_TEST

START_TEST(silence_is_no_mistake)
{
	static const unsigned silences_ms[] = {60, 200, 5000};

	begin();
	for (size_t i = 0; i < sizeof(silences_ms) / sizeof(silences_ms[0]); i++) {
		ck_assert(turns(500, 100));
		ck_assert_msg(!turns(1, silences_ms[i] * 1000), "the first turn after silence");
		ck_assert_uint_eq(sched.pause_ms, 0);
	}
}
END_TEST

static Suite *front_sched_suite(void)
{
	Suite *s = suite_create("front sched");
	TCase *t = tcase_create("turns");

	tcase_add_test(t, rare_turns_interrupt);
	tcase_add_test(t, a_busy_loop_lets_others_finish);
	tcase_add_test(t, a_burst_before_silence_is_not_busy);
	tcase_add_test(t, where_that_means_waiting_it_is_tried_ever_more_rarely);
	tcase_add_test(t, what_lasted_was_no_mistake);
	tcase_add_test(t, silence_is_no_mistake);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(front_sched_suite)
