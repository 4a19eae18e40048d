/* SPDX-License-Identifier: Apache-2.0 */
/** Pages that every request writes to, given to a new cell in a few calls instead of one page fault each. */
#ifndef HOT_PAGES_H
#define HOT_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define HOT_RUNS_MAX 192

/* Pages next to each other. */
struct hot_run {
	uintptr_t start;
	size_t len;
};

struct hot_pages {
	size_t n;
	struct hot_run runs[HOT_RUNS_MAX];
};

/**
 * Let a child of this process rehearse a request and note which pages it wrote to. What cannot be found out (no pagemap,
 * no rehearsal, no answer within a second) leaves @hot empty: cells then take their faults. In the zygote, SIGCHLD
 * blocked, when its memory is as cells will find it.
 */
void hot_pages_learn(struct hot_pages *hot);

/**
 * Make this process's own copies of @hot. A write fault costs about twice as much as a page populated in a run, and
 * three times that when the page is read first. Source: madvise(2), MADV_POPULATE_WRITE (Linux 5.14).
 */
void hot_pages_fetch(const struct hot_pages *hot);

#endif
