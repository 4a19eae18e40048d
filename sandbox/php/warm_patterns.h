/* SPDX-License-Identifier: Apache-2.0 */
/**
 * PHP's cache of compiled regular expressions in a cell that is rolled back. It is empty at the point, and so in every
 * request, which then compiles each expression anew. So the zygote remembers what several requests used, and a cell
 * compiles that before the point, to machine code where that can be. Only the expressions: never what they were matched against.
 */
#ifndef BH_WARM_PATTERNS_H
#define BH_WARM_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

/** In the zygote, before the first cell. Returns 0 or GW_ERR_SYS. */
int warm_patterns_start(void) GW_MUST_USE;

/** In the zygote: a cell says that a request used @pattern. Returns whether cells compile it from now on and did not before. */
bool warm_patterns_note(const char *pattern);

/**
 * Behind PHP's start: from here on pcre.jit, which scripts may set, decides nothing. PCRE can make machine code in
 * warm_patterns_compile() only, and does if the setting was on.
 */
void warm_patterns_take_setting(void);

/**
 * In a cell, once, before the point: compile them, for a few milliseconds at most. The list is gone afterwards.
 * Returns 0, or an error of jit_code_end(), after which the process must not go on.
 */
int warm_patterns_compile(void) GW_MUST_USE;

/** In a cell behind a request: @tell of each expression that the request used and that was not known. */
void warm_patterns_report(void (*tell)(const char *pattern, size_t len));

#endif
