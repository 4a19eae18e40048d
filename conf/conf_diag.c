/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_util.h"
#include "gateway/base/buf.h"
#include "gateway/base/io.h"

#define DIAGS_MAX 1000

void conf_diags_init(struct conf_diags *d)
{
	memset(d, 0, sizeof(*d));
	arena_init(&d->arena);
}

void conf_diags_fini(struct conf_diags *d)
{
	arena_fini(&d->arena);
	memset(d, 0, sizeof(*d));
}

void conf_diag_add(struct conf_diags *d, bool error, const char *file, unsigned line, unsigned column, const char *fmt, ...)
{
	struct conf_diag *v, e = {.origin = file, .line = line, .column = column, .error = error};
	char text[1024];
	va_list ap;

	if (error)
		d->errors++;
	else
		d->warnings++;
	if (d->n >= DIAGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e.file = arena_strdup(&d->arena, file == NULL ? "" : file);
	e.text = arena_strdup(&d->arena, text);
	v = conf_push(&d->arena, d->v, d->n, sizeof(*v));
	if (v == NULL || e.file == NULL || e.text == NULL)
		return; /* the counter above still makes the run fail */
	v[d->n++] = e;
	d->v = v;
}

static int diag_cmp(const void *x, const void *y)
{
	const struct conf_diag *a = x, *b = y;
	int r = strcmp(a->file, b->file);

	if (r != 0)
		return r;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	if (a->error != b->error)
		return a->error ? -1 : 1;
	return strcmp(a->text, b->text);
}

void conf_diags_sort(struct conf_diags *d)
{
	if (d->n > 1)
		qsort(d->v, d->n, sizeof(*d->v), diag_cmp);
}

/* File names and quoted words come from files that a tenant may have written: no control octet reaches the terminal. */
static int put_clean(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char ch = (unsigned char)*s;
		int rc = ch < 0x20 || ch == 0x7f ? buf_printf(out, "\\x%02x", ch) : buf_append(out, s, 1);
		if (rc != GW_OK)
			return rc;
	}
	return GW_OK;
}

void conf_diags_print(const struct conf_diags *d, int fd)
{
	const struct conf_diag **v = calloc(d->n + 1, sizeof(*v));
	struct buf out;
	int rc = GW_OK;

	if (v == NULL)
		return;
	buf_init(&out);
	for (size_t i = 0; i < d->n; i++) {
		/* Insertion keeps a list that is already in order cheap, which is the usual case. */
		size_t at = i;
		for (; at > 0 && diag_cmp(&d->v[i], v[at - 1]) < 0; at--)
			v[at] = v[at - 1];
		v[at] = &d->v[i];
	}
	for (size_t i = 0; i < d->n && rc == GW_OK; i++) {
		rc = put_clean(&out, v[i]->file);
		if (rc == GW_OK)
			rc = buf_printf(&out, ":%u:%u: %s: ", v[i]->line, v[i]->column, v[i]->error ? "error" : "warning");
		if (rc == GW_OK)
			rc = put_clean(&out, v[i]->text);
		if (rc == GW_OK)
			rc = buf_puts(&out, "\n");
	}
	if (rc == GW_OK && d->errors + d->warnings > d->n)
		rc = buf_printf(&out, "(%zu more not shown)\n", d->errors + d->warnings - d->n);
	if (rc == GW_OK && d->errors + d->warnings > 0)
		rc = buf_printf(&out, "%zu error%s, %zu warning%s\n", d->errors, d->errors == 1 ? "" : "s", d->warnings,
				d->warnings == 1 ? "" : "s");
	if (rc == GW_OK && buf_unread(&out) > 0)
		(void)!io_write_all(fd, buf_head(&out), buf_unread(&out));
	buf_fini(&out);
	free(v);
}
