/* SPDX-License-Identifier: Apache-2.0 */
/** URL paths, pure (RFC 3986). */
#ifndef URI_H
#define URI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/err.h"

/* What may be read in more than one way, and how: bits. */
enum uri_flags {
	URI_SLASH_DECODE = 1, /* an encoded slash is a slash, as one that was sent so, before anything is resolved */
	URI_SLASH_KEEP = 2,   /* an encoded slash stays the three octets "%2F" of its segment */
	URI_SLASHES_KEEP = 4  /* repeated slashes stay */
};

/**
 * Decode and normalise an origin-form path: percent-decode once, merge slashes, resolve "." and ".." segments.
 * @flags: bits of enum uri_flags; without the first two an encoded slash is refused. ".." takes back the last name and the
 * slashes behind it, so that merging the slashes of what URI_SLASHES_KEEP gives yields what is given without it.
 * @out needs @len + 1 octets; NUL-terminated. Returns the length, or minus a status: -400 (does not start with "/",
 * bad or unfinished escape, NUL, or ".." above the root), -404 (encoded slash, as Apache's AllowEncodedSlashes Off).
 */
ssize_t uri_normalise(const char *in, size_t len, unsigned flags, char *out) GW_MUST_USE;

/**
 * The end of @kept, a path with its slashes kept, that corresponds to what follows the first @merged_len octets of the same
 * path with its slashes merged. Both normalised. Borrowed from @kept.
 */
const char *uri_kept_rest(const char *kept, size_t merged_len);

/** Percent-encode a path for a Location field: everything but unreserved, sub-delims, ":", "@" and "/". @out needs 3 * @len + 1. Returns the length. */
size_t uri_encode_path(const char *in, size_t len, char *out);

#endif
