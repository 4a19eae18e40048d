/* SPDX-License-Identifier: Apache-2.0 */
/* Lexer, reader, variables, spelling; the other suites are in check_conf_*.c. */
#include <stdio.h>
#include <string.h>

#include "conf/conf_lex.h"
#include "conf/conf_parse.h"
#include "conf/conf_types.h"
#include "conf/conf_util.h"
#include "conf/conf_vars.h"
#include "tests/unit/conf_fixture.h"

/* --- lexer ------------------------------------------------------------------------------------------------------------- */

/* Lines are written as kind(name)[word|word]@line:column of the last word, errors as !line:column. */
static const struct {
	const char *in, *out;
} lex_cases[] = {
	{"", ""},
	{"\n\n  \t\n", ""},
	{"# comment\nListen 80\n", "D(Listen)[80]@2:8 "},
	{"Listen 80", "D(Listen)[80]@1:8 "},
	{"  Listen\t80  \r\n", "D(Listen)[80]@1:10 "},
	{"A b c\nD\n", "D(A)[b|c]@1:5 D(D)[]@2:1 "},
	{"A \"b c\" 'd e'\n", "D(A)[b c|d e]@1:9 "},
	{"A \"b\"c\n", "D(A)[b|c]@1:6 "},
	{"A \"x \\\" y\"\n", "D(A)[x \" y]@1:3 "},
	{"A \"x \\' y\"\n", "D(A)[x \\' y]@1:3 "},
	{"A 'x \\' y'\n", "D(A)[x ' y]@1:3 "},
	{"A \"\\.php$\"\n", "D(A)[\\.php$]@1:3 "},
	{"A \\\\x a\\ b\n", "D(A)[\\x|a\\|b]@1:10 "},
	{"A \"a\\\\\"\n", "D(A)[a\\]@1:3 "},
	{"A \"\"\n", "D(A)[]@1:3 "},
	{"A don't\n", "D(A)[don't]@1:3 "},
	{"A b # c\n", "D(A)[b|#|c]@1:7 "},
	{"A b\\\nc\n", "D(A)[bc]@1:3 "},
	{"A b \\\n  c\nE f", "D(A)[b|c]@2:3 D(E)[f]@3:3 "},
	{"A b \\\r\n  c\r\n", "D(A)[b|c]@2:3 "},
	{"# comment \\\nstill comment\nA b\n", "D(A)[b]@3:3 "},
	{"A b \\", "D(A)[b|\\]@1:5 "},
	{"A b\\\n", "D(A)[b]@1:3 "},
	{"<VirtualHost *:80>\n</VirtualHost>\n", "O(VirtualHost)[*:80]@1:14 C(VirtualHost)[]@2:1 "},
	{"<Files ~ \"\\.(a|b)>$\">\n", "O(Files)[~|\\.(a|b)>$]@1:10 "},
	{"<IfVersion >= 2.4>\n", "O(IfVersion)[>=|2.4]@1:15 "},
	{"<Directory /x > # why\n", "O(Directory)[/x]@1:12 "},
	{"  < /x>\n", "!1:3 "},
	{"<Directory /x\nA b\n", "!1:13 D(A)[b]@2:3 "},
	{"<Directory /x>y\n", "!1:15 "},
	{"</Directory x>\n", "!1:12 "},
	{"</Directory>>\n", "C(Directory>)[]@1:1 "},
	{"<>\n", "!1:1 "},
	{"A \"b\nC d\n", "!1:3 D(C)[d]@2:3 "},
	{"A b c \\\n\"d\n", "!2:1 "},
	{"\xef\xbb\xbfListen 80\n", "!1:1 "},
	{"A \xc3\xa9 b\n", "D(A)[\xc3\xa9|b]@1:6 "},
};

