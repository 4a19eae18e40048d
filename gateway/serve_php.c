/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both dispatch paths: a cell of the site (prefork) or a member of a FastCGI pool (worker) is leased, gets the request
 * with one set of CGI variables, and its answer is checked and streamed. Script output is collected during a batch of
 * events and queued at its end: a short answer goes out with its Content-Length in one piece, a flush() at once.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/io.h"
#include "gateway/base/container.h"
#include "gateway/cgi_env.h"
#include "gateway/request.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

#define ERRLINE_MAX 16384

static struct conn *conn_of_fcgi(struct fcgi_client *f)
{
	return container_of(f, struct conn, req.fcgi);
}

static struct conn *conn_of_waiter(struct backend_waiter *w)
{
	return container_of(w, struct conn, req.waiter);
}

/* --- parameters -------------------------------------------------------------------------------------------------------- */

static int put_param(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	return fcgi_put_param(arg, name, name_len, value, value_len);
}

static unsigned server_port(const struct conn *c)
{
	const struct request *r = &c->req;

	if (r->authority != NULL && r->h.port != 0)
		return r->h.port;
	if (r->server->port != 0)
		return r->server->port;
	return conf_scheme_port(r->server); /* Apache's UseCanonicalName Off: the scheme's port when nobody named one */
}

/* php_value and its kin, one "name=value" a line, as php-fpm and our cells read them. */
static int put_ini(struct buf *params, const char *name, const struct conf_ini *ini, size_t n, bool admin)
{
	struct buf text;
	int err = 0;

	buf_init(&text);
	for (size_t i = 0; i < n && err == 0; i++)
		if (ini[i].admin == admin)
			err = buf_printf(&text, "%s=%s\n", ini[i].name, ini[i].value);
	if (err == 0 && buf_unread(&text) > 0)
		err = fcgi_put_param(params, name, strlen(name), (const char *)buf_head(&text), buf_unread(&text));
	buf_fini(&text);
	return err;
}

/* A cell knows its virtual host's values from its start, and hears its directory's; the host's own pool hears the host's. */
static int put_all_ini(struct conn *c)
{
	struct request *r = &c->req;
	bool own_pool = r->server->dispatch == CONF_DISPATCH_WORKER;
	const struct conf_ini *ini = own_pool ? r->server->ini : r->route.dir->ini;
	size_t n = own_pool ? r->server->ini_n : r->route.dir->ini_n;

	/* A server named by SetHandler hears none, as in Apache: it may be others' too, and php-fpm keeps what it was told. */
	if (r->route.pool != NULL || n == 0)
		return 0;
	int err = put_ini(&r->params, "PHP_VALUE", ini, n, false);
	return err < 0 ? err : put_ini(&r->params, "PHP_ADMIN_VALUE", ini, n, true);
}

static int build_params(struct conn *c)
{
	struct request *r = &c->req;
	bool first = r->redirected.count == 0;
	bool has_body = first && (r->body.received > 0 || r->h.content_length >= 0 || r->h.chunked);
	struct cgi_env_in in = {
		.method = r->method,
		.protocol = r->protocol,
		.request_uri = arena_strndup(&r->arena, r->head + r->h.path.off, r->h.path.len),
		.query = r->query,
		.script_name = r->route.script_name,
		.path_info = r->route.path_info,
		.filename = r->route.filename,
		.root = r->route.root,
		.docroot = r->server->docroot,
		.context_prefix = r->route.context_prefix,
		.admin = r->server->admin,
		.server_name = r->host != NULL ? r->host : r->server->name,
		.server_addr = c->local_ip,
		.remote_addr = c->peer_ip,
		.server_port = server_port(c),
		.remote_port = c->peer_port,
		.authority = r->authority,
		.scheme = conf_scheme(r->server),
		.content_length = has_body ? (int64_t)r->body.received : -1,
		.head = r->head,
		.h = &r->h,
		.redirect_status = r->redirected.status != 0 ? r->redirected.status : 200,
		.redirect_url = r->redirected.url,
		.redirect_query = r->redirected.query,
		.redirect_method = r->redirected.method,
	};

	/* REQUEST_URI stays what the client asked for, in origin form. */
	if (r->h.has_query)
		in.request_uri = arena_printf(&r->arena, "%s?%.*s", in.request_uri, (int)r->h.query.len, r->head + r->h.query.off);
	if (in.request_uri == NULL)
		return GW_ERR_NOMEM;
	buf_reset(&r->params);
	int err = cgi_env_build(&in, put_param, &r->params);
	return err < 0 ? err : put_all_ini(c);
}

