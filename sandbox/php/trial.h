/* SPDX-License-Identifier: Apache-2.0 */
/** A child of the zygote that rehearses a request, and what one can see of that in its page tables. */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/rollback/rb_maps.h"

/* Bits of an entry of /proc/pid/pagemap; see the kernel's Documentation/admin-guide/mm/pagemap.rst. */
#define PM_PRESENT ((uint64_t)1 << 63)
#define PM_SWAP ((uint64_t)1 << 62)
#define PM_FILE ((uint64_t)1 << 61)      /* of a file, or shared: nobody has written to this private page */
#define PM_EXCLUSIVE ((uint64_t)1 << 56) /* mapped here only: not one that is still shared with the zygote */

struct region {
	uintptr_t start, end;
	int prot;
};

enum trial_kind {
	TRIAL_WRITABLE,  /* all that is writable and private */
	TRIAL_READ_ONLY, /* of files: code, constants, what the linker has made read-only */
};

/** Show each mapping of this process to @see, by address; they last as long as the call. Returns false when they cannot be read. */
bool trial_mappings(void (*see)(void *arg, const struct rb_mapping *m), void *arg);

/** Private mappings of this process, by address, at most @max. Returns how many; 0 also when they cannot be listed. */
size_t trial_regions(struct region *regions, size_t max, enum trial_kind kind);

/**
 * In a child: @before(@arg) unless it is NULL, the rehearsal, @after(@arg). The child's results go into shared memory.
 * Returns whether all of it was done within a second. In the zygote, SIGCHLD blocked.
 */
bool trial_run(void (*before)(void *arg), bool (*after)(void *arg), void *arg);

/** Show each page's entry of @regions to @see; in a trial's child, or anywhere in the zygote. Returns false when they cannot be read. */
bool trial_pagemap(const struct region *regions, size_t n, void (*see)(void *arg, uintptr_t at, uint64_t entry), void *arg);

/** The same from @pagemap, which stays open. */
bool trial_pagemap_of(int pagemap, const struct region *regions, size_t n, void (*see)(void *arg, uintptr_t at, uint64_t entry),
	void *arg);

/** Whether nobody has written to @r, as a linker does that relocates code in place: such pages must not be dropped. */
bool trial_is_as_in_file(const struct region *r);

#endif
