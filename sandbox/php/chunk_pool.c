/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/chunk_pool.h"

#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <main/php.h>
#include <Zend/zend_alloc.h>
#include <Zend/zend_alloc_sizes.h>

#define CHUNK ((size_t)2 * 1024 * 1024) /* what the memory manager asks for, and how it aligns */
#define C_HEAP_ROOM (4 * 1024 * 1024)
#define CHUNKS_N 64                     /* address space only, until it is used */

static char *pool;
static bool used[CHUNKS_N];

static bool in_pool(const void *at)
{
	return (const char *)at >= pool && (const char *)at < pool + CHUNKS_N * CHUNK;
}

/* The first gap that is long enough. */
static void *take(size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < CHUNKS_N; i++) {
		run = used[i] ? 0 : run + 1;
		if (run < n)
			continue;
		for (size_t j = 0; j < n; j++)
			used[i - j] = true;
		return pool + (i + 1 - n) * CHUNK;
	}
	return NULL;
}

/* mmap(2) aligns to pages: map more and cut off what is too much. */
static void *map_aligned(size_t size, size_t alignment)
{
	size_t more = size + alignment;
	char *at = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	size_t before = alignment - (uintptr_t)at % alignment;
	munmap(at, before);
	if (more > before + size)
		munmap(at + before + size, more - before - size);
	return at + before;
}

static void *chunk_alloc(zend_mm_storage *storage, size_t size, size_t alignment)
{
	void *at = alignment <= CHUNK ? take((size + CHUNK - 1) / CHUNK) : NULL;

	(void)storage;
	return at != NULL ? at : map_aligned(size, alignment);
}

static void chunk_free(zend_mm_storage *storage, void *chunk, size_t size)
{
	(void)storage;
	if (!in_pool(chunk)) {
		munmap(chunk, size);
		return;
	}
	size_t first = (size_t)((char *)chunk - pool) / CHUNK;
	for (size_t i = 0; i < (size + CHUNK - 1) / CHUNK; i++)
		used[first + i] = false;
}

/* Blocks that shrink or grow beyond what they have are moved: the manager does so itself when it hears no. */
static bool chunk_resize(zend_mm_storage *storage, void *chunk, size_t old_size, size_t new_size)
{
	(void)storage;
	return in_pool(chunk) && (old_size + CHUNK - 1) / CHUNK == (new_size + CHUNK - 1) / CHUNK;
}

/* Outside of any heap: resets leave it alone. */
static zend_mm_storage own_storage = {.handlers = {chunk_alloc, chunk_free, chunk_resize, chunk_resize}};

/*
 * The field of a heap that names its storage. PHP lets it be read, and set for a new heap only, which then keeps the
 * storage inside itself and forgets it when it is reset; so the field is found by what a new heap has in it. NULL when it
 * is not to be found.
 */
static zend_mm_storage **storage_of(zend_mm_heap *heap)
{
	enum { FIELDS = 8 }; /* it is the second one */
	zend_mm_heap *trial = zend_mm_startup_ex(&own_storage.handlers, NULL, 0);
	size_t at = FIELDS;

	if (trial == NULL)
		return NULL;
	for (size_t i = 0; i < FIELDS && at == FIELDS; i++)
		if (((zend_mm_storage **)(void *)trial)[i] == zend_mm_get_storage(trial))
			at = i;
	zend_mm_shutdown(trial, true, true);
	return at == FIELDS ? NULL : &((zend_mm_storage **)(void *)heap)[at];
}

/* The C heap likewise: large blocks from it as well, nothing given back, and room before the first request needs it. */
static int reserve_c_heap(void)
{
	void *block = NULL;

	if (mallopt(M_MMAP_THRESHOLD, 16 * 1024 * 1024) == 1 && mallopt(M_TRIM_THRESHOLD, INT_MAX) == 1 &&
	    mallopt(M_TOP_PAD, C_HEAP_ROOM) == 1)
		block = malloc(C_HEAP_ROOM);
	free(block);
	return block != NULL ? 0 : GW_ERR_NOMEM;
}

void chunk_pool_lay_out(void)
{
#define SIZE(number, size, count, pages, x, y) size,
	static const size_t sizes[] = {ZEND_MM_BINS_INFO(SIZE, , )};
#undef SIZE

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		efree(emalloc(sizes[i]));
}

int chunk_pool_start(void)
{
	zend_mm_heap *heap = zend_mm_get_heap();

	if (reserve_c_heap() != 0)
		return GW_ERR_NOMEM;
	pool = map_aligned(CHUNKS_N * CHUNK, CHUNK);
	if (pool == NULL)
		return GW_ERR_SYS;
	/* A huge page would be zeroed as a whole for each request. Kernels without them refuse. */
	(void)madvise(pool, CHUNKS_N * CHUNK, MADV_NOHUGEPAGE);
	zend_mm_storage **storage = storage_of(heap);
	/* The trial's page. */
	if (storage == NULL || *storage != NULL || madvise(pool, CHUNK, MADV_DONTNEED) == -1)
		return GW_ERR_DENIED;
	*storage = &own_storage;
	return zend_mm_get_storage(heap) == &own_storage ? 0 : GW_ERR_DENIED;
}
