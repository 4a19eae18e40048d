/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client's connection and the request on it: one at a time, in order, so both are one object. Owned by its worker;
 * every function here and in request.h, respond.h, req_body.h, serve_*.h runs on that worker's thread.
 *
 *   HEAD -> BODY -> WORK -> SEND -> (DISCARD ->) HEAD ... -> LINGER -> closed
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/front.h"
#include "gateway/http/cgi_header.h"
#include "gateway/http/http1_parse.h"
#include "gateway/outq.h"
#include "gateway/req_body.h"
#include "gateway/route.h"
#include "pools/fcgi_client.h"

enum conn_state {
	CONN_HEAD,    /* waiting for, or reading, a request head */
	CONN_BODY,    /* reading the request body into the spool */
	CONN_WORK,    /* waiting for, or streaming from, an upstream */
	CONN_SEND,    /* the whole answer is queued, or a producer makes the rest */
	CONN_DISCARD, /* answered; the rest of the request body is read and dropped */
	CONN_LINGER   /* our side is shut; what the client still sends is dropped, so that it sees the answer */
};

enum resp_framing { RESP_NO_BODY, RESP_LENGTH, RESP_CHUNKED, RESP_UNTIL_CLOSE };

/* The answer under way. */
struct response {
	int status;
	bool head_queued;
	enum resp_framing framing;
	int64_t length_left;      /* RESP_LENGTH: octets still owed */
	uint64_t body_octets;     /* queued so far, for the log */
	struct buf fields;        /* field lines as sent, for the log's %{..}o */
	bool cut;                 /* ended early: the connection must not be reused */
	/* Makes the next piece of the body when the queue is empty; false: nothing is left (and again when asked again). */
	bool (*more)(struct conn *c);
};

/* How this request came to be, when it is an internal redirect (ErrorDocument, Location: /path). */
struct redirected {
	int count;                /* bounded */
	int status;               /* status to keep for an ErrorDocument, else 0 */
	const char *url, *query, *method;
};

struct request {
	struct arena arena;       /* every string below lives here */
	const char *head;
	size_t head_len;
	const char *method, *target, *query, *protocol; /* query NULL: no "?" */
	const char *request_line; /* for the log */
	const char *host;         /* lower case, no port; NULL when none was sent */
	const char *authority;    /* what HTTP_HOST says; NULL when none was sent */
	char *path;               /* decoded, normalised; NULL until that succeeded */
	const char *kept_path;    /* the same with repeated slashes, for MergeSlashes Off; else NULL */
	const struct conf_server *server;
	struct route route;
	bool is_head, logged;
	struct redirected redirected;
	struct req_body body;
	struct response resp;
	/* upstream */
	bool upstream, waiting, retried;
	struct backend_waiter waiter;
	struct fcgi_client fcgi;
	struct cgi_header cgi;
	struct buf params, out;   /* FastCGI params; script output not yet queued */
	bool out_ended;
	struct buf errline;       /* script's stderr up to its next newline */
	/* static */
	struct static_send *file;
	struct timespec start;
	uint64_t start_us, out_start;
	struct http1_request h;   /* offsets into head; last, since it is large and not cleared */
};

struct conn {
	struct worker *w;
	struct conn *next, **prevp;           /* worker's list of connections */
	struct conn *dirty_next;
	struct conn *idle_next, *idle_prev;
	struct loop_io io;
	struct loop_timer timer;
	enum conn_state state;
	bool dirty, idle, closing;            /* closing: no further request on this connection */
	bool lingering;                       /* a framing error: what follows is dropped, not answered by a reset */
	bool peer_half_closed;
	bool dead;                            /* to be freed at the end of the batch */
	uint64_t phase_start_ms, phase_octets;/* for the minimum rates */
	uint64_t octets_in, octets_out;
	unsigned served;
	struct sockaddr_storage peer, local;
	char peer_ip[64], local_ip[64];       /* text; "unix" has an empty address */
	char peer_text[80];                   /* address:port, for the error log */
	unsigned peer_port, local_port;
	struct buf in;
	struct outq out;
	struct request req;
};

/** Take an accepted, non-blocking socket; closes it when memory is out. */
void conn_accept(struct worker *w, int fd, const struct sockaddr_storage *peer);

/** Output was queued or a state changed: send at the end of this batch. */
void conn_dirty(struct conn *c);

/** Send what is queued, go on to the next state when it is gone. For the worker's end-of-batch hook. */
void conn_flush(struct conn *c);

/** Drop the connection now: aborts an upstream exchange, logs the request, frees at the end of the batch. */
void conn_abort(struct conn *c);

/** The request's answer is complete (queued, or more() makes the rest). */
void conn_answered(struct conn *c);

/** Read the request's body, then give the request to serve_php(). State is CONN_BODY meanwhile. */
void conn_body_start(struct conn *c);

/** Idle kept-alive connections wait for their time-out, but take no second request; called once when draining begins. */
void conn_drain_all(struct worker *w);

/** Close the connection that idles longest; false when none idles. For descriptors running out. */
bool conn_close_idlest(struct worker *w);

/** Free connections marked dead. End of batch. */
void conn_reap(struct worker *w);

/** An error-log line about this connection's request: site, client and script filled in. */
void conn_log(struct conn *c, enum log_level level, const char *fmt, ...) GW_PRINTF(3, 4);

#endif
