/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/io.h"
#include "gateway/http/uri.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

#define REDIRECTS_MAX 10
#define KEEP_OCTETS 16384 /* of each buffer, between requests of a connection */

void request_init(struct request *r)
{
	memset(r, 0, sizeof(*r) - sizeof(r->h));
	arena_init(&r->arena);
	r->body.fd = r->route.fd = -1;
	buf_init(&r->body.mem);
	buf_init(&r->resp.fields);
	buf_init(&r->params);
	buf_init(&r->out);
	buf_init(&r->errline);
	cgi_header_init(&r->cgi);
	http1_request_init(&r->h);
}

void request_fini(struct request *r)
{
	route_close(&r->route);
	free(r->file);
	req_body_fini(&r->body);
	cgi_header_fini(&r->cgi);
	buf_fini(&r->resp.fields);
	buf_fini(&r->params);
	buf_fini(&r->out);
	buf_fini(&r->errline);
	arena_fini(&r->arena);
}

/* A new answer to the same request: what the last attempt left. */
static void answer_reset(struct request *r)
{
	route_close(&r->route);
	free(r->file);
	r->file = NULL;
	cgi_header_fini(&r->cgi);
	cgi_header_init(&r->cgi);
	buf_recycle(&r->params, KEEP_OCTETS);
	buf_recycle(&r->out, KEEP_OCTETS);
	r->out_ended = r->retried = false;
}

void request_reset(struct request *r)
{
	answer_reset(r);
	req_body_reset(&r->body);
	buf_reset(&r->resp.fields);
	buf_reset(&r->errline);
	struct buf fields = r->resp.fields;
	r->resp = (struct response){.fields = fields};
	r->redirected = (struct redirected){0};
	memset(&r->route, 0, sizeof(r->route));
	r->route.fd = -1;
	r->head = r->method = r->target = r->query = r->request_line = r->host = r->authority = NULL;
	r->path = NULL;
	r->kept_path = NULL;
	r->is_head = r->logged = false;
	r->out_start = 0;
	arena_reset(&r->arena);
	http1_request_init(&r->h);
}

/* --- from head to answer ---------------------------------------------------------------------------------------------- */

static char *str_of(struct request *r, const struct http1_str *s)
{
	return arena_strndup(&r->arena, r->head + s->off, s->len);
}

static char *lower(char *s)
{
	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	return s;
}

/* Copy the head out of the connection's buffer and name its parts. */
static bool take_head(struct conn *c, size_t len)
{
	struct request *r = &c->req;
	const struct http1_request *h = &r->h;

	r->head = arena_strndup(&r->arena, (const char *)buf_head(&c->in), len);
	buf_consume(&c->in, len);
	if (r->head == NULL)
		return false;
	r->head_len = len;
	r->method = str_of(r, &h->method);
	r->target = str_of(r, &h->target);
	r->query = h->has_query ? str_of(r, &h->query) : NULL;
	r->protocol = h->minor >= 1 ? "HTTP/1.1" : "HTTP/1.0";
	r->host = h->host.len > 0 ? lower(str_of(r, &h->host)) : NULL;
	r->authority = h->host.len > 0 ? str_of(r, &h->authority) : NULL;
	r->request_line = arena_printf(&r->arena, "%s %s %s", r->method, r->target, r->protocol);
	/* Without its Host or query a request would be another one. */
	return r->method != NULL && r->target != NULL && r->request_line != NULL &&
		(r->query != NULL || !h->has_query) && ((r->host != NULL && r->authority != NULL) || h->host.len == 0);
}

static void deny(struct conn *c, int status)
{
	if (c->req.route.why != NULL)
		conn_log(c, LOG_LV_ERROR, "%d: %s", status, c->req.route.why);
	respond_status(c, status);
}

static void start_body(struct conn *c)
{
	struct request *r = &c->req;
	struct req_body *b = &r->body;

	b->limit = r->route.dir->limit_body;
	if (b->limit > 0 && r->h.content_length > b->limit) {
		conn_log(c, LOG_LV_INFO, "413: Content-Length %lld is past LimitRequestBody %lld",
			(long long)r->h.content_length, (long long)b->limit);
		respond_status(c, 413);
		return;
	}
	conn_body_start(c);
}

static void dispatch(struct conn *c)
{
	struct request *r = &c->req;

	switch (r->route.kind) {
	case ROUTE_STATUS:
		deny(c, r->route.status);
		break;
	case ROUTE_REDIRECT:
		respond_redirect(c, r->route.status, r->route.location);
		break;
	case ROUTE_STATIC:
		serve_static(c);
		break;
	case ROUTE_LISTING:
		serve_listing(c);
		break;
	case ROUTE_PHP:
		if (req_body_pending(&r->body) && r->redirected.count == 0)
			start_body(c);
		else
			serve_php(c);
		break;
	}
}

static void route(struct conn *c)
{
	struct request *r = &c->req;
	struct worker *w = c->w;
	const struct route_env env = {
		.conf = w->front->conf, .cache = w->cache, .roots = &w->roots, .now_ms = loop_now_ms(w->loop),
		.kept = r->kept_path};

	route_find(&r->route, &r->arena, &env, r->server, r->path, r->query);
}

