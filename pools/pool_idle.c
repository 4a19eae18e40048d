/* SPDX-License-Identifier: Apache-2.0 */
/** Kept connections of a pool, and what its loop does now and then: close idle ones, see connects through, try again. */
#include <errno.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "gateway/base/container.h"
#include "pools/pool_priv.h"

static void unlink_idle(struct pool_conn *c)
{
	struct pool *p = c->member->pool;

	TAILQ_REMOVE(&p->idle, c, link);
	p->idle_n--;
	c->member->idle--;
}

/* An idle server has nothing to say: octets are a broken protocol, end of file or an error a connection that is gone. */
static bool is_alive(const struct pool_conn *c)
{
	char octet;

	return recv(c->lease.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

struct pool_conn *pool_idle_take(struct pool_member *m, bool unused)
{
	struct pool_conn *c = TAILQ_FIRST(&m->pool->idle), *next;

	for (; c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->member != m || (unused && c->requests > 0))
			continue;
		unlink_idle(c);
		if (is_alive(c))
			return c;
		pool_conn_close(c);
	}
	return NULL;
}

void pool_idle_put(struct pool_conn *c, uint64_t now_us)
{
	struct pool *p = c->member->pool;

	c->state = POOL_CONN_IDLE;
	c->since_us = now_us;
	TAILQ_INSERT_HEAD(&p->idle, c, link);
	p->idle_n++;
	c->member->idle++;
}

bool pool_idle_drop(struct pool *p, struct pool_member *m)
{
	struct pool_conn *c;

	TAILQ_FOREACH_REVERSE(c, &p->idle, pool_conns, link) {
		if (m == NULL || c->member == m) {
			unlink_idle(c);
			pool_conn_close(c);
			return true;
		}
	}
	return false;
}

/* --- the pool's loop --------------------------------------------------------------------------------------------------- */

static void on_connecting(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct pool_conn *c = container_of(io, struct pool_conn, io);
	struct pool *p = c->member->pool;
	int err = 0;
	socklen_t len = sizeof(err);

	(void)ready;
	loop_io_del(l, io);
	if (getsockopt(c->lease.fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	pthread_mutex_lock(&p->lock);
	uint64_t now = io_now_us();
	c->watched = false;
	pool_member_connected(c, err, now);
	if (err == 0)
		pool_idle_put(c, now);
	pool_dispatch(p, now);
	pthread_mutex_unlock(&p->lock);
}

/* Watch connects that other threads began, give up those past their time. */
static void tend_connecting(struct pool *p, uint64_t now_us)
{
	struct pool_conn *c = TAILQ_FIRST(&p->connecting), *next;

	for (; c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->watched) {
			c->io = (struct loop_io){.fd = c->lease.fd, .events = EPOLLOUT, .cb = on_connecting};
			c->watched = loop_io_add(p->loop, &c->io, 0) == GW_OK;
		}
		if (now_us - c->since_us >= (uint64_t)p->conf->connect_timeout_ms * 1000) {
			if (c->watched)
				loop_io_del(p->loop, &c->io);
			pool_member_connected(c, ETIMEDOUT, now_us);
		}
	}
}

static void tend(struct pool *p)
{
	uint64_t now = io_now_us(), idle_us = (uint64_t)p->conf->idle_timeout_ms * 1000;
	struct pool_conn *c;

	p->tick = POOL_TICK_NONE;
	while ((c = TAILQ_LAST(&p->idle, pool_conns)) != NULL && now - c->since_us >= idle_us) {
		unlink_idle(c);
		pool_conn_close(c);
	}
	tend_connecting(p, now);
	pool_dispatch(p, now);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct pool *p = container_of(t, struct pool, timer);

	(void)l;
	pthread_mutex_lock(&p->lock);
	tend(p);
	pthread_mutex_unlock(&p->lock);
}

/* Arm the timer for what is wanted; runs on the pool's loop because only there a timer can be set. */
static void on_task(struct loop *l, struct loop_task *t)
{
	struct pool *p = container_of(t, struct pool, task);
	uint64_t delay_ms = POOL_TICK_MS;

	pthread_mutex_lock(&p->lock);
	p->task_posted = false;
	tend_connecting(p, io_now_us());
	if (p->tick == POOL_TICK_IDLE) {
		struct pool_conn *c = TAILQ_LAST(&p->idle, pool_conns);
		uint64_t idle_us = c == NULL ? 0 : io_now_us() - c->since_us;
		uint64_t left_us = (uint64_t)p->conf->idle_timeout_ms * 1000;
		left_us = idle_us < left_us ? left_us - idle_us : 0;
		delay_ms = left_us / 1000 + 1;
	}
	if (loop_timer_set(l, &p->timer, delay_ms) != GW_OK)
		p->tick = POOL_TICK_NONE; /* memory is out; whoever comes next asks again */
	pthread_mutex_unlock(&p->lock);
}

void pool_tick_want(struct pool *p)
{
	enum pool_tick want = POOL_TICK_NONE;

	if (p->waitq.queued.n > 0 || !TAILQ_EMPTY(&p->connecting))
		want = POOL_TICK_FAST;
	else if (p->idle_n > 0)
		want = POOL_TICK_IDLE;
	if (want <= p->tick)
		return;
	p->tick = want;
	if (p->task_posted)
		return;
	p->task_posted = true;
	loop_post(p->loop, &p->task);
}

void pool_tick_init(struct pool *p)
{
	p->task.cb = on_task;
	p->timer.cb = on_timer;
}
