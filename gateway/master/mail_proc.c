/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/mail_proc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/mail/mail_role.h"

static pid_t start(struct kept_proc *proc);

static const struct kept_kind kind = {.what = "the mail process", .at_once = 1, .severity = LOG_LV_CRIT, .start = start};

int mail_proc_init(struct mail_proc *p, const struct mail_proc_host *host)
{
	*p = (struct mail_proc){.host = *host, .chan = -1};
	kept_proc_init(&p->proc, &kind, host->loop);
	p->ends = malloc(host->conf->servers_n * sizeof(*p->ends));
	if (p->ends == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < host->conf->servers_n; i++)
		p->ends[i] = -1;
	return GW_OK;
}

void mail_proc_fini(struct mail_proc *p)
{
	kept_proc_stop(&p->proc);
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
	int log_fd = log_files_fd(p->host.logs, p->host.conf->servers[0]->error_log);

	kept_proc_signals(NULL);
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
		log_err("mail process %d does not take messages: killing it", (int)p->proc.pid);
		kept_proc_kill(&p->proc);
	}
}

static pid_t start(struct kept_proc *proc)
{
	struct mail_proc *p = container_of(proc, struct mail_proc, proc);
	int chan;
	pid_t pid = ipc_fork(&chan, 0, NULL, NULL);

	if (pid == 0)
		become_mail(p, chan);
	if (pid == -1) {
		log_err("cannot start the mail process: %m");
		return GW_ERR_SYS;
	}
	p->chan = chan;
	for (size_t i = 0; i < p->host.conf->servers_n; i++)
		if (p->ends[i] != -1)
			tell(p, i);
	return pid;
}

int mail_proc_channel(struct mail_proc *p, const struct conf_server *site)
{
	int ends[2];

	/* `legacy` may start programs: mail() is PHP's own there. */
	if (site->mail_relay == NULL || site->profile == CONF_PROFILE_LEGACY || p->retired)
		return -1;
	if (p->proc.pid == 0 && !kept_proc_waits(&p->proc))
		kept_proc_keep(&p->proc);
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
	kept_proc_stop(&p->proc);
	io_close(&p->chan);
}

void mail_proc_kill(struct mail_proc *p)
{
	mail_proc_retire(p);
	kept_proc_kill(&p->proc);
}

bool mail_proc_reaped(struct mail_proc *p, pid_t pid, int status)
{
	if (!kept_proc_ended(&p->proc, pid))
		return false;
	io_close(&p->chan);
	if (!p->retired)
		kept_proc_again(&p->proc, status);
	return true;
}
