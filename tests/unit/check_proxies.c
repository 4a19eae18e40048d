/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, networks, the PROXY protocol, and the client that a chain of proxies names. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/ip_net.h"
#include "gateway/http/proxy_protocol.h"
#include "gateway/http/remote_ip.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	ck_assert_msg(ip_parse(text, strlen(text), &a), "%s", text);
	return a;
}

/* --- addresses and networks ---------------------------------------------------------------------------------------------- */

static const struct {
	const char *in, *out; /* out NULL: no address */
} addresses[] = {
	{"192.0.2.1", "192.0.2.1"}, {"::1", "::1"}, {"2001:DB8::0:1", "2001:db8::1"}, {"::ffff:192.0.2.1", "192.0.2.1"},
	{"0.0.0.0", "0.0.0.0"}, {"::", "::"}, {"", NULL}, {"192.0.2", NULL}, {"192.0.2.256", NULL}, {"192.0.2.1 ", NULL}, {"[::1]", NULL},
	{"192.0.2.1:80", NULL}, {"1.2.3.4.5", NULL}, {"fe80::1%eth0", NULL}, {"localhost", NULL}, {"0x7f.1", NULL}, {"010.0.0.1", NULL},
	{"1111:2222:3333:4444:5555:6666:777.777.777.7777", NULL},
};

START_TEST(an_address)
{
	char text[IP_TEXT_MAX];
	struct ip_addr a;
	bool ok = ip_parse(addresses[_i].in, strlen(addresses[_i].in), &a);

	ck_assert_msg(ok == (addresses[_i].out != NULL), "%s", addresses[_i].in);
	if (ok)
		ck_assert_str_eq(ip_text(&a, text), addresses[_i].out);
	ck_assert(!ip_parse("1.2.3.4\0", 8, &a)); /* a NUL within is no end */
}
END_TEST

START_TEST(address_of_a_socket)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	struct ip_addr a, b;
	uint16_t port = 0;

	inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &v6.sin6_addr);
	ck_assert(ip_from_sockaddr((struct sockaddr *)&v4, &a, &port) && port == 80 && ip_is_v4(&a));
	ck_assert(ip_from_sockaddr((struct sockaddr *)&v6, &b, &port) && port == 443);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	ck_assert(!ip_from_sockaddr(&(struct sockaddr){.sa_family = AF_UNIX}, &a, NULL));
}
END_TEST

