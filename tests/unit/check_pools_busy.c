/* SPDX-License-Identifier: Apache-2.0 */
/** A site under load on two loops, with cells that die now and then. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "pools/fcgi_codec.h"
#include "tests/unit/cells_world.h"
#include "tests/unit/fcgi_stub.h"
#include "tests/unit/pool_drive.h"

struct busy_zygote {
	struct cells_host host;
	struct backend *cells;
	pthread_t thread;
	int chan;
	bool started, keep;
};

struct busy_cell {
	struct busy_zygote *zygote;
	pthread_mutex_t *lock;
	uint32_t id;
	int fd;
};

static pthread_mutex_t busy_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint busy_cells;

static void *busy_cell_run(void *arg)
{
	struct busy_cell *c = arg;
	struct ipc_cell_gone gone = {.syscall = -1};
	struct buf answer, out;
	struct ipc_msg m;

	buf_init(&out);
	buf_init(&answer);
	stub_record(&answer, 1, FCGI_T_STDOUT, 1, "Status: 200\r\n\r\nok", 17, 0);
	stub_end(&answer, 0, 0);
	for (unsigned n = 1; stub_read_request(c->fd, NULL, NULL, NULL) == 1; n++) {
		/* Some die instead of answering. */
		if ((c->id + n) % 41 == 0) {
			gone.how = 1;
			gone.code = 9;
			break;
		}
		stub_answer(&out, &answer);
		if (send(c->fd, out.data, out.len, MSG_NOSIGNAL) == -1 || !c->zygote->keep)
			break;
	}
	buf_fini(&answer);
	buf_fini(&out);
	close(c->fd);
	ipc_fill(&m, IPC_CELL_GONE, c->id, NULL);
	ipc_put_cell_gone(&m, &gone);
	pthread_mutex_lock(&busy_lock);
	int err = ipc_send(c->zygote->chan, &m);
	pthread_mutex_unlock(&busy_lock);
	(void)err; /* the front may have closed */
	free(c);
	atomic_fetch_sub(&busy_cells, 1);
	return NULL;
}

static void *busy_zygote_run(void *arg)
{
	struct busy_zygote *z = arg;
	struct ipc_msg m;
	int pipe_ends[2];

	ck_assert_int_eq(pipe(pipe_ends), 0);
	ipc_fill(&m, IPC_ZYGOTE_READY, 0, NULL);
	m.fds_n = 1;
	m.fds[0] = pipe_ends[0];
	ck_assert_int_eq(ipc_send(z->chan, &m), GW_OK);
	close(pipe_ends[0]);
	while (ipc_recv(z->chan, IPC_FRONT, IPC_ZYGOTE, &m) == GW_OK) {
		if (m.type != IPC_CELL_WANT)
			continue;
		struct busy_cell *c = malloc(sizeof(*c));
		int ends_fd[2];
		pthread_t t;
		ck_assert_ptr_nonnull(c);
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_fd), 0);
		*c = (struct busy_cell){.zygote = z, .id = m.id, .fd = ends_fd[1]};
		ipc_fill(&m, IPC_CELL_UP, c->id, NULL);
		m.fds_n = 1;
		m.fds[0] = ends_fd[0];
		pthread_mutex_lock(&busy_lock);
		int err = ipc_send(z->chan, &m);
		pthread_mutex_unlock(&busy_lock);
		close(ends_fd[0]);
		if (err != GW_OK) {
			close(ends_fd[1]);
			free(c);
			break;
		}
		atomic_fetch_add(&busy_cells, 1);
		ck_assert_int_eq(pthread_create(&t, NULL, busy_cell_run, c), 0);
		pthread_detach(t);
	}
	close(pipe_ends[1]);
	return NULL;
}

static void busy_ask(struct cells_host *h, unsigned type, const struct conf_server *site)
{
	struct busy_zygote *z = container_of(h, struct busy_zygote, host);
	int pair[2];

	(void)site;
	ck_assert_uint_eq(type, IPC_SITE_WANT);
	ck_assert(!z->started);
	ck_assert_int_eq(ipc_pair(pair), GW_OK);
	z->chan = pair[1];
	z->started = true;
	ck_assert_int_eq(pthread_create(&z->thread, NULL, busy_zygote_run, z), 0);
	cells_zygote_up(z->cells, pair[0]);
}

static void busy_log(struct cells_host *h, const struct conf_server *site, enum log_level level, const char *text)
{
	(void)h;
	(void)site;
	(void)level;
	(void)text;
}

START_TEST(busy_site)
{
	struct conf_server conf = {.name = "busy", .isolation = _i == 0 ? CONF_ISOLATION_FRESH : CONF_ISOLATION_SHARED,
		.start_servers = 2, .min_spare = 2, .max_spare = 4, .max_workers = 6, .max_requests = 50};
	struct busy_zygote z = {.host = {.ask_master = busy_ask, .log = busy_log}, .keep = _i == 1};
	struct drive *d = drive_new(2);
	struct cells_stats s;

	z.cells = cells_new(&conf, drive_loop(d, 0), &z.host);
	struct drive_group g = {.backend = z.cells, .clients = 16, .stop_ms = 1000};
	drive_run(d, &g, 1);
	cells_stats(z.cells, &s);
	ck_assert_uint_gt(g.done, 100);
	ck_assert_uint_eq(g.octets, g.done * 17);
	/* Killed while they had a request: told so, nothing else fails. */
	ck_assert_uint_eq(drive_failures(&g), g.failed[BACKEND_CRASHED]);
	ck_assert_uint_eq(g.failed[BACKEND_CRASHED], s.crashed);
	ck_assert_uint_gt(s.crashed, 0);
	ck_assert_uint_eq(s.requests, g.done + drive_failures(&g));
	ck_assert_uint_eq(s.waiting, 0);
	cells_free(z.cells);
	pthread_join(z.thread, NULL);
	EVENTUALLY(atomic_load(&busy_cells) == 0);
	close(z.chan);
	drive_group_fini(&g);
	drive_free(d);
}
END_TEST

Suite *busy_suite(void)
{
	Suite *s = suite_create("busy site");
	TCase *t = tcase_create("busy site");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, busy_site, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
