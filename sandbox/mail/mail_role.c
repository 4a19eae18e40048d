/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/mail_role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/mail/mail_lock.h"
#include "sandbox/mail/mail_site.h"

#define LOG_LINES 10 /* of one site in a second */

/* The end of a pair whose other end the zygote and the cells of a site hold. A connection comes over it for each message. */
struct channel {
	struct loop_io io;
	struct mail_site *site;
	struct channel *next;
};

static struct mail_role role;
static struct loop_io master_io;
static struct channel *channels;

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the mail process cannot go on: %s: %m", what);
	_exit(EXIT_FAILURE);
}

/* --- log ------------------------------------------------------------------------------------------------------------- */

void mail_site_log(struct mail_site *site, const struct mail_answer *a, const struct log_about *about, const char *what)
{
	static const struct {
		const char *word;
		enum log_level level;
	} words[] = {{"accepted", LOG_LV_INFO}, {"refused", LOG_LV_WARN}, {"failed", LOG_LV_WARN}};
	uint64_t second = loop_now_ms(site->role->loop) / 1000;

	site->counts[a->status]++;
	if (second != site->log_second) {
		if (site->log_dropped > 0)
			log_line(&site->sink, LOG_LV_WARN, NULL, "mail: %u lines of this site were dropped", site->log_dropped);
		site->log_second = second;
		site->log_lines = site->log_dropped = 0;
	}
	if (!log_enabled(&site->sink, words[a->status].level))
		return;
	if (site->log_lines == LOG_LINES) {
		site->log_dropped++;
		return;
	}
	site->log_lines++;
	log_line(&site->sink, words[a->status].level, about, "mail %s (number %llu): %s: %s", words[a->status].word,
		 (unsigned long long)site->counts[a->status], what, a->text);
}

static void log_totals(void)
{
	for (size_t i = 0; i < role.conf->servers_n; i++) {
		const struct mail_site *s = role.sites[i];
		if (s != NULL && s->counts[MAIL_ACCEPTED] + s->counts[MAIL_REFUSED] + s->counts[MAIL_FAILED] > 0)
			log_line(&s->sink, LOG_LV_INFO, NULL, "mail in all: %llu accepted, %llu refused, %llu failed",
				 (unsigned long long)s->counts[MAIL_ACCEPTED], (unsigned long long)s->counts[MAIL_REFUSED],
				 (unsigned long long)s->counts[MAIL_FAILED]);
	}
}

static void end_when_idle(void)
{
	if (!role.ending || role.sessions_n > 0)
		return;
	log_totals();
	_exit(EXIT_SUCCESS);
}

/* --- channels of sites ------------------------------------------------------------------------------------------------- */

static bool may_read(const struct mail_site *site)
{
	return site->sessions_n < MAIL_SITE_SESSIONS && site->role->sessions_n < MAIL_SESSIONS_MAX;
}

static void channel_close(struct channel *c)
{
	struct channel **p = &channels;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	loop_io_del(role.loop, &c->io);
	io_close(&c->io.fd);
	free(c);
}

/* One that had to wait may be read again. Of all sites, when it was the bound of all that kept them waiting. */
static void on_session_ended(struct mail_role *r, struct mail_site *site)
{
	bool all = r->sessions_n == MAIL_SESSIONS_MAX - 1;

	for (struct channel *c = channels; c != NULL; c = c->next)
		if ((all || c->site == site) && may_read(c->site) && loop_io_want(r->loop, &c->io, EPOLLIN) != 0)
			log_err("no memory to watch a site's channel");
	end_when_idle();
}

/* A cell may pass any descriptor that it can have; only a stream of this machine is a connection to it. */
static bool is_stream(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* The one descriptor that came along, or -1. The kernel hands over as many as there is room for, padding included: none is lost. */
static int take_descriptor(struct msghdr *m)
{
	int fd = -1, n = 0, one;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(one)) <= c->cmsg_len; at += sizeof(one)) {
			memcpy(&one, CMSG_DATA(c) + at, sizeof(one));
			if (n++ == 0)
				fd = one;
			else
				close(one);
		}
	}
	if (n == 1 && is_stream(fd) && (m->msg_flags & MSG_CTRUNC) == 0)
		return fd;
	io_close(&fd);
	return -1;
}

