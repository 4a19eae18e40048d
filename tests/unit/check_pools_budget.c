/* SPDX-License-Identifier: Apache-2.0 */
/** The budget of zygotes and cells: who is let in, who makes room, in which order. Time is the test's. */
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "pools/budget.h"
#include "tests/unit/cells_world.h"

#define SITES 8
#define LONG_AGO 0
#define NOW 100000

static struct budget b;
static struct budget_site site[SITES];
static unsigned woken[SITES];

static void wake(struct budget_site *m)
{
	woken[m - site]++;
}

static void begin(unsigned zygotes, unsigned cells)
{
	budget_init(&b, zygotes, cells);
	memset(woken, 0, sizeof(woken));
	for (size_t i = 0; i < SITES; i++)
		budget_site_init(&site[i], &b, wake);
}

/* Awake since long, last used at @used_ms, idle. */
static void put_to_idle(size_t i, uint64_t used_ms, unsigned cells)
{
	ck_assert(budget_take_zygote(&site[i], NOW));
	for (unsigned n = 0; n < cells; n++)
		ck_assert(budget_take_cell(&site[i], true, NOW));
	atomic_store(&site[i].ready_ms, LONG_AGO);
	atomic_store(&site[i].used_ms, used_ms);
	atomic_store(&site[i].idle_cells, cells);
	atomic_store(&site[i].evictable, true);
}

static void put_to_work(size_t i, unsigned cells)
{
	put_to_idle(i, LONG_AGO, cells);
	atomic_store(&site[i].idle_cells, 0);
	atomic_store(&site[i].evictable, false);
}

static void end(size_t i)
{
	while (site[i].cells > 0)
		budget_put_cell(&site[i], NOW);
	budget_put_zygote(&site[i], NOW);
}

static struct budget_stats stats(void)
{
	struct budget_stats s;

	budget_stats(&b, &s);
	return s;
}

START_TEST(no_limit)
{
	begin(0, 0);
	for (size_t i = 0; i < SITES; i++) {
		ck_assert(budget_take_zygote(&site[i], NOW));
		for (int n = 0; n < 1000; n++)
			ck_assert(budget_take_cell(&site[i], false, NOW));
	}
	ck_assert_uint_eq(stats().zygotes, SITES);
	ck_assert_uint_eq(stats().cells, SITES * 1000);
	ck_assert_uint_eq(stats().waits, 0);
	/* Without a budget at all. */
	budget_site_init(&site[0], NULL, wake);
	ck_assert(budget_take_zygote(&site[0], NOW));
	ck_assert(budget_take_cell(&site[0], true, NOW));
	budget_put_cell(&site[0], NOW);
	budget_put_zygote(&site[0], NOW);
	ck_assert_int_eq(budget_order(&site[0]), BUDGET_KEEP);
}
END_TEST

START_TEST(least_recently_used_goes)
{
	begin(3, 0);
	put_to_idle(0, 500, 0);
	put_to_idle(1, 300, 0);
	put_to_idle(2, 400, 0);
	ck_assert(!budget_take_zygote(&site[3], NOW));
	ck_assert_uint_eq(woken[0] + woken[2], 0);
	ck_assert_uint_eq(woken[1], 1);
	ck_assert_int_eq(budget_order(&site[0]), BUDGET_KEEP);
	ck_assert_int_eq(budget_order(&site[1]), BUDGET_END_ZYGOTE);
	ck_assert_int_eq(budget_order(&site[1]), BUDGET_KEEP); /* said once */
	ck_assert(!budget_take_zygote(&site[3], NOW)); /* asking again ends nobody else */
	ck_assert_uint_eq(woken[0] + woken[2], 0);
	end(1);
	ck_assert_uint_eq(woken[3], 1);
	ck_assert(budget_take_zygote(&site[3], NOW));
	ck_assert_uint_eq(stats().zygotes, 3);
	ck_assert_uint_eq(stats().zygotes_ended, 1);
	ck_assert_uint_eq(stats().waiting, 0);
	ck_assert_uint_eq(stats().waits, 1);
}
END_TEST

START_TEST(busy_and_young_stay)
{
	begin(2, 0);
	put_to_work(0, 0);
	put_to_idle(1, 300, 0);
	atomic_store(&site[1].ready_ms, NOW - BUDGET_STAY_MS + 1);
	ck_assert(!budget_take_zygote(&site[2], NOW));
	ck_assert_uint_eq(woken[0] + woken[1], 0);
	ck_assert(!budget_take_zygote(&site[2], NOW + 1)); /* now it is old enough */
	ck_assert_uint_eq(woken[0], 0);
	ck_assert_int_eq(budget_order(&site[1]), BUDGET_END_ZYGOTE);
	/* It got a request in the meantime: nobody is left, until one becomes idle. */
	budget_decline(&site[1], NOW + 2);
	ck_assert_uint_eq(woken[0], 0);
	atomic_store(&site[0].evictable, true);
	budget_became_idle(&site[0], NOW + 3);
	ck_assert_int_eq(budget_order(&site[0]), BUDGET_END_ZYGOTE);
	end(0);
	ck_assert(budget_take_zygote(&site[2], NOW + 4));
}
END_TEST

