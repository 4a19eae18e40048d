/* SPDX-License-Identifier: Apache-2.0 */
/** The command line, as Apache's administrators know it. */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

enum cmd_action {
	CMD_RUN, CMD_CHECK, CMD_VHOSTS, CMD_COMPILED, CMD_VERSION, CMD_BUILD, CMD_HELP, CMD_REFERENCE, CMD_SIGNAL, CMD_STATUS,
	CMD_LEARNED,
	CMD_SELFTEST
};

#define CMD_LIST_MAX 64

struct cmdline {
	enum cmd_action action;
	const char *file;        /* -f */
	const char *root;        /* -d */
	const char *signal;      /* -k's word */
	const char *learned;     /* --learned's file */
	const char *selftest;    /* --selftest=: what of it, "" for all */
	bool foreground;
	size_t defines_n, before_n, after_n;
	const char *defines[CMD_LIST_MAX], *before[CMD_LIST_MAX], *after[CMD_LIST_MAX];
};

/** Parse; prints what is wrong to stderr and returns false. Strings are argv's. */
bool cmdline_parse(struct cmdline *c, int argc, char **argv);

/** --help. */
void cmdline_help(void);

#endif