/* The next connection: its descriptor, -1 for a message that carries none, -2 when there is no message, -3 at the end. */
static int next_connection(int chan)
{
	char octet;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(chan, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? -2 : -3;
	int fd = take_descriptor(&m);
	return n == 0 && fd == -1 ? -3 : fd; /* an empty datagram looks like the end, but nobody honest sends one */
}

static void on_channel(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct channel *c = container_of(io, struct channel, io);
	static const struct mail_answer junk = {.status = MAIL_REFUSED, .text = "the cell broke the protocol"};

	/* Whoever could have sent something, or wait for an answer, is gone. */
	if ((ready & (EPOLLHUP | EPOLLERR)) != 0) {
		channel_close(c);
		return;
	}
	for (int i = 0; i < MAIL_SITE_SESSIONS && may_read(c->site); i++) {
		int fd = next_connection(io->fd);
		if (fd == -2)
			return;
		if (fd == -3) {
			channel_close(c);
			return;
		}
		if (fd == -1)
			mail_site_log(c->site, &junk, NULL, "no connection came along");
		else if (mail_session_start(c->site, fd) != 0)
			log_err("site=%s mail: %m", c->site->conf->name);
	}
	if (!may_read(c->site) && loop_io_want(l, io, 0) != 0)
		channel_close(c);
}

static void channel_open(struct mail_site *site, int fd)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	*c = (struct channel){.io = {.fd = fd, .events = may_read(site) ? EPOLLIN : 0, .cb = on_channel}, .site = site, .next = channels};
	channels = c;
	if (loop_io_add(role.loop, &c->io, 0) != 0)
		channel_close(c);
}

/* --- sites ------------------------------------------------------------------------------------------------------------- */

/* The first address of MailFrom; else the site's user at the first domain, or at the site's own name. */
static void set_sender(struct mail_site *s)
{
	const struct conf_strs *rules = &s->conf->mail_from;
	const char *domain = NULL;

	for (size_t i = 0; i < rules->n; i++) {
		const char *at = strchr(rules->v[i], '@');
		if (at != NULL && at != rules->v[i]) {
			snprintf(s->sender, sizeof(s->sender), "%s", rules->v[i]);
			return;
		}
		if (at != NULL && domain == NULL)
			domain = at + 1;
	}
	snprintf(s->sender, sizeof(s->sender), "%.64s@%.255s", s->conf->ids.user != NULL ? s->conf->ids.user : "nobody",
		 domain != NULL ? domain : s->conf->name);
}

static struct mail_site *site_new(const struct conf_server *conf, const struct log_sink *logs)
{
	struct mail_site *s = calloc(1, sizeof(*s));

	if (s == NULL)
		die("memory");
	s->role = &role;
	s->conf = conf;
	s->sink = conf->error_log != NULL ? logs[conf->error_log->index] : (struct log_sink){.fd = STDERR_FILENO};
	s->sink.level = conf->log_level;
	s->sink.format = conf->error_format;
	s->sink.site = conf->name;
	mail_rate_init(&s->rate, conf->mail_rate.count, conf->mail_rate.period_ms, loop_now_ms(role.loop));
	set_sender(s);
	return s;
}

static void on_master(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct ipc_msg m;

	(void)ready;
	for (;;) {
		int err = ipc_recv(io->fd, IPC_MASTER, IPC_MAIL, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err < 0) {
			loop_io_del(l, io);
			io_close(&io->fd);
			role.ending = true;
			end_when_idle();
			return;
		}
		if (m.id < role.conf->servers_n && role.sites[m.id] != NULL)
			channel_open(role.sites[m.id], m.fds[0]);
		else
			close(m.fds[0]);
	}
}

_Noreturn void mail_main(const struct conf *c, int chan, const struct log_sink *logs, bool privileged)
{
	log_role("mail");
	prctl(PR_SET_NAME, "bulkhead-mail");
	role = (struct mail_role){.loop = loop_new(), .conf = c, .sites = calloc(c->servers_n, sizeof(*role.sites)),
		.session_ended = on_session_ended};
	if (role.loop == NULL || role.sites == NULL)
		die("start");
	for (size_t i = 0; i < c->servers_n; i++)
		if (c->servers[i]->mail_relay != NULL)
			role.sites[i] = site_new(c->servers[i], logs);
	mail_lock(c, privileged);
	master_io = (struct loop_io){.fd = chan, .events = EPOLLIN, .cb = on_master};
	if (loop_io_add(role.loop, &master_io, 0) != 0)
		die("channel to the master");
	if (loop_run(role.loop) < 0)
		die("event loop");
	_exit(EXIT_SUCCESS);
}
