/* SPDX-License-Identifier: Apache-2.0 */
/* What is recognised of a broken site file, and whose fault an error is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_keep.h"
#include "tests/unit/conf_fixture.h"

static const struct {
	const char *in, *out, *bare; /* NULL: it cannot be said */
} salvage_cases[] = {
	{"<VirtualHost *:80>\nServerName a.test\nBogus x\nServerAlias b.test c.test\n<Directory /x>\nServerName no\n</Directory>\n</VirtualHost>\n",
		"<VirtualHost \"*:80\">\nSiteUnavailable On\nServerName \"a.test\"\nServerAlias \"b.test\" \"c.test\"\n</VirtualHost>\n",
		"<VirtualHost \"*:80\">\nSiteUnavailable On\nServerName \"a.test\"\nServerAlias \"b.test\" \"c.test\"\n</VirtualHost>\n"},
	/* never closed; quotes and backslashes; a line that cannot be read */
	{"<VirtualHost *>\nServerName a\nDocumentRoot \"/x\n<VirtualHost *>\nServerName 'b\\\\c\"d'\n",
		"<VirtualHost \"*\">\nSiteUnavailable On\nServerName \"a\"\n</VirtualHost>\n"
		"<VirtualHost \"*\">\nSiteUnavailable On\nServerName \"b\\\\c\\\"d\"\n</VirtualHost>\n", NULL},
	/* conditions, definitions, ports and certificates stay while they may be good */
	{"Define N a.test\nListen 81\n<IfModule mod_ssl.c>\n<VirtualHost *:443>\nServerName ${N}\nSSLEngine on\nSSLCertificateFile /c\n"
	 "Header set X y\n</VirtualHost>\n</IfModule>\n",
		"Define \"N\" \"a.test\"\nListen \"81\"\n<IfModule \"mod_ssl.c\">\n<VirtualHost \"*:443\">\nSiteUnavailable On\n"
		"ServerName \"${N}\"\nSSLEngine \"on\"\nSSLCertificateFile \"/c\"\n</VirtualHost>\n</IfModule>\n",
		NULL},
	/* a word that is none beside the hosts; a rule for everybody; no host at all */
	{"Bogus x\n<VirtualHost *>\n</VirtualHost>\n", "<VirtualHost \"*\">\nSiteUnavailable On\n</VirtualHost>\n", NULL},
	{"<VirtualHost *>\n</VirtualHost>\n<Directory />\nRequire all denied\n</Directory>\n", NULL, NULL},
	{"Timeout 5\n<VirtualHost *>\n</VirtualHost>\n", NULL, NULL},
	{"ServerName a.test\n", NULL, NULL},
	{"", NULL, NULL},
};

START_TEST(salvage_case)
{
	struct arena a;

	arena_init(&a);
	const char *in = salvage_cases[_i].in, *want = salvage_cases[_i].out;
	char *out = conf_salvage(&a, in, strlen(in), false);
	if (want == NULL)
		ck_assert_msg(out == NULL, "%s", out);
	else
		ck_assert_str_eq(out, want);
	out = conf_salvage(&a, in, strlen(in), true);
	ck_assert_int_eq(out == NULL, want == NULL);
	if (_i == 0)
		ck_assert_str_eq(out, salvage_cases[_i].bare);
	arena_fini(&a);
}
END_TEST

struct world {
	struct conf_keep *keep;
	struct conf *c;
	struct conf_diags d;
};

static void load(struct world *w)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/keep.conf", fixture_dir());
	conf_free(w->c);
	conf_diags_fini(&w->d);
	conf_diags_init(&w->d);
	struct conf_load_opts o = {.file = path, .keep = &w->keep, .serve = true};
	w->c = conf_load(&o, &w->d);
}

static const struct conf_server *host(const struct world *w, const char *name)
{
	for (size_t i = 1; w->c != NULL && i < w->c->servers_n; i++)
		if (strcmp(w->c->servers[i]->name, name) == 0)
			return w->c->servers[i];
	return NULL;
}

#define MAIN "Listen 127.0.0.1:8080\n"

static void put_a(const char *admin)
{
	char text[256];

	snprintf(text, sizeof(text), "<VirtualHost *>\nServerName a.test\nServerAdmin %s\n</VirtualHost>\n", admin);
	fixture_file("keep/a.conf", text);
}

START_TEST(last_good_text_is_kept_over_reloads)
{
	struct world w = {.keep = NULL};

	conf_diags_init(&w.d);
	fixture_file("keep.conf", MAIN "IncludeOptional keep/*.conf\n");
	fixture_file("keep/b.conf", "<VirtualHost *>\nServerName b.test\n</VirtualHost>\n");
	put_a("one");
	load(&w);
	ck_assert(w.c != NULL && w.d.errors == 0);
	for (int i = 0; i < 3; i++) {
		put_a("two\nBogus on");
		load(&w);
		ck_assert(w.c != NULL && w.d.errors == 1 && w.c->servers_n == 3);
		ck_assert_str_eq(host(&w, "a.test")->admin, "one");
		ck_assert(!host(&w, "a.test")->unavailable);
	}
	put_a("two");
	load(&w);
	ck_assert(w.c != NULL && w.d.errors == 0);
	ck_assert_str_eq(host(&w, "a.test")->admin, "two");
	/* What is unchanged is not to blame, and what stands in the main file stops everything. */
	fixture_file("keep.conf", MAIN "Bogus on\nIncludeOptional keep/*.conf\n");
	load(&w);
	ck_assert(w.c == NULL && w.d.errors == 1);
	fixture_file("keep.conf", MAIN "IncludeOptional keep/*.conf\n");
	conf_keep_free(w.keep);
	w.keep = NULL;
	put_a("two\nBogus on");
	load(&w);
	ck_assert(w.c != NULL && w.d.errors == 1);
	ck_assert(host(&w, "a.test")->unavailable && !host(&w, "b.test")->unavailable);
	conf_free(w.c);
	conf_keep_free(w.keep);
	conf_diags_fini(&w.d);
}
END_TEST

/* An include inside of a section or by its full name makes no site file: such an error is everybody's. */
START_TEST(only_site_files_are_left_out)
{
	struct world w = {.keep = NULL};

	conf_diags_init(&w.d);
	put_a("one\nBogus on");
	fixture_file("keep.conf", MAIN "Include keep/a.conf\n");
	load(&w);
	ck_assert_ptr_null(w.c);
	fixture_file("keep/in/x.conf", "Bogus on\n");
	fixture_file("keep.conf", MAIN "<VirtualHost *>\nServerName c.test\nInclude keep/in/*.conf\n</VirtualHost>\n");
	load(&w);
	ck_assert_ptr_null(w.c);
	fixture_file("keep.conf", MAIN "Include keep/in/\n");
	load(&w);
	ck_assert_ptr_null(w.c);
	fixture_file("keep/in/x.conf", "<VirtualHost *>\nServerName d.test\nBogus on\n</VirtualHost>\n");
	load(&w);
	ck_assert(w.c != NULL && host(&w, "d.test")->unavailable);
	conf_free(w.c);
	conf_keep_free(w.keep);
	conf_diags_fini(&w.d);
}
END_TEST

Suite *suite_conf_keep(void);
Suite *suite_conf_keep(void)
{
	Suite *s = suite_create("conf: broken files");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, salvage_case, 0, (int)(sizeof(salvage_cases) / sizeof(*salvage_cases)));
	tcase_add_test(t, last_good_text_is_kept_over_reloads);
	tcase_add_test(t, only_site_files_are_left_out);
	suite_add_tcase(s, t);
	return s;
}
