/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/php/image.h"
#include "sandbox/rollback/rb_priv.h"
#include "sandbox/rollback/rollback.h"
#include "tests/unit/load_watch.h"

/* --- the whole of it, in a process of its own --------------------------------------------------------------------------------- */

#define ROUNDS 40
#define FD_SPARE 41

/* What a round finds, in memory that is not put back. */
struct notes {
	int round;
	int found;        /* state of the round before that is left */
	enum rollback_why why;
};
static struct notes *notes;
static int status_of_last;
static bool watched; /* as in a cell that can start no program */

static char data[20000] = "data", bss[20000];
static __thread int in_tls = 5;
static char *heap, *freed;

/* Dirty one kind of state in a round; @left says whether it still is as the round before left it. */
struct kind {
	const char *name;
	void (*make)(void);
	bool (*left)(void);
};

static void make_memory(void)
{
	memset(data, 'x', sizeof(data));
	memset(bss, 'x', sizeof(bss));
	memset(heap, 'x', 300000);
	in_tls = 6;
}
static bool left_memory(void)
{
	return data[0] != 'd' || data[19999] != 0 || bss[7] != 0 || bss[19999] != 0 || in_tls != 5 || heap[0] != 'h' ||
	       heap[299999] != 'h';
}

/* More ranges than the kernel collects at a time: every other page is left alone. */
#define SCATTERED 800
static char wide[2 * SCATTERED][4096];

static void make_scattered(void)
{
	for (size_t i = 0; i < SCATTERED; i++)
		wide[2 * i][i] = 's';
}
static bool left_scattered(void)
{
	for (size_t i = 0; i < SCATTERED; i++)
		if (wide[2 * i][i] != 0)
			return true;
	return false;
}

static void make_freed(void)
{
	freed = malloc(50000);
	for (size_t i = 0; i < 50000; i++)
		((volatile char *)freed)[i] = 's';
	*(char **)(void *)&notes[1] = freed;
	free(freed);
}
static bool left_freed(void)
{
	const char *at = *(char **)(void *)&notes[1];

	return at != NULL && memmem(at + 64, 40000, "ssssssss", 8) != NULL;
}

static __attribute__((noinline)) void make_stack(void)
{
	volatile char deep[30000];

	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = 's';
	*(volatile char **)(void *)&notes[1] = deep;
}
static bool left_stack(void)
{
	const char *at = *(char **)(void *)&notes[1];

	return at != NULL && memmem(at, 20000, "ssssssss", 8) != NULL;
}

static void make_mapping(void)
{
	char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(at, 's', 1 << 20);
	*(char **)(void *)&notes[1] = at;
	if (sbrk(200000) == (void *)-1)
		abort();
}
static bool left_mapping(void)
{
	char *at = *(char **)(void *)&notes[1];
	unsigned char there;

	return at != NULL && mincore(at, 4096, &there) == 0;
}

static void make_fds(void)
{
	if (open("/dev/null", O_RDONLY) == -1 || dup2(0, 40) == -1 || fcntl(1, F_SETFL, O_NONBLOCK | O_APPEND) == -1)
		abort();
}
static bool left_fds(void)
{
	return fcntl(40, F_GETFD) != -1 || (fcntl(1, F_GETFL) & O_NONBLOCK) != 0;
}

