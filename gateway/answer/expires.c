/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/expires.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/http/field_lines.h"
#include "gateway/http/http_chars.h"
#include "gateway/http/http_date.h"

/* "text/css" by itself, else by "text/" and an asterisk. */
static bool type_fits(const char *rule, const char *type, size_t len)
{
	size_t n = strlen(rule);

	if (n >= 2 && strcmp(rule + n - 2, "/*") == 0)
		return len > n - 1 && strncasecmp(rule, type, n - 1) == 0;
	return n == len && strncasecmp(rule, type, n) == 0;
}

static const struct conf_expires *find_rule(const struct conf_edit *e, const struct buf *fields)
{
	const struct conf_expires *wide = NULL;
	const char *type;
	size_t len = field_lines_media_type(fields, &type);

	for (size_t i = e->expires_n; type != NULL && i-- > 0;) {
		const struct conf_expires *x = &e->expires[i];
		if (!type_fits(x->type, type, len))
			continue;
		if (x->type[strlen(x->type) - 1] != '*')
			return x;
		if (wide == NULL)
			wide = x;
	}
	if (wide != NULL)
		return wide;
	return (e->set & CONF_E_EXPIRES_DEFAULT) != 0 ? &e->expires_default : NULL;
}

/* Whether the answer's maker said already how long it may be kept. */
static bool is_settled(const struct buf *fields)
{
	static const char *const words[] = {"no-store", "no-cache", "max-age", "s-maxage"};
	struct field_line f;
	const char *elem;
	size_t len;

	if (field_lines_find(fields, "Expires", 7, &f))
		return true;
	for (size_t at = 0; field_lines_next(fields, &at, &f);) {
		if (!http_equals(f.name, f.name_len, "cache-control"))
			continue;
		while (http_list_next(&f.value, &f.value_len, &elem, &len))
			for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
				size_t n = strlen(words[i]);
				if (len >= n && strncasecmp(elem, words[i], n) == 0 && (len == n || elem[n] == '='))
					return true;
			}
	}
	return false;
}

int expires_apply(const struct conf_edit *e, struct buf *fields, time_t now, time_t modified)
{
	const struct conf_expires *rule = e->expires_active && !is_settled(fields) ? find_rule(e, fields) : NULL;
	char date[HTTP_DATE_LEN + 1], age[40];

	if (rule == NULL || (rule->modified && modified == -1))
		return GW_OK;
	time_t until = (rule->modified ? modified : now) + rule->seconds;
	if (until < now)
		until = now;
	int n = snprintf(age, sizeof(age), "max-age=%lld", (long long)(until - now));
	int err = field_lines_append(fields, "Cache-Control", 13, age, (size_t)n);
	http_date_format(until, date);
	return err < 0 ? err : field_lines_add(fields, "Expires", 7, date, strlen(date));
}
