/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/access_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log_frame.h"

#define FLUSH_AT 65536               /* octets: write earlier than the end of the batch */
#define FRAMED_MAX (2 * 1024 * 1024) /* octets that wait for the log process */
#define RETRY_MS 20

static void on_retry(struct loop *loop, struct loop_timer *t)
{
	(void)loop;
	access_log_flush(container_of(t, struct access_log, retry));
}

int access_log_init(struct access_log *l, size_t files_n, const struct log_sink *sinks, struct loop *loop)
{
	*l = (struct access_log){.loop = loop, .files_n = files_n, .sinks = sinks, .framed_fd = -1, .retry.cb = on_retry};
	buf_init(&l->framed);
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
	buf_fini(&l->framed);
	free(l->bufs);
	free(l->dirty);
	l->bufs = NULL;
	l->dirty = NULL;
}

static void flush_file(struct access_log *l, size_t file)
{
	struct buf *b = &l->bufs[file];

	/* A full disk must not stop the server. */
	if (io_write_all(l->sinks[file].fd, buf_head(b), buf_unread(b)) < 0)
		log_err("access log: %zu octets lost: %m", buf_unread(b));
	buf_reset(b);
}

/* --- the log process ------------------------------------------------------------------------------------------------------- */

/* Whole records for one datagram: as many as are below FLUSH_AT, or one that is longer. */
static size_t datagram(const struct buf *b)
{
	size_t n = 0;

	while (n < buf_unread(b)) {
		struct log_frame f;
		ssize_t used = log_frame_get(buf_head(b) + n, buf_unread(b) - n, &f);
		if (used < 0 || (n > 0 && n + (size_t)used > FLUSH_AT))
			break;
		n += (size_t)used;
	}
	return n;
}

static void flush_framed(struct access_log *l)
{
	while (buf_unread(&l->framed) > 0) {
		size_t n = datagram(&l->framed);
		if (n == 0 || send(l->framed_fd, buf_head(&l->framed), n, MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
			if (n > 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)) {
				if (!loop_timer_armed(&l->retry) && loop_timer_set(l->loop, &l->retry, RETRY_MS) < 0)
					l->lost++;
				return;
			}
			l->lost++;
		}
		buf_consume(&l->framed, n > 0 ? n : buf_unread(&l->framed));
	}
	buf_recycle(&l->framed, FLUSH_AT);
	if (l->lost > 0)
		log_err("access log: %llu lines lost: the log process is too slow", (unsigned long long)l->lost);
	l->lost = 0;
}

static void add_framed(struct access_log *l, const struct log_sink *sink, const struct access_format *format, const struct access_event *e)
{
	struct buf *b = &l->framed;
	size_t before = buf_unread(b);
	uint8_t head[LOG_FRAME_HEAD] = {0};

	l->framed_fd = sink->fd;
	if (before > FRAMED_MAX || buf_append(b, head, sizeof(head)) < 0 || access_format_render(format, e, b) < 0) {
		b->len = b->pos + before;
		l->lost++;
		return;
	}
	size_t len = buf_unread(b) - before - LOG_FRAME_HEAD;
	if (len > LOG_FRAME_TEXT_MAX) {
		b->len = b->pos + before;
		l->lost++;
		return;
	}
	log_frame_put(buf_head(b) + before, sink->id, LOG_LV_INFO, len);
	if (before + len >= FLUSH_AT && before < FLUSH_AT)
		flush_framed(l);
}

/* --- both -------------------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct conf_custom_log *cl, const struct access_event *e)
{
	size_t len;

	if (cl->expr != NULL)
		return e->holds == NULL || e->holds(e->arg, cl->expr) != 0;
	if (cl->env == NULL)
		return true;
	return (e->env != NULL && e->env(e->arg, cl->env, &len) != NULL) != cl->env_not;
}

void access_log_add(struct access_log *l, const struct conf_server *server, struct access_format *const *formats,
	const struct access_event *e)
{
	for (size_t i = 0; i < server->custom_logs_n; i++) {
		const struct conf_custom_log *cl = &server->custom_logs[i];
		struct buf *b = &l->bufs[cl->file->index];
		bool was_empty = buf_unread(b) == 0;
		if (!wanted(cl, e))
			continue;
		if (l->sinks[cl->file->index].framed) {
			add_framed(l, &l->sinks[cl->file->index], formats[cl->format_index], e);
			continue;
		}
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
	if (buf_unread(&l->framed) > 0)
		flush_framed(l);
}

bool access_log_waits(const struct access_log *l)
{
	return buf_unread(&l->framed) > 0;
}
