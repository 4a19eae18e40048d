/* SPDX-License-Identifier: Apache-2.0 */
/** Regular expressions of the configuration: PCRE2, compiled once, JIT where there is one, bounded work per match. */
#ifndef CONF_REGEX_H
#define CONF_REGEX_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
