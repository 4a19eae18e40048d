/* SPDX-License-Identifier: Apache-2.0 */
/** The server_name extension of a client's hello (RFC 6066, section 3). Pure. */
#ifndef SNI_H
#define SNI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define SNI_MAX 255 /* octets of a host name */

/**
 * The extension's content, @len octets at @in: the host name goes to @out (SNI_MAX + 1 octets) in lower case, without a
 * dot at its end, NUL-terminated. Returns its length, 0 when the list holds no host name, GW_ERR_PROTO when it is
 * malformed or the name has octets that no host name has.
 */
ssize_t sni_decode(const uint8_t *in, size_t len, char *out) GW_MUST_USE;

#endif
