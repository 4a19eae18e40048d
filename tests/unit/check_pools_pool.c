/* SPDX-License-Identifier: Apache-2.0 */
/** Pools against servers of a few children each, driven by clients on two loops. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "pools/pool.h"
#include "tests/unit/check_pools.h"
#include "tests/unit/fcgi_stub.h"
#include "tests/unit/pool_drive.h"

static struct conf_pool_member members[3];
static struct conf_pool conf;

static void setup(void)
{
	memset(members, 0, sizeof(members));
	for (size_t i = 0; i < 3; i++)
		members[i].weight = 1;
	conf = (struct conf_pool){.name = "test", .members_n = 1, .members = members, .max_idle = 2, .idle_timeout_ms = 200,
		.connect_timeout_ms = 1000, .fail_timeout_ms = 100, .queue_timeout_ms = 5000};
	log_server()->fd = -1;
}

/* Run one group and return it; the pool's numbers in @stats. */
static struct drive_group drive(struct drive_group g, struct pool_stats *stats)
{
	struct drive *d = drive_new(2);

	g.backend = pool_new(&conf, drive_loop(d, 0));
	ck_assert_ptr_nonnull(g.backend);
	drive_run(d, &g, 1);
	if (stats != NULL)
		pool_stats(g.backend, stats);
	pool_free(g.backend);
	drive_free(d);
	return g;
}

