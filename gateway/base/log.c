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

#include "gateway/base/log_frame.h"

#define TEXT_MAX 16384
#define LINE_MAX_OCTETS (4 * TEXT_MAX + 2048) /* every octet may become \xHH */

static const char *role_name = "bulkhead";
static pid_t own_pid, machine_pid; /* 0: log_pid_of_machine() was not called */
static int tee_fd = -1;
static pid_t tee_pid;
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

/* A line under construction; never grows past its end. */
struct line {
	char *p, *end;
};

static void put_plain(struct line *l, const char *s)
{
	while (*s != '\0' && l->p < l->end)
		*l->p++ = *s++;
}

static void put_escaped(struct line *l, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s != '\0' && l->end - l->p >= 4; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '\\') {
			*l->p++ = '\\';
			*l->p++ = '\\';
		} else if (c < 0x20 || c == 0x7f) {
			*l->p++ = '\\';
			*l->p++ = 'x';
			*l->p++ = hex[c >> 4];
			*l->p++ = hex[c & 15];
		} else {
			*l->p++ = (char)c;
		}
	}
}

static void put_time(struct line *l)
{
	struct timespec ts;
	struct tm tm;
	char day[40], text[80];

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(day, sizeof(day), "%a %b %d %H:%M:%S", &tm);
	snprintf(text, sizeof(text), "[%s.%06ld %d] ", day, ts.tv_nsec / 1000, tm.tm_year + 1900);
	put_plain(l, text);
}

static void put_head(struct line *l, const struct log_sink *sink, enum log_level level, const struct log_about *about)
{
	char text[96];
	pid_t pid = getpid();
	long tid = syscall(SYS_gettid);

	if (!sink->plain)
		put_time(l);
	if (pid == own_pid && tid == pid) {
		pid = machine_pid;
		tid = pid;
	}
	snprintf(text, sizeof(text), "[%s:%s] [pid %d:tid %ld] ", role_name, level_names[level], (int)pid, tid);
	put_plain(l, text);
	if (about != NULL && about->client != NULL) {
		put_plain(l, "[client ");
		put_escaped(l, about->client);
		put_plain(l, "] ");
	}
	if (sink->site != NULL) {
		put_plain(l, "site=");
		put_escaped(l, sink->site);
		put_plain(l, " ");
	}
	if (about != NULL && about->script != NULL) {
		put_plain(l, "script=");
		put_escaped(l, about->script);
		put_plain(l, " ");
	}
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

void log_line(const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *fmt, ...)
{
	static _Thread_local char text[TEXT_MAX + 1], out[LINE_MAX_OCTETS];
	int saved = errno;
	va_list ap;

	if (!log_enabled(sink, level))
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	struct line l = {.p = out + LOG_FRAME_HEAD, .end = out + sizeof(out) - 16};
	put_head(&l, sink, level, about);
	put_escaped(&l, n < 0 ? "(unprintable message)" : text);
	if (n > TEXT_MAX)
		put_plain(&l, " [cut]");
	*l.p++ = '\n';
	emit(sink, level, out, (size_t)(l.p - out));
	/* Not a child's: the descriptor may be another's there. */
	if (tee_fd != -1 && level <= LOG_LV_ERROR && getpid() == tee_pid && write(tee_fd, out + LOG_FRAME_HEAD, (size_t)(l.p - out) - LOG_FRAME_HEAD) == -1)
		errno = 0;
	errno = saved;
}
