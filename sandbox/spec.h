/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Everything a zygote is told about its site, and nothing of any other. The master encodes it into a sealed memfd;
 * bulkhead-php decodes it after exec. Pure text protocol: one "key<TAB>value\n" a setting, in values \\ \n \t and \0
 * escaped by a backslash; so it can be read by a person and fuzzed. Unknown or repeated single keys are errors.
 */
#ifndef SPEC_H
#define SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "sandbox/sb_policy.h"

#define SPEC_MAX (1024 * 1024) /* octets of an encoded spec */
#define SPEC_CHAN_FD 3         /* in bulkhead-php: channel to the front */
#define SPEC_SPEC_FD 4         /* in bulkhead-php: the sealed memfd with the spec, at offset 0; closed: it comes over the channel, later */
#define SPEC_MAIL_FD 5         /* in bulkhead-php, when the spec says mail: the site's channel to the mail process */
#define SPEC_PARENT_FD 6       /* in bulkhead-php: a pidfd of the master, where it has its own process namespace */

struct spec_ini {
	const char *name, *value;
	bool admin;
};

enum spec_path_kind {
	SPEC_PATH_RO,      /* named by the administrator: must be there */
	SPEC_PATH_RW,
	SPEC_PATH_AUTO_RO, /* follows from the configuration, as an Alias does: may be missing */
	SPEC_PATH_AUTO_RW,
	SPEC_PATH_AUTO_LIB /* code that PHP loads: the only such outside of the system's directories */
};

struct spec_path {
	const char *path; /* absolute */
	enum spec_path_kind kind;
};

/* TCP ports of one direction. */
struct spec_ports {
	bool any;   /* no rule */
	size_t n;
	const uint16_t *v; /* 0: one that the kernel chooses */
};

struct spec {
	const char *site;       /* name for logs and the process title */
	const char *docroot;
	const char *user;
	bool drop;              /* true: become uid/gid/groups below; false: started as an ordinary user, stays it */
	uid_t uid;
	gid_t gid;
	size_t groups_n;
	const gid_t *groups;
	const char *profile;    /* "php" ... a name of sb_profile_find() */
	const char *isolation;  /* a name of spec_level_find() */
	unsigned max_requests;  /* shared: requests before a cell is renewed; 0 = no limit */
	unsigned mail_timeout_ms; /* how long mail() may wait; 0: there is no mail process for this site */
	int64_t limit_nofile;   /* rlimits; -1 leaves the default of the role */
	struct sb_changes calls; /* SandboxAllow and SandboxDeny: names of system calls, checked again by sb_policy_make() */
	const char *cells_cgroup; /* directory with a cgroup for each cell; NULL: they have none */
	size_t ini_n;
	const struct spec_ini *ini;
	size_t trees_n;         /* beside the document root: where its scripts may be, files or directories, absolute */
	const char *const *trees;

	unsigned layers;        /* bits of enum sb_layer that must be in force; SB_LAYER_FILTER always is but for filter_off */
	bool filter_off;        /* the administrator switched the system call filter off */
	const char *off;        /* what is off and why, for the log; NULL or "": nothing */
	const char *network;    /* SB_LAYER_NET: "none" or "loopback"; NULL or "host" without it */
	int64_t tmp_size;       /* octets of the private /tmp; 0: the default of the role */
	bool parent;            /* the directory that the document root is in holds no other site and may be shown too */
	size_t paths_n;
	const struct spec_path *paths;
	struct spec_ports connect, bind;
};

/* What is left of one request for the next; as conf's RequestIsolation. */
enum spec_level { SPEC_FRESH, SPEC_ROLLBACK, SPEC_SHARED };

/** The level of that name ("fresh", "rollback", "shared"), or -1. A decoded spec's isolation has one. Pure. */
int spec_level_find(const char *name);

/** Append the encoding of @s to @out. Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE past SPEC_MAX. Pure. */
int spec_encode(const struct spec *s, struct buf *out) GW_MUST_USE;

/**
 * Decode @len octets; strings and arrays go to @a.
 * Returns 0, GW_ERR_PROTO (with *@why a static text), GW_ERR_NOMEM. Checks every field: isolation and
 * profile are names, numbers in range, site and docroot present. Pure.
 */
int spec_decode(const char *in, size_t len, struct arena *a, struct spec *s, const char **why) GW_MUST_USE;

#endif
