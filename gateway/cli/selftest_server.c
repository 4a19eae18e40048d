/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/selftest_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gateway/base/io.h"
#include "gateway/master/launch.h"

#define START_WAIT_S 20
#define PEER_NAME "bulkhead-selftest-"
#define END_WAIT_S 10
#define ANSWER_WAIT_S 30
#define TIME_LIMIT_S 3      /* RequestTimeout: what holds a cell is ended after this */
#define USER_FIRST 64900u   /* where nobody has an account, usually */

/* All but the victim belong to one user. */
static const struct {
	const char *name, *directives;
} sites[] = {
	{"attacker", ""}, {"shared", "RequestIsolation shared\n"}, {"offline", "SandboxNetwork none\n"},
	{"guarded", "SandboxTcpConnect 9\n"}, {"victim", ""},
};
#define SITES_N (sizeof(sites) / sizeof(*sites))

static int say_errno(const char *what, const char *path)
{
	fprintf(stderr, "bulkhead: selftest: %s %s: %s\n", what, path, strerror(errno));
	return GW_ERR_SYS;
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */

/* Owned by @uid when that can be given away. */
static int put_file(const struct selftest_server *s, const char *path, const char *const *text, mode_t mode, uid_t uid)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = fd == -1 ? GW_ERR_SYS : GW_OK;

	for (size_t i = 0; err == GW_OK && text[i] != NULL; i++)
		err = io_write_all(fd, text[i], strlen(text[i])) < 0 ? GW_ERR_SYS : GW_OK;
	if (err == GW_OK && (fchmod(fd, mode) == -1 || (s->privileged && fchown(fd, uid, uid) == -1)))
		err = GW_ERR_SYS;
	io_close(&fd);
	return err == GW_OK ? GW_OK : say_errno("cannot write", path);
}

static int put_dir(const struct selftest_server *s, const char *path, uid_t uid)
{
	if (mkdir(path, 0755) == -1 || (s->privileged && chown(path, uid, uid) == -1))
		return say_errno("cannot make", path);
	return GW_OK;
}

static uid_t owner_of(const struct selftest_server *s, const char *site)
{
	return strcmp(site, "victim") == 0 ? s->victim : s->attacker;
}

int selftest_server_script(const struct selftest_server *s, const char *site, const char *name, const char *const *text)
{
	char path[PATH_MAX];
	const struct timespec past[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}}; /* opcache keeps what is not brand-new */

	snprintf(path, sizeof(path), "%s/%s/%s.php", s->dir, site, name);
	int err = put_file(s, path, text, 0644, owner_of(s, site));
	if (err == GW_OK && utimensat(AT_FDCWD, path, past, 0) == -1)
		err = say_errno("cannot date", path);
	return err;
}

static int make_site(const struct selftest_server *s, const char *site)
{
	char path[PATH_MAX];
	uid_t uid = owner_of(s, site);

	snprintf(path, sizeof(path), "%s/%s", s->dir, site);
	int err = put_dir(s, path, uid);
	snprintf(path, sizeof(path), "%s/%s/var", s->dir, site);
	return err != GW_OK ? err : put_dir(s, path, uid);
}

static int make_secrets(const struct selftest_server *s)
{
	const char *const text[] = {SELFTEST_SECRET "\n", NULL};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/victim/secret.txt", s->dir);
	int err = put_file(s, path, text, 0600, s->victim);
	snprintf(path, sizeof(path), "%s/victim/public.txt", s->dir);
	return err != GW_OK ? err : put_file(s, path, text, 0644, s->victim);
}

