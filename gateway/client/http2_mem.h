/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Memory that connections of HTTP/2 and their requests hold, of one loop: counted as it is, since a client decides how much of
 * what it may have it makes use of. A connection may have a hundred requests; past half of H2MaxMemory each further one has
 * little memory and the spool instead, past all of it a connection has one request at a time, as one of HTTP/1 has. So what a
 * client can gain by HTTP/2 is bounded, and others are served whatever it does. Private to http2*.c; own thread.
 */
#ifndef HTTP2_MEM_H
#define HTTP2_MEM_H

#include <stdbool.h>

#include "gateway/client/http2_conn.h"

/** What the library of a session on @w is to allocate with. It counts. */
nghttp2_mem http2_mem_allocator(struct worker *w);

/** Count the stream as it is now: something was read for it, or queued, or its request is gone. */
void http2_mem_stream(struct http2_stream *st);

/** Count what the connection itself holds now. */
void http2_mem_conn(struct http2 *h2);

/** The stream, or the connection, is about to be freed. */
void http2_mem_stream_gone(struct http2_stream *st);
void http2_mem_conn_gone(struct http2 *h2);

/** Whether the connection may have one more request. The log hears of it when not. */
bool http2_mem_room(struct http2 *h2);

/** Whether a new request of the loop should do with little. */
bool http2_mem_short(const struct worker *w);

#endif
