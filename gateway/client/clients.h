/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How much each client has of the server now: its connections and the requests it made lately. One table for all loops of a
 * front, of fixed size, spread over locks by a seeded hash. Trust argument: whoever comes with millions of addresses can
 * neither make it grow nor choose whose entries meet: an entry with a connection stays, of the others the one goes that
 * was used longest ago. A client is an address, or the network around it (LimitClientPrefix).
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct clients;
struct client;                   /* one client, in the table; stays while somebody has entered as it */

/**
 * A table that holds @live_max connections, and some ten thousand clients without one. @seed decides the hash: 16 octets
 * that nobody outside knows. NULL when memory is out. Freed by clients_free() when no thread uses it any more.
 */
struct clients *clients_new(const struct client_limits *lim, size_t live_max, const uint8_t seed[16]);
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
