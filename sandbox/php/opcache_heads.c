/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_heads.h"

#include <stdlib.h>
#include <string.h>

#define WORD sizeof(uintptr_t)
#define PAGE_WORDS (4096 / WORD)
#define OWN_MAX 128   /* words of a head before its own address */
#define BEHIND_OWN 8  /* that and what follows, in any version of PHP: sizes, last use, hits, memory, when to look again */
#define FOUND_MAX 64  /* heads a script: those of earlier forms of it lie there, too, and the places of before */
#define MANY 8

_Static_assert(WORD == 8, "BEHIND_OWN counts words of eight octets");

/* Where the heads' memory begins. */
struct shelf {
	size_t used, last; /* words in use; those from here on were moved last */
	size_t words;      /* of a head */
};

/* A head's place on the shelf: the copy follows. */
struct place {
	uintptr_t was; /* address */
	uintptr_t sum; /* of what was there */
};

struct head {
	uintptr_t *at;
	uintptr_t **ref;   /* the pointer to it */
	unsigned refs;
	bool fixed;        /* something points into it */
};

struct search {
	const struct opcache_heads *h;
	struct head *found;
	size_t n, own_at;       /* where all have their own address, in words */
	unsigned char *on_page; /* of the segment: part of a head is there */
};

static struct shelf *shelf_of(const struct opcache_heads *h)
{
	return (struct shelf *)(void *)h->heads;
}

size_t opcache_heads_used(const uintptr_t *heads)
{
	size_t used = ((const struct shelf *)(const void *)heads)->used;

	return used < OPCACHE_HEADS_LEN / WORD ? used * WORD : OPCACHE_HEADS_LEN;
}

/* --- finding --------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

/* In words from @at; 0: this is no head. */
static size_t own_address(const struct opcache_heads *h, const uintptr_t *at)
{
	size_t left = (size_t)(h->segment + h->words - at);

	for (size_t i = 1; i < OWN_MAX && i + BEHIND_OWN <= left; i++)
		if (at[i] == (uintptr_t)at)
			return i;
	return 0;
}

/* False: this is not what we know. */
static bool find(struct search *s, const uintptr_t *names, size_t names_n)
{
	const struct opcache_heads *h = s->h;

	for (uintptr_t *at = h->segment; at < h->segment + h->words && s->n < names_n * FOUND_MAX; at++) {
		if (*at < names[0] || *at > names[names_n - 1] || bsearch(at, names, names_n, sizeof(*names), by_value) == NULL)
			continue;
		size_t own = own_address(h, at), page = (size_t)(at - h->segment) / PAGE_WORDS;
		if (own == 0)
			continue;
		if (s->n > 0 && own != s->own_at)
			return false;
		s->own_at = own;
		s->found[s->n++] = (struct head){.at = at};
		s->on_page[page] = s->on_page[page + 1] = 1;
	}
	return true;
}

/* Up to its own address; behind that lies what nobody points to, and then the next thing. */
static struct head *head_at(const struct search *s, uintptr_t address)
{
	struct head *from = s->found;

	for (size_t n = s->n; n > 1;) {
		size_t half = n / 2;
		if ((uintptr_t)from[half].at <= address)
			from += half;
		n -= half;
	}
	return address >= (uintptr_t)from->at && address <= (uintptr_t)(from->at + s->own_at) ? from : NULL;
}

static void look_at_pointers(const struct search *s)
{
	const struct opcache_heads *h = s->h;

	for (uintptr_t *at = h->segment; at < h->segment + h->words; at++) {
		uintptr_t into = *at - (uintptr_t)h->segment;
		if (into >= h->words * WORD || s->on_page[into / WORD / PAGE_WORDS] == 0)
			continue;
		struct head *to = head_at(s, *at);
		if (to == NULL || at == to->at + s->own_at)
			continue;
		to->fixed = to->fixed || *at != (uintptr_t)to->at;
		to->refs++;
		to->ref = (uintptr_t **)at;
	}
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

static uintptr_t sum(const uintptr_t *words, size_t n)
{
	uintptr_t all = 0;

	for (size_t i = 0; i < n; i++)
		all = all * 31 + words[i];
	return all;
}

static long move(const struct search *s)
{
	struct shelf *shelf = shelf_of(s->h);
	size_t words = s->own_at + BEHIND_OWN, all = sizeof(struct place) / WORD + words;
	long moved = 0;

	if (shelf->used == 0)
		shelf->used = sizeof(*shelf) / WORD;
	shelf->last = shelf->used;
	shelf->words = words;
	for (size_t i = 0; i < s->n && shelf->used < OPCACHE_HEADS_LEN / WORD - all; i++) {
		const struct head *f = &s->found[i];
		if (f->refs != 1 || f->fixed)
			continue;
		struct place *place = (struct place *)(void *)(s->h->heads + shelf->used);
		*place = (struct place){.was = (uintptr_t)f->at, .sum = sum(f->at, words)};
		*f->ref = memcpy(place + 1, f->at, words * WORD);
		shelf->used += all;
		moved++;
	}
	return moved;
}

long opcache_heads_gather(const struct opcache_heads *h, uintptr_t *names, size_t names_n)
{
	struct search s = {.h = h, .found = calloc(names_n * FOUND_MAX, sizeof(struct head)), .on_page = calloc(h->words / PAGE_WORDS + 2, 1)};
	long moved = -1;

	if (s.found != NULL && s.on_page != NULL) {
		moved = 0;
		qsort(names, names_n, sizeof(*names), by_value);
		if (find(&s, names, names_n) && s.n > 0) {
			look_at_pointers(&s);
			moved = move(&s);
		}
	}
	free(s.found);
	free(s.on_page);
	return moved;
}

static const struct place *next_moved(const struct opcache_heads *h, size_t *at)
{
	const struct shelf *shelf = shelf_of(h);
	const void *place = h->heads + *at;

	*at += sizeof(struct place) / WORD + shelf->words;
	return *at <= shelf->used ? place : NULL;
}

void opcache_heads_each(const struct opcache_heads *h, void (*visit)(uintptr_t name))
{
	size_t at = shelf_of(h)->last;

	for (const struct place *p; (p = next_moved(h, &at)) != NULL;)
		visit(*(const uintptr_t *)(const void *)(p + 1));
}

bool opcache_heads_hold(const struct opcache_heads *h, size_t asked)
{
	size_t at = shelf_of(h)->last, words = shelf_of(h)->words, written = 0;

	for (const struct place *p; (p = next_moved(h, &at)) != NULL;) {
		if (sum((const uintptr_t *)p->was, words) != p->sum) /* NOLINT: an address as it was kept */
			return false;
		written += sum((const uintptr_t *)(const void *)(p + 1), words) != p->sum;
	}
	return written > 0 || asked < MANY;
}
