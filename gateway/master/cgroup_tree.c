/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/cgroup_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define LEAF "server"

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = {"memory", "pids", "cpu", "io"};

/* --- files -------------------------------------------------------------------------------------------------------------- */

int cgroup_put(int dir, const char *file, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(text)) {
		errno = ENAMETOOLONG;
		return GW_ERR_SYS;
	}
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return GW_ERR_SYS;
	ssize_t n = write(fd, text, (size_t)len);
	io_close(&fd);
	return n == len ? GW_OK : GW_ERR_SYS;
}

int cgroup_get(int dir, const char *file, char *out, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return GW_ERR_SYS;
	ssize_t n = read(fd, out, size - 1);
	io_close(&fd);
	if (n < 0)
		return GW_ERR_SYS;
	out[n] = '\0';
	return (int)n;
}

unsigned long long cgroup_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += len)
		if ((at == text || at[-1] == ' ') && (at[len] == '\0' || strchr(" \n", at[len]) != NULL))
			return true;
	return false;
}

/* --- where we are --------------------------------------------------------------------------------------------------------- */

/* Of one line of mountinfo: the mount's root and mount point when it is cgroup v2. See proc_pid_mountinfo(5). */
static bool is_cgroup2(const char *line, size_t len, char *root, char *point, size_t size)
{
	char copy[2 * PATH_MAX + 256], *save = NULL;
	int at = 0;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, line, len);
	copy[len] = '\0';
	char *dash = strstr(copy, " - ");
	if (dash == NULL || strncmp(dash + 3, "cgroup2 ", 8) != 0)
		return false;
	*dash = '\0';
	for (char *w = strtok_r(copy, " ", &save); w != NULL && at < 5; w = strtok_r(NULL, " ", &save), at++) {
		if (at == 3)
			snprintf(root, size, "%s", w);
		if (at == 4)
			snprintf(point, size, "%s", w);
	}
	return at == 5 && strchr(point, '\\') == NULL; /* an escaped blank: nobody mounts it there */
}

int cgroup_path_of(const char *self, const char *mounts, char *out, size_t size)
{
	char root[PATH_MAX], point[PATH_MAX];
	const char *own = strncmp(self, "0::", 3) == 0 ? self : strstr(self, "\n0::");

	if (own == NULL)
		return GW_ERR_NOTFOUND;
	own += own[0] == '\n' ? 4 : 3;
	size_t own_len = strcspn(own, "\n");
	for (const char *line = mounts; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		if (is_cgroup2(line, len, root, point, sizeof(root))) {
			size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
			bool below = own_len >= skip && strncmp(own, root, skip) == 0 && (own_len == skip || own[skip] == '/');
			if (below) {
				bool top = own_len - skip == 1; /* "/" alone */
				int n = snprintf(out, size, "%s%.*s", point, top ? 0 : (int)(own_len - skip), own + skip);
				return n < 0 || (size_t)n >= size ? GW_ERR_RANGE : GW_OK;
			}
		}
		line += len + (line[len] == '\n');
	}
	return GW_ERR_NOTFOUND;
}

/* A file of /proc says no size before it is read. NULL: cannot be read. */
static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (f == NULL)
		return NULL;
	if (getdelim(&text, &room, '\0', f) == -1) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static int find_path(char *out, size_t size)
{
	char *self = read_text("/proc/self/cgroup"), *mounts = read_text("/proc/self/mountinfo");
	int err = self == NULL || mounts == NULL ? GW_ERR_SYS : cgroup_path_of(self, mounts, out, size);

	free(self);
	free(mounts);
	return err;
}

static bool is_root(int fd)
{
	return faccessat(fd, "cgroup.type", F_OK, 0) == -1 && errno == ENOENT;
}

/* Whom systemd left this cgroup to; the marks are systemd's own. */
static bool is_delegated(int fd)
{
	char yes = '0';

	return fgetxattr(fd, "user.delegate", &yes, 1) == 1 || fgetxattr(fd, "trusted.delegate", &yes, 1) == 1 ? yes == '1' : false;
}

/* Which controllers could be given to cgroups below @fd. */
static int read_controllers(struct cgroup_tree *t, int fd)
{
	char text[512];
	size_t n = 0, at = 0;

	if (cgroup_get(fd, "cgroup.controllers", text, sizeof(text)) < 0) {
		snprintf(t->off, sizeof(t->off), "its controllers cannot be read: %s", strerror(errno));
		return GW_ERR_SYS;
	}
	t->off[0] = '\0';
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		t->has[i] = has_word(text, cgroup_controller_names[i]);
		n += t->has[i];
		if (!t->has[i])
			at += (size_t)snprintf(t->off + at, sizeof(t->off) - at, "%s%s", at > 0 ? ", " : "", cgroup_controller_names[i]);
	}
	if (n > 0)
		return GW_OK;
	snprintf(t->off, sizeof(t->off), "cgroup v2 has no memory, pids, cpu or io controller here (it has: %.*s)", (int)strcspn(text, "\n"), text);
	return GW_ERR_NOTFOUND;
}

/* A master before us has made LEAF and moved to it, and we were born there: its tree is ours now. */
static void climb(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL && strcmp(slash + 1, LEAF) == 0)
		*slash = '\0';
}

