/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection of HTTP/2 and each of its streams may take in time. */
#include "gateway/base/pace.h"
#include "gateway/client/http2_conn.h"
#include "gateway/answer/respond.h"

#define REST_MS 5000 /* for the rest of a request that is answered */

/* Whether what waits for the client has waited too long: without moving at all, or slower than SendMinRate. */
static bool stalled(struct http2_stall *st, bool waits, const struct conf_server *s, uint64_t now, uint64_t octets)
{
	const struct pace slow = {.start_ms = s->send_min_rate > 0 ? s->timeout_ms : 0, .rate = s->send_min_rate};

	if (!waits || !st->on) {
		*st = (struct http2_stall){.on = waits, .first_ms = now, .moved_ms = now, .first = octets, .last = octets};
		return false;
	}
	if (octets != st->last) {
		st->last = octets;
		st->moved_ms = now;
	}
	return now - st->moved_ms > s->timeout_ms || pace_left_ms(&slow, now - st->first_ms, octets - st->first) == 0;
}

/* An answer came before its request was complete: by now the client has seen it. */
static void rest_timeout(struct http2_stream *st, uint64_t now)
{
	if (st->sent_ms == 0 || (now - st->sent_ms < REST_MS && !st->h2->draining))
		return;
	st->sent_ms = 0;
	http2_stream_reset(st, NGHTTP2_NO_ERROR);
}

static void body_timeout(struct http2_stream *st, uint64_t now)
{
	struct request *r = st->r;
	uint64_t spent = now - st->body_ms;

	if (pace_left_ms(&request_server(r)->read_timeout.body, spent, r->body.received) > 0)
		return;
	request_log_line(r, LOG_LV_INFO, "request body too slow: %llu octets in %llu ms",
		(unsigned long long)r->body.received, (unsigned long long)spent);
	respond_status(r, 408);
}

/* An answer whose window the client keeps shut. That it is another stream's turn is no fault of the client. */
static void answer_timeout(struct http2_stream *st, uint64_t now)
{
	struct request *r = st->r;
	bool waits = (r->state == REQUEST_SEND || outq_pending(&r->out) > 0) &&
		nghttp2_session_get_stream_remote_window_size(st->h2->s.ng, st->id) <= 0;

	if (stalled(&st->stall, waits, request_server(r), now, r->octets_out)) {
		request_log_line(r, LOG_LV_INFO, "the client takes too little of the answer");
		http2_stream_reset(st, NGHTTP2_CANCEL);
	}
}

/* The same of the connection: its window is shut, or nobody reads from the socket. */
static bool conn_stalled(struct http2 *h2, uint64_t now)
{
	bool waits = h2->blocked || (h2->streams_n > 0 && nghttp2_session_get_remote_window_size(h2->s.ng) <= 0);

	return stalled(&h2->stall, waits, h2->c->server, now, h2->octets_out);
}

void http2_time_check(struct conn *c)
{
	struct http2 *h2 = c->h2;
	uint64_t now = loop_now_ms(c->w->loop);

	if (conn_stalled(h2, now)) {
		conn_reset(c);
		return;
	}
	if (h2->s.block.open && pace_left_ms(&c->server->read_timeout.header, now - h2->s.block.began_ms, 0) == 0) {
		conn_abort(c);
		return;
	}
	if (h2->streams_n == 0 && !h2->blocked) {
		nghttp2_session_terminate_session(h2->s.ng, NGHTTP2_NO_ERROR);
		conn_dirty(c);
		conn_arm(c, HTTP2_TICK_MS);
		return;
	}
	for (struct http2_stream *st = h2->streams, *next; st != NULL; st = next) {
		next = st->next;
		if (st->r == NULL)
			rest_timeout(st, now);
		else if (st->r->state == REQUEST_BODY)
			body_timeout(st, now);
		else
			answer_timeout(st, now);
	}
	if (h2->draining && !h2->goaway) {
		/* RFC 9113 6.8: a round trip after the notice; what came meanwhile is served. */
		h2->goaway = true;
		nghttp2_submit_goaway(h2->s.ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2->s.ng),
			NGHTTP2_NO_ERROR, NULL, 0);
		conn_dirty(c);
	}
	conn_arm(c, HTTP2_TICK_MS);
}
