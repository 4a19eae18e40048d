/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/route.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/http/uri.h"
#include "gateway/static/file_open.h"
#include "gateway/static/script_find.h"

/* One routing: what the steps share. */
struct routing {
	struct route *r;
	struct arena *a;
	const struct route_env *env;
	const struct conf_server *server;
	const char *path, *query;
	const char *rest;  /* the path below the root, no leading slash */
	size_t prefix_len; /* octets of path before rest */
	int root_fd;       /* borrowed from env->roots, or own_fd */
	int own_fd;
	bool in_index;     /* routing an index file: no further index */
	bool path_only;    /* the file is open by path only: a script that the front may not read */
	bool alias_file;   /* the path is an alias of one file: rest is that file's name, not part of path */
};

static void route_run(struct routing *t);

static void set_status(struct route *r, int status, const char *why)
{
	r->kind = ROUTE_STATUS;
	r->status = status;
	r->why = why;
}

void route_close(struct route *r)
{
	io_close(&r->fd);
	for (int i = 0; r->variants != NULL && i < CODINGS_N; i++)
		io_close(&r->variants->v[i].fd);
	r->variants = NULL;
}

/* Whether URL prefix @prefix covers @path by whole segments; @rest is what follows it. */
static bool covers(const char *prefix, const char *path, const char **rest)
{
	size_t n = strlen(prefix);

	if (strncmp(prefix, path, n) != 0)
		return false;
	*rest = path + n;
	return path[n] == '\0' || path[n] == '/' || (n > 0 && prefix[n - 1] == '/');
}

/* --- redirects ---------------------------------------------------------------------------------------------------------- */

static bool redirect_to(struct routing *t, int status, const char *target, const char *rest)
{
	struct route *r = t->r;
	char *encoded = arena_alloc(t->a, 3 * strlen(rest) + 1);

	r->kind = ROUTE_REDIRECT;
	r->status = status;
	r->location = NULL;
	if (target == NULL)
		return true;
	if (encoded != NULL) {
		uri_encode_path(rest, strlen(rest), encoded);
		r->location = t->query != NULL && strchr(target, '?') == NULL
			? arena_printf(t->a, "%s%s?%s", target, encoded, t->query)
			: arena_printf(t->a, "%s%s", target, encoded);
	}
	if (r->location == NULL)
		set_status(r, 500, "out of memory");
	return true;
}

static bool configured_redirect(struct routing *t, const struct conf_dir *d)
{
	const char *rest;

	for (size_t i = 0; i < d->redirects_n && !t->in_index; i++)
		if (covers(d->redirects[i].prefix, t->path, &rest))
			return redirect_to(t, d->redirects[i].status, d->redirects[i].target, rest);
	return false;
}

/* --- from path to root ----------------------------------------------------------------------------------------------------- */

static void choose_root(struct routing *t)
{
	const char *rest;

	t->r->root = t->server->docroot;
	t->r->context_prefix = "";
	t->rest = t->path + 1;
	for (size_t i = 0; i < t->server->path_aliases_n; i++) {
		const struct conf_alias *al = &t->server->path_aliases[i];
		if (!covers(al->prefix, t->path, &rest))
			continue;
		t->r->root = al->path;
		t->r->context_prefix = al->prefix;
		t->rest = *rest == '/' ? rest + 1 : rest;
		break;
	}
	t->prefix_len = (size_t)(t->rest - t->path);
}

/* An alias may name a file: then its directory is the root and its name the rest. */
static bool alias_to_file(struct routing *t)
{
	const char *slash = strrchr(t->r->root, '/');

	if (slash == NULL || slash == t->r->root || *t->rest != '\0')
		return false;
	t->rest = slash + 1;
	t->r->root = arena_strndup(t->a, t->r->root, (size_t)(slash - t->r->root));
	t->alias_file = true;
	return t->r->root != NULL;
}

