/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One HTTP/2 connection's framing (RFC 9113, RFC 7541), by libnghttp2, and what bounds a hostile client. No socket: octets go
 * in, requests come out of a table of functions. A request's head is handed on in HTTP/1's form, so that one parser decides
 * for both protocols what a request may say.
 *
 *   HEADERS -> head() -> (data()* -> end()) ... -> closed()
 *
 * Functions of the table run inside http2_session_recv() and http2_session_send(). They may submit to ->ng; they must not end
 * the session. Single thread.
 */
#ifndef HTTP2_SESSION_H
#define HTTP2_SESSION_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/http/http2_frames.h"
#include "gateway/http/http2_limits.h"
#include "gateway/http/http2_numbers.h"

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HTTP2_PREFACE_LEN 24
#define HTTP2_STREAMS_MAX 100               /* requests at once on a connection */
#define HTTP2_HEAD_MAX (64 * 1024)          /* octets of a decoded head that are kept, without LimitRequestHead */
#define HTTP2_HEAD_MOST (256 * 1024)        /* whatever that says: as much as the frames of a block can hold */
#define HTTP2_HEAD_HARD 4                   /* times as many are decoded at all, by RFC 9113 6.5.2's count */
#define HTTP2_FIELDS_HARD 1024              /* field lines that are decoded at all, cookie crumbs and trailers included */
#define HTTP2_CONTINUATIONS_MAX 8           /* frames of one header block */

struct http2_session_ops {
	/* A complete, well-formed head in HTTP/1's form at @text (consumed by the call), or NULL: it is too large. @end: no
	 * body. @user of the other calls is what this one sets by nghttp2_session_set_stream_user_data(). */
	void (*head)(void *owner, int32_t id, const struct buf *text, bool end);
	/* Octets of the body; whoever takes them gives the window back: nghttp2_session_consume(). */
	void (*data)(void *owner, int32_t id, void *user, const uint8_t *data, size_t n);
	/* The body is complete. */
	void (*end)(void *owner, int32_t id, void *user);
	/* A frame of @octets was written for the stream; @end: its last one. The client may not have ended its side then: it
	 * goes on, until it does or the owner resets the stream. */
	void (*sent)(void *owner, int32_t id, void *user, size_t octets, bool end);
	/* The stream is over; @code as in RST_STREAM, 0 for a regular end. */
	void (*closed)(void *owner, int32_t id, void *user, uint32_t code);
	/* The client did too much of something and is being told to go. */
	void (*calm)(void *owner, const char *what);
	/* The widest window for sending of an open stream; 0: there is none. */
	int64_t (*widest)(void *owner);
	/* Milliseconds, monotonic. */
	uint64_t (*now_ms)(void *owner);
};

/* The header block that is being decoded: there is one at a time. */
struct http2_block {
	struct buf text, cookie;         /* field lines so far; crumbs of the cookie joined */
	struct buf method, path, scheme, authority;
	struct buf host;                 /* a Host field, for a client that sends no :authority */
	size_t max;                      /* octets that are kept; a head with more is ->large */
	size_t octets, fields;           /* decoded, also what is not kept */
	unsigned continuations;
	uint64_t began_ms;
	bool open;                       /* its last frame has not come */
	bool started;                    /* the request line is written */
	bool large, malformed;
	bool https;                      /* of the request that ended the block: its scheme */
};

struct http2_session {
	nghttp2_session *ng;
	const struct http2_session_ops *ops;
	void *owner;
	struct http2_limits limits;
	struct http2_frames frames;
	struct http2_numbers numbers;
	struct http2_block block;
	uint32_t peer_window;            /* SETTINGS_INITIAL_WINDOW_SIZE, the client's */
	int64_t widest;                  /* ops->widest() when the SETTINGS frame began that is being read */
	bool calmed;                     /* ended for doing too much */
	bool leaving;                    /* GOAWAY is sent: new streams are ignored */
};

/**
 * Start a session, queue our SETTINGS. Caller storage. A head of more than @head_max octets (RFC 9113 6.5.2's count; 0:
 * HTTP2_HEAD_MAX, and HTTP2_HEAD_MOST at most) is handed on as too large. @mem: what the library allocates with; NULL: malloc(3).
 * Returns 0 or GW_ERR_NOMEM.
 */
int http2_session_init(struct http2_session *s, const struct http2_session_ops *ops, void *owner, size_t head_max, nghttp2_mem *mem)
	GW_MUST_USE;

/** Free it. No function of the table is called. */
void http2_session_fini(struct http2_session *s);

/** Take @n octets, all of them. Returns 0, or GW_ERR_PROTO: this is no HTTP/2, or memory is out: close. */
int http2_session_recv(struct http2_session *s, const uint8_t *data, size_t n) GW_MUST_USE;

/** Append frames to @out until it holds @max octets or there is nothing to send. Returns 0 or GW_ERR_NOMEM: close. */
int http2_session_send(struct http2_session *s, struct buf *out, size_t max) GW_MUST_USE;

/** Whether everything is said and done: close when what was sent is out. */
bool http2_session_over(const struct http2_session *s);

/** Reset a stream. Returns nothing: when memory is out the session ends by itself. */
void http2_session_reset(struct http2_session *s, int32_t id, uint32_t code);

#endif
