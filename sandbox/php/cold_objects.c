/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/cold_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/php/image.h"
#include "sandbox/php/trial.h"
#include "sandbox/rollback/rb_maps.h"

#define OBJECTS_MAX 512
#define PARTS_MAX 2048
#define WAITS_MAX 10000 /* of a thread for others, in all its life */

enum { AWAY, COMING, BACK };

struct object {
	uintptr_t start, end;
	bool stays;
	unsigned char where; /* if it does not stay */
};

/* A mapping of an object that is the image's, or that of a file nobody has written to. */
struct part {
	uintptr_t start, end;
	off_t offset;
	int prot, fd;
	unsigned object;
};

/* Private: nothing that a cell writes reaches its zygote. */
static struct object objects[OBJECTS_MAX];
static struct part parts[PARTS_MAX];
static size_t objects_n, parts_n;
static unsigned fds_n; /* from COLD_OBJECTS_FD on, the image first */
static bool *used; /* by object, shared with the child of a trial; NULL otherwise */

/* --- which ------------------------------------------------------------------------------------------------------------ */

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object o = {.start = UINTPTR_MAX};

	(void)size;
	(void)arg;
	if (objects_n == OBJECTS_MAX)
		return 1;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr, end = start + p->p_memsz;
		if (p->p_type != PT_LOAD)
			continue;
		o.start = start < o.start ? start : o.start;
		o.end = end > o.end ? end : o.end;
	}
	o.stays = objects_n == 0; /* the first is the program itself, with all that is static here */
	objects[objects_n++] = o;
	return 0;
}

/* SIZE_MAX: of none. A program header says octets, a mapping begins with the page. */
static size_t object_of(const struct rb_mapping *m)
{
	for (size_t i = 0; i < objects_n; i++)
		if (m->start < objects[i].end && m->end > objects[i].start)
			return i;
	return SIZE_MAX;
}

static bool is_same_file(int fd, const struct rb_mapping *m)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == m->device && st.st_ino == m->inode;
}

/* Returns the number that @fd, which is used up, now has behind those that there are; -1: that one is another's. */
static int keep_fd(int fd)
{
	int want = COLD_OBJECTS_FD + (int)fds_n, got = fcntl(fd, F_DUPFD_CLOEXEC, want);

	io_close(&fd);
	if (got == want)
		fds_n++;
	else
		io_close(&got);
	return got;
}

/* Of the file itself, not of one that has its name by now. Neighbours are often of the same. */
static int fd_of(const struct rb_mapping *m)
{
	char path[512];

	if (fds_n > 1 && is_same_file(COLD_OBJECTS_FD + (int)fds_n - 1, m))
		return COLD_OBJECTS_FD + (int)fds_n - 1;
	if (fds_n >= COLD_OBJECTS_FDS_MAX || m->name_len >= sizeof(path))
		return -1;
	memcpy(path, m->name, m->name_len);
	path[m->name_len] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd != -1 && !is_same_file(fd, m))
		io_close(&fd);
	return fd == -1 ? -1 : keep_fd(fd);
}

static void note_part(void *code, const struct rb_mapping *m)
{
	bool image = rb_maps_is_memfd(m, IMAGE_NAME);
	struct part p = {.start = m->start, .end = m->end, .offset = (off_t)m->offset, .prot = rb_maps_prot(m)};
	size_t i = object_of(m);

	if (i == SIZE_MAX || objects[i].stays || m->perms[3] != 'p')
		return;
	p.object = (unsigned)i;
	p.fd = COLD_OBJECTS_FD;
	if (!image) {
		if (!*(const bool *)code || (p.prot & PROT_WRITE) != 0 || m->name_len == 0 || m->name[0] != '/' ||
			!trial_is_as_in_file(&(struct region){.start = m->start, .end = m->end}))
			return;
		p.fd = fd_of(m);
	} else if ((p.prot & PROT_EXEC) != 0 && !*(const bool *)code) {
		objects[i].stays = true;
	}
	if (parts_n == PARTS_MAX)
		objects[i].stays = true;
	else if (p.fd != -1 && !objects[i].stays)
		parts[parts_n++] = p;
}

/* --- trials ------------------------------------------------------------------------------------------------------------ */

static void drop_parts(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < parts_n; i++)
		if (!objects[parts[i].object].stays)
			madvise((void *)parts[i].start, parts[i].end - parts[i].start, MADV_DONTNEED);
}

static void note_page(void *arg, uintptr_t at, uint64_t entry)
{
	(void)at;
	if ((entry & (PM_PRESENT | PM_SWAP)) != 0)
		*(bool *)arg = true;
}

static bool note_pages(void *arg)
{
	bool ok = true;

	(void)arg;
	for (size_t i = 0; i < parts_n && ok; i++)
		ok = trial_pagemap(&(struct region){.start = parts[i].start, .end = parts[i].end}, 1, note_page,
			&used[parts[i].object]);
	return ok;
}

