/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Temporary files of request bodies and of answers that wait for their clients: unlinked from the start, in one directory,
 * and counted, so that clients fill neither the disk nor the share of other sites. What is taken is given back when a file is
 * closed. A front has one spool; with a reload the old front's files come on top of the new one's.
 * Any thread; a file belongs to one thread at a time.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

/* What all files of a front may hold together. */
struct spool {
	int dir_fd;          /* borrowed */
	int64_t max;         /* octets */
	_Atomic int64_t used;
	unsigned files_max;  /* open at once: each is a descriptor */
	_Atomic unsigned files;
};

/* Whom a full spool hinders: each is told of in lines of its own. */
enum spool_user { SPOOL_BODY, SPOOL_ANSWER, SPOOL_USERS };

/* One site's part of it. */
struct spool_site {
	struct spool *spool;
	int64_t max;         /* octets */
	_Atomic int64_t used;
	_Atomic unsigned files;
	_Atomic uint64_t said_ms[SPOOL_USERS]; /* when spool_may_say() last said yes */
};

/* A temporary file. */
struct spool_file {
	int fd;              /* -1: none */
	int64_t held;        /* octets counted for it: how far it has been written */
	struct spool_site *site;
};

/** @dir_fd (may be an O_PATH descriptor) stays the caller's. @max: octets. */
void spool_init(struct spool *s, int dir_fd, int64_t max);

/** @n files at once, half of them for one site; without this call, any number. Before other threads use it. */
void spool_limit_files(struct spool *s, unsigned n);

/** @site has @max octets of @s, or less when the others have taken theirs. */
void spool_site_init(struct spool_site *site, struct spool *s, int64_t max);

/** Octets that @site could take now. Others may be faster. */
int64_t spool_room(struct spool_site *site);

/** No file yet; nothing to close. */
void spool_file_init(struct spool_file *f);

/** An empty file of @site's; @f must have none. Returns 0, GW_ERR_FULL when there are too many already, or GW_ERR_SYS. */
int spool_file_open(struct spool_file *f, struct spool_site *site) GW_MUST_USE;

/**
 * Write all of @data at @off, where the file has to grow to at most @off + @n. Returns 0; GW_ERR_FULL when the quota has no
 * room for it, and nothing is written; GW_ERR_SYS when the disk has none or fails (errno), and part of it may be written.
 */
int spool_file_write(struct spool_file *f, const void *data, size_t n, int64_t off) GW_MUST_USE;

/** Close it and give back what it held. Harmless when there is none. */
void spool_file_close(struct spool_file *f);

/** Whether @err of spool_file_write() or spool_file_open() (errno with it) means that there is no room, not a broken disk. */
bool spool_is_full(int err);

/** Whether a line about a full spool should be logged: yes once in ten seconds for each site and @user. @now_ms: any steady clock. */
bool spool_may_say(struct spool_site *site, enum spool_user user, uint64_t now_ms);

/** An unlinked read-write temporary file in @dir_fd. Returns the descriptor, or -1 with errno. open(2), O_TMPFILE. */
int spool_tmpfile(int dir_fd) GW_MUST_USE;

#endif
