/* SPDX-License-Identifier: Apache-2.0 */
/** What http2.c (the connection), http2_io.c (the answers), http2_mem.c and http2_time.c share. Private to them. */
#ifndef HTTP2_CONN_H
#define HTTP2_CONN_H

#include "gateway/http/http2_session.h"
#include "gateway/client/http2.h"
#include "gateway/answer/request.h"

#define HTTP2_TICK_MS 1000 /* how often time-outs of streams are looked at */

/* What waits for the client to take octets. */
struct http2_stall {
	bool on;
	uint64_t first_ms, moved_ms; /* when it was first seen waiting; when octets last moved */
	uint64_t first, last;        /* octets that had moved then */
};

/* A stream with its request. Lives until the stream is closed. */
struct http2_stream {
	struct http2 *h2;
	struct request *r;          /* NULL once it was given up; owned */
	int32_t id;
	struct http2_stream *next, **prevp;
	struct http2_stream *dirty_next;
	bool dirty;
	bool gone;                  /* closed; freed when it leaves the list of dirty ones */
	bool sent;                  /* the answer's last frame is out */
	uint64_t sent_ms;           /* when, while the client has not ended its side */
	uint64_t body_ms;           /* when its body began to be read */
	struct http2_stall stall;
	size_t counted;             /* octets of memory that the loop knows of */
};

struct http2 {
	struct http2_session s;
	struct conn *c;
	struct http2_stream *streams, *dirty;
	unsigned streams_n;
	struct lease_work *works;   /* of requests given up that PHP still works on; count as streams */
	struct buf out;             /* frames that the socket did not take; no memory when empty */
	uint64_t octets_out;        /* that it did */
	bool blocked;               /* waits for the socket to take more */
	struct http2_stall stall;
	size_t counted;             /* octets of memory that the loop knows of, beside the session's and the streams' */
	bool draining, goaway;      /* told that the end is near; told where it is */
};

/** The stream has something to send or its state changed: looked at at the end of the batch. */
void http2_stream_dirty(struct http2_stream *st);

/** The connection's timer: whatever took too long is ended. */
void http2_time_check(struct conn *c);

/** Reset a stream and give its request up. */
void http2_stream_reset(struct http2_stream *st, uint32_t code);

#endif
