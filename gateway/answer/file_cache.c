/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/file_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define SETTLED_S 2 /* the coarsest clock of a file system that still matters ticks that slowly */

/* --- lists and table -------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static uint64_t hash_of(const struct file_cache *c, const struct conf_server *server, const char *path)
{
	uint64_t h = c->seed ^ (uint64_t)(uintptr_t)server, word;
	size_t left = strlen(path);

	for (; left >= sizeof(word); path += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, path, sizeof(word));
		h = mix(h ^ word);
	}
	word = left;
	memcpy(&word, path, left);
	return mix(mix(h ^ word) + left);
}

static struct file_entry **slot_of(const struct file_cache *c, uint64_t hash, const struct conf_server *server, const char *path)
{
	struct file_entry **p = &c->table[hash & (c->table_n - 1)];

	while (*p != NULL && ((*p)->hash != hash || (*p)->server != server || strcmp((*p)->path, path) != 0))
		p = &(*p)->hash_next;
	return p;
}

static void list_take(struct file_list *l, struct file_entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &l->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &l->oldest) = e->newer;
	l->n--;
}

static void list_put(struct file_list *l, struct file_entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	*(l->newest != NULL ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
	l->n++;
}

static void forget(struct file_cache *c, struct file_entry *e)
{
	struct file_entry **p = slot_of(c, e->hash, e->server, e->path);

	*p = e->hash_next;
	list_take(&c->lists[e->class], e);
	c->octets -= (int64_t)e->octets;
	e->cache = NULL;
	file_entry_unref(e);
}

/* --- life --------------------------------------------------------------------------------------------------------------------- */

void file_cache_init(struct file_cache *c, const struct conf *conf, unsigned fds_max)
{
	const struct conf_file_cache *how = &conf->file_cache;
	size_t n = 64;

	*c = (struct file_cache){.conf = conf, .octets_max = how->memory, .age_ms = how->age_ms};
	while (n < (size_t)how->files + how->missing)
		n *= 2;
	c->lists[FILE_SMALL].max = how->files;
	fds_max /= CODINGS_N; /* a file and its neighbours */
	c->lists[FILE_OPEN].max = how->files < fds_max ? how->files : fds_max;
	c->lists[FILE_MISSING].max = how->missing;
	/* Names come from clients: without a secret they could choose ones that fall into one slot. */
	if (how->files == 0 || getrandom(&c->seed, sizeof(c->seed), 0) != (ssize_t)sizeof(c->seed))
		return;
	c->table = calloc(n, sizeof(struct file_entry *));
	c->table_n = n;
}

void file_cache_fini(struct file_cache *c)
{
	for (int i = 0; i < FILE_CLASSES; i++)
		while (c->lists[i].oldest != NULL)
			forget(c, c->lists[i].oldest);
	free(c->table);
	c->table = NULL;
}

void file_entry_unref(struct file_entry *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	served_file_fini(&e->file);
	for (int i = 0; i < CODINGS_N; i++) {
		if (e->coded[i] != NULL)
			served_file_fini(e->coded[i]);
		free(e->coded[i]);
	}
	free(e);
}

bool file_cache_sweep(struct file_cache *c, uint64_t now_ms)
{
	unsigned left = 0;

	for (int i = 0; i < FILE_CLASSES; i++) {
		while (c->lists[i].oldest != NULL && now_ms - c->lists[i].oldest->used_ms >= FILE_CACHE_IDLE_MS)
			forget(c, c->lists[i].oldest);
		left += c->lists[i].n;
	}
	return left > 0;
}

bool file_cache_release_fds(struct file_cache *c)
{
	bool any = c->lists[FILE_OPEN].n > 0;

	while (c->lists[FILE_OPEN].oldest != NULL)
		forget(c, c->lists[FILE_OPEN].oldest);
	return any;
}

/* --- entries ------------------------------------------------------------------------------------------------------------------ */

/* The same object with the same content, as far as its inode tells. */
static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Whether an open file is still what it was when its entry was made. */
static bool unchanged(const struct served_file *f)
{
	struct stat st;

	return f->fd == -1 || (fstat(f->fd, &st) == 0 && same_file(&st, &f->st));
}

