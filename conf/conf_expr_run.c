/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: what they come to for a request. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_expr_priv.h"

#define NUMBER_MAX 24 /* octets of a number that counts: more digits than that are past what 64 bits hold, too */

char *conf_expr_room(struct conf_expr_run *x, size_t n)
{
	if (n > x->room_len - x->used)
		return NULL;
	char *room = x->room + x->used;
	x->used += n;
	return room;
}

/* --- words ---------------------------------------------------------------------------------------------------------------- */

static int value_of(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out);

/* A piece of 20261123094316 and the day of the week behind it. */
static int time_of(struct conf_expr_run *x, int piece, struct conf_expr_text *out)
{
	char *room = conf_expr_room(x, 16);
	struct tm tm;

	if (room == NULL)
		return GW_ERR_RANGE;
	localtime_r(&x->now, &tm);
	if (strftime(room, 16, "%Y%m%d%H%M%S%w", &tm) == 15) /* not past the year 9999 */
		*out = (struct conf_expr_text){room + (piece >> 4), (size_t)(piece & 15)};
	return GW_OK;
}

/* Only names that are written out: others are the client's own choice. */
static void note_vary(struct conf_expr_run *x, const char *name)
{
	for (size_t i = 0; i < x->vary_n; i++)
		if (strcasecmp(x->vary[i], name) == 0)
			return;
	if (x->vary_n < CONF_EXPR_VARY_MAX)
		x->vary[x->vary_n++] = name;
}

/* The name that a look-up is for, NUL-terminated; NULL in *@name: no name that anything has. */
static int name_of(const struct conf_expr *e, struct conf_expr_run *x, const char **name)
{
	struct conf_expr_text t;

	*name = e->text.s;
	if (*name != NULL)
		return GW_OK;
	int err = value_of(e->a, x, &t);
	if (err < 0 || t.len == 0 || memchr(t.s, '\0', t.len) != NULL)
		return err;
	char *room = conf_expr_room(x, t.len + 1);
	if (room == NULL)
		return GW_ERR_RANGE;
	memcpy(room, t.s, t.len);
	room[t.len] = '\0';
	*name = room;
	return GW_OK;
}

static int look_up(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out)
{
	const char *name;
	int err = name_of(e, x, &name);

	if (err < 0 || name == NULL)
		return err;
	if (e->vary && e->text.s != NULL)
		note_vary(x, name);
	if (e->kind == EXPR_LOOKUP)
		return x->source->find(x, (enum conf_expr_table)e->what, name, out);
	err = x->source->find(x, EXPR_NOTE, name, out);
	return err < 0 || out->len > 0 ? err : x->source->find(x, EXPR_ENV, name, out);
}

static void group_of(const struct conf_expr_run *x, int which, struct conf_expr_text *out)
{
	const struct conf_regex_group *g = &x->groups[which];

	if (x->subject != NULL && g->from >= 0)
		*out = (struct conf_expr_text){x->subject + g->from, (size_t)(g->to - g->from)};
}

static int join(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out)
{
	struct conf_expr_text v[EXPR_PARTS_MAX];
	size_t n = 0, len = 0;
	char *room;

	for (; e != NULL && n < EXPR_PARTS_MAX; e = e->kind == EXPR_JOIN ? e->b : NULL) {
		int err = value_of(e->kind == EXPR_JOIN ? e->a : e, x, &v[n]);
		if (err < 0)
			return err;
		len += v[n++].len; /* of values that are in memory: no overflow */
	}
	room = e != NULL ? NULL : conf_expr_room(x, len);
	if (room == NULL)
		return GW_ERR_RANGE;
	*out = (struct conf_expr_text){room, len};
	for (size_t i = 0; i < n; i++)
		room = (char *)memcpy(room, v[i].s, v[i].len) + v[i].len;
	return GW_OK;
}

static int value_of(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out)
{
	struct conf_expr_text in;
	int err;

	*out = (struct conf_expr_text){"", 0};
	switch (e->kind) {
	case EXPR_TEXT:
		*out = e->text;
		return GW_OK;
	case EXPR_VAR:
		return x->source->var(x, (enum conf_expr_var)e->what, out);
	case EXPR_TIME:
		return time_of(x, e->what, out);
	case EXPR_LOOKUP:
	case EXPR_ANY_VARIABLE:
		return look_up(e, x, out);
	case EXPR_STRING_FUNCTION:
		err = value_of(e->a, x, &in);
		return err < 0 ? err : expr_call(x, (enum expr_function)e->what, in, out);
	case EXPR_GROUP:
		group_of(x, e->what, out);
		return GW_OK;
	case EXPR_JOIN:
		return join(e, x, out);
	default:
		return GW_ERR_PROTO; /* a condition is no word: the parser makes none */
	}
}

/* --- conditions ----------------------------------------------------------------------------------------------------------- */

static bool related(int order, enum expr_relation r)
{
	switch (r) {
	case EXPR_EQ:
		return order == 0;
	case EXPR_NE:
		return order != 0;
	case EXPR_LT:
		return order < 0;
	case EXPR_LE:
		return order <= 0;
	case EXPR_GT:
		return order > 0;
	case EXPR_GE:
		return order >= 0;
	}
	return false;
}

