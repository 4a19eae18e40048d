/* SPDX-License-Identifier: Apache-2.0 */
/** Answers: heads, framing, error pages, redirects. */
#ifndef RESPOND_H
#define RESPOND_H

#include "gateway/conn.h"

/**
 * Queue a response head. @fields: field lines ending in CRLF (may be NULL); Date, Server, Connection and framing are
 * added here and nowhere else. @length: octets of the body, -1 unknown (chunked for 1.1, else until close).
 * HEAD, 204 and 304 get no body whatever @length says. Returns false when memory is out (the connection is aborted).
 */
bool respond_head(struct conn *c, int status, const char *reason, const struct buf *fields, int64_t length);

/** Queue a piece of the body in the framing chosen by respond_head(); surplus past the announced length is cut. */
bool respond_body(struct conn *c, const void *data, size_t n);

/** The body ends here: last chunk, or mark the answer as cut when octets are owed. */
void respond_end(struct conn *c);

/** Answer with @status: ErrorDocument when configured, else the built-in page. Ends the request (conn_answered()). */
void respond_status(struct conn *c, int status);

/**
 * What has no code behind it can only be read: true for GET and HEAD. Else the request is answered here, OPTIONS with
 * what there is, anything else with 405.
 */
bool respond_unless_read(struct conn *c);

/** 200 without a body, and Allow with @methods: OPTIONS (RFC 9110 9.3.7). */
void respond_options(struct conn *c, const char *methods);

/** Answer with the built-in page only and close afterwards: for requests that could not be parsed. */
void respond_bad(struct conn *c, int status);

/** 3xx with Location @location (already encoded; a path is made absolute), or the status alone when it is NULL. */
void respond_redirect(struct conn *c, int status, const char *location);

#endif
