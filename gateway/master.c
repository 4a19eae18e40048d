/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master.h"

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
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/generation.h"
#include "gateway/master_lock.h"
#include "gateway/pid_file.h"
#include "sandbox/rollback/rollback.h"

#define STOP_WAIT_MS 3000

struct master {
	const struct master_opts *opts;
	struct generation_host host;
	struct spares spares;
	struct loop_io signals;
	struct loop_timer stop_timer;
	struct generation *gens;    /* all that still have a process, newest first */
	struct generation *current; /* the one that serves */
	struct generation *next;    /* being started by a reload */
	bool reload_again, stopping;
	int log_fd;                 /* the server's error log; -1: standard error */
	int tell_fd;                /* pipe to the waiting parent of a daemon; -1 */
	int status;
	char *pid_path;
};

static void sweep(struct master *m);

static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

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

/* Ownership of @c passes, also when NULL comes back. */
static struct generation *start_generation(struct master *m, struct conf *c)
{
	struct listen_set listens;
	const struct listen_set *old = m->current != NULL ? &m->current->listens : NULL;

	if (listen_open(&listens, c, old) < 0) {
		conf_free(c);
		return NULL;
	}
	struct generation *g = generation_new(&m->host, c, &listens);
	if (g == NULL) {
		listen_close(&listens, old);
		conf_free(c);
		return NULL;
	}
	if (generation_start(g) < 0) {
		listen_close(&g->listens, old);
		generation_free(g);
		return NULL;
	}
	g->next = m->gens;
	m->gens = g;
	return g;
}

static void set_server_log(struct master *m, const struct generation *g)
{
	const struct conf_server *s = g->conf->servers[0];

	log_server()->level = s->log_level;
	if (s->error_log == NULL)
		return;
	/* A descriptor of our own: the generation's are closed with it. */
	int fd = fcntl(g->log_fds[s->error_log->index], F_DUPFD_CLOEXEC, 5);
	if (fd == -1)
		return;
	io_close(&m->log_fd);
	log_server()->fd = m->log_fd = fd;
}

static void say_isolation(void)
{
	const char *why;

	if (!rollback_supported(&why))
		log_notice("no RequestIsolation rollback here, fresh is the default: %s", why);
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
	if (old != NULL)
		generation_drain(old);
	log_notice("bulkhead " PACKAGE_VERSION ": %zu virtual hosts, front %d%s", g->conf->servers_n - 1, (int)g->front,
		old != NULL ? " after reload" : "");
	if (m->pid_path == NULL && g->conf->pid_file != NULL) {
		m->pid_path = strdup(g->conf->pid_file);
		if (m->pid_path != NULL && pid_file_write(m->pid_path) < 0)
			log_err("cannot write PidFile %s: %m", m->pid_path);
	}
	tell_parent(m, true);
	if (old == NULL && m->host.daemon)
		io_detach(log_server()->fd);
	spares_set(&m->spares, g->conf); /* they inherit no terminal, and no pipe that somebody reads to its end */
	notify("READY=1");
	sweep(m); /* the old one has perhaps no process left, and a further reload may wait for this one */
}

static void log_diags(const struct conf_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		log_line(log_server(), d->v[i].error ? LOG_LV_ERROR : LOG_LV_WARN, NULL, "%s:%u:%u: %s", d->v[i].file, d->v[i].line,
			d->v[i].column, d->v[i].text);
}

static void reload(struct master *m)
{
	struct conf_diags diags;

	if (m->next != NULL) {
		m->reload_again = true;
		return;
	}
	notify("RELOADING=1");
	conf_diags_init(&diags);
	struct conf *c = conf_load(&m->opts->load, &diags);
	log_diags(&diags);
	conf_diags_fini(&diags);
	if (c != NULL)
		m->next = start_generation(m, c);
	if (m->next == NULL) {
		log_err("reload refused: the running configuration stays in service");
		notify("READY=1\nSTATUS=last reload refused, see the error log");
	}
}

/* --- stopping ------------------------------------------------------------------------------------------------------------------ */

