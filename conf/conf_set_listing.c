/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of the form of a directory listing. */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

#define OWN_STYLE "the page has a style of its own"
#define NO_ICONS "there are no icons"

static const struct conf_bit_word words[] = {
	{"FoldersFirst", CONF_LIST_FOLDERS_FIRST, NULL},
	{"IgnoreCase", CONF_LIST_IGNORE_CASE, NULL},
	{"VersionSort", CONF_LIST_VERSION_SORT, NULL},
	{"SuppressLastModified", CONF_LIST_NO_DATE, NULL},
	{"SuppressSize", CONF_LIST_NO_SIZE, NULL},
	{"SuppressDescription", CONF_LIST_NO_DESCRIPTION, NULL},
	{"SuppressColumnSorting", CONF_LIST_NO_SORTING, NULL},
	{"IgnoreClient", CONF_LIST_IGNORE_CLIENT | CONF_LIST_NO_SORTING, NULL},
	{"None", 0, NULL},
	{"FancyIndexing", 0, "every listing is a table"},
	{"HTMLTable", 0, "every listing is a table"},
	{"XHTML", 0, "the page is HTML 5"},
	{"Charset", 0, "the page is UTF-8"},
	{"Type", 0, "the page is HTML"},
	{"NameWidth", 0, OWN_STYLE},
	{"DescriptionWidth", 0, OWN_STYLE},
	{"SuppressRules", 0, OWN_STYLE},
	{"SuppressHTMLPreamble", 0, OWN_STYLE},
	{"UseOldDateFormat", 0, "dates are ISO 8601, in UTC"},
	{"AddAltClass", 0, OWN_STYLE},
	{"SuppressIcon", 0, NO_ICONS},
	{"IconsAreLinks", 0, NO_ICONS},
	{"IconHeight", 0, NO_ICONS},
	{"IconWidth", 0, NO_ICONS},
	{"ScanHTMLTitles", 0, "files are not opened to describe them"},
	{"ShowForbidden", 0, "what may not be asked for is not shown"},
	{"TrackModified", 0, "a listing is made anew for each request"},
	{NULL, 0, NULL},
};

void conf_set_index_options(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *word = n->args[i].text;
		char sign = word[0] == '+' || word[0] == '-' ? word[0] : '\0';
		char name[64];
		/* Words with a value have none that matters here. */
		size_t len = strcspn(word + (sign != '\0'), "=");
		if (len >= sizeof(name))
			len = sizeof(name) - 1;
		memcpy(name, word + (sign != '\0'), len);
		name[len] = '\0';
		const struct conf_bit_word *w = conf_bit_word_find(b, n, (int)i, name, words);
		if (w == NULL)
			return;
		if (w->noeffect != NULL)
			conf_build_noeffect(b, n, arena_printf(b->a, "IndexOptions %s", w->word), w->noeffect);
		if (w->bits == 0 && w->noeffect == NULL)
			b->dir->serving.listing.options = (struct conf_bits){.whole = true};
		conf_bits_apply(&b->dir->serving.listing.options, sign, w->bits);
	}
}

void conf_set_index_order(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	static const struct conf_bit_word ways[] = {{"Ascending", 0, NULL}, {"Descending", 1, NULL}, {NULL, 0, NULL}};
	static const struct conf_bit_word keys[] = {
		{"Name", 'N', NULL}, {"Date", 'M', NULL}, {"Size", 'S', NULL}, {"Description", 'D', NULL}, {NULL, 0, NULL},
	};
	const struct conf_bit_word *way = conf_bit_word_find(b, n, 0, n->args[0].text, ways);
	const struct conf_bit_word *key = conf_bit_word_find(b, n, 1, n->args[1].text, keys);

	(void)d;
	if (way == NULL || key == NULL)
		return;
	b->dir->serving.set |= CONF_SV_ORDER;
	b->dir->serving.listing.order = (char)key->bits;
	b->dir->serving.listing.descending = way->bits != 0;
}

void conf_set_index_ignore(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_listing *l = &b->dir->serving.listing;

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char **v = conf_push(b->a, l->ignore, l->ignore_n, sizeof(*v));
		if (v == NULL) {
			b->oom = true;
			return;
		}
		v[l->ignore_n++] = n->args[i].text;
		l->ignore = v;
	}
}

void conf_set_index_ignore_reset(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	(void)d;
	if (strcasecmp(n->args[0].text, "on") == 0)
		b->dir->serving.set |= CONF_SV_IGNORE_RESET;
	else if (strcasecmp(n->args[0].text, "off") != 0)
		conf_error(b, n, 0, "IndexIgnoreReset: '%s' is neither On nor Off", n->args[0].text);
}

/* HeaderName and ReadmeName: d->lo is 1 for the latter. */
void conf_set_index_text(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_serving *s = &b->dir->serving;
	const char *name = n->args[0].text;

	if (strchr(name, '/') != NULL) {
		/* Debian's own configuration names none such; a path from elsewhere would need access rules of its own. */
		conf_build_noeffect(b, n, n->name.text, "only a file in the listed directory is shown: its name, without a slash");
		return;
	}
	s->set |= d->lo == 0 ? CONF_SV_HEADER : CONF_SV_README;
	*(d->lo == 0 ? &s->listing.header : &s->listing.readme) = name;
}

void conf_set_description(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_listing *l = &b->dir->serving.listing;

	(void)d;
	for (size_t i = 1; i < n->args_n; i++) {
		const char *pattern = n->args[i].text;
		struct conf_description *v = conf_push(b->a, l->descriptions, l->descriptions_n, sizeof(*v));
		/* As Apache has it, ".txt" and "name.txt" fit at the end of a name. */
		char *anywhere = pattern[0] == '*' ? conf_dup(b, pattern) : arena_printf(b->a, "*%s", pattern);
		if (v == NULL || anywhere == NULL) {
			b->oom = true;
			return;
		}
		v[l->descriptions_n++] = (struct conf_description){.pattern = anywhere, .text = n->args[0].text};
		l->descriptions = v;
	}
}