/* bulkhead-selftest8.2.so lies beside bulkhead-php8.2. */
static bool extension_path(char *out, size_t size)
{
	static const char in[] = "bulkhead-php";
	const char *program = launch_program(NULL), *name = strrchr(program, '/');

	if (name == NULL || strncmp(name + 1, in, sizeof(in) - 1) != 0)
		return false;
	int n = snprintf(out, size, "%.*s/bulkhead-selftest%s.so", (int)(name - program), program, name + sizeof(in));
	if (n > 0 && (size_t)n < size && access(out, R_OK) == 0)
		return true;
	fprintf(stderr, "bulkhead: selftest: there is no %s\n", out);
	return false;
}

static int put_site(const struct selftest_server *s, struct buf *out, size_t i, const char *extension)
{
	const char *site = sites[i].name;
	unsigned uid = owner_of(s, site);
	int err = buf_printf(out,
		"<VirtualHost *>\nServerName %s.invalid\nDocumentRoot \"%s/%s\"\nDispatch prefork\n%s"
		"php_admin_value extension \"%s\"\nphp_admin_value error_append_string \"\"\nphp_admin_value display_errors 0\n",
		site, s->dir, site, sites[i].directives, extension);

	if (err == GW_OK && s->privileged)
		err = buf_printf(out, "AssignUserID \"#%u\" \"#%u\"\n", uid, uid);
	return err != GW_OK ? err : buf_puts(out, "</VirtualHost>\n");
}

static int make_configuration(const struct selftest_server *s)
{
	char path[PATH_MAX], extension[PATH_MAX];
	struct buf text;

	if (!extension_path(extension, sizeof(extension)))
		return GW_ERR_NOTFOUND;
	buf_init(&text);
	int err = buf_printf(&text,
		"ServerRoot \"%s\"\nPidFile \"%s/pid\"\nListen unix:%s/socket\nServerName selftest.invalid\nErrorLog \"%s/error.log\"\n"
		"LogLevel info\nThreadsPerChild 1\nMailRelay none\nSandboxTmpSize 16M\nRequestTimeout %d\nStartServers 1\nMinSpareServers 1\nMaxRequestWorkers 4\n"
		"<Directory \"%s\">\nRequire all granted\nOptions FollowSymLinks\n</Directory>\n",
		s->dir, s->dir, s->dir, s->dir, TIME_LIMIT_S, s->dir);
	if (err == GW_OK && s->privileged)
		err = buf_puts(&text, "User \"#65534\"\nGroup \"#65534\"\n");
	for (size_t i = 0; i < SITES_N && err == GW_OK; i++)
		err = put_site(s, &text, i, extension);
	if (err == GW_OK)
		err = buf_append(&text, "", 1);
	if (err == GW_OK) {
		snprintf(path, sizeof(path), "%s/bulkhead.conf", s->dir);
		err = put_file(s, path, (const char *const[]){(const char *)buf_head(&text), NULL}, 0600, 0);
	}
	buf_fini(&text);
	return err;
}

/* Two that nobody has, or all is one user's. */
static void choose_users(struct selftest_server *s)
{
	uid_t free_ones[2] = {USER_FIRST, USER_FIRST + 1};
	size_t n = 0;

	for (uid_t uid = USER_FIRST; uid < USER_FIRST + 500 && n < 2; uid++)
		if (getpwuid(uid) == NULL)
			free_ones[n++] = uid;
	s->attacker = s->privileged ? free_ones[0] : geteuid();
	s->victim = s->privileged ? free_ones[1] : geteuid();
}

/* Read it as the server will: mistakes in -C and -c are said once, and what they chose is known. */
static int read_configuration(struct selftest_server *s, const struct cmdline *cmd)
{
	char file[PATH_MAX];
	struct conf_diags diags;
	struct conf_load_opts opts = {.file = file, .defines_n = cmd->defines_n, .defines = cmd->defines, .before_n = cmd->before_n,
		.before = cmd->before, .after_n = cmd->after_n, .after = cmd->after, .need_root = s->privileged};

	snprintf(file, sizeof(file), "%s/bulkhead.conf", s->dir);
	conf_diags_init(&diags);
	struct conf *c = conf_load(&opts, &diags);
	if (c == NULL)
		conf_diags_print(&diags, STDERR_FILENO);
	conf_diags_fini(&diags);
	if (c == NULL)
		return GW_ERR_RANGE;
	s->legacy = c->servers_n > 1 && c->servers[1]->profile == CONF_PROFILE_LEGACY;
	conf_free(c);
	return GW_OK;
}

