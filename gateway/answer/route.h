/* SPDX-License-Identifier: Apache-2.0 */
/** From a URL path to what answers it: alias or document root, access, script and path info, index file, handler. */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "gateway/base/arena.h"
#include "gateway/http/accept_encoding.h"
#include "gateway/static/file_open.h"
#include "gateway/static/root_cache.h"

enum route_kind {
	ROUTE_STATUS,    /* answer with ->status (an error) */
	ROUTE_REDIRECT,  /* answer with ->status and Location ->location (status 410 etc.: no location) */
	ROUTE_STATIC,    /* ->fd, ->st */
	ROUTE_LISTING,   /* ->fd is a directory to list */
	ROUTE_PHP,       /* ->script and the rest; by the virtual host's dispatch, or ->pool */
};

/* Precompressed neighbours of a file, by coding. */
struct route_variants {
	struct {
		int fd;              /* -1: there is none, or it is older than the file, or may not be asked for */
		struct stat st;
	} v[CODINGS_N];
};

struct route {
	enum route_kind kind;
	int status;
	const char *why;             /* for the error log; NULL: not worth a line */
	const char *location;        /* ROUTE_REDIRECT: path or absolute URL, already encoded */
	const struct conf_dir *dir;  /* effective settings; never NULL once routed */
	int fd;                      /* -1, or open on the file; owned by the request */
	struct stat st;
	const char *root;            /* document root or alias target, no slash at the end */
	const char *context_prefix;  /* alias' URL prefix, "" for the document root */
	const char *script_name;     /* URL path of the file, index file included */
	const char *path_info;       /* rest of the URL path, "" for none */
	struct route_variants *variants; /* ROUTE_STATIC with PrecompressedFiles; NULL: not looked for */
	bool elsewhere;              /* what DirectoryIndex or FallbackResource name by a URL path of its own */
	const char *filename;        /* file-system path of the file; of a listed directory with a slash at the end */
	const struct conf_pool *pool;/* ROUTE_PHP: SetHandler "proxy:..."; NULL: the host's dispatch */
};

/* What routing uses of its thread. */
struct route_env {
	const struct conf *conf;
	struct conf_cache *cache;
	struct root_cache *roots;
	uint64_t now_ms; /* the loop's clock */
	struct conf_judge *judge; /* for <If> */
	const char *kept; /* the path with its repeated slashes, which PATH_INFO is taken from; NULL: from the path itself */
};

/**
 * Route @path (decoded, normalised) of a request to @server. @query (may be NULL) only goes into redirects. Strings live
 * in @a. Opens at most the file to serve. Own thread (the caches').
 */
void route_find(struct route *r, struct arena *a, const struct route_env *env, const struct conf_server *server,
	const char *path, const char *query);

/**
 * Whether entry @name (a directory: @dir) of the directory that @r lists at @path may be asked for: what is denied is not
 * shown either. Own thread (the cache's).
 */
bool route_may_list(const struct route *r, const struct route_env *env, const struct conf_server *server, const char *path,
	const char *name, bool dir);

/** How @d wants symbolic links treated. */
enum file_links route_links(const struct conf_dir *d);

/** Close what route_find() opened. */
void route_close(struct route *r);

#endif
