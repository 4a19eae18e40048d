/* SPDX-License-Identifier: Apache-2.0 */
/* What inherits from what in struct conf_serving. */
#include "conf/conf_serving.h"

#include <string.h>

#include "conf/conf_build.h"

void conf_serving_defaults(struct conf_serving *s)
{
	memset(s, 0, sizeof(*s));
	s->etag = (struct conf_bits){.whole = true, .on = CONF_ETAG_MTIME | CONF_ETAG_SIZE};
	s->listing.options = (struct conf_bits){.whole = true};
	s->listing.order = 'N';
}

unsigned conf_bits_value(const struct conf_bits *b, unsigned standard)
{
	return b->whole ? b->on : (standard & ~b->off) | b->on;
}

static void merge_bits(struct conf_bits *b, const struct conf_bits *over)
{
	if (over->whole) {
		*b = *over;
		return;
	}
	b->on = (b->on & ~over->off) | over->on;
	b->off = (b->off & ~over->on) | over->off;
}

/* @n elements of @y behind those of *@x. False when memory is out. */
static bool join(struct arena *a, const void **x, size_t *xn, const void *y, size_t yn, size_t size)
{
	char *v;

	if (yn == 0)
		return true;
	if (*xn > (SIZE_MAX / size) - yn)
		return false;
	v = arena_alloc(a, (*xn + yn) * size);
	if (v == NULL)
		return false;
	if (*xn > 0)
		memcpy(v, *x, *xn * size);
	memcpy(v + *xn * size, y, yn * size);
	*x = v;
	*xn += yn;
	return true;
}

static bool merge_listing(struct arena *a, struct conf_listing *l, const struct conf_listing *over, uint32_t set)
{
	const void *ignore, *descriptions = over->descriptions;
	size_t n = over->descriptions_n;

	merge_bits(&l->options, &over->options);
	if ((set & CONF_SV_ORDER) != 0) {
		l->order = over->order;
		l->descending = over->descending;
	}
	if ((set & CONF_SV_HEADER) != 0)
		l->header = over->header;
	if ((set & CONF_SV_README) != 0)
		l->readme = over->readme;
	if ((set & CONF_SV_IGNORE_RESET) != 0)
		l->ignore_n = 0;
	ignore = l->ignore;
	/* The inner section's descriptions are looked at first. */
	if (!join(a, &ignore, &l->ignore_n, over->ignore, over->ignore_n, sizeof(*over->ignore)) ||
	    !join(a, &descriptions, &n, l->descriptions, l->descriptions_n, sizeof(*l->descriptions)))
		return false;
	l->ignore = ignore;
	l->descriptions = descriptions;
	l->descriptions_n = n;
	return true;
}

bool conf_serving_merge(struct arena *a, struct conf_serving *s, const struct conf_serving *over)
{
	const void *metas = s->metas;

	merge_bits(&s->etag, &over->etag);
	if ((over->set & CONF_SV_PRECOMPRESSED) != 0)
		s->precompressed = over->precompressed;
	if ((over->set & CONF_SV_SLASH) != 0)
		s->slash = over->slash;
	if ((over->set & CONF_SV_FALLBACK) != 0)
		s->fallback = over->fallback;
	if ((over->set & CONF_SV_LANGUAGE) != 0)
		s->default_language = over->default_language;
	s->set |= over->set;
	if (!join(a, &metas, &s->metas_n, over->metas, over->metas_n, sizeof(*over->metas)))
		return false;
	s->metas = metas;
	return merge_listing(a, &s->listing, &over->listing, over->set);
}
