/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual hosts: which one answers, what it inherits, loading many, Debian's own files. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_addr.h"
#include "conf/conf_users.h"
#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "tests/unit/conf_fixture.h"

static const char hosts[] =
	"ServerName main.example\n"
	"<VirtualHost 192.0.2.1:8080>\nServerName ip.example\n</VirtualHost>\n"
	"<VirtualHost 192.0.2.1:8080>\nServerName ip2.example\nServerAlias www.ip2.example\n</VirtualHost>\n"
	"<VirtualHost 192.0.2.2>\nServerName anyport.example\n</VirtualHost>\n"
	"<VirtualHost *:8080>\nServerName first.example\n</VirtualHost>\n"
	"<VirtualHost *:8080>\nServerName second.example\nServerAlias *.second.example s?.example www.first.example\n</VirtualHost>\n"
	"<VirtualHost *:8080>\nServerName THIRD.example:80\nServerAlias a.second.example *\n</VirtualHost>\n"
	"<VirtualHost _default_:8081>\nServerName default.example\n</VirtualHost>\n"
	"<VirtualHost [2001:db8::1]:8080>\nServerName six.example\n</VirtualHost>\n"
	"<VirtualHost *:8080>\nServerName fourth.example\n</VirtualHost>\n";

static const struct {
	const char *local, *host, *name;
} find_cases[] = {
	{"192.0.2.1:8080", "ip.example", "ip.example"},
	{"192.0.2.1:8080", "www.ip2.example", "ip2.example"},
	{"192.0.2.1:8080", "second.example", "ip.example"}, /* the best address decides first */
	{"192.0.2.1:8080", NULL, "ip.example"},
	{"192.0.2.2:8080", "first.example", "anyport.example"},
	{"192.0.2.2:9999", NULL, "anyport.example"},
	{"192.0.2.9:8080", NULL, "first.example"},
	{"192.0.2.9:8080", "first.example", "first.example"},
	{"192.0.2.9:8080", "first.example.", "first.example"},
	{"192.0.2.9:8080", "second.example", "second.example"},
	{"192.0.2.9:8080", "x.y.second.example", "second.example"},
	{"192.0.2.9:8080", "a.second.example", "second.example"}, /* an earlier pattern beats a later name */
	{"192.0.2.9:8080", "s1.example", "second.example"},
	{"192.0.2.9:8080", "www.first.example", "second.example"},
	{"192.0.2.9:8080", "third.example", "third.example"},
	{"192.0.2.9:8080", "unknown.example", "third.example"},   /* its "*" */
	{"192.0.2.9:8080", "fourth.example", "third.example"},    /* likewise, being earlier */
	{"192.0.2.9:8081", "first.example", "default.example"},
	{"192.0.2.9:80", "first.example", "main.example"},
	{"[2001:db8::1]:8080", "x", "six.example"},
	{"[::ffff:192.0.2.1]:8080", "ip2.example", "ip2.example"},
	{"[2001:db8::2]:8080", "second.example", "second.example"},
	{"unix:/run/x.sock", "second.example", "second.example"},
};

START_TEST(host_for_address_and_name)
{
	struct fixture f;
	struct arena a;
	struct conf_addr local;
	const struct conf_server *s;

	arena_init(&a);
	ck_assert_ptr_null(conf_addr_parse(&a, find_cases[_i].local, CONF_ADDR_UNIX, &local));
	fixture_good(&f, hosts);
	s = conf_find_server(f.c, &local.u.sa, find_cases[_i].host);
	ck_assert_msg(strcmp(s->name, find_cases[_i].name) == 0, "%s at %s gives %s", find_cases[_i].host == NULL ? "(none)" : find_cases[_i].host,
		      find_cases[_i].local, s->name);
	fixture_free(&f);
	arena_fini(&a);
}
END_TEST

