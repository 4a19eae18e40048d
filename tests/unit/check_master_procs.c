/* SPDX-License-Identifier: Apache-2.0 */
/* The log process and the mail process: that there is one again after it could not be started. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/log/log_files.h"
#include "gateway/log/log_hub.h"
#include "gateway/master/mail_proc.h"
#include "tests/unit/unit.h"

#define LOOK_MS 20
#define PATIENCE_MS 10000

static void limit_fds(rlim_t n)
{
	struct rlimit l;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
	l.rlim_cur = n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
}

struct look {
	struct loop_timer timer;
	const pid_t *pid; /* of the process; 0: none now */
	rlim_t fds;       /* as many as there may be again */
	bool failed;      /* a start has */
	uint64_t end_ms;
};

/* First the start that was due at once must have failed; then another one must come by itself. */
static void on_look(struct loop *l, struct loop_timer *t)
{
	struct look *k = container_of(t, struct look, timer);

	if (!k->failed) {
		k->failed = *k->pid == 0;
		limit_fds(k->fds);
	}
	if (!k->failed || *k->pid != 0 || io_now_ms() > k->end_ms)
		loop_stop(l);
	else
		ck_assert_int_eq(loop_timer_set(l, t, LOOK_MS), 0);
}

/* Until the process of *@pid has been started again, with @fds descriptors; now there are too few. */
static void wait_for_start(struct loop *l, const pid_t *pid, rlim_t fds)
{
	struct look k = {.timer.cb = on_look, .pid = pid, .fds = fds, .end_ms = io_now_ms() + PATIENCE_MS};

	ck_assert_int_eq(loop_timer_set(l, &k.timer, LOOK_MS), 0);
	ck_assert_int_eq(loop_run(l), 0);
	ck_assert(k.failed);
	ck_assert_int_gt(*pid, 0);
}

START_TEST(a_log_process_is_tried_again)
{
	static struct log_hub h;
	struct conf c = {.front = {.uid = geteuid(), .gid = getegid()}};
	const struct conf_log_file f = {.path = "/nowhere/a.log", .kind = CONF_LOG_FILE};
	struct loop *l = loop_new();
	struct rlimit was;
	const char *why;
	uint32_t id;

	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	log_hub_init(&h, l, false);
	ck_assert_int_eq(log_hub_acquire(&h, &c, &f, &id, &why), 0);
	pid_t first = h.pid;
	ck_assert_int_gt(first, 0);
	kill(first, SIGKILL);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert(log_hub_reaped(&h, first, SIGKILL));
	limit_fds(3);
	wait_for_start(l, &h.pid, was.rlim_cur);
	log_hub_end(&h);
	loop_free(l);
}
END_TEST

START_TEST(a_mail_process_is_tried_again)
{
	static struct conf_mail_relay relay;
	static struct conf_server site = {.name = "a.test", .mail_relay = &relay};
	struct conf_server *sites[] = {&site};
	struct conf c = {.front = {.uid = geteuid(), .gid = getegid()}, .servers = sites, .servers_n = 1};
	struct log_sink sink = {.fd = STDERR_FILENO};
	struct log_files logs = {.sinks = &sink};
	struct loop *l = loop_new();
	const struct mail_proc_host host = {.loop = l, .conf = &c, .logs = &logs};
	struct mail_proc p;
	struct rlimit was;

	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_int_eq(mail_proc_init(&p, &host), 0);
	limit_fds(3);
	ck_assert_int_eq(mail_proc_channel(&p, &site), -1);
	ck_assert_int_eq(p.pid, 0);
	wait_for_start(l, &p.pid, was.rlim_cur);
	pid_t pid = p.pid;
	mail_proc_kill(&p);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(mail_proc_reaped(&p, pid, SIGKILL));
	mail_proc_fini(&p);
	loop_free(l);
}
END_TEST

static Suite *master_procs_suite(void)
{
	Suite *s = suite_create("processes of the master");
	TCase *t = tcase_create("starts");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_log_process_is_tried_again);
	tcase_add_test(t, a_mail_process_is_tried_again);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(master_procs_suite)
