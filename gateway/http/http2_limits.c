/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_limits.h"

#define UNIT 1000U /* of one event: a rate in events a second drains this many a millisecond */

/* A page with a few hundred pictures that is left at once must pass; so must a client that measures its round trips. */
static const struct {
	uint32_t burst, rate; /* events at once; a second in the long run */
	const char *text;
} kinds[HTTP2_LIMITS_N] = {
	[HTTP2_LIMIT_RESET] = {300, 20, "requests taken back"},
	[HTTP2_LIMIT_PROVOKED] = {100, 5, "streams that had to be reset"},
	[HTTP2_LIMIT_CONTROL] = {300, 30, "control frames"},
	[HTTP2_LIMIT_EMPTY] = {100, 10, "empty DATA frames"},
	[HTTP2_LIMIT_WINDOW] = {2000, 200, "WINDOW_UPDATE frames"},
};

void http2_limits_init(struct http2_limits *l, uint64_t now_ms)
{
	for (int i = 0; i < HTTP2_LIMITS_N; i++) {
		l->buckets[i].at_ms = now_ms;
		l->buckets[i].used = 0;
	}
}

bool http2_limits_take(struct http2_limits *l, enum http2_limit what, uint64_t now_ms)
{
	uint64_t drained = now_ms > l->buckets[what].at_ms ? (now_ms - l->buckets[what].at_ms) * kinds[what].rate : 0;
	uint32_t used = l->buckets[what].used;

	used = drained < used ? used - (uint32_t)drained : 0;
	l->buckets[what].at_ms = now_ms;
	l->buckets[what].used = used;
	if (used + UNIT > kinds[what].burst * UNIT)
		return false;
	l->buckets[what].used = used + UNIT;
	return true;
}

void http2_limits_give(struct http2_limits *l, enum http2_limit what, uint32_t n)
{
	uint32_t used = l->buckets[what].used;

	l->buckets[what].used = n < used / UNIT ? used - n * UNIT : 0;
}

const char *http2_limit_text(enum http2_limit what)
{
	return kinds[what].text;
}
