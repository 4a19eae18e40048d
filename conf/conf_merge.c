/* SPDX-License-Identifier: Apache-2.0 */
/* What inherits from what: directory settings section by section, hosts from the main server. */
#include <string.h>

#include "conf/conf_build.h"

void conf_dir_defaults(struct conf_dir *d)
{
	static const char *const index[] = {"index.html", "index.php"};

	memset(d, 0, sizeof(*d));
	d->options = CONF_OPT_FOLLOW;
	d->granted = true;
	d->php_engine = true;
	d->limit_body = INT64_C(1) << 30; /* Apache's since 2.4.53 */
	d->index.n = sizeof(index) / sizeof(*index);
	d->index.v = (const char **)(uintptr_t)index;
	d->set = CONF_D_OPTIONS;
	conf_serving_defaults(&d->serving);
}

/* Apache's Order: the second word is what happens when neither Allow nor Deny says anything, and who wins when both do. */
static bool compat_granted(unsigned access)
{
	bool allow = (access & CONF_A_ALLOW_ALL) != 0, deny = (access & CONF_A_DENY_ALL) != 0;

	return (access & CONF_A_ALLOW_DENY) != 0 ? allow && !deny : allow || !deny;
}

static bool access_granted(const struct conf_dir *d)
{
	bool require = (d->set & CONF_D_REQUIRE) == 0 || (d->access & CONF_A_REQUIRE) != 0;
	bool compat = (d->set & CONF_D_COMPAT) == 0 || compat_granted(d->access);

	/* Satisfy Any: either is enough, but a Require that was never written is not one that holds. */
	if ((d->set & CONF_D_COMPAT) != 0 && (d->access & CONF_A_SATISFY_ANY) != 0)
		return compat || ((d->set & CONF_D_REQUIRE) != 0 && require);
	return require && compat;
}

static void merge_options(struct conf_dir *d, const struct conf_dir *over)
{
	unsigned add, remove;

	if ((over->set & CONF_D_OPTIONS) != 0) {
		d->options = over->options;
		d->set = (d->set & ~(uint32_t)CONF_D_OPTIONS_REL) | CONF_D_OPTIONS;
		return;
	}
	if ((over->set & CONF_D_OPTIONS_REL) == 0)
		return;
	add = over->options >> CONF_OPT_ADD_SHIFT & CONF_OPT_MASK;
	remove = over->options >> CONF_OPT_REMOVE_SHIFT & CONF_OPT_MASK;
	if ((d->set & CONF_D_OPTIONS) != 0) {
		d->options = (d->options & ~remove) | add;
	} else {
		unsigned had_add = d->options >> CONF_OPT_ADD_SHIFT & CONF_OPT_MASK;
		unsigned had_remove = d->options >> CONF_OPT_REMOVE_SHIFT & CONF_OPT_MASK;
		d->options = ((had_add & ~remove) | add) << CONF_OPT_ADD_SHIFT | ((had_remove & ~add) | remove) << CONF_OPT_REMOVE_SHIFT;
		d->set |= CONF_D_OPTIONS_REL;
	}
}

/* x then y as one array; shares one of them when the other is empty. False when memory is out. */
static bool concat(struct arena *a, const void *x, size_t xn, const void *y, size_t yn, size_t size, const void **out, size_t *out_n)
{
	char *v;

	*out_n = xn + yn;
	*out = yn == 0 ? x : y;
	if (xn == 0 || yn == 0)
		return true;
	if (xn + yn > SIZE_MAX / size)
		return false;
	v = arena_alloc(a, (xn + yn) * size);
	if (v == NULL)
		return false;
	memcpy(v, x, xn * size);
	memcpy(v + xn * size, y, yn * size);
	*out = v;
	return true;
}

