/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A message as it goes after DATA: every line ends in CRLF whatever it came with, a dot at the start of a line is doubled,
 * a line is at most 998 octets long (longer ones are broken, the rest behind a blank, so that a header field stays one),
 * NUL becomes a blank. Works on pieces of any size. Pure. Source: RFC 5321, 4.5.2 and 4.5.3.1.6; RFC 5322, 2.1.1.
 */
#ifndef SMTP_TEXT_H
#define SMTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define SMTP_TEXT_LINE_MAX 998

struct smtp_text {
	size_t column;   /* octets of the current line, without a doubled dot */
	bool cr;         /* the last octet was a CR that is not written yet */
};

/** At the start of a message. */
void smtp_text_init(struct smtp_text *t);

/** Append the wire form of the next @len octets to @out. Returns as buf_append(). */
int smtp_text_put(struct smtp_text *t, const char *in, size_t len, struct buf *out) GW_MUST_USE;

/** The end: an unfinished line is finished, then the line with the dot. Returns as buf_append(). */
int smtp_text_end(struct smtp_text *t, struct buf *out) GW_MUST_USE;

#endif
