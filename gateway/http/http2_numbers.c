/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http2_numbers.h"

static unsigned place_of(int32_t id)
{
	return (unsigned)(id / 2) % HTTP2_NUMBERS_SEEN;
}

static void mark(struct http2_numbers *n, int32_t id, bool opened)
{
	uint64_t bit = UINT64_C(1) << place_of(id) % 64;

	if (opened)
		n->opened[place_of(id) / 64] |= bit;
	else
		n->opened[place_of(id) / 64] &= ~bit;
}

void http2_numbers_open(struct http2_numbers *n, int32_t id)
{
	int32_t from = n->last == 0 ? 1 : n->last + 2;

	if (id - from > 2 * HTTP2_NUMBERS_SEEN)
		from = id - 2 * HTTP2_NUMBERS_SEEN + 2; /* each place once is enough */
	for (; from < id; from += 2)
		mark(n, from, false);
	mark(n, id, true);
	n->last = id;
}

void http2_numbers_cut(struct http2_numbers *n, int32_t id)
{
	n->cut[n->cut_n++ % HTTP2_NUMBERS_CUT] = id;
}

enum http2_number http2_numbers_tell(const struct http2_numbers *n, int32_t id)
{
	if (id > n->last)
		return HTTP2_NUMBER_NEW;
	for (unsigned i = 0; i < HTTP2_NUMBERS_CUT && i < n->cut_n; i++)
		if (n->cut[i] == id)
			return HTTP2_NUMBER_CUT;
	/* Longer ago than is known: nearly all were opened, and either way it is an error. */
	if (n->last - id >= 2 * HTTP2_NUMBERS_SEEN)
		return HTTP2_NUMBER_ENDED;
	return (n->opened[place_of(id) / 64] >> place_of(id) % 64 & 1) != 0 ? HTTP2_NUMBER_ENDED : HTTP2_NUMBER_PASSED;
}
