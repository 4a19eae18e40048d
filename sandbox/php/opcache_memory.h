/* SPDX-License-Identifier: Apache-2.0 */
/** Opcache's segment and lock file, and the memory files that take their place. Of opcache.c and its compiler only. */
#ifndef BH_OPCACHE_MEMORY_H
#define BH_OPCACHE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "sandbox/php/opcache_heads.h"

#define OPCACHE_MEMORY_NAME "opcache" /* of its memory files */

struct opcache_memory {
	void *start;  /* NULL: there is no segment */
	size_t len;   /* octets, whole pages */
	void *heads;  /* OPCACHE_HEADS_LEN octets of our own, see opcache_heads.h; in an image's file behind the segment */
	int lock_fd;  /* where opcache believes its lock file to be */
};

/**
 * Find both in this process. Without a lock file opcache has not started: @m->start is NULL and that is no error.
 * Returns 0 or GW_ERR_NOTFOUND (a lock, but not exactly one mapping that can be the segment), GW_ERR_SYS.
 */
int opcache_memory_find(struct opcache_memory *m) GW_MUST_USE;

/** Octets of an image in its file, in which other things may follow. */
size_t opcache_memory_size(const struct opcache_memory *m);

/** A new memory file with what is resident of the segment now, as long as an image; not sealed. Descriptor or GW_ERR_SYS. */
int opcache_memory_copy(const struct opcache_memory *m) GW_MUST_USE;

/** A new, empty memory file as long as an image. Descriptor or GW_ERR_SYS. */
int opcache_memory_new(const struct opcache_memory *m) GW_MUST_USE;

/** Copy image @from into memory that maps another, empty file by now. Returns 0 or GW_ERR_SYS. */
int opcache_memory_fill(const struct opcache_memory *m, int from) GW_MUST_USE;

/** Map image @fd in the place of segment and heads: for a cell or the zygote privately, for the compiler shared. 0 or GW_ERR_SYS. */
int opcache_memory_map(const struct opcache_memory *m, int fd, bool shared) GW_MUST_USE;

#endif
