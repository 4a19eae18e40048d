/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/header_rules.h"

#include <string.h>
#include <strings.h>
#include <sys/sysinfo.h>

#include "conf/conf_expr.h"
#include "conf/conf_regex.h"
#include "gateway/http/field_lines.h"
#include "gateway/tls/tls_vars.h"

#define REPLACED_MAX 65536 /* octets of one value after edit* */

/* One rule at work. */
struct work {
	const struct header_context *x;
	const struct conf_header *rule;
	size_t name_len;
	struct buf *fields, *added;
	struct buf value;
};

/* --- values ---------------------------------------------------------------------------------------------------------------- */

static int put_load(struct buf *out)
{
	struct sysinfo info;
	double scale = (double)(1UL << SI_LOAD_SHIFT);

	if (sysinfo(&info) == -1)
		return buf_puts(out, "l=-");
	return buf_printf(out, "l=%.2f/%.2f/%.2f", (double)info.loads[0] / scale, (double)info.loads[1] / scale,
		(double)info.loads[2] / scale);
}

static int put_tls(const struct header_context *x, const char *name, struct buf *out)
{
	char value[TLS_VAR_MAX];
	int n = x->tls != NULL ? tls_var(x->tls, name, value) : -1;

	return n < 0 ? buf_puts(out, "(null)") : buf_append(out, value, (size_t)n);
}

/* HTTPS is there without being set: "env=HTTPS" is how most write their Strict-Transport-Security. */
static const char *variable(const struct header_context *x, const char *name)
{
	const char *value = request_env_find(x->env, name);

	return value != NULL || x->tls == NULL || strcasecmp(name, "HTTPS") != 0 ? value : "on";
}

static int put_expr(const struct header_context *x, const struct conf_expr *e, struct buf *out)
{
	struct conf_expr_text text;
	int err = x->run == NULL ? GW_ERR_RANGE : conf_expr_value(e, x->run, &text);

	return err < 0 ? err : buf_append(out, text.s, text.len);
}

static int put_piece(const struct header_context *x, const struct conf_header_piece *p, struct buf *out)
{
	const char *value;

	switch (p->kind) {
	case CONF_PIECE_TEXT:
		return buf_puts(out, p->text);
	case CONF_PIECE_TIME:
		return buf_printf(out, "t=%llu", (unsigned long long)x->start_us);
	case CONF_PIECE_DURATION:
		return buf_printf(out, "D=%llu", (unsigned long long)x->duration_us);
	case CONF_PIECE_LOAD:
		return put_load(out);
	case CONF_PIECE_TLS:
		return put_tls(x, p->text, out);
	case CONF_PIECE_EXPR:
		return put_expr(x, p->expr, out);
	case CONF_PIECE_ENV:
		value = variable(x, p->text);
		return buf_puts(out, value != NULL ? value : "(null)"); /* Apache's word for it */
	}
	return GW_OK;
}

static int make_value(struct work *w)
{
	int err = GW_OK;

	buf_reset(&w->value);
	for (size_t i = 0; i < w->rule->pieces_n && err == GW_OK; i++)
		err = put_piece(w->x, &w->rule->pieces[i], &w->value);
	return err;
}

/* --- edit ------------------------------------------------------------------------------------------------------------------ */

/* The replacement, with $0 to $9 of what matched in @text. */
static int put_replacement(struct buf *out, const struct buf *with, const char *text, const struct conf_regex_group *groups)
{
	const char *s = (const char *)buf_head(with);
	size_t n = buf_unread(with);
	int err = GW_OK;

	for (size_t i = 0; i < n && err == GW_OK; i++) {
		if (s[i] == '$' && i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9') {
			const struct conf_regex_group *g = &groups[s[++i] - '0'];
			err = g->from < 0 ? GW_OK : buf_append(out, text + g->from, (size_t)(g->to - g->from));
		} else {
			i += s[i] == '\\' && i + 1 < n;
			err = buf_append(out, s + i, 1);
		}
	}
	return err;
}