static bool open_root(struct routing *t)
{
	t->root_fd = root_cache_open(t->env->roots, t->r->root, t->env->now_ms);
	/* Not through the cache: this root is no string of the configuration. */
	if (t->root_fd == -1 && errno == ENOTDIR && alias_to_file(t))
		t->root_fd = t->own_fd = file_open_dir(t->r->root, 0);
	if (t->root_fd != -1)
		return true;
	int err = errno;
	if (err == EMFILE || err == ENFILE)
		set_status(t->r, 503, "out of file descriptors");
	else
		set_status(t->r, err == ENOENT || err == ENOTDIR ? 404 : 403,
			   arena_printf(t->a, "DocumentRoot or Alias %s cannot be opened by the front's user: %s%s", t->r->root, strerror(err),
				   err == EACCES ? ", or a link on the way leads to what its owner does not own" : ""));
	return false;
}

/* --- settings -------------------------------------------------------------------------------------------------------------------- */

/* Effective settings for @file in the directory named by the first @dir_len octets of @rel (ending in a slash, or none). */
static const struct conf_dir *settings_for(struct routing *t, const char *rel, size_t dir_len, const char *file)
{
	const char *root = strcmp(t->r->root, "/") == 0 ? "" : t->r->root;
	struct conf_match m = {.server = t->server, .uri = t->path, .file = file, .judge = t->env->judge};

	m.dir = arena_printf(t->a, "%s/%.*s", root, (int)dir_len, rel);
	return m.dir == NULL ? NULL : conf_dir_for(t->env->cache, t->env->conf, &m);
}

/* The same for a path: its last name is the file, unless it ends in a slash. */
static const struct conf_dir *settings(struct routing *t, const char *rel, size_t rel_len)
{
	size_t dir_len = rel_len;

	while (dir_len > 0 && rel[dir_len - 1] != '/')
		dir_len--;
	const char *file = arena_strndup(t->a, rel + dir_len, rel_len - dir_len);
	return file == NULL ? NULL : settings_for(t, rel, dir_len, file);
}

/* A rule that cannot be read may be one that denies. */
static void no_settings(struct routing *t)
{
	t->r->dir = t->server->dir;
	set_status(t->r, 500, "no settings for this path: a section's regular expression gave up, or memory is out");
}

enum file_links route_links(const struct conf_dir *d)
{
	if ((d->options & CONF_OPT_FOLLOW) != 0)
		return FILE_LINKS_FOLLOW;
	return (d->options & CONF_OPT_OWNER_MATCH) != 0 ? FILE_LINKS_OWNER : FILE_LINKS_NEVER;
}

/* Octets of the URL path that name the first @used octets of rest. */
static size_t path_upto(const struct routing *t, size_t used)
{
	return t->alias_file ? strlen(t->path) : t->prefix_len + used;
}

/* Names that are nobody's business: dot files but /.well-known/, and .ht* and .user.ini wherever they are. */
static bool hidden(const char *path, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (path[i] != '/' || path[i + 1] != '.')
			continue;
		if (i == 0 && strncmp(path, "/.well-known", 12) == 0 && (len == 12 || path[12] == '/'))
			continue;
		return true;
	}
	return false;
}

/* --- finding the file --------------------------------------------------------------------------------------------------------------- */

static int names_script(void *arg, const char *name)
{
	struct routing *t = arg;
	size_t len = strlen(t->rest);

	/* Sections of every directory on the way count; which of them is the file's own is checked once it is open. */
	while (len > 0 && t->rest[len - 1] != '/')
		len--;
	const struct conf_dir *d = settings_for(t, t->rest, len, name);
	return d != NULL && conf_handler_for(d, name).kind != CONF_HANDLER_DEFAULT;
}

/*
 * Open what the path names below the root. *@used: octets of rest up to the end of the file or directory; for a missing
 * one up to the end of the first name that is not there, since access rules look at that name too.
 * Returns 0 with r->fd open, or minus a status.
 */
