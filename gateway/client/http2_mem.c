/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/http2_mem.h"

#include <malloc.h>
#include <stdlib.h>

#define TELL_MS 60000 /* the log hears of it no more often */

/* --- the library's ---------------------------------------------------------------------------------------------------------- */

static void *count_malloc(size_t size, void *octets)
{
	void *p = malloc(size);

	*(size_t *)octets += malloc_usable_size(p);
	return p;
}

static void *count_calloc(size_t n, size_t size, void *octets)
{
	void *p = calloc(n, size);

	*(size_t *)octets += malloc_usable_size(p);
	return p;
}

static void *count_realloc(void *old, size_t size, void *octets)
{
	size_t had = malloc_usable_size(old);
	void *p = realloc(old, size);

	if (p != NULL)
		*(size_t *)octets += malloc_usable_size(p) - had; /* modulo 2^n: it may shrink */
	return p;
}

static void count_free(void *p, void *octets)
{
	*(size_t *)octets -= malloc_usable_size(p);
	free(p);
}

nghttp2_mem http2_mem_allocator(struct worker *w)
{
	return (nghttp2_mem){.mem_user_data = &w->http2_octets, .malloc = count_malloc, .free = count_free, .calloc = count_calloc,
		.realloc = count_realloc};
}

/* --- ours ------------------------------------------------------------------------------------------------------------------- */

static void recount(struct worker *w, size_t *counted, size_t now)
{
	w->http2_octets += now - *counted;
	*counted = now;
}

static size_t request_octets(const struct request *r)
{
	return sizeof(*r) + arena_octets(&r->arena) + r->body.mem.cap + r->out.mem.cap + r->out.tail.cap + r->resp.fields.cap + r->params.cap +
		r->cgi_out.cap + r->errline.cap;
}

void http2_mem_stream(struct http2_stream *st)
{
	recount(st->h2->c->w, &st->counted, sizeof(*st) + (st->r != NULL ? request_octets(st->r) : 0));
}

void http2_mem_conn(struct http2 *h2)
{
	const struct http2_block *b = &h2->s.block;

	recount(h2->c->w, &h2->counted, sizeof(*h2) + h2->out.cap + b->text.cap + b->cookie.cap + b->method.cap + b->path.cap + b->authority.cap + b->host.cap);
}

void http2_mem_stream_gone(struct http2_stream *st)
{
	recount(st->h2->c->w, &st->counted, 0);
}

void http2_mem_conn_gone(struct http2 *h2)
{
	recount(h2->c->w, &h2->counted, 0);
}

/* --- bounds ----------------------------------------------------------------------------------------------------------------- */

static size_t bound(const struct worker *w)
{
	return (size_t)w->front->conf->http2_memory / w->front->workers_n;
}

bool http2_mem_room(struct http2 *h2)
{
	struct worker *w = h2->c->w;
	uint64_t now = loop_now_ms(w->loop);

	if (w->http2_octets < bound(w) || h2->streams_n == 0)
		return true;
	if (w->told_http2_ms == 0 || now - w->told_http2_ms >= TELL_MS) {
		conn_log(h2->c, LOG_LV_WARN, "HTTP/2 holds %zu octets of memory in this loop, its part of H2MaxMemory: "
			"a connection may have one request at a time until there is less", w->http2_octets);
		w->told_http2_ms = now;
	}
	return false;
}

bool http2_mem_short(const struct worker *w)
{
	return w->http2_octets > bound(w) / 2;
}
