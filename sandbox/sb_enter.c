/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: runs as root for a moment, in a process that has read nothing but its own site's spec, which the master wrote
 * and sealed. No octet of a client or of the site's files is looked at before the last step.
 */
#include "sandbox/sb_enter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_cell_cgroup.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_landlock.h"
#include "sandbox/sb_layer.h"
#include "sandbox/sb_ns.h"
#include "sandbox/sb_proc.h"
#include "sandbox/sb_site_rules.h"
#include "sandbox/sb_view.h"

#define NOFILE_DEFAULT 1024

/* Soft and hard limit alike; nobody in the sandbox can raise them again. */
static const struct {
	__rlimit_resource_t what;
	rlim_t value;
} limits[] = {
	{RLIMIT_CORE, 0},         /* a core file holds the secrets of every request so far */
	{RLIMIT_RTPRIO, 0},
	{RLIMIT_NICE, 0},
	{RLIMIT_MEMLOCK, 65536},
	{RLIMIT_MSGQUEUE, 0},     /* mq_* is not in any profile */
};

static int lower_limit(__rlimit_resource_t what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(what, &now) == -1)
		return GW_ERR_SYS;
	/* Without CAP_SYS_RESOURCE the hard limit only goes down: take what is lower. */
	if (now.rlim_max < value)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	return setrlimit(what, &now) == -1 ? GW_ERR_SYS : 0;
}

static int set_limits(const struct spec *s)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (lower_limit(limits[i].what, limits[i].value) != 0)
			return GW_ERR_SYS;
	return lower_limit(RLIMIT_NOFILE, s->limit_nofile >= 0 ? (rlim_t)s->limit_nofile : NOFILE_DEFAULT);
}

/* exec keeps ignored and blocked signals: whatever the master had, start from the defaults. */
static int default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL); /* the two that the C library keeps to itself refuse */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == -1 ? GW_ERR_SYS : 0;
}

/* A session of our own: no controlling terminal to push characters into. */
static int new_session(void)
{
	if (setsid() == -1 && (errno != EPERM || getsid(0) != getpid()))
		return GW_ERR_SYS;
	return 0;
}

static int stdin_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return GW_ERR_SYS;
	int err = dup2(fd, STDIN_FILENO) == -1 ? GW_ERR_SYS : 0;
	if (fd != STDIN_FILENO)
		io_close(&fd);
	return err;
}

/*
 * setresuid(2) clears the death signal, so it is set after; a parent that died before is noticed by its absence. From
 * inside a process namespace a parent outside has no number at all (0), so its pidfd is asked instead.
 */
