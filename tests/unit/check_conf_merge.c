/* SPDX-License-Identifier: Apache-2.0 */
/* Merging of sections: Apache's order, and each setting's own rule. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/conf_fixture.h"

/* The default character set of the result names the section that won. */

static const struct {
	const char *in;
	const char *dir, *file, *uri;
	const char *charset;
} order_cases[] = {
	/* shortest path first, whatever the order in the file */
	{"<Directory /a/b>\nAddDefaultCharset ab\n</Directory>\n<Directory /a>\nAddDefaultCharset a\n</Directory>\n", "/a/b/", "x", "/x", "ab"},
	{"<Directory /a>\nAddDefaultCharset a\n</Directory>\n<Directory />\nAddDefaultCharset r\n</Directory>\n", "/a/b/c/", "x", "/x", "a"},
	{"<Directory />\nAddDefaultCharset r\n</Directory>\n", "/", "x", "/x", "r"},
	{"<Directory /a/>\nAddDefaultCharset a\n</Directory>\n", "/a/", "x", "/x", "a"},
	{"<Directory //a//../a>\nAddDefaultCharset a\n</Directory>\n", "/a", "x", "/x", "a"},
	{"<Directory /a>\nAddDefaultCharset a\n</Directory>\n", "/ab/", "x", "/x", NULL},
	{"<Directory /a>\nAddDefaultCharset one\n</Directory>\n<Directory /a>\nAddDefaultCharset two\n</Directory>\n", "/a/", "x", "/x", "two"},
	/* wildcards take the place of a path with as many segments */
	{"<Directory /home/*/www>\nAddDefaultCharset w\n</Directory>\n<Directory /home>\nAddDefaultCharset h\n</Directory>\n", "/home/joe/www/x/", "x", "/x", "w"},
	{"<Directory /home/*/www>\nAddDefaultCharset w\n</Directory>\n", "/home/a/b/www/", "x", "/x", NULL},
	{"<Directory /home/*>\nAddDefaultCharset w\n</Directory>\n<Directory /home/joe>\nAddDefaultCharset j\n</Directory>\n", "/home/joe/", "x", "/x", "j"},
	{"<Directory /home/joe>\nAddDefaultCharset j\n</Directory>\n<Directory /home/*>\nAddDefaultCharset w\n</Directory>\n", "/home/joe/", "x", "/x", "w"},
	{"<Directory /home/*/*>\nAddDefaultCharset w\n</Directory>\n<Directory /home/joe>\nAddDefaultCharset j\n</Directory>\n", "/home/joe/", "x", "/x", "j"},
	/* regular expressions after all paths */
	{"<DirectoryMatch ^/a>\nAddDefaultCharset m\n</DirectoryMatch>\n<Directory /a/b/c>\nAddDefaultCharset c\n</Directory>\n", "/a/b/c/", "x", "/x", "m"},
	{"<Directory ~ ^/a>\nAddDefaultCharset m\n</Directory>\n<Directory /a/b/c>\nAddDefaultCharset c\n</Directory>\n", "/a/b/c/", "x", "/x", "m"},
	{"<DirectoryMatch ^/a/b$>\nAddDefaultCharset m\n</DirectoryMatch>\n", "/a/b/", "x", "/x", "m"},
	{"<DirectoryMatch ^/a/b/$>\nAddDefaultCharset m\n</DirectoryMatch>\n", "/a/b/", "x", "/x", "m"},
	{"<DirectoryMatch ^/a/b$>\nAddDefaultCharset m\n</DirectoryMatch>\n", "/a/b/c/", "x", "/x", NULL},
	/* files after all directories */
	{"<Files x.html>\nAddDefaultCharset f\n</Files>\n<Directory /a/b>\nAddDefaultCharset d\n</Directory>\n", "/a/b/", "x.html", "/x", "f"},
	{"<FilesMatch \"\\.html$\">\nAddDefaultCharset f\n</FilesMatch>\n<DirectoryMatch /a>\nAddDefaultCharset d\n</DirectoryMatch>\n", "/a/b/", "x.html", "/x", "f"},
	{"<Files x.html>\nAddDefaultCharset f\n</Files>\n", "/a/b/", "y.html", "/x", NULL},
	{"<Files \"*.ht?l\">\nAddDefaultCharset f\n</Files>\n", "/a/b/", "y.html", "/x", "f"},
	{"<Files ~ \"^y\">\nAddDefaultCharset f\n</Files>\n", "/a/b/", "y.html", "/x", "f"},
	{"<Files \"*\">\nAddDefaultCharset f\n</Files>\n", "/a/b/", NULL, "/x", NULL},
	{"<Files \"*\">\nAddDefaultCharset f\n</Files>\n", "/a/b/", "", "/x", NULL},
	/* files of a directory: only there; an outer <Files> beats an inner directory, an inner <Files> an outer one */
	{"<Directory /a>\n<Files x>\nAddDefaultCharset fa\n</Files>\n</Directory>\n<Directory /a/b>\nAddDefaultCharset b\n</Directory>\n", "/a/b/", "x", "/x", "fa"},
	{"<Directory /a>\n<Files x>\nAddDefaultCharset fa\n</Files>\n</Directory>\n<Directory /a/b>\n<Files x>\nAddDefaultCharset fb\n</Files>\n</Directory>\n", "/a/b/", "x", "/x", "fb"},
	{"<Directory /a/b>\n<Files x>\nAddDefaultCharset fb\n</Files>\n</Directory>\n<Directory /a>\n<Files x>\nAddDefaultCharset fa\n</Files>\n</Directory>\n", "/a/b/", "x", "/x", "fb"},
	{"<Directory /a>\n<Files x>\nAddDefaultCharset fa\n</Files>\n</Directory>\n", "/c/", "x", "/x", NULL},
	{"<Directory /a>\n<Files x>\nAddDefaultCharset fa\n</Files>\n</Directory>\n<Files x>\nAddDefaultCharset g\n</Files>\n", "/a/", "x", "/x", "fa"},
	/* locations last, in order */
	{"<Location /u>\nAddDefaultCharset l\n</Location>\n<Files x>\nAddDefaultCharset f\n</Files>\n", "/a/", "x", "/u/x", "l"},
	{"<Location /u/v>\nAddDefaultCharset uv\n</Location>\n<Location /u>\nAddDefaultCharset u\n</Location>\n", "/a/", "x", "/u/v", "u"},
	{"<LocationMatch ^/u>\nAddDefaultCharset m\n</LocationMatch>\n<Location /u>\nAddDefaultCharset u\n</Location>\n", "/a/", "x", "/u/v", "u"},
	{"<Location /u>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/uv", NULL},
	{"<Location /u/>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/u", NULL},
	{"<Location /u/>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/u/v", "l"},
	{"<Location />\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/anything", "l"},
	{"<Location /u/*>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/u/v", "l"},
	{"<Location /u/*>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/u/v/w", NULL},
	{"<Location ~ \"/(a|b)$\">\nAddDefaultCharset l\n</Location>\n", "/a/", "x", "/z/b", "l"},
	{"<Location /u>\nAddDefaultCharset l\n</Location>\n", "/a/", "x", NULL, NULL},
	{"<Directory /a>\nAddDefaultCharset a\n</Directory>\n", NULL, "x", "/x", NULL},
	/* off is a value */
	{"AddDefaultCharset utf-8\n", "/a/", "x", "/x", "utf-8"},
	{"AddDefaultCharset utf-8\n<Directory /a>\nAddDefaultCharset Off\n</Directory>\n", "/a/", "x", "/x", NULL},
	{"AddDefaultCharset On\n", "/a/", "x", "/x", "iso-8859-1"},
};

