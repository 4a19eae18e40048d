/* SPDX-License-Identifier: Apache-2.0 */
/* Words of expressions: text, variables, functions, and what is joined of them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_expr_priv.h"
#include "conf/conf_util.h"

#define DEPTH_MAX 50 /* of nesting, in text and so on the stack */

const struct conf_expr *expr_fail(struct expr_parser *p, const char *fmt, ...)
{
	va_list ap;

	if (!p->failed) { /* what follows an error is a consequence */
		p->failed = true;
		p->err->at = (size_t)(p->s - p->text);
		va_start(ap, fmt);
		(void)vsnprintf(p->err->why, sizeof(p->err->why), fmt, ap);
		va_end(ap);
	}
	return NULL;
}

struct conf_expr *expr_node(struct expr_parser *p, enum expr_kind kind, int what)
{
	struct conf_expr *e = arena_calloc(p->m->a, 1, sizeof(*e));

	if (e == NULL) {
		(void)expr_fail(p, "out of memory");
		return NULL;
	}
	e->kind = kind;
	e->what = what;
	return e;
}

static const struct conf_expr *text_node(struct expr_parser *p, const char *s, size_t len)
{
	struct conf_expr *e = expr_node(p, EXPR_TEXT, 0);

	if (e == NULL)
		return NULL;
	e->text = (struct conf_expr_text){arena_strndup(p->m->a, s, len), len};
	return e->text.s != NULL ? e : expr_fail(p, "out of memory");
}

void expr_skip(struct expr_parser *p)
{
	p->s += strspn(p->s, " \t\r\n");
}

bool expr_is_one_of(char ch, const char *set)
{
	return ch != '\0' && strchr(set, ch) != NULL;
}

/* The name that begins here, or 0. */
size_t expr_name_len(const char *s)
{
	return expr_is_one_of(*s, EXPR_LETTERS) ? strspn(s, EXPR_NAME) : 0;
}

bool expr_take(struct expr_parser *p, const char *what)
{
	size_t n = strlen(what);

	expr_skip(p);
	if (strncmp(p->s, what, n) != 0)
		return false;
	p->s += n;
	return true;
}

/* A word of letters, alone. */
bool expr_take_name(struct expr_parser *p, const char *what)
{
	expr_skip(p);
	if (expr_name_len(p->s) != strlen(what) || strncmp(p->s, what, strlen(what)) != 0)
		return false;
	p->s += strlen(what);
	return true;
}

bool expr_deeper(struct expr_parser *p)
{
	if (p->depth == DEPTH_MAX) {
		(void)expr_fail(p, "nested too deeply");
		return false;
	}
	p->depth++;
	return true;
}

/* --- variables and functions ------------------------------------------------------------------------------------------ */

static const struct conf_expr *variable(struct expr_parser *p, const char *name)
{
	const struct expr_variable *v = expr_variables;
	struct conf_suggest s;
	struct conf_expr *e;
	char more[128];

	conf_suggest_init(&s, name);
	for (; v->name != NULL && strcasecmp(v->name, name) != 0; v++)
		conf_suggest_try(&s, v->name);
	if (v->name == NULL && strncasecmp(name, "SSL_", 4) != 0)
		return strncasecmp(name, "HTTP_", 5) != 0 ? expr_fail(p, "there is no variable %s%s", name, conf_suggest_text(&s, more, sizeof(more)))
			: expr_fail(p, "there is no variable %s; the field X-Some is %%{HTTP:X-Some}", name);
	if (v->name == NULL) { /* mod_ssl's */
		e = expr_node(p, EXPR_LOOKUP, EXPR_TLS);
		if (e != NULL)
			e->a = text_node(p, name, strlen(name));
		if (e != NULL && e->a != NULL)
			e->text = e->a->text;
		return e;
	}
	e = expr_node(p, v->kind, v->what);
	if (e == NULL)
		return NULL;
	if (v->text != NULL)
		e->text = (struct conf_expr_text){v->text, strlen(v->text)};
	e->vary = v->kind == EXPR_LOOKUP;
	return e;
}

static const struct conf_expr *call(struct expr_parser *p, const char *name, const struct conf_expr *arg)
{
	const struct expr_named_function *f = expr_functions;
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, name);
	for (; f->name != NULL && strcasecmp(f->name, name) != 0; f++)
		conf_suggest_try(&s, f->name);
	if (arg == NULL)
		return NULL;
	if (f->name == NULL)
		return expr_fail(p, "there is no function %s%s", name, conf_suggest_text(&s, more, sizeof(more)));
	if (f->kind == EXPR_FALSE)
		return expr_fail(p, "%s() is not evaluated: %s", f->name, f->why);
	struct conf_expr *e = expr_node(p, f->kind, f->what);
	if (e == NULL)
		return NULL;
	e->a = arg;
	e->vary = f->vary;
	if (arg->kind == EXPR_TEXT)
		e->text = arg->text;
	return e;
}

/* --- text with something in it ------------------------------------------------------------------------------------------ */

bool expr_add_piece(struct expr_parser *p, struct expr_pieces *to, const struct conf_expr *e)
{
	if (e == NULL)
		return false;
	if (to->n == EXPR_PARTS_MAX) {
		(void)expr_fail(p, "more than %d parts in one text", EXPR_PARTS_MAX);
		return false;
	}
	to->v[to->n++] = e;
	return true;
}

static const struct conf_expr *joined(struct expr_parser *p, const struct expr_pieces *from)
{
	const struct conf_expr *e = from->v[from->n - 1];

	for (size_t i = from->n - 1; i-- > 0;) {
		struct conf_expr *j = expr_node(p, EXPR_JOIN, 0);
		if (j == NULL)
			return NULL;
		j->a = from->v[i];
		j->b = e;
		e = j;
	}
	return e;
}

