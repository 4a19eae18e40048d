/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_profile_php.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#define ALLOW(call) {.name = call, .action = SB_ALLOW}
#define EPERM_(call) {.name = call, .action = SB_EPERM}
#define KILL(call) {.name = call, .action = SB_KILL}
#define WHEN1(a) .cmps_n = 1, .cmps = {a}
#define WHEN2(a, b) .cmps_n = 2, .cmps = {a, b}
#define WHEN3(a, b, c) .cmps_n = 3, .cmps = {a, b, c}
#define IS(n, v) {.arg = (n), .mask = SB_INT, .value = (v)}
#define IS_LONG(n, v) {.arg = (n), .mask = SB_ALL_BITS, .value = (v)}
#define BITS(n, m, v) {.arg = (n), .mask = (m), .value = (v)}
#define NOT_ME(n) {.arg = (n), .differs = true, .own_pid = true, .mask = SB_ALL_BITS}
#define WITHOUT(n, m) BITS(n, m, 0)
#define ONE_OF(n, list) .list_arg = (n), .values_n = sizeof(list) / sizeof((list)[0]), .values = (list)

#define SETID (S_ISUID | S_ISGID)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define SOCK_TYPE_BITS 0xfU
/* Every CLONE_NEW* flag: CLONE_NEWNS (0x00020000) and 0x02000000 to 0x40000000; CLONE_NEWTIME shares its bit with the exit signal and is refused by clone(2) itself. */
#define CLONE_NEW_ANY 0x7E020000U

/* --- always harmless: descriptors, files by name within the user's rights, memory without code, time, own identity --- */
static const struct sb_rule common[] = {
	ALLOW("read"), ALLOW("write"), ALLOW("readv"), ALLOW("writev"), ALLOW("pread64"), ALLOW("pwrite64"),
	ALLOW("preadv"), ALLOW("pwritev"), ALLOW("lseek"), ALLOW("close"), ALLOW("close_range"), ALLOW("dup"),
	ALLOW("dup2"), ALLOW("dup3"), ALLOW("newfstatat"), ALLOW("stat"), ALLOW("lstat"), ALLOW("fstat"),
	ALLOW("statx"), ALLOW("access"), ALLOW("faccessat"), ALLOW("faccessat2"), ALLOW("readlink"),
	ALLOW("readlinkat"), ALLOW("getdents64"), ALLOW("getcwd"), ALLOW("chdir"), ALLOW("fchdir"), ALLOW("mkdir"),
	ALLOW("mkdirat"), ALLOW("rmdir"), ALLOW("unlink"), ALLOW("unlinkat"), ALLOW("rename"), ALLOW("renameat"),
	ALLOW("renameat2"), ALLOW("link"), ALLOW("linkat"), ALLOW("symlink"), ALLOW("symlinkat"), ALLOW("truncate"),
	ALLOW("ftruncate"), ALLOW("fallocate"), ALLOW("fadvise64"), ALLOW("copy_file_range"), ALLOW("sendfile"),
	ALLOW("splice"), ALLOW("fsync"), ALLOW("fdatasync"), ALLOW("msync"), ALLOW("flock"), ALLOW("umask"),
	ALLOW("utimensat"), ALLOW("statfs"), ALLOW("fstatfs"), ALLOW("brk"), ALLOW("munmap"), ALLOW("mremap"),
	ALLOW("madvise"), ALLOW("mincore"), ALLOW("poll"), ALLOW("ppoll"), ALLOW("select"), ALLOW("pselect6"),
	ALLOW("epoll_create1"), ALLOW("epoll_ctl"), ALLOW("epoll_wait"), ALLOW("epoll_pwait"), ALLOW("eventfd2"),
	ALLOW("pipe"), ALLOW("pipe2"), ALLOW("connect"), ALLOW("getsockname"), ALLOW("getpeername"),
	ALLOW("getsockopt"), ALLOW("shutdown"), ALLOW("recvfrom"), ALLOW("recvmsg"), ALLOW("recvmmsg"),
	ALLOW("rt_sigaction"), ALLOW("rt_sigprocmask"), ALLOW("rt_sigreturn"), ALLOW("rt_sigpending"),
	ALLOW("rt_sigtimedwait"), ALLOW("rt_sigsuspend"), ALLOW("sigaltstack"), ALLOW("setitimer"),
	ALLOW("getitimer"), ALLOW("alarm"), ALLOW("pause"), ALLOW("restart_syscall"), ALLOW("nanosleep"),
	ALLOW("clock_nanosleep"), ALLOW("clock_gettime"), ALLOW("clock_getres"), ALLOW("gettimeofday"), ALLOW("time"),
	ALLOW("times"), ALLOW("getrusage"), ALLOW("sysinfo"), ALLOW("uname"), ALLOW("getrandom"), ALLOW("futex"),
	ALLOW("sched_yield"), ALLOW("sched_getaffinity"), ALLOW("getcpu"), ALLOW("getpid"), ALLOW("getppid"),
	ALLOW("gettid"), ALLOW("getuid"), ALLOW("geteuid"), ALLOW("getgid"), ALLOW("getegid"), ALLOW("getgroups"),
	ALLOW("getresuid"), ALLOW("getresgid"), ALLOW("getpgid"), ALLOW("getpgrp"), ALLOW("getsid"),
	ALLOW("getpriority"), ALLOW("exit"), ALLOW("exit_group"),
};

