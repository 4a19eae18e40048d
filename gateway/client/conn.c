/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/client/conn_client.h"
#include "gateway/client/conn_proxied.h"
#include "gateway/client/conn_tls.h"
#include "gateway/answer/request.h"

#define IN_KEEP 65536      /* octets of a read buffer that is worth keeping for the next connection */
#define IN_SMALL 1024      /* octets of one that is not */
#define LINGER_MS 2000
#define LINGER_READ 8192

void conn_log(struct conn *c, enum log_level level, const char *fmt, ...)
{
	const struct log_sink *sink = &c->w->front->sinks[0];
	struct log_about about = {.client = c->peer_text};
	va_list ap;

	va_start(ap, fmt);
	log_vline(sink, level, &about, fmt, ap);
	va_end(ap);
}

/* --- idle list ------------------------------------------------------------------------------------------------------- */

/* Waits for a request, or for its end: the first to go when descriptors run out. */
void conn_idle_add(struct conn *c)
{
	struct worker *w = c->w;

	if (c->idle)
		return;
	c->idle = true;
	c->idle_since_ms = loop_now_ms(w->loop);
	c->idle_next = NULL;
	c->idle_prev = w->idle_new;
	if (w->idle_new != NULL)
		w->idle_new->idle_next = c;
	else
		w->idle_old = c;
	w->idle_new = c;
}

void conn_idle_del(struct conn *c)
{
	struct worker *w = c->w;

	if (!c->idle)
		return;
	c->idle = false;
	*(c->idle_prev != NULL ? &c->idle_prev->idle_next : &w->idle_old) = c->idle_next;
	*(c->idle_next != NULL ? &c->idle_next->idle_prev : &w->idle_new) = c->idle_prev;
}

bool conn_close_idlest(struct worker *w, uint64_t min_ms)
{
	if (w->idle_old == NULL || loop_now_ms(w->loop) - w->idle_old->idle_since_ms < min_ms)
		return false;
	conn_abort(w->idle_old);
	return true;
}

/* --- life ---------------------------------------------------------------------------------------------------------------- */

void conn_want(struct conn *c, uint32_t events)
{
	if (!c->dead && loop_io_want(c->w->loop, &c->io, events) < 0)
		conn_abort(c);
	conn_wake_pending(c);
}

void conn_wake_pending(struct conn *c)
{
	if (c->transport != NULL && !c->dead && (c->io.events & EPOLLIN) != 0 && transport_pending(c))
		transport_wake(c);
}

const struct protocol *conn_protocol_named(const char *alpn)
{
	return alpn != NULL && strcmp(alpn, protocol_http2.name) == 0 ? &protocol_http2 : &protocol_http1;
}

void conn_arm(struct conn *c, uint64_t ms)
{
	if (!c->dead && loop_timer_set(c->w->loop, &c->timer, ms) < 0)
		conn_abort(c);
}

void conn_phase(struct conn *c, uint64_t ms)
{
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	conn_arm(c, ms);
}

static void arm_pace(struct conn *c, uint64_t left_ms)
{
	if (left_ms == UINT64_MAX)
		loop_timer_stop(c->w->loop, &c->timer);
	else
		conn_arm(c, left_ms);
}

void conn_phase_pace(struct conn *c, const struct pace *p)
{
	c->phase_start_ms = loop_now_ms(c->w->loop);
	c->phase_octets = 0;
	arm_pace(c, pace_left_ms(p, 0, 0));
}

bool conn_pace_left(struct conn *c, const struct pace *p)
{
	uint64_t left_ms = pace_left_ms(p, loop_now_ms(c->w->loop) - c->phase_start_ms, c->phase_octets);

	if (left_ms > 0)
		arm_pace(c, left_ms);
	return left_ms > 0;
}

const struct protocol *conn_protocol(const struct conn *c)
{
	/* All hosts of one address speak TLS, or none does. */
	return c->server->tls != NULL ? &protocol_tls : &protocol_http1;
}

void conn_set_protocol(struct conn *c, const struct protocol *p)
{
	if (c->protocol != NULL)
		c->protocol->fini(c);
	c->protocol = p;
	p->start(c);
}

void conn_abort(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	conn_idle_del(c);
	c->protocol->end(c);
	loop_timer_stop(c->w->loop, &c->timer);
	loop_io_del(c->w->loop, &c->io);
	transport_fini(c);
	io_close(&c->io.fd);
	conn_client_leave(c);
	atomic_fetch_sub(&c->w->front->conns_n, 1);
	conn_dirty(c); /* freed by conn_reap() once nothing in this batch can name it */
}

void conn_reset(struct conn *c)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (!c->dead && setsockopt(c->io.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == -1)
		conn_log(c, LOG_LV_DEBUG, "cannot reset the connection: %m");
	conn_abort(c);
}

static void conn_free(struct conn *c)
{
	struct worker *w = c->w;

	*c->prevp = c->next;
	if (c->next != NULL)
		c->next->prevp = c->prevp;
	w->conns_n--;
	c->protocol->fini(c);
	buf_fini(&c->in);
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
			c->protocol->flush(c);
	}
	request_reap(w);
}

void conn_drain_all(struct worker *w)
{
	struct conn *next;

	for (struct conn *c = w->conns; c != NULL; c = next) {
		next = c->next;
		if (!c->dead)
			c->protocol->drain(c);
	}
}

/* --- reading --------------------------------------------------------------------------------------------------------------- */

