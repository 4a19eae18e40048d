/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by the files of the access log format only: one entry for each LogFormat directive. */
#ifndef ACCESS_ITEMS_H
#define ACCESS_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/http/access_format.h"

/* A directive as it stands in a format. */
struct access_op {
	char *arg;          /* between the braces, NUL-terminated; NULL when there are none */
	size_t arg_len;
	int choice;         /* what arg selects, by the item's prepare */
	int moment;         /* %t: 1 for "end:", else 0 */
	bool final;         /* ">" */
	bool json;          /* octets are written as in a JSON string */
	bool number;        /* what is written is a number, or nothing */
};

enum access_argument { ACCESS_ARG_NONE, ACCESS_ARG_MAY, ACCESS_ARG_NEEDED };

struct access_item {
	const char *name;   /* the letter, or "^" and two more */
	enum access_argument argument;
	/* Check and digest the argument when the format is compiled; may be NULL. False: no such argument. */
	bool (*prepare)(struct access_op *op);
	int (*put)(const struct access_op *op, const struct access_event *e, struct buf *out);
	bool number;        /* as in access_op, unless prepare says something else */
};

/* In place of a JSON string: there is no such thing. */
#define ACCESS_JSON_NONE "\x01"

/* Text between directives: op->arg as it is. */
extern const struct access_item access_item_literal;

/** The item named at *@s, which moves behind the name; NULL when there is none. */
const struct access_item *access_item_find(const char **s);

#endif
