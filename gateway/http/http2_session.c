/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_session.h"

#include <string.h>

#include "gateway/http/http2_block.h"
#include "gateway/http/http2_judge.h"
#include "gateway/http/http_chars.h"

#define WINDOW_CONN (1024 * 1024)   /* octets under way from the client on all streams */
#define WINDOW_STREAM (256 * 1024)
#define OUTBOUND_ACKS_MAX 100       /* answers to PING and SETTINGS that wait to be sent */

void http2_session_reset(struct http2_session *s, int32_t id, uint32_t code)
{
	nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, id, code);
}

/* --- receiving -------------------------------------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2_session *s = arg;

	(void)ng;
	(void)frame;
	http2_block_begin(&s->block);
	s->block.began_ms = s->ops->now_ms(s->owner);
	return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
	struct http2_session *s = arg;
	struct http2_block *b = &s->block;

	(void)ng;
	(void)flags;
	/* A few octets of HPACK may stand for megabytes: bounded by what comes out, also of what is not kept. */
	b->octets += name_len + value_len + 32;
	if (++b->fields > HTTP2_FIELDS_HARD || b->octets > HTTP2_HEAD_HARD * b->max) {
		http2_judge_calm(s, "header fields");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0; /* trailers are dropped */
	int err = http2_block_add(b, (const char *)name, name_len, (const char *)value, value_len);
	return err < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* RFC 9113 8.2.1: a field that is malformed makes the request malformed. The library would leave it out. */
static int on_invalid_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
	(void)ng;
	(void)frame;
	(void)name;
	(void)name_len;
	(void)value;
	(void)value_len;
	(void)flags;
	(void)arg;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void got_head(struct http2_session *s, const nghttp2_frame *frame)
{
	bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct http2_block *b = &s->block;
	int32_t id = frame->hd.stream_id;
	int rc = http2_block_end(b);

	b->open = false;
	if (rc == GW_ERR_PROTO)
		http2_session_reset(s, id, NGHTTP2_PROTOCOL_ERROR);
	else if (rc < 0)
		http2_session_reset(s, id, NGHTTP2_INTERNAL_ERROR);
	else
		s->ops->head(s->owner, id, b->large ? NULL : &b->text, end);
	http2_block_done(b);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2_session *s = arg;
	bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	void *user = frame->hd.stream_id > 0 ? nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id) : NULL;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		s->block.open = false;
		if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
			got_head(s, frame);
		else if (end)
			s->ops->end(s->owner, frame->hd.stream_id, user);
		break;
	case NGHTTP2_DATA:
		if (end)
			s->ops->end(s->owner, frame->hd.stream_id, user);
		else if (frame->hd.length == frame->data.padlen)
			http2_judge_count(s, HTTP2_LIMIT_EMPTY);
		break;
	case NGHTTP2_RST_STREAM:
		/* Comes for a stream that is still open: the end of an answered one is not told. */
		http2_judge_count(s, HTTP2_LIMIT_RESET);
		break;
	case NGHTTP2_SETTINGS:
		if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
			http2_judge_settings(s, &frame->settings);
		break;
	case NGHTTP2_PRIORITY_UPDATE:
		http2_judge_priority(s, &frame->ext);
		break;
	default:
		break;
	}
	return 0;
}

static int on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int code, void *arg)
{
	(void)code;
	/* A stream that is refused before it is one. */
	if (frame->hd.type == NGHTTP2_HEADERS && nghttp2_session_find_stream(ng, frame->hd.stream_id) == NULL)
		http2_judge_closed(arg, frame->hd.stream_id, false);
	return 0;
}

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg)
{
	struct http2_session *s = arg;

	(void)flags;
	s->ops->data(s->owner, id, nghttp2_session_get_stream_user_data(ng, id), data, n);
	return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
	struct http2_session *s = arg;

	http2_judge_closed(s, id, nghttp2_session_get_stream_remote_close(ng, id) == 1);
	s->ops->closed(s->owner, id, nghttp2_session_get_stream_user_data(ng, id), code);
	return 0;
}

/* --- sending ---------------------------------------------------------------------------------------------------------------- */

