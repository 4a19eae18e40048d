/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of the server and its hosts: names, addresses, places, logs. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"

static bool same_addr(const struct conf_addr *x, const struct conf_addr *y)
{
	unsigned char a[16], b[16];
	size_t n;

	if (x->u.sa.sa_family != y->u.sa.sa_family)
		return false;
	if (x->u.sa.sa_family == AF_UNIX)
		return strcmp(x->u.un.sun_path, y->u.un.sun_path) == 0;
	n = conf_addr_host(&x->u.sa, a);
	return n == conf_addr_host(&y->u.sa, b) && memcmp(a, b, n) == 0 && conf_addr_port(&x->u.sa) == conf_addr_port(&y->u.sa);
}

/* "Any address" is [::], which takes IPv4 too, where the kernel has IPv6. */
static void any_address(struct conf_build *b, struct conf_addr *addr)
{
	unsigned port = conf_addr_port(&addr->u.sa);
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool v6 = probe != -1;

	if (v6)
		(void)close(probe);
	(void)!conf_addr_parse(b->a, arena_printf(b->a, v6 ? "[::]:%u" : "0.0.0.0:%u", port), 0, addr);
}

void conf_set_listen(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_addr addr, *slot;
	const char *why = conf_addr_parse(b->a, n->args[0].text, CONF_ADDR_UNIX | CONF_ADDR_PORT_ONLY | CONF_ADDR_ANY, &addr);

	(void)d;
	if (why != NULL) {
		conf_error(b, n, 0, "Listen: '%s': %s", n->args[0].text, why);
		return;
	}
	if (n->args_n > 1 && strcasecmp(n->args[1].text, "https") == 0 && addr.u.sa.sa_family == AF_UNIX) {
		conf_error(b, n, 1, "Listen: a unix socket has no port that hosts could be found by; say SSLEngine On in the host");
	} else if (n->args_n > 1 && strcasecmp(n->args[1].text, "https") == 0) {
		struct conf_https_port *https = conf_append(b, b->https, b->https_n);
		if (https != NULL)
			*https = (struct conf_https_port){conf_addr_port(&addr.u.sa), n};
	} else if (n->args_n > 1 && strcasecmp(n->args[1].text, "http") != 0) {
		struct conf_suggest s;
		char more[128];
		conf_suggest_init(&s, n->args[1].text);
		conf_suggest_try(&s, "http");
		conf_suggest_try(&s, "https");
		conf_error(b, n, 1, "Listen: '%s' is not one of http https%s", n->args[1].text, conf_suggest_text(&s, more, sizeof(more)));
	}
	if (addr.u.sa.sa_family == AF_UNSPEC)
		any_address(b, &addr);
	for (size_t i = 0; i < b->c->listen_n; i++) {
		if (same_addr(&b->c->listen[i], &addr)) {
			conf_warn(b, n, 0, "Listen: %s is already listened on", n->args[0].text);
			return;
		}
	}
	slot = conf_append(b, b->c->listen, b->c->listen_n);
	if (slot != NULL)
		*slot = addr;
}

static bool host_ok(const char *host, bool wild)
{
	size_t n = strlen(host);

	return n > 0 && n <= 255 &&
	       strspn(host, wild ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]*?"
				 : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]") == n;
}

void conf_set_server_name(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *text = n->args[0].text, *sep = strstr(text, "://"), *host, *colon;
	struct conf_server *s = b->srv->s;
	int64_t port = 0;
	char *name;

	(void)d;
	s->scheme = NULL;
	if (sep != NULL) {
		if ((size_t)(sep - text) > 5 || (strncasecmp(text, "http:", 5) != 0 && strncasecmp(text, "https:", 6) != 0)) {
			conf_error(b, n, 0, "ServerName: the scheme must be http or https");
			return;
		}
		s->scheme = strncasecmp(text, "https:", 6) == 0 ? "https" : "http";
		text = sep + 3;
	}
	host = text;
	colon = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
	if (colon != NULL && *colon == ']')
		colon = colon[1] == ':' ? colon + 1 : NULL;
	if (colon != NULL) {
		const char *why = conf_value_int(colon + 1, 1, 65535, &port);
		if (why != NULL) {
			conf_error(b, n, 0, "ServerName: the port '%s' %s", colon + 1, why);
			return;
		}
	}
	name = arena_strndup(b->a, host, colon == NULL ? strlen(host) : (size_t)(colon - host));
	if (name != NULL && !host_ok(name, false)) {
		conf_error(b, n, 0, "ServerName: '%s' is not a host name", name);
		return;
	}
	s->name = name == NULL ? NULL : conf_lower(b->a, name);
	s->port = (unsigned)port;
	if (s->name == NULL)
		b->oom = true;
}

