/* SPDX-License-Identifier: Apache-2.0 */
/** A site's cells: how many, who gets them, how they end. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "tests/unit/cells_world.h"

/* --- life ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(nobody_asks)
{
	usleep(50000);
	ck_assert_uint_eq(atomic_load(&world.wants), 0);
	ck_assert(!w_stats().zygote);
}
END_TEST

START_TEST(fresh_cells)
{
	struct client a = {0}, b = {0};
	char octet;

	w_begin(&a);
	ck_assert(!a.lease->keep);
	ck_assert(!a.lease->reused);
	uint32_t first = w_cell_of(&a);
	EVENTUALLY(w_stats().idle == 1 && w_stats().busy == 1);
	/* The spare is leased, and the next is asked for at once. */
	w_acquire(&b);
	EVENTUALLY(atomic_load(&b.calls) == 1);
	uint32_t third = w_expect(IPC_CELL_WANT);
	ck_assert_uint_ne(w_cell_of(&a), w_cell_of(&b));
	/* Served: the cell sees the end of its connection, and counts until it is gone. */
	w_release(&a, LEASE_CLOSE);
	ck_assert_int_eq((int)read(world.app[first], &octet, 1), 0);
	ck_assert_uint_eq(w_stats().busy, 2);
	w_say_exited(first);
	EVENTUALLY(w_stats().busy == 1);
	w_say_up(third);
	EVENTUALLY(w_stats().idle == 1);
	ck_assert_uint_eq(w_stats().requests, 2);
	ck_assert_uint_eq(w_stats().started, 3);
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
	w_release(&b, LEASE_CLOSE);
}
END_TEST

START_TEST(start_servers)
{
	struct client a = {0};

	world.conf.start_servers = 3;
	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_expect_silence(30); /* not before it is ready */
	w_say_ready();
	for (int i = 0; i < 3; i++)
		w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&a.calls) == 1);
	EVENTUALLY(w_stats().idle == 2);
	w_release(&a, LEASE_CLOSE);
}
END_TEST

START_TEST(shared_cells)
{
	struct client a = {0}, b = {0};

	world.conf.isolation = CONF_ISOLATION_SHARED;
	world.conf.max_requests = 3;
	world.conf.min_spare = 0;
	world.conf.max_workers = 1;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	ck_assert(a.lease->keep);
	uint16_t request = a.lease->request_id;
	ck_assert_uint_ne(request, 0);
	w_acquire(&b); /* waits for the only one */
	w_release(&a, LEASE_REUSE);
	EVENTUALLY(atomic_load(&b.calls) == 1);
	ck_assert_uint_eq(w_cell_of(&b), id);
	ck_assert(b.lease->reused);
	/* What is left of the first request is foreign to the second. */
	ck_assert_uint_ne(b.lease->request_id, 0);
	ck_assert_uint_ne(b.lease->request_id, request);
	ck_assert(b.lease->keep);
	w_release(&b, LEASE_REUSE);
	EVENTUALLY(w_stats().idle == 1);
	w_acquire(&a);
	EVENTUALLY(atomic_load(&a.calls) == 2);
	ck_assert_uint_eq(w_cell_of(&a), id);
	ck_assert(!a.lease->keep); /* the last one of MaxConnectionsPerChild */
	w_expect_silence(20);
	w_release(&a, LEASE_CLOSE);
	w_say_exited(id);
	EVENTUALLY(w_stats().busy == 0);
}
END_TEST

/* One that works on behind its answer is busy until it says that it is ready. */
START_TEST(works_on_behind_its_answer)
{
	struct client a = {0}, b = {0};
	const char ready = IPC_CELL_READY;

	world.conf.isolation = CONF_ISOLATION_ROLLBACK;
	world.conf.min_spare = 0;
	world.conf.max_workers = 1;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	ck_assert_uint_eq(a.lease->later_status, IPC_CELL_LATER);
	w_release(&a, LEASE_LATER);
	w_acquire(&b); /* waits for the only one */
	w_expect_silence(50);
	ck_assert_uint_eq(w_stats().busy, 1);
	ck_assert_int_eq(atomic_load(&b.calls), 0);
	ck_assert_int_eq((int)write(world.app[id], &ready, 1), 1);
	EVENTUALLY(atomic_load(&b.calls) == 1);
	ck_assert_uint_eq(w_cell_of(&b), id);
	/* The same again, and what comes is not what was agreed on: the connection is closed. */
	w_release(&b, LEASE_LATER);
	ck_assert_int_eq((int)write(world.app[id], _i == 0 ? "xx" : "\x42\x42", 2), 2);
	char octet;
	ck_assert_int_eq((int)read(world.app[id], &octet, 1), 0);
	ck_assert_uint_eq(w_stats().busy, 1);
	w_say_exited(id);
	EVENTUALLY(w_stats().busy == 0);
}
END_TEST