START_TEST(order)
{
	struct fixture f;
	const struct conf_dir *d;

	fixture_good(&f, order_cases[_i].in);
	d = fixture_dir_for(&f, f.c->servers[0], order_cases[_i].dir, order_cases[_i].file, order_cases[_i].uri);
	if (order_cases[_i].charset == NULL)
		ck_assert_msg(d->default_charset == NULL, "%s for:\n%s", d->default_charset, order_cases[_i].in);
	else
		ck_assert_msg(d->default_charset != NULL && strcmp(d->default_charset, order_cases[_i].charset) == 0, "%s for:\n%s",
			      d->default_charset == NULL ? "(none)" : d->default_charset, order_cases[_i].in);
	fixture_free(&f);
}
END_TEST

START_TEST(main_server_before_virtual_host)
{
	struct fixture f;
	const struct conf_server *s;

	fixture_good(&f, "<VirtualHost *:8080>\n<Directory /a>\nAddDefaultCharset va\n</Directory>\n<Location /u>\nAddDefaultCharset vu\n</Location>\n"
			 "<Directory /a/b>\nOptions None\n</Directory>\n</VirtualHost>\n"
			 "<Directory /a>\nAddDefaultCharset ma\n</Directory>\n<Directory /a/b>\nAddDefaultCharset mab\nOptions Indexes\n</Directory>\n"
			 "<Location /u>\nAddDefaultCharset mu\n</Location>\n<DirectoryMatch /z>\nAddDefaultCharset mz\n</DirectoryMatch>\n");
	s = f.c->servers[1];
	ck_assert_str_eq(fixture_dir_for(&f, s, "/a/", "x", NULL)->default_charset, "va");
	/* the main server's longer path beats the host's shorter one */
	ck_assert_str_eq(fixture_dir_for(&f, s, "/a/b/", "x", NULL)->default_charset, "mab");
	ck_assert_uint_eq(fixture_dir_for(&f, s, "/a/b/", "x", NULL)->options, 0);
	ck_assert_str_eq(fixture_dir_for(&f, s, "/a/b/", "x", "/u/x")->default_charset, "vu");
	ck_assert_str_eq(fixture_dir_for(&f, s, "/a/z/", "x", NULL)->default_charset, "mz");
	ck_assert_str_eq(fixture_dir_for(&f, f.c->servers[0], "/a/", "x", "/u")->default_charset, "mu");
	ck_assert_uint_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", "x", NULL)->options, CONF_OPT_INDEXES);
	fixture_free(&f);
}
END_TEST

