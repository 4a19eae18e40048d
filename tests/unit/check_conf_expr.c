/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions. What each comes to was looked up in Apache 2.4.71, but for what it refuses and for names of the server. */
#include <string.h>
#include <strings.h>

#include "conf/conf_expr.h"
#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

struct world {
	struct arena a;
	struct conf_regex *res[64];
	size_t res_n;
	struct conf_regex_scratch *scratch;
	char room[4096];
};

static const struct conf_regex *keep_regex(void *arg, const char *pattern, bool any_case, char *why, size_t cap)
{
	struct world *w = arg;

	ck_assert_uint_lt(w->res_n, 64);
	w->res[w->res_n] = conf_regex_new(pattern, any_case, why, cap);
	return w->res[w->res_n] == NULL ? NULL : w->res[w->res_n++];
}

static int var(struct conf_expr_run *x, enum conf_expr_var v, struct conf_expr_text *out)
{
	static const char *const values[EXPR_VARS_N] = {
		[EXPR_REQUEST_METHOD] = "GET", [EXPR_REQUEST_URI] = "/a.txt", [EXPR_REMOTE_ADDR] = "127.0.0.1", [EXPR_REQUEST_STATUS] = "200",
		[EXPR_QUERY_STRING] = "q=1%202", [EXPR_HTTPS] = "off",
	};

	(void)x;
	if (values[v] != NULL)
		*out = (struct conf_expr_text){values[v], strlen(values[v])};
	return GW_OK;
}

static int find(struct conf_expr_run *x, enum conf_expr_table t, const char *name, struct conf_expr_text *out)
{
	static const struct {
		enum conf_expr_table t;
		const char *name, *value;
	} all[] = {{EXPR_REQUEST_FIELD, "X-A", "one"}, {EXPR_REQUEST_FIELD, "X-B", "a/b"}, {EXPR_REQUEST_FIELD, "user-agent", "Moz"},
		{EXPR_ANSWER_FIELD, "R1", "resp1"}, {EXPR_ENV, "MYVAR", "val"}, {EXPR_NOTE, "remark", "noted"}, {EXPR_TLS, "SSL_PROTOCOL", "TLSv1.3"}};

	if (strcmp(name, "fail") == 0)
		return GW_ERR_NOMEM;
	for (int i = 0; i < COUNT(all); i++)
		if (all[i].t == t && strcasecmp(all[i].name, name) == 0) {
			/* A copy, as a source makes one. */
			char *room = conf_expr_room(x, strlen(all[i].value));
			if (room == NULL)
				return GW_ERR_RANGE;
			*out = (struct conf_expr_text){memcpy(room, all[i].value, strlen(all[i].value)), strlen(all[i].value)};
		}
	return GW_OK;
}

static const struct conf_expr_source source = {var, find};

static void begin(struct world *w)
{
	arena_init(&w->a);
	w->res_n = 0;
	w->scratch = conf_regex_scratch_new();
}

static void end(struct world *w)
{
	while (w->res_n > 0)
		conf_regex_free(w->res[--w->res_n]);
	conf_regex_scratch_free(w->scratch);
	arena_fini(&w->a);
}

static const struct conf_expr *parse(struct world *w, const char *text, bool string, struct conf_expr_error *err)
{
	const struct conf_expr_maker m = {.a = &w->a, .regex = keep_regex, .arg = w};

	*err = (struct conf_expr_error){.why = ""};
	return conf_expr_parse(&m, text, string, err);
}

static struct conf_expr_run run_of(struct world *w)
{
	/* 23 November 2026, noon of UTC: the same day almost everywhere. */
	return (struct conf_expr_run){.source = &source, .scratch = w->scratch, .room = w->room, .room_len = sizeof(w->room), .now = 1795435200};
}

