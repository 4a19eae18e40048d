/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, what is a violation, and what only the zygote may. */
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "sandbox/rollback/rb_priv.h"
#include "sandbox/sb_parts.h"

/* --- no new process, no program, no signal: `strict` and `php` --------------------------------------------------------- */
static const struct sb_rule no_tasks[] = {
	EPERM_("execve"), EPERM_("execveat"), EPERM_("fork"), EPERM_("vfork"), EPERM_("waitid"), EPERM_("tkill"),
	EPERM_("setpgid"), EPERM_("setpriority"), EPERM_("setrlimit"), EPERM_("chown"),
	EPERM_("lchown"), EPERM_("fchown"), EPERM_("fchownat"),
	{.name = "clone", .action = SB_EPERM, .where = SB_DELTA, WHEN1(WITHOUT(0, CLONE_THREAD))},
	{.name = "wait4", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "kill", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "setsid", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "memfd_create", .action = SB_ENOSYS, .where = SB_DELTA},
	/* abort(3) may end this process, not a sibling or the zygote. */
	{.name = "tgkill", .action = SB_EPERM, .where = SB_DELTA, WHEN1(NOT_ME(0))},
	/* How what requests rarely need comes back into a cell: sandbox/php/cold_objects.h. */
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, SIGSEGV))},
	/* Nobody can send a real-time signal to a cell: one kind of state less to be put back. 32 and 33 are the C library's. */
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(BITS(0, 64, 64))},
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(BITS(0, 34, 34))},
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(BITS(0, 36, 36))},
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(BITS(0, 40, 40))},
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(BITS(0, 48, 48))},
};

/* --- refused in a way that programs expect ------------------------------------------------------------------------------ */
static const struct sb_rule refused[] = {
	EPERM_("setuid"), EPERM_("setgid"), EPERM_("setreuid"), EPERM_("setregid"), EPERM_("setresuid"),
	EPERM_("setresgid"), EPERM_("setgroups"), EPERM_("setfsuid"), EPERM_("setfsgid"), EPERM_("capset"),
	EPERM_("sethostname"), EPERM_("setdomainname"), EPERM_("sched_setaffinity"), EPERM_("sched_setscheduler"),
	EPERM_("sched_setattr"), EPERM_("sched_setparam"), EPERM_("ioprio_set"), EPERM_("mlockall"),
	EPERM_("personality"), EPERM_("io_uring_setup"), EPERM_("io_uring_enter"), EPERM_("io_uring_register"),
	EPERM_("name_to_handle_at"), EPERM_("fanotify_init"), EPERM_("migrate_pages"), EPERM_("move_pages"),
	EPERM_("mbind"), EPERM_("set_mempolicy"), EPERM_("pkey_alloc"), EPERM_("pkey_mprotect"),
	/* Passed to another process, a socket that lingers makes that one's close(2) wait, and nothing interrupts it. */
	{.name = "setsockopt", .action = SB_EPERM, .where = SB_DELTA, WHEN2(IS(1, SOL_SOCKET), IS(2, SO_LINGER))},
};

/* --- violations: nothing PHP does ever comes here; whoever calls these is attacking the kernel ---------------------------- */
#define VIOLATIONS(X)                                                                                                  \
	X("bpf"), X("keyctl"), X("add_key"), X("request_key"), X("setns"), X("mount"),               \
	X("umount2"), X("pivot_root"), X("chroot"), X("open_tree"), X("move_mount"), X("fsopen"), X("fsconfig"),        \
	X("fsmount"), X("fspick"), X("mount_setattr"), X("kexec_load"), X("kexec_file_load"), X("init_module"),         \
	X("finit_module"), X("delete_module"), X("perf_event_open"), X("process_vm_readv"), X("process_vm_writev"),     \
	X("ptrace"), X("pidfd_getfd"), X("open_by_handle_at"), X("modify_ldt"), X("iopl"), X("ioperm"), X("reboot"),    \
	X("swapon"), X("swapoff"), X("quotactl"), X("acct"), X("settimeofday"), X("clock_settime"),                     \
	X("clock_adjtime"), X("adjtimex"), X("syslog"), X("lookup_dcookie"), X("kcmp"), X("vhangup")

