/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_keep.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_parse.h"

struct conf_keep {
	struct arena a;
	struct conf_map units; /* path -> struct conf_kept */
};

void conf_keep_free(struct conf_keep *k)
{
	if (k == NULL)
		return;
	arena_fini(&k->a);
	free(k);
}

void conf_sites_init(struct conf_sites *s, struct conf_keep *old)
{
	memset(s, 0, sizeof(*s));
	arena_init(&s->a);
	arena_init(&s->round);
	s->old = old;
	conf_map_init(&s->by_path, &s->a);
	conf_map_init(&s->names, &s->round);
}

void conf_sites_fini(struct conf_sites *s)
{
	arena_fini(&s->round);
	arena_fini(&s->a);
}

void conf_sites_round(struct conf_sites *s)
{
	arena_fini(&s->round);
	arena_init(&s->round);
	conf_map_init(&s->names, &s->round);
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->n = 0;
		s->v[i]->v = NULL;
		s->v[i]->impure = s->v[i]->raised = false;
	}
}

struct conf_site *conf_sites_get(struct conf_sites *s, const char *path)
{
	struct conf_site *site = conf_map_get(&s->by_path, 0, path, strlen(path)), **v;

	if (site != NULL)
		return site;
	site = arena_calloc(&s->a, 1, sizeof(*site));
	v = site == NULL ? NULL : conf_push(&s->a, s->v, s->n, sizeof(*v));
	if (v == NULL || (site->path = arena_strdup(&s->a, path)) == NULL ||
	    conf_map_put(&s->by_path, 0, site->path, strlen(path), site) != GW_OK) {
		s->oom = true;
		return NULL;
	}
	if (s->old != NULL)
		site->kept = conf_map_get(&s->old->units, 0, path, strlen(path));
	s->v = v;
	v[s->n++] = site;
	return site;
}

void conf_sites_name(struct conf_sites *s, const char *name, struct conf_site *site)
{
	const char **key = arena_alloc(&s->round, sizeof(*key));

	if (key != NULL)
		*key = name;
	if (key == NULL || conf_map_put(&s->names, 0, (const char *)key, sizeof(*key), site) != GW_OK)
		s->oom = true;
}

static struct conf_site *site_of(const struct conf_sites *s, const char *name)
{
	return conf_map_get(&s->names, 0, (const char *)&name, sizeof(name));
}

static char *copy(struct arena *a, const char *text, size_t len)
{
	char *out = arena_alloc(a, len + 1);

	if (out != NULL) {
		memcpy(out, text, len); /* NUL octets and all: the lexer says what it thinks of them */
		out[len] = '\0';
	}
	return out;
}

void conf_sites_read(struct conf_sites *s, struct conf_site *site, const char *from, const char *path, const char *text, size_t len)
{
	struct conf_text *v = conf_push(&s->round, site->v, site->n, sizeof(*v));
	struct conf_text t = {.from = arena_strdup(&s->round, from), .path = arena_strdup(&s->round, path),
		.text = copy(&s->round, text, len), .len = len};

	if (v == NULL || t.from == NULL || t.path == NULL || t.text == NULL) {
		s->oom = true;
		return;
	}
	site->v = v;
	v[site->n++] = t;
}

/* --- reading what is not on disk ---------------------------------------------------------------------------------------- */

static void replay_text(struct conf_parser *p, const struct conf_site *site, const char *path, const char *text, size_t len)
{
	const char *name = arena_strdup(p->a, path);

	if (name == NULL) {
		p->oom = true;
		return;
	}
	conf_sites_name(p->sites, name, (struct conf_site *)(uintptr_t)site);
	conf_parse_text(p, name, text, len);
}

void conf_sites_replay(struct conf_parser *p, const struct conf_site *site, const char *from)
{
	if (site->mode == CONF_SITE_KEPT) {
		for (size_t i = 0; i < site->kept->n; i++) {
			const struct conf_text *t = &site->kept->v[i];
			if (strcmp(t->from, from) == 0)
				replay_text(p, site, t->path, t->text, t->len);
		}
		return;
	}
	if (from[0] == '\0') {
		char *text = conf_salvage(p->a, site->text, site->len, site->mode == CONF_SITE_BARE);
		if (text != NULL)
			replay_text(p, site, site->path, text, strlen(text));
		else
			conf_diag_add(p->d, true, site->path, 1, 1, "it cannot be told whose requests this file would answer");
	}
}

/* --- judging -------------------------------------------------------------------------------------------------------------- */

