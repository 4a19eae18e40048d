/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_judge.h"

#define FRAME_MAX 16384      /* RFC 9113 6.5.2: our SETTINGS_MAX_FRAME_SIZE stays what it is initially */
#define WINDOW_MAX INT32_MAX /* RFC 9113 6.9.1 */

/* --- too much --------------------------------------------------------------------------------------------------------------- */

void http2_judge_calm(struct http2_session *s, const char *what)
{
	if (s->calmed)
		return;
	s->calmed = true;
	s->ops->calm(s->owner, what);
	nghttp2_session_terminate_session(s->ng, NGHTTP2_ENHANCE_YOUR_CALM);
}

void http2_judge_count(struct http2_session *s, enum http2_limit what)
{
	if (!http2_limits_take(&s->limits, what, s->ops->now_ms(s->owner)))
		http2_judge_calm(s, http2_limit_text(what));
}

/* --- wrong ------------------------------------------------------------------------------------------------------------------ */

/* A connection error. */
static void fail(struct http2_session *s, uint32_t code)
{
	nghttp2_session_terminate_session(s->ng, code);
}

static bool is_live(struct http2_session *s, int32_t id)
{
	nghttp2_stream *st = nghttp2_session_find_stream(s->ng, id);

	return st != NULL && nghttp2_stream_get_state(st) != NGHTTP2_STREAM_STATE_IDLE;
}

/* RFC 9113 5.1 and 5.1.1: HEADERS and DATA by the number of their stream, where that is none the library knows. */
static void judge_number(struct http2_session *s, const struct http2_frame_head *h)
{
	bool head = h->type == NGHTTP2_HEADERS;

	if (h->id % 2 == 0)
		return; /* the library's */
	switch (http2_numbers_tell(&s->numbers, h->id)) {
	case HTTP2_NUMBER_NEW:
		if (head)
			http2_numbers_open(&s->numbers, h->id);
		if (head && s->leaving)
			http2_numbers_cut(&s->numbers, h->id);
		break;
	case HTTP2_NUMBER_CUT:
		/* Crossed our RST_STREAM, as what still comes of a request may; not for ever. */
		if (head)
			http2_judge_count(s, HTTP2_LIMIT_CONTROL);
		else if (h->length == 0)
			http2_judge_count(s, HTTP2_LIMIT_EMPTY);
		break;
	case HTTP2_NUMBER_PASSED:
		fail(s, head ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_STREAM_CLOSED);
		break;
	case HTTP2_NUMBER_ENDED:
		if (!is_live(s, h->id))
			fail(s, NGHTTP2_STREAM_CLOSED);
		break;
	}
}

static void judge_continuation(struct http2_session *s, const struct http2_frame_head *h)
{
	/* RFC 9113 4.2; of other frames the library looks at the length. */
	if (h->length > FRAME_MAX)
		fail(s, NGHTTP2_FRAME_SIZE_ERROR);
	if (++s->block.continuations > HTTP2_CONTINUATIONS_MAX)
		http2_judge_calm(s, "CONTINUATION frames");
}

bool http2_judge_waits(const struct http2_session *s, const struct http2_frame_head *h)
{
	bool stream = h->type == NGHTTP2_HEADERS || h->type == NGHTTP2_DATA;

	return h->type == NGHTTP2_SETTINGS || (stream && h->id <= s->numbers.last);
}

void http2_judge_begin(struct http2_session *s, const struct http2_frame_head *h)
{
	switch (h->type) {
	case NGHTTP2_HEADERS:
		s->block.continuations = 0;
		judge_number(s, h);
		break;
	case NGHTTP2_DATA:
		judge_number(s, h);
		break;
	case NGHTTP2_CONTINUATION:
		judge_continuation(s, h);
		break;
	case NGHTTP2_WINDOW_UPDATE:
		http2_judge_count(s, HTTP2_LIMIT_WINDOW);
		break;
	case NGHTTP2_RST_STREAM:
	case NGHTTP2_GOAWAY:
		break; /* counted by what they do */
	case NGHTTP2_PRIORITY:
		/* Nothing of it counts since RFC 9218; RFC 9113 6.3 still judges its place. */
		if (h->id == 0)
			fail(s, NGHTTP2_PROTOCOL_ERROR);
		http2_judge_count(s, HTTP2_LIMIT_CONTROL);
		break;
	case NGHTTP2_SETTINGS:
		s->widest = s->ops->widest(s->owner);
		http2_judge_count(s, HTTP2_LIMIT_CONTROL);
		break;
	default:
		http2_judge_count(s, HTTP2_LIMIT_CONTROL);
	}
}

/*
 * RFC 9113 6.9.2: no stream's window may be made wider than can be. The library would end the stream alone. What was sent since
 * the frame began is not taken off ->widest, and need not: the client had not heard of it when it wrote the frame.
 */
void http2_judge_settings(struct http2_session *s, const nghttp2_settings *f)
{
	for (size_t i = 0; i < f->niv; i++) {
		if (f->iv[i].settings_id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE)
			continue;
		s->widest += (int64_t)f->iv[i].value - s->peer_window;
		s->peer_window = f->iv[i].value;
		if (s->widest > WINDOW_MAX)
			fail(s, NGHTTP2_FLOW_CONTROL_ERROR);
	}
}

/* RFC 9218 7.1: there is no stream 0 to be given a priority. */
void http2_judge_priority(struct http2_session *s, const nghttp2_extension *f)
{
	const nghttp2_ext_priority_update *p = f->payload;

	if (p->stream_id == 0)
		fail(s, NGHTTP2_PROTOCOL_ERROR);
}

void http2_judge_closed(struct http2_session *s, int32_t id, bool ended)
{
	if (!ended)
		http2_numbers_cut(&s->numbers, id);
}

void http2_judge_goaway(struct http2_session *s, const nghttp2_goaway *f)
{
	/* The highest number that can be is but a notice: requests are on their way (RFC 9113 6.8). */
	if (f->last_stream_id != INT32_MAX)
		s->leaving = true;
}
