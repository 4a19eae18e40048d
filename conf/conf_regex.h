/* SPDX-License-Identifier: Apache-2.0 */
/** Regular expressions of the configuration: PCRE2, compiled once, JIT where there is one, bounded work per match. */
#ifndef CONF_REGEX_H
#define CONF_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct conf_regex;
struct conf_regex_scratch; /* what matching writes to: one per thread */

/** Compile @pattern. NULL with the reason in @why. Freed by conf_regex_free(). */
struct conf_regex *conf_regex_new(const char *pattern, bool ignore_case, char *why, size_t cap);
void conf_regex_free(struct conf_regex *re);

/** What matching needs, for one thread; NULL when memory is out. Freed by conf_regex_scratch_free(). */
struct conf_regex_scratch *conf_regex_scratch_new(void);
void conf_regex_scratch_free(struct conf_regex_scratch *s);

/**
 * Whether @re is found anywhere in @text: 1, 0, GW_ERR_RANGE past the bound on work, GW_ERR_NOMEM. @scratch NULL makes one
 * for this call. Any thread with its own scratch.
 */
int conf_regex_match(const struct conf_regex *re, struct conf_regex_scratch *scratch, const char *text) GW_MUST_USE;

#define CONF_REGEX_GROUPS 10 /* the whole match, $0, and $1 to $9 */

/* What one group matched: offsets into the text; from > to is never so, and -1: it took no part. */
struct conf_regex_group {
	int64_t from, to;
};

/**
 * As conf_regex_match() for the @len octets at @text, from offset @start on ("^" is still the text's begin), with what
 * the groups matched in @groups.
 */
int conf_regex_exec(const struct conf_regex *re, struct conf_regex_scratch *scratch, const char *text, size_t len, size_t start,
	struct conf_regex_group groups[CONF_REGEX_GROUPS]) GW_MUST_USE;

#endif
