/* SPDX-License-Identifier: Apache-2.0 */
/* <VirtualHost>, <Directory>, <Files>, <Location> and their kin. */
#include <string.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"
#include "conf/conf_expr.h"

struct conf_srv *conf_srv_new(struct conf_build *b, const struct conf_node *n)
{
	struct conf_srv *srv = arena_calloc(b->a, 1, sizeof(*srv)), **raw;
	struct conf_server *s = arena_calloc(b->a, 1, sizeof(*s)), **slot;
	struct conf_index *ix = b->c->index;

	if (srv == NULL || s == NULL) {
		b->oom = true;
		return NULL;
	}
	s->index = b->c->servers_n;
	s->file = n == NULL ? b->c->file : n->file;
	s->line = n == NULL ? 1 : n->name.line;
	srv->s = s;
	srv->node = n;
	srv->raw.php_engine = true;
	raw = conf_append(b, ix->srvs, ix->srvs_n);
	slot = conf_append(b, b->c->servers, b->c->servers_n);
	if (raw == NULL || slot == NULL)
		return NULL;
	*raw = srv;
	*slot = s;
	return srv;
}

void conf_set_vhost(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_srv *srv = conf_srv_new(b, n);
	struct conf_addr *v;

	(void)d;
	if (srv == NULL)
		return;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text, *why;
		struct conf_addr addr;
		const char *spelt = text;
		if (strncmp(text, "_default_", 9) == 0)
			spelt = arena_printf(b->a, "*%s", text + 9);
		why = spelt == NULL ? "out of memory"
				    : conf_addr_parse(b->a, spelt, CONF_ADDR_NAME | CONF_ADDR_ANY | CONF_ADDR_NO_PORT, &addr);
		if (why != NULL) {
			conf_error(b, n, (int)i, "<VirtualHost>: '%s': %s", text, why);
			continue;
		}
		addr.text = text;
		v = conf_push(b->a, srv->s->addrs, srv->s->addrs_n, sizeof(*v));
		if (v == NULL) {
			b->oom = true;
			return;
		}
		v[srv->s->addrs_n++] = addr;
		srv->s->addrs = v;
	}
	conf_build_inside(b, n, CONF_W_VHOST, srv, NULL, NULL);
}

/*
 * A section's record: pattern from the arguments; "~" before it, or d->lo 1 (<...Match>), makes it a regular expression.
 * NULL after saying what is wrong.
 */
static struct conf_section *section_new(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d,
	enum conf_section_kind kind)
{
	struct conf_section *s = arena_calloc(b->a, 1, sizeof(*s));
	bool tilde = strcmp(n->args[0].text, "~") == 0;
	int at = tilde;

	if (s == NULL) {
		b->oom = true;
		return NULL;
	}
	if (n->args_n != (size_t)at + 1) {
		conf_error(b, n, n->args_n > (size_t)at ? at + 1 : -1, "<%s> takes one %s; quote it when it holds blanks", n->name.text, d->args);
		return NULL;
	}
	s->kind = kind;
	s->pattern = n->args[at].text;
	s->seq = b->seq++;
	s->file = n->file;
	s->line = n->name.line;
	s->dir.php_engine = true;
	if (tilde || d->lo != 0) {
		s->re = conf_build_regex(b, n, at, s->pattern);
		return s->re == NULL ? NULL : s;
	}
	s->wild = conf_is_wild(s->pattern);
	return s;
}

/* Errors inside a section that is itself wrong are still reported: its content goes nowhere. */
static void read_section(struct conf_build *b, const struct conf_node *n, unsigned where, struct conf_section *s)
{
	struct conf_section lost = {.dir = {.php_engine = true}};

	conf_build_inside(b, n, where, b->srv, s == NULL ? &lost : s, NULL);
}

static void keep_section(struct conf_build *b, struct conf_section *s)
{
	struct conf_section **slot = s == NULL ? NULL : conf_append(b, b->srv->sections, b->srv->sections_n);

	if (slot != NULL)
		*slot = s;
}

void conf_set_directory(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_section *s = section_new(b, n, d, CONF_S_DIR);

	if (s != NULL && s->re == NULL) {
		if (s->pattern[0] != '/') {
			conf_error(b, n, 0, "<Directory>: '%s' is not an absolute path", s->pattern);
			s = NULL;
		} else {
			s->pattern = conf_path(b->a, "/", s->pattern);
			s->components = s->pattern == NULL ? 0 : conf_path_components(s->pattern);
			b->oom = b->oom || s->pattern == NULL;
		}
	}
	keep_section(b, s);
	read_section(b, n, CONF_W_DIR, s);
}

void conf_set_location(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_section *s = section_new(b, n, d, CONF_S_LOC);

	if (s != NULL && s->re == NULL && s->pattern[0] != '/')
		conf_error(b, n, 0, "<Location>: the URL path '%s' must begin with a slash", s->pattern);
	keep_section(b, s);
	read_section(b, n, CONF_W_LOC, s);
}

/* <Files> belongs to the settings around it: it travels with them through merging. */
void conf_set_files(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_section *s = section_new(b, n, d, CONF_S_FILES);
	const struct conf_section **v;

	if (s != NULL) {
		v = conf_push(b->a, b->dir->files, b->dir->files_n, sizeof(*v));
		if (v == NULL) {
			b->oom = true;
			return;
		}
		v[b->dir->files_n++] = s;
		b->dir->files = v;
	}
	read_section(b, n, CONF_W_FILES, s);
}

/*
 * What a condition may not ask: sections are chosen before variables are set, and one that protects something would never hold.
 * NULL after saying so.
 */
static const struct conf_expr *condition(struct conf_build *b, const struct conf_node *n)
{
	const struct conf_expr *e = conf_build_early_condition(b, n, 0, n->args[0].text);

	if (e != NULL && conf_expr_wants_variable(e)) {
		conf_error(b, n, 0, "<%s>: sections are chosen before variables and notes are set: compare what the variable is made from", n->name.text);
		return NULL;
	}
	return e;
}

static bool has_if(const struct conf_dir *d)
{
	const struct conf_section *last = d->files_n > 0 ? d->files[d->files_n - 1] : NULL;

	return last != NULL && last->kind == CONF_S_IF && (last->expr != NULL || !last->chained);
}

/* <If>, <ElseIf>, <Else>: they travel as <Files> does. d->lo: 1 for what follows an <If>. */
void conf_set_if(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_section *s = arena_calloc(b->a, 1, sizeof(*s));
	const struct conf_section **slot;

	if (s == NULL) {
		b->oom = true;
		return;
	}
	*s = (struct conf_section){.kind = CONF_S_IF, .pattern = n->args_n > 0 ? n->args[0].text : "", .seq = b->seq++, .file = n->file,
		.line = n->name.line, .chained = d->lo != 0, .dir = {.php_engine = true}};
	if (s->chained && !has_if(b->dir))
		conf_error(b, n, -1, "<%s> without an <If> right before it", n->name.text);
	if (d->max > 0)
		s->expr = condition(b, n);
	/* One that is wrong is kept all the same: the configuration is refused, and nothing more is said of what follows it. */
	if (d->max > 0 && s->expr == NULL)
		s->chained = false;
	slot = conf_append(b, b->dir->files, b->dir->files_n);
	if (slot != NULL)
		*slot = s;
	read_section(b, n, CONF_W_FILES, s);
}
