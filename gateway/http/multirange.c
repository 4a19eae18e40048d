/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/multirange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TYPE_MAX 256

void multirange_init(struct multirange *m, uint64_t random, const char *type, uint64_t size, const struct range *ranges, int n)
{
	*m = (struct multirange){.type = type, .size = size, .ranges = ranges, .ranges_n = n};
	(void)snprintf(m->boundary, sizeof(m->boundary), "%016" PRIx64, random);
	if (type != NULL && strlen(type) > TYPE_MAX)
		m->type = NULL;
}

size_t multirange_content_range(const struct range *r, uint64_t size, char *out)
{
	return (size_t)snprintf(out, 72, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, r->first, r->last, size);
}

size_t multirange_text(const struct multirange *m, int i, char *out)
{
	if (i == m->ranges_n)
		return (size_t)snprintf(out, MULTIRANGE_TEXT_MAX, "\r\n--%s--\r\n", m->boundary);

	char range[72];
	multirange_content_range(&m->ranges[i], m->size, range);
	return (size_t)snprintf(out, MULTIRANGE_TEXT_MAX, "%s--%s\r\n%s%s%sContent-Range: %s\r\n\r\n", i == 0 ? "" : "\r\n",
		m->boundary, m->type == NULL ? "" : "Content-Type: ", m->type == NULL ? "" : m->type,
		m->type == NULL ? "" : "\r\n", range);
}

uint64_t multirange_length(const struct multirange *m)
{
	char text[MULTIRANGE_TEXT_MAX];
	uint64_t n = 0;

	for (int i = 0; i <= m->ranges_n; i++) {
		n += multirange_text(m, i, text);
		if (i < m->ranges_n)
			n += m->ranges[i].last - m->ranges[i].first + 1;
	}
	return n;
}
