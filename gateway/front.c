/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/client/conn.h"
#include "gateway/client/conn_client.h"
#include "gateway/front_lock.h"
#include "gateway/front_paths.h"
#include "gateway/tls/tls_session.h"
#include "pools/pool.h"
#include "sandbox/ipc_chan.h"

#define ACCEPT_BATCH 16       /* connections a turn */
#define LOG_DELAY_MS 20       /* longest that an access log line waits for company */
#define ACCEPT_PAUSE_MS 100   /* when descriptors have run out and nobody idles */
#define ROOM_PAUSE_MS 20      /* when there are as many connections as there may be, and nobody idles */
#define SILENT_MS 100         /* who came so lately is not idle: his request is on its way */
#define TELL_FULL_MS 10000    /* between two lines about it in the log */

/* --- date ------------------------------------------------------------------------------------------------------------------- */

const char *worker_date(struct worker *w)
{
	time_t now = time(NULL);

	if (now != w->date_at) {
		w->date_at = now;
		http_date_format(now, w->date);
	}
	return w->date;
}

/* --- the open-file cache ---------------------------------------------------------------------------------------------------- */

#define SWEEP_MS 5000

static void sweep(struct loop *l, struct loop_timer *t)
{
	struct worker *w = loop_data(l);

	(void)t;
	if (file_cache_sweep(&w->files, loop_now_ms(l)))
		worker_sweep_later(w);
}

void worker_sweep_later(struct worker *w)
{
	/* Without memory for the timer the next request tries again. */
	if (!loop_timer_armed(&w->files_sweep) && loop_timer_set(w->loop, &w->files_sweep, SWEEP_MS) < 0)
		log_err("no memory to look after open files");
}

/* --- accepting ---------------------------------------------------------------------------------------------------------------- */

static void listens_watch(struct worker *w, bool on)
{
	if (w->accepting == on)
		return;
	w->accepting = on;
	for (size_t i = 0; i < w->front->conf->listen_n; i++) {
		if (!on)
			loop_io_del(w->loop, &w->listens[i]);
		else if (loop_io_add(w->loop, &w->listens[i], EPOLLEXCLUSIVE) < 0)
			log_err("cannot watch %s: %m", w->front->conf->listen[i].text);
	}
}

static void accept_again(struct loop *l, struct loop_timer *t)
{
	struct worker *w = loop_data(l);

	(void)t;
	if (!w->draining)
		listens_watch(w, true);
}

/* Who comes meanwhile waits in the kernel's queue. */
static void pause_accepting(struct worker *w, unsigned ms, const char *why)
{
	uint64_t now_ms = loop_now_ms(w->loop);

	if (w->told_full_ms == 0 || now_ms - w->told_full_ms >= TELL_FULL_MS) {
		log_warn("%s with %u connections: new ones wait", why, atomic_load(&w->front->conns_n));
		w->told_full_ms = now_ms;
	}
	listens_watch(w, false);
	if (loop_timer_set(w->loop, &w->accept_pause, ms) < 0)
		listens_watch(w, true);
}

static void out_of_descriptors(struct worker *w)
{
	const char *why = errno == EMFILE ? "out of file descriptors (raise LimitNOFILE)" : "the machine is out of descriptors or memory";

	if (!conn_close_idlest(w, SILENT_MS))
		pause_accepting(w, ACCEPT_PAUSE_MS, why);
}

static void evict(struct loop *l, struct loop_task *task)
{
	struct worker *w = loop_data(l);

	(void)task;
	atomic_store(&w->evicting, false);
	conn_close_idlest(w, SILENT_MS);
}

/* The connection that has been silent for longest goes; when none of ours is, one of every other loop, and then it is false. */
static bool make_room(struct worker *w)
{
	struct front *f = w->front;

	if (conn_close_idlest(w, SILENT_MS))
		return true;
	for (unsigned i = 0; i < f->workers_n; i++)
		if (&f->workers[i] != w && !atomic_exchange(&f->workers[i].evicting, true))
			loop_post(f->workers[i].loop, &f->workers[i].evict_task);
	return false;
}

static void on_accept(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct worker *w = loop_data(l);
	struct sockaddr_storage peer;

	(void)ready;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		socklen_t len = sizeof(peer);
		/* Some descriptors stay free for the files and processes that the answers need. */
		if (atomic_load(&w->front->conns_n) >= w->front->conns_max && !make_room(w)) {
			pause_accepting(w, ROOM_PAUSE_MS, "all connections are busy");
			return;
		}
		memset(&peer, 0, sizeof(peer.ss_family));
		int fd = accept4(io->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			/* The kernel wants a descriptor before it looks whether somebody waits: only the first call is sure of it. */
			if (i == 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
				out_of_descriptors(w);
			return;
		}
		conn_accept(w, fd, &peer);
	}
}

