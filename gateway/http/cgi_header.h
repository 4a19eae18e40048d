/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The header block a script writes (RFC 3875 section 6), pure and resumable: nothing invalid reaches the client, and a
 * script's output never decides framing. Hop-by-hop fields (Connection, Keep-Alive, Transfer-Encoding, Upgrade, Trailer,
 * Proxy-Connection, TE), Date and Server are dropped; Status and Content-Length are taken out, the
 * front writes its own. All others pass unchanged and in order (Location, which may be held back, last).
 */
#ifndef CGI_HEADER_H
#define CGI_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define CGI_HEADER_MAX 65536 /* octets of the block; more is BACKEND_BAD_HEADER */
#define CGI_INTERIM_MAX 32   /* blocks of a status 1xx before the answer's own */

struct cgi_header {
	/* result */
	int status;              /* from Status: (200..599), 302 for a Location with a URL, else 200 */
	char reason[64];         /* from Status:, may be empty */
	int64_t content_length;  /* -1 when absent; two differing ones or a bad one are an error */
	const char *local_redirect; /* Location starting with "/" and no Status: the path to serve instead, NUL-terminated in
	                             * @raw's memory and not among @fields; or NULL */
	struct buf fields;       /* "Name: value\r\n" lines ready to send; owned */
	int interim;             /* 102..199: a block with such a Status has ended, @fields are its; see cgi_header_next() */
	struct buf raw;          /* private: the block collected so far */
	size_t line_len;         /* private: octets of the line that has not ended yet */
	bool line_cr;            /* private: that line is a lone CR so far */
	unsigned interims_n;     /* private */
	bool done;
};

/** An empty header; caller storage. */
void cgi_header_init(struct cgi_header *h);

/** Free its memory. */
void cgi_header_fini(struct cgi_header *h);

/**
 * Feed script output until a block ends. Lines may end in LF or CRLF. Returns octets consumed (the rest is body once
 * h->done, another block once h->interim), or GW_ERR_PROTO (*@why, when not NULL, says what is wrong: no colon, control octet, bad Status, bad
 * Content-Length, too long, empty block), GW_ERR_NOMEM. After an error only cgi_header_fini() may follow.
 */
ssize_t cgi_header_feed(struct cgi_header *h, const uint8_t *in, size_t len, const char **why) GW_MUST_USE;

/**
 * After a feed that left h->interim set: forget that block, whose fields the caller has used, and go on to the next one.
 * An interim answer (RFC 8297's 103 above all) is a header block of its own before the final one; 100 and 101 are the
 * server's to say and an error.
 */
void cgi_header_next(struct cgi_header *h);

/** Value of the first of @fields with this lower-case name (for the access log), not NUL-terminated; NULL when absent. Borrowed. */
const char *cgi_header_find(const struct cgi_header *h, const char *name, size_t *len);

#endif
