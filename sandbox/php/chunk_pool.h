/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Where PHP's memory manager gets its chunks in a cell that is rolled back. By itself it maps and unmaps them; each would
 * be a new mapping to be found and removed after the request, and its pages would fault in again in the next one. Here
 * they come from one mapping that is always there, so that rollback only puts pages back; and so do large blocks of the C
 * library's heap, which it would map, too.
 */
#ifndef CHUNK_POOL_H
#define CHUNK_POOL_H

#include "gateway/base/err.h"

/**
 * Let PHP's request heap have free blocks of each size: to find the first of a size, a request writes to all the pages that
 * such blocks will share. In a zygote whose cells are rolled back, between requests, before its image is taken; the next
 * end of a request undoes it.
 */
void chunk_pool_lay_out(void);

/**
 * Let PHP's request heap take further chunks from the pool, then, when it is used up, from mmap(2). In a cell, before the
 * point it goes back to. Returns 0, GW_ERR_SYS, GW_ERR_NOMEM, or GW_ERR_DENIED when this PHP's heap is not as expected.
 */
int chunk_pool_start(void) GW_MUST_USE;

#endif
