/* SPDX-License-Identifier: Apache-2.0 */
/* How clients are taken and files answered: values, merging, and what several extensions mean together. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gateway/http/accept_encoding.h"
#include "tests/unit/conf_fixture.h"

#define MIME "AddType text/html .html\nAddType text/x-own .own\nAddCharset UTF-8 .utf8\nAddCharset EUC-JP .jp\nAddEncoding x-gzip .gz\n" \
	"AddEncoding compress .Z\nAddLanguage en .en\nAddLanguage fr .fr\n"

static const struct {
	const char *conf, *name;
	const char *type, *charset, *encoding, *language;
} meta_cases[] = {
	{MIME, "a.html", "text/html", NULL, "", ""},
	{MIME, "a.html.en", "text/html", NULL, "", "en"},
	{MIME, "a.en.html", "text/html", NULL, "", "en"},
	{MIME, "a.fr.html.en", "text/html", NULL, "", "fr, en"},
	{MIME, "a.html.gz", "application/gzip", NULL, "x-gzip", ""},
	{MIME, "a.html.utf8.fr.gz.Z", "application/gzip", "UTF-8", "x-gzip, compress", "fr"},
	{MIME, "a.html.utf8.jp", "text/html", "EUC-JP", "", ""},
	{MIME, "A.HTML.UTF8.EN", "text/html", "UTF-8", "", "en"},
	/* an unknown extension changes nothing; the first part of the name is none */
	{MIME, "a.html.what.en", "text/html", NULL, "", "en"},
	{MIME, "en", NULL, NULL, "", ""},
	{MIME, ".en", NULL, NULL, "", ""},
	{MIME, "..en.fr", NULL, NULL, "", "fr"},
	{MIME, "a..en.", NULL, NULL, "", "en"},
	/* a character set of the type's own wins, also over the default */
	{"AddType \"text/html; charset=x\" .html\nAddCharset UTF-8 .utf8\nAddDefaultCharset y\n", "a.html.utf8", "text/html; charset=x", NULL, "", ""},
	{MIME "AddDefaultCharset y\n", "a.html", "text/html", "y", "", ""},
	{MIME "AddDefaultCharset y\n", "a.html.jp", "text/html", "EUC-JP", "", ""},
	{MIME "AddDefaultCharset y\n", "a.own", "text/x-own", NULL, "", ""},
	{MIME "<Files *>\nForceType text/plain\n</Files>\n", "a.html.utf8.fr", "text/plain", NULL, "", "fr"},
	/* removed; and not what another family says of the same extension */
	{MIME "<Files *>\nRemoveCharset .utf8\nRemoveEncoding gz\nRemoveLanguage .en\n</Files>\n", "a.html.utf8.en.fr.gz.Z", "application/gzip", NULL, "compress", "fr"},
	{MIME "AddLanguage de .own\n<Files *>\nRemoveLanguage .own\n</Files>\n", "a.own", "text/x-own", NULL, "", ""},
	{MIME "<Files *>\nRemoveHandler .own\n</Files>\n", "a.own", "text/x-own", NULL, "", ""},
	{MIME "<Files *>\nRemoveType .own .html\n</Files>\n", "a.own", NULL, NULL, "", ""},
	{MIME "<Files *>\nRemoveType .own .html\n</Files>\n", "a.html", "text/html", NULL, "", ""},
	{MIME "<Files *>\nAddLanguage pt-BR .en\n</Files>\n", "a.html.en", "text/html", NULL, "", "pt-BR"},
	{MIME "DefaultLanguage da\n", "a.html", "text/html", NULL, "", "da"},
	{MIME "DefaultLanguage da\n", "a.html.en", "text/html", NULL, "", "en"},
	{MIME "DefaultLanguage da\n<Files *>\nDefaultLanguage None\n</Files>\n", "a.html", "text/html", NULL, "", ""},
};

START_TEST(metas)
{
	struct fixture f;
	struct conf_file_meta m;

	fixture_good(&f, meta_cases[_i].conf);
	const struct conf_dir *d = fixture_dir_for(&f, f.c->servers[0], "/a/", meta_cases[_i].name, "/x");
	conf_file_meta(f.c, d, meta_cases[_i].name, &m);
	ck_assert_pstr_eq(m.type, meta_cases[_i].type);
	ck_assert_pstr_eq(m.charset, meta_cases[_i].charset);
	ck_assert_str_eq(m.encoding, meta_cases[_i].encoding);
	ck_assert_str_eq(m.language, meta_cases[_i].language);
	fixture_free(&f);
}
END_TEST