static int find_file(struct routing *t, enum file_links links, size_t *used)
{
	struct script_found f;
	const char *path = t->alias_file ? arena_printf(t->a, "/%s", t->rest) : t->rest - 1;

	if (path == NULL)
		return -500;
	enum script_kind kind = file_resolve_script(t->root_fd, path, links, names_script, t, &f);
	if (kind == SCRIPT_MISSING) {
		size_t next = f.len + (path[f.len] == '/');
		while (path[next] != '\0' && path[next] != '/')
			next++;
		*used = next > 0 ? next - 1 : 0;
		return -f.status;
	}
	*used = f.len > 0 ? f.len - 1 : 0;
	t->r->fd = f.fd;
	t->r->st = f.st;
	t->path_only = f.path_only;
	return 0;
}

/* Whether NAME.br beside a file that is served may be asked for itself, and is a file like any other. */
static bool variant_allowed(struct routing *t, const char *rel, const char *path)
{
	const char *uri = t->path, *slash = strrchr(rel, '/');

	t->path = path; /* <Location> looks at the neighbour's own path */
	const struct conf_dir *d = settings(t, rel, strlen(rel));
	t->path = uri;
	return d != NULL && d->granted && conf_handler_for(d, slash != NULL ? slash + 1 : rel).kind == CONF_HANDLER_DEFAULT;
}

/* Open the precompressed neighbours of the file that was found as the first @used octets of @rel. */
static void open_variants(struct routing *t, const char *rel, size_t used)
{
	static const char *const ext[CODINGS_N] = {NULL, "gz", "br"};
	struct route *r = t->r;
	struct route_variants *all = arena_calloc(t->a, 1, sizeof(*all));

	if (all == NULL)
		return;
	for (int i = 0; i < CODINGS_N; i++)
		all->v[i].fd = -1;
	for (int i = CODING_IDENTITY + 1; i < CODINGS_N; i++) {
		char *name = arena_printf(t->a, "%.*s.%s", (int)used, rel, ext[i]);
		char *path = arena_printf(t->a, "%s.%s", r->script_name, ext[i]);
		if ((r->dir->serving.precompressed & CODING_BIT(i)) == 0 || name == NULL || path == NULL || !variant_allowed(t, name, path))
			continue;
		int fd = file_open(t->root_fd, name, route_links(r->dir), &all->v[i].st);
		/* An older one is of an older file. Tools that compress copy the time, some without its fraction. */
		if (fd >= 0 && S_ISREG(all->v[i].st.st_mode) && all->v[i].st.st_mtim.tv_sec >= r->st.st_mtim.tv_sec)
			all->v[i].fd = fd;
		else if (fd >= 0)
			io_close(&fd);
	}
	r->variants = all;
}

/* Script or static, now that the file is open. */
static void route_file(struct routing *t, const char *rel, size_t used, const char *path_info)
{
	struct route *r = t->r;
	const char *root = strcmp(r->root, "/") == 0 ? "" : r->root;
	r->filename = arena_printf(t->a, "%s/%.*s", root, (int)used, rel);
	r->path_info = path_info;
	if (r->filename == NULL || r->script_name == NULL) {
		set_status(r, 500, "out of memory");
		return;
	}
	struct conf_handler h = conf_handler_for(r->dir, strrchr(r->filename, '/') + 1);
	switch (h.kind) {
	case CONF_HANDLER_DEFAULT:
		if (*path_info != '\0')
			set_status(r, 404, NULL);
		else if (t->path_only)
			set_status(r, 403, "the front's user may not read the file");
		else
			r->kind = ROUTE_STATIC;
		if (r->kind == ROUTE_STATIC && r->dir->serving.precompressed != 0)
			open_variants(t, rel, used);
		break;
	case CONF_HANDLER_PHP:
	case CONF_HANDLER_POOL:
		r->kind = ROUTE_PHP;
		r->pool = h.pool;
		io_close(&r->fd);
		if (!r->dir->php_engine)
			set_status(r, 403, "php_flag engine is off here: the source is not shown");
		break;
	case CONF_HANDLER_DENY:
		set_status(r, 403, "the handler configured for this file is not available");
		break;
	}
}

