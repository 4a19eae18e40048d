/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/proxy_protocol.h"

#include <string.h>

#define V2_HEAD 16 /* signature, version and command, family, length */

static const uint8_t v2_signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static ssize_t broken(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return GW_ERR_PROTO;
}

/* --- version 1: "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n" ------------------------------------------------------ */

/* The next word of a line of single spaces; false when there is none. */
static bool next_word(const char **s, const char *end, const char **word, size_t *len)
{
	if (*s == end || **s != ' ')
		return false;
	const char *from = *s + 1, *space = memchr(from, ' ', (size_t)(end - from));
	*s = space != NULL ? space : end;
	*word = from;
	*len = (size_t)(*s - from);
	return *len > 0;
}

static bool port_word(const char **s, const char *end, uint16_t *out)
{
	const char *w;
	size_t len;
	unsigned v = 0;

	if (!next_word(s, end, &w, &len) || len > 5 || (len > 1 && w[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (w[i] < '0' || w[i] > '9')
			return false;
		v = v * 10 + (unsigned)(w[i] - '0');
	}
	*out = (uint16_t)v;
	return v <= UINT16_MAX;
}

static bool addr_word(const char **s, const char *end, bool v4, struct ip_addr *out)
{
	const char *w;
	size_t len;

	/* The family is the spelling's: ::ffff:1.2.3.4 is fine for TCP6, and an IPv4 address from there on. */
	return next_word(s, end, &w, &len) && ip_parse(w, len, out) && (memchr(w, ':', len) == NULL) == v4;
}

static ssize_t parse_v1(const char *in, size_t len, struct proxy_info *out, const char **why)
{
	struct proxy_info p = {.known = true};
	const char *lf = memchr(in, '\n', len < PROXY_V1_MAX ? len : PROXY_V1_MAX);
	const char *s = in + 5, *word;
	size_t word_len;

	if (lf == NULL)
		return len < PROXY_V1_MAX ? 0 : broken(why, "PROXY line without an end");
	if (lf[-1] != '\r')
		return broken(why, "PROXY line does not end in CRLF");
	ssize_t used = lf + 1 - in;
	const char *end = lf - 1;
	if (!next_word(&s, end, &word, &word_len))
		return broken(why, "PROXY line without a protocol");
	if (word_len == 7 && memcmp(word, "UNKNOWN", 7) == 0) {
		*out = (struct proxy_info){.known = false}; /* the rest of the line is to be passed over */
		return used;
	}
	bool v4 = word_len == 4 && memcmp(word, "TCP4", 4) == 0;
	if (!v4 && (word_len != 4 || memcmp(word, "TCP6", 4) != 0))
		return broken(why, "PROXY line of an unknown protocol");
	if (!addr_word(&s, end, v4, &p.client) || !addr_word(&s, end, v4, &p.server))
		return broken(why, "bad address in a PROXY line");
	if (!port_word(&s, end, &p.client_port) || !port_word(&s, end, &p.server_port) || s != end)
		return broken(why, "bad port in a PROXY line");
	*out = p;
	return used;
}

/* --- version 2: binary -------------------------------------------------------------------------------------------------- */

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static struct ip_addr addr_at(const uint8_t *p, bool v4)
{
	struct ip_addr a = {.b = {[10] = 0xff, [11] = 0xff}};

	memcpy(v4 ? a.b + 12 : a.b, p, v4 ? 4 : 16);
	return a;
}

static ssize_t parse_v2(const uint8_t *in, size_t len, struct proxy_info *out, const char **why)
{
	if (len < V2_HEAD)
		return 0;
	unsigned command = in[12] & 0xf, family = in[13] >> 4, transport = in[13] & 0xf;
	size_t body = be16(in + 14);

	if (in[12] >> 4 != 2 || command > 1)
		return broken(why, "PROXY header of an unknown version or command");
	if (family > 3 || transport > 2)
		return broken(why, "PROXY header of an unknown family");
	if (V2_HEAD + body > PROXY_V2_MAX)
		return broken(why, "PROXY header too long");
	/* What the addresses need is known before they are here. */
	bool v4 = family == 1, inet = command == 1 && transport == 1 && (family == 1 || family == 2);
	size_t addr_len = v4 ? 4 : 16;
	if (inet && body < 2 * addr_len + 4)
		return broken(why, "PROXY header too short for its addresses");
	if (len < V2_HEAD + body)
		return 0;
	struct proxy_info p = {.known = inet};
	if (inet) {
		const uint8_t *a = in + V2_HEAD;
		p.client = addr_at(a, v4);
		p.server = addr_at(a + addr_len, v4);
		p.client_port = (uint16_t)be16(a + 2 * addr_len);
		p.server_port = (uint16_t)be16(a + 2 * addr_len + 2);
	}
	*out = p;
	return (ssize_t)(V2_HEAD + body);
}

/* Whether @in begins with what there is of @sign, or the other way round. */
static bool may_be(const uint8_t *in, size_t len, const void *sign, size_t sign_len)
{
	return memcmp(in, sign, len < sign_len ? len : sign_len) == 0;
}

ssize_t proxy_parse(const uint8_t *in, size_t len, struct proxy_info *out, const char **why)
{
	if (len == 0)
		return 0;
	if (may_be(in, len, "PROXY ", 6))
		return len < 6 ? 0 : parse_v1((const char *)in, len, out, why);
	if (may_be(in, len, v2_signature, sizeof(v2_signature)))
		return len < sizeof(v2_signature) ? 0 : parse_v2(in, len, out, why);
	return GW_ERR_NOTFOUND;
}
