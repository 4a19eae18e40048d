/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Tries every allow and every deny of a profile under its loaded filter, each call in a process of its own; TAP output.
 * First it proves that the list of cases is complete: every row of the profile (every value of a row's list) is met by a
 * case, and every call whose rows depend on arguments is also tried with arguments that fit none.
 * Not sanitised: a sanitizer's own system calls are not in any profile.
 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sb_filter.h"
#include "sandbox/sb_profile.h"
#include "sandbox/sb_sigsys.h"
#include "tests/probe/cases.h"

/* How a try ended. */
struct outcome {
	bool returned; /* the call came back */
	int err;       /* its errno, 0 = success */
	int status;    /* wait status when it did not */
};

/* Written by the process that tries, read by us. */
struct shared {
	volatile int returned, err;
	struct sb_slot slot;
};

static struct shared *shared;
static struct sb_filter zygote, delta;
static struct sb_pids pids = {.own = 1234};
static enum probe_profile at; /* which profile is tried */
static unsigned test_n, failed_n;

static const char *const profile_names[] = {[PROBE_STRICT] = "strict", [PROBE_PHP] = "php", [PROBE_LEGACY] = "legacy"};

static void report(bool ok, const char *what, const char *detail)
{
	test_n++;
	failed_n += !ok;
	printf("%sok %u - %s%s%s\n", ok ? "" : "not ", test_n, what, detail[0] != '\0' ? ": " : "", detail);
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

/* --- the list is complete ------------------------------------------------------------------------------------------- */

static uint64_t argument(const struct probe_case *c, size_t i, uint64_t own)
{
	uint64_t v = c->args[i];

	return v == OWN_PID ? own : v == ZYGOTE_PID ? pids.zygote : v == ZYGOTE_GROUP ? (uint32_t)(0U - pids.zygote) : v;
}

static bool case_meets(const struct probe_case *c, const struct sb_rule *rule, const uint32_t *value)
{
	uint64_t args[6];

	/* A zygote's row is met by a case in its place, a cell's row by one in a cell's. */
	if (strcmp(c->name, rule->name) != 0 || (rule->where == SB_ZYGOTE && !c->zygote) ||
	    (rule->where == SB_DELTA && c->zygote))
		return false;
	for (size_t i = 0; i < 6; i++)
		args[i] = argument(c, i, pids.own);
	if (!sb_rule_fits(rule, args, &pids))
		return false;
	return value == NULL || (args[rule->list_arg] & SB_INT) == *value;
}

static bool is_met(const struct sb_rule *rule, const uint32_t *value)
{
	for (size_t i = 0; i < probe_cases_n; i++)
		if (case_meets(&probe_cases[i], rule, value))
			return true;
	return false;
}

static bool conditional(const struct sb_rule *rule)
{
	return rule->cmps_n > 0 || rule->values_n > 0;
}

/* A case of this call that the table leaves to the default, or refuses by another row. */
static bool refusal_is_met(const struct sb_rule *rule)
{
	for (size_t i = 0; i < probe_cases_n; i++)
		if (strcmp(probe_cases[i].name, rule->name) == 0 && !case_meets(&probe_cases[i], rule, NULL) &&
		    probe_cases[i].expect[at] != REACHED)
			return true;
	return false;
}

/*
 * This runs as root and means to find filters that let too much through: no case may do harm when its call does reach the
 * kernel. Signals are the worst of them (-1 is every process, 0 a group): they go to a process that cannot exist.
 */
static void check_harmless(void)
{
	static const char *const signals[] = {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open"};

	for (size_t i = 0; i < probe_cases_n; i++)
		for (size_t j = 0; j < sizeof(signals) / sizeof(signals[0]); j++) {
			const struct probe_case *c = &probe_cases[i];
			bool own_thread = strcmp(c->name, "tgkill") == 0 && c->args[0] == OWN_PID && c->args[1] == NOBODY;
			/* Signal 0 only asks. */
			bool asks = strncmp(c->name, "tg", 2) == 0 ? c->args[2] == 0 : strstr(c->name, "kill") != NULL && c->args[1] == 0;
			if (strcmp(c->name, signals[j]) == 0 && c->args[0] != NOBODY && !own_thread && !asks) {
				errno = EINVAL;
				die("a case would signal a real process");
			}
		}
}

static void check_complete(const struct sb_profile *p)
{
	const struct sb_rule *rule;
	unsigned failed_before = failed_n;
	char what[128];

	for (size_t i = 0; (rule = sb_profile_rule(p, i)) != NULL; i++) {
		bool met = rule->values_n > 0 || is_met(rule, NULL);
		for (size_t v = 0; v < rule->values_n; v++)
			met = met && is_met(rule, &rule->values[v]);
		if (conditional(rule) && rule->action == SB_ALLOW)
			met = met && refusal_is_met(rule);
		snprintf(what, sizeof(what), "%s: row %zu (%s) has its cases", p->name, i, rule->name);
		if (!met)
			report(false, what, "add one to cases");
	}
	report(failed_n == failed_before, "every row of the profile is tried", "");
}

/* --- one try ---------------------------------------------------------------------------------------------------------- */

static void try_here(const struct probe_case *c, int nr, bool filtered)
{
	long a[6];

	for (size_t i = 0; i < 6; i++)
		a[i] = (long)argument(c, i, (uint64_t)getpid());
	setsid(); /* no terminal to hang up */
	if (c->alarm) {
		struct itimerval soon = {.it_value = {.tv_usec = 50000}};
		setitimer(ITIMER_REAL, &soon, NULL);
	}
	if (filtered) {
		sb_sigsys_set_slot(&shared->slot);
		sb_filter_set_pid(&delta, (uint32_t)getpid());
		if (sb_sigsys_install() != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    sb_filter_load(&zygote) != 0 || (!c->zygote && sb_filter_load(&delta) != 0))
			_exit(98);
	}
	long ret;
	if (strcmp(c->name, "vfork") == 0) { /* its child must not return from a function that the parent is in */
		ret = vfork();
		if (ret == 0)
			_exit(0);
	} else {
		ret = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	shared->err = ret == -1 ? errno : 0;
	shared->returned = 1;
	_exit(0);
}

static struct outcome try_call(const struct probe_case *c, int nr, bool filtered)
{
	struct outcome o = {.status = 0};

	shared->returned = 0;
	shared->err = 0;
	shared->slot.number = SB_SLOT_EMPTY;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0)
		try_here(c, nr, filtered);
	if (waitpid(pid, &o.status, 0) == -1)
		die("waitpid");
	o.returned = shared->returned != 0;
	o.err = shared->err;
	return o;
}

static const char *outcome_text(const struct outcome *o, char *buf, size_t len)
{
	if (o->returned)
		snprintf(buf, len, "returned %s", o->err == 0 ? "success" : strerrorname_np(o->err));
	else if (WIFSIGNALED(o->status))
		snprintf(buf, len, "signal %d, slot %d", WTERMSIG(o->status), shared->slot.number);
	else
		snprintf(buf, len, "exit %d", WEXITSTATUS(o->status));
	return buf;
}

/* The arguments are noted as they were given. */
static bool noted(const struct probe_case *c)
{
	for (size_t i = 0; i < 6; i++)
		if (shared->slot.args[i] != argument(c, i, 0))
			return false;
	return true;
}

static bool as_expected(const struct probe_case *c, int nr, const struct outcome *o, const struct outcome *bare)
{
	switch (c->expect[at]) {
	case EPERM_:
		return o->returned && o->err == EPERM;
	case ENOSYS_:
		return o->returned && o->err == ENOSYS;
	case KILLED:
		return !o->returned && WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGSYS && shared->slot.number == nr && noted(c);
	case REACHED:
		break;
	}
	if (o->returned != bare->returned || shared->slot.number != SB_SLOT_EMPTY)
		return false;
	return o->returned ? o->err == bare->err : o->status == bare->status;
}

static enum probe_expect by_table(const struct sb_policy *p, const struct probe_case *c)
{
	static const enum probe_expect of[] = {[SB_ALLOW] = REACHED, [SB_EPERM] = EPERM_, [SB_ENOSYS] = ENOSYS_, [SB_KILL] = KILLED};
	uint64_t args[6];

	for (size_t i = 0; i < 6; i++)
		args[i] = argument(c, i, pids.own);
	return of[sb_policy_verdict(p, c->name, args, &pids)];
}

static void run_case(const struct sb_policy *p, const struct probe_case *c)
{
	static const char *const want[] = {[REACHED] = "reaches the kernel", [EPERM_] = "EPERM", [ENOSYS_] = "ENOSYS", [KILLED] = "killed"};
	struct outcome bare = {.returned = false};
	char what[128], got[64], bare_text[64] = "";
	int nr = sb_call_number(c->name);

	snprintf(what, sizeof(what), "%s: %s%s(%llx, %llx, %llx, %llx) %s", p->profile->name, c->zygote ? "zygote: " : "", c->name,
		(unsigned long long)c->args[0], (unsigned long long)c->args[1], (unsigned long long)c->args[2],
		(unsigned long long)c->args[3], want[c->expect[at]]);
	if (nr < 0) {
		/* A name that libseccomp does not know yet is no row either; one of another architecture is skipped there. */
		report(true, what, "# SKIP no such call here");
		return;
	}
	if (c->expect[at] == REACHED) {
		bare = try_call(c, nr, false);
		outcome_text(&bare, bare_text, sizeof(bare_text));
		if (bare.returned && bare.err == ENOSYS) {
			report(true, what, "# SKIP this kernel does not have it");
			return;
		}
	}
	struct outcome o = try_call(c, nr, true);
	bool ok = as_expected(c, nr, &o, &bare);
	if (!c->zygote && by_table(p, c) != c->expect[at]) {
		report(false, what, "the table says otherwise");
		return;
	}
	report(ok, what, ok ? "" : outcome_text(&o, got, sizeof(got)));
	if (!ok && bare_text[0] != '\0')
		printf("# without filter: %s\n", bare_text);
}

/* --- calls by another door --------------------------------------------------------------------------------------------- */

#ifdef __x86_64__
static void run_foreign(const char *what, int nr, bool int80)
{
	fflush(stdout);
	pid_t pid = fork();
	int status = 0;
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || sb_filter_load(&zygote) != 0)
			_exit(98);
		if (int80) {
			long ret;
			__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L /* getpid of i386 */) : "memory");
		} else {
			syscall(nr);
		}
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		die("fork");
	report(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, what, "");
}
#endif

