/* SPDX-License-Identifier: Apache-2.0 */
/* SetEnvIf, Header, Expires: from configuration text to what becomes of fields. */
#include <stdio.h>
#include <string.h>

#include "conf/conf_regex.h"
#include "gateway/answer/answer_edit.h"
#include "gateway/answer/expires.h"
#include "gateway/answer/header_rules.h"
#include "gateway/http/field_lines.h"
#include "gateway/answer/request_env.h"
#include "tests/unit/check_edit.h"
#include "tests/unit/conf_fixture.h"

/* --- fields as text ---------------------------------------------------------------------------------------------------- */

static void is_text(const struct buf *b, const char *want)
{
	char *text = strndup(buf_unread(b) > 0 ? (const char *)buf_head(b) : "", buf_unread(b));

	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(field_text)
{
	struct field_line f;
	struct buf b;

	buf_init(&b);
	ck_assert(!field_lines_find(&b, "A", 1, &f));
	ck_assert(!field_lines_unset(&b, "A", 1));
	ck_assert_int_eq(field_lines_add(&b, "A", 1, "one", 3), 0);
	ck_assert_int_eq(field_lines_add(&b, "Bb", 2, "", 0), 0);
	ck_assert_int_eq(field_lines_add(&b, "a", 1, "two", 3), 0);
	is_text(&b, "A: one\r\nBb: \r\na: two\r\n");
	ck_assert(field_lines_find(&b, "BB", 2, &f));
	ck_assert_uint_eq(f.value_len, 0);
	ck_assert_int_eq(field_lines_append(&b, "bB", 2, "x", 1), 0);
	ck_assert_int_eq(field_lines_append(&b, "A", 1, "z, y", 4), 0);
	is_text(&b, "A: one, z, y\r\nBb: x\r\na: two\r\n");
	ck_assert(field_lines_lists(&b, "a", 1, "TWO", 3));
	ck_assert(field_lines_lists(&b, "a", 1, "y", 1));
	ck_assert(!field_lines_lists(&b, "a", 1, "on", 2));
	ck_assert_int_eq(field_lines_set(&b, "A", 1, "only, longer than before", 24), 0);
	is_text(&b, "A: only, longer than before\r\nBb: x\r\n");
	/* nobody's value begins a line of its own */
	ck_assert_int_eq(field_lines_set(&b, "Bb", 2, "x\r\nSet-Cookie: a=b\0c", 20), 0);
	is_text(&b, "A: only, longer than before\r\nBb: x  Set-Cookie: a=b c\r\n");
	ck_assert(field_lines_unset(&b, "a", 1));
	ck_assert(field_lines_unset(&b, "bb", 2));
	is_text(&b, "");
	buf_fini(&b);
}
END_TEST

/* --- variables ------------------------------------------------------------------------------------------------------------ */

static const struct conf_edit *load(struct fixture *f, const char *text)
{
	fixture_good(f, text);
	const struct conf_dir *d = fixture_dir_for(f, f->c->servers[0], "/a/", "x", "/x");
	return d->edit;
}

static const struct {
	const char *conf, *fields;
	const char *name, *value; /* value NULL: not set */
} env_cases[] = {
	{"SetEnv A b", "", "A", "b"},
	{"SetEnv A b", "", "a", "b"},
	{"SetEnv A", "", "A", ""},
	{"SetEnv A b\nUnsetEnv A", "", "A", NULL},
	{"SetEnv A b\n<Directory /a>\nUnsetEnv A\n</Directory>", "", "A", NULL},
	{"UnsetEnv A\n<Directory /a>\nSetEnv A c\n</Directory>", "", "A", "c"},
	{"SetEnv A b\n<Directory /b>\nUnsetEnv A\n</Directory>", "", "A", "b"},
	{"SetEnv A b\n<Files x>\nSetEnv A c\n</Files>", "", "A", "c"},
	{"SetEnvIf User-Agent MSIE ie", "User-Agent: MSIE 6\r\n", "ie", "1"},
	{"SetEnvIf User-Agent MSIE ie", "User-Agent: msie 6\r\n", "ie", NULL},
	{"SetEnvIfNoCase User-Agent MSIE ie", "User-Agent: msie 6\r\n", "ie", "1"},
	{"BrowserMatch ^Moz v=$0", "User-Agent: Mozilla\r\n", "v", "Moz"},
	{"BrowserMatchNoCase ^moz v", "User-Agent: Mozilla\r\n", "v", "1"},
	{"SetEnvIf X \"(a)(b)?(c)\" v=$3$2$1-$9\\$1", "X: zac\r\n", "v", "ca-$1"},
	{"SetEnvIf X ^$ none", "", "none", "1"},
	{"SetEnvIf X ^$ none", "X: y\r\n", "none", NULL},
	{"SetEnvIf X ^$ none", "X: \r\n", "none", "1"},
	{"SetEnvIf X \"^a, b$\" two", "X: a\r\nY: c\r\nx: b\r\n", "two", "1"},
	{"SetEnvIf ^TS a found", "Other: a\r\nTSx: ba\r\n", "found", "1"},
	{"SetEnvIf ^TS ^a found", "Other: a\r\nTSx: ba\r\n", "found", NULL},
	{"SetEnvIf A . A=1\nSetEnvIf Request_Method GET m\nSetEnvIf m 1 chained", "", "chained", "1"},
	{"SetEnvIf Request_Method GET m=1 n=2\nSetEnvIf m 1 !n", "", "n", NULL},
	{"SetEnvIf Request_URI \"\\.(png|jpg)$\" pic=$1", "", "pic", "png"},
	{"SetEnvIf Remote_Addr ^192\\.0\\.2\\. near", "", "near", "1"},
	{"SetEnvIf Remote_Addr ^192\\.0\\.3\\. near", "", "near", NULL},
	{"SetEnvIf Server_Addr 127.0.0.1 here", "", "here", "1"},
	{"SetEnvIf Request_Protocol HTTP/1\\.1 p", "", "p", "1"},
	/* SetEnv has the last word, as mod_env runs later */
	{"SetEnv v env\nSetEnvIf Request_Method GET v=if", "", "v", "env"},
	{"SetEnvIf Request_Method GET v=if\n<Directory /a>\nSetEnvIf Request_Method GET v=dir\n</Directory>", "", "v", "dir"},
	{"SetEnvIf Request_Method GET v=if\n<Directory /a>\nUnsetEnv v\n</Directory>", "", "v", "if"},
};

static void facts_of(struct request_facts *facts, struct buf *fields, const char *text)
{
	buf_init(fields);
	ck_assert_int_eq(buf_puts(fields, text), 0);
	*facts = (struct request_facts){.remote_addr = "192.0.2.7", .server_addr = "127.0.0.1", .method = "GET",
		.protocol = "HTTP/1.1", .uri = "/d/a.png", .fields = fields};
}

START_TEST(env)
{
	struct conf_regex_scratch *scratch = conf_regex_scratch_new();
	struct request_env vars = {0};
	struct request_facts facts;
	struct fixture f;
	struct arena a;
	struct buf fields;

	const struct conf_edit *e = load(&f, env_cases[_i].conf);
	facts_of(&facts, &fields, env_cases[_i].fields);
	arena_init(&a);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(request_env_apply(&vars, &a, e, &facts, scratch), 0);
	const char *value = request_env_find(&vars, env_cases[_i].name);
	if (env_cases[_i].value == NULL)
		ck_assert_ptr_null(value);
	else
		ck_assert_pstr_eq(value, env_cases[_i].value);
	arena_fini(&a);
	buf_fini(&fields);
	conf_regex_scratch_free(scratch);
	fixture_free(&f);
}
END_TEST

START_TEST(env_gives_up)
{
	struct conf_regex_scratch *scratch = conf_regex_scratch_new();
	struct request_env vars = {0};
	struct request_facts facts;
	struct fixture f;
	struct arena a;
	struct buf fields;
	char text[200] = "X: ";

	for (int i = 0; i < 60; i++)
		strcat(text, "a");
	strcat(text, "!\r\n");
	const struct conf_edit *e = load(&f, "SetEnvIf X \"^(a|a?)+$\" v");
	facts_of(&facts, &fields, text);
	arena_init(&a);
	ck_assert_int_eq(request_env_apply(&vars, &a, e, &facts, scratch), GW_ERR_RANGE);
	arena_fini(&a);
	buf_fini(&fields);
	conf_regex_scratch_free(scratch);
	fixture_free(&f);
}
END_TEST

/* --- Header --------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *conf, *fields, *want;
} header_cases[] = {
	{"Header set X y", "", "X: y\r\n"},
	{"Header set X: y", "X: a\r\nx: b\r\nZ: c\r\n", "X: y\r\nZ: c\r\n"},
	{"Header setifempty X y", "X: a\r\n", "X: a\r\n"},
	{"Header setifempty X y", "", "X: y\r\n"},
	{"Header add X y", "X: a\r\n", "X: a\r\nX: y\r\n"},
	{"Header append X y", "X: a\r\n", "X: a, y\r\n"},
	{"Header append X y", "", "X: y\r\n"},
	{"Header merge Vary accept-encoding", "Vary: Cookie, Accept-Encoding\r\n", "Vary: Cookie, Accept-Encoding\r\n"},
	{"Header merge Vary Accept", "Vary: Cookie, Accept-Encoding\r\n", "Vary: Cookie, Accept-Encoding, Accept\r\n"},
	{"Header unset X-Powered-By", "X-Powered-By: PHP\r\nA: b\r\nx-powered-by: x\r\n", "A: b\r\n"},
	{"Header set X \"\"", "", "X: \r\n"},
	{"Header edit Set-Cookie \"^(.*)$\" \"$1; Secure\"", "Set-Cookie: a=b\r\nA: b\r\nSet-Cookie: c=d\r\n", "Set-Cookie: a=b; Secure\r\nA: b\r\nSet-Cookie: c=d; Secure\r\n"},
	{"Header edit X a b", "X: aaa\r\n", "X: baa\r\n"},
	{"Header edit* X a b", "X: aaa\r\nY: a\r\n", "X: bbb\r\nY: a\r\n"},
	{"Header edit* X \"(a)\" \"$1$1\"", "X: xaxa\r\n", "X: xaaxaa\r\n"},
	{"Header edit* X \"q*\" -", "X: ab\r\n", "X: -a-b-\r\n"},
	{"Header edit* X \"^\" -", "X: ab\r\n", "X: -ab\r\n"},
	{"Header edit X \"z?$\" \"\\$1\"", "X: ab\r\n", "X: ab$1\r\n"},
	{"Header echo ^TS", "", "TS-A: 1\r\nTS-B: 2\r\n"},
	{"Header echo ^T", "", "TS-A: 1\r\nTS-B: 2\r\n"}, /* how the request was framed says nothing about the answer */
	{"Header echo Other|Content", "", "Other: x\r\n"},
	{"SetEnv A v\nHeader set X \"<%{A}e> %{B}e 100%%\"", "", "X: <v> (null) 100%\r\n"},
	{"SetEnv A v\nHeader set X y env=A\nHeader set Y y env=!A\nHeader set Z z env=!B", "", "X: y\r\nZ: z\r\n"},
	{"Header set X \"%t %D\"", "", "X: t=1700000000000000 D=1234\r\n"},
	{"Header set X a\n<Directory /a>\nHeader append X b\n</Directory>\n<Location /x>\nHeader append X c\n</Location>", "", "X: a, b, c\r\n"},
	{"Header onsuccess set X a", "", "X: a\r\n"},
	{"SetEnvIf Request_URI \"(.*)\" uri=$1\nHeader set X %{uri}e", "", "X: /d/a.png\r\n"},
	/* what always adds is a table of its own, but it changes what the script set */
	{"Header always set X a", "X: s\r\nY: y\r\n", "Y: y\r\n|X: a\r\n"},
	{"Header always set X a\nHeader set X b", "X: s\r\n", "X: b\r\n|X: a\r\n"},
	{"Header always add X a", "X: s\r\n", "X: s\r\n|X: a\r\n"},
	{"Header always append X a", "X: s\r\n", "X: s, a\r\n|"},
	{"Header always append X a\nHeader always append X b", "", "|X: a, b\r\n"},
	{"Header always unset X\nHeader unset Y", "X: s\r\nY: y\r\n", ""},
	{"Header always set X a\nHeader unset X", "", "|X: a\r\n"},
	{"Header always setifempty X a", "X: s\r\n", "X: s\r\n"},
	{"Header always edit X a b", "X: a\r\n", "X: b\r\n"},
	{"Header always merge Vary Cookie", "Vary: Cookie\r\n", "Vary: Cookie\r\n"},
	{"Header always echo ^TS-B", "", "|TS-B: 2\r\n"},
};

