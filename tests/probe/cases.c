/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles, written down a second time and by hand: what is expected here is compared with the tables, with an
 * evaluation of the tables, and with what the kernel does under the loaded filter. Arguments are chosen to fail harmlessly
 * (bad descriptor, null pointer, a process that cannot be) when the call gets through: also one that must be denied,
 * for this test runs as root, and the day a filter is wrong it must say so and not do it.
 */
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include "sandbox/rollback/rb_priv.h"
#include "tests/probe/cases.h"

#define BAD UINT64_MAX /* a descriptor or pointer that is none; never where -1 means "all", but to ask (signal 0) */
#define CASE(s, p, l, call, ...) {.name = call, .expect = {s, p, l}, .args = {__VA_ARGS__}}
#define OK(...) CASE(REACHED, REACHED, REACHED, __VA_ARGS__)
#define NO(...) CASE(EPERM_, EPERM_, EPERM_, __VA_ARGS__)
#define NONE(...) CASE(ENOSYS_, ENOSYS_, ENOSYS_, __VA_ARGS__)
#define DIE(...) CASE(KILLED, KILLED, EPERM_, __VA_ARGS__)
#define LATER(...) CASE(ENOSYS_, REACHED, REACHED, __VA_ARGS__)     /* from php on */
#define LATER_E(...) CASE(EPERM_, REACHED, REACHED, __VA_ARGS__)
#define STRICT_E(...) CASE(EPERM_, ENOSYS_, ENOSYS_, __VA_ARGS__)
#define TASKS(...) CASE(EPERM_, EPERM_, REACHED, __VA_ARGS__)       /* processes and programs: legacy */
#define PROGRAMS(...) CASE(ENOSYS_, ENOSYS_, REACHED, __VA_ARGS__)
#define NO_LEGACY_N(...) CASE(EPERM_, EPERM_, ENOSYS_, __VA_ARGS__)
#define OK_ALARM(call) {.name = call, .expect = {REACHED, REACHED, REACHED}, .alarm = true}
#define ZYGOTE(s, p, l, call, ...) {.name = call, .expect = {s, p, l}, .args = {__VA_ARGS__}, .zygote = true}
#define HIGH (UINT64_C(1) << 32) /* a bit above what the kernel looks at */