/* The directory of our own cgroup, when we may use it. */
static int find_own(struct cgroup_tree *t, int *fd, bool adopt)
{
	char *path = t->path;

	*t = (struct cgroup_tree){.fd = -1, .parent_fd = -1};
	if (find_path(t->path, sizeof(t->path)) < 0) {
		snprintf(t->off, sizeof(t->off), "cgroup v2 is not mounted");
		return GW_ERR_NOTFOUND;
	}
	if (adopt)
		climb(path);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1 || faccessat(*fd, "cgroup.subtree_control", W_OK, AT_EACCESS) == -1 || faccessat(*fd, ".", W_OK, AT_EACCESS) == -1) {
		snprintf(t->off, sizeof(t->off), "%.180s: %s", path, strerror(errno));
		io_close(fd);
		return GW_ERR_SYS;
	}
	/* Where systemd is, every cgroup is systemd's unless it said otherwise: it would move and remove what we make. */
	if (access("/run/systemd/system", F_OK) == 0 && !is_delegated(*fd)) {
		snprintf(t->off, sizeof(t->off), "%.160s is not delegated; start it as a unit with Delegate=yes", path);
		io_close(fd);
		return GW_ERR_DENIED;
	}
	int err = read_controllers(t, *fd);
	if (err < 0)
		io_close(fd);
	return err;
}

int cgroup_tree_probe(struct cgroup_tree *t)
{
	int fd = -1, err = find_own(t, &fd, false);

	io_close(&fd);
	return err;
}

/* --- taking it -------------------------------------------------------------------------------------------------------------- */

/* Switch on below @fd what is there and can be; returns how many. errno is that of the last failure. */
static unsigned switch_on(struct cgroup_tree *t, int fd)
{
	unsigned n = 0;

	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (t->has[i] && cgroup_put(fd, "cgroup.subtree_control", "+%s", cgroup_controller_names[i]) < 0)
			t->has[i] = false;
		n += t->has[i];
	}
	return n;
}

static void undo(struct cgroup_tree *t)
{
	int back = t->parent_fd != -1 ? t->parent_fd : t->fd;

	/* Processes may not be beside controllers, except at the very top. */
	for (size_t i = 0; i < CGROUP_CONTROLLERS && t->parent_fd == -1; i++)
		if (t->has[i] && cgroup_put(t->fd, "cgroup.subtree_control", "-%s", cgroup_controller_names[i]) < 0)
			break;
	if (cgroup_put(back, "cgroup.procs", "0") == GW_OK && unlinkat(t->fd, LEAF, AT_REMOVEDIR) == 0 && t->parent_fd != -1)
		unlinkat(t->parent_fd, t->own, AT_REMOVEDIR);
	io_close(&t->fd);
	io_close(&t->parent_fd);
}

/* At the top of the hierarchy other people's cgroups lie beside ours: one for all that we make. */
static int below_root(struct cgroup_tree *t)
{
	snprintf(t->own, sizeof(t->own), "bulkhead-%d", (int)getpid());
	t->parent_fd = t->fd;
	switch_on(t, t->parent_fd);
	t->fd = -1;
	size_t len = strlen(t->path);
	snprintf(t->path + len, sizeof(t->path) - len, "/%s", t->own);
	if (mkdirat(t->parent_fd, t->own, 0755) == -1 && errno != EEXIST)
		return GW_ERR_SYS;
	t->fd = openat(t->parent_fd, t->own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->fd == -1 ? GW_ERR_SYS : GW_OK;
}

static int take(struct cgroup_tree *t)
{
	if (t->parent_fd == -1 && is_root(t->fd) && below_root(t) < 0)
		return GW_ERR_SYS;
	if (mkdirat(t->fd, LEAF, 0755) == -1 && errno != EEXIST)
		return GW_ERR_SYS;
	int leaf = openat(t->fd, LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf == -1)
		return GW_ERR_SYS;
	int err = cgroup_put(leaf, "cgroup.procs", "0");
	io_close(&leaf);
	if (err < 0)
		return GW_ERR_SYS;
	return switch_on(t, t->fd) > 0 ? GW_OK : GW_ERR_SYS;
}

/* Whether that was made below the root by a master, and where it lies then: the last one takes it away. */
static void adopt_parent(struct cgroup_tree *t)
{
	const char *name = strrchr(t->path, '/');
	int up = openat(t->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (up != -1 && name != NULL && strncmp(name + 1, "bulkhead-", 9) == 0 && strlen(name + 1) < sizeof(t->own) && is_root(up)) {
		t->parent_fd = up;
		snprintf(t->own, sizeof(t->own), "%s", name + 1);
	} else {
		io_close(&up);
	}
}

int cgroup_tree_open(struct cgroup_tree *t, bool adopt)
{
	int fd = -1, err = find_own(t, &fd, adopt);

	if (err < 0)
		return err;
	t->fd = fd;
	if (adopt)
		adopt_parent(t);
	err = take(t);
	if (err < 0) {
		/* The kernel's word for processes beside us, a shell above all. */
		snprintf(t->off, sizeof(t->off), "%s", errno == EBUSY ? "other processes are in the same cgroup; start it in one of its own" :
			strerror(errno));
		undo(t);
	}
	return err;
}

void cgroup_tree_close(struct cgroup_tree *t)
{
	if (t->fd != -1)
		undo(t);
}

void cgroup_tree_leave(struct cgroup_tree *t)
{
	io_close(&t->fd);
	io_close(&t->parent_fd);
}
