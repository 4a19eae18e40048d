/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A generation's mail process: forked when one of its sites has a MailRelay, given a channel for each zygote that starts,
 * started again when it crashes. Owned by the generation; master only.
 */
#ifndef MAIL_PROC_H
#define MAIL_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "gateway/base/kept_proc.h"
#include "gateway/base/loop.h"
#include "gateway/log/log_files.h"

struct mail_proc_host {
	struct loop *loop;
	const struct conf *conf;
	const struct log_files *logs;
	bool privileged, daemon;
};

struct mail_proc {
	struct mail_proc_host host;
	struct kept_proc proc;
	int chan;               /* -1: none, or told to end */
	bool retired;           /* no site will need it any more */
	int *ends;              /* by server: its end of the site's channel, kept for the next mail process; -1: none */
};

/** Nothing runs yet. Returns 0 or GW_ERR_NOMEM. */
int mail_proc_init(struct mail_proc *p, const struct mail_proc_host *host) GW_MUST_USE;

/** Close and free; the process has ended. */
void mail_proc_fini(struct mail_proc *p);

/**
 * A channel for a zygote of @site that is about to start, and the mail process if it is not there. Returns the zygote's end
 * (close-on-exec, the caller's), or -1: this site has no mail, or (logged) it cannot be had now.
 */
int mail_proc_channel(struct mail_proc *p, const struct conf_server *site);

/** The zygote of server @index has ended. */
void mail_proc_site_gone(struct mail_proc *p, size_t index);

/** No zygote is left or will be started: let it deal with what it has and end. */
void mail_proc_retire(struct mail_proc *p);

/** End it at once. */
void mail_proc_kill(struct mail_proc *p);

/** Child @pid ended with @status: true when it was the mail process. */
bool mail_proc_reaped(struct mail_proc *p, pid_t pid, int status);

#endif
