/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that was named is looked up: users, pools, log files, formats, types; hosts get what they inherit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_build.h"
#include "conf/conf_fields.h"
#include "gateway/base/io.h"

#define TYPES_DEFAULT "/etc/mime.types"
#define TYPES_MAX (8u * 1024 * 1024)

/* --- users ------------------------------------------------------------------------------------------------------------- */

/* Look up a pair of names. False after saying why not. */
static bool resolve_ids(struct conf_build *b, const struct conf_ref *user, const struct conf_ref *group, struct conf_ids *ids)
{
	bool bad_group;
	const char *why = conf_users_resolve(&b->users, user->text, group->text, ids, &bad_group);
	const struct conf_ref *bad = bad_group && group->node != NULL ? group : user;
	struct conf_suggest s;
	char more[128];

	if (why == NULL)
		return true;
	conf_suggest_init(&s, bad->text);
	if (bad->text[0] != '#')
		conf_users_suggest(&s, bad_group);
	conf_error(b, bad->node, bad->arg, "%s: '%s': %s%s", bad->node->name.text, bad->text, why,
		   conf_suggest_text(&s, more, sizeof(more)));
	return false;
}

static void resolve_front(struct conf_build *b)
{
	struct conf *c = b->c;

	if (!b->opts->need_root) {
		b->oom = b->oom || conf_users_self(b->a, &c->front) != GW_OK;
		return;
	}
	if (b->user.node == NULL) {
		conf_diag_add(b->d, true, c->file, 1, 1, "User is missing: the front must not run as root");
		return;
	}
	if (resolve_ids(b, &b->user, &b->group, &c->front) && c->front.uid == 0)
		conf_error(b, b->user.node, 0, "User: the front must not run as root");
}

/* A user of its own where there is one: then not even a signal from the front reaches it. */
static void resolve_mail_user(struct conf_build *b)
{
	static const char usual[] = "bulkhead-mail";
	const struct conf_ref none = {.text = NULL};
	struct conf_ids *ids = &b->c->mail;
	bool bad_group;

	*ids = b->c->front;
	if (!b->opts->need_root)
		return;
	if (b->mail_user.node == NULL) {
		if (conf_users_resolve(&b->users, usual, NULL, ids, &bad_group) != NULL || ids->uid == 0)
			*ids = b->c->front;
	} else if (resolve_ids(b, &b->mail_user, &none, ids) && (ids->uid == 0 || ids->gid == 0)) {
		conf_error(b, b->mail_user.node, 0, "MailUser: mail is not handled as root");
	}
}

/* The user of a host that names one; others take the main server's, or the front's. */
static void resolve_site_user(struct conf_build *b, struct conf_srv *srv)
{
	struct conf_ids *ids = &srv->s->ids;

	if (srv->user.node == NULL || !b->opts->need_root) {
		*ids = b->c->front;
		if (srv->user.node == NULL)
			return;
		/* An ordinary user cannot become another: say so once for each such site. */
		if (strcmp(srv->user.text, ids->user == NULL ? "" : ids->user) != 0)
			conf_warn(b, srv->user.node, 0, "%s: without root every site runs as %s: no user of its own isolates it from other sites",
				  srv->user.node->name.text, ids->user == NULL ? "this user" : ids->user);
		return;
	}
	if (!resolve_ids(b, &srv->user, &srv->group, ids))
		return;
	if (ids->uid == 0)
		conf_error(b, srv->user.node, 0, "%s: Dispatch prefork as root is refused", srv->user.node->name.text);
	else if (ids->gid == 0)
		conf_error(b, srv->group.node, 1, "%s: Dispatch prefork with root's group is refused", srv->user.node->name.text);
}

/* --- pools ------------------------------------------------------------------------------------------------------------- */

static void resolve_pool(struct conf_build *b, struct conf_srv *srv)
{
	const struct conf_ref *r = &srv->use_pool;
	struct conf_suggest s;
	char more[128];

	if (r->node == NULL)
		return;
	srv->s->pool = conf_map_get(&b->pools, 0, r->text, strlen(r->text));
	if (srv->s->pool != NULL)
		return;
	conf_suggest_init(&s, r->text);
	for (size_t i = 0; i < b->c->pools_n; i++) {
		if (strncmp(b->c->pools[i]->name, "proxy:", 6) != 0)
			conf_suggest_try(&s, b->c->pools[i]->name);
	}
	conf_error(b, r->node, r->arg, "UsePool: there is no <FastCGIPool %s>%s", r->text, conf_suggest_text(&s, more, sizeof(more)));
}

/* --- logs -------------------------------------------------------------------------------------------------------------- */