/* Three ways to have a kept descriptor closed on exec. */
static void make_fd_flags(void)
{
	if (fcntl(0, F_SETFD, FD_CLOEXEC) == -1 || ioctl(2, FIOCLEX) == -1 || dup3(1, FD_SPARE, O_CLOEXEC) == -1 ||
	    dup3(FD_SPARE, 1, O_CLOEXEC) == -1)
		abort();
}
static bool left_fd_flags(void)
{
	return fcntl(0, F_GETFD) != 0 || fcntl(1, F_GETFD) != 0 || fcntl(2, F_GETFD) != 0 || fcntl(FD_SPARE, F_GETFD) != -1;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void make_state(void)
{
	static const struct itimerval soon = {.it_value = {.tv_sec = 100}};
	sigset_t set;

	umask(0);
	if (chdir("/tmp") == -1)
		abort();
	signal(SIGUSR2, on_signal);
	setitimer(ITIMER_REAL, &soon, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_NAME, "other");
}
static bool left_state(void)
{
	struct itimerval t;
	struct sigaction sa;
	sigset_t set;
	char name[16], cwd[64];
	mode_t mask = umask(022);

	umask(mask);
	getitimer(ITIMER_REAL, &t);
	sigaction(SIGUSR2, NULL, &sa);
	sigprocmask(SIG_BLOCK, NULL, &set);
	prctl(PR_GET_NAME, name);
	return mask == 0 || getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/") != 0 || sa.sa_handler == on_signal ||
	       t.it_value.tv_sec != 0 || sigismember(&set, SIGUSR1) || strcmp(name, "other") == 0;
}

/* Caught before the point by another handler; not handled; handled in no other way than by a flag. */
static void on_other_signal(int sig)
{
	(void)sig;
}

static void make_signals(void)
{
	static const struct sigaction no_zombies = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

	signal(SIGALRM, on_other_signal);
	signal(SIGWINCH, SIG_IGN);
	signal(SIGPWR, on_signal);
	sigaction(SIGCHLD, &no_zombies, NULL);
}
static bool left_signals(void)
{
	struct sigaction alarmed, winch, power, child;

	sigaction(SIGALRM, NULL, &alarmed);
	sigaction(SIGWINCH, NULL, &winch);
	sigaction(SIGPWR, NULL, &power);
	sigaction(SIGCHLD, NULL, &child);
	return alarmed.sa_handler != on_signal || winch.sa_handler != SIG_DFL || power.sa_handler != SIG_DFL ||
	       (child.sa_flags & SA_NOCLDWAIT) != 0;
}

static const struct kind kinds[] = {
	{"memory", make_memory, left_memory}, {"scattered pages", make_scattered, left_scattered}, {"freed memory", make_freed, left_freed}, {"stack", make_stack, left_stack},
	{"mappings", make_mapping, left_mapping}, {"descriptors", make_fds, left_fds}, {"flags of descriptors", make_fd_flags, left_fd_flags}, {"state", make_state, left_state},
	{"signals", make_signals, left_signals}};

/* In a child: rounds of making and looking; with @back each ends with rollback. Its exit status is the last round's why. */
static _Noreturn void rounds(const struct kind *k, bool back)
{
	int image;

	heap = malloc(300000);
	memset(heap, 'h', 300000);
	signal(SIGALRM, on_signal);
	/* Where an earlier case was not put back, others see it, too. */
	if (fcntl(1, F_SETFL, fcntl(1, F_GETFL) & ~O_NONBLOCK) == -1 || chdir("/") == -1 || image_take(IMAGE_ALL, &image) != 0 || rollback_prepare(image) != 0 || rollback_begin() != 0)
		_exit(99);
	if (watched && load_watch() == -1)
		_exit(97);
	if (back && rollback_point() != ROLLBACK_OK)
		_exit(98);
	do {
		notes->found += notes->round > 0 && k->left();
		k->make();
		if (++notes->round == ROUNDS)
			_exit(0);
	} while (!back);
	notes->why = rollback_check();
	if (notes->why != ROLLBACK_OK)
		_exit(ROLLBACK_EXIT + (int)notes->why);
	rollback();
}

static void run(const struct kind *k, bool back)
{
	const char *why;
	int status;

	if (!rollback_supported(&why)) {
		fprintf(stderr, "SKIP rollback: %s\n", why);
		notes = NULL;
		return;
	}
	notes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(notes, MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0)
		rounds(k, back);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s: signal %d in round %d", k->name, WTERMSIG(status), notes->round);
	status_of_last = WEXITSTATUS(status);
}

START_TEST(nothing_is_left)
{
	run(&kinds[_i], true);
	if (notes == NULL)
		return;
	ck_assert_msg(status_of_last == 0 && notes->round == ROUNDS, "%s: status %d in round %d", kinds[_i].name, status_of_last, notes->round);
	ck_assert_msg(notes->found == 0, "%s is left", kinds[_i].name);
	/* The same is seen to be left where nothing is put back: the case can fail. */
	run(&kinds[_i], false);
	ck_assert_int_eq(notes->found, ROUNDS - 1);
}
END_TEST

START_TEST(nothing_is_left_where_calls_are_watched)
{
	watched = true;
	run(&kinds[_i], true);
	if (notes == NULL)
		return;
	ck_assert_msg(status_of_last == 0 && notes->round == ROUNDS, "%s: status %d in round %d", kinds[_i].name, status_of_last, notes->round);
	ck_assert_msg(notes->found == 0, "%s is left", kinds[_i].name);
}
END_TEST

/* --- what one cell tells others ------------------------------------------------------------------------------------------ */

#define CELL_ROUNDS 4

static struct {
	int round, left;
	long faults[CELL_ROUNDS]; /* while the round wrote */
} *seen;

static long faults_so_far(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) == -1 ? -1 : u.ru_minflt;
}

