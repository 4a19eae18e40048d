/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: reads what fronts send, which hold what clients send. Taken over, it could write to logs, which a front can too,
 * and nothing else: it can open, connect and start nothing.
 */
#include "gateway/log/log_writer_lock.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_landlock.h"

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

static int add_rules(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

void log_writer_lock(const struct conf_ids *ids, bool privileged)
{
	struct sb_cred cred = {.uid = ids->uid, .gid = ids->gid};
	const char *step;

	if (sb_cred_drop(&cred, privileged, &step) != 0)
		die(step);
	restrict_self();
#ifdef BH_SANITIZED
	(void)add_rules; /* the sanitizers' own calls are not ours to list */
#else
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (ctx == NULL || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 || add_rules(ctx) < 0 || seccomp_load(ctx) < 0)
		die("system call filter");
	seccomp_release(ctx);
#endif
}
