/* SPDX-License-Identifier: Apache-2.0 */
/** Entity tags of static files (RFC 9110 section 8.8.3), pure. */
#ifndef ETAG_H
#define ETAG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ETAG_LEN_MAX 36 /* two quotes, two 64-bit numbers in hexadecimal, "-"; a NUL fits as well */

/**
 * A strong tag from size and time of change, "size-microseconds" in hexadecimal with its quotes, into @out
 * (ETAG_LEN_MAX octets, NUL-terminated). No inode number: it says nothing to a client and differs between copies of a
 * site. Returns its length.
 */
size_t etag_format(uint64_t size, struct timespec mtime, char *out);

#endif
