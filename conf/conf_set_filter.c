/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of Expires (mod_expires), of output filters that compress (mod_deflate, mod_brotli, mod_filter), of X-Sendfile. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* --- Expires ----------------------------------------------------------------------------------------------------------- */

#define YEARS_MAX INT64_C(100)
#define DAY INT64_C(86400)

static bool add_period(int64_t *sum, int64_t count, const char *unit)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {
		{"year", 365 * DAY}, {"month", 30 * DAY}, {"week", 7 * DAY}, {"day", DAY}, {"hour", 3600}, {"minute", 60}, {"second", 1},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t n = strlen(units[i].name);
		if (strncasecmp(units[i].name, unit, n) != 0 || (unit[n] != '\0' && strcasecmp(unit + n, "s") != 0))
			continue;
		if (count > YEARS_MAX * 365 * DAY / units[i].seconds)
			return false;
		*sum += count * units[i].seconds;
		return *sum <= YEARS_MAX * 365 * DAY;
	}
	return false;
}

/* "A3600", "M86400", or "access|now|modification [plus] number unit ...". NULL, or what is wrong. */
static const char *parse_expires(struct conf_build *b, const char *text, struct conf_expires *out)
{
	char *words = conf_dup(b, text), *save = NULL, *word;
	const char *why;

	out->seconds = 0;
	if (words == NULL)
		return "memory is out";
	if ((text[0] == 'A' || text[0] == 'M') && text[1] >= '0' && text[1] <= '9') {
		out->modified = text[0] == 'M';
		why = conf_value_int(text + 1, 0, YEARS_MAX * 365 * DAY, &out->seconds);
		return why;
	}
	word = strtok_r(words, " \t", &save);
	if (word == NULL || (strcasecmp(word, "access") != 0 && strcasecmp(word, "now") != 0 && strcasecmp(word, "modification") != 0))
		return "does not begin with access, now or modification (or with A or M and a number)";
	out->modified = strcasecmp(word, "modification") == 0;
	word = strtok_r(NULL, " \t", &save);
	if (word != NULL && strcasecmp(word, "plus") == 0)
		word = strtok_r(NULL, " \t", &save);
	if (word == NULL)
		return "says no time";
	for (; word != NULL; word = strtok_r(NULL, " \t", &save)) {
		int64_t count;
		const char *unit = strtok_r(NULL, " \t", &save);
		if (conf_value_int(word, 0, INT32_MAX, &count) != NULL || unit == NULL || !add_period(&out->seconds, count, unit))
			return "is not a number and years, months, weeks, days, hours, minutes or seconds, at most a hundred years";
	}
	return NULL;
}

void conf_set_expires_active(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *v = n->args[0].text;
	bool on = strcasecmp(v, "on") == 0;
	struct conf_edit *e;

	(void)d;
	if (!on && strcasecmp(v, "off") != 0) {
		conf_error(b, n, 0, "%s: '%s' is neither On nor Off", n->name.text, v);
		return;
	}
	if ((e = conf_build_edit(b)) == NULL)
		return;
	e->set |= CONF_E_EXPIRES;
	e->expires_active = on;
}

/* ExpiresDefault time; ExpiresByType type time. */
void conf_set_expires(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_expires x = {.type = NULL}, *v;
	int arg = (int)n->args_n - 1;
	const char *why = parse_expires(b, n->args[arg].text, &x);
	struct conf_edit *e;

	(void)d;
	if (why != NULL) {
		conf_error(b, n, arg, "%s: '%s' %s", n->name.text, n->args[arg].text, why);
		return;
	}
	if ((e = conf_build_edit(b)) == NULL)
		return;
	if (arg == 0) {
		e->set |= CONF_E_EXPIRES_DEFAULT;
		e->expires_default = x;
		return;
	}
	x.type = conf_lower(b->a, n->args[0].text);
	v = conf_push(b->a, e->expires, e->expires_n, sizeof(*v));
	if (x.type == NULL || v == NULL) {
		b->oom = true;
		return;
	}
	if (strchr(x.type, '/') == NULL) {
		conf_error(b, n, 0, "%s: '%s' is not a media type like text/css or image/*", n->name.text, n->args[0].text);
		return;
	}
	e->expires = v;
	v[e->expires_n++] = x;
}

/* --- filters that compress ----------------------------------------------------------------------------------------------- */

/* "DEFLATE;BROTLI_COMPRESS": what we have of it. */
static unsigned take_filters(struct conf_build *b, const struct conf_node *n)
{
	char *words = conf_dup(b, n->args[0].text), *save = NULL;
	unsigned bits = 0;

	for (char *w = words == NULL ? NULL : strtok_r(words, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save)) {
		if (strcasecmp(w, "DEFLATE") == 0)
			bits |= CONF_FILTER_DEFLATE;
		else if (strcasecmp(w, "BROTLI_COMPRESS") == 0)
			bits |= CONF_FILTER_BROTLI;
		else if (strcasecmp(w, "NONE") != 0)
			conf_build_noeffect(b, n, arena_printf(b->a, "%s %s", n->name.text, w), "of output filters there are DEFLATE and BROTLI_COMPRESS");
	}
	return bits;
}

