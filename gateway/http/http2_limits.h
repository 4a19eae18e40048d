/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How much of what costs us more than the client one HTTP/2 connection may send: a leaky bucket for each kind. Pure: the
 * caller brings the clock. RFC 9113 10.5: what is past a bound is answered with ENHANCE_YOUR_CALM.
 */
#ifndef HTTP2_LIMITS_H
#define HTTP2_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum http2_limit {
	HTTP2_LIMIT_RESET,     /* requests the client took back before they were answered (CVE-2023-44487) */
	HTTP2_LIMIT_PROVOKED,  /* streams that the client made us reset (CVE-2025-8671) */
	HTTP2_LIMIT_CONTROL,   /* PING, SETTINGS, PRIORITY, PRIORITY_UPDATE, frames of no known type */
	HTTP2_LIMIT_EMPTY,     /* DATA without octets and without an end */
	HTTP2_LIMIT_WINDOW,    /* WINDOW_UPDATE; what we send earns more */
	HTTP2_LIMITS_N
};

struct http2_limits {
	struct {
		uint64_t at_ms; /* when ->used was right */
		uint32_t used;  /* in thousandths of one event */
	} buckets[HTTP2_LIMITS_N];
};

/** Full measure of everything. */
void http2_limits_init(struct http2_limits *l, uint64_t now_ms);

/** One more event of this kind. False: that is too many. */
bool http2_limits_take(struct http2_limits *l, enum http2_limit what, uint64_t now_ms);

/** The client has earned @n events. */
void http2_limits_give(struct http2_limits *l, enum http2_limit what, uint32_t n);

/** What is said in the log about a kind. Static string. */
const char *http2_limit_text(enum http2_limit what);

#endif
