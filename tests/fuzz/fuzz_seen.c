/* SPDX-License-Identifier: Apache-2.0 */
/** What cells write on the pipe to their zygote: the first octet says in what pieces the rest is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/php/opcache_seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen s;
	size_t piece = size == 0 ? 1 : data[0] + 1U;

	memset(&s, 0, sizeof(s));
	for (size_t at = 1, n; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		seen_take(&s, (const char *)data + at, n, at);
		if (s.batch_n > SEEN_BATCH_MAX || s.text_n > SEEN_TEXT_MAX || s.part_n >= SEEN_PATH_MAX)
			abort();
	}
	for (size_t i = 0; i < s.batch_n; i++) {
		const char *report = s.text + s.batch_at[i];
		if (!seen_is_report(report, strlen(report)))
			abort();
		seen_done(&s, i, (enum seen_result)(i % 4), size);
	}
	seen_clear_batch(&s);
	return 0;
}
