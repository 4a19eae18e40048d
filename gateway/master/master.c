/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/master/generation.h"
#include "gateway/master/master_lock.h"
#include "gateway/master/master_priv.h"
#include "gateway/master/notify.h"
#include "gateway/master/pid_file.h"
#include "sandbox/rollback/rollback.h"

#define STOP_WAIT_MS 3000

static void sweep(struct master *m);

/* --- start, one line to whoever waits for us ------------------------------------------------------------------------------ */

static void tell_parent(struct master *m, bool ok)
{
	char byte = ok ? 'y' : 'n';

	if (m->tell_fd == -1)
		return;
	if (write(m->tell_fd, &byte, 1) == -1)
		log_debug("nobody waits for us");
	io_close(&m->tell_fd);
}

/* Detach: the first process waits until the second serves or fails, so that "started" is true when it says so. */
static int become_daemon(struct master *m)
{
	int ends[2];
	char byte = 'n';

	if (pipe2(ends, O_CLOEXEC) == -1)
		return GW_ERR_SYS;
	pid_t pid = fork();
	if (pid == -1)
		return GW_ERR_SYS;
	if (pid > 0) {
		close(ends[1]);
		ssize_t n = read(ends[0], &byte, 1);
		_exit(n == 1 && byte == 'y' ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(ends[0]);
	m->tell_fd = ends[1];
	setsid();
	return GW_OK;
}

static void raise_descriptors(void)
{
	struct rlimit r = {1 << 20, 1 << 20};

	/* One descriptor a connection, and one a log file: as many as we are allowed. */
	if (setrlimit(RLIMIT_NOFILE, &r) == 0 || getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1)
		log_warn("cannot raise the limit of open files: %m");
}

/* --- generations ------------------------------------------------------------------------------------------------------------- */

/* Read certificates and keys anew. A host whose files are broken keeps what it had, or is refused alone. */
static int load_tls(struct master *m, const struct conf *c, struct tls_store **out)
{
	struct conf_diags diags;
	bool none;

	conf_diags_init(&diags);
	*out = tls_store_load(c, m->current != NULL ? m->current->tls : NULL, m->host.launch.privileged, &diags, &none);
	master_say_diags(m, &diags);
	bool broken = diags.errors > 0;
	m->reload_broken = m->reload_broken || broken;
	conf_diags_fini(&diags);
	if (*out == NULL && !none) {
		log_err("no memory for certificates and keys");
		return GW_ERR_NOMEM;
	}
	/* The one that serves now may have kept a certificate that was good, which cannot be handed over. */
	if (broken && m->from.report != -1 && !m->served) {
		log_err("a host would lose its certificate by the upgrade");
		return GW_ERR_DENIED;
	}
	return none ? GW_OK : ticket_keys_start(&m->host.tickets, c->ticket_life_ms);
}

static void say_heard(void *ctx, const char *line, size_t n)
{
	struct master *m = ctx;

	control_say(&m->control, m->heard_for, "%.*s", (int)n, line);
}

/* Ownership of @c and @tls passes, also when NULL comes back. */
static struct generation *open_generation(struct master *m, struct conf *c, struct tls_store *tls)
{
	struct listen_set listens;

	if (listen_open(&listens, c, &m->listens) < 0) {
		tls_store_free(tls);
		conf_free(c);
		return NULL;
	}
	struct generation *g = generation_new(&m->host, c, tls, &listens);
	if (g == NULL) {
		listen_close(&listens, &m->listens);
		tls_store_free(tls);
		conf_free(c);
		return NULL;
	}
	if (generation_start(g) < 0) {
		listen_close(&g->listens, &m->listens);
		generation_free(g);
		return NULL;
	}
	log_hub_reopen(&m->logs); /* a reload comes after a rotation, often */
	g->next = m->gens;
	m->gens = g;
	return g;
}

/* Ownership of @c passes, also when NULL comes back. */
static struct generation *start_generation(struct master *m, struct conf *c)
{
	struct tls_store *tls;

	if (load_tls(m, c, &tls) < 0) {
		tls_store_free(tls);
		conf_free(c);
		return NULL;
	}
	/* Who waits for a reload is told why it is refused: a port in use, a log that cannot be opened. */
	m->heard_for = CONTROL_GRACEFUL;
	log_hear(say_heard, m);
	struct generation *g = open_generation(m, c, tls);
	log_hear(NULL, NULL);
	m->reload_broken |= g != NULL && g->logs.failed_n > 0;
	return g;
}

static void set_server_log(struct master *m, const struct generation *g)
{
	const struct conf_server *s = g->conf->servers[0];
	struct log_sink sink = log_files_sink(&g->logs, s);

	if (s->error_log != NULL && !sink.framed) {
		/* A descriptor of our own: the generation's are closed with it. */
		sink.fd = fcntl(sink.fd, F_DUPFD_CLOEXEC, 5);
		if (sink.fd == -1)
			return;
	}
	io_close(&m->log_fd);
	m->log_fd = s->error_log != NULL && !sink.framed ? sink.fd : -1;
	*log_server() = sink;
}

static void say_isolation(void)
{
	const char *why;

	if (!rollback_supported(&why))
		log_notice("no RequestIsolation rollback here, fresh is the default: %s", why);
}

static void drain(struct master *m, struct generation *g)
{
	generation_drain(g);
	listen_retire(&g->listens, &m->listens);
}

/* Everybody who waits for a server learns that there is one. */
static void serve_first(struct master *m, const struct generation *g)
{
	m->served = true;
	m->listens.shared = false; /* the old one serves no more */
	listen_trim(&m->listens);
	if (g->conf->pid_file != NULL) {
		m->pid_path = strdup(g->conf->pid_file);
		if (m->pid_path != NULL && pid_file_write(m->pid_path) < 0)
			log_err("cannot write PidFile %s: %m", m->pid_path);
		if (m->pid_path != NULL && control_open(&m->control, m->host.loop, m->pid_path) < 0)
			log_warn("no socket beside PidFile %s, so -k is not told how things went: %m", m->pid_path);
	}
	log_tee(-1);
	takeover_tell(&m->from, TAKEOVER_SERVES);
	tell_parent(m, true);
	if (m->host.daemon)
		io_detach(m->log_fd);
}

static void end_reload(struct master *m, bool ok)
{
	if (ok && m->reload_broken)
		control_say(&m->control, CONTROL_GRACEFUL, "bulkhead: reloaded, but for the files with errors\n");
	control_done(&m->control, CONTROL_GRACEFUL, ok && !m->reload_broken);
}

static void on_ready(struct generation_host *h, struct generation *g)
{
	struct master *m = container_of(h, struct master, host);
	struct generation *old = m->current;

	if (g == m->current) { /* a restarted front */
		log_notice("the front serves again");
		return;
	}
	if (g != m->next)
		return;
	m->next = NULL;
	m->current = g;
	set_server_log(m, g);
	if (old == NULL)
		say_isolation();
	site_cgroups_check(m->host.launch.cgroups, g->conf);
	log_notice("bulkhead " PACKAGE_VERSION ": %zu virtual hosts, front %d%s", g->conf->servers_n - 1, (int)g->front.pid,
		old != NULL ? " after reload" : "");
	if (old == NULL)
		serve_first(m, g);
	spares_set(&m->spares, g->conf); /* they inherit no terminal, and no pipe that somebody reads to its end */
	if (old != NULL || m->from.report == -1)
		notify_send("READY=1"); /* after an upgrade it is ready already, and we are not its main process yet */
	if (old != NULL) {
		m->leaving = old;
		drain(m, old);
	}
	sweep(m); /* the old one has perhaps no process left, and a further reload may wait for this one */
}

static void on_quiet(struct generation_host *h, struct generation *g)
{
	struct master *m = container_of(h, struct master, host);

	if (g != m->leaving)
		return;
	m->leaving = NULL;
	if (m->handed_over)
		control_done(&m->control, CONTROL_UPGRADE, true);
	else
		end_reload(m, true);
}

/* sd_notify(3): when it began, for services of type notify-reload. */
static void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)io_now_us());
	notify_send(text);
}

