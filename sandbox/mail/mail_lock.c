/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: reads what tenants' processes send, and holds no file of theirs or ours but the logs. Taken over, it could talk
 * to relays and other sockets as its own user, and no more.
 */
#include "sandbox/mail/mail_lock.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf_addr.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_landlock.h"
#include "sandbox/sb_role_filter.h"

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the mail process cannot lock itself down: %s: %m", what);
	_exit(EXIT_FAILURE);
}

static void drop(const struct conf *c, bool privileged)
{
	struct sb_cred cred = {.uid = c->mail.uid, .gid = c->mail.gid, .groups_n = c->mail.groups_n, .groups = c->mail.groups};
	const char *step;

	if (sb_cred_drop(&cred, privileged, &step) != 0)
		die(step);
}

/* --- Landlock ----------------------------------------------------------------------------------------------------------- */

/* No file at all, no TCP port but those of relays, no signal to others. A kernel that has none of it has the filter below. */
static void restrict_self(const struct conf *c)
{
	struct sb_landlock l;
	int err = sb_landlock_open(&l, SB_FS_ALL, SB_NET_BIND_TCP | SB_NET_CONNECT_TCP, SB_SCOPE_ABSTRACT_UNIX | SB_SCOPE_SIGNAL);

	if (err == GW_ERR_DENIED)
		return;
	if (err != 0)
		die("Landlock");
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_mail_relay *relay = c->servers[i]->mail_relay;
		unsigned port = relay == NULL ? 0 : conf_addr_port(&relay->addr.u.sa);
		if (port != 0 && sb_landlock_allow_port(&l, (uint16_t)port, SB_NET_CONNECT_TCP) != 0)
			die("Landlock: a relay's port");
	}
	if (sb_landlock_enter(l.fd) != 0)
		die("Landlock");
	io_close(&l.fd);
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

/* Stream sockets only. */
static int add_socket_rules(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	int err = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families) && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
				       SCMP_A1(SCMP_CMP_EQ, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	return err;
}

static const struct sb_role_bound bound[] = {
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0}, {SCMP_SYS(mprotect), 2, PROT_EXEC, 0}, /* memory that is no code */
};

static const struct sb_role_filter filter = {.allowed = allowed, .allowed_n = sizeof(allowed) / sizeof(*allowed), .bound = bound,
	.bound_n = sizeof(bound) / sizeof(*bound), .fatal = fatal, .fatal_n = sizeof(fatal) / sizeof(*fatal), .more = add_socket_rules};

void mail_lock(const struct conf *c, bool privileged)
{
	drop(c, privileged);
	restrict_self(c);
	if (sb_role_filter_load(&filter) != 0)
		die("system call filter");
}
