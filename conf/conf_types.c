/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_types.h"

#include <string.h>

#define EXT_MAX 32 /* a longer extension has no type */

/* Enough for a site to look right on a machine without /etc/mime.types. */
static const char builtin[] =
	"text/html html htm\n"
	"text/css css\n"
	"text/javascript js mjs\n"
	"text/plain txt text log\n"
	"text/csv csv\n"
	"text/xml xml xsl\n"
	"text/calendar ics\n"
	"application/json json map\n"
	"application/ld+json jsonld\n"
	"application/manifest+json webmanifest\n"
	"application/xhtml+xml xhtml\n"
	"application/rss+xml rss\n"
	"application/atom+xml atom\n"
	"application/wasm wasm\n"
	"application/pdf pdf\n"
	"application/zip zip\n"
	"application/gzip gz tgz\n"
	"image/png png\n"
	"image/jpeg jpg jpeg\n"
	"image/gif gif\n"
	"image/webp webp\n"
	"image/avif avif\n"
	"image/svg+xml svg svgz\n"
	"image/vnd.microsoft.icon ico\n"
	"font/woff woff\n"
	"font/woff2 woff2\n"
	"font/ttf ttf\n"
	"font/otf otf\n"
	"audio/mpeg mp3\n"
	"audio/ogg ogg oga\n"
	"video/mp4 mp4\n"
	"video/webm webm\n";

static const char blanks[] = " \t\r\v\f";

int conf_types_read(struct conf_types *t, struct arena *a, const char *text)
{
	while (*text != '\0') {
		size_t line = strcspn(text, "\n"), at = 0;
		char *type = NULL;
		const char *next = text + line + (text[line] == '\n');
		const char *hash = memchr(text, '#', line);

		if (hash != NULL)
			line = (size_t)(hash - text);
		while (at < line) {
			size_t n;
			at += strspn(text + at, blanks);
			if (at >= line)
				break;
			n = strcspn(text + at, " \t\r\v\f\n#");
			char *word = arena_strndup(a, text + at, n);
			if (word == NULL)
				return GW_ERR_NOMEM;
			at += n;
			if (type == NULL) {
				type = word;
				continue;
			}
			char *ext = conf_lower(a, word);
			if (ext == NULL || conf_map_put(&t->by_ext, 0, ext, strlen(ext), type) != GW_OK)
				return GW_ERR_NOMEM;
		}
		text = next;
	}
	return GW_OK;
}

struct conf_types *conf_types_new(struct arena *a)
{
	struct conf_types *t = arena_alloc(a, sizeof(*t));

	if (t == NULL)
		return NULL;
	conf_map_init(&t->by_ext, a);
	return conf_types_read(t, a, builtin) == GW_OK ? t : NULL;
}

const char *conf_types_find(const struct conf_types *t, const char *ext, size_t len)
{
	char low[EXT_MAX];

	if (len == 0 || len > sizeof(low))
		return NULL;
	for (size_t i = 0; i < len; i++)
		low[i] = ext[i] >= 'A' && ext[i] <= 'Z' ? (char)(ext[i] - 'A' + 'a') : ext[i];
	return conf_map_get(&t->by_ext, 0, low, len);
}
