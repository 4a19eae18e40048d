/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head is taken line by line: a line is looked at only when its end has been seen (or its limit passed), so that the
 * verdict on a head cannot depend on where the network split it. What a field means is in http1_fields.c.
 */
#include "gateway/http/http1_parse.h"

#include <string.h>

#include "gateway/http/http1_internal.h"
#include "gateway/http/http_chars.h"

enum {
	STATE_START,       /* before the request line */
	STATE_START_BLANK, /* the same, one empty line was skipped */
	STATE_FIELDS,
	STATE_DONE
};

void http1_request_init(struct http1_request *r)
{
	/* The field table is large and only its first fields_n entries are ever read: leave it alone. */
	memset(r, 0, offsetof(struct http1_request, fields));
	memset(&r->content_length, 0, sizeof(*r) - offsetof(struct http1_request, content_length));
	r->content_length = -1;
}

/* RFC 9112 2.3. The octets behind the second SP. */
static int parse_version(struct http1_request *r, const char *s, size_t len, const char **why)
{
	if (len != 8 || memcmp(s, "HTTP/", 5) != 0 || !http_is_digit(s[5]) || s[6] != '.' || !http_is_digit(s[7]))
		return http1_refuse(why, 400, "malformed HTTP version");
	if (s[5] != '1')
		return http1_refuse(why, 505, "HTTP version not supported");
	r->minor = s[7] == '0' ? 0 : 1;
	return 0;
}

/* RFC 9112 3.2.2: "http://authority/path". A missing path is "/": there is one to point at, in the scheme. */
static int parse_absolute(struct http1_request *r, const char *in, const char **why)
{
	const char *s = in + r->target.off;
	size_t len = r->target.len, scheme;

	if (len >= 7 && http_equals(s, 7, "http://"))
		scheme = 7;
	else if (len >= 8 && http_equals(s, 8, "https://"))
		scheme = 8;
	else
		return http1_refuse(why, 400, "request target in no known form");

	size_t end = scheme;
	while (end < len && s[end] != '/' && s[end] != '?')
		end++;
	struct http1_str authority = {r->target.off + (uint32_t)scheme, (uint32_t)(end - scheme)};
	if (!http1_authority_apply(r, in, authority))
		return http1_refuse(why, 400, "bad authority in the request target");
	r->absolute_form = true;
	r->https = scheme == 8;

	const char *mark = end < len ? memchr(s + end, '?', len - end) : NULL;
	size_t path_end = mark == NULL ? len : (size_t)(mark - s);
	if (path_end > end)
		r->path = (struct http1_str){r->target.off + (uint32_t)end, (uint32_t)(path_end - end)};
	else
		r->path = (struct http1_str){r->target.off + (uint32_t)scheme - 1, 1};
	return 0;
}

static int parse_target(struct http1_request *r, const char *in, const char **why)
{
	const char *s = in + r->target.off;
	uint32_t len = r->target.len;
	bool options = r->method.len == 7 && memcmp(in + r->method.off, "OPTIONS", 7) == 0;

	const char *mark = memchr(s, '?', len);
	if (mark != NULL) {
		uint32_t before = (uint32_t)(mark - s);
		r->has_query = true;
		r->query = (struct http1_str){r->target.off + before + 1, len - before - 1};
	}
	if (*s == '/') {
		r->path = (struct http1_str){r->target.off, mark == NULL ? len : (uint32_t)(mark - s)};
		return 0;
	}
	if (len == 1 && *s == '*') {
		r->path = r->target;
		return options ? 0 : http1_refuse(why, 400, "request target * with another method than OPTIONS");
	}
	return parse_absolute(r, in, why);
}

/* method SP request-target SP HTTP-version; RFC 9112 3. */
static int parse_request_line(struct http1_request *r, const char *in, size_t off, size_t len, const char **why)
{
	const char *p = in + off, *end = p + len, *start = p;

	while (p < end && (http_char(*p) & HTTP_CH_TOKEN))
		p++;
	if (p == start || p == end || *p != ' ')
		return http1_refuse(why, 400, "malformed method");
	r->method = (struct http1_str){(uint32_t)off, (uint32_t)(p - start)};

	start = ++p;
	while (p < end && (http_char(*p) & HTTP_CH_TARGET))
		p++;
	if (p == start || p == end || *p != ' ')
		return http1_refuse(why, 400, p == end ? "request line without an HTTP version" : "malformed request target");
	r->target = (struct http1_str){(uint32_t)(start - in), (uint32_t)(p - start)};
	p++;

	int rc = parse_version(r, p, (size_t)(end - p), why);
	if (rc < 0)
		return rc;
	/* A tunnel is no job of an origin server, and an echoed request would show cookies to a script in a page. */
	if ((r->method.len == 7 && memcmp(in + off, "CONNECT", 7) == 0) ||
	    (r->method.len == 5 && memcmp(in + off, "TRACE", 5) == 0))
		return http1_refuse(why, 405, "CONNECT and TRACE are refused");
	return parse_target(r, in, why);
}

