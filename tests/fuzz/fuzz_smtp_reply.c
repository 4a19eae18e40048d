/* SPDX-License-Identifier: Apache-2.0 */
/** Replies of a relay: whatever arrives, in whatever pieces, is understood the same; and what is taken is a whole line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/mail/smtp_dialog.h"
#include "sandbox/mail/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct smtp_reply *r)
{
	if (r->code < 200 || r->code > 599 || strlen(r->text) >= SMTP_TEXT_MAX)
		abort();
	for (const char *p = r->text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			abort();
}

/* A whole dialog with this relay: it ends, and says nothing that is no command. */
static void talk(const char *in, size_t size)
{
	struct smtp_dialog d = {.helo = "a.test", .from = "f@a.test", .rcpts = "one@x\0two@x", .rcpts_n = 2, .message_len = 5, .lmtp = size % 2 == 1};
	struct smtp_reply r;
	struct buf out;
	ssize_t used;

	smtp_dialog_init(&d);
	buf_init(&out);
	while (d.step != SMTP_END && size > 0 && (used = smtp_reply_decode(in, size, &r)) > 0) {
		in += used;
		size -= (size_t)used;
		if (smtp_dialog_reply(&d, &r, &out) != 0)
			abort();
		if (d.step == SMTP_BODY)
			smtp_dialog_sent(&d);
	}
	if (buf_unread(&out) > 0 && buf_head(&out)[buf_unread(&out) - 1] != '\n')
		abort();
	if (d.rcpts_done > d.rcpts_n)
		abort();
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data;
	struct smtp_reply whole, part;
	ssize_t used = smtp_reply_decode(in, size, &whole);

	if (used > (ssize_t)size)
		abort();
	if (used > 0) {
		check_text(&whole);
		if (in[used - 1] != '\n' || smtp_reply_decode(in, (size_t)used, &part) != used || memcmp(&whole.code, &part.code, sizeof(part.code)) != 0)
			abort();
		/* One octet less is not a reply yet. */
		if (smtp_reply_decode(in, (size_t)used - 1, &part) != 0)
			abort();
	}
	talk(in, size);
	return 0;
}
