/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A request's header fields as everybody behind the protocol sees them: the same for HTTP/1 and HTTP/2. Pure. Names and
 * values are borrowed from the request's arena; a name's case is as sent (lower in HTTP/2), a value has no blanks at its
 * ends, neither has a NUL, CR or LF. Values are not NUL-terminated.
 */
#ifndef REQ_FIELDS_H
#define REQ_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"

struct req_field {
	const char *name, *value;
	uint32_t name_len, value_len;
};

struct req_fields {
	struct req_field *list; /* in the order sent; owned by the arena */
	size_t n, cap;
};

/** Make room for @n more fields in @a. Returns 0 or GW_ERR_NOMEM. */
int req_fields_reserve(struct req_fields *f, struct arena *a, size_t n) GW_MUST_USE;

/** Append a field; the strings stay the caller's (in @a, as a rule). Returns 0 or GW_ERR_NOMEM. */
int req_fields_add(struct req_fields *f, struct arena *a, const struct req_field *field) GW_MUST_USE;

/** First field with this lower-case name, or NULL. Borrowed. */
const struct req_field *req_fields_find(const struct req_fields *f, const char *name);

/** Whether the field has this lower-case name. */
bool req_field_is(const struct req_field *f, const char *name);

#endif