/* --- Options ------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *outer, *inner;
	unsigned options;
} option_cases[] = {
	{"", "", CONF_OPT_FOLLOW},
	{"Indexes", "", CONF_OPT_INDEXES}, /* absolute: FollowSymLinks is gone */
	{"Indexes FollowSymLinks", "Includes", CONF_OPT_INCLUDES},
	{"Indexes FollowSymLinks", "+Includes -Indexes", CONF_OPT_FOLLOW | CONF_OPT_INCLUDES},
	{"", "+Indexes", CONF_OPT_FOLLOW | CONF_OPT_INDEXES},
	{"", "-FollowSymLinks", 0},
	{"+Indexes", "-Indexes", CONF_OPT_FOLLOW},
	{"None", "+SymLinksIfOwnerMatch", CONF_OPT_OWNER_MATCH},
	{"All", "", CONF_OPT_INDEXES | CONF_OPT_FOLLOW | CONF_OPT_OWNER_MATCH | CONF_OPT_EXECCGI | CONF_OPT_INCLUDES},
	{"All", "None", 0},
	{"+Indexes +Indexes -Indexes", "", CONF_OPT_FOLLOW},
	{"Indexes\nOptions +FollowSymLinks", "", CONF_OPT_INDEXES | CONF_OPT_FOLLOW},
	{"+Indexes\nOptions -FollowSymLinks", "", CONF_OPT_INDEXES},
};

