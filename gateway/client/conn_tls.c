/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/conn_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/container.h"
#include "gateway/client/outq.h"
#include "gateway/tls/tls_session.h"

#define FLUSH_MAX (256 * 1024) /* octets a call, so that one fast client does not hold the loop */
#define RECORD_MAX 16384       /* RFC 8446 section 5.1 */

/* What a connection over TLS has besides. */
struct layer {
	struct conn *c;
	struct tls_session *session;
	bool begun;              /* octets of the handshake have come */
	struct loop_timer again; /* what was read ahead is served by the next turn of the loop */
};

/* --- the layer ------------------------------------------------------------------------------------------------------------ */

static int64_t io_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return n == GW_ERR_AGAIN ? 0 : GW_ERR_CLOSED;
}

static ssize_t layer_recv(struct conn *c, void *buf, size_t n)
{
	ssize_t got = tls_session_recv(c->tls->session, buf, n);

	if (got >= 0)
		return got;
	errno = got == GW_ERR_AGAIN ? EAGAIN : ECONNRESET;
	return -1;
}

static int64_t layer_send(struct conn *c, const void *data, size_t n)
{
	return io_result(tls_session_send(c->tls->session, data, n));
}

/* Head and small file are one record; of a large one no more is in memory than a record or two. */
static int64_t layer_flush(struct conn *c, struct outq *q)
{
	int64_t total = 0;

	while (total < FLUSH_MAX) {
		int err = outq_load(q, RECORD_MAX);
		if (err < 0)
			return err;
		if (buf_unread(&q->mem) == 0)
			break;
		int64_t n = layer_send(c, buf_head(&q->mem), buf_unread(&q->mem));
		if (n < 0)
			return n;
		if (n == 0)
			break;
		buf_consume(&q->mem, (size_t)n);
		total += n;
	}
	return total;
}

static bool layer_pending(const struct conn *c)
{
	return tls_session_pending(c->tls->session);
}

static void on_again(struct loop *l, struct loop_timer *t)
{
	struct conn *c = container_of(t, struct layer, again)->c;

	(void)l;
	if ((c->io.events & EPOLLIN) == 0 || !layer_pending(c))
		return;
	c->protocol->ready(c, EPOLLIN);
	if (!c->dead)
		conn_wake_pending(c);
}

static void layer_wake(struct conn *c)
{
	if (!loop_timer_armed(&c->tls->again) && loop_timer_set(c->w->loop, &c->tls->again, 0) < 0)
		conn_abort(c);
}

static void layer_shutdown(struct conn *c)
{
	/* An answer that ended early must not look whole. */
	if (!c->cut)
		tls_session_end(c->tls->session);
}

static void layer_fini(struct conn *c)
{
	loop_timer_stop(c->w->loop, &c->tls->again);
	tls_session_free(c->tls->session);
	free(c->tls);
	c->tls = NULL;
}

static const struct transport_ops layer_ops = {
	.recv = layer_recv,
	.send = layer_send,
	.flush = layer_flush,
	.pending = layer_pending,
	.wake = layer_wake,
	.shutdown = layer_shutdown,
	.fini = layer_fini,
};

struct tls_session *conn_tls_session(const struct conn *c)
{
	return c->tls != NULL ? c->tls->session : NULL;
}

bool conn_tls_suits(const struct conn *c, const struct conf_server *s)
{
	return c->tls == NULL ? s->tls == NULL || c->plain_on_tls : tls_session_server(c->tls->session)->tls == s->tls;
}

/* --- the handshake -------------------------------------------------------------------------------------------------------- */

static void handshake_failed(struct conn *c)
{
	const struct tls_session *s = c->tls->session;
	const struct conf_server *server = tls_session_server(s);
	const char *name = tls_session_sni(s);
	bool known = server != NULL && server->tls != NULL;

	conn_log(c, LOG_LV_INFO, "no TLS%s%s: %s", name != NULL ? " for " : "", name != NULL ? name : "", tls_session_why(s));
	/* Nobody gets through to this host: its owner must be able to find out why. */
	if (known && tls_session_refused(s) && front_may_log(c->w->front, server, 128))
		log_line(&c->w->front->sinks[server->index], LOG_LV_ERROR, &(struct log_about){.client = c->peer_text},
			"TLS is refused: %s", tls_session_why(s));
	conn_abort(c);
}

static void handshake(struct conn *c)
{
	enum tls_need need;
	int n = tls_session_handshake(c->tls->session, &need);

	if (n < 0) {
		handshake_failed(c);
	} else if (n == 0) {
		conn_want(c, need == TLS_NEED_WRITE ? EPOLLOUT : CONN_READ);
	} else {
		conn_want(c, CONN_READ);
		if (c->dead)
			return;
		conn_idle_del(c);
		c->server = tls_session_server(c->tls->session);
		conn_set_protocol(c, conn_protocol_named(tls_session_alpn(c->tls->session)));
		conn_wake_pending(c);
	}
}

/* A method where a record should begin: somebody forgot the s of https. Told so, in the only way he understands. */
static bool speaks_http(struct conn *c)
{
	char first;

	return recv(c->io.fd, &first, 1, MSG_DONTWAIT | MSG_PEEK) == 1 && first >= 'A' && first <= 'Z';
}

static void tls_start(struct conn *c)
{
	struct layer *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->c = c;
		l->again.cb = on_again;
		l->session = tls_session_new(c->w->front->tls, c->io.fd, (const struct sockaddr *)&c->local);
	}
	if (l == NULL || l->session == NULL) {
		free(l);
		conn_abort(c);
		return;
	}
	c->tls = l;
	c->transport = &layer_ops;
	conn_phase_pace(c, &c->server->read_timeout.handshake);
	if (!c->dead)
		conn_idle_add(c);
}

static void tls_ready(struct conn *c, uint32_t events)
{
	(void)events;
	if (!c->tls->begun && speaks_http(c)) {
		conn_log(c, LOG_LV_INFO, "plain HTTP on a port that speaks TLS");
		transport_fini(c);
		c->plain_on_tls = true;
		conn_idle_del(c);
		conn_set_protocol(c, &protocol_http1);
		return;
	}
	c->tls->begun = true;
	handshake(c);
}

static void tls_timeout(struct conn *c)
{
	c->phase_octets = tls_session_octets_in(c->tls->session);
	if (conn_pace_left(c, &c->server->read_timeout.handshake))
		return;
	conn_log(c, LOG_LV_INFO, "no TLS: the handshake took more than %llu ms",
		(unsigned long long)(loop_now_ms(c->w->loop) - c->phase_start_ms));
	conn_abort(c);
}

/* The one who is being served by an old configuration gets through: it will be told to close. */
static void tls_nothing(struct conn *c)
{
	(void)c;
}

const struct protocol protocol_tls = {
	.name = "tls",
	.start = tls_start,
	.ready = tls_ready,
	.flush = handshake,
	.timeout = tls_timeout,
	.drain = tls_nothing,
	.end = tls_nothing,
	.fini = tls_nothing,
};
