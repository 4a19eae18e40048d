/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void conf_say(struct conf_build *b, bool error, const struct conf_node *n, int arg, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_node_say(b->d, error, n, arg, "%s", text);
}

char *conf_dup(struct conf_build *b, const char *s)
{
	char *copy = arena_strdup(b->a, s);

	b->oom = b->oom || copy == NULL;
	return copy;
}

char *conf_build_path(struct conf_build *b, const char *path)
{
	char *out = conf_path(b->a, b->c->server_root, path);

	b->oom = b->oom || out == NULL;
	return out;
}

bool conf_build_dir_missing(struct conf_build *b, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL || slash == path ? NULL : arena_strndup(b->a, path, (size_t)(slash - path));
	struct stat st;

	if (dir == NULL)
		return false;
	return stat(dir, &st) == 0 ? !S_ISDIR(st.st_mode) : errno == ENOENT || errno == ENOTDIR;
}

void conf_build_noeffect(struct conf_build *b, const struct conf_node *n, const char *name, const char *why)
{
	struct conf_noeffect *slot = conf_append(b, b->c->noeffect, b->c->noeffect_n);

	if (slot != NULL)
		*slot = (struct conf_noeffect){.file = n->file, .line = n->name.line, .name = name == NULL ? n->name.text : name, .why = why};
}

const struct conf_regex *conf_keep_regex(struct conf_build *b, const char *pattern, bool any_case, char *why, size_t cap)
{
	struct conf_index *ix = b->c->index;
	struct conf_regex *re = conf_regex_new(pattern, any_case, why, cap), **slot;

	slot = re == NULL ? NULL : conf_append(b, ix->regex, ix->regex_n);
	if (slot == NULL) {
		conf_regex_free(re);
		return NULL;
	}
	*slot = re;
	return re;
}

static const struct conf_regex *build_regex(struct conf_build *b, const struct conf_node *n, int arg, const char *pattern, bool any_case)
{
	char why[256] = "out of memory";
	const struct conf_regex *re = conf_keep_regex(b, pattern, any_case, why, sizeof(why));

	if (re == NULL)
		conf_error(b, n, arg, n->section ? "<%s>: %s" : "%s: %s", n->name.text, why);
	return re;
}

const struct conf_regex *conf_build_regex(struct conf_build *b, const struct conf_node *n, int arg, const char *pattern)
{
	return build_regex(b, n, arg, pattern, false);
}

const struct conf_regex *conf_build_regex_any_case(struct conf_build *b, const struct conf_node *n, int arg, const char *pattern)
{
	return build_regex(b, n, arg, pattern, true);
}

/* --- walking --------------------------------------------------------------------------------------------------------- */

static void say_unknown(struct conf_build *b, const struct conf_node *n)
{
	struct conf_suggest s;
	char more[128];

	if (conf_directive_find(n->name.text, !n->section) != NULL) {
		conf_error(b, n, -1, n->section ? "%s is a directive, not a section" : "%s is a section: it stands between < and >", n->name.text);
		return;
	}
	conf_suggest_init(&s, n->name.text);
	for (size_t i = 0; i < conf_directives_n; i++) {
		if (conf_directives[i].section == n->section)
			conf_suggest_try(&s, conf_directives[i].name);
	}
	conf_error(b, n, -1, "unknown %s '%s'%s", n->section ? "section" : "directive", n->name.text,
		   conf_suggest_text(&s, more, sizeof(more)));
}

static bool where_ok(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	char text[160];

	if ((d->where & b->where) != 0)
		return true;
	if (b->around == NULL)
		conf_error(b, n, -1, "%s must stand in: %s", n->name.text, conf_where_text(d->where, text, sizeof(text)));
	else
		conf_error(b, n, -1, "%s cannot stand in <%s> (line %u); it must stand in: %s", n->name.text, b->around->name.text,
			   b->around->name.line, conf_where_text(d->where, text, sizeof(text)));
	return false;
}

static bool arity_ok(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	bool few = n->args_n < (size_t)d->min, many = d->max >= 0 && n->args_n > (size_t)d->max;

	if (!few && !many)
		return true;
	conf_error(b, n, many ? (int)d->max : -1, "%s has too %s arguments; it is: %s%s%s%s%s%s", n->name.text, few ? "few" : "many",
		   d->section ? "<" : "", d->name, d->args[0] == '\0' ? "" : " ", d->args, d->section ? ">" : "",
		   many && n->args[d->max].text[0] == '#' ? "; a comment stands on a line of its own" : "");
	return false;
}

void conf_build_walk(struct conf_build *b, const struct conf_node *first)
{
	for (const struct conf_node *n = first; n != NULL && !b->oom; n = n->next) {
		const struct conf_directive *d = conf_directive_find(n->name.text, n->section);
		if (d == NULL)
			say_unknown(b, n);
		else if (where_ok(b, n, d) && arity_ok(b, n, d))
			d->set(b, n, d);
	}
}

void conf_build_inside(struct conf_build *b, const struct conf_node *n, unsigned where, struct conf_srv *srv,
	struct conf_section *section, struct conf_pool *pool)
{
	struct conf_build outer = *b;

	b->where = where;
	b->srv = srv;
	b->dir = section != NULL ? &section->dir : &srv->raw;
	b->section = section;
	b->pool = pool;
	b->around = n;
	conf_build_walk(b, n->children);
	b->where = outer.where;
	b->srv = outer.srv;
	b->dir = outer.dir;
	b->section = outer.section;
	b->pool = outer.pool;
	b->around = outer.around;
}
