/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Site files that are broken. A site file is one that an Include with a wildcard or a directory names outside any section,
 * and that holds nothing but virtual hosts (and Define, Listen, LogFormat, conditions). Texts of those that loaded are kept;
 * one that does not load is replaced by its last good text, with all that it included, or, when there is none, by what can
 * be recognised of its hosts' names, which answer 503: never by nothing, because then another host would answer. Anything
 * that is wrong elsewhere fails the whole load. Private to conf/, but for conf_keep itself.
 */
#ifndef CONF_KEEP_H
#define CONF_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf_diag.h"
#include "conf/conf_lex.h"
#include "conf/conf_util.h"

struct conf_node;
struct conf_parser;

/* How a site file is read in this round. */
enum conf_site_mode {
	CONF_SITE_FRESH,    /* as it is on disk */
	CONF_SITE_KEPT,     /* its last good text */
	CONF_SITE_NAMES,    /* its hosts' names, certificates and conditions, and that they answer 503 */
	CONF_SITE_BARE,     /* nothing but the names */
	CONF_SITE_HOPELESS
};

/* A file's text, and the line that included it ("" for the site file itself). */
struct conf_text {
	const char *from, *path, *text;
	size_t len;
};

/* The last good texts of a site file. */
struct conf_kept {
	const char *path;
	size_t n;
	struct conf_text *v;
};

struct conf_keep;

/* A site file during a load. */
struct conf_site {
	const char *path;
	enum conf_site_mode mode;
	const struct conf_kept *kept;    /* NULL: never loaded */
	const char *text;                /* the broken one, from when mode rose above KEPT */
	size_t len;
	/* of this round: */
	bool raised;                     /* it was blamed */
	size_t n;
	struct conf_text *v;             /* what was read */
	bool impure;                     /* more than hosts is in it */
};

/* All site files of a load, over its rounds. */
struct conf_sites {
	struct arena a, round;           /* for the load; for a round */
	struct conf_keep *old;           /* borrowed; NULL: none */
	struct conf_map by_path;         /* -> struct conf_site */
	size_t n;
	struct conf_site **v;
	struct conf_map names;           /* a file's name, by its address, of this round -> struct conf_site */
	bool oom;
};

/** Begin a load that knows @old (may be NULL). */
void conf_sites_init(struct conf_sites *s, struct conf_keep *old);
void conf_sites_fini(struct conf_sites *s);

/** Forget what the last round read; modes stay. */
void conf_sites_round(struct conf_sites *s);

/** The site file @path, new or known. NULL when memory is out. */
struct conf_site *conf_sites_get(struct conf_sites *s, const char *path);

/** The file whose lines will name @name (compared by address) belongs to @site. */
void conf_sites_name(struct conf_sites *s, const char *name, struct conf_site *site);

/** Remember a text that @site read. */
void conf_sites_read(struct conf_sites *s, struct conf_site *site, const char *from, const char *path, const char *text, size_t len);

/** Read @site in @p as its mode says, which is not CONF_SITE_FRESH; @from: as in conf_text. */
void conf_sites_replay(struct conf_parser *p, const struct conf_site *site, const char *from);

/** Mark sites whose files say more than a site file may: @first is the first node of the tree. */
void conf_sites_judge(struct conf_sites *s, const struct conf_node *first);

/**
 * After a round with the errors @d: give every site that has one its next mode. False when an error lies elsewhere, or in a
 * site for which there is no next one: then the load has failed.
 */
bool conf_sites_blame(struct conf_sites *s, const struct conf_diags *d);

/** How many sites are not as they are on disk; says so for each in @d. */
size_t conf_sites_say(const struct conf_sites *s, struct conf_diags *d);

/** The texts to keep after a load that succeeded. NULL when memory is out. */
struct conf_keep *conf_sites_keep(const struct conf_sites *s);

/** conf_salvage.c: what of the site file @text says who its hosts are, as a text of its own in @a. NULL: nobody can say,
 * it is no site file, or memory is out. @bare: only names. */
char *conf_salvage(struct arena *a, const char *text, size_t len, bool bare);

/** Whether @name may stand in a site file outside of its hosts. */
bool conf_site_has(const char *name);

#endif
