/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which scripts a cell runs: those of its site, whoever asks. The front looks at every path itself; this is for the day
 * when it is not the front that speaks, or the front speaks for somebody else.
 */
#ifndef SCRIPT_TREE_H
#define SCRIPT_TREE_H

#include <stdbool.h>

#include "sandbox/spec.h"

/**
 * Whether @path is an absolute path without ".." inside the document root or an alias of @s, and what it leads to as well: by
 * symbolic links out of them only where root made the link, or its owner owns what it leads to. That is the front's rule
 * for FollowSymLinks. What does not exist may pass: it is not found later. In a cell, inside a request or before one.
 */
bool script_tree_holds(const struct spec *s, const char *path);

#endif
