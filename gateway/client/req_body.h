/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The request body: read whole before a PHP process is taken, so that a slow client holds none. Kept in memory up to
 * REQ_BODY_MEM octets, then in a temporary file of the site's spool. Its length is known before anything is passed on.
 */
#ifndef REQ_BODY_H
#define REQ_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/http/http1_parse.h"
#include "gateway/client/spool.h"

#define REQ_BODY_MEM (64 * 1024)
#define REQ_BODY_MEM_MANY (4 * 1024)      /* of each of many bodies on one connection */
#define REQ_BODY_DISCARD_MAX (256 * 1024) /* octets read off for an answer that did not want them; more closes the connection */

enum req_body_kind {
	REQ_BODY_COUNTED, /* HTTP/1 with Content-Length, or no body at all */
	REQ_BODY_CHUNKED, /* HTTP/1, chunked coding */
	REQ_BODY_NONE,    /* none will come, whatever was announced */
	REQ_BODY_FRAMED   /* the protocol says where it ends: req_body_put(), then ->complete is set by the caller */
};

struct req_body {
	struct buf mem;
	size_t mem_max;           /* octets of it, past which a file is made: REQ_BODY_MEM unless the caller says less */
	struct spool_file file;   /* when it has a descriptor: everything received */
	uint64_t received;        /* octets of content so far */
	int64_t limit;            /* LimitRequestBody; 0 = none */
	int64_t left;             /* with Content-Length: octets still to come */
	bool present, chunked, complete;
	bool expect;              /* 100-continue asked for and not yet answered */
	bool discard;             /* content is dropped */
	const char *why;          /* static: what req_body_feed() stumbled over, for the log */
	struct http1_chunked decoder; /* its limits are to be set once the host is known; until then nothing is taken */
};

/** Prepare for what body will come: of @length octets (< 0: none), or chunked; after 100 Continue (@expect). Reads nothing. */
void req_body_init(struct req_body *b, int64_t length, enum req_body_kind kind, bool expect);
void req_body_fini(struct req_body *b);

/** What was received is needed no more: its memory and file go at once. What is still to come is not changed by that. */
void req_body_drop(struct req_body *b);

/** Forget a body, keep the memory. */
void req_body_reset(struct req_body *b);

/** Whether octets of a body are still to come. */
static inline bool req_body_pending(const struct req_body *b)
{
	return b->present && !b->complete;
}

/**
 * Whether @n octets could be taken now: 0, or minus a status as below. A body that is announced too large is refused before
 * the client sends it. Nothing is kept free for it: who announces much and sends little takes no room.
 */
int req_body_fits(struct req_body *b, int64_t n, struct spool_site *site) GW_MUST_USE;

/**
 * Take what @in holds of the body. Returns 0 (look at ->complete), or minus a status: -400 bad chunk framing,
 * -413 past the limit or more than @site may ever hold, -503 no room now (quota or disk), -500 the disk fails (errno);
 * ->why says so for the log. @site may be NULL for a body that is discarded.
 */
int req_body_feed(struct req_body *b, struct buf *in, struct spool_site *site) GW_MUST_USE;

/** Take @n octets of a REQ_BODY_FRAMED body. Returns 0, -413, -500 or -503 as req_body_feed(). */
int req_body_put(struct req_body *b, const void *data, size_t n, struct spool_site *site) GW_MUST_USE;

#endif
