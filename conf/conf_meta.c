/* SPDX-License-Identifier: Apache-2.0 */
/* What a static file's name says of its content, with the meaning of several extensions that mod_mime gives them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* A value's place behind those that are there, ", " between them; left out when there is no room. */
static void append(char *list, size_t size, const char *value)
{
	size_t len = strlen(list), n = strlen(value);

	if (len + n + 3 > size)
		return;
	if (len > 0) {
		memcpy(list + len, ", ", 2);
		len += 2;
	}
	memcpy(list + len, value, n + 1);
}

/* What @ext says of @kind: the last line for it counts. */
static const char *value_of(const struct conf_serving *s, enum conf_meta_kind kind, const char *ext, size_t len)
{
	for (size_t i = s->metas_n; i-- > 0;) {
		const struct conf_meta *m = &s->metas[i];
		if (m->kind == kind && strncasecmp(m->ext, ext, len) == 0 && m->ext[len] == '\0')
			return m->value;
	}
	return NULL;
}

/* Each extension in turn: a character set counts last, codings and languages add up. */
static void from_extensions(const struct conf_serving *s, const char *name, struct conf_file_meta *out)
{
	const char *dot = strchr(name, '.');

	while (dot != NULL) {
		const char *ext = dot + 1, *value;
		size_t len = strcspn(ext, ".");
		value = value_of(s, CONF_META_CHARSET, ext, len);
		if (value != NULL)
			out->charset = value;
		value = value_of(s, CONF_META_ENCODING, ext, len);
		if (value != NULL)
			append(out->encoding, sizeof(out->encoding), value);
		value = value_of(s, CONF_META_LANGUAGE, ext, len);
		if (value != NULL)
			append(out->language, sizeof(out->language), value);
		dot = ext[len] == '.' ? ext + len : NULL;
	}
}

void conf_file_meta(const struct conf *c, const struct conf_dir *d, const char *name, struct conf_file_meta *out)
{
	const struct conf_serving *s = &d->serving;

	out->type = conf_type_for(c, d, name);
	out->charset = NULL;
	out->encoding[0] = out->language[0] = '\0';
	if (s->metas_n > 0)
		from_extensions(s, name + strspn(name, "."), out);
	if (d->force_type != NULL)
		out->charset = NULL; /* the type was given whole */
	if (out->language[0] == '\0' && s->default_language != NULL)
		append(out->language, sizeof(out->language), s->default_language);
	if (out->type == NULL || strcasestr(out->type, "charset=") != NULL)
		out->charset = NULL;
	else if (out->charset == NULL && (strcmp(out->type, "text/html") == 0 || strcmp(out->type, "text/plain") == 0))
		out->charset = d->default_charset;
}