static const struct {
	const char *net, *in, *out; /* in: an address within; out: one that is not; both NULL: no network */
} nets[] = {
	{"10", "10.255.0.1", "11.0.0.1"}, {"172.16", "172.16.9.9", "172.17.0.1"}, {"192.168.1.", "192.168.1.77", "192.168.2.1"},
	{"192.0.2.7", "192.0.2.7", "192.0.2.8"}, {"10.0.0.0/8", "10.1.2.3", "9.255.255.255"}, {"10.0.0.0/255.0.0.0", "10.1.2.3", "11.1.2.3"},
	{"192.0.2.128/25", "192.0.2.255", "192.0.2.127"}, {"0.0.0.0/0", "255.255.255.255", "2001:db8::1"}, {"::/0", "192.0.2.1", NULL},
	{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"}, {"::1", "::1", "::2"}, {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
	{"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"},
	{"10.0.0.1/8", "10.255.0.0", "11.0.0.1"}, {"10.0.0.0/33", NULL, NULL}, {"10.0.0.0/255.0.255.0", NULL, NULL}, {"10.0.0.0/", NULL, NULL},
	{"10.0.0.0/x", NULL, NULL}, {"::/129", NULL, NULL}, {"::/-1", NULL, NULL}, {"x", NULL, NULL}, {"", NULL, NULL}, {"256", NULL, NULL},
	{"1.2.3.4.5", NULL, NULL}, {"1..2", NULL, NULL}, {"10/8", NULL, NULL}, {"/8", NULL, NULL}, {"0010", NULL, NULL},
};

START_TEST(a_network)
{
	struct ip_net n;
	const char *why = ip_net_parse(nets[_i].net, &n);

	if (nets[_i].in == NULL) {
		ck_assert_msg(why != NULL, "%s", nets[_i].net);
		return;
	}
	ck_assert_msg(why == (strcmp(nets[_i].net, "10.0.0.1/8") == 0 ? ip_net_behind : NULL), "%s: %s", nets[_i].net, why);
	struct ip_addr in = addr(nets[_i].in);
	struct ip_nets one = {1, &n};
	ck_assert_msg(ip_net_has(&n, &in) && ip_nets_have(&one, &in), "%s", nets[_i].net);
	if (nets[_i].out != NULL) {
		struct ip_addr out = addr(nets[_i].out);
		ck_assert_msg(!ip_net_has(&n, &out) && !ip_nets_have(&one, &out), "%s", nets[_i].net);
	}
	ck_assert(!ip_nets_have(&(struct ip_nets){0, NULL}, &in));
}
END_TEST

START_TEST(private_addresses)
{
	static const char *const private[] = {"10.0.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "::1",
		"fe80::1", "fd00::1", "0.0.0.1", "::"};
	static const char *const public[] = {"9.255.255.255", "11.0.0.0", "172.32.0.1", "172.15.0.1", "192.167.1.1", "2001:db8::1", "3fff::1"};

	for (int i = 0; i < COUNT(private); i++)
		ck_assert_msg(ip_is_private(&(struct ip_addr[]){addr(private[i])}[0]), "%s", private[i]);
	for (int i = 0; i < COUNT(public); i++)
		ck_assert_msg(!ip_is_private(&(struct ip_addr[]){addr(public[i])}[0]), "%s", public[i]);
}
END_TEST

/* --- PROXY ------------------------------------------------------------------------------------------------------------------- */

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V2(rest) SIG rest, sizeof(SIG rest) - 1
#define V1(line) line, sizeof(line) - 1

static const struct {
	const char *in;
	size_t len;
	int used;           /* octets, or the error */
	const char *client; /* NULL: not known */
	unsigned port;
} headers[] = {
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"), 45, "192.0.2.1", 56324},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET / HTTP/1.1\r\n"), 45, "192.0.2.1", 56324},
	{V1("PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), 44, "2001:db8::1", 0},
	{V1("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), 37, "192.0.2.1", 1},
	{V1("PROXY UNKNOWN\r\n"), 15, NULL, 0},
	{V1("PROXY UNKNOWN ff:ff what ever 1 2\r\n"), 35, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY \n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY \r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY  TCP4 192.0.2.1 198.51.100.7 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4  192.0.2.1 198.51.100.7 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1 01\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 -1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 ::1 ::1 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 localhost 192.0.2.2 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXY TCP4 192.0.2.1 198.51.100.7 1 2xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), GW_ERR_PROTO, NULL, 0},
	{V1("PROXYTCP4"), GW_ERR_NOTFOUND, NULL, 0},
	{V1("proxy TCP4 192.0.2.1 198.51.100.7 1 2\r\n"), GW_ERR_NOTFOUND, NULL, 0},
	{V1("GET / HTTP/1.1\r\n"), GW_ERR_NOTFOUND, NULL, 0},
	{V1("POST / HTTP/1.1\r\n"), GW_ERR_NOTFOUND, NULL, 0},
	{V1("\r\nGET / HTTP/1.1\r\n"), GW_ERR_NOTFOUND, NULL, 0},
	{V1("\x16\x03\x01\x02"), GW_ERR_NOTFOUND, NULL, 0},
	{V2("\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"), 28, "192.0.2.1", 56324},
	{V2("\x21\x11\x00\x0f\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb\x04\x00\x00"), 31, "192.0.2.1", 56324}, /* with an extension */
	{V2("\x21\x21\x00\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x34\x01\xbb"), 52, "2001:db8::1", 0x1234},
	{V2("\x20\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"), 28, NULL, 0}, /* LOCAL: addresses do not count */
	{V2("\x20\x00\x00\x00"), 16, NULL, 0},
	{V2("\x21\x00\x00\x02xx"), 18, NULL, 0},
	{V2("\x21\x12\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"), 28, NULL, 0}, /* UDP over TCP */
	{V2("\x21\x31\x00\x00"), 16, NULL, 0},
	{V2("\x11\x11\x00\x00"), GW_ERR_PROTO, NULL, 0},
	{V2("\x22\x11\x00\x00"), GW_ERR_PROTO, NULL, 0},
	{V2("\x21\x41\x00\x00"), GW_ERR_PROTO, NULL, 0},
	{V2("\x21\x13\x00\x00"), GW_ERR_PROTO, NULL, 0},
	{V2("\x21\x11\x00\x0b"), GW_ERR_PROTO, NULL, 0}, /* shorter than its addresses */
	{V2("\x21\x21\x00\x0c"), GW_ERR_PROTO, NULL, 0},
	{V2("\x21\x11\x08\x01"), GW_ERR_PROTO, NULL, 0}, /* longer than anybody needs */
};

START_TEST(a_proxy_header)
{
	const uint8_t *in = (const uint8_t *)headers[_i].in;
	struct proxy_info p = {.known = false}, later;
	const char *why = NULL;
	char text[IP_TEXT_MAX];
	ssize_t n = proxy_parse(in, headers[_i].len, &p, &why);

	ck_assert_msg(n == headers[_i].used, "%d: %zd, not %d", _i, n, headers[_i].used);
	ck_assert_msg((n == GW_ERR_PROTO) == (why != NULL), "%d", _i);
	if (n > 0) {
		ck_assert_msg(p.known == (headers[_i].client != NULL), "%d", _i);
		if (p.known) {
			ck_assert_str_eq(ip_text(&p.client, text), headers[_i].client);
			ck_assert_uint_eq(p.client_port, headers[_i].port);
		}
		/* Any part of it asks for more, and says nothing else. */
		for (size_t len = 0; len < (size_t)n; len++)
			ck_assert_msg(proxy_parse(in, len, &later, NULL) == 0, "%d: %zu octets", _i, len);
	}
}
END_TEST

/* --- the client behind proxies ---------------------------------------------------------------------------------------------------- */

static const struct remote_ip_proxy proxies[] = {
	{{{{[10] = 0xff, [11] = 0xff, 10, 0, 0, 0}}, 104}, REMOTE_IP_INTERNAL},
	{{{{[10] = 0xff, [11] = 0xff, 192, 0, 2, 0}}, 120}, REMOTE_IP_TRUSTED},
};
static const struct remote_ip_rules rules = {
	.header = "x-forwarded-for", .proxies_n = 2, .proxies = proxies, .unix_peers = REMOTE_IP_INTERNAL};

static const struct {
	const char *peer;    /* NULL: a unix socket */
	const char *fields;
	const char *client;  /* NULL: the peer is the client */
	const char *left;    /* what scripts see of the field: each, with "|" between */
	const char *passed;
} chains[] = {
	{"192.0.2.9", "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1", "", "192.0.2.9"},
	{"198.51.100.9", "X-Forwarded-For: 198.51.100.1\r\n", NULL, "198.51.100.1", ""}, /* forged: nobody knows this peer */
	{"192.0.2.9", "", NULL, "", ""},
	{"192.0.2.9", "X-Forwarded-For: 203.0.113.7, 198.51.100.1\r\n", "198.51.100.1", "203.0.113.7", "192.0.2.9"}, /* forged before the proxy */
	{"192.0.2.9", "X-Forwarded-For: 203.0.113.7 , 192.0.2.5 ,10.1.1.1\r\n", NULL, "203.0.113.7 , 192.0.2.5 ,10.1.1.1", ""},
	{"10.0.0.1", "X-Forwarded-For: 203.0.113.7 , 192.0.2.5 ,10.1.1.1\r\n", "203.0.113.7", "", "192.0.2.5"},
	{"10.0.0.1", "X-Forwarded-For: 192.168.0.4\r\n", "192.168.0.4", "", ""}, /* internal: any address */
	{"192.0.2.9", "X-Forwarded-For: 192.168.0.4\r\n", NULL, "192.168.0.4", ""}, /* trusted: none that is private */
	{"192.0.2.9", "X-Forwarded-For: 2001:db8::5\r\n", "2001:db8::5", "", "192.0.2.9"},
	{"192.0.2.9", "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1", "203.0.113.7", "192.0.2.9"},
	{"192.0.2.9", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.7, 192.0.2.77\r\n", "203.0.113.7", "1.1.1.1", "192.0.2.9, 192.0.2.77"},
	{"192.0.2.9", "X-Forwarded-For: evil\r\n", NULL, "evil", ""},
	{"192.0.2.9", "X-Forwarded-For: evil, 192.0.2.8\r\n", "192.0.2.8", "evil", "192.0.2.9"},
	{"192.0.2.9", "X-Forwarded-For: 198.51.100.1,\r\n", NULL, "198.51.100.1,", ""},
	{"192.0.2.9", "X-Forwarded-For: 198.51.100.1:443\r\n", NULL, "198.51.100.1:443", ""},
	{"192.0.2.9", "X-Forwarded-For:\r\n", NULL, "", ""},
	{"192.0.2.9", "X-Real-IP: 198.51.100.1\r\n", NULL, "", ""},
	{NULL, "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1", "", ""},
};

/* Field lines as a request has them; @a holds the list. */
static struct req_fields fields_of(struct arena *a, char *lines)
{
	struct req_fields f = {0};

	for (char *line = lines, *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
		char *colon = strchr(line, ':'), *value = colon + 1;
		value += *value == ' ';
		ck_assert_int_eq(req_fields_add(&f, a, &(struct req_field){.name = line, .name_len = (uint32_t)(colon - line), .value = value,
			.value_len = (uint32_t)(end - value)}), GW_OK);
	}
	return f;
}

START_TEST(a_chain)
{
	static struct remote_ip_found found;
	struct arena a;
	struct ip_addr peer;
	char lines[1000], left[200] = "", text[IP_TEXT_MAX];
	size_t others = 0;

	arena_init(&a);
	snprintf(lines, sizeof(lines), "Host: x\r\n%sAccept: */*\r\n", chains[_i].fields);
	struct req_fields f = fields_of(&a, lines);
	if (chains[_i].peer != NULL)
		peer = addr(chains[_i].peer);
	bool took = remote_ip_take(&rules, chains[_i].peer != NULL ? &peer : NULL, &f, &found);
	ck_assert_msg(took == (chains[_i].client != NULL), "%d: %s", _i, found.why);
	if (took) {
		ck_assert_str_eq(ip_text(&found.client, text), chains[_i].client);
		ck_assert_str_eq(found.proxies, chains[_i].passed);
	}
	for (size_t i = 0; i < f.n; i++) {
		if (f.list[i].name_len != 15) {
			others++;
			continue;
		}
		snprintf(left + strlen(left), sizeof(left) - strlen(left), "%s%.*s", left[0] != '\0' ? "|" : "", (int)f.list[i].value_len, f.list[i].value);
	}
	ck_assert_str_eq(left, chains[_i].left);
	ck_assert_uint_eq(others, strstr(chains[_i].fields, "Real") != NULL ? 3 : 2);
	arena_fini(&a);
}
END_TEST

START_TEST(nobody_is_believed_without_a_list)
{
	static struct remote_ip_found found;
	const struct remote_ip_rules none = {.header = "x-forwarded-for"}, off = {.unix_peers = REMOTE_IP_INTERNAL};
	char lines[] = "Host: x\r\nX-Forwarded-For: 198.51.100.1\r\n";
	struct ip_addr peer = addr("192.0.2.9");
	struct arena a;

	arena_init(&a);
	struct req_fields f = fields_of(&a, lines);
	ck_assert(!remote_ip_take(&none, &peer, &f, &found));
	ck_assert(!remote_ip_take(&none, NULL, &f, &found));
	ck_assert(!remote_ip_take(&off, NULL, &f, &found));
	ck_assert(remote_ip_take(&rules, &peer, &f, &found)); /* and with one, this one */
	arena_fini(&a);
}
END_TEST

/* However long a chain is, it ends. */
START_TEST(a_long_chain)
{
	static struct remote_ip_found found;
	static char lines[4000] = "Host: x\r\nX-Forwarded-For: 203.0.113.1";
	struct ip_addr peer = addr("192.0.2.9");
	char text[IP_TEXT_MAX];
	struct arena a;

	arena_init(&a);
	for (int i = 0; i < 2 * REMOTE_IP_HOPS_MAX; i++)
		snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), ", 192.0.2.%d", i);
	strcat(lines, "\r\n");
	struct req_fields f = fields_of(&a, lines);
	ck_assert(remote_ip_take(&rules, &peer, &f, &found));
	ck_assert_str_eq(ip_text(&found.client, text), "192.0.2.32");
	ck_assert_uint_eq(f.n, 2);
	arena_fini(&a);
}
END_TEST

Suite *suite_proxies(void)
{
	Suite *s = suite_create("proxies");
	TCase *t = tcase_create("proxies");

	tcase_add_loop_test(t, an_address, 0, COUNT(addresses));
	tcase_add_test(t, address_of_a_socket);
	tcase_add_loop_test(t, a_network, 0, COUNT(nets));
	tcase_add_test(t, private_addresses);
	tcase_add_loop_test(t, a_proxy_header, 0, COUNT(headers));
	tcase_add_loop_test(t, a_chain, 0, COUNT(chains));
	tcase_add_test(t, nobody_is_believed_without_a_list);
	tcase_add_test(t, a_long_chain);
	suite_add_tcase(s, t);
	return s;
}
