/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The one place where a client's octets are read and written: the socket itself, or what is layered on it. A connection
 * without a layer (conn.transport NULL) costs a pointer test a call. Thread: the connection's worker.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

struct conn;
struct outq;

/* A layer over the socket. Each has the contract of the function of the same name below. */
struct transport_ops {
	ssize_t (*recv)(struct conn *c, void *buf, size_t n);
	int64_t (*send)(struct conn *c, const void *data, size_t n);
	int64_t (*flush)(struct conn *c, struct outq *q);
	bool (*pending)(const struct conn *c);
	void (*wake)(struct conn *c);
	void (*shutdown)(struct conn *c);
	void (*fini)(struct conn *c);
};

/** Read up to @n octets, never waiting. As recv(2): 0 at the end, -1 with errno (EAGAIN: nothing now). */
ssize_t transport_recv(struct conn *c, void *buf, size_t n) GW_MUST_USE;

/** Write what fits of @n octets. Returns octets taken (0: would block), GW_ERR_CLOSED or GW_ERR_SYS. */
int64_t transport_send(struct conn *c, const void *data, size_t n) GW_MUST_USE;

/** Write what fits of a queue, its file by sendfile(2) where no layer is in between. Returns as outq_flush(). */
int64_t transport_flush(struct conn *c, struct outq *q) GW_MUST_USE;

/** Whether octets wait that epoll does not tell of: read by a layer, not yet asked for. */
bool transport_pending(const struct conn *c);

/** Octets are pending and wanted: have the protocol's ready() called by the next turn of the loop. Only with a layer. */
void transport_wake(struct conn *c);

/** Whether a read would give octets now: the client has sent more than was consumed. */
bool transport_peek(struct conn *c);

/** Nothing more will be written; the client sees the end. */
void transport_shutdown(struct conn *c);

/** Free the layer; the socket stays. */
void transport_fini(struct conn *c);

#endif
