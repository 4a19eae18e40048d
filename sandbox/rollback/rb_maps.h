/* SPDX-License-Identifier: Apache-2.0 */
/** Lines of /proc/PID/maps (proc_pid_maps(5)). Pure. */
#ifndef RB_MAPS_H
#define RB_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mapping, addresses in octets, @end exclusive. */
struct rb_mapping {
	uintptr_t start, end;
	uint64_t offset;   /* in the mapped file */
	uint64_t device;   /* as makedev(3) makes it; 0 for anonymous memory */
	uint64_t inode;
	char perms[4];     /* "rw-p" without a NUL */
	const char *name;  /* within the line, up to its end; empty for anonymous memory */
	size_t name_len;
};

/**
 * Read the line at @text, of @len octets without its line feed. Returns whether it is one; @m->name points into @text.
 */
bool rb_maps_line(const char *text, size_t len, struct rb_mapping *m);

/** Whether @m maps the memory file (memfd_create(2)) with this @name. */
bool rb_maps_is_memfd(const struct rb_mapping *m, const char *name);

/** Its rights, as PROT_READ, PROT_WRITE and PROT_EXEC of mmap(2). */
int rb_maps_prot(const struct rb_mapping *m);

/** A range of addresses with one set of rights; sorted arrays of them have no overlaps. */
struct rb_range {
	uintptr_t start, end;
	char perms[4];
};

/**
 * What @now has and @before has not: up to @max ranges in @out. Both are sorted. Returns their number, or SIZE_MAX when
 * there are more, or when some of @before is missing in @now or has other rights.
 */
size_t rb_maps_added(const struct rb_range *before, size_t before_n, const struct rb_range *now, size_t now_n,
	struct rb_range *out, size_t max);

#endif
