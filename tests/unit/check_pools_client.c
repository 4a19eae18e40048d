/* SPDX-License-Identifier: Apache-2.0 */
/** The FastCGI client against an application that does everything right, and everything wrong. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "pools/fcgi_client.h"
#include "tests/unit/check_pools.h"
#include "tests/unit/fcgi_stub.h"

/* One exchange: what the application does, what came of it. */
struct exchange {
	/* the application's part, on its thread */
	int app_fd;
	struct buf answer;
	size_t split;            /* octets per write; 0 = all at once */
	bool unread;             /* answer without reading the request */
	bool stay;               /* keep the connection open until the client closes it */
	unsigned delay_ms;       /* before the answer */
	struct buf params, in;   /* what it received */
	/* the client's part */
	struct backend backend;
	struct lease lease;
	struct loop *loop;
	struct fcgi_client client;
	struct loop_timer resume;
	struct buf out, err;
	unsigned pause_ms;       /* pause at each piece of output */
	size_t abort_at;         /* give up after so many octets of output; 0 = not */
	bool released, over, untouched;
	enum lease_end how;
	enum backend_fail why;
	uint32_t app_status;
	char detail[128];
};

static void release(struct lease *l, enum lease_end how)
{
	struct exchange *x = container_of(l, struct exchange, lease);

	ck_assert(!x->released);
	x->released = true;
	x->how = how;
	close(l->fd);
	if (x->abort_at > 0)
		loop_stop(x->loop);
}

static void diagnose(struct lease *l, struct loop *loop, void (*cb)(void *arg, enum backend_fail why, const char *detail), void *arg);

static const struct backend_ops plain_ops = {.release = release}, diagnosing_ops = {.release = release, .diagnose = diagnose};

static struct {
	struct loop_timer timer;
	void (*cb)(void *arg, enum backend_fail why, const char *detail);
	void *arg;
} question;

static void answer_question(struct loop *l, struct loop_timer *t)
{
	(void)l;
	(void)t;
	question.cb(question.arg, BACKEND_VIOLATION, "killed by its filter");
}

static void diagnose(struct lease *l, struct loop *loop, void (*cb)(void *arg, enum backend_fail why, const char *detail), void *arg)
{
	(void)l;
	question.cb = cb;
	question.arg = arg;
	question.timer = (struct loop_timer){.cb = answer_question};
	ck_assert_int_eq(loop_timer_set(loop, &question.timer, 20), GW_OK);
}

static void *application(void *arg)
{
	struct exchange *x = arg;
	size_t step = x->split == 0 ? x->answer.len : x->split;
	char octet;

	if (!x->unread && stub_read_request(x->app_fd, &x->params, &x->in, NULL) == 0)
		return NULL;
	if (x->delay_ms > 0)
		usleep(x->delay_ms * 1000);
	for (size_t at = 0; at < x->answer.len; at += step) {
		size_t n = x->answer.len - at < step ? x->answer.len - at : step;
		if (send(x->app_fd, x->answer.data + at, n, MSG_NOSIGNAL) == -1)
			break;
		if (x->split > 0 && x->answer.len < 2000)
			usleep(200);
	}
	if (x->stay)
		while (read(x->app_fd, &octet, 1) > 0)
			;
	close(x->app_fd);
	return NULL;
}

static void resume(struct loop *l, struct loop_timer *t)
{
	(void)l;
	fcgi_client_resume(&container_of(t, struct exchange, resume)->client);
}

static void on_stdout(struct fcgi_client *c, const uint8_t *data, size_t n)
{
	struct exchange *x = container_of(c, struct exchange, client);

	ck_assert(!x->over);
	ck_assert_int_eq(buf_append(&x->out, data, n), GW_OK);
	if (x->abort_at > 0 && x->out.len >= x->abort_at) {
		fcgi_client_abort(c, LEASE_CLOSE);
		return;
	}
	if (x->pause_ms > 0) {
		fcgi_client_pause(c);
		ck_assert_int_eq(loop_timer_set(x->loop, &x->resume, x->pause_ms), GW_OK);
	}
}

static void on_stderr(struct fcgi_client *c, const uint8_t *data, size_t n)
{
	ck_assert_int_eq(buf_append(&container_of(c, struct exchange, client)->err, data, n), GW_OK);
}

