/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/static/file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/static/file_walk.h"

/* Set once openat2 turned out to be unknown to the kernel, or forbidden to this process. */
static atomic_bool no_openat2;

/* A ".." segment: callers normalise, so it is an attack or a mistake. */
static bool climbs(const char *rel)
{
	for (const char *s = rel; (s = strstr(s, "..")) != NULL; s += 2)
		if ((s == rel || s[-1] == '/') && (s[2] == '/' || s[2] == '\0'))
			return true;
	return false;
}

/* -1 with errno; ENOSYS when the call is not to be had. */
static int call_openat2(int dir_fd, const char *path, struct open_how *how)
{
	long fd;

	if (atomic_load_explicit(&no_openat2, memory_order_relaxed)) {
		errno = ENOSYS;
		return -1;
	}
	do
		fd = syscall(SYS_openat2, dir_fd, path, how, sizeof(*how));
	while (fd == -1 && errno == EINTR);
	/* Container runtimes older than the call answer EPERM, which it never gives for flags like these. */
	if (fd == -1 && (errno == ENOSYS || errno == EPERM)) {
		atomic_store_explicit(&no_openat2, true, memory_order_relaxed);
		errno = ENOSYS;
	}
	return (int)fd;
}

/* The usual case in one call: no link on the way. */
static int open_straight(int root_fd, const char *rel, bool path_only)
{
	struct open_how how = {
		.flags = O_CLOEXEC | (path_only ? (uint64_t)O_PATH : (uint64_t)(O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return call_openat2(root_fd, *rel == '\0' ? "." : rel, &how);
}

static int status_for(int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return -404;
	case EACCES:
	case EPERM:
	case ELOOP:
	case EXDEV:
	case ENXIO:  /* a socket, or a device that is not there */
	case ENODEV:
		return -403;
	case ENAMETOOLONG:
		return -414;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN: /* replaced again and again, or under a lease */
		return -503;
	default:
		return -500;
	}
}

static int open_any(int root_fd, const char *rel, enum file_links links, bool path_only, struct stat *st)
{
	if (climbs(rel) || *rel == '/')
		return -403;

	int fd = open_straight(root_fd, rel, path_only);
	if (fd != -1) {
		if (fstat(fd, st) == -1) {
			io_close(&fd);
			return -500;
		}
	} else if (errno == ENOSYS || errno == EAGAIN || (errno == ELOOP && links != FILE_LINKS_NEVER)) {
		fd = file_walk(root_fd, rel, links, path_only, st);
	}
	if (fd == -1)
		return status_for(errno);
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
		io_close(&fd);
		return -403;
	}
	return fd;
}

int file_open(int root_fd, const char *rel, enum file_links links, struct stat *st)
{
	return open_any(root_fd, rel, links, false, st);
}

int file_open_path(int root_fd, const char *rel, enum file_links links, struct stat *st)
{
	return open_any(root_fd, rel, links, true, st);
}

int file_open_dir(const char *path, uid_t trusted)
{
	struct open_how how = {.flags = O_CLOEXEC | O_PATH | O_DIRECTORY, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	int fd = call_openat2(AT_FDCWD, path, &how);

	return fd == -1 && (errno == ENOSYS || errno == EAGAIN || errno == ELOOP) ? file_walk_dir(path, trusted) : fd;
}
