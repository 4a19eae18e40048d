/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A message of mail(), and its way to the wire: recipients that may stand on a line, no Bcc field left, and after DATA only
 * lines that end in CRLF, are short enough, and contain the one final dot. The text up to the first NUL is a command line.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_compose.h"
#include "sandbox/mail/smtp_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const char *s, size_t len)
{
	bool head = true;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(s + at, '\n', len - at);
		if (end == NULL || end == s + at || end[-1] != '\r')
			abort();
		size_t n = (size_t)(end - s) - 1 - at;
		if (n > SMTP_TEXT_LINE_MAX + 1 || memchr(s + at, '\r', n) != NULL || memchr(s + at, '\0', n) != NULL)
			abort();
		if (n == 1 && s[at] == '.' && end + 1 != s + len)
			abort();
		if (n == 0)
			head = false;
		if (head && n > 3 && strncasecmp(s + at, "bcc:", 4) == 0)
			abort();
		at += n + 2;
	}
	if (len < 3 || memcmp(s + len - 3, ".\r\n", 3) != 0)
		abort();
}

static void to_wire(const struct buf *message, size_t piece)
{
	struct smtp_text t;
	struct buf out;

	buf_init(&out);
	smtp_text_init(&t);
	for (size_t at = 0; at < buf_unread(message); at += piece) {
		size_t n = buf_unread(message) - at < piece ? buf_unread(message) - at : piece;
		if (smtp_text_put(&t, (const char *)buf_head(message) + at, n, &out) != 0)
			abort();
	}
	if (smtp_text_end(&t, &out) != 0)
		abort();
	check_lines((const char *)buf_head(&out), buf_unread(&out));
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mail_facts facts = {.date = "Thu, 01 Jan 1970 00:00:00 +0000", .message_id = "1@a.test", .from = "f@a.test"};
	const uint8_t *nul = memchr(data, '\0', size);
	char sender[MAIL_ADDR_MAX + 1];
	struct buf rcpts, out;
	const char *why;

	if (nul != NULL) {
		if (mail_command_sender((const char *)data, sender, sizeof(sender)) == 0 && sender[0] != '\0' && !mail_addr_ok(sender, strlen(sender)))
			abort();
		size -= (size_t)(nul + 1 - data);
		data = nul + 1;
	}
	buf_init(&rcpts);
	buf_init(&out);
	if (mail_compose((const char *)data, size, &facts, &rcpts, &out, &why) == 0) {
		const char *at = (const char *)buf_head(&rcpts), *end = at + buf_unread(&rcpts);
		for (; at < end; at += strlen(at) + 1)
			if (!mail_addr_ok(at, strlen(at)))
				abort();
		to_wire(&out, buf_unread(&out));
		to_wire(&out, 7);
	}
	buf_fini(&rcpts);
	buf_fini(&out);
	return 0;
}
