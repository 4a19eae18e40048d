/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Listening sockets: bound by the master, kept over reloads and upgrades, inherited by fronts. The stock owns every
 * descriptor; each configuration has a set of them. A socket whose last serving configuration has gone, but which an old
 * front still holds, listens no more and stays bound: clients are refused at once, and a configuration that wants the
 * address back gets it. Master only.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

struct listen_socket {
	int fd;
	struct conf_addr addr;    /* text NULL */
	unsigned users, serving;  /* sets that have it; those of them that are not retired */
	bool quiet;               /* bound, not listening */
};

struct listen_stock {
	size_t n;
	struct listen_socket *v;
	bool shared;              /* another master listens on them as well: what is done to one would be done to it */
};

/* The sockets of one configuration, in its order. */
struct listen_set {
	size_t n;
	int *fds;
	bool retired;
};

/** Take inherited listening socket @fd into @st, which is shared then, for the first configuration that has its address. Returns 0, GW_ERR_NOMEM,
 * or GW_ERR_PROTO when it is not a listening socket; then @fd stays the caller's. */
int listen_adopt(struct listen_stock *st, int fd) GW_MUST_USE;

/**
 * Sockets for @c: those of @st that are bound to the same address, others are bound now.
 * Returns 0, or GW_ERR_SYS / GW_ERR_NOMEM with the reason logged; then @out is empty and @st is as it was.
 */
int listen_open(struct listen_set *out, const struct conf *c, struct listen_stock *st) GW_MUST_USE;

/** @s serves no more: its front drains, or never came up. Once for each set; later calls do nothing. */
void listen_retire(struct listen_set *s, struct listen_stock *st);

/** Free the set; what no other one has is closed. */
void listen_close(struct listen_set *s, struct listen_stock *st);

/** Close what no set has: what was adopted and not wanted. Unless the stock is shared they end for everybody who has them. */
void listen_trim(struct listen_stock *st);

#endif
