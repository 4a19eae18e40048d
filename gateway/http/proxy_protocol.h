/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The PROXY protocol, versions 1 and 2: what a proxy says, before anything else on a connection, of the client that it
 * speaks for. Pure: octets in, addresses out. Source: "The PROXY protocol", haproxy.org, 2020/03/05 revision.
 */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/ip_net.h"

#define PROXY_V1_MAX 107          /* octets of a version 1 line, its end included */
#define PROXY_V2_MAX (16 + 2048)  /* octets of a version 2 header that we read: addresses and a proxy's extensions */

struct proxy_info {
	bool known;                    /* else the addresses of the connection itself count: a health check, or UNKNOWN */
	struct ip_addr client, server; /* who asks, and whom it asked; when known */
	uint16_t client_port, server_port;
};

/**
 * Read a header at the start of @in, which holds all octets received so far.
 * Returns octets of the header (version 2's extensions included, which are passed over), 0 when more are needed,
 * GW_ERR_NOTFOUND when what is there is no such header (the client speaks for itself), GW_ERR_PROTO when it is a broken
 * one; *@why, when not NULL, then says what is wrong (static). *@out is written on success only. Never asks for more
 * than PROXY_V2_MAX octets.
 */
ssize_t proxy_parse(const uint8_t *in, size_t len, struct proxy_info *out, const char **why) GW_MUST_USE;

#endif
