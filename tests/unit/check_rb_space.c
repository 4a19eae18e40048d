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
#define EVERY_NS 300000 /* some of the looks are disturbed, hardly any four tries of one look */
#define PAGES 16384

static atomic_bool done;
static atomic_uint written;

/* One page more now and then, as when the kernel writes to memory of the process. */
static void *write_pages(void *at)
{
	const struct timespec pause = {.tv_nsec = EVERY_NS};

	for (unsigned i = 0; i < PAGES && !done; i++) {
		((volatile char *)at)[(size_t)i * RB_PAGE] = 1;
		written = i + 1;
		nanosleep(&pause, NULL);
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
	void *at = mmap(NULL, (size_t)PAGES * RB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(at != MAP_FAILED);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_pages, at), 0);
	for (unsigned i = 0; i < LOOKS; i++)
		exact += rb_space_is_exact();
	unsigned meanwhile = written;
	done = true;
	pthread_join(thread, NULL);
	/* A look that never saw another page would prove nothing. */
	ck_assert_uint_ge(meanwhile, LOOKS / 30);
	ck_assert_uint_ge(exact, LOOKS - 2);
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
