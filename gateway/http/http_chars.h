/* SPDX-License-Identifier: Apache-2.0 */
/** Octet classes and small comparisons that every HTTP decoder needs. Pure, any thread. */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of http_chars[]. */
enum {
	HTTP_CH_TOKEN = 1,       /* tchar, RFC 9110 5.6.2 */
	HTTP_CH_TARGET = 2,      /* may stand in a request target: visible but "#", and 0x80-0xff */
	HTTP_CH_TEXT = 4,        /* may stand in a field value: HT, SP, visible, 0x80-0xff (RFC 9110 5.5) */
	HTTP_CH_HOST = 8,        /* may stand in a host name: unreserved of RFC 3986 */
	HTTP_CH_PATH = 16        /* needs no escape in a path: unreserved, sub-delims, ":", "@", "/" */
};

extern const uint8_t http_chars[256];

static inline unsigned http_char(char c)
{
	return http_chars[(uint8_t)c];
}

static inline char http_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** 0..15, or -1 when @c is no hexadecimal digit. */
static inline int http_hex(char c)
{
	if (http_is_digit(c))
		return c - '0';
	c = http_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** Whether all @len octets are token octets, at least one. */
bool http_token_ok(const char *s, size_t len);

/** Whether all @len octets may stand in a field value. */
bool http_text_ok(const char *s, size_t len);

/** Whether @len octets at @s are the NUL-terminated @lower (lower case), ASCII case ignored. */
bool http_equals(const char *s, size_t len, const char *lower);

/** Cut SP and HT off both ends. */
void http_trim(const char **s, size_t *len);

/**
 * Next element of a comma-separated list without quoted strings: its blanks are cut, @*s and @*len move behind its comma.
 * False when nothing is left. An empty element is returned with length 0.
 */
bool http_list_next(const char **s, size_t *len, const char **elem, size_t *elem_len);

/** 1*DIGIT that fits 63 bits, or -1. */
int64_t http_decimal(const char *s, size_t len);

#endif