/* As cell_run(): the point, then requests that all write to the same pages. */
static _Noreturn void scattering_cell(void)
{
	if (rollback_begin() != 0 || rollback_point() != ROLLBACK_OK)
		_exit(97);
	rollback_expect();
	seen->left += left_scattered();
	long before = faults_so_far();
	make_scattered();
	seen->faults[seen->round] = faults_so_far() - before;
	if (++seen->round == CELL_ROUNDS)
		_exit(0);
	enum rollback_why why = rollback_check();
	if (why != ROLLBACK_OK)
		_exit(ROLLBACK_EXIT + (int)why);
	rollback();
}

static int run_cell(void)
{
	int status = -1;

	memset(seen, 0, sizeof(*seen));
	pid_t pid = fork();
	if (pid == 0)
		scattering_cell();
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Of a zygote's three cells; the exit status says which expectation failed. */
static _Noreturn void three_cells(void)
{
	int image;

	if (image_take(IMAGE_ALL, &image) != 0 || rollback_prepare(image) != 0)
		_exit(99);
	/* The first finds out by two rounds ... */
	if (run_cell() != 0 || seen->left != 0)
		_exit(1);
	if (seen->faults[0] < SCATTERED || seen->faults[1] < SCATTERED || seen->faults[2] > SCATTERED / 4)
		_exit(2);
	/* ... the second knows, and is put back as well ... */
	if (run_cell() != 0 || seen->left != 0)
		_exit(3);
	for (int i = 0; i < CELL_ROUNDS; i++)
		if (seen->faults[i] > SCATTERED / 4)
			_exit(4);
	/* ... and the third does not, because it no longer counts. */
	rollback_forget();
	if (run_cell() != 0 || seen->left != 0 || seen->faults[0] < SCATTERED)
		_exit(5);
	_exit(0);
}

START_TEST(later_cells_know_what_requests_write)
{
	const char *why;
	int status;

	if (!rollback_supported(&why)) {
		fprintf(stderr, "SKIP rollback: %s\n", why);
		return;
	}
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0)
		three_cells();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x in round %d: %ld %ld %ld %ld faults", (unsigned)status,
		seen->round, seen->faults[0], seen->faults[1], seen->faults[2], seen->faults[3]);
}
END_TEST

/* A list that some cell has scribbled on. Regions: pages 16 to 19 with a source, 32 to 33 of a file without. */
START_TEST(a_list_is_not_believed)
{
	static const struct {
		const char *name;
		uint32_t n;
		uintptr_t pages[4];
		size_t expected;
	} lists[] = {
		{"as it should be", 3, {16, 17, 19}, 2},
		{"outside", 4, {1, 15, 20, 40}, 0},
		{"half outside", 3, {15, 18, 20}, 1},
		{"a file without source", 2, {32, 33}, 0},
		{"not ascending", 3, {18, 16, 17}, 1},
		{"twice the same", 3, {18, 18, 19}, 1},
		{"zero", 2, {0, 16}, 0},
		{"longer than it can be", UINT32_MAX, {16, 17}, 1},
		{"the end of all memory", 2, {19, UINTPTR_MAX / 4096}, 1},
	};
	static struct rb_usual u;
	static struct rb_memory mem;
	static uint8_t pages[6];
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		memset(&u, 0, sizeof(u));
		memset(&mem, 0, sizeof(mem));
		memset(pages, 0, sizeof(pages));
		mem.regions[0] = (struct rb_region){.start = 16 * 4096, .end = 20 * 4096, .source = ""};
		mem.regions[1] = (struct rb_region){.start = 32 * 4096, .end = 34 * 4096, .of_file = true, .first_page = 4};
		mem.regions_n = 2;
		mem.pages = pages;
		mem.usual = &u;
		u.until_s = (uint64_t)now.tv_sec + 100;
		u.n = lists[i].n;
		for (size_t k = 0; k < 4; k++)
			u.pages[k] = lists[i].pages[k] * 4096;
		rb_usual_take(&mem);
		ck_assert_msg(!mem.learns && mem.expected_n == lists[i].expected, "%s: %zu runs", lists[i].name, mem.expected_n);
		ck_assert_uint_eq(pages[4] + pages[5], 0);
	}
	/* Neither is a time that no cell would have written. */
	u.until_s = UINT64_MAX;
	mem.expected_n = 0;
	rb_usual_take(&mem);
	ck_assert(mem.learns && mem.expected_n == 0);
}
END_TEST