/* It ends instead. */
START_TEST(ends_behind_its_answer)
{
	struct client a = {0};

	world.conf.isolation = CONF_ISOLATION_ROLLBACK;
	world.conf.request_timeout_ms = _i == 0 ? 60000 : 400;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_release(&a, LEASE_LATER);
	usleep(20000);
	if (_i == 0) {
		w_say_gone(id, (struct ipc_cell_gone){.how = 1, .code = 11, .syscall = -1});
		EVENTUALLY(w_logged("killed by signal 11 (SIGSEGV) outside of a request"));
	} else {
		ck_assert_uint_eq(w_expect(IPC_CELL_KILL), id);
		EVENTUALLY(w_logged("did not end within 400 ms after its request was over"));
		w_say_gone(id, (struct ipc_cell_gone){.how = 1, .asked = 1, .code = 9, .syscall = -1});
	}
	EVENTUALLY(w_stats().busy == 0);
}
END_TEST

/* An idle cell that is killed from outside is never handed out. */
START_TEST(idle_cell_dies)
{
	struct client a = {0}, b = {0};

	world.conf.isolation = CONF_ISOLATION_SHARED;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	EVENTUALLY(w_stats().idle == 1);
	w_release(&a, LEASE_REUSE);
	EVENTUALLY(w_stats().idle == 2);
	io_close(&world.app[id]); /* its CELL_GONE is still on the way */
	w_acquire(&b);
	EVENTUALLY(atomic_load(&b.calls) == 1);
	ck_assert_uint_ne(w_cell_of(&b), id);
	w_say_gone(id, (struct ipc_cell_gone){.how = 1, .code = 9, .syscall = -1});
	EVENTUALLY(w_logged("killed by signal 9 (SIGKILL) outside of a request"));
	w_release(&b, LEASE_REUSE);
}
END_TEST

START_TEST(no_more_than_max)
{
	struct client c[4] = {0};
	uint32_t id[2];

	world.conf.max_workers = 2;
	for (int i = 0; i < 4; i++)
		w_acquire(&c[i]);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_say_ready();
	for (int i = 0; i < 2; i++)
		w_say_up(id[i] = w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&c[0].calls) + atomic_load(&c[1].calls) == 2); /* in order */
	w_expect_silence(30);
	ck_assert_uint_eq(w_stats().waiting, 2);
	w_release(&c[0], LEASE_CLOSE);
	w_expect_silence(30); /* it still counts */
	w_say_exited(id[0]);
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&c[2].calls) == 1);
	ck_assert_uint_eq(atomic_load(&c[3].calls), 0);
	w_on_loop(w_do_cancel, &c[3]);
	ck_assert_uint_eq(w_stats().waiting, 0);
	w_release(&c[1], LEASE_CLOSE);
	w_release(&c[2], LEASE_CLOSE);
	ck_assert_uint_eq(atomic_load(&c[3].calls), 0);
}
END_TEST

START_TEST(queue_is_bounded)
{
	static struct client c[80];
	unsigned busy = 0;

	memset(c, 0, sizeof(c));
	world.conf.max_workers = 1;
	world.conf.request_timeout_ms = 300; /* so long do they wait */
	for (int i = 0; i < 80; i++)
		w_acquire(&c[i]);
	EVENTUALLY(atomic_load(&c[79].calls) == 1);
	for (int i = 0; i < 80; i++)
		busy += atomic_load(&c[i].calls);
	ck_assert_uint_eq(busy, 80 - (8 + 64));
	ck_assert_int_eq(c[79].why, BACKEND_BUSY);
	ck_assert_uint_eq(atomic_load(&c[71].calls), 0);
	EVENTUALLY(atomic_load(&c[71].calls) == 1);
	ck_assert_int_eq(c[0].why, BACKEND_BUSY);
	ck_assert_uint_eq(w_stats().waiting, 0);
}
END_TEST

