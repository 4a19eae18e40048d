/* SPDX-License-Identifier: Apache-2.0 */
/** Whether the kernel counts written pages exactly is found out, also while the process writes to others. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"

#define LOOKS 300
#define PAUSE_NS 20000 /* shorter than one try */

static atomic_uint look; /* the one that goes on; LOOKS: none does any more */

/* One page more in each look, as when the kernel writes to memory of the process: one of its tries is disturbed at most. */
static void *write_pages(void *at)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (unsigned done = 0, now; (now = look) < LOOKS;) {
		nanosleep(&pause, NULL);
		if (now == done)
			continue;
		((volatile char *)at)[(size_t)now * RB_PAGE] = 1;
		done = now;
	}
	return NULL;
}

static void open_statm(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup3(fd, rb_fd(RB_FD_STATM), O_CLOEXEC), rb_fd(RB_FD_STATM));
	close(fd);
}

START_TEST(exact_also_when_disturbed)
{
	unsigned exact = 0;
	pthread_t thread;

	open_statm();
	if (!rb_space_is_exact()) {
		fprintf(stderr, "SKIP exact counts: this kernel's count of written pages is an estimate\n");
		return;
	}
	void *at = mmap(NULL, (size_t)LOOKS * RB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(at != MAP_FAILED);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_pages, at), 0);
	for (unsigned i = 1; i < LOOKS; i++) {
		look = i;
		exact += rb_space_is_exact();
	}
	look = LOOKS;
	pthread_join(thread, NULL);
	ck_assert_uint_eq(exact, LOOKS - 1);
}
END_TEST

static Suite *space_suite(void)
{
	Suite *s = suite_create("rb_space");
	TCase *t = tcase_create("rb_space");

	tcase_add_test(t, exact_also_when_disturbed);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(space_suite)
