/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: the child runs in the caller's memory until exec, as after vfork(2): it only makes system calls, and writes
 * nothing but its own stack frames and the field that carries its error back.
 */
#include "gateway/master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer keeps notes about the stack, which parent and child would share; then memory is copied instead. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHARE_MEMORY 0
#elif defined(__x86_64__) || defined(__aarch64__)
#define SHARE_MEMORY 1
#else
#define SHARE_MEMORY 0
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef SHARE_MEMORY
#define SHARE_MEMORY 0
#endif
#endif

struct job {
	const struct spawn *s;
	char uid_map[64], gid_map[64];
	int report; /* write end of a pipe where memory is not shared, else -1 */
	volatile int error;
};

/* --- in the child ---------------------------------------------------------------------------------------------------- */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd == -1)
		return -1;
	ssize_t n = write(fd, text, len);
	int saved = errno;
	close(fd);
	errno = saved;
	return n == (ssize_t)len ? 0 : -1;
}

/* user_namespaces(7): an unprivileged process may map its own ids once it has given up setgroups(2). */
static int map_ids(const struct job *j)
{
	if (write_text("/proc/self/setgroups", "deny") == -1 || write_text("/proc/self/uid_map", j->uid_map) == -1)
		return -1;
	return write_text("/proc/self/gid_map", j->gid_map);
}

/* exec of a program by a user who is not root takes all capabilities away, but for ambient ones. See capabilities(7). */
static int keep_caps(void)
{
	static const int wanted[] = {CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_NET_ADMIN, CAP_SETPCAP};
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) == -1)
		return -1;
	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &head, data) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0) == -1)
			return -1;
	return 0;
}

static int prepare(const struct job *j)
{
	const struct spawn *s = j->s;
	sigset_t none;

	if ((s->flags & CLONE_NEWUSER) != 0 && (map_ids(j) == -1 || keep_caps() == -1))
		return -1;
	for (unsigned i = 0; i < s->fds_n; i++) {
		if (s->fds[i] == SPAWN_CLOSE)
			close((int)i);
		else if (s->fds[i] != SPAWN_KEEP && dup2(s->fds[i], (int)i) == -1)
			return -1;
	}
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn __attribute__((noinline)) void child(struct job *j)
{
	if (prepare(j) == 0)
		execve(j->s->program, j->s->argv, j->s->envp);
	j->error = errno;
	if (j->report != -1 && write(j->report, (const void *)(uintptr_t)&j->error, sizeof(j->error)) == -1)
		_exit(126);
	_exit(127);
}

/* --- in the parent --------------------------------------------------------------------------------------------------- */

/*
 * With shared memory both return on one stack: this frame must not be left by the child, and the parent, which sleeps
 * until then, finds it as it was. Hence the call itself, not the C library's wrapper, whose frame the child would reuse.
 */
static __attribute__((noinline)) long start(struct clone_args *args, struct job *j)
{
	long pid;

#if SHARE_MEMORY && defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(pid) : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args)) : "rcx", "r11", "memory");
#elif SHARE_MEMORY
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = (long)sizeof(*args);
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	pid = x0;
#else
	pid = syscall(SYS_clone3, args, sizeof(*args));
	if (pid == -1)
		pid = -errno;
#endif
	if (pid == 0)
		child(j);
	return pid;
}

/* What the child says before exec, through a pipe that exec closes. */
static int read_report(int ends[2])
{
	int error = 0;

	close(ends[1]);
	if (read(ends[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	close(ends[0]);
	return error;
}

pid_t spawn_program(const struct spawn *s)
{
	/* clone3(2): signal handlers are the caller's business only, the child starts from the defaults. */
	struct clone_args args = {.flags = (unsigned long long)s->flags | CLONE_VFORK | CLONE_CLEAR_SIGHAND | (SHARE_MEMORY ? CLONE_VM : 0U),
		.exit_signal = SIGCHLD, .cgroup = (unsigned)s->cgroup_fd};
	struct job j = {.s = s, .report = -1};
	int ends[2] = {-1, -1};
	sigset_t all, before;

	snprintf(j.uid_map, sizeof(j.uid_map), "%u %u 1", (unsigned)s->uid, (unsigned)s->uid);
	snprintf(j.gid_map, sizeof(j.gid_map), "%u %u 1", (unsigned)s->gid, (unsigned)s->gid);
	if (!SHARE_MEMORY && pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	j.report = ends[1];
	/* No handler of the caller's may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	long pid = start(&args, &j);
	sigprocmask(SIG_SETMASK, &before, NULL);
	int error = pid < 0 ? (int)-pid : SHARE_MEMORY ? j.error : 0;
	if (!SHARE_MEMORY) {
		int said = read_report(ends);
		error = error != 0 ? error : said;
	}
	if (pid > 0 && error != 0)
		waitpid((pid_t)pid, NULL, 0);
	errno = error;
	return error != 0 ? -1 : (pid_t)pid;
}
