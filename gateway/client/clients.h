/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How much each client has of the server now: its connections and the requests it made lately. One table for all loops of all
 * fronts, in a memory file of fixed size that the master makes: a reload's new front goes on with it, and counts what the old
 * ones still hold. Spread by a seeded hash over sets of a few entries, which nothing links: whoever comes with millions of
 * addresses can neither make it grow nor choose whose entries meet, and whatever a front leaves behind when it dies, others
 * can read. An entry with a connection stays, of the others in a set the one goes that was used longest ago. A client is an
 * address, or the network around it (LimitClientPrefix).
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/ip_net.h"

struct client_limits {
	unsigned connections;    /* at once; 0: any */
	uint64_t request_us;     /* time that one request costs; 0: any number of requests */
	uint64_t burst_us;       /* how far a client may be ahead of what it has paid; at least request_us */
	unsigned v4_bits, v6_bits;
};

enum client_verdict {
	CLIENT_OK,
	CLIENT_OVER,             /* it has all that it may have */
	CLIENT_FULL              /* the table has no room left for one more client with a connection */
};

#define CLIENTS_SLOTS 5          /* fronts whose connections are counted apart */

struct clients;
struct client;                   /* one client, in the table; stays while somebody has entered as it */

/**
 * Memory for a table that holds @live_max connections, and some thirty thousand clients without one. Returns a descriptor
 * (close-on-exec, of a size that nobody can change), or -1 with errno. See memfd_create(2).
 */
int clients_mem_new(size_t live_max);

/** Whoever counted connections in @slot of the memory @fd is gone. Writes one number and reads nothing. Returns 0 or GW_ERR_SYS. */
int clients_mem_forget(int fd, unsigned slot) GW_MUST_USE;

/**
 * The table in the memory @fd, which may be closed then. Our connections count in @slot; several fronts may share one, but
 * then it can be forgotten only for all of them. NULL when it is no such memory, or memory is out. Freed by clients_free()
 * when no thread uses it any more.
 */
struct clients *clients_new(const struct client_limits *lim, int fd, unsigned slot);
void clients_free(struct clients *t);

/**
 * One connection more of @a at @now_us (of a steady clock): *@out is then to be given to clients_leave(). Otherwise *@out is
 * NULL; *@tell says whether the refusal is worth a line in the log: once a minute for a client, and few in all. Any thread.
 */
enum client_verdict clients_enter(struct clients *t, const struct ip_addr *a, uint64_t now_us, struct client **out, bool *tell);

/** The connection is gone. NULL is accepted. Any thread. */
void clients_leave(struct clients *t, struct client *c);

/**
 * One request of @c, who has entered. When it is one too many, *@retry_s says after how many seconds one would not be, and
 * *@tell as above. No lock, any thread.
 */
bool clients_request(struct clients *t, struct client *c, uint64_t now_us, unsigned *retry_s, bool *tell);

#endif
