/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask: Require and its containers, Order/Allow/Deny/Satisfy. Only "all" can be decided here yet. Trust argument:
 * what cannot be decided never lets anybody in - a Require that is not understood counts as not fulfilled, an Allow for
 * some as an Allow for nobody, a Deny for some as a Deny for all - and each is named in a warning.
 */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

enum verdict { V_GRANT, V_DENY, V_NEUTRAL };

/* Providers of Apache's own modules: known words, so that a misspelt one is an error. */
static const char *const providers[] = {
	"all", "env", "expr", "forward-dns", "group", "host", "ip", "ldap-attribute", "ldap-dn", "ldap-filter", "ldap-group",
	"ldap-user", "local", "method", "ssl", "ssl-verify-client", "user", "valid-user", "dbm-group", "dbm-file-group", "file-group",
	"file-owner", "dbd-group", "dbd-login", "dbd-logout", "unix-group", "not", NULL,
};

static enum verdict require_unknown(struct conf_build *b, const struct conf_node *n, int arg)
{
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, n->args[arg].text);
	for (size_t i = 0; providers[i] != NULL; i++) {
		if (strcasecmp(providers[i], n->args[arg].text) == 0) {
			conf_warn(b, n, arg, "Require %s is not decided by this version: it counts as denied%s", n->args[arg].text,
				strcasecmp(providers[i], "expr") == 0 ? "; <If> can hold Require all granted" : "");
			return V_DENY;
		}
		conf_suggest_try(&s, providers[i]);
	}
	conf_error(b, n, arg, "Require: there is no '%s'%s", n->args[arg].text, conf_suggest_text(&s, more, sizeof(more)));
	return V_DENY;
}

static enum verdict require_line(struct conf_build *b, const struct conf_node *n)
{
	int at = 0;
	bool not = strcasecmp(n->args[0].text, "not") == 0, granted;

	at += not;
	if (n->args_n <= (size_t)at) {
		conf_error(b, n, -1, "Require not: what?");
		return V_DENY;
	}
	/* Not decided: denied, with or without "not". */
	if (strcasecmp(n->args[at].text, "all") != 0)
		return require_unknown(b, n, at);
	if (n->args_n != (size_t)at + 2 ||
	    (strcasecmp(n->args[at + 1].text, "granted") != 0 && strcasecmp(n->args[at + 1].text, "denied") != 0)) {
		conf_error(b, n, at + 1, "Require all: either granted or denied");
		return V_DENY;
	}
	granted = strcasecmp(n->args[at + 1].text, "granted") == 0;
	if (not)
		return granted ? V_DENY : V_NEUTRAL;
	return granted ? V_GRANT : V_DENY;
}

static enum verdict require_section(struct conf_build *b, const struct conf_node *n);

static enum verdict require_node(struct conf_build *b, const struct conf_node *n)
{
	const struct conf_directive *d = conf_directive_find(n->name.text, n->section);

	if (d == NULL || (d->where & CONF_W_REQUIRE) == 0) {
		conf_error(b, n, -1, "%s%s%s is not a rule that <%s> can hold: only Require, <RequireAll>, <RequireAny>, <RequireNone>",
			   n->section ? "<" : "", n->name.text, n->section ? ">" : "", n->parent->name.text);
		return V_DENY;
	}
	if (n->section)
		return require_section(b, n);
	if (n->args_n == 0) {
		conf_error(b, n, -1, "Require needs %s", d->args);
		return V_DENY;
	}
	return require_line(b, n);
}

/* mod_authz_core's containers: All wants one grant and no refusal, Any one grant, None no grant. */
static enum verdict require_section(struct conf_build *b, const struct conf_node *n)
{
	unsigned count[3] = {0, 0, 0};

