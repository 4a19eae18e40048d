/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who a client is when proxies stand between: the field in which each proxy names the one that asked it, believed only
 * as far as the proxies are known. Pure. Source: the behaviour of Apache's mod_remoteip, but that without a list of
 * proxies nobody is believed.
 */
#ifndef REMOTE_IP_H
#define REMOTE_IP_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/remote_ip_rules.h"
#include "gateway/http/req_fields.h"

#define REMOTE_IP_HOPS_MAX 32    /* proxies that are passed; the address found there is the client's */
#define REMOTE_IP_PROXIES_MAX (REMOTE_IP_HOPS_MAX * (IP_TEXT_MAX + 2))

struct remote_ip_found {
	struct ip_addr client;
	char proxies[REMOTE_IP_PROXIES_MAX];   /* trusted proxies passed, nearest first, ", " between; "" when there is none */
	const char *why;                       /* why no more was believed (static), NULL when nothing was wrong */
};

/** What @peer (NULL: a unix socket) is by @rules. */
enum remote_ip_trust remote_ip_trust(const struct remote_ip_rules *rules, const struct ip_addr *peer);

/**
 * Follow the field back from @peer (NULL: a unix socket) as far as it is believed, from its last address to its first.
 * True when an address was taken: then @found holds the client, and what was used is cut off the field in @f, so that
 * scripts see only what nobody vouches for. False: nothing changed but @found->why. What is no address ends the walk.
 */
bool remote_ip_take(const struct remote_ip_rules *rules, const struct ip_addr *peer, struct req_fields *f,
	struct remote_ip_found *found);

#endif
