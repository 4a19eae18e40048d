/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Apache's ErrorLogFormat: compiled once, written by log_line(). A blank begins a field; a field in which an item has nothing
 * to say is left out, with its blank, unless the item has "-" (then it is "-") or "+" (then the whole line is left out). "\ " is a
 * blank that begins no field, "% " begins one and writes nothing.
 */
#ifndef BASE_LOG_FORMAT_H
#define BASE_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/arena.h"
#include "gateway/base/err.h"

/* A line under construction; never grows past its end. */
struct log_out {
	char *p, *end;
};

/* What a line can say; every pointer may be NULL. Octets of peers are escaped when they are written. */
struct log_values {
	const char *role, *level, *client, *site, *script, *message;
	pid_t pid;
	long tid;
};

struct log_format;

/** Compile @text into @a. NULL with *@why (static) and *@at (offset) for what is unknown, or when memory is out. */
const struct log_format *log_format_new(struct arena *a, const char *text, const char **why, size_t *at);

/** Write one line without its newline. False: the format wants no line for such values. Any thread. */
bool log_format_put(struct log_out *l, const struct log_format *f, const struct log_values *v);

/** Text as it is, and with control octets and backslashes escaped. */
void log_put_plain(struct log_out *l, const char *s);
void log_put_escaped(struct log_out *l, const char *s);

/** "Sun Nov 22 23:11:26 2026", or with @micro "Sun Nov 22 23:11:26.123456 2026"; @compact: "2026-11-22 23:11:26". Local time, now. */
void log_put_time(struct log_out *l, bool micro, bool compact);

#endif
