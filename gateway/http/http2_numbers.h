/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Stream numbers that one HTTP/2 client has used, for what RFC 9113 5.1 and 5.1.1 say of frames on a stream that is over. The
 * library forgets such streams and ignores what comes for them; a client that made an error is to be told of it, one whose
 * frames crossed our RST_STREAM is not. Pure; fixed size.
 */
#ifndef HTTP2_NUMBERS_H
#define HTTP2_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP2_NUMBERS_SEEN 512 /* of the latest odd numbers it is known whether they were opened or passed over */
#define HTTP2_NUMBERS_CUT 128  /* more than a client that keeps to its number of streams can have frames under way for */

enum http2_number {
	HTTP2_NUMBER_NEW,    /* higher than all before */
	HTTP2_NUMBER_PASSED, /* passed over: 5.1.1 closed it unused */
	HTTP2_NUMBER_ENDED,  /* opened, and the client itself has ended it, if it is over */
	HTTP2_NUMBER_CUT     /* ended by us while the client was still sending */
};

struct http2_numbers {
	int32_t last;                              /* the highest that was opened; 0: none */
	uint64_t opened[HTTP2_NUMBERS_SEEN / 64];  /* a bit an odd number, reused by those 2 * HTTP2_NUMBERS_SEEN higher */
	int32_t cut[HTTP2_NUMBERS_CUT];            /* reused in turn */
	unsigned cut_n;
};

/** The client opens @id, odd and higher than n->last. */
void http2_numbers_open(struct http2_numbers *n, int32_t id);

/** We ended @id before the client did. */
void http2_numbers_cut(struct http2_numbers *n, int32_t id);

/** What is known of @id, an odd number. */
enum http2_number http2_numbers_tell(const struct http2_numbers *n, int32_t id);

#endif
