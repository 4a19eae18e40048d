/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/smtp_reply.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c, char lo, char hi)
{
	return c >= lo && c <= hi;
}

/* RFC 5321, 4.1.1.1: a keyword at the start of each line after the first. */
static unsigned extension_of(const char *text, size_t len)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {{"8BITMIME", SMTP_8BITMIME}, {"SIZE", SMTP_SIZE}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t n = strlen(known[i].name);
		if (len >= n && strncasecmp(text, known[i].name, n) == 0 && (len == n || text[n] == ' ' || text[n] == '='))
			return known[i].bit;
	}
	return 0;
}

static void copy_text(char *out, const char *text, size_t len)
{
	if (len > SMTP_TEXT_MAX - 1)
		len = SMTP_TEXT_MAX - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = is_digit(text[i], ' ', '~') ? text[i] : '?';
	out[len] = '\0';
}

ssize_t smtp_reply_decode(const char *in, size_t len, struct smtp_reply *r)
{
	unsigned code = 0, extensions = 0;

	for (size_t at = 0, lines = 0;; lines++) {
		const char *line = in + at;
		size_t left = len - at, n;
		const char *lf = memchr(line, '\n', left < SMTP_LINE_MAX ? left : SMTP_LINE_MAX);
		if (lf == NULL)
			return left >= SMTP_LINE_MAX || len >= SMTP_REPLY_MAX ? GW_ERR_PROTO : 0;
		n = (size_t)(lf - line);
		at += n + 1;
		if (at > SMTP_REPLY_MAX)
			return GW_ERR_PROTO;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		/* 1yz would promise a further reply, which no command of ours has. */
		if (n < 3 || !is_digit(line[0], '2', '5') || !is_digit(line[1], '0', '9') || !is_digit(line[2], '0', '9'))
			return GW_ERR_PROTO;
		unsigned its = (unsigned)(line[0] - '0') * 100 + (unsigned)(line[1] - '0') * 10 + (unsigned)(line[2] - '0');
		if ((lines > 0 && its != code) || (n > 3 && line[3] != ' ' && line[3] != '-'))
			return GW_ERR_PROTO;
		code = its;
		const char *text = n > 4 ? line + 4 : "";
		size_t text_len = n > 4 ? n - 4 : 0;
		if (lines > 0)
			extensions |= extension_of(text, text_len);
		if (n > 3 && line[3] == '-')
			continue;
		r->code = code;
		r->extensions = extensions;
		copy_text(r->text, text, text_len);
		return (ssize_t)at;
	}
}
