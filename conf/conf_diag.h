/* SPDX-License-Identifier: Apache-2.0 */
/** What is wrong with a configuration, as data: the library prints nothing. */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/arena.h"
#include "gateway/base/err.h"

struct conf_diag {
	const char *file;
	const void *origin;    /* where the name was copied from: files are told apart by it, as they may be read twice */
	unsigned line, column; /* from 1 */
	bool error;            /* else a warning */
	bool state;            /* a warning that says what is served instead of a file with errors */
	const char *text;      /* the reason, what to do, the nearest valid name */
};

struct conf_diags {
	struct arena arena;
	size_t n;                /* entries in v */
	size_t errors, warnings; /* all that were added */
	struct conf_diag *v;
};

/** An empty list. Caller storage. */
void conf_diags_init(struct conf_diags *d);

/** Free all. */
void conf_diags_fini(struct conf_diags *d);

/** Append one; copies its strings. Past 1000 entries only the counters move. */
void conf_diag_add(struct conf_diags *d, bool error, const char *file, unsigned line, unsigned column, const char *fmt, ...)
	GW_PRINTF(6, 7);

/** Print "file:line:column: error: text" lines to @fd in order of place, then a count. */
void conf_diags_print(const struct conf_diags *d, int fd);

#endif
