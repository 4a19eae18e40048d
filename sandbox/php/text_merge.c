/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/text_merge.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Neighbouring read-only segments of one object, grown as its program headers are read. */
struct span {
	uintptr_t start, end;
	uintptr_t shift; /* address minus file offset: the same throughout, or the kernel would not merge */
	unsigned segments_n;
	bool code;
};

static void merge_span(struct span *s)
{
	/* A refusal (a mount without exec, a security module) only means that nothing is saved. */
	if (s->segments_n > 1 && s->code &&
	    mprotect((void *)s->start, s->end - s->start, PROT_READ | PROT_EXEC) == -1)
		s->code = false;
	*s = (struct span){0};
}

static int merge_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct span s = {0};

	(void)size;
	(void)arg;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || (p->p_flags & PF_W) != 0)
			continue;
		uintptr_t start = info->dlpi_addr + p->p_vaddr, shift = start - p->p_offset;
		uintptr_t end = (start + p->p_memsz + page - 1) & ~(page - 1);
		start &= ~(page - 1);
		if (s.segments_n > 0 && (start != s.end || shift != s.shift))
			merge_span(&s);
		if (s.segments_n == 0) {
			s.start = start;
			s.shift = shift;
		}
		s.end = end;
		s.segments_n++;
		s.code = s.code || (p->p_flags & PF_X) != 0;
	}
	merge_span(&s);
	return 0;
}

void text_merge(void)
{
	dl_iterate_phdr(merge_object, NULL);
}
