/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/request_lines.h"

#include <string.h>

#include "gateway/http/field_lines.h"

int request_lines_take(const struct req_fields *f, struct buf *out)
{
	int err = GW_OK;

	for (size_t i = 0; i < f->n && err == GW_OK; i++)
		err = field_lines_add(out, f->list[i].name, f->list[i].name_len, f->list[i].value, f->list[i].value_len);
	return err;
}

int request_lines_put(struct req_fields *f, struct arena *a, const struct buf *lines)
{
	const char *from = buf_unread(lines) > 0 ? (const char *)buf_head(lines) : "", *text = arena_strndup(a, from, buf_unread(lines));
	struct field_line line;
	int err = text != NULL ? GW_OK : GW_ERR_NOMEM;

	f->n = 0;
	for (size_t at = 0; err == GW_OK && field_lines_next(lines, &at, &line);)
		err = req_fields_add(f, a, &(struct req_field){.name = text + (line.name - from), .name_len = (uint32_t)line.name_len,
			.value = text + (line.value - from), .value_len = (uint32_t)line.value_len});
	return err;
}
