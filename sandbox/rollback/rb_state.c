/* SPDX-License-Identifier: Apache-2.0 */
/** What the kernel keeps of a process beside its memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"
#include "sandbox/rollback/rb_watch.h"

/* --- descriptors -------------------------------------------------------------------------------------------------------- */

static bool is_ours(int fd)
{
	return fd >= ROLLBACK_FD && fd < ROLLBACK_FD + ROLLBACK_FDS_N;
}

/*
 * Every option that some profile lets a request set, but SO_ERROR, which reading clears. Those first that mean something to
 * a unix stream socket, see unix(7): the kernel stores the others there, and nothing asks for them.
 */
static void take_options(struct rb_options *o, int fd, size_t n)
{
	static const int names[RB_OPTIONS] = {SO_RCVTIMEO, SO_SNDTIMEO, SO_SNDBUF, SO_PASSCRED, SO_OOBINLINE, SO_REUSEADDR,
		SO_BROADCAST, SO_RCVBUF, SO_KEEPALIVE, SO_REUSEPORT};

	memset(o, 0, sizeof(*o));
	for (size_t i = 0; i < n; i++) {
		socklen_t len = sizeof(o->values[i]);
		if (getsockopt(fd, SOL_SOCKET, names[i], o->values[i], &len) == -1)
			memset(o->values[i], 0, sizeof(o->values[i]));
	}
}

static size_t options_of(int fd)
{
	int domain, type;
	socklen_t domain_len = sizeof(domain), type_len = sizeof(type);
	bool local = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) == 0 && domain == AF_UNIX &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM;

	return local ? RB_OPTIONS_UNIX : RB_OPTIONS;
}

static bool is_same_file(const struct rb_fd *f, dev_t dev, ino_t ino)
{
	return f->dev == dev && f->ino == ino;
}

/*
 * A socket is opened once, so a descriptor with the number of one before it (opcache's lock) is a duplicate and shows the
 * same options and status.
 */
static bool is_duplicate(const struct rb_state *s, const struct rb_fd *f)
{
	for (const struct rb_fd *before = s->fds; before < f; before++)
		if (is_same_file(before, f->dev, f->ino))
			return true;
	return false;
}

static bool take_fd(const struct rb_state *s, struct rb_fd *f, int fd)
{
	struct stat st;

	f->fd = fd;
	f->flags = fcntl(fd, F_GETFD);
	f->status = fcntl(fd, F_GETFL);
	f->offset = -1;
	if (f->flags == -1 || f->status == -1 || fstat(fd, &st) == -1)
		return false;
	if (!is_ours(fd) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))) /* ours are read at given offsets */
		f->offset = lseek(fd, 0, SEEK_CUR);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	if (S_ISSOCK(st.st_mode) && is_duplicate(s, f))
		f->status = -1;
	else if (S_ISSOCK(st.st_mode))
		f->options_n = options_of(fd);
	take_options(&f->options, fd, f->options_n);
	return true;
}

static bool take_fds(struct rb_state *s)
{
	for (int fd = 0; fd < RB_OPEN_MAX; fd++)
		if (fcntl(fd, F_GETFD) != -1 && !take_fd(s, &s->fds[s->fds_n++], fd))
			return false;
	s->closed_on_exec = RB_OPEN_MAX;
	for (size_t i = s->fds_n; i > 0 && (s->fds[i - 1].flags & FD_CLOEXEC) != 0; i--)
		s->closed_on_exec = s->fds[i - 1].fd;
	s->unwatched = 0;
	for (size_t i = 0; i < s->fds_n; i++)
		if (!is_ours(s->fds[i].fd) && !rb_watch_has(s->fds[i].fd))
			s->unwatched = RB_TOUCHED_FDS;
	return true;
}

static bool same_file(const struct rb_fd *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && is_same_file(f, st.st_dev, st.st_ino);
}

static bool same_options(const struct rb_fd *f)
{
	struct rb_options now;

	if (f->options_n == 0)
		return true;
	take_options(&now, f->fd, f->options_n);
	return memcmp(&now, &f->options, sizeof(now)) == 0;
}

static bool restore_fd(const struct rb_state *s, const struct rb_fd *f, bool touched)
{
	int flags = !touched || f->fd >= s->closed_on_exec ? f->flags : fcntl(f->fd, F_GETFD);
	int status = f->status == -1 ? -1 : fcntl(f->fd, F_GETFL);

	if (flags != f->flags && rb_watch_call(SYS_fcntl, f->fd, F_SETFD, f->flags, 0) != 0)
		return false;
	if (status != f->status && (fcntl(f->fd, F_SETFL, f->status) == -1 || fcntl(f->fd, F_GETFL) != f->status))
		return false;
	return f->offset == -1 || lseek(f->fd, f->offset, SEEK_SET) == f->offset;
}

static bool close_from(unsigned from, unsigned to, unsigned flags)
{
	return rb_watch_call(SYS_close_range, from, to, flags, 0) == 0;
}

