/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/ipc_wire.h"

#include <string.h>

/* Who may send what to whom, and with how many descriptors. Nothing outside this table crosses a channel. */
static const struct ipc_rule {
	uint16_t type;
	uint8_t from, to, fds_n;
} rules[] = {
	{IPC_DRAIN, IPC_MASTER, IPC_FRONT, 0},
	{IPC_SITE_UP, IPC_MASTER, IPC_FRONT, 1},
	{IPC_SITE_DOWN, IPC_MASTER, IPC_FRONT, 0},
	{IPC_TICKET_KEY, IPC_MASTER, IPC_FRONT, 0},
	{IPC_SITE_WANT, IPC_FRONT, IPC_MASTER, 0},
	{IPC_SITE_KILL, IPC_FRONT, IPC_MASTER, 0},
	{IPC_FRONT_READY, IPC_FRONT, IPC_MASTER, 0},
	{IPC_FRONT_DRAINS, IPC_FRONT, IPC_MASTER, 0},
	{IPC_ZYGOTE_SPEC, IPC_MASTER, IPC_ZYGOTE, 1},
	{IPC_ZYGOTE_MAIL, IPC_MASTER, IPC_ZYGOTE, 1},
	{IPC_MAIL_SITE, IPC_MASTER, IPC_MAIL, 1},
	{IPC_FRONT_LOGGED, IPC_FRONT, IPC_MASTER, 0},
	{IPC_FRONT_LOG, IPC_MASTER, IPC_FRONT, 1},
	{IPC_LOG_FD, IPC_MASTER, IPC_LOGGER, 1},
	{IPC_LOG_NONE, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_REOPEN, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_GONE, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_END, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_WANT, IPC_LOGGER, IPC_MASTER, 0},
	{IPC_CELL_WANT, IPC_FRONT, IPC_ZYGOTE, 0},
	{IPC_CELL_KILL, IPC_FRONT, IPC_ZYGOTE, 0},
	{IPC_ZYGOTE_READY, IPC_ZYGOTE, IPC_FRONT, 1},
	{IPC_CELL_UP, IPC_ZYGOTE, IPC_FRONT, 1},
	{IPC_CELL_FAIL, IPC_ZYGOTE, IPC_FRONT, 0},
	{IPC_CELL_GONE, IPC_ZYGOTE, IPC_FRONT, 0},
	{IPC_LEARNED, IPC_ZYGOTE, IPC_FRONT, 0},
};

#define CELL_GONE_LEN 58 /* how, asked, code, syscall, six arguments */

static const struct ipc_rule *rule_find(unsigned type)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

ssize_t ipc_encode(const struct ipc_msg *m, uint8_t *out)
{
	const struct ipc_rule *rule = rule_find(m->type);

	if (rule == NULL || m->fds_n != rule->fds_n || m->body_len > IPC_BODY_MAX)
		return GW_ERR_RANGE;
	out[0] = (uint8_t)(m->type >> 8);
	out[1] = (uint8_t)m->type;
	out[2] = IPC_VERSION;
	out[3] = (uint8_t)m->fds_n;
	put32(out + 4, (uint32_t)m->body_len);
	put32(out + 8, m->id);
	memcpy(out + IPC_HEAD_LEN, m->body, m->body_len);
	return (ssize_t)(IPC_HEAD_LEN + m->body_len);
}

int ipc_decode(const uint8_t *in, size_t len, size_t fds_n, struct ipc_msg *m)
{
	if (len < IPC_HEAD_LEN || len > IPC_HEAD_LEN + IPC_BODY_MAX || in[2] != IPC_VERSION)
		return GW_ERR_PROTO;
	unsigned type = (unsigned)in[0] << 8 | in[1];
	const struct ipc_rule *rule = rule_find(type);
	if (rule == NULL || in[3] != rule->fds_n || fds_n != rule->fds_n)
		return GW_ERR_PROTO;
	if (get32(in + 4) != len - IPC_HEAD_LEN)
		return GW_ERR_PROTO;
	m->type = (uint16_t)type;
	m->id = get32(in + 8);
	m->body_len = len - IPC_HEAD_LEN;
	memcpy(m->body, in + IPC_HEAD_LEN, m->body_len);
	m->fds_n = fds_n;
	return 0;
}

int ipc_allowed(enum ipc_role from, enum ipc_role to, unsigned type)
{
	const struct ipc_rule *rule = rule_find(type);

	return rule != NULL && rule->from == from && rule->to == to;
}

void ipc_put_cell_gone(struct ipc_msg *m, const struct ipc_cell_gone *g)
{
	m->body[0] = g->how;
	m->body[1] = g->asked;
	put32(m->body + 2, (uint32_t)g->code);
	put32(m->body + 6, (uint32_t)g->syscall);
	for (size_t i = 0; i < 6; i++) {
		put32(m->body + 10 + 8 * i, (uint32_t)(g->args[i] >> 32));
		put32(m->body + 14 + 8 * i, (uint32_t)g->args[i]);
	}
	m->body_len = CELL_GONE_LEN;
}

int ipc_get_cell_gone(const struct ipc_msg *m, struct ipc_cell_gone *g)
{
	if (m->body_len != CELL_GONE_LEN || m->body[0] > 2 || m->body[1] > 1)
		return GW_ERR_PROTO;
	g->how = m->body[0];
	g->asked = m->body[1];
	g->code = (int32_t)get32(m->body + 2);
	g->syscall = (int32_t)get32(m->body + 6);
	for (size_t i = 0; i < 6; i++)
		g->args[i] = (uint64_t)get32(m->body + 10 + 8 * i) << 32 | get32(m->body + 14 + 8 * i);
	return 0;
}

void ipc_fill(struct ipc_msg *m, unsigned type, uint32_t id, const char *text)
{
	m->type = (uint16_t)type;
	m->id = id;
	m->fds_n = 0;
	m->body_len = text == NULL ? 0 : strnlen(text, IPC_BODY_MAX);
	if (m->body_len > 0)
		memcpy(m->body, text, m->body_len);
}

const char *ipc_text(struct ipc_msg *m)
{
	m->body[m->body_len < IPC_BODY_MAX ? m->body_len : IPC_BODY_MAX - 1] = '\0';
	return (const char *)m->body;
}
