/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The front: the process that holds clients' sockets. Its own user, no capability, a filter of its own; one event loop a
 * thread. Lives as long as one configuration: a reload forks a new front and drains this one.
 *
 * Peers: the master (channel: asks for zygotes, is told to drain), zygotes and cells (through pools/cells.h), FastCGI
 * servers (through pools/pool.h), clients. Ends when drained, or when the master's channel closes.
 */
#ifndef FRONT_H
#define FRONT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "gateway/front_sched.h"
#include "gateway/log/access_log.h"
#include "gateway/base/log.h"
#include "gateway/base/log_budget.h"
#include "gateway/base/loop.h"
#include "gateway/answer/file_cache.h"
#include "gateway/http/http_date.h"
#include "gateway/log/log_files.h"
#include "gateway/client/spool.h"
#include "gateway/static/root_cache.h"
#include "pools/backend.h"
#include "pools/cells.h"

struct clients;
struct conn;
struct tls_front;
struct tls_store;
struct ticket_ring;

/* What a front inherits of TLS; both for good. */
struct tls_secrets {
	const struct tls_store *store;
	struct ticket_ring *ring;
};
struct http1_request;
struct request;

/* What every thread of a front shares; read-only once the threads run, but for the fields said. */
struct front {
	const struct conf *conf;
	int master_chan;
	const int *listen_fds;           /* conf->listen_n of them */
	const struct log_files *logs;
	unsigned conns_max;              /* more connections than this make a silent one go */
	atomic_uint conns_n;             /* of all workers */
	struct clients *clients;         /* NULL: no client is counted */
	struct spool spool;              /* where bodies and answers are spilled */
	struct spool_site *spools;       /* one a server: its part of that */
	struct tls_front *tls;           /* NULL: no host speaks TLS */
	struct log_sink *sinks;          /* one a server: its error log */
	struct log_budget *budgets;      /* one a server: what its scripts may write there */
	struct access_format **formats;  /* one a conf->log_formats entry */
	struct backend **sites;          /* by server index; NULL where no cells are needed */
	struct backend **pools;          /* by pool index */
	struct cells_host cells_host;
	struct budget budget;            /* of zygotes and cells */
	struct worker *workers;
	unsigned workers_n;
	pthread_barrier_t locked;        /* passed once the filter is on all threads */
	atomic_uint accepting;           /* workers that were not told to drain */
	atomic_uint running;             /* workers that have not finished draining */
};

/* One loop's own things; only its thread touches them. */
struct worker {
	struct front *front;
	unsigned index;
	pthread_t thread;
	struct loop *loop;
	struct front_sched sched;
	struct conf_cache *cache;
	struct root_cache roots;
	struct file_cache files;
	struct loop_timer files_sweep;   /* runs while the cache holds anything */
	struct loop_io *listens;         /* one a listening socket */
	struct loop_timer accept_pause;
	uint64_t told_full_ms;           /* when the log last heard that new connections wait; 0: never */
	struct loop_task drain_task, evict_task;
	atomic_bool evicting;            /* evict_task is posted */
	struct access_log log;
	struct loop_timer log_timer;     /* armed while lines wait */
	uint64_t log_at_ms;              /* when the last were written */
	struct conn *conns, *dirty;      /* all connections; those with output to send at the end of this batch */
	struct conn *idle_old, *idle_new;/* connections that wait in silence for a request, longest first */
	unsigned conns_n;
	struct request *dropped, *spare; /* given up, to be released at the end of the batch; kept for reuse */
	unsigned spare_n;
	struct http1_request *spare_parse;
	struct buf frames;               /* what one connection is about to write; empty between connections */
	struct buf spare_in;             /* the read buffer of a connection that went idle */
	bool draining, drained, accepting;
	size_t coded_octets;             /* memory of all compressors at work */
	size_t http2_octets;             /* of all connections of HTTP/2 and their requests */
	uint64_t told_http2_ms;          /* when the log last heard that this is too much; 0: never */
	time_t date_at;
	char date[HTTP_DATE_LEN + 1];    /* "Date" of this second */
};

/* What the master leaves to a front that it forks; all for good. */
struct front_gift {
	const struct conf *conf;
	int chan;                        /* its end of the channel to the master */
	const int *listen_fds;           /* in the order of the configuration */
	const struct log_files *logs;
	const struct tls_secrets *secrets; /* certificates and keys; NULL when no host speaks TLS */
	int clients_fd;                  /* memory for what is counted of clients, or -1 */
	unsigned clients_slot;           /* where this front counts there */
	bool privileged;                 /* it has root to give up */
};

/** Run a front until it is drained; called in the freshly forked process, never returns. */
_Noreturn void front_main(const struct front_gift *gift);

/**
 * Whether a line of @octets that a script or a FastCGI server of @site wrote may go to the site's error log. Says there when
 * lines begin to be dropped, and how many were. Any thread.
 */
bool front_may_log(struct front *f, const struct conf_server *site, size_t octets);

/** The open-file cache was added to: see to it that what nobody asks for leaves. Own thread. */
void worker_sweep_later(struct worker *w);

/** HTTP date of now, formatted once a second. Own thread. */
const char *worker_date(struct worker *w);

#endif
