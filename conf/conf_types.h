/* SPDX-License-Identifier: Apache-2.0 */
/** Media types by file-name extension: a small built-in list, and over it a file in the format of /etc/mime.types. */
#ifndef CONF_TYPES_H
#define CONF_TYPES_H

#include "conf/conf_util.h"

struct conf_types {
	struct conf_map by_ext; /* lower-case extension -> media type */
};

/** The built-in list in @a. NULL when memory is out. */
struct conf_types *conf_types_new(struct arena *a) GW_MUST_USE;

/** Add the lines "type ext ext ..." of @text (comments begin with #). Returns 0 or GW_ERR_NOMEM. */
int conf_types_read(struct conf_types *t, struct arena *a, const char *text) GW_MUST_USE;

/** Media type of the extension of @len octets at @ext (no dot, any case), or NULL. Any thread. */
const char *conf_types_find(const struct conf_types *t, const char *ext, size_t len);

#endif