static void lex_text(const char *in, size_t len, char *out, size_t cap)
{
	struct arena a;
	struct conf_lexer lx;
	struct conf_line l;
	size_t at = 0;
	int rc;

	out[0] = '\0';
	arena_init(&a);
	conf_lexer_init(&lx, in, len, &a);
	while ((rc = conf_lexer_next(&lx, &l)) != 0) {
		const struct conf_word *last = &l.name;
		ck_assert_int_ne(rc, GW_ERR_NOMEM);
		if (rc < 0) {
			at += (size_t)snprintf(out + at, cap - at, "!%u:%u ", lx.why_line, lx.why_column);
			continue;
		}
		at += (size_t)snprintf(out + at, cap - at, "%c(%s)[", "DOC"[l.kind], l.name.text);
		for (size_t i = 0; i < l.words_n; i++) {
			last = &l.words[i];
			at += (size_t)snprintf(out + at, cap - at, "%s%s", i > 0 ? "|" : "", last->text);
		}
		at += (size_t)snprintf(out + at, cap - at, "]@%u:%u ", last->line, last->column);
	}
	conf_lexer_fini(&lx);
	arena_fini(&a);
}

START_TEST(lexer_case)
{
	char out[512];

	lex_text(lex_cases[_i].in, strlen(lex_cases[_i].in), out, sizeof(out));
	ck_assert_str_eq(out, lex_cases[_i].out);
}
END_TEST

START_TEST(lexer_refuses_nul_and_endless_lines)
{
	char out[512];
	size_t n = CONF_LEX_LINE_MAX + 100;
	char *big = malloc(n);

	lex_text("A b\0c\nD e\n", 10, out, sizeof(out));
	ck_assert_str_eq(out, "!1:4 D(D)[e]@2:3 ");
	ck_assert_ptr_nonnull(big);
	memset(big, 'x', n);
	lex_text(big, n, out, sizeof(out));
	ck_assert_str_eq(out, "!1:1 ");
	/* Many words in a long joined line: linear work, right places. */
	for (size_t i = 0; i + 4 <= n; i += 4)
		memcpy(big + i, "a \\\n", 4);
	memcpy(big + 1000000, "b\nC d", 5);
	struct arena a;
	struct conf_lexer lx;
	struct conf_line l;
	arena_init(&a);
	conf_lexer_init(&lx, big, 1000005, &a);
	ck_assert_int_eq(conf_lexer_next(&lx, &l), 1);
	ck_assert_uint_eq(l.words_n, 250000);
	ck_assert_uint_eq(l.words[249999].line, 250001);
	ck_assert_uint_eq(l.words[249999].column, 1);
	ck_assert_int_eq(conf_lexer_next(&lx, &l), 1);
	ck_assert_uint_eq(l.name.line, 250002);
	conf_lexer_fini(&lx);
	arena_fini(&a);
	free(big);
}
END_TEST

/* --- reader ------------------------------------------------------------------------------------------------------------ */

/* The tree as text: name(args){children}. */
static void tree_text(const struct conf_node *n, struct buf *out)
{
	for (; n != NULL; n = n->next) {
		ck_assert_int_eq(buf_puts(out, n->name.text), GW_OK);
		for (size_t i = 0; i < n->args_n; i++)
			ck_assert_int_eq(buf_printf(out, " %s", n->args[i].text), GW_OK);
		if (n->section) {
			ck_assert_int_eq(buf_puts(out, "{"), GW_OK);
			tree_text(n->children, out);
			ck_assert_int_eq(buf_puts(out, "}"), GW_OK);
		}
		ck_assert_int_eq(buf_puts(out, ";"), GW_OK);
	}
}

