/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/http1.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gateway/client/conn.h"
#include "gateway/http/http1_parse.h"
#include "gateway/client/http1_request.h"
#include "gateway/answer/request.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/serve.h"

#define READ_CHUNK 8192            /* room made before each read */
#define BODY_CHUNK 65536
#define HEAD_MAX (1024 * 1024)     /* of one head without LimitRequestHead */
#define HEAD_SHORT 1024            /* octets of an incomplete head that is parsed anew with what comes */
#define HALF_CLOSE_GRACE_MS 1000   /* a client that shut its side gets a quick answer, but holds no PHP process */
#define DISCARD_MS 10000
#define FLUSH_ROUNDS 8             /* sendfile calls a turn */

static void http1_next(struct conn *c);
static void http1_flush(struct conn *c);

/* --- parser state: kept by a connection only while its head is incomplete ------------------------------------------------ */

struct http1_request *http1_parse_take(struct worker *w)
{
	struct http1_request *h = w->spare_parse;

	w->spare_parse = NULL;
	if (h == NULL)
		h = malloc(sizeof(*h));
	if (h != NULL)
		http1_request_init(h);
	return h;
}

void http1_parse_give(struct worker *w, struct http1_request *h)
{
	if (w->spare_parse == NULL)
		w->spare_parse = h;
	else
		free(h);
}

static void parse_end(struct conn *c)
{
	http1_parse_give(c->w, c->h1.parse);
	c->h1.parse = NULL;
}

struct http1_limits http1_limits_of(const struct conf_server *s)
{
	return (struct http1_limits){
		.line = s->limit_line, .field = s->limit_field_size, .fields = s->limit_fields,
		.head = s->limit_head > 0 ? s->limit_head : HEAD_MAX};
}

