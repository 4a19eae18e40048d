/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: a cell says which script runs, and stops at calls as it likes; both end up as text in the log, and in a
 * suggestion that an administrator reads. The zygote answers every stopped call with "go on" and nothing else.
 */
#include "sandbox/php/learn.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_call_text.h"

#define ENTRIES_MAX 256
#define EVENTS_MAX 16
#define OWN_WORK '\1' /* in the place of a script's first octet */

/* Who is listened to: first the socket that its listener comes on, then the listener. */
struct ear {
	int fd;
	bool listens;
	size_t slot;
	uint32_t id; /* the cell's */
};

/* One kind of call in one script. */
struct entry {
	int32_t nr;
	enum sb_need need;
	uint64_t count, tell_at;
	char script[sizeof(((struct sb_slot *)0)->script)];
};

static struct {
	int poll_fd;
	struct sb_policy strict, php, legacy;
	struct sb_filter filter;
	struct sb_slot *slots;
	learn_tell *tell;
	struct entry entries[ENTRIES_MAX];
	size_t entries_n;
	bool full;
	struct sb_slot *own; /* in a cell */
	char own_first;
} learn = {.poll_fd = -1};

int learn_start(struct sb_slot *slots, learn_tell *tell, const char **why)
{
	int err = sb_policy_make(&learn.strict, "strict", NULL, why);

	if (err == 0)
		err = sb_policy_make(&learn.php, "php", NULL, why);
	if (err == 0)
		err = sb_policy_make(&learn.legacy, "legacy", NULL, why);
	if (err == 0)
		err = sb_filter_build(&learn.filter, &learn.strict, SB_FILTER_LEARN, why);
	if (err != 0)
		return err;
	learn.slots = slots;
	learn.tell = tell;
	*why = "epoll";
	learn.poll_fd = epoll_create1(EPOLL_CLOEXEC);
	return learn.poll_fd == -1 ? GW_ERR_SYS : 0;
}

int learn_poll_fd(void)
{
	return learn.poll_fd;
}

/* --- what was called --------------------------------------------------------------------------------------------------- */

static enum sb_need need_of(const char *name, const struct sb_stopped *s)
{
	/* Rows about pids: a process means itself, nobody the zygote. */
	const struct sb_pids pids = {.own = (uint32_t)s->args[0], .zygote = (uint32_t)getpid()};

	if (sb_policy_verdict(&learn.php, name, s->args, &pids) == SB_ALLOW)
		return SB_NEED_PHP;
	return sb_policy_verdict(&learn.legacy, name, s->args, &pids) == SB_ALLOW ? SB_NEED_LEGACY : SB_NEED_ALLOW;
}

/* Written by cells, perhaps at this moment: copied octet by octet, only what can be shown. */
static void copy_script(char *out, size_t size, const struct sb_slot *slot)
{
	size_t n = 0;

	for (; n < size - 1; n++) {
		char c = slot->script[n];
		if (c == '\0')
			break;
		out[n] = c > ' ' && c < 0x7f ? c : '?';
	}
	out[n] = '\0';
}

static struct entry *entry_of(int32_t nr, enum sb_need need, const char *script)
{
	for (size_t i = 0; i < learn.entries_n; i++) {
		struct entry *e = &learn.entries[i];
		if (e->nr == nr && e->need == need && strcmp(e->script, script) == 0)
			return e;
	}
	if (learn.entries_n == ENTRIES_MAX)
		return NULL;
	struct entry *e = &learn.entries[learn.entries_n++];
	*e = (struct entry){.nr = nr, .need = need, .tell_at = 1};
	snprintf(e->script, sizeof(e->script), "%s", script);
	return e;
}

