/* SPDX-License-Identifier: Apache-2.0 */
/* Whose requests a broken site file would have answered: its hosts' names and addresses, made into hosts that answer 503. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "conf/conf_keep.h"
#include "gateway/base/buf.h"

/* What may stand beside hosts: it changes nothing about other hosts. Names are looked at, too, so a misspelt one is none. */
static const char *const around[] = {"VirtualHost", "Define", "UnDefine", "Listen", "LogFormat", "NameVirtualHost"};
static const char *const conditions[] = {"IfModule", "IfDefine", "IfVersion", "IfFile"};
static const char *const kept[] = {"ServerName", "ServerAlias", "SSLEngine", "SSLCertificateFile", "SSLCertificateKeyFile",
	"SSLCertificateChainFile"};
#define NAMES_N 2 /* of `kept`: all that is left when the rest is what is broken */

struct salvage {
	struct arena scratch;
	struct buf out;
	bool bare, inside, found, impure;
	size_t others; /* sections within the host, whose content is nobody's name */
};

static bool is_one_of(const char *name, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(name, v[i]) == 0)
			return true;
	return false;
}

#define COUNT(v) (sizeof(v) / sizeof(*(v)))

bool conf_site_has(const char *name)
{
	return is_one_of(name, around, COUNT(around));
}

/* Words as they were, each in quotes. */
static void put_line(struct salvage *s, const char *before, const struct conf_line *l, const char *after)
{
	int err = buf_printf(&s->out, "%s%s", before, l->name.text);

	for (size_t i = 0; i < l->words_n && err == GW_OK; i++) {
		err = buf_append(&s->out, " \"", 2);
		for (const char *t = l->words[i].text; *t != '\0' && err == GW_OK; t++)
			err = buf_printf(&s->out, *t == '"' || *t == '\\' ? "\\%c" : "%c", *t);
		if (err == GW_OK)
			err = buf_append(&s->out, "\"", 1);
	}
	if (err < 0 || buf_printf(&s->out, "%s\n", after) < 0)
		s->impure = true; /* out of memory: nothing rather than half of it */
}

static void put_text(struct salvage *s, const char *text)
{
	if (buf_puts(&s->out, text) < 0)
		s->impure = true;
}

static void close_host(struct salvage *s)
{
	if (s->inside)
		put_text(s, "</VirtualHost>\n");
	s->inside = false;
	s->others = 0;
}

static void open_line(struct salvage *s, const struct conf_line *l)
{
	if (strcasecmp(l->name.text, "VirtualHost") == 0) {
		close_host(s); /* of one that was never closed */
		put_line(s, "<", l, ">");
		put_text(s, "SiteUnavailable On\n");
		s->inside = s->found = true;
	} else if (is_one_of(l->name.text, conditions, COUNT(conditions))) {
		if (!s->bare)
			put_line(s, "<", l, ">");
	} else if (s->inside) {
		s->others++;
	} else if (conf_directive_find(l->name.text, true) != NULL) {
		s->impure = true;
	}
}

static void close_line(struct salvage *s, const struct conf_line *l)
{
	if (strcasecmp(l->name.text, "VirtualHost") == 0)
		close_host(s);
	else if (is_one_of(l->name.text, conditions, COUNT(conditions)))
		put_line(s, s->bare ? "# " : "</", l, ">");
	else if (s->others > 0)
		s->others--;
}

static void plain_line(struct salvage *s, const struct conf_line *l)
{
	const char *name = l->name.text;

	if (s->inside) {
		if (s->others == 0 && l->words_n > 0 && is_one_of(name, kept, s->bare ? NAMES_N : COUNT(kept)))
			put_line(s, "", l, "");
	} else if (conf_site_has(name)) {
		if (!s->bare || strcasecmp(name, "Define") == 0)
			put_line(s, "", l, "");
	} else if (conf_directive_find(name, false) != NULL) {
		s->impure = true;
	}
}

char *conf_salvage(struct arena *a, const char *text, size_t len, bool bare)
{
	struct salvage s = {.bare = bare};
	struct conf_lexer lx;
	struct conf_line line;
	char *out = NULL;
	int rc;

	arena_init(&s.scratch);
	buf_init(&s.out);
	conf_lexer_init(&lx, text, len, &s.scratch);
	while ((rc = conf_lexer_next(&lx, &line)) != 0 && !s.impure) {
		if (rc == GW_ERR_NOMEM)
			s.impure = true;
		else if (rc > 0 && line.kind == CONF_LINE_OPEN)
			open_line(&s, &line);
		else if (rc > 0 && line.kind == CONF_LINE_CLOSE)
			close_line(&s, &line);
		else if (rc > 0)
			plain_line(&s, &line);
	}
	close_host(&s);
	if (s.found && !s.impure)
		out = arena_strndup(a, (const char *)buf_head(&s.out), buf_unread(&s.out));
	conf_lexer_fini(&lx);
	buf_fini(&s.out);
	arena_fini(&s.scratch);
	return out;
}
