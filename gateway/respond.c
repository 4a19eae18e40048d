/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/respond.h"

#include <stdio.h>
#include <string.h>

#include "gateway/http/status_text.h"
#include "gateway/request.h"

#define SERVER_FIELD "Server: Bulkhead\r\n"
#define READ_METHODS "GET, HEAD, OPTIONS" /* of what has no code behind it */

static bool status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static bool queue(struct conn *c, const void *data, size_t n)
{
	if (outq_append(&c->out, c->w->front->spool_fd, data, n) == GW_OK)
		return true;
	conn_log(c, LOG_LV_ERROR, "no room for the answer: %m");
	conn_abort(c);
	return false;
}

static void choose_framing(struct conn *c, int status, int64_t length)
{
	struct response *r = &c->req.resp;

	r->length_left = length;
	if (c->req.is_head || !status_has_body(status))
		r->framing = RESP_NO_BODY;
	else if (length >= 0)
		r->framing = RESP_LENGTH;
	else if (c->req.h.minor >= 1)
		r->framing = RESP_CHUNKED;
	else
		r->framing = RESP_UNTIL_CLOSE;
	if (r->framing == RESP_UNTIL_CLOSE)
		c->closing = true;
}

/* Whether the rest of the request body is worth reading to keep the connection. */
static bool body_blocks_reuse(const struct req_body *b)
{
	return req_body_pending(b) && (b->expect || b->left > REQ_BODY_DISCARD_MAX);
}

static int put_framing(struct conn *c, struct buf *b, int status, int64_t length)
{
	const struct response *r = &c->req.resp;
	int err = 0;

	/* RFC 9110 8.6: no Content-Length in 204; in 304 and to HEAD it describes what GET would have sent. */
	if (length >= 0 && status != 204 && !(status == 304 && length == 0))
		err = buf_printf(b, "Content-Length: %lld\r\n", (long long)length);
	else if (r->framing == RESP_CHUNKED)
		err = buf_puts(b, "Transfer-Encoding: chunked\r\n");
	if (err == 0 && c->closing)
		err = buf_puts(b, "Connection: close\r\n");
	else if (err == 0 && c->req.h.minor == 0)
		err = buf_puts(b, "Connection: keep-alive\r\n");
	return err;
}

bool respond_head(struct conn *c, int status, const char *reason, const struct buf *fields, int64_t length)
{
	struct response *r = &c->req.resp;
	struct buf *b = &r->fields;
	char line[128];

	if (c->w->draining || body_blocks_reuse(&c->req.body))
		c->closing = true;
	r->status = status;
	r->head_queued = true;
	choose_framing(c, status, length);
	if (reason == NULL || reason[0] == '\0')
		reason = status_reason(status);
	int n = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", status, reason);

	buf_reset(b);
	int err = buf_printf(b, "Date: %s\r\n" SERVER_FIELD, worker_date(c->w));
	if (err == 0 && fields != NULL)
		err = buf_append(b, buf_head(fields), buf_unread(fields));
	if (err == 0)
		err = put_framing(c, b, status, length);
	if (err < 0) {
		conn_abort(c);
		return false;
	}
	c->req.out_start = c->octets_out + (uint64_t)outq_pending(&c->out);
	return queue(c, line, (size_t)n) && queue(c, buf_head(b), buf_unread(b)) && queue(c, "\r\n", 2);
}

bool respond_body(struct conn *c, const void *data, size_t n)
{
	struct response *r = &c->req.resp;
	char head[20];

	if (r->framing == RESP_NO_BODY || n == 0)
		return true;
	if (r->framing == RESP_LENGTH) {
		if ((int64_t)n > r->length_left)
			n = (size_t)r->length_left;
		r->length_left -= (int64_t)n;
	}
	r->body_octets += n;
	if (r->framing != RESP_CHUNKED)
		return queue(c, data, n);
	int len = snprintf(head, sizeof(head), "%zx\r\n", n);
	return queue(c, head, (size_t)len) && queue(c, data, n) && queue(c, "\r\n", 2);
}

void respond_end(struct conn *c)
{
	struct response *r = &c->req.resp;

	if (r->framing == RESP_LENGTH && r->length_left > 0)
		r->cut = true; /* fewer octets than announced: only closing tells the client */
	if (r->framing == RESP_CHUNKED && !r->cut)
		queue(c, "0\r\n\r\n", 5);
}