static bool all_unchanged(const struct file_entry *e)
{
	if (e->route.kind != ROUTE_STATIC)
		return true;
	for (int i = 0; i < CODINGS_N; i++)
		if (e->coded[i] != NULL && !unchanged(e->coded[i]))
			return false;
	return unchanged(&e->file);
}

/* A reference to an entry that is in the cache; it is the one used last now. */
static struct file_entry *use(struct file_cache *c, struct file_entry *e, uint64_t now_ms)
{
	if (c->lists[e->class].newest != e) {
		list_take(&c->lists[e->class], e);
		list_put(&c->lists[e->class], e);
	}
	e->used_ms = now_ms;
	e->refs++;
	return e;
}

struct file_entry *file_cache_find(struct file_cache *c, const struct conf_server *server, const char *path, uint64_t now_ms)
{
	if (c->table == NULL)
		return NULL;
	struct file_entry *e = *slot_of(c, hash_of(c, server, path), server, path);
	if (e == NULL || now_ms >= e->until_ms)
		return NULL;
	if (e->class == FILE_OPEN && !all_unchanged(e)) {
		forget(c, e);
		return NULL;
	}
	return use(c, e, now_ms);
}

/* Which list a route belongs to; FILE_CLASSES: none. */
static enum file_class class_of(const struct route *r)
{
	if (r->kind == ROUTE_STATIC)
		return FILE_OPEN; /* until its content is read */
	if (r->kind == ROUTE_PHP && *r->path_info == '\0' && !r->elsewhere)
		return FILE_SMALL;
	if (r->kind == ROUTE_STATUS && r->status == 404 && r->why == NULL)
		return FILE_MISSING;
	return FILE_CLASSES;
}

/* Copy @s behind *@at, if there is one. */
static const char *copy_to(char **at, const char *s)
{
	char *copy = *at;

	if (s == NULL)
		return NULL;
	size_t n = strlen(s) + 1;
	memcpy(copy, s, n);
	*at += n;
	return copy;
}

static size_t room_for(const char *s)
{
	return s == NULL ? 0 : strlen(s) + 1;
}

/* An entry with its own copy of what @r says; strings behind the structure. */
static struct file_entry *entry_new(const struct route *r, const char *path)
{
	size_t room = room_for(path) + room_for(r->root) + room_for(r->context_prefix) + room_for(r->script_name) + room_for(r->filename);
	struct file_entry *e = malloc(sizeof(*e) + room);

