/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/php/trial.h"

#define REGIONS_MAX 1024

static struct region regions[REGIONS_MAX];
static size_t regions_n;

/* Of what was there before, only the pages that the child has a copy of for itself. */
static void note(void *arg, uintptr_t at, uint64_t entry)
{
	struct hot_pages *hot = arg;
	struct hot_run *last = hot->n == 0 ? NULL : &hot->runs[hot->n - 1];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if ((entry & (PM_PRESENT | PM_FILE | PM_EXCLUSIVE)) != (PM_PRESENT | PM_EXCLUSIVE))
		return;
	if (last != NULL && last->start + last->len == at)
		last->len += page;
	else if (hot->n < HOT_RUNS_MAX)
		hot->runs[hot->n++] = (struct hot_run){.start = at, .len = page};
}

static bool list_written(void *arg)
{
	return trial_pagemap(regions, regions_n, note, arg);
}

void hot_pages_learn(struct hot_pages *hot)
{
	struct hot_pages *found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	hot->n = 0;
	if (found == MAP_FAILED)
		return;
	regions_n = trial_regions(regions, REGIONS_MAX, TRIAL_WRITABLE);
	if (trial_run(NULL, list_written, found))
		*hot = *found;
	munmap(found, sizeof(*found));
}

void hot_pages_fetch(const struct hot_pages *hot)
{
	for (size_t i = 0; i < hot->n; i++)
		if (madvise((void *)hot->runs[i].start, hot->runs[i].len, MADV_POPULATE_WRITE) == -1)
			return;
}
