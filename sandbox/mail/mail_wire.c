/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/mail_wire.h"

#include <string.h>

#include "sandbox/mail/mail_addr.h"

static const uint8_t magic[4] = {'B', 'H', 'M', '1'};

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static int check_head(const struct mail_head *h)
{
	return h->from_len >= 1 && h->from_len <= MAIL_ADDR_MAX + 1 && h->rcpts_len >= 2 && h->rcpts_len <= MAIL_RCPTS_OCTETS &&
	       h->script_len >= 1 && h->script_len <= MAIL_SCRIPT_MAX + 1 && h->message_len <= MAIL_MESSAGE_MAX ? 0 : GW_ERR_PROTO;
}

int mail_put_request(struct buf *out, const char *from, const char *rcpts, size_t rcpts_len, const char *script, size_t message_len)
{
	uint8_t head[MAIL_HEAD_LEN];
	size_t from_len = strlen(from), script_len = strnlen(script, MAIL_SCRIPT_MAX);

	if (from_len > MAIL_ADDR_MAX || rcpts_len > MAIL_RCPTS_OCTETS || message_len > MAIL_MESSAGE_MAX)
		return GW_ERR_RANGE;
	memcpy(head, magic, sizeof(magic));
	put32(head + 4, (uint32_t)from_len + 1);
	put32(head + 8, (uint32_t)rcpts_len);
	put32(head + 12, (uint32_t)script_len + 1);
	put32(head + 16, (uint32_t)message_len);
	if (buf_append(out, head, sizeof(head)) != 0 || buf_append(out, from, from_len + 1) != 0 ||
	    buf_append(out, rcpts, rcpts_len) != 0 || buf_append(out, script, script_len) != 0 || buf_append(out, "", 1) != 0)
		return GW_ERR_NOMEM;
	return 0;
}

int mail_get_head(const uint8_t *in, struct mail_head *h)
{
	if (memcmp(in, magic, sizeof(magic)) != 0)
		return GW_ERR_PROTO;
	*h = (struct mail_head){.from_len = get32(in + 4), .rcpts_len = get32(in + 8), .script_len = get32(in + 12),
		.message_len = get32(in + 16)};
	return check_head(h);
}

size_t mail_envelope_len(const struct mail_head *h)
{
	return (size_t)h->from_len + h->rcpts_len + h->script_len;
}

/* Whether the @len octets at @s are one text with its NUL at the end. */
static bool is_text(const char *s, size_t len)
{
	return memchr(s, '\0', len) == s + len - 1;
}

int mail_get_envelope(const struct mail_head *h, const char *in, struct mail_envelope *e)
{
	const char *rcpts = in + h->from_len, *script = rcpts + h->rcpts_len;

	if (!is_text(in, h->from_len) || !is_text(script, h->script_len) || (h->from_len > 1 && !mail_addr_ok(in, h->from_len - 1)))
		return GW_ERR_PROTO;
	*e = (struct mail_envelope){.from = in, .rcpts = rcpts, .script = script};
	for (const char *at = rcpts; at < script; e->rcpts_n++) {
		const char *end = memchr(at, '\0', (size_t)(script - at));
		if (end == NULL || e->rcpts_n == MAIL_RCPTS_MAX || !mail_addr_ok(at, (size_t)(end - at)))
			return GW_ERR_PROTO;
		at = end + 1;
	}
	return 0;
}

size_t mail_put_answer(const struct mail_answer *a, uint8_t *out)
{
	size_t len = strnlen(a->text, sizeof(a->text) - 1);

	memcpy(out, magic, sizeof(magic));
	out[4] = (uint8_t)a->status;
	out[5] = (uint8_t)len;
	memcpy(out + 6, a->text, len);
	return 6 + len;
}

ssize_t mail_get_answer(const uint8_t *in, size_t len, struct mail_answer *a)
{
	if (memcmp(in, magic, len < sizeof(magic) ? len : sizeof(magic)) != 0 || (len > 4 && in[4] > MAIL_FAILED))
		return GW_ERR_PROTO;
	if (len < 6 || len < 6 + (size_t)in[5])
		return 0;
	a->status = (enum mail_status)in[4];
	memcpy(a->text, in + 6, in[5]);
	a->text[in[5]] = '\0';
	return 6 + in[5];
}
