/* SPDX-License-Identifier: Apache-2.0 */
/** TLS on a connection: the handshake is what is spoken first, a layer over the socket what stays. */
#ifndef CONN_TLS_H
#define CONN_TLS_H

#include "gateway/client/conn.h"

struct tls_session;

/** The handshake; what ALPN agreed on is spoken after it. A client of plain HTTP is answered 400 by protocol_http1. */
extern const struct protocol protocol_tls;

/** The session of @c, borrowed; NULL: the octets on the wire are plain. */
struct tls_session *conn_tls_session(const struct conn *c);

/** Whether a request for host @s may come over @c: another host's certificate was shown when not, and the answer is 421. */
bool conn_tls_suits(const struct conn *c, const struct conf_server *s);

#endif