static void reload(struct master *m)
{
	struct conf_diags diags;

	if (m->next != NULL) {
		m->reload_again = true;
		return;
	}
	control_begin(&m->control, CONTROL_GRACEFUL);
	notify_reloading();
	conf_diags_init(&diags);
	struct conf *c = conf_load(&m->opts->load, &diags);
	master_say_diags(m, &diags);
	m->reload_broken = diags.errors > 0;
	conf_diags_fini(&diags);
	if (c != NULL)
		m->next = start_generation(m, c);
	master_said(m, m->next != NULL);
	if (m->next == NULL) {
		log_err("reload refused: the running configuration stays in service");
		notify_send("READY=1\nSTATUS=last reload refused, see the error log");
		control_say(&m->control, CONTROL_GRACEFUL, "bulkhead: reload refused: the running configuration stays in service\n");
		end_reload(m, false);
	}
}

/* All fronts, also those that drain: their clients' next connections go to the newest one. */
static void on_ticket_key(struct ticket_keys *t, const struct ticket_key *k)
{
	struct master *m = container_of(container_of(t, struct generation_host, tickets), struct master, host);

	for (struct generation *g = m->gens; g != NULL; g = g->next)
		generation_ticket_key(g, k);
}

/* --- stopping ------------------------------------------------------------------------------------------------------------------ */

