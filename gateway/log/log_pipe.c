/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/log_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/sb_cred.h"

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

static pid_t start(struct kept_proc *proc)
{
	struct log_pipe *p = container_of(proc, struct log_pipe, proc);
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
	return pid;
}

static const struct kept_kind kind = {.what = "log program", .at_once = 1, .severity = LOG_LV_ERROR, .start = start};

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
	*p = (struct log_pipe){.argv = copy_argv(argv), .privileged = privileged, .ends = {-1, -1}};
	kept_proc_init(&p->proc, &kind, l);
	if (p->argv != NULL && (*why = check_program(p->argv[0])) == NULL) {
		*why = "it cannot be started";
		p->proc.name = p->argv[0];
		if (pipe2(p->ends, O_CLOEXEC | O_NONBLOCK) == 0 && kept_proc_start(&p->proc) == GW_OK) {
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
	pid_t pid = p->proc.pid;

	kept_proc_stop(&p->proc);
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
	if (!kept_proc_ended(&p->proc, pid))
		return false;
	kept_proc_again(&p->proc, status);
	return true;
}
