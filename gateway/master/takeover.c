/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"

#define FD_MAX (1 << 20)

/* --- the new master -------------------------------------------------------------------------------------------------------- */

/* One "name=number". */
static int parse_word(struct takeover *t, const char *word)
{
	const char *eq = strchr(word, '=');
	char *end;

	if (eq == NULL || eq[1] < '0' || eq[1] > '9')
		return GW_ERR_PROTO;
	errno = 0;
	long fd = strtol(eq + 1, &end, 10);
	if (*end != '\0' || errno != 0 || fd <= STDERR_FILENO || fd > FD_MAX)
		return GW_ERR_PROTO;
	if (strncmp(word, "report=", 7) == 0) {
		if (t->report != -1)
			return GW_ERR_PROTO;
		t->report = (int)fd;
		return GW_OK;
	}
	if (strncmp(word, "tickets=", 8) == 0) {
		t->tickets = (int)fd;
		return GW_OK;
	}
	if (strncmp(word, "listen=", 7) != 0)
		return GW_OK; /* of a later version */
	int *v = realloc(t->listens, (t->listens_n + 1) * sizeof(*v));
	if (v == NULL)
		return GW_ERR_NOMEM;
	t->listens = v;
	v[t->listens_n++] = (int)fd;
	return GW_OK;
}

int takeover_parse(const char *text, struct takeover *t)
{
	char *copy = strdup(text), *save = NULL;
	int err = copy == NULL ? GW_ERR_NOMEM : GW_OK;

	*t = (struct takeover){.report = -1, .tickets = -1};
	for (char *w = copy == NULL ? NULL : strtok_r(copy, " ", &save); w != NULL && err == GW_OK; w = strtok_r(NULL, " ", &save))
		err = parse_word(t, w);
	free(copy);
	if (err == GW_OK && t->report == -1)
		err = GW_ERR_PROTO;
	if (err != GW_OK) {
		free(t->listens);
		*t = (struct takeover){.report = -1, .tickets = -1};
	}
	return err;
}

int takeover_read(struct takeover *t)
{
	const char *text = getenv(TAKEOVER_ENV);

	*t = (struct takeover){.report = -1, .tickets = -1};
	if (text == NULL)
		return GW_OK;
	int err = takeover_parse(text, t);
	unsetenv(TAKEOVER_ENV);
	if (err == GW_OK && (io_cloexec(t->report, 1) < 0 || io_nonblock(t->report, 1) < 0))
		err = GW_ERR_PROTO;
	if (err == GW_OK && t->tickets != -1 && io_cloexec(t->tickets, 1) < 0)
		err = GW_ERR_PROTO;
	for (size_t i = 0; i < t->listens_n && err == GW_OK; i++)
		if (io_cloexec(t->listens[i], 1) < 0)
			err = GW_ERR_PROTO;
	return err;
}

void takeover_tell(const struct takeover *t, char octet)
{
	if (t->report != -1 && send(t->report, &octet, 1, MSG_NOSIGNAL) == -1)
		log_debug("the old master does not listen any more: %m");
}

void takeover_fini(struct takeover *t)
{
	io_close(&t->report);
	io_close(&t->tickets);
	free(t->listens);
	*t = (struct takeover){.report = -1, .tickets = -1};
}

/* --- the old master ---------------------------------------------------------------------------------------------------------- */

static int put_env(struct buf *text, int report, int tickets, const struct listen_stock *st)
{
	int err = buf_printf(text, "report=%d", report);

	for (size_t i = 0; i < st->n && err == GW_OK; i++)
		if (!st->v[i].quiet)
			err = buf_printf(text, " listen=%d", st->v[i].fd);
	if (err == GW_OK && tickets != -1)
		err = buf_printf(text, " tickets=%d", tickets);
	return err == GW_OK ? buf_append(text, "", 1) : err;
}

/* What the master holds besides is for its own processes. */
static int keep_only(int report, int tickets, const struct listen_stock *st)
{
	int *keep = calloc(st->n + 2, sizeof(*keep)), err = keep == NULL ? GW_ERR_NOMEM : GW_OK;
	size_t n = 0;

	if (keep == NULL)
		return err;
	keep[n++] = report;
	if (tickets != -1)
		keep[n++] = tickets;
	for (size_t i = 0; i < st->n; i++)
		if (!st->v[i].quiet)
			keep[n++] = st->v[i].fd;
	for (size_t i = 0; i < n && err == GW_OK; i++)
		err = io_cloexec(keep[i], 0);
	if (err == GW_OK)
		err = io_close_except(keep, n);
	free(keep);
	return err;
}

_Noreturn static void become_new(const char *program, char *const *argv, const struct listen_stock *st, int tickets, int report)
{
	static const int handled[] = {SIGHUP, SIGUSR1, SIGWINCH, SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGPIPE};
	struct buf text;
	sigset_t none;

	for (size_t i = 0; i < sizeof(handled) / sizeof(*handled); i++)
		signal(handled[i], SIG_DFL);
	buf_init(&text);
	if (put_env(&text, report, tickets, st) == GW_OK && keep_only(report, tickets, st) == GW_OK &&
	    setenv(TAKEOVER_ENV, (const char *)buf_head(&text), 1) == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(program, argv);
	}
	dprintf(report, "%s: %s\n", program, strerror(errno));
	_exit(EXIT_FAILURE);
}

/*
 * A child of our own parent's: a service manager supervises only its own children well. systemd does not wait for the end of
 * another main process: it kills everything at once when the unit is stopped (KillMode=mixed), and calls that a failure.
 */
static pid_t fork_sibling(int *pidfd)
{
	struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (unsigned long long)(uintptr_t)pidfd};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

pid_t takeover_start(const char *program, char *const *argv, const struct listen_stock *st, int tickets, int *report, int *pidfd)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	*pidfd = -1;
	pid_t pid = io_nonblock(ends[0], 1) < 0 ? -1 : fork_sibling(pidfd);
	if (pid == 0)
		become_new(program, argv, st, tickets, ends[1]);
	io_close(&ends[1]);
	if (pid == -1) {
		io_close(&ends[0]);
		return -1;
	}
	*report = ends[0];
	return pid;
}
