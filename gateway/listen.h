/* SPDX-License-Identifier: Apache-2.0 */
/** Listening sockets: bound by the master, kept over reloads, inherited by fronts. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>

#include "conf/conf.h"

/* The sockets of one configuration, in its order. */
struct listen_set {
	size_t n;
	int *fds;           /* owned */
	struct conf_addr *addrs;
};

/**
 * Sockets for @c: those of @old (may be NULL) that listen at the same address are shared, others are bound.
 * Returns 0, or GW_ERR_SYS / GW_ERR_NOMEM with the reason logged; then @out is empty and @old is as it was.
 */
int listen_open(struct listen_set *out, const struct conf *c, const struct listen_set *old) GW_MUST_USE;

/** Close the sockets that @keep (may be NULL) does not hold, and free the set. */
void listen_close(struct listen_set *s, const struct listen_set *keep);

#endif
