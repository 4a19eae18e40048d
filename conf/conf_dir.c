/* SPDX-License-Identifier: Apache-2.0 */
/* Effective settings of a request: which sections match, in Apache's order, and their merged result, made once per thread. */
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/*
 * Results form a tree: from a result and one more section to the next result. A set of matched sections is a path in it,
 * so that nothing but pointers is compared. The bound is on memory: with many overlapping patterns clients could
 * otherwise ask for every combination.
 */
#define CACHE_MAX (1u << 18)
#define GATHER_MAX 512 /* sections for the same path */

struct step {
	const struct conf_dir *from;
	const struct conf_section *section;
	const struct conf_dir *to; /* NULL: unused slot */
};

struct conf_cache {
	struct arena arena;
	struct step *steps;
	size_t n, cap; /* cap is a power of two */
	struct conf_regex_scratch *scratch;
};

struct conf_cache *conf_cache_new(void)
{
	struct conf_cache *cc = calloc(1, sizeof(*cc));

	if (cc == NULL)
		return NULL;
	arena_init(&cc->arena);
	cc->cap = 256;
	cc->steps = calloc(cc->cap, sizeof(*cc->steps));
	cc->scratch = conf_regex_scratch_new();
	if (cc->steps == NULL || cc->scratch == NULL) {
		conf_cache_free(cc);
		return NULL;
	}
	return cc;
}

void conf_cache_free(struct conf_cache *cc)
{
	if (cc == NULL)
		return;
	arena_fini(&cc->arena);
	conf_regex_scratch_free(cc->scratch);
	free(cc->steps);
	free(cc);
}

static struct step *step_slot(struct step *steps, size_t cap, const struct conf_dir *from, const struct conf_section *section)
{
	uint64_t h = ((uint64_t)(uintptr_t)from >> 4) * 0x9e3779b97f4a7c15ULL ^ ((uint64_t)(uintptr_t)section >> 4) * 0xc2b2ae3d27d4eb4fULL;
	size_t at = (size_t)(h ^ h >> 32) & (cap - 1);

	while (steps[at].to != NULL && (steps[at].from != from || steps[at].section != section))
		at = (at + 1) & (cap - 1);
	return &steps[at];
}

static int cache_grow(struct conf_cache *cc)
{
	size_t cap = cc->cap * 2;
	struct step *v;

	if (cc->n >= CACHE_MAX)
		return GW_ERR_FULL;
	v = calloc(cap, sizeof(*v));
	if (v == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < cc->cap; i++) {
		if (cc->steps[i].to != NULL)
			*step_slot(v, cap, cc->steps[i].from, cc->steps[i].section) = cc->steps[i];
	}
	free(cc->steps);
	cc->steps = v;
	cc->cap = cap;
	return GW_OK;
}

/* *@d with @section on top. False when memory is out. */
static bool apply(struct conf_cache *cc, const struct conf_dir **d, const struct conf_section *section)
{
	struct step *s = step_slot(cc->steps, cc->cap, *d, section);
	const struct conf_dir *to;

	if (s->to != NULL) {
		*d = s->to;
		return true;
	}
	if ((cc->n + 1) * 2 > cc->cap) {
		if (cache_grow(cc) != GW_OK)
			return false;
		s = step_slot(cc->steps, cc->cap, *d, section);
	}
	to = conf_dir_merge(&cc->arena, *d, &section->dir);
	if (to == NULL)
		return false;
	*s = (struct step){.from = *d, .section = section, .to = to};
	cc->n++;
	*d = to;
	return true;
}

struct conf_regex_scratch *conf_cache_scratch(struct conf_cache *cc)
{
	return cc->scratch;
}

/* --- which sections ------------------------------------------------------------------------------------------------- */

