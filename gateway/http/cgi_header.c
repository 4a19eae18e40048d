/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/cgi_header.h"

#include <string.h>

#include "gateway/http/http_chars.h"

/* What a block has said so far, beside the results. */
struct parse {
	struct cgi_header *h;
	const char *location; /* in the block */
	size_t location_len;
	bool has_status, has_field;
	const char **why;
};

void cgi_header_init(struct cgi_header *h)
{
	*h = (struct cgi_header){.status = 200, .content_length = -1};
	buf_init(&h->fields);
	buf_init(&h->raw);
}

void cgi_header_fini(struct cgi_header *h)
{
	buf_fini(&h->fields);
	buf_fini(&h->raw);
}

static int refuse(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return GW_ERR_PROTO;
}

/* "404 Not Found"; RFC 3875 6.3.3. */
static int apply_status(struct parse *p, const char *s, size_t len)
{
	struct cgi_header *h = p->h;

	if (len < 3 || (len > 3 && s[3] != ' '))
		return refuse(p->why, "bad Status");
	int64_t status = http_decimal(s, 3);
	if (status == 100 || status == 101)
		return refuse(p->why, "status 100 or 101, which is not a script's to say");
	if (status < 100 || status > 599)
		return refuse(p->why, "bad Status");
	if (p->has_status && status != h->status)
		return refuse(p->why, "two different Status fields");
	p->has_status = true;
	h->status = (int)status;
	h->interim = status < 200 ? (int)status : 0;

	const char *reason = s + 3;
	size_t n = len - 3;
	http_trim(&reason, &n);
	if (n >= sizeof(h->reason))
		n = sizeof(h->reason) - 1;
	memcpy(h->reason, reason, n);
	h->reason[n] = '\0';
	return GW_OK;
}

static int apply_length(struct parse *p, const char *s, size_t len)
{
	int64_t n = http_decimal(s, len);

	if (n < 0)
		return refuse(p->why, "bad Content-Length");
	if (p->h->content_length >= 0 && p->h->content_length != n)
		return refuse(p->why, "two different Content-Length fields");
	p->h->content_length = n;
	return GW_OK;
}

/* Held back until it is known whether the block has a Status: a local path without one is no redirect for the client. */
static int apply_location(struct parse *p, const char *s, size_t len)
{
	if (p->location != NULL && (p->location_len != len || memcmp(p->location, s, len) != 0))
		return refuse(p->why, "two different Location fields");
	p->location = s;
	p->location_len = len;
	return GW_OK;
}

enum keep { PASS, HOLD, DROP };

static const struct known {
	const char *name;
	int (*apply)(struct parse *p, const char *value, size_t len);
	enum keep keep;
} known[] = {
	{"status", apply_status, DROP},
	{"location", apply_location, HOLD},
	{"content-length", apply_length, DROP},
	{"date", NULL, DROP},   /* ours, as in Apache: once in every answer */
	{"server", NULL, DROP},
	{"connection", NULL, DROP},
	{"keep-alive", NULL, DROP},
	{"proxy-connection", NULL, DROP},
	{"te", NULL, DROP},
	{"trailer", NULL, DROP},
	{"transfer-encoding", NULL, DROP},
	{"upgrade", NULL, DROP},
};

/* Let a field act. An enum keep, or negative. */
static int apply(struct parse *p, const char *name, size_t name_len, const char *value, size_t len)
{
	const struct known *k = known, *end = known + sizeof(known) / sizeof(*known);

	while (k < end && !http_equals(name, name_len, k->name))
		k++;
	if (k == end)
		return PASS;
	if (k->apply != NULL) {
		int rc = k->apply(p, value, len);
		if (rc < 0)
			return rc;
	}
	return (int)k->keep;
}

static int put_field(struct buf *out, const char *name, size_t name_len, const char *value, size_t len)
{
	if (buf_reserve(out, name_len + len + 4) < 0)
		return GW_ERR_NOMEM;
	int rc = buf_append(out, name, name_len);
	rc |= buf_append(out, ": ", 2);
	rc |= buf_append(out, value, len);
	rc |= buf_append(out, "\r\n", 2);
	return rc == GW_OK ? GW_OK : GW_ERR_NOMEM;
}

static int take_line(struct parse *p, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);

	if (*s == ' ' || *s == '\t')
		return refuse(p->why, "folded header field");
	if (colon == NULL)
		return refuse(p->why, "header line without a colon");
	size_t name_len = (size_t)(colon - s), value_len = len - name_len - 1;
	const char *value = colon + 1;
	if (!http_token_ok(s, name_len))
		return refuse(p->why, "malformed header field name");
	if (!http_text_ok(value, value_len))
		return refuse(p->why, "control octet in a header field");
	http_trim(&value, &value_len);
	p->has_field = true;

	int rc = apply(p, s, name_len, value, value_len);
	if (rc < 0)
		return rc;
	return rc == PASS ? put_field(&p->h->fields, s, name_len, value, value_len) : GW_OK;
}

