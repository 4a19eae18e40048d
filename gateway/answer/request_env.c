/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/request_env.h"

#include <string.h>
#include <strings.h>

#include "conf/conf_expr.h"
#include "conf/conf_regex.h"
#include "gateway/http/field_lines.h"

static struct request_var *find(const struct request_env *env, const char *name)
{
	for (size_t i = 0; i < env->n; i++)
		if (strcasecmp(env->v[i].name, name) == 0)
			return &env->v[i];
	return NULL;
}

const char *request_env_find(const struct request_env *env, const char *name)
{
	const struct request_var *v = find(env, name);

	return v != NULL ? v->value : NULL;
}

int request_env_set(struct request_env *env, struct arena *a, const char *name, const char *value)
{
	struct request_var *v = find(env, name);

	if (v != NULL) {
		*v = (struct request_var){name, value, false};
		return GW_OK;
	}
	if (value == NULL)
		return GW_OK;
	if (env->n == env->cap) {
		size_t cap = env->cap == 0 ? 8 : 2 * env->cap;
		v = arena_calloc(a, cap, sizeof(*v));
		if (v == NULL)
			return GW_ERR_NOMEM;
		if (env->n > 0)
			memcpy(v, env->v, env->n * sizeof(*v));
		env->v = v;
		env->cap = cap;
	}
	env->v[env->n++] = (struct request_var){name, value, false};
	return GW_OK;
}

int request_env_redirect(struct request_env *env, struct arena *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < env->n; i++) {
		if (env->v[i].value == NULL)
			continue;
		const char *name = arena_printf(a, "REDIRECT_%s", env->v[i].name);
		if (name == NULL)
			return GW_ERR_NOMEM;
		env->v[kept++] = (struct request_var){name, env->v[i].value, false};
	}
	env->n = kept;
	return GW_OK;
}

/* --- SetEnvIf ------------------------------------------------------------------------------------------------------------ */

/* What a rule looks at; a field that was sent twice is one list. */
struct subject {
	const char *text;
	size_t len;
};

static int join_fields(const struct request_facts *facts, struct arena *a, const char *name, struct subject *out)
{
	size_t name_len = strlen(name);
	struct field_line f;

	for (size_t at = 0; field_lines_next(facts->fields, &at, &f);) {
		if (f.name_len != name_len || strncasecmp(f.name, name, name_len) != 0)
			continue;
		if (out->text == NULL) {
			*out = (struct subject){f.value, f.value_len};
			continue;
		}
		char *joined = arena_printf(a, "%.*s, %.*s", (int)out->len, out->text, (int)f.value_len, f.value);
		if (joined == NULL)
			return GW_ERR_NOMEM;
		*out = (struct subject){joined, strlen(joined)};
	}
	return GW_OK;
}

static int match_names(const struct request_facts *facts, const struct conf_regex *names, struct conf_regex_scratch *scratch,
	struct subject *out)
{
	struct conf_regex_group groups[CONF_REGEX_GROUPS];
	struct field_line f;

	for (size_t at = 0; field_lines_next(facts->fields, &at, &f);) {
		int hit = conf_regex_exec(names, scratch, f.name, f.name_len, 0, groups);
		if (hit < 0)
			return hit;
		if (hit == 1) {
			*out = (struct subject){f.value, f.value_len};
			return GW_OK;
		}
	}
	return GW_OK;
}

