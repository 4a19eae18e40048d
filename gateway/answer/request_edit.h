/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the configuration makes of a request before it is answered: its variables (SetEnv, SetEnvIf ...) and its fields
 * (RequestHeader). Own thread; strings live in the request's arena.
 */
#ifndef REQUEST_EDIT_H
#define REQUEST_EDIT_H

#include "gateway/answer/cgi_env.h"
#include "gateway/http/req_fields.h"
#include "gateway/answer/request_env.h"

/* The parts of a request that are changed, and what it is changed by. */
struct request_edit_in {
	const struct conf_edit *edit;
	struct arena *a;
	struct conf_regex_scratch *scratch;
	struct request_facts facts;     /* all but the fields, which are the request's own */
	uint64_t start_us;              /* %t, microseconds of the calendar */
	uint64_t duration_us;           /* %D */
	const struct tls_session *tls;  /* %{..}s; NULL: plain */
	struct req_fields *fields;
	struct request_env *env;
	struct conf_expr_run *run;      /* for expressions; NULL: none is there */
	struct expr_fields *expr_fields;/* what @run sees of fields */
};

/**
 * RequestHeader early, SetEnvIf, SetEnv, RequestHeader, in this order. Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE (a regular
 * expression passed its bound on work): the request must then fail with 500.
 */
int request_edit(const struct request_edit_in *in) GW_MUST_USE;

/**
 * cgi_env_build(), then the variables of @env that no CGI variable is named like: the configuration cannot make a
 * request be another one. Returns 0 or the callback's error.
 */
int request_edit_params(const struct cgi_env_in *in, struct request_env *env, cgi_env_put put, void *arg) GW_MUST_USE;

#endif
