/* SPDX-License-Identifier: Apache-2.0 */
/** The throw-away server of `bulkhead --selftest`: a directory, a configuration, a process, and questions to it. */
#ifndef SELFTEST_SERVER_H
#define SELFTEST_SERVER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/cli/cmdline.h"

#define SELFTEST_SECRET "secret of the other site"

struct selftest_server {
	char dir[96];             /* below TMPDIR or /tmp; owned, removed at the end; short: a socket lies in it */
	pid_t pid;                /* the master */
	bool privileged;
	uid_t attacker, victim;   /* the sites' users; the same where we are no root */
	bool legacy;              /* SandboxProfile legacy was given */
	int tcp, abstract;        /* we listen: what no cell should reach */
	off_t log_seen;           /* of its error log, how much was looked at */
};

struct selftest_answer {
	int status;               /* 0: no answer */
	struct buf text;          /* head and body */
	const char *body;         /* in @text */
};

/** Make the directory with both sites. Returns 0 or minus enum gw_err, with the reason printed. */
int selftest_server_make(struct selftest_server *s, const struct cmdline *cmd) GW_MUST_USE;

/** Start it and wait until it answers. Returns 0 or minus enum gw_err, with the reason and its log printed. */
int selftest_server_start(struct selftest_server *s, const struct cmdline *cmd) GW_MUST_USE;

/** End it and remove what was made. */
void selftest_server_end(struct selftest_server *s);

/** Write @text to the script @name of @site. Returns 0 or GW_ERR_SYS. */
int selftest_server_script(const struct selftest_server *s, const char *site, const char *name, const char *const *text) GW_MUST_USE;

/** Ask @site for @path and wait for the whole answer. @a: initialised text. */
void selftest_server_ask(const struct selftest_server *s, const char *site, const char *path, struct selftest_answer *a);

/** What the error log says since the last call; @out is emptied before. */
void selftest_server_log(struct selftest_server *s, struct buf *out);

#endif