START_TEST(options)
{
	struct fixture f;
	char text[512];

	(void)snprintf(text, sizeof(text), "<Directory /a>\n%s%s\n</Directory>\n<Directory /a/b>\n%s%s\n</Directory>\n",
		       option_cases[_i].outer[0] == '\0' ? "" : "Options ", option_cases[_i].outer,
		       option_cases[_i].inner[0] == '\0' ? "" : "Options ", option_cases[_i].inner);
	fixture_good(&f, text);
	ck_assert_uint_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", "x", NULL)->options, option_cases[_i].options);
	fixture_free(&f);
}
END_TEST

/* --- access --------------------------------------------------------------------------------------------------------------- */

#define FILES_SECRET "<Files secret>\nRequire all denied\n</Files>\n"

static const struct {
	const char *outer, *inner;
	bool granted;
} access_cases[] = {
	{"", "", true},
	{"Require all denied", "", false},
	{"Require all denied", "Require all granted", true},
	{"Require all granted", "Require all denied", false},
	{"Require all denied\nRequire all granted", "", true},
	{"Require local", "", false},
	{"Require valid-user", "", false},
	{"Require ip 10.0.0.0/8\nRequire all granted", "", true},
	{"Require not ip 10.0.0.0/8", "Require all denied", false},
	{"<RequireAll>\nRequire all granted\nRequire not ip 10.0.0.1\n</RequireAll>", "", false},
	{"<RequireAll>\nRequire all granted\nRequire not all denied\n</RequireAll>", "", true},
	{"<RequireAll>\nRequire all granted\nRequire all denied\n</RequireAll>", "", false},
	{"<RequireAny>\nRequire all granted\nRequire all denied\n</RequireAny>", "", true},
	{"<RequireAny>\nRequire local\nRequire all denied\n</RequireAny>", "", false},
	{"<RequireAll>\n<RequireNone>\nRequire all denied\n</RequireNone>\nRequire all granted\n</RequireAll>", "", true},
	{"<RequireAll>\n<RequireNone>\nRequire ip 10.0.0.1\n</RequireNone>\nRequire all granted\n</RequireAll>", "", false},
	{"<RequireAny>\n</RequireAny>", "", false},
	/* the old rules */
	{"Order allow,deny", "", false},
	{"Order deny,allow", "", true},
	{"Order allow,deny\nAllow from all", "", true},
	{"Order allow,deny\nAllow from all\nDeny from all", "", false},
	{"Order deny,allow\nAllow from all\nDeny from all", "", true},
	{"Deny from all", "", false},
	{"Order Allow, Deny\nAllow from all", "", true},
	{"Order allow,deny\nAllow from 10.0.0.1", "", false},
	{"Order allow,deny\nAllow from all\nDeny from 10.0.0.1", "", false},
	{"Deny from all", "Require all granted", false},   /* both must hold */
	{"Require all denied", "Allow from all", false},
	{"Deny from all", "Satisfy any", true},            /* one line replaces all old rules */
	{"Deny from all", "Order deny,allow", true},
	{"Require all denied\nOrder deny,allow\nDeny from all\nSatisfy any", "", false},
	{"Require all granted\nDeny from all\nSatisfy any", "", true},
	{"Deny from all\nSatisfy any", "", false},
};

START_TEST(access_rules)
{
	struct fixture f;
	char text[512];

	(void)snprintf(text, sizeof(text), "<Directory /a>\n%s\n</Directory>\n<Directory /a/b>\n%s\n</Directory>\n", access_cases[_i].outer,
		       access_cases[_i].inner);
	fixture_load(&f, text, false);
	if (f.c == NULL) /* "not" alone is an error: nothing is served at all */
		ck_assert_int_eq(access_cases[_i].granted, false);
	else
		ck_assert_msg(fixture_dir_for(&f, f.c->servers[0], "/a/b/", "x", NULL)->granted == access_cases[_i].granted, "%s", text);
	fixture_free(&f);
}
END_TEST

