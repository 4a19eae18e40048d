/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/image.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_proc.h"

#define REGIONS_MAX 4096
#define CODE_MAX (512 * 1024) /* above it objects are so large and so few that their code is worth sharing among sites */
#define HOLES_MAX 65536
#define GAP_MAX ((uintptr_t)16 * IMAGE_PAGE)

struct region {
	uintptr_t start;
	size_t len;
	int prot;
};

/* --- which ----------------------------------------------------------------------------------------------------------- */

/* A line "start-end rwxp offset dev inode path" of smaps; fields of a mapping follow it, "Name: ...". */
struct smaps_head {
	unsigned long start, end;
	char perms[5], path[8]; /* of the path only how it begins */
};

static bool parse_head(const char *line, struct smaps_head *h)
{
	h->path[0] = '\0';
	return sscanf(line, "%lx-%lx %4s %*s %*s %*s %7s", &h->start, &h->end, h->perms, h->path) >= 3;
}

/* Private, not executable, and of a file (a program's or library's data) or the heap. */
static bool is_data(const struct smaps_head *h)
{
	return h->perms[0] == 'r' && h->perms[2] == '-' && h->perms[3] == 'p' &&
	       (h->path[0] == '/' || strcmp(h->path, "[heap]") == 0);
}

static bool is_anonymous(const struct smaps_head *h)
{
	return strncmp(h->perms, "rw-p", 4) == 0 && (h->path[0] == '\0' || strncmp(h->path, "[anon:", 6) == 0);
}

struct bss_search {
	uintptr_t at, end; /* @end: of the object's data that @at lies in, 0 when there is none */
};

static int search_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct bss_search *s = arg;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr, end = (start + p->p_memsz + page - 1) & ~(page - 1);
		if (p->p_type == PT_LOAD && (p->p_flags & PF_W) != 0 && s->at >= start && s->at < end)
			s->end = end;
	}
	return s->end != 0;
}

/*
 * Data that begin as zeros have no file, and follow those that have. With them in the image, both are one mapping. What
 * else is anonymous may have become part of the same mapping, but lies behind the object's end.
 */
static size_t bss_len(const struct smaps_head *h)
{
	struct bss_search s = {.at = h->start};

	if (strcmp(h->perms, "rw-p") != 0 || h->path[0] != '\0')
		return 0;
	dl_iterate_phdr(search_object, &s);
	return s.end == 0 ? 0 : (s.end < h->end ? s.end : h->end) - h->start;
}

/* The code of a small object; text_merge() has made one mapping of it. */
static bool is_small_code(const struct smaps_head *h)
{
	return strcmp(h->perms, "r-xp") == 0 && h->path[0] == '/' && h->end - h->start <= CODE_MAX;
}

static bool is_zero(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(long))
		if (*(const long *)(const void *)(p + i) != 0)
			return false;
	return true;
}

/* Anonymous memory is mostly reserved and not used: only runs with something in them, and gaps too short to be worth
 * a mapping, become part of the image. Pages of zeros that are none are given back: unused memory shows the same. */
static size_t add_runs(struct region *regions, size_t n, const struct region *whole)
{
	uintptr_t end = whole->start + whole->len, begin = 0, last = 0;

	for (uintptr_t at = whole->start; at < end; at += IMAGE_PAGE) {
		if (is_zero((const char *)at, IMAGE_PAGE)) {
			madvise((void *)at, IMAGE_PAGE, MADV_DONTNEED);
			if (begin == 0 || at - last <= GAP_MAX)
				continue;
			regions[n++] = (struct region){.start = begin, .len = last - begin, .prot = whole->prot};
			begin = 0;
		} else {
			if (begin == 0)
				begin = at;
			last = at + IMAGE_PAGE;
		}
		if (n == REGIONS_MAX)
			return n;
	}
	if (begin != 0)
		regions[n++] = (struct region){.start = begin, .len = last - begin, .prot = whole->prot};
	return n;
}

