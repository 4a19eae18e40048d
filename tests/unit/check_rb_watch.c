/* SPDX-License-Identifier: Apache-2.0 */
/** Which calls are noticed to change state, and that they do what they do elsewhere. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"
#include "sandbox/rollback/rb_watch.h"
#include "tests/unit/load_watch.h"

/* Descriptors 0 to 2 are watched, FREE is not open then. */
#define FREE 50

static bool set_action(int sig)
{
	static const struct sigaction sa = {.sa_handler = SIG_IGN};
	struct sigaction was, now;

	return sigaction(sig, &sa, &was) == 0 && was.sa_handler == SIG_DFL && sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}
static bool sigaction_usual(void) { return set_action(SIGUSR2); }
static bool sigaction_child(void) { return set_action(SIGCHLD); }
static bool sigaction_first(void) { return set_action(SIGHUP); }
static bool sigaction_last(void) { return set_action(SIGSYS - 1); }
static bool sigaction_profiling(void) { return set_action(SIGPROF); }
static bool sigaction_real_time(void) { return set_action(SIGRTMIN); }
static bool sigaction_wrong(void) { return sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL) == -1 && errno == EINVAL; }
static bool sigaction_ask(void) { struct sigaction now; return sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_handler == SIG_DFL; }

/* The upper half of the address alone is not zero: memory at 4 GiB. */
static bool sigaction_far(void)
{
	struct rb_action *far = mmap((void *)0x100000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), now;

	if (far == MAP_FAILED)
		return false;
	far->handler = (uintptr_t)SIG_IGN;
	return syscall(SYS_rt_sigaction, SIGWINCH, far, NULL, sizeof(now.mask)) == 0 &&
	       syscall(SYS_rt_sigaction, SIGWINCH, NULL, &now, sizeof(now.mask)) == 0 && now.handler == (uintptr_t)SIG_IGN;
}

static bool set_timer(__itimer_which_t which)
{
	struct itimerval t = {.it_value = {.tv_sec = 100}};

	return setitimer(which, &t, NULL) == 0 && getitimer(which, &t) == 0 && t.it_value.tv_sec > 90;
}
static bool timer_real(void) { return set_timer(ITIMER_REAL); }
static bool timer_virtual(void) { return set_timer(ITIMER_VIRTUAL); }
static bool timer_profiling(void) { return set_timer(ITIMER_PROF); }
static bool timer_alarm(void) { return alarm(50) == 0 && alarm(40) >= 49; }
static bool timer_ask(void) { struct itimerval t; return getitimer(ITIMER_REAL, &t) == 0 && t.it_value.tv_sec == 0; }

static bool close_kept(void) { return close(1) == 0 && close(1) == -1 && errno == EBADF; }
static bool close_own(void) { int fd = open("/dev/null", O_RDONLY); return fd > 2 && close(fd) == 0 && close(fd) == -1 && errno == EBADF; }
static bool close_range_kept(void) { return close_range(0, 1, 0) == 0 && fcntl(0, F_GETFD) == -1 && fcntl(2, F_GETFD) != -1; }
static bool close_range_wrong(void) { return close_range(1, 0, 0) == -1 && errno == EINVAL; }
static bool dup2_kept(void) { return dup2(0, 2) == 2; }
static bool dup2_own(void) { return dup2(0, FREE) == FREE; }
static bool dup2_wrong(void) { return dup2(FREE, 2) == -1 && errno == EBADF; }
static bool dup3_kept(void) { return dup3(0, 2, O_CLOEXEC) == 2 && fcntl(2, F_GETFD) == FD_CLOEXEC; }
static bool dup3_own(void) { return dup3(0, FREE, 0) == FREE; }
static bool dup_kept(void) { return dup(0) > 2; }
static bool setfd_kept(void) { return fcntl(2, F_SETFD, FD_CLOEXEC) == 0 && fcntl(2, F_GETFD) == FD_CLOEXEC; }
static bool setfd_own(void) { return fcntl(dup(0), F_SETFD, FD_CLOEXEC) == 0; }
static bool getfd_kept(void) { return fcntl(2, F_GETFD) == 0; }
static bool dupfd_kept(void) { return fcntl(2, F_DUPFD_CLOEXEC, 2) > 2; }
static bool ioctl_set_kept(void) { return ioctl(2, FIOCLEX) == 0 && fcntl(2, F_GETFD) == FD_CLOEXEC; }
static bool ioctl_clear_kept(void) { return ioctl(2, FIONCLEX) == 0 && fcntl(2, F_GETFD) == 0; }
static bool ioctl_own(void) { return ioctl(dup(0), FIOCLEX) == 0; }
static bool ioctl_other(void) { int n; return ioctl(2, FIONREAD, &n) == 0 || errno == ENOTTY || errno == EINVAL; }

