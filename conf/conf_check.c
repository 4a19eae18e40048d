/* SPDX-License-Identifier: Apache-2.0 */
/* What only the whole configuration can show: hosts without a pool, ports nobody listens on, settings that would leak. */
#include <string.h>
#include <strings.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"
#include "conf/conf_fields.h"

static void check_listen(struct conf_build *b)
{
	struct conf *c = b->c;
	bool internet = false;

	if (c->listen_n == 0) {
		for (const struct conf_node *n = b->p->root.children; n != NULL; n = n->next)
			if (strcasecmp(n->name.text, "Listen") == 0)
				return; /* what is wrong with it was said */
		conf_diag_add(b->d, true, c->file, 1, 1, "Listen is missing: nothing would be answered");
		return;
	}
	for (size_t i = 0; i < c->listen_n; i++)
		internet = internet || c->listen[i].u.sa.sa_family != AF_UNIX;
	for (size_t i = 1; i < c->servers_n && internet; i++) {
		const struct conf_server *s = c->servers[i];
		bool heard = s->addrs_n == 0;
		for (size_t j = 0; j < s->addrs_n && !heard; j++) {
			unsigned port = conf_addr_port(&s->addrs[j].u.sa);
			heard = port == 0;
			for (size_t k = 0; k < c->listen_n && !heard; k++)
				heard = conf_addr_port(&c->listen[k].u.sa) == port;
		}
		if (!heard)
			conf_warn(b, c->index->srvs[i]->node, 0, "<VirtualHost %s>: there is no Listen for its port", s->addrs[0].text);
	}
}

/* Spare counts as prefork takes them: what contradicts is made to fit. */
static void fit_cells(struct conf_server *s)
{
	if (s->start_servers > s->max_workers)
		s->start_servers = s->max_workers;
	if (s->min_spare > s->max_workers)
		s->min_spare = s->max_workers;
	if (s->max_spare <= s->min_spare)
		s->max_spare = s->min_spare + 1;
}

/* What a host itself says about cells, where it has none or they go another way: it must not be taken for protection. */
static void check_cell_words(struct conf_build *b, const struct conf_srv *srv)
{
	const struct conf_server *s = srv->s;

	if (srv->node == NULL)
		return;
	for (const struct conf_node *n = srv->node->children; n != NULL; n = n->next) {
		const char *name = n->name.text;
		bool cells_only = strncasecmp(name, "Sandbox", 7) == 0 || strcasecmp(name, "RequestIsolation") == 0 ||
				  strcasecmp(name, "MailRelay") == 0;

		if (cells_only && s->dispatch == CONF_DISPATCH_WORKER)
			conf_warn(b, n, -1, "%s has no effect with Dispatch worker: the pool's own server runs the scripts", name);
		else if (strcasecmp(name, "MailRelay") == 0 && s->profile == CONF_PROFILE_LEGACY)
			conf_warn(b, n, -1, "MailRelay has no effect with SandboxProfile legacy, under which PHP starts its sendmail_path");
	}
}

static void check_dispatch(struct conf_build *b, struct conf_srv *srv, const struct conf_srv *m)
{
	struct conf_server *s = srv->s;
	bool own_pool = srv->use_pool.node != NULL && (srv == m || srv->use_pool.node != m->use_pool.node);
	bool explicit_worker = srv->dispatch.node != NULL;
	bool is_only_base = srv == m && b->c->servers_n > 1;

	fit_cells(s);
	/* What a filter denies to all need not be put back; without one, nobody can say what a request has changed. */
	if (s->isolation == CONF_ISOLATION_ROLLBACK && (s->sandbox_off & CONF_LAYER_FILTER) != 0)
		s->isolation = CONF_ISOLATION_FRESH;
	if (s->dispatch == CONF_DISPATCH_PREFORK) {
		if (own_pool && !is_only_base)
			conf_warn(b, srv->use_pool.node, -1, "UsePool has no effect with Dispatch prefork: add Dispatch worker");
		return;
	}
	/* What main says for hosts that all override it is no mistake. */
	if (s->pool != NULL || srv->use_pool.node != NULL || srv->proxy_handler || m->proxy_handler || is_only_base)
		return;
	if (explicit_worker)
		conf_error(b, srv->node != NULL ? srv->node : srv->dispatch.node, -1,
			   "%s: Dispatch worker without a pool: add UsePool and a <FastCGIPool>", s->name);
	else if (srv->php_handler || m->php_handler)
		conf_diag_add(b->d, true, s->file, s->line, 1,
			      "%s: the MPM named by LoadModule makes Dispatch worker the default, and PHP has no pool: add UsePool, or Dispatch prefork",
			      s->name);
}

