/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/image.h"

#include <errno.h>
#include <fcntl.h>
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
#define HOLES_MAX 65536

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
static bool is_wanted(const struct smaps_head *h)
{
	return h->perms[0] == 'r' && h->perms[2] == '-' && h->perms[3] == 'p' &&
	       (h->path[0] == '/' || strcmp(h->path, "[heap]") == 0);
}

static size_t list_regions(struct region *regions)
{
	int fd = sb_proc_open("self/smaps", O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct smaps_head h, at = {.perms = ""};
	unsigned long anonymous_kb;
	char line[4096];
	size_t n = 0;

	if (f == NULL) {
		if (fd >= 0)
			io_close(&fd);
		return 0;
	}
	while (fgets(line, sizeof(line), f) != NULL && n < REGIONS_MAX) {
		if (parse_head(line, &h))
			at = h;
		else if (sscanf(line, "Anonymous: %lu kB", &anonymous_kb) == 1 && anonymous_kb > 0 && is_wanted(&at))
			regions[n++] = (struct region){.start = at.start, .len = at.end - at.start,
				.prot = PROT_READ | (at.perms[1] == 'w' ? PROT_WRITE : 0)};
	}
	fclose(f);
	return n;
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

/*
 * Between the copy of a region and its mapping nothing may write to it, or the write is lost. What runs here is this
 * function alone: its variables are on the stack or only read, and the stack is no region. errno may be lost.
 */
static int move_regions(int fd, const struct region *regions, size_t n)
{
	off_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct region *r = &regions[i];
		if (syscall(SYS_pwrite64, fd, r->start, r->len, at) != (long)r->len)
			return GW_ERR_SYS;
		if (syscall(SYS_mmap, r->start, r->len, r->prot, MAP_PRIVATE | MAP_FIXED, fd, at) != (long)r->start)
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

int image_take(void)
{
	static struct region regions[REGIONS_MAX];
	fill_heap_holes();
	size_t n = list_regions(regions);
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return GW_ERR_SYS;
	int err = move_regions(fd, regions, n);
	/* Nobody changes what cells start from, however they may get at the file. */
	if (err == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1)
		err = GW_ERR_SYS;
	io_close(&fd);
	return err;
}
