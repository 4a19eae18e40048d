/* SPDX-License-Identifier: Apache-2.0 */
/** Pages that every request writes to, given to a new cell in a few calls instead of one page fault each. */
#ifndef HOT_PAGES_H
#define HOT_PAGES_H

#include "sandbox/php/hot_runs.h"

/**
 * Let a child of this process rehearse a request and note which pages it wrote to. What cannot be found out (no pagemap,
 * no rehearsal, no answer within a second) leaves @hot empty: cells then take their faults. In the zygote, SIGCHLD
 * blocked, when its memory is as cells will find it. See hot_reports.h for what real requests write to.
 */
void hot_pages_learn(struct hot_pages *hot);

/**
 * Which pages of what the zygote had at hot_pages_learn() this process has for itself. @pagemap: its own, borrowed.
 * Returns false when it cannot be read. In a cell.
 */
bool hot_pages_list(int pagemap, struct hot_pages *own);

/** Whether @hot, which may come from anybody, is sorted, at most 16 MB, and all memory that the zygote had at hot_pages_learn(). */
bool hot_pages_are_known(const struct hot_pages *hot);

/**
 * Make this process's own copies of @hot. A write fault costs about twice as much as a page populated in a run, and
 * three times that when the page is read first. Source: madvise(2), MADV_POPULATE_WRITE (Linux 5.14).
 */
void hot_pages_fetch(const struct hot_pages *hot);

#endif