int selftest_server_make(struct selftest_server *s, const struct cmdline *cmd)
{
	const char *base = getenv("TMPDIR");

	*s = (struct selftest_server){.privileged = geteuid() == 0, .tcp = -1, .abstract = -1};
	choose_users(s);
	if (base == NULL || base[0] != '/' || strlen(base) > sizeof(s->dir) - sizeof("/bulkhead-selftest-XXXXXX"))
		base = "/tmp";
	snprintf(s->dir, sizeof(s->dir), "%s/bulkhead-selftest-XXXXXX", base);
	if (mkdtemp(s->dir) == NULL) {
		say_errno("cannot make", s->dir);
		s->dir[0] = '\0';
		return GW_ERR_SYS;
	}
	if (chmod(s->dir, 0755) == -1)
		return say_errno("cannot open up", s->dir);
	int err = GW_OK;
	for (size_t i = 0; i < SITES_N && err == GW_OK; i++)
		err = make_site(s, sites[i].name);
	if (err == GW_OK)
		err = make_secrets(s);
	if (err == GW_OK)
		err = make_configuration(s);
	return err != GW_OK ? err : read_configuration(s, cmd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) == -1 && errno != ENOENT;
}

/* --- process ---------------------------------------------------------------------------------------------------------------- */

static _Noreturn void become_server(const struct selftest_server *s, const struct cmdline *cmd)
{
	const char *argv[3 * CMD_LIST_MAX * 2 + 5];
	char file[PATH_MAX];
	size_t n = 0;
	const struct {
		const char *option;
		size_t n;
		const char *const *v;
	} lists[] = {{"-D", cmd->defines_n, cmd->defines}, {"-C", cmd->before_n, cmd->before}, {"-c", cmd->after_n, cmd->after}};

	snprintf(file, sizeof(file), "%s/bulkhead.conf", s->dir);
	argv[n++] = "bulkhead";
	argv[n++] = "-X";
	argv[n++] = "-f";
	argv[n++] = file;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (size_t j = 0; j < lists[i].n; j++) {
			argv[n++] = lists[i].option;
			argv[n++] = lists[i].v[j];
		}
	argv[n] = NULL;
	execv("/proc/self/exe", (char **)(uintptr_t)argv);
	say_errno("cannot start", "/proc/self/exe");
	_exit(EXIT_FAILURE);
}

static int connect_to(const struct selftest_server *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = ANSWER_WAIT_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", s->dir);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == -1 ||
			connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1))
		io_close(&fd);
	return fd;
}

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000};

	nanosleep(&t, NULL);
}

static bool is_running(struct selftest_server *s)
{
	if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid)
		s->pid = 0;
	return s->pid > 0;
}

/* Somebody to talk to: on the loopback interface, and under a name that is no file. */
static int make_peers(struct selftest_server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, PEER_NAME "%d", (int)getpid());

	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->tcp == -1 || s->abstract == -1 || bind(s->tcp, (struct sockaddr *)&in, sizeof(in)) == -1 || listen(s->tcp, 64) == -1 ||
		bind(s->abstract, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == -1 ||
		listen(s->abstract, 64) == -1)
		return say_errno("cannot listen", "on the loopback interface");
	return GW_OK;
}

