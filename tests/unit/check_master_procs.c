/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are to be there for good: when another is started, and that there is one again after that could not be done. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/kept_proc.h"
#include "gateway/log/log_files.h"
#include "gateway/log/log_hub.h"
#include "gateway/master/mail_proc.h"
#include "sandbox/ipc_chan.h"
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
	pid_t first = h.proc.pid;
	ck_assert_int_gt(first, 0);
	kill(first, SIGKILL);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert(log_hub_reaped(&h, first, SIGKILL));
	limit_fds(3);
	wait_for_start(l, &h.proc.pid, was.rlim_cur);
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
	ck_assert_int_eq(p.proc.pid, 0);
	wait_for_start(l, &p.proc.pid, was.rlim_cur);
	pid_t pid = p.proc.pid;
	mail_proc_kill(&p);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(mail_proc_reaped(&p, pid, SIGKILL));
	mail_proc_fini(&p);
	loop_free(l);
}
END_TEST

/* --- one of our own --------------------------------------------------------------------------------------------------------- */

static const unsigned delays[][3] = { /* failures, of which free, seconds */
	{0, 0, 0}, {1, 0, 1}, {1, 1, 0}, {2, 1, 1}, {3, 1, 2}, {7, 1, 32}, {8, 1, 60}, {9, 1, 60}, {3, 3, 0}, {4, 3, 1}, {9, 3, 32}, {10, 3, 60}, {4000000000U, 3, 60},
};

START_TEST(delay)
{
	ck_assert_uint_eq(kept_proc_delay_s(delays[_i][0], delays[_i][1]), delays[_i][2]);
}
END_TEST

static struct {
	unsigned starts, refused; /* calls; how many of the next ones fail */
	struct loop *loop;
	unsigned stop_at;         /* end the loop after so many starts */
} toy;

static pid_t toy_start(struct kept_proc *p)
{
	(void)p;
	if (++toy.starts >= toy.stop_at)
		loop_stop(toy.loop);
	if (toy.refused > 0) {
		toy.refused--;
		return GW_ERR_DENIED;
	}
	return (pid_t)(1000 + toy.starts); /* of nobody: none of these is killed */
}

static const struct kept_kind toy_kind = {.what = "the toy", .at_once = 2, .severity = LOG_LV_ERROR, .start = toy_start};

static void toy_begin(struct kept_proc *p, unsigned refused)
{
	memset(&toy, 0, sizeof(toy));
	toy.loop = loop_new();
	toy.refused = refused;
	ck_assert_ptr_nonnull(toy.loop);
	kept_proc_init(p, &toy_kind, toy.loop);
}

static void toy_run(unsigned stop_at)
{
	toy.stop_at = stop_at;
	ck_assert_int_eq(loop_run(toy.loop), 0);
	ck_assert_uint_eq(toy.starts, stop_at);
}

/* It ends again and again: twice another comes at once, then after a second. Others' ends are not its own. */
START_TEST(who_ends_is_started_again)
{
	struct kept_proc p;
	uint64_t at_once_ms = 0;

	toy_begin(&p, 0);
	toy.stop_at = 100;
	ck_assert_int_eq(kept_proc_start(&p), GW_OK);
	ck_assert_int_eq(p.pid, 1001);
	ck_assert(!kept_proc_ended(&p, 999) && !kept_proc_ended(&p, 0));
	for (unsigned n = 1; n <= 3; n++) {
		uint64_t from_ms = io_now_ms();
		ck_assert(kept_proc_ended(&p, p.pid));
		ck_assert(!kept_proc_ended(&p, 1000 + (pid_t)n)); /* only once */
		loop_free(toy.loop); /* one that was stopped does not run again */
		toy.loop = p.loop = loop_new();
		kept_proc_again(&p, 0x100);
		ck_assert(kept_proc_waits(&p) && p.pid == 0 && p.failures == n);
		toy_run(n + 1);
		ck_assert_int_eq(p.pid, 1001 + (pid_t)n);
		uint64_t took_ms = io_now_ms() - from_ms;
		at_once_ms += n < 3 ? took_ms : 0;
		ck_assert_msg(n < 3 || took_ms >= 950, "%llu ms", (unsigned long long)took_ms);
	}
	/* With waits it would have been one second and two. */
	ck_assert_msg(at_once_ms < 2500, "%llu ms", (unsigned long long)at_once_ms);
	/* One that lived for long begins anew. */
	p.started_ms -= 61000;
	ck_assert(kept_proc_ended(&p, p.pid));
	kept_proc_again(&p, 9);
	ck_assert_uint_eq(p.failures, 1);
	kept_proc_stop(&p);
	ck_assert(!kept_proc_waits(&p));
	loop_free(toy.loop);
}
END_TEST

/* It cannot be started: a first start says so and leaves it at that; one that is to be kept is tried again until it can. */
START_TEST(who_cannot_be_started_is_tried_again)
{
	struct kept_proc p;

	toy_begin(&p, 3);
	toy.stop_at = 100;
	ck_assert_int_eq(kept_proc_start(&p), GW_ERR_DENIED);
	ck_assert(!kept_proc_waits(&p) && p.failures == 0);
	kept_proc_keep(&p);
	ck_assert(kept_proc_waits(&p) && p.pid == 0);
	toy_run(4);
	ck_assert_int_eq(p.pid, 1004);
	ck_assert(!kept_proc_waits(&p));
	ck_assert_uint_eq(p.failures, 2);
	loop_free(toy.loop);
}
END_TEST

/* A real one: its end of the channel is its own, what the master is signalled is not for it, and its end is put in words. */
START_TEST(a_fork_with_a_channel)
{
	static const int also[] = {SIGINT, 0};
	char text[96];
	int chan, status;
	pid_t pid = ipc_fork(&chan, 65536, NULL, NULL);

	if (pid == 0) {
		kept_proc_signals(also);
		raise(SIGHUP);
		raise(SIGUSR1);
		raise(SIGINT);
		_exit(write(chan, "x", 1) == 1 && read(chan, text, 1) == 1 && text[0] == 'y' ? 7 : 8);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert((fcntl(chan, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(chan, F_GETFD) & FD_CLOEXEC) != 0);
	ck_assert_int_eq(write(chan, "y", 1), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	kept_proc_how(status, text, sizeof(text));
	ck_assert_str_eq(text, "exited with status 7");
	ck_assert_int_eq(read(chan, text, 1), 1);
	ck_assert_int_eq(read(chan, text, 1), 0); /* nobody else has its end */
	close(chan);
	kept_proc_how(SIGKILL, text, sizeof(text));
	ck_assert_str_eq(text, "killed by signal 9 (Killed)");
}
END_TEST

static Suite *master_procs_suite(void)
{
	Suite *s = suite_create("processes of the master");
	TCase *t = tcase_create("starts");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, delay, 0, (int)(sizeof(delays) / sizeof(*delays)));
	tcase_add_test(t, who_ends_is_started_again);
	tcase_add_test(t, who_cannot_be_started_is_tried_again);
	tcase_add_test(t, a_fork_with_a_channel);
	tcase_add_test(t, a_log_process_is_tried_again);
	tcase_add_test(t, a_mail_process_is_tried_again);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(master_procs_suite)
