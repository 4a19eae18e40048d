/* SPDX-License-Identifier: Apache-2.0 */
/** Opcache's questions for the times of scripts, in a cell that is rolled back. See script_times.h. */
#ifndef BH_OPCACHE_TIMES_H
#define BH_OPCACHE_TIMES_H

#include <stddef.h>
#include <stdint.h>

/**
 * Before the point: @fd is the image, which ends with a list of its scripts from octet @from on. Scripts of the list are
 * not asked for while the last look at them counts. *@changes, which lives on, is another number when somebody invalidated
 * a script. Where anything is not as expected, opcache asks as ever.
 */
void opcache_times_begin(int fd, size_t from, const volatile uint32_t *changes);

/** Between two requests, and before the first. */
void opcache_times_renew(void);

#endif
