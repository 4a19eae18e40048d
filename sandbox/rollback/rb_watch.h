/* SPDX-License-Identifier: Apache-2.0 */
/** Which state a request has touched, so that the rest need not be looked at: see rb_watch.c. */
#ifndef RB_WATCH_H
#define RB_WATCH_H

#include <stdbool.h>

/* Kinds of state that change by watched calls only. */
enum rb_touched {
	RB_TOUCHED_SIGNALS = 1, /* actions of the standard signals, but SIGPROF */
	RB_TOUCHED_TIMERS = 2,  /* ITIMER_REAL and ITIMER_VIRTUAL */
	RB_TOUCHED_FDS = 4,     /* what the kept descriptors' numbers stand for, and whether they are closed on exec */
	RB_TOUCHED_ALL = 7
};

/** What has been touched since rb_watch_forget(); all of it where nobody watches. */
unsigned rb_watch_touched(void);

/** Once all is put back. */
void rb_watch_forget(void);

/** Whether what is done to descriptor @fd will be noticed, or nothing is. */
bool rb_watch_has(int fd);

/** A system call of ours, which is not watched. Returns what the kernel does: a negated errno for an error. */
long rb_watch_call(long number, long a0, long a1, long a2, long a3);

#endif
