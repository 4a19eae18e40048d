/* SPDX-License-Identifier: Apache-2.0 */
/** Preconditions and ranges (RFC 9110 sections 13 and 14), pure. */
#ifndef CONDITIONAL_H
#define CONDITIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define RANGES_MAX 32 /* more, or mostly overlapping ones, are ignored: the whole file is sent */

/* A request's precondition fields: NULL when absent, not NUL-terminated. */
struct cond_fields {
	const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since, *if_range, *range;
	size_t if_match_len, if_none_match_len, if_modified_since_len, if_unmodified_since_len, if_range_len, range_len;
};

/** In the order of RFC 9110 13.2.2: 0 = go on, 304 or 412. @etag with quotes (W/ when weak); @get: GET or HEAD. */
int cond_check(const struct cond_fields *f, const char *etag, time_t mtime, bool get);

struct range {
	uint64_t first, last; /* octets, inclusive */
};

/**
 * Ranges that apply to a representation of @size octets. Returns their number (<= RANGES_MAX), 0 when the field is
 * absent, malformed, not in bytes, refused by If-Range or excessive (send all), or -416 when none is satisfiable.
 */
int range_parse(const struct cond_fields *f, const char *etag, time_t mtime, uint64_t size, struct range *out);

#endif