START_TEST(connections_are_kept)
{
	struct stub stub = {.children = 2};
	struct pool_stats stats;

	stub_start(&stub, _i == 1, 64);
	members[0].addr = stub.addr;
	struct drive_group g = drive((struct drive_group){.clients = 1, .stop_ms = 5000, .requests_max = 50}, &stats);
	ck_assert_uint_eq(g.done, 50);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_uint_eq(g.octets, 50 * 30);
	ck_assert_uint_eq(stats.requests, 50);
	ck_assert_uint_le(stats.connects, 2);
	ck_assert_uint_ge(stats.reused, 48);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

START_TEST(connections_are_not_kept)
{
	struct stub stub = {.children = 2};
	struct pool_stats stats;

	stub_start(&stub, false, 64);
	members[0].addr = stub.addr;
	conf.max_idle = 0;
	struct drive_group g = drive((struct drive_group){.clients = 2, .stop_ms = 5000, .requests_max = 20}, &stats);
	ck_assert_uint_eq(g.done, 40);
	ck_assert_uint_eq(stats.connects, 40);
	ck_assert_uint_eq(atomic_load(&stub.accepted), 40);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* The server closes after some requests: never an error, because an idle connection is looked at before it is used. */
START_TEST(server_closes_kept)
{
	struct stub stub = {.children = 2, .requests_max = 3};

	stub_start(&stub, false, 64);
	members[0].addr = stub.addr;
	struct drive_group g = drive((struct drive_group){.clients = 1, .stop_ms = 5000, .requests_max = 40, .think_ms = 2}, NULL);
	ck_assert_uint_eq(g.done, 40);
	ck_assert_uint_eq(drive_failures(&g), 0);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* Many clients over few children neither starve nor stall. */
START_TEST(many_over_few)
{
	struct stub stub = {.children = 3, .delay_ms = 2};
	struct pool_stats stats;

	stub_start(&stub, _i == 1, 64);
	members[0].addr = stub.addr;
	members[0].max_connections = _i == 2 ? 3 : 0;
	struct drive_group g = drive((struct drive_group){.clients = 30, .stop_ms = 60000, .requests_max = 40}, &stats);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_uint_eq(g.done, 30 * 40);
	/* Everybody else once or twice meanwhile, not some of them all the time. */
	ck_assert_uint_le(drive_turns(&g, 99), 4 * g.clients);
	if (_i == 0)
		ck_assert_uint_lt(stats.connects, stats.requests / 2);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* Another client of the same server, here a second pool, is served beside one that never rests. */
START_TEST(second_client_is_served)
{
	struct stub stub = {.children = 2, .delay_ms = 1};
	struct drive *d = drive_new(2);

	stub_start(&stub, false, 64);
	members[0].addr = stub.addr;
	struct drive_group g[2] = {
		{.backend = pool_new(&conf, drive_loop(d, 0)), .clients = 20, .stop_ms = 1500},
		{.backend = pool_new(&conf, drive_loop(d, 1)), .clients = 1, .start_ms = 300, .stop_ms = 1300, .think_ms = 5},
	};
	drive_run(d, g, 2);
	ck_assert_uint_eq(drive_failures(&g[0]) + drive_failures(&g[1]), 0);
	ck_assert_uint_ge(g[1].done, 5);
	ck_assert_uint_lt(drive_percentile(&g[1], 100), 1200000);
	for (int i = 0; i < 2; i++) {
		pool_free(g[i].backend);
		drive_group_fini(&g[i]);
	}
	drive_free(d);
	stub_stop(&stub);
}
END_TEST

START_TEST(nobody_there)
{
	memset(&members[0].addr, 0, sizeof(members[0].addr));
	if (_i == 0) {
		members[0].addr.u.un.sun_family = AF_UNIX;
		strcpy(members[0].addr.u.un.sun_path, "/tmp/bh-nobody.sock");
		members[0].addr.len = sizeof(struct sockaddr_un);
	} else {
		struct stub stub = {.children = 0};
		stub_start(&stub, true, 1);
		members[0].addr = stub.addr;
		stub_stop(&stub);
	}
	members[0].addr.text = "nobody";
	struct drive_group g = drive((struct drive_group){.clients = 4, .stop_ms = 100}, NULL);
	ck_assert_uint_eq(g.done, 0);
	ck_assert_uint_ge(g.failed[BACKEND_DOWN], 4);
	ck_assert_uint_eq(drive_failures(&g), g.failed[BACKEND_DOWN]);
	drive_group_fini(&g);
}
END_TEST

START_TEST(next_member_at_once)
{
	struct stub stub = {.children = 4};
	struct pool_stats stats;

	stub_start(&stub, false, 64);
	members[0].addr.u.un.sun_family = AF_UNIX;
	strcpy(members[0].addr.u.un.sun_path, "/tmp/bh-nobody.sock");
	members[0].addr.len = sizeof(struct sockaddr_un);
	members[0].addr.text = "nobody";
	members[1].addr = stub.addr;
	members[1].backup = _i == 1;
	conf.members_n = 2;
	struct drive_group g = drive((struct drive_group){.clients = 4, .stop_ms = 300}, &stats);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_uint_gt(g.done, 20);
	ck_assert_uint_ge(stats.failures, 1);
	ck_assert_uint_le(stats.failures, 10); /* it is left alone between the tries */
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

START_TEST(backup_stays_out)
{
	struct stub stub[2] = {{.children = 2, .delay_ms = 1}, {.children = 2}};

	for (int i = 0; i < 2; i++) {
		stub_start(&stub[i], false, 64);
		members[i].addr = stub[i].addr;
	}
	members[1].backup = true;
	conf.members_n = 2;
	struct drive_group g = drive((struct drive_group){.clients = 8, .stop_ms = 200}, NULL);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_uint_eq(atomic_load(&stub[1].requests), 0);
	ck_assert_uint_gt(atomic_load(&stub[0].requests), 0);
	for (int i = 0; i < 2; i++)
		stub_stop(&stub[i]);
	drive_group_fini(&g);
}
END_TEST

START_TEST(weights_count)
{
	struct stub stub[2] = {{.children = 30, .delay_ms = 5}, {.children = 30, .delay_ms = 5}};

	for (int i = 0; i < 2; i++) {
		stub_start(&stub[i], false, 64);
		members[i].addr = stub[i].addr;
	}
	members[0].weight = 3;
	conf.members_n = 2;
	struct drive_group g = drive((struct drive_group){.clients = 20, .stop_ms = 600}, NULL);
	double ratio = (double)atomic_load(&stub[0].requests) / (double)atomic_load(&stub[1].requests);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_double_gt(ratio, 1.8);
	ck_assert_double_lt(ratio, 5.0);
	for (int i = 0; i < 2; i++)
		stub_stop(&stub[i]);
	drive_group_fini(&g);
}
END_TEST

/* Down, then back: used again within a second, whatever the back-off was. */
static void *restart_later(void *arg)
{
	usleep(600000);
	stub_restart(arg);
	return NULL;
}

START_TEST(back_again)
{
	struct stub stub = {.children = 2};
	pthread_t t;

	stub_start(&stub, false, 64);
	stub_stop(&stub);
	members[0].addr = stub.addr;
	conf.fail_timeout_ms = 60000;
	ck_assert_int_eq(pthread_create(&t, NULL, restart_later, &stub), 0);
	struct drive_group g = drive((struct drive_group){.clients = 2, .stop_ms = 1600, .think_ms = 10}, NULL);
	pthread_join(t, NULL);
	ck_assert_uint_gt(g.failed[BACKEND_DOWN], 0);
	ck_assert_uint_gt(g.done, 10);
	ck_assert_uint_lt(g.first_us, 1400000);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* A restart of the server takes a moment: who comes meanwhile waits for it. */
static void *restart_quickly(void *arg)
{
	usleep(200000);
	stub_stop(arg); /* waits for the kept connections to be given up */
	usleep(250000);
	stub_restart(arg);
	return NULL;
}

START_TEST(restart_is_not_noticed)
{
	struct stub stub = {.children = 2};
	pthread_t t;

	stub_start(&stub, false, 64);
	members[0].addr = stub.addr;
	conf.idle_timeout_ms = 50;
	ck_assert_int_eq(pthread_create(&t, NULL, restart_quickly, &stub), 0);
	struct drive_group g = drive((struct drive_group){.clients = 4, .stop_ms = 2500, .think_ms = 20}, NULL);
	pthread_join(t, NULL);
	ck_assert_uint_eq(drive_failures(&g), 0);
	ck_assert_uint_gt(g.done, 50);
	ck_assert_uint_gt(drive_percentile(&g, 100), 100000); /* there was something to wait for */
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

START_TEST(overloaded)
{
	struct stub stub = {.children = 1, .overloaded = true};

	stub_start(&stub, false, 64);
	members[0].addr = stub.addr;
	struct drive_group g = drive((struct drive_group){.clients = 1, .stop_ms = 5000, .requests_max = 3}, NULL);
	ck_assert_uint_eq(g.failed[BACKEND_REFUSED], 3);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* Nobody accepts: the wait ends at its deadline, and so does an exchange in the backlog. */
START_TEST(slow_accept)
{
	struct stub stub = {.children = 0};

	stub_start(&stub, false, 0);
	members[0].addr = stub.addr;
	conf.queue_timeout_ms = 150;
	struct drive_group g = drive((struct drive_group){.clients = 6, .stop_ms = 50, .requests_max = 1, .deadline_ms = 300}, NULL);
	ck_assert_uint_eq(g.done, 0);
	ck_assert_uint_ge(g.failed[BACKEND_BUSY], 4);
	ck_assert_uint_eq(g.failed[BACKEND_BUSY] + g.failed[BACKEND_TIMEOUT], 6);
	ck_assert_uint_eq(g.failed[BACKEND_DOWN], 0);
	stub_stop(&stub);
	drive_group_fini(&g);
}
END_TEST

/* --- waiting, cancelling, idle time, on one loop --------------------------------------------------------------------------- */

static struct {
	struct loop *loop;
	struct backend *backend;
	struct backend_waiter w[3];
	struct lease *lease[3];
	enum backend_fail why[3];
	unsigned calls;
	struct loop_timer timer;
} one;

static void one_ready(struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	size_t i = (size_t)(w - one.w);

	one.lease[i] = lease;
	one.why[i] = why;
	one.calls++;
}

static void one_stop(struct loop *l, struct loop_timer *t)
{
	(void)t;
	loop_stop(l);
}

static void one_cancel(struct loop *l, struct loop_timer *t)
{
	(void)t;
	(void)l;
	/* 0 was granted, 1 waits: it goes away, then the lease of 0 comes back and must go to 2. */
	backend_cancel(&one.w[1]);
	backend_cancel(&one.w[1]); /* harmless */
	ck_assert_ptr_nonnull(one.lease[0]);
	ck_assert_ptr_null(one.lease[2]);
	atomic_store(&one.lease[0]->progress, LEASE_ANSWERED);
	lease_release(one.lease[0], LEASE_REUSE);
	one.timer.cb = one_stop;
	ck_assert_int_eq(loop_timer_set(l, &one.timer, 50), GW_OK);
}

static void one_begin(struct stub *stub)
{
	memset(&one, 0, sizeof(one));
	stub_start(stub, false, 64);
	members[0].addr = stub->addr;
	members[0].max_connections = 1;
	one.loop = loop_new();
	one.backend = pool_new(&conf, one.loop);
	for (int i = 0; i < 3; i++) {
		one.w[i].loop = one.loop;
		one.w[i].ready = one_ready;
		backend_acquire(one.backend, &one.w[i]);
		ck_assert_uint_eq(one.calls, 0); /* never from inside */
	}
}

static void one_end(struct stub *stub)
{
	pool_free(one.backend);
	loop_free(one.loop);
	stub_stop(stub);
}

START_TEST(first_come_first_served)
{
	struct stub stub = {.children = 1};
	struct pool_stats stats;

	one_begin(&stub);
	one.timer.cb = one_cancel;
	ck_assert_int_eq(loop_timer_set(one.loop, &one.timer, 50), GW_OK);
	ck_assert_int_eq(loop_run(one.loop), GW_OK);
	ck_assert_uint_eq(one.calls, 2);
	ck_assert_ptr_nonnull(one.lease[2]);
	ck_assert(one.lease[2]->reused);
	pool_stats(one.backend, &stats);
	ck_assert_uint_eq(stats.leased, 1);
	ck_assert_uint_eq(stats.waiting, 0);
	ck_assert_uint_eq(stats.connects, 1);
	lease_release(one.lease[2], LEASE_CLOSE);
	one_end(&stub);
}
END_TEST

START_TEST(cancel_what_is_granted)
{
	struct stub stub = {.children = 1};
	struct pool_stats stats;

	one_begin(&stub);
	/* 0 is granted, though not told yet; its connection passes on to 1, then to 2. */
	backend_cancel(&one.w[0]);
	backend_cancel(&one.w[1]);
	one.timer.cb = one_stop;
	ck_assert_int_eq(loop_timer_set(one.loop, &one.timer, 30), GW_OK);
	ck_assert_int_eq(loop_run(one.loop), GW_OK);
	ck_assert_uint_eq(one.calls, 1);
	ck_assert_ptr_nonnull(one.lease[2]);
	ck_assert(!one.lease[2]->reused);
	lease_release(one.lease[2], LEASE_KILL);
	pool_stats(one.backend, &stats);
	ck_assert_uint_eq(stats.leased + stats.idle + stats.waiting, 0);
	one_end(&stub);
}
END_TEST

START_TEST(idle_is_closed_early)
{
	struct stub stub = {.children = 1};
	struct pool_stats stats;

	one_begin(&stub);
	backend_cancel(&one.w[1]);
	backend_cancel(&one.w[2]);
	one.timer.cb = one_stop;
	ck_assert_int_eq(loop_timer_set(one.loop, &one.timer, 600), GW_OK);
	backend_cancel(&one.w[0]); /* goes idle */
	pool_stats(one.backend, &stats);
	ck_assert_uint_eq(stats.idle, 1);
	ck_assert_int_eq(loop_run(one.loop), GW_OK);
	pool_stats(one.backend, &stats);
	ck_assert_uint_eq(stats.idle, 0);
	ck_assert_uint_eq(one.calls, 0);
	one_end(&stub);
}
END_TEST

Suite *pool_suite(void)
{
	Suite *s = suite_create("pool");
	TCase *t = tcase_create("pool");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, connections_are_kept, 0, 2);
	tcase_add_test(t, connections_are_not_kept);
	tcase_add_test(t, server_closes_kept);
	tcase_add_loop_test(t, many_over_few, 0, 3);
	tcase_add_test(t, second_client_is_served);
	tcase_add_loop_test(t, nobody_there, 0, 2);
	tcase_add_loop_test(t, next_member_at_once, 0, 2);
	tcase_add_test(t, backup_stays_out);
	tcase_add_test(t, weights_count);
	tcase_add_test(t, back_again);
	tcase_add_test(t, restart_is_not_noticed);
	tcase_add_test(t, overloaded);
	tcase_add_test(t, slow_accept);
	tcase_add_test(t, first_come_first_served);
	tcase_add_test(t, cancel_what_is_granted);
	tcase_add_test(t, idle_is_closed_early);
	suite_add_tcase(s, t);
	return s;
}
