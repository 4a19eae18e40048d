/* SPDX-License-Identifier: Apache-2.0 */
/** Growable octet buffer with a read position: append at the end, consume from the front. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/err.h"

struct buf {
	uint8_t *data; /* owned; NULL while nothing was ever appended */
	size_t pos;    /* first unread octet; pos <= len */
	size_t len;    /* end of the octets held; len <= cap */
	size_t cap;    /* octets allocated */
};

/** An empty buffer; allocates nothing. Caller storage. */
void buf_init(struct buf *b);

/** Free the octets and leave an empty buffer. */
void buf_fini(struct buf *b);

/** Forget the content, keep the memory. */
void buf_reset(struct buf *b);

/** Forget the content; keep the memory only up to @keep octets (an idle connection's buffers). */
void buf_recycle(struct buf *b, size_t keep);

/**
 * Make room for @more octets behind the content (moves unread octets to the front first when that is enough).
 * Returns 0 or GW_ERR_NOMEM (also on size overflow). Pointers into the buffer become invalid.
 */
int buf_reserve(struct buf *b, size_t more) GW_MUST_USE;

/** Append @n octets. Returns 0 or GW_ERR_NOMEM; on error nothing is appended. */
static inline int buf_append(struct buf *b, const void *src, size_t n) GW_MUST_USE;

/** Append a C string without its NUL. Returns as buf_append. */
static inline int buf_puts(struct buf *b, const char *s) GW_MUST_USE;

/** Append formatted text without a NUL. Returns as buf_append. */
int buf_printf(struct buf *b, const char *fmt, ...) GW_PRINTF(2, 3) GW_MUST_USE;

/** Drop @n unread octets from the front; @n must not exceed buf_unread(). */
void buf_consume(struct buf *b, size_t n);

/** Octets that were appended and not yet consumed. */
static inline size_t buf_unread(const struct buf *b)
{
	return b->len - b->pos;
}

static inline int buf_append(struct buf *b, const void *src, size_t n)
{
	if (n == 0)
		return GW_OK;
	if (b->cap - b->len < n && buf_reserve(b, n) < 0)
		return GW_ERR_NOMEM;
	memcpy(b->data + b->len, src, n);
	b->len += n;
	return GW_OK;
}

static inline int buf_puts(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

/** First unread octet; valid until the next call that appends. NULL only when nothing was ever appended. */
static inline uint8_t *buf_head(const struct buf *b)
{
	return b->data == NULL ? NULL : b->data + b->pos;
}

#endif
