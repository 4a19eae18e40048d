/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/http2.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/client/http1_request.h"
#include "gateway/client/http2_conn.h"
#include "gateway/client/http2_mem.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/serve.h"

#define PROTOCOL "HTTP/2.0"         /* what SERVER_PROTOCOL and logs call it */
#define READ_CHUNK 65536
#define WRITE_CHUNK 65536
#define FLUSH_ROUNDS 16            /* writes a turn */
#define MANY 8                     /* requests of a connection that may have as much memory as one of HTTP/1 */

/* --- streams ---------------------------------------------------------------------------------------------------------------- */

void http2_stream_dirty(struct http2_stream *st)
{
	if (!st->dirty) {
		st->dirty = true;
		st->dirty_next = st->h2->dirty;
		st->h2->dirty = st;
	}
	conn_dirty(st->h2->c);
}

/* Requests whose stream is over, but which PHP still works on: they count as if it were not. */
static unsigned works_left(struct http2 *h2)
{
	struct lease_work **p = &h2->works;
	unsigned n = 0;

	while (*p != NULL) {
		struct lease_work *w = *p;
		if (lease_work_is_over(w)) {
			*p = w->next;
			lease_work_put(w);
		} else {
			p = &w->next;
			n++;
		}
	}
	return n;
}

/* The stream's request is given up. */
static void drop_request(struct http2 *h2, struct request *r)
{
	struct lease_work *w = !r->dead && r->upstream ? fcgi_client_work(&r->fcgi) : NULL;

	if (w != NULL) {
		w->next = h2->works;
		h2->works = w;
	}
	request_drop(r);
}

void http2_stream_reset(struct http2_stream *st, uint32_t code)
{
	struct request *r = st->r;

	st->r = NULL;
	http2_session_reset(&st->h2->s, st->id, code);
	conn_dirty(st->h2->c);
	if (r != NULL)
		drop_request(st->h2, r);
	http2_mem_stream(st);
}

static struct http2_stream *stream_new(struct http2 *h2, int32_t id)
{
	bool room = http2_mem_room(h2) && h2->streams_n + works_left(h2) < HTTP2_STREAMS_MAX;
	struct http2_stream *st = room ? calloc(1, sizeof(*st)) : NULL;
	struct request *r = st != NULL ? request_new(h2->c, &http2_io) : NULL;

	if (r == NULL) {
		free(st);
		http2_session_reset(&h2->s, id, NGHTTP2_REFUSED_STREAM);
		return NULL;
	}
	st->h2 = h2;
	st->id = id;
	st->r = r;
	r->stream = st;
	st->next = h2->streams;
	st->prevp = &h2->streams;
	if (st->next != NULL)
		st->next->prevp = &st->next;
	h2->streams = st;
	if (h2->streams_n++ == 0) {
		conn_idle_del(h2->c);
		conn_arm(h2->c, HTTP2_TICK_MS);
	}
	nghttp2_session_set_stream_user_data(h2->s.ng, id, st);
	return st;
}

static void stream_free(struct http2_stream *st)
{
	http2_mem_stream_gone(st);
	*st->prevp = st->next;
	if (st->next != NULL)
		st->next->prevp = st->prevp;
	st->h2->streams_n--;
	if (st->dirty)
		st->gone = true;
	else
		free(st);
}

/* --- from the session ------------------------------------------------------------------------------------------------------- */

/* One parser says for both protocols what a request may be. Returns what http1_parse() did; the request is filled in when > 0. */
static ssize_t parse(struct request *r, const struct buf *text)
{
	const struct http1_limits lim = http1_limits_of(r->conn->server);
	const char *in = (const char *)buf_head(text), *why = NULL;
	struct http1_request *h = http1_parse_take(r->w);

	if (h == NULL)
		return -500;
	ssize_t n = http1_parse(h, &lim, in, buf_unread(text), &why);
	if (n > 0 && (size_t)n != buf_unread(text))
		n = -400;
	if (n > 0 && http1_request_take(r, h, in, (size_t)n) < 0)
		n = -500;
	if (n == 0)
		n = -400;
	if (n < 0)
		conn_log(r->conn, LOG_LV_INFO, "request refused with %d: %s", (int)-n, why != NULL ? why : "malformed");
	http1_parse_give(r->w, h);
	return n;
}

