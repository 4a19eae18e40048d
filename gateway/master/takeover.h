/* SPDX-License-Identifier: Apache-2.0 */
/**
 * An upgrade between two masters: the old one starts the program anew, with its listening sockets and one end of a socket;
 * the new one says there why it cannot start, or that it serves. Descriptors are named in the environment, which nobody but
 * the old master sets for it:
 *   BULKHEAD_TAKEOVER="report=7 listen=8 listen=9 tickets=10"
 * "tickets" is a memory file with the keys of session tickets, so that sessions outlive the upgrade.
 * Octets from the new one: text of what went wrong; NUL: it serves; 'S' after that: it was told to stop, so should the old.
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/master/listen.h"

#define TAKEOVER_ENV "BULKHEAD_TAKEOVER"
#define TAKEOVER_SERVES '\0'
#define TAKEOVER_STOP 'S'

struct takeover {
	int report;      /* -1: nobody hands anything over */
	int tickets;     /* -1: none */
	size_t listens_n;
	int *listens;    /* owned */
};

/** The new master: what the environment hands over, which it is taken out of. Returns 0 (also when there is nothing),
 * GW_ERR_PROTO when it is not what an old master writes, GW_ERR_NOMEM. */
int takeover_read(struct takeover *t) GW_MUST_USE;

/** Read the environment's @text into @t; touches no descriptor. Returns as above. Pure. */
int takeover_parse(const char *text, struct takeover *t) GW_MUST_USE;

/** Say @octet to the old master; harmless without one. */
void takeover_tell(const struct takeover *t, char octet);

/** Forget it; closes what is left. */
void takeover_fini(struct takeover *t);

/**
 * The old master: start @program with @argv, the sockets of @st, @tickets (-1: none) and our environment. *@report (ours to
 * close) is where it speaks, non-blocking, until its end. It is a child of our parent's, so that a service manager can watch it,
 * and *@pidfd (ours to close) names it. Returns its process, or -1 with errno. One thread; not as process 1 of a namespace.
 */
pid_t takeover_start(const char *program, char *const *argv, const struct listen_stock *st, int tickets, int *report, int *pidfd);

#endif
