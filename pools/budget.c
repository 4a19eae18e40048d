/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/budget.h"

#include <stddef.h>
#include <string.h>

void budget_init(struct budget *b, unsigned zygotes_max, unsigned cells_max)
{
	memset(b, 0, sizeof(*b));
	pthread_mutex_init(&b->lock, NULL);
	b->zygotes_max = zygotes_max;
	b->cells_max = cells_max;
	TAILQ_INIT(&b->holders);
	TAILQ_INIT(&b->queue);
}

void budget_fini(struct budget *b)
{
	pthread_mutex_destroy(&b->lock);
}

void budget_site_init(struct budget_site *m, struct budget *b, void (*wake)(struct budget_site *m))
{
	memset(m, 0, sizeof(*m));
	m->budget = b;
	m->wake = wake;
}

/* --- room -------------------------------------------------------------------------------------------------------------- */

static unsigned room(unsigned max, unsigned n)
{
	return max == 0 ? ~0U : n < max ? max - n : 0;
}

/* What every site that is awake may have at least; never nothing. */
static unsigned share(const struct budget *b)
{
	unsigned each = b->cells_max / (b->holders_n > 0 ? b->holders_n : 1);

	return each > 0 ? each : 1;
}

/* Who is next for @want: for a cell one with less than its share before all others. NULL: nobody asks. */
static struct budget_site *next_in_queue(const struct budget *b, enum budget_want want)
{
	struct budget_site *m, *first = NULL;

	TAILQ_FOREACH(m, &b->queue, queue_link) {
		if (m->want != want)
			continue;
		if (want == BUDGET_ZYGOTE || m->cells < share(b))
			return m;
		if (first == NULL)
			first = m;
	}
	return first;
}

/* --- making room --------------------------------------------------------------------------------------------------------- */

static void give_order(struct budget *b, struct budget_site *m, enum budget_order order)
{
	m->order = order;
	m->told = false;
	b->ordered_n++;
	m->wake(m);
}

static void clear_order(struct budget *b, struct budget_site *m)
{
	b->ordered_n -= m->order != BUDGET_KEEP;
	m->order = BUDGET_KEEP;
}

/* The idle site whose last request is longest ago, among those that have been there for a while. */
static struct budget_site *least_recently_used(const struct budget *b, bool with_cells, uint64_t now_ms)
{
	struct budget_site *m, *best = NULL;

	TAILQ_FOREACH(m, &b->holders, holder_link) {
		if (m->order != BUDGET_KEEP || !atomic_load(&m->evictable) || (with_cells && m->cells == 0) ||
			now_ms - atomic_load(&m->ready_ms) < BUDGET_STAY_MS)
			continue;
		if (best == NULL || atomic_load(&m->used_ms) < atomic_load(&best->used_ms))
			best = m;
	}
	return best;
}

/* The site that has most above its share, one idle cell at least among them. */
static struct budget_site *richest(const struct budget *b)
{
	struct budget_site *m, *best = NULL;

	TAILQ_FOREACH(m, &b->holders, holder_link)
		if (m->order == BUDGET_KEEP && m->cells > share(b) && atomic_load(&m->idle_cells) > 0 &&
			(best == NULL || m->cells > best->cells))
			best = m;
	return best;
}

/* Tell somebody to make room for @m; whoever does so wakes the queue later. */
static bool make_room(struct budget *b, const struct budget_site *m, uint64_t now_ms)
{
	struct budget_site *victim;

	victim = m->want == BUDGET_CELL ? richest(b) : NULL;
	if (victim != NULL) {
		give_order(b, victim, BUDGET_END_CELL);
		return true;
	}
	victim = least_recently_used(b, m->want == BUDGET_CELL, now_ms);
	if (victim == NULL || victim == m)
		return false;
	give_order(b, victim, BUDGET_END_ZYGOTE);
	return true;
}

/*
 * There is room: the first asks again. There is none: one site for each that waits is told to make some; not for a site
 * that has its share of the cells already.
 */
