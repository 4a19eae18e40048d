/* SPDX-License-Identifier: Apache-2.0 */
/* What a request is in HTTP/1's octets, and what an answer is (RFC 9112 sections 2 to 7). */
#include <stdio.h>
#include <string.h>

#include "gateway/base/decimal.h"
#include "gateway/client/http1_request.h"
#include "gateway/http/status_text.h"

/* --- the request ------------------------------------------------------------------------------------------------------------ */

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

static int take_fields(struct request *r, const struct http1_request *h)
{
	int err = req_fields_reserve(&r->fields, &r->arena, h->fields_n);

	for (size_t i = 0; i < h->fields_n && err == GW_OK; i++) {
		const struct http1_field *f = &h->fields[i];
		err = req_fields_add(&r->fields, &r->arena, &(struct req_field){.name = r->head + f->name.off,
			.name_len = f->name.len, .value = r->head + f->value.off, .value_len = f->value.len});
	}
	return err;
}

/* The target without scheme and authority. */
static void take_uri(struct request *r, const struct http1_request *h)
{
	int path_len = (int)h->path.len;

	r->uri_path_len = h->path.len;
	if (!h->absolute_form)
		r->uri = r->target;
	else if (h->has_query)
		r->uri = arena_printf(&r->arena, "%.*s?%s", path_len, r->head + h->path.off, r->query != NULL ? r->query : "");
	else
		r->uri = arena_printf(&r->arena, "%.*s", path_len, r->head + h->path.off);
}

/* "GET /path HTTP/1.1", as it is logged. */
static char *request_line(struct request *r, const struct http1_request *h)
{
	size_t protocol_len = strlen(r->protocol);
	char *line = arena_alloc(&r->arena, h->method.len + h->target.len + protocol_len + 3), *p = line;

	if (line == NULL)
		return NULL;
	memcpy(p, r->head + h->method.off, h->method.len);
	p += h->method.len;
	*p++ = ' ';
	memcpy(p, r->head + h->target.off, h->target.len);
	p += h->target.len;
	*p++ = ' ';
	memcpy(p, r->protocol, protocol_len + 1);
	return line;
}

int http1_request_take(struct request *r, const struct http1_request *h, const char *in, size_t len)
{
	r->head = arena_strndup(&r->arena, in, len);
	if (r->head == NULL)
		return GW_ERR_NOMEM;
	r->head_len = len;
	r->method = str_of(r, &h->method);
	r->target = str_of(r, &h->target);
	r->query = h->has_query ? str_of(r, &h->query) : NULL;
	r->protocol = h->minor >= 1 ? "HTTP/1.1" : "HTTP/1.0";
	r->host = h->host.len > 0 ? lower(str_of(r, &h->host)) : NULL;
	r->authority = h->host.len > 0 ? str_of(r, &h->authority) : NULL;
	r->host_port = h->port;
	r->content_length = h->content_length;
	r->has_body = h->chunked || h->content_length >= 0;
	r->https_target = h->https;
	r->request_line = request_line(r, h);
	take_uri(r, h);
	req_body_init(&r->body, h->content_length, h->chunked ? REQ_BODY_CHUNKED : REQ_BODY_COUNTED, h->expect_continue);
	/* Without its Host or query a request would be another one. */
	if (r->method == NULL || r->target == NULL || r->uri == NULL || r->request_line == NULL ||
	    (r->query == NULL && h->has_query) || ((r->host == NULL || r->authority == NULL) && h->host.len > 0))
		return GW_ERR_NOMEM;
	return take_fields(r, h);
}

/* --- the answer ------------------------------------------------------------------------------------------------------------- */

static bool queue(struct request *r, const void *data, size_t n)
{
	if (outq_append(&r->out, request_spool(r), data, n) == GW_OK)
		return true;
	request_log_line(r, LOG_LV_ERROR, "no memory for the answer");
	request_abort(r);
	return false;
}

static bool queue_status(struct request *r, int status, const char *reason)
{
	char line[128] = "HTTP/1.1 ";
	size_t at = 9, n = strnlen(reason, 100);

	at += decimal_put(line + at, (uint64_t)status);
	line[at++] = ' ';
	memcpy(line + at, reason, n);
	at += n;
	line[at++] = '\r';
	line[at++] = '\n';
	return queue(r, line, at);
}

