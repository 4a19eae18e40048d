/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/log_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/base/log_frame.h"
#include "gateway/base/loop.h"
#include "gateway/http/http_date.h"
#include "gateway/log/log_writer_lock.h"
#include "sandbox/ipc_chan.h"

#define PENDING_MAX (4 * 1024 * 1024)      /* octets that one slow log may have waiting */
#define PENDING_ALL_MAX (64 * 1024 * 1024) /* and all of them */
#define DATAGRAMS_PER_TURN 64
#define RETRY_MS 20                        /* a full pipe or socket */
#define ASK_AGAIN_MS 1000                  /* what could not be opened */
#define TELL_MS 10000                      /* between two words about lost lines */
#define KEEP_OCTETS 4096

enum kind { KIND_UNKNOWN, KIND_FILE, KIND_PIPE, KIND_SYSLOG };

struct out {
	struct out *newer, *older;  /* open files by use */
	struct out *next_dirty;
	uint32_t id;
	enum kind kind;
	int fd;
	bool dirty, asked;
	uint64_t ask_ms;            /* not before */
	int facility;
	char ident[64];
	struct buf pending;         /* text; for syslog records with their heads, whole */
};

static struct {
	struct loop *loop;
	struct loop_io data, chan;
	struct loop_timer retry, tell;
	struct out **v;             /* by number */
	size_t n;
	struct out *newest, *oldest, *dirty;
	unsigned files_n;
	size_t pending;             /* octets, of all */
	uint64_t lost;              /* lines and parts of lines, since the last word about it */
	uint8_t *in;
	bool ending;
} w;

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the log process: %s: %m", what);
	_exit(EXIT_FAILURE);
}

/* --- what is open ---------------------------------------------------------------------------------------------------------- */

static void unlink_file(struct out *o)
{
	*(o->newer != NULL ? &o->newer->older : &w.newest) = o->older;
	*(o->older != NULL ? &o->older->newer : &w.oldest) = o->newer;
	o->newer = o->older = NULL;
	w.files_n--;
}

static void link_file(struct out *o)
{
	o->older = w.newest;
	*(w.newest != NULL ? &w.newest->newer : &w.oldest) = o;
	w.newest = o;
	w.files_n++;
}

static void shut(struct out *o)
{
	if (o->fd != -1 && o->kind == KIND_FILE)
		unlink_file(o);
	io_close(&o->fd);
}

static void touch(struct out *o)
{
	if (o->kind != KIND_FILE || o == w.newest)
		return;
	unlink_file(o);
	link_file(o);
}

static void set_retry(void)
{
	if (!loop_timer_armed(&w.retry) && loop_timer_set(w.loop, &w.retry, RETRY_MS) < 0)
		die("out of memory");
}

