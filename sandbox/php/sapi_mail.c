/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: runs in a cell, on the site's own data; whatever it checks is for the script's sake. What a site may send is
 * decided by the mail process, which believes nothing of what comes from here.
 */
#include "sandbox/php/sapi_mail.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/php/sapi.h"

#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_compose.h"
#include "sandbox/mail/mail_wire.h"

#define GRACE_MS 2000 /* longer than the mail process takes to give up: its reason is worth more than ours */

static const struct spec *site;

/* The message that PHP is writing just now. */
static struct {
	FILE *file; /* NULL: none */
	struct buf text;
	char *command;
} now;

bool sapi_mail_is_ours(const struct spec *s)
{
	return strcmp(s->profile, "legacy") != 0;
}

void sapi_mail_init(const struct spec *s)
{
	site = s;
}

/* --- talking to the mail process ------------------------------------------------------------------------------------------ */

/* Wait until @fd is ready for one of @events. 0: in time, GW_ERR_AGAIN: too late. */
static int wait_for(int fd, short events, uint64_t until_ms, short *ready)
{
	for (;;) {
		uint64_t ms = io_now_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = ms >= until_ms ? 0 : poll(&p, 1, (int)(until_ms - ms));
		*ready = p.revents;
		if (n > 0)
			return 0;
		if (n == 0)
			return GW_ERR_AGAIN;
		if (errno != EINTR)
			return GW_ERR_SYS;
	}
}

