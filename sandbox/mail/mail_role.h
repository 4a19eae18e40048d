/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The mail process: takes messages of mail() from the cells of its generation's sites and hands them to their relays. It
 * knows a site by the channel that the master gave it for that site, never by what a message says.
 */
#ifndef MAIL_ROLE_H
#define MAIL_ROLE_H

#include <stdbool.h>

#include "conf/conf.h"

/**
 * Be the mail process until the master closes @chan and the last message is dealt with. @logs: where the lines of
 * @c->log_files go. Call in a process of its own that has only their descriptors, standard streams and @chan open; never returns.
 */
_Noreturn void mail_main(const struct conf *c, int chan, const struct log_sink *logs, bool privileged);

#endif