static const struct {
	const char *in, *out;
	size_t errors;
} parse_cases[] = {
	{"A b\n<S x>\nB\n<T>\nC\n</T>\n</s>\nD\n", "A b;S x{B;T{C;};};D;", 0},
	{"Define X 1\nA ${X} a${X}b\n", "A 1 a1b;", 0},
	{"Define X\n<IfDefine X>\nA\n</IfDefine>\n<IfDefine !X>\nB\n</IfDefine>\n", "A;", 0},
	{"Define X\nUnDefine X\n<IfDefine X>\nA\n</IfDefine>\n<IfDefine !X>\nB\n</IfDefine>\n", "B;", 0},
	{"Define X \"two words\"\nA ${X}\n", "A two words;", 0},
	{"A ${NOT_SET_ANYWHERE_1} %{X}i $1\n", "A ${NOT_SET_ANYWHERE_1} %{X}i $1;", 0},
	{"A ${ ${}\n", "A ${ ${};", 0},
	{"Define A:B x\n", "", 1},
	{"Define\n", "", 1},
	{"<IfModule mod_nothing.c>\nRubbish \"open\n<Deep>\n</IfModule>\n</Deep>\n</IfModule>\nB\n", "B;", 2},
	{"<IfModule mod_nothing.c>\n<Deep>\n</Deep>\n</IfModule>\nB\n", "B;", 0},
	{"<IfModule !mod_nothing.c>\nA\n</IfModule>\n", "A;", 0},
	{"<IfModule alias_module>\nA\n</IfModule>\n<IfModule mod_alias.c>\nB\n</IfModule>\n", "A;B;", 0},
	{"<IfModule Alias_Module>\nA\n</IfModule>\n", "", 0},
	{"<IfModule other_module>\nA\n</IfModule>\nLoadModule other_module x.so\n<IfModule mod_other.c>\nB\n</IfModule>\n", "LoadModule other_module x.so;B;", 0},
	{"LoadModule cgid_module x\n<IfModule mod_cgid.c>\nA\n</IfModule>\n", "LoadModule cgid_module x;IfModule mod_cgid.c{};", 0},
	{"LoadModule ssl_module x\n<IfModule mod_ssl.c>\nA\n</IfModule>\n<IfModule !mod_ssl.c>\nB\n</IfModule>\n", "LoadModule ssl_module x;A;", 0},
	{"<IfModule mod_ssl.c>\nA\n</IfModule>\n<IfModule !remoteip_module>\nB\n</IfModule>\n", "A;", 0},
	{"LoadModule alias_module x\n<IfModule mod_ssl.c>\nA\n</IfModule>\n<IfModule !ssl_module>\nB\n</IfModule>\n", "LoadModule alias_module x;B;", 0},
	{"<IfModule mpm_prefork_module>\nA\n</IfModule>\n<IfModule mpm_event_module>\nB\n</IfModule>\n<IfModule mod_php.c>\nC\n</IfModule>\n", "A;C;", 0},
	{"LoadModule mpm_event_module x\n<IfModule prefork.c>\nA\n</IfModule>\n<IfModule event.c>\nB\n</IfModule>\n<IfModule php_module>\nC\n</IfModule>\n", "LoadModule mpm_event_module x;B;", 0},
	{"<IfVersion >= 2.4>\nA\n</IfVersion>\n<IfVersion < 2.4>\nB\n</IfVersion>\n<IfVersion 2.4>\nC\n</IfVersion>\n", "A;C;", 0},
	{"<IfVersion ~ ^2\\.[24]>\nA\n</IfVersion>\n<IfVersion /^2.2/>\nB\n</IfVersion>\n<IfVersion !> 2.4.62>\nC\n</IfVersion>\n", "A;C;", 0},
	{"<IfVersion foo 2.4>\nA\n</IfVersion>\n<IfVersion 2.x>\nB\n</IfVersion>\n<IfVersion ~ (>\nC\n</IfVersion>\n", "", 3},
	{"<IfFile /etc/passwd>\nA\n</IfFile>\n<IfFile /nowhere/x>\nB\n</IfFile>\n", "A;", 0},
	{"<S>\nA\n", "S{A;};", 1},
	{"</S>\nA\n", "A;", 1},
	{"<S>\n<T>\nA\n</S>\nB\n", "S{T{A;};};B;", 1},
	{"<S>\nA\n</Z>\nB\n", "S{A;};B;", 1},
	{"<IfDefine>\nA\n</IfDefine>\nB\n", "B;", 1},
};

START_TEST(parser_case)
{
	struct arena a;
	struct conf_diags d;
	struct conf_parser p;
	struct buf out;

	arena_init(&a);
	conf_diags_init(&d);
	buf_init(&out);
	conf_parser_init(&p, &a, &d);
	conf_parse_text(&p, "t", parse_cases[_i].in, strlen(parse_cases[_i].in));
	ck_assert_int_eq(p.oom, 0);
	tree_text(p.root.children, &out);
	ck_assert_int_eq(buf_append(&out, "", 1), GW_OK);
	ck_assert_str_eq((char *)buf_head(&out), parse_cases[_i].out);
	ck_assert_uint_eq(d.errors, parse_cases[_i].errors);
	buf_fini(&out);
	conf_diags_fini(&d);
	arena_fini(&a);
}
END_TEST

