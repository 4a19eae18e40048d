/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Tells which system call a violation was: waitpid(2) only says SIGSYS. The filter traps, the handler here notes the
 * number and the arguments in memory shared with the zygote, and the process dies. What the slot holds was written by the
 * process that broke the rules, or by another of its site: numbers for the log, nothing more.
 */
#ifndef SB_SIGSYS_H
#define SB_SIGSYS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"

#define SB_SLOT_EMPTY (-1)

struct sb_slot {
	volatile int32_t number; /* SB_SLOT_EMPTY: no violation */
	volatile uint64_t args[6];
	volatile char script[192]; /* while learning: what the cell says that it runs */
};

/** Install the handler; forked children inherit it. Returns 0 or GW_ERR_SYS. */
int sb_sigsys_install(void) GW_MUST_USE;

/** Where this process notes its violation (shared memory, outlives the process); NULL for nowhere. */
void sb_sigsys_set_slot(struct sb_slot *slot);

/**
 * Who is asked first about a call that a filter has trapped, on the caller's stack and with all signals blocked: whether it
 * was no violation and the caller shall go on, with the result that @context says. Async-signal-safe.
 */
typedef bool sb_sigsys_watch_fn(const siginfo_t *info, void *context);
void sb_sigsys_set_watch(sb_sigsys_watch_fn *watch);

#endif
