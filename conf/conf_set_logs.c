/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of logs. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "gateway/base/log_format.h"

void conf_set_error_log(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->srv->error_log = (struct conf_ref){n, 0, n->args[0].text};
}

void conf_set_error_format(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *why;
	size_t at;

	if (n->args_n == 2) {
		if (strcasecmp(n->args[0].text, "connection") == 0 || strcasecmp(n->args[0].text, "request") == 0)
			conf_build_noeffect(b, n, "ErrorLogFormat connection|request", "there is one line for each error");
		else
			conf_error(b, n, 0, "ErrorLogFormat: '%s' is neither connection nor request; quote a format that holds blanks", n->args[0].text);
		return;
	}
	const struct log_format *f = log_format_new(b->a, n->args[0].text, &why, &at);
	if (f == NULL)
		conf_error(b, n, 0, "ErrorLogFormat: %s at \"%.24s\"", why, n->args[0].text + at);
	else
		*(const struct log_format **)conf_field(b, d) = f;
}

void conf_set_custom_log(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_log_ref *slot;
	size_t words = d->lo == 0 ? 2 : 1; /* TransferLog takes no format */

	const char *env = NULL;
	const struct conf_expr *expr = NULL;

	if (n->args_n > words && strncasecmp(n->args[words].text, "expr=", 5) == 0) {
		expr = conf_build_expr(b, n, (int)words, n->args[words].text + 5, false);
		if (expr == NULL)
			return;
	} else if (n->args_n > words) {
		const char *text = n->args[words].text;
		if (strncasecmp(text, "env=", 4) != 0 || text[4] == '\0' || strcmp(text + 4, "!") == 0) {
			conf_error(b, n, (int)words, "%s: '%s' is none of env=NAME, env=!NAME, expr=condition", n->name.text, text);
			return;
		}
		env = text + 4;
	}
	slot = conf_append(b, b->srv->logs, b->srv->logs_n);
	if (slot == NULL)
		return;
	*slot = (struct conf_log_ref){.path = {n, 0, n->args[0].text}, .env = env != NULL && *env == '!' ? env + 1 : env,
		.env_not = env != NULL && *env == '!', .expr = expr};
	slot->format = words == 2 && n->args_n > 1 ? (struct conf_ref){n, 1, n->args[1].text} : (struct conf_ref){NULL, 0, NULL};
}

/* A format is text when it has a directive or a blank; else it names one. */
bool conf_is_format(const char *s)
{
	return strpbrk(s, "% ") != NULL;
}

static bool format_ok(struct conf_build *b, const struct conf_node *n, int arg)
{
	const char *why;
	size_t at = 0;

	if (b->opts->check_format == NULL)
		return true;
	why = b->opts->check_format(n->args[arg].text, &at);
	if (why != NULL)
		conf_error(b, n, arg, "%s: %s at \"%.24s\"", n->name.text, why, n->args[arg].text + at);
	return why == NULL;
}

void conf_set_log_format(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_nick *slot;

	(void)d;
	if (n->args_n == 1) {
		if (conf_is_format(n->args[0].text) && !format_ok(b, n, 0))
			return;
		b->srv->default_format = n->args[0].text;
		return;
	}
	if (n->args[1].text[0] == '\0' || strchr(n->args[1].text, '%') != NULL) {
		conf_error(b, n, 1, "LogFormat: a nickname must not hold a %%");
		return;
	}
	if (!format_ok(b, n, 0))
		return;
	slot = conf_append(b, b->srv->nicks, b->srv->nicks_n);
	if (slot != NULL)
		*slot = (struct conf_nick){.nick = n->args[1].text, .format = n->args[0].text};
}

/* What Apache calls a module, in one of its three ways; whether it is one of ours is not asked. */
static bool is_module(const char *s, size_t len)
{
	if (len > 2 && strncmp(s + len - 2, ".c", 2) == 0)
		len -= 2;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
			return false;
	return len > 0;
}

static void bad_level(struct conf_build *b, const struct conf_node *n, int arg, const char *name)
{
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, name);
	for (int l = LOG_LV_EMERG; l <= LOG_LV_DEBUG; l++)
		conf_suggest_try(&s, log_level_name((enum log_level)l));
	conf_error(b, n, arg, "LogLevel: '%s' is not a level (emerg alert crit error warn notice info debug trace1..8)%s", name,
		conf_suggest_text(&s, more, sizeof(more)));
}

void conf_set_log_level(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text, *colon = strchr(text, ':'), *name = colon == NULL ? text : colon + 1;
		int level = log_level_find(name);
		if (colon != NULL && !is_module(text, (size_t)(colon - text)))
			conf_error(b, n, (int)i, "LogLevel: '%.*s' is not the name of a module", (int)(colon - text), text);
		else if (level < 0)
			bad_level(b, n, (int)i, name);
		else if (colon != NULL)
			conf_build_noeffect(b, n, "LogLevel module:level", "there is one level for a host");
		else if (b->section != NULL)
			conf_build_noeffect(b, n, "LogLevel in a section", "there is one level for a host");
		else {
			b->srv->s->log_level = (enum log_level)level;
			b->srv->set |= (uint64_t)1 << d->bit;
		}
	}
}
