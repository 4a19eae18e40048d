/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of rollback share. All of it lies in memory that is not put back itself. */
#ifndef RB_PRIV_H
#define RB_PRIV_H

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <ucontext.h>

#include "sandbox/rollback/rb_kernel.h"
#include "sandbox/rollback/rb_maps.h"
#include "sandbox/rollback/rollback.h"

#define RB_PAGE 4096U
#define RB_REGIONS_MAX 2048
#define RB_HOT_MAX 8192
#define RB_RANGES_MAX 4096
#define RB_ADDED_MAX 256       /* new mappings that are removed after one request */
#define RB_EXPECTED_MAX 2048   /* runs of pages */
#define RB_SCAN_MAX 1024       /* written ranges of one ioctl */
#define RB_STACK_SIZE 65536
#define RB_STACK_RESERVE 1048576 /* of the main stack: deeper recursion makes it a new mapping */

enum { RB_FD_PAGEMAP, RB_FD_MAPS, RB_FD_STATM, RB_FD_STAT, RB_FD_UFFD };

/* Private writable memory. Its pages have the numbers first_page and following in rb_memory.pages. */
struct rb_region {
	uintptr_t start, end;
	const char *source; /* what it looked like: the zygote's image. NULL: see of_file */
	bool of_file;       /* another file's octets show when a page is dropped (opcache's memory); else zeros */
	size_t first_page;
};

/* Of each page how often it was found written, up to RB_HOT; RB_ALWAYS when it is in the list of those. */
#define RB_HOT 2U
#define RB_ALWAYS 255U

struct rb_hot {
	char *page;
	const char *from;   /* NULL: zeros */
};

/* Files that are mapped privately, and what to read them by. */
struct rb_source {
	const char *name, *view;
};
#define RB_SOURCES_MAX 2

struct rb_memory {
	struct rb_region regions[RB_REGIONS_MAX];
	size_t regions_n, pages_n;
	const char *own_view; /* what this cell had written when it began: see rb_own.c */
	uint8_t *pages;
	char *copies;       /* of pages that were written between then and the point, then of hot ones of other files */
	size_t copies_n, copies_max, own_n;
	struct rb_hot *hot; /* every page that is always copied back */
	size_t hot_n;
	unsigned rounds;    /* since written pages were last looked at anew */
	struct rb_usual *usual; /* in the zygote's memory, for all of its cells */
	struct rb_range expected[RB_EXPECTED_MAX]; /* pages that the first request will write to, other cells say */
	size_t expected_n;
	bool learns;        /* this cell will tell others */
	struct page_region found[RB_SCAN_MAX];
};

/* What a request may set of a socket, each as getsockopt(2) gives it; zeros: has none. */
#define RB_OPTIONS 10
#define RB_OPTIONS_UNIX 5 /* the first of them */
struct rb_options {
	unsigned char values[RB_OPTIONS][16];
};

struct rb_fd {
	int fd, status, flags; /* F_GETFL or -1: seen at another of the same file, F_GETFD */
	size_t options_n;      /* 0: no socket */
	struct rb_options options;
	dev_t dev;
	ino_t ino;
	off_t offset;          /* -1: has none */
};
#define RB_OPEN_MAX 64

/* The kernel's idea of an action, as rt_sigaction(2) takes it. */
struct rb_action {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};
#define RB_SIGNALS 31 /* the standard ones */

/* How the process is scheduled. Zeros between its members: compared as octets. */
struct rb_schedule {
	unsigned char attr[56]; /* as sched_getattr(2) gives it: policy, flags, nice, slice, clamps */
	int io;                 /* as ioprio_get(2) does */
	cpu_set_t processors;
};

struct rb_state {
	struct rb_fd fds[RB_OPEN_MAX];
	size_t fds_n;
	int closed_on_exec;    /* descriptors from this one on are; RB_OPEN_MAX: none */
	struct rb_action actions[RB_SIGNALS + 1];
	uint64_t unchanging;   /* signals whose action a request cannot change or ask for, signal 1 in the lowest bit */
	uint64_t handled[2];   /* which signals are ignored and which caught, signal 1 in the lowest bit */
	stack_t alternate;
	char cwd[4096], name[16];
	mode_t mask;
	struct rlimit limits[RLIM_NLIMITS];
	bool limits_change; /* requests can change them, or how the process is scheduled; else neither is looked at */
	bool may_fork;
	struct rb_schedule schedule;
	unsigned unwatched;    /* of RB_TOUCHED_*: always to be looked at */
};

/* From /proc/self/statm, pages. */
struct rb_counts {
	unsigned long size, written; /* of the address space; of private memory that is not a file's */
};

struct rb_space {
	struct rb_range ranges[RB_RANGES_MAX], now[RB_RANGES_MAX];
	size_t ranges_n;
	void *brk;
	struct rb_counts counts;
	unsigned long unchanging; /* of the written pages those that cannot be written again */
	bool exact;               /* the kernel's counts are; not before Linux 6.17 */
	struct rb_range added[RB_ADDED_MAX]; /* found by the last check, to be removed */
	size_t added_n;
	char text[16384];      /* of the maps file */
};

