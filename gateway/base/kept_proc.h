/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A process of the master's that is to be there for good: a front, the log process, a mail process, a program that logs are
 * piped to. When it ends another is started: at once for the first few times, then after 1, 2, 4 ... 60 seconds; one that lived
 * for a minute begins with a clean record. The owner forks it, reaps it, and says when it is wanted no more. Master only.
 */
#ifndef KEPT_PROC_H
#define KEPT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"

struct kept_proc;

struct kept_kind {
	const char *what;         /* in the log: "the mail process" */
	unsigned at_once;         /* so many ends in a row cost no wait */
	enum log_level severity;  /* of the line about an end */
	/* Fork it. Returns its process, or minus enum gw_err with the reason logged. */
	pid_t (*start)(struct kept_proc *p);
};

struct kept_proc {
	const struct kept_kind *kind;
	const char *name;         /* which of its kind, for the log; or NULL. Borrowed */
	struct loop *loop;
	pid_t pid;                /* 0: none now */
	uint64_t started_ms;      /* the last one's start */
	unsigned failures;        /* in a row: ends soon after a start, and starts that failed */
	struct loop_timer restart;
};

/** Nothing is started yet. Caller storage. */
void kept_proc_init(struct kept_proc *p, const struct kept_kind *kind, struct loop *l);

/** Start it. When that fails (returns minus enum gw_err, logged) nothing more is done by itself. */
int kept_proc_start(struct kept_proc *p) GW_MUST_USE;

/** Start it, and when that fails, try again later. */
void kept_proc_keep(struct kept_proc *p);

/** Whether another one is going to be started. */
bool kept_proc_waits(const struct kept_proc *p);

/** Child @pid ended: true when it was this one, which is gone then. The owner closes what it had with it and calls the next. */
bool kept_proc_ended(struct kept_proc *p, pid_t pid);

/** It ended with @status and is still wanted: says so in the log, and starts another when its time has come. */
void kept_proc_again(struct kept_proc *p, int status);

/** No other one is started. */
void kept_proc_stop(struct kept_proc *p);

/** SIGKILL, if there is one. */
void kept_proc_kill(const struct kept_proc *p);

/** In the child: what the master is told by signal is not for it; @also (0 at its end) neither. None is blocked. */
void kept_proc_signals(const int *also);

/** Seconds until the next start, after @failures in a row of which @at_once cost nothing. Pure. */
unsigned kept_proc_delay_s(unsigned failures, unsigned at_once);

/** How a process ended, for the log: "exited with status 1". */
void kept_proc_how(int status, char *out, size_t size);

#endif
