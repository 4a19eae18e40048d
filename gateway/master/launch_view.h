/* SPDX-License-Identifier: Apache-2.0 */
/** From a site's configuration to what its zygote is told of locks: layers, paths, ports. */
#ifndef LAUNCH_VIEW_H
#define LAUNCH_VIEW_H

#include "conf/conf.h"
#include "sandbox/sb_probe.h"
#include "sandbox/spec.h"

/** What launch_view_fill() allocates for a spec. */
struct launch_view {
	struct arena arena;
	char off[512];
};

/** The layers that @site is to have: bits of enum sb_layer. Pure. */
unsigned launch_view_layers(const struct conf_server *site, const struct sb_probe *can);

/**
 * Fill the fields of @s about layers, paths, network and ports for @site of @c, as far as @can allows; strings belong to
 * @v, which the caller frees with launch_view_fini() after the last use of @s. Looks at the file system for what PHP
 * settings name. Returns 0 or GW_ERR_NOMEM.
 */
int launch_view_fill(struct launch_view *v, const struct conf *c, const struct conf_server *site, const struct sb_probe *can,
	struct spec *s) GW_MUST_USE;

/** Free the strings that launch_view_fill() made; the spec must not be used any more. */
void launch_view_fini(struct launch_view *v);

#endif