static void begin(struct http2_stream *st, const struct buf *text, bool end)
{
	struct http2 *h2 = st->h2;
	struct request *r = st->r;
	ssize_t n = text != NULL ? parse(r, text) : -431;
	if (text == NULL)
		conn_log(h2->c, LOG_LV_INFO, "request refused with 431: request head larger than LimitRequestHead");
	h2->c->served++;
	if (n < 0) {
		respond_bad(r, (int)-n, PROTOCOL);
		return;
	}
	r->protocol = PROTOCOL;
	r->https_target = h2->s.block.https;
	r->request_line = arena_printf(&r->arena, "%s %s " PROTOCOL, r->method, r->target);
	r->has_body = !end || r->content_length >= 0;
	req_body_init(&r->body, r->content_length, end ? REQ_BODY_NONE : REQ_BODY_FRAMED,
		req_fields_find(&r->fields, "expect") != NULL);
	/* What a client makes wait is worth a few connections of HTTP/1, not a hundred: the rest waits on disk, within its bounds. */
	if (h2->streams_n > MANY || http2_mem_short(r->w)) {
		r->body.mem_max = REQ_BODY_MEM_MANY;
		r->out.mem_max = OUTQ_MEM_MANY;
	}
	if (r->request_line == NULL) {
		request_abort(r);
		return;
	}
	request_begin(r);
	request_route(r);
}

static void on_head(void *owner, int32_t id, const struct buf *text, bool end)
{
	struct http2_stream *st = stream_new(owner, id);

	if (st == NULL)
		return;
	begin(st, text, end);
	http2_mem_stream(st);
}

static void on_data(void *owner, int32_t id, void *user, const uint8_t *data, size_t n)
{
	struct http2_stream *st = user;
	struct http2 *h2 = owner;
	struct request *r = st != NULL ? st->r : NULL;

	if (r == NULL || r->state != REQUEST_BODY) {
		/* Nobody wants it: others may go on, this stream's window stays where it is. */
		nghttp2_session_consume_connection(h2->s.ng, n);
		return;
	}
	int err = req_body_put(&r->body, data, n, request_spool(r));
	http2_mem_stream(st);
	if (err == 0) {
		nghttp2_session_consume(h2->s.ng, id, n);
		return;
	}
	nghttp2_session_consume_connection(h2->s.ng, n);
	request_body_refused(r, -err);
}

