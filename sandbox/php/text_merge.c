/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/text_merge.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

#define HUGE_PAGE ((uintptr_t)2 << 20)

/* Neighbouring read-only segments of one object, grown as its program headers are read. */
struct span {
	uintptr_t start, end;
	uintptr_t shift; /* address minus file offset: the same throughout, or the kernel would not merge */
	unsigned segments_n;
	bool code;
};

/* An administrator who has switched huge pages off wants none; MADV_COLLAPSE would not ask. */
static bool huge_pages_allowed(void)
{
	char line[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");

	if (f == NULL)
		return false;
	bool read = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	return read && strstr(line, "[never]") == NULL;
}

/* A copy of [start, end) in huge pages takes its place in one step, as this may be code that runs just now. */
static void make_huge(uintptr_t start, uintptr_t end)
{
	static bool done; /* a spare zygote merges once before it knows its site, and once more with the site's extensions */

	start = (start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	end &= ~(HUGE_PAGE - 1);
	if (done || start >= end || !huge_pages_allowed())
		return;
	done = true;
	size_t len = end - start;
	char *room = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return;
	char *copy = room + (-(uintptr_t)room & (HUGE_PAGE - 1));
	madvise(copy, len, MADV_HUGEPAGE);
	memcpy(copy, (const void *)start, len);
	/* Without huge pages the copy would be worse than the file: fork would visit each of its pages. */
	if (madvise(copy, len, MADV_COLLAPSE) == 0 && mprotect(copy, len, PROT_READ | PROT_EXEC) == 0 &&
	    mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, start) != MAP_FAILED) {
		munmap(room, (size_t)(copy - room));
		munmap(copy + len, HUGE_PAGE - (size_t)(copy - room));
		return;
	}
	munmap(room, len + HUGE_PAGE);
}

static void merge_span(struct span *s, const void *hot)
{
	/* A refusal (a mount without exec, a security module) only means that nothing is saved. */
	if (s->segments_n > 1 && s->code &&
	    mprotect((void *)s->start, s->end - s->start, PROT_READ | PROT_EXEC) == -1)
		s->code = false;
	if (s->code && (uintptr_t)hot >= s->start && (uintptr_t)hot < s->end)
		make_huge(s->start, s->end);
	*s = (struct span){0};
}

static int merge_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct span s = {0};

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || (p->p_flags & PF_W) != 0)
			continue;
		uintptr_t start = info->dlpi_addr + p->p_vaddr, shift = start - p->p_offset;
		uintptr_t end = (start + p->p_memsz + page - 1) & ~(page - 1);
		start &= ~(page - 1);
		if (s.segments_n > 0 && (start != s.end || shift != s.shift))
			merge_span(&s, arg);
		if (s.segments_n == 0) {
			s.start = start;
			s.shift = shift;
		}
		s.end = end;
		s.segments_n++;
		s.code = s.code || (p->p_flags & PF_X) != 0;
	}
	merge_span(&s, arg);
	return 0;
}

static int count_loads(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(unsigned long long *)arg = info->dlpi_adds;
	return 1;
}

void text_merge(const void *hot)
{
	static unsigned long long done;
	unsigned long long now = 0;

	/* Done before, by a process that waited for its site: only if something was loaded since, and what is huge stays so. */
	dl_iterate_phdr(count_loads, &now);
	if (now == done)
		return;
	dl_iterate_phdr(merge_object, (void *)(uintptr_t)(done == 0 ? hot : NULL));
	done = now;
}
