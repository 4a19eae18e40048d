/* SPDX-License-Identifier: Apache-2.0 */
/** Between HTTP/1's state machine (http1.c), its framing (http1_io.c), HTTP/2 and requests. Private to them. */
#ifndef HTTP1_REQUEST_H
#define HTTP1_REQUEST_H

#include "gateway/http/http1_parse.h"
#include "gateway/answer/request.h"

/** Parser state for a head, NULL when memory is out; given back by http1_parse_give(), which keeps one for the next. */
struct http1_request *http1_parse_take(struct worker *w);
void http1_parse_give(struct worker *w, struct http1_request *h);

/** What a head may be by @s: the first host of the address, since the request's own is not known yet. */
struct http1_limits http1_limits_of(const struct conf_server *s);

/**
 * Copy the head of @len octets at @in, parsed into @h, into the request: its strings, fields, and what body is to come.
 * Returns 0 or GW_ERR_NOMEM.
 */
int http1_request_take(struct request *r, const struct http1_request *h, const char *in, size_t len) GW_MUST_USE;

/** request_io's read_body: takes what is buffered, then waits for the rest. */
void http1_read_body(struct request *r);

#endif
