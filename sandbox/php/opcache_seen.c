/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_seen.h"

#include <string.h>

#define WINDOW 8 /* slots in which a path may be */

bool seen_is_report(const char *report, size_t len)
{
	if (len < 3 || (report[0] != SEEN_TAGS_OFF && report[0] != SEEN_TAGS_ON && report[0] != SEEN_LOOKED_UP) || report[1] != '/')
		return false;
	for (const char *p = report + 1; *p != '\0';) {
		size_t n = strcspn(++p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

/* FNV-1a from a secret start, then mixed: good enough where a collision costs one compilation more. */
static uint64_t hash(const struct seen *s, const char *path)
{
	uint64_t h = s->seed ^ 0xcbf29ce484222325U;

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3U;
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9U;
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

/* The path's slot; for a new one a free slot, or the one among its neighbours that matters least. */
static struct seen_slot *slot_of(struct seen *s, uint64_t h)
{
	struct seen_slot *oldest = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		struct seen_slot *at = &s->slots[(h + i) % SEEN_SLOTS];
		if (at->hash == h)
			return at;
		if (at->hash == 0) {
			at->hash = h;
			return at;
		}
		if (oldest == NULL || at->next_ms < oldest->next_ms)
			oldest = at;
	}
	*oldest = (struct seen_slot){.hash = h};
	return oldest;
}

static void want(struct seen *s, const char *report, size_t len, uint64_t now_ms)
{
	if (s->batch_n == SEEN_BATCH_MAX || s->text_n + len + 1 > SEEN_TEXT_MAX)
		return; /* it will be reported again */
	struct seen_slot *slot = slot_of(s, hash(s, report));
	if (now_ms < slot->next_ms)
		return;
	slot->next_ms = UINT64_MAX; /* in the batch: once is enough */
	s->batch_slot[s->batch_n] = slot;
	s->batch_at[s->batch_n++] = (uint32_t)s->text_n;
	memcpy(s->text + s->text_n, report, len + 1);
	s->text_n += len + 1;
}

static void take_report(struct seen *s, uint64_t now_ms)
{
	if (s->part[0] != SEEN_LOOKED_UP)
		want(s, s->part, s->part_n, now_ms);
	else if (s->on_path != NULL)
		s->on_path(s->part + 1);
}

static void take_pattern(const struct seen *s)
{
	if (s->on_pattern != NULL)
		s->on_pattern(s->part + 1);
}

unsigned seen_take(struct seen *s, const char *in, size_t len, uint64_t now_ms)
{
	unsigned resets = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] != '\0') {
			s->part_bad = s->part_bad || s->part_n + 1 == SEEN_PATH_MAX;
			if (!s->part_bad)
				s->part[s->part_n++] = in[i];
			continue;
		}
		s->part[s->part_n] = '\0';
		if (!s->part_bad && s->part_n == 1 && s->part[0] == SEEN_RESET)
			resets++;
		else if (!s->part_bad && s->part_n > 1 && s->part[0] == SEEN_PATTERN)
			take_pattern(s);
		else if (!s->part_bad && seen_is_report(s->part, s->part_n))
			take_report(s, now_ms);
		s->part_n = 0;
		s->part_bad = false;
	}
	return resets;
}

void seen_done(struct seen *s, size_t i, enum seen_result result, uint64_t now_ms)
{
	struct seen_slot *slot = s->batch_slot[i];
	uint64_t wait_ms = result == SEEN_UNTRIED ? 0 : SEEN_AGAIN_MS;

	if (result == SEEN_CACHED)
		slot->failures = 0;
	if (result == SEEN_CRASHED)
		wait_ms = SEEN_BACKOFF_MAX_MS;
	if (result == SEEN_FAILED) {
		wait_ms = (uint64_t)SEEN_BACKOFF_MS << (slot->failures < 16 ? slot->failures : 16);
		slot->failures++;
	}
	slot->next_ms = now_ms + (wait_ms < SEEN_BACKOFF_MAX_MS ? wait_ms : SEEN_BACKOFF_MAX_MS);
}

void seen_clear_batch(struct seen *s)
{
	s->batch_n = s->text_n = 0;
}

void seen_forget(struct seen *s)
{
	memset(s->slots, 0, sizeof(s->slots));
	seen_clear_batch(s);
}
