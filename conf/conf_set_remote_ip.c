/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of who a client is behind proxies: mod_remoteip's directives. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "gateway/base/io.h"

#define LIST_MAX (1024 * 1024) /* octets of a list of proxies */

enum said { SAID_HEADER = 1, SAID_PROXIES_HEADER = 2, SAID_PROXIES = 4, SAID_MODE = 8, SAID_EXCEPT = 16, SAID_FROM = 32 };

/* --- fields -------------------------------------------------------------------------------------------------------------- */

static bool field_name_ok(const char *s)
{
	return s[0] != '\0' && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(s);
}

/* d->lo: 0 RemoteIPHeader, 1 RemoteIPProxiesHeader. */
void conf_set_remote_ip_field(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct remote_ip_rules *r = &b->srv->s->remote_ip;

	if (!field_name_ok(n->args[0].text)) {
		conf_error(b, n, 0, "%s: '%s' is no field's name", n->name.text, n->args[0].text);
		return;
	}
	if (d->lo == 0) {
		r->header = conf_lower(b->a, n->args[0].text);
		b->oom = b->oom || r->header == NULL;
		b->srv->remote_ip_node = n;
	} else {
		r->proxies_header = n->args[0].text;
	}
	b->srv->remote_ip_set |= d->lo == 0 ? SAID_HEADER : SAID_PROXIES_HEADER;
}

/* --- proxies ---------------------------------------------------------------------------------------------------------------- */

static void add_proxy(struct conf_build *b, const struct ip_net *net, enum remote_ip_trust trust)
{
	struct remote_ip_rules *r = &b->srv->s->remote_ip;
	struct remote_ip_proxy *v = conf_push(b->a, r->proxies, r->proxies_n, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	v[r->proxies_n++] = (struct remote_ip_proxy){*net, trust};
	r->proxies = v;
}

/* Every address that a name has now. Returns NULL, or why not. */
static const char *add_named(struct conf_build *b, const char *name, enum remote_ip_trust trust)
{
	struct addrinfo hint = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int rc = getaddrinfo(name, NULL, &hint, &found);

	if (rc != 0)
		return gai_strerror(rc);
	for (const struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next) {
		struct ip_addr a;
		if (!ip_from_sockaddr(ai->ai_addr, &a, NULL))
			continue;
		struct ip_net net = ip_net_of(&a, 128);
		add_proxy(b, &net, trust);
	}
	freeaddrinfo(found);
	return NULL;
}

/* A network, a name, or "unix:". Returns NULL, or why not; ip_net_behind is no more than a warning. */
static const char *add_word(struct conf_build *b, const char *text, enum remote_ip_trust trust)
{
	struct ip_net net;
	const char *why;

	if (strcasecmp(text, "unix:") == 0) {
		b->srv->s->remote_ip.unix_peers = trust;
		return NULL;
	}
	why = ip_net_parse(text, &net);
	if (why == NULL || why == ip_net_behind) {
		add_proxy(b, &net, trust);
		return why;
	}
	/* What looks like an address is one that is misspelt, not a name to ask for. */
	if (strpbrk(text, "/:") != NULL || text[strspn(text, "0123456789.")] == '\0')
		return why;
	return add_named(b, text, trust);
}

/* What a host lists replaces what the main server lists; trusted and internal proxies are one list, as in Apache. */
static void proxies_begin(struct conf_build *b)
{
	b->srv->remote_ip_set |= SAID_PROXIES;
}

void conf_set_remote_ip_proxies(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	proxies_begin(b);
	for (size_t i = 0; i < n->args_n; i++) {
		const char *why = add_word(b, n->args[i].text, (enum remote_ip_trust)d->lo);
		if (why != NULL)
			conf_say(b, why != ip_net_behind, n, (int)i, "%s: '%s' %s", n->name.text, n->args[i].text, why);
	}
}

void conf_set_remote_ip_list(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	char *path = conf_build_path(b, n->args[0].text), *text, *save = NULL;
	size_t len;
	unsigned line = 0;

	if (path == NULL)
		return;
	int rc = io_read_file(path, LIST_MAX, &text, &len);
	if (rc != GW_OK) {
		conf_error(b, n, 0, "%s %s: %s", n->name.text, path, rc == GW_ERR_SYS ? strerror(errno) : gw_strerror(rc));
		return;
	}
	proxies_begin(b);
	for (char *row = text, *next; row != NULL; row = next) {
		next = strchr(row, '\n');
		if (next != NULL)
			*next++ = '\0';
		line++;
		row[strcspn(row, "#")] = '\0';
		for (char *word = strtok_r(row, " \t\r", &save); word != NULL; word = strtok_r(NULL, " \t\r", &save)) {
			const char *why = add_word(b, word, (enum remote_ip_trust)d->lo);
			if (why != NULL)
				conf_diag_add(b->d, why != ip_net_behind, path, line, (unsigned)(word - row) + 1, "'%s' %s", word, why);
		}
	}
	free(text);
}

/* --- the PROXY protocol ----------------------------------------------------------------------------------------------------- */

void conf_set_proxy_protocol(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, n->args[0].text);
	for (int i = 0; d->words[i] != NULL; i++) {
		conf_suggest_try(&s, d->words[i]);
		if (strcasecmp(d->words[i], n->args[0].text) != 0)
			continue;
		b->srv->s->proxy_protocol.mode = (enum conf_proxy_mode)(i + 1);
		b->srv->remote_ip_set |= SAID_MODE;
		b->srv->proxy_protocol_node = n;
		return;
	}
	conf_error(b, n, 0, "%s: '%s' is not one of %s%s", n->name.text, n->args[0].text, d->args, conf_suggest_text(&s, more, sizeof(more)));
}