START_TEST(parser_bounds_nesting)
{
	struct arena a;
	struct conf_diags d;
	struct conf_parser p;
	struct buf in;

	arena_init(&a);
	conf_diags_init(&d);
	buf_init(&in);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(buf_puts(&in, "<S>\n"), GW_OK);
	conf_parser_init(&p, &a, &d);
	conf_parse_text(&p, "t", (char *)buf_head(&in), buf_unread(&in));
	ck_assert_uint_gt(d.errors, 0);
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "nested"));
	buf_fini(&in);
	conf_diags_fini(&d);
	arena_fini(&a);
}
END_TEST

/* --- include ------------------------------------------------------------------------------------------------------------ */

START_TEST(include_follows_apaches_order)
{
	struct fixture f;
	char text[4096];

	fixture_file("inc/b.conf", "ServerAlias b\n");
	fixture_file("inc/a.conf", "ServerAlias a\n");
	fixture_file("inc/.hidden.conf", "ServerAlias hidden\n");
	fixture_file("inc/a/z.conf", "ServerAlias az\n");
	fixture_file("inc/a-b/z.conf", "ServerAlias abz\n");
	fixture_file("inc/c.txt", "ServerAlias c\n");
	(void)snprintf(text, sizeof(text),
		       "<VirtualHost *>\nInclude inc/*.conf\nInclude %s/inc/a\nIncludeOptional inc/*/z.conf\nIncludeOptional inc/*.none\n"
		       "IncludeOptional inc/none\n</VirtualHost>\n",
		       fixture_dir());
	fixture_good(&f, text);
	const struct conf_strs *v = &f.c->servers[1]->aliases;
	const char *want[] = {"a", "b", "az", "az", "abz"};
	ck_assert_uint_eq(v->n, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(v->v[i], want[i]);
	fixture_free(&f);
	/* A whole directory: hidden files too, as Apache. */
	fixture_good(&f, "<VirtualHost *>\nInclude inc\n</VirtualHost>\n");
	ck_assert_uint_eq(f.c->servers[1]->aliases.n, 6);
	fixture_free(&f);
}
END_TEST

START_TEST(include_errors_name_the_line)
{
	struct fixture f;

	fixture_file("loop1.conf", "Include loop2.conf\n");
	fixture_file("loop2.conf", "\nInclude loop1.conf\n");
	fixture_file("half.conf", "<Directory /x>\n");
	fixture_load(&f, "Include nothere.conf\nInclude inc0/*.conf\n Include main.conf\nInclude loop1.conf\nInclude half.conf\n</Directory>\nInclude\n", false);
	ck_assert_int_eq(fixture_said(&f, true, 1, 9, "No such file"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 2, 9, "IncludeOptional"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 3, 10, "includes itself"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 2, 9, "includes itself"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 1, 1, "<Directory> is never closed"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 6, 1, "closes nothing"), 1);
	ck_assert_int_eq(fixture_said(&f, true, 7, 1, "Include takes"), 1);
	fixture_free(&f);
}
END_TEST

START_TEST(include_explosion_is_bounded)
{
	struct fixture f;
	char name[32], text[128];

	/* Each file includes the next one eight times: 8^20 reads without a bound. */
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "boom%d.conf", i);
		text[0] = '\0';
		for (int k = 0; k < 8 && i < 19; k++)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "Include b/%d\n", i + 1);
		(void)snprintf(name, sizeof(name), "b/%d", i);
		fixture_file(name, text);
	}
	fixture_load(&f, "Include b/0\n", false);
	ck_assert_int_eq(fixture_said(&f, true, 0, 0, "too many files"), 1);
	fixture_free(&f);
}
END_TEST

/* --- small parts -------------------------------------------------------------------------------------------------------- */

