/* SPDX-License-Identifier: Apache-2.0 */
/** Entity tags of static files (RFC 9110 section 8.8.3), pure. */
#ifndef ETAG_H
#define ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ETAG_LEN_MAX 64 /* W/, two quotes, three 64-bit numbers in hexadecimal with "-" between, a suffix; a NUL fits as well */

enum etag_part { /* bits: what a tag is made from */
	ETAG_MTIME = 1, ETAG_SIZE = 2, ETAG_INODE = 4
};

struct etag_source {
	unsigned parts;         /* ETAG_*; 0: no tag */
	uint64_t inode, size;
	struct timespec mtime;
	const char *suffix;     /* of a representation in a content coding, at most six octets; NULL: none */
	bool weak;              /* the file may change again without its time of change telling */
};

/**
 * The tag into @out (ETAG_LEN_MAX octets, NUL-terminated), with its quotes: inode, size, microseconds, those that are
 * asked for, in hexadecimal with "-" between, as Apache has them. Without any it is "". Returns its length.
 */
size_t etag_compose(const struct etag_source *s, char *out);

/** A strong tag of size and time of change. */
size_t etag_format(uint64_t size, struct timespec mtime, char *out);

#endif
