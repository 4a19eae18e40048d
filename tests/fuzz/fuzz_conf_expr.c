/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: the first octet says whether the text is a condition or text, and how much room there is; up to the first line
 * feed it is the expression, what follows is the value of all that is looked up.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_expr.h"

#define REGEX_MAX 64

struct world {
	struct arena a;
	struct conf_regex *res[REGEX_MAX];
	size_t res_n;
	const char *value;
	size_t value_len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static const struct conf_regex *keep_regex(void *arg, const char *pattern, bool any_case, char *why, size_t cap)
{
	struct world *w = arg;

	if (w->res_n == REGEX_MAX) {
		why[0] = '\0';
		return NULL;
	}
	w->res[w->res_n] = conf_regex_new(pattern, any_case, why, cap);
	return w->res[w->res_n] == NULL ? NULL : w->res[w->res_n++];
}

static int var(struct conf_expr_run *x, enum conf_expr_var v, struct conf_expr_text *out)
{
	const struct world *w = x->arg;

	require(v < EXPR_VARS_N);
	*out = (struct conf_expr_text){w->value, w->value_len};
	return GW_OK;
}

static int find(struct conf_expr_run *x, enum conf_expr_table t, const char *name, struct conf_expr_text *out)
{
	const struct world *w = x->arg;
	size_t n = strlen(name);
	char *room = conf_expr_room(x, n);

	if (room == NULL)
		return GW_ERR_RANGE;
	memset(room, '#', n); /* what others point to must not be here */
	if (t != EXPR_NOTE)
		*out = (struct conf_expr_text){w->value, w->value_len};
	return GW_OK;
}

static uint64_t sum(const char *s, size_t n)
{
	uint64_t v = n;

	for (size_t i = 0; i < n; i++)
		v = v * 31 + (unsigned char)s[i];
	return v;
}

static void evaluate(const struct conf_expr *e, struct world *w, bool string, size_t room_len)
{
	static const struct conf_expr_source source = {var, find};
	struct conf_regex_scratch *scratch = conf_regex_scratch_new();
	char *room = malloc(room_len + 1);
	int first = 0;
	uint64_t first_sum = 0;

	require(scratch != NULL && room != NULL);
	for (int i = 0; i < 2; i++) {
		struct conf_expr_run x = {.source = &source, .arg = w, .scratch = scratch, .room = room, .room_len = room_len, .now = 1795435200};
		struct conf_expr_text out = {"", 0};
		int rc = string ? conf_expr_value(e, &x, &out) : conf_expr_test(e, &x);
		uint64_t s = rc < 0 ? 0 : sum(out.s, out.len);
		require(rc < 0 || rc == 0 || (rc == 1 && !string));
		require(rc != GW_ERR_PROTO && x.used <= x.room_len && x.vary_n <= CONF_EXPR_VARY_MAX);
		require(i == 0 || (rc == first && s == first_sum)); /* nothing is left of the first time */
		first = rc;
		first_sum = s;
	}
	free(room);
	conf_regex_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.res_n = 0};
	struct conf_expr_error err;

	if (size < 1 || size > 8192)
		return 0;
	const uint8_t *lf = memchr(data + 1, '\n', size - 1);
	size_t len = lf != NULL ? (size_t)(lf - data) - 1 : size - 1;
	char *text = malloc(len + 1);
	require(text != NULL);
	memcpy(text, data + 1, len);
	text[len] = '\0';
	w.value = lf != NULL ? (const char *)lf + 1 : "";
	w.value_len = lf != NULL ? size - len - 2 : 0;
	arena_init(&w.a);
	const struct conf_expr_maker m = {.a = &w.a, .regex = keep_regex, .arg = &w};
	const struct conf_expr *e = conf_expr_parse(&m, text, (data[0] & 1) != 0, &err);
	if (e == NULL) {
		require(err.at <= strlen(text) && memchr(err.why, '\0', sizeof(err.why)) != NULL);
	} else {
		(void)conf_expr_wants_answer(e);
		evaluate(e, &w, (data[0] & 1) != 0, (size_t)(data[0] >> 1) * 64);
	}
	while (w.res_n > 0)
		conf_regex_free(w.res[--w.res_n]);
	arena_fini(&w.a);
	free(text);
	return 0;
}