/* A section for @path (@components segments) of one host, in order of definition. False past the bound. */
static bool gather(const struct conf_index *ix, const struct conf_srv *srv, const char *path, size_t len, unsigned components,
	const struct conf_section **out, size_t *n)
{
	const struct conf_section *s = conf_map_get(&ix->dirs, (uint32_t)srv->s->index, path, len);
	size_t from = *n;

	for (; s != NULL; s = s->next) {
		if (*n == GATHER_MAX)
			return false;
		out[(*n)++] = s;
	}
	for (size_t i = 0; i < srv->wild_n; i++) {
		size_t at = *n;
		if (srv->wild[i]->components != components || fnmatch(srv->wild[i]->pattern, path, FNM_PATHNAME) != 0)
			continue;
		if (*n == GATHER_MAX)
			return false;
		for (; at > from && out[at - 1]->seq > srv->wild[i]->seq; at--)
			out[at] = out[at - 1];
		out[at] = srv->wild[i];
		(*n)++;
	}
	return true;
}

static bool apply_level(struct conf_cache *cc, const struct conf_index *ix, const struct conf_srv *m, const struct conf_srv *srv,
	const char *path, size_t len, unsigned components, const struct conf_dir **d)
{
	const struct conf_section *v[GATHER_MAX];
	size_t n = 0;

	if (!gather(ix, m, path, len, components, v, &n) || (srv != m && !gather(ix, srv, path, len, components, v, &n)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!apply(cc, d, v[i]))
			return false;
	}
	return true;
}

/* Regular expressions see the directory with and without its last slash, so that both ways of anchoring work. */
static bool apply_regex(struct conf_cache *cc, const struct conf_srv *srv, char *path, size_t len, const struct conf_dir **d)
{
	for (size_t i = 0; i < srv->regex_n; i++) {
		int hit;
		path[len] = '/';
		path[len + 1] = '\0';
		hit = conf_regex_match(srv->regex[i]->re, cc->scratch, path);
		path[len] = '\0';
		if (hit == 0 && len > 0)
			hit = conf_regex_match(srv->regex[i]->re, cc->scratch, path);
		if (hit < 0 || (hit == 1 && !apply(cc, d, srv->regex[i])))
			return false;
	}
	return true;
}

static bool apply_dirs(struct conf_cache *cc, const struct conf_index *ix, const struct conf_srv *m, const struct conf_srv *srv,
	const char *dir, const struct conf_dir **d)
{
	char path[PATH_MAX + 2];
	size_t len = strlen(dir);
	unsigned components = 0;

	if (len >= PATH_MAX || dir[0] != '/')
		return false;
	while (len > 0 && dir[len - 1] == '/')
		len--;
	if (!apply_level(cc, ix, m, srv, "/", 1, 0, d))
		return false;
	for (size_t at = 0; at < len;) {
		size_t end = at + 1;
		while (end < len && dir[end] != '/')
			end++;
		memcpy(path + at, dir + at, end - at);
		path[end] = '\0';
		if (!apply_level(cc, ix, m, srv, path, end, ++components, d))
			return false;
		at = end;
	}
	return apply_regex(cc, m, path, len, d) && (srv == m || apply_regex(cc, srv, path, len, d));
}

static int file_matches(struct conf_cache *cc, const struct conf_section *s, const char *name)
{
	if (s->re != NULL)
		return conf_regex_match(s->re, cc->scratch, name);
	if (s->wild)
		return fnmatch(s->pattern, name, 0) == 0;
	return strcmp(s->pattern, name) == 0;
}

/* A plain <Location> covers whole segments below it; one that ends in a slash only what is behind that. */
static int uri_matches(struct conf_cache *cc, const struct conf_section *s, const char *uri)
{
	size_t n = strlen(s->pattern);

	if (s->re != NULL)
		return conf_regex_match(s->re, cc->scratch, uri);
	if (s->wild)
		return fnmatch(s->pattern, uri, FNM_PATHNAME) == 0;
	return strncmp(s->pattern, uri, n) == 0 && (uri[n] == '\0' || uri[n] == '/' || s->pattern[n - 1] == '/');
}

static bool apply_locs(struct conf_cache *cc, const struct conf_srv *srv, const char *uri, const struct conf_dir **d)
{
	for (size_t i = 0; i < srv->locs_n; i++) {
		int hit = uri_matches(cc, srv->locs[i], uri);
		if (hit < 0 || (hit == 1 && !apply(cc, d, srv->locs[i])))
			return false;
	}
	return true;
}