static struct http1_chunk_limits chunk_limits_of(const struct conf_server *s)
{
	return (struct http1_chunk_limits){.line = s->limit_chunk_line, .ext = s->limit_chunk_ext, .trailers = s->limit_trailers,
		.field = s->limit_field_size, .fields = s->limit_fields};
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */

/* A request that was not understood: answered with the built-in page, and nothing after it. */
static void refuse(struct conn *c, int status)
{
	struct request *r = request_new(c, &http1_io);

	if (r == NULL) {
		conn_abort(c);
		return;
	}
	c->h1.state = HTTP1_REQUEST;
	c->h1.r = r;
	c->h1.minor = 1;
	c->closing = c->lingering = true;
	respond_bad(r, status, "HTTP/1.1");
}

static void body_feed(struct conn *c)
{
	struct request *r = c->h1.r;
	int err = req_body_feed(&r->body, &c->in, request_spool(r));

	if (err < 0) {
		c->closing = true;
		request_body_refused(r, -err);
	} else if (r->body.complete) {
		loop_timer_stop(c->w->loop, &c->timer);
		request_body_done(r);
	} else if (buf_unread(&c->in) == 0) {
		conn_release_in(c);
	}
}

/* Octets are still to come: answer an expectation, start the clock. */
static void body_wait(struct conn *c)
{
	struct request *r = c->h1.r;

	conn_phase_pace(c, &request_server(r)->read_timeout.body);
	if (c->dead || !r->body.expect)
		return;
	r->body.expect = false;
	if (http1_io.interim(r, 100, NULL))
		conn_dirty(c);
}

void http1_read_body(struct request *r)
{
	struct conn *c = r->conn;

	body_feed(c);
	if (!c->dead && r->state == REQUEST_BODY)
		body_wait(c);
}

static void discard_feed(struct conn *c)
{
	if (req_body_feed(&c->h1.r->body, &c->in, NULL) < 0)
		conn_linger(c);
	else if (c->h1.r->body.complete)
		http1_next(c);
	else if (buf_unread(&c->in) == 0)
		conn_release_in(c);
}

static void begin(struct conn *c, const struct http1_request *h, size_t len)
{
	struct request *r = request_new(c, &http1_io);

	loop_timer_stop(c->w->loop, &c->timer);
	if (r == NULL) {
		conn_abort(c);
		return;
	}
	c->h1.state = HTTP1_REQUEST;
	c->h1.r = r;
	c->h1.minor = h->minor;
	c->h1.keep_alive = h->keep_alive;
	bool ok = http1_request_take(r, h, (const char *)buf_head(&c->in), len) == GW_OK;
	buf_consume(&c->in, len);
	parse_end(c);
	if (!ok) {
		conn_abort(c);
		return;
	}
	request_begin(r);
	if (r->body.chunked)
		r->body.decoder.lim = chunk_limits_of(request_server(r));
	request_route(r);
}

static void head_feed(struct conn *c)
{
	const struct http1_limits lim = http1_limits_of(c->server);
	const char *why = NULL;

	if (buf_unread(&c->in) == 0)
		return;
	if (c->served == 0 && *buf_head(&c->in) == 'P') {
		int h2 = http2_preface(c);
		if (h2 > 0)
			conn_set_protocol(c, &protocol_http2);
		if (h2 >= 0)
			return;
	}
	if (c->h1.parse == NULL)
		c->h1.parse = http1_parse_take(c->w);
	struct http1_request *h = c->h1.parse;
	if (h == NULL) {
		conn_abort(c);
		return;
	}
	ssize_t n = http1_parse(h, &lim, (const char *)buf_head(&c->in), buf_unread(&c->in), &why);
	if (n != 0)
		conn_idle_del(c);
	if (n > 0) {
		begin(c, h, (size_t)n);
		return;
	}
	if (n == 0) {
		conn_idle_add(c);
		if (c->phase_octets == 0 && c->served > 0)
			conn_phase_pace(c, &c->server->read_timeout.header);
		c->phase_octets = buf_unread(&c->in);
		/* Of a short head nothing is kept but its octets: reading it again costs less than what a thousand slow clients hold. */
		if (c->phase_octets <= HEAD_SHORT) {
			parse_end(c);
			conn_compact_in(c);
		}
		return;
	}
	conn_log(c, LOG_LV_INFO, "request refused with %d: %s", (int)-n, why != NULL ? why : "malformed");
	parse_end(c);
	buf_reset(&c->in);
	refuse(c, (int)-n);
}

static void got_eof(struct conn *c)
{
	struct request *r = c->h1.r;

	if (r != NULL && r->state == REQUEST_BODY) {
		/* RFC 9112 section 8: an incomplete body is never passed on. */
		c->closing = true;
		respond_status(r, 400);
		return;
	}
	conn_abort(c);
}

static void http1_read(struct conn *c)
{
	ssize_t n = conn_read(c, c->h1.state == HTTP1_HEAD ? READ_CHUNK : BODY_CHUNK);

	if (n == GW_ERR_CLOSED)
		got_eof(c);
	if (n <= 0)
		return;
	switch (c->h1.state) {
	case HTTP1_HEAD:
		head_feed(c);
		break;
	case HTTP1_REQUEST:
		c->phase_octets += (uint64_t)n;
		body_feed(c);
		break;
	case HTTP1_DISCARD:
		discard_feed(c);
		break;
	}
}

/* A further request, or the client's end, while one is answered: not now, and do not wake us again for it. */
static void not_now(struct conn *c, uint32_t events)
{
	uint32_t keep = c->io.events & (uint32_t)EPOLLOUT;

	if ((events & EPOLLRDHUP) != 0) {
		c->peer_half_closed = true;
		if (c->h1.r->state == REQUEST_WORK)
			conn_arm(c, HALF_CLOSE_GRACE_MS);
	} else if ((events & EPOLLIN) != 0) {
		keep |= EPOLLRDHUP;
	}
	if ((events & CONN_READ) != 0)
		conn_want(c, keep);
}

static void http1_ready(struct conn *c, uint32_t events)
{
	bool body = c->h1.state == HTTP1_REQUEST && c->h1.r->state == REQUEST_BODY;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && c->h1.state != HTTP1_HEAD && !body)
		conn_abort(c);
	else if (c->h1.state == HTTP1_REQUEST && !body)
		not_now(c, events);
	else
		http1_read(c);
	/* A whole answer that is at hand goes out now: its memory serves the next connection of the batch, too. */
	if (!c->dead && c->dirty && c->protocol == &protocol_http1 && c->h1.state == HTTP1_REQUEST && c->h1.r->state == REQUEST_SEND)
		http1_flush(c);
}