static void apply_headers(const struct conf_edit *e, const struct header_context *x, struct buf *fields, struct buf *added)
{
	ck_assert_int_eq(header_rules_apply(x, e->always, e->always_n, false, fields, added), 0);
	ck_assert_int_eq(header_rules_apply(x, e->success, e->success_n, false, fields, NULL), 0);
}

START_TEST(header)
{
	struct header_context x = {.scratch = conf_regex_scratch_new(), .start_us = 1700000000000000, .duration_us = 1234};
	struct request_env vars = {0};
	struct request_facts facts;
	struct buf asked, fields, added;
	struct fixture f;
	struct arena a;

	const struct conf_edit *e = load(&f, header_cases[_i].conf);
	facts_of(&facts, &asked, "TS-A: 1\r\nOther: x\r\nTransfer-Encoding: chunked\r\ncontent-length: 5\r\nTE: trailers\r\nTS-B: 2\r\n");
	arena_init(&a);
	buf_init(&fields);
	buf_init(&added);
	ck_assert_int_eq(buf_puts(&fields, header_cases[_i].fields), 0);
	ck_assert_int_eq(request_env_apply(&vars, &a, e, &facts, x.scratch), 0);
	x.a = &a;
	x.env = &vars;
	x.request_fields = &asked;
	apply_headers(e, &x, &fields, &added);
	bool two = strchr(header_cases[_i].want, '|') != NULL;
	if (two)
		ck_assert_int_eq(buf_puts(&fields, "|"), 0);
	if (buf_unread(&added) > 0)
		ck_assert_int_eq(buf_append(&fields, buf_head(&added), buf_unread(&added)), 0);
	is_text(&fields, header_cases[_i].want);
	buf_fini(&added);
	buf_fini(&fields);
	buf_fini(&asked);
	arena_fini(&a);
	conf_regex_scratch_free(x.scratch);
	fixture_free(&f);
}
END_TEST

