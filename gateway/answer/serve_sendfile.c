/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Sendfile and X-Accel-Redirect: a script names a file, and the front sends it with the script's fields, as it sends any
 * static file: conditions, ranges, compression. Whose tree may be named is the configuration's to say, not the script's:
 * the front may read other sites' files, the script may not. The file is opened beneath one of the allowed roots by the
 * rules for static files (static/file_open.h), so that links lead no further than they do there.
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/io.h"
#include "gateway/http/field_lines.h"
#include "gateway/http/uri.h"
#include "gateway/answer/request_expr.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/serve.h"
#include "gateway/static/file_open.h"

#define FIELD "x-sendfile"
#define ACCEL "x-accel-redirect"

/* Where a file lies: a root, and the rest of its path below that. */
struct place {
	const char *root, *rest;
	bool aliased; /* the root is an alias: not the site's own tree, so what nobody may ask for is not sent either */
};

/* Whether @root holds @path by whole segments; @rest is what is below it. */
static bool holds(const char *root, const char *path, const char **rest)
{
	size_t n = strlen(root);

	if (strncmp(root, path, n) != 0 || (path[n] != '/' && strcmp(root, "/") != 0))
		return false;
	*rest = path + n + (path[n] == '/');
	return **rest != '\0';
}

/* The longest root that the path is below. */
static bool find_root(const struct request *r, const char *path, struct place *p)
{
	const struct conf_edit *e = r->route.dir->edit;
	const char *rest;

	p->root = NULL;
	if (holds(r->server->docroot, path, &rest))
		*p = (struct place){r->server->docroot, rest, false};
	for (size_t i = 0; i < e->xsendfile_roots_n; i++)
		if (holds(e->xsendfile_roots[i], path, &rest) && (p->root == NULL || strlen(e->xsendfile_roots[i]) > strlen(p->root)))
			*p = (struct place){e->xsendfile_roots[i], rest, false};
	return p->root != NULL;
}

/* @value decoded once, without dot segments and repeated slashes, with a slash at its begin. NULL: it cannot be read so. */
static char *read_value(struct request *r, const char *value, size_t len)
{
	char *from = arena_printf(&r->arena, "/%.*s", (int)len, value), *to = arena_alloc(&r->arena, len + 2);

	return from != NULL && to != NULL && uri_normalise(from, len + 1, URI_SLASH_DECODE, to) >= 0 ? to : NULL;
}

/* X-Sendfile: a path of the file system, or one relative to the script's directory. */
static bool place_of_path(struct request *r, const char *value, size_t len, struct place *p)
{
	const char *path = read_value(r, value, len), *slash = strrchr(r->route.filename, '/');

	if (path != NULL && len > 0 && value[0] != '/')
		path = arena_printf(&r->arena, "%.*s%s", (int)(slash - r->route.filename), r->route.filename, path);
	return path != NULL && find_root(r, path, p);
}

/* X-Accel-Redirect: a URL path, through the host's aliases. */
static bool place_of_url(struct request *r, const char *value, size_t len, struct place *p)
{
	const char *query = memchr(value, '?', len), *path, *rest;

	path = read_value(r, value, query != NULL ? (size_t)(query - value) : len);
	if (path == NULL || value[0] != '/')
		return false;
	*p = (struct place){r->server->docroot, path + 1, false};
	for (size_t i = 0; i < r->server->path_aliases_n; i++) {
		const struct conf_alias *al = &r->server->path_aliases[i];
		if (holds(al->prefix, path, &rest)) {
			*p = (struct place){al->path, rest, true};
			break;
		}
	}
	return *p->rest != '\0';
}

bool serve_sendfile_asked(const struct request *r)
{
	const struct conf_edit *e = r->route.dir->edit;
	size_t len;

	return e != NULL && e->xsendfile && (cgi_header_find(&r->cgi, FIELD, &len) != NULL || cgi_header_find(&r->cgi, ACCEL, &len) != NULL);
}

/* Whether a client could have this file by its own name: access, no script, no name that begins with a dot. */
static bool may_be_asked_for(const struct conf_dir *settings, const char *rest, const char *name)
{
	return settings->granted && conf_handler_for(settings, name).kind == CONF_HANDLER_DEFAULT && rest[0] != '.' &&
		strstr(rest, "/.") == NULL;
}