/* Who came first gets the room, not who asks at the right moment. */
START_TEST(first_come_first)
{
	begin(1, 0);
	put_to_work(0, 0);
	ck_assert(!budget_take_zygote(&site[1], NOW));
	ck_assert(!budget_take_zygote(&site[2], NOW));
	end(0);
	ck_assert(!budget_take_zygote(&site[2], NOW));
	ck_assert(!budget_take_zygote(&site[3], NOW));
	ck_assert(woken[1] > 0);
	if (_i == 0) {
		ck_assert(budget_take_zygote(&site[1], NOW));
		end(1);
	} else {
		budget_leave(&site[1], NOW); /* nobody waits there any more */
	}
	ck_assert(woken[2] > 0);
	ck_assert(budget_take_zygote(&site[2], NOW));
	ck_assert_uint_eq(stats().waiting, 1);
}
END_TEST

/* As many are told to end as wait, not more. */
START_TEST(one_for_each)
{
	begin(4, 0);
	for (size_t i = 0; i < 4; i++)
		put_to_idle(i, 100 + i, 0);
	ck_assert(!budget_take_zygote(&site[4], NOW));
	ck_assert(!budget_take_zygote(&site[5], NOW));
	for (int n = 0; n < 5; n++)
		ck_assert(!budget_take_zygote(&site[4], NOW));
	ck_assert_uint_eq(woken[0], 1);
	ck_assert_uint_eq(woken[1], 1);
	ck_assert_uint_eq(woken[2] + woken[3], 0);
}
END_TEST

/* A site that floods cannot push the others out: it has its share, and waits for what becomes free. */
START_TEST(flood_evicts_nobody)
{
	begin(0, 6);
	put_to_idle(1, 100, 1);
	put_to_idle(2, 200, 1);
	put_to_work(0, 4); /* a share is 2 */
	for (int n = 0; n < 10; n++)
		ck_assert(!budget_take_cell(&site[0], true, NOW));
	ck_assert_uint_eq(woken[1] + woken[2], 0);
	ck_assert_uint_eq(stats().waiting, 1);
	/* A newcomer's first cell: nobody has spare ones, so the site that was idle longest goes, and the flood gets nothing. */
	ck_assert(budget_take_zygote(&site[3], NOW));
	ck_assert(!budget_take_cell(&site[3], true, NOW));
	ck_assert_int_eq(budget_order(&site[1]), BUDGET_END_ZYGOTE);
	ck_assert_uint_eq(woken[2], 0);
	end(1);
	ck_assert(!budget_take_cell(&site[0], true, NOW));
	ck_assert(budget_take_cell(&site[3], true, NOW));
	ck_assert_uint_eq(stats().cells, 6);
}
END_TEST

START_TEST(spare_cells_first)
{
	begin(0, 6);
	put_to_idle(1, 100, 1);
	put_to_work(0, 5);
	atomic_store(&site[0].idle_cells, 2);
	ck_assert(budget_take_zygote(&site[2], NOW));
	ck_assert(!budget_take_cell(&site[2], false, NOW)); /* a spare one: nobody is troubled */
	ck_assert_uint_eq(stats().waiting, 0);
	ck_assert(!budget_take_cell(&site[2], true, NOW));
	ck_assert_int_eq(budget_order(&site[0]), BUDGET_END_CELL);
	ck_assert_uint_eq(woken[1], 0);
	budget_put_cell(&site[0], NOW);
	ck_assert(budget_take_cell(&site[2], true, NOW));
	ck_assert_uint_eq(stats().cells_ended, 1);
	ck_assert_uint_eq(stats().zygotes_ended, 0);
}
END_TEST

START_TEST(freed_while_waiting)
{
	begin(1, 2);
	put_to_idle(0, 100, 2);
	ck_assert(!budget_take_zygote(&site[1], NOW));
	ck_assert(!budget_take_zygote(&site[2], NOW));
	budget_site_fini(&site[1]);
	budget_site_fini(&site[0]);
	ck_assert_uint_eq(stats().zygotes + stats().cells, 0);
	ck_assert(budget_take_zygote(&site[2], NOW));
	budget_site_fini(&site[2]);
	ck_assert_uint_eq(stats().waiting, 0);
	budget_fini(&b);
}
END_TEST

/* --- a real site ------------------------------------------------------------------------------------------------------- */

static struct budget_site other;

static void nothing(struct budget_site *m)
{
	(void)m;
}

static void set_limits(unsigned zygotes, unsigned cells)
{
	pthread_mutex_lock(&world.budget.lock);
	world.budget.zygotes_max = zygotes;
	world.budget.cells_max = cells;
	pthread_mutex_unlock(&world.budget.lock);
	budget_site_init(&other, &world.budget, nothing);
}

