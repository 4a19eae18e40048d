/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The master: privileged, one thread, never reads a client's octet. Parses configuration, binds, opens logs, starts
 * fronts and zygotes, reaps and restarts them. What it hears from a front is a few fixed small messages, each checked
 * again here; a front that sends anything else is killed.
 */
#ifndef MASTER_H
#define MASTER_H

#include <stdbool.h>

#include "conf/conf.h"

struct conf_diags;
struct takeover;

struct master_opts {
	struct conf_load_opts load; /* for reloads */
	const struct conf_diags *diags; /* what is wrong with the first configuration; said already */
	bool foreground;            /* -X, -DFOREGROUND */
	const char *program;        /* absolute path of this program, for an upgrade */
	char *const *argv;          /* and how it was started */
	const struct takeover *from;/* what another master hands over; NULL or report -1: nothing */
};

/**
 * Run with @c (ownership passes) until told to stop. Returns the exit status of the process.
 * Errors before serving are printed to stderr. One thread.
 */
int master_run(struct conf *c, const struct master_opts *opts);

#endif