struct rollback {
	ucontext_t point, back;
	bool taken;
	struct rb_memory memory;
	struct rb_state state;
	struct rb_space space;
	char stack[RB_STACK_SIZE] __attribute__((aligned(16)));
};

/** Memory that is not put back, @len octets of zeros, or NULL. Shared, so that it does not count as written memory. */
void *rb_map(size_t len);

/* What a cell asks of unshare(2), and all that its filter lets it. */
#define RB_UNSHARE (CLONE_THREAD | CLONE_SYSVSEM)

static inline int rb_fd(int which)
{
	return ROLLBACK_FD + which;
}

/* --- rb_memory.c */

/** Note @m as memory to be put back, if it is; @sources are RB_SOURCES_MAX, those without name unused. Returns 0 or GW_ERR_RANGE. */
int rb_memory_add(struct rb_memory *mem, const struct rb_mapping *m, const struct rb_source *sources);

/** What is done with the written pages [@start, @end) of one region. Returns whether to go on. */
typedef bool rb_visit_fn(void *arg, const struct rb_region *r, uintptr_t start, uintptr_t end);

/** Call @visit for all written pages of registered memory. Returns false when it did, or they could not be found. */
bool rb_memory_each_written(struct rb_memory *mem, rb_visit_fn *visit, void *arg);

/** Register the memory with the userfaultfd. Returns 0 or GW_ERR_SYS. */
int rb_memory_register(struct rb_memory *mem);

/** Make room for copies of what is written already. Returns 0 or GW_ERR_SYS. */
int rb_memory_reserve(struct rb_memory *mem);

/**
 * Give back the stack below the caller: nothing lives there any more, and what a request puts there is zeroed and not
 * copied then. Returns whether it could.
 */
bool rb_memory_drop_stack(const struct rb_memory *mem);

/** Copy what is written already: the last thing before the point. Returns whether it could. */
bool rb_memory_keep(struct rb_memory *mem);

/** Whether all written pages lie where they can be put back. Changes nothing. */
bool rb_memory_check(struct rb_memory *mem);

/** Put back the pages that are always put back, written or not. On a stack of our own. */
void rb_memory_restore_hot(const struct rb_memory *mem);

/** Find all other written pages and put them back. On a stack of our own. Returns whether it could. */
bool rb_memory_restore_cold(struct rb_memory *mem);

/* --- rb_usual.c */

/* Every cell can write here. */
struct rb_usual {
	uint64_t until_s; /* of CLOCK_MONOTONIC; 0: there is no list */
	uint32_t n;
	uintptr_t pages[RB_HOT_MAX]; /* ascending */
};

/** In the zygote: the list that its cells share, empty, or NULL. */
struct rb_usual *rb_usual_new(void);

/** Nothing in @u counts any more: memory is laid out in another way now. NULL: nothing to do. */
void rb_usual_forget(struct rb_usual *u);

/** In a cell, with its memory listed and room made: what the list holds is hot from its first use on. */
void rb_usual_take(struct rb_memory *mem);

/** Before the cell's first request runs: make the expected pages its own. Only saves faults, so nothing tells of errors. */
void rb_usual_fetch(struct rb_memory *mem);

/** After a request was put back: @mem's hot pages are known to all cells from now on, if it is time for that. */
void rb_usual_tell(struct rb_memory *mem);

/* --- rb_own.c */

#define RB_OWN_NAME "own"

/**
 * Move the written pages of registered memory, but the stack, into a file mapped in their place; the regions have to be
 * listed and registered again. @room: RB_RANGES_MAX of them. Returns 0, or GW_ERR_SYS with nothing moved; ends the process
 * when only some of it could be.
 */
int rb_own_move(struct rb_memory *mem, struct rb_range *room);

/* --- rb_state.c */

/** Returns whether all could be found out. */
bool rb_state_take(struct rb_state *s);

/** Threads, children, descriptors, pending signals, limits and scheduling. Changes nothing, but gives back semaphores. */
enum rollback_why rb_state_check(const struct rb_state *s);

/** Returns whether all could be put back. */
bool rb_state_restore(const struct rb_state *s);

/* --- rb_space.c */

/** Call @add for every mapping of the process. Returns 0, @add's error, or GW_ERR_SYS. */
int rb_space_each(struct rb_space *s, int (*add)(void *arg, const struct rb_mapping *m), void *arg);

/** Seal what is mapped privately now, but the stack. Returns 0 or GW_ERR_SYS. */
int rb_space_seal(struct rb_space *s);

/** Note which mappings there are and where the program break is. Returns whether it could. */
bool rb_space_take(struct rb_space *s);

/** The counts of now. Returns whether they could be read. */
bool rb_space_count(struct rb_counts *c);

/** Whether anything of this machine is in swap space, or that cannot be found out; then counts prove nothing. */
bool rb_space_is_swapped(void);

/** Find out whether the counts are exact. Maps and unmaps memory. */
bool rb_space_is_exact(void);

/** Whether the mappings are those of rb_space_take(), and a few new ones that are noted. Changes nothing. */
enum rollback_why rb_space_check(struct rb_space *s);

/** Remove the new ones. Returns whether that made the address space what it was. */
bool rb_space_restore(struct rb_space *s);

#endif