/* --- draining ------------------------------------------------------------------------------------------------------------------- */

/* The last worker without a connection ends the process; until then each loop goes on, for the sites' channels it holds. */
static void check_drained(struct worker *w)
{
	if (!w->draining || w->drained || w->conns_n > 0 || access_log_waits(&w->log))
		return;
	w->drained = true;
	if (atomic_fetch_sub(&w->front->running, 1) == 1) {
		log_info("drained: exiting");
		_exit(EXIT_SUCCESS);
	}
}

static void drain(struct loop *l, struct loop_task *task)
{
	struct worker *w = loop_data(l);

	(void)task;
	if (w->draining)
		return;
	loop_timer_stop(l, &w->accept_pause);
	listens_watch(w, false);
	w->draining = true;
	if (atomic_fetch_sub(&w->front->accepting, 1) == 1) {
		struct ipc_msg m;
		ipc_fill(&m, IPC_FRONT_DRAINS, 0, NULL);
		if (ipc_send(w->front->master_chan, &m) < 0)
			log_err("cannot reach the master: %m");
	}
	conn_drain_all(w);
}

static void drain_all(struct front *f)
{
	for (unsigned i = 0; i < f->workers_n; i++)
		if (f->workers[i].drain_task.cb == NULL) {
			f->workers[i].drain_task.cb = drain;
			loop_post(f->workers[i].loop, &f->workers[i].drain_task);
		}
	/* Spare cells are of no more use; a late request still gets one. */
	for (size_t i = 0; i < f->conf->servers_n; i++)
		if (f->sites[i] != NULL)
			cells_drain(f->sites[i]);
}

/* --- the master's channel; on the first worker's loop ------------------------------------------------------------------------------ */

struct master_io {
	struct loop_io io;
	struct front *front;
};

static void ask_master(struct cells_host *h, unsigned type, const struct conf_server *site)
{
	struct front *f = container_of(h, struct front, cells_host);
	struct ipc_msg m;

	ipc_fill(&m, type, (uint32_t)site->index, NULL);
	if (ipc_send(f->master_chan, &m) < 0)
		log_err("cannot reach the master: %m");
}

bool front_may_log(struct front *f, const struct conf_server *site, size_t octets)
{
	const struct log_sink *sink = &f->sinks[site->index];
	unsigned dropped;
	bool ok = log_budget_take(&f->budgets[site->index], octets, io_now_us(), &dropped);

	if (ok && dropped > 0)
		log_line(sink, LOG_LV_WARN, NULL, "%u lines of this site were dropped", dropped);
	else if (!ok && dropped > 0)
		log_line(sink, LOG_LV_WARN, NULL, "this site writes too much: its lines are dropped for some seconds");
	return ok;
}

static void cells_log(struct cells_host *h, const struct conf_server *site, enum log_level level, const char *text)
{
	struct front *f = container_of(h, struct front, cells_host);

	if (front_may_log(f, site, strlen(text)))
		log_line(&f->sinks[site->index], level, NULL, "%s", text);
}

static void take_ticket_key(struct front *f, struct ipc_msg *m)
{
	struct ticket_key k;

	if (f->tls != NULL && ticket_key_decode(m->body, m->body_len, &k) == GW_OK)
		tls_front_add_key(f->tls, &k);
	explicit_bzero(&k, sizeof(k));
	explicit_bzero(m->body, sizeof(m->body));
}

/* A log's file was renamed. In the place of the old one, which all threads know. */
static void change_log(const struct front *f, uint32_t index, int fd)
{
	if (index < f->conf->log_files_n && !f->logs->sinks[index].framed && dup3(fd, f->logs->sinks[index].fd, O_CLOEXEC) == -1)
		log_err("log %s stays the old one: %m", f->conf->log_files[index]->path);
	close(fd);
	struct ipc_msg m;
	ipc_fill(&m, IPC_FRONT_LOGGED, index, NULL);
	if (ipc_send(f->master_chan, &m) < 0)
		log_err("cannot reach the master: %m");
}

static void from_master(struct front *f, struct ipc_msg *m)
{
	struct backend *site = m->id < f->conf->servers_n ? f->sites[m->id] : NULL;

	switch (m->type) {
	case IPC_DRAIN:
		drain_all(f);
		break;
	case IPC_TICKET_KEY:
		take_ticket_key(f, m);
		break;
	case IPC_FRONT_LOG:
		change_log(f, m->id, m->fds[0]);
		break;
	case IPC_SITE_UP:
		if (site != NULL)
			cells_zygote_up(site, m->fds[0]);
		else
			close(m->fds[0]);
		break;
	case IPC_SITE_DOWN:
		if (site != NULL)
			cells_zygote_down(site, ipc_text(m));
		break;
	default:
		break;
	}
}

