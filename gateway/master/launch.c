/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/master/cgroup_tree.h"
#include "gateway/master/launch_view.h"
#include "gateway/master/spare.h"
#include "gateway/master/spawn.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/sb_probe.h"
#include "sandbox/spec.h"

#define SPARE_NAME_LEN 128

/* The last version in configure's list is the newest. */
static const char *newest_version(void)
{
	static const char all[] = BH_PHP_VERSIONS;
	const char *last = strrchr(all, ' ');

	return last != NULL ? last + 1 : all;
}

const char *launch_program(const char *version)
{
	static char path[PATH_MAX];
	char self[PATH_MAX - 32];

	if (version == NULL)
		version = newest_version();
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		snprintf(path, sizeof(path), "%s/bulkhead-php%.8s", self, version);
		if (access(path, X_OK) == 0)
			return path;
	}
	snprintf(path, sizeof(path), "%s/bulkhead-php%.8s", BH_LIBEXECDIR, version);
	return path;
}

static const char *const profile_names[] = {
	[CONF_PROFILE_PHP] = "php", [CONF_PROFILE_STRICT] = "strict", [CONF_PROFILE_LEGACY] = "legacy", [CONF_PROFILE_LEARN] = "learn"};

static const char *const isolation_names[] = {[CONF_ISOLATION_FRESH] = "fresh",
	[CONF_ISOLATION_ROLLBACK] = "rollback", [CONF_ISOLATION_SHARED] = "shared"};

static int spec_of(const struct conf *c, const struct conf_server *site, bool privileged, bool with_mail, const struct site_leaf *leaf,
	struct buf *out)
{
	struct spec_ini *ini = calloc(site->ini_n + 1, sizeof(*ini));
	const char **trees = calloc(site->path_aliases_n + 1, sizeof(*trees));
	struct spec s = {
		.site = site->name,
		.docroot = site->docroot,
		.user = site->ids.user,
		.drop = privileged,
		.uid = site->ids.uid,
		.gid = site->ids.gid,
		.groups_n = site->ids.groups_n,
		.groups = site->ids.groups,
		.profile = profile_names[site->profile],
		.isolation = isolation_names[site->isolation],
		.max_requests = site->max_requests,
		.mail_timeout_ms = with_mail ? site->mail_timeout_ms : 0,
		.limit_nofile = -1,
		.calls = {.allow_n = site->sandbox_allow_n, .allow = site->sandbox_allow, .deny_n = site->sandbox_deny_n, .deny = site->sandbox_deny},
		.cells_cgroup = site_leaf_cells(leaf),
		.ini_n = site->ini_n,
		.ini = ini,
		.trees_n = site->path_aliases_n,
		.trees = trees,
	};
	struct launch_view view;
	int err = GW_ERR_NOMEM;

	for (size_t i = 0; i < site->path_aliases_n && trees != NULL; i++)
		trees[i] = site->path_aliases[i].path;
	for (size_t i = 0; i < site->ini_n && ini != NULL; i++)
		ini[i] = (struct spec_ini){.name = site->ini[i].name, .value = site->ini[i].value, .admin = site->ini[i].admin};
	if (ini != NULL && trees != NULL) {
		err = launch_view_fill(&view, c, site, sb_probe(), &s);
		if (err == 0)
			err = spec_encode(&s, out);
		launch_view_fini(&view);
	}
	free(trees);
	free(ini);
	return err;
}

/* A sealed copy: nobody, the zygote's later tenant code included, can change what a site was told. */
static int spec_memfd(const struct conf *c, const struct conf_server *site, bool privileged, bool with_mail, const struct site_leaf *leaf)
{
	struct buf text;
	int fd = -1;

	buf_init(&text);
	if (spec_of(c, site, privileged, with_mail, leaf, &text) == GW_OK) {
		fd = memfd_create("bulkhead-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (fd != -1 && (io_write_all(fd, buf_head(&text), buf_unread(&text)) < 0 || lseek(fd, 0, SEEK_SET) == -1 ||
				io_seal(fd) != 0))
			io_close(&fd);
	}
	buf_fini(&text);
	return fd;
}

