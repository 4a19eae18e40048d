/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: reads what fronts send, which hold what clients send. Taken over, it could write to logs, which a front can too,
 * and nothing else: it can open, connect and start nothing.
 */
#include "gateway/log/log_writer_lock.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_landlock.h"
#include "sandbox/sb_role_filter.h"

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the log process cannot lock itself down: %s: %m", what);
	_exit(EXIT_FAILURE);
}

/* A kernel that has none of it has the filter below. */
static void restrict_self(void)
{
	struct sb_landlock l;
	int err = sb_landlock_open(&l, SB_FS_ALL, SB_NET_BIND_TCP | SB_NET_CONNECT_TCP, SB_SCOPE_ABSTRACT_UNIX | SB_SCOPE_SIGNAL);

	if (err == GW_ERR_DENIED)
		return;
	if (err != 0 || sb_landlock_enter(l.fd) != 0)
		die("Landlock");
	io_close(&l.fd);
}

static const int allowed[] = {
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(write), SCMP_SYS(read), SCMP_SYS(close),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(fcntl),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(restart_syscall), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Nothing of this happens but by somebody else's code. */
static const int fatal[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(ptrace),
	SCMP_SYS(open), SCMP_SYS(openat2), SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(mount),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd), SCMP_SYS(seccomp),
};

static const struct sb_role_bound bound[] = {
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0}, {SCMP_SYS(mprotect), 2, PROT_EXEC, 0}, /* memory that is no code */
};

static const struct sb_role_filter filter = {.allowed = allowed, .allowed_n = sizeof(allowed) / sizeof(*allowed), .bound = bound,
	.bound_n = sizeof(bound) / sizeof(*bound), .fatal = fatal, .fatal_n = sizeof(fatal) / sizeof(*fatal)};

void log_writer_lock(const struct conf_ids *ids, bool privileged)
{
	struct sb_cred cred = {.uid = ids->uid, .gid = ids->gid};
	const char *step;

	if (sb_cred_drop(&cred, privileged, &step) != 0)
		die(step);
	restrict_self();
	if (sb_role_filter_load(&filter) != 0)
		die("system call filter");
}
