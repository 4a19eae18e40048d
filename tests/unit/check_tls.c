/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS keeps and decides without a connection: keys of tickets, names, certificates as files. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/tls/secret.h"
#include "gateway/tls/sni.h"
#include "gateway/tls/ticket_ring.h"
#include "gateway/tls/tls_ctx.h"
#include "gateway/tls/tls_store.h"
#include "tests/unit/conf_fixture.h"

/* --- tickets ------------------------------------------------------------------------------------------------------------ */

START_TEST(ring_keeps_three_newest_first)
{
	struct ticket_ring r = {.n = 0};
	struct ticket_key k[5];
	bool newest;

	ck_assert_ptr_null(ticket_ring_newest(&r));
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(ticket_key_new(&k[i]), 0);
		ck_assert(i == 0 || memcmp(&k[i], &k[i - 1], sizeof(k[i])) != 0);
		ticket_ring_add(&r, &k[i]);
		ck_assert_mem_eq(ticket_ring_newest(&r), &k[i], sizeof(k[i]));
	}
	for (int i = 0; i < 5; i++) {
		const struct ticket_key *found = ticket_ring_find(&r, k[i].name, &newest);
		if (i < 5 - TICKET_RING_KEYS) {
			ck_assert_ptr_null(found);
			continue;
		}
		ck_assert_ptr_nonnull(found);
		ck_assert_mem_eq(found, &k[i], sizeof(k[i]));
		ck_assert_int_eq(newest, i == 4);
	}
	/* One that is in the ring already may be added: nothing is read after it was overwritten. */
	ticket_ring_add(&r, &r.v[TICKET_RING_KEYS - 1]);
	ck_assert_mem_eq(ticket_ring_newest(&r), &k[2], sizeof(k[2]));
}
END_TEST

