/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled programs against the tables: each exported program is run here, instruction by instruction as the kernel
 * does, with arguments that fit a row and with arguments that miss it by one bit. libseccomp drops conditions without a
 * word when rules overlap; a table that reads right is not enough.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "sandbox/sb_call_text.h"
#include "sandbox/sb_filter.h"
#include "sandbox/sb_policy.h"

static const char *const profiles[] = {"strict", "php", "legacy", "learn"};
#define PROFILES_N ((int)(sizeof(profiles) / sizeof(profiles[0])))
static const struct sb_pids pids = {.own = 4711, .zygote = 4242};

static const char *why;

static struct sb_policy policy_of(const char *name, const struct sb_changes *c)
{
	struct sb_policy p;
	int err = sb_policy_make(&p, name, c, &why);

	ck_assert_msg(err == 0, "%s: %s", name, why);
	return p;
}

static struct sb_filter filter_of(const struct sb_policy *p, enum sb_filter_kind kind)
{
	struct sb_filter f;

	ck_assert_msg(sb_filter_build(&f, p, kind, &why) == 0, "%s", why);
	sb_filter_set_zygote(&f, pids.zygote);
	sb_filter_set_pid(&f, pids.own);
	return f;
}

/* --- what the kernel does with a program --------------------------------------------------------------------------------- */

static bool jump(const struct sock_filter *in, uint32_t acc)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return acc == in->k;
	case BPF_JGT:
		return acc > in->k;
	case BPF_JGE:
		return acc >= in->k;
	case BPF_JSET:
		return (acc & in->k) != 0;
	default:
		ck_abort_msg("jump 0x%x", in->code);
	}
}

static uint32_t run(const struct sb_filter *f, const struct seccomp_data *d)
{
	uint32_t acc = 0;

	for (unsigned pc = 0; pc < f->insns_n; pc++) {
		const struct sock_filter *in = &f->insns[pc];
		if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
			ck_assert(in->k + 4 <= sizeof(*d));
			memcpy(&acc, (const char *)d + in->k, sizeof(acc));
		} else if (in->code == (BPF_ALU | BPF_AND | BPF_K)) {
			acc &= in->k;
		} else if (in->code == (BPF_JMP | BPF_JA)) {
			pc += in->k;
		} else if (BPF_CLASS(in->code) == BPF_JMP) {
			pc += jump(in, acc) ? in->jt : in->jf;
		} else if (BPF_CLASS(in->code) == BPF_RET) {
			return in->k;
		} else {
			ck_abort_msg("instruction 0x%x", in->code);
		}
	}
	ck_abort_msg("the program runs past its end");
}

static enum sb_action action_of(uint32_t ret)
{
	switch (ret) {
	case SECCOMP_RET_ALLOW:
		return SB_ALLOW;
	case SECCOMP_RET_ERRNO | EPERM:
		return SB_EPERM;
	case SECCOMP_RET_ERRNO | ENOSYS:
		return SB_ENOSYS;
	case SECCOMP_RET_TRAP:
		return SB_KILL;
	default:
		ck_abort_msg("verdict 0x%x", ret);
	}
}

static struct seccomp_data call(int nr, const uint64_t args[6])
{
	struct seccomp_data d = {.nr = nr, .arch = seccomp_arch_native() == SCMP_ARCH_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64};

	for (size_t i = 0; i < 6; i++)
		d.args[i] = args[i];
	return d;
}

/* --- program and table agree ----------------------------------------------------------------------------------------------- */

static unsigned compared, differing;

static void compare(const struct sb_policy *p, const struct sb_filter *f, bool delta, const char *name, const uint64_t args[6])
{
	struct seccomp_data d = call(sb_call_number(name), args);

	compared++;
	if (action_of(run(f, &d)) != sb_policy_filter_verdict(p, delta, name, args, &pids))
		differing++;
}

