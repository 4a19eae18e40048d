/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/pool_priv.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/io.h"

static struct pool *of_backend(struct backend *b)
{
	return (struct pool *)(void *)b; /* backend is the first member */
}

/* --- which member ------------------------------------------------------------------------------------------------------ */

static bool may_try(const struct pool_member *m, uint64_t now_us)
{
	return m->state == POOL_MEMBER_UP || (m->state == POOL_MEMBER_FAILING && now_us >= m->retry_us);
}

/* Fewer requests for its weight; both fit easily in 64 bits. */
static bool less_loaded(const struct pool_member *a, const struct pool_member *b)
{
	uint64_t la = (uint64_t)a->leased + a->connecting, lb = (uint64_t)b->leased + b->connecting;

	return la * b->conf->weight < lb * a->conf->weight;
}

/* The least loaded usable member that has an idle connection or room for a new one. *@any: some member is usable. */
static struct pool_member *pick_among(struct pool *p, bool backup, uint64_t now_us, bool *any)
{
	struct pool_member *best = NULL;

	for (size_t i = 0; i < p->conf->members_n; i++) {
		struct pool_member *m = &p->members[(p->turn + i) % p->conf->members_n];
		if (m->conf->backup != backup || !may_try(m, now_us))
			continue;
		*any = true;
		if (m->idle == 0 && !pool_member_has_room(m, now_us))
			continue;
		if (best == NULL || less_loaded(m, best))
			best = m;
	}
	return best;
}

/* Nobody is usable: the member that was left alone longest, if that was long enough. *@hope: a connect is under way, or
 * somebody answered a moment ago and is perhaps being restarted. */
static struct pool_member *last_resort(struct pool *p, uint64_t now_us, bool *hope)
{
	struct pool_member *best = NULL;

	for (size_t i = 0; i < p->conf->members_n; i++) {
		struct pool_member *m = &p->members[i];
		bool recent = m->up_us != 0 && now_us < m->up_us + POOL_GRACE_US;
		uint64_t pause_us = recent ? POOL_GRACE_TRY_US : POOL_LAST_RESORT_US;
		*hope = *hope || recent || m->state == POOL_MEMBER_PROBING;
		if (m->state != POOL_MEMBER_PROBING && now_us >= m->tried_us + pause_us &&
			(best == NULL || m->tried_us < best->tried_us))
			best = m;
	}
	return best;
}

/* The member for the next request, or NULL; then *@down says that there is no hope for those who wait. */
static struct pool_member *pick(struct pool *p, uint64_t now_us, bool *down)
{
	bool any = false, hope = false;
	struct pool_member *m = pick_among(p, false, now_us, &any);

	*down = false;
	if (!any)
		m = pick_among(p, true, now_us, &any);
	if (!any) {
		m = last_resort(p, now_us, &hope);
		*down = m == NULL && !hope;
	}
	return m;
}

/* --- handing out ------------------------------------------------------------------------------------------------------- */

static void grant(struct pool *p, struct backend_waiter *w, struct pool_conn *c, uint64_t now_us)
{
	struct pool_member *m = c->member;

	c->state = POOL_CONN_LEASED;
	c->since_us = now_us;
	c->lease.reused = c->requests > 0;
	c->lease.request_id = (uint16_t)(c->requests % UINT16_MAX + 1);
	c->lease.keep = p->conf->max_idle > 0;
	c->lease.mark = c->requests == 0 && m->conf->addr.u.sa.sa_family == AF_UNIX;
	if (c->requests == 0) {
		TAILQ_INSERT_TAIL(&m->fresh, c, fresh_link);
		m->fresh_n++;
		c->in_fresh = true;
	} else {
		p->reused++;
	}
	m->leased++;
	p->leased_n++;
	p->requests++;
	p->turn = (size_t)(m - p->members) + 1;
	waitq_answer(&p->waitq, w, &c->lease, BACKEND_OK);
}

enum serve { SERVE_GRANTED, SERVE_COVERED, SERVE_AGAIN, SERVE_NO_ROOM, SERVE_DOWN };

/* Try to find a connection for @w. *@covered connections are being made for those ahead of it. */
static enum serve serve(struct pool *p, struct backend_waiter *w, unsigned *covered, uint64_t now_us)
{
	struct pool_conn *c;
	bool down;
	struct pool_member *m = pick(p, now_us, &down);

	if (m == NULL)
		return down ? SERVE_DOWN : SERVE_NO_ROOM;
	c = pool_idle_take(m, w->fresh_only);
	if (c != NULL) {
		grant(p, w, c, now_us);
		return SERVE_GRANTED;
	}
	if (*covered > 0) {
		(*covered)--;
		return SERVE_COVERED;
	}
	/* One that must not have carried a request before: an idle one would hold the child that it needs. */
	if (w->fresh_only)
		pool_idle_drop(p, m);
	if (m->state == POOL_MEMBER_UP && !pool_member_has_room(m, now_us))
		return m->idle > 0 ? SERVE_AGAIN : SERVE_NO_ROOM;
	switch (pool_member_connect(m, now_us, &c)) {
	case POOL_CONNECT_DONE:
		grant(p, w, c, now_us);
		return SERVE_GRANTED;
	case POOL_CONNECT_PENDING:
		/* Nobody is made to wait for a member that may still be dead. */
		return m->state == POOL_MEMBER_PROBING ? SERVE_AGAIN : SERVE_COVERED;
	case POOL_CONNECT_BUSY:
	case POOL_CONNECT_FAILED:
		break; /* this member is out of the choice for now: try the next */
	}
	return SERVE_AGAIN;
}

