/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: runs as the site's user, under the site's filter, and runs none of its code. It believes the front (whose
 * messages are checked against the table of ipc_allowed()) and no cell: from a cell it takes a wait status and one number.
 */
#include "sandbox/php/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/php/cell.h"
#include "sandbox/php/chunk_pool.h"
#include "sandbox/php/cold_objects.h"
#include "sandbox/php/hot_pages.h"
#include "sandbox/php/hot_reports.h"
#include "sandbox/php/hot_text.h"
#include "sandbox/php/image.h"
#include "sandbox/php/learn.h"
#include "sandbox/php/map_ptr.h"
#include "sandbox/php/opcache.h"
#include "sandbox/php/sapi.h"
#include "sandbox/php/stray.h"
#include "sandbox/php/text_merge.h"
#include "sandbox/php/warm_paths.h"
#include "sandbox/php/warm_patterns.h"
#include "sandbox/rollback/rollback.h"
#include "sandbox/sb_cell_cgroup.h"
#include "sandbox/sb_filter.h"
#include "sandbox/sb_harden.h"
#include "sandbox/sb_policy.h"
#include "sandbox/sb_proc.h"
#include "sandbox/sb_sigsys.h"

#define CELLS_MAX 4096
#define DRAIN_MS 30000 /* how long a cell may finish its request after the front is gone */
#define DEFAULT_PROFILE "php"
#define STRAY_MS 5     /* between two looks for what ended cells left behind, while there is any */

struct cell {
	pid_t pid; /* 0: free */
	uint32_t id;
	bool asked;
};

/* What changes with each cell. No child inherits it, or each fork would have the zygote copy these pages. */
struct cell_table {
	struct cell cells[CELLS_MAX];
	size_t n, end; /* live ones; all of them lie before @end */
	bool strays;   /* some were found at the last look */
};

struct zygote {
	const struct spec *spec;
	int chan;              /* -1 once the front is gone */
	int reaper;            /* signalfd of SIGCHLD */
	struct sb_policy policy;
	struct sb_filter filter, delta;
	struct sb_harden harden;
	int children; /* list of our children where cells may start programs, else -1 */
	struct cell_plan plan;
	struct cell_table *table;
	struct sb_slot *slots; /* one for each cell, shared with all */
	uint64_t drain_until_ms;
};

static struct zygote zy;

/* --- messages to the front ------------------------------------------------------------------------------------------- */

static void front_is_gone(struct zygote *z)
{
	if (z->chan == -1)
		return;
	io_close(&z->chan);
	opcache_stop();
	z->drain_until_ms = io_now_ms() + DRAIN_MS;
}

static void tell(struct zygote *z, const struct ipc_msg *m)
{
	if (z->chan != -1 && ipc_send(z->chan, m) != 0)
		front_is_gone(z);
}

static void tell_text(struct zygote *z, unsigned type, uint32_t id, const char *text)
{
	struct ipc_msg m;

	ipc_fill(&m, type, id, text);
	tell(z, &m);
}

static void tell_errno(struct zygote *z, unsigned type, uint32_t id, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	tell_text(z, type, id, text);
}

/* --- cells ----------------------------------------------------------------------------------------------------------- */

static struct cell *find_id(struct zygote *z, uint32_t id)
{
	for (size_t i = 0; i < z->table->end; i++)
		if (z->table->cells[i].pid != 0 && z->table->cells[i].id == id)
			return &z->table->cells[i];
	return NULL;
}

static struct cell *find_pid(struct zygote *z, pid_t pid)
{
	for (size_t i = 0; i < z->table->end; i++)
		if (z->table->cells[i].pid == pid)
			return &z->table->cells[i];
	return NULL;
}

static struct cell *find_free(struct zygote *z)
{
	struct cell *c = z->table->n == CELLS_MAX ? NULL : find_pid(z, 0);

	if (c == NULL && z->table->end < CELLS_MAX)
		c = &z->table->cells[z->table->end++];
	return c;
}

