/* SPDX-License-Identifier: Apache-2.0 */
/** Who makes the answer once a request is routed. */
#ifndef SERVE_H
#define SERVE_H

#include "gateway/conn.h"

/** Static file of c->req.route: conditions, ranges, type. serve_static.c */
void serve_static(struct conn *c);

/** Directory listing of c->req.route. serve_listing.c */
void serve_listing(struct conn *c);

/** PHP or another FastCGI responder: takes a lease and streams the answer. The body is complete. serve_php.c */
void serve_php(struct conn *c);

/** The client is gone or the answer cannot be used: let go of the lease or the place in the queue. */
void serve_php_abort(struct conn *c);

/** Queue script output collected in this batch, with a head if that was not sent; called at the end of the batch. */
void serve_php_flush(struct conn *c);

/** The client's queue has drained: read on from the application. */
void serve_php_resume(struct conn *c);

#endif
