/* SPDX-License-Identifier: Apache-2.0 */
/** Apache's LogFormat: compiled once, rendered a line at a time. */
#ifndef ACCESS_FORMAT_H
#define ACCESS_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

struct access_format;

/* What a line can say; the renderer asks for fields by callback so that it knows no request struct. NULL means "-". */
struct access_event {
	const char *client_ip, *client_port, *local_ip, *local_port, *server_name, *canonical_port;
	const char *method, *request_line, *path, *query, *protocol, *filename, *handler, *user;
	int status_original, status;
	uint64_t bytes_body;       /* %B %b: body octets sent */
	uint64_t bytes_in, bytes_out; /* %I %O: with headers */
	uint64_t duration_us;
	struct timespec start;
	unsigned keepalive_count;
	int connection_state;      /* 'X' aborted, '+' kept, '-' closed */
	void *arg;
	/* Field by lower-case name from request ("%{..}i"), response ("%{..}o"), cookie ("%{..}C") or environment ("%{..}e"); NULL when absent. *len set. */
	const char *(*request_field)(void *arg, const char *name, size_t *len);
	const char *(*response_field)(void *arg, const char *name, size_t *len);
	const char *(*env)(void *arg, const char *name, size_t *len);
};

/** Compile @format. NULL with *@why (static) and *@at (offset) for an unknown or unfinished directive. Freed by access_format_free(). */
struct access_format *access_format_new(const char *format, const char **why, size_t *at);
void access_format_free(struct access_format *f);

/** Append one line with its newline; peer octets escaped as Apache does (\xHH, \", \\, \n ...). GW_ERR_NOMEM. Any thread. */
int access_format_render(const struct access_format *f, const struct access_event *e, struct buf *out) GW_MUST_USE;

#endif
