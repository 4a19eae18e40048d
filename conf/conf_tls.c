/* SPDX-License-Identifier: Apache-2.0 */
/* From what hosts say of TLS to what each of them speaks. */
#include <string.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"

static struct conf_place place_of(const struct conf_ref *r)
{
	const struct conf_word *w = &r->node->args[r->arg];

	return (struct conf_place){.file = r->node->file, .line = w->line, .column = w->column};
}

/* What a host does not say itself the main server says. */
static void inherit(struct conf_tls_raw *t, const struct conf_tls_raw *m)
{
	if (t->engine.node == NULL) {
		t->engine = m->engine;
		t->on = m->on;
	}
	if (t->protocol.node == NULL) {
		t->protocol = m->protocol;
		t->versions = m->versions;
	}
	if (t->order.node == NULL) {
		t->order = m->order;
		t->server_order = m->server_order;
	}
	if (t->tickets.node == NULL) {
		t->tickets = m->tickets;
		t->tickets_on = m->tickets_on;
	}
	if (t->ciphers.node == NULL)
		t->ciphers = m->ciphers;
	if (t->suites.node == NULL)
		t->suites = m->suites;
	/* A certificate of its own makes the main server's keys and chain somebody else's. */
	if (t->certs_n == 0) {
		t->certs = m->certs;
		t->certs_n = m->certs_n;
		if (t->keys_n == 0) {
			t->keys = m->keys;
			t->keys_n = m->keys_n;
		}
		if (t->chain.node == NULL)
			t->chain = m->chain;
	}
}

/* Listen ... https: hosts of nothing but such ports need not say SSLEngine. */
static bool on_https_ports(const struct conf_build *b, const struct conf_server *s)
{
	for (size_t i = 0; i < s->addrs_n; i++) {
		unsigned port = conf_addr_port(&s->addrs[i].u.sa);
		size_t k = 0;
		while (k < b->https_n && b->https[k].port != port)
			k++;
		if (k == b->https_n)
			return false;
	}
	return s->addrs_n > 0;
}

/* All that decides what is spoken, as one string: equal strings share one conf_tls. */
static const char *identity(struct conf_build *b, const struct conf_tls *t)
{
	const char *id = arena_printf(b->a, "%u%d%d\n%s\n%s\n%s", t->versions, t->server_order, t->tickets, t->ciphers != NULL ? t->ciphers : "",
		t->suites != NULL ? t->suites : "", t->chain != NULL ? t->chain : "");

	for (size_t i = 0; i < t->certs_n && id != NULL; i++)
		id = arena_printf(b->a, "%s\n%s\n%s", id, t->certs[i].cert, t->certs[i].key);
	return id;
}

