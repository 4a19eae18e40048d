/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/access_log.h"

#include <stdlib.h>

#include "gateway/base/io.h"

#define FLUSH_AT 65536 /* octets: write earlier than the end of the batch */

int access_log_init(struct access_log *l, size_t files_n, const int *fds)
{
	l->files_n = files_n;
	l->fds = fds;
	l->dirty_n = 0;
	l->bufs = calloc(files_n + 1, sizeof(*l->bufs));
	l->dirty = calloc(files_n + 1, sizeof(*l->dirty));
	if (l->bufs != NULL && l->dirty != NULL)
		return GW_OK;
	access_log_fini(l);
	return GW_ERR_NOMEM;
}

void access_log_fini(struct access_log *l)
{
	for (size_t i = 0; l->bufs != NULL && i < l->files_n; i++)
		buf_fini(&l->bufs[i]);
	free(l->bufs);
	free(l->dirty);
	l->bufs = NULL;
	l->dirty = NULL;
}

static void flush_file(struct access_log *l, size_t file)
{
	struct buf *b = &l->bufs[file];

	/* A full disk must not stop the server. */
	if (io_write_all(l->fds[file], buf_head(b), buf_unread(b)) < 0)
		log_err("access log: %zu octets lost: %m", buf_unread(b));
	buf_reset(b);
}

void access_log_add(struct access_log *l, const struct conf_server *server, struct access_format *const *formats,
	const struct access_event *e)
{
	for (size_t i = 0; i < server->custom_logs_n; i++) {
		const struct conf_custom_log *cl = &server->custom_logs[i];
		struct buf *b = &l->bufs[cl->file->index];
		bool was_empty = buf_unread(b) == 0;
		if (access_format_render(formats[cl->format_index], e, b) < 0)
			continue;
		if (was_empty && buf_unread(b) > 0)
			l->dirty[l->dirty_n++] = cl->file->index;
		if (buf_unread(b) >= FLUSH_AT)
			access_log_flush(l);
	}
}

void access_log_flush(struct access_log *l)
{
	for (size_t i = 0; i < l->dirty_n; i++)
		flush_file(l, l->dirty[i]);
	l->dirty_n = 0;
}
