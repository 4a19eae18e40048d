/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/fcgi_client.h"
#include "gateway/base/container.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MAX 65536
#define CHUNK_MAX 65528          /* content of one STDIN record read from a file; with its header 64 KiB */
#define BATCHES_PER_EVENT 8      /* then other connections of the loop have their turn */
#define NO_DEADLINE_MS (1000ULL * 3600 * 24 * 365)

enum { CLIENT_NONE, CLIENT_RUNNING, CLIENT_FAILED, CLIENT_DIAGNOSING };
enum { SEND_BEGIN, SEND_PARAMS, SEND_STDIN, SEND_DONE };

/* Reading needs no memory of its own: what was read is consumed before the event returns. */
static __thread uint8_t read_buf[READ_MAX];
/* The client whose callback runs on this thread; cleared when the callback ends it (and perhaps frees it). */
static __thread struct fcgi_client *current;

/* --- the end of an exchange ------------------------------------------------------------------------------------------ */

/* Detach from loop and lease; afterwards the client can be started again or freed. */
static struct lease *detach(struct fcgi_client *c)
{
	struct lease *lease = c->lease;

	loop_timer_stop(c->loop, &c->deadline);
	if (c->watched)
		loop_io_del(c->loop, &c->io);
	c->watched = false;
	c->io.fd = -1;
	c->lease = NULL;
	c->state = CLIENT_NONE;
	buf_fini(&c->chunk);
	if (current == c)
		current = NULL;
	return lease;
}

static void finish(struct fcgi_client *c, enum lease_end how, enum backend_fail why, uint32_t app_status, const char *detail)
{
	struct lease *lease = detach(c);
	bool untouched = lease->reused && !c->answered && why == BACKEND_CLOSED;

	lease_release(lease, how);
	c->ops->end_cb(c, why, app_status, detail, untouched);
}

static void diagnosed(void *arg, enum backend_fail why, const char *detail)
{
	struct fcgi_client *c = arg;
	char copy[160]; /* the text may belong to the lease, which is released first */

	snprintf(copy, sizeof(copy), "%s", detail == NULL ? "" : detail);
	finish(c, LEASE_CLOSE, why == BACKEND_OK ? BACKEND_CLOSED : why, 0, detail == NULL ? NULL : copy);
}

/* The other side went away before END_REQUEST; a cell's end is known better by who leased it. */
static void closed_early(struct fcgi_client *c, const char *detail)
{
	const struct backend_ops *ops = c->lease->backend->ops;

	if (ops->diagnose == NULL) {
		finish(c, LEASE_CLOSE, BACKEND_CLOSED, 0, detail);
		return;
	}
	if (c->watched)
		loop_io_del(c->loop, &c->io);
	c->watched = false;
	loop_timer_stop(c->loop, &c->deadline);
	c->state = CLIENT_DIAGNOSING;
	if (current == c)
		current = NULL;
	ops->diagnose(c->lease, c->loop, diagnosed, c);
}

/* What becomes of the connection. @rest: @rest_n octets that came with END_REQUEST. */
static enum lease_end end_of(const struct fcgi_client *c, uint32_t status, const uint8_t *rest, size_t rest_n)
{
	const struct lease *l = c->lease;
	bool later = l->later_status != 0 && status == l->later_status;
	bool ready = later && rest_n == 1 && rest[0] == l->ready_octet;

	/* Whatever follows END_REQUEST must never be taken for a part of the next answer, and input that the
	 * application did not read must never be taken for the next request. */
	bool clean = c->phase == SEND_DONE && c->iov_at == c->iov_n && (rest_n == 0 || ready) && fcgi_decoder_at_end(&c->dec);
	if (!clean || !l->keep || (l->last_status != 0 && status == l->last_status) ||
		(l->stopped_status != 0 && status == l->stopped_status)) /* nobody has told it to */
		return LEASE_CLOSE;
	return later && !ready ? LEASE_LATER : LEASE_REUSE;
}

static void ended(struct fcgi_client *c, const struct fcgi_event *ev, const uint8_t *rest, size_t rest_n)
{
	static const char *const refusals[] = {
		[FCGI_PS_CANT_MPX] = "END_REQUEST says CANT_MPX_CONN",
		[FCGI_PS_OVERLOADED] = "END_REQUEST says OVERLOADED",
		[FCGI_PS_UNKNOWN_ROLE] = "END_REQUEST says UNKNOWN_ROLE",
	};
	uint8_t ps = ev->protocol_status;

	if (ps > FCGI_PS_UNKNOWN_ROLE) {
		finish(c, LEASE_CLOSE, BACKEND_PROTO, 0, "END_REQUEST with an unknown protocol status");
		return;
	}
	if (ps != FCGI_PS_COMPLETE) {
		finish(c, LEASE_CLOSE, BACKEND_REFUSED, 0, refusals[ps]);
		return;
	}
	finish(c, end_of(c, ev->app_status, rest, rest_n), BACKEND_OK, ev->app_status, NULL);
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	struct fcgi_client *c = container_of(t, struct fcgi_client, deadline);

	(void)l;
	if (c->state == CLIENT_FAILED)
		finish(c, LEASE_CLOSE, c->failed_why, 0, c->failed_detail);
	else
		finish(c, LEASE_KILL, BACKEND_TIMEOUT, 0, c->answered ? "the answer had begun" : "no answer had begun");
}

