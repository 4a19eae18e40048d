/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_policy.h"

/*
 * Stand for processes in a compiled program; neither pids that the kernel gives (up to 2^22) nor groups nor flags, so
 * nothing else is meant.
 */
static const uint32_t placeholders[] = {
	[SB_OWN_PID] = 0x5bc5a3f1U, [SB_ZYGOTE_PID] = 0x5bc5a3f3U, [SB_ZYGOTE_GROUP] = 0x5bc5a3f5U};

/* libseccomp has no default of SECCOMP_RET_USER_NOTIF: compiled as a trace with this mark, and replaced. */
#define TELL_MARK 0x5bc5

static uint32_t action_code(enum sb_action action)
{
	switch (action) {
	case SB_ALLOW:
		return SCMP_ACT_ALLOW;
	case SB_EPERM:
		return SCMP_ACT_ERRNO(EPERM);
	case SB_ENOSYS:
		return SCMP_ACT_ERRNO(ENOSYS);
	case SB_KILL:
		return SCMP_ACT_TRAP;
	}
	return SCMP_ACT_KILL_PROCESS;
}

static int to_scmp(const struct sb_cmp *c, struct scmp_arg_cmp *out)
{
	uint64_t value = c->whose == SB_NUMBER ? c->value : placeholders[c->whose];

	*out = (struct scmp_arg_cmp){.arg = c->arg};
	if (!c->differs) {
		out->op = SCMP_CMP_MASKED_EQ;
		out->datum_a = c->mask;
		out->datum_b = value;
		return 0;
	}
	if (c->mask != SB_ALL_BITS) /* libseccomp compares whole registers here */
		return GW_ERR_RANGE;
	out->op = SCMP_CMP_NE;
	out->datum_a = value;
	return 0;
}

static int add_rule(scmp_filter_ctx ctx, const struct sb_rule *rule)
{
	struct scmp_arg_cmp cmps[SB_CMPS_MAX + 1];
	int nr = sb_call_number(rule->name);
	unsigned n = rule->cmps_n;

	if (nr == -2)
		return GW_ERR_RANGE;
	if (nr < 0) /* known, but this architecture has no such call */
		return 0;
	for (size_t i = 0; i < rule->cmps_n; i++)
		if (to_scmp(&rule->cmps[i], &cmps[i]) != 0)
			return GW_ERR_RANGE;
	if (rule->values_n == 0)
		return seccomp_rule_add_array(ctx, action_code(rule->action), nr, n, cmps) == 0 ? 0 : GW_ERR_RANGE;
	for (size_t i = 0; i < rule->values_n; i++) {
		cmps[n] = (struct scmp_arg_cmp){.arg = rule->list_arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = SB_INT,
			.datum_b = rule->values[i]};
		if (seccomp_rule_add_array(ctx, action_code(rule->action), nr, n + 1, cmps) != 0)
			return GW_ERR_RANGE;
	}
	return 0;
}

/* libseccomp 2.5 exports to a descriptor only. */
static int export_program(scmp_filter_ctx ctx, struct sb_filter *f)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), err = GW_ERR_SYS;
	struct stat st;

	if (fd == -1)
		return GW_ERR_SYS;
	if (seccomp_export_bpf(ctx, fd) != 0 || fstat(fd, &st) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		goto out;
	size_t len = (size_t)st.st_size;
	err = GW_ERR_RANGE;
	if (len == 0 || len % sizeof(*f->insns) != 0 || len / sizeof(*f->insns) > BPF_MAXINSNS)
		goto out;
	err = GW_ERR_NOMEM;
	f->insns = malloc(len);
	if (f->insns == NULL)
		goto out;
	f->insns_n = (unsigned short)(len / sizeof(*f->insns));
	err = io_read_all(fd, f->insns, len);
	if (err != 0)
		sb_filter_fini(f);
out:
	io_close(&fd);
	return err;
}

