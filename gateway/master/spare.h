/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Processes of bulkhead-php that have been executed and have loaded PHP's libraries, and wait to be told whose zygote they
 * become. Each becomes one zygote at most, so none shares its address-space layout with another. They know of no site.
 * Master only.
 */
#ifndef SPARE_H
#define SPARE_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "gateway/base/loop.h"
#include "gateway/master/site_cgroup.h"

#define SPARES_MAX 32

struct spare {
	char *program;       /* owned */
	pid_t pid;           /* 0: none now */
	int chan;            /* our end; -1: none */
	struct site_leaf *leaf; /* its cgroup, without bounds yet; NULL: none */
};

struct spares {
	struct loop *loop;
	struct site_cgroups *cgroups;
	struct loop_timer timer;    /* starts what is missing */
	struct spare v[SPARES_MAX];
	size_t n;
	unsigned failures;          /* that ended unused since one was used */
};

/** Caller storage. */
void spares_init(struct spares *s, struct loop *l, struct site_cgroups *cgroups);

/** Have as many as @c says of every PHP that its virtual hosts run; those that wait end: PHP's files may be others now. */
void spares_set(struct spares *s, const struct conf *c);

/** One of @program: its process, *@chan and *@leaf, now the caller's. 0: there is none. A new one is started a little later. */
pid_t spares_take(struct spares *s, const char *program, int *chan, struct site_leaf **leaf);

/** Child @pid ended: true when it was one that waited. */
bool spares_reaped(struct spares *s, pid_t pid);

/** End all and start none any more. */
void spares_end(struct spares *s);

#endif
