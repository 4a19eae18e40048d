/* SPDX-License-Identifier: Apache-2.0 */
/* What `legacy` has over `php`: programs, and what programs call. */
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <termios.h>

#include "sandbox/sb_parts.h"

static const uint32_t more_ioctls[] = {TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TCSETS, TCSETSW, TCSETSF};
/* PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER are the zygote's means to end what a request leaves behind. */
static const uint32_t more_prctls[] = {PR_GET_PDEATHSIG, PR_SET_KEEPCAPS, PR_GET_SECCOMP, PR_CAPBSET_READ,
	PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS};

static const struct sb_rule legacy_more[] = {
	ALLOW("execve"), ALLOW("execveat"), ALLOW("fork"), ALLOW("vfork"), ALLOW("wait4"), ALLOW("waitid"),
	ALLOW("kill"), ALLOW("tkill"), ALLOW("tgkill"), ALLOW("setpgid"), ALLOW("setsid"), ALLOW("arch_prctl"),
	ALLOW("getrlimit"), ALLOW("setrlimit"), ALLOW("inotify_init"), ALLOW("inotify_init1"),
	ALLOW("inotify_add_watch"), ALLOW("inotify_rm_watch"), ALLOW("timerfd_create"), ALLOW("timerfd_settime"),
	ALLOW("timerfd_gettime"), ALLOW("signalfd4"), ALLOW("memfd_create"), ALLOW("sched_getparam"),
	ALLOW("sched_getscheduler"), ALLOW("sync_file_range"), ALLOW("setxattr"), ALLOW("lsetxattr"),
	ALLOW("fsetxattr"), ALLOW("getxattr"), ALLOW("lgetxattr"), ALLOW("fgetxattr"), ALLOW("listxattr"),
	ALLOW("llistxattr"), ALLOW("flistxattr"), ALLOW("removexattr"), ALLOW("lremovexattr"),
	ALLOW("fremovexattr"), ALLOW("chown"), ALLOW("lchown"), ALLOW("fchown"), ALLOW("fchownat"),
	ALLOW("epoll_create"), ALLOW("eventfd"), ALLOW("getdents"), ALLOW("tee"), ALLOW("vmsplice"),
	ALLOW("membarrier"), ALLOW("utime"), ALLOW("utimes"), ALLOW("futimesat"),
	{.name = "setpriority", WHEN2(IS(0, PRIO_PROCESS), IS(1, 0))},
	{.name = "prlimit64", WHEN1(IS(0, 0))},
	/* A linker may make relocated code executable; never both at once. */
	{.name = "mprotect", WHEN1(BITS(2, PROT_WRITE | PROT_EXEC, PROT_EXEC))},
	/* A process, a thread, vfork(2): anything but a namespace or a traced child. */
	{.name = "clone", WHEN1(WITHOUT(0, CLONE_NEW_ANY | CLONE_PTRACE))},
	{.name = "ioctl", ONE_OF(1, more_ioctls)},
	{.name = "prctl", ONE_OF(0, more_prctls)},
	/* Not the zygote, not its group, not everybody of this user. */
	{.name = "kill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_ZYGOTE(0))},
	{.name = "kill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_ZYGOTE_GROUP(0))},
	{.name = "kill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, 0xffffffffU))},
	{.name = "tkill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_ZYGOTE(0))},
	{.name = "tgkill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_ZYGOTE(1))},
};

/* --- calls that no profile has, but SandboxAllow may give when bound to the own process ----------------------------------- */
static const struct sb_rule on_request[] = {
	{.name = "sched_setaffinity", WHEN1(IS(0, 0))},
	{.name = "sched_setscheduler", WHEN1(IS(0, 0))},
	{.name = "sched_setparam", WHEN1(IS(0, 0))},
	{.name = "sched_setattr", WHEN1(IS(0, 0))},
	{.name = "ioprio_set", WHEN2(IS(0, 1 /* IOPRIO_WHO_PROCESS */), IS(1, 0))},
};

/* --- the zygote listens while learning, no cell does ------------------------------------------------------------------------- */
static const uint32_t listening[] = {(uint32_t)SECCOMP_IOCTL_NOTIF_RECV, (uint32_t)SECCOMP_IOCTL_NOTIF_SEND};
static const struct sb_rule learn_rows[] = {
	{.name = "ioctl", .where = SB_ZYGOTE, ONE_OF(1, listening)},
	{.name = "ioctl", .action = SB_EPERM, .where = SB_DELTA, ONE_OF(1, listening)},
};

const struct sb_part sb_part_legacy = PART(legacy_more), sb_part_on_request = PART(on_request), sb_part_learn = PART(learn_rows);
