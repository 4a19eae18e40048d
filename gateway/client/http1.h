/* SPDX-License-Identifier: Apache-2.0 */
/**
 * HTTP/1 on a connection: one request at a time, in order. RFC 9112.
 *
 *   HEAD -> REQUEST (its state: BODY, WORK, SEND) -> (DISCARD ->) HEAD ... -> linger
 */
#ifndef HTTP1_H
#define HTTP1_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct http1_request;
struct protocol;
struct request;
struct request_io;

enum http1_state {
	HTTP1_HEAD,    /* waiting for, or reading, a request head; there is no request */
	HTTP1_REQUEST, /* a request is read, worked on or answered */
	HTTP1_DISCARD  /* answered; the rest of its body is read and dropped */
};

/* What a connection knows while HTTP/1 is spoken on it. */
struct http1 {
	enum http1_state state;
	unsigned minor;              /* of the request */
	bool keep_alive;             /* the request allows a further one */
	bool chunked;                /* the answer's framing */
	bool blocked;                /* the client has not taken what is queued, since the phase began */
	int64_t taken_first, taken;  /* octets of the answer that it had taken then, and at the last look */
	struct http1_request *parse; /* of a head that is not complete, else NULL; owned */
	struct request *r;           /* NULL in HTTP1_HEAD; owned */
};

extern const struct protocol protocol_http1;
extern const struct request_io http1_io;

#endif
