/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/conn_client.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/io.h"
#include "gateway/client/clients.h"
#include "gateway/http/remote_ip.h"
#include "gateway/answer/request.h"
#include "gateway/answer/respond.h"

#define RETRY_S 10       /* Retry-After of a connection that is one too many */
#define SHARE 4          /* LimitClientConnections when not given: one in so many of all */
#define SHARE_MIN 16

bool front_clients_init(struct front *f, int fd, unsigned slot)
{
	const struct conf_client_limits *l = &f->conf->clients;
	unsigned share = f->conns_max / SHARE > SHARE_MIN ? f->conns_max / SHARE : SHARE_MIN;
	struct client_limits lim = {.connections = l->connections == CONF_CLIENT_SHARE ? share : l->connections,
		.v4_bits = l->v4_bits, .v6_bits = l->v6_bits};

	if (l->rate_n > 0) {
		lim.request_us = (uint64_t)l->rate_ms * 1000 / l->rate_n;
		lim.burst_us = lim.request_us * l->burst;
	}
	if (lim.connections == 0 && lim.request_us == 0)
		return true;
	int own = fd == -1 ? clients_mem_new(f->conns_max) : -1;
	f->clients = clients_new(&lim, fd == -1 ? own : fd, slot);
	io_close(&own);
	return f->clients != NULL;
}

/* Proxies that are believed are not clients: who is behind them is. */
static bool counts(const struct front *f, const struct conf_server *s, const struct ip_addr *a)
{
	return f->clients != NULL && !ip_nets_have(&f->conf->clients.exempt, a) && remote_ip_trust(&s->remote_ip, a) == REMOTE_IP_NONE;
}

/* --- connections ---------------------------------------------------------------------------------------------------------- */

/* At once, and never waited for: one that is refused must not cost more than one that is not. */
static void refuse(struct conn *c)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 429 Too Many Requests\r\nDate: %s\r\nServer: Bulkhead\r\nRetry-After: %d\r\n"
		"Content-Length: 0\r\nConnection: close\r\n\r\n", worker_date(c->w), RETRY_S);

	if (conn_protocol(c) == &protocol_http1) {
		/* What is read is not answered by a reset, which would overtake the answer. */
		char drop[4096];
		if (recv(c->io.fd, drop, sizeof(drop), MSG_DONTWAIT) != 0 &&
		    send(c->io.fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
			shutdown(c->io.fd, SHUT_WR);
	}
	conn_abort(c);
}

bool conn_client_enter(struct conn *c)
{
	bool tell;

	if (!c->has_addr || !counts(c->w->front, c->server, &c->addr))
		return true;
	switch (clients_enter(c->w->front->clients, &c->addr, io_now_us(), &c->client, &tell)) {
	case CLIENT_OK:
		return true;
	case CLIENT_OVER:
		if (tell)
			conn_log(c, LOG_LV_WARN, "connection refused: this client has as many as LimitClientConnections allows");
		break;
	case CLIENT_FULL:
		if (tell)
			conn_log(c, LOG_LV_WARN, "connection refused: too many clients are connected to count one more");
		break;
	}
	refuse(c);
	return false;
}

void conn_client_leave(struct conn *c)
{
	if (c->client != NULL)
		clients_leave(c->w->front->clients, c->client);
	c->client = NULL;
}

/* --- requests ---------------------------------------------------------------------------------------------------------------- */

static void drop_fields(struct req_fields *f, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].name_len != strlen(name) || strncasecmp(f->list[i].name, name, f->list[i].name_len) != 0)
			f->list[kept++] = f->list[i];
	f->n = kept;
}

/* The list of proxies that scripts are told of; what a client says of them is not theirs to say. */
static int put_proxies(struct request *r, const char *name, const struct remote_ip_found *found)
{
	drop_fields(&r->fields, name);
	if (found->proxies[0] == '\0')
		return GW_OK;
	char *text = arena_strdup(&r->arena, found->proxies);
	if (text == NULL)
		return GW_ERR_NOMEM;
	return req_fields_add(&r->fields, &r->arena, &(struct req_field){
		.name = name, .name_len = (uint32_t)strlen(name), .value = text, .value_len = (uint32_t)strlen(text)});
}

/* Who asks, by the field that the proxies before him wrote. Returns 0 or GW_ERR_NOMEM; *@client: the address, if another one. */
static int find_client(struct request *r, const struct ip_addr **client)
{
	const struct remote_ip_rules *rules = &r->server->remote_ip;
	struct remote_ip_found found;
	char text[IP_TEXT_MAX];

	bool took = remote_ip_take(rules, r->conn->has_addr ? &r->conn->addr : NULL, &r->fields, &found);
	if (found.why != NULL)
		request_log_line(r, LOG_LV_DEBUG, "%s: what follows back %s", rules->header, found.why);
	if (rules->proxies_header != NULL && put_proxies(r, rules->proxies_header, &found) < 0)
		return GW_ERR_NOMEM;
	if (!took)
		return GW_OK;
	struct ip_addr *a = arena_alloc(&r->arena, sizeof(*a));
	r->client_ip = arena_strdup(&r->arena, ip_text(&found.client, text));
	if (a == NULL || r->client_ip == NULL)
		return GW_ERR_NOMEM;
	r->client_text = arena_printf(&r->arena, "%s:%u", text, r->conn->peer_port);
	*a = found.client;
	*client = a;
	return r->client_text != NULL ? GW_OK : GW_ERR_NOMEM;
}

static bool too_many(struct request *r, unsigned retry_s, bool tell, const char *directive)
{
	if (tell)
		request_log_line(r, LOG_LV_WARN, "429: this client asks for more than %s allows", directive);
	respond_too_many(r, retry_s);
	return false;
}

bool request_admit(struct request *r)
{
	struct front *f = r->w->front;
	const struct ip_addr *other = NULL;
	struct client *client = r->conn->client;
	unsigned retry_s;
	bool tell;

	if (r->server->remote_ip.header != NULL && find_client(r, &other) < 0) {
		request_abort(r);
		return false;
	}
	/* Through a proxy, the requests under way are what connections are otherwise. */
	if (other != NULL) {
		client = NULL;
		if (counts(f, r->server, other)) {
			if (clients_enter(f->clients, other, r->start_us, &r->client, &tell) != CLIENT_OK)
				return too_many(r, RETRY_S, tell, "LimitClientConnections");
			client = r->client;
		}
	}
	if (client != NULL && !clients_request(f->clients, client, r->start_us, &retry_s, &tell))
		return too_many(r, retry_s, tell, "LimitClientRate");
	return true;
}

void request_client_leave(struct request *r)
{
	if (r->client != NULL)
		clients_leave(r->w->front->clients, r->client);
	r->client = NULL;
}
