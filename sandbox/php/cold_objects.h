/* SPDX-License-Identifier: Apache-2.0 */
/** Loaded objects that most requests never touch, out of the way until one does. */
#ifndef COLD_OBJECTS_H
#define COLD_OBJECTS_H

#include <stdbool.h>

/** The image's descriptor, in the zygote and in its cells: what has left comes back from it. */
#define COLD_OBJECTS_FD 61

/** Whether that descriptor is it: where nothing is away, the number may be anybody's, and no cell keeps it. */
bool cold_objects_are_away(void);

/**
 * Take away what image_take(IMAGE_CODE) has moved of those objects that a rehearsed request leaves alone, some hundred of
 * Debian's extensions' libraries with two or three mappings each: fork(2) and exit(2) visit every mapping of a process.
 * Their addresses stay taken, by one mapping without rights where there were several.
 * The first access to any part of an object maps all of it again, where it was and as it was, by a handler of SIGSEGV;
 * each other fault ends the process as ever. An object leaves as a whole, so that its code cannot run, and hand memory of
 * its own to the kernel, which has no handler, before it is back. Of an object whose code is too large for the image that
 * stays, and its constants with the addresses of all functions that it calls leave together with its variables.
 *
 * @image: the sealed memfd; borrowed. @code: whether the filter lets a cell map code; otherwise objects in the image whole
 * stay. In the zygote, one thread, SIGCHLD blocked, before the filter; afterwards nothing may take SIGSEGV's action away.
 * Best effort: what cannot be found out leaves objects where they are.
 */
void cold_objects_leave(int image, bool code);

#endif