static void on_master(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct front *f = ((struct master_io *)io)->front;
	struct ipc_msg m;

	(void)l;
	(void)ready;
	for (;;) {
		int err = ipc_recv(io->fd, IPC_MASTER, IPC_FRONT, &m);
		if (err == GW_ERR_AGAIN)
			return;
		if (err < 0) {
			/* Without a master nobody would restart us or our sites: end now rather than linger unseen. */
			log_err("the master is gone (%s): exiting", gw_strerror(err));
			_exit(EXIT_FAILURE);
		}
		from_master(f, &m);
	}
}

/* --- set-up ---------------------------------------------------------------------------------------------------------------------------- */

_Noreturn static void die(const char *what)
{
	log_line(log_server(), LOG_LV_CRIT, NULL, "the front cannot start: %s: %m", what);
	_exit(EXIT_FAILURE);
}

static void *need(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

/* Lines are written at once after a quiet while, else with those that follow within LOG_DELAY_MS. */
static void flush_log(struct worker *w)
{
	uint64_t now = loop_now_ms(w->loop);

	if (w->log.dirty_n == 0 && !access_log_waits(&w->log))
		return;
	if (!w->draining && now - w->log_at_ms < LOG_DELAY_MS &&
	    (loop_timer_armed(&w->log_timer) || loop_timer_set(w->loop, &w->log_timer, LOG_DELAY_MS) == GW_OK))
		return;
	access_log_flush(&w->log);
	w->log_at_ms = now;
}

static void log_due(struct loop *l, struct loop_timer *t)
{
	struct worker *w = loop_data(l);

	(void)t;
	access_log_flush(&w->log);
	w->log_at_ms = loop_now_ms(l);
}

static void end_of_batch(struct loop *l, void *arg)
{
	struct worker *w = arg;

	conn_reap(w);
	flush_log(w);
	check_drained(w);
	front_sched_turn(&w->sched, loop_now_ms(l));
}

static void worker_init(struct front *f, unsigned index)
{
	struct worker *w = &f->workers[index];
	const struct conf *c = f->conf;

	w->front = f;
	w->index = index;
	w->loop = need(loop_new());
	loop_set_data(w->loop, w);
	w->cache = need(conf_cache_new());
	root_cache_init(&w->roots);
	w->files_sweep.cb = sweep;
	w->listens = need(calloc(c->listen_n + 1, sizeof(*w->listens)));
	for (size_t i = 0; i < c->listen_n; i++)
		w->listens[i] = (struct loop_io){.fd = f->listen_fds[i], .events = EPOLLIN, .cb = on_accept};
	w->accept_pause.cb = accept_again;
	w->evict_task.cb = evict;
	w->log_timer.cb = log_due;
	if (access_log_init(&w->log, c->log_files_n, f->logs->sinks, w->loop) < 0 || loop_before_sleep(w->loop, end_of_batch, w) < 0)
		die("out of memory");
}

static bool needs_cells(const struct conf_server *s)
{
	return s->dispatch == CONF_DISPATCH_PREFORK;
}

static void backends_init(struct front *f)
{
	const struct conf *c = f->conf;

	f->sites = need(calloc(c->servers_n + 1, sizeof(struct backend *)));
	f->pools = need(calloc(c->pools_n + 1, sizeof(struct backend *)));
	budget_init(&f->budget, c->zygotes_max, c->cells_max);
	f->cells_host = (struct cells_host){.ask_master = ask_master, .log = cells_log, .budget = &f->budget};
	/* The master's answers arrive on the first worker's loop, so all sites' channels live there. */
	for (size_t i = 0; i < c->servers_n; i++)
		if (needs_cells(c->servers[i]))
			f->sites[i] = need(cells_new(c->servers[i], f->workers[0].loop, &f->cells_host));
	for (size_t i = 0; i < c->pools_n; i++)
		f->pools[i] = need(pool_new(c->pools[i], f->workers[i % f->workers_n].loop));
}

static void logs_init(struct front *f)
{
	const struct conf *c = f->conf;

	f->sinks = need(calloc(c->servers_n, sizeof(*f->sinks)));
	f->budgets = need(calloc(c->servers_n, sizeof(*f->budgets)));
	for (size_t i = 0; i < c->servers_n; i++) {
		f->sinks[i] = log_files_sink(f->logs, c->servers[i]);
	}
	*log_server() = f->sinks[0];
	f->formats = need(calloc(c->log_formats_n + 1, sizeof(struct access_format *)));
	for (size_t i = 0; i < c->log_formats_n; i++) {
		const char *why = "";
		size_t at = 0;
		f->formats[i] = access_format_new(c->log_formats[i], &why, &at);
		if (f->formats[i] == NULL) {
			errno = EINVAL;
			die(why);
		}
	}
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	char name[16] = "bh-loop-";

	name[8] = (char)('0' + w->index / 10 % 10);
	name[9] = (char)('0' + w->index % 10);
	prctl(PR_SET_NAME, name);
	/* No client before the filter is on every thread. */
	pthread_barrier_wait(&w->front->locked);
	listens_watch(w, true);
	if (loop_run(w->loop) < 0)
		die("event loop");
	return NULL;
}

/* Three quarters of the descriptors that are left once everything but clients is open. */
static unsigned connections_max(void)
{
	struct rlimit files;
	int next = dup(STDIN_FILENO);

	if (next == -1 || getrlimit(RLIMIT_NOFILE, &files) == -1)
		die("limit of open files");
	close(next);
	rlim_t left = files.rlim_cur > INT_MAX ? INT_MAX : files.rlim_cur;
	left = left > (rlim_t)next ? left - (rlim_t)next : 0;
	return left < 4 ? 1 : (unsigned)(left - left / 4);
}

static void spools_init(struct front *f)
{
	const struct conf *c = f->conf;
	int dir = open(c->spool_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		die(c->spool_path);
	spool_init(&f->spool, dir, c->spool_max);
	f->spools = need(calloc(c->servers_n, sizeof(*f->spools)));
	for (size_t i = 0; i < c->servers_n; i++)
		spool_site_init(&f->spools[i], &f->spool, c->servers[i]->spool_max);
}

/* With the front's own rights: better heard of now than with the first upload. */
static void check_spool(const struct front *f)
{
	int fd = spool_tmpfile(f->spool.dir_fd);

	if (fd == -1)
		log_line(log_server(), LOG_LV_ERROR, NULL, "SpoolPath %s: the front's user cannot make files there, so that large request bodies fail: %m",
			f->conf->spool_path);
	io_close(&fd);
}

/* What is open or mapped from the start, before anything is given up. */
static void gift_take(struct front *f, const struct front_gift *gift)
{
	f->conf = gift->conf;
	f->master_chan = gift->chan;
	f->listen_fds = gift->listen_fds;
	f->logs = gift->logs;
	logs_init(f);
	spools_init(f);
	if (gift->secrets != NULL) {
		f->tls = need(tls_front_new(f->conf, gift->secrets->store, gift->secrets->ring));
		tls_session_hooks(f->tls);
	}
}

static void clients_init(struct front *f, const struct front_gift *gift)
{
	int fd = gift->clients_fd;

	if (!front_clients_init(f, fd, gift->clients_slot))
		die("table of clients");
	io_close(&fd);
}

_Noreturn void front_main(const struct front_gift *gift)
{
	static struct master_io master;
	const struct conf *c = gift->conf;
	struct front *f = need(calloc(1, sizeof(*f)));
	struct ipc_msg ready;

	log_role("front");
	prctl(PR_SET_NAME, "bulkhead-front");
	gift_take(f, gift);
	f->workers_n = c->loops > 0 ? c->loops : 1;
	f->workers = need(calloc(f->workers_n, sizeof(*f->workers)));
	atomic_init(&f->running, f->workers_n);
	atomic_init(&f->accepting, f->workers_n);
	if (pthread_barrier_init(&f->locked, NULL, f->workers_n) != 0)
		die("threads");
	for (unsigned i = 0; i < f->workers_n; i++)
		worker_init(f, i);
	backends_init(f);
	f->conns_max = connections_max();
	/* Of the descriptors that are not for connections, half may be files of the spool, and a quarter may stay open for nothing but speed. */
	spool_limit_files(&f->spool, f->conns_max / 6);
	for (unsigned i = 0; i < f->workers_n; i++)
		file_cache_init(&f->workers[i].files, c, f->conns_max / 12 / f->workers_n);
	clients_init(f, gift);

	int rules = front_paths_build(c, c->spool_path);
	front_drop(c, gift->privileged);
	front_bound(rules);
	check_spool(f);
	master = (struct master_io){.io = {.fd = gift->chan, .events = EPOLLIN, .cb = on_master}, .front = f};
	if (io_nonblock(gift->chan, 1) < 0 || loop_io_add(f->workers[0].loop, &master.io, 0) < 0)
		die("channel to the master");
	for (unsigned i = 1; i < f->workers_n; i++)
		if (pthread_create(&f->workers[i].thread, NULL, worker_run, &f->workers[i]) != 0)
			die("thread");
	front_filter();
	pthread_barrier_wait(&f->locked);
	ipc_fill(&ready, IPC_FRONT_READY, 0, NULL);
	if (ipc_send(gift->chan, &ready) < 0)
		die("channel to the master");
	listens_watch(&f->workers[0], true);
	if (loop_run(f->workers[0].loop) < 0)
		die("event loop");
	_exit(EXIT_SUCCESS);
}
