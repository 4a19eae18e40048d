/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/static/script_find.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/io.h"

struct search {
	int root_fd;
	enum file_links links;
	int (*is_script)(void *arg, const char *name);
	void *arg;
	struct script_found *out;
	char path[PATH_MAX];
};

/*
 * Open the first @len octets of the path. Returns 0, or minus a status. Where reading is forbidden, knowing that it is
 * there is enough for a script, which its owner's process will read, and for a directory, which may well be open to
 * passing through without a listing.
 */
static int open_part(struct search *s, size_t len)
{
	struct script_found *out = s->out;
	char kept = s->path[len];

	s->path[len] = '\0';
	out->path_only = false;
	out->fd = file_open(s->root_fd, s->path + 1, s->links, &out->st);
	if (out->fd == -403) {
		int fd = file_open_path(s->root_fd, s->path + 1, s->links, &out->st);
		if (fd >= 0 && (S_ISDIR(out->st.st_mode) || s->is_script(s->arg, strrchr(s->path, '/') + 1))) {
			out->fd = fd;
			out->path_only = true;
		} else {
			io_close(&fd);
		}
	}
	s->path[len] = kept;
	return out->fd < 0 ? out->fd : 0;
}

/* The octet behind the last name of the first @len: where its slash or the end is. */
static bool name_is_script(struct search *s, size_t len)
{
	char kept = s->path[len];

	s->path[len] = '\0';
	int yes = s->is_script(s->arg, strrchr(s->path, '/') + 1);
	s->path[len] = kept;
	return yes != 0;
}

static enum script_kind missing(struct script_found *out, int status, size_t len)
{
	if (out->fd >= 0)
		io_close(&out->fd);
	out->fd = -1;
	out->len = len;
	out->status = status;
	return SCRIPT_MISSING;
}

/* Length of the path without its last name and the slash before that. */
static size_t parent_len(const char *path, size_t len)
{
	while (len > 0 && path[--len] != '/')
		;
	return len;
}

/*
 * The whole path does not exist: find its longest part that does. If a part exists so do all shorter ones, and a file has
 * nothing below it, so halving finds it: a path of two thousand slashes costs no more than a dozen opens.
 */
static enum script_kind search_back(struct search *s, size_t len, int status)
{
	uint16_t ends[PATH_MAX]; /* where each part ends; part 0 is the root */
	size_t n = 0;

	ends[n++] = 0;
	for (size_t i = 1; i < len; i++)
		if (s->path[i] == '/')
			ends[n++] = (uint16_t)i;

	size_t there = 0, not_there = n;
	while (not_there - there > 1) {
		size_t middle = there + (not_there - there) / 2;
		int rc = open_part(s, ends[middle]);
		if (rc == -404 || rc == -414) {
			not_there = middle;
			continue;
		}
		if (rc < 0)
			return missing(s->out, -rc, 0);
		if (S_ISREG(s->out->st.st_mode)) {
			if (!name_is_script(s, ends[middle]))
				return missing(s->out, 404, parent_len(s->path, ends[middle]));
			s->out->len = ends[middle];
			return SCRIPT_FILE;
		}
		io_close(&s->out->fd);
		there = middle;
	}
	return missing(s->out, status, ends[there]);
}

enum script_kind file_resolve_script(int root_fd, const char *path, enum file_links links,
	int (*is_script)(void *arg, const char *name), void *arg, struct script_found *out)
{
	struct search s = {.root_fd = root_fd, .links = links, .is_script = is_script, .arg = arg, .out = out};
	size_t len = strlen(path);

	*out = (struct script_found){.fd = -1};
	if (len == 0 || *path != '/')
		return missing(out, 404, 0);
	if (len >= sizeof(s.path))
		return missing(out, 414, 0);
	memcpy(s.path, path, len + 1);

	int rc = open_part(&s, len);
	if (rc == -404 || rc == -414)
		return search_back(&s, len, -rc);
	if (rc < 0)
		return missing(out, -rc, 0);
	out->len = len;
	return S_ISDIR(out->st.st_mode) ? SCRIPT_DIRECTORY : SCRIPT_FILE;
}