static void on_end(struct fcgi_client *c, enum backend_fail why, uint32_t app_status, const char *detail, bool untouched)
{
	struct exchange *x = container_of(c, struct exchange, client);

	ck_assert(!x->over);
	ck_assert(x->released);
	x->over = true;
	x->why = why;
	x->app_status = app_status;
	x->untouched = untouched;
	snprintf(x->detail, sizeof(x->detail), "%s", detail == NULL ? "" : detail);
	loop_timer_stop(x->loop, &x->resume);
	loop_stop(x->loop);
}

static const struct fcgi_client_ops ops = {.stdout_cb = on_stdout, .stderr_cb = on_stderr, .end_cb = on_end};

static void init(struct exchange *x)
{
	int ends[2];

	memset(x, 0, sizeof(*x));
	buf_init(&x->answer);
	buf_init(&x->params);
	buf_init(&x->in);
	buf_init(&x->out);
	buf_init(&x->err);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	x->app_fd = ends[1];
	ck_assert_int_eq(io_nonblock(ends[0], 1), GW_OK);
	x->backend.ops = &plain_ops;
	x->lease = (struct lease){.fd = ends[0], .keep = true, .backend = &x->backend};
	x->loop = loop_new();
	ck_assert_ptr_nonnull(x->loop);
	x->resume.cb = resume;
}

static void run(struct exchange *x, const void *params, size_t params_len, const struct fcgi_body *body, uint64_t deadline_ms)
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, application, x), 0);
	fcgi_client_start(&x->client, &ops, x->loop, &x->lease, params, params_len, body, deadline_ms);
	ck_assert(!x->over);
	ck_assert_int_eq(loop_run(x->loop), GW_OK);
	pthread_join(t, NULL);
	ck_assert(x->over || x->abort_at > 0);
	ck_assert(x->released);
}

static void fini(struct exchange *x)
{
	loop_free(x->loop);
	buf_fini(&x->answer);
	buf_fini(&x->params);
	buf_fini(&x->in);
	buf_fini(&x->out);
	buf_fini(&x->err);
}

static const char params[] = "\3\3ONEtwo";

static void good_answer(struct buf *b)
{
	stub_record(b, 1, FCGI_T_STDOUT, 1, "Status: 200\r\n", 13, 3);
	stub_record(b, 1, FCGI_T_STDERR, 1, "a warning", 9, 7);
	stub_record(b, 1, FCGI_T_STDOUT, 1, "\r\nhello", 7, 0);
	stub_record(b, 1, FCGI_T_STDOUT, 1, NULL, 0, 0);
	stub_end(b, 7, 0);
}

START_TEST(answers)
{
	static const size_t splits[] = {0, 1, 2, 3, 7, 8, 9, 16, 50};
	struct exchange x;

	init(&x);
	good_answer(&x.answer);
	x.split = splits[_i];
	x.stay = true;
	run(&x, params, sizeof(params) - 1, NULL, 5000);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_int_eq(x.how, LEASE_REUSE);
	ck_assert_uint_eq(x.app_status, 7);
	ck_assert_uint_eq(x.out.len, 20);
	ck_assert_mem_eq(x.out.data, "Status: 200\r\n\r\nhello", 20);
	ck_assert_uint_eq(x.err.len, 9);
	ck_assert_uint_eq(x.params.len, sizeof(params) - 1);
	ck_assert_mem_eq(x.params.data, params, sizeof(params) - 1);
	ck_assert_uint_eq(x.in.len, 0);
	ck_assert_int_eq(atomic_load(&x.lease.progress), LEASE_ANSWERED);
	fini(&x);
}
END_TEST

/* --- answers that are not right ------------------------------------------------------------------------------------------ */

static void garbage_after_end(struct buf *b)
{
	good_answer(b);
	stub_record(b, 1, FCGI_T_STDOUT, 1, "more", 4, 0);
}

static void early_end(struct buf *b)
{
	stub_end(b, 0, 0);
}

static void foreign_id(struct buf *b)
{
	stub_record(b, 1, FCGI_T_STDOUT, 2, "for somebody else", 17, 0);
}