/* @text with the first match, or all of them, replaced. 1 when there was one, 0, or negative. */
static int replace_matches(struct work *w, const char *text, size_t len, struct buf *out)
{
	struct conf_regex_group groups[CONF_REGEX_GROUPS];
	size_t at = 0, from = 0;
	int hit, found = 0, err = GW_OK;

	while ((hit = conf_regex_exec(w->rule->re, w->x->scratch, text, len, from, groups)) != 0) {
		if (hit < 0)
			return hit;
		found = 1;
		err = buf_append(out, text + at, (size_t)groups[0].from - at);
		if (err == GW_OK)
			err = put_replacement(out, &w->value, text, groups);
		at = (size_t)groups[0].to;
		if (err < 0 || w->rule->action != CONF_HEADER_EDIT_ALL)
			break;
		if (groups[0].from == groups[0].to) { /* an empty match: on by one octet */
			if (at == len)
				break;
			err = buf_append(out, text + at++, 1);
		}
		from = at;
		if (err < 0 || buf_unread(out) > REPLACED_MAX)
			return err < 0 ? err : GW_ERR_RANGE;
	}
	if (err == GW_OK && found && at < len)
		err = buf_append(out, text + at, len - at);
	return err < 0 ? err : found;
}

static int edit(struct work *w, struct buf *fields)
{
	struct field_line f;
	struct buf out;
	int rc = GW_OK;

	buf_init(&out);
	for (size_t at = 0; rc >= 0 && field_lines_next(fields, &at, &f);) {
		if (f.name_len != w->name_len || strncasecmp(f.name, w->rule->name, w->name_len) != 0)
			continue;
		buf_reset(&out);
		rc = replace_matches(w, f.value, f.value_len, &out);
		if (rc != 1)
			continue;
		size_t shorter = f.value_len, longer = buf_unread(&out);
		rc = field_lines_replace(fields, &f, (const char *)buf_head(&out), longer);
		at = at - shorter + longer;
	}
	buf_fini(&out);
	return rc < 0 ? rc : GW_OK;
}

/* --- the other actions ------------------------------------------------------------------------------------------------------- */

/* The pattern may fit more than its author thinks: "^T" names Transfer-Encoding, which a client would have frame the answer. */
static int echo(struct work *w, struct buf *to)
{
	struct conf_regex_group groups[CONF_REGEX_GROUPS];
	struct field_line f;
	int rc = GW_OK;

	for (size_t at = 0; w->x->request_fields != NULL && rc >= 0 && field_lines_next(w->x->request_fields, &at, &f);) {
		if (conf_header_is_framing(f.name, f.name_len, true))
			continue;
		rc = conf_regex_exec(w->rule->re, w->x->scratch, f.name, f.name_len, 0, groups);
		if (rc == 1)
			rc = field_lines_add(to, f.name, f.name_len, f.value, f.value_len);
	}
	return rc < 0 ? rc : GW_OK;
}

static int note(struct work *w)
{
	struct field_line f;
	const char *name = arena_strndup(w->x->a, (const char *)buf_head(&w->value), buf_unread(&w->value)), *value;

	if (w->x->notes == NULL)
		return GW_OK;
	if (!field_lines_find(w->fields, w->rule->name, w->name_len, &f) &&
	    (w->added == NULL || !field_lines_find(w->added, w->rule->name, w->name_len, &f)))
		return GW_OK;
	value = arena_strndup(w->x->a, f.value, f.value_len);
	return name == NULL || value == NULL ? GW_ERR_NOMEM : request_env_set(w->x->notes, w->x->a, name, value);
}

/* The table that has the field already, else the one that new fields go to. */
static struct buf *home_of(struct work *w)
{
	struct field_line f;

	if (w->added == NULL || (!field_lines_find(w->added, w->rule->name, w->name_len, &f) &&
				 field_lines_find(w->fields, w->rule->name, w->name_len, &f)))
		return w->fields;
	return w->added;
}

