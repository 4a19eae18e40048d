/* SPDX-License-Identifier: Apache-2.0 */
/** Answers: heads, framing, error pages, redirects. */
#ifndef RESPOND_H
#define RESPOND_H

#include "gateway/answer/request.h"

/**
 * Queue a response head. @fields: field lines ending in CRLF (may be NULL); Date and Server are added
 * here, framing by the protocol, and nowhere else. @length: octets of the body, -1 unknown.
 * HEAD, 204 and 304 get no body whatever @length says. Returns false when memory is out (the request is dropped).
 */
bool respond_head(struct request *r, int status, const char *reason, const struct buf *fields, int64_t length);

/** Queue a piece of the body; surplus past the announced length is cut. */
bool respond_body(struct request *r, const void *data, size_t n);

/** What was handed to respond_body() must be readable by the client now, also where it is compressed. False: dropped. */
bool respond_flush(struct request *r);

/** The body ends here; when octets are owed, the answer is marked as cut. */
void respond_end(struct request *r);

/** Head, the @n octets of the @body, and the end of the answer (request_answered()); without memory the request is dropped. */
void respond_whole(struct request *r, int status, const struct buf *fields, const void *body, size_t n);

/** Answer with @status: ErrorDocument when configured, else the built-in page. Ends the request (request_answered()). */
void respond_status(struct request *r, int status);

/** Answer with @status and the built-in page, with a sentence more: where nothing of the host's may be shown or run. */
void respond_refusal(struct request *r, int status, const char *sentence);

/**
 * What has no code behind it can only be read: true for GET and HEAD. Else the request is answered here, OPTIONS with
 * what there is, anything else with 405.
 */
bool respond_unless_read(struct request *r);

/** 200 without a body, and Allow with @methods: OPTIONS (RFC 9110 9.3.7). */
void respond_options(struct request *r, const char *methods);

/**
 * Answer with the built-in page only: for requests that could not be parsed. @protocol, static, is what the log says it was.
 * What becomes of the connection is the protocol's business.
 */
void respond_bad(struct request *r, int status, const char *protocol);

/** 429 with the built-in page and Retry-After: whoever asks too often gets nothing that costs more. */
void respond_too_many(struct request *r, unsigned retry_s);

/** 3xx with Location @location (already encoded; a path is made absolute), or the status alone when it is NULL. */
void respond_redirect(struct request *r, int status, const char *location);

#endif
