/* SPDX-License-Identifier: Apache-2.0 */
/* What a request leaves in the logs. */
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/decimal.h"
#include "gateway/base/io.h"
#include "gateway/client/conn_tls.h"
#include "gateway/answer/request.h"
#include "gateway/answer/request_expr.h"
#include "gateway/tls/tls_vars.h"

void request_log_line(struct request *r, enum log_level level, const char *fmt, ...)
{
	const struct conf_server *s = request_server(r);
	const struct log_sink *sink = &r->w->front->sinks[s->index];
	const char *script = r->route.script_name != NULL ? r->route.script_name : r->path;
	struct log_about about = {.client = r->client_text, .script = script != NULL ? script : r->target};
	va_list ap;

	va_start(ap, fmt);
	log_vline(sink, level, &about, fmt, ap);
	va_end(ap);
}

/* --- access log -------------------------------------------------------------------------------------------------------------- */

static const char *request_field(void *arg, const char *name, size_t *len)
{
	struct request *r = arg;
	const struct req_field *f = req_fields_find(&r->fields, name);

	if (f == NULL)
		return NULL;
	*len = f->value_len;
	return f->value;
}

static const char *response_field(void *arg, const char *name, size_t *len)
{
	struct request *r = arg;

	const struct cgi_header sent = {.fields = r->resp.fields};

	return cgi_header_find(&sent, name, len);
}

static const char *request_variable(void *arg, const char *name, size_t *len)
{
	struct request *r = arg;
	const char *value = request_env_find(&r->env, name);

	if (value == NULL && r->conn->tls != NULL && strcasecmp(name, "HTTPS") == 0)
		value = "on";
	*len = value != NULL ? strlen(value) : 0;
	return value;
}

static const char *request_note(void *arg, const char *name, size_t *len)
{
	struct request *r = arg;
	const char *value = request_env_find(&r->notes, name);

	*len = value != NULL ? strlen(value) : 0;
	return value;
}

static const char *tls_variable(void *arg, const char *name, size_t *len)
{
	static _Thread_local char value[TLS_VAR_MAX];
	const struct request *r = arg;
	int n = r->conn->tls != NULL ? tls_var(conn_tls_session(r->conn), name, value) : -1;

	*len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? NULL : value;
}

static int request_holds(void *arg, const struct conf_expr *e)
{
	return request_expr_logged(arg, e);
}

void request_log(struct request *r, bool aborted)
{
	const struct front *f = r->w->front;
	const struct conn *c = r->conn;
	const struct conf_server *s = r->server != NULL ? r->server : f->conf->servers[0];
	char peer_port[DECIMAL_MAX], local_port[DECIMAL_MAX], canonical_port[DECIMAL_MAX], proxy[IP_TEXT_MAX];

	if (r->logged || r->head == NULL || s->custom_logs_n == 0)
		return;
	r->logged = true;
	decimal_put(peer_port, c->peer_port);
	decimal_put(local_port, c->local_port);
	decimal_put(canonical_port, s->port != 0 ? s->port : c->local_port);
	bool parsed = r->server != NULL;
	struct access_event e = {
		.client_ip = r->client_ip[0] != '\0' ? r->client_ip : NULL,
		.peer_ip = c->proxied ? ip_text(&c->proxy_addr, proxy) : c->peer_ip[0] != '\0' ? c->peer_ip : NULL,
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
		.bytes_out = r->octets_out,
		.duration_us = parsed ? io_now_us() - r->start_us : 0,
		.first_us = r->resp.head_us != 0 ? (int64_t)(r->resp.head_us - r->start_us) : -1,
		.start = r->start,
		.keepalive_count = c->served,
		.connection_state = aborted ? 'X' : c->closing ? '-' : '+',
		.arg = r,
		.request_field = parsed ? request_field : NULL,
		.response_field = response_field,
		.env = request_variable,
		.note = request_note,
		.holds = request_holds,
		.tls = tls_variable,
	};
	access_log_add(&r->w->log, s, f->formats, &e);
}
