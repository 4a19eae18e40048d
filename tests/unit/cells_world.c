/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cells_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"

struct world world;

static void ask_master(struct cells_host *h, unsigned type, const struct conf_server *site)
{
	ck_assert_ptr_eq(h, &world.host);
	ck_assert_ptr_eq(site, &world.conf);
	atomic_fetch_add(type == IPC_SITE_WANT ? &world.wants : &world.kills, 1);
}

static void host_log(struct cells_host *h, const struct conf_server *site, enum log_level level, const char *text)
{
	(void)h;
	(void)site;
	(void)level;
	pthread_mutex_lock(&world.lock);
	size_t at = strlen(world.log);
	snprintf(world.log + at, sizeof(world.log) - at, "%s\n", text);
	pthread_mutex_unlock(&world.lock);
	atomic_fetch_add(&world.lines, 1);
}

bool w_logged(const char *what)
{
	pthread_mutex_lock(&world.lock);
	bool found = strstr(world.log, what) != NULL;
	pthread_mutex_unlock(&world.lock);
	return found;
}

struct call {
	struct loop_task task;
	void (*fn)(void *arg);
	void *arg;
	atomic_bool done;
};

static void call_task(struct loop *l, struct loop_task *t)
{
	struct call *c = container_of(t, struct call, task);

	(void)l;
	c->fn(c->arg);
	atomic_store(&c->done, true);
}

void w_on_loop(void (*fn)(void *arg), void *arg)
{
	struct call c = {.task.cb = call_task, .fn = fn, .arg = arg};

	loop_post(world.loop, &c.task);
	while (!atomic_load(&c.done))
		usleep(100);
}

static void *run_loop(void *arg)
{
	(void)arg;
	ck_assert_int_eq(loop_run(world.loop), GW_OK);
	return NULL;
}

void w_setup(void)
{
	memset(&world, 0, sizeof(world));
	world.conf = (struct conf_server){.name = "site", .isolation = CONF_ISOLATION_FRESH, .start_servers = 1, .min_spare = 1,
		.max_spare = 4, .max_workers = 4};
	world.host = (struct cells_host){.ask_master = ask_master, .log = host_log, .budget = &world.budget};
	budget_init(&world.budget, 0, 0);
	world.chan = world.pipe = -1;
	for (int i = 0; i < CELLS_N; i++)
		world.app[i] = -1;
	pthread_mutex_init(&world.lock, NULL);
	world.loop = loop_new();
	ck_assert_ptr_nonnull(world.loop);
	world.cells = cells_new(&world.conf, world.loop, &world.host);
	ck_assert_ptr_nonnull(world.cells);
	ck_assert_int_eq(pthread_create(&world.thread, NULL, run_loop, NULL), 0);
}

void w_teardown(void)
{
	loop_stop(world.loop);
	pthread_join(world.thread, NULL);
	cells_free(world.cells);
	struct budget_stats left;
	budget_stats(&world.budget, &left);
	ck_assert_uint_eq(left.zygotes + left.cells + left.waiting, 0);
	budget_fini(&world.budget);
	loop_free(world.loop);
	io_close(&world.chan);
	io_close(&world.pipe);
	for (int i = 0; i < CELLS_N; i++)
		io_close(&world.app[i]);
	pthread_mutex_destroy(&world.lock);
}

/* --- clients ----------------------------------------------------------------------------------------------------------------- */

static void ready(struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	struct client *c = container_of(w, struct client, w);

	c->lease = lease;
	c->why = why;
	atomic_fetch_add(&c->calls, 1);
}

static void do_acquire(void *arg)
{
	struct client *c = arg;

	memset(&c->w, 0, sizeof(c->w));
	c->w.loop = world.loop;
	c->w.ready = ready;
	unsigned calls = atomic_load(&c->calls);
	backend_acquire(world.cells, &c->w);
	ck_assert_uint_eq(atomic_load(&c->calls), calls);
}

void w_acquire(struct client *c)
{
	w_on_loop(do_acquire, c);
}

void w_do_cancel(void *arg)
{
	backend_cancel(&((struct client *)arg)->w);
}

