/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gateway/http/conditional.h"
#include "gateway/http/etag.h"
#include "gateway/http/http_date.h"
#include "gateway/http/multirange.h"
#include "gateway/http/status_text.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

#define SMALL_FILE 16384 /* octets: copied and sent with the head in one call; larger ones by sendfile */

/* What is left to send of a multipart answer. */
struct static_send {
	struct multirange parts;
	struct range ranges[RANGES_MAX];
	int at;          /* part whose text comes next */
	bool text_sent;  /* its text is queued, its octets are not */
	char type[256];
};

static void take_field(struct request *r, const char *name, const char **value, size_t *len)
{
	const struct req_field *f = req_fields_find(&r->fields, name);

	*value = f != NULL ? f->value : NULL;
	*len = f != NULL ? f->value_len : 0;
}

static void take_conditions(struct request *r, struct cond_fields *f)
{
	memset(f, 0, sizeof(*f));
	take_field(r, "if-match", &f->if_match, &f->if_match_len);
	take_field(r, "if-none-match", &f->if_none_match, &f->if_none_match_len);
	take_field(r, "if-modified-since", &f->if_modified_since, &f->if_modified_since_len);
	take_field(r, "if-unmodified-since", &f->if_unmodified_since, &f->if_unmodified_since_len);
	take_field(r, "if-range", &f->if_range, &f->if_range_len);
	/* RFC 9110 14.2: Range is only for GET. */
	if (!r->is_head)
		take_field(r, "range", &f->range, &f->range_len);
}

/* Media type with the default charset where it applies. Returns NULL when the type is unknown. */
static const char *media_type(struct request *r, char *out, size_t size)
{
	const struct conf_dir *d = r->route.dir;
	const char *name = strrchr(r->route.filename, '/');
	const char *type = conf_type_for(r->w->front->conf, d, name != NULL ? name + 1 : r->route.filename);

	if (type == NULL)
		return NULL;
	bool text = strcmp(type, "text/html") == 0 || strcmp(type, "text/plain") == 0;
	if (text && d->default_charset != NULL)
		snprintf(out, size, "%s; charset=%s", type, d->default_charset);
	else
		snprintf(out, size, "%s", type);
	return out;
}

/* --- bodies ---------------------------------------------------------------------------------------------------------------- */

static bool read_small(struct request *r, int64_t off, int64_t len)
{
	char data[SMALL_FILE];
	ssize_t n = pread(r->route.fd, data, (size_t)len, off);

	if (n != len) {
		/* The file changed under us after the head was made. */
		r->resp.cut = true;
		return n <= 0 || respond_body(r, data, (size_t)n);
	}
	return respond_body(r, data, (size_t)n);
}

/* Queue a range of the file: copied when small, else by sendfile (the queue gets its own descriptor). */
static bool queue_range(struct request *r, int64_t off, int64_t len)
{
	if (len <= SMALL_FILE)
		return read_small(r, off, len);
	int fd = r->resp.more == NULL ? r->route.fd : dup(r->route.fd);
	if (fd == -1) {
		request_abort(r);
		return false;
	}
	if (fd == r->route.fd)
		r->route.fd = -1;
	outq_file(&r->out, fd, off, len);
	r->resp.length_left -= len;
	r->resp.body_octets += (uint64_t)len;
	return true;
}

/* The next piece of a multipart answer: alternately a part's text and its octets. */
static bool more_parts(struct request *r)
{
	struct static_send *s = r->file;
	char text[MULTIRANGE_TEXT_MAX];

	if (s->text_sent) {
		const struct range *part = &s->ranges[s->at++];
		s->text_sent = false;
		return queue_range(r, (int64_t)part->first, (int64_t)(part->last - part->first + 1));
	}
	if (s->at > s->parts.ranges_n)
		return false;
	size_t n = multirange_text(&s->parts, s->at, text);
	if (s->at == s->parts.ranges_n)
		s->at++;
	else
		s->text_sent = true;
	return respond_body(r, text, n);
}

/* --- heads ------------------------------------------------------------------------------------------------------------------ */

static int put_validators(struct buf *b, const struct stat *st, const char *etag)
{
	char date[HTTP_DATE_LEN + 1];

	http_date_format(st->st_mtim.tv_sec, date);
	return buf_printf(b, "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", date, etag);
}