/* What DirectoryIndex or FallbackResource name by a URL path: routed like a request of its own, once. @file: only a file will do. */
static bool route_elsewhere(struct routing *t, const char *path, bool file)
{
	struct route there;

	if (t->in_index)
		return false;
	struct routing sub = {.r = &there, .a = t->a, .env = t->env, .server = t->server, .path = path,
		.query = t->query, .root_fd = -1, .own_fd = -1, .in_index = true};
	route_run(&sub);
	if ((there.kind == ROUTE_STATUS && there.status == 404) || (file && there.kind != ROUTE_STATIC && there.kind != ROUTE_PHP)) {
		route_close(&there);
		return false;
	}
	route_close(t->r);
	*t->r = there;
	t->r->elsewhere = true;
	return true;
}

/* Try one name of DirectoryIndex; true when it decided the request. */
static bool try_index(struct routing *t, const char *name)
{
	struct route *r = t->r;
	struct script_found f;
	const char *rel, *dir_path = t->path;

	if (name[0] == '/')
		return route_elsewhere(t, name, false);
	rel = arena_printf(t->a, "/%s%s", t->rest, name);
	r->script_name = arena_printf(t->a, "%s%s", t->path, name);
	if (rel == NULL || r->script_name == NULL)
		return false;
	/* From here on the file's own path decides: what denies it by name denies it as an index too. */
	t->path = r->script_name;
	bool found = file_resolve_script(t->root_fd, rel, route_links(r->dir), names_script, t, &f) != SCRIPT_MISSING;
	if (!found || !S_ISREG(f.st.st_mode) || rel[f.len] != '\0') {
		if (found)
			io_close(&f.fd);
		t->path = dir_path;
		return false;
	}
	route_close(r);
	r->fd = f.fd;
	r->st = f.st;
	t->path_only = f.path_only;
	const struct conf_dir *d = settings(t, rel + 1, strlen(rel + 1));
	if (d == NULL) {
		no_settings(t);
		return true;
	}
	if (!d->granted) {
		set_status(r, 403, "access to the index file is denied by configuration");
		return true;
	}
	r->dir = d;
	route_file(t, rel + 1, strlen(rel + 1), "");
	return true;
}

static void route_index(struct routing *t)
{
	struct route *r = t->r;

	for (size_t i = 0; i < r->dir->index.n; i++)
		if (try_index(t, r->dir->index.v[i]))
			return;
	if ((r->dir->options & CONF_OPT_INDEXES) != 0) {
		r->filename = arena_printf(t->a, "%s/%s", strcmp(r->root, "/") == 0 ? "" : r->root, t->rest);
		r->kind = ROUTE_LISTING;
		if (r->filename == NULL)
			set_status(r, 500, "out of memory");
		return;
	}
	set_status(r, 403, "a directory without an index file: see DirectoryIndex and Options Indexes");
}

/* A directory asked for without its slash: its own settings say what becomes of that. */
static void route_slash(struct routing *t)
{
	char *rel = arena_printf(t->a, "%s/", t->rest), *path = arena_printf(t->a, "%s/", t->path);
	const struct conf_dir *d = rel == NULL || path == NULL ? NULL : settings(t, rel, strlen(rel));

	if (d == NULL) {
		no_settings(t);
		return;
	}
	t->r->dir = d;
	if (!d->granted)
		set_status(t->r, 403, "denied by configuration (Require)");
	else if (d->serving.slash != CONF_SLASH_ON)
		set_status(t->r, 404, NULL);
	else
		redirect_to(t, 301, "", path);
}

static void route_directory(struct routing *t)
{
	if (t->path[strlen(t->path) - 1] != '/')
		route_slash(t);
	else
		route_index(t);
}

/*
 * Nothing is there: FallbackResource, unless the first name that is missing (the last of the first @used octets of rest) is a
 * script's. A missing script stays a missing script, as in Apache.
 */
