/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A worker's access-log lines, collected during one batch of events: then one write(2) for each file, and one datagram for all
 * lines that go to the log process. What that does not take at once waits here up to a bound, and is lost past it: no client
 * ever waits for a log.
 */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/http/access_format.h"

struct access_log {
	struct loop *loop;
	size_t files_n;
	const struct log_sink *sinks;
	struct buf *bufs;      /* one a log file */
	size_t *dirty;         /* indexes of files with lines to write */
	size_t dirty_n;
	struct buf framed;     /* records for the log process */
	int framed_fd;         /* -1: none yet */
	uint64_t lost;         /* lines, since the last word about it */
	struct loop_timer retry;
};

/** @sinks: one a conf.log_files entry, borrowed. Returns 0 or GW_ERR_NOMEM. */
int access_log_init(struct access_log *l, size_t files_n, const struct log_sink *sinks, struct loop *loop) GW_MUST_USE;

/** Free the buffers; what was not flushed is lost. */
void access_log_fini(struct access_log *l);

/** Render @e for every CustomLog of @server whose condition holds. Lines that memory does not suffice for are lost, nothing else. */
void access_log_add(struct access_log *l, const struct conf_server *server, struct access_format *const *formats,
	const struct access_event *e);

/** Write what was collected. */
void access_log_flush(struct access_log *l);

/** Whether lines wait for the log process; they are sent by a timer. */
bool access_log_waits(const struct access_log *l);

#endif
