/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http_chars.h"

#include <string.h>

#define VISIBLE (HTTP_CH_TARGET | HTTP_CH_TEXT)
#define WORD (HTTP_CH_TOKEN | VISIBLE | HTTP_CH_HOST | HTTP_CH_PATH)

const uint8_t http_chars[256] = {
	['\t'] = HTTP_CH_TEXT,
	[' '] = HTTP_CH_TEXT,
	['!'] = HTTP_CH_TOKEN | VISIBLE | HTTP_CH_PATH,
	['"'] = VISIBLE,
	['#'] = HTTP_CH_TOKEN | HTTP_CH_TEXT,
	['$'] = HTTP_CH_TOKEN | VISIBLE | HTTP_CH_PATH,
	['%'] = HTTP_CH_TOKEN | VISIBLE,
	['&' ... '\''] = HTTP_CH_TOKEN | VISIBLE | HTTP_CH_PATH,
	['(' ... ')'] = VISIBLE | HTTP_CH_PATH,
	['*' ... '+'] = HTTP_CH_TOKEN | VISIBLE | HTTP_CH_PATH,
	[','] = VISIBLE | HTTP_CH_PATH,
	['-' ... '.'] = WORD,
	['/'] = VISIBLE | HTTP_CH_PATH,
	['0' ... '9'] = WORD,
	[':' ... ';'] = VISIBLE | HTTP_CH_PATH,
	['<'] = VISIBLE,
	['='] = VISIBLE | HTTP_CH_PATH,
	['>' ... '?'] = VISIBLE,
	['@'] = VISIBLE | HTTP_CH_PATH,
	['A' ... 'Z'] = WORD,
	['[' ... ']'] = VISIBLE,
	['^'] = HTTP_CH_TOKEN | VISIBLE,
	['_'] = WORD,
	['`'] = HTTP_CH_TOKEN | VISIBLE,
	['a' ... 'z'] = WORD,
	['{'] = VISIBLE,
	['|'] = HTTP_CH_TOKEN | VISIBLE,
	['}'] = VISIBLE,
	['~'] = WORD,
	[0x80 ... 0xff] = VISIBLE,
};

bool http_token_ok(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && (http_char(s[i]) & HTTP_CH_TOKEN))
		i++;
	return len > 0 && i == len;
}

bool http_text_ok(const char *s, size_t len)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

	/* Eight octets a step: a word holds no octet below 0x20 and no 0x7f, or else its octets are looked up. */
	while (len >= 8) {
		uint64_t w;
		memcpy(&w, s, 8);
		uint64_t del = w ^ (ones * 0x7f);
		if ((((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & high) {
			for (size_t i = 0; i < 8; i++)
				if (!(http_char(s[i]) & HTTP_CH_TEXT))
					return false;
		}
		s += 8;
		len -= 8;
	}
	while (len > 0 && (http_char(*s) & HTTP_CH_TEXT)) {
		s++;
		len--;
	}
	return len == 0;
}

bool http_equals(const char *s, size_t len, const char *lower)
{
	for (size_t i = 0; i < len; i++)
		if (lower[i] == '\0' || http_lower(s[i]) != lower[i])
			return false;
	return lower[len] == '\0';
}

void http_trim(const char **s, size_t *len)
{
	while (*len > 0 && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
		(*len)--;
}

bool http_list_next(const char **s, size_t *len, const char **elem, size_t *elem_len)
{
	if (*s == NULL)
		return false;
	const char *comma = *len == 0 ? NULL : memchr(*s, ',', *len);
	*elem = *s;
	*elem_len = comma == NULL ? *len : (size_t)(comma - *s);
	if (comma == NULL) {
		*s = NULL;
		*len = 0;
	} else {
		*s = comma + 1;
		*len -= *elem_len + 1;
	}
	http_trim(elem, elem_len);
	return true;
}

int64_t http_decimal(const char *s, size_t len)
{
	int64_t n = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!http_is_digit(s[i]) || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, s[i] - '0', &n))
			return -1;
	}
	return n;
}
