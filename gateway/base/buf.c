/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b)
{
	*b = (struct buf){0};
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b);
}

void buf_reset(struct buf *b)
{
	b->pos = b->len = 0;
}

void buf_recycle(struct buf *b, size_t keep)
{
	if (b->cap > keep)
		buf_fini(b);
	else
		buf_reset(b);
}

int buf_reserve(struct buf *b, size_t more)
{
	if (b->cap - b->len >= more)
		return GW_OK;
	if (b->pos > 0) {
		memmove(b->data, b->data + b->pos, b->len - b->pos);
		b->len -= b->pos;
		b->pos = 0;
		if (b->cap - b->len >= more)
			return GW_OK;
	}
	if (more > SIZE_MAX / 2 - b->len)
		return GW_ERR_NOMEM;

	size_t cap = b->cap < 256 ? 256 : b->cap;
	while (cap < b->len + more)
		cap *= 2;
	uint8_t *data = realloc(b->data, cap);
	if (data == NULL)
		return GW_ERR_NOMEM;
	b->data = data;
	b->cap = cap;
	return GW_OK;
}

/* Print into the room there is; only a text that does not fit is printed again. */
int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	for (size_t room = 128; ; ) {
		if (buf_reserve(b, room) < 0)
			return GW_ERR_NOMEM;
		va_start(ap, fmt);
		int n = vsnprintf((char *)b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
		if (n < 0)
			return GW_ERR_NOMEM;
		if ((size_t)n < b->cap - b->len) {
			b->len += (size_t)n;
			return GW_OK;
		}
		room = (size_t)n + 1;
	}
}

void buf_consume(struct buf *b, size_t n)
{
	b->pos += n;
	if (b->pos == b->len)
		buf_reset(b);
}
