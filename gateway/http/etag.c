/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/etag.h"

static char *put_hex(char *p, uint64_t n)
{
	int shift = 60;

	while (shift > 0 && (n >> shift & 15) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[n >> shift & 15];
	return p;
}

size_t etag_compose(const struct etag_source *s, char *out)
{
	const uint64_t part[] = {s->inode, s->size, (uint64_t)s->mtime.tv_sec * 1000000 + (uint64_t)s->mtime.tv_nsec / 1000};
	static const unsigned bit[] = {ETAG_INODE, ETAG_SIZE, ETAG_MTIME};
	char *p = out;
	bool first = true;

	*out = '\0';
	if ((s->parts & (ETAG_INODE | ETAG_SIZE | ETAG_MTIME)) == 0)
		return 0;
	if (s->weak) {
		*p++ = 'W';
		*p++ = '/';
	}
	*p++ = '"';
	for (size_t i = 0; i < sizeof(bit) / sizeof(*bit); i++) {
		if ((s->parts & bit[i]) == 0)
			continue;
		if (!first)
			*p++ = '-';
		first = false;
		p = put_hex(p, part[i]);
	}
	for (size_t i = 0; s->suffix != NULL && s->suffix[i] != '\0' && i < 6; i++)
		*p++ = s->suffix[i];
	*p++ = '"';
	*p = '\0';
	return (size_t)(p - out);
}

size_t etag_format(uint64_t size, struct timespec mtime, char *out)
{
	const struct etag_source s = {.parts = ETAG_SIZE | ETAG_MTIME, .size = size, .mtime = mtime};

	return etag_compose(&s, out);
}
