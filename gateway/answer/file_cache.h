/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a loop remembers of paths that were asked for: where each led, and the file with its small content or its open
 * descriptor. So a file that is asked for often costs no system call but those that carry its octets.
 *
 * An entry is a route that was walked in full: access, links and handler were decided on the very descriptor that is kept,
 * by a configuration that never changes while it lives. It is believed for the time that OpenFileCache says (a quarter of a second);
 * then the path is walked anew, and what is found unchanged is kept. A large file is looked at each time, so that one
 * that was rewritten in place is never cut short. What nobody asks for leaves after FILE_CACHE_IDLE_MS, so that no
 * deleted file holds its space for long.
 *
 * Bounded: entries, descriptors, octets of content, names that are not there (each its own list, oldest use first out).
 * One thread.
 */
#ifndef FILE_CACHE_H
#define FILE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "gateway/answer/route.h"
#include "gateway/answer/served_file.h"

#define FILE_CACHE_IDLE_MS 10000

struct file_cache;

enum file_class { FILE_SMALL, FILE_OPEN, FILE_MISSING, FILE_CLASSES }; /* small: also scripts, of which only the path is known */

struct file_entry {
	struct route route;                     /* strings are this entry's; no descriptor */
	struct served_file file;                /* ROUTE_STATIC only */
	struct served_file *coded[CODINGS_N];   /* precompressed neighbours; NULL: none */
	unsigned codings;                       /* CODING_BIT()s of those that are there */
	/* private */
	struct file_cache *cache;               /* NULL: not in one */
	struct file_entry *hash_next, *newer, *older;
	unsigned refs;
	enum file_class class;
	uint64_t hash, until_ms, used_ms;
	const struct conf_server *server;
	const char *path;
	size_t octets;
	bool settled;                           /* read long enough after the last change to tell a further one by its time */
};

struct file_list {
	struct file_entry *newest, *oldest;
	unsigned n, max;
};

struct file_cache {
	const struct conf *conf;
	struct file_entry **table;              /* NULL: nothing is remembered */
	size_t table_n;                         /* a power of two */
	uint64_t seed;
	struct file_list lists[FILE_CLASSES];
	int64_t octets, octets_max;
	unsigned age_ms;
};

/**
 * Caller storage. @conf says how much; at most @fds_max descriptors are kept whatever it says. Without memory, or with
 * OpenFileCache Off, nothing is remembered, and everything works.
 */
void file_cache_init(struct file_cache *c, const struct conf *conf, unsigned fds_max);

/** Forget everything; entries in use live on until they are given back. */
void file_cache_fini(struct file_cache *c);

/** What is known of @path at @server: a reference, to be given back by file_entry_unref(), or NULL. @now_ms: the loop's clock. */
struct file_entry *file_cache_find(struct file_cache *c, const struct conf_server *server, const char *path, uint64_t now_ms);

/**
 * An entry of @r, which was found for @path just now, and with @keep remember it if it is worth it. Takes r's descriptors
 * over. Returns a reference, always for a file; or NULL: for a route that no entry is made of (r is as it was), or when
 * memory is out and *@oom was set (r is closed).
 */
struct file_entry *file_cache_add(struct file_cache *c, const struct conf_server *server, const char *path, struct route *r,
	uint64_t now_ms, bool keep, bool *oom);

/** Give a reference back. NULL is accepted. */
void file_entry_unref(struct file_entry *e);

/** Drop what has not been used for FILE_CACHE_IDLE_MS. Returns whether anything is left to look after. */
bool file_cache_sweep(struct file_cache *c, uint64_t now_ms);

/** Close what can be closed: descriptors have run out. Returns whether there was any. */
bool file_cache_release_fds(struct file_cache *c);

#endif