static void send_page(struct conn *c, int status, const char *type, const char *text, size_t len)
{
	struct buf fields;
	int err;

	buf_init(&fields);
	err = buf_printf(&fields, "Content-Type: %s\r\n", type);
	if (err == 0 && (status == 405 || status == 501))
		err = buf_puts(&fields, "Allow: " READ_METHODS "\r\n");
	if (err == 0 && status == 503)
		err = buf_puts(&fields, "Retry-After: 5\r\n");
	if (err == 0 && respond_head(c, status, NULL, &fields, (int64_t)len) && respond_body(c, text, len)) {
		respond_end(c);
		conn_answered(c);
	} else if (!c->dead) {
		conn_abort(c);
	}
	buf_fini(&fields);
}

static void built_in_page(struct conn *c, int status)
{
	struct buf page;

	buf_init(&page);
	if (status_has_body(status) && status_page(&page, status, NULL) < 0)
		conn_abort(c);
	else
		send_page(c, status, "text/html; charset=utf-8", (const char *)buf_head(&page), buf_unread(&page));
	buf_fini(&page);
}

void respond_options(struct conn *c, const char *methods)
{
	struct buf fields;

	buf_init(&fields);
	if (buf_printf(&fields, "Allow: %s\r\n", methods) == GW_OK && respond_head(c, 200, NULL, &fields, 0))
		conn_answered(c);
	else
		conn_abort(c);
	buf_fini(&fields);
}

bool respond_unless_read(struct conn *c)
{
	if (c->req.is_head || strcmp(c->req.method, "GET") == 0)
		return true;
	if (strcmp(c->req.method, "OPTIONS") == 0)
		respond_options(c, READ_METHODS);
	else
		respond_status(c, 405);
	return false;
}

void respond_bad(struct conn *c, int status)
{
	struct request *r = &c->req;

	c->closing = c->lingering = true;
	r->h.minor = 1;
	r->head = r->request_line = r->target = "-";
	r->method = "-";
	r->protocol = "HTTP/1.1";
	clock_gettime(CLOCK_REALTIME, &r->start);
	built_in_page(c, status);
}

void respond_status(struct conn *c, int status)
{
	const struct conf_dir *dir = c->req.route.dir;
	const struct conf_error_doc *doc = NULL;

	if (dir == NULL && c->req.server != NULL)
		dir = c->req.server->dir;
	if (dir != NULL && c->req.redirected.status == 0)
		doc = conf_error_doc_for(dir, status);
	if (doc == NULL || doc->kind == CONF_ERRDOC_DEFAULT) {
		built_in_page(c, status);
	} else if (doc->kind == CONF_ERRDOC_TEXT) {
		send_page(c, status, "text/html; charset=utf-8", doc->value, strlen(doc->value));
	} else if (doc->kind == CONF_ERRDOC_URL) {
		respond_redirect(c, 302, doc->value);
	} else if (!request_redirect(c, doc->value, status)) {
		built_in_page(c, status);
	}
}

/* Scheme and authority of this request, for a Location that must be absolute. */
static int put_origin(struct conn *c, struct buf *b)
{
	const struct conf_server *s = c->req.server;

	if (c->req.authority != NULL)
		return buf_printf(b, "%s://%s", conf_scheme(s), c->req.authority);
	/* A scheme that was named says that somebody before us is spoken to, whose port is not ours. */
	unsigned port = s->port != 0 ? s->port : s->scheme == NULL ? c->local_port : 0;
	if (port == conf_scheme_port(s) || port == 0)
		return buf_printf(b, "%s://%s", conf_scheme(s), s->name);
	return buf_printf(b, "%s://%s:%u", conf_scheme(s), s->name, port);
}

void respond_redirect(struct conn *c, int status, const char *location)
{
	struct buf fields, page;
	int err = 0;

	if (location == NULL) {
		respond_status(c, status);
		return;
	}
	buf_init(&fields);
	buf_init(&page);
	err = buf_puts(&fields, "Location: ");
	if (err == 0 && location[0] == '/')
		err = put_origin(c, &fields);
	if (err == 0)
		err = buf_printf(&fields, "%s\r\nContent-Type: text/html; charset=utf-8\r\n", location);
	if (err == 0)
		err = status_redirect_page(&page, status, location);
	if (err == 0 && respond_head(c, status, NULL, &fields, (int64_t)buf_unread(&page)) &&
	    respond_body(c, buf_head(&page), buf_unread(&page))) {
		respond_end(c);
		conn_answered(c);
	} else if (!c->dead) {
		conn_abort(c);
	}
	buf_fini(&fields);
	buf_fini(&page);
}
