/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How files and directories are answered: validators, character sets and codings by name, precompressed neighbours, what
 * stands in for a directory or a missing file, and the form of a listing. Part of struct conf_dir; plain data.
 */
#ifndef CONF_SERVING_H
#define CONF_SERVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"

/* A set of bits that sections name whole, or change with + and -. In a merged result it is whole. */
struct conf_bits {
	bool whole;
	unsigned on, off;
};

enum conf_etag { /* bits of conf_serving.etag: what goes into a file's entity tag */
	CONF_ETAG_MTIME = 1, CONF_ETAG_SIZE = 2, CONF_ETAG_INODE = 4
};

enum conf_slash { /* DirectorySlash: a directory that is asked for without its slash */
	CONF_SLASH_ON,       /* is redirected to it */
	CONF_SLASH_OFF,      /* is not: nothing is there (404), since relative links would lead astray */
	CONF_SLASH_NOTFOUND  /* the same */
};

enum conf_meta_kind { CONF_META_CHARSET, CONF_META_ENCODING, CONF_META_LANGUAGE, CONF_META_KINDS };

/* AddCharset, AddEncoding, AddLanguage: what an extension says beside the media type. */
struct conf_meta {
	const char *ext;     /* lower case, without the dot */
	enum conf_meta_kind kind;
	const char *value;   /* NULL: removed again */
};

enum conf_list_option { /* bits of conf_listing.options: IndexOptions */
	CONF_LIST_FOLDERS_FIRST = 1,
	CONF_LIST_IGNORE_CASE = 2,
	CONF_LIST_VERSION_SORT = 4,   /* file2 before file10 */
	CONF_LIST_NO_DATE = 8,
	CONF_LIST_NO_SIZE = 16,
	CONF_LIST_NO_DESCRIPTION = 32,
	CONF_LIST_NO_SORTING = 64,    /* no links to sort by */
	CONF_LIST_IGNORE_CLIENT = 128 /* the query does not change the order */
};

struct conf_description {
	const char *pattern; /* of a name; matched by fnmatch(3), also at the end of a name */
	const char *text;
};

struct conf_listing {
	struct conf_bits options;
	char order;                 /* IndexOrderDefault: 'N' name, 'M' date, 'S' size, 'D' description */
	bool descending;
	const char *header, *readme;/* file names shown above and below, or NULL */
	size_t ignore_n, descriptions_n;
	const char *const *ignore;  /* patterns of names that are not shown */
	const struct conf_description *descriptions; /* the first that fits counts */
};

struct conf_serving {
	uint32_t set;               /* which of the fields below this level sets; private to conf/ */
	struct conf_bits etag;      /* CONF_ETAG_*; none: no entity tag */
	unsigned precompressed;     /* CODING_BIT()s of gateway/http/accept_encoding.h: neighbours that are looked for */
	enum conf_slash slash;
	const char *fallback;       /* FallbackResource: URL path, or NULL */
	const char *default_language;
	size_t metas_n;             /* search from the end */
	const struct conf_meta *metas;
	struct conf_listing listing;
};

/* The open-file cache of each loop. */
struct conf_file_cache {
	unsigned files;             /* most files known at once; 0: off */
	unsigned missing;           /* most names known not to be there; 0: none is remembered */
	unsigned age_ms;            /* what is known is believed for so long */
	int64_t memory;             /* octets of small files' contents */
};

/** What a configuration has where it says nothing. */
void conf_serving_defaults(struct conf_serving *s);

/** @over on top of *@s, which becomes the result; arrays are joined in @a. False when memory is out. */
bool conf_serving_merge(struct arena *a, struct conf_serving *s, const struct conf_serving *over);

/** The bits in force: @b, or @standard where nothing whole was ever named. */
unsigned conf_bits_value(const struct conf_bits *b, unsigned standard);

#endif
