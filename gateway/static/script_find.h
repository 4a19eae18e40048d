/* SPDX-License-Identifier: Apache-2.0 */
/** Which file a URL path names, and what of the path is left over for the script in it (RFC 3875 sections 4.1.5, 4.1.13). */
#ifndef SCRIPT_FIND_H
#define SCRIPT_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "gateway/base/err.h"
#include "gateway/static/file_open.h"

enum script_kind {
	SCRIPT_FILE,      /* a regular file: the whole path, or a script with a rest behind it (PATH_INFO) */
	SCRIPT_DIRECTORY, /* the whole path */
	SCRIPT_MISSING    /* anything else; status says what to answer */
};

struct script_found {
	int fd;         /* owned by the caller; -1 with SCRIPT_MISSING */
	bool path_only; /* fd is O_PATH: a script or directory that this process may not read */
	struct stat st; /* of fd */
	size_t len;     /* octets of the path up to the end of the file or directory; the rest begins with "/" or is empty.
	                 * Status 404, 414: of the longest part that is an existing directory, no slash at its end (0: the root).
	                 * Other statuses: 0 */
	int status;     /* SCRIPT_MISSING: 404, 403, 414, 500, 503; else 0 */
};

/**
 * Look for @path (normalised, begins with "/", NUL-terminated) beneath @root_fd. The first regular file along the path
 * counts: if the path goes on behind it, it must be a script, else nothing is there (a static file has no PATH_INFO). A
 * directory whose name looks like a script's is a directory. Names are compared by the file system alone, octet by octet.
 * @is_script says, for the last name of a file, whether it is a script; it is asked only when that matters: for a rest,
 * and for a file that cannot be read here. One open for a path that exists, some ten for the longest that does not.
 * Any thread.
 */
enum script_kind file_resolve_script(int root_fd, const char *path, enum file_links links,
	int (*is_script)(void *arg, const char *name), void *arg, struct script_found *out);

#endif
