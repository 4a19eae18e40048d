/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of who answers PHP: dispatch, the site's user, pools, php_value and its kin. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"

#define CALLS_END 1024 /* above any system call number */

void conf_set_dispatch(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	size_t errors = b->d->errors;

	conf_set_word(b, n, d);
	if (b->d->errors == errors)
		b->srv->dispatch = (struct conf_ref){n, 0, n->args[0].text};
}

void conf_set_isolation(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *missing = NULL;

	conf_set_word(b, n, d);
	if (b->srv->s->isolation == CONF_ISOLATION_ROLLBACK && b->opts->check_rollback != NULL)
		missing = b->opts->check_rollback();
	if (missing == NULL)
		return;
	conf_warn(b, n, 0, "RequestIsolation rollback: %s: requests are isolated by fresh processes instead", missing);
	b->srv->s->isolation = CONF_ISOLATION_FRESH;
}

static void call_unknown(struct conf_build *b, const struct conf_node *n, size_t i)
{
	struct conf_suggest s;
	char more[80] = "";

	conf_suggest_init(&s, n->args[i].text);
	for (int nr = 0; nr < CALLS_END && b->opts->call_name != NULL; nr++) {
		const char *name = b->opts->call_name(nr);
		if (name != NULL)
			conf_suggest_try(&s, arena_strdup(b->a, name));
	}
	conf_error(b, n, (int)i, "%s: '%s' is not the name of a system call%s", n->name.text, n->args[i].text,
		conf_suggest_text(&s, more, sizeof(more)));
}

/* SandboxAllow (lo 1) and SandboxDeny (lo 0); lines add up. */
void conf_set_calls(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_server *srv = b->srv->s;
	bool allow = d->lo != 0;
	const char *const **list = allow ? &srv->sandbox_allow : &srv->sandbox_deny;
	size_t *count = allow ? &srv->sandbox_allow_n : &srv->sandbox_deny_n;

	for (size_t i = 0; i < n->args_n; i++) {
		const char *name = n->args[i].text;
		const char *why = b->opts->check_call == NULL ? NULL : b->opts->check_call(name, allow);
		if (why != NULL && why[0] == '\0') {
			call_unknown(b, n, i);
			continue;
		}
		if (why != NULL) {
			conf_error(b, n, (int)i, "%s: %s cannot be %s: %s", n->name.text, name, allow ? "allowed" : "denied", why);
			continue;
		}
		const char **v = conf_push(b->a, *list, *count, sizeof(*v));
		if (v == NULL) {
			b->oom = true;
			return;
		}
		v[(*count)++] = name;
		*list = v;
	}
}

void conf_set_php_version(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *missing = b->opts->check_php == NULL ? NULL : b->opts->check_php(n->args[0].text);

	/* No error: other sites need not stand still because a package of one PHP is gone. */
	if (missing != NULL)
		conf_warn(b, n, 0, "PHPVersion %s: there is no %s: scripts are answered with 503", n->args[0].text, missing);
	conf_set_text(b, n, d);
}

void conf_set_site_user(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->srv->user = (struct conf_ref){n, 0, n->args[0].text};
	b->srv->group = (struct conf_ref){n, 1, n->args[1].text};
}

void conf_set_use_pool(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->srv->use_pool = (struct conf_ref){n, 0, n->args[0].text};
}

/* --- php_value and its kin ------------------------------------------------------------------------------------------- */

static bool ini_name_ok(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	}
	return n > 0 && n < 128;
}