/* --- failure -------------------------------------------------------------------------------------------------------------- */

static void fail(struct conn *c, enum backend_fail why, const char *detail)
{
	struct request *r = &c->req;
	int status = backend_fail_status(why);

	conn_log(c, LOG_LV_ERROR, "%d: %s%s%s", status, backend_fail_text(why), detail != NULL ? ": " : "",
		detail != NULL ? detail : "");
	r->out_ended = true;
	if (!r->resp.head_queued) {
		respond_status(c, status);
		return;
	}
	/* Part of the answer is out: only a connection that ends early tells the client. */
	if (buf_unread(&r->out) > 0)
		respond_body(c, buf_head(&r->out), buf_unread(&r->out));
	buf_reset(&r->out);
	if (c->dead)
		return;
	r->resp.cut = c->closing = true;
	conn_answered(c);
}

/* Safe to run twice (RFC 9110 9.2.2), and so worth repeating when a kept connection turned out dead. */
static bool idempotent(const struct request *r)
{
	static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(r->method, methods[i]) == 0)
			return true;
	return false;
}

/* --- the exchange ----------------------------------------------------------------------------------------------------------- */

static bool take_header(struct conn *c, const uint8_t **data, size_t *n)
{
	struct request *r = &c->req;
	const char *why = NULL;

	ssize_t used = cgi_header_feed(&r->cgi, *data, *n, &why);
	if (used < 0) {
		fcgi_client_abort(&r->fcgi, LEASE_CLOSE);
		r->upstream = false;
		fail(c, used == GW_ERR_NOMEM ? BACKEND_NOMEM : BACKEND_BAD_HEADER, why);
		return false;
	}
	*data += used;
	*n -= (size_t)used;
	return r->cgi.done;
}

static bool over_backlog(const struct conn *c)
{
	return c->out.spool && c->out.file_off + c->out.file_left > OUTQ_SPOOL_MAX;
}

static void on_stdout(struct fcgi_client *f, const uint8_t *data, size_t n)
{
	struct conn *c = conn_of_fcgi(f);
	struct request *r = &c->req;

	if (!r->cgi.done && !take_header(c, &data, &n))
		return;
	conn_dirty(c);
	if (r->is_head)
		return;
	if (buf_append(&r->out, data, n) < 0) {
		conn_abort(c);
		return;
	}
	/* A busy stream must not wait for the end of the batch in memory. */
	if (buf_unread(&r->out) > OUTQ_MEM_MAX)
		serve_php_flush(c);
	if (!c->dead && r->upstream && over_backlog(c))
		fcgi_client_pause(f);
}

static void log_errline(struct conn *c)
{
	struct buf *b = &c->req.errline;

	if (front_may_log(c->w->front, c->req.server, buf_unread(b)))
		conn_log(c, LOG_LV_ERROR, "%.*s", (int)buf_unread(b), (const char *)buf_head(b));
	buf_reset(b);
}

static void on_stderr(struct fcgi_client *f, const uint8_t *data, size_t n)
{
	struct conn *c = conn_of_fcgi(f);
	struct buf *b = &c->req.errline;

	while (n > 0) {
		const uint8_t *end = memchr(data, '\n', n);
		size_t len = end != NULL ? (size_t)(end - data) : n;
		size_t room = ERRLINE_MAX - buf_unread(b);
		if (buf_append(b, data, len < room ? len : room) < 0)
			return;
		if (end != NULL && buf_unread(b) > 0)
			log_errline(c);
		len += end != NULL;
		data += len;
		n -= len;
	}
}

static void start(struct conn *c, bool fresh_only);

static void on_end(struct fcgi_client *f, enum backend_fail why, uint32_t app_status, const char *detail, bool untouched)
{
	struct conn *c = conn_of_fcgi(f);
	struct request *r = &c->req;

	(void)app_status;
	r->upstream = false;
	if (buf_unread(&r->errline) > 0)
		log_errline(c);
	if (why == BACKEND_OK && r->cgi.done) {
		r->out_ended = true;
		conn_dirty(c);
	} else if (why == BACKEND_OK) {
		fail(c, BACKEND_BAD_HEADER, "the script sent no header block");
	} else if (untouched && !r->retried && idempotent(r)) {
		r->retried = true;
		start(c, true);
	} else {
		fail(c, why, detail);
	}
}

