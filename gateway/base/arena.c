/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4096
#define ALIGN _Alignof(max_align_t)

struct arena_block {
	struct arena_block *older;
	size_t size; /* octets behind this header */
	_Alignas(max_align_t) char data[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

void arena_fini(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_block *b = a->head;
		a->head = b->older;
		free(b);
	}
	arena_init(a);
}

void arena_reset(struct arena *a)
{
	/* Keep the newest block unless one huge allocation made it. */
	struct arena_block *keep = a->head;

	if (keep == NULL)
		return;
	if (keep->size > 16 * BLOCK_SIZE) {
		arena_fini(a);
		return;
	}
	a->head = keep->older;
	arena_fini(a);
	keep->older = NULL;
	a->head = keep;
	a->next = keep->data;
	a->end = keep->data + keep->size;
}

size_t arena_octets(const struct arena *a)
{
	size_t n = 0;

	for (const struct arena_block *b = a->head; b != NULL; b = b->older)
		n += sizeof(*b) + b->size;
	return n;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 4)
		return NULL;
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if ((size_t)(a->end - a->next) < n || a->head == NULL) {
		size_t size = n > BLOCK_SIZE - sizeof(struct arena_block) ? n : BLOCK_SIZE - sizeof(struct arena_block);
		struct arena_block *b = malloc(sizeof(*b) + size);
		if (b == NULL)
			return NULL;
		b->older = a->head;
		b->size = size;
		a->head = b;
		a->next = b->data;
		a->end = b->data + size;
	}
	void *p = a->next;
	a->next += n;
	return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	void *p = arena_alloc(a, n);
	if (p != NULL)
		memset(p, 0, n);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (p == NULL)
		return NULL;
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

/* Print into the room there is; only a text that does not fit is printed again. */
char *arena_printf(struct arena *a, const char *fmt, ...)
{
	size_t room = (size_t)(a->end - a->next);
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(a->next, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	char *p = arena_alloc(a, (size_t)n + 1);
	if (p == NULL || (size_t)n < room)
		return p;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
