/* SPDX-License-Identifier: Apache-2.0 */
/** A FastCGI application under a test's control: blocking, one thread a child, like php-fpm's children. */
#ifndef FCGI_STUB_H
#define FCGI_STUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "conf/conf.h"

/* Append one record of any kind, right or wrong. */
void stub_record(struct buf *b, unsigned version, unsigned type, unsigned id, const void *content, size_t len, unsigned padding);

/* Append END_REQUEST for request 1. */
void stub_end(struct buf *b, unsigned app_status, unsigned protocol_status);

/* Read one request from @fd to its last record. Returns 1, or 0 at the end of the connection. @params and @in may be NULL. */
int stub_read_request(int fd, struct buf *params, struct buf *in, bool *keep);

/* Put @answer, whose records are those of request 1, into @out as the answer to the request that this thread read last. */
void stub_answer(struct buf *out, const struct buf *answer);

/* A server with @children threads that accept on a Unix socket or a TCP port and answer "ok". */
struct stub {
	unsigned children;
	unsigned delay_ms;          /* each request takes so long */
	unsigned requests_max;      /* a child closes the connection after so many; 0 = never */
	bool overloaded;            /* every request is answered OVERLOADED */
	atomic_uint accepted, requests;
	struct conf_addr addr;      /* set by stub_start() */
	int listen_fd;
	char path[64], text[80];
	void *threads;
};

/** Listen on a new Unix socket, or on a free port of 127.0.0.1, and serve. */
void stub_start(struct stub *s, bool tcp, int backlog);

/** Listen at the same place again after stub_stop(). */
void stub_restart(struct stub *s);

/** Stop accepting, end all threads (connections must be closed by the clients), remove the socket. */
void stub_stop(struct stub *s);

#endif
