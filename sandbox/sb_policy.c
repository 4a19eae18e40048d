/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_policy.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sandbox/sb_parts.h"

#define LEARN_CALLS_END 1024 /* above any call number that libseccomp knows */

/* While learning: `legacy`, but a violation ends the process as it does for `php`. */
static const struct sb_part *const learn_parts[] = {&sb_part_common, &sb_part_arguments, &sb_part_php, &sb_part_legacy,
	&sb_part_refused, &sb_part_kill, &sb_part_zygote, &sb_part_learn};
static const struct sb_profile learn = {
	.name = "learn", .parts = learn_parts, .parts_n = sizeof(learn_parts) / sizeof(learn_parts[0])};

static bool listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static int append(struct sb_policy *p, size_t *room, const struct sb_rule *rule)
{
	if (p->rules_n == *room) {
		size_t more = *room == 0 ? 512 : *room * 2;
		struct sb_rule *v = reallocarray(p->rules, more, sizeof(*v));
		if (v == NULL)
			return GW_ERR_NOMEM;
		p->rules = v;
		*room = more;
	}
	p->rules[p->rules_n++] = *rule;
	return 0;
}

/* The profile's row stays unless a change replaces the call; the zygote's own needs and violations always stay. */
static bool keeps(const struct sb_rule *rule, const struct sb_changes *c)
{
	if (rule->where == SB_ZYGOTE || rule->action == SB_KILL)
		return true;
	if (rule->where == SB_DELTA && listed(c->deny, c->deny_n, rule->name))
		return false;
	return !listed(c->allow, c->allow_n, rule->name);
}

/* @name as `legacy` has it, else bound to the own process, else whatever its arguments. */
static int append_allowed(struct sb_policy *p, size_t *room, const char *name, const struct sb_changes *c)
{
	const struct sb_profile *lax = sb_profile_find("legacy");
	const struct sb_rule *rule, plain = {.name = name};
	bool denied = listed(c->deny, c->deny_n, name), found = false;
	int err = 0;

	for (size_t i = 0; err == 0 && (rule = sb_profile_rule(lax, i)) != NULL; i++) {
		if (strcmp(rule->name, name) != 0 || rule->where == SB_ZYGOTE ||
		    (rule->where == SB_BOTH && rule->action != SB_ALLOW))
			continue;
		found = found || rule->where == SB_BOTH;
		if (rule->where == SB_BOTH || !denied)
			err = append(p, room, rule);
	}
	for (size_t i = 0; err == 0 && i < sb_part_on_request.rules_n; i++) {
		if (strcmp(sb_part_on_request.rules[i].name, name) != 0)
			continue;
		found = true;
		err = append(p, room, &sb_part_on_request.rules[i]);
	}
	return err != 0 || found ? err : append(p, room, &plain);
}

static int append_changes(struct sb_policy *p, size_t *room, const struct sb_changes *c, const char **why)
{
	int err = 0;

	for (size_t i = 0; i < c->allow_n && err == 0; i++) {
		*why = c->allow[i];
		if (sb_never(c->allow[i]) != NULL || sb_call_number(c->allow[i]) == -2)
			return GW_ERR_DENIED;
		if (!listed(c->allow, i, c->allow[i]))
			err = append_allowed(p, room, c->allow[i], c);
	}
	for (size_t i = 0; i < c->deny_n && err == 0; i++) {
		const struct sb_rule deny = {.name = c->deny[i], .action = SB_EPERM, .where = SB_DELTA};
		*why = c->deny[i];
		if (sb_needed(c->deny[i]) != NULL || sb_call_number(c->deny[i]) == -2)
			return GW_ERR_DENIED;
		/* A violation stays one. */
		if (!listed(c->deny, i, c->deny[i]) && sb_never(c->deny[i]) == NULL)
			err = append(p, room, &deny);
	}
	return err;
}

/* Everything that SandboxAllow could give and no profile has. */
static int append_learnable(struct sb_policy *p, size_t *room)
{
	static char names[LEARN_CALLS_END][40];
	static const struct sb_changes none;
	int err = 0;

	for (int nr = 0; nr < LEARN_CALLS_END && err == 0; nr++) {
		const char *name = sb_call_name(nr);
		bool known = name == NULL || sb_never(name) != NULL;
		for (size_t i = 0; i < p->rules_n && !known; i++)
			known = strcmp(p->rules[i].name, name) == 0 && p->rules[i].action == SB_ALLOW;
		if (known || strlen(name) >= sizeof(names[nr]))
			continue;
		strcpy(names[nr], name);
		/* What `refused` says about it gives way. */
		for (size_t i = 0; i < p->rules_n; i++)
			if (strcmp(p->rules[i].name, name) == 0)
				p->rules[i--] = p->rules[--p->rules_n];
		err = append_allowed(p, room, names[nr], &none);
	}
	return err;
}