static bool route_fallback(struct routing *t, size_t used)
{
	const struct conf_dir *d = t->r->dir;
	size_t from = used;

	if (d->serving.fallback == NULL)
		return false;
	while (from > 0 && t->rest[from - 1] != '/')
		from--;
	char *name = arena_strndup(t->a, t->rest + from, used - from);
	if (name == NULL || conf_handler_for(d, name).kind != CONF_HANDLER_DEFAULT)
		return false;
	return route_elsewhere(t, d->serving.fallback, true);
}

static void route_in_root(struct routing *t)
{
	struct route *r = t->r;
	size_t used;

	if (strlen(r->root) + strlen(t->rest) + 1 >= PATH_MAX) {
		r->dir = t->server->dir;
		set_status(r, 404, NULL); /* longer than any name of a file */
		return;
	}
	/* Settings by the path as written decide how links are treated; then again by what is really there. */
	r->dir = settings(t, t->rest, strlen(t->rest));
	if (r->dir == NULL) {
		no_settings(t);
		return;
	}
	enum file_links links = route_links(r->dir);
	int err = find_file(t, links, &used);
	if (used < strlen(t->rest)) {
		const struct conf_dir *d = settings(t, t->rest, used);
		if (d == NULL) {
			no_settings(t);
			return;
		}
		r->dir = d;
		if (route_links(d) < links && err == 0) {
			route_close(r);
			err = find_file(t, route_links(d), &used);
		}
	}
	if (!r->dir->granted) {
		set_status(r, 403, "denied by configuration (Require)");
		return;
	}
	if (hidden(t->path, path_upto(t, used))) {
		set_status(r, 403, "a file whose name starts with a dot");
		return;
	}
	if (configured_redirect(t, r->dir))
		return;
	if (err == -404 && route_fallback(t, used))
		return;
	if (err < 0) {
		set_status(r, -err, err == -404 ? NULL : "the file cannot be opened: permissions, or a symbolic link that Options refuse");
		return;
	}
	if (S_ISDIR(r->st.st_mode)) {
		route_directory(t);
		return;
	}
	r->script_name = arena_strndup(t->a, t->path, path_upto(t, used));
	const char *path_info = t->rest + used;
	if (t->env->kept != NULL && !t->in_index && *path_info != '\0')
		path_info = uri_kept_rest(t->env->kept, path_upto(t, used));
	route_file(t, t->rest, used, path_info);
}

static void route_run(struct routing *t)
{
	struct route *r = t->r;

	memset(r, 0, sizeof(*r));
	r->fd = -1;
	r->dir = t->server->dir;
	r->path_info = "";
	if (configured_redirect(t, t->server->dir))
		return;
	choose_root(t);
	if (open_root(t))
		route_in_root(t);
	io_close(&t->own_fd);
}

void route_find(struct route *r, struct arena *a, const struct route_env *env, const struct conf_server *server,
	const char *path, const char *query)
{
	struct routing t = {.r = r, .a = a, .env = env, .server = server, .path = path, .query = query, .root_fd = -1, .own_fd = -1};

	route_run(&t);
}

bool route_may_list(const struct route *r, const struct route_env *env, const struct conf_server *server, const char *path,
	const char *name, bool dir)
{
	char file[PATH_MAX], uri[2 * PATH_MAX];
	int file_len = snprintf(file, sizeof(file), "%s%s%s", r->filename, dir ? name : "", dir ? "/" : "");
	int uri_len = snprintf(uri, sizeof(uri), "%s%s%s", path, name, dir ? "/" : "");

	if (file_len < 0 || (size_t)file_len >= sizeof(file) || uri_len < 0 || (size_t)uri_len >= sizeof(uri))
		return false;
	struct conf_match m = {.server = server, .dir = file, .file = dir ? NULL : name, .uri = uri, .judge = env->judge};
	const struct conf_dir *d = conf_dir_for(env->cache, env->conf, &m);
	return d != NULL && d->granted;
}
