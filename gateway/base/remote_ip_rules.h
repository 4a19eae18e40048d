/* SPDX-License-Identifier: Apache-2.0 */
/** Which proxies are believed about the client that they speak for: what the configuration says and gateway/http/remote_ip.h follows. */
#ifndef BASE_REMOTE_IP_RULES_H
#define BASE_REMOTE_IP_RULES_H

#include "gateway/base/ip_net.h"

enum remote_ip_trust {
	REMOTE_IP_NONE,              /* a client like any other */
	REMOTE_IP_TRUSTED,           /* a proxy; what it says is believed unless no client on the internet can have the address */
	REMOTE_IP_INTERNAL           /* a proxy; any address that it names is believed, and it is not listed itself */
};

struct remote_ip_proxy {
	struct ip_net net;
	enum remote_ip_trust trust;
};

struct remote_ip_rules {
	const char *header;           /* lower-case name of the field; NULL: no field is believed */
	const char *proxies_header;   /* the field that gets the list of proxies passed, as written; NULL: none */
	size_t proxies_n;
	const struct remote_ip_proxy *proxies; /* the first match counts */
	enum remote_ip_trust unix_peers;       /* who connects over a unix socket */
};

#endif