/* --- harmless with the right arguments ------------------------------------------------------------------------------- */
static const uint32_t sol_socket_options[] = {SO_REUSEADDR, SO_ERROR, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
	SO_OOBINLINE, SO_LINGER, SO_REUSEPORT, SO_PASSCRED, SO_RCVTIMEO, SO_SNDTIMEO};
/* No TCP_ULP (kernel TLS and its bugs), no TCP_REPAIR. */
static const uint32_t tcp_options[] = {1 /* NODELAY */, 3 /* CORK */, 4 /* KEEPIDLE */, 5 /* KEEPINTVL */,
	6 /* KEEPCNT */, 18 /* USER_TIMEOUT */};
static const uint32_t ip_options[] = {1 /* TOS */, 2 /* TTL */, 10 /* MTU_DISCOVER */, 11 /* RECVERR */,
	24 /* BIND_ADDRESS_NO_PORT */};
static const uint32_t ipv6_options[] = {16 /* UNICAST_HOPS */, 23 /* MTU_DISCOVER */, 25 /* RECVERR */,
	26 /* V6ONLY */, 67 /* TCLASS */};
static const uint32_t ioctls[] = {FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ, FIOCLEX, FIONCLEX};
static const uint32_t fcntls[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
	36 /* F_OFD_GETLK */, 37 /* F_OFD_SETLK */, 38 /* F_OFD_SETLKW */, F_DUPFD_CLOEXEC, F_GET_SEALS};
static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, 0x53564d41 /* PR_SET_VMA: malloc names its arenas */};
static const uint32_t tcp_protocols[] = {0, 6};
static const uint32_t udp_protocols[] = {0, 17};

