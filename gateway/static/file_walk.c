/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why this is safe against whoever may write below the root, at any moment:
 *
 * - A component is opened with O_PATH|O_NOFOLLOW from the descriptor of the directory it is in. What is then asked (type,
 *   owner, link text) is asked of that descriptor, never of the name again.
 * - ".." occurs in link texts only. Beneath the root it is not left to the kernel, for which a directory's parent is
 *   wherever it was moved to in the meantime: the names from the root down to the parent are walked anew. Past the root
 *   the walk is outside, for good, and every link that led there is checked by ownership.
 * - A link is judged when its target has been reached, by the owner of the inode held, not of a name.
 * - The object is opened for reading by its name in the directory held, and must be the inode that was checked.
 */
#include "gateway/static/file_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define LINKS_MAX 40
#define STEPS_MAX 4096 /* components opened in one call: bounds what a maze of links can cost */

struct walk {
	int root_fd;          /* borrowed */
	enum file_links links;
	uid_t trusted;        /* whose links are as good as root's */
	unsigned links_n, steps_n;
	bool outside;         /* left the root; never back */
	int fd;               /* the object reached so far; owned; O_PATH */
	struct stat st;       /* of fd */
	int dir_fd;           /* the directory it was found in, or -1; owned; O_PATH */
	char name[NAME_MAX + 1];     /* its name there */
	char path[PATH_MAX];  /* while inside: names from the root to fd, each with a slash before it; no link among them */
	size_t path_len;
};

static int fail(int err)
{
	errno = err;
	return -1;
}

static int step_open(struct walk *w, int dir_fd, const char *name, int flags)
{
	if (++w->steps_n > STEPS_MAX)
		return fail(ELOOP);
	return openat(dir_fd, name, O_PATH | O_CLOEXEC | flags);
}

/* Take @fd over as the object reached, found as @name in what was reached before. Closes @fd when it fails. */
static int arrive(struct walk *w, int fd, const char *name)
{
	struct statfs fs;
	int err = 0;

	if (fstat(fd, &w->st) == -1)
		err = errno;
	/* Nothing of interest to a browser is in a proc file system, and names there mean whatever process asks. */
	else if (w->outside && fstatfs(fd, &fs) == -1)
		err = EACCES;
	else if (w->outside && fs.f_type == PROC_SUPER_MAGIC)
		err = EACCES;
	if (err != 0) {
		io_close(&fd);
		return fail(err);
	}
	io_close(&w->dir_fd);
	if (name == NULL) {
		io_close(&w->fd);
	} else {
		w->dir_fd = w->fd;
		(void)strncpy(w->name, name, sizeof(w->name) - 1);
	}
	w->fd = fd;
	return 0;
}

/* Be at the directory @name (".", "..", "/") as seen from @at; where it is called what is not known. */
static int arrive_at_dir(struct walk *w, int at, const char *name)
{
	int fd = step_open(w, at, name, O_DIRECTORY);

	return fd == -1 ? -1 : arrive(w, fd, NULL);
}

/* ".." of a directory beneath the root: all the way from the root, one name less. */
static int go_up(struct walk *w)
{
	if (!w->outside && w->path_len == 0)
		w->outside = true;
	if (w->outside)
		return arrive_at_dir(w, w->fd, "..");

	while (w->path[--w->path_len] != '/')
		;
	w->path[w->path_len] = '\0';
	if (arrive_at_dir(w, w->root_fd, ".") == -1)
		return -1;
	for (char *name = w->path; *name == '/';) {
		char *next = strchrnul(name + 1, '/'), end = *next;
		*next = '\0';
		int fd = step_open(w, w->fd, name + 1, O_NOFOLLOW | O_DIRECTORY);
		*next = end;
		if (fd == -1)
			return -1;
		if (arrive(w, fd, NULL) == -1)
			return -1;
		name = next;
	}
	return 0;
}

static int go_along(struct walk *w, const char *path);

/* Follow the link @fd (of @st), which is taken over, from the directory reached so far. */
static int follow(struct walk *w, int fd, const struct stat *st)
{
	char text[PATH_MAX];
	bool absolute;
	ssize_t n = -1;

	if (w->links == FILE_LINKS_NEVER || ++w->links_n > LINKS_MAX)
		errno = ELOOP;
	else
		n = readlinkat(fd, "", text, sizeof(text));
	io_close(&fd);
	if (n == -1)
		return -1;
	if ((size_t)n >= sizeof(text))
		return fail(ENAMETOOLONG);
	text[n] = '\0';

	absolute = text[0] == '/';
	if (absolute) {
		w->outside = true;
		if (arrive_at_dir(w, AT_FDCWD, "/") == -1)
			return -1;
	}
	if (go_along(w, text) == -1)
		return -1;
	bool same_owner = w->st.st_uid == st->st_uid;
	if (w->links == FILE_LINKS_FOLLOW)
		return !w->outside || st->st_uid == 0 || st->st_uid == w->trusted || same_owner ? 0 : fail(EACCES);
	return same_owner ? 0 : fail(EACCES);
}

