/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: from here on the process belongs to whoever wrote the site's scripts. What it inherits is the site's own:
 * its user, the zygote's filter, PHP as the zygote started it, opcache. What it must not keep is taken away first, and
 * before it has read a single octet: the zygote's channel and descriptors, and the calls only a zygote needs.
 */
#include "sandbox/php/cell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "sandbox/php/chunk_pool.h"
#include "sandbox/php/cold_objects.h"
#include "sandbox/php/hot_reports.h"
#include "sandbox/php/kept_signals.h"
#include "sandbox/php/learn.h"
#include "sandbox/php/opcache.h"
#include "sandbox/php/opcache_times.h"
#include "sandbox/php/sapi.h"
#include "sandbox/php/warm_paths.h"
#include "sandbox/php/warm_patterns.h"
#include "sandbox/rollback/rollback.h"
#include "sandbox/sb_cell_cgroup.h"
#include "sandbox/sb_proc.h"
#include "sandbox/sb_sigsys.h"

static enum spec_level level;
static unsigned requests_left;
static enum rollback_why status;

static void die(const char *step)
{
	log_err("a cell cannot start: %s: %m", step);
	_exit(EXIT_FAILURE);
}

/* All from @from to @to but @keep, which may lie anywhere. */
static int close_but(unsigned from, unsigned to, int keep)
{
	unsigned k = (unsigned)keep;

	if (keep == -1 || k < from || k > to)
		return from <= to ? close_range(from, to, 0) : 0;
	if (k > from && close_range(from, k - 1, 0) == -1)
		return -1;
	return k < to ? close_range(k + 1, to, 0) : 0;
}

/* The socket for a learning cell's listener is needed a moment longer. */
static int close_others(unsigned from, int keep, bool reports)
{
	unsigned first = COLD_OBJECTS_FD, n = cold_objects_fds();

	if (level == SPEC_ROLLBACK) {
		first = ROLLBACK_FD;
		n = ROLLBACK_FDS_N;
	} else if (reports) {
		first = HOT_REPORTS_FD;
		n += COLD_OBJECTS_FD - HOT_REPORTS_FD;
	}
	if (n > 0 && from < first + n) {
		if (from < first && close_but(from, first - 1, keep) == -1)
			return -1;
		from = first + n;
	}
	return close_but(from, ~0U, keep);
}

static bool next_request(struct sb_slot *slot, FCGX_Request *request)
{
	if (FCGX_Accept_r(request) != 0)
		return false;
	if (level == SPEC_ROLLBACK)
		rollback_expect();
	learn_script(slot, FCGX_GetParam("SCRIPT_FILENAME", request->envp));
	return true;
}

/* Where nobody can start a program, nor listens to the calls. */
static size_t watch_calls(const struct cell_plan *plan, const struct cell_own *own, struct sock_filter *first)
{
	const struct sb_traits *t = &plan->harden->traits;

	return level == SPEC_ROLLBACK && own->learn_sock == -1 && !t->tasks && !t->programs ? rollback_watch(first) : 0;
}