static const struct {
	const char *name;
	bool (*works)(void);
	unsigned touches;
} calls[] = {
#define CALL(name, touches) {#name, name, touches}
	CALL(sigaction_usual, RB_TOUCHED_SIGNALS), CALL(sigaction_child, RB_TOUCHED_SIGNALS), CALL(sigaction_first, RB_TOUCHED_SIGNALS),
	CALL(sigaction_last, RB_TOUCHED_SIGNALS), CALL(sigaction_wrong, RB_TOUCHED_SIGNALS), CALL(sigaction_far, RB_TOUCHED_SIGNALS),
	CALL(sigaction_profiling, 0), CALL(sigaction_real_time, 0), CALL(sigaction_ask, 0),
	CALL(timer_real, RB_TOUCHED_TIMERS), CALL(timer_virtual, RB_TOUCHED_TIMERS), CALL(timer_alarm, RB_TOUCHED_TIMERS),
	CALL(timer_profiling, 0), CALL(timer_ask, 0),
	CALL(close_kept, RB_TOUCHED_FDS), CALL(close_range_kept, RB_TOUCHED_FDS), CALL(close_range_wrong, RB_TOUCHED_FDS), CALL(close_own, 0),
	CALL(dup2_kept, RB_TOUCHED_FDS), CALL(dup2_wrong, RB_TOUCHED_FDS), CALL(dup3_kept, RB_TOUCHED_FDS),
	CALL(dup2_own, 0), CALL(dup3_own, 0), CALL(dup_kept, 0),
	CALL(setfd_kept, RB_TOUCHED_FDS), CALL(setfd_own, 0), CALL(getfd_kept, 0), CALL(dupfd_kept, 0),
	CALL(ioctl_set_kept, RB_TOUCHED_FDS), CALL(ioctl_clear_kept, RB_TOUCHED_FDS), CALL(ioctl_own, 0), CALL(ioctl_other, 0),
};

/* Exit statuses of a child; a bit beyond the kinds of state says that the call had another result. */
#define WRONG_RESULT 8U
#define NOT_WATCHED 16

static _Noreturn void child(int i)
{
	if (close_range(3, ~0U, 0) == -1 || fcntl(0, F_SETFD, 0) == -1 || fcntl(1, F_SETFD, 0) == -1 || fcntl(2, F_SETFD, 0) == -1)
		_exit(99);
	/* nohup(1) and others leave some ignored. */
	for (int sig = 1; sig <= RB_SIGNALS; sig++)
		signal(sig, SIG_DFL);
	int err = load_watch();
	if (err != 0)
		_exit(err == 1 ? NOT_WATCHED : 98);
	rb_watch_forget();
	bool works = calls[i].works();
	_exit((int)(rb_watch_touched() | (works ? 0 : WRONG_RESULT)));
}

START_TEST(a_call_is_noticed)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(_i);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s: signal %d", calls[_i].name, WTERMSIG(status));
	if (WEXITSTATUS(status) == NOT_WATCHED) {
		fprintf(stderr, "SKIP watched calls: not on this processor\n");
		return;
	}
	ck_assert_msg((unsigned)WEXITSTATUS(status) == calls[_i].touches, "%s: %d", calls[_i].name, WEXITSTATUS(status));
}
END_TEST

START_TEST(nothing_is_sure_where_nobody_watches)
{
	ck_assert_uint_eq(rb_watch_touched(), RB_TOUCHED_ALL);
	rb_watch_forget();
	ck_assert_uint_eq(rb_watch_touched(), RB_TOUCHED_ALL);
	ck_assert(rb_watch_has(0) && rb_watch_has(FREE));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rb_watch");
	TCase *t = tcase_create("all");

	tcase_add_test(t, nothing_is_sure_where_nobody_watches);
	tcase_add_loop_test(t, a_call_is_noticed, 0, sizeof(calls) / sizeof(calls[0]));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
