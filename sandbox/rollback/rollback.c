/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/rollback/rollback.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/php/image.h"
#include "sandbox/rollback/rb_priv.h"
#include "sandbox/sb_proc.h"

static struct rb_source sources[RB_SOURCES_MAX];
static size_t sources_n;
static struct rb_usual *usual;
static struct rollback *rb;   /* in memory that is not put back */

int rollback_add_source(const char *name, int fd)
{
	struct stat st;

	if (sources_n == RB_SOURCES_MAX || fstat(fd, &st) == -1)
		return GW_ERR_SYS;
	if (st.st_size == 0)
		return 0;
	const char *view = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (view == MAP_FAILED)
		return GW_ERR_SYS;
	sources[sources_n++] = (struct rb_source){.name = name, .view = view};
	return 0;
}

int rollback_prepare(int image)
{
	int err = rollback_add_source(IMAGE_NAME, image);

	io_close(&image);
	if (err == 0 && (usual = rb_usual_new()) == NULL)
		err = GW_ERR_SYS;
	return err;
}

void rollback_forget(void)
{
	rb_usual_forget(usual);
}

/* --- beginning ------------------------------------------------------------------------------------------------------------ */

static int open_proc(void)
{
	static const struct {
		int which;
		const char *name;
	} files[] = {{RB_FD_PAGEMAP, "self/pagemap"}, {RB_FD_MAPS, "self/maps"}, {RB_FD_STATM, "self/statm"},
		{RB_FD_STAT, "self/stat"}};
	int err = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && err == 0; i++) {
		int fd = sb_proc_open(files[i].name, O_RDONLY);
		if (fd < 0 || dup3(fd, rb_fd(files[i].which), O_CLOEXEC) == -1)
			err = GW_ERR_SYS;
		if (fd >= 0)
			io_close(&fd);
	}
	return err;
}

static int open_uffd(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = RB_UFFD_FEATURES};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd == -1)
		return GW_ERR_SYS;
	/* The filter lets only this descriptor through. */
	int up = dup3(fd, rb_fd(RB_FD_UFFD), O_CLOEXEC);
	int err = up == -1 || ioctl(up, UFFDIO_API, &api) == -1 ? GW_ERR_SYS : 0;
	io_close(&fd);
	return err;
}

static int add_memory(void *arg, const struct rb_mapping *m)
{
	struct rollback *r = arg;

	return rb_memory_add(&r->memory, m, sources);
}

static int list_memory(struct rollback *r)
{
	r->memory.regions_n = r->memory.pages_n = 0;
	int err = rb_space_each(&r->space, add_memory, r);
	return err != 0 ? err : rb_memory_register(&r->memory);
}

/* The stack is as long as it will be: what a deeper recursion adds is a mapping more. */
static void reserve_stack(void)
{
	volatile char *deep = (volatile char *)__builtin_frame_address(0) - RB_STACK_RESERVE;

	*deep = 0;
}

/* Where the count says that no other page was written, nobody needs to look for one. */
static bool only_hot_written(const struct rb_counts *now)
{
	return rb->space.exact && now->written == rb->space.unchanging + rb->memory.hot_n && !rb_space_is_swapped();
}

/* On the stack of ours: what is running is not overwritten. */
static void go_back(void)
{
	struct rollback *r = rb;
	struct rb_counts now;

	if (!rb_space_restore(&r->space))
		_exit(ROLLBACK_EXIT + ROLLBACK_MAPPING);
	if (!rb_state_restore(&r->state))
		_exit(ROLLBACK_EXIT + ROLLBACK_STATE);
	rb_memory_restore_hot(&r->memory);
	if (!rb_space_count(&now) || now.size != r->space.counts.size)
		_exit(ROLLBACK_EXIT + ROLLBACK_MAPPING);
	if (!only_hot_written(&now) && !rb_memory_restore_cold(&r->memory))
		_exit(ROLLBACK_EXIT + ROLLBACK_SCAN);
	setcontext(&r->point);
	_exit(ROLLBACK_EXIT + ROLLBACK_STATE);
}

void *rb_map(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static int make_way_back(struct rollback *r)
{
	if (getcontext(&r->back) == -1)
		return GW_ERR_SYS;
	r->back.uc_stack = (stack_t){.ss_sp = r->stack, .ss_size = sizeof(r->stack)};
	r->back.uc_link = NULL;
	makecontext(&r->back, go_back, 0);
	return 0;
}

int rollback_begin(void)
{
	struct rollback *r = rb = rb_map(sizeof(*r));

	if (r == NULL)
		return GW_ERR_SYS;
	r->memory.usual = usual;
	reserve_stack();
	int err = open_proc();
	if (err == 0)
		err = open_uffd();
	if (err == 0)
		err = list_memory(r);
	if (err == 0)
		err = rb_own_move(&r->memory, r->space.now);
	if (err == 0)
		err = list_memory(r);
	if (err == 0)
		err = rb_memory_reserve(&r->memory);
	if (err == 0)
		rb_usual_take(&r->memory);
	if (err == 0)
		err = rb_space_seal(&r->space);
	r->space.exact = err == 0 && rb_space_is_exact();
	return err == 0 ? make_way_back(r) : err;
}

/* --- the point ------------------------------------------------------------------------------------------------------------ */

enum rollback_why rollback_point(void)
{
	struct rollback *r = rb;

	if (getcontext(&r->point) == -1)
		return ROLLBACK_STATE;
	if (r->taken)
		return ROLLBACK_OK;
	r->taken = true;
	if (!rb_state_take(&r->state))
		return ROLLBACK_STATE;
	if (!rb_space_take(&r->space))
		return ROLLBACK_MAPPING;
	if (!rb_memory_drop_stack(&r->memory) || !rb_memory_keep(&r->memory) || !rb_space_count(&r->space.counts))
		return ROLLBACK_SCAN;
	r->space.unchanging = r->space.counts.written - r->memory.hot_n;
	return ROLLBACK_OK;
}

void rollback_expect(void)
{
	rb_usual_fetch(&rb->memory);
}

enum rollback_why rollback_check(void)
{
	enum rollback_why why = rb_state_check(&rb->state);

	if (why == ROLLBACK_OK)
		why = rb_space_check(&rb->space);
	/* What go_back() will have to find must be where it can: once the front has its answer, it may lease the cell again.
	 * Where no mapping is new, none has grown. */
	if (why == ROLLBACK_OK && rb->space.added_n > 0 && !rb_memory_check(&rb->memory))
		why = ROLLBACK_SCAN;
	return why;
}

_Noreturn void rollback(void)
{
	setcontext(&rb->back);
	_exit(ROLLBACK_EXIT + ROLLBACK_STATE);
}
