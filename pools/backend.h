/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Who answers a FastCGI request, as the gateway sees it: ask a backend for a lease, run one exchange on it, give it back.
 * A lease is the exclusive hold on one connected FastCGI socket: a kept or new connection to a pool member, or a cell.
 * Backends are shared by all loops of a front; a waiter is called back on the loop it was queued from.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/loop.h"
#include "pools/fcgi_codec.h"
#include "pools/lease_work.h"
#include "pools/mailbox.h"

struct backend;
struct lease;
struct waitq;

/* Why there is no lease, or why an exchange failed; backend.c's table gives status code and log text for each. */
enum backend_fail {
	BACKEND_OK = 0,
	BACKEND_DOWN,        /* 503: no member reachable, or the site's zygote does not start */
	BACKEND_BUSY,        /* 503 + Retry-After: the queue is full, or the wait passed its deadline */
	BACKEND_REFUSED,     /* 503: OVERLOADED, CANT_MPX_CONN */
	BACKEND_CLOSED,      /* 502: closed before END_REQUEST */
	BACKEND_PROTO,       /* 502: not FastCGI, wrong version or request id */
	BACKEND_BAD_HEADER,  /* 502: no or invalid CGI header block */
	BACKEND_TIMEOUT,     /* 504 */
	BACKEND_CRASHED,     /* 500: the cell was killed by a signal */
	BACKEND_VIOLATION,   /* 500: the cell was killed by its filter */
	BACKEND_NOMEM        /* 500 */
};

/* How a lease comes back. */
enum lease_end {
	LEASE_REUSE,   /* END_REQUEST seen on an open connection that was asked to be kept */
	LEASE_LATER,   /* the same, and the application said that it works on: it will send lease.ready_octet */
	LEASE_DRAIN,   /* given up, and the application was told so: what is left of the answer is to be read off; lease.answer is set */
	LEASE_CLOSE,   /* done, or given up: close the connection (the application sees it at its next write) */
	LEASE_KILL     /* past its deadline: close, and kill the cell if it is one */
};

/* How far the current request on a lease is; written by its user, read by the backend from any thread. */
enum lease_progress {
	LEASE_GRANTED,   /* nothing was sent yet */
	LEASE_SENT,      /* octets of the request went out */
	LEASE_ANSWERED   /* octets of the answer came back, or of the request were read: somebody is at the other end */
};

struct lease {
	int fd;                   /* connected, non-blocking; owned by the lease */
	bool keep;                /* ask for FCGI_KEEP_CONN */
	bool reused;              /* carried a request before: may turn out to be dead, so a request not yet answered may be repeated once on a fresh one */
	struct backend *backend;
	const char *peer;         /* for logs: "unix:/run/...", "cell 17" */
	uint16_t request_id;      /* of the next exchange; 0 = 1. Another one for each on a kept connection, for cells one that cannot be guessed: late records of an earlier one are foreign then */
	uint32_t last_status;     /* an application status that says that the connection is not to be used again; 0 = none */
	uint32_t later_status;    /* one that says: not before it has sent @ready_octet; 0 = none */
	uint8_t ready_octet;
	uint32_t stopped_status;  /* one that answers ABORT_REQUEST: after LEASE_DRAIN only; 0 = none */
	bool mark;                /* asks the client for @unread */
	atomic_int progress;      /* enum lease_progress; LEASE_GRANTED when granted */
	/* With mark: SIOCOUTQ after BEGIN_REQUEST and PARAMS were sent in a message of their own, set before LEASE_SENT.
	 * More than that later on means that nobody has read them. */
	atomic_int unread;
	struct fcgi_decoder answer; /* with LEASE_DRAIN: where in the answer its user stopped */
	struct lease_work *work;  /* set before release by a user who gives up and wants to know when the work ends, where ->tells_end */
};

/* A request waiting for a lease; embedded in the request, one wait at a time. */
struct backend_waiter {
	struct loop *loop;        /* set by the caller: where to be called */
	/* Exactly one call, never from inside backend_acquire(): a lease (why BACKEND_OK), now owned by the callee; or NULL and the reason. */
	void (*ready)(struct backend_waiter *w, struct lease *lease, enum backend_fail why);
	bool fresh_only;          /* do not hand out a reused connection (repeat of a failed idempotent request) */
	/* private to the backend; zeroed by the caller before the first use */
	struct mail mail;          /* queued for a lease, or on its way to ready() */
	struct loop_timer timer;   /* the queue's deadline */
	struct waitq *queue;
	struct mailbox *box;
	struct backend *backend;
	struct lease *granted;
	enum backend_fail why;
	int state;
};

struct backend_ops {
	bool drains;    /* takes LEASE_DRAIN; the application knows ABORT_REQUEST */
	bool tells_end; /* knows when the work on a released lease has ended: lease.work may be set */
	void (*acquire)(struct backend *b, struct backend_waiter *w);
	void (*cancel)(struct backend *b, struct backend_waiter *w);
	void (*release)(struct lease *l, enum lease_end how);
	/* After an exchange failed on @l, before release: what the backend knows of it. May answer later through cb (a
	 * cell's exit status arrives on another channel), at most 200 ms later, never from inside the call. lease_release()
	 * before that withdraws the question. @loop is the caller's own. BACKEND_OK: nothing is known. @detail is borrowed
	 * for the call, NULL if there is none. Optional. */
	void (*diagnose)(struct lease *l, struct loop *loop, void (*cb)(void *arg, enum backend_fail why, const char *detail), void *arg);
};

struct backend {
	const struct backend_ops *ops;
	const char *name;
};

/** Queue @w for a lease of @b. Loop thread of w->loop. */
static inline void backend_acquire(struct backend *b, struct backend_waiter *w)
{
	w->backend = b;
	b->ops->acquire(b, w);
}

/** The client left while waiting: afterwards ready() is not called (a lease already granted goes back). Loop thread of w->loop. */
static inline void backend_cancel(struct backend_waiter *w)
{
	w->backend->ops->cancel(w->backend, w);
}

/** Give a lease back; @l is gone afterwards, its fd no longer watched by the caller. Any loop thread. */
static inline void lease_release(struct lease *l, enum lease_end how)
{
	l->backend->ops->release(l, how);
}

/** HTTP status for a failure, and a text for the log that says what to look at. Static string. */
int backend_fail_status(enum backend_fail why);
const char *backend_fail_text(enum backend_fail why);

#endif
