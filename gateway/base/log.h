/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Error log in Apache's line format:
 * [Sun Nov 22 23:11:26.123456 2026] [front:error] [pid 12:tid 13] [client 192.0.2.1:5] site=blog script=/x.php text
 * One line is one write(2) to an O_APPEND descriptor, so that lines of several processes do not mix.
 * Every octet that is not printable ASCII or UTF-8's upper half, and every backslash, is written as \xHH or \\: a peer cannot forge a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

/* Apache's LogLevel names, most severe first. */
enum log_level {
	LOG_LV_EMERG, LOG_LV_ALERT, LOG_LV_CRIT, LOG_LV_ERROR, LOG_LV_WARN, LOG_LV_NOTICE, LOG_LV_INFO, LOG_LV_DEBUG,
	LOG_LV_TRACE
};

struct log_format;

/* Where lines go and who speaks. Borrowed by every call; the owner keeps it alive and closes the descriptor. */
struct log_sink {
	int fd;               /* O_APPEND; -1 discards */
	enum log_level level; /* less severe lines are dropped before formatting */
	const char *site;     /* site name or NULL */
	bool framed;          /* @fd leads to the log process, to which lines go as records (log_frame.h) of log @id */
	bool plain;           /* whoever takes the lines says himself when and how severe they are: syslog */
	uint32_t id;
	const struct log_format *format; /* ErrorLogFormat's; NULL: as above */
};


/* What a line is about; every field may be NULL. Peer octets are escaped when written. */
struct log_about {
	const char *client; /* address:port */
	const char *script; /* script path or request target */
};

/** The role name in every line of this process ("master", "front", "zygote", "cell"); static string. Call before threads. */
void log_role(const char *role);

/** What is an error or worse goes to @fd, too (-1: no more), from this process, not from its children. Before threads. */
void log_tee(int fd);

/** The same, each line handed to @heard, and of the calling thread alone (NULL: no more). @heard does not log. */
void log_hear(void (*heard)(void *ctx, const char *line, size_t n), void *ctx);

/**
 * Lines of this process carry the number that the machine's procfs has for it, for a process that is 1 in a namespace of
 * its own. Call it while that /proc is in sight; without it, nothing changes. Children keep their own numbers.
 */
void log_pid_of_machine(void);

/** The sink used when no site is concerned: the server's own error log. Never NULL (stderr until set). Set before threads. */
struct log_sink *log_server(void);

/** Write one line of at most 16 KiB + prefix (the rest is cut and marked). @about may be NULL. Keeps errno. Any thread. */
void log_line(const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *fmt, ...)
	GW_PRINTF(4, 5);

/** The same for a function that takes a format itself. */
void log_vline(const struct log_sink *sink, enum log_level level, const struct log_about *about, const char *fmt, va_list ap)
	GW_PRINTF(4, 0);

/** Level for an Apache name (case-insensitive; trace1..trace8 give TRACE), or -1. */
int log_level_find(const char *name);

/** Apache's name of a level. */
const char *log_level_name(enum log_level level);

#define log_enabled(sink, lv) ((sink)->fd >= 0 && (lv) <= (sink)->level)
#define log_err(...) log_line(log_server(), LOG_LV_ERROR, NULL, __VA_ARGS__)
#define log_warn(...) log_line(log_server(), LOG_LV_WARN, NULL, __VA_ARGS__)
#define log_notice(...) log_line(log_server(), LOG_LV_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_line(log_server(), LOG_LV_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_line(log_server(), LOG_LV_DEBUG, NULL, __VA_ARGS__)

#endif
