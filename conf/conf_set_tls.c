/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of mod_ssl's directives: what is said is kept, conf_tls.c makes something of it. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

void conf_set_ssl_engine(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_tls_raw *t = &b->srv->tls;

	(void)d;
	t->engine = (struct conf_ref){n, 0, n->args[0].text};
	if (strcasecmp(n->args[0].text, "optional") == 0)
		conf_error(b, n, 0, "SSLEngine: optional is refused: one address speaks either TLS or plain HTTP");
	else if (conf_value_flag(n->args[0].text, &t->on) != NULL)
		conf_error(b, n, 0, "SSLEngine: '%s' is neither On nor Off", n->args[0].text);
}

/* d->lo: 0 a certificate, 1 a key, 2 a chain. */
void conf_set_ssl_file(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_tls_raw *t = &b->srv->tls;
	const char *path = n->args[0].text;
	struct conf_ref *slot;

	if (strncasecmp(path, "pkcs11:", 7) == 0) {
		conf_error(b, n, 0, "%s: keys on a token are not used by this version; name a PEM file", n->name.text);
		return;
	}
	if (d->lo == 2)
		slot = &t->chain;
	else if (d->lo == 1)
		slot = conf_append(b, t->keys, t->keys_n);
	else
		slot = conf_append(b, t->certs, t->certs_n);
	if (slot != NULL)
		*slot = (struct conf_ref){n, 0, conf_build_path(b, path)};
}

void conf_set_ssl_protocol(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct {
		const char *name;
		unsigned bits;
	} words[] = {{"all", CONF_TLS_1_2 | CONF_TLS_1_3}, {"TLSv1.2", CONF_TLS_1_2}, {"TLSv1.3", CONF_TLS_1_3},
		{"SSLv2", 0}, {"SSLv3", 0}, {"TLSv1", 0}, {"TLSv1.1", 0}};
	struct conf_tls_raw *t = &b->srv->tls;
	unsigned versions = 0;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text, *word = text + (text[0] == '+' || text[0] == '-');
		struct conf_suggest s;
		size_t k = 0;
		char more[128];
		conf_suggest_init(&s, word);
		for (; k < sizeof(words) / sizeof(*words) && strcasecmp(words[k].name, word) != 0; k++)
			conf_suggest_try(&s, words[k].name);
		if (k == sizeof(words) / sizeof(*words)) {
			conf_error(b, n, (int)i, "SSLProtocol: '%s' is not one of all TLSv1.2 TLSv1.3%s", word, conf_suggest_text(&s, more, sizeof(more)));
			return;
		}
		if (text[0] != '-' && words[k].bits == 0)
			conf_warn(b, n, (int)i, "SSLProtocol: %s is not spoken: it is broken, and RFC 8996 forbids it", word);
		/* A word without a sign begins anew, as in Apache. */
		versions = text[0] == '-' ? versions & ~words[k].bits : text[0] == '+' ? versions | words[k].bits : words[k].bits;
	}
	if (versions == 0)
		conf_error(b, n, 0, "SSLProtocol: nothing is left that is spoken: TLSv1.2 and TLSv1.3 are");
	t->protocol = (struct conf_ref){n, 0, n->args[0].text};
	t->versions = versions;
}

/* SSLCipherSuite [SSL|TLSv1.3] list */
void conf_set_ssl_ciphers(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_tls_raw *t = &b->srv->tls;
	int arg = n->args_n == 2;
	bool tls13 = arg != 0 && strcasecmp(n->args[0].text, "TLSv1.3") == 0;
	const char *list = n->args[arg].text, *why = NULL;

	(void)d;
	if (arg != 0 && !tls13 && strcasecmp(n->args[0].text, "SSL") != 0) {
		conf_error(b, n, 0, "SSLCipherSuite: '%s' is neither SSL nor TLSv1.3", n->args[0].text);
		return;
	}
	if (b->opts->check_ciphers != NULL)
		why = b->opts->check_ciphers(list, tls13);
	if (why != NULL)
		conf_error(b, n, arg, "SSLCipherSuite: '%s' %s", list, why);
	*(tls13 ? &t->suites : &t->ciphers) = (struct conf_ref){n, arg, list};
}

/* d->lo: 0 SSLHonorCipherOrder, 1 SSLSessionTickets. */
void conf_set_ssl_flag(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_tls_raw *t = &b->srv->tls;
	const char *why = conf_value_flag(n->args[0].text, d->lo == 0 ? &t->server_order : &t->tickets_on);

	if (why != NULL)
		conf_error(b, n, 0, "%s: '%s' %s", n->name.text, n->args[0].text, why);
	*(d->lo == 0 ? &t->order : &t->tickets) = (struct conf_ref){n, 0, n->args[0].text};
}

/* Of mod_ssl's options one means something here; without a sign a line begins anew. */
void conf_set_ssl_options(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct {
		const char *name, *why; /* why: without effect */
	} words[] = {{"StdEnvVars", NULL}, {"ExportCertData", "certificates are not put into the environment"},
		{"FakeBasicAuth", "client certificates are not asked for"}, {"StrictRequire", "SSLRequireSSL is always strict"},
		{"OptRenegotiate", "nothing is renegotiated"}, {"LegacyDNStringFormat", "names are written as RFC 2253 does"},
		{"ExportBothCerts", "certificates are not put into the environment"}};

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text, *word = text + (text[0] == '+' || text[0] == '-');
		struct conf_suggest s;
		char more[128];
		size_t k = 0;
		conf_suggest_init(&s, word);
		for (; k < sizeof(words) / sizeof(*words) && strcasecmp(words[k].name, word) != 0; k++)
			conf_suggest_try(&s, words[k].name);
		if (k == sizeof(words) / sizeof(*words)) {
			conf_error(b, n, (int)i, "SSLOptions: '%s' is not an option%s", word, conf_suggest_text(&s, more, sizeof(more)));
			continue;
		}
		if (words[k].why != NULL && text[0] != '-')
			conf_build_noeffect(b, n, arena_printf(b->a, "SSLOptions %s", words[k].name), words[k].why);
		if (words[k].why == NULL || (text[0] != '+' && text[0] != '-')) {
			b->dir->tls_env = words[k].why == NULL && text[0] != '-';
			b->dir->set |= CONF_D_TLS_ENV;
		}
	}
}

void conf_set_ssl_require(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)n;
	(void)d;
	b->dir->tls_only = true;
	b->dir->set |= CONF_D_TLS_ONLY;
}

void conf_set_ssl_verify(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	if (strcasecmp(n->args[0].text, "none") == 0)
		conf_set_noeffect(b, n, d);
	else
		conf_error(b, n, 0, "SSLVerifyClient %s is refused: client certificates are not asked for by this version, and this protects something",
			n->args[0].text);
}

/* What is off and stays so. */
void conf_set_ssl_off(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	bool on;
	const char *why = conf_value_flag(n->args[0].text, &on);

	if (why != NULL)
		conf_error(b, n, 0, "%s: '%s' %s", n->name.text, n->args[0].text, why);
	else if (on)
		conf_warn(b, n, 0, "%s stays off: %s", n->name.text, d->doc);
	else
		conf_set_noeffect(b, n, d);
}
