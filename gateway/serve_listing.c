/* SPDX-License-Identifier: Apache-2.0 */
/* A directory's content as a page, where Options Indexes allows it: names, but for dot files and what is denied. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/status_text.h"
#include "gateway/http/uri.h"
#include "gateway/respond.h"
#include "gateway/serve.h"

#define ENTRIES_MAX 10000

struct entry {
	bool dir;
	char name[];
};

static bool visible(struct request *r, const struct dirent *d)
{
	return d->d_name[0] != '.' && route_may_list(&r->route, r->w->cache, r->w->front->conf, r->server, r->path, d->d_name,
		d->d_type == DT_DIR);
}

static int put_entry(struct buf *page, const char *name, bool dir)
{
	char encoded[3 * 256 + 1];

	size_t n = uri_encode_path(name, strlen(name), encoded);
	/* "./" keeps a name with a colon from being read as a scheme. */
	int err = buf_puts(page, "<li><a href=\"./");
	if (err == 0)
		err = html_escape(page, encoded, n);
	if (err == 0)
		err = buf_puts(page, dir ? "/\">" : "\">");
	if (err == 0)
		err = html_escape(page, name, strlen(name));
	return err < 0 ? err : buf_puts(page, dir ? "/</a></li>\n" : "</a></li>\n");
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct entry *const *)a)->name, (*(struct entry *const *)b)->name);
}

/* A copy of what is shown: a record of readdir(3) is shorter than its type says. */
static struct entry *entry_of(const struct dirent *d)
{
	size_t size = strlen(d->d_name) + 1;
	struct entry *e = malloc(sizeof(*e) + size);

	if (e != NULL) {
		e->dir = d->d_type == DT_DIR;
		memcpy(e->name, d->d_name, size);
	}
	return e;
}

static int put_entries(struct request *r, struct buf *page, DIR *dir)
{
	struct entry **list = calloc(ENTRIES_MAX, sizeof(*list));
	struct dirent *d;
	size_t n = 0;
	int err = list == NULL ? GW_ERR_NOMEM : 0;

	while (err == 0 && n < ENTRIES_MAX && (d = readdir(dir)) != NULL) {
		if (!visible(r, d))
			continue;
		list[n] = entry_of(d);
		if (list[n] == NULL)
			err = GW_ERR_NOMEM;
		else
			n++;
	}
	if (list != NULL)
		qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++) {
		if (err == 0)
			err = put_entry(page, list[i]->name, list[i]->dir);
		free(list[i]);
	}
	free(list);
	return err;
}

static int put_page(struct request *r, struct buf *page, DIR *dir)
{
	const char *path = r->path;
	int err = buf_puts(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Index of ");

	if (err == 0)
		err = html_escape(page, path, strlen(path));
	if (err == 0)
		err = buf_puts(page, "</title></head>\n<body><h1>Index of ");
	if (err == 0)
		err = html_escape(page, path, strlen(path));
	if (err == 0)
		err = buf_puts(page, "</h1>\n<ul>\n");
	if (err == 0 && strcmp(path, "/") != 0)
		err = buf_puts(page, "<li><a href=\"../\">../</a></li>\n");
	if (err == 0)
		err = put_entries(r, page, dir);
	return err < 0 ? err : buf_puts(page, "</ul></body></html>\n");
}

void serve_listing(struct request *r)
{
	static const char type[] = "Content-Type: text/html; charset=utf-8\r\n";
	struct buf page, fields;
	DIR *dir = NULL;

	if (!respond_unless_read(r))
		return;
	buf_init(&page);
	buf_init(&fields);
	dir = fdopendir(r->route.fd);
	if (dir != NULL)
		r->route.fd = -1; /* closedir() closes it */
	if (dir == NULL)
		respond_status(r, 403);
	else if (put_page(r, &page, dir) < 0 || buf_puts(&fields, type) < 0)
		request_abort(r);
	else if (respond_head(r, 200, NULL, &fields, (int64_t)buf_unread(&page)) &&
		 respond_body(r, buf_head(&page), buf_unread(&page)))
		request_answered(r);
	if (dir != NULL)
		closedir(dir);
	buf_fini(&page);
	buf_fini(&fields);
}
