/* SPDX-License-Identifier: Apache-2.0 */
/** What cells write on the pipe to their zygote: the first octet says in what pieces the rest is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/php/opcache_seen.h"
#include "sandbox/php/pattern_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pattern_list list;
static struct pattern_met met;

static void on_pattern(const char *pattern)
{
	if (strlen(pattern) >= SEEN_PATH_MAX)
		abort();
	if (pattern_is_good(pattern))
		pattern_list_note(&list, &met, pattern);
}

static bool compile(const char *pattern, size_t len)
{
	if (!pattern_is_good(pattern) || strlen(pattern) != len || pattern + len >= list.text + list.text_n)
		abort();
	return true;
}

static bool go_on(void)
{
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen s;
	size_t piece = size == 0 ? 1 : data[0] + 1U;

	memset(&s, 0, sizeof(s));
	memset(&met, 0, sizeof(met));
	list.n = list.text_n = 0;
	s.on_pattern = on_pattern;
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
	pattern_list_each(&list, compile, go_on);
	return 0;
}
