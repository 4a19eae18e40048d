/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/access_json.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_more(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Octets of the UTF-8 character at @s, of @len at most; 0: it is none. RFC 3629 4: no overlong form, no surrogate, no more than U+10FFFF. */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	uint8_t c = s[0];

	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return len >= 2 && is_more(s[1]) ? 2 : 0;
	if (c >= 0xe0 && c <= 0xef) {
		if (len < 3 || !is_more(s[1]) || !is_more(s[2]))
			return 0;
		return (c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ? 0 : 3;
	}
	if (c < 0xf0 || c > 0xf4 || len < 4 || !is_more(s[1]) || !is_more(s[2]) || !is_more(s[3]))
		return 0;
	return (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

int access_json_put(struct buf *out, const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text;
	int err = GW_OK;

	for (size_t i = 0; i < len && err == GW_OK;) {
		size_t run = 0;
		while (i + run < len && access_is_plain(s[i + run]))
			run++;
		size_t wide = run > 0 ? 0 : utf8_len(s + i, len - i);
		if (run > 0 || wide > 1) {
			err = buf_append(out, s + i, run > 0 ? run : wide);
			i += run > 0 ? run : wide;
			continue;
		}
		if (s[i] == '"' || s[i] == '\\')
			err = buf_printf(out, "\\%c", s[i]);
		else
			err = buf_printf(out, "\\u%04x", s[i]);
		i++;
	}
	return err;
}
