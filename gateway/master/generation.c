/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/generation.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/front.h"
#include "gateway/master/launch.h"
#include "gateway/log/log_files.h"
#include "sandbox/ipc_chan.h"

#define CHANNEL_OCTETS (8 * 1024 * 1024) /* room for a message from every site at once */
#define MESSAGES_PER_EVENT 64
#define LAUNCH_GAP_MS 100                /* between two zygotes of one site: a front cannot make us a fork bomb */

/* --- life -------------------------------------------------------------------------------------------------------------- */

static pid_t start_front(struct kept_proc *proc);

static const struct kept_kind front_kind = {.what = "the front", .at_once = 3, .severity = LOG_LV_CRIT, .start = start_front};

static void free_tables(struct generation *g)
{
	free(g->zygotes);
	free(g->leaves);
	free(g->wanted);
	free(g->launched_ms);
	free(g);
}

struct generation *generation_new(struct generation_host *h, struct conf *c, struct tls_store *tls, struct listen_set *listens)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL || log_files_open(&g->logs, c, h->logs) < 0) {
		free(g);
		return NULL;
	}
	g->zygotes = calloc(c->servers_n, sizeof(*g->zygotes));
	g->launched_ms = calloc(c->servers_n, sizeof(*g->launched_ms));
	g->wanted = calloc(c->servers_n, sizeof(*g->wanted));
	g->leaves = calloc(c->servers_n, sizeof(*g->leaves));
	struct mail_proc_host mail = {.loop = h->loop, .conf = c, .logs = &g->logs, .privileged = h->launch.privileged, .daemon = h->daemon};
	if (g->zygotes == NULL || g->leaves == NULL || g->launched_ms == NULL || g->wanted == NULL || mail_proc_init(&g->mail, &mail) < 0) {
		log_files_close(&g->logs, c, h->logs);
		free_tables(g);
		return NULL;
	}
	g->host = h;
	g->conf = c;
	g->tls = tls;
	g->listens = *listens;
	g->state = GEN_STARTING;
	g->chan.fd = -1;
	kept_proc_init(&g->front, &front_kind, h->loop);
	return g;
}

void generation_free(struct generation *g)
{
	kept_proc_stop(&g->front);
	mail_proc_fini(&g->mail);
	log_files_close(&g->logs, g->conf, g->host->logs);
	tls_store_free(g->tls);
	conf_free(g->conf);
	free_tables(g);
}

static void kill_zygotes(const struct generation *g)
{
	for (size_t i = 0; i < g->conf->servers_n; i++)
		if (g->zygotes[i] > 0)
			kill(g->zygotes[i], SIGKILL);
}

void generation_kill(struct generation *g)
{
	g->state = GEN_GONE;
	g->killed = true;
	kept_proc_stop(&g->front);
	kept_proc_kill(&g->front);
	kill_zygotes(g);
	mail_proc_kill(&g->mail);
}

static bool serves(const struct generation *g)
{
	if (g->front.pid > 0)
		return true;
	for (size_t i = 0; i < g->conf->servers_n; i++)
		if (g->zygotes[i] > 0)
			return true;
	return false;
}

/* Cells may send mail until the last of them is gone. */
static void retire_mail(struct generation *g)
{
	if (g->state == GEN_GONE && !serves(g))
		mail_proc_retire(&g->mail);
}

bool generation_alive(const struct generation *g)
{
	return serves(g) || g->mail.proc.pid > 0;
}

static void close_channel(struct generation *g)
{
	loop_io_del(g->host->loop, &g->chan);
	io_close(&g->chan.fd);
}

/* --- messages ------------------------------------------------------------------------------------------------------------ */

/* What it has said already is not looked at any more. */
static void condemn_front(struct generation *g, const char *why)
{
	log_err("front %d %s: killing it", (int)g->front.pid, why);
	kept_proc_kill(&g->front);
	close_channel(g);
}

static void send_front(struct generation *g, const struct ipc_msg *m)
{
	if (g->chan.fd == -1)
		return;
	if (ipc_send(g->chan.fd, m) < 0)
		condemn_front(g, "does not take messages");
}

