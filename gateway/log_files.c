/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"

static int std_stream(const char *path)
{
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	return strcmp(path, "/dev/stdout") == 0 ? STDOUT_FILENO : -1;
}

static int open_log(const char *path, const char **why)
{
	int std = std_stream(path);
	struct stat st;

	if (std != -1)
		return fcntl(std, F_DUPFD_CLOEXEC, 5);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd == -1) {
		*why = errno == ELOOP ? "it is a symbolic link, which is refused for logs" : strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) == -1 || (!S_ISREG(st.st_mode) && strcmp(path, "/dev/null") != 0) || st.st_nlink > 1) {
		*why = "it is not a regular file of its own (a hard link?)";
		io_close(&fd);
	}
	return fd;
}

int log_files_open(const struct conf *c, int **fds)
{
	int *v = calloc(c->log_files_n + 1, sizeof(*v));

	if (v == NULL) {
		log_err("cannot open the logs: out of memory");
		return GW_ERR_NOMEM;
	}
	for (size_t i = 0; i < c->log_files_n; i++) {
		const char *why = "out of descriptors";
		v[i] = open_log(c->log_files[i]->path, &why);
		if (v[i] != -1)
			continue;
		log_line(log_server(), LOG_LV_CRIT, NULL, "cannot open log %s: %s", c->log_files[i]->path, why);
		while (i-- > 0)
			close(v[i]);
		free(v);
		return GW_ERR_SYS;
	}
	*fds = v;
	return GW_OK;
}

void log_files_close(const struct conf *c, int **fds)
{
	for (size_t i = 0; *fds != NULL && i < c->log_files_n; i++)
		close((*fds)[i]);
	free(*fds);
	*fds = NULL;
}
