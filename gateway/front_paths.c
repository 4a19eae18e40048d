/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/front_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_addr.h"
#include "gateway/base/io.h"
#include "sandbox/sb_landlock.h"

#define FS_READ (SB_FS_READ_FILE | SB_FS_READ_DIR)
#define FS_SPOOL (SB_FS_READ_FILE | SB_FS_WRITE_FILE | SB_FS_MAKE_REG | SB_FS_REMOVE_FILE | SB_FS_TRUNCATE)

struct rules {
	struct sb_landlock landlock;
	int err;
	const char *last; /* the rule before this one: neighbours are often the same */
};

static void allow(struct rules *r, const char *path, uint64_t what)
{
	struct stat st;

	if (r->err != 0)
		return;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd == -1)
		return; /* nothing there, nothing to serve */
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		what &= SB_FS_OF_FILES;
	r->err = sb_landlock_allow_below(&r->landlock, fd, what);
	io_close(&fd);
}

/* Put the directory that holds @path into @dir; the root directory holds nothing but itself. */
static void holder(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL || slash == path ? strlen(path) : (size_t)(slash - path);

	if (n >= size)
		n = size - 1;
	memcpy(dir, path, n);
	dir[n] = '\0';
}

/* Links on the way may be pointed elsewhere while we run: what they lie beside is where releases are kept. */
static void allow_links(struct rules *r, const char *path)
{
	char part[PATH_MAX], dir[PATH_MAX];
	struct stat st;

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t n = slash == NULL ? strlen(path) : (size_t)(slash - path);
		if (n >= sizeof(part))
			return;
		memcpy(part, path, n);
		part[n] = '\0';
		if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode)) {
			holder(part, dir, sizeof(dir));
			/* A link in / is the distribution's (/bin): the whole system is not beside it. */
			if (strcmp(dir, part) != 0)
				allow(r, dir, FS_READ);
		}
		if (slash == NULL)
			return;
	}
}

static void allow_tree(struct rules *r, const char *path)
{
	char dir[PATH_MAX];
	struct stat st;

	if (path == NULL || (r->last != NULL && strcmp(path, r->last) == 0))
		return;
	r->last = path;
	/* The main server's default root is below ServerRoot, where the configuration is, and mostly not there. */
	if (stat(path, &st) == -1)
		return;
	holder(path, dir, sizeof(dir));
	allow(r, dir, FS_READ);
	allow(r, path, FS_READ); /* where it is a link to elsewhere */
	allow_links(r, path);
}

static void allow_section(void *arg, const char *path)
{
	allow(arg, path, FS_READ);
}

static void allow_ports(struct rules *r, const struct conf *c)
{
	for (size_t i = 0; i < c->pools_n; i++)
		for (size_t m = 0; m < c->pools[i]->members_n && r->err == 0; m++) {
			unsigned port = conf_addr_port(&c->pools[i]->members[m].addr.u.sa);
			if (port != 0)
				r->err = sb_landlock_allow_port(&r->landlock, (uint16_t)port, SB_NET_CONNECT_TCP);
		}
}

int front_paths_build(const struct conf *c, const char *spool)
{
	struct rules r = {.last = NULL};
	int err = sb_landlock_open(&r.landlock, SB_FS_ALL, SB_NET_BIND_TCP | SB_NET_CONNECT_TCP, SB_SCOPE_SIGNAL);

	if (err != 0)
		return err;
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_server *s = c->servers[i];
		allow_tree(&r, s->docroot);
		for (size_t k = 0; k < s->path_aliases_n; k++)
			allow_tree(&r, s->path_aliases[k].path);
	}
	for (size_t i = 0; i < c->front_paths.n; i++)
		allow(&r, c->front_paths.v[i], FS_READ);
	conf_each_granted(c, allow_section, &r);
	allow(&r, spool, FS_SPOOL);
	allow_ports(&r, c);
	if (r.err == 0)
		return r.landlock.fd;
	io_close(&r.landlock.fd);
	return r.err;
}

int front_paths_enter(int rules)
{
	int err = sb_landlock_enter(rules);

	io_close(&rules);
	return err;
}