void pool_dispatch(struct pool *p, uint64_t now_us)
{
	struct backend_waiter *w = waitq_first(&p->waitq);
	unsigned covered = p->connecting_n;

	for (size_t i = 0; w != NULL && i < p->conf->members_n; i++)
		if (p->members[i].fresh_n > 0)
			pool_member_check(&p->members[i], false, now_us);
	while (w != NULL) {
		struct backend_waiter *next = waitq_next(w);
		switch (serve(p, w, &covered, now_us)) {
		case SERVE_GRANTED:
		case SERVE_COVERED:
			w = next;
			break;
		case SERVE_AGAIN:
			break;
		case SERVE_NO_ROOM:
			w = NULL;
			break;
		case SERVE_DOWN:
			waitq_fail_all(&p->waitq, BACKEND_DOWN);
			w = NULL;
			break;
		}
	}
	while (p->idle_n > p->conf->max_idle)
		pool_idle_drop(p, NULL);
	pool_tick_want(p);
}

/* --- backend_ops ------------------------------------------------------------------------------------------------------- */

static void pool_acquire(struct backend *b, struct backend_waiter *w)
{
	struct pool *p = of_backend(b);

	pthread_mutex_lock(&p->lock);
	int err = waitq_add(&p->waitq, w, p->conf->queue_timeout_ms, POOL_QUEUE_MAX);
	pool_dispatch(p, io_now_us());
	pthread_mutex_unlock(&p->lock);
	if (err != GW_OK)
		w->ready(w, NULL, BACKEND_NOMEM);
}

static void pool_release(struct lease *l, enum lease_end how)
{
	struct pool_conn *c = (struct pool_conn *)(void *)l; /* lease is the first member */
	struct pool_member *m = c->member;
	struct pool *p = m->pool;

	pthread_mutex_lock(&p->lock);
	uint64_t now = io_now_us();
	if (atomic_load_explicit(&l->progress, memory_order_relaxed) != LEASE_GRANTED)
		c->requests++;
	if (how == LEASE_REUSE && c->requests > 0) {
		pool_member_known(c);
		m->up_us = now;
	}
	pool_member_check(m, true, now);
	m->leased--;
	p->leased_n--;
	bool spent = c->requests >= POOL_CONN_REQUESTS_MAX || now - c->opened_us >= POOL_CONN_AGE_MAX_US;
	pool_member_known(c);
	if (how == LEASE_REUSE && l->keep && !spent && !m->unread) {
		pool_idle_put(c, now);
	} else {
		m->unread = false; /* the child that this sets free takes the oldest; if not, the next check says so */
		pool_conn_close(c);
	}
	pool_dispatch(p, now);
	pthread_mutex_unlock(&p->lock);
}

static void pool_cancel(struct backend *b, struct backend_waiter *w)
{
	struct pool *p = of_backend(b);

	pthread_mutex_lock(&p->lock);
	struct lease *l = waitq_cancel(&p->waitq, w);
	pthread_mutex_unlock(&p->lock);
	if (l != NULL)
		pool_release(l, LEASE_REUSE); /* nothing was sent on it since it was granted */
}

static const struct backend_ops pool_ops = {.acquire = pool_acquire, .cancel = pool_cancel, .release = pool_release};

/* --- life -------------------------------------------------------------------------------------------------------------- */

struct backend *pool_new(const struct conf_pool *cp, struct loop *loop)
{
	struct pool *p = calloc(1, sizeof(*p) + cp->members_n * sizeof(p->members[0]));

	if (p == NULL)
		return NULL;
	p->backend.ops = &pool_ops;
	p->backend.name = cp->name;
	p->conf = cp;
	p->loop = loop;
	pthread_mutex_init(&p->lock, NULL);
	waitq_init(&p->waitq, &p->lock);
	TAILQ_INIT(&p->idle);
	TAILQ_INIT(&p->connecting);
	pool_tick_init(p);
	for (size_t i = 0; i < cp->members_n; i++) {
		p->members[i].pool = p;
		p->members[i].conf = &cp->members[i];
		TAILQ_INIT(&p->members[i].fresh);
	}
	return &p->backend;
}

void pool_free(struct backend *b)
{
	struct pool *p = of_backend(b);

	if (p == NULL)
		return;
	while (pool_idle_drop(p, NULL))
		;
	while (!TAILQ_EMPTY(&p->connecting)) {
		struct pool_conn *c = TAILQ_FIRST(&p->connecting);
		TAILQ_REMOVE(&p->connecting, c, link);
		pool_conn_close(c);
	}
	waitq_fini(&p->waitq);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pool_stats(struct backend *b, struct pool_stats *out)
{
	struct pool *p = of_backend(b);

	pthread_mutex_lock(&p->lock);
	*out = (struct pool_stats){.idle = p->idle_n, .leased = p->leased_n, .waiting = p->waitq.queued.n,
		.requests = p->requests, .reused = p->reused, .connects = p->connects, .failures = p->failures};
	pthread_mutex_unlock(&p->lock);
}
