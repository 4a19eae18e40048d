/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log_format.h"
#include "gateway/base/log_frame.h"

#define TEXT_MAX 16384
#define LINE_MAX_OCTETS (4 * TEXT_MAX + 2048) /* every octet may become \xHH */

static const char *role_name = "bulkhead";
static pid_t own_pid, machine_pid; /* 0: log_pid_of_machine() was not called */
static int tee_fd = -1;
static pid_t tee_pid;
static _Thread_local void (*hear_fn)(void *ctx, const char *line, size_t n);
static _Thread_local void *hear_ctx;
static _Thread_local pid_t hear_pid;
static struct log_sink server_sink = {.fd = STDERR_FILENO, .level = LOG_LV_NOTICE, .site = NULL};

static const char *const level_names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "trace"};

void log_role(const char *role)
{
	role_name = role;
}

void log_tee(int fd)
{
	tee_fd = fd;
	tee_pid = getpid();
}

void log_hear(void (*heard)(void *ctx, const char *line, size_t n), void *ctx)
{
	hear_fn = heard;
	hear_ctx = ctx;
	hear_pid = getpid();
}

void log_pid_of_machine(void)
{
	char text[24];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	own_pid = getpid();
	machine_pid = (pid_t)strtol(text, NULL, 10);
}

struct log_sink *log_server(void)
{
	return &server_sink;
}

int log_level_find(const char *name)
{
	for (int i = 0; i < (int)(sizeof(level_names) / sizeof(*level_names)); i++)
		if (strcasecmp(name, level_names[i]) == 0)
			return i;
	if (strncasecmp(name, "trace", 5) == 0 && name[5] >= '1' && name[5] <= '8' && name[6] == '\0')
		return LOG_LV_TRACE;
	return -1;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

static void who_am_i(pid_t *pid, long *tid)
{
	*pid = getpid();
	*tid = syscall(SYS_gettid);
	if (*pid == own_pid && *tid == *pid) {
		*pid = machine_pid;
		*tid = *pid;
	}
}

static void put_head(struct log_out *l, const struct log_sink *sink, enum log_level level, const struct log_about *about)
{
	char text[96];
	pid_t pid;
	long tid;

	if (!sink->plain) {
		log_put_plain(l, "[");
		log_put_time(l, true, false);
		log_put_plain(l, "] ");
	}
	who_am_i(&pid, &tid);
	snprintf(text, sizeof(text), "[%s:%s] [pid %d:tid %ld] ", role_name, level_names[level], (int)pid, tid);
	log_put_plain(l, text);
	if (about != NULL && about->client != NULL) {
		log_put_plain(l, "[client ");
		log_put_escaped(l, about->client);
		log_put_plain(l, "] ");
	}
	if (sink->site != NULL) {
		log_put_plain(l, "site=");
		log_put_escaped(l, sink->site);
		log_put_plain(l, " ");
	}
	if (about != NULL && about->script != NULL) {
		log_put_plain(l, "script=");
		log_put_escaped(l, about->script);
		log_put_plain(l, " ");
	}
}

/* As ErrorLogFormat says. */
static bool put_formatted(struct log_out *l, const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *text)
{
	struct log_values v = {.role = role_name, .level = level_names[level], .client = about != NULL ? about->client : NULL, .site = sink->site,
		.script = about != NULL ? about->script : NULL, .message = text};

	who_am_i(&v.pid, &v.tid);
	return log_format_put(l, sink->format, &v);
}

/* @out has room for a record's head before the line. A full disk or queue must not stop the server: the result is ignored. */
static void emit(const struct log_sink *sink, enum log_level level, char *out, size_t n)
{
	size_t len = n - LOG_FRAME_HEAD;
	ssize_t done;

	if (sink->framed) {
		log_frame_put((uint8_t *)out, sink->id, level, len);
		done = send(sink->fd, out, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		done = write(sink->fd, out + LOG_FRAME_HEAD, len);
	}
	if (done == -1)
		errno = 0;
}

void log_vline(const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *fmt, va_list ap)
{
	static _Thread_local char text[TEXT_MAX + 1], out[LINE_MAX_OCTETS];
	int saved = errno;

	if (!log_enabled(sink, level))
		return;
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	struct log_out l = {.p = out + LOG_FRAME_HEAD, .end = out + sizeof(out) - 16};
	const char *message = n < 0 ? "(unprintable message)" : text;
	if (sink->format != NULL) {
		if (!put_formatted(&l, sink, level, about, message)) {
			errno = saved;
			return;
		}
	} else {
		put_head(&l, sink, level, about);
		log_put_escaped(&l, message);
	}
	if (n > TEXT_MAX)
		log_put_plain(&l, " [cut]");
	*l.p++ = '\n';
	emit(sink, level, out, (size_t)(l.p - out));
	/* Not a child's: the descriptor may be another's there. */
	if (tee_fd != -1 && level <= LOG_LV_ERROR && getpid() == tee_pid && write(tee_fd, out + LOG_FRAME_HEAD, (size_t)(l.p - out) - LOG_FRAME_HEAD) == -1)
		errno = 0;
	if (hear_fn != NULL && level <= LOG_LV_ERROR && getpid() == hear_pid)
		hear_fn(hear_ctx, out + LOG_FRAME_HEAD, (size_t)(l.p - out) - LOG_FRAME_HEAD);
	errno = saved;
}

void log_line(const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(sink, level, about, fmt, ap);
	va_end(ap);
}
