/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"

#define ROUNDS 512      /* looks at written pages, until all must prove again that requests keep writing to them */
#define COPIES_MORE 256 /* pages that taking the rest of the image may write to */
#define COPIES_FILE 1024 /* hot pages of other files than the image */

static size_t pages_in(uintptr_t start, uintptr_t end)
{
	return (end - start) / RB_PAGE;
}

/* --- which ----------------------------------------------------------------------------------------------------------- */

static const char *view_of(const struct rb_memory *mem, const struct rb_mapping *m, const struct rb_source *sources)
{
	if (rb_maps_is_memfd(m, RB_OWN_NAME))
		return mem->own_view;
	for (size_t i = 0; i < RB_SOURCES_MAX && sources[i].name != NULL; i++)
		if (rb_maps_is_memfd(m, sources[i].name))
			return sources[i].view;
	return NULL;
}

int rb_memory_add(struct rb_memory *mem, const struct rb_mapping *m, const struct rb_source *sources)
{
	const char *file = view_of(mem, m, sources);

	if (memcmp(m->perms, "rw-p", sizeof(m->perms)) != 0)
		return 0;
	if (mem->regions_n == RB_REGIONS_MAX)
		return GW_ERR_RANGE;
	mem->regions[mem->regions_n++] = (struct rb_region){.start = m->start, .end = m->end,
		.source = file != NULL ? file + m->offset : NULL, .of_file = file == NULL && m->name_len > 0 && m->name[0] == '/',
		.first_page = mem->pages_n};
	mem->pages_n += pages_in(m->start, m->end);
	return 0;
}

/* Neighbours in one call. No page is ever protected. */
int rb_memory_register(struct rb_memory *mem)
{
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_WP};

	for (size_t i = 0; i < mem->regions_n; i++) {
		if (i > 0 && mem->regions[i - 1].end == mem->regions[i].start)
			reg.range.len += mem->regions[i].end - mem->regions[i].start;
		else
			reg.range = (struct uffdio_range){.start = mem->regions[i].start,
				.len = mem->regions[i].end - mem->regions[i].start};
		if (i + 1 < mem->regions_n && mem->regions[i + 1].start == mem->regions[i].end)
			continue;
		if (ioctl(rb_fd(RB_FD_UFFD), UFFDIO_REGISTER, &reg) == -1)
			return GW_ERR_SYS;
	}
	return 0;
}

/* --- written pages ------------------------------------------------------------------------------------------------------ */

/*
 * Ranges from *@from on whose pages are the process's own: neither the image's, nor the one page of zeros that reading
 * unused memory shows. Moves *@from on; it is the end of all memory when there are no more. -1 for an error.
 */
static long scan(struct rb_memory *mem, uintptr_t *from)
{
	struct pm_scan_arg arg = {.size = sizeof(arg), .start = *from, .end = mem->regions[mem->regions_n - 1].end,
		.vec = (uintptr_t)mem->found, .vec_len = RB_SCAN_MAX,
		.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.category_mask = PAGE_IS_WPALLOWED | PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_WPALLOWED};
	int n = ioctl(rb_fd(RB_FD_PAGEMAP), PAGEMAP_SCAN, &arg);

	if (n == -1)
		return n;
	/* The kernel collects 512 ranges at a time, and then says at the end of the walk where it stood when that was full last. */
	*from = (uintptr_t)arg.walk_end;
	if (n > 0 && *from < (uintptr_t)mem->found[n - 1].end)
		*from = (uintptr_t)mem->found[n - 1].end;
	return n;
}

bool rb_memory_each_written(struct rb_memory *mem, rb_visit_fn *visit, void *arg)
{
	uintptr_t from = mem->regions[0].start, last = mem->regions[mem->regions_n - 1].end;
	const struct rb_region *r = mem->regions;

	while (from < last) {
		long n = scan(mem, &from);
		if (n == -1)
			return false;
		for (long i = 0; i < n; i++) {
			uintptr_t at = (uintptr_t)mem->found[i].start, end = (uintptr_t)mem->found[i].end;
			while (at < end) { /* neighbouring regions come as one range */
				while (r->end <= at)
					r++;
				/* A registered mapping that has grown since: its new pages are nobody's to put back. */
				if (at < r->start)
					return false;
				uintptr_t stop = end < r->end ? end : r->end;
				if (!visit(arg, r, at, stop))
					return false;
				at = stop;
			}
		}
	}
	return true;
}

/* --- the point ---------------------------------------------------------------------------------------------------------- */

static bool count(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end)
{
	struct rb_memory *mem = arg;

	(void)r;
	mem->copies_max += pages_in(start, end);
	return true;
}

int rb_memory_reserve(struct rb_memory *mem)
{
	if (!rb_memory_each_written(mem, count, mem))
		return GW_ERR_SYS;
	mem->copies_max += COPIES_MORE;
	mem->pages = rb_map(mem->pages_n * sizeof(*mem->pages));
	mem->copies = rb_map((mem->copies_max + COPIES_FILE) * RB_PAGE);
	mem->hot = rb_map((mem->copies_max + RB_HOT_MAX) * sizeof(*mem->hot));
	return mem->pages == NULL || mem->copies == NULL || mem->hot == NULL ? GW_ERR_SYS : 0;
}

