/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/cgroup_tree.h"
#include "gateway/spare.h"
#include "sandbox/ipc_chan.h"
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

static int spec_of(const struct conf_server *site, bool privileged, bool with_mail, const struct site_leaf *leaf, struct buf *out)
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
	int err = GW_ERR_NOMEM;

	for (size_t i = 0; i < site->path_aliases_n && trees != NULL; i++)
		trees[i] = site->path_aliases[i].path;
	for (size_t i = 0; i < site->ini_n && ini != NULL; i++)
		ini[i] = (struct spec_ini){.name = site->ini[i].name, .value = site->ini[i].value, .admin = site->ini[i].admin};
	if (ini != NULL && trees != NULL)
		err = spec_encode(&s, out);
	free(trees);
	free(ini);
	return err;
}

/* A sealed copy: nobody, the zygote's later tenant code included, can change what a site was told. */
static int spec_memfd(const struct conf_server *site, bool privileged, bool with_mail, const struct site_leaf *leaf)
{
	struct buf text;
	int fd = -1;

	buf_init(&text);
	if (spec_of(site, privileged, with_mail, leaf, &text) == GW_OK) {
		fd = memfd_create("bulkhead-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (fd != -1 && (io_write_all(fd, buf_head(&text), buf_unread(&text)) < 0 || lseek(fd, 0, SEEK_SET) == -1 ||
				fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1))
			io_close(&fd);
	}
	buf_fini(&text);
	return fd;
}

/* posix_spawn() rather than fork(): its cost does not grow with the thousands of virtual hosts in our memory. */
static pid_t spawn(const char *program, const char *site, int chan, int spec)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)site, NULL}; /* the name is for ps and -S */
	char *envp[] = {(char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	pid_t pid;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	/* dup2() to 3 and 4 clears close-on-exec; the sources were moved above 4, so neither overwrites the other. */
	int err = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&fa, chan, SPEC_CHAN_FD);
	if (err == 0 && spec != -1)
		err = posix_spawn_file_actions_adddup2(&fa, spec, SPEC_SPEC_FD);
	else if (err == 0) /* how it knows that it is a spare one */
		err = posix_spawn_file_actions_addclose(&fa, SPEC_SPEC_FD);
	if (err == 0)
		err = posix_spawnattr_setsigmask(&attr, &none);
	if (err == 0)
		err = posix_spawnattr_setsigdefault(&attr, &all);
	if (err == 0)
		err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (err == 0)
		err = posix_spawn(&pid, program, &fa, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	errno = err;
	return err == 0 ? pid : -1;
}

/* The same descriptor above 4, close-on-exec; closes the old one. */
static int move_up(int *fd)
{
	int up = *fd == -1 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 5);

	io_close(fd);
	return up;
}

/* Start @program in @leaf with @spec (-1: none yet); *@chan gets our end of its channel. */
static pid_t start(const char *program, const char *site, const struct site_leaf *leaf, int spec, int *chan, const char **why)
{
	static char text[PATH_MAX + 128];
	int ends[2];
	pid_t pid = -1;

	*why = text;
	if (ipc_pair(ends) < 0) {
		snprintf(text, sizeof(text), "cannot make a channel: %s", strerror(errno));
		return GW_ERR_SYS;
	}
	int theirs = move_up(&ends[1]);
	if (theirs != -1)
		pid = spawn(program, site, theirs, spec);
	if (pid == -1)
		snprintf(text, sizeof(text), "cannot start %s: %s", program, strerror(errno));
	else if (leaf != NULL && cgroup_put(site_leaf_fd(leaf), "cgroup.procs", "%d", (int)pid) < 0) {
		/* It has run none of the tenant's code: the front does not have its channel. */
		snprintf(text, sizeof(text), "cannot put %s into its cgroup: %s", program, strerror(errno));
		kill(pid, SIGKILL);
		pid = -1;
	}
	io_close(&theirs);
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
	pid_t pid = err == GW_OK ? start(program, name, *leaf, -1, chan, why) : err;
	if (pid < 0)
		site_leaf_end(cgroups, *leaf);
	return pid;
}

/* Tell one that waits whose zygote it is. The front gets the channel after that, so this message is the first. */
static int tell_spare(int chan, int spec)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_ZYGOTE_SPEC, 0, NULL);
	m.fds[0] = spec;
	m.fds_n = 1;
	return ipc_send(chan, &m);
}

/* Bounds for @leaf, then what its process is told, as a descriptor above 4. Negative with *@why. */
static int prepare(const struct launch *l, const struct conf_server *site, bool with_mail, struct site_leaf *leaf, const char **why)
{
	int err = site_leaf_bound(l->cgroups, leaf, site, why);

	if (err < 0)
		return err;
	*why = "cannot write down what the zygote is to be told";
	int made = spec_memfd(site, l->privileged, with_mail, leaf), spec = move_up(&made);
	return spec == -1 ? GW_ERR_SYS : spec;
}

/* A process that waits, in its cgroup the bounds of @site before it is told of it. 0: there is none that can be used. */
static pid_t use_spare(const struct launch *l, const struct conf_server *site, bool with_mail, int *chan, struct site_leaf **leaf,
	const char **why)
{
	pid_t pid = spares_take(l->spares, launch_program(site->php_version), chan, leaf);

	if (pid == 0)
		return 0;
	int spec = prepare(l, site, with_mail, *leaf, why), err = spec < 0 ? spec : GW_OK;
	bool told = spec >= 0 && tell_spare(*chan, spec) == GW_OK;
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
static pid_t start_new(const struct launch *l, const struct conf_server *site, bool with_mail, int *chan, struct site_leaf **leaf,
	const char **why)
{
	int err = site_leaf_new(l->cgroups, leaf, why);

	if (err < 0)
		return err;
	int spec = prepare(l, site, with_mail, *leaf, why);
	pid_t pid = spec < 0 ? spec : start(launch_program(site->php_version), site->name, *leaf, spec, chan, why);
	if (spec >= 0)
		io_close(&spec);
	if (pid < 0)
		site_leaf_end(l->cgroups, *leaf);
	return pid;
}

/* Whatever it was started with, what the spec says of mail comes over the channel, before the front gets that. */
static int tell_mail(int chan, int mail)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_ZYGOTE_MAIL, 0, NULL);
	m.fds[0] = mail;
	m.fds_n = 1;
	return ipc_send(chan, &m);
}

pid_t launch_zygote(const struct launch *l, const struct conf_server *site, int mail, int *chan, struct site_leaf **leaf,
	const char **why)
{
	pid_t pid = use_spare(l, site, mail != -1, chan, leaf, why);

	if (pid == 0)
		pid = start_new(l, site, mail != -1, chan, leaf, why);
	if (pid > 0 && mail != -1 && tell_mail(*chan, mail) < 0) {
		*why = "cannot tell the zygote of its channel for mail";
		kill(pid, SIGKILL);
		io_close(chan);
		site_leaf_end(l->cgroups, *leaf);
		pid = GW_ERR_SYS;
	}
	io_close(&mail);
	return pid;
}
