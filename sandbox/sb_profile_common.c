/* SPDX-License-Identifier: Apache-2.0 */
/* What every profile has. */
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include "sandbox/sb_parts.h"

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
	SO_OOBINLINE, SO_REUSEPORT, SO_PASSCRED, SO_RCVTIMEO, SO_SNDTIMEO};
/* No TCP_ULP (kernel TLS and its bugs), no TCP_REPAIR. */
static const uint32_t tcp_options[] = {1 /* NODELAY */, 3 /* CORK */, 4 /* KEEPIDLE */, 5 /* KEEPINTVL */,
	6 /* KEEPCNT */, 18 /* USER_TIMEOUT */};
static const uint32_t ip_options[] = {1 /* TOS */, 2 /* TTL */, 10 /* MTU_DISCOVER */, 11 /* RECVERR */,
	24 /* BIND_ADDRESS_NO_PORT */};
static const uint32_t ipv6_options[] = {16 /* UNICAST_HOPS */, 23 /* MTU_DISCOVER */, 25 /* RECVERR */,
	26 /* V6ONLY */, 67 /* TCLASS */};
static const uint32_t ioctls[] = {FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ, FIOCLEX, FIONCLEX};
static const uint32_t fcntls[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
	36 /* F_OFD_GETLK */, 37 /* F_OFD_SETLK */, 38 /* F_OFD_SETLKW */, F_DUPFD_CLOEXEC, F_GET_SEALS,
	F_ADD_SEALS /* of use to the zygote; what a cell may have to seal is its own */};
static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, 0x53564d41 /* PR_SET_VMA: malloc names its arenas */};
static const uint32_t tcp_protocols[] = {0, 6};
static const uint32_t udp_protocols[] = {0, 17};

static const struct sb_rule arguments[] = {
	/* The own process's: what rollback compares where SandboxAllow lets a site change it. */
	{.name = "sched_getattr", WHEN1(IS(0, 0))},
	{.name = "ioprio_get", WHEN2(IS(0, 1 /* IOPRIO_WHO_PROCESS */), IS(1, 0))},
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

const struct sb_part sb_part_common = PART(common), sb_part_arguments = PART(arguments);
