/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_pages.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
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

#define REGIONS_MAX 1024
#define REHEARSAL_S 1

/* Bits of an entry of /proc/pid/pagemap; see the kernel's Documentation/admin-guide/mm/pagemap.rst. */
#define PM_PRESENT ((uint64_t)1 << 63)
#define PM_FILE ((uint64_t)1 << 61)      /* of a file, or shared: nobody has written to this private page */
#define PM_EXCLUSIVE ((uint64_t)1 << 56) /* mapped here only: not one that is still shared with the zygote */

struct region {
	uintptr_t start, end;
};

static size_t list_regions(struct region *regions)
{
	int fd = sb_proc_open("self/maps", O_RDONLY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[4096], perms[5];
	size_t n = 0;

	if (f == NULL) {
		if (fd >= 0)
			io_close(&fd);
		return 0;
	}
	while (n < REGIONS_MAX && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx %4s", &regions[n].start, &regions[n].end, perms) == 3 && strcmp(perms, "rw-p") == 0)
			n++;
	fclose(f);
	return n;
}

static void add_page(struct hot_pages *hot, uintptr_t at, size_t len)
{
	struct hot_run *last = hot->n == 0 ? NULL : &hot->runs[hot->n - 1];

	if (last != NULL && last->start + last->len == at)
		last->len += len;
	else if (hot->n < HOT_RUNS_MAX)
		hot->runs[hot->n++] = (struct hot_run){.start = at, .len = len};
}

/* Which pages of @r this process has a copy of for itself. */
static bool add_written(struct hot_pages *hot, int pagemap, const struct region *r)
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
			if ((entries[i] & (PM_PRESENT | PM_FILE | PM_EXCLUSIVE)) == (PM_PRESENT | PM_EXCLUSIVE))
				add_page(hot, at + i * page, page);
	}
	return true;
}

/* The child: nothing of what it does is meant to be seen. */
static _Noreturn void rehearse(struct hot_pages *out, const struct region *regions, size_t n)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (rehearsal_run() != 0)
		_exit(EXIT_FAILURE);
	int pagemap = sb_proc_open("self/pagemap", O_RDONLY);
	for (size_t i = 0; i < n && pagemap >= 0; i++)
		if (!add_written(out, pagemap, &regions[i]))
			_exit(EXIT_FAILURE);
	_exit(pagemap >= 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool wait_for(pid_t pid)
{
	const struct timespec limit = {.tv_sec = REHEARSAL_S};
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (sigtimedwait(&chld, NULL, &limit) == -1)
		kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void hot_pages_learn(struct hot_pages *hot)
{
	static struct region regions[REGIONS_MAX];
	size_t n = list_regions(regions);
	struct hot_pages *found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	hot->n = 0;
	if (found == MAP_FAILED)
		return;
	pid_t pid = fork();
	if (pid == 0)
		rehearse(found, regions, n);
	if (pid > 0 && wait_for(pid))
		*hot = *found;
	munmap(found, sizeof(*found));
}

void hot_pages_fetch(const struct hot_pages *hot)
{
	for (size_t i = 0; i < hot->n; i++)
		if (madvise((void *)hot->runs[i].start, hot->runs[i].len, MADV_POPULATE_WRITE) == -1)
			return;
}
