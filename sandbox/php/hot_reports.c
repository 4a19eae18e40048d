/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/hot_reports.h"

#include <fcntl.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_proc.h"

#define REPORTS_N 4         /* so many agree */
#define FIRST_MS 1000       /* the first cells compile what later ones find in opcache */
#define EVERY_MAX_MS 600000 /* and so long at most until cells are asked again: each pause is ten times the one before */

static struct hot_pages *reports; /* shared */
static struct hot_pages common;
static unsigned taken_n;
static uint64_t next_ms, pause_ms;

void hot_reports_start(void *shared, uint64_t now_ms)
{
	reports = shared;
	pause_ms = FIRST_MS;
	next_ms = now_ms + pause_ms;
}

struct hot_pages *hot_reports_ask(size_t cell, uint64_t now_ms)
{
	if (reports == NULL || cell >= HOT_REPORTS_CELLS || now_ms < next_ms)
		return NULL;
	reports[cell].n = 0;
	return &reports[cell];
}

static void finish(struct hot_pages *hot, uint64_t now_ms)
{
	*hot = common;
	taken_n = 0;
	pause_ms = pause_ms * 10 < EVERY_MAX_MS ? pause_ms * 10 : EVERY_MAX_MS;
	next_ms = now_ms + pause_ms;
}

void hot_reports_take(size_t cell, struct hot_pages *hot, uint64_t now_ms)
{
	if (reports == NULL || cell >= HOT_REPORTS_CELLS || now_ms < next_ms || reports[cell].n == 0)
		return;
	struct hot_pages report = reports[cell]; /* once: other cells may write there */
	if (!hot_pages_are_known(&report))
		return;
	if (taken_n++ == 0)
		common = report;
	else
		hot_runs_intersect(&common, &report);
	if (taken_n == REPORTS_N)
		finish(hot, now_ms);
}

bool hot_reports_open(void)
{
	int fd = sb_proc_open("self/pagemap", O_RDONLY), got = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HOT_REPORTS_FD);

	if (fd >= 0)
		io_close(&fd);
	if (got != HOT_REPORTS_FD)
		io_close(&got);
	return got == HOT_REPORTS_FD;
}

void hot_reports_tell(struct hot_pages *report)
{
	struct hot_pages own;

	if (hot_pages_list(HOT_REPORTS_FD, &own))
		*report = own;
}