/* <If> comes last, as in Apache. What one brings along, another <If> within it for one, is behind those that were there. */
static bool apply_ifs(struct conf_cache *cc, const struct conf_match *match, const struct conf_dir **d)
{
	bool held = false; /* one of the chain */

	for (size_t i = 0; i < (*d)->files_n; i++) {
		const struct conf_section *s = (*d)->files[i];
		int hit;
		if (s->kind != CONF_S_IF)
			continue;
		if (!s->chained)
			held = false;
		if (held)
			continue;
		if (match->judge == NULL)
			return false;
		match->judge->asked = true;
		hit = s->expr == NULL ? 1 : match->judge->holds(match->judge, match, s->expr);
		if (hit < 0 || (hit == 1 && !apply(cc, d, s)))
			return false;
		held = hit == 1;
	}
	return true;
}

const struct conf_dir *conf_dir_for(struct conf_cache *cc, const struct conf *c, const struct conf_match *match)
{
	const struct conf_index *ix = c->index;
	const struct conf_srv *m = ix->srvs[0], *srv = ix->srvs[match->server->index];
	const struct conf_dir *d = match->server->dir, *dirs;

	if (match->dir != NULL && !apply_dirs(cc, ix, m, srv, match->dir, &d))
		return NULL;
	dirs = d;
	for (size_t i = 0; match->file != NULL && match->file[0] != '\0' && i < dirs->files_n; i++) {
		if (dirs->files[i]->kind != CONF_S_FILES)
			continue;
		int hit = file_matches(cc, dirs->files[i], match->file);
		if (hit < 0 || (hit == 1 && !apply(cc, &d, dirs->files[i])))
			return NULL;
	}
	if (match->uri != NULL && (!apply_locs(cc, m, match->uri, &d) || (srv != m && !apply_locs(cc, srv, match->uri, &d))))
		return NULL;
	return apply_ifs(cc, match, &d) ? d : NULL;
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

static int list_add(struct arena *a, const struct conf_section ***list, size_t *n, const struct conf_section *s)
{
	const struct conf_section **v = conf_push(a, *list, *n, sizeof(*v));

	if (v == NULL)
		return GW_ERR_NOMEM;
	v[(*n)++] = s;
	*list = v;
	return GW_OK;
}

static int index_dir(struct conf_index *ix, const struct conf_srv *srv, struct conf_section *s)
{
	size_t len = strlen(s->pattern);
	struct conf_section *first = conf_map_get(&ix->dirs, (uint32_t)srv->s->index, s->pattern, len);

	if (first == NULL)
		return conf_map_put(&ix->dirs, (uint32_t)srv->s->index, s->pattern, len, s);
	while (first->next != NULL)
		first = first->next;
	first->next = s;
	return GW_OK;
}

int conf_index_sections(struct conf_index *ix, struct arena *a)
{
	conf_map_init(&ix->dirs, a);
	for (size_t i = 0; i < ix->srvs_n; i++) {
		struct conf_srv *srv = ix->srvs[i];
		for (size_t j = 0; j < srv->sections_n; j++) {
			struct conf_section *s = srv->sections[j];
			int rc;
			if (s->kind == CONF_S_LOC)
				rc = list_add(a, &srv->locs, &srv->locs_n, s);
			else if (s->re != NULL)
				rc = list_add(a, &srv->regex, &srv->regex_n, s);
			else if (s->wild)
				rc = list_add(a, &srv->wild, &srv->wild_n, s);
			else
				rc = index_dir(ix, srv, s);
			if (rc != GW_OK)
				return rc;
		}
	}
	return GW_OK;
}

void conf_each_granted(const struct conf *c, void (*fn)(void *arg, const char *path), void *arg)
{
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_srv *srv = c->index->srvs[i];
		for (size_t k = 0; k < srv->sections_n; k++) {
			const struct conf_section *s = srv->sections[k];
			if (s->kind == CONF_S_DIR && s->re == NULL && !s->wild && strcmp(s->pattern, "/") != 0 &&
			    (s->dir.set & CONF_D_REQUIRE) != 0 && (s->dir.access & CONF_A_REQUIRE) != 0)
				fn(arg, s->pattern);
		}
	}
}
