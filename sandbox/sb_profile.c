/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_profile.h"

#include <string.h>

#include "sandbox/sb_parts.h"

static const struct sb_part *const strict_parts[] = {&sb_part_common, &sb_part_arguments, &sb_part_strict_cell,
	&sb_part_no_tasks, &sb_part_refused, &sb_part_kill, &sb_part_zygote};
static const struct sb_part *const php_parts[] = {&sb_part_common, &sb_part_arguments, &sb_part_php, &sb_part_no_tasks,
	&sb_part_refused, &sb_part_kill, &sb_part_zygote};
static const struct sb_part *const legacy_parts[] = {&sb_part_common, &sb_part_arguments, &sb_part_php, &sb_part_legacy,
	&sb_part_refused, &sb_part_kill_eperm, &sb_part_zygote};

#define PROFILE(n, list) {.name = (n), .parts = (list), .parts_n = sizeof(list) / sizeof((list)[0])}

static const struct sb_profile profiles[] = {
	PROFILE("strict", strict_parts), PROFILE("php", php_parts), PROFILE("legacy", legacy_parts)};

const struct sb_profile *sb_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

const struct sb_rule *sb_profile_rule(const struct sb_profile *p, size_t i)
{
	for (size_t part = 0; part < p->parts_n; part++) {
		if (i < p->parts[part]->rules_n)
			return &p->parts[part]->rules[i];
		i -= p->parts[part]->rules_n;
	}
	return NULL;
}

static uint64_t cmp_value(const struct sb_cmp *c, const struct sb_pids *pids)
{
	switch ((enum sb_whose)c->whose) {
	case SB_OWN_PID:
		return pids->own;
	case SB_ZYGOTE_PID:
		return pids->zygote;
	case SB_ZYGOTE_GROUP:
		return (uint32_t)(0U - pids->zygote);
	case SB_NUMBER:
		break;
	}
	return c->value;
}

bool sb_rule_fits(const struct sb_rule *rule, const uint64_t args[6], const struct sb_pids *pids)
{
	for (size_t i = 0; i < rule->cmps_n; i++) {
		const struct sb_cmp *c = &rule->cmps[i];
		uint64_t value = cmp_value(c, pids);
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
