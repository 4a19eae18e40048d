/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: the zygote's part. What it reads from the pipe was written by the site's scripts and is only ever compared and
 * handed to the compiler; images come from the compiler, are sealed, mapped, and never looked into here.
 */
#include "sandbox/php/opcache.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/php/opcache_compile.h"
#include "sandbox/php/opcache_memory.h"
#include "sandbox/php/opcache_report.h"
#include "sandbox/php/opcache_seen.h"
#include "sandbox/php/opcache_times.h"
#include "sandbox/php/warm_paths.h"
#include "sandbox/php/warm_patterns.h"
#include "sandbox/rollback/rollback.h"

#define READ_EVERY_MS 20      /* reads of the pipe; between them nobody's reports cost the zygote anything */
#define COLLECT_MS 60         /* a batch is closed so long after its last path ... */
#define COLLECT_MAX_MS 500    /* ... or so long after its first */
#define COMPILE_MAX_MS 20000  /* a compiler that takes longer is killed */
#define PAUSE_TIMES 3         /* a compiler rests so many times as long as it worked */
#define PAUSE_MIN_MS 100
#define PAUSE_IMAGE_MS 50     /* the later an image the longer until the next: cells that live on are renewed for it ... */
#define PAUSE_IMAGES_MS 3000  /* ... up to this */
#define PAUSE_MAX_MS 60000    /* and at most this long after failures */
#define RESET_EVERY_MS 1000
#define RENEW_EVERY_MS 60000  /* images without waste are made this often at most */
#define EMPTY_EVERY_MS 600000 /* a cache that is full of files in use begins anew this often at most */
#define PATHS_COLLECT_MS 1000 /* paths that were looked up are collected so long ... */
#define PATHS_AGAIN_MS 1000   /* ... and then not for so long, each time twice as long ... */
#define PATHS_EVERY_MS 60000  /* ... up to this */
#define PATHS_MAX 8192        /* reports that are looked at then: the page that asks for them is the cells' to write to */
#define PATHS_MIN 8           /* so many new ones are worth new cells */
#define MAPPED_MAX ((size_t)64 * 1024 * 1024) /* of an image, in a cell that begins */
#define WASTED_PERCENT 5      /* of opcache's memory, as opcache.max_wasted_percentage's default */

static struct {
	struct opcache_memory memory;
	bool on;               /* the segment is, or is about to be, private */
	int report_fd;         /* writing end, low; for cells */
	int reports;           /* reading end; ours alone */
	int base, image;       /* as PHP started, and the newest; sealed; may be the same */
	int building;          /* the compiler's; -1: none runs */
	bool renewing;
	struct opcache_job job;
	struct opcache_board *board;
	struct seen *seen;     /* no cell inherits it */
	uint32_t number;       /* of image, in this process and those forked from now on */
	pid_t compiler;
	unsigned failures;     /* compilers in a row that did not end well ... */
	unsigned idlings;      /* ... or had nothing to compile */
	unsigned new_paths;    /* that cells forked by now do not know */
	unsigned collections;  /* of paths, so far */
	unsigned paths_left;   /* reports that are still looked at */
	uint64_t paths_ms, paths_again_ms; /* since when, and when to ask again */
	bool want_reset, want_renew, want_empty, stopped, said_full;
	bool heads_stay;       /* opcache did not take it well that they are moved */
	uint64_t started_ms, first_ms, last_ms, next_ms, read_ms, reset_ms, renew_ms, empty_ms;
} oc = {.report_fd = -1, .reports = -1, .base = -1, .image = -1, .building = -1};

/* --- start ------------------------------------------------------------------------------------------------------------- */

int opcache_find(const struct spec *s, const char **why)
{
	*why = "opcache's memory is not to be told from other shared memory: change opcache.memory_consumption";
	int err = spec_level_find(s->isolation) == SPEC_SHARED ? 0 : opcache_memory_find(&oc.memory);
	if (err != 0 || oc.memory.start == NULL)
		return err;
	*why = "opcache's descriptors";
	oc.on = true;
	oc.report_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0); /* its place; the pipe comes later */
	return oc.report_fd == -1 ? GW_ERR_SYS : 0;
}

static int open_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return GW_ERR_SYS;
	int err = dup3(ends[1], oc.report_fd, O_CLOEXEC) == -1 ? GW_ERR_SYS : 0;
	io_close(&ends[1]);
	oc.reports = ends[0];
	return err;
}

static void note(bool (*remember)(const char *text), const char *text)
{
	if (oc.paths_left == 0)
		return;
	oc.paths_left--;
	oc.new_paths += remember(text);
}

static void note_path(const char *path)
{
	note(warm_paths_note, path);
}

