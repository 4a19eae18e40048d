/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/log_hub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/log/log_files.h"
#include "gateway/log/log_pipe.h"
#include "gateway/log/log_writer.h"
#include "sandbox/ipc_chan.h"

#define DATA_OCTETS (8 * 1024 * 1024) /* lines on their way */
#define END_MS 3000
#define LINGER_MS 2000
#define PATIENCE_MS 10000 /* of a program that does not end with its input */
#define MESSAGES_PER_EVENT 256

struct hub_log {
	char *name;               /* as conf_log_file.path */
	enum conf_log_kind kind;
	unsigned users;
	uint32_t next;            /* in its chain, as log_hub.first */
	struct log_pipe *pipe;    /* CONF_LOG_PIPE */
	char *socket;             /* CONF_LOG_SYSLOG: where the daemon listens */
	char *head;               /* CONF_LOG_SYSLOG: facility, blank, ident */
};

struct hub_ending {
	struct hub_ending *next;
	pid_t pid;
	uint64_t since_ms;
	bool told;
};

int log_hub_fd(const struct log_hub *h)
{
	return h->data[0];
}

/* --- opening --------------------------------------------------------------------------------------------------------------- */

static int open_syslog(const char *path, const char **why)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = -1;

	errno = ENAMETOOLONG;
	if (strlen(path) < sizeof(a.sun_path)) {
		strcpy(a.sun_path, path);
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1) {
		*why = strerror(errno);
		io_close(&fd);
	}
	return fd;
}