void conf_set_server_alias(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_strs *list = &b->srv->s->aliases;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char **slot;
		if (!host_ok(n->args[i].text, true)) {
			conf_error(b, n, (int)i, "ServerAlias: '%s' is not a host name or pattern", n->args[i].text);
			continue;
		}
		slot = conf_append(b, list->v, list->n);
		if (slot != NULL)
			*slot = conf_lower(b->a, n->args[i].text);
	}
}

void conf_set_docroot(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->srv->docroot = (struct conf_ref){n, 0, n->args[0].text};
}

void conf_set_front_path(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_strs *list = &b->c->front_paths;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char **slot;
		if (n->args[i].text[0] != '/') {
			conf_error(b, n, (int)i, "FrontPath: '%s' is not an absolute path", n->args[i].text);
			continue;
		}
		slot = conf_append(b, list->v, list->n);
		if (slot != NULL)
			*slot = conf_path(b->a, "/", n->args[i].text);
	}
}

void conf_set_server_root(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	if (n->args[0].text[0] != '/')
		conf_error(b, n, 0, "ServerRoot must be an absolute path");
}

void conf_set_alias(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_server *s = b->srv->s;
	struct conf_alias *slot, *v;
	char *prefix;

	(void)d;
	if (n->args[0].text[0] != '/') {
		conf_error(b, n, 0, "Alias: the URL path must begin with a slash");
		return;
	}
	prefix = conf_path(b->a, "/", n->args[0].text);
	for (size_t i = 0; prefix != NULL && i < s->path_aliases_n; i++) {
		if (strcmp(s->path_aliases[i].prefix, prefix) == 0) {
			conf_warn(b, n, 0, "Alias: %s is already an alias here; the first one counts", prefix);
			return;
		}
	}
	v = conf_push(b->a, s->path_aliases, s->path_aliases_n, sizeof(*v));
	if (v == NULL || prefix == NULL) {
		b->oom = true;
		return;
	}
	s->path_aliases = v;
	slot = &v[s->path_aliases_n++];
	slot->prefix = prefix;
	slot->path = conf_build_path(b, n->args[1].text);
}

void conf_set_user(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	*(d->lo == 0 ? &b->user : &b->group) = (struct conf_ref){n, 0, n->args[0].text};
}

void conf_set_types(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->types = (struct conf_ref){n, 0, n->args[0].text};
	b->c->types_config = conf_build_path(b, n->args[0].text);
}

void conf_set_pid_file(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	conf_set_path(b, n, d);
	if (b->c->pid_file != NULL && conf_build_dir_missing(b, b->c->pid_file))
		conf_warn(b, n, 0, "PidFile %s: its directory does not exist: -k would not find the server", b->c->pid_file);
}

void conf_set_spool_path(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct stat st;

	conf_set_path(b, n, d);
	/* What cannot be looked at (an ordinary user's -t) may well be there. */
	if (b->c->spool_path != NULL && (stat(b->c->spool_path, &st) == 0 ? !S_ISDIR(st.st_mode) : errno == ENOENT || errno == ENOTDIR))
		conf_error(b, n, 0, "SpoolPath %s: there is no such directory; the front's user must be able to write there", b->c->spool_path);
}

void conf_set_protocols(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {{"h2", CONF_PROTOCOL_H2}, {"h2c", CONF_PROTOCOL_H2C}, {"http/1.1", CONF_PROTOCOL_HTTP1}};
	struct conf_protocols p = {0, false};

	for (size_t i = 0; i < n->args_n; i++) {
		struct conf_suggest s;
		unsigned bit = 0;
		char more[128];

		conf_suggest_init(&s, n->args[i].text);
		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
			if (strcasecmp(n->args[i].text, known[k].name) == 0)
				bit = known[k].bit;
			conf_suggest_try(&s, known[k].name);
		}
		if (bit == 0) {
			conf_suggest_text(&s, more, sizeof(more));
			conf_error(b, n, (int)i, "Protocols: '%s' is not one of h2 h2c http/1.1%s", n->args[i].text, more);
			return;
		}
		if (bit == CONF_PROTOCOL_HTTP1 && (p.mask & CONF_PROTOCOL_H2) == 0)
			p.http1_first = true;
		p.mask |= bit;
	}
	*(struct conf_protocols *)conf_field(b, d) = p;
}
