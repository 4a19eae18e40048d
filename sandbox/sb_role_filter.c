/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_role_filter.h"

#include <errno.h>

#ifdef BH_SANITIZED
int sb_role_filter_load(const struct sb_role_filter *f)
{
	(void)f;
	return 0;
}
#else
static int add_calls(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && err == 0; i++)
		err = seccomp_rule_add(ctx, action, calls[i], 0);
	return err;
}

static int add_bound(scmp_filter_ctx ctx, const struct sb_role_bound *bound, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && err == 0; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, bound[i].call, 1,
			(struct scmp_arg_cmp){.arg = bound[i].arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = bound[i].mask, .datum_b = bound[i].value});
	return err;
}

static int fill(scmp_filter_ctx ctx, const struct sb_role_filter *f)
{
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);

	if (err == 0)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0 && f->all_threads)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (err == 0)
		err = add_calls(ctx, SCMP_ACT_ALLOW, f->allowed, f->allowed_n);
	if (err == 0)
		err = add_bound(ctx, f->bound, f->bound_n);
	if (err == 0 && f->more != NULL)
		err = f->more(ctx);
	if (err == 0)
		err = add_calls(ctx, SCMP_ACT_KILL_PROCESS, f->fatal, f->fatal_n);
	return err;
}

int sb_role_filter_load(const struct sb_role_filter *f)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (ctx == NULL || fill(ctx, f) < 0 || seccomp_load(ctx) < 0)
		return GW_ERR_SYS;
	seccomp_release(ctx);
	return 0;
}
#endif
