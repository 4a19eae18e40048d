/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values: numbers, times, flags, words; and the setters that store them where the table says. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

const char *conf_value_int(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
	int64_t v = 0;
	bool minus = text[0] == '-';
	const char *s = text + minus;

	if (*s == '\0')
		return "is not a whole number";
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return "is not a whole number";
		if (v > (INT64_MAX - 9) / 10)
			return "is too large";
		v = v * 10 + (*s - '0');
	}
	v = minus ? -v : v;
	if (v < lo)
		return "is too small";
	if (v > hi)
		return "is too large";
	*out = v;
	return NULL;
}

const char *conf_value_rate(struct arena *a, const char *text, enum conf_rate longest, unsigned *n, unsigned *ms, struct conf_suggest *near)
{
	static const struct {
		const char *name;
		unsigned ms;
	} periods[] = {{"second", 1000}, {"minute", 60000}, [CONF_RATE_HOUR] = {"hour", 3600000}, [CONF_RATE_DAY] = {"day", 86400000}};
	const char *slash = strchr(text, '/'), *why;
	int64_t v;

	conf_suggest_init(near, slash == NULL ? "" : slash + 1);
	if (slash == NULL)
		return "has no /";
	char *number = arena_strndup(a, text, (size_t)(slash - text));
	why = number == NULL ? "out of memory" : conf_value_int(number, 1, 1000000, &v);
	if (why != NULL)
		return why;
	for (size_t i = 0; i <= longest; i++) {
		if (strcasecmp(slash + 1, periods[i].name) == 0) {
			*n = (unsigned)v;
			*ms = periods[i].ms;
			return NULL;
		}
		conf_suggest_try(near, periods[i].name);
	}
	return "ends in no period";
}

/* Seconds unless a unit is given, as Apache's time-outs. */
const char *conf_value_time(const char *text, int64_t lo_ms, int64_t hi_ms, unsigned *out)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"mi", 60000}, {"min", 60000}, {"h", 3600000}};
	size_t digits = strspn(text, "0123456789");
	int64_t v = 0;

	if (digits == 0 || digits > 12)
		return "is not a time like 30, 500ms, 30s, 5min or 1h";
	for (size_t i = 0; i < digits; i++)
		v = v * 10 + (text[i] - '0');
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcasecmp(text + digits, units[i].unit) != 0)
			continue;
		v *= units[i].ms;
		if (v < lo_ms)
			return "is too short a time";
		if (v > hi_ms)
			return "is too long a time";
		*out = (unsigned)v;
		return NULL;
	}
	return "is not a time like 30, 500ms, 30s, 5min or 1h";
}

const char *conf_value_size(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
	static const char units[] = "KMG";
	char digits[24];
	size_t len = strlen(text);
	int64_t value, factor = 1;
	const char *unit = len > 1 ? strchr(units, text[len - 1] & ~0x20) : NULL;

	if (len >= sizeof(digits))
		return "is too large";
	memcpy(digits, text, len + 1);
	if (unit != NULL && *unit != '\0') {
		factor = INT64_C(1) << 10 * (unit - units + 1);
		digits[len - 1] = '\0';
	}
	const char *why = conf_value_int(digits, 0, hi / factor, &value);
	if (why != NULL)
		return why;
	if (value * factor < lo)
		return "is too small";
	*out = value * factor;
	return NULL;
}

const char *conf_value_flag(const char *text, bool *out)
{
	*out = strcasecmp(text, "on") == 0;
	return *out || strcasecmp(text, "off") == 0 ? NULL : "is neither On nor Off";
}

void *conf_field(struct conf_build *b, const struct conf_directive *d)
{
	char *base = NULL;

	switch (d->target) {
	case CONF_T_SERVER:
		b->srv->set |= (uint64_t)1 << d->bit;
		base = (char *)b->srv->s;
		break;
	case CONF_T_POOL:
		base = (char *)b->pool;
		break;
	case CONF_T_CONF:
		base = (char *)b->c;
		break;
	case CONF_T_NONE:
		return NULL;
	}
	return base + d->offset;
}

