/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Requests waiting for a lease, first come, first served, each with a deadline; common to pools and cells.
 * Embedded in the backend, guarded by its mutex ("the lock").
 */
#ifndef WAITQ_H
#define WAITQ_H

#include "pools/backend.h"
#include "pools/mailbox.h"

struct waitq {
	pthread_mutex_t *lock;
	struct mail_list queued;
	struct mailboxes boxes;
	uint64_t timed_out; /* waits that ended with BACKEND_BUSY at their deadline */
};

/** Caller storage; @lock is the backend's mutex, borrowed. */
void waitq_init(struct waitq *q, pthread_mutex_t *lock);

/** Free the mailboxes. After threads ended. */
void waitq_fini(struct waitq *q);

/**
 * Begin the wait of @w, at the end of the queue. On w->loop's thread, with the lock held.
 * @deadline_ms  from now; past it ready() gets BACKEND_BUSY
 * @max          with that many waiting already the answer is BACKEND_BUSY at once
 * Returns 0 (also when it is refused so, or with BACKEND_NOMEM), or GW_ERR_NOMEM: there is not even memory to
 * deliver the refusal later, and the caller has to call ready() itself after unlocking.
 */
int waitq_add(struct waitq *q, struct backend_waiter *w, uint64_t deadline_ms, unsigned max) GW_MUST_USE;

/** The waiter that is first in the queue, or NULL. Borrowed. */
struct backend_waiter *waitq_first(const struct waitq *q);

/** The waiter behind @w, or NULL. Borrowed. */
struct backend_waiter *waitq_next(const struct backend_waiter *w);

/** Answer @w, queued until now: @lease (ownership passes) or NULL and @why; ready() follows on its loop. Any thread, with the lock held. */
void waitq_answer(struct waitq *q, struct backend_waiter *w, struct lease *lease, enum backend_fail why);

/** Answer everybody with @why. Any thread, with the lock held. */
void waitq_fail_all(struct waitq *q, enum backend_fail why);

/**
 * Withdraw @w; ready() is not called afterwards. Returns the lease that was on its way to it, for the caller to release
 * after unlocking, or NULL. Harmless on a waiter that was answered. On w->loop's thread, with the lock held.
 */
struct lease *waitq_cancel(struct waitq *q, struct backend_waiter *w) GW_MUST_USE;

#endif
