/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One exchange: a request, its way through the front, its answer, its line in the access log. The protocol it came by is a
 * table of functions (struct request_io); nothing behind it asks which one it is. Lives from its complete head until its
 * answer is sent or given up; its worker keeps some for reuse. Runs on the thread of its worker.
 *
 *   NEW -> (BODY ->) WORK or SEND -> SEND -> released
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/client/conn.h"
#include "gateway/answer/file_cache.h"
#include "gateway/http/cgi_header.h"
#include "gateway/http/req_fields.h"
#include "gateway/client/outq.h"
#include "gateway/client/req_body.h"
#include "gateway/answer/request_env.h"
#include "gateway/answer/route.h"
#include "pools/fcgi_client.h"

struct http2_stream;
struct request;
struct static_send;

enum request_state {
	REQUEST_NEW,  /* being routed */
	REQUEST_BODY, /* its body is read into the spool */
	REQUEST_WORK, /* waiting for, or streaming from, an upstream */
	REQUEST_SEND  /* the whole answer is queued, or a producer makes the rest */
};

enum resp_framing {
	RESP_NO_BODY,
	RESP_LENGTH, /* announced */
	RESP_STREAM  /* the protocol marks its end */
};

/* The answer under way. */
struct response {
	int status;
	bool head_queued;
	enum resp_framing framing;
	int64_t length_left;      /* RESP_LENGTH: octets still owed */
	uint64_t body_octets;     /* queued so far, for the log */
	struct buf fields;        /* field lines as sent, for the log's %{..}o */
	uint64_t head_us;         /* when the head was queued, with LogIOTrackTTFB; else 0 */
	bool cut;                 /* ended early: the client must be told by an end that is none */
	bool built_in;            /* the server's own error page or redirect: Header without "always" does not count */
	struct coded *coded;      /* the body is compressed on its way (respond_coded.h); NULL: it is not */
	/* Makes the next piece of the body when the queue is empty; false: nothing is left (and again when asked again). */
	bool (*more)(struct request *r);
};

/* How this request came to be, when it is an internal redirect (ErrorDocument, Location: /path). */
struct redirected {
	int count;                /* bounded */
	int status;               /* status to keep for an ErrorDocument, else 0 */
	const char *url, *query, *method;
};

/*
 * What a protocol does for a request. The bool ones return false when memory is out: the request was dropped then
 * (r->dead). None of them frees the request.
 */
struct request_io {
	/* Queue the final head: status, and the lines in r->resp.fields with the framing's own added. @length as respond_head(). */
	bool (*head)(struct request *r, const char *reason, int64_t length);
	/* Queue an interim head (1xx) with field lines @fields (may be NULL); nothing where the client cannot take it. */
	bool (*interim)(struct request *r, int status, const struct buf *fields);
	/* Queue a piece of the body; it fits the announced length. */
	bool (*body)(struct request *r, const void *data, size_t n);
	/* The body is complete (r->resp.cut: it never will be). */
	bool (*end)(struct request *r);
	/* The request's body is wanted: read it, feed r->body, call request_body_done(). State is REQUEST_BODY. */
	void (*read_body)(struct request *r);
	/* Something was queued or the state changed: call serve_php_flush() and send at the end of this batch. */
	void (*dirty)(struct request *r);
	/* Give up: the client sees an early end. HTTP/1 drops the connection with it. */
	void (*abort)(struct request *r);
};

struct request {
	struct worker *w;
	struct conn *conn;        /* whom the answer is for; outlives the request */
	const struct request_io *io;
	struct http2_stream *stream; /* HTTP/2's own */
	struct request *next;     /* the worker's spare or dropped ones */
	enum request_state state;
	bool dead;                /* given up; goes at the end of the batch */
	struct outq out;          /* what is to be sent: HTTP/1 with heads and framing, HTTP/2 the content alone */
	uint64_t octets_out;      /* sent, heads and framing included */
	struct arena arena;       /* every string below lives here */
	/* as the protocol understood it */
	const char *head;         /* the octets of the head, for what is logged of it; NULL: nothing to log */
	size_t head_len;
	const char *method, *target, *query, *protocol; /* query NULL: no "?" */
	const char *request_line; /* for the log */
	const char *uri;          /* target in origin form, as sent: what REQUEST_URI says */
	size_t uri_path_len;      /* of it, octets before the "?" */
	const char *host;         /* lower case, no port; NULL when none was sent */
	const char *authority;    /* what HTTP_HOST says; NULL when none was sent */
	unsigned host_port;       /* the authority's; 0: none */
	const char *client_ip, *client_text; /* who asks: text, and with a port for the error log; the connection's unless a proxy said else */
	struct client *client;    /* whom it counts for beside its connection; NULL: nobody */
	int64_t content_length;   /* announced; -1: none */
	bool has_body;            /* a body came or will come, an empty one with its length included */
	bool https_target;        /* the target says https:// itself */
	struct req_fields fields;
	/* what it became here */
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
	struct buf params, cgi_out;/* FastCGI params; script output not yet queued */
	bool out_ended;
	struct buf errline;       /* script's stderr up to its next newline */
	/* static */
	struct file_entry *entry; /* what route points into; a reference, or NULL */
	struct static_send *file;
	/* the configuration's */
	struct request_env env, notes; /* SetEnv and its kin; Header note */
	const char *error_notes;  /* for ErrorDocument's ERROR_NOTES; NULL: none */
	bool sendfile;            /* the script named a file (X-Sendfile): its own output is dropped */
	struct timespec start;
	uint64_t start_us;
};

/** An empty request on @c, NULL when memory is out; no malloc(3) while the worker has a spare one. */
struct request *request_new(struct conn *c, const struct request_io *io);

/** Give it back. Nothing may name it any more: its upstream exchange is over, its line logged. */
void request_release(struct request *r);

/** The client is gone or the request is given up: ends its upstream exchange, logs it; released at the end of the batch. */
void request_drop(struct request *r);

/** Free dropped requests. End of batch. */
void request_reap(struct worker *w);

/** The protocol has filled in head to fields, and r->body by req_body_init(): note the time, find the virtual host. */
void request_begin(struct request *r);

/** Route and start answering. After request_begin(). */
void request_route(struct request *r);

/** The body cannot be taken: answer @status, after saying in the log why (r->body.why). */
void request_body_refused(struct request *r, int status);

/** The body is complete: on to who answers. */
void request_body_done(struct request *r);

/** The answer is complete (queued, or more() makes the rest). */
void request_answered(struct request *r);

/**
 * Serve local path @path (undecoded, with optional ?query) in place of the request's own: ErrorDocument (@status kept)
 * or a script's local Location (@status 0). Bounded; false when the bound is reached.
 */
bool request_redirect(struct request *r, const char *path, int status);

/** Write the access-log line; once a request. @aborted: the client did not get the whole answer. */
void request_log(struct request *r, bool aborted);

/** An error-log line about this request: site, client and script filled in. */
void request_log_line(struct request *r, enum log_level level, const char *fmt, ...) GW_PRINTF(3, 4);

/** The request's virtual host, or the first one when it has none yet. */
const struct conf_server *request_server(const struct request *r);

/** The port that it was asked at, as links name it: the client's word, the host's, or the scheme's. */
unsigned request_server_port(const struct request *r);

/** Where its body and its answer may be spilled. */
struct spool_site *request_spool(const struct request *r);

static inline void request_dirty(struct request *r)
{
	r->io->dirty(r);
}

static inline void request_abort(struct request *r)
{
	r->io->abort(r);
}

#endif
