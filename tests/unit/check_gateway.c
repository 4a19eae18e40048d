/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/answer/cgi_env.h"
#include "gateway/master/cgroup_tree.h"
#include "gateway/cli/cmdline.h"
#include "gateway/http/http1_parse.h"
#include "gateway/cli/running.h"
#include "gateway/master/site_cgroup.h"
#include "gateway/master/takeover.h"
#include "tests/unit/unit.h"

/* --- CGI variables -------------------------------------------------------------------------------------------------------- */

struct vars {
	int n;
	char name[200][128], value[200][2048];
};

static int collect(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct vars *v = arg;

	ck_assert_int_lt(v->n, 200);
	snprintf(v->name[v->n], sizeof(v->name[0]), "%.*s", (int)name_len, name);
	snprintf(v->value[v->n++], sizeof(v->value[0]), "%.*s", (int)value_len, value);
	return 0;
}

static const char *var(const struct vars *v, const char *name)
{
	const char *found = NULL;

	for (int i = 0; i < v->n; i++) {
		if (strcmp(v->name[i], name) != 0)
			continue;
		ck_assert_msg(found == NULL, "%s is there twice", name);
		found = v->value[i];
	}
	return found;
}

static struct vars seen;
static struct http1_request head_of;

static void build(const char *head, struct cgi_env_in *in)
{
	static const struct http1_limits lim = {.line = 8190, .field = 8190, .fields = 100, .head = 65536};
	const char *why = "";

	http1_request_init(&head_of);
	ck_assert_msg(http1_parse(&head_of, &lim, head, strlen(head), &why) > 0, "%s", why);
	struct req_field list[32];
	struct req_fields fields = {.list = list, .n = head_of.fields_n};
	ck_assert_uint_le(fields.n, sizeof(list) / sizeof(*list));
	for (size_t i = 0; i < fields.n; i++) {
		const struct http1_field *f = &head_of.fields[i];
		list[i] = (struct req_field){.name = head + f->name.off, .name_len = f->name.len, .value = head + f->value.off,
			.value_len = f->value.len};
	}
	in->fields = &fields;
	seen.n = 0;
	ck_assert_int_eq(cgi_env_build(in, collect, &seen), 0);
}

static struct cgi_env_in typical(void)
{
	return (struct cgi_env_in){.method = "GET", .protocol = "HTTP/1.1", .request_uri = "/dir/x.php/p%20q?a=1", .query = "a=1",
		.script_name = "/dir/x.php", .path_info = "/p q", .filename = "/srv/dir/x.php", .root = "/srv", .docroot = "/srv",
		.context_prefix = "", .admin = "root@example.org", .server_name = "example.org", .server_addr = "127.0.0.1",
		.remote_addr = "192.0.2.1", .server_port = 80, .remote_port = 4711, .authority = "example.org",
		.scheme = "http", .content_length = -1, .redirect_status = 200};
}

static const struct {
	const char *name, *value; /* NULL: must be absent */
} typical_vars[] = {
	{"SCRIPT_NAME", "/dir/x.php"}, {"SCRIPT_FILENAME", "/srv/dir/x.php"}, {"PATH_INFO", "/p q"},
	{"PATH_TRANSLATED", "/srv/p q"}, {"PHP_SELF", "/dir/x.php/p q"}, {"REQUEST_URI", "/dir/x.php/p%20q?a=1"},
	{"QUERY_STRING", "a=1"}, {"DOCUMENT_ROOT", "/srv"}, {"REQUEST_METHOD", "GET"}, {"SERVER_PROTOCOL", "HTTP/1.1"},
	{"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_NAME", "example.org"}, {"SERVER_PORT", "80"}, {"SERVER_ADDR", "127.0.0.1"},
	{"REMOTE_ADDR", "192.0.2.1"}, {"REMOTE_PORT", "4711"}, {"REQUEST_SCHEME", "http"}, {"HTTPS", NULL},
	{"REDIRECT_STATUS", "200"}, {"REDIRECT_URL", NULL}, {"CONTENT_LENGTH", NULL}, {"CONTENT_TYPE", NULL},
	{"HTTP_HOST", "example.org"}, {"HTTP_ACCEPT", "a, b"}, {"HTTP_COOKIE", "x=1; y=2"}, {"HTTP_PROXY", NULL},
	{"HTTP_X_UNDER", NULL}, {"HTTP_AUTHORIZATION", "Basic eDp5"}, {"HTTP_CONTENT_LENGTH", NULL},
	{"HTTP_CONTENT_TYPE", NULL}, {"HTTP_EMPTY", ""}, {"HTTP_X_UP", "Q"}, {"REMOTE_USER", NULL}, {"AUTH_TYPE", NULL},
	/* PHP reads a dot in a name as an underscore: such a field would pass for another one. */
	{"HTTP_X.UP", NULL}, {"HTTP_X!UP", NULL}, {"HTTP_X-UP", NULL},
};

