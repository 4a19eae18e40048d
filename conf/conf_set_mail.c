/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of what becomes of mail(): the relay, how much, from whom. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_addr.h"
#include "conf/conf_build.h"

/* smtp://host[:port], lmtp://host:port, and a unix socket for either. */
static const char *relay_parse(struct conf_build *b, const char *text, struct conf_mail_relay *r)
{
	static const struct {
		const char *scheme, *before; /* what conf_addr_parse() wants in front of the rest */
		bool lmtp, host;
	} schemes[] = {
		{"smtp://", "", false, true}, {"lmtp://", "", true, true}, {"unix:", "unix:", false, false}, {"lmtp:", "unix:", true, false}};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i].scheme);
		if (strncasecmp(text, schemes[i].scheme, n) != 0)
			continue;
		const char *rest = text + n, *colon = strrchr(rest, ':'), *bracket = strrchr(rest, ']');
		bool port = !schemes[i].host || (colon != NULL && (bracket == NULL || colon > bracket));
		if (!port && schemes[i].lmtp)
			return "LMTP has no usual port: write host:port";
		const char *addr = arena_printf(b->a, "%s%s%s", schemes[i].before, rest, port ? "" : ":25");
		r->lmtp = schemes[i].lmtp;
		return addr == NULL ? "out of memory" : conf_addr_parse(b->a, addr, schemes[i].host ? CONF_ADDR_NAME : CONF_ADDR_UNIX, &r->addr);
	}
	return "is none of smtp://host[:port], unix:/path, lmtp:/path, lmtp://host:port, none";
}

void conf_set_mail_relay(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *text = n->args[0].text;
	struct conf_mail_relay *r = arena_calloc(b->a, 1, sizeof(*r));

	b->srv->set |= (uint64_t)1 << d->bit;
	b->srv->s->mail_relay = NULL;
	if (r == NULL) {
		b->oom = true;
		return;
	}
	if (strcasecmp(text, "none") == 0)
		return;
	const char *why = relay_parse(b, text, r);
	if (why != NULL)
		conf_error(b, n, 0, "MailRelay: '%s': %s", text, why);
	else
		b->srv->s->mail_relay = r;
}

void conf_set_mail_rate(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *text = n->args[0].text, *why = NULL;
	struct conf_mail_rate rate = {0, 0};
	struct conf_suggest near;
	char more[128];

	if (strcasecmp(text, "none") != 0)
		why = conf_value_rate(b->a, text, CONF_RATE_DAY, &rate.count, &rate.period_ms, &near);
	if (why != NULL) {
		conf_error(b, n, 0, "MailRate: '%s' %s; write none or a number with /second, /minute, /hour or /day%s", text, why,
			   conf_suggest_text(&near, more, sizeof(more)));
		return;
	}
	b->srv->set |= (uint64_t)1 << d->bit;
	b->srv->s->mail_rate = rate;
}

/* "any", "@domain" or an address; it may stand on a line to the relay as it is. */
static bool sender_ok(const char *text)
{
	const char *at = strchr(text, '@');

	if (strcasecmp(text, "any") == 0)
		return true;
	for (const char *p = text; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p) || strchr("<>()[],;:\\\"", *p) != NULL)
			return false;
	return at != NULL && at[1] != '\0' && strchr(at + 1, '@') == NULL && text[0] != '-' && strlen(text) <= 320;
}

void conf_set_mail_from(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_server *s = b->srv->s;

	/* A second line adds to the first, not to what the main server says. */
	if ((b->srv->set >> d->bit & 1) == 0)
		s->mail_from = (struct conf_strs){0};
	b->srv->set |= (uint64_t)1 << d->bit;
	for (size_t i = 0; i < n->args_n; i++) {
		if (!sender_ok(n->args[i].text)) {
			conf_error(b, n, (int)i, "MailFrom: '%s' is not any, an address, or @ with a domain", n->args[i].text);
			continue;
		}
		const char **v = conf_append(b, s->mail_from.v, s->mail_from.n);
		if (v != NULL)
			*v = n->args[i].text;
	}
}

void conf_set_mail_user(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	b->mail_user = (struct conf_ref){n, 0, n->args[0].text};
}