START_TEST(no_virtual_host_is_the_main_server)
{
	struct fixture f;
	struct sockaddr_in in = {.sin_family = AF_INET};
	char longer[400];

	fixture_good(&f, "ServerName only.example\n");
	ck_assert_ptr_eq(conf_find_server(f.c, (struct sockaddr *)&in, "x"), f.c->servers[0]);
	ck_assert_ptr_eq(conf_find_server(f.c, NULL, NULL), f.c->servers[0]);
	fixture_free(&f);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	fixture_good(&f, "<VirtualHost *>\n</VirtualHost>\n");
	ck_assert_ptr_eq(conf_find_server(f.c, (struct sockaddr *)&in, longer), f.c->servers[1]);
	ck_assert_ptr_eq(conf_find_server(f.c, (struct sockaddr *)&in, "."), f.c->servers[1]);
	ck_assert_ptr_eq(conf_find_server(f.c, (struct sockaddr *)&in, ""), f.c->servers[1]);
	fixture_free(&f);
}
END_TEST

START_TEST(hosts_inherit_from_the_main_server)
{
	struct fixture f;
	const struct conf_server *m, *a, *b;

	fixture_good(&f, "<VirtualHost *:8080>\nServerName a.example\nTimeout 5\nAlias /x /own\nphp_value v own\nCustomLog own.log common\nLogLevel debug\n"
			 "StartServers 3\nServerAdmin me\n</VirtualHost>\n<VirtualHost *:8080>\nServerName https://b.example:8443\nDocumentRoot /srv/b/\n</VirtualHost>\n"
			 "Protocols http/1.1 H2\nTimeout 90\nKeepAlive Off\nKeepAliveTimeout 1500ms\nAlias /m/ /main/dir/\nphp_value v main\nphp_flag w on\nCustomLog main.log combined\n"
			 "ErrorLog logs/err\nDocumentRoot /srv/main\nMaxRequestWorkers 7\nRequestTimeout 2min\nPHPVersion 8.2\nRequestIsolation shared\n"
			 "LogFormat \"%h main\" common\nMinSpareServers 9\nMaxSpareServers 2\n"
			 "MailRelay smtp://127.0.0.1\nMailRate 5/minute\nMailFrom @main.example\n<VirtualHost *:8080>\nServerName mail.example\n"
			 "MailRelay lmtp:/run/lmtp\nMailRate none\nMailFrom a@c.example\nMailFrom @d.example any\nMailTimeout 5\nProtocols h2c h2\n</VirtualHost>\n"
			 "<VirtualHost *:8080>\nServerName off.example\nMailRelay none\n</VirtualHost>\n");
	m = f.c->servers[0];
	a = f.c->servers[1];
	b = f.c->servers[2];
	ck_assert_uint_eq(m->timeout_ms, 90000);
	ck_assert_uint_eq(a->timeout_ms, 5000);
	ck_assert_uint_eq(b->timeout_ms, 90000);
	ck_assert_int_eq(a->keepalive, false);
	ck_assert_uint_eq(b->protocols.mask, CONF_PROTOCOL_HTTP1 | CONF_PROTOCOL_H2);
	ck_assert(b->protocols.http1_first && !f.c->servers[3]->protocols.http1_first);
	ck_assert_uint_eq(f.c->servers[3]->protocols.mask, CONF_PROTOCOL_H2C | CONF_PROTOCOL_H2);
	ck_assert_uint_eq(b->keepalive_timeout_ms, 1500);
	ck_assert_uint_eq(a->max_workers, 7);
	ck_assert_uint_eq(b->request_timeout_ms, 120000);
	ck_assert_str_eq(b->php_version, "8.2");
	ck_assert_str_eq(b->mail_relay->addr.text, "127.0.0.1:25");
	ck_assert(!b->mail_relay->lmtp && f.c->servers[3]->mail_relay->lmtp && f.c->servers[4]->mail_relay == NULL);
	ck_assert_str_eq(f.c->servers[3]->mail_relay->addr.u.un.sun_path, "/run/lmtp");
	ck_assert_uint_eq(b->mail_rate.count, 5);
	ck_assert_uint_eq(b->mail_rate.period_ms, 60000);
	ck_assert_uint_eq(f.c->servers[3]->mail_rate.count, 0);
	ck_assert_uint_eq(b->mail_from.n, 1);
	ck_assert_uint_eq(f.c->servers[3]->mail_from.n, 3);
	ck_assert_str_eq(f.c->servers[3]->mail_from.v[1], "@d.example");
	ck_assert_uint_eq(b->mail_timeout_ms, 30000);
	ck_assert_uint_eq(f.c->servers[3]->mail_timeout_ms, 5000);
	ck_assert_int_eq(a->isolation, CONF_ISOLATION_SHARED);
	ck_assert_int_eq(a->log_level, LOG_LV_DEBUG);
	ck_assert_int_eq(b->log_level, LOG_LV_WARN);
	ck_assert_str_eq(a->docroot, "/srv/main");
	ck_assert_str_eq(b->docroot, "/srv/b");
	ck_assert_str_eq(b->name, "b.example");
	ck_assert_uint_eq(b->port, 8443);
	ck_assert_str_eq(b->scheme, "https");
	ck_assert_str_eq(a->admin, "me");
	/* the host's own aliases first */
	ck_assert_uint_eq(a->path_aliases_n, 2);
	ck_assert_str_eq(a->path_aliases[0].path, "/own");
	ck_assert_str_eq(a->path_aliases[1].prefix, "/m");
	ck_assert_str_eq(a->path_aliases[1].path, "/main/dir");
	/* PHP settings: the main server's first */
	ck_assert_uint_eq(a->ini_n, 3);
	ck_assert_str_eq(a->ini[0].value, "main");
	ck_assert_str_eq(a->ini[1].value, "1");
	ck_assert_str_eq(a->ini[2].value, "own");
	ck_assert_uint_eq(b->ini_n, 2);
	/* logs: its own only, or the main server's; a nickname may be redefined */
	ck_assert_uint_eq(a->custom_logs_n, 1);
	ck_assert_str_eq(a->custom_logs[0].format, "%h main");
	ck_assert_ptr_eq(b->custom_logs, m->custom_logs);
	ck_assert_str_eq(b->custom_logs[0].format, "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"");
	ck_assert_ptr_eq(a->error_log, m->error_log);
	ck_assert_uint_eq(f.c->log_files_n, 3);
	for (size_t i = 0; i < f.c->log_files_n; i++)
		ck_assert_uint_eq(f.c->log_files[i]->index, i);
	ck_assert_uint_eq(f.c->log_formats_n, 2);
	ck_assert_str_eq(f.c->log_formats[a->custom_logs[0].format_index], a->custom_logs[0].format);
	/* spare counts that contradict are made to fit */
	ck_assert_uint_eq(a->min_spare, 7);
	ck_assert_uint_gt(a->max_spare, a->min_spare);
	fixture_free(&f);
}
END_TEST

START_TEST(dispatch_follows_the_mpm_unless_said)
{
	struct fixture f;

	fixture_good(&f, "<VirtualHost *>\n</VirtualHost>\n");
	ck_assert_int_eq(f.c->servers[1]->dispatch, CONF_DISPATCH_PREFORK);
	fixture_free(&f);
	/* A threaded MPM and no PHP anywhere: worker without a pool is no error. */
	fixture_good(&f, "LoadModule mpm_event_module x\n<VirtualHost *>\n</VirtualHost>\n<VirtualHost *>\nServerName p\nDispatch prefork\n</VirtualHost>\n");
	ck_assert_int_eq(f.c->servers[1]->dispatch, CONF_DISPATCH_WORKER);
	ck_assert_ptr_null(f.c->servers[1]->pool);
	ck_assert_int_eq(f.c->servers[2]->dispatch, CONF_DISPATCH_PREFORK);
	fixture_free(&f);
	fixture_good(&f, "LoadModule mpm_itk_module x\nLoadModule mpm_prefork_module x\n");
	ck_assert_int_eq(f.c->servers[0]->dispatch, CONF_DISPATCH_PREFORK);
	fixture_free(&f);
}
END_TEST

START_TEST(pools_by_name_and_in_place)
{
	struct fixture f;
	const struct conf_pool *p;
	struct conf_handler h1, h2;

	fixture_good(&f, "<VirtualHost *>\nDispatch worker\nUsePool fpm\nphp_admin_value memory_limit 64M\n</VirtualHost>\n"
			 "<FastCGIPool fpm>\nServer unix:/run/php/fpm.sock weight=3 max=10\nServer 127.0.0.1:9000 backup\nServer tcp:[::1]:9001\nMaxIdle 5\n"
			 "IdleTimeout 500ms\nConnectTimeout 1\nFailTimeout 2s\nQueueTimeout 1min\n</FastCGIPool>\n"
			 "<FilesMatch \\.one$>\nSetHandler \"proxy:unix:/run/x.sock|fcgi://localhost\"\n</FilesMatch>\n"
			 "<FilesMatch \\.two$>\nSetHandler \"proxy:unix:/run/x.sock|fcgi://localhost\"\n</FilesMatch>\n"
			 "<FilesMatch \\.three$>\nSetHandler proxy:fcgi://127.0.0.1:9000/ignored\n</FilesMatch>\n"
			 "<FilesMatch \\.four$>\nSetHandler proxy:fcgi://[::1]\n</FilesMatch>\n"
			 "ProxyPassMatch ^/app/(.*\\.php)$ fcgi://127.0.0.1:9000/srv/$1\n");
	ck_assert_uint_eq(f.c->pools_n, 5);
	p = f.c->servers[1]->pool;
	ck_assert_str_eq(p->name, "fpm");
	ck_assert_uint_eq(p->index, 0);
	ck_assert_uint_eq(p->members_n, 3);
	ck_assert_int_eq(p->members[0].addr.u.sa.sa_family, AF_UNIX);
	ck_assert_uint_eq(p->members[0].weight, 3);
	ck_assert_uint_eq(p->members[0].max_connections, 10);
	ck_assert_int_eq(p->members[1].backup, true);
	ck_assert_uint_eq(conf_addr_port(&p->members[2].addr.u.sa), 9001);
	ck_assert_uint_eq(p->max_idle, 5);
	ck_assert_uint_eq(p->idle_timeout_ms, 500);
	ck_assert_uint_eq(p->connect_timeout_ms, 1000);
	ck_assert_uint_eq(p->fail_timeout_ms, 2000);
	ck_assert_uint_eq(p->queue_timeout_ms, 60000);
	h1 = conf_handler_for(fixture_dir_for(&f, f.c->servers[1], "/", "a.one", "/a.one"), "a.one");
	h2 = conf_handler_for(fixture_dir_for(&f, f.c->servers[1], "/", "a.two", "/a.two"), "a.two");
	ck_assert_int_eq(h1.kind, CONF_HANDLER_POOL);
	ck_assert_ptr_eq(h1.pool, h2.pool);
	h1 = conf_handler_for(fixture_dir_for(&f, f.c->servers[1], "/", "a.four", "/a.four"), "a.four");
	ck_assert_uint_eq(conf_addr_port(&h1.pool->members[0].addr.u.sa), 8000);
	h1 = conf_handler_for(fixture_dir_for(&f, f.c->servers[1], "/", "x.php", "/app/x.php"), "x.php");
	ck_assert_int_eq(h1.kind, CONF_HANDLER_POOL);
	fixture_free(&f);
}
END_TEST

/* What is said for cells is no protection for a host without them, and -t says so. */
START_TEST(locks_without_cells_are_warned_of)
{
	struct fixture f;

	fixture_load(&f, "Listen 127.0.0.1:8080\nSandboxProfile php\n<FastCGIPool p>\nServer 127.0.0.1:9000\n</FastCGIPool>\n"
			 "<VirtualHost *:8080>\nDispatch worker\nUsePool p\nSandboxProfile strict\nRequestIsolation fresh\n</VirtualHost>\n"
			 "<VirtualHost *:8080>\nDispatch prefork\nSandboxProfile strict\nMailRelay smtp://127.0.0.1\n</VirtualHost>\n"
			 "<VirtualHost *:8080>\nDispatch prefork\nSandboxProfile legacy\nMailRelay smtp://127.0.0.1\n"
			 "SandboxPath /nowhere/at/all\nSandboxPath /usr\n</VirtualHost>\n", false);
	ck_assert_ptr_nonnull(f.c);
	ck_assert_int_eq(fixture_said(&f, false, 9, 1, "SandboxProfile has no effect with Dispatch worker"), 1);
	ck_assert_int_eq(fixture_said(&f, false, 10, 1, "RequestIsolation has no effect with Dispatch worker"), 1);
	ck_assert_int_eq(fixture_said(&f, false, 20, 1, "MailRelay has no effect with SandboxProfile legacy"), 1);
	ck_assert_int_eq(fixture_said(&f, false, 21, 13, "SandboxPath /nowhere/at/all: No such file or directory"), 1);
	/* and of nothing else of the kind: what main says for all, what a host with cells says, what is there */
	ck_assert_int_eq(fixture_said(&f, false, 2, 1, "SandboxProfile"), 0);
	ck_assert_int_eq(fixture_said(&f, false, 14, 1, "SandboxProfile"), 0);
	ck_assert_int_eq(fixture_said(&f, false, 15, 1, "MailRelay"), 0);
	ck_assert_int_eq(fixture_said(&f, false, 22, 13, "SandboxPath"), 0);
	fixture_free(&f);
}
END_TEST

START_TEST(sites_have_users)
{
	struct fixture f;
	struct conf_ids self;
	const struct passwd *pw = getpwnam("nobody");

	ck_assert_ptr_nonnull(pw);
	fixture_load(&f, "User daemon\nGroup #12345\n<VirtualHost *>\nAssignUserID nobody #4242\n</VirtualHost>\n<VirtualHost *>\n</VirtualHost>\n"
			 "<VirtualHost *>\nRUidGid #4711 daemon\n</VirtualHost>\n", true);
	ck_assert_ptr_nonnull(f.c);
	ck_assert_str_eq(f.c->front.user, "daemon");
	ck_assert_uint_eq(f.c->front.gid, 12345);
	ck_assert_uint_eq(f.c->servers[1]->ids.uid, pw->pw_uid);
	ck_assert_uint_eq(f.c->servers[1]->ids.gid, 4242);
	ck_assert_uint_eq(f.c->servers[2]->ids.uid, f.c->front.uid);
	ck_assert_uint_eq(f.c->servers[3]->ids.uid, 4711);
	fixture_free(&f);
	/* An ordinary user: everything runs as that user, and it is said. */
	ck_assert_int_eq(conf_users_self(&f.d.arena, &self), GW_OK);
	conf_diags_fini(&f.d);
	fixture_load(&f, "User daemon\n<VirtualHost *>\nAssignUserID no-such-user nogroup\n</VirtualHost>\n", false);
	ck_assert_ptr_nonnull(f.c);
	ck_assert_uint_eq(f.c->servers[1]->ids.uid, self.uid);
	ck_assert_int_eq(fixture_said(&f, false, 3, 14, "no user of its own"), 1);
	fixture_free(&f);
}
END_TEST

/* The walk over the databases must say what getgrouplist() says. */
START_TEST(walked_groups_are_the_real_ones)
{
	struct arena a;
	struct conf_users walked, asked;
	struct passwd *pw;
	int n = 0;

	arena_init(&a);
	conf_users_init(&walked, &a);
	conf_users_init(&asked, &a);
	asked.walk = -1;
	walked.asked = 1000; /* as if many had been asked for */
	setpwent();
	while ((pw = getpwent()) != NULL && n < 200) {
		struct conf_ids x, y;
		bool bad;
		char *name = strdup(pw->pw_name);
		ck_assert_ptr_null(conf_users_resolve(&walked, name, NULL, &x, &bad));
		asked.asked = 0;
		ck_assert_ptr_null(conf_users_resolve(&asked, name, NULL, &y, &bad));
		ck_assert_uint_eq(x.uid, y.uid);
		ck_assert_uint_eq(x.gid, y.gid);
		ck_assert_uint_eq(x.groups_n, y.groups_n);
		for (size_t i = 0; i < x.groups_n; i++) {
			bool found = false;
			for (size_t k = 0; k < y.groups_n; k++)
				found = found || x.groups[i] == y.groups[k];
			ck_assert_int_eq(found, true);
		}
		free(name);
		n++;
		setpwent(); /* the walk above used the same cursor */
		for (int i = 0; i < n; i++)
			(void)getpwent();
	}
	endpwent();
	ck_assert_int_gt(n, 5);
	arena_fini(&a);
}
END_TEST

static char *many(int n, bool users)
{
	struct buf b;
	char *text;

	buf_init(&b);
	ck_assert_int_eq(buf_puts(&b, "User nobody\nServerName main\n"), GW_OK);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(buf_printf(&b, "<VirtualHost *:8080>\nServerName site%d.example.org\nServerAlias www.site%d.example.org *.site%d.example.org\n"
						"DocumentRoot /\n%sErrorLog logs/site%d.err\nCustomLog logs/site%d.log combined\n<Directory /srv/site%d/htdocs>\n"
						"AllowOverride All\nRequire all granted\n</Directory>\n</VirtualHost>\n",
					    i, i, i, users ? "AssignUserID #2000 #2000\n" : "", i, i, i), GW_OK);
	ck_assert_int_eq(buf_append(&b, "", 1), GW_OK);
	text = strdup((char *)buf_head(&b));
	buf_fini(&b);
	return text;
}

#ifdef BH_SANITIZED
#define SLOWER 10
#else
#define SLOWER 1
#endif

START_TEST(thousands_of_hosts_load_fast)
{
	static const int counts[] = {1000, 5000};
	struct fixture f;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080)};

	for (size_t k = 0; k < 2; k++) {
		char *text = many(counts[k], true), host[64];
		uint64_t t = io_now_ms();
		fixture_load(&f, text, true);
		t = io_now_ms() - t;
		ck_assert_ptr_nonnull(f.c);
		ck_assert_uint_eq(f.c->servers_n, (size_t)counts[k] + 1);
		/* Generous for a loaded machine; quadratic work would not pass. */
		ck_assert_msg(t < (k == 0 ? 1000u : 3000u) * SLOWER, "%d hosts took %llu ms", counts[k], (unsigned long long)t);
		t = io_now_ms();
		for (int i = 0; i < counts[k]; i++) {
			(void)snprintf(host, sizeof(host), "a.b.site%d.example.org", i);
			ck_assert_ptr_eq(conf_find_server(f.c, (struct sockaddr *)&in, host), f.c->servers[i + 1]);
			(void)snprintf(host, sizeof(host), "/srv/site%d/htdocs/a/b/", i);
			ck_assert_uint_eq(fixture_dir_for(&f, f.c->servers[i + 1], host, "x", "/x")->override, CONF_OV_ALL);
		}
		t = io_now_ms() - t;
		ck_assert_msg(t < 2000u * SLOWER, "look-ups took %llu ms", (unsigned long long)t);
		fixture_free(&f);
		free(text);
	}
}
END_TEST

