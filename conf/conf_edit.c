/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_edit.h"

#include <string.h>
#include <strings.h>

/* x then y as one array in @a. False when memory is out. */
static bool join(struct arena *a, const void *x, size_t xn, const void *y, size_t yn, size_t size, const void **out, size_t *out_n)
{
	char *v;

	*out_n = xn + yn;
	*out = yn == 0 ? x : y;
	if (xn == 0 || yn == 0)
		return true;
	v = arena_calloc(a, xn + yn, size);
	if (v == NULL)
		return false;
	memcpy(v, x, xn * size);
	memcpy(v + xn * size, y, yn * size);
	*out = v;
	return true;
}

#define JOIN(field)                                                                                                        \
	(join(a, base->field, base->field##_n, over->field, over->field##_n, sizeof(*m->field), &joined, &n)               \
		 ? (m->field = joined, m->field##_n = n, true)                                                             \
		 : false)

/* The last word on a name counts, be it SetEnv's or UnsetEnv's. */
static bool join_env(struct arena *a, struct conf_edit *m, const struct conf_edit *base, const struct conf_edit *over)
{
	const struct conf_env_var *all;
	const void *joined;
	struct conf_env_var *v;
	size_t n, kept = 0;

	if (!join(a, base->env, base->env_n, over->env, over->env_n, sizeof(*v), &joined, &n))
		return false;
	m->env = all = joined;
	m->env_n = n;
	if (over->env_n == 0)
		return true;
	v = arena_calloc(a, n, sizeof(*v));
	if (v == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t later = i + 1;
		while (later < n && strcasecmp(all[later].name, all[i].name) != 0)
			later++;
		if (later == n)
			v[kept++] = all[i];
	}
	m->env = v;
	m->env_n = kept;
	return true;
}

static void take_values(struct conf_edit *m, const struct conf_edit *over)
{
	if ((over->set & CONF_E_EXPIRES) != 0)
		m->expires_active = over->expires_active;
	if ((over->set & CONF_E_EXPIRES_DEFAULT) != 0)
		m->expires_default = over->expires_default;
	if ((over->set & CONF_E_FILTERS) != 0)
		m->filters = over->filters;
	if ((over->set & CONF_E_DEFLATE_LEVEL) != 0)
		m->deflate_level = over->deflate_level;
	if ((over->set & CONF_E_BROTLI_QUALITY) != 0)
		m->brotli_quality = over->brotli_quality;
	if ((over->set & CONF_E_DEFLATE_ETAG) != 0)
		m->deflate_etag = over->deflate_etag;
	if ((over->set & CONF_E_BROTLI_ETAG) != 0)
		m->brotli_etag = over->brotli_etag;
	if ((over->set & CONF_E_XSENDFILE) != 0)
		m->xsendfile = over->xsendfile;
	m->set |= over->set;
}

bool conf_edit_merge(struct arena *a, struct conf_edit *lower, struct conf_edit *over, struct conf_edit **out)
{
	static const struct conf_edit nothing;
	const struct conf_edit *base = lower == NULL ? &nothing : lower;
	const void *joined;
	struct conf_edit *m;
	size_t n;

	*out = over == NULL ? lower : over;
	if (over == NULL || (lower == NULL && over->env_n == 0))
		return true;
	m = arena_alloc(a, sizeof(*m));
	if (m == NULL)
		return false;
	*m = *base;
	take_values(m, over);
	*out = m;
	return JOIN(env_if) && join_env(a, m, base, over) && JOIN(request) && JOIN(always) && JOIN(success) && JOIN(expires) &&
		JOIN(filter_types) && JOIN(filter_exts) && JOIN(xsendfile_roots);
}
