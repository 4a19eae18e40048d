/* SPDX-License-Identifier: Apache-2.0 */
/** Addresses as the configuration writes them. Private to conf/. */
#ifndef CONF_ADDR_H
#define CONF_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

enum conf_addr_want { /* bits: what is accepted */
	CONF_ADDR_UNIX = 1,       /* unix:/path */
	CONF_ADDR_NAME = 2,       /* a host name: asks the resolver, first answer */
	CONF_ADDR_PORT_ONLY = 4,  /* "80" */
	CONF_ADDR_ANY = 8,        /* "*" for the host: out->u.sa.sa_family is AF_UNSPEC, the port in out's IPv4 place */
	CONF_ADDR_NO_PORT = 16    /* the port may be missing or "*": 0 */
};

/**
 * Parse host:port, [v6]:port and what @want allows into @out (its text in @a).
 * Returns NULL, or why not (static text, or the arena's).
 */
const char *conf_addr_parse(struct arena *a, const char *text, unsigned want, struct conf_addr *out);

/** Port of an IPv4, IPv6 or unspecified address; 0 otherwise. */
unsigned conf_addr_port(const struct sockaddr *sa);

/**
 * Octets that identify the host of @sa (an IPv4 address mapped into IPv6 is the IPv4 address): 4 or 16 into @out,
 * or 0 for any other family.
 */
size_t conf_addr_host(const struct sockaddr *sa, unsigned char out[16]);

#endif