#define M CONF_ETAG_MTIME
#define S CONF_ETAG_SIZE
#define I CONF_ETAG_INODE

static const struct {
	const char *outer, *inner;
	unsigned bits;
} etag_cases[] = {
	{"", "", M | S},
	{"FileETag MTime", "", M},
	{"FileETag All", "", M | S | I},
	{"FileETag None", "", 0},
	{"FileETag MTime\nFileETag Size", "", S},
	{"FileETag MTime Size", "FileETag INode", I},
	{"FileETag MTime Size", "FileETag +INode", M | S | I},
	{"FileETag MTime Size", "FileETag -MTime", S},
	{"FileETag -MTime", "FileETag +INode", S | I},
	{"FileETag -MTime", "FileETag +MTime", M | S},
	{"FileETag None", "FileETag +Size", S},
	{"FileETag +INode", "FileETag None", 0},
};

START_TEST(etags)
{
	struct fixture f;
	char text[256];

	snprintf(text, sizeof(text), "%s\n<Directory /a>\n%s\n</Directory>\n", etag_cases[_i].outer, etag_cases[_i].inner);
	fixture_good(&f, text);
	const struct conf_dir *d = fixture_dir_for(&f, f.c->servers[0], "/a/", "x", "/x");
	ck_assert_msg(conf_bits_value(&d->serving.etag, M | S) == etag_cases[_i].bits, "%s: %u", text, d->serving.etag.on);
	fixture_free(&f);
}
END_TEST

START_TEST(inherited)
{
	struct fixture f;
	const struct conf_serving *s;

	fixture_good(&f, "PrecompressedFiles On\nFallbackResource /index.php\nIndexIgnore *~ CVS\nIndexOptions FoldersFirst NameWidth=*\n"
			 "AddDescription outer .txt\nHeaderName HEADER.html\nIndexOrderDefault Descending Date\n"
			 "<Directory /a>\nPrecompressedFiles gzip\nDirectorySlash Off\nIndexIgnore *.bak\nIndexOptions +VersionSort -FoldersFirst\n"
			 "AddDescription inner a.txt\n</Directory>\n"
			 "<Directory /a/b>\nPrecompressedFiles Off\nFallbackResource disabled\nIndexIgnoreReset On\nIndexIgnore x\nIndexOptions SuppressSize\n"
			 "ReadmeName r.txt\nDirectorySlash On\n</Directory>\n");
	s = &fixture_dir_for(&f, f.c->servers[0], "/", "x", "/x")->serving;
	ck_assert_uint_eq(s->precompressed, CODING_BIT(CODING_BR) | CODING_BIT(CODING_GZIP));
	ck_assert_str_eq(s->fallback, "/index.php");
	ck_assert_uint_eq(s->listing.ignore_n, 2);
	ck_assert_uint_eq(conf_bits_value(&s->listing.options, 0), CONF_LIST_FOLDERS_FIRST);
	ck_assert_int_eq(s->listing.order, 'M');
	ck_assert(s->listing.descending);
	ck_assert_int_eq(s->slash, CONF_SLASH_ON);
	s = &fixture_dir_for(&f, f.c->servers[0], "/a/", "x", "/x")->serving;
	ck_assert_uint_eq(s->precompressed, CODING_BIT(CODING_GZIP));
	ck_assert_int_eq(s->slash, CONF_SLASH_OFF);
	ck_assert_uint_eq(s->listing.ignore_n, 3);
	ck_assert_str_eq(s->listing.ignore[2], "*.bak");
	ck_assert_uint_eq(conf_bits_value(&s->listing.options, 0), CONF_LIST_VERSION_SORT);
	ck_assert_str_eq(s->listing.descriptions[0].text, "inner");
	ck_assert_str_eq(s->listing.descriptions[1].text, "outer");
	ck_assert_str_eq(s->listing.header, "HEADER.html");
	s = &fixture_dir_for(&f, f.c->servers[0], "/a/b/", "x", "/x")->serving;
	ck_assert_uint_eq(s->precompressed, 0);
	ck_assert_ptr_null(s->fallback);
	ck_assert_int_eq(s->slash, CONF_SLASH_ON);
	ck_assert_uint_eq(s->listing.ignore_n, 1);
	ck_assert_uint_eq(conf_bits_value(&s->listing.options, 0), CONF_LIST_NO_SIZE);
	ck_assert_str_eq(s->listing.readme, "r.txt");
	ck_assert_uint_eq(s->listing.descriptions_n, 2);
	fixture_free(&f);
}
END_TEST

