/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/answer_edit.h"

#include <string.h>
#include <strings.h>

#include "gateway/answer/expires.h"
#include "gateway/http/compress.h"
#include "gateway/http/field_lines.h"
#include "gateway/answer/request_env.h"

#define FIND(b, name, f) field_lines_find((b), (name), sizeof(name) - 1, (f))

/* --- which filters --------------------------------------------------------------------------------------------------- */

static unsigned filters_by_extension(const struct conf_edit *e, const char *filename)
{
	const char *dot = filename == NULL ? NULL : strrchr(filename, '.');
	unsigned bits = 0;

	for (size_t i = 0; i < e->filter_exts_n && dot != NULL; i++)
		if (strcasecmp(e->filter_exts[i].key, dot + 1) == 0)
			bits |= e->filter_exts[i].filters;
	return bits;
}

static unsigned filters_of(const struct answer_facts *f, const struct buf *fields)
{
	const struct conf_edit *e = f->edit;
	unsigned bits = e->filters;
	const char *type;
	size_t len = field_lines_media_type(fields, &type);

	for (size_t i = 0; i < e->filter_types_n && len > 0; i++)
		if (strlen(e->filter_types[i].key) == len && strncasecmp(e->filter_types[i].key, type, len) == 0)
			bits |= e->filter_types[i].filters;
	return bits | filters_by_extension(e, f->filename);
}

/* A variable that is set, and not to 0: how mod_deflate and mod_brotli ask. */
static bool asked(const struct answer_facts *f, const char *name)
{
	const char *value = request_env_find(f->rules->env, name);

	return value != NULL && strcmp(value, "0") != 0;
}

static unsigned offered(const struct answer_facts *f, const struct buf *fields)
{
	unsigned filters = filters_of(f, fields), codings = 0;
	const char *type;

	if (filters == 0)
		return 0;
	size_t len = field_lines_media_type(fields, &type);
	bool html = len == 9 && strncasecmp(type, "text/html", 9) == 0;
	if ((filters & CONF_FILTER_DEFLATE) != 0 && !asked(f, "no-gzip") && (html || !asked(f, "gzip-only-text/html")))
		codings |= CODING_BIT(CODING_GZIP);
	if ((filters & CONF_FILTER_BROTLI) != 0 && !asked(f, "no-brotli"))
		codings |= CODING_BIT(CODING_BR);
	return codings & compress_codings();
}

/* Whether this is an answer of which another coding could be sent at all; of a part, whether it could be of the whole. */
static bool may_compress(const struct answer_facts *f, const struct buf *fields)
{
	struct field_line line;

	if (f->built_in || f->status < 200 || f->status == 204)
		return false;
	if (f->length >= 0 && f->length < ANSWER_COMPRESS_MIN && f->status != 304 && f->status != 206)
		return false;
	return !FIND(fields, "Content-Encoding", &line) && (f->status == 206 || !FIND(fields, "Content-Range", &line)) &&
		!field_lines_lists(fields, "Cache-Control", 13, "no-transform", 12);
}

/* --- fields ------------------------------------------------------------------------------------------------------------------ */

static enum coding choose(const struct answer_facts *f, unsigned codings)
{
	struct accept_encoding a;

	codings &= f->codings;
	if ((codings & CODING_BIT(CODING_GZIP)) != 0 && asked(f, "force-gzip"))
		return CODING_GZIP;
	accept_encoding_init(&a);
	for (size_t i = 0; i < f->request->n; i++)
		if (req_field_is(&f->request->list[i], "accept-encoding"))
			accept_encoding_add(&a, f->request->list[i].value, f->request->list[i].value_len);
	return accept_encoding_choose(&a, codings);
}

static int put_suffix(struct buf *fields, const struct field_line *etag, const char *suffix)
{
	struct buf value;

	buf_init(&value);
	int err = buf_printf(&value, "%.*s-%s\"", (int)etag->value_len - 1, etag->value, suffix);
	if (err == 0)
		err = field_lines_replace(fields, etag, (const char *)buf_head(&value), buf_unread(&value));
	buf_fini(&value);
	return err;
}