START_TEST(header_note)
{
	struct header_context x = {.scratch = conf_regex_scratch_new()};
	struct request_env vars = {0}, notes = {0};
	struct buf fields, added;
	struct fixture f;
	struct arena a;

	const struct conf_edit *e = load(&f, "Header note X-Id id\nHeader note X-None none");
	arena_init(&a);
	buf_init(&fields);
	buf_init(&added);
	ck_assert_int_eq(buf_puts(&fields, "X-ID: 17\r\n"), 0);
	x.a = &a;
	x.env = &vars;
	x.notes = &notes;
	apply_headers(e, &x, &fields, &added);
	ck_assert_pstr_eq(request_env_find(&notes, "id"), "17");
	ck_assert_ptr_null(request_env_find(&notes, "none"));
	is_text(&fields, "X-ID: 17\r\n");
	buf_fini(&added);
	buf_fini(&fields);
	arena_fini(&a);
	conf_regex_scratch_free(x.scratch);
	fixture_free(&f);
}
END_TEST

/* --- Expires ----------------------------------------------------------------------------------------------------------------- */

#define NOW 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */
#define LATER "Expires: Tue, 14 Nov 2023 23:13:20 GMT\r\n"

static const struct {
	const char *conf, *fields;
	time_t modified;
	const char *more; /* what is added; NULL: nothing */
} expires_cases[] = {
	{"ExpiresActive On\nExpiresDefault A3600", "", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive Off\nExpiresDefault A3600", "", -1, NULL},
	{"ExpiresDefault A3600", "", -1, NULL},
	{"ExpiresActive On\nExpiresDefault \"access plus 1 hour\"", "", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresDefault \"now 59 minutes 60 seconds\"", "", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresDefault M7200", "", NOW - 3600, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresDefault M7200", "", -1, NULL},
	{"ExpiresActive On\nExpiresDefault \"modification plus 1 day\"", "", NOW - 90000, "Cache-Control: max-age=0\r\nExpires: Tue, 14 Nov 2023 22:13:20 GMT\r\n"},
	{"ExpiresActive On\nExpiresByType text/css A3600", "Content-Type: text/css; charset=utf-8\r\n", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresByType text/css A3600", "Content-Type: text/cssx\r\n", -1, NULL},
	{"ExpiresActive On\nExpiresByType text/css A3600", "", -1, NULL},
	{"ExpiresActive On\nExpiresByType text/* A3600", "Content-Type: Text/CSS\r\n", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresByType text/css A3600\nExpiresByType text/* A1\nExpiresDefault A2", "Content-Type: text/css\r\n", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresByType text/css A1\n<Directory /a>\nExpiresByType text/css A3600\n</Directory>", "Content-Type: text/css\r\n", -1, "Cache-Control: max-age=3600\r\n" LATER},
	{"ExpiresActive On\nExpiresDefault A3600\n<Directory /a>\nExpiresActive Off\n</Directory>", "", -1, NULL},
	/* what the script said stands */
	{"ExpiresActive On\nExpiresDefault A3600", "Expires: Thu, 19 Nov 1981 08:52:00 GMT\r\n", -1, NULL},
	{"ExpiresActive On\nExpiresDefault A3600", "Cache-Control: private, max-age=1\r\n", -1, NULL},
	{"ExpiresActive On\nExpiresDefault A3600", "Cache-Control: no-store\r\n", -1, NULL},
};

START_TEST(expires)
{
	struct buf fields, want;
	struct fixture f;

	const struct conf_edit *e = load(&f, expires_cases[_i].conf);
	buf_init(&fields);
	buf_init(&want);
	ck_assert_int_eq(buf_puts(&fields, expires_cases[_i].fields), 0);
	ck_assert_int_eq(buf_printf(&want, "%s%s", expires_cases[_i].fields, expires_cases[_i].more != NULL ? expires_cases[_i].more : ""), 0);
	ck_assert_int_eq(buf_append(&want, "", 1), 0);
	ck_assert_int_eq(expires_apply(e, &fields, NOW, expires_cases[_i].modified), 0);
	is_text(&fields, (const char *)buf_head(&want));
	buf_fini(&want);
	buf_fini(&fields);
	fixture_free(&f);
}
END_TEST

START_TEST(expires_merges)
{
	struct buf fields;
	struct fixture f;

	const struct conf_edit *e = load(&f, "ExpiresActive On\nExpiresDefault A3600");
	buf_init(&fields);
	ck_assert_int_eq(buf_puts(&fields, "Cache-Control: private\r\n"), 0);
	ck_assert_int_eq(expires_apply(e, &fields, NOW, -1), 0);
	is_text(&fields, "Cache-Control: private, max-age=3600\r\n" LATER);
	buf_fini(&fields);
	fixture_free(&f);
}
END_TEST

/* --- compression -------------------------------------------------------------------------------------------------------------- */

#define BOTH "AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/html text/css\n"
#define HTML "Content-Type: text/html; charset=utf-8\r\n"

static const struct {
	const char *conf, *accept, *fields;
	int status;
	int64_t length;
	enum coding coding;
	const char *want; /* NULL: the fields as they were */
} compress_cases[] = {
	{BOTH, "gzip", HTML, 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH, "gzip, br", HTML, 200, -1, CODING_BR, HTML "Vary: Accept-Encoding\r\nContent-Encoding: br\r\n"},
	{BOTH, "gzip, br;q=0", HTML, 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH, NULL, HTML, 200, -1, CODING_IDENTITY, HTML "Vary: Accept-Encoding\r\n"},
	{BOTH, "gzip;q=0", HTML, 200, -1, CODING_IDENTITY, HTML "Vary: Accept-Encoding\r\n"},
	{BOTH, "gzip", "Content-Type: image/png\r\n", 200, -1, CODING_IDENTITY, NULL},
	{BOTH, "gzip", "", 200, -1, CODING_IDENTITY, NULL},
	{BOTH, "gzip", HTML, 200, 255, CODING_IDENTITY, NULL},
	{BOTH, "gzip", HTML "Vary: Cookie\r\n", 404, 256, CODING_GZIP, HTML "Vary: Cookie, Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH, "gzip", HTML "Vary: accept-encoding\r\n", 200, -1, CODING_GZIP, HTML "Vary: accept-encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH, "gzip", HTML "Vary: *\r\n", 200, -1, CODING_GZIP, HTML "Vary: *\r\nContent-Encoding: gzip\r\n"},
	/* never twice, never a part, never what may not be changed */
	{BOTH, "gzip", HTML "Content-Encoding: br\r\n", 200, -1, CODING_IDENTITY, NULL},
	{BOTH, "gzip", HTML "Content-Range: bytes 0-1/5\r\n", 206, 2000, CODING_IDENTITY, HTML "Content-Range: bytes 0-1/5\r\nVary: Accept-Encoding\r\n"},
	{BOTH, "gzip", HTML "Cache-Control: public, no-transform\r\n", 200, -1, CODING_IDENTITY, NULL},
	{BOTH, "gzip", HTML, 204, -1, CODING_IDENTITY, NULL},
	/* tags */
	{BOTH, "gzip", HTML "ETag: \"x\"\r\nAccept-Ranges: bytes\r\n", 200, -1, CODING_GZIP, HTML "ETag: W/\"x\"\r\nVary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH, NULL, HTML "ETag: \"x\"\r\n", 200, -1, CODING_IDENTITY, HTML "ETag: \"x\"\r\nVary: Accept-Encoding\r\n"},
	{BOTH, "gzip", HTML "ETag: W/\"x\"\r\n", 200, -1, CODING_GZIP, HTML "ETag: W/\"x\"\r\nVary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH "DeflateAlterETag AddSuffix", "gzip", HTML "ETag: \"x\"\r\n", 200, -1, CODING_GZIP, HTML "ETag: \"x-gzip\"\r\nVary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH "BrotliAlterETag AddSuffix", "br", HTML "ETag: \"x\"\r\n", 200, -1, CODING_BR, HTML "ETag: \"x-br\"\r\nVary: Accept-Encoding\r\nContent-Encoding: br\r\n"},
	{BOTH "DeflateAlterETag Remove", "gzip", HTML "ETag: \"x\"\r\n", 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{BOTH "DeflateAlterETag NoChange", "gzip", HTML "ETag: \"x\"\r\n", 200, -1, CODING_GZIP, HTML "ETag: \"x\"\r\nVary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	/* 304 names what 200 would have had, and has no body to encode */
	{BOTH, "gzip", HTML "ETag: \"x\"\r\n", 304, -1, CODING_IDENTITY, "ETag: W/\"x\"\r\nVary: Accept-Encoding\r\n"},
	/* variables */
	{BOTH "SetEnv no-gzip 1", "gzip", HTML, 200, -1, CODING_IDENTITY, HTML "Vary: Accept-Encoding\r\n"},
	{"SetOutputFilter DEFLATE\nSetEnv no-gzip 1", "gzip", HTML, 200, -1, CODING_IDENTITY, NULL},
	{"SetOutputFilter DEFLATE\nSetEnv no-gzip 0", "gzip", HTML, 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{"SetOutputFilter DEFLATE\nSetEnv gzip-only-text/html 1", "gzip", "Content-Type: text/css\r\n", 200, -1, CODING_IDENTITY, NULL},
	{"SetOutputFilter DEFLATE\nSetEnv gzip-only-text/html 1", "gzip", HTML, 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{"SetOutputFilter DEFLATE\nSetEnv force-gzip 1", NULL, HTML, 200, -1, CODING_GZIP, HTML "Content-Encoding: gzip\r\n"},
	{"SetOutputFilter BROTLI_COMPRESS\nSetEnv no-brotli 1", "br", HTML, 200, -1, CODING_IDENTITY, NULL},
	/* where filters come from */
	{"SetOutputFilter DEFLATE\n<Location /x>\nSetOutputFilter NONE\n</Location>", "gzip", HTML, 200, -1, CODING_IDENTITY, NULL},
	{"AddOutputFilter DEFLATE .TXT", "gzip", "", 200, -1, CODING_GZIP, "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	{"AddOutputFilter DEFLATE css", "gzip", "", 200, -1, CODING_IDENTITY, NULL},
	{"AddOutputFilterByType DEFLATE text/css\n<Location /x>\nAddOutputFilterByType DEFLATE text/html\n</Location>", "gzip", HTML, 200, -1, CODING_GZIP, HTML "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
	/* fields that a rule set are seen */
	{"SetOutputFilter DEFLATE\nHeader set Content-Encoding gzip", "gzip", "", 200, -1, CODING_IDENTITY, "Content-Encoding: gzip\r\n"},
	{"SetOutputFilter DEFLATE\nHeader always set Content-Encoding gzip", "gzip", "", 200, -1, CODING_IDENTITY, "Content-Encoding: gzip\r\n"},
	{"SetOutputFilter DEFLATE\nHeader unset ETag", "gzip", "ETag: \"x\"\r\n", 200, -1, CODING_GZIP, "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
};

/* A request with this Accept-Encoding, which is all that is looked at. */
static struct req_fields request_of(struct req_field *field, const char *accept)
{
	*field = (struct req_field){.name = "Accept-Encoding", .name_len = 15, .value = accept, .value_len = accept != NULL ? (uint32_t)strlen(accept) : 0};
	return (struct req_fields){.list = field, .n = accept != NULL};
}

START_TEST(compressed)
{
	struct req_field field;
	struct header_context x = {.scratch = conf_regex_scratch_new()};
	struct request_env vars = {0};
	struct request_facts facts;
	struct buf asked, fields;
	struct fixture f;
	struct arena a;
	enum coding coding;

	const struct conf_edit *e = load(&f, compress_cases[_i].conf);
	facts_of(&facts, &asked, "");
	const struct req_fields h = request_of(&field, compress_cases[_i].accept);
	arena_init(&a);
	buf_init(&fields);
	ck_assert_int_eq(buf_puts(&fields, compress_cases[_i].fields), 0);
	ck_assert_int_eq(request_env_apply(&vars, &a, e, &facts, x.scratch), 0);
	x.a = &a;
	x.env = &vars;
	struct answer_facts answer = {.edit = e, .rules = &x, .status = compress_cases[_i].status, .now = NOW, .modified = -1,
		.length = compress_cases[_i].length, .filename = "/a/b.txt", .codings = ~0u, .request = &h};
	ck_assert_int_eq(answer_edit(&answer, &fields, &coding), 0);
	ck_assert_int_eq((int)coding, (int)compress_cases[_i].coding);
	is_text(&fields, compress_cases[_i].want != NULL ? compress_cases[_i].want : compress_cases[_i].fields);
	buf_fini(&fields);
	buf_fini(&asked);
	arena_fini(&a);
	conf_regex_scratch_free(x.scratch);
	fixture_free(&f);
}
END_TEST

START_TEST(built_in)
{
	const struct req_fields h = {0};
	struct header_context x = {.scratch = conf_regex_scratch_new()};
	struct request_env vars = {0};
	struct buf fields;
	struct fixture f;
	struct arena a;
	enum coding coding;

	/* the server's own error page: only "always", no Expires, no compression */
	const struct conf_edit *e = load(&f, BOTH "SetEnv force-gzip 1\nHeader set X a\nHeader always set Y b\nExpiresActive On\nExpiresDefault A1");
	arena_init(&a);
	buf_init(&fields);
	ck_assert_int_eq(buf_puts(&fields, HTML), 0);
	x.a = &a;
	x.env = &vars;
	struct answer_facts answer = {.edit = e, .rules = &x, .status = 404, .built_in = true, .now = NOW, .modified = -1,
		.length = 5000, .codings = ~0u, .request = &h};
	ck_assert_int_eq(answer_edit(&answer, &fields, &coding), 0);
	ck_assert_int_eq((int)coding, (int)CODING_IDENTITY);
	is_text(&fields, HTML "Y: b\r\n");
	buf_fini(&fields);
	arena_fini(&a);
	conf_regex_scratch_free(x.scratch);
	fixture_free(&f);
}
END_TEST

static const struct {
	const char *value, *want;
} etag_cases[] = {
	{"\"a-gzip\"", "\"a\""},
	{"W/\"a-br\", \"b-gzip\", \"c\"", "W/\"a\", \"b\", \"c\""},
	{"\"a-gzipx\"", "\"a-gzipx\""},
	{"*", "*"},
	{"", ""},
	{"-gzip\"", "\""},
};

START_TEST(plain_etags)
{
	size_t len = strlen(etag_cases[_i].value);
	struct arena a;

	arena_init(&a);
	const char *out = answer_plain_etags(&a, etag_cases[_i].value, &len);
	ck_assert_uint_eq(len, strlen(etag_cases[_i].want));
	ck_assert_mem_eq(out, etag_cases[_i].want, len);
	arena_fini(&a);
}
END_TEST

/* --- what is refused --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned line, column;
	const char *part;
} bad[] = {
	{"Header sett X y\n", 1, 8, "did you mean set?"},
	{"Header set X\n", 1, 1, "one value"},
	{"Header set X y z\n", 1, 16, "none of early, env="},
	{"Header set X y expr=1\n", 1, 16, "octet 2 of the expression: a comparison is missing"},
	{"Header set X expr=%{NOTHING}\n", 1, 14, "there is no variable NOTHING"},
	{"Header set \"X Y\" z\n", 1, 12, "not the name of a field"},
	{"Header set X \"a\\nB: c\"\n", 1, 14, "line end"},
	{"Header set X %q\n", 1, 14, "after %"},
	{"Header set X %b\n", 1, 14, "share of"},
	{"Header edit X ( y\n", 1, 15, "regular expression"},
	{"Header edit X a\n", 1, 1, "regular expression and"},
	{"Header set X y early\n", 1, 16, "RequestHeader"},
	{"RequestHeader echo X\n", 1, 15, "no action"},
	{"SetEnv A=b c\n", 1, 8, "not the name of a variable"},
	{"SetEnv PHP_VALUE a\n", 1, 8, "use php_value"},
	{"SetEnvIf X y php_admin_value=1\n", 1, 14, "use php_admin_value"},
	{"SetEnvIf X ( y\n", 1, 12, "regular expression"},
	{"SetEnvIf X y !a=b\n", 1, 14, "takes no value"},
	{"SetEnvIfExpr \"-f '/x'\" a\n", 1, 14, "-f is not evaluated"},
	{"ExpiresDefault 3600\n", 1, 16, "does not begin with"},
	{"ExpiresDefault \"access plus\"\n", 1, 16, "says no time"},
	{"ExpiresDefault \"access plus 1 fortnight\"\n", 1, 16, "is not a number and"},
	{"ExpiresDefault \"access plus 4000000000 days\"\n", 1, 16, "is not a number and"},
	{"ExpiresByType css A1\n", 1, 15, "not a media type"},
	{"AddOutputFilterByType DEFLATE css\n", 1, 31, "not a media type"},
	{"DeflateCompressionLevel 10\n", 1, 25, "DeflateCompressionLevel"},
	{"DeflateAlterETag Strong\n", 1, 18, "none of"},
	{"XSendFile Maybe\n", 1, 11, "neither On nor Off"},
	{"XSendFilePath private\n", 1, 15, "absolute"},
};

START_TEST(refused)
{
	struct fixture f;

	fixture_load(&f, bad[_i].text, false);
	ck_assert_ptr_null(f.c);
	ck_assert_msg(fixture_said(&f, true, bad[_i].line, bad[_i].column, bad[_i].part), "%s", bad[_i].text);
	fixture_free(&f);
}
END_TEST

START_TEST(framing_is_ours)
{
	static const char *const lines[] = {"Header set Content-Length 1", "Header always unset Connection", "Header set Date x",
		"RequestHeader set Transfer-Encoding chunked", "RequestHeader unset Proxy early", "RequestHeader set Host x"};
	struct fixture f;

	fixture_good(&f, lines[_i]);
	ck_assert_uint_eq(f.c->noeffect_n, 1);
	ck_assert_ptr_null(fixture_dir_for(&f, f.c->servers[0], "/a/", "x", "/x")->edit);
	fixture_free(&f);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(tc, test, 0, (int)(sizeof(table) / sizeof(*(table))))

static Suite *edit_suite(void)
{
	Suite *s = suite_create("edit");
	TCase *tc = tcase_create("edit");

	tcase_add_test(tc, field_text);
	LOOP(env, env_cases);
	tcase_add_test(tc, env_gives_up);
	LOOP(header, header_cases);
	tcase_add_test(tc, header_note);
	LOOP(expires, expires_cases);
	tcase_add_test(tc, expires_merges);
	LOOP(compressed, compress_cases);
	tcase_add_test(tc, built_in);
	LOOP(plain_etags, etag_cases);
	LOOP(refused, bad);
	tcase_add_loop_test(tc, framing_is_ours, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(edit_suite, compress_suite)
