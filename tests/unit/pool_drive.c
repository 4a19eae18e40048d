/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pool_drive.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "pools/fcgi_client.h"

struct driver {
	struct drive *drive;
	struct loop *loop;
	pthread_t thread;
};

struct drive {
	unsigned loops_n;
	struct driver *loops;
	pthread_mutex_t lock; /* guards the groups' results */
	uint64_t begin_us;
	unsigned active;      /* actors with something left to do, of all loops: a backend may need any of the loops */
};

struct actor {
	struct driver *driver;
	struct drive_group *group;
	struct loop_timer timer;
	struct backend_waiter waiter;
	struct fcgi_client client;
	uint64_t asked_us, done_before;
	unsigned requests;
};

static void *must(void *p)
{
	if (p == NULL) {
		perror("drive");
		abort();
	}
	return p;
}

static void again(struct actor *a, bool ok);

static void record(struct actor *a, enum backend_fail why)
{
	struct drive_group *g = a->group;
	uint64_t now = io_now_us();

	pthread_mutex_lock(&a->driver->drive->lock);
	if (why != BACKEND_OK) {
		g->failed[why]++;
	} else {
		if (g->wait_n == g->wait_cap) {
			g->wait_cap = g->wait_cap == 0 ? 1024 : 2 * g->wait_cap;
			g->wait_us = must(reallocarray(g->wait_us, g->wait_cap, sizeof(*g->wait_us)));
			g->turns = must(reallocarray(g->turns, g->wait_cap, sizeof(*g->turns)));
		}
		g->turns[g->wait_n] = (uint32_t)(g->done - a->done_before);
		g->wait_us[g->wait_n++] = (uint32_t)(now - a->asked_us);
		if (g->done++ == 0)
			g->first_us = now - a->driver->drive->begin_us;
	}
	pthread_mutex_unlock(&a->driver->drive->lock);
	a->requests++;
	again(a, why == BACKEND_OK);
}

static void on_stdout(struct fcgi_client *c, const uint8_t *data, size_t n)
{
	struct actor *a = container_of(c, struct actor, client);

	(void)data;
	pthread_mutex_lock(&a->driver->drive->lock);
	a->group->octets += n;
	pthread_mutex_unlock(&a->driver->drive->lock);
}

static void on_stderr(struct fcgi_client *c, const uint8_t *data, size_t n)
{
	(void)c;
	fprintf(stderr, "%.*s\n", (int)n, (const char *)data);
}

static void on_end(struct fcgi_client *c, enum backend_fail why, uint32_t app_status, const char *detail, bool untouched)
{
	struct actor *a = container_of(c, struct actor, client);

	(void)app_status;
	(void)detail;
	if (untouched) { /* as the gateway does with a GET */
		a->waiter.fresh_only = true;
		backend_acquire(a->group->backend, &a->waiter);
		return;
	}
	record(a, why);
}

static const struct fcgi_client_ops ops = {.stdout_cb = on_stdout, .stderr_cb = on_stderr, .end_cb = on_end};

static void on_ready(struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	struct actor *a = container_of(w, struct actor, waiter);
	const struct fcgi_body body = {.mem = a->group->body, .fd = -1, .len = a->group->body_len};

	if (lease == NULL)
		record(a, why);
	else
		fcgi_client_start(&a->client, &ops, a->driver->loop, lease, a->group->params, a->group->params_len, &body,
			a->group->deadline_ms);
}

static void ask(struct loop *l, struct loop_timer *t)
{
	struct actor *a = container_of(t, struct actor, timer);

	(void)l;
	a->waiter.fresh_only = false;
	pthread_mutex_lock(&a->driver->drive->lock);
	a->done_before = a->group->done;
	pthread_mutex_unlock(&a->driver->drive->lock);
	a->asked_us = io_now_us();
	backend_acquire(a->group->backend, &a->waiter);
}

