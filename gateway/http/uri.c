/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/uri.h"

#include "gateway/http/http_chars.h"

/* One octet of the path, an escape decoded; what stays encoded is as it was. Returns octets read, or minus a status. */
static int next_octet(const char *in, size_t len, unsigned flags, char *out)
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
	if (octet == '/' && (flags & URI_SLASH_KEEP) != 0) {
		*out = '%'; /* the two digits that follow are octets like others */
		return 1;
	}
	/* A slash that came encoded is data in one segment; no file name can hold it, and rules must not see a separator. */
	if (octet == '/' && (flags & URI_SLASH_DECODE) == 0)
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
		size_t up = seg - 1;
		while (up > 0 && out[up] == '/') /* more than one where they are kept */
			up--;
		if (up == 0)
			return false;
		while (out[up] != '/')
			up--;
		*n = up + 1;
	}
	return true;
}

ssize_t uri_normalise(const char *in, size_t len, unsigned flags, char *out)
{
	size_t n = 1, seg = 1; /* octets written; start of the current segment, just behind its slash */

	if (len == 0 || in[0] != '/')
		return -400;
	out[0] = '/';
	for (size_t i = 1; i < len;) {
		char octet;
		int used = next_octet(in + i, len - i, flags, &octet);
		if (used < 0)
			return used;
		i += (size_t)used;
		if (octet != '/') {
			out[n++] = octet;
			continue;
		}
		if (n == seg && (flags & URI_SLASHES_KEEP) == 0) /* a slash on a slash */
			continue;
		size_t was = n;
		if (!end_segment(out, seg, &n))
			return -400;
		/* A segment that was taken back took its slash along: the one before it is there. */
		if (n == was)
			out[n++] = '/';
		seg = n;
	}
	if (!end_segment(out, seg, &n))
		return -400;
	out[n] = '\0';
	return (ssize_t)n;
}

const char *uri_kept_rest(const char *kept, size_t merged_len)
{
	for (; merged_len > 0 && *kept != '\0'; merged_len--) {
		while (kept[0] == '/' && kept[1] == '/')
			kept++;
		kept++;
	}
	return kept;
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
