/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A representation of a static file: its octets, and the field lines that every answer with it has. The file itself is one;
 * each precompressed neighbour is another. Made once for a file that is open, used for any number of answers.
 */
#ifndef SERVED_FILE_H
#define SERVED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/http/accept_encoding.h"
#include "gateway/http/etag.h"

#define SERVED_FILE_SMALL 16384 /* octets: a file up to this is sent from memory in one piece with its head, a larger one by sendfile(2) */

struct served_file {
	struct stat st;
	int fd;               /* owned; -1 when data holds the whole file */
	uint8_t *data;        /* owned; st.st_size octets, or NULL */
	char etag[ETAG_LEN_MAX]; /* "": none */
	const char *type;     /* value of Content-Type, or NULL */
	char *lines;          /* owned: Last-Modified, ETag, Vary, Accept-Ranges; then Content-Encoding, Content-Language; then Content-Type */
	size_t validators_len;/* octets of lines for a 304 */
	size_t plain_len;     /* without Content-Type */
	size_t lines_len;
};

/* What a representation is made from. */
struct served_source {
	const struct conf *conf;
	const struct conf_dir *dir;  /* effective settings of the file that was asked for */
	const char *name;            /* its name without directories: says type and language, also for its neighbours */
	enum coding coding;          /* of this representation */
	bool varies;                 /* there are others: Vary: Accept-Encoding */
	const struct stat *st;       /* of this representation's file */
};

/**
 * Fill in all but st, fd and data, which the caller sets. Returns 0, or GW_ERR_NOMEM with nothing to free.
 */
int served_file_describe(struct served_file *f, const struct served_source *s) GW_MUST_USE;

/**
 * Describe @f by somebody else's fields: its validators stay, @fields (http/field_lines.h) take the place of the rest; its own
 * type counts only where they name none. Returns 0, or GW_ERR_NOMEM with @f as it was.
 */
int served_file_relabel(struct served_file *f, const struct buf *fields) GW_MUST_USE;

/** Read a small file into memory and close it; whether that succeeded. Otherwise nothing has changed. */
bool served_file_load(struct served_file *f);

/** Free and close what it owns. */
void served_file_fini(struct served_file *f);

#endif
