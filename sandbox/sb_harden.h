/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What follows from a policy for the processes themselves, beside the filter: no new code in memory, no new tasks,
 * speculation off where programs run, who reaps orphans, whose signals may be sent. Between PHP's start and the filter in
 * the zygote, between fork and delta in a cell.
 */
#ifndef SB_HARDEN_H
#define SB_HARDEN_H

#include "gateway/base/err.h"
#include "sandbox/sb_policy.h"

struct sb_harden {
	struct sb_traits traits;
	int scope_fd; /* Landlock rule set that keeps a cell's signals to its own processes; -1: none needed or none here */
};

/**
 * In the zygote, after everything that writes code. What this kernel does not have is named in @off (text for the log,
 * "" when nothing is off, at most @len octets with its NUL); that is not an error.
 * Returns 0 or GW_ERR_SYS (*@step says what failed).
 */
int sb_harden_zygote(struct sb_harden *h, const struct sb_policy *p, char *off, size_t len, const char **step) GW_MUST_USE;

/** In a cell, before the delta; closes the rule set. Returns 0 or GW_ERR_SYS (*@step says what failed). Irreversible. */
int sb_harden_cell(const struct sb_harden *h, const char **step) GW_MUST_USE;

#endif
