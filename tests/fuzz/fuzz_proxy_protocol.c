/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY header: what is complete stays what it was with more octets behind it, and no part of it is something else. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_info whole = {.known = false}, part;
	const char *why = NULL;

	if (size > 2 * PROXY_V2_MAX)
		return 0;
	ssize_t n = proxy_parse(data, size, &whole, &why);
	require(n > 0 || n == 0 || n == GW_ERR_NOTFOUND || n == GW_ERR_PROTO);
	require(n != 0 || size < PROXY_V2_MAX);
	require((n == GW_ERR_PROTO) == (why != NULL));
	require(n <= (ssize_t)size);
	/* Octet by octet: nothing is decided early and otherwise. */
	for (size_t len = 0; len < size; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);
		require(exact != NULL);
		memcpy(exact, data, len);
		ssize_t m = proxy_parse(exact, len, &part, NULL);
		free(exact);
		require(m == 0 || m == n);
		if (n > 0)
			require((m == 0) == (len < (size_t)n));
		if (m > 0)
			require(part.known == whole.known && (!part.known || memcmp(&part.client, &whole.client, sizeof(part.client)) == 0));
	}
	return 0;
}