static void old_version(struct buf *b)
{
	stub_record(b, 0, FCGI_T_STDOUT, 1, "x", 1, 0);
}

static void not_fcgi(struct buf *b)
{
	ck_assert_int_eq(buf_puts(b, "HTTP/1.1 400 Bad Request\r\n\r\n"), GW_OK);
}

static void cut(struct buf *b)
{
	good_answer(b);
	b->len -= 30;
}

static void nothing(struct buf *b)
{
	(void)b;
}

static void overloaded(struct buf *b)
{
	stub_end(b, 0, FCGI_PS_OVERLOADED);
}

static void cant_mpx(struct buf *b)
{
	stub_end(b, 0, FCGI_PS_CANT_MPX);
}

static void unknown_role(struct buf *b)
{
	stub_end(b, 0, FCGI_PS_UNKNOWN_ROLE);
}

static void odd_status(struct buf *b)
{
	stub_end(b, 0, 9);
}

static void end_padding_missing(struct buf *b)
{
	const uint8_t body[8] = {0};

	stub_record(b, 1, FCGI_T_END_REQUEST, 1, body, 8, 8);
	b->len -= 8;
}

static const struct {
	const char *name;
	void (*answer)(struct buf *b);
	enum backend_fail why;
	enum lease_end how;
	bool reused, untouched;
} bad[] = {
	{"octets after the end", garbage_after_end, BACKEND_OK, LEASE_CLOSE, false, false},
	{"end without output", early_end, BACKEND_OK, LEASE_REUSE, false, false},
	{"padding of the end missing", end_padding_missing, BACKEND_OK, LEASE_CLOSE, false, false},
	{"foreign id", foreign_id, BACKEND_PROTO, LEASE_CLOSE, true, false},
	{"old version", old_version, BACKEND_PROTO, LEASE_CLOSE, false, false},
	{"not FastCGI", not_fcgi, BACKEND_PROTO, LEASE_CLOSE, false, false},
	{"closed in the middle", cut, BACKEND_CLOSED, LEASE_CLOSE, true, false},
	{"closed at once", nothing, BACKEND_CLOSED, LEASE_CLOSE, false, false},
	{"closed at once, reused", nothing, BACKEND_CLOSED, LEASE_CLOSE, true, true},
	{"overloaded", overloaded, BACKEND_REFUSED, LEASE_CLOSE, false, false},
	{"cannot multiplex", cant_mpx, BACKEND_REFUSED, LEASE_CLOSE, false, false},
	{"unknown role", unknown_role, BACKEND_REFUSED, LEASE_CLOSE, false, false},
	{"odd status", odd_status, BACKEND_PROTO, LEASE_CLOSE, false, false},
};

START_TEST(bad_answers)
{
	struct exchange x;

	init(&x);
	bad[_i].answer(&x.answer);
	x.lease.reused = bad[_i].reused;
	x.stay = bad[_i].why != BACKEND_CLOSED;
	run(&x, params, sizeof(params) - 1, NULL, 5000);
	ck_assert_msg(x.why == bad[_i].why, "%s: why %d", bad[_i].name, x.why);
	ck_assert_msg(x.how == bad[_i].how, "%s: how %d", bad[_i].name, x.how);
	ck_assert_msg(x.untouched == bad[_i].untouched, "%s: untouched %d", bad[_i].name, x.untouched);
	if (bad[_i].why == BACKEND_REFUSED || bad[_i].why == BACKEND_PROTO || bad[_i].why == BACKEND_CLOSED)
		ck_assert_uint_gt(strlen(x.detail), 5);
	fini(&x);
}
END_TEST

START_TEST(not_kept)
{
	struct exchange x;

	init(&x);
	good_answer(&x.answer);
	x.lease.keep = false;
	run(&x, params, sizeof(params) - 1, NULL, 0);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_int_eq(x.how, LEASE_CLOSE);
	fini(&x);
}
END_TEST

/* --- big input ----------------------------------------------------------------------------------------------------------- */

static uint8_t big[1500000];

static void fill_big(void)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 + (i >> 12));
}

