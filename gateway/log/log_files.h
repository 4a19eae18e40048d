/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Where the lines of a configuration's logs go: opened by the master, inherited by its front and mail process. Plain files
 * are written to directly while they are few; more of them, pipes and syslog go to the log process (log_hub.h).
 */
#ifndef LOG_FILES_H
#define LOG_FILES_H

#include "conf/conf.h"
#include "gateway/log/log_hub.h"

#define LOG_FILES_DIRECT 64 /* so many files of a configuration have a descriptor in the front */

struct log_files {
	struct log_sink *sinks; /* one a conf.log_files entry; level and site are not set */
	size_t failed_n;        /* that could not be opened, or opened anew, when that was tried last */
};

/**
 * Open @path for appending, made when it is missing. The directory may belong to a tenant: symbolic and hard links are refused,
 * what is no file, and a file that is neither ours nor his. Returns a descriptor, close-on-exec, or -1 with *@why and errno.
 */
int log_file_open(const char *path, const char **why);

/**
 * Open conf->log_files in order. Files for the log process are opened and closed again, so that what is wrong shows now. A file
 * of virtual hosts only that cannot be opened is logged and counted in failed_n, and stops nobody: it may be a tenant's doing.
 * Returns 0, or GW_ERR_SYS / GW_ERR_NOMEM with the reason logged (nothing is open then).
 */
int log_files_open(struct log_files *lf, const struct conf *c, struct log_hub *h) GW_MUST_USE;

/**
 * Open those that are direct anew, into the same numbers. Files were renamed. What cannot be opened stays as it is (logged,
 * counted in failed_n).
 */
void log_files_reopen(struct log_files *lf, const struct conf *c);

/** Descriptors that a process which writes to @lf must keep, into @out of conf->log_files_n + 1; returns how many. */
size_t log_files_fds(const struct log_files *lf, const struct conf *c, int *out);

/** The error log of @s: its level, and its name unless it is the main server; standard error when it has none. */
struct log_sink log_files_sink(const struct log_files *lf, const struct conf_server *s);

/** The descriptor of @f when it is direct, else -1 (NULL: -1). */
int log_files_fd(const struct log_files *lf, const struct conf_log_file *f);

/** Close, give back and free. Harmless on a zeroed one. */
void log_files_close(struct log_files *lf, const struct conf *c, struct log_hub *h);

#endif