/* --- Debian's files --------------------------------------------------------------------------------------------------------- */

#define DEBIAN "/etc/apache2/apache2.conf"

START_TEST(debians_configuration_loads)
{
	struct conf_load_opts o = {.file = DEBIAN, .need_root = true};
	struct conf_diags d;
	struct conf *c;
	struct conf_cache *cc;
	struct conf_match m = {.dir = "/etc/", .file = "passwd", .uri = "/passwd"};
	char *text;

	if (access(DEBIAN, R_OK) != 0) {
		fprintf(stderr, "SKIP: no " DEBIAN "\n");
		return;
	}
	conf_diags_init(&d);
	c = conf_load(&o, &d);
	if (c == NULL)
		conf_diags_print(&d, 2);
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->front.user, "www-data");
	ck_assert_uint_ge(c->servers_n, 2);
	ck_assert_str_eq(c->servers[1]->docroot, "/var/www/html");
	ck_assert_ptr_nonnull(c->servers[1]->error_log);
	cc = conf_cache_new();
	m.server = c->servers[1];
	ck_assert_int_eq(conf_dir_for(cc, c, &m)->granted, false);
	m.dir = "/var/www/html/";
	m.file = "index.php";
	ck_assert_int_eq(conf_dir_for(cc, c, &m)->granted, true);
	ck_assert_int_eq(conf_handler_for(conf_dir_for(cc, c, &m), "index.php").kind, CONF_HANDLER_PHP);
	m.file = ".htaccess";
	ck_assert_int_eq(conf_dir_for(cc, c, &m)->granted, false);
	m.file = "x.phps";
	ck_assert_int_eq(conf_dir_for(cc, c, &m)->granted, false);
	m.file = "x";
	m.uri = "/server-status";
	ck_assert_int_eq(conf_dir_for(cc, c, &m)->granted, false);
	ck_assert_int_eq(conf_handler_for(conf_dir_for(cc, c, &m), "x").kind, CONF_HANDLER_DENY);
	text = fixture_dump(conf_dump_noeffect, c);
	ck_assert_ptr_nonnull(strstr(text, "mods-enabled/autoindex.conf:"));
	ck_assert_ptr_nonnull(strstr(text, "LoadModule"));
	free(text);
	conf_cache_free(cc);
	conf_free(c);
	conf_diags_fini(&d);
}
END_TEST

