/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/respond.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/io.h"
#include "gateway/http/compress.h"
#include "gateway/http/status_text.h"
#include "gateway/answer/respond_coded.h"

#define SERVER_FIELD "Server: Bulkhead\r\n"
#define BUSY_RETRY_S 5 /* Retry-After of 503 */
#define READ_METHODS "GET, HEAD, OPTIONS" /* of what has no code behind it */

static bool status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* The head goes to the protocol: from here on it is known how long the body is, or that nobody knows. */
static bool send_head(struct request *r, int status, const char *reason, int64_t length)
{
	struct response *resp = &r->resp;

	resp->length_left = length;
	resp->framing = r->is_head || !status_has_body(status) ? RESP_NO_BODY : length >= 0 ? RESP_LENGTH : RESP_STREAM;
	return r->io->head(r, reason, length);
}

/* The fields as the configuration changes them, behind those that are in @b. */
static int put_edited(struct request *r, struct buf *b, int status, const struct buf *fields, int64_t *length)
{
	struct buf edited;

	buf_init(&edited);
	int err = respond_edit(r, status, fields, length, &edited);
	if (err == 0 && buf_unread(&edited) > 0)
		err = buf_append(b, buf_head(&edited), buf_unread(&edited));
	buf_fini(&edited);
	return err;
}

bool respond_head(struct request *r, int status, const char *reason, const struct buf *fields, int64_t length)
{
	struct response *resp = &r->resp;
	struct buf *b = &resp->fields;

	resp->status = status;
	resp->head_queued = true;
	if (r->server != NULL && r->server->track_first)
		resp->head_us = io_now_us();
	buf_reset(b);
	int err = buf_append(b, "Date: ", 6);
	if (err == 0)
		err = buf_append(b, worker_date(r->w), HTTP_DATE_LEN);
	if (err == 0)
		err = buf_append(b, "\r\n" SERVER_FIELD, sizeof("\r\n" SERVER_FIELD) - 1);
	if (err == 0 && respond_edits(r))
		err = put_edited(r, b, status, fields, &length);
	else if (err == 0 && fields != NULL)
		err = buf_append(b, buf_head(fields), buf_unread(fields));
	if (err < 0) {
		request_abort(r);
		return false;
	}
	if (resp->coded == NULL || !resp->coded->held)
		return send_head(r, status, reason, length);
	snprintf(resp->coded->reason, sizeof(resp->coded->reason), "%s", reason != NULL ? reason : "");
	return true;
}

static bool plain_body(struct request *r, const void *data, size_t n)
{
	struct response *resp = &r->resp;

	if (resp->framing == RESP_LENGTH) {
		if ((int64_t)n > resp->length_left)
			n = (size_t)resp->length_left;
		resp->length_left -= (int64_t)n;
	}
	if (resp->framing == RESP_NO_BODY || n == 0)
		return true;
	resp->body_octets += n;
	return r->io->body(r, data, n);
}

/* What came out of the compressor, after the head if that has waited for it. @whole: nothing follows. */
static bool send_coded(struct request *r, const struct buf *out, bool whole)
{
	struct coded *k = r->resp.coded;
	bool held = k->held;

	k->held = false;
	if (held && !send_head(r, k->status, k->reason, whole ? (int64_t)buf_unread(out) : -1))
		return false;
	return plain_body(r, buf_head(out), buf_unread(out));
}

static bool coded_body(struct request *r, const void *data, size_t n, enum compress_op op)
{
	struct coded *k = r->resp.coded;
	struct buf out;

	if (k->left >= 0) {
		n = (int64_t)n > k->left ? (size_t)k->left : n;
		k->left -= (int64_t)n;
	}
	if (op == COMPRESS_MORE && k->held && k->left == 0)
		op = COMPRESS_END; /* all of it at once: its length will be known */
	buf_init(&out);
	bool ok = compressor_feed(k->z, data, n, op, &out) == GW_OK;
	if (!ok)
		request_abort(r);
	else
		ok = send_coded(r, &out, op == COMPRESS_END);
	buf_fini(&out);
	if (op == COMPRESS_END)
		respond_coded_free(r);
	return ok;
}

bool respond_body(struct request *r, const void *data, size_t n)
{
	if (r->resp.coded == NULL)
		return plain_body(r, data, n);
	return n == 0 || coded_body(r, data, n, COMPRESS_MORE);
}

bool respond_flush(struct request *r)
{
	return r->resp.coded == NULL || r->resp.coded->held || coded_body(r, "", 0, COMPRESS_FLUSH);
}

/* The compressor's last octets; none when the producer owes some, so that the client can tell. */
static void end_coded(struct request *r)
{
	struct response *resp = &r->resp;

	if (resp->coded->left > 0)
		resp->cut = true;
	coded_body(r, "", 0, resp->cut ? COMPRESS_FLUSH : COMPRESS_END);
	respond_coded_free(r);
}

void respond_end(struct request *r)
{
	struct response *resp = &r->resp;

	if (resp->coded != NULL)
		end_coded(r);
	if (r->dead)
		return;
	if (resp->framing == RESP_LENGTH && resp->length_left > 0)
		resp->cut = true; /* fewer octets than announced */
	r->io->end(r);
}

