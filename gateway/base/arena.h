/* SPDX-License-Identifier: Apache-2.0 */
/** Bump allocator: everything that lives as long as one request or one configuration is freed in one call. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "gateway/base/err.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* newest block, owned */
	char *next, *end;         /* free range of the newest block */
};

/** An empty arena; allocates nothing yet. Caller storage. */
void arena_init(struct arena *a);

/** Free every allocation of the arena. */
void arena_fini(struct arena *a);

/** Free every allocation but keep one block for reuse (a connection's next request). */
void arena_reset(struct arena *a);

/** Octets of memory that it holds. */
size_t arena_octets(const struct arena *a);

/** @n octets, aligned for any type, not zeroed. NULL when memory is out. Owned by the arena. */
void *arena_alloc(struct arena *a, size_t n) GW_MUST_USE;

/** @count * @size octets, zeroed. NULL when memory is out or the product overflows. */
void *arena_calloc(struct arena *a, size_t count, size_t size) GW_MUST_USE;

/** A NUL-terminated copy of @n octets at @s. NULL when memory is out. */
char *arena_strndup(struct arena *a, const char *s, size_t n) GW_MUST_USE;

/** A copy of the C string @s. NULL when memory is out. */
char *arena_strdup(struct arena *a, const char *s) GW_MUST_USE;

/** Formatted text in the arena. NULL when memory is out. */
char *arena_printf(struct arena *a, const char *fmt, ...) GW_PRINTF(2, 3) GW_MUST_USE;

#endif