static void fit(const struct sb_rule *r, uint64_t args[6], uint32_t value)
{
	for (size_t i = 0; i < r->cmps_n; i++) {
		const struct sb_cmp *c = &r->cmps[i];
		uint64_t v = c->whose == SB_OWN_PID ? pids.own : c->whose == SB_ZYGOTE_PID ? pids.zygote
			: c->whose == SB_ZYGOTE_GROUP ? (uint32_t)(0U - pids.zygote) : c->value;
		args[c->arg] = c->differs ? v + 1 : v;
	}
	if (r->values_n > 0)
		args[r->list_arg] = value;
}

/* The row's own arguments, then each argument with each of its bits turned over: also those above what the kernel reads. */
static void compare_row(const struct sb_policy *p, const struct sb_filter *f, const struct sb_rule *r, uint32_t value)
{
	bool delta = r->where == SB_DELTA;
	uint64_t args[6] = {0};

	fit(r, args, value);
	ck_assert_msg(sb_rule_fits(r, args, &pids), "%s", r->name);
	compare(p, f, delta, r->name, args);
	for (size_t a = 0; a < 6; a++)
		for (unsigned bit = 0; bit < 64; bit++) {
			args[a] ^= UINT64_C(1) << bit;
			compare(p, f, delta, r->name, args);
			args[a] ^= UINT64_C(1) << bit;
		}
	for (size_t a = 0; a < 6; a++) {
		uint64_t keep = args[a];
		args[a] = UINT64_MAX;
		compare(p, f, delta, r->name, args);
		args[a] = keep;
	}
	/* Alternatives of one call, all missed at once. */
	for (size_t a = 0; a < 6; a++)
		args[a] = ~args[a];
	compare(p, f, delta, r->name, args);
}

static void compare_all(const struct sb_policy *p, const struct sb_filter *f, enum sb_filter_kind kind)
{
	for (size_t i = 0; i < p->rules_n; i++) {
		const struct sb_rule *r = &p->rules[i];
		if ((r->where == SB_DELTA) != (kind == SB_FILTER_DELTA) || sb_call_number(r->name) < 0)
			continue;
		compare_row(p, f, r, r->values_n > 0 ? r->values[0] : 0);
		for (size_t v = 1; v < r->values_n; v++)
			compare_row(p, f, r, r->values[v]);
	}
}

START_TEST(program_is_the_table)
{
	struct sb_policy p = policy_of(profiles[_i], NULL);

	for (int kind = SB_FILTER_ZYGOTE; kind <= SB_FILTER_DELTA; kind++) {
		struct sb_filter f = filter_of(&p, (enum sb_filter_kind)kind);
		compared = differing = 0;
		compare_all(&p, &f, (enum sb_filter_kind)kind);
		ck_assert_uint_eq(differing, 0);
		ck_assert_uint_gt(compared, 3000);
		sb_filter_fini(&f);
	}
	sb_policy_fini(&p);
}
END_TEST

/* The comparison sees what it is there for: one row without conditions beside the others of its call. */
START_TEST(lost_condition_is_seen)
{
	static const char *const calls[] = {"mmap", "socket", "openat", "clone", "ioctl", "setsockopt", "chmod"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct sb_policy p = policy_of("php", NULL), loose = policy_of("php", NULL);
		loose.rules = reallocarray(loose.rules, loose.rules_n + 1, sizeof(*loose.rules));
		ck_assert_ptr_nonnull(loose.rules);
		loose.rules[loose.rules_n++] = (struct sb_rule){.name = calls[i]};
		struct sb_filter f = filter_of(&loose, SB_FILTER_ZYGOTE);
		compared = differing = 0;
		compare_all(&p, &f, SB_FILTER_ZYGOTE);
		ck_assert_msg(differing > 0, "%s lost its conditions and nobody saw", calls[i]);
		sb_filter_fini(&f);
		sb_policy_fini(&p);
		sb_policy_fini(&loose);
	}
}
END_TEST