void respond_whole(struct request *r, int status, const struct buf *fields, const void *body, size_t n)
{
	bool ok = respond_head(r, status, NULL, fields, (int64_t)n) && respond_body(r, body, n);

	if (ok)
		respond_end(r);
	if (r->dead)
		return;
	if (ok)
		request_answered(r);
	else
		request_abort(r);
}

static void send_page(struct request *r, int status, const char *type, const char *text, size_t len, unsigned retry_s)
{
	struct buf fields;
	int err;

	r->resp.built_in = true;
	buf_init(&fields);
	err = buf_printf(&fields, "Content-Type: %s\r\n", type);
	if (err == 0 && (status == 405 || status == 501))
		err = buf_puts(&fields, "Allow: " READ_METHODS "\r\n");
	if (err == 0 && retry_s > 0)
		err = buf_printf(&fields, "Retry-After: %u\r\n", retry_s);
	if (err == 0)
		respond_whole(r, status, &fields, text, len);
	else
		request_abort(r);
	buf_fini(&fields);
}

/* @retry_s: when to come again; 0: nothing is said of it. */
static void page_saying(struct request *r, int status, const char *detail, unsigned retry_s)
{
	struct buf page;

	buf_init(&page);
	if (status_has_body(status) && status_page(&page, status, detail) < 0)
		request_abort(r);
	else
		send_page(r, status, "text/html; charset=utf-8", (const char *)buf_head(&page), buf_unread(&page), retry_s);
	buf_fini(&page);
}

static void built_in_page(struct request *r, int status, unsigned retry_s)
{
	page_saying(r, status, NULL, retry_s);
}

void respond_refusal(struct request *r, int status, const char *sentence)
{
	page_saying(r, status, sentence, 0);
}

void respond_options(struct request *r, const char *methods)
{
	struct buf fields;

	buf_init(&fields);
	if (buf_printf(&fields, "Allow: %s\r\n", methods) == GW_OK && respond_head(r, 200, NULL, &fields, 0))
		request_answered(r);
	else
		request_abort(r);
	buf_fini(&fields);
}

bool respond_unless_read(struct request *r)
{
	if (r->is_head || strcmp(r->method, "GET") == 0)
		return true;
	if (strcmp(r->method, "OPTIONS") == 0)
		respond_options(r, READ_METHODS);
	else
		respond_status(r, 405);
	return false;
}

void respond_bad(struct request *r, int status, const char *protocol)
{
	r->head = r->request_line = r->target = "-";
	r->method = "-";
	r->protocol = protocol;
	r->head_len = 0; /* nobody knows: the octets of whoever had this memory before are not its own */
	clock_gettime(CLOCK_REALTIME, &r->start);
	built_in_page(r, status, 0);
}

void respond_too_many(struct request *r, unsigned retry_s)
{
	built_in_page(r, 429, retry_s);
}

void respond_status(struct request *r, int status)
{
	const struct conf_dir *dir = r->route.dir;
	const struct conf_error_doc *doc = NULL;

	unsigned retry_s = status == 503 ? BUSY_RETRY_S : 0;

	if (dir == NULL && r->server != NULL)
		dir = r->server->dir;
	if (r->redirected.status != 0)
		status = r->redirected.status; /* the error of an ErrorDocument is not what the client asked about */
	else if (dir != NULL)
		doc = conf_error_doc_for(dir, status);
	if (doc == NULL || doc->kind == CONF_ERRDOC_DEFAULT) {
		built_in_page(r, status, retry_s);
	} else if (doc->kind == CONF_ERRDOC_TEXT) {
		send_page(r, status, "text/html; charset=utf-8", doc->value, strlen(doc->value), retry_s);
	} else if (doc->kind == CONF_ERRDOC_URL) {
		respond_redirect(r, 302, doc->value);
	} else if (!request_redirect(r, doc->value, status)) {
		built_in_page(r, status, retry_s);
	}
}

/* Scheme and authority of this request, for a Location that must be absolute. */
static int put_origin(struct request *r, struct buf *b)
{
	const struct conf_server *s = r->server;

	if (r->authority != NULL)
		return buf_printf(b, "%s://%s", conf_scheme(s), r->authority);
	/* A scheme that was named says that somebody before us is spoken to, whose port is not ours. */
	unsigned port = s->port != 0 ? s->port : s->scheme == NULL ? r->conn->local_port : 0;
	if (port == conf_scheme_port(s) || port == 0)
		return buf_printf(b, "%s://%s", conf_scheme(s), s->name);
	return buf_printf(b, "%s://%s:%u", conf_scheme(s), s->name, port);
}

void respond_redirect(struct request *r, int status, const char *location)
{
	struct buf fields, page;
	int err = 0;

	if (location == NULL) {
		respond_status(r, status);
		return;
	}
	r->resp.built_in = true;
	buf_init(&fields);
	buf_init(&page);
	err = buf_puts(&fields, "Location: ");
	if (err == 0 && location[0] == '/')
		err = put_origin(r, &fields);
	if (err == 0)
		err = buf_printf(&fields, "%s\r\nContent-Type: text/html; charset=utf-8\r\n", location);
	if (err == 0)
		err = status_redirect_page(&page, status, location);
	if (err == 0)
		respond_whole(r, status, &fields, buf_head(&page), buf_unread(&page));
	else
		request_abort(r);
	buf_fini(&fields);
	buf_fini(&page);
}