/* Debian's way of CGI: the module counts as absent, so that its alias is never defined. */
START_TEST(debians_cgi_block_is_passed_over)
{
	struct fixture f;
	char *text;

	fixture_good(&f, "LoadModule cgid_module x.so\nLoadModule alias_module x.so\n<IfModule mod_alias.c>\n<IfModule mod_cgid.c>\nDefine ENABLE_BIN\n</IfModule>\n"
			 "<IfDefine ENABLE_BIN>\nScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n</IfDefine>\n</IfModule>\n");
	text = fixture_dump(conf_dump_noeffect, f.c);
	ck_assert_ptr_nonnull(strstr(text, "main.conf:4: <IfModule mod_cgid.c> has no effect: counts as absent"));
	free(text);
	fixture_free(&f);
}
END_TEST

START_TEST(dump_says_which_hosts_a_handler_sends_elsewhere)
{
	static const char handler[] = "<FilesMatch \\.php$>\nSetHandler \"proxy:unix:/run/x.sock|fcgi://localhost\"\n</FilesMatch>\n";
	char text[1024];
	struct fixture f;

	(void)snprintf(text, sizeof(text), "<VirtualHost *:8080>\nServerName a.example\n%s</VirtualHost>\n<VirtualHost *:8080>\nServerName b.example\n</VirtualHost>\n",
		       handler);
	fixture_good(&f, text);
	char *out = fixture_dump(conf_dump_servers, f.c);
	char *a = strstr(out, "\na.example"), *b = strstr(out, "\nb.example"), *note = strstr(out, "\n(SetHandler): ");
	ck_assert_ptr_nonnull(note);
	ck_assert_int_eq(a < b && b < note, 1);
	ck_assert_ptr_nonnull(strstr(a, "(SetHandler)"));
	ck_assert_int_eq(strstr(a, "(SetHandler)") < b, 1);
	ck_assert_ptr_eq(strstr(b, "(SetHandler)"), note + 1); /* not in its own line */
	free(out);
	fixture_free(&f);

	/* For all hosts, beside a pool. */
	(void)snprintf(text, sizeof(text), "%s<FastCGIPool p>\nServer unix:/run/y.sock\n</FastCGIPool>\n<VirtualHost *:8080>\nServerName c.example\nDispatch worker\n"
		       "UsePool p\n</VirtualHost>\n", handler);
	fixture_good(&f, text);
	out = fixture_dump(conf_dump_servers, f.c);
	ck_assert_ptr_nonnull(strstr(out, " p (SetHandler) "));
	free(out);
	fixture_free(&f);
}
END_TEST

