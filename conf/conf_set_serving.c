/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of how files are answered: what names mean, validators, neighbours, fallbacks, the open-file cache. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "gateway/http/accept_encoding.h"

/* --- character sets, codings, languages by extension --------------------------------------------------------------------- */

/* What may stand in Content-Type's charset, Content-Encoding, Content-Language. */
static bool meta_value_ok(const char *s)
{
	const char *p = s;

	while (isalnum((unsigned char)*p) || (*p != '\0' && strchr("-_.:+", *p) != NULL))
		p++;
	return p != s && *p == '\0';
}

static void meta_add(struct conf_build *b, const struct conf_node *n, int arg, enum conf_meta_kind kind, const char *value)
{
	const char *ext = conf_extension(b, n, arg);
	struct conf_serving *s = &b->dir->serving;
	struct conf_meta *slot;

	if (ext == NULL)
		return;
	char *lower = conf_lower(b->a, ext);
	struct conf_meta *v = conf_push(b->a, s->metas, s->metas_n, sizeof(*v));
	if (lower == NULL || v == NULL) {
		b->oom = true;
		return;
	}
	s->metas = v;
	slot = &v[s->metas_n++];
	*slot = (struct conf_meta){.ext = lower, .kind = kind, .value = value};
}

/* AddCharset, AddEncoding, AddLanguage: d->lo says which. */
void conf_set_add_meta(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *value = n->args[0].text;

	if (!meta_value_ok(value)) {
		conf_error(b, n, 0, "%s: '%s' cannot stand in a header field", n->name.text, value);
		return;
	}
	for (size_t i = 1; i < n->args_n; i++)
		meta_add(b, n, (int)i, (enum conf_meta_kind)d->lo, value);
}

void conf_set_remove_meta(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	for (size_t i = 0; i < n->args_n; i++)
		meta_add(b, n, (int)i, (enum conf_meta_kind)d->lo, NULL);
}

void conf_set_default_language(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *value = n->args[0].text;

	(void)d;
	if (!meta_value_ok(value)) {
		conf_error(b, n, 0, "DefaultLanguage: '%s' is not a language tag", value);
		return;
	}
	b->dir->serving.set |= CONF_SV_LANGUAGE;
	b->dir->serving.default_language = strcasecmp(value, "none") == 0 ? NULL : value;
}

/* --- words with + and - ------------------------------------------------------------------------------------------------------ */

const struct conf_bit_word *conf_bit_word_find(struct conf_build *b, const struct conf_node *n, int arg, const char *word,
	const struct conf_bit_word *table)
{
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, word);
	for (; table->word != NULL; table++) {
		if (strcasecmp(table->word, word) == 0)
			return table;
		conf_suggest_try(&s, table->word);
	}
	conf_error(b, n, arg, "%s: there is no '%s'%s", n->name.text, word, conf_suggest_text(&s, more, sizeof(more)));
	return NULL;
}

void conf_bits_apply(struct conf_bits *bits, char sign, unsigned value)
{
	if (sign == '\0') {
		/* The first plain word forgets what is inherited, and what had a sign before it. */
		if (!bits->whole)
			*bits = (struct conf_bits){.whole = true};
		bits->on |= value;
	} else if (sign == '+') {
		bits->on |= value;
		bits->off &= ~value;
	} else {
		bits->on &= ~value;
		bits->off |= value;
	}
}

static const struct conf_bit_word etag_words[] = {
	{"MTime", CONF_ETAG_MTIME, NULL}, {"Size", CONF_ETAG_SIZE, NULL}, {"INode", CONF_ETAG_INODE, NULL},
	{"All", CONF_ETAG_MTIME | CONF_ETAG_SIZE | CONF_ETAG_INODE, NULL}, {"None", 0, NULL}, {NULL, 0, NULL},
};

void conf_set_file_etag(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_bits *bits = &b->dir->serving.etag;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *word = n->args[i].text;
		char sign = word[0] == '+' || word[0] == '-' ? word[0] : '\0';
		const struct conf_bit_word *w = conf_bit_word_find(b, n, (int)i, word + (sign != '\0'), etag_words);
		if (w == NULL)
			return;
		if (sign != '\0' && (w->bits == 0 || strcasecmp(w->word, "All") == 0)) {
			conf_error(b, n, (int)i, "FileETag: %s takes no + or -", w->word);
			return;
		}
		if (sign == '\0' && bits->whole && (i == 0 || w->bits == 0))
			*bits = (struct conf_bits){.whole = true}; /* a later line, or None, replaces */
		conf_bits_apply(bits, sign, w->bits);
	}
}