START_TEST(spare_cells_are_trimmed)
{
	struct client c[6] = {0};
	char octet;
	unsigned ended = 0;

	world.conf.isolation = CONF_ISOLATION_SHARED;
	world.conf.max_workers = 6;
	world.conf.max_spare = 2;
	for (int i = 0; i < 6; i++)
		w_acquire(&c[i]);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_say_ready();
	for (int i = 0; i < 6; i++)
		w_say_up(w_expect(IPC_CELL_WANT));
	for (int i = 0; i < 6; i++) {
		EVENTUALLY(atomic_load(&c[i].calls) == 1);
		w_release(&c[i], LEASE_REUSE);
	}
	ck_assert_uint_eq(w_stats().idle, 6);
	EVENTUALLY(w_stats().idle == 4); /* half of what is too many */
	for (int i = 0; i < CELLS_N; i++)
		if (world.app[i] != -1 && recv(world.app[i], &octet, 1, MSG_DONTWAIT) == 0) {
			ended++;
			w_say_exited((uint32_t)i);
		}
	ck_assert_uint_eq(ended, 2);
	EVENTUALLY(w_stats().idle <= 3);
	EVENTUALLY(w_stats().idle == 2);
	w_expect_silence(20);
}
END_TEST

START_TEST(idle_site_has_no_process)
{
	struct client a = {0};

	world.conf.site_idle_timeout_ms = 200;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_expect_silence(400); /* not while it is busy */
	w_release(&a, LEASE_CLOSE);
	w_say_exited(id);
	w_expect_closed();
	ck_assert(!w_stats().zygote);
	ck_assert_uint_eq(w_stats().idle + w_stats().busy + w_stats().starting, 0);
	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 2);
	w_on_loop(w_do_cancel, &a);
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
}
END_TEST

START_TEST(old_zygote_makes_room)
{
	struct client a = {0};

	world.conf.zygote_life_ms = 200;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_expect_silence(400); /* not under a request */
	w_release(&a, LEASE_CLOSE);
	w_say_exited(id);
	w_expect_closed();
	ck_assert(!w_stats().zygote);
	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 2);
	w_on_loop(w_do_cancel, &a);
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
}
END_TEST

START_TEST(drained)
{
	struct client a = {0}, b = {0};

	w_begin(&a);
	EVENTUALLY(w_stats().idle == 1);
	w_on_loop((void (*)(void *))cells_drain, world.cells);
	ck_assert(w_stats().zygote);
	w_acquire(&b); /* accepted before the drain: still served, by the spare */
	EVENTUALLY(atomic_load(&b.calls) == 1);
	w_expect_silence(20); /* no new spare */
	w_release(&a, LEASE_CLOSE);
	ck_assert(w_stats().zygote);
	w_release(&b, LEASE_CLOSE);
	w_expect_closed();
}
END_TEST

START_TEST(log_pipe)
{
	struct client a = {0};
	static char big[20000];

	w_begin(&a);
	ck_assert_int_eq(io_write_all(world.pipe, "one\ntwo, ", 9), GW_OK);
	EVENTUALLY(w_logged("one\n"));
	ck_assert(!w_logged("two"));
	ck_assert_int_eq(io_write_all(world.pipe, "and more\n\n", 10), GW_OK);
	EVENTUALLY(w_logged("two, and more\n"));
	unsigned before = atomic_load(&world.lines);
	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(io_write_all(world.pipe, big, sizeof(big)), GW_OK);
	ck_assert_int_eq(io_write_all(world.pipe, "end", 3), GW_OK);
	io_close(&world.pipe);
	EVENTUALLY(atomic_load(&world.lines) == before + 3); /* cut into lines, nothing lost */
	w_release(&a, LEASE_CLOSE);
}
END_TEST

/* --- kills and crashes -------------------------------------------------------------------------------------------------------------- */