/* The same descriptor above those that the zygote gets, close-on-exec; closes the old one. */
static void move_up(int *fd)
{
	int up = *fd == -1 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, SPEC_PARENT_FD + 1);

	io_close(fd);
	*fd = up;
}

/* The namespaces that only a new process can be born into; all others it makes itself, see sb_enter(). */
static uint64_t clone_flags(unsigned layers)
{
	bool user = sb_probe()->user_ns && (layers & (SB_LAYER_MOUNT | SB_LAYER_PID | SB_LAYER_IPC | SB_LAYER_UTS | SB_LAYER_NET |
			SB_LAYER_CGROUP)) != 0;

	return ((layers & SB_LAYER_PID) != 0 ? CLONE_NEWPID : 0) | (user ? CLONE_NEWUSER : 0);
}

/* A process without a site is born for one whose locks are all on. */
static uint64_t spare_flags(void)
{
	return clone_flags(sb_probe()->layers);
}

static pid_t spawn(const char *program, const char *site, const struct site_leaf *leaf, int chan, int spec, uint64_t flags)
{
	char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)site, NULL}; /* the name is for ps and -S */
	char *envp[] = {(char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct spawn s = {.program = program, .argv = argv, .envp = envp, .flags = flags, .uid = geteuid(), .gid = getegid()};

	/* Not for a moment outside of its bounds. */
	if (leaf != NULL) {
		s.flags |= CLONE_INTO_CGROUP;
		s.cgroup_fd = site_leaf_fd(leaf);
	}
	move_up(&null);
	move_up(&parent);
	s.fds_n = SPEC_PARENT_FD + 1;
	s.fds[STDIN_FILENO] = null;
	s.fds[STDOUT_FILENO] = s.fds[STDERR_FILENO] = SPAWN_KEEP;
	s.fds[SPEC_CHAN_FD] = chan;
	s.fds[SPEC_SPEC_FD] = spec != -1 ? spec : SPAWN_CLOSE; /* how it knows that it is a spare one */
	s.fds[SPEC_MAIL_FD] = SPAWN_CLOSE; /* comes over the channel */
	s.fds[SPEC_PARENT_FD] = parent;
	pid_t pid = null == -1 || parent == -1 ? -1 : spawn_program(&s);
	io_close(&null);
	io_close(&parent);
	return pid;
}

/* Start @program in @leaf with @spec (-1: none yet); *@chan gets our end of its channel. */
static pid_t start(const char *program, const char *site, const struct site_leaf *leaf, int spec, uint64_t flags, int *chan,
	const char **why)
{
	static char text[PATH_MAX + 128];
	int ends[2];
	pid_t pid = -1;

	*why = text;
	if (ipc_pair(ends) < 0) {
		snprintf(text, sizeof(text), "cannot make a channel: %s", strerror(errno));
		return GW_ERR_SYS;
	}
	move_up(&ends[1]);
	if (ends[1] != -1)
		pid = spawn(program, site, leaf, ends[1], spec, flags);
	if (pid == -1)
		snprintf(text, sizeof(text), "cannot start %s%s: %s", program, leaf != NULL ? " in its cgroup" : "", strerror(errno));
	io_close(&ends[1]);
	if (pid == -1) {
		io_close(&ends[0]);
		return GW_ERR_SYS;
	}
	*chan = ends[0];
	return pid;
}

pid_t launch_spare(struct site_cgroups *cgroups, const char *program, int *chan, struct site_leaf **leaf, const char **why)
{
	/* Room for the name of the site that it will be of: a process can only write over its arguments. */
	char name[SPARE_NAME_LEN + 1];

	memset(name, ' ', SPARE_NAME_LEN);
	memcpy(name, "spare", 5);
	name[SPARE_NAME_LEN] = '\0';
	int err = site_leaf_new(cgroups, leaf, why);
	pid_t pid = err == GW_OK ? start(program, name, *leaf, -1, spare_flags(), chan, why) : err;
	if (pid < 0)
		site_leaf_end(cgroups, *leaf);
	return pid;
}

/* Give a zygote a descriptor on its own channel. The front gets the channel after that, so these messages are the first. */
static int hand_over(int chan, unsigned type, int fd)
{
	struct ipc_msg m;

	ipc_fill(&m, type, 0, NULL);
	m.fds[0] = fd;
	m.fds_n = 1;
	return ipc_send(chan, &m);
}

/* Bounds for @leaf, then what its process is told, as a descriptor above those of a zygote. Negative with *@why. */
static int prepare(const struct launch *l, const struct conf *c, const struct conf_server *site, bool with_mail,
	struct site_leaf *leaf, const char **why)
{
	int err = site_leaf_bound(l->cgroups, leaf, site, why);

	if (err < 0)
		return err;
	*why = "cannot write down what the zygote is to be told";
	int spec = spec_memfd(c, site, l->privileged, with_mail, leaf);
	move_up(&spec);
	return spec == -1 ? GW_ERR_SYS : spec;
}

/* A process that waits, in its cgroup the bounds of @site before it is told of it. 0: there is none that can be used. */
static pid_t use_spare(const struct launch *l, const struct conf *c, const struct conf_server *site, bool with_mail, int *chan,
	struct site_leaf **leaf, const char **why)
{
	pid_t pid = spares_take(l->spares, launch_program(site->php_version), chan, leaf);

	if (pid == 0)
		return 0;
	int spec = prepare(l, c, site, with_mail, *leaf, why), err = spec < 0 ? spec : GW_OK;
	bool told = spec >= 0 && hand_over(*chan, IPC_ZYGOTE_SPEC, spec) == GW_OK;
	if (spec >= 0)
		io_close(&spec);
	if (told)
		return pid;
	kill(pid, SIGKILL);
	io_close(chan);
	site_leaf_end(l->cgroups, *leaf);
	return err;
}

/* A new process, in a cgroup that has the bounds of @site before. */
static pid_t start_new(const struct launch *l, const struct conf *c, const struct conf_server *site, bool with_mail, int *chan,
	struct site_leaf **leaf, const char **why)
{
	int err = site_leaf_new(l->cgroups, leaf, why);

	if (err < 0)
		return err;
	int spec = prepare(l, c, site, with_mail, *leaf, why);
	pid_t pid = spec < 0 ? spec : start(launch_program(site->php_version), site->name, *leaf, spec,
		clone_flags(launch_view_layers(site, sb_probe())), chan, why);
	if (spec >= 0)
		io_close(&spec);
	if (pid < 0)
		site_leaf_end(l->cgroups, *leaf);
	return pid;
}

/* Whatever it was started with, what the spec says of mail comes over the channel, before the front gets that. */
pid_t launch_zygote(const struct launch *l, const struct conf *c, const struct conf_server *site, int mail, int *chan,
	struct site_leaf **leaf, const char **why)
{
	bool usual = clone_flags(launch_view_layers(site, sb_probe())) == spare_flags();
	pid_t pid = usual ? use_spare(l, c, site, mail != -1, chan, leaf, why) : 0;

	if (pid == 0)
		pid = start_new(l, c, site, mail != -1, chan, leaf, why);
	if (pid > 0 && mail != -1 && hand_over(*chan, IPC_ZYGOTE_MAIL, mail) < 0) {
		*why = "cannot tell the zygote of its channel for mail";
		kill(pid, SIGKILL);
		io_close(chan);
		site_leaf_end(l->cgroups, *leaf);
		pid = GW_ERR_SYS;
	}
	io_close(&mail);
	return pid;
}
