/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/io.h"

static pid_t read_pid(const char *path)
{
	char *text;
	size_t len;

	if (io_read_file(path, 64, &text, &len) < 0)
		return 0;
	long pid = strtol(text, NULL, 10);
	free(text);
	return pid > 1 && pid < 1L << 30 ? (pid_t)pid : 0;
}

/* A pid is reused once its process is gone: look at the name too. */
static int is_bulkhead(pid_t pid)
{
	char path[64], name[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	ssize_t n = read(fd, name, sizeof(name) - 1);
	io_close(&fd);
	return n > 0 && strncmp(name, "bulkhead", 8) == 0;
}

pid_t pid_file_read(const char *path)
{
	pid_t pid = read_pid(path);

	/* EPERM: it is there, and another user's. */
	return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) && is_bulkhead(pid) ? pid : 0;
}

int pid_file_write(const char *path)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1)
		return GW_ERR_SYS;
	int err = io_write_all(fd, text, (size_t)n);
	io_close(&fd);
	return err;
}

void pid_file_remove(const char *path)
{
	if (read_pid(path) == getpid())
		unlink(path);
}
