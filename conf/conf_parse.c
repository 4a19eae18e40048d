/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/conf_regex.h"

#define DEPTH_MAX 64 /* nested sections: the builder walks them recursively */

/* A section that was opened and not yet closed. */
struct conf_open {
	struct conf_open *up;
	const char *file;
	struct conf_word name;
	bool node; /* false: a condition that holds; its content belongs to what is around it */
};

void conf_parser_init(struct conf_parser *p, struct arena *a, struct conf_diags *d)
{
	memset(p, 0, sizeof(*p));
	p->a = a;
	p->d = d;
	p->at = &p->root;
	p->server_root = "/";
	p->follow = true;
	conf_vars_init(&p->vars, a);
}

void conf_node_say(struct conf_diags *d, bool error, const struct conf_node *n, int arg, const char *fmt, ...)
{
	const struct conf_word *w = arg >= 0 && (size_t)arg < n->args_n ? &n->args[arg] : &n->name;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_diag_add(d, error, n->file, w->line, w->column, "%s", text);
}

static struct conf_node *node_append(struct conf_parser *p, const struct conf_node *from)
{
	struct conf_node *n = arena_alloc(p->a, sizeof(*n));

	if (n == NULL) {
		p->oom = true;
		return NULL;
	}
	*n = *from;
	n->parent = p->at == &p->root ? NULL : p->at;
	n->children = n->last = n->next = NULL;
	if (p->at->last == NULL)
		p->at->children = n;
	else
		p->at->last->next = n;
	p->at->last = n;
	return n;
}

static void expand_words(struct conf_parser *p, struct conf_node *n)
{
	for (size_t i = 0; i < n->args_n; i++) {
		const char *unknown;
		int rc = conf_vars_expand(&p->vars, n->args[i].text, &n->args[i].text, &unknown);
		if (rc == GW_ERR_RANGE)
			conf_node_say(p->d, true, n, (int)i, "with its variables this is longer than %d octets", CONF_VALUE_MAX);
		else if (rc != GW_OK)
			p->oom = true;
		if (unknown != NULL)
			conf_node_say(p->d, false, n, (int)i, "${%s} is not defined: it is taken literally", unknown);
	}
}

/* --- what is done while reading ---------------------------------------------------------------------------------- */

static bool need_args(struct conf_parser *p, const struct conf_node *n, size_t min, size_t max, const char *usage)
{
	if (n->args_n >= min && n->args_n <= max)
		return true;
	conf_node_say(p->d, true, n, n->args_n > max ? (int)max : -1, "%s takes %s", n->name.text, usage);
	return false;
}

static void read_define(struct conf_parser *p, const struct conf_node *n)
{
	if (!need_args(p, n, 1, 2, "a name and perhaps a value"))
		return;
	if (strpbrk(n->args[0].text, "${}:") != NULL)
		conf_node_say(p->d, true, n, 0, "the name of a variable must not hold any of $ { } :");
	else if (conf_vars_define(&p->vars, n->args[0].text, n->args_n > 1 ? n->args[1].text : NULL) != GW_OK)
		p->oom = true;
}

static void read_undefine(struct conf_parser *p, const struct conf_node *n)
{
	if (need_args(p, n, 1, 1, "one name"))
		conf_vars_undefine(&p->vars, n->args[0].text);
}

static void read_include(struct conf_parser *p, const struct conf_node *n)
{
	if (need_args(p, n, 1, 1, "one file, directory or pattern") && p->follow)
		conf_parse_include(p, n, false);
}

static void read_include_optional(struct conf_parser *p, const struct conf_node *n)
{
	if (need_args(p, n, 1, 1, "one file, directory or pattern") && p->follow)
		conf_parse_include(p, n, true);
}

static void read_load_module(struct conf_parser *p, const struct conf_node *n)
{
	if (node_append(p, n) != NULL && n->args_n > 0 && conf_modules_load(&p->vars, n->args[0].text) != GW_OK)
		p->oom = true;
}

static void read_server_root(struct conf_parser *p, const struct conf_node *n)
{
	char *root;

	if (node_append(p, n) == NULL || n->args_n != 1)
		return; /* the builder says what is wrong */
	root = conf_path(p->a, p->server_root, n->args[0].text);
	if (root == NULL)
		p->oom = true;
	else
		p->server_root = root;
}

static const struct {
	const char *name;
	void (*read)(struct conf_parser *p, const struct conf_node *n);
} read_table[] = {
	{"Define", read_define},
	{"UnDefine", read_undefine},
	{"Include", read_include},
	{"IncludeOptional", read_include_optional},
	{"LoadModule", read_load_module},
	{"ServerRoot", read_server_root},
};