static void *sleeper(void *arg)
{
	pause();
	return arg;
}

static void make_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, sleeper, NULL) != 0)
		abort();
}

static void make_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(5);
		pause();
		_exit(0);
	}
}

static void make_closed(void)
{
	close(0);
}

static void make_another(void)
{
	int fd = open("/", O_RDONLY);

	dup2(fd, 0);
}

static void make_pending(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
}

/* Standard input of this process and its children is a socket while the cases below run. */
static void make_option(void)
{
	struct timeval t = {.tv_sec = 7};

	if (setsockopt(0, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == -1)
		abort();
}

static void make_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		abort();
	l.rlim_cur--;
	if (setrlimit(RLIMIT_NOFILE, &l) == -1)
		abort();
}

static void make_nice(void)
{
	if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 1) == -1)
		abort();
}

static void make_idle(void)
{
	if (sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) == -1)
		abort();
}

static void make_tied(void)
{
	cpu_set_t set;
	size_t first = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		abort();
	if (CPU_COUNT(&set) == 1) { /* there is none to go without */
		make_idle();
		return;
	}
	while (!CPU_ISSET(first, &set))
		first++;
	CPU_CLR(first, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		abort();
}

static void make_unmapped_image(void)
{
	/* Sealed: it stays. That it does is what makes the size of the address space tell of new mappings. */
	if (munmap((void *)((uintptr_t)data & ~(uintptr_t)4095), 4096) == 0)
		abort();
}

static bool never(void)
{
	return false;
}

static const struct {
	struct kind kind;
	enum rollback_why want;
} ends[] = {
	{{"thread", make_thread, never}, ROLLBACK_THREAD}, {{"child", make_child, never}, ROLLBACK_CHILD},
	{{"closed", make_closed, never}, ROLLBACK_DESCRIPTOR}, {{"another", make_another, never}, ROLLBACK_DESCRIPTOR},
	{{"option", make_option, never}, ROLLBACK_DESCRIPTOR}, {{"limit", make_limit, never}, ROLLBACK_LIMIT},
	{{"nice", make_nice, never}, ROLLBACK_LIMIT}, {{"idle", make_idle, never}, ROLLBACK_LIMIT},
	{{"tied", make_tied, never}, ROLLBACK_LIMIT},
	{{"pending", make_pending, never}, ROLLBACK_SIGNAL}, {{"sealed", make_unmapped_image, never}, ROLLBACK_OK}};

#define ENDS_N (sizeof(ends) / sizeof(ends[0]))

/* Each twice: the second time calls are watched. */
START_TEST(what_cannot_be_put_back_ends_the_process)
{
	int ends_of[2], stdin_was = dup(0);

	watched = _i >= (int)ENDS_N;
	_i %= (int)ENDS_N;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_of), 0);
	ck_assert_int_eq(dup2(ends_of[0], 0), 0);
	run(&ends[_i].kind, true);
	dup2(stdin_was, 0);
	close(stdin_was);
	close(ends_of[0]);
	close(ends_of[1]);
	if (notes == NULL)
		return;
	ck_assert_msg(notes->why == ends[_i].want, "%s: %d", ends[_i].kind.name, (int)notes->why);
	ck_assert_int_eq(status_of_last, ends[_i].want == ROLLBACK_OK ? 0 : ROLLBACK_EXIT + (int)ends[_i].want);
	ck_assert(ends[_i].want == ROLLBACK_OK || rollback_why_text(status_of_last) != NULL);
}
END_TEST

START_TEST(only_our_statuses_have_a_text)
{
	ck_assert_ptr_null(rollback_why_text(0));
	ck_assert_ptr_null(rollback_why_text(ROLLBACK_EXIT));
	ck_assert_ptr_null(rollback_why_text(ROLLBACK_EXIT + ROLLBACK_WHYS));
	for (int i = 1; i < ROLLBACK_WHYS; i++)
		ck_assert_ptr_nonnull(rollback_why_text(ROLLBACK_EXIT + i));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rollback");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, only_our_statuses_have_a_text);
	tcase_add_test(t, later_cells_know_what_requests_write);
	tcase_add_test(t, a_list_is_not_believed);
	tcase_add_loop_test(t, nothing_is_left, 0, sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_loop_test(t, nothing_is_left_where_calls_are_watched, 0, sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_loop_test(t, what_cannot_be_put_back_ends_the_process, 0, 2 * ENDS_N);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
