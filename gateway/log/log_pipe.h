/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A program that log lines are piped to (CustomLog "|/usr/bin/rotatelogs ..."). Started by the master, as the user whom the
 * server was started by and with a few of its capabilities; started again when it ends. The master keeps both ends of the
 * pipe, so nothing is lost between two runs. It ends by itself when the pipe does. Trust: the command is the
 * administrator's, and so must the program be: a file that others could change is not started.
 */
#ifndef LOG_PIPE_H
#define LOG_PIPE_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/kept_proc.h"
#include "gateway/base/loop.h"

struct log_pipe {
	char **argv;             /* owned */
	bool privileged;
	int ends[2];             /* read, write */
	struct kept_proc proc;
};

/** Start @argv (copied; the program by its absolute path). NULL with the reason in *@why (static, or strerror). */
struct log_pipe *log_pipe_new(struct loop *l, const char *const *argv, bool privileged, const char **why);

/** Its program sees the end of its input; freed. Returns the process that is still ending, or 0. */
pid_t log_pipe_free(struct log_pipe *p);

/** Child @pid ended: true when it was this one. */
bool log_pipe_reaped(struct log_pipe *p, pid_t pid, int status);

#endif
