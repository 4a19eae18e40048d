/* SPDX-License-Identifier: Apache-2.0 */
/* Which virtual host answers: groups of hosts by address, names within a group. */
#include <fnmatch.h>
#include <string.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"

#define HOST_MAX 255
#define SUFFIX_TAG 0x80000000u /* names map: "*.example.org" is kept as ".example.org" under the group's number with this bit */

struct wild_name {
	const char *pattern;
	const struct conf_srv *srv;
};

/* All hosts that name one address and port; the first one answers what no name fits. */
struct conf_group {
	uint32_t id;
	const struct conf_srv *first;
	const struct conf_srv *proxy; /* the last that says whether connections begin with a PROXY header */
	size_t wild_n;
	struct wild_name *wild; /* patterns that are not "*.suffix", in the order of their hosts */
};

static struct conf_group *group_at(struct conf_index *ix, struct arena *a, const struct conf_addr *addr)
{
	unsigned char host[16];
	size_t n = conf_addr_host(&addr->u.sa, host);
	unsigned port = conf_addr_port(&addr->u.sa);
	struct conf_group *g;
	char *key;

	if (n == 0) /* "*" */
		host[n++] = '*';
	g = conf_map_get(&ix->groups, port, (const char *)host, n);
	if (g != NULL)
		return g;
	g = arena_calloc(a, 1, sizeof(*g));
	key = arena_strndup(a, (const char *)host, n);
	if (g == NULL || key == NULL || conf_map_put(&ix->groups, port, key, n, g) != GW_OK)
		return NULL;
	g->id = (uint32_t)++ix->groups_n;
	/* A connection over a unix socket has neither address nor port. */
	if (n == 1 && (port == 0 || ix->unix_group == NULL))
		ix->unix_group = g;
	return g;
}

static int name_add(struct conf_index *ix, struct arena *a, struct conf_group *g, const char *name, const struct conf_srv *srv)
{
	uint32_t tag = g->id;

	if (conf_is_wild(name) && name[0] != '[') {
		if (name[0] != '*' || name[1] != '.' || conf_is_wild(name + 1)) {
			struct wild_name *v = conf_push(a, g->wild, g->wild_n, sizeof(*v));
			if (v == NULL)
				return GW_ERR_NOMEM;
			v[g->wild_n++] = (struct wild_name){name, srv};
			g->wild = v;
			return GW_OK;
		}
		tag |= SUFFIX_TAG;
		name++;
	}
	if (conf_map_get(&ix->names, tag, name, strlen(name)) != NULL)
		return GW_OK; /* an earlier host has it */
	return conf_map_put(&ix->names, tag, name, strlen(name), (void *)(uintptr_t)srv);
}

int conf_index_hosts(struct conf *c, struct arena *a)
{
	struct conf_index *ix = c->index;

	conf_map_init(&ix->groups, a);
	conf_map_init(&ix->names, a);
	c->proxy_protocol = c->servers[0]->proxy_protocol.mode != CONF_PROXY_OFF;
	for (size_t i = 1; i < ix->srvs_n; i++) {
		const struct conf_srv *srv = ix->srvs[i];
		const struct conf_server *s = srv->s;
		for (size_t j = 0; j < s->addrs_n; j++) {
			struct conf_group *g = group_at(ix, a, &s->addrs[j]);
			if (g == NULL)
				return GW_ERR_NOMEM;
			if (g->first == NULL)
				g->first = srv;
			if (g->proxy == NULL || srv->proxy_protocol_node != NULL)
				g->proxy = srv;
			c->proxy_protocol = c->proxy_protocol || s->proxy_protocol.mode != CONF_PROXY_OFF;
			if (name_add(ix, a, g, s->name, srv) != GW_OK)
				return GW_ERR_NOMEM;
			for (size_t k = 0; k < s->aliases.n; k++) {
				if (name_add(ix, a, g, s->aliases.v[k], srv) != GW_OK)
					return GW_ERR_NOMEM;
			}
		}
	}
	return GW_OK;
}

/* Exact address and port, exact address, any address with the port, any address: the best that any host names. */
static const struct conf_group *find_group(const struct conf_index *ix, const struct sockaddr *local)
{
	unsigned char host[16];
	size_t n = local == NULL ? 0 : conf_addr_host(local, host);
	unsigned port = n == 0 ? 0 : conf_addr_port(local);
	const struct conf_group *g;

	if (n == 0)
		return ix->unix_group;
	g = conf_map_get(&ix->groups, port, (const char *)host, n);
	if (g == NULL)
		g = conf_map_get(&ix->groups, 0, (const char *)host, n);
	if (g == NULL)
		g = conf_map_get(&ix->groups, port, "*", 1);
	if (g == NULL)
		g = conf_map_get(&ix->groups, 0, "*", 1);
	return g;
}

static const struct conf_srv *earlier(const struct conf_srv *x, const struct conf_srv *y)
{
	if (x == NULL || y == NULL)
		return x == NULL ? y : x;
	return x->s->index <= y->s->index ? x : y;
}

const struct conf_server *conf_find_server(const struct conf *c, const struct sockaddr *local, const char *host)
{
	const struct conf_index *ix = c->index;
	const struct conf_group *g = find_group(ix, local);
	const struct conf_srv *best;
	char name[HOST_MAX + 1];
	size_t n = host == NULL ? 0 : strlen(host);

	if (g == NULL)
		return c->servers[0];
	if (n > 1 && host[n - 1] == '.')
		n--; /* the absolute spelling of the same name */
	if (n == 0 || n > HOST_MAX)
		return g->first->s;
	memcpy(name, host, n);
	name[n] = '\0';
	best = conf_map_get(&ix->names, g->id, name, n);
	for (size_t i = 0; i < n; i++) {
		if (name[i] == '.')
			best = earlier(best, conf_map_get(&ix->names, g->id | SUFFIX_TAG, name + i, n - i));
	}
	for (size_t i = 0; i < g->wild_n; i++) {
		const struct wild_name *w = &g->wild[i];
		if (best != NULL && w->srv->s->index >= best->s->index)
			break;
		if (fnmatch(w->pattern, name, 0) == 0)
			best = w->srv;
	}
	return best != NULL ? best->s : g->first->s;
}

const struct conf_proxy_protocol *conf_find_proxy_protocol(const struct conf *c, const struct sockaddr *local)
{
	const struct conf_group *g = c->proxy_protocol ? find_group(c->index, local) : NULL;

	return g != NULL ? &g->proxy->s->proxy_protocol : &c->servers[0]->proxy_protocol;
}
