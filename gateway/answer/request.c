/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/io.h"
#include "gateway/client/conn_client.h"
#include "gateway/client/conn_tls.h"
#include "gateway/http/uri.h"
#include "gateway/answer/request_edit.h"
#include "gateway/answer/request_expr.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/respond_coded.h"
#include "gateway/answer/serve.h"

#define REDIRECTS_MAX 10
#define KEEP_OCTETS 16384 /* of each buffer, between requests of a connection */
#define SPARE_MAX 64 /* requests a worker keeps for reuse */

static void request_init(struct request *r)
{
	memset(r, 0, sizeof(*r));
	arena_init(&r->arena);
	r->route.fd = -1;
	spool_file_init(&r->body.file);
	buf_init(&r->body.mem);
	buf_init(&r->resp.fields);
	buf_init(&r->params);
	buf_init(&r->cgi_out);
	buf_init(&r->errline);
	outq_init(&r->out);
	cgi_header_init(&r->cgi);
}

static void request_fini(struct request *r)
{
	respond_coded_free(r);
	route_close(&r->route);
	file_entry_unref(r->entry);
	free(r->file);
	req_body_fini(&r->body);
	cgi_header_fini(&r->cgi);
	buf_fini(&r->resp.fields);
	buf_fini(&r->params);
	buf_fini(&r->cgi_out);
	buf_fini(&r->errline);
	outq_fini(&r->out);
	arena_fini(&r->arena);
}

/* A new answer to the same request: what the last attempt left. */
static void answer_reset(struct request *r)
{
	respond_coded_free(r);
	route_close(&r->route);
	file_entry_unref(r->entry);
	r->entry = NULL;
	free(r->file);
	r->file = NULL;
	cgi_header_fini(&r->cgi);
	cgi_header_init(&r->cgi);
	buf_recycle(&r->params, KEEP_OCTETS);
	buf_recycle(&r->cgi_out, KEEP_OCTETS);
	r->out_ended = r->retried = r->sendfile = false;
}

/* Ready for another request; frees what the last one held, keeps some memory. */
static void request_reset(struct request *r)
{
	answer_reset(r);
	req_body_reset(&r->body);
	outq_reset(&r->out, KEEP_OCTETS);
	buf_recycle(&r->resp.fields, KEEP_OCTETS);
	buf_recycle(&r->errline, KEEP_OCTETS);
	struct buf fields = r->resp.fields;
	r->resp = (struct response){.fields = fields};
	r->redirected = (struct redirected){0};
	r->env = r->notes = (struct request_env){0};
	r->error_notes = NULL;
	memset(&r->route, 0, sizeof(r->route));
	r->route.fd = -1;
	r->head = r->method = r->target = r->query = r->protocol = r->request_line = r->uri = r->host = r->authority = NULL;
	r->fields = (struct req_fields){0};
	r->path = NULL;
	r->kept_path = NULL;
	r->server = NULL;
	r->is_head = r->logged = r->has_body = r->https_target = r->dead = r->upstream = r->waiting = false;
	r->octets_out = 0;
	r->state = REQUEST_NEW;
	arena_reset(&r->arena);
}

struct request *request_new(struct conn *c, const struct request_io *io)
{
	struct worker *w = c->w;
	struct request *r = w->spare;

	if (r != NULL) {
		w->spare = r->next;
		w->spare_n--;
	} else {
		r = malloc(sizeof(*r));
		if (r == NULL)
			return NULL;
		request_init(r);
	}
	r->w = w;
	r->conn = c;
	r->client_ip = c->peer_ip;
	r->client_text = c->peer_text;
	r->io = io;
	r->next = NULL;
	return r;
}

void request_release(struct request *r)
{
	struct worker *w = r->w;

	request_client_leave(r);
	if (w->spare_n == SPARE_MAX) {
		request_fini(r);
		free(r);
		return;
	}
	request_reset(r);
	r->next = w->spare;
	w->spare = r;
	w->spare_n++;
}

void request_drop(struct request *r)
{
	if (r->dead)
		return;
	r->dead = true;
	if (r->state == REQUEST_WORK)
		serve_php_abort(r);
	request_log(r, true);
	r->next = r->w->dropped;
	r->w->dropped = r;
}

void request_reap(struct worker *w)
{
	while (w->dropped != NULL) {
		struct request *r = w->dropped;
		w->dropped = r->next;
		request_release(r);
	}
}

