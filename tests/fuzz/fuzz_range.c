/* SPDX-License-Identifier: Apache-2.0 */
/* Range, If-Range and the other conditions. Two octets of flags and size, then fields separated by line feeds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/conditional.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void take(const char **s, size_t *left, const char **field, size_t *len)
{
	const char *lf = *left == 0 ? NULL : memchr(*s, '\n', *left);

	*field = *left == 0 ? NULL : *s;
	*len = lf == NULL ? *left : (size_t)(lf - *s);
	*s += lf == NULL ? *left : *len + 1;
	*left -= lf == NULL ? *left : *len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cond_fields f = {0};
	struct range out[RANGES_MAX];

	if (size < 2)
		return 0;
	/* Sizes from nothing to 2^62. */
	uint64_t whole = data[1] == 0 ? 0 : (uint64_t)data[1] << (data[0] & 0x3f) % 55;
	const char *s = (const char *)data + 2;
	size_t left = size - 2;
	take(&s, &left, &f.range, &f.range_len);
	take(&s, &left, &f.if_range, &f.if_range_len);
	take(&s, &left, &f.if_match, &f.if_match_len);
	take(&s, &left, &f.if_none_match, &f.if_none_match_len);
	take(&s, &left, &f.if_modified_since, &f.if_modified_since_len);
	take(&s, &left, &f.if_unmodified_since, &f.if_unmodified_since_len);

	int n = range_parse(&f, "\"a\"", 784111777, whole, out);
	require(n == -416 || (n >= 0 && n <= RANGES_MAX));
	uint64_t sum = 0;
	for (int i = 0; i < n; i++) {
		require(out[i].first <= out[i].last && out[i].last < whole);
		sum += out[i].last - out[i].first + 1;
	}
	require(sum <= whole);
	int rc = cond_check(&f, data[0] & 0x40 ? "W/\"a\"" : "\"a\"", 784111777, data[0] & 0x80);
	require(rc == 0 || rc == 304 || rc == 412);
	return 0;
}
