/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What expressions (conf/conf_expr.h) see of a request. One at a time on a thread: the room that an evaluation puts texts
 * together in is the thread's. Own thread.
 */
#ifndef REQUEST_EXPR_H
#define REQUEST_EXPR_H

#include "conf/conf.h"
#include "conf/conf_expr.h"
#include "gateway/answer/expr_fields.h"
#include "gateway/answer/route.h"

struct request;

struct request_expr {
	const struct request *r;
	int status;                /* of the answer; 0: none yet, which reads as 200 */
	const struct conf_match *match; /* while sections are chosen: the file that is looked at; else NULL */
	struct expr_fields fields; /* fields while they are being changed */
	struct conf_expr_run run;
};

/** Prepare evaluations for @r, whose answer has @status (0: none yet): @x->run is then what conf_expr_test() and conf_expr_value() take. */
void request_expr_init(struct request_expr *x, const struct request *r, int status);

/* For <If>, while @r is being routed. */
struct request_judge {
	struct conf_judge judge;
	const struct request *r;
};

/** Caller storage, as long as @r is routed. */
void request_judge_init(struct request_judge *j, const struct request *r);

/** What routing for @r takes; its judge is @j, which is initialised. */
struct route_env request_route_env(const struct request *r, struct request_judge *j);

/** Whether @e holds for a request that is over, its answer's fields as they were sent. As conf_expr_test(). */
int request_expr_logged(const struct request *r, const struct conf_expr *e) GW_MUST_USE;

#endif
