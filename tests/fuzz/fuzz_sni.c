/* SPDX-License-Identifier: Apache-2.0 */
/* The server_name extension: whatever is accepted is a host name, and decoding its own encoding gives it again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/sni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[SNI_MAX + 1], again[SNI_MAX + 1];
	uint8_t wire[SNI_MAX + 5];
	ssize_t n = sni_decode(data, size, name);

	if (n < 0) {
		require(n == GW_ERR_PROTO);
		return 0;
	}
	require((size_t)n == strlen(name) && n <= SNI_MAX);
	require(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") == (size_t)n);
	if (n == 0)
		return 0;
	wire[0] = (uint8_t)((n + 3) >> 8);
	wire[1] = (uint8_t)(n + 3);
	wire[2] = 0;
	wire[3] = (uint8_t)(n >> 8);
	wire[4] = (uint8_t)n;
	memcpy(wire + 5, name, (size_t)n);
	/* A dot at the end is dropped once: "a.." keeps one, and loses it now. */
	ssize_t m = sni_decode(wire, (size_t)n + 5, again);
	require(m == n || (m == n - 1 && name[n - 1] == '.'));
	require(memcmp(name, again, (size_t)m) == 0);
	return 0;
}