START_TEST(variables_are_as_mod_php_gives_them)
{
	struct cgi_env_in in = typical();

	build("GET /dir/x.php/p%20q?a=1 HTTP/1.1\r\nHost: example.org\r\nAccept: a\r\nProxy: http://evil\r\n"
	      "X_under: 1\r\naccept: b\r\nCookie: x=1\r\nCookie: y=2\r\nAuthorization: Basic eDp5\r\nContent-Type: text/x\r\n"
	      "Empty:\r\nX-uP: Q\r\nX.Up: forged\r\nX!Up: forged\r\n\r\n", &in);
	const char *got = var(&seen, typical_vars[_i].name), *want = typical_vars[_i].value;
	if (want == NULL)
		ck_assert_msg(got == NULL, "%s is %s", typical_vars[_i].name, got);
	else
		ck_assert_msg(got != NULL && strcmp(got, want) == 0, "%s is %s, not %s", typical_vars[_i].name, got, want);
}
END_TEST

START_TEST(body_and_redirect_variables)
{
	struct cgi_env_in in = typical();

	in.path_info = "";
	in.content_length = 12;
	in.scheme = "https";
	in.redirect_status = 404;
	in.redirect_url = "/gone";
	in.redirect_method = "POST";
	build("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/x; y=z\r\nTransfer-Encoding: chunked\r\n\r\n", &in);
	ck_assert_str_eq(var(&seen, "CONTENT_LENGTH"), "12");
	ck_assert_str_eq(var(&seen, "CONTENT_TYPE"), "text/x; y=z");
	ck_assert_ptr_null(var(&seen, "HTTP_TRANSFER_ENCODING"));
	ck_assert_ptr_null(var(&seen, "PATH_INFO"));
	ck_assert_ptr_null(var(&seen, "PATH_TRANSLATED"));
	ck_assert_str_eq(var(&seen, "REQUEST_SCHEME"), "https");
	ck_assert_str_eq(var(&seen, "REDIRECT_STATUS"), "404");
	ck_assert_str_eq(var(&seen, "REDIRECT_URL"), "/gone");
	ck_assert_str_eq(var(&seen, "REDIRECT_REQUEST_METHOD"), "POST");
}
END_TEST

/* --- command line ------------------------------------------------------------------------------------------------------------------ */

START_TEST(command_line_words)
{
	char *argv[] = {"bulkhead", "-f", "x.conf", "-DFOO", "-D", "FOREGROUND", "-C", "Listen 1", "-k", "graceful", NULL};
	char *bad[] = {"bulkhead", "-k", "dance", NULL};
	char *left[] = {"bulkhead", "-t", "x.conf", NULL};
	struct cmdline c;

	ck_assert(cmdline_parse(&c, 10, argv));
	ck_assert_str_eq(c.file, "x.conf");
	ck_assert_uint_eq(c.defines_n, 2);
	ck_assert(c.foreground);
	ck_assert_str_eq(c.before[0], "Listen 1");
	ck_assert_int_eq(c.action, CMD_SIGNAL);
	optind = 0;
	ck_assert(!cmdline_parse(&c, 3, bad));
	optind = 0;
	ck_assert(!cmdline_parse(&c, 3, left));
}
END_TEST

/* --- what -S shows of running processes ------------------------------------------------------------------------------------ */