/* What attacks need to know of the world outside. */
static int tell_sites(struct selftest_server *s)
{
	struct sockaddr_in in;
	struct utsname machine;
	socklen_t len = sizeof(in);
	char path[PATH_MAX], pid[16], peer[64];
	int err = GW_OK;

	if (getsockname(s->tcp, (struct sockaddr *)&in, &len) == -1 || uname(&machine) == -1)
		return say_errno("cannot describe", "this machine");
	snprintf(pid, sizeof(pid), "%d\n", (int)s->pid);
	snprintf(peer, sizeof(peer), "%u " PEER_NAME "%d\n", (unsigned)ntohs(in.sin_port), (int)getpid());
	const struct {
		const char *name, *text;
	} files[] = {{"master", pid}, {"peer", peer}, {"hostname", machine.nodename}};
	for (size_t i = 0; i < SITES_N * 3 && err == GW_OK; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", s->dir, sites[i / 3].name, files[i % 3].name);
		err = put_file(s, path, (const char *const[]){files[i % 3].text, NULL}, 0644, owner_of(s, sites[i / 3].name));
	}
	return err;
}

int selftest_server_start(struct selftest_server *s, const struct cmdline *cmd)
{
	int fd = -1;

	if (make_peers(s) != GW_OK)
		return GW_ERR_SYS;
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		become_server(s, cmd);
	for (int i = 0; i < START_WAIT_S * 20 && is_running(s) && (fd = connect_to(s)) == -1; i++)
		pause_ms(50);
	bool up = fd != -1;
	io_close(&fd);
	if (!up) {
		struct buf log;
		buf_init(&log);
		selftest_server_log(s, &log);
		fprintf(stderr, "bulkhead: selftest: the server does not start\n%.*s", (int)buf_unread(&log), (const char *)buf_head(&log));
		buf_fini(&log);
		return GW_ERR_SYS;
	}
	return tell_sites(s);
}

void selftest_server_end(struct selftest_server *s)
{
	if (is_running(s))
		kill(s->pid, SIGTERM);
	for (int i = 0; i < END_WAIT_S * 20 && is_running(s); i++)
		pause_ms(50);
	if (is_running(s)) {
		fprintf(stderr, "bulkhead: selftest: the server does not end: killed\n");
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	io_close(&s->tcp);
	io_close(&s->abstract);
	unlink("/tmp/bh-selftest-shared"); /* what a site without a /tmp of its own has left */
	if (s->dir[0] != '\0' && nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fprintf(stderr, "bulkhead: selftest: %s could not be removed\n", s->dir);
}

/* --- questions ---------------------------------------------------------------------------------------------------------------- */

void selftest_server_ask(const struct selftest_server *s, const char *site, const char *path, struct selftest_answer *a)
{
	char request[PATH_MAX + 128], octets[4096];
	int fd = connect_to(s), n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: %s.invalid\r\n\r\n", path, site);
	ssize_t got;

	buf_reset(&a->text);
	a->status = 0;
	a->body = "";
	if (fd != -1 && io_write_all(fd, request, (size_t)n) == GW_OK)
		while ((got = recv(fd, octets, sizeof(octets), 0)) > 0 && buf_append(&a->text, octets, (size_t)got) == GW_OK)
			;
	io_close(&fd);
	if (buf_append(&a->text, "", 1) != GW_OK || sscanf((const char *)buf_head(&a->text), "HTTP/1.%*1d %3d", &a->status) != 1)
		return;
	const char *end = strstr((const char *)buf_head(&a->text), "\r\n\r\n");
	if (end != NULL)
		a->body = end + 4;
}

void selftest_server_log(struct selftest_server *s, struct buf *out)
{
	char path[PATH_MAX], octets[4096];
	ssize_t n;

	buf_reset(out);
	snprintf(path, sizeof(path), "%s/error.log", s->dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && lseek(fd, s->log_seen, SEEK_SET) != -1)
		while ((n = read(fd, octets, sizeof(octets))) > 0 && buf_append(out, octets, (size_t)n) == GW_OK)
			s->log_seen += n;
	io_close(&fd);
	if (buf_append(out, "", 1) != GW_OK)
		buf_reset(out);
}