static int put_type(struct buf *b, const char *type)
{
	return type != NULL ? buf_printf(b, "Content-Type: %s\r\n", type) : 0;
}

static bool send_whole(struct request *r, struct buf *b, int status, const char *type)
{
	int64_t size = r->route.st.st_size;

	if (put_type(b, type) < 0 || !respond_head(r, status, NULL, b, size))
		return false;
	return r->resp.framing == RESP_NO_BODY || size == 0 || queue_range(r, 0, size);
}

static bool send_one(struct request *r, struct buf *b, const char *type, const struct range *part)
{
	char text[72];
	int64_t len = (int64_t)(part->last - part->first + 1);

	multirange_content_range(part, (uint64_t)r->route.st.st_size, text);
	if (put_type(b, type) < 0 || buf_printf(b, "Content-Range: %s\r\n", text) < 0 || !respond_head(r, 206, NULL, b, len))
		return false;
	return queue_range(r, (int64_t)part->first, len);
}

static bool send_parts(struct request *r, struct buf *b, const char *type, const struct range *ranges, int n)
{
	struct static_send *s = malloc(sizeof(*s));
	uint64_t seed;

	r->file = s;
	if (s == NULL || getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return false;
	s->at = 0;
	s->text_sent = false;
	memcpy(s->ranges, ranges, (size_t)n * sizeof(*ranges));
	snprintf(s->type, sizeof(s->type), "%s", type != NULL ? type : "");
	multirange_init(&s->parts, seed, type != NULL ? s->type : NULL, (uint64_t)r->route.st.st_size, s->ranges, n);
	if (buf_printf(b, "Content-Type: multipart/byteranges; boundary=%s\r\n", s->parts.boundary) < 0 ||
	    !respond_head(r, 206, NULL, b, (int64_t)multirange_length(&s->parts)))
		return false;
	r->resp.more = more_parts;
	return true;
}

static bool send_unsatisfiable(struct request *r, struct buf *b)
{
	struct buf page;

	buf_reset(b);
	buf_init(&page);
	bool ok = status_page(&page, 416, NULL) == GW_OK &&
		buf_printf(b, "Content-Range: bytes */%lld\r\nContent-Type: text/html; charset=utf-8\r\n",
			(long long)r->route.st.st_size) == GW_OK &&
		respond_head(r, 416, NULL, b, (int64_t)buf_unread(&page)) &&
		respond_body(r, buf_head(&page), buf_unread(&page));
	buf_fini(&page);
	return ok;
}

/* Queue the answer. False: memory or descriptors ran out on the way. @status: an error status that was not answered here. */
static bool send_file(struct request *r, struct buf *b, int *status)
{
	const struct stat *st = &r->route.st;
	struct range ranges[RANGES_MAX];
	struct cond_fields cond;
	char etag[ETAG_LEN_MAX], type_text[256];
	const char *type = media_type(r, type_text, sizeof(type_text));

	/* An ErrorDocument is not the resource that conditions and ranges are about. */
	if (r->redirected.status != 0)
		return send_whole(r, b, r->redirected.status, type);
	take_conditions(r, &cond);
	etag_format((uint64_t)st->st_size, st->st_mtim, etag);
	*status = cond_check(&cond, etag, st->st_mtim.tv_sec, true);
	if (*status != 0 && *status != 304)
		return true;
	if (put_validators(b, st, etag) < 0)
		return false;
	if (*status == 304) {
		*status = 0;
		return respond_head(r, 304, NULL, b, -1);
	}
	int n = range_parse(&cond, etag, st->st_mtim.tv_sec, (uint64_t)st->st_size, ranges);
	if (n == -416)
		return send_unsatisfiable(r, b);
	if (n == 0)
		return send_whole(r, b, 200, type);
	return n == 1 ? send_one(r, b, type, &ranges[0]) : send_parts(r, b, type, ranges, n);
}

void serve_static(struct request *r)
{
	struct buf b;
	int status = 0;

	if (!respond_unless_read(r))
		return;
	buf_init(&b);
	bool ok = send_file(r, &b, &status);
	buf_fini(&b);
	if (r->dead)
		return;
	if (!ok)
		request_abort(r);
	else if (status != 0)
		respond_status(r, status);
	else
		request_answered(r);
}