START_TEST(keys_cross_a_channel)
{
	struct ticket_key k, got;
	uint8_t wire[TICKET_KEY_LEN + 1];

	ck_assert_int_eq(ticket_key_new(&k), 0);
	ticket_key_encode(&k, wire);
	ck_assert_int_eq(ticket_key_decode(wire, TICKET_KEY_LEN, &got), 0);
	ck_assert_mem_eq(&k, &got, sizeof(k));
	ck_assert_int_eq(ticket_key_decode(wire, TICKET_KEY_LEN - 1, &got), GW_ERR_PROTO);
	ck_assert_int_eq(ticket_key_decode(wire, TICKET_KEY_LEN + 1, &got), GW_ERR_PROTO);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------------------------------------- */

/* Whether a child can read the octet at @p: it asks the kernel to write it, so that a hole is an error and no signal. */
static bool child_reads(const void *p)
{
	int status, ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(write(ends[1], p, 1) == 1 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(ends[0]);
	close(ends[1]);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(secrets_are_inherited_only_when_said)
{
	struct secret s;
	char plain = 'x';

	ck_assert_int_eq(secret_new(&s, 100), 0);
	ck_assert_uint_ge(s.len, 100);
	memset(s.mem, 'k', s.len);
	ck_assert(child_reads(&plain));
	ck_assert(!child_reads(s.mem));
	ck_assert_int_eq(secret_share(&s, true), 0);
	ck_assert(child_reads(s.mem));
	ck_assert_int_eq(secret_share(&s, false), 0);
	ck_assert(!child_reads(s.mem));
	secret_free(&s);
	ck_assert_ptr_null(s.mem);
	secret_free(&s);
	ck_assert_int_eq(secret_share(&s, true), 0);
}
END_TEST

/* --- server_name --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *in;
	size_t len;
	ssize_t want;
	const char *name;
} names[] = {
#define BYTES(s) s, sizeof(s) - 1
	{BYTES("\0\x0b\0\0\x08" "a.b-c_9X"), 8, "a.b-c_9x"},
	{BYTES("\0\x05\0\0\x02" "a."), 1, "a"},
	{BYTES("\0\x09\x07\0\x01z\0\0\x02" "ab"), 2, "ab"}, /* a type that nobody knows is passed over */
	{BYTES("\0\0"), 0, ""},
	{BYTES(""), GW_ERR_PROTO, ""},
	{BYTES("\0"), GW_ERR_PROTO, ""},
	{BYTES("\0\x04\0\0\x02" "ab"), GW_ERR_PROTO, ""},       /* list too short */
	{BYTES("\0\x06\0\0\x02" "ab"), GW_ERR_PROTO, ""},       /* too long */
	{BYTES("\0\x05\0\0\x03" "ab"), GW_ERR_PROTO, ""},       /* name past the list */
	{BYTES("\0\x03\0\0\0"), GW_ERR_PROTO, ""},              /* empty name */
	{BYTES("\0\x02\0\0"), GW_ERR_PROTO, ""},
	{BYTES("\0\x06\0\0\x03" "a\0b"), GW_ERR_PROTO, ""},
	{BYTES("\0\x06\0\0\x03" "a b"), GW_ERR_PROTO, ""},
	{BYTES("\0\x06\0\0\x03" "a\nb"), GW_ERR_PROTO, ""},
	{BYTES("\0\x06\0\0\x03" "a*b"), GW_ERR_PROTO, ""},      /* would be a pattern, not a name */
	{BYTES("\0\x08\0\0\x01" "a\0\0\x01" "b"), GW_ERR_PROTO, ""}, /* two names of one type */
};

START_TEST(name_of_a_hello)
{
	char out[SNI_MAX + 1];
	/* Its own allocation, so that a sanitizer sees every octet too far. */
	uint8_t *in = malloc(names[_i].len + 1);

	memcpy(in, names[_i].in, names[_i].len);
	ck_assert_int_eq(sni_decode(in, names[_i].len, out), names[_i].want);
	if (names[_i].want >= 0)
		ck_assert_str_eq(out, names[_i].name);
	free(in);
}
END_TEST

START_TEST(names_have_a_bound)
{
	uint8_t in[300] = {0, 0, 0, 0, 0};
	char out[SNI_MAX + 1];

	memset(in + 5, 'a', sizeof(in) - 5);
	in[0] = 1, in[1] = 2, in[4] = 255;
	ck_assert_int_eq(sni_decode(in, 5 + 255, out), 255);
	in[0] = 1, in[1] = 3, in[3] = 1, in[4] = 0;
	ck_assert_int_eq(sni_decode(in, 5 + 256, out), GW_ERR_PROTO);
}
END_TEST

/* --- what the configuration makes of mod_ssl's words -------------------------------------------------------------------- */

START_TEST(hosts_that_say_the_same_share)
{
	struct fixture f;

	fixture_load(&f, "SSLProtocol all -TLSv1.2\nSSLSessionTickets off\nSSLCertificateKeyFile main.key\nSSLCertificateFile main.crt\n"
		"<VirtualHost *:443>\nServerName one\nSSLEngine on\n</VirtualHost>\n"
		"<VirtualHost *:443>\nServerName two\nSSLEngine on\n</VirtualHost>\n"
		"<VirtualHost *:443>\nServerName own\nSSLEngine on\nSSLCertificateFile /own.pem\nSSLProtocol TLSv1.2 +TLSv1.3\nSSLSessionTickets on\n"
		"SSLHonorCipherOrder on\nSSLCertificateFile /own2.crt\nSSLCertificateChainFile chain\nSSLOptions +StdEnvVars\n</VirtualHost>\n"
		"<VirtualHost *:8443>\nServerName unsaid\n</VirtualHost>\n<VirtualHost *:80>\nServerName plain\n</VirtualHost>\n"
		"<VirtualHost *:8443>\nServerName said\nSSLEngine on\n</VirtualHost>\n"
		"Listen 127.0.0.1:443\nListen 127.0.0.1:8443 https\nListen 127.0.0.1:80\n", false);
	ck_assert_ptr_nonnull(f.c);
	struct conf_server **s = f.c->servers;
	ck_assert_uint_eq(f.c->tls_n, 2);
	ck_assert_ptr_null(s[0]->tls);
	ck_assert_ptr_eq(s[1]->tls, s[2]->tls);
	ck_assert_ptr_eq(s[4]->tls, s[1]->tls);
	ck_assert_ptr_eq(s[6]->tls, s[1]->tls);
	ck_assert_ptr_null(s[5]->tls);
	ck_assert_str_eq(conf_scheme(s[4]), "https");
	ck_assert_uint_eq(conf_scheme_port(s[1]), 443);
	ck_assert_str_eq(conf_scheme(s[5]), "http");
	const struct conf_tls *t = s[1]->tls, *own = s[3]->tls;
	ck_assert_uint_eq(t->versions, CONF_TLS_1_3);
	ck_assert(!t->tickets && own->tickets && own->server_order && !t->server_order);
	ck_assert_uint_eq(own->versions, CONF_TLS_1_2 | CONF_TLS_1_3);
	ck_assert_uint_eq(own->certs_n, 2);
	/* The main server's key is not this certificate's. */
	ck_assert_str_eq(own->certs[0].key, "/own.pem");
	ck_assert_uint_eq(t->certs_n, 1);
	ck_assert_ptr_nonnull(strstr(t->certs[0].key, "/main.key"));
	ck_assert_uint_eq(t->certs[0].cert_at.line, 4);
	ck_assert_uint_eq(t->certs[0].key_at.line, 3);
	ck_assert_ptr_nonnull(strstr(own->chain, "/chain"));
	ck_assert(s[3]->dir->tls_env && !s[1]->dir->tls_env);
	fixture_free(&f);
}
END_TEST

/* What Debian's packages and certbot write, when the module is switched on. */
START_TEST(words_of_distributions_load)
{
	struct fixture f;

	fixture_load(&f, "LoadModule ssl_module x\nLoadModule socache_shmcb_module x\n<IfModule mod_ssl.c>\nSSLRandomSeed startup builtin\n"
		"SSLRandomSeed connect file:/dev/urandom 512\nAddType application/x-x509-ca-cert .crt\nSSLPassPhraseDialog exec:/usr/share/apache2/ask\n"
		"SSLSessionCache shmcb:/run/ssl_scache(512000)\nSSLSessionCacheTimeout 300\nSSLCipherSuite HIGH:!aNULL\nSSLProtocol all -SSLv3\n"
		"Listen 127.0.0.1:443\n</IfModule>\n<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile /etc/ssl/certs/ssl-cert-snakeoil.pem\n"
		"SSLCertificateKeyFile /etc/ssl/private/ssl-cert-snakeoil.key\n<FilesMatch \"\\.(?:cgi|shtml|phtml|php)$\">\nSSLOptions +StdEnvVars\n"
		"</FilesMatch>\n</VirtualHost>\n<VirtualHost *:443>\nServerName x\nSSLEngine on\nSSLProtocol all -SSLv2 -SSLv3 -TLSv1 -TLSv1.1\n"
		"SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256\nSSLHonorCipherOrder off\nSSLSessionTickets off\n"
		"SSLOptions +StrictRequire\nSSLCertificateFile /etc/letsencrypt/live/x/fullchain.pem\n"
		"SSLCertificateKeyFile /etc/letsencrypt/live/x/privkey.pem\n</VirtualHost>\n", false);
	ck_assert_ptr_nonnull(f.c);
	ck_assert_uint_eq(f.d.errors, 0);
	const struct conf_server *s = f.c->servers[1];
	ck_assert_str_eq(s->tls->ciphers, "HIGH:!aNULL");
	ck_assert_uint_eq(s->tls->versions, CONF_TLS_1_2 | CONF_TLS_1_3);
	ck_assert(fixture_dir_for(&f, s, "/srv/", "x.php", "/x.php")->tls_env && !fixture_dir_for(&f, s, "/srv/", "x.txt", "/x.txt")->tls_env);
	ck_assert(!f.c->servers[2]->tls->tickets && s->tls->tickets);
	fixture_free(&f);
}
END_TEST

/* What is left of a broken site file says nothing of TLS; the address must not become plain by it, wherever it stands. */
START_TEST(unavailable_hosts_speak_as_their_neighbours)
{
	struct fixture f;

	fixture_load(&f, "<VirtualHost *:8080>\nServerName first\nSiteUnavailable on\n</VirtualHost>\n"
		"<VirtualHost *:8080>\nServerName whole\nSSLEngine on\nSSLCertificateFile x.pem\n</VirtualHost>\n"
		"<VirtualHost *:8080>\nServerName last\nSiteUnavailable on\n</VirtualHost>\n", false);
	ck_assert_ptr_nonnull(f.c);
	ck_assert_ptr_nonnull(f.c->servers[2]->tls);
	ck_assert_ptr_eq(f.c->servers[1]->tls, f.c->servers[2]->tls);
	ck_assert_ptr_eq(f.c->servers[3]->tls, f.c->servers[2]->tls);
	fixture_free(&f);
}
END_TEST

/* --- certificates as files ------------------------------------------------------------------------------------------------ */

static EVP_PKEY *new_key(bool ec)
{
	EVP_PKEY *k = ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);

	ck_assert_ptr_nonnull(k);
	return k;
}

static char *path_of(const char *name)
{
	static char path[4][512];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", fixture_dir(), name);
	return path[turn];
}

static void write_cert(const char *name, EVP_PKEY *key, const char *cn, long from, long until)
{
	X509 *x = X509_new();
	FILE *f = fopen(path_of(name), "w");

	ck_assert(x != NULL && f != NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), until);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
}

