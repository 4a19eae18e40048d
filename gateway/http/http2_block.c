/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_block.h"

#include <string.h>
#include <strings.h>

#include "gateway/http/http_chars.h"

#define KEEP 4096 /* octets of each buffer between requests */

static const struct {
	const char *name;
	size_t offset;
} pseudo[] = {
	{":method", offsetof(struct http2_block, method)},
	{":path", offsetof(struct http2_block, path)},
	{":scheme", offsetof(struct http2_block, scheme)},
	{":authority", offsetof(struct http2_block, authority)},
	{"host", offsetof(struct http2_block, host)},
	{"cookie", offsetof(struct http2_block, cookie)},
};
#define PSEUDO_N (sizeof(pseudo) / sizeof(*pseudo))

static struct buf *part(struct http2_block *b, size_t i)
{
	return (struct buf *)(void *)((char *)b + pseudo[i].offset);
}

void http2_block_init(struct http2_block *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void http2_block_fini(struct http2_block *b)
{
	buf_fini(&b->text);
	for (size_t i = 0; i < PSEUDO_N; i++)
		buf_fini(part(b, i));
}

static void recycle(struct http2_block *b)
{
	buf_recycle(&b->text, KEEP);
	for (size_t i = 0; i < PSEUDO_N; i++)
		buf_recycle(part(b, i), KEEP);
}

void http2_block_done(struct http2_block *b)
{
	if (b->octets > KEEP / 2) /* buffers grow by doubling */
		recycle(b);
}

void http2_block_begin(struct http2_block *b)
{
	recycle(b);
	b->octets = b->fields = 0;
	b->continuations = 0;
	b->open = true;
	b->started = b->large = b->malformed = false;
}

/* What could end a line early in the form the parser reads. The library lets none through; this is why it may be trusted. */
static bool clean(const char *s, size_t n)
{
	return http_text_ok(s, n);
}

/* The request line, once a field says that no more pseudo fields come. The parser checks its parts. */
static int start(struct http2_block *b)
{
	const struct buf *path = &b->path, *method = &b->method;
	bool connect = buf_unread(method) == 7 && memcmp(buf_head(method), "CONNECT", 7) == 0;
	int err;

	b->started = true;
	if (buf_unread(method) == 0 || memchr(buf_head(method), ' ', buf_unread(method)) != NULL ||
	    (!connect && (buf_unread(path) == 0 || memchr(buf_head(path), ' ', buf_unread(path)) != NULL)))
		b->malformed = true;
	/* RFC 9113 8.3.1: the path of http and https begins with "/", or is "*". */
	if (!connect && !b->malformed && *buf_head(path) != '/' && !(buf_unread(path) == 1 && *buf_head(path) == '*'))
		b->malformed = true;
	if (b->malformed)
		return GW_OK;
	err = buf_append(&b->text, buf_head(method), buf_unread(method));
	if (err == 0)
		err = buf_append(&b->text, " ", 1);
	if (err == 0 && connect)
		err = buf_append(&b->text, "/", 1); /* refused whatever it names */
	else if (err == 0)
		err = buf_append(&b->text, buf_head(path), buf_unread(path));
	return err < 0 ? err : buf_puts(&b->text, " HTTP/1.1\r\n");
}

static int put_line(struct buf *out, const char *name, size_t name_len, const char *value, size_t value_len)
{
	int err = buf_append(out, name, name_len);

	if (err == 0)
		err = buf_append(out, ": ", 2);
	if (err == 0)
		err = buf_append(out, value, value_len);
	return err < 0 ? err : buf_append(out, "\r\n", 2);
}

/* One of the values that are needed by name. A crumb of the cookie is joined to the others (RFC 9113 8.2.3). */
static int put_part(struct http2_block *b, size_t i, const char *value, size_t len)
{
	struct buf *to = part(b, i);
	bool crumb = to == &b->cookie;
	int err = 0;

	if (buf_unread(to) > 0 && !crumb) {
		b->malformed = true; /* twice; an empty one is no better than none */
		return GW_OK;
	}
	if (buf_unread(to) > 0)
		err = buf_append(to, "; ", 2);
	return err < 0 ? err : buf_append(to, value, len);
}

int http2_block_add(struct http2_block *b, const char *name, size_t name_len, const char *value, size_t value_len)
{
	size_t i = 0;

	if (b->octets > b->max)
		b->large = true;
	if (b->large || b->malformed)
		return GW_OK;
	if (!clean(name, name_len) || !clean(value, value_len)) {
		b->malformed = true;
		return GW_OK;
	}
	while (i < PSEUDO_N && !(strlen(pseudo[i].name) == name_len && memcmp(pseudo[i].name, name, name_len) == 0))
		i++;
	if (i < PSEUDO_N)
		return put_part(b, i, value, value_len);
	if (name[0] == ':') {
		b->malformed = true;
		return GW_OK;
	}
	int err = b->started ? GW_OK : start(b);
	return err < 0 || b->malformed ? err : put_line(&b->text, name, name_len, value, value_len);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return buf_unread(a) == buf_unread(b) &&
		strncasecmp((const char *)buf_head(a), (const char *)buf_head(b), buf_unread(a)) == 0;
}

static bool scheme_ok(const struct buf *b)
{
	const char *s = (const char *)buf_head(b);
	size_t n = buf_unread(b);

	return n == 0 || http_equals(s, n, "http") || http_equals(s, n, "https");
}

int http2_block_end(struct http2_block *b)
{
	const struct buf *authority = buf_unread(&b->authority) > 0 ? &b->authority : &b->host;
	int err = GW_OK;

	b->https = http_equals((const char *)buf_head(&b->scheme), buf_unread(&b->scheme), "https");
	if (b->large)
		return GW_OK;
	if (!b->started)
		err = start(b);
	/* RFC 9113 8.3.1: who says two names in one request means to confuse somebody. */
	if (b->malformed || !scheme_ok(&b->scheme) ||
	    (buf_unread(&b->authority) > 0 && buf_unread(&b->host) > 0 && !same(&b->authority, &b->host)))
		return GW_ERR_PROTO;
	if (err == 0 && buf_unread(authority) > 0)
		err = put_line(&b->text, "host", 4, (const char *)buf_head(authority), buf_unread(authority));
	if (err == 0 && buf_unread(&b->cookie) > 0)
		err = put_line(&b->text, "cookie", 6, (const char *)buf_head(&b->cookie), buf_unread(&b->cookie));
	return err < 0 ? err : buf_append(&b->text, "\r\n", 2);
}
