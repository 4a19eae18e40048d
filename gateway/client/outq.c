/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/outq.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define LOAD_CHUNK 32768          /* octets read at once for a layer that encrypts */
#define SENDFILE_MAX (1024 * 1024) /* octets a call, so that one fast client does not hold the loop */

void outq_init(struct outq *q)
{
	buf_init(&q->mem);
	buf_init(&q->tail);
	spool_file_init(&q->spool);
	q->mem_max = OUTQ_MEM_MAX;
	q->file_fd = -1;
	q->file_off = q->file_left = 0;
	q->borrowed = false;
}

static void drop_file(struct outq *q)
{
	if (q->borrowed || q->spool.fd != -1)
		q->file_fd = -1;
	q->borrowed = false;
	spool_file_close(&q->spool);
	io_close(&q->file_fd);
	q->file_off = q->file_left = 0;
}

void outq_fini(struct outq *q)
{
	buf_fini(&q->mem);
	buf_fini(&q->tail);
	drop_file(q);
}

void outq_reset(struct outq *q, size_t keep)
{
	buf_recycle(&q->mem, keep);
	buf_fini(&q->tail);
	q->mem_max = OUTQ_MEM_MAX;
	drop_file(q);
}

/* A file that is sent goes, and gives its room back; what waited behind it comes next. */
static void settle(struct outq *q)
{
	if (q->file_left > 0)
		return;
	if (q->file_fd != -1)
		drop_file(q);
	if (buf_unread(&q->mem) == 0 && buf_unread(&q->tail) > 0) {
		struct buf empty = q->mem;
		q->mem = q->tail;
		q->tail = empty;
		buf_fini(&q->tail);
	}
}

/* Into the spool. False: it has no room, and nothing was taken. */
static bool spill(struct outq *q, struct spool_site *site, const void *data, size_t n)
{
	if (q->spool.fd == -1) {
		if (q->file_fd != -1 || spool_file_open(&q->spool, site) < 0)
			return false;
		q->file_fd = q->spool.fd;
	}
	if (spool_file_write(&q->spool, data, n, q->file_off + q->file_left) < 0)
		return false;
	q->file_left += (int64_t)n;
	return true;
}

int outq_append(struct outq *q, struct spool_site *site, const void *data, size_t n)
{
	settle(q);
	if (buf_unread(&q->tail) > 0)
		return buf_append(&q->tail, data, n);
	if (q->file_fd == -1 && buf_unread(&q->mem) + n <= q->mem_max)
		return buf_append(&q->mem, data, n);
	return n == 0 || spill(q, site, data, n) ? GW_OK : buf_append(&q->tail, data, n);
}

bool outq_refused(const struct outq *q)
{
	return buf_unread(&q->tail) > 0;
}

bool outq_full(const struct outq *q)
{
	return outq_refused(q) || (q->spool.fd != -1 && q->file_off + q->file_left > OUTQ_SPOOL_MAX);
}

void outq_file(struct outq *q, int fd, int64_t off, int64_t len)
{
	drop_file(q);
	q->file_fd = fd;
	q->file_off = off;
	q->file_left = len;
}

void outq_file_borrow(struct outq *q, int fd, int64_t off, int64_t len)
{
	outq_file(q, fd, off, len);
	q->borrowed = true;
}

int64_t outq_pending(const struct outq *q)
{
	return (int64_t)buf_unread(&q->mem) + q->file_left + (int64_t)buf_unread(&q->tail);
}

int64_t outq_io_result(ssize_t n)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? GW_ERR_CLOSED : GW_ERR_SYS;
}

/* Octets of the file that come next, for layers that cannot send it themselves. Does not move on. */
static ssize_t read_file(const struct outq *q, void *out, size_t size)
{
	ssize_t n;

	if (q->file_left < (int64_t)size)
		size = (size_t)q->file_left;
	do
		n = pread(q->file_fd, out, size, q->file_off);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ENODATA; /* it became shorter than announced */
	return n > 0 ? n : GW_ERR_SYS;
}

ssize_t outq_peek(struct outq *q, void *scratch, size_t size, const void **data)
{
	settle(q);
	if (buf_unread(&q->mem) > 0) {
		*data = buf_head(&q->mem);
		return (ssize_t)buf_unread(&q->mem);
	}
	if (q->file_left == 0)
		return 0;
	*data = scratch;
	return read_file(q, scratch, size);
}

void outq_consume(struct outq *q, size_t n)
{
	if (buf_unread(&q->mem) > 0) {
		buf_consume(&q->mem, n);
	} else {
		q->file_off += (int64_t)n;
		q->file_left -= (int64_t)n;
	}
	settle(q);
}

int outq_load(struct outq *q, size_t n)
{
	settle(q);
	while (buf_unread(&q->mem) < n && q->file_left > 0) {
		size_t want = q->file_left > LOAD_CHUNK ? LOAD_CHUNK : (size_t)q->file_left;
		if (buf_reserve(&q->mem, want) < 0)
			return GW_ERR_NOMEM;
		ssize_t got = read_file(q, q->mem.data + q->mem.len, want);
		if (got < 0)
			return GW_ERR_SYS;
		q->mem.len += (size_t)got;
		q->file_off += got;
		q->file_left -= got;
	}
	settle(q);
	return GW_OK;
}

int64_t outq_flush(struct outq *q, int sock)
{
	int64_t total = 0;

	settle(q);
	if (buf_unread(&q->mem) > 0) {
		/* No MSG_MORE before a file: it costs a packet less, but its pages then straddle segments, at up to three times the work. */
		int64_t n = outq_io_result(send(sock, buf_head(&q->mem), buf_unread(&q->mem), MSG_NOSIGNAL));
		if (n <= 0)
			return n;
		buf_consume(&q->mem, (size_t)n);
		total = n;
	}
	if (buf_unread(&q->mem) == 0 && q->file_left > 0) {
		off_t off = q->file_off;
		size_t want = q->file_left > SENDFILE_MAX ? SENDFILE_MAX : (size_t)q->file_left;
		ssize_t sent = sendfile(sock, q->file_fd, &off, want);
		int64_t n = outq_io_result(sent);
		if (sent == 0) { /* the file became shorter than announced */
			errno = ENODATA;
			return GW_ERR_SYS;
		}
		if (n < 0)
			return n;
		q->file_off += n;
		q->file_left -= n;
		total += n;
	}
	settle(q);
	return total;
}
