/* SPDX-License-Identifier: Apache-2.0 */
/** Starting a site's zygote: bulkhead-phpX.Y in a fresh address space, told only about its own site. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"

/**
 * Start the zygote of @site. *@chan gets the front's end of its channel (close-on-exec), the caller's to pass on and close.
 * @privileged: the zygote starts as root and becomes the site's user itself. Returns its pid, or minus enum gw_err with
 * *@why a text for the log. Master only.
 */
pid_t launch_zygote(const struct conf_server *site, bool privileged, int *chan, const char **why) GW_MUST_USE;

/** Path of bulkhead-php for @version (NULL: the newest built), beside our own executable or in its installed place. Static storage. */
const char *launch_program(const char *version);

#endif
