/* SPDX-License-Identifier: Apache-2.0 */
/* String functions of expressions, and wildcards. */
#include <string.h>

#include "conf/conf_expr_priv.h"

char *expr_from_wildcards(struct arena *a, const char *s, bool path)
{
	char *out = arena_alloc(a, strlen(s) * 6 + 8), *to = out;

	if (out == NULL)
		return NULL;
	to = stpcpy(to, "(?s)\\A");
	for (; *s != '\0'; s++) {
		const char *close = *s == '[' && s[1] != '\0' ? strchr(s + 2, ']') : NULL;
		if (*s == '*')
			to = stpcpy(to, path ? "[^/]*" : ".*");
		else if (*s == '?')
			to = stpcpy(to, path ? "[^/]" : ".");
		else if (close != NULL && strcspn(s, "\\[") == 0 && memchr(s + 1, '[', (size_t)(close - s - 1)) == NULL &&
			 memchr(s, '\\', (size_t)(close - s)) == NULL) {
			*to++ = '[';
			s++;
			if (*s == '!' || *s == '^') {
				*to++ = '^';
				s++;
			}
			while (s < close)
				*to++ = *s++;
			*to++ = ']';
		} else {
			s += *s == '\\' && s[1] != '\0';
			if (!expr_is_one_of(*s, EXPR_NAME) && (unsigned char)*s < 0x80)
				*to++ = '\\';
			*to++ = *s;
		}
	}
	strcpy(to, "\\z");
	return out;
}

/* --- functions ------------------------------------------------------------------------------------------------------------ */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t put_lower(const char *s, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
	return n;
}

static size_t put_upper(const char *s, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 32 : s[i]);
	return n;
}

/* As Apache escapes a path. */
static size_t put_escaped(const char *s, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";
	char *to = out;

	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)s[i];
		if (expr_is_one_of(s[i], EXPR_NAME "$-.+!*'(),:@&=/~")) {
			*to++ = s[i];
			continue;
		}
		*to++ = '%';
		*to++ = hex[ch >> 4];
		*to++ = hex[ch & 15];
	}
	return (size_t)(to - out);
}

static int hex_value(char ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* An escaped slash stays so; what is no escape, or a NUL, makes it empty. */
static size_t put_unescaped(const char *s, size_t n, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			out[len++] = s[i];
			continue;
		}
		int high = i + 2 < n ? hex_value(s[i + 1]) : -1, low = i + 2 < n ? hex_value(s[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return 0;
		if (high * 16 + low == '/') {
			memcpy(out + len, s + i, 3);
			len += 3;
		} else {
			out[len++] = (char)(high * 16 + low);
		}
		i += 2;
	}
	return len;
}

static size_t put_base64(const char *s, size_t n, char *out)
{
	char *to = out;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = 0;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < n ? (unsigned char)s[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*to++ = i + k > n ? '=' : base64_digits[v >> (18 - 6 * k) & 63];
	}
	return (size_t)(to - out);
}

/* Up to the first octet that is no digit. */
static size_t put_unbase64(const char *s, size_t n, char *out)
{
	size_t len = 0;
	unsigned v = 0, bits = 0;

	for (size_t i = 0; i < n && expr_is_one_of(s[i], base64_digits); i++) {
		v = v << 6 | (unsigned)(strchr(base64_digits, s[i]) - base64_digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (char)(v >> bits & 255);
		}
	}
	return len;
}

int expr_call(struct conf_expr_run *x, enum expr_function f, struct conf_expr_text in, struct conf_expr_text *out)
{
	static const struct {
		size_t (*put)(const char *s, size_t n, char *out);
		size_t times; /* octets that one may become */
	} functions[] = {
		[EXPR_TOLOWER] = {put_lower, 1}, [EXPR_TOUPPER] = {put_upper, 1}, [EXPR_ESCAPE] = {put_escaped, 3},
		[EXPR_UNESCAPE] = {put_unescaped, 1}, [EXPR_BASE64] = {put_base64, 2}, [EXPR_UNBASE64] = {put_unbase64, 1},
	};
	char *room = in.len > x->room_len ? NULL : conf_expr_room(x, in.len * functions[f].times + 4);

	if (room == NULL)
		return GW_ERR_RANGE;
	*out = (struct conf_expr_text){room, functions[f].put(in.s, in.len, room)};
	return GW_OK;
}