static void forget(struct zygote *z, struct cell *c)
{
	c->pid = 0;
	z->table->n--;
	while (z->table->end > 0 && z->table->cells[z->table->end - 1].pid == 0)
		z->table->end--;
}

static void fork_cell(struct zygote *z, uint32_t id)
{
	struct ipc_msg m;
	int ends[2];
	struct cell *c = find_free(z);

	if (c == NULL) {
		tell_text(z, IPC_CELL_FAIL, id, "too many cells");
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
		tell_errno(z, IPC_CELL_FAIL, id, "socketpair");
		return;
	}
	size_t at = (size_t)(c - z->table->cells);
	struct cell_own own = {.cgroup = at, .learn_sock = learn_socket(at, id), .slot = &z->slots[at],
		.report = hot_reports_ask(at, io_now_ms())};
	if (z->policy.learn && own.learn_sock == -1) {
		tell_errno(z, IPC_CELL_FAIL, id, "learning");
		io_close(&ends[0]);
		io_close(&ends[1]);
		return;
	}
	z->slots[at].number = SB_SLOT_EMPTY;
	pid_t pid = fork();
	if (pid == 0)
		cell_run(&z->plan, &own, ends[1]);
	if (pid == -1) {
		tell_errno(z, IPC_CELL_FAIL, id, "fork");
	} else {
		*c = (struct cell){.pid = pid, .id = id};
		z->table->n++;
		ipc_fill(&m, IPC_CELL_UP, id, NULL);
		m.fds_n = 1;
		m.fds[0] = ends[0];
		tell(z, &m);
	}
	io_close(&ends[0]);
	io_close(&ends[1]);
	io_close(&own.learn_sock);
}

static void kill_cell(struct zygote *z, uint32_t id)
{
	struct cell *c = find_id(z, id);

	if (c == NULL) /* gone in the meantime: its CELL_GONE is on the way */
		return;
	c->asked = true;
	kill(c->pid, SIGKILL);
}

static void report_gone(struct zygote *z, struct cell *c, int status)
{
	const struct sb_slot *slot = &z->slots[c - z->table->cells];
	int32_t number = slot->number; /* once: whoever else can write there may change it meanwhile */
	struct ipc_cell_gone gone = {.asked = c->asked, .syscall = -1};
	struct ipc_msg m;

	if (WIFSIGNALED(status)) {
		gone.how = WTERMSIG(status) == SIGSYS ? 2 : 1;
		gone.code = WTERMSIG(status);
	} else {
		gone.code = WEXITSTATUS(status);
	}
	if (number >= 0 && !c->asked) { /* it noted a violation and then ended in some other way */
		gone.how = 2;
		gone.code = SIGSYS;
	}
	if (gone.how == 2 && number >= 0) {
		gone.syscall = number;
		for (size_t i = 0; i < 6; i++)
			gone.args[i] = slot->args[i];
	}
	ipc_fill(&m, IPC_CELL_GONE, c->id, NULL);
	ipc_put_cell_gone(&m, &gone);
	tell(z, &m);
}

static void reap(struct zygote *z)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(z->reaper, &info, sizeof(info)) == -1 && errno != EAGAIN)
		log_err("signalfd: %m");
	/* Signals merge: one wake-up may stand for many children. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct cell *c = opcache_reap(pid, status, io_now_ms()) ? NULL : find_pid(z, pid);
		if (c == NULL)
			continue;
		size_t at = (size_t)(c - z->table->cells);
		sb_cell_cgroup_kill(at);
		hot_reports_take(at, &z->plan.hot, io_now_ms());
		report_gone(z, c, status);
		forget(z, c);
	}
}

/* What may be a child of ours. */
static bool is_cell(pid_t pid)
{
	return find_pid(&zy, pid) != NULL || opcache_is_compiler(pid);
}

/* --- loop ------------------------------------------------------------------------------------------------------------ */