static int find_subject(const struct request_env *env, struct arena *a, const struct conf_env_if *rule,
	const struct request_facts *facts, struct conf_regex_scratch *scratch, struct subject *out)
{
	const char *const texts[] = {
		[CONF_ENV_REMOTE_ADDR] = facts->remote_addr, [CONF_ENV_REMOTE_HOST] = facts->remote_addr,
		[CONF_ENV_SERVER_ADDR] = facts->server_addr, [CONF_ENV_METHOD] = facts->method,
		[CONF_ENV_PROTOCOL] = facts->protocol, [CONF_ENV_URI] = facts->uri,
	};
	const char *text;
	int err = GW_OK;

	*out = (struct subject){NULL, 0};
	if (rule->source == CONF_ENV_FIELDS) {
		err = match_names(facts, rule->names, scratch, out);
	} else if (rule->source == CONF_ENV_FIELD) {
		err = join_fields(facts, a, rule->attribute, out);
		if (out->text == NULL && (text = request_env_find(env, rule->attribute)) != NULL)
			*out = (struct subject){text, strlen(text)};
	} else if ((text = texts[rule->source]) != NULL) {
		*out = (struct subject){text, strlen(text)};
	}
	if (out->text == NULL) /* what is not there is empty: "^$" finds it */
		out->text = "";
	return err;
}

/* @value with $0 to $9 as matched; a backslash takes the next octet as it is. NULL when memory is out. */
static const char *substitute(struct arena *a, const char *value, const char *text, const struct conf_regex_group *groups)
{
	size_t len = 0;
	char *out, *to;

	if (strpbrk(value, "$\\") == NULL)
		return value;
	for (const char *p = value; *p != '\0'; p++)
		len += p[0] == '$' && p[1] >= '0' && p[1] <= '9' ? (size_t)(groups[p[1] - '0'].to - groups[p[1] - '0'].from) : 1;
	out = to = arena_alloc(a, len + 1);
	for (const char *p = value; out != NULL && *p != '\0'; p++) {
		if (p[0] == '$' && p[1] >= '0' && p[1] <= '9') {
			const struct conf_regex_group *g = &groups[*++p - '0'];
			memcpy(to, text + (g->from < 0 ? 0 : g->from), (size_t)(g->to - g->from));
			to += g->to - g->from;
		} else {
			p += p[0] == '\\' && p[1] != '\0';
			*to++ = *p;
		}
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

/* $0 to $9 are those of the last match within the expression. */
static int test_expr(const struct conf_env_if *rule, const struct request_facts *facts, struct subject *s, struct conf_regex_group *groups)
{
	int hit = facts->run == NULL ? GW_ERR_RANGE : conf_expr_test(rule->expr, facts->run);

	if (hit != 1)
		return hit;
	*s = (struct subject){facts->run->subject, 0};
	for (int i = 0; i < CONF_REGEX_GROUPS; i++)
		groups[i] = s->text != NULL ? facts->run->groups[i] : (struct conf_regex_group){-1, -1};
	if (s->text == NULL)
		s->text = "";
	return hit;
}

static int apply_rule(struct request_env *env, struct arena *a, const struct conf_env_if *rule, const struct request_facts *facts,
	struct conf_regex_scratch *scratch)
{
	struct conf_regex_group groups[CONF_REGEX_GROUPS];
	struct subject s;
	int hit;

	if (rule->source == CONF_ENV_EXPR) {
		hit = test_expr(rule, facts, &s, groups);
	} else {
		hit = find_subject(env, a, rule, facts, scratch, &s);
		if (hit == GW_OK)
			hit = conf_regex_exec(rule->value, scratch, s.text, s.len, 0, groups);
	}
	for (size_t i = 0; hit == 1 && i < rule->vars_n; i++) {
		const char *value = rule->vars[i].value;
		if (value != NULL && (value = substitute(a, value, s.text, groups)) == NULL)
			return GW_ERR_NOMEM;
		int err = request_env_set(env, a, rule->vars[i].name, value);
		if (err < 0)
			return err;
	}
	return hit < 0 ? hit : GW_OK;
}

int request_env_apply(struct request_env *env, struct arena *a, const struct conf_edit *e, const struct request_facts *facts,
	struct conf_regex_scratch *scratch)
{
	int err = GW_OK;

	for (size_t i = 0; i < e->env_if_n && err == GW_OK; i++)
		err = apply_rule(env, a, &e->env_if[i], facts, scratch);
	for (size_t i = 0; i < e->env_n && err == GW_OK; i++)
		if (e->env[i].value != NULL)
			err = request_env_set(env, a, e->env[i].name, e->env[i].value);
	return err;
}
