/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy means for the process itself, tried without any filter: these locks hold where a filter has a hole. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sb_harden.h"
#include "tests/unit/unit.h"

static const char *why;

static int in_child(int (*fn)(const char *profile), const char *profile)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(profile));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NO_MDWE 77

/* 0: memory became executable, EACCES: not, NO_MDWE: this kernel cannot refuse. */
static int gain_code(const char *profile)
{
	struct sb_policy p;
	struct sb_harden h;
	char off[512];

	if (sb_policy_make(&p, profile, NULL, &why) != 0 || sb_harden_zygote(&h, &p, off, sizeof(off), &why) != 0)
		return 200;
	if (strstr(off, "memory-deny-write-execute") != NULL)
		return NO_MDWE;
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ) == -1)
		return 201;
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) == -1 ? errno : 0;
}

START_TEST(memory_stays_data)
{
	static const char *const dense[] = {"strict", "php"};

	for (int i = 0; i < 2; i++) {
		int got = in_child(gain_code, dense[i]);
		ck_assert_msg(got == EACCES || got == NO_MDWE, "%s: %d", dense[i], got);
	}
	ck_assert_int_eq(in_child(gain_code, "legacy"), 0);
}
END_TEST

/* Errno of a fork; EAGAIN is what the limit gives. The limit does not bind root. */
static int start_task(const char *profile)
{
	struct sb_policy p;
	struct sb_harden h;
	char off[512];

	if ((geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1)) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || sb_policy_make(&p, profile, NULL, &why) != 0 ||
	    sb_harden_zygote(&h, &p, off, sizeof(off), &why) != 0)
		return 200;
	pid_t pid = fork();
	if (pid == -1)
		return 201;
	if (pid == 0) { /* a cell */
		if (sb_harden_cell(&h, &why) != 0)
			_exit(202);
		pid = fork();
		_exit(pid == -1 ? errno : 0);
	}
	int cell, last = 0;
	if (waitpid(pid, &cell, 0) != pid || !WIFEXITED(cell))
		return 203;
	pid = fork(); /* the zygote goes on */
	if (pid == 0)
		_exit(0);
	return pid == -1 || waitpid(pid, &last, 0) != pid ? 204 : WEXITSTATUS(cell);
}

START_TEST(no_new_tasks)
{
	ck_assert_int_eq(in_child(start_task, "strict"), EAGAIN);
	ck_assert_int_eq(in_child(start_task, "php"), 0); /* threads are tasks; the filter tells them apart */
	ck_assert_int_eq(in_child(start_task, "legacy"), 0);
}
END_TEST

/* kill(2) of a parent by a cell that may signal, without a filter: 0, EPERM, or NO_MDWE where Landlock has no such rule. */
static int signal_parent(const char *profile)
{
	struct sb_policy p;
	struct sb_harden h;
	char off[512];
	int status;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || sb_policy_make(&p, profile, NULL, &why) != 0 ||
	    sb_harden_zygote(&h, &p, off, sizeof(off), &why) != 0)
		return 200;
	if (h.traits.signals && h.scope_fd == -1)
		return NO_MDWE;
	pid_t pid = fork();
	if (pid == 0) {
		if (sb_harden_cell(&h, &why) != 0)
			_exit(202);
		if (kill(getpid(), 0) == -1)
			_exit(203);
		_exit(kill(getppid(), 0) == -1 ? errno : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 204;
}

START_TEST(signals_stay_with_the_cell)
{
	int got = in_child(signal_parent, "legacy");

	ck_assert_msg(got == EPERM || got == NO_MDWE, "%d", got);
	ck_assert_int_eq(in_child(signal_parent, "php"), 0); /* there the filter refuses */
}
END_TEST

static Suite *harden_suite(void)
{
	Suite *s = suite_create("harden");
	TCase *t = tcase_create("process");

	tcase_add_test(t, memory_stays_data);
	tcase_add_test(t, no_new_tasks);
	tcase_add_test(t, signals_stay_with_the_cell);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(harden_suite)
