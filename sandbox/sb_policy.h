/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What one site's cells may call: a profile with the site's SandboxAllow and SandboxDeny worked in, as one list of rows.
 *
 * SandboxAllow gives a call back as the laxest profile that knows it has it: where `legacy` looks at arguments, so does
 * the allowance. What lets a tenant leave the sandbox cannot be allowed at all: sb_never() says which and why.
 * SandboxDeny makes a call fail with EPERM in cells (the zygote keeps what it needs) and wins over SandboxAllow.
 */
#ifndef SB_POLICY_H
#define SB_POLICY_H

#include "gateway/base/err.h"
#include "sandbox/sb_profile.h"

/* Names as in libseccomp, borrowed. */
struct sb_changes {
	size_t allow_n, deny_n;
	const char *const *allow, *const *deny;
};

struct sb_policy {
	const struct sb_profile *profile;
	size_t rules_n;
	struct sb_rule *rules; /* owned */
	bool learn;            /* `learn`: what `strict` would not let through is told, see sb_learn.h */
};

/**
 * Work @changes (NULL for none) into profile @name. "learn" is `legacy` with violations that kill and everything that
 * SandboxAllow could give.
 * Returns 0, GW_ERR_NOMEM, GW_ERR_NOTFOUND (no such profile) or GW_ERR_DENIED (a change that is refused); *@why is
 * static, or the name of the call. Free with sb_policy_fini().
 */
int sb_policy_make(struct sb_policy *p, const char *name, const struct sb_changes *changes, const char **why) GW_MUST_USE;

/** Free the rows. A second call does no harm. */
void sb_policy_fini(struct sb_policy *p);

/** What one filter says to a call, the zygote's or the delta. Pure. */
enum sb_action sb_policy_filter_verdict(const struct sb_policy *p, bool delta, const char *name, const uint64_t args[6],
	const struct sb_pids *pids);

/** What a cell gets for a call: the verdict of both filters together. Pure. */
enum sb_action sb_policy_verdict(const struct sb_policy *p, const char *name, const uint64_t args[6],
	const struct sb_pids *pids);

/* What follows from the rows for the process itself; see sb_harden.h. */
struct sb_traits {
	bool tasks;     /* may start processes */
	bool threads;   /* may start threads */
	bool signals;   /* may signal other processes */
	bool code;      /* may make memory executable that was not */
	bool programs;  /* may execute programs */
	bool libraries; /* may map a file's code */
	bool faults;    /* may say what a memory fault does */
};

/** The traits of @p. Pure. */
struct sb_traits sb_policy_traits(const struct sb_policy *p);

/** Why SandboxAllow refuses a call, static text; NULL when it may be allowed. Pure. */
const char *sb_never(const char *name);

/** Why SandboxDeny refuses a call (no cell lives without), static text; NULL when it may be denied. Pure. */
const char *sb_needed(const char *name);

/** Number of a call on this machine, -1 when it has none, -2 when no call is named so. */
int sb_call_number(const char *name);

/** Name of call @nr, static, or NULL. One thread at a time. */
const char *sb_call_name(int nr);

#endif