unsigned request_server_port(const struct request *r)
{
	const struct conf_server *s = request_server(r);

	if (r->authority != NULL && r->host_port != 0)
		return r->host_port;
	return s->port != 0 ? s->port : conf_scheme_port(s); /* Apache's UseCanonicalName Off: the scheme's port when nobody named one */
}

const struct conf_server *request_server(const struct request *r)
{
	return r->server != NULL ? r->server : r->w->front->conf->servers[0];
}

struct spool_site *request_spool(const struct request *r)
{
	return &r->w->front->spools[request_server(r)->index];
}

/* --- from head to answer ---------------------------------------------------------------------------------------------- */

static void deny(struct request *r, int status)
{
	r->error_notes = r->route.why;
	if (r->route.why != NULL)
		request_log_line(r, LOG_LV_ERROR, "%d: %s", status, r->route.why);
	respond_status(r, status);
}

static void start_body(struct request *r)
{
	r->body.limit = r->route.dir->limit_body;
	int err = req_body_fits(&r->body, r->content_length, request_spool(r));
	if (err < 0) {
		request_body_refused(r, -err);
		return;
	}
	r->state = REQUEST_BODY;
	r->io->read_body(r);
}

void request_body_refused(struct request *r, int status)
{
	bool ours = status >= 500; /* what the administrator should hear of, but not for each client */

	if (status == 500)
		request_log_line(r, LOG_LV_ERROR, "500: %s: %m", r->body.why);
	else if (!ours || spool_may_say(request_spool(r), SPOOL_BODY, loop_now_ms(r->w->loop)))
		request_log_line(r, ours ? LOG_LV_ERROR : LOG_LV_INFO, "%d: %s", status, r->body.why);
	respond_status(r, status);
}

void request_body_done(struct request *r)
{
	serve_php(r);
}

static void dispatch(struct request *r)
{
	const struct conf_dir *dir = r->route.dir;

	/* A redirection passes: it is how people get to where they are let in. */
	if (dir != NULL && dir->tls_only && r->conn->tls == NULL && r->route.kind != ROUTE_STATUS && r->route.kind != ROUTE_REDIRECT) {
		request_log_line(r, LOG_LV_ERROR, "403: SSLRequireSSL, and the connection is not encrypted");
		respond_status(r, 403);
		return;
	}
	switch (r->route.kind) {
	case ROUTE_STATUS:
		deny(r, r->route.status);
		break;
	case ROUTE_REDIRECT:
		respond_redirect(r, r->route.status, r->route.location);
		break;
	case ROUTE_STATIC:
		serve_static(r);
		break;
	case ROUTE_LISTING:
		serve_listing(r);
		break;
	case ROUTE_PHP:
		if (req_body_pending(&r->body) && r->redirected.count == 0)
			start_body(r);
		else
			serve_php(r);
		break;
	}
}

/* Returns whether what was found holds for others who ask for this path, too. */
static bool find_route(struct request *r)
{
	struct request_judge judge;
	const struct route_env env = request_route_env(r, &judge);

	route_find(&r->route, &r->arena, &env, r->server, r->path, r->query);
	/* Descriptors have run out: those of files that are only remembered go first. */
	if (r->route.kind == ROUTE_STATUS && r->route.status == 503 && file_cache_release_fds(&r->w->files))
		route_find(&r->route, &r->arena, &env, r->server, r->path, r->query);
	return r->kept_path == NULL && !judge.judge.asked;
}

/* SetEnv, RequestHeader and their kin. What they would have said may have been to refuse: without it nothing is served. */
static void edit(struct request *r)
{
	struct request_expr about;
	request_expr_init(&about, r, 0);
	const struct request_edit_in in = {
		.edit = r->route.dir->edit,
		.a = &r->arena,
		.scratch = conf_cache_scratch(r->w->cache),
		.facts = {.remote_addr = r->client_ip, .server_addr = r->conn->local_ip, .method = r->method, .protocol = r->protocol,
			.uri = r->path},
		.start_us = (uint64_t)r->start.tv_sec * 1000000 + (uint64_t)r->start.tv_nsec / 1000,
		.duration_us = io_now_us() - r->start_us,
		.tls = conn_tls_session(r->conn),
		.fields = &r->fields,
		.env = &r->env,
		.run = &about.run,
		.expr_fields = &about.fields,
	};

	if (request_edit(&in) == GW_OK)
		return;
	const struct conf_dir *dir = r->route.dir;
	route_close(&r->route);
	r->route = (struct route){.kind = ROUTE_STATUS, .status = 500, .dir = dir, .fd = -1, .path_info = "",
		.why = "SetEnvIf or RequestHeader: a regular expression gave up, an expression is too long, or memory is out"};
}

