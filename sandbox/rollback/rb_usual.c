/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which pages requests usually write to. A cell finds that out by its first two requests, and each page costs two faults
 * meanwhile, of some microseconds: for a large application half of a request's time. So it tells the cells that come after
 * it, in memory that a zygote and its cells share. Every cell can write there: what is taken from it is checked to be
 * memory that is put back anyway, and decides about nothing but faults.
 */
#include <sys/mman.h>
#include <time.h>

#include "sandbox/rollback/rb_priv.h"

#define LEARN_ROUNDS 2      /* requests until a cell knows */
#define LASTS_S 600         /* seconds that the list counts: then somebody learns anew */

static uint64_t now_s(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC_COARSE, &t) == 0 ? (uint64_t)t.tv_sec : 0;
}

struct rb_usual *rb_usual_new(void)
{
	return rb_map(sizeof(struct rb_usual));
}

void rb_usual_forget(struct rb_usual *u)
{
	if (u != NULL)
		u->until_s = u->n = 0;
}

/* --- a new cell ---------------------------------------------------------------------------------------------------------- */

static void expect(struct rb_memory *mem, uintptr_t page)
{
	struct rb_range *last = mem->expected_n == 0 ? NULL : &mem->expected[mem->expected_n - 1];

	if (last != NULL && last->end == page)
		last->end = page + RB_PAGE;
	else if (mem->expected_n < RB_EXPECTED_MAX)
		mem->expected[mem->expected_n++] = (struct rb_range){.start = page, .end = page + RB_PAGE};
}

/* Pages of a file that has no source would have to be copied: they are not worth it. */
static void take_page(struct rb_memory *mem, const struct rb_region *r, uintptr_t page)
{
	if (r->of_file && r->source == NULL)
		return;
	mem->pages[r->first_page + (page - r->start) / RB_PAGE] = RB_HOT - 1;
	expect(mem, page);
}

void rb_usual_take(struct rb_memory *mem)
{
	const struct rb_usual *u = mem->usual;
	const struct rb_region *r = mem->regions, *end = mem->regions + mem->regions_n;
	uintptr_t before = 0;
	/* Once each: another cell may write there meanwhile. */
	uint64_t now = now_s(), until = __atomic_load_n(&u->until_s, __ATOMIC_RELAXED);
	uint32_t n = __atomic_load_n(&u->n, __ATOMIC_RELAXED);

	mem->learns = until <= now || until > now + LASTS_S || n == 0;
	for (uint32_t i = 0; !mem->learns && i < n && i < RB_HOT_MAX; i++) {
		uintptr_t page = __atomic_load_n(&u->pages[i], __ATOMIC_RELAXED);
		if (page <= before || page % RB_PAGE != 0)
			return;
		while (r < end && r->end <= page)
			r++;
		if (r == end)
			return;
		if (page >= r->start)
			take_page(mem, r, page);
		before = page;
	}
}

void rb_usual_fetch(struct rb_memory *mem)
{
	for (size_t i = 0; i < mem->expected_n; i++)
		if (madvise((void *)mem->expected[i].start, mem->expected[i].end - mem->expected[i].start, MADV_POPULATE_WRITE) == -1)
			break;
	mem->expected_n = 0;
}

/* --- a cell that learns -------------------------------------------------------------------------------------------------- */

/* What has become hot at once, in the last round, is in ascending order: the scan's. */
void rb_usual_tell(struct rb_memory *mem)
{
	struct rb_usual *u = mem->usual;

	if (!mem->learns || mem->rounds < LEARN_ROUNDS)
		return;
	mem->learns = false;
	u->n = 0;
	for (size_t i = mem->own_n; i < mem->hot_n; i++)
		if (i - mem->own_n < RB_HOT_MAX)
			u->pages[i - mem->own_n] = (uintptr_t)mem->hot[i].page;
	u->n = (uint32_t)(mem->hot_n - mem->own_n < RB_HOT_MAX ? mem->hot_n - mem->own_n : RB_HOT_MAX);
	u->until_s = now_s() + LASTS_S;
}