static int order_of(struct conf_expr_text a, struct conf_expr_text b)
{
	int order = memcmp(a.s, b.s, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The number that the text begins with, else 0. */
static long long number(struct conf_expr_text t)
{
	char text[NUMBER_MAX + 1];
	size_t n;

	while (t.len > 0 && strchr(" \t\n\v\f\r", *t.s) != NULL && *t.s != '\0') {
		t.s++;
		t.len--;
	}
	n = t.len < NUMBER_MAX ? t.len : NUMBER_MAX;
	memcpy(text, t.s, n);
	text[n] = '\0';
	return strtoll(text, NULL, 10); /* clamps */
}

static int compare(const struct conf_expr *e, struct conf_expr_run *x)
{
	struct conf_expr_text a, b;
	int err = value_of(e->a, x, &a);

	if (err == GW_OK)
		err = value_of(e->b, x, &b);
	if (err < 0)
		return err;
	if (e->kind == EXPR_COMPARE)
		return related(order_of(a, b), (enum expr_relation)e->what);
	long long i = number(a), k = number(b);
	return related((i > k) - (i < k), (enum expr_relation)e->what);
}

static int match(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text a)
{
	struct conf_regex_group groups[CONF_REGEX_GROUPS];
	int hit = conf_regex_exec(e->re, x->scratch, a.s, a.len, 0, groups);

	if (hit < 0 || e->what != 0)
		return hit;
	/* One that is not found leaves no groups of an earlier one, as in Apache. */
	x->subject = hit == 1 ? a.s : NULL;
	memcpy(x->groups, groups, sizeof(groups));
	return hit;
}

static int is_in(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text a)
{
	struct conf_expr_text b;

	for (const struct conf_expr *member = e->b; member != NULL; member = member->b) {
		int err = value_of(member->a, x, &b);
		if (err < 0)
			return err;
		if (order_of(a, b) == 0)
			return 1;
	}
	return 0;
}

static bool is_true(struct conf_expr_text a)
{
	static const char *const no[] = {"", "0", "off", "false", "no"};

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (strlen(no[i]) == a.len && strncasecmp(no[i], a.s, a.len) == 0)
			return false;
	return true;
}

/* A condition that is about one word. */
static int test_word(const struct conf_expr *e, struct conf_expr_run *x)
{
	struct conf_expr_text a;
	struct ip_addr ip;
	int hit = value_of(e->a, x, &a);

	if (hit < 0)
		return hit;
	switch (e->kind) {
	case EXPR_REGEX:
		hit = match(e, x, a);
		return hit < 0 ? hit : (hit == 1) != e->negate;
	case EXPR_IN:
		return is_in(e, x, a);
	case EXPR_NET:
		return ip_parse(a.s, a.len, &ip) && ip_net_has(&e->net, &ip);
	case EXPR_IS_SET:
		return (a.len > 0) != e->negate;
	default:
		return is_true(a);
	}
}

static int test(const struct conf_expr *e, struct conf_expr_run *x)
{
	for (;;) {
		int hit;
		switch (e->kind) {
		case EXPR_TRUE:
			return 1;
		case EXPR_FALSE:
			return 0;
		case EXPR_NOT:
			hit = test(e->a, x);
			return hit < 0 ? hit : !hit;
		case EXPR_AND:
		case EXPR_OR:
			hit = test(e->a, x);
			if (hit < 0 || hit == (e->kind == EXPR_OR))
				return hit;
			e = e->b;
			continue;
		case EXPR_COMPARE:
		case EXPR_COMPARE_INT:
			return compare(e, x);
		default:
			return test_word(e, x);
		}
	}
}

static void begin(struct conf_expr_run *x)
{
	x->used = 0;
	x->subject = NULL;
}

int conf_expr_test(const struct conf_expr *e, struct conf_expr_run *x)
{
	begin(x);
	return test(e, x);
}

int conf_expr_value(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out)
{
	begin(x);
	return value_of(e, x, out);
}

/* Whether @is says so of any part of it. */
static bool any_part(const struct conf_expr *e, bool (*is)(const struct conf_expr *e))
{
	for (; e != NULL; e = e->b)
		if (is(e) || (e->a != NULL && any_part(e->a, is)))
			return true;
	return false;
}

static bool is_answer(const struct conf_expr *e)
{
	return (e->kind == EXPR_VAR && (e->what == EXPR_REQUEST_STATUS || e->what == EXPR_CONTENT_TYPE)) ||
		(e->kind == EXPR_LOOKUP && e->what == EXPR_ANSWER_FIELD);
}

static bool is_variable(const struct conf_expr *e)
{
	return e->kind == EXPR_ANY_VARIABLE || (e->kind == EXPR_LOOKUP && (e->what == EXPR_ENV || e->what == EXPR_NOTE));
}

bool conf_expr_wants_answer(const struct conf_expr *e)
{
	return any_part(e, is_answer);
}

bool conf_expr_wants_variable(const struct conf_expr *e)
{
	return any_part(e, is_variable);
}
