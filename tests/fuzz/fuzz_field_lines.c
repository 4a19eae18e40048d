/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields as text, changed by rules with any octets as names' letter case, values and tags: what comes of it is whole lines
 * without control octets, and as many of them as the changes say. Input: lines "op name value", ops as below.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/http/field_lines.h"
#include "gateway/http/http_chars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* How many lines there are, all of them whole and harmless. */
static size_t count(const struct buf *b, const char *name, size_t name_len)
{
	struct field_line f;
	size_t n = 0, octets = 0;

	for (size_t at = 0; field_lines_next(b, &at, &f);) {
		require(f.at == octets && http_token_ok(f.name, f.name_len));
		require(http_text_ok(f.value, f.value_len));
		require(memcmp((const char *)buf_head(b) + f.at + f.len - 2, "\r\n", 2) == 0);
		octets += f.len;
		n += name == NULL || (f.name_len == name_len && strncasecmp(f.name, name, name_len) == 0);
	}
	require(octets == buf_unread(b));
	return n;
}

static int replace(struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	struct field_line f;

	return field_lines_find(b, name, name_len, &f) ? field_lines_replace(b, &f, value, len) : GW_OK;
}

static void change(struct buf *b, char op, const char *name, size_t name_len, const char *value, size_t len)
{
	size_t all = count(b, NULL, 0), same = count(b, name, name_len), after = same;
	int err = GW_OK;

	switch (op) {
	case 'a':
		err = field_lines_add(b, name, name_len, value, len);
		after = same + 1;
		break;
	case 's':
		err = field_lines_set(b, name, name_len, value, len);
		after = 1;
		break;
	case 'p':
		err = field_lines_append(b, name, name_len, value, len);
		after = same > 0 ? same : 1;
		break;
	case 'u':
		require(field_lines_unset(b, name, name_len) == (same > 0));
		after = 0;
		break;
	case 'r':
		err = replace(b, name, name_len, value, len);
		break;
	default:
		(void)field_lines_lists(b, name, name_len, value, len);
		break;
	}
	require(err == GW_OK);
	require(count(b, name, name_len) == after && count(b, NULL, 0) == all + after - same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	struct buf b;

	buf_init(&b);
	while (size > 0) {
		const char *lf = memchr(s, '\n', size);
		size_t line = lf == NULL ? size : (size_t)(lf - s), name = 2;
		while (name < line && s[name] != ' ')
			name++;
		if (line > 3 && name < line && http_token_ok(s + 2, name - 2))
			change(&b, s[0], s + 2, name - 2, s + name + 1, line - name - 1);
		line += lf != NULL;
		s += line;
		size -= line;
	}
	buf_fini(&b);
	return 0;
}