static int open_pipe(const struct log_pipe *p, const char **why)
{
	int fd = fcntl(p->ends[1], F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		*why = strerror(errno);
	return fd;
}

static int open_for(const struct hub_log *k, const char **why)
{
	switch (k->kind) {
	case CONF_LOG_PIPE:
		return open_pipe(k->pipe, why);
	case CONF_LOG_SYSLOG:
		return open_syslog(k->socket, why);
	default:
		return log_file_open(k->name, why);
	}
}

/* --- the log process --------------------------------------------------------------------------------------------------------- */

static void lose_channel(struct log_hub *h)
{
	loop_io_del(h->loop, &h->chan);
	io_close(&h->chan.fd);
}

static void send_to(struct log_hub *h, const struct ipc_msg *m)
{
	if (h->chan.fd == -1 || ipc_send(h->chan.fd, m) == 0)
		return;
	log_err("log process %d does not take messages: killing it", (int)h->proc.pid);
	kept_proc_kill(&h->proc);
	lose_channel(h);
}

static void wanted(struct log_hub *h, uint32_t id)
{
	const struct hub_log *k = id < h->n ? h->v[id] : NULL;
	const char *why = "there is no such log";
	int fd = k == NULL ? -1 : open_for(k, &why);
	struct ipc_msg m;

	ipc_fill(&m, fd == -1 ? IPC_LOG_NONE : IPC_LOG_FD, id, fd == -1 ? NULL : k->kind == CONF_LOG_SYSLOG ? k->head : k->kind == CONF_LOG_PIPE ? "|" : "");
	if (fd == -1 && k != NULL)
		log_err("cannot open log %s: %s", k->name, why);
	if (fd != -1) {
		m.fds[0] = fd;
		m.fds_n = 1;
	}
	send_to(h, &m);
	io_close(&fd);
}

static void on_chan(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct log_hub *h = container_of(io, struct log_hub, chan);
	struct ipc_msg m;

	(void)l;
	(void)ready;
	for (int i = 0; i < MESSAGES_PER_EVENT && h->chan.fd != -1; i++) {
		int err = ipc_recv(io->fd, IPC_LOGGER, IPC_MASTER, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err < 0) {
			kept_proc_kill(&h->proc); /* it has ended, or breaks the protocol */
			lose_channel(h);
			return;
		}
		wanted(h, m.id);
	}
}

_Noreturn static void become_writer(const struct log_hub *h, int chan)
{
	static const int also[] = {SIGINT, 0}; /* the master says when to end */
	struct log_sink *own = log_server();
	int keep[] = {chan, h->data[1], own->fd};

	kept_proc_signals(also);
	if (own->framed) { /* that would come back to us */
		*own = (struct log_sink){.fd = STDERR_FILENO, .level = own->level};
		keep[2] = keep[1];
	}
	if (io_close_except(keep, 3) < 0 || io_nonblock(chan, 1) < 0)
		_exit(EXIT_FAILURE);
	log_writer_main(&h->ids, chan, h->data[1], h->privileged);
}

static pid_t start(struct kept_proc *proc)
{
	struct log_hub *h = container_of(proc, struct log_hub, proc);
	int chan;
	pid_t pid = ipc_fork(&chan, 0, NULL, NULL);

	if (pid == 0)
		become_writer(h, chan);
	if (pid == -1) {
		log_err("cannot start the log process: %m");
		return GW_ERR_SYS;
	}
	h->chan = (struct loop_io){.fd = chan, .events = EPOLLIN, .cb = on_chan};
	if (loop_io_add(h->loop, &h->chan, 0) < 0) {
		log_err("cannot start the log process: %m");
		io_close(&h->chan.fd);
		kill(pid, SIGKILL); /* and when it is reaped there will be another */
	}
	return pid;
}

static const struct kept_kind kind = {.what = "the log process", .at_once = 2, .severity = LOG_LV_CRIT, .start = start};

/* Lines that come before it runs, or while none does, wait in the socket. */
static int open_data(struct log_hub *h, const struct conf *c)
{
	int room = DATA_OCTETS;

	if (h->data[0] != -1)
		return GW_OK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, h->data) == -1)
		return GW_ERR_SYS;
	if (setsockopt(h->data[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) == -1)
		setsockopt(h->data[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	h->ids = (struct conf_ids){.uid = c->front.uid, .gid = c->front.gid};
	kept_proc_keep(&h->proc);
	return GW_OK;
}

/* --- the table -------------------------------------------------------------------------------------------------------------- */

/* Its program ends by itself, or is made to. */
static void end_pipe(struct log_hub *h, struct log_pipe *p)
{
	struct hub_ending *e = calloc(1, sizeof(*e));
	pid_t pid = log_pipe_free(p);

	if (pid == 0 || e == NULL) {
		if (pid != 0)
			kill(pid, SIGTERM);
		free(e);
		return;
	}
	*e = (struct hub_ending){.next = h->ending, .pid = pid, .since_ms = io_now_ms()};
	h->ending = e;
}

static void free_log(struct log_hub *h, struct hub_log *k)
{
	if (k == NULL)
		return;
	if (k->pipe != NULL)
		end_pipe(h, k->pipe);
	free(k->socket);
	free(k->head);
	free(k->name);
	free(k);
}

static char *syslog_head(const struct conf_log_file *f)
{
	char *head;

	return asprintf(&head, "%d %s", f->facility, f->ident) == -1 ? NULL : head;
}

static struct hub_log *new_log(struct log_hub *h, const struct conf *c, const struct conf_log_file *f, const char **why)
{
	struct hub_log *k = calloc(1, sizeof(*k));

	*why = "out of memory";
	if (k == NULL)
		return NULL;
	k->kind = f->kind;
	k->name = strdup(f->path);
	bool ok = k->name != NULL;
	if (ok && k->kind == CONF_LOG_PIPE) {
		k->pipe = log_pipe_new(h->loop, f->argv, h->privileged, why);
		ok = k->pipe != NULL;
	} else if (ok && k->kind == CONF_LOG_SYSLOG) {
		k->socket = strdup(c->syslog_socket);
		ok = k->socket != NULL && (k->head = syslog_head(f)) != NULL;
	}
	if (ok)
		return k;
	free_log(h, k);
	return NULL;
}

static bool same_log(const struct hub_log *k, const struct conf *c, const struct conf_log_file *f)
{
	return k->kind == f->kind && strcmp(k->name, f->path) == 0 &&
		(k->kind != CONF_LOG_SYSLOG || strcmp(k->socket, c->syslog_socket) == 0);
}

/* The chain that @name is in. FNV-1a. */
static uint32_t *chain_of(struct log_hub *h, const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return &h->first[hash % LOG_HUB_CHAINS];
}

/* A free number. False: out of memory, or of numbers. */
static bool free_slot(struct log_hub *h, size_t *slot)
{
	for (*slot = 0; h->free_n > 0 && *slot < h->n; ++*slot)
		if (h->v[*slot] == NULL) {
			h->free_n--;
			return true;
		}
	struct hub_log **v = h->n == LOG_WRITER_IDS ? NULL : realloc(h->v, (h->n + 1) * sizeof(struct hub_log *));
	if (v == NULL)
		return false;
	h->v = v;
	*slot = h->n++;
	v[*slot] = NULL;
	return true;
}

int log_hub_acquire(struct log_hub *h, const struct conf *c, const struct conf_log_file *f, uint32_t *id, const char **why)
{
	uint32_t *chain = chain_of(h, f->path);
	size_t slot;

	*why = "the log process cannot be started";
	if (open_data(h, c) < 0)
		return GW_ERR_SYS;
	for (uint32_t i = *chain; i != 0; i = h->v[i - 1]->next)
		if (same_log(h->v[i - 1], c, f)) {
			h->v[i - 1]->users++;
			*id = i - 1;
			return GW_OK;
		}
	struct hub_log *k = new_log(h, c, f, why);
	if (k == NULL)
		return GW_ERR_DENIED;
	if (!free_slot(h, &slot)) {
		free_log(h, k);
		return GW_ERR_NOMEM;
	}
	k->users = 1;
	k->next = *chain;
	*chain = (uint32_t)slot + 1;
	h->v[slot] = k;
	*id = (uint32_t)slot;
	return GW_OK;
}

void log_hub_release(struct log_hub *h, uint32_t id)
{
	if (--h->v[id]->users == 0 && !loop_timer_armed(&h->sweep) && loop_timer_set(h->loop, &h->sweep, LINGER_MS) < 0)
		log_err("no memory for a timer: a log stays open");
}

static void drop(struct log_hub *h, uint32_t id)
{
	struct hub_log *k = h->v[id];
	uint32_t *at = chain_of(h, k->name);

	while (*at != id + 1)
		at = &h->v[*at - 1]->next;
	*at = k->next;
	free_log(h, k);
	h->v[id] = NULL;
	h->free_n++;
}

static void hurry(struct log_hub *h, uint64_t patience_ms)
{
	for (struct hub_ending *e = h->ending; e != NULL; e = e->next) {
		if (io_now_ms() - e->since_ms < patience_ms)
			continue;
		kill(e->pid, e->told ? SIGKILL : SIGTERM);
		e->told = true;
	}
}

static bool forget_ending(struct log_hub *h, pid_t pid)
{
	for (struct hub_ending **p = &h->ending; *p != NULL; p = &(*p)->next)
		if ((*p)->pid == pid) {
			struct hub_ending *e = *p;
			*p = e->next;
			free(e);
			return true;
		}
	return false;
}

static void on_sweep(struct loop *l, struct loop_timer *t)
{
	struct log_hub *h = container_of(t, struct log_hub, sweep);
	struct ipc_msg m;

	(void)l;
	ipc_fill(&m, IPC_LOG_GONE, 0, NULL);
	for (uint32_t id = 0; id < h->n; id++) {
		if (h->v[id] == NULL || h->v[id]->users > 0)
			continue;
		drop(h, id);
		for (unsigned k = 0; k < 4; k++)
			m.body[m.body_len++] = (uint8_t)(id >> (24 - 8 * k));
		if (m.body_len == IPC_BODY_MAX) {
			send_to(h, &m);
			m.body_len = 0;
		}
	}
	if (m.body_len > 0)
		send_to(h, &m);
	hurry(h, PATIENCE_MS);
	if (h->ending != NULL && loop_timer_set(h->loop, &h->sweep, LINGER_MS) < 0)
		log_err("no memory for a timer: a log program goes on");
}

void log_hub_reopen(struct log_hub *h)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_LOG_REOPEN, 0, NULL);
	send_to(h, &m);
}

