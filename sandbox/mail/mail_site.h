/* SPDX-License-Identifier: Apache-2.0 */
/** What the mail process keeps for each site, and one message on its way. Private to sandbox/mail. */
#ifndef MAIL_SITE_H
#define MAIL_SITE_H

#include "conf/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "sandbox/mail/mail_rate.h"
#include "sandbox/mail/mail_wire.h"
#include "sandbox/mail/smtp_dialog.h"
#include "sandbox/mail/smtp_text.h"

#define MAIL_SITE_SESSIONS 4       /* messages of one site at once; others wait in its channel */
#define MAIL_SESSIONS_MAX 512      /* of all sites */
#define MAIL_BACKOFF_MS 10000      /* a relay that let a message time out is not asked by that site for so long */

struct mail_role;
struct mail_session;

struct mail_site {
	struct mail_role *role;
	const struct conf_server *conf;
	struct log_sink sink;
	struct mail_rate rate;
	unsigned sessions_n;
	uint64_t hung_until_ms;
	uint64_t log_second;           /* the second that log_lines were written in */
	unsigned log_lines, log_dropped;
	uint64_t counts[MAIL_FAILED + 1]; /* by enum mail_status */
	char sender[MAIL_ANSWER_MAX + 65]; /* the envelope sender when mail() names none */
};

struct mail_role {
	struct loop *loop;
	const struct conf *conf;
	struct mail_site **sites;      /* by server index; NULL: no mail */
	unsigned sessions_n;
	bool ending;                   /* the master has closed our channel */
	/* A session of @site has ended; it is freed already. */
	void (*session_ended)(struct mail_role *r, struct mail_site *site);
};

/** Begin to serve a cell on @fd, which is the session's from now on. Returns 0, or GW_ERR_NOMEM / GW_ERR_SYS (@fd is then closed). */
int mail_session_start(struct mail_site *site, int fd) GW_MUST_USE;

/** Log what became of a message and count it; at most a few lines a second and site. @about->script is the cell's own word. */
void mail_site_log(struct mail_site *site, const struct mail_answer *a, const struct log_about *about, const char *what);

#endif
