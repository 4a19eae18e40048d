/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/io.h"

static int dir = -1;
static bool closed;
static int memory = -1;

#define MEMORY_FD 768 /* above the cgroups of cells */

void sb_proc_set_dir(int dir_fd)
{
	io_close(&dir);
	dir = dir_fd;
}

int sb_proc_settle(void)
{
	if (dir == -1)
		return 0;
	int low = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (low == -1)
		return GW_ERR_SYS;
	if (low < dir) {
		sb_proc_set_dir(low);
	} else {
		io_close(&low);
	}
	return 0;
}

static int open_below(const char *name, int flags)
{
	int at = dir == -1 ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : dir;

	if (at == -1)
		return -1;
	int fd = openat(at, name, flags | O_CLOEXEC);
	if (at != dir)
		io_close(&at);
	return fd;
}

int sb_proc_open(const char *name, int flags)
{
	if (closed) {
		errno = ENOENT;
		return GW_ERR_SYS;
	}
	int fd = open_below(name, flags);
	if (fd != -1)
		return fd;
	if (errno != EACCES || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1)
		return GW_ERR_SYS;
	fd = open_below(name, flags);
	int why = errno;
	/* Fails closed: what is gained is given back when the process cannot be made as it was. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		io_close(&fd);
		return GW_ERR_SYS;
	}
	errno = why;
	return fd == -1 ? GW_ERR_SYS : fd;
}

void sb_proc_keep_memory(void)
{
	int fd = sb_proc_open("self/mem", O_RDWR);

	if (fd < 0)
		return;
	memory = fcntl(fd, F_DUPFD_CLOEXEC, MEMORY_FD);
	io_close(&fd);
}

int sb_proc_take_memory(void)
{
	int fd = memory != -1 ? memory : sb_proc_open("self/mem", O_RDWR);

	memory = -1;
	return fd < 0 ? -1 : fd;
}

FILE *sb_proc_text(const char *name)
{
	int fd = sb_proc_open(name, O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (f == NULL && fd >= 0)
		io_close(&fd);
	return f;
}

DIR *sb_proc_list(const char *name)
{
	int fd = sb_proc_open(name, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL && fd >= 0)
		io_close(&fd);
	return d;
}

void sb_proc_close(void)
{
	io_close(&dir);
	closed = true;
}
