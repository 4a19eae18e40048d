/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/request_edit.h"

#include <string.h>

#include "gateway/answer/answer_edit.h"
#include "gateway/answer/header_rules.h"
#include "gateway/http/field_lines.h"
#include "gateway/http/request_lines.h"

/* Whether a tag may come back with the suffix that AddSuffix gave it. */
static bool has_suffixes(const struct conf_edit *e)
{
	return e->deflate_etag == CONF_ETAG_SUFFIX || e->brotli_etag == CONF_ETAG_SUFFIX;
}

/* A client names the tag that it was given: 304 is decided, by us or by a script, on the one without the suffix. */
static int cut_suffixes(const struct request_edit_in *in, struct buf *lines, bool *changed)
{
	static const char *const names[] = {"If-None-Match", "If-Match"};
	struct field_line f;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!field_lines_find(lines, names[i], strlen(names[i]), &f))
			continue;
		size_t len = f.value_len;
		const char *plain = answer_plain_etags(in->a, f.value, &len);
		if (plain == NULL)
			return GW_ERR_NOMEM;
		if (plain == f.value)
			continue;
		*changed = true;
		int err = field_lines_replace(lines, &f, plain, len);
		if (err < 0)
			return err;
	}
	return GW_OK;
}

static int edit_lines(const struct request_edit_in *in, struct buf *lines, bool *changed)
{
	const struct conf_edit *e = in->edit;
	struct request_facts facts = in->facts;
	const struct header_context x = {.a = in->a, .scratch = in->scratch, .env = in->env, .start_us = in->start_us,
		.duration_us = in->duration_us, .tls = in->tls, .run = in->run, .expr_fields = in->expr_fields, .of_request = true};
	if (in->expr_fields != NULL)
		in->expr_fields->request = lines;
	int err = header_rules_apply(&x, e->request, e->request_n, true, lines, NULL);

	*changed = e->request_n > 0;
	facts.fields = lines;
	facts.run = in->run;
	if (err == GW_OK)
		err = request_env_apply(in->env, in->a, e, &facts, in->scratch);
	if (err == GW_OK)
		err = header_rules_apply(&x, e->request, e->request_n, false, lines, NULL);
	return err == GW_OK && has_suffixes(e) ? cut_suffixes(in, lines, changed) : err;
}

int request_edit(const struct request_edit_in *in)
{
	const struct conf_edit *e = in->edit;
	struct buf lines;
	bool changed = false;
	int err = GW_OK;

	buf_init(&lines);
	/* Fields are made into text only for what looks at them. */
	if (e->request_n > 0 || e->env_if_n > 0 || has_suffixes(e))
		err = request_lines_take(in->fields, &lines);
	if (err == GW_OK)
		err = edit_lines(in, &lines, &changed);
	if (err == GW_OK && changed)
		err = request_lines_put(in->fields, in->a, &lines);
	buf_fini(&lines);
	return err;
}

/* --- variables for the application ------------------------------------------------------------------------------------- */

/* The callback behind the callback: it notes which of the request's variables have a CGI variable's name. */
struct params {
	cgi_env_put put;
	void *arg;
	struct request_env *env;
};

static int put_noting(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct params *p = arg;

	for (size_t i = 0; i < p->env->n; i++)
		if (strncmp(p->env->v[i].name, name, name_len) == 0 && p->env->v[i].name[name_len] == '\0')
			p->env->v[i].shadowed = true;
	return p->put(p->arg, name, name_len, value, value_len);
}

int request_edit_params(const struct cgi_env_in *in, struct request_env *env, cgi_env_put put, void *arg)
{
	struct params p = {.put = put, .arg = arg, .env = env};

	if (env->n == 0)
		return cgi_env_build(in, put, arg);
	for (size_t i = 0; i < env->n; i++)
		env->v[i].shadowed = false;
	int err = cgi_env_build(in, put_noting, &p);
	for (size_t i = 0; i < env->n && err >= 0; i++) {
		const struct request_var *v = &env->v[i];
		/* A body that is not there stays not there. */
		if (v->value != NULL && !v->shadowed && strcmp(v->name, "CONTENT_LENGTH") != 0)
			err = put(arg, v->name, strlen(v->name), v->value, strlen(v->value));
	}
	return err;
}