void master_stop_now(struct master *m)
{
	m->stopping = m->stopping_now = true;
	if (!m->handed_over)
		notify_send("STOPPING=1");
	takeover_tell(&m->from, TAKEOVER_STOP);
	master_upgrade_end(m);
	spares_end(&m->spares);
	for (struct generation *g = m->gens; g != NULL; g = g->next)
		generation_kill(g);
	sweep(m);
	if (m->gens != NULL && loop_timer_set(m->host.loop, &m->stop_timer, STOP_WAIT_MS) < 0)
		loop_stop(m->host.loop);
}

void master_stop_gracefully(struct master *m)
{
	m->stopping = true;
	if (!m->handed_over) {
		notify_send("STOPPING=1");
		master_upgrade_end(m);
	}
	spares_end(&m->spares);
	for (struct generation *g = m->gens; g != NULL; g = g->next) {
		if (g == m->next)
			generation_kill(g);
		else if (g->state != GEN_DRAINING)
			drain(m, g);
	}
	sweep(m);
}

static void on_stop_timer(struct loop *l, struct loop_timer *t)
{
	(void)t;
	log_err("children did not end in time");
	loop_stop(l);
}

/* --- children -------------------------------------------------------------------------------------------------------------------- */

/* A generation without processes: forget it. Sockets that no other one uses are closed. */
static void drop_generation(struct master *m, struct generation *g)
{
	struct generation **p = &m->gens;

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	if (m->current == g)
		m->current = NULL;
	if (m->leaving == g)
		m->leaving = NULL;
	if (m->next == g) {
		m->next = NULL;
		if (m->current != NULL && !m->stopping) {
			log_err("reload failed: the running configuration stays in service");
			notify_send("READY=1\nSTATUS=last reload failed, see the error log");
			control_say(&m->control, CONTROL_GRACEFUL, "bulkhead: reload failed, see the error log: the running configuration stays in service\n");
			end_reload(m, false);
		}
	}
	listen_close(&g->listens, &m->listens);
	if (log_server()->format == g->conf->servers[0]->error_format)
		log_server()->format = NULL; /* it goes with the configuration */
	generation_free(g);
}

