/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Event loop: epoll readiness, timers, and tasks posted from other threads. One loop belongs to one thread; everything
 * but loop_post() and loop_stop() is called on that thread only. Objects are embedded in their owner's structs and must
 * stay alive while registered. A callback may remove and free any object, its own included: events of the same batch
 * that name a removed object are not delivered.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "gateway/base/err.h"

struct loop;

/* A descriptor watched for readiness (level-triggered). */
struct loop_io {
	int fd;
	uint32_t events; /* EPOLLIN | EPOLLOUT | EPOLLRDHUP ... asked for now; 0 still reports EPOLLERR and EPOLLHUP */
	void (*cb)(struct loop *l, struct loop_io *io, uint32_t ready);
};

/* A one-shot timer. */
struct loop_timer {
	uint64_t due_ms; /* on loop_now_ms()'s clock */
	size_t slot;     /* place in the heap + 1; 0 = not set */
	void (*cb)(struct loop *l, struct loop_timer *t);
};

/* Work posted from any thread; runs once on the loop's thread, in order of posting. */
struct loop_task {
	struct loop_task *next;
	void (*cb)(struct loop *l, struct loop_task *task);
};

/** A new loop, or NULL with errno set. Freed by loop_free(), which closes nothing that was registered. */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/** Run until loop_stop(). Returns 0 or GW_ERR_SYS. */
int loop_run(struct loop *l) GW_MUST_USE;

/** Make loop_run() return after the current batch. Any thread. */
void loop_stop(struct loop *l);

/** Milliseconds of a monotonic clock, read once per batch. */
uint64_t loop_now_ms(const struct loop *l);

/** Start watching @io (fd, events and cb set by the caller). @flags: 0 or EPOLLEXCLUSIVE. Returns 0 or GW_ERR_SYS. */
int loop_io_add(struct loop *l, struct loop_io *io, uint32_t flags) GW_MUST_USE;

/** Change the events waited for; no system call when they are the same. Returns 0 or GW_ERR_SYS. */
int loop_io_want(struct loop *l, struct loop_io *io, uint32_t events) GW_MUST_USE;

/** Stop watching; call before closing the descriptor. Harmless on one never added (fd -1). */
void loop_io_del(struct loop *l, struct loop_io *io);

/** (Re)arm @t to fire once in @delay_ms. Returns 0 or GW_ERR_NOMEM (then the timer is not set). */
int loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t delay_ms) GW_MUST_USE;

/** Disarm; harmless when not set. */
void loop_timer_stop(struct loop *l, struct loop_timer *t);

static inline int loop_timer_armed(const struct loop_timer *t)
{
	return t->slot != 0;
}

/** Queue @task (owned by the caller until it runs; cb set) and wake the loop. Any thread. */
void loop_post(struct loop *l, struct loop_task *task);

/** Called at the end of every batch, before the loop sleeps (flushes logs). At most 8 hooks. */
int loop_before_sleep(struct loop *l, void (*cb)(struct loop *l, void *arg), void *arg) GW_MUST_USE;

/** The owner's pointer, for callbacks that need their thread's context. */
void loop_set_data(struct loop *l, void *data);
void *loop_data(const struct loop *l);

#endif