START_TEST(dump_joins_what_stands_in_many_files)
{
	struct fixture f;

	fixture_file("load.d/a.load", "LoadModule a_module a.so\nMutex default\n");
	fixture_file("load.d/b.load", "LoadModule b_module b.so\n");
	fixture_file("load.d/c.load", "\nLoadModule c_module c.so\nMutex default\n");
	fixture_file("load.d/d.load", "Mutex default\n");
	fixture_good(&f, "Include load.d/*.load\nAddIcon /a.png .de\n");
	char *text = fixture_dump(conf_dump_noeffect, f.c);
	ck_assert_ptr_nonnull(strstr(text, "load.d/b.load:1: LoadModule has no effect (2 times, up to "));
	ck_assert_ptr_nonnull(strstr(text, "load.d/c.load:2): modules are built in\n"));
	/* Anything else may be a site's: each file by itself. */
	ck_assert_ptr_nonnull(strstr(text, "load.d/c.load:3: Mutex has no effect: "));
	ck_assert_ptr_nonnull(strstr(text, "load.d/d.load:1: Mutex has no effect: "));
	ck_assert_ptr_nonnull(strstr(text, "main.conf:2: AddIcon has no effect: "));
	free(text);
	fixture_free(&f);
}
END_TEST

START_TEST(dump_says_who_answers_what)
{
	struct fixture f;
	char *text;

	fixture_good(&f, "<FastCGIPool fpm>\nServer unix:/run/x.sock\n</FastCGIPool>\n<VirtualHost *:8080>\nServerName a.example\nServerAlias www.a.example\n"
			 "RequestIsolation shared\nSandboxProfile php\n</VirtualHost>\n<VirtualHost 127.0.0.1:8080>\nServerName b.example\nDispatch worker\nUsePool fpm\n</VirtualHost>\n"
			 "AddIcon /a.png .de\nAddIcon /b.png .fr\n");
	text = fixture_dump(conf_dump_servers, f.c);
	char *a = strstr(text, "\na.example"), *b = strstr(text, "\nb.example");
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(strstr(a, "prefork") < b && strstr(a, "shared") < b && strstr(a, " php ") < b, 1);
	ck_assert_ptr_nonnull(strstr(b, "worker"));
	ck_assert_ptr_nonnull(strstr(b, "fpm"));
	ck_assert_ptr_nonnull(strstr(text, "a.example is also www.a.example\n"));
	ck_assert_ptr_nonnull(strstr(text, "Pool fpm: unix:/run/x.sock\n"));
	free(text);
	text = fixture_dump(conf_dump_noeffect, f.c);
	ck_assert_ptr_nonnull(strstr(text, "AddIcon has no effect (2 times, up to line 16)"));
	free(text);
	fixture_free(&f);
}
END_TEST

Suite *suite_conf_hosts(void);

Suite *suite_conf_hosts(void)
{
	Suite *s = suite_create("conf: hosts");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, host_for_address_and_name, 0, (int)(sizeof(find_cases) / sizeof(*find_cases)));
	tcase_add_test(t, no_virtual_host_is_the_main_server);
	tcase_add_test(t, hosts_inherit_from_the_main_server);
	tcase_add_test(t, dispatch_follows_the_mpm_unless_said);
	tcase_add_test(t, pools_by_name_and_in_place);
	tcase_add_test(t, locks_without_cells_are_warned_of);
	tcase_add_test(t, sites_have_users);
	tcase_add_test(t, walked_groups_are_the_real_ones);
	tcase_add_test(t, thousands_of_hosts_load_fast);
	tcase_add_test(t, debians_configuration_loads);
	tcase_add_test(t, debians_cgi_block_is_passed_over);
	tcase_add_test(t, dump_says_which_hosts_a_handler_sends_elsewhere);
	tcase_add_test(t, dump_joins_what_stands_in_many_files);
	tcase_add_test(t, dump_says_who_answers_what);
	suite_add_tcase(s, t);
	return s;
}