static void write_key(const char *name, EVP_PKEY *key, const char *phrase)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, phrase != NULL ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (char *)(uintptr_t)phrase), 1);
	fclose(f);
}

static EVP_PKEY *rsa, *other, *ec;

static void make_files(void)
{
	char *big = malloc(2 << 20);

	rsa = new_key(false);
	other = new_key(false);
	ec = new_key(true);
	write_cert("rsa.crt", rsa, "a.test", -60, 86400 * 90);
	write_key("rsa.key", rsa, NULL);
	write_key("other.key", other, NULL);
	write_cert("ec.crt", ec, "a.test", -60, 86400 * 90);
	write_key("ec.key", ec, NULL);
	write_key("phrase.key", rsa, "secret");
	write_cert("old.crt", rsa, "a.test", -86400 * 9, -60);
	write_cert("early.crt", rsa, "a.test", 86400, 86400 * 90);
	write_cert("wrong.crt", rsa, "b.test", -60, 86400 * 90);
	fixture_file("empty", "");
	fixture_file("noise", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	memset(big, 'x', 2 << 20);
	big[(2 << 20) - 1] = '\0';
	fixture_file("big", big);
	free(big);
	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
}

static const struct {
	const char *lines;
	bool good;
	unsigned line; /* of the first thing said, 0: nothing is said */
	const char *said;
} bundles[] = {
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile rsa.key\n", true, 0, NULL},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile rsa.key\nSSLCertificateFile ec.crt\nSSLCertificateKeyFile ec.key\n", true, 0, NULL},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile rsa.key\nSSLCertificateChainFile ec.crt\n", true, 0, NULL},
	{"SSLCertificateFile old.crt\nSSLCertificateKeyFile rsa.key\n", true, 4, "has expired"},
	{"SSLCertificateFile early.crt\nSSLCertificateKeyFile rsa.key\n", true, 4, "not valid yet"},
	{"SSLCertificateFile wrong.crt\nSSLCertificateKeyFile rsa.key\n", true, 4, "not made for a.test"},
	{"", false, 3, "there is no SSLCertificateFile"},
	{"SSLCertificateFile missing.crt\nSSLCertificateKeyFile rsa.key\n", false, 4, "No such file"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile missing.key\n", false, 5, "No such file"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile other.key\n", false, 5, "does not belong to the certificate"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile ec.key\n", false, 5, "does not belong to the certificate"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile phrase.key\n", false, 5, "has a passphrase"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile rsa.crt\n", false, 4, "holds no private key"},
	{"SSLCertificateFile rsa.crt\n", false, 4, "holds no private key"},
	{"SSLCertificateFile rsa.key\nSSLCertificateKeyFile rsa.key\n", false, 4, "holds no certificate"},
	{"SSLCertificateFile empty\nSSLCertificateKeyFile rsa.key\n", false, 4, "holds no certificate"},
	{"SSLCertificateFile noise\nSSLCertificateKeyFile rsa.key\n", false, 4, "cannot be used"},
	{"SSLCertificateFile big\nSSLCertificateKeyFile rsa.key\n", false, 4, "larger than a certificate"},
	{"SSLCertificateFile .\nSSLCertificateKeyFile rsa.key\n", false, 4, "not a regular file"},
	{"SSLCertificateFile fifo\nSSLCertificateKeyFile rsa.key\n", false, 4, "not a regular file"},
	{"SSLCertificateFile rsa.crt\nSSLCertificateKeyFile rsa.key\nSSLCertificateChainFile empty\n", false, 6, "holds no certificate"},
};

static struct tls_store *load(const struct fixture *f, const struct tls_store *old, struct conf_diags *d)
{
	bool none;

	conf_diags_init(d);
	struct tls_store *s = tls_store_load(f->c, old, false, d, &none);
	ck_assert(!none);
	ck_assert_ptr_nonnull(s);
	return s;
}

/* Beside each one stands a host that is whole, and stays so. */
START_TEST(bundle_is_judged)
{
	struct fixture f;
	struct conf_diags d;
	char text[2048];

	make_files();
	snprintf(text, sizeof(text), "<VirtualHost *:8080>\nServerName a.test\nSSLEngine on\n%s</VirtualHost>\n<VirtualHost *:8080>\nServerName b.test\n"
		"SSLEngine on\nSSLCertificateFile wrong.crt\nSSLCertificateKeyFile rsa.key\nSSLProtocol TLSv1.2\n</VirtualHost>\n", bundles[_i].lines);
	fixture_load(&f, text, false);
	ck_assert_ptr_nonnull(f.c);
	struct tls_store *s = load(&f, NULL, &d);
	ck_assert_uint_eq(s->n, 2);
	ck_assert_int_eq(s->v[0].good, bundles[_i].good);
	ck_assert(s->v[1].good && !s->v[1].kept);
	ck_assert_str_eq(s->v[1].subject, "CN = b.test");
	ck_assert_uint_eq(d.errors, bundles[_i].good ? 0 : 1);
	if (bundles[_i].line != 0) {
		ck_assert_uint_eq(d.n, 1);
		ck_assert_msg(strstr(d.v[0].text, bundles[_i].said) != NULL, "%s", d.v[0].text);
		ck_assert_uint_eq(d.v[0].line, bundles[_i].line);
	} else {
		ck_assert_uint_eq(d.n, 0);
	}
	struct tls_fault fault;
	SSL_CTX *ctx = s->v[0].good ? tls_ctx_new(f.c->tls[0], &s->v[0], &fault) : NULL;
	ck_assert_int_eq(ctx != NULL, bundles[_i].good);
	SSL_CTX_free(ctx);
	tls_store_free(s);
	conf_diags_fini(&d);
	fixture_free(&f);
}
END_TEST

START_TEST(a_broken_renewal_keeps_what_was)
{
	struct fixture f;
	struct conf_diags d;
	struct tls_fault fault;

	make_files();
	write_cert("live.crt", rsa, "a.test", -60, 86400 * 30);
	write_key("live.key", rsa, NULL);
	fixture_load(&f, "<VirtualHost *:8080>\nServerName a.test\nSSLEngine on\nSSLCertificateFile live.crt\nSSLCertificateKeyFile live.key\n</VirtualHost>\n", false);
	struct tls_store *first = load(&f, NULL, &d), *second, *third;
	ck_assert(first->v[0].good && d.n == 0);
	conf_diags_fini(&d);
	/* Half a renewal: the certificate is new, its key is not there yet. */
	write_cert("live.crt", other, "a.test", -60, 86400 * 60);
	second = load(&f, first, &d);
	tls_store_free(first);
	ck_assert(second->v[0].good && second->v[0].kept);
	ck_assert_uint_eq(d.errors, 1);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_ptr_nonnull(strstr(d.v[1].text, "goes on with the certificate that it had"));
	conf_diags_fini(&d);
	/* And again, with the file gone. */
	ck_assert_int_eq(unlink(path_of("live.key")), 0);
	third = load(&f, second, &d);
	ck_assert(third->v[0].good && third->v[0].kept);
	ck_assert_int_eq((int)third->v[0].not_after, (int)second->v[0].not_after);
	conf_diags_fini(&d);
	SSL_CTX *ctx = tls_ctx_new(f.c->tls[0], &third->v[0], &fault);
	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(tls_ctx_leaf(ctx)), rsa), 1);
	SSL_CTX_free(ctx);
	tls_store_free(second);
	/* The other half. */
	write_key("live.key", other, NULL);
	first = load(&f, third, &d);
	ck_assert(first->v[0].good && !first->v[0].kept && d.n == 0);
	ctx = tls_ctx_new(f.c->tls[0], &first->v[0], &fault);
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(tls_ctx_leaf(ctx)), other), 1);
	SSL_CTX_free(ctx);
	conf_diags_fini(&d);
	tls_store_free(third);
	tls_store_free(first);
	fixture_free(&f);
}
END_TEST

