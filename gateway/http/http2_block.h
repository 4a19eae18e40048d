/* SPDX-License-Identifier: Apache-2.0 */
/** A decoded header block becomes a head in HTTP/1's form. Pure; private to http2_session.c and its tests. */
#ifndef HTTP2_BLOCK_H
#define HTTP2_BLOCK_H

#include "gateway/http/http2_session.h"

/** Empty, no memory; caller storage. @max: octets that are kept. */
void http2_block_init(struct http2_block *b, size_t max);
void http2_block_fini(struct http2_block *b);

/** Ready for the next block. */
void http2_block_begin(struct http2_block *b);

/**
 * Add a field, in the order decoded; pseudo fields come first (the library sees to it). What does not fit any more is left out
 * and ->large set. Returns 0 or GW_ERR_NOMEM.
 */
int http2_block_add(struct http2_block *b, const char *name, size_t name_len, const char *value, size_t value_len) GW_MUST_USE;

/** The block is complete: ->text is the head. Returns 0, GW_ERR_PROTO when no request can be made of it, GW_ERR_NOMEM. */
int http2_block_end(struct http2_block *b) GW_MUST_USE;

/** The head is taken: a large one's memory goes, so that no connection idles with it. */
void http2_block_done(struct http2_block *b);

#endif