/* d->lo: 0 ...Exceptions, 1 ...From. */
void conf_set_proxy_protocol_nets(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_proxy_protocol *p = &b->srv->s->proxy_protocol;
	struct ip_nets *nets = d->lo == 0 ? &p->except : &p->from;

	for (size_t i = 0; i < n->args_n; i++) {
		struct ip_net net, *v;
		const char *why = ip_net_parse(n->args[i].text, &net);
		if (why != NULL)
			conf_say(b, why != ip_net_behind, n, (int)i, "%s: '%s' %s", n->name.text, n->args[i].text, why);
		if (why != NULL && why != ip_net_behind)
			continue;
		v = conf_push(b->a, nets->v, nets->n, sizeof(*v));
		if (v == NULL) {
			b->oom = true;
			return;
		}
		v[nets->n++] = net;
		nets->v = v;
	}
	if (d->lo != 0)
		p->from_all = false;
	b->srv->remote_ip_set |= d->lo == 0 ? SAID_EXCEPT : SAID_FROM;
}

/* --- what belongs together ----------------------------------------------------------------------------------------------------- */

void conf_remote_ip_inherit(struct conf_srv *srv, const struct conf_srv *from)
{
	struct remote_ip_rules *r = &srv->s->remote_ip;
	struct conf_proxy_protocol *p = &srv->s->proxy_protocol;
	const struct remote_ip_rules *fr = &from->s->remote_ip;
	const struct conf_proxy_protocol *fp = &from->s->proxy_protocol;
	unsigned said = srv->remote_ip_set;

	if ((said & SAID_HEADER) == 0)
		r->header = fr->header;
	if ((said & SAID_PROXIES_HEADER) == 0)
		r->proxies_header = fr->proxies_header;
	if ((said & SAID_PROXIES) == 0) {
		r->proxies = fr->proxies;
		r->proxies_n = fr->proxies_n;
		r->unix_peers = fr->unix_peers;
	}
	if ((said & SAID_MODE) == 0)
		p->mode = fp->mode;
	if ((said & SAID_EXCEPT) == 0)
		p->except = fp->except;
	if ((said & SAID_FROM) == 0) {
		p->from_all = fp->from_all;
		p->from = fp->from;
	}
}

void conf_remote_ip_check(struct conf_build *b, const struct conf_srv *srv)
{
	const struct remote_ip_rules *r = &srv->s->remote_ip;
	const struct conf_proxy_protocol *p = &srv->s->proxy_protocol;

	if (srv->remote_ip_node != NULL && r->proxies_n == 0 && r->unix_peers == REMOTE_IP_NONE)
		conf_warn(b, srv->remote_ip_node, -1, "RemoteIPHeader is believed of nobody: name the proxies by RemoteIPTrustedProxy or RemoteIPInternalProxy");
	if (srv->proxy_protocol_node == NULL || p->mode == CONF_PROXY_OFF || !p->from_all)
		return;
	conf_say(b, p->mode == CONF_PROXY_OPTIONAL, srv->proxy_protocol_node, 0,
		"RemoteIPProxyProtocol: whoever can connect here may claim any address: name the proxies by RemoteIPProxyProtocolFrom");
}
