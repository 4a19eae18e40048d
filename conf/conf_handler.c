/* SPDX-License-Identifier: Apache-2.0 */
/* What a file's name means: handler, media type; and which error document answers. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* The extension before @end: from behind its dot; *@len its octets. NULL when only the first part of the name is left. */
static const char *ext_before(const char *name, const char *end, size_t *len)
{
	const char *dot = end;

	while (dot > name && dot[-1] != '.')
		dot--;
	if (dot == name)
		return NULL;
	*len = (size_t)(end - dot);
	return dot;
}

static bool same_ext(const struct conf_ext *e, const char *ext, size_t len)
{
	return strncasecmp(e->ext, ext, len) == 0 && e->ext[len] == '\0';
}

/* Handlers that run something go by the last extension only: "photo.php.jpg" is a photo. */
static bool runs(const struct conf_ext *e)
{
	return e->has_handler && (e->handler.kind == CONF_HANDLER_PHP || e->handler.kind == CONF_HANDLER_POOL);
}

/* Whether a name is a script's by the built-in rule or by any AddHandler or AddType in force, removed or not. */
static bool is_script(const struct conf_dir *d, const char *ext, size_t len)
{
	if (ext == NULL)
		return false;
	if (len == 3 && memcmp(ext, "php", 3) == 0)
		return true;
	for (size_t i = d->exts_n; i-- > 0;) {
		const struct conf_ext *e = &d->exts[i];
		if (runs(e) && strlen(e->ext) == len && memcmp(e->ext, ext, len) == 0)
			return true;
	}
	return false;
}

static struct conf_handler by_extension(const struct conf_dir *d, const char *name)
{
	struct conf_handler none = {.kind = CONF_HANDLER_DEFAULT};
	const char *end = name + strlen(name), *ext;
	bool last = true, removed = false;
	size_t len, last_len = 0;
	const char *last_ext = ext_before(name, end, &last_len);

	for (; (ext = ext_before(name, end, &len)) != NULL; end = ext - 1, last = false) {
		for (size_t i = d->exts_n; i-- > 0;) {
			const struct conf_ext *e = &d->exts[i];
			if (!same_ext(e, ext, len))
				continue;
			if (!e->has_handler && e->type == NULL) {
				removed = removed || last;
				break;
			}
			if (!e->has_handler || (runs(e) && (!last || memcmp(e->ext, ext, len) != 0)))
				continue;
			return e->handler;
		}
	}
	if (!removed && last_ext != NULL && last_len == 3 && memcmp(last_ext, "php", 3) == 0)
		return (struct conf_handler){.kind = CONF_HANDLER_PHP};
	return none;
}

struct conf_handler conf_handler_for(const struct conf_dir *d, const char *name)
{
	struct conf_handler h = d->has_handler ? d->handler : by_extension(d, name);
	size_t len = 0;
	const char *ext = ext_before(name, name + strlen(name), &len);

	if ((h.kind == CONF_HANDLER_PHP || h.kind == CONF_HANDLER_POOL) && !d->php_engine)
		h = (struct conf_handler){.kind = CONF_HANDLER_DENY};
	/* A script that nobody is to run is not to be read either. */
	if (h.kind == CONF_HANDLER_DEFAULT && is_script(d, ext, len))
		h.kind = CONF_HANDLER_DENY;
	return h;
}

const char *conf_type_for(const struct conf *c, const struct conf_dir *d, const char *name)
{
	const char *end = name + strlen(name), *ext;
	size_t len;

	if (d->force_type != NULL)
		return d->force_type;
	for (; (ext = ext_before(name, end, &len)) != NULL; end = ext - 1) {
		const char *type = NULL;
		for (size_t i = d->exts_n; i-- > 0;) {
			const struct conf_ext *e = &d->exts[i];
			if (!same_ext(e, ext, len) || e->handler_only || (e->has_handler && e->type == NULL))
				continue;
			type = e->type;
			break;
		}
		if (type == NULL)
			type = conf_types_find(c->types, ext, len);
		if (type != NULL)
			return type;
	}
	return NULL;
}

const struct conf_error_doc *conf_error_doc_for(const struct conf_dir *d, int status)
{
	for (size_t i = d->errdocs_n; i-- > 0;) {
		if (d->errdocs[i].status == status)
			return d->errdocs[i].kind == CONF_ERRDOC_DEFAULT ? NULL : &d->errdocs[i];
	}
	return NULL;
}