/* What no row names is denied by the zygote's filter and left to it by the delta; other architectures die. */
START_TEST(default_denies)
{
	static const uint64_t args[6];
	struct sb_policy p = policy_of(profiles[_i], NULL);
	struct sb_filter f = filter_of(&p, SB_FILTER_ZYGOTE), delta = filter_of(&p, SB_FILTER_DELTA);

	for (int nr = 600; nr < 1600; nr++) {
		struct seccomp_data d = call(nr, args);
		ck_assert(action_of(run(&f, &d)) == SB_ENOSYS);
		ck_assert(action_of(run(&delta, &d)) == SB_ALLOW);
	}
	struct seccomp_data d = call(SYS_getpid, args);
	ck_assert(action_of(run(&f, &d)) == SB_ALLOW);
	d.arch = AUDIT_ARCH_I386;
	ck_assert_uint_eq(run(&f, &d), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
	d = call(0x40000000 | SYS_getpid, args);
	ck_assert_uint_eq(run(&f, &d), SECCOMP_RET_KILL_PROCESS);
#endif
	ck_assert_uint_lt(f.insns_n, 4000);
	sb_filter_fini(&f);
	sb_filter_fini(&delta);
	sb_filter_fini(&f); /* twice is allowed */
	ck_assert_int_eq(sb_filter_load(&f), GW_ERR_SYS); /* an empty one is an error, not "allow all" */
	sb_policy_fini(&p);
}
END_TEST

/* The learning filter passes what `strict` allows and stops everything else; it refuses nothing by itself. */
START_TEST(learning_stops_the_rest)
{
	struct sb_policy p = policy_of("strict", NULL);
	struct sb_filter f = filter_of(&p, SB_FILTER_LEARN);
	unsigned passed = 0;

	for (int nr = 0; nr < 600; nr++) {
		static const uint64_t patterns[] = {0, 1, 2, 7, UINT64_MAX, UINT64_C(1) << 32, 04755};
		const char *name = sb_call_name(nr);
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			uint64_t args[6];
			for (size_t a = 0; a < 6; a++)
				args[a] = patterns[(i + a) % (sizeof(patterns) / sizeof(patterns[0]))];
			struct seccomp_data d = call(nr, args);
			bool pass = name != NULL && (strcmp(name, "seccomp") == 0 || sb_policy_filter_verdict(&p, false, name, args, &pids) == SB_ALLOW);
			for (size_t r = 0; pass && r < p.rules_n; r++)
				if (strcmp(p.rules[r].name, name) == 0 && p.rules[r].where == SB_ZYGOTE && strcmp(name, "seccomp") != 0 &&
					sb_rule_fits(&p.rules[r], args, &pids))
					pass = sb_policy_verdict(&p, name, args, &pids) == SB_ALLOW;
			passed += pass;
			ck_assert_msg(run(&f, &d) == (pass ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF), "%s pattern %zu", name, i);
		}
	}
	ck_assert_uint_gt(passed, 500);
	sb_filter_fini(&f);
	sb_policy_fini(&p);
}
END_TEST

/* --- the tables ------------------------------------------------------------------------------------------------------------ */

static bool conditional(const struct sb_rule *r)
{
	return r->cmps_n > 0 || r->values_n > 0;
}

START_TEST(rows_agree)
{
	struct sb_policy p = policy_of(profiles[_i], NULL);

	for (size_t i = 0; i < p.rules_n; i++) {
		const struct sb_rule *a = &p.rules[i];
		ck_assert_msg(sb_call_number(a->name) != -2, "%s is no system call", a->name);
		ck_assert_uint_le(a->cmps_n, SB_CMPS_MAX);
		for (size_t j = i + 1; j < p.rules_n; j++) {
			const struct sb_rule *b = &p.rules[j];
			if (strcmp(a->name, b->name) != 0 || (a->where == SB_DELTA) != (b->where == SB_DELTA))
				continue;
			ck_assert_msg(conditional(a) && conditional(b), "%s has a row without condition and another", a->name);
			ck_assert_msg(a->action == b->action, "%s: rows of one filter differ in action", a->name);
		}
	}
	sb_policy_fini(&p);
	ck_assert_int_eq(sb_policy_make(&p, "nonsense", NULL, &why), GW_ERR_NOTFOUND);
	ck_assert_ptr_null(sb_profile_find("nonsense"));
}
END_TEST

