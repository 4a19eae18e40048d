/* SPDX-License-Identifier: Apache-2.0 */
/* The few request fields that the server itself acts upon: Host, framing, Connection, Expect. */
#include <arpa/inet.h>
#include <string.h>

#include "gateway/http/http1_internal.h"
#include "gateway/http/http_chars.h"

enum { /* bits of http1_request.seen */
	SEEN_HOST = 1,
	SEEN_LENGTH = 2,
	SEEN_CODING = 4,
	SEEN_CLOSE = 8,
	SEEN_KEEP_ALIVE = 16
};

/* "[" IPv6address "]"; zones and future address forms are not for the wire. Returns its length with brackets, or 0. */
static size_t host_ipv6(const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	const char *close = memchr(s, ']', len);

	if (close == NULL)
		return 0;
	size_t n = (size_t)(close - s) - 1;
	if (n >= sizeof(text) || memchr(s + 1, '\0', n) != NULL)
		return 0;
	memcpy(text, s + 1, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1 ? n + 2 : 0;
}

/*
 * A name or IPv4 address. RFC 3986 would also let escapes and sub-delims through; no name in use has any, and a host
 * ends up in pages and log lines of applications that do not expect quotes in it. Empty labels go the same way: they
 * would climb out of a directory named after the host. Returns its length, or 0.
 */
static size_t host_name(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (http_char(s[n]) & HTTP_CH_HOST)) {
		if (s[n] == '.' && (n == 0 || s[n - 1] == '.'))
			return 0;
		n++;
	}
	return n;
}

bool http1_authority_apply(struct http1_request *r, const char *in, struct http1_str s)
{
	const char *p = in + s.off;
	uint32_t port = 0;

	if (s.len == 0)
		return false;
	size_t host = *p == '[' ? host_ipv6(p, s.len) : host_name(p, s.len);
	if (host == 0)
		return false;
	if (host < s.len) {
		if (p[host] != ':')
			return false;
		/* The port may be empty (RFC 3986 3.2.3); one that is given lies between 1 and 65535. */
		for (size_t i = host + 1; i < s.len; i++) {
			if (!http_is_digit(p[i]))
				return false;
			port = port * 10 + (uint32_t)(p[i] - '0');
			if (port > 65535)
				return false;
		}
		if (port == 0 && s.len > host + 1)
			return false;
	}
	r->authority = s;
	r->host = (struct http1_str){s.off, (uint32_t)(p[host - 1] == '.' ? host - 1 : host)};
	r->port = port;
	return true;
}

/* RFC 9112 3.2: one Host, valid, even where the target's own authority replaces it. */
static int apply_host(struct http1_request *r, const char *in, struct http1_str value, const char **why)
{
	struct http1_str host = r->host, authority = r->authority;
	uint32_t port = r->port;

	if (r->seen & SEEN_HOST)
		return http1_refuse(why, 400, "more than one Host");
	r->seen |= SEEN_HOST;
	if (!http1_authority_apply(r, in, value))
		return http1_refuse(why, 400, "bad Host");
	if (r->absolute_form) {
		r->host = host;
		r->authority = authority;
		r->port = port;
	}
	return 0;
}

/* RFC 9110 8.6; a repeated length is refused even when equal: no honest client sends one. */
static int apply_length(struct http1_request *r, const char *in, struct http1_str value, const char **why)
{
	if (r->seen & SEEN_CODING)
		return http1_refuse(why, 400, "both Content-Length and Transfer-Encoding");
	if (r->seen & SEEN_LENGTH)
		return http1_refuse(why, 400, "more than one Content-Length");
	r->seen |= SEEN_LENGTH;
	r->content_length = http_decimal(in + value.off, value.len);
	return r->content_length >= 0 ? 0 : http1_refuse(why, 400, "bad Content-Length");
}

/* RFC 9112 6.1. "chunked" alone is known; it must be the last coding and stand once, over all field lines. */
static int apply_coding(struct http1_request *r, const char *in, struct http1_str value, const char **why)
{
	const char *s = in + value.off, *elem;
	size_t len = value.len, n;
	bool unknown = false;

	if (r->minor == 0)
		return http1_refuse(why, 400, "Transfer-Encoding in HTTP/1.0");
	if (r->seen & SEEN_LENGTH)
		return http1_refuse(why, 400, "both Content-Length and Transfer-Encoding");
	r->seen |= SEEN_CODING;
	while (http_list_next(&s, &len, &elem, &n)) {
		if (r->chunked)
			return http1_refuse(why, 400, "chunked is not the last transfer coding");
		if (n == 0)
			return http1_refuse(why, 400, "malformed Transfer-Encoding");
		if (http_equals(elem, n, "chunked"))
			r->chunked = true;
		else
			unknown = true;
	}
	return unknown ? http1_refuse(why, 501, "transfer coding not supported") : 0;
}

/* RFC 9112 9.3. Other options name fields that only a proxy would have to drop. */
static int apply_connection(struct http1_request *r, const char *in, struct http1_str value, const char **why)
{
	const char *s = in + value.off, *elem;
	size_t len = value.len, n;

	(void)why;
	while (http_list_next(&s, &len, &elem, &n)) {
		if (http_equals(elem, n, "close"))
			r->seen |= SEEN_CLOSE;
		else if (http_equals(elem, n, "keep-alive"))
			r->seen |= SEEN_KEEP_ALIVE;
	}
	return 0;
}

/* RFC 9110 10.1.1; HTTP/1.0 has no interim answers, so the wish is ignored there. */
static int apply_expect(struct http1_request *r, const char *in, struct http1_str value, const char **why)
{
	if (!http_equals(in + value.off, value.len, "100-continue"))
		return http1_refuse(why, 417, "expectation not supported");
	r->expect_continue = r->minor > 0;
	return 0;
}

static const struct {
	const char *name;
	size_t len;
	int (*apply)(struct http1_request *r, const char *in, struct http1_str value, const char **why);
} known_fields[] = {
	{"host", 4, apply_host},
	{"expect", 6, apply_expect},
	{"connection", 10, apply_connection},
	{"content-length", 14, apply_length},
	{"transfer-encoding", 17, apply_coding},
};

int http1_field_apply(struct http1_request *r, const char *in, const struct http1_field *f, const char **why)
{
	for (size_t i = 0; i < sizeof(known_fields) / sizeof(*known_fields); i++)
		if (known_fields[i].len == f->name.len && http_equals(in + f->name.off, f->name.len, known_fields[i].name))
			return known_fields[i].apply(r, in, f->value, why);
	return 0;
}

int http1_fields_finish(struct http1_request *r, const char **why)
{
	if (r->minor > 0 && !(r->seen & SEEN_HOST))
		return http1_refuse(why, 400, "no Host");
	r->keep_alive = !(r->seen & SEEN_CLOSE) && (r->minor > 0 || (r->seen & SEEN_KEEP_ALIVE));
	if (!r->chunked && r->content_length <= 0)
		r->expect_continue = false; /* nothing to wait for */
	return 0;
}