/* field-name ":" OWS field-value OWS; RFC 9112 5. */
static int parse_field_line(struct http1_request *r, const struct http1_limits *lim, const char *in, size_t off, size_t len,
	const char **why)
{
	size_t max = http1_fields_most(lim->fields);
	const char *start = in + off, *p = start, *end = p + len;

	if (r->fields_n >= max)
		return http1_refuse(why, 431, "more header fields than LimitRequestFields");
	while (p < end && (http_char(*p) & HTTP_CH_TOKEN))
		p++;
	if (p == end)
		return http1_refuse(why, 400, "header field without a colon");
	if (*p != ':' || p == start) {
		if (*p == ' ' || *p == '\t')
			return http1_refuse(why, 400, p == start ? "folded header field" : "blank in a header field name");
		return http1_refuse(why, 400, "malformed header field name");
	}
	struct http1_str name = {(uint32_t)off, (uint32_t)(p - start)};

	const char *value = p + 1;
	size_t value_len = (size_t)(end - value);
	if (!http_text_ok(value, value_len))
		return http1_refuse(why, 400, "control octet in a header field");
	http_trim(&value, &value_len);

	struct http1_field *f = &r->fields[r->fields_n++];
	f->name = name;
	f->value = (struct http1_str){(uint32_t)(value - in), (uint32_t)value_len};
	return http1_field_apply(r, in, f, why);
}

/* One line of @len octets, its CRLF not among them. Negative on error. */
static int take_line(struct http1_request *r, const struct http1_limits *lim, const char *in, size_t len, const char **why)
{
	int rc;

	if (r->state == STATE_FIELDS) {
		if (len > 0)
			return parse_field_line(r, lim, in, r->line_start, len, why);
		rc = http1_fields_finish(r, why);
		if (rc == 0)
			r->state = STATE_DONE;
		return rc;
	}
	if (len == 0) {
		/* RFC 9112 2.2: an empty line left behind by an old client's previous request. */
		if (r->state == STATE_START_BLANK)
			return http1_refuse(why, 400, "empty lines before the request line");
		r->state = STATE_START_BLANK;
		return 0;
	}
	rc = parse_request_line(r, in, r->line_start, len, why);
	if (rc == 0)
		r->state = STATE_FIELDS;
	return rc;
}

/* The limit that the line at line_start runs into first, and what to answer then. */
static size_t line_limit(const struct http1_request *r, const struct http1_limits *lim, int *status, const char **text)
{
	bool first = r->state != STATE_FIELDS;
	size_t head = lim->head < UINT32_MAX / 2 ? lim->head : UINT32_MAX / 2; /* offsets are 32 bits wide */
	size_t left = head > r->line_start ? head - r->line_start : 0;
	size_t max = first ? lim->line : lim->field;

	if (max <= left) {
		*status = first ? 414 : 431;
		*text = first ? "request line longer than LimitRequestLine" : "header field longer than LimitRequestFieldSize";
		return max;
	}
	*status = 431;
	*text = "request head larger than LimitRequestHead";
	return left;
}

static ssize_t fail(struct http1_request *r, int rc)
{
	r->state = rc;
	return rc;
}

ssize_t http1_parse(struct http1_request *r, const struct http1_limits *lim, const char *in, size_t len, const char **why)
{
	if (r->state < 0)
		return r->state;
	while (r->state != STATE_DONE) {
		size_t start = r->line_start;
		/* Something that is no HTTP (a TLS hello, say) is told so at its first octet, not when its time runs out. */
		if (r->state != STATE_FIELDS && start < len && in[start] != '\r' && !(http_char(in[start]) & HTTP_CH_TOKEN))
			return fail(r, http1_refuse(why, 400, "malformed method"));

		const char *lf = r->scanned < len ? memchr(in + r->scanned, '\n', len - r->scanned) : NULL;
		size_t end = lf == NULL ? len : (size_t)(lf - in);
		bool cr = end > start && in[end - 1] == '\r';
		size_t line = end - start - (cr ? 1 : 0);
		int status;
		const char *text;

		if (line > line_limit(r, lim, &status, &text))
			return fail(r, http1_refuse(why, status, text));
		if (lf == NULL) {
			r->scanned = len;
			return 0;
		}
		if (end >= lim->head) /* the line's end counts, too */
			return fail(r, http1_refuse(why, 431, "request head larger than LimitRequestHead"));
		if (!cr)
			return fail(r, http1_refuse(why, 400, "line ends in a bare LF"));
		int rc = take_line(r, lim, in, line, why);
		if (rc < 0)
			return fail(r, rc);
		r->line_start = r->scanned = end + 1;
	}
	return (ssize_t)r->line_start;
}

const struct http1_field *http1_field_find(const struct http1_request *r, const char *in, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < r->fields_n; i++) {
		const struct http1_field *f = &r->fields[i];
		if (f->name.len == len && http_equals(in + f->name.off, len, name))
			return f;
	}
	return NULL;
}
