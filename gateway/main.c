/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gateway/base/io.h"
#include "gateway/cli/build_info.h"
#include "gateway/cli/cmdline.h"
#include "gateway/master/control.h"
#include "gateway/http/access_format.h"
#include "gateway/master/launch.h"
#include "gateway/cli/learned.h"
#include "gateway/master/master.h"
#include "gateway/master/pid_file.h"
#include "gateway/cli/running.h"
#include "gateway/master/takeover.h"
#include "sandbox/sb_policy.h"
#include "sandbox/rollback/rollback.h"
#include "gateway/cli/selftest.h"
#include "gateway/tls/tls_ctx.h"
#include "gateway/tls/tls_store.h"

#define STOP_WAIT_S 10

static const char *check_format(const char *format, size_t *at)
{
	const char *why = NULL;
	struct access_format *f = access_format_new(format, &why, at);

	access_format_free(f);
	return f != NULL ? NULL : why;
}

static const char *check_php(const char *version)
{
	const char *path = launch_program(version);

	return access(path, X_OK) == 0 ? NULL : path;
}

static const char *check_call(const char *name, bool allow)
{
	return sb_call_number(name) == -2 ? "" : allow ? sb_never(name) : sb_needed(name);
}

static const char *check_rollback(void)
{
	const char *why;

	return rollback_supported(&why) ? NULL : why;
}

static void load_opts(const struct cmdline *cmd, struct conf_load_opts *o)
{
	*o = (struct conf_load_opts){.file = cmd->file, .server_root = cmd->root, .defines_n = cmd->defines_n,
		.defines = cmd->defines, .before_n = cmd->before_n, .before = cmd->before, .after_n = cmd->after_n,
		.after = cmd->after, .need_root = geteuid() == 0, .check_format = check_format,
		.check_php = check_php, .check_call = check_call, .call_name = sb_call_name, .check_ciphers = tls_check_ciphers, .check_rollback = check_rollback};
}

/* Load into @diags and print what is wrong, also to @report when that is a descriptor; NULL when there were errors. */
static struct conf *load(const struct conf_load_opts *o, int report, struct conf_diags *diags)
{
	conf_diags_init(diags);
	struct conf *c = conf_load(o, diags);
	conf_diags_print(diags, STDERR_FILENO);
	if (report != -1)
		conf_diags_print(diags, report);
	return c;
}

/* Certificates and keys, as the server would read them. NULL without TLS; *@ok is false when a host cannot be served. */
static struct tls_store *load_tls(const struct conf *c, bool *ok)
{
	struct conf_diags diags;
	bool none;

	conf_diags_init(&diags);
	struct tls_store *s = tls_store_load(c, NULL, geteuid() == 0, &diags, &none);
	if (diags.n > 0)
		conf_diags_print(&diags, STDERR_FILENO);
	*ok = (s != NULL || none) && diags.errors == 0;
	conf_diags_fini(&diags);
	return s;
}

static void list_noeffect(const struct conf *c)
{
	conf_dump_noeffect(c, STDOUT_FILENO);
}

/* -t: what has no effect first, which may be long; then all that is wrong, in one list. */
static int check(struct conf_load_opts *o)
{
	struct conf_diags diags;
	bool none;

	conf_diags_init(&diags);
	o->refused = list_noeffect;
	struct conf *c = conf_load(o, &diags);
	if (c != NULL) {
		list_noeffect(c);
		tls_store_free(tls_store_load(c, NULL, geteuid() == 0, &diags, &none));
	}
	conf_diags_print(&diags, STDERR_FILENO);
	bool ok = c != NULL && diags.errors == 0;
	if (ok)
		puts("Syntax OK");
	conf_diags_fini(&diags);
	conf_free(c);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Who shows which certificate, hosts in their order. */
static void print_tls(const struct conf *c)
{
	bool ok;
	struct tls_store *s = load_tls(c, &ok);

	for (size_t i = 1; i <= c->servers_n && s != NULL; i++) {
		const struct conf_server *server = c->servers[i % c->servers_n];
		const struct tls_bundle *b = server->tls != NULL ? &s->v[server->tls->index] : NULL;
		time_t until = b != NULL ? (time_t)b->not_after : 0;
		char text[32];
		struct tm tm;
		if (b == NULL || (i == c->servers_n && c->servers_n > 1))
			continue;
		strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&until, &tm));
		if (b->good)
			printf("%s: TLS, %s, until %s\n", server->name, b->subject, text);
		else
			printf("%s: TLS is REFUSED: its certificate cannot be used\n", server->name);
	}
	tls_store_free(s);
}