static const struct fcgi_client_ops client_ops = {.stdout_cb = on_stdout, .stderr_cb = on_stderr, .end_cb = on_end};

static void on_lease(struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	struct conn *c = conn_of_waiter(w);
	struct request *r = &c->req;
	bool with_body = r->redirected.count == 0;
	struct fcgi_body body = {.mem = buf_head(&r->body.mem), .fd = r->body.fd, .len = with_body ? r->body.received : 0};

	r->waiting = false;
	if (lease == NULL) {
		fail(c, why, NULL);
		return;
	}
	r->upstream = true;
	fcgi_client_start(&r->fcgi, &client_ops, c->w->loop, lease, buf_head(&r->params), buf_unread(&r->params), &body,
		r->server->request_timeout_ms);
}

static struct backend *choose_backend(const struct conn *c)
{
	const struct front *f = c->w->front;
	const struct request *r = &c->req;

	if (r->route.pool != NULL)
		return f->pools[r->route.pool->index];
	if (r->server->dispatch == CONF_DISPATCH_WORKER)
		return r->server->pool != NULL ? f->pools[r->server->pool->index] : NULL;
	return f->sites[r->server->index];
}

static void start(struct conn *c, bool fresh_only)
{
	struct request *r = &c->req;
	struct backend *b = choose_backend(c);

	c->state = CONN_WORK;
	if (b == NULL) {
		conn_log(c, LOG_LV_ERROR, "403: nothing runs PHP for this virtual host: add UsePool or Dispatch prefork");
		respond_status(c, 403);
		return;
	}
	r->waiting = true;
	r->waiter = (struct backend_waiter){.loop = c->w->loop, .ready = on_lease, .fresh_only = fresh_only};
	backend_acquire(b, &r->waiter);
}

void serve_php(struct conn *c)
{
	if (build_params(c) < 0) {
		conn_log(c, LOG_LV_ERROR, "400: the request does not fit into CGI variables");
		respond_status(c, 400);
		return;
	}
	start(c, false);
}

void serve_php_abort(struct conn *c)
{
	struct request *r = &c->req;

	if (r->waiting)
		backend_cancel(&r->waiter);
	if (r->upstream)
		fcgi_client_abort(&r->fcgi, LEASE_CLOSE);
	r->waiting = r->upstream = false;
}

/* --- output ------------------------------------------------------------------------------------------------------------------ */

/* A script's "Location: /path" without a status is answered by that path (RFC 3875 6.2.2). */
static bool local_redirect(struct conn *c)
{
	struct request *r = &c->req;
	const char *path = r->cgi.local_redirect;

	if (path == NULL)
		return false;
	path = arena_strdup(&r->arena, path);
	serve_php_abort(c);
	if (path == NULL || !request_redirect(c, path, 0)) {
		conn_log(c, LOG_LV_ERROR, "502: too many internal redirects, or a bad path in Location");
		respond_status(c, 502);
	}
	return true;
}

static bool queue_head(struct conn *c)
{
	struct request *r = &c->req;
	int64_t length = r->cgi.content_length;
	int status = r->redirected.status != 0 && r->cgi.status == 200 ? r->redirected.status : r->cgi.status;

	if (length < 0 && r->out_ended && !r->is_head)
		length = (int64_t)buf_unread(&r->out);
	return respond_head(c, status, r->cgi.reason, &r->cgi.fields, length);
}

void serve_php_flush(struct conn *c)
{
	struct request *r = &c->req;

	if (!r->cgi.done || c->state != CONN_WORK)
		return;
	if (!r->resp.head_queued && (local_redirect(c) || !queue_head(c)))
		return;
	if (buf_unread(&r->out) > 0 && !respond_body(c, buf_head(&r->out), buf_unread(&r->out)))
		return;
	buf_reset(&r->out);
	if (r->out_ended) {
		respond_end(c);
		if (c->dead)
			return;
		if (r->resp.cut)
			c->closing = true;
		c->state = CONN_SEND;
	}
}

void serve_php_resume(struct conn *c)
{
	if (c->req.upstream && c->req.fcgi.paused && !over_backlog(c))
		fcgi_client_resume(&c->req.fcgi);
}
