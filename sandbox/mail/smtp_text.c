/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/smtp_text.h"

#include <string.h>

void smtp_text_init(struct smtp_text *t)
{
	*t = (struct smtp_text){.column = 0};
}

static int end_line(struct smtp_text *t, struct buf *out)
{
	t->column = 0;
	t->cr = false;
	return buf_append(out, "\r\n", 2);
}

static bool is_utf8_rest(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* One octet that is no line end. A line is broken in front of a character, not inside one. */
static int put_octet(struct smtp_text *t, char c, struct buf *out)
{
	int err = 0;

	if (t->column >= SMTP_TEXT_LINE_MAX || (t->column >= SMTP_TEXT_LINE_MAX - 3 && !is_utf8_rest(c) && (unsigned char)c >= 0xc0)) {
		err = end_line(t, out);
		if (err == 0)
			err = buf_append(out, " ", 1);
		t->column = 1;
	}
	if (err == 0 && t->column == 0 && c == '.')
		err = buf_append(out, ".", 1);
	t->column++;
	return err != 0 ? err : buf_append(out, c == '\0' ? " " : &c, 1);
}

/* The run of octets at @in that need nothing done to them. */
static size_t plain_run(const struct smtp_text *t, const char *in, size_t len)
{
	size_t room = t->column < SMTP_TEXT_LINE_MAX - 3 ? SMTP_TEXT_LINE_MAX - 3 - t->column : 0, n = 0;

	if (t->cr || t->column == 0)
		return 0;
	while (n < len && n < room && in[n] != '\r' && in[n] != '\n' && in[n] != '\0')
		n++;
	return n;
}

int smtp_text_put(struct smtp_text *t, const char *in, size_t len, struct buf *out)
{
	int err = 0;

	for (size_t i = 0; i < len && err == 0;) {
		size_t plain = plain_run(t, in + i, len - i);
		if (plain > 0) {
			err = buf_append(out, in + i, plain);
			t->column += plain;
			i += plain;
			continue;
		}
		char c = in[i++];
		/* CRLF, LF and a lone CR each end one line: a relay may take any of them for an end, and must not find one that we
		 * did not count. */
		if (c == '\n') {
			err = end_line(t, out);
			continue;
		}
		if (t->cr)
			err = end_line(t, out);
		if (c == '\r')
			t->cr = true;
		else if (err == 0)
			err = put_octet(t, c, out);
	}
	return err;
}

int smtp_text_end(struct smtp_text *t, struct buf *out)
{
	int err = t->cr || t->column > 0 ? end_line(t, out) : 0;

	return err != 0 ? err : buf_append(out, ".\r\n", 3);
}
