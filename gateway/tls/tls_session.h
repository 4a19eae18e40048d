/* SPDX-License-Identifier: Apache-2.0 */
/**
 * TLS on one accepted, non-blocking socket: handshake, records in and out, the end. Nothing here blocks, waits or closes the
 * socket. Belongs to its connection; one thread.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "gateway/base/err.h"
#include "gateway/tls/tls_front.h"

struct tls_session;

enum tls_need { TLS_NEED_NONE, TLS_NEED_READ, TLS_NEED_WRITE }; /* what the socket must be ready for */

/** For socket @fd, which arrived at @local (borrowed until the handshake has ended). NULL when memory is out. */
struct tls_session *tls_session_new(struct tls_front *f, int fd, const struct sockaddr *local) GW_MUST_USE;

/** Free it; says nothing to the client. NULL is accepted. */
void tls_session_free(struct tls_session *s);

/**
 * Go on with the handshake. Returns 1 when it is done, 0 with *@need set, or GW_ERR_PROTO / GW_ERR_CLOSED: an alert was
 * sent if there was one to send, and only tls_session_why() and tls_session_free() may follow.
 */
int tls_session_handshake(struct tls_session *s, enum tls_need *need) GW_MUST_USE;

/** Why the last call failed, for the log; borrowed, valid until the next call. */
const char *tls_session_why(const struct tls_session *s);

/** Whether it failed for our own certificates, not for anything that the client did. */
bool tls_session_refused(const struct tls_session *s);

/** Up to @n octets. Returns how many, 0 at the client's end, GW_ERR_AGAIN, GW_ERR_CLOSED, GW_ERR_PROTO. As much as is there is read. */
ssize_t tls_session_recv(struct tls_session *s, void *out, size_t n) GW_MUST_USE;

/** Whether octets wait inside that the socket will not announce. */
bool tls_session_pending(const struct tls_session *s);

/**
 * Send some of @n octets, at most one record. Returns how many, GW_ERR_AGAIN (then the next call begins with the same
 * octets, perhaps more of them, perhaps elsewhere in memory), GW_ERR_CLOSED, GW_ERR_PROTO.
 */
ssize_t tls_session_send(struct tls_session *s, const void *data, size_t n) GW_MUST_USE;

/** Tell the client that everything was sent: close_notify. Not after an answer that was cut, which the client must see. */
void tls_session_end(struct tls_session *s);

/** The host that the client's server_name chose; NULL before its hello. */
const struct conf_server *tls_session_server(const struct tls_session *s);

/** The protocol that was agreed on by ALPN, static text; NULL: none. */
const char *tls_session_alpn(const struct tls_session *s);

/** The name that the client asked for, or NULL; borrowed. */
const char *tls_session_sni(const struct tls_session *s);

/** Octets that came from the client so far. */
uint64_t tls_session_octets_in(const struct tls_session *s);

/** OpenSSL's object, for the variables. */
SSL *tls_session_ssl(const struct tls_session *s);

/** Once, before the first session of @f. */
void tls_session_hooks(struct tls_front *f);

#endif