START_TEST(envvars_are_read_like_a_shell)
{
	static const char text[] =
		"# comment\nunset HOME\nif [ \"x\" != \"y\" ] ; then\n\tSUFFIX=\"-${X##/etc-}\"\nelse\n\tSUFFIX=\nfi\n"
		"export RUN_USER=www\nexport PID=/var/run/apache2$SUFFIX/x.pid\nPLAIN=a\\ b\nQ=\"a b\"' $c'\nexport A=1 B=2\n"
		"CMD=$(id)\nTICK=`id`\nexport LANG\nBACK=${RUN_USER}-${NOT_SET_ANYWHERE_2}!\n";
	static const char *const want[][2] = {
		{"RUN_USER", "www"}, {"PID", "/var/run/apache2/x.pid"}, {"PLAIN", "a b"}, {"Q", "a b $c"}, {"A", "1"}, {"BACK", "www-!"},
		{"SUFFIX", ""},
	};
	struct arena a;
	struct conf_vars v;

	arena_init(&a);
	conf_vars_init(&v, &a);
	ck_assert_int_eq(conf_vars_read_envvars(&v, text), GW_OK);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		ck_assert_str_eq(conf_vars_get(&v, want[i][0]), want[i][1]);
	ck_assert_ptr_null(conf_vars_get(&v, "CMD"));
	ck_assert_ptr_null(conf_vars_get(&v, "TICK"));
	arena_fini(&a);
}
END_TEST

START_TEST(values_do_not_grow_without_end)
{
	struct arena a;
	struct conf_vars v;
	struct fixture f;
	struct buf b;
	const char *out, *unknown;

	arena_init(&a);
	buf_init(&b);
	conf_vars_init(&v, &a);
	ck_assert_int_eq(buf_puts(&b, "X=0123456789\n"), GW_OK);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(buf_puts(&b, "X=$X$X\n"), GW_OK);
	ck_assert_int_eq(buf_append(&b, "", 1), GW_OK);
	ck_assert_int_eq(conf_vars_read_envvars(&v, (char *)buf_head(&b)), GW_OK);
	ck_assert_uint_le(strlen(conf_vars_get(&v, "X")), 2 * CONF_VALUE_MAX);
	ck_assert_int_eq(conf_vars_expand(&v, "${X}${X}${X}", &out, &unknown), GW_ERR_RANGE);
	buf_reset(&b);
	ck_assert_int_eq(buf_puts(&b, "Define X 0123456789\n"), GW_OK);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(buf_puts(&b, "Define X ${X}${X}\n"), GW_OK);
	ck_assert_int_eq(buf_append(&b, "", 1), GW_OK);
	fixture_load(&f, (char *)buf_head(&b), false);
	ck_assert_int_eq(fixture_said(&f, true, 0, 10, "longer than"), 1);
	fixture_free(&f);
	buf_fini(&b);
	arena_fini(&a);
}
END_TEST

START_TEST(define_comes_before_environment)
{
	struct fixture f;

	(void)setenv("CHECK_CONF_NAME", "from-env", 1);
	fixture_good(&f, "ServerAdmin ${CHECK_CONF_NAME}\n");
	ck_assert_str_eq(f.c->servers[0]->admin, "from-env");
	fixture_free(&f);
	fixture_file("envvars", "export CHECK_CONF_NAME=from-file\n");
	fixture_good(&f, "ServerAdmin ${CHECK_CONF_NAME}\n");
	ck_assert_str_eq(f.c->servers[0]->admin, "from-file");
	fixture_free(&f);
	fixture_good(&f, "Define CHECK_CONF_NAME defined\nServerAdmin ${CHECK_CONF_NAME}\n");
	ck_assert_str_eq(f.c->servers[0]->admin, "defined");
	fixture_free(&f);
	fixture_good(&f, "ServerAdmin a${NOT_SET_ANYWHERE_3}b\n");
	ck_assert_str_eq(f.c->servers[0]->admin, "a${NOT_SET_ANYWHERE_3}b");
	ck_assert_int_eq(fixture_said(&f, false, 1, 13, "NOT_SET_ANYWHERE_3"), 1);
	fixture_free(&f);
}
END_TEST