START_TEST(killed)
{
	struct client a = {0};

	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_release(&a, LEASE_KILL);
	ck_assert_uint_eq(w_expect(IPC_CELL_KILL), id);
	w_say_gone(id, (struct ipc_cell_gone){.how = 1, .asked = 1, .code = 9, .syscall = -1});
	EVENTUALLY(w_stats().killed == 1);
	ck_assert_uint_eq(w_stats().crashed, 0);
	ck_assert_uint_eq(w_stats().busy, 0);
}
END_TEST

START_TEST(lingering_cell_is_killed)
{
	struct client a = {0};

	world.conf.request_timeout_ms = 100;
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_release(&a, LEASE_CLOSE);
	ck_assert_uint_eq(w_expect(IPC_CELL_KILL), id);
	w_say_gone(id, (struct ipc_cell_gone){.how = 1, .asked = 1, .code = 9, .syscall = -1});
	EVENTUALLY(w_stats().busy == 0);
}
END_TEST

START_TEST(kill_is_not_obeyed)
{
	struct client a = {0};

	w_begin(&a);
	w_release(&a, LEASE_KILL);
	w_expect(IPC_CELL_KILL);
	w_expect_silence(2000);
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
	w_expect_silence(2500);
	EVENTUALLY(atomic_load(&world.kills) == 1);
	w_expect_closed();
	ck_assert_uint_eq(w_stats().busy, 0);
}
END_TEST

static struct {
	struct lease *lease;
	enum backend_fail why;
	char detail[128];
	atomic_uint calls;
} asked;

static void told(void *arg, enum backend_fail why, const char *detail)
{
	ck_assert_ptr_eq(arg, &asked);
	asked.why = why;
	snprintf(asked.detail, sizeof(asked.detail), "%s", detail);
	lease_release(asked.lease, LEASE_CLOSE);
	atomic_fetch_add(&asked.calls, 1);
}

static void do_diagnose(void *arg)
{
	struct client *c = arg;

	asked.lease = c->lease;
	c->lease = NULL;
	world.cells->ops->diagnose(asked.lease, world.loop, told, &asked);
	ck_assert_uint_eq(atomic_load(&asked.calls), 0);
}

static const struct {
	struct ipc_cell_gone gone;
	bool first; /* known before the question */
	enum backend_fail why;
	const char *text;
} ends[] = {
	{{.how = 1, .code = 11, .syscall = -1}, false, BACKEND_CRASHED, "killed by signal 11 (SIGSEGV)"},
	{{.how = 1, .code = 11, .syscall = -1}, true, BACKEND_CRASHED, "killed by signal 11 (SIGSEGV)"},
	{{.how = 2, .code = 31, .syscall = 41, .args = {17, 3, 3}}, false, BACKEND_VIOLATION, "system call 41: socket(family=AF_PACKET type=SOCK_RAW protocol=3)"},
	{{.how = 2, .code = 31, .syscall = -1}, true, BACKEND_VIOLATION, "system call -1: not known"},
	{{.how = 0, .code = 3, .syscall = -1}, false, BACKEND_CLOSED, "exited with status 3"},
};

START_TEST(diagnosis)
{
	struct client a = {0};

	memset(&asked, 0, sizeof(asked));
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	if (ends[_i].first) {
		w_say_gone(id, ends[_i].gone);
		EVENTUALLY(w_stats().crashed + w_stats().violations == 1);
	}
	w_on_loop(do_diagnose, &a);
	if (!ends[_i].first)
		w_say_gone(id, ends[_i].gone);
	EVENTUALLY(atomic_load(&asked.calls) == 1);
	ck_assert_int_eq(asked.why, ends[_i].why);
	ck_assert_msg(strstr(asked.detail, ends[_i].text) != NULL, "%s", asked.detail);
	EVENTUALLY(w_stats().busy == 0);
	ck_assert(!w_logged("outside of a request"));
}
END_TEST

START_TEST(a_discarded_cell_is_counted_by_reason)
{
	struct client a = {0};

	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_say_gone(id, (struct ipc_cell_gone){.how = 0, .code = ROLLBACK_EXIT + ROLLBACK_THREAD, .syscall = -1});
	EVENTUALLY(w_stats().discarded[ROLLBACK_THREAD] == 1);
	EVENTUALLY(w_logged("is not used again: a thread is left (1 so far)"));
	ck_assert_uint_eq(w_stats().crashed, 0);
	ck_assert_uint_eq(w_stats().discarded[ROLLBACK_CHILD], 0);
}
END_TEST

