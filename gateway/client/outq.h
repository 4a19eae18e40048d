/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a request still has to send: octets in memory, then a range of a file. A slow client's answer spills into a
 * temporary file of its site's spool, so that neither memory nor a PHP worker is held for it. What finds no room there
 * stays in memory, last in the queue, and outq_full() tells the producer to wait: an append never fails for a full disk.
 */
#ifndef OUTQ_H
#define OUTQ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/client/spool.h"

#define OUTQ_MEM_MAX (256 * 1024)            /* octets kept in memory before spilling */
#define OUTQ_MEM_MANY (32 * 1024)            /* the same for each of many answers on one connection */
#define OUTQ_SPOOL_MAX (1024LL * 1024 * 1024) /* octets spilled before the producer is paused */

struct outq {
	struct buf mem;
	size_t mem_max;      /* octets of it before spilling: OUTQ_MEM_MAX unless the caller says less */
	int file_fd;         /* -1: none; closed by the queue */
	int64_t file_off;    /* next octet to send */
	int64_t file_left;   /* octets still to send */
	bool borrowed;       /* file_fd is the caller's: not closed here */
	struct spool_file spool; /* when it has a descriptor, that is file_fd, which may be appended to */
	struct buf tail;     /* sent last: what the spool had no room for */
};

/** An empty queue; caller storage. */
void outq_init(struct outq *q);

/** Free the memory, close the file. */
void outq_fini(struct outq *q);

/** Forget what is queued; keep at most @keep octets of memory. */
void outq_reset(struct outq *q, size_t keep);

/** Append @n octets; past q->mem_max they go to a temporary file of @site's. Returns 0 or GW_ERR_NOMEM. */
int outq_append(struct outq *q, struct spool_site *site, const void *data, size_t n) GW_MUST_USE;

/** Whether the producer should wait until the queue is empty: too much was spilled, or there is no room to spill. */
bool outq_full(const struct outq *q);

/** Whether the spool had no room for what is queued: worth a line in the log. */
bool outq_refused(const struct outq *q);

/** Send @len octets of @fd from @off after what is in memory; takes @fd (also on error nothing is leaked). Only when no file is queued. */
void outq_file(struct outq *q, int fd, int64_t off, int64_t len);

/** The same for a descriptor that stays the caller's, who keeps it open until the queue is empty, reset or freed. */
void outq_file_borrow(struct outq *q, int fd, int64_t off, int64_t len);

/**
 * For layers that cannot send a file themselves: the octets to send next, as they lie in memory, or up to @size of the file
 * read into @scratch. Returns how many are at *@data, 0 when nothing is queued, GW_ERR_SYS (also when a file shrank).
 */
ssize_t outq_peek(struct outq *q, void *scratch, size_t size, const void **data) GW_MUST_USE;

/** @n octets of what outq_peek() showed were sent. */
void outq_consume(struct outq *q, size_t n);

/** Write to @sock. Returns octets written (0: would block), GW_ERR_CLOSED, or GW_ERR_SYS (also when a file shrank meanwhile). */
int64_t outq_flush(struct outq *q, int sock) GW_MUST_USE;

/** What write(2) and its kin returned, as outq_flush() says it: a full socket is 0, a client that left GW_ERR_CLOSED. */
int64_t outq_io_result(ssize_t n) GW_MUST_USE;

/** Have at least @n octets in memory, or all that is queued: what a layer that cannot send files encrypts. Returns 0, GW_ERR_NOMEM, GW_ERR_SYS. */
int outq_load(struct outq *q, size_t n) GW_MUST_USE;

/** Octets queued. */
int64_t outq_pending(const struct outq *q);

#endif