static bool in_filter(const struct sb_rule *rule, enum sb_filter_kind kind)
{
	if (kind == SB_FILTER_LEARN)
		return rule->where == SB_BOTH && rule->action == SB_ALLOW;
	return (rule->where == SB_DELTA) == (kind == SB_FILTER_DELTA);
}

static uint32_t default_code(enum sb_filter_kind kind)
{
	return kind == SB_FILTER_DELTA ? SCMP_ACT_ALLOW : kind == SB_FILTER_LEARN ? SCMP_ACT_TRACE(TELL_MARK) : SCMP_ACT_ERRNO(ENOSYS);
}

static void tell_instead_of_trace(struct sb_filter *f)
{
	for (unsigned i = 0; i < f->insns_n; i++)
		if (f->insns[i].code == (BPF_RET | BPF_K) && f->insns[i].k == (SECCOMP_RET_TRACE | TELL_MARK))
			f->insns[i].k = SECCOMP_RET_USER_NOTIF;
}

int sb_filter_build(struct sb_filter *f, const struct sb_policy *p, enum sb_filter_kind kind, const char **why)
{
	int err = 0;

	f->insns = NULL;
	f->insns_n = 0;
	*why = "cannot create a filter";
	scmp_filter_ctx ctx = seccomp_init(default_code(kind));
	if (ctx == NULL)
		return GW_ERR_NOMEM;
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 || /* a binary tree: ~4 times fewer steps */
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		err = GW_ERR_RANGE;
	for (size_t i = 0; err == 0 && i < p->rules_n; i++) {
		const struct sb_rule *rule = &p->rules[i];
		/* libseccomp refuses a rule that repeats the default action; it would say nothing anyway. */
		if (!in_filter(rule, kind) || (kind == SB_FILTER_ZYGOTE && rule->action == SB_ENOSYS))
			continue;
		*why = rule->name;
		err = add_rule(ctx, rule);
	}
	/* The delta, which denies it, is loaded after. */
	if (err == 0 && kind == SB_FILTER_LEARN && seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 0) != 0)
		err = GW_ERR_RANGE;
	if (err == 0) {
		*why = "cannot export the program";
		err = export_program(ctx, f);
		tell_instead_of_trace(f);
	}
	seccomp_release(ctx);
	return err;
}

static void put_in(struct sb_filter *f, enum sb_whose whose, uint32_t value)
{
	for (unsigned i = 0; i < f->insns_n; i++)
		if (f->insns[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && f->insns[i].k == placeholders[whose])
			f->insns[i].k = value;
}

void sb_filter_set_pid(struct sb_filter *f, uint32_t pid)
{
	put_in(f, SB_OWN_PID, pid);
}

void sb_filter_set_zygote(struct sb_filter *f, uint32_t pid)
{
	put_in(f, SB_ZYGOTE_PID, pid);
	put_in(f, SB_ZYGOTE_GROUP, 0U - pid);
}

static int load(unsigned short n, struct sock_filter *insns)
{
	struct sock_fprog prog = {.len = n, .filter = insns};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == -1 ? GW_ERR_SYS : 0;
}

int sb_filter_load(const struct sb_filter *f)
{
	if (f->insns_n == 0) {
		errno = EINVAL;
		return GW_ERR_SYS;
	}
	return load(f->insns_n, f->insns);
}

int sb_filter_load_behind(const struct sock_filter *first, size_t n, const struct sb_filter *f)
{
	struct sock_filter all[BPF_MAXINSNS];

	if (n == 0 || f->insns_n == 0)
		return sb_filter_load(f);
	if (n + f->insns_n > BPF_MAXINSNS) {
		errno = E2BIG;
		return GW_ERR_SYS;
	}
	memcpy(all, first, n * sizeof(*first));
	memcpy(all + n, f->insns, f->insns_n * sizeof(*f->insns));
	return load((unsigned short)(n + f->insns_n), all);
}

void sb_filter_fini(struct sb_filter *f)
{
	free(f->insns);
	f->insns = NULL;
	f->insns_n = 0;
}