START_TEST(no_effect_is_said)
{
	struct fixture f;

	fixture_good(&f, "Options Indexes MultiViews\nOptions -ExecCGI\nIndexOptions +FoldersFirst +NameWidth=*\nReadmeName /icons/README.html\n");
	char *text = fixture_dump(conf_dump_noeffect, f.c);
	ck_assert_ptr_nonnull(strstr(text, "MultiViews has no effect: there is no negotiation"));
	ck_assert_ptr_nonnull(strstr(text, "IndexOptions NameWidth has no effect: "));
	ck_assert_ptr_nonnull(strstr(text, "ReadmeName has no effect: "));
	ck_assert_ptr_null(strstr(text, "ExecCGI"));
	ck_assert_ptr_null(strstr(text, "FoldersFirst"));
	free(text);
	fixture_free(&f);
}
END_TEST

START_TEST(file_cache)
{
	struct fixture f;

	fixture_good(&f, "");
	ck_assert_uint_eq(f.c->file_cache.files, 1024);
	ck_assert_uint_eq(f.c->file_cache.age_ms, 250);
	ck_assert_uint_eq(f.c->file_cache.missing, 0);
	fixture_free(&f);
	fixture_good(&f, "OpenFileCache max=10 memory=2M age=5 missing=7\n");
	ck_assert_uint_eq(f.c->file_cache.files, 10);
	ck_assert_int_eq(f.c->file_cache.memory, 2097152);
	ck_assert_uint_eq(f.c->file_cache.age_ms, 5000);
	ck_assert_uint_eq(f.c->file_cache.missing, 7);
	fixture_free(&f);
	fixture_good(&f, "OpenFileCache Off\n");
	ck_assert_uint_eq(f.c->file_cache.files, 0);
	fixture_free(&f);
}
END_TEST

static const struct {
	const char *in;
	unsigned column;
	const char *part;
} bad_cases[] = {
	{"AddCharset \"utf 8\" .x\n", 12, "'utf 8' cannot stand in a header field"},
	{"AddEncoding gz/ip .x\n", 13, "cannot stand in a header field"},
	{"AddLanguage en .a.b\n", 16, "'.a.b' is not an extension"},
	{"DefaultLanguage \"e\tn\"\n", 17, "is not a language tag"},
	{"FileETag MTime Sice\n", 16, "there is no 'Sice'; did you mean Size?"},
	{"FileETag +None\n", 10, "None takes no + or -"},
	{"DirectorySlash maybe\n", 16, "there is no 'maybe'"},
	{"FallbackResource index.php\n", 18, "must begin with a slash"},
	{"FallbackResource /index.php?x\n", 18, "no query"},
	{"PrecompressedFiles zstd\n", 20, "there is no 'zstd'"},
	{"PrecompressedFiles br Off\n", 23, "Off stands alone"},
	{"IndexOptions FolderFirst\n", 14, "did you mean FoldersFirst?"},
	{"IndexOrderDefault Ascending Nme\n", 29, "did you mean Name?"},
	{"OpenFileCache max=0\n", 15, "'max=0'"},
	{"OpenFileCache size=1\n", 15, "is none of"},
	{"OpenFileCache memory=1X\n", 15, "'memory=1X'"},
	{"<Directory /a>\nOpenFileCache Off\n</Directory>\n", 0, "OpenFileCache"},
};

START_TEST(bad)
{
	struct fixture f;

	fixture_load(&f, bad_cases[_i].in, false);
	ck_assert_msg(f.c == NULL, "%s", bad_cases[_i].in);
	ck_assert_msg(fixture_said(&f, true, 0, bad_cases[_i].column, bad_cases[_i].part), "%s", bad_cases[_i].in);
	fixture_free(&f);
}
END_TEST