static const struct conf_log_file *log_file(struct conf_build *b, const struct conf_ref *r)
{
	const char *path = conf_build_path(b, r->text);
	struct conf_log_file *f = path == NULL ? NULL : conf_map_get(&b->log_files, 0, path, strlen(path));
	const struct conf_log_file **slot;

	if (f != NULL || path == NULL)
		return f;
	f = arena_alloc(b->a, sizeof(*f));
	slot = conf_append(b, b->c->log_files, b->c->log_files_n);
	if (f == NULL || slot == NULL || conf_map_put(&b->log_files, 0, path, strlen(path), f) != GW_OK) {
		b->oom = true;
		return NULL;
	}
	*f = (struct conf_log_file){.path = path, .index = b->c->log_files_n - 1};
	*slot = f;
	if (conf_build_dir_missing(b, path))
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

static void resolve_logs(struct conf_build *b, struct conf_srv *srv)
{
	struct conf_server *s = srv->s;
	const struct conf_server *m = b->c->servers[0];
	struct conf_custom_log *v;

	if (srv->error_log.node != NULL)
		s->error_log = log_file(b, &srv->error_log);
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
		v[s->custom_logs_n++] = (struct conf_custom_log){
			.file = log_file(b, &srv->logs[i].path), .format = format, .format_index = log_format(b, format)};
	}
	s->custom_logs = v;
}

/* --- the rest ---------------------------------------------------------------------------------------------------------- */

static void resolve_docroot(struct conf_build *b, struct conf_srv *srv)
{
	const struct conf_ref *r = &srv->docroot;
	struct stat st;

	if (r->node == NULL)
		return;
	srv->s->docroot = conf_build_path(b, r->text);
	if (srv->s->docroot == NULL)
		return;
	if (stat(srv->s->docroot, &st) != 0)
		conf_warn(b, r->node, r->arg, "DocumentRoot %s: %s", srv->s->docroot, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		conf_error(b, r->node, r->arg, "DocumentRoot %s is not a directory", srv->s->docroot);
}

static void resolve_types(struct conf_build *b)
{
	struct conf *c = b->c;
	char *text = NULL;
	size_t len;
	int rc;

	c->types = conf_types_new(b->a);
	if (c->types == NULL) {
		b->oom = true;
		return;
	}
	if (c->types_config == NULL)
		c->types_config = TYPES_DEFAULT;
	rc = io_read_file(c->types_config, TYPES_MAX, &text, &len);
	if (rc == GW_OK)
		b->oom = b->oom || conf_types_read(c->types, b->a, text) != GW_OK;
	else if (b->types.node != NULL)
		conf_error(b, b->types.node, 0, "TypesConfig %s: %s", c->types_config, rc == GW_ERR_SYS ? strerror(errno) : gw_strerror(rc));
	free(text);
}

static void resolve_main(struct conf_build *b, struct conf_srv *m)
{
	struct conf_server *s = m->s;
	struct conf_dir base;
	char host[256];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (s->name == NULL && gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		s->name = conf_lower(b->a, host);
	}
	if (s->name == NULL)
		s->name = "localhost";
	/* PHP needs processors too: more loops than that only pass work to and fro between them. */
	if (b->c->loops == 0)
		b->c->loops = cpus < 2 ? 1 : cpus > 512 ? 256 : (unsigned)(cpus + 1) / 2;
	if ((m->set >> CONF_F_dispatch & 1) == 0 && conf_modules_threaded(&b->p->vars))
		s->dispatch = CONF_DISPATCH_WORKER;
	resolve_front(b);
	resolve_mail_user(b);
	resolve_docroot(b, m);
	if (s->docroot == NULL)
		s->docroot = conf_build_path(b, "htdocs");
	resolve_site_user(b, m);
	resolve_pool(b, m);
	resolve_logs(b, m);
	conf_dir_defaults(&base);
	s->dir = conf_dir_merge(b->a, &base, &m->raw);
	b->oom = b->oom || s->dir == NULL;
}

void conf_resolve(struct conf_build *b)
{
	struct conf_index *ix = b->c->index;
	struct conf_srv *m = ix->srvs[0];

	conf_users_init(&b->users, b->a);
	resolve_main(b, m);
	resolve_types(b);
	for (size_t i = 1; i < ix->srvs_n && !b->oom; i++) {
		struct conf_srv *srv = ix->srvs[i];
		bool own_user = srv->user.node != NULL, own_pool = srv->use_pool.node != NULL;
		srv->s->pool = m->s->pool;
		if (own_user)
			resolve_site_user(b, srv);
		if (own_pool)
			resolve_pool(b, srv);
		resolve_docroot(b, srv);
		conf_server_inherit(b, srv, m);
		resolve_logs(b, srv);
		srv->s->dir = conf_dir_merge(b->a, m->s->dir, &srv->raw);
		b->oom = b->oom || srv->s->dir == NULL;
	}
	if (!b->oom)
		conf_tls_resolve(b);
}