/* Fail from the next event on: no callback may come from inside fcgi_client_start() and the like. */
static void fail_later(struct fcgi_client *c, enum backend_fail why, const char *detail)
{
	c->state = CLIENT_FAILED;
	c->failed_why = why;
	c->failed_detail = detail;
	if (c->watched)
		loop_io_del(c->loop, &c->io);
	c->watched = false;
	/* The deadline is armed always, so re-arming it takes no memory; where arming it was what failed there is no
	 * event left to wait for, and a callback from inside is better than none. */
	if (loop_timer_set(c->loop, &c->deadline, 0) != GW_OK)
		finish(c, LEASE_CLOSE, why, 0, detail);
}

/* --- sending --------------------------------------------------------------------------------------------------------- */

static void push(struct fcgi_client *c, const void *p, size_t n)
{
	c->iov[c->iov_n].iov_base = (void *)(uintptr_t)p; /* sendmsg() only reads */
	c->iov[c->iov_n++].iov_len = n;
}

static void push_head(struct fcgi_client *c, enum fcgi_type type, size_t len)
{
	uint8_t *head = c->heads[c->heads_n++];
	const struct fcgi_hdr h = {.type = (uint8_t)type, .id = c->id, .content_len = (uint16_t)len};

	fcgi_hdr_encode(head, &h);
	push(c, head, FCGI_CODEC_HEAD_LEN);
}

static size_t at_most(uint64_t n, size_t max)
{
	return n < max ? (size_t)n : max;
}

/* The next piece of a body that is in a file. Returns 0, GW_ERR_NOMEM, or GW_ERR_SYS: unreadable, or shorter than promised. */
static int read_chunk(struct fcgi_client *c, size_t n)
{
	size_t got = 0;

	buf_reset(&c->chunk);
	if (buf_reserve(&c->chunk, CHUNK_MAX) != GW_OK)
		return GW_ERR_NOMEM;
	while (got < n) {
		ssize_t r = pread(c->body.fd, c->chunk.data + got, n - got, (off_t)(c->body_sent + got));
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0)
			return GW_ERR_SYS;
		got += (size_t)r;
	}
	return GW_OK;
}

/* One record of STDIN, or the empty one that ends it. Sets *@full when the batch must go out first. */
static int push_stdin(struct fcgi_client *c, bool *full)
{
	uint64_t left = c->body.len - c->body_sent;

	if (left == 0) {
		push_head(c, FCGI_T_STDIN, 0);
		c->phase = SEND_DONE;
		return GW_OK;
	}
	size_t n = at_most(left, c->body.fd == -1 ? FCGI_CODEC_MAX_CONTENT : CHUNK_MAX);
	if (c->body.fd == -1) {
		push_head(c, FCGI_T_STDIN, n);
		push(c, c->body.mem + c->body_sent, n);
	} else {
		if (*full) /* there is one chunk, and it waits to be sent */
			return GW_OK;
		int err = read_chunk(c, n);
		if (err != GW_OK)
			return err;
		push_head(c, FCGI_T_STDIN, n);
		push(c, c->chunk.data, n);
		*full = true;
	}
	c->body_sent += n;
	return GW_OK;
}

/* Put the next records into the vector, which has been sent: a small request is one batch, hence one system call. */
static int fill(struct fcgi_client *c)
{
	bool full = false;

	c->iov_n = c->iov_at = 0;
	c->heads_n = 0;
	while (c->phase != SEND_DONE && c->iov_n + 2 <= FCGI_CLIENT_IOV) {
		if (c->phase == SEND_BEGIN) {
			fcgi_begin_encode(c->begin, c->id, c->lease->keep);
			push(c, c->begin, sizeof(c->begin));
			c->phase = SEND_PARAMS;
		} else if (c->phase == SEND_PARAMS) {
			size_t n = at_most(c->params_len - c->params_sent, FCGI_CODEC_MAX_CONTENT);
			push_head(c, FCGI_T_PARAMS, n);
			if (n > 0)
				push(c, c->params + c->params_sent, n);
			else
				c->phase = SEND_STDIN; /* the empty record ended the stream */
			c->params_sent += n;
			if (c->phase == SEND_STDIN && c->lease->mark)
				break;
		} else {
			bool was_full = full;
			int err = push_stdin(c, &full);
			if (err != GW_OK)
				return err;
			if (was_full && c->phase != SEND_DONE)
				break;
		}
	}
	return GW_OK;
}