/* The request's path from @raw, as the host reads it. NULL: *@status says what to answer. */
static char *read_path(struct request *r, const char *raw, size_t len, int *status)
{
	static const unsigned flags[] = {
		[CONF_SLASHES_OFF] = 0, [CONF_SLASHES_ON] = URI_SLASH_DECODE, [CONF_SLASHES_NODECODE] = URI_SLASH_KEEP};
	unsigned how = flags[r->server->encoded_slashes];
	char *path = arena_alloc(&r->arena, len + 1), *kept = NULL;
	ssize_t n = path != NULL ? uri_normalise(raw, len, how, path) : -500;

	if (n >= 0 && !r->server->merge_slashes) {
		kept = arena_alloc(&r->arena, len + 1);
		n = kept != NULL ? uri_normalise(raw, len, how | URI_SLASHES_KEEP, kept) : -500;
	}
	*status = n < 0 ? (int)-n : 0;
	r->kept_path = kept;
	return n < 0 ? NULL : path;
}

void request_start(struct conn *c, size_t len)
{
	struct request *r = &c->req;
	const struct conf *conf = c->w->front->conf;

	clock_gettime(CLOCK_REALTIME, &r->start);
	r->start_us = io_now_us();
	if (!take_head(c, len)) {
		conn_abort(c);
		return;
	}
	req_body_init(&r->body, &r->h);
	r->server = conf_find_server(conf, (const struct sockaddr *)&c->local, r->host);
	r->is_head = strcmp(r->method, "HEAD") == 0;
	if (!r->h.keep_alive || !r->server->keepalive || c->w->draining ||
	    (r->server->max_keepalive_requests > 0 && c->served + 1 >= r->server->max_keepalive_requests))
		c->closing = true;
	if (r->h.path.len == 1 && r->head[r->h.path.off] == '*') {
		r->path = NULL;
		respond_options(c, "GET, HEAD, POST, OPTIONS"); /* OPTIONS *: about the server, not a resource */
		return;
	}
	int status;
	r->path = read_path(r, r->head + r->h.path.off, r->h.path.len, &status);
	if (r->path == NULL) {
		respond_status(c, status);
		return;
	}
	route(c);
	dispatch(c);
}

bool request_redirect(struct conn *c, const char *path, int status)
{
	struct request *r = &c->req;
	struct redirected old = r->redirected;
	const char *q = strchr(path, '?');
	size_t len = q != NULL ? (size_t)(q - path) : strlen(path);
	int err;

	if (old.count >= REDIRECTS_MAX)
		return false;
	char *decoded = read_path(r, path, len, &err);
	if (decoded == NULL)
		return false;
	r->redirected = (struct redirected){.count = old.count + 1, .status = status != 0 ? status : old.status,
		.url = r->path != NULL ? r->path : r->target, .query = r->query, .method = r->method};
	r->query = q != NULL ? arena_strdup(&r->arena, q + 1) : NULL;
	r->method = r->is_head ? "HEAD" : "GET";
	r->path = decoded;
	answer_reset(r);
	route(c);
	if (status != 0 && (r->route.kind == ROUTE_STATUS || r->route.kind == ROUTE_REDIRECT)) {
		conn_log(c, LOG_LV_ERROR, "ErrorDocument %s for %d cannot be served", path, status);
		return false;
	}
	dispatch(c);
	return true;
}

/* --- access log -------------------------------------------------------------------------------------------------------------- */

static const char *request_field(void *arg, const char *name, size_t *len)
{
	struct conn *c = arg;
	const struct http1_field *f = http1_field_find(&c->req.h, c->req.head, name);

	if (f == NULL)
		return NULL;
	*len = f->value.len;
	return c->req.head + f->value.off;
}

static const char *response_field(void *arg, const char *name, size_t *len)
{
	struct conn *c = arg;

	const struct cgi_header sent = {.fields = c->req.resp.fields};

	return cgi_header_find(&sent, name, len);
}

void request_log(struct conn *c, bool aborted)
{
	struct request *r = &c->req;
	const struct front *f = c->w->front;
	const struct conf_server *s = r->server != NULL ? r->server : f->conf->servers[0];
	char peer_port[12], local_port[12], canonical_port[12];

	if (r->logged || r->head == NULL || s->custom_logs_n == 0)
		return;
	r->logged = true;
	snprintf(peer_port, sizeof(peer_port), "%u", c->peer_port);
	snprintf(local_port, sizeof(local_port), "%u", c->local_port);
	snprintf(canonical_port, sizeof(canonical_port), "%u", s->port != 0 ? s->port : c->local_port);
	bool parsed = r->server != NULL;
	struct access_event e = {
		.client_ip = c->peer_ip[0] != '\0' ? c->peer_ip : NULL,
		.client_port = peer_port,
		.local_ip = c->local_ip[0] != '\0' ? c->local_ip : NULL,
		.local_port = local_port,
		.server_name = s->name,
		.canonical_port = canonical_port,
		.method = r->method,
		.request_line = r->request_line,
		.path = r->path != NULL ? r->path : r->target,
		.query = r->query,
		.protocol = r->protocol,
		.filename = r->route.filename,
		.handler = r->upstream ? "php" : NULL,
		.status_original = r->redirected.status != 0 ? r->redirected.status : r->resp.status,
		.status = r->resp.status != 0 ? r->resp.status : 499,
		.bytes_body = r->resp.body_octets,
		.bytes_in = r->head_len + r->body.received,
		.bytes_out = c->octets_out > r->out_start ? c->octets_out - r->out_start : 0,
		.duration_us = parsed ? io_now_us() - r->start_us : 0,
		.start = r->start,
		.keepalive_count = c->served,
		.connection_state = aborted ? 'X' : c->closing ? '-' : '+',
		.arg = c,
		.request_field = parsed ? request_field : NULL,
		.response_field = response_field,
		.env = NULL,
	};
	access_log_add(&c->w->log, s, f->formats, &e);
}
