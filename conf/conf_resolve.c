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
	conf_resolve_logs(b, m);
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
		conf_resolve_logs(b, srv);
		srv->s->dir = conf_dir_merge(b->a, m->s->dir, &srv->raw);
		b->oom = b->oom || srv->s->dir == NULL;
	}
	if (!b->oom)
		conf_tls_resolve(b);
}