const struct probe_case probe_cases[] = {
	/* descriptors and files */
	OK("read", BAD), OK("write", BAD), OK("readv", BAD), OK("writev", BAD), OK("pread64", BAD), OK("pwrite64", BAD),
	OK("preadv", BAD), OK("pwritev", BAD), OK("lseek", BAD), OK("close", BAD), OK("close_range", BAD, 0), OK("dup", BAD),
	OK("dup2", BAD, BAD), OK("dup3", BAD, BAD), OK("newfstatat", BAD), OK("stat", 0, 0), OK("lstat", 0, 0),
	OK("fstat", BAD), OK("statx", BAD), OK("access", 0), OK("faccessat", BAD), OK("faccessat2", BAD), OK("readlink", 0),
	OK("readlinkat", BAD), OK("getdents64", BAD), OK("getcwd", 0, 0), OK("chdir", 0), OK("fchdir", BAD), OK("mkdir", 0),
	OK("mkdirat", BAD), OK("rmdir", 0), OK("unlink", 0), OK("unlinkat", BAD), OK("rename", 0, 0), OK("renameat", BAD),
	OK("renameat2", BAD), OK("link", 0, 0), OK("linkat", BAD), OK("symlink", 0, 0), OK("symlinkat", 0, BAD),
	OK("truncate", 0), OK("ftruncate", BAD), OK("fallocate", BAD), OK("fadvise64", BAD), OK("copy_file_range", BAD),
	OK("sendfile", BAD, BAD), OK("splice", BAD), OK("fsync", BAD), OK("fdatasync", BAD), OK("msync", 1), OK("flock", BAD),
	OK("umask", 022), OK("utimensat", BAD, BAD), OK("statfs", 0), OK("fstatfs", BAD),
	/* memory, readiness */
	OK("brk", 0), OK("munmap", 1), OK("mremap", 1), OK("madvise", 1), OK("mincore", 1), OK("poll", 0, 0, 0),
	OK("ppoll", 0, 0, 8), OK("select", BAD), OK("pselect6", BAD), OK("epoll_create1", BAD), OK("epoll_ctl", BAD),
	OK("epoll_wait", BAD, 0, 1), OK("epoll_pwait", BAD, 0, 1), OK("eventfd2", 0, BAD), OK("pipe", 0), OK("pipe2", 0, 0),
	/* sockets in use */
	OK("connect", BAD), OK("getsockname", BAD), OK("getpeername", BAD), OK("getsockopt", BAD), OK("shutdown", BAD),
	OK("recvfrom", BAD), OK("recvmsg", BAD), OK("recvmmsg", BAD), LATER("bind", BAD), LATER("listen", BAD), LATER("accept", BAD),
	LATER("accept4", BAD),
	/* signals, time */
	OK("rt_sigaction", SIGUSR1, 0, 0, 1), OK("rt_sigaction", 33, 0, 0, 1), TASKS("rt_sigaction", 34, 0, 0, 1),
	TASKS("rt_sigaction", 36, 0, 0, 1), TASKS("rt_sigaction", 40, 0, 0, 1), TASKS("rt_sigaction", 48, 0, 0, 1), TASKS("rt_sigaction", 64, 0, 0, 1),
	NO("rt_sigaction", SIGSYS, 0, 0, 8), NO("rt_sigaction", HIGH | SIGSYS, 0, 0, 8), TASKS("rt_sigaction", SIGSEGV, 0, 0, 1),
	OK("rt_sigprocmask", BAD, 0, 0, 1), OK("rt_sigreturn"), OK("rt_sigpending", 0, 1), OK("rt_sigtimedwait", 0, 0, 0, 1),
	OK("rt_sigsuspend", 0, 1), OK("sigaltstack", 1, 0), OK("setitimer", BAD), OK("getitimer", BAD), OK("alarm", 0),
	OK_ALARM("pause"), OK("restart_syscall"), OK("nanosleep", 0), OK("clock_nanosleep", 99), OK("clock_gettime", 99),
	OK("clock_getres", 99), OK("gettimeofday", 1, 0), OK("time", 1), OK("times", 1), OK("getrusage", 99),
	OK("sysinfo", 0), OK("uname", 0), OK("getrandom", 0, 0, 0), OK("futex", 1, 1 /* WAKE */), OK("sched_yield"),
	/* who am I */
	OK("sched_getaffinity", 0, 1, 0), OK("getcpu", 0, 0), OK("getpid"), OK("getppid"), OK("gettid"), OK("getuid"),
	OK("geteuid"), OK("getgid"), OK("getegid"), OK("getgroups", 0, 0), OK("getresuid", 0), OK("getresgid", 0),
	OK("getpgid", 0), OK("getpgrp"), OK("getsid", 0), OK("getpriority", 99), OK("exit", 7), OK("exit_group", 7),
	/* threads, locked memory, System V IPC */
	LATER("rseq", 1), LATER("set_robust_list", 0, 1), LATER("set_tid_address", 0), LATER("mlock", 0, 0), LATER("munlock", 0, 0),
	LATER_E("semget", 0x1d1d1d, BAD), LATER("semop", BAD), LATER("semtimedop", BAD), LATER("semctl", BAD), LATER_E("shmget", 0x1d1d1d, 0, 0),
	LATER("shmdt", 1), LATER("shmctl", BAD), LATER_E("msgget", 0x1d1d1d, 0), LATER("msgsnd", BAD), LATER("msgrcv", BAD), LATER("msgctl", BAD),
	LATER_E("shmat", BAD, 0, 0), LATER_E("shmat", BAD, 0, SHM_RDONLY), STRICT_E("shmat", BAD, 0, SHM_EXEC),
	LATER("clone", CLONE_THREAD), TASKS("clone", SIGCHLD), TASKS("clone", CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD),
	NONE("clone", CLONE_THREAD | CLONE_NEWNS), NO_LEGACY_N("clone", CLONE_NEWUSER), NONE("clone", CLONE_THREAD | CLONE_NEWUSER),
	NONE("clone", CLONE_THREAD | CLONE_NEWPID), NONE("clone", CLONE_THREAD | CLONE_NEWNET), NONE("clone3", 0, 0),
	/* memory with code: from a file and never writable, or not at all */
	OK("mmap", 0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, BAD, 0),
	LATER("mmap", 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, BAD, 0),
	NONE("mmap", 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, BAD, 0),
	NONE("mmap", 0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, BAD, 0),
	OK("mprotect", 1, 0, PROT_READ), PROGRAMS("mprotect", 1, 0, PROT_READ | PROT_EXEC),
	NONE("mprotect", 1, 0, PROT_READ | PROT_WRITE | PROT_EXEC),
	/* opening and creating: no set-id bits, in any of the ways */
	OK("open", 0, O_RDONLY, 07777), OK("open", 0, O_CREAT | O_WRONLY, 0666), NONE("open", 0, O_CREAT | O_WRONLY, 04755),
	NONE("open", 0, O_CREAT | O_WRONLY, 02755), NONE("open", 0, O_TMPFILE | O_RDWR, 04755),
	OK("openat", BAD, 0, O_RDONLY, 07777), OK("openat", BAD, 0, O_CREAT | O_WRONLY, 0666),
	NONE("openat", BAD, 0, O_CREAT | O_WRONLY, 04755), NONE("openat", BAD, 0, O_CREAT | O_WRONLY, 02755),
	NONE("openat", BAD, 0, O_TMPFILE | O_RDWR, 04755), OK("openat", BAD, 0, O_TMPFILE | O_RDWR, 0600),
	NONE("openat2", BAD, 0, 0, 0), OK("creat", 0, 0644), NONE("creat", 0, 04755), NONE("creat", 0, 02755),
	OK("chmod", 0, 01777), NONE("chmod", 0, 04755), NONE("chmod", 0, 02755), OK("fchmod", BAD, 0644),
	NONE("fchmod", BAD, 04755), NONE("fchmod", BAD, 02755), OK("fchmodat", BAD, 0, 0644), NONE("fchmodat", BAD, 0, 04755),
	NONE("fchmodat", BAD, 0, 02755), OK("mknod", 0, S_IFREG | 0644), OK("mknod", 0, S_IFIFO | 0644),
	NONE("mknod", 0, S_IFREG | 04755), NONE("mknod", 0, S_IFCHR | 0644), NONE("mknod", 0, S_IFBLK | 0644),
	NONE("mknod", 0, S_IFIFO | 02755), OK("mknodat", BAD, 0, S_IFREG | 0644), OK("mknodat", BAD, 0, S_IFIFO | 0644),
	NONE("mknodat", BAD, 0, S_IFREG | 04755), NONE("mknodat", BAD, 0, S_IFCHR | 0644),
	NONE("mknodat", BAD, 0, S_IFBLK | 0644), NONE("mknodat", BAD, 0, S_IFIFO | 02755),
	/* sockets made */
	OK("socket", AF_UNIX, SOCK_STREAM, 0), OK("socket", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	NONE("socket", AF_UNIX, SOCK_STREAM, 1), OK("socket", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	OK("socket", AF_INET, SOCK_STREAM, 6), OK("socket", AF_INET, SOCK_DGRAM, 0), OK("socket", AF_INET, SOCK_DGRAM, 17),
	NONE("socket", AF_INET, SOCK_STREAM, 262 /* MPTCP */), NONE("socket", AF_INET, SOCK_RAW, 1),
	NONE("socket", AF_INET, SOCK_DGRAM, 1 /* ping */), NONE("socket", AF_INET, SOCK_STREAM, 132 /* SCTP */),
	OK("socket", AF_INET6, SOCK_STREAM, 0), OK("socket", AF_INET6, SOCK_STREAM, 6), OK("socket", AF_INET6, SOCK_DGRAM, 0),
	OK("socket", AF_INET6, SOCK_DGRAM, 17), NONE("socket", AF_INET6, SOCK_STREAM, 262), NONE("socket", AF_INET6, SOCK_RAW, 58),
	LATER("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), NONE("socket", AF_NETLINK, SOCK_RAW, 12 /* nfnetlink */),
	NONE("socket", AF_NETLINK, SOCK_DGRAM, 0), NONE("socket", AF_PACKET, SOCK_RAW, 0), NONE("socket", AF_VSOCK, SOCK_STREAM, 0),
	NONE("socket", AF_ALG, SOCK_SEQPACKET, 0), NONE("socket", HIGH | AF_PACKET, SOCK_DGRAM, 0),
	OK("socketpair", AF_UNIX, SOCK_STREAM, 0, 0), NONE("socketpair", AF_INET, SOCK_STREAM, 0, 0),
	OK("sendto", BAD, 0, 0, 0), NONE("sendto", BAD, 0, 0, MSG_FASTOPEN), OK("sendmsg", BAD, 0, 0),
	NONE("sendmsg", BAD, 0, MSG_FASTOPEN), OK("sendmmsg", BAD, 0, 0, 0), NONE("sendmmsg", BAD, 0, 0, MSG_FASTOPEN),
	/* socket options */
	OK("setsockopt", BAD, SOL_SOCKET, SO_REUSEADDR), OK("setsockopt", BAD, SOL_SOCKET, SO_ERROR),
	OK("setsockopt", BAD, SOL_SOCKET, SO_BROADCAST), OK("setsockopt", BAD, SOL_SOCKET, SO_SNDBUF),
	OK("setsockopt", BAD, SOL_SOCKET, SO_RCVBUF), OK("setsockopt", BAD, SOL_SOCKET, SO_KEEPALIVE),
	OK("setsockopt", BAD, SOL_SOCKET, SO_OOBINLINE), NO("setsockopt", BAD, SOL_SOCKET, SO_LINGER),
	OK("setsockopt", BAD, SOL_SOCKET, SO_REUSEPORT), OK("setsockopt", BAD, SOL_SOCKET, SO_PASSCRED),
	OK("setsockopt", BAD, SOL_SOCKET, SO_RCVTIMEO), OK("setsockopt", BAD, SOL_SOCKET, SO_SNDTIMEO),
	NONE("setsockopt", BAD, SOL_SOCKET, SO_MARK), NONE("setsockopt", BAD, SOL_SOCKET, SO_ATTACH_FILTER),
	NONE("setsockopt", BAD, SOL_SOCKET, SO_BINDTODEVICE), NONE("setsockopt", BAD, SOL_SOCKET, SO_SNDBUFFORCE),
	OK("setsockopt", BAD, 6, 1), OK("setsockopt", BAD, 6, 3), OK("setsockopt", BAD, 6, 4), OK("setsockopt", BAD, 6, 5),
	OK("setsockopt", BAD, 6, 6), OK("setsockopt", BAD, 6, 18), NONE("setsockopt", BAD, 6, 31 /* TCP_ULP */),
	NONE("setsockopt", BAD, 6, 19 /* TCP_REPAIR */), NONE("setsockopt", BAD, 6, 23 /* TCP_FASTOPEN */),
	OK("setsockopt", BAD, 0, 1), OK("setsockopt", BAD, 0, 2), OK("setsockopt", BAD, 0, 10), OK("setsockopt", BAD, 0, 11),
	OK("setsockopt", BAD, 0, 24), NONE("setsockopt", BAD, 0, 3 /* IP_HDRINCL */), NONE("setsockopt", BAD, 0, 64 /* iptables */),
	OK("setsockopt", BAD, 41, 16), OK("setsockopt", BAD, 41, 23), OK("setsockopt", BAD, 41, 25), OK("setsockopt", BAD, 41, 26),
	OK("setsockopt", BAD, 41, 67), NONE("setsockopt", BAD, 41, 64), NONE("setsockopt", BAD, 263 /* packet */, 5),
	/* descriptor controls */
	OK("ioctl", BAD, FIONREAD), OK("ioctl", BAD, FIONBIO), OK("ioctl", BAD, TCGETS), OK("ioctl", BAD, TIOCGWINSZ),
	OK("ioctl", BAD, FIOCLEX), OK("ioctl", BAD, FIONCLEX), NONE("ioctl", BAD, TIOCSTI), NONE("ioctl", BAD, HIGH | TIOCSTI),
	NONE("ioctl", BAD, TIOCLINUX), PROGRAMS("ioctl", BAD, TCSETS), PROGRAMS("ioctl", BAD, TCSETSW),
	PROGRAMS("ioctl", BAD, TCSETSF), PROGRAMS("ioctl", BAD, TIOCGPGRP), PROGRAMS("ioctl", BAD, TIOCSPGRP), PROGRAMS("ioctl", BAD, TIOCOUTQ), NONE("ioctl", BAD, 0x8933 /* SIOCGIFINDEX */),
	OK("fcntl", BAD, F_DUPFD), OK("fcntl", BAD, F_GETFD), OK("fcntl", BAD, F_SETFD), OK("fcntl", BAD, F_GETFL),
	OK("fcntl", BAD, F_SETFL), OK("fcntl", BAD, F_GETLK), OK("fcntl", BAD, F_SETLK), OK("fcntl", BAD, F_SETLKW),
	OK("fcntl", BAD, 36), OK("fcntl", BAD, 37), OK("fcntl", BAD, 38), OK("fcntl", BAD, F_DUPFD_CLOEXEC),
	OK("fcntl", BAD, F_GET_SEALS), OK("fcntl", BAD, F_ADD_SEALS), NONE("fcntl", BAD, F_SETOWN), NONE("fcntl", BAD, F_SETSIG), NONE("fcntl", BAD, F_NOTIFY),
	NONE("fcntl", BAD, F_SETPIPE_SZ), OK("prctl", PR_SET_NAME, 0), OK("prctl", PR_GET_NAME, 0), OK("prctl", PR_GET_DUMPABLE),
	OK("prctl", 0x53564d41, BAD), NO("prctl", PR_SET_PDEATHSIG, 0), NO("prctl", PR_SET_DUMPABLE, 1),
	NONE("prctl", PR_SET_SECCOMP, 2), PROGRAMS("prctl", PR_CAPBSET_DROP, 9999), PROGRAMS("prctl", PR_GET_PDEATHSIG, 0),
	PROGRAMS("prctl", PR_SET_KEEPCAPS, 9999), PROGRAMS("prctl", PR_GET_SECCOMP), PROGRAMS("prctl", PR_CAPBSET_READ, 9999),
	PROGRAMS("prctl", PR_SET_NO_NEW_PRIVS, 1), PROGRAMS("prctl", PR_GET_NO_NEW_PRIVS), NO("prctl", PR_SET_CHILD_SUBREAPER, 0),
	NONE("prctl", 65 /* MDWE */, 1), NONE("prctl", PR_SET_MM, 0), NONE("prctl", PR_SET_PTRACER, BAD),
	OK("prlimit64", 0, 7, 0, 0), CASE(EPERM_, ENOSYS_, REACHED, "prlimit64", 0, 7, 1, 0), CASE(EPERM_, ENOSYS_, REACHED, "prlimit64", 0, 7, HIGH, 0), NONE("prlimit64", NOBODY, 7, 0, 0),
	/* how the own process is scheduled */
	OK("sched_getattr", 0, 0, 0, 0), NONE("sched_getattr", NOBODY, 0, 0, 0), OK("sched_getattr", HIGH, 0, 0, 0),
	OK("ioprio_get", 1, 0), NONE("ioprio_get", 1, NOBODY), NONE("ioprio_get", 2, 0), OK("ioprio_get", HIGH | 1, 0),
	/* signals to others */
	OK("tgkill", OWN_PID, NOBODY, SIGABRT), TASKS("tgkill", NOBODY, NOBODY, SIGABRT), PROGRAMS("tgkill", OWN_PID, NOBODY, SIGKILL),
	TASKS("tkill", NOBODY, SIGKILL), TASKS("kill", NOBODY, 0), TASKS("kill", NOBODY, SIGKILL), TASKS("kill", NOBODY, SIGTERM),
	NO("kill", ZYGOTE_PID, 0), NO("kill", ZYGOTE_GROUP, 0), NO("kill", HIGH | 0xffffffff, 0), NO("kill", BAD, 0),
	NO("tkill", ZYGOTE_PID, 0), NO("tgkill", ZYGOTE_PID, ZYGOTE_PID, 0),
	NONE("rt_sigqueueinfo", NOBODY, 0, 0), NONE("pidfd_open", NOBODY, 0), NONE("pidfd_send_signal", BAD, 0, 0, 0),
	/* refused */
	NO("setuid", 0), NO("setgid", 0), NO("setreuid", 0, 0), NO("setregid", 0, 0), NO("setresuid", 0, 0, 0),
	NO("setresgid", 0, 0, 0), NO("setgroups", 0, 0), NO("setfsuid", 0), NO("setfsgid", 0), NO("capset", 0, 0),
	NO("sethostname", 0, BAD), NO("setdomainname", 0, BAD), TASKS("chown", 0, 0, 0), TASKS("lchown", 0, 0, 0), TASKS("fchown", BAD, 0, 0),
	TASKS("fchownat", BAD, 0, 0, 0), TASKS("execve", 0, 0, 0), TASKS("execveat", BAD, 0, 0, 0), TASKS("fork"), TASKS("vfork"),
	TASKS("wait4", BAD, 0, 1), TASKS("waitid", 0, 0, 0, 4), TASKS("setpgid", 0, 0), TASKS("setsid"), TASKS("setpriority", 0, 0, 0),
	TASKS("setrlimit", 7, 0), NO("sched_setaffinity", 0, 0, 0), NO("sched_setscheduler", 0, 0, 0), NO("sched_setattr", 0, 0, 0),
	NO("sched_setparam", 0, 0), NO("ioprio_set", 0, 0, 0), NO("mlockall", 1), NO("personality", 0x400000),
	NO("io_uring_setup", 1, 0), NO("io_uring_enter", BAD), NO("io_uring_register", BAD), NO("name_to_handle_at", BAD),
	NO("fanotify_init", 0, 0), NO("migrate_pages", 0), NO("move_pages", 0), NO("mbind", 0), NO("set_mempolicy", 0, 0, 0),
	NO("pkey_alloc", 0, 0), NO("pkey_mprotect", 0, 0, 0, 0),
	/* violations */
	DIE("bpf", 0, 0, 0), DIE("userfaultfd", 1), DIE("keyctl", 0), DIE("add_key", 0), DIE("request_key", 0),
	DIE("unshare", CLONE_NEWUSER), DIE("unshare", RB_UNSHARE | CLONE_NEWUSER), DIE("unshare", CLONE_SYSVSEM),
	DIE("unshare", CLONE_FILES), OK("unshare", RB_UNSHARE), DIE("setns", BAD, 0), DIE("mount", 0), DIE("umount2", 0), DIE("pivot_root", 0, 0),
	DIE("chroot", 0), DIE("open_tree", BAD, 0, 0), DIE("move_mount", BAD), DIE("fsopen", 0, 0), DIE("fsconfig", BAD),
	DIE("fsmount", BAD), DIE("fspick", BAD), DIE("mount_setattr", BAD), DIE("kexec_load", 0, BAD, 0, BAD),
	DIE("kexec_file_load", BAD), DIE("init_module", 0, 0, 0), DIE("finit_module", BAD, 0, 0), DIE("delete_module", 0, 0),
	DIE("perf_event_open", 0), DIE("process_vm_readv", NOBODY), DIE("process_vm_writev", NOBODY), DIE("ptrace", 0),
	DIE("pidfd_getfd", BAD, 0, 0), DIE("open_by_handle_at", BAD, 0, 0), DIE("modify_ldt", 0, 0, 0), DIE("iopl", 0),
	DIE("ioperm", 0, 0, 0), DIE("reboot", 0, 0, 0, 0), DIE("swapon", 0, 0), DIE("swapoff", 0), DIE("quotactl", BAD),
	DIE("acct", 1), DIE("settimeofday", 1, 1), DIE("clock_settime", 99, 0), DIE("clock_adjtime", 99, 0), DIE("adjtimex", 0),
	DIE("syslog", 99), CASE(KILLED, KILLED, KILLED, "nfsservctl", 0), DIE("lookup_dcookie", 0), DIE("kcmp", 0), DIE("vhangup"),
	DIE("seccomp", 1, 0, 0),
	/* not in the table at all: the default */
	PROGRAMS("memfd_create", 0, 0), NONE("landlock_create_ruleset", 0, 0, 0), NO("landlock_restrict_self", BAD, 0), NONE("mq_open", 0, 0, 0, 0), PROGRAMS("setxattr", 0),
	PROGRAMS("inotify_init1", 0), PROGRAMS("timerfd_create", 0, 0), PROGRAMS("signalfd4", BAD, 0, 0, 0), NONE("memfd_secret", 0),
	NONE("process_madvise", BAD), PROGRAMS("vmsplice", BAD), PROGRAMS("tee", BAD), PROGRAMS("arch_prctl", 0, 0), NONE("clone3", HIGH, 0), NONE("ustat", 0, 0),
	NONE("sysfs", 0, 0, 0), NONE("remap_file_pages", 0), NONE("cachestat", BAD), PROGRAMS("getrlimit", 7, 0),
	/* what programs call */
	PROGRAMS("inotify_init"), PROGRAMS("inotify_add_watch", BAD, 0, 0), PROGRAMS("inotify_rm_watch", BAD, 0),
	PROGRAMS("timerfd_settime", BAD, 0, 0, 0), PROGRAMS("timerfd_gettime", BAD, 0), PROGRAMS("sched_getparam", 0, 0),
	PROGRAMS("sched_getscheduler", 0), PROGRAMS("sync_file_range", BAD), PROGRAMS("lsetxattr", 0),
	PROGRAMS("fsetxattr", BAD), PROGRAMS("getxattr", 0), PROGRAMS("lgetxattr", 0), PROGRAMS("fgetxattr", BAD),
	PROGRAMS("listxattr", 0), PROGRAMS("llistxattr", 0), PROGRAMS("flistxattr", BAD), PROGRAMS("removexattr", 0),
	PROGRAMS("lremovexattr", 0), PROGRAMS("fremovexattr", BAD), PROGRAMS("epoll_create", 0), PROGRAMS("eventfd", 0),
	PROGRAMS("getdents", BAD), PROGRAMS("membarrier", 9999), PROGRAMS("utime", 0), PROGRAMS("utimes", 0),
	PROGRAMS("futimesat", BAD), CASE(EPERM_, EPERM_, ENOSYS_, "setpriority", 1 /* a group */, 0, 0),
	CASE(EPERM_, EPERM_, ENOSYS_, "setpriority", 0, NOBODY, 0),
	/* rollback: a cell keeps the scan of its own pages, on one descriptor */
	OK("ioctl", ROLLBACK_FD, PAGEMAP_SCAN), NONE("ioctl", ROLLBACK_FD + 1, PAGEMAP_SCAN), NO("ioctl", BAD, UFFDIO_API),
	NO("ioctl", ROLLBACK_FD + RB_FD_UFFD, UFFDIO_API), NO("ioctl", ROLLBACK_FD + RB_FD_UFFD, UFFDIO_REGISTER),
	NONE("ioctl", ROLLBACK_FD + RB_FD_UFFD, UFFDIO_WRITEPROTECT), NONE("mseal", 1),
	ZYGOTE(REACHED, REACHED, REACHED, "userfaultfd", BAD), ZYGOTE(REACHED, REACHED, REACHED, "mseal", 1),
	ZYGOTE(REACHED, REACHED, REACHED, "ioctl", ROLLBACK_FD + RB_FD_UFFD, UFFDIO_API),
	ZYGOTE(REACHED, REACHED, REACHED, "ioctl", ROLLBACK_FD + RB_FD_UFFD, UFFDIO_REGISTER),
	ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "ioctl", BAD, UFFDIO_API),
	/* in the zygote's place */
	ZYGOTE(REACHED, REACHED, REACHED, "wait4", BAD, 0, 1), ZYGOTE(REACHED, REACHED, REACHED, "kill", NOBODY, SIGKILL),
	ZYGOTE(ENOSYS_, ENOSYS_, REACHED, "kill", NOBODY, SIGTERM),
	ZYGOTE(REACHED, REACHED, REACHED, "prctl", PR_SET_PDEATHSIG, 9999),
	ZYGOTE(REACHED, REACHED, REACHED, "prctl", PR_SET_CHILD_SUBREAPER, 0),
	ZYGOTE(REACHED, REACHED, REACHED, "prctl", PR_SET_DUMPABLE, 9999),
	ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "prctl", PR_SET_PTRACER, BAD),
	ZYGOTE(REACHED, REACHED, REACHED, "setsid"), ZYGOTE(REACHED, REACHED, REACHED, "landlock_restrict_self", BAD, 0),
	ZYGOTE(REACHED, REACHED, REACHED, "memfd_create", 0, 9999), ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "memfd_secret", 0),
	ZYGOTE(REACHED, REACHED, REACHED, "seccomp", 9999, 0, 0),
	ZYGOTE(REACHED, REACHED, REACHED, "clone", CLONE_SIGHAND | SIGCHLD),
	ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "clone", CLONE_NEWUSER | SIGCHLD),
	ZYGOTE(ENOSYS_, ENOSYS_, REACHED, "clone", CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD),
	ZYGOTE(REACHED, ENOSYS_, REACHED, "prlimit64", 0, RLIMIT_NPROC, 1, 0),
	ZYGOTE(ENOSYS_, ENOSYS_, REACHED, "prlimit64", 0, RLIMIT_NOFILE, 1, 0),
	ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "prlimit64", NOBODY, RLIMIT_NPROC, 1, 0),
	ZYGOTE(EPERM_, EPERM_, REACHED, "execve", 0, 0, 0), ZYGOTE(KILLED, KILLED, EPERM_, "ptrace", 0),
	ZYGOTE(EPERM_, EPERM_, REACHED, "waitid", 0, 0, 0, 4), ZYGOTE(EPERM_, EPERM_, EPERM_, "setuid", 0),
	ZYGOTE(ENOSYS_, ENOSYS_, ENOSYS_, "clone3", 0, 0),
};
const size_t probe_cases_n = sizeof(probe_cases) / sizeof(probe_cases[0]);