static void on_end(void *owner, int32_t id, void *user)
{
	struct http2_stream *st = user;
	struct request *r = st != NULL ? st->r : NULL;

	(void)owner;
	(void)id;
	if (r == NULL || r->body.complete)
		return;
	if (r->content_length >= 0 && r->state == REQUEST_BODY && r->body.received != (uint64_t)r->content_length) {
		http2_stream_reset(st, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	r->body.complete = true;
	if (r->state == REQUEST_BODY)
		request_body_done(r);
}

/*
 * RFC 9113 8.1: who is answered before his whole request came is to see the answer, then that its rest is not wanted. Told both
 * at once, some clients (curl 7.88) only see the second. So what his window allows him is read off for a while (http2_time.c).
 */
static void answered(struct http2_stream *st)
{
	struct request *r = st->r;

	if (r == NULL || r->body.complete || nghttp2_session_get_stream_remote_close(st->h2->s.ng, st->id) != 0)
		return;
	st->sent_ms = loop_now_ms(st->h2->c->w->loop);
	st->r = NULL;
	request_log(r, false);
	drop_request(st->h2, r);
	http2_mem_stream(st);
}

static void on_sent(void *owner, int32_t id, void *user, size_t octets, bool end)
{
	struct http2_stream *st = user;

	(void)owner;
	(void)id;
	if (st == NULL)
		return;
	st->sent |= end;
	if (st->r != NULL)
		st->r->octets_out += octets;
	if (end)
		answered(st);
}

static void on_closed(void *owner, int32_t id, void *user, uint32_t code)
{
	struct http2_stream *st = user;
	struct request *r = st != NULL ? st->r : NULL;

	(void)owner;
	(void)id;
	(void)code;
	if (st == NULL)
		return;
	st->r = NULL;
	if (r != NULL) {
		request_log(r, !st->sent);
		drop_request(st->h2, r);
	}
	stream_free(st);
}

static void on_calm(void *owner, const char *what)
{
	struct http2 *h2 = owner;

	conn_log(h2->c, LOG_LV_WARN, "connection ended: too many %s", what);
	conn_dirty(h2->c);
}

static int64_t widest(void *owner)
{
	struct http2 *h2 = owner;
	int64_t most = 0;

	for (struct http2_stream *st = h2->streams; st != NULL; st = st->next) {
		int64_t window = nghttp2_session_get_stream_remote_window_size(h2->s.ng, st->id);
		if (window > most)
			most = window;
	}
	return most;
}

static uint64_t now_ms(void *owner)
{
	return loop_now_ms(((struct http2 *)owner)->c->w->loop);
}

static const struct http2_session_ops session_ops = {
	.head = on_head,
	.data = on_data,
	.end = on_end,
	.sent = on_sent,
	.closed = on_closed,
	.calm = on_calm,
	.widest = widest,
	.now_ms = now_ms,
};

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

/* Give what streams have collected to the session. */
static void collect(struct http2 *h2)
{
	while (h2->dirty != NULL) {
		struct http2_stream *st = h2->dirty;
		h2->dirty = st->dirty_next;
		st->dirty = false;
		if (st->gone) {
			free(st);
			continue;
		}
		if (st->r != NULL && st->r->state == REQUEST_WORK) {
			serve_php_resume(st->r);
			serve_php_flush(st->r);
		}
		http2_mem_stream(st);
		/* Fails when the stream does not wait for data: then it needs no waking. */
		if (st->r != NULL)
			(void)nghttp2_session_resume_data(h2->s.ng, st->id);
	}
}

/* Write what fits through @out. 1: all is out; 0: the socket is full, or it was this connection's turn long enough; < 0: lost. */
static int write_some(struct http2 *h2, struct buf *out)
{
	for (int round = 0; round < FLUSH_ROUNDS; round++) {
		if (http2_session_send(&h2->s, out, WRITE_CHUNK) < 0)
			return GW_ERR_NOMEM;
		if (buf_unread(out) == 0)
			return 1;
		int64_t n = transport_send(h2->c, buf_head(out), buf_unread(out));
		if (n < 0)
			return (int)n;
		h2->octets_out += (uint64_t)n;
		buf_consume(out, (size_t)n);
		if (n == 0)
			break;
	}
	return 0;
}

/* Through the connection's own buffer while there is something in it, else through the worker's. */
static int pump(struct http2 *h2)
{
	struct buf *shared = &h2->c->w->frames;
	int done;

	if (h2->out.data != NULL) {
		done = write_some(h2, &h2->out);
		if (done == 1)
			buf_fini(&h2->out);
		return done;
	}
	done = write_some(h2, shared);
	if (done == 0 && buf_append(&h2->out, buf_head(shared), buf_unread(shared)) < 0)
		done = GW_ERR_NOMEM;
	buf_reset(shared); /* whatever happened: the next connection must not send what is left of this one */
	return done;
}

static bool finished(const struct http2 *h2)
{
	return http2_session_over(&h2->s) || (h2->goaway && h2->streams_n == 0);
}

static void idle(struct http2 *h2)
{
	struct conn *c = h2->c;

	if (c->idle)
		return;
	conn_idle_add(c);
	conn_arm(c, c->server->keepalive_timeout_ms);
}

static void http2_flush(struct conn *c)
{
	struct http2 *h2 = c->h2;

	collect(h2);
	int done = pump(h2);
	http2_mem_conn(h2);
	h2->blocked = done == 0;
	if (done < 0) {
		conn_abort(c);
	} else if (done == 0) {
		/* What it does not read it does not get, and what it wants meanwhile is not read either. */
		conn_want(c, EPOLLOUT | EPOLLRDHUP);
	} else if (finished(h2)) {
		c->lingering = true;
		conn_close(c);
	} else {
		conn_want(c, CONN_READ);
		if (!c->dead && h2->streams_n == 0 && c->served > 0)
			idle(h2);
	}
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static void feed(struct conn *c)
{
	struct http2 *h2 = c->h2;
	int err = http2_session_recv(&h2->s, buf_head(&c->in), buf_unread(&c->in));

	if (c->dead)
		return;
	conn_release_in(c);
	if (err < 0) {
		conn_log(c, LOG_LV_INFO, "HTTP/2: no preface, or out of memory");
		conn_abort(c);
		return;
	}
	conn_dirty(c);
}

static void http2_ready(struct conn *c, uint32_t events)
{
	/* With output stuck nothing is read: an end or an error is all that can be told. */
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 || (events & EPOLLIN) == 0) {
		conn_abort(c);
		return;
	}
	do {
		ssize_t n = conn_read(c, READ_CHUNK);
		if (n == GW_ERR_CLOSED)
			conn_abort(c);
		if (n <= 0)
			return;
		feed(c);
	} while (!c->dead && transport_pending(c));
}

/* --- as a protocol ---------------------------------------------------------------------------------------------------------- */

int http2_preface(const struct conn *c)
{
	size_t n = buf_unread(&c->in);

	if (n == 0)
		return 0;
	if (n > HTTP2_PREFACE_LEN)
		n = HTTP2_PREFACE_LEN;
	if (c->transport != NULL || c->plain_on_tls || memcmp(buf_head(&c->in), HTTP2_PREFACE, n) != 0)
		return -1;
	if ((c->server->protocols.mask & CONF_PROTOCOL_H2C) == 0)
		return -1;
	return n == HTTP2_PREFACE_LEN;
}

static void http2_start(struct conn *c)
{
	struct http2 *h2 = calloc(1, sizeof(*h2));

	c->h2 = h2;
	if (h2 == NULL) {
		conn_abort(c);
		return;
	}
	h2->c = c;
	nghttp2_mem mem = http2_mem_allocator(c->w);
	if (http2_session_init(&h2->s, &session_ops, h2, c->server->limit_head, &mem) < 0) {
		conn_abort(c);
		return;
	}
	conn_phase_pace(c, &c->server->read_timeout.header);
	if (c->dead)
		return;
	conn_idle_add(c);
	conn_want(c, CONN_READ);
	conn_dirty(c);
	if (!c->dead && buf_unread(&c->in) > 0)
		feed(c);
}

static void http2_drain(struct conn *c)
{
	struct http2 *h2 = c->h2;

	if (h2->draining)
		return;
	h2->draining = c->closing = true;
	nghttp2_submit_shutdown_notice(h2->s.ng);
	conn_arm(c, HTTP2_TICK_MS);
	conn_dirty(c);
}

/* The connection is lost: its streams are. */
static void http2_conn_end(struct conn *c)
{
	struct http2 *h2 = c->h2;

	for (struct http2_stream *st = h2 != NULL ? h2->streams : NULL; st != NULL; st = st->next) {
		struct request *r = st->r;
		st->r = NULL;
		if (r != NULL)
			request_drop(r);
	}
}

static void http2_fini(struct conn *c)
{
	struct http2 *h2 = c->h2;

	if (h2 == NULL)
		return;
	http2_conn_end(c);
	http2_session_fini(&h2->s);
	while (h2->dirty != NULL) {
		struct http2_stream *st = h2->dirty;
		h2->dirty = st->dirty_next;
		st->dirty = false;
		if (st->gone)
			free(st);
	}
	while (h2->streams != NULL)
		stream_free(h2->streams);
	while (h2->works != NULL) {
		struct lease_work *w = h2->works;
		h2->works = w->next;
		lease_work_put(w);
	}
	buf_fini(&h2->out);
	http2_mem_conn_gone(h2);
	free(h2);
	c->h2 = NULL;
}

const struct protocol protocol_http2 = {
	.name = "h2",
	.start = http2_start,
	.ready = http2_ready,
	.flush = http2_flush,
	.timeout = http2_time_check,
	.drain = http2_drain,
	.end = http2_conn_end,
	.fini = http2_fini,
};
