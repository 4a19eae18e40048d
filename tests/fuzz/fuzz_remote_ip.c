/* SPDX-License-Identifier: Apache-2.0 */
/* X-Forwarded-For: first four octets of the peer's address, one of flags, then values, one a line. Also addresses as text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/remote_ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void text_and_back(const char *s, size_t len)
{
	struct ip_addr a, b;
	char text[IP_TEXT_MAX], z[64];
	struct ip_net net;

	if (ip_parse(s, len, &a)) {
		ip_text(&a, text);
		require(ip_parse(text, strlen(text), &b) && memcmp(&a, &b, sizeof(a)) == 0);
	}
	if (len >= sizeof(z))
		return;
	memcpy(z, s, len);
	z[len] = '\0';
	if (ip_net_parse(z, &net) == NULL)
		require(ip_net_has(&net, &net.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct remote_ip_found found;
	struct req_field list[64];
	struct req_fields f = {.list = list, .cap = 64};

	if (size < 5 || size > 4000)
		return 0;
	text_and_back((const char *)data + 5, size - 5);
	struct ip_addr peer = {.b = {[10] = 0xff, [11] = 0xff, data[0], data[1], data[2], data[3]}};
	const struct remote_ip_proxy proxies[] = {
		{ip_net_of(&peer, 96 + data[4] % 33U), data[4] & 0x40 ? REMOTE_IP_INTERNAL : REMOTE_IP_TRUSTED},
		{{{{0x20, 0x01}}, 16}, REMOTE_IP_TRUSTED}};
	const struct remote_ip_rules rules = {.header = "x-forwarded-for", .proxies_n = 2, .proxies = proxies,
		.unix_peers = data[4] & 0x40 ? REMOTE_IP_INTERNAL : REMOTE_IP_NONE};
	/* A line that begins with a colon is another field. */
	for (size_t at = 5; at < size && f.n < f.cap;) {
		const uint8_t *lf = memchr(data + at, '\n', size - at);
		size_t end = lf != NULL ? (size_t)(lf - data) : size;
		bool other = data[at] == ':';
		list[f.n++] = (struct req_field){.name = other ? "x" : "X-Forwarded-For", .name_len = other ? 1 : 15,
			.value = (const char *)data + at, .value_len = (uint32_t)(end - at)};
		at = end + 1;
	}
	size_t before = f.n, octets = 0;
	bool took = remote_ip_take(&rules, data[4] & 0x80 ? NULL : &peer, &f, &found);
	require(f.n <= before && strlen(found.proxies) < sizeof(found.proxies));
	require(took || f.n == before);
	for (size_t i = 0; i < f.n; i++)
		octets += f.list[i].value_len;
	require(octets < size);
	return 0;
}