static struct sockaddr_in port_of(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A connection is there before a host is: what one host at a port says counts for all of them, and the last wins. */
START_TEST(proxy_protocol_belongs_to_a_port)
{
	struct fixture f;
	struct sockaddr_in a = port_of(8080), b = port_of(8081), c = port_of(8082);

	fixture_good(&f, "Listen 127.0.0.1:8081\nListen 127.0.0.1:8082\nRemoteIPProxyProtocolExceptions 127.0.0.5\n"
		"<VirtualHost *:8080>\nServerName a.example\n</VirtualHost>\n"
		"<VirtualHost *:8080>\nServerName b.example\nRemoteIPProxyProtocol On\nRemoteIPProxyProtocolFrom 10.0.0.0/8\n</VirtualHost>\n"
		"<VirtualHost *:8081>\nServerName c.example\n</VirtualHost>\n"
		"<VirtualHost *:8082>\nRemoteIPProxyProtocol On\nRemoteIPProxyProtocolFrom 10.0.0.0/8\n</VirtualHost>\n"
		"<VirtualHost *:8082>\nServerName d.example\nRemoteIPProxyProtocol Off\n</VirtualHost>\n");
	const struct conf_proxy_protocol *p = conf_find_proxy_protocol(f.c, (struct sockaddr *)&a);
	ck_assert_int_eq(p->mode, CONF_PROXY_ON);
	ck_assert(!p->from_all && p->from.n == 1 && p->except.n == 1);
	ck_assert_int_eq(conf_find_proxy_protocol(f.c, (struct sockaddr *)&b)->mode, CONF_PROXY_OFF);
	ck_assert_int_eq(conf_find_proxy_protocol(f.c, (struct sockaddr *)&c)->mode, CONF_PROXY_OFF);
	fixture_free(&f);
}
END_TEST

START_TEST(clients_are_bounded_as_said)
{
	struct fixture f;

	fixture_file("proxies.list", "# ours\n10.1.0.0/16\n 2001:db8::/32 unix: # both\n\n");
	fixture_good(&f, "RequestReadTimeout header=10-20,MinRate=100 body=0\nRemoteIPHeader X-Real-IP\nRemoteIPTrustedProxy 192.0.2.1\n"
		"RemoteIPInternalProxy 10 localhost\nLimitClientRate 50/second burst=100\nLimitClientExempt 10.0.0.0/8 ::1\nLimitClientPrefix 24 48\n"
		"<VirtualHost *:8080>\nServerName a.example\nRequestReadTimeout BODY=500ms,minrate=7\nRemoteIPTrustedProxyList proxies.list\n</VirtualHost>\n"
		"<VirtualHost *:8080>\nServerName b.example\n</VirtualHost>\n");
	const struct conf_server *m = f.c->servers[0], *a = f.c->servers[1], *b = f.c->servers[2];
	ck_assert_uint_eq(m->read_timeout.handshake.start_ms, 20000);
	ck_assert_uint_eq(m->read_timeout.header.max_ms, 20000);
	ck_assert_uint_eq(m->read_timeout.body.start_ms, 0);
	ck_assert_uint_eq(a->read_timeout.header.rate, 100);
	ck_assert_uint_eq(a->read_timeout.body.start_ms, 500);
	ck_assert_uint_eq(a->read_timeout.body.rate, 7);
	ck_assert_uint_eq(b->read_timeout.body.start_ms, 0);
	/* A host's own list replaces the main server's. */
	ck_assert_str_eq(a->remote_ip.header, "x-real-ip");
	ck_assert_uint_eq(a->remote_ip.proxies_n, 2);
	ck_assert_int_eq(a->remote_ip.unix_peers, REMOTE_IP_TRUSTED);
	ck_assert_uint_ge(b->remote_ip.proxies_n, 3);
	ck_assert_int_eq(b->remote_ip.proxies[0].trust, REMOTE_IP_TRUSTED);
	ck_assert_int_eq(b->remote_ip.proxies[1].trust, REMOTE_IP_INTERNAL);
	ck_assert_int_eq(b->remote_ip.unix_peers, REMOTE_IP_NONE);
	const struct conf_client_limits *l = &f.c->clients;
	ck_assert(l->connections == CONF_CLIENT_SHARE && l->rate_n == 50 && l->rate_ms == 1000 && l->burst == 100);
	ck_assert(l->v4_bits == 24 && l->v6_bits == 48 && l->exempt.n == 2);
	fixture_free(&f);
}
END_TEST

Suite *suite_conf_serving(void);

Suite *suite_conf_serving(void)
{
	Suite *s = suite_create("conf: serving");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, metas, 0, (int)(sizeof(meta_cases) / sizeof(*meta_cases)));
	tcase_add_loop_test(t, etags, 0, (int)(sizeof(etag_cases) / sizeof(*etag_cases)));
	tcase_add_test(t, inherited);
	tcase_add_test(t, no_effect_is_said);
	tcase_add_test(t, file_cache);
	tcase_add_test(t, proxy_protocol_belongs_to_a_port);
	tcase_add_test(t, clients_are_bounded_as_said);
	tcase_add_loop_test(t, bad, 0, (int)(sizeof(bad_cases) / sizeof(*bad_cases)));
	suite_add_tcase(s, t);
	return s;
}
