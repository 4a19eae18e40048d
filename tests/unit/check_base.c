/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/base/log_format.h"
#include "gateway/base/log_budget.h"
#include "gateway/base/loop.h"
#include "tests/unit/unit.h"

START_TEST(buf_keeps_order)
{
	struct buf b;

	buf_init(&b);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_printf(&b, "%d,", i), GW_OK);
	ck_assert_int_eq(strncmp((char *)buf_head(&b), "0,1,2,", 6), 0);
	buf_consume(&b, 4);
	ck_assert_int_eq(buf_puts(&b, "end"), GW_OK);
	ck_assert_int_eq(strncmp((char *)buf_head(&b), "2,3,", 4), 0);
	ck_assert_int_eq(memcmp(buf_head(&b) + buf_unread(&b) - 3, "end", 3), 0);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 10), GW_ERR_NOMEM);
	buf_consume(&b, buf_unread(&b));
	ck_assert_uint_eq(buf_unread(&b), 0);
	buf_fini(&b);
}
END_TEST

START_TEST(arena_gives_distinct_aligned_memory)
{
	struct arena a;

	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		char *last = NULL;
		for (size_t n = 1; n < 9000; n = n * 2 + 1) {
			char *p = arena_alloc(&a, n);
			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
			memset(p, 0x5a, n);
			ck_assert_ptr_ne(p, last);
			last = p;
		}
		ck_assert_str_eq(arena_printf(&a, "%s-%d", "x", 7), "x-7");
		ck_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
		ck_assert_ptr_null(arena_calloc(&a, SIZE_MAX / 2, 4));
		arena_reset(&a);
	}
	arena_fini(&a);
}
END_TEST

