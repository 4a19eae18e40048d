/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Patterns may come from tenants later, subjects come from clients: a match gives up instead of burning a loop's time. */
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 100000
#define HEAP_LIMIT_KIB 4096

struct conf_regex {
	pcre2_code *code;
};

struct conf_regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *ctx;
};

struct conf_regex *conf_regex_new(const char *pattern, bool ignore_case, char *why, size_t cap)
{
	struct conf_regex *re = malloc(sizeof(*re));
	PCRE2_SIZE at = 0;
	PCRE2_UCHAR text[160] = "";
	int err = 0;

	if (re == NULL) {
		(void)snprintf(why, cap, "out of memory");
		return NULL;
	}
	re->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, ignore_case ? PCRE2_CASELESS : 0, &err, &at, NULL);
	if (re->code == NULL) {
		(void)pcre2_get_error_message(err, text, sizeof(text));
		(void)snprintf(why, cap, "the regular expression fails at octet %zu: %s", (size_t)at + 1, (const char *)text);
		free(re);
		return NULL;
	}
	(void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); /* without JIT the interpreter does it */
	return re;
}

void conf_regex_free(struct conf_regex *re)
{
	if (re == NULL)
		return;
	pcre2_code_free(re->code);
	free(re);
}

struct conf_regex_scratch *conf_regex_scratch_new(void)
{
	struct conf_regex_scratch *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->data = pcre2_match_data_create(CONF_REGEX_GROUPS, NULL);
	s->ctx = pcre2_match_context_create(NULL);
	if (s->data == NULL || s->ctx == NULL) {
		conf_regex_scratch_free(s);
		return NULL;
	}
	(void)pcre2_set_match_limit(s->ctx, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(s->ctx, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(s->ctx, HEAP_LIMIT_KIB);
	return s;
}

void conf_regex_scratch_free(struct conf_regex_scratch *s)
{
	if (s == NULL)
		return;
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->ctx);
	free(s);
}

static int result(int rc)
{
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return rc == PCRE2_ERROR_NOMEMORY ? GW_ERR_NOMEM : GW_ERR_RANGE;
}

int conf_regex_match(const struct conf_regex *re, struct conf_regex_scratch *scratch, const char *text)
{
	struct conf_regex_scratch *own = scratch == NULL ? conf_regex_scratch_new() : NULL;
	int rc;

	if (scratch == NULL && own == NULL)
		return GW_ERR_NOMEM;
	if (own != NULL)
		scratch = own;
	rc = pcre2_match(re->code, (PCRE2_SPTR)text, strlen(text), 0, 0, scratch->data, scratch->ctx);
	conf_regex_scratch_free(own);
	return result(rc);
}

int conf_regex_exec(const struct conf_regex *re, struct conf_regex_scratch *scratch, const char *text, size_t len, size_t start,
	struct conf_regex_group groups[CONF_REGEX_GROUPS])
{
	int rc = pcre2_match(re->code, (PCRE2_SPTR)text, len, start, 0, scratch->data, scratch->ctx);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch->data);

	if (rc < 0)
		return result(rc);
	for (int i = 0; i < CONF_REGEX_GROUPS; i++) {
		/* 0: more groups than there is room for; all that fit are filled in. */
		bool part = (rc == 0 || i < rc) && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
		groups[i] = part ? (struct conf_regex_group){(int64_t)at[2 * i], (int64_t)at[2 * i + 1]} : (struct conf_regex_group){-1, -1};
	}
	return 1;
}