static struct {
	struct lease *lease;
	enum lease_end how;
} back;

static void do_release(void *arg)
{
	(void)arg;
	lease_release(back.lease, back.how);
}

void w_release(struct client *c, enum lease_end how)
{
	back.lease = c->lease;
	back.how = how;
	c->lease = NULL;
	w_on_loop(do_release, NULL);
}

uint32_t w_cell_of(const struct client *c)
{
	unsigned id = 0;

	ck_assert_ptr_nonnull(c->lease);
	ck_assert_int_eq(sscanf(c->lease->peer, "cell %u", &id), 1);
	return id;
}

struct cells_stats w_stats(void)
{
	struct cells_stats s;

	cells_stats(world.cells, &s);
	return s;
}

/* --- the zygote ---------------------------------------------------------------------------------------------------------------- */

static void do_up(void *arg)
{
	cells_zygote_up(world.cells, *(int *)arg);
}

void w_do_down(void *arg)
{
	cells_zygote_down(world.cells, arg);
}

/* The master's answer to SITE_WANT. */
void w_zygote_up(void)
{
	const struct timeval limit = {.tv_sec = 3};
	int ends[2];

	ck_assert_int_eq(ipc_pair(ends), GW_OK);
	io_close(&world.chan);
	world.chan = ends[1];
	ck_assert_int_eq(setsockopt(world.chan, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	w_on_loop(do_up, &ends[0]);
}

void w_say_ready(void)
{
	struct ipc_msg m;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	io_close(&world.pipe);
	world.pipe = ends[1];
	ipc_fill(&m, IPC_ZYGOTE_READY, 0, NULL);
	m.fds_n = 1;
	m.fds[0] = ends[0];
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
	close(ends[0]);
}

/* The next message, which must be of @type; returns its id. */
uint32_t w_expect(unsigned type)
{
	struct ipc_msg m;

	ck_assert_int_eq(ipc_recv(world.chan, IPC_FRONT, IPC_ZYGOTE, &m), GW_OK);
	ck_assert_uint_eq(m.type, type);
	return m.id;
}

/* Nothing more comes for a while. */
void w_expect_silence(int ms)
{
	char octet;

	usleep((unsigned)ms * 1000);
	ck_assert_int_eq((int)recv(world.chan, &octet, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

void w_expect_closed(void)
{
	struct ipc_msg m;

	ck_assert_int_eq(ipc_recv(world.chan, IPC_FRONT, IPC_ZYGOTE, &m), GW_ERR_CLOSED);
}

void w_say_up(uint32_t id)
{
	struct ipc_msg m;
	int ends[2];

	ck_assert_uint_lt(id, CELLS_N);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	io_close(&world.app[id]);
	world.app[id] = ends[1];
	ipc_fill(&m, IPC_CELL_UP, id, NULL);
	m.fds_n = 1;
	m.fds[0] = ends[0];
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
	close(ends[0]);
}

void w_say_gone(uint32_t id, struct ipc_cell_gone gone)
{
	struct ipc_msg m;

	if (id < CELLS_N)
		io_close(&world.app[id]);
	ipc_fill(&m, IPC_CELL_GONE, id, NULL);
	ipc_put_cell_gone(&m, &gone);
	ck_assert_int_eq(ipc_send(world.chan, &m), GW_OK);
}

void w_say_exited(uint32_t id)
{
	w_say_gone(id, (struct ipc_cell_gone){.syscall = -1});
}

/* Bring a site up with one waiting client, who gets the first cell. MinSpareServers must be 0 or 1. */
void w_begin(struct client *c)
{
	w_acquire(c);
	EVENTUALLY(atomic_load(&world.wants) == 1);
	w_zygote_up();
	w_say_ready();
	uint32_t id = w_expect(IPC_CELL_WANT);
	w_say_up(id);
	EVENTUALLY(atomic_load(&c->calls) == 1);
	ck_assert_uint_eq(w_cell_of(c), id);
	if (world.conf.min_spare > 0)
		w_say_up(w_expect(IPC_CELL_WANT));
}
