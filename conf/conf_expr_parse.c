/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: from text to a tree. Recursive descent without backing up, so the work is linear in the text. */
#include <string.h>

#include "conf/conf_expr_priv.h"

#define REGEX_ENDS "/#$%^|?!'\",;:._-"

static const struct conf_expr *condition(struct expr_parser *p);

/* --- comparisons ------------------------------------------------------------------------------------------------------------ */

static const struct conf_expr *make_regex(struct expr_parser *p, const struct conf_expr *left, const char *pattern, bool any_case, bool negate)
{
	struct conf_expr *e = expr_node(p, EXPR_REGEX, 0);
	char why[160];

	if (e == NULL)
		return NULL;
	e->a = left;
	e->negate = negate;
	e->re = p->m->regex(p->m->arg, pattern, any_case, why, sizeof(why));
	return e->re != NULL ? e : expr_fail(p, "%s", why);
}

/* /pattern/flags, or m and another delimiter. */
static const struct conf_expr *regex(struct expr_parser *p, const struct conf_expr *left, bool negate)
{
	char flags[4] = "", end;
	size_t flags_n = 0;
	bool any_case = false;

	expr_skip(p);
	p->s += *p->s == 'm' && expr_is_one_of(p->s[1], REGEX_ENDS);
	end = *p->s;
	if (end != '/' && (p->s == p->text || p->s[-1] != 'm' || !expr_is_one_of(end, REGEX_ENDS)))
		return expr_fail(p, "a regular expression is wanted: /pattern/ or m#pattern#");
	const char *from = p->s + 1, *to = strchr(from, end);
	if (to == NULL)
		return expr_fail(p, "the closing %c of the regular expression is missing", end);
	p->s = to + 1;
	for (; expr_is_one_of(*p->s, EXPR_LETTERS EXPR_DIGITS); p->s++) {
		if (*p->s == 'i')
			any_case = true;
		else if ((*p->s != 'm' && *p->s != 's') || flags_n > 2)
			return expr_fail(p, "'%c' is no flag of a regular expression: i, m, s", *p->s);
		else
			flags[flags_n++] = *p->s;
	}
	char *pattern = flags_n > 0 ? arena_printf(p->m->a, "(?%s)%.*s", flags, (int)(to - from), from)
		: arena_strndup(p->m->a, from, (size_t)(to - from));
	return pattern == NULL ? expr_fail(p, "out of memory") : make_regex(p, left, pattern, any_case, negate);
}

static const struct conf_expr *list(struct expr_parser *p, const struct conf_expr *left)
{
	struct expr_pieces all = {.n = 0};
	struct conf_expr *e;

	if (!expr_take(p, "{"))
		return expr_fail(p, "after \"in\" a list is wanted: {'one', 'two'}");
	do {
		if (!expr_add_piece(p, &all, expr_word(p)))
			return NULL;
	} while (expr_take(p, ","));
	if (!expr_take(p, "}"))
		return expr_fail(p, "the } of a list is missing");
	e = expr_node(p, EXPR_IN, 0);
	if (e == NULL)
		return NULL;
	e->a = left;
	for (size_t i = all.n; i-- > 0;) { /* a list of its own kind: its members may be joined texts */
		struct conf_expr *member = expr_node(p, EXPR_IN, 0);
		if (member == NULL)
			return NULL;
		member->a = all.v[i];
		member->b = e->b;
		e->b = member;
	}
	return e;
}

static const struct conf_expr *net(struct expr_parser *p, const struct conf_expr *left, const struct conf_expr *right)
{
	struct conf_expr *e = right == NULL || left == NULL ? NULL : expr_node(p, EXPR_NET, 0);

	if (e == NULL)
		return NULL;
	if (right->kind != EXPR_TEXT)
		return expr_fail(p, "a network is written out: '192.0.2.0/24'");
	const char *why = ip_net_parse(right->text.s, &e->net);
	if (why != NULL && why != ip_net_behind)
		return expr_fail(p, "'%.60s': %s", right->text.s, why);
	e->a = left;
	return e;
}

static const struct conf_expr *wildcards(struct expr_parser *p, const struct conf_expr *left, const char *how)
{
	const struct conf_expr *right = expr_word(p);
	char *pattern;

	if (right == NULL)
		return NULL;
	if (right->kind != EXPR_TEXT)
		return expr_fail(p, "what -%s compares with is written out", how);
	pattern = expr_from_wildcards(p->m->a, right->text.s, strcmp(how, "fnmatch") == 0);
	if (pattern == NULL)
		return expr_fail(p, "out of memory");
	struct conf_expr *e = (struct conf_expr *)(uintptr_t)make_regex(p, left, pattern, strcmp(how, "strcmatch") == 0, false);
	if (e != NULL)
		e->what = 1; /* its groups are nobody's */
	return e;
}

static const struct conf_expr *compare(struct expr_parser *p, enum expr_kind kind, int relation, const struct conf_expr *left)
{
	const struct conf_expr *right = expr_word(p);
	struct conf_expr *e = right == NULL ? NULL : expr_node(p, kind, relation);

	if (e == NULL)
		return NULL;
	e->a = left;
	e->b = right;
	return e;
}

