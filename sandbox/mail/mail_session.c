/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message: from a cell's connection to the relay, in pieces, so that its size costs no memory here. A cell shares its
 * end's file description with us if it likes, so O_NONBLOCK there means nothing: every call says MSG_DONTWAIT itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_site.h"

#define PIECE 16384
#define OUT_MAX 65536  /* towards the relay; more is read from the cell when less is waiting */

enum phase { PHASE_ENVELOPE, PHASE_CONNECT, PHASE_TALK };

struct mail_session {
	struct mail_site *site;
	enum phase phase;
	struct loop_io cell, relay;
	struct loop_timer deadline;
	uint8_t head[MAIL_HEAD_LEN];
	size_t got;             /* octets of head and envelope that are here */
	struct mail_head h;
	char *envelope;         /* owned */
	struct mail_envelope e; /* points into it */
	uint64_t charged;       /* taken from the site's rate */
	struct smtp_dialog dialog;
	struct smtp_text text;
	uint32_t left;          /* octets of the message that the cell still owes */
	struct buf in, out;     /* from and to the relay */
};

static struct loop *loop_of(const struct mail_session *s)
{
	return s->site->role->loop;
}

static void session_free(struct mail_session *s)
{
	struct mail_site *site = s->site;

	loop_timer_stop(loop_of(s), &s->deadline);
	loop_io_del(loop_of(s), &s->cell);
	loop_io_del(loop_of(s), &s->relay);
	io_close(&s->cell.fd);
	io_close(&s->relay.fd);
	buf_fini(&s->in);
	buf_fini(&s->out);
	free(s->envelope);
	free(s);
	site->sessions_n--;
	site->role->sessions_n--;
	site->role->session_ended(site->role, site);
}

/* --- ends ----------------------------------------------------------------------------------------------------------- */

/* The envelope's sender, as the relay is told it. */
static const char *sender_of(const struct mail_session *s)
{
	return s->e.from[0] != '\0' ? s->e.from : s->site->sender;
}

static void describe(const struct mail_session *s, char *out, size_t size)
{
	if (s->e.rcpts_n == 0)
		snprintf(out, size, "a message without an envelope");
	else
		snprintf(out, size, "from <%.120s> to <%.120s>%s, %zu recipient%s, %u octets", sender_of(s),
			 s->e.rcpts, s->e.rcpts_n > 1 ? " ..." : "", s->e.rcpts_n, s->e.rcpts_n == 1 ? "" : "s", (unsigned)s->h.message_len);
}

