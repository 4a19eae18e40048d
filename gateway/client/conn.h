/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client's connection: its socket, its peers, its place in the worker's lists, the octets received and not yet
 * understood. What is spoken on it is a table of functions (struct protocol); the exchanges on it are requests
 * (request.h). Owned by its worker; every function here and in the files of protocols runs on that worker's thread.
 *
 *   accepted -> (TLS handshake ->) http1 or http2 -> linger -> closed
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/ip_net.h"
#include "gateway/base/pace.h"
#include "gateway/front.h"
#include "gateway/client/http1.h"
#include "gateway/client/http2.h"
#include "gateway/client/transport.h"

#define CONN_READ (EPOLLIN | EPOLLRDHUP)

/* What is spoken on a connection. */
struct protocol {
	const char *name;                                 /* as in ALPN */
	void (*start)(struct conn *c);                    /* takes the connection over; c->in may hold octets already */
	void (*ready)(struct conn *c, uint32_t events);   /* the socket's EPOLLIN, EPOLLRDHUP, EPOLLHUP, EPOLLERR */
	void (*flush)(struct conn *c);                    /* end of a batch in which conn_dirty() was called, or writable */
	void (*timeout)(struct conn *c);                  /* c->timer */
	void (*drain)(struct conn *c);                    /* finish what runs, begin nothing that the client was not promised */
	void (*end)(struct conn *c);                      /* the connection is dropped: end its requests */
	void (*fini)(struct conn *c);                     /* free what the protocol keeps; nothing of it runs any more */
};

struct layer;

struct conn {
	struct worker *w;
	const struct protocol *protocol;
	const struct transport_ops *transport;/* NULL: the bare socket */
	struct layer *tls;                    /* conn_tls.c's; NULL: none */
	struct conn *next, **prevp;           /* worker's list of connections */
	struct conn *dirty_next;
	struct conn *idle_next, *idle_prev;
	struct loop_io io;
	struct loop_timer timer;
	bool dirty, idle, closing;            /* closing: no further request on this connection */
	bool lingering;                       /* a framing error: what follows is dropped, not answered by a reset */
	bool peer_half_closed;
	bool cut;                             /* the last answer ended early, and the client must be able to tell */
	bool plain_on_tls;                    /* plain HTTP where TLS is spoken: answered 400 */
	bool dead;                            /* to be freed at the end of the batch */
	unsigned served;                      /* requests answered */
	unsigned peer_port, local_port;
	uint64_t idle_since_ms;               /* when it was put on the list of idle ones */
	uint64_t phase_start_ms, phase_octets;/* for the minimum rates */
	struct sockaddr_storage peer, local;
	const struct conf_server *server;     /* first at the local address: what counts before a request names another */
	struct client *client;                /* whom it counts for; NULL: nobody */
	struct ip_addr addr, proxy_addr;      /* the client; the proxy that named it by the PROXY protocol */
	bool has_addr, proxied;               /* whether those are known: a unix socket has no address */
	char peer_ip[48], local_ip[48];       /* text; "unix" has an empty address */
	char peer_text[64];                   /* address:port, for the error log */
	struct buf in;                        /* no memory while the connection idles */
	struct http1 h1;
	struct http2 *h2;                     /* NULL while something else is spoken */
};

/** Take an accepted, non-blocking socket; closes it when memory is out. */
void conn_accept(struct worker *w, int fd, const struct sockaddr_storage *peer);

/** What is spoken at the connection's address once the client is known. */
const struct protocol *conn_protocol(const struct conn *c);

/** From now on @p is spoken; what was is freed. What c->in holds is @p's. */
void conn_set_protocol(struct conn *c, const struct protocol *p);

/** What ALPN calls so; NULL, none agreed on, is HTTP/1.1. */
const struct protocol *conn_protocol_named(const char *alpn);

/** Octets that the transport holds already are read by the next turn of the loop, if reading is wanted. */
void conn_wake_pending(struct conn *c);

/** Output was queued or a state changed: the protocol's flush() runs at the end of this batch. */
void conn_dirty(struct conn *c);

/** Drop the connection now: ends its requests (aborts upstream exchanges, logs), frees at the end of the batch. */
void conn_abort(struct conn *c);

/** As conn_abort() for a client that does not take its answer: the kernel, too, forgets what was queued for it. */
void conn_reset(struct conn *c);

/** All is sent: shut our side, then drop what the client still sends, so that it sees the answer, not a reset. */
void conn_linger(struct conn *c);

/** The last answer is out: close at once when the client has nothing under way, else conn_linger(). */
void conn_close(struct conn *c);

/** Wait for these events; the connection is dropped when the kernel refuses. */
void conn_want(struct conn *c, uint32_t events);

/** (Re)arm the connection's timer; drops the connection when memory is out. */
void conn_arm(struct conn *c, uint64_t ms);

/** Begin to measure a client's rate anew, and arm the timer. */
void conn_phase(struct conn *c, uint64_t ms);

/** As conn_phase() for what may take as long as @p says; no timer when it says nothing. */
void conn_phase_pace(struct conn *c, const struct pace *p);

/** The timer went off: true when by @p, and what has moved since the phase began, there is time left; it is armed again then. */
bool conn_pace_left(struct conn *c, const struct pace *p);

/**
 * Read once into c->in, at most some @room octets. Returns octets read, 0 for none now (also when the connection was
 * dropped: look at c->dead), GW_ERR_CLOSED at the client's end.
 */
ssize_t conn_read(struct conn *c, size_t room) GW_MUST_USE;

/** c->in was emptied and the connection idles: its memory goes to the next one that reads. */
void conn_release_in(struct conn *c);

/** Little of what was read has to wait: it moves to memory of its size, and the read buffer goes to the next connection that reads. */
void conn_compact_in(struct conn *c);

/** Put on, or take from, the list of connections that wait in silence: the first to go when descriptors run out. */
void conn_idle_add(struct conn *c);
void conn_idle_del(struct conn *c);

/** Tell every connection's protocol to finish; called once when draining begins. */
void conn_drain_all(struct worker *w);

/** Close the connection that idles longest; false when none has idled for @min_ms. For descriptors running out. */
bool conn_close_idlest(struct worker *w, uint64_t min_ms);

/** End of batch: flush what is dirty, free dropped connections and requests. */
void conn_reap(struct worker *w);

/** An error-log line about a connection that has no request; else request_log_line(). */
void conn_log(struct conn *c, enum log_level level, const char *fmt, ...) GW_PRINTF(3, 4);

#endif