static void ini_add(struct conf_build *b, const struct conf_node *n, const char *value, bool admin)
{
	const struct conf_ini **list = b->section != NULL ? &b->dir->ini : &b->srv->s->ini;
	size_t *count = b->section != NULL ? &b->dir->ini_n : &b->srv->s->ini_n;
	struct conf_ini *v = conf_push(b->a, *list, *count, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	v[(*count)++] = (struct conf_ini){.name = n->args[0].text, .value = value, .admin = admin};
	*list = v;
	if (b->section != NULL && b->section->ini_node == NULL)
		b->section->ini_node = n;
	if (b->section == NULL && b->srv->ini_node == NULL)
		b->srv->ini_node = n;
}

void conf_set_ini(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *value = n->args[1].text;

	if (!ini_name_ok(n->args[0].text))
		conf_error(b, n, 0, "%s: '%s' is not the name of a PHP setting", n->name.text, n->args[0].text);
	else
		ini_add(b, n, strcasecmp(value, "none") == 0 ? "" : value, d->lo != 0);
}

void conf_set_ini_flag(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const char *const yes[] = {"on", "1", "true", "yes"}, *const no[] = {"off", "0", "false", "no"};
	int value = -1;

	for (size_t i = 0; i < 4; i++) {
		if (strcasecmp(n->args[1].text, yes[i]) == 0)
			value = 1;
		if (strcasecmp(n->args[1].text, no[i]) == 0)
			value = 0;
	}
	if (value < 0) {
		conf_error(b, n, 1, "%s: '%s' is neither On nor Off", n->name.text, n->args[1].text);
	} else if (!ini_name_ok(n->args[0].text)) {
		conf_error(b, n, 0, "%s: '%s' is not the name of a PHP setting", n->name.text, n->args[0].text);
	} else if (strcmp(n->args[0].text, "engine") == 0) {
		b->dir->php_engine = value == 1;
		b->dir->set |= CONF_D_ENGINE;
	} else {
		ini_add(b, n, value == 1 ? "1" : "0", d->lo != 0);
	}
}

/* --- pools ----------------------------------------------------------------------------------------------------------- */

/* A pool with default policy, in no list yet. */
static struct conf_pool *pool_new(struct conf_build *b, const char *name)
{
	struct conf_pool *p = arena_calloc(b->a, 1, sizeof(*p));

	if (p == NULL || name == NULL) {
		b->oom = true;
		return NULL;
	}
	p->name = name;
	/* A kept connection occupies one php-fpm child: few, and not for long. */
	p->max_idle = 2;
	p->idle_timeout_ms = 2000;
	p->connect_timeout_ms = 5000;
	p->fail_timeout_ms = 1000;
	p->queue_timeout_ms = 30000;
	return p;
}

static bool pool_register(struct conf_build *b, struct conf_pool *p, uint32_t tag)
{
	const struct conf_pool **slot = conf_append(b, b->c->pools, b->c->pools_n);

	if (slot == NULL || conf_map_put(&b->pools, tag, p->name, strlen(p->name), p) != GW_OK) {
		b->oom = true;
		return false;
	}
	p->index = b->c->pools_n - 1;
	*slot = p;
	return true;
}

void conf_set_pool(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *name = n->args[0].text;
	struct conf_pool *p;

	(void)d;
	if (name[0] == '\0' || strncmp(name, "proxy:", 6) == 0) {
		conf_error(b, n, 0, "<FastCGIPool>: '%s' cannot be a pool's name", name);
		return;
	}
	p = pool_new(b, name);
	if (p == NULL)
		return;
	if (conf_map_get(&b->pools, 0, name, strlen(name)) != NULL)
		conf_error(b, n, 0, "<FastCGIPool>: there is already a pool named %s", name);
	else if (!pool_register(b, p, 0))
		return;
	conf_build_inside(b, n, CONF_W_POOL, b->srv, NULL, p);
	bool main_member = false, named = false;
	for (size_t i = 0; i < p->members_n; i++)
		main_member = main_member || !p->members[i].backup;
	/* A Server line with an error has its own message. */
	for (const struct conf_node *c = n->children; c != NULL; c = c->next)
		named = named || strcasecmp(c->name.text, "Server") == 0;
	if (p->members_n == 0 && !named)
		conf_error(b, n, -1, "<FastCGIPool %s> has no member: add Server unix:/path or Server host:port", name);
	else if (p->members_n > 0 && !main_member)
		conf_error(b, n, -1, "<FastCGIPool %s> has only backup members", name);
}

static struct conf_pool_member *member_add(struct conf_build *b, struct conf_pool *p, const struct conf_addr *addr)
{
	struct conf_pool_member *v = conf_push(b->a, p->members, p->members_n, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return NULL;
	}
	p->members = v;
	v += p->members_n++;
	*v = (struct conf_pool_member){.addr = *addr, .weight = 1};
	return v;
}

void conf_set_pool_server(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_addr addr;
	const char *text = n->args[0].text, *why;
	struct conf_pool_member *m;

	(void)d;
	if (strncmp(text, "tcp:", 4) == 0)
		text += 4;
	why = conf_addr_parse(b->a, text, CONF_ADDR_UNIX | CONF_ADDR_NAME, &addr);
	if (why != NULL) {
		conf_error(b, n, 0, "Server: '%s': %s", text, why);
		return;
	}
	m = member_add(b, b->pool, &addr);
	for (size_t i = 1; m != NULL && i < n->args_n; i++) {
		const char *opt = n->args[i].text;
		int64_t v = 0;
		why = NULL;
		if (strncasecmp(opt, "weight=", 7) == 0)
			why = conf_value_int(opt + 7, 1, 1000, &v);
		else if (strncasecmp(opt, "max=", 4) == 0)
			why = conf_value_int(opt + 4, 0, 100000, &v);
		else if (strcasecmp(opt, "backup") != 0)
			why = "is not one of weight=N max=N backup";
		if (why != NULL)
			conf_error(b, n, (int)i, "Server: '%s' %s", opt, why);
		else if (tolower((unsigned char)opt[0]) == 'w')
			m->weight = (unsigned)v;
		else if (tolower((unsigned char)opt[0]) == 'm')
			m->max_connections = (unsigned)v;
		else
			m->backup = true;
	}
}

/* Text after "proxy:", as mod_proxy_fcgi takes it: unix:/path|fcgi://anything or fcgi://host[:port][/path]. */
static const char *proxy_addr(struct conf_build *b, const char *text, struct conf_addr *addr)
{
	const char *bar = strchr(text, '|'), *end;
	char *where;

	if (strncmp(text, "unix:", 5) == 0) {
		if (bar == NULL || strncmp(bar + 1, "fcgi:", 5) != 0)
			return "a socket is named as unix:/path|fcgi://localhost";
		where = arena_strndup(b->a, text, (size_t)(bar - text));
	} else if (strncmp(text, "fcgi://", 7) == 0) {
		text += 7;
		end = text + strcspn(text, "/");
		where = arena_strndup(b->a, text, (size_t)(end - text));
		if (where != NULL && where[strlen(where) - (where[0] != '\0')] != ']' && strchr(where, ':') == NULL)
			where = arena_printf(b->a, "%s:8000", where); /* fcgi's port in Apache */
		else if (where != NULL && where[0] == '[' && where[strlen(where) - 1] == ']')
			where = arena_printf(b->a, "%s:8000", where);
	} else {
		return "only FastCGI servers are asked: proxy:unix:/path|fcgi://localhost or proxy:fcgi://host:port";
	}
	if (where == NULL)
		return "out of memory";
	return conf_addr_parse(b->a, where, CONF_ADDR_UNIX | CONF_ADDR_NAME, addr);
}

const struct conf_pool *conf_build_proxy(struct conf_build *b, const struct conf_node *n, int arg, const char *text)
{
	struct conf_pool *p = conf_map_get(&b->pools, 1, text, strlen(text));
	struct conf_addr addr;
	const char *why;

	b->srv->proxy_handler = true;
	if (p != NULL)
		return p;
	why = proxy_addr(b, text + 6, &addr);
	if (why != NULL) {
		conf_error(b, n, arg, "%s: '%s': %s", n->name.text, text, why);
		return NULL;
	}
	p = pool_new(b, text);
	if (p == NULL || member_add(b, p, &addr) == NULL || !pool_register(b, p, 1))
		return NULL;
	return p;
}

/*
 * ProxyPassMatch regex fcgi://...: the requests go to that server. Scripts are found below DocumentRoot as for every
 * other handler; the path in the target, which Apache would send, is not used.
 */
void conf_set_proxy_pass_match(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *target = n->args[1].text;
	struct conf_section *s, **slot;
	const struct conf_pool *pool;
	char *text;

	(void)d;
	if (strncmp(target, "fcgi://", 7) != 0 && (strncmp(target, "unix:", 5) != 0 || strstr(target, "|fcgi:") == NULL)) {
		conf_error(b, n, 1, "ProxyPassMatch: only fcgi:// targets are asked; for PHP, SetHandler \"proxy:unix:/path|fcgi://localhost\" in <FilesMatch> says it best");
		return;
	}
	/* Several lines with different path parts are one server. */
	const char *scheme = strstr(target, "fcgi://");
	size_t keep = strlen(target);
	if (scheme != NULL)
		keep = (size_t)(scheme - target) + 7 + strcspn(scheme + 7, "/");
	text = arena_printf(b->a, "proxy:%.*s", (int)keep, target);
	s = arena_calloc(b->a, 1, sizeof(*s));
	if (text == NULL || s == NULL) {
		b->oom = true;
		return;
	}
	pool = conf_build_proxy(b, n, 1, text);
	s->re = conf_build_regex(b, n, 0, n->args[0].text);
	if (pool == NULL || s->re == NULL)
		return;
	s->kind = CONF_S_LOC;
	s->pattern = n->args[0].text;
	s->seq = b->seq++;
	s->file = n->file;
	s->line = n->name.line;
	s->dir.set = CONF_D_HANDLER;
	s->dir.has_handler = true;
	s->dir.handler = (struct conf_handler){.kind = CONF_HANDLER_POOL, .pool = pool};
	slot = conf_append(b, b->srv->sections, b->srv->sections_n);
	if (slot != NULL)
		*slot = s;
}
