/* SPDX-License-Identifier: Apache-2.0 */
/**
 * `SandboxProfile learn`: what a site calls beyond `strict`, and which profile or SandboxAllow would let it.
 *
 * A cell loads, besides the two filters that every cell has, a third one: what `strict` allows passes, everything else
 * stops the process until the zygote has looked at it (SECCOMP_RET_USER_NOTIF, seccomp_unotify(2)) and says "go on". The
 * zygote decides nothing: what must not happen is denied or killed by the other two filters, whose verdict is the
 * stricter one and comes without asking anybody. So it does not matter that arguments in memory could change meanwhile.
 */
#ifndef SB_LEARN_H
#define SB_LEARN_H

#include "sandbox/sb_filter.h"

/* What it takes to let a call through. */
enum sb_need { SB_NEED_STRICT, SB_NEED_PHP, SB_NEED_LEGACY, SB_NEED_ALLOW, SB_NEEDS };

extern const char *const sb_need_words[SB_NEEDS];

/* A call that stopped. */
struct sb_stopped {
	uint64_t id; /* for sb_learn_go_on() */
	int32_t nr;
	uint64_t args[6];
};

/** Load the learning filter for this thread. Returns the listener's descriptor (close-on-exec) or GW_ERR_SYS. */
int sb_learn_load(const struct sb_filter *f) GW_MUST_USE;

/** Fetch one stopped call. Returns 0, GW_ERR_AGAIN (the process died meanwhile) or GW_ERR_SYS. */
int sb_learn_receive(int listener, struct sb_stopped *out) GW_MUST_USE;

/** Let it go on to the kernel. A process that is gone meanwhile is no error. */
void sb_learn_go_on(int listener, const struct sb_stopped *s);

#endif