static int set_or_add(struct work *w)
{
	struct buf *to = w->added != NULL ? w->added : w->fields;
	const char *name = w->rule->name, *value = buf_unread(&w->value) > 0 ? (const char *)buf_head(&w->value) : "";
	size_t len = buf_unread(&w->value);
	struct field_line f;

	switch (w->rule->action) {
	case CONF_HEADER_SET:
		if (w->added != NULL)
			field_lines_unset(w->fields, name, w->name_len);
		return field_lines_set(to, name, w->name_len, value, len);
	case CONF_HEADER_SETIFEMPTY:
		if (field_lines_find(home_of(w), name, w->name_len, &f))
			return GW_OK;
		return field_lines_add(to, name, w->name_len, value, len);
	case CONF_HEADER_APPEND:
		return field_lines_append(home_of(w), name, w->name_len, value, len);
	case CONF_HEADER_MERGE:
		if (field_lines_lists(home_of(w), name, w->name_len, value, len))
			return GW_OK;
		return field_lines_append(home_of(w), name, w->name_len, value, len);
	default:
		return field_lines_add(to, name, w->name_len, value, len);
	}
}

static int act(struct work *w)
{
	int err = make_value(w);

	if (err < 0)
		return err;
	switch (w->rule->action) {
	case CONF_HEADER_UNSET:
		field_lines_unset(w->fields, w->rule->name, w->name_len);
		if (w->added != NULL)
			field_lines_unset(w->added, w->rule->name, w->name_len);
		return GW_OK;
	case CONF_HEADER_EDIT:
	case CONF_HEADER_EDIT_ALL:
		err = edit(w, w->fields);
		return err < 0 || w->added == NULL ? err : edit(w, w->added);
	case CONF_HEADER_ECHO:
		return echo(w, w->added != NULL ? w->added : w->fields);
	case CONF_HEADER_NOTE:
		return note(w);
	default:
		return set_or_add(w);
	}
}

/* An answer that depends on a field of the request says so, for caches (RFC 9110 12.5.5). */
static int say_vary(struct work *w)
{
	struct conf_expr_run *run = w->x->run;
	int err = GW_OK;

	for (size_t i = 0; run != NULL && i < run->vary_n && err == GW_OK && !w->x->of_request; i++) {
		const char *name = run->vary[i];
		if (!field_lines_lists(w->fields, "Vary", 4, name, strlen(name)) && !field_lines_lists(w->fields, "Vary", 4, "*", 1))
			err = field_lines_append(w->fields, "Vary", 4, name, strlen(name));
	}
	if (run != NULL)
		run->vary_n = 0;
	return err;
}

/* 1, 0, or negative. */
static int expr_holds(struct work *w)
{
	struct expr_fields *f = w->x->expr_fields;

	if (w->x->run == NULL || f == NULL)
		return GW_ERR_RANGE;
	if (w->x->of_request) {
		f->request = w->fields;
	} else {
		f->answer = w->fields;
		f->added = w->added;
	}
	return w->rule->expr == NULL ? 1 : conf_expr_test(w->rule->expr, w->x->run);
}

static bool holds(const struct header_context *x, const struct conf_header *rule)
{
	return rule->env == NULL || (variable(x, rule->env) != NULL) != rule->env_not;
}

int header_rules_apply(const struct header_context *x, const struct conf_header *rules, size_t n, bool early, struct buf *fields,
	struct buf *added)
{
	struct work w = {.x = x, .fields = fields, .added = added};
	int err = GW_OK;

	buf_init(&w.value);
	for (size_t i = 0; i < n && err == GW_OK; i++) {
		if (rules[i].early != early || !holds(x, &rules[i]))
			continue;
		w.rule = &rules[i];
		w.name_len = strlen(rules[i].name);
		bool asks = rules[i].expr != NULL || (rules[i].pieces_n > 0 && rules[i].pieces[0].kind == CONF_PIECE_EXPR);
		int hit = asks ? expr_holds(&w) : 1;
		err = hit == 1 ? act(&w) : hit;
		if (asks && err == GW_OK)
			err = say_vary(&w);
	}
	buf_fini(&w.value);
	return err;
}
