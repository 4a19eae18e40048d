/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Header fields as text, "Name: value\r\n" after "Name: value\r\n", and changing them. Pure. Every buffer here was built by
 * these functions, by cgi_header.h or by a format of our own: whole lines only. An octet that may not stand in a field
 * value (RFC 9110 5.5) becomes a blank on its way in, so that nobody's text can begin another line.
 * Names are compared with ASCII case ignored. Any thread.
 */
#ifndef FIELD_LINES_H
#define FIELD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/* One field; pieces point into the buffer and hold until it is changed. */
struct field_line {
	const char *name, *value;
	size_t name_len, value_len;
	size_t at, len; /* the whole line: offset from buf_head(), octets */
};

/** The next line from offset *@at on, which moves behind it. False at the end. */
bool field_lines_next(const struct buf *b, size_t *at, struct field_line *out);

/** The first field of this name. False when there is none. */
bool field_lines_find(const struct buf *b, const char *name, size_t name_len, struct field_line *out);

/** Octets of the media type in Content-Type at *@type, without parameters. 0, and *@type NULL, when there is no such field. */
size_t field_lines_media_type(const struct buf *b, const char **type);

/** One more line at the end. Returns 0 or GW_ERR_NOMEM. */
int field_lines_add(struct buf *b, const char *name, size_t name_len, const char *value, size_t len) GW_MUST_USE;

/** Remove every field of this name. Returns whether there was one. */
bool field_lines_unset(struct buf *b, const char *name, size_t name_len);

/** The field has this value, once: in the place of the first one, else at the end. Returns 0 or GW_ERR_NOMEM. */
int field_lines_set(struct buf *b, const char *name, size_t name_len, const char *value, size_t len) GW_MUST_USE;

/** "old, value" in the first field of the name, a new line when there is none. Returns 0 or GW_ERR_NOMEM. */
int field_lines_append(struct buf *b, const char *name, size_t name_len, const char *value, size_t len) GW_MUST_USE;

/** Whether an element of a field of this name, as a comma-separated list, is @value, ASCII case ignored. */
bool field_lines_lists(const struct buf *b, const char *name, size_t name_len, const char *value, size_t len);

/** Put @value in the place of the value of @line, which was read from @b unchanged since. Returns 0 or GW_ERR_NOMEM. */
int field_lines_replace(struct buf *b, const struct field_line *line, const char *value, size_t len) GW_MUST_USE;

#endif