/* A connection of this message's own: one end goes to the mail process over the channel that all cells of the site have. */
static int open_connection(uint64_t until_ms)
{
	char octet = 'M';
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int ends[2], err = 0;
	short ready;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &ends[1], sizeof(int));
	while (err == 0 && sendmsg(SPEC_MAIL_FD, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		if (errno != EINTR)
			err = errno != EAGAIN ? GW_ERR_SYS : wait_for(SPEC_MAIL_FD, POLLOUT, until_ms, &ready);
	io_close(&ends[1]);
	if (err != 0)
		io_close(&ends[0]);
	return ends[0];
}

/* Send until all is sent, or an answer is there already: then the rest is not wanted. */
static int send_all(int fd, const struct buf *b, uint64_t until_ms)
{
	for (size_t done = 0; done < buf_unread(b);) {
		ssize_t n = send(fd, buf_head(b) + done, buf_unread(b) - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		short ready;
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return 0; /* it has hung up, after its answer */
		} else if (errno == EAGAIN) {
			int err = wait_for(fd, POLLOUT | POLLIN, until_ms, &ready);
			if (err != 0 || (ready & POLLIN) != 0)
				return err;
		} else if (errno != EINTR) {
			return GW_ERR_SYS;
		}
	}
	return 0;
}

static int read_answer(int fd, uint64_t until_ms, struct mail_answer *a)
{
	uint8_t in[MAIL_ANSWER_MAX];
	size_t len = 0;
	short ready;

	for (;;) {
		ssize_t used = mail_get_answer(in, len, a);
		if (used != 0)
			return used < 0 ? (int)used : 0;
		int err = wait_for(fd, POLLIN, until_ms, &ready);
		if (err != 0)
			return err;
		ssize_t n = recv(fd, in + len, sizeof(in) - len, MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			return GW_ERR_CLOSED;
		len += n > 0 ? (size_t)n : 0;
	}
}

static int submit(const struct buf *envelope, const struct buf *message, struct mail_answer *a)
{
	uint64_t until_ms = io_now_ms() + site->mail_timeout_ms + GRACE_MS;
	int fd = open_connection(until_ms);
	int err = fd == -1 ? GW_ERR_SYS : send_all(fd, envelope, until_ms);

	if (err == 0)
		err = send_all(fd, message, until_ms);
	if (err == 0)
		err = read_answer(fd, until_ms, a);
	io_close(&fd);
	return err;
}

/* --- the message ------------------------------------------------------------------------------------------------------------ */

/* RFC 5322 3.3. By hand: a script's locale must not show in it. */
static void put_date(char *out, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, size, "%.3s, %02d %.3s %d %02d:%02d:%02d +0000", days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_message_id(char *out, size_t size)
{
	uint64_t r[2] = {0, 0};

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		r[0] = io_now_us();
	snprintf(out, size, "%016llx%016llx@%.255s", (unsigned long long)r[0], (unsigned long long)r[1], site->site);
}

/* From PHP's text to what the mail process takes. NULL, or why not. */
static const char *compose(const struct buf *text, const char *command, struct buf *envelope, struct buf *message)
{
	char sender[MAIL_ADDR_MAX + 1], from[MAIL_ADDR_MAX + 1], date[64], id[320];
	const struct mail_facts facts = {.date = date, .message_id = id, .from = from};
	const char *script = SG(request_info).path_translated, *why = NULL;
	struct buf rcpts;

	if (mail_command_sender(command, sender, sizeof(sender)) != 0)
		return "the sender given by -f is no address";
	put_date(date, sizeof(date));
	put_message_id(id, sizeof(id));
	snprintf(from, sizeof(from), sender[0] != '\0' ? "%s" : "%.64s@%.255s", sender[0] != '\0' ? sender : site->user, site->site);
	buf_init(&rcpts);
	int err = mail_compose((const char *)buf_head(text), buf_unread(text), &facts, &rcpts, message, &why);
	if (err == 0) {
		why = NULL;
		err = mail_put_request(envelope, sender, (const char *)buf_head(&rcpts), buf_unread(&rcpts), script != NULL ? script : "?",
			buf_unread(message));
		if (err != 0)
			why = "the message is too long";
	}
	buf_fini(&rcpts);
	return err == GW_ERR_NOMEM ? "out of memory" : why;
}

/* Whether the message in @text was taken; *@why says why not, in @a. */
static bool send_message(const struct buf *text, const char *command, struct mail_answer *a, const char **why)
{
	struct buf envelope, message;

	*why = "no MailRelay is set for this site";
	if (site->mail_timeout_ms == 0)
		return false;
	buf_init(&envelope);
	buf_init(&message);
	*why = compose(text, command, &envelope, &message);
	if (*why == NULL) {
		int err = submit(&envelope, &message, a);
		*why = err == 0 ? a->text : err == GW_ERR_AGAIN ? "the mail process did not answer in time" : "the mail process is not there";
		if (err != 0)
			a->status = MAIL_FAILED;
	} else {
		a->status = MAIL_REFUSED;
	}
	buf_fini(&envelope);
	buf_fini(&message);
	return a->status == MAIL_ACCEPTED;
}

/* --- in place of the C library's popen() and pclose() ----------------------------------------------------------------------- */

static ssize_t on_write(void *cookie, const char *text, size_t len)
{
	(void)cookie;
	return buf_append(&now.text, text, len) == 0 ? (ssize_t)len : 0;
}

static bool is_our_command(const char *command, const char *type)
{
	size_t n = strcspn(SAPI_MAIL_COMMAND, " ");

	return type[0] == 'w' && strncmp(command, SAPI_MAIL_COMMAND, n) == 0 && (command[n] == ' ' || command[n] == '\0');
}

__attribute__((visibility("default"))) FILE *popen(const char *command, const char *type)
{
	static const cookie_io_functions_t io = {.write = on_write};

	if (site == NULL || !sapi_mail_is_ours(site) || !is_our_command(command, type)) {
		FILE *(*real)(const char *, const char *) = (FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "popen");
		return real(command, type);
	}
	if (now.file != NULL) {
		errno = EBUSY;
		return NULL;
	}
	buf_init(&now.text);
	now.command = strdup(command);
	now.file = now.command == NULL ? NULL : fopencookie(NULL, "w", io);
	if (now.file == NULL) {
		free(now.command);
		errno = ENOMEM;
	}
	return now.file;
}

__attribute__((visibility("default"))) int pclose(FILE *f)
{
	struct mail_answer a = {.status = MAIL_FAILED};
	const char *why = "out of memory";

	if (now.file == NULL || f != now.file) {
		int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "pclose");
		return real(f);
	}
	bool sent = fclose(f) == 0 && send_message(&now.text, now.command, &a, &why);
	buf_fini(&now.text);
	free(now.command);
	/* Nothing of ours is left when PHP speaks: a handler of the script's may call mail() itself. */
	memset(&now, 0, sizeof(now));
	if (!sent)
		php_error_docref(NULL, E_WARNING, "%s", why);
	return sent ? 0 : EX_UNAVAILABLE << 8; /* as a wait status */
}
