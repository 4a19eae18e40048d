/* SPDX-License-Identifier: Apache-2.0 */
/** What the processes of a running server are locked into, as the kernel says it: for -S and -k status. */
#ifndef RUNNING_H
#define RUNNING_H

#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/* What /proc/PID/status says of a process. Capability sets are bit masks, bit N is capability N. */
struct running_status {
	char name[32];           /* the process's own choice: escaped before it is shown */
	pid_t parent;
	uid_t uid;               /* effective */
	uint64_t cap_eff, cap_bnd;
	unsigned nnp;            /* 1: no new privileges */
	unsigned seccomp;        /* 0 off, 1 strict, 2 filter */
	unsigned filters;        /* loaded system call filters; 0 when the kernel does not say */
};

/**
 * Understand the text of /proc/PID/status. Returns 0, or GW_ERR_PROTO when a field that every kernel of ours has is
 * missing or malformed. Pure. Source: proc(5).
 */
int running_parse_status(const char *text, struct running_status *st) GW_MUST_USE;

/** Names of the capabilities in @mask without "cap_", joined by commas, or "none" or "all". Returns as buf_append(). */
int running_put_caps(struct buf *out, uint64_t mask) GW_MUST_USE;

/** Append the table of @master and all processes below it to @out. Returns 0, GW_ERR_NOMEM or GW_ERR_SYS. Reads /proc. */
int running_put(struct buf *out, pid_t master) GW_MUST_USE;

#endif
