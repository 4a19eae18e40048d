/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/conf_build.h"
#include "conf/conf_keep.h"
#include "gateway/base/io.h"

#define TICKET_LIFE_MS (12 * 3600 * 1000)
#define ZYGOTES_MAX 256 /* ZygoteLimit and CellLimit when not given */
#define CELLS_MAX 1024

#define ROUNDS_MAX 10  /* a site file has four ways to be read; what breaks with each other change is no site file's fault */
#define ENVVARS_MAX (256u * 1024)

/* -D NAME or NAME=VALUE. */
static int add_defines(struct conf_parser *p, const struct conf_load_opts *o)
{
	for (size_t i = 0; i < o->defines_n; i++) {
		const char *eq = strchr(o->defines[i], '=');
		char *name = arena_strndup(p->a, o->defines[i], eq == NULL ? strlen(o->defines[i]) : (size_t)(eq - o->defines[i]));
		if (name == NULL || conf_vars_define(&p->vars, name, eq == NULL ? NULL : eq + 1) != GW_OK)
			return GW_ERR_NOMEM;
	}
	return GW_OK;
}

/* apachectl sources this file before it starts Apache; Debian's configuration cannot be read without it. */
static int read_envvars(struct conf_parser *p, const char *dir)
{
	char *path = arena_printf(p->a, "%s/envvars", dir), *text = NULL;
	size_t len;
	int rc = GW_OK;

	if (path == NULL)
		return GW_ERR_NOMEM;
	if (io_read_file(path, ENVVARS_MAX, &text, &len) == GW_OK)
		rc = conf_vars_read_envvars(&p->vars, text);
	free(text);
	return rc;
}

static void parse_lines(struct conf_parser *p, const char *name, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		conf_parse_text(p, name, v[i], strlen(v[i]));
}

static int set_places(struct conf *c, struct conf_parser *p, const struct conf_load_opts *o)
{
	char cwd[PATH_MAX], *dir, *slash;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		strcpy(cwd, "/");
	c->file = conf_path(&c->arena, cwd, o->file);
	if (c->file == NULL)
		return GW_ERR_NOMEM;
	dir = arena_strdup(&c->arena, c->file);
	if (dir == NULL)
		return GW_ERR_NOMEM;
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	p->server_root = o->server_root == NULL ? dir : conf_path(&c->arena, cwd, o->server_root);
	if (p->server_root == NULL)
		return GW_ERR_NOMEM;
	return read_envvars(p, dir);
}

static int build(struct conf *c, struct conf_parser *p, const struct conf_load_opts *o, struct conf_diags *diags)
{
	struct conf_build b = {.c = c, .a = &c->arena, .d = diags, .p = p, .opts = o, .where = CONF_W_MAIN};

	c->index = arena_calloc(&c->arena, 1, sizeof(*c->index));
	if (c->index == NULL)
		return GW_ERR_NOMEM;
	conf_map_init(&b.pools, b.a);
	conf_map_init(&b.log_files, b.a);
	conf_map_init(&b.log_formats, b.a);
	b.srv = conf_srv_new(&b, NULL);
	if (b.srv == NULL)
		return GW_ERR_NOMEM;
	conf_server_defaults(b.srv->s);
	/* As safe as can be had without a process for each request, where that can be had. */
	if (o->check_rollback != NULL && o->check_rollback() == NULL)
		b.srv->s->isolation = CONF_ISOLATION_ROLLBACK;
	b.dir = &b.srv->raw;
	conf_build_walk(&b, p->root.children);
	if (!b.oom)
		conf_resolve(&b);
	if (!b.oom)
		conf_check(&b);
	if (b.oom || conf_index_sections(c->index, b.a) != GW_OK || conf_index_hosts(c, b.a) != GW_OK)
		return GW_ERR_NOMEM;
	return GW_OK;
}

/* One reading of everything; NULL when there were errors, or memory is out. */
static struct conf *load_once(const struct conf_load_opts *opts, struct conf_sites *sites, struct conf_diags *diags)
{
	struct conf *c = calloc(1, sizeof(*c));
	struct conf_parser p;
	int rc;

