/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/script_tree.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <main/php.h>

/* Without ".." segments: what it names is then plain from its text, but for links. */
static bool is_plain(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return false;
	return true;
}

/* Tree number @i: the document root, then the aliases; NULL past the last. */
static const char *tree_at(const struct spec *s, size_t i)
{
	return i == 0 ? s->docroot : i <= s->trees_n ? s->trees[i - 1] : NULL;
}

/* Octets of @path that name @tree, or 0: it is not inside. */
static size_t inside(const char *path, const char *tree)
{
	size_t n = strlen(tree);

	if (n == 1)
		return 1; /* "/" */
	return strncmp(path, tree, n) == 0 && (path[n] == '/' || path[n] == '\0') ? n : 0;
}

/* Whether all links on the way, below the first @from octets, may lead anywhere. */
static bool links_are_good(const char *path, size_t from)
{
	char part[PATH_MAX];
	struct stat link, target;

	for (size_t n = from; path[n] != '\0';) {
		n += strspn(path + n, "/");
		n += strcspn(path + n, "/");
		memcpy(part, path, n);
		part[n] = '\0';
		if (lstat(part, &link) == -1)
			return true; /* not there: nor is the script */
		if (S_ISLNK(link.st_mode) && link.st_uid != 0 && stat(part, &target) == 0 && target.st_uid != link.st_uid)
			return false;
	}
	return true;
}

/* The real path inside a tree's real path. PHP keeps both in its cache of real paths, and asks for the script's anyway. */
static bool leads_inside(const struct spec *s, const char *real)
{
	char root[PATH_MAX];
	const char *tree;

	for (size_t i = 0; (tree = tree_at(s, i)) != NULL; i++)
		if (tsrm_realpath(tree, root) != NULL && inside(real, root) != 0)
			return true;
	return false;
}

bool script_tree_holds(const struct spec *s, const char *path)
{
	char real[PATH_MAX];
	const char *tree;

	if (strlen(path) >= PATH_MAX)
		return false;
	bool exists = tsrm_realpath(path, real) != NULL;
	bool same = exists && strcmp(real, path) == 0;
	for (size_t i = 0; (tree = tree_at(s, i)) != NULL; i++) {
		size_t n = inside(path, tree);
		if (n != 0 && is_plain(path + n) && (same || !exists || leads_inside(s, real) || links_are_good(path, n)))
			return true;
	}
	return false;
}
