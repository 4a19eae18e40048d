/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/mail_proc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/mail/mail_role.h"

#define STABLE_MS 60000
#define BACKOFF_MAX_S 60

static void start(struct mail_proc *p);

static void on_restart(struct loop *l, struct loop_timer *t)
{
	(void)l;
	start(container_of(t, struct mail_proc, restart));
}

int mail_proc_init(struct mail_proc *p, const struct mail_proc_host *host)
{
	*p = (struct mail_proc){.host = *host, .chan = -1, .restart = {.cb = on_restart}};
	p->ends = malloc(host->conf->servers_n * sizeof(*p->ends));
	if (p->ends == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < host->conf->servers_n; i++)
		p->ends[i] = -1;
	return GW_OK;
}

void mail_proc_fini(struct mail_proc *p)
{
	loop_timer_stop(p->host.loop, &p->restart);
	io_close(&p->chan);
	for (size_t i = 0; p->ends != NULL && i < p->host.conf->servers_n; i++)
		io_close(&p->ends[i]);
	free(p->ends);
	p->ends = NULL;
}

/* --- the child ----------------------------------------------------------------------------------------------------------- */

/* As for a front: what the master holds besides is none of its business. */
static int close_foreign(const struct mail_proc *p, int chan)
{
	size_t n = 0;
	int *keep = calloc(p->host.conf->log_files_n + 2, sizeof(*keep));

	if (keep == NULL)
		return GW_ERR_NOMEM;
	keep[n++] = chan;
	n += log_files_fds(p->host.logs, p->host.conf, keep + n);
	int err = io_close_except(keep, n);
	free(keep);
	return err;
}

_Noreturn static void become_mail(const struct mail_proc *p, int chan)
{
	static const int ignored[] = {SIGHUP, SIGUSR1, SIGWINCH, SIGPIPE}; /* for the master, or reported by send() */
	int log_fd = log_files_fd(p->host.logs, p->host.conf->servers[0]->error_log);
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (p->host.daemon)
		io_detach(log_fd);
	*log_server() = log_files_sink(p->host.logs, p->host.conf->servers[0]);
	if (close_foreign(p, chan) < 0 || io_nonblock(chan, 1) < 0) {
		log_err("the mail process cannot close what it must not have: %m");
		_exit(EXIT_FAILURE);
	}
	mail_main(p->host.conf, chan, p->host.logs->sinks, p->host.privileged);
}

/* --- the master ------------------------------------------------------------------------------------------------------------ */

static void tell(struct mail_proc *p, size_t index)
{
	struct ipc_msg m;

	ipc_fill(&m, IPC_MAIL_SITE, (uint32_t)index, NULL);
	m.fds[0] = p->ends[index];
	m.fds_n = 1;
	/* One that does not read its few messages hangs. */
	if (ipc_send(p->chan, &m) < 0) {
		log_err("mail process %d does not take messages: killing it", (int)p->pid);
		kill(p->pid, SIGKILL);
	}
}

/* Returns in how many seconds. */
static unsigned start_later(struct mail_proc *p)
{
	unsigned delay_s = p->crashes < 2 ? 0 : p->crashes > 7 ? BACKOFF_MAX_S : 1U << (p->crashes - 2);

	if (loop_timer_set(p->host.loop, &p->restart, delay_s * 1000) < 0)
		log_err("no memory for a timer: the mail process stays down");
	return delay_s;
}

static bool try_start(struct mail_proc *p)
{
	int ends[2];

	if (ipc_pair(ends) < 0)
		return false;
	pid_t pid = io_nonblock(ends[0], 1) < 0 ? -1 : fork();
	if (pid == 0)
		become_mail(p, ends[1]);
	close(ends[1]);
	if (pid == -1) {
		close(ends[0]);
		return false;
	}
	p->pid = pid;
	p->chan = ends[0];
	p->started_ms = loop_now_ms(p->host.loop);
	log_debug("mail process %d started", (int)pid);
	return true;
}

static void start(struct mail_proc *p)
{
	if (!try_start(p)) {
		log_err("cannot start the mail process: %m");
		p->crashes++;
		start_later(p);
		return;
	}
	for (size_t i = 0; i < p->host.conf->servers_n; i++)
		if (p->ends[i] != -1)
			tell(p, i);
}

int mail_proc_channel(struct mail_proc *p, const struct conf_server *site)
{
	int ends[2];

	/* `legacy` may start programs: mail() is PHP's own there. */
	if (site->mail_relay == NULL || site->profile == CONF_PROFILE_LEGACY || p->retired)
		return -1;
	if (p->pid == 0 && !loop_timer_armed(&p->restart))
		start(p);
	/* Only the cells speak here: nothing that one leaves unread is there for the next. */
	if (ipc_pair(ends) < 0 || shutdown(ends[0], SHUT_WR) == -1) {
		log_err("site=%s cannot make a channel for mail: %m", site->name);
		return -1;
	}
	io_close(&p->ends[site->index]);
	p->ends[site->index] = ends[0];
	if (p->chan != -1)
		tell(p, site->index);
	return ends[1];
}

void mail_proc_site_gone(struct mail_proc *p, size_t index)
{
	io_close(&p->ends[index]);
}

void mail_proc_retire(struct mail_proc *p)
{
	p->retired = true;
	loop_timer_stop(p->host.loop, &p->restart);
	io_close(&p->chan);
}

void mail_proc_kill(struct mail_proc *p)
{
	mail_proc_retire(p);
	if (p->pid > 0)
		kill(p->pid, SIGKILL);
}

bool mail_proc_reaped(struct mail_proc *p, pid_t pid, int status)
{
	if (p->pid == 0 || pid != p->pid)
		return false;
	uint64_t lived = loop_now_ms(p->host.loop) - p->started_ms;
	p->pid = 0;
	io_close(&p->chan);
	if (p->retired)
		return true;
	p->crashes = lived > STABLE_MS ? 1 : p->crashes + 1;
	unsigned delay_s = start_later(p);
	log_line(log_server(), LOG_LV_CRIT, NULL, "the mail process ended (%s %d): starting another in %u s",
		 WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), delay_s);
	return true;
}
