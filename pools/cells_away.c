/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Cells that nobody waits for: they work on behind their answer, after fastcgi_finish_request(), until one octet says that
 * they read again; or their client has left, and the rest of the answer is read off.
 */
#include <errno.h>
#include <sys/socket.h>

#include "gateway/base/container.h"
#include "pools/cells_priv.h"

#define READ_MAX 65536
#define DRAIN_MAX ((size_t)1 << 20) /* octets: a script is stopped at its next output, and behind that there is a socket's buffer */
#define DRAIN_NOTES_MAX 16

/* Whose time was up may be killed at any moment. */
static bool is_left_alone(const struct cell *c)
{
	return c->killed_ms == 0 && c->say != IPC_CELL_KILL;
}

/* It is ready again, or not to be used again. */
static void came_back(struct cells *s, struct cell *c, bool ready)
{
	if (ready && is_left_alone(c))
		cells_make_idle(s, c);
	else
		cells_close(s, c);
}

/* One that was over before it was told still has that before its next request. */
static void ended(struct cells *s, struct cell *c, const struct fcgi_event *end, size_t rest_n)
{
	came_back(s, c, end->protocol_status == FCGI_PS_COMPLETE && end->app_status == c->lease.stopped_status && rest_n == 0 &&
		fcgi_decoder_at_end(&c->lease.answer));
}

/* Of the answer only what is for the log counts. */
static void drain(struct cells *s, struct cell *c, const uint8_t *in, size_t len)
{
	for (size_t at = 0; at < len;) {
		struct fcgi_event ev;
		ssize_t n = fcgi_decode(&c->lease.answer, in + at, len - at, &ev);
		if (n < 0) {
			came_back(s, c, false);
			return;
		}
		at += (size_t)n;
		if (ev.kind == FCGI_EV_STDERR && ev.len > 0 && ev.data[ev.len - 1] == '\n')
			ev.len--;
		if (ev.kind == FCGI_EV_STDERR && ev.len > 0 && c->drain_notes++ < DRAIN_NOTES_MAX)
			cells_note(s, LOG_LV_ERROR, "%s, its client has left: %.*s", c->name, (int)ev.len, (const char *)ev.data);
		if (ev.kind == FCGI_EV_END) {
			ended(s, c, &ev, len - at);
			return;
		}
	}
}

static void on_answer(struct loop *l, struct loop_io *io, uint32_t ready)
{
	static __thread uint8_t in[READ_MAX];
	struct cell *c = container_of(io, struct cell, away);
	struct cells *s = c->site;

	(void)l;
	(void)ready;
	pthread_mutex_lock(&s->lock);
	ssize_t n = recv(c->lease.fd, in, sizeof(in), MSG_DONTWAIT);
	bool again = n == -1 && (errno == EAGAIN || errno == EINTR);
	if (n > 0 && (c->drained += (size_t)n) <= DRAIN_MAX)
		drain(s, c, in, (size_t)n);
	else if (!again)
		came_back(s, c, false);
	cells_settle(s);
	cells_unlock(s);
}

static void on_octet(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct cell *c = container_of(io, struct cell, away);
	struct cells *s = c->site;
	uint8_t got[2];

	(void)l;
	(void)ready;
	pthread_mutex_lock(&s->lock);
	ssize_t n = recv(c->lease.fd, got, sizeof(got), MSG_DONTWAIT);
	bool again = n == -1 && (errno == EAGAIN || errno == EINTR);
	if (!again)
		came_back(s, c, n == 1 && got[0] == IPC_CELL_READY); /* else its end, or octets that nobody asked for */
	cells_settle(s);
	pthread_mutex_unlock(&s->lock);
}

void cells_watch_away(struct cells *s)
{
	struct cell *next;

	for (struct cell *c = TAILQ_FIRST(&s->closing); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state != CELL_AWAY || c->away.fd != -1)
			continue;
		c->away = (struct loop_io){.fd = c->lease.fd, .events = EPOLLIN, .cb = c->drains ? on_answer : on_octet};
		if (loop_io_add(s->loop, &c->away, 0) < 0) {
			c->away.fd = -1;
			cells_close(s, c); /* goes to the end of this list, as one that is closing */
		}
	}
}
