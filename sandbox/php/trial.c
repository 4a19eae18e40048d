/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/trial.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/php/rehearsal.h"
#include "sandbox/sb_proc.h"

#define TRIAL_S 1

/* --- which pages ------------------------------------------------------------------------------------------------------ */

static bool parse_line(const char *line, enum trial_kind kind, struct region *r)
{
	char perms[5], path[8] = "";

	if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %7s", &r->start, &r->end, perms, path) < 3 || perms[0] != 'r' || perms[3] != 'p')
		return false;
	r->prot = PROT_READ | (perms[1] == 'w' ? PROT_WRITE : 0) | (perms[2] == 'x' ? PROT_EXEC : 0);
	return kind == TRIAL_WRITABLE ? r->prot == (PROT_READ | PROT_WRITE) : perms[1] == '-' && path[0] == '/';
}

size_t trial_regions(struct region *regions, size_t max, enum trial_kind kind)
{
	FILE *f = sb_proc_text("self/maps");
	char line[4096];
	size_t n = 0;

	if (f == NULL)
		return 0;
	while (n < max && fgets(line, sizeof(line), f) != NULL)
		n += parse_line(line, kind, &regions[n]);
	fclose(f);
	return n;
}

/* --- the child ---------------------------------------------------------------------------------------------------------- */

static bool show_region(int pagemap, const struct region *r, void (*see)(void *arg, uintptr_t at, uint64_t entry), void *arg)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t entries[512];
	size_t n;

	for (uintptr_t at = r->start; at < r->end; at += n * page) {
		size_t want = (r->end - at) / page * sizeof(entries[0]);
		ssize_t got = pread(pagemap, entries, want < sizeof(entries) ? want : sizeof(entries),
			(off_t)(at / page * sizeof(entries[0])));
		if (got < (ssize_t)sizeof(entries[0]))
			return false;
		n = (size_t)got / sizeof(entries[0]);
		for (size_t i = 0; i < n; i++)
			see(arg, at + i * page, entries[i]);
	}
	return true;
}

bool trial_pagemap(const struct region *regions, size_t n, void (*see)(void *arg, uintptr_t at, uint64_t entry), void *arg)
{
	int pagemap = sb_proc_open("self/pagemap", O_RDONLY);
	bool ok = pagemap >= 0;

	for (size_t i = 0; i < n && ok; i++)
		ok = show_region(pagemap, &regions[i], see, arg);
	if (pagemap >= 0)
		io_close(&pagemap);
	return ok;
}

static bool wait_for(pid_t pid)
{
	const struct timespec limit = {.tv_sec = TRIAL_S};
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (sigtimedwait(&chld, NULL, &limit) == -1)
		kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

bool trial_run(void (*before)(void *arg), bool (*after)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (before != NULL)
			before(arg);
		_exit(rehearsal_run() == 0 && after(arg) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	return pid > 0 && wait_for(pid);
}
