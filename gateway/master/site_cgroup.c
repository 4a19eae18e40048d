/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/site_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/master/site_cgroup_priv.h"
#include "sandbox/sb_cell_cgroup.h"

#define SWEEP_MS 100
#define CPU_PERIOD_US 100000

/* --- bounds ----------------------------------------------------------------------------------------------------------------- */

/* What is one number in one file; in this order. */
static const struct bound {
	const char *directive, *file;
	enum cgroup_controller controller;
	size_t offset;
} bounds[] = {
#define BOUND(member) offsetof(struct conf_server, member)
	{"SandboxMemoryMax", "memory.max", CGROUP_MEMORY, BOUND(memory_max)},
	{"SandboxMemoryHigh", "memory.high", CGROUP_MEMORY, BOUND(memory_high)},
	{"SandboxSwapMax", "memory.swap.max", CGROUP_MEMORY, BOUND(swap_max)},
	{"SandboxProcessesMax", "pids.max", CGROUP_PIDS, BOUND(processes_max)},
	{"SandboxCpuMax", "cpu.max", CGROUP_CPU, BOUND(cpu_max)},
	{"SandboxCpuWeight", "cpu.weight", CGROUP_CPU, BOUND(cpu_weight)},
};
#define BOUNDS_N (sizeof(bounds) / sizeof(*bounds))

static int64_t bound_of(const struct conf_server *site, const struct bound *b)
{
	int64_t v;

	memcpy(&v, (const char *)site + b->offset, sizeof(v));
	return v;
}

static int put_bound(int fd, const struct bound *b, int64_t v)
{
	if (v == CONF_NO_BOUND)
		return GW_OK;
	if (b->offset == BOUND(cpu_max))
		return cgroup_put(fd, b->file, "%" PRId64 " %d", v * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
	return cgroup_put(fd, b->file, "%" PRId64, v);
}

/* The whole disk that @dev is or is part of. */
static int disk_of(dev_t dev, dev_t *disk)
{
	char path[64], text[32] = "";
	unsigned ma, mi;

	*disk = dev;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return GW_ERR_NOTFOUND; /* tmpfs, overlay, a network's: no disk */
	int n = faccessat(dir, "partition", F_OK, 0) == 0 ? cgroup_get(dir, "../dev", text, sizeof(text)) : 0;
	io_close(&dir);
	if (n > 0 && sscanf(text, "%u:%u", &ma, &mi) == 2)
		*disk = makedev(ma, mi);
	return n < 0 ? GW_ERR_SYS : GW_OK;
}

int site_cgroup_io_line(const struct conf_io_max *io, char *out, size_t size)
{
	struct stat st;
	dev_t disk;

	if (stat(io->path, &st) == -1)
		return GW_ERR_SYS;
	int err = disk_of(S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, &disk);
	if (err == GW_OK)
		snprintf(out, size, "%u:%u %s", major(disk), minor(disk), io->keys);
	return err;
}

static int put_io(int fd, const struct conf_server *site, const char **why)
{
	char line[192];

	for (const struct conf_io_max *io = site->io_max; io != NULL; io = io->next) {
		int err = site_cgroup_io_line(io, line, sizeof(line));
		if (err == GW_OK)
			err = cgroup_put(fd, "io.max", "%s", line);
		if (err < 0) {
			*why = err == GW_ERR_NOTFOUND ? "SandboxIoMax: its path is not on a disk" : "SandboxIoMax cannot be set";
			return err;
		}
	}
	return GW_OK;
}

static int put_bounds(const struct site_cgroups *cs, int fd, const struct conf_server *site, const char **why)
{
	static char text[64];

	for (size_t i = 0; i < BOUNDS_N; i++) {
		if (!cs->tree.has[bounds[i].controller] || put_bound(fd, &bounds[i], bound_of(site, &bounds[i])) == GW_OK)
			continue;
		snprintf(text, sizeof(text), "%s cannot be set", bounds[i].directive);
		*why = text;
		return GW_ERR_SYS;
	}
	return cs->tree.has[CGROUP_IO] ? put_io(fd, site, why) : GW_OK;
}

/* --- what cannot hold --------------------------------------------------------------------------------------------------------- */

static void add_name(char *out, size_t size, const char *name)
{
	size_t at = strlen(out);

	snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", name);
}

void site_cgroups_check(struct site_cgroups *cs, const struct conf *c)
{
	if (!cs->said && cs->tree.fd == -1)
		log_notice("no cgroup for each site: %s", cs->tree.off);
	else if (!cs->said)
		log_info("a cgroup for each site below %s%s%s", cs->tree.path, cs->tree.off[0] != '\0' ? ", without " : "", cs->tree.off);
	cs->said = true;
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_server *s = c->servers[i];
		char names[192] = "";

		if (s->dispatch != CONF_DISPATCH_PREFORK)
			continue;
		for (size_t j = 0; j < BOUNDS_N; j++)
			if (!cs->tree.has[bounds[j].controller] && bound_of(s, &bounds[j]) != CONF_NO_BOUND)
				add_name(names, sizeof(names), bounds[j].directive);
		if (!cs->tree.has[CGROUP_MEMORY] && s->oom_group)
			add_name(names, sizeof(names), "SandboxOomGroup");
		if (!cs->tree.has[CGROUP_IO] && s->io_max != NULL)
			add_name(names, sizeof(names), "SandboxIoMax");
		if (names[0] != '\0')
			log_warn("site=%s without effect, for want of cgroup v2: %s (%s%s)", s->name, names,
				cs->tree.fd == -1 ? "" : "no controller: ", cs->tree.off);
	}
}

