/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a zygote remembers of the paths that its cells report, and which of them are next to be compiled. Pure: no system
 * call, the clock is an argument. What comes in was written by the site's scripts: every length is bounded, a full table
 * forgets, a path that does not get cached is asked for less and less often.
 */
#ifndef BH_OPCACHE_SEEN_H
#define BH_OPCACHE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_PATH_MAX 2048            /* octets of a report, with its NUL */
#define SEEN_SLOTS 8192               /* paths remembered; a power of two */
#define SEEN_BATCH_MAX 512            /* paths of one batch */
#define SEEN_TEXT_MAX (128 * 1024)    /* octets of all paths of one batch */
#define SEEN_AGAIN_MS 1000            /* a path that was cached may come again: its file changed */
#define SEEN_BACKOFF_MS 2500          /* after the first failure: longer than opcache.file_update_protection's default */
#define SEEN_BACKOFF_MAX_MS 600000

enum seen_result { SEEN_UNTRIED, SEEN_CACHED, SEEN_FAILED, SEEN_CRASHED };

struct seen_slot {
	uint64_t hash;      /* 0: free */
	uint64_t next_ms;   /* not before */
	uint32_t failures;
};

struct seen {
	uint64_t seed;                      /* so that nobody chooses which paths collide */
	struct seen_slot slots[SEEN_SLOTS];
	size_t part_n;                      /* a report of which the rest has not come yet */
	bool part_bad;
	char part[SEEN_PATH_MAX];
	size_t batch_n, text_n;
	struct seen_slot *batch_slot[SEEN_BATCH_MAX];
	uint32_t batch_at[SEEN_BATCH_MAX];  /* of each path, in text */
	char text[SEEN_TEXT_MAX];           /* NUL-terminated paths */
	void (*on_path)(const char *path);  /* for each path that was looked up; NULL: nobody asks */
	void (*on_pattern)(const char *pattern); /* for each regular expression that was used; NULL: nobody asks */
};

/*
 * A report's first octet: short_open_tag as it was when the file was compiled; or that a file's real path was looked up; or
 * that a regular expression was used, which follows; or a wish for an empty cache, without path.
 */
#define SEEN_TAGS_OFF '0'
#define SEEN_TAGS_ON '1'
#define SEEN_LOOKED_UP 'P'
#define SEEN_PATTERN 'E'
#define SEEN_RESET 'R'

/** Whether @report (@len octets and a NUL) is one of the first three and an absolute path without empty, "." and ".." segments. */
bool seen_is_report(const char *report, size_t len);

/**
 * Take @len octets read from the pipe: NUL-terminated reports. Those that are well formed, due and fit are added to the
 * batch. Returns how many asked for a reset (an empty cache) instead.
 */
unsigned seen_take(struct seen *s, const char *in, size_t len, uint64_t now_ms);

/** What became of path @i of the batch; SEEN_UNTRIED may be reported again at once. */
void seen_done(struct seen *s, size_t i, enum seen_result result, uint64_t now_ms);

/** Begin the next batch. */
void seen_clear_batch(struct seen *s);

/** Forget every path: the cache is empty. */
void seen_forget(struct seen *s);

#endif
