/* SPDX-License-Identifier: Apache-2.0 */
/** A worker's access-log lines, collected during one batch of events and written with one write(2) a file. */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include <stddef.h>

#include "conf/conf.h"
#include "gateway/base/buf.h"
#include "gateway/http/access_format.h"

struct access_log {
	size_t files_n;
	const int *fds;
	struct buf *bufs;      /* one a log file */
	size_t *dirty;         /* indexes of files with lines to write */
	size_t dirty_n;
};

/** @fds: one a conf.log_files entry, borrowed. Returns 0 or GW_ERR_NOMEM. */
int access_log_init(struct access_log *l, size_t files_n, const int *fds) GW_MUST_USE;

/** Free the buffers; what was not flushed is lost. */
void access_log_fini(struct access_log *l);

/** Render @e for every CustomLog of @server. Lines that memory does not suffice for are lost, nothing else. */
void access_log_add(struct access_log *l, const struct conf_server *server, struct access_format *const *formats,
	const struct access_event *e);

/** Write what was collected. */
void access_log_flush(struct access_log *l);

#endif