	if (e == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	char *at = (char *)(e + 1);
	e->refs = 1;
	e->path = copy_to(&at, path);
	e->octets = sizeof(*e) + room;
	e->file.fd = -1;
	e->route = (struct route){.kind = r->kind, .status = r->status, .dir = r->dir, .fd = -1, .st = r->st, .pool = r->pool,
		.path_info = "", .root = copy_to(&at, r->root), .context_prefix = copy_to(&at, r->context_prefix),
		.script_name = copy_to(&at, r->script_name), .filename = copy_to(&at, r->filename)};
	return e;
}

static bool same_string(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether @r, found anew, is what the entry says. */
static bool same_route(const struct file_entry *e, const struct route *r)
{
	const struct route *o = &e->route;

	if (o->kind != r->kind || o->status != r->status || o->dir != r->dir || o->pool != r->pool || !same_string(o->root, r->root) ||
	    !same_string(o->context_prefix, r->context_prefix) || !same_string(o->script_name, r->script_name) ||
	    !same_string(o->filename, r->filename))
		return false;
	if (r->kind != ROUTE_STATIC)
		return true;
	for (int i = CODING_IDENTITY + 1; i < CODINGS_N; i++) {
		bool there = r->variants != NULL && r->variants->v[i].fd != -1;
		if (there != (e->coded[i] != NULL) || (there && !same_file(&r->variants->v[i].st, &e->coded[i]->st)))
			return false;
	}
	return e->settled && same_file(&o->st, &r->st);
}

/* --- representations ------------------------------------------------------------------------------------------------------------ */

static bool settled(const struct stat *st)
{
	return st->st_ctim.tv_sec + SETTLED_S <= time(NULL) && st->st_mtim.tv_sec + SETTLED_S <= time(NULL);
}

/* Describe the file *@fd of @st, which is taken, and read it if it is small. */
static bool represent(struct file_cache *c, struct file_entry *e, struct served_file *f, int *fd, const struct stat *st, enum coding coding)
{
	const char *slash = strrchr(e->route.filename, '/');
	const struct served_source s = {.conf = c->conf, .dir = e->route.dir, .name = slash != NULL ? slash + 1 : e->route.filename,
		.coding = coding, .varies = e->codings != 0, .st = st};

	f->fd = *fd;
	f->st = *st;
	*fd = -1;
	e->settled = e->settled && settled(st);
	if (served_file_describe(f, &s) < 0)
		return false;
	e->octets += f->lines_len;
	if (served_file_load(f))
		e->octets += (size_t)st->st_size;
	return true;
}

static bool represent_all(struct file_cache *c, struct file_entry *e, struct route *r)
{
	e->settled = true;
	for (int i = CODING_IDENTITY + 1; i < CODINGS_N && r->variants != NULL; i++)
		if (r->variants->v[i].fd != -1)
			e->codings |= CODING_BIT(i);
	if (!represent(c, e, &e->file, &r->fd, &r->st, CODING_IDENTITY))
		return false;
	e->class = e->file.fd == -1 ? FILE_SMALL : FILE_OPEN;
	for (int i = CODING_IDENTITY + 1; i < CODINGS_N; i++) {
		if ((e->codings & CODING_BIT(i)) == 0)
			continue;
		struct served_file *f = calloc(1, sizeof(*f));
		if (f == NULL)
			return false;
		f->fd = -1;
		e->coded[i] = f;
		if (!represent(c, e, f, &r->variants->v[i].fd, &r->variants->v[i].st, (enum coding)i))
			return false;
		if (f->fd != -1)
			e->class = FILE_OPEN;
	}
	return true;
}

/* --- adding ----------------------------------------------------------------------------------------------------------------------- */

/* Make room by the oldest of the lists; false when the entry does not fit at all. */
static bool make_room(struct file_cache *c, const struct file_entry *e)
{
	struct file_list *l = &c->lists[e->class];

	if (l->max == 0 || (int64_t)e->octets > c->octets_max)
		return false;
	while (l->n >= l->max)
		forget(c, l->oldest);
	while (c->octets + (int64_t)e->octets > c->octets_max) {
		struct file_list *from = c->lists[FILE_MISSING].n > 0 ? &c->lists[FILE_MISSING] : c->lists[FILE_SMALL].n > 0 ? &c->lists[FILE_SMALL] :
			&c->lists[FILE_OPEN];
		forget(c, from->oldest);
	}
	return true;
}

static void remember(struct file_cache *c, struct file_entry *e, const struct conf_server *server, uint64_t hash, uint64_t now_ms)
{
	if (!make_room(c, e))
		return;
	e->hash = hash;
	e->server = server;
	e->cache = c;
	e->until_ms = now_ms + c->age_ms;
	e->used_ms = now_ms;
	e->refs++;
	struct file_entry **head = &c->table[hash & (c->table_n - 1)];
	e->hash_next = *head;
	*head = e;
	list_put(&c->lists[e->class], e);
	c->octets += (int64_t)e->octets;
}

struct file_entry *file_cache_add(struct file_cache *c, const struct conf_server *server, const char *path, struct route *r,
	uint64_t now_ms, bool keep, bool *oom)
{
	enum file_class class = class_of(r);
	uint64_t hash = 0;

	*oom = false;
	keep = keep && c->table != NULL;
	if (class == FILE_CLASSES || (r->kind != ROUTE_STATIC && (!keep || c->lists[class].max == 0)))
		return NULL;
	if (keep) {
		hash = hash_of(c, server, path);
		struct file_entry *old = *slot_of(c, hash, server, path);
		if (old != NULL && same_route(old, r)) {
			route_close(r);
			old->until_ms = now_ms + c->age_ms;
			return use(c, old, now_ms);
		}
		if (old != NULL)
			forget(c, old);
	}
	struct file_entry *e = entry_new(r, path);
	if (e != NULL)
		e->class = class;
	if (e == NULL || (r->kind == ROUTE_STATIC && !represent_all(c, e, r))) {
		*oom = true;
		file_entry_unref(e);
		route_close(r);
		return NULL;
	}
	route_close(r);
	if (keep)
		remember(c, e, server, hash, now_ms);
	return e;
}
