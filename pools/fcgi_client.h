/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One FastCGI request on one leased connection: sends BEGIN_REQUEST, PARAMS and STDIN, receives STDOUT, STDERR and
 * END_REQUEST. Version and request id of every record are checked. Embedded in the gateway's request; single loop thread.
 */
#ifndef FCGI_CLIENT_H
#define FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "gateway/base/buf.h"
#include "gateway/base/loop.h"
#include "pools/backend.h"
#include "pools/fcgi_codec.h"

struct fcgi_client;

/* The request body: in memory, or in a file from offset 0. Borrowed until the exchange ends. */
struct fcgi_body {
	const uint8_t *mem; /* used when fd is -1 */
	int fd;
	uint64_t len;
};

struct fcgi_client_ops {
	/* Script output, borrowed for the call. May call fcgi_client_pause() or fcgi_client_abort(). */
	void (*stdout_cb)(struct fcgi_client *c, const uint8_t *data, size_t n);
	/* A piece of the error stream, for the log only. */
	void (*stderr_cb)(struct fcgi_client *c, const uint8_t *data, size_t n);
	/*
	 * The exchange is over and the lease has been released or is held for diagnosis no more; exactly one call, the
	 * client may be reused afterwards. why BACKEND_OK: END_REQUEST with FCGI_REQUEST_COMPLETE and @app_status.
	 * Else the reason; @detail is for the log (may be NULL); @untouched: the connection was a reused one
	 * and closed without any octet of an answer, so an idempotent request may be repeated once, on a fresh one.
	 */
	void (*end_cb)(struct fcgi_client *c, enum backend_fail why, uint32_t app_status, const char *detail, bool untouched);
};

#define FCGI_CLIENT_IOV 16

struct fcgi_client {
	const struct fcgi_client_ops *ops;
	struct loop *loop;
	struct lease *lease;       /* owned; NULL when no exchange runs */
	struct loop_io io;
	struct loop_timer deadline;
	struct fcgi_decoder dec;
	/* sending: the records of one batch, in pieces that point to where the octets are */
	struct iovec iov[FCGI_CLIENT_IOV];
	unsigned iov_n, iov_at, heads_n;
	uint16_t id;               /* request id of this exchange */
	uint8_t begin[FCGI_CODEC_BEGIN_LEN];
	uint8_t heads[FCGI_CLIENT_IOV][FCGI_CODEC_HEAD_LEN];
	struct buf chunk;          /* the piece of a body in a file that is being sent */
	struct fcgi_body body;
	uint64_t body_sent;        /* octets that were put into a batch */
	const uint8_t *params;     /* name-value pairs, encoded by fcgi_put_param(); borrowed until the exchange ends */
	size_t params_len, params_sent;
	const char *failed_detail; /* static */
	enum backend_fail failed_why;
	int state, phase;
	bool watched, paused;
	bool began;                /* the backend knows that the request went out */
	bool answered;             /* an octet of the answer came */
	bool send_dead;            /* the other side takes no more input */
};

/**
 * Start on @lease (ownership passes). @params are encoded name-value pairs without record headers.
 * @params and what @body names stay the caller's and unchanged until the exchange ended. @body may be NULL: none.
 * @deadline_ms from now for the whole exchange, 0 = none. Sends at once what the socket takes. Failures arrive through
 * end_cb, never from inside this call. @c is caller storage; what it held is overwritten.
 */
void fcgi_client_start(struct fcgi_client *c, const struct fcgi_client_ops *ops, struct loop *loop, struct lease *lease,
	const uint8_t *params, size_t params_len, const struct fcgi_body *body, uint64_t deadline_ms);

/**
 * Stop / resume reading: back-pressure from a slow client. What was read already (at most 64 KiB), the end included, is
 * still delivered by the event that read it. Resume delivers from a later event, never from inside.
 */
void fcgi_client_pause(struct fcgi_client *c);
void fcgi_client_resume(struct fcgi_client *c);

/**
 * Before fcgi_client_abort(): what tells when the work on the lease has ended, for the caller to lease_work_put(). NULL: the
 * backend does not know, or memory is out.
 */
struct lease_work *fcgi_client_work(struct fcgi_client *c);

/**
 * Give up (client gone, answer unusable): releases the lease with @how; end_cb is not called. Safe inside callbacks.
 * Instead of LEASE_CLOSE, an application that has read the whole request and knows ABORT_REQUEST (FastCGI 1.0, section 5.4)
 * is told so, and its connection lives on.
 */
void fcgi_client_abort(struct fcgi_client *c, enum lease_end how);

#endif
