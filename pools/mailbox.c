/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/mailbox.h"
#include "gateway/base/container.h"

#include <stdlib.h>

void mail_list_init(struct mail_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
	l->n = 0;
}

void mail_list_add(struct mail_list *l, struct mail *m)
{
	m->next = NULL;
	m->prevp = l->tail;
	*l->tail = m;
	l->tail = &m->next;
	l->n++;
}

void mail_list_del(struct mail_list *l, struct mail *m)
{
	*m->prevp = m->next;
	if (m->next != NULL)
		m->next->prevp = m->prevp;
	else
		l->tail = m->prevp;
	m->next = NULL;
	m->prevp = NULL;
	l->n--;
}

/* One by one, because a callback may take back or free any other mail; only as many as there are now, because a
 * callback may cause new ones and other connections of the loop have their turn in between. */
static void deliver(struct mailbox *b)
{
	pthread_mutex_lock(b->lock);
	for (unsigned left = b->list.n; left > 0 && b->list.head != NULL; left--) {
		struct mail *m = b->list.head;
		mail_list_del(&b->list, m);
		pthread_mutex_unlock(b->lock);
		m->cb(m);
		pthread_mutex_lock(b->lock);
	}
	if (b->list.head != NULL && !b->posted) {
		b->posted = true;
		loop_post(b->loop, &b->task);
	}
	pthread_mutex_unlock(b->lock);
}

static void deliver_task(struct loop *l, struct loop_task *t)
{
	struct mailbox *b = container_of(t, struct mailbox, task);

	(void)l;
	pthread_mutex_lock(b->lock);
	b->posted = false;
	pthread_mutex_unlock(b->lock);
	deliver(b);
}

static void deliver_timer(struct loop *l, struct loop_timer *t)
{
	(void)l;
	deliver(container_of(t, struct mailbox, timer));
}

void mailboxes_init(struct mailboxes *ms, pthread_mutex_t *lock)
{
	ms->lock = lock;
	ms->n = 0;
}

void mailboxes_fini(struct mailboxes *ms)
{
	for (size_t i = 0; i < ms->n; i++)
		free(ms->box[i]);
	ms->n = 0;
}

struct mailbox *mailbox_for(struct mailboxes *ms, struct loop *loop)
{
	for (size_t i = 0; i < ms->n; i++)
		if (ms->box[i]->loop == loop)
			return ms->box[i];
	if (ms->n == MAILBOX_LOOPS_MAX)
		return NULL;
	struct mailbox *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	ms->box[ms->n++] = b;
	b->loop = loop;
	b->thread = pthread_self();
	b->lock = ms->lock;
	b->task.cb = deliver_task;
	b->timer.cb = deliver_timer;
	mail_list_init(&b->list);
	return b;
}

void mailbox_put(struct mailbox *b, struct mail *m)
{
	mail_list_add(&b->list, m);
	if (b->posted)
		return;
	if (pthread_equal(b->thread, pthread_self())) {
		/* Due now: runs right after the events of the batch that is being handled. */
		if (loop_timer_armed(&b->timer) || loop_timer_set(b->loop, &b->timer, 0) == GW_OK)
			return;
	}
	b->posted = true;
	loop_post(b->loop, &b->task);
}
