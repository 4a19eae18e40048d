/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log_format.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FLAG_FIELD = 1, FLAG_HYPHEN = 2, FLAG_REQUIRED = 4 };

struct log_item {
	struct log_item *next;
	char what;        /* '\0': text */
	unsigned flags;
	const char *text; /* of the item itself, or between its braces; "" for none */
};

struct log_format {
	struct log_item *first;
};

void log_put_plain(struct log_out *l, const char *s)
{
	while (*s != '\0' && l->p < l->end)
		*l->p++ = *s++;
}

void log_put_escaped(struct log_out *l, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s != '\0' && l->end - l->p >= 4; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '\\') {
			*l->p++ = '\\';
			*l->p++ = '\\';
		} else if (c < 0x20 || c == 0x7f) {
			*l->p++ = '\\';
			*l->p++ = 'x';
			*l->p++ = hex[c >> 4];
			*l->p++ = hex[c & 15];
		} else {
			*l->p++ = (char)c;
		}
	}
}

void log_put_time(struct log_out *l, bool micro, bool compact)
{
	struct timespec ts;
	struct tm tm;
	char day[40], text[96], fraction[32] = "";

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	if (micro)
		snprintf(fraction, sizeof(fraction), ".%06ld", ts.tv_nsec / 1000);
	if (compact) {
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
		snprintf(text, sizeof(text), "%s%s", day, fraction);
	} else {
		strftime(day, sizeof(day), "%a %b %d %H:%M:%S", &tm);
		snprintf(text, sizeof(text), "%s%s %d", day, fraction, tm.tm_year + 1900);
	}
	log_put_plain(l, text);
}

/* --- compiling ------------------------------------------------------------------------------------------------------------ */

/* All that Apache knows. What is behind the first blank has nothing to say here: the field is left out. */
static const char known[] = "tlmMPTavV EFkLAein";

/* Text up to the next item or field. NULL: out of memory. */
static const char *literal(struct arena *a, const char *s, struct log_item *it)
{
	char *out = arena_alloc(a, strlen(s) + 1);

	it->text = out;
	if (out == NULL)
		return NULL;
	if (*s == ' ')
		it->flags |= FLAG_FIELD;
	for (bool first = true; *s != '\0' && *s != '%' && (first || *s != ' '); first = false) {
		s += *s == '\\' && s[1] != '\0';
		*out++ = *s++;
	}
	*out = '\0';
	return s;
}

/* Behind "%". NULL: *@why. */
static const char *item(struct arena *a, const char *s, struct log_item *it, const char **why)
{
	it->text = "";
	if (*s == ' ') {
		it->flags |= FLAG_FIELD;
		return s + 1;
	}
	if (*s == '%') {
		it->text = "%";
		return s + 1;
	}
	for (; *s == '-' || *s == '+'; s++)
		it->flags |= *s == '-' ? FLAG_HYPHEN : FLAG_REQUIRED;
	while (*s >= '0' && *s <= '9')
		s++; /* Apache's narrowest width, of %F above all */
	if (*s == '{') {
		const char *end = strchr(s, '}');
		it->text = end == NULL ? NULL : arena_strndup(a, s + 1, (size_t)(end - s - 1));
		if (it->text == NULL) {
			*why = end == NULL ? "\"{\" without \"}\"" : "out of memory";
			return NULL;
		}
		s = end + 1;
	}
	if (*s == '\0' || *s == ' ' || strchr(known, *s) == NULL) {
		*why = "unknown or unfinished item";
		return NULL;
	}
	it->what = *s;
	return s + 1;
}

const struct log_format *log_format_new(struct arena *a, const char *text, const char **why, size_t *at)
{
	struct log_format *f = arena_calloc(a, 1, sizeof(*f));
	struct log_item **end = f == NULL ? NULL : &f->first;
	const char *s = text;

	*why = "out of memory";
	*at = 0;
	while (end != NULL && *s != '\0') {
		struct log_item *it = arena_calloc(a, 1, sizeof(*it));
		*at = (size_t)(s - text);
		s = it == NULL ? NULL : *s == '%' ? item(a, s + 1, it, why) : literal(a, s, it);
		if (s == NULL)
			return NULL;
		*end = it;
		end = &it->next;
	}
	return f;
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */

static void put_message(struct log_out *l, const struct log_values *v)
{
	if (v->script != NULL) {
		log_put_plain(l, "script=");
		log_put_escaped(l, v->script);
		log_put_plain(l, " ");
	}
	log_put_escaped(l, v->message != NULL ? v->message : "");
}

static void put_item(struct log_out *l, const struct log_item *it, const struct log_values *v)
{
	const char *text = it->what == 'a' ? v->client : it->what == 'l' ? v->level : it->what == 'm' ? v->role :
		it->what == 'v' || it->what == 'V' ? v->site : NULL;
	char number[24] = "";

	switch (it->what) {
	case 't':
		log_put_time(l, strchr(it->text, 'u') != NULL, strchr(it->text, 'c') != NULL);
		break;
	case 'M':
		put_message(l, v);
		break;
	case 'P':
	case 'T':
		snprintf(number, sizeof(number), "%ld", it->what == 'P' ? (long)v->pid : v->tid);
		log_put_plain(l, number);
		break;
	case '\0':
		log_put_plain(l, it->text);
		break;
	default:
		if (text != NULL)
			log_put_escaped(l, text);
		break;
	}
}

bool log_format_put(struct log_out *l, const struct log_format *f, const struct log_values *v)
{
	char *field = l->p;
	bool skipping = false;

	for (const struct log_item *it = f->first; it != NULL; it = it->next) {
		char *before = l->p;
		if ((it->flags & FLAG_FIELD) != 0) {
			skipping = false;
			field = l->p;
		}
		if (skipping && it->what != 'M')
			continue;
		put_item(l, it, v);
		if (it->what == '\0' || l->p > before)
			continue;
		if ((it->flags & FLAG_REQUIRED) != 0)
			return false;
		if ((it->flags & FLAG_HYPHEN) != 0) {
			log_put_plain(l, "-");
		} else {
			l->p = field;
			skipping = true;
		}
	}
	return true;
}
