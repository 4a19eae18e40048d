/* SPDX-License-Identifier: Apache-2.0 */
/** The master's own state, shared by its files only. */
#ifndef MASTER_PRIV_H
#define MASTER_PRIV_H

#include "conf/conf_diag.h"
#include "gateway/master/control.h"
#include "gateway/master/generation.h"
#include "gateway/log/log_hub.h"
#include "gateway/master/master.h"
#include "gateway/master/takeover.h"

/* A new master that we have started. */
struct master_upgrade {
	pid_t pid;                  /* 0: none, or it serves and is our heir; no child of ours */
	int pidfd;                  /* the same; -1 */
	struct loop_io report;      /* where it speaks; fd -1: none */
	struct loop_timer patience;
	char why[2048];             /* what it has said */
	size_t why_len;
};

struct master {
	const struct master_opts *opts;
	struct generation_host host;
	struct spares spares;
	struct listen_stock listens;
	struct log_hub logs;
	struct control control;
	struct master_upgrade upgrade;
	struct takeover from;       /* the master that we take over from */
	struct loop_io signals;
	struct loop_timer stop_timer;
	struct generation *gens;    /* all that still have a process, newest first */
	struct generation *current; /* the one that serves */
	struct generation *next;    /* being started by a reload */
	struct generation *leaving; /* told to drain; who asked for that hears when no client can meet it any more */
	bool served;                /* ever */
	bool reload_again, stopping, stopping_now;
	bool reload_broken;         /* what the last reload took in is not what all files say */
	enum control_word heard_for; /* who is told the errors of what is being done */
	struct conf_diags said[2];  /* what the last reload, or the start, was found wrong with, and what the next one is so far */
	struct conf_diags state;    /* files that are not served as they are, of what serves */
	bool handed_over;           /* another master serves: we end when what runs here has ended */
	int log_fd;                 /* the server's error log; -1: standard error */
	int tell_fd;                /* pipe to the waiting parent of a daemon; -1 */
	int status;
	char *pid_path;
};

/**
 * master_said.c: what is wrong with files, to the log and to who waits for a reload. Errors are said each time, a warning when
 * the last reload had none like it, wherever in its file that was.
 */
void master_say_diags(struct master *m, const struct conf_diags *d);

/** What was said on standard error before there was a master; NULL: nothing. */
void master_heard(struct master *m, const struct conf_diags *d);

/** All of this start or reload has been said; @serves: it will be in service. */
void master_said(struct master *m, bool serves);

/** Answer CONTROL_SITES. */
void master_say_sites(struct master *m);

/** Free what is remembered. */
void master_forget(struct master *m);

/** Let everything here finish, accepting nothing more, and end. */
void master_stop_gracefully(struct master *m);

/** End everything at once. */
void master_stop_now(struct master *m);

/** Somebody asks for an upgrade (master_upgrade.c). */
void master_upgrade(struct master *m);

/** As master_stop_now() for what an upgrade has started or left open. */
void master_upgrade_end(struct master *m);

#endif
