/* SPDX-License-Identifier: Apache-2.0 */
/** Giving up the ids and capabilities a process was started with, and making sure that they are gone. */
#ifndef SB_CRED_H
#define SB_CRED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/err.h"

struct sb_cred {
	uid_t uid;
	gid_t gid;
	size_t groups_n;
	const gid_t *groups; /* supplementary, borrowed */
};

/** Empty the bounding and ambient sets, lock securebits. Needs CAP_SETPCAP. Returns 0 or GW_ERR_SYS. Irreversible. */
int sb_cred_drop_bounding(void) GW_MUST_USE;

/**
 * Give up every capability but the @n of @caps (numbers of linux/capability.h), for this process and all that it starts:
 * bounding, permitted and effective set become the list or what is held of it, inheritable and ambient become empty.
 * Needs CAP_SETPCAP. Returns 0, GW_ERR_SYS, GW_ERR_NOMEM, or GW_ERR_DENIED when the kernel says otherwise afterwards.
 * Irreversible. One thread. Source: capabilities(7).
 */
int sb_cred_keep(const int *caps, size_t n) GW_MUST_USE;

/** Become @c's user: groups, gid, uid, in this order. Returns 0 or GW_ERR_SYS. Irreversible. One thread. */
int sb_cred_become(const struct sb_cred *c) GW_MUST_USE;

/** Empty the permitted, effective and inheritable sets. Returns 0, GW_ERR_SYS or GW_ERR_NOMEM. */
int sb_cred_clear_caps(void) GW_MUST_USE;

/** Look at what the process is now and try the way back. Returns 0, GW_ERR_SYS, GW_ERR_NOMEM, or GW_ERR_DENIED when it is not @c. */
int sb_cred_check_ids(const struct sb_cred *c) GW_MUST_USE;

/** Whether all capability sets are empty, the bounding set included with @bounding_too. Returns as sb_cred_check_ids(). */
int sb_cred_check_caps(bool bounding_too) GW_MUST_USE;

/**
 * All of it for a role that needs no right at all: no core files, then, when started @privileged, the bounding set and @c's
 * user; no capabilities, no way up; what the kernel says afterwards. Returns 0, or as the step that failed, which *@step
 * names. Irreversible, and undefined after an error: the process must exit. One thread.
 */
int sb_cred_drop(const struct sb_cred *c, bool privileged, const char **step) GW_MUST_USE;

/** No new privileges, not dumpable; verified. Returns 0, GW_ERR_SYS or GW_ERR_DENIED. Irreversible. */
int sb_cred_no_way_up(void) GW_MUST_USE;

#endif
