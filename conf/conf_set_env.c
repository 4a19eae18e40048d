/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of a request's variables: SetEnv and its kin (mod_env), SetEnvIf and its kin (mod_setenvif). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

struct conf_edit *conf_build_edit(struct conf_build *b)
{
	if (b->dir->edit == NULL)
		b->dir->edit = arena_calloc(b->a, 1, sizeof(*b->dir->edit));
	if (b->dir->edit == NULL)
		b->oom = true;
	return b->dir->edit;
}

/*
 * A variable's name. PHP_VALUE and PHP_ADMIN_VALUE are instructions to php-fpm and not variables: they would outlive the
 * request in its process, which php_value does not.
 */
static bool name_ok(struct conf_build *b, const struct conf_node *n, int arg, const char *name)
{
	for (const char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '=') {
			conf_error(b, n, arg, "%s: '%s' is not the name of a variable", n->name.text, name);
			return false;
		}
	}
	if (name[0] == '\0') {
		conf_error(b, n, arg, "%s: the name of the variable is missing", n->name.text);
		return false;
	}
	if (strcasecmp(name, "PHP_VALUE") == 0 || strcasecmp(name, "PHP_ADMIN_VALUE") == 0) {
		conf_error(b, n, arg, "%s: %s is not set as a variable; use %s", n->name.text, name,
			strcasecmp(name, "PHP_VALUE") == 0 ? "php_value" : "php_admin_value");
		return false;
	}
	return true;
}

static void add_var(struct conf_build *b, const char *name, const char *value)
{
	struct conf_edit *e = conf_build_edit(b);
	struct conf_env_var *v = e == NULL ? NULL : conf_push(b->a, e->env, e->env_n, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	e->env = v;
	v[e->env_n++] = (struct conf_env_var){name, value};
}

void conf_set_env(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	if (name_ok(b, n, 0, n->args[0].text))
		add_var(b, n->args[0].text, n->args_n > 1 ? n->args[1].text : "");
}

void conf_set_unset_env(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	for (size_t i = 0; i < n->args_n; i++)
		add_var(b, n->args[i].text, NULL);
}

/* The value is the one that the server was started with. */
void conf_set_pass_env(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *name = n->args[i].text, *value = getenv(name);
		if (!name_ok(b, n, (int)i, name))
			continue;
		if (value == NULL)
			conf_warn(b, n, (int)i, "PassEnv: the server's environment has no %s", name);
		else
			add_var(b, name, conf_dup(b, value));
	}
}

/* --- SetEnvIf --------------------------------------------------------------------------------------------------------- */

/* What an attribute's name means: one of the request's own, a field, or a pattern for names of fields. */
static bool take_attribute(struct conf_build *b, const struct conf_node *n, struct conf_env_if *rule)
{
	static const struct {
		const char *name;
		enum conf_env_source source;
	} special[] = {
		{"Remote_Addr", CONF_ENV_REMOTE_ADDR}, {"Remote_Host", CONF_ENV_REMOTE_HOST}, {"Server_Addr", CONF_ENV_SERVER_ADDR},
		{"Request_Method", CONF_ENV_METHOD}, {"Request_Protocol", CONF_ENV_PROTOCOL}, {"Request_URI", CONF_ENV_URI},
	};
	const char *name = n->args[0].text;

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
		if (strcasecmp(special[i].name, name) == 0) {
			rule->source = special[i].source;
			return true;
		}
	}
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name)) {
		rule->source = CONF_ENV_FIELD;
		rule->attribute = conf_lower(b->a, name);
		if (rule->attribute == NULL)
			b->oom = true;
		return rule->attribute != NULL;
	}
	rule->source = CONF_ENV_FIELDS;
	rule->names = conf_build_regex_any_case(b, n, 0, name);
	return rule->names != NULL;
}

/* "name", "!name" or "name=value". */
static bool take_var(struct conf_build *b, const struct conf_node *n, int arg, struct conf_env_if *rule)
{
	const char *text = n->args[arg].text, *eq = strchr(text, '=');
	bool forget = text[0] == '!';
	struct conf_env_var var = {.value = forget ? NULL : eq != NULL ? eq + 1 : "1"}, *slot;
	struct conf_env_var *vars = (struct conf_env_var *)(uintptr_t)rule->vars;

	text += forget;
	if (forget && eq != NULL) {
		conf_error(b, n, arg, "%s: a variable that is forgotten takes no value", n->name.text);
		return false;
	}
	var.name = eq != NULL ? arena_strndup(b->a, text, (size_t)(eq - text)) : text;
	slot = conf_append(b, vars, rule->vars_n);
	rule->vars = vars;
	if (var.name == NULL || slot == NULL) {
		b->oom = true;
		return false;
	}
	*slot = var;
	return name_ok(b, n, arg, var.name);
}

static void add_rule(struct conf_build *b, const struct conf_env_if *rule)
{
	struct conf_edit *e = conf_build_edit(b);
	struct conf_env_if *v = e == NULL ? NULL : conf_push(b->a, e->env_if, e->env_if_n, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	e->env_if = v;
	v[e->env_if_n++] = *rule;
}

static void set_env_if(struct conf_build *b, const struct conf_node *n, bool any_case, struct conf_env_if *rule, int pattern)
{
	const char *text = n->args[pattern].text;

	rule->value = any_case ? conf_build_regex_any_case(b, n, pattern, text) : conf_build_regex(b, n, pattern, text);
	bool ok = rule->value != NULL;
	for (size_t i = (size_t)pattern + 1; i < n->args_n; i++)
		ok = take_var(b, n, (int)i, rule) && ok;
	if (ok)
		add_rule(b, rule);
}

/* d->lo: letter case is ignored. */
void conf_set_env_if(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_env_if rule = {.source = CONF_ENV_FIELD};

	if (take_attribute(b, n, &rule))
		set_env_if(b, n, d->lo != 0, &rule, 1);
}

void conf_set_env_if_expr(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_env_if rule = {.source = CONF_ENV_EXPR, .expr = conf_build_early_condition(b, n, 0, n->args[0].text)};
	bool ok = rule.expr != NULL;

	(void)d;
	for (size_t i = 1; i < n->args_n; i++)
		ok = take_var(b, n, (int)i, &rule) && ok;
	if (ok)
		add_rule(b, &rule);
}

void conf_set_browser_match(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_env_if rule = {.source = CONF_ENV_FIELD, .attribute = "user-agent"};

	set_env_if(b, n, d->lo != 0, &rule, 0);
}
