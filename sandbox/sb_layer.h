/* SPDX-License-Identifier: Apache-2.0 */
/** The locks around a site that a kernel may lack, or an administrator switch off: a set of bits with a name each. */
#ifndef SB_LAYER_H
#define SB_LAYER_H

#include <stdbool.h>
#include <stddef.h>

enum sb_layer {
	SB_LAYER_MOUNT = 1,    /* a new root that holds the system read-only and the site's own directories */
	SB_LAYER_PID = 2,      /* sees no process but its own */
	SB_LAYER_IPC = 4,      /* System V IPC and POSIX queues of its own */
	SB_LAYER_UTS = 8,      /* a host name of its own */
	SB_LAYER_NET = 16,     /* a network of its own, with nothing in it or a loopback interface */
	SB_LAYER_CGROUP = 32,  /* its own control group is the root of all it sees */
	SB_LAYER_LANDLOCK = 64,/* files, TCP ports, signals and abstract sockets once more, by another part of the kernel */
	SB_LAYER_KEYRING = 128,/* a session keyring of its own */
	SB_LAYER_FILTER = 256, /* system calls of the profile only */
	SB_LAYERS_ALL = 511
};

/** Names separated by commas, "" for none. Returns whether all are known; each at most once. Pure. */
bool sb_layers_parse(const char *text, unsigned *layers);

/** The inverse, into @out (at least 64 octets hold all). Pure. */
void sb_layers_text(unsigned layers, char *out, size_t cap);

#endif
