/* SPDX-License-Identifier: Apache-2.0 */
/** Strings of JSON (RFC 8259) from octets of any kind. Pure. */
#ifndef ACCESS_JSON_H
#define ACCESS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

/** Whether an octet stands for itself in every kind of log line: visible, or a blank, and neither quote nor backslash. */
static inline bool access_is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/**
 * Append @len octets as the inside of a JSON string: what is UTF-8 stays as it is, any other octet becomes the character of its
 * number (\u0080 to \u00ff). Returns as buf_append().
 */
int access_json_put(struct buf *out, const char *s, size_t len) GW_MUST_USE;

#endif