static void advance(struct fcgi_client *c, size_t n)
{
	while (c->iov_at < c->iov_n && n >= c->iov[c->iov_at].iov_len)
		n -= c->iov[c->iov_at++].iov_len;
	if (n > 0) {
		c->iov[c->iov_at].iov_base = (char *)c->iov[c->iov_at].iov_base + n;
		c->iov[c->iov_at].iov_len -= n;
	}
}

/* Tell the backend how far the request is. Where it wants to know whether the other side took the connection at all
 * (pool.h), the head goes out alone and is measured: a script may leave the rest unread to its end. */
static void note_progress(struct fcgi_client *c)
{
	struct lease *l = c->lease;
	int unread;

	if (l->mark && c->phase < SEND_STDIN)
		return;
	if (l->mark && (ioctl(l->fd, SIOCOUTQ, &unread) == -1 || unread == 0)) {
		c->began = true;
		atomic_store_explicit(&l->progress, LEASE_ANSWERED, memory_order_release);
		return;
	}
	c->began = true;
	if (l->mark)
		atomic_store_explicit(&l->unread, unread, memory_order_relaxed);
	atomic_store_explicit(&l->progress, LEASE_SENT, memory_order_release);
}

/* Send what the socket takes. Never calls back. MSG_DONTWAIT here and in receive(): a cell's socket was made by its
 * zygote, which can keep a copy of our end and take O_NONBLOCK away. */
static void send_some(struct fcgi_client *c)
{
	for (int i = 0; i < BATCHES_PER_EVENT && !c->send_dead; i++) {
		if (c->iov_at == c->iov_n) {
			if (c->phase == SEND_DONE)
				return;
			int err = fill(c);
			if (err != GW_OK) {
				fail_later(c, BACKEND_NOMEM, err == GW_ERR_SYS ?
					"the spooled request body cannot be read" : "no memory for the request body");
				return;
			}
		}
		struct msghdr m = {.msg_iov = c->iov + c->iov_at, .msg_iovlen = c->iov_n - c->iov_at};
		ssize_t n = sendmsg(c->lease->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			advance(c, (size_t)n);
			if (!c->began && (!c->lease->mark || c->iov_at == c->iov_n))
				note_progress(c);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == ENOMEM || errno == ENOBUFS) {
			fail_later(c, BACKEND_NOMEM, "the kernel has no memory to send");
			return;
		} else if (errno != EINTR) {
			/* Closed at the other end, perhaps after an answer that did not need the rest of the input:
			 * what can still be read decides. */
			c->send_dead = true;
		}
	}
}

static bool send_pending(const struct fcgi_client *c)
{
	return !c->send_dead && (c->phase != SEND_DONE || c->iov_at < c->iov_n);
}

/* Watch for what can make progress. A descriptor that waits for nothing must not be watched at all: a hang-up would be
 * reported again and again. */
static void watch(struct fcgi_client *c)
{
	uint32_t want = (c->paused ? 0 : EPOLLIN) | (send_pending(c) ? EPOLLOUT : 0);
	int err = GW_OK;

	if (c->state != CLIENT_RUNNING)
		return;
	if (want == 0) {
		if (c->watched)
			loop_io_del(c->loop, &c->io);
		c->watched = false;
		return;
	}
	if (c->watched) {
		err = loop_io_want(c->loop, &c->io, want);
	} else {
		c->io.events = want;
		err = loop_io_add(c->loop, &c->io, 0);
		c->watched = err == GW_OK;
	}
	if (err != GW_OK)
		fail_later(c, BACKEND_NOMEM, "the connection cannot be watched");
}

/* --- receiving ------------------------------------------------------------------------------------------------------- */

/* Hand on what was read. Returns false when the exchange ended (and the client is perhaps gone). */
static bool consume(struct fcgi_client *c, const uint8_t *in, size_t len)
{
	size_t at = 0;

	while (at < len) {
		struct fcgi_event ev;
		ssize_t n = fcgi_decode(&c->dec, in + at, len - at, &ev);
		if (n < 0) {
			char detail[80];
			snprintf(detail, sizeof(detail), "record version %u type %u id %u", c->dec.head[0], c->dec.head[1],
				(unsigned)(c->dec.head[2] << 8 | c->dec.head[3]));
			finish(c, LEASE_CLOSE, BACKEND_PROTO, 0, detail);
			return false;
		}
		at += (size_t)n;
		switch (ev.kind) {
		case FCGI_EV_NONE:
			break;
		case FCGI_EV_STDOUT:
			c->ops->stdout_cb(c, ev.data, ev.len);
			break;
		case FCGI_EV_STDERR:
			c->ops->stderr_cb(c, ev.data, ev.len);
			break;
		case FCGI_EV_END:
			ended(c, &ev, in + at, len - at);
			return false;
		}
		if (current != c)
			return false;
	}
	return true;
}

