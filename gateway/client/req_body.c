/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/req_body.h"

#include <errno.h>
#include <stddef.h>

void req_body_init(struct req_body *b, int64_t length, enum req_body_kind kind, bool expect)
{
	b->chunked = kind == REQ_BODY_CHUNKED;
	b->present = b->chunked || kind == REQ_BODY_FRAMED || (length > 0 && kind != REQ_BODY_NONE);
	b->complete = !b->present;
	b->left = b->chunked || length < 0 ? 0 : length;
	b->received = 0;
	b->mem_max = REQ_BODY_MEM;
	b->limit = 0;
	b->expect = expect && b->present;
	b->discard = false;
	b->why = NULL;
	spool_file_init(&b->file);
	http1_chunked_init(&b->decoder);
}

void req_body_drop(struct req_body *b)
{
	buf_recycle(&b->mem, 4096);
	spool_file_close(&b->file);
}

void req_body_reset(struct req_body *b)
{
	req_body_drop(b);
	b->present = b->complete = b->expect = b->discard = false;
	b->received = 0;
}

void req_body_fini(struct req_body *b)
{
	spool_file_close(&b->file);
	buf_fini(&b->mem);
}

/* None of it will be used: others have the room while this client is told. */
static int refuse(struct req_body *b, int status, const char *why)
{
	int err = errno;

	req_body_drop(b);
	errno = err;
	b->why = why;
	return -status;
}

int req_body_fits(struct req_body *b, int64_t n, struct spool_site *site)
{
	if (b->limit > 0 && n > b->limit)
		return refuse(b, 413, "the request body is past LimitRequestBody");
	if (n <= (int64_t)b->mem_max || n <= spool_room(site))
		return 0;
	if (n > site->max || n > site->spool->max)
		return refuse(b, 413, "the request body is past SpoolSiteMax or SpoolMax");
	return refuse(b, 503, "no room for the request body: SpoolSiteMax or SpoolMax is reached");
}

/* At the end of the file, which is made for it when there is none yet. */
static int spill(struct req_body *b, const void *data, size_t n, struct spool_site *site)
{
	int err = GW_OK;

	if (b->file.fd == -1) {
		err = spool_file_open(&b->file, site);
		if (err == GW_OK)
			err = spool_file_write(&b->file, buf_head(&b->mem), buf_unread(&b->mem), 0);
		if (err == GW_OK)
			buf_reset(&b->mem);
	}
	if (err == GW_OK)
		err = spool_file_write(&b->file, data, n, b->file.held);
	if (err == GW_OK)
		return 0;
	if (err == GW_ERR_FULL && b->received > (uint64_t)site->max)
		return refuse(b, 413, "the request body is past SpoolSiteMax");
	if (err == GW_ERR_FULL)
		return refuse(b, 503, "no room for the request body: SpoolSiteMax or SpoolMax is reached, or as many bodies wait as descriptors allow");
	if (spool_is_full(err))
		return refuse(b, 503, "no room for the request body: the disk of SpoolPath is full");
	return refuse(b, 500, "the request body cannot be kept in SpoolPath");
}

static int store(struct req_body *b, const void *data, size_t n, struct spool_site *site)
{
	b->received += n;
	if (b->discard)
		return b->received > REQ_BODY_DISCARD_MAX ? -413 : 0;
	if (b->limit > 0 && b->received > (uint64_t)b->limit)
		return refuse(b, 413, "the request body is past LimitRequestBody");
	if (b->file.fd != -1 || buf_unread(&b->mem) + n > b->mem_max)
		return spill(b, data, n, site);
	return buf_append(&b->mem, data, n) < 0 ? refuse(b, 500, "no memory for the request body") : 0;
}

static int feed_length(struct req_body *b, struct buf *in, struct spool_site *site)
{
	size_t n = buf_unread(in);

	if ((uint64_t)n > (uint64_t)b->left)
		n = (size_t)b->left;
	int err = store(b, buf_head(in), n, site);
	if (err < 0)
		return err;
	buf_consume(in, n);
	b->left -= (int64_t)n;
	b->complete = b->left == 0;
	return 0;
}

static int feed_chunked(struct req_body *b, struct buf *in, struct spool_site *site)
{
	while (buf_unread(in) > 0 && !b->decoder.done) {
		const char *data;
		size_t n;
		ssize_t used = http1_chunked_decode(&b->decoder, (const char *)buf_head(in), buf_unread(in), &data, &n);
		if (used < 0)
			return refuse(b, (int)-used, b->decoder.why);
		int err = n > 0 ? store(b, data, n, site) : 0;
		if (err < 0)
			return err;
		buf_consume(in, (size_t)used);
	}
	b->complete = b->decoder.done;
	return 0;
}

int req_body_feed(struct req_body *b, struct buf *in, struct spool_site *site)
{
	if (b->complete || buf_unread(in) == 0)
		return 0;
	b->expect = false; /* it came without waiting: RFC 9110 10.1.1 lets us skip the 100 */
	return b->chunked ? feed_chunked(b, in, site) : feed_length(b, in, site);
}

int req_body_put(struct req_body *b, const void *data, size_t n, struct spool_site *site)
{
	return n > 0 ? store(b, data, n, site) : 0;
}