/* One step down, to a name that is neither "." nor "..". */
static int go_down(struct walk *w, const char *name, size_t len)
{
	char component[NAME_MAX + 1];
	struct stat st;

	if (len > NAME_MAX)
		return fail(ENAMETOOLONG);
	memcpy(component, name, len);
	component[len] = '\0';
	int fd = step_open(w, w->fd, component, O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		io_close(&fd);
		return -1;
	}
	if (S_ISLNK(st.st_mode))
		return follow(w, fd, &st);
	if (!w->outside) {
		if (w->path_len + len + 2 > sizeof(w->path)) {
			io_close(&fd);
			return fail(ENAMETOOLONG);
		}
		w->path[w->path_len] = '/';
		memcpy(w->path + w->path_len + 1, component, len + 1);
		w->path_len += len + 1;
	}
	return arrive(w, fd, component);
}

/* Walk @path from the object reached so far; a slash at its end asks for a directory. */
static int go_along(struct walk *w, const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		int rc = 0;

		if (!S_ISDIR(w->st.st_mode))
			return fail(ENOTDIR);
		if (len == 2 && path[0] == '.' && path[1] == '.')
			rc = go_up(w);
		else if (len > 0 && !(len == 1 && path[0] == '.'))
			rc = go_down(w, path, len);
		if (rc == -1)
			return -1;
		path += len;
		if (*path == '/') {
			if (!S_ISDIR(w->st.st_mode))
				return fail(ENOTDIR);
			path++;
		}
	}
	return 0;
}

/* A descriptor for reading of the very object that was reached. */
static int open_for_reading(struct walk *w, struct stat *st)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
	int fd;

	if (S_ISDIR(w->st.st_mode))
		fd = openat(w->fd, ".", flags | O_DIRECTORY);
	else if (S_ISREG(w->st.st_mode) && w->dir_fd != -1)
		fd = openat(w->dir_fd, w->name, flags);
	else
		return fail(EACCES);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1 || st->st_dev != w->st.st_dev || st->st_ino != w->st.st_ino) {
		io_close(&fd);
		return fail(EAGAIN); /* replaced meanwhile */
	}
	return fd;
}

static int walk_once(struct walk *w, const char *rel, bool path_only, struct stat *st)
{
	int fd = -1;

	w->links_n = w->steps_n = 0;
	w->outside = false;
	w->fd = w->dir_fd = -1;
	w->path_len = 0;
	w->path[0] = w->name[sizeof(w->name) - 1] = '\0';
	if (arrive_at_dir(w, w->root_fd, ".") == 0 && go_along(w, rel) == 0) {
		if (path_only) {
			*st = w->st;
			fd = w->fd;
			w->fd = -1;
		} else {
			fd = open_for_reading(w, st);
		}
	}
	io_close(&w->fd);
	io_close(&w->dir_fd);
	return fd;
}

int file_walk(int root_fd, const char *rel, enum file_links links, bool path_only, struct stat *st)
{
	struct walk w;
	int fd = -1;

	w.root_fd = root_fd;
	w.links = links;
	w.trusted = 0;
	/* A file that is replaced while it is opened (an editor's rename) is simply opened again, a few times. */
	for (int attempt = 0; attempt < 4 && fd == -1; attempt++) {
		fd = walk_once(&w, rel, path_only, st);
		if (fd == -1 && errno != EAGAIN && errno != EINTR)
			break;
	}
	return fd;
}

int file_walk_dir(const char *path, uid_t trusted)
{
	/* Outside of any root from the begin: every link is checked by ownership. */
	struct walk w = {.root_fd = -1, .links = FILE_LINKS_FOLLOW, .trusted = trusted, .outside = true, .fd = -1, .dir_fd = -1};
	int fd = -1;

	if (arrive_at_dir(&w, AT_FDCWD, "/") == 0 && go_along(&w, path) == 0) {
		if (S_ISDIR(w.st.st_mode)) {
			fd = w.fd;
			w.fd = -1;
		} else {
			errno = ENOTDIR;
		}
	}
	int saved = errno;
	io_close(&w.fd);
	io_close(&w.dir_fd);
	errno = saved;
	return fd;
}
