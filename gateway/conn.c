/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/request.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

#define READ_CHUNK 8192            /* room made before each read */
#define BODY_CHUNK 65536
#define HEAD_MAX (1024 * 1024)     /* bound of one head whatever the limits say */
#define HEAD_GRACE_MS 20000        /* a head must be complete after this ... */
#define HEAD_MAX_MS 40000          /* ... plus its octets at MIN_RATE, at most this */
#define BODY_GRACE_MS 20000
#define MIN_RATE 500               /* octets a second a client must reach in the long run */
#define HALF_CLOSE_GRACE_MS 1000   /* a client that shut its side gets a quick answer, but holds no PHP process */
#define LINGER_MS 2000
#define DISCARD_MS 10000
#define FLUSH_ROUNDS 8             /* sendfile calls a turn */
#define EV_READ (EPOLLIN | EPOLLRDHUP)

static void conn_next(struct conn *c);
static void conn_parse(struct conn *c);

static const struct conf_server *conn_server(const struct conn *c)
{
	return c->req.server != NULL ? c->req.server : c->w->front->conf->servers[0];
}

void conn_log(struct conn *c, enum log_level level, const char *fmt, ...)
{
	const struct conf_server *s = conn_server(c);
	const struct log_sink *sink = &c->w->front->sinks[s->index];
	char text[8192];
	va_list ap;

	if (!log_enabled(sink, level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	const char *script = c->req.route.script_name != NULL ? c->req.route.script_name : c->req.path;
	struct log_about about = {.client = c->peer_text, .script = script != NULL ? script : c->req.target};
	log_line(sink, level, &about, "%s", text);
}

/* --- idle list ------------------------------------------------------------------------------------------------------- */

/* Waits for a request, or for its end: the first to go when descriptors run out. */
static void idle_add(struct conn *c)
{
	struct worker *w = c->w;

	if (c->idle)
		return;
	c->idle = true;
	c->idle_next = NULL;
	c->idle_prev = w->idle_new;
	if (w->idle_new != NULL)
		w->idle_new->idle_next = c;
	else
		w->idle_old = c;
	w->idle_new = c;
}

static void idle_del(struct conn *c)
{
	struct worker *w = c->w;

	if (!c->idle)
		return;
	c->idle = false;
	*(c->idle_prev != NULL ? &c->idle_prev->idle_next : &w->idle_old) = c->idle_next;
	*(c->idle_next != NULL ? &c->idle_next->idle_prev : &w->idle_new) = c->idle_prev;
}

bool conn_close_idlest(struct worker *w)
{
	if (w->idle_old == NULL)
		return false;
	conn_abort(w->idle_old);
	return true;
}

/* --- life ---------------------------------------------------------------------------------------------------------------- */

static void want(struct conn *c, uint32_t events)
{
	if (loop_io_want(c->w->loop, &c->io, events) < 0)
		conn_abort(c);
}

static void arm(struct conn *c, uint64_t ms)
{
	if (loop_timer_set(c->w->loop, &c->timer, ms) < 0)
		conn_abort(c);
}

static void phase(struct conn *c, enum conn_state state, uint64_t ms)
{
	c->state = state;
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	arm(c, ms);
}

void conn_abort(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	idle_del(c);
	if (c->state == CONN_WORK)
		serve_php_abort(c);
	if (c->req.head != NULL)
		request_log(c, c->state != CONN_LINGER && c->state != CONN_DISCARD);
	loop_timer_stop(c->w->loop, &c->timer);
	loop_io_del(c->w->loop, &c->io);
	io_close(&c->io.fd);
	atomic_fetch_sub(&c->w->front->conns_n, 1);
	conn_dirty(c); /* freed by conn_reap() once nothing in this batch can name it */
}

static void conn_free(struct conn *c)
{
	struct worker *w = c->w;

	*c->prevp = c->next;
	if (c->next != NULL)
		c->next->prevp = c->prevp;
	w->conns_n--;
	request_fini(&c->req);
	buf_fini(&c->in);
	outq_fini(&c->out);
	free(c);
}

void conn_dirty(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->dirty_next = c->w->dirty;
	c->w->dirty = c;
}

void conn_reap(struct worker *w)
{
	/* Flushing may dirty others, or the same one again (a pipelined request): until none is left. */
	while (w->dirty != NULL) {
		struct conn *c = w->dirty;
		w->dirty = c->dirty_next;
		c->dirty = false;
		if (c->dead)
			conn_free(c);
		else
			conn_flush(c);
	}
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */

static void linger(struct conn *c)
{
	shutdown(c->io.fd, SHUT_WR);
	phase(c, CONN_LINGER, LINGER_MS);
	if (!c->dead)
		want(c, EPOLLIN);
	if (!c->dead)
		idle_add(c);
}

/* The answer is out and the connection ends: close now when the client has nothing more under way. */
static void conn_close(struct conn *c)
{
	char probe;

	if (!c->lingering && buf_unread(&c->in) == 0 && recv(c->io.fd, &probe, 1, MSG_DONTWAIT | MSG_PEEK) <= 0)
		conn_abort(c);
	else
		linger(c);
}

/* Octets are still to come: answer an expectation, start the clock. */
static void body_wait(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	arm(c, BODY_GRACE_MS);
	if (c->dead || !c->req.body.expect)
		return;
	c->req.body.expect = false;
	if (outq_append(&c->out, c->w->front->spool_fd, go_on, sizeof(go_on) - 1) < 0)
		conn_abort(c);
	else
		conn_dirty(c);
}

static void body_feed(struct conn *c)
{
	int err = req_body_feed(&c->req.body, &c->in, c->w->front->spool_fd);

	if (err < 0) {
		if (err == -500)
			conn_log(c, LOG_LV_ERROR, "no room for the request body: %m");
		c->closing = true;
		respond_status(c, -err);
	} else if (c->req.body.complete) {
		loop_timer_stop(c->w->loop, &c->timer);
		serve_php(c);
	}
}

void conn_body_start(struct conn *c)
{
	c->state = CONN_BODY;
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	body_feed(c);
	if (!c->dead && c->state == CONN_BODY)
		body_wait(c);
}

static void discard_feed(struct conn *c)
{
	if (req_body_feed(&c->req.body, &c->in, -1) < 0) {
		request_reset(&c->req);
		linger(c);
	} else if (c->req.body.complete) {
		conn_next(c);
	}
}

static void conn_parse(struct conn *c)
{
	const struct conf_server *s = c->w->front->conf->servers[0];
	const struct http1_limits lim = {
		.line = s->limit_line, .field = s->limit_field_size, .fields = s->limit_fields, .head = HEAD_MAX};
	const char *why = NULL;

	if (buf_unread(&c->in) == 0)
		return;
	ssize_t n = http1_parse(&c->req.h, &lim, (const char *)buf_head(&c->in), buf_unread(&c->in), &why);
	if (n != 0)
		idle_del(c);
	if (n > 0) {
		loop_timer_stop(c->w->loop, &c->timer);
		request_start(c, (size_t)n);
		return;
	}
	if (n == 0) {
		idle_add(c);
		if (c->phase_octets == 0 && c->served > 0)
			phase(c, CONN_HEAD, HEAD_GRACE_MS);
		c->phase_octets = buf_unread(&c->in);
		return;
	}
	conn_log(c, LOG_LV_INFO, "request refused with %d: %s", (int)-n, why != NULL ? why : "malformed");
	buf_reset(&c->in);
	respond_bad(c, (int)-n);
}

static void got_octets(struct conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
		conn_parse(c);
		break;
	case CONN_BODY:
		body_feed(c);
		break;
	case CONN_DISCARD:
		discard_feed(c);
		break;
	case CONN_LINGER:
		buf_reset(&c->in);
		break;
	case CONN_WORK:
	case CONN_SEND:
		break;
	}
}

static void got_eof(struct conn *c)
{
	if (c->state == CONN_BODY) {
		/* RFC 9112 section 8: an incomplete body is never passed on. */
		c->closing = true;
		respond_status(c, 400);
		return;
	}
	conn_abort(c);
}

static void conn_read(struct conn *c)
{
	size_t room = c->state == CONN_BODY || c->state == CONN_DISCARD ? BODY_CHUNK : READ_CHUNK;

	if (buf_reserve(&c->in, room) < 0) {
		conn_abort(c);
		return;
	}
	ssize_t n = recv(c->io.fd, c->in.data + c->in.len, c->in.cap - c->in.len, 0);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			conn_abort(c);
		return;
	}
	if (n == 0) {
		got_eof(c);
		return;
	}
	c->in.len += (size_t)n;
	c->octets_in += (uint64_t)n;
	if (c->state != CONN_HEAD)
		c->phase_octets += (uint64_t)n;
	got_octets(c);
}

static void on_ready(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct conn *c = container_of(io, struct conn, io);

	(void)l;
	if ((ready & (EPOLLERR | EPOLLHUP)) != 0 && c->state != CONN_HEAD && c->state != CONN_BODY) {
		conn_abort(c);
		return;
	}
	if (c->state == CONN_WORK || c->state == CONN_SEND) {
		/* A further request, or the client's end: not now, and do not wake us again for it. */
		uint32_t keep = c->io.events & (uint32_t)EPOLLOUT;
		if ((ready & EPOLLRDHUP) != 0) {
			c->peer_half_closed = true;
			if (c->state == CONN_WORK)
				arm(c, HALF_CLOSE_GRACE_MS);
		} else if ((ready & EPOLLIN) != 0) {
			keep |= EPOLLRDHUP;
		}
		if (!c->dead && (ready & EV_READ) != 0)
			want(c, keep);
	} else if ((ready & (EV_READ | EPOLLERR | EPOLLHUP)) != 0) {
		conn_read(c);
	}
	if (!c->dead && (ready & EPOLLOUT) != 0)
		conn_dirty(c);
}

/* --- time ---------------------------------------------------------------------------------------------------------------------- */

static void head_timeout(struct conn *c)
{
	uint64_t spent = loop_now_ms(c->w->loop) - c->phase_start_ms;
	uint64_t allowed = HEAD_GRACE_MS + c->phase_octets * 1000 / MIN_RATE;

	if (allowed > HEAD_MAX_MS)
		allowed = HEAD_MAX_MS;
	if (buf_unread(&c->in) == 0)
		conn_abort(c);
	else if (spent < allowed)
		arm(c, allowed - spent);
	else
		respond_bad(c, 408);
}

static void body_timeout(struct conn *c)
{
	uint64_t spent = loop_now_ms(c->w->loop) - c->phase_start_ms;
	uint64_t allowed = BODY_GRACE_MS + c->phase_octets * 1000 / MIN_RATE;

	if (spent < allowed) {
		arm(c, allowed - spent);
		return;
	}
	conn_log(c, LOG_LV_INFO, "request body too slow: %llu octets in %llu ms", (unsigned long long)c->phase_octets,
		(unsigned long long)spent);
	c->closing = true;
	respond_status(c, 408);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);

	(void)l;
	switch (c->state) {
	case CONN_HEAD:
		head_timeout(c);
		break;
	case CONN_BODY:
		body_timeout(c);
		break;
	case CONN_WORK:
		/* A timer left over from an earlier state means nothing here. */
		if (c->peer_half_closed || outq_pending(&c->out) > 0)
			conn_abort(c);
		break;
	case CONN_SEND:
		if (outq_pending(&c->out) > 0)
			conn_abort(c);
		break;
	case CONN_DISCARD:
	case CONN_LINGER:
		conn_abort(c);
		break;
	}
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

void conn_answered(struct conn *c)
{
	c->state = CONN_SEND;
	conn_dirty(c);
}

static void conn_next(struct conn *c)
{
	unsigned idle_ms = conn_server(c)->keepalive_timeout_ms;

	request_reset(&c->req);
	if (c->closing) {
		conn_close(c);
		return;
	}
	c->served++;
	c->state = CONN_HEAD;
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	want(c, EV_READ);
	if (c->dead)
		return;
	if (buf_unread(&c->in) > 0) {
		conn_parse(c);
		return;
	}
	buf_recycle(&c->in, 2 * READ_CHUNK);
	buf_recycle(&c->out.mem, 2 * READ_CHUNK);
	idle_add(c);
	arm(c, idle_ms);
}

/* Everything queued is sent and nothing more comes. */
static void conn_sent(struct conn *c)
{
	struct req_body *b = &c->req.body;

	request_log(c, c->req.resp.cut);
	if (c->req.resp.cut || (c->closing && req_body_pending(b))) {
		request_reset(&c->req);
		linger(c);
	} else if (req_body_pending(b)) {
		b->discard = true;
		b->received = 0;
		phase(c, CONN_DISCARD, DISCARD_MS);
		if (!c->dead)
			want(c, EV_READ);
		if (!c->dead)
			discard_feed(c);
	} else {
		conn_next(c);
	}
}

static bool more(struct conn *c)
{
	struct response *r = &c->req.resp;

	return c->state == CONN_SEND && r->more != NULL && r->more(c) && !c->dead;
}

void conn_flush(struct conn *c)
{
	if (c->state == CONN_WORK)
		serve_php_flush(c);
	for (int round = 0; !c->dead && round < FLUSH_ROUNDS; round++) {
		if (outq_pending(&c->out) == 0 && !more(c))
			break;
		int64_t n = outq_flush(&c->out, c->io.fd);
		if (n < 0) {
			if (n == GW_ERR_SYS)
				conn_log(c, LOG_LV_ERROR, "cannot send the answer: %m");
			conn_abort(c);
			return;
		}
		c->octets_out += (uint64_t)n;
		if (n == 0)
			break;
		if (outq_pending(&c->out) > 0)
			arm(c, conn_server(c)->timeout_ms);
	}
	if (c->dead)
		return;
	/* Whatever ended the rounds: the answer is out only when nothing is queued and its producer has no more. */
	bool unsent = outq_pending(&c->out) > 0 || more(c);
	if (c->dead)
		return;
	if (unsent) {
		if (!loop_timer_armed(&c->timer))
			arm(c, conn_server(c)->timeout_ms);
		if (!c->dead)
			want(c, c->io.events | EPOLLOUT);
		return;
	}
	if (c->state == CONN_WORK) {
		/* The client took everything: its time begins anew with the next piece. */
		if (!c->peer_half_closed)
			loop_timer_stop(c->w->loop, &c->timer);
		want(c, c->io.events & ~(uint32_t)EPOLLOUT);
		if (!c->dead)
			serve_php_resume(c);
	} else if (c->state == CONN_SEND) {
		conn_sent(c);
	} else {
		want(c, c->io.events & ~(uint32_t)EPOLLOUT);
	}
}

/* --- accepting ------------------------------------------------------------------------------------------------------------------------ */

static unsigned addr_text(const struct sockaddr_storage *ss, char *out, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

	out[0] = '\0';
	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
		return ntohs(v4->sin_port);
	}
	if (ss->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			memmove(out, out + 7, strlen(out + 7) + 1); /* "::ffff:" */
		return ntohs(v6->sin6_port);
	}
	return 0;
}