/* Open the file by the settings of its own directory. Minus a status when it cannot be sent. */
static int open_file(struct request *r, const struct place *p, struct route *found)
{
	const char *slash = strrchr(p->rest, '/');
	const char *dir = arena_printf(&r->arena, "%s/%.*s", strcmp(p->root, "/") == 0 ? "" : p->root,
		slash != NULL ? (int)(slash - p->rest) + 1 : 0, p->rest);
	struct request_judge judge;
	request_judge_init(&judge, r);
	struct conf_match m = {.server = r->server, .dir = dir, .file = slash != NULL ? slash + 1 : p->rest, .judge = &judge.judge};
	const struct conf_dir *settings = dir != NULL ? conf_dir_for(r->w->cache, r->w->front->conf, &m) : NULL;

	if (settings == NULL)
		return -500;
	if (p->aliased && !may_be_asked_for(settings, p->rest, m.file))
		return -403;
	int root_fd = root_cache_open(&r->w->roots, p->root, loop_now_ms(r->w->loop));
	if (root_fd == -1)
		return -404;
	int fd = file_open(root_fd, p->rest, route_links(settings), &found->st);
	if (fd < 0)
		return fd;
	found->fd = fd;
	found->filename = arena_printf(&r->arena, "%s%s", dir, m.file);
	if (found->filename == NULL || !S_ISREG(found->st.st_mode)) {
		io_close(&found->fd);
		return found->filename == NULL ? -500 : -403;
	}
	return 0;
}

/* What the script said, without what is the file's to say and what was meant for us. */
static int keep_fields(struct request *r, struct buf *out)
{
	static const char *const ours[] = {"x-sendfile", "etag", "last-modified", "accept-ranges", "content-range"};
	struct field_line f;
	int err = GW_OK;

	for (size_t at = 0; err == GW_OK && field_lines_next(&r->cgi.fields, &at, &f);) {
		bool drop = f.name_len >= 8 && strncasecmp(f.name, "x-accel-", 8) == 0;
		for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
			drop |= f.name_len == strlen(ours[i]) && strncasecmp(f.name, ours[i], f.name_len) == 0;
		if (!drop)
			err = field_lines_add(out, f.name, f.name_len, f.value, f.value_len);
	}
	return err;
}

/* An entry of its own for the file, with the script's fields. */
static int make_entry(struct request *r, struct route *found)
{
	struct buf fields;
	bool oom;

	struct file_entry *e = file_cache_add(&r->w->files, r->server, r->path, found, loop_now_ms(r->w->loop), false, &oom);
	if (e == NULL)
		return GW_ERR_NOMEM;
	buf_init(&fields);
	int err = keep_fields(r, &fields);
	if (err == GW_OK)
		err = served_file_relabel(&e->file, &fields);
	buf_fini(&fields);
	file_entry_unref(r->entry);
	r->entry = e;
	r->route = e->route;
	return err;
}

static void refuse(struct request *r, int status, const char *value, size_t len)
{
	request_log_line(r, LOG_LV_ERROR, "%d: the file that the script named by X-Sendfile or X-Accel-Redirect cannot be sent: %.*s%s", status,
		(int)(len < 1024 ? len : 1024), value,
		status == 403 ? " (only regular files below DocumentRoot and XSendFilePath, where Options let links lead)" : "");
	r->sendfile = false;
	respond_status(r, status);
}

void serve_sendfile(struct request *r)
{
	struct route found = r->route;
	struct place p = {NULL, NULL, false};
	size_t len;
	const char *value = cgi_header_find(&r->cgi, FIELD, &len);
	bool placed = value != NULL ? place_of_path(r, value, len, &p) : false;

	if (value == NULL) {
		value = cgi_header_find(&r->cgi, ACCEL, &len);
		placed = place_of_url(r, value, len, &p);
	}
	int err = placed ? open_file(r, &p, &found) : -403;
	if (err < 0) {
		refuse(r, -err, value, len);
		return;
	}
	found.kind = ROUTE_STATIC;
	found.variants = NULL;
	if (make_entry(r, &found) < 0)
		request_abort(r);
	else
		serve_static_file(r);
}