/* --- conditions ---------------------------------------------------------------------------------------------------- */

static bool holds_if_module(struct conf_parser *p, const struct conf_node *n, const char *what)
{
	const char *why = conf_modules_absent_why(&p->vars, what);

	(void)n;
	if (why != NULL)
		(void)node_append(p, n); /* so that it is listed as without effect */
	return conf_modules_has(&p->vars, what);
}

static bool holds_if_define(struct conf_parser *p, const struct conf_node *n, const char *what)
{
	(void)n;
	return conf_vars_defined(&p->vars, what);
}

static bool holds_if_file(struct conf_parser *p, const struct conf_node *n, const char *what)
{
	char *path = conf_path(p->a, p->server_root, what);

	(void)n;
	if (path == NULL)
		p->oom = true;
	return path != NULL && p->follow && access(path, F_OK) == 0;
}

static int version_cmp(const char *text, bool *ok)
{
	static const long mine[3] = CONF_APACHE_VERSION;

	*ok = true;
	for (size_t i = 0; i < 3; i++) {
		char *end;
		long v = strtol(text, &end, 10);
		if (end == text || v < 0 || v > 100000 || *text == '+' || *text == ' ') {
			*ok = false;
			return 0;
		}
		if (mine[i] != v)
			return mine[i] < v ? -1 : 1;
		if (*end == '\0')
			return 0; /* 2.4 stands for every 2.4 */
		text = end + 1;
		*ok = *end == '.';
		if (!*ok)
			return 0;
	}
	*ok = false;
	return 0;
}

static bool version_regex(struct conf_parser *p, const struct conf_node *n, int arg, const char *pattern)
{
	static const long mine[3] = CONF_APACHE_VERSION;
	char text[64], why[256];
	struct conf_regex *re = conf_regex_new(pattern, false, why, sizeof(why));
	bool hit;

	if (re == NULL) {
		conf_node_say(p->d, true, n, arg, "%s", why);
		return false;
	}
	(void)snprintf(text, sizeof(text), "%ld.%ld.%ld", mine[0], mine[1], mine[2]);
	hit = conf_regex_match(re, NULL, text) == 1;
	conf_regex_free(re);
	return hit;
}

