/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/req_body.h"

#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/outq.h"

void req_body_init(struct req_body *b, int64_t length, enum req_body_kind kind, bool expect)
{
	b->chunked = kind == REQ_BODY_CHUNKED;
	b->present = b->chunked || length > 0;
	b->complete = !b->present;
	b->left = b->chunked || length < 0 ? 0 : length;
	b->received = 0;
	b->limit = 0;
	b->expect = expect && b->present;
	b->discard = false;
	b->fd = -1;
	http1_chunked_init(&b->decoder);
}

void req_body_reset(struct req_body *b)
{
	buf_recycle(&b->mem, 4096);
	io_close(&b->fd);
	b->present = b->complete = b->expect = b->discard = false;
	b->received = 0;
}

void req_body_fini(struct req_body *b)
{
	io_close(&b->fd);
	buf_fini(&b->mem);
}

static int store(struct req_body *b, const void *data, size_t n, int spool_dir_fd)
{
	b->received += n;
	if (b->discard)
		return b->received > REQ_BODY_DISCARD_MAX ? -413 : 0;
	if (b->limit > 0 && b->received > (uint64_t)b->limit)
		return -413;
	if (b->fd == -1) {
		if (buf_unread(&b->mem) + n <= REQ_BODY_MEM)
			return buf_append(&b->mem, data, n) < 0 ? -500 : 0;
		b->fd = outq_tmpfile(spool_dir_fd);
		if (b->fd == -1 || io_write_all(b->fd, buf_head(&b->mem), buf_unread(&b->mem)) < 0)
			return -500;
		buf_reset(&b->mem);
	}
	return io_write_all(b->fd, data, n) < 0 ? -500 : 0;
}

static int feed_length(struct req_body *b, struct buf *in, int spool_dir_fd)
{
	size_t n = buf_unread(in);

	if ((uint64_t)n > (uint64_t)b->left)
		n = (size_t)b->left;
	int err = store(b, buf_head(in), n, spool_dir_fd);
	if (err < 0)
		return err;
	buf_consume(in, n);
	b->left -= (int64_t)n;
	b->complete = b->left == 0;
	return 0;
}

static int feed_chunked(struct req_body *b, struct buf *in, int spool_dir_fd)
{
	while (buf_unread(in) > 0 && !b->decoder.done) {
		const char *data;
		size_t n;
		ssize_t used = http1_chunked_decode(&b->decoder, (const char *)buf_head(in), buf_unread(in), &data, &n);
		if (used < 0)
			return (int)used;
		int err = n > 0 ? store(b, data, n, spool_dir_fd) : 0;
		if (err < 0)
			return err;
		buf_consume(in, (size_t)used);
	}
	b->complete = b->decoder.done;
	return 0;
}

int req_body_feed(struct req_body *b, struct buf *in, int spool_dir_fd)
{
	if (b->complete || buf_unread(in) == 0)
		return 0;
	b->expect = false; /* it came without waiting: RFC 9110 10.1.1 lets us skip the 100 */
	return b->chunked ? feed_chunked(b, in, spool_dir_fd) : feed_length(b, in, spool_dir_fd);
}
