/* SPDX-License-Identifier: Apache-2.0 */
/** Loaded objects that most requests never touch, out of the way until one does. */
#ifndef COLD_OBJECTS_H
#define COLD_OBJECTS_H

#include <stdbool.h>

/** The first of the descriptors that what has left comes back from, in the zygote and in its cells: the image. */
#define COLD_OBJECTS_FD 61
#define COLD_OBJECTS_FDS_MAX 128

/** How many numbers from there on are of objects; 0: nothing is away, and they may be anybody's. */
unsigned cold_objects_fds(void);

/**
 * Take away what image_take(IMAGE_CODE) has moved of those objects that a rehearsed request leaves alone, some hundred of
 * Debian's extensions' libraries with two or three mappings each: fork(2) and exit(2) visit every mapping of a process.
 * Their addresses stay taken, by one mapping without rights where there were several.
 * The first access to any part of an object maps all of it again, where it was and as it was, by a handler of SIGSEGV;
 * each other fault ends the process as ever. An object leaves as a whole, so that its code cannot run, and hand memory of
 * its own to the kernel, which has no handler, before it is back. Code that is too large for the image comes back from the
 * object's file, of which cells keep a descriptor.
 *
 * @image: the sealed memfd; borrowed. @code: whether the filter lets a cell map code; otherwise objects in the image whole
 * stay, as does the code of others, which leave with their variables and their constants with addresses. In the zygote, one thread, SIGCHLD blocked, before the filter; afterwards nothing may take SIGSEGV's action away.
 * Best effort: what cannot be found out leaves objects where they are.
 */
void cold_objects_leave(int image, bool code);

#endif
