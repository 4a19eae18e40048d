/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: reads what tenants' processes send, and holds no file of theirs or ours but the logs. Taken over, it could talk
 * to relays and other sockets as its own user, and no more.
 */
#include "sandbox/mail/mail_lock.h"

#include <netinet/in.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the mail process cannot lock itself down: %s: %m", what);
	_exit(EXIT_FAILURE);
}

static void drop(const struct conf *c, bool privileged)
{
	struct sb_cred cred = {.uid = c->mail.uid, .gid = c->mail.gid, .groups_n = c->mail.groups_n, .groups = c->mail.groups};
	struct rlimit none = {0, 0};

	/* 1. limits while they may be set; 2. sets that need rights to empty; 3. ids; 4. what is left; 5. proof. */
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		die("core limit");
	if (privileged && sb_cred_drop_bounding() < 0)
		die("capability bounding set");
	if (privileged && sb_cred_become(&cred) < 0)
		die("MailUser");
	if (sb_cred_clear_caps() < 0)
		die("capabilities");
	if (sb_cred_no_way_up() < 0)
		die("no_new_privs");
	if (privileged && sb_cred_check_ids(&cred) < 0)
		die("still has rights of the user it was started as");
	if (sb_cred_check_caps(privileged) < 0)
		die("still has capabilities");
}

/* --- Landlock ----------------------------------------------------------------------------------------------------------- */

/* As linux/landlock.h of kernels newer than the distribution's headers has it. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct net_port {
	uint64_t access, port;
};

#define NET_BIND 1
#define NET_CONNECT 2
#define SCOPE_ALL 3             /* abstract unix sockets, signals */
#define RULE_NET_PORT 2

static unsigned relay_port(const struct conf_mail_relay *r)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (r == NULL || (r->addr.u.sa.sa_family != AF_INET && r->addr.u.sa.sa_family != AF_INET6))
		return 0;
	memcpy(&v4, &r->addr.u, sizeof(v4));
	memcpy(&v6, &r->addr.u, sizeof(v6));
	return ntohs(r->addr.u.sa.sa_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

/* No file at all, no TCP port but those of relays, no signal to others. A kernel that has none of it has the filter below. */
static void restrict_self(const struct conf *c)
{
	/* ABI 1 to 5 know 13, 14, 15, 15, 16 ways to use a file; 4 came with TCP, 6 with scopes. */
	static const unsigned fs_bits[] = {0, 13, 14, 15, 15, 16};
	static const size_t sizes[] = {0, 8, 8, 8, 16, 16};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	struct ruleset rules = {0};

	if (abi < 1)
		return;
	rules.fs = (UINT64_C(1) << fs_bits[abi > 5 ? 5 : abi]) - 1;
	rules.net = abi >= 4 ? NET_BIND | NET_CONNECT : 0;
	rules.scoped = abi >= 6 ? SCOPE_ALL : 0;
	long fd = syscall(SYS_landlock_create_ruleset, &rules, abi >= 6 ? sizeof(rules) : sizes[abi], 0);
	if (fd == -1)
		die("Landlock");
	for (size_t i = 0; abi >= 4 && i < c->servers_n; i++) {
		const struct net_port port = {.access = NET_CONNECT, .port = relay_port(c->servers[i]->mail_relay)};
		if (port.port != 0 && syscall(SYS_landlock_add_rule, fd, RULE_NET_PORT, &port, 0) == -1)
			die("Landlock: a relay's port");
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) == -1)
		die("Landlock");
	close((int)fd);
}

/* --- system calls -------------------------------------------------------------------------------------------------------- */

static const int allowed[] = {
	/* cells, the master, relays */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(close),
	/* the loop and the logs */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(restart_syscall), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	/* memory and ending */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Nothing of this happens but by somebody else's code. */
static const int fatal[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(ptrace),
	SCMP_SYS(open), SCMP_SYS(openat2), SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept4), SCMP_SYS(seccomp),
};

static int add_rules(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	int err = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
	/* Stream sockets only; memory that is no code. */
	for (size_t i = 0; i < sizeof(families) / sizeof(*families) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
				       SCMP_A1(SCMP_CMP_EQ, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0));
	if (err == 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	return err;
}

static void load_filter(void)
{
#ifdef BH_SANITIZED
	(void)add_rules; /* the sanitizers' own calls are not ours to list */
#else
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(1 /* EPERM */));

	if (ctx == NULL || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 || add_rules(ctx) < 0 || seccomp_load(ctx) < 0)
		die("system call filter");
	seccomp_release(ctx);
#endif
}

void mail_lock(const struct conf *c, bool privileged)
{
	drop(c, privileged);
	restrict_self(c);
	load_filter();
}
