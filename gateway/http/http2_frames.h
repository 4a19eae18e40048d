/* SPDX-License-Identifier: Apache-2.0 */
/** Where HTTP/2's frames begin in what a client sends, and what their headers say (RFC 9113 4.1). Pure. */
#ifndef HTTP2_FRAMES_H
#define HTTP2_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP2_FRAME_HEAD 9

struct http2_frame_head {
	uint32_t length; /* octets of payload */
	uint8_t type, flags;
	int32_t id;      /* stream, without the reserved bit */
};

struct http2_frames {
	size_t skip;     /* octets until the next header: of a payload, or of the preface */
	unsigned n;      /* octets of the header so far */
	uint8_t head[HTTP2_FRAME_HEAD];
};

/** @skip octets come before the first frame. */
void http2_frames_init(struct http2_frames *f, size_t skip);

/**
 * Go on in @data of @n octets from *@at, which is moved. True: *@at is behind a frame's header, which is in *@h. False: *@at
 * is @n, and the rest is yet to come.
 */
bool http2_frames_next(struct http2_frames *f, const uint8_t *data, size_t n, size_t *at, struct http2_frame_head *h);

#endif
