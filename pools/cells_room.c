/* SPDX-License-Identifier: Apache-2.0 */
/** A site's side of the budget that all sites share: it asks, it waits, and when it is idle it makes room. */
#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "pools/cells_priv.h"

#define TELL_MS 10000 /* between two lines that say there is no room */

/* Something is asked of the site, or was and is not quite over. */
static bool is_busy(const struct cells *s)
{
	return s->leased_n + s->closing_n + s->waitq.queued.n > 0;
}

static void obey(struct cells *s)
{
	struct cell *c;

	switch (budget_order(&s->account)) {
	case BUDGET_KEEP:
		return;
	case BUDGET_END_ZYGOTE:
		if (s->zygote == ZYGOTE_READY && !is_busy(s)) {
			cells_note(s, LOG_LV_INFO, "idle: its processes end to make room for another site's");
			cells_lose(s, NULL);
			return;
		}
		break;
	case BUDGET_END_CELL:
		/* With somebody in the queue none is idle. */
		c = TAILQ_LAST(&s->idle, cell_list);
		if (c != NULL) {
			cells_close(s, c);
			return;
		}
		break;
	}
	budget_decline(&s->account, io_now_ms());
}

static void on_room(struct loop *l, struct loop_task *t)
{
	struct cells *s = container_of(t, struct cells, room_task);

	(void)l;
	atomic_store(&s->room_posted, false);
	pthread_mutex_lock(&s->lock);
	obey(s);
	cells_pump(s);
	cells_unlock(s);
}

static void wake(struct budget_site *m)
{
	struct cells *s = container_of(m, struct cells, account);

	if (!atomic_exchange(&s->room_posted, true))
		loop_post(s->loop, &s->room_task);
}

void cells_room_init(struct cells *s)
{
	s->room_task.cb = on_room;
	budget_site_init(&s->account, s->host->budget, wake);
}

void cells_room_fini(struct cells *s)
{
	budget_site_fini(&s->account);
}

/* Room is often made at once; only a wait worth the name is one for the log. */
static void say_full(struct cells *s, const char *directive, uint64_t since_ms, uint64_t now_ms)
{
	if (now_ms - since_ms < BUDGET_AGAIN_MS)
		return;
	if (s->told_ms != 0 && now_ms - s->told_ms < TELL_MS)
		return;
	s->told_ms = now_ms;
	cells_note(s, LOG_LV_WARN, "requests wait: %s is reached and every other site is busy or has just begun", directive);
}

bool cells_room_for_zygote(struct cells *s)
{
	uint64_t now_ms = io_now_ms();
	bool ok = budget_take_zygote(&s->account, now_ms);

	if (!ok)
		say_full(s, "ZygoteLimit", s->since_ms, now_ms);
	return ok;
}

bool cells_room_for_cell(struct cells *s)
{
	uint64_t now_ms = io_now_ms();
	bool urgent = s->waitq.queued.n > s->idle_n + s->wanted_n;
	bool ok = budget_take_cell(&s->account, urgent, now_ms);

	if (ok || !urgent)
		s->short_ms = 0;
	else if (s->short_ms == 0)
		s->short_ms = now_ms;
	else
		say_full(s, "CellLimit", s->short_ms, now_ms);
	return ok;
}

void cells_room_leave(struct cells *s)
{
	s->short_ms = 0;
	budget_leave(&s->account, io_now_ms());
}

void cells_room_publish(struct cells *s)
{
	struct budget_site *m = &s->account;

	if (m->budget == NULL)
		return;
	bool evictable = s->zygote == ZYGOTE_READY && !is_busy(s);
	atomic_store_explicit(&m->used_ms, s->last_lease_ms, memory_order_relaxed);
	atomic_store_explicit(&m->ready_ms, s->since_ms, memory_order_relaxed);
	atomic_store_explicit(&m->idle_cells, s->idle_n, memory_order_relaxed);
	/* Only a site that has become idle makes room; the order of two stores on one site is its lock's. */
	if (atomic_exchange(&m->evictable, evictable) != evictable && evictable)
		budget_became_idle(m, io_now_ms());
}
