/* SPDX-License-Identifier: Apache-2.0 */
/** The log files of a configuration: opened by the master, inherited by its front. */
#ifndef LOG_FILES_H
#define LOG_FILES_H

#include "conf/conf.h"

/**
 * Open conf->log_files in order, for appending; *@fds is malloc'ed, close-on-exec. Symbolic and hard links are refused:
 * the directory may belong to a tenant. Returns 0, or GW_ERR_SYS / GW_ERR_NOMEM with the reason logged (nothing is open then).
 */
int log_files_open(const struct conf *c, int **fds) GW_MUST_USE;

/** Close and free. */
void log_files_close(const struct conf *c, int **fds);

#endif
