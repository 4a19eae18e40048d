/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define SAY_EVERY_MS 10000

void spool_init(struct spool *s, int dir_fd, int64_t max)
{
	s->dir_fd = dir_fd;
	s->max = max;
	atomic_init(&s->used, 0);
	s->files_max = UINT_MAX;
	atomic_init(&s->files, 0);
}

void spool_limit_files(struct spool *s, unsigned n)
{
	s->files_max = n > 2 ? n : 2;
}

void spool_site_init(struct spool_site *site, struct spool *s, int64_t max)
{
	site->spool = s;
	site->max = max;
	atomic_init(&site->used, 0);
	atomic_init(&site->files, 0);
	for (int i = 0; i < SPOOL_USERS; i++)
		atomic_init(&site->said_ms[i], 0);
}

int64_t spool_room(struct spool_site *site)
{
	int64_t own = site->max - atomic_load_explicit(&site->used, memory_order_relaxed);
	int64_t all = site->spool->max - atomic_load_explicit(&site->spool->used, memory_order_relaxed);
	int64_t room = own < all ? own : all;

	return room > 0 ? room : 0;
}

/* Count @n octets more; false, nothing counted, past @max. */
static bool take(_Atomic int64_t *used, int64_t max, int64_t n)
{
	if (n <= max && atomic_fetch_add_explicit(used, n, memory_order_relaxed) <= max - n)
		return true;
	if (n <= max)
		atomic_fetch_sub_explicit(used, n, memory_order_relaxed);
	return false;
}

static bool take_both(struct spool_site *site, int64_t n)
{
	if (!take(&site->used, site->max, n))
		return false;
	if (take(&site->spool->used, site->spool->max, n))
		return true;
	atomic_fetch_sub_explicit(&site->used, n, memory_order_relaxed);
	return false;
}

void spool_file_init(struct spool_file *f)
{
	f->fd = -1;
	f->held = 0;
	f->site = NULL;
}

static bool take_one(_Atomic unsigned *used, unsigned max)
{
	if (atomic_fetch_add_explicit(used, 1, memory_order_relaxed) < max)
		return true;
	atomic_fetch_sub_explicit(used, 1, memory_order_relaxed);
	return false;
}

static void give_one(struct spool_site *site)
{
	atomic_fetch_sub_explicit(&site->files, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&site->spool->files, 1, memory_order_relaxed);
}

/* A connection of HTTP/2 may have a hundred requests, each with a file: they must not take the descriptors of everybody. */
static bool take_file(struct spool_site *site)
{
	unsigned max = site->spool->files_max;

	if (!take_one(&site->files, max - max / 2))
		return false;
	if (take_one(&site->spool->files, max))
		return true;
	atomic_fetch_sub_explicit(&site->files, 1, memory_order_relaxed);
	return false;
}

int spool_file_open(struct spool_file *f, struct spool_site *site)
{
	if (!take_file(site))
		return GW_ERR_FULL;
	f->fd = spool_tmpfile(site->spool->dir_fd);
	if (f->fd == -1) {
		int saved = errno;
		give_one(site);
		errno = saved;
		return GW_ERR_SYS;
	}
	f->site = site;
	f->held = 0;
	return GW_OK;
}

int spool_file_write(struct spool_file *f, const void *data, size_t n, int64_t off)
{
	const char *p = data;
	int64_t more = off + (int64_t)n - f->held;

	if (more > 0) {
		if (!take_both(f->site, more))
			return GW_ERR_FULL;
		f->held += more;
	}
	while (n > 0) {
		ssize_t done = pwrite(f->fd, p, n, off);
		if (done == -1) {
			if (errno == EINTR)
				continue;
			return GW_ERR_SYS;
		}
		p += done;
		n -= (size_t)done;
		off += done;
	}
	return GW_OK;
}

void spool_file_close(struct spool_file *f)
{
	if (f->fd == -1)
		return;
	io_close(&f->fd);
	give_one(f->site);
	atomic_fetch_sub_explicit(&f->site->used, f->held, memory_order_relaxed);
	atomic_fetch_sub_explicit(&f->site->spool->used, f->held, memory_order_relaxed);
	spool_file_init(f);
}

bool spool_is_full(int err)
{
	/* EFBIG: a limit on the size of files, or of the file system's. */
	return err == GW_ERR_FULL || (err == GW_ERR_SYS && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG));
}

bool spool_may_say(struct spool_site *site, enum spool_user user, uint64_t now_ms)
{
	_Atomic uint64_t *said = &site->said_ms[user];
	uint64_t last = atomic_load_explicit(said, memory_order_relaxed);

	return (last == 0 || now_ms - last >= SAY_EVERY_MS) &&
		atomic_compare_exchange_strong_explicit(said, &last, now_ms, memory_order_relaxed, memory_order_relaxed);
}

int spool_tmpfile(int dir_fd)
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
