/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/fcgi_codec.h"

#include <string.h>

#define VERSION_1 1
#define ROLE_RESPONDER 1
#define FLAG_KEEP_CONN 1
#define END_BODY_LEN 8
#define PARAM_LEN_MAX 0x7fffffffUL /* the top bit of a 4-octet length says that it has 4 octets */

ssize_t fcgi_hdr_decode(const uint8_t *in, size_t len, struct fcgi_hdr *h)
{
	if (len < FCGI_CODEC_HEAD_LEN)
		return 0;
	if (in[0] != VERSION_1)
		return GW_ERR_PROTO;
	h->type = in[1];
	h->id = (uint16_t)(in[2] << 8 | in[3]);
	h->content_len = (uint16_t)(in[4] << 8 | in[5]);
	h->padding_len = in[6];
	return FCGI_CODEC_HEAD_LEN;
}

void fcgi_hdr_encode(uint8_t out[FCGI_CODEC_HEAD_LEN], const struct fcgi_hdr *h)
{
	out[0] = VERSION_1;
	out[1] = h->type;
	out[2] = (uint8_t)(h->id >> 8);
	out[3] = (uint8_t)(h->id & 0xff);
	out[4] = (uint8_t)(h->content_len >> 8);
	out[5] = (uint8_t)(h->content_len & 0xff);
	out[6] = h->padding_len;
	out[7] = 0;
}

void fcgi_begin_encode(uint8_t out[FCGI_CODEC_BEGIN_LEN], uint16_t id, bool keep)
{
	const struct fcgi_hdr h = {.type = FCGI_T_BEGIN_REQUEST, .id = id, .content_len = 8};

	fcgi_hdr_encode(out, &h);
	memset(out + FCGI_CODEC_HEAD_LEN, 0, 8);
	out[FCGI_CODEC_HEAD_LEN + 1] = ROLE_RESPONDER;
	out[FCGI_CODEC_HEAD_LEN + 2] = keep ? FLAG_KEEP_CONN : 0;
}

/* Section 3.4: one octet up to 127, else four with the top bit set. Returns octets written. */
static size_t put_len(uint8_t *out, size_t n)
{
	if (n < 128) {
		out[0] = (uint8_t)n;
		return 1;
	}
	out[0] = (uint8_t)(n >> 24 | 0x80);
	out[1] = (uint8_t)(n >> 16 & 0xff);
	out[2] = (uint8_t)(n >> 8 & 0xff);
	out[3] = (uint8_t)(n & 0xff);
	return 4;
}

int fcgi_put_param(struct buf *out, const char *name, size_t name_len, const char *value, size_t value_len)
{
	uint8_t lens[8];

	if (name_len > PARAM_LEN_MAX || value_len > PARAM_LEN_MAX)
		return GW_ERR_RANGE;
	size_t n = put_len(lens, name_len);
	n += put_len(lens + n, value_len);
	/* One reservation, so that a pair is appended whole or not at all. */
	int err = buf_reserve(out, n + name_len + value_len);
	if (err == GW_OK)
		err = buf_append(out, lens, n);
	if (err == GW_OK && name_len > 0)
		err = buf_append(out, name, name_len);
	if (err == GW_OK && value_len > 0)
		err = buf_append(out, value, value_len);
	return err;
}

/* --- receiving ----------------------------------------------------------------------------------------------------- */

void fcgi_decoder_init(struct fcgi_decoder *d, uint16_t id)
{
	memset(d, 0, sizeof(*d));
	d->id = id;
}

bool fcgi_decoder_at_end(const struct fcgi_decoder *d)
{
	return d->done && d->padding_left == 0;
}

/* What a responder may send (section 6.2), always for our request: management records are answers to questions that
 * this client never asks. */
static int check_hdr(const struct fcgi_decoder *d)
{
	if (d->hdr.id != d->id)
		return GW_ERR_PROTO;
	switch (d->hdr.type) {
	case FCGI_T_STDOUT:
	case FCGI_T_STDERR:
		return GW_OK;
	case FCGI_T_END_REQUEST:
		return d->hdr.content_len == END_BODY_LEN ? GW_OK : GW_ERR_PROTO;
	default:
		return GW_ERR_PROTO;
	}
}

static ssize_t take_head(struct fcgi_decoder *d, const uint8_t *in, size_t len)
{
	size_t n = FCGI_CODEC_HEAD_LEN - d->head_len;

	if (n > len)
		n = len;
	memcpy(d->head + d->head_len, in, n);
	d->head_len += n;
	/* A wrong version or type is known before the header is complete; there is no need to wait for the rest. */
	if (d->head[0] != VERSION_1)
		return GW_ERR_PROTO;
	if (d->head_len < FCGI_CODEC_HEAD_LEN)
		return (ssize_t)n;
	if (fcgi_hdr_decode(d->head, FCGI_CODEC_HEAD_LEN, &d->hdr) < 0 || check_hdr(d) != GW_OK)
		return GW_ERR_PROTO;
	d->head_len = 0;
	d->content_left = d->hdr.content_len;
	d->padding_left = d->hdr.padding_len;
	d->in_record = d->content_left > 0 || d->padding_left > 0;
	return (ssize_t)n;
}

static size_t take_padding(struct fcgi_decoder *d, size_t len)
{
	size_t n = d->padding_left < len ? d->padding_left : len;

	d->padding_left -= n;
	if (d->padding_left == 0)
		d->in_record = false;
	return n;
}

static size_t take_content(struct fcgi_decoder *d, const uint8_t *in, size_t len, struct fcgi_event *ev)
{
	size_t n = d->content_left < len ? d->content_left : len;

	d->content_left -= n;
	if (d->hdr.type == FCGI_T_END_REQUEST) {
		memcpy(d->end_body + d->end_len, in, n);
		d->end_len += n;
		if (d->end_len == END_BODY_LEN) {
			const uint8_t *b = d->end_body;
			ev->kind = FCGI_EV_END;
			ev->app_status = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
			ev->protocol_status = b[4];
			d->done = true;
		}
	} else {
		ev->kind = d->hdr.type == FCGI_T_STDOUT ? FCGI_EV_STDOUT : FCGI_EV_STDERR;
		ev->data = in;
		ev->len = n;
	}
	if (d->content_left == 0)
		n += take_padding(d, len - n);
	return n;
}

ssize_t fcgi_decode(struct fcgi_decoder *d, const uint8_t *in, size_t len, struct fcgi_event *ev)
{
	size_t used = 0;

	memset(ev, 0, sizeof(*ev));
	if (len == 0)
		return 0;
	if (!d->in_record) {
		if (d->done)
			return GW_ERR_PROTO;
		ssize_t n = take_head(d, in, len);
		if (n < 0)
			return n;
		used = (size_t)n;
	}
	if (!d->in_record || used == len)
		return (ssize_t)used;
	if (d->content_left > 0)
		used += take_content(d, in + used, len - used, ev);
	else
		used += take_padding(d, len - used);
	return (ssize_t)used;
}