void conf_sites_judge(struct conf_sites *s, const struct conf_node *first)
{
	for (const struct conf_node *n = first; n != NULL; n = n->next) {
		struct conf_site *site = site_of(s, n->file);
		if (site != NULL && !conf_site_has(n->name.text))
			site->impure = true;
	}
}

static bool changed(const struct conf_site *site)
{
	const struct conf_kept *k = site->kept;
	bool same = k->n == site->n;

	for (size_t i = 0; i < site->n && same; i++)
		same = k->v[i].len == site->v[i].len && strcmp(k->v[i].path, site->v[i].path) == 0 &&
			memcmp(k->v[i].text, site->v[i].text, site->v[i].len) == 0;
	return !same;
}

static enum conf_site_mode next_mode(const struct conf_site *site)
{
	switch (site->mode) {
	case CONF_SITE_FRESH:
		/* What loaded before and is the same now is broken by something else. */
		if (site->kept != NULL)
			return changed(site) ? CONF_SITE_KEPT : CONF_SITE_HOPELESS;
		return site->n > 0 ? CONF_SITE_NAMES : CONF_SITE_HOPELESS;
	case CONF_SITE_NAMES:
		return CONF_SITE_BARE;
	default:
		return CONF_SITE_HOPELESS;
	}
}

bool conf_sites_blame(struct conf_sites *s, const struct conf_diags *d)
{
	bool any = false;

	if (s->oom)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].error && site_of(s, d->v[i].origin) == NULL)
			return false;
	for (size_t i = 0; i < d->n; i++) {
		struct conf_site *site = d->v[i].error ? site_of(s, d->v[i].origin) : NULL;
		if (site == NULL || site->raised)
			continue;
		site->raised = any = true;
		site->mode = next_mode(site);
		if (site->mode == CONF_SITE_HOPELESS)
			return false;
		if (site->mode == CONF_SITE_NAMES) {
			site->text = copy(&s->a, site->v[0].text, site->v[0].len);
			site->len = site->v[0].len;
			if (site->text == NULL || conf_salvage(&s->round, site->text, site->len, false) == NULL)
				return false;
		}
	}
	return any;
}

size_t conf_sites_say(const struct conf_sites *s, struct conf_diags *d)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i]->mode == CONF_SITE_FRESH)
			continue;
		n++;
		conf_diag_add(d, false, s->v[i]->path, 1, 1, s->v[i]->mode == CONF_SITE_KEPT ?
			"the last version of this file that was good stays in service" :
			"the virtual hosts of this file answer 503 until it is good");
		if (d->n > 0 && d->v[d->n - 1].origin == s->v[i]->path)
			d->v[d->n - 1].state = true;
	}
	return n;
}

/* --- keeping -------------------------------------------------------------------------------------------------------------- */

static bool keep_one(struct conf_keep *k, const char *path, size_t n, const struct conf_text *v)
{
	struct conf_kept *unit = arena_calloc(&k->a, 1, sizeof(*unit));

	if (unit == NULL || (unit->path = arena_strdup(&k->a, path)) == NULL || (unit->v = arena_calloc(&k->a, n, sizeof(*v))) == NULL)
		return false;
	for (; unit->n < n; unit->n++) {
		struct conf_text *t = &unit->v[unit->n];
		*t = (struct conf_text){.from = arena_strdup(&k->a, v[unit->n].from), .path = arena_strdup(&k->a, v[unit->n].path),
			.text = copy(&k->a, v[unit->n].text, v[unit->n].len), .len = v[unit->n].len};
		if (t->from == NULL || t->path == NULL || t->text == NULL)
			return false;
	}
	return conf_map_put(&k->units, 0, unit->path, strlen(unit->path), unit) == GW_OK;
}

struct conf_keep *conf_sites_keep(const struct conf_sites *s)
{
	struct conf_keep *k = s->oom ? NULL : calloc(1, sizeof(*k));
	bool ok = k != NULL;

	if (k != NULL) {
		arena_init(&k->a);
		conf_map_init(&k->units, &k->a);
	}
	for (size_t i = 0; i < s->n && ok; i++) {
		const struct conf_site *site = s->v[i];
		if (site->mode == CONF_SITE_FRESH && site->n > 0 && !site->impure)
			ok = keep_one(k, site->path, site->n, site->v);
		else if (site->mode == CONF_SITE_KEPT)
			ok = keep_one(k, site->path, site->kept->n, site->kept->v);
	}
	if (ok)
		return k;
	conf_keep_free(k);
	return NULL;
}
