/* SPDX-License-Identifier: Apache-2.0 */
/** URL paths, pure (RFC 3986). */
#ifndef URI_H
#define URI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/err.h"

/**
 * Decode and normalise an origin-form path: percent-decode once, merge slashes, resolve "." and ".." segments.
 * @out needs @len + 1 octets; NUL-terminated. Returns the length, or minus a status: -400 (does not start with "/",
 * bad or unfinished escape, NUL, or ".." above the root), -404 (encoded slash, as Apache's AllowEncodedSlashes Off).
 */
ssize_t uri_normalise(const char *in, size_t len, char *out) GW_MUST_USE;

/** Percent-encode a path for a Location field: everything but unreserved, sub-delims, ":", "@" and "/". @out needs 3 * @len + 1. Returns the length. */
size_t uri_encode_path(const char *in, size_t len, char *out);

#endif
