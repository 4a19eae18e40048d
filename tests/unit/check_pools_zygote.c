/* SPDX-License-Identifier: Apache-2.0 */
/** Zygotes that do not start, die, or lie. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "tests/unit/cells_world.h"

/* --- a zygote that fails -------------------------------------------------------------------------------------------------------------- */

START_TEST(does_not_start)
{
	struct client a = {0}, b = {0};
	static char reason[] = "no such user";

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	if (_i == 0) {
		w_on_loop(w_do_down, reason);
	} else {
		w_zygote_up();
		io_close(&world.chan); /* dies before it is ready */
	}
	/* Tried once more, while who waits goes on waiting. */
	EVENTUALLY(w_logged("trying once more"));
	EVENTUALLY(atomic_load(&world.wants) == 2);
	ck_assert_uint_eq(atomic_load(&a.calls), 0);
	w_on_loop(w_do_down, reason);
	EVENTUALLY(atomic_load(&a.calls) == 1);
	ck_assert_int_eq(a.why, BACKEND_DOWN);
	EVENTUALLY(w_logged("tried again in 1000 ms"));
	w_acquire(&b); /* at once: left alone for a second */
	EVENTUALLY(atomic_load(&b.calls) == 1);
	ck_assert_int_eq(b.why, BACKEND_DOWN);
	ck_assert_uint_eq(atomic_load(&world.wants), 2);
	usleep(1100000);
	w_acquire(&b);
	EVENTUALLY(atomic_load(&world.wants) == 3);
	w_on_loop(w_do_down, reason); /* the second try is for a site that worked: not again and again */
	EVENTUALLY(atomic_load(&b.calls) == 2);
	ck_assert_int_eq(b.why, BACKEND_DOWN);
	EVENTUALLY(w_logged("tried again in 2000 ms"));
}
END_TEST

/* Killed while it started, by hand or for want of memory: nobody notices but the log. */
START_TEST(starts_at_the_second_try)
{
	struct client a = {0};

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	io_close(&world.chan);
	EVENTUALLY(atomic_load(&world.wants) == 2);
	world.conf.min_spare = 0;
	w_zygote_up();
	w_say_ready();
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&a.calls) == 1);
	ck_assert_int_eq(a.why, BACKEND_OK);
	w_release(&a, LEASE_CLOSE);
}
END_TEST

/* A zygote that dies while it serves: who waits is served by the next one, who runs is not disturbed. */
START_TEST(dies_while_serving)
{
	struct client a = {0}, b = {0};

	world.conf.max_workers = 2;
	world.conf.isolation = CONF_ISOLATION_SHARED;
	w_begin(&a);
	EVENTUALLY(w_stats().idle == 1);
	w_acquire(&b);
	EVENTUALLY(atomic_load(&b.calls) == 1);
	struct client c = {0};
	w_acquire(&c);
	ck_assert_uint_eq(w_stats().waiting, 1);
	io_close(&world.chan);
	EVENTUALLY(atomic_load(&world.wants) == 2);
	ck_assert_uint_eq(w_stats().busy, 2);
	w_release(&a, LEASE_REUSE); /* nobody may get it: its zygote is gone */
	w_release(&b, LEASE_CLOSE);
	ck_assert_uint_eq(w_stats().busy, 0);
	ck_assert_uint_eq(atomic_load(&c.calls), 0);
	w_zygote_up();
	w_say_ready();
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&c.calls) == 1);
	ck_assert_int_eq(c.why, BACKEND_OK);
	w_release(&c, LEASE_CLOSE);
}
END_TEST

START_TEST(no_new_cell)
{
	struct client a = {0};
	struct ipc_msg m;

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	world.conf.min_spare = 0;
	w_zygote_up();
	w_say_ready();
	ipc_fill(&m, IPC_CELL_FAIL, w_expect(IPC_CELL_WANT), "fork: Resource temporarily unavailable");
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
	EVENTUALLY(w_logged("Resource temporarily unavailable"));
	w_expect_silence(500); /* not in a tight loop */
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&a.calls) == 1);
	ck_assert_int_eq(a.why, BACKEND_OK);
	w_release(&a, LEASE_CLOSE);
}
END_TEST

/* --- a zygote that lies ------------------------------------------------------------------------------------------------------------------ */

static void lie_unasked(uint32_t id)
{
	w_say_up(id + 77);
}

static void lie_twice(uint32_t id)
{
	w_say_up(id);
}

static void lie_ready(uint32_t id)
{
	(void)id;
	w_say_ready();
}