/* RFC 3875 6.2: a document, a redirect by the client, or a path to serve instead. */
static int finish(struct parse *p)
{
	struct cgi_header *h = p->h;

	if (!p->has_field)
		return refuse(p->why, "empty header block");
	if (h->interim != 0 && ++h->interims_n > CGI_INTERIM_MAX)
		return refuse(p->why, "too many blocks of status 1xx");
	if (p->location == NULL)
		return GW_OK;
	if (p->has_status || p->location_len == 0 || *p->location != '/') {
		if (!p->has_status && p->location_len > 0)
			h->status = 302;
		return put_field(&h->fields, "Location", 8, p->location, p->location_len);
	}
	struct buf path; /* not straight into raw: that is where the location may lie */
	buf_init(&path);
	if (buf_append(&path, p->location, p->location_len) < 0 || buf_append(&path, "", 1) < 0) {
		buf_fini(&path);
		return GW_ERR_NOMEM;
	}
	buf_fini(&h->raw);
	h->raw = path;
	h->local_redirect = (const char *)h->raw.data;
	return GW_OK;
}

static int parse_block(struct cgi_header *h, const char *s, size_t len, const char **why)
{
	struct parse p = {.h = h, .why = why};

	while (len > 0) {
		const char *lf = memchr(s, '\n', len);
		size_t line = lf == NULL ? len : (size_t)(lf - s), used = lf == NULL ? len : line + 1;
		if (line > 0 && s[line - 1] == '\r')
			line--;
		if (line == 0) /* the empty line: nothing follows it in the block */
			break;
		int rc = take_line(&p, s, line);
		if (rc < 0)
			return rc;
		s += used;
		len -= used;
	}
	return finish(&p);
}

/* Octets of @in up to and with the empty line that ends the block, or 0 when it has not come. */
static size_t find_end(struct cgi_header *h, const char *in, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *lf = memchr(in + at, '\n', len - at);
		size_t more = lf == NULL ? len - at : (size_t)(lf - in) - at;
		if (more > 0) {
			h->line_cr = h->line_len == 0 && more == 1 && in[at] == '\r';
			h->line_len += more;
		}
		if (lf == NULL)
			return 0;
		at += more + 1;
		if (h->line_len == 0 || h->line_cr)
			return at;
		h->line_len = 0;
		h->line_cr = false;
	}
	return 0;
}

ssize_t cgi_header_feed(struct cgi_header *h, const uint8_t *in, size_t len, const char **why)
{
	if (h->done || h->interim != 0)
		return 0;
	/* One octet more than the limit is enough to know. */
	size_t held = buf_unread(&h->raw), room = CGI_HEADER_MAX + 1 - held;
	size_t look = len < room ? len : room;
	size_t end = find_end(h, (const char *)in, look), take = end == 0 ? look : end;

	if (held + take > CGI_HEADER_MAX)
		return refuse(why, "header block too long");
	int rc = GW_OK;
	/* The usual block comes in one piece and is read where it lies. */
	if (end == 0 || held > 0)
		rc = buf_append(&h->raw, in, take);
	if (rc == GW_OK && end > 0) {
		const char *block = held > 0 ? (const char *)buf_head(&h->raw) : (const char *)in;
		rc = parse_block(h, block, held + take, why);
		h->done = rc == GW_OK && h->interim == 0;
	}
	return rc < 0 ? rc : (ssize_t)take;
}

void cgi_header_next(struct cgi_header *h)
{
	h->interim = 0;
	h->status = 200;
	h->reason[0] = '\0';
	h->content_length = -1;
	h->line_len = 0;
	h->line_cr = false;
	buf_reset(&h->fields);
	buf_reset(&h->raw);
}

const char *cgi_header_find(const struct cgi_header *h, const char *name, size_t *len)
{
	const char *s = (const char *)buf_head(&h->fields);
	size_t left = buf_unread(&h->fields), n = strlen(name);

	while (left > 0) {
		/* Every line was written above: "Name: value\r\n". */
		const char *lf = memchr(s, '\n', left);
		size_t line = (size_t)(lf - s) + 1;
		if (line > n + 3 && s[n] == ':' && http_equals(s, n, name)) {
			*len = line - n - 4;
			return s + n + 2;
		}
		s += line;
		left -= line;
	}
	return NULL;
}