#define STATUS_HEAD "Name:\tbh-cell\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t5\nUid:\t33\t34\t33\t33\n"
#define STATUS_CAPS "CapPrm:\t0000000000000000\nCapEff:\t0000000000000401\nCapBnd:\t000001ffffffffff\n"

START_TEST(status_of_a_process_is_read)
{
	struct running_status st;

	ck_assert_int_eq(running_parse_status(STATUS_HEAD STATUS_CAPS "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n", &st), GW_OK);
	ck_assert_str_eq(st.name, "bh-cell");
	ck_assert_int_eq(st.parent, 5);
	ck_assert_uint_eq(st.uid, 34);
	ck_assert_uint_eq(st.cap_eff, 0x401);
	ck_assert_uint_eq(st.cap_bnd, 0x1ffffffffffULL);
	ck_assert_uint_eq(st.nnp, 1);
	ck_assert_uint_eq(st.seccomp, 2);
	ck_assert_uint_eq(st.filters, 3);
	/* Before Linux 5.9 nobody counts the filters; without the rest nothing is said at all, least of all "locked". */
	ck_assert_int_eq(running_parse_status(STATUS_HEAD STATUS_CAPS "NoNewPrivs:\t1\nSeccomp:\t2\n", &st), GW_OK);
	ck_assert_uint_eq(st.filters, 0);
	ck_assert_int_eq(running_parse_status(STATUS_HEAD STATUS_CAPS "NoNewPrivs:\t1\n", &st), GW_ERR_PROTO);
	ck_assert_int_eq(running_parse_status(STATUS_HEAD "NoNewPrivs:\t1\nSeccomp:\t2\n", &st), GW_ERR_PROTO);
	ck_assert_int_eq(running_parse_status(STATUS_CAPS "NoNewPrivs:\t1\nSeccomp:\t2\n", &st), GW_ERR_PROTO);
	ck_assert_int_eq(running_parse_status(STATUS_HEAD STATUS_CAPS "NoNewPrivs:\t\nSeccomp:\t2\n", &st), GW_ERR_PROTO);
	ck_assert_int_eq(running_parse_status("", &st), GW_ERR_PROTO);
}
END_TEST

START_TEST(capabilities_have_names)
{
	static const struct {
		uint64_t mask;
		const char *text;
	} cases[] = {{0, "none"}, {UINT64_C(1) << 5 | 1, "chown,kill"}, {UINT64_C(1) << 21, "sys_admin"}, {~UINT64_C(0) << 1, "all but chown"}};
	struct buf out;

	buf_init(&out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&out);
		ck_assert_int_eq(running_put_caps(&out, cases[i].mask), GW_OK);
		ck_assert_uint_eq(buf_unread(&out), strlen(cases[i].text));
		ck_assert_mem_eq(buf_head(&out), cases[i].text, strlen(cases[i].text));
	}
	buf_fini(&out);
}
END_TEST

#define OWN(path) "12:pids:/x\n0::" path "\n"
#define MOUNT(root, point) "30 20 0:26 " root " " point " rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHERS "22 1 0:5 / /proc rw - proc proc rw\n31 20 0:9 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"