/* --- making ----------------------------------------------------------------------------------------------------------------- */

static void drop(struct site_cgroups *cs, struct site_leaf *leaf)
{
	struct site_leaf **p = &cs->leaves;

	while (*p != leaf)
		p = &(*p)->next;
	*p = leaf->next;
	io_close(&leaf->fd);
	free(leaf->path);
	free(leaf->site);
	free(leaf);
}

int site_leaf_new(struct site_cgroups *cs, struct site_leaf **out, const char **why)
{
	*out = NULL;
	if (cs->tree.fd == -1)
		return GW_OK;
	*why = "its cgroup cannot be made";
	struct site_leaf *leaf = calloc(1, sizeof(*leaf));
	if (leaf == NULL)
		return GW_ERR_NOMEM;
	leaf->fd = leaf->watch_memory = leaf->watch_pids = -1;
	leaf->next = cs->leaves;
	cs->leaves = leaf;
	/* While an upgrade drains the old master, two make cgroups here. */
	snprintf(leaf->name, sizeof(leaf->name), "z%d-%lu", (int)getpid(), ++cs->serial);
	if (asprintf(&leaf->path, "%s/%s", cs->tree.path, leaf->name) == -1)
		leaf->path = NULL;
	else if (mkdirat(cs->tree.fd, leaf->name, 0755) == 0)
		leaf->fd = openat(cs->tree.fd, leaf->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf->fd == -1) {
		drop(cs, leaf);
		return GW_ERR_SYS;
	}
	*out = leaf;
	return GW_OK;
}

/* Without controllers of their own: they are there to be killed. A cell beyond the last does without. */
static int make_cells(struct site_leaf *leaf, const struct conf_server *site)
{
	char name[16];
	unsigned n = site->max_workers < SB_CELL_CGROUPS_MAX ? site->max_workers : SB_CELL_CGROUPS_MAX;

	if (site->profile != CONF_PROFILE_LEGACY && site->profile != CONF_PROFILE_LEARN)
		return GW_OK;
	for (; leaf->cells < n; leaf->cells++) {
		snprintf(name, sizeof(name), "c%u", leaf->cells);
		if (mkdirat(leaf->fd, name, 0755) == -1)
			return GW_ERR_SYS;
	}
	return GW_OK;
}

int site_leaf_bound(struct site_cgroups *cs, struct site_leaf *leaf, const struct conf_server *site, const char **why)
{
	if (leaf == NULL)
		return GW_OK;
	*why = "no memory for its cgroup";
	leaf->site = strdup(site->name);
	if (leaf->site == NULL)
		return GW_ERR_NOMEM;
	site_watch(cs, leaf);
	int err = put_bounds(cs, leaf->fd, site, why);
	if (err == GW_OK && site->oom_group && cs->tree.has[CGROUP_MEMORY]) {
		*why = "SandboxOomGroup cannot be set";
		err = cgroup_put(leaf->fd, "memory.oom.group", "1");
	}
	if (err == GW_OK) {
		*why = "the cgroups of its cells cannot be made";
		err = make_cells(leaf, site);
	}
	return err;
}