static const struct sb_rule arguments[] = {
	{.name = "mmap", WHEN1(WITHOUT(2, PROT_EXEC))},
	{.name = "mprotect", WHEN1(WITHOUT(2, PROT_EXEC))},
	/* Creating a file with set-id bits: refused in each of the ways there are. */
	{.name = "open", WHEN1(WITHOUT(1, O_CREAT | TMPFILE_BIT))},
	{.name = "open", WHEN1(WITHOUT(2, SETID))},
	{.name = "openat", WHEN1(WITHOUT(2, O_CREAT | TMPFILE_BIT))},
	{.name = "openat", WHEN1(WITHOUT(3, SETID))},
	{.name = "creat", WHEN1(WITHOUT(1, SETID))},
	{.name = "chmod", WHEN1(WITHOUT(1, SETID))},
	{.name = "fchmod", WHEN1(WITHOUT(1, SETID))},
	{.name = "fchmodat", WHEN1(WITHOUT(2, SETID))},
	{.name = "mknod", WHEN1(BITS(1, S_IFMT | SETID, S_IFREG))},
	{.name = "mknod", WHEN1(BITS(1, S_IFMT | SETID, S_IFIFO))},
	{.name = "mknodat", WHEN1(BITS(2, S_IFMT | SETID, S_IFREG))},
	{.name = "mknodat", WHEN1(BITS(2, S_IFMT | SETID, S_IFIFO))},
	/* Stream and datagram sockets of the usual families. MPTCP (protocol 262) would pass by later port rules. */
	{.name = "socket", WHEN2(IS(0, AF_UNIX), IS(2, 0))},
	{.name = "socket", WHEN2(IS(0, AF_INET), BITS(1, SOCK_TYPE_BITS, SOCK_STREAM)), ONE_OF(2, tcp_protocols)},
	{.name = "socket", WHEN2(IS(0, AF_INET), BITS(1, SOCK_TYPE_BITS, SOCK_DGRAM)), ONE_OF(2, udp_protocols)},
	{.name = "socket", WHEN2(IS(0, AF_INET6), BITS(1, SOCK_TYPE_BITS, SOCK_STREAM)), ONE_OF(2, tcp_protocols)},
	{.name = "socket", WHEN2(IS(0, AF_INET6), BITS(1, SOCK_TYPE_BITS, SOCK_DGRAM)), ONE_OF(2, udp_protocols)},
	{.name = "socketpair", WHEN1(IS(0, AF_UNIX))},
	/* MSG_FASTOPEN connects without connect(2). */
	{.name = "sendto", WHEN1(WITHOUT(3, MSG_FASTOPEN))},
	{.name = "sendmsg", WHEN1(WITHOUT(2, MSG_FASTOPEN))},
	{.name = "sendmmsg", WHEN1(WITHOUT(3, MSG_FASTOPEN))},
	{.name = "setsockopt", WHEN1(IS(1, SOL_SOCKET)), ONE_OF(2, sol_socket_options)},
	{.name = "setsockopt", WHEN1(IS(1, 6 /* TCP */)), ONE_OF(2, tcp_options)},
	{.name = "setsockopt", WHEN1(IS(1, 0 /* IP */)), ONE_OF(2, ip_options)},
	{.name = "setsockopt", WHEN1(IS(1, 41 /* IPv6 */)), ONE_OF(2, ipv6_options)},
	{.name = "ioctl", ONE_OF(1, ioctls)},
	{.name = "fcntl", ONE_OF(1, fcntls)},
	{.name = "prctl", ONE_OF(0, prctls)},
	/* Reading one's own limits, nobody else's. */
	{.name = "prlimit64", WHEN2(IS(0, 0), IS_LONG(2, 0))},
	/* abort(3); see the delta for whom. */
	{.name = "tgkill", WHEN1(IS(2, SIGABRT))},
};

/* --- what `php` has over a stricter profile --------------------------------------------------------------------------- */
static const struct sb_rule php_more[] = {
	ALLOW("bind"), ALLOW("listen"), ALLOW("accept"), ALLOW("accept4"), ALLOW("rseq"), ALLOW("set_robust_list"),
	ALLOW("set_tid_address"), ALLOW("mlock"), ALLOW("munlock"), ALLOW("semget"), ALLOW("semop"),
	ALLOW("semtimedop"), ALLOW("semctl"), ALLOW("shmget"), ALLOW("shmdt"), ALLOW("shmctl"), ALLOW("msgget"),
	ALLOW("msgsnd"), ALLOW("msgrcv"), ALLOW("msgctl"),
	/* Code may be mapped from a file (a character-set or name-service module loaded late), never made writable. */
	{.name = "mmap", WHEN1(BITS(2, PROT_WRITE | PROT_EXEC, PROT_EXEC))},
	{.name = "shmat", WHEN1(WITHOUT(2, SHM_EXEC))},
	/* getaddrinfo(3) asks the kernel for its addresses. */
	{.name = "socket", WHEN3(IS(0, AF_NETLINK), BITS(1, SOCK_TYPE_BITS, SOCK_RAW), IS(2, 0))},
	/* A thread of this process, as libcurl's resolver starts one; neither a process nor a namespace. */
	{.name = "clone", WHEN1(BITS(0, CLONE_THREAD | CLONE_NEW_ANY, CLONE_THREAD))},
};

/* --- refused in a way that programs expect ------------------------------------------------------------------------------ */
static const struct sb_rule refused[] = {
	EPERM_("setuid"), EPERM_("setgid"), EPERM_("setreuid"), EPERM_("setregid"), EPERM_("setresuid"),
	EPERM_("setresgid"), EPERM_("setgroups"), EPERM_("setfsuid"), EPERM_("setfsgid"), EPERM_("capset"),
	EPERM_("sethostname"), EPERM_("setdomainname"), EPERM_("chown"), EPERM_("lchown"), EPERM_("fchown"),
	EPERM_("fchownat"), EPERM_("execve"), EPERM_("execveat"), EPERM_("fork"), EPERM_("vfork"), EPERM_("tkill"),
	EPERM_("setpgid"), EPERM_("setsid"), EPERM_("setpriority"), EPERM_("setrlimit"), EPERM_("sched_setaffinity"),
	EPERM_("sched_setscheduler"), EPERM_("sched_setattr"), EPERM_("sched_setparam"), EPERM_("ioprio_set"),
	EPERM_("mlockall"), EPERM_("personality"), EPERM_("io_uring_setup"), EPERM_("io_uring_enter"),
	EPERM_("io_uring_register"), EPERM_("name_to_handle_at"), EPERM_("fanotify_init"), EPERM_("migrate_pages"),
	EPERM_("move_pages"), EPERM_("mbind"), EPERM_("set_mempolicy"), EPERM_("pkey_alloc"), EPERM_("pkey_mprotect"),
};