/* <IfVersion [!][operator] version>; operators of mod_version. */
static bool holds_if_version(struct conf_parser *p, const struct conf_node *n, const char *what)
{
	const char *op = n->args_n > 1 ? what : "=", *version = n->args_n > 1 ? n->args[1].text : what;
	size_t len = strlen(version);
	bool ok;
	int c;

	if (strcmp(op, "~") == 0)
		return version_regex(p, n, 1, version);
	if (len > 1 && version[0] == '/' && version[len - 1] == '/') {
		char *inner = arena_strndup(p->a, version + 1, len - 2);
		return inner != NULL && version_regex(p, n, (int)n->args_n - 1, inner);
	}
	c = version_cmp(version, &ok);
	if (!ok) {
		conf_node_say(p->d, true, n, (int)n->args_n - 1, "'%s' is not a version like 2.4 or 2.4.62", version);
		return false;
	}
	if (strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
		return c == 0;
	if (strcmp(op, ">") == 0)
		return c > 0;
	if (strcmp(op, ">=") == 0)
		return c >= 0;
	if (strcmp(op, "<") == 0)
		return c < 0;
	if (strcmp(op, "<=") == 0)
		return c <= 0;
	conf_node_say(p->d, true, n, 0, "'%s' is not one of = == > >= < <= ~", op);
	return false;
}

static const struct condition {
	const char *name;
	size_t max;
	const char *usage;
	bool (*holds)(struct conf_parser *p, const struct conf_node *n, const char *what);
} condition_table[] = {
	{"IfModule", 1, "one module: name_module or mod_name.c", holds_if_module},
	{"IfDefine", 1, "one name", holds_if_define},
	{"IfFile", 1, "one file", holds_if_file},
	{"IfVersion", 2, "an operator and a version", holds_if_version},
};

/* --- sections ------------------------------------------------------------------------------------------------------ */

/* Pass over the content of a condition that does not hold, up to the line that closes it. */
static void skip_section(struct conf_parser *p, struct conf_lexer *lx, const struct conf_node *n)
{
	struct conf_line line;
	size_t inner = 0;
	int rc;

	while ((rc = conf_lexer_skim(lx, &line)) == 1) {
		if (line.kind == CONF_LINE_OPEN)
			inner++;
		if (line.kind != CONF_LINE_CLOSE || inner-- > 0)
			continue;
		if (strcasecmp(line.name.text, n->name.text) != 0)
			conf_diag_add(p->d, true, n->file, line.name.line, line.name.column,
				      "</%s> closes <%s> of line %u", line.name.text, n->name.text, n->name.line);
		return;
	}
	if (rc == GW_ERR_NOMEM)
		p->oom = true;
	conf_node_say(p->d, true, n, -1, "<%s> is never closed: </%s> is missing", n->name.text, n->name.text);
}

static void open_push(struct conf_parser *p, const struct conf_node *n, bool node)
{
	struct conf_open *o = arena_alloc(p->a, sizeof(*o));

	if (o == NULL) {
		p->oom = true;
		return;
	}
	*o = (struct conf_open){.up = p->open, .file = n->file, .name = n->name, .node = node};
	p->open = o;
	p->depth++;
}

static void open_pop(struct conf_parser *p)
{
	if (p->open->node)
		p->at = p->at->parent == NULL ? &p->root : p->at->parent;
	p->open = p->open->up;
	p->depth--;
}

static void read_open(struct conf_parser *p, struct conf_lexer *lx, struct conf_node *n)
{
	if (p->depth >= DEPTH_MAX) {
		conf_node_say(p->d, true, n, -1, "sections are nested more than %d deep", DEPTH_MAX);
		skip_section(p, lx, n);
		return;
	}
	for (size_t i = 0; i < sizeof(condition_table) / sizeof(*condition_table); i++) {
		const struct condition *c = &condition_table[i];
		const char *what;
		bool not, holds;
		if (strcasecmp(c->name, n->name.text) != 0)
			continue;
		if (!need_args(p, n, 1, c->max, c->usage)) {
			skip_section(p, lx, n);
			return;
		}
		what = n->args[0].text;
		not = what[0] == '!';
		holds = c->holds(p, n, what + not);
		if (holds != not)
			open_push(p, n, false);
		else
			skip_section(p, lx, n);
		return;
	}
	struct conf_node *made = node_append(p, n);
	if (made == NULL)
		return;
	open_push(p, n, true);
	p->at = made;
}

static void read_close(struct conf_parser *p, const struct conf_node *n)
{
	const struct conf_open *o;

	if (p->open == p->base) {
		conf_node_say(p->d, true, n, -1, "</%s> closes nothing that was opened in this file", n->name.text);
		return;
	}
	if (strcasecmp(p->open->name.text, n->name.text) == 0) {
		open_pop(p);
		return;
	}
	/* Close up to the section that is meant when there is one, so that one slip is one error. */
	conf_node_say(p->d, true, n, -1, "</%s> where <%s> of line %u is still open", n->name.text, p->open->name.text,
		      p->open->name.line);
	for (o = p->open; o != p->base && strcasecmp(o->name.text, n->name.text) != 0;)
		o = o->up;
	if (o == p->base) {
		open_pop(p); /* a misspelt name */
		return;
	}
	while (p->open != o)
		open_pop(p);
	open_pop(p);
}

static void read_line(struct conf_parser *p, struct conf_lexer *lx, const char *file, const struct conf_line *line)
{
	struct conf_node n = {.file = file, .name = line->name, .section = line->kind != CONF_LINE_DIRECTIVE,
			      .args_n = line->words_n, .args = line->words};

	if (line->kind == CONF_LINE_CLOSE) {
		read_close(p, &n);
		return;
	}
	expand_words(p, &n);
	if (line->kind == CONF_LINE_OPEN) {
		read_open(p, lx, &n);
		return;
	}
	for (size_t i = 0; i < sizeof(read_table) / sizeof(*read_table); i++) {
		if (strcasecmp(read_table[i].name, n.name.text) == 0) {
			read_table[i].read(p, &n);
			return;
		}
	}
	(void)node_append(p, &n);
}

void conf_parse_text(struct conf_parser *p, const char *name, const char *text, size_t len)
{
	struct conf_open *outer = p->base;
	struct conf_lexer lx;
	struct conf_line line;
	int rc;

	conf_lexer_init(&lx, text, len, p->a);
	p->base = p->open;
	while ((rc = conf_lexer_next(&lx, &line)) != 0 && !p->oom) {
		if (rc == GW_ERR_NOMEM)
			p->oom = true;
		else if (rc < 0)
			conf_diag_add(p->d, true, name, lx.why_line, lx.why_column, "%s", lx.why);
		else
			read_line(p, &lx, name, &line);
	}
	while (p->open != p->base) {
		conf_diag_add(p->d, true, p->open->file, p->open->name.line, p->open->name.column,
			      "<%s> is never closed: </%s> is missing", p->open->name.text, p->open->name.text);
		open_pop(p);
	}
	p->base = outer;
	conf_lexer_fini(&lx);
}