START_TEST(diagnosis_takes_too_long)
{
	struct client a = {0};

	memset(&asked, 0, sizeof(asked));
	w_begin(&a);
	uint64_t begin_ms = io_now_ms();
	w_on_loop(do_diagnose, &a);
	EVENTUALLY(atomic_load(&asked.calls) == 1);
	ck_assert_uint_ge(io_now_ms() - begin_ms, 190);
	ck_assert_int_eq(asked.why, BACKEND_CLOSED);
	ck_assert_uint_eq(w_stats().busy, 1); /* closed, not gone */
}
END_TEST

static void do_withdraw(void *arg)
{
	(void)arg;
	lease_release(asked.lease, LEASE_CLOSE);
}

START_TEST(diagnosis_withdrawn)
{
	struct client a = {0};

	memset(&asked, 0, sizeof(asked));
	w_begin(&a);
	uint32_t id = w_cell_of(&a);
	w_on_loop(do_diagnose, &a);
	w_on_loop(do_withdraw, NULL);
	w_say_exited(id);
	usleep(300000);
	ck_assert_uint_eq(atomic_load(&asked.calls), 0);
	ck_assert_uint_eq(w_stats().busy, 0);
}
END_TEST

START_TEST(crash_after_crash_retires)
{
	struct client a = {0};

	w_begin(&a);
	for (int i = 0; i < 5; i++) {
		uint32_t id = w_cell_of(&a);
		ck_assert_uint_eq(atomic_load(&world.wants), 1);
		w_say_gone(id, (struct ipc_cell_gone){.how = 1, .code = 11, .syscall = -1});
		EVENTUALLY(w_stats().crashed == (unsigned)i + 1);
		if (i == 4)
			break;
		w_release(&a, LEASE_CLOSE);
		w_acquire(&a);
		EVENTUALLY(atomic_load(&a.calls) == (unsigned)i + 2);
		w_say_up(w_expect(IPC_CELL_WANT));
		EVENTUALLY(w_stats().idle == 1);
	}
	/* The channel is closed: no more cells with this layout. The next request brings another zygote. */
	struct ipc_msg m;
	while (ipc_recv(world.chan, IPC_FRONT, IPC_ZYGOTE, &m) == GW_OK)
		ck_assert_uint_eq(m.type, IPC_CELL_WANT);
	ck_assert(!w_stats().zygote);
	EVENTUALLY(w_logged("too many crashes"));
	ck_assert_uint_eq(atomic_load(&world.kills), 0);
	w_release(&a, LEASE_CLOSE);
	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 2);
	w_on_loop(w_do_cancel, &a);
}
END_TEST

Suite *cells_suite(void)
{
	Suite *s = suite_create("cells");
	TCase *t = tcase_create("cells");

	tcase_set_timeout(t, 20);
	tcase_add_checked_fixture(t, w_setup, w_teardown);
	tcase_add_test(t, nobody_asks);
	tcase_add_test(t, fresh_cells);
	tcase_add_test(t, start_servers);
	tcase_add_test(t, shared_cells);
	tcase_add_loop_test(t, works_on_behind_its_answer, 0, 2);
	tcase_add_loop_test(t, ends_behind_its_answer, 0, 2);
	tcase_add_test(t, idle_cell_dies);
	tcase_add_test(t, no_more_than_max);
	tcase_add_test(t, queue_is_bounded);
	tcase_add_test(t, spare_cells_are_trimmed);
	tcase_add_test(t, idle_site_has_no_process);
	tcase_add_test(t, old_zygote_makes_room);
	tcase_add_test(t, drained);
	tcase_add_test(t, log_pipe);
	tcase_add_test(t, killed);
	tcase_add_test(t, lingering_cell_is_killed);
	tcase_add_test(t, kill_is_not_obeyed);
	tcase_add_loop_test(t, diagnosis, 0, (int)(sizeof(ends) / sizeof(*ends)));
	tcase_add_test(t, a_discarded_cell_is_counted_by_reason);
	tcase_add_test(t, diagnosis_takes_too_long);
	tcase_add_test(t, diagnosis_withdrawn);
	tcase_add_test(t, crash_after_crash_retires);
	suite_add_tcase(s, t);
	return s;
}
