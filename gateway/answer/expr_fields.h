/* SPDX-License-Identifier: Apache-2.0 */
/** Header fields that an expression looks at while rules change them, as text (http/field_lines.h). */
#ifndef EXPR_FIELDS_H
#define EXPR_FIELDS_H

#include "gateway/base/buf.h"

struct expr_fields {
	const struct buf *request; /* NULL: as the request has them */
	const struct buf *answer;  /* NULL: there is no answer yet */
	const struct buf *added;   /* those that "always" has added; NULL: none */
};

#endif
