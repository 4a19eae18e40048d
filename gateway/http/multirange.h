/* SPDX-License-Identifier: Apache-2.0 */
/** The text between the parts of a multipart/byteranges answer (RFC 9110 section 14.6), pure. */
#ifndef MULTIRANGE_H
#define MULTIRANGE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/http/conditional.h"

#define MULTIRANGE_BOUNDARY_LEN 16
#define MULTIRANGE_TEXT_MAX 512 /* enough for any text made here, NUL included */

struct multirange {
	char boundary[MULTIRANGE_BOUNDARY_LEN + 1];
	const char *type; /* the file's media type, borrowed; NULL: the parts have none */
	uint64_t size;    /* of the whole representation */
	const struct range *ranges; /* borrowed */
	int ranges_n;
};

/** Fill @m; @random makes the boundary: 64 bits that a file's author cannot foresee. */
void multirange_init(struct multirange *m, uint64_t random, const char *type, uint64_t size, const struct range *ranges,
	int n);

/** "bytes 0-4/10" for Content-Range; @out has room for 72 octets. Returns the length. */
size_t multirange_content_range(const struct range *r, uint64_t size, char *out);

/**
 * The text before part @i (0 <= @i < ranges_n), or after the last one (@i == ranges_n), into @out (MULTIRANGE_TEXT_MAX octets).
 * Returns its length. A type that does not fit is left out.
 */
size_t multirange_text(const struct multirange *m, int i, char *out);

/** Octets of the whole body. */
uint64_t multirange_length(const struct multirange *m);

#endif
