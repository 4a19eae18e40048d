/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gateway/http/accept_encoding.h"
#include "gateway/http/conditional.h"
#include "gateway/http/multirange.h"
#include "gateway/http/status_text.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/respond_coded.h"
#include "gateway/answer/serve.h"

#define CODED_PIECES 4 /* reads of SERVED_FILE_SMALL octets at a time for a body that is compressed */

/* What is left to send of a multipart answer. */
struct static_send {
	struct multirange parts;
	struct range ranges[RANGES_MAX];
	int at;          /* part whose text comes next */
	bool text_sent;  /* its text is queued, its octets are not */
	const struct served_file *file;
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

/* The representation that the client likes best. */
static const struct served_file *choose(struct request *r)
{
	const struct file_entry *e = r->entry;
	struct accept_encoding accept;

	if (e->codings == 0)
		return &e->file;
	accept_encoding_init(&accept);
	for (size_t i = 0; i < r->fields.n; i++)
		if (req_field_is(&r->fields.list[i], "accept-encoding"))
			accept_encoding_add(&accept, r->fields.list[i].value, r->fields.list[i].value_len);
	enum coding best = accept_encoding_choose(&accept, e->codings);
	return best == CODING_IDENTITY ? &e->file : e->coded[best];
}

/* --- bodies ---------------------------------------------------------------------------------------------------------------- */

static bool read_small(struct request *r, const struct served_file *f, int64_t off, int64_t len)
{
	char data[SERVED_FILE_SMALL];
	ssize_t n = pread(f->fd, data, (size_t)len, off);

	/* Fewer: the file changed under us after the head was made. */
	if (n != len)
		r->resp.cut = true;
	return n <= 0 || respond_body(r, data, (size_t)n);
}

/* Queue a range of the file: copied when small, else by sendfile. */
static bool queue_range(struct request *r, const struct served_file *f, int64_t off, int64_t len)
{
	if (f->data != NULL)
		return respond_body(r, f->data + off, (size_t)len);
	if (len <= SERVED_FILE_SMALL)
		return read_small(r, f, off, len);
	/* The request holds its entry until nothing of it is queued. */
	outq_file_borrow(&r->out, f->fd, off, len);
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
		return queue_range(r, s->file, (int64_t)part->first, (int64_t)(part->last - part->first + 1));
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

static ssize_t read_at(const struct served_file *f, void *out, size_t n, int64_t off)
{
	if (f->data == NULL)
		return pread(f->fd, out, n, off);
	memcpy(out, f->data + off, n);
	return (ssize_t)n;
}

/*
 * The next pieces of a body that is compressed: a few at a time, as the client takes them, until something comes out of the
 * compressor.
 */
static bool more_coded(struct request *r)
{
	char data[SERVED_FILE_SMALL];

	for (int i = 0; i < CODED_PIECES && r->resp.coded != NULL; i++) {
		struct coded *k = r->resp.coded;
		size_t want = k->left < (int64_t)sizeof(data) ? (size_t)k->left : sizeof(data);
		ssize_t n = read_at(k->file, data, want, k->file->st.st_size - k->left);
		/* 0: the file became shorter after the head was made, and respond_end() sees octets missing. */
		if (n > 0 && !respond_body(r, data, (size_t)n))
			return false;
		if (n <= 0 || r->resp.coded == NULL || r->resp.coded->left == 0) {
			respond_end(r);
			return !r->dead;
		}
		if (outq_pending(&r->out) > 0)
			return true;
	}
	/* A piece that is none would pass for the end: the compressor gives what it has. */
	return r->resp.coded != NULL && respond_flush(r);
}

/* A body of moderate length in one piece, so that its length is known; a longer one as the client takes it. */
static bool send_coded(struct request *r, const struct served_file *f)
{
	struct coded *k = r->resp.coded;

	k->file = f;
	if (!k->held) {
		r->resp.more = more_coded;
		return true;
	}
	size_t size = (size_t)k->left;
	char *data = malloc(size);
	ssize_t n = data != NULL ? read_at(f, data, size, 0) : -1;
	bool ok = n >= 0 && respond_body(r, data, (size_t)n);
	free(data);
	if (ok)
		respond_end(r);
	return ok && !r->dead;
}

/* --- heads ------------------------------------------------------------------------------------------------------------------ */

/* The first @n octets of the file's lines, to be read only. */
static struct buf lines_of(const struct served_file *f, size_t n)
{
	return (struct buf){.data = (uint8_t *)f->lines, .len = n, .cap = n};
}

static bool send_whole(struct request *r, const struct served_file *f, int status)
{
	const struct buf lines = lines_of(f, f->lines_len);
	int64_t size = f->st.st_size;

	if (!respond_head(r, status, NULL, &lines, size))
		return false;
	if (r->resp.coded != NULL)
		return send_coded(r, f);
	return r->resp.framing == RESP_NO_BODY || size == 0 || queue_range(r, f, 0, size);
}

static bool send_one(struct request *r, struct buf *b, const struct served_file *f, const struct range *range)
{
	char text[72];
	int64_t len = (int64_t)(range->last - range->first + 1);

	multirange_content_range(range, (uint64_t)f->st.st_size, text);
	if (buf_append(b, f->lines, f->lines_len) < 0 || buf_printf(b, "Content-Range: %s\r\n", text) < 0 ||
	    !respond_head(r, 206, NULL, b, len))
		return false;
	return queue_range(r, f, (int64_t)range->first, len);
}

static bool send_parts(struct request *r, struct buf *b, const struct served_file *f, const struct range *ranges, int n)
{
	struct static_send *s = malloc(sizeof(*s));
	uint64_t seed;

	r->file = s;
	if (s == NULL || getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return false;
	s->at = 0;
	s->text_sent = false;
	s->file = f;
	memcpy(s->ranges, ranges, (size_t)n * sizeof(*ranges));
	multirange_init(&s->parts, seed, f->type, (uint64_t)f->st.st_size, s->ranges, n);
	if (buf_append(b, f->lines, f->plain_len) < 0 ||
	    buf_printf(b, "Content-Type: multipart/byteranges; boundary=%s\r\n", s->parts.boundary) < 0 ||
	    !respond_head(r, 206, NULL, b, (int64_t)multirange_length(&s->parts)))
		return false;
	r->resp.more = more_parts;
	return true;
}

static bool send_unsatisfiable(struct request *r, struct buf *b, const struct served_file *f)
{
	struct buf page;

	r->resp.built_in = true;
	buf_init(&page);
	bool ok = status_page(&page, 416, NULL) == GW_OK &&
		buf_printf(b, "Content-Range: bytes */%lld\r\nContent-Type: text/html; charset=utf-8\r\n",
			(long long)f->st.st_size) == GW_OK &&
		respond_head(r, 416, NULL, b, (int64_t)buf_unread(&page)) &&
		respond_body(r, buf_head(&page), buf_unread(&page));
	buf_fini(&page);
	return ok;
}

static bool send_not_modified(struct request *r, const struct served_file *f)
{
	/* Rules by media type need all of them; what is not for a 304 goes again. */
	const struct buf lines = lines_of(f, respond_edits(r) ? f->lines_len : f->validators_len);

	return respond_head(r, 304, NULL, &lines, -1);
}

/*
 * The status that is certain before the file is looked at: an ErrorDocument is not the resource that conditions and ranges
 * are about, nor is what a script sends with a status of its own or to a request that was none for a resource. 0: none.
 */
static int fixed_status(const struct request *r)
{
	if (r->redirected.status != 0)
		return r->redirected.status;
	if (r->sendfile && (r->cgi.status != 200 || (!r->is_head && strcmp(r->method, "GET") != 0)))
		return r->cgi.status;
	return 0;
}

/* Queue the answer. False: memory ran out on the way. @status: an error status that was not answered here. */
static bool send_file(struct request *r, struct buf *b, int *status)
{
	const struct served_file *f = choose(r);
	const char *etag = f->etag[0] != '\0' ? f->etag : NULL;
	time_t mtime = f->st.st_mtim.tv_sec;
	struct range ranges[RANGES_MAX];
	struct cond_fields cond;

	if (fixed_status(r) != 0)
		return send_whole(r, f, fixed_status(r));
	take_conditions(r, &cond);
	*status = cond_check(&cond, etag, mtime, true);
	if (*status == 304) {
		*status = 0;
		return send_not_modified(r, f);
	}
	if (*status != 0)
		return true;
	int n = range_parse(&cond, etag, mtime, (uint64_t)f->st.st_size, ranges);
	if (n == -416)
		return send_unsatisfiable(r, b, f);
	if (n == 0)
		return send_whole(r, f, 200);
	return n == 1 ? send_one(r, b, f, &ranges[0]) : send_parts(r, b, f, ranges, n);
}

void serve_static(struct request *r)
{
	if (respond_unless_read(r))
		serve_static_file(r);
}

void serve_static_file(struct request *r)
{
	struct buf b;
	int status = 0;

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