/* Drop the generations that are over; go on with what waited for that: a further reload, or our own end. */
static void sweep(struct master *m)
{
	bool first_failed = m->current == NULL && m->next != NULL && m->next->state == GEN_GONE;

	for (struct generation *g = m->gens, *next; g != NULL; g = next) {
		next = g->next;
		if (g->state == GEN_GONE && !generation_alive(g))
			drop_generation(m, g);
	}
	if (m->gens == NULL) {
		if (first_failed && !m->stopping)
			m->status = EXIT_FAILURE;
		loop_stop(m->host.loop);
	} else if (m->reload_again && m->next == NULL && !m->stopping) {
		m->reload_again = false;
		reload(m);
	}
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (spares_reaped(&m->spares, pid) || log_hub_reaped(&m->logs, pid, status))
			continue;
		for (struct generation *g = m->gens; g != NULL; g = g->next)
			if (generation_reaped(g, pid, status))
				break;
	}
	sweep(m);
}

static void on_signal(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct master *m = container_of(io, struct master, signals);
	struct signalfd_siginfo info;

	(void)l;
	(void)ready;
	while (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch ((int)info.ssi_signo) {
		case SIGCHLD:
			reap(m);
			break;
		case SIGHUP:
		case SIGUSR1:
			log_notice("reload asked for");
			if (!m->stopping)
				reload(m);
			break;
		case SIGWINCH:
			log_notice("graceful stop asked for");
			master_stop_gracefully(m);
			break;
		default:
			log_notice("stop asked for");
			master_stop_now(m);
			break;
		}
	}
}

static int watch_signals(struct master *m)
{
	sigset_t set;

	sigemptyset(&set);
	static const int signals[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGWINCH, SIGTERM, SIGINT, SIGQUIT};
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return GW_ERR_SYS;
	signal(SIGPIPE, SIG_IGN);
	m->signals = (struct loop_io){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = EPOLLIN, .cb = on_signal};
	return m->signals.fd == -1 ? GW_ERR_SYS : loop_io_add(m->host.loop, &m->signals, 0);
}

static void on_reopened(struct generation_host *h, struct generation *g)
{
	control_done(&container_of(h, struct master, host)->control, CONTROL_REOPEN, g->logs.failed_n == 0);
}

static bool reopen(struct master *m)
{
	log_hub_reopen(&m->logs);
	control_begin(&m->control, CONTROL_REOPEN);
	m->heard_for = CONTROL_REOPEN;
	log_hear(say_heard, m);
	bool reopened = generation_reopen(m->current);
	log_hear(NULL, NULL);
	if (!reopened)
		return false;
	set_server_log(m, m->current);
	return true;
}

static void on_ask(struct control *k, enum control_word word)
{
	struct master *m = container_of(k, struct master, control);

	if (word == CONTROL_UPGRADE) {
		master_upgrade(m);
	} else if (word == CONTROL_SITES) {
		master_say_sites(m);
	} else if (m->stopping) {
		control_begin(k, word);
		control_say(k, word, "bulkhead: the server is ending\n");
		control_done(k, word, false);
	} else if (word == CONTROL_REOPEN && m->next == NULL && m->current != NULL && reopen(m)) {
		log_notice("logs opened anew");
	} else {
		log_notice("%s asked for", control_words[word]);
		control_be(k, word, CONTROL_GRACEFUL); /* a reload opens them, too */
		reload(m);
	}
}

/* What another master has left to us. */
static int adopt(struct master *m)
{
	if (m->opts->from == NULL || m->opts->from->report == -1)
		return GW_OK;
	m->from = *m->opts->from;
	log_tee(m->from.report);
	for (size_t i = 0; i < m->from.listens_n; i++) {
		int err = listen_adopt(&m->listens, m->from.listens[i]);
		if (err < 0) {
			log_err("descriptor %d, which should be a listening socket: %s", m->from.listens[i], gw_strerror(err));
			return err;
		}
	}
	return GW_OK;
}

