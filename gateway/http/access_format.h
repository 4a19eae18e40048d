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
struct conf_expr;

/*
 * What a line can say; the renderer asks for fields by callback so that it knows no request struct. NULL means "-". Start
 * from a zeroed struct, so that members added later have a meaning.
 */
struct access_event {
	const char *client_ip, *client_port, *local_ip, *local_port, *server_name, *canonical_port;
	const char *peer_ip;       /* %{c}a: the connection's other end when client_ip came from a trusted proxy; NULL: client_ip */
	const char *host_asked;    /* %V: host the client named; NULL: server_name */
	const char *method, *request_line, *path, *protocol, *filename, *handler, *user;
	const char *query;         /* without "?"; NULL: none ("%q" is empty then, as in Apache) */
	int status_original, status;
	uint64_t bytes_body;       /* %B %b: body octets sent */
	uint64_t bytes_in, bytes_out; /* %I %O: with headers */
	uint64_t duration_us;
	int64_t first_us;         /* until the head was handed on for sending; -1: not known */
	struct timespec start;
	unsigned keepalive_count;
	int connection_state;      /* 'X' aborted, '+' kept, '-' closed */
	void *arg;
	/* Field by lower-case name from request ("%{..}i", and "cookie" for "%{..}C") or response ("%{..}o"), variable by name
	 * as written ("%{..}e"); NULL when absent, else *len is set. A callback itself may be NULL. */
	const char *(*request_field)(void *arg, const char *name, size_t *len);
	const char *(*response_field)(void *arg, const char *name, size_t *len);
	const char *(*env)(void *arg, const char *name, size_t *len);
	const char *(*note)(void *arg, const char *name, size_t *len); /* "%{..}n" */
	int (*holds)(void *arg, const struct conf_expr *e); /* for CustomLog with expr=; an error counts as true: what is logged can be left out later */
	const char *(*tls)(void *arg, const char *name, size_t *len); /* "%{..}x": a variable of mod_ssl */
};

/**
 * Compile @format: Apache's directives, with status lists ("%!200,304{Referer}i"), "<" and ">". NULL with *@why (static)
 * and *@at (offset) for an unknown or unfinished directive, or when memory is out. Freed by access_format_free().
 * A format that begins with "json:" is a list of name=%directive, parted by blanks: each line is a JSON object with these
 * members, numbers as numbers, null for what is not there.
 * Of "%>s" and "%<s" the first is the last status, the second (and "%s") the one before an internal redirect; elsewhere
 * the marks change nothing. %l, %L and the trailers' %{..}^ti and %{..}^to are accepted and always "-".
 */
struct access_format *access_format_new(const char *format, const char **why, size_t *at) GW_MUST_USE;

/** Free @f; NULL is accepted. */
void access_format_free(struct access_format *f);

/**
 * Append one line with its newline; peer octets escaped as Apache does (\xHH, \", \\, \n ...). GW_ERR_NOMEM: nothing was
 * appended. Any thread.
 */
int access_format_render(const struct access_format *f, const struct access_event *e, struct buf *out) GW_MUST_USE;

#endif