void generation_ticket_key(struct generation *g, const struct ticket_key *k)
{
	struct ipc_msg m;

	if (g->tls == NULL || g->front.pid == 0)
		return;
	ipc_fill(&m, IPC_TICKET_KEY, 0, NULL);
	ticket_key_encode(k, m.body);
	m.body_len = TICKET_KEY_LEN;
	send_front(g, &m);
	explicit_bzero(m.body, sizeof(m.body));
}

static void send_down(struct generation *g, uint32_t site, const char *reason)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_SITE_DOWN, site, reason);
	send_front(g, &m);
}

/* The front keeps to ZygoteLimit by itself; but its zygotes end later than it thinks, and it is believed nothing. */
static bool is_full(const struct generation *g)
{
	return g->conf->zygotes_max > 0 && g->zygotes_n >= g->conf->zygotes_max;
}

static void take_off(struct generation *g, size_t id)
{
	g->wanted_n -= g->wanted[id] != 0;
	g->wanted[id] = 0;
}

static void put_off(struct generation *g, uint32_t id)
{
	if (g->wanted[id] != 0)
		return;
	g->wanted[id] = ++g->wants;
	g->wanted_n++;
}

static void site_want(struct generation *g, uint32_t id)
{
	const struct conf_server *site = g->conf->servers[id];
	uint64_t now = loop_now_ms(g->host->loop);
	struct site_leaf *leaf;
	struct ipc_msg m;
	const char *why;
	int chan;

	/* The front is believed nothing: only sites that have cells, one zygote each, not too often. */
	if (site->dispatch != CONF_DISPATCH_PREFORK) {
		send_down(g, id, "this virtual host has no cells");
		return;
	}
	/* The last one is still ending, or too many are: launched when one is reaped. */
	if (g->zygotes[id] > 0 || is_full(g)) {
		put_off(g, id);
		return;
	}
	take_off(g, id);
	if (g->launched_ms[id] != 0 && now - g->launched_ms[id] < LAUNCH_GAP_MS) {
		send_down(g, id, "its zygote ended right after its start");
		return;
	}
	g->launched_ms[id] = now;
	pid_t pid = launch_zygote(&g->host->launch, g->conf, site, mail_proc_channel(&g->mail, site), &chan, &leaf, &why);
	if (pid < 0) {
		log_err("site=%s %s", site->name, why);
		send_down(g, id, why);
		return;
	}
	g->zygotes[id] = pid;
	g->leaves[id] = leaf;
	g->zygotes_n++;
	log_debug("site=%s zygote %d started", site->name, (int)pid);
	ipc_fill(&m, IPC_SITE_UP, id, NULL);
	m.fds[0] = chan;
	m.fds_n = 1;
	send_front(g, &m);
	close(chan);
}

static void fall_quiet(struct generation *g)
{
	bool first = !g->quiet;

	g->quiet = true;
	if (first)
		g->host->quiet(g->host, g);
}

static void from_front(struct generation *g, const struct ipc_msg *m)
{
	char why[64];

	if (m->type == IPC_FRONT_READY) {
		if (g->front_ready) {
			condemn_front(g, "is ready twice");
			return;
		}
		g->front_ready = true;
		if (g->state == GEN_STARTING)
			g->state = GEN_SERVING;
		g->ever_ready = true;
		g->host->ready(g->host, g);
		return;
	}
	if (m->type == IPC_FRONT_LOGGED) {
		if (g->reopening > 0 && --g->reopening == 0)
			g->host->reopened(g->host, g);
		return;
	}
	if (m->type == IPC_FRONT_DRAINS) {
		if (g->state == GEN_DRAINING)
			fall_quiet(g);
		else
			condemn_front(g, "drains unasked");
		return;
	}
	if (m->id >= g->conf->servers_n) {
		snprintf(why, sizeof(why), "names site %u, which does not exist", m->id);
		condemn_front(g, why);
		return;
	}
	if (m->type == IPC_SITE_WANT)
		site_want(g, m->id);
	else if (g->zygotes[m->id] > 0)
		kill(g->zygotes[m->id], SIGKILL);
}

