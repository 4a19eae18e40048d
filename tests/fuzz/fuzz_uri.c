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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out = malloc(size + 1), *encoded = malloc(3 * size + 1), *again = malloc(3 * size + 1);

	require(out != NULL && encoded != NULL && again != NULL);
	ssize_t n = uri_normalise((const char *)data, size, out);
	if (n < 0) {
		require(n == -400 || n == -404);
	} else {
		require(n > 0 && (size_t)n <= size && out[0] == '/' && strlen(out) == (size_t)n);
		require(strstr(out, "//") == NULL && strstr(out, "/./") == NULL && strstr(out, "/../") == NULL);
		require(n < 2 || strcmp(out + n - 2, "/.") != 0);
		require(n < 3 || strcmp(out + n - 3, "/..") != 0);
		size_t len = uri_encode_path(out, (size_t)n, encoded);
		require(strlen(encoded) == len && strpbrk(encoded, "\r\n ?#\"<>") == NULL);
		require(uri_normalise(encoded, len, again) == n && memcmp(out, again, (size_t)n) == 0);
	}
	free(out);
	free(encoded);
	free(again);
	return 0;
}
