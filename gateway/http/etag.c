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

size_t etag_format(uint64_t size, struct timespec mtime, char *out)
{
	char *p = out;

	*p++ = '"';
	p = put_hex(p, size);
	*p++ = '-';
	p = put_hex(p, (uint64_t)mtime.tv_sec * 1000000 + (uint64_t)mtime.tv_nsec / 1000);
	*p++ = '"';
	*p = '\0';
	return (size_t)(p - out);
}
