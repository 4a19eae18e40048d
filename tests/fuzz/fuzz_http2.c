/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/2 connection: octets in, requests out. A head that is handed on is one head in HTTP/1's form and not a line more; the
 * calls for a stream come in order; an answer can always be queued and the session always freed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/http1_parse.h"
#include "gateway/http/http2_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS_MAX 512

struct stream {
	int32_t id; /* 0: free */
	size_t left;
	bool ended;
};

struct world {
	struct http2_session s;
	struct stream streams[STREAMS_MAX];
	uint64_t now_ms;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static ssize_t read_body(nghttp2_session *ng, int32_t id, uint8_t *to, size_t max, uint32_t *flags, nghttp2_data_source *source,
	void *arg)
{
	struct stream *st = source->ptr;
	size_t n = st->left < max ? st->left : max;

	(void)ng;
	(void)arg;
	require(st->id == id);
	memset(to, 'x', n);
	st->left -= n;
	if (st->left == 0)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static void answer(struct world *w, struct stream *st, size_t length)
{
	static uint8_t name[] = ":status", value[] = "200";
	nghttp2_nv nv = {.name = name, .namelen = sizeof(name) - 1, .value = value, .valuelen = sizeof(value) - 1};
	nghttp2_data_provider from = {.source = {.ptr = st}, .read_callback = read_body};

	st->left = length;
	require(nghttp2_submit_response(w->s.ng, st->id, &nv, 1, length > 0 ? &from : NULL) == 0);
}

static void on_head(void *owner, int32_t id, const struct buf *text, bool end)
{
	static const struct http1_limits lim = {.line = 8190, .field = 8190, .fields = 100, .head = 1 << 20};
	static struct http1_request h;
	struct world *w = owner;
	struct stream *st = w->streams;

	if (text != NULL) {
		http1_request_init(&h);
		ssize_t n = http1_parse(&h, &lim, (const char *)buf_head(text), buf_unread(text), NULL);
		require(n != 0 && n <= (ssize_t)buf_unread(text));
		require(n < 0 || (n == (ssize_t)buf_unread(text) && !h.chunked && h.minor == 1));
	}
	while (st->id != 0)
		require(++st < w->streams + STREAMS_MAX);
	*st = (struct stream){.id = id, .ended = end};
	require(nghttp2_session_set_stream_user_data(w->s.ng, id, st) == 0);
	if (end || id % 8 == 1)
		answer(w, st, (size_t)id % 5 * 1000);
}

static void on_data(void *owner, int32_t id, void *user, const uint8_t *data, size_t n)
{
	struct world *w = owner;
	struct stream *st = user;
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + data[i]);
	require(st != NULL && st->id == id && !st->ended);
	if (sum % 3 == 0)
		nghttp2_session_consume_connection(w->s.ng, n);
	else
		nghttp2_session_consume(w->s.ng, id, n);
}

static void on_end(void *owner, int32_t id, void *user)
{
	struct stream *st = user;

	require(st != NULL && st->id == id && !st->ended);
	st->ended = true;
	if (id % 8 != 1)
		answer(owner, st, 100);
}

static void on_sent(void *owner, int32_t id, void *user, size_t octets, bool end)
{
	struct world *w = owner;

	require(octets >= 9 && (user == NULL || ((struct stream *)user)->id == id));
	if (end && id % 16 == 1 && nghttp2_session_get_stream_remote_close(w->s.ng, id) == 0)
		http2_session_reset(&w->s, id, NGHTTP2_NO_ERROR);
}

static void on_closed(void *owner, int32_t id, void *user, uint32_t code)
{
	struct stream *st = user;

	(void)owner;
	(void)code;
	require(st == NULL || st->id == id);
	if (st != NULL)
		st->id = 0;
}

static void on_calm(void *owner, const char *what)
{
	require(((struct world *)owner)->s.calmed && what[0] != '\0');
}

static int64_t widest(void *owner)
{
	struct world *w = owner;
	int64_t most = 0;

	for (struct stream *st = w->streams; st < w->streams + STREAMS_MAX; st++) {
		int64_t window = st->id != 0 ? nghttp2_session_get_stream_remote_window_size(w->s.ng, st->id) : 0;
		most = window > most ? window : most;
	}
	require(most <= INT32_MAX);
	return most;
}

static uint64_t now_ms(void *owner)
{
	return ((struct world *)owner)->now_ms;
}

static const struct http2_session_ops ops = {.head = on_head, .data = on_data, .end = on_end, .sent = on_sent,
	.closed = on_closed, .calm = on_calm, .widest = widest, .now_ms = now_ms};

/* The first octet says how the input is cut, and whether the preface is given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hello[] = HTTP2_PREFACE "\0\0\0\4\0\0\0\0\0";
	static struct world w;
	struct buf out;
	int err = 0;

	if (size < 1 || size > 65536)
		return 0;
	memset(&w, 0, sizeof(w));
	require(http2_session_init(&w.s, &ops, &w, 0, NULL) == 0);
	buf_init(&out);
	size_t step = (data[0] & 0x7fU) * 8 + 1;
	if ((data[0] & 0x80) == 0)
		require(http2_session_recv(&w.s, (const uint8_t *)hello, sizeof(hello) - 1) == 0);
	for (size_t at = 1; at < size && err == 0; at += step) {
		err = http2_session_recv(&w.s, data + at, size - at < step ? size - at : step);
		w.now_ms++;
		require(http2_session_send(&w.s, &out, 65536) == 0);
		buf_reset(&out);
	}
	http2_session_fini(&w.s);
	buf_fini(&out);
	return 0;
}