static bool has_conditions(const struct sb_rule *r)
{
	return r->cmps_n > 0 || r->values_n > 0;
}

/* Whether @all, which has no conditions, says everything that @r says. */
static bool covers(const struct sb_rule *all, const struct sb_rule *r)
{
	return r->name != NULL && (r->where == SB_DELTA) == (all->where == SB_DELTA) && r->action == all->action &&
	       strcmp(r->name, all->name) == 0;
}

/* Conditions of a call that a later part allows whatever its arguments: libseccomp would drop them without a word. */
static void drop_covered(struct sb_policy *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->rules_n; i++) {
		const struct sb_rule *all = &p->rules[i];
		for (size_t j = 0; all->name != NULL && !has_conditions(all) && j < p->rules_n; j++)
			if (j != i && covers(all, &p->rules[j]))
				p->rules[j].name = NULL;
	}
	for (size_t i = 0; i < p->rules_n; i++)
		if (p->rules[i].name != NULL)
			p->rules[kept++] = p->rules[i];
	p->rules_n = kept;
}

int sb_policy_make(struct sb_policy *p, const char *name, const struct sb_changes *changes, const char **why)
{
	static const struct sb_changes none;
	const struct sb_changes *c = changes == NULL ? &none : changes;
	const struct sb_rule *rule;
	size_t room = 0;
	int err = 0;

	*p = (struct sb_policy){.learn = strcmp(name, "learn") == 0};
	p->profile = p->learn ? &learn : sb_profile_find(name);
	*why = "unknown profile";
	if (p->profile == NULL)
		return GW_ERR_NOTFOUND;
	*why = "out of memory";
	for (size_t i = 0; err == 0 && (rule = sb_profile_rule(p->profile, i)) != NULL; i++)
		if (keeps(rule, c))
			err = append(p, &room, rule);
	if (err == 0 && p->learn)
		err = append_learnable(p, &room);
	if (err == 0)
		err = append_changes(p, &room, c, why);
	if (err != 0)
		sb_policy_fini(p);
	else
		drop_covered(p);
	return err;
}

void sb_policy_fini(struct sb_policy *p)
{
	free(p->rules);
	p->rules = NULL;
	p->rules_n = 0;
}

/* The more severe wins, as in the kernel: kill, then an errno, then allow. */
enum sb_action sb_policy_filter_verdict(const struct sb_policy *p, bool delta, const char *name, const uint64_t args[6],
	const struct sb_pids *pids)
{
	enum sb_action verdict = delta ? SB_ALLOW : SB_ENOSYS;

	for (size_t i = 0; i < p->rules_n; i++) {
		const struct sb_rule *rule = &p->rules[i];
		if ((rule->where == SB_DELTA) == delta && strcmp(rule->name, name) == 0 && sb_rule_fits(rule, args, pids))
			verdict = rule->action;
	}
	return verdict;
}

enum sb_action sb_policy_verdict(const struct sb_policy *p, const char *name, const uint64_t args[6],
	const struct sb_pids *pids)
{
	enum sb_action zygote = sb_policy_filter_verdict(p, false, name, args, pids);
	enum sb_action delta = sb_policy_filter_verdict(p, true, name, args, pids);

	if (zygote == SB_KILL || delta == SB_KILL)
		return SB_KILL;
	return delta != SB_ALLOW ? delta : zygote;
}

static bool allows(const struct sb_policy *p, const char *name, uint64_t a0, uint64_t a2)
{
	static const struct sb_pids pids = {.own = 2, .zygote = 1};
	const uint64_t args[6] = {a0, 0, a2};

	return sb_policy_verdict(p, name, args, &pids) == SB_ALLOW;
}

struct sb_traits sb_policy_traits(const struct sb_policy *p)
{
	return (struct sb_traits){
		.tasks = allows(p, "clone", SIGCHLD, 0) || allows(p, "fork", 0, 0) || allows(p, "vfork", 0, 0),
		.threads = allows(p, "clone", CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0),
		.signals = allows(p, "kill", 3, 0) || allows(p, "tkill", 3, 0) || allows(p, "tgkill", 3, SIGKILL),
		.code = allows(p, "mprotect", 0, PROT_READ | PROT_EXEC),
		.programs = allows(p, "execve", 0, 0) || allows(p, "execveat", 0, 0),
		.libraries = allows(p, "mmap", 0, PROT_READ | PROT_EXEC),
		.faults = allows(p, "rt_sigaction", SIGSEGV, 0),
	};
}
