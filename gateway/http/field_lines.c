/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/field_lines.h"

#include <string.h>
#include <strings.h>

#include "gateway/http/http_chars.h"

bool field_lines_next(const struct buf *b, size_t *at, struct field_line *out)
{
	const char *s = (const char *)buf_head(b);
	size_t left = buf_unread(b);

	if (*at >= left)
		return false;
	s += *at;
	left -= *at;
	const char *lf = memchr(s, '\n', left), *colon = memchr(s, ':', left);
	if (lf == NULL || colon == NULL || colon > lf)
		return false;
	*out = (struct field_line){.name = s, .name_len = (size_t)(colon - s), .at = *at, .len = (size_t)(lf - s) + 1};
	out->value = colon + 1;
	out->value_len = (size_t)(lf - colon) - 1;
	if (out->value_len > 0 && lf[-1] == '\r')
		out->value_len--;
	http_trim(&out->value, &out->value_len);
	*at += out->len;
	return true;
}

static bool is_named(const struct field_line *f, const char *name, size_t name_len)
{
	return f->name_len == name_len && strncasecmp(f->name, name, name_len) == 0;
}

bool field_lines_find(const struct buf *b, const char *name, size_t name_len, struct field_line *out)
{
	size_t at = 0;

	while (field_lines_next(b, &at, out))
		if (is_named(out, name, name_len))
			return true;
	return false;
}

/* Room has been made. */
static void put_value(struct buf *b, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		b->data[b->len++] = (http_char(value[i]) & HTTP_CH_TEXT) != 0 ? (uint8_t)value[i] : ' ';
}

size_t field_lines_media_type(const struct buf *b, const char **type)
{
	struct field_line f;
	size_t len = 0;

	*type = NULL;
	if (!field_lines_find(b, "Content-Type", 12, &f))
		return 0;
	*type = f.value;
	while (len < f.value_len && strchr("; \t", f.value[len]) == NULL)
		len++;
	return len;
}

int field_lines_add(struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	if (buf_reserve(b, name_len + len + 4) < 0)
		return GW_ERR_NOMEM;
	memcpy(b->data + b->len, name, name_len);
	b->len += name_len;
	memcpy(b->data + b->len, ": ", 2);
	b->len += 2;
	put_value(b, value, len);
	memcpy(b->data + b->len, "\r\n", 2);
	b->len += 2;
	return GW_OK;
}

static void cut(struct buf *b, size_t at, size_t n)
{
	uint8_t *from = buf_head(b) + at;

	memmove(from, from + n, buf_unread(b) - at - n);
	b->len -= n;
}

bool field_lines_unset(struct buf *b, const char *name, size_t name_len)
{
	struct field_line f;
	bool found = false;

	for (size_t at = 0; field_lines_next(b, &at, &f);) {
		if (!is_named(&f, name, name_len))
			continue;
		cut(b, f.at, f.len);
		at = f.at;
		found = true;
	}
	return found;
}

int field_lines_replace(struct buf *b, const struct field_line *line, const char *value, size_t len)
{
	size_t value_at = (size_t)(line->value - (const char *)buf_head(b)), tail_at = value_at + line->value_len;
	struct buf tail;

	/* The new value may point into the buffer: everything behind the old one is made anew and put in place at once. */
	buf_init(&tail);
	if (buf_reserve(&tail, len + buf_unread(b) - tail_at) < 0)
		return GW_ERR_NOMEM;
	put_value(&tail, value, len);
	memcpy(tail.data + tail.len, buf_head(b) + tail_at, buf_unread(b) - tail_at);
	tail.len += buf_unread(b) - tail_at;
	b->len = b->pos + value_at;
	int err = buf_append(b, tail.data, tail.len);
	if (err < 0) /* never half a line */
		b->len = b->pos + line->at;
	buf_fini(&tail);
	return err;
}

int field_lines_set(struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	struct field_line f, other;

	if (!field_lines_find(b, name, name_len, &f))
		return field_lines_add(b, name, name_len, value, len);
	for (size_t at = f.at + f.len; field_lines_next(b, &at, &other);) {
		if (!is_named(&other, name, name_len))
			continue;
		cut(b, other.at, other.len);
		at = other.at;
	}
	return field_lines_replace(b, &f, value, len);
}

int field_lines_append(struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	struct field_line f;
	struct buf joined;

	if (!field_lines_find(b, name, name_len, &f))
		return field_lines_add(b, name, name_len, value, len);
	buf_init(&joined);
	int err = buf_append(&joined, f.value, f.value_len);
	if (err == 0 && f.value_len > 0)
		err = buf_puts(&joined, ", ");
	if (err == 0)
		err = buf_append(&joined, value, len);
	if (err == 0)
		err = field_lines_replace(b, &f, (const char *)buf_head(&joined), buf_unread(&joined));
	buf_fini(&joined);
	return err;
}

bool field_lines_lists(const struct buf *b, const char *name, size_t name_len, const char *value, size_t len)
{
	struct field_line f;
	const char *elem;
	size_t elem_len;

	for (size_t at = 0; field_lines_next(b, &at, &f);) {
		if (!is_named(&f, name, name_len))
			continue;
		while (http_list_next(&f.value, &f.value_len, &elem, &elem_len))
			if (elem_len == len && strncasecmp(elem, value, len) == 0)
				return true;
	}
	return false;
}