static void ask(struct out *o)
{
	struct ipc_msg m;

	if (o->asked || w.chan.fd == -1)
		return;
	if (loop_now_ms(w.loop) < o->ask_ms) {
		set_retry();
		return;
	}
	ipc_fill(&m, IPC_LOG_WANT, o->id, NULL);
	o->asked = ipc_send(w.chan.fd, &m) == GW_OK;
	if (!o->asked)
		set_retry();
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */

static void on_tell(struct loop *l, struct loop_timer *t)
{
	(void)l;
	(void)t;
	log_err("%llu log lines were lost: their reader is too slow or gone, or the disk is full", (unsigned long long)w.lost);
	w.lost = 0;
}

static void lose(uint64_t lines)
{
	bool first = w.lost == 0;

	w.lost += lines;
	if (lines > 0 && first && loop_timer_set(w.loop, &w.tell, TELL_MS) < 0)
		die("out of memory");
}

static uint64_t lines_of(const struct buf *b)
{
	uint64_t n = 0;

	for (const uint8_t *p = buf_head(b), *end = p + buf_unread(b); p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		n++;
	return n;
}

static void consume(struct out *o, size_t n)
{
	buf_consume(&o->pending, n);
	w.pending -= n;
	if (buf_unread(&o->pending) == 0)
		buf_recycle(&o->pending, KEEP_OCTETS);
}

/* To a file or a pipe. A file takes everything or fails; of what a pipe does not take the rest waits. */
static void write_text(struct out *o)
{
	while (buf_unread(&o->pending) > 0) {
		ssize_t n = write(o->fd, buf_head(&o->pending), buf_unread(&o->pending));
		if (n > 0) {
			consume(o, (size_t)n);
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			set_retry();
			return;
		}
		lose(lines_of(&o->pending));
		consume(o, buf_unread(&o->pending));
		if (o->kind == KIND_PIPE)
			shut(o);
	}
}

/* syslog(3): severities are those of the error log; RFC 3164 4.1.2 for the time. */
static size_t syslog_line(const struct out *o, const struct log_frame *f, char *out, size_t size)
{
	unsigned severity = f->severity > 7 ? 7 : f->severity;
	size_t len = f->len - (f->text[f->len - 1] == '\n');
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	int n = snprintf(out, size, "<%u>%s %2d %02d:%02d:%02d %s: %.*s", (unsigned)o->facility * 8 + severity, http_month_names[tm.tm_mon], tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec, o->ident, (int)len, f->text);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static void write_syslog(struct out *o)
{
	static char line[LOG_FRAME_TEXT_MAX + 256];
	struct log_frame f;

	while (buf_unread(&o->pending) > 0) {
		ssize_t used = log_frame_get(buf_head(&o->pending), buf_unread(&o->pending), &f);
		size_t len = used < 0 ? 0 : syslog_line(o, &f, line, sizeof(line));
		if (used < 0) {
			consume(o, buf_unread(&o->pending));
			return;
		}
		if (send(o->fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
			if (errno == EAGAIN || errno == ENOBUFS) {
				set_retry();
				return;
			}
			if (errno != EMSGSIZE) { /* restarted, mostly */
				shut(o);
				o->ask_ms = loop_now_ms(w.loop) + RETRY_MS;
				ask(o);
				return;
			}
			lose(1);
		}
		consume(o, (size_t)used);
	}
}

static void flush_out(struct out *o)
{
	if (buf_unread(&o->pending) == 0)
		return;
	if (o->fd == -1) {
		ask(o);
		return;
	}
	touch(o);
	if (o->kind == KIND_SYSLOG)
		write_syslog(o);
	else
		write_text(o);
}

static void flush_dirty(void)
{
	while (w.dirty != NULL) {
		struct out *o = w.dirty;
		w.dirty = o->next_dirty;
		o->dirty = false;
		flush_out(o);
	}
}

static void on_retry(struct loop *l, struct loop_timer *t)
{
	(void)l;
	(void)t;
	for (size_t i = 0; i < w.n; i++)
		if (w.v[i] != NULL)
			flush_out(w.v[i]);
}

/* --- lines ------------------------------------------------------------------------------------------------------------------- */

static struct out *out_of(uint32_t id)
{
	if (id >= LOG_WRITER_IDS)
		return NULL;
	if (id >= w.n) {
		size_t n = w.n == 0 ? 64 : w.n;
		while (n <= id)
			n *= 2;
		struct out **v = realloc(w.v, n * sizeof(struct out *));
		if (v == NULL)
			return NULL;
		memset(v + w.n, 0, (n - w.n) * sizeof(struct out *));
		w.v = v;
		w.n = n;
	}
	if (w.v[id] == NULL) {
		struct out *o = calloc(1, sizeof(*o));
		if (o == NULL)
			return NULL;
		o->id = id;
		o->fd = -1;
		buf_init(&o->pending);
		w.v[id] = o;
	}
	return w.v[id];
}

/* A log that is not open yet keeps records, since it may be syslog. */
static void take(const uint8_t *record, size_t n, const struct log_frame *f)
{
	struct out *o = out_of(f->id);
	bool whole = o != NULL && o->kind != KIND_FILE && o->kind != KIND_PIPE;
	const void *src = whole ? (const void *)record : f->text;
	size_t len = whole ? n : f->len;

	if (o == NULL || buf_unread(&o->pending) + len > PENDING_MAX || w.pending + len > PENDING_ALL_MAX ||
	    buf_append(&o->pending, src, len) < 0) {
		lose(1);
		return;
	}
	w.pending += len;
	if (!o->dirty) {
		o->dirty = true;
		o->next_dirty = w.dirty;
		w.dirty = o;
	}
}

/* Up to @max datagrams. False: no more there. */
static bool read_data(unsigned max)
{
	while (max-- > 0) {
		ssize_t n = recv(w.data.fd, w.in, LOG_FRAME_DATAGRAM_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (n <= 0)
			return false;
		if (n > LOG_FRAME_DATAGRAM_MAX) {
			lose(1);
			continue;
		}
		for (size_t at = 0, len = (size_t)n; at < len;) {
			struct log_frame f;
			ssize_t used = log_frame_get(w.in + at, len - at, &f);
			if (used < 0) { /* nothing behind it can be found */
				lose(1);
				break;
			}
			take(w.in + at, (size_t)used, &f);
			at += (size_t)used;
		}
	}
	return true;
}

static void on_chan(struct loop *l, struct loop_io *io, uint32_t ready);

static void on_data(struct loop *l, struct loop_io *io, uint32_t ready)
{
	(void)io;
	/* What the master said before the first of these was sent counts before it. */
	on_chan(l, &w.chan, ready);
	read_data(DATAGRAMS_PER_TURN);
	flush_dirty();
}

/* --- the master ------------------------------------------------------------------------------------------------------------- */

/* What waited for the log to be opened is text from now on. */
static void strip_heads(struct out *o)
{
	struct buf old = o->pending;
	struct log_frame f;
	ssize_t used;

	buf_init(&o->pending);
	w.pending -= buf_unread(&old);
	while (buf_unread(&old) > 0 && (used = log_frame_get(buf_head(&old), buf_unread(&old), &f)) > 0) {
		if (buf_append(&o->pending, f.text, f.len) < 0)
			lose(1);
		buf_consume(&old, (size_t)used);
	}
	w.pending += buf_unread(&o->pending);
	buf_fini(&old);
}

static void opened(struct out *o, struct ipc_msg *m)
{
	bool was_unknown = o->kind == KIND_UNKNOWN;

	shut(o);
	o->fd = m->fds[0];
	const char *text = ipc_text(m);
	o->kind = text[0] == '\0' ? KIND_FILE : text[0] == '|' ? KIND_PIPE : KIND_SYSLOG;
	if (was_unknown && o->kind != KIND_SYSLOG)
		strip_heads(o);
	if (o->kind == KIND_SYSLOG && sscanf(text, "%d %63s", &o->facility, o->ident) != 2)
		die("a syslog without a name");
	if (o->kind == KIND_FILE) {
		link_file(o);
		if (w.files_n > LOG_WRITER_FDS)
			shut(w.oldest);
	}
	flush_out(o);
}

static void forget(uint32_t id)
{
	struct out *o = id < w.n ? w.v[id] : NULL;

	if (o == NULL)
		return;
	flush_out(o);
	lose(o->kind == KIND_FILE || o->kind == KIND_PIPE ? lines_of(&o->pending) : buf_unread(&o->pending) > 0);
	consume(o, buf_unread(&o->pending));
	shut(o);
	buf_fini(&o->pending);
	w.v[id] = NULL;
	free(o);
}

static void reopen(void)
{
	while (w.oldest != NULL)
		shut(w.oldest);
}

static void on_message(struct ipc_msg *m)
{
	struct out *o = m->type == IPC_LOG_FD || m->type == IPC_LOG_NONE ? out_of(m->id) : NULL;

	switch (m->type) {
	case IPC_LOG_FD:
		if (o == NULL || !o->asked) {
			close(m->fds[0]);
			break;
		}
		o->asked = false;
		opened(o, m);
		break;
	case IPC_LOG_NONE:
		if (o == NULL)
			break;
		o->asked = false;
		o->ask_ms = loop_now_ms(w.loop) + ASK_AGAIN_MS;
		set_retry();
		break;
	case IPC_LOG_REOPEN:
		reopen();
		break;
	case IPC_LOG_END:
		w.ending = true;
		while (read_data(DATAGRAMS_PER_TURN))
			;
		flush_dirty();
		break;
	default: /* IPC_LOG_GONE */
		while (read_data(DATAGRAMS_PER_TURN))
			;
		flush_dirty();
		for (size_t i = 0; i + 4 <= m->body_len; i += 4)
			forget((uint32_t)m->body[i] << 24 | (uint32_t)m->body[i + 1] << 16 | (uint32_t)m->body[i + 2] << 8 | m->body[i + 3]);
		break;
	}
}

/* The master is gone, or wants us gone: what has come is written as far as that goes at once. */
_Noreturn static void end(void)
{
	while (read_data(DATAGRAMS_PER_TURN))
		;
	flush_dirty();
	if (w.lost > 0)
		on_tell(w.loop, &w.tell);
	_exit(EXIT_SUCCESS);
}

static void on_chan(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct ipc_msg m;

	(void)l;
	(void)ready;
	for (;;) {
		int err = ipc_recv(io->fd, IPC_MASTER, IPC_LOGGER, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err < 0)
			end();
		on_message(&m);
	}
}

static void end_of_batch(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	if (w.ending && w.pending == 0)
		end();
}

_Noreturn void log_writer_main(const struct conf_ids *ids, int chan, int data, bool privileged)
{
	log_role("log");
	prctl(PR_SET_NAME, "bulkhead-log");
	tzset(); /* while there is a file system */
	w.loop = loop_new();
	w.in = malloc(LOG_FRAME_DATAGRAM_MAX);
	if (w.loop == NULL || w.in == NULL)
		die("out of memory");
	w.data = (struct loop_io){.fd = data, .events = EPOLLIN, .cb = on_data};
	w.chan = (struct loop_io){.fd = chan, .events = EPOLLIN, .cb = on_chan};
	w.retry.cb = on_retry;
	w.tell.cb = on_tell;
	log_writer_lock(ids, privileged);
	if (loop_before_sleep(w.loop, end_of_batch, NULL) < 0 || loop_io_add(w.loop, &w.data, 0) < 0 || loop_io_add(w.loop, &w.chan, 0) < 0 || loop_run(w.loop) < 0)
		die("event loop");
	_exit(EXIT_SUCCESS);
}
