/* SPDX-License-Identifier: Apache-2.0 */
/** What the mail process gives up. */
#ifndef MAIL_LOCK_H
#define MAIL_LOCK_H

#include <stdbool.h>

#include "conf/conf.h"

/**
 * Become MailUser when @privileged, lose every capability and the way back, leave files and foreign TCP ports behind (where the
 * kernel has Landlock), load the system call filter. Exits when one of it
 * cannot be done. Once, in the mail process, with everything open that needs a name; one thread. Irreversible.
 */
void mail_lock(const struct conf *c, bool privileged);

#endif
