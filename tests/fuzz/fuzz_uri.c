/* SPDX-License-Identifier: Apache-2.0 */
/* A path: normalised it has no dot segment left, and encoding it again gives the same path. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* What holds for every path that was accepted. */
static void check_path(const char *out, ssize_t n, size_t size)
{
	require(n > 0 && (size_t)n <= size && out[0] == '/' && strlen(out) == (size_t)n);
	require(strstr(out, "/./") == NULL && strstr(out, "/../") == NULL);
	require(n < 2 || strcmp(out + n - 2, "/.") != 0);
	require(n < 3 || strcmp(out + n - 3, "/..") != 0);
}

/* With slashes kept: the same path, but for how often each slash stands; and every end of it is found. */
static void check_kept(const char *merged, size_t n, const char *kept)
{
	for (size_t i = 0; i <= n; i++) {
		const char *rest = uri_kept_rest(kept, i), *want = merged + i;
		for (; *want != '\0'; want++) {
			require(*rest++ == *want);
			while (*want == '/' && *rest == '/')
				rest++;
		}
		require(*rest == '\0');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out = malloc(size + 1), *kept = malloc(size + 1), *encoded = malloc(3 * size + 1), *again = malloc(3 * size + 1);
	const char *in = (const char *)data;

	require(out != NULL && kept != NULL && encoded != NULL && again != NULL);
	for (unsigned flags = 0; flags < URI_SLASHES_KEEP; flags++) {
		ssize_t n = uri_normalise(in, size, flags, out), m = uri_normalise(in, size, flags | URI_SLASHES_KEEP, kept);
		require((n < 0) == (m < 0));
		if (n < 0) {
			require(n == m && (n == -400 || (n == -404 && flags == 0)));
			continue;
		}
		check_path(out, n, size);
		check_path(kept, m, size);
		require(strstr(out, "//") == NULL);
		if (n < 512)
			check_kept(out, (size_t)n, kept);
		size_t len = uri_encode_path(out, (size_t)n, encoded);
		require(strlen(encoded) == len && strpbrk(encoded, "\r\n ?#\"<>") == NULL);
		require(uri_normalise(encoded, len, 0, again) == n && memcmp(out, again, (size_t)n) == 0);
	}
	free(out);
	free(kept);
	free(encoded);
	free(again);
	return 0;
}
