/* SPDX-License-Identifier: Apache-2.0 */
/** Whom a connection and a request count for (clients.h), and who asks when proxies stand between. The worker's thread. */
#ifndef CONN_CLIENT_H
#define CONN_CLIENT_H

#include <stdbool.h>

struct conn;
struct front;
struct request;

/**
 * The table of @f's configuration, in the memory @fd, where @slot is ours (clients.h), or in memory of its own when that is -1.
 * False when memory is out. Before the threads run.
 */
bool front_clients_init(struct front *f, int fd, unsigned slot);

/**
 * The client's address is known: count the connection for it. False: it has too many; the connection was answered 429, where
 * the answer can be read, and dropped.
 */
bool conn_client_enter(struct conn *c);

/** The connection ends. */
void conn_client_leave(struct conn *c);

/**
 * Find out who asks (RemoteIPHeader) and whether he may now. After request_begin(). False: he may not, and was answered
 * 429, or memory is out and the request was dropped.
 */
bool request_admit(struct request *r);

/** The request ends. */
void request_client_leave(struct request *r);

#endif
