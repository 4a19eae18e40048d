/* SPDX-License-Identifier: Apache-2.0 */
/** Configurations for unit tests: text in, conf_load() out. One temporary directory per process, removed at the end. */
#ifndef CONF_FIXTURE_H
#define CONF_FIXTURE_H

#include <stdbool.h>

#include "conf/conf.h"
#include "tests/unit/unit.h"

struct fixture {
	struct conf_diags d;
	struct conf *c;         /* NULL when there were errors */
	struct conf_cache *cc;  /* NULL with c */
};

/** The directory, made at the first call; not ended by a slash. */
const char *fixture_dir(void);

/** Write @text to @name below fixture_dir() (directories are made). */
void fixture_file(const char *name, const char *text);

/** Load @text as the main file DIR/main.conf; "Listen 127.0.0.1:8080" is added at the end. */
void fixture_load(struct fixture *f, const char *text, bool need_root);

/** As fixture_load() for a text that must have no error; prints the diagnostics when it has. */
void fixture_good(struct fixture *f, const char *text);

void fixture_free(struct fixture *f);

/** Whether a diagnostic of this kind at line:column holds @part; 0 for any line or column. */
bool fixture_said(const struct fixture *f, bool error, unsigned line, unsigned column, const char *part);

/** Effective settings for a host's directory, file and URL path. Never NULL. */
const struct conf_dir *fixture_dir_for(struct fixture *f, const struct conf_server *s, const char *dir, const char *file, const char *uri);

/** The text that a dumping function writes; the caller frees it. */
char *fixture_dump(void (*dump)(const struct conf *c, int fd), const struct conf *c);

#endif
