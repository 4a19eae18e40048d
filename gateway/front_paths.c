/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/front_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"

/* Debian 12's header knows ABI 2; the kernel is told what it knows. Bits as in linux/landlock.h of 6.15. */
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND (UINT64_C(1) << 0)      /* ABI 4 */
#define NET_CONNECT (UINT64_C(1) << 1)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)  /* ABI 6 */
#define RULE_NET_PORT 2

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_SPOOL (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define FS_OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

struct attr {
	uint64_t fs, net, scoped;
};

struct port_rule {
	uint64_t allowed, port;
};

struct rules {
	int fd;
	uint64_t fs; /* handled */
	int err;
	const char *last; /* the rule before this one: neighbours are often the same */
};

static struct attr attr_of(long abi)
{
	struct attr a = {.fs = FS_ALL_1};

	a.fs |= abi >= 2 ? FS_REFER : 0;
	a.fs |= abi >= 3 ? FS_TRUNCATE : 0;
	a.fs |= abi >= 5 ? FS_IOCTL_DEV : 0;
	a.net = abi >= 4 ? NET_BIND | NET_CONNECT : 0;
	a.scoped = abi >= 6 ? SCOPE_SIGNAL : 0;
	return a;
}

static size_t attr_size(long abi)
{
	return abi >= 6 ? sizeof(struct attr) : abi >= 4 ? offsetof(struct attr, scoped) : offsetof(struct attr, net);
}

static void allow(struct rules *r, const char *path, uint64_t what)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = what & r->fs};
	struct stat st;

	if (r->err != 0)
		return;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return; /* nothing there, nothing to serve */
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_A_FILE;
	if (syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == -1)
		r->err = GW_ERR_SYS;
	int fd = rule.parent_fd;
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
			const struct conf_addr *a = &c->pools[i]->members[m].addr;
			struct port_rule rule = {.allowed = NET_CONNECT};
			if (a->u.sa.sa_family != AF_INET && a->u.sa.sa_family != AF_INET6)
				continue;
			rule.port = ntohs(a->u.sa.sa_family == AF_INET ? ((const struct sockaddr_in *)&a->u.ss)->sin_port
				: ((const struct sockaddr_in6 *)&a->u.ss)->sin6_port);
			if (syscall(SYS_landlock_add_rule, r->fd, RULE_NET_PORT, &rule, 0) == -1)
				r->err = GW_ERR_SYS;
		}
}

int front_paths_build(const struct conf *c, const char *spool)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return GW_ERR_DENIED;
	struct attr attr = attr_of(abi);
	struct rules r = {.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_size(abi), 0), .fs = attr.fs};
	if (r.fd == -1)
		return GW_ERR_SYS;
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_server *s = c->servers[i];
		allow_tree(&r, s->docroot);
		for (size_t k = 0; k < s->path_aliases_n; k++)
			allow_tree(&r, s->path_aliases[k].path);
	}
	for (size_t i = 0; i < c->front_paths.n; i++)
		allow(&r, c->front_paths.v[i], FS_READ);
	conf_each_granted(c, allow_section, &r);
	allow(&r, spool, FS_SPOOL | FS_TRUNCATE);
	if (attr.net != 0)
		allow_ports(&r, c);
	if (r.err != 0) {
		io_close(&r.fd);
		return r.err;
	}
	return r.fd;
}

int front_paths_enter(int rules)
{
	int err = syscall(SYS_landlock_restrict_self, rules, 0) == -1 ? GW_ERR_SYS : 0;

	io_close(&rules);
	return err;
}
