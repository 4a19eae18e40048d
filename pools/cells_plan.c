/* SPDX-License-Identifier: Apache-2.0 */
/** What a site should have, compared with what it has: run on the site's loop after every change and on its timer. */
#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/io.h"
#include "gateway/base/container.h"
#include "pools/cells_priv.h"

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* --- how many ---------------------------------------------------------------------------------------------------------- */

unsigned cells_missing(const struct cells *s, uint64_t now_ms)
{
	const struct conf_server *conf = s->conf;
	unsigned free_n = s->idle_n + s->wanted_n, all = free_n + s->leased_n + s->closing_n;
	/* A cell that is about to be leased or about to end counts until it is gone: MaxRequestWorkers is a promise. */
	unsigned want = s->waitq.queued.n + (s->draining ? 0 : conf->min_spare);

	if (s->zygote != ZYGOTE_READY || now_ms < s->retry_ms || all >= conf->max_workers)
		return 0;
	if (s->first_cells && !s->draining && want < conf->start_servers)
		want = conf->start_servers;
	return want > free_n ? min_of(want - free_n, conf->max_workers - all) : 0;
}

static unsigned excess(const struct cells *s)
{
	unsigned keep = s->draining ? 0 : s->conf->max_spare;
	unsigned n = s->idle_n + s->wanted_n;

	if (!s->draining && keep < s->conf->min_spare)
		keep = s->conf->min_spare;
	if (s->waitq.queued.n > 0 || n <= keep)
		return 0;
	return min_of(n - keep, s->idle_n);
}

bool cells_too_many(const struct cells *s)
{
	return excess(s) > 0;
}

static void add_missing(struct cells *s, uint64_t now_ms)
{
	unsigned n = cells_missing(s, now_ms);

	for (unsigned i = 0; i < n; i++) {
		if (!cells_room_for_cell(s))
			break;
		if (cells_add(s) == NULL) {
			budget_put_cell(&s->account, now_ms);
			s->retry_ms = now_ms + CELLS_RETRY_MS;
			break;
		}
	}
	if (s->zygote == ZYGOTE_READY)
		s->first_cells = false;
}

/* End half of what is too many, those that would be used last first, once a second: a burst that comes back finds some. */
static void trim(struct cells *s, uint64_t now_ms)
{
	unsigned n = excess(s);

	if (n == 0) {
		s->trim_ms = 0;
		return;
	}
	if (s->trim_ms == 0)
		s->trim_ms = now_ms + CELLS_TRIM_MS;
	if (now_ms < s->trim_ms)
		return;
	for (unsigned i = 0; i < (n + 1) / 2; i++)
		cells_close(s, TAILQ_LAST(&s->idle, cell_list));
	s->trim_ms = excess(s) > 0 ? now_ms + CELLS_TRIM_MS : 0;
}

/* --- deadlines --------------------------------------------------------------------------------------------------------- */

/* A cell that was let go of ends by itself, or is ready again, sooner or later; not later than its time limit. */
static void end_late(struct cells *s, uint64_t now_ms)
{
	uint64_t linger_ms = s->conf->request_timeout_ms > 0 ? s->conf->request_timeout_ms : CELLS_LINGER_MS;
	struct cell *c;

	TAILQ_FOREACH(c, &s->closing, link) {
		if (c->killed_ms == 0 && c->say != IPC_CELL_KILL && now_ms - c->closed_ms >= linger_ms) {
			cells_note(s, LOG_LV_WARN, "%s did not end within %lu ms after its request was over: killing it",
				c->name, (unsigned long)linger_ms);
			cells_say(s, c, IPC_CELL_KILL);
		}
		if (c->killed_ms != 0 && now_ms - c->killed_ms >= CELLS_KILL_MS) {
			cells_condemn(s, "a cell was not killed when asked");
			return; /* the list is another now */
		}
	}
}

/* What the time has brought: a second try, or that nobody waits any more. */
static void settle_zygote(struct cells *s, uint64_t now_ms)
{
	if (s->zygote == ZYGOTE_DOWN && s->again && now_ms >= s->down_until_ms) {
		s->again = false;
		s->zygote = ZYGOTE_NONE;
	}
	if (s->waitq.queued.n > 0)
		return;
	cells_room_leave(s);
	if (s->zygote == ZYGOTE_QUEUED)
		s->zygote = ZYGOTE_NONE;
}

static void tend_zygote(struct cells *s, uint64_t now_ms)
{
	uint64_t idle_ms = s->conf->site_idle_timeout_ms, life_ms = s->conf->zygote_life_ms;
	bool busy = s->leased_n + s->closing_n + s->waitq.queued.n > 0;

	switch (s->zygote) {
	case ZYGOTE_NONE:
	case ZYGOTE_QUEUED:
		if (s->waitq.queued.n == 0)
			break;
		if (s->zygote == ZYGOTE_NONE)
			s->since_ms = now_ms;
		s->zygote = ZYGOTE_QUEUED;
		if (!cells_room_for_zygote(s))
			break;
		s->zygote = ZYGOTE_WANTED;
		s->since_ms = now_ms;
		s->ask_want = true;
		break;
	case ZYGOTE_WANTED:
		if (now_ms - s->since_ms >= CELLS_START_MS)
			cells_down(s, "the master does not answer");
		break;
	case ZYGOTE_STARTING:
		if (now_ms - s->since_ms >= CELLS_START_MS)
			cells_condemn(s, "it is not ready in time");
		break;
	case ZYGOTE_READY:
		if (s->draining && s->waitq.queued.n == 0 && s->leased_n == 0)
			cells_lose(s, NULL);
		else if (idle_ms > 0 && !busy && now_ms - s->last_lease_ms >= idle_ms && now_ms - s->since_ms >= idle_ms)
			cells_lose(s, NULL);
		else if (life_ms > 0 && !busy && now_ms - s->since_ms >= life_ms)
			cells_lose(s, NULL); /* who guesses at its layout begins anew, too */
		break;
	case ZYGOTE_DOWN:
		break;
	}
}

