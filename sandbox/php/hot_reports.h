/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What real requests write to, told by the first cells that end: a rehearsal knows neither the site's scripts nor what
 * opcache holds of them, and misses every third page. Told in memory that the zygote shares with its cells: every cell can
 * write there, so what is taken is checked to be memory that cells begin with anyway, and decides about nothing but faults.
 */
#ifndef HOT_REPORTS_H
#define HOT_REPORTS_H

#include "sandbox/php/hot_pages.h"

#define HOT_REPORTS_FD 60 /* in a cell that tells: its own pagemap */

#define HOT_REPORTS_CELLS 16 /* those with the lowest numbers are asked */
#define HOT_REPORTS_LEN (HOT_REPORTS_CELLS * sizeof(struct hot_pages))

/** Begin to ask, in the zygote. @shared: HOT_REPORTS_LEN octets of shared memory, of zeros; borrowed. @now_ms: as io_now_ms(). */
void hot_reports_start(void *shared, uint64_t now_ms);

/** Where the cell with the number @cell is to tell what it wrote to; NULL: nowhere. In the zygote, before the fork. */
struct hot_pages *hot_reports_ask(size_t cell, uint64_t now_ms);

/** Take what the cell with the number @cell, which has ended, told. After some of them @hot is what all have in common. */
void hot_reports_take(size_t cell, struct hot_pages *hot, uint64_t now_ms);

/** In a cell that was asked, while it can open its pagemap. Returns whether HOT_REPORTS_FD is that. */
bool hot_reports_open(void);

/** In that cell, when it has answered. */
void hot_reports_tell(struct hot_pages *report);

#endif