static int die_with_parent(pid_t parent, int parent_fd)
{
	struct pollfd gone = {.fd = parent_fd, .events = POLLIN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return GW_ERR_SYS;
	if (parent_fd == -1)
		return getppid() == parent ? 0 : GW_ERR_CLOSED;
	int n = poll(&gone, 1, 0);
	return n == 0 ? 0 : n == -1 ? GW_ERR_SYS : GW_ERR_CLOSED;
}

/* Root stays root only by mistake; an ordinary user cannot become another. A process namespace is given at birth or never. */
static int check_plan(const struct spec *s, int parent_fd)
{
	if (s->drop != (geteuid() == 0))
		return GW_ERR_DENIED;
	return (s->layers & SB_LAYER_PID) == 0 || (getpid() == 1 && parent_fd != -1) ? 0 : GW_ERR_DENIED;
}

/* What the site sees of the file system, as Landlock rules (@rules) and, with that layer, as a new root. */
static int make_view(const struct spec *s, struct sb_entry *e, int *rules)
{
	static struct sb_root root; /* too long for the stack */
	bool attach = (s->layers & SB_LAYER_MOUNT) != 0;

	*rules = -1;
	if ((s->layers & (SB_LAYER_MOUNT | SB_LAYER_LANDLOCK)) == 0)
		return 0;
	sb_proc_keep_memory();
	snprintf(e->text, sizeof(e->text), "new root");
	if (attach && sb_root_cut_off() != 0)
		return GW_ERR_SYS;
	int proc_fd = sb_ns_proc((s->layers & (SB_LAYER_PID | SB_LAYER_MOUNT)) != 0);
	if (proc_fd < 0)
		return GW_ERR_SYS;
	int err = sb_root_init(&root, attach, !s->drop);
	if (err == 0)
		err = sb_view_build(&root, s, e->system_dirs, e->text, sizeof(e->text));
	if (err == 0 && (s->layers & SB_LAYER_LANDLOCK) != 0) {
		snprintf(e->text, sizeof(e->text), "Landlock rules");
		*rules = sb_site_rules_build(&root, s, proc_fd);
		err = *rules < 0 ? *rules : 0;
	}
	if (err == 0) {
		snprintf(e->text, sizeof(e->text), "change of root");
		err = sb_root_switch(&root);
	}
	sb_root_fini(&root);
	sb_proc_set_dir(proc_fd);
	return err;
}

static int enter_rules(int *rules)
{
	int err = *rules == -1 ? 0 : sb_landlock_enter(*rules);

	io_close(rules);
	return err;
}

#define STEP(name, call)           \
	do {                       \
		e->step = (name);  \
		int err_ = (call); \
		if (err_ != 0)     \
			return err_; \
	} while (0)

/*
 * The order matters, and is the whole point of having it in one place:
 * what needs root (namespaces, mounts, limits, bounding set, groups, gid, uid) comes before what gives root up; every path
 * is opened, and every Landlock rule made, while nobody but root could interfere. Capabilities go after the last use of
 * one, the death signal after the uid change that clears it, dumpable after the exec and uid changes that set it,
 * no_new_privs before Landlock and any filter. The session keyring is joined as the site's user, whose it then is. PHP starts
 * only behind all of them; the system call filter follows PHP's start, which needs more calls than a request.
 *
 * An ordinary user has capabilities here only inside a user namespace of his own, which the launcher made; they go the same
 * way.
 */
int sb_enter(const struct spec *s, pid_t parent, int parent_fd, int keep_fd, struct sb_entry *e)
{
	const struct sb_cred cred = {.uid = s->uid, .gid = s->gid, .groups_n = s->groups_n, .groups = s->groups};
	int rules;

	e->dropped = false;
	/*  1 */ STEP("plan: user and process namespace are as told", check_plan(s, parent_fd));
	/*  2 */ STEP("signals", default_signals());
	/*  3 */ STEP("session", new_session());
	/*  4 */ STEP("standard input", stdin_null());
	/*  5 */ STEP("close_range", close_range((unsigned)keep_fd + 1, ~0U, 0) == -1 ? GW_ERR_SYS : 0);
	/* Root's rights to cgroups, and the system's own view of them: before both are gone. */
	/*  6 */ STEP("cgroups of cells", sb_cell_cgroups_open(s->cells_cgroup));
	/*  7 */ STEP("namespaces", sb_ns_enter(s));
	umask(S_IWGRP | S_IWOTH);
	/*  8 */ STEP(e->text, make_view(s, e, &rules));
	/*  9 */ STEP("resource limits", set_limits(s));
	if (s->drop) {
		/* 10 */ STEP("capability bounding set and securebits", sb_cred_drop_bounding());
		/* 11 */ STEP("groups, gid, uid", sb_cred_become(&cred));
	}
	/* 12 */ STEP("capabilities", sb_cred_clear_caps());
	if (s->drop)
		/* 13 */ STEP("check of ids and groups", sb_cred_check_ids(&cred));
	/* 14 */ STEP("check of capabilities", sb_cred_check_caps(s->drop));
	/* 15 */ STEP("dumpable and no_new_privs", sb_cred_no_way_up());
	if ((s->layers & SB_LAYER_KEYRING) != 0)
		/* 16 */ STEP("session keyring", sb_ns_keyring());
	/* 17 */ STEP("death signal", die_with_parent(parent, parent_fd));
	/* 18 */ STEP("Landlock", enter_rules(&rules));
	e->dropped = s->drop;
	e->step = "done";
	return 0;
}
