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

bool trial_mappings(void (*see)(void *arg, const struct rb_mapping *m), void *arg)
{
	FILE *f = sb_proc_text("self/maps");
	struct rb_mapping m;
	char line[4096];

	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		if (rb_maps_line(line, strcspn(line, "\n"), &m))
			see(arg, &m);
	fclose(f);
	return true;
}

struct listing {
	struct region *regions;
	size_t n, max;
	enum trial_kind kind;
};

static void take_region(void *arg, const struct rb_mapping *m)
{
	struct listing *l = arg;
	int prot = rb_maps_prot(m);
	bool file = m->name_len > 0 && m->name[0] == '/', wanted = l->kind == TRIAL_WRITABLE ? prot == (PROT_READ | PROT_WRITE) :
		(prot & (PROT_READ | PROT_WRITE)) == PROT_READ && file;

	if (wanted && m->perms[3] == 'p' && l->n < l->max)
		l->regions[l->n++] = (struct region){.start = m->start, .end = m->end, .prot = prot};
}

size_t trial_regions(struct region *regions, size_t max, enum trial_kind kind)
{
	struct listing l = {.regions = regions, .max = max, .kind = kind};

	return trial_mappings(take_region, &l) ? l.n : 0;
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

bool trial_pagemap_of(int pagemap, const struct region *regions, size_t n, void (*see)(void *arg, uintptr_t at, uint64_t entry),
	void *arg)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = show_region(pagemap, &regions[i], see, arg);
	return ok;
}

bool trial_pagemap(const struct region *regions, size_t n, void (*see)(void *arg, uintptr_t at, uint64_t entry), void *arg)
{
	int pagemap = sb_proc_open("self/pagemap", O_RDONLY);

	if (pagemap < 0)
		return false;
	bool ok = trial_pagemap_of(pagemap, regions, n, see, arg);
	io_close(&pagemap);
	return ok;
}

static void see_own(void *own, uintptr_t at, uint64_t entry)
{
	(void)at;
	if ((entry & (PM_PRESENT | PM_SWAP)) != 0 && (entry & PM_FILE) == 0)
		*(bool *)own = true;
}

bool trial_is_as_in_file(const struct region *r)
{
	bool own = false;

	return trial_pagemap(r, 1, see_own, &own) && !own;
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