/* What the path names: as it was found a moment ago, or found now and remembered. */
static void route(struct request *r)
{
	struct worker *w = r->w;
	uint64_t now = loop_now_ms(w->loop);
	bool oom = false;

	/* With MergeSlashes Off two spellings of a path differ in what is left over for a script. */
	if (r->kept_path == NULL)
		r->entry = file_cache_find(&w->files, r->server, r->path, now);
	if (r->entry == NULL) {
		bool keep = find_route(r);
		r->entry = file_cache_add(&w->files, r->server, r->path, &r->route, now, keep, &oom);
		worker_sweep_later(w);
	}
	if (r->entry != NULL)
		r->route = r->entry->route;
	else if (oom)
		r->route = (struct route){.kind = ROUTE_STATUS, .status = 500, .why = "out of memory", .dir = r->server->dir, .fd = -1, .path_info = ""};
	if (r->route.dir->edit != NULL)
		edit(r);
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

void request_begin(struct request *r)
{
	clock_gettime(CLOCK_REALTIME, &r->start);
	r->start_us = io_now_us();
	r->server = conf_find_server(r->w->front->conf, (const struct sockaddr *)&r->conn->local, r->host);
	r->is_head = strcmp(r->method, "HEAD") == 0;
}

/* What must not be answered on this connection at all. */
static bool misplaced(struct request *r)
{
	unsigned h2 = r->conn->transport != NULL ? CONF_PROTOCOL_H2 : CONF_PROTOCOL_H2C;

	if (r->conn->plain_on_tls) {
		r->conn->closing = true;
		respond_refusal(r, 400, "This port speaks TLS: the address must begin with https://");
	} else if (!conn_tls_suits(r->conn, r->server)) {
		request_log_line(r, LOG_LV_INFO, "421: the connection was opened to another host, whose TLS differs");
		respond_refusal(r, 421, NULL);
	} else if (r->io == &http2_io && (r->server->protocols.mask & h2) == 0) {
		request_log_line(r, LOG_LV_INFO, "421: HTTP/2 was agreed on for another host, this one does not speak it");
		respond_refusal(r, 421, NULL);
	} else if (r->https_target && r->conn->tls == NULL && strcmp(conf_scheme(r->server), "https") != 0) {
		/* RFC 9110 7.4: over TLS only; before a proxy that ends it ServerName says so. */
		request_log_line(r, LOG_LV_INFO, "421: an https:// target on a connection without TLS");
		respond_refusal(r, 421, NULL);
	} else {
		return false;
	}
	return true;
}

void request_route(struct request *r)
{
	if (!request_admit(r) || misplaced(r))
		return;
	if (r->server->unavailable) {
		respond_status(r, 503);
		return;
	}
	if (strcmp(r->uri, "*") == 0) {
		respond_options(r, "GET, HEAD, POST, OPTIONS"); /* OPTIONS *: about the server, not a resource */
		return;
	}
	int status;
	r->path = read_path(r, r->uri, r->uri_path_len, &status);
	if (r->path == NULL) {
		respond_status(r, status);
		return;
	}
	route(r);
	dispatch(r);
}

void request_answered(struct request *r)
{
	r->state = REQUEST_SEND;
	request_dirty(r);
}

bool request_redirect(struct request *r, const char *path, int status)
{
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
	if (status != 0 && r->error_notes != NULL && request_env_set(&r->env, &r->arena, "ERROR_NOTES", r->error_notes) < 0)
		return false;
	if (request_env_redirect(&r->env, &r->arena) < 0)
		return false;
	r->query = q != NULL ? arena_strdup(&r->arena, q + 1) : NULL;
	r->method = r->is_head ? "HEAD" : "GET";
	r->path = decoded;
	answer_reset(r);
	route(r);
	if (status != 0 && (r->route.kind == ROUTE_STATUS || r->route.kind == ROUTE_REDIRECT)) {
		request_log_line(r, LOG_LV_ERROR, "ErrorDocument %s for %d cannot be served", path, status);
		return false;
	}
	dispatch(r);
	return true;
}