START_TEST(log_line_cannot_be_forged)
{
	char path[] = "/tmp/check_base_XXXXXX", text[4096] = "";
	int fd = mkstemp(path);
	struct log_sink s = {.fd = fd, .level = LOG_LV_INFO, .site = "a\nb"};
	struct log_about about = {.client = "192.0.2.1:5", .script = "/x\n[fake] \\"};

	unlink(path);
	log_line(&s, LOG_LV_ERROR, &about, "bad %s", "tail\r\nnext");
	log_line(&s, LOG_LV_DEBUG, NULL, "dropped");
	ck_assert_int_gt((int)pread(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "[client 192.0.2.1:5] site=a\\x0ab script=/x\\x0a[fake] \\\\ bad tail\\x0d\\x0anext\n"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	close(fd);
	ck_assert_int_eq(log_level_find("Warn"), LOG_LV_WARN);
	ck_assert_int_eq(log_level_find("trace8"), LOG_LV_TRACE);
	ck_assert_int_eq(log_level_find("trace9"), -1);
}
END_TEST

/* --- loop ---------------------------------------------------------------------------------------------------------- */

static struct loop_timer timers[200];
static uint64_t fired[200];
static int fired_n;

static void on_timer(struct loop *l, struct loop_timer *t)
{
	fired[fired_n++] = t->due_ms;
	if (fired_n == 100)
		loop_stop(l);
}

START_TEST(timers_fire_in_order_and_stopped_ones_do_not)
{
	struct loop *l = loop_new();

	for (int i = 0; i < 200; i++) {
		timers[i] = (struct loop_timer){.cb = on_timer};
		ck_assert_int_eq(loop_timer_set(l, &timers[i], (uint64_t)((i * 37) % 50)), GW_OK);
	}
	for (int i = 0; i < 200; i += 2)
		loop_timer_stop(l, &timers[i]);
	ck_assert_int_eq(loop_run(l), GW_OK);
	ck_assert_int_eq(fired_n, 100);
	for (int i = 1; i < 100; i++)
		ck_assert_uint_le(fired[i - 1], fired[i]);
	loop_free(l);
}
END_TEST

static int again_n;

static void on_again(struct loop *l, struct loop_timer *t)
{
	again_n++;
	ck_assert_int_eq(loop_timer_set(l, t, 0), GW_OK);
}

static void on_turn(struct loop *l, struct loop_io *io, uint32_t ready)
{
	(void)io;
	(void)ready;
	loop_stop(l);
}

START_TEST(timer_armed_again_does_not_starve_descriptors)
{
	struct loop *l = loop_new();
	struct loop_timer t = {.cb = on_again};
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	struct loop_io io = {.fd = p[0], .events = EPOLLIN, .cb = on_turn};
	ck_assert_int_eq(loop_io_add(l, &io, 0), GW_OK);
	ck_assert_int_eq(loop_timer_set(l, &t, 0), GW_OK);
	ck_assert_int_eq(io_write_all(p[1], "x", 1), GW_OK);
	ck_assert_int_eq(loop_run(l), GW_OK);
	ck_assert_int_ge(again_n, 1);
	loop_free(l);
	close(p[0]);
	close(p[1]);
}
END_TEST

START_TEST(log_budget_bounds_a_flood)
{
	struct log_budget b = {0};
	const uint64_t second = 1000000;
	uint64_t now = 5 * second, written = 0;
	unsigned dropped, notices = 0, told = 0, refused = 0;

	/* A hundred seconds of a line each millisecond, ten times too much. */
	for (; now < 105 * second; now += second / 1000) {
		if (log_budget_take(&b, 5000, now, &dropped)) {
			written += 5000;
			told += dropped;
		} else {
			refused++;
			notices += dropped;
		}
	}
	ck_assert_uint_ge(written, 90ULL * LOG_BUDGET_RATE);
	ck_assert_uint_le(written, 100ULL * LOG_BUDGET_RATE + LOG_BUDGET_BURST + 5000);
	ck_assert_uint_ge(notices, 1);
	ck_assert_uint_le(notices, 20);
	/* Later it is as at the start, and every refused line was told of. */
	ck_assert(log_budget_take(&b, 5000, now + 60 * second, &dropped));
	ck_assert_uint_eq(told + dropped, refused);
	ck_assert(log_budget_take(&b, LOG_BUDGET_BURST / 2, now + 60 * second, &dropped));
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

static struct loop_io pair_io[2];
static int pair_calls;

static void on_pair(struct loop *l, struct loop_io *io, uint32_t ready)
{
	(void)io;
	(void)ready;
	/* Whichever runs first removes the other: it must not be called any more. */
	pair_calls++;
	loop_io_del(l, &pair_io[0]);
	loop_io_del(l, &pair_io[1]);
	loop_stop(l);
}

START_TEST(removed_descriptor_gets_no_event)
{
	struct loop *l = loop_new();
	int p[2], q[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(pipe(q), 0);
	pair_io[0] = (struct loop_io){.fd = p[0], .events = EPOLLIN, .cb = on_pair};
	pair_io[1] = (struct loop_io){.fd = q[0], .events = EPOLLIN, .cb = on_pair};
	ck_assert_int_eq(loop_io_add(l, &pair_io[0], 0), GW_OK);
	ck_assert_int_eq(loop_io_add(l, &pair_io[1], 0), GW_OK);
	ck_assert_int_eq(io_write_all(p[1], "x", 1), GW_OK);
	ck_assert_int_eq(io_write_all(q[1], "x", 1), GW_OK);
	ck_assert_int_eq(loop_run(l), GW_OK);
	ck_assert_int_eq(pair_calls, 1);
	loop_free(l);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
}
END_TEST

static struct loop_task tasks[1000];
static int tasks_run;

static void on_task(struct loop *l, struct loop_task *t)
{
	ck_assert_ptr_eq(t, &tasks[tasks_run]);
	if (++tasks_run == 1000)
		loop_stop(l);
}

static void *poster(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		tasks[i].cb = on_task;
		loop_post(arg, &tasks[i]);
	}
	return NULL;
}

START_TEST(posted_tasks_run_once_in_order)
{
	struct loop *l = loop_new();
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, poster, l), 0);
	ck_assert_int_eq(loop_run(l), GW_OK);
	pthread_join(t, NULL);
	ck_assert_int_eq(tasks_run, 1000);
	loop_free(l);
}
END_TEST

START_TEST(sealed_memory_stays_what_it_is)
{
	char got[4];
	int fd = memfd_create("check", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(io_write_all(fd, "same", 4), GW_OK);
	ck_assert_int_eq(io_seal(fd), GW_OK);
	ck_assert_int_eq(pwrite(fd, "else", 4, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 3), -1);
	ck_assert_int_eq(ftruncate(fd, 5), -1);
	ck_assert_int_eq(pread(fd, got, 4, 0), 4);
	ck_assert_mem_eq(got, "same", 4);
	io_close(&fd);
	fd = memfd_create("check", MFD_CLOEXEC); /* one that may not be sealed */
	ck_assert_int_eq(io_seal(fd), GW_ERR_SYS);
	io_close(&fd);
}
END_TEST

static const struct {
	const char *format, *want; /* NULL: no line; "!": no format */
} error_formats[] = {
	{"[%-m:%l] [pid %P:tid %T] %7F: %E: [client\\ %a] %M% ,\\ referer\\ %{Referer}i", "[front:warn] [pid 7:tid 8] [client 192.0.2.1:5] a\\x0ab"},
	{"%l %v %-v %M", "warn - a\\x0ab"},
	{"%M %%%l", "a\\x0ab %warn"},
	{"%+v %M", NULL},
	{"x%v y%l", " ywarn"},
	{"", ""},
	{"%M %z", "!"}, {"%", "!"}, {"%{u", "!"}, {"%- M", "!"},
};

START_TEST(error_log_format)
{
	struct log_values v = {.role = "front", .level = "warn", .client = "192.0.2.1:5", .message = "a\nb", .pid = 7, .tid = 8};
	const char *want = error_formats[_i].want, *why;
	char text[256];
	struct log_out l = {.p = text, .end = text + sizeof(text) - 1};
	struct arena a;
	size_t at;

	arena_init(&a);
	const struct log_format *f = log_format_new(&a, error_formats[_i].format, &why, &at);
	ck_assert_int_eq(f == NULL, want != NULL && strcmp(want, "!") == 0);
	if (f != NULL) {
		ck_assert_int_eq(log_format_put(&l, f, &v), want != NULL);
		*l.p = '\0';
		if (want != NULL)
			ck_assert_str_eq(text, want);
	}
	arena_fini(&a);
}
END_TEST

static Suite *base_suite(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");

	tcase_add_loop_test(tc, error_log_format, 0, (int)(sizeof(error_formats) / sizeof(*error_formats)));
	tcase_add_test(tc, buf_keeps_order);
	tcase_add_test(tc, arena_gives_distinct_aligned_memory);
	tcase_add_test(tc, log_line_cannot_be_forged);
	tcase_add_test(tc, timers_fire_in_order_and_stopped_ones_do_not);
	tcase_add_test(tc, log_budget_bounds_a_flood);
	tcase_add_test(tc, timer_armed_again_does_not_starve_descriptors);
	tcase_add_test(tc, removed_descriptor_gets_no_event);
	tcase_add_test(tc, posted_tasks_run_once_in_order);
	tcase_add_test(tc, sealed_memory_stays_what_it_is);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(base_suite)