static void on_message(struct zygote *z)
{
	struct ipc_msg m;
	int err = ipc_recv(z->chan, IPC_FRONT, IPC_ZYGOTE, &m);

	if (err == GW_ERR_AGAIN)
		return;
	if (err == 0 && m.type == IPC_CELL_WANT && find_id(z, m.id) == NULL) {
		fork_cell(z, m.id);
	} else if (err == 0 && m.type == IPC_CELL_KILL) {
		kill_cell(z, m.id);
	} else {
		if (err != GW_ERR_CLOSED)
			log_err("the front broke the protocol; closing");
		front_is_gone(z);
	}
}

/* Idle cells see their connection end and exit; busy ones may finish, within limits. */
static int drain_timeout(struct zygote *z)
{
	uint64_t now = io_now_ms();

	if (now < z->drain_until_ms)
		return (int)(z->drain_until_ms - now);
	for (size_t i = 0; i < z->table->end; i++)
		if (z->table->cells[i].pid != 0)
			kill(z->table->cells[i].pid, SIGKILL);
	return -1;
}

static int serve(struct zygote *z)
{
	while (z->chan != -1 || z->table->n > 0 || z->table->strays) {
		uint64_t now = io_now_ms();
		struct pollfd fds[] = {{.fd = z->reaper, .events = POLLIN}, {.fd = z->chan, .events = POLLIN},
			{.fd = opcache_poll_fd(now), .events = POLLIN}, {.fd = learn_poll_fd(), .events = POLLIN}};
		int timeout = z->chan == -1 ? drain_timeout(z) : opcache_timeout_ms(now);
		if (z->table->strays && (timeout == -1 || timeout > STRAY_MS)) /* killed, not yet reaped; their children come next */
			timeout = STRAY_MS;
		if (poll(fds, 4, timeout) == -1 && errno != EINTR)
			return GW_ERR_SYS;
		if (fds[0].revents != 0)
			reap(z);
		if (z->table->strays || fds[0].revents != 0)
			z->table->strays = stray_kill(z->children, is_cell) > 0;
		if (z->chan != -1 && fds[1].revents != 0)
			on_message(z);
		if (fds[3].revents != 0)
			learn_work();
		opcache_work(&z->plan, io_now_ms());
	}
	return 0;
}

/* --- beginning --------------------------------------------------------------------------------------------------------- */

/* fork(2) copies one thread; a library that started another would leave its locks held in every cell. */
static bool single_threaded(void)
{
	DIR *d = sb_proc_list("self/task");
	int n = 0;

	if (d == NULL)
		return false;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n == 1;
}

/* One past the highest descriptor in use, but for those of the cells' cgroups: those below are stdio, the channel and PHP's own (opcache's lock). */
static unsigned fd_end(void)
{
	int probe = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), end = 0;

	io_close(&probe);
	DIR *d = sb_proc_list("self/fd");
	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		int fd = atoi(e->d_name);
		if (e->d_name[0] != '.' && fd != dirfd(d) && fd >= end && fd < SB_CELL_CGROUP_FD)
			end = fd + 1;
	}
	closedir(d);
	return (unsigned)end;
}

/* What we open later must not get a number below @end, where cells keep what they inherit: no number there stays free. */
static void fill_holes(unsigned end)
{
	int fd;

	do
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	while (fd != -1 && (unsigned)fd < end);
	io_close(&fd);
}

/* What the log says about protections that this start could not have. */
static void describe_off(const struct spec *s, const struct sb_entry *entry, const char *hardening, char *out, size_t len)
{
	const char *off = s->off == NULL ? "" : s->off;
	int n = snprintf(out, len, "%s%s%s", entry->dropped ? "" : "runs as the user who started the server: not started as root, so the "
		"site's user and the empty capability bounding set are off", !entry->dropped && hardening[0] != '\0' ? "; " : "", hardening);

	if (off[0] != '\0' && n >= 0 && (size_t)n < len)
		snprintf(out + n, len - (size_t)n, "%s%s", n > 0 ? "; " : "", off);
}

