/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/front_lock.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/front_paths.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_role_filter.h"

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the front cannot lock itself down: %s: %m", what);
	_exit(EXIT_FAILURE);
}

void front_drop(const struct conf *c, bool privileged)
{
	struct sb_cred cred = {.uid = c->front.uid, .gid = c->front.gid, .groups_n = c->front.groups_n, .groups = c->front.groups};
	const char *step;

	if (sb_cred_drop(&cred, privileged, &step) != 0)
		die(step);
}

void front_bound(int rules)
{
	if (rules == GW_ERR_DENIED)
		log_line(log_server(), LOG_LV_WARN, NULL, "the front may open whatever its user may: this kernel has no Landlock");
	else if (rules < 0 || front_paths_enter(rules) < 0)
		die("rules for files");
}

/* All that a front does once its threads run. Everything else fails with EPERM, and what only an attacker calls kills. */
static const int allowed[] = {
	/* clients, pools, cells */
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendfile),
	SCMP_SYS(shutdown), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(connect), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(dup), SCMP_SYS(dup3) /* a log's new file in the place of the old one */, SCMP_SYS(fcntl), SCMP_SYS(pipe2), SCMP_SYS(splice),
	/* files */
	SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(open), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(fstatfs), SCMP_SYS(readlinkat), SCMP_SYS(readlink), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
	SCMP_SYS(getdents64), SCMP_SYS(unlinkat), SCMP_SYS(ftruncate),
	/* the loops */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
	SCMP_SYS(sysinfo), /* %l of Header: the machine's load */
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid),
	/* memory and ending */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Never by accident: somebody runs code of his own here. */
static const int fatal[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open), SCMP_SYS(chroot),
	SCMP_SYS(pivot_root), SCMP_SYS(seccomp),
};

/* Stream sockets to pools, of the protocols that rules for ports know; no raw, packet or netlink socket, no MPTCP. */
static int add_socket_rules(scmp_filter_ctx ctx)
{
	static const struct {
		int family, protocol;
	} kinds[] = {{AF_UNIX, 0}, {AF_INET, 0}, {AF_INET, IPPROTO_TCP}, {AF_INET6, 0}, {AF_INET6, IPPROTO_TCP}};
	int err = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
			SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)kinds[i].family),
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM),
			SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)kinds[i].protocol));
	return err;
}

static const struct sb_role_bound bound[] = {
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0}, {SCMP_SYS(mprotect), 2, PROT_EXEC, 0}, /* nothing new becomes code */
	{SCMP_SYS(sched_getscheduler), 0, UINT32_MAX, 0},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCOUTQ}, {SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD}, {SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO},
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME}, {SCMP_SYS(prctl), 0, UINT32_MAX, 0x53564d41 /* PR_SET_VMA */},
	{SCMP_SYS(sendto), 3, MSG_FASTOPEN, 0}, {SCMP_SYS(sendmsg), 2, MSG_FASTOPEN, 0}, /* connects past the rules for ports */
};

/* front_sched.c: between these two, and for the calling thread alone. */
static int add_sched_rules(scmp_filter_ctx ctx)
{
	static const int policies[] = {SCHED_OTHER, SCHED_BATCH};
	int err = 0;

	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler), 2, SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffU, 0),
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)policies[i]));
	return err;
}

static int add_more(scmp_filter_ctx ctx)
{
	int err = add_socket_rules(ctx);

	err = err != 0 ? err : add_sched_rules(ctx);
	/* abort(3) ends this process, not another of its user. */
	return err != 0 ? err : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

static const struct sb_role_filter filter = {.allowed = allowed, .allowed_n = sizeof(allowed) / sizeof(*allowed), .bound = bound,
	.bound_n = sizeof(bound) / sizeof(*bound), .fatal = fatal, .fatal_n = sizeof(fatal) / sizeof(*fatal), .more = add_more,
	.all_threads = true};

void front_filter(void)
{
	if (sb_role_filter_load(&filter) != 0)
		die("system call filter");
}