START_TEST(big_params_and_body)
{
	static const uint64_t lens[] = {1, 65535, 65536, 131070, 700001, sizeof(big)};
	struct fcgi_body body = {.mem = big, .fd = -1, .len = lens[_i]};
	size_t params_len = (size_t)(lens[_i] / 3);
	struct exchange x;

	fill_big();
	init(&x);
	good_answer(&x.answer);
	x.stay = true;
	x.lease.mark = _i % 2 == 1;
	run(&x, big + 5, params_len, &body, 10000);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_int_eq(x.how, LEASE_REUSE);
	ck_assert_uint_eq(x.params.len, params_len);
	ck_assert_int_eq(memcmp(x.params.data == NULL ? big : x.params.data, params_len == 0 ? big : big + 5, params_len), 0);
	ck_assert_uint_eq(x.in.len, lens[_i]);
	ck_assert_int_eq(memcmp(x.in.data, big, lens[_i]), 0);
	fini(&x);
}
END_TEST

static int spool(size_t n)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, big, n), GW_OK);
	return fd;
}

START_TEST(body_in_a_file)
{
	struct exchange x;

	fill_big();
	init(&x);
	good_answer(&x.answer);
	x.stay = true;
	struct fcgi_body body = {.fd = spool(sizeof(big)), .len = sizeof(big)};
	run(&x, params, sizeof(params) - 1, &body, 10000);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_int_eq(x.how, LEASE_REUSE);
	ck_assert_uint_eq(x.in.len, sizeof(big));
	ck_assert_int_eq(memcmp(x.in.data, big, sizeof(big)), 0);
	close(body.fd);
	fini(&x);
}
END_TEST

/* A spooled body that is shorter than promised is never given out as complete. */
START_TEST(body_file_too_short)
{
	struct exchange x;

	fill_big();
	init(&x);
	good_answer(&x.answer);
	struct fcgi_body body = {.fd = spool(70000), .len = 140000};
	run(&x, params, sizeof(params) - 1, &body, 10000);
	ck_assert_int_eq(x.why, BACKEND_NOMEM);
	ck_assert_int_eq(x.how, LEASE_CLOSE);
	ck_assert_ptr_nonnull(strstr(x.detail, "body"));
	ck_assert_uint_lt(x.in.len, body.len);
	close(body.fd);
	fini(&x);
}
END_TEST

/* The application answers and closes, or answers and stays, without reading the request: nobody waits for the other. */
START_TEST(answer_before_the_input)
{
	struct fcgi_body body = {.mem = big, .fd = -1, .len = sizeof(big)};
	struct exchange x;

	fill_big();
	init(&x);
	stub_record(&x.answer, 1, FCGI_T_STDOUT, 1, "Status: 413\r\n\r\n", 15, 0);
	for (int i = 0; i < 20; i++)
		stub_record(&x.answer, 1, FCGI_T_STDOUT, 1, big, 60000, 0);
	stub_end(&x.answer, 0, 0);
	x.unread = true;
	x.stay = _i == 1;
	run(&x, params, sizeof(params) - 1, &body, 10000);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_int_eq(x.how, LEASE_CLOSE);
	ck_assert_uint_eq(x.out.len, 15 + 20 * 60000);
	fini(&x);
}
END_TEST

/* --- time, pauses, giving up ----------------------------------------------------------------------------------------------- */

START_TEST(deadline)
{
	struct exchange x;

	init(&x);
	good_answer(&x.answer);
	x.delay_ms = 300;
	uint64_t begin = io_now_ms();
	run(&x, params, sizeof(params) - 1, NULL, 50);
	ck_assert_int_eq(x.why, BACKEND_TIMEOUT);
	ck_assert_int_eq(x.how, LEASE_KILL);
	ck_assert_uint_ge(io_now_ms() - begin, 49);
	fini(&x);
}
END_TEST

START_TEST(paused)
{
	struct exchange x;

	fill_big();
	init(&x);
	for (int i = 0; i < 6; i++)
		stub_record(&x.answer, 1, FCGI_T_STDOUT, 1, big + i, 65535, 1);
	stub_end(&x.answer, 0, 0);
	x.split = 30000;
	x.pause_ms = 3;
	run(&x, params, sizeof(params) - 1, NULL, 10000);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_uint_eq(x.out.len, 6 * 65535);
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq(memcmp(x.out.data + i * 65535, big + i, 65535), 0);
	fini(&x);
}
END_TEST

