/* SPDX-License-Identifier: Apache-2.0 */
/** From a member to the struct it is embedded in. */
#ifndef BASE_CONTAINER_H
#define BASE_CONTAINER_H

#include <stddef.h>

/** The @type whose @member @ptr points to. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
