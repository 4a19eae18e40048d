/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/ip_net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define V4_PREFIX 96 /* bits before an IPv4 address */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct ip_addr from_v4(const void *four)
{
	struct ip_addr a;

	memcpy(a.b, mapped, sizeof(mapped));
	memcpy(a.b + sizeof(mapped), four, 4);
	return a;
}

bool ip_from_sockaddr(const struct sockaddr *sa, struct ip_addr *out, uint16_t *port)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		*out = from_v4(&v4.sin_addr);
		if (port != NULL)
			*port = ntohs(v4.sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(out->b, &v6.sin6_addr, sizeof(out->b));
		if (port != NULL)
			*port = ntohs(v6.sin6_port);
		return true;
	}
	return false;
}

bool ip_is_v4(const struct ip_addr *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool ip_parse(const char *s, size_t len, struct ip_addr *out)
{
	char text[IP_TEXT_MAX];
	uint8_t four[4];

	if (len == 0 || len >= sizeof(text) || memchr(s, '\0', len) != NULL)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, four) == 1) {
		*out = from_v4(four);
		return true;
	}
	return inet_pton(AF_INET6, text, out->b) == 1;
}

const char *ip_text(const struct ip_addr *a, char *out)
{
	bool v4 = ip_is_v4(a);

	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + sizeof(mapped) : a->b, out, IP_TEXT_MAX) == NULL)
		out[0] = '\0';
	return out;
}

/* --- networks ---------------------------------------------------------------------------------------------------------- */

static uint8_t mask_at(unsigned bits, unsigned octet)
{
	unsigned left = bits > 8 * octet ? bits - 8 * octet : 0;

	return left >= 8 ? 0xff : (uint8_t)(0xff00U >> left);
}

struct ip_net ip_net_of(const struct ip_addr *a, unsigned bits)
{
	struct ip_net n = {.addr = *a, .bits = (uint8_t)bits};

	for (unsigned i = bits / 8; i < sizeof(n.addr.b); i++)
		n.addr.b[i] &= mask_at(bits, i);
	return n;
}

bool ip_net_has(const struct ip_net *net, const struct ip_addr *a)
{
	unsigned whole = net->bits / 8;

	if (memcmp(net->addr.b, a->b, whole) != 0)
		return false;
	return whole == sizeof(a->b) || (a->b[whole] & mask_at(net->bits, whole)) == net->addr.b[whole];
}

bool ip_nets_have(const struct ip_nets *nets, const struct ip_addr *a)
{
	for (size_t i = 0; i < nets->n; i++)
		if (ip_net_has(&nets->v[i], a))
			return true;
	return false;
}

/* A number of at most three digits up to @max; -1 when there is none. *@s moves behind it. */
static int small_number(const char **s, int max)
{
	int v = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++)
		v = v * 10 + (**s - '0');
	return digits == 0 || digits > 3 || v > max ? -1 : v;
}

/* "10", "172.16", "192.168.1.": the first octets of an address, the rest being free. Returns how many, 0 for none. */
static unsigned partial_v4(const char *s, uint8_t four[4])
{
	unsigned n = 0;

	memset(four, 0, 4);
	while (n < 4) {
		int v = small_number(&s, 255);
		if (v < 0)
			return 0;
		four[n++] = (uint8_t)v;
		if (*s == '\0' || (*s == '.' && s[1] == '\0'))
			return n;
		if (*s++ != '.')
			return 0;
	}
	return 0;
}

/* Bits of an IPv4 mask such as 255.255.0.0, or -1. */
static int mask_bits(const char *s)
{
	struct in_addr in;

	if (inet_pton(AF_INET, s, &in) != 1)
		return -1;
	uint32_t m = ntohl(in.s_addr);
	int bits = m == 0 ? 0 : 32 - __builtin_ctz(m);
	return m == (bits == 0 ? 0 : UINT32_MAX << (32 - bits)) ? bits : -1;
}

const char ip_net_behind[] = "has bits set behind its prefix, which do not count: the network is meant";

const char *ip_net_parse(const char *s, struct ip_net *out)
{
	const char *slash = strchr(s, '/'), *p;
	size_t len = slash != NULL ? (size_t)(slash - s) : strlen(s);
	struct ip_addr a;
	uint8_t four[4];
	int bits = 128;

	if (!ip_parse(s, len, &a)) {
		unsigned octets = slash == NULL ? partial_v4(s, four) : 0;
		if (octets == 0)
			return "is no address: write 192.0.2.1, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32";
		a = from_v4(four);
		*out = ip_net_of(&a, V4_PREFIX + 8 * octets);
		return NULL;
	}
	if (slash != NULL) {
		bool v4 = ip_is_v4(&a) && memchr(s, ':', len) == NULL;
		p = slash + 1;
		bits = small_number(&p, v4 ? 32 : 128);
		if (*p != '\0')
			bits = v4 ? mask_bits(slash + 1) : -1;
		if (bits < 0)
			return v4 ? "has no prefix of 0 to 32 bits behind the slash" : "has no prefix of 0 to 128 bits behind the slash";
		bits += v4 ? V4_PREFIX : 0;
	}
	*out = ip_net_of(&a, (unsigned)bits);
	return memcmp(&out->addr, &a, sizeof(a)) == 0 ? NULL : ip_net_behind;
}

bool ip_is_private(const struct ip_addr *a)
{
	static const struct {
		uint8_t addr[2], mask[2];
	} v4[] = {{{10, 0}, {255, 0}}, {{127, 0}, {255, 0}}, {{169, 254}, {255, 255}}, {{172, 16}, {255, 240}}, {{192, 168}, {255, 255}},
		{{0, 0}, {255, 0}}};

	if (!ip_is_v4(a))
		return (a->b[0] & 0xe0) != 0x20;
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++)
		if ((a->b[12] & v4[i].mask[0]) == v4[i].addr[0] && (a->b[13] & v4[i].mask[1]) == v4[i].addr[1])
			return true;
	return false;
}
