/* SPDX-License-Identifier: Apache-2.0 */
/** The zygote's loop: forks cells for the front, reaps them and says how they ended. */
#ifndef ZYGOTE_H
#define ZYGOTE_H

#include "gateway/base/err.h"
#include "sandbox/sb_enter.h"
#include "sandbox/spec.h"

/**
 * Before it is known whose zygote this becomes: prepare what does not depend on it, the filter of the default profile and
 * the arrangement of PHP's code.
 */
void zygote_warm(void);

/**
 * After PHP's start: load the filter, announce readiness on @chan and serve until the front closes it and the last cell
 * is gone. One thread only; refuses to begin with more. Returns 0, or an error with *@why a text for the log.
 */
int zygote_run(const struct spec *s, const struct sb_entry *entry, int chan, const char **why) GW_MUST_USE;

#endif