void conf_set_output_filter(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_edit *e = conf_build_edit(b);

	(void)d;
	if (e == NULL)
		return;
	e->set |= CONF_E_FILTERS;
	e->filters = take_filters(b, n);
}

/* d->lo: by extension, else by media type. */
void conf_set_add_filter(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	unsigned filters = take_filters(b, n);
	struct conf_edit *e = conf_build_edit(b);

	for (size_t i = 1; i < n->args_n && e != NULL && filters != 0; i++) {
		const struct conf_filter_rule **list = d->lo != 0 ? &e->filter_exts : &e->filter_types;
		size_t *count = d->lo != 0 ? &e->filter_exts_n : &e->filter_types_n;
		const char *key = n->args[i].text;
		if (d->lo == 0 && strchr(key, '/') == NULL) {
			conf_error(b, n, (int)i, "%s: '%s' is not a media type like text/css", n->name.text, key);
			return;
		}
		struct conf_filter_rule *v = conf_push(b->a, *list, *count, sizeof(*v));
		struct conf_filter_rule rule = {conf_lower(b->a, key + (d->lo != 0 && key[0] == '.')), filters};
		if (v == NULL || rule.key == NULL) {
			b->oom = true;
			return;
		}
		*list = v;
		v[(*count)++] = rule;
	}
}

/* d->lo: 0 DeflateCompressionLevel, 1 BrotliCompressionQuality. */
void conf_set_compression(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	bool brotli = d->lo != 0;
	int64_t v;
	const char *why = conf_value_int(n->args[0].text, brotli ? 0 : 1, brotli ? 11 : 9, &v);
	struct conf_edit *e;

	if (why != NULL) {
		conf_error(b, n, 0, "%s: '%s' %s", n->name.text, n->args[0].text, why);
		return;
	}
	if (brotli && v > 9)
		conf_warn(b, n, 0, "BrotliCompressionQuality: past 9 a megabyte takes a second, and others wait; compress such files beforehand (PrecompressedFiles)");
	if ((e = conf_build_edit(b)) == NULL)
		return;
	e->set |= brotli ? CONF_E_BROTLI_QUALITY : CONF_E_DEFLATE_LEVEL;
	*(brotli ? &e->brotli_quality : &e->deflate_level) = (int)v;
}

/* d->lo: 0 DeflateAlterETag, 1 BrotliAlterETag. */
void conf_set_alter_etag(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct {
		const char *word;
		enum conf_alter_etag how;
	} words[] = {{"Weak", CONF_ETAG_WEAK}, {"AddSuffix", CONF_ETAG_SUFFIX}, {"NoChange", CONF_ETAG_NO_CHANGE}, {"Remove", CONF_ETAG_REMOVE}};
	struct conf_edit *e = conf_build_edit(b);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words) && e != NULL; i++) {
		if (strcasecmp(words[i].word, n->args[0].text) != 0)
			continue;
		e->set |= d->lo != 0 ? CONF_E_BROTLI_ETAG : CONF_E_DEFLATE_ETAG;
		*(d->lo != 0 ? &e->brotli_etag : &e->deflate_etag) = words[i].how;
		return;
	}
	conf_error(b, n, 0, "%s: '%s' is none of Weak, AddSuffix, NoChange, Remove", n->name.text, n->args[0].text);
}

/* --- X-Sendfile ------------------------------------------------------------------------------------------------------------ */

void conf_set_xsendfile(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *v = n->args[0].text;
	bool on = strcasecmp(v, "on") == 0;
	struct conf_edit *e;

	(void)d;
	if (!on && strcasecmp(v, "off") != 0) {
		conf_error(b, n, 0, "XSendFile: '%s' is neither On nor Off", v);
		return;
	}
	if ((e = conf_build_edit(b)) == NULL)
		return;
	e->set |= CONF_E_XSENDFILE;
	e->xsendfile = on;
}

void conf_set_xsendfile_path(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_edit *e = conf_build_edit(b);
	const char **v;

	(void)d;
	if (e == NULL)
		return;
	if (n->args[0].text[0] != '/') {
		conf_error(b, n, 0, "XSendFilePath: the path must be absolute");
		return;
	}
	v = conf_push(b->a, e->xsendfile_roots, e->xsendfile_roots_n, sizeof(*v));
	if (v == NULL) {
		b->oom = true;
		return;
	}
	e->xsendfile_roots = v;
	v[e->xsendfile_roots_n] = conf_build_path(b, n->args[0].text);
	if (v[e->xsendfile_roots_n] == NULL)
		return;
	e->xsendfile_roots_n++;
	/* The front may then read below it. */
	const char **path = conf_append(b, b->c->front_paths.v, b->c->front_paths.n);
	if (path != NULL)
		*path = v[e->xsendfile_roots_n - 1];
}
