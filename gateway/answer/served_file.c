/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/served_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "gateway/http/field_lines.h"
#include "gateway/http/http_date.h"

static void make_etag(struct served_file *f, const struct served_source *s)
{
	static const char *const suffix[CODINGS_N] = {NULL, "-gz", "-br"};
	struct etag_source e = {.size = (uint64_t)s->st->st_size, .mtime = s->st->st_mtim, .inode = (uint64_t)s->st->st_ino,
		.suffix = suffix[s->coding],
		/* RFC 9110 8.8.2.2: one written in this very second may be written again without its time telling. */
		.weak = time(NULL) <= s->st->st_mtim.tv_sec};
	unsigned bits = conf_bits_value(&s->dir->serving.etag, CONF_ETAG_MTIME | CONF_ETAG_SIZE);

	e.parts = ((bits & CONF_ETAG_MTIME) != 0 ? ETAG_MTIME : 0u) | ((bits & CONF_ETAG_SIZE) != 0 ? ETAG_SIZE : 0u) |
		((bits & CONF_ETAG_INODE) != 0 ? ETAG_INODE : 0u);
	etag_compose(&e, f->etag);
}

static int put_validators(struct buf *b, const struct served_file *f, const struct served_source *s)
{
	char date[HTTP_DATE_LEN + 1];

	http_date_format(s->st->st_mtim.tv_sec, date);
	int err = buf_printf(b, "Last-Modified: %s\r\n", date);
	if (err == 0 && f->etag[0] != '\0')
		err = buf_printf(b, "ETag: %s\r\n", f->etag);
	if (err == 0 && s->varies)
		err = buf_puts(b, "Vary: Accept-Encoding\r\n");
	return err < 0 ? err : buf_puts(b, "Accept-Ranges: bytes\r\n");
}

static int put_content(struct buf *b, const struct served_source *s, const struct conf_file_meta *m)
{
	const char *own = s->coding != CODING_IDENTITY ? coding_name(s->coding) : "";
	int err = 0;

	if (m->encoding[0] != '\0' || own[0] != '\0')
		err = buf_printf(b, "Content-Encoding: %s%s%s\r\n", m->encoding, m->encoding[0] != '\0' && own[0] != '\0' ? ", " : "", own);
	if (err == 0 && m->language[0] != '\0')
		err = buf_printf(b, "Content-Language: %s\r\n", m->language);
	return err;
}

static int put_type(struct buf *b, const struct conf_file_meta *m)
{
	if (m->type == NULL)
		return GW_OK;
	return buf_printf(b, "Content-Type: %s%s%s\r\n", m->type, m->charset != NULL ? "; charset=" : "", m->charset != NULL ? m->charset : "");
}

/* @b becomes the file's lines; their last one's value is there once more, for the parts of a multipart answer. */
static int keep_lines(struct served_file *f, struct buf *b, int err)
{
	static const char field[] = "Content-Type: ";
	size_t type_len = f->lines_len - f->plain_len;

	if (err == 0 && type_len > 0)
		err = buf_reserve(b, type_len);
	if (err < 0) {
		buf_fini(b);
		return err;
	}
	f->lines = (char *)b->data;
	f->type = NULL;
	if (type_len > 0) {
		char *value = f->lines + f->lines_len;
		size_t n = type_len - (sizeof(field) - 1) - 2;
		memcpy(value, f->lines + f->plain_len + sizeof(field) - 1, n);
		value[n] = '\0';
		f->type = value;
	}
	return GW_OK;
}

int served_file_describe(struct served_file *f, const struct served_source *s)
{
	struct conf_file_meta meta;
	struct buf b;

	buf_init(&b);
	conf_file_meta(s->conf, s->dir, s->name, &meta);
	make_etag(f, s);
	int err = put_validators(&b, f, s);
	f->validators_len = buf_unread(&b);
	if (err == 0)
		err = put_content(&b, s, &meta);
	f->plain_len = buf_unread(&b);
	if (err == 0)
		err = put_type(&b, &meta);
	f->lines_len = buf_unread(&b);
	return keep_lines(f, &b, err);
}

/* The lines that @which picks, in their order. */
static int put_kept(struct buf *b, const struct buf *fields, bool (*which)(const struct field_line *f))
{
	struct field_line f;
	int err = GW_OK;

	for (size_t at = 0; err == GW_OK && field_lines_next(fields, &at, &f);)
		if (which(&f))
			err = field_lines_add(b, f.name, f.name_len, f.value, f.value_len);
	return err;
}

static bool is_type(const struct field_line *f)
{
	return f->name_len == 12 && strncasecmp(f->name, "Content-Type", 12) == 0;
}

/* Of the body, but for its type: not for a 304. */
static bool is_content(const struct field_line *f)
{
	return f->name_len > 8 && strncasecmp(f->name, "Content-", 8) == 0 && !is_type(f);
}

static bool is_other(const struct field_line *f)
{
	return !is_type(f) && !is_content(f);
}

int served_file_relabel(struct served_file *f, const struct buf *fields)
{
	struct served_file made = *f;
	struct field_line type;
	struct buf b;

	buf_init(&b);
	int err = buf_append(&b, f->lines, f->validators_len);
	if (err == 0)
		err = put_kept(&b, fields, is_other);
	made.validators_len = buf_unread(&b);
	if (err == 0)
		err = put_kept(&b, fields, is_content);
	made.plain_len = buf_unread(&b);
	if (err == 0 && field_lines_find(fields, "Content-Type", 12, &type))
		err = field_lines_add(&b, "Content-Type", 12, type.value, type.value_len);
	else if (err == 0)
		err = buf_append(&b, f->lines + f->plain_len, f->lines_len - f->plain_len);
	made.lines_len = buf_unread(&b);
	err = keep_lines(&made, &b, err);
	if (err < 0)
		return err;
	free(f->lines);
	*f = made;
	return GW_OK;
}

bool served_file_load(struct served_file *f)
{
	size_t n = (size_t)f->st.st_size;

	if (f->st.st_size < 0 || n > SERVED_FILE_SMALL)
		return false;
	uint8_t *data = malloc(n > 0 ? n : 1);
	/* One that changes while it is read is not what its validators say. */
	if (data == NULL || pread(f->fd, data, n, 0) != (ssize_t)n) {
		free(data);
		return false;
	}
	f->data = data;
	io_close(&f->fd);
	return true;
}

void served_file_fini(struct served_file *f)
{
	io_close(&f->fd);
	free(f->data);
	free(f->lines);
	f->data = NULL;
	f->lines = NULL;
}
