/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The channel to a site's zygote and the pipe that is its stderr. The zygote runs as the site's user and may have been
 * taken over: every message is checked against what was asked, and whoever lies is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/container.h"
#include "pools/cells_priv.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/rollback/rollback.h"

#define MESSAGES_PER_EVENT 32
#define PIPE_READS_PER_EVENT 4

/* --- up and down ------------------------------------------------------------------------------------------------------- */

/* Nothing is known of the cells any more: those that are leased finish or break, the others are over. */
static void disown(struct cells *s)
{
	struct cell *c, *next;

	for (size_t i = 0; i < CELLS_BUCKETS; i++) {
		for (c = s->bucket[i]; c != NULL; c = next) {
			next = c->next;
			if (c->state != CELL_LEASED) {
				cells_remove(s, c);
			} else if (!c->gone) {
				c->gone = c->orphan = true;
				cells_answer(c);
			}
		}
	}
}

void cells_lose(struct cells *s, const char *reason)
{
	bool starting = s->zygote == ZYGOTE_STARTING;

	if (s->chan.fd == -1)
		return;
	loop_io_del(s->loop, &s->chan);
	io_close(&s->chan.fd);
	disown(s);
	s->zygote = ZYGOTE_NONE;
	s->first_cells = false;
	budget_put_zygote(&s->account, io_now_ms());
	if (starting)
		cells_down(s, reason == NULL ? "closed while starting" : reason);
	else if (reason != NULL)
		cells_note(s, LOG_LV_WARN, "the zygote is gone: %s", reason);
	if (s->waitq.queued.n > 0)
		cells_pump_later(s);
}

void cells_condemn(struct cells *s, const char *reason)
{
	s->ask_kill = true;
	cells_note(s, LOG_LV_ERROR, "killing the zygote: %s", reason);
	cells_lose(s, reason);
}

void cells_down(struct cells *s, const char *reason)
{
	uint64_t now_ms = io_now_ms();

	s->zygote = ZYGOTE_DOWN;
	budget_put_zygote(&s->account, now_ms);
	/* One death says little: it may have been killed by hand, or for want of memory. Who waits need not know. */
	s->again = !s->tried && s->waitq.queued.n > 0;
	if (s->again) {
		s->tried = true;
		s->down_until_ms = now_ms + CELLS_AGAIN_MS;
		cells_note(s, LOG_LV_WARN, "PHP does not start: %s; trying once more", reason);
		return;
	}
	s->backoff_ms = s->backoff_ms == 0 ? CELLS_BACKOFF_MIN_MS : 2 * s->backoff_ms;
	if (s->backoff_ms > CELLS_BACKOFF_MAX_MS)
		s->backoff_ms = CELLS_BACKOFF_MAX_MS;
	s->down_until_ms = now_ms + s->backoff_ms;
	cells_note(s, LOG_LV_ERROR, "PHP does not start: %s; tried again in %lu ms", reason, (unsigned long)s->backoff_ms);
	waitq_fail_all(&s->waitq, BACKEND_DOWN);
}

/* Children of one zygote share their address-space layout and canary: crashing cell after cell is how one guesses them. */
static void count_crash(struct cells *s, const struct ipc_cell_gone *e)
{
	uint64_t now_ms = io_now_ms();

	if (e->code != SIGSEGV && e->code != SIGBUS && e->code != SIGABRT)
		return;
	s->crash_ms[s->crash_at] = now_ms;
	s->crash_at = (s->crash_at + 1) % CELLS_CRASHES_MAX;
	/* The slot overwritten next is the first of the last five. */
	uint64_t oldest_ms = s->crash_ms[s->crash_at];
	if (oldest_ms == 0 || now_ms - oldest_ms > CELLS_CRASHES_MS)
		return;
	memset(s->crash_ms, 0, sizeof(s->crash_ms));
	/* Its busy cells finish; the next zygote starts when the last of them has ended. */
	cells_lose(s, "retired after too many crashes of its cells");
}

/* --- messages ---------------------------------------------------------------------------------------------------------- */

static void read_pipe(struct cells *s);

static void on_pipe(struct loop *l, struct loop_io *io, uint32_t ready)
{
	(void)l;
	(void)ready;
	read_pipe(container_of(io, struct cells, pipe));
}

static void close_pipe(struct cells *s)
{
	if (s->pipe.fd == -1)
		return;
	loop_io_del(s->loop, &s->pipe);
	io_close(&s->pipe.fd);
}