/* What follows the first word of a comparison. */
static const struct conf_expr *relation(struct expr_parser *p, const struct conf_expr *left)
{
	static const struct {
		const char *sign;
		int relation;
	} signs[] = {{"==", EXPR_EQ}, {"=", EXPR_EQ}, {"!=", EXPR_NE}, {"<=", EXPR_LE}, {"<", EXPR_LT}, {">=", EXPR_GE}, {">", EXPR_GT}};
	static const char *const numbers[] = {"eq", "ne", "lt", "le", "gt", "ge"};
	char name[32] = "";

	if (expr_take(p, "=~"))
		return regex(p, left, false);
	if (expr_take(p, "!~"))
		return regex(p, left, true);
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (expr_take(p, signs[i].sign))
			return compare(p, EXPR_COMPARE, signs[i].relation, left);
	bool dash = expr_take(p, "-");
	size_t n = expr_name_len(p->s);
	if (n == 0 || n >= sizeof(name))
		return *p->s == '\0' ? expr_fail(p, "a comparison is missing") : expr_fail(p, "'%.20s' compares nothing", p->s);
	memcpy(name, p->s, n);
	p->s += n;
	for (int i = 0; i < 6; i++)
		if (strcmp(name, numbers[i]) == 0)
			return compare(p, EXPR_COMPARE_INT, i, left);
	if (strcmp(name, "in") == 0)
		return list(p, left);
	if (dash && strcmp(name, "ipmatch") == 0)
		return net(p, left, expr_word(p));
	if (dash && (strcmp(name, "strmatch") == 0 || strcmp(name, "strcmatch") == 0 || strcmp(name, "fnmatch") == 0))
		return wildcards(p, left, name);
	p->s -= n;
	return expr_fail(p, "there is no comparison %s%s", dash ? "-" : "", name);
}

/* --- conditions ----------------------------------------------------------------------------------------------------------- */

/* -n word and its kin. */
static const struct conf_expr *unary(struct expr_parser *p)
{
	char name[2] = {p->s[1], '\0'};
	const struct conf_expr *right;
	struct conf_expr *e;

	for (const struct expr_operator *o = expr_refused; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return expr_fail(p, "-%s is not evaluated: %s", name, o->why);
	if (!expr_is_one_of(*name, "nzTR"))
		return expr_fail(p, "there is no operator -%s", name);
	p->s += 2;
	right = expr_word(p);
	if (right == NULL)
		return NULL;
	if (*name == 'R')
		return net(p, expr_node(p, EXPR_VAR, EXPR_REMOTE_ADDR), right);
	e = expr_node(p, *name == 'T' ? EXPR_IS_TRUE : EXPR_IS_SET, 0);
	if (e == NULL)
		return NULL;
	e->a = right;
	e->negate = *name == 'z';
	return e;
}

static const struct conf_expr *primary(struct expr_parser *p)
{
	const struct conf_expr *e;

	if (expr_take(p, "(")) {
		e = condition(p);
		if (e != NULL && !expr_take(p, ")"))
			return expr_fail(p, *p->s == '\0' ? "a ) is missing" : "before '%.20s' a ) or an operator is wanted", p->s);
		return e;
	}
	if (expr_take_name(p, "true"))
		return expr_node(p, EXPR_TRUE, 0);
	if (expr_take_name(p, "false"))
		return expr_node(p, EXPR_FALSE, 0);
	if (p->s[0] == '-' && expr_is_one_of(p->s[1], EXPR_LETTERS) && !expr_is_one_of(p->s[2], EXPR_NAME))
		return unary(p);
	e = expr_word(p);
	return e == NULL ? NULL : relation(p, e);
}

static const struct conf_expr *negation(struct expr_parser *p)
{
	const struct conf_expr *e;
	struct conf_expr *no;
	bool odd = false;

	while (expr_take_name(p, "not") || expr_take(p, "!"))
		odd = !odd;
	e = primary(p);
	if (e == NULL || !odd)
		return e;
	no = expr_node(p, EXPR_NOT, 0);
	if (no != NULL)
		no->a = e;
	return no;
}

/* Operands between @sign or @name, as a list that begins with the first. */
static const struct conf_expr *chain(struct expr_parser *p, enum expr_kind kind, const char *sign, const char *name,
	const struct conf_expr *(*operand)(struct expr_parser *))
{
	const struct conf_expr *first = operand(p), *all = first;
	struct conf_expr *last = NULL;

	while (first != NULL && (expr_take(p, sign) || expr_take_name(p, name))) {
		struct conf_expr *e = expr_node(p, kind, 0);
		const struct conf_expr *next = operand(p);
		if (e == NULL || next == NULL)
			return NULL;
		/* a && b && c is a && (b && c): evaluated in a loop, however long it is. */
		e->a = last == NULL ? first : last->b;
		e->b = next;
		if (last == NULL)
			all = e;
		else
			last->b = e;
		last = e;
	}
	return first == NULL ? NULL : all;
}

static const struct conf_expr *conjunction(struct expr_parser *p)
{
	return chain(p, EXPR_AND, "&&", "and", negation);
}

static const struct conf_expr *condition(struct expr_parser *p)
{
	const struct conf_expr *e;

	if (!expr_deeper(p))
		return NULL;
	e = chain(p, EXPR_OR, "||", "or", conjunction);
	p->depth--;
	return e;
}

const struct conf_expr *conf_expr_parse(const struct conf_expr_maker *m, const char *text, bool string, struct conf_expr_error *err)
{
	struct expr_parser p = {.m = m, .text = text, .s = text, .err = err};
	const struct conf_expr *e = string ? expr_text_until(&p, '\0') : condition(&p);

	expr_skip(&p);
	if (e != NULL && *p.s != '\0')
		e = expr_fail(&p, "'%.40s' is left over: and, or?", p.s);
	if (e == NULL && !p.failed)
		(void)expr_fail(&p, "not understood");
	return e;
}
