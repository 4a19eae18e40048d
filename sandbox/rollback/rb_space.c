/* SPDX-License-Identifier: Apache-2.0 */
/** The address space: which mappings there are. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"

int rb_space_each(struct rb_space *s, int (*add)(void *arg, const struct rb_mapping *m), void *arg)
{
	struct rb_mapping m;
	size_t have = 0;
	ssize_t n;

	if (lseek(rb_fd(RB_FD_MAPS), 0, SEEK_SET) == -1)
		return GW_ERR_SYS;
	while ((n = read(rb_fd(RB_FD_MAPS), s->text + have, sizeof(s->text) - have)) > 0) {
		have += (size_t)n;
		size_t at = 0;
		for (char *end; (end = memchr(s->text + at, '\n', have - at)) != NULL; at = (size_t)(end - s->text) + 1) {
			if (!rb_maps_line(s->text + at, (size_t)(end - s->text) - at, &m))
				return GW_ERR_SYS;
			int err = add(arg, &m);
			if (err != 0)
				return err;
		}
		have -= at;
		memmove(s->text, s->text + at, have);
	}
	return n == 0 && have == 0 ? 0 : GW_ERR_SYS;
}

/* --- sealing ---------------------------------------------------------------------------------------------------------- */

static bool has_name(const struct rb_mapping *m, const char *name)
{
	return m->name_len == strlen(name) && memcmp(m->name, name, m->name_len) == 0;
}

/* The stack grows, and what it grew by is removed; the kernel's own mappings cannot all be sealed. */
static int seal(void *arg, const struct rb_mapping *m)
{
	static const char *const left[] = {"[stack]", "[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]", "[uprobes]"};

	(void)arg;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (has_name(m, left[i]))
			return 0;
	return syscall(SYS_mseal, m->start, m->end - m->start, 0L) == -1 ? GW_ERR_SYS : 0;
}

int rb_space_seal(struct rb_space *s)
{
	return rb_space_each(s, seal, NULL);
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */

/* Its first three numbers: size, resident, shared. */
bool rb_space_count(struct rb_counts *c)
{
	char text[128];
	ssize_t n = pread(rb_fd(RB_FD_STATM), text, sizeof(text), 0);
	unsigned long v[3] = {0};
	size_t at = 0;

	for (ssize_t i = 0; i < n && at < 3; i++) {
		if (text[i] == ' ')
			at++;
		else
			v[at] = v[at] * 10 + (unsigned long)(text[i] - '0');
	}
	*c = (struct rb_counts){.size = v[0], .written = v[1] - v[2]};
	return at == 3;
}

/* What is swapped out is not counted: a page that cannot be written again may be missing in place of one that was written. */
bool rb_space_is_swapped(void)
{
	struct sysinfo info;

	return sysinfo(&info) == -1 || info.freeswap != info.totalswap;
}

/* Whether the count goes up by one for each page of fresh memory at @at. */
static bool counts_each(volatile char *at, size_t pages)
{
	struct rb_counts before, now;
	bool each = rb_space_count(&before);

	for (size_t i = 0; i < pages && each; i++) {
		at[i * RB_PAGE] = 1;
		each = rb_space_count(&now) && now.written == before.written + i + 1;
	}
	return each;
}

/*
 * A kernel that estimates is wrong almost every time. One that counts may seem so once: when the process moves to another
 * processor the kernel says so in its memory (rseq), which may be one more written page.
 */
bool rb_space_is_exact(void)
{
	enum { PAGES = 64, TRIES = 4 };
	bool exact = false;

	for (unsigned i = 0; i < TRIES && !exact; i++) {
		char *at = mmap(NULL, (size_t)PAGES * RB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED)
			return false;
		exact = counts_each(at, PAGES);
		munmap(at, (size_t)PAGES * RB_PAGE);
	}
	return exact;
}

struct listing {
	struct rb_range *ranges;
	size_t n;
};

static int list(void *arg, const struct rb_mapping *m)
{
	struct listing *l = arg;

	if (l->n == RB_RANGES_MAX)
		return GW_ERR_RANGE;
	struct rb_range *r = &l->ranges[l->n++];
	r->start = m->start;
	r->end = m->end;
	memcpy(r->perms, m->perms, sizeof(r->perms));
	return 0;
}

bool rb_space_take(struct rb_space *s)
{
	struct listing l = {.ranges = s->ranges};

	if (rb_space_each(s, list, &l) != 0)
		return false;
	s->ranges_n = l.n;
	s->brk = sbrk(0);
	return true;
}

enum rollback_why rb_space_check(struct rb_space *s)
{
	struct listing l = {.ranges = s->now};
	struct rb_counts now;

	s->added_n = 0;
	if (!rb_space_count(&now))
		return ROLLBACK_MAPPING;
	if (now.size == s->counts.size)
		return ROLLBACK_OK;
	if (rb_space_each(s, list, &l) != 0)
		return ROLLBACK_MAPPING;
	s->added_n = rb_maps_added(s->ranges, s->ranges_n, s->now, l.n, s->added, RB_ADDED_MAX);
	if (s->added_n == SIZE_MAX)
		s->added_n = 0;
	return s->added_n > 0 ? ROLLBACK_OK : ROLLBACK_MAPPING;
}

bool rb_space_restore(struct rb_space *s)
{
	if (s->added_n == 0)
		return true;
	/* First the program break: the kernel does not lower it over a hole. */
	if ((void *)syscall(SYS_brk, s->brk) != s->brk)
		return false;
	for (size_t i = 0; i < s->added_n; i++)
		if (munmap((void *)s->added[i].start, s->added[i].end - s->added[i].start) == -1)
			return false;
	return true;
}
