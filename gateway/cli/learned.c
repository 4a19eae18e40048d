/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: the log was written by the front; texts in it come from zygotes and cells that were learning. A call's name must
 * be one that SandboxAllow takes, or it is left out, with the reason; everything else is a comment.
 */
#include "gateway/cli/learned.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"
#include "sandbox/sb_learn.h"
#include "sandbox/sb_policy.h"

#define LINE_MAX_LEN 8192

struct call {
	char *name, *as, *script;
	enum sb_need need;
	unsigned long long count;
};

struct site {
	char *name;
	struct call *calls;
	size_t calls_n;
};

struct sites {
	struct site *v;
	size_t n;
};

/* The text from @key up to the next @end or the line's; @at moves behind it. False: no such key here. */
static bool take(const char **at, const char *key, const char *end, const char **out, size_t *len)
{
	size_t n = strlen(key);

	if (strncmp(*at, key, n) != 0)
		return false;
	*out = *at + n;
	const char *stop = end[0] == '\0' ? NULL : strstr(*out, end);
	*len = stop != NULL ? (size_t)(stop - *out) : strcspn(*out, "\n");
	*at = *out + *len + (stop != NULL ? strlen(end) : 0);
	return stop != NULL || end[0] == '\0';
}

/* After the time: "[front:warn] [pid P:tid T] site=NAME learned: "; a cell's own lines are [front:error]. */
static bool take_head(const char **at, const char **site, size_t *len)
{
	const char *skip;
	size_t n;

	return take(at, "[", "] ", &skip, &n) && take(at, "[front:warn] [pid ", "] ", &skip, &n) &&
	       take(at, "site=", " ", site, len) && *len > 0 && take(at, "learned: ", "need=", &skip, &n) && n == 0;
}

static struct site *site_of(struct sites *all, const char *name, size_t len)
{
	for (size_t i = 0; i < all->n; i++)
		if (strlen(all->v[i].name) == len && memcmp(all->v[i].name, name, len) == 0)
			return &all->v[i];
	struct site *v = reallocarray(all->v, all->n + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	all->v = v;
	v[all->n] = (struct site){.name = strndup(name, len)};
	return v[all->n].name == NULL ? NULL : &v[all->n++];
}

static int add(struct site *s, const struct call *c)
{
	for (size_t i = 0; i < s->calls_n; i++) {
		struct call *old = &s->calls[i];
		if (strcmp(old->name, c->name) != 0 || old->need != c->need)
			continue;
		if (c->count > old->count)
			old->count = c->count;
		free(c->name);
		free(c->as);
		free(c->script);
		return 0;
	}
	struct call *v = reallocarray(s->calls, s->calls_n + 1, sizeof(*v));
	if (v == NULL)
		return GW_ERR_NOMEM;
	s->calls = v;
	v[s->calls_n++] = *c;
	return 0;
}

static int read_line(struct sites *all, const char *line)
{
	const char *at = line, *site, *need, *name, *count, *as, *script;
	size_t site_len, need_len, name_len, count_len, as_len, script_len;
	struct call c = {.need = SB_NEEDS};

	if (!take_head(&at, &site, &site_len))
		return 0;
	/* take_head() has eaten the key of the first field. */
	need = at;
	need_len = strcspn(at, " \n");
	at += need_len + (at[need_len] == ' ');
	for (int i = SB_NEED_PHP; i < SB_NEEDS; i++)
		if (strlen(sb_need_words[i]) == need_len && memcmp(sb_need_words[i], need, need_len) == 0)
			c.need = (enum sb_need)i;
	if (c.need == SB_NEEDS || !take(&at, "call=", " ", &name, &name_len) || !take(&at, "count=", " ", &count, &count_len) ||
	    !take(&at, "as=", " script=", &as, &as_len))
		return 0;
	script = at;
	script_len = strcspn(at, "\n");
	c.count = strtoull(count, NULL, 10);
	c.name = strndup(name, name_len);
	c.as = strndup(as, as_len);
	c.script = strndup(script, script_len);
	struct site *s = site_of(all, site, site_len);
	if (s == NULL || c.name == NULL || c.as == NULL || c.script == NULL)
		return GW_ERR_NOMEM;
	return add(s, &c);
}

/* --- what to write ----------------------------------------------------------------------------------------------------- */

static const char *base_of(const struct site *s)
{
	const char *base = "strict";

	for (size_t i = 0; i < s->calls_n; i++) {
		const struct call *c = &s->calls[i];
		/* A program calls more than it did today. */
		if (strcmp(c->name, "execve") == 0 || strcmp(c->name, "execveat") == 0)
			return "legacy";
		if (c->need == SB_NEED_PHP)
			base = "php";
	}
	return base;
}

static const char *why_not(const char *name)
{
	return sb_call_number(name) == -2 ? "no call is named so" : sb_never(name);
}

/* Allowed by name: what the base does not have. Once each, also where two needs were seen. */
static bool by_name(const struct site *s, size_t i, bool legacy)
{
	const struct call *c = &s->calls[i];

	if (c->need == SB_NEED_PHP || (legacy && c->need == SB_NEED_LEGACY) || why_not(c->name) != NULL)
		return false;
	for (size_t j = 0; j < i; j++)
		if (strcmp(s->calls[j].name, c->name) == 0 && by_name(s, j, legacy))
			return false;
	return true;
}

static void print_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(isprint((unsigned char)*text) ? *text : '?', out);
}

static void print_site(const struct site *s, FILE *out)
{
	const char *base = base_of(s);
	bool legacy = strcmp(base, "legacy") == 0, any = false;

	fputs("# site ", out);
	print_text(out, s->name);
	fprintf(out, "\nSandboxProfile %s\n", base);
	for (size_t i = 0; i < s->calls_n; i++) {
		if (!by_name(s, i, legacy))
			continue;
		fprintf(out, "%s %s", any ? "" : "SandboxAllow", s->calls[i].name);
		any = true;
	}
	fputs(any ? "\n" : "", out);
	for (size_t i = 0; i < s->calls_n; i++) {
		const struct call *c = &s->calls[i];
		const char *no = why_not(c->name);
		fprintf(out, "#   %-7s at least %llu times: ", sb_need_words[c->need], c->count);
		print_text(out, no != NULL ? c->name : c->as);
		fputs(" in ", out);
		print_text(out, c->script);
		fprintf(out, "%s%s\n", no != NULL ? "; cannot be allowed: " : "", no != NULL ? no : "");
	}
}

int learned_print(FILE *in, FILE *out)
{
	struct sites all = {0};
	char line[LINE_MAX_LEN];
	int err = 0;

	while (err == 0 && fgets(line, sizeof(line), in) != NULL)
		err = read_line(&all, line);
	if (err == 0 && ferror(in))
		err = GW_ERR_SYS;
	for (size_t i = 0; i < all.n; i++) {
		if (err == 0)
			print_site(&all.v[i], out);
		for (size_t k = 0; k < all.v[i].calls_n; k++) {
			free(all.v[i].calls[k].name);
			free(all.v[i].calls[k].as);
			free(all.v[i].calls[k].script);
		}
		free(all.v[i].calls);
		free(all.v[i].name);
	}
	free(all.v);
	return err != 0 ? err : all.n == 0 ? GW_ERR_NOTFOUND : 0;
}