bool log_hub_reaped(struct log_hub *h, pid_t pid, int status)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i] != NULL && h->v[i]->pipe != NULL && log_pipe_reaped(h->v[i]->pipe, pid, status))
			return true;
	if (forget_ending(h, pid))
		return true;
	if (!kept_proc_ended(&h->proc, pid))
		return false;
	lose_channel(h);
	kept_proc_again(&h->proc, status);
	return true;
}

void log_hub_init(struct log_hub *h, struct loop *l, bool privileged)
{
	*h = (struct log_hub){.loop = l, .privileged = privileged, .data = {-1, -1}, .chan.fd = -1, .sweep.cb = on_sweep};
	kept_proc_init(&h->proc, &kind, l);
}

/* False: not until then. */
static bool wait_for(pid_t pid, uint64_t until_ms)
{
	const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (io_now_ms() > until_ms)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

/* It may ask for a last file. */
static void end_writer(struct log_hub *h, uint64_t until_ms)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_LOG_END, 0, NULL);
	send_to(h, &m);
	while (h->chan.fd != -1 && io_now_ms() < until_ms) {
		struct pollfd p = {.fd = h->chan.fd, .events = POLLIN};
		if (poll(&p, 1, 50) > 0)
			on_chan(h->loop, &h->chan, EPOLLIN);
	}
	lose_channel(h);
	if (h->proc.pid != 0 && !wait_for(h->proc.pid, until_ms + END_MS))
		log_err("the log process %d does not end", (int)h->proc.pid);
}

void log_hub_end(struct log_hub *h)
{
	uint64_t until_ms = io_now_ms() + END_MS;

	kept_proc_stop(&h->proc);
	loop_timer_stop(h->loop, &h->sweep);
	if (h->proc.pid != 0)
		end_writer(h, until_ms);
	for (size_t i = 0; i < h->n; i++)
		free_log(h, h->v[i]);
	until_ms = io_now_ms() + END_MS;
	while (h->ending != NULL) {
		struct hub_ending *e = h->ending;
		if (wait_for(e->pid, until_ms)) {
			forget_ending(h, e->pid);
		} else {
			log_err("log program %d does not end with its input", (int)e->pid);
			hurry(h, 0);
			until_ms = io_now_ms() + END_MS / 3;
		}
	}
	free(h->v);
	h->v = NULL;
	h->n = 0;
	io_close(&h->data[0]);
	io_close(&h->data[1]);
}
