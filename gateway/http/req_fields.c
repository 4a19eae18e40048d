/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/req_fields.h"

#include <string.h>

#include "gateway/http/http_chars.h"

int req_fields_reserve(struct req_fields *f, struct arena *a, size_t n)
{
	size_t cap, size;

	if (f->cap - f->n >= n)
		return GW_OK;
	if (__builtin_add_overflow(f->n, n > f->n ? n : f->n, &cap) || __builtin_mul_overflow(cap, sizeof(*f->list), &size))
		return GW_ERR_NOMEM;
	struct req_field *list = arena_alloc(a, size);
	if (list == NULL)
		return GW_ERR_NOMEM;
	if (f->n > 0)
		memcpy(list, f->list, f->n * sizeof(*list));
	f->list = list;
	f->cap = cap;
	return GW_OK;
}

int req_fields_add(struct req_fields *f, struct arena *a, const struct req_field *field)
{
	int err = req_fields_reserve(f, a, 1);

	if (err == GW_OK)
		f->list[f->n++] = *field;
	return err;
}

bool req_field_is(const struct req_field *f, const char *name)
{
	return http_equals(f->name, f->name_len, name);
}

const struct req_field *req_fields_find(const struct req_fields *f, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].name_len == len && http_equals(f->list[i].name, len, name))
			return &f->list[i];
	return NULL;
}