static size_t list_regions(struct region *regions, enum image_kind kind)
{
	FILE *f = sb_proc_text("self/smaps");
	struct smaps_head h, at = {.perms = ""}, code = {.perms = ""};
	unsigned long anonymous_kb;
	char line[4096];
	size_t n = 0;
	struct region r;

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL && n < REGIONS_MAX) {
		/* Some twenty thousand lines: what they begin with says which few are worth a scan. */
		if (line[0] < 'A' || line[0] > 'Z') {
			if (parse_head(line, &h))
				at = h;
		} else if (line[0] == 'A' && sscanf(line, "Anonymous: %lu kB", &anonymous_kb) == 1) {
			size_t len = !is_data(&at) ? bss_len(&at) : anonymous_kb > 0 ? at.end - at.start : 0;
			r = (struct region){.start = at.start, .len = len,
				.prot = PROT_READ | (at.perms[1] == 'w' ? PROT_WRITE : 0)};
			if (len > 0 && r.prot == PROT_READ && r.start == code.end)
				r = (struct region){.start = code.start, .len = at.end - code.start, .prot = PROT_READ | PROT_EXEC};
			if (kind == IMAGE_CODE && is_small_code(&at))
				code = at;
			if (len > 0)
				regions[n++] = r;
			if (kind == IMAGE_ALL && is_anonymous(&at) && anonymous_kb > 0 && n < REGIONS_MAX) {
				r.start += len;
				r.len = at.end - r.start;
				n = add_runs(regions, n, &r);
			}
		}
	}
	fclose(f);
	return n;
}

static off_t total_len(const struct region *regions, size_t n)
{
	off_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (off_t)regions[i].len;
	return len;
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

/* Pages of zeros stay holes: the file takes no memory for them. */
static int copy_region(int fd, const struct region *r, off_t at, size_t page)
{
	for (size_t done = 0, end; done < r->len; done = end) {
		bool hole = is_zero((const char *)r->start + done, page);
		for (end = done + page; end < r->len && is_zero((const char *)r->start + end, page) == hole; end += page)
			;
		if (!hole && syscall(SYS_pwrite64, fd, r->start + done, end - done, at + (off_t)done) != (long)(end - done))
			return GW_ERR_SYS;
	}
	return 0;
}

/*
 * Between the copy of a region and its mapping nothing may write to it, or the write is lost. What runs here are these
 * functions alone: their variables are on the stack or only read, and the stack is no region. errno may be lost.
 */
static int move_regions(int fd, const struct region *regions, size_t n, size_t page)
{
	off_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct region *r = &regions[i];
		if (copy_region(fd, r, at, page) != 0)
			return GW_ERR_SYS;
		long got = syscall(SYS_mmap, r->start, r->len, r->prot, MAP_PRIVATE | MAP_FIXED, fd, at);
		/* Where code in a memory file is not allowed, it stays where it is, and so do the constants behind it. */
		if (got != (long)r->start && (r->prot & PROT_EXEC) == 0)
			return GW_ERR_SYS;
		at += (off_t)r->len;
	}
	return 0;
}

/*
 * Take what is free inside the C heap, for good, so that cells allocate where it ends: the holes lie scattered, and each
 * would cost a page fault or two. From large to small; a size is done when a piece of it comes from the end.
 */
static void fill_heap_holes(void)
{
	const char *end = (const char *)sbrk(0) - mallinfo2().keepcost;

	for (size_t size = 64 * 1024; size >= 24; size = size > 1032 ? size / 2 : size - 16)
		for (unsigned n = 0; n < HOLES_MAX; n++) {
			char *p = malloc(size);
			if (p == NULL || p >= end) {
				if (size > 1032) /* those of smaller ones would not go back to the end but be kept for the next */
					free(p);
				break;
			}
		}
}

int image_take(enum image_kind kind, int *image)
{
	static struct region regions[REGIONS_MAX];

	fill_heap_holes();
	size_t n = list_regions(regions, kind);
	int fd = memfd_create(IMAGE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return GW_ERR_SYS;
	int err = ftruncate(fd, total_len(regions, n)) == -1 ? GW_ERR_SYS
							     : move_regions(fd, regions, n, (size_t)sysconf(_SC_PAGESIZE));
	/* Nobody changes what cells start from, however they may get at the file. */
	if (err == 0)
		err = io_seal(fd);
	if (err == 0)
		*image = fd;
	else
		io_close(&fd);
	return err;
}
