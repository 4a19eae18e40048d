/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_newmount.h"

#define LINKS_MAX 40 /* as the kernel's own limit */
/* Where the new root is mounted while it is made: a directory that every system has and no site is shown. */
#define WORKSHOP "/proc"

int sb_root_cut_off(void)
{
	if (unshare(CLONE_NEWNS) == -1)
		return GW_ERR_SYS;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ? GW_ERR_SYS : 0;
}

int sb_root_init(struct sb_root *r, bool attach, bool trust_links)
{
	memset(r, 0, sizeof(*r));
	r->attach = attach;
	r->trust_links = trust_links;
	r->top = -1;
	r->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->host == -1)
		return GW_ERR_SYS;
	if (!attach)
		return 0;
	r->top = sb_newmount("tmpfs", (const char *const[]){"mode", "755", "size", "1m", NULL}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (r->top == -1)
		return GW_ERR_SYS;
	return sb_move_mount(r->top, AT_FDCWD, WORKSHOP) == -1 ? GW_ERR_SYS : 0;
}

void sb_root_fini(struct sb_root *r)
{
	for (size_t i = 0; i < r->n; i++) {
		io_close(&r->shown[i].fd);
		free(r->shown[i].path);
	}
	r->n = 0;
	io_close(&r->host);
	io_close(&r->top);
}

/* --- walking --------------------------------------------------------------------------------------------------------- */

/* Two hands: one on the host's path, one on the same path in the new root (-1 without one). */
struct walk {
	struct sb_root *r;
	int src, dst;
	char todo[PATH_MAX];
	unsigned links;
};

static int to_top(struct walk *w)
{
	io_close(&w->src);
	io_close(&w->dst);
	w->src = fcntl(w->r->host, F_DUPFD_CLOEXEC, 0);
	if (w->src == -1)
		return GW_ERR_SYS;
	w->r->at[0] = '\0';
	if (w->r->attach)
		w->dst = fcntl(w->r->top, F_DUPFD_CLOEXEC, 0);
	return w->r->attach && w->dst == -1 ? GW_ERR_SYS : 0;
}