/* Whether the rest of the request body is worth reading to keep the connection. */
static bool body_blocks_reuse(const struct req_body *b)
{
	return req_body_pending(b) && (b->expect || b->left > REQ_BODY_DISCARD_MAX);
}

/* Whether this is the last answer, known at its head. */
static bool closes(const struct conn *c, const struct request *r)
{
	const struct conf_server *s = request_server(r);

	return !c->h1.keep_alive || !s->keepalive || c->w->draining || body_blocks_reuse(&r->body) ||
		(s->max_keepalive_requests > 0 && c->served + 1 >= s->max_keepalive_requests);
}

static int put_length(struct buf *b, uint64_t length)
{
	static const char name[] = "Content-Length: ";
	char line[sizeof(name) + DECIMAL_MAX + 2];
	size_t at = sizeof(name) - 1;

	memcpy(line, name, at);
	at += decimal_put(line + at, length);
	line[at++] = '\r';
	line[at++] = '\n';
	return buf_append(b, line, at);
}

static int put_framing(struct conn *c, const struct response *resp, struct buf *b, int64_t length)
{
	int err = 0;

	/* RFC 9110 8.6: no Content-Length in 204; in 304 and to HEAD it describes what GET would have sent. */
	if (length >= 0 && resp->status != 204 && !(resp->status == 304 && length == 0))
		err = put_length(b, (uint64_t)length);
	else if (c->h1.chunked)
		err = buf_puts(b, "Transfer-Encoding: chunked\r\n");
	if (err == 0 && c->closing)
		err = buf_puts(b, "Connection: close\r\n");
	else if (err == 0 && c->h1.minor == 0)
		err = buf_puts(b, "Connection: keep-alive\r\n");
	return err;
}

static bool http1_head(struct request *r, const char *reason, int64_t length)
{
	struct response *resp = &r->resp;
	struct conn *c = r->conn;
	struct buf *b = &resp->fields;

	c->h1.chunked = resp->framing == RESP_STREAM && c->h1.minor >= 1;
	/* Without chunks only the connection's end is the answer's. */
	if (closes(c, r) || (resp->framing == RESP_STREAM && !c->h1.chunked))
		c->closing = true;
	if (reason == NULL || reason[0] == '\0')
		reason = status_reason(resp->status);
	if (put_framing(c, resp, b, length) < 0) {
		request_abort(r);
		return false;
	}
	return queue_status(r, resp->status, reason) && queue(r, buf_head(b), buf_unread(b)) && queue(r, "\r\n", 2);
}

/*
 * RFC 9110 15.2: HTTP/1.0 has no interim answers. RFC 8297 3: over HTTP/1.1 there are clients that take one which they did
 * not ask for to be the answer.
 */
static bool http1_interim(struct request *r, int status, const struct buf *fields)
{
	if (r->conn->h1.minor == 0 || status != 100)
		return true;
	return queue_status(r, status, status_reason(status)) &&
		(fields == NULL || queue(r, buf_head(fields), buf_unread(fields))) && queue(r, "\r\n", 2);
}

static bool http1_body(struct request *r, const void *data, size_t n)
{
	char head[20];

	if (r->resp.framing != RESP_STREAM || !r->conn->h1.chunked)
		return queue(r, data, n);
	int len = snprintf(head, sizeof(head), "%zx\r\n", n);
	return queue(r, head, (size_t)len) && queue(r, data, n) && queue(r, "\r\n", 2);
}

static bool http1_finish(struct request *r)
{
	if (r->resp.cut)
		r->conn->closing = true;
	else if (r->resp.framing == RESP_STREAM && r->conn->h1.chunked)
		return queue(r, "0\r\n\r\n", 5);
	return true;
}

static void http1_dirty(struct request *r)
{
	conn_dirty(r->conn);
}

static void http1_abort(struct request *r)
{
	conn_abort(r->conn);
}

const struct request_io http1_io = {
	.head = http1_head,
	.interim = http1_interim,
	.body = http1_body,
	.end = http1_finish,
	.read_body = http1_read_body,
	.dirty = http1_dirty,
	.abort = http1_abort,
};
