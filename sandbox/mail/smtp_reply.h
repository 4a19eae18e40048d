/* SPDX-License-Identifier: Apache-2.0 */
/** Replies of an SMTP or LMTP server. Pure. Source: RFC 5321, 4.2. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define SMTP_LINE_MAX 2048   /* octets of one reply line; RFC 5321 4.5.3.1.5 promises 512 */
#define SMTP_REPLY_MAX 16384 /* octets of all lines of one reply */
#define SMTP_TEXT_MAX 256

enum smtp_extension { SMTP_8BITMIME = 1, SMTP_SIZE = 2 }; /* bits */

struct smtp_reply {
	unsigned code;             /* 200 to 599 */
	unsigned extensions;       /* what the lines of an answer to EHLO or LHLO name; bits of enum smtp_extension */
	char text[SMTP_TEXT_MAX];  /* of the last line, cut; only printable ASCII, anything else is '?' */
};

/**
 * Decode one whole reply from the start of @in. @r is written only then.
 * Returns the octets it took, 0 when more are needed, or GW_ERR_PROTO: not a reply, lines with different codes, a line or
 * reply that is too long. A line may end in a bare LF, as some servers write it.
 */
ssize_t smtp_reply_decode(const char *in, size_t len, struct smtp_reply *r) GW_MUST_USE;

#endif