/* Another that runs already, unless it is the one that we take over from. */
static bool runs_already(const struct master *m, const struct conf *c)
{
	pid_t running = c->pid_file != NULL && m->from.report == -1 ? pid_file_read(c->pid_file) : 0;

	if (running <= 0 || running == getpid())
		return false;
	log_line(log_server(), LOG_LV_CRIT, NULL, "bulkhead is running already as process %d (PidFile %s)", (int)running, c->pid_file);
	return true;
}

/* Everything but a generation. */
static int set_up(struct master *m, const struct conf *c)
{
	bool adopted = m->from.report != -1;

	prctl(PR_SET_NAME, "bulkhead");
	raise_descriptors();
	if (master_drop(geteuid() == 0) < 0) {
		log_err("cannot give up capabilities: %m");
		return GW_ERR_SYS;
	}
	m->host = (struct generation_host){.loop = loop_new(), .launch.privileged = geteuid() == 0,
		.daemon = !m->opts->foreground && c->servers[0]->error_log != NULL, .ready = on_ready, .quiet = on_quiet, .reopened = on_reopened};
	client_mem_init(&m->host.clients);
	ticket_keys_init(&m->host.tickets, m->host.loop, on_ticket_key);
	if (m->from.tickets != -1 && ticket_keys_import(&m->host.tickets, m->from.tickets) < 0)
		log_warn("the keys of session tickets were not handed over: clients begin new sessions");
	io_close(&m->from.tickets);
	m->host.launch.cgroups = m->host.loop == NULL ? NULL : site_cgroups_new(m->host.loop, adopted);
	m->host.launch.spares = &m->spares;
	m->host.logs = &m->logs;
	log_hub_init(&m->logs, m->host.loop, m->host.launch.privileged);
	spares_init(&m->spares, m->host.loop, m->host.launch.cgroups);
	if (m->host.launch.cgroups != NULL && watch_signals(m) == 0)
		return GW_OK;
	log_err("cannot start: %m");
	return GW_ERR_SYS;
}

/* Before the generations' end nothing here may be freed; all of it is when the process ends. */
static void tear_down(struct master *m)
{
	control_close(&m->control, !m->handed_over);
	if (log_server()->framed)
		*log_server() = (struct log_sink){.fd = STDERR_FILENO, .level = log_server()->level};
	log_hub_end(&m->logs);
	if (m->pid_path != NULL && !m->handed_over)
		pid_file_remove(m->pid_path);
	free(m->pid_path);
	master_forget(m);
	site_cgroups_free(m->host.launch.cgroups, m->handed_over || (m->from.report != -1 && !m->served));
	takeover_fini(&m->from);
	ticket_keys_fini(&m->host.tickets);
	client_mem_fini(&m->host.clients);
	loop_free(m->host.loop);
}

int master_run(struct conf *c, const struct master_opts *opts)
{
	struct master m = {.opts = opts, .log_fd = -1, .tell_fd = -1, .status = EXIT_SUCCESS, .from = {.report = -1, .tickets = -1},
		.upgrade = {.pidfd = -1, .report.fd = -1}, .stop_timer.cb = on_stop_timer, .control = {.ask = on_ask, .listener.fd = -1}};

	log_role("master");
	if (adopt(&m) < 0 || runs_already(&m, c)) {
		conf_free(c);
		return EXIT_FAILURE;
	}
	if (!opts->foreground && m.from.report == -1 && become_daemon(&m) < 0) {
		log_err("cannot detach: %m");
		return EXIT_FAILURE;
	}
	if (set_up(&m, c) < 0) {
		tell_parent(&m, false);
		return EXIT_FAILURE;
	}
	master_heard(&m, opts->diags);
	m.next = start_generation(&m, c);
	master_said(&m, m.next != NULL);
	if (m.next == NULL)
		m.status = EXIT_FAILURE;
	else if (loop_run(m.host.loop) < 0)
		m.status = EXIT_FAILURE;
	spares_end(&m.spares);
	tell_parent(&m, false);
	if (m.served)
		log_notice("bulkhead ended");
	tear_down(&m);
	return m.status;
}
