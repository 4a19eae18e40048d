/* SPDX-License-Identifier: Apache-2.0 */
/** What a cell says to the mail process, and what it hears: decoded, it says the same when encoded again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void request(const uint8_t *data, size_t size)
{
	struct mail_head h;
	struct mail_envelope e;
	struct buf again;

	if (size < MAIL_HEAD_LEN || mail_get_head(data, &h) != 0 || size - MAIL_HEAD_LEN < mail_envelope_len(&h))
		return;
	size_t len = mail_envelope_len(&h);
	char *copy = malloc(len);
	if (copy == NULL)
		return;
	memcpy(copy, data + MAIL_HEAD_LEN, len);
	if (mail_get_envelope(&h, copy, &e) == 0) {
		const char *at = e.rcpts;
		for (size_t i = 0; i < e.rcpts_n; i++, at += strlen(at) + 1)
			if (strpbrk(at, "\r\n") != NULL || !mail_addr_ok(at, strlen(at)))
				abort();
		if (at != e.script || strpbrk(e.from, "\r\n") != NULL)
			abort();
		buf_init(&again);
		if (mail_put_request(&again, e.from, e.rcpts, h.rcpts_len, e.script, h.message_len) != 0 ||
		    buf_unread(&again) != MAIL_HEAD_LEN + len || memcmp(buf_head(&again), data, buf_unread(&again)) != 0)
			abort();
		buf_fini(&again);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_answer a;
	uint8_t out[MAIL_ANSWER_MAX];

	request(data, size);
	ssize_t used = mail_get_answer(data, size, &a);
	if (used > (ssize_t)size)
		abort();
	if (used > 0 && strlen(a.text) == (size_t)used - 6 && (mail_put_answer(&a, out) != (size_t)used || memcmp(out, data, (size_t)used) != 0))
		abort();
	return 0;
}