/* The first, the tenth, the hundredth: enough to see what matters, little enough for a log. */
static void record(const struct ear *ear, const struct sb_stopped *s)
{
	char script[sizeof(learn.entries[0].script)], call[160], text[LEARN_TEXT_MAX], name[64];
	const char *known = sb_call_name(s->nr);

	if (known == NULL) /* denied: no filter lets a number through that has no name */
		return;
	snprintf(name, sizeof(name), "%s", known);
	if (learn.slots[ear->slot].script[0] == OWN_WORK)
		return;
	copy_script(script, sizeof(script), &learn.slots[ear->slot]);
	struct entry *e = entry_of(s->nr, need_of(name, s), script);
	if (e == NULL) {
		if (!learn.full)
			log_warn("learning: more than %d different calls and scripts; no new ones are told", ENTRIES_MAX);
		learn.full = true;
		return;
	}
	if (++e->count != e->tell_at)
		return;
	e->tell_at *= 10;
	sb_call_text(s->nr, s->args, call, sizeof(call));
	snprintf(text, sizeof(text), "need=%s call=%s count=%llu as=%s script=%s", sb_need_words[e->need], name,
		(unsigned long long)e->count, call, script[0] == '\0' ? "-" : script);
	learn.tell(ear->id, text);
}

/* --- listening --------------------------------------------------------------------------------------------------------- */

static int watch(struct ear *ear)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = ear};

	return epoll_ctl(learn.poll_fd, EPOLL_CTL_ADD, ear->fd, &ev) == -1 ? GW_ERR_SYS : 0;
}

/* Closing alone leaves it in the epoll set while a process that was forked just now has a copy. */
static void unwatch(struct ear *ear)
{
	if (ear->fd == -1)
		return;
	epoll_ctl(learn.poll_fd, EPOLL_CTL_DEL, ear->fd, NULL);
	io_close(&ear->fd);
}

static void drop(struct ear *ear)
{
	unwatch(ear);
	free(ear);
}

int learn_socket(size_t slot, uint32_t id)
{
	int ends[2];
	struct ear *ear;

	if (learn.poll_fd == -1)
		return -1;
	ear = calloc(1, sizeof(*ear));
	if (ear == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
		free(ear);
		return -1;
	}
	learn.slots[slot].script[0] = '\0';
	*ear = (struct ear){.fd = ends[0], .slot = slot, .id = id};
	if (watch(ear) != 0) {
		drop(ear);
		io_close(&ends[1]);
		return -1;
	}
	return ends[1];
}

static int take_fd(int sock)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char octet;
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
		return -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The cell's socket says: here is the listener, or the cell is gone. */
static void take_listener(struct ear *ear)
{
	int fd = take_fd(ear->fd);

	unwatch(ear);
	ear->fd = fd;
	ear->listens = true;
	if (fd == -1 || watch(ear) != 0)
		drop(ear);
}

static void listen_to(struct ear *ear, uint32_t ready)
{
	struct sb_stopped s;
	int err;

	if ((ready & EPOLLIN) == 0) { /* nobody is left under this filter */
		drop(ear);
		return;
	}
	err = sb_learn_receive(ear->fd, &s);
	if (err == 0) {
		record(ear, &s);
		sb_learn_go_on(ear->fd, &s);
	} else if (err != GW_ERR_AGAIN) {
		log_warn("learning: %m");
		drop(ear); /* its calls fail with ENOSYS from now on */
	}
}

void learn_work(void)
{
	struct epoll_event events[EVENTS_MAX];
	int n = learn.poll_fd == -1 ? 0 : epoll_wait(learn.poll_fd, events, EVENTS_MAX, 0);

	for (int i = 0; i < n; i++) {
		struct ear *ear = events[i].data.ptr;
		if (ear->listens)
			listen_to(ear, events[i].events);
		else
			take_listener(ear);
	}
}

/* --- in a cell --------------------------------------------------------------------------------------------------------- */

int learn_enter(int sock)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char octet = 'l';
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
	int listener = sb_learn_load(&learn.filter);

	if (listener < 0)
		return GW_ERR_SYS;
	memset(&control, 0, sizeof(control));
	control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), &listener, sizeof(listener));
	ssize_t sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	io_close(&listener);
	io_close(&sock);
	return sent == 1 ? 0 : GW_ERR_SYS;
}

void learn_own_work(bool own)
{
	if (learn.own == NULL)
		return;
	if (own)
		learn.own_first = learn.own->script[0];
	learn.own->script[0] = own ? OWN_WORK : learn.own_first;
}

void learn_script(struct sb_slot *slot, const char *script)
{
	size_t n = 0;

	if (learn.poll_fd == -1)
		return;
	learn.own = slot;
	for (; script != NULL && script[n] != '\0' && n < sizeof(slot->script) - 1; n++)
		slot->script[n] = script[n];
	slot->script[n] = '\0';
}
