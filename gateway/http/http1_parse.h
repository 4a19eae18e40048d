/* SPDX-License-Identifier: Apache-2.0 */
/**
 * HTTP/1.x request head and chunked body, pure and resumable at any octet (RFC 9110, RFC 9112). No system call, no
 * allocation: results are offsets into the caller's buffer, which must stay in place until the head is used.
 */
#ifndef HTTP1_PARSE_H
#define HTTP1_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define HTTP1_FIELDS_MAX 512 /* hard bound; LimitRequestFields may be lower */

struct http1_limits {
	size_t line;       /* octets of the request line without its end; LimitRequestLine */
	size_t field;      /* octets of one field line; LimitRequestFieldSize */
	size_t fields;     /* number of fields; LimitRequestFields; 0 = HTTP1_FIELDS_MAX */
	size_t head;       /* octets of the whole head; LimitRequestHead */
};

/* A piece of the caller's buffer. */
struct http1_str {
	uint32_t off, len;
};

struct http1_field {
	struct http1_str name, value; /* value without blanks at its ends */
};

struct http1_request {
	/* result, valid when http1_parse() returned > 0 */
	struct http1_str method, target;
	struct http1_str host;      /* in effect: the absolute-form's authority, else Host; without port and final dot, an IPv6
	                             * address with its brackets; case as sent; len 0 = none (HTTP/1.0 only) */
	struct http1_str authority; /* the same with port, as sent: what HTTP_HOST says */
	uint32_t port;              /* from the authority, 0 = none */
	struct http1_str path;      /* origin-form part of the target, query not included ("*" for OPTIONS *); never empty */
	struct http1_str query;     /* after "?", off 0 len 0 when there is no "?" */
	bool has_query, absolute_form;
	bool https;                 /* absolute form with that scheme */
	unsigned minor;             /* HTTP/1.minor, 0 or 1: a later minor counts as 1 */
	size_t fields_n;
	struct http1_field fields[HTTP1_FIELDS_MAX];
	int64_t content_length;     /* -1 = none given */
	bool chunked;
	bool keep_alive;            /* by version and Connection */
	bool expect_continue;       /* 100-continue asked for by a client that is about to send a body */
	/* private: where to resume, and what the fields said so far */
	size_t scanned, line_start;
	unsigned seen;
	int state;                  /* negative: the error that was found, for ever */
};

/** Prepare for a new request head. */
void http1_request_init(struct http1_request *r);

/**
 * Parse @len octets from the start of the head at @in (the same head again, with more octets, on every further call).
 * Returns octets of the complete head (body follows), 0 when more are needed, or minus an HTTP status to answer with
 * before closing: -400, -405 (CONNECT, TRACE), -414, -417, -431, -501, -505. *@why, when not NULL, gets a
 * static text for the log. The result depends on the octets only, never on how they were split over calls.
 * Lines end in CRLF, nothing else; one empty line before the request line is skipped and counts as part of the head.
 */
ssize_t http1_parse(struct http1_request *r, const struct http1_limits *lim, const char *in, size_t len, const char **why)
	GW_MUST_USE;

/** First field with this lower-case name, or NULL. Borrowed. */
const struct http1_field *http1_field_find(const struct http1_request *r, const char *in, const char *name);

/* Chunked coding, RFC 9112 section 7.1. Framing must not outweigh content for ever: all of it is bounded. */
struct http1_chunk_limits {
	unsigned line;     /* octets of one chunk line, its end included; LimitRequestChunkLine */
	unsigned ext;      /* octets of all extensions of a body; LimitRequestChunkExtensions */
	unsigned trailers; /* octets of all trailer lines, their ends included; LimitRequestTrailers */
	unsigned field;    /* octets of one trailer line without its end; LimitRequestFieldSize */
	unsigned fields;   /* number of trailers; LimitRequestFields; 0 = HTTP1_FIELDS_MAX */
};

struct http1_chunked {
	struct http1_chunk_limits lim; /* the caller's, any time before the first octet */
	uint64_t left;     /* octets of the current chunk still to come */
	size_t line_len;   /* of the current chunk line, or trailer line; bounded */
	size_t ext_len;    /* of all chunk extensions; bounded */
	size_t trailer_len;/* of all trailers; bounded */
	unsigned trailers_n;
	int state;         /* negative: the error that was found, for ever */
	const char *why;   /* static: that error in words, naming the directive where one was passed */
	bool done;
};

/** Before the first chunk of a body. All limits are 0 then, so that a caller who forgets them has everything refused. */
void http1_chunked_init(struct http1_chunked *c);

/**
 * Decode from @in; consumes framing and at most one run of content. *@data and *@data_len: the content found (may be empty).
 * Returns octets consumed (0 only when @len is 0 or the body is done), or minus a status: -400 (bad framing, chunk line or
 * extensions too long), -413 (chunk size beyond 63 bits), -431 (trailers too long or too many). Trailers and extensions are
 * checked and dropped.
 */
ssize_t http1_chunked_decode(struct http1_chunked *c, const char *in, size_t len, const char **data, size_t *data_len)
	GW_MUST_USE;

#endif
