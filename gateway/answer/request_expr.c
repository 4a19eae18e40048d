/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/request_expr.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gateway/answer/request.h"
#include "gateway/base/container.h"
#include "gateway/client/conn_tls.h"
#include "gateway/http/field_lines.h"
#include "gateway/tls/tls_vars.h"

/* Every field of a request, once or twice. Its pages are not there before an expression needs them. */
#define ROOM 65536
static _Thread_local char room[ROOM];

static int put(struct conf_expr_text *out, const char *s)
{
	if (s != NULL)
		*out = (struct conf_expr_text){s, strlen(s)};
	return GW_OK;
}

static int put_number(struct conf_expr_run *x, struct conf_expr_text *out, unsigned long long v)
{
	char *text = conf_expr_room(x, 24);

	if (text == NULL)
		return GW_ERR_RANGE;
	snprintf(text, 24, "%llu", v);
	return put(out, text);
}

/* --- variables ------------------------------------------------------------------------------------------------------------ */

static int put_modified(struct conf_expr_run *x, const struct request *r, struct conf_expr_text *out)
{
	const struct timespec *at = r->entry != NULL ? &r->entry->file.st.st_mtim : &r->route.st.st_mtim;
	char *text = conf_expr_room(x, 16);
	struct tm tm;

	if (text == NULL)
		return GW_ERR_RANGE;
	if (at->tv_sec == 0 || r->route.filename == NULL)
		return GW_OK;
	localtime_r(&at->tv_sec, &tm);
	*out = (struct conf_expr_text){text, strftime(text, 16, "%Y%m%d%H%M%S", &tm)};
	return GW_OK;
}

static int put_two(struct conf_expr_run *x, const char *a, const char *b, struct conf_expr_text *out)
{
	size_t len = strlen(a) + strlen(b);
	char *text = conf_expr_room(x, len + 1);

	if (text == NULL)
		return GW_ERR_RANGE;
	stpcpy(stpcpy(text, a), b);
	*out = (struct conf_expr_text){text, len};
	return GW_OK;
}

/* Where the file would be that is not there, or was not looked for yet. */
static int put_missing(struct conf_expr_run *x, const struct request *r, struct conf_expr_text *out)
{
	const struct request_expr *about = x->arg;
	const struct route *t = &r->route;
	if (about->match != NULL)
		return put_two(x, about->match->dir, about->match->file != NULL ? about->match->file : "", out);
	size_t prefix = t->context_prefix != NULL ? strlen(t->context_prefix) : 0;

	if (t->root == NULL || r->path == NULL || strlen(r->path) < prefix)
		return GW_OK;
	return put_two(x, t->root, r->path + prefix, out);
}

static int find_lines(struct conf_expr_run *x, const struct buf *lines, const char *name, struct conf_expr_text *out);

static int put_answer_field(struct conf_expr_run *x, const struct request_expr *about, const char *name, struct conf_expr_text *out)
{
	int err = about->fields.added != NULL ? find_lines(x, about->fields.added, name, out) : GW_OK;

	return err < 0 || out->len > 0 || about->fields.answer == NULL ? err : find_lines(x, about->fields.answer, name, out);
}

static int put_connection(struct conf_expr_run *x, const struct request *r, enum conf_expr_var v, struct conf_expr_text *out)
{
	const struct conn *c = r->conn;

	switch (v) {
	case EXPR_REMOTE_PORT:
		return put_number(x, out, c->peer_port);
	case EXPR_CONN_REMOTE_ADDR:
		return put(out, c->peer_ip);
	case EXPR_HTTPS:
		return put(out, c->tls != NULL ? "on" : "off");
	case EXPR_HTTP2:
		return put(out, c->h2 != NULL ? "on" : "off");
	case EXPR_IPV6:
		return put(out, strchr(r->client_ip, ':') != NULL ? "on" : "off");
	default:
		return GW_OK;
	}
}

static int put_host(struct conf_expr_run *x, const struct request *r, enum conf_expr_var v, struct conf_expr_text *out)
{
	const struct conf_server *s = request_server(r);

	switch (v) {
	case EXPR_REQUEST_SCHEME:
		return put(out, r->conn->tls != NULL ? "https" : conf_scheme(s));
	case EXPR_SERVER_NAME:
		return put(out, r->host != NULL ? r->host : s->name);
	case EXPR_SERVER_PORT:
		return put_number(x, out, request_server_port(r));
	case EXPR_SERVER_ADMIN:
		return put(out, s->admin);
	case EXPR_DOCUMENT_ROOT:
		return put(out, s->docroot);
	default:
		return put_connection(x, r, v, out);
	}
}

static int find_var(struct conf_expr_run *x, enum conf_expr_var v, struct conf_expr_text *out)
{
	const struct request_expr *about = x->arg;
	const struct request *r = about->r;

	switch (v) {
	case EXPR_REQUEST_METHOD:
		return put(out, r->method);
	case EXPR_REQUEST_URI:
		/* A file of a listing, or an index, is looked at by its own path. */
		return put(out, about->match != NULL && about->match->uri != NULL ? about->match->uri : r->path != NULL ? r->path : r->target);
	case EXPR_QUERY_STRING:
		return put(out, r->query);
	case EXPR_THE_REQUEST:
		return put(out, r->request_line);
	case EXPR_SERVER_PROTOCOL:
		return put(out, r->protocol);
	case EXPR_REMOTE_ADDR:
		return put(out, r->client_ip);
	case EXPR_REQUEST_FILENAME:
		return r->route.filename != NULL && about->match == NULL ? put(out, r->route.filename) : put_missing(x, r, out);
	case EXPR_PATH_INFO:
		return put(out, r->route.path_info);
	case EXPR_CONTEXT_PREFIX:
		return put(out, r->route.context_prefix);
	case EXPR_CONTEXT_DOCUMENT_ROOT:
		return put(out, r->route.root);
	case EXPR_LAST_MODIFIED:
		return put_modified(x, r, out);
	case EXPR_HANDLER:
		return put(out, r->route.kind == ROUTE_PHP ? "application/x-httpd-php" : NULL);
	case EXPR_REQUEST_STATUS:
		return put_number(x, out, about->status > 0 ? (unsigned)about->status : 200);
	case EXPR_CONTENT_TYPE:
		return put_answer_field(x, about, "content-type", out);
	default:
		return put_host(x, r, v, out);
	}
}

