/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Memory for keys: whole pages that are in no core file, that fork(2) leaves out of children unless it is told otherwise,
 * and that are wiped before they are given back. See madvise(2).
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

struct secret {
	void *mem;  /* NULL: none */
	size_t len; /* octets, a multiple of the page size */
};

/** At least @len zeroed octets. Returns 0 or GW_ERR_NOMEM (also when the kernel would not leave it out of children). */
int secret_new(struct secret *s, size_t len) GW_MUST_USE;

/** Wipe and give back; an empty one is accepted. */
void secret_free(struct secret *s);

/** Whether children made from now on get a copy. An empty one is accepted. One thread. Returns 0 or GW_ERR_SYS. */
int secret_share(const struct secret *s, bool on) GW_MUST_USE;

#endif