/* Returns false when the exchange ended. */
static bool receive(struct fcgi_client *c)
{
	char detail[80];
	ssize_t n = recv(c->lease->fd, read_buf, sizeof(read_buf), MSG_DONTWAIT);

	if (n > 0) {
		if (!c->answered)
			atomic_store_explicit(&c->lease->progress, LEASE_ANSWERED, memory_order_release);
		c->answered = true;
		current = c;
		if (!consume(c, read_buf, (size_t)n))
			return false;
		current = NULL;
		return true;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == 0)
		closed_early(c, c->answered ? "in the middle of the answer" : "before an answer");
	else {
		snprintf(detail, sizeof(detail), "%s: %s", c->answered ? "in the middle of the answer" : "before an answer",
			strerrordesc_np(errno));
		closed_early(c, detail);
	}
	return false;
}

static void on_io(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct fcgi_client *c = container_of(io, struct fcgi_client, io);
	bool broken = (ready & (EPOLLERR | EPOLLHUP)) != 0;

	(void)l;
	if (send_pending(c) && (broken || (ready & EPOLLOUT) != 0)) {
		send_some(c);
		if (c->state != CLIENT_RUNNING)
			return;
	}
	if (!c->paused && (broken || (ready & (EPOLLIN | EPOLLRDHUP)) != 0) && !receive(c))
		return;
	watch(c);
}

/* --- for the user ---------------------------------------------------------------------------------------------------- */

void fcgi_client_start(struct fcgi_client *c, const struct fcgi_client_ops *ops, struct loop *loop, struct lease *lease,
	const uint8_t *params, size_t params_len, const struct fcgi_body *body, uint64_t deadline_ms)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	c->loop = loop;
	c->lease = lease;
	c->params = params;
	c->params_len = params_len;
	c->body.fd = -1;
	if (body != NULL)
		c->body = *body;
	c->io = (struct loop_io){.fd = lease->fd, .cb = on_io};
	c->deadline.cb = on_timer;
	c->state = CLIENT_RUNNING;
	buf_init(&c->chunk);
	c->id = lease->request_id == 0 ? 1 : lease->request_id;
	fcgi_decoder_init(&c->dec, c->id);
	if (loop_timer_set(loop, &c->deadline, deadline_ms == 0 ? NO_DEADLINE_MS : deadline_ms) != GW_OK) {
		fail_later(c, BACKEND_NOMEM, "no memory for the deadline");
		return;
	}
	send_some(c);
	watch(c);
}

void fcgi_client_pause(struct fcgi_client *c)
{
	c->paused = true;
	/* From inside a callback of this client the event's end sees to it. */
	if (current != c)
		watch(c);
}

void fcgi_client_resume(struct fcgi_client *c)
{
	c->paused = false;
	if (current != c)
		watch(c);
}

/*
 * Only when all else was read: the application's library may read ahead, and a record that it takes a part of would be lost.
 * Nor from inside a callback, behind which there are octets of the answer that nobody else has.
 */
static bool told_to_stop(struct fcgi_client *c)
{
	const struct fcgi_hdr h = {.type = FCGI_T_ABORT_REQUEST, .id = c->id};
	uint8_t head[FCGI_CODEC_HEAD_LEN];
	int unread;

	if (c->state != CLIENT_RUNNING || current == c || !c->lease->backend->ops->drains || !c->lease->keep ||
	    c->phase != SEND_DONE || send_pending(c) || c->send_dead || ioctl(c->lease->fd, SIOCOUTQ, &unread) == -1 || unread != 0)
		return false;
	fcgi_hdr_encode(head, &h);
	return send(c->lease->fd, head, sizeof(head), MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(head);
}

void fcgi_client_abort(struct fcgi_client *c, enum lease_end how)
{
	if (c->state == CLIENT_NONE)
		return;
	if (how == LEASE_CLOSE && told_to_stop(c)) {
		c->lease->answer = c->dec;
		how = LEASE_DRAIN;
	}
	lease_release(detach(c), how);
}

struct lease_work *fcgi_client_work(struct fcgi_client *c)
{
	if (c->state == CLIENT_NONE || !c->lease->backend->ops->tells_end)
		return NULL;
	if (c->lease->work == NULL)
		c->lease->work = lease_work_new();
	return c->lease->work;
}
