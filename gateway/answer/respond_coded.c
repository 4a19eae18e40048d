/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/respond_coded.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/answer/answer_edit.h"
#include "gateway/answer/request_expr.h"
#include "gateway/base/io.h"
#include "gateway/client/conn_tls.h"
#include "gateway/http/compress.h"
#include "gateway/http/request_lines.h"

/* Memory of all compressors of one loop: beyond it answers go out as they are. Slow clients could hold any amount else. */
#define CODED_OCTETS_MAX (64u * 1024 * 1024)

static const struct conf_edit *edit_of(const struct request *r)
{
	if (r->route.dir != NULL)
		return r->route.dir->edit;
	return r->server != NULL ? r->server->dir->edit : NULL;
}

bool respond_edits(const struct request *r)
{
	return edit_of(r) != NULL;
}

static unsigned codings_with_room(const struct request *r, const struct conf_edit *e)
{
	unsigned codings = 0;

	for (int i = CODING_GZIP; i < CODINGS_N; i++)
		if (r->w->coded_octets + compress_memory((enum coding)i, answer_level(e, (enum coding)i)) <= CODED_OCTETS_MAX)
			codings |= CODING_BIT(i);
	return codings;
}

static int start_coding(struct request *r, const struct conf_edit *e, enum coding coding, int status, int64_t length)
{
	struct coded *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return GW_ERR_NOMEM;
	k->z = compressor_new(coding, answer_level(e, coding));
	if (k->z == NULL) {
		free(k);
		return GW_ERR_NOMEM;
	}
	k->memory = &r->w->coded_octets;
	*k->memory += compress_memory(coding, compressor_level(k->z));
	k->left = length;
	k->held = length >= 0 && length <= CODED_WHOLE_MAX;
	k->status = status;
	r->resp.coded = k;
	return GW_OK;
}

void respond_coded_free(struct request *r)
{
	struct coded *k = r->resp.coded;

	if (k == NULL)
		return;
	*k->memory -= compress_memory(compressor_coding(k->z), compressor_level(k->z));
	compressor_free(k->z);
	free(k);
	r->resp.coded = NULL;
}

static int edit_fields(struct request *r, const struct conf_edit *e, int status, int64_t *length, struct buf *asked, struct buf *out)
{
	bool parsed = r->server != NULL;
	struct request_expr about;
	request_expr_init(&about, r, status);
	const struct header_context x = {.a = &r->arena, .scratch = conf_cache_scratch(r->w->cache), .env = &r->env, .notes = &r->notes,
		.request_fields = asked, .start_us = (uint64_t)r->start.tv_sec * 1000000 + (uint64_t)r->start.tv_nsec / 1000,
		.duration_us = io_now_us() - r->start_us, .tls = conn_tls_session(r->conn), .run = &about.run, .expr_fields = &about.fields};
	bool is_file = r->entry != NULL && r->route.kind == ROUTE_STATIC && !r->resp.built_in;
	const struct answer_facts f = {.edit = e, .rules = &x, .status = status, .built_in = r->resp.built_in, .now = r->start.tv_sec,
		.modified = is_file ? r->entry->file.st.st_mtim.tv_sec : -1, .length = *length, .filename = r->route.filename,
		.codings = codings_with_room(r, e), .request = &r->fields};
	enum coding coding = CODING_IDENTITY;
	int err = parsed && e->always_n + e->success_n > 0 ? request_lines_take(&r->fields, asked) : GW_OK;

	if (err == GW_OK)
		err = answer_edit(&f, out, &coding);
	if (err < 0 || coding == CODING_IDENTITY)
		return err;
	/* To HEAD the fields are those of GET, and there is nothing to compress. */
	if (!r->is_head)
		err = start_coding(r, e, coding, status, *length);
	*length = -1;
	return err;
}

int respond_edit(struct request *r, int status, const struct buf *fields, int64_t *length, struct buf *out)
{
	const struct conf_edit *e = edit_of(r);
	struct buf asked;
	int err = GW_OK;

	buf_init(&asked);
	if (fields != NULL && buf_unread(fields) > 0)
		err = buf_append(out, buf_head(fields), buf_unread(fields));
	if (err == GW_OK)
		err = edit_fields(r, e, status, length, &asked, out);
	buf_fini(&asked);
	if (err < 0)
		request_log_line(r, LOG_LV_ERROR, "the answer's fields cannot be made: %s", err == GW_ERR_RANGE
			? "a regular expression gave up, or a result is too long" : "memory is out");
	return err;
}