static const struct {
	const char *word, *best;
} suggest_cases[] = {
	{"DocumentRot", "DocumentRoot"}, {"documentroot", "DocumentRoot"}, {"Documnetroot", "DocumentRoot"}, {"Lisen", "Listen"},
	{"ServerAliases", "ServerAlias"}, {"Xyzzy", NULL}, {"L", NULL}, {"Timeouts", "Timeout"},
};

START_TEST(suggestion)
{
	static const char *const words[] = {"DocumentRoot", "Listen", "ServerAlias", "ServerAdmin", "Timeout", "Options"};
	struct conf_suggest s;

	conf_suggest_init(&s, suggest_cases[_i].word);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		conf_suggest_try(&s, words[i]);
	if (suggest_cases[_i].best == NULL)
		ck_assert_ptr_null(s.best);
	else
		ck_assert_pstr_eq(s.best, suggest_cases[_i].best);
}
END_TEST

START_TEST(paths_are_spelt_one_way)
{
	static const char *const cases[][3] = {
		{"/srv", "a", "/srv/a"}, {"/srv", "/a/", "/a"}, {"/srv", "//a//b/./c/../d", "/a/b/d"}, {"/srv", "/", "/"},
		{"/srv", "../..", "/"}, {"/srv", "", "/srv"}, {"/", "x", "/x"}, {"/srv", "/..a/b", "/..a/b"}, {"/s", "/a/..", "/"},
	};
	struct arena a;

	arena_init(&a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_str_eq(conf_path(&a, cases[i][0], cases[i][1]), cases[i][2]);
	ck_assert_uint_eq(conf_path_components("/"), 0);
	ck_assert_uint_eq(conf_path_components("/a/b"), 2);
	arena_fini(&a);
}
END_TEST

START_TEST(types_file_is_read)
{
	struct arena a;
	struct conf_types *t;

	arena_init(&a);
	t = conf_types_new(&a);
	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(conf_types_read(t, &a, "# x\ntext/x-a a AA # b\nalone/type\n\n text/new html\n"), GW_OK);
	ck_assert_str_eq(conf_types_find(t, "a", 1), "text/x-a");
	ck_assert_str_eq(conf_types_find(t, "aA", 2), "text/x-a");
	ck_assert_str_eq(conf_types_find(t, "HTML", 4), "text/new");
	ck_assert_str_eq(conf_types_find(t, "css", 3), "text/css");
	ck_assert_ptr_null(conf_types_find(t, "b", 1));
	ck_assert_ptr_null(conf_types_find(t, "", 0));
	arena_fini(&a);
}
END_TEST

static Suite *suite_lang(void)
{
	Suite *s = suite_create("conf: language");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, lexer_case, 0, (int)(sizeof(lex_cases) / sizeof(*lex_cases)));
	tcase_add_test(t, lexer_refuses_nul_and_endless_lines);
	tcase_add_loop_test(t, parser_case, 0, (int)(sizeof(parse_cases) / sizeof(*parse_cases)));
	tcase_add_test(t, parser_bounds_nesting);
	tcase_add_test(t, include_follows_apaches_order);
	tcase_add_test(t, include_errors_name_the_line);
	tcase_add_test(t, include_explosion_is_bounded);
	tcase_add_test(t, envvars_are_read_like_a_shell);
	tcase_add_test(t, values_do_not_grow_without_end);
	tcase_add_test(t, define_comes_before_environment);
	tcase_add_loop_test(t, suggestion, 0, (int)(sizeof(suggest_cases) / sizeof(*suggest_cases)));
	tcase_add_test(t, paths_are_spelt_one_way);
	tcase_add_test(t, types_file_is_read);
	suite_add_tcase(s, t);
	return s;
}

Suite *suite_conf_errors(void);
Suite *suite_conf_merge(void);
Suite *suite_conf_hosts(void);
Suite *suite_conf_keep(void);
Suite *suite_conf_serving(void);

UNIT_MAIN(suite_lang, suite_conf_errors, suite_conf_merge, suite_conf_hosts, suite_conf_keep, suite_conf_serving)