static bool as_it_is(void *arg)
{
	(void)arg;
	return true;
}

static void keep_used(void)
{
	for (size_t i = 0; i < objects_n; i++)
		objects[i].stays = objects[i].stays || used[i];
}

/* --- away and back ----------------------------------------------------------------------------------------------------- */

/* The addresses stay taken: what a cell maps wherever there is room would have them else, and the object no way back. */
static void leave(void)
{
	for (size_t i = 0; i < parts_n; i++)
		if (!objects[parts[i].object].stays)
			mmap((void *)parts[i].start, parts[i].end - parts[i].start, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static bool map_parts(unsigned object)
{
	for (size_t i = 0; i < parts_n; i++) {
		const struct part *p = &parts[i];
		if (p->object == object && mmap((void *)p->start, p->end - p->start, p->prot, MAP_PRIVATE | MAP_FIXED,
			    p->fd, p->offset) == MAP_FAILED)
			return false;
	}
	return true;
}

/* Once: to map it again would undo what was written to it meanwhile. Returns whether this thread is the one that has to. */
static bool bring_back(unsigned object, bool *ok)
{
	unsigned char away = AWAY;

	if (!__atomic_compare_exchange_n(&objects[object].where, &away, COMING, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	*ok = map_parts(object);
	if (*ok && used != NULL)
		used[object] = true;
	__atomic_store_n(&objects[object].where, BACK, __ATOMIC_RELEASE);
	return true;
}

/*
 * Another thread brings @object back, or has: this thread's fault may be of before. It is not when it comes again; while the
 * other is at it, it may come a few times more. A bound, as the other may be gone: fork(2) takes one thread along.
 */
static bool was_before(unsigned object, uintptr_t at)
{
	static _Thread_local uintptr_t last;
	static _Thread_local unsigned waits;

	if (__atomic_load_n(&objects[object].where, __ATOMIC_ACQUIRE) == COMING && waits < WAITS_MAX) {
		waits++;
		sched_yield();
		return true;
	}
	bool again = at != last;
	last = at;
	return again;
}

/* Whether the access may be tried again: it was to what has left, which is brought back. */
static bool try_again(uintptr_t at)
{
	bool ok = false;

	for (size_t i = 0; i < parts_n; i++)
		if (at >= parts[i].start && at < parts[i].end)
			return !objects[parts[i].object].stays &&
			       (bring_back(parts[i].object, &ok) ? ok : was_before(parts[i].object, at));
	return false;
}

/* While SIGSEGV is blocked, as in its handler, a fault ends the process. Source: sigprocmask(2), "generated while they are
 * blocked". */
static void die(void)
{
	volatile uintptr_t nobodys = 1; /* volatile: the compiler knows, too */

	*(volatile char *)nobodys = 0;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	int saved = errno;

	if (info->si_code <= 0) /* somebody has sent it */
		die();
	/* The same fault comes again, and finds it blocked. */
	if ((info->si_code != SEGV_ACCERR && info->si_code != SEGV_MAPERR) || !try_again((uintptr_t)info->si_addr))
		sigaddset(&interrupted->uc_sigmask, sig);
	errno = saved;
}

static bool watch(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	return sigaction(SIGSEGV, &sa, NULL) == 0;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------- */

/* Of files whose objects stay. The numbers stay ours, or something else would get them that no cell should have. */
static void close_unused(void)
{
	for (unsigned i = 1; i < fds_n; i++) {
		int fd = COLD_OBJECTS_FD + (int)i;
		bool needed = false;
		for (size_t p = 0; p < parts_n && !needed; p++)
			needed = parts[p].fd == fd && !objects[parts[p].object].stays;
		if (!needed && dup3(COLD_OBJECTS_FD, fd, O_CLOEXEC) == -1)
			io_close(&fd);
	}
}

/* What fork(2) itself runs in a child comes before the first trial sees anything: only a fault shows it. */
static void learn_and_leave(bool code)
{
	bool ok;

	dl_iterate_phdr(note_object, NULL);
	if (!trial_mappings(note_part, &code) || !trial_run(drop_parts, note_pages, NULL))
		return;
	keep_used();
	if (!watch())
		return;
	leave();
	trial_run(NULL, as_it_is, NULL);
	for (unsigned i = 0; i < objects_n; i++)
		if (used[i] && !objects[i].stays)
			(void)bring_back(i, &ok);
	keep_used();
}

unsigned cold_objects_fds(void)
{
	return fds_n;
}

void cold_objects_leave(int image, bool code)
{
	int fd = dup(image);

	if (fd == -1 || keep_fd(fd) != COLD_OBJECTS_FD)
		return;
	used = mmap(NULL, OBJECTS_MAX * sizeof(*used), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (used == MAP_FAILED)
		used = NULL;
	else
		learn_and_leave(code);
	close_unused();
	if (used != NULL)
		munmap(used, OBJECTS_MAX * sizeof(*used));
	used = NULL;
}
