/* SPDX-License-Identifier: Apache-2.0 */
/** Strings of JSON (RFC 8259) from octets of any kind. Pure. */
#ifndef ACCESS_JSON_H
#define ACCESS_JSON_H

#include <stddef.h>

#include "gateway/base/buf.h"

/**
 * Append @len octets as the inside of a JSON string: what is UTF-8 stays as it is, any other octet becomes the character of its
 * number (\u0080 to \u00ff). Returns as buf_append().
 */
int access_json_put(struct buf *out, const char *s, size_t len) GW_MUST_USE;

#endif