	if (c == NULL) {
		conf_diag_add(diags, true, opts->file, 1, 1, "out of memory");
		return NULL;
	}
	arena_init(&c->arena);
	c->file_cache = (struct conf_file_cache)CONF_FILE_CACHE_DEFAULT;
	c->zygotes_max = ZYGOTES_MAX;
	c->cells_max = CELLS_MAX;
	c->spool_path = P_tmpdir;
	c->spool_max = INT64_C(8) << 30;
	c->http2_memory = INT64_C(512) << 20;
	c->spare_zygotes = 1;
	conf_clients_defaults(&c->clients);
	c->ticket_life_ms = TICKET_LIFE_MS;
	c->syslog_socket = "/dev/log";
	conf_parser_init(&p, &c->arena, diags);
	p.sites = sites;
	rc = set_places(c, &p, opts);
	if (rc == GW_OK)
		rc = add_defines(&p, opts);
	if (rc == GW_OK) {
		parse_lines(&p, "(-C)", opts->before, opts->before_n);
		conf_parse_file(&p, c->file);
		parse_lines(&p, "(-c)", opts->after, opts->after_n);
		c->server_root = p.server_root;
		if (sites != NULL)
			conf_sites_judge(sites, p.root.children);
		if (p.oom)
			rc = GW_ERR_NOMEM;
		else if (p.root.children != NULL || diags->errors == 0) /* of a file that cannot be read nothing more is to be said */
			rc = build(c, &p, opts, diags);
	}
	if (rc != GW_OK)
		conf_diag_add(diags, true, opts->file, 1, 1, "out of memory");
	conf_diags_sort(diags);
	if (diags->errors > 0) {
		if (opts->refused != NULL)
			opts->refused(c);
		conf_free(c);
		return NULL;
	}
	return c;
}

const char *conf_pid_file(const struct conf_load_opts *opts, struct arena *a)
{
	struct conf c = {.file = NULL};
	struct conf_diags d;
	struct conf_parser p;
	const char *path = NULL;

	conf_diags_init(&d);
	arena_init(&c.arena);
	conf_parser_init(&p, &c.arena, &d);
	if (set_places(&c, &p, opts) == GW_OK && add_defines(&p, opts) == GW_OK) {
		parse_lines(&p, "(-C)", opts->before, opts->before_n);
		conf_parse_file(&p, c.file);
		parse_lines(&p, "(-c)", opts->after, opts->after_n);
	}
	for (const struct conf_node *n = p.root.children; n != NULL; n = n->next)
		if (strcasecmp(n->name.text, "PidFile") == 0 && n->args_n == 1)
			path = conf_path(a, p.server_root, n->args[0].text);
	arena_fini(&c.arena);
	conf_diags_fini(&d);
	return path;
}

/* Warnings of a round that is done again are said again. */
static void add_diags(struct conf_diags *to, const struct conf_diags *from, bool warnings)
{
	for (size_t i = 0; i < from->n; i++)
		if (from->v[i].error || warnings)
			conf_diag_add(to, from->v[i].error, from->v[i].file, from->v[i].line, from->v[i].column, "%s", from->v[i].text);
	if (from->errors + from->warnings > from->n) /* past what is noted */
		to->errors += from->errors > 0;
}

struct conf *conf_load(const struct conf_load_opts *opts, struct conf_diags *diags)
{
	struct conf_keep *old = opts->keep == NULL ? NULL : *opts->keep;
	struct conf_sites sites;
	struct conf *c = NULL;
	bool again = true;

	if (opts->keep == NULL)
		return load_once(opts, NULL, diags);
	conf_sites_init(&sites, old);
	for (int i = 0; i < ROUNDS_MAX && again; i++) {
		struct conf_diags d;
		conf_diags_init(&d);
		conf_sites_round(&sites);
		c = load_once(opts, &sites, &d);
		again = c == NULL && !opts->strict && i < ROUNDS_MAX - 1 && conf_sites_blame(&sites, &d);
		add_diags(diags, &d, !again);
		conf_diags_fini(&d);
	}
	if (c != NULL) {
		struct conf_keep *now = conf_sites_keep(&sites);
		if (opts->serve)
			conf_sites_say(&sites, diags);
		if (now != NULL) {
			conf_keep_free(old);
			*opts->keep = now;
		}
	}
	conf_sites_fini(&sites);
	conf_diags_sort(diags);
	return c;
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; c->index != NULL && i < c->index->regex_n; i++)
		conf_regex_free(c->index->regex[i]);
	arena_fini(&c->arena);
	free(c);
}