START_TEST(abort_in_callback)
{
	struct exchange x;

	init(&x);
	good_answer(&x.answer);
	x.abort_at = 1;
	x.stay = true;
	run(&x, params, sizeof(params) - 1, NULL, 10000);
	ck_assert(!x.over);
	ck_assert_int_eq(x.how, LEASE_CLOSE);
	ck_assert_uint_le(x.out.len, 13);
	fini(&x);
}
END_TEST

START_TEST(diagnosed)
{
	struct exchange x;

	init(&x);
	x.backend.ops = &diagnosing_ops;
	cut(&x.answer);
	run(&x, params, sizeof(params) - 1, NULL, 10000);
	ck_assert_int_eq(x.why, BACKEND_VIOLATION);
	ck_assert_str_eq(x.detail, "killed by its filter");
	ck_assert_int_eq(x.how, LEASE_CLOSE);
	fini(&x);
}
END_TEST

/* The connection is dead already when the request begins. */
START_TEST(dead_from_the_start)
{
	struct exchange x;

	init(&x);
	close(x.app_fd);
	x.lease.reused = true;
	fcgi_client_start(&x.client, &ops, x.loop, &x.lease, (const uint8_t *)params, sizeof(params) - 1, NULL, 1000);
	ck_assert(!x.over);
	ck_assert_int_eq(loop_run(x.loop), GW_OK);
	ck_assert_int_eq(x.why, BACKEND_CLOSED);
	ck_assert(x.untouched);
	fini(&x);
}
END_TEST

/* A new pool connection's request: the head alone is measured, so that reading it can be seen. */
START_TEST(marked)
{
	struct exchange x;

	init(&x);
	x.lease.mark = true;
	fcgi_client_start(&x.client, &ops, x.loop, &x.lease, (const uint8_t *)params, sizeof(params) - 1, NULL, 1000);
	ck_assert_int_eq(atomic_load(&x.lease.progress), LEASE_SENT);
	ck_assert_int_gt(atomic_load(&x.lease.unread), 0);
	good_answer(&x.answer);
	application(&x);
	ck_assert_int_eq(loop_run(x.loop), GW_OK);
	ck_assert_int_eq(x.why, BACKEND_OK);
	ck_assert_mem_eq(x.params.data, params, sizeof(params) - 1);
	fini(&x);
}
END_TEST

/* Who made the connection can keep a copy of our end and make it block: that must stay his problem. */
START_TEST(blocking_descriptor)
{
	static const uint8_t much[4 << 20];
	const struct fcgi_body body = {.mem = much, .fd = -1, .len = sizeof(much)};
	struct exchange x;

	init(&x);
	ck_assert_int_eq(io_nonblock(x.lease.fd, 0), GW_OK);
	fcgi_client_start(&x.client, &ops, x.loop, &x.lease, (const uint8_t *)params, sizeof(params) - 1, &body, 50);
	ck_assert_int_eq(loop_run(x.loop), GW_OK);
	ck_assert_int_eq(x.why, BACKEND_TIMEOUT);
	close(x.app_fd);
	fini(&x);
}
END_TEST

Suite *client_suite(void)
{
	Suite *s = suite_create("fcgi_client");
	TCase *t = tcase_create("client");

	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, answers, 0, 9);
	tcase_add_loop_test(t, bad_answers, 0, (int)(sizeof(bad) / sizeof(*bad)));
	tcase_add_test(t, not_kept);
	tcase_add_test(t, blocking_descriptor);
	tcase_add_loop_test(t, big_params_and_body, 0, 6);
	tcase_add_test(t, body_in_a_file);
	tcase_add_test(t, body_file_too_short);
	tcase_add_loop_test(t, answer_before_the_input, 0, 2);
	tcase_add_test(t, deadline);
	tcase_add_test(t, paused);
	tcase_add_test(t, abort_in_callback);
	tcase_add_test(t, diagnosed);
	tcase_add_test(t, dead_from_the_start);
	tcase_add_test(t, marked);
	suite_add_tcase(s, t);
	return s;
}
