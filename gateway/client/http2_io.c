/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer is in HTTP/2: a head of names and values, and frames made of the request's queue as the windows allow. */
#include <string.h>

#include "gateway/http/http_chars.h"
#include "gateway/client/http2_conn.h"
#include "gateway/client/outq.h"
#include "gateway/answer/serve.h"

/* RFC 9113 8.2.2: these speak of a connection, which is not the answer's business here. */
static bool of_connection(const char *name, size_t len)
{
	static const char *const names[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && http_equals(name, len, names[i]))
			return true;
	return false;
}

/* The next line from @at on, without its end; false: there is none. */
static bool next_line(const struct buf *fields, size_t *at, const char **line, size_t *len)
{
	if (*at == buf_unread(fields))
		return false;
	const char *p = (const char *)buf_head(fields) + *at;
	const char *end = memchr(p, '\n', buf_unread(fields) - *at);
	if (end == NULL)
		return false;
	*line = p;
	*len = (size_t)(end - p);
	*at += *len + 1;
	if (*len > 0 && p[*len - 1] == '\r')
		--*len;
	return true;
}

/* "Name: value\r\n" as a name in lower case and a value; false: no field for HTTP/2. */
static bool take_line(struct arena *a, const char *line, size_t len, nghttp2_nv *nv)
{
	const char *colon = memchr(line, ':', len), *value;
	char *name;

	if (colon == NULL || of_connection(line, (size_t)(colon - line)))
		return false;
	size_t name_len = (size_t)(colon - line), value_len = len - name_len - 1;
	value = colon + 1;
	http_trim(&value, &value_len);
	name = arena_strndup(a, line, name_len);
	if (name == NULL)
		return false;
	for (size_t i = 0; i < name_len; i++)
		name[i] = http_lower(name[i]);
	*nv = (nghttp2_nv){.name = (uint8_t *)name, .namelen = name_len, .value = (uint8_t *)(uintptr_t)value, .valuelen = value_len};
	return true;
}

/* :status and field lines. @n: their number. NULL when memory is out. */
static nghttp2_nv *make_head(struct request *r, int status, const struct buf *fields, size_t *n)
{
	size_t lines = 0, at = 0, len;
	const char *line;

	while (next_line(fields, &at, &line, &len))
		lines++;
	nghttp2_nv *nv = arena_alloc(&r->arena, (lines + 1) * sizeof(*nv));
	char *text = arena_printf(&r->arena, "%d", status);
	if (nv == NULL || text == NULL)
		return NULL;
	nv[0] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)":status", .namelen = 7, .value = (uint8_t *)text, .valuelen = strlen(text)};
	*n = 1;
	for (at = 0; next_line(fields, &at, &line, &len);)
		if (take_line(&r->arena, line, len, &nv[*n]))
			++*n;
	return nv;
}

/* The next piece of a multipart answer, when the queue is empty. */
static void refill(struct request *r)
{
	if (outq_pending(&r->out) == 0 && r->state == REQUEST_SEND && r->resp.more != NULL && !r->resp.more(r))
		r->resp.more = NULL;
}

static ssize_t take(struct outq *q, uint8_t *to, size_t max)
{
	const void *data;
	ssize_t n = outq_peek(q, to, max, &data);

	if (n <= 0)
		return n;
	if ((size_t)n > max)
		n = (ssize_t)max;
	if (data != to)
		memcpy(to, data, (size_t)n);
	outq_consume(q, (size_t)n);
	return n;
}

static ssize_t read_queue(nghttp2_session *ng, int32_t id, uint8_t *to, size_t max, uint32_t *flags,
	nghttp2_data_source *source, void *arg)
{
	struct http2_stream *st = source->ptr;
	struct request *r = st->r;

	(void)ng;
	(void)id;
	(void)arg;
	if (r == NULL)
		return NGHTTP2_ERR_DEFERRED; /* given up: its RST_STREAM is on the way */
	refill(r);
	if (r->dead)
		return NGHTTP2_ERR_DEFERRED;
	ssize_t n = take(&r->out, to, max);
	if (n < 0) {
		request_log_line(r, LOG_LV_ERROR, "cannot send the answer: %m");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (r->upstream && r->fcgi.paused)
		http2_stream_dirty(st);
	refill(r);
	if (r->dead)
		return n;
	if (r->state == REQUEST_SEND && outq_pending(&r->out) == 0) {
		if (r->resp.cut || (r->resp.framing == RESP_LENGTH && r->resp.length_left > 0))
			return n > 0 ? n : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* RST_STREAM: only that says that it is no end */
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		return n;
	}
	return n > 0 ? n : NGHTTP2_ERR_DEFERRED;
}

static bool give_up(struct request *r)
{
	request_abort(r);
	return false;
}

static bool http2_head(struct request *r, const char *reason, int64_t length)
{
	struct http2_stream *st = r->stream;
	struct response *resp = &r->resp;
	nghttp2_data_provider from = {.source = {.ptr = st}, .read_callback = read_queue};
	size_t n;

	(void)reason; /* RFC 9113 8.3.2: there is none */
	if (length >= 0 && resp->status != 204 && !(resp->status == 304 && length == 0) &&
	    buf_printf(&resp->fields, "Content-Length: %lld\r\n", (long long)length) < 0)
		return give_up(r);
	nghttp2_nv *nv = make_head(r, resp->status, &resp->fields, &n);
	if (nv == NULL)
		return give_up(r);
	bool body = resp->framing != RESP_NO_BODY && length != 0;
	if (nghttp2_submit_response(st->h2->s.ng, st->id, nv, n, body ? &from : NULL) != 0)
		return give_up(r);
	http2_stream_dirty(st);
	return true;
}

static bool http2_interim(struct request *r, int status, const struct buf *fields)
{
	static const struct buf none;
	struct http2_stream *st = r->stream;
	size_t n;

	/* RFC 9113 8.6: what 101 is for does not exist here. */
	if (status == 101)
		return true;
	nghttp2_nv *nv = make_head(r, status, fields != NULL ? fields : &none, &n);
	if (nv == NULL || nghttp2_submit_headers(st->h2->s.ng, NGHTTP2_FLAG_NONE, st->id, NULL, nv, n, NULL) != 0)
		return give_up(r);
	http2_stream_dirty(st);
	return true;
}

static bool http2_body(struct request *r, const void *data, size_t n)
{
	struct http2_stream *st = r->stream;

	if (outq_append(&r->out, request_spool(r), data, n) != GW_OK) {
		request_log_line(r, LOG_LV_ERROR, "no room for the answer: %m");
		return give_up(r);
	}
	http2_stream_dirty(st);
	return true;
}

static void http2_dirty(struct request *r)
{
	if (!r->dead)
		http2_stream_dirty(r->stream);
}

static bool http2_end(struct request *r)
{
	http2_dirty(r);
	return true;
}

static void http2_read_body(struct request *r)
{
	struct http2_stream *st = r->stream;

	st->body_ms = loop_now_ms(r->w->loop);
	if (r->body.expect)
		http2_interim(r, 100, NULL);
	r->body.expect = false;
}

static void http2_abort(struct request *r)
{
	if (!r->dead)
		http2_stream_reset(r->stream, NGHTTP2_INTERNAL_ERROR);
}

const struct request_io http2_io = {
	.head = http2_head,
	.interim = http2_interim,
	.body = http2_body,
	.end = http2_end,
	.read_body = http2_read_body,
	.dirty = http2_dirty,
	.abort = http2_abort,
};