/* One octet of text, perhaps behind a backslash. False at a NUL, or when it could not be written so. */
static bool take_octet(struct expr_parser *p, char *out)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *known;

	if (p->s[0] != '\\' || p->s[1] == '\0') {
		*out = *p->s++;
		return true;
	}
	p->s++;
	if (*p->s >= '0' && *p->s <= '7') {
		unsigned v = 0;
		for (int i = 0; i < 3 && *p->s >= '0' && *p->s <= '7'; i++)
			v = v * 8 + (unsigned)(*p->s++ - '0');
		if (v == 0 || v > 255) {
			(void)expr_fail(p, "\\%o is not an octet that text can hold", v);
			return false;
		}
		*out = (char)v;
		return true;
	}
	known = strchr(from, *p->s);
	*out = known != NULL ? to[known - from] : *p->s;
	p->s++;
	return true;
}

/* What stands in %{...}: a variable, or function:text. */
static const struct conf_expr *braces(struct expr_parser *p)
{
	size_t n = expr_name_len(p->s + 2);
	char *name = arena_strndup(p->m->a, p->s + 2, n);
	const struct conf_expr *e;

	if (name == NULL)
		return expr_fail(p, "out of memory");
	if (n == 0 || (p->s[2 + n] != '}' && p->s[2 + n] != ':'))
		return expr_fail(p, "after %%{ a name is wanted, and } or a colon behind it");
	if (p->s[2 + n] == '}') {
		e = variable(p, name);
		p->s += n + 3;
		return e;
	}
	p->s += n + 3;
	e = expr_text_until(p, '}');
	if (e != NULL && *p->s != '}')
		return expr_fail(p, "the } of %%{%s: is missing", name);
	p->s += e != NULL;
	return call(p, name, e);
}

static const struct conf_expr *group(struct expr_parser *p)
{
	const struct conf_expr *e = expr_node(p, EXPR_GROUP, p->s[1] - '0');

	p->s += 2;
	return e;
}

static bool at_special(const char *s)
{
	return (s[0] == '%' && s[1] == '{') || (s[0] == '$' && s[1] >= '0' && s[1] <= '9');
}

/* Octets up to @end or to what is no plain text. */
static size_t plain_len(const char *s, char end)
{
	size_t n = 0;

	while (s[n] != '\0' && s[n] != end && !at_special(s + n))
		n += s[n] == '\\' && s[n + 1] != '\0' ? 2 : 1;
	return n;
}

static const struct conf_expr *plain_text(struct expr_parser *p, char end)
{
	const char *to = p->s + plain_len(p->s, end);
	char *text = arena_alloc(p->m->a, (size_t)(to - p->s) + 1);
	size_t n = 0;

	if (text == NULL)
		return expr_fail(p, "out of memory");
	while (p->s < to)
		if (!take_octet(p, &text[n++]))
			return NULL;
	return text_node(p, text, n);
}

const struct conf_expr *expr_text_until(struct expr_parser *p, char end)
{
	struct expr_pieces all = {.n = 0};

	if (!expr_deeper(p))
		return NULL;
	while (*p->s != '\0' && *p->s != end)
		if (!expr_add_piece(p, &all, !at_special(p->s) ? plain_text(p, end) : *p->s == '%' ? braces(p) : group(p)))
			return NULL;
	p->depth--;
	return all.n == 0 ? text_node(p, "", 0) : joined(p, &all);
}

/* --- words ---------------------------------------------------------------------------------------------------------------- */

static const struct conf_expr *quoted(struct expr_parser *p)
{
	char end = *p->s++;
	const struct conf_expr *e = expr_text_until(p, end);

	if (e != NULL && *p->s != end)
		return expr_fail(p, "a closing %c is missing", end);
	p->s += e != NULL;
	return e;
}

static const struct conf_expr *function(struct expr_parser *p)
{
	size_t n = expr_name_len(p->s);
	char *name = arena_strndup(p->m->a, p->s, n);

	if (name == NULL)
		return expr_fail(p, "out of memory");
	const char *from = p->s;
	p->s += n;
	if (!expr_take(p, "(")) {
		p->s = from;
		return expr_fail(p, "'%.40s' is no word: text stands in quotes, a variable is %%{NAME}, a function NAME(word)", name);
	}
	const struct conf_expr *arg = expr_word(p);
	if (arg != NULL && !expr_take(p, ")"))
		return expr_fail(p, "the ) of %.40s( is missing", name);
	return call(p, name, arg);
}

static const struct conf_expr *one_word(struct expr_parser *p)
{
	size_t digits;

	expr_skip(p);
	digits = strspn(p->s + (*p->s == '-'), EXPR_DIGITS);
	if (digits > 0) {
		digits += *p->s == '-';
		p->s += digits;
		return text_node(p, p->s - digits, digits);
	}
	if (*p->s == '\'' || *p->s == '"')
		return quoted(p);
	if (*p->s == '%' && p->s[1] == '{')
		return braces(p);
	if (at_special(p->s))
		return group(p);
	if (expr_name_len(p->s) > 0)
		return function(p);
	return *p->s == '\0' ? expr_fail(p, "a word is missing at the end") : expr_fail(p, "no word begins with '%.20s'", p->s);
}

const struct conf_expr *expr_word(struct expr_parser *p)
{
	struct expr_pieces all = {.n = 0};

	if (!expr_deeper(p))
		return NULL;
	do {
		if (!expr_add_piece(p, &all, one_word(p)))
			return NULL;
	} while (expr_take(p, "."));
	p->depth--;
	return joined(p, &all);
}