const char *conf_extension(struct conf_build *b, const struct conf_node *n, int arg)
{
	const char *ext = n->args[arg].text;

	ext += ext[0] == '.';
	if (ext[0] != '\0' && strchr(ext, '.') == NULL && strchr(ext, '/') == NULL)
		return ext;
	conf_error(b, n, arg, "%s: '%s' is not an extension", n->name.text, n->args[arg].text);
	return NULL;
}

static void bad_value(struct conf_build *b, const struct conf_node *n, int arg, const char *why)
{
	conf_error(b, n, arg, "%s: '%s' %s", n->name.text, n->args[arg].text, why);
}

void conf_set_int(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	int64_t v;
	const char *why = conf_value_int(n->args[0].text, d->lo, d->hi, &v);

	if (why != NULL)
		conf_error(b, n, 0, "%s: '%s' %s; it goes from %lld to %lld", n->name.text, n->args[0].text, why, (long long)d->lo,
			   (long long)d->hi);
	else
		*(unsigned *)conf_field(b, d) = (unsigned)v;
}

void conf_set_time(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	unsigned ms;
	const char *why = conf_value_time(n->args[0].text, d->lo, d->hi, &ms);

	if (why != NULL)
		bad_value(b, n, 0, why);
	else
		*(unsigned *)conf_field(b, d) = ms;
}

void conf_set_flag(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	bool v;
	const char *why = conf_value_flag(n->args[0].text, &v);

	if (why != NULL)
		bad_value(b, n, 0, why);
	else
		*(bool *)conf_field(b, d) = v;
}

void conf_set_word(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, n->args[0].text);
	for (int i = 0; d->words[i] != NULL; i++) {
		if (strcasecmp(d->words[i], n->args[0].text) == 0) {
			*(int *)conf_field(b, d) = i + 1;
			return;
		}
		conf_suggest_try(&s, d->words[i]);
	}
	conf_error(b, n, 0, "%s: '%s' is not one of %s%s", n->name.text, n->args[0].text, d->args,
		   conf_suggest_text(&s, more, sizeof(more)));
}

void conf_set_text(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	*(const char **)conf_field(b, d) = n->args[0].text;
}

void conf_set_path(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	*(const char **)conf_field(b, d) = conf_build_path(b, n->args[0].text);
}

/* --- directives that set nothing ----------------------------------------------------------------------------------- */

void conf_set_noeffect(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	conf_build_noeffect(b, n, d->section ? arena_printf(b->a, "<%s>", d->name) : d->name, d->doc);
}

/* Define, Include and their kin: done while reading. */
void conf_set_reading(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)b;
	(void)n;
	(void)d;
}

/* A condition is in the tree only when it was passed over for a module that we do not stand in for. */
void conf_set_condition(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *what = n->args_n == 0 ? "" : n->args[0].text + (n->args[0].text[0] == '!');
	const char *why = conf_modules_absent_why(&b->p->vars, what);
	char *text = why == NULL ? NULL : arena_printf(b->a, "counts as absent: %s", why);

	if (text != NULL)
		conf_build_noeffect(b, n, arena_printf(b->a, "<%s %s>", d->name, n->args[0].text), text);
}

void conf_set_refused(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	conf_error(b, n, -1, "%s is refused: %s", n->name.text, d->doc);
}

/* Error "text": the administrator's own check. */
void conf_set_abort(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	conf_error(b, n, -1, "%s", n->args[0].text);
}

void conf_set_rewrite_engine(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	if (strcasecmp(n->args[0].text, "off") == 0)
		conf_set_noeffect(b, n, d);
	else
		conf_error(b, n, -1, "RewriteEngine: rewrite rules are not followed by this version, and they may protect something; Redirect, and FallbackResource before a front controller, often do instead");
}
