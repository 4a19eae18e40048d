/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Putting a cell back to where it was before a request: its memory, its descriptors and what the kernel keeps of it.
 *
 * Memory. The zygote has moved all its private memory into a sealed file (image_take(IMAGE_ALL)), which cells map
 * privately. A page that a cell has written is a page of its own then and no longer the file's: the kernel's own
 * copy-on-write tells what must be put back, by one ioctl(PAGEMAP_SCAN) for all of it. A page written now and then is
 * dropped, and the file's shows again; one written by request after request is copied back in place, which costs no
 * fault. Memory that was free is zeroed. Registering the memory with a userfaultfd is for the scan alone, which then
 * passes over all other mappings. Mappings are sealed: none of them can go, so as long as the size of the address space
 * is the same there is no new one either; if it is not, the new ones are found and removed.
 *
 * Control. The point is where every request begins: rollback_point() returns there once and then again after each
 * rollback(), as setjmp(3) would, but with the stack put back as well. Nothing says that it must lie between requests.
 * What runs in between has a stack of its own, in memory that is not put back.
 *
 * One thread, one rollback a process. Not a defence against code that has taken over the process, see
 * docs/threat-model.md.
 */
#ifndef ROLLBACK_H
#define ROLLBACK_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

#define ROLLBACK_FD 56    /* the first descriptor that rollback keeps in a cell */
#define ROLLBACK_FDS_N 5

/* Why a cell cannot be put back and ends; also its exit status, counted from ROLLBACK_EXIT. */
enum rollback_why {
	ROLLBACK_OK,
	ROLLBACK_THREAD,     /* a thread is left */
	ROLLBACK_CHILD,      /* a child process is left */
	ROLLBACK_DESCRIPTOR, /* one that must be there is closed, or another, or a socket with other options */
	ROLLBACK_MAPPING,    /* a mapping is gone or has other rights, or there are too many new ones */
	ROLLBACK_SIGNAL,     /* a signal is pending */
	ROLLBACK_LIMIT,      /* a resource limit is another, or how the process is scheduled */
	ROLLBACK_STATE,      /* the kernel refuses to put something back */
	ROLLBACK_SCAN,       /* written memory cannot be found out */
	ROLLBACK_WHYS
};
#define ROLLBACK_EXIT 64

/** For the log: what was found, "a thread is left". Static. @status is a cell's exit status; NULL when it is none of ours. */
const char *rollback_why_text(int status);

/** Whether this kernel lets an ordinary process roll back; if not, *@why says what is missing. Any process, one thread. */
bool rollback_supported(const char **why);

/** In the zygote, after image_take(IMAGE_ALL) gave @image (closed here): note what is mapped. Returns 0 or GW_ERR_SYS. */
int rollback_prepare(int image) GW_MUST_USE;

/**
 * In the zygote or before rollback_begin(): memory that is a private mapping of the memory file @fd, made with the name
 * @name (static), is put back from the file, which must not change any more. @fd stays the caller's. Returns 0 or GW_ERR_SYS.
 */
int rollback_add_source(const char *name, int fd) GW_MUST_USE;

/** In the zygote, when cells forked from now on use memory in another way: what earlier ones found out about that is void. */
void rollback_forget(void);

/**
 * In a cell just forked, before its last filter: get at the kernel's interfaces, as descriptors ROLLBACK_FD and the
 * following. Returns 0 or GW_ERR_SYS; then the cell can answer one request and must end.
 */
int rollback_begin(void) GW_MUST_USE;

#define ROLLBACK_WATCH_MAX 256

/**
 * In a cell whose descriptors are those that it will keep, after rollback_begin(): instructions that make the kernel tell of
 * calls which hardly any request makes, so that what these change need not be looked at after each request. To be loaded in
 * front of the last filter, into which they lead. Only where nobody can start a program: it would have the filter and not
 * the handler (sb_sigsys.h). Writes to @first, ROLLBACK_WATCH_MAX of them; returns how many, 0: this processor is not known,
 * everything will be looked at. Before the point.
 */
size_t rollback_watch(struct sock_filter *first);

/** The moment to which memory, descriptors and the rest are put back. Returns ROLLBACK_OK, once and after each rollback(). */
enum rollback_why rollback_point(void);

/**
 * When a request has come and nothing of it has run: the first one finds memory that requests usually write to ready, and
 * not by hundreds of page faults. Which that is, cells of the same zygote have found out; it changes nothing but time.
 */
void rollback_expect(void);

/** Whether everything can be put back; looks, changes nothing. Between requests, before the front knows that it has an end. */
enum rollback_why rollback_check(void);

/** After a successful check: go back to the point. Ends the process when it turns out that this cannot be done. */
_Noreturn void rollback(void);

#endif
