/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/log_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"

#define STABLE_MS 60000
#define BACKOFF_MAX_S 60
#define PIPE_OCTETS (1024 * 1024) /* for a program that is busy, or being started again */

/* Of the master's: to write where the administrator wants logs, and to become a user of the program's own. */
static const int kept[] = {CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_SETUID, CAP_SETGID, CAP_SETPCAP};

/* As root the program must be root's alone, else the server's user's or root's. */
static const char *check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || access(path, X_OK) == -1)
		return "it is no program";
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
		return "somebody else than root could change the program";
	return NULL;
}

_Noreturn static void become_program(const struct log_pipe *p)
{
	char *envp[] = {(char *)(uintptr_t) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	/* What ends the server from a terminal leaves it the time to read to the end. */
	setpgid(0, 0);
	if (dup2(p->ends[0], STDIN_FILENO) == -1 || io_nonblock(STDIN_FILENO, 0) < 0 || io_close_except(NULL, 0) < 0)
		_exit(126);
	if (p->privileged && sb_cred_keep(kept, sizeof(kept) / sizeof(*kept)) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(p->argv[0], p->argv, envp);
	_exit(127);
}

static int start(struct log_pipe *p)
{
	const char *why = check_program(p->argv[0]);

	if (why != NULL) {
		log_err("log program %s: %s", p->argv[0], why);
		return GW_ERR_DENIED;
	}
	pid_t pid = fork();
	if (pid == 0)
		become_program(p);
	if (pid == -1) {
		log_err("log program %s: %m", p->argv[0]);
		return GW_ERR_SYS;
	}
	p->pid = pid;
	p->started_ms = loop_now_ms(p->loop);
	log_debug("log program %s is process %d", p->argv[0], (int)pid);
	return GW_OK;
}

static void start_later(struct log_pipe *p)
{
	unsigned delay_s = p->crashes < 2 ? 0 : p->crashes > 7 ? BACKOFF_MAX_S : 1U << (p->crashes - 2);

	if (loop_timer_set(p->loop, &p->restart, delay_s * 1000) < 0)
		log_err("no memory for a timer: log program %s stays down", p->argv[0]);
}

static void on_restart(struct loop *l, struct loop_timer *t)
{
	struct log_pipe *p = container_of(t, struct log_pipe, restart);

	(void)l;
	if (start(p) < 0) {
		p->crashes++;
		start_later(p);
	}
}

static char **copy_argv(const char *const *argv)
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	char **v = calloc(n + 1, sizeof(*v));
	for (size_t i = 0; v != NULL && i < n; i++)
		if ((v[i] = strdup(argv[i])) == NULL) {
			while (i-- > 0)
				free(v[i]);
			free(v);
			return NULL;
		}
	return v;
}

struct log_pipe *log_pipe_new(struct loop *l, const char *const *argv, bool privileged, const char **why)
{
	struct log_pipe *p = calloc(1, sizeof(*p));

	*why = "out of memory";
	if (p == NULL)
		return NULL;
	*p = (struct log_pipe){.loop = l, .argv = copy_argv(argv), .privileged = privileged, .ends = {-1, -1}, .restart.cb = on_restart};
	if (p->argv != NULL && (*why = check_program(p->argv[0])) == NULL) {
		*why = "it cannot be started";
		if (pipe2(p->ends, O_CLOEXEC | O_NONBLOCK) == 0 && start(p) == GW_OK) {
			if (fcntl(p->ends[1], F_SETPIPE_SZ, PIPE_OCTETS) == -1)
				log_debug("a log program's pipe stays small: %m");
			return p;
		}
	}
	log_pipe_free(p);
	return NULL;
}

pid_t log_pipe_free(struct log_pipe *p)
{
	pid_t pid = p->pid;

	loop_timer_stop(p->loop, &p->restart);
	io_close(&p->ends[0]);
	io_close(&p->ends[1]);
	for (size_t i = 0; p->argv != NULL && p->argv[i] != NULL; i++)
		free(p->argv[i]);
	free(p->argv);
	free(p);
	return pid;
}

bool log_pipe_reaped(struct log_pipe *p, pid_t pid, int status)
{
	if (p->pid == 0 || pid != p->pid)
		return false;
	p->pid = 0;
	p->crashes = loop_now_ms(p->loop) - p->started_ms > STABLE_MS ? 1 : p->crashes + 1;
	log_err("log program %s ended (%s %d): it is started again", p->argv[0], WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	start_later(p);
	return true;
}