static bool other_gets(void)
{
	return budget_take_zygote(&other, io_now_ms());
}

/* Idle and old enough, a site ends its zygote for another; busy or young, it does not. */
START_TEST(makes_room)
{
	struct client a = {0}, b2 = {0};

	set_limits(1, 0);
	world.conf.min_spare = 0;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	usleep((BUDGET_STAY_MS + 50) * 1000);
	ck_assert(!other_gets());
	w_expect_silence(50);
	w_release(&a, LEASE_CLOSE);
	w_say_exited(id);
	w_expect_closed();
	EVENTUALLY(w_logged("to make room"));
	ck_assert(!w_stats().zygote);
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
	EVENTUALLY(other_gets());
	/* Now it waits itself. */
	w_acquire(&b2);
	usleep(300000);
	ck_assert_uint_eq(atomic_load(&world.wants), 1);
	ck_assert_uint_eq(atomic_load(&b2.calls), 0);
	EVENTUALLY(w_logged("ZygoteLimit is reached"));
	budget_put_zygote(&other, io_now_ms());
	EVENTUALLY(atomic_load(&world.wants) == 2);
	w_on_loop(w_do_cancel, &b2);
}
END_TEST

START_TEST(queues_to_its_deadline)
{
	struct client a = {0};

	set_limits(1, 0);
	world.conf.request_timeout_ms = 400;
	ck_assert(other_gets());
	w_acquire(&a);
	EVENTUALLY(atomic_load(&a.calls) == 1);
	ck_assert_int_eq(a.why, BACKEND_BUSY);
	ck_assert_uint_eq(atomic_load(&world.wants), 0);
	budget_put_zygote(&other, io_now_ms());
	struct budget_stats now;
	EVENTUALLY((budget_stats(&world.budget, &now), now.waiting == 0)); /* and does not come up for nobody */
	ck_assert_uint_eq(atomic_load(&world.wants), 0);
}
END_TEST

START_TEST(cells_within_the_limit)
{
	struct client a = {0}, b2 = {0};

	set_limits(0, 1);
	world.conf.min_spare = 0;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_acquire(&b2);
	w_expect_silence(300);
	ck_assert_uint_eq(atomic_load(&b2.calls), 0);
	w_release(&a, LEASE_CLOSE);
	w_expect_silence(50); /* the first is still there */
	w_say_exited(id);
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&b2.calls) == 1);
	ck_assert_int_eq(b2.why, BACKEND_OK);
	w_release(&b2, LEASE_CLOSE);
}
END_TEST

START_TEST(gives_up_a_spare_cell)
{
	struct client a = {0};
	struct budget_stats now;

	set_limits(0, 3);
	world.conf.start_servers = 3;
	world.conf.min_spare = 0;
	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_say_ready();
	for (int i = 0; i < 3; i++)
		w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(w_stats().idle == 2);
	ck_assert(other_gets());
	ck_assert(!budget_take_cell(&other, true, io_now_ms()));
	EVENTUALLY(w_stats().idle == 1);
	usleep(50000);
	ck_assert_uint_eq(w_stats().idle, 1); /* one, not all */
	for (uint32_t id = 1; id < 4; id++) {
		char octet;
		if (recv(world.app[id], &octet, 1, MSG_DONTWAIT) == 0)
			w_say_exited(id);
	}
	EVENTUALLY((budget_stats(&world.budget, &now), now.cells_ended == 1));
	ck_assert(budget_take_cell(&other, true, io_now_ms()));
	budget_put_cell(&other, io_now_ms());
	budget_put_zygote(&other, io_now_ms());
	w_release(&a, LEASE_CLOSE);
}
END_TEST

Suite *budget_suite(void)
{
	Suite *s = suite_create("budget");
	TCase *tc = tcase_create("budget"), *site_tc = tcase_create("site");

	tcase_add_test(tc, no_limit);
	tcase_add_test(tc, least_recently_used_goes);
	tcase_add_test(tc, busy_and_young_stay);
	tcase_add_loop_test(tc, first_come_first, 0, 2);
	tcase_add_test(tc, one_for_each);
	tcase_add_test(tc, flood_evicts_nobody);
	tcase_add_test(tc, spare_cells_first);
	tcase_add_test(tc, freed_while_waiting);
	suite_add_tcase(s, tc);
	tcase_set_timeout(site_tc, 20);
	tcase_add_checked_fixture(site_tc, w_setup, w_teardown);
	tcase_add_test(site_tc, makes_room);
	tcase_add_test(site_tc, queues_to_its_deadline);
	tcase_add_test(site_tc, cells_within_the_limit);
	tcase_add_test(site_tc, gives_up_a_spare_cell);
	suite_add_tcase(s, site_tc);
	return s;
}
