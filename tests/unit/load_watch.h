/* SPDX-License-Identifier: Apache-2.0 */
/** What a cell does with rollback_watch(): loads it in front of a filter, here one that allows everything. */
#ifndef LOAD_WATCH_H
#define LOAD_WATCH_H

#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "sandbox/rollback/rollback.h"
#include "sandbox/sb_sigsys.h"

/** Returns 0; 1 where calls are not watched on this processor; -1 for an error. */
static inline int load_watch(void)
{
	struct sock_filter insns[ROLLBACK_WATCH_MAX + 1];
	size_t n = rollback_watch(insns);
	struct sock_fprog prog = {.len = (unsigned short)(n + 1), .filter = insns};

	if (n == 0)
		return 1;
	insns[n] = (struct sock_filter){.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	if (sb_sigsys_install() != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

#endif