static int step_up(struct walk *w)
{
	int src = openat(w->src, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dst = w->dst == -1 ? -1 : openat(w->dst, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash = strrchr(w->r->at, '/');

	if (slash == NULL) { /* "/..": on the host the same directory, but the new root lies below another one */
		io_close(&src);
		io_close(&dst);
		return 0;
	}
	io_close(&w->src);
	io_close(&w->dst);
	w->src = src;
	w->dst = dst;
	*slash = '\0';
	return src == -1 || (w->r->attach && dst == -1) ? GW_ERR_SYS : 0;
}

/* The mount point in the new root; below something shown already it is there, and cannot be made. */
static int make_point(int dst, const char *name, bool is_dir)
{
	int err = is_dir ? mkdirat(dst, name, 0755) : mknodat(dst, name, S_IFREG | 0444, 0);

	if (err == -1 && errno != EEXIST && errno != EROFS)
		return -1;
	return openat(dst, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static int step_down(struct walk *w, const char *name, int src, bool is_dir)
{
	size_t len = strlen(w->r->at);

	if (len + strlen(name) + 2 > sizeof(w->r->at)) {
		io_close(&src);
		return GW_ERR_RANGE;
	}
	io_close(&w->src);
	w->src = src;
	if (w->dst != -1) {
		int dst = make_point(w->dst, name, is_dir);
		io_close(&w->dst);
		w->dst = dst;
		if (dst == -1)
			return GW_ERR_SYS;
	}
	w->r->at[len] = '/';
	memcpy(w->r->at + len + 1, name, strlen(name) + 1);
	return 0;
}

/* A link: made in the new root as well, and what it says is walked next. */
static int follow(struct walk *w, const char *name, int link, const struct stat *st)
{
	char target[PATH_MAX], rest[PATH_MAX];

	if (!w->r->trust_links && st->st_uid != 0)
		return GW_ERR_DENIED;
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	if (n <= 0 || ++w->links > LINKS_MAX) {
		errno = n == -1 ? errno : ELOOP;
		return GW_ERR_SYS;
	}
	target[n] = '\0';
	if (w->dst != -1 && symlinkat(target, w->dst, name) == -1 && errno != EEXIST && errno != EROFS)
		return GW_ERR_SYS;
	memcpy(rest, w->todo, strlen(w->todo) + 1);
	if ((size_t)snprintf(w->todo, sizeof(w->todo), "%s/%s", target, rest) >= sizeof(w->todo))
		return GW_ERR_RANGE;
	return target[0] == '/' ? to_top(w) : 0;
}

/* The first component of what is left, taken off; "" at the end. */
static void next_name(struct walk *w, char *name)
{
	char *at = w->todo + strspn(w->todo, "/");
	size_t len = strcspn(at, "/");

	memcpy(name, at, len);
	name[len] = '\0';
	memmove(w->todo, at + len, strlen(at + len) + 1);
}

static int walk_one(struct walk *w, const char *name)
{
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return step_up(w);
	int fd = openat(w->src, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? GW_ERR_NOTFOUND : GW_ERR_SYS;
	if (fstat(fd, &st) == -1) {
		io_close(&fd);
		return GW_ERR_SYS;
	}
	if (S_ISLNK(st.st_mode)) {
		int err = follow(w, name, fd, &st);
		io_close(&fd);
		return err;
	}
	return step_down(w, name, fd, S_ISDIR(st.st_mode));
}

/* Whether @path is in something shown with at least these rights. */
static bool is_covered(const struct sb_root *r, const char *path, unsigned flags)
{
	const struct sb_shown *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < r->n; i++) {
		size_t len = strlen(r->shown[i].path);
		if (strncmp(path, r->shown[i].path, len) == 0 && (path[len] == '/' || path[len] == '\0') && len >= best_len) {
			best = &r->shown[i];
			best_len = len;
		}
	}
	if (best == NULL || (best->flags & SB_SHOW_OWN) != 0)
		return false;
	/* Of two on one directory the first counts: none is shown twice. */
	if ((flags & SB_SHOW_EXACT) != 0 && path[best_len] != '\0')
		return false;
	return (flags & SB_SHOW_WRITE & ~best->flags) == 0;
}

static int record(struct sb_root *r, int fd, unsigned flags, bool is_dir)
{
	char *path = strdup(r->at);

	if (path == NULL || r->n == SB_SHOWN_MAX) {
		free(path);
		io_close(&fd);
		return path == NULL ? GW_ERR_NOMEM : GW_ERR_RANGE;
	}
	r->shown[r->n++] = (struct sb_shown){.path = path, .fd = fd, .flags = flags, .is_dir = is_dir};
	return 0;
}

static uint64_t attributes(unsigned flags)
{
	return (uint64_t)MOUNT_ATTR_NOSUID | ((flags & SB_SHOW_DEV) != 0 ? 0 : (uint64_t)MOUNT_ATTR_NODEV) |
	       ((flags & SB_SHOW_EXEC) != 0 ? 0 : (uint64_t)MOUNT_ATTR_NOEXEC) |
	       ((flags & (SB_SHOW_WRITE | SB_SHOW_DEV)) != 0 ? 0 : (uint64_t)MOUNT_ATTR_RDONLY);
}

/* Attach what w->src is on at w->dst; without a new root only note it. */
static int show_here(struct walk *w, unsigned flags)
{
	struct stat st;

	if (fstat(w->src, &st) == -1)
		return GW_ERR_SYS;
	if (!w->r->attach) {
		int fd = w->src;
		w->src = -1;
		return record(w->r, fd, flags, S_ISDIR(st.st_mode));
	}
	int tree = sb_clone_tree(w->src, attributes(flags));
	if (tree == -1)
		return GW_ERR_SYS;
	if (sb_move_mount(tree, w->dst, "") == -1) {
		io_close(&tree);
		return GW_ERR_SYS;
	}
	return record(w->r, tree, flags, S_ISDIR(st.st_mode));
}

static int begin(struct walk *w, struct sb_root *r, const char *path)
{
	*w = (struct walk){.r = r, .src = -1, .dst = -1};
	if (strlen(path) >= sizeof(w->todo))
		return GW_ERR_RANGE;
	memcpy(w->todo, path, strlen(path) + 1);
	return to_top(w);
}

static void end(struct walk *w)
{
	int saved = errno;

	io_close(&w->src);
	io_close(&w->dst);
	errno = saved;
}

int sb_root_show(struct sb_root *r, const char *path, unsigned flags)
{
	struct walk w;
	char name[PATH_MAX];
	int err = begin(&w, r, path);

	/* What lies in something shown is seen with it: whatever links there are on the rest of the way stay inside. */
	while (err == 0 && !is_covered(r, r->at, flags)) {
		next_name(&w, name);
		if (name[0] != '\0') {
			err = walk_one(&w, name);
			continue;
		}
		err = r->at[0] == '\0' ? GW_ERR_RANGE : show_here(&w, flags); /* never the whole file system */
		break;
	}
	end(&w);
	return err;
}

/* --- what the host does not have ------------------------------------------------------------------------------------- */

/* A hand on @path in the new root alone, made as far as it is missing. Returns a descriptor or -1. */
static int point_at(struct sb_root *r, const char *path)
{
	struct walk w;
	char name[PATH_MAX];

	if (begin(&w, r, path) != 0)
		return -1;
	for (next_name(&w, name); name[0] != '\0'; next_name(&w, name)) {
		int dst = make_point(w.dst, name, true);
		io_close(&w.dst);
		w.dst = dst;
		if (dst == -1)
			break;
	}
	int dst = w.dst;
	w.dst = -1;
	end(&w);
	snprintf(r->at, sizeof(r->at), "%s", path);
	return dst;
}

static int attach_at(struct sb_root *r, int mount_fd, const char *path, unsigned flags)
{
	int dst = point_at(r, path);
	int err = dst == -1 || sb_move_mount(mount_fd, dst, "") == -1 ? GW_ERR_SYS : 0;

	io_close(&dst);
	if (err != 0) {
		io_close(&mount_fd);
		return err;
	}
	return record(r, mount_fd, flags, true);
}

int sb_root_show_fd(struct sb_root *r, int fd, const char *path, unsigned flags)
{
	int tree = sb_clone_tree(fd, attributes(flags));

	io_close(&fd);
	return tree == -1 ? GW_ERR_SYS : attach_at(r, tree, path, flags);
}

int sb_root_show_tmp(struct sb_root *r, const char *path, uint64_t octets)
{
	char size[32];

	if (!r->attach)
		return sb_root_show(r, path, SB_SHOW_WRITE);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)octets);
	int fd = sb_newmount("tmpfs", (const char *const[]){"mode", "1777", "size", size, NULL},
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd == -1 ? GW_ERR_SYS : attach_at(r, fd, path, SB_SHOW_WRITE | SB_SHOW_OWN);
}

static int make_parent(struct sb_root *r, const char *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	int fd = dir[0] == '\0' ? -1 : point_at(r, dir);
	if (fd == -1)
		return GW_ERR_SYS;
	io_close(&fd);
	return 0;
}

int sb_root_put_file(struct sb_root *r, const char *path, const char *text)
{
	if (!r->attach)
		return 0;
	int fd = make_parent(r, path) != 0 ? -1 : openat(r->top, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1)
		return GW_ERR_SYS;
	int err = fchmod(fd, 0644) == -1 ? GW_ERR_SYS : io_write_all(fd, text, strlen(text));
	io_close(&fd);
	if (err != 0)
		return err;
	fd = openat(r->top, path + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	snprintf(r->at, sizeof(r->at), "%s", path);
	return fd == -1 ? GW_ERR_SYS : record(r, fd, SB_SHOW_OWN, false);
}

int sb_root_put_link(struct sb_root *r, const char *path, const char *target)
{
	return r->attach && (make_parent(r, path) != 0 || symlinkat(target, r->top, path + 1) == -1) && errno != EEXIST ? GW_ERR_SYS : 0;
}

int sb_root_switch(struct sb_root *r)
{
	if (!r->attach)
		return 0;
	if (sb_mount_attributes(r->top, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, false) == -1 || fchdir(r->top) == -1)
		return GW_ERR_SYS;
	/* Both on one directory: the old root ends up on top of the new one, and is taken off. */
	if (syscall(SYS_pivot_root, ".", ".") == -1 || umount2(".", MNT_DETACH) == -1 || chdir("/") == -1)
		return GW_ERR_SYS;
	io_close(&r->host);
	io_close(&r->top);
	return 0;
}
