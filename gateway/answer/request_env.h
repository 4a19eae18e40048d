/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The variables of one request that the configuration sets (SetEnv, SetEnvIf ...), and its notes (Header note). As in
 * Apache, letter case of a name does not count when it is looked up. A table without entries holds nothing and costs
 * nothing. Its strings and its array live in the arena that is handed in. Own thread.
 */
#ifndef REQUEST_ENV_H
#define REQUEST_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf_edit.h"
#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"

struct conf_expr_run;
struct conf_regex_scratch;

struct request_var {
	const char *name, *value; /* value NULL: forgotten */
	bool shadowed;            /* request_edit_params(): a CGI variable has this name */
};

struct request_env {
	size_t n, cap;
	struct request_var *v;
};

/** Value of variable @name, or NULL. Borrowed from the arena. */
const char *request_env_find(const struct request_env *env, const char *name);

/** Set @name (borrowed; must live as long as the arena) to @value (likewise), or forget it when @value is NULL. 0 or GW_ERR_NOMEM. */
int request_env_set(struct request_env *env, struct arena *a, const char *name, const char *value) GW_MUST_USE;

/** The variables of an internal redirect: each has "REDIRECT_" before its name. 0 or GW_ERR_NOMEM. */
int request_env_redirect(struct request_env *env, struct arena *a) GW_MUST_USE;

/** What SetEnvIf may look at. Strings may be NULL. */
struct request_facts {
	const char *remote_addr, *server_addr, *method, *protocol, *uri;
	const struct buf *fields; /* the request's, as in http/field_lines.h */
	struct conf_expr_run *run;/* for SetEnvIfExpr; NULL: there is none */
};

/**
 * Work through @e's SetEnvIf rules, in order, then its SetEnv. Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE when a regular
 * expression passed its bound on work: what it would have said is not known, and the request must fail.
 */
int request_env_apply(struct request_env *env, struct arena *a, const struct conf_edit *e, const struct request_facts *facts,
	struct conf_regex_scratch *scratch) GW_MUST_USE;

#endif