int site_leaf_fd(const struct site_leaf *leaf)
{
	return leaf == NULL ? -1 : leaf->fd;
}

const char *site_leaf_cells(const struct site_leaf *leaf)
{
	return leaf == NULL || leaf->cells == 0 ? NULL : leaf->path;
}

/* --- removing ---------------------------------------------------------------------------------------------------------------- */

/* Those of cells first. False: something still lives in it. */
static bool remove_leaf(struct site_cgroups *cs, struct site_leaf *leaf)
{
	char name[16];

	while (leaf->cells > 0) {
		snprintf(name, sizeof(name), "c%u", leaf->cells - 1);
		if (unlinkat(leaf->fd, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
			return false;
		leaf->cells--;
	}
	site_unwatch(cs, leaf);
	if (unlinkat(cs->tree.fd, leaf->name, AT_REMOVEDIR) == -1 && errno != ENOENT)
		return false;
	drop(cs, leaf);
	return true;
}

static void sweep(struct site_cgroups *cs)
{
	bool again = false;

	for (struct site_leaf *leaf = cs->leaves, *next; leaf != NULL; leaf = next) {
		next = leaf->next;
		if (leaf->ending && !remove_leaf(cs, leaf))
			again = true;
	}
	if (again && loop_timer_set(cs->loop, &cs->sweep, SWEEP_MS) < 0)
		log_err("no memory for a timer: a cgroup stays");
}

static void on_sweep(struct loop *l, struct loop_timer *t)
{
	(void)l;
	sweep(container_of(t, struct site_cgroups, sweep));
}

void site_leaf_end(struct site_cgroups *cs, struct site_leaf *leaf)
{
	if (leaf == NULL)
		return;
	leaf->ending = true;
	/* Its cells die with their zygote; what they left behind, in sessions of its own, does not. Linux 5.14. */
	if (cgroup_put(leaf->fd, "cgroup.kill", "1") < 0 && errno != ENOENT)
		log_err("site=%s cannot end what its zygote left: %m", leaf->site != NULL ? leaf->site : "-");
	sweep(cs);
}

/* --- all of them ---------------------------------------------------------------------------------------------------------------- */

struct site_cgroups *site_cgroups_new(struct loop *l, bool adopt)
{
	struct site_cgroups *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		return NULL;
	cs->loop = l;
	cs->sweep.cb = on_sweep;
	cs->tell.cb = site_on_tell;
	cs->inotify = (struct loop_io){.fd = -1, .events = EPOLLIN, .cb = site_on_inotify};
	if (cgroup_tree_open(&cs->tree, adopt) < 0)
		return cs;
	cs->inotify.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (cs->inotify.fd != -1 && loop_io_add(l, &cs->inotify, 0) < 0)
		io_close(&cs->inotify.fd);
	if (cs->inotify.fd == -1)
		log_warn("hits of cgroup bounds are not logged: %m");
	return cs;
}

void site_cgroups_free(struct site_cgroups *cs, bool leave)
{
	const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};

	if (cs == NULL)
		return;
	loop_timer_stop(cs->loop, &cs->sweep);
	/* Killed processes need a moment to be gone from their cgroup. */
	for (int i = 0; i < 25 && cs->leaves != NULL; i++) {
		for (struct site_leaf *leaf = cs->leaves; leaf != NULL; leaf = leaf->next)
			leaf->ending = true;
		sweep(cs);
		if (cs->leaves != NULL)
			nanosleep(&moment, NULL);
	}
	while (cs->leaves != NULL)
		drop(cs, cs->leaves);
	loop_timer_stop(cs->loop, &cs->sweep);
	loop_timer_stop(cs->loop, &cs->tell);
	loop_io_del(cs->loop, &cs->inotify);
	io_close(&cs->inotify.fd);
	if (leave)
		cgroup_tree_leave(&cs->tree);
	else
		cgroup_tree_close(&cs->tree);
	free(cs);
}