	for (const struct conf_node *c = n->children; c != NULL; c = c->next)
		count[require_node(b, c)]++;
	if (n->args_n > 0)
		conf_error(b, n, 0, "<%s> takes no argument", n->name.text);
	if (n->children == NULL)
		conf_warn(b, n, -1, "<%s> holds no rule: it counts as denied", n->name.text);
	if (strcasecmp(n->name.text, "RequireAll") == 0)
		return count[V_DENY] > 0 || n->children == NULL ? V_DENY : count[V_GRANT] > 0 ? V_GRANT : V_NEUTRAL;
	if (strcasecmp(n->name.text, "RequireAny") == 0)
		return count[V_GRANT] > 0 ? V_GRANT : V_DENY;
	/*
	 * RequireNone: a rule within that cannot be decided might hold, and counted as V_DENY it would read as "does not
	 * hold": so only rules that are plainly "all denied" make it pass.
	 */
	for (const struct conf_node *c = n->children; c != NULL; c = c->next) {
		if (c->section || c->args_n != 2 || strcasecmp(c->args[0].text, "all") != 0 || strcasecmp(c->args[1].text, "denied") != 0)
			return V_DENY;
	}
	return n->children == NULL ? V_DENY : V_NEUTRAL;
}

/* Rules side by side in one section: one that grants is enough. */
static void require_apply(struct conf_build *b, const struct conf_node *n, enum verdict v)
{
	struct conf_dir *dir = b->dir;

	if (v == V_NEUTRAL)
		conf_error(b, n, -1, "a rule that only refuses grants nothing here: put it into <RequireAll> beside Require all granted");
	if ((dir->set & CONF_D_REQUIRE) == 0)
		dir->access &= ~(unsigned)CONF_A_REQUIRE;
	dir->set |= CONF_D_REQUIRE;
	if (v == V_GRANT)
		dir->access |= CONF_A_REQUIRE;
}

void conf_set_require(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	require_apply(b, n, require_line(b, n));
}

void conf_set_require_section(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	require_apply(b, n, require_section(b, n));
}

void conf_set_auth_merging(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	if (strcasecmp(n->args[0].text, "off") == 0)
		conf_set_noeffect(b, n, d);
	else
		conf_error(b, n, 0, "AuthMerging: only Off is known: the rules of an inner section replace the outer ones");
}

void conf_set_order(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	char text[64] = "";

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		if (strlen(text) + strlen(n->args[i].text) + 1 < sizeof(text))
			strcat(text, n->args[i].text);
	}
	b->dir->set |= CONF_D_COMPAT;
	if (strcasecmp(text, "allow,deny") == 0 || strcasecmp(text, "mutual-failure") == 0)
		b->dir->access |= CONF_A_ALLOW_DENY;
	else if (strcasecmp(text, "deny,allow") == 0)
		b->dir->access &= ~(unsigned)CONF_A_ALLOW_DENY;
	else
		conf_error(b, n, 0, "Order: '%s' is not one of allow,deny deny,allow", n->args[0].text);
}

/* Allow from ..., Deny from ...; d->lo: 1 for Deny. */
void conf_set_allow_deny(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	unsigned bit = d->lo != 0 ? CONF_A_DENY_ALL : CONF_A_ALLOW_ALL;

	if (strcasecmp(n->args[0].text, "from") != 0) {
		conf_error(b, n, 0, "%s is followed by the word from", n->name.text);
		return;
	}
	b->dir->set |= CONF_D_COMPAT;
	for (size_t i = 1; i < n->args_n; i++) {
		if (strcasecmp(n->args[i].text, "all") == 0) {
			b->dir->access |= bit;
			continue;
		}
		conf_warn(b, n, (int)i, d->lo != 0 ? "Deny from %s is not decided by this version: everybody is denied"
						   : "Allow from %s is not decided by this version: nobody is let in by it", n->args[i].text);
		if (d->lo != 0)
			b->dir->access |= bit;
	}
}

void conf_set_satisfy(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->dir->set |= CONF_D_COMPAT;
	if (strcasecmp(n->args[0].text, "any") == 0)
		b->dir->access |= CONF_A_SATISFY_ANY;
	else if (strcasecmp(n->args[0].text, "all") == 0)
		b->dir->access &= ~(unsigned)CONF_A_SATISFY_ANY;
	else
		conf_error(b, n, 0, "Satisfy: '%s' is not one of All Any", n->args[0].text);
}
