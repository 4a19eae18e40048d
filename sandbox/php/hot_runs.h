/* SPDX-License-Identifier: Apache-2.0 */
/** Lists of pages, as runs by address. Pure. */
#ifndef HOT_RUNS_H
#define HOT_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/php/trial.h"

#define HOT_RUNS_MAX 192

/* Pages next to each other, @start and @len in octets. */
struct hot_run {
	uintptr_t start;
	size_t len;
};

/* By address. */
struct hot_pages {
	size_t n;
	struct hot_run runs[HOT_RUNS_MAX];
};

/** Add what lies behind all that @hot has, or leave it out when there is no room for one more run. */
void hot_runs_add(struct hot_pages *hot, uintptr_t start, size_t len);

/** Whether @hot, which may come from anybody, is sorted pages of @page octets, at most @max octets, all in @regions (sorted, too). */
bool hot_runs_are_within(const struct hot_pages *hot, const struct region *regions, size_t n, size_t page, size_t max);

/** Leave in @hot what is in @also, too, both sorted; at most HOT_RUNS_MAX runs. */
void hot_runs_intersect(struct hot_pages *hot, const struct hot_pages *also);

#endif