static bool is_fifo(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool is_unix_stream(int fd)
{
	int domain, type;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* Returns NULL, or what is wrong. */
static const char *on_ready(struct cells *s, struct ipc_msg *m)
{
	if (s->zygote != ZYGOTE_STARTING)
		return "it is ready twice";
	if (!is_fifo(m->fds[0]))
		return "its log is no pipe";
	close_pipe(s); /* of the zygote before, whose last cells may still hold it */
	s->pipe.fd = m->fds[0];
	m->fds_n = 0;
	s->pipe.events = EPOLLIN;
	s->pipe.cb = on_pipe;
	if (io_nonblock(s->pipe.fd, 1) != GW_OK || loop_io_add(s->loop, &s->pipe, 0) != GW_OK) {
		io_close(&s->pipe.fd);
		return "its log cannot be read";
	}
	if (m->body_len > 0)
		cells_note(s, LOG_LV_WARN, "%.*s", (int)m->body_len, (const char *)m->body);
	s->zygote = ZYGOTE_READY;
	s->since_ms = io_now_ms();
	s->first_cells = true;
	return NULL;
}

static const char *on_up(struct cells *s, struct ipc_msg *m)
{
	struct cell *c = cells_find(s, m->id);

	if (c == NULL || c->state != CELL_WANTED || c->say != 0)
		return "a cell that was not asked for";
	if (!is_unix_stream(m->fds[0]))
		return "a cell without a socket";
	c->lease.fd = m->fds[0];
	m->fds_n = 0;
	io_no_descriptors(c->lease.fd);
	s->started++;
	s->backoff_ms = 0;
	s->tried = false;
	if (io_nonblock(c->lease.fd, 1) == GW_OK)
		cells_make_idle(s, c);
	else
		cells_close(s, c);
	return NULL;
}

static const char *on_fail(struct cells *s, struct ipc_msg *m)
{
	struct cell *c = cells_find(s, m->id);

	if (c == NULL || c->state != CELL_WANTED || c->say != 0)
		return "no cell, which was not asked for either";
	cells_note(s, LOG_LV_ERROR, "no new cell: %.*s", (int)m->body_len, (const char *)m->body);
	cells_remove(s, c);
	s->retry_ms = io_now_ms() + CELLS_RETRY_MS;
	return NULL;
}

/* A cell that rollback could not put back: counted, and told at debug level only, for nothing went wrong. */
static void note_discarded(struct cells *s, const struct cell *c)
{
	const char *why = c->end.how == 0 ? rollback_why_text(c->end.code) : NULL;

	if (why == NULL)
		return;
	uint64_t *n = &s->discarded[c->end.code - ROLLBACK_EXIT];
	++*n;
	cells_note(s, LOG_LV_DEBUG, "%s is not used again: %s (%llu so far)", c->name, why, (unsigned long long)*n);
}

static const char *on_gone(struct cells *s, struct ipc_msg *m)
{
	struct cell *c = cells_find(s, m->id);
	struct ipc_cell_gone end;
	char text[64 + CELLS_CALL_MAX];

	if (c == NULL || c->state == CELL_WANTED || c->gone)
		return "the end of a cell that there is not";
	if (ipc_get_cell_gone(m, &end) != GW_OK)
		return "the end of a cell, garbled";
	c->end = end;
	c->gone = true;
	bool bad = cells_describe(c, text, sizeof(text)) != BACKEND_CLOSED;
	s->killed += end.asked != 0;
	s->crashed += end.how == 1 && !end.asked;
	s->violations += end.how == 2;
	note_discarded(s, c);
	if (c->state == CELL_LEASED) {
		cells_answer(c); /* its request is told, and names the script */
	} else {
		if (bad && !end.asked)
			cells_note(s, LOG_LV_ERROR, "%s outside of a request", text);
		cells_remove(s, c);
	}
	if (end.how == 1 && !end.asked)
		count_crash(s, &end);
	return NULL;
}

/* For people, and for bulkhead --learned. It is asked for by configuration only; from others it is a broken protocol. */
static const char *on_learned(struct cells *s, struct ipc_msg *m)
{
	if (s->conf->profile != CONF_PROFILE_LEARN)
		return "it learns, which nobody asked for";
	cells_note(s, LOG_LV_WARN, "learned: %.*s", (int)m->body_len, (const char *)m->body);
	return NULL;
}

static const struct {
	uint16_t type;
	const char *(*fn)(struct cells *s, struct ipc_msg *m);
} handlers[] = {
	{IPC_ZYGOTE_READY, on_ready},
	{IPC_CELL_UP, on_up},
	{IPC_CELL_FAIL, on_fail},
	{IPC_CELL_GONE, on_gone},
	{IPC_LEARNED, on_learned},
};

static const char *handle(struct cells *s, struct ipc_msg *m)
{
	const char *wrong = "an unknown message";

	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
		if (handlers[i].type == m->type)
			wrong = handlers[i].fn(s, m);
	for (size_t i = 0; i < m->fds_n; i++)
		close(m->fds[i]);
	return wrong;
}

static void receive(struct cells *s)
{
	struct ipc_msg m;

	for (int i = 0; i < MESSAGES_PER_EVENT && s->chan.fd != -1; i++) {
		int err = ipc_recv(s->chan.fd, IPC_ZYGOTE, IPC_FRONT, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err == GW_ERR_PROTO) {
			cells_condemn(s, "it breaks the protocol");
		} else if (err != GW_OK) {
			cells_lose(s, err == GW_ERR_CLOSED ? "its channel was closed" : strerrordesc_np(errno));
		} else {
			const char *wrong = handle(s, &m);
			if (wrong != NULL)
				cells_condemn(s, wrong);
		}
	}
}

void cells_flush(struct cells *s)
{
	struct cell *c;

	while (s->chan.fd != -1 && s->zygote == ZYGOTE_READY && (c = TAILQ_FIRST(&s->out)) != NULL) {
		struct ipc_msg m;
		ipc_fill(&m, c->say, c->id, NULL);
		int err = ipc_send(s->chan.fd, &m);
		if (err == GW_ERR_AGAIN)
			break;
		if (err != GW_OK) {
			cells_lose(s, "its channel was closed");
			return;
		}
		if (c->say == IPC_CELL_KILL)
			c->killed_ms = io_now_ms();
		c->say = 0;
		TAILQ_REMOVE(&s->out, c, out_link);
	}
	if (s->chan.fd != -1) {
		uint32_t want = EPOLLIN | (!TAILQ_EMPTY(&s->out) && s->zygote == ZYGOTE_READY ? EPOLLOUT : 0);
		if (loop_io_want(s->loop, &s->chan, want) != GW_OK)
			cells_condemn(s, "its channel cannot be watched");
	}
}

static void on_chan(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct cells *s = container_of(io, struct cells, chan);

	(void)l;
	(void)ready;
	pthread_mutex_lock(&s->lock);
	receive(s);
	cells_pump(s);
	cells_unlock(s);
}

/* --- from the master --------------------------------------------------------------------------------------------------- */

void cells_zygote_up(struct backend *b, int chan)
{
	struct cells *s = (struct cells *)(void *)b;

	pthread_mutex_lock(&s->lock);
	s->thread = pthread_self();
	s->thread_known = true;
	cells_lose(s, "another one came up");
	budget_hold_zygote(&s->account);
	s->chan = (struct loop_io){.fd = chan, .events = EPOLLIN, .cb = on_chan};
	s->zygote = ZYGOTE_STARTING;
	s->since_ms = io_now_ms();
	if (io_nonblock(chan, 1) != GW_OK || loop_io_add(s->loop, &s->chan, 0) != GW_OK) {
		io_close(&s->chan.fd);
		cells_down(s, "its channel cannot be watched");
	}
	cells_pump(s);
	cells_unlock(s);
}

void cells_zygote_down(struct backend *b, const char *reason)
{
	struct cells *s = (struct cells *)(void *)b;

	pthread_mutex_lock(&s->lock);
	if (s->zygote == ZYGOTE_WANTED)
		cells_down(s, reason);
	else
		cells_lose(s, reason);
	cells_pump(s);
	cells_unlock(s);
}

/* --- the log pipe ------------------------------------------------------------------------------------------------------ */

static void put_line(struct cells *s)
{
	if (buf_append(&s->line, "", 1) == GW_OK && buf_unread(&s->line) > 1)
		s->host->log(s->host, s->conf, LOG_LV_ERROR, (const char *)buf_head(&s->line));
	buf_reset(&s->line);
}

/* What scripts and PHP write: lines of any length, NULs included (which end what is shown of a line). */
static void split(struct cells *s, const char *in, size_t n)
{
	while (n > 0) {
		const char *nl = memchr(in, '\n', n);
		size_t len = nl == NULL ? n : (size_t)(nl - in);
		size_t room = CELLS_LOG_LINE_MAX - buf_unread(&s->line);
		size_t take = len < room ? len : room;
		if (take > 0 && buf_append(&s->line, in, take) != GW_OK)
			buf_reset(&s->line);
		if (take == len && nl != NULL) {
			put_line(s);
			take++;
		} else if (take == room) {
			put_line(s); /* too long for one line: goes on in the next */
		}
		in += take;
		n -= take;
	}
}

/*
 * read() that never waits. The zygote made the pipe, so it can keep a copy of our end, take O_NONBLOCK away and read what
 * we were woken for: splice() has a flag of its own, and nobody else knows the pipe it fills.
 */
static ssize_t read_now(int fd, char *in, size_t size)
{
	static __thread int relay[2] = {-1, -1};

	if (relay[0] == -1 && pipe2(relay, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	ssize_t n = splice(fd, NULL, relay[1], NULL, size, SPLICE_F_NONBLOCK);
	return n > 0 ? read(relay[0], in, (size_t)n) : n;
}

/* Without the lock: pipe and line belong to the site's loop. */
static void read_pipe(struct cells *s)
{
	char in[16384];

	for (int i = 0; i < PIPE_READS_PER_EVENT; i++) {
		ssize_t n = read_now(s->pipe.fd, in, sizeof(in));
		if (n > 0) {
			split(s, in, (size_t)n);
		} else if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			put_line(s);
			close_pipe(s);
			return;
		}
	}
}