/* --- conditions ----------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int want;
} conditions[] = {
	{"true", 1}, {"false", 0}, {"not true", 0}, {"!false", 1}, {"!!true", 1}, {"! ! !true", 0}, {"((((true))))", 1},
	{"false and true", 0}, {"true && (false || true)", 1}, {"not false or true", 1}, {"true || true && false", 1},
	{"! false && false", 0}, {"! 'a' == 'b' && false || true", 1}, {"false || false || true", 1}, {"true && true && false", 0},
	{"'10' == 10", 1}, {"'A' == 'a'", 0}, {"'a' = 'a'", 1}, {"'a' != 'b'", 1}, {"'a' < 'b'", 1}, {"'b' <= 'a'", 0}, {"'ab' > 'a'", 1},
	{"'a' >= 'a'", 1}, {"'' == ''", 1}, {"'010' -eq 10", 1}, {"'' -eq 0", 1}, {"'abc' eq 0", 1}, {"-1 -lt 2", 1}, {"2 -le 1", 0},
	{"3 gt 2", 1}, {"2 -ge 3", 0}, {"1 ne 1", 0}, {"10 -gt 9", 1}, {"'10' > '9'", 0}, {"99999999999999999999 -gt 1", 1},
	{"'a' =~ /A/i", 1}, {"'a' =~ /A/", 0}, {"'a' !~ /b/", 1}, {"'xay' =~ /x(.)y/ && $1 == 'a'", 1}, {"'xay' =~ m#x(.)y# && \"v$1\" == 'va'", 1},
	{"'xay' =~ /x(.)y/ && 'q' !~ /(z)/ && $1 == 'a'", 0}, {"'xay' =~ /x(.)y/ && 'b' -strmatch '?' && $1 == 'a'", 1},
	{"'a' =~ /(b)?a/ && $1 == ''", 1}, {"'a\nb' =~ /a.b/s", 1}, {"'a\nb' =~ /a.b/", 0}, {"'a\nb' =~ /^b/m", 1}, {"%{REQUEST_URI} =~ m#^/a#&&true", 1},
	{"'/a/b' -strmatch '/*'", 1}, {"'/a/b' -fnmatch '/*'", 0}, {"'/A/b' -strcmatch '/a/*'", 1}, {"'/A/b' -strmatch '/a/*'", 0},
	{"'/a' -fnmatch '/[ab]'", 1}, {"'/c' -fnmatch '/[!ab]'", 1}, {"'/c' -fnmatch '/[ab]'", 0}, {"'a.c' -strmatch 'a.c'", 1},
	{"'abc' -strmatch 'a.c'", 0}, {"'a*c' -strmatch 'a\\\\*c'", 1}, {"'abc' -strmatch 'a\\\\*c'", 0}, {"'[x' -strmatch '[x'", 1},
	{"'abc' -strmatch 'b'", 0}, {"%{REQUEST_URI} -strmatch '*.txt'", 1},
	{"-T 'off'", 0}, {"-T 'OFFx'", 1}, {"-T '0'", 0}, {"-T 'no'", 0}, {"-T 'False'", 0}, {"-T ''", 0}, {"-T 'on'", 1}, {"-T %{HTTPS}", 0},
	{"-n req('X-None')", 0}, {"-z req('X-None')", 1}, {"!-n %{HTTP_USER_AGENT}", 0}, {"-n 'x' && -z ''", 1},
	{"-R '127'", 1}, {"-R '127.0.0.1/8'", 1}, {"-R '10.0.0.0/8'", 0}, {"%{REMOTE_ADDR} -ipmatch '127.0.0.0/255.0.0.0'", 1},
	{"%{REMOTE_ADDR} -ipmatch '::1'", 0}, {"'nonsense' -ipmatch '127'", 0},
	{"'ab' in {'x','ab'}", 1}, {"'b' in {'x' . 'y', 'ab'}", 0}, {"'xy' in {'x' . 'y', 'ab'}", 1}, {"%{REQUEST_STATUS} -in {'200','404'}", 1},
	{"%{REQUEST_STATUS} == 404", 0}, {"%{REQUEST_STATUS} >= 200 && %{REQUEST_STATUS} -lt 400", 1},
	{"req('X-A') == 'one' && req_novary('X-B') == 'a/b'", 1}, {"REQ ('x-a') == 'one'", 1}, {"%{Http:x-a} == 'one'", 1},
	{"%{HTTP:X-A} =~ /^(.)ne$/ && $1 == 'o'", 1}, {"%{query_string} == 'q=1%202'", 1}, {"\"a'b\" == 'a\\'b'", 1},
	{"'a' . 'b' . \"c\" == \"abc\"", 1}, {"'a'.req('X-A').'b' == 'aoneb'", 1}, {"%{TIME_YEAR} -eq 2026 && %{TIME_MON} -eq 11", 1},
	{"%{TIME} -strmatch '2025*'", 0}, {"%{TIME} -strmatch '202611*'", 1}, {"%{TIME_WDAY} in {'0', '1', '2'}", 1},
	{"%{IS_SUBREQ} == 'false'", 1}, {"%{SSL_PROTOCOL} == 'TLSv1.3'", 1}, {"%{SSL:SSL_PROTOCOL} == 'TLSv1.3'", 1},
};

START_TEST(a_condition)
{
	struct world w;
	struct conf_expr_error err;

	begin(&w);
	const struct conf_expr *e = parse(&w, conditions[_i].text, false, &err);
	ck_assert_msg(e != NULL, "%s: %s", conditions[_i].text, err.why);
	for (int i = 0; i < 2; i++) { /* nothing of the first time is left */
		struct conf_expr_run x = run_of(&w);
		int got = conf_expr_test(e, &x);
		ck_assert_msg(got == conditions[_i].want, "%s: %d", conditions[_i].text, got);
	}
	end(&w);
}
END_TEST