static bool wait_gone(pid_t pid)
{
	const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};

	for (int i = 0; i < STOP_WAIT_S * 20; i++) {
		if (kill(pid, 0) == -1)
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

/* What only the server itself can say is done; -1: there is nobody to ask. */
static int ask_server(const char *pid_file, const char *word)
{
	if (strcmp(word, "restart") == 0)
		word = control_words[CONTROL_GRACEFUL];
	for (int w = 0; w < CONTROL_WORDS; w++)
		if (strcmp(word, control_words[w]) == 0)
			return control_ask(pid_file, word);
	return -1;
}

static int signal_to(const struct conf_load_opts *o, pid_t pid, int signal)
{
	/* Who hears no answer shall not think that errors were none. */
	if (signal == SIGHUP || signal == SIGUSR1) {
		struct conf_diags diags;
		struct conf *c = load(o, -1, &diags);
		conf_diags_fini(&diags);
		if (c == NULL)
			return EXIT_FAILURE;
		conf_free(c);
	}
	if (kill(pid, signal) == -1) {
		fprintf(stderr, "bulkhead: cannot signal process %d: %s\n", (int)pid, strerror(errno));
		return EXIT_FAILURE;
	}
	if (signal == SIGTERM && !wait_gone(pid)) {
		fprintf(stderr, "bulkhead: process %d is still there after %d s\n", (int)pid, STOP_WAIT_S);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* No server is found for the configuration @conf, whose PidFile is @pid_file (NULL: none could be read there). */
static void say_not_found(const char *conf, const char *pid_file)
{
	if (pid_file != NULL)
		fprintf(stderr, "bulkhead: not running (PidFile %s)\n", pid_file);
	else if (access(conf, R_OK) == -1)
		fprintf(stderr, "bulkhead: %s: %s; the PidFile, by which a running server is found, is named there\n", conf, strerror(errno));
	else
		fprintf(stderr, "bulkhead: %s names no PidFile, by which a running server is found\n", conf);
}

static int send_signal(const struct conf_load_opts *o, const char *word)
{
	static const struct {
		const char *word;
		int signal;
	} signals[] = {{"stop", SIGTERM}, {"graceful", SIGUSR1}, {"graceful-stop", SIGWINCH}, {"restart", SIGHUP},
		{"reopen", SIGUSR1}};
	struct arena a;
	int signal = 0, status = -1;

	arena_init(&a);
	/* No more of it: a server can be stopped, and say itself what it finds wrong, whatever is in the files. */
	const char *file = conf_pid_file(o, &a);
	pid_t pid = file != NULL ? pid_file_read(file) : 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (strcmp(word, signals[i].word) == 0)
			signal = signals[i].signal;
	if (pid == 0)
		say_not_found(o->file, file);
	else
		status = ask_server(file, word);
	if (pid != 0 && status == -1 && signal == 0)
		fprintf(stderr, "bulkhead: process %d cannot be asked for %s: there is no %s.ctl, or it is not for this user\n", (int)pid, word, file);
	arena_fini(&a);
	if (status != -1)
		return status;
	return pid == 0 || signal == 0 ? EXIT_FAILURE : signal_to(o, pid, signal);
}

/* The processes of the server that this configuration's PidFile names; false: there is none. */
static bool print_running(const struct conf *c, size_t errors)
{
	pid_t pid = c->pid_file != NULL ? pid_file_read(c->pid_file) : 0;
	struct buf out;

	if (pid == 0)
		return false;
	buf_init(&out);
	bool ok = running_put(&out, pid) == GW_OK && io_write_all(STDOUT_FILENO, buf_head(&out), buf_unread(&out)) == GW_OK;
	buf_fini(&out);
	/* Only the server itself knows the files that it has read. */
	if (control_ask(c->pid_file, control_words[CONTROL_SITES]) == -1 && errors > 0)
		fprintf(stderr, "running: what is served in place of files with errors is told to root and the server's user only\n");
	return ok;
}

/* -S: the hosts of the files as they are, then the server that runs. */
static void show(const struct conf *c, size_t errors)
{
	conf_dump_servers(c, STDOUT_FILENO);
	print_tls(c);
	putchar('\n');
	fflush(stdout);
	if (!print_running(c, errors))
		printf("Not running (PidFile %s)\n", c->pid_file != NULL ? c->pid_file : "not set");
	fflush(stdout);
}

static void warn_unprivileged(void)
{
	if (geteuid() != 0)
		fprintf(stderr, "bulkhead: started as an ordinary user: every site runs as this user, so only namespaces and Landlock "
			"keep sites from each other and from your files; bulkhead -V says whether they are there\n");
}

/* Where this program lies, also when another has been put there since. */
static const char *own_path(char *const *argv)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return argv[0];
	path[n] = '\0';
	return path;
}

static int with_configuration(const struct cmdline *cmd, char *const *argv)
{
	static struct master_opts opts; /* outlives this call: the master reloads from it */
	static struct takeover from = {.report = -1, .tickets = -1};

	if (cmd->action == CMD_RUN && takeover_read(&from) < 0) {
		fprintf(stderr, "bulkhead: " TAKEOVER_ENV " is set, and not by a server that is being upgraded\n");
		return EXIT_FAILURE;
	}
	static struct conf_diags diags; /* the master's first */
	static struct conf_keep *keep; /* for a reload, and where a site file with errors shall not stop what is asked for */
	load_opts(cmd, &opts.load);
	if (cmd->action == CMD_SIGNAL)
		return send_signal(&opts.load, cmd->signal);
	if (cmd->action == CMD_CHECK)
		return check(&opts.load);
	opts.load.keep = &keep;
	opts.load.serve = cmd->action == CMD_RUN;
	opts.load.strict = from.report != -1;
	struct conf *c = load(&opts.load, from.report, &diags);
	opts.load.strict = false;
	if (c == NULL)
		return EXIT_FAILURE;
	int status = EXIT_SUCCESS;
	switch (cmd->action) {
	case CMD_VHOSTS:
		show(c, diags.errors);
		break;
	case CMD_STATUS:
		status = print_running(c, diags.errors) ? EXIT_SUCCESS : EXIT_FAILURE;
		if (status != EXIT_SUCCESS)
			say_not_found(opts.load.file, c->pid_file);
		break;
	default:
		warn_unprivileged();
		opts.diags = &diags;
		opts.foreground = cmd->foreground;
		opts.program = own_path(argv);
		opts.argv = argv;
		opts.from = &from;
		return master_run(c, &opts);
	}
	conf_free(c);
	conf_diags_fini(&diags);
	conf_keep_free(keep);
	return status;
}

static int print_learned(const char *file)
{
	FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	int err = in == NULL ? GW_ERR_SYS : learned_print(in, stdout);

	if (err == GW_ERR_NOTFOUND)
		fprintf(stderr, "bulkhead: %s: nothing was learned: is it the error log of a site with SandboxProfile learn?\n", file);
	else if (err != 0)
		fprintf(stderr, "bulkhead: %s: %s\n", file, err == GW_ERR_SYS ? strerror(errno) : gw_strerror(err));
	if (in != NULL && in != stdin)
		fclose(in);
	return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct cmdline cmd;

	umask(0022);
	if (!cmdline_parse(&cmd, argc, argv))
		return EXIT_FAILURE;
	switch (cmd.action) {
	case CMD_HELP:
		cmdline_help();
		return EXIT_SUCCESS;
	case CMD_VERSION:
		puts("Server version: Bulkhead/" PACKAGE_VERSION);
		return EXIT_SUCCESS;
	case CMD_BUILD:
		build_info_print();
		return EXIT_SUCCESS;
	case CMD_COMPILED:
		build_info_modules();
		return EXIT_SUCCESS;
	case CMD_LEARNED:
		return print_learned(cmd.learned);
	case CMD_SELFTEST:
		return selftest_run(&cmd);
	case CMD_REFERENCE:
		conf_dump_reference(STDOUT_FILENO);
		return EXIT_SUCCESS;
	default:
		return with_configuration(&cmd, argv);
	}
}