/* stdout and stderr of zygote and cells become the site's log; the front gets the other end. */
static int announce(struct zygote *z, const struct sb_entry *entry, const char *hardening)
{
	struct ipc_msg m;
	char off[IPC_BODY_MAX * 2];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return GW_ERR_SYS;
	describe_off(z->spec, entry, hardening, off, sizeof(off));
	ipc_fill(&m, IPC_ZYGOTE_READY, 0, off);
	m.fds_n = 1;
	m.fds[0] = ends[0];
	int err = dup2(ends[1], STDOUT_FILENO) == -1 || dup2(ends[1], STDERR_FILENO) == -1 ? GW_ERR_SYS
											    : ipc_send(z->chan, &m);
	io_close(&ends[0]);
	io_close(&ends[1]);
	return err;
}

/* Compiled while nobody waited, for a site of the default profile. */
static struct {
	struct sb_policy policy;
	struct sb_filter filter, delta;
} warm;

static int build_filters(const struct sb_policy *policy, struct sb_filter *filter, struct sb_filter *delta, const char **why)
{
	int err = sb_filter_build(filter, policy, SB_FILTER_ZYGOTE, why);

	return err != 0 ? err : sb_filter_build(delta, policy, SB_FILTER_DELTA, why);
}

void zygote_warm(void)
{
	const char *why;

	text_merge(sapi_php_code());
	if (sb_policy_make(&warm.policy, DEFAULT_PROFILE, NULL, &why) != 0)
		return;
	if (build_filters(&warm.policy, &warm.filter, &warm.delta, &why) != 0)
		sb_policy_fini(&warm.policy);
}

/* Rule for rule the same, whatever the site's settings are that led there. */
static bool is_warm(const struct sb_policy *p)
{
	return warm.policy.rules_n > 0 && p->profile == warm.policy.profile && p->learn == warm.policy.learn &&
	       p->rules_n == warm.policy.rules_n && memcmp(p->rules, warm.policy.rules, p->rules_n * sizeof(*p->rules)) == 0;
}

static void tell_learned(uint32_t id, const char *text)
{
	tell_text(&zy, IPC_LEARNED, id, text);
}

static int make_filters(struct zygote *z, const char **why)
{
	int err = 0;

	if (is_warm(&z->policy)) {
		z->filter = warm.filter;
		z->delta = warm.delta;
	} else {
		err = build_filters(&z->policy, &z->filter, &z->delta, why);
	}
	sb_filter_set_zygote(&z->delta, (uint32_t)getpid());
	return err;
}