/* A buffer to read into: the connection's own, or the worker's spare one, to which what waits is moved. */
static int in_reserve(struct conn *c, size_t room)
{
	struct buf *spare = &c->w->spare_in;
	size_t n = buf_unread(&c->in);

	if (c->in.cap - c->in.len >= room)
		return GW_OK;
	if (spare->data == NULL || spare->cap < n + room / 2)
		return buf_reserve(&c->in, room);
	struct buf small = c->in;
	c->in = *spare;
	buf_init(spare);
	if (n > 0)
		memcpy(c->in.data, buf_head(&small), n);
	c->in.len = n;
	buf_fini(&small);
	return GW_OK;
}

void conn_compact_in(struct conn *c)
{
	size_t n = buf_unread(&c->in);
	struct buf small;

	buf_init(&small);
	if (c->in.cap < 8 * n || c->in.cap <= IN_SMALL || buf_append(&small, buf_head(&c->in), n) < 0)
		return; /* it stays as it is */
	conn_release_in(c);
	c->in = small;
}

void conn_release_in(struct conn *c)
{
	struct worker *w = c->w;

	if (w->spare_in.data == NULL && c->in.cap <= IN_KEEP) {
		buf_reset(&c->in);
		w->spare_in = c->in;
		buf_init(&c->in);
	} else {
		buf_fini(&c->in);
	}
}

ssize_t conn_read(struct conn *c, size_t room)
{
	if (in_reserve(c, room) < 0) {
		conn_abort(c);
		return 0;
	}
	ssize_t n = transport_recv(c, c->in.data + c->in.len, c->in.cap - c->in.len);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			conn_abort(c);
		return 0;
	}
	if (n == 0)
		return GW_ERR_CLOSED;
	c->in.len += (size_t)n;
	return n;
}

static void on_ready(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct conn *c = container_of(io, struct conn, io);

	(void)l;
	if ((ready & ~(uint32_t)EPOLLOUT) != 0)
		c->protocol->ready(c, ready);
	conn_wake_pending(c);
	if (!c->dead && (ready & EPOLLOUT) != 0)
		conn_dirty(c);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);

	(void)l;
	c->protocol->timeout(c);
}

/* --- ending: what is spoken on a connection when nothing is answered any more --------------------------------------------- */

static void linger_start(struct conn *c)
{
	transport_shutdown(c);
	conn_release_in(c);
	conn_phase(c, LINGER_MS);
	conn_want(c, EPOLLIN);
	if (!c->dead)
		conn_idle_add(c);
}

static void linger_ready(struct conn *c, uint32_t events)
{
	if ((events & (EPOLLERR | EPOLLHUP)) != 0 || conn_read(c, LINGER_READ) < 0)
		conn_abort(c);
	if (!c->dead)
		conn_release_in(c);
}

static void linger_flush(struct conn *c)
{
	conn_want(c, c->io.events & ~(uint32_t)EPOLLOUT);
}

static void linger_nothing(struct conn *c)
{
	(void)c;
}

static const struct protocol protocol_linger = {
	.name = "linger",
	.start = linger_start,
	.ready = linger_ready,
	.flush = linger_flush,
	.timeout = conn_abort,
	.drain = linger_nothing,
	.end = linger_nothing,
	.fini = linger_nothing,
};

void conn_linger(struct conn *c)
{
	conn_set_protocol(c, &protocol_linger);
}

void conn_close(struct conn *c)
{
	if (c->lingering || buf_unread(&c->in) > 0 || transport_peek(c)) {
		conn_linger(c);
		return;
	}
	if (c->transport != NULL)
		transport_shutdown(c);
	conn_abort(c);
}

/* --- accepting --------------------------------------------------------------------------------------------------------------- */

static unsigned addr_text(const struct sockaddr_storage *ss, struct ip_addr *addr, char *out)
{
	uint16_t port = 0;

	out[0] = '\0';
	if (ip_from_sockaddr((const struct sockaddr *)ss, addr, &port))
		ip_text(addr, out);
	return port;
}

static void name_peers(struct conn *c)
{
	socklen_t len = sizeof(c->local);
	struct ip_addr local;

	if (getsockname(c->io.fd, (struct sockaddr *)&c->local, &len) == -1)
		memset(&c->local, 0, sizeof(c->local));
	c->peer_port = addr_text(&c->peer, &c->addr, c->peer_ip);
	c->has_addr = c->peer_ip[0] != '\0';
	c->local_port = addr_text(&c->local, &local, c->local_ip);
	c->server = conf_find_server(c->w->front->conf, (const struct sockaddr *)&c->local, NULL);
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
	memset(c, 0, sizeof(*c));
	c->w = w;
	c->peer = *peer;
	c->io = (struct loop_io){.fd = fd, .events = CONN_READ, .cb = on_ready};
	c->timer.cb = on_timer;
	buf_init(&c->in);
	name_peers(c);

	c->next = w->conns;
	c->prevp = &w->conns;
	if (c->next != NULL)
		c->next->prevp = &c->next;
	w->conns = c;
	w->conns_n++;
	atomic_fetch_add(&w->front->conns_n, 1);
	c->protocol = &protocol_linger; /* there must be one, should the next call fail */
	if (loop_io_add(w->loop, &c->io, 0) < 0) {
		conn_abort(c);
		return;
	}
	if (conn_is_proxied(c))
		conn_set_protocol(c, &protocol_proxied);
	else if (conn_client_enter(c))
		conn_set_protocol(c, conn_protocol(c));
}