/* Close what is not in the list: the gaps, and everything behind the last. */
static bool close_others(const struct rb_state *s)
{
	unsigned from = 0;

	for (size_t i = 0; i < s->fds_n; i++) {
		unsigned fd = (unsigned)s->fds[i].fd;
		if (fd > from && !close_from(from, fd - 1, 0))
			return false;
		from = fd + 1;
	}
	return close_from(from, ~0U, 0);
}

/* Where all have the flag, one call sets it for all; ours behind them have it, too. */
static bool restore_closed_on_exec(const struct rb_state *s)
{
	return s->closed_on_exec == RB_OPEN_MAX || close_from((unsigned)s->closed_on_exec, RB_OPEN_MAX, CLOSE_RANGE_CLOEXEC);
}

static bool restore_fds(const struct rb_state *s, bool touched)
{
	if (touched && !restore_closed_on_exec(s))
		return false;
	for (size_t i = 0; i < s->fds_n; i++)
		if (!is_ours(s->fds[i].fd) && !restore_fd(s, &s->fds[i], touched))
			return false;
	return close_others(s);
}

/* --- signals and timers --------------------------------------------------------------------------------------------------- */

/* The library's sigaction(3) knows not all signals, and hides two. Returns 0 or a negated errno. */
static long action(int sig, const struct rb_action *set, struct rb_action *get)
{
	return rb_watch_call(SYS_rt_sigaction, sig, (long)set, (long)get, sizeof(set->mask));
}

static uint64_t signal_bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/*
 * Which signals are ignored and which caught: fields 33 and 34. The second is the process's name, in parentheses and of any
 * text. Source: proc_pid_stat(5).
 */
static bool read_handled(uint64_t handled[2])
{
	enum { IGNORED = 33, NAME = 2 };
	char text[512];
	ssize_t len = pread(rb_fd(RB_FD_STAT), text, sizeof(text) - 1, 0);

	if (len <= 0)
		return false;
	text[len] = '\0';
	char *at = strrchr(text, ')');
	for (int word = NAME; word < IGNORED && at != NULL; word++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return false;
	handled[0] = strtoul(at, &at, 10);
	handled[1] = strtoul(at, &at, 10);
	return *at == ' ';
}

static bool take_signals(struct rb_state *s)
{
	s->unchanging = signal_bit(SIGKILL) | signal_bit(SIGSTOP);
	for (int sig = 1; sig <= RB_SIGNALS; sig++) {
		if ((s->unchanging & signal_bit(sig)) != 0)
			continue;
		long err = action(sig, NULL, &s->actions[sig]);
		if (err == 0)
			continue;
		/* What the filter denies here it denies for as long as the process lives. */
		if (err != -EPERM)
			return false;
		s->unchanging |= signal_bit(sig);
	}
	return sigaltstack(NULL, &s->alternate) == 0 && read_handled(s->handled);
}

/*
 * Handler, flags and mask mean something only where a signal is caught. Of one that was and is not, it is enough to know
 * that; but flags of SIGCHLD count without a handler, too: sigaction(2), SA_NOCLDWAIT.
 */
static bool restore_actions(const struct rb_state *s)
{
	struct rb_action now;
	uint64_t handled[2];

	if (!read_handled(handled))
		return false;
	uint64_t look = (handled[0] ^ s->handled[0]) | (handled[1] ^ s->handled[1]) | s->handled[1] | signal_bit(SIGCHLD);
	for (int sig = 1; sig <= RB_SIGNALS; sig++) {
		if ((look & ~s->unchanging & signal_bit(sig)) == 0)
			continue;
		if (action(sig, NULL, &now) != 0)
			return false;
		if (memcmp(&now, &s->actions[sig], sizeof(now)) != 0 && action(sig, &s->actions[sig], NULL) != 0)
			return false;
	}
	return true;
}

/* Of what is watched only SIGPROF is not. */
static bool restore_signals(const struct rb_state *s, bool touched)
{
	bool settable = (s->unchanging & signal_bit(SIGPROF)) == 0;

	if (touched ? !restore_actions(s) : settable && action(SIGPROF, &s->actions[SIGPROF], NULL) != 0)
		return false;
	return sigaltstack(&s->alternate, NULL) == 0;
}

/* The first is PHP's, and not watched. */
static bool stop_timers(bool touched)
{
	static const int timers[] = {ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL};
	static const struct itimerval off;

	for (size_t i = 0; i < (touched ? sizeof(timers) / sizeof(timers[0]) : 1); i++)
		if (rb_watch_call(SYS_setitimer, timers[i], (long)&off, 0, 0) != 0)
			return false;
	return true;
}

static bool any_pending(void)
{
	uint64_t set = 0;

	return syscall(SYS_rt_sigpending, &set, sizeof(set)) != 0 || set != 0;
}

/* --- limits and scheduling ------------------------------------------------------------------------------------------------ */

#define IO_OF_PROCESS 1 /* IOPRIO_WHO_PROCESS of linux/ioprio.h */

static bool is_refused(long result)
{
	return result == -1 && (errno == EPERM || errno == ENOSYS);
}

/* Whether the filter lets requests change any of it: asked for what changes nothing. */
static bool may_change(void)
{
	struct rlimit same;

	return getrlimit(RLIMIT_CORE, &same) == -1 || !is_refused(syscall(SYS_setrlimit, RLIMIT_CORE, &same)) ||
	       !is_refused(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &same, NULL)) ||
	       !is_refused(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0))) ||
	       !is_refused(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, NULL)) || !is_refused(syscall(SYS_sched_setparam, 0, NULL)) ||
	       !is_refused(syscall(SYS_sched_setattr, 0, NULL, 0)) || !is_refused(syscall(SYS_sched_setaffinity, 0, 0, NULL)) ||
	       !is_refused(syscall(SYS_ioprio_set, IO_OF_PROCESS, 0, -1));
}