#define CONCAT(field, first, second)                                                                                        \
	(concat(a, (first)->field, (first)->field##_n, (second)->field, (second)->field##_n, sizeof(*d->field), &joined, &n) \
		 ? (d->field = (__typeof__(d->field))(uintptr_t)joined, d->field##_n = n, true)                              \
		 : false)

struct conf_dir *conf_dir_merge(struct arena *a, const struct conf_dir *base, const struct conf_dir *over)
{
	struct conf_dir *d = arena_alloc(a, sizeof(*d));
	const void *joined;
	size_t n;

	if (d == NULL)
		return NULL;
	*d = *base;
	merge_options(d, over);
	if ((over->set & CONF_D_OVERRIDE) != 0)
		d->override = over->override;
	if ((over->set & CONF_D_REQUIRE) != 0)
		d->access = (d->access & ~(unsigned)CONF_A_REQUIRE) | (over->access & CONF_A_REQUIRE);
	if ((over->set & CONF_D_COMPAT) != 0) /* one line of the old rules replaces all inherited ones */
		d->access = (d->access & ~(unsigned)CONF_A_COMPAT) | (over->access & CONF_A_COMPAT);
	if ((over->set & CONF_D_HANDLER) != 0) {
		d->has_handler = over->has_handler;
		d->handler = over->handler;
	}
	if ((over->set & CONF_D_TYPE) != 0)
		d->force_type = over->force_type;
	if ((over->set & CONF_D_CHARSET) != 0)
		d->default_charset = over->default_charset;
	if ((over->set & CONF_D_TLS_ENV) != 0)
		d->tls_env = over->tls_env;
	if ((over->set & CONF_D_TLS_ONLY) != 0)
		d->tls_only = over->tls_only;
	if ((over->set & CONF_D_ENGINE) != 0)
		d->php_engine = over->php_engine;
	if ((over->set & CONF_D_LIMIT_BODY) != 0)
		d->limit_body = over->limit_body;
	if ((over->set & CONF_D_INDEX) != 0)
		d->index = over->index;
	d->set |= over->set & ~(uint32_t)(CONF_D_OPTIONS | CONF_D_OPTIONS_REL);
	if (!conf_serving_merge(a, &d->serving, &over->serving))
		return NULL;
	if (!CONCAT(exts, base, over) || !CONCAT(errdocs, base, over) || !CONCAT(redirects, over, base) ||
	    !CONCAT(ini, base, over) || !CONCAT(files, base, over))
		return NULL;
	d->granted = access_granted(d);
	return conf_edit_merge(a, base->edit, over->edit, &d->edit) ? d : NULL;
}

/* What FTP's active mode needs; a well-known port of the machine is never a site's to take. */
static const uint16_t any_free_port = 0;

void conf_server_defaults(struct conf_server *s)
{
	static const char *const any_sender[] = {"any"};

	s->log_level = LOG_LV_WARN;
	s->timeout_ms = 60000;
	s->read_timeout.handshake = s->read_timeout.header = (struct pace){20000, 40000, 500};
	s->read_timeout.body = (struct pace){20000, 0, 500};
	s->send_min_rate = 500;
	s->proxy_protocol = (struct conf_proxy_protocol){.mode = CONF_PROXY_OFF, .from_all = true};
	s->keepalive = true;
	s->keepalive_timeout_ms = 5000;
	s->max_keepalive_requests = 100;
	s->limit_line = 8190;
	s->limit_fields = 100;
	s->limit_field_size = 8190;
	s->limit_chunk_line = 4096;
	s->limit_chunk_ext = 65536;
	s->limit_trailers = 16384;
	s->encoded_slashes = CONF_SLASHES_OFF;
	s->merge_slashes = true;
	s->spool_max = INT64_C(2) << 30;
	s->protocols = (struct conf_protocols){CONF_PROTOCOL_HTTP1 | CONF_PROTOCOL_H2, false};
	s->dispatch = CONF_DISPATCH_PREFORK;
	s->isolation = CONF_ISOLATION_FRESH;
	s->profile = CONF_PROFILE_PHP;
	s->network = CONF_NETWORK_HOST;
	s->tcp_connect.any = true;
	s->tcp_bind = (struct conf_ports){.n = 1, .v = &any_free_port};
	s->tmp_size = INT64_C(256) << 20;
	s->start_servers = 1;
	s->min_spare = 1;
	s->max_spare = 4;
	s->max_workers = 16;
	s->request_timeout_ms = 300000;
	s->site_idle_timeout_ms = 300000;
	s->zygote_life_ms = 86400000;
	s->memory_max = s->memory_high = s->swap_max = s->processes_max = s->cpu_max = s->cpu_weight = CONF_NO_BOUND;
	s->mail_rate = (struct conf_mail_rate){100, 3600000};
	s->mail_from = (struct conf_strs){1, (const char **)(uintptr_t)any_sender};
	s->mail_max_size = 26214400;
	s->mail_timeout_ms = 30000;
}

void conf_server_inherit(struct conf_build *b, struct conf_srv *srv, const struct conf_srv *main_srv)
{
	struct conf_server *s = srv->s;
	const struct conf_server *m = main_srv->s;
	const void *joined;
	size_t n;

	for (size_t i = 0; i < conf_directives_n; i++) {
		const struct conf_directive *d = &conf_directives[i];
		if (d->target == CONF_T_SERVER && (srv->set >> d->bit & 1) == 0)
			memcpy((char *)s + d->offset, (const char *)m + d->offset, d->size);
	}
	if (s->name == NULL) {
		s->name = m->name;
		s->port = m->port;
		s->scheme = m->scheme;
	}
	conf_read_timeout_inherit(&s->read_timeout, &m->read_timeout);
	conf_remote_ip_inherit(srv, main_srv);
	/* Aliases of the host come before the main server's, settings of PHP after them. */
	if (!concat(b->a, s->path_aliases, s->path_aliases_n, m->path_aliases, m->path_aliases_n, sizeof(*s->path_aliases), &joined, &n)) {
		b->oom = true;
		return;
	}
	s->path_aliases = joined;
	s->path_aliases_n = n;
	if (!concat(b->a, m->ini, m->ini_n, s->ini, s->ini_n, sizeof(*s->ini), &joined, &n)) {
		b->oom = true;
		return;
	}
	s->ini = joined;
	s->ini_n = n;
	const void *allow, *deny;
	if (!concat(b->a, m->sandbox_allow, m->sandbox_allow_n, s->sandbox_allow, s->sandbox_allow_n, sizeof(char *), &allow, &n) ||
	    !concat(b->a, m->sandbox_deny, m->sandbox_deny_n, s->sandbox_deny, s->sandbox_deny_n, sizeof(char *), &deny, &s->sandbox_deny_n)) {
		b->oom = true;
		return;
	}
	s->sandbox_allow = allow;
	s->sandbox_allow_n = n;
	s->sandbox_deny = deny;
	if (!concat(b->a, m->sandbox_paths, m->sandbox_paths_n, s->sandbox_paths, s->sandbox_paths_n, sizeof(*s->sandbox_paths), &joined, &n)) {
		b->oom = true;
		return;
	}
	s->sandbox_paths = joined;
	s->sandbox_paths_n = n;
	if (srv->dispatch.node == NULL)
		srv->dispatch = main_srv->dispatch;
	if (srv->use_pool.node == NULL)
		srv->use_pool = main_srv->use_pool;
	if (srv->docroot.node == NULL)
		s->docroot = m->docroot;
	if (srv->error_log.node == NULL)
		s->error_log = m->error_log;
	if (srv->user.node == NULL) {
		srv->user = main_srv->user;
		srv->group = main_srv->group;
		s->ids = m->ids;
	}
}
