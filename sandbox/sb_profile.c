/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_profile.h"

#include <string.h>

#include "sandbox/sb_profile_php.h"

static const struct sb_profile *const profiles[] = {&sb_profile_php};

const struct sb_profile *sb_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i]->name, name) == 0)
			return profiles[i];
	return NULL;
}

const struct sb_rule *sb_profile_rule(const struct sb_profile *p, size_t i)
{
	for (size_t part = 0; part < p->parts_n; part++) {
		if (i < p->parts[part].rules_n)
			return &p->parts[part].rules[i];
		i -= p->parts[part].rules_n;
	}
	return NULL;
}

bool sb_rule_fits(const struct sb_rule *rule, const uint64_t args[6], uint32_t pid)
{
	for (size_t i = 0; i < rule->cmps_n; i++) {
		const struct sb_cmp *c = &rule->cmps[i];
		uint64_t value = c->own_pid ? pid : c->value;
		if (((args[c->arg] & c->mask) == value) == c->differs)
			return false;
	}
	if (rule->values_n == 0)
		return true;
	for (size_t i = 0; i < rule->values_n; i++)
		if ((args[rule->list_arg] & SB_INT) == rule->values[i])
			return true;
	return false;
}

/* The more severe wins, as in the kernel: kill, then an errno, then allow. */
static enum sb_action filter_verdict(const struct sb_profile *p, bool delta, const char *name, const uint64_t args[6],
	uint32_t pid)
{
	enum sb_action verdict = delta ? SB_ALLOW : SB_ENOSYS;
	const struct sb_rule *rule;

	for (size_t i = 0; (rule = sb_profile_rule(p, i)) != NULL; i++)
		if ((rule->where == SB_DELTA) == delta && strcmp(rule->name, name) == 0 &&
		    sb_rule_fits(rule, args, pid))
			verdict = rule->action;
	return verdict;
}

enum sb_action sb_profile_verdict(const struct sb_profile *p, const char *name, const uint64_t args[6], uint32_t pid)
{
	enum sb_action zygote = filter_verdict(p, false, name, args, pid);
	enum sb_action delta = filter_verdict(p, true, name, args, pid);

	if (zygote == SB_KILL || delta == SB_KILL)
		return SB_KILL;
	return delta != SB_ALLOW ? delta : zygote;
}