START_TEST(files_come_after_all_directories)
{
	struct fixture f;

	fixture_good(&f, "<Directory /a>\n" FILES_SECRET "Require all granted\n</Directory>\n"
			 "<Directory /a/b>\nRequire all granted\n</Directory>\n"
			 "<Directory /a/c>\n<Files secret>\nRequire all granted\n</Files>\n</Directory>\n"
			 "<FilesMatch \"^\\.ht\">\nRequire all denied\n</FilesMatch>\n<Location /open>\nRequire all granted\n</Location>\n");
	ck_assert_int_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", "secret", "/x")->granted, false);
	ck_assert_int_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", "other", "/x")->granted, true);
	ck_assert_int_eq(fixture_dir_for(&f, f.c->servers[0], "/a/c/", "secret", "/x")->granted, true);
	ck_assert_int_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", ".htaccess", "/x")->granted, false);
	ck_assert_int_eq(fixture_dir_for(&f, f.c->servers[0], "/a/b/", ".htaccess", "/open/x")->granted, true);
	fixture_free(&f);
}
END_TEST

/* --- handlers and types ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *in, *name;
	enum conf_handler_kind kind;
} handler_cases[] = {
	{"", "x.php", CONF_HANDLER_PHP},
	{"", "x.html", CONF_HANDLER_DEFAULT},
	{"", "x.php.txt", CONF_HANDLER_DEFAULT},
	{"", "x.PHP", CONF_HANDLER_DEFAULT},
	{"", "php", CONF_HANDLER_DEFAULT},
	{"", ".php", CONF_HANDLER_PHP},
	{"", "x.php.", CONF_HANDLER_DEFAULT},
	{"AddHandler application/x-httpd-php .phtml .inc\n", "x.inc", CONF_HANDLER_PHP},
	{"AddHandler application/x-httpd-php .phtml .inc\n", "x.inc.txt", CONF_HANDLER_DEFAULT},
	{"AddHandler application/x-httpd-php .phtml .inc\n", "x.INC", CONF_HANDLER_DEFAULT},
	{"AddType application/x-httpd-php phtml\n", "x.phtml", CONF_HANDLER_PHP},
	{"AddHandler php7-script .p7\n", "x.p7", CONF_HANDLER_PHP},
	{"AddHandler application/x-httpd-ea-php82 .php .phtml\n", "x.phtml", CONF_HANDLER_PHP},
	{"AddHandler cgi-script .cgi\n", "x.cgi", CONF_HANDLER_DENY},
	{"AddHandler cgi-script .cgi\n", "x.CGI", CONF_HANDLER_DENY},
	{"AddHandler cgi-script .cgi\n", "x.cgi.txt", CONF_HANDLER_DENY},
	{"AddType application/x-httpd-php-source .phps\n", "x.phps", CONF_HANDLER_DENY},
	{"SetHandler application/x-httpd-php\n", "x.anything", CONF_HANDLER_PHP},
	{"SetHandler server-status\n", "x", CONF_HANDLER_DENY},
	{"SetHandler default-handler\n", "x.html", CONF_HANDLER_DEFAULT},
	{"SetHandler default-handler\n", "x.php", CONF_HANDLER_DENY}, /* never its source */
	{"SetHandler \"proxy:unix:/run/x.sock|fcgi://localhost\"\n", "x.php", CONF_HANDLER_POOL},
	{"SetHandler server-status\n<Files x>\nSetHandler none\n</Files>\n", "x", CONF_HANDLER_DEFAULT},
	{"RemoveHandler .php\n", "x.php", CONF_HANDLER_DENY},
	{"AddHandler application/x-httpd-php .inc\n<Files x.inc>\nRemoveHandler .inc\n</Files>\n", "x.inc", CONF_HANDLER_DENY},
	{"AddHandler cgi-script .foo\n<Files x.foo>\nRemoveHandler .foo\n</Files>\n", "x.foo", CONF_HANDLER_DEFAULT},
	{"RemoveHandler .php\n<Files x.php>\nAddHandler application/x-httpd-php .php\n</Files>\n", "x.php", CONF_HANDLER_PHP},
	{"php_flag engine off\n", "x.php", CONF_HANDLER_DENY},
	{"php_admin_flag engine off\n", "x.html", CONF_HANDLER_DEFAULT},
	{"php_admin_flag engine off\n<Files x.php>\nphp_flag engine on\n</Files>\n", "x.php", CONF_HANDLER_PHP},
	{"php_flag engine off\nSetHandler \"proxy:unix:/run/x.sock|fcgi://localhost\"\n", "x.php", CONF_HANDLER_DENY},
	{"<FilesMatch \".+\\.ph(?:ar|p|tml)$\">\nSetHandler application/x-httpd-php\n</FilesMatch>\n", "x.phar", CONF_HANDLER_PHP},
	{"AddType text/plain .php\n", "x.php", CONF_HANDLER_PHP},
};

