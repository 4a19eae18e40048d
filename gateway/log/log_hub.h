/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Logs that no front holds a descriptor of: those of servers with very many of them, programs behind a pipe, syslog. Lines
 * go to the log process (log_writer.h) over one socket; the master opens what that asks for, by number, and starts the
 * programs. All generations share it, so two fronts' lines do not mix in a pipe. Master only; one thread.
 */
#ifndef LOG_HUB_H
#define LOG_HUB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "gateway/base/kept_proc.h"
#include "gateway/base/loop.h"

struct hub_log;
struct hub_ending;

#define LOG_HUB_CHAINS 4096

struct log_hub {
	struct loop *loop;
	bool privileged;
	struct conf_ids ids;         /* whom the log process runs as; groups are not taken over */
	size_t n;
	struct hub_log **v;          /* by number; NULL: free */
	size_t free_n;               /* of those */
	struct hub_ending *ending;   /* programs that have seen the end of their input */
	struct loop_timer sweep;     /* of what nobody has any more */
	uint32_t first[LOG_HUB_CHAINS]; /* number + 1 of the first in each chain of equal hash; 0: none */
	int data[2];                 /* where lines go in, where the log process reads; -1 */
	struct kept_proc proc;       /* the log process */
	struct loop_io chan;         /* to it; fd -1: none */
};

/** Nothing is started before something is acquired. Caller storage. */
void log_hub_init(struct log_hub *h, struct loop *l, bool privileged);

/** The number of @f, for lines; given back with log_hub_release(). Starts what it takes. Returns 0, or GW_ERR_NOMEM, GW_ERR_SYS,
 * GW_ERR_DENIED with *@why. */
int log_hub_acquire(struct log_hub *h, const struct conf *c, const struct conf_log_file *f, uint32_t *id, const char **why) GW_MUST_USE;

/** Give it back. It goes some seconds later, when its last lines are written, or is there still for who wants it again. */
void log_hub_release(struct log_hub *h, uint32_t id);

/** Where lines go in, non-blocking; -1 while nothing was acquired. */
int log_hub_fd(const struct log_hub *h);

/** Files are opened anew with their next line. */
void log_hub_reopen(struct log_hub *h);

/** Child @pid ended: true when it was one of ours. */
bool log_hub_reaped(struct log_hub *h, pid_t pid, int status);

/** No line comes any more: wait some seconds until all are written and programs have ended, and free. */
void log_hub_end(struct log_hub *h);

#endif
