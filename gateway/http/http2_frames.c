/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_frames.h"

void http2_frames_init(struct http2_frames *f, size_t skip)
{
	*f = (struct http2_frames){.skip = skip};
}

bool http2_frames_next(struct http2_frames *f, const uint8_t *data, size_t n, size_t *at, struct http2_frame_head *h)
{
	if (f->skip > n - *at) {
		f->skip -= n - *at;
		*at = n;
		return false;
	}
	*at += f->skip;
	f->skip = 0;
	const uint8_t *o = data + *at;
	if (f->n == 0 && n - *at >= HTTP2_FRAME_HEAD) {
		*at += HTTP2_FRAME_HEAD;
	} else {
		while (f->n < HTTP2_FRAME_HEAD) {
			if (*at == n)
				return false;
			f->head[f->n++] = data[(*at)++];
		}
		o = f->head;
	}
	h->length = (uint32_t)o[0] << 16 | (uint32_t)o[1] << 8 | o[2];
	h->type = o[3];
	h->flags = o[4];
	h->id = (int32_t)((uint32_t)(o[5] & 0x7f) << 24 | (uint32_t)o[6] << 16 | (uint32_t)o[7] << 8 | o[8]);
	f->n = 0;
	f->skip = h->length;
	return true;
}
