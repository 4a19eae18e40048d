/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/compress.h"

#ifdef HAVE_BROTLI
#include <brotli/encode.h>
#endif
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* the largest window, with gzip's header: RFC 1952 */
#define GZIP_MEM_LEVEL 8
#define BROTLI_WINDOW 16      /* 64 KB, more than most pages; beyond it the encoder takes several times the memory */
#define OUT_STEP 16384        /* octets of room made at a time */
#define IN_STEP (1024 * 1024) /* octets handed to zlib at a time, whose counts are narrow */

struct compressor {
	enum coding coding;
	int level;
	union {
		z_stream z;
#ifdef HAVE_BROTLI
		BrotliEncoderState *br;
#endif
	} u;
};

unsigned compress_codings(void)
{
#ifdef HAVE_BROTLI
	return CODING_BIT(CODING_GZIP) | CODING_BIT(CODING_BR);
#else
	return CODING_BIT(CODING_GZIP);
#endif
}

size_t compress_memory(enum coding c, int level)
{
	/* zconf.h: (1 << (window + 2)) + (1 << (mem + 9)), whatever the level. */
	if (c == CODING_GZIP)
		return 264 * 1024;
	/* As measured with Debian 12's library; the last two look for the best of all ways. */
	return level < 4 ? 1024 * 1024 : level < 9 ? 1900 * 1024 : level == 9 ? 2700 * 1024 : 6 * 1024 * 1024;
}

struct compressor *compressor_new(enum coding c, int level)
{
	struct compressor *z = calloc(1, sizeof(*z));
	bool ok = false;

	if (z == NULL)
		return NULL;
	z->coding = c;
	z->level = level;
	if (c == CODING_GZIP)
		ok = deflateInit2(&z->u.z, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
#ifdef HAVE_BROTLI
	if (c == CODING_BR) {
		z->u.br = BrotliEncoderCreateInstance(NULL, NULL, NULL);
		ok = z->u.br != NULL && BrotliEncoderSetParameter(z->u.br, BROTLI_PARAM_QUALITY, (uint32_t)level) &&
			BrotliEncoderSetParameter(z->u.br, BROTLI_PARAM_LGWIN, BROTLI_WINDOW);
		if (!ok && z->u.br != NULL)
			BrotliEncoderDestroyInstance(z->u.br);
	}
#endif
	if (!ok) {
		free(z);
		return NULL;
	}
	return z;
}

void compressor_free(struct compressor *z)
{
	if (z == NULL)
		return;
	if (z->coding == CODING_GZIP)
		(void)deflateEnd(&z->u.z);
#ifdef HAVE_BROTLI
	else
		BrotliEncoderDestroyInstance(z->u.br);
#endif
	free(z);
}

enum coding compressor_coding(const struct compressor *z)
{
	return z->coding;
}

int compressor_level(const struct compressor *z)
{
	return z->level;
}

/* One round of zlib with what is in next_in; until there is room left behind its output. */
static int run_gzip(z_stream *z, int flush, struct buf *out)
{
	int rc;

	do {
		if (buf_reserve(out, OUT_STEP) < 0)
			return GW_ERR_NOMEM;
		z->next_out = out->data + out->len;
		z->avail_out = OUT_STEP;
		rc = deflate(z, flush);
		if (rc == Z_STREAM_ERROR)
			return GW_ERR_NOMEM;
		out->len += OUT_STEP - z->avail_out;
	} while (z->avail_out == 0 || (flush == Z_FINISH && rc != Z_STREAM_END));
	return GW_OK;
}

static int feed_gzip(z_stream *z, const uint8_t *in, size_t n, enum compress_op op, struct buf *out)
{
	static const int flushes[] = {[COMPRESS_MORE] = Z_NO_FLUSH, [COMPRESS_FLUSH] = Z_SYNC_FLUSH, [COMPRESS_END] = Z_FINISH};
	int err;

	do {
		size_t step = n > IN_STEP ? IN_STEP : n;
		z->next_in = (z_const Bytef *)(uintptr_t)in;
		z->avail_in = (uInt)step;
		in += step;
		n -= step;
		err = run_gzip(z, n > 0 ? Z_NO_FLUSH : flushes[op], out);
	} while (n > 0 && err == GW_OK);
	return err;
}

#ifdef HAVE_BROTLI
static int feed_brotli(BrotliEncoderState *s, const uint8_t *in, size_t n, enum compress_op op, struct buf *out)
{
	static const BrotliEncoderOperation ops[] = {[COMPRESS_MORE] = BROTLI_OPERATION_PROCESS,
		[COMPRESS_FLUSH] = BROTLI_OPERATION_FLUSH, [COMPRESS_END] = BROTLI_OPERATION_FINISH};

	do {
		size_t room = OUT_STEP;
		if (buf_reserve(out, OUT_STEP) < 0)
			return GW_ERR_NOMEM;
		uint8_t *to = out->data + out->len;
		if (!BrotliEncoderCompressStream(s, ops[op], &n, &in, &room, &to, NULL))
			return GW_ERR_NOMEM;
		out->len += OUT_STEP - room;
	} while (n > 0 || BrotliEncoderHasMoreOutput(s) || (op == COMPRESS_END && !BrotliEncoderIsFinished(s)));
	return GW_OK;
}
#endif

int compressor_feed(struct compressor *z, const void *in, size_t n, enum compress_op op, struct buf *out)
{
	if (n == 0 && op == COMPRESS_MORE)
		return GW_OK;
#ifdef HAVE_BROTLI
	if (z->coding == CODING_BR)
		return feed_brotli(z->u.br, in, n, op, out);
#endif
	return feed_gzip(&z->u.z, in, n, op, out);
}