/* --- time ---------------------------------------------------------------------------------------------------------------------- */

static void head_timeout(struct conn *c)
{
	if (buf_unread(&c->in) == 0) {
		if (c->transport != NULL)
			transport_shutdown(c);
		conn_abort(c);
	} else if (!conn_pace_left(c, &c->server->read_timeout.header)) {
		conn_idle_del(c);
		refuse(c, 408);
	}
}

static void body_timeout(struct conn *c)
{
	struct request *r = c->h1.r;

	if (conn_pace_left(c, &request_server(r)->read_timeout.body))
		return;
	request_log_line(r, LOG_LV_INFO, "request body too slow: %llu octets in %llu ms", (unsigned long long)c->phase_octets,
		(unsigned long long)(loop_now_ms(c->w->loop) - c->phase_start_ms));
	c->closing = true;
	respond_status(r, 408);
}

/* What the client's side has acknowledged, not what our kernel keeps for it: the buffers of both hold minutes of a slow one. */
static int64_t octets_taken(const struct conn *c, const struct request *r)
{
	int queued;

	return (int64_t)r->octets_out - (ioctl(c->io.fd, SIOCOUTQ, &queued) == 0 ? queued : 0);
}

/* Whether a client that was found blocked took something since the last look, and SendMinRate in the long run; looks again then. */
static bool client_takes(struct conn *c, const struct request *r)
{
	const struct conf_server *s = request_server(r);
	const struct pace p = {.start_ms = s->send_min_rate > 0 ? s->timeout_ms : 0, .rate = s->send_min_rate};
	int64_t taken = octets_taken(c, r), before = c->h1.taken;

	c->h1.taken = taken;
	if (!c->h1.blocked || taken <= before)
		return false;
	uint64_t left_ms = pace_left_ms(&p, loop_now_ms(c->w->loop) - c->phase_start_ms, (uint64_t)(taken - c->h1.taken_first));
	if (left_ms > 0)
		conn_arm(c, left_ms < s->timeout_ms ? left_ms : s->timeout_ms);
	return left_ms > 0;
}

static void request_timeout(struct conn *c)
{
	const struct request *r = c->h1.r;

	switch (r->state) {
	case REQUEST_BODY:
		body_timeout(c);
		break;
	case REQUEST_NEW:
	case REQUEST_WORK:
		/* A timer left over from an earlier state means nothing here. */
		if (c->peer_half_closed)
			conn_abort(c);
		else if (outq_pending(&r->out) > 0 && !client_takes(c, r))
			conn_reset(c);
		break;
	case REQUEST_SEND:
		if (outq_pending(&r->out) > 0 && !client_takes(c, r))
			conn_reset(c);
		break;
	}
}