static void name_peers(struct conn *c)
{
	socklen_t len = sizeof(c->local);

	if (getsockname(c->io.fd, (struct sockaddr *)&c->local, &len) == -1)
		memset(&c->local, 0, sizeof(c->local));
	c->peer_port = addr_text(&c->peer, c->peer_ip, sizeof(c->peer_ip));
	c->local_port = addr_text(&c->local, c->local_ip, sizeof(c->local_ip));
	if (c->peer.ss_family == AF_UNIX)
		snprintf(c->peer_text, sizeof(c->peer_text), "unix:");
	else
		snprintf(c->peer_text, sizeof(c->peer_text), "%s:%u", c->peer_ip, c->peer_port);
}

void conn_accept(struct worker *w, int fd, const struct sockaddr_storage *peer)
{
	struct conn *c = malloc(sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	memset(c, 0, offsetof(struct conn, req));
	c->w = w;
	c->peer = *peer;
	c->io = (struct loop_io){.fd = fd, .events = EV_READ, .cb = on_ready};
	c->timer.cb = on_timer;
	buf_init(&c->in);
	outq_init(&c->out);
	request_init(&c->req);
	name_peers(c);

	c->next = w->conns;
	c->prevp = &w->conns;
	if (c->next != NULL)
		c->next->prevp = &c->next;
	w->conns = c;
	w->conns_n++;
	atomic_fetch_add(&w->front->conns_n, 1);
	if (loop_io_add(w->loop, &c->io, 0) < 0) {
		conn_abort(c);
		return;
	}
	phase(c, CONN_HEAD, HEAD_GRACE_MS);
	if (!c->dead)
		idle_add(c); /* silent so far: makes room when descriptors run out */
}

void conn_drain_all(struct worker *w)
{
	/*
	 * A connection whose client was not told of its end stays: a further request may be under way. Idle ones end by their
	 * own time-out, and whatever is answered from now on says "close".
	 */
	for (struct conn *c = w->conns; c != NULL; c = c->next)
		if (c->state != CONN_HEAD && !c->req.resp.head_queued)
			c->closing = true;
}