static void stop_now(struct master *m)
{
	m->stopping = true;
	notify("STOPPING=1");
	spares_end(&m->spares);
	for (struct generation *g = m->gens; g != NULL; g = g->next)
		generation_kill(g);
	sweep(m);
	if (m->gens != NULL && loop_timer_set(m->host.loop, &m->stop_timer, STOP_WAIT_MS) < 0)
		loop_stop(m->host.loop);
}

static void stop_gracefully(struct master *m)
{
	m->stopping = true;
	notify("STOPPING=1");
	for (struct generation *g = m->gens; g != NULL; g = g->next) {
		if (g == m->next)
			generation_kill(g);
		else if (g->state != GEN_DRAINING)
			generation_drain(g);
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

static const struct listen_set *listens_in_use(const struct master *m)
{
	if (m->current != NULL)
		return &m->current->listens;
	return m->next != NULL ? &m->next->listens : NULL;
}

/* A generation without processes: forget it. Sockets that no other one uses are closed. */
static void drop_generation(struct master *m, struct generation *g)
{
	struct generation **p = &m->gens;

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	if (m->current == g)
		m->current = NULL;
	if (m->next == g) {
		m->next = NULL;
		if (m->current != NULL && !m->stopping) {
			log_err("reload failed: the running configuration stays in service");
			notify("READY=1\nSTATUS=last reload failed, see the error log");
		}
	}
	if (m->next == NULL || m->current != NULL || m->stopping)
		listen_close(&g->listens, listens_in_use(m));
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
		if (spares_reaped(&m->spares, pid))
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
			stop_gracefully(m);
			break;
		default:
			log_notice("stop asked for");
			stop_now(m);
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

int master_run(struct conf *c, const struct master_opts *opts)
{
	struct master m = {.opts = opts, .log_fd = -1, .tell_fd = -1, .status = EXIT_SUCCESS};
	pid_t running = c->pid_file != NULL ? pid_file_read(c->pid_file) : 0;

	log_role("master");
	if (running > 0 && running != getpid()) {
		log_line(log_server(), LOG_LV_CRIT, NULL, "bulkhead is running already as process %d (PidFile %s)", (int)running,
			c->pid_file);
		conf_free(c);
		return EXIT_FAILURE;
	}
	if (!opts->foreground && become_daemon(&m) < 0) {
		log_err("cannot detach: %m");
		return EXIT_FAILURE;
	}
	prctl(PR_SET_NAME, "bulkhead");
	raise_descriptors();
	if (master_drop(geteuid() == 0) < 0) {
		log_err("cannot give up capabilities: %m");
		tell_parent(&m, false);
		return EXIT_FAILURE;
	}
	m.host = (struct generation_host){.loop = loop_new(), .launch.privileged = geteuid() == 0,
		.daemon = !opts->foreground && c->servers[0]->error_log != NULL, .ready = on_ready};
	m.stop_timer.cb = on_stop_timer;
	m.host.launch.cgroups = m.host.loop == NULL ? NULL : site_cgroups_new(m.host.loop);
	m.host.launch.spares = &m.spares;
	spares_init(&m.spares, m.host.loop, m.host.launch.cgroups);
	if (m.host.launch.cgroups == NULL || watch_signals(&m) < 0) {
		log_err("cannot start: %m");
		return EXIT_FAILURE;
	}
	m.next = start_generation(&m, c);
	if (m.next == NULL) {
		tell_parent(&m, false);
		site_cgroups_free(m.host.launch.cgroups);
		loop_free(m.host.loop);
		return EXIT_FAILURE;
	}
	if (loop_run(m.host.loop) < 0)
		m.status = EXIT_FAILURE;
	spares_end(&m.spares);
	tell_parent(&m, false);
	if (m.pid_path != NULL)
		pid_file_remove(m.pid_path);
	free(m.pid_path);
	log_notice("bulkhead ended");
	site_cgroups_free(m.host.launch.cgroups);
	loop_free(m.host.loop);
	return m.status;
}