static void on_front(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct generation *g = container_of(io, struct generation, chan);
	struct ipc_msg m;

	(void)l;
	(void)ready;
	/* A front that talks without end must not keep us from signals and from other generations. */
	for (int i = 0; i < MESSAGES_PER_EVENT && g->chan.fd != -1; i++) {
		int err = ipc_recv(g->chan.fd, IPC_FRONT, IPC_MASTER, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err == GW_ERR_CLOSED) {
			/* It has ended; one that only hung up could be told nothing any more. */
			kept_proc_kill(&g->front);
			close_channel(g);
			return;
		}
		if (err < 0) {
			condemn_front(g, "breaks the protocol");
			return;
		}
		from_front(g, &m);
	}
}

/* --- the front ---------------------------------------------------------------------------------------------------------------- */

/* What the master holds besides is not a front's business: channels to other fronts above all. */
static int close_foreign(const struct generation *g, int chan)
{
	size_t n = 0;
	int *keep = calloc(g->listens.n + g->conf->log_files_n + 3, sizeof(*keep));

	if (keep == NULL)
		return GW_ERR_NOMEM;
	keep[n++] = chan;
	keep[n++] = g->host->clients.fd;
	for (size_t i = 0; i < g->listens.n; i++)
		keep[n++] = g->listens.fds[i];
	n += log_files_fds(&g->logs, g->conf, keep + n);
	int err = io_close_except(keep, n);
	free(keep);
	return err;
}

_Noreturn static void become_front(const struct generation *g, int chan)
{
	int log_fd = log_files_fd(&g->logs, g->conf->servers[0]->error_log);

	kept_proc_signals(NULL);
	if (g->host->daemon)
		io_detach(log_fd);
	*log_server() = log_files_sink(&g->logs, g->conf->servers[0]);
	if (close_foreign(g, chan) < 0) {
		log_err("a front cannot close what it must not have: %m");
		_exit(EXIT_FAILURE);
	}
	const struct tls_secrets secrets = {.store = g->tls, .ring = ticket_keys_ring(&g->host->tickets)};
	const struct front_gift gift = {.conf = g->conf, .chan = chan, .listen_fds = g->listens.fds, .logs = &g->logs,
		.secrets = g->tls != NULL ? &secrets : NULL, .clients_fd = g->host->clients.fd, .clients_slot = g->slot.slot,
		.privileged = g->host->launch.privileged};
	front_main(&gift);
}

/* The one fork that copies keys. */
static pid_t fork_with_keys(const void *arg)
{
	const struct generation *g = arg;
	static const struct secret none = {NULL, 0};
	const struct secret *keys = g->tls != NULL ? &g->tls->mem : &none, *tickets = g->tls != NULL ? &g->host->tickets.mem : &none;

	pid_t pid = secret_share(keys, true) < 0 || secret_share(tickets, true) < 0 ? -1 : fork();
	/* In the front, too: it forks nobody, and so it stays. */
	if (secret_share(keys, false) < 0 || secret_share(tickets, false) < 0) {
		log_err("keys cannot be kept out of other processes: %m");
		_exit(EXIT_FAILURE);
	}
	return pid;
}

static pid_t start_front(struct kept_proc *proc)
{
	struct generation *g = container_of(proc, struct generation, front);
	int chan;

	g->slot = client_mem_take(&g->host->clients);
	pid_t pid = ipc_fork(&chan, CHANNEL_OCTETS, fork_with_keys, g);
	if (pid == 0)
		become_front(g, chan);
	if (pid == -1) {
		log_err("cannot start a front: %m");
		client_mem_give(&g->host->clients, &g->slot, false);
		return GW_ERR_SYS;
	}
	g->chan = (struct loop_io){.fd = chan, .events = EPOLLIN, .cb = on_front};
	if (loop_io_add(g->host->loop, &g->chan, 0) < 0) {
		log_err("cannot start a front: %m");
		io_close(&g->chan.fd);
		kill(pid, SIGKILL); /* its end is seen as any other's */
	}
	g->front_ready = false;
	return pid;
}