/* RFC 9110 8.8.1: what is encoded as it is sent is the same for a reader, not octet by octet. */
static int alter_etag(const struct conf_edit *e, enum coding c, struct buf *fields)
{
	enum conf_alter_etag how = c == CODING_BR ? e->brotli_etag : e->deflate_etag;
	struct field_line etag;
	char weak[260];

	if (how == CONF_ETAG_NO_CHANGE || !FIND(fields, "ETag", &etag))
		return GW_OK;
	if (how == CONF_ETAG_REMOVE) {
		field_lines_unset(fields, "ETag", 4);
		return GW_OK;
	}
	if (how == CONF_ETAG_SUFFIX && etag.value_len > 1 && etag.value[etag.value_len - 1] == '"')
		return put_suffix(fields, &etag, coding_name(c));
	if (how == CONF_ETAG_SUFFIX || (etag.value_len > 1 && strncmp(etag.value, "W/", 2) == 0))
		return GW_OK;
	if (etag.value_len > sizeof(weak) - 3) { /* no tag at all is right as well */
		field_lines_unset(fields, "ETag", 4);
		return GW_OK;
	}
	memcpy(weak, "W/", 2);
	memcpy(weak + 2, etag.value, etag.value_len);
	return field_lines_replace(fields, &etag, weak, etag.value_len + 2);
}

static int put_coding(const struct conf_edit *e, enum coding c, bool body, struct buf *fields)
{
	const char *name = coding_name(c);
	int err = alter_etag(e, c, fields);

	if (err < 0 || !body)
		return err;
	/* A range of these octets cannot be asked for. */
	field_lines_unset(fields, "Accept-Ranges", 13);
	return field_lines_add(fields, "Content-Encoding", 16, name, strlen(name));
}

static int compression(const struct answer_facts *f, struct buf *fields, enum coding *coding)
{
	unsigned codings = may_compress(f, fields) ? offered(f, fields) : 0;
	int err = GW_OK;

	if (codings == 0)
		return GW_OK;
	/* A part is one of the octets as they are, but varies as the whole does (RFC 9110 15.3.7). */
	if (f->status != 206)
		*coding = choose(f, codings);
	/* Also where this client gets it plain: another one would not (RFC 9110 12.5.5). */
	if (!asked(f, "force-gzip") && !field_lines_lists(fields, "Vary", 4, "Accept-Encoding", 15) && !field_lines_lists(fields, "Vary", 4, "*", 1))
		err = field_lines_append(fields, "Vary", 4, "Accept-Encoding", 15);
	if (err == GW_OK && *coding != CODING_IDENTITY)
		err = put_coding(f->edit, *coding, f->status != 304, fields);
	return err;
}

int answer_edit(const struct answer_facts *f, struct buf *fields, enum coding *coding)
{
	const struct conf_edit *e = f->edit;
	struct buf added;
	int err = GW_OK;

	*coding = CODING_IDENTITY;
	buf_init(&added);
	if (f->status < 400)
		err = expires_apply(e, fields, f->now, f->modified);
	if (err == GW_OK)
		err = header_rules_apply(f->rules, e->always, e->always_n, false, fields, &added);
	if (err == GW_OK && !f->built_in)
		err = header_rules_apply(f->rules, e->success, e->success_n, false, fields, NULL);
	if (err == GW_OK && buf_unread(&added) > 0)
		err = buf_append(fields, buf_head(&added), buf_unread(&added));
	buf_fini(&added);
	if (err == GW_OK)
		err = compression(f, fields, coding);
	if (f->status == 304) { /* what describes a body was only here for the rules: there is none */
		*coding = CODING_IDENTITY;
		field_lines_unset(fields, "Content-Type", 12);
		field_lines_unset(fields, "Content-Encoding", 16);
		field_lines_unset(fields, "Content-Language", 16);
	}
	return err;
}

int answer_level(const struct conf_edit *e, enum coding coding)
{
	if (coding == CODING_BR)
		return (e->set & CONF_E_BROTLI_QUALITY) != 0 ? e->brotli_quality : COMPRESS_BROTLI_QUALITY;
	return e->deflate_level != 0 ? e->deflate_level : COMPRESS_DEFLATE_LEVEL;
}

const char *answer_plain_etags(struct arena *a, const char *value, size_t *len)
{
	static const char *const suffixes[] = {"-gzip\"", "-br\""};
	char *out = NULL;
	size_t n = 0, from = 0;

	for (size_t i = 0; i < *len; i++) {
		for (size_t k = 0; k < sizeof(suffixes) / sizeof(*suffixes); k++) {
			size_t size = strlen(suffixes[k]);
			if (*len - i < size || memcmp(value + i, suffixes[k], size) != 0)
				continue;
			if (out == NULL && (out = arena_alloc(a, *len + 1)) == NULL)
				return NULL;
			memcpy(out + n, value + from, i - from);
			n += i - from;
			from = i + size - 1; /* the quote stays */
			break;
		}
	}
	if (out == NULL)
		return value;
	memcpy(out + n, value + from, *len - from);
	*len = n + *len - from;
	out[*len] = '\0';
	return out;
}
