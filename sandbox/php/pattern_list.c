/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/pattern_list.h"

#include <ctype.h>
#include <string.h>

#include "sandbox/php/text_list.h"

bool pattern_is_good(const char *pattern)
{
	unsigned char first = (unsigned char)pattern[0];

	return first < 0x80 && ispunct(first) && first != '\\';
}

/* FNV-1a: a collision costs one pattern that is remembered too early. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3U;
	return h == 0 ? 1 : h;
}

static bool met_before(struct pattern_met *met, const char *pattern)
{
	uint64_t h = hash(pattern), *slot = &met->hashes[(h ^ h >> 32) % PATTERNS_MET];

	if (*slot == h)
		return true;
	*slot = h;
	return false;
}

bool pattern_list_note(struct pattern_list *list, struct pattern_met *met, const char *pattern)
{
	size_t len = strlen(pattern);

	if (list->n == PATTERNS_MAX || len + 1 > PATTERNS_TEXT_MAX - list->text_n || !met_before(met, pattern) ||
	    text_list_has(list->text, list->n, pattern, len))
		return false;
	memcpy(list->text + list->text_n, pattern, len + 1);
	list->text_n += len + 1;
	list->n++;
	return true;
}

void pattern_list_each(struct pattern_list *list, bool (*compile)(const char *pattern, size_t len), bool (*go_on)(void))
{
	const char *at = list->text;

	for (size_t i = 0, len; i < list->n && go_on(); i++, at += len + 1) {
		len = strlen(at);
		if (__atomic_add_fetch(&list->at_work[i], 1, __ATOMIC_RELAXED) <= PATTERNS_TRIES_MAX && !compile(at, len))
			__atomic_add_fetch(&list->at_work[i], PATTERNS_TRIES_MAX, __ATOMIC_RELAXED);
		__atomic_sub_fetch(&list->at_work[i], 1, __ATOMIC_RELAXED);
	}
}
