/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header is read off the socket octet for octet, never more: what follows may be a TLS handshake, which its own layer
 * reads. What is there is looked at first (MSG_PEEK), and then only what belongs to the header is taken.
 */
#include "gateway/client/conn_proxied.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "gateway/client/conn.h"
#include "gateway/client/conn_client.h"
#include "gateway/http/proxy_protocol.h"

static const struct conf_proxy_protocol *rules_of(const struct conn *c)
{
	return conf_find_proxy_protocol(c->w->front->conf, (const struct sockaddr *)&c->local);
}

bool conn_is_proxied(const struct conn *c)
{
	const struct conf_proxy_protocol *p = rules_of(c);

	if (p->mode == CONF_PROXY_OFF)
		return false;
	/* Over a unix socket, whoever may open it is a proxy of ours. */
	if (!c->has_addr)
		return true;
	return !ip_nets_have(&p->except, &c->addr) && (p->from_all || ip_nets_have(&p->from, &c->addr));
}

static void proxied_start(struct conn *c)
{
	const struct pace *p = &c->server->read_timeout.header;

	conn_phase(c, p->start_ms > 0 ? p->start_ms : c->server->timeout_ms);
	if (!c->dead)
		conn_idle_add(c);
}

/* From here on the connection is the client's that was named. */
static void take_over(struct conn *c, const struct proxy_info *p)
{
	if (p->known) {
		c->proxied = c->has_addr;
		c->proxy_addr = c->addr;
		c->addr = p->client;
		c->has_addr = true;
		ip_text(&c->addr, c->peer_ip);
		c->peer_port = p->client_port;
		snprintf(c->peer_text, sizeof(c->peer_text), "%s:%u", c->peer_ip, c->peer_port);
	}
	if (conn_client_enter(c))
		conn_set_protocol(c, conn_protocol(c));
}

static void refuse(struct conn *c, const char *why)
{
	conn_log(c, LOG_LV_INFO, "connection dropped: %s", why);
	conn_abort(c);
}

/* Take @n octets off the socket that a look has shown. False: the connection is gone. */
static bool consume(struct conn *c, uint8_t *to, size_t n)
{
	if (n > 0 && recv(c->io.fd, to, n, 0) != (ssize_t)n) {
		conn_abort(c);
		return false;
	}
	return true;
}

static void proxied_ready(struct conn *c, uint32_t events)
{
	uint8_t head[PROXY_V2_MAX];
	size_t had = buf_unread(&c->in);
	struct proxy_info p;
	const char *why = NULL;

	(void)events;
	if (had >= sizeof(head)) {
		refuse(c, "PROXY header too long");
		return;
	}
	if (had > 0)
		memcpy(head, buf_head(&c->in), had);
	ssize_t n = recv(c->io.fd, head + had, sizeof(head) - had, MSG_PEEK);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			conn_abort(c); /* a health check, as a rule */
		return;
	}
	ssize_t used = proxy_parse(head, had + (size_t)n, &p, &why);
	if (used > 0) {
		if (!consume(c, head, (size_t)used - had))
			return;
		conn_release_in(c);
		take_over(c, &p);
	} else if (used == 0) {
		/* All of it belongs to the header: taken, so that the socket is quiet until more comes. */
		if (consume(c, head, (size_t)n) && buf_append(&c->in, head, (size_t)n) < 0)
			conn_abort(c);
	} else if (used == GW_ERR_NOTFOUND && rules_of(c)->mode == CONF_PROXY_OPTIONAL) {
		take_over(c, &(struct proxy_info){.known = false});
	} else {
		refuse(c, why != NULL ? why : "no PROXY header");
	}
}

static void proxied_quiet(struct conn *c)
{
	(void)c;
}

static void proxied_flush(struct conn *c)
{
	conn_want(c, c->io.events & ~(uint32_t)EPOLLOUT);
}

const struct protocol protocol_proxied = {
	.name = "proxy",
	.start = proxied_start,
	.ready = proxied_ready,
	.flush = proxied_flush,
	.timeout = conn_abort,
	.drain = proxied_quiet,
	.end = proxied_quiet,
	.fini = proxied_quiet,
};