START_TEST(lists_of_ciphers_are_known_or_not)
{
	ck_assert_ptr_null(tls_check_ciphers("HIGH:!aNULL", false));
	ck_assert_ptr_null(tls_check_ciphers("TLS_AES_128_GCM_SHA256", true));
	ck_assert_ptr_nonnull(tls_check_ciphers("NOSUCHCIPHER", false));
	ck_assert_ptr_nonnull(tls_check_ciphers("TLS_NO_SUCH", true));
}
END_TEST

static Suite *suite_tls(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, ring_keeps_three_newest_first);
	tcase_add_test(t, keys_cross_a_channel);
	tcase_add_test(t, secrets_are_inherited_only_when_said);
	tcase_add_loop_test(t, name_of_a_hello, 0, (int)(sizeof(names) / sizeof(*names)));
	tcase_add_test(t, names_have_a_bound);
	tcase_add_test(t, hosts_that_say_the_same_share);
	tcase_add_test(t, words_of_distributions_load);
	tcase_add_test(t, unavailable_hosts_speak_as_their_neighbours);
	tcase_add_loop_test(t, bundle_is_judged, 0, (int)(sizeof(bundles) / sizeof(*bundles)));
	tcase_add_test(t, a_broken_renewal_keeps_what_was);
	tcase_add_test(t, lists_of_ciphers_are_known_or_not);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_tls)
