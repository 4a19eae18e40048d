/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How a backend, shared by all loops of a front, calls something back on the one loop it belongs to: one mailbox for
 * each loop that ever asked, owned by the backend, guarded by the backend's mutex ("the lock" below). A piece of mail
 * that was not yet delivered can be taken back, which a task posted to a loop cannot; and on the loop's own thread the
 * wake-up costs no system call.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/loop.h"

#define MAILBOX_LOOPS_MAX 64 /* loops of one front */

/* Something to deliver, embedded in its owner. In at most one list at a time. */
struct mail {
	struct mail *next, **prevp; /* prevp NULL: in no list */
	void (*cb)(struct mail *m); /* on the mailbox's loop, the lock not held, @m in no list any more */
};

struct mail_list {
	struct mail *head, **tail;
	unsigned n;
};

struct mailbox {
	struct loop *loop;
	pthread_t thread;          /* the loop's */
	pthread_mutex_t *lock;
	struct loop_task task;     /* wakes the loop from another thread */
	struct loop_timer timer;   /* wakes it from its own */
	bool posted;
	struct mail_list list;
};

struct mailboxes {
	pthread_mutex_t *lock;     /* borrowed: the backend's */
	size_t n;
	struct mailbox *box[MAILBOX_LOOPS_MAX]; /* owned */
};

/** An empty list; caller storage. */
void mail_list_init(struct mail_list *l);
void mail_list_add(struct mail_list *l, struct mail *m);

/** Take @m out of @l, in which it must be. */
void mail_list_del(struct mail_list *l, struct mail *m);

/** Caller storage; @lock is borrowed for its life. */
void mailboxes_init(struct mailboxes *ms, pthread_mutex_t *lock);

/** Free all. After the loops' threads ended. */
void mailboxes_fini(struct mailboxes *ms);

/**
 * The mailbox of @loop, made at the first call. On @loop's thread, with the lock held.
 * NULL when MAILBOX_LOOPS_MAX loops have one already, or memory is out.
 */
struct mailbox *mailbox_for(struct mailboxes *ms, struct loop *loop);

/** Put @m in and see to it that the loop wakes up. Any thread, with the lock held. */
void mailbox_put(struct mailbox *b, struct mail *m);

#endif
