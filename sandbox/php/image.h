/* SPDX-License-Identifier: Apache-2.0 */
/** The zygote's memory as a file: what every cell starts from, shared by mapping instead of copied by fork(2). */
#ifndef IMAGE_H
#define IMAGE_H

#include "gateway/base/err.h"

#define IMAGE_NAME "image"
#define IMAGE_PAGE 4096

enum image_kind {
	IMAGE_DATA, /* the C heap and the written data of all loaded objects, with those that begin as zeros */
	IMAGE_CODE, /* the code of small objects too, as one mapping with the constants that the linker has relocated */
	IMAGE_ALL   /* the rest of private memory too, but the stack: for cells that are rolled back, see rollback.h */
};

/**
 * Move memory into a sealed memfd, mapped privately in the same place.
 * Private anonymous pages cost fork(2) twice, an anon_vma for each mapping and an entry for each page, and exit again;
 * pages of a file are mapped when a cell touches them. Saves about a fifth of a cell's processor time.
 * IMAGE_CODE has a mapping less for each small object, some 100 of them, and takes 10 MB a site for it.
 * One thread, signals blocked or harmless; before the filter. But for IMAGE_ALL other anonymous memory stays: its owners
 * may grow it with mremap(2), or drop it with madvise(2), which would show the file's octets. Whoever takes IMAGE_ALL
 * seals the mappings, so that mremap(2) fails and its callers copy.
 * Returns 0 with the memfd in *@image (the caller's; the mappings need it no more), or GW_ERR_SYS; after an error the
 * process must not go on.
 */
int image_take(enum image_kind kind, int *image) GW_MUST_USE;

#endif
