/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Internet addresses and networks as values: one form for both families (an IPv4 address is ::ffff:a.b.c.d, RFC 4291
 * 2.5.5.2), so that comparing and counting need no second case. Pure, any thread.
 */
#ifndef BASE_IP_NET_H
#define BASE_IP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT_MAX 46 /* octets of an address as text, NUL included */

struct ip_addr {
	uint8_t b[16];
};

struct ip_net {
	struct ip_addr addr; /* bits behind the prefix are 0 */
	uint8_t bits;        /* 0 to 128; of an IPv4 network 96 more than people write */
};

/* Networks in no order; the array belongs to whoever made it. */
struct ip_nets {
	size_t n;
	const struct ip_net *v;
};

/** The address of @sa; its port in *@port unless NULL. False for a family without one (a unix socket). */
bool ip_from_sockaddr(const struct sockaddr *sa, struct ip_addr *out, uint16_t *port);

/** Whether it is an IPv4 address. */
bool ip_is_v4(const struct ip_addr *a);

/** Parse @len octets: "192.0.2.1" or "2001:db8::1", nothing around it. False when it is neither; *@out is then untouched. */
bool ip_parse(const char *s, size_t len, struct ip_addr *out);

/** As text for people and REMOTE_ADDR; @out holds IP_TEXT_MAX octets. Returns @out. */
const char *ip_text(const struct ip_addr *a, char *out);

/** Bits behind the prefix were set, which do not count, as in Apache: worth a warning. */
extern const char ip_net_behind[];

/**
 * Parse a network as Apache writes them: an address, address/bits, address/mask (IPv4), or the first octets of an IPv4
 * address ("10", "172.16"). Returns NULL, why not (static), or ip_net_behind with *@out set.
 */
const char *ip_net_parse(const char *s, struct ip_net *out);

/** The network of @bits (0 to 128) that @a lies in. */
struct ip_net ip_net_of(const struct ip_addr *a, unsigned bits);

/** Whether @a lies in @net, or in one of @nets. */
bool ip_net_has(const struct ip_net *net, const struct ip_addr *a);
bool ip_nets_have(const struct ip_nets *nets, const struct ip_addr *a);

/** Whether no client on the internet can have it: loopback, link-local, private, or IPv6 beyond 2000::/3 (RFC 1918, 3927, 4291). */
bool ip_is_private(const struct ip_addr *a);

#endif