void cell_confine(const struct cell_plan *plan, const struct cell_own *own, int conn)
{
	struct sock_filter first[ROLLBACK_WATCH_MAX];
	const char *step;
	sigset_t none;

	/* 1. What follows from the profile, for this process alone. */
	if (sb_harden_cell(plan->harden, &step) != 0)
		die(step);
	/* 2. The connection, PHP's own descriptors, and stdio to the site's log; nothing else but what rollback needs. */
	if (level == SPEC_ROLLBACK) {
		warm_paths_look_up();
		if (warm_patterns_compile() != 0)
			die("code of regular expressions");
	}
	if (level == SPEC_ROLLBACK && chunk_pool_start() != 0)
		log_notice("PHP's heap is not as expected: its chunks are mapped for each request");
	if (level == SPEC_ROLLBACK && (plan->first_foreign_fd > ROLLBACK_FD || opcache_enter_rollback() != 0 || rollback_begin() != 0)) {
		log_err("a cell cannot be rolled back, it answers one request: %m");
		level = SPEC_FRESH;
	}
	if (dup3(conn, CELL_CONN_FD, O_CLOEXEC) == -1 || close_others(plan->first_foreign_fd, own->learn_sock, own->report != NULL) == -1)
		die("descriptors");
	if (!kept_fds_restore(&plan->kept))
		die("inherited descriptors");
	if (opcache_enter_cell(CELL_CONN_FD) != 0)
		die("opcache's lock");
	/* 3. Signals as a program expects them; the zygote blocks SIGCHLD. */
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		die("signals");
	/* 4. End with the zygote, also if it ended just now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != plan->zygote)
		die("death signal");
	prctl(PR_SET_NAME, "bh-cell", 0, 0, 0); /* for people; nothing depends on it */
	/* 5. What a cell needs of /proc it has opened by now; scripts see none. */
	sb_proc_close();
	/* 6. Last, because what comes before needs what it denies. */
	sb_sigsys_set_slot(own->slot);
	if (own->learn_sock != -1 && learn_enter(own->learn_sock) != 0)
		die("learning filter");
	if (plan->spec->filter_off)
		return;
	sb_filter_set_pid(plan->delta, (uint32_t)getpid());
	if (sb_filter_load_behind(first, watch_calls(plan, own, first), plan->delta) != 0)
		die("filter");
}

/* --- when a cell ends ------------------------------------------------------------------------------------------------ */

static bool always(void)
{
	return true;
}

static bool is_used_up(void)
{
	return --requests_left == 0;
}

static bool cannot_go_back(void)
{
	opcache_tell_paths(sapi_site()->docroot);
	status = rollback_check();
	return status != ROLLBACK_OK || opcache_is_stale() || warm_paths_are_old();
}

static sapi_last_fn *const last[] = {
	[SPEC_FRESH] = always, [SPEC_ROLLBACK] = cannot_go_back, [SPEC_SHARED] = is_used_up};

_Noreturn void cell_run(const struct cell_plan *plan, const struct cell_own *own, int conn)
{
	struct cell_own mine = *own;
	FCGX_Request request;

	level = (enum spec_level)spec_level_find(plan->spec->isolation);
	requests_left = plan->spec->max_requests; /* 0: goes past the end of numbers and never comes back */
	hot_pages_fetch(&plan->hot);
	log_role("cell");
	/* It ends what this cell leaves behind. */
	if (sb_cell_cgroup_join(mine.cgroup) != 0)
		die("cgroup");
	if (mine.report != NULL && !hot_reports_open())
		mine.report = NULL;
	cell_confine(plan, &mine, conn);
	sapi_watch_children(plan->harden->traits.tasks);
	/* libfcgi accepts only when it has no connection: it is given one, and a listener that does not exist. Each accept
	 * first finishes the request before, and would close the connection of one that was not to be kept. */
	if (FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		die("libfcgi");
	request.ipcFd = CELL_CONN_FD;
	request.keepConnection = 1;
	if (level == SPEC_ROLLBACK) {
		kept_signals_start();
		status = rollback_point();
	}
	if (status != ROLLBACK_OK) {
		log_err("a cell cannot be rolled back, it answers one request: %s", rollback_why_text(ROLLBACK_EXIT + (int)status));
		level = SPEC_FRESH;
	}
	sapi_set_reused(level != SPEC_FRESH);
	opcache_times_renew();
	while (next_request(mine.slot, &request) && sapi_answer(&request, last[level]))
		if (level == SPEC_ROLLBACK)
			rollback(); /* to the point, not past this line */
	if (mine.report != NULL)
		hot_reports_tell(mine.report);
	/* Everything is sent and PHP has ended the request: no destructor, no handler of ours is left to run. */
	_exit(status == ROLLBACK_OK ? EXIT_SUCCESS : ROLLBACK_EXIT + (int)status);
}
