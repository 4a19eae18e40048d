/* SPDX-License-Identifier: Apache-2.0 */
/** A cell's side of opcache: which files PHP really compiled, told to the zygote. See opcache.h. */
#ifndef BH_OPCACHE_REPORT_H
#define BH_OPCACHE_REPORT_H

#include <stddef.h>
#include <stdint.h>

/** Put our compiler hook behind opcache's: call from a module's start, before opcache takes the compiler over. */
void opcache_report_hook(void);

/** After PHP's start: opcache_reset() and opcache_invalidate() tell the zygote too. */
void opcache_report_override(void);

/** Report on @fd, the writing end of a non-blocking pipe, from now on; -1: on none. */
void opcache_report_to(int fd);

/** Count each opcache_invalidate() in *@count, in memory that all cells share, from now on. */
void opcache_report_changes(volatile uint32_t *count);

/** Tell the zygote that the real path of @path, absolute, @len octets, was looked up. */
void opcache_report_looked_up(const char *path, size_t len);

/** Tell the zygote that the regular expression @pattern, @len octets and none of them NUL, was used. */
void opcache_report_pattern(const char *pattern, size_t len);

/** Files that this process compiled itself so far: what opcache did not have. */
uint64_t opcache_compiled_n(void);

#endif