static void http1_timeout(struct conn *c)
{
	if (c->h1.state == HTTP1_HEAD)
		head_timeout(c);
	else if (c->h1.state == HTTP1_REQUEST)
		request_timeout(c);
	else
		conn_abort(c);
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

static void http1_next(struct conn *c)
{
	unsigned idle_ms = request_server(c->h1.r)->keepalive_timeout_ms;

	request_release(c->h1.r);
	c->h1.r = NULL;
	c->h1.state = HTTP1_HEAD;
	if (c->closing) {
		conn_close(c);
		return;
	}
	c->served++;
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	conn_want(c, CONN_READ);
	if (c->dead)
		return;
	if (buf_unread(&c->in) > 0) {
		head_feed(c);
		return;
	}
	conn_release_in(c);
	conn_idle_add(c);
	conn_arm(c, idle_ms);
}

/* Everything queued is sent and nothing more comes. */
static void sent(struct conn *c)
{
	struct request *r = c->h1.r;

	request_log(r, r->resp.cut);
	c->cut = r->resp.cut;
	if (r->resp.cut || (c->closing && req_body_pending(&r->body))) {
		conn_linger(c);
	} else if (req_body_pending(&r->body)) {
		r->body.discard = true;
		r->body.received = 0;
		c->h1.state = HTTP1_DISCARD;
		conn_phase(c, DISCARD_MS);
		conn_want(c, CONN_READ);
		if (!c->dead)
			discard_feed(c);
	} else {
		http1_next(c);
	}
}

static bool more(struct request *r)
{
	return r->state == REQUEST_SEND && r->resp.more != NULL && r->resp.more(r) && !r->dead;
}

/* Send as much as the socket takes, within bounds. False: the connection is gone. */
static bool send_some(struct conn *c, struct request *r)
{
	for (int round = 0; !c->dead && round < FLUSH_ROUNDS; round++) {
		if (outq_pending(&r->out) == 0 && !more(r))
			break;
		int64_t n = transport_flush(c, &r->out);
		if (n < 0) {
			if (n == GW_ERR_SYS)
				request_log_line(r, LOG_LV_ERROR, "cannot send the answer: %m");
			conn_abort(c);
			return false;
		}
		r->octets_out += (uint64_t)n;
		if (n == 0)
			break;
	}
	return !c->dead;
}

/* The client does not take what there is: look every Timeout how it does. */
static void wait_for_client(struct conn *c, const struct request *r)
{
	if (!c->h1.blocked) {
		c->h1.blocked = true;
		c->h1.taken_first = c->h1.taken = octets_taken(c, r);
		c->phase_start_ms = loop_now_ms(c->w->loop);
		if (!c->peer_half_closed || !loop_timer_armed(&c->timer))
			conn_arm(c, request_server(r)->timeout_ms);
	}
	conn_want(c, c->io.events | EPOLLOUT);
}

static void http1_flush(struct conn *c)
{
	struct request *r = c->h1.r;

	if (c->h1.state != HTTP1_REQUEST) {
		conn_want(c, c->io.events & ~(uint32_t)EPOLLOUT);
		return;
	}
	if (r->state == REQUEST_WORK)
		serve_php_flush(r);
	if (!send_some(c, r))
		return;
	/* Whatever ended the rounds: the answer is out only when nothing is queued and its producer has no more. */
	bool unsent = outq_pending(&r->out) > 0 || more(r);
	if (c->dead)
		return;
	if (unsent) {
		wait_for_client(c, r);
		return;
	}
	c->h1.blocked = false;
	if (r->state == REQUEST_SEND) {
		sent(c);
		return;
	}
	conn_want(c, c->io.events & ~(uint32_t)EPOLLOUT);
	if (c->dead || r->state != REQUEST_WORK)
		return;
	/* The client took everything: its time begins anew with the next piece. */
	if (!c->peer_half_closed)
		loop_timer_stop(c->w->loop, &c->timer);
	serve_php_resume(r);
}

/* --- as a protocol ------------------------------------------------------------------------------------------------------------- */

static void http1_start(struct conn *c)
{
	c->h1 = (struct http1){.state = HTTP1_HEAD};
	conn_phase_pace(c, &c->server->read_timeout.header);
	if (c->dead)
		return;
	conn_idle_add(c); /* silent so far: makes room when descriptors run out */
	head_feed(c);
}

static void http1_drain(struct conn *c)
{
	/*
	 * A connection whose client was not told of its end stays: a further request may be under way. Idle ones end by their
	 * own time-out, and whatever is answered from now on says "close".
	 */
	if (c->h1.state == HTTP1_REQUEST && !c->h1.r->resp.head_queued)
		c->closing = true;
}

static void http1_end(struct conn *c)
{
	if (c->h1.r != NULL)
		request_drop(c->h1.r);
	c->h1.r = NULL;
}

static void http1_fini(struct conn *c)
{
	if (c->h1.parse != NULL)
		parse_end(c);
	if (c->h1.r != NULL)
		request_release(c->h1.r);
	c->h1.r = NULL;
}

const struct protocol protocol_http1 = {
	.name = "http/1.1",
	.start = http1_start,
	.ready = http1_ready,
	.flush = http1_flush,
	.timeout = http1_timeout,
	.drain = http1_drain,
	.end = http1_end,
	.fini = http1_fini,
};
