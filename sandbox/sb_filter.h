/* SPDX-License-Identifier: Apache-2.0 */
/** A site's policy compiled to a BPF program by libseccomp: once per zygote, then only loaded. */
#ifndef SB_FILTER_H
#define SB_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "sandbox/sb_policy.h"

enum sb_filter_kind {
	SB_FILTER_ZYGOTE,
	SB_FILTER_DELTA,
	SB_FILTER_LEARN /* what the policy allows whatever the role passes, the rest is told: see sb_learn.h */
};

struct sb_filter {
	struct sock_filter *insns; /* owned, freed by sb_filter_fini() */
	unsigned short insns_n;
};

/**
 * Compile @p. Wrong architectures (32-bit and x32 calls) kill the process at once.
 * Returns 0, GW_ERR_NOMEM, GW_ERR_SYS or GW_ERR_RANGE (a rule libseccomp refuses, or a program too long); @why is a
 * static text or the name of the offending call.
 */
int sb_filter_build(struct sb_filter *f, const struct sb_policy *p, enum sb_filter_kind kind, const char **why) GW_MUST_USE;

/** Put @pid where the rules compare with the own process; call in the process that will load. */
void sb_filter_set_pid(struct sb_filter *f, uint32_t pid);

/** Put @pid where the rules speak of the zygote; call there, before it forks a cell. */
void sb_filter_set_zygote(struct sb_filter *f, uint32_t pid);

/** Load for this thread (the only one). Needs no_new_privs. Irreversible. Returns 0 or GW_ERR_SYS. */
int sb_filter_load(const struct sb_filter *f) GW_MUST_USE;

/**
 * As sb_filter_load(), with @n instructions (0: none) in front that lead behind their last one where they decide nothing.
 * Returns 0 or GW_ERR_SYS (errno E2BIG: too many).
 */
int sb_filter_load_behind(const struct sock_filter *first, size_t n, const struct sb_filter *f) GW_MUST_USE;

/** Free the program, loaded or not. A second call does no harm. */
void sb_filter_fini(struct sb_filter *f);

#endif