/* --- violations: nothing PHP does ever comes here; whoever calls these is attacking the kernel ---------------------------- */
static const struct sb_rule violations[] = {
	KILL("bpf"), KILL("userfaultfd"), KILL("keyctl"), KILL("add_key"), KILL("request_key"), KILL("unshare"),
	KILL("setns"), KILL("mount"), KILL("umount2"), KILL("pivot_root"), KILL("chroot"), KILL("open_tree"),
	KILL("move_mount"), KILL("fsopen"), KILL("fsconfig"), KILL("fsmount"), KILL("fspick"), KILL("mount_setattr"),
	KILL("kexec_load"), KILL("kexec_file_load"), KILL("init_module"), KILL("finit_module"), KILL("delete_module"),
	KILL("perf_event_open"), KILL("process_vm_readv"), KILL("process_vm_writev"), KILL("ptrace"),
	KILL("pidfd_getfd"), KILL("open_by_handle_at"), KILL("modify_ldt"), KILL("iopl"), KILL("ioperm"),
	KILL("reboot"), KILL("swapon"), KILL("swapoff"), KILL("quotactl"), KILL("acct"), KILL("settimeofday"),
	KILL("clock_settime"), KILL("clock_adjtime"), KILL("adjtimex"), KILL("syslog"), KILL("nfsservctl"),
	KILL("lookup_dcookie"), KILL("kcmp"), KILL("vhangup"),
};

/* --- the zygote forks cells, reaps and kills them, and lets them load the delta; the delta takes all of it away ------------ */
static const struct sb_rule zygote_extras[] = {
	{.name = "clone", .where = SB_ZYGOTE, WHEN1(WITHOUT(0, CLONE_THREAD | CLONE_VM | CLONE_PTRACE | CLONE_NEW_ANY))},
	{.name = "wait4", .where = SB_ZYGOTE},
	{.name = "kill", .where = SB_ZYGOTE, WHEN1(IS(1, SIGKILL))},
	{.name = "prctl", .where = SB_ZYGOTE, WHEN1(IS(0, PR_SET_PDEATHSIG))},
	/* A new cell opens its own entries in /proc before it locks itself down: sb_proc_open(). */
	{.name = "prctl", .where = SB_ZYGOTE, WHEN1(IS(0, PR_SET_DUMPABLE))},
	/* A new cell puts itself into a Landlock domain of its own, with rules that the zygote made. */
	{.name = "landlock_restrict_self", .where = SB_ZYGOTE},
	{.name = "seccomp", .where = SB_ZYGOTE},
	{.name = "waitid", .action = SB_EPERM},
	{.name = "clone", .action = SB_EPERM, .where = SB_DELTA, WHEN1(WITHOUT(0, CLONE_THREAD))},
	{.name = "wait4", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "kill", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "prctl", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, PR_SET_PDEATHSIG))},
	{.name = "prctl", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, PR_SET_DUMPABLE))},
	{.name = "landlock_restrict_self", .action = SB_EPERM, .where = SB_DELTA},
	{.name = "seccomp", .action = SB_KILL, .where = SB_DELTA},
	/* abort(3) may end this process, not a sibling or the zygote. */
	{.name = "tgkill", .action = SB_EPERM, .where = SB_DELTA,
		WHEN1(NOT_ME(0))},
	/* A violation must end the process: its handler stays. (Ignored or blocked, the kernel kills by itself.) */
	{.name = "rt_sigaction", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS(0, SIGSYS))},
};

#define PART(table) {.rules = (table), .rules_n = sizeof(table) / sizeof((table)[0])}

static const struct sb_part php_parts[] = {PART(common), PART(arguments), PART(php_more), PART(refused),
	PART(violations), PART(zygote_extras)};

const struct sb_profile sb_profile_php = {
	.name = "php", .parts = php_parts, .parts_n = sizeof(php_parts) / sizeof(php_parts[0])};
