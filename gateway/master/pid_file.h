/* SPDX-License-Identifier: Apache-2.0 */
/** The PidFile: who is the running master. */
#ifndef PID_FILE_H
#define PID_FILE_H

#include <sys/types.h>

#include "gateway/base/err.h"

/** Pid of the running bulkhead that @path names; 0 when there is none (no file, a dead process, or another program). */
pid_t pid_file_read(const char *path);

/** Write our pid, replacing the file. Returns 0 or GW_ERR_SYS. */
int pid_file_write(const char *path) GW_MUST_USE;

/** Remove the file if it still names us. */
void pid_file_remove(const char *path);

#endif
