/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/uri.h"

#include "gateway/http/http_chars.h"

/* One octet of the path, an escape decoded. Returns octets read, or minus a status. */
static int next_octet(const char *in, size_t len, char *out)
{
	if (in[0] == '\0')
		return -400;
	if (in[0] != '%') {
		*out = in[0];
		return 1;
	}
	if (len < 3 || http_hex(in[1]) < 0 || http_hex(in[2]) < 0)
		return -400;
	int octet = http_hex(in[1]) << 4 | http_hex(in[2]);
	if (octet == '\0')
		return -400;
	/* A slash that came encoded is data in one segment; no file name can hold it, and rules must not see a separator. */
	if (octet == '/')
		return -404;
	*out = (char)octet;
	return 3;
}

/*
 * A segment from @seg to @*n is complete: take it back when it is "." or "..". @out[@seg - 1] is its slash.
 * False when ".." would leave the root.
 */
static bool end_segment(char *out, size_t seg, size_t *n)
{
	size_t len = *n - seg;

	if (len == 1 && out[seg] == '.') {
		*n = seg;
	} else if (len == 2 && out[seg] == '.' && out[seg + 1] == '.') {
		if (seg == 1)
			return false;
		size_t up = seg - 1;
		while (out[up - 1] != '/')
			up--;
		*n = up;
	}
	return true;
}

ssize_t uri_normalise(const char *in, size_t len, char *out)
{
	size_t n = 1, seg = 1; /* octets written; start of the current segment, just behind its slash */

	if (len == 0 || in[0] != '/')
		return -400;
	out[0] = '/';
	for (size_t i = 1; i < len;) {
		if (in[i] == '/') {
			i++;
			if (n == seg) /* a slash on a slash */
				continue;
			if (!end_segment(out, seg, &n))
				return -400;
			if (out[n - 1] != '/')
				out[n++] = '/';
			seg = n;
			continue;
		}
		int used = next_octet(in + i, len - i, &out[n]);
		if (used < 0)
			return used;
		n++;
		i += (size_t)used;
	}
	if (!end_segment(out, seg, &n))
		return -400;
	out[n] = '\0';
	return (ssize_t)n;
}

size_t uri_encode_path(const char *in, size_t len, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t octet = (uint8_t)in[i];
		if (http_chars[octet] & HTTP_CH_PATH) {
			out[n++] = in[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[octet >> 4];
		out[n++] = hex[octet & 15];
	}
	out[n] = '\0';
	return n;
}