START_TEST(handlers)
{
	struct fixture f;
	const struct conf_dir *d;

	fixture_good(&f, handler_cases[_i].in);
	d = fixture_dir_for(&f, f.c->servers[0], "/a/", handler_cases[_i].name, "/");
	ck_assert_msg(conf_handler_for(d, handler_cases[_i].name).kind == handler_cases[_i].kind, "%s in:\n%s", handler_cases[_i].name,
		      handler_cases[_i].in);
	fixture_free(&f);
}
END_TEST

START_TEST(types)
{
	static const char *const cases[][2] = {
		{"x.html", "text/html"}, {"x.HTML", "text/html"}, {"x.html.xyzzy", "text/html"}, {"x.css.html", "text/html"},
		{"x.one", "text/one"}, {"x.two", "text/two"}, {"x.html.one", "text/one"}, {"x.gone", NULL}, {"x", NULL}, {"html", NULL},
		{"forced.html", "text/forced"}, {"x.xyzzy", NULL}, {".one", "text/one"}, {"x.", NULL},
	};
	struct fixture f;

	fixture_good(&f, "AddType text/one .one gone\nAddType text/zero two\n<Directory /a>\nAddType text/two two\nRemoveType .gone\n</Directory>\n"
			 "<Files \"forced.*\">\nForceType text/forced\n</Files>\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct conf_dir *d = fixture_dir_for(&f, f.c->servers[0], "/a/", cases[i][0], "/");
		ck_assert_pstr_eq(conf_type_for(f.c, d, cases[i][0]), cases[i][1]);
	}
	fixture_free(&f);
}
END_TEST

/* --- lists ------------------------------------------------------------------------------------------------------------------- */

