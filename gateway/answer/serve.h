/* SPDX-License-Identifier: Apache-2.0 */
/** Who makes the answer once a request is routed. */
#ifndef SERVE_H
#define SERVE_H

#include "gateway/answer/request.h"

/** Static file of r->route: conditions, ranges, type. serve_static.c */
void serve_static(struct request *r);

/** The file of r->entry, whatever the method: the answer of a script that named it. */
void serve_static_file(struct request *r);

/** Whether the script's fields name a file and the configuration lets them. serve_sendfile.c */
bool serve_sendfile_asked(const struct request *r);

/** Answer with the file that the script's fields name; the script has ended. */
void serve_sendfile(struct request *r);

/** Directory listing of r->route. serve_listing.c */
void serve_listing(struct request *r);

/** PHP or another FastCGI responder: takes a lease and streams the answer. The body is complete. serve_php.c */
void serve_php(struct request *r);

/** The client is gone or the answer cannot be used: let go of the lease or the place in the queue. */
void serve_php_abort(struct request *r);

/** Queue script output collected in this batch, with a head if that was not sent; called at the end of the batch. */
void serve_php_flush(struct request *r);

/** The client's queue has drained: read on from the application. */
void serve_php_resume(struct request *r);

#endif