/* See cgroups(7), proc_pid_mountinfo(5). */
START_TEST(own_cgroup_is_found)
{
	static const struct {
		const char *self, *mounts, *path; /* NULL: not found */
	} cases[] = {
		{OWN("/system.slice/bulkhead.service"), OTHERS MOUNT("/", "/sys/fs/cgroup"), "/sys/fs/cgroup/system.slice/bulkhead.service"},
		{OWN("/"), OTHERS MOUNT("/", "/sys/fs/cgroup/unified"), "/sys/fs/cgroup/unified"},
		{"0::/a\n", MOUNT("/", "/c"), "/c/a"},
		/* a container's mount shows only a part */
		{OWN("/docker/1/b"), MOUNT("/docker/1", "/c"), "/c/b"},
		{OWN("/docker/1"), MOUNT("/docker/1", "/c"), "/c"},
		{OWN("/docker/12"), MOUNT("/docker/1", "/c"), NULL},
		{OWN("/b"), MOUNT("/docker/1", "/c") MOUNT("/", "/d"), "/d/b"},
		{OWN("/../b"), MOUNT("/a", "/c"), NULL},
		{OWN("/a"), OTHERS, NULL},
		{"12:pids:/x\n", MOUNT("/", "/c"), NULL},
		{"", "", NULL},
		{OWN("/a"), "30 20 0:26 / - cgroup2 cgroup2 rw\n", NULL},
	};
	char path[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int err = cgroup_path_of(cases[i].self, cases[i].mounts, path, sizeof(path));
		ck_assert_msg(err == (cases[i].path != NULL ? GW_OK : GW_ERR_NOTFOUND), "case %zu: %d", i, err);
		if (cases[i].path != NULL)
			ck_assert_str_eq(path, cases[i].path);
	}
	ck_assert_int_eq(cgroup_path_of(OWN("/abcdef"), MOUNT("/", "/c"), path, 8), GW_ERR_RANGE);
}
END_TEST

START_TEST(counts_of_a_cgroup_are_read)
{
	static const char events[] = "low 0\nhigh 12\nmax 3\noom 2\noom_kill 18446744073709551615\noom_group_kill 0\n";

	ck_assert_uint_eq(cgroup_value(events, "high"), 12);
	ck_assert_uint_eq(cgroup_value(events, "oom"), 2);
	ck_assert_uint_eq(cgroup_value(events, "oom_kill"), 18446744073709551615ULL);
	ck_assert_uint_eq(cgroup_value(events, "oom_"), 0);
	ck_assert_uint_eq(cgroup_value(events, "igh"), 0);
	ck_assert_uint_eq(cgroup_value("", "max"), 0);
}
END_TEST

START_TEST(disk_of_a_path_is_found)
{
	struct conf_io_max io = {.path = "/dev/null", .keys = "rbps=1"};
	char line[64];

	/* A file on no disk, and one that is not there. */
	io.path = "/proc/self/status";
	ck_assert_int_eq(site_cgroup_io_line(&io, line, sizeof(line)), GW_ERR_NOTFOUND);
	io.path = "/nowhere/at/all";
	ck_assert_int_eq(site_cgroup_io_line(&io, line, sizeof(line)), GW_ERR_SYS);
}
END_TEST

START_TEST(what_is_handed_over_is_read)
{
	static const char *const bad[] = {"", "listen=5", "report=7 report=8", "report=2", "report=", "report=7x", "report=-1", "report=99999999",
		"report=7 listen", "report=7 listen=1", "report=7  =9 listen=0x9"};
	struct takeover t;

	ck_assert_int_eq(takeover_parse("report=7 listen=8 later=9 listen=10 tickets=11", &t), GW_OK);
	ck_assert_int_eq(t.report, 7);
	ck_assert_int_eq(t.tickets, 11);
	ck_assert_uint_eq(t.listens_n, 2);
	ck_assert(t.listens[0] == 8 && t.listens[1] == 10);
	t.report = t.tickets = -1; /* no descriptors of ours */
	takeover_fini(&t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(takeover_parse(bad[i], &t) == GW_ERR_PROTO, "%s", bad[i]);
		ck_assert(t.report == -1 && t.listens == NULL && t.listens_n == 0);
	}
}
END_TEST

static Suite *gateway_suite(void)
{
	Suite *s = suite_create("gateway");
	TCase *tc = tcase_create("gateway");

	tcase_add_loop_test(tc, variables_are_as_mod_php_gives_them, 0, (int)(sizeof(typical_vars) / sizeof(*typical_vars)));
	tcase_add_test(tc, body_and_redirect_variables);
	tcase_add_test(tc, command_line_words);
	tcase_add_test(tc, status_of_a_process_is_read);
	tcase_add_test(tc, capabilities_have_names);
	tcase_add_test(tc, own_cgroup_is_found);
	tcase_add_test(tc, counts_of_a_cgroup_are_read);
	tcase_add_test(tc, disk_of_a_path_is_found);
	tcase_add_test(tc, what_is_handed_over_is_read);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(gateway_suite)
