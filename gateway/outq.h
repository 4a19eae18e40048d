/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a connection still has to send: octets in memory, then a range of a file. A slow client's answer spills into an
 * unlinked temporary file, so that neither memory nor a PHP worker is held for it.
 */
#ifndef OUTQ_H
#define OUTQ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define OUTQ_MEM_MAX (256 * 1024)            /* octets kept in memory before spilling */
#define OUTQ_SPOOL_MAX (1024LL * 1024 * 1024) /* octets spilled before the producer is paused */

struct outq {
	struct buf mem;
	int file_fd;         /* -1: none; closed by the queue */
	int64_t file_off;    /* next octet to send */
	int64_t file_left;   /* octets still to send */
	bool spool;          /* file_fd is our temporary file: may be appended to */
	bool borrowed;       /* file_fd is the caller's: not closed here */
};

/** An empty queue; caller storage. */
void outq_init(struct outq *q);

/** Free the memory, close the file. */
void outq_fini(struct outq *q);

/** Forget what is queued; keep at most @keep octets of memory. */
void outq_reset(struct outq *q, size_t keep);

/** Append @n octets; past OUTQ_MEM_MAX they go to a temporary file made in directory @spool_dir_fd. Returns 0, GW_ERR_NOMEM, GW_ERR_SYS. */
int outq_append(struct outq *q, int spool_dir_fd, const void *data, size_t n) GW_MUST_USE;

/** Send @len octets of @fd from @off after what is in memory; takes @fd (also on error nothing is leaked). Only when no file is queued. */
void outq_file(struct outq *q, int fd, int64_t off, int64_t len);

/** The same for a descriptor that stays the caller's, who keeps it open until the queue is empty, reset or freed. */
void outq_file_borrow(struct outq *q, int fd, int64_t off, int64_t len);

/** Write to @sock. Returns octets written (0: would block), GW_ERR_CLOSED, or GW_ERR_SYS (also when a file shrank meanwhile). */
int64_t outq_flush(struct outq *q, int sock) GW_MUST_USE;

/** What write(2) and its kin returned, as outq_flush() says it: a full socket is 0, a client that left GW_ERR_CLOSED. */
int64_t outq_io_result(ssize_t n) GW_MUST_USE;

/** Octets queued. */
int64_t outq_pending(const struct outq *q);

/** An unlinked read-write temporary file in @dir_fd. Returns the descriptor, or -1 with errno. */
int outq_tmpfile(int dir_fd);

#endif
