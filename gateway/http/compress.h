/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A body's content coding as it is sent: gzip by zlib, br by libbrotlienc. What was fed and flushed can be read by the
 * client at once, so an event stream stays one. No system call. A compressor belongs to one thread at a time.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/http/accept_encoding.h"

struct compressor;

enum compress_op {
	COMPRESS_MORE,  /* the output may wait for more input */
	COMPRESS_FLUSH, /* all that was fed must be readable now */
	COMPRESS_END    /* nothing follows */
};

#define COMPRESS_DEFLATE_LEVEL 6
#define COMPRESS_BROTLI_QUALITY 5

/** CODING_BIT()s of what this build can produce. */
unsigned compress_codings(void);

/** About how much memory a compressor for @c at @level holds, in octets: what a bound on their number is made of. */
size_t compress_memory(enum coding c, int level);

/** What compressor_new() was told. */
int compressor_level(const struct compressor *z);

/** For @c (one of compress_codings()), @level 1 to 9 or 0 to 11. NULL when memory is out. Freed by compressor_free(). */
struct compressor *compressor_new(enum coding c, int level) GW_MUST_USE;

/** NULL is accepted. */
void compressor_free(struct compressor *z);

/** Which coding it produces. */
enum coding compressor_coding(const struct compressor *z);

/** Feed @n octets; what comes out is appended to @out. Returns 0 or GW_ERR_NOMEM; after COMPRESS_END or an error only compressor_free(). */
int compressor_feed(struct compressor *z, const void *in, size_t n, enum compress_op op, struct buf *out) GW_MUST_USE;

#endif