/* --- named values --------------------------------------------------------------------------------------------------------- */

/* One more value of a field that may come more than once: they are one list (RFC 9110 5.3). */
static int add_value(struct conf_expr_run *x, struct conf_expr_text *out, bool first, const char *value, size_t len)
{
	if (first) {
		*out = (struct conf_expr_text){value, len};
		return GW_OK;
	}
	char *joined = conf_expr_room(x, out->len + len + 2);
	if (joined == NULL)
		return GW_ERR_RANGE;
	memcpy(joined, out->s, out->len);
	memcpy(joined + out->len, ", ", 2);
	memcpy(joined + out->len + 2, value, len);
	*out = (struct conf_expr_text){joined, out->len + len + 2};
	return GW_OK;
}

static int find_lines(struct conf_expr_run *x, const struct buf *lines, const char *name, struct conf_expr_text *out)
{
	size_t name_len = strlen(name);
	struct field_line f;
	bool first = true;
	int err = GW_OK;

	for (size_t at = 0; err == GW_OK && field_lines_next(lines, &at, &f);) {
		if (f.name_len != name_len || strncasecmp(f.name, name, name_len) != 0)
			continue;
		err = add_value(x, out, first, f.value, f.value_len);
		first = false;
	}
	return err;
}

static int find_request_field(struct conf_expr_run *x, const struct request_expr *about, const char *name, struct conf_expr_text *out)
{
	const struct req_fields *all = &about->r->fields;
	size_t name_len = strlen(name);
	bool first = true;
	int err = GW_OK;

	/* HTTP/2 names the host beside the fields; both protocols' answer is the same. */
	if (strcasecmp(name, "host") == 0)
		return put(out, about->r->authority);
	if (about->fields.request != NULL)
		return find_lines(x, about->fields.request, name, out);
	for (size_t i = 0; i < all->n && err == GW_OK; i++) {
		const struct req_field *f = &all->list[i];
		if (f->name_len != name_len || strncasecmp(f->name, name, name_len) != 0)
			continue;
		err = add_value(x, out, first, f->value, f->value_len);
		first = false;
	}
	return err;
}

static int find_tls(struct conf_expr_run *x, const struct request *r, const char *name, struct conf_expr_text *out)
{
	char *value = r->conn->tls == NULL ? NULL : conf_expr_room(x, TLS_VAR_MAX);

	if (r->conn->tls == NULL)
		return GW_OK;
	if (value == NULL)
		return GW_ERR_RANGE;
	return tls_var(conn_tls_session(r->conn), name, value) < 0 ? GW_OK : put(out, value);
}

static int find_named(struct conf_expr_run *x, enum conf_expr_table t, const char *name, struct conf_expr_text *out)
{
	const struct request_expr *about = x->arg;
	const char *value;

	switch (t) {
	case EXPR_REQUEST_FIELD:
		return find_request_field(x, about, name, out);
	case EXPR_ANSWER_FIELD:
		return put_answer_field(x, about, name, out);
	case EXPR_ENV:
		value = request_env_find(&about->r->env, name);
		if (value == NULL && about->r->conn->tls != NULL && strcasecmp(name, "HTTPS") == 0)
			value = "on";
		return put(out, value);
	case EXPR_NOTE:
		return put(out, request_env_find(&about->r->notes, name));
	case EXPR_TLS:
		return find_tls(x, about->r, name, out);
	}
	return GW_OK;
}

static const struct conf_expr_source source = {find_var, find_named};

void request_expr_init(struct request_expr *x, const struct request *r, int status)
{
	*x = (struct request_expr){.r = r, .status = status};
	x->run = (struct conf_expr_run){.source = &source, .arg = x, .scratch = conf_cache_scratch(r->w->cache), .room = room, .room_len = ROOM,
		.now = r->start.tv_sec};
}

int request_expr_logged(const struct request *r, const struct conf_expr *e)
{
	struct request_expr x;

	request_expr_init(&x, r, r->resp.status);
	x.fields.answer = &r->resp.fields;
	return conf_expr_test(e, &x.run);
}

static int judge(struct conf_judge *j, const struct conf_match *m, const struct conf_expr *e)
{
	struct request_expr x;

	request_expr_init(&x, container_of(j, struct request_judge, judge)->r, 0);
	x.match = m;
	return conf_expr_test(e, &x.run);
}

void request_judge_init(struct request_judge *j, const struct request *r)
{
	*j = (struct request_judge){.judge.holds = judge, .r = r};
}

struct route_env request_route_env(const struct request *r, struct request_judge *j)
{
	struct worker *w = r->w;

	request_judge_init(j, r);
	return (struct route_env){.conf = w->front->conf, .cache = w->cache, .roots = &w->roots, .now_ms = loop_now_ms(w->loop),
		.judge = &j->judge, .kept = r->kept_path};
}