/* What the zygote may do beyond a cell is taken away by the delta; `legacy` gives some of it to cells as well. */
START_TEST(delta_takes_all)
{
	struct sb_policy p = policy_of(profiles[_i], NULL);
	const struct sb_rule *rule;
	unsigned extras = 0;

	for (size_t i = 0; (rule = sb_profile_rule(p.profile, i)) != NULL; i++) {
		uint64_t args[6] = {0, 0, 1};
		if (rule->where != SB_ZYGOTE)
			continue;
		extras++;
		fit(rule, args, rule->values_n > 0 ? rule->values[0] : 0);
		ck_assert_msg(sb_rule_fits(rule, args, &pids), "%s", rule->name);
		bool lax = _i >= 2 && (strcmp(rule->name, "clone") == 0 || strcmp(rule->name, "wait4") == 0 ||
					strcmp(rule->name, "kill") == 0 || strcmp(rule->name, "setsid") == 0 ||
					strcmp(rule->name, "memfd_create") == 0);
		ck_assert_msg((sb_policy_verdict(&p, rule->name, args, &pids) == SB_ALLOW) == lax, "a cell and %s", rule->name);
	}
	ck_assert_uint_gt(extras, 3);
	sb_policy_fini(&p);
}
END_TEST

START_TEST(stricter_means_less)
{
	struct sb_policy strict = policy_of("strict", NULL), php = policy_of("php", NULL), legacy = policy_of("legacy", NULL);
	struct sb_policy *order[] = {&strict, &php, &legacy};

	for (int lax = 1; lax < 3; lax++)
		for (size_t i = 0; i < order[lax - 1]->rules_n; i++) {
			const struct sb_rule *r = &order[lax - 1]->rules[i];
			uint64_t args[6] = {0};
			fit(r, args, r->values_n > 0 ? r->values[0] : 0);
			if (sb_policy_verdict(order[lax - 1], r->name, args, &pids) == SB_ALLOW)
				ck_assert_msg(sb_policy_verdict(order[lax], r->name, args, &pids) == SB_ALLOW, "%s", r->name);
		}
	sb_policy_fini(&strict);
	sb_policy_fini(&php);
	sb_policy_fini(&legacy);
}
END_TEST

