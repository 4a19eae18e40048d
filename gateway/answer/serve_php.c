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
#include "gateway/answer/cgi_env.h"
#include "gateway/client/conn_tls.h"
#include "gateway/answer/request.h"
#include "gateway/answer/request_edit.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/serve.h"
#include "gateway/tls/tls_vars.h"

#define ERRLINE_MAX 16384
#define OUT_KEEP 16384 /* octets of cgi_out that are worth keeping */

static struct request *request_of_fcgi(struct fcgi_client *f)
{
	return container_of(f, struct request, fcgi);
}

static struct request *request_of_waiter(struct backend_waiter *w)
{
	return container_of(w, struct request, waiter);
}

/* --- parameters -------------------------------------------------------------------------------------------------------- */

static int put_param(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	return fcgi_put_param(arg, name, name_len, value, value_len);
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
static int put_all_ini(struct request *r)
{
	bool own_pool = r->server->dispatch == CONF_DISPATCH_WORKER;
	const struct conf_ini *ini = own_pool ? r->server->ini : r->route.dir->ini;
	size_t n = own_pool ? r->server->ini_n : r->route.dir->ini_n;

	/* A server named by SetHandler hears none, as in Apache: it may be others' too, and php-fpm keeps what it was told. */
	if (r->route.pool != NULL || n == 0)
		return 0;
	int err = put_ini(&r->params, "PHP_VALUE", ini, n, false);
	return err < 0 ? err : put_ini(&r->params, "PHP_ADMIN_VALUE", ini, n, true);
}

/* The name that was asked for always, as mod_ssl does; the rest where SSLOptions says so. */
static int put_tls(struct request *r)
{
	const struct tls_session *s = conn_tls_session(r->conn);
	const char *sni = tls_session_sni(s);
	int err = sni != NULL ? put_param(&r->params, "SSL_TLS_SNI", 11, sni, strlen(sni)) : 0;

	return err < 0 || !r->route.dir->tls_env ? err : tls_vars_each(s, put_param, &r->params);
}

static int build_params(struct request *r)
{
	bool first = r->redirected.count == 0;
	struct cgi_env_in in = {
		.method = r->method,
		.protocol = r->protocol,
		.request_uri = r->uri,
		.query = r->query,
		.script_name = r->route.script_name,
		.path_info = r->route.path_info,
		.filename = r->route.filename,
		.root = r->route.root,
		.docroot = r->server->docroot,
		.context_prefix = r->route.context_prefix,
		.admin = r->server->admin,
		.server_name = r->host != NULL ? r->host : r->server->name,
		.server_addr = r->conn->local_ip,
		.remote_addr = r->client_ip,
		.server_port = request_server_port(r),
		.remote_port = r->conn->peer_port,
		.authority = r->authority,
		.scheme = conf_scheme(r->server),
		.tls = r->conn->tls != NULL,
		.content_length = first && r->has_body ? (int64_t)r->body.received : -1,
		.fields = &r->fields,
		.redirect_status = r->redirected.status != 0 ? r->redirected.status : 200,
		.redirect_url = r->redirected.url,
		.redirect_query = r->redirected.query,
		.redirect_method = r->redirected.method,
	};

	buf_reset(&r->params);
	int err = request_edit_params(&in, &r->env, put_param, &r->params);
	if (err == 0 && r->conn->tls != NULL)
		err = put_tls(r);
	return err < 0 ? err : put_all_ini(r);
}

/* --- failure -------------------------------------------------------------------------------------------------------------- */

static void fail(struct request *r, enum backend_fail why, const char *detail)
{
	int status = backend_fail_status(why);

	request_log_line(r, LOG_LV_ERROR, "%d: %s%s%s", status, backend_fail_text(why), detail != NULL ? ": " : "",
		detail != NULL ? detail : "");
	r->out_ended = true;
	r->error_notes = backend_fail_text(why);
	if (!r->resp.head_queued) {
		respond_status(r, status);
		return;
	}
	/* Part of the answer is out: only a connection that ends early tells the client. */
	if (buf_unread(&r->cgi_out) > 0)
		respond_body(r, buf_head(&r->cgi_out), buf_unread(&r->cgi_out));
	buf_reset(&r->cgi_out);
	if (r->dead)
		return;
	r->resp.cut = true;
	respond_end(r);
	if (!r->dead)
		request_answered(r);
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

/* A block of status 1xx, for clients whose protocol has room for it; then there is another block. */
static bool take_interim(struct request *r)
{
	if (r->cgi.interim == 0)
		return false;
	if (r->io->interim(r, r->cgi.interim, &r->cgi.fields))
		request_dirty(r);
	cgi_header_next(&r->cgi);
	return true;
}

static bool take_header(struct request *r, const uint8_t **data, size_t *n)
{
	const char *why = NULL;

	do {
		ssize_t used = cgi_header_feed(&r->cgi, *data, *n, &why);
		if (used < 0) {
			fcgi_client_abort(&r->fcgi, LEASE_CLOSE);
			r->upstream = false;
			fail(r, used == GW_ERR_NOMEM ? BACKEND_NOMEM : BACKEND_BAD_HEADER, why);
			return false;
		}
		*data += used;
		*n -= (size_t)used;
	} while (take_interim(r) && !r->dead);
	if (r->dead || !r->cgi.done)
		return false;
	r->sendfile = serve_sendfile_asked(r);
	return true;
}

/* The client takes too little: PHP waits with it, once there is no more room to keep its answer. */
static bool over_backlog(struct request *r)
{
	if (outq_refused(&r->out) && spool_may_say(request_spool(r), SPOOL_ANSWER, loop_now_ms(r->w->loop)))
		request_log_line(r, LOG_LV_WARN, "PHP waits for its client: no room for the answer within SpoolSiteMax and SpoolMax, or on the disk of SpoolPath");
	return outq_full(&r->out);
}

static void on_stdout(struct fcgi_client *f, const uint8_t *data, size_t n)
{
	struct request *r = request_of_fcgi(f);

	if (!r->cgi.done && !take_header(r, &data, &n))
		return;
	request_dirty(r);
	if (r->is_head || r->sendfile)
		return;
	if (buf_append(&r->cgi_out, data, n) < 0) {
		request_abort(r);
		return;
	}
	/* A busy stream must not wait for the end of the batch in memory. */
	if (buf_unread(&r->cgi_out) > OUTQ_MEM_MAX)
		serve_php_flush(r);
	if (!r->dead && r->upstream && over_backlog(r))
		fcgi_client_pause(f);
}

static void log_errline(struct request *r)
{
	struct buf *b = &r->errline;

	if (front_may_log(r->w->front, r->server, buf_unread(b)))
		request_log_line(r, LOG_LV_ERROR, "%.*s", (int)buf_unread(b), (const char *)buf_head(b));
	buf_reset(b);
}

static void on_stderr(struct fcgi_client *f, const uint8_t *data, size_t n)
{
	struct request *r = request_of_fcgi(f);
	struct buf *b = &r->errline;

	while (n > 0) {
		const uint8_t *end = memchr(data, '\n', n);
		size_t len = end != NULL ? (size_t)(end - data) : n;
		size_t room = ERRLINE_MAX - buf_unread(b);
		if (buf_append(b, data, len < room ? len : room) < 0)
			return;
		if (end != NULL && buf_unread(b) > 0)
			log_errline(r);
		len += end != NULL;
		data += len;
		n -= len;
	}
}

static void start(struct request *r, bool fresh_only);

static void on_end(struct fcgi_client *f, enum backend_fail why, uint32_t app_status, const char *detail, bool untouched)
{
	struct request *r = request_of_fcgi(f);

	(void)app_status;
	r->upstream = false;
	if (buf_unread(&r->errline) > 0)
		log_errline(r);
	if (why == BACKEND_OK)
		req_body_drop(&r->body); /* the client may be slow to take the answer: nobody else waits for this room */
	if (why == BACKEND_OK && r->cgi.done) {
		r->out_ended = true;
		request_dirty(r);
	} else if (why == BACKEND_OK) {
		fail(r, BACKEND_BAD_HEADER, "the script sent no header block");
	} else if (untouched && !r->retried && idempotent(r)) {
		r->retried = true;
		start(r, true);
	} else {
		fail(r, why, detail);
	}
}

static const struct fcgi_client_ops client_ops = {.stdout_cb = on_stdout, .stderr_cb = on_stderr, .end_cb = on_end};

static void on_lease(struct backend_waiter *w, struct lease *lease, enum backend_fail why)
{
	struct request *r = request_of_waiter(w);
	bool with_body = r->redirected.count == 0;
	struct fcgi_body body = {.mem = buf_head(&r->body.mem), .fd = r->body.file.fd, .len = with_body ? r->body.received : 0};

	r->waiting = false;
	if (lease == NULL) {
		fail(r, why, NULL);
		return;
	}
	r->upstream = true;
	fcgi_client_start(&r->fcgi, &client_ops, r->w->loop, lease, buf_head(&r->params), buf_unread(&r->params), &body,
		r->server->request_timeout_ms);
}

static struct backend *choose_backend(const struct request *r)
{
	const struct front *f = r->w->front;

	if (r->route.pool != NULL)
		return f->pools[r->route.pool->index];
	if (r->server->dispatch == CONF_DISPATCH_WORKER)
		return r->server->pool != NULL ? f->pools[r->server->pool->index] : NULL;
	return f->sites[r->server->index];
}

static void start(struct request *r, bool fresh_only)
{
	struct backend *b = choose_backend(r);

	r->state = REQUEST_WORK;
	if (b == NULL) {
		request_log_line(r, LOG_LV_ERROR, "403: nothing runs PHP for this virtual host: add UsePool or Dispatch prefork");
		respond_status(r, 403);
		return;
	}
	r->waiting = true;
	r->waiter = (struct backend_waiter){.loop = r->w->loop, .ready = on_lease, .fresh_only = fresh_only};
	backend_acquire(b, &r->waiter);
}

void serve_php(struct request *r)
{
	if (build_params(r) < 0) {
		request_log_line(r, LOG_LV_ERROR, "400: the request does not fit into CGI variables");
		respond_status(r, 400);
		return;
	}
	start(r, false);
}

void serve_php_abort(struct request *r)
{
	if (r->waiting)
		backend_cancel(&r->waiter);
	if (r->upstream)
		fcgi_client_abort(&r->fcgi, LEASE_CLOSE);
	r->waiting = r->upstream = false;
}

/* --- output ------------------------------------------------------------------------------------------------------------------ */

/* A script's "Location: /path" without a status is answered by that path (RFC 3875 6.2.2). */
static bool local_redirect(struct request *r)
{
	const char *path = r->cgi.local_redirect;

	if (path == NULL)
		return false;
	path = arena_strdup(&r->arena, path);
	serve_php_abort(r);
	if (path == NULL || !request_redirect(r, path, 0)) {
		request_log_line(r, LOG_LV_ERROR, "502: too many internal redirects, or a bad path in Location");
		respond_status(r, 502);
	}
	return true;
}

static bool queue_head(struct request *r)
{
	int64_t length = r->cgi.content_length;
	int status = r->redirected.status != 0 && r->cgi.status == 200 ? r->redirected.status : r->cgi.status;

	if (length < 0 && r->out_ended && !r->is_head)
		length = (int64_t)buf_unread(&r->cgi_out);
	return respond_head(r, status, r->cgi.reason, &r->cgi.fields, length);
}

void serve_php_flush(struct request *r)
{
	if (!r->cgi.done || r->state != REQUEST_WORK)
		return;
	if (r->sendfile) {
		/* The script may do what it likes until it ends; then it is the file's turn. */
		if (r->out_ended)
			serve_sendfile(r);
		return;
	}
	if (!r->resp.head_queued && (local_redirect(r) || !queue_head(r)))
		return;
	if (buf_unread(&r->cgi_out) > 0 && !respond_body(r, buf_head(&r->cgi_out), buf_unread(&r->cgi_out)))
		return;
	buf_reset(&r->cgi_out);
	if (!r->out_ended && !respond_flush(r))
		return;
	if (r->out_ended) {
		/* The client may take its time: what is kept for it is in the queue alone. */
		buf_recycle(&r->cgi_out, OUT_KEEP);
		respond_end(r);
		if (r->dead)
			return;
		r->state = REQUEST_SEND;
	}
}

void serve_php_resume(struct request *r)
{
	if (r->upstream && r->fcgi.paused && !over_backlog(r))
		fcgi_client_resume(&r->fcgi);
}