/* What a profile lets a request lower, no profile lets it raise again. */
static bool take_limits(struct rlimit *limits, struct rb_schedule *schedule)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &limits[i]) == -1)
			return false;
	memset(schedule, 0, sizeof(*schedule));
	schedule->io = (int)syscall(SYS_ioprio_get, IO_OF_PROCESS, 0);
	return schedule->io != -1 && syscall(SYS_sched_getattr, 0, schedule->attr, sizeof(schedule->attr), 0) == 0 &&
	       sched_getaffinity(0, sizeof(schedule->processors), &schedule->processors) == 0;
}

static bool same_limits(const struct rb_state *s)
{
	struct rlimit now[RLIM_NLIMITS];
	struct rb_schedule schedule;

	return take_limits(now, &schedule) && memcmp(&schedule, &s->schedule, sizeof(schedule)) == 0 &&
	       memcmp(now, s->limits, sizeof(now)) == 0;
}

/* --- all of it ----------------------------------------------------------------------------------------------------------- */

/*
 * To unshare the threads is allowed to a process that has one, and does nothing. With the same call, as the end of the
 * process would: undo what semop(2) has noted with SEM_UNDO. Source: unshare(2), CLONE_THREAD and CLONE_SYSVSEM.
 */
static bool is_one_thread(void)
{
	return syscall(SYS_unshare, RB_UNSHARE) == 0;
}

static pid_t any_child(void)
{
	return waitpid(-1, NULL, WNOHANG);
}

bool rb_state_take(struct rb_state *s)
{
	s->mask = umask(0);
	umask(s->mask);
	s->limits_change = may_change();
	if (s->limits_change && !take_limits(s->limits, &s->schedule))
		return false;
	/* Where the profile lets nobody fork, it denies this call too, for as long as the process lives. */
	s->may_fork = any_child() != -1 || errno != EPERM;
	rb_watch_forget();
	return getcwd(s->cwd, sizeof(s->cwd)) != NULL && prctl(PR_GET_NAME, s->name) == 0 && is_one_thread() &&
	       take_signals(s) && take_fds(s);
}

static unsigned touched_of(const struct rb_state *s)
{
	return rb_watch_touched() | s->unwatched;
}

enum rollback_why rb_state_check(const struct rb_state *s)
{
	if (!is_one_thread())
		return ROLLBACK_THREAD;
	/* From here on nobody can touch anything meanwhile. */
	bool fds_touched = (touched_of(s) & RB_TOUCHED_FDS) != 0;
	if (s->may_fork && (any_child() != -1 || errno != ECHILD))
		return ROLLBACK_CHILD;
	for (size_t i = 0; i < s->fds_n; i++)
		if (!is_ours(s->fds[i].fd) && ((fds_touched && !same_file(&s->fds[i])) || !same_options(&s->fds[i]))) /* of ours the use tells */
			return ROLLBACK_DESCRIPTOR;
	if (s->limits_change && !same_limits(s))
		return ROLLBACK_LIMIT;
	return any_pending() ? ROLLBACK_SIGNAL : ROLLBACK_OK;
}

/* To ask costs an eighth of setting it, which tells the kernel's listeners. */
static bool restore_name(const struct rb_state *s)
{
	char now[sizeof(s->name)];

	return prctl(PR_GET_NAME, now) == 0 && (memcmp(now, s->name, sizeof(now)) == 0 || prctl(PR_SET_NAME, s->name) == 0);
}

bool rb_state_restore(const struct rb_state *s)
{
	unsigned touched = touched_of(s);

	umask(s->mask);
	if (!stop_timers((touched & RB_TOUCHED_TIMERS) != 0) || !restore_signals(s, (touched & RB_TOUCHED_SIGNALS) != 0) ||
	    !restore_fds(s, (touched & RB_TOUCHED_FDS) != 0) || chdir(s->cwd) != 0 || !restore_name(s))
		return false;
	rb_watch_forget();
	return true;
}