static int prepare(struct zygote *z, const char **why)
{
	sigset_t chld;
	int err = sb_policy_make(&z->policy, z->spec->profile, &z->spec->calls, why);

	if (err != 0)
		return err;
	*why = "shared memory";
	/* Once, as each mapping costs every cell: hot_reports.c has what is behind the slots. */
	z->slots = mmap(NULL, CELLS_MAX * sizeof(*z->slots) + HOT_REPORTS_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	z->table = mmap(NULL, sizeof(*z->table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (z->slots == MAP_FAILED || z->table == MAP_FAILED || madvise(z->table, sizeof(*z->table), MADV_DONTFORK) == -1)
		return GW_ERR_SYS;
	*why = "signals";
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &chld, NULL) == -1)
		return GW_ERR_SYS;
	z->reaper = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (z->reaper == -1)
		return GW_ERR_SYS;
	err = make_filters(z, why);
	return err != 0 || !z->policy.learn ? err : learn_start(z->slots, tell_learned, why);
}

/* After everything that writes code, before the filter. */
static int harden(struct zygote *z, char *off, size_t len, const char **why)
{
	int err = sb_harden_zygote(&z->harden, &z->policy, off, len, why);

	z->children = -1;
	if (err != 0 || !z->harden.traits.tasks)
		return err;
	if (z->policy.learn) {
		char rest[IPC_BODY_MAX];
		snprintf(rest, sizeof(rest), "%s", off);
		snprintf(off, len, "LEARNING (SandboxProfile learn): nearly every system call is let through and told, programs "
			"may run; not for a site under attack%s%.300s", rest[0] != '\0' ? "; " : "", rest);
	}
	z->children = stray_open();
	if (z->children < 0) {
		size_t n = strlen(off);
		snprintf(off + n, len - n, "%swhat a request starts and detaches can outlive it: no list of children in /proc",
			n > 0 ? "; " : "");
	}
	return 0;
}

/*
 * A cell that lives on does not interrupt who wakes it up, the front or a database: the front goes through all that is there
 * first, and there are fewer switches. Cells inherit it; where it is refused they are only slower. Source: sched(7),
 * SCHED_BATCH. An administrator's own policy stays.
 */
static void interrupt_nobody(const struct spec *s)
{
	static const struct sched_param none;

	if (spec_level_find(s->isolation) != SPEC_FRESH && sched_getscheduler(0) == SCHED_OTHER &&
	    sched_setscheduler(0, SCHED_BATCH, &none) == -1)
		log_notice("cells cannot have the scheduling policy batch: %m");
}

/* Where a filter sees to it that what is away can come back. */
static void leave_cold(const struct zygote *z, int image)
{
	struct sb_traits t = sb_policy_traits(&z->policy);

	if (!t.faults && !z->policy.learn && !z->spec->filter_off && z->plan.first_foreign_fd <= COLD_OBJECTS_FD)
		cold_objects_leave(image, t.libraries);
}

/* Cells that are rolled back find in the image what they were; others only start from it. */
static int take_image(const struct zygote *z)
{
	static const enum image_kind kinds[] = {
		[SPEC_FRESH] = IMAGE_CODE, [SPEC_ROLLBACK] = IMAGE_ALL, [SPEC_SHARED] = IMAGE_DATA};
	int level = spec_level_find(z->spec->isolation), image;
	bool rolled_back = level == SPEC_ROLLBACK;

	if (rolled_back)
		chunk_pool_lay_out();
	int err = image_take(kinds[level], &image);
	if (err == 0 && rolled_back)
		err = warm_paths_start();
	if (err == 0 && rolled_back)
		err = warm_patterns_start();
	if (err == 0 && rolled_back)
		return rollback_prepare(image);
	if (err == 0 && level == SPEC_FRESH)
		leave_cold(z, image);
	if (err == 0)
		io_close(&image);
	return err;
}

int zygote_run(const struct spec *s, const struct sb_entry *entry, int chan, const char **why)
{
	struct zygote *z = &zy;
	char off[IPC_BODY_MAX];

	z->spec = s;
	z->chan = chan;
	z->plan = (struct cell_plan){.spec = s, .delta = &z->delta, .harden = &z->harden, .zygote = getpid()};
	int err = opcache_find(s, why);
	if (err != 0)
		return err;
	*why = "open descriptors cannot be listed";
	z->plan.first_foreign_fd = fd_end();
	if (z->plan.first_foreign_fd <= CELL_CONN_FD)
		return GW_ERR_SYS;
	fill_holes(z->plan.first_foreign_fd);
	err = prepare(z, why);
	if (err != 0)
		return err;
	*why = "a library has started a thread";
	if (!single_threaded())
		return GW_ERR_DENIED;
	text_merge(sapi_php_code());
	err = opcache_take(why);
	if (err != 0)
		return err;
	*why = "memory image";
	map_ptr_clear();
	err = take_image(z);
	if (err != 0)
		return err;
	int memory = sb_proc_take_memory();
	if (spec_level_find(s->isolation) == SPEC_FRESH) {
		hot_pages_learn(&z->plan.hot);
		hot_reports_start(&z->slots[CELLS_MAX], io_now_ms());
		hot_text_keep(memory);
	}
	io_close(&memory);
	err = harden(z, off, sizeof(off), why);
	if (err != 0)
		return err;
	interrupt_nobody(s);
	*why = "system call filter";
	err = s->filter_off ? 0 : sb_filter_load(&z->filter);
	if (err != 0)
		return err;
	sb_filter_fini(&z->filter);
	*why = "readiness";
	err = announce(z, entry, off);
	if (err != 0)
		return err;
	*why = "too many descriptors are open";
	if (!kept_fds_take(&z->plan.kept, z->plan.first_foreign_fd, CELL_CONN_FD))
		return GW_ERR_RANGE;
	*why = "event loop";
	return serve(z);
}
