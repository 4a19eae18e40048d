/* SPDX-License-Identifier: Apache-2.0 */
/**
 * mail() without sendmail. PHP itself builds the message, checks it against injected fields, writes mail.log and adds
 * X-PHP-Originating-Script; then it starts sendmail_path with popen(3) and writes the message there. In a profile without
 * exec sendmail_path is SAPI_MAIL_COMMAND, and the popen() that PHP finds is this program's own: for that one command it
 * collects the message, and pclose() hands it to the mail process. So mb_send_mail() and error_log(..., 1) work, too.
 */
#ifndef SAPI_MAIL_H
#define SAPI_MAIL_H

#include <stdbool.h>

#include "sandbox/spec.h"

#define SAPI_MAIL_COMMAND "bulkhead-mail -t -i"

/** Whether mail() of this site is ours; else it is PHP's own, by the sendmail_path of its configuration. */
bool sapi_mail_is_ours(const struct spec *s);

/** Note what cells need; @s stays. In the zygote, before it forks. */
void sapi_mail_init(const struct spec *s);

#endif