/* Say goodbye to both sides; the answer is small and the first thing that the cell's socket has to take. Frees @s. */
static void finish(struct mail_session *s, const struct mail_answer *a)
{
	struct log_about about = {.script = s->e.script};
	uint8_t wire[MAIL_ANSWER_MAX];
	char what[400];

	describe(s, what, sizeof(what));
	mail_site_log(s->site, a, &about, what);
	/* What never reached the relay is no mail sent. */
	if (a->status == MAIL_FAILED && !(s->phase == PHASE_TALK && s->dialog.step == SMTP_DOT))
		mail_rate_return(&s->site->rate, s->charged);
	size_t len = mail_put_answer(a, wire);
	if (s->cell.fd != -1 && send(s->cell.fd, wire, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("a cell did not wait for its answer");
	if (s->relay.fd != -1 && buf_unread(&s->out) > 0 && s->dialog.step == SMTP_END &&
	    send(s->relay.fd, buf_head(&s->out), buf_unread(&s->out), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("a relay did not wait for QUIT");
	session_free(s);
}

static void GW_PRINTF(3, 4) fail(struct mail_session *s, enum mail_status status, const char *fmt, ...)
{
	struct mail_answer a = {.status = status};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a.text, sizeof(a.text), fmt, ap);
	va_end(ap);
	finish(s, &a);
}

/* Whether it is the relay that we wait for, and not the cell. */
static bool waits_for_relay(const struct mail_session *s)
{
	return s->phase == PHASE_CONNECT || (s->phase == PHASE_TALK && (s->dialog.step != SMTP_BODY || buf_unread(&s->out) >= OUT_MAX));
}

static void on_deadline(struct loop *l, struct loop_timer *t)
{
	struct mail_session *s = container_of(t, struct mail_session, deadline);

	if (!waits_for_relay(s)) {
		fail(s, MAIL_FAILED, "the script took too long to hand over its message");
		return;
	}
	s->site->hung_until_ms = loop_now_ms(l) + MAIL_BACKOFF_MS;
	fail(s, MAIL_FAILED, "the relay %s did not answer %s in time", s->site->conf->mail_relay->addr.text,
	     s->phase == PHASE_CONNECT ? "a connection" : smtp_step_name(s->dialog.step));
}

/* --- between the two ------------------------------------------------------------------------------------------------- */

static int want_events(struct mail_session *s)
{
	bool body = s->phase == PHASE_TALK && s->dialog.step == SMTP_BODY;
	uint32_t cell = s->phase == PHASE_ENVELOPE || (body && buf_unread(&s->out) < OUT_MAX) ? EPOLLIN : 0;
	uint32_t relay = s->phase == PHASE_CONNECT ? EPOLLOUT : EPOLLIN | (buf_unread(&s->out) > 0 ? EPOLLOUT : 0U);
	int err = s->cell.fd == -1 ? 0 : loop_io_want(loop_of(s), &s->cell, cell);

	return err != 0 || s->relay.fd == -1 ? err : loop_io_want(loop_of(s), &s->relay, relay);
}

/* Move what the cell has written on to the relay's buffer. */
static int pump_message(struct mail_session *s)
{
	char piece[PIECE];
	int err = 0;

	while (err == 0 && s->left > 0 && buf_unread(&s->out) < OUT_MAX) {
		ssize_t n = recv(s->cell.fd, piece, s->left < PIECE ? s->left : PIECE, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return GW_ERR_CLOSED; /* cut: the relay never sees the dot */
		s->left -= (uint32_t)n;
		err = smtp_text_put(&s->text, piece, (size_t)n, &s->out);
	}
	if (err == 0 && s->left == 0) {
		err = smtp_text_end(&s->text, &s->out);
		smtp_dialog_sent(&s->dialog);
	}
	return err;
}

static int flush_relay(struct mail_session *s)
{
	while (buf_unread(&s->out) > 0) {
		ssize_t n = send(s->relay.fd, buf_head(&s->out), buf_unread(&s->out), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0 : GW_ERR_SYS;
		buf_consume(&s->out, (size_t)n);
	}
	return 0;
}

/* After anything has happened: move on as far as it goes. Frees @s when that is the end. */
static void go_on(struct mail_session *s)
{
	int err = 0;

	if (s->phase == PHASE_TALK && s->dialog.step == SMTP_BODY) {
		err = pump_message(s);
		if (err == GW_ERR_CLOSED) {
			fail(s, MAIL_FAILED, "the script ended within its message");
			return;
		}
	}
	if (err == 0 && s->phase == PHASE_TALK && flush_relay(s) != 0) {
		fail(s, MAIL_FAILED, "the relay closed the connection at %s: %s", smtp_step_name(s->dialog.step), strerror(errno));
		return;
	}
	if (err != 0 || want_events(s) != 0)
		fail(s, MAIL_FAILED, "out of memory");
}

/* --- the relay ------------------------------------------------------------------------------------------------------- */

static void on_connected(struct mail_session *s)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(s->relay.fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 || err != 0) {
		fail(s, MAIL_FAILED, "no connection to the relay %s: %s", s->site->conf->mail_relay->addr.text, strerror(err != 0 ? err : errno));
		return;
	}
	s->phase = PHASE_TALK;
	smtp_dialog_init(&s->dialog);
	smtp_text_init(&s->text);
	go_on(s);
}

static void on_relay(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct mail_session *s = container_of(io, struct mail_session, relay);
	struct smtp_reply r;

	(void)l;
	if (s->phase == PHASE_CONNECT) {
		on_connected(s);
		return;
	}
	if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		if (buf_reserve(&s->in, 4096) != 0) {
			fail(s, MAIL_FAILED, "out of memory");
			return;
		}
		ssize_t n = recv(s->relay.fd, s->in.data + s->in.len, 4096, MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
			fail(s, MAIL_FAILED, "the relay closed the connection at %s", smtp_step_name(s->dialog.step));
			return;
		}
		s->in.len += n > 0 ? (size_t)n : 0;
	}
	while (buf_unread(&s->in) > 0) {
		ssize_t used = smtp_reply_decode((const char *)buf_head(&s->in), buf_unread(&s->in), &r);
		if (used == 0)
			break;
		if (used < 0) {
			fail(s, MAIL_FAILED, "the relay does not speak SMTP at %s", smtp_step_name(s->dialog.step));
			return;
		}
		buf_consume(&s->in, (size_t)used);
		if (smtp_dialog_reply(&s->dialog, &r, &s->out) != 0) {
			fail(s, MAIL_FAILED, "out of memory");
			return;
		}
		if (s->dialog.step == SMTP_END) {
			struct mail_answer a = s->dialog.answer;
			finish(s, &a);
			return;
		}
	}
	go_on(s);
}

static void connect_relay(struct mail_session *s)
{
	const struct conf_addr *to = &s->site->conf->mail_relay->addr;

	s->phase = PHASE_CONNECT;
	s->relay = (struct loop_io){.fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .events = EPOLLOUT,
		.cb = on_relay};
	if (s->relay.fd == -1 || (connect(s->relay.fd, &to->u.sa, to->len) == -1 && errno != EINPROGRESS))
		fail(s, MAIL_FAILED, "no connection to the relay %s: %s", to->text, strerror(errno));
	else if (loop_io_add(loop_of(s), &s->relay, 0) != 0 || want_events(s) != 0)
		fail(s, MAIL_FAILED, "out of memory");
}

/* --- the rules -------------------------------------------------------------------------------------------------------- */

static bool sender_fits(const struct mail_session *s)
{
	const struct conf_strs *rules = &s->site->conf->mail_from;

	for (size_t i = 0; i < rules->n; i++)
		if (mail_addr_fits(s->e.from, rules->v[i]))
			return true;
	return s->e.from[0] == '\0' || strcasecmp(s->e.from, s->site->sender) == 0;
}

/* The envelope is here: whether it may go on. */
static void on_envelope(struct mail_session *s)
{
	struct mail_site *site = s->site;
	const struct conf_server *c = site->conf;
	uint64_t now = loop_now_ms(loop_of(s)), wait_ms = mail_rate_wait(&site->rate, s->e.rcpts_n, now);

	if (!sender_fits(s)) {
		fail(s, MAIL_REFUSED, "the sender <%.160s> is not one of MailFrom", s->e.from);
	} else if (s->h.message_len > c->mail_max_size) {
		fail(s, MAIL_REFUSED, "%u octets are more than MailMaxSize %u", (unsigned)s->h.message_len, c->mail_max_size);
	} else if (wait_ms == UINT64_MAX) {
		fail(s, MAIL_REFUSED, "%zu recipients are more than MailRate ever allows", s->e.rcpts_n);
	} else if (now < site->hung_until_ms) {
		fail(s, MAIL_FAILED, "the relay %s did not answer lately", c->mail_relay->addr.text);
	} else if (!mail_rate_take(&site->rate, s->e.rcpts_n, now)) {
		fail(s, MAIL_FAILED, "MailRate is used up for %llu s", (unsigned long long)(wait_ms + 999) / 1000);
	} else {
		s->charged = s->e.rcpts_n;
		s->left = s->h.message_len;
		s->dialog = (struct smtp_dialog){.lmtp = c->mail_relay->lmtp, .helo = site->role->conf->servers[0]->name,
			.from = sender_of(s), .rcpts = s->e.rcpts, .rcpts_n = s->e.rcpts_n,
			.message_len = s->h.message_len};
		connect_relay(s);
	}
}

/* --- the cell --------------------------------------------------------------------------------------------------------- */

/* Read on in head or envelope. Returns 1 when all of it is here, 0 when not yet, or a negative error. */
static int read_envelope(struct mail_session *s)
{
	for (;;) {
		bool head = s->got < MAIL_HEAD_LEN;
		size_t end = head ? MAIL_HEAD_LEN : MAIL_HEAD_LEN + mail_envelope_len(&s->h);
		char *to = head ? (char *)s->head + s->got : s->envelope + s->got - MAIL_HEAD_LEN;
		ssize_t n = recv(s->cell.fd, to, end - s->got, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return GW_ERR_CLOSED;
		s->got += (size_t)n;
		if (s->got < end)
			continue;
		if (!head)
			return mail_get_envelope(&s->h, s->envelope, &s->e) == 0 ? 1 : GW_ERR_PROTO;
		if (mail_get_head(s->head, &s->h) != 0)
			return GW_ERR_PROTO;
		s->envelope = malloc(mail_envelope_len(&s->h));
		if (s->envelope == NULL)
			return GW_ERR_NOMEM;
	}
}

static void on_cell(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct mail_session *s = container_of(io, struct mail_session, cell);

	if ((ready & (EPOLLHUP | EPOLLERR)) != 0) {
		if (s->phase == PHASE_TALK && s->dialog.step == SMTP_DOT) {
			/* Too late to call it back: what the relay says is for the log. */
			loop_io_del(l, &s->cell);
			io_close(&s->cell.fd);
		} else {
			fail(s, MAIL_FAILED, "the script is gone");
		}
		return;
	}
	if (s->phase != PHASE_ENVELOPE) {
		go_on(s);
		return;
	}
	int got = read_envelope(s);
	if (got == 1)
		on_envelope(s);
	else if (got == GW_ERR_PROTO)
		fail(s, MAIL_REFUSED, "the cell broke the protocol");
	else if (got < 0)
		fail(s, MAIL_FAILED, "%s", got == GW_ERR_NOMEM ? "out of memory" : "the script is gone");
}

int mail_session_start(struct mail_site *site, int fd)
{
	struct mail_session *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		close(fd);
		return GW_ERR_NOMEM;
	}
	s->site = site;
	s->e.script = "?";
	s->relay.fd = -1;
	s->deadline.cb = on_deadline;
	s->cell = (struct loop_io){.fd = fd, .events = EPOLLIN, .cb = on_cell};
	buf_init(&s->in);
	buf_init(&s->out);
	if (loop_timer_set(site->role->loop, &s->deadline, site->conf->mail_timeout_ms) != 0 ||
	    loop_io_add(site->role->loop, &s->cell, 0) != 0) {
		loop_timer_stop(site->role->loop, &s->deadline);
		close(fd);
		free(s);
		return GW_ERR_SYS;
	}
	site->sessions_n++;
	site->role->sessions_n++;
	return GW_OK;
}
