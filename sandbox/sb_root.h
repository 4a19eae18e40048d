/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a site sees of the file system: directories and files of the host, each at its own path, in a new root or, without
 * the mount layer, as a list for Landlock alone. Sources are walked component by component, by descriptor, so a path
 * cannot be exchanged on the way; symbolic links are followed only when root made them, and appear in the new root as well.
 */
#ifndef SB_ROOT_H
#define SB_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define SB_SHOWN_MAX 256

enum sb_show_flag {
	SB_SHOW_WRITE = 1,
	SB_SHOW_EXEC = 2,  /* programs and libraries: the system's own */
	SB_SHOW_DEV = 4,   /* a device node */
	SB_SHOW_OWN = 8,   /* nothing of the host's: a private /tmp; set by sb_root_show_tmp() */
	SB_SHOW_EXACT = 16 /* also below something with more rights */
};

/* One thing that is shown. */
struct sb_shown {
	char *path;     /* where it really is, without links; owned */
	int fd;         /* O_PATH on it as the site will see it; owned */
	unsigned flags; /* bits of enum sb_show_flag */
	bool is_dir;
};

struct sb_root {
	bool attach;       /* false: only resolve and list */
	bool trust_links;  /* links of any owner count as root's: there is one user only */
	int host;          /* O_PATH on the host's / */
	int top;           /* the new root; -1 without attach */
	size_t n;
	struct sb_shown shown[SB_SHOWN_MAX];
	char at[PATH_MAX]; /* after an error: the path, resolved as far as it went */
};

/**
 * Begin, in a mount namespace of our own that is cut off from the host's (sb_root_cut_off()) when @attach.
 * Returns 0 or GW_ERR_SYS. One thread. The fds of @r are closed by sb_root_fini() and, all but those shown, by sb_root_switch().
 */
int sb_root_init(struct sb_root *r, bool attach, bool trust_links) GW_MUST_USE;

/** Close every descriptor and free every path. */
void sb_root_fini(struct sb_root *r);

/** A mount namespace of our own, in which nothing that is mounted is seen by the host. Returns 0 or GW_ERR_SYS. */
int sb_root_cut_off(void) GW_MUST_USE;

/**
 * Show @path (absolute) of the host. What is below something shown with the same rights already is not shown again.
 * Returns 0, GW_ERR_NOTFOUND, GW_ERR_DENIED (a link on the way that is not root's; r->at is the directory it is in),
 * GW_ERR_RANGE (too many, too long), GW_ERR_NOMEM or GW_ERR_SYS.
 */
int sb_root_show(struct sb_root *r, const char *path, unsigned flags) GW_MUST_USE;

/** As sb_root_show(), of the directory @fd (taken over) that is to appear at @path. Only with attach. */
int sb_root_show_fd(struct sb_root *r, int fd, const char *path, unsigned flags) GW_MUST_USE;

/** An empty file system in memory of at most @octets at @path, for everybody to write to. Without attach: the host's @path. */
int sb_root_show_tmp(struct sb_root *r, const char *path, uint64_t octets) GW_MUST_USE;

/** A file or a link of the new root itself. No effect without attach. Return 0 or GW_ERR_SYS. */
int sb_root_put_file(struct sb_root *r, const char *path, const char *text) GW_MUST_USE;
int sb_root_put_link(struct sb_root *r, const char *path, const char *target) GW_MUST_USE;

/** The new root becomes the root, read-only, and the host's goes. Irreversible. Returns 0 or GW_ERR_SYS. */
int sb_root_switch(struct sb_root *r) GW_MUST_USE;

#endif
