/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_runs.h"

void hot_runs_add(struct hot_pages *hot, uintptr_t start, size_t len)
{
	struct hot_run *last = hot->n == 0 ? NULL : &hot->runs[hot->n - 1];

	if (last != NULL && last->start + last->len == start)
		last->len += len;
	else if (hot->n < HOT_RUNS_MAX)
		hot->runs[hot->n++] = (struct hot_run){.start = start, .len = len};
}

bool hot_runs_are_within(const struct hot_pages *hot, const struct region *regions, size_t n, size_t page, size_t max)
{
	size_t r = 0, left = max;
	uintptr_t before = 0;

	if (hot->n > HOT_RUNS_MAX)
		return false;
	for (size_t i = 0; i < hot->n; i++) {
		const struct hot_run *run = &hot->runs[i];
		if (run->start < before || run->start % page != 0 || run->len == 0 || run->len % page != 0 || run->len > left)
			return false;
		left -= run->len;
		/* Regions may touch each other, and a run may reach from one into the next. */
		for (uintptr_t at = run->start, end = at + run->len; at != end; at = regions[r].end < end ? regions[r].end : end) {
			while (r < n && regions[r].end <= at)
				r++;
			if (end < at || r == n || regions[r].start > at)
				return false;
		}
		before = run->start + run->len;
	}
	return true;
}

void hot_runs_intersect(struct hot_pages *hot, const struct hot_pages *also)
{
	const struct hot_pages old = *hot;
	size_t a = 0, b = 0;

	hot->n = 0;
	while (a < old.n && b < also->n) {
		const struct hot_run *x = &old.runs[a], *y = &also->runs[b];
		uintptr_t x_end = x->start + x->len, y_end = y->start + y->len;
		uintptr_t start = x->start > y->start ? x->start : y->start, end = x_end < y_end ? x_end : y_end;
		if (start < end)
			hot_runs_add(hot, start, end - start);
		if (x_end <= y_end)
			a++;
		if (y_end <= x_end)
			b++;
	}
}