START_TEST(traits)
{
	static const struct {
		const char *profile;
		const char *allow[2];
		size_t allow_n;
		struct sb_traits want;
	} cases[] = {
		{"strict", {NULL}, 0, {.tasks = false}},
		{"php", {NULL}, 0, {.threads = true, .libraries = true}},
		{"legacy", {NULL}, 0, {true, true, true, true, true, true, true}},
		{"strict", {"mprotect"}, 1, {.code = true}},
		{"strict", {"execve", "vfork"}, 2, {.tasks = true, .programs = true}},
		{"php", {"kill"}, 1, {.threads = true, .signals = true, .libraries = true}},
		{"strict", {"mmap"}, 1, {.libraries = true}},
		{"strict", {"rt_sigaction"}, 1, {.faults = true}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sb_changes c = {.allow_n = cases[i].allow_n, .allow = cases[i].allow};
		struct sb_policy p = policy_of(cases[i].profile, &c);
		struct sb_traits t = sb_policy_traits(&p);
		ck_assert_msg(memcmp(&t, &cases[i].want, sizeof(t)) == 0, "case %zu", i);
		sb_policy_fini(&p);
	}
}
END_TEST

/* --- SandboxAllow and SandboxDeny -------------------------------------------------------------------------------------------- */

static enum sb_action verdict(const struct sb_policy *p, const char *name, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const uint64_t args[6] = {a0, a1, a2};

	return sb_policy_verdict(p, name, args, &pids);
}

START_TEST(allow_keeps_conditions)
{
	static const char *const allow[] = {"mprotect", "clone", "kill", "sched_setaffinity", "mq_open", "prctl", "execve"};
	const struct sb_changes c = {.allow_n = sizeof(allow) / sizeof(allow[0]), .allow = allow};
	struct sb_policy p = policy_of("strict", &c);

	ck_assert(verdict(&p, "mprotect", 0, 0, 5) == SB_ALLOW && verdict(&p, "mprotect", 0, 0, 7) == SB_ENOSYS);
	ck_assert(verdict(&p, "clone", 17, 0, 0) == SB_ALLOW && verdict(&p, "clone", 0x10000000 | 17, 0, 0) == SB_ENOSYS);
	ck_assert(verdict(&p, "kill", 3, 15, 0) == SB_ALLOW && verdict(&p, "kill", pids.zygote, 15, 0) == SB_EPERM);
	ck_assert(verdict(&p, "sched_setaffinity", 0, 8, 0) == SB_ALLOW && verdict(&p, "sched_setaffinity", 3, 8, 0) == SB_ENOSYS);
	ck_assert(verdict(&p, "mq_open", 0, 0, 0) == SB_ALLOW);
	ck_assert(verdict(&p, "prctl", 22 /* SET_SECCOMP */, 2, 0) == SB_ENOSYS);
	ck_assert(verdict(&p, "execve", 0, 0, 0) == SB_ALLOW);
	for (int kind = SB_FILTER_ZYGOTE; kind <= SB_FILTER_DELTA; kind++) {
		struct sb_filter f = filter_of(&p, (enum sb_filter_kind)kind);
		differing = 0;
		compare_all(&p, &f, (enum sb_filter_kind)kind);
		ck_assert_uint_eq(differing, 0);
		sb_filter_fini(&f);
	}
	sb_policy_fini(&p);
}
END_TEST

START_TEST(deny_wins)
{
	static const char *const allow[] = {"execve"}, *const deny[] = {"execve", "connect", "socket", "wait4", "bpf"};
	const struct sb_changes c = {.allow_n = 1, .allow = allow, .deny_n = 5, .deny = deny};
	struct sb_policy p = policy_of("php", &c);
	const uint64_t none[6] = {0};

	ck_assert(verdict(&p, "execve", 0, 0, 0) == SB_EPERM);
	ck_assert(verdict(&p, "connect", 0, 0, 0) == SB_EPERM);
	ck_assert(verdict(&p, "socket", 2, 1, 0) == SB_EPERM && verdict(&p, "socket", 17, 1, 0) == SB_EPERM);
	ck_assert(verdict(&p, "accept", 0, 0, 0) == SB_ALLOW);
	ck_assert(verdict(&p, "bpf", 0, 0, 0) == SB_KILL); /* a violation stays one */
	ck_assert(sb_policy_filter_verdict(&p, false, "wait4", none, &pids) == SB_ALLOW); /* the zygote's own need */
	sb_policy_fini(&p);
}
END_TEST

START_TEST(never)
{
	static const char *const refused[] = {"setuid", "unshare", "mount", "bpf", "clone3", "openat2", "io_uring_setup", "seccomp",
		"ptrace", "pidfd_send_signal", "rt_sigqueueinfo", "personality", "capset", "name_to_handle_at", "setns"};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct sb_changes c = {.allow_n = 1, .allow = &refused[i]};
		struct sb_policy p;
		ck_assert_ptr_nonnull(sb_never(refused[i]));
		ck_assert_int_eq(sb_policy_make(&p, "legacy", &c, &why), GW_ERR_DENIED);
		ck_assert_str_eq(why, refused[i]);
	}
	static const char *const needed[] = {"exit_group"}, *const unknown[] = {"no_such_call"};
	struct sb_policy p;
	const struct sb_changes deny = {.deny_n = 1, .deny = needed}, odd = {.allow_n = 1, .allow = unknown};
	ck_assert_int_eq(sb_policy_make(&p, "php", &deny, &why), GW_ERR_DENIED);
	ck_assert_int_eq(sb_policy_make(&p, "php", &odd, &why), GW_ERR_DENIED);
	/* No profile, learning included, lets a cell do any of it. */
	for (int which = 0; which < PROFILES_N; which++) {
		p = policy_of(profiles[which], NULL);
		for (int nr = 0; nr < 600; nr++) {
			const char *name = sb_call_name(nr);
			if (name != NULL && sb_never(name) != NULL)
				ck_assert_msg(verdict(&p, name, 0, 0, 0) != SB_ALLOW, "%s allows %s", profiles[which], name);
		}
		sb_policy_fini(&p);
	}
}
END_TEST

