/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_util.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void *conf_push(struct arena *a, const void *v, size_t n, size_t size)
{
	size_t want;
	void *fresh;

	if (n > 0 && (n & (n - 1)) != 0)
		return (void *)(uintptr_t)v;
	want = n == 0 ? 1 : n * 2;
	if (want > SIZE_MAX / size)
		return NULL;
	fresh = arena_alloc(a, want * size);
	if (fresh != NULL && n > 0)
		memcpy(fresh, v, n * size);
	return fresh;
}

void conf_map_init(struct conf_map *m, struct arena *a)
{
	memset(m, 0, sizeof(*m));
	m->a = a;
}

/* FNV-1a. Keys come from the administrator's files; a client only chooses what is looked up. */
static uint64_t map_hash(uint32_t tag, const char *key, size_t len)
{
	uint64_t h = 14695981039346656037ULL ^ tag;

	h *= 1099511628211ULL;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 1099511628211ULL;
	return h ^ (h >> 29);
}

static struct conf_map_slot *map_slot(const struct conf_map *m, uint32_t tag, const char *key, size_t len)
{
	size_t at = (size_t)map_hash(tag, key, len) & (m->cap - 1);

	while (m->slots[at].value != NULL) {
		struct conf_map_slot *s = &m->slots[at];
		if (s->tag == tag && s->len == len && memcmp(s->key, key, len) == 0)
			return s;
		at = (at + 1) & (m->cap - 1);
	}
	return &m->slots[at];
}

void *conf_map_get(const struct conf_map *m, uint32_t tag, const char *key, size_t len)
{
	return m->n == 0 ? NULL : map_slot(m, tag, key, len)->value;
}

static int map_grow(struct conf_map *m)
{
	struct conf_map bigger = *m;

	bigger.cap = m->cap == 0 ? 16 : m->cap * 2;
	bigger.slots = arena_calloc(m->a, bigger.cap, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < m->cap; i++) {
		struct conf_map_slot *s = &m->slots[i];
		if (s->value != NULL)
			*map_slot(&bigger, s->tag, s->key, s->len) = *s;
	}
	*m = bigger;
	return GW_OK;
}

int conf_map_put(struct conf_map *m, uint32_t tag, const char *key, size_t len, void *value)
{
	struct conf_map_slot *s;

	if (len > UINT32_MAX)
		return GW_ERR_NOMEM;
	if ((m->n + 1) * 2 > m->cap && map_grow(m) != GW_OK)
		return GW_ERR_NOMEM;
	s = map_slot(m, tag, key, len);
	if (s->value == NULL)
		m->n++;
	*s = (struct conf_map_slot){.key = key, .len = (uint32_t)len, .tag = tag, .value = value};
	return GW_OK;
}

#define SUGGEST_MAX 63

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment: insert, delete, replace, swap of neighbours, each costs one. */
static unsigned edit_distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned rows[3][SUGGEST_MAX + 1];

	for (size_t j = 0; j <= bn; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *cur = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			unsigned d = up[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
			if (up[j] + 1 < d)
				d = up[j] + 1;
			if (cur[j - 1] + 1 < d)
				d = cur[j - 1] + 1;
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]) &&
			    up2[j - 2] + 1 < d)
				d = up2[j - 2] + 1;
			cur[j] = d;
		}
	}
	return rows[an % 3][bn];
}

void conf_suggest_init(struct conf_suggest *s, const char *word)
{
	size_t n = strlen(word);

	s->word = word;
	s->best = NULL;
	/* Worth saying up to a third of the word; nothing is near to a word of one letter. */
	s->distance = n < 2 || n > SUGGEST_MAX ? 0 : (unsigned)(n < 3 ? 2 : n / 3 + 1);
}

void conf_suggest_try(struct conf_suggest *s, const char *candidate)
{
	size_t an = strlen(s->word), bn = strlen(candidate);
	unsigned d;

	if (s->distance == 0 || bn > SUGGEST_MAX || (an > bn ? an - bn : bn - an) >= s->distance)
		return;
	d = edit_distance(s->word, an, candidate, bn);
	if (d < s->distance) {
		s->distance = d;
		s->best = candidate;
	}
}

const char *conf_suggest_text(const struct conf_suggest *s, char *out, size_t cap)
{
	out[0] = '\0';
	if (s->best != NULL)
		(void)snprintf(out, cap, "; did you mean %s?", s->best);
	return out;
}

char *conf_path(struct arena *a, const char *base, const char *path)
{
	char *out, *w, *r;

	if (path[0] == '/')
		out = arena_printf(a, "%s/", path);
	else
		out = arena_printf(a, "/%s/%s/", base, path);
	if (out == NULL)
		return NULL;
	/* In place: the result is never longer than what was read so far. */
	for (r = w = out; *r != '\0';) {
		size_t n;
		while (*r == '/')
			r++;
		n = strcspn(r, "/");
		if (n == 2 && r[0] == '.' && r[1] == '.') {
			while (w > out && *--w != '/')
				;
		} else if (n > 0 && !(n == 1 && r[0] == '.')) {
			*w++ = '/';
			memmove(w, r, n);
			w += n;
		}
		r += n;
	}
	if (w == out)
		*w++ = '/';
	*w = '\0';
	return out;
}

unsigned conf_path_components(const char *path)
{
	unsigned n = 0;

	for (; *path != '\0'; path++)
		n += path[0] == '/' && path[1] != '\0';
	return n;
}

char *conf_lower(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);

	for (char *p = out; p != NULL && *p != '\0'; p++)
		*p = fold(*p);
	return out;
}

bool conf_is_wild(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}
