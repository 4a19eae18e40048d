/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Header and RequestHeader (mod_headers) on fields as text. Pure but for the machine's load (%l). Own thread.
 *
 * Apache keeps an answer's fields in two tables: those of "always" survive an error, the others do not. Where a script's
 * own fields are depends on which module ran it, and what a rule can see depends on that. Here both kinds of rule see what the
 * script or the server set; what "always" adds is in a table of its own that the other rules do not see, as in Apache.
 */
#ifndef HEADER_RULES_H
#define HEADER_RULES_H

#include "conf/conf_edit.h"
#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/answer/expr_fields.h"
#include "gateway/answer/request_env.h"

struct conf_expr_run;
struct tls_session;

struct header_context {
	struct arena *a;                  /* for notes and names */
	struct conf_regex_scratch *scratch;
	const struct request_env *env;
	struct request_env *notes;        /* NULL: notes are not kept */
	const struct buf *request_fields; /* for echo; NULL: none */
	uint64_t start_us;                /* %t: when the request began, microseconds of the calendar */
	uint64_t duration_us;             /* %D */
	const struct tls_session *tls;    /* %{..}s; NULL: the connection is plain */
	struct conf_expr_run *run;        /* for expressions; NULL: none is there */
	struct expr_fields *expr_fields;  /* what @run sees of fields: set here */
	bool of_request;                  /* RequestHeader: the fields are the request's */
};

/**
 * Work through @n rules, in order, on @fields. With @added the rules are those of "always": what they add goes there.
 * @early: which of the rules; others are passed over. Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE when a regular
 * expression passed its bound on work, or an expression its room; the fields are then whole lines, but not what they should be.
 */
int header_rules_apply(const struct header_context *x, const struct conf_header *rules, size_t n, bool early, struct buf *fields,
	struct buf *added) GW_MUST_USE;

#endif
