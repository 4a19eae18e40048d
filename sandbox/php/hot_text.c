/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/php/trial.h"

#define PAGES_MAX 8192
#define REGIONS_MAX 1024

/* Addresses of pages. */
struct page_list {
	size_t n;
	uintptr_t at[PAGES_MAX];
};

static struct region regions[REGIONS_MAX];
static size_t regions_n;

struct probe {
	const struct page_list *split; /* NULL: none */
	struct page_list *seen;
};

/*
 * Each page of @l, which has all of an aligned group of 16 that the kernel maps at once, becomes a mapping of its own: by an
 * attribute without meaning here, that its neighbours have or have not. A fault then maps the page it is about and no other.
 */
static void split(const struct page_list *l)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < l->n; i++)
		if ((l->at[i] / page & 1) != 0)
			madvise((void *)l->at[i], page, MADV_DONTDUMP);
}

/* Without the mappings that differ from their files. */
static void list_regions(void)
{
	size_t all = trial_regions(regions, REGIONS_MAX, TRIAL_READ_ONLY);

	regions_n = 0;
	for (size_t i = 0; i < all; i++)
		if (trial_is_as_in_file(&regions[i]))
			regions[regions_n++] = regions[i];
}

static void drop_all(void)
{
	for (size_t i = 0; i < regions_n; i++)
		madvise((void *)regions[i].start, regions[i].end - regions[i].start, MADV_DONTNEED);
}

static void note(void *arg, uintptr_t at, uint64_t entry)
{
	struct page_list *l = arg;

	if ((entry & (PM_PRESENT | PM_FILE)) == (PM_PRESENT | PM_FILE) && l->n < PAGES_MAX)
		l->at[l->n++] = at;
}

static void before(void *arg)
{
	const struct probe *p = arg;

	drop_all();
	if (p->split != NULL)
		split(p->split);
}

static bool after(void *arg)
{
	const struct probe *p = arg;

	return trial_pagemap(regions, regions_n, note, p->seen);
}

/*
 * One octet of each mapping is written, with what it is, in the way of a debugger: that makes its page an anonymous one
 * and the mapping never writable.
 */
static void keep(const struct page_list *windows, const struct page_list *visited, int mem)
{
	split(windows);
	drop_all();
	for (size_t i = 0, r = 0; i < visited->n; i++) {
		bool first = i == 0 || visited->at[i] >= regions[r].end;
		while (visited->at[i] >= regions[r].end)
			r++;
		char octet = *(volatile const char *)visited->at[i];
		if (first && pwrite(mem, &octet, 1, (off_t)visited->at[i]) != 1)
			break;
	}
	for (size_t i = 0; i < regions_n; i++)
		madvise((void *)regions[i].start, regions[i].end - regions[i].start, MADV_DODUMP);
}

static void learn_and_keep(struct page_list *windows, struct page_list *visited, int mem)
{
	struct probe near = {.seen = windows}, exact = {.split = windows, .seen = visited};

	list_regions();
	if (trial_run(before, after, &near) && trial_run(before, after, &exact))
		keep(windows, visited, mem);
}

void hot_text_keep(int memory)
{
	struct page_list *lists = mmap(NULL, 2 * sizeof(*lists), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != -1 && lists != MAP_FAILED)
		learn_and_keep(&lists[0], &lists[1], memory);
	if (lists != MAP_FAILED)
		munmap(lists, 2 * sizeof(*lists));
}
