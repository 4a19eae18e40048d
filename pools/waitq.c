/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/waitq.h"
#include "gateway/base/container.h"

enum {
	WAIT_NONE,
	WAIT_QUEUED,   /* in the queue, deadline armed */
	WAIT_ANSWERED, /* in its loop's mailbox */
	WAIT_REFUSED   /* there is no mailbox: its timer, due now, says so */
};

static struct backend_waiter *of_mail(struct mail *m)
{
	return m == NULL ? NULL : container_of(m, struct backend_waiter, mail);
}

void waitq_init(struct waitq *q, pthread_mutex_t *lock)
{
	q->lock = lock;
	q->timed_out = 0;
	mail_list_init(&q->queued);
	mailboxes_init(&q->boxes, lock);
}

void waitq_fini(struct waitq *q)
{
	mailboxes_fini(&q->boxes);
}

/* The answer arrived on the waiter's loop. Nobody else refers to @w any more: it left the queue when it was answered
 * and the mailbox just now, and only this thread could put it back. */
static void delivered(struct mail *m)
{
	struct backend_waiter *w = of_mail(m);
	struct lease *lease = w->granted;

	loop_timer_stop(w->loop, &w->timer);
	w->granted = NULL;
	w->state = WAIT_NONE;
	w->ready(w, lease, w->why);
}

static void deadline(struct loop *l, struct loop_timer *t)
{
	struct backend_waiter *w = container_of(t, struct backend_waiter, timer);
	struct waitq *q = w->queue;

	(void)l;
	pthread_mutex_lock(q->lock);
	bool late = w->state == WAIT_QUEUED;
	if (late) {
		mail_list_del(&q->queued, &w->mail);
		w->state = WAIT_NONE;
		q->timed_out++;
	}
	pthread_mutex_unlock(q->lock);
	/* Else it was answered in the nick of time and the mail is on its way. */
	if (late)
		w->ready(w, NULL, BACKEND_BUSY);
}

static void refused(struct loop *l, struct loop_timer *t)
{
	struct backend_waiter *w = container_of(t, struct backend_waiter, timer);

	(void)l;
	w->state = WAIT_NONE;
	w->ready(w, NULL, w->why);
}

/* Where memory is out for the mailbox or for the timer, the one that is there still carries the refusal. */
static int refuse(struct backend_waiter *w, enum backend_fail why)
{
	w->why = why;
	if (w->box != NULL) {
		w->state = WAIT_ANSWERED;
		mailbox_put(w->box, &w->mail);
		return GW_OK;
	}
	w->timer.cb = refused;
	if (loop_timer_set(w->loop, &w->timer, 0) != GW_OK)
		return GW_ERR_NOMEM;
	w->state = WAIT_REFUSED;
	return GW_OK;
}

int waitq_add(struct waitq *q, struct backend_waiter *w, uint64_t deadline_ms, unsigned max)
{
	w->queue = q;
	w->box = mailbox_for(&q->boxes, w->loop);
	w->mail.cb = delivered;
	w->mail.prevp = NULL;
	w->granted = NULL;
	w->timer.cb = deadline;
	w->timer.slot = 0;
	w->state = WAIT_NONE;
	if (q->queued.n >= max)
		return refuse(w, BACKEND_BUSY);
	if (w->box == NULL || loop_timer_set(w->loop, &w->timer, deadline_ms) != GW_OK)
		return refuse(w, BACKEND_NOMEM);
	w->state = WAIT_QUEUED;
	mail_list_add(&q->queued, &w->mail);
	return GW_OK;
}

struct backend_waiter *waitq_first(const struct waitq *q)
{
	return of_mail(q->queued.head);
}

struct backend_waiter *waitq_next(const struct backend_waiter *w)
{
	return of_mail(w->mail.next);
}

void waitq_answer(struct waitq *q, struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	mail_list_del(&q->queued, &w->mail);
	w->state = WAIT_ANSWERED;
	w->granted = lease;
	w->why = why;
	if (lease != NULL)
		atomic_store_explicit(&lease->progress, LEASE_GRANTED, memory_order_relaxed);
	mailbox_put(w->box, &w->mail);
}

void waitq_fail_all(struct waitq *q, enum backend_fail why)
{
	while (q->queued.head != NULL)
		waitq_answer(q, of_mail(q->queued.head), NULL, why);
}

struct lease *waitq_cancel(struct waitq *q, struct backend_waiter *w)
{
	struct lease *lease = w->granted;

	if (w->state == WAIT_NONE)
		return NULL;
	if (w->state == WAIT_QUEUED)
		mail_list_del(&q->queued, &w->mail);
	else if (w->state == WAIT_ANSWERED)
		mail_list_del(&w->box->list, &w->mail);
	loop_timer_stop(w->loop, &w->timer);
	w->state = WAIT_NONE;
	w->granted = NULL;
	return lease;
}
