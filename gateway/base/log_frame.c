/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log_frame.h"

#include "gateway/base/log.h"

void log_frame_put(uint8_t *out, uint32_t id, unsigned severity, size_t len)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(id >> (24 - 8 * i));
	out[4] = (uint8_t)severity;
	for (unsigned i = 0; i < 3; i++)
		out[5 + i] = (uint8_t)(len >> (16 - 8 * i));
}

ssize_t log_frame_get(const uint8_t *in, size_t n, struct log_frame *f)
{
	if (n < LOG_FRAME_HEAD)
		return GW_ERR_PROTO;
	*f = (struct log_frame){.id = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3], .severity = in[4],
		.text = (const char *)in + LOG_FRAME_HEAD, .len = (size_t)in[5] << 16 | (size_t)in[6] << 8 | in[7]};
	if (f->severity > LOG_LV_TRACE || f->len == 0 || f->len > LOG_FRAME_TEXT_MAX || f->len > n - LOG_FRAME_HEAD)
		return GW_ERR_PROTO;
	return (ssize_t)(LOG_FRAME_HEAD + f->len);
}
