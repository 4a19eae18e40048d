/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Apache's expressions: parsed with the configuration, evaluated for a request. Pure: what a variable's value is, the caller
 * says. An evaluation allocates nothing: what it has to put together goes into room that the caller lends, and past its end
 * there is no answer (GW_ERR_RANGE), so that nobody decides by half a value.
 * Source: https://httpd.apache.org/docs/2.4/expr.html, and what 2.4.71 makes of such text.
 *
 * Not evaluated, and refused with the reason: what looks at files (-d -e -f -s -L -h -x, file(), filesize()), what asks for
 * another request (-U, -F, -A), digests (md5(), sha1()), ldap(), and lists that functions make.
 */
#ifndef CONF_EXPR_H
#define CONF_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf_regex.h"
#include "gateway/base/arena.h"
#include "gateway/base/err.h"

struct conf_expr; /* immutable; any number of threads may evaluate it */

/* What %{NAME} can be. Times and texts that never change are not among them: the evaluation knows those. */
enum conf_expr_var {
	EXPR_REQUEST_METHOD, EXPR_REQUEST_SCHEME, EXPR_REQUEST_URI, EXPR_REQUEST_FILENAME, EXPR_LAST_MODIFIED, EXPR_PATH_INFO,
	EXPR_QUERY_STRING, EXPR_THE_REQUEST, EXPR_REMOTE_ADDR, EXPR_REMOTE_PORT, EXPR_SERVER_NAME, EXPR_SERVER_PORT, EXPR_SERVER_ADMIN,
	EXPR_SERVER_PROTOCOL, EXPR_DOCUMENT_ROOT, EXPR_CONTENT_TYPE, EXPR_HANDLER, EXPR_HTTP2, EXPR_HTTPS, EXPR_IPV6,
	EXPR_REQUEST_STATUS, EXPR_CONN_REMOTE_ADDR, EXPR_CONTEXT_PREFIX, EXPR_CONTEXT_DOCUMENT_ROOT, EXPR_VARS_N
};

/* Where named values are. */
enum conf_expr_table {
	EXPR_REQUEST_FIELD, EXPR_ANSWER_FIELD, EXPR_ENV, EXPR_NOTE, EXPR_TLS
};

struct conf_expr_text {
	const char *s; /* not NUL-terminated, may hold any octet */
	size_t len;
};

/* --- parsing ---------------------------------------------------------------------------------------------------------- */

struct conf_expr_maker {
	struct arena *a;      /* what is made lives here */
	/* Compile and keep a regular expression: NULL with the reason in @why. */
	const struct conf_regex *(*regex)(void *arg, const char *pattern, bool any_case, char *why, size_t cap);
	void *arg;
};

struct conf_expr_error {
	size_t at;            /* offset into the text */
	char why[200];
};

/** Parse a condition, or (@string) text with %{...} in it. NULL with the reason in @err. Bounded in depth. */
const struct conf_expr *conf_expr_parse(const struct conf_expr_maker *m, const char *text, bool string, struct conf_expr_error *err);

/* --- evaluating ------------------------------------------------------------------------------------------------------- */

#define CONF_EXPR_VARY_MAX 8

struct conf_expr_run;

/* Who knows the request. Both leave *@out alone when there is no such thing, which is the empty text; what they point to lives as
 * long as the evaluation, for instance because it was made in conf_expr_room(). Return 0 or an error, which ends the evaluation. */
struct conf_expr_source {
	int (*var)(struct conf_expr_run *x, enum conf_expr_var v, struct conf_expr_text *out);
	int (*find)(struct conf_expr_run *x, enum conf_expr_table t, const char *name, struct conf_expr_text *out); /* letter case is ignored */
};

struct conf_expr_run {
	/* the caller's, before: */
	const struct conf_expr_source *source;
	void *arg;            /* for the source */
	struct conf_regex_scratch *scratch;
	char *room;           /* for what is put together; values found may point into it until its next use */
	size_t room_len;
	time_t now;
	/* the evaluation's: */
	size_t used;
	struct conf_regex_group groups[CONF_REGEX_GROUPS]; /* of the last match */
	const char *subject;
	size_t vary_n;        /* request fields that it has looked at, of which an answer depends on them */
	const char *vary[CONF_EXPR_VARY_MAX];
};

/** @n octets of the room, or NULL past its end. For sources. */
char *conf_expr_room(struct conf_expr_run *x, size_t n) GW_MUST_USE;

/** Whether condition @e holds: 1, 0, or negative: GW_ERR_RANGE without room or past a regular expression's bound on work. */
int conf_expr_test(const struct conf_expr *e, struct conf_expr_run *x) GW_MUST_USE;

/** The text that @e is; errors as above. */
int conf_expr_value(const struct conf_expr *e, struct conf_expr_run *x, struct conf_expr_text *out) GW_MUST_USE;

/** Whether it asks for variables or notes of the request. */
bool conf_expr_wants_variable(const struct conf_expr *e);

/** Whether it asks for the answer (its status, type or fields), so that it means nothing before there is one. */
bool conf_expr_wants_answer(const struct conf_expr *e);

#endif
