/* SPDX-License-Identifier: Apache-2.0 */
/**
 * From files to a tree of directives and sections. What Apache does while reading is done here: Include, Define,
 * ${NAME}, <IfModule>, <IfDefine>, <IfVersion>, <IfFile>, LoadModule's name, ServerRoot. What directives mean is not
 * known here, so the same parser reads the server's files and per-directory files.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "conf/conf_diag.h"
#include "conf/conf_keep.h"
#include "conf/conf_lex.h"
#include "conf/conf_vars.h"

struct conf_node {
	const char *file;
	struct conf_word name;       /* as written */
	bool section;
	size_t args_n;
	struct conf_word *args;      /* ${NAME} replaced */
	struct conf_node *parent;    /* NULL at the top */
	struct conf_node *children, *last, *next;
};

struct conf_open;

struct conf_parser {
	struct arena *a;             /* borrowed: nodes and words */
	struct conf_diags *d;        /* borrowed */
	struct conf_vars vars;
	struct conf_node root;
	const char *server_root;     /* base of relative names; follows ServerRoot */
	bool follow;                 /* false: Include and <IfFile> look at no file (fuzzing, per-directory files) */
	bool oom;
	struct conf_sites *sites;    /* site files are told apart in it; NULL: they are not */
	/* private */
	struct conf_site *site;      /* the one being read */
	struct conf_node *at;
	struct conf_open *open, *base;
	unsigned depth;              /* open sections */
	unsigned files;              /* read so far */
	struct conf_source *source;  /* the file being read, and who included it */
};

/** Version that <IfVersion> compares with: the Apache release whose language is spoken. */
#define CONF_APACHE_VERSION {2, 4, 62}

/** Caller storage; nodes go to @a, diagnostics to @d, both borrowed. */
void conf_parser_init(struct conf_parser *p, struct arena *a, struct conf_diags *d);

/** Read a file with all it includes; what is wrong goes to the diagnostics. */
void conf_parse_file(struct conf_parser *p, const char *path);

/** Read @len octets as if they were the file @name (kept by reference). */
void conf_parse_text(struct conf_parser *p, const char *name, const char *text, size_t len);

/** Include and IncludeOptional of @n (conf_include.c). Private. */
void conf_parse_include(struct conf_parser *p, const struct conf_node *n, bool optional);

/** An error or warning at word @arg of @n (-1: at its name). */
void conf_node_say(struct conf_diags *d, bool error, const struct conf_node *n, int arg, const char *fmt, ...)
	GW_PRINTF(5, 6);

#endif
