/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/http/access_format.h"
#include "tests/unit/check_http.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const char *look_up(const char *name, const char *const (*table)[2], size_t *len)
{
	for (; (*table)[0] != NULL; table++)
		if (strcmp((*table)[0], name) == 0) {
			*len = strlen((*table)[1]);
			return (*table)[1];
		}
	return NULL;
}

static const char *request_field(void *arg, const char *name, size_t *len)
{
	static const char *const fields[][2] = {{"referer", "http://r/"}, {"user-agent", "a\"b\\c\n\x01\xc3\x7f"},
		{"cookie", "x=1; session=a=b;y; x=2; empty="}, {"empty", ""}, {NULL, NULL}};

	ck_assert_ptr_eq(arg, (void *)&request_field);
	return look_up(name, fields, len);
}

static const char *response_field(void *arg, const char *name, size_t *len)
{
	static const char *const fields[][2] = {{"content-type", "text/html"}, {NULL, NULL}};

	(void)arg;
	return look_up(name, fields, len);
}

static const char *note(void *arg, const char *name, size_t *len)
{
	ck_assert_ptr_eq(arg, (void *)&request_field);
	*len = 5;
	return strcmp(name, "note") == 0 ? "noted" : NULL;
}

static const char *env(void *arg, const char *name, size_t *len)
{
	static const char *const vars[][2] = {{"Var", "v"}, {NULL, NULL}};

	(void)arg;
	return look_up(name, vars, len);
}

static struct access_event sample(void)
{
	return (struct access_event){
		.client_ip = "192.0.2.1", .client_port = "4711", .local_ip = "192.0.2.2", .local_port = "8080",
		.server_name = "a.example", .canonical_port = "80", .method = "GET", .request_line = "GET /x?y=\"1\" HTTP/1.1",
		.path = "/x", .query = "y=\"1\"", .protocol = "HTTP/1.1", .filename = "/srv/x", .handler = "php", .user = NULL,
		.status_original = 302, .status = 404, .bytes_body = 1234, .bytes_in = 100, .bytes_out = 1500,
		.duration_us = 2345678, .first_us = 4321, .start = {1000000000, 999500000}, .keepalive_count = 3, .connection_state = '+',
		.arg = (void *)&request_field, .request_field = request_field, .response_field = response_field, .env = env, .note = note,
	};
}

static const struct {
	const char *format, *want;
} formats[] = {
	/* JSON: numbers, strings, what is not there, octets of any kind */
	{"json: a=%m b=%>s c=%D d=%u e=%b f=%{User-Agent}i g=%q h=%{msec}t i=%{%Y}t j=%404m k=%!404m l=%X m=%p",
		"{\"a\":\"GET\",\"b\":404,\"c\":2345678,\"d\":null,\"e\":1234,\"f\":\"a\\\"b\\\\c\\u000a\\u0001\\u00c3\\u007f\","
		"\"g\":\"?y=\\\"1\\\"\",\"h\":1000000000999,\"i\":\"2001\",\"j\":\"GET\",\"k\":null,\"l\":\"+\",\"m\":80}"},
	{"", ""},
	{"plain", "plain"},
	{"%%", "%"},
	{"%h %l %u [x] \"%r\" %>s %b", "192.0.2.1 - - [x] \"GET /x?y=\\\"1\\\" HTTP/1.1\" 404 1234"},
	{"%a %{c}a %{c}h %A", "192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.2"},
	{"%s %<s %>s", "302 302 404"},
	{"%B %I %O %S", "1234 100 1500 1600"},
	{"%D %T %{s}T %{ms}T %{us}T", "2345678 2 2 2345 2345678"},
	{"%^FB %{us}T", "4321 2345678"},
	{"%m %U%q %H", "GET /x?y=\\\"1\\\" HTTP/1.1"},
	{"%v %V %p %{canonical}p %{local}p %{remote}p", "a.example a.example 80 80 8080 4711"},
	{"%f %R %k %X", "/srv/x php 3 +"},
	{"%{Referer}i %{REFERER}i %{None}i", "http://r/ http://r/ -"},
	{"[%{Empty}i]", "[]"},
	{"%{User-Agent}i", "a\\\"b\\\\c\\n\\x01\\xc3\\x7f"},
	{"%{Content-Type}o %{X}o", "text/html -"},
	{"%{Var}e %{var}e", "v -"},
	{"%{x}C %{session}C %{y}C %{z}C [%{empty}C] %{sess}C", "1 a=b - - [] -"},
	{"%{note}n %{other}n %L %{a}^ti %{b}^to", "noted - - - -"},
	{"%404{Referer}i %200{Referer}i %200,404{Referer}i", "http://r/ - http://r/"},
	{"%!404{Referer}i %!200,304{Referer}i %!200,404{Referer}i", "- http://r/ -"},
	{"%{Referer}404i %>{Referer}i", "http://r/ http://r/"},
	{"%{sec}t %{msec}t %{usec}t %{msec_frac}t %{usec_frac}t", "1000000000 1000000000999 1000000000999500 999 999500"},
	{"%{begin:sec}t %{end:sec}t %{end:usec}t %{end:msec_frac}t", "1000000000 1000000003 1000000003345178 345"},
	{"%t", "[09/Sep/2001:01:46:40 +0000]"},
	{"%{end:}t", "[09/Sep/2001:01:46:43 +0000]"},
	{"%{%Y-%m-%d %H:%M:%S}t", "2001-09-09 01:46:40"},
	{"%{end:%S}t", "43"},
	{"a\\tb\\nc\\\\d\\\"e\\", "a\tb\nc\\d\\\"e\\"},
};