static void again(struct actor *a, bool ok)
{
	struct drive_group *g = a->group;
	struct driver *d = a->driver;

	if ((g->requests_max > 0 && a->requests >= g->requests_max) || io_now_us() - d->drive->begin_us >= g->stop_ms * 1000) {
		pthread_mutex_lock(&d->drive->lock);
		bool last = --d->drive->active == 0;
		pthread_mutex_unlock(&d->drive->lock);
		for (unsigned i = 0; last && i < d->drive->loops_n; i++)
			loop_stop(d->drive->loops[i].loop);
		return;
	}
	/* A pause after a failure, or a closed cycle would spin on it. */
	if (loop_timer_set(d->loop, &a->timer, ok || g->think_ms > 0 ? g->think_ms : 1) != GW_OK)
		abort();
}

static void *run(void *arg)
{
	struct driver *d = arg;

	if (loop_run(d->loop) != GW_OK)
		abort();
	return NULL;
}

struct drive *drive_new(unsigned loops)
{
	struct drive *d = must(calloc(1, sizeof(*d)));

	d->loops = must(calloc(loops, sizeof(*d->loops)));
	d->loops_n = loops;
	pthread_mutex_init(&d->lock, NULL);
	for (unsigned i = 0; i < loops; i++) {
		d->loops[i].drive = d;
		d->loops[i].loop = must(loop_new());
	}
	return d;
}

struct loop *drive_loop(struct drive *d, unsigned i)
{
	return d->loops[i].loop;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void drive_run(struct drive *d, struct drive_group *groups, size_t groups_n)
{
	size_t n = 0, at = 0;

	for (size_t g = 0; g < groups_n; g++)
		n += groups[g].clients;
	struct actor *actors = must(calloc(n, sizeof(*actors)));
	d->begin_us = io_now_us();
	for (size_t g = 0; g < groups_n; g++) {
		for (unsigned i = 0; i < groups[g].clients; i++, at++) {
			struct actor *a = &actors[at];
			a->driver = &d->loops[at % d->loops_n];
			a->group = &groups[g];
			a->timer.cb = ask;
			a->waiter.loop = a->driver->loop;
			a->waiter.ready = on_ready;
			d->active++;
			if (loop_timer_set(a->driver->loop, &a->timer, groups[g].start_ms) != GW_OK)
				abort();
		}
	}
	for (unsigned i = 0; i < d->loops_n; i++)
		if (pthread_create(&d->loops[i].thread, NULL, run, &d->loops[i]) != 0)
			abort();
	for (unsigned i = 0; i < d->loops_n; i++)
		pthread_join(d->loops[i].thread, NULL);
	for (size_t g = 0; g < groups_n; g++)
		if (groups[g].wait_n > 0) {
			qsort(groups[g].wait_us, groups[g].wait_n, sizeof(uint32_t), by_value);
			qsort(groups[g].turns, groups[g].wait_n, sizeof(uint32_t), by_value);
		}
	free(actors);
}

void drive_free(struct drive *d)
{
	for (unsigned i = 0; i < d->loops_n; i++)
		loop_free(d->loops[i].loop);
	pthread_mutex_destroy(&d->lock);
	free(d->loops);
	free(d);
}

static uint32_t at_percent(const uint32_t *sorted, size_t n, double percent)
{
	return n == 0 ? 0 : sorted[(size_t)((double)(n - 1) * percent / 100)];
}

uint32_t drive_percentile(const struct drive_group *g, double percent)
{
	return at_percent(g->wait_us, g->wait_n, percent);
}

uint32_t drive_turns(const struct drive_group *g, double percent)
{
	return at_percent(g->turns, g->wait_n, percent);
}

uint64_t drive_failures(const struct drive_group *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < DRIVE_FAILS; i++)
		n += g->failed[i];
	return n;
}

void drive_group_fini(struct drive_group *g)
{
	free(g->wait_us);
	free(g->turns);
	g->wait_us = NULL;
}