static void lie_gone(uint32_t id)
{
	w_say_exited(id + 77);
}

static void lie_gone_twice(uint32_t id)
{
	w_say_exited(id);
	w_say_exited(id);
}

static void lie_fail(uint32_t id)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_CELL_FAIL, id, "no");
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
}

static void lie_type(uint32_t id)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_CELL_WANT, id, NULL);
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
}

static void lie_garbage(uint32_t id)
{
	(void)id;
	ck_assert_int_eq((int)send(world.chan, "hello", 5, MSG_NOSIGNAL), 5);
}

static void (*const lies[])(uint32_t id) = {lie_unasked, lie_twice, lie_ready, lie_gone, lie_gone_twice, lie_fail, lie_type, lie_garbage};

/* What may come instead of a cell's socket or of the log pipe. */
static int open_null(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int open_file(void)
{
	return fileno(tmpfile());
}

static int open_datagrams(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int open_foreign(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int (*const wrong_fds[])(void) = {open_null, open_file, open_datagrams, open_foreign};

static void say_fd(unsigned type, uint32_t id, int fd)
{
	struct ipc_msg m;

	ck_assert_int_ne(fd, -1);
	ipc_fill(&m, type, id, NULL);
	m.fds_n = 1;
	m.fds[0] = fd;
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
	close(fd);
}

START_TEST(wrong_cell_socket)
{
	struct client a = {0};

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_say_ready();
	say_fd(IPC_CELL_UP, w_expect(IPC_CELL_WANT), wrong_fds[_i]());
	EVENTUALLY(atomic_load(&world.kills) == 1);
	ck_assert(!w_stats().zygote);
	ck_assert_uint_eq(atomic_load(&a.calls), 0);
	w_on_loop(w_do_cancel, &a);
}
END_TEST

START_TEST(wrong_log_pipe)
{
	struct client a = {0};

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	say_fd(IPC_ZYGOTE_READY, 0, wrong_fds[_i]());
	EVENTUALLY(atomic_load(&world.kills) == 1);
	ck_assert(!w_stats().zygote);
	w_on_loop(w_do_cancel, &a);
}
END_TEST

/* Whoever made the pipe can keep a copy of our end and make it block again. */
START_TEST(log_pipe_never_blocks_the_loop)
{
	struct client a = {0};
	int ends[2];

	w_acquire(&a);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	ck_assert_int_eq(pipe(ends), 0);
	say_fd(IPC_ZYGOTE_READY, 0, dup(ends[0]));
	w_say_up(w_expect(IPC_CELL_WANT));
	EVENTUALLY(atomic_load(&a.calls) == 1);
	ck_assert_int_eq(io_nonblock(ends[0], 0), GW_OK);
	ck_assert_int_eq((int)write(ends[1], "a line\n", 7), 7);
	EVENTUALLY(w_logged("a line"));
	w_release(&a, LEASE_CLOSE); /* the loop still runs */
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(liar_is_killed)
{
	struct client a = {0};
	struct ipc_msg m;

	w_begin(&a);
	lies[_i](w_cell_of(&a));
	EVENTUALLY(atomic_load(&world.kills) == 1);
	while (ipc_recv(world.chan, IPC_FRONT, IPC_ZYGOTE, &m) == GW_OK)
		;
	ck_assert(!w_stats().zygote);
	ck_assert_uint_eq(w_stats().idle + w_stats().starting, 0);
	w_release(&a, LEASE_CLOSE);
	ck_assert_uint_eq(w_stats().busy, 0);
}
END_TEST

Suite *zygote_suite(void)
{
	Suite *s = suite_create("zygote");
	TCase *t = tcase_create("zygote");

	tcase_set_timeout(t, 20);
	tcase_add_checked_fixture(t, w_setup, w_teardown);
	tcase_add_loop_test(t, does_not_start, 0, 2);
	tcase_add_test(t, starts_at_the_second_try);
	tcase_add_test(t, dies_while_serving);
	tcase_add_test(t, no_new_cell);
	tcase_add_loop_test(t, liar_is_killed, 0, (int)(sizeof(lies) / sizeof(*lies)));
	tcase_add_loop_test(t, wrong_cell_socket, 0, (int)(sizeof(wrong_fds) / sizeof(*wrong_fds)));
	tcase_add_loop_test(t, wrong_log_pipe, 0, (int)(sizeof(wrong_fds) / sizeof(*wrong_fds)));
	tcase_add_test(t, log_pipe_never_blocks_the_loop);
	suite_add_tcase(s, t);
	return s;
}
