/* SPDX-License-Identifier: Apache-2.0 */
/* What the logs of hosts are: files, programs, syslog, and in which formats. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_build.h"

/*
 * Words of a command as Apache's apr_tokenize_to_argv takes them: blanks part them, quotes of either kind hold them together, a
 * backslash takes the next octet as it is. @text is written to. NULL when memory is out.
 */
static const char **conf_split_command(struct arena *a, char *text, size_t *n)
{
	const char **v = NULL;
	char *in = text, *out;

	for (*n = 0;; ++*n) {
		in += strspn(in, " \t");
		const char **grown = conf_push(a, v, *n, sizeof(*v));
		if (grown == NULL)
			return NULL;
		v = grown;
		v[*n] = NULL;
		if (*in == '\0')
			return v;
		v[*n] = out = in;
		for (char quote = '\0'; *in != '\0' && (quote != '\0' || (*in != ' ' && *in != '\t')); in++) {
			if (*in == '\\' && in[1] != '\0')
				*out++ = *++in;
			else if (quote != '\0' ? *in == quote : *in == '"' || *in == '\'')
				quote = quote != '\0' ? '\0' : *in;
			else
				*out++ = *in;
		}
		in += *in != '\0';
		*out = '\0';
	}
}

/* "|program arguments", "||program arguments" and, through a shell, "|$command": as in Apache 2.4. */
static bool read_pipe(struct conf_build *b, const struct conf_ref *r, struct conf_log_file *f)
{
	const char *text = r->text + 1;
	const char **argv = NULL;
	size_t n = 0;

	if (*text == '$') {
		argv = arena_calloc(b->a, 4, sizeof(*argv));
		if (argv != NULL) {
			argv[0] = "/bin/sh";
			argv[1] = "-c";
			argv[2] = text + 1 + strspn(text + 1, " \t");
		}
		n = 3;
	} else {
		char *words = conf_dup(b, text + (*text == '|'));
		argv = words == NULL ? NULL : conf_split_command(b->a, words, &n);
	}
	if (argv == NULL) {
		b->oom = true;
		return false;
	}
	if (n == 0) {
		conf_error(b, r->node, r->arg, "%s: there is no program behind the |", r->node->name.text);
		return false;
	}
	argv[0] = conf_build_path(b, argv[0]);
	f->argv = argv;
	struct stat st;
	if (argv[0] == NULL)
		return false;
	if (stat(argv[0], &st) == 0 && S_ISREG(st.st_mode) && access(argv[0], X_OK) == 0)
		return true;
	conf_error(b, r->node, r->arg, "%s: %s: %s", r->node->name.text, argv[0], access(argv[0], F_OK) == 0 ? "it is no program" : strerror(errno));
	return false;
}

