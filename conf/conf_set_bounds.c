/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of what a site may use of the machine: the bounds of its cgroup. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* A whole number, or with a unit: powers of 1024. Returns NULL, or why not. */
static const char *value_scaled(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(text, "0123456789"), shift = 0;
	char number[24];

	if (digits == 0 || digits >= sizeof(number) || strlen(text + digits) > 1)
		return "is not a number, nor one with K, M, G or T";
	if (text[digits] != '\0') {
		const char *unit = strchr(units, text[digits] | 0x20);
		if (unit == NULL)
			return "is not a number, nor one with K, M, G or T";
		shift = 10 * (size_t)(unit - units + 1);
	}
	memcpy(number, text, digits);
	number[digits] = '\0';
	const char *why = conf_value_int(number, 0, hi >> shift, out);
	if (why != NULL)
		return why;
	*out <<= shift;
	return *out < lo ? "is too small" : NULL;
}

static bool is_max(const char *text)
{
	return strcasecmp(text, "max") == 0;
}

/* Of a size any unit; of a count, none: nobody means 1K processes or a weight of 1M. */
void conf_set_bound(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *text = n->args[0].text, *why = NULL;
	int64_t v = CONF_NO_BOUND;

	if (!is_max(text) || strstr(d->args, "max") == NULL)
		why = strncmp(d->args, "size", 4) == 0 ? value_scaled(text, d->lo, d->hi, &v) : conf_value_int(text, d->lo, d->hi, &v);
	if (why != NULL && d->hi != INT64_MAX)
		conf_error(b, n, 0, "%s: '%s' %s; it goes from %lld to %lld", n->name.text, text, why, (long long)d->lo, (long long)d->hi);
	else if (why != NULL)
		conf_error(b, n, 0, "%s: '%s' %s; for example 512M, or max", n->name.text, text, why);
	else
		*(int64_t *)conf_field(b, d) = v;
}

void conf_set_cpu_max(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *text = n->args[0].text, *why = NULL;
	size_t len = strlen(text);
	char number[24];
	int64_t v = CONF_NO_BOUND;

	if (!is_max(text)) {
		if (len < 2 || len > sizeof(number) || text[len - 1] != '%') {
			why = "is not a percentage";
		} else {
			memcpy(number, text, len - 1);
			number[len - 1] = '\0';
			why = conf_value_int(number, d->lo, d->hi, &v);
		}
	}
	if (why != NULL)
		conf_error(b, n, 0, "%s: '%s' %s; for example 50%%, 200%% or max", n->name.text, text, why);
	else
		*(int64_t *)conf_field(b, d) = v;
}

/* One of "rbps=10M"; appended to @keys in the kernel's spelling. Returns NULL, or why not. */
static const char *io_key(const char *text, char *keys, size_t size)
{
	static const char *const names[] = {"rbps", "wbps", "riops", "wiops"};
	const char *value = strchr(text, '=');
	size_t at = strlen(keys);
	int64_t v;

	for (size_t i = 0; value != NULL && i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) != (size_t)(value - text) || strncasecmp(names[i], text, (size_t)(value - text)) != 0)
			continue;
		if (is_max(value + 1)) {
			snprintf(keys + at, size - at, "%s%s=max", at > 0 ? " " : "", names[i]);
			return NULL;
		}
		const char *why = value_scaled(value + 1, 1, INT64_MAX, &v);
		if (why == NULL)
			snprintf(keys + at, size - at, "%s%s=%lld", at > 0 ? " " : "", names[i], (long long)v);
		return why;
	}
	return "is none of rbps=, wbps=, riops= and wiops=";
}

void conf_set_io_max(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	char keys[4 * 32] = "";

	for (size_t i = 1; i < n->args_n; i++) {
		const char *why = io_key(n->args[i].text, keys, sizeof(keys));
		if (why != NULL) {
			conf_error(b, n, (int)i, "%s: '%s' %s", n->name.text, n->args[i].text, why);
			return;
		}
	}
	struct conf_io_max *io = arena_alloc(b->a, sizeof(*io));
	const struct conf_io_max **list = conf_field(b, d);
	if (io == NULL) {
		b->oom = true;
		return;
	}
	*io = (struct conf_io_max){.next = *list, .path = conf_build_path(b, n->args[0].text), .keys = conf_dup(b, keys)};
	*list = io;
}
