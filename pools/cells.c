/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "gateway/base/container.h"
#include "pools/cells_priv.h"
#include "sandbox/sb_call_text.h"

static struct cells *of_backend(struct backend *b)
{
	return (struct cells *)(void *)b; /* backend is the first member */
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

struct cell *cells_find(struct cells *s, uint32_t id)
{
	struct cell *c = s->bucket[id % CELLS_BUCKETS];

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

struct cell *cells_add(struct cells *s)
{
	struct cell *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->site = s;
	c->id = s->next_id++;
	c->state = CELL_WANTED;
	c->lease.fd = c->away.fd = -1;
	c->lease.backend = &s->backend;
	snprintf(c->name, sizeof(c->name), "cell %u", c->id);
	c->lease.peer = c->name;
	c->next = s->bucket[c->id % CELLS_BUCKETS];
	s->bucket[c->id % CELLS_BUCKETS] = c;
	s->wanted_n++;
	cells_say(s, c, IPC_CELL_WANT);
	return c;
}

static void unlink_list(struct cells *s, struct cell *c)
{
	switch (c->state) {
	case CELL_WANTED:
		s->wanted_n--;
		break;
	case CELL_IDLE:
		TAILQ_REMOVE(&s->idle, c, link);
		s->idle_n--;
		break;
	case CELL_LEASED:
		s->leased_n--;
		break;
	case CELL_AWAY:
		loop_io_del(s->loop, &c->away);
		c->away.fd = -1;
		__attribute__((fallthrough));
	case CELL_CLOSING:
		TAILQ_REMOVE(&s->closing, c, link);
		s->closing_n--;
		break;
	}
}

/* Whoever gave up on it may count it as gone. */
static void cells_work_ended(struct cell *c)
{
	if (c->lease.work != NULL)
		lease_work_end(c->lease.work);
	c->lease.work = NULL;
}

void cells_remove(struct cells *s, struct cell *c)
{
	struct cell **p = &s->bucket[c->id % CELLS_BUCKETS];

	unlink_list(s, c);
	if (c->say != 0)
		TAILQ_REMOVE(&s->out, c, out_link);
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	io_close(&c->lease.fd);
	cells_work_ended(c);
	free(c);
	budget_put_cell(&s->account, io_now_ms());
}

void cells_say(struct cells *s, struct cell *c, enum ipc_type type)
{
	if (c->say == 0)
		TAILQ_INSERT_TAIL(&s->out, c, out_link);
	c->say = (uint16_t)type;
}

static void let_go(struct cells *s, struct cell *c, enum cell_state state)
{
	unlink_list(s, c);
	c->state = state;
	c->closed_ms = io_now_ms();
	TAILQ_INSERT_TAIL(&s->closing, c, link);
	s->closing_n++;
}

void cells_close(struct cells *s, struct cell *c)
{
	let_go(s, c, CELL_CLOSING);
	io_close(&c->lease.fd);
}

void cells_go_away(struct cells *s, struct cell *c)
{
	let_go(s, c, CELL_AWAY);
	cells_pump_later(s);
}

/* --- handing out ------------------------------------------------------------------------------------------------------- */

/*
 * An idle cell has nothing to say; end of file means that it ended and its CELL_GONE is on the way. One that will read no
 * more has shut its side down before its last answer ended: only writing shows it, also writing nothing.
 */
static bool is_alive(const struct cell *c)
{
	char octet;

	return recv(c->lease.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN &&
	       send(c->lease.fd, &octet, 0, MSG_DONTWAIT | MSG_NOSIGNAL) == 0;
}

static struct cell *take_idle(struct cells *s)
{
	struct cell *c;

	while ((c = TAILQ_FIRST(&s->idle)) != NULL) {
		if (is_alive(c))
			return c;
		cells_close(s, c);
	}
	return NULL;
}

/*
 * One that the cell cannot know before it reads the request: what code of an earlier request has written, or still writes
 * behind its answer, is foreign to this one.
 */
static uint16_t next_request_id(struct cells *s, uint16_t last)
{
	uint16_t id = 0;

	while (id == 0 || id == last) {
		if (s->request_ids_n == 0) {
			if (getrandom(s->request_ids, sizeof(s->request_ids), 0) != (ssize_t)sizeof(s->request_ids))
				return last == UINT16_MAX ? 1 : (uint16_t)(last + 1);
			s->request_ids_n = CELLS_IDS;
		}
		id = s->request_ids[--s->request_ids_n];
	}
	return id;
}

static void grant(struct cells *s, struct backend_waiter *w, struct cell *c)
{
	const struct conf_server *conf = s->conf;
	bool last = conf->max_requests > 0 && c->requests + 1 >= conf->max_requests;

	unlink_list(s, c);
	c->state = CELL_LEASED;
	s->leased_n++;
	s->requests++;
	s->last_lease_ms = c->leased_ms = io_now_ms();
	c->lease.keep = conf->isolation != CONF_ISOLATION_FRESH && !last;
	c->lease.last_status = IPC_CELL_LAST;
	c->lease.later_status = IPC_CELL_LATER;
	c->lease.ready_octet = IPC_CELL_READY;
	c->lease.stopped_status = IPC_CELL_STOPPED;
	c->lease.reused = c->requests++ > 0;
	c->lease.request_id = next_request_id(s, c->lease.request_id);
	waitq_answer(&s->waitq, w, &c->lease, BACKEND_OK);
}

/* Match waiters and idle cells. A cell is as good for a repeated request as any other: it was alive just now. */
static void serve(struct cells *s)
{
	struct backend_waiter *w;
	struct cell *c;

	while ((w = waitq_first(&s->waitq)) != NULL && (c = take_idle(s)) != NULL)
		grant(s, w, c);
	if (s->zygote != ZYGOTE_DOWN || w == NULL)
		return;
	if (io_now_ms() >= s->down_until_ms)
		s->zygote = ZYGOTE_NONE;
	else if (!s->again)
		waitq_fail_all(&s->waitq, BACKEND_DOWN);
}

void cells_make_idle(struct cells *s, struct cell *c)
{
	cells_work_ended(c);
	unlink_list(s, c);
	c->state = CELL_IDLE;
	struct cell *first = TAILQ_FIRST(&s->idle);
	/* Used last, used first: its memory is in the caches, and one that lives on knows by its first requests what later ones
	 * write to. After a short request it has put itself back before the next one has come through the front; after a long one,
	 * which may have written to much, another is asked. */
	if (c->requests == 0 && s->conf->isolation != CONF_ISOLATION_FRESH)
		TAILQ_INSERT_TAIL(&s->idle, c, link);
	else if (s->conf->isolation == CONF_ISOLATION_ROLLBACK && first != NULL && io_now_ms() - c->leased_ms >= CELLS_SHORT_MS)
		TAILQ_INSERT_AFTER(&s->idle, first, c, link);
	else
		TAILQ_INSERT_HEAD(&s->idle, c, link);
	s->idle_n++;
	serve(s);
}

/* Whether the site's loop has something to do because of what was just changed. */
void cells_settle(struct cells *s)
{
	bool up = s->zygote == ZYGOTE_READY;

	if ((s->waitq.queued.n > 0 && s->zygote == ZYGOTE_NONE) || !TAILQ_EMPTY(&s->out) ||
		(up && cells_missing(s, io_now_ms()) > 0) || (up && cells_too_many(s) && s->trim_ms == 0) ||
		(s->closing_n > 0 && !s->timer_set) || (s->draining && s->leased_n == 0))
		cells_pump_later(s);
	cells_room_publish(s);
}

/* --- a cell's end ------------------------------------------------------------------------------------------------------ */

enum backend_fail cells_describe(const struct cell *c, char *out, size_t size)
{
	const struct ipc_cell_gone *e = &c->end;

	if (!c->gone) {
		snprintf(out, size, "%s closed its connection", c->name);
		return BACKEND_CLOSED;
	}
	if (c->orphan) {
		snprintf(out, size, "%s ended with its zygote", c->name);
		return BACKEND_CLOSED;
	}
	if (e->how == 2) {
		char text[CELLS_CALL_MAX] = "not known";
		if (e->syscall >= 0)
			sb_call_text(e->syscall, e->args, text, sizeof(text));
		snprintf(out, size, "%s killed by its filter at system call %d: %s", c->name, e->syscall, text);
		return BACKEND_VIOLATION;
	}
	if (e->how == 1) {
		const char *abbrev = sigabbrev_np(e->code);
		snprintf(out, size, "%s killed by signal %d (SIG%s)", c->name, e->code, abbrev == NULL ? "?" : abbrev);
		return BACKEND_CRASHED;
	}
	snprintf(out, size, "%s exited with status %d", c->name, e->code);
	return BACKEND_CLOSED;
}

static void tell(struct cell *c)
{
	struct cells *s = c->site;
	struct cell_question *q = &c->question;

	pthread_mutex_lock(&s->lock);
	if (q->mail.prevp != NULL)
		mail_list_del(&q->box->list, &q->mail);
	q->asked = false;
	enum backend_fail why = cells_describe(c, c->detail, sizeof(c->detail));
	pthread_mutex_unlock(&s->lock);
	loop_timer_stop(q->loop, &q->timer);
	q->cb(q->arg, why, c->detail);
}

static void tell_mail(struct mail *m)
{
	tell(container_of(m, struct cell, question.mail));
}

static void tell_timer(struct loop *l, struct loop_timer *t)
{
	(void)l;
	tell(container_of(t, struct cell, question.timer));
}

void cells_answer(struct cell *c)
{
	struct cell_question *q = &c->question;

	if (q->asked && q->box != NULL && q->mail.prevp == NULL)
		mailbox_put(q->box, &q->mail);
}

static void cells_diagnose(struct lease *l, struct loop *loop, void (*cb)(void *arg, enum backend_fail why, const char *detail),
	void *arg)
{
	struct cell *c = (struct cell *)(void *)l; /* lease is the first member */
	struct cells *s = c->site;
	struct cell_question *q = &c->question;

	pthread_mutex_lock(&s->lock);
	*q = (struct cell_question){.asked = true, .loop = loop, .cb = cb, .arg = arg};
	q->mail.cb = tell_mail;
	q->timer.cb = tell_timer;
	q->box = mailbox_for(&s->waitq.boxes, loop);
	bool timed = loop_timer_set(loop, &q->timer, c->gone ? 0 : CELLS_DIAGNOSE_MS) == GW_OK;
	if (!timed)
		cells_answer(c); /* no memory for a timer: whatever is known now */
	bool lost = !timed && q->box == NULL;
	pthread_mutex_unlock(&s->lock);
	if (lost)
		tell(c);
}

/* --- backend_ops ------------------------------------------------------------------------------------------------------- */

static uint64_t wait_ms(const struct conf_server *conf)
{
	return conf->request_timeout_ms > 0 && conf->request_timeout_ms < CELLS_WAIT_MAX_MS ? conf->request_timeout_ms
											    : CELLS_WAIT_MAX_MS;
}

static void cells_acquire(struct backend *b, struct backend_waiter *w)
{
	struct cells *s = of_backend(b);

	pthread_mutex_lock(&s->lock);
	int err = waitq_add(&s->waitq, w, wait_ms(s->conf), 8 * s->conf->max_workers + 64);
	serve(s);
	cells_settle(s);
	pthread_mutex_unlock(&s->lock);
	if (err != GW_OK)
		w->ready(w, NULL, BACKEND_NOMEM);
}

static void withdraw_question(struct cell *c)
{
	struct cell_question *q = &c->question;

	if (!q->asked)
		return;
	q->asked = false;
	if (q->mail.prevp != NULL)
		mail_list_del(&q->box->list, &q->mail);
	loop_timer_stop(q->loop, &q->timer);
}

static void cells_release(struct lease *l, enum lease_end how)
{
	struct cell *c = (struct cell *)(void *)l;
	struct cells *s = c->site;

	pthread_mutex_lock(&s->lock);
	s->last_lease_ms = io_now_ms();
	withdraw_question(c);
	if (c->gone) {
		cells_remove(s, c);
	} else if (how == LEASE_REUSE) {
		cells_make_idle(s, c);
	} else if (how == LEASE_LATER || how == LEASE_DRAIN) {
		c->drains = how == LEASE_DRAIN;
		c->drained = c->drain_notes = 0;
		cells_go_away(s, c);
	} else {
		cells_close(s, c);
		if (how == LEASE_KILL)
			cells_say(s, c, IPC_CELL_KILL);
	}
	cells_settle(s);
	pthread_mutex_unlock(&s->lock);
}

static void cells_cancel(struct backend *b, struct backend_waiter *w)
{
	struct cells *s = of_backend(b);

	pthread_mutex_lock(&s->lock);
	struct lease *l = waitq_cancel(&s->waitq, w);
	if (l != NULL)
		((struct cell *)(void *)l)->requests--; /* nothing was sent on it */
	pthread_mutex_unlock(&s->lock);
	if (l != NULL)
		cells_release(l, LEASE_REUSE);
}

static const struct backend_ops cells_ops = {
	.drains = true, .tells_end = true,
	.acquire = cells_acquire, .cancel = cells_cancel, .release = cells_release, .diagnose = cells_diagnose};

/* --- life -------------------------------------------------------------------------------------------------------------- */

struct backend *cells_new(const struct conf_server *site, struct loop *loop, struct cells_host *host)
{
	struct cells *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->backend.ops = &cells_ops;
	s->backend.name = site->name;
	s->conf = site;
	s->loop = loop;
	s->host = host;
	s->next_id = 1;
	s->chan.fd = s->pipe.fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	waitq_init(&s->waitq, &s->lock);
	TAILQ_INIT(&s->idle);
	TAILQ_INIT(&s->closing);
	TAILQ_INIT(&s->out);
	buf_init(&s->line);
	buf_init(&s->notes);
	cells_plan_init(s);
	cells_room_init(s);
	return &s->backend;
}

void cells_free(struct backend *b)
{
	struct cells *s = of_backend(b);

	if (s == NULL)
		return;
	for (size_t i = 0; i < CELLS_BUCKETS; i++)
		while (s->bucket[i] != NULL)
			cells_remove(s, s->bucket[i]);
	cells_room_fini(s);
	io_close(&s->chan.fd);
	io_close(&s->pipe.fd);
	buf_fini(&s->line);
	buf_fini(&s->notes);
	waitq_fini(&s->waitq);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void cells_stats(struct backend *b, struct cells_stats *out)
{
	struct cells *s = of_backend(b);

	pthread_mutex_lock(&s->lock);
	*out = (struct cells_stats){.idle = s->idle_n, .busy = s->leased_n + s->closing_n, .starting = s->wanted_n,
		.waiting = s->waitq.queued.n, .zygote = s->chan.fd != -1, .requests = s->requests, .started = s->started,
		.killed = s->killed, .crashed = s->crashed, .violations = s->violations};
	memcpy(out->discarded, s->discarded, sizeof(out->discarded));
	pthread_mutex_unlock(&s->lock);
}