START_TEST(lists_add_up_or_replace)
{
	struct fixture f;
	const struct conf_dir *d;
	const struct conf_error_doc *e;

	fixture_good(&f, "DirectoryIndex a b\nDirectoryIndex c\nErrorDocument 404 /e404\nErrorDocument 403 \"no entry\"\nRedirect /r http://one/\n"
			 "LimitRequestBody 10\nphp_value x 1\nErrorDocument 500 default\n"
			 "<Directory /a>\nDirectoryIndex d\nErrorDocument 404 http://x/e\nRedirect permanent /r http://two/\nRedirect 410 /g\nphp_admin_value y 2\n</Directory>\n"
			 "<Directory /a/b>\nDirectoryIndex disabled\nErrorDocument 403 default\nErrorDocument 404 \"default\"\n</Directory>\n");
	d = fixture_dir_for(&f, f.c->servers[0], "/", "x", "/");
	ck_assert_uint_eq(d->index.n, 3);
	ck_assert_str_eq(d->index.v[2], "c");
	ck_assert_int_eq(conf_error_doc_for(d, 404)->kind, CONF_ERRDOC_PATH);
	ck_assert_ptr_null(conf_error_doc_for(d, 500));
	ck_assert_ptr_null(conf_error_doc_for(d, 418));
	ck_assert_int_eq(d->limit_body, 10);
	ck_assert_uint_eq(d->ini_n, 0); /* outside sections they are the host's */
	ck_assert_uint_eq(f.c->servers[0]->ini_n, 1);
	d = fixture_dir_for(&f, f.c->servers[0], "/a/", "x", "/");
	ck_assert_uint_eq(d->index.n, 1);
	e = conf_error_doc_for(d, 404);
	ck_assert_int_eq(e->kind, CONF_ERRDOC_URL);
	ck_assert_str_eq(conf_error_doc_for(d, 403)->value, "no entry");
	ck_assert_int_eq(conf_error_doc_for(d, 403)->kind, CONF_ERRDOC_TEXT);
	ck_assert_uint_eq(d->redirects_n, 3);
	ck_assert_str_eq(d->redirects[0].target, "http://two/");
	ck_assert_int_eq(d->redirects[0].status, 301);
	ck_assert_int_eq(d->redirects[1].status, 410);
	ck_assert_int_eq(d->redirects[2].status, 302);
	ck_assert_uint_eq(d->ini_n, 1);
	ck_assert_int_eq(d->ini[0].admin, true);
	d = fixture_dir_for(&f, f.c->servers[0], "/a/b/", "x", "/");
	ck_assert_uint_eq(d->index.n, 0);
	ck_assert_ptr_null(conf_error_doc_for(d, 403));
	ck_assert_int_eq(conf_error_doc_for(d, 404)->kind, CONF_ERRDOC_TEXT); /* quoted: the word itself */
	fixture_free(&f);
}
END_TEST

START_TEST(run_away_patterns_fail_the_request)
{
	struct fixture f;
	struct conf_match m = {.dir = "/a/", .file = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", .uri = "/"};

	fixture_good(&f, "<FilesMatch \"^(a+)+$\">\nRequire all denied\n</FilesMatch>\n");
	m.server = f.c->servers[0];
	ck_assert_ptr_null(conf_dir_for(f.cc, f.c, &m));
	m.file = "short";
	ck_assert_ptr_nonnull(conf_dir_for(f.cc, f.c, &m));
	m.dir = "relative";
	ck_assert_ptr_null(conf_dir_for(f.cc, f.c, &m));
	fixture_free(&f);
}
END_TEST

START_TEST(many_paths_share_results)
{
	struct fixture f;
	const struct conf_dir *first = NULL;
	char path[64];

	fixture_good(&f, "<Directory /a>\nOptions None\n</Directory>\n<Directory /a/*>\nOptions Indexes\n</Directory>\n");
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "/a/d%d/e%d/", i, i);
		const struct conf_dir *d = fixture_dir_for(&f, f.c->servers[0], path, "x", "/");
		ck_assert_int_eq(first == NULL || d == first, 1);
		first = d;
	}
	fixture_free(&f);
}
END_TEST

Suite *suite_conf_merge(void);

Suite *suite_conf_merge(void)
{
	Suite *s = suite_create("conf: merging");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, order, 0, (int)(sizeof(order_cases) / sizeof(*order_cases)));
	tcase_add_test(t, main_server_before_virtual_host);
	tcase_add_loop_test(t, options, 0, (int)(sizeof(option_cases) / sizeof(*option_cases)));
	tcase_add_loop_test(t, access_rules, 0, (int)(sizeof(access_cases) / sizeof(*access_cases)));
	tcase_add_test(t, files_come_after_all_directories);
	tcase_add_loop_test(t, handlers, 0, (int)(sizeof(handler_cases) / sizeof(*handler_cases)));
	tcase_add_test(t, types);
	tcase_add_test(t, lists_add_up_or_replace);
	tcase_add_test(t, run_away_patterns_fail_the_request);
	tcase_add_test(t, many_paths_share_results);
	suite_add_tcase(s, t);
	return s;
}
