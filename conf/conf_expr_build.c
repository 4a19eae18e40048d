/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of directives. */
#include "conf/conf_build.h"
#include "conf/conf_expr.h"

static const struct conf_regex *keep_regex(void *arg, const char *pattern, bool any_case, char *why, size_t cap)
{
	return conf_keep_regex(arg, pattern, any_case, why, cap);
}

const struct conf_expr *conf_build_expr(struct conf_build *b, const struct conf_node *n, int arg, const char *text, bool string)
{
	const struct conf_expr_maker m = {.a = b->a, .regex = keep_regex, .arg = b};
	struct conf_expr_error err = {.why = "out of memory"};
	const struct conf_expr *e = conf_expr_parse(&m, text, string, &err);

	if (e == NULL)
		conf_error(b, n, arg, "%s: octet %zu of the expression: %s", n->name.text, err.at + 1, err.why);
	return e;
}

const struct conf_expr *conf_build_early_condition(struct conf_build *b, const struct conf_node *n, int arg, const char *text)
{
	const struct conf_expr *e = conf_build_expr(b, n, arg, text, false);

	if (e != NULL && conf_expr_wants_answer(e))
		conf_warn(b, n, arg, "%s: the expression asks for the answer, which is not there yet: REQUEST_STATUS is 200, its fields are empty",
			n->name.text);
	return e;
}