static void note_pattern(const char *pattern)
{
	note(warm_patterns_note, pattern);
}

static void ask_for_paths(void)
{
	oc.paths_left = PATHS_MAX;
	oc.board->paths_wanted = true;
}

static int make_tables(void)
{
	oc.board = mmap(NULL, sizeof(*oc.board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	oc.seen = mmap(NULL, sizeof(*oc.seen), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (oc.board == MAP_FAILED || oc.seen == MAP_FAILED)
		return GW_ERR_SYS;
	if (getrandom(&oc.seen->seed, sizeof(oc.seen->seed), 0) != sizeof(oc.seen->seed))
		return GW_ERR_SYS;
	oc.seen->on_path = note_path;
	oc.seen->on_pattern = note_pattern;
	ask_for_paths();
	return madvise(oc.seen, sizeof(*oc.seen), MADV_DONTFORK) == -1 ? GW_ERR_SYS : 0;
}

int opcache_take(const char **why)
{
	*why = "opcache's memory";
	if (!oc.on)
		return 0;
	if (open_pipe() != 0 || make_tables() != 0)
		return GW_ERR_SYS;
	oc.base = opcache_memory_copy(&oc.memory);
	if (oc.base < 0 || io_seal(oc.base) != 0 || opcache_memory_map(&oc.memory, oc.base, false) != 0)
		return GW_ERR_SYS;
	oc.image = fcntl(oc.base, F_DUPFD_CLOEXEC, 0);
	opcache_report_to(oc.report_fd);
	opcache_report_changes(&oc.board->changes);
	return oc.image == -1 ? GW_ERR_SYS : 0;
}

/* --- images -------------------------------------------------------------------------------------------------------------- */

/* Cells forked from now on start with @fd, which becomes ours. */
static void publish(int fd)
{
	if (opcache_memory_map(&oc.memory, fd, false) != 0) {
		log_err("opcache: a new image cannot be mapped: %m");
		io_close(&fd);
		if (opcache_memory_map(&oc.memory, oc.image, false) == 0)
			return;
		log_err("opcache: neither can the last one: %m; the next request starts another zygote");
		_exit(EXIT_FAILURE);
	}
	io_close(&oc.image);
	oc.image = fd;
	oc.board->image = ++oc.number;
	rollback_forget();
}

static void reset(uint64_t now_ms)
{
	int fd = fcntl(oc.base, F_DUPFD_CLOEXEC, 0);

	oc.want_reset = oc.want_empty = oc.said_full = false;
	oc.reset_ms = now_ms;
	seen_forget(oc.seen);
	if (fd != -1)
		publish(fd);
}

/* --- the compiler -------------------------------------------------------------------------------------------------------- */

static void pause_ms(uint64_t now_ms, uint64_t ms)
{
	uint64_t least = oc.number < PAUSE_IMAGES_MS / PAUSE_IMAGE_MS ? oc.number * PAUSE_IMAGE_MS : PAUSE_IMAGES_MS;

	if (least < PAUSE_MIN_MS)
		least = PAUSE_MIN_MS;
	oc.next_ms = now_ms + (ms < least ? least : ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);
}

static uint64_t back_off_ms(uint64_t first, unsigned times)
{
	return times == 0 ? 0 : first << (times < 7 ? times : 7);
}

static void start_compiler(const struct cell_plan *plan, bool renew, uint64_t now_ms)
{
	oc.building = opcache_memory_new(&oc.memory);
	if (oc.building < 0) {
		log_err("opcache: no memory file for a new image: %m");
		oc.building = -1;
		pause_ms(now_ms, PAUSE_MAX_MS);
		return;
	}
	oc.renewing = renew;
	oc.job = (struct opcache_job){.memory = &oc.memory, .plan = plan, .board = oc.board, .seen = oc.seen,
		.from = renew ? oc.base : oc.image, .to = oc.building, .low_fd = oc.report_fd, .renew = renew,
		.gather = !oc.heads_stay};
	memset((void *)(uintptr_t)oc.board->result, SEEN_UNTRIED, sizeof(oc.board->result));
	oc.board->at = SEEN_BATCH_MAX;
	oc.board->slot.number = SB_SLOT_EMPTY;
	oc.board->full = oc.board->gathering = false;
	madvise(oc.seen, sizeof(*oc.seen), MADV_DOFORK);
	oc.compiler = fork();
	if (oc.compiler == 0)
		opcache_compile(&oc.job);
	madvise(oc.seen, sizeof(*oc.seen), MADV_DONTFORK);
	oc.started_ms = now_ms;
	if (oc.compiler == -1) {
		log_err("opcache: fork: %m");
		oc.compiler = 0;
		io_close(&oc.building);
		pause_ms(now_ms, PAUSE_MAX_MS);
	}
}

/* What the compiler says of the cache decides whether the next image begins anew. */
static void look_at_state(uint64_t now_ms)
{
	bool wasted = oc.board->wasted > oc.memory.len / 100 * WASTED_PERCENT;

	oc.want_renew = wasted && !oc.renewing;
	oc.want_empty = oc.board->full && !wasted && now_ms >= oc.empty_ms;
	if (oc.board->full && !oc.said_full)
		log_warn("opcache is full: %u scripts; raise opcache.memory_consumption or opcache.max_accelerated_files",
			oc.board->scripts);
	oc.said_full = oc.said_full || oc.board->full;
}

static void note_batch(bool well, uint64_t now_ms)
{
	for (size_t i = 0; i < oc.seen->batch_n; i++) {
		enum seen_result r = well && oc.board->result[i] == SEEN_CACHED ? SEEN_CACHED : well ? SEEN_FAILED : SEEN_UNTRIED;
		seen_done(oc.seen, i, !well && i == oc.board->at ? SEEN_CRASHED : r, now_ms);
		if (r == SEEN_CACHED)
			warm_paths_note(oc.seen->text + oc.seen->batch_at[i] + 1);
	}
}

/* An end from outside, for lack of time or memory, says nothing. A cell can write to the board, too: that costs its site speed. */
static bool heads_to_blame(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) == OPCACHE_EXIT_HEADS : oc.board->gathering && WTERMSIG(status) != SIGKILL;
}

static void say_failure(int status)
{
	const char *path = "";
	uint32_t at = oc.board->at; /* once: cells can write there, too */

	if (!oc.renewing && at < oc.seen->batch_n)
		path = oc.seen->text + oc.seen->batch_at[at] + 1;
	log_err("opcache: the compiler ended with %s %d%s%s; that file is left out for a while",
		WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		path[0] != '\0' ? " at " : "", path);
}

bool opcache_reap(pid_t pid, int status, uint64_t now_ms)
{
	if (pid != oc.compiler || oc.compiler == 0)
		return false;
	bool fresh = WIFEXITED(status) && WEXITSTATUS(status) == OPCACHE_EXIT_NEW;
	bool well = fresh || (WIFEXITED(status) && WEXITSTATUS(status) == OPCACHE_EXIT_SAME);
	int fd = oc.building;

	oc.compiler = 0;
	oc.building = -1;
	/* Sealing fails while anybody could still write to it. */
	if (fresh && io_seal(fd) == 0)
		publish(fd);
	else
		io_close(&fd);
	if (well) {
		oc.failures = 0;
		oc.idlings = fresh ? 0 : oc.idlings + 1;
		if (fresh)
			look_at_state(now_ms);
	} else {
		say_failure(status);
		oc.failures++;
		if (heads_to_blame(status)) {
			log_notice("opcache: from now on hits are counted in each script's own memory: this PHP keeps them in another way");
			oc.heads_stay = oc.want_renew = true;
		}
	}
	if (!oc.renewing) {
		note_batch(well, now_ms);
		seen_clear_batch(oc.seen);
	}
	pause_ms(now_ms, (now_ms - oc.started_ms) * PAUSE_TIMES + back_off_ms(1000, oc.failures) + back_off_ms(50, oc.idlings));
	return true;
}

/* --- the loop's part --------------------------------------------------------------------------------------------------- */

static bool idle(void)
{
	return oc.on && oc.compiler == 0 && !oc.stopped;
}

int opcache_poll_fd(uint64_t now_ms)
{
	return idle() && now_ms >= oc.read_ms ? oc.reports : -1;
}

/* When the batch may be compiled. */
static uint64_t due_ms(void)
{
	uint64_t due = oc.last_ms + COLLECT_MS < oc.first_ms + COLLECT_MAX_MS ? oc.last_ms + COLLECT_MS : oc.first_ms + COLLECT_MAX_MS;

	return due > oc.next_ms ? due : oc.next_ms;
}

int opcache_timeout_ms(uint64_t now_ms)
{
	uint64_t at = UINT64_MAX;

	if (!oc.on || oc.stopped)
		return -1;
	if (oc.compiler != 0) {
		at = oc.started_ms + COMPILE_MAX_MS;
	} else {
		if (now_ms < oc.read_ms)
			at = oc.read_ms;
		if (oc.want_reset && oc.reset_ms + RESET_EVERY_MS < at)
			at = oc.reset_ms + RESET_EVERY_MS;
		if (oc.seen->batch_n > 0 && due_ms() < at)
			at = due_ms();
		if (oc.new_paths > 0 && oc.paths_ms + PATHS_COLLECT_MS < at)
			at = oc.paths_ms + PATHS_COLLECT_MS;
	}
	return at == UINT64_MAX ? -1 : at <= now_ms ? 0 : (int)(at - now_ms);
}

static void read_reports(uint64_t now_ms)
{
	static char text[16384]; /* not on the stack, each page of which a zygote copies that has forked */
	size_t had = oc.seen->batch_n;
	bool had_paths = oc.new_paths > 0;
	ssize_t n = read(oc.reports, text, sizeof(text));

	if (n <= 0)
		return;
	oc.read_ms = now_ms + READ_EVERY_MS;
	if (seen_take(oc.seen, text, (size_t)n, now_ms) > 0)
		oc.want_reset = true;
	if (!had_paths)
		oc.paths_ms = now_ms;
	if (oc.seen->batch_n == had)
		return;
	oc.last_ms = now_ms;
	if (had == 0)
		oc.first_ms = now_ms;
}

/* Cells that live on end behind their next request, as for a new image, and those after them know the paths. */
static void end_collection(uint64_t now_ms)
{
	if (oc.new_paths >= PATHS_MIN)
		oc.board->image = ++oc.number;
	oc.new_paths = 0;
	oc.board->paths_wanted = false;
	oc.paths_left = 0;
	uint64_t pause = back_off_ms(PATHS_AGAIN_MS, oc.collections++);
	oc.paths_again_ms = now_ms + (pause < PATHS_EVERY_MS ? pause : PATHS_EVERY_MS);
}

/* Images are renewed when there is something to compile anyway: a site that nobody visits stays as it is. */
static void next_image(const struct cell_plan *plan, uint64_t now_ms)
{
	bool renew = oc.want_renew && now_ms >= oc.renew_ms;

	if (oc.want_empty) {
		oc.empty_ms = now_ms + EMPTY_EVERY_MS;
		reset(now_ms);
		return;
	}
	if (renew) {
		oc.want_renew = false;
		oc.renew_ms = now_ms + RENEW_EVERY_MS;
	}
	start_compiler(plan, renew, now_ms);
}

void opcache_work(const struct cell_plan *plan, uint64_t now_ms)
{
	if (oc.on && oc.compiler != 0 && now_ms >= oc.started_ms + COMPILE_MAX_MS)
		kill(oc.compiler, SIGKILL);
	if (!idle())
		return;
	if (now_ms >= oc.read_ms)
		read_reports(now_ms);
	if (oc.new_paths > 0 && now_ms >= oc.paths_ms + PATHS_COLLECT_MS) {
		end_collection(now_ms);
	} else if (oc.new_paths == 0 && now_ms >= oc.paths_again_ms) {
		oc.paths_again_ms = now_ms + PATHS_EVERY_MS;
		ask_for_paths();
	}
	if (oc.want_reset && now_ms >= oc.reset_ms + RESET_EVERY_MS)
		reset(now_ms);
	if (oc.seen->batch_n > 0 && now_ms >= due_ms())
		next_image(plan, now_ms);
}

bool opcache_is_compiler(pid_t pid)
{
	return pid != 0 && pid == oc.compiler;
}

void opcache_stop(void)
{
	oc.stopped = true;
	if (oc.compiler != 0)
		kill(oc.compiler, SIGKILL);
}

/* --- cells ------------------------------------------------------------------------------------------------------------- */

int opcache_enter_cell(int conn)
{
	return oc.on && dup3(conn, oc.memory.lock_fd, O_CLOEXEC) == -1 ? GW_ERR_SYS : 0;
}

/* Registered memory is mapped page by page, so what scripts read of it would be one fault for each. */
static void map_used(void)
{
	size_t used = oc.board->used; /* once: cells can write there, too */

	if (used > oc.memory.len)
		used = oc.memory.len;
	if (used > MAPPED_MAX)
		used = MAPPED_MAX;
	(void)madvise(oc.memory.start, used, MADV_POPULATE_READ);
	(void)madvise(oc.memory.heads, opcache_heads_used(oc.memory.heads), MADV_POPULATE_READ);
}

int opcache_enter_rollback(void)
{
	if (!oc.on)
		return 0;
	map_used();
	opcache_times_begin(oc.image, opcache_memory_size(&oc.memory), &oc.board->changes);
	return rollback_add_source(OPCACHE_MEMORY_NAME, oc.image);
}

void opcache_tell_paths(const char *root)
{
	if (oc.board == NULL || !oc.board->paths_wanted)
		return;
	warm_paths_report(root, opcache_report_looked_up);
	warm_patterns_report(opcache_report_pattern);
}

bool opcache_is_stale(void)
{
	return oc.board != NULL && oc.board->image != oc.number;
}
