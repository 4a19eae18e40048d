/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/php/trial.h"

#define REGIONS_MAX 1024
#define LEN_MAX ((size_t)16 << 20) /* of what somebody says is hot */

static struct region regions[REGIONS_MAX];
static size_t regions_n;

/* Of what was there before, only the pages that the process has a copy of for itself. */
static void note(void *hot, uintptr_t at, uint64_t entry)
{
	if ((entry & (PM_PRESENT | PM_FILE | PM_EXCLUSIVE)) == (PM_PRESENT | PM_EXCLUSIVE))
		hot_runs_add(hot, at, (size_t)sysconf(_SC_PAGESIZE));
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

bool hot_pages_list(int pagemap, struct hot_pages *own)
{
	own->n = 0;
	return trial_pagemap_of(pagemap, regions, regions_n, note, own);
}

bool hot_pages_are_known(const struct hot_pages *hot)
{
	return hot_runs_are_within(hot, regions, regions_n, (size_t)sysconf(_SC_PAGESIZE), LEN_MAX);
}

void hot_pages_fetch(const struct hot_pages *hot)
{
	for (size_t i = 0; i < hot->n; i++)
		if (madvise((void *)hot->runs[i].start, hot->runs[i].len, MADV_POPULATE_WRITE) == -1)
			return;
}
