/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One configuration in service: its front, its logs, the zygotes its front asked for. A reload makes a new generation
 * and drains the old one. Owned by the master; one thread.
 */
#ifndef GENERATION_H
#define GENERATION_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "gateway/base/kept_proc.h"
#include "gateway/base/loop.h"
#include "gateway/master/client_mem.h"
#include "gateway/master/launch.h"
#include "gateway/master/listen.h"
#include "gateway/log/log_files.h"
#include "gateway/master/mail_proc.h"
#include "gateway/master/site_cgroup.h"
#include "gateway/master/spare.h"
#include "gateway/master/ticket_keys.h"
#include "gateway/tls/tls_store.h"

struct generation;

/* What the master does when a generation changes. */
struct generation_host {
	struct loop *loop;
	struct launch launch;
	struct client_mem clients;  /* of all generations: a reload gives nobody more than LimitClient... says */
	struct ticket_keys tickets; /* of all generations: a session goes on after a reload */
	struct log_hub *logs;       /* of all generations */
	bool daemon;                /* daemon: no terminal, standard error goes to the error log */
	void (*ready)(struct generation_host *h, struct generation *g);  /* its front serves */
	void (*reopened)(struct generation_host *h, struct generation *g); /* its logs were, all of them */
	void (*quiet)(struct generation_host *h, struct generation *g);  /* told to drain, it accepts no connection any more; once */
};

enum generation_state { GEN_STARTING, GEN_SERVING, GEN_DRAINING, GEN_GONE };

struct generation {
	struct generation *next;
	struct generation_host *host;
	struct conf *conf;          /* owned */
	struct tls_store *tls;      /* owned; NULL: no host speaks TLS */
	struct listen_set listens;  /* shared descriptors: see listen_open() */
	struct log_files logs;      /* owned */
	enum generation_state state;
	struct kept_proc front;
	struct loop_io chan;        /* channel to the front; fd -1: none */
	struct client_slot slot;    /* the front's */
	size_t reopening;           /* logs whose change the front has not confirmed */
	bool quiet;                 /* see generation_host */
	bool ever_ready, front_ready; /* any front of it; the one that runs */
	bool killed;                /* by generation_kill() */
	pid_t *zygotes;             /* by server index; 0: none */
	struct site_leaf **leaves;  /* their cgroups; NULL: none */
	uint64_t *wanted;           /* asked for while the last one was ending, or while there was no room: the lowest is first; 0: not */
	uint64_t wants;             /* so many were put off so far */
	size_t zygotes_n, wanted_n;
	uint64_t *launched_ms;
	struct mail_proc mail;
};

/** Take @c, @tls and @listens; open logs. Returns NULL with the reason logged (then they stay the caller's). */
struct generation *generation_new(struct generation_host *h, struct conf *c, struct tls_store *tls, struct listen_set *listens);

/** Its front encrypts tickets with @k from now on. */
void generation_ticket_key(struct generation *g, const struct ticket_key *k);

/** Close and free all but the listening sockets, which the caller closes. The front and zygotes are gone. */
void generation_free(struct generation *g);

/** Fork its front. Returns 0 or GW_ERR_SYS (logged). In the child this does not return. */
int generation_start(struct generation *g) GW_MUST_USE;

/** Its log files were renamed: others are opened in their place, also by its front; host->reopened() says when, perhaps before
 * this returns. False: only a new generation could. */
bool generation_reopen(struct generation *g);

/** Tell its front to finish; it becomes GEN_GONE when the front has exited. */
void generation_drain(struct generation *g);

/** End its processes at once. */
void generation_kill(struct generation *g);

/** Child @pid ended with @status: true when it was one of this generation's. */
bool generation_reaped(struct generation *g, pid_t pid, int status);

/** Whether a process of it still lives. */
bool generation_alive(const struct generation *g);

#endif