static void run_profile(enum probe_profile which)
{
	struct sb_policy policy;
	const char *why;

	at = which;
	if (sb_policy_make(&policy, profile_names[which], NULL, &why) != 0 ||
	    sb_filter_build(&zygote, &policy, SB_FILTER_ZYGOTE, &why) != 0 ||
	    sb_filter_build(&delta, &policy, SB_FILTER_DELTA, &why) != 0)
		die(why);
	sb_filter_set_zygote(&delta, pids.zygote);
	printf("# %s: filter of %u instructions, delta of %u\n", profile_names[which], zygote.insns_n, delta.insns_n);
	check_complete(policy.profile);
	for (size_t i = 0; i < probe_cases_n; i++)
		run_case(&policy, &probe_cases[i]);
#ifdef __x86_64__
	run_foreign("x32 call kills", 0x40000000 | SYS_getpid, false);
	run_foreign("32-bit call through int 0x80 kills", 0, true);
#endif
	sb_filter_fini(&zygote);
	sb_filter_fini(&delta);
	sb_policy_fini(&policy);
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	pids.zygote = (uint32_t)getpid(); /* we stand for the zygote: what must not be signalled */
	check_harmless();
	for (int which = 0; which < PROBE_PROFILES; which++)
		run_profile((enum probe_profile)which);
	printf("1..%u\n", test_n);
	return failed_n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
