/* SPDX-License-Identifier: Apache-2.0 */
/** Small descriptor helpers that every role needs. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

/** Close *@fd if it is open and set it to -1; keeps errno. */
void io_close(int *fd);

/** Close every descriptor above 2 that is not among the @n of @keep, which is sorted by the call. Returns 0 or GW_ERR_SYS. */
int io_close_except(int *keep, size_t n) GW_MUST_USE;

/** Set O_NONBLOCK on or off. Returns 0 or GW_ERR_SYS. */
int io_nonblock(int fd, int on) GW_MUST_USE;

/**
 * Have the kernel refuse descriptors that whoever is at the other end of unix socket @fd passes along (SCM_RIGHTS): one that is
 * not taken is closed for the reader, which can wait for long, as with SO_LINGER. Before Linux 6.16 nothing happens. See unix(7).
 */
void io_no_descriptors(int fd);

/** Set FD_CLOEXEC on or off. Returns 0 or GW_ERR_SYS. */
int io_cloexec(int fd, int on) GW_MUST_USE;

/** Seal a memory file for good: nobody writes to it or changes its length. Fails while it is mapped shared and writable.
 * Returns 0 or GW_ERR_SYS. */
int io_seal(int fd) GW_MUST_USE;

/** Write all @n octets to a blocking descriptor, retrying EINTR and short writes. Returns 0 or GW_ERR_SYS. */
int io_write_all(int fd, const void *src, size_t n) GW_MUST_USE;

/** Read exactly @n octets from a blocking descriptor. Returns 0, GW_ERR_CLOSED at end of file, GW_ERR_SYS. */
int io_read_all(int fd, void *dst, size_t n) GW_MUST_USE;

/** Read a whole regular file of at most @max octets; *@out is malloc'ed, NUL-terminated, the caller frees it.
 * Returns 0, GW_ERR_SYS, GW_ERR_RANGE (larger than @max) or GW_ERR_NOMEM. */
int io_read_file(const char *path, size_t max, char **out, size_t *len) GW_MUST_USE;

/** Point standard input and output at /dev/null and standard error at @err_fd (-1: /dev/null too): a daemon holds no terminal or pipe. */
void io_detach(int err_fd);

/** Monotonic clock in milliseconds / microseconds. Any thread. */
uint64_t io_now_ms(void);
uint64_t io_now_us(void);

#endif