int generation_start(struct generation *g)
{
	return kept_proc_start(&g->front);
}

bool generation_reopen(struct generation *g)
{
	struct ipc_msg m;

	if (g->mail.proc.pid > 0) /* which has them, too, and takes no other ones */
		return false;
	log_files_reopen(&g->logs, g->conf);
	for (size_t i = 0; i < g->conf->log_files_n; i++) {
		if (g->logs.sinks[i].framed)
			continue;
		ipc_fill(&m, IPC_FRONT_LOG, (uint32_t)i, NULL);
		m.fds[0] = g->logs.sinks[i].fd;
		m.fds_n = 1;
		g->reopening += g->chan.fd != -1;
		send_front(g, &m);
	}
	if (g->reopening == 0)
		g->host->reopened(g->host, g);
	return true;
}

void generation_drain(struct generation *g)
{
	struct ipc_msg m;

	g->state = GEN_DRAINING;
	kept_proc_stop(&g->front);
	ipc_fill(&m, IPC_DRAIN, 0, NULL);
	send_front(g, &m);
	if (g->front.pid == 0) {
		g->state = GEN_GONE;
		fall_quiet(g);
	}
	retire_mail(g);
}

static void front_ended(struct generation *g, int status)
{
	close_channel(g);
	client_mem_give(&g->host->clients, &g->slot, status != 0 && !g->killed);
	if (g->reopening > 0) { /* the next one has them from the start */
		g->reopening = 0;
		g->host->reopened(g->host, g);
	}
	if (g->state == GEN_GONE)
		return;
	if (g->state == GEN_DRAINING || (g->state == GEN_STARTING && !g->ever_ready)) {
		if (g->state == GEN_STARTING)
			log_err("the new front did not start: it stays out of service");
		bool drained = g->state == GEN_DRAINING;
		g->state = GEN_GONE;
		if (drained)
			fall_quiet(g);
		return;
	}
	/* Its zygotes lost the only one they answer; requests inside them are lost with it. */
	kill_zygotes(g);
	for (size_t i = 0; i < g->conf->servers_n; i++)
		take_off(g, i);
	kept_proc_again(&g->front, status);
}

/* The first that was put off and whose own predecessor is gone; servers_n: none. */
static size_t first_wanted(const struct generation *g)
{
	size_t n = g->conf->servers_n, best = n;

	for (size_t i = 0; i < n; i++)
		if (g->wanted[i] != 0 && g->zygotes[i] == 0 && (best == n || g->wanted[i] < g->wanted[best]))
			best = i;
	return best;
}

/* A zygote has ended: who waited for that. */
static void launch_wanted(struct generation *g)
{
	while (g->wanted_n > 0 && !is_full(g)) {
		size_t id = first_wanted(g);
		if (id == g->conf->servers_n)
			return;
		take_off(g, id);
		if (g->front.pid > 0)
			site_want(g, (uint32_t)id);
	}
}

static bool reaped(struct generation *g, pid_t pid, int status)
{
	char how[96];

	if (kept_proc_ended(&g->front, pid)) {
		front_ended(g, status);
		return true;
	}
	for (size_t i = 0; i < g->conf->servers_n; i++) {
		if (g->zygotes[i] != pid)
			continue;
		g->zygotes[i] = 0;
		site_leaf_end(g->host->launch.cgroups, g->leaves[i]);
		g->leaves[i] = NULL;
		g->zygotes_n--;
		mail_proc_site_gone(&g->mail, i);
		kept_proc_how(status, how, sizeof(how));
		if (status != 0 && !(g->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
			log_line(log_server(), LOG_LV_WARN, NULL, "site=%s zygote %d %s", g->conf->servers[i]->name, (int)pid, how);
		/* The front learns of it from its channel; a message could cross its next request for a zygote. */
		launch_wanted(g);
		return true;
	}
	return false;
}

bool generation_reaped(struct generation *g, pid_t pid, int status)
{
	bool ours = mail_proc_reaped(&g->mail, pid, status) || reaped(g, pid, status);

	if (ours)
		retire_mail(g);
	return ours;
}