/* --- directories, missing files, neighbours ---------------------------------------------------------------------------------- */

void conf_set_dir_slash(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct conf_bit_word words[] = {
		{"On", CONF_SLASH_ON, NULL}, {"Off", CONF_SLASH_OFF, NULL}, {"NotFound", CONF_SLASH_NOTFOUND, NULL}, {NULL, 0, NULL},
	};
	const struct conf_bit_word *w = conf_bit_word_find(b, n, 0, n->args[0].text, words);

	(void)d;
	if (w == NULL)
		return;
	b->dir->serving.set |= CONF_SV_SLASH;
	b->dir->serving.slash = (enum conf_slash)w->bits;
}

void conf_set_fallback(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *path = n->args[0].text;

	(void)d;
	if (strcasecmp(path, "disabled") != 0 && path[0] != '/') {
		conf_error(b, n, 0, "FallbackResource: '%s' must begin with a slash, or be the word disabled", path);
		return;
	}
	if (strpbrk(path, "?#%") != NULL) {
		conf_error(b, n, 0, "FallbackResource: '%s' is taken as a path: no query and no escapes", path);
		return;
	}
	b->dir->serving.set |= CONF_SV_FALLBACK;
	b->dir->serving.fallback = path[0] == '/' ? path : NULL;
}

void conf_set_precompressed(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct conf_bit_word words[] = {
		{"br", CODING_BIT(CODING_BR), NULL}, {"gzip", CODING_BIT(CODING_GZIP), NULL},
		{"On", CODING_BIT(CODING_BR) | CODING_BIT(CODING_GZIP), NULL}, {"Off", 0, NULL}, {NULL, 0, NULL},
	};
	unsigned bits = 0;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const struct conf_bit_word *w = conf_bit_word_find(b, n, (int)i, n->args[i].text, words);
		if (w == NULL)
			return;
		if (n->args_n > 1 && i < 2 && (w - words) >= 2) {
			conf_error(b, n, (int)i, "PrecompressedFiles: %s stands alone", w->word);
			return;
		}
		bits |= w->bits;
	}
	b->dir->serving.set |= CONF_SV_PRECOMPRESSED;
	b->dir->serving.precompressed = bits;
}

/* --- OpenFileCache --------------------------------------------------------------------------------------------------------------- */

/* One key=value. Returns why not, or NULL. */
static const char *cache_key(struct conf_file_cache *c, const char *key, size_t len, const char *value)
{
	const char *why;
	int64_t v = 0;

	if (len == 3 && strncasecmp(key, "max", 3) == 0) {
		why = conf_value_int(value, 1, 100000, &v);
		c->files = why == NULL ? (unsigned)v : c->files;
	} else if (len == 7 && strncasecmp(key, "missing", 7) == 0) {
		why = conf_value_int(value, 0, 100000, &v);
		c->missing = why == NULL ? (unsigned)v : c->missing;
	} else if (len == 3 && strncasecmp(key, "age", 3) == 0) {
		why = conf_value_time(value, 10, 60000, &c->age_ms);
	} else if (len == 6 && strncasecmp(key, "memory", 6) == 0) {
		why = conf_value_size(value, 0, INT64_C(1) << 40, &v);
		c->memory = why == NULL ? v : c->memory;
	} else {
		why = "is none of age=, max=, memory=, missing=";
	}
	return why;
}

void conf_set_file_cache(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_file_cache c = CONF_FILE_CACHE_DEFAULT;

	(void)d;
	if (n->args_n == 1 && strcasecmp(n->args[0].text, "off") == 0) {
		b->c->file_cache = (struct conf_file_cache){0};
		return;
	}
	for (size_t i = 0; i < n->args_n; i++) {
		const char *word = n->args[i].text, *eq = strchr(word, '=');
		if (n->args_n == 1 && strcasecmp(word, "on") == 0)
			break;
		const char *why = eq == NULL ? "is none of age=, max=, memory=, missing=" : cache_key(&c, word, (size_t)(eq - word), eq + 1);
		if (why != NULL) {
			conf_error(b, n, (int)i, "OpenFileCache: '%s' %s", word, why);
			return;
		}
	}
	b->c->file_cache = c;
}
