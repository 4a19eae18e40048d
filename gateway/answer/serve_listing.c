/* SPDX-License-Identifier: Apache-2.0 */
/* A directory's content as a page, where Options Indexes allows it: names, but for dot files and what is denied or ignored. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/http/listing_page.h"
#include "gateway/http/status_text.h"
#include "gateway/answer/request_expr.h"
#include "gateway/answer/respond.h"
#include "gateway/answer/route.h"
#include "gateway/answer/serve.h"
#include "gateway/static/file_open.h"

#define ENTRIES_MAX 5000     /* shown; the loop serves nobody else meanwhile */
#define READ_MAX 20000       /* names read, shown or not */
#define TEXT_MAX (256 * 1024)/* octets of a HeaderName or ReadmeName file */

/* The page being made; strings live in the request's arena. */
struct listing {
	struct request *r;
	const struct conf_listing *how;
	DIR *dir;
	struct listing_entry *entries;
	size_t n;
	bool more;
};

/* --- entries -------------------------------------------------------------------------------------------------------------- */

static bool ignored(const struct conf_listing *how, const char *name)
{
	for (size_t i = 0; i < how->ignore_n; i++)
		if (fnmatch(how->ignore[i], name, 0) == 0)
			return true;
	return false;
}

static const char *description_of(const struct conf_listing *how, const char *name)
{
	for (size_t i = 0; i < how->descriptions_n; i++)
		if (fnmatch(how->descriptions[i].pattern, name, 0) == 0)
			return how->descriptions[i].text;
	return NULL;
}

/* What a name stands for, links followed as Options allow; false when that is nothing to be asked for. */
static bool look_at(const struct listing *l, const char *name, struct stat *st)
{
	if (fstatat(dirfd(l->dir), name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	if (S_ISLNK(st->st_mode)) {
		int fd = file_open_path(dirfd(l->dir), name, route_links(l->r->route.dir), st);
		if (fd < 0)
			return false;
		io_close(&fd);
	}
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

/* Take one name up. False when memory is out. */
static bool take(struct listing *l, const char *name)
{
	struct request *r = l->r;
	struct stat st;

	if (name[0] == '.' || ignored(l->how, name) || !look_at(l, name, &st))
		return true;
	bool dir = S_ISDIR(st.st_mode);
	struct request_judge judge;
	const struct route_env env = request_route_env(r, &judge);
	if (!route_may_list(&r->route, &env, r->server, r->path, name, dir))
		return true;
	char *copy = arena_strdup(&r->arena, name);
	if (copy == NULL)
		return false;
	l->entries[l->n++] = (struct listing_entry){.name = copy, .dir = dir, .size = st.st_size, .mtime = st.st_mtim.tv_sec,
		.description = description_of(l->how, name)};
	return true;
}

static bool take_all(struct listing *l)
{
	struct dirent *d;

	l->entries = calloc(ENTRIES_MAX, sizeof(*l->entries));
	if (l->entries == NULL)
		return false;
	for (unsigned read = 0; (d = readdir(l->dir)) != NULL; read++) {
		if (l->n == ENTRIES_MAX || read == READ_MAX) {
			l->more = true;
			break;
		}
		if (!take(l, d->d_name))
			return false;
	}
	return true;
}

/* --- texts above and below -------------------------------------------------------------------------------------------------- */

/* The octets of a file of this directory that may be asked for, in the arena. NULL: it is not there, or not for this. */
static char *read_text(const struct listing *l, const char *name, size_t *len)
{
	struct request *r = l->r;
	struct stat st;
	char *text = NULL;
	struct request_judge judge;
	const struct route_env env = request_route_env(r, &judge);

	if (!route_may_list(&r->route, &env, r->server, r->path, name, false))
		return NULL;
	int fd = file_open(dirfd(l->dir), name, route_links(r->route.dir), &st);
	if (fd < 0)
		return NULL;
	if (S_ISREG(st.st_mode) && st.st_size <= TEXT_MAX)
		text = arena_alloc(&r->arena, (size_t)st.st_size + 1);
	ssize_t n = text == NULL ? -1 : pread(fd, text, (size_t)st.st_size, 0);
	io_close(&fd);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}

/* HeaderName, ReadmeName: HTML is the site's own and shown as it is, other text as it reads. */
static const char *text_of(const struct listing *l, const char *name, struct buf *out)
{
	struct conf_file_meta meta;
	size_t len;

	if (name == NULL)
		return NULL;
	conf_file_meta(l->r->w->front->conf, l->r->route.dir, name, &meta);
	char *text = meta.type != NULL && strncmp(meta.type, "text/", 5) == 0 ? read_text(l, name, &len) : NULL;
	if (text == NULL)
		return NULL;
	if (strcmp(meta.type, "text/html") == 0)
		return text;
	if (buf_puts(out, "<pre>") < 0 || html_escape(out, text, len) < 0 || buf_append(out, "</pre>\n", sizeof("</pre>\n")) < 0)
		return NULL;
	return (const char *)buf_head(out);
}

/* --- page ---------------------------------------------------------------------------------------------------------------------- */

static int put_page(struct listing *l, struct buf *out)
{
	unsigned options = conf_bits_value(&l->how->options, 0);
	struct listing_page p = {.path = l->r->path, .entries = l->entries, .entries_n = l->n, .more = l->more,
		.date = (options & CONF_LIST_NO_DATE) == 0, .size = (options & CONF_LIST_NO_SIZE) == 0,
		.description = l->how->descriptions_n > 0 && (options & CONF_LIST_NO_DESCRIPTION) == 0,
		.links = (options & CONF_LIST_NO_SORTING) == 0,
		.order = {.key = l->how->order, .descending = l->how->descending,
			.folders_first = (options & CONF_LIST_FOLDERS_FIRST) != 0, .ignore_case = (options & CONF_LIST_IGNORE_CASE) != 0,
			.versions = (options & CONF_LIST_VERSION_SORT) != 0}};
	struct buf above, below;

	buf_init(&above);
	buf_init(&below);
	if ((options & CONF_LIST_IGNORE_CLIENT) == 0)
		listing_query(l->r->query, &p.order);
	listing_sort(l->entries, l->n, &p.order);
	p.above = text_of(l, l->how->header, &above);
	p.below = text_of(l, l->how->readme, &below);
	int err = listing_page(out, &p);
	buf_fini(&above);
	buf_fini(&below);
	return err;
}

static void answer(struct request *r, const struct buf *page)
{
	static const char type[] = "Content-Type: text/html; charset=utf-8\r\n";
	const struct buf fields = {.data = (uint8_t *)(uintptr_t)type, .len = sizeof(type) - 1, .cap = sizeof(type) - 1};

	respond_whole(r, 200, &fields, buf_head(page), buf_unread(page));
}

void serve_listing(struct request *r)
{
	struct listing l = {.r = r, .how = &r->route.dir->serving.listing};
	struct buf page;

	if (!respond_unless_read(r))
		return;
	l.dir = fdopendir(r->route.fd);
	if (l.dir == NULL) {
		respond_status(r, errno == ENOMEM ? 503 : 403);
		return;
	}
	r->route.fd = -1; /* closedir() closes it */
	buf_init(&page);
	bool ok = take_all(&l) && put_page(&l, &page) == GW_OK;
	closedir(l.dir);
	free(l.entries);
	if (ok)
		answer(r, &page);
	else
		request_abort(r);
	buf_fini(&page);
}
