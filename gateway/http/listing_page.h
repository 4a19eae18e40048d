/* SPDX-License-Identifier: Apache-2.0 */
/** A directory's content as an HTML page: a table that can be sorted, in the reader's light or dark colours. Pure, any thread. */
#ifndef LISTING_PAGE_H
#define LISTING_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

struct listing_entry {
	const char *name;        /* any octets but "/" and NUL; without a slash at the end */
	bool dir;
	int64_t size;            /* octets; of a file */
	time_t mtime;            /* 0: unknown */
	const char *description; /* plain text, or NULL */
};

/* What a page is ordered by, and how. */
struct listing_order {
	char key;                /* 'N' name, 'M' time of change, 'S' size, 'D' description */
	bool descending;
	bool folders_first, ignore_case, versions; /* versions: file2 before file10 */
};

struct listing_page {
	const char *path;        /* decoded URL path, with a slash at the end */
	const struct listing_entry *entries; /* in order */
	size_t entries_n;
	struct listing_order order;
	bool date, size, description; /* columns */
	bool links;              /* column heads are links that sort */
	bool more;               /* there are more entries than these */
	const char *above, *below; /* HTML shown before and after the table, trusted; NULL: none */
};

/**
 * What a query ("C=M;O=D", as Apache's) asks for, into @order; parts that mean nothing are ignored. @query may be NULL.
 */
void listing_query(const char *query, struct listing_order *order);

/** Put @n entries in order. Names decide between what is else alike. */
void listing_sort(struct listing_entry *entries, size_t n, const struct listing_order *order);

/** Append the page. GW_ERR_NOMEM. */
int listing_page(struct buf *out, const struct listing_page *p) GW_MUST_USE;

#endif