/* Whether a stream was reset for what the client did, not for what we could not do. */
static bool provoked(uint32_t code)
{
	return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
	struct http2_session *s = arg;
	int32_t id = frame->hd.stream_id;
	bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	if (frame->hd.type == NGHTTP2_RST_STREAM && provoked(frame->rst_stream.error_code))
		http2_judge_count(s, HTTP2_LIMIT_PROVOKED);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		http2_judge_goaway(s, &frame->goaway);
	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	http2_limits_give(&s->limits, HTTP2_LIMIT_WINDOW, 2);
	s->ops->sent(s->owner, id, nghttp2_session_get_stream_user_data(ng, id), frame->hd.length + 9, end);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static nghttp2_session *new_session(struct http2_session *s, nghttp2_mem *mem)
{
	nghttp2_session_callbacks *cb = NULL;
	nghttp2_option *opt = NULL;
	nghttp2_session *ng = NULL;

	if (nghttp2_session_callbacks_new(&cb) == 0 && nghttp2_option_new(&opt) == 0) {
		nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
		nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
		nghttp2_session_callbacks_set_on_invalid_header_callback(cb, on_invalid_header);
		nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
		nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb, on_invalid_frame);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
		nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
		nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
		nghttp2_option_set_no_auto_window_update(opt, 1); /* the window grows as the spool takes */
		nghttp2_option_set_max_outbound_ack(opt, OUTBOUND_ACKS_MAX);
		nghttp2_option_set_no_closed_streams(opt, 1);
		nghttp2_option_set_builtin_recv_extension_type(opt, NGHTTP2_PRIORITY_UPDATE);
		if (nghttp2_session_server_new3(&ng, cb, s, opt, mem) != 0)
			ng = NULL;
	}
	nghttp2_option_del(opt);
	nghttp2_session_callbacks_del(cb);
	return ng;
}

int http2_session_init(struct http2_session *s, const struct http2_session_ops *ops, void *owner, size_t head_max, nghttp2_mem *mem)
{
	size_t max = head_max == 0 ? HTTP2_HEAD_MAX : head_max < HTTP2_HEAD_MOST ? head_max : HTTP2_HEAD_MOST;
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS_MAX},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_STREAM},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)max},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}, /* RFC 9218 2.1: the library reads its "priority" field then */
	};

	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->owner = owner;
	s->peer_window = NGHTTP2_INITIAL_WINDOW_SIZE;
	http2_frames_init(&s->frames, HTTP2_PREFACE_LEN);
	http2_limits_init(&s->limits, ops->now_ms(owner));
	http2_block_init(&s->block, max);
	s->ng = new_session(s, mem);
	if (s->ng != NULL &&
	    nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(*settings)) == 0 &&
	    nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0, WINDOW_CONN) == 0)
		return GW_OK;
	http2_session_fini(s);
	return GW_ERR_NOMEM;
}

void http2_session_fini(struct http2_session *s)
{
	nghttp2_session_del(s->ng);
	s->ng = NULL;
	http2_block_fini(&s->block);
}

static int feed(struct http2_session *s, const uint8_t *data, size_t n)
{
	ssize_t done = n > 0 ? nghttp2_session_mem_recv(s->ng, data, n) : 0;

	if (done == NGHTTP2_ERR_FLOODED || done == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
		http2_judge_calm(s, "frames that want an answer");
		return GW_OK;
	}
	return done == (ssize_t)n ? GW_OK : GW_ERR_PROTO;
}

int http2_session_recv(struct http2_session *s, const uint8_t *data, size_t n)
{
	size_t fed = 0, at = 0;
	struct http2_frame_head h;

	/* Fed in one piece, but for frames that are judged by what those before them have done. What came together with an error
	 * is as good as what comes after it. */
	while (!s->calmed && http2_frames_next(&s->frames, data, n, &at, &h)) {
		size_t begin = at > HTTP2_FRAME_HEAD ? at - HTTP2_FRAME_HEAD : 0;
		if (begin > fed && http2_judge_waits(s, &h)) {
			int err = feed(s, data + fed, begin - fed);
			if (err < 0)
				return err;
			fed = begin;
		}
		http2_judge_begin(s, &h);
	}
	return s->calmed ? GW_OK : feed(s, data + fed, n - fed);
}

int http2_session_send(struct http2_session *s, struct buf *out, size_t max)
{
	while (buf_unread(out) < max) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(s->ng, &data);
		if (n == 0)
			return GW_OK;
		if (n < 0 || buf_append(out, data, (size_t)n) < 0)
			return GW_ERR_NOMEM;
	}
	return GW_OK;
}

bool http2_session_over(const struct http2_session *s)
{
	return nghttp2_session_want_read(s->ng) == 0 && nghttp2_session_want_write(s->ng) == 0;
}
