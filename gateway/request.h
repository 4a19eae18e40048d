/* SPDX-License-Identifier: Apache-2.0 */
/** A request's way through the front: from its head to whoever answers it, and into the access log. */
#ifndef REQUEST_H
#define REQUEST_H

#include "gateway/conn.h"

/** Once per connection: empty request. */
void request_init(struct request *r);
void request_fini(struct request *r);

/** Ready for the next request on the connection; frees what the last one held. */
void request_reset(struct request *r);

/** A complete head of @len octets is at the front of c->in: consume it, route, and start answering. */
void request_start(struct conn *c, size_t len);

/**
 * Serve local path @path (undecoded, with optional ?query) in place of the request's own: ErrorDocument (@status kept)
 * or a script's local Location (@status 0). Bounded; false when the bound is reached.
 */
bool request_redirect(struct conn *c, const char *path, int status);

/** Write the access-log line; once a request. @aborted: the client did not get the whole answer. */
void request_log(struct conn *c, bool aborted);

#endif
