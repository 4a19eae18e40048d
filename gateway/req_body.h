/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The request body: read whole before a PHP process is taken, so that a slow client holds none. Kept in memory up to
 * REQ_BODY_MEM octets, then in an unlinked temporary file. Its length is known before anything is passed on.
 */
#ifndef REQ_BODY_H
#define REQ_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/http/http1_parse.h"

#define REQ_BODY_MEM (64 * 1024)
#define REQ_BODY_DISCARD_MAX (256 * 1024) /* octets read off for an answer that did not want them; more closes the connection */

enum req_body_kind {
	REQ_BODY_COUNTED, /* HTTP/1 with Content-Length, or no body at all */
	REQ_BODY_CHUNKED  /* HTTP/1, chunked coding */
};

struct req_body {
	struct buf mem;
	int fd;                   /* -1, or the temporary file with everything received */
	uint64_t received;        /* octets of content so far */
	int64_t limit;            /* LimitRequestBody; 0 = none */
	int64_t left;             /* with Content-Length: octets still to come */
	bool present, chunked, complete;
	bool expect;              /* 100-continue asked for and not yet answered */
	bool discard;             /* content is dropped */
	struct http1_chunked decoder;
};

/** Prepare for what body will come: of @length octets (< 0: none), or chunked; after 100 Continue (@expect). Reads nothing. */
void req_body_init(struct req_body *b, int64_t length, enum req_body_kind kind, bool expect);
void req_body_fini(struct req_body *b);

/** Forget a body, keep the memory. */
void req_body_reset(struct req_body *b);

/** Whether octets of a body are still to come. */
static inline bool req_body_pending(const struct req_body *b)
{
	return b->present && !b->complete;
}

/**
 * Take what @in holds of the body. Returns 0 (look at ->complete), or minus a status: -400 bad chunk framing,
 * -413 past the limit, -500 no room for it (errno).
 */
int req_body_feed(struct req_body *b, struct buf *in, int spool_dir_fd);

#endif