/* --- text ------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text, *want;
} texts[] = {
	{"", ""}, {"plain 'text'", "plain 'text'"}, {"\\x41\\101|\\q", "x41A|q"}, {"\\t\\n", "\t\n"}, {"100%", "100%"}, {"a$b", "a$b"}, {"a$1b", "ab"},
	{"%{REQUEST_METHOD} %{REQUEST_URI}?%{QUERY_STRING}", "GET /a.txt?q=1%202"}, {"%{reqenv:MYVAR}|%{env:MYVAR}|%{reqenv:myvar}", "val|val|val"},
	{"%{resp:R1}|%{note:x}|%{note:remark}|%{env:remark}|%{req:x-a}", "resp1||noted|noted|one"}, {"%{toupper:%{HTTP_USER_AGENT}x}", "MOZX"},
	{"%{tolower:ABC}", "abc"}, {"%{escape:a b/c?d%e}", "a%20b/c%3fd%25e"}, {"%{unescape:a%20b%2fc}", "a b%2fc"}, {"%{unescape:%zz}", ""},
	{"%{unescape:a%0}", ""}, {"%{unescape:a%00}", ""}, {"%{base64:abcd}|%{base64:abc}|%{base64:ab}|%{base64:}", "YWJjZA==|YWJj|YWI=|"},
	{"%{unbase64:YWJj}|%{unbase64:YWI=}|%{unbase64:!}", "abc|ab|"}, {"%{req:%{tolower:X-A}}", "one"}, {"%{TIME_YEAR}", "2026"},
	{"%{REMOTE_USER}%{HTTP_COOKIE}", ""}, {"%{escape:%20%{req:x-a}{escape:%{req:X-A} longer than what stands before}}", "%2520one%7bescape:one%20longer%20than%20what%20stands%20before}"},
};

START_TEST(a_text)
{
	struct world w;
	struct conf_expr_error err;
	struct conf_expr_text out;

	begin(&w);
	const struct conf_expr *e = parse(&w, texts[_i].text, true, &err);
	ck_assert_msg(e != NULL, "%s: %s", texts[_i].text, err.why);
	struct conf_expr_run x = run_of(&w);
	ck_assert_int_eq(conf_expr_value(e, &x, &out), GW_OK);
	ck_assert_msg(out.len == strlen(texts[_i].want) && memcmp(out.s, texts[_i].want, out.len) == 0, "%s: %.*s", texts[_i].text, (int)out.len, out.s);
	end(&w);
}
END_TEST

/* --- what is refused ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text, *why;
	size_t at;
} refused[] = {
	{"", "a word is missing", 0}, {"'a'", "a comparison is missing", 3}, {"'a' == ", "a word is missing", 7}, {"'a' == 'b", "closing '", 9},
	{"+1 -lt 2", "no word begins with '+1", 0}, {"a == 'b'", "'a' is no word", 0}, {"'a' = 'b' true", "'true' is left over", 10},
	{"(true", "a ) is missing", 5}, {"true)", "left over", 4}, {"%{HTTP_FOO} == 'a'", "HTTP:X-Some", 0}, {"%{REQUEST_STATIS} == 1", "did you mean REQUEST_STATUS?", 0},
	{"%{ HTTP_HOST } == 'a'", "after %{ a name", 0}, {"%{HTTP:foo == 'a'", "} of %{HTTP:", 17}, {"%{:true:} == 'a'", "after %{", 0},
	{"foo('a') == 'a'", "no function foo", 8}, {"req('a' == 'a'", ") of req(", 8}, {"'a' in split(/,/, 'a')", "a list is wanted", 7},
	{"'a' in {'a', 'b'", "} of a list", 16}, {"%{REMOTE_ADDR} -ipmatch %{HTTP_HOST}", "written out", 36}, {"-R 'nonsense'", "'nonsense': ", 13},
	{"'a' -strmatch %{HTTP_HOST}", "written out", 26}, {"'a' =~ 'a'", "regular expression is wanted", 7}, {"'a' =~ /a", "closing / of the", 7},
	{"'a' =~ /a/g", "no flag", 10}, {"'a' =~ /(/", "regular expression fails", 10}, {"'a' -foo 'b'", "no comparison -foo", 5}, {"-q 'a'", "no operator -q", 0},
	{"-f '/etc/passwd'", "-f is not evaluated: the front looks at no file", 0}, {"-U '/x'", "-U is not evaluated", 0}, {"md5('a') == 'a'", "md5() is not evaluated", 8},
	{"file('/etc/passwd') == ''", "file() is not evaluated", 19}, {"'a\\0' == 'b'", "\\0 is not an octet", 4}, {"'a\\777' == 'b'", "\\777 is not", 6},
	{"true and", "a word is missing", 8}, {"true or or true", "'or' is no word", 8},
};

START_TEST(a_refused)
{
	struct world w;
	struct conf_expr_error err;

	begin(&w);
	ck_assert_msg(parse(&w, refused[_i].text, false, &err) == NULL, "%s: taken", refused[_i].text);
	ck_assert_msg(strstr(err.why, refused[_i].why) != NULL && err.at == refused[_i].at, "%s: %zu: %s", refused[_i].text, err.at, err.why);
	end(&w);
}
END_TEST

START_TEST(depth_is_bounded)
{
	struct world w;
	struct conf_expr_error err;
	char text[4096];

	begin(&w);
	for (int n = 20; n <= 1000; n += 980) {
		memset(text, '(', (size_t)n);
		memcpy(text + n, "true", 4);
		memset(text + n + 4, ')', (size_t)n);
		text[2 * n + 4] = '\0';
		ck_assert_msg((parse(&w, text, false, &err) != NULL) == (n == 20), "%d: %s", n, err.why);
	}
	/* Length is not: a chain of conditions is a list. */
	text[0] = '\0';
	for (int i = 0; i < 400; i++)
		strcat(text, "false || ");
	strcat(text, "true");
	const struct conf_expr *e = parse(&w, text, false, &err);
	ck_assert_ptr_nonnull(e);
	struct conf_expr_run x = run_of(&w);
	ck_assert_int_eq(conf_expr_test(e, &x), 1);
	end(&w);
}
END_TEST

