/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by the files of the HTTP/1 parser only. */
#ifndef HTTP1_INTERNAL_H
#define HTTP1_INTERNAL_H

#include "gateway/http/http1_parse.h"

/* Note the reason and give the negative status. */
static inline int http1_refuse(const char **why, int status, const char *text)
{
	if (why != NULL)
		*why = text;
	return -status;
}

/* How many fields there may be at all where @limit is said. */
static inline size_t http1_fields_most(size_t limit)
{
	return limit == 0 || limit > HTTP1_FIELDS_MAX ? HTTP1_FIELDS_MAX : limit;
}

/** Take @s as the authority in effect (host, port, authority of @r). False, nothing set, when it is no uri-host[:port]. */
bool http1_authority_apply(struct http1_request *r, const char *in, struct http1_str s);

/** Let a complete field act on framing, host, connection and expectations. 0 or minus a status. */
int http1_field_apply(struct http1_request *r, const char *in, const struct http1_field *f, const char **why);

/** What can only be judged when all fields are there. 0 or minus a status. */
int http1_fields_finish(struct http1_request *r, const char **why);

#endif
