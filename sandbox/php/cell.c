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
#include "sandbox/php/opcache.h"
#include "sandbox/php/sapi.h"
#include "sandbox/sb_proc.h"
#include "sandbox/sb_sigsys.h"

static void die(const char *step)
{
	log_err("a cell cannot start: %s: %m", step);
	_exit(EXIT_FAILURE);
}

void cell_confine(const struct cell_plan *plan, int conn)
{
	const char *step;
	sigset_t none;

	/* 1. What follows from the profile, for this process alone. */
	if (sb_harden_cell(plan->harden, &step) != 0)
		die(step);
	/* 2. The connection, PHP's own descriptors, and stdio to the site's log; nothing else. */
	if (dup3(conn, CELL_CONN_FD, O_CLOEXEC) == -1 || close_range(plan->first_foreign_fd, ~0U, 0) == -1)
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
	sb_sigsys_set_slot(plan->slot);
	sb_filter_set_pid(plan->delta, (uint32_t)getpid());
	if (sb_filter_load(plan->delta) != 0)
		die("filter");
}

_Noreturn void cell_run(const struct cell_plan *plan, int conn)
{
	bool fresh = strcmp(plan->spec->isolation, "fresh") == 0;
	unsigned max = plan->spec->max_requests;
	FCGX_Request request;

	hot_pages_fetch(&plan->hot);
	log_role("cell");
	cell_confine(plan, conn);
	sapi_watch_children(plan->harden->traits.tasks);
	/* libfcgi accepts only when it has no connection: it is given one, and a listener that does not exist. Each accept
	 * first finishes the request before, and would close the connection of one that was not to be kept. */
	if (FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		die("libfcgi");
	request.ipcFd = CELL_CONN_FD;
	request.keepConnection = 1;
	for (unsigned n = 1; FCGX_Accept_r(&request) == 0; n++)
		if (!sapi_answer(&request, fresh || n == max))
			break;
	/* Everything is sent and PHP has ended the request: no destructor, no handler of ours is left to run. */
	_exit(EXIT_SUCCESS);
}