/* syslog(3)'s facilities by number; "" is one that has no name. */
static const char *const facilities[] = {"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
#define FACILITY_LOCAL7 23 /* Apache's, when none is named */

/* "syslog", "syslog:facility", "syslog:facility:ident", "syslog::ident"; "journald" is the journal's ear at the same place. */
static bool read_syslog(struct conf_build *b, const struct conf_ref *r, struct conf_log_file *f)
{
	const char *name = strchr(r->text, ':'), *ident = name == NULL ? NULL : strchr(name + 1, ':');
	size_t len = name == NULL ? 0 : ident == NULL ? strlen(name + 1) : (size_t)(ident - name - 1);
	struct conf_suggest s;
	char more[128];

	f->facility = FACILITY_LOCAL7;
	f->ident = ident != NULL && ident[1] != '\0' ? ident + 1 : "bulkhead";
	if (strlen(f->ident) > 48 || strpbrk(f->ident, " \t:[]") != NULL) {
		conf_error(b, r->node, r->arg, "%s: '%s' is no name for syslog: at most 48 octets without blanks, colons and brackets",
			r->node->name.text, f->ident);
		return false;
	}
	if (len == 0)
		return true;
	char *word = arena_strndup(b->a, name + 1, len);
	if (word == NULL) {
		b->oom = true;
		return false;
	}
	conf_suggest_init(&s, word);
	for (size_t i = 0; i < sizeof(facilities) / sizeof(*facilities); i++) {
		if (strcasecmp(word, facilities[i]) == 0) {
			f->facility = (int)i;
			return true;
		}
		if (facilities[i][0] != '\0')
			conf_suggest_try(&s, facilities[i]);
	}
	conf_error(b, r->node, r->arg, "%s: syslog has no facility '%s'%s", r->node->name.text, word, conf_suggest_text(&s, more, sizeof(more)));
	return false;
}

static enum conf_log_kind kind_of(const char *text)
{
	if (text[0] == '|')
		return CONF_LOG_PIPE;
	if (strcasecmp(text, "syslog") == 0 || strncasecmp(text, "syslog:", 7) == 0 || strcasecmp(text, "journald") == 0)
		return CONF_LOG_SYSLOG;
	return CONF_LOG_FILE;
}

const struct conf_log_file *conf_log_file_get(struct conf_build *b, const struct conf_ref *r)
{
	enum conf_log_kind kind = kind_of(r->text);
	const char *path = kind == CONF_LOG_FILE ? conf_build_path(b, r->text) : r->text;
	struct conf_log_file *f = path == NULL ? NULL : conf_map_get(&b->log_files, 0, path, strlen(path));
	const struct conf_log_file **slot;

	if (f != NULL || path == NULL)
		return f;
	f = arena_calloc(b->a, 1, sizeof(*f));
	if (f == NULL) {
		b->oom = true;
		return NULL;
	}
	f->path = path;
	f->kind = kind;
	if ((kind == CONF_LOG_PIPE && !read_pipe(b, r, f)) || (kind == CONF_LOG_SYSLOG && !read_syslog(b, r, f)))
		return NULL;
	slot = conf_append(b, b->c->log_files, b->c->log_files_n);
	if (slot == NULL || conf_map_put(&b->log_files, 0, path, strlen(path), f) != GW_OK) {
		b->oom = true;
		return NULL;
	}
	f->index = b->c->log_files_n - 1;
	*slot = f;
	if (kind == CONF_LOG_FILE && conf_build_dir_missing(b, path))
		conf_warn(b, r->node, r->arg, "%s %s: its directory does not exist: the server will not start like this", r->node->name.text, path);
	return f;
}

static size_t log_format(struct conf_build *b, const char *text)
{
	size_t *index = conf_map_get(&b->log_formats, 0, text, strlen(text));
	const char **slot;

	if (index != NULL)
		return *index;
	index = arena_alloc(b->a, sizeof(*index));
	slot = conf_append(b, b->c->log_formats, b->c->log_formats_n);
	if (index == NULL || slot == NULL || conf_map_put(&b->log_formats, 0, text, strlen(text), index) != GW_OK) {
		b->oom = true;
		return 0;
	}
	*index = b->c->log_formats_n - 1;
	*slot = text;
	return *index;
}

static const struct conf_nick known_nicks[] = {
	{"common", "%h %l %u %t \"%r\" %>s %b"},
	{"json", "json: time=%{%Y-%m-%dT%H:%M:%S%z}t host=%v client=%a user=%u method=%m path=%U query=%q protocol=%H status=%>s "
		"bytes=%B in=%I out=%O us=%D state=%X referer=%{Referer}i agent=%{User-Agent}i"},
	{"combined", "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""},
};

static const char *find_nick(const struct conf_nick *v, size_t n, const char *nick)
{
	while (n-- > 0) {
		if (strcmp(v[n].nick, nick) == 0)
			return v[n].format;
	}
	return NULL;
}

/* The format behind CustomLog's second word: text, or a nickname of the host, of the main server, or a known one. */
static const char *resolve_format(struct conf_build *b, const struct conf_srv *srv, const struct conf_ref *r)
{
	const struct conf_srv *main_srv = b->c->index->srvs[0];
	const char *f;
	struct conf_suggest s;
	char more[128];

	if (r->node == NULL) {
		f = srv->default_format != NULL ? srv->default_format : main_srv->default_format;
		return f != NULL ? f : known_nicks[0].format;
	}
	if (strpbrk(r->text, "% ") != NULL)
		return r->text;
	f = find_nick(srv->nicks, srv->nicks_n, r->text);
	if (f == NULL)
		f = find_nick(main_srv->nicks, main_srv->nicks_n, r->text);
	if (f == NULL)
		f = find_nick(known_nicks, sizeof(known_nicks) / sizeof(*known_nicks), r->text);
	if (f != NULL)
		return f;
	conf_suggest_init(&s, r->text);
	for (size_t i = 0; i < main_srv->nicks_n; i++)
		conf_suggest_try(&s, main_srv->nicks[i].nick);
	for (size_t i = 0; i < sizeof(known_nicks) / sizeof(*known_nicks); i++)
		conf_suggest_try(&s, known_nicks[i].nick);
	conf_error(b, r->node, r->arg, "%s: no LogFormat is named '%s'%s", r->node->name.text, r->text,
		   conf_suggest_text(&s, more, sizeof(more)));
	return NULL;
}

/* A format given in CustomLog itself was not seen by LogFormat's check. */
static bool inline_format_ok(struct conf_build *b, const struct conf_ref *r)
{
	const char *why;
	size_t at = 0;

	if (r->node == NULL || strpbrk(r->text, "% ") == NULL || b->opts->check_format == NULL)
		return true;
	why = b->opts->check_format(r->text, &at);
	if (why != NULL)
		conf_error(b, r->node, r->arg, "%s: %s at \"%.24s\"", r->node->name.text, why, r->text + at);
	return why == NULL;
}

void conf_resolve_logs(struct conf_build *b, struct conf_srv *srv)
{
	struct conf_server *s = srv->s;
	const struct conf_server *m = b->c->servers[0];
	struct conf_custom_log *v;

	if (srv->error_log.node != NULL)
		s->error_log = conf_log_file_get(b, &srv->error_log);
	if (srv->logs_n == 0) {
		s->custom_logs = m->custom_logs;
		s->custom_logs_n = m->custom_logs_n;
		return;
	}
	v = arena_calloc(b->a, srv->logs_n, sizeof(*v));
	if (v == NULL) {
		b->oom = true;
		return;
	}
	s->custom_logs_n = 0;
	for (size_t i = 0; i < srv->logs_n; i++) {
		const char *format = resolve_format(b, srv, &srv->logs[i].format);
		if (format == NULL || !inline_format_ok(b, &srv->logs[i].format))
			continue;
		const struct conf_log_file *f = conf_log_file_get(b, &srv->logs[i].path);
		if (f != NULL)
			v[s->custom_logs_n++] = (struct conf_custom_log){.file = f, .format = format, .format_index = log_format(b, format),
				.env = srv->logs[i].env, .env_not = srv->logs[i].env_not, .expr = srv->logs[i].expr};
	}
	s->custom_logs = v;
}

