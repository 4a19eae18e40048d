/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/sni.h"

#include <stdbool.h>

#define HOST_NAME 0 /* name_type */

static size_t get16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static bool host_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static ssize_t take_name(const uint8_t *in, size_t len, char *out)
{
	if (len > 1 && in[len - 1] == '.')
		len--;
	if (len == 0 || len > SNI_MAX)
		return GW_ERR_PROTO;
	for (size_t i = 0; i < len; i++) {
		if (!host_octet(in[i]))
			return GW_ERR_PROTO;
		out[i] = (char)(in[i] >= 'A' && in[i] <= 'Z' ? in[i] | 0x20 : in[i]);
	}
	out[len] = '\0';
	return (ssize_t)len;
}

ssize_t sni_decode(const uint8_t *in, size_t len, char *out)
{
	ssize_t found = 0;

	out[0] = '\0';
	if (len < 2 || get16(in) != len - 2)
		return GW_ERR_PROTO;
	for (size_t at = 2; at < len;) {
		if (len - at < 3 || get16(in + at + 1) > len - at - 3)
			return GW_ERR_PROTO;
		size_t n = get16(in + at + 1);
		/* One name of each type at most. */
		if (in[at] == HOST_NAME) {
			if (found != 0)
				return GW_ERR_PROTO;
			found = take_name(in + at + 3, n, out);
			if (found < 0)
				return found;
		}
		at += 3 + n;
	}
	return found;
}
