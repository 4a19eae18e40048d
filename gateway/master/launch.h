/* SPDX-License-Identifier: Apache-2.0 */
/** Starting a site's zygote: bulkhead-phpX.Y in a fresh address space, told only about its own site. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"

struct spares;
struct site_cgroups;
struct site_leaf;

/* What the master has for it. */
struct launch {
	bool privileged;              /* the zygote starts as root and becomes the site's user itself */
	struct spares *spares;
	struct site_cgroups *cgroups;
};

/**
 * Start the zygote of @site, a host of @c, or use a spare one. *@chan gets the front's end of its channel (close-on-exec), the caller's to
 * pass on and close; @mail the site's channel to the mail process, or -1, is closed here; *@leaf its cgroup (NULL: it has none), the caller's to end. Returns its pid, or minus enum gw_err with
 * *@why a text for the log. Master only.
 */
pid_t launch_zygote(const struct launch *l, const struct conf *c, const struct conf_server *site, int mail, int *chan, struct site_leaf **leaf,
	const char **why) GW_MUST_USE;

/** Start @program without a site: see gateway/master/spare.h. *@chan gets our end of its channel. Returns as launch_zygote(). */
pid_t launch_spare(struct site_cgroups *cgroups, const char *program, int *chan, struct site_leaf **leaf,
	const char **why) GW_MUST_USE;

/** Path of bulkhead-php for @version (NULL: the newest built), beside our own executable or in its installed place. Static storage. */
const char *launch_program(const char *version);

#endif