static void fill_certs(struct conf_build *b, struct conf_tls *t, const struct conf_tls_raw *raw)
{
	struct conf_tls_cert *v = arena_calloc(b->a, raw->certs_n + 1, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	for (size_t i = 0; i < raw->certs_n; i++) {
		/* One path, one pointer: a key in the certificate's own file is read once. */
		bool apart = i < raw->keys_n && strcmp(raw->keys[i].text, raw->certs[i].text) != 0;
		const struct conf_ref *key = apart ? &raw->keys[i] : &raw->certs[i];
		v[i] = (struct conf_tls_cert){
			.cert = raw->certs[i].text, .key = key->text, .cert_at = place_of(&raw->certs[i]), .key_at = place_of(key)};
	}
	t->certs = v;
	t->certs_n = raw->certs_n;
}

static struct conf_tls *make(struct conf_build *b, const struct conf_srv *srv, const struct conf_tls_raw *raw)
{
	struct conf_tls *t = arena_calloc(b->a, 1, sizeof(*t));

	if (t == NULL) {
		b->oom = true;
		return NULL;
	}
	fill_certs(b, t, raw);
	t->server = srv->s;
	t->at = raw->engine.node != NULL ? place_of(&raw->engine) : (struct conf_place){srv->s->file, srv->s->line, 1};
	if (raw->chain.node != NULL) {
		t->chain = raw->chain.text;
		t->chain_at = place_of(&raw->chain);
	}
	t->versions = raw->protocol.node != NULL ? raw->versions : CONF_TLS_1_2 | CONF_TLS_1_3;
	t->ciphers = raw->ciphers.text;
	t->suites = raw->suites.text;
	t->server_order = raw->server_order;
	t->tickets = raw->tickets.node == NULL || raw->tickets_on;
	return t;
}

static void keep(struct conf_build *b, struct conf_map *known, struct conf_server *s, struct conf_tls *t)
{
	const char *id = identity(b, t);
	const struct conf_tls *same = id == NULL ? NULL : conf_map_get(known, 0, id, strlen(id)), **slot;

	if (same == NULL) {
		slot = conf_append(b, b->c->tls, b->c->tls_n);
		if (id == NULL || slot == NULL || conf_map_put(known, 0, id, strlen(id), t) != GW_OK) {
			b->oom = true;
			return;
		}
		t->index = b->c->tls_n - 1;
		*slot = same = t;
	}
	s->tls = same;
}

void conf_tls_resolve(struct conf_build *b)
{
	struct conf_index *ix = b->c->index;
	const struct conf_tls_raw *m = &ix->srvs[0]->tls;
	struct conf_map known;

	conf_map_init(&known, b->a);
	for (size_t i = 0; i < ix->srvs_n && !b->oom; i++) {
		struct conf_srv *srv = ix->srvs[i];
		struct conf_tls_raw *t = &srv->tls;
		if (i > 0)
			inherit(t, m);
		if (t->engine.node == NULL)
			t->on = on_https_ports(b, srv->s);
		struct conf_tls *made = t->on ? make(b, srv, t) : NULL;
		if (made != NULL && !b->oom)
			keep(b, &known, srv->s, made);
	}
}

/* --- what does not go together ------------------------------------------------------------------------------------------ */

static void say_mixed(struct conf_build *b, const struct conf_srv *srv, const struct conf_srv *other, const char *addr)
{
	const struct conf_node *own = srv->tls.engine.node, *n = own != NULL ? own : srv->node;
	bool on = srv->s->tls != NULL;

	conf_error(b, n, own != NULL ? 0 : -1,
		"%s speaks %s at %s, where %s (line %u of %s) speaks %s: SSLEngine must be the same for all hosts of one address",
		srv->s->name, on ? "TLS" : "plain HTTP", addr, other->s->name, other->s->line, other->s->file, on ? "plain HTTP" : "TLS");
}

/* Of a site file that was too broken nothing is left but names: its hosts speak as their neighbours do, to say 503. */
static bool settle(struct conf_server *x, struct conf_server *y)
{
	if (x->unavailable && x->tls == NULL)
		x->tls = y->tls;
	else if (y->unavailable && y->tls == NULL)
		y->tls = x->tls;
	return (x->tls == NULL) == (y->tls == NULL);
}

static void check_addrs(struct conf_build *b, struct conf_map *first, struct conf_srv *srv)
{
	for (size_t i = 0; i < srv->s->addrs_n; i++) {
		const struct conf_addr *a = &srv->s->addrs[i];
		unsigned char host[16];
		size_t n = conf_addr_host(&a->u.sa, host);
		if (n == 0)
			host[n++] = '*';
		unsigned port = conf_addr_port(&a->u.sa);
		struct conf_srv *other = conf_map_get(first, port, (const char *)host, n);
		char *key = other != NULL ? NULL : arena_strndup(b->a, (const char *)host, n);
		if (other != NULL && (other->s->tls == NULL) != (srv->s->tls == NULL) && !settle(srv->s, other->s)) {
			say_mixed(b, srv, other, a->text);
			return;
		}
		if (other == NULL && (key == NULL || conf_map_put(first, port, key, n, srv) != GW_OK)) {
			b->oom = true;
			return;
		}
	}
}

void conf_tls_check(struct conf_build *b)
{
	struct conf_index *ix = b->c->index;
	struct conf_map first;

	conf_map_init(&first, b->a);
	for (size_t i = 1; i < ix->srvs_n && !b->oom; i++)
		check_addrs(b, &first, ix->srvs[i]);
	for (size_t i = 0; i < b->https_n; i++) {
		bool spoken = b->c->servers[0]->tls != NULL;
		for (size_t k = 1; k < ix->srvs_n && !spoken; k++)
			for (size_t j = 0; j < ix->srvs[k]->s->addrs_n; j++) {
				unsigned port = conf_addr_port(&ix->srvs[k]->s->addrs[j].u.sa);
				spoken = spoken || (ix->srvs[k]->s->tls != NULL && (port == 0 || port == b->https[i].port));
			}
		if (!spoken)
			conf_warn(b, b->https[i].node, 1, "Listen ... https: no virtual host with SSLEngine On answers here: this port speaks plain HTTP");
	}
}
