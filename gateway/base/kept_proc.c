/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/kept_proc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "gateway/base/container.h"

#define STABLE_MS 60000 /* one that lived this long starts with a clean record */
#define DELAY_MAX_S 60
#define DOUBLINGS 6     /* 1, 2, 4, 8, 16, 32, and then the most */

unsigned kept_proc_delay_s(unsigned failures, unsigned at_once)
{
	if (failures <= at_once)
		return 0;
	return failures - at_once > DOUBLINGS ? DELAY_MAX_S : 1U << (failures - at_once - 1);
}

void kept_proc_how(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exited with status %d", WEXITSTATUS(status));
}

/* Returns in how many seconds. */
static unsigned start_later(struct kept_proc *p)
{
	unsigned delay_s = kept_proc_delay_s(p->failures, p->kind->at_once);

	if (loop_timer_set(p->loop, &p->restart, (uint64_t)delay_s * 1000) < 0)
		log_err("no memory for a timer: %s stays down", p->kind->what);
	return delay_s;
}

static void on_restart(struct loop *l, struct loop_timer *t)
{
	(void)l;
	kept_proc_keep(container_of(t, struct kept_proc, restart));
}

void kept_proc_init(struct kept_proc *p, const struct kept_kind *kind, struct loop *l)
{
	*p = (struct kept_proc){.kind = kind, .loop = l, .restart.cb = on_restart};
}

int kept_proc_start(struct kept_proc *p)
{
	pid_t pid = p->kind->start(p);

	if (pid < 0)
		return (int)pid;
	p->pid = pid;
	p->started_ms = loop_now_ms(p->loop);
	log_debug("%s%s%s is process %d", p->kind->what, p->name != NULL ? " " : "", p->name != NULL ? p->name : "", (int)pid);
	return GW_OK;
}

void kept_proc_keep(struct kept_proc *p)
{
	if (kept_proc_start(p) == GW_OK)
		return;
	p->failures++;
	start_later(p);
}

bool kept_proc_waits(const struct kept_proc *p)
{
	return loop_timer_armed(&p->restart);
}

bool kept_proc_ended(struct kept_proc *p, pid_t pid)
{
	if (p->pid == 0 || pid != p->pid)
		return false;
	p->pid = 0;
	return true;
}

void kept_proc_again(struct kept_proc *p, int status)
{
	char how[96];

	p->failures = loop_now_ms(p->loop) - p->started_ms > STABLE_MS ? 1 : p->failures + 1;
	unsigned delay_s = start_later(p);
	kept_proc_how(status, how, sizeof(how));
	log_line(log_server(), p->kind->severity, NULL, "%s%s%s ended, %s: starting another in %u s", p->kind->what, p->name != NULL ? " " : "",
		p->name != NULL ? p->name : "", how, delay_s);
}

void kept_proc_stop(struct kept_proc *p)
{
	if (p->loop != NULL)
		loop_timer_stop(p->loop, &p->restart);
}

void kept_proc_kill(const struct kept_proc *p)
{
	if (p->pid > 0)
		kill(p->pid, SIGKILL);
}

void kept_proc_signals(const int *also)
{
	static const int ignored[] = {SIGHUP, SIGUSR1, SIGWINCH, SIGPIPE}; /* the last is reported by write() */
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	for (; also != NULL && *also != 0; also++)
		signal(*also, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