static void sooner(uint64_t *due_ms, uint64_t at_ms)
{
	if (*due_ms == 0 || at_ms < *due_ms)
		*due_ms = at_ms;
}

static void set_timer(struct cells *s, uint64_t now_ms)
{
	uint64_t due_ms = 0;

	if (s->closing_n > 0)
		sooner(&due_ms, now_ms + CELLS_TEND_MS);
	if (s->trim_ms != 0)
		sooner(&due_ms, s->trim_ms);
	if (s->zygote == ZYGOTE_WANTED || s->zygote == ZYGOTE_STARTING)
		sooner(&due_ms, s->since_ms + CELLS_START_MS);
	if (s->zygote == ZYGOTE_READY && s->conf->site_idle_timeout_ms > 0) {
		uint64_t since_ms = s->last_lease_ms > s->since_ms ? s->last_lease_ms : s->since_ms;
		uint64_t at_ms = since_ms + s->conf->site_idle_timeout_ms;
		/* Busy past it: look again when that may be over. */
		sooner(&due_ms, at_ms > now_ms ? at_ms : now_ms + CELLS_TEND_MS);
	}
	if (s->zygote == ZYGOTE_READY && s->conf->zygote_life_ms > 0) {
		uint64_t at_ms = s->since_ms + s->conf->zygote_life_ms;
		sooner(&due_ms, at_ms > now_ms ? at_ms : now_ms + CELLS_TEND_MS);
	}
	if (s->zygote == ZYGOTE_READY && now_ms < s->retry_ms)
		sooner(&due_ms, s->retry_ms);
	if (s->zygote == ZYGOTE_DOWN && s->again)
		sooner(&due_ms, s->down_until_ms);
	if (s->zygote == ZYGOTE_QUEUED || s->short_ms != 0)
		sooner(&due_ms, now_ms + BUDGET_AGAIN_MS);
	s->timer_set = false;
	if (due_ms == 0)
		loop_timer_stop(s->loop, &s->timer);
	else
		s->timer_set = loop_timer_set(s->loop, &s->timer, due_ms > now_ms ? due_ms - now_ms : 0) == GW_OK;
}

/* --- running ----------------------------------------------------------------------------------------------------------- */

void cells_pump(struct cells *s)
{
	uint64_t now_ms = io_now_ms();

	settle_zygote(s, now_ms);
	cells_watch_away(s);
	end_late(s, now_ms);
	add_missing(s, now_ms);
	trim(s, now_ms);
	cells_flush(s);
	tend_zygote(s, now_ms);
	set_timer(s, now_ms);
	cells_room_publish(s);
}

void cells_note(struct cells *s, enum log_level level, const char *fmt, ...)
{
	uint8_t octet = (uint8_t)level;
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Out of memory: the line is lost, which is what is left to lose. */
	if (buf_append(&s->notes, &octet, 1) == GW_OK && buf_puts(&s->notes, text) == GW_OK && buf_append(&s->notes, "", 1) == GW_OK)
		return;
	buf_reset(&s->notes);
}

void cells_unlock(struct cells *s)
{
	struct buf notes = s->notes;
	bool ask_want = s->ask_want, ask_kill = s->ask_kill;

	s->ask_want = s->ask_kill = false;
	buf_init(&s->notes);
	pthread_mutex_unlock(&s->lock);
	if (ask_kill)
		s->host->ask_master(s->host, IPC_SITE_KILL, s->conf);
	if (ask_want)
		s->host->ask_master(s->host, IPC_SITE_WANT, s->conf);
	for (size_t at = 0; at < buf_unread(&notes);) {
		const char *text = (const char *)notes.data + at + 1;
		s->host->log(s->host, s->conf, (enum log_level)notes.data[at], text);
		at += 2 + __builtin_strlen(text);
	}
	buf_fini(&notes);
}

static void pump(struct cells *s)
{
	pthread_mutex_lock(&s->lock);
	s->pump_posted = false;
	cells_pump(s);
	cells_unlock(s);
}

static void on_task(struct loop *l, struct loop_task *t)
{
	(void)l;
	pump(container_of(t, struct cells, task));
}

static void on_soon(struct loop *l, struct loop_timer *t)
{
	(void)l;
	pump(container_of(t, struct cells, soon));
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct cells *s = container_of(t, struct cells, timer);

	(void)l;
	pthread_mutex_lock(&s->lock);
	s->timer_set = false;
	cells_pump(s);
	cells_unlock(s);
}

void cells_pump_later(struct cells *s)
{
	if (s->pump_posted)
		return;
	s->pump_posted = true;
	/* On its own thread a timer that is due does it without a system call. */
	if (s->thread_known && pthread_equal(s->thread, pthread_self()) && loop_timer_set(s->loop, &s->soon, 0) == GW_OK)
		return;
	loop_post(s->loop, &s->task);
}

void cells_plan_init(struct cells *s)
{
	s->task.cb = on_task;
	s->soon.cb = on_soon;
	s->timer.cb = on_timer;
}

void cells_drain(struct backend *b)
{
	struct cells *s = (struct cells *)(void *)b;

	pthread_mutex_lock(&s->lock);
	s->draining = true;
	cells_pump(s);
	cells_unlock(s);
}