START_TEST(lines)
{
	struct access_event e = sample();
	struct access_format *f;
	struct buf out;
	char want[512];

	setenv("TZ", "UTC", 1);
	buf_init(&out);
	ck_assert_int_eq(buf_puts(&out, "before\n"), 0);
	f = access_format_new(formats[_i].format, NULL, NULL);
	ck_assert_msg(f != NULL, "%s", formats[_i].format);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(access_format_render(f, &e, &out), 0);
	ck_assert_int_eq(buf_append(&out, "", 1), 0);
	snprintf(want, sizeof(want), "before\n%s\n%s\n", formats[_i].want, formats[_i].want);
	ck_assert_str_eq((char *)buf_head(&out), want);
	access_format_free(f);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *format;
	size_t at;
} bad_formats[] = {
	{"%", 0},
	{"ab %", 3},
	{"%h %z", 3},
	{"%{Referer", 0},
	{"%{Referer}", 0},
	{"x%i", 1},
	{"%{}i", 0},
	{"%e", 0},
	{"%{x}T", 0},
	{"%{x}p", 0},
	{"%{x}P", 0},
	{"%{x}a", 0},
	{"%{x}b", 0},
	{"%^xx", 0},
	{"%^ti", 0},
	{"%1000s", 0},
	{"%200,", 0},
};

START_TEST(bad_lines)
{
	const char *why = NULL;
	size_t at = 99;

	ck_assert_ptr_null(access_format_new(bad_formats[_i].format, &why, &at));
	ck_assert_ptr_nonnull(why);
	ck_assert_uint_eq(at, bad_formats[_i].at);
}
END_TEST

/* Nothing is known: every directive still has something to say. */
START_TEST(nothing_known)
{
	struct access_event e = {0};
	struct access_format *f = access_format_new("%h %a %A %u %r %m %U %H %f %R %v %V %p %s %X %{a}i %{a}o %{a}e %{a}C%q", NULL,
		NULL);
	struct buf out;
	char want[64];

	buf_init(&out);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(access_format_render(f, &e, &out), 0);
	ck_assert_int_eq(buf_append(&out, "", 1), 0);
	ck_assert_str_eq((char *)buf_head(&out), "- - - - - - - - - - - - - - - - - - -\n");
	access_format_free(f);

	buf_reset(&out);
	f = access_format_new("%P %{pid}P %{tid}P %{hextid}P", NULL, NULL);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(access_format_render(f, &e, &out), 0);
	ck_assert_int_eq(buf_append(&out, "", 1), 0);
	snprintf(want, sizeof(want), "%d %d %d %x\n", (int)getpid(), (int)getpid(), (int)gettid(), (unsigned)gettid());
	ck_assert_str_eq((char *)buf_head(&out), want);
	access_format_free(f);
	buf_fini(&out);
}
END_TEST

Suite *suite_access_format(void)
{
	Suite *s = suite_create("access_format");
	TCase *t = tcase_create("access_format");

	tcase_add_loop_test(t, lines, 0, COUNT(formats));
	tcase_add_loop_test(t, bad_lines, 0, COUNT(bad_formats));
	tcase_add_test(t, nothing_known);
	suite_add_tcase(s, t);
	return s;
}
