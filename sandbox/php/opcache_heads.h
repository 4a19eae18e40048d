/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Opcache writes to each script that a request includes: it counts hits, in the record that heads the script's memory. One
 * written page for each script is what a cell copies then, in every request. So the compiler moves those records, the
 * heads, behind one another into memory of their own, some eight to a page.
 *
 * Opcache's structures are not public. What is used of them: a head begins with the address of the script's name and holds
 * that of the script's memory, which is its own; nothing points into it; and the hash table's is the only pointer to it.
 * What does not look like that stays where it is; before PHP 8.1, which tells copies of the names, that is all of them.
 * Whether opcache agrees is tried afterwards: opcache_heads_hold().
 */
#ifndef BH_OPCACHE_HEADS_H
#define BH_OPCACHE_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPCACHE_HEADS_LEN ((size_t)2 * 1024 * 1024) /* octets: 4,000 scripts */

/* The memory of an image, as words. */
struct opcache_heads {
	uintptr_t *segment;      /* opcache's */
	size_t words;            /* of it that are in use */
	uintptr_t *heads;        /* OPCACHE_HEADS_LEN octets: zeros, or as the last image left them */
};

/**
 * Move the heads of the scripts whose names (zend_string) lie at @names, @names_n of them, which are put in order, as far as
 * there is room. Pure: touches that memory alone. Returns how many were moved; -1: out of memory, and nothing was.
 */
long opcache_heads_gather(const struct opcache_heads *h, uintptr_t *names, size_t names_n);

/** Calls @visit with the name (as in @names) of each that was moved last. */
void opcache_heads_each(const struct opcache_heads *h, void (*visit)(uintptr_t name));

/**
 * After opcache was asked for @asked of those that were moved last: false if it wrote to any of their places of before, or
 * to none of many in the new ones. (Of few, all files may have changed meanwhile.)
 */
bool opcache_heads_hold(const struct opcache_heads *h, size_t asked);

/** Octets in use at @heads, at most OPCACHE_HEADS_LEN whatever lies there. */
size_t opcache_heads_used(const uintptr_t *heads);

#endif