static bool drop(uintptr_t start, uintptr_t end)
{
	return start == end || madvise((void *)start, end - start, MADV_DONTNEED) == 0;
}

bool rb_memory_drop_stack(const struct rb_memory *mem)
{
	uintptr_t live = ((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(RB_PAGE - 1)) - RB_PAGE; /* with room for madvise(2) */

	for (size_t i = 0; i < mem->regions_n; i++)
		if (live > mem->regions[i].start && live < mem->regions[i].end)
			return drop(mem->regions[i].start, live);
	return false;
}

static bool keep(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end)
{
	struct rb_memory *mem = arg;
	uint8_t *page = &mem->pages[r->first_page + pages_in(r->start, start)];

	for (uintptr_t at = start; at < end; at += RB_PAGE, page++) {
		if (mem->copies_n == mem->copies_max)
			return false;
		char *copy = mem->copies + mem->copies_n++ * RB_PAGE;
		memcpy(copy, (const void *)at, RB_PAGE);
		mem->hot[mem->hot_n++] = (struct rb_hot){.page = (char *)at, .from = copy};
		*page = RB_ALWAYS;
	}
	return true;
}

bool rb_memory_keep(struct rb_memory *mem)
{
	bool kept = rb_memory_each_written(mem, keep, mem);

	mem->own_n = mem->copies_n;
	return kept;
}

/* --- back --------------------------------------------------------------------------------------------------------------- */

static void put_back(const struct rb_hot *h)
{
	size_t len = RB_PAGE;

	/* Of a length that it knows the compiler makes a string instruction, half as fast as the library's copy. */
	__asm__("" : "+r"(len));
	if (h->from != NULL)
		memcpy(h->page, h->from, len);
	else
		memset(h->page, 0, len);
}

static bool is_zero(const char *page)
{
	for (size_t i = 0; i < RB_PAGE; i += sizeof(long))
		if (*(const long *)(const void *)(page + i) != 0)
			return false;
	return true;
}

/* Rather than being dropped and coming back by a fault, each time. What is all zeros need not be read for that. */
static bool make_hot(struct rb_memory *mem, const struct rb_region *r, uintptr_t at)
{
	struct rb_hot h = {.page = (char *)at, .from = r->source == NULL ? NULL : r->source + (at - r->start)};

	if (h.from != NULL && is_zero(h.from))
		h.from = NULL;
	if (mem->hot_n == mem->copies_max + RB_HOT_MAX || (r->of_file && mem->copies_n == mem->copies_max + COPIES_FILE))
		return false;
	if (r->of_file) {
		char *copy = mem->copies + mem->copies_n++ * RB_PAGE;
		if (!drop(at, at + RB_PAGE))
			return false;
		h.from = memcpy(copy, h.page, RB_PAGE);
	}
	put_back(&h);
	mem->hot[mem->hot_n++] = h;
	return true;
}

static bool put_back_cold(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end)
{
	struct rb_memory *mem = arg;
	uint8_t *page = &mem->pages[r->first_page + pages_in(r->start, start)];
	uintptr_t cold = start; /* pages from here to @at are dropped */

	for (uintptr_t at = start; at < end; at += RB_PAGE, page++) {
		if (*page < RB_HOT && ++*page < RB_HOT)
			continue;
		if (*page == RB_HOT && !make_hot(mem, r, at))
			continue;
		*page = RB_ALWAYS;
		if (!drop(cold, at))
			return false;
		cold = at + RB_PAGE;
	}
	return drop(cold, end);
}

/* What was written by requests of long ago is not put back for ever. */
static void cool(struct rb_memory *mem)
{
	const struct rb_region *r = mem->regions;

	while (mem->hot_n > mem->own_n) {
		uintptr_t at = (uintptr_t)mem->hot[--mem->hot_n].page;
		for (r = mem->regions; at < r->start || at >= r->end;)
			r++;
		mem->pages[r->first_page + pages_in(r->start, at)] = 0;
	}
	mem->copies_n = mem->own_n;
	mem->rounds = 0;
}

static bool known(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end)
{
	(void)arg;
	(void)r;
	(void)start;
	(void)end;
	return true; /* rb_memory_each_written() has found its region */
}

bool rb_memory_check(struct rb_memory *mem)
{
	return rb_memory_each_written(mem, known, mem);
}

void rb_memory_restore_hot(const struct rb_memory *mem)
{
	for (size_t i = 0; i < mem->hot_n; i++)
		put_back(&mem->hot[i]);
}

bool rb_memory_restore_cold(struct rb_memory *mem)
{
	if (++mem->rounds > ROUNDS)
		cool(mem);
	if (!rb_memory_each_written(mem, put_back_cold, mem))
		return false;
	rb_usual_tell(mem);
	return true;
}
