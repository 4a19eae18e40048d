/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/outq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define SENDFILE_MAX (1024 * 1024) /* octets a call, so that one fast client does not hold the loop */

void outq_init(struct outq *q)
{
	buf_init(&q->mem);
	q->file_fd = -1;
	q->file_off = q->file_left = 0;
	q->spool = false;
}

static void drop_file(struct outq *q)
{
	if (q->borrowed)
		q->file_fd = -1;
	io_close(&q->file_fd);
	q->file_off = q->file_left = 0;
	q->spool = q->borrowed = false;
}

void outq_fini(struct outq *q)
{
	buf_fini(&q->mem);
	drop_file(q);
}

void outq_reset(struct outq *q, size_t keep)
{
	buf_recycle(&q->mem, keep);
	drop_file(q);
}

int outq_tmpfile(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint64_t random;
	char name[32];

	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	/* A file system without O_TMPFILE: a name nobody can foresee, gone at once. */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -1;
	snprintf(name, sizeof(name), "bulkhead-%016llx", (unsigned long long)random);
	fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1)
		unlinkat(dir_fd, name, 0);
	return fd;
}

static int spool_append(struct outq *q, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = pwrite(q->file_fd, p, n, q->file_off + q->file_left);
		if (done == -1) {
			if (errno == EINTR)
				continue;
			return GW_ERR_SYS;
		}
		q->file_left += done;
		p += done;
		n -= (size_t)done;
	}
	return GW_OK;
}

int outq_append(struct outq *q, int spool_dir_fd, const void *data, size_t n)
{
	if (!q->spool) {
		if (buf_unread(&q->mem) + n <= OUTQ_MEM_MAX && q->file_fd == -1)
			return buf_append(&q->mem, data, n);
		q->file_fd = outq_tmpfile(spool_dir_fd);
		if (q->file_fd == -1)
			return GW_ERR_SYS;
		q->spool = true;
	}
	return spool_append(q, data, n);
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
	return (int64_t)buf_unread(&q->mem) + q->file_left;
}

int64_t outq_io_result(ssize_t n)
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? GW_ERR_CLOSED : GW_ERR_SYS;
}

int64_t outq_flush(struct outq *q, int sock)
{
	int64_t total = 0;

	if (buf_unread(&q->mem) > 0) {
		int more = q->file_left > 0 ? MSG_MORE : 0;
		int64_t n = outq_io_result(send(sock, buf_head(&q->mem), buf_unread(&q->mem), MSG_NOSIGNAL | more));
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
	if (q->file_fd != -1 && q->file_left == 0)
		drop_file(q);
	return total;
}
