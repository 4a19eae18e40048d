/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void io_close(int *fd)
{
	if (*fd == -1)
		return;
	int saved = errno;
	close(*fd);
	errno = saved;
	*fd = -1;
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int io_close_except(int *keep, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	if (n > 0)
		qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		unsigned fd = (unsigned)keep[i];
		if (keep[i] < 0 || fd < from)
			continue;
		if (fd > from && close_range(from, fd - 1, 0) == -1)
			return GW_ERR_SYS;
		from = fd + 1;
	}
	return close_range(from, ~0U, 0) == -1 ? GW_ERR_SYS : GW_OK;
}

static int flag_set(int fd, int get, int set, int flag, int on)
{
	int old = fcntl(fd, get);

	if (old == -1)
		return GW_ERR_SYS;
	int want = on ? old | flag : old & ~flag;
	if (want != old && fcntl(fd, set, want) == -1)
		return GW_ERR_SYS;
	return GW_OK;
}

int io_nonblock(int fd, int on)
{
	return flag_set(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* the same on the architectures that we know */
#endif

void io_no_descriptors(int fd)
{
	int no = 0, saved = errno;

	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
	errno = saved;
}

int io_cloexec(int fd, int on)
{
	return flag_set(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int io_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1 ? GW_ERR_SYS : 0;
}

int io_write_all(int fd, const void *src, size_t n)
{
	const char *p = src;

	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done == -1) {
			if (errno == EINTR)
				continue;
			return GW_ERR_SYS;
		}
		p += done;
		n -= (size_t)done;
	}
	return GW_OK;
}

int io_read_all(int fd, void *dst, size_t n)
{
	char *p = dst;

	while (n > 0) {
		ssize_t got = read(fd, p, n);
		if (got == -1) {
			if (errno == EINTR)
				continue;
			return GW_ERR_SYS;
		}
		if (got == 0)
			return GW_ERR_CLOSED;
		p += got;
		n -= (size_t)got;
	}
	return GW_OK;
}

static int read_open_file(int fd, size_t max, char **out, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return GW_ERR_SYS;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return GW_ERR_SYS;
	}
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return GW_ERR_RANGE;
	char *data = malloc((size_t)st.st_size + 1);
	if (data == NULL)
		return GW_ERR_NOMEM;
	int err = io_read_all(fd, data, (size_t)st.st_size);
	if (err < 0) {
		free(data);
		return err;
	}
	data[st.st_size] = '\0';
	*out = data;
	*len = (size_t)st.st_size;
	return GW_OK;
}

int io_read_file(const char *path, size_t max, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		return GW_ERR_SYS;
	int err = read_open_file(fd, max, out, len);
	io_close(&fd);
	return err;
}

void io_detach(int err_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(err_fd != -1 ? err_fd : null, STDERR_FILENO);
	io_close(&null);
}

uint64_t io_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t io_now_ms(void)
{
	return io_now_us() / 1000;
}
