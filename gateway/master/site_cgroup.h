/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A cgroup for each zygote and its cells: server/ is the master and the fronts, z1, z2 ... are zygotes. A cgroup has no
 * bounds while its process is a spare one, and those of the site before the process is told of the site. During a reload
 * a site has two for a while, each with the bounds. Hits of bounds are noticed by inotify and logged with the site's name.
 * Owned by the master; one thread.
 */
#ifndef SITE_CGROUP_H
#define SITE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "gateway/base/loop.h"

struct site_cgroups; /* all of a server */
struct site_leaf;    /* a zygote's */

/**
 * Take the server's own subtree and watch it. NULL only when memory or descriptors are out (errno); where there is no
 * cgroup v2 for us all calls below do nothing but say so. @adopt: see cgroup_tree_open().
 */
struct site_cgroups *site_cgroups_new(struct loop *l, bool adopt);

/** Remove what can be removed, and free. The processes of all sites are gone, or being killed. @leave: another master has
 * the subtree, and only what we made ourselves is removed. */
void site_cgroups_free(struct site_cgroups *cs, bool leave);

/** Log, the first time, what there is; warn about bounds that @c names and that cannot hold here. */
void site_cgroups_check(struct site_cgroups *cs, const struct conf *c);

/**
 * A cgroup for a new process. *@out NULL: there are no cgroups here, go on without. Returns 0, or minus enum gw_err with
 * *@why (static text). Ends with site_leaf_end().
 */
int site_leaf_new(struct site_cgroups *cs, struct site_leaf **out, const char **why) GW_MUST_USE;

/**
 * Give it the bounds of @site, whose zygote its process becomes. Returns 0 (also for NULL), or minus enum gw_err with *@why
 * (static text) when a bound that @site names cannot be set: the zygote must not start then.
 */
int site_leaf_bound(struct site_cgroups *cs, struct site_leaf *leaf, const struct conf_server *site, const char **why) GW_MUST_USE;

/** Its directory, for clone3(CLONE_INTO_CGROUP); borrowed. -1 for NULL. */
int site_leaf_fd(const struct site_leaf *leaf);

/** Its path in the file system when there are cgroups in it for the cells, c0 ..., because the site's may start programs; else NULL. */
const char *site_leaf_cells(const struct site_leaf *leaf);

/** Its process has ended, or never began: kill what is left in it, and remove it as soon as that is gone. NULL is harmless. */
void site_leaf_end(struct site_cgroups *cs, struct site_leaf *leaf);

/**
 * The line of io.max for @io: "MAJOR:MINOR keys". A partition's bound is its disk's. Returns 0, or GW_ERR_SYS (no such
 * path) or GW_ERR_NOTFOUND (not on a disk).
 */
int site_cgroup_io_line(const struct conf_io_max *io, char *out, size_t size) GW_MUST_USE;

#endif
