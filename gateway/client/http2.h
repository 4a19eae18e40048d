/* SPDX-License-Identifier: Apache-2.0 */
/**
 * HTTP/2 on a connection: many requests at once (RFC 9113). Reached by ALPN, or in plain text by a client that knows
 * (RFC 9113 3.3); the Upgrade field of HTTP/1.1 is ignored, as section 3.1 has it.
 */
#ifndef HTTP2_H
#define HTTP2_H

#include <stdbool.h>

struct conn;
struct http2;
struct protocol;
struct request_io;

extern const struct protocol protocol_http2;
extern const struct request_io http2_io;

/**
 * Look whether c->in begins with HTTP/2's preface where plain HTTP/2 is allowed: 1 it does, 0 more octets are needed to know,
 * -1 no. Only for the first octets of a connection.
 */
int http2_preface(const struct conn *c);

#endif
