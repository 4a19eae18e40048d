/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the zygote wrote after it had taken its image, and this cell since it was forked, are pages that cannot be seen to be
 * written once more: each would be put back after every request, though requests touch few of them. So these become pages
 * of a file, too, as the image's are.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/rollback/rb_priv.h"

struct listing {
	struct rb_range *runs;
	size_t n, len;
	uintptr_t stack; /* an address on the stack that is in use: it stays what it is */
};

static bool list(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end)
{
	struct listing *l = arg;

	if (l->stack >= r->start && l->stack < r->end)
		return true;
	if (l->n == RB_RANGES_MAX)
		return false;
	l->runs[l->n++] = (struct rb_range){.start = start, .end = end};
	l->len += end - start;
	return true;
}

/*
 * Between the copy of a run and its mapping nothing may write to it, or the write is lost: what runs here writes to the
 * stack, and to errno only when the process cannot go on anyway.
 */
static int move_runs(const struct listing *l, int fd)
{
	off_t at = 0;

	for (size_t i = 0; i < l->n; i++) {
		size_t len = l->runs[i].end - l->runs[i].start;
		if (syscall(SYS_pwrite64, fd, l->runs[i].start, len, at) != (long)len ||
		    syscall(SYS_mmap, l->runs[i].start, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, at) !=
			    (long)l->runs[i].start)
			return GW_ERR_SYS;
		at += (off_t)len;
	}
	return 0;
}

int rb_own_move(struct rb_memory *mem, struct rb_range *room)
{
	struct listing l = {.runs = room, .stack = (uintptr_t)__builtin_frame_address(0)};

	if (!rb_memory_each_written(mem, list, &l))
		return GW_ERR_SYS;
	if (l.n == 0)
		return 0;
	int fd = memfd_create(RB_OWN_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || ftruncate(fd, (off_t)l.len) == -1) {
		io_close(&fd);
		return GW_ERR_SYS;
	}
	const char *view = mmap(NULL, l.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (view == MAP_FAILED) {
		io_close(&fd);
		return GW_ERR_SYS;
	}
	/* From here on something may be lost: nothing runs then. */
	if (move_runs(&l, fd) != 0 || io_seal(fd) != 0)
		_exit(ROLLBACK_EXIT + ROLLBACK_SCAN);
	mem->own_view = view;
	io_close(&fd);
	return 0;
}
