/* SPDX-License-Identifier: Apache-2.0 */
/** What conf's files share: arrays and tables that live in an arena, nearest names, path spelling. Private to conf/. */
#ifndef CONF_UTIL_H
#define CONF_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf_diag.h"
#include "gateway/base/arena.h"
#include "gateway/base/err.h"

/**
 * Room for element @n (counting from 0) of an array of @n elements of @size octets at @v, which was built only by this
 * function: capacities are powers of two, so none is stored. The elements are kept; the new one is not initialised.
 * Returns the array, which may have moved, or NULL when memory is out.
 */
void *conf_push(struct arena *a, const void *v, size_t n, size_t size) GW_MUST_USE;

/* Hash table from (tag, octets) to a pointer; keys are borrowed, memory is the arena's. */
struct conf_map_slot {
	const char *key;
	uint32_t len, tag;
	void *value;      /* never NULL in a used slot */
};

struct conf_map {
	struct arena *a;
	size_t n, cap;    /* cap is 0 or a power of two */
	struct conf_map_slot *slots;
};

/** Empty; caller storage, memory from @a (borrowed). */
void conf_map_init(struct conf_map *m, struct arena *a);

/** The value, or NULL. Any thread while nobody writes. */
void *conf_map_get(const struct conf_map *m, uint32_t tag, const char *key, size_t len);

/** Add or replace; @value must not be NULL, @key must outlive the map. Returns 0 or GW_ERR_NOMEM. */
int conf_map_put(struct conf_map *m, uint32_t tag, const char *key, size_t len, void *value) GW_MUST_USE;

/* The nearest of some candidates to a misspelt word, by edit distance with transpositions, ignoring ASCII case. */
struct conf_suggest {
	const char *word;
	const char *best; /* NULL while nothing is near enough to be worth saying; borrowed from the candidates */
	unsigned distance;
};

/** Begin to look for the name nearest to @word (borrowed); then conf_suggest_try() each candidate. */
void conf_suggest_init(struct conf_suggest *s, const char *word);
void conf_suggest_try(struct conf_suggest *s, const char *candidate);

/** "; did you mean X?" in @out, or "". Returns @out. */
const char *conf_suggest_text(const struct conf_suggest *s, char *out, size_t cap);

/**
 * @path made absolute (below @base when relative), without "//", "/./", "/../" and without a slash at the end ("/" for
 * the root). Spelling only: the file system is not asked. NULL when memory is out.
 */
char *conf_path(struct arena *a, const char *base, const char *path) GW_MUST_USE;

/** Number of segments of a path as conf_path() gives it: 0 for "/". */
unsigned conf_path_components(const char *path);

/** Lower-case copy (ASCII). NULL when memory is out. */
char *conf_lower(struct arena *a, const char *s) GW_MUST_USE;

/** Whether @s holds a wildcard of fnmatch(3). */
bool conf_is_wild(const char *s);

/** Order @d by place. */
void conf_diags_sort(struct conf_diags *d);

#endif