static const struct sb_rule violations[] = {
	VIOLATIONS(KILL),
	{.name = "unshare", .action = SB_KILL, .where = SB_DELTA, WHEN1(IS_NOT_LONG(0, RB_UNSHARE))},
	{.name = "userfaultfd", .action = SB_KILL, .where = SB_DELTA},
	{.name = "seccomp", .action = SB_KILL, .where = SB_DELTA},
};

/* Programs try some of these to find out what they may: no reason to end a request of a site that may run them. */
static const struct sb_rule violations_eperm[] = {
	VIOLATIONS(EPERM_),
	{.name = "unshare", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_NOT_LONG(0, RB_UNSHARE))},
	{.name = "userfaultfd", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "seccomp", .action = SB_EPERM, .where = SB_DELTA},
};

/* --- the zygote forks cells, reaps and kills them, and lets them load the delta ------------------------------------------ */
static const uint32_t uffd_ioctls[] = {UFFDIO_API, UFFDIO_REGISTER};

static const struct sb_rule zygote[] = {
	{.name = "clone", .where = SB_ZYGOTE, WHEN1(WITHOUT(0, CLONE_THREAD | CLONE_VM | CLONE_PTRACE | CLONE_NEW_ANY))},
	{.name = "wait4", .where = SB_ZYGOTE},
	{.name = "kill", .where = SB_ZYGOTE, WHEN1(IS(1, SIGKILL))},
	{.name = "prctl", .where = SB_ZYGOTE, WHEN1(IS(0, PR_SET_PDEATHSIG))},
	{.name = "seccomp", .where = SB_ZYGOTE},
	/* Memory files for opcache's images; see sandbox/php/opcache.h. */
	{.name = "memfd_create", .where = SB_ZYGOTE},
	/* A cell that may start programs is the reaper of its own orphans, in a session of its own. */
	{.name = "setsid", .where = SB_ZYGOTE},
	{.name = "prctl", .where = SB_ZYGOTE, WHEN1(IS(0, PR_SET_CHILD_SUBREAPER))},
	/* A new cell opens its own entries in /proc before it locks itself down: sb_proc_open(). */
	{.name = "prctl", .where = SB_ZYGOTE, WHEN1(IS(0, PR_SET_DUMPABLE))},
	/* A new cell puts itself into a Landlock domain of its own, with rules that the zygote made. */
	{.name = "landlock_restrict_self", .where = SB_ZYGOTE},
	/* A cell that is rolled back: see rollback.h. It keeps the scan of its own memory. */
	{.name = "userfaultfd", .where = SB_ZYGOTE},
	{.name = "mseal", .where = SB_ZYGOTE},
	{.name = "ioctl", .where = SB_ZYGOTE, WHEN1(IS(0, ROLLBACK_FD + RB_FD_UFFD)), ONE_OF(1, uffd_ioctls)},
	{.name = "ioctl", WHEN2(IS(0, ROLLBACK_FD + RB_FD_PAGEMAP), IS(1, PAGEMAP_SCAN))},
	/* And it asks whether it has one thread, and gives back the semaphores that its request has taken: these flags, no others. */
	{.name = "unshare", WHEN1(IS_LONG(0, RB_UNSHARE))},
	{.name = "mseal", .action = SB_ENOSYS, .where = SB_DELTA},
	{.name = "ioctl", .action = SB_EPERM, .where = SB_DELTA, ONE_OF(1, uffd_ioctls)},
	{.name = "prctl", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, PR_SET_CHILD_SUBREAPER))},
	{.name = "prctl", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, PR_SET_DUMPABLE))},
	{.name = "landlock_restrict_self", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "prctl", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, PR_SET_PDEATHSIG))},
	/* A violation must end the process: its handler stays. (Ignored or blocked, the kernel kills by itself.) */
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, SIGSYS))},
	/* Gone from the kernel since 3.1; how the handler of a violation ends for good. No program tries it. */
	KILL("nfsservctl"),
};

const struct sb_part sb_part_no_tasks = PART(no_tasks), sb_part_refused = PART(refused), sb_part_kill = PART(violations),
	sb_part_kill_eperm = PART(violations_eperm), sb_part_zygote = PART(zygote);