static bool path_within(const char *path, const char *root)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	return strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 0);
}

/* php-fpm keeps a value it was sent for the requests that follow, whoever sends those. */
static void say_ini(struct conf_build *b, const struct conf_node *n, const struct conf_server *s, const char *what)
{
	conf_error(b, n, -1,
		   "%s: with Dispatch worker (%s, line %u of %s) PHP settings stand only in the <VirtualHost>, and only when its pool serves no other host%s: php-fpm keeps such values for later requests",
		   n->name.text, s->name, s->line, s->file, what);
}

/* Whether files of @s can lie in the directory of @sec; anything but a plain <Directory> may hold for every host. */
static bool concerns(const struct conf_section *sec, const struct conf_server *s)
{
	if (sec->kind != CONF_S_DIR || sec->re != NULL || sec->wild)
		return true;
	if (path_within(sec->pattern, s->docroot) || path_within(s->docroot, sec->pattern))
		return true;
	for (size_t i = 0; i < s->path_aliases_n; i++) {
		if (path_within(sec->pattern, s->path_aliases[i].path) || path_within(s->path_aliases[i].path, sec->pattern))
			return true;
	}
	return false;
}

/* @own: sections of the host itself, which always concern it. */
static void check_ini_sections(struct conf_build *b, const struct conf_section *const *v, size_t n, const struct conf_server *s, bool own)
{
	for (size_t i = 0; i < n; i++) {
		if (!own && !concerns(v[i], s))
			continue;
		if (v[i]->ini_node != NULL)
			say_ini(b, v[i]->ini_node, s, "");
		check_ini_sections(b, v[i]->dir.files, v[i]->dir.files_n, s, true);
	}
}

static void check_ini(struct conf_build *b, struct conf_srv *srv, const struct conf_srv *m, const unsigned *users)
{
	struct conf_server *s = srv->s;

	if (s->dispatch != CONF_DISPATCH_WORKER || (srv == m && b->c->servers_n > 1))
		return;
	if (srv != m) {
		check_ini_sections(b, (const struct conf_section *const *)m->sections, m->sections_n, s, false);
		check_ini_sections(b, m->raw.files, m->raw.files_n, s, true);
	}
	check_ini_sections(b, (const struct conf_section *const *)srv->sections, srv->sections_n, s, true);
	check_ini_sections(b, srv->raw.files, srv->raw.files_n, s, true);
	if (s->ini_n == 0)
		return;
	if (s->pool == NULL || users[s->pool->index] != 1)
		say_ini(b, srv->ini_node != NULL ? srv->ini_node : m->ini_node, s, s->pool == NULL ? " (it has none)" : " (it serves others)");
}

static void mark_pool(const struct conf_dir *d, unsigned *users)
{
	if (d->has_handler && d->handler.kind == CONF_HANDLER_POOL)
		users[d->handler.pool->index] += 2; /* by URL or file: nobody can say for which hosts */
	for (size_t i = 0; i < d->exts_n; i++) {
		if (d->exts[i].has_handler && d->exts[i].handler.kind == CONF_HANDLER_POOL)
			users[d->exts[i].handler.pool->index] += 2;
	}
	for (size_t i = 0; i < d->files_n; i++)
		mark_pool(&d->files[i]->dir, users);
}

void conf_check(struct conf_build *b)
{
	struct conf_index *ix = b->c->index;
	struct conf_srv *m = ix->srvs[0];
	unsigned *users = arena_calloc(b->a, b->c->pools_n + 1, sizeof(*users));

	if (users == NULL) {
		b->oom = true;
		return;
	}
	check_listen(b);
	conf_tls_check(b);
	for (size_t i = ix->srvs_n > 1 ? 1 : 0; i < ix->srvs_n; i++) {
		const struct conf_server *s = ix->srvs[i]->s;
		if (s->dispatch == CONF_DISPATCH_WORKER && s->pool != NULL)
			users[s->pool->index]++;
	}
	for (size_t i = 0; i < ix->srvs_n; i++) {
		mark_pool(&ix->srvs[i]->raw, users);
		for (size_t j = 0; j < ix->srvs[i]->sections_n; j++)
			mark_pool(&ix->srvs[i]->sections[j]->dir, users);
	}
	for (size_t i = 0; i < ix->srvs_n; i++) {
		check_dispatch(b, ix->srvs[i], m);
		check_cell_words(b, ix->srvs[i]);
		conf_remote_ip_check(b, ix->srvs[i]);
		check_ini(b, ix->srvs[i], m, users);
	}
}