START_TEST(room_is_bounded)
{
	struct world w;
	struct conf_expr_error err;
	struct conf_expr_text out;

	begin(&w);
	const struct conf_expr *e = parse(&w, "%{base64:%{base64:%{req:X-A}%{req:X-A}%{req:X-A}}}", true, &err);
	ck_assert_ptr_nonnull(e);
	for (size_t n = 0; n <= 80; n++) {
		struct conf_expr_run x = run_of(&w);
		x.room_len = n;
		int rc = conf_expr_value(e, &x, &out);
		ck_assert_msg(rc == (n < 68 ? GW_ERR_RANGE : GW_OK), "%zu: %d, %zu used", n, rc, x.used);
	}
	e = parse(&w, "! -n req('fail') || true", false, &err);
	struct conf_expr_run x = run_of(&w);
	ck_assert_int_eq(conf_expr_test(e, &x), GW_ERR_NOMEM); /* no half answer, whatever else is asked */
	e = parse(&w, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ /^(a+)+$/", false, &err);
	x = run_of(&w);
	ck_assert_int_lt(conf_expr_test(e, &x), 0);
	end(&w);
}
END_TEST

START_TEST(vary_and_answer)
{
	struct world w;
	struct conf_expr_error err;

	begin(&w);
	struct conf_expr_run x = run_of(&w);
	const struct conf_expr *e = parse(&w, "req('X-A') == 'one' && req('x-a') != '' && req_novary('X-B') != '' && -n %{HTTP_USER_AGENT} || -n req('X-C')", false, &err);
	ck_assert_int_eq(conf_expr_test(e, &x), 1);
	ck_assert_uint_eq(x.vary_n, 2); /* X-C was not looked at */
	ck_assert_str_eq(x.vary[0], "X-A");
	ck_assert_str_eq(x.vary[1], "user-agent");
	ck_assert(!conf_expr_wants_answer(e));
	ck_assert(conf_expr_wants_answer(parse(&w, "true && (-n req('a') || tolower('x' . resp('a')) == 'b')", false, &err)));
	ck_assert(conf_expr_wants_answer(parse(&w, "'404' in {'1', %{REQUEST_STATUS}}", false, &err)));
	ck_assert(conf_expr_wants_answer(parse(&w, "a%{CONTENT_TYPE}", true, &err)));
	end(&w);
}
END_TEST

static Suite *expr_suite(void)
{
	Suite *s = suite_create("expr");
	TCase *t = tcase_create("expr");

	tcase_add_loop_test(t, a_condition, 0, COUNT(conditions));
	tcase_add_loop_test(t, a_text, 0, COUNT(texts));
	tcase_add_loop_test(t, a_refused, 0, COUNT(refused));
	tcase_add_test(t, depth_is_bounded);
	tcase_add_test(t, room_is_bounded);
	tcase_add_test(t, vary_and_answer);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(expr_suite)
