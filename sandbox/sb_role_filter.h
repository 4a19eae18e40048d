/* SPDX-License-Identifier: Apache-2.0 */
/**
 * System call filters of the server's own roles (front, log process, mail process): a list of what a role does once it
 * runs. Everything else fails with EPERM, and what only somebody else's code calls kills. Sites have sb_filter.h.
 */
#ifndef SB_ROLE_FILTER_H
#define SB_ROLE_FILTER_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

/* A call that is allowed where (argument & mask) == value; several rows of one call: any of them. */
struct sb_role_bound {
	int call;
	unsigned arg;
	uint32_t mask, value;
};

struct sb_role_filter {
	const int *allowed, *fatal;           /* whatever the arguments; kills the process */
	const struct sb_role_bound *bound;
	size_t allowed_n, fatal_n, bound_n;
	int (*more)(scmp_filter_ctx ctx);     /* rules on several arguments, or that are known at run time; 0 or libseccomp's error */
	bool all_threads;                     /* also for threads that run already */
};

/**
 * Load @f for the calling thread, or for all. Irreversible; needs no_new_privs. Wrong architectures kill the process. In a
 * sanitizer build nothing is loaded: its run-time's own calls are not ours to list. Returns 0 or GW_ERR_SYS.
 */
int sb_role_filter_load(const struct sb_role_filter *f) GW_MUST_USE;

#endif
