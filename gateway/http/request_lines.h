/* SPDX-License-Identifier: Apache-2.0 */
/** A request's fields (req_fields.h) as text that can be changed (field_lines.h), and back. Pure, any thread. */
#ifndef REQUEST_LINES_H
#define REQUEST_LINES_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/http/req_fields.h"

/** Append the fields of @f to @out. Returns 0 or GW_ERR_NOMEM. */
int request_lines_take(const struct req_fields *f, struct buf *out) GW_MUST_USE;

/** Make a copy of @lines, in @a, the fields of @f. Returns 0, or GW_ERR_NOMEM with some of the fields. */
int request_lines_put(struct req_fields *f, struct arena *a, const struct buf *lines) GW_MUST_USE;

#endif
