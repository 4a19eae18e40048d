/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define BATCH_MAX 256
#define HOOKS_MAX 8

struct loop {
	int epoll_fd, wake_fd;
	uint64_t now_ms;
	void *data;
	/* the batch being delivered: removed objects are taken out of it */
	struct epoll_event batch[BATCH_MAX];
	int batch_n, batch_at;
	/* min-heap by due_ms */
	struct loop_timer **heap;
	size_t heap_n, heap_cap;
	struct {
		void (*cb)(struct loop *l, void *arg);
		void *arg;
	} hooks[HOOKS_MAX];
	size_t hooks_n;
	struct loop_io wake_io;
	atomic_bool stop;
	/* guarded by lock */
	pthread_mutex_t lock;
	struct loop_task *tasks, **tasks_tail;
	bool woken;
};

static void run_tasks(struct loop *l, struct loop_io *io, uint32_t ready)
{
	uint64_t count;

	(void)io;
	(void)ready;
	if (read(l->wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&l->lock);
	struct loop_task *t = l->tasks;
	l->tasks = NULL;
	l->tasks_tail = &l->tasks;
	l->woken = false;
	pthread_mutex_unlock(&l->lock);
	while (t != NULL) {
		struct loop_task *next = t->next; /* the callback may free or post it again */
		t->cb(l, t);
		t = next;
	}
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->tasks_tail = &l->tasks;
	l->now_ms = io_now_ms();
	pthread_mutex_init(&l->lock, NULL);
	l->wake_io = (struct loop_io){.fd = l->wake_fd, .events = EPOLLIN, .cb = run_tasks};
	if (l->epoll_fd == -1 || l->wake_fd == -1 || loop_io_add(l, &l->wake_io, 0) < 0) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	io_close(&l->epoll_fd);
	io_close(&l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l->heap);
	free(l);
}

/* --- timers ------------------------------------------------------------------------------------------------------ */

static void heap_put(struct loop *l, size_t at, struct loop_timer *t)
{
	l->heap[at] = t;
	t->slot = at + 1;
}

static void heap_up(struct loop *l, size_t at, struct loop_timer *t)
{
	while (at > 0 && l->heap[(at - 1) / 2]->due_ms > t->due_ms) {
		heap_put(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(l, at, t);
}

static void heap_down(struct loop *l, size_t at, struct loop_timer *t)
{
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= l->heap_n)
			break;
		if (child + 1 < l->heap_n && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
			child++;
		if (l->heap[child]->due_ms >= t->due_ms)
			break;
		heap_put(l, at, l->heap[child]);
		at = child;
	}
	heap_put(l, at, t);
}

static void heap_fix(struct loop *l, size_t at, struct loop_timer *t)
{
	if (at > 0 && l->heap[(at - 1) / 2]->due_ms > t->due_ms)
		heap_up(l, at, t);
	else
		heap_down(l, at, t);
}

int loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t delay_ms)
{
	t->due_ms = l->now_ms + delay_ms;
	if (t->slot != 0) {
		heap_fix(l, t->slot - 1, t);
		return GW_OK;
	}
	if (l->heap_n == l->heap_cap) {
		size_t cap = l->heap_cap == 0 ? 64 : 2 * l->heap_cap;
		struct loop_timer **heap = reallocarray(l->heap, cap, sizeof(struct loop_timer *));
		if (heap == NULL)
			return GW_ERR_NOMEM;
		l->heap = heap;
		l->heap_cap = cap;
	}
	heap_up(l, l->heap_n++, t);
	return GW_OK;
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	if (t->slot == 0)
		return;
	size_t at = t->slot - 1;
	struct loop_timer *last = l->heap[--l->heap_n];
	t->slot = 0;
	if (last != t)
		heap_fix(l, at, last);
}

static void run_timers(struct loop *l)
{
	/* Not more than there were: one that is armed again for now waits for descriptors to have their turn. */
	for (size_t n = l->heap_n; n > 0 && l->heap_n > 0 && l->heap[0]->due_ms <= l->now_ms; n--) {
		struct loop_timer *t = l->heap[0];
		loop_timer_stop(l, t);
		t->cb(l, t);
	}
}

/* --- descriptors ------------------------------------------------------------------------------------------------- */

int loop_io_add(struct loop *l, struct loop_io *io, uint32_t flags)
{
	struct epoll_event ev = {.events = io->events | flags, .data.ptr = io};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, io->fd, &ev) == -1 ? GW_ERR_SYS : GW_OK;
}

int loop_io_want(struct loop *l, struct loop_io *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	if (io->events == events)
		return GW_OK;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, io->fd, &ev) == -1)
		return GW_ERR_SYS;
	io->events = events;
	return GW_OK;
}

void loop_io_del(struct loop *l, struct loop_io *io)
{
	if (io->fd == -1)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	for (int i = l->batch_at; i < l->batch_n; i++)
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static void wake(struct loop *l)
{
	uint64_t one = 1;

	/* Full only after 2^64 - 2 posts that nobody read. */
	if (write(l->wake_fd, &one, sizeof(one)) == -1)
		return;
}

void loop_post(struct loop *l, struct loop_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&l->lock);
	*l->tasks_tail = task;
	l->tasks_tail = &task->next;
	bool first = !l->woken;
	l->woken = true;
	pthread_mutex_unlock(&l->lock);
	if (first)
		wake(l);
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	wake(l);
}

int loop_before_sleep(struct loop *l, void (*cb)(struct loop *l, void *arg), void *arg)
{
	if (l->hooks_n == HOOKS_MAX)
		return GW_ERR_FULL;
	l->hooks[l->hooks_n].cb = cb;
	l->hooks[l->hooks_n++].arg = arg;
	return GW_OK;
}

void loop_set_data(struct loop *l, void *data)
{
	l->data = data;
}

void *loop_data(const struct loop *l)
{
	return l->data;
}

uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

static int sleep_ms(const struct loop *l)
{
	if (l->heap_n == 0)
		return -1;
	uint64_t now = io_now_ms(), due = l->heap[0]->due_ms;
	if (due <= now)
		return 0;
	return due - now > 60000 ? 60000 : (int)(due - now);
}

int loop_run(struct loop *l)
{
	while (!atomic_load(&l->stop)) {
		for (size_t i = 0; i < l->hooks_n; i++)
			l->hooks[i].cb(l, l->hooks[i].arg);
		int n = epoll_wait(l->epoll_fd, l->batch, BATCH_MAX, sleep_ms(l));
		if (n == -1 && errno != EINTR)
			return GW_ERR_SYS;
		l->now_ms = io_now_ms();
		l->batch_n = n < 0 ? 0 : n;
		for (l->batch_at = 0; l->batch_at < l->batch_n;) {
			struct epoll_event *ev = &l->batch[l->batch_at++];
			struct loop_io *io = ev->data.ptr;
			if (io != NULL)
				io->cb(l, io, ev->events);
		}
		l->batch_n = 0;
		run_timers(l);
	}
	for (size_t i = 0; i < l->hooks_n; i++)
		l->hooks[i].cb(l, l->hooks[i].arg);
	return GW_OK;
}
