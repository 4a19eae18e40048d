/* SPDX-License-Identifier: Apache-2.0 */
/* Accept-Encoding: lines separated by line feeds; the first octet says what is offered. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/accept_encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accept_encoding a;

	if (size < 1)
		return 0;
	unsigned offered = data[0];
	const char *s = (const char *)data + 1;
	size_t left = size - 1;

	accept_encoding_init(&a);
	require(accept_encoding_choose(&a, offered) == CODING_IDENTITY);
	while (left > 0) {
		const char *lf = memchr(s, '\n', left);
		size_t n = lf == NULL ? left : (size_t)(lf - s);
		accept_encoding_add(&a, s, n);
		s += n + (lf != NULL);
		left -= n + (lf != NULL);
	}
	for (int c = 0; c < CODINGS_N; c++)
		require(accept_encoding_weight(&a, (enum coding)c) <= 1000);
	enum coding best = accept_encoding_choose(&a, offered);
	require(best == CODING_IDENTITY || ((offered & CODING_BIT(best)) != 0 && accept_encoding_weight(&a, best) > 0));
	require(strlen(coding_name(best)) > 0);
	return 0;
}