static void serve_queue(struct budget *b, uint64_t now_ms)
{
	struct budget_site *m = next_in_queue(b, BUDGET_ZYGOTE);

	if (m != NULL && room(b->zygotes_max, b->zygotes_n) > 0)
		m->wake(m);
	m = next_in_queue(b, BUDGET_CELL);
	if (m != NULL && room(b->cells_max, b->cells_n) > 0)
		m->wake(m);
	unsigned asked = 0;
	bool vain[] = {[BUDGET_ZYGOTE] = room(b->zygotes_max, b->zygotes_n) > 0, [BUDGET_CELL] = room(b->cells_max, b->cells_n) > 0};
	TAILQ_FOREACH(m, &b->queue, queue_link) {
		if (vain[m->want] || (m->want == BUDGET_CELL && m->cells >= share(b)) || ++asked <= b->ordered_n)
			continue;
		/* Who has nobody to ask stands for all that come later. */
		vain[m->want] = !make_room(b, m, now_ms);
	}
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

static void leave(struct budget *b, struct budget_site *m)
{
	if (m->want == BUDGET_NOTHING)
		return;
	TAILQ_REMOVE(&b->queue, m, queue_link);
	m->want = BUDGET_NOTHING;
	atomic_fetch_sub(&b->queued_n, 1);
}

static void enqueue(struct budget *b, struct budget_site *m, enum budget_want want, uint64_t now_ms)
{
	if (m->want != want) {
		leave(b, m);
		m->want = want;
		TAILQ_INSERT_TAIL(&b->queue, m, queue_link);
		atomic_fetch_add(&b->queued_n, 1);
		b->waits++;
	}
	serve_queue(b, now_ms);
}

static void hold(struct budget *b, struct budget_site *m)
{
	leave(b, m);
	if (m->holds)
		return;
	m->holds = true;
	b->zygotes_n++;
	b->holders_n++;
	TAILQ_INSERT_TAIL(&b->holders, m, holder_link);
}

bool budget_take_zygote(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return true;
	pthread_mutex_lock(&b->lock);
	struct budget_site *first = next_in_queue(b, BUDGET_ZYGOTE);
	bool ok = m->holds || (room(b->zygotes_max, b->zygotes_n) > 0 && (first == NULL || first == m));
	if (ok) {
		hold(b, m);
		serve_queue(b, now_ms); /* there may be room for the next one, too */
	} else {
		enqueue(b, m, BUDGET_ZYGOTE, now_ms);
	}
	pthread_mutex_unlock(&b->lock);
	return ok;
}

void budget_hold_zygote(struct budget_site *m)
{
	if (m->budget == NULL)
		return;
	pthread_mutex_lock(&m->budget->lock);
	hold(m->budget, m);
	pthread_mutex_unlock(&m->budget->lock);
}

void budget_put_zygote(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	if (m->holds) {
		m->holds = false;
		b->zygotes_n--;
		b->holders_n--;
		b->zygotes_ended += m->order == BUDGET_END_ZYGOTE;
		TAILQ_REMOVE(&b->holders, m, holder_link);
		clear_order(b, m);
		serve_queue(b, now_ms);
	}
	pthread_mutex_unlock(&b->lock);
}

bool budget_take_cell(struct budget_site *m, bool urgent, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return true;
	pthread_mutex_lock(&b->lock);
	struct budget_site *first = next_in_queue(b, BUDGET_CELL);
	bool ok = room(b->cells_max, b->cells_n) > 0 && (first == NULL || first == m);
	if (ok) {
		leave(b, m);
		m->cells++;
		b->cells_n++;
		serve_queue(b, now_ms);
	} else if (urgent) {
		enqueue(b, m, BUDGET_CELL, now_ms);
	}
	pthread_mutex_unlock(&b->lock);
	return ok;
}

void budget_put_cell(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	m->cells--;
	b->cells_n--;
	if (m->order == BUDGET_END_CELL) {
		b->cells_ended++;
		clear_order(b, m);
	}
	serve_queue(b, now_ms);
	pthread_mutex_unlock(&b->lock);
}

void budget_leave(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL || atomic_load(&b->queued_n) == 0)
		return;
	pthread_mutex_lock(&b->lock);
	if (m->want != BUDGET_NOTHING) {
		leave(b, m);
		serve_queue(b, now_ms); /* what was kept for it is the next one's */
	}
	pthread_mutex_unlock(&b->lock);
}

/* --- giving up ------------------------------------------------------------------------------------------------------------ */

enum budget_order budget_order(struct budget_site *m)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return BUDGET_KEEP;
	pthread_mutex_lock(&b->lock);
	enum budget_order order = m->told ? BUDGET_KEEP : m->order;
	m->told = true;
	pthread_mutex_unlock(&b->lock);
	return order;
}

void budget_decline(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	pthread_mutex_lock(&b->lock);
	clear_order(b, m);
	atomic_store(&m->evictable, false); /* so that the next choice is another */
	atomic_store(&m->idle_cells, 0);
	serve_queue(b, now_ms);
	pthread_mutex_unlock(&b->lock);
}

void budget_became_idle(struct budget_site *m, uint64_t now_ms)
{
	struct budget *b = m->budget;

	if (b == NULL || atomic_load(&b->queued_n) == 0)
		return;
	pthread_mutex_lock(&b->lock);
	serve_queue(b, now_ms);
	pthread_mutex_unlock(&b->lock);
}

void budget_site_fini(struct budget_site *m)
{
	struct budget *b = m->budget;

	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	leave(b, m);
	clear_order(b, m);
	if (m->holds) {
		TAILQ_REMOVE(&b->holders, m, holder_link);
		b->zygotes_n--;
		b->holders_n--;
	}
	b->cells_n -= m->cells;
	m->cells = 0;
	m->holds = false;
	pthread_mutex_unlock(&b->lock);
}

void budget_stats(struct budget *b, struct budget_stats *out)
{
	pthread_mutex_lock(&b->lock);
	*out = (struct budget_stats){.zygotes = b->zygotes_n, .cells = b->cells_n, .waiting = atomic_load(&b->queued_n),
		.zygotes_ended = b->zygotes_ended, .cells_ended = b->cells_ended, .waits = b->waits};
	pthread_mutex_unlock(&b->lock);
}