/* --- a call in words ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *call;
	uint64_t args[6];
	const char *want;
} texts[] = {
	{"unshare", {0x10000000}, "unshare(flags=CLONE_NEWUSER)"},
	{"unshare", {0x10020000}, "unshare(flags=CLONE_NEWNS|CLONE_NEWUSER)"},
	{"unshare", {0}, "unshare(flags=0x0)"},
	{"unshare", {0x10000001}, "unshare(flags=CLONE_NEWUSER|0x1)"},
	{"unshare", {0x7f1234567890}, "unshare(flags=...)"},
	{"socket", {17, 0x80003, 768}, "socket(family=AF_PACKET type=SOCK_RAW protocol=768)"},
	{"socket", {255, 1, 0xffffffffffffffff}, "socket(family=0xff type=SOCK_STREAM protocol=-1)"},
	{"mmap", {0x7f0000001000, 4096, 7, 34, 3, 0}, "mmap(prot=PROT_READ|PROT_WRITE|PROT_EXEC)"},
	{"ptrace", {16, 4242, 0x7f0000001000, 0}, "ptrace(request=PTRACE_ATTACH pid=4242)"},
	{"chroot", {0x7f0000001000}, "chroot()"},
	{"process_vm_readv", {77, 0x7f0000001000, 1}, "process_vm_readv(pid=77)"},
};

START_TEST(call_text)
{
	char text[200], small[12];
	int nr = sb_call_number(texts[_i].call);

	if (nr < 0)
		return;
	ck_assert_str_eq(sb_call_text(nr, texts[_i].args, text, sizeof(text)), texts[_i].want);
	/* Cut, and never past the end. */
	ck_assert(strncmp(sb_call_text(nr, texts[_i].args, small, sizeof(small)), texts[_i].want, sizeof(small) - 1) == 0);
	ck_assert_uint_lt(strlen(small), sizeof(small));
}
END_TEST

/* What stands in a slot is written by hostile code: any number, any arguments, and no address comes out. */
START_TEST(call_text_of_anything)
{
	uint64_t seed = 88172645463325252U;
	char text[200];

	for (int i = 0; i < 20000; i++) {
		uint64_t args[6];
		for (size_t k = 0; k < 6; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			args[k] = seed | UINT64_C(0x7f0000000000);
		}
		int32_t nr = i % 2 == 0 ? (int32_t)(seed % 600) : (int32_t)seed;
		sb_call_text(nr, args, text, sizeof(text));
		ck_assert(strlen(text) > 0 && strlen(text) < sizeof(text));
		for (const char *p = text; *p != '\0'; p++)
			ck_assert(*p >= ' ' && *p <= '~');
		ck_assert_ptr_null(strstr(text, "0x7f"));
	}
}
END_TEST

static Suite *filter_suite(void)
{
	Suite *s = suite_create("filter");
	TCase *t = tcase_create("programs");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, program_is_the_table, 0, PROFILES_N);
	tcase_add_test(t, lost_condition_is_seen);
	tcase_add_test(t, learning_stops_the_rest);
	tcase_add_loop_test(t, default_denies, 0, PROFILES_N);
	suite_add_tcase(s, t);
	t = tcase_create("tables");
	tcase_add_loop_test(t, rows_agree, 0, PROFILES_N);
	tcase_add_loop_test(t, delta_takes_all, 0, PROFILES_N);
	tcase_add_test(t, stricter_means_less);
	tcase_add_test(t, traits);
	suite_add_tcase(s, t);
	t = tcase_create("changes");
	tcase_add_test(t, allow_keeps_conditions);
	tcase_add_test(t, deny_wins);
	tcase_add_test(t, never);
	suite_add_tcase(s, t);
	t = tcase_create("text");
	tcase_add_loop_test(t, call_text, 0, (int)(sizeof(texts) / sizeof(texts[0])));
	tcase_add_test(t, call_text_of_anything);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(filter_suite)
