/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of how long and how often a client may ask: RequestReadTimeout and its kin. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

#define HOUR_MS 3600000

/* --- RequestReadTimeout ------------------------------------------------------------------------------------------------ */

static const char *const stages[] = {"handshake", "header", "body"};

/* "20", "20-40,MinRate=500", "20,MinRate=500"; the text is cut up. Returns NULL, or why not. */
static const char *pace_parse(char *text, struct pace *out)
{
	struct pace p = {0, 0, 0};
	char *comma = strchr(text, ','), *dash;
	const char *why;
	int64_t rate = 0;

	if (comma != NULL) {
		*comma++ = '\0';
		if (strncasecmp(comma, "MinRate=", 8) != 0)
			return "is followed by something else than MinRate=";
		if (conf_value_int(comma + 8, 1, INT32_MAX, &rate) != NULL)
			return "has a MinRate that is no number of octets from 1 on";
		p.rate = (unsigned)rate;
	}
	dash = strchr(text, '-');
	if (dash != NULL)
		*dash++ = '\0';
	why = conf_value_time(text, 0, HOUR_MS, &p.start_ms);
	if (why == NULL && dash != NULL)
		why = conf_value_time(dash, 1, HOUR_MS, &p.max_ms);
	if (why != NULL)
		return why;
	if (dash != NULL && p.max_ms < p.start_ms)
		return "allows less at most than at first";
	if (dash != NULL && p.rate == 0)
		return "is a range: say by MinRate= what extends it";
	*out = p;
	return NULL;
}

void conf_set_read_timeout(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_read_timeout *t = &b->srv->s->read_timeout;
	struct pace *const paces[] = {&t->handshake, &t->header, &t->body};

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		char *text = conf_dup(b, n->args[i].text), *value = text != NULL ? strchr(text, '=') : NULL;
		struct conf_suggest s;
		char more[128];
		size_t at = 0;

		if (text == NULL)
			return;
		if (value != NULL)
			*value++ = '\0';
		conf_suggest_init(&s, text);
		for (; at < 3 && strcasecmp(stages[at], text) != 0; at++)
			conf_suggest_try(&s, stages[at]);
		if (at == 3 || value == NULL) {
			conf_error(b, n, (int)i, "RequestReadTimeout: '%s' is none of handshake=, header= and body=%s", n->args[i].text,
				   conf_suggest_text(&s, more, sizeof(more)));
			continue;
		}
		const char *why = pace_parse(value, paces[at]);
		if (why != NULL)
			conf_error(b, n, (int)i, "RequestReadTimeout: '%s' %s", n->args[i].text, why);
		t->set |= 1U << at;
	}
}

void conf_read_timeout_inherit(struct conf_read_timeout *t, const struct conf_read_timeout *from)
{
	if ((t->set & 1U) == 0)
		t->handshake = from->handshake;
	if ((t->set & 2U) == 0)
		t->header = from->header;
	if ((t->set & 4U) == 0)
		t->body = from->body;
}

/* --- LimitClient... -------------------------------------------------------------------------------------------------------- */

void conf_clients_defaults(struct conf_client_limits *l)
{
	static const struct ip_net loopback[] = {{{{[10] = 0xff, [11] = 0xff, [12] = 127}}, 104}, {{{[15] = 1}}, 128}};

	*l = (struct conf_client_limits){.connections = CONF_CLIENT_SHARE, .v4_bits = 32, .v6_bits = 64,
		.exempt = {sizeof(loopback) / sizeof(*loopback), loopback}};
}

void conf_set_client_connections(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	int64_t v = 0;
	const char *text = n->args[0].text, *why = NULL;

	(void)d;
	if (strcasecmp(text, "none") != 0)
		why = conf_value_int(text, 1, 100000000, &v);
	if (why != NULL)
		conf_error(b, n, 0, "LimitClientConnections: '%s' %s; write none or a number", text, why);
	else
		b->c->clients.connections = (unsigned)v;
}

void conf_set_client_rate(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_client_limits l = b->c->clients;
	const char *text = n->args[0].text, *why = NULL;
	struct conf_suggest near;
	char more[128];
	int64_t burst;

	(void)d;
	l.rate_n = l.rate_ms = l.burst = 0;
	if (strcasecmp(text, "none") != 0)
		why = conf_value_rate(b->a, text, CONF_RATE_HOUR, &l.rate_n, &l.rate_ms, &near);
	l.burst = l.rate_n;
	if (why != NULL) {
		conf_error(b, n, 0, "LimitClientRate: '%s' %s; write none or a number with /second, /minute or /hour%s", text, why,
			   conf_suggest_text(&near, more, sizeof(more)));
		return;
	}
	if (n->args_n > 1) {
		const char *word = n->args[1].text;
		why = strncasecmp(word, "burst=", 6) != 0 ? "is not burst=number" : conf_value_int(word + 6, 1, 1000000, &burst);
		if (why == NULL && l.rate_n == 0)
			why = "belongs to a rate";
		if (why != NULL) {
			conf_error(b, n, 1, "LimitClientRate: '%s' %s", word, why);
			return;
		}
		l.burst = (unsigned)burst;
	}
	b->c->clients = l;
}

void conf_set_client_prefix(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	unsigned *const bits[] = {&b->c->clients.v4_bits, &b->c->clients.v6_bits};
	int64_t v;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *why = conf_value_int(n->args[i].text, 1, i == 0 ? 32 : 128, &v);
		if (why != NULL)
			conf_error(b, n, (int)i, "LimitClientPrefix: '%s' %s; it goes from 1 to %d", n->args[i].text, why, i == 0 ? 32 : 128);
		else
			*bits[i] = (unsigned)v;
	}
}

void conf_set_client_exempt(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct ip_nets *nets = &b->c->clients.exempt;
	struct ip_net *v = NULL;
	size_t count = 0;

	(void)d;
	if (n->args_n == 1 && strcasecmp(n->args[0].text, "none") == 0) {
		*nets = (struct ip_nets){0, NULL};
		return;
	}
	for (size_t i = 0; i < n->args_n; i++) {
		struct ip_net net, *slot;
		const char *why = ip_net_parse(n->args[i].text, &net);
		if (why != NULL)
			conf_say(b, why != ip_net_behind, n, (int)i, "LimitClientExempt: '%s' %s", n->args[i].text, why);
		if (why != NULL && why != ip_net_behind)
			continue;
		slot = conf_append(b, v, count);
		if (slot != NULL)
			*slot = net;
	}
	*nets = (struct ip_nets){count, v};
}
