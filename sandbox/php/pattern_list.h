/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The regular expressions that a site's requests use again and again, as its zygote remembers them. Pure: no system call.
 * What comes in was written by the site's scripts: number and length are bounded, and one that is met once is nobody's
 * habit. One that ends the process which compiles it is left alone after a while: cells note what they are at.
 */
#ifndef BH_PATTERN_LIST_H
#define BH_PATTERN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERNS_MAX 1024
#define PATTERNS_TEXT_MAX (128 * 1024) /* octets of all, each with its NUL */
#define PATTERNS_MET 4096              /* slots for those that were met once; a power of two */
#define PATTERNS_TRIES_MAX 64          /* cells that begin at the same time, or did not survive: more leave it alone */

/* In memory that the zygote and beginning cells share. */
struct pattern_list {
	size_t n, text_n;
	uint16_t at_work[PATTERNS_MAX];  /* cells that began to compile it and have not said that they are done */
	char text[PATTERNS_TEXT_MAX];    /* NUL-terminated, with delimiters and modifiers, as scripts write them */
};

/* In the zygote's own. All zeros: none was met. */
struct pattern_met {
	uint64_t hashes[PATTERNS_MET];
};

/** Whether @pattern begins as one with delimiters does, with a mark that is no backslash; PHP complains of others. */
bool pattern_is_good(const char *pattern);

/** @pattern, good, was met in a request. Returns whether it is new in @list: met for the second time, and there is room. */
bool pattern_list_note(struct pattern_list *list, struct pattern_met *met, const char *pattern);

/**
 * Call @compile for each until @go_on says no. One of which it says false, not worth it, is left alone from then on. Any
 * process that has @list; several may do so at the same time.
 */
void pattern_list_each(struct pattern_list *list, bool (*compile)(const char *pattern, size_t len), bool (*go_on)(void));

#endif
